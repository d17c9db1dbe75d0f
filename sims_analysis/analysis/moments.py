"""Moments of a profile: projected range, straggle, skewness and kurtosis."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.analysis.dose import doubts_of_end, term
from sims_analysis.errors import DoseWarning
from sims_analysis.frame.background import (
    Answer,
    add_background_error,
    doubts_of_window,
    mean_over,
    read_background,
    subtracted_level,
)
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, material_support, resolve
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt, doubt_of_window
from sims_analysis.frame.opening import DOSE_KINDS, open_frame
from sims_analysis.frame.run import anywhere, elementwise, may_hold
from sims_analysis.frame.window import (
    NO_LIMITS,
    Window,
    doubt_of_transient,
    read_window,
    samples_used,
)
from sims_analysis.kernels import moments as kernels
from sims_analysis.kernels.evidence import Support, Use
from sims_analysis.kernels.rows import ends as row_ends
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import is_number
from sims_analysis.units import NM_PER_CM, ParameterLike, WindowLike, part_of_one, read_fraction

#: Results, with their places among those of the kernel.
_PLACES = {"projected_range": 1, "straggle": 2, "skewness": 3, "kurtosis": 4, "dose": 0}
#: Part of the error of a background by which it is shifted: all of it may leave no peak.
_SHIFT = 1e-4
#: Dimension of all moments in one variable: a name that no dimension of a user has.
_MOMENT = "__moment__"
#: Divisors of the kernel's results: its doses are in value times nm.
_SCALE = xr.Variable(_MOMENT, [NM_PER_CM, 1.0, 1.0, 1.0, 1.0])


@recorded
def moments(
    data: xr.Dataset | xr.DataArray,
    *,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    background: ParameterLike | WindowLike | None = None,
    threshold: float | ParameterLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Return the moments of each profile: projected range, straggle, skewness, kurtosis.

    Not to be trusted unless the record holds the whole peak and little else: what lies far from it
    changes straggle, and even more skewness and kurtosis. State `background` or `threshold`.

    Parameters
    ----------
    data : Dataset or DataArray
        Concentrations (or a range density) over depth.
    start, stop : str, Quantity or DataArray, optional
        Window of depths.
    background : str, Quantity, DataArray, or (start, stop), optional
        Subtracted first: a concentration, or the window of depths over which to take its mean.
    threshold : float, str, Quantity or DataArray, optional
        Use only what lies above it around the maximum: a concentration, or a fraction of the
        maximum such as ``0.01``. By default every sample is used, and the fourth moment is
        dominated by the noise of the deepest ones.
    variable, gaps
        See :func:`integrated_dose`.

    Returns
    -------
    Dataset
        Over the dimensions of the data without depth:

        - ``projected_range``, ``straggle`` (``nm``): mean depth (not that of the maximum), and
          standard deviation about it
        - ``skewness``, ``kurtosis`` (``1``): not excess kurtosis, so 3 for a Gaussian
        - ``dose`` (``atom/cm^2``): of the samples used
        - ``<name>_stderr`` of these five, where the data carry standard errors: the random part
        - ``start``, ``stop`` (``nm``): first and last of the samples used, or where the profile
          crosses the threshold
        - ``status``: ``ok``. With NaN: ``no_data`` with fewer than three samples; ``never_reached``
          where fewer than three lie above the threshold; ``below_detection`` where nothing
          significant is left above the background. With numbers: ``undetermined``, with errors of
          NaN, where fewer than five samples, or cells, lie above the threshold, or it is less than
          2.1 times the standard error of a sample there; ``truncated`` where the samples used begin
          in a surface transient, or the record begins or ends above the threshold or in a profile;
          others as for :func:`integrated_dose`

    Raises
    ------
    UnitsError, ProfileError
        If the data hold no concentration, or the threshold is a number outside (0, 1).

    Notes
    -----
    ``R = sum w z C / sum w C``, ``m_k = sum w (z - R)^k C / sum w C`` with the weights w of the
    trapezoidal rule; straggle ``sqrt(m_2)``, skewness ``m_3 / m_2^1.5``, kurtosis ``m_4 / m_2^2``.
    Of averages over cells of width h, ``h^2 / 12`` is taken off m_2, and ``m_2 h^2 / 2 - 7 h^4 /
    240`` off m_4 (Sheppard).

    Standard errors are ``sqrt(sum (f_i s_i)^2)``, to first order in the errors s of independent
    samples. With ``t = (z - R) / straggle``, skewness g and kurtosis b, f is ``w / sum w C`` times
    ``z - R``, ``straggle (t^2 - 1) / 2``, ``t^3 - 3 t - g - 3 g (t^2 - 1) / 2`` and ``t^4 - 4 g t -
    b - 2 b (t^2 - 1)``, less 1/n of their sum for each of the n samples of a background window; a
    slope that noise hides there is added as in :func:`integrated_dose`. Above a `threshold`, the
    profile is cut where it crosses it (see :func:`crossings`; with standard errors, not where noise
    does, and a fraction is one of the maximum that the samples around the highest show), with
    ``h^2 / 12`` of the derivative there, which straight lines over steps h miss; the
    samples that show where an end is move it too, and the error of the maximum is added. Without a
    threshold, what straight lines miss at the first and last samples is part of all errors but that
    of the dose. NaN where the error of a sample is unknown, and where the variance is zero.

    Errors of skewness and kurtosis (*What stated errors cover*, on the site) are too large where a
    background leaves the straggle hardly known.

    References
    ----------
    S. Selberherr, Analysis and Simulation of Semiconductor Devices, Springer 1984, section 3.1.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> shape = sims.moments(ds.sel(species="B"), start="20 nm", threshold=0.01)
    >>> for name in ("projected_range", "straggle"):
    ...     print(f"{name} {shape[name].item():.1f} {shape[name].attrs['units']}")
    projected_range 77.2 nm
    straggle 26.6 nm
    """
    selection: Any = {"question": "a projected range", "variable": variable, "gaps": gaps}
    frame = open_frame(data, DOSE_KINDS, **selection)
    a, b = read_window(frame, start, stop)
    subtracted = read_background(frame, background)
    frame = subtracted.on(frame)
    level, window = subtracted.level(frame), subtracted.window
    limit, relative = _read_threshold(frame, threshold)
    ends = window or NO_LIMITS
    options: Any = {"relative": relative, "window": window is not None, "extra": (_MOMENT,)}
    parameters = limit, *ends, subtracted_level(frame)
    whole_record = start is stop is threshold is None and subtracted.stated is None
    settings: Any = {"errors": "sum", "record": whole_record, **options}
    # A window beyond the samples with a value includes the samples without one there.
    record = frame.map(row_ends)
    reaches: Any = ~(a >= record.first) | ~(b <= record.last)
    use: Use = "record" if may_hold(reaches) else "curve"
    shape, support = frame.evaluate(kernels.moments, a, b, level, *parameters, use=use, **settings)

    def moments_of(other: Frame, fixed_level: xr.Variable | None = None) -> xr.Variable:
        above = subtracted.level(other) if fixed_level is None else fixed_level
        moved: xr.Variable = other.map(kernels.moments, a, b, above, *parameters, **options).value
        return moved

    above_level = partial(moments_of, fixed_level=level)
    dose, dose_stderr = (column.isel({_MOMENT: 0}) for column in (shape.value, shape.stderr))
    trend = subtracted.trend(frame, (shape.start, shape.stop), dose, dose_stderr)
    support = material_support(frame, support, shape.value, shape.stderr, above_level, over=_MOMENT)
    beyond = doubt_of_window(shape.status, (a, b))
    if threshold is not None:
        cut = "the record begins or ends above the threshold: a part of the moments is missing"
        beyond = Doubt(shape.status == Status.TRUNCATED, Status.TRUNCATED, cut)
    doubts = [
        beyond,
        *doubts_of_end(frame, dose, shape.below, dose_stderr),
        # With a threshold relative to its maximum, a transient is taken for the peak.
        doubt_of_transient(frame, shape.start, b),
        *doubts_of_window(trend),
    ]
    status = _status(frame, shape, support, (a, b), doubts)
    results = _as_moments(frame, shape.value)
    results |= samples_used(frame, shape.start, shape.stop) | {"status": frame.status(status)}
    if frame.stderr is not None:
        errors = add_background_error(frame, shape.stderr, moments_of, by=_SHIFT)
        if window is not None:
            slope_error = trend.slope_error / (shape.stop - shape.start)
            errors = _with_window_error(frame, errors, window, slope_error, above_level)
        results |= _as_moments(frame, errors, "_stderr")
    return frame.dataset(results)


