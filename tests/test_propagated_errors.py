"""Stated standard errors against propagated ones: samples moved by their errors, one at a time.

Each sample that an answer may rest on is moved up and down by its standard error, the others held;
half of the differences of the answers, in quadrature, is what its standard error has to be. All
that sums samples, or gives a value at a depth, is in `QUESTIONS`; what states something else on
purpose is in `ON_PURPOSE`, with the reason. Edges hold kinks besides, as do moments above a
threshold: what these cover is measured by `benchmarks/coverage.py`.
"""

import warnings

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import SimsWarning

#: Errors are small parts of the samples, so that a formula is as good as its first derivative.
RELATIVE = 2e-3
WITHIN = 0.02


# --- measurements ---------------------------------------------------------------------------------


def axis(kind):
    """Give depths: on even distances or not, or so that some samples are missing."""
    z = np.arange(0.5, 150.0, 3.0)
    if kind == "uneven":
        z = z + np.random.default_rng(2).uniform(-1.2, 1.2, z.size)
    return z


AXES = ("even", "uneven", "missing")


def profiles(kind):
    """Give profiles over their depths, with errors, that scatter by less than these.

    B is a Gaussian and P falls exponentially, both to floors that are flat; As rises and falls
    exponentially.
    """
    z, rng = axis(kind), np.random.default_rng(1)
    shapes = np.array([
        1e19 * np.exp(-0.5 * ((z - 50.3) / 14) ** 2) + 3e16,
        2e18 * np.exp(-z / 8) + 1e15,
        1e19 * np.exp(-abs(z - 70) / 15),
    ])  # fmt: skip
    error = RELATIVE * shapes * rng.uniform(0.8, 1.2, shapes.shape)
    value = shapes + 0.3 * error * rng.standard_normal(shapes.shape)
    if kind == "missing":
        value[:, 7::6] = np.nan
    return z, value, error


def moved(kind):
    """Give a batch: the measurement, then twice as many as samples, each with one of them moved."""
    z, value, error = profiles(kind)
    places = np.argwhere(np.isfinite(value))
    rows = np.repeat(value[None], 1 + 2 * len(places), axis=0)
    for i, place in enumerate(places):
        rows[(1 + 2 * i, *place)] += error[tuple(place)]
        rows[(2 + 2 * i, *place)] -= error[tuple(place)]
    dims, attrs = ("measurement", "species", "depth"), {"units": "atom/cm^3"}
    errors = np.where(np.isfinite(rows), error, np.nan)
    return xr.Dataset(
        {"concentration": (dims, rows, attrs), "concentration_stderr": (dims, errors, attrs)},
        {
            "measurement": np.arange(len(rows)),
            "species": ["B", "P", "As"],
            "depth": ("depth", z, {"units": "nm"}),
        },
    )


# --- questions ------------------------------------------------------------------------------------


def array(function, **options):
    """Give a question whose answer has its error as a coordinate."""

    def ask(data):
        found = function(data, **options)
        return {"": (found, found["stderr"])}

    return ask


def table(function, *names, **options):
    """Give a question with several answers and their errors."""

    def ask(data):
        found = function(data, **options)
        return {name: (found[name], found[f"{name}_stderr"]) for name in names}

    return ask


def sampled(function, **options):
    """Give a question whose answer is data again."""
    return table(function, "concentration", **options)


def own_name(function, *names, **options):
    """Give a question whose first answer has the name of the data, or an error named ``stderr``."""

    def ask(data):
        found = function(data, **options)
        return {names[0]: (found[names[0]], found["stderr"])}

    return ask


def after(correction, ask, **options):
    """Ask of what a correction gives."""
    return lambda data: ask(getattr(sims, correction)(data, **options))


def of(species, ask):
    """Ask of some species alone, where a sample of these is moved."""

    def asked(data):
        some = data.sel(species=species)
        apart = some["concentration"] - some["concentration"][0]
        there = (apart.fillna(0.0) != 0).any(["species", "depth"])
        there[0] = True
        return ask(some.isel(measurement=there.values))

    return asked


def budget(data):
    found = sims.dose_budget(data, start="11 nm", stop="133 nm")
    return {"dose": (found["dose"], found["random_stderr"])}


def without_error(one):
    sure = one["concentration_stderr"].copy(data=0.0 * one["concentration_stderr"].values)
    return one.assign(concentration_stderr=sure)


