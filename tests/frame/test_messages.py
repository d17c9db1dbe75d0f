"""Messages name the first profile of which something is true, count the others, and say where."""

import warnings

import numpy as np
import pytest
import xarray as xr

from sims_analysis.errors import DoseWarning
from sims_analysis.frame.messages import first_flagged, first_sample, warn_where
from sims_analysis.frame.opening import open_frame

Z = np.array([0.0, 2.0, 4.0, 6.0])
VALUES = [[1.0, 2, 3, 4], [np.nan, 6, 7, np.nan], [np.nan] * 4]


def opened(*, lazy=False, own=False, **coords):
    depth = ("depth", Z, {"units": "nm"})
    dim = "depth"
    if own:
        dim = "point"
        depth = (("species", "point"), np.stack([Z, Z + 1, Z + 2]), {"units": "nm"})
    ds = xr.Dataset(
        {"concentration": (("species", dim), VALUES, {"units": "cm^-3"})},
        coords={"species": ["B", "P", "As"], "depth": depth, **coords},
    )
    ds = ds.chunk({"species": 1}) if lazy else ds
    return open_frame(ds, ("concentration",), question="a test")


def flags(*which):
    return xr.Variable("species", [name in which for name in ("B", "P", "As")])


@pytest.mark.parametrize(
    ("which", "label", "index"),
    [
        (("B",), "species 'B'", 0),
        (("P",), "species 'P'", 1),
        (("P", "As"), "species 'P' and 1 more", 1),
        (("B", "P", "As"), "species 'B' and 2 more", 0),
    ],
)
def test_the_first_is_named_and_the_others_are_counted(which, label, index):
    first = first_flagged(opened(), flags(*which))
    assert (first.label, first.index) == (label, {"species": index})
    assert first.of(xr.Variable("species", [5.0, 6.0, 7.0])) == 5.0 + index
    assert first.of(xr.Variable((), 9.0)) == 9.0  # what is the same for all


def test_of_none_and_of_what_is_lazy_nothing_is_said():
    assert first_flagged(opened(), flags()) is None
    lazy = opened(lazy=True)
    assert first_flagged(lazy, lazy.value.max("depth") > 0) is None
    assert first_sample(lazy, lazy.value > 0) is None
    assert first_sample(opened(), opened().value > 99) is None


@pytest.mark.parametrize(
    ("own", "ranges"),
    [(False, ["0 to 6 nm", "2 to 4 nm"]), (True, ["0 to 6 nm", "3 to 5 nm"])],
)
def test_the_record_is_where_something_was_measured(own, ranges):
    frame = opened(own=own)
    records = [first_flagged(frame, flags(name)).record for name in ("B", "P", "As")]
    assert records == [*ranges, "nowhere"]


def test_a_profile_alone_has_its_samples_and_cells_and_no_errors():
    z = xr.DataArray(Z, dims="depth")
    edges = {"depth_bounds": (("depth", "side"), np.stack([Z - 1, Z + 1], -1))}
    frame = opened(**edges)
    alone = first_flagged(frame, flags("P")).alone
    np.testing.assert_array_equal(alone.value, VALUES[1])
    np.testing.assert_array_equal(alone.depth, z)
    np.testing.assert_array_equal(alone.cells[0], Z - 1)
    np.testing.assert_array_equal(alone.cells[1], Z + 1)
    assert float(alone.fraction) == 1.0
    assert first_flagged(opened(), flags("P")).alone.cells is None
    own = first_flagged(opened(own=True), flags("P")).alone
    np.testing.assert_array_equal(own.depth, Z + 1)


@pytest.mark.parametrize(
    ("flagged", "said"),
    [
        ([[0, 0, 1, 0], [0] * 4, [0] * 4], "species 'B', depth 4 nm: 3 atom/cm^3"),
        ([[0] * 4, [0, 1, 0, 0], [0] * 4], "species 'P', depth 2 nm: 6 atom/cm^3"),
        ([[0, 1, 1, 1], [0] * 4, [0] * 4], "species 'B', depth 2 nm: 2 atom/cm^3 (and 2 more)"),
        (
            [[0] * 4, [0, 1, 0, 0], [0, 1, 0, 0]],
            "species 'P', depth 2 nm: 6 atom/cm^3 (and 1 more)",
        ),
    ],
)
def test_the_first_sample_is_said_with_its_place_and_value(flagged, said):
    where = xr.Variable(("species", "depth"), np.array(flagged, bool))
    assert first_sample(opened(), where) == said
    assert first_sample(opened(), where.transpose("depth", "species")) == said


def test_a_sample_on_an_axis_of_its_own_and_flags_for_all_profiles():
    frame = opened(own=True)
    where = xr.Variable(("species", "point"), np.arange(12).reshape(3, 4) == 5)
    assert first_sample(frame, where) == "species 'P', depth 3 nm: 6 atom/cm^3"
    same = xr.Variable("depth", [False, True, False, False])
    assert first_sample(opened(), same) == "species 'B', depth 2 nm: 2 atom/cm^3 (and 2 more)"


def test_a_warning_is_of_the_first_and_none_without_one():
    with pytest.warns(DoseWarning) as told:
        warn_where(opened(), flags("P", "As"), "it is so", DoseWarning)
    assert [str(one.message) for one in told] == ["species 'P' and 1 more: it is so"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_where(opened(), flags(), "it is so", DoseWarning)
