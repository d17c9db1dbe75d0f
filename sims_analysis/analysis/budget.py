"""The uncertainty budget of a dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.analysis.detection import stated_limit
from sims_analysis.analysis.dose import (
    DoseIntegral,
    DoseQuestion,
    Rule,
    Surface,
    doubts_of,
    doubts_of_transient_in,
    integral,
    read_question,
    status_of,
    term,
)
from sims_analysis.analysis.uncertainty import Relative, of_known, relative_uncertainties
from sims_analysis.frame.background import Background, mean_over
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt, FirstFlagged
from sims_analysis.frame.opening import DOSE_KINDS, open_frame
from sims_analysis.frame.run import all_nan, replaced_where
from sims_analysis.frame.window import NO_LIMITS
from sims_analysis.kernels import dose as kernels
from sims_analysis.text.arguments import argument_error
from sims_analysis.units import NM_PER_CM, ParameterLike, WindowLike, part_of_one


@recorded
def dose_budget(
    data: xr.Dataset | xr.DataArray,
    *,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    rule: Rule = "trapezoid",
    background: ParameterLike | WindowLike | None = None,
    surface: Surface = "measured",
    surface_depth: ParameterLike | None = None,
    detection_limit: ParameterLike | None = None,
    rsf_uncertainty: Relative | None = None,
    depth_uncertainty: Relative | None = None,
    rule_tolerance: float | str = 0.1,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Integrate the concentration over depth, and report the contributions and errors of the dose.

    Not to be trusted as the whole error where an uncertainty is NaN: it is not known, not zero.

    Parameters
    ----------
    data, start, stop, rule, background, surface, surface_depth, variable, gaps
        As for :func:`integrated_dose`.
    detection_limit : str, Quantity or DataArray, optional
        Samples below it are included as they are (replacing them would bias the sum), and their
        contribution is reported; a profile without any sample above it in the window has no dose.
    rsf_uncertainty, depth_uncertainty : float, str, DataArray or mapping, optional
        Relative standard uncertainty of the sensitivity factor and of the depth scale, such as
        ``0.1``, ``"10 %"`` or ``{"B": 0.1, "As": "15 %"}``. By default, and for species that a
        mapping leaves out, what the data state (:func:`with_rsf`, :func:`average`,
        :func:`calibrate_depth`; after :func:`scale_to_dose` that of the dose in place of both).
        The dose has the same relative error (with factors of layers, ``integral of u C dz``).
    rule_tolerance : float or str
        Warn if the two rules differ by more than this fraction of the dose.

    Returns
    -------
    Dataset
        Over the dimensions of the data without depth:

        - ``dose`` (``atom/cm^2``): with `background` and `surface` as requested
        - ``random_stderr`` (``atom/cm^2``): as for :func:`integrated_dose`, without what repeats
          share, which is in ``rsf_stderr``; NaN where the data carry no standard errors
        - ``rsf_stderr``, ``depth_stderr`` (``atom/cm^2``): of sensitivity factor and depth scale;
          NaN where the uncertainty is not known. Of factors that :class:`Factors` has picked, there
          is ``day_to_day_stderr`` too: the part of the former that is their scatter between days
        - ``systematic_stderr`` (``atom/cm^2``): these two in quadrature, or the one that is known
        - ``background_stderr`` (``atom/cm^2``): the part of the random one that is of the mean of a
          background window, here or in :func:`subtract_background`, or of a slope that noise hides
          here; 0 where there is none or it is stated. It may exceed the random one where the dose
          is over the window too
        - ``background_dose`` (``atom/cm^2``): the dose that was subtracted
        - ``surface_dose`` (``atom/cm^2``): as measured above `surface_depth`; NaN without one
        - ``below_detection_dose`` (``atom/cm^2``): of samples below the detection limit
        - ``rule_difference`` (``1``): (trapezoid - loglinear) / trapezoid
        - ``n_linear_segments``: those that are trapezoids by either rule
        - ``coverage`` (``1``): measured fraction of the requested interval, without its gaps
        - ``status``: as for :func:`integrated_dose`

    Raises
    ------
    UnitsError, ProfileError
        As :func:`integrated_dose`; also for uncertainties or detection limits that are none.

    References
    ----------
    JCGM 100:2008, Guide to the expression of uncertainty in measurement, 5.1.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> budget = sims.dose_budget(ds, stop="400 nm", rsf_uncertainty=0.10).sel(species="B")
    >>> for part in ("dose", "random_stderr", "rsf_stderr"):
    ...     print(f"{part:13} {budget[part].item():.2e} atom/cm^2")
    dose          5.03e+14 atom/cm^2
    random_stderr 1.00e+11 atom/cm^2
    rsf_stderr    5.03e+13 atom/cm^2
    """
    tolerance = part_of_one(rule_tolerance)
    if tolerance is None or not tolerance >= 0:
        expected = "expected a fraction, such as 0.1 or '10 %'"
        raise argument_error("rule_tolerance", rule_tolerance, expected)
    frame = open_frame(data, DOSE_KINDS, question="a dose", variable=variable, gaps=gaps)
    limit = NO_LIMITS[0] if detection_limit is None else stated_limit(frame, detection_limit)[0]
    relative = relative_uncertainties(frame, data, rsf_uncertainty, depth_uncertainty)
    question = read_question(frame, start, stop, rule, background, surface, surface_depth)
    # What repeats show of the scale is in `rsf_stderr`.
    dose = integral(replace(frame, repeatability=None), replace(question, above=limit))
    by_rule = {rule: dose} | _other_rule(dose)
    trapezoid, loglinear = by_rule["trapezoid"].value, by_rule["loglinear"]
    difference = (trapezoid - loglinear.value) / trapezoid
    rule_doubt = _doubt_of_rules(difference, tolerance)
    status = status_of(dose, [*doubts_of(dose), *doubts_of_transient_in(dose), rule_doubt])
    parts = {"dose": dose.value, **_parts(dose, relative)}
    unit = vocabulary.attrs(term(frame, "dose"))["units"]
    results = {
        name: frame.with_attrs(part / NM_PER_CM, f"budget_{name}", units_=unit)
        for name, part in parts.items()
    }
    results["dose"].attrs["rule"] = rule
    pure = {
        "rule_difference": difference,
        "n_linear_segments": loglinear.n_linear_segments,
        "coverage": _coverage(dose),
    }
    results |= {name: frame.with_attrs(value, name) for name, value in pure.items()}
    results["status"] = frame.status(status)
    answer = frame.dataset(results)
    answer.attrs["rule"] = rule
    return answer


