"""Compare two profiles, and many with their mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, Unpack

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.dose import (
    Rule,
    check_options,
    integral,
    integrated_dose,
    read_question,
    term,
)
from sims_analysis.analysis.junction import JunctionOptions, junction_depth
from sims_analysis.conventions.axes import MEASUREMENT, POINT
from sims_analysis.dataset.pairing import paired
from sims_analysis.errors import ProfileError
from sims_analysis.frame.background import add_background_error
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, resolve, support_of_window
from sims_analysis.frame.frame import Frame, refuse_labels
from sims_analysis.frame.opening import DOSE_KINDS, open_frame
from sims_analysis.frame.run import elementwise, is_nan, replaced_where
from sims_analysis.frame.window import Window
from sims_analysis.kernels import comparison as kernels
from sims_analysis.kernels import interpolation
from sims_analysis.kernels.dose import integrate
from sims_analysis.kernels.evidence import support_of_points
from sims_analysis.kernels.rows import ends
from sims_analysis.outcomes import GAP, Flag, Status
from sims_analysis.resampling.grid import to_grid
from sims_analysis.resampling.interpolation import ASKED, AT_DEPTHS
from sims_analysis.text.arguments import check_choice
from sims_analysis.units import NM_PER_CM, ParameterLike, QuantityLike


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

    Parameters
    ----------
    a, b : Dataset or DataArray
        In the same kind of unit; measurements or batches, on any axes. Species (and measurements,
        if both are batches) are paired by name; one measurement is compared with each of a batch.
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
    common to both, such as that of one sensitivity factor, cancel. One standard error covers 60 to
    79 % (*What stated errors cover*, on the site).

    References
    ----------
    JCGM 100:2008, Guide to the expression of uncertainty in measurement, for the propagation of
    errors.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> other = ds.assign(concentration=1.1 * ds["concentration"])
    >>> other["concentration"].attrs["units"] = "atom/cm^3"
    >>> found = sims.compare(ds, other)
    >>> float(found["dose_ratio"].sel(species="B").round(6))
    1.1
    """
    check_choice("method", method, ("log", "linear"))
    check_options(rule)
    a, b = paired(a, b)
    how: Any = {"variable": variable, "gaps": gaps}
    fa = open_frame(a, question="a comparison", **how)
    fb = open_frame(b, (fa.kind,), question="a comparison with these data", **how)
    coords = _shared_coords(fa, fb)
    fa, fb = replace(fa, coords=coords), replace(fb, coords=coords)

    start, stop, status = _overlap(fa, fb)
    status = _overlap_status(fa, fb, (start, stop), status, rule)
    # Interpolate b at the depths of a; one measurement is broadcast against a batch.
    asked = xr.Variable((*fa.depth.dims[:-1], ASKED), fa.depth.data)

    def at_a(frame: Frame) -> Any:
        return frame.map(interpolation.interpolate, asked, **AT_DEPTHS, method=method).value

    at_b = fb.rounded(at_a(fb))
    if not fb.bridge:
        flags = fb.map(support_of_points, asked, **AT_DEPTHS).flags
        at_b = at_b.where(flags & (GAP | Flag.BELOW_LIMIT) == 0)
    b_at_a = _along(at_b, fa)
    ratio, log_ratio = elementwise(kernels.ratios, fa.value, b_at_a, outputs=2)
    ratio, log_ratio = (_in_order(x, fa, fb) for x in (ratio, log_ratio))
    found = {
        "ratio": fa.with_attrs(ratio, "ratio"),
        "log_ratio": fa.with_attrs(log_ratio, "log_ratio"),
        "rms_log_ratio": fa.with_attrs((log_ratio**2).mean(fa.dim) ** 0.5, "rms_log_ratio"),
        "samples": fa.with_attrs((~is_nan(log_ratio)).sum(fa.dim), "samples_used"),
        "overlap_start": fa.with_attrs(start, "overlap_start"),
        "overlap_stop": fa.with_attrs(stop, "overlap_stop"),
    }
    if fa.stderr is not None and fb.stderr is not None:
        (of_b,) = fb.map(interpolation.stderr_at, asked, **AT_DEPTHS, errors="each", method=method)
        of_b = _along(add_background_error(fb, of_b, at_a), fa)
        found |= _errors_of_ratios(fa, fb, fa.stderr, b_at_a, of_b)
    if fa.kind in DOSE_KINDS:
        found |= _doses(fa, fb, (start, stop), rule)
    if level is not None:
        both = [units.dequantify(junction_depth(x, level, **junction, gaps=gaps)) for x in (a, b)]
        found |= _junctions(fa, fb, *both)
        # A level may have dimensions of its own.
        others = {d: c.variable for d, c in both[0].coords.items() if d in both[0].dims}
        fa = replace(fa, argument_coords={d: c for d, c in others.items() if d not in fa.coords})
    elif junction:
        raise ProfileError(
            f"compare: level= must be given with {', '.join(junction)}",
            code="conflicting_arguments",
        )
    found["status"] = fa.status(status)
    result = fa.dataset(found, coords=fa.along)
    return units.quantify(result) if fa.quantified else result


