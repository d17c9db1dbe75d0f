"""All public questions and corrections, with random parameters, for random measurements."""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr

import sims_analysis as sims

from .random_data import Dice, Drawn, draw

__all__ = ["Call", "calls"]


@dataclass
class Call:
    """One call: its question, how it is written, and what makes it."""

    question: str
    written: str
    make: Callable[[], Any]


@dataclass
class Asking:
    """What a question draws its arguments from."""

    drawn: Drawn
    dice: Dice

    # --- numbers --------------------------------------------------------------------------------

    def place(self) -> float:
        """Draw a depth: on a sample or not, now and then beyond the record."""
        d, dice = self.drawn, self.dice
        if dice.chance(0.06):
            return d.low + dice.one(-0.3, 1.2) * (d.high - d.low)
        return d.low + round(dice.between(0, 1), 2) * (d.high - d.low)

    def height(self) -> float:
        """Draw a level: from below a count to above the maximum."""
        return self.drawn.top * self.dice.decade(1e-5, 1.2)

    # --- arguments ------------------------------------------------------------------------------

    def given(self, number: Callable[[], float], unit: str, *, arrays: bool = True) -> Any:
        """State a number: for all profiles, or for each, or over a new dimension."""
        d, dice = self.drawn, self.dice
        over = dice.one(*["all"] * 9, "species", "measurement", "each", "case")
        dims = {
            "species": ["species"],
            "measurement": ["measurement"],
            "each": ["measurement", "species"],
            "case": ["case"],
        }.get(over if arrays else "all", [])
        labels = {"species": d.species, "measurement": d.measurements, "case": ["a", "b"]}
        dims = [dim for dim in dims if labels[dim] and (dim == "case" or dim in d.data.dims)]
        if not dims:
            return f"{number():.6g} {unit}"
        shape = [len(labels[dim]) for dim in dims]
        values = np.array([number() for _ in range(int(np.prod(shape)))]).reshape(shape)
        if dice.chance(0.2):
            values.flat[dice.count(0, values.size - 1)] = np.nan
        coords = {dim: labels[dim] for dim in dims}
        return xr.DataArray(values, coords, dims, attrs={"units": unit})

    def depth(self) -> Any:
        return self.given(self.place, self.drawn.axis_unit)

    def plain_depth(self) -> str:
        return f"{self.place():.6g} {self.drawn.axis_unit}"

    def level(self) -> Any:
        return self.given(self.height, self.drawn.stated_unit)

    def window(self) -> tuple[Any, Any]:
        low, high = sorted((self.place(), self.place() + 0.01))
        unit = self.drawn.axis_unit
        if self.dice.chance(0.1):
            return self.given(lambda: low, unit), self.given(lambda: high, unit)
        return f"{low:.6g} {unit}", f"{high:.6g} {unit}"

    def tail(self) -> tuple[str, str]:
        d = self.drawn
        low, high = (d.low + part * (d.high - d.low) for part in (self.dice.between(0.5, 0.9), 1.0))
        return f"{low:.6g} {d.axis_unit}", f"{high:.6g} {d.axis_unit}"

    def width(self) -> str:
        """Draw a resolution, in nm."""
        return f"{(self.drawn.high - self.drawn.low) * self.dice.decade(0.01, 0.1):.3g} nm"

    # --- options --------------------------------------------------------------------------------

    def maybe(self, **options: Callable[[], Any]) -> dict[str, Any]:
        """Draw each option in half of the cases."""
        return {name: draw_() for name, draw_ in options.items() if self.dice.chance(0.5)}

    def limits(self) -> dict[str, Any]:
        """Draw start and stop, or one of them, or none."""
        start, stop = self.window()
        return self.maybe(start=lambda: start, stop=lambda: stop)

    def gaps(self) -> dict[str, str]:
        return {"gaps": "bridge"} if self.dice.chance(0.25) else {}

    def background(self) -> dict[str, Any]:
        how = self.dice.one("none", "none", "value", "window")
        if how == "none":
            return {}
        return {"background": self.level() if how == "value" else self.tail()}

    def rule(self) -> dict[str, str]:
        return {"rule": self.dice.one("trapezoid", "loglinear")}


