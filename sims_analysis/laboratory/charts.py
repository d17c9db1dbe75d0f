"""Control charts, and the capability of a process."""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Literal, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.axes import POINT
from sims_analysis.errors import ProfileError, ProfileWarning, warn
from sims_analysis.frame.call import recorded
from sims_analysis.kernels.rows import Array, Flags
from sims_analysis.laboratory.chart_rules import RULES, SETS, point_statuses
from sims_analysis.laboratory.process_scatter import CONFIDENCE, scatter_of
from sims_analysis.text.arguments import argument_error, check_choice, is_number, list_dims
from sims_analysis.text.times import A_DATE, iso_dates
from sims_analysis.units import QuantityLike, WindowLike

#: Mean moving range of normal values over their standard deviation, as tables of charts have it.
_D2 = 1.128
#: Kind of chart -> standard deviations of what is drawn from the centre to the limits.
_WIDTHS = {"individuals": 3.0, "ewma": 2.86, "cusum": 5.0}
_SLACK = 0.5  # taken off a cumulative sum at each step, in standard deviations
#: Dimensions along which the values are of one measurement.
_OF_ONE_MEASUREMENT = ("species", "layer", "crossing", POINT, *vocabulary.AXES)
#: A day or a month, perhaps with a time of day.
_ISO = re.compile(r"\d{4}-\d\d(-\d\d([T ][\d:.]+)?)?")


