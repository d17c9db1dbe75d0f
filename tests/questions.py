"""The registry of questions: what can be asked of data, and measurements to ask it of.

The tests of layouts, kinds (plain, quantified, Dask), batches, infinities, precision and cases over
new dimensions take their cases from here: a metric that is listed has them all.
"""

import numpy as np
import xarray as xr

import sims_analysis as sims

#: Name of the function, and a word that tells it from others; its options.
QUESTIONS = {
    "integrated_dose": {},
    "integrated_dose limits": {"start": "13.3 nm", "stop": "151.7 nm", "rule": "loglinear"},
    "integrated_dose background": {"background": ("150 nm", "170 nm")},
    "integrated_dose hold": {"surface": "hold"},
    "integrated_dose exclude": {"surface": "exclude", "surface_depth": "12 nm"},
    "cumulative_dose": {},
    "cumulative_dose loglinear": {"rule": "loglinear"},
    "cumulative_dose background": {"background": ("150 nm", "170 nm")},
    "dose_budget": {},
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
    "junction_depth": {"level": "1e18 atoms/cm^3"},
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
    "peak": {},
    "moments": {"background": "1e15 atoms/cm^3"},
    "decay_length": {"start": "60 nm", "stop": "120 nm"},
    "detection_limit": {"window": ("140 nm", "170 nm")},
    "decay_length levels": {"low": "1e17 atoms/cm^3", "high": "1e18 atoms/cm^3"},
    "surface_concentration": {"depth": "6 nm"},
    "below_detection": {"limit": "4e15 atoms/cm^3"},
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


AXIS = np.arange(0.0, 181.0, 1.5)
SHARED = [measurement(AXIS, seed=i, data_id=f"w{i}") for i in range(4)]
OWN = [
    measurement(np.arange(0.0, 181.0, 1.5), seed=0, data_id="even"),
    measurement(np.sort(np.random.default_rng(1).uniform(0, 200, 97)), seed=1, data_id="random"),
    union({"B": np.arange(0.3, 178, 1.7), "P": np.arange(0.9, 190, 1.3)}, 2, "interleaved"),
    measurement(np.arange(2.0, 175.0, 2.5), seed=3, species=("P",), data_id="one"),
]
