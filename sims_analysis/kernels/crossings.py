"""Where profiles cross a level, or each other.

One search serves a fixed level, a level of each profile, and a level at every sample (donors
against acceptors). With ``l = ln(value / level)`` at the two ends of a segment, the crossing lies
at ``t = l0 / (l0 - l1)``, exact where both are exponentials; linear where a logarithm cannot be
taken.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.rows import Rows, compress, flat_rows, per_row

__all__ = ["Crossings", "Junction", "find", "junction", "table"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

OK, NO_DATA, NEVER_REACHED, ALWAYS_ABOVE, TRUNCATED, PADDING = 0, 1, 2, 3, 5, 6
RISING, FALLING = 1, -1


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
    value = rows.value
    above = value > level
    change = above[1:] != above[:-1]
    if change.size:
        change[rows.seams] = False
    before = np.flatnonzero(change)
    after = before + 1
    hit = (value[before] == level[before]) | (value[after] == level[after])
    if hit.any():
        # Samples on the level are on neither side: look at the samples beside them.
        off = np.flatnonzero(value != level)
        passes = (above[off[1:]] != above[off[:-1]]) & (rows.row[off[1:]] == rows.row[off[:-1]])
        before, after = off[:-1][passes], off[1:][passes]
    place, decay = _place(rows, level, before, after)
    depth = rows.depth[before] + place * (rows.depth[after] - rows.depth[before])
    on_sample = after - before > 1
    depth[on_sample] = rows.depth[before[on_sample] + 1]
    return Crossings(
        row=rows.row[before],
        depth=depth,
        direction=np.where(above[after], RISING, FALLING).astype(np.int8),
        before=before,
        after=after,
        place=place,
        decay_length=decay,
    )


def _place(rows: Rows, level: Array, before: Index, after: Index) -> tuple[Array, Array]:
    c0, c1, l0, l1 = rows.value[before], rows.value[after], level[before], level[after]
    width = rows.depth[after] - rows.depth[before]
    logs = (c0 > 0) & (c1 > 0) & (l0 > 0) & (l1 > 0)
    d0, d1 = c0 - l0, c1 - l1
    place = d0 / (d0 - d1)
    decay = np.full(place.shape, np.nan)
    s0, s1 = np.log(c0[logs] / l0[logs]), np.log(c1[logs] / l1[logs])
    place[logs] = s0 / (s0 - s1)
    decay[logs] = width[logs] / np.abs(s0 - s1)
    # The sample itself, where one lies exactly on the level between the two.
    on_sample = np.flatnonzero(after - before > 1)
    if on_sample.size:
        at = rows.depth[before[on_sample] + 1]
        place[on_sample] = (at - rows.depth[before[on_sample]]) / width[on_sample]
    return np.clip(place, 0.0, 1.0), decay


def _rows_and_level(
    depth: Array, value: Array, level: Array | float
) -> tuple[Rows, Array, tuple[int, ...]]:
    rows_value, lead = flat_rows(value)
    rows_depth = depth if depth.ndim == 1 else flat_rows(depth)[0]
    rows = compress(rows_depth, rows_value)
    return rows, per_row(level, lead)[rows.row], lead


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
    value: Array,
    level: Array | float,
    stderr: Array | None = None,
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
    rows, levels, lead = _rows_and_level(depth, value, level)
    found = find(rows, levels)
    count = np.bincount(found.row, minlength=rows.count)
    if width is None:
        width = max(1, int(count.max(initial=0)))
    number = np.arange(found.row.size) - np.repeat(np.cumsum(count) - count, count)
    kept = number < width
    place = found.row[kept], number[kept]
    shape = (rows.count, width)
    sigma = _stderr(depth, value, stderr, rows, found)
    columns: dict[str, Array] = {}
    for name, values in (
        ("depth", found.depth),
        ("decay_length", found.decay_length),
        ("depth_before", rows.depth[found.before]),
        ("depth_after", rows.depth[found.after]),
        ("stderr", sigma),
    ):
        columns[name] = np.full(shape, np.nan)
        columns[name][place] = values[kept]
    direction = np.zeros(shape, dtype=np.int8)
    direction[place] = found.direction[kept]
    status = np.full(shape, PADDING, dtype=np.uint8)
    status[place] = OK
    none = count == 0
    status[none, 0] = _why_none(rows, levels)[none]
    final = (*lead, width)
    return Table(
        direction=direction.reshape(final),
        status=status.reshape(final),
        **{name: column.reshape(final) for name, column in columns.items()},
    )


def _why_none(
    rows: Rows, level: Array, counts: NDArray[np.bool_] | None = None
) -> NDArray[np.uint8]:
    """Say of each row why it has no crossing, from the samples that count."""
    if counts is None:
        counts = np.ones(rows.value.shape, dtype=bool)
    some = rows.sum(counts.astype(float)) > 0
    higher = rows.sum((counts & (rows.value > level)).astype(float)) > 0
    lower = rows.sum((counts & (rows.value < level)).astype(float)) > 0
    # Samples on both sides, yet no crossing of the asked kind: the record ends before it.
    why = np.where(higher & lower, TRUNCATED, np.where(higher, ALWAYS_ABOVE, NEVER_REACHED))
    return np.where(some, why, NO_DATA).astype(np.uint8)


def _stderr(
    depth: Array, value: Array, stderr: Array | None, rows: Rows, found: Crossings
) -> Array:
    """Propagate the standard errors of the two bracketing samples to the depth.

    With logarithms: ``lambda sqrt([(1-t) s0/c0]^2 + [t s1/c1]^2)``, lambda the local decay length.
    Without: the same derivative of the straight line.
    """
    if stderr is None:
        return np.full(found.depth.shape, np.nan)
    rows_stderr, _ = flat_rows(np.broadcast_to(stderr, value.shape))
    measured = ~np.isnan(flat_rows(value)[0])
    if depth.ndim > 1:
        measured &= ~np.isnan(flat_rows(depth)[0])
    sigma = rows_stderr[measured]
    s0, s1 = sigma[found.before], sigma[found.after]
    c0, c1 = rows.value[found.before], rows.value[found.after]
    t = found.place
    with np.errstate(divide="ignore", invalid="ignore"):
        log = found.decay_length * np.hypot((1 - t) * s0 / c0, t * s1 / c1)
        slope = np.abs(c1 - c0) / (rows.depth[found.after] - rows.depth[found.before])
        linear = np.hypot((1 - t) * s0, t * s1) / slope
    chosen: Array = np.where(np.isnan(found.decay_length), linear, log)
    return chosen


class Junction(NamedTuple):
    """The chosen crossing of every row; fields have the leading shape."""

    depth: Array
    stderr: Array
    decay_length: Array
    candidates: Index
    status: NDArray[np.uint8]


def junction(
    depth: Array,
    value: Array,
    level: Array | float,
    stderr: Array | None = None,
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
    rows, levels, lead = _rows_and_level(depth, value, level)
    found = find(rows, levels)
    qualifies = found.direction == edge if edge else np.ones(found.row.shape, dtype=bool)
    counts = np.ones(rows.value.shape, dtype=bool)
    if after is not None:
        limit = per_row(after, lead)
        limit = np.where(np.isnan(limit), _depth_of_maximum(rows), limit)
        qualifies &= found.depth > limit[found.row]
        counts = rows.depth >= limit[rows.row]
    if confirm > 1:
        qualifies &= _confirmed(rows, levels, found, confirm)
    chosen = np.flatnonzero(qualifies)
    row = found.row[chosen]
    count = np.bincount(row, minlength=rows.count)
    begin = np.cumsum(count) - count
    number = count - 1 if which < 0 else np.full(rows.count, which - 1)
    has = number < count
    has &= count > 0
    pick = chosen[(begin + number)[has]]
    sigma = _stderr(depth, value, stderr, rows, found)
    columns = []
    for values in (found.depth, sigma, found.decay_length):
        column = np.full(rows.count, np.nan)
        column[has] = values[pick]
        columns.append(column.reshape(lead))
    status = np.where(has, OK, _why_none(rows, levels, counts)).astype(np.uint8)
    # Fewer crossings than the occurrence asked for.
    status[~has & (count > 0)] = NEVER_REACHED
    at, sigma, decay = columns
    return Junction(at, sigma, decay, count.reshape(lead), status.reshape(lead))


def _depth_of_maximum(rows: Rows) -> Array:
    deepest = np.full(rows.count, np.nan)
    some = np.flatnonzero(rows.size)
    if some.size:
        maximum = np.maximum.reduceat(rows.value, rows.start[some])
        full = np.full(rows.count, np.nan)
        full[some] = maximum
        at = np.flatnonzero(rows.value == full[rows.row])
        row, first = np.unique(rows.row[at], return_index=True)
        deepest[row] = rows.depth[at[first]]
    return deepest


def _confirmed(rows: Rows, level: Array, found: Crossings, n: int) -> NDArray[np.bool_]:
    """Whether n samples before and n after lie on their sides of the level, within the row."""
    confirmed = np.ones(found.row.shape, dtype=bool)
    side = np.sign(rows.value - level)
    size = rows.value.size
    for step in range(1, n):
        for position, wanted in (
            (found.before - step, -found.direction),
            (found.after + step, found.direction),
        ):
            there = (position >= 0) & (position < size)
            safe = np.clip(position, 0, max(size - 1, 0))
            there &= rows.row[safe] == found.row
            confirmed &= there & (side[safe] == wanted)
    return confirmed
