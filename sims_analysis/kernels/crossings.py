"""Where profiles cross a level, or each other.

One search serves a fixed level, a level of each profile, and a level at every sample (donors
against acceptors). With ``l = ln(value / level)`` at the two ends of a segment, the crossing lies
at ``t = l0 / (l0 - l1)``, exact where both are exponentials; linear where a logarithm cannot be
taken.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.brackets import Block, Brackets, located_between
from sims_analysis.kernels.locating import half_widths
from sims_analysis.kernels.rows import (
    BLOCK,
    Rows,
    block_of,
    blocks,
    compress,
    flat_rows,
    per_row,
)
from sims_analysis.kernels.threads import each_block

__all__ = ["Crossings", "Junction", "find", "junction", "table"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

OK, NO_DATA, NEVER_REACHED, ALWAYS_ABOVE, TRUNCATED, PADDING = 0, 1, 2, 3, 5, 6
RISING, FALLING = 1, -1

T = TypeVar("T")


class Crossings(NamedTuple):
    """All crossings of all rows, in order of row and depth; every field has shape (K,)."""

    row: Index
    depth: Array
    direction: NDArray[np.int8]
    #: Samples that bracket it, as positions in the end-to-end rows: those off the level.
    before: Index
    after: Index
    #: Place between the bracketing samples, 0 to 1.
    place: Array
    #: |dz / d ln(value / level)| between the bracketing samples; NaN where there is no logarithm.
    decay_length: Array


def find(rows: Rows, level: Array) -> Crossings:
    """Find every crossing of the level.

    A sample exactly at the level is a crossing where the profile passes through, once; a touch is
    none; a plateau at the level is one, at its first sample. A profile that begins or ends on the
    level does not show on which side it would have gone: that is none.

    Parameters
    ----------
    rows : Rows
    level : ndarray, shape (N,)
        The level at every sample (broadcast for a constant one).
    """
    value, z = rows.value, rows.depth
    above = value > level
    change = above[1:] != above[:-1]
    if change.size:
        change[rows.seams] = False
    before = np.flatnonzero(change)
    after = before + 1
    if (value[before] == level[before]).any() or (value[after] == level[after]).any():
        # Samples on the level are on neither side: look at the samples beside them.
        off = np.flatnonzero(value != level)
        passes = (above[off[1:]] != above[off[:-1]]) & (rows.row[off[1:]] == rows.row[off[:-1]])
        before, after = off[:-1][passes], off[1:][passes]
    z0, z1 = z[before], z[after]
    depth, place, decay = located_between(
        value[before], value[after], level[before], level[after], z0, z1
    )
    on_sample = np.flatnonzero(after - before > 1)
    if on_sample.size:
        depth[on_sample] = z[before[on_sample] + 1]
        place[on_sample] = ((depth - z0) / (z1 - z0))[on_sample]
    return Crossings(
        row=np.searchsorted(rows.start, before, side="right") - 1,
        depth=depth,
        direction=np.where(above[after], RISING, FALLING).astype(np.int8),
        before=before,
        after=after,
        place=place,
        decay_length=decay,
    )


class Table(NamedTuple):
    """Crossings padded to the same number a row; fields have shape (..., width)."""

    depth: Array
    direction: NDArray[np.int8]
    decay_length: Array
    depth_before: Array
    depth_after: Array
    stderr: Array
    status: NDArray[np.uint8]


def table(
    depth: Array,
    value: NDArray[Any],
    level: Array | float,
    stderr: NDArray[Any] | None = None,
    *,
    width: int | None = None,
) -> Table:
    """List the crossings of every row, in order of depth.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value, stderr : ndarray, shape (..., n)
    level : float or ndarray, shape (...)
    width : int, optional
        Number of places a row; by default as many as the row with the most crossings, at least 1.

    Returns
    -------
    Table
        In a row without crossings, the first place says why in its status. Places left over have
        NaN and an empty status.
    """
    rows_value, lead = flat_rows(value)
    sigma = None if stderr is None else flat_rows(np.broadcast_to(stderr, value.shape))[0]
    count = np.zeros(rows_value.shape[0], dtype=np.intp)
    why = np.full(rows_value.shape[0], NO_DATA, dtype=np.uint8)

    def work(where: slice, block: Block) -> tuple[NDArray[Any], ...]:
        found = block.brackets()
        count[where] = np.bincount(found.row, minlength=block.rows)
        none = np.flatnonzero(count[where] == 0)
        why[where.start + none] = block.why_none(none, None)
        begin = np.cumsum(count[where]) - count[where]
        number = np.arange(found.row.size) - np.repeat(begin, count[where])
        if width is not None:
            kept = number < width
            if np.count_nonzero(kept) < kept.size:
                found, number = found.take(kept), number[kept]
        at, _, decay = block.located(found)
        return (
            found.row + where.start,
            number,
            at,
            np.where(found.falling, FALLING, RISING).astype(np.int8),
            decay,
            block.depths(found.row, found.before),
            block.depths(found.row, found.after),
            _stderr(block, sigma, where, found, at),
        )

    listed = _each_block(work, depth, value, level)
    places = max(1, int(count.max(initial=0))) if width is None else width
    columns: list[NDArray[Any]] = [np.full((count.size, places), np.nan) for _ in range(6)]
    columns[1] = np.zeros((count.size, places), dtype=np.int8)
    status = np.full((count.size, places), PADDING, dtype=np.uint8)
    for row, number, *fields in listed:
        place = row * places + number  # one index in place of two
        for column, field in zip(columns, fields, strict=True):
            column.reshape(-1)[place] = field
        status.reshape(-1)[place] = OK
    none = count == 0
    status[none, 0] = why[none]
    return Table(*(column.reshape(*lead, places) for column in (*columns, status)))


def _each_block(
    work: Callable[[slice, Block], T],
    depth: Array,
    value: NDArray[Any],
    level: Array | float,
) -> list[T]:
    rows, lead = flat_rows(value)
    if rows.size == 0:
        return []
    axes = depth if depth.ndim == 1 else flat_rows(depth)[0]
    levels = per_row(level, lead)
    # All but the comparisons is per crossing, not per sample: blocks as large as can be spare
    # overhead. They must stay small only where they are copied.
    copied = not (rows.flags.c_contiguous and rows.dtype == axes.dtype == np.float64)
    cut = blocks(rows.shape[0], rows.shape[1], (2 if copied else 8) * BLOCK)

    def one(where: slice) -> list[T]:
        block = Block(block_of(axes, where), block_of(rows, where), levels[where])
        return [
            work(slice(where.start + part.start, where.start + part.stop), some)
            for part, some in block.in_parts(_MANY)
        ]

    found = each_block(lambda: one, cut, 0.4 * rows.size, _SCRATCH, alone=True)
    return [answer for answers in found for answer in answers]


#: Changes of side that are worked on at a time, and about the bytes that takes.
_MANY = 1 << 14
_SCRATCH = 2 << 20


def _stderr(
    block: Block, stderr: NDArray[Any] | None, where: slice, found: Brackets, at: Array
) -> Array:
    """Give the half-width of the 68 % interval about each crossing; NaN without errors."""
    if stderr is None or found.row.size == 0:
        return np.full(found.row.shape, np.nan)
    rows = compress(block.depth, block.value)
    errors = np.ascontiguousarray(stderr[where], dtype=np.float64).reshape(-1)
    before = found.row * block.columns + np.where(found.on >= 0, found.on, found.before)
    if rows.value.size < errors.size:
        measured = block.measured().reshape(-1)
        errors, before = errors[measured], np.cumsum(measured)[before] - 1
    level = block.level[found.row]
    return half_widths(rows, errors, level, found.row, before, at, found.falling)


class Junction(NamedTuple):
    """The chosen crossing of every row; fields have the leading shape."""

    depth: Array
    stderr: Array
    decay_length: Array
    candidates: Index
    status: NDArray[np.uint8]


def junction(
    depth: Array,
    value: NDArray[Any],
    level: Array | float,
    stderr: NDArray[Any] | None = None,
    *,
    edge: int = FALLING,
    which: int = -1,
    after: Array | float | None = None,
    confirm: int = 1,
) -> Junction:
    """Choose one crossing of each row.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value, stderr : ndarray, shape (..., n)
    level : float or ndarray, shape (...)
    edge : {-1, 1, 0}
        Falling, rising, or either.
    which : int
        -1 the deepest, 1 the shallowest, 2 the next...
    after : float or ndarray, shape (...), optional
        Only crossings deeper than this; NaN means deeper than the row's own maximum.
    confirm : int
        Samples that must lie on the right side, before the crossing and after it.

    Returns
    -------
    Junction
        NaN, and a status that says why, where no crossing qualifies.
    """
    rows_value, lead = flat_rows(value)
    count = rows_value.shape[0]
    sigma = None if stderr is None else flat_rows(np.broadcast_to(stderr, value.shape))[0]
    limits = None if after is None else per_row(after, lead)
    columns = np.full((3, count), np.nan)
    candidates = np.zeros(count, dtype=np.intp)
    status = np.full(count, NO_DATA, dtype=np.uint8)

    def work(where: slice, block: Block) -> None:
        found = block.brackets()
        if edge:
            found = found.take(found.falling == (edge == FALLING))
        limit = None if limits is None else limits[where]
        if limit is not None:
            if np.isnan(limit).any():
                limit = np.where(np.isnan(limit), block.depth_of_maximum(), limit)
            found = found.take(block.located(found)[0] > limit[found.row])
        unconfirmed = None
        if confirm > 1:
            confirmed, room = block.confirmed(found, confirm)
            ends = np.bincount(found.row, ~room, minlength=block.rows) > 0
            crossed = np.bincount(found.row, minlength=block.rows) > 0
            unconfirmed = np.where(ends, TRUNCATED, np.where(crossed, NEVER_REACHED, OK))
            found = found.take(confirmed)
        number = np.bincount(found.row, minlength=block.rows)
        wanted = number - 1 if which < 0 else np.full(block.rows, which - 1)
        has = (number > 0) & (wanted < number)
        chosen = found.take((np.cumsum(number) - number + wanted)[has])
        at, _, decay = block.located(chosen)
        error = _stderr(block, sigma, where, chosen, at)
        columns[:, where.start + np.flatnonzero(has)] = at, error, decay
        candidates[where] = number
        # Fewer crossings than the occurrence asked for.
        status[where] = np.where(has, OK, NEVER_REACHED)
        none = np.flatnonzero(number == 0)
        if none.size:
            why = block.why_none(none, limit)
            if unconfirmed is not None:
                why = np.where(unconfirmed[none] != OK, unconfirmed[none], why)
            status[where.start + none] = why

    _each_block(work, depth, value, level)
    at, error, decay = (column.reshape(lead) for column in columns)
    return Junction(at, error, decay, candidates.reshape(lead), status.reshape(lead))
