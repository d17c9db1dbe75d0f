"""Which variable a question is asked of, and what is said where there is none."""

import measurement_layouts
import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.frame.opening import is_ratio, open_frame

KINDS = ("concentration", "count_rate")


@pytest.fixture
def ds():
    """B as a concentration, Si in counts, as a quantified profile and its matrix are."""
    z = np.arange(4.0)
    nothing = np.full(4, np.nan)
    return xr.Dataset(
        {
            "intensity": (("species", "depth"), [nothing, [7.0, 8, 9, 8]], {"units": "count/s"}),
            "concentration": (("species", "depth"), [[1.0, 2, 3, 2], nothing], {"units": "cm^-3"}),
        },
        coords={"species": ["B", "Si"], "depth": ("depth", z, {"units": "nm"})},
    )


def kind(data, **options):
    return open_frame(data, KINDS, question="a test", **options).kind


@pytest.mark.parametrize("chunks", [None, {"depth": 2}])
def test_a_species_is_analysed_in_the_variable_in_which_it_was_measured(ds, chunks):
    ds = ds if chunks is None else ds.chunk(chunks)
    assert kind(ds) == "concentration", "the first that some species may have"
    assert kind(ds.sel(species="B")) == "concentration"
    assert kind(ds.sel(species="Si")) == "count_rate"
    assert kind(ds.sel(species=["Si"])) == "count_rate"
    assert kind(ds.sel(species="Si"), variable="concentration") == "concentration"
    assert kind(ds.sel(species="Si").drop_vars("intensity")) == "concentration", "the only one"


def test_a_missing_variable_is_refused_by_name(ds, approved):
    with raises(UnitsError, "missing_variable"):
        kind(ds, variable="dose")
    for name in (7, ["concentration"]):
        with raises(UnitsError, "missing_variable", text=approved):
            kind(ds, variable=name)
    seconds = ds[["intensity"]].assign(intensity=ds["intensity"].assign_attrs(units="s"))
    with raises(UnitsError, text=approved):
        kind(seconds)
    alone = ds[["intensity"]]
    with raises(UnitsError, "missing_variable"):
        open_frame(alone, ("concentration",), question="a test")
    with raises(TypeError, text=approved):
        kind([1, 2])


def test_a_ratio_is_known_by_its_name(ds):
    ratio = ds["intensity"].rename("ratio")
    assert is_ratio(ratio)
    assert is_ratio(ratio.to_dataset())
    assert not is_ratio(ds)
    assert not is_ratio(ds["intensity"])
    assert not is_ratio(ds["intensity"].rename("dose").to_dataset())
    assert not is_ratio([ratio])
    assert not is_ratio(ds.assign(ratio=ratio)), "one among what was measured"


def refused(data, error):
    with pytest.raises(error) as caught:
        kind(data)
    return caught.value


def with_depth(ds, values, dims="depth"):
    return ds.assign_coords(depth=(dims, values, {"units": "nm"}))


@pytest.mark.parametrize(
    "depth",
    [
        [0.0, 1.0, 1.0, 2.0],
        [0.0, 3.0, 2.0, 1.0],
        [0.0, np.nan, 2.0, 3.0],
        [-np.inf, 1.0, 2.0, 3.0],
        [0.0, 1.0, 2.0, np.inf],
    ],
)
def test_an_axis_that_is_none_is_refused_at_its_first_sample(ds, depth, approved):
    approved(refused(with_depth(ds, depth), ProfileError))


def test_a_time_is_no_depth_where_a_depth_is_needed(ds):
    time = ds.rename(depth="sputter_time")
    time["sputter_time"].attrs["units"] = "s"
    assert refused(time, UnitsError).code == "missing_axis"
    assert kind(time, axes=("depth", "sputter_time")) == "concentration"


@pytest.mark.parametrize("wrong", [-1e-300, np.inf, -np.inf])
def test_a_standard_error_is_finite_and_not_negative(ds, wrong, approved):
    errors = np.zeros((2, 4))
    errors[0, 1] = np.nan
    ds["concentration_stderr"] = ds["concentration"].copy(data=errors)
    assert kind(ds) == "concentration"
    errors[0, 2] = errors[1, 0] = wrong
    ds["concentration_stderr"] = ds["concentration"].copy(data=errors)
    approved(refused(ds, ProfileError))
    assert kind(ds.chunk()) == "concentration", "of lazy data nothing is computed"


def test_standard_errors_have_a_unit_of_their_own(ds, approved):
    errors = xr.full_like(ds["concentration"], 0.5)
    ds["concentration_stderr"] = errors.assign_attrs(units="m^-3")
    frame = open_frame(ds, KINDS, question="a test")
    np.testing.assert_allclose(frame.stderr, np.full((2, 4), 0.5e-6), rtol=1e-12)
    ds["concentration_stderr"] = errors.assign_attrs(units="nm")
    approved(refused(ds, UnitsError))
    del ds["concentration_stderr"].attrs["units"]
    approved(refused(ds, UnitsError))


