"""The registry: what can be asked of data and done to them, and measurements to ask it of.

The tests of layouts, kinds (plain, quantified, Dask), batches, infinities, precision and cases over
new dimensions take their cases from here. Every public function of `sims_analysis.analysis` whose
first argument is `data` is asked with what it needs (`ARGUMENTS`); by hand stand further ways to
ask, and what differs:

- `QUESTIONS` are asked of data, with the options that stand here;
- `OF_A_RATIO` has options for the ratio of two species, whose levels are pure numbers;
- `FULLEST` gives of each answer with many parts one that has them all;
- `ELSEWHERE` names the questions that do not rest on the top of a profile, `WITHOUT_ERROR` those
  with no standard error that a subtracted background adds to;
- `CORRECTIONS` give the data back, better.
"""

import inspect
import re

import numpy as np
import xarray as xr

import sims_analysis as sims

#: What an argument without a default is given: of concentrations over 180 nm, and of a ratio.
ARGUMENTS = {
    "level": ("1e18 atoms/cm^3", "0.01"),
    "limit": ("4e15 atoms/cm^3", "0.001"),
    "depth": ("6 nm", "20 nm"),
    "start": ("60 nm", "60 nm"),
    "stop": ("120 nm", "120 nm"),
    "window": (("140 nm", "170 nm"), ("180 nm", "205 nm")),
}


def _needed(name, *, ratio=False):
    """Give what a function cannot be called without."""
    parameters = list(inspect.signature(getattr(sims, name)).parameters.values())[1:]
    needed = [p.name for p in parameters if p.default is p.empty and p.name != "b"]
    unknown = [option for option in needed if option not in ARGUMENTS]
    if unknown:
        raise LookupError(
            f"{name}: say in ARGUMENTS of tests/questions.py what a test gives {unknown}"
        )
    return {option: ARGUMENTS[option][ratio] for option in needed}


def returns(name):
    """Give the section Returns of a docstring."""
    doc = inspect.getdoc(getattr(sims, name)) or ""
    found = re.search(r"(?ms)^Returns\n-+\n(.*?)(?=\n\n\w[^\n]*\n---|\Z)", doc)
    return found[1] if found else ""


#: All that is asked of data; `quality` is a table of their samples, and no answer.
ASKED = [
    name
    for name, function in ((name, getattr(sims, name)) for name in sims.__all__)
    if inspect.isfunction(function)
    and function.__module__.startswith("sims_analysis.analysis.")
    and next(iter(inspect.signature(function).parameters)) == "data"
    and name != "quality"
]
#: Name of the function, and a word that tells it from others; its options.
QUESTIONS = {name: _needed(name) for name in ASKED} | {
    "integrated_dose limits": {"start": "13.3 nm", "stop": "151.7 nm", "rule": "loglinear"},
    "integrated_dose background": {"background": ("150 nm", "170 nm")},
    "integrated_dose hold": {"surface": "hold"},
    "integrated_dose exclude": {"surface": "exclude", "surface_depth": "12 nm"},
    "cumulative_dose loglinear": {"rule": "loglinear"},
    "cumulative_dose background": {"background": ("150 nm", "170 nm")},
    "dose_budget full": {
        "stop": "160 nm",
        "rule": "loglinear",
        "background": ("150 nm", "170 nm"),
        "surface_depth": "12 nm",
        "detection_limit": "4e15 atoms/cm^3",
        "rsf_uncertainty": 0.1,
        "depth_uncertainty": 0.05,
    },
    "depth_at_dose_fraction": {"fraction": [0.5, 0.9]},
    "crossings": {"level": "1e18 atoms/cm^3", "max_count": 6},
    "junction_depth policy": {
        "level": "1e18 atoms/cm^3",
        "edge": "leading",
        "which": "first",
        "confirm": 3,
        "detection_limit": "1e16 atoms/cm^3",
    },
    "junction_depth peak": {"level": "1e18 atoms/cm^3", "after": "peak"},
    "interpolate": {"depth": ["20 nm", "33.3 nm", "190 nm"]},
    "interpolate linear": {"depth": "33.3 nm", "method": "linear"},
    "interpolate pchip": {"depth": "33.3 nm", "method": "pchip"},
    "interpolate makima": {"depth": "33.3 nm", "method": "makima"},
    "metallurgical_junctions": {"donors": ["P"], "acceptors": ["B"], "max_count": 8},
    "mean_value": {"start": "20 nm", "stop": "60 nm"},
    "moments": {"background": "1e15 atoms/cm^3"},
    "decay_length": {"start": "60 nm", "stop": "120 nm"},
    "decay_length levels": {"low": "1e17 atoms/cm^3", "high": "1e18 atoms/cm^3"},
    "with_counting_statistics": {"value_per_count": "1e14 atoms/cm^3"},
    "to_grid": {"step": "2.5 nm"},
    "to_grid depths": {"depth": [f"{z} nm" for z in range(10, 160, 3)]},
    "to_grid cells": {"depth": [f"{z} nm" for z in range(10, 160, 3)], "conserve": "dose"},
    "to_grid linear": {
        "depth": [f"{z} nm" for z in range(10, 160, 3)],
        "method": "linear",
        "conserve": "dose",
    },
}


