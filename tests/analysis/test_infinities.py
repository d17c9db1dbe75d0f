"""Infinite values and depths are refused, with few samples and with many."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises
from measurement_layouts import measurement
from questions import QUESTIONS, TOGETHER, ask

import sims_analysis as sims
from sims_analysis.errors import ProfileError

#: A profile that is refused is not a warning.
pytestmark = pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
EVERY = [q for q in QUESTIONS if q.split()[0] not in TOGETHER]


def profiles(rows, n=200, own=False):
    z = np.arange(1.0, n + 1)
    value = 1e20 * np.exp(-(((z - 20) / 12) ** 2)) + np.ones((rows, 1)) * 1e15
    dims = ("species", "point" if own else "depth")
    depth = (dims, np.tile(z, (rows, 1))) if own else ("depth", z)
    return xr.DataArray(
        value,
        dims=dims,
        coords={"species": [f"S{i}" for i in range(rows)], "depth": (*depth, {"units": "nm"})},
        attrs={"units": "atom/cm^3"},
        name="concentration",
    )


def as_asked(question, data):
    """Give a Dataset to what asks for one."""
    return data.to_dataset() if question == "with_counting_statistics" else data


@pytest.mark.few(20)
@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("infinity", [np.inf, -np.inf])
@pytest.mark.parametrize("rows", [3, 400])
@pytest.mark.parametrize("question", EVERY)
def test_an_infinite_value_is_refused_by_name(question, rows, infinity, own):
    data = profiles(rows, own=own)
    data.values[2, 45] = infinity
    place = {"species": "S2", "depth": "46 nm"}
    with raises(sims.ProfileError, "infinite_sample", **place):
        ask(question, as_asked(question, data))


@pytest.mark.few(20)
@pytest.mark.parametrize("rows", [3, 400])
@pytest.mark.parametrize("index", [0, -1])
@pytest.mark.parametrize("question", EVERY)
def test_an_infinite_depth_is_refused(question, index, rows):
    data = profiles(rows)
    z = data["depth"].values.copy()
    z[index] = np.inf if index else -np.inf
    data = data.assign_coords(depth=("depth", z, {"units": "nm"}))
    with raises(sims.ProfileError, "infinite_sample"):
        ask(question, as_asked(question, data))


@pytest.mark.parametrize("rows", [3, 400])
def test_an_infinite_depth_of_one_profile_is_refused(rows):
    data = profiles(rows, own=True)
    data["depth"].values[1, -1] = np.inf
    with raises(sims.ProfileError, "infinite_sample", species="S1"):
        sims.integrated_dose(data)


@pytest.mark.few(16)
@pytest.mark.parametrize("rows", [3, pytest.param(400, marks=pytest.mark.slow)])
@pytest.mark.parametrize("question", EVERY)
def test_what_was_not_measured_is_not_infinite(question, rows):
    data = profiles(rows)
    data.values[1], data.values[2, 40:50] = np.nan, np.nan
    ask(question, as_asked(question, data))  # and nothing is raised


@pytest.mark.parametrize(
    "question", [sims.peak, sims.moments, sims.depth_at_dose_fraction, sims.decay_length]
)
def test_moments_refuse_infinities_in_any_number_of_profiles(question):
    z = np.linspace(0, 100, 300)
    values = {f"S{i}": 1e18 * np.exp(-z / 20) for i in range(300)}
    values["S5"][7] = np.inf
    with raises(ProfileError, "infinite_sample", species="S5", depth="2.34114 nm"):
        question(measurement(z, values))
