"""The dose of a layer: the integral of the concentration over depth."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis.errors import DoseWarning, Parts, ProfileError, warnings_as_errors
from sims_analysis.frame.background import (
    Background,
    CommonError,
    add_background_error,
    common_error,
    doubts_of_window,
    read_background,
)
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, resolve
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt, FirstFlagged, first_flagged
from sims_analysis.frame.opening import DOSE_KINDS, open_frame
from sims_analysis.frame.run import (
    all_nan,
    codes,
    elementwise,
    is_lazy,
    is_nan,
    may_exceed,
    may_hold,
    replaced_where,
)
from sims_analysis.frame.window import NO_LIMITS, Window, read_window
from sims_analysis.kernels import dose as kernels
from sims_analysis.kernels.blocks import ALL, BLOCK
from sims_analysis.kernels.evidence import Support, Use
from sims_analysis.kernels.rows import TOLERANCE, changed, ends
from sims_analysis.kernels.transient import RULES as TRANSIENT
from sims_analysis.kernels.transient import surface_transient
from sims_analysis.outcomes import KINDS, Status
from sims_analysis.text.arguments import check_bool, check_choice
from sims_analysis.units import NM_PER_CM, ParameterLike, WindowLike

Rule = Literal["trapezoid", "loglinear"]
Surface = Literal["measured", "exclude", "hold"]

#: Codes of warnings that a strict question raises.
_STRICT = (
    "truncated",
    "no_sample_in_window",
    *(kind.status.word for kind in KINDS if kind.status is not None),
)


@recorded
def integrated_dose(
    data: xr.Dataset | xr.DataArray,
    *,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    rule: Rule = "trapezoid",
    background: ParameterLike | WindowLike | None = None,
    surface: Surface = "measured",
    surface_depth: ParameterLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
    strict: bool = False,
) -> xr.DataArray:
    """Integrate the concentration over depth: ``Q = integral of [C(z) - C_bg] dz``.

    Not to be trusted where the profile falls tenfold within three samples (straight lines lie too
    high), or a record ends on the plateau on which it begins. For all errors: :func:`dose_budget`.

    Parameters
    ----------
    data : Dataset or DataArray
        Concentrations over depth, on a shared axis or with one axis per profile.
    start, stop : str, Quantity or DataArray, optional
        Limits, such as ``"50 nm"``, for all or for each profile; by default its ends. Where one is
        NaN (the depth of a junction that was not found), there is no dose.
    rule : {"trapezoid", "loglinear"}
        Straight lines in C between samples (as in instrument software, and unbiased under noise),
        or in ln C (exact for exponentials), where both ends are positive.
    background : str, Quantity, DataArray, or (start, stop), optional
        Subtracted: a concentration, or the depth window over which to take its mean.
    surface : {"measured", "exclude", "hold"}
        Include the near-surface transient as measured; exclude everything above `surface_depth`;
        or hold the value of the first sample from depth 0 down to it.
    surface_depth : str, Quantity or DataArray, optional
        Where the transient ends; needed by ``surface="exclude"``.
    variable : str, optional
        The variable of a Dataset, if several hold concentrations.
    gaps : {"flag", "bridge"}
        ``"bridge"`` accepts answers across gaps, and across samples that a file gives as ``<5E15``.
        A gap is a distance between samples of more than five times the median one, and of those
        around it: see :func:`quality`.
    strict : bool
        Raise, instead of warning, where the status would be ``truncated``, ``gap``, ``saturated``
        or ``below_limit`` (not of Dask data).

    Returns
    -------
    DataArray
        ``atom/cm^2``, without the depth dimension. Coordinates:

        - ``status``: ``ok``; ``no_data`` with NaN; by samples between the limits ``saturated``,
          ``gap``, and ``below_limit`` if those given as ``<5E15``, which have no value, may change
          the dose by more than its error and 1 %; ``below_detection`` where it does not exceed its
          error (or 0); ``truncated`` where a limit lies beyond the samples, or, without `stop`,
          where more than 2 % of the dose, and than its error, lies below the end of the record
          (see Notes); ``wrong_shape`` where the profile slopes or bends in the window of the
          background, and the dose is off by more than 2 % and its error; ``undetermined`` where,
          without errors, a slope hidden there (Notes) may change it by 5 %. Of several, the first
        - ``stderr`` (``atom/cm^2``), if the data carry standard errors s: the random part,
          ``sqrt(sum (w_i s_i)^2)`` with the trapezoidal weights, less ``W / n`` for each of the n
          samples of a background window (W is the width of the interval). With zero counts between
          the limits it is 1.84 counts in the sample of the largest weight; a background window
          without a count is known to 1.84 counts over n. Half of what a hidden slope may change is
          added, if more than 5 % and two errors; and, of an :func:`average`, what its repeats share

    Raises
    ------
    UnitsError, ProfileError
        If the data hold no concentration (counts have no dose), a limit has no unit, `start` is not
        above `stop`, or a background window is empty; and with `strict`.

    Notes
    -----
    Standard errors (*What stated errors cover*, on the site) leave out that of the rule: on an edge
    of r decades per sample the trapezoid is too high by a relative ``(r ln 10)^2 / 12``, and under
    relative noise s the log-linear rule too low by ``s^2 / 6``. Limits are exact, and a stated
    background without a coordinate ``stderr``.

    An end that falls is taken to go on as an exponential. Its slope is that of a parabola fitted to
    ln C over the longest stretch at the end that the parabola describes, if no shorter one is
    flatter. That is right for an exponential, and half too much for a Gaussian cut 1.7 straggles
    deeper than its maximum. A slope within 3.2 of its errors passes for a background, unless few
    counts hide that more than 5 % and three errors may be missing. A record that rises to its end,
    or to a plateau there, lacks the rest; one that ends high, in few counts, may. Noise hides
    slopes in the window of a background within 2.5 of their errors: those of exponentials that rise
    at most tenfold towards the limits, and not above what is measured beside the window.

    References
    ----------
    R. G. Wilson, F. A. Stevie, C. W. Magee, Secondary Ion Mass Spectrometry: A Practical Handbook,
    Wiley 1989; F. Garwood, Biometrika 28 (1936) 437, for zero counts.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> dose = sims.integrated_dose(ds, start="20 nm", stop="400 nm").sel(species="B")
    >>> print(f"{dose.item():.3e} {dose.attrs['units']}, {dose['status'].item()}")
    4.873e+14 atom/cm^2, ok
    """
    check_bool("strict", strict)
    frame = open_frame(data, DOSE_KINDS, question="a dose", variable=variable, gaps=gaps)
    with warnings_as_errors(ProfileError, _STRICT if strict else ()):
        question = read_question(frame, start, stop, rule, background, surface, surface_depth)
        dose = integral(frame, question)
        status = status_of(dose, [*doubts_of(dose), *doubts_of_transient_in(dose)])
    stderr = None if dose.stderr is None else dose.stderr / NM_PER_CM
    value, name = elementwise(np.divide, dose.value, NM_PER_CM), term(frame, "dose")
    return frame.array(value, name, status=status, stderr=stderr, rule=rule)


@dataclass(frozen=True)
class DoseQuestion:
    """The arguments of a dose in canonical units: read once, for any frame."""

    #: Limits; NaN for the end of a profile.
    start: xr.Variable
    stop: xr.Variable
    #: The given start, whatever `surface` excludes.
    given_start: xr.Variable
    rule: str
    background: Background
    surface: str
    surface_depth: xr.Variable | None
    #: A detection limit that some sample must exceed, infinite where it is not known; NaN for none.
    above: xr.Variable


def read_question(
    frame: Frame,
    start: Any = None,
    stop: Any = None,
    rule: str = "trapezoid",
    background: Any = None,
    surface: str = "measured",
    surface_depth: Any = None,
) -> DoseQuestion:
    """Read the arguments of :func:`integrated_dose`."""
    check_options(rule, surface)
    given_start, stop = read_window(frame, start, stop)
    start, transient = given_start, None
    if surface_depth is not None:
        transient = frame.parameter(surface_depth, ("depth",), "surface_depth")
    if surface == "exclude":
        if transient is None:
            raise ProfileError(
                "the depth where the surface transient ends is not stated",
                code="surface_transient",
                argument="surface_depth",
                remedy='surface="exclude" needs surface_depth',
            )
        # fmax ignores NaN, which stands for a start that was not given. Where the transient is not
        # known to end, there is no dose below it.
        start = elementwise(np.fmax, start, transient.fillna(np.inf))
    subtracted = read_background(frame, background)
    no_limit = NO_LIMITS[0]
    return DoseQuestion(start, stop, given_start, rule, subtracted, surface, transient, no_limit)


@dataclass(frozen=True)
class DoseIntegral:
    """An integral with its limits, status and variance, in value times nm."""

    frame: Frame
    question: DoseQuestion
    #: The samples it rests on.
    support: Support
    #: The subtracted integral: level times width; 0 without a background.
    background: xr.Variable
    #: The trend in the window of a background; None without one.
    trend: Any
    #: From random errors, including the background's; None without standard errors.
    stderr: xr.Variable | None
    #: Effect of the error of a background that was subtracted before; None without one.
    common: CommonError | None
    #: As of the kernel (:class:`sims_analysis.kernels.dose.Integral`), less the background.
    value: xr.Variable
    start: xr.Variable
    stop: xr.Variable
    status: xr.Variable
    n_linear_segments: xr.Variable
    below: xr.Variable
    transient_end: xr.Variable
    variance: xr.Variable


def integral(frame: Frame, question: DoseQuestion) -> DoseIntegral:
    """Integrate for :func:`integrated_dose`, :func:`dose_budget` and comparisons of doses."""
    start, stop, background = question.start, question.stop, question.background
    frame = background.on(frame)
    level = background.level(frame)
    # Between limits that are the same for all profiles, each is one weighted sum.
    single_sum = not (start.ndim or stop.ndim) and question.rule == "trapezoid"
    options: Any = {"block": ALL if single_sum else BLOCK, "rule": question.rule}
    options["hold"] = question.surface == "hold"
    options["sees_gaps"] = single_sum and not options["hold"]
    to_the_end = all_nan(stop)
    options["record"] = background.stated is None and to_the_end
    options["variance"] = frame.stderr is not None
    options["errors"] = "sum" if options["variance"] else None
    options["transient"] = question.surface == "measured" and question.surface_depth is None
    options["transient"] &= all_nan(start)
    use: Use = "record" if to_the_end else "curve"
    parameters = [start, stop, question.above, *(background.window or ())]
    if background.window is None and all_nan(question.above):
        parameters = parameters[:2]
    result, support = frame.evaluate(kernels.integrate, *parameters, use=use, **options)
    value, status, subtracted = result.value, result.status, level
    if background.exists:
        subtracted = level * (result.stop - result.start)
        # With an unknown background there is no dose.
        status = replaced_where(is_nan(level), status, Status.NO_DATA)
        value = value - subtracted

    stderr, common = _stderr(frame, question, result)
    if stderr is not None:
        stderr = replaced_where(is_nan(value), stderr)
    trend = background.trend(frame, (result.start, result.stop), value, stderr)
    if stderr is not None and trend is not None:
        stderr = elementwise(np.hypot, stderr, trend.slope_error)
    of_kernel = changed(result, value=value, status=status)._asdict()
    return DoseIntegral(frame, question, support, subtracted, trend, stderr, common, **of_kernel)


def _stderr(
    frame: Frame, question: DoseQuestion, result: Any
) -> tuple[xr.Variable | None, CommonError | None]:
    """Return the standard error, and the part of a background that was subtracted before."""
    limits: Window = question.start, question.stop
    window, hold = question.background.window, question.surface == "hold"

    def integrated(other: Frame) -> xr.Variable:
        # Trapezoids under either rule, as for the variance: they are linear in the values. A stated
        # background, which is exact, drops out.
        total: xr.Variable = other.map(kernels.integrate, *limits, hold=hold).value
        if window is not None:
            total = total - Background(window=window).level(other) * (result.stop - result.start)
        return total

    common = common_error(frame, integrated, linear=True)
    if frame.stderr is None:
        return None, common
    variance: Any = result.variance
    if common is not None:
        variance = (variance + common.variance).clip(min=0.0)
    of_scale = replace(frame, common=None)
    return add_background_error(of_scale, variance**0.5, integrated, linear=True), common


def doubts_of(dose: DoseIntegral) -> list[Doubt]:
    """Return the doubts about a dose, without that of a surface transient."""
    below = dose.below
    if dose.question.background.exists and may_exceed(below):
        # In a tail that still falls, a part of the dose is subtracted as background.
        below = below + dose.background.clip(min=0.0).where(below > 0, 0.0)
    return [
        *_doubts_of_significance(dose),
        *_doubts_of_limits(dose),
        *doubts_of_end(dose.frame, dose.value, below, dose.stderr),
        *doubts_of_window(dose.trend),
    ]


def status_of(
    dose: DoseIntegral, doubts: Iterable[Doubt], status: xr.Variable | None = None
) -> xr.Variable:
    """Return the status of an integral, or of a result that depends on it, and warn of it."""
    return resolve(
        dose.frame,
        dose.status if status is None else status,
        dose.support,
        (dose.start, dose.stop),
        what=f"the dose is interpolated across it ({dose.question.rule})",
        sum_of=dose.value,
        stderr=dose.stderr,
        doubts=doubts,
        category=DoseWarning,
    )


def doubts_of_end(
    frame: Frame,
    dose: xr.Variable,
    below: xr.Variable,
    stderr: xr.Variable | None = None,
    remedy: str = "pass stop= if the dose down to there is wanted",
) -> list[Doubt]:
    """Return the doubt about doses of whole records, by the doses `below` these.

    See :func:`.truncation.missing_below`: where it is more than 2 %, and than their error.
    """
    if not may_exceed(below):
        return []

    def text(first: FirstFlagged) -> str:
        share = first.of(below) / first.of(dose)
        if share >= 1:
            inside = f"the record, {first.record}, begins or ends inside the profile"
            return f"{inside}, or in too few counts to tell"
        more = f"and about {share:.0%} more lies below it, extrapolated from its slope there"
        return f"the record, {first.record}, ends inside the profile, {more}"

    error: Any = 0.0 if stderr is None else stderr.fillna(0.0)
    doubtful = (below > error) & (dose > error)
    return [Doubt(doubtful, Status.TRUNCATED, text, {"remedy": remedy})]


def _doubts_of_significance(dose: DoseIntegral) -> list[Doubt]:
    """Return the doubts about doses that do not exceed their standard error."""
    value, error = dose.value, dose.stderr
    margin: Any = 0.0 if error is None else replaced_where(is_nan(error), error, 0.0)
    subtracted = dose.question.background.exists
    if subtracted:  # a difference within rounding is not a negative dose
        margin = margin + TOLERANCE * abs(dose.background)
    low = elementwise(np.less_equal, value, margin, dtype=bool)
    insignificant = Doubt(low, Status.BELOW_DETECTION)
    if not may_hold(insignificant.flagged):
        return []
    if not subtracted:
        return [insignificant]
    text = (
        "the dose is negative: the background is higher than the profile; does its window lie "
        "in the profile?"
    )
    negative = (dose.background != 0) & (value < -margin)
    return [
        Doubt(negative, Status.BELOW_DETECTION, text),
        insignificant,
    ]


def check_options(rule: str, surface: str = "measured") -> None:
    """Refuse unknown values of the options `rule` and `surface`."""
    check_choice("rule", rule, ("trapezoid", "loglinear"))
    check_choice("surface", surface, ("measured", "exclude", "hold"))


def _doubts_of_limits(dose: DoseIntegral) -> list[Doubt]:
    """Return the doubts about doses whose limits reach beyond the samples."""
    frame, question, status = dose.frame, dose.question, dose.status
    depth, present = question.surface_depth, codes(status)
    if depth is None and present <= {Status.OK}:
        return []

    def beyond_text(first: FirstFlagged) -> str:
        return f"start or stop lies beyond the record; the record runs from {first.record}"

    truncated = elementwise(np.equal, status, Status.TRUNCATED, dtype=bool)
    doubts = [Doubt(truncated, Status.TRUNCATED, beyond_text)]
    if depth is None and Status.NO_DATA not in present:
        return doubts
    record = frame.map(ends)
    start, stop, above = question.start, question.stop, question.above
    endless: Any = np.isinf(start) | np.isinf(stop) | np.isinf(above)
    defined = ~endless & dose.background.notnull()
    missing = (status == Status.NO_DATA) & (record.last > record.first) & defined
    code: Parts = {"code": "no_sample_in_window"}
    if depth is not None:
        outside = (depth < record.first) | (depth > record.last)
        missing = missing & ~outside

        def outside_text(first: FirstFlagged) -> str:
            return f"surface_depth, {first.of(depth):g} nm, lies outside the record, {first.record}"

        argument: Parts = {"argument": "surface_depth", **code}
        doubts.insert(0, Doubt(outside, None, outside_text, argument))

    def empty_text(first: FirstFlagged) -> str:
        return (
            f"no dose: no sample lies between start and stop; the record runs from {first.record}"
        )

    return [*doubts, Doubt(missing, Status.NO_DATA, empty_text, code)]


#: Remedy of a surface transient of a dose.
_REMEDY = (
    'surface="exclude" with surface_depth="{end:g} nm" leaves it out, surface_depth= alone accepts '
    "it"
)


def doubts_of_transient_in(dose: DoseIntegral, remedy: str = _REMEDY) -> list[Doubt]:
    """Return a warning of integrals of records that begin with a surface transient.

    The `remedy` has a place for the `end`.
    """
    frame = dose.frame
    if is_lazy(dose.transient_end) or all_nan(dose.transient_end):
        return []
    transient = frame.map(surface_transient, *NO_LIMITS, most=kernels.MAX_SEARCHED)
    share, end = transient.above / dose.value, transient.end
    matters = (
        (end < TRANSIENT.deepest)
        & (end < dose.stop)
        & (dose.value > 0)
        & (share > TRANSIENT.matters)
    )
    first = first_flagged(frame, matters)
    if first is None:
        return []
    text = (
        f"the record begins in a surface transient, and {first.of(share):.0%} of the dose lies "
        f"above {first.of(end):g} nm, where the profile is lowest before its maximum at "
        f"{first.of(transient.deeper_depth):g} nm"
    )
    parts: Parts = {"code": "surface_transient", "remedy": remedy.format(end=first.of(end))}
    return [Doubt(matters, None, text, parts)]


def term(frame: Frame, name: str) -> str:
    """Return the term of the result: the integral of a range density is a fraction, not a dose."""
    return name if frame.kind == "concentration" else "retained_fraction"
