"""Where donors and acceptors balance: metallurgical junctions."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.brackets import Block, place_between
from sims_analysis.kernels.crossings import NO_DATA, OK, PADDING, find
from sims_analysis.kernels.interpolation import between
from sims_analysis.kernels.merging import bridged, on_all_depths, samples_around
from sims_analysis.kernels.rows import BLOCK, Rows, blocks
from sims_analysis.kernels.threads import each_block

__all__ = ["Junctions", "metallurgical"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

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

    def work(block: slice) -> _Found:
        c = np.ascontiguousarray(values[block], dtype=np.float64)
        z = own if own.ndim == 1 else np.ascontiguousarray(own[block], dtype=np.float64)
        s = None if sigma is None else sigma[block]
        found, samples[block] = _in_block(z, c, s, weight, net[block])
        return found._replace(row=found.row + block.start)

    # Where axes differ, each species is put on the axes of all.
    size = 4 * BLOCK if depth.ndim == 1 else BLOCK
    cost = 1.0 if depth.ndim == 1 else 50.0
    cut = blocks(rows, species * n, size)
    parts = each_block(lambda: work, cut, cost * values.size, 4 << 20)
    at = _Found(*map(np.concatenate, zip(*parts, strict=True))) if parts else _NOTHING
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


def _in_block(
    depth: Array, c: Array, sigma: Array | None, weight: Array, net: Array
) -> tuple[_Found, Index]:
    """Find the junctions of a block of rows, and count the depths at which doping is known."""
    rows, species, n = c.shape
    if depth.ndim > 1 or n < 2:
        return _merging(np.broadcast_to(depth, c.shape), c, sigma, weight, net)
    acceptors, donors = _sums(c, weight, net)
    doping = acceptors - donors
    samples = np.full(rows, n)
    # Zero times NaN is NaN, and so is the sum.
    holes = np.flatnonzero(np.isnan(np.vecdot(doping, np.zeros(n))))
    if holes.size:
        acceptors, donors = acceptors.copy(), donors.copy()
        for part in blocks(holes.size, species * n):
            some = holes[part]
            a, d = _sums(bridged(depth, c[some]), weight, net[some])
            acceptors[some], donors[some], doping[some] = a, d, a - d
            samples[some] = np.count_nonzero(~np.isnan(doping[some]), axis=1)
    found = Block(depth, doping, np.zeros(rows)).brackets()
    row = found.row
    a, d = ((x[row, found.before], x[row, found.after]) for x in (acceptors, donors))
    z0 = depth[found.before]
    width = depth[found.after] - z0
    place, decay = place_between(*a, *d, width)
    on = found.on >= 0
    at = np.where(on, depth[found.on], z0 + place * width)
    # The samples of each species: those beside the balance, or on it and after.
    before = (row * species * n + np.where(on, found.on, found.before))[:, None]
    before, after = before + np.arange(species) * n, before + np.arange(species) * n + 1
    if holes.size:
        some = np.flatnonzero(np.isin(row, holes))
        before[some], after[some] = samples_around(depth, c, row[some], at[some])
    places = _Places(row, at, decay, np.where(found.falling, -1, 1))
    return _answers(places, depth, c, sigma, (before, after), weight, net), samples


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


def _answers(
    at: _Places,
    depth: Array,
    c: Array,
    sigma: Array | None,
    around: tuple[Index, Index],
    weight: Array,
    net: Array,
) -> _Found:
    """Evaluate every species at the junctions, each between its own two samples.

    `around` are the (flat) samples before and after of each junction and species.
    """
    n = c.shape[-1]
    before, after = around
    z0, z1 = (depth[j % n] if depth.ndim == 1 else depth.take(j) for j in around)
    # A junction on the last sample of a species has no segment, and needs none.
    t = (at.depth[:, None] - z0) / np.where(z1 > z0, z1 - z0, 1.0)
    c0, c1 = c.take(before), c.take(after)
    of_species = between(c0, c1, t, log=True)[0][:, :, None]
    total = _sums(of_species, weight, net[at.row])[0][:, 0]
    stderr = np.full(at.depth.shape, np.nan)
    if sigma is not None:
        which = np.arange(c.shape[1])
        s0, s1 = (sigma[at.row[:, None], which, j % n].astype(np.float64) for j in around)
        relative = _relative(c0, c1, s0, s1, t)[:, :, None]
        spread = _stderr_of_sums(of_species, relative, weight[:, None], net[at.row][:, None])
        stderr = at.decay_length * spread[:, 0]
    return _Found(at.row, at.depth, stderr, total, at.direction.astype(np.int8))


def _merging(
    depth: Array, c: Array, sigma: Array | None, weight: Array, net: Array
) -> tuple[_Found, Index]:
    """Find the junctions of rows whose species were not all measured at the same depths."""
    rows, species, n = c.shape
    z, merged, start = on_all_depths(depth, c)
    row = np.repeat(np.arange(rows), np.diff(start))
    sums = [side[:, 0] for side in _sums(merged.T[:, :, None], weight, net[row])]
    known = ~np.isnan(sums[0] + sums[1])
    acceptors, donors = (side[known] for side in sums)
    start = np.searchsorted(np.flatnonzero(known), start)
    laid = Rows(z[known], acceptors, start)
    found = find(laid, donors)
    around = samples_around(depth, c, found.row, found.depth)
    places = _Places(found.row, found.depth, found.decay_length, found.direction)
    return _answers(places, depth, c, sigma, around, weight, net), laid.size


def _stderr_of_sums(at_junction: Array, relative: Array, weight: Array, net: Array) -> Array:
    share = (weight * at_junction * relative) ** 2
    acceptors = (at_junction * np.maximum(weight, 0)).sum(axis=1) + np.maximum(-net, 0)
    donors = (at_junction * np.maximum(-weight, 0)).sum(axis=1) + np.maximum(net, 0)
    of_acceptors = np.where(weight > 0, share, 0.0).sum(axis=1) / acceptors**2
    of_donors = np.where(weight < 0, share, 0.0).sum(axis=1) / donors**2
    total: Array = np.sqrt(of_acceptors + of_donors)
    return total


def _relative(c0: Array, c1: Array, s0: Array, s1: Array, t: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = np.hypot((1 - t) * s0 / c0, t * s1 / c1)
    return found