def _integrated_dose(a: Asking) -> dict[str, Any]:
    surface = a.dice.one({}, {}, {}, {"surface": "hold"},
                         {"surface": "exclude", "surface_depth": a.depth()})  # fmt: skip
    strict = {"strict": True} if a.dice.chance(0.07) else {}
    return a.limits() | a.rule() | a.background() | a.gaps() | surface | strict


def _dose_budget(a: Asking) -> dict[str, Any]:
    options = a.limits() | a.rule() | a.background() | a.gaps()
    return options | a.maybe(
        surface_depth=a.depth,
        detection_limit=a.level,
        rsf_uncertainty=lambda: a.dice.one(0.1, "5 %"),
        depth_uncertainty=lambda: a.dice.one(0.05, "2 %"),
    )


def _junction_depth(a: Asking) -> dict[str, Any]:
    after = a.dice.one("peak", a.depth())
    options = a.maybe(
        edge=lambda: a.dice.one("trailing", "leading", "any"),
        which=lambda: a.dice.one("deepest", "first", 1, 2),
        after=lambda: after,
        confirm=lambda: a.dice.count(1, 4),
    )
    limit = {"detection_limit": a.level()} if a.dice.chance(0.2) else {}
    strict = {"strict": True} if a.dice.chance(0.07) else {}
    level = a.level()
    if isinstance(level, str) and a.dice.chance(0.1):
        level = dict.fromkeys(a.dice.some(a.drawn.species), level)
    return {"level": level} | options | limit | strict | a.gaps()


def _dopants(a: Asking) -> dict[str, Any]:
    names = [str(name) for name in a.dice.rng.permutation(a.drawn.species)]
    half = a.dice.count(1, len(names) - 1) if len(names) > 1 else a.dice.count(0, 1)
    return {"donors": names[:half], "acceptors": names[half:]}


def _metallurgical(a: Asking) -> dict[str, Any]:
    level = {"background": f"{a.height():.3g} {a.drawn.unit}"} if a.dice.chance(0.4) else {}
    return _dopants(a) | level | a.maybe(max_count=lambda: a.dice.count(1, 8)) | a.gaps()


def _interpolate(a: Asking) -> dict[str, Any]:
    several = [a.plain_depth() for _ in range(a.dice.count(1, 6))]
    points = np.sort([a.place() for _ in range(7)])
    over = xr.DataArray(points, dims="depth", attrs={"units": a.drawn.axis_unit})
    depth = a.dice.one(a.depth(), several, over)
    return {"depth": depth, "method": a.dice.one("log", "linear", "pchip", "makima")} | a.gaps()


def _to_grid(a: Asking) -> dict[str, Any]:
    d = a.drawn
    step = f"{(d.high - d.low) / a.dice.count(3, 90) or 1.0:.3g} {d.axis_unit}"
    points = np.unique([round(a.place(), 2) for _ in range(a.dice.count(1, 30))])
    new = a.dice.one(
        {"step": step},
        {"depth": xr.DataArray(points, dims="depth", attrs={"units": d.axis_unit})},
        {"like": d.other},
    )
    method = {"method": a.dice.one("log", "linear", "pchip", "makima")}
    return new | method | a.gaps() | ({"conserve": "dose"} if a.dice.chance(0.4) else {})


def _decay_length(a: Asking) -> dict[str, Any]:
    edge = {"edge": a.dice.one("trailing", "leading")}
    if a.dice.chance(0.5):
        return a.limits() | edge
    low, high = sorted((a.height(), a.height()))
    unit = a.drawn.stated_unit
    limit = {"detection_limit": a.level()} if a.dice.chance(0.2) else {}
    levels = {"low": a.given(lambda: low, unit), "high": a.given(lambda: high, unit)}
    return levels | a.maybe(start=a.depth) | edge | limit


def _compare(a: Asking) -> dict[str, Any]:
    level = {"level": a.level(), "edge": a.dice.one("trailing", "leading")}
    options = a.rule() | {"method": a.dice.one("log", "linear")} | a.gaps()
    return {"b": a.drawn.other} | options | (level if a.dice.chance(0.4) else {})