#: In the order of :func:`relative_uncertainties`.
_SYSTEMATIC = ("rsf_stderr", "depth_stderr", "day_to_day_stderr")


def _parts(dose: DoseIntegral, relative: Sequence[xr.Variable]) -> dict[str, xr.Variable]:
    """Return the contributions to a dose and its errors; NaN where the dose is NaN."""
    value = dose.value
    valid = value.notnull()
    systematic = {
        name: abs(_integrated_uncertainty(dose.frame, part, dose.question).where(valid))
        if dose.frame.dim in part.dims
        else abs(value) * part
        for name, part in zip(_SYSTEMATIC, relative, strict=False)
    }
    random = xr.full_like(dose.value, np.nan) if dose.stderr is None else dose.stderr
    return {
        "random_stderr": random.where(valid),
        "systematic_stderr": of_known(systematic["rsf_stderr"], systematic["depth_stderr"]),
        **systematic,
        "background_stderr": _background_stderr(dose).where(valid),
        "background_dose": dose.background.where(valid),
        "surface_dose": _surface(dose),
        "below_detection_dose": _below_detection(dose),
    }


def _other_rule(dose: DoseIntegral) -> dict[str, DoseIntegral]:
    """Integrate by the other rule, with the same background."""
    question = dose.question
    rule = "loglinear" if question.rule == "trapezoid" else "trapezoid"
    options: Any = {"rule": rule, "hold": question.surface == "hold"}
    other = dose.frame.map(kernels.integrate, question.start, question.stop, **options)
    value, n_linear = other.value - dose.background, other.n_linear_segments
    return {rule: replace(dose, value=value, n_linear_segments=n_linear)}


def _integrated_uncertainty(frame: Frame, part: xr.Variable, question: DoseQuestion) -> xr.Variable:
    """Integrate an uncertainty that varies with depth, times C; NaN where it is not known."""
    plain = replace(frame, stderr=None, counts=None, common=None, overlap=None)
    alone = replace(question, background=Background())
    scaled = (frame.value - question.background.level(frame)) * part.fillna(0.0)
    unknown = 0.0 * frame.value + part.isnull()
    total, in_doubt = (integral(replace(plain, value=x), alone).value for x in (scaled, unknown))
    uncertainty: xr.Variable = total.where(~(in_doubt > 0))
    return uncertainty


def _background_stderr(dose: DoseIntegral) -> xr.Variable:
    """Return the part of the standard error of a dose that is due to backgrounds."""
    parts = [] if dose.common is None else [dose.common.stderr]
    window = dose.question.background.window
    if window is not None:
        parts.append(mean_over(dose.frame, window).stderr * (dose.stop - dose.start))
        parts.append(dose.trend.slope_error)
    variance: Any = sum(part**2 for part in parts)
    total: xr.Variable = xr.zeros_like(dose.value) + variance**0.5
    return total


def _below_detection(dose: DoseIntegral) -> xr.Variable:
    """Integrate the samples below the detection limit; NaN where it is not known."""
    limit = dose.question.above
    if all_nan(limit):
        return xr.full_like(dose.value, np.nan)
    hold = dose.question.surface == "hold"
    low = dose.frame.map(kernels.below, dose.start, dose.stop, limit, hold=hold)
    unknown: Any = np.isinf(limit)
    return replaced_where(unknown, low.value)


def _doubt_of_rules(difference: xr.Variable, tolerance: float) -> Doubt:
    """Return a warning of doses that depend on the rule."""

    def text(first: FirstFlagged) -> str:
        return (
            f"the trapezoid and log-linear rules differ by {first.of(difference):.0%} of the "
            "dose; it depends on the sampling of a steep edge, or on a single high sample"
        )

    return Doubt(abs(difference) > tolerance, None, text)


def _coverage(dose: DoseIntegral) -> xr.Variable:
    """Return the measured fraction of the requested interval; limits not given are those used."""
    start, stop = dose.question.start.fillna(dose.start), dose.question.stop.fillna(dose.stop)
    measured = dose.stop - dose.start - dose.support.gap
    coverage: xr.Variable = (measured / (stop - start)).where(dose.start.notnull(), 0.0)
    return coverage


def _surface(dose: DoseIntegral) -> xr.Variable:
    """Integrate down to the end of the transient, whether or not the dose includes it."""
    frame, question = dose.frame, dose.question
    top, end = question.given_start, question.surface_depth
    if end is None:
        return xr.full_like(dose.value, np.nan)
    value = frame.map(kernels.integrate, top, end, rule=question.rule).value
    # A window below the transient contains none of it.
    part: xr.Variable = value.where(~((top >= end) & np.isfinite(top)), 0.0)
    return part
