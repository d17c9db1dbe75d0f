"""The maximum of a profile, and its full width at half maximum."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.frame.background import add_background_error, subtracted_level
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, resolve
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import codes
from sims_analysis.frame.window import read_window, transient_doubt
from sims_analysis.kernels import peak as kernels
from sims_analysis.kernels.rows import changed
from sims_analysis.outcomes import GAP, Flag, Status
from sims_analysis.units import ParameterLike

#: Dimension of the samples of the width, and of the window: a name that no user has.
_PART = "__part__"


@recorded
def peak(
    data: xr.Dataset | xr.DataArray,
    *,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Find the maximum of each profile, and its full width at half maximum.

    Not to be trusted as a width where noisy data carry no errors and steps differ (it is too
    narrow), or for pointed maxima of few counts. The depth has no error: :func:`moments` and
    :func:`fit` have one.

    Parameters
    ----------
    data : Dataset or DataArray
        Concentrations, fractions or intensities over depth, or sputter time.
    start, stop : str, Quantity or DataArray, optional
        Window of depths (or times) to search: a `start` below the surface transient finds the
        implant instead.
    variable, gaps
        As for :func:`integrated_dose`; by default concentration, otherwise the first.

    Returns
    -------
    Dataset
        Over the dimensions of the data without depth:

        - ``depth`` (``nm``): of the highest sample; over sputter time ``sputter_time`` (``s``)
        - ``<variable>``: the value there, under the name of the variable and in its unit; and
          ``<variable>_stderr``, if the data carry errors: half of the 68 % interval about it that
          holds the maximum of the profile
        - ``fwhm`` (``nm``, or ``s``): between the nearest depths on either side at which the
          profile crosses half of it; and ``fwhm_stderr``, of the noise that samples show where the
          data carry no errors, NaN where they show less than that of 2,000 counts
        - ``status``: ``ok``; ``no_data`` with NaN; ``saturated`` by samples in the window; ``gap``
          and ``below_limit`` beside the maximum or within its width, and ``gap`` where one borders
          on more than half of it elsewhere. With a width of NaN, ``truncated`` where the profile
          does not cross half of its maximum on both sides within the window, and ``undetermined``
          where the width is less than three steps, noise may make its ends, or the maximum, or the
          width, may be off between the samples by more than 4 %, and two errors of the highest

    Raises
    ------
    UnitsError
        If the data have no variable with a known unit, or neither a depth nor a sputter time.

    Notes
    -----
    Noise has chosen the highest sample, which lies above the profile. Therefore
    ``ln C = A + B z + D z^2 / 2`` is fitted, by maximum likelihood of the counts, to 0.65 of the
    samples around it that are needed to see the profile fall on either side by three standard
    errors. The parabola's maximum is m with the error s, and ``<variable>_stderr`` is the
    half-width h of the interval about the value c with ``P(|N(m - c, s)| < h) = 0.683``. With
    errors, the width is that at half of the m of half of these samples, between edges as of
    :func:`crossings`. Its error (*What stated errors cover*, on the site) is too small for pointed
    maxima of thirty counts and fewer. Without errors, those of counts are taken that fourth
    differences show above half of the maximum; less noise moves the half of the highest sample by a
    few percent.

    Between samples, a profile is higher than these by no more than E / 2k, where means over k
    samples to either side lie by E above the parabola of ln C through the three about the maximum
    (for two exponentials that meet in a point, E is at least k steps over their decay length), or
    than where straight lines of ln C through two samples on either side meet. More than the error
    of the highest sample and 0.4 %, this is added to the errors in quadrature.

    References
    ----------
    ISO 18115-1, Surface chemical analysis - Vocabulary, for the full width at half maximum.
    W. Cash, Astrophys. J. 228 (1979) 939, for the likelihood of the counts.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> top = sims.peak(ds, start="20 nm").sel(species="B")
    >>> print(f"{top['concentration'].item():.2e} atom/cm^3 at {top['depth'].item():.0f} nm")
    7.01e+19 atom/cm^3 at 75 nm
    """
    options: Any = {"variable": variable, "axes": vocabulary.AXES, "gaps": gaps}
    frame = open_frame(data, question="a peak", **options)
    window = read_window(frame, start, stop)
    parameters = *window, subtracted_level(frame)
    maximum, parts = frame.evaluate(kernels.peak, *parameters, errors="fit", extra=(_PART,))
    doubts = []
    if Status.TRUNCATED in codes(maximum.status):
        doubts = [transient_doubt(frame, [maximum.transient[..., i] for i in range(6)])]
    # The maximum is one of all samples of the window.
    flags = parts.flags.data
    flags = flags[..., 0] | (flags[..., 1] & Flag.SATURATED) | (flags[..., 2] & GAP)
    support = changed(parts, flags=xr.Variable(maximum.status.dims, flags))
    what = "the maximum may lie in it, or be a higher one"
    options = {"what": what, "doubts": doubts, "requested": window}
    status = resolve(frame, maximum.status, support, window, **options)
    name = frame.term
    results = {
        frame.axis: frame.of_axis(maximum.depth, "peak_depth"),
        name: frame.with_attrs(maximum.value, name, units_=frame.units),
        "fwhm": frame.of_axis(maximum.fwhm, "fwhm"),
        "status": frame.status(status),
    }
    width_stderr = maximum.fwhm_stderr
    if frame.stderr is not None:
        stderr = maximum.stderr

        def highest(other: Frame) -> xr.Variable:
            top: xr.Variable = other.map(kernels.maximum, *window).value
            return top

        if frame.common is not None:
            stderr = add_background_error(replace(frame, repeatability=None), stderr, highest)
            common = (stderr**2 - maximum.stderr**2).clip(min=0.0)
            width_stderr = (width_stderr**2 + common * maximum.narrowed**2) ** 0.5
        stderr = add_background_error(replace(frame, common=None), stderr, highest)
        key = f"{name}_stderr"
        results[key] = frame.with_attrs(stderr, key, units_=frame.units)
    results["fwhm_stderr"] = frame.of_axis(width_stderr, "fwhm_stderr")
    return frame.dataset(results)