@recorded
def control_chart(
    values: xr.DataArray,
    *,
    kind: Literal["individuals", "ewma", "cusum"] = "individuals",
    baseline: tuple[object, object] | None = None,
    target: QuantityLike | None = None,
    stddev: QuantityLike | None = None,
    limits: WindowLike | None = None,
    rules: str | Sequence[str] = "limits",
    weight: float | str = 0.2,
    width: float | None = None,
) -> xr.Dataset:
    """Chart the answers of many measurements, and flag those that are out of control.

    Not to be trusted with a short baseline, which makes more false alarms.

    Parameters
    ----------
    values : DataArray
        Over one dimension, such as the :func:`integrated_dose` of a batch, in the order of its
        coordinate of times, if it has one. With a coordinate ``stderr``, scatter beyond counting is
        stated separately.
    kind : {"individuals", "ewma", "cusum"}
        ``"individuals"`` shows large departures at once; the exponentially weighted moving average
        and cumulative sums (not reset after a correction) small ones that last.
    baseline : (first, last), optional
        What was in control: two times, ``("2026-01-01", "2026-02-28")``, both days included, or
        two labels of measurements. By default everything.
    target, stddev : str or Quantity, optional
        The centre; by default the mean of the baseline. The standard deviation s; by default ``mean
        |x_i - x_(i-1)| / 1.128`` of the baseline.
    limits : (lower, upper), optional
        Stated limits of what is drawn, each a str or Quantity.
    rules : str or sequence of str
        For individuals, with the limits: the set ``"western_electric"`` or ``"nelson"``, or some of
        ``two_of_three`` (beyond 2 s on a side), ``four_of_five`` (beyond s), ``run_of_eight``,
        ``run_of_nine`` (on a side), ``trend_of_six``, ``fourteen_alternating``, ``fifteen_within``
        (s), ``eight_without``.
    weight : float or str
        Weight w of the latest value in the moving average, ``z_i = w x_i + (1 - w) z_(i-1)``.
    width : float, optional
        From the centre to the limits: 3 s of values; 2.86 of ``s sqrt(w / (2 - w) (1 - (1 -
        w)^(2i)))`` of moving averages; 5 s of ``S_i = max(0, S_(i-1) +- (x_i - target) - s / 2)``.

    Returns
    -------
    Dataset
        In order of time: ``value``; ``average``, or ``upper_sum`` and ``lower_sum`` (negative), of
        which the limits are then; ``centre``, ``lower``, ``upper``; ``status``: ``ok``, ``no_data``
        of NaN, ``beyond_limits``, or ``two_of_three``, ``run``, ``trend``... by the first rule that
        the point completes, of all in ``rule``. Of the baseline: ``stddev``; ``counting_stddev``,
        ``sqrt(mean s_i^2)`` of the standard errors; ``process_stddev``, the scatter beyond counting
        by chi-square (Paule and Mandel), with its 95 % interval ``process_stddev_lower``,
        ``_upper``: both 0 where values scatter less than counting does in 97.5 % of cases.

    Raises
    ------
    UnitsError, ProfileError
        If units or dimensions do not fit, or all values of the baseline are equal.

    Warns
    -----
    ProfileWarning
        If several values are of one day: these do not scatter as days do.

    Notes
    -----
    Average run lengths, in control and after a step of one standard deviation: individuals 370 and
    44 (92 and 9.2 with the rules of Western Electric), moving average 368 and 8.8, cumulative sums
    465 and 10.4; of a known centre and standard deviation.

    References
    ----------
    NIST/SEMATECH e-Handbook of Statistical Methods, 6.3.2. ISO 7870, parts 2, 4 and 6. L. S.
    Nelson, J. Qual. Technol. 16 (1984) 237.

    Examples
    --------
    >>> import xarray as xr
    >>> import sims_analysis as sims
    >>> flow = xr.DataArray(  # NIST/SEMATECH e-Handbook, 6.3.2.2
    ...     [49.6, 47.6, 49.9, 51.3, 47.8, 51.2, 52.6, 52.4, 53.6, 52.1],
    ...     dims="measurement", attrs={"units": "1"},
    ... )
    >>> chart = sims.control_chart(flow)
    >>> [round(chart[name][0].item(), 4) for name in ("lower", "centre", "upper")]
    [45.8159, 50.81, 55.8041]
    >>> set(chart["status"].values.tolist())
    {'ok'}
    """
    check_choice("kind", kind, _WIDTHS)
    names = [rules] if isinstance(rules, str) else list(rules)
    if kind != "individuals" and names != ["limits"]:
        raise argument_error("rules", rules, f"they are for individuals, not for {kind}")
    for name in names:
        check_choice("rules", name, (*SETS, *RULES))
    rule_names = list(dict.fromkeys(rule for name in names for rule in SETS.get(name, (name,))))
    width = _WIDTHS[kind] if width is None else width
    weight = units.read_fraction(weight, "weight", ends="(]")
    if not (is_number(width) and width > 0):
        raise argument_error("width", width, "expected a number above 0")
    series = read_series(values)
    if series.time:
        days = pd.DatetimeIndex(series.data[series.time].values).normalize()
        if days.has_duplicates:
            day = days[days.duplicated()][0]
            mean = f'values.groupby(values["{series.time}"].dt.floor("D")).mean()'
            text = f"{day:%Y-%m-%d}: several values of one day, which do not scatter as days do"
            warn(text, ProfileWarning, code="several_a_day", remedy=f"average them first, {mean}")
    x, inside = series.value, _in_baseline(series, baseline)
    used = x[inside]
    if stddev is not None:
        sigma = series.number(stddev, "stddev")
    elif np.unique(used).size > 1:
        sigma = float(np.mean(abs(np.diff(used)))) / _D2
    else:
        text = f"expected two different values in the baseline, found {np.unique(used).size}"
        raise ProfileError(text, argument="stddev", remedy="state stddev=")
    centre = float(used.mean()) if target is None else series.number(target, "target")
    if not (sigma > 0 and np.isfinite(centre)):
        raise argument_error("stddev", stddev, "expected a positive one, and target= with it")
    statistic, middle, half = _chart_statistic(kind, x, centre, sigma, weight)
    ends = [middle - width * half, middle + width * half]
    if limits is not None:
        is_pair = isinstance(limits, tuple | list) and len(limits) == 2
        ends = [np.full(x.size, series.number(end, "limits")) for end in limits] if is_pair else []
        if not is_pair or (ends[0] >= ends[1]).any():
            raise argument_error("limits", limits, "expected (lower, upper), lower below upper")
    outside = np.any([(y < ends[0]) | (y > ends[1]) for y in statistic.values()], axis=0)
    columns = {"value": x, **statistic, "centre": np.full(x.size, middle)}
    columns |= {"lower": ends[0], "upper": ends[1]}
    chart = series.dataset(columns, {"stddev": sigma, **scatter_of(used, series.stderr[inside])})
    status, rule = point_statuses(x, outside, (x - centre) / sigma, rule_names)
    chart = chart.assign(status=(series.dim, status), rule=(series.dim, rule))
    return chart.assign_coords(in_baseline=(series.dim, inside)).assign_attrs(kind=kind)


