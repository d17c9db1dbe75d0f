"""Depths at times: by a rate, rates of layers, a crater, markers, or a line through layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.analysis.uncertainty import of_known
from sims_analysis.conventions.axes import MEASUREMENT
from sims_analysis.errors import (
    FitWarning,
    ProfileError,
    ProfileWarning,
    SpeciesError,
    UnitsError,
    about,
    warn,
)
from sims_analysis.frame.arguments import refuse_not_positive
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged, warn_where
from sims_analysis.frame.parameters import read_points
from sims_analysis.frame.run import anywhere
from sims_analysis.kernels.samples import Array
from sims_analysis.outcomes import Status
from sims_analysis.quantification.arguments import read_layers, read_pairs
from sims_analysis.quantification.depth_axis import DepthAxis, Scale, per_measurement
from sims_analysis.quantification.straight_line import straight_line
from sims_analysis.text.arguments import argument_error, format_argument, is_number

#: A slope is known from so many standard errors.
_KNOWN = 5.0
#: A line is bent where chance makes its misfit as large in one case of two hundred.
_CHANCE_OF_MISFIT = 0.005
_STATUS = tuple(status.word for status in (Status.OK, Status.TWO_MARKERS, Status.BENT))


class MarkerLine(NamedTuple):
    """``z = rate t + offset``, with one value of each for every measurement."""

    #: In nm for each unit of the axis: nm/s, or nm/nm.
    rate: xr.Variable
    rate_stderr: xr.Variable
    #: In nm.
    offset: xr.Variable
    offset_stderr: xr.Variable
    #: Chi-square over the degrees of freedom; NaN of two markers.
    misfit: xr.Variable
    #: ``ok``, ``two_markers`` or ``bent``.
    status: xr.Variable


def read_scale(
    axis: DepthAxis,
    rate: Any,
    crater_depth: Any,
    total_time: Any,
    relative_rates: Any,
    markers: Any,
) -> Scale:
    """Read the one argument that sets the scale, which must cover the times of the record."""
    frame, edges = axis.frame, axis.edges
    record = edges.get("sputter_time_bounds", edges.get("cell_stop", axis.values))
    if markers is not None:
        return Scale(*_by_markers(record, markers))
    if rate is None:
        return _by_crater(frame, record, crater_depth, total_time, relative_rates)
    if isinstance(rate, list | tuple):
        return Scale(*_by_layers(record, rate, "rate", _sputter_rate))
    if isinstance(rate, xr.DataArray) and frame.dim in rate.dims:
        return _depths_by_rate(frame, axis.values, rate)
    speed = _read_positive(frame, rate, "sputter_rate", "rate")
    text = f"z = {format_value(speed, 'nm/s')} * t"
    relative = _error_of(frame, rate)
    return Scale(lambda t: speed * t, text, speed, "sputter_rate", relative=relative)


def _error_of(frame: Frame, rate: Any) -> xr.Variable | None:
    """Return the relative standard error of a rate that states one: the largest of samples."""
    if not isinstance(rate, xr.DataArray):
        return None
    plain, parts = units.dequantify(rate), []
    for name in {"stderr", "common_stderr"} & set(plain.coords):
        error = (plain[name] / plain).reset_coords(drop=True).assign_attrs(units="1")
        parts.append(frame.parameter(error, ("dimensionless",), "error of rate", along=True))
    if not parts:
        return None
    relative = of_known(*parts)
    largest: xr.Variable = relative.max([d for d in relative.dims if d != MEASUREMENT])
    return largest


def _depths_by_rate(frame: Frame, time: xr.Variable, rate: xr.DataArray) -> Scale:
    """Return depths by a rate at each sample, linear between them and constant beyond."""
    speed = frame.parameter(rate, ("sputter_rate",), "rate", along=True)
    other = [d for d in speed.dims if d not in (frame.dim, MEASUREMENT)]
    if other:
        raise ProfileError(
            f"rate is over {other[0]!r}; the species of a measurement are sputtered together",
            argument="rate",
        )
    refuse_not_positive(speed, rate, "rate")
    speeds = speed.values[np.isfinite(speed.values)]
    text = f"z = integral of a rate from {speeds.min():.4g} to {speeds.max():.4g} nm/s"

    lead = {MEASUREMENT, *time.dims} - {frame.dim}

    def at(places: xr.Variable) -> xr.Variable:
        inner = [d for d in places.dims if d not in lead]
        depths: xr.Variable = xr.apply_ufunc(
            _integrated,
            places,
            time,
            speed,
            input_core_dims=[inner, [frame.dim], [frame.dim]],
            output_core_dims=[inner],
            vectorize=True,
        )
        return depths

    return Scale(at, text, relative=_error_of(frame, rate))


def _integrated(places: Array, time: Array, speed: Array) -> Array:
    """Integrate a rate from t = 0 to some times."""
    usable = np.isfinite(time) & np.isfinite(speed)
    if not usable.any():
        return np.full(places.shape, np.nan)
    t, v = time[usable], speed[usable]
    every = np.unique(np.concatenate([t, [0.0], places[np.isfinite(places)]]))
    rate = np.interp(every, t, v)
    depth = np.append(0.0, np.cumsum(0.5 * (rate[1:] + rate[:-1]) * np.diff(every)))
    depths: Array = np.interp(places, every, depth) - np.interp(0.0, every, depth)
    return depths


def by_line(line: MarkerLine, axis: str, *, apply_offset: bool) -> Scale:
    """Return depths by the line through several layers."""
    rate = f"{format_value(line.rate, 'nm/s')} * t"
    if axis == "depth":
        rate = f"{format_value(line.rate)} * z"
    shift = line.offset if apply_offset else 0.0 * line.offset
    added = f" + {format_value(line.offset, 'nm')}" if apply_offset else ""
    text = f"z = {rate}{added} (line through layers at known depths)"
    relative = line.rate_stderr / line.rate
    return Scale(lambda t: line.rate * t + shift, text, relative=relative, stretch=line.rate)


@about(argument="markers")
def line_through(frame: Frame, fit: xr.Dataset, depths: Any) -> MarkerLine:
    """Fit a line through the positions of layers, which have the errors, over known depths."""
    position, square = _positions(frame, fit)
    certified = _known_depths(depths, position.sizes["layer"])
    lead = [d for d in position.dims if d != "layer"]
    where = position.transpose(*lead, "layer").values
    squares = square.transpose(*lead, "parameter", "parameter_").values
    rows = np.vectorize(_line, signature="(n),(n),(n,n)->(k)")(certified, where, squares)
    words = np.array(_STATUS)[rows[..., 5].astype(int)]
    if (worst := next((word for word in _WARNED if word in words), None)) is not None:
        warn(f"markers: {_WARNED[worst]}", FitWarning, argument="markers")
    numbers = (xr.Variable(lead, rows[..., i]) for i in range(5))
    return MarkerLine._make([*numbers, xr.Variable(lead, words)])


def _by_crater(
    frame: Frame, time: xr.Variable, crater_depth: Any, total_time: Any, relative_rates: Any
) -> Scale:
    """Return depths that end at a crater of known depth."""
    crater = _read_positive(frame, crater_depth, "depth", "crater_depth")
    total = _total_time(frame, time, total_time)
    note = f"(crater {format_value(crater, 'nm')} in {format_value(total, 's')})"
    if relative_rates is None:
        text = f"z = {format_value(crater / total, 'nm/s')} * t {note}"
        return Scale(lambda t: crater / total * t, text, crater, "depth")
    relative, layers = _by_layers(time, relative_rates, "relative_rates", _relative_rate)
    whole = _by_layers(total, relative_rates, "relative_rates", _relative_rate)[0](total)
    text = f"relative {layers} {note}"
    return Scale(lambda t: relative(t) * (crater / whole), text, crater, "depth")


def _total_time(frame: Frame, time: xr.Variable, total_time: Any) -> xr.Variable:
    """Return the time in which the crater was sputtered, at least that of the record."""
    last = time.max([d for d in time.dims if d != MEASUREMENT])
    if total_time is None:
        if not bool((last > 0).all()):
            text = "the record has no extent in time; give total_time"
            raise ProfileError(text, argument="total_time")
        return last
    total = _read_positive(frame, total_time, "sputter_time", "total_time")
    # As printed, a time may be rounded.
    if (shorter := first_flagged(frame, total < last * (1 - 1e-6))) is not None:
        subject = ""
        if MEASUREMENT in shorter.index and MEASUREMENT in frame.coords:
            label = frame.coords[MEASUREMENT].values[shorter.index[MEASUREMENT]]
            subject = f"measurement {label}: "
        raise ProfileError(
            f"{subject}total_time is {shorter.of(total):g} s, but the record runs to "
            f"{shorter.of(last):g} s; the crater was sputtered for at least as long as the record",
            argument="total_time",
        )
    return total


def _by_layers(
    time: xr.Variable, layers: Any, name: str, read: Callable[[Any, str], float]
) -> tuple[Callable[[xr.Variable], xr.Variable], str]:
    """Return the depths at times, below layers that are sputtered at different rates."""
    ends, rates = [0.0], []
    for i, (stop, of_layer) in enumerate(read_layers(layers, name, "(stop_time, rate)")):
        end = np.inf if stop is None else units.read_number(stop, ("sputter_time",), f"{name}[{i}]")
        rates.append(read(of_layer, f"{name}[{i}]"))
        if not (rates[-1] > 0 and end > ends[-1]):
            raise ProfileError(
                f"{name}[{i}]={layers[i]!r}: rates must be positive, and the ends increase from 0",
                argument=name,
            )
        ends.append(end)
    if (longest := float(time.max())) > ends[-1]:
        raise ProfileError(
            f"the layers end at {ends[-1]:g} s, but the record at {longest:g} s; end the last "
            "layer with None for the rest of the record",
            argument=name,
        )
    unit = " nm/s" if read is _sputter_rate else ""
    parts = [f"{v:.6g}{unit} from {s:.6g} s" for v, s in zip(rates, ends[:-1], strict=True)]
    return partial(_depths_below, ends=ends, rates=rates), f"layers: {', '.join(parts)}"


def _sputter_rate(value: Any, name: str) -> float:
    return units.read_number(value, ("sputter_rate",), name)


def _relative_rate(value: Any, name: str) -> float:
    if not is_number(value):
        raise argument_error(name, value, "expected a relative rate, a number such as 0.6")
    return float(value)


@about(argument="markers")
def _by_markers(
    time: xr.Variable, markers: Any
) -> tuple[Callable[[xr.Variable], xr.Variable], str]:
    """Return the depths at times, on straight lines between known ones."""
    ends, depths, rates, parts = [0.0], [0.0], [], []
    for i, marker in enumerate(read_pairs(markers, "markers", "(time, depth)")):
        name = f"markers[{i}]"
        if marker[0] is None:
            if i == 0 or i < len(markers) - 1:
                raise ProfileError(
                    f"{name} has no time; only a rate after the last marker has none"
                )
            rates.append(_sputter_rate(marker[1], name))
            if not rates[-1] > 0:
                raise ProfileError(f"{name}={marker!r}: a rate must be positive", argument=name)
            ends.append(np.inf)
            parts.append(f"then {rates[-1]:.6g} nm/s")
            continue
        t = units.read_number(marker[0], ("sputter_time",), name)
        z = units.read_number(marker[1], ("depth",), name)
        if (t, z) == (0.0, 0.0):
            continue
        if not (t > ends[-1] and z > depths[-1]):
            raise ProfileError(
                f"{name}={marker!r}: times and depths must increase, from the surface at 0",
                argument=name,
            )
        rates.append((z - depths[-1]) / (t - ends[-1]))
        ends.append(t)
        depths.append(z)
        parts.append(f"{z:.6g} nm at {t:.6g} s")
    if len(depths) == 1:
        raise ProfileError("markers has no depth below the surface")
    longest = float(time.max())
    if longest > ends[-1] * (1 + 1e-9):
        raise ProfileError(
            f"the markers end at {ends[-1]:g} s, but the record at {longest:g} s; give the depth "
            "of its end, or a rate for the rest: (None, '0.5 nm/s')"
        )
    return partial(_depths_below, ends=ends, rates=rates), f"markers: {', '.join(parts)}"


def _depths_below(time: xr.Variable, ends: Sequence[float], rates: Sequence[float]) -> xr.Variable:
    """Return depths at times, below layers between some ends, of which the first is the surface."""
    starts, speeds = np.array(ends[:-1]), np.array(rates)
    tops = np.append(0.0, np.cumsum(speeds[:-1] * np.diff(starts)))
    t = time.values
    piece = np.maximum(np.searchsorted(starts, t, side="right") - 1, 0)
    return xr.Variable(time.dims, tops[piece] + speeds[piece] * (t - starts[piece]))


def _read_positive(frame: Frame, value: Any, kind: str, name: str) -> xr.Variable:
    """Read a positive argument: one for all, or one for each measurement."""
    read = frame.parameter(value, (kind,), name)
    per_measurement(read, name)
    refuse_not_positive(read, value, name)
    warn_unknown(frame, read, name)
    return read


def warn_unknown(frame: Frame, read: xr.Variable, name: str) -> None:
    """Warn of measurements whose depths are not known, because an argument is NaN; refuse all."""
    if anywhere(read.isnull()):
        if read.isnull().all():
            raise ProfileError(f"{name} is NaN; expected a finite number", argument=name)
        warn_where(
            frame,
            read.isnull(),
            f"{name} is NaN: its depths are not known",
            ProfileWarning,
            argument=name,
        )


def format_value(value: xr.Variable, unit: str = "") -> str:
    """Format an argument for the history: ``0.42 nm/s``, or that each measurement has its own."""
    if value.ndim:
        return f"({', '.join(filter(None, [unit, 'one per measurement']))})"
    return f"{float(value):.6g} {unit}".strip()


def _line(certified: Array, where: Array, square: Array) -> Array:
    """Return rate, offset, their errors, the misfit and the status of one measurement."""
    line = straight_line(certified, where, square)
    (aa, ab), (_, bb) = line.covariance
    a, b = line.intercept, line.slope
    if not b > _KNOWN * np.sqrt(bb):
        raise ProfileError(
            f"markers: the layers do not determine a rate: they move by {b:.3g} +- "
            f"{np.sqrt(bb):.2g} for each nm of the stated depths",
        )
    of_offset = (aa - 2 * a / b * ab + (a / b) ** 2 * bb) / b**2
    status, misfit = 1, np.nan
    if line.degrees:
        status, misfit = 2 * (line.chance < _CHANCE_OF_MISFIT), line.chi_square / line.degrees
    return np.array([1 / b, np.sqrt(bb) / b**2, -a / b, np.sqrt(of_offset), misfit, status])


#: Status of a line through layers -> what there is to say of it; the first is the worst.
_WARNED = {
    "bent": "the layers do not lie on a straight line, given their errors; the rate is not "
    "constant, or a depth is not that of its layer",
    "two_markers": "two layers lie on a straight line whatever the rate does between them",
}


@about(code="other_result", argument="markers")
def _positions(frame: Frame, fit: xr.Dataset) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the positions of the layers, and their covariance, of each measurement."""
    plain = units.dequantify(fit)
    if not {"position", "covariance"} <= set(plain.data_vars) or "layer" not in plain.dims:
        raise ProfileError(
            "markers: expected a fit of several layers, sims.fit(data, model='delta_drf', "
            "repeat=...)",
        )
    if plain.attrs.get("depth_uncertainty", "0") != "0":
        raise ProfileError(
            "markers: the positions of this fit have the uncertainty of the depth scale that they "
            "are to calibrate; fit with depth_uncertainty=0",
        )
    if plain.sizes.get("species", 1) > 1:
        raise SpeciesError("markers: the fit is of several species; choose one with .sel(species=)")
    plain = plain.squeeze("species") if "species" in plain.dims else plain
    other = [d for d in plain["status"].dims if d != MEASUREMENT]
    if other:
        raise ProfileError(f"markers: the fit is over {other[0]!r}; choose one")
    words = np.setdiff1d(np.ravel(plain["status"].values), ["ok"]).tolist()
    if words:
        text = f"markers: the fit is {words[0]}, not ok: there are no layers to go by"
        raise ProfileError(text, code=words[0])
    position = plain["position"].dropna("layer", how="all")
    if position.attrs.get("units") != frame.axis_units:  # the covariance says no units of its own
        raise UnitsError(
            f"markers: positions are in {position.attrs.get('units')!r}; expected "
            f"{frame.axis_units!r}, as the fit gave them",
        )
    labels = _labels(plain, position["layer"].values.tolist())
    square = plain["covariance"].sel(parameter=labels, parameter_=labels)
    square = square.drop_vars(["parameter", "parameter_"])
    return frame.aligned(position, "markers"), frame.aligned(square, "markers")


def _labels(fit: xr.Dataset, layers: list[int]) -> list[str]:
    """Return the labels of the positions in the covariance."""
    names = set(fit["parameter"].values.tolist())
    for name in ("position", "projected_range"):
        labels = [f"{name}[{layer}]" for layer in layers]
        if names.issuperset(labels):
            return labels
    raise ProfileError(
        "markers: the covariance of the fit does not contain the depths of its layers"
    )


def _known_depths(depths: Any, n: int) -> Array:
    """Read the known depths, one for each layer."""
    if depths is None or isinstance(depths, str):
        raise argument_error(
            "depths",
            depths,
            "expected the known depths of the layers in order, ['10 nm', '20 nm', ...]",
        )
    values = np.ravel(read_points(depths, ("depth",), "depths", "layer").values)
    if values.size != n:
        raise ProfileError(
            f"depths has {values.size} values, but the fit has {n} layers", argument="depths"
        )
    if n < 2:
        raise ProfileError("markers: one layer gives no scale; two are needed, and more to test it")
    if not (np.diff(values) > 0).all():
        raise ProfileError(
            f"depths={format_argument(depths)}: depths must increase with the layer",
            argument="depths",
        )
    return values
