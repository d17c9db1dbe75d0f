"""Texts that end within a row, and rows that lack cells."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from sims_analysis.errors import ReadError
from sims_analysis.readers.grid import Block, TextGrid
from sims_analysis.readers.numbers import tell_if_cut
from sims_analysis.readers.numbers import tell_of_short_rows as tell_of_short_lines

__all__ = ["refuse_cut", "tell_of_short_rows"]

#: A line of numbers, or the beginning of one.
_CUT = re.compile(r"\s*[-+.\d\"][-+.,;|eEdD\d\s\"]*")
#: As many rows before the last tell how long rows are.
_NEAR = 100


def refuse_cut(grid: TextGrid, rows: Sequence[int], width: int, *, labelled: bool = False) -> None:
    """Refuse a text that ends within a row, and tell of one that seems to.

    Rows that begin with a label are known by the numbers in them.

    Raises
    ------
    ReadError
        If the last line has fewer cells than all others, and no end.
    """
    end, last = len(grid.lines) - 1, rows[-1]
    cut = grid.lines[end]
    numbers = labelled and end == last
    if end - last not in (0, 1) or not (numbers or _CUT.fullmatch(cut)):
        return
    lines = grid.texts(rows)
    whole = lines[:-1] if end == last else lines
    near = [grid.split(line) for line in whole[-_NEAR:]]
    least = min(map(len, near), default=0)
    cells = grid.split(cut)
    if len(cells) < least and len(cells) < min(len(grid.split(line)) for line in whole):
        place = "its last line" if labelled else f"line {end + 1}"
        grid.options.truncated(
            f"the file breaks off within {place}: {len(cells)} of {width} cells, and no end of "
            "the line"
        )
    elif end == last and len(cells) == least == width and all(row[-1].strip() for row in near):
        tell_if_cut(grid.lines, [row[-1] for row in (*near, cells)])


def tell_of_short_rows(grid: TextGrid, rows: Sequence[int], block: Block, width: int) -> None:
    """Refuse rows that lack cells between blanks: nobody can tell which. Tell of others.

    Raises
    ------
    ReadError
        That names the line.
    """
    if width - 1 in block.texts:
        return
    short = np.isnan(block.values[:, -1])
    if not short.any():
        return
    if grid.delimiter is not None:
        if not grid.quoted:
            tell_of_short_lines(grid.texts(rows), grid.delimiter, width, block.rows)
        return
    for i in np.flatnonzero(short).tolist():
        count = len(grid.lines[rows[i]].split())
        # One that breaks off at the end of the file lacks the last ones.
        if count < width and block.rows[i] < len(grid.lines):
            raise ReadError(
                f"line {block.rows[i]}: {count} of {width} cells, and between blanks "
                "nobody can tell which are missing; put tabs between the cells, or nan where "
                "there is no value"
            )
