"""Compare two profiles."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal, Unpack

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.analysis.crossings import JunctionOptions, junction_depth
from sims_analysis.analysis.dose import (
    DoseIntegral,
    Rule,
    check_options,
    integral,
    read_question,
    term,
)
from sims_analysis.dataset.pairs import paired
from sims_analysis.errors import ProfileError
from sims_analysis.frame.background import add_background_error
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, resolve, support_of_window, worse
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import DOSE_KINDS, open_frame
from sims_analysis.frame.run import elementwise, is_nan, replaced_where
from sims_analysis.frame.window import Window
from sims_analysis.kernels import comparison as kernels
from sims_analysis.kernels import interpolation
from sims_analysis.kernels.evidence import support_of_points
from sims_analysis.kernels.rows import ends
from sims_analysis.outcomes import GAP, Flag, Status
from sims_analysis.resampling.interpolation import ASKED, AT_DEPTHS
from sims_analysis.text.arguments import check_choice
from sims_analysis.units import NM_PER_CM, ParameterLike


@recorded
def compare(
    a: xr.Dataset | xr.DataArray,
    b: xr.Dataset | xr.DataArray,
    *,
    level: ParameterLike | None = None,
    method: Literal["log", "linear"] = "log",
    rule: Rule = "trapezoid",
    variable: str | None = None,
    gaps: GapPolicy = "flag",
    **junction: Unpack[JunctionOptions],
) -> xr.Dataset:
    """Compare b with the reference a over the depths at which both were measured.

    Not to be trusted on steep edges of data whose depths are shifted: :func:`align` them first.

    Parameters
    ----------
    a, b : Dataset or DataArray
        In the same kind of unit, on any axes. Species (and measurements, if both are batches) are
        paired by name; one measurement is compared with each of a batch.
    level : str, Quantity or DataArray, optional
        If given, the junction depths at this level are compared too.
    method : {"log", "linear"}
        How b is interpolated at the depths of a.
    rule, variable, gaps
        As for :func:`integrated_dose`; there is no ratio in gaps of `b`.
    **junction
        Options of :func:`junction_depth`.

    Returns
    -------
    Dataset
        Only b is interpolated, at the depths of `a`. In the overlap:

        - ``ratio`` (``1``), on the depth axis of `a`: b / a; NaN where a is zero, or in a gap of b
        - ``log_ratio`` (``1``): its log10; NaN where either is not positive
        - ``rms_log_ratio`` (``1``), ``samples``: its root mean square, and number of samples
        - ``overlap_start``, ``overlap_stop`` (``nm``)
        - ``dose_a``, ``dose_b`` (``atom/cm^2``), ``dose_ratio`` (``1``): of concentrations
        - ``junction_a``, ``junction_b``, ``junction_shift`` (``nm``, b minus a),
          ``junction_status``: with a level; that of a if it is not ok, otherwise that of b
        - ``ratio_stderr``, ``log_ratio_stderr``, ``dose_ratio_stderr``, ``junction_shift_stderr``:
          where both carry standard errors
        - ``status``: ``ok``, ``no_data`` or ``no_overlap``; ``saturated``, ``gap`` or
          ``below_limit`` if the dose of either in the overlap is so

    Raises
    ------
    SpeciesError, UnitsError
        If the two have no species or no kind of unit in common, or are not over depth.

    Notes
    -----
    Standard errors are the random part, to first order, for independent measurements a and b:
    ``r sqrt[(s_a / a)^2 + (s_b / b)^2]`` for a ratio r of values or doses; the same without r,
    divided by ln 10, for its logarithm. That of b between samples is as in :func:`to_grid`. Errors
    common to both cancel.

    References
    ----------
    JCGM 100:2008, Guide to the expression of uncertainty in measurement, 5.1.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> other = ds.assign(concentration=1.1 * ds["concentration"])
    >>> other["concentration"].attrs["units"] = "atom/cm^3"
    >>> ratios = sims.compare(ds, other)
    >>> float(ratios["dose_ratio"].sel(species="B").round(6))
    1.1
    """
    check_choice("method", method, ("log", "linear"))
    check_options(rule)
    refuse_without_level("compare", level, junction)
    a, b = paired(a, b)
    options: Any = {"variable": variable, "gaps": gaps}
    fa = open_frame(a, question="a comparison", **options)
    fb = open_frame(b, (fa.kind,), question="a comparison with these data", **options)
    coords = _shared_coords(fa, fb)
    fa, fb = replace(fa, coords=coords), replace(fb, coords=coords)
    start, stop, status = _overlap(fa, fb)
    status, doses = _integrated(fa, fb, (start, stop), status, rule)
    results = _ratios(fa, fb, method) | {"overlap_start": start, "overlap_stop": stop}
    if doses:
        results |= _doses(*doses)
    if level is not None:
        pair = [units.dequantify(junction_depth(x, level, **junction, gaps=gaps)) for x in (a, b)]
        results |= _junctions(*pair)
        # A level may have dimensions of its own.
        labels = {d: c.variable for d, c in pair[0].coords.items() if d in pair[0].dims}
        fa = replace(fa, argument_coords={d: c for d, c in labels.items() if d not in fa.coords})
    terms = _TERMS | dict.fromkeys(("dose_a", "dose_b"), term(fa, "dose"))
    ruled = {"dose_a", "dose_b", "dose_ratio"}
    named = {
        name: fa.with_attrs(var, terms.get(name, name), **({"rule": rule} if name in ruled else {}))
        for name, var in results.items()
    }
    named["status"] = fa.status(status)
    ordered = {name: _in_order(var, fa, fb) for name, var in named.items()}
    result = fa.dataset(ordered, coords=fa.along)
    return units.quantify(result) if fa.quantified else result


#: The terms of results that are not their names.
_TERMS = {
    "samples": "samples_used",
    "junction_a": "junction_depth",
    "junction_b": "junction_depth",
    "junction_status": "status",
}


def refuse_without_level(name: str, level: Any, junction: JunctionOptions) -> None:
    """Refuse options of a junction without its level."""
    if junction and level is None:
        raise ProfileError(
            f"{name}: level= must be given with {', '.join(junction)}",
            code="conflicting_arguments",
        )


def _shared_coords(fa: Frame, fb: Frame) -> dict[Any, xr.Variable]:
    """Keep the coordinates that are equal in both; an identifier of one alone would mislead."""
    shared: dict[Any, xr.Variable | None] = {}
    for name in dict.fromkeys([*fa.coords, *fb.coords]):
        of_a, of_b = fa.coords.get(name), fb.coords.get(name)
        if of_a is not None and of_b is not None and of_a.equals(of_b):
            shared[name] = of_a
        elif name in (*fa.lead, *fb.lead):
            shared[name] = of_a if of_a is not None and of_a.ndim else of_b
    return {name: variable for name, variable in shared.items() if variable is not None}


def _in_order(result: xr.Variable, fa: Frame, fb: Frame) -> xr.Variable:
    """Order the dimensions of a result as in a, after those that only b has."""
    extra = [d for d in fb.lead if d not in fa.lead]
    return result.transpose(*extra, *fa.value.dims, ..., missing_dims="ignore")


def _overlap(fa: Frame, fb: Frame) -> tuple[xr.Variable, xr.Variable, xr.Variable]:
    """Return the start and stop of the depths at which both were measured, and the status."""
    a, b = (frame.map(ends) for frame in (fa, fb))
    first = _in_order(elementwise(np.maximum, a.first, b.first), fa, fb)
    last = _in_order(elementwise(np.minimum, a.last, b.last), fa, fb)
    valid = first < last
    status = xr.where(valid, Status.OK, xr.where(first.isnull(), Status.NO_DATA, Status.NO_OVERLAP))
    return first.where(valid), last.where(valid), status.astype(np.uint8)


def _integrated(
    fa: Frame, fb: Frame, window: Window, status: xr.Variable, rule: Rule
) -> tuple[xr.Variable, list[DoseIntegral]]:
    """Return the worse status of the two in the overlap, and their doses if concentrations."""
    worst, doses = status, []
    for frame, name in ((fa, "a"), (fb, "b")):
        what, sum_of = f"{name} is not compared in it", None
        if frame.kind in DOSE_KINDS:
            question = replace(
                read_question(frame, rule=rule),
                start=replaced_where(is_nan(window[0]), window[0], np.inf),
                stop=replaced_where(is_nan(window[1]), window[1], -np.inf),
            )
            doses.append(integral(frame, question))
            what += f", and its dose is interpolated across it ({rule})"
            support, sum_of = doses[-1].support, doses[-1].value
        else:
            support = support_of_window(frame, window)
        frame_status = resolve(frame, status, support, window, what=what, sum_of=sum_of)
        worst = worse(worst, frame_status)
    return worst, doses


def _ratios(fa: Frame, fb: Frame, method: str) -> dict[str, xr.Variable]:
    """Interpolate b at the depths of a, and return ratios there, with their errors."""
    # One measurement is broadcast against a batch.
    depths = xr.Variable((*fa.depth.dims[:-1], ASKED), fa.depth.data)

    def at_a(frame: Frame) -> Any:
        return frame.map(interpolation.interpolate, depths, **AT_DEPTHS, method=method).value

    def along(result: xr.Variable) -> xr.Variable:
        return xr.Variable([fa.dim if d == ASKED else d for d in result.dims], result.data)

    of_b = fb.rounded(at_a(fb))
    if not fb.bridge:
        flags = fb.map(support_of_points, depths, **AT_DEPTHS).flags
        of_b = of_b.where(flags & (GAP | Flag.BELOW_LIMIT) == 0)
    values = fa.value, along(of_b)
    ratio, log_ratio = elementwise(kernels.ratios, *values, outputs=2)
    results = {
        "ratio": ratio,
        "log_ratio": log_ratio,
        "rms_log_ratio": (log_ratio**2).mean(fa.dim) ** 0.5,
        "samples": (~is_nan(log_ratio)).sum(fa.dim),
    }
    if fa.stderr is None or fb.stderr is None:
        return results
    # At one depth, it does not matter that other samples have a part of the error in common.
    error_a = add_background_error(fa, fa.stderr, lambda f: f.value)
    (error,) = fb.map(interpolation.stderr_at, depths, **AT_DEPTHS, errors="each", method=method)
    error_b = along(add_background_error(fb, error, at_a))
    errors = elementwise(kernels.ratio_errors, *values, error_a, error_b, outputs=2)
    return results | dict(zip(("ratio_stderr", "log_ratio_stderr"), errors, strict=True))


def _doses(of_a: DoseIntegral, of_b: DoseIntegral) -> dict[str, xr.Variable]:
    """Return the doses of a and b in the overlap, their ratio and its error."""
    a, b = of_a.value / NM_PER_CM, of_b.value / NM_PER_CM
    ratio = b / a
    results = {"dose_a": a, "dose_b": b, "dose_ratio": ratio}
    if of_a.stderr is not None and of_b.stderr is not None:
        # Not from relative errors, which are undefined for a dose of zero.
        error = elementwise(np.hypot, of_b.stderr, ratio * of_a.stderr)
        results["dose_ratio_stderr"] = error / abs(of_a.value)
    return results


def _junctions(at_a: xr.DataArray, at_b: xr.DataArray) -> dict[str, xr.Variable]:
    """Return the junctions of both, and their shift."""
    a, b = at_a.variable, at_b.variable
    of_a, of_b = (junction["status"].variable for junction in (at_a, at_b))
    results = {
        "junction_a": a,
        "junction_b": b,
        "junction_shift": b - a,
        "junction_status": xr.where(of_a == Status.OK.word, of_b, of_a),
    }
    if "stderr" in at_a.coords and "stderr" in at_b.coords:
        # Noise moves both crossings to the same side of their edges: what these have in common
        # cancels. Half of the 68 % interval about the shift that contains that of the edges.
        errors = (junction["stderr"].variable for junction in (at_a, at_b))
        results["junction_shift_stderr"] = elementwise(np.hypot, *errors)
    return results
