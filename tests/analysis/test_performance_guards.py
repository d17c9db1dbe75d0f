"""What speed rests on, where it can be tested without a clock: imports, memory, independence."""

import tracemalloc

import numpy as np
import pytest
import xarray as xr
from plain_profiles import realistic, run
from questions import PER_PROFILE, ask

from sims_analysis.kernels import dose

#: Splines are evaluated row by row: seconds for many rows, and scratch of one.
ROW_BY_ROW = ("interpolate pchip", "interpolate makima")


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


@pytest.mark.few(1)
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
