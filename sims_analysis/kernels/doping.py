"""Where donors and acceptors balance: metallurgical junctions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.brackets import Block, Brackets, place_between
from sims_analysis.kernels.crossings import NO_DATA, OK, PADDING, find
from sims_analysis.kernels.interpolation import between
from sims_analysis.kernels.locating import Against, half_widths
from sims_analysis.kernels.merging import bridged, on_all_depths, samples_around
from sims_analysis.kernels.rows import BLOCK, Rows, blocks
from sims_analysis.kernels.threads import each_block

__all__ = ["Junctions", "metallurgical"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

#: Junctions that are worked on at a time.
_MANY = 1 << 13

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
        in net doping.
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

    def work(block: slice) -> _Found:
        c = np.ascontiguousarray(values[block], dtype=np.float64)
        z = own
        if not one_axis:
            z = np.ascontiguousarray(np.broadcast_to(own if own.ndim == 1 else own[block], c.shape))
        errors = None if sigma is None else sigma[block]
        kernel = _on_one_axis if one_axis else _merging
        found, samples[block] = kernel(z, c, errors, weight, net[block])
        return found._replace(row=found.row + block.start)

    copied = not (values.flags.c_contiguous and values.dtype == np.float64)
    size = BLOCK if not one_axis else (2 if copied or sigma is not None else 16) * BLOCK
    nanoseconds = (1.0 if one_axis else 50.0) * values.size
    cut = blocks(rows, species * n, size)
    at = _joined(each_block(lambda: work, cut, nanoseconds, 4 << 20, alone=one_axis))
    count = np.bincount(at.row, minlength=rows)
    places = width if width is not None else max(1, int(count.max(initial=0)))
    number = np.arange(at.row.size) - np.repeat(np.cumsum(count) - count, count)
    kept = number < places
    place = at.row[kept], number[kept]
    shape = (rows, places)
    columns = {name: np.full(shape, np.nan) for name in ("depth", "stderr", "concentration")}
    for name, column in columns.items():
        column[place] = getattr(at, name)[kept]
    polarity = np.zeros(shape, dtype=np.int8)
    polarity[place] = at.direction[kept]
    status = np.full(shape, PADDING, dtype=np.uint8)
    status[place] = OK
    status[count == 0, 0] = np.where(samples[count == 0] > 0, NEVER_REACHED, NO_DATA)
    final = (*lead, places)
    return Junctions(
        polarity=polarity.reshape(final),
        status=status.reshape(final),
        **{name: column.reshape(final) for name, column in columns.items()},
    )


class _Found(NamedTuple):
    """Junctions in order of row and depth; every field has shape (K,)."""

    row: Index
    depth: Array
    stderr: Array
    concentration: Array
    direction: NDArray[np.int8]


_NOTHING = _Found(np.zeros(0, np.intp), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, np.int8))


def _on_one_axis(
    depth: Array, c: Array, sigma: NDArray[Any] | None, weight: Array, net: Array
) -> tuple[_Found, Index]:
    """Find the junctions of a block of rows, and count the depths at which doping is known."""
    rows, species, n = c.shape
    samples = np.full(rows, n)
    found, holes = _balances(depth, c, weight, net)
    first = np.arange(species) * n
    noisy = None if sigma is None else _Noisy.of(depth, c, sigma, weight, net)
    listed = []
    for part in blocks(found.row.size, 1, _MANY):
        some = found.take(part)
        row, on = some.row, some.on >= 0
        begin = (row * species * n)[:, None] + first
        i, j = some.before[:, None], some.after[:, None]
        before, after = (
            [side[:, 0] for side in _sums(c.take(begin + k)[:, :, None], weight, net[row])]
            for k in (i, j)
        )
        places = _places(depth, some, before, after)
        i = np.where(on[:, None], some.on[:, None], i)
        stderr = None if noisy is None else noisy.half_widths(places, row * n + i[:, 0])
        listed.append(_answers(places, depth, c, (begin + i, begin + i + 1), weight, net, stderr))
    for part in blocks(holes.size, species * n):
        where = holes[part]
        if sigma is None:
            more, samples[where] = _across_gaps(depth, c[where], weight, net[where])
        else:
            axes = np.broadcast_to(depth, (where.size, species, n))
            more, samples[where] = _merging(axes, c[where], sigma[where], weight, net[where])
        listed.append(more._replace(row=where[more.row]))
    return _joined(listed), samples


def _balances(depth: Array, c: Array, weight: Array, net: Array) -> tuple[Brackets, Index]:
    """Bracket the junctions of rows in which nothing is missing, and tell the others."""
    rows, species, n = c.shape
    scratch = np.empty((min(rows, max(1, 4 * BLOCK // (species * n))), n))
    zeros = np.zeros((2, max(n, rows)))
    found, holes = [], []
    for part in blocks(rows, species * n, 4 * BLOCK):
        acceptors, donors = _sums(c[part], weight, net[part])
        doping = np.subtract(acceptors, donors, out=scratch[: len(acceptors)])
        # Zero times NaN is NaN, and so is the sum.
        missing = np.isnan(np.vecdot(doping, zeros[0, :n]))
        some = Block(depth, doping, zeros[1, : len(doping)]).brackets()
        if missing.any():
            holes.append(part.start + np.flatnonzero(missing))
            some = some.take(~missing[some.row])
        found.append(some._replace(row=some.row + part.start))
    return (
        found[0] if len(found) == 1 else Brackets(*map(np.concatenate, zip(*found, strict=True))),
        np.concatenate(holes) if holes else np.zeros(0, dtype=np.intp),
    )


def _across_gaps(depth: Array, c: Array, weight: Array, net: Array) -> tuple[_Found, Index]:
    """Find the junctions of rows in which samples are missing."""
    acceptors, donors = _sums(bridged(depth, c.copy()), weight, net)
    doping = acceptors - donors
    found = Block(depth, doping, np.zeros(len(c))).brackets()
    row = found.row
    before, after = ((acceptors[row, k], donors[row, k]) for k in (found.before, found.after))
    places = _places(depth, found, before, after)
    around = samples_around(depth, c, row, places.depth)
    known = np.count_nonzero(~np.isnan(doping), axis=1)
    return _answers(places, depth, c, around, weight, net, None), known


def _places(
    depth: Array, found: Brackets, before: Sequence[Array], after: Sequence[Array]
) -> _Places:
    """Locate balances between acceptors and donors `before` and `after` each."""
    z0 = depth[found.before]
    width = depth[found.after] - z0
    place, decay = place_between(before[0], after[0], before[1], after[1], width)
    at = np.where(found.on >= 0, depth[found.on], z0 + place * width)
    return _Places(found.row, at, decay, np.where(found.falling, -1, 1))


def _joined(parts: list[_Found]) -> _Found:
    """Put junctions of several blocks in order of row."""
    if len(parts) < 2:
        return parts[0] if parts else _NOTHING
    joined = [np.concatenate(columns) for columns in zip(*parts, strict=True)]
    order = np.argsort(joined[0], kind="stable")
    return _Found(*(column[order] for column in joined))


def _sums(c: Array, weight: Array, net: Array) -> tuple[Array, Array]:
    """Sum acceptors and donors over the species of ``(R, s, n)``."""
    return (
        _sum(c, np.maximum(weight, 0.0), np.maximum(-net, 0.0)),
        _sum(c, np.maximum(-weight, 0.0), np.maximum(net, 0.0)),
    )


def _sum(c: Array, active: Array, background: Array) -> Array:
    which = np.flatnonzero(active)
    some = bool(background.any())
    if which.size == 1 and active[which[0]] == 1.0 and not some:
        return c[:, which[0]]  # nothing to add, nothing to copy
    total = np.zeros((c.shape[0], c.shape[2]))
    for species in which:
        one = active[species] == 1.0
        total += c[:, species] if one else c[:, species] * active[species]
    if some:
        total += background[:, None]
    return total


class _Places(NamedTuple):
    """Balances of acceptors and donors; every field has shape (K,)."""

    row: Index
    depth: Array
    decay_length: Array
    direction: NDArray[Any]


class _Noisy(NamedTuple):
    """Acceptors and donors at every depth, row after row, with their standard errors."""

    acceptors: Rows
    stderr: Array
    donors: Against

    @classmethod
    def of(cls, depth: Array, c: Array, sigma: NDArray[Any], weight: Array, net: Array) -> _Noisy:
        """Add up species ``(R, s, n)`` on one axis."""
        sums = [side.reshape(-1) for side in _sums(c, weight, net)]
        errors = [side.reshape(-1) for side in _errors_of_sums(sigma, weight)]
        start = np.arange(len(c) + 1) * depth.size
        laid = Rows(np.tile(depth, len(c)), sums[0], start)
        return cls(laid, errors[0], Against(sums[1], errors[1]))

    def half_widths(self, at: _Places, before: Index) -> Array:
        """Give the half-width of the 68 % interval about each balance."""
        rows, falling = self.acceptors, at.direction < 0
        return half_widths(rows, self.stderr, self.donors, at.row, before, at.depth, falling)


def _errors_of_sums(sigma: NDArray[Any], weight: Array) -> list[Array]:
    """Give the standard errors of acceptors and donors: errors of species are independent."""
    variance = np.square(sigma, dtype=np.float64)
    none = np.zeros(len(sigma))
    return [np.sqrt(side) for side in _sums(variance, weight * np.abs(weight), none)]


def _answers(
    at: _Places,
    depth: Array,
    c: Array,
    around: tuple[Index, Index],
    weight: Array,
    net: Array,
    stderr: Array | None,
) -> _Found:
    """Evaluate every species at the junctions, each between its own two samples.

    `around` are the (flat) samples before and after of each junction and species.
    """
    n = c.shape[-1]
    before, after = around
    z0, z1 = (depth[j % n] if depth.ndim == 1 else depth.take(j) for j in around)
    # A junction on the last sample of a species has no segment, and needs none.
    t = (at.depth[:, None] - z0) / np.where(z1 > z0, z1 - z0, 1.0)
    of_species = between(c.take(before), c.take(after), t, log=True)[0][:, :, None]
    total = _sums(of_species, weight, net[at.row])[0][:, 0]
    if stderr is None:
        stderr = np.full(at.depth.shape, np.nan)
    return _Found(at.row, at.depth, stderr, total, at.direction.astype(np.int8))


def _merging(
    depth: Array, c: Array, sigma: Array | None, weight: Array, net: Array
) -> tuple[_Found, Index]:
    """Find the junctions of rows whose species were not all measured at the same depths."""
    rows = len(c)
    z, merged, start = on_all_depths(depth, c)
    row = np.repeat(np.arange(rows), np.diff(start))
    sums = [side[:, 0] for side in _sums(merged.T[:, :, None], weight, net[row])]
    known = ~np.isnan(sums[0] + sums[1])
    acceptors, donors = (side[known] for side in sums)
    laid = Rows(z[known], acceptors, np.searchsorted(np.flatnonzero(known), start))
    found = find(laid, donors)
    around = samples_around(depth, c, found.row, found.depth)
    places = _Places(found.row, found.depth, found.decay_length, found.direction)
    stderr = None
    if sigma is not None and found.row.size:
        errors = [side[known, 0] for side in _merged_errors(depth, c, sigma, weight, start)]
        noisy = _Noisy(laid, errors[0], Against(donors, errors[1]))
        on_sample = found.after - found.before > 1
        stderr = noisy.half_widths(places, found.before + on_sample)
    return _answers(places, depth, c, around, weight, net, stderr), laid.size


def _merged_errors(
    depth: Array, c: Array, sigma: Array, weight: Array, start: Index
) -> list[Array]:
    """Give the standard errors of acceptors and donors at every depth of every row.

    A species says no more at all depths than it does at its own: its variances grow as it is
    told more often.
    """
    measured = ~(np.isnan(c) | np.isnan(depth))
    # What was measured without an error says nothing; its depth is one of all the same.
    errors = np.where(measured & np.isnan(sigma), 1e100, np.where(measured, sigma, np.nan))
    row = np.repeat(np.arange(len(c)), np.diff(start))
    often = np.diff(start)[:, None] / np.maximum(measured.sum(axis=2), 1)
    between_samples = on_all_depths(depth, errors)[1].T * np.sqrt(often[row])
    return _errors_of_sums(between_samples[:, :, None], weight)