def _align(a: Asking) -> dict[str, Any]:
    method = a.dice.one("cross-correlation", "log-correlation", "edge", "peak")
    edge = {"fraction": 0.4, "edge": a.dice.one("trailing", "leading")} if method == "edge" else {}
    marker = {"marker": a.dice.one(*a.drawn.species)} if a.dice.chance(0.5) else {}
    return {"b": a.drawn.other, "method": method} | edge | marker


def _ratio(a: Asking) -> dict[str, Any]:
    names = a.dice.rng.permutation(a.drawn.species)
    kind = a.dice.one("ratio", "fraction")
    return {"numerator": str(names[0]), "denominator": str(names[-1]), "kind": kind}


def _factors(a: Asking) -> Any:
    d = a.drawn
    per = "" if d.matrix else f" per {d.unit}"  # only texts have such units
    return {
        name: a.given(lambda: a.dice.decade(1e18, 1e23), f"atom/cm^3{per}", arrays=False)
        for name in a.dice.some([name for name in d.species if name != d.matrix] or d.species)
    }


def _with_rsf(a: Asking) -> dict[str, Any]:
    signal = {"matrix_signal": a.dice.one("cycle", "mean")}
    options = a.maybe(matrix_threshold=lambda: 0.05, keep_intensity=lambda: True)
    if signal["matrix_signal"] == "mean":
        options |= a.maybe(window=a.window)
    return {"rsf": _factors(a), "matrix": a.drawn.matrix} | signal | options


def _rsf_from_standard(a: Asking) -> dict[str, Any]:
    options = a.limits() | a.background() | a.rule()
    others = [name for name in a.drawn.species if name != a.drawn.matrix]
    return options | {
        "species": a.dice.one(*(others or a.drawn.species)),
        "dose": f"{a.dice.decade(1e12, 1e16):.3g} atoms/cm^2",
        "matrix": a.drawn.matrix,
        "matrix_signal": a.dice.one("cycle", "mean"),
    } | a.maybe(dose_uncertainty=lambda: 0.03)  # fmt: skip


def _scale_to_dose(a: Asking) -> dict[str, Any]:
    dose = {
        name: f"{a.dice.decade(1e11, 1e16):.3g} atoms/cm^2" for name in a.dice.some(a.drawn.species)
    }
    uncertain = a.maybe(dose_uncertainty=lambda: "3 %")
    return {"dose": dose} | a.limits() | a.background() | a.rule() | uncertain


def _subtract_background(a: Asking) -> dict[str, Any]:
    how = {"window": a.window()} if a.dice.chance(0.6) else {"value": a.level()}
    some = {"species": a.dice.some(a.drawn.species)} if a.dice.chance(0.3) else {}
    return how | some


def _calibrate_depth(a: Asking) -> dict[str, Any]:
    rate = a.dice.one("0.4 nm/s", [(a.plain_depth(), "0.3 nm/s"), (None, "0.5 nm/s")])
    total = {} if a.dice.chance(0.5) else {"total_time": f"{1.1 * a.drawn.high:.6g} s"}
    how = a.dice.one({"rate": rate}, {"crater_depth": "321 nm"} | total)
    return how | a.maybe(depth_uncertainty=lambda: "3 %")


def _rescale_depth(a: Asking) -> dict[str, Any]:
    factor = a.dice.between(0.5, 2)
    options = a.dice.one(
        {"factor": factor},
        {"factor": factor, "offset": "-0.7 nm"},
        {"crater_depth": "321 nm"},
        {"offset": "2 nm"},
    )
    return options | a.maybe(depth_uncertainty=lambda: 0.03)


def _resolution(a: Asking) -> Any:
    dowsett = {name: a.width() for name in ("lambda_growth", "lambda_decay", "sigma")}
    return a.dice.one(a.width(), a.width(), dowsett)


def _deconvolve(a: Asking) -> dict[str, Any]:
    smooth = {"smoothness": a.dice.one("auto", "steps", 2.0)}
    return {"resolution": _resolution(a)} | a.limits() | smooth | a.gaps()


