"""What an answer rests on: gaps, saturated samples, samples below a limit, and what else is known.

What the data carry (``rows.carried``) is added to what the values show: new values under old flags
are a false alarm, and never silence.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import gap_after, gaps_of
from sims_analysis.kernels.rows import (
    TOLERANCE,
    WITHOUT_VALUE,
    Array,
    Flags,
    Index,
    Marks,
    Places,
    Rows,
    SingleResult,
)
from sims_analysis.kernels.saturation import saturated
from sims_analysis.kernels.transient import RULES as TRANSIENT
from sims_analysis.kernels.transient import surface_transient
from sims_analysis.kernels.truncation import cut_off
from sims_analysis.outcomes import GAP, Flag

#: How an answer uses its samples: a ``"curve"`` through those of an interval (of a ``"record"``:
#: from its begin to its end, without a value or with one), ``"samples"`` each by itself,
#: a ``"mean"`` of those, or the curve at a ``"point"`` between two.
Use = Literal["curve", "record", "samples", "mean", "point"]


class Support(NamedTuple):
    """What answers rest on, in the shape of their intervals.

    Flags; of samples below a limit, the sum of width times limit; and the total width of gaps.
    """

    flags: Any
    below: Any = None
    gap: Any = None


def marks(rows: Rows, near: Places | None = None) -> Marks | None:
    """Return all that is known of samples, carried or seen; None for nothing.

    Of gaps and saturated samples, those of rows with some at the places `near`, at least.
    """
    parts = [] if rows.carried is None else [rows.carried]
    gaps = gaps_of(rows, near)
    if gaps is not None:
        row, z0, z1 = gaps
        flag = np.full(row.shape, GAP, dtype=np.int16)
        unknown = np.full(row.shape, np.nan)
        parts.append(Marks(row, flag, z0, z1, z0, z1, unknown, unknown))
    cut = saturated(rows, near)
    if cut is not None:
        row = np.repeat(np.arange(rows.count), rows.size)
        depth = rows.depth_at(np.arange(row.size))
        parts.append(runs_of(row, depth, cut.reshape(-1), rows.value.reshape(-1), Flag.SATURATED))
    return Marks(*map(np.concatenate, zip(*parts, strict=True))) if parts else None


def saturation_level(rows: Rows) -> SingleResult:
    """Return the highest value at which a detector saturated, (R,); NaN where none did."""
    highest, all_marks = np.full(rows.count, np.nan), marks(rows)
    if all_marks is not None:
        saturated = all_marks.flag & Flag.SATURATED != 0
        np.fmax.at(highest, all_marks.row[saturated], all_marks.height[saturated])
    return SingleResult(highest)


def runs_of(
    row: Index,
    depth: Array,
    flags: Flags,
    height: Array,
    flag: int,
    value: Array | None = None,
) -> Marks:
    """Return runs of flagged samples of rows, each with its largest `height`, or `value`."""
    joined = np.append(row[1:] == row[:-1], False)  # whether the next is of the same row
    before = np.append(False, joined[:-1])
    begin = np.flatnonzero(flags & ~(before & np.append(False, flags[:-1])))
    end = np.flatnonzero(flags & ~(joined & np.append(flags[1:], False)))
    low = np.where(before[begin], depth[begin - 1], np.nan)
    high = np.where(joined[end], depth[np.minimum(end + 1, depth.size - 1)], np.nan)
    heights = np.append(np.where(flags, height, np.nan), np.nan)
    edges = np.stack([begin, end + 1], axis=1).reshape(-1)
    most = np.fmax.reduceat(heights, edges)[::2] if begin.size else np.empty(0)
    kind = np.full(begin.shape, flag, dtype=np.int16)
    amount = np.where(np.isnan(most), np.inf, most)  # a limit that is not known may be any
    if value is not None:  # a line from neighbour to neighbour stands for what may be nothing
        line = 0.5 * (value[begin - 1] + value[np.minimum(end + 1, value.size - 1)])
        amount = np.fmax(amount, np.where(np.isnan(low + high), 0.0, line))
    return Marks(row[begin], kind, depth[begin], depth[end], low, high, most, amount)


def support(rows: Rows, start: Array, stop: Array, use: Use = "curve") -> Support:
    """Say on what answers about intervals rest, ``(R,)`` or ``(R, m)``; NaN for none.

    Flags count if a sample lies in the interval, gaps and samples below a limit if a curve goes
    across them; of samples in a mean, or each by itself, those below a limit count anyway, and each
    by itself knows of gaps only where a value was made across one.
    """
    flags = np.zeros(start.shape, dtype=np.int16)
    below, hole = np.zeros((2, *start.shape))
    all_marks = marks(rows, rows.samples_in(start, stop)) if start.size else None
    if all_marks is None:
        return Support(flags, below, hole)
    more = (slice(None), *[None] * (start.ndim - 1))
    _, _, first, last, low, high, _, amount = (column[more] for column in all_marks)
    a, b = start[all_marks.row], stop[all_marks.row]
    with np.errstate(invalid="ignore"):
        touched = (first <= b) & (last >= a)
        # At an end of the record there is no neighbour, but what has a value is a part of sums.
        valued = (all_marks.flag & WITHOUT_VALUE == 0)[more]
        low = np.where(valued & np.isnan(low), first, low)
        high = np.where(valued & np.isnan(high), last, high)
        upper, lower = np.minimum(b, high), np.maximum(a, low)
        if use == "record":
            upper = np.where(np.isnan(high) & (b >= low), last, upper)
            lower = np.where(np.isnan(low) & (a <= high), first, lower)
        width = upper - lower
        across = (a > low) & (b < high) if use == "point" else width > 0
    is_gap = (all_marks.flag & GAP != 0)[more]
    is_below = (all_marks.flag & Flag.BELOW_LIMIT != 0)[more]
    relevant = touched if use in ("samples", "mean") else np.where(is_below, across, touched)
    applies = np.where(is_gap, across & (use != "samples"), relevant)
    np.bitwise_or.at(
        flags, all_marks.row, np.where(applies, all_marks.flag[more] & ~WITHOUT_VALUE, 0)
    )
    if use == "samples" and rows.carried_gaps is not None:
        # Neighbours with gaps on both sides were made across one, as by a convolution.
        next_to = np.diff(rows.carried_gaps) == 1
        between_gaps = rows.carried_gaps[1:-1][next_to[1:] & next_to[:-1]]
        samples = np.concatenate([between_gaps, between_gaps + 1])
        row = np.searchsorted(rows.offsets, samples, side="right") - 1
        z = rows.depth_at(samples)[more]
        np.bitwise_or.at(flags, row, np.where((z >= start[row]) & (z <= stop[row]), GAP, 0))
    limited = applies & is_below
    counts = limited & (width > 0)
    np.add.at(below, all_marks.row, np.where(counts, width, 0.0) * np.where(counts, amount, 0.0))
    np.add.at(hole, all_marks.row, np.where(is_gap & (width > 0), width, 0.0))
    return Support(flags, below, hole)


def support_of_points(rows: Rows, at: Array) -> Support:
    """Say on what the curves through the samples rest at depths, (R, m)."""
    return support(rows, at, at, "point")


def flags_from_values(rows: Rows) -> SingleResult:
    """Return the flags of all samples, (R, n), as their values show them."""
    bits = np.zeros(rows.value.size, dtype=np.int16)
    wide = gap_after(rows)
    if wide is not None:
        before = np.flatnonzero(np.broadcast_to(wide, rows.value.shape))
        bits[before] |= Flag.GAP_AFTER
        bits[before + 1] |= Flag.GAP_BEFORE
    cut = saturated(rows)
    if cut is not None:
        bits[cut.reshape(-1)] |= Flag.SATURATED
    unknown = np.full(rows.count, np.nan)
    end = surface_transient(rows, unknown, unknown).end
    for row in np.flatnonzero(end < TRANSIENT.deepest):
        in_row = slice(rows.offsets[row], rows.offsets[row + 1])
        above = rows.depth_at(np.arange(in_row.start, in_row.stop)) < end[row]
        bits[in_row][above] |= Flag.TRANSIENT
    begins, ends = cut_off(rows)
    bits[rows.offsets[:-1][begins]] |= Flag.TRUNCATED
    bits[rows.offsets[1:][ends] - 1] |= Flag.TRUNCATED
    placed = rows.unpacked(bits.reshape(rows.value.shape).astype(np.float64))
    flags = np.nan_to_num(placed).astype(np.int16)
    if wide is not None:  # depths within a gap rest on both of its sides
        sides = ((flags & side != 0).cumsum(axis=1) for side in (Flag.GAP_AFTER, Flag.GAP_BEFORE))
        flags[np.isnan(placed) & (np.subtract(*sides) > 0)] |= np.int16(GAP)
    return SingleResult(flags)


class EvidenceAtPlaces(NamedTuple):
    """Flags and limits of samples made at other places, and which have no value; (R, m)."""

    flags: NDArray[np.int16]
    limit: Array
    blank: Flags


def at_places(
    rows: Rows, lower: Array, upper: Array, *, reach: int = 1, axis: bool = True
) -> EvidenceAtPlaces:
    """Return the flags of values that rest on samples from `lower` to `upper`, (R, m).

    And on `reach` samples to both sides. In gaps, which are sampled again, values have both sides,
    and on an `axis` their neighbours one.
    """
    flags = np.zeros(lower.shape, dtype=np.int16)
    limit, blank = np.full(lower.shape, np.nan), np.zeros(lower.shape, dtype=bool)
    all_marks = marks(rows)
    if all_marks is None:
        return EvidenceAtPlaces(flags, limit, blank)
    packed = rows.packed()
    for row, flag, first, last, low, high, height, _ in zip(*all_marks, strict=True):
        a, b = lower[row], upper[row]
        depth = packed.depth[packed.offsets[row] : packed.offsets[row + 1]]
        tolerance = TOLERANCE * (high - low)
        inside = (b > low + tolerance) & (a < high - tolerance)
        if flag & (GAP | WITHOUT_VALUE):
            blank[row] |= inside
        if flag & GAP:
            flags[row, inside] |= flag
            if axis:
                before, after = np.flatnonzero(b <= low), np.flatnonzero(a >= high)
                flags[row, before[-1:]] |= np.int16(Flag.GAP_AFTER)
                flags[row, after[:1]] |= np.int16(Flag.GAP_BEFORE)
            continue
        if flag == Flag.TRUNCATED:
            if axis and first <= rows.first[row]:
                flags[row, np.flatnonzero(a >= np.fmin(first, rows.begin[row]))[:1]] |= flag
            if axis and last >= rows.last[row]:
                flags[row, np.flatnonzero(b <= np.fmax(last, rows.end[row]))[-1:]] |= flag
            continue
        # A value strictly between two samples depends on both.
        before, after = depth[depth < first][-reach:], depth[depth > last][:reach]
        begin = before[0] if before.size == reach else -np.inf
        end = after[-1] if after.size == reach else np.inf
        overlaps = (b > begin) & (a < end)
        flags[row, overlaps] |= flag & ~WITHOUT_VALUE
        if flag & Flag.BELOW_LIMIT:
            limit[row, overlaps] = np.fmax(limit[row, overlaps], height)
    return EvidenceAtPlaces(flags, limit, blank)
