"""What speed rests on, where it can be tested without a clock: imports, memory, independence."""

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import xarray as xr
from batch_kernels import KERNELS, batch, of_rows
from plain_profiles import realistic

import sims_analysis as sims
from sims_analysis.kernels import dose, threads

HEAVY = ("numpy", "xarray", "pandas", "pint", "scipy", "httpx", "matplotlib", "dask", "orjson")


def loaded(code):
    """Names of the modules in a fresh interpreter after some code."""
    script = f"{code}\nimport json, sys\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, check=True, text=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_import_brings_nothing_heavy():
    assert not loaded("import sims_analysis").intersection(HEAVY)


def test_a_payload_is_answered_by_numpy_and_xarray_alone():
    # Not of a DataArray made here: xarray imports Dask, and with it scipy, to make the first.
    code = """
import orjson, sims_analysis as sims
profile = {"species_name": "B", "depths": [0, 1, 2], "depth_units": "nm", "data_id": "d",
    "concentrations": [1e18, 2e18, 1e17], "concentration_units": "atoms/cm^3"}
ds = sims.SIMSResult.from_json(orjson.dumps([profile])).to_dataset()
sims.integrated_dose(ds, stop="1 nm")
sims.junction_depth(ds, level="1e18 atoms/cm^3")
sims.interpolate(ds, depth="1.5 nm")
"""
    ours = loaded(code) - loaded("import xarray")
    assert not ours.intersection({"pint", "scipy", "httpx", "matplotlib", "dask", "tenacity"})


@pytest.mark.parametrize("layout", ["shared", "own"])
@pytest.mark.parametrize("name", KERNELS)
def test_a_row_does_not_depend_on_its_neighbours(name, layout):
    depth, value = batch(layout)
    whole = KERNELS[name](depth, value)
    order = np.random.default_rng(3).permutation(len(value))
    pieces = [order[:1], order[1:38], order[38:]]
    for rows in pieces:
        part = KERNELS[name](of_rows(depth, rows), value[rows])
        for mine, all_of_them in zip(part, whole, strict=True):
            np.testing.assert_array_equal(mine, all_of_them[rows])


@pytest.mark.parametrize("layout", ["shared", "own"])
@pytest.mark.parametrize("name", KERNELS)
def test_memory_order_and_strides_do_not_matter(name, layout):
    depth, value = batch(layout, rows=60)
    expected = KERNELS[name](depth, value)
    wide = np.full((60, 800), np.nan)
    wide[:, ::2] = value
    for same in (np.asfortranarray(value), wide[:, ::2]):
        for mine, other in zip(KERNELS[name](depth, same), expected, strict=True):
            np.testing.assert_array_equal(mine, other)


def test_long_profiles_are_summed_the_same_on_any_number_of_processors():
    # Beyond 10,000 samples BLAS shares a dot product out to threads.
    depth, value = realistic(3, 30_000, gaps=0.0)
    weights = dose.trapezoid_weights(depth, depth[0], depth[-1])
    found = dose.integrate(depth, value).value
    np.testing.assert_allclose(found, (value * weights).sum(axis=1), rtol=1e-13)
    np.testing.assert_array_equal(found[1:2], dose.integrate(depth, value[1:2]).value)


@pytest.mark.parametrize("gaps", [0.0, 0.002, 0.3])
@pytest.mark.parametrize("layout", ["shared", "own"])
@pytest.mark.parametrize("name", KERNELS)
def test_extra_memory_is_bounded(name, layout, gaps, monkeypatch):
    # As many threads as there could be: what they need together counts.
    monkeypatch.setenv(threads.VARIABLE, "64")
    depth, value = realistic(3000, 1000, gaps=gaps)
    if layout == "own":
        depth = depth + np.linspace(0, 0.4, 3000)[:, None]
    KERNELS[name](of_rows(depth, slice(0, 2)), value[:2])
    tracemalloc.start()
    result = KERNELS[name](depth, value)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    output = sum(field.nbytes for field in result)
    # A table of crossings is listed before it is padded.
    listed = output if name == "crossings" else 0
    assert peak < output + listed + 10e6


WINDOW = ("450 nm", "590 nm")
QUESTIONS = {
    "dose": lambda ds: sims.integrated_dose(ds, start="10.1 nm", stop="499.7 nm"),
    "above a background": lambda ds: sims.integrated_dose(ds, background=WINDOW),
    "without the surface": lambda ds: sims.integrated_dose(
        ds, surface="exclude", surface_depth="9 nm"
    ),
    "surface held": lambda ds: sims.integrated_dose(ds, surface="hold"),
    "junction": lambda ds: sims.junction_depth(ds, level="1e18 atom/cm^3", after="peak", which=1),
    "moments": lambda ds: sims.moments(ds, background=WINDOW, threshold=0.01),
    "peak": sims.peak,
    "decay": lambda ds: sims.decay_length(ds, start="350 nm", stop="440 nm"),
    "containing": sims.depth_at_dose_fraction,
    "budget": lambda ds: sims.dose_budget(ds, background=WINDOW),
    "limit": lambda ds: sims.detection_limit(ds, window=WINDOW),
}


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_a_question_takes_no_memory_for_each_sample(name):
    depth, value = realistic(8000, 1000, gaps=0.0)
    ds = xr.Dataset(
        {"concentration": (("profile", "depth"), value, {"units": "atom/cm^3"})},
        coords={"depth": ("depth", depth, {"units": "nm"})},
    )
    QUESTIONS[name](ds.isel(profile=slice(0, 2)))
    tracemalloc.start()
    QUESTIONS[name](ds)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A flag for each sample would be 8 MB, beside what a block takes.
    assert peak < 8e6