def _shared_coords(fa: Frame, fb: Frame) -> dict[Any, xr.Variable]:
    """Keep the coordinates that are equal in both; an identifier of one alone would mislead."""
    kept: dict[Any, xr.Variable | None] = {}
    for name in dict.fromkeys([*fa.coords, *fb.coords]):
        of_a, of_b = fa.coords.get(name), fb.coords.get(name)
        if of_a is not None and of_b is not None and of_a.equals(of_b):
            kept[name] = of_a
        elif name in (*fa.lead, *fb.lead):
            kept[name] = of_a if of_a is not None and of_a.ndim else of_b
    return {name: variable for name, variable in kept.items() if variable is not None}


def _overlap(fa: Frame, fb: Frame) -> tuple[xr.Variable, xr.Variable, xr.Variable]:
    a, b = (frame.map(ends) for frame in (fa, fb))
    first = _in_order(elementwise(np.maximum, a.first, b.first), fa, fb)
    last = _in_order(elementwise(np.minimum, a.last, b.last), fa, fb)
    both = first < last
    status = xr.where(both, Status.OK, xr.where(first.isnull(), Status.NO_DATA, Status.NO_OVERLAP))
    return first.where(both), last.where(both), status.astype(np.uint8)


def _overlap_status(
    fa: Frame, fb: Frame, window: Window, status: xr.Variable, rule: Rule
) -> xr.Variable:
    """Say what is doubtful of either in the overlap, each once."""
    found = status
    for frame, name in ((fa, "a"), (fb, "b")):
        of_dose, sum_of = frame.kind in DOSE_KINDS, None
        what = f"{name} is not compared in it"
        if of_dose:
            what += f", and its dose is interpolated across it ({rule})"
            sum_of = frame.map(integrate, *window, rule=rule).value
        support = support_of_window(frame, window)
        own = resolve(frame, status, support, window, what=what, sum_of=sum_of)
        found = _in_order(xr.where(found == Status.OK, own, found), fa, fb)
    return found


def _in_order(result: xr.Variable, fa: Frame, fb: Frame) -> xr.Variable:
    """Order the dimensions of a result as in a, after those that only b has."""
    more = [d for d in fb.lead if d not in fa.lead]
    return result.transpose(*more, *fa.value.dims, ..., missing_dims="ignore")


def _along(result: xr.Variable, frame: Frame) -> xr.Variable:
    """Rename the dimension of the requested depths to that of the frame."""
    return xr.Variable([frame.dim if d == ASKED else d for d in result.dims], result.data)


def _errors_of_ratios(
    fa: Frame, fb: Frame, own: xr.Variable, value: xr.Variable, stderr: xr.Variable
) -> dict[str, xr.Variable]:
    """Return the errors of ratios, from that of a and from the values of b at its depths."""
    # At one depth, it does not matter that other samples have a part of the error in common.
    of_a = add_background_error(fa, own, lambda f: f.value)
    errors = elementwise(kernels.ratio_errors, fa.value, value, of_a, stderr, outputs=2)
    return {
        name: fa.with_attrs(_in_order(values, fa, fb), name)
        for name, values in zip(("ratio_stderr", "log_ratio_stderr"), errors, strict=True)
    }