@recorded
def capability(
    values: xr.DataArray, *, lower: QuantityLike | None = None, upper: QuantityLike | None = None
) -> xr.Dataset:
    """Compare the scatter of a process in control with its specification limits: Cp and Cpk.

    Not to be trusted before a control chart shows that the process is in control.

    Parameters
    ----------
    values : DataArray
        As for :func:`control_chart`.
    lower, upper : str or Quantity, optional
        Specification limits; one of them at least.

    Returns
    -------
    Dataset
        ``mean``, ``stddev`` s (n - 1, counting included), ``samples``; ``cp``, ``(upper - lower) /
        6 s``, with its 95 % interval ``cp_lower``, ``cp_upper``, by chi-square; ``cpk``, the lesser
        of ``(upper - mean) / 3 s`` and ``(mean - lower) / 3 s``, with ``cpk_lower``, ``cpk_upper``
        at ``1.96 sqrt(1 / (9 n) + Cpk^2 / (2 (n - 1)))`` on either side.

    Raises
    ------
    UnitsError, ProfileError
        If values have no unit, or a limit has another one; or no two of them differ.

    References
    ----------
    NIST/SEMATECH e-Handbook of Statistical Methods, 6.1.6.

    Examples
    --------
    >>> import xarray as xr
    >>> import sims_analysis as sims
    >>> dose = xr.DataArray([4.9e14, 5.0e14, 5.1e14], dims="measurement",
    ...                     attrs={"units": "atom/cm^2"})
    >>> found = sims.capability(dose, lower="4.4e14 atoms/cm^2", upper="5.6e14 atoms/cm^2")
    >>> round(found["cp"].item(), 6), round(found["cpk"].item(), 6)
    (2.0, 2.0)
    """
    from scipy.special import chdtri, ndtri

    series = read_series(values)
    ends = [np.nan if limit is None else series.number(limit, name)
            for name, limit in (("lower", lower), ("upper", upper))]  # fmt: skip
    if np.isnan(ends).all() or ends[0] >= ends[1]:
        raise argument_error("lower", lower, "expected a limit below upper=, or one of both")
    x = series.value[~np.isnan(series.value)]
    n, mean, s = x.size, float(np.mean(x)), float(np.std(x, ddof=1)) if x.size > 1 else 0.0
    if not s > 0:
        text = f"expected two different values, found {np.unique(x).size}"
        raise ProfileError(text, code="too_few_values", argument="values")
    cp = (ends[1] - ends[0]) / (6.0 * s)
    cpk = float(np.nanmin([ends[1] - mean, mean - ends[0]])) / (3.0 * s)
    tails = 0.5 * (1.0 + CONFIDENCE), 0.5 * (1.0 - CONFIDENCE)
    of_cp = [cp * float(chdtri(n - 1, tail) / (n - 1)) ** 0.5 for tail in tails]
    half = float(ndtri(tails[0])) * (1.0 / (9.0 * n) + cpk**2 / (2.0 * (n - 1.0))) ** 0.5
    indices = {"cp": cp, "cp_lower": of_cp[0], "cp_upper": of_cp[1]}
    indices |= {"cpk": cpk, "cpk_lower": cpk - half, "cpk_upper": cpk + half}
    answer = series.dataset({}, {"mean": mean, "stddev": s}).assign(samples=n)
    return answer.assign({name: ((), number, {"units": "1"}) for name, number in indices.items()})