def compared(data):
    """Compare each with the first, which is held."""
    one = data.isel(measurement=0, drop=True)
    found = sims.compare(without_error(one), data, level="1e18 atoms/cm^3")
    names = ("dose_ratio", "junction_shift", "ratio", "log_ratio")
    return {name: (found[name], found[f"{name}_stderr"]) for name in names}


def divided(data):
    found = sims.ratio(data, numerator="B", denominator="P")
    return {"": (found, found["stderr"])}


def combined(data):
    made = sims.combine(data, {"x": {"B": 1, "P": -0.3, "As": "0.01"}}).sel(species="x")
    return {"": (made["concentration"], made["concentration_stderr"])}


def normalised(to):
    def ask(data):
        made = sims.normalise(data, to=to)
        name = "fraction" if to == "total" else "ratio"
        return {"": (made[name], made[f"{name}_stderr"])}

    return ask


def averaged(data):
    """Average each with the first, which is held; all at once, as if they were species."""
    many = data.sel(species="B", drop=True).rename(measurement="species")
    many = many.assign_coords(species=[f"s{i}" for i in range(many.sizes["species"])])
    held = without_error(many.copy(data={n: v[[0] * v.sizes["species"]] for n, v in many.items()}))
    found = sims.average(sims.stack([many, held], names=["a", "b"])).rename(species="measurement")
    return {"": (found["concentration"], found["concentration_stderr"])}


LIMITS = {"start": "13.7 nm", "stop": "121.2 nm"}
TAIL = ("125 nm", "149 nm")
LEVEL = {"level": "1e18 atoms/cm^3"}
AT = {"depth": ["20.2 nm", "33.3 nm", "51 nm", "64.4 nm", "88.8 nm"]}
WITH_FLOOR, FALLING, RISING = ["B", "P"], ["P"], ["As"]
JUNCTIONS = own_name(
    sims.metallurgical_junctions, "depth", donors=["P"], acceptors=["As"], max_count=1
)
MOMENTS = ("dose", "projected_range", "straggle", "skewness", "kurtosis")


def less(ask):
    """Ask after the mean of the tail has been subtracted."""
    return of(WITH_FLOOR, after("subtract_background", ask, window=TAIL))


