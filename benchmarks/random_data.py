"""Random measurements in every layout, with all that may be wrong with them.

What is drawn depends on the seed and the number of a dataset alone. Values come from numpy;
corrections that were made "before" are those of the package under test.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import xarray as xr

import sims_analysis as sims

__all__ = ["Dice", "Drawn", "draw"]


class Dice:
    """Random choices; the same for the same key."""

    def __init__(self, *key: Any) -> None:
        self.rng = np.random.default_rng([zlib.crc32(str(part).encode()) for part in key])

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def one(self, *options: Any) -> Any:
        return options[int(self.rng.integers(len(options)))]

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def decade(self, low: float, high: float) -> float:
        """Draw a number with a uniform logarithm."""
        return float(10 ** self.rng.uniform(np.log10(low), np.log10(high)))

    def count(self, low: int, high: int) -> int:
        """Draw a whole number; both ends may come."""
        return int(self.rng.integers(low, high + 1))

    def some(self, options: list[Any]) -> list[Any]:
        """Draw at least one of them, in their order."""
        taken = self.rng.random(len(options)) < 0.5
        taken[self.rng.integers(len(options))] = True
        return [option for option, yes in zip(options, taken, strict=True) if yes]


@dataclass
class Drawn:
    """A dataset, and what questions need to know of it to be asked sensibly."""

    #: What was drawn, in words.
    words: list[str]
    #: What questions are asked of: a Dataset or DataArray, plain, quantified or on Dask.
    data: Any
    #: The Dataset from which it was taken.
    dataset: xr.Dataset
    #: One more measurement of the same kind.
    other: xr.Dataset
    #: Names of species, and of measurements if there are several.
    species: list[str]
    measurements: list[str]
    #: Axis and values: unit, ends, name of the first variable, its largest value.
    axis: str
    axis_unit: str
    low: float
    high: float
    variable: str
    unit: str
    top: float
    #: The unit as arguments state it.
    stated_unit: str
    #: What the value of one count is, and the matrix species, if there is one.
    per_count: float
    matrix: str | None = None


_NAMES = ["B", "P", "As", "11B", "30Si", "70Zn", "Ga->", "F"]
_UNITS = {"concentration": "atom/cm^3", "intensity": "count/s", "atomic_fraction": "1"}


def draw(seed: int, number: int) -> Drawn:
    """Draw a dataset."""
    dice = Dice(seed, number, "data")
    words: list[str] = []
    kind = dice.one(*["concentration"] * 6, *["intensity"] * 3, "atomic_fraction")
    over_time = dice.chance(0.5 if kind == "intensity" else 0.04)
    layout = dice.one("shared", "shared", "union", "batch", "batch", "batch of own axes")
    species = [str(one) for one in dice.rng.permutation(_NAMES)[: dice.count(1, 5)]]
    matrix = None
    if kind == "intensity" and dice.chance(0.7):
        species, matrix = [*(s for s in species if s != "30Si"), "30Si"], "30Si"
    measurements = [f"w{i}" for i in range(dice.count(1, 4) if layout.startswith("batch") else 1)]
    unit = _UNITS[kind]
    per_count = {
        "atom/cm^3": dice.decade(1e12, 1e16), "count/s": 1.0, "1": dice.decade(1e-9, 1e-7)
    }[unit]  # fmt: skip
    if unit == "count/s":
        per_count = 1 / dice.one(0.2, 0.5, 1.0, 2.0)
        if dice.chance(0.2):
            unit, per_count = "count", 1.0
    words += [
        layout,
        f"{len(measurements)} x {len(species)}",
        unit,
        "time" if over_time else "depth",
    ]

    shape = (len(measurements), len(species))
    n, axes = _axes(dice, shape, own=layout in ("union", "batch of own axes"))
    values, limits = (np.full((*shape, n), np.nan) for _ in range(2))
    troubles: list[str] = []
    for place in np.ndindex(shape):
        z = axes[place]
        there = np.isfinite(z)
        made = _profile(dice, z[there], per_count, matrix=species[place[1]] == matrix)
        values[place][there], limits[place][there] = made.value, made.limit
        troubles += made.troubles
    words += sorted(set(troubles))
    axis, axis_unit = ("sputter_time", "s") if over_time else ("depth", "nm")
    of_samples = (axes, values, limits)
    data = _dataset(layout, kind, unit, (axis, axis_unit), species, measurements, of_samples)
    _metadata(dice, data, kind, unit, limits, words)

    data = _with_errors(dice, data, kind, unit, per_count, words)
    other = _another(dice, data, kind, axis)
    for _ in range(dice.one(0, 0, 0, 1, 1, 2)):
        data, words = _corrected(dice, data, words, kind, matrix, per_count)

    names = [str(name) for name in data.data_vars if str(name) in _UNITS]
    variable = min(names, key=list(_UNITS).index)
    formed, dataset = _formed(dice, data, variable, words)
    axis = "depth" if "depth" in data.coords else "sputter_time"
    finite = data[variable].values[np.isfinite(data[variable].values)]
    ends = data[axis].values[np.isfinite(data[axis].values)]
    known = {
        "species": [str(name) for name in np.ravel(dataset["species"].values)],
        "measurements": [str(name) for name in np.ravel(dataset.get("measurement", []))],
        "axis": axis,
        "axis_unit": data[axis].attrs["units"],
        "low": float(ends.min(initial=np.inf)) if ends.size else 0.0,
        "high": float(ends.max(initial=-np.inf)) if ends.size else 1.0,
        "variable": variable,
        "unit": data[variable].attrs["units"],
        "stated_unit": data[variable].attrs["units"].replace("1", "atomic fraction")
        if variable == "atomic_fraction"
        else data[variable].attrs["units"],
        "top": float(finite.max(initial=0.0)) or 1.0,
        "per_count": per_count,
        "matrix": matrix,
    }
    return Drawn(words=words, data=formed, dataset=dataset, other=other, **known)


# --- samples --------------------------------------------------------------------------------------


def _axes(dice: Dice, shape: tuple[int, int], *, own: bool) -> tuple[int, np.ndarray]:
    """Draw depths over (measurement, species, sample), padded by NaN; one axis for all, or own."""
    most = dice.one(1, 2, 3, 6, *[dice.count(15, 140) for _ in range(16)])
    step, start = dice.decade(0.3, 8.0), dice.one(0.0, 0.5, 1.0, 7.3)

    def axis(n: int) -> np.ndarray:
        kind = dice.one("even", "even", "uneven", "widening", "jump")
        width = np.ones(n)
        if kind == "uneven":
            width = dice.rng.uniform(0.3, 1.7, n)
        elif kind == "widening":
            width = np.geomspace(1.0, 8.0, n)
        elif kind == "jump" and n > 4:
            width[dice.count(1, n - 1)] = dice.one(4.0, 5.5, 9.0, 25.0)
        return start * step + step * (np.cumsum(width) - width[0])

    axes = np.full((*shape, most), np.nan)
    if not own:
        axes[:] = axis(most)
        return most, axes
    for place in np.ndindex(shape):
        n = most if dice.chance(0.5) else dice.count(min(most, 1), most)
        axes[place][:n] = axis(n) + dice.one(0.0, 0.37 * step, dice.between(0, step))
    return most, axes


@dataclass
class _Profile:
    value: np.ndarray
    limit: np.ndarray
    troubles: list[str]


def _profile(dice: Dice, z: np.ndarray, per_count: float, *, matrix: bool) -> _Profile:
    """Draw counts of a profile and what is wrong with them, in the unit of the values."""
    n, span = z.size, max(float(np.ptp(z)), 1e-3) if z.size else 1.0
    troubles, limit = [], np.full(n, np.nan)
    if not n:
        return _Profile(z.copy(), limit, troubles)
    u = (z - z[0]) / span
    top = dice.decade(1e4, 1e6) if matrix else dice.decade(5, 3e6)
    expected = top * _shape(dice, u, flat=matrix) + dice.one(0.0, 0.0, 0.3, 2.0, 30.0)
    if dice.chance(0.15) and not matrix:
        expected = expected + top * dice.decade(0.1, 30) * np.exp(-u * n / dice.between(0.7, 3))
        troubles.append("transient")
    counts = dice.rng.poisson(np.minimum(expected, 1e9)).astype(float)
    if dice.chance(0.12):
        counts, _ = expected.copy(), troubles.append("no noise")
    if dice.chance(0.12):
        counts, _ = np.minimum(counts, dice.decade(0.05, 0.9) * top), troubles.append("saturated")
    if dice.chance(0.07):
        counts, _ = np.where(counts > 0, counts, 1e-3), troubles.append("placeholder")
    if dice.chance(0.04):
        counts, _ = counts - dice.between(0, 20), troubles.append("negative")
    value = counts * per_count
    if dice.chance(0.07):
        value = np.array([float(f"{one:.2e}") for one in value])
        troubles.append("three digits")
    lost = np.zeros(n, dtype=bool)
    if dice.chance(0.12):
        lost |= dice.rng.random(n) < dice.one(0.05, 0.3, 0.7)
        troubles.append("missing")
    if dice.chance(0.15):
        for _ in range(dice.count(1, 3)):
            begin, width = dice.between(-0.05, 1.0), dice.decade(0.02, 0.5)
            lost |= (u > begin) & (u < begin + width)
        troubles.append("hole")
    if dice.chance(0.03):
        lost[:] = True
        troubles.append("nothing")
    if dice.chance(0.1):
        least = dice.decade(1e-5, 0.3) * np.nanmax(value, initial=0.0) + per_count
        below = (value < least) & ~lost
        limit[below] = least
        lost |= below
        troubles.append("limits")
    if dice.chance(0.001):
        value[dice.count(0, n - 1)] = np.inf
        troubles.append("infinite")
    value[lost] = np.nan
    return _Profile(value, limit, troubles)


def _shape(dice: Dice, u: np.ndarray, *, flat: bool) -> np.ndarray:
    """Draw a curve with a maximum of one over depths from 0 to 1."""
    at, width = dice.between(0.1, 0.7), dice.between(0.03, 0.2)
    if flat:
        return (1.0 - dice.one(0.0, 0.05, 0.3) * u) * np.where(
            u > at + 0.2, dice.one(1.0, 0.01), 1.0
        )
    shapes: list[Callable[[], Any]] = [
        lambda: np.exp(-0.5 * ((u - at) / width) ** 2),
        lambda: np.exp(-0.5 * ((u - at) / width) ** 2),
        lambda: np.exp(-0.5 * (u / width) ** 2),
        lambda: np.exp(-np.abs(u - at) / np.where(u < at, 0.3, 1.0) / width),
        lambda: np.exp(-u / width),
        lambda: 1 / (1 + np.exp((u - at) / (0.3 * width))),
        lambda: 1 / (1 + np.exp((at - u) / (0.3 * width))),
        lambda: np.where(np.abs(u - at) < width, 1.0, 1e-3),
        lambda: np.where(np.sin(u * dice.between(10, 60)) > 0, 1.0, dice.one(1e-3, 0.1)),
        lambda: sum(np.exp(-0.5 * ((u - one) / 0.02) ** 2) for one in (0.2, 0.45, 0.7)),
        lambda: np.full_like(u, dice.one(1.0, 0.01)),
        lambda: 0.5 * np.exp(-0.5 * ((u - at) / width) ** 2) + 0.3 * np.exp(-u / 0.3),
    ]
    return np.asarray(dice.one(*shapes)(), dtype=float)


# --- datasets -------------------------------------------------------------------------------------


def _dataset(
    layout: str,
    kind: str,
    unit: str,
    along: tuple[str, str],
    species: list[str],
    measurements: list[str],
    of_samples: tuple[np.ndarray, np.ndarray, np.ndarray],
) -> xr.Dataset:
    """Put samples (depths, values, limits) into a layout."""
    (axis, axis_unit), (axes, values, limits) = along, of_samples
    coords: dict[str, Any] = {"species": species}
    attrs = {"units": axis_unit}
    if layout == "union":
        z = np.unique(axes[np.isfinite(axes)])
        joined, below = (np.full((len(species), z.size), np.nan) for _ in range(2))
        for row in range(len(species)):
            there = np.isfinite(axes[0, row])
            places = np.searchsorted(z, axes[0, row, there])
            joined[row, places], below[row, places] = values[0, row, there], limits[0, row, there]
        dims, values, limits = ("species", axis), joined, below
        coords[axis] = (axis, z, attrs)
    elif layout == "shared":
        dims, values, limits = ("species", axis), values[0], limits[0]
        coords[axis] = (axis, axes[0, 0], attrs)
    elif layout == "batch":
        dims = ("measurement", "species", axis)
        coords |= {"measurement": measurements, axis: (axis, axes[0, 0], attrs)}
    else:
        dims = ("measurement", "species", "point")
        coords |= {"measurement": measurements, axis: (dims, axes, attrs)}
    if np.isfinite(limits).any():
        coords[f"{kind}_detection_limit"] = (dims, limits, {"units": unit})
    return xr.Dataset({kind: (dims, values, {"units": unit})}, coords, {"data_id": "drawn"})


def _metadata(
    dice: Dice, data: xr.Dataset, kind: str, unit: str, limits: np.ndarray, words: list[str]
) -> None:
    """Say of some species what files say of them."""
    if not dice.chance(0.3):
        return
    said: list[dict[str, str]] = [{} for _ in data["species"]]
    for row, about in enumerate(said):
        highest = np.nanmax(limits[:, row], initial=0.0)
        if highest:
            about["detection_limit"] = f"{highest:g} {unit}" if unit != "1" else f"{highest:g}"
            about["below_detection_limit"] = "3 of 9 samples"
        if unit == "count/s" and dice.chance(0.3):
            about.update(dice.one({"detector": "FC"}, {"faraday_cup_threshold": "2e4 counts/s"}))
        if dice.chance(0.2):
            about["rsf"] = "5e22 atoms/cm^3"
    words.append("metadata")
    data.coords["species_metadata"] = ("species", [json.dumps(one) for one in said])


def _with_errors(
    dice: Dice, data: xr.Dataset, kind: str, unit: str, per_count: float, words: list[str]
) -> xr.Dataset:
    """Add counts, or standard errors, or nothing."""
    how = dice.one("plain", "counts", "counts", "stderr")
    if how == "counts":
        options: dict[str, Any] = {"value_per_count": f"{per_count!r} {unit}"}
        if kind == "intensity":
            options = {"dwell_time": f"{1 / per_count!r} s"} if unit == "count/s" else {}
        try:
            with_counts = sims.with_counting_statistics(data, **options)
        except sims.SimsError:
            how = "stderr"
        else:
            words.append("counts")
            return with_counts
    if how == "stderr":
        one = data[kind]
        relative = dice.decade(0.003, 0.3)
        error = relative * abs(one.values) + dice.one(0.0, per_count)
        if dice.chance(0.1):
            error[dice.rng.random(error.shape) < 0.2] = np.nan
        data = data.assign({f"{kind}_stderr": (one.dims, error, {"units": unit})})
        words.append("stderr")
    return data


def _another(dice: Dice, data: xr.Dataset, kind: str, axis: str) -> xr.Dataset:
    """Give another measurement of the same: shifted, scaled, with noise."""
    one = data.isel(measurement=-1, drop=True) if "measurement" in data.dims else data
    if "point" in one.dims:
        # On the axis of its first species.
        z = one[axis].isel(species=0, drop=True).values
        kept = np.isfinite(z)
        one = one.isel(point=kept).drop_vars(axis).assign_coords({axis: ("point", z[kept])})
        one = one.swap_dims(point=axis)
        one[axis].attrs["units"] = data[axis].attrs["units"]
    factor = dice.between(0.5, 1.5) * dice.rng.normal(1.0, 0.02, one[kind].shape)
    moved = one[axis].values + dice.one(0.0, 0.0, dice.between(-3, 3))
    units = one[axis].attrs
    one = one.assign({kind: (one[kind].dims, one[kind].values * factor, one[kind].attrs)})
    return one.assign_coords({axis: (axis, moved, units)}).assign_attrs(data_id="another")


def _corrected(
    dice: Dice,
    data: xr.Dataset,
    words: list[str],
    kind: str,
    matrix: str | None,
    per_count: float,
) -> tuple[xr.Dataset, list[str]]:
    """Do something to the data before they are asked; what they refuse is left out."""
    axis = "depth" if "depth" in data.coords else "sputter_time"
    unit = data[axis].attrs["units"]
    ends = data[axis].values[np.isfinite(data[axis].values)]
    low, high = (float(ends.min()), float(ends.max())) if ends.size else (0.0, 1.0)

    def at(part: float) -> str:
        return f"{low + part * (high - low):.6g} {unit}"

    steps: list[tuple[str, dict[str, Any]]] = [
        ("subtract_background", {"window": (at(0.75), at(1.0))}),
        ("subtract_background", {"window": (at(0.0), at(1.0))}),
        ("to_grid", {"step": f"{(high - low) / dice.count(8, 200) or 1.0:.3g} {unit}"}),
        ("to_grid", {"step": f"{(high - low) / dice.count(8, 60) or 1.0:.3g} {unit}",
                     "conserve": "dose", "method": dice.one("log", "linear")}),
        ("average", {}),
    ]  # fmt: skip
    if kind == "intensity" and matrix is not None:
        names = [str(name) for name in data["species"].values if name != matrix]
        factors = {name: f"{dice.decade(1e20, 1e23):.3g} atoms/cm^3" for name in names}
        steps += 3 * [
            ("with_rsf", {"rsf": factors, "matrix": matrix,
                          "matrix_signal": dice.one("cycle", "mean")}),
            ("correct_dead_time", {"dead_time": "35 ns"}),
        ]  # fmt: skip
    if axis == "sputter_time":
        steps += 2 * [("calibrate_depth", {"rate": "0.4 nm/s", "depth_uncertainty": "3 %"})]
    if kind == "concentration":
        steps += [
            ("rescale_depth", {"factor": 1.07}),
            ("subtract_background", {"value": f"{per_count!r} atoms/cm^3"}),
        ]
    name, options = dice.one(*steps)
    try:
        data = getattr(sims, name)(data, **options)
    except sims.SimsError:
        return data, words
    return data, [*words, f"{name}({', '.join(f'{k}={v!r}' for k, v in options.items())})"]


def _formed(
    dice: Dice, data: xr.Dataset, variable: str, words: list[str]
) -> tuple[Any, xr.Dataset]:
    """Take a part, transpose, chunk, quantify: the forms in which users hold data."""
    if dice.chance(0.06):
        data = data.astype(np.float32)
        words.append("float32")
    if dice.chance(0.1):
        data = data.transpose()
        words.append("transposed")
    if dice.chance(0.15):
        dim = dice.one(*[str(d) for d in data.dims if d in ("species", "measurement")] or ["none"])
        if dim != "none" and data.sizes[dim]:
            data = data.isel({dim: dice.count(0, data.sizes[dim] - 1)})
            words.append(f"one {dim}")
    form = dice.one(*["numpy"] * 10, "dask", "dask", "quantified")
    if form == "dask":
        along = [str(d) for d in data.dims if d in ("species", "measurement")]
        along = dice.some([str(d) for d in data.dims] if dice.chance(0.1) or not along else along)
        data = data.chunk({d: max(1, data.sizes[d] // dice.count(1, 3)) for d in along})
        words.append(f"dask {along}")
    elif form == "quantified":
        data = sims.quantify(data)
        words.append("quantified")
    if dice.chance(0.3):
        words.append("DataArray")
        return data[variable], data
    return data, data
