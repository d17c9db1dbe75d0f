"""Where donors and acceptors balance: metallurgical junctions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.crossings import NO_DATA, OK, PADDING, find
from sims_analysis.kernels.interpolation import interpolate
from sims_analysis.kernels.rows import Rows, compress

__all__ = ["Junctions", "metallurgical"]

Array = NDArray[np.float64]

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
    at = _merged(depth, values)
    own = depth if depth.ndim == 1 else np.broadcast_to(depth, value.shape).reshape(values.shape)
    everywhere = np.broadcast_to(at[:, None, :], (rows, species, at.shape[-1]))
    merged, _ = interpolate(own, values, everywhere, method="log")
    net = np.broadcast_to(np.asarray(background, float), lead).reshape(rows, 1)
    weight = np.asarray(sign)[:, None]
    acceptors = (merged * np.maximum(weight, 0.0)).sum(axis=1) + np.maximum(-net, 0.0)
    donors = (merged * np.maximum(-weight, 0.0)).sum(axis=1) + np.maximum(net, 0.0)

    laid = compress(at, acceptors)
    level = compress(at, np.where(np.isnan(acceptors), np.nan, donors)).value
    found = find(laid, level)
    count = np.bincount(found.row, minlength=rows)
    places = width if width is not None else max(1, int(count.max(initial=0)))
    number = np.arange(found.row.size) - np.repeat(np.cumsum(count) - count, count)
    kept = number < places
    place = found.row[kept], number[kept]
    shape = (rows, places)
    columns = {name: np.full(shape, np.nan) for name in ("depth", "stderr", "concentration")}
    columns["depth"][place] = found.depth[kept]
    at_junction = _at(columns["depth"], own, values)
    columns["concentration"] = (at_junction * np.maximum(weight, 0.0)).sum(axis=1) + np.maximum(
        -net, 0.0
    )
    if stderr is not None:
        slope = np.full(shape, np.nan)
        slope[place] = found.decay_length[kept]
        sigma = np.broadcast_to(stderr, value.shape).reshape(values.shape)
        columns["stderr"] = slope * _stderr_of_logs(
            columns["depth"], own, values, sigma, weight, net, at_junction
        )
    polarity = np.zeros(shape, dtype=np.int8)
    polarity[place] = found.direction[kept]
    status = np.full(shape, PADDING, dtype=np.uint8)
    status[place] = OK
    status[count == 0, 0] = np.where(laid.size[count == 0] > 0, NEVER_REACHED, NO_DATA)
    final = (*lead, places)
    return Junctions(
        polarity=polarity.reshape(final),
        status=status.reshape(final),
        **{name: column.reshape(final) for name, column in columns.items()},
    )


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
        with np.errstate(divide="ignore", invalid="ignore"):
            result[inside] = np.hypot((1 - t) * errors[i] / c[i], t * errors[i + 1] / c[i + 1])
    return result