QUESTIONS = {
    "integrated_dose": array(sims.integrated_dose),
    "integrated_dose limits": array(sims.integrated_dose, **LIMITS),
    "integrated_dose loglinear": array(sims.integrated_dose, rule="loglinear", **LIMITS),
    "integrated_dose value": array(sims.integrated_dose, background="1e16 atoms/cm^3"),
    "integrated_dose window": of(
        WITH_FLOOR, array(sims.integrated_dose, background=TAIL, **LIMITS)
    ),
    "integrated_dose window, whole": of(WITH_FLOOR, array(sims.integrated_dose, background=TAIL)),
    "integrated_dose hold": array(sims.integrated_dose, surface="hold", stop="90 nm"),
    "integrated_dose exclude": array(
        sims.integrated_dose, surface="exclude", surface_depth="12 nm"
    ),
    "dose_budget": budget,
    "depth_at_dose_fraction": array(sims.depth_at_dose_fraction, fraction=[0.1, 0.5, 0.9]),
    "depth_at_dose_fraction loglinear": array(
        sims.depth_at_dose_fraction, fraction=0.7, rule="loglinear"
    ),
    "mean_value": of(WITH_FLOOR, array(sims.mean_value, start="125 nm")),
    "peak": of(FALLING, table(sims.peak, "concentration", start="20 nm")),
    "surface_concentration": array(sims.surface_concentration, depth="12 nm"),
    "moments": of(["B"], table(sims.moments, *MOMENTS, **LIMITS)),
    "moments window": of(["B"], table(sims.moments, *MOMENTS, background=TAIL)),
    "decay_length": of(
        FALLING, own_name(sims.decay_length, "decay_length", start="5 nm", stop="25 nm")
    ),
    "decay_length levels": of(
        RISING,
        own_name(sims.decay_length, "decay_length", low="1e18 atoms/cm^3", high="5e18 atoms/cm^3"),
    ),
    "junction_depth": of(RISING, array(sims.junction_depth, **LEVEL)),
    "junction_depth leading": of(RISING, array(sims.junction_depth, edge="leading", **LEVEL)),
    "crossings": of(RISING, own_name(sims.crossings, "depth", **LEVEL)),
    "metallurgical_junctions": JUNCTIONS,
    "layers": table(sims.layers, "top", "bottom", "thickness", species="As", **LEVEL),
    "interpolate log": sampled(sims.interpolate, **AT),
    "interpolate linear": sampled(sims.interpolate, method="linear", **AT),
    "interpolate pchip": of(RISING, sampled(sims.interpolate, method="pchip", **AT)),
    "interpolate makima": of(["B"], sampled(sims.interpolate, method="makima", **AT)),
    "to_grid log": sampled(sims.to_grid, step="7 nm"),
    "to_grid linear": sampled(sims.to_grid, step="7 nm", method="linear"),
    "to_grid pchip": of(["B"], sampled(sims.to_grid, step="7 nm", method="pchip")),
    "to_grid makima": of(RISING, sampled(sims.to_grid, step="7 nm", method="makima")),
    "to_grid every": sampled(sims.to_grid, every=3, method="linear"),
    "to_grid log cells": sampled(sims.to_grid, step="7 nm", conserve="dose"),
    "to_grid linear cells": sampled(sims.to_grid, step="7 nm", method="linear", conserve="dose"),
    "compare": of(RISING, compared),
    "ratio": divided,
    "combine": combined,
    "normalise total": normalised("total"),
    "normalise species": normalised("P"),
    "average": averaged,
    "subtract_background > dose": less(array(sims.integrated_dose, **LIMITS)),
    "subtract_background > dose, whole": less(array(sims.integrated_dose)),
    "subtract_background > fraction": less(array(sims.depth_at_dose_fraction, fraction=0.5)),
    "subtract_background > mean": less(
        of(FALLING, array(sims.mean_value, start="110 nm", stop="124 nm"))
    ),
    "subtract_background > mean over its window": less(array(sims.mean_value, start="137 nm")),
    "subtract_background > peak": less(
        of(FALLING, table(sims.peak, "concentration", start="20 nm"))
    ),
    "subtract_background > junction": of(
        FALLING,
        after(
            "subtract_background",
            array(sims.junction_depth, level="2e17 atoms/cm^3"),
            window=TAIL,
        ),
    ),
    "subtract_background > moments": of(
        ["B"], after("subtract_background", table(sims.moments, *MOMENTS, **LIMITS), window=TAIL)
    ),
    "subtract_background > surface": less(array(sims.surface_concentration, depth="12 nm")),
    "subtract_background > metallurgical": after(
        "subtract_background", JUNCTIONS, window=TAIL, species=["P"]
    ),
    "rescale_depth > dose": after("rescale_depth", array(sims.integrated_dose), factor=1.1),
    "to_grid linear cells > dose": after(
        "to_grid", array(sims.integrated_dose), step="15 nm", conserve="dose", method="linear"
    ),
}
#: What states another error on purpose: by how much at most, and why.
ON_PURPOSE = {
    **dict.fromkeys(
        ("integrated_dose loglinear", "depth_at_dose_fraction loglinear", "to_grid log cells"),
        (0.12, "by the weights of the trapezoid, which suffice where neighbours differ by little"),
    ),
    **dict.fromkeys(
        ("surface_concentration", "subtract_background > surface"),
        (
            0.08,
            "weights of the shapes depend on the samples, and the error holds what these differ",
        ),
    ),
    **{
        f"{before}{question}": (np.inf, "the error holds what straight lines miss, besides")
        for before in ("", "subtract_background > ")
        for question in ("depth_at_dose_fraction", "fraction", "moments", "moments window")
    },
    "to_grid linear cells > dose": (
        0.06,
        "neighbouring cells share the samples at their edges, and count as independent",
    ),
}


#: Each question on one of the axes; the other axes are slow.
CASES = [
    pytest.param(question, kind, marks=() if i % len(AXES) == k else pytest.mark.slow)
    for i, question in enumerate(QUESTIONS)
    for k, kind in enumerate(AXES)
]


@pytest.mark.few(4, 16)
@pytest.mark.parametrize(("question", "kind"), CASES)
def test_stated_errors_are_those_of_samples_moved_one_at_a_time(question, kind):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        answers = QUESTIONS[question](moved(kind))
    within, _ = ON_PURPOSE.get(question, (WITHIN, ""))
    for name, both in answers.items():
        value, stderr = (one.transpose("measurement", ...).values for one in both)
        half = (value[1::2] - value[2::2]) / 2
        propagated = np.sqrt((half**2).sum(axis=0))
        known = np.isfinite(value[0]) & (propagated > 0)
        assert known.any(), name
        ratio = stderr[0][known] / propagated[known]
        less = WITHIN if np.isinf(within) else within
        right = (ratio > 1 - less) & (ratio < 1 + within)
        assert np.all(right), f"{name}: stated over propagated {ratio.round(3)}"