def with_cells(ds, lower, upper, dims=("depth", "bounds")):
    return ds.assign_coords(depth_bounds=(dims, np.stack([lower, upper], -1)))


LOWER, UPPER = np.arange(4.0) - 0.5, np.arange(4.0) + 0.5


def test_bounds_of_cells_have_a_dimension_of_two(ds, approved):
    assert kind(with_cells(ds, LOWER, UPPER)) == "concentration"
    three = ds.assign_coords(depth_bounds=(("depth", "bounds"), np.zeros((4, 3))))
    approved(refused(three, ProfileError))
    approved(refused(ds.assign_coords(depth_bounds=("bounds", [0.0, 1.0])), ProfileError))


@pytest.mark.parametrize(("i", "by"), [(0, 0.6), (1, -0.6), (1, 0.01), (0, -0.01)])
def test_cells_hold_their_depth_and_do_not_overlap(ds, i, by, approved):
    edges = [LOWER.copy(), UPPER.copy()]
    edges[i][1] += by
    approved(refused(with_cells(ds, *edges), ProfileError))
    edges[i][1] += 1e-10 * np.sign(by) - by  # rounding
    assert kind(with_cells(ds, *edges)) == "concentration"


def test_a_depth_on_the_edge_of_its_cell_is_in_it(ds, approved):
    assert kind(with_cells(ds, LOWER + 0.5, UPPER + 0.5)) == "concentration"
    assert kind(with_cells(ds, LOWER - 0.5, UPPER - 0.5)) == "concentration"
    approved(refused(with_cells(ds, LOWER + 0.51, UPPER + 0.51), ProfileError))


def test_cells_of_some_profiles_and_samples_of_others_do_not_mix(ds, approved):
    lower = np.stack([np.where(np.arange(4) > 0, LOWER, np.nan), LOWER])
    edges = {"cell_start": lower, "cell_stop": lower + 1.0}
    array = ds["concentration"].assign_coords(
        {name: (("species", "depth"), one, {"units": "nm"}) for name, one in edges.items()}
    )
    approved(refused(array, ProfileError))
    array = array.isel(species=[0])
    array["cell_start"][0, 0], array["cell_stop"][0, :2] = LOWER[0], [LOWER[0] + 1.0, 9.0]
    assert kind(array.drop_vars("cell_stop")) == "concentration", "one edge is none"
    approved(refused(array, ProfileError))


def test_of_own_axes_one_that_does_not_increase_is_refused():
    own = measurement_layouts.padded({"B": (np.arange(9.0), np.ones(9)), "P": ([0, 1, 3], [1] * 3)})
    assert sims.mean_value(own)["status"].values.tolist() == [["ok", "ok"]]
    with pytest.raises(ProfileError, match=r"depth must increase strictly; .* 3, 7, does not"):
        sims.mean_value(own.isel(point=slice(None, None, -1)))


def test_only_of_a_batch_may_an_axis_end_before_the_samples(ds, approved):
    ds = ds.isel(species=[0]).drop_vars("intensity")
    ds["concentration"] = ds["concentration"].copy(data=[[1.0, 2.0, np.nan, np.nan]])
    padded = with_depth(ds, [0.0, 1.0, np.nan, np.nan])
    approved(refused(padded, ProfileError))
    point = padded.rename_dims(depth="point").reset_index("depth", drop=False)
    assert open_frame(point, KINDS, question="a test").depth.ndim == 2
    approved(refused(point.isel(point=[0, 2, 1, 3]), ProfileError))
    point["concentration"] = point["concentration"].fillna(3.0)
    approved(refused(point, ProfileError))


def opened(data, **options):
    return open_frame(data, KINDS, question="a test", **options)


def boron(ds):
    return ds.drop_vars("intensity").isel(species=[0, 0]).assign_coords(species=["B", "P"])


def test_a_background_that_was_not_subtracted_is_exact_and_an_infinite_error_is_not_known(ds):
    ancillary = {
        "background_stderr": ([[np.nan, 1.0, np.inf, 2.0]] * 2, "cm^-3", [0.0, 1.0, np.nan, 2.0]),
        "background_overlap": ([[np.nan, 0.5, np.inf, 0.0]] * 2, "1", [0.0, 0.5, np.nan, 0.0]),
        "background_scatter": ([[np.nan, 1.5, np.inf, 1.0]] * 2, "1", [1.0, 1.5, np.nan, 1.0]),
    }
    ds = ds.assign({
        f"concentration_{end}": (("species", "depth"), values, {"units": unit})
        for end, (values, unit, _) in ancillary.items()
    })  # fmt: skip
    frame = opened(ds)
    for column, (*_, expected) in zip(
        (frame.common, frame.overlap, frame.scatter), ancillary.values(), strict=True
    ):
        np.testing.assert_array_equal(column, [expected] * 2)
    one = ds.assign(concentration_background_stderr=((), 3.0, {"units": "cm^-3"}))
    np.testing.assert_array_equal(opened(one).common, np.full((2, 4), 3.0))