@recorded
def uniformity(values: xr.DataArray) -> xr.Dataset:
    """Say how uniform values over a wafer are, as measured and without counting.

    Not to be trusted with few points: half of the range grows with their number.

    Parameters
    ----------
    values : DataArray
        As for :func:`control_chart`.

    Returns
    -------
    Dataset
        ``mean``, ``samples``; and as fractions of the mean ``half_range``, ``(max - min) / 2``,
        ``stddev`` (n - 1), ``counting_stddev`` and ``process_stddev`` as of :func:`control_chart`,
        and ``process_half_range``: the half range times ``process_stddev / stddev``.

    Raises
    ------
    ProfileError
        If there are fewer than two values, or their mean is not positive.

    References
    ----------
    SEMI MF81, Measuring radial resistivity variation on silicon wafers, for the half range.

    Examples
    --------
    >>> import xarray as xr
    >>> import sims_analysis as sims
    >>> dose = xr.DataArray([4.9e14, 5.0e14, 5.1e14], dims="measurement",
    ...                     attrs={"units": "atom/cm^2"})
    >>> found = sims.uniformity(dose)
    >>> print(f"{found['half_range']:.1%}, 1 standard deviation {found['stddev']:.1%}")
    2.0%, 1 standard deviation 2.0%
    """
    series = read_series(values)
    valid = ~np.isnan(series.value)
    x = series.value[valid]
    mean = float(x.mean()) if x.size > 1 else 0.0
    if not mean > 0:
        text = f"expected two or more values with a positive mean, found {x.size}"
        raise ProfileError(text, code="too_few_values", argument="values")
    scatter = scatter_of(x, series.stderr[valid])
    numbers = {"half_range": float(np.ptp(x)) / 2.0, "stddev": float(x.std(ddof=1))}
    numbers |= {name: scatter[name] for name in ("counting_stddev", "process_stddev")}
    part = min(numbers["process_stddev"] / (numbers["stddev"] or 1.0), 1.0)
    numbers["process_half_range"] = part * numbers["half_range"]
    answer = series.dataset({}, {"mean": mean}).assign(samples=x.size)
    parts = {name: ((), number / mean, {"units": "1"}) for name, number in numbers.items()}
    return answer.assign(parts)


class Series(NamedTuple):
    """Values in order of time, in their own unit, and where they stand."""

    value: Array
    stderr: Array
    unit: units.Unit
    dim: str
    data: xr.DataArray
    #: What they are; and the name of the coordinate of times, empty without one.
    name: str
    time: str

    def number(self, value: Any, name: str) -> float:
        """Read a number with the unit of the values."""
        return float(self.unit.from_canonical(units.read_number(value, (self.unit.kind,), name)))

    def dataset(self, columns: dict[str, Array], numbers: dict[str, float]) -> xr.Dataset:
        """Return columns and numbers in the unit of the values, with the coordinates of these."""
        attrs = {"units": self.unit.text}
        variables = {name: xr.Variable(self.dim, column, attrs) for name, column in columns.items()}
        variables |= {name: xr.Variable((), number, attrs) for name, number in numbers.items()}
        if "value" in variables:
            variables["value"].attrs["long_name"] = self.name
        coords = {
            str(name): coord.variable
            for name, coord in self.data.coords.items()
            if name not in (*variables, "status") and (columns or not coord.ndim)
        }
        return xr.Dataset(variables, coords, {"time": self.time})


