"""Sputter time to depth: by a rate, by a crater, or layer by layer."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis import units, vocabulary
from sims_analysis._version import __version__
from sims_analysis.analysis._call import history_after
from sims_analysis.analysis._parameters import aligned, fitting
from sims_analysis.analysis.uncertainty import relative_uncertainty
from sims_analysis.dataset.stacking import MEASUREMENT, POINT
from sims_analysis.errors import ProfileError, UnitsError

__all__ = ["calibrate_depth"]

Array = NDArray[np.float64]


def calibrate_depth(
    data: xr.Dataset | xr.DataArray,
    *,
    rate: Any = None,
    crater_depth: Any = None,
    total_time: Any = None,
    depth_uncertainty: Any = None,
) -> Any:
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
    depth_uncertainty : float, str, Quantity or DataArray, optional
        Standard uncertainty of the depth scale: relative, such as ``0.05`` or ``"5 %"``, or in the
        unit of the rate or the crater depth (``"20 nm"``).

    Returns
    -------
    Dataset or DataArray
        Over depth (``nm``), the values as they were; ``sputter_time`` stays beside it as a
        coordinate. ``depth_scale_uncertainty`` (relative; :func:`dose_budget` takes it as
        ``depth_uncertainty``) is a coordinate where it was stated; the attr ``calibration`` of
        the depth, and the history, say what was done. If the measurements of a batch on a shared
        axis have rates of their own, they have depth axes of their own afterwards, over
        ``point``.

    Raises
    ------
    ProfileError
        If not exactly one of `rate` and `crater_depth` is given, the data are on a depth axis
        already, a rate, depth or time is not positive, or the layers or the `total_time` end before
        the record does.
    UnitsError
        If an argument has no unit, or one of another kind.

    Notes
    -----
    The rate is taken to be constant within a layer. It is not within the surface transient, which
    makes depths there, and all depths below by the same amount, uncertain by a nanometre or so.

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
    if (rate is None) == (crater_depth is None):
        raise ProfileError("give the rate or the crater_depth, one of them")
    if total_time is not None and crater_depth is None:
        raise ProfileError("total_time goes with crater_depth; a rate needs none")
    arrays = data.data_vars.values() if isinstance(data, xr.Dataset) else [data]
    quantified = any(units.is_quantity(array.variable._data) for array in arrays)
    plain: Any = units.dequantify(data)  # type: ignore[type-var]  # one of the two
    if "depth" in plain.coords:
        raise ProfileError("the data are on a depth axis already")
    if "sputter_time" not in plain.coords:
        raise ProfileError(
            "the data have no sputter-time axis to calibrate: expected a coordinate sputter_time"
        )
    axis = plain["sputter_time"]
    magnitude, unit = units.magnitude_and_unit(axis, ("sputter_time",), "sputter_time")
    time = xr.Variable(axis.dims, unit.to_canonical(np.asarray(magnitude, dtype=np.float64)))

    if isinstance(rate, list | tuple):
        depth, told = _by_layers(time, rate)
        relative = _relative(plain, depth_uncertainty, None, ())
    elif rate is not None:
        speed = _parameter(plain, rate, "sputter_rate", "rate")
        depth, told = speed * time, f"z = {_told(speed, 'nm/s')} * t"
        relative = _relative(plain, depth_uncertainty, speed, ("sputter_rate",))
    else:
        crater = _parameter(plain, crater_depth, "depth", "crater_depth")
        if total_time is None:
            total = _last(time)
        else:
            total = _parameter(plain, total_time, "sputter_time", "total_time")
            _refuse_shorter(plain, time, total)
        speed = crater / total
        depth = speed * time
        told = (
            f"z = {_told(speed, 'nm/s')} * t (crater {_told(crater, 'nm')} in {_told(total, 's')})"
        )
        relative = _relative(plain, depth_uncertainty, crater, ("depth",))
    result = _on_depth(plain, time, depth, told, relative)
    return units.quantify(result) if quantified else result


def _parameter(data: Any, value: Any, kind: str, name: str) -> xr.Variable:
    """Read a positive argument: one for all, or one for each measurement."""
    if isinstance(value, xr.DataArray):
        if not set(value.dims) <= {MEASUREMENT} & set(data.dims):
            raise ProfileError(
                f"{name} is over {value.dims}; all species of a measurement are sputtered "
                f"together, so that it varies with {MEASUREMENT!r} alone"
            )
        coords = {k: c.variable for k, c in data.coords.items() if k in value.dims}
        value = fitting(aligned(value, coords, name), data.sizes, name)
        magnitude, unit = units.magnitude_and_unit(value, (kind,), name)
        read = xr.Variable(value.dims, unit.to_canonical(np.asarray(magnitude, dtype=np.float64)))
    else:
        read = xr.Variable((), units.read_quantity(value, (kind,), name)[0])
    if not bool(((read > 0) & np.isfinite(read)).all()):
        raise ProfileError(f"{name}={_shown(value)} must be positive")
    return read


def _shown(value: Any) -> str:
    return "<DataArray>" if isinstance(value, xr.DataArray) else repr(value)


def _told(value: xr.Variable, unit: str) -> str:
    return (
        f"{float(value.values):.6g} {unit}" if value.ndim == 0 else f"({unit}, one a measurement)"
    )


def _last(time: xr.Variable) -> xr.Variable:
    """Give the last time of each measurement."""
    last: xr.Variable = time.max([d for d in time.dims if d != MEASUREMENT])
    if not bool((last > 0).all()):
        raise ProfileError("the record has no extent in time; give total_time")
    return last


def _refuse_shorter(data: Any, time: xr.Variable, total: xr.Variable) -> None:
    """Refuse a crater that was finished before the record was."""
    last = _last(time) + 0.0 * total
    total = total + 0.0 * last
    # As printed, a time may be rounded.
    where = np.argwhere((total < last * (1 - 1e-6)).data)
    if len(where):
        here = tuple(where[0])
        which = f"measurement {data[MEASUREMENT].values[here[0]]!s}: " if here else ""
        raise ProfileError(
            f"{which}total_time is {float(total.data[here]):g} s, and the record runs to "
            f"{float(last.data[here]):g} s; the whole record made the crater, in no shorter time"
        )


def _by_layers(time: xr.Variable, layers: Any) -> tuple[xr.Variable, str]:
    stops, rates = [], []
    for i, layer in enumerate(layers):
        if not isinstance(layer, list | tuple) or len(layer) != 2:
            raise ProfileError(f"rate[{i}]={layer!r}; expected (stop_time, rate)")
        stop, rate = layer
        if stop is None and i < len(layers) - 1:
            raise ProfileError(f"rate[{i}] has no end, but is not the last layer")
        end = np.inf if stop is None else units.read_quantity(stop, ("sputter_time",), "stop")[0]
        stops.append(float(end))
        rates.append(float(units.read_quantity(rate, ("sputter_rate",), f"rate[{i}]")[0]))
        if not (rates[-1] > 0 and stops[-1] > ([0.0, *stops[:-1]])[-1]):
            raise ProfileError(
                f"rate[{i}]={layer!r}: rates must be positive and ends increase from 0"
            )
    if not stops:
        raise ProfileError("rate holds no layers")
    longest = float(time.max())
    if longest > stops[-1]:
        raise ProfileError(
            f"the layers end at {stops[-1]:g} s, the record at {longest:g} s; let the last layer "
            "end with None for the rest of the record"
        )
    starts = np.array([0.0, *stops[:-1]])
    speeds = np.array(rates)
    tops = np.concatenate([[0.0], np.cumsum(speeds[:-1] * np.diff(starts))])
    t = np.asarray(time.data)
    # Each time lies in the layer that began last before it; NaN (padding) stays NaN.
    layer = np.clip(np.searchsorted(starts, t, side="right") - 1, 0, len(rates) - 1)
    depth = tops[layer] + speeds[layer] * (t - starts[layer])
    parts = [f"{v:.6g} nm/s from {s:.6g} s" for v, s in zip(rates, starts, strict=True)]
    return xr.Variable(time.dims, depth), f"layers: {', '.join(parts)}"


def _relative(
    data: Any, uncertainty: Any, of: xr.Variable | None, kinds: tuple[str, ...]
) -> xr.Variable | None:
    """Give the relative uncertainty of the depth scale."""
    if uncertainty is None:
        return None
    if _has_unit(uncertainty):
        if of is None:
            raise UnitsError(
                f"depth_uncertainty={_shown(uncertainty)}: of layers, give the relative one"
            )
        relative = _parameter(data, uncertainty, kinds[0], "depth_uncertainty") / of
        if not bool((relative < 1).all()):
            raise ProfileError(
                f"depth_uncertainty={_shown(uncertainty)} is not less than what it is the "
                "uncertainty of"
            )
        return relative
    stated = relative_uncertainty(uncertainty, "depth_uncertainty")
    if isinstance(stated, float):
        return xr.Variable((), stated)
    if bool((stated == 0).any()) or bool(stated.isnull().any()):
        raise ProfileError("depth_uncertainty=<DataArray> must be positive for each measurement")
    return _parameter(data, stated, "dimensionless", "depth_uncertainty")


def _has_unit(uncertainty: Any) -> bool:
    """Whether an uncertainty is stated in the unit of a depth or a rate."""
    if isinstance(uncertainty, xr.DataArray):
        if units.is_quantity(uncertainty.variable._data):
            return not uncertainty.data.dimensionless
        return uncertainty.attrs.get("units", "1") not in ("1", "%", "percent")
    if units.is_quantity(uncertainty):
        return not uncertainty.dimensionless
    # A bare number in quotes is one without a unit.
    percent = isinstance(uncertainty, str) and uncertainty.rstrip().endswith(("%", "percent"))
    return isinstance(uncertainty, str) and not percent


def _on_depth(
    data: Any, time: xr.Variable, depth: xr.Variable, told: str, relative: xr.Variable | None
) -> Any:
    # Rates of their own give the measurements axes of their own.
    own = POINT in data.dims or depth.ndim > 1
    dim = POINT if own else "depth"
    renamed = data.drop_vars(["sputter_time", "wire_fields"], errors="ignore")
    if "sputter_time" in renamed.dims:
        renamed = renamed.rename({"sputter_time": dim})

    def along(variable: xr.Variable) -> xr.Variable:
        dims = [dim if d == "sputter_time" else d for d in variable.dims]
        return xr.Variable(dims, variable.data)

    coords = {"sputter_time": along(time), "depth": along(depth)}
    for name, variable in coords.items():
        variable.attrs = vocabulary.attrs(name)
    coords["depth"].attrs["calibration"] = told
    if relative is not None:
        relative.attrs = vocabulary.attrs("depth_scale_uncertainty")
        coords["depth_scale_uncertainty"] = relative
    result = renamed.assign_coords(coords)
    if isinstance(result, xr.Dataset):
        line = f"sputter time calibrated to depth, {told}, by sims_analysis {__version__}"
        result = result.assign_attrs(history=history_after(data, line))
    return result