def _with_window_error(
    frame: Frame, errors: xr.Variable, window: Window, slope_error: xr.Variable, answer: Answer
) -> xr.Variable:
    """Add the error of a window without a count, or with a slope that noise may hide.

    It is common to all samples, as if subtracted before.
    """
    common = elementwise(np.hypot, slope_error, mean_over(frame, window).zero_count_stderr)
    if not (frame.lazy or anywhere(common > 0)):
        return errors
    return add_background_error(
        replace(frame, common=common, overlap=None, repeatability=None), errors, answer, by=_SHIFT
    )


def _status(
    frame: Frame, result: Any, support: Support, requested: Window, doubts: list[Doubt]
) -> xr.Variable:
    """Return the status of moments."""
    return resolve(
        frame,
        result.status,
        support,
        (result.start, result.stop),
        what="the moments interpolate across it by straight lines",
        doubts=doubts,
        requested=requested,
        category=DoseWarning,
    )


def _as_moments(frame: Frame, joined: xr.Variable, end: str = "") -> dict[str, xr.Variable]:
    """Return moments, or their errors, each by its name and with its unit."""
    terms = {name: name for name in _PLACES} | {"dose": term(frame, "dose")}
    scaled = joined / _SCALE
    return {
        f"{name}{end}": frame.with_attrs(scaled.isel({_MOMENT: i}), f"{terms[name]}{end}")
        for name, i in _PLACES.items()
    }


def _read_threshold(frame: Frame, threshold: Any) -> tuple[xr.Variable, bool]:
    """Read the value that samples must exceed, and whether it is a fraction of the maximum."""
    if is_number(threshold) or (isinstance(threshold, str) and part_of_one(threshold)):
        of = "the maximum (or a concentration with its unit)"
        return xr.Variable((), read_fraction(threshold, "threshold", of=of)), True
    return frame.parameter(threshold, (frame.kind,), "threshold", unknown=np.inf), False
