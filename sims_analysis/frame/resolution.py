"""What the achieved resolution of restored profiles does to a depth that is read from them.

A restored edge that is steeper than the achieved resolution is an exponential, whatever the true
one was. How far off a depth may be is found by asking again, of profiles that are sharper by part
of that resolution.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileWarning, warn
from sims_analysis.frame.background import common_error
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.kernels.rows import Array

__all__ = ["add_resolution_error", "add_unresolved", "tell_narrow"]

#: Profiles are sharpened by this part of the achieved resolution. What that moves counts up to this
#: part of the least achieved resolution beside the depth, where the decay length is below that one.
_SHARPER, _KNOWN = 0.45, 0.35
#: Half of a sharp edge lies towards its high side, by this part of its decay length, where that is
#: below this part of the achieved resolution beside it.
_LOPSIDED, _SHARP = 0.5, 0.4
#: Decay lengths below this part of the achieved resolution may be those of steps.
_UNRESOLVED = 0.25
#: Edges of layers nearer to each other than so many achieved resolutions are not known so well; and
#: those of valleys, which a prior of plateaus fills or empties.
_NARROW, _VALLEY = 1.0, 2.5
#: Standard deviations in the full width at half maximum of a Gaussian.
_FWHM = 2.3548


def add_resolution_error(
    frame: Frame,
    stderr: xr.Variable,
    depth: xr.Variable,
    decay_length: xr.Variable,
    answer: Callable[[Frame], xr.Variable],
    *,
    group: str | None = None,
) -> xr.Variable:
    """Return the standard errors of depths, for restored profiles those of what is restored.

    Parameters
    ----------
    frame : Frame
    stderr : Variable
        Of profiles that are not restored.
    depth : Variable
        The depths; they may have one more dimension than the profiles.
    decay_length : Variable
        Of the profile there.
    answer : callable
        Computes the depths from a frame with other values; NaN where there is none.
    group : str, optional
        A dimension of the profiles, several of which make one depth.

    Notes
    -----
    The sum of three squares. Errors of neighbours within the achieved resolution R are all but the
    same: half of the change of the depth from values a standard error too high to values as much
    too low. By how much the depth moves in ``2 x - G x``, where G blurs by a Gaussian 0.45 R wide
    at half maximum, at most 0.35 r, with r the least R within R; times ``exp[-(d / r)^2]``, with d
    the decay length, since what is flatter than the resolution is restored as it is. And half of d
    times ``exp[-(d / 0.4 r)^2]``: half of a sharp edge lies towards its high side.
    """
    if frame.achieved is None or frame.stderr is None:
        return stderr
    by = [frame.stderr]
    if group is not None:
        here = xr.Variable(group, np.arange(frame.value.sizes[group]))
        by = [frame.stderr.where(here == i, 0.0) for i in range(here.size)]
    away = abs(frame.depth - depth)
    over = [frame.dim] if group is None else [frame.dim, group]
    resolution = _resolution_at(frame.achieved, away, over)
    least = frame.achieved.where(away <= resolution).min(over)
    most = _KNOWN * least
    variance = xr.zeros_like(depth)
    for one in by:
        common = common_error(replace(frame, common=one.fillna(0.0), overlap=None), answer)
        assert common is not None  # noqa: S101 - the frame has one
        variance = variance + _at_most(common.stderr, most) ** 2
    sharper = replace(frame, value=_sharpened(frame), stderr=None, counts=None, common=None)
    shape = _at_most(abs(answer(sharper) - depth), most)
    steep = np.exp(-((decay_length.fillna(0.0) / least) ** 2))
    lopsided = _LOPSIDED * decay_length.fillna(0.0) * steep ** (1 / _SHARP**2)
    total: xr.Variable = (variance + (shape * steep) ** 2 + lopsided**2) ** 0.5
    known: xr.Variable = total.where(depth.notnull()).transpose(*depth.dims)
    return known


def tell_narrow(frame: Frame, found: Any, along: str) -> None:
    """Warn of restored profiles with crossings nearer to each other than what is resolved.

    `found` has their ``depth`` and ``direction``.
    """
    depth = found.depth
    if frame.achieved is None or depth.sizes[along] < 2:
        return
    valley = found.direction < 0
    resolution = _resolution_at(frame.achieved, abs(frame.depth - depth), [frame.dim])
    begin, end = {along: slice(-1)}, {along: slice(1, None)}
    wide = 0.5 * (resolution.isel(begin) + resolution.isel(end))
    shares = (depth.isel(end) - depth.isel(begin)) / wide
    narrow = _NARROW + (_VALLEY - _NARROW) * valley.isel(begin)
    shares = shares.where(shares < narrow)
    narrowest = shares.min(along)
    first = first_flagged(frame, narrowest.notnull())
    if first is not None:
        share = first.of(narrowest)
        at = first.of(depth.isel(begin).where(shares == narrowest).min(along))
        warn(
            f"{first.label}: the level is crossed twice within {share:.2g} achieved resolutions, "
            f"from {at:.4g} nm: what is so narrow may be wider or narrower than restored, and one "
            "standard error holds the true edge in 38 to 58 % (measured), not in 68",
            ProfileWarning,
        )


def _resolution_at(achieved: xr.Variable, away: xr.Variable, over: list[Any]) -> xr.Variable:
    """Return the achieved resolution at the samples that are nearest to depths."""
    found: xr.Variable = achieved.where(away == away.min(str(achieved.dims[-1]))).max(over)
    return found


def add_unresolved(
    frame: Frame,
    stderr: xr.Variable,
    length: xr.Variable,
    start: xr.Variable,
    stop: xr.Variable,
) -> xr.Variable:
    """Return standard errors of decay lengths between two depths, of restored profiles with more.

    An edge of any decay length d below a quarter of the least achieved resolution r may be restored
    as one of that length: ``d exp[-(d / 0.25 r)^2]`` is part of the error.
    """
    if frame.achieved is None:
        return stderr
    between = (frame.depth >= start) & (frame.depth <= stop)
    least = frame.achieved.where(between).min(frame.dim)
    unresolved = (length * np.exp(-((length / (_UNRESOLVED * least)) ** 2))).fillna(0.0)
    total: xr.Variable = (stderr**2 + unresolved**2) ** 0.5
    return total


def _at_most(moved: xr.Variable, most: xr.Variable) -> xr.Variable:
    """Return by how much depths move: as far as the limit, too, where there is none any more."""
    found: xr.Variable = moved.where(moved < most, most)
    return found


def _sharpened(frame: Frame) -> xr.Variable:
    """Return the values sharpened by part of the achieved resolution."""
    n = frame.value.sizes[frame.dim]
    rows = frame.each(_sharper, size=n, beside=("achieved",))
    return xr.Variable((*rows.dims[:-1], frame.dim), rows.data).transpose(*frame.value.dims)


def _sharper(z: Array, x: Array, _: Array, __: Array, resolution: Array) -> Array:
    """Return ``2 x - G x`` of one profile, G a Gaussian as wide as where it is wider of two depths.

    Beyond the ends the profile goes on as it ends.
    """
    there = np.flatnonzero(np.isfinite(z) & np.isfinite(x) & (resolution > 0))
    out = x.copy()
    if there.size < 3:
        return out
    order = there[np.argsort(z[there], kind="stable")]
    z, x, sigma = z[order], x[order], _SHARPER / _FWHM * resolution[order]
    beyond = []
    for end, sign, step in ((0, -1, z[1] - z[0]), (-1, 1, z[-1] - z[-2])):
        count = int(np.ceil(4 * sigma.max() / step))
        beyond.append(z[end] + sign * step * np.arange(1, count + 1))
    before, after = beyond[0][::-1], beyond[1]
    at = np.concatenate([before, z, after])
    whole, wide = (np.pad(one, (before.size, after.size), mode="edge") for one in (x, sigma))
    kernel = np.exp(-0.5 * ((at[:, None] - at) / np.maximum(wide[:, None], wide)) ** 2)
    h = np.gradient(at)
    # Each column spreads the atoms of a cell: none is lost.
    blurred = (kernel * (h / (h @ kernel))) @ whole
    out[order] = 2 * x - blurred[before.size : before.size + z.size]
    return out
