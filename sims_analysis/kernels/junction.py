"""All crossings of a level as a table, and the choice of the one that is the junction."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.crossing_error import half_widths
from sims_analysis.kernels.crossings import (
    FALLING,
    RISING,
    Crossings,
    find,
    highest,
    index_in_row,
    locate,
    padded,
    undetermined,
    why_none,
)
from sims_analysis.kernels.rows import Array, Flags, Index, Rows, Status

__all__ = ["Junction", "Table", "junction", "table"]


class Table(NamedTuple):
    """Crossings of each row in order of depth, ``(R, width)``, and their number ``(R,)``."""

    depth: Array
    stderr: Array
    direction: NDArray[np.int8]
    decay_length: Array
    depth_before: Array
    depth_after: Array
    status: NDArray[np.uint8]
    number: Index


def table(rows: Rows, level: Array, *, width: int) -> Table:
    """List the crossings of every row, in order of depth.

    Parameters
    ----------
    rows : Rows
        With or without standard errors.
    level : ndarray, shape (R,)
    width : int
        Entries per row, at least 1.

    Returns
    -------
    Table
        In a row without crossings, the status of the first entry gives the reason. A crossing
        whose interval is wider than the record has depth NaN and status ``undetermined``. Unused
        entries have NaN, direction 0 and the status of padding.
    """
    levels = rows.repeat(level)
    every = find(rows, levels)
    number = np.bincount(every.row, minlength=rows.count)
    column = index_in_row(every.row, number)
    found, column = every.take(column < width), column[column < width]
    at, _, decay = locate(rows, levels, found)
    stderr = half_widths(rows, levels, found, at, every=every.before)
    lost = undetermined(rows, found.row, stderr)
    at[lost], stderr[lost] = np.nan, np.nan

    def pad(values: NDArray[Any], fill: float) -> NDArray[Any]:
        return padded(values, (found.row, column), (rows.count, width), fill)

    status = pad(np.where(lost, Status.UNDETERMINED, Status.OK).astype(np.uint8), Status.PADDING)
    status[:, 0] = np.where(number == 0, why_none(rows, level, None, number == 0), status[:, 0])
    return Table(
        pad(at, np.nan),
        pad(stderr, np.nan),
        pad(np.where(found.falling, FALLING, RISING).astype(np.int8), 0),
        pad(decay, np.nan),
        pad(rows.depth_at(found.before), np.nan),
        pad(rows.depth_at(found.after), np.nan),
        status,
        number,
    )


class Junction(NamedTuple):
    """The chosen crossing of every row; every field has shape (R,)."""

    depth: Array
    stderr: Array
    decay_length: Array
    n_crossings: Index
    status: NDArray[np.uint8]


def junction(
    rows: Rows,
    level: Array,
    after: Array | None = None,
    *,
    edge: int = FALLING,
    which: int = -1,
    confirm: int = 1,
) -> Junction:
    """Choose one crossing of each row.

    Parameters
    ----------
    rows : Rows
        With or without standard errors.
    level : ndarray, shape (R,)
    after : ndarray, shape (R,), optional
        Consider only crossings deeper than this; NaN means deeper than the row's maximum.
    edge : {-1, 1, 0}
        Falling, rising, or either.
    which : int
        -1 for the deepest, 1 for the shallowest, 2 for the next, and so on.
    confirm : int
        Number of samples before and after the crossing that must lie on their side of the level.

    Returns
    -------
    Junction
        NaN, with a status that gives the reason, where no crossing qualifies or where the interval
        of the chosen one is wider than the record.
    """
    levels = rows.repeat(level)
    every = found = find(rows, levels)
    if edge:
        found = found.take(found.falling == (edge == FALLING))
    if after is not None:
        if np.isnan(after).any():
            row, position = highest(rows)
            depth = np.full(rows.count, np.nan)
            depth[row] = rows.depth_at(position)
            after = np.where(np.isnan(after), depth, after)
        found = found.take(locate(rows, levels, found).depth > after[found.row])
    crossed, ends = np.zeros((2, rows.count), dtype=bool)
    if confirm > 1:
        confirmed, room = _confirmed(rows, level[found.row], found, confirm)
        crossed[found.row], ends[found.row[~room]] = True, True
        found = found.take(confirmed)
    number = np.bincount(found.row, minlength=rows.count)
    wanted = number - 1 if which < 0 else np.full(rows.count, which - 1)
    has = (number > 0) & (wanted < number)
    chosen = found.take((np.cumsum(number) - number + wanted)[has])
    columns = np.full((3, rows.count), np.nan)
    at, _, decay = locate(rows, levels, chosen)
    stderr = half_widths(rows, levels, chosen, at, every=every.before)
    columns[:, has] = at, stderr, decay
    # Fewer crossings than requested, or none that is confirmed.
    few = np.where(ends & (number == 0), Status.TRUNCATED, Status.NEVER_REACHED)
    none = (number == 0) & ~crossed
    why = np.where(none, why_none(rows, level, after, none), few)
    status = np.where(has, Status.OK, why)
    lost = np.flatnonzero(has)[undetermined(rows, chosen.row, stderr)]
    columns[:, lost], status[lost] = np.nan, Status.UNDETERMINED
    return Junction(columns[0], columns[1], columns[2], number, status.astype(np.uint8))


def _confirmed(rows: Rows, level: Array, found: Crossings, n: int) -> tuple[Flags, Flags]:
    """Return whether n samples before and after lie on their sides, and whether there are n."""
    begin, end = rows.start[found.row], rows.start[found.row + 1]
    confirmed, room = np.ones((2, found.row.size), dtype=bool)
    for k in range(1, min(n, int(rows.size.max(initial=0)) + 1)):
        for position, high in (
            (found.before - k, found.falling),
            (found.after + k, ~found.falling),
        ):
            inside = (position >= begin) & (position < end)
            value = rows.value_at(np.where(inside, position, begin))
            room &= inside
            confirmed &= np.where(high, value > level, value < level)
    return confirmed & room, room
