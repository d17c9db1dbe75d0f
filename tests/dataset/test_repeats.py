"""A histogram drawn as steps keeps its dose."""

import itertools
import math

import numpy as np
import pytest
from error_parts import warns
from hypothesis import given
from hypothesis import strategies as st

import sims_analysis as sims

EDGES = [0.0, 10.0, 30.0, 35.0, 60.0]
HEIGHTS = [1e18, 5e19, 2e19, 1e16]


def drawn(edges=EDGES, heights=HEIGHTS, *, backwards=False, stderr=None):
    """Draw a histogram: each bin from edge to edge at its height."""
    depths = list(itertools.chain.from_iterable(itertools.pairwise(edges)))
    twice = lambda values: [v for value in values for v in (value, value)]  # noqa: E731
    way = slice(None, None, -1 if backwards else 1)
    more = {} if stderr is None else {"concentrations_stderr": twice(stderr)[way]}
    return sims.DepthProfile(
        species_name="B", depths=depths[way], depth_units="nm",
        concentrations=twice(heights)[way], concentration_units="atoms/cm^3", **more,
    )  # fmt: skip


def dose(edges, heights):
    return (
        math.fsum(h * (b - a) for h, (a, b) in zip(heights, itertools.pairwise(edges), strict=True))
        * 1e-7
    )


def trapezoid(ds):
    return float(np.trapezoid(ds["concentration"].values[0], ds["depth"].values)) * 1e-7


@given(st.lists(st.tuples(st.integers(1, 50), st.floats(1e14, 1e21)), min_size=1, max_size=10))
def test_the_dose_of_a_histogram_is_kept(bins):
    widths, heights = zip(*bins, strict=True)
    edges = np.concatenate([[0.0], np.cumsum(widths)]) / 10
    ds = sims.to_dataset(drawn(edges.tolist(), heights), duplicates="step")
    assert (np.diff(ds["depth"]) > 0).all()
    assert trapezoid(ds) == pytest.approx(dose(edges, heights), rel=1e-12)
    assert sims.integrated_dose(ds, stop=f"{edges[-1]} nm").item() == pytest.approx(
        dose(edges, heights), rel=1e-12
    )


def test_the_values_stay_and_depths_move_by_the_last_bit():
    ds = sims.to_dataset(drawn(), duplicates="step")
    assert ds["concentration"].values[0].tolist() == [h for h in HEIGHTS for _ in range(2)]
    np.testing.assert_allclose(ds["depth"], [0, 10, 10, 30, 30, 35, 35, 60], rtol=1e-15)
    at_edge = sims.interpolate(ds, depth="30 nm")["concentration"].item()
    assert at_edge == 2e19  # the depth itself belongs to the bin that begins there


def test_steps_delivered_deepest_first_are_not_turned_inside_out():
    with warns(sims.ProfileWarning, "unordered_axis", species="B"):
        ds = sims.to_dataset(drawn(backwards=True), duplicates="step")
    assert ds["concentration"].values[0].tolist() == [h for h in HEIGHTS for _ in range(2)]
    assert trapezoid(ds) == pytest.approx(dose(EDGES, HEIGHTS), rel=1e-12)


@pytest.mark.filterwarnings("ignore:.*sorted:sims_analysis.ProfileWarning")
def test_steps_come_back_as_they_were_delivered():
    profile = drawn(stderr=[1e17, 1e18, 1e18, 1e15])
    assert sims.to_profiles(sims.to_dataset(profile, duplicates="step")) == [profile]


def test_a_single_step_keeps_the_order_of_its_values():
    ds = sims.to_dataset(with_counts([10, 10], [1e17, 2e17], [1.0, 2.0]), duplicates="step")
    assert ds["concentration"].values.tolist() == [[1e17, 2e17]]
    assert ds["concentration_counts"].values.tolist() == [[1.0, 2.0]]


def test_neighbouring_edges_are_steps_each():
    ds = sims.to_dataset(drawn([0.0, 1.0, 2.0, 3.0], [1e18, 2e18, 3e18]), duplicates="step")
    assert ds.sizes["depth"] == 6


def with_counts(depths, values, counts):
    return sims.DepthProfile(
        species_name="B", depths=depths, depth_units="nm",
        concentrations=values, concentration_units="atoms/cm^3",
        extra={"columns": {"counts": {"units": "count", "values": counts}}},
    )  # fmt: skip


def test_counts_at_a_depth_that_was_measured_twice_are_those_of_the_first():
    profile = with_counts([0, 10, 10, 20], [1e17, 2e17, 3e17, 4e17], [10.0, 20.0, 30.0, 40.0])
    ds = sims.to_dataset(profile, duplicates="mean")
    np.testing.assert_array_equal(ds["concentration"].values, [[1e17, 2.5e17, 4e17]])
    np.testing.assert_array_equal(ds["concentration_counts"].values, [[10.0, 20.0, 40.0]])