#: Questions whose answers run along the samples, or along new depths.
ALONG_SAMPLES = ("cumulative_dose", "below_detection", "with_counting_statistics", "to_grid")
#: Questions of all species of a measurement together.
TOGETHER = ("metallurgical_junctions",)
#: Questions with one answer (or one table) for each profile.
PER_PROFILE = [q for q in QUESTIONS if q.split()[0] not in (*ALONG_SAMPLES, *TOGETHER)]
#: What has no lazy form, because the shape of its answer depends on the data.
EAGER = [q for q in QUESTIONS if "step" in QUESTIONS[q]]
#: Questions that rest not on the top of a profile, but on where it crosses a level, on a few
#: samples or on a window elsewhere: where a detector has cut off the top, they may be ``ok``.
ELSEWHERE = (
    "below_detection", "crossings", "decay_length", "detection_limit", "interpolate",
    "junction_depth", "metallurgical_junctions", "surface_concentration", "to_grid",
    "with_counting_statistics",
)  # fmt: skip
#: Questions without a standard error that a subtracted background adds to: an interpolated value
#: has the error of the background in addition to its own.
WITHOUT_ERROR = {"interpolate", *(name for name in ASKED if "stderr" not in returns(name))}


def ask(question, data):
    """Ask a question of the registry."""
    return getattr(sims, question.split()[0])(data, **QUESTIONS[question])


def asking(question):
    """Give a question of the registry as a function of the data."""
    return lambda data: ask(question, data)


def profile(depth, peak, centre, seed):
    rng = np.random.default_rng(seed)
    clean = peak * np.exp(-0.5 * ((depth - centre) / 22.0) ** 2) + 2e15
    return clean * rng.normal(1.0, 0.03, depth.size)


def measurement(depth, *, seed=0, species=("B", "P"), data_id=None, stderr=True):
    """One measurement on an axis; species differ in peak and place."""
    places = {"B": (5e19, 45.0), "P": (3e18, 90.0), "As": (8e18, 30.0)}
    rows = np.array([profile(depth, *places[s], seed + i) for i, s in enumerate(species)])
    variables = {"concentration": (("species", "depth"), rows, {"units": "atoms/cm^3"})}
    if stderr:
        attrs = {"units": "atoms/cm^3"}
        variables["concentration_stderr"] = (("species", "depth"), 0.03 * rows, attrs)
    return xr.Dataset(
        variables,
        coords={"species": list(species), "depth": ("depth", depth, {"units": "nm"})},
        attrs={} if data_id is None else {"data_id": data_id},
    )


def union(depths, seed=0, data_id=None):
    """Build one measurement whose species have interleaved axes."""
    parts = [
        measurement(z, seed=seed + 10 * i, species=(s,)) for i, (s, z) in enumerate(depths.items())
    ]
    ds = xr.merge(parts, join="outer", compat="no_conflicts", combine_attrs="override")
    return ds.assign_attrs({"data_id": data_id})


