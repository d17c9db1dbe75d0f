"""Moments of a profile: projected range, straggle, skewness and kurtosis."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.analysis.dose import mark_truncated, term
from sims_analysis.errors import DoseWarning
from sims_analysis.frame.background import (
    Answer,
    add_background_error,
    mean_over,
    read_background,
    subtracted_level,
)
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, bridges, resolve, without_immaterial
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged, warn_where
from sims_analysis.frame.opening import DOSE_KINDS, open_frame
from sims_analysis.frame.run import anywhere, replaced_where
from sims_analysis.frame.window import (
    NO_LIMITS,
    Window,
    mark_transient,
    read_window,
    samples_used,
    warn_of_empty_window,
)
from sims_analysis.kernels import moments as kernels
from sims_analysis.kernels.dose import integrate
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import argument_error, is_number
from sims_analysis.units import NM_PER_CM, ParameterLike, WindowLike

__all__ = ["moments"]

#: Results -> fields of the kernel's, which has a standard error for each.
_FIELDS = {
    "projected_range": "projected_range",
    "straggle": "straggle",
    "skewness": "skewness",
    "kurtosis": "kurtosis",
    "dose": "integral",
}
#: What divides a kernel's result.
_SCALES = {name: NM_PER_CM if name == "dose" else 1.0 for name in _FIELDS}
#: Part of the error of a background by which it is shifted: a whole one may leave no peak.
_SMALL = 1e-4
#: Dimension of all of them in one variable: a name that no dimension of a user has.
_MOMENT = "__moment__"


def _joined(found: kernels.Moments, end: str = "") -> xr.Variable:
    """Join all results, or their errors, so that the background is shifted once for all of them."""
    parts: list[Any] = [getattr(found, field + end) for field in _FIELDS.values()]
    joined: xr.Variable = xr.Variable.concat(parts, _MOMENT)
    return joined


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
          significant is left above the background (dose or second moment not positive, or the
          projected range outside the samples used). With numbers: ``undetermined``, without
          errors, where the threshold is less than 2.1 times the standard error of a sample there;
          ``saturated`` and ``gap`` where there is one among the samples used; ``below_limit`` where
          samples given as ``<5E15`` matter; ``truncated`` where the samples used begin in a surface
          transient, or the record ends above the threshold or inside of the profile;
          ``wrong_shape`` by a background, as for :func:`integrated_dose`

    Raises
    ------
    UnitsError, ProfileError
        If the data hold no concentration, or the threshold is a number outside (0, 1).

    Warns
    -----
    SimsWarning
        Where the status is ``truncated``, ``saturated``, ``gap`` or ``below_limit``, or the window
        is empty; and where a background leaves the straggle known to no better than 7 %. Not for
        Dask data, which are not computed.

    Notes
    -----
    ``R = sum w z C / sum w C``, ``m_k = sum w (z - R)^k C / sum w C`` with the weights w of the
    trapezoidal rule; straggle ``sqrt(m_2)``, skewness ``m_3 / m_2^1.5``, kurtosis ``m_4 / m_2^2``.
    Of averages over cells of width h, ``h^2 / 12`` is taken off m_2, and ``m_2 h^2 / 2 - 7 h^4 /
    240`` off m_4 (Sheppard).

    Standard errors are ``sqrt(sum (f_i s_i)^2)``, to first order in the errors s of independent
    samples. With ``t = (z - R) / straggle``, skewness g and kurtosis b, f is ``w / sum w C`` times
    ``z - R``, ``straggle (t^2 - 1) / 2``, ``t^3 - 3 t - g - 3 g (t^2 - 1) / 2`` and
    ``t^4 - 4 g t - b - 2 b (t^2 - 1)``, less 1/n of their sum for each of the n samples of a
    background window. Above a `threshold`, the profile is cut where it crosses it (see
    :func:`crossings`; with standard errors, not where noise does, and a fraction is one of the
    maximum that the samples around the highest show); the samples that show where an end is move it
    too, and the error of the maximum is added. NaN where the error of a sample is unknown, and where the variance is zero.

    One standard error covers 60 to 79 % (*What stated errors cover*, on the site).

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
    bridge = bridges(gaps)
    frame = open_frame(data, DOSE_KINDS, question="a projected range", variable=variable)
    a, b = read_window(frame, start, stop)
    subtracted = read_background(frame, background)
    level, window = subtracted.level(frame), subtracted.window
    limit, relative = _read_threshold(frame, threshold)
    ends = window or NO_LIMITS
    options: dict[str, Any] = {"relative": relative, "window": window is not None}
    rest = limit, *ends, frame.fraction, subtracted_level(frame)
    asked = a, b, level, *rest
    found, rests = frame.ask(kernels.moments, *asked, errors="sum", **options)
    warn_of_empty_window(frame, (a, b), among=found.status == Status.NO_DATA)

    def above_level(other: Frame, own: xr.Variable = level) -> xr.Variable:
        return _joined(other.map(kernels.moments, a, b, own, *rest, **options))

    def again(other: Frame) -> xr.Variable:
        return above_level(other, subtracted.level(other))

    results = {
        name: frame.with_attrs(getattr(found, field) / _SCALES[name], _term(frame, name))
        for name, field in _FIELDS.items()
    }
    used = found.start, found.stop
    warn_where(
        frame,
        found.status == Status.TRUNCATED,
        "the record ends above the threshold: a part of the tail is missing from the moments",
        DoseWarning,
    )
    status = found.status
    if start is stop is threshold is None and subtracted.stated is None:
        whole = frame.map(integrate, *NO_LIMITS, record=True)
        status = mark_truncated(frame, status, whole.value, whole.below, found.integral_stderr)
    width = found.stop - found.start
    status = subtracted.marked(status, width, found.integral, found.integral_stderr)
    status = mark_transient(frame, *used, status, rests.flags)
    status = replaced_where(limit == np.inf, status, Status.NO_DATA)
    answers = _joined(found), _joined(found, "_stderr")
    rests = without_immaterial(frame, rests, *answers, above_level, over=_MOMENT)
    what = "the moments bridge it by straight lines"
    status = resolve(frame, status, rests, used, what=what, bridge=bridge, category=DoseWarning)
    results |= samples_used(frame, *used) | {"status": frame.status(status)}
    if frame.stderr is not None:
        errors = _above_background(frame, found, window, again, above_level)
        results |= _errors(frame, errors)
        if window is not None or frame.common is not None:
            _warn_of_wide_errors(frame, found, errors)
    return frame.dataset(results)


def _above_background(
    frame: Frame, found: kernels.Moments, window: Window | None, again: Answer, above_level: Answer
) -> xr.Variable:
    """Return all errors, with that of a background that was subtracted, or has no count."""
    errors = add_background_error(frame, _joined(found, "_stderr"), again, by=_SMALL)
    if window is None:
        return errors
    # A window without a count is an error common to all samples, as if subtracted before.
    unseen = mean_over(frame, window).unseen
    if not (frame.lazy or anywhere(unseen > 0)):
        return errors
    shifted = replace(frame, common=unseen, overlap=None)
    return add_background_error(shifted, errors, above_level, by=_SMALL)


def _read_threshold(frame: Frame, threshold: Any) -> tuple[xr.Variable, bool]:
    """Read the value that samples must exceed, and whether it is a fraction of the maximum."""
    if not is_number(threshold):
        return frame.parameter(threshold, (frame.kind,), "threshold", unknown=np.inf), False
    if not 0 < threshold < 1:
        raise argument_error(
            "threshold",
            threshold,
            "expected a fraction of the maximum between 0 and 1, or a concentration with its unit",
        )
    return xr.Variable((), float(threshold)), True


def _term(frame: Frame, name: str) -> str:
    return term(frame, name) if name == "dose" else name


def _errors(frame: Frame, joined: xr.Variable) -> dict[str, xr.Variable]:
    """Return the standard errors of all results, with their attrs."""
    found = {}
    for i, name in enumerate(_FIELDS):
        of = _term(frame, name)
        long_name = f"Standard error of the {vocabulary.TERMS[of].long_name.lower()}, random part"
        error = joined.isel({_MOMENT: i}) / _SCALES[name]
        found[f"{name}_stderr"] = frame.with_attrs(error, of, long_name=long_name, description=None)
    return found


#: Above a background, errors of skewness and kurtosis hold where the straggle is known to this.
_STRAGGLE_KNOWN = 0.07


def _warn_of_wide_errors(frame: Frame, found: kernels.Moments, errors: xr.Variable) -> None:
    """Warn where a background leaves so little of the width that errors are too large."""
    if frame.lazy:
        return
    straggle = list(_FIELDS).index("straggle")
    known = errors.isel({_MOMENT: straggle}) / found.straggle
    first = first_flagged(frame, (known > _STRAGGLE_KNOWN) & (found.status == Status.OK))
    if first is not None:
        first.warn(
            f"above the background the straggle is known to {100 * first.of(known):.0f} %; the "
            "errors of skewness and kurtosis are too large then: such intervals hold in 65 to 95 % "
            "of cases",
            DoseWarning,
            remedy="leave out with stop= what lies beyond the peak",
        )
