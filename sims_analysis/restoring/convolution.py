"""What an instrument would show of this profile: blurred by a depth resolution function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.provenance import with_history
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import Evidence, at_samples, evidence_coords
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import FRACTION, RESTORED, open_frame
from sims_analysis.frame.run import elementwise
from sims_analysis.kernels import segments
from sims_analysis.kernels.gaps import gap_after
from sims_analysis.kernels.rows import Dense, changed
from sims_analysis.kernels.samples import Array, in_order
from sims_analysis.resampling.interpolation import of_background
from sims_analysis.restoring.resolution_function import ResolutionFunction, read_resolution
from sims_analysis.text.arguments import format_argument
from sims_analysis.units import QuantityLike

#: Columns of the matrix that are made at a time.
_COLUMNS = 128
#: A blurred sample rests on all others but those beyond which so small a part of the function lies:
#: those next to a gap stand for its whole width, and profiles fall by decades within a few widths.
_BEYOND = 3e-6
#: The samples at which atoms arrive, those that they come from, and the part that each gets.
_Block = tuple[slice, slice, Array]


@recorded
def convolve(
    data: xr.Dataset | xr.DataArray,
    resolution: QuantityLike | Mapping[str, QuantityLike] | xr.Dataset,
) -> xr.DataArray:
    """Blur profiles with a depth resolution function; their dose stays what it is.

    Not to be trusted within a few widths of either end, where atoms are reflected: extend plateaus.

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles over depth, such as an assumed layer structure, or :func:`evaluate` of a fit; on
        a shared axis or each on its own.
    resolution : str, Quantity, mapping or Dataset
        The standard deviation of a Gaussian, or widths, or a fit, as :func:`deconvolve` takes them.

    Returns
    -------
    DataArray
        At the depths of the data, in their unit, with a line in ``history``. If the data have
        standard errors, the coordinate ``stderr`` is ``sqrt(sum (m_j s_j)^2)`` of the parts m that
        come from each sample. The error of a dose stays what it was: ``effective_sample_fraction``
        says that neighbours share samples (see :func:`to_grid`). The error of a junction, or of
        anything narrower than the function, is stated up to 2.5 times too large.

    Raises
    ------
    ProfileError, UnitsError
        If widths are of no resolution function, negative, or without a unit, the fit is of other
        profiles, or the data are not over depth.

    Notes
    -----
    The resolution function distributes all atoms of each sample's cell (the weights of the
    trapezoid rule) over the samples. Put sharp edges on a grid finer than the function first: on a
    coarse one they stay as they are. Atoms are shifted as in the instrument: the centroid, by
    Dowsett's function, by ``lambda_decay - lambda_growth``.

    References
    ----------
    M. G. Dowsett et al., Surf. Interface Anal. 21 (1994) 310; S. Hofmann et al., Appl. Surf. Sci.
    314 (2014) 942, arXiv:1401.1014.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species="B")
    >>> blurred = sims.convolve(ds, resolution="3 nm")
    >>> dose, kept = (sims.integrated_dose(one).item() for one in (ds, blurred))
    >>> print(f"{kept / dose:.12f}")
    1.000000000000
    """
    frame = open_frame(data, question="a convolution", axes=("depth",))
    function, widths = read_resolution(frame, resolution)
    size, dim = frame.value.sizes[frame.dim], frame.dim

    def blurred(source: Frame) -> xr.Variable:
        return source.each(partial(_blurred, function), *widths, size=size, dim=dim)

    of = _known(frame, function, widths)
    if frame.limit is not None and of.limit is not None:  # of what others bring, too
        most = blurred(replace(frame, value=frame.value.fillna(frame.limit), limit=None))
        of = changed(of, limit=elementwise(np.fmax, of.limit, most))
    coords, stderr = dict(frame.along), None
    if frame.stderr is not None:
        errors = partial(_errors, function)
        rows = frame.each(errors, frame.fraction, *widths, size=size + 1, dim=dim)
        stderr, coords[FRACTION] = rows.isel({dim: slice(size)}), rows.isel({dim: size})
        coords[FRACTION].attrs = dict(RESTORED)
    for end, source in of_background(frame, blurred).items():
        unit = vocabulary.COLUMNS[end] or frame.units
        coords[end] = frame.with_attrs(source, end, units_=unit)
    result = frame.array(
        blurred(frame),
        frame.term,
        units_=frame.units,
        stderr=stderr,
        coords=coords,
        label=frame.name,
    )
    result = result.assign_coords(
        evidence_coords(frame.name, of, frame.units, quantified=frame.quantified)
    )
    if isinstance(data, xr.DataArray):
        result = result.transpose(*data.dims)
    result = result.assign_attrs(history=data.attrs.get("history", ""))
    return with_history(result, f"convolve(resolution={format_argument(resolution)})")


def _known(frame: Frame, function: str, widths: Sequence[xr.Variable]) -> Evidence:
    """Return the evidence on blurred samples: all that lies within the function's reach."""

    def reach(*args: float) -> float:
        within = ResolutionFunction(function, tuple(args)).within
        return float(np.abs(within(_BEYOND)).max()) if np.isfinite(args).all() else 0.0

    reached: Any = elementwise(np.vectorize(reach, otypes=[float]), *widths)
    return at_samples(frame, frame.depth - reached, frame.depth + reached)


