"""What speed rests on, where it can be tested without a clock: imports, memory, independence."""

import json
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest
import xarray as xr
from plain_profiles import realistic, run
from questions import PER_PROFILE, ask

from sims_analysis.kernels import dose

#: Splines are evaluated row by row: seconds for many rows, and scratch of one.
ROW_BY_ROW = ("interpolate pchip", "interpolate makima")

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


@pytest.mark.slow
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
    # xarray itself looks for Dask, scipy and pint when the first Dataset is made.
    made = "import xarray as xr; xr.Dataset({'a': ('x', [1.0])}, coords={'x': ['B']}).a + 1"
    ours = loaded(code) - loaded(made)
    assert not ours.intersection({"pint", "scipy", "httpx", "matplotlib", "dask", "tenacity"})


def test_long_profiles_are_summed_the_same_on_any_number_of_processors():
    # Beyond 10,000 samples BLAS shares a dot product out to threads.
    depth, value = realistic(3, 30_000, gaps=0.0)
    weights = np.gradient(depth)
    weights[[0, -1]] /= 2
    own_end = np.array(np.nan)
    found = run(dose.integrate, depth, value, own_end, own_end).value
    np.testing.assert_allclose(found, (value * weights).sum(axis=1), rtol=1e-12)
    alone = run(dose.integrate, depth, value[1:2], own_end, own_end).value
    np.testing.assert_array_equal(found[1:2], alone)


@pytest.fixture(scope="module", params=["shared", "gaps"])
def many(request):
    """Six thousand profiles of a thousand samples, 48 MB."""
    depth, value = realistic(60, 1000, gaps=0.002 if request.param == "gaps" else 0.0)
    return xr.Dataset(
        {"concentration": (("profile", "depth"), np.tile(value, (100, 1)), {"units": "atom/cm^3"})},
        coords={"depth": ("depth", depth / 3, {"units": "nm"})},
    )


@pytest.mark.few(3)
@pytest.mark.slow
@pytest.mark.parametrize("question", [q for q in PER_PROFILE if q not in ROW_BY_ROW])
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_memory_beyond_the_data_and_the_answer_is_bounded(question, many):
    ask(question, many.isel(profile=slice(0, 2)))
    tracemalloc.start()
    answer = ask(question, many)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # A copy of the data would be 48 MB.
    assert peak < 55e6 + 2 * answer.nbytes