def read_series(values: Any) -> Series:
    """Read values over measurements, or under another name of these, in order of their times."""
    array = isinstance(values, xr.DataArray)
    if not array or values.ndim != 1 or values.dims[0] in _OF_ONE_MEASUREMENT:
        kind = f"one over {list_dims(values.dims)}" if array else f"a {type(values).__name__}"
        text = f"expected a DataArray over measurements alone, found {kind}"
        remedy = 'select the rest, as in values.sel(species="B")' if array else (
            'xr.DataArray(values, dims="measurement", attrs={"units": ...})'
        )  # fmt: skip
        raise ProfileError(text, code="wrong_dimensions", argument="values", remedy=remedy)
    data = units.dequantify(values).compute()
    dim = str(data.dims[0])
    unit = units.unit_of_kind(data.attrs.get("units"), tuple(units.CANONICAL), "values")
    times = [str(name) for name, coord in data.coords.items()
             if coord.dims == (dim,) and coord.dtype.kind == "M"]  # fmt: skip
    if len(times) > 1:
        text = f"the values have several coordinates of times: {', '.join(times)}"
        remedy = f"keep one, as in values.drop_vars({times[1:]})"
        raise ProfileError(text, code="ambiguous_time", argument="values", remedy=remedy)
    if times:
        undated = np.isnat(data[times[0]].values)
        if undated.any():
            text = f"{data[dim].values[undated][0]!s} has no time in the coordinate {times[0]!r}"
            remedy = f"drop it, or the times of all, values.drop_vars({times[0]!r})"
            raise ProfileError(text, code="missing_time", argument="values", remedy=remedy)
        data = data.isel({dim: np.argsort(data[times[0]].values, kind="stable")})
    stderr = np.full(data.size, np.nan)
    if "stderr" in data.coords:
        text_of_unit = data["stderr"].attrs.get("units", unit.text)
        unit_of_stderr = units.unit_of_kind(text_of_unit, (unit.kind,), "stderr")
        errors = unit_of_stderr.to_canonical(data["stderr"].values.astype(np.float64))
        stderr = unit.from_canonical(errors)
        data = data.assign_coords(stderr=(data["stderr"].dims, stderr, {"units": unit.text}))
        stderr = np.broadcast_to(stderr, data.shape)
        if "scatter" in data.coords:  # of the samples of a mean, which is no counting
            stderr = stderr / data["scatter"].values
    if np.isinf(data.values).any():
        raise ProfileError("a value is infinite", code="infinite_sample")
    value = data.values.astype(np.float64)
    name = str(data.attrs.get("long_name", data.name or "Value"))
    return Series(value, stderr, unit, dim, data, name, times[0] if times else "")


def _in_baseline(series: Series, baseline: Any) -> Flags:
    """Return which values are in the baseline: between two times, or two labels."""
    valid: Flags = ~np.isnan(series.value)
    if baseline is None:
        return valid
    labels = series.data[series.dim].values.tolist()
    inside: Flags = np.zeros(valid.size, dtype=bool)
    pair = isinstance(baseline, tuple | list) and len(baseline) == 2
    if pair and all(end in labels for end in baseline):
        first, last = map(labels.index, baseline)
        inside[first : last + 1] = True
    elif pair and series.time and all(map(_ISO.fullmatch, ends := iso_dates(map(str, baseline)))):
        times: Any = pd.DatetimeIndex(series.data[series.time].values)
        with suppress(TypeError, ValueError):  # no such day
            inside[times.slice_indexer(*ends)] = True
    if not (inside & valid).any():
        expected, span = "two labels of measurements", labels
        if series.time:
            span = series.data[series.time].dt.strftime("%Y-%m-%d").values
            expected += f", or two dates in {A_DATE}"
        text = f"expected (first, last): {expected}, with values between them; the measurements"
        raise argument_error("baseline", baseline, f"{text} are from {span[0]} to {span[-1]}")
    return inside & valid


def _chart_statistic(
    kind: str, x: Array, centre: float, sigma: float, weight: float
) -> tuple[dict[str, Array], float, Array]:
    """Return what is drawn, its centre, and its standard deviation at each point."""
    constant = np.full(x.size, sigma)
    if kind == "individuals":
        return {"value": x}, centre, constant
    if kind == "ewma":
        average = pd.Series([centre, *x]).ewm(alpha=weight, adjust=False, ignore_na=True).mean()
        number = np.maximum(np.cumsum(~np.isnan(x)), 1)
        part = weight / (2.0 - weight) * (1.0 - (1.0 - weight) ** (2 * number))
        return {"average": average.to_numpy()[1:]}, centre, sigma * np.sqrt(part)
    sums = {}
    for name, sign in {"upper_sum": 1.0, "lower_sum": -1.0}.items():
        total = np.nancumsum(sign * (x - centre) - _SLACK * sigma)
        sums[name] = sign * (total - np.minimum(np.minimum.accumulate(total), 0.0)) + 0.0
    return sums, 0.0, constant
