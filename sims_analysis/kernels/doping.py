"""Where donors and acceptors balance: metallurgical junctions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.crossings import NO_DATA, OK, PADDING, find
from sims_analysis.kernels.interpolation import between, interpolate
from sims_analysis.kernels.rows import BLOCK, Rows, blocks, compress

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
    net = np.broadcast_to(np.asarray(background, float), lead).reshape(rows, 1)
    sigma = None if stderr is None else np.broadcast_to(stderr, value.shape).reshape(values.shape)
    own = depth if depth.ndim == 1 else np.broadcast_to(depth, value.shape).reshape(values.shape)
    samples = np.zeros(rows, dtype=np.intp)
    if depth.ndim == 1 and n > 1:
        found, rest = _on_one_axis(own, values, sigma, np.asarray(sign), net)
        samples[:] = n
    else:
        found, rest = [], np.arange(rows)
    if rest.size:
        found.append(
            _merging(
                own if own.ndim == 1 else own[rest],
                values[rest],
                None if sigma is None else sigma[rest],
                np.asarray(sign)[:, None],
                net[rest],
                samples,
                rest,
            )
        )
    at = _Found._make(map(np.concatenate, zip(*found, strict=True))) if found else _NOTHING
    if len(found) > 1:
        order = np.argsort(at.row, kind="stable")
        at = _Found._make(column[order] for column in at)
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
    depth: Array, values: Array, sigma: Array | None, sign: Array, net: Array
) -> tuple[list[_Found], Index]:
    """Find the junctions of rows whose species were measured at every depth: nothing to merge.

    Returns
    -------
    found : list of _Found
        Of blocks of rows.
    rest : ndarray of int
        Rows with samples that were not measured.
    """
    found, rest = [], []
    rows, species, n = values.shape
    axes = np.zeros(0)
    for block in blocks(rows, species * n, 4 * BLOCK):
        c = np.ascontiguousarray(values[block], dtype=np.float64)
        acceptors, donors = _sums(c, sign[:, None], net[block])
        missing = np.isnan(acceptors.sum(axis=1) + donors.sum(axis=1))
        rest.append(block.start + np.flatnonzero(missing))
        acceptors[missing], donors[missing] = 0.0, 0.0  # neither above the other anywhere
        start = np.arange(0, acceptors.size + 1, n)
        if axes.size != acceptors.size:
            axes = np.tile(depth, len(c))
        laid = Rows(axes, acceptors.reshape(-1), start)
        crossing = find(laid, donors.reshape(-1))
        row, at = crossing.row, crossing.depth
        i = np.clip(np.searchsorted(depth, at, side="right") - 1, 0, n - 2)
        t = (at - depth[i]) / (depth[i + 1] - depth[i])
        c0, c1 = c[row, :, i], c[row, :, i + 1]
        of_species = between(c0, c1, t[:, None], log=True)[0]
        stderr = np.full(at.shape, np.nan)
        if sigma is not None:
            s0, s1 = (sigma[block.start + row, :, j].astype(np.float64) for j in (i, i + 1))
            relative = _relative(c0, c1, s0, s1, t[:, None])
            spread = _stderr_of_sums(
                of_species[:, :, None], relative[:, :, None], sign[:, None], net[block][row]
            )
            stderr = crossing.decay_length * spread[:, 0]
        total = _sums(of_species[:, :, None], sign[:, None], net[block][row])[0][:, 0]
        found.append(_Found(block.start + row, at, stderr, total, crossing.direction))
    return found, np.concatenate(rest) if rest else np.zeros(0, dtype=np.intp)


def _sums(c: Array, weight: Array, net: Array) -> tuple[Array, Array]:
    """Sum acceptors and donors over the species of ``(R, s, n)``."""
    acceptors = np.zeros((c.shape[0], c.shape[2]))
    donors = np.zeros_like(acceptors)
    for which, active in enumerate(weight[:, 0]):
        side = acceptors if active > 0 else donors
        side += c[:, which] if abs(active) == 1.0 else c[:, which] * abs(active)
    acceptors += np.maximum(-net, 0.0)
    donors += np.maximum(net, 0.0)
    return acceptors, donors


def _merging(
    own: Array,
    values: Array,
    sigma: Array | None,
    weight: Array,
    net: Array,
    samples: Index,
    rest: Index,
) -> _Found:
    """Find the junctions of rows whose species were measured at depths of their own."""
    rows, species = values.shape[:2]
    at = _merged(own, values)
    everywhere = np.broadcast_to(at[:, None, :], (rows, species, at.shape[-1]))
    merged, _ = interpolate(own, values, everywhere, method="log")
    acceptors, donors = _sums(merged, weight, net)
    acceptors[np.isnan(donors)] = np.nan
    laid = compress(at, acceptors)
    level = compress(at, np.where(np.isnan(acceptors), np.nan, donors)).value
    found = find(laid, level)
    samples[rest] = laid.size
    count = np.bincount(found.row, minlength=rows)
    number = np.arange(found.row.size) - np.repeat(np.cumsum(count) - count, count)
    places = np.full((rows, max(1, int(count.max(initial=0)))), np.nan)
    places[found.row, number] = found.depth
    at_junction = _at(places, own, values)
    total = _sums(at_junction, weight, net)[0][found.row, number]
    stderr = np.full(total.shape, np.nan)
    if sigma is not None:
        spread = _stderr_of_logs(places, own, values, sigma, weight, net, at_junction)
        stderr = found.decay_length * spread[found.row, number]
    return _Found(rest[found.row], found.depth, stderr, total, found.direction)


def _merged(depth: Array, values: Array) -> Array:
    """Give, for each row, every depth at which any of its species was sampled; NaN at the end."""
    rows = values.shape[0]
    own = np.broadcast_to(
        depth if depth.ndim == 1 else depth.reshape(-1, *values.shape[1:]), values.shape
    )
    at = np.where(np.isnan(values), np.nan, own).reshape(rows, -1)
    at = np.sort(at, axis=1)
    at[:, 1:][at[:, 1:] == at[:, :-1]] = np.nan
    at = np.sort(at, axis=1)
    longest = int((~np.isnan(at)).sum(axis=1).max(initial=0))
    return at[:, : max(longest, 1)]


def _at(places: Array, own: Array, values: Array) -> Array:
    where = np.broadcast_to(places[:, None, :], (*values.shape[:2], places.shape[-1]))
    return interpolate(own, values, where, method="log")[0]


def _stderr_of_logs(
    places: Array,
    own: Array,
    values: Array,
    sigma: Array,
    weight: Array,
    net: Array,
    at_junction: Array,
) -> Array:
    """Give the standard error of ln(N_A / N_D) at the junctions.

    Each species from its own two samples.

    Of the logarithm of one species between two samples: ``hypot((1 - t) s0 / c0, t s1 / c1)``;
    of the logarithm of a sum, each weighted by its share.
    """
    rows, species, _ = values.shape
    relative = np.full(at_junction.shape, np.nan)
    for row in range(rows):
        for which in range(species):
            samples = compress(
                own if own.ndim == 1 else own[row, which : which + 1], values[row, which][None]
            )
            errors = sigma[row, which][~_absent(own, values, row, which)]
            relative[row, which] = _relative_at(places[row], samples, errors)
    return _stderr_of_sums(at_junction, relative, weight, net)


def _stderr_of_sums(at_junction: Array, relative: Array, weight: Array, net: Array) -> Array:
    share = (weight * at_junction * relative) ** 2
    acceptors = (at_junction * np.maximum(weight, 0)).sum(axis=1) + np.maximum(-net, 0)
    donors = (at_junction * np.maximum(-weight, 0)).sum(axis=1) + np.maximum(net, 0)
    of_acceptors = np.where(weight > 0, share, 0.0).sum(axis=1) / acceptors**2
    of_donors = np.where(weight < 0, share, 0.0).sum(axis=1) / donors**2
    total: Array = np.sqrt(of_acceptors + of_donors)
    return total


def _absent(own: Array, values: Array, row: int, which: int) -> NDArray[np.bool_]:
    absent: NDArray[np.bool_] = np.isnan(values[row, which])
    if own.ndim > 1:
        absent = absent | np.isnan(own[row, which])
    return absent


def _relative_at(places: Array, samples: Rows, errors: Array) -> Array:
    z, c = samples.depth, samples.value
    result = np.full(places.shape, np.nan)
    inside = (places >= z[0]) & (places <= z[-1]) if z.size > 1 else np.zeros(places.shape, bool)
    if inside.any():
        i = np.clip(np.searchsorted(z, places[inside], side="right") - 1, 0, z.size - 2)
        t = (places[inside] - z[i]) / (z[i + 1] - z[i])
        result[inside] = _relative(c[i], c[i + 1], errors[i], errors[i + 1], t)
    return result


def _relative(c0: Array, c1: Array, s0: Array, s1: Array, t: Array) -> Array:
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Array = np.hypot((1 - t) * s0 / c0, t * s1 / c1)
    return found