def _doses(fa: Frame, fb: Frame, window: Window, rule: Rule) -> dict[str, xr.Variable]:
    """Integrate both over the overlap, whose limits are NaN where there is none."""
    doses, errors = [], []
    for frame in (fa, fb):
        question = replace(
            read_question(frame, rule=rule),
            start=replaced_where(is_nan(window[0]), window[0], np.inf),
            stop=replaced_where(is_nan(window[1]), window[1], -np.inf),
        )
        found = integral(frame, question)
        doses.append(_in_order(found.value / NM_PER_CM, fa, fb))
        if found.stderr is not None:
            errors.append(_in_order(found.stderr / NM_PER_CM, fa, fb))
    name = term(fa, "dose")
    ratio = doses[1] / doses[0]
    answers = {
        f"dose_{which}": fa.with_attrs(dose, name, rule=rule)
        for which, dose in zip("ab", doses, strict=True)
    }
    answers["dose_ratio"] = fa.with_attrs(ratio, "dose_ratio", rule=rule)
    if len(errors) == len(doses):
        # Not from relative errors, which are undefined for a dose of zero.
        stderr = elementwise(np.hypot, errors[1], ratio * errors[0]) / abs(doses[0])
        answers["dose_ratio_stderr"] = fa.with_attrs(stderr, "dose_ratio_stderr")
    return answers


def _junctions(
    fa: Frame, fb: Frame, at_a: xr.DataArray, at_b: xr.DataArray
) -> dict[str, xr.Variable]:
    """Return the junctions of both, and their shift."""
    a, b = at_a.variable, at_b.variable
    of_a, of_b = (one["status"].variable for one in (at_a, at_b))
    parts = {
        "junction_a": (a, "junction_depth"),
        "junction_b": (b, "junction_depth"),
        "junction_shift": (b - a, "junction_shift"),
        "junction_status": (xr.where(of_a == Status.OK.word, of_b, of_a), "status"),
    }
    if "stderr" in at_a.coords and "stderr" in at_b.coords:
        # Noise moves both crossings to the same side of their edges: what these have in common
        # cancels. Half of the 68 % interval about the shift that holds that of the edges.
        error = elementwise(np.hypot, *(one["stderr"].variable for one in (at_a, at_b)))
        parts["junction_shift_stderr"] = error, "junction_shift_stderr"
    return {name: fa.with_attrs(_in_order(one, fa, fb), of) for name, (one, of) in parts.items()}


