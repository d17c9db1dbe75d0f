"""Metallurgical junctions: depths at which donors and acceptors, rows of species, balance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from sims_analysis.kernels.crossings import CrossingTable, listing, set_missing, with_evidence
from sims_analysis.kernels.evidence import support_of_points
from sims_analysis.kernels.rows import Array, Dense, Index, Packed, Rows, SingleResult, first_status
from sims_analysis.kernels.segments import interpolated
from sims_analysis.outcomes import Status


def metallurgical(
    rows: Rows,
    background: Array,
    below: Any = False,
    *,
    fractions: Array,
    width: int,
    bridge: bool = False,
    **how: Any,
) -> CrossingTable:
    """Find the zeros of ``ln(sum N_A / sum N_D)``, at the depths at which every species is known.

    Rows are the s species of the first of G measurements, those of the second, and so on;
    `fractions`, (s,), are active ones, positive for acceptors and negative for donors, and
    `background`, (G,), constant net doping, positive for donors. Linear in net doping where a sum
    is not positive. Junctions are crossings ``(G, width)`` of the acceptors, from n to p with depth
    where these rise, found and located as `listing` does. Without one, the first entry has the
    reason: that one may be among samples below their limit, if that is so (`below`, (G,)). They
    rest on what is known of any of the species.
    """
    doping = _doping(rows, background, fractions)
    acceptors = doping.acceptors
    junctions = listing(acceptors, doping.donors, width, doping.donors_stderr, **how)
    why = first_status(
        (np.isnan(background), Status.NO_DATA),
        (junctions.raw_number < below, Status.BELOW_LIMIT),  # without any crossing
        (acceptors.size == 0, Status.NO_DATA),
        (junctions.raw_number > 0, Status.UNDETERMINED),  # noise can make them all
        (np.ones(background.shape, dtype=bool), Status.NEVER_REACHED),
    )
    set_missing(junctions, why)
    species = fractions.size
    flags = support_of_points(rows, junctions.depth.repeat(species, axis=0)).flags
    of_any = np.bitwise_or.reduce(flags.reshape(-1, species, width), axis=1)
    junctions.start[:] = junctions.stop[:] = junctions.depth
    return with_evidence(junctions, of_any, bridge)


def net_doping(rows: Rows, background: Array, *, fractions: Array, sign: int) -> SingleResult:
    """Return the largest net doping of acceptors (`sign` 1) or donors (-1); NaN if it is not known.

    Parameters as for :func:`metallurgical`.
    """
    doping = _doping(rows, background, fractions)
    net = sign * (doping.acceptors.value - doping.donors)
    return SingleResult(doping.acceptors.reduce(np.maximum, net))


class _Doping(NamedTuple):
    """Acceptors of each measurement as rows with errors, and donors at each of their samples."""

    acceptors: Rows
    donors: Array
    donors_stderr: Array | float


def _doping(rows: Rows, net: Array, fractions: Array) -> _Doping:
    if isinstance(rows, Packed):
        return _merged(rows, net, fractions)
    shape = (net.size, fractions.size, rows.depth.size)
    acceptors, donors = _sums(rows.value.reshape(shape).swapaxes(1, 2), fractions, net[:, None])
    stderr = None if rows.stderr is None else rows.stderr.reshape(shape).swapaxes(1, 2)
    errors = _errors(stderr, fractions)
    return _Doping(Dense(rows.depth, acceptors, errors[0]), donors, errors[1])


def _merged(rows: Packed, net: Array, fractions: Array) -> _Doping:
    """Interpolate each species in ln C at all depths between samples of every species."""
    species = fractions.size
    group = rows.row // species
    order = np.lexsort((rows.depth, group))
    z, g = rows.depth[order], group[order]
    # Keep the last of several samples at the same depth: it comes after all of them.
    last = np.ones(z.size, dtype=bool)
    last[:-1] = (z[1:] != z[:-1]) | (g[1:] != g[:-1])
    # For each species, the number of samples at or above each depth.
    so_far = np.cumsum((rows.row % species)[order][:, None] == np.arange(species), axis=0)[last]
    z, g = z[last], g[last]
    size = rows.size.reshape(-1, species)
    begin = rows.offsets[:-1].reshape(-1, species)[g]
    before = begin + so_far - (np.cumsum(size, axis=0) - size)[g] - 1
    end = begin + size[g]
    inside = (before >= begin) & ((before + 1 < end) | (rows.depth[before] == z[:, None]))
    # Interpolation to more depths adds no information: the variances of a species grow with the
    # number of merged depths per sample of its own.
    dilution = np.bincount(g, minlength=len(size))[:, None] / np.maximum(size, 1)
    complete = inside.all(axis=1)
    z, g, before = z[complete], g[complete], before[complete]
    width = rows.along(rows.width, before)  # 0 after the last sample of a species
    part = (z[:, None] - rows.depth_at(before)) / np.where(width > 0, width, 1.0)
    t = np.where(width > 0, part, 0.0)
    acceptors, donors = _sums(_between(rows.value, before, t), fractions, net[g])
    # A segment with an unknown error at one end carries no weight.
    stderr = (
        None if rows.stderr is None else _between(rows.stderr, before, t) * np.sqrt(dilution[g])
    )
    errors = _errors(stderr, fractions)
    offsets = g.searchsorted(np.arange(len(size) + 1))
    return _Doping(Packed(z, acceptors, errors[0], offsets=offsets), donors, errors[1])


def _between(samples: Array, before: Index, t: Array) -> Array:
    """Interpolate between the samples at and after flat positions; exact at t = 0."""
    after = np.minimum(before + 1, samples.size - 1)
    return interpolated(samples.take(before), samples.take(after), t, log=True)


def _sums(c: Array, fractions: Array, net: Array) -> tuple[Array, Array]:
    """Sum acceptors, and donors, over the last axis (species)."""
    sides = []
    for part, background in ((fractions, -net), (-fractions, net)):
        total = np.zeros(c.shape[:-1])
        for i in np.flatnonzero(part > 0):
            total += part[i] * c[..., i]
        sides.append(total + np.maximum(background, 0.0))
    return sides[0], sides[1]


def _errors(stderr: Array | None, fractions: Array) -> tuple[Array | None, Array | float]:
    """Return the standard errors of both sums, for independent errors of the species."""
    if stderr is None:
        return None, 0.0
    acceptors, donors = _sums(stderr**2, fractions * np.abs(fractions), np.zeros(1))
    return np.sqrt(acceptors), np.sqrt(donors)
