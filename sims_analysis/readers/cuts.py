"""Texts that end within a row, and rows that lack cells."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import repeat

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, warn
from sims_analysis.readers.grid import Block, TextGrid
from sims_analysis.readers.numbers import tell_if_cut

__all__ = ["refuse_cut", "tell_of_short_rows"]

#: A line of numbers, or the beginning of one.
_CUT = re.compile(r"[\s;,|]*[-+.\d\"][-+.,;|eEdD\d\s\"]*")
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
    if grid.quoted and cut.count('"') % 2:
        grid.options.truncated(f"the file breaks off within line {end + 1}, in a cell in quotes")
        return
    if end - last not in (0, 1) or (end > last and not _CUT.fullmatch(cut)):
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
    elif end == last and len(cells) == least == width:
        filled = [row[-1] for row in near if row[-1].strip()]
        # Where the last column ends early, it is empty in the row before as well.
        if cells[-1].strip() or near[-1][-1].strip():
            tell_if_cut(grid.lines, [*filled, cells[-1]])


def tell_of_short_rows(grid: TextGrid, rows: Sequence[int], block: Block, width: int) -> None:
    """Refuse rows that lack cells between blanks: nobody can tell which. Tell of others.

    Raises
    ------
    ReadError
        That names the line.
    """
    short = np.isnan(block.values[:, -1])
    if not short.any() or (width - 1 in block.texts and grid.delimiter is None):
        return
    if grid.delimiter is not None:
        _tell_of_short_lines(grid, rows, block, width)
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


def _tell_of_short_lines(grid: TextGrid, rows: Sequence[int], block: Block, width: int) -> None:
    """Tell of lines with fewer cells than a later one has: nobody can tell which are missing."""
    lines = grid.texts(rows)
    if grid.quoted:
        counts: Iterable[int] = (len(grid.split(line)) - 1 for line in lines)
    else:
        counts = map(str.count, lines, repeat(grid.delimiter or ""))
    whole = [count >= width - 1 for count in counts]
    if all(whole) or True not in whole:
        return
    end = len(whole) - whole[::-1].index(True)
    short = [
        number for number, is_whole in zip(block.rows, whole[:end], strict=False) if not is_whole
    ]
    if short:
        more = f" (and {len(short) - 1} more)" if len(short) > 1 else ""
        warn(
            f"line {short[0]}{more} has fewer cells than the {width} columns: those at its end are "
            "taken as not measured; if one is missing before, the others stand in the wrong column",
            ProfileWarning,
        )
