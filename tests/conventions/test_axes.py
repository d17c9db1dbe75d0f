"""Depth axes: which sample is nearest, in which order, the edges of cells, and what is equal."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis import vocabulary
from sims_analysis.conventions import axes
from sims_analysis.conventions.cells import cell_edges
from sims_analysis.errors import ProfileError


@pytest.mark.parametrize(
    ("depths", "order"),
    [
        ([1.0, 0.0, 2.0], [1, 0, 2]), ([2.0, 1.0, 0.0], [2, 1, 0]), ([2.0, 1.0, 1.0], [2, 1, 0]),
        ([1.0, 1.0, 0.0, 2.0], [2, 0, 1, 3]), ([], []), ([4.0], [0]),
        ([0.0, 1.0, 2.0], [0, 1, 2]),
    ],
)  # fmt: skip
def test_samples_are_sorted_and_repeated_depths_keep_their_order(depths, order):
    assert axes.order_of(np.array(depths)).tolist() == order


def test_axes_are_the_same_within_the_tolerance():
    axis = np.array([0.0, 10.0, 100.0])
    limit = axes.AXIS_TOLERANCE * 100
    assert axes.same_axis(axis, axis)
    assert axes.same_axis(axis, axis + np.array([0, 0.99 * limit, -0.99 * limit]))
    assert not axes.same_axis(axis, axis + np.array([0, 1.01 * limit, 0]))
    assert not axes.same_axis(axis, axis - np.array([0, 1.01 * limit, 0]))
    deep = axis + 1000  # it is the span that counts
    assert axes.same_axis(deep, deep + np.array([0, 0.99 * limit, 0]))
    assert not axes.same_axis(deep, deep + np.array([0, 1.01 * limit, 0]))
    assert not axes.same_axis(axis, axis[:2])
    assert axes.same_axis(np.array([]), np.array([]))
    assert axes.same_axis(np.array([5.0]), np.array([5.0]))
    assert not axes.same_axis(np.array([5.0]), np.array([5.0000001]))


def cells(dim="depth", names=vocabulary.CELLS, units="um"):
    edges = zip(names, ([0.0, 1.0, 2.0], [1.0, 2.0, 3.0]), strict=False)
    return xr.Dataset(
        coords={"depth": ("depth", [500.0, 1500.0, 2500.0], {"units": "nm"})}
        | {name: (dim, values, {"units": units}) for name, values in edges}
    )


def test_edges_of_cells():
    expected = [[0, 1000], [1000, 2000], [2000, 3000]]
    np.testing.assert_array_equal(cell_edges(cells(), "depth"), expected)
    assert cell_edges(cells(names=vocabulary.CELLS[:1]), "depth") is None
    assert cell_edges(cells(names=()), "depth") is None
    assert cell_edges(cells(dim="sample"), "depth") is None
    bounded = sims.with_units(
        cells(names=()).assign_coords(depth_bounds=(("depth", "bound"), np.array(expected) * 1.0)),
        depth="um",
    )
    np.testing.assert_allclose(cell_edges(bounded, "depth"), expected, rtol=1e-13)
    turned = bounded.assign_coords(depth_bounds=bounded["depth_bounds"].transpose())
    np.testing.assert_allclose(cell_edges(turned, "depth"), expected, rtol=1e-13)


def test_the_axis_of_data_is_named():
    time = xr.DataArray([1.0], dims="sputter_time")
    assert axes.axis_of(time) == axes.axis_name(time) == "sputter_time"
    points = xr.DataArray([1.0], dims="point", coords={"depth": ("point", [0.0])})
    assert (axes.axis_of(points), axes.axis_name(points)) == ("point", "depth")
    with raises(ProfileError, "missing_axis"):
        axes.axis_of(xr.DataArray([1.0], dims="x"))
    with raises(ProfileError, "missing_axis"):
        axes.axis_name(points.drop_vars("depth"))