_MODELS = ("gaussian", "gaussian", "edge", "erfc", "joined_gaussian", "pearson", "delta_drf",
           "delta_mri", "edge_logistic", "limited_source")  # fmt: skip


def _fit(a: Asking) -> dict[str, Any]:
    weights = a.dice.one("auto", "auto", "log", "none", "stderr", "counts")
    background = {"background": "fit"} if a.dice.chance(0.3) else {}
    options = {"model": a.dice.one(*_MODELS), "weights": weights}
    return options | a.limits() | background | a.gaps()


def _layers(a: Asking) -> dict[str, Any]:
    how = a.dice.one({}, {"level": a.level()}, {"fraction": 0.3})
    one = {"species": a.dice.one(*a.drawn.species)} if a.dice.chance(0.8) else {}
    return how | one | a.gaps()


def _interface(a: Asking) -> dict[str, Any]:
    parts = {"low": 0.1, "high": 0.9} if a.dice.chance(0.2) else {}
    return a.limits() | parts | a.gaps()


def _sheet_resistance(a: Asking) -> dict[str, Any]:
    options = a.maybe(
        mobility=lambda: a.dice.one("masetti", "arora", "f723"), background=lambda: "1e15 cm^-3"
    )
    return _dopants(a) | options | a.limits() | a.gaps()


def _counting(a: Asking) -> dict[str, Any]:
    d = a.drawn
    if d.unit == "count/s":
        return {"dwell_time": f"{1 / d.per_count!r} s"}
    return {} if d.unit == "count" else {"value_per_count": f"{d.per_count!r} {d.unit}"}


def _detection_limit(a: Asking) -> dict[str, Any]:
    return {"window": a.dice.one(a.tail(), a.window()), "rule": a.dice.one("mean+3sigma", "currie")}


def _repeatability(a: Asking) -> dict[str, Any]:
    d = a.drawn
    step = f"{(d.high - d.low) / 40 or 1.0:.3g} {d.axis_unit}"
    level = {"level": a.level()} if a.dice.chance(0.5) else {}
    return a.maybe(step=lambda: step) | level | a.limits() | a.gaps()


#: Questions of the data, and how often they are asked of each; many are quick, some are not.
QUESTIONS: dict[str, tuple[float, Callable[[Asking], dict[str, Any]]]] = {
    "mean_value": (2, Asking.limits),
    "integrated_dose": (3, _integrated_dose),
    "cumulative_dose": (1, lambda a: a.rule() | a.background() | a.gaps()),
    "dose_budget": (1, _dose_budget),
    "depth_at_dose_fraction": (
        1,
        lambda a: {"fraction": a.dice.one(0.5, [0.1, 0.9])} | a.rule() | a.gaps(),
    ),
    "peak": (2, lambda a: a.limits() | a.gaps()),
    "surface_concentration": (
        1,
        lambda a: {"depth": a.depth(), "samples": a.dice.count(3, 9)} | a.gaps(),
    ),
    "moments": (
        1,
        lambda a: a.limits() | a.background() | a.gaps() | a.maybe(threshold=lambda: 0.01),
    ),
    "decay_length": (1, _decay_length),
    "crossings": (
        1,
        lambda a: {"level": a.level()} | a.maybe(max_count=lambda: a.dice.count(1, 9)) | a.gaps(),
    ),
    "junction_depth": (3, _junction_depth),
    "metallurgical_junctions": (1, _metallurgical),
    "detection_limit": (1, _detection_limit),
    "below_detection": (0.5, lambda a: {"limit": a.level()}),
    "interpolate": (2, _interpolate),
    "to_grid": (1, _to_grid),
    "compare": (1, _compare),
    "align": (0.3, _align),
    "layers": (0.5, _layers),
    "interface": (0.5, _interface),
    "sheet_resistance": (0.5, _sheet_resistance),
    "convolve": (0.5, lambda a: {"resolution": _resolution(a)}),
    "with_units": (0.2, lambda a: {a.drawn.axis: "um" if a.drawn.axis == "depth" else "min"}),
    "fit": (0.15, _fit),
    "deconvolve": (0.12, _deconvolve),
}
#: Those of a Dataset alone.
OF_DATASETS: dict[str, tuple[float, Callable[[Asking], dict[str, Any]]]] = {
    "with_counting_statistics": (0.3, _counting),
    "average": (0.5, lambda _: {}),
    "repeatability": (0.5, _repeatability),
    "ratio": (0.7, _ratio),
    "with_rsf": (0.7, _with_rsf),
    "rsf_from_standard": (0.5, _rsf_from_standard),
    "scale_to_dose": (0.5, _scale_to_dose),
    "subtract_background": (0.7, _subtract_background),
    "correct_dead_time": (
        0.3,
        lambda a: {"dead_time": a.dice.one("35 ns", "35 ns", "35 ns", "2 us")},
    ),
    "calibrate_depth": (0.3, _calibrate_depth),
    "rescale_depth": (0.3, _rescale_depth),
    "to_concentration": (0.1, lambda _: {"atomic_density": "5e22 atoms/cm^3"}),
    "to_element": (
        0.2,
        lambda a: {
            "abundance": "natural",
            "species": [s for s in a.drawn.species if s[0].isdigit()] or a.drawn.species,
        },
    ),
}