def _blurred(name: str, z: Array, c: Array, *args: Any) -> Array:
    """Return the values of one profile after the blur by a function of this name."""
    out, widths = np.full(c.shape, np.nan), args[2:]
    order = in_order(z, c)
    if np.isfinite(widths).all():
        z, c = z[order], c[order]
        out[order] = 0.0 if z.size > 1 else c  # a single sample stays as it is
        for to, source, matrix in _blocks(z.tobytes(), name, widths) if z.size > 1 else ():
            out[order[to]] += matrix @ c[source]
    return out


def _errors(name: str, z: Array, c: Array, s: Array, k: Array, share: float, *args: Any) -> Array:
    """Return the standard errors of one profile after the blur, and its independent samples.

    The latter as a part of all, by the error of the dose, which the blur leaves as it is; of the
    samples before, it is `share`.
    """
    result = np.full(c.size + 1, np.nan)
    order = in_order(z, c)
    if not np.isfinite(args).all() or order.size < 2:
        result[order], result[-1] = s[order], share
        return result
    z, variance, uncounted = z[order], s[order] ** 2, k[order] == 0
    # As in any sum: samples with zero counts add no variance, unless all have.
    counted = np.where(uncounted, 0.0, variance)
    total, zero = np.zeros((2, order.size))
    for to, source, matrix in _blocks(z.tobytes(), name, args):
        total[to] += matrix**2 @ counted[source] / share
        zero[to] = np.maximum(zero[to], (matrix**2 * variance[source]).max(axis=1))
    total = np.where(total > 0, total, zero)
    result[order] = np.sqrt(total)
    weight = segments.record_weights(z) ** 2
    weight *= _far_from_gaps(z, ResolutionFunction(name, args).reach)
    before = np.where(uncounted.all(), variance, counted)
    result[-1] = min(1.0, share * np.nansum(weight * total) / np.nansum(weight * before))
    return result


def _far_from_gaps(z: Array, reach: float) -> Array | Literal[True]:
    """Flag samples that are not blurred by those next to gaps, which stand for many; if any are."""
    gaps = gap_after(Dense(z, np.zeros((1, z.size))))
    if gaps is None:
        return True
    ends = z[np.union1d(np.flatnonzero(gaps), np.flatnonzero(gaps) + 1)]
    far: Array = np.abs(z[:, None] - ends).min(axis=1) > reach
    return far if far.any() else True


@lru_cache(maxsize=1)
def _blocks(axis: bytes, name: str, widths: tuple[float, ...]) -> list[_Block]:
    """Make the matrix: where the atoms of some samples go, and how many of each arrive there.

    That of the last axis is kept, since profiles of a batch often share theirs.
    """
    z, function = np.frombuffer(axis), ResolutionFunction(name, widths)
    kernel, reach = function.density, function.reach
    weight = segments.record_weights(z)
    low, high = 2 * z[0], 2 * z[-1]
    blocks = []
    for begin in range(0, z.size, _COLUMNS):
        source = slice(begin, min(begin + _COLUMNS, z.size))
        first, last = z[begin] - reach, z[source.stop - 1] + reach
        to = slice(*z.searchsorted([first, last]).tolist())
        at, out_of = z[to, None], z[source]
        response = kernel(at - out_of)
        if first < z[0]:
            response += kernel(low - at - out_of)
        if last > z[-1]:
            response += kernel(high - at - out_of)
        response = np.maximum(response, 0.0)
        arrived = weight[to] @ response
        # A function that falls between all samples moves nothing.
        lost = np.flatnonzero(~(arrived > 1e-12))
        response[:, lost] = 0.0
        response[begin - to.start + lost, lost] = 1.0
        arrived[lost] = weight[source][lost]
        blocks.append((to, source, response * (weight[source] / arrived)))
    return blocks
