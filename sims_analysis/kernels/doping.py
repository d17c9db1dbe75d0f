"""Where donors and acceptors balance: metallurgical junctions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.balance import (
    Found,
    Noisy,
    Places,
    Sides,
    answers,
    errors_of_sums,
    in_order,
    sums_of,
)
from sims_analysis.kernels.brackets import Block, Brackets, located_between, of_changes
from sims_analysis.kernels.crossings import NO_DATA, OK, PADDING, find
from sims_analysis.kernels.gaps import number_of
from sims_analysis.kernels.locating import Against
from sims_analysis.kernels.merging import bridged, on_all_depths, samples_around
from sims_analysis.kernels.rows import BLOCK, Rows, blocks, taken
from sims_analysis.kernels.threads import each_block

__all__ = ["Junctions", "metallurgical"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Junctions that are worked on at a time.
_MANY = 1 << 13

#: In place of the number of depths at which a row is known: one of its samples is infinite.
_INFINITE = -1

#: Samples of all species compared at a time.
_PIECE = 2 * BLOCK

#: Why a row has no junction: one type of doping throughout.
NEVER_REACHED = 2


class Junctions(NamedTuple):
    """Junctions of every row, padded to the same number; fields have shape (..., width)."""

    depth: Array
    stderr: Array
    concentration: Array
    #: 1: from n to p with depth; -1: from p to n; 0: none in this place.
    polarity: NDArray[np.int8]
    status: NDArray[np.uint8]


def metallurgical(
    depth: Array,
    value: Array,
    stderr: Array | None,
    sign: Array,
    background: Array | float = 0.0,
    *,
    width: int | None = None,
) -> Junctions:
    """Find the zeros of ``ln(sum N_A / sum N_D)``.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., s, n)
        Axis of all species, or of each.
    value, stderr : ndarray, shape (..., s, n)
        Concentrations of s species.
    sign : ndarray, shape (s,)
        Active fraction of each: positive for acceptors, negative for donors.
    background : float or ndarray, shape (...)
        Constant net doping: positive counts as donors, negative as acceptors.
    width : int, optional
        Number of places a row; by default as many as the row with the most junctions, at least 1.

    Returns
    -------
    Junctions
        Over the depths at which every species was measured. Where a sum is not positive, linear
        in net doping. A row with an infinite sample has no junction, and yet the status of one:
        its caller must refuse it.
    """
    lead, (species, n) = value.shape[:-2], value.shape[-2:]
    rows = int(np.prod(lead, dtype=int))
    values = value.reshape(rows, species, n)
    net = np.broadcast_to(np.asarray(background, float), lead).reshape(rows)
    sigma = None if stderr is None else np.broadcast_to(stderr, value.shape).reshape(values.shape)
    own = depth if depth.ndim == 1 else np.broadcast_to(depth, value.shape).reshape(values.shape)
    samples = np.zeros(rows, dtype=np.intp)
    weight = np.asarray(sign, dtype=np.float64)

    one_axis = depth.ndim == 1 and n > 1

    def work(block: slice) -> Found:
        c = np.ascontiguousarray(values[block], dtype=np.float64)
        errors = None if sigma is None else sigma[block]
        if one_axis:
            found, samples[block] = _on_one_axis(own, c, errors, weight, net[block])
        else:
            z = np.broadcast_to(own if own.ndim == 1 else own[block], c.shape)
            infinite = np.asarray((np.isinf(c) | np.isinf(z)).any(axis=(1, 2)))
            if infinite.any():
                c = np.where(infinite[:, None, None], np.nan, c)
            z = np.ascontiguousarray(z)
            found, samples[block] = _merging(z, c, errors, weight, net[block])
            samples[block][infinite] = _INFINITE
        return found._replace(row=found.row + block.start)

    copied = not (values.flags.c_contiguous and values.dtype == np.float64)
    size = BLOCK if not one_axis else (2 if copied or sigma is not None else 32) * BLOCK
    nanoseconds = (1.0 if one_axis else 50.0) * values.size
    cut = blocks(rows, species * n, size)
    at = in_order(each_block(lambda: work, cut, nanoseconds, 4 << 20, alone=one_axis))
    count = np.bincount(at.row, minlength=rows)
    places = width if width is not None else max(1, int(count.max(initial=0)))
    number = np.arange(at.row.size) - np.repeat(np.cumsum(count) - count, count)
    if number.max(initial=0) >= places:
        at, number = at.take(number < places), number[number < places]
    place = at.row * places + number
    shape = (rows, places)
    columns = {name: np.full(shape, np.nan) for name in ("depth", "stderr", "concentration")}
    for name, column in columns.items():
        column.reshape(-1)[place] = getattr(at, name)
    polarity = np.zeros(shape, dtype=np.int8)
    polarity.reshape(-1)[place] = at.direction
    status = np.full(shape, PADDING, dtype=np.uint8)
    status.reshape(-1)[place] = OK
    known = samples[count == 0]
    why = np.where(known > 0, NEVER_REACHED, NO_DATA)
    status[count == 0, 0] = np.where(known == _INFINITE, OK, why)
    final = (*lead, places)
    return Junctions(
        polarity=polarity.reshape(final),
        status=status.reshape(final),
        **{name: column.reshape(final) for name, column in columns.items()},
    )


def _on_one_axis(
    depth: Array, c: Array, sigma: NDArray[Any] | None, weight: Array, net: Array
) -> tuple[Found, Index]:
    """Find the junctions of a block of rows, and count the depths at which doping is known."""
    rows, species, n = c.shape
    samples = np.full(rows, n)
    at, falling, gaps = _changes(c, weight, net)
    if gaps.any():
        incomplete = np.flatnonzero(gaps)
        for part in blocks(incomplete.size, species * n, 4 * BLOCK):
            where = incomplete[part]
            samples[where], gaps[where] = _common(c[where])
        if sigma is not None:
            gaps[incomplete] = True
        whole = ~gaps[at // n]
        at, falling = at[whole], falling[whole]
    noisy = None if sigma is None else Noisy.of(depth, c, sigma, weight, net)
    tied = np.zeros(rows, dtype=bool)
    listed = [
        _between_neighbours(depth, c, at[part], falling[part], weight, net, noisy, tied)
        for part in _of_whole_rows(at // n, _MANY)
    ]
    on_samples = np.flatnonzero(tied)
    for part in blocks(on_samples.size, species * n):
        where = on_samples[part]
        listed.append(_on_samples(depth, c, where, weight, net, noisy))
    incomplete = np.flatnonzero(gaps)
    for part in blocks(incomplete.size, species * n, 4 * BLOCK):
        where = incomplete[part]
        where = where[samples[where] != _INFINITE]
        if sigma is None:
            more, samples[where] = _across_gaps(depth, c[where], weight, net[where])
        else:
            axes = np.broadcast_to(depth, (where.size, species, n))
            more, samples[where] = _merging(axes, c[where], sigma[where], weight, net[where])
        listed.append(more._replace(row=where[more.row]))
    return in_order(listed), samples


def _changes(c: Array, weight: Array, net: Array) -> tuple[Index, NDArray[Any], NDArray[Any]]:
    """Find the (flat) samples after which the other type of doping prevails.

    Returns
    -------
    at : ndarray of int, shape (K,)
    falling : ndarray of bool, shape (K,)
        Whether acceptors prevailed before.
    gaps : ndarray of bool, shape (R,)
        Rows in which a sample is missing, or infinite.
    """
    rows, species, n = c.shape
    zeros, nothing = np.zeros(n), np.empty((rows, species))
    sides = Sides.of(weight, net)
    above, change = np.empty((2, rows * n), dtype=bool)
    prevail = above.reshape(rows, n)
    for part in blocks(rows, species * n, _PIECE):
        # Zero times NaN is NaN, and so is the sum. The pass also brings all species, in the order
        # in which they lie in memory, to the processor: they are compared before they go.
        np.vecdot(c[part], zeros, out=nothing[part])
        np.greater(*sides.sums(c, part), out=prevail[part])
    return *of_changes(above, change, n), np.asarray(np.isnan(nothing).any(axis=1))


def _common(c: Array) -> tuple[Index, NDArray[Any]]:
    """Count the depths at which all species are known, and tell where some lack samples between.

    The number is that of `_INFINITE` where a sample is infinite, and an upper bound where species
    lack samples between others.
    """
    n = c.shape[-1]
    missing = np.isnan(c)
    before, after = missing.argmin(axis=2), missing[:, :, ::-1].argmin(axis=2)
    number = np.maximum(n - before.max(axis=1) - after.max(axis=1), 0)
    number[np.isinf(c).any(axis=(1, 2))] = _INFINITE
    between = number_of(missing.reshape(-1, n)).reshape(before.shape) != before + after
    return number, between.any(axis=1) | (number == _INFINITE)


def _of_whole_rows(row: Index, many: int) -> Iterator[slice]:
    """Cut what is in order of row into parts of at most `many`, or one row."""
    begin = 0
    while begin < row.size:
        end = begin + many
        if end < row.size:
            end = int(np.searchsorted(row, row[end]))
            if end <= begin:
                end = int(np.searchsorted(row, row[begin], side="right"))
        yield slice(begin, end)
        begin = end


def _between_neighbours(
    depth: Array,
    c: Array,
    at: Index,
    falling: NDArray[Any],
    weight: Array,
    net: Array,
    noisy: Noisy | None,
    tied: NDArray[Any],
) -> Found:
    """Locate junctions between a sample and the next.

    Where a species begins or ends there is none. Rows in which acceptors and donors are equal on a
    sample beside one of `at` are left out, and marked in `tied`.
    """
    _, species, n = c.shape
    row = at // n
    before = at - row * n
    # Each species by itself: logarithms of what lies end to end take half the time.
    index = at + row * ((species - 1) * n) + (np.arange(species) * n)[:, None]
    ends = c.take(index).T, c.take(index + 1).T
    sums = [[side[:, 0] for side in sums_of(end[:, :, None], weight, net[row])] for end in ends]
    # What does not prevail on one side prevails on the other, or both are equal.
    lower = [np.where(falling, two, one) for one, two in zip(*sums, strict=True)]
    clear = lower[0] < lower[1]
    if not clear.all():
        tied[row[lower[0] == lower[1]]] = True
        kept = clear & ~tied[row]
        row, before, falling = row[kept], before[kept], falling[kept]
        ends = ends[0][kept], ends[1][kept]
        sums = [[side[kept] for side in end] for end in sums]
    (a0, d0), (a1, d1) = sums
    here, place, _ = located_between(a0, a1, d0, d1, depth[before], depth[before + 1])
    places = Places(row, here, np.where(falling, -1, 1))
    stderr = None if noisy is None else noisy.half_widths(places, row * n + before)
    return answers(places, ends, place[:, None], weight, net, stderr)


def _on_samples(
    depth: Array, c: Array, where: Index, weight: Array, net: Array, noisy: Noisy | None
) -> Found:
    """Find the junctions of some rows, in which acceptors and donors are equal on samples."""
    _, species, n = c.shape
    acceptors, donors = sums_of(c[where], weight, net[where])
    found = Block(depth, acceptors - donors, np.zeros(where.size)).brackets()
    places = _places(depth, found, acceptors, donors)
    first = np.where(found.on >= 0, found.on, found.before)
    z0, z1 = depth[first], depth[first + 1]
    index = (where[found.row] * (species * n) + first)[:, None] + np.arange(species) * n
    ends = c.take(index), c.take(index + 1)
    row = where[found.row]
    places = places._replace(row=row)
    stderr = None if noisy is None else noisy.half_widths(places, row * n + first)
    t = (places.depth - z0) / (z1 - z0)
    return answers(places, ends, t[:, None], weight, net, stderr)


def _across_gaps(depth: Array, c: Array, weight: Array, net: Array) -> tuple[Found, Index]:
    """Find the junctions of rows in which samples are missing; `c` is written over."""
    missing = np.isnan(c)
    acceptors, donors = sums_of(bridged(depth, c, missing), weight, net)
    doping = acceptors - donors
    found = Block(depth, doping, np.zeros(len(c))).brackets()
    places = _places(depth, found, acceptors, donors)
    measured = doping == doping  # noqa: PLR0124  # False for NaN alone, and faster than isnan
    known = number_of(measured).astype(np.intp)
    row, before, after, on, _ = found
    ends = c[row, :, before], c[row, :, after]
    t = (places.depth - depth[before]) / (depth[after] - depth[before])
    t = np.repeat(t[:, None], c.shape[1], axis=1)
    # Species that were not measured on both samples have others around.
    lacking = missing[row, :, before] | missing[row, :, after]
    far = np.flatnonzero((on >= 0) | lacking.any(axis=1))
    if far.size:
        rows, line = np.unique(row[far], return_inverse=True)
        others = Places(line, places.depth[far], places.direction[far])
        as_measured = np.where(missing[rows], np.nan, c[rows])
        (ends[0][far], ends[1][far]), t[far] = _around(depth, as_measured, others)
    return answers(places, ends, t, weight, net, None), known


def _places(depth: Array, found: Brackets, acceptors: Array, donors: Array) -> Places:
    """Locate balances of acceptors and donors ``(R, n)``."""
    row, before, after, on, falling = found
    first = row * depth.size
    ends = first + before, first + after
    a0, a1, d0, d1 = (taken(side, end) for side in (acceptors, donors) for end in ends)
    here, _, _ = located_between(a0, a1, d0, d1, depth[before], depth[after])
    return Places(row, np.where(on >= 0, depth[on], here), np.where(falling, -1, 1))


def _around(depth: Array, c: Array, at: Places) -> tuple[tuple[Array, Array], Array]:
    """Give every species on its own two samples around each junction, and the place between."""
    n = c.shape[-1]
    around = samples_around(depth, c, at.row, at.depth)
    z0, z1 = (depth[j % n] if depth.ndim == 1 else depth.take(j) for j in around)
    # A junction on the last sample of a species has no segment, and needs none.
    t = (at.depth[:, None] - z0) / np.where(z1 > z0, z1 - z0, 1.0)
    return (c.take(around[0]), c.take(around[1])), t


def _merging(
    depth: Array, c: Array, sigma: Array | None, weight: Array, net: Array
) -> tuple[Found, Index]:
    """Find the junctions of rows whose species were not all measured at the same depths."""
    rows = len(c)
    z, merged, start = on_all_depths(depth, c)
    row = np.repeat(np.arange(rows), np.diff(start))
    sums = [side[:, 0] for side in sums_of(merged.T[:, :, None], weight, net[row])]
    known = ~np.isnan(sums[0] + sums[1])
    acceptors, donors = (side[known] for side in sums)
    laid = Rows(z[known], acceptors, np.searchsorted(np.flatnonzero(known), start))
    found = find(laid, donors)
    places = Places(found.row, found.depth, found.direction)
    stderr = None
    if sigma is not None and found.row.size:
        errors = [side[known, 0] for side in _merged_errors(depth, c, sigma, weight, start)]
        noisy = Noisy(laid, errors[0], Against(donors, errors[1]))
        on_sample = found.after - found.before > 1
        stderr = noisy.half_widths(places, found.before + on_sample)
    return answers(places, *_around(depth, c, places), weight, net, stderr), laid.size


def _merged_errors(
    depth: Array, c: Array, sigma: Array, weight: Array, start: Index
) -> list[Array]:
    """Give the standard errors of acceptors and donors at every depth of every row.

    A species says no more at all depths than it does at its own: its variances grow as it is
    told more often.
    """
    measured = ~(np.isnan(c) | np.isnan(depth))
    # What was measured without an error says nothing, nor does what lies between it and the next
    # sample; its depth is one of all the same.
    errors = np.where(measured & np.isnan(sigma), np.inf, np.where(measured, sigma, np.nan))
    row = np.repeat(np.arange(len(c)), np.diff(start))
    often = np.diff(start)[:, None] / np.maximum(measured.sum(axis=2), 1)
    between_samples = on_all_depths(depth, errors)[1].T * np.sqrt(often[row])
    between_samples[np.isinf(between_samples)] = np.nan
    return errors_of_sums(between_samples[:, :, None], weight)