def _one(a: Asking) -> xr.Dataset:
    """Give one measurement; of a batch mostly its first, or else the whole, which is refused."""
    data = a.drawn.dataset
    single = "measurement" in data.dims and a.dice.chance(0.9)
    return data.isel(measurement=0, drop=a.dice.chance(0.8)) if single else data


def _spliced(a: Asking) -> tuple[str, Callable[[], Any]]:
    at, scale = f"{a.place():.6g} {a.drawn.axis_unit}", a.dice.chance(0.5)
    top, deep, axis = _one(a), a.drawn.other, a.drawn.axis
    if axis in top.dims:
        top = top.isel({axis: slice(0, max(1, 9 * top.sizes[axis] // 10))})
    if axis in deep.dims:
        deep = deep.isel({axis: slice(deep.sizes[axis] // 10, None)})
    options = {"at": at, "scale": scale} if a.dice.chance(0.5) else {"scale": scale}
    return f"splice(data, other, {options})", lambda: sims.splice(top, deep, **options)


def _merged(a: Asking) -> tuple[str, Callable[[], Any]]:
    both = [_one(a), a.drawn.other]
    return "merge_profiles([data, other], suffix=...)", lambda: sims.merge_profiles(
        both, suffix=["", " (Cs+)"]
    )


def _stacked(a: Asking) -> tuple[str, Callable[[], Any]]:
    both = [_one(a), a.drawn.other]
    return "stack([data, other])", lambda: sims.stack(both, names=["a", "b"])


def _sample(a: Asking) -> tuple[str, Callable[[], Any]]:
    name, data = a.dice.one(*a.drawn.species), a.drawn.data
    if "measurement" in data.dims and a.dice.chance(0.9):
        data = data.isel(measurement=0)
    return f"samples(data, {name!r})", lambda: sims.samples(data, name)


def _profiles(a: Asking) -> tuple[str, Callable[[], Any]]:
    data = _one(a)
    return "to_dataset(to_profiles(data))", lambda: sims.to_dataset(sims.to_profiles(data))


def _unstacked(a: Asking) -> tuple[str, Callable[[], Any]]:
    return "unstack(data)[-1]", lambda: sims.unstack(a.drawn.dataset)[-1]


def _treed(a: Asking) -> tuple[str, Callable[[], Any]]:
    both = {"a": a.drawn.dataset, "b": a.drawn.other}
    return "from_datatree(to_datatree({'a': data, 'b': other}))['a']", lambda: sims.from_datatree(
        sims.to_datatree(both)
    )["a"]


def _stored(a: Asking) -> tuple[str, Callable[[], Any]]:
    def again() -> Any:
        with tempfile.TemporaryDirectory() as folder:
            return sims.load(sims.save(a.drawn.data, Path(folder) / "data.nc")).load()

    return "load(save(data, 'data.nc'))", again


def _tabled(a: Asking) -> tuple[str, Callable[[], Any]]:
    level = f"{a.height():.6g} {a.drawn.stated_unit}"
    return (
        f"results_table(peak(data), crossings(data, level={level!r}))",
        lambda: sims.results_table(
            sims.peak(a.drawn.data), sims.crossings(a.drawn.data, level=level)
        ),
    )


#: Those that take other things than data and options.
SPECIAL: dict[str, tuple[float, Callable[[Asking], tuple[str, Callable[[], Any]]]]] = {
    "splice": (0.5, _spliced),
    "merge_profiles": (0.3, _merged),
    "stack": (0.3, _stacked),
    "samples": (0.5, _sample),
    "to_profiles": (0.3, _profiles),
    "unstack": (0.2, _unstacked),
    "to_datatree": (0.1, _treed),
    "save": (0.05, _stored),
    "results_table": (0.1, _tabled),
}
#: What refuses most data, for what it needs: asked in vain now and then only.
NEEDS: dict[str, Callable[[Drawn], bool]] = {
    **dict.fromkeys(
        ("integrated_dose", "cumulative_dose", "dose_budget", "depth_at_dose_fraction", "moments",
         "metallurgical_junctions", "sheet_resistance", "scale_to_dose"),
        lambda d: d.variable == "concentration" and d.axis == "depth",
    ),
    **dict.fromkeys(
        ("surface_concentration", "junction_depth", "compare", "convolve", "deconvolve",
         "detection_limit", "rescale_depth"),
        lambda d: d.axis == "depth",
    ),
    **dict.fromkeys(
        ("with_rsf", "rsf_from_standard", "correct_dead_time"),
        lambda d: "intensity" in d.dataset.data_vars,
    ),
    **dict.fromkeys(("average", "repeatability", "unstack"), lambda d: len(d.measurements) > 1),
    "calibrate_depth": lambda d: d.axis == "sputter_time",
    "ratio": lambda d: len(d.species) > 1,
    "to_concentration": lambda d: d.variable == "atomic_fraction",
    "with_counting_statistics": lambda d: "counts" not in d.words,
}  # fmt: skip
#: Questions that a subset of the profiles is enough for, because they take long.
_SLOW = ("fit", "deconvolve")


def calls(seed: int, number: int, only: list[str]) -> Iterator[Call]:
    """Yield what is asked of a dataset, and first the dataset itself; `only` these questions."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawn = draw(seed, number)
    yield Call("data", ", ".join(drawn.words), lambda: draw(seed, number).dataset)
    for question, (often, _) in (QUESTIONS | OF_DATASETS | SPECIAL).items():
        if only and question not in only:
            continue
        dice = Dice(seed, number, question)
        if question in NEEDS and not NEEDS[question](drawn) and dice.chance(0.85):
            continue
        for time in range(int(often) + dice.chance(often % 1)):
            yield _call(question, Asking(drawn, Dice(seed, number, question, time)))


def _call(question: str, asking: Asking) -> Call:
    drawn = asking.drawn
    if question in SPECIAL:
        return Call(question, *SPECIAL[question][1](asking))
    options = (QUESTIONS | OF_DATASETS)[question][1](asking)
    data: Any = drawn.data if question in QUESTIONS else drawn.dataset
    if question in _SLOW and "measurement" in data.dims:
        data = data.isel(measurement=slice(0, 2))
    given = ", ".join(["data", *(f"{name}={_written(one)}" for name, one in options.items())])
    if "b" in options:
        other = options.pop("b")
        return Call(
            question,
            f"{question}({given})",
            lambda: getattr(sims, question)(data, other, **options),
        )
    return Call(question, f"{question}({given})", lambda: getattr(sims, question)(data, **options))


def _written(value: Any) -> str:
    if isinstance(value, xr.Dataset):
        return "other"
    if isinstance(value, xr.DataArray):
        return (
            f"DataArray({value.values.tolist()}, dims={list(value.dims)}, {value.attrs['units']})"
        )
    return repr(value)
