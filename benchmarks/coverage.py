"""How many of the stated 68 % intervals hold the truth: every answer that has an error.

``python -m benchmarks --coverage 1000`` counts profiles whose truth is known so many times, at
random phases between samples, asks every question and fits every model, and prints how often the
truth lies within one stated standard error: of answers with the status ``ok`` and an error, as a
user would take them. ``--page FILE`` writes a page of the site instead. The profiles are asked as
counted; on a grid of a quarter of the spacing of the samples; after a background (a tenth of the
maximum) was subtracted, by a window apart from what is asked or inside it; and after
quantification by a matrix signal of 2,000 counts a cycle.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import xarray as xr
from scipy.special import ndtr

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SimsWarning
from sims_analysis.shapes import models

TOP = 1e20
COUNTS = (10, 100, 1000)
STATES = ("plain", "grid", "apart", "inside", "factor")
#: Of a background that is subtracted, as a part of the maximum; counts of a matrix signal.
_UNDER, _MATRIX = 0.1, 2000
#: Between which parts the intervals should cover, and at how few counts.
_BANDS = {10: (0.60, 0.76), 100: (0.64, 0.72), 1000: (0.64, 0.72)}

Array = Any
Answers = Mapping[str, tuple[Any, Any, Any]]


@dataclass(frozen=True)
class Scene:
    """What is measured: parts of `TOP` over depth, and the window of its background."""

    shapes: Mapping[str, Callable[[Array], Array]]
    stop: float
    step: float = 2.0
    start: float = 0.0
    #: Where there is nothing but background; to be left out of what is asked if it is `apart`.
    empty: tuple[float, float] | None = None


@dataclass(frozen=True)
class Question:
    """What is asked of a scene: `ask` takes the data, and the same without noise."""

    name: str
    scene: Scene
    ask: Callable[..., Answers]
    states: tuple[str, ...] = STATES
    counts: tuple[int, ...] = COUNTS
    #: Fits are slow.
    slow: bool = False
    options: Mapping[str, Any] = field(default_factory=dict)


def counted(
    scene: Scene, counts: int, state: str, trials: int, seed: int
) -> tuple[xr.Dataset, xr.Dataset]:
    """Count a scene so many times; return it with its noise, and without."""
    rng = np.random.default_rng(seed)
    z = np.arange(scene.start, scene.stop, scene.step) + rng.uniform(0, scene.step, (trials, 1))
    part = np.stack([shape(z) for shape in scene.shapes.values()], axis=1)
    under = _UNDER if state in ("apart", "inside") else 0.0
    k = rng.poisson((part + under) * counts) * 1.0
    species = list(scene.shapes)
    axis = (("measurement", "point"), z, {"units": "nm"})
    dims = ("measurement", "species", "point")

    def data(name: str, values: Array, unit: str, species: list[str]) -> xr.Dataset:
        made = {name: (dims, values, {"units": unit})}
        coords = {"measurement": np.arange(trials), "species": species, "depth": axis}
        return xr.Dataset(made, coords=coords)

    clean = data("concentration", TOP * part, "atom/cm^3", species)
    if state == "factor":
        matrix = rng.poisson(_MATRIX, (trials, 1, z.shape[1])) * 1.0
        ds = data("intensity", np.concatenate([k, matrix], axis=1), "count/s", [*species, "Si"])
        ds = sims.with_counting_statistics(ds, dwell_time="1 s")
        factor = f"{TOP * _MATRIX / counts} atoms/cm^3"
        ds = sims.with_rsf(ds, rsf=dict.fromkeys(species, factor), matrix="Si")
        return ds.sel(species=species), clean
    ds = data("concentration", k * TOP / counts, "atom/cm^3", species)
    ds = sims.with_counting_statistics(ds, value_per_count=f"{TOP / counts} atoms/cm^3")
    if state == "grid":
        fine = f"{scene.step / 4} nm"
        return sims.to_grid(ds, step=fine), sims.to_grid(clean, step=fine)
    if under:
        ds = sims.subtract_background(ds, window=_nm(*scene.empty))
    return ds, clean


def _nm(start: float, stop: float) -> tuple[str, str]:
    return f"{start} nm", f"{stop} nm"


class Cell(NamedTuple):
    """How often the stated interval of an answer held its truth."""

    question: str
    answer: str
    counts: int
    state: str
    share: float
    #: Binomial standard error of the share, and the part of the trials with an error.
    chance: float
    part: float


def measure(trials: int, only: str = "", counts: tuple[int, ...] = COUNTS) -> Iterator[Cell]:
    """Ask every question of profiles that are counted so many times."""
    for question in questions():
        if only not in question.name:
            continue
        for number in (one for one in counts if one in question.counts):
            for state in (one for one in STATES if one in question.states):
                some = max(trials * 2 // 5, 2) if question.slow else trials
                yield from _cells(question, number, state, some)


def table(trials: int, only: str = "", counts: tuple[int, ...] = COUNTS) -> None:
    """Print the coverages, in per cent, with their binomial standard errors.

    A star marks one outside its band by more than three of these; in brackets, how many of the
    trials have an answer with an error, where it is less than 95 %.
    """
    print(f"{'':<34}{'counts':>7}" + "".join(f"{state:>16}" for state in STATES))
    for (name, number), group in groupby(
        sorted_by_answer(measure(trials, only, counts)), key=lambda c: (title(c), c.counts)
    ):
        row = {cell.state: _printed(cell, number) for cell in group}
        line = "".join(f"{row.get(state, '-'):>16}" for state in STATES)
        print(f"{name:<34}{number:>7}{line}", flush=True)


def sorted_by_answer(cells: Iterator[Cell]) -> Iterator[Cell]:
    """Compare the states of each answer, question by question."""
    for _, group in groupby(cells, key=lambda cell: (cell.question, cell.counts)):
        kept = list(group)
        order = list(dict.fromkeys(cell.answer for cell in kept))
        yield from sorted(kept, key=lambda cell: order.index(cell.answer))


def title(cell: Cell) -> str:
    """Return the name of an answer."""
    return f"{cell.question} {cell.answer}".rstrip()


def _printed(cell: Cell, counts: int) -> str:
    if not cell.part:
        return "none"
    low, high = _BANDS[counts]
    star = " " if low - 3 * cell.chance <= cell.share <= high + 3 * cell.chance else "*"
    some = f"[{100 * cell.part:.0f}]" if cell.part < 0.95 else ""
    return f"{100 * cell.share:.1f}({100 * cell.chance:.1f}){some}{star}"


#: Between these lines of the page stands the table.
_BEGIN, _END = "<!-- made by `python -m benchmarks --coverage", "<!-- until here -->\n"


def page(trials: int, path: Path) -> None:
    """Write the table of all answers into a page of the site."""
    rows: dict[str, dict[int, list[Cell]]] = {}
    for cell in measure(trials):
        rows.setdefault(title(cell), {}).setdefault(cell.counts, []).append(cell)
    head = ["answer", *(f"{number:,} counts" for number in reversed(COUNTS))]
    fits = trials * 2 // 5
    lines = [
        f"Per cent of {trials} trials, of fits {fits}, from the lowest to the highest state; one",
        f"figure is known to {_chance(trials):.1f}, of fits to {_chance(fits):.1f}. In brackets:",
        "how many answers have an error, where that is less than 95 in some state.",
        "",
        "| " + " | ".join(head) + " |",
        "|---" * len(head) + "|",
    ]
    for name, by_counts in rows.items():
        cells = (_ranged(by_counts.get(number, [])) for number in reversed(COUNTS))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    begin = f"{_BEGIN} {trials} --page {path.as_posix()}` -->\n"
    text = path.read_text(encoding="utf-8")
    before, rest = text[: text.index(_BEGIN)], text[text.index(_END) :]
    path.write_text(f"{before}{begin}\n" + "\n".join(lines) + f"\n\n{rest}", encoding="utf-8")


def _chance(number: int) -> float:
    """Return the binomial standard error of 68 %, in per cent."""
    return 100 * math.sqrt(0.68 * 0.32 / number)


def _ranged(cells: list[Cell]) -> str:
    """Return the range over the states, and how many have an error, where not nearly all do.

    A share is one of at least a tenth of the trials.
    """
    if not cells:
        return ""
    shares = sorted(100 * cell.share for cell in cells if cell.part >= 0.1)
    least = min(100 * cell.part for cell in cells)
    ends = dict.fromkeys(f"{share:.0f}" for share in (*shares[:1], *shares[-1:]))
    return ("-".join(ends) or "few") + (f" [{least:.0f}]" if least < 95 else "")


def _cells(question: Question, counts: int, state: str, trials: int) -> Iterator[Cell]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        data = counted(question.scene, counts, state, trials, seed=counts)
        window: dict[str, Any] = {}
        if state == "apart" and question.scene.empty:
            window["stop"] = f"{question.scene.empty[0]} nm"
        answers = question.ask(*data, **question.options, **window)
    for name, answer in answers.items():
        value, stderr, truth = np.broadcast_arrays(*(np.asarray(one, float) for one in answer))
        known = np.isfinite(value) & np.isfinite(stderr)
        held = np.abs(value - truth) <= stderr
        share = float(held[known].mean()) if known.any() else math.nan
        # Several answers of one trial are not independent.
        chance = _chance(max(min(int(known.sum()), trials), 1)) / 100
        yield Cell(question.name, name, counts, state, share, chance, float(known.mean()))


# --- what is measured ---------------------------------------------------------------------------


def _peak(z: Array) -> Array:
    return np.exp(-((z - 100) ** 2) / (2 * np.where(z < 100, 25.0, 35.0) ** 2))


def _tail(z: Array) -> Array:
    return np.where(z < 60, np.exp(-((z - 60) ** 2) / 450), np.exp(-(z - 60) / 15))


def _box(z: Array, width: float) -> Array:
    return 0.1 + 0.9 * (ndtr((z - 60) / width) - ndtr((z - 130) / width))


def _step(z: Array, width: float = 8.0) -> Array:
    return 0.1 + 0.9 * ndtr((z - 100) / width)


PEAK = Scene({"B": _peak}, 360, empty=(280, 350))
TAIL = Scene({"B": _tail}, 300, empty=(220, 290))
STEP = Scene({"B": _step}, 200)
JUNCTION = Scene(
    {
        "B": lambda z: np.exp(-((z - 40) ** 2) / 1800),
        "P": lambda z: 0.5 * np.exp(-((z - 130) ** 2) / 5000),
    },
    300,
    empty=(285, 300),
)
PAIR = Scene({"B": lambda z: 0.8 + 0 * z, "P": lambda z: 0.5 + 0.0 * z}, 100)


# --- what is asked ------------------------------------------------------------------------------


def _of(found: Any, *names: str) -> dict[str, tuple[Any, Any]]:
    """Return answers of a Dataset with their errors, where they are ``ok``."""
    fine = found["status"] == "ok" if "status" in found else True
    return {one: (found[one].where(fine), found[f"{one}_stderr"]) for one in names}


def _one(found: xr.DataArray) -> tuple[Any, Any]:
    fine = found["status"] == "ok" if "status" in found.coords else True
    return found.where(fine), found["stderr"]


def _dose(ds: xr.Dataset, clean: xr.Dataset, **window: Any) -> Answers:
    z = np.arange(0, 400, 0.01)
    to = {"start": "40 nm", "stop": "200 nm"}
    whole = np.trapezoid(_peak(z), z) * TOP * 1e-7
    inside = np.trapezoid(_peak(z[4000:20001]), z[4000:20001]) * TOP * 1e-7
    wide = window or {"stop": "279 nm"}
    part = sims.integrated_dose(clean, **wide)
    found = {
        "whole": (*_one(sims.integrated_dose(ds, **window)), whole),
        "window": (*_one(sims.integrated_dose(ds, **to)), inside),
        "loglinear": (*_one(sims.integrated_dose(ds, **to, rule="loglinear")), inside),
    }
    budget = sims.dose_budget(ds, **wide)
    found["budget"] = (budget["dose"], budget["random_stderr"], part)
    return found


def _moments(ds: xr.Dataset, clean: xr.Dataset, *, threshold: Any = None, **window: Any) -> Answers:
    names = ("dose", "projected_range", "straggle", "skewness", "kurtosis")
    found = _of(sims.moments(ds, threshold=threshold, **window), *names)
    truth = sims.moments(clean, threshold=threshold, **window)
    return {name: (*one, truth[name]) for name, one in found.items()}


def _maximum(ds: xr.Dataset, clean: xr.Dataset, **window: Any) -> Answers:
    found, width = sims.peak(ds, **window), sims.peak(clean, **window)["fwhm"]
    return {
        "value": (found["concentration"], found["concentration_stderr"], TOP),
        "width": (found["fwhm"], found["fwhm_stderr"], width),
    }


def _contained(ds: xr.Dataset, clean: xr.Dataset, **_: Any) -> Answers:
    part = {"fraction": [0.1, 0.5, 0.9]}
    found = sims.depth_at_dose_fraction(ds, **part)
    truth = sims.depth_at_dose_fraction(clean, **part)
    each = (one.isel(fraction=i) for i in range(3) for one in (found, truth))
    return {f"{p:.0%}": (*_one(a), b) for p, a, b in zip(part["fraction"], each, each, strict=True)}


def _junction(ds: xr.Dataset, _: Any, **__: Any) -> Answers:
    answers = {}
    for part in (0.5, 0.1):
        level = f"{part * TOP} atoms/cm^3"
        off = 60 + 15 * -math.log(part)
        found = sims.junction_depth(ds, level=level, after="peak")
        answers[f"{part:.0%} deep"] = (*_one(found), off)
    level = f"{0.5 * TOP} atoms/cm^3"
    found = sims.junction_depth(ds, level=level, edge="leading", which="first")
    answers["50% rising"] = (*_one(found), 60 - 15 * math.sqrt(-2 * math.log(0.5)))
    return answers


def _layer(ds: xr.Dataset, _: Any, **__: Any) -> Answers:
    found = sims.layers(ds, level=f"{0.3 * TOP} atoms/cm^3").isel(layer=0, species=0, drop=True)
    top, bottom = (100 + s * w * math.sqrt(-2 * math.log(0.3)) for s, w in ((-1, 25), (1, 35)))
    truth = {"top": top, "bottom": bottom, "thickness": bottom - top}
    return {k: (*one, truth[k]) for k, one in _of(found, *truth).items()}


def _film(ds: xr.Dataset, _: Any, **__: Any) -> Answers:
    """By its own plateau; of several layers, or none, there is no answer."""
    found, truth = sims.layers(ds), {"top": 60, "bottom": 130, "thickness": 70}
    one = (found["status"] == "ok").sum("layer") == 1
    found = found.isel(layer=0, species=0, drop=True).where(one.isel(species=0, drop=True))
    return {k: (*each, truth[k]) for k, each in _of(found, *truth).items()}


def _changes(ds: xr.Dataset, _: Any, **__: Any) -> Answers:
    found = sims.metallurgical_junctions(ds, acceptors=["B"], donors=["P"])
    a, b = 1 / 1800, 1 / 5000
    roots = np.roots((b - a, 80 * a - 260 * b, 16900 * b - 1600 * a + math.log(2)))
    truth = max(x for x in roots if 40 < x < 130)
    # Far below both there is noise alone, and it changes the type as well.
    there = found.where((found["polarity"] == "p->n") & (found["depth"] > 60))
    chosen = there.isel(junction=there["depth"].fillna(1e9).argmin("junction"))
    return {"p->n": (chosen["depth"], chosen["stderr"], truth)}


def _sheet(ds: xr.Dataset, clean: xr.Dataset, **window: Any) -> Answers:
    answers = {}
    for name, dopants in (
        ("one", {"acceptors": ["B"]}),
        ("to a junction", {"acceptors": ["B"], "donors": ["P"]}),
    ):
        end = {} if "donors" in dopants else window
        found = _of(sims.sheet_resistance(ds, **dopants, **end), "sheet_resistance")
        truth = sims.sheet_resistance(clean, **dopants, **end)["sheet_resistance"]
        answers[name] = (*found["sheet_resistance"], truth)
    return answers


def _decay(ds: xr.Dataset, _: Any, **__: Any) -> Answers:
    levels = {"low": f"{0.03 * TOP} atoms/cm^3", "high": f"{0.6 * TOP} atoms/cm^3"}
    answers = {}
    for name, how in (("window", {"start": "70 nm", "stop": "130 nm"}), ("levels", levels)):
        found = sims.decay_length(ds, **how)
        answers[name] = (
            *_of(found.assign(decay_length_stderr=found["stderr"]), "decay_length")["decay_length"],
            15.0,
        )
    return answers


def _surface(ds: xr.Dataset, _: Any, **__: Any) -> Answers:
    found = sims.surface_concentration(ds, depth="75 nm", samples=5)
    return {"75 nm": (*_one(found), TOP * math.exp(-1))}


def _plateau(ds: xr.Dataset, _: Any, **__: Any) -> Answers:
    found = sims.mean_value(ds, start="140 nm", stop="190 nm")
    few = sims.mean_value(ds, start="10 nm", stop="50 nm")
    return {"high": (*_one(found), TOP), "low": (*_one(few), 0.1 * TOP)}


def _edge(ds: xr.Dataset, _: Any, *, width: float, **__: Any) -> Answers:
    found = _of(sims.interface(ds), "position", "width")
    return {
        "position": (*found["position"], 100),
        "width": (*found["width"], width * 1.98892),
    }


def _ratios(ds: xr.Dataset, _: Any, **__: Any) -> Answers:
    answers = {}
    for kind, truth in (("ratio", 1.6), ("fraction", 0.8 / 1.3)):
        found = sims.ratio(ds, numerator="B", denominator="P", kind=kind)
        name = next(iter(found.data_vars)) if isinstance(found, xr.Dataset) else ""
        value = found[name] if name else found
        stderr = found[f"{name}_stderr"] if name else found["stderr"]
        answers[kind] = (value, stderr, truth)
        some = sims.mean_value(found, start="10 nm", stop="90 nm")
        answers[f"{kind}, mean"] = (*_one(some), truth)
    return answers


def _cells_of(ds: xr.Dataset, clean: xr.Dataset, **__: Any) -> Answers:
    wide = np.arange(60.0, 160.0, 10.0)
    how = {"depth": xr.DataArray(wide, dims="depth", attrs={"units": "nm"}), "conserve": "dose"}
    found, truth = sims.to_grid(ds, **how), sims.to_grid(clean, **how)
    answers = {
        "each": (found["concentration"], found["concentration_stderr"], truth["concentration"])
    }
    limits = {"start": "60 nm", "stop": "150 nm"}
    dose = sims.integrated_dose(found, **limits)
    answers["dose"] = (*_one(dose), sims.integrated_dose(truth, **limits))
    return answers


def _between(ds: xr.Dataset, clean: xr.Dataset, **__: Any) -> Answers:
    at = xr.DataArray([70.0, 100.0, 120.0, 140.0], dims="depth", attrs={"units": "nm"})
    found, truth = (sims.interpolate(one, depth=at) for one in (ds, clean))
    return {"": (found["concentration"], found["concentration_stderr"], truth["concentration"])}


def _averaged(ds: xr.Dataset, clean: xr.Dataset, **__: Any) -> Answers:
    """Take replicates of five; they need one axis."""
    ds, clean = (sims.to_grid(one, step="2 nm") for one in (ds, clean))
    values: dict[str, list[Any]] = {"each": [], "scatter": [], "dose": [], "truth": [], "whole": []}
    for i in range(0, ds.sizes["measurement"] - 4, 5):
        some = slice(i, i + 5)
        mean = sims.average(ds.isel(measurement=some))
        truth = clean.isel(measurement=some)["concentration"].mean("measurement")
        limits = {"start": "80 nm", "stop": "130 nm"}
        values["dose"].append(_one(sims.integrated_dose(mean, **limits)))
        values["whole"].append(sims.integrated_dose(truth, **limits))
        found = mean.sel(depth=slice(80, 130))
        values["each"].append((found["concentration"], found["concentration_stderr"]))
        values["scatter"].append((found["concentration"], found["concentration_scatter"]))
        values["truth"].append(truth.sel(depth=slice(80, 130)))
    joined = {
        k: [np.stack(x) for x in zip(*v, strict=True)]
        for k, v in values.items()
        if k in ("each", "scatter", "dose")
    }
    truth, whole = np.stack(values["truth"]), np.stack(values["whole"])
    return {"each": (*joined["each"], truth), "dose": (*joined["dose"], whole)}


def _spliced(ds: xr.Dataset, _: Any, **__: Any) -> Answers:
    scales = []
    for i in range(0, ds.sizes["measurement"] - 1, 2):
        a, b = ds.isel(measurement=i, drop=True), ds.isel(measurement=i + 1, drop=True)
        top, deep = (one.swap_dims(point="depth") for one in (a, b))
        top, deep = top.isel(depth=slice(0, 65)), deep.isel(depth=slice(45, None))
        columns = [one for one in deep.data_vars if deep[one].attrs["units"] == "atom/cm^3"]
        with xr.set_options(keep_attrs=True):
            deep = deep.assign({one: 0.8 * deep[one] for one in columns})
        try:
            found = sims.splice(top, deep, scale=True)
        except ProfileError:  # a background has left nothing in the overlap
            continue
        scale = found["splice_scale"].item()
        scales.append((scale, scale * found["splice_scale_uncertainty"].item()))
    value, error = np.transpose(scales)
    return {"scale": (value, error, 1.25)}


def _compared(ds: xr.Dataset, _: Any, **__: Any) -> Answers:
    half = ds.sizes["measurement"] // 2
    a, b = ds.isel(measurement=slice(half)), ds.isel(measurement=slice(half, 2 * half))
    b = b.assign_coords(measurement=a["measurement"])
    found = sims.compare(a, b, level=f"{0.3 * TOP} atoms/cm^3")
    names = {"dose_ratio": 1.0, "junction_shift": 0.0}
    return {k: (found[k], found[f"{k}_stderr"], truth) for k, truth in names.items()}


# --- fits ---------------------------------------------------------------------------------------

#: Parameters (those that scale, of a maximum of about 1), where samples end and how far apart.
FITS: dict[str, tuple[tuple[float, ...], float, float, dict[str, Any]]] = {
    "gaussian": ((1, 100, 30), 280, 2, {}),
    "joined_gaussian": ((1, 100, 25, 40), 320, 2, {}),
    "pearson": ((1, 100, 30, 0.3, 3.5), 320, 2, {}),
    "erfc": ((1, 60), 250, 2, {"time": "30 min"}),
    "limited_source": ((1, 60), 250, 2, {"time": "30 min"}),
    "annealed_implant": (
        (1, 60, 50),
        340,
        2,
        {"time": "30 min", "as_implanted": "20 nm"},
    ),
    "tracer_exchange": ((1, 0.05, 100, 0.7), 400, 2, {}),
    "edge": ((120, 20, 1, 0.2, 0.0, 0.0), 250, 1, {}),
    "delta_drf": ((1, 50, 4, 10, 5), 170, 0.5, {}),
    "delta_mri": ((1, 50, 8, 5, 4), 150, 0.5, {}),
    "edge_logistic": ((120, 10, 0.02, 1, 0.2, 0.0, 0.0), 250, 1, {}),
    "dual_pearson": ((1, 0.8, 80, 20, 0.0, 3.0, 160, 50, 0.5, 3.6), 380, 2, {}),
}
_LEVELS = ("edge", "edge_logistic", "tracer_exchange")
#: Asked as counted alone: a fit takes a second.
_SLOWEST = ("edge_logistic", "dual_pearson")


def _scene(name: str) -> Scene:
    p, end, step, _ = FITS[name]
    model = models()[name]
    z = np.arange(0.01, end, 0.01)
    top = model.formula(z, *p).max() if name not in _LEVELS else 1.0
    room = 60.0 if end > 200 else 25.0
    return Scene(
        {"B": lambda z: model.formula(z, *p) / top},
        end + room,
        step,
        empty=None if name in _LEVELS else (end, end + room),
    )


def _fitted(ds: xr.Dataset, clean: xr.Dataset, *, model: str, **window: Any) -> Answers:
    p, _, _, how = FITS[model]
    made = models()[model]
    z = np.arange(0.01, FITS[model][1], 0.01)
    top = made.formula(z, *p).max() if model not in _LEVELS else 1.0
    if model == "tracer_exchange":
        how = how | {
            "fixed": {
                "gas_level": f"{TOP} atoms/cm^3",
                "background_level": f"{0.05 * TOP} atoms/cm^3",
            }
        }
    fit = sims.fit(ds, model=model, progress=False, **how, **window)
    fine = fit["status"] == "ok"
    answers: dict[str, tuple[Any, Any, Any]] = {}
    for one, value in zip(made.parameters, p, strict=True):
        if one.name in how.get("fixed", {}):
            continue
        truth = value * TOP / top if one.scales else value
        if one.kind == "area":
            truth *= 1e-7
        answers[one.name] = (fit[one.name].where(fine), fit[f"{one.name}_stderr"], truth)
    if "time" in how:
        length = (
            p[1] if model != "annealed_implant" else math.sqrt(p[2] ** 2 - 20**2) * math.sqrt(2)
        )
        answers["diffusivity"] = (
            fit["diffusivity"].where(fine),
            fit["diffusivity_stderr"],
            (length * 1e-7) ** 2 / 4 / 1800,
        )
    return answers


def questions() -> Iterator[Question]:
    """Give every question, the quick ones first."""
    once = ("plain", "grid", "inside", "factor")
    yield Question("dose", PEAK, _dose)
    yield Question("moments", PEAK, _moments)
    yield Question("moments(threshold=0.05)", PEAK, partial(_moments, threshold=0.05))
    yield Question("peak", PEAK, _maximum)
    yield Question("depth_at_dose_fraction", PEAK, _contained, once)
    yield Question("junction", TAIL, _junction, once)
    yield Question("layers", PEAK, _layer, once)
    for width in (2.0, 8.0):
        scene = Scene({"B": partial(_box, width=width)}, 200)
        name = f"layers by a plateau, {width * 1.99 / 2:.0f} samples"
        yield Question(name, scene, _film, states=("plain", "grid", "factor"))
    yield Question("metallurgical", JUNCTION, _changes, once)
    yield Question("sheet_resistance", JUNCTION, _sheet)
    yield Question("decay_length", TAIL, _decay, once)
    yield Question("surface_concentration", TAIL, _surface, once)
    yield Question("mean_value", STEP, _plateau, states=("plain", "grid", "factor"))
    for width in (2.0, 8.0):
        yield Question(
            f"interface, {width * 1.99 / 2:.0f} samples",
            Scene({"B": partial(_step, width=width)}, 200),
            _edge,
            states=("plain", "grid", "factor"),
            options={"width": width},
        )
    yield Question("ratio", PAIR, _ratios, states=("plain", "grid"))
    yield Question("cells", PEAK, _cells_of, states=("plain", "inside", "factor"))
    yield Question("interpolate", PEAK, _between, states=("plain", "inside", "factor"))
    yield Question("average", PEAK, _averaged, states=("plain", "factor"))
    yield Question("splice", TAIL, _spliced, states=("plain", "inside", "factor"))
    yield Question("compare", PEAK, _compared, states=once)
    for name in FITS:
        states = ("plain", "grid", "factor") if name in _LEVELS else STATES
        states = ("plain",) if name in _SLOWEST else states
        yield Question(
            f"fit {name}", _scene(name), _fitted, states, slow=True, options={"model": name}
        )