@recorded
def repeatability(
    batch: xr.Dataset | xr.DataArray,
    *,
    step: QuantityLike | None = None,
    level: ParameterLike | None = None,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
    **junction: Unpack[JunctionOptions],
) -> xr.Dataset:
    """Return the mean and the relative standard deviation over the measurements of a batch.

    Parameters
    ----------
    batch : Dataset or DataArray
        Over ``measurement``, as :func:`stack` gives it.
    step : str or Quantity, optional
        Step of the common grid (see :func:`to_grid`), which measurements with own axes need.
    start, stop : str, Quantity or DataArray, optional
        Limits of the dose; by default the ends of each profile.
    variable : str, optional
        The variable of a Dataset; by default the first.
    level, gaps, **junction
        As for :func:`compare`: the junction depth is returned too; gaps have no values.

    Returns
    -------
    Dataset
        Standard deviations use n - 1, and are NaN for fewer than two measurements.

        - ``<variable>``: the mean over depth, under the name of the variable and in its unit
        - ``<variable>_rsd`` (``1``), ``<variable>_n``: relative standard deviation, and number of
          measurements with a value there
        - ``dose`` (``atom/cm^2``), ``dose_rsd`` (``1``), ``dose_n``: of concentrations
        - ``junction_depth``, ``junction_depth_stddev`` (``nm``), ``junction_depth_rsd`` (``1``),
          ``junction_depth_n``: with a level, over the measurements with a junction

    Raises
    ------
    ProfileError
        If there is no ``measurement``, or axes differ and no step is given.

    References
    ----------
    ISO 5725-2, Accuracy of measurement methods and results: repeatability as a standard deviation.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> other = ds.assign(concentration=1.02 * ds["concentration"])
    >>> other["concentration"].attrs["units"] = "atom/cm^3"
    >>> found = sims.repeatability(sims.stack([ds, other]))
    >>> float(found["dose_rsd"].sel(species="B").round(4))
    0.014
    """
    if not isinstance(batch, xr.Dataset | xr.DataArray):
        raise TypeError(f"expected a Dataset or a DataArray, found {type(batch).__name__}")
    if MEASUREMENT not in batch.dims:
        raise ProfileError(
            f"repeatability needs a dimension {MEASUREMENT!r}, found "
            f"{tuple(map(str, batch.dims))}; stack() makes one of many Datasets",
            code="several_measurements",
        )
    if step is None and POINT in batch.dims:
        raise ProfileError(
            "each measurement has its own axis; give the step of the grid on which to "
            'compare them, such as step="1 nm"'
        )
    frame = open_frame(batch, question="repeatability", variable=variable)
    name = frame.term
    values = frame.array(frame.value, name, units_=frame.units, coords=frame.along)
    if step is not None:
        one: Any = batch if isinstance(batch, xr.DataArray) else batch[[frame.name]]
        gridded = to_grid(one, step=step, gaps=gaps)
        values = gridded if isinstance(gridded, xr.DataArray) else gridded[frame.name]
    found = _over_measurements(units.dequantify(values), name, frame.units)
    if frame.kind in DOSE_KINDS:
        dose = units.dequantify(integrated_dose(batch, start=start, stop=stop, gaps=gaps))
        found |= _over_measurements(dose, "dose", str(dose.attrs["units"]))
    if level is not None:
        depth = units.dequantify(junction_depth(batch, level=level, gaps=gaps, **junction))
        found |= _over_measurements(depth, "junction_depth", "nm", absolute=True)
    elif junction:
        raise ProfileError(
            f"repeatability: level= must be given with {', '.join(junction)}",
            code="conflicting_arguments",
        )
    result = as_dataset(found)
    return units.quantify(result) if frame.quantified else result


def as_dataset(arrays: Mapping[str, xr.DataArray]) -> xr.Dataset:
    """Return results as a Dataset, without coordinates of the data that have their names."""
    refuse_labels({d for one in arrays.values() for d in one.dims if d in one.coords}, arrays)
    named = {name: arrays.keys() & one.coords.keys() for name, one in arrays.items()}
    return xr.Dataset(
        {name: one.drop_vars(named[name]) if named[name] else one for name, one in arrays.items()}
    )


def _over_measurements(
    array: xr.DataArray, name: str, unit: str, *, absolute: bool = False
) -> dict[str, xr.DataArray]:
    """Return mean, relative (and `absolute`) standard deviation and number over measurements."""
    inside = {k: c for k, c in array.coords.items() if k in array.dims and k != MEASUREMENT}
    # Along the measurements; the runners of frames run along samples.
    mean, deviation, count = xr.apply_ufunc(
        kernels.mean_and_deviation,
        array.variable,
        input_core_dims=[[MEASUREMENT]],
        output_core_dims=[[], [], []],
        dask="parallelized",
        output_dtypes=[float, float, np.intp],
        dask_gufunc_kwargs={"allow_rechunk": True},
    )
    label = vocabulary.TERMS[name].long_name
    relative = deviation / mean.where(mean > 0)
    columns = {
        name: (mean, {**vocabulary.attrs(name, unit), "long_name": f"Mean {label.lower()}"}),
        f"{name}_rsd": (relative, vocabulary.attrs("relative_deviation")),
        f"{name}_n": (count, {"long_name": "Number of measurements"}),
    }
    if absolute:
        long_name = f"Standard deviation of the {label.lower()}"
        columns[f"{name}_stddev"] = (deviation, {"units": unit, "long_name": long_name})
    return {
        key: xr.DataArray(xr.Variable(v.dims, v.data, attrs), coords=inside, name=key)
        for key, (v, attrs) in columns.items()
    }
