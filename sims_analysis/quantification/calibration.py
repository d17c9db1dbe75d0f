"""Sputter time to depth: by a rate, by a crater, layer by layer, or through known depths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.uncertainty import relative_uncertainty
from sims_analysis.dataset.canonical import argument, read_positive
from sims_analysis.dataset.provenance import with_step
from sims_analysis.dataset.stacking import MEASUREMENT, POINT
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.units import Data, ParameterLike, QuantityLike

__all__ = ["calibrate_depth", "relative_depth_uncertainty"]


def calibrate_depth(
    data: Data,
    *,
    rate: ParameterLike | Sequence[tuple[QuantityLike | None, QuantityLike]] | None = None,
    crater_depth: ParameterLike | None = None,
    total_time: ParameterLike | None = None,
    relative_rates: Sequence[tuple[QuantityLike | None, float]] | None = None,
    markers: Sequence[tuple[QuantityLike, QuantityLike]] | None = None,
    depth_uncertainty: float | ParameterLike | None = None,
) -> Data:
    """Turn sputter time into depth: ``z = v t``, the surface at t = 0.

    Parameters
    ----------
    data : Dataset or DataArray
        On a sputter-time axis; one measurement or a batch.
    rate : str, Quantity, DataArray or list of (stop_time, rate), optional
        ``"0.5 nm/s"``. For a stack of layers, the rate of each and the time at which it ends, in
        order: ``[("120 s", "0.3 nm/s"), (None, "0.5 nm/s")]``, None for the rest of the record. A
        DataArray over ``measurement`` gives each measurement its own.
    crater_depth : str, Quantity or DataArray, optional
        Depth of the crater after `total_time`: ``v = crater_depth / total_time``.
    total_time : str, Quantity or DataArray, optional
        By default the time of the last sample of each measurement. Where sputtering went on after
        it, the crater is deeper than the record, and the time must be given.
    relative_rates : list of (stop_time, number), optional
        With `crater_depth`, of layers whose rates are known relative to each other:
        ``[("120 s", 1.0), (None, 0.6)]``. All are scaled so that the whole is as deep as the
        crater.
    markers : list of (time, depth), optional
        Known depths, of interfaces for instance: ``[("120 s", "40 nm"), ("300 s", "95 nm")]``,
        with a constant rate from the surface to the first and from each to the next. They end with
        the record, or with a rate for the rest of it, ``(None, "0.5 nm/s")``.
    depth_uncertainty : float, str, Quantity or DataArray, optional
        Standard uncertainty of the depth scale: relative, such as ``0.05`` or ``"5 %"``, or in the
        unit of the rate or the crater depth (``"20 nm"``).

    Returns
    -------
    Dataset or DataArray
        Over depth (``nm``), the values as they were; ``sputter_time`` stays beside it as a
        coordinate. ``crater_depth`` and ``depth_scale_uncertainty`` (relative;
        :func:`dose_budget` takes it as ``depth_uncertainty``) are coordinates where they were
        stated; the attr ``calibration`` of the depth, and the history, say what was done. If the
        measurements of a batch on a shared axis have rates of their own, they have depth axes of
        their own afterwards, over ``point``.

    Raises
    ------
    ProfileError
        If not exactly one of `rate`, `crater_depth` and `markers` is given, the data are on a depth
        axis already, a rate, depth or time is not positive, or the layers, the markers or the
        `total_time` end before the record does.
    UnitsError
        If an argument has no unit, or one of another kind.

    Notes
    -----
    The rate is taken to be constant within a layer. It is not within the surface transient, which
    makes depths there, and all depths below by the same amount, uncertain by a nanometre or so.

    References
    ----------
    ISO 17109, Surface chemical analysis - Depth profiling - Method for sputter rate determination.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("sputter-time")
    >>> ds = sims.calibrate_depth(
    ...     ds, crater_depth="210 nm", total_time="500 s", depth_uncertainty=0.05
    ... )
    >>> ds["depth"].attrs["calibration"]
    'z = 0.42 nm/s * t (crater 210 nm in 500 s)'
    """
    if not isinstance(data, xr.Dataset | xr.DataArray):
        raise TypeError(f"expected a Dataset or a DataArray, found {type(data).__name__}")
    if sum(given is not None for given in (rate, crater_depth, markers)) != 1:
        raise ProfileError("give the rate, the crater_depth or markers, one of them")
    for name, given in (("total_time", total_time), ("relative_rates", relative_rates)):
        if given is not None and crater_depth is None:
            raise ProfileError(f"{name} goes with crater_depth")
    arrays = data.data_vars.values() if isinstance(data, xr.Dataset) else [data]
    quantified = any(units.is_quantity(array.data) for array in arrays)
    plain: Any = units.dequantify(data)
    if "depth" in plain.coords:
        raise ProfileError("the data are on a depth axis already")
    if "sputter_time" not in plain.coords:
        raise ProfileError(
            "the data have no sputter-time axis to calibrate: expected a coordinate sputter_time"
        )
    axis = plain["sputter_time"]
    magnitude, unit = units.magnitude_and_unit(axis, ("sputter_time",), "sputter_time")
    time = xr.DataArray(unit.to_canonical(np.asarray(magnitude, dtype=np.float64)), dims=axis.dims)

    speed = crater = None
    if markers is not None:
        depth, text = _through(time, markers)
    elif isinstance(rate, list | tuple):
        depth, text = _by_layers(time, rate, "rate", _sputter_rate)
    elif rate is not None:
        speed = _of_measurement(plain, rate, "sputter_rate", "rate")
        depth, text = speed * time, f"z = {_said(speed, 'nm/s')} * t"
    else:
        crater = _of_measurement(plain, crater_depth, "depth", "crater_depth")
        total = _total_time(plain, time, total_time)
        made = f"(crater {_said(crater, 'nm')} in {_said(total, 's')})"
        if relative_rates is None:
            depth = crater / total * time
            text = f"z = {_said(crater / total, 'nm/s')} * t {made}"
        else:
            relative, layers = _by_layers(time, relative_rates, "relative_rates", _number)
            whole, _ = _by_layers(total, relative_rates, "relative_rates", _number)
            depth, text = relative * (crater / whole), f"relative {layers} {made}"
    result = _on_depth(plain, time, depth.transpose(..., time.dims[-1]), text)
    coords = {}
    if crater is not None:
        coords["crater_depth"] = crater.assign_attrs(vocabulary.attrs("crater_depth"))
    if depth_uncertainty is not None:
        of, kinds = (speed, ("sputter_rate",)) if speed is not None else (crater, ("depth",))
        coords["depth_scale_uncertainty"] = relative_depth_uncertainty(
            plain, depth_uncertainty, of, kinds
        )
    result = with_step(
        result.assign_coords(coords),
        "calibrate_depth",
        f"sputter time calibrated to depth, {text}",
        rate=rate,
        crater_depth=crater_depth,
        total_time=total_time,
        relative_rates=relative_rates,
        markers=markers,
        depth_uncertainty=depth_uncertainty,
    )
    calibrated: Data = units.quantify(result) if quantified else result
    return calibrated


def _of_measurement(data: Any, value: Any, kind: str, name: str) -> xr.DataArray:
    """Read a positive argument: one for all, or one for each measurement."""
    if isinstance(value, xr.DataArray) and not set(value.dims) <= {MEASUREMENT} & set(data.dims):
        raise ProfileError(
            f"{name} is over {value.dims}; all species of a measurement are sputtered together, so "
            f"that it varies with {MEASUREMENT!r} alone"
        )
    return read_positive(data, value, (kind,), name).reset_coords(drop=True)


def _said(value: xr.DataArray, unit: str) -> str:
    return f"{value.item():.6g} {unit}" if value.ndim == 0 else f"({unit}, one a measurement)"


def _total_time(data: Any, time: xr.DataArray, total_time: Any) -> xr.DataArray:
    """Give the time in which the crater was made: no shorter than the record."""
    last = time.max([d for d in time.dims if d != MEASUREMENT])
    if total_time is None:
        if not bool((last > 0).all()):
            raise ProfileError("the record has no extent in time; give total_time")
        return last
    total = _of_measurement(data, total_time, "sputter_time", "total_time")
    # As printed, a time may be rounded.
    shorter = total < last * (1 - 1e-6)
    if bool(shorter.any()):
        where = int(np.flatnonzero(shorter.values)[0])
        which = f"measurement {data[MEASUREMENT].values[where]!s}: " if shorter.ndim else ""
        times = [float(t.broadcast_like(shorter).values.flat[where]) for t in (total, last)]
        raise ProfileError(
            f"{which}total_time is {times[0]:g} s, and the record runs to {times[1]:g} s; the "
            "whole record made the crater, in no shorter time"
        )
    return total


def _by_layers(
    time: xr.DataArray, layers: Any, name: str, read: Callable[[Any, str], float]
) -> tuple[xr.DataArray, str]:
    """Sputter through layers, each with a rate of its own."""
    starts, rates = [0.0], []
    if not isinstance(layers, list | tuple) or not layers:
        raise ProfileError(f"{name} holds no layers: expected [(stop_time, rate), ...]")
    for i, layer in enumerate(layers):
        if not isinstance(layer, list | tuple) or len(layer) != 2:
            raise ProfileError(f"{name}[{i}]={layer!r}; expected (stop_time, rate)")
        stop, of_layer = layer
        if stop is None and i < len(layers) - 1:
            raise ProfileError(f"{name}[{i}] has no end, but is not the last layer")
        end = np.inf if stop is None else units.read_quantity(stop, ("sputter_time",), "stop")[0]
        rates.append(read(of_layer, f"{name}[{i}]"))
        if not (rates[-1] > 0 and end > starts[-1]):
            raise ProfileError(
                f"{name}[{i}]={layer!r}: rates must be positive and ends increase from 0"
            )
        starts.append(float(end))
    if (longest := float(time.max())) > starts[-1]:
        raise ProfileError(
            f"the layers end at {starts[-1]:g} s, the record at {longest:g} s; let the last layer "
            "end with None for the rest of the record"
        )
    starts, speeds = starts[:-1], np.array(rates)
    tops = np.concatenate([[0.0], np.cumsum(speeds[:-1] * np.diff(starts))])
    unit = " nm/s" if read is _sputter_rate else ""
    parts = [f"{v:.6g}{unit} from {s:.6g} s" for v, s in zip(rates, starts, strict=True)]
    return _piecewise(time, np.array(starts), tops, speeds), f"layers: {', '.join(parts)}"


def _sputter_rate(value: Any, name: str) -> float:
    return float(units.read_quantity(value, ("sputter_rate",), name)[0])


def _number(value: Any, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, float | int | np.number):
        raise ProfileError(f"{name}={value!r}; expected a relative rate, a number such as 0.6")
    return float(value)


def _through(time: xr.DataArray, markers: Any) -> tuple[xr.DataArray, str]:
    """Run through known depths, straight from each to the next."""
    times, depths, last = [0.0], [0.0], np.nan
    if not isinstance(markers, list | tuple) or not markers:
        raise ProfileError("markers holds none: expected [(time, depth), ...]")
    for i, marker in enumerate(markers):
        if not isinstance(marker, list | tuple) or len(marker) != 2:
            raise ProfileError(f"markers[{i}]={marker!r}; expected (time, depth)")
        if marker[0] is None:
            if i == 0 or i < len(markers) - 1:
                raise ProfileError(f"markers[{i}] has no time; only a rate after the last has none")
            last = _sputter_rate(marker[1], f"markers[{i}]")
            if not last > 0:
                raise ProfileError(f"markers[{i}]={marker!r}: a rate must be positive")
            continue
        t = float(units.read_quantity(marker[0], ("sputter_time",), f"markers[{i}]")[0])
        z = float(units.read_quantity(marker[1], ("depth",), f"markers[{i}]")[0])
        if (t, z) == (0.0, 0.0):
            continue
        if not (t > times[-1] and z > depths[-1]):
            raise ProfileError(
                f"markers[{i}]={marker!r}: times and depths must increase, from the surface at 0"
            )
        times.append(t)
        depths.append(z)
    if len(times) == 1:
        raise ProfileError("markers holds none below the surface")
    longest = float(time.max())
    if np.isnan(last) and longest > times[-1] * (1 + 1e-9):
        raise ProfileError(
            f"the markers end at {times[-1]:g} s, the record at {longest:g} s; give the depth of "
            "its end, or a rate for the rest: (None, '0.5 nm/s')"
        )
    speeds = np.diff(depths) / np.diff(times)
    speeds = np.append(speeds, speeds[-1] if np.isnan(last) else last)
    parts = [f"{z:.6g} nm at {t:.6g} s" for t, z in zip(times[1:], depths[1:], strict=True)]
    if not np.isnan(last):
        parts.append(f"then {last:.6g} nm/s")
    return (
        _piecewise(time, np.array(times), np.array(depths), speeds),
        f"markers: {', '.join(parts)}",
    )


def _piecewise(time: xr.DataArray, starts: Any, tops: Any, speeds: Any) -> xr.DataArray:
    """Give ``z = top + v (t - start)`` of the piece that began last before each time."""
    t = time.values
    piece = np.clip(np.searchsorted(starts, t, side="right") - 1, 0, starts.size - 1)
    return time.copy(data=tops[piece] + speeds[piece] * (t - starts[piece]))


def relative_depth_uncertainty(
    data: Any, uncertainty: Any, of: xr.DataArray | None, kinds: tuple[str, ...]
) -> xr.DataArray:
    """Read the uncertainty of a depth scale: relative, or in the unit of what set the scale."""
    shown = "<DataArray>" if isinstance(uncertainty, xr.DataArray) else repr(uncertainty)
    if _has_unit(uncertainty):
        if of is None:
            raise UnitsError(f"depth_uncertainty={shown}: of this scale, give the relative one")
        relative = _of_measurement(data, uncertainty, kinds[0], "depth_uncertainty") / of
        if not bool((relative < 1).all()):
            raise ProfileError(
                f"depth_uncertainty={shown} is not less than what it is the uncertainty of"
            )
    else:
        stated = relative_uncertainty(uncertainty, "depth_uncertainty")
        relative = xr.DataArray(stated)
        if isinstance(stated, xr.DataArray):
            if bool((stated == 0).any()) or bool(stated.isnull().any()):
                raise ProfileError(
                    "depth_uncertainty=<DataArray> must be positive for each measurement"
                )
            relative = argument(data, stated, ("dimensionless",), "depth_uncertainty")
    return relative.assign_attrs(vocabulary.attrs("depth_scale_uncertainty"))


def _has_unit(uncertainty: Any) -> bool:
    """Whether an uncertainty is stated in the unit of a depth or a rate."""
    if isinstance(uncertainty, xr.DataArray):
        if units.is_quantity(uncertainty.data):
            return not uncertainty.data.dimensionless
        return uncertainty.attrs.get("units", "1") not in ("1", "%", "percent")
    if units.is_quantity(uncertainty):
        return not uncertainty.dimensionless
    # A bare number in quotes is one without a unit.
    percent = isinstance(uncertainty, str) and uncertainty.rstrip().endswith(("%", "percent"))
    return isinstance(uncertainty, str) and not percent


def _on_depth(data: Any, time: xr.DataArray, depth: xr.DataArray, text: str) -> Any:
    # Rates of their own give the measurements axes of their own.
    dim = POINT if POINT in data.dims or depth.ndim > 1 else "depth"
    renamed = data.drop_vars(["sputter_time", "wire_fields"], errors="ignore")
    if "sputter_time" in renamed.dims:
        renamed = renamed.swap_dims(sputter_time=dim)
    coords = {}
    for name, values in (("sputter_time", time), ("depth", depth)):
        dims = [dim if d == "sputter_time" else d for d in values.dims]
        coords[name] = (dims, values.data, vocabulary.attrs(name))
    coords["depth"][2]["calibration"] = text
    return renamed.assign_coords(coords)
