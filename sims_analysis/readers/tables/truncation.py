"""Texts that end within a row, and rows that lack cells."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, warn
from sims_analysis.kernels.rows import Array
from sims_analysis.readers.signals import Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.grid import Block, TextGrid
from sims_analysis.readers.tables.numbers import narrow

#: A number in parts.
_FORM = re.compile(
    r"[+\-]?(?P<digits>\d+(?:[.,](?P<decimals>\d*))?)(?:[eEdD][+\-]?(?P<exponent>\d+))?"
)


#: So many rows before the last show how long rows are; so many are near it.
_ROWS_BEFORE_LAST, _NEAR_LAST = 100, 8


def refuse_truncated(grid: TextGrid, rows: Sequence[int], width: int) -> None:
    """Refuse a text that ends within a row, and warn of one that seems to."""
    end, last = len(grid.lines) - 1, rows[-1]
    cut = grid.lines[end]
    if grid.quoted and cut.count('"') % 2:
        grid.options.truncated(f"the file breaks off within line {end + 1}, in a cell in quotes")
        return
    if end > last:
        return
    lines = grid.texts(rows)
    near = [grid.split(line) for line in lines[-_ROWS_BEFORE_LAST:-1]]
    least, cells = min(map(len, near), default=0), grid.split(cut)
    if len(cells) < least and len(cells) < min(len(grid.split(line)) for line in lines[:-1]):
        grid.options.truncated(
            f"the file breaks off within line {end + 1}: {len(cells)} of {width} cells, and no end "
            "of the line"
        )
    # A pair of columns that ends early is empty in both.
    elif len(cells) == least == width and any((*cells[-2:], near[-1][-1].strip())):
        warn_if_truncated(grid.lines, [row[-1] for row in near] + cells[-1:])


def read_lines(source: Source, rows: Sequence[int], width: int) -> Array:
    """Read lines of so many numbers between blanks; the file breaks off in one that lacks some."""
    lines = source.lines
    if rows[-1] == len(lines) - 1:
        warn_if_truncated(lines, [lines[i].split()[-1] for i in rows])
    block = TextGrid(lines, source.options, delimiter=None).read(rows, width)
    counts = [width] if {*block.lengths} == {width} else [len(lines[i].split()) for i in rows]
    if min(counts) < width:
        whole = np.array(counts) >= width
        line = rows[int(whole.argmin())] + 1
        source.options.truncated(f"line {line}: {counts[whole.argmin()]} of {width} numbers")
        return block.only(whole).values
    return block.values


def read_two_columns(
    source: Source, rows: Sequence[int], name: str, units: Sequence[str | None], **about: Any
) -> Signal:
    """Read lines of two numbers: a signal in the units of its depths and of its values."""
    depths, values = read_lines(source, rows, 2).T
    return Signal(
        name=name, depths=depths, depth_units=units[0], values=values, units=units[1], **about
    )


def warn_if_truncated(lines: Sequence[str], cells: Sequence[str]) -> None:
    """Warn of a text without a last line end, unless its last number is seen to be whole."""
    if not lines[-1].strip():
        return
    forms = [_FORM.fullmatch(narrow(cell).strip(' "').lstrip("<\u2264= ")) for cell in cells]
    *above, last = forms
    if not cells[-1].strip() or (last and not _is_whole(last, [form for form in above if form])):
        warn(
            f"line {len(lines)} has no end, and its last cell, {cells[-1].strip()!r}, may be cut, "
            "judging by those above: the file may break off there; if it does not, end the "
            "line",
            ProfileWarning,
            code="truncated_file",
        )


def _is_whole(last: re.Match[str], above: Sequence[re.Match[str]]) -> bool:
    """Whether a number is written like those above it, as far as there are any."""
    plain = [form for form in above if not form["exponent"]]
    if not above or last["exponent"] or 2 * len(plain) < len(above):
        exponents = {len(form["exponent"]) for form in above if form["exponent"]}
        alike = not above or len(last["exponent"] or "") in exponents
        # Zero is written without one, and so may a number of more digits.
        most = max((len(form["digits"]) for form in above), default=0)
        longer = bool(plain) and len(last["digits"]) > most
        return alike or longer or not last["digits"].strip("0,.")
    mantissas = {len(form["decimals"] or "") for form in above if form["exponent"]}
    if last["decimals"] and len(last["decimals"]) in mantissas:
        # Its exponent may be lost.
        return False
    above = plain
    decimals = {len(form["decimals"] or "") for form in above}
    if last["decimals"] == "":
        return any(form["decimals"] == "" for form in above)
    if decimals == {0} and not last["decimals"]:
        # A whole number that lost a digit is a tenth.
        near = [int(form["digits"].rstrip(",.")) for form in above[-_NEAR_LAST:]]
        own = int(last["digits"].rstrip(",."))
        return not own or 10 * own > max(near, default=0)
    if len(decimals) == 1:
        return len(last["decimals"] or "") in decimals
    return len(last["digits"]) >= min(len(form["digits"]) for form in above)


def check_short_lines(
    grid: TextGrid, block: Block, filled: Sequence[bool], starts: Collection[int]
) -> None:
    """Warn of lines that lack cells, it is ambiguous which; between blanks they are refused."""
    width, blanks = len(filled), grid.delimiter is None
    if len(block.lengths) < 2 or not np.isnan(block.values[:, -1]).any():
        return
    rows = [grid.split(grid.lines[number - 1]) for number in block.rows]
    # Every line may end in a delimiter.
    (usual, _), *_ = Counter(map(len, rows)).most_common(1)
    whole = [len(cells) >= max(width, usual) for cells in rows]
    if True not in whole:
        return
    end = len(whole) - whole[::-1].index(True)

    def ends_profiles(cells: Sequence[str]) -> bool:
        last = max((j for j, cell in enumerate(cells) if cell.strip()), default=-1)
        return next((j for j in range(last + 1, width) if filled[j]), None) in {None, *starts}

    # Of a last line without an end there is another warning.
    short = [
        (number, len(cells))
        for place, (number, cells) in enumerate(zip(block.rows, rows, strict=True))
        if not whole[place]
        and number < len(grid.lines)
        and (blanks or place < end or not ends_profiles(cells))
    ]
    if not short:
        return
    line, count = short[0]
    if not blanks:
        more = f" (and {len(short) - 1} more)" if len(short) > 1 else ""
        warn(
            f"line {line}{more} has fewer cells than the {width} columns: those at its end are "
            "taken as not measured; if one is missing before, the others stand in the wrong column",
            ProfileWarning,
        )
    elif width - 1 not in block.texts:
        raise ReadError(
            f"line {line}: {count} of {width} cells: between blanks it is ambiguous which are "
            "missing; put tabs between the cells, or nan where there is no value"
        )


def warn_of_uneven_rows(grid: TextGrid, rows: Sequence[int]) -> None:
    """Warn of rows, each a profile, that have not as many cells as the others."""
    texts = [grid.cells(i) for i in rows]
    counts = [max(j + 1 for j, cell in enumerate(cells) if cell) for cells in texts]
    (usual, _), *_ = Counter(counts).most_common(1)
    warn_if_truncated(grid.lines, texts[-1][1 : counts[-1]])
    for i, count in zip(rows, counts, strict=True):
        if count != usual:
            warn(
                f"line {i + 1} has {count} cells, others {usual}: a number that is missing or too "
                "many within it moves all that follow to other depths",
                ProfileWarning,
            )
            return