#: Questions of a ratio over depth (of `RUN` in tests/quantification/test_isotopes.py), whose levels
#: are pure numbers.
OF_A_RATIO = {
    "peak": lambda r: sims.peak(r, start="15 nm"),
    "crossings": lambda r: sims.crossings(r, level="0.01"),
    "crossings, a part of the maximum": lambda r: sims.crossings(
        r, level=0.3 * r.max().assign_attrs(units="1")
    ),
    "junction_depth": lambda r: sims.junction_depth(r, level="0.01", after="peak"),
    "decay_length": lambda r: sims.decay_length(r, low="0.001", high="0.02", start="80 nm"),
    "interpolate": lambda r: sims.interpolate(r, depth="80 nm"),
    "to_grid": lambda r: sims.to_grid(r, step="1 nm"),
    "compare": lambda r: sims.compare(r, r, level="0.01"),
    "align": lambda r: sims.align(r, r),
    "detection_limit": lambda r: sims.detection_limit(r, window=("180 nm", "205 nm")),
    "below_detection": lambda r: sims.below_detection(r, limit="0.001"),
    "surface_concentration": lambda r: sims.surface_concentration(r, depth="20 nm"),
    "fit": lambda r: sims.fit(r, model="gaussian", start="15 nm", stop="120 nm"),
    "interface": lambda r: sims.interface(r, start="80 nm"),
    "layers": lambda r: sims.layers(r, level="0.01"),
    "convolve": lambda r: sims.convolve(r, resolution="5 nm"),
    "with_units": lambda r: sims.with_units(sims.dequantify(r), depth="um"),
    "subtract_background": lambda r: sims.subtract_background(
        r.to_dataset(), window=("180 nm", "205 nm"), variable=r.name
    ),
}

#: Other questions that a ratio may be asked, or that need a concentration and say so.
PERHAPS_OF_A_RATIO = {
    name: _needed(name, ratio=True)
    for name in ASKED
    if name not in OF_A_RATIO and QUESTIONS[name] == _needed(name)
}

#: Answers with much in them, of data that give all of it: tests/test_docstrings.py compares them
#: with what docstrings list.
_LISTED = [name for name in ASKED if re.search(r"(?m)^ *- ``", returns(name))]
FULLEST = {name: asking(name) for name in _LISTED if name not in ALONG_SAMPLES} | {
    "quality": lambda ds: sims.quality(
        sims.stack([ds.isel(depth=[*range(20), *range(60, 200)])] * 2, names=["a", "b"])
    ),
    "dose_budget": lambda ds: sims.dose_budget(
        ds, surface_depth="15 nm", detection_limit="1e15 atoms/cm^3"
    ),
    "junction_depth": lambda ds: sims.junction_depth(
        ds.sel(species="B"), level="1e18 atoms/cm^3", after="peak"
    ),
    "detection_limit": lambda ds: sims.detection_limit(
        ds, window=("420 nm", "490 nm"), rule="currie"
    ),
    "peak": lambda ds: sims.peak(ds.sel(species="B"), start="20 nm"),
    "decay_length": lambda ds: sims.decay_length(
        ds.sel(species="B"), low="1e16 atoms/cm^3", high="1e18 atoms/cm^3", start="150 nm"
    ),
    "moments": lambda ds: sims.moments(ds.sel(species="B"), start="20 nm", threshold=0.01),
    "compare": lambda ds: sims.compare(ds, ds, level="1e18 atoms/cm^3", after="peak"),
    "repeatability": lambda ds: sims.repeatability(
        sims.stack([ds, ds], names=["a", "b"]), level="1e18 atoms/cm^3", after="peak"
    ),
    "interface": lambda ds: sims.interface(ds.sel(species="B"), start="80 nm", stop="400 nm"),
    "layers": lambda ds: sims.layers(ds, species="B"),
    "sheet_resistance": lambda ds: sims.sheet_resistance(ds, donors=["P"], acceptors=["B"]),
    "deconvolve": lambda ds: sims.deconvolve(
        ds.sel(species="B"), resolution="4 nm", start="20 nm", averaging_kernels=True
    ),
    "fit": lambda ds: sims.fit(ds.sel(species="B"), model="gaussian", start="40 nm", stop="110 nm"),
}  # fmt: skip