def test_ancillary_values_of_an_array_are_its_coordinates(ds):
    own = {"units": "cm^-3"}
    array = boron(ds)["concentration"].assign_coords(
        stderr=("depth", [0.1, 0.2, 0.3, 0.4], own),
        background_stderr=("species", [0.5, 0.6], own),
        concentration_detection_limit=(("species", "depth"), np.full((2, 4), 7.0), own),
        wafer=("species", ["x", "y"]),
    )
    for data in (array, array.to_dataset()):
        frame = opened(data)
        np.testing.assert_array_equal(frame.stderr, [[0.1, 0.2, 0.3, 0.4]] * 2)
        np.testing.assert_array_equal(frame.common, [[0.5] * 4, [0.6] * 4])
        np.testing.assert_array_equal(frame.limit, np.full((2, 4), 7.0))
        assert set(frame.coords) == {"species", "wafer"}
        assert set(frame.along) == {"depth"}
    of_profiles = array.assign_coords(stderr=("species", [0.1, 0.2], own))
    assert opened(of_profiles).stderr is None, "that of an answer is none of samples"


def test_values_that_nothing_can_have_are_refused_unless_they_are_to_be_shown(ds):
    ds["intensity"] = ds["concentration"].assign_attrs(units="count/s")
    ds["concentration"] = 1e30 * ds["concentration"].assign_attrs(units="cm^-3")
    ds["concentration"].attrs["units"] = "cm^-3"
    with raises(ProfileError, "impossible_value"):
        opened(ds, variable="concentration")
    assert opened(ds, variable="concentration", as_they_are=True).kind == "concentration"


@pytest.mark.parametrize(
    ("name", "subject"), [("concentration", "concentration"), (None, "the data")]
)
def test_an_array_is_named_in_errors(ds, name, subject, approved):
    array = boron(ds)["concentration"].rename(name)
    with raises(UnitsError, "missing_unit", text=approved):
        opened(array.drop_attrs(deep=False))
    with raises(ProfileError, "impossible_value", text=approved):
        opened((1e30 * array).assign_attrs(units="cm^-3"))
    assert opened(array).name == "concentration", "a name, or that of its kind"


def test_samples_are_along_the_last_dimension(ds):
    frame = opened(boron(ds).transpose("depth", "species"))
    assert frame.value.dims == ("species", "depth")
    assert frame.lead == ("species",)
    own = boron(ds).rename_dims(depth="point").reset_index("depth")
    own = own.assign_coords(depth=(("point", "species"), np.arange(8.0).reshape(4, 2),
                                   {"units": "nm"}))  # fmt: skip
    frame = opened(own)
    assert frame.depth.dims == ("species", "point")
    np.testing.assert_array_equal(frame.depth[1], [1.0, 3.0, 5.0, 7.0])


def test_what_was_measured_is_looked_for_and_several_lazy_species_are_not_computed(ds):
    only_counts = ds.assign(concentration=ds["concentration"] * np.nan)
    only_counts["concentration"].attrs["units"] = "cm^-3"
    assert kind(only_counts) == "count_rate"
    assert kind(only_counts.isel(species=[1])) == "count_rate"
    assert kind(only_counts.isel(species=[1]).chunk()) == "count_rate"
    computed = []

    def compute(values):
        computed.append(values.size)
        return values

    lazy = ds.map(lambda one: one.copy(data=one.chunk().data.map_blocks(compute, dtype=float)))
    assert kind(lazy) == "concentration", "the first that some of them may have"
    assert not any(computed)  # but for dask's own look at nothing


@pytest.mark.parametrize("axis", ["depth", "sputter_time"])
def test_wrong_cells_are_refused_with_a_remedy(ds, axis, approved):
    unit = "nm" if axis == "depth" else "s"
    ds = ds.rename(depth=axis)
    ds[axis].attrs["units"] = unit
    for upper in (UPPER - 0.6, UPPER + 0.1):
        bounds = {f"{axis}_bounds": ((axis, "side"), np.stack([LOWER, upper], -1))}
        edges = {
            "cell_start": (axis, LOWER, {"units": unit}),
            "cell_stop": (axis, upper, {"units": unit}),
        }
        for coords in (bounds, edges):
            with raises(ProfileError, text=approved):
                opened(ds.assign_coords(coords), axes=("depth", "sputter_time"))
