"""What interrupts the numbers of a table: heads on every page, and blocks below each other.

A row above the numbers that is written again begins a page, or the block of another sample; it is
one where the depths begin anew. What else stands between the numbers is refused by those who read
them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sims_analysis.errors import ReadError
from sims_analysis.kernels.rows import Array
from sims_analysis.readers.tables.grid import Grid, TextGrid
from sims_analysis.readers.tables.header_cells import names_axis
from sims_analysis.readers.tables.heuristics import HEURISTICS
from sims_analysis.readers.tables.numbers import is_number, narrow, read_cell
from sims_analysis.readers.tables.row_kinds import RowKind
from sims_analysis.readers.tables.words import named_role


@dataclass
class Sections:
    """Rows between the numbers that are understood."""

    #: Row of the grid -> what it was taken for.
    left_out: dict[int, str] = field(default_factory=dict)
    #: First row of numbers of a section -> its label; empty if it has none.
    labels: dict[int, str] = field(default_factory=dict)


def find_sections(grid: Grid, first: int, last: int, above: list[int]) -> Sections:
    """Find repeated heads and labels among rows of numbers; those of the first leave `above`."""
    found = Sections()
    if isinstance(grid.rows_of_table(first, last), range):
        # All of them begin like numbers.
        return found
    heads = {tuple(grid.cells(i)): i for i in above if len([*filter(None, grid.cells(i))]) > 1}
    heads = {cells: i for cells, i in heads.items() if grid.kind(i) not in _NUMERIC}
    groups = _interruptions(grid, first, last, heads)
    repeated: list[int] = []
    for group in groups:
        before, after = group[0] - 1, group[-1] + 1
        again = [i for i in group if tuple(grid.cells(i)) in heads]
        others = [i for i in group if i not in again]
        anew = _begins_anew(grid, before, after)
        if again and not names_axis(c for i in again for c in grid.cells(i)):
            continue
        if not again and (not anew or len(others) != 1 or _filled(grid, others[0]) != 1):
            continue
        label = next(filter(None, (_label(grid, i) for i in others)), "")
        if anew:
            found.labels[after] = label
            repeated = again or repeated
            found.left_out |= dict.fromkeys(others, "samples")
        else:
            found.left_out |= dict.fromkeys(others, "note")
        found.left_out |= dict.fromkeys(again, "headers again")
    if any(found.labels.values()):
        top = min((heads[tuple(grid.cells(i))] for i in repeated), default=first)
        row = next((i for i in reversed(above) if i < top), None)
        if row is not None and (
            _filled(grid, row) == 1 or named_role(grid.cells(row)[0], "text", "species")
        ):
            found.labels[first] = _label(grid, row)
            found.left_out[row] = "samples"
            above.remove(row)
    return found


_NUMERIC = (RowKind.NUMBERS, RowKind.MIXED, RowKind.BLANK)


def _interruptions(
    grid: Grid, first: int, last: int, heads: dict[tuple[str, ...], int]
) -> list[list[int]]:
    """Return groups of rows without numbers between rows of numbers, with blank ones in them."""
    groups: list[list[int]] = []
    plain = grid.lines if isinstance(grid, TextGrid) else None
    for i in range(first, last + 1):
        if plain is not None and plain[i][:1].isdigit():
            continue
        cells = grid.cells(i)
        if tuple(cells) not in heads and (
            any(map(is_number, cells)) or (any(cells) and grid.is_comment(i))
        ):
            continue
        if groups and groups[-1][-1] == i - 1:
            groups[-1].append(i)
        else:
            groups.append([i])
    groups = [[i for i in group if any(grid.cells(i))] for group in groups if group[0] > first]
    return [group for group in groups if group and group[-1] < last]


def _begins_anew(grid: Grid, before: int, after: int) -> bool:
    """Whether the first number of the next row of numbers is not above that of the last."""
    while not any(map(is_number, grid.cells(before))):
        before -= 1
    while not any(map(is_number, grid.cells(after))):
        after += 1
    one, other = (narrow(next(filter(is_number, grid.cells(i)))) for i in (before, after))
    mark = "," if "," in one + other else "."
    try:
        return read_cell(other, mark) <= read_cell(one, mark)
    except ReadError:
        return False


def _filled(grid: Grid, row: int) -> int:
    return len([*filter(None, grid.cells(row))])


def _label(grid: Grid, row: int) -> str:
    """Return what a row calls a sample: ``W1``, ``Sample: W1``, ``Sample | W1``."""
    *keys, text = filter(None, grid.cells(row))
    key, mark, name = (part.strip() for part in text.partition(":"))
    if mark and named_role(key, "text", "species"):
        return name
    return text if not keys or named_role(keys[0].rstrip(":"), "text", "species") else ""


def restarts(axis: Array, rows: Sequence[int]) -> list[int]:
    """Find where depths begin anew, as those of another sample do; `rows` are their numbers."""
    starts = [0]
    for i in (np.flatnonzero(np.diff(axis) < 0) + 1).tolist():
        before = np.sort(axis[starts[-1] : i])
        after = axis[i : i + HEURISTICS.block_rows]
        whole = before.size >= HEURISTICS.block_rows <= after.size and (np.diff(after) > 0).all()
        # Without an empty row between, it begins at the top.
        part = HEURISTICS.block_back if rows[i] - rows[i - 1] > 1 else 0.0
        if whole and axis[i] < before[-1] and axis[i] <= before[int(part * before.size)]:
            starts.append(i)
    return starts