def as_isotopes(data):
    """Give the same with species that are isotopes."""
    named = {"B": "11B", "P": "30Si"}
    return data.assign_coords(species=[named[str(name)] for name in data["species"].values])


def as_another(data, name, one_unit, unit):
    """Give the same as values of another variable."""
    other = {
        key.replace("concentration", name): (one.dims, one.values / one_unit, {"units": unit})
        for key, one in data.data_vars.items()
    }
    return xr.Dataset(other, coords=data.coords, attrs=data.attrs)


def as_counted(data):
    """Give the same as count rates over sputter time, of a species and the matrix."""
    rates = as_another(as_isotopes(data), "intensity", 1e14, "count/s")
    time = ("sputter_time", data["depth"].values / 0.4, {"units": "s"})
    over_time = rates.swap_dims(depth="sputter_time").drop_vars("depth")
    return over_time.assign_coords(sputter_time=time)


def as_fractions(data):
    """Give the same as atomic fractions over depth."""
    return as_another(data, "atomic_fraction", 5e22, "1")


def as_it_is(data):
    """Give concentrations over depth."""
    return data


#: Name of the function, and a word that tells it from others; what it is done to, and its options.
CORRECTIONS = {
    "correct_dead_time": (as_counted, {"dead_time": "35 ns"}),
    "correct_dead_time species": (as_counted, {"dead_time": {"30Si": "35 ns"}}),
    "subtract_background": (as_it_is, {"window": ("150 nm", "170 nm")}),
    "subtract_background value": (as_it_is, {"value": {"B": "1e15 atoms/cm^3"}}),
    "subtract_background rates": (as_counted, {"window": ("380 s", "420 s")}),
    "with_rsf": (as_counted, {"rsf": {"11B": "3e22 atoms/cm^3"}, "matrix": "30Si"}),
    "with_rsf mean": (
        as_counted,
        {"rsf": "3e22 atoms/cm^3", "matrix": "30Si", "matrix_signal": "mean"},
    ),
    "calibrate_depth": (as_counted, {"rate": "0.4 nm/s", "depth_uncertainty": "5 %"}),
    "calibrate_depth layers": (as_counted, {"rate": [("100 s", "0.4 nm/s"), (None, "0.5 nm/s")]}),
    "rescale_depth": (as_it_is, {"factor": 1.013, "offset": "0.4 nm"}),
    "scale_to_dose": (as_it_is, {"dose": {"B": "5e14 atoms/cm^2"}, "dose_uncertainty": 0.03}),
    "to_concentration": (as_fractions, {"atomic_density": "5e22 atoms/cm^3"}),
    "to_element": (as_isotopes, {"abundance": "natural"}),
    "combine": (as_it_is, {"signals": {"P": {"P": 1, "B": (-1e-3, "10 %")}, "x": {"B": 1}}}),
    "normalise": (as_counted, {"to": "total"}),
    "normalise window": (as_counted, {"to": "30Si", "window": ("200 s", "300 s")}),
    "normalise maximum": (as_it_is, {"to": "maximum"}),
    "composition": (as_counted, {"numerator": "11B", "denominator": "30Si", "factor": (2, 0.1)}),
}  # fmt: skip


def correct(correction, data):
    """Make a correction of the registry; `data` is of the kind that it is made to."""
    return getattr(sims, correction.split()[0])(data, **CORRECTIONS[correction][1])


AXIS = np.arange(0.0, 181.0, 1.5)
SHARED = [measurement(AXIS, seed=i, data_id=f"w{i}") for i in range(4)]
OWN = [
    measurement(np.arange(0.0, 181.0, 1.5), seed=0, data_id="even"),
    measurement(np.sort(np.random.default_rng(1).uniform(0, 200, 97)), seed=1, data_id="random"),
    union({"B": np.arange(0.3, 178, 1.7), "P": np.arange(0.9, 190, 1.3)}, 2, "interleaved"),
    measurement(np.arange(2.0, 175.0, 2.5), seed=3, species=("P",), data_id="one"),
]
