"""A batch gives for each profile what it gives for that profile alone."""

import warnings
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
from call_counts import calls
from error_parts import raises
from questions import AXIS, OWN, PER_PROFILE, QUESTIONS, SHARED, ask, measurement

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SimsWarning

pytestmark = pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")


def columns(result, species):
    """Numbers and words of one species of a result, without the places that stand for nothing."""
    arrays = dict(result.data_vars) if isinstance(result, xr.Dataset) else {"value": result}
    arrays |= {
        name: coord
        for name, coord in result.coords.items()
        if name in ("status", "stderr", "n_crossings", "decay_length", "n_linear_segments", "count")
    }
    for name, array in arrays.items():
        one = array.sel(species=species) if "species" in array.dims else array
        flat = np.ravel(one.values)
        if flat.dtype.kind in "Ub":
            empty = flat == flat.dtype.type()
        else:
            empty = np.isnan(flat.astype(float))
        yield name, flat[~empty]


def assert_same(one, alone, species, rtol, label):
    for (name, got), (_, expected) in zip(
        columns(one, species), columns(alone, species), strict=True
    ):
        what = f"{name} of {species}, {label}"
        if got.dtype.kind == "U":
            assert got.tolist() == expected.tolist(), what
        elif rtol == 0:
            np.testing.assert_array_equal(got, expected, err_msg=what)
        else:
            # What is left of a difference of two doses is as exact as the doses are.
            atol = rtol if name in ("rule_difference", "skewness") else 0
            np.testing.assert_allclose(got, expected, rtol=rtol, atol=atol, err_msg=what)


@pytest.mark.few(3)
@pytest.mark.parametrize("question", QUESTIONS)
def test_batch_on_a_shared_axis_gives_each_profile_to_the_bit(question):
    batch = ask(question, sims.stack(SHARED))
    for i, ds in enumerate(SHARED):
        alone = ask(question, ds)
        for species in ("B", "P"):
            assert_same(batch.isel(measurement=i), alone, species, 0, f"measurement {i}")


def grid_of(question):
    """On their own ranges, profiles have grids of their own: give them one."""
    return "step" in QUESTIONS[question]


@pytest.mark.few(3)
@pytest.mark.parametrize("question", QUESTIONS)
def test_padded_batch_gives_each_profile(question):
    batch = ask(question, sims.stack(OWN))
    for i, ds in enumerate(OWN):
        if question.startswith("metallurgical") and ds.sizes["species"] < 2:
            continue
        alone = ask(question, ds)
        for species in ds["species"].values:
            if grid_of(question):
                assert_same_on_common_depths(batch, i, alone, species)
            else:
                assert_same(batch.isel(measurement=i), alone, species, 1e-14, f"measurement {i}")


def assert_same_on_common_depths(batch, i, alone, species):
    got = batch["concentration"].isel(measurement=i).sel(species=species)
    expected = alone["concentration"].sel(species=species)
    got = got.sel(depth=expected["depth"])
    np.testing.assert_allclose(got.values, expected.values, rtol=1e-14)


#: The others are asked of every layout by tests/analysis/test_layouts.py.
ONLY_HERE = [q for q in QUESTIONS if q not in PER_PROFILE]
DENSE = measurement(AXIS, seed=7)
PADDED = sims.stack([DENSE, measurement(AXIS[:-9] + 0.1)])
BETWEEN = np.sort(np.concatenate([AXIS, AXIS[:-1] + 0.7]))
FORMS = {
    "union": DENSE.reindex(depth=xr.Variable("depth", BETWEEN, {"units": "nm"})),
    "rows reversed": DENSE.isel(species=[1, 0]),
    "quantified": sims.quantify(DENSE),
    "dask": DENSE.chunk(species=1),
    "padded": PADDED.isel(measurement=0),
    "quantified batch": sims.quantify(PADDED).isel(measurement=0),
    "dask batch": PADDED.chunk(measurement=1).isel(measurement=0),
}


@pytest.mark.few(2)
@pytest.mark.parametrize("question", ONLY_HERE)
def test_layout_does_not_matter(question):
    """Dense, union, padded, quantified and Dask data are one and the same profile."""
    expected = ask(question, DENSE)
    for form, data in FORMS.items():
        # Junctions of dopants against each other take all species at once.
        if form == "dask" and question.startswith("metallurgical"):
            data = data.chunk(species=-1)  # noqa: PLW2901
        # The grid of a batch spans all of it.
        got = sims.dequantify(ask(question, data)).compute()
        if grid_of(question) and "batch" in form:
            continue
        for species in ("B", "P"):
            assert_same(got, expected, species, 1e-14, form)


@pytest.mark.few(2)
@pytest.mark.parametrize("question", ONLY_HERE)
def test_chunks_and_order_do_not_change_a_bit(question):
    batch = sims.stack(SHARED)
    expected = ask(question, batch)
    order = [2, 0, 3, 1]
    turned = ask(question, batch.isel(measurement=order))
    chunked = ask(question, batch.chunk(measurement=3)).compute()
    for place, i in enumerate(order):
        for species in ("B", "P"):
            assert_same(
                turned.isel(measurement=place), expected.isel(measurement=i), species, 0, "turned"
            )
            assert_same(
                chunked.isel(measurement=i), expected.isel(measurement=i), species, 0, "chunked"
            )


def test_shared_axis():
    batch = sims.stack(SHARED)
    assert batch["concentration"].dims == ("measurement", "species", "depth")
    assert batch["measurement"].values.tolist() == ["w0", "w1", "w2", "w3"]
    assert batch["depth"].attrs["units"] == "nm"
    assert batch["concentration"].attrs["units"] == "atom/cm^3"
    for i, ds in enumerate(SHARED):
        for name in ("concentration", "concentration_stderr"):
            np.testing.assert_array_equal(batch[name].values[i], ds[name].values)


def test_axes_equal_to_rounding_are_one():
    near = measurement(AXIS * (1 + 1e-12))
    assert "depth" in sims.stack([measurement(AXIS), near]).dims
    apart = measurement(AXIS * (1 + 1e-6))
    assert "point" in sims.stack([measurement(AXIS), apart]).dims


def test_own_axes_are_padded_and_never_a_union():
    batch = sims.stack(OWN)
    assert batch["concentration"].dims == ("measurement", "species", "point")
    longest = max(np.isfinite(ds["concentration"].values).sum(axis=1).max() for ds in OWN)
    assert batch.sizes["point"] == longest
    depth, value = batch["depth"].values, batch["concentration"].values
    np.testing.assert_array_equal(np.isnan(depth), np.isnan(value))
    # Padding stands at the end.
    assert (np.diff(np.isnan(depth).astype(int), axis=-1) >= 0).all()
    for i, ds in enumerate(OWN):
        for s in ds["species"].values:
            row = ds["concentration"].sel(species=s).dropna("depth")
            k = batch["species"].values.tolist().index(s)
            np.testing.assert_array_equal(value[i, k, : row.size], row.values)
            np.testing.assert_array_equal(depth[i, k, : row.size], row["depth"].values)


def test_species_are_joined_in_order_of_first_appearance():
    first = measurement(AXIS, species=("P",))
    second = measurement(AXIS, species=("B", "P"))
    third = measurement(AXIS, species=("As", "B"))
    batch = sims.stack([first, second, third])
    assert batch["species"].values.tolist() == ["P", "B", "As"]
    missing = np.isnan(batch["concentration"].values).all(axis=-1)
    assert missing.tolist() == [[False, True, True], [False, False, True], [True, False, False]]
    np.testing.assert_array_equal(
        batch["concentration"].values[2, [2, 1]], third["concentration"].values
    )


def test_one_selected_species_is_stacked_with_all():
    ds = sims.open_example("boron-implant")
    batch = sims.stack([ds.sel(species="P"), ds])
    assert batch["species"].values.tolist() == ["P", "B"]
    assert batch["profile_id"].dims == ("measurement", "species")
    assert batch["profile_id"].values[0].tolist() == [str(ds["profile_id"].values[1]), ""]
    assert sims.to_profiles(sims.unstack(batch)[0]) == sims.to_profiles(ds.sel(species=["P"]))


def test_names():
    ids = [ds.assign_attrs(data_id="same") for ds in SHARED]
    numbered = sims.stack(ids)
    assert numbered["measurement"].values.tolist() == [0, 1, 2, 3]
    # What names the measurements is beside them even where it does not tell them apart.
    assert numbered["data_id"].values.tolist() == ["same"] * 4
    named = sims.stack(SHARED, names=["a", "b", "c", "d"])
    assert named["measurement"].values.tolist() == ["a", "b", "c", "d"]
    assert named["data_id"].values.tolist() == ["w0", "w1", "w2", "w3"]
    with raises(ProfileError, argument="names"):
        sims.stack(SHARED, names="abc")


def test_attrs_that_tell_measurements_apart_are_coordinates():
    first = SHARED[0].assign_attrs(sha256="f" * 64, operator="x", dose_rate=1.5)
    second = SHARED[1].assign_attrs(sha256="e" * 64, operator="x", dose_rate=2.5)
    batch = sims.stack([first, second])
    assert batch["sha256"].values.tolist() == ["f" * 64, "e" * 64]
    assert batch["sha256"].attrs == {"attribute_of": "measurement"}  # also in files of before
    assert batch["dose_rate"].values.tolist() == [1.5, 2.5]
    assert batch.attrs["operator"] == "x"
    assert "sha256" not in batch.attrs
    back = sims.unstack(batch)
    assert back[1].attrs["dose_rate"] == 2.5
    assert back[1].attrs["sha256"] == "e" * 64
    assert "dose_rate" not in back[1].coords


@pytest.mark.parametrize("name", ["data_id", "source", "retrieved", "sha256", "file_sha256"])
def test_attrs_that_identify_are_coordinates_even_if_all_are_equal(name):
    ds = SHARED[0].assign_attrs({name: "same", "title": "both"})
    batch = sims.stack([ds, ds])
    assert batch[name].dims == ("measurement",)
    assert batch[name].values.tolist() == ["same", "same"]
    assert name not in batch.attrs
    assert batch.attrs["title"] == "both"
    assert sims.unstack(batch)[1].attrs[name] == "same"


@pytest.mark.parametrize("shift", [0.0, 5.0])
def test_edges_of_cells_are_kept_one_by_one(shift):
    def cells(edges):
        middle = ("depth", (edges[1:] + edges[:-1]) / 2, {"units": "nm", "bounds": "depth_bounds"})
        bounds = (("depth", "bounds"), np.stack([edges[:-1], edges[1:]], axis=1))
        ds = xr.Dataset(coords={"species": ["B"], "depth": middle, "depth_bounds": bounds})
        unit = {"units": "atom/cm^3"}
        return ds.assign(concentration=(("species", "depth"), np.ones((1, edges.size - 1)), unit))

    edges = np.array([0.0, 10.0, 30.0, 70.0])
    parts = [cells(edges), cells(edges + shift)]
    batch = sims.stack(parts)
    assert "depth_bounds" not in batch.variables
    for side, name in enumerate(("cell_start", "cell_stop")):
        assert batch[name].attrs["units"] == "nm"
        for row, part in enumerate(parts):
            found = batch[name].isel(measurement=row, missing_dims="ignore")
            np.testing.assert_array_equal(np.ravel(found), part["depth_bounds"][:, side])


def test_whole_numbers_and_flags_stay_so_unless_one_is_missing():
    flagged = [
        ds.assign_coords(cycles=("species", np.arange(ds.sizes["species"])), good=True)
        for ds in (SHARED[0], SHARED[0])
    ]
    batch = sims.stack(flagged)
    assert (batch["cycles"].dtype.kind, batch["good"].dtype.kind) == ("i", "b")
    batch = sims.stack([flagged[0], SHARED[0]])
    assert batch["cycles"].dtype == batch["good"].dtype == np.float64
    assert np.isnan(batch["cycles"][1]).all()


def test_units_are_converted():
    inches = SHARED[0].assign_coords(depth=("depth", AXIS / 1000, {"units": "um"}))
    inches["concentration"] = (
        ("species", "depth"),
        SHARED[0]["concentration"].values * 1e6,
        {"units": "atoms/m^3"},
    )
    batch = sims.stack([inches])
    np.testing.assert_allclose(batch["depth"].values, AXIS, rtol=1e-15)
    np.testing.assert_allclose(
        batch["concentration"].values[0], SHARED[0]["concentration"].values, rtol=1e-15
    )


def test_quantified_in_quantified_out():
    batch = sims.stack([sims.quantify(ds) for ds in OWN])
    xr.testing.assert_identical(sims.dequantify(batch), sims.stack(OWN))
    assert hasattr(batch["concentration"].data, "magnitude")
    back = sims.unstack(batch)
    assert hasattr(back[0]["concentration"].data, "magnitude")


def test_dask_on_a_shared_axis_stays_lazy():
    lazy = sims.stack([ds.chunk() for ds in SHARED])
    assert lazy["concentration"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), sims.stack(SHARED))
    part = measurement(AXIS, species=("P",))
    lazy = sims.stack([SHARED[0].chunk(), part.chunk()])
    assert lazy["concentration"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), sims.stack([SHARED[0], part]))


def test_coordinates_along_the_axis_come_along():
    timed = [
        ds.assign_coords(sputter_time=("depth", ds["depth"].values * 2, {"units": "s"}))
        for ds in OWN
    ]
    batch = sims.stack(timed)
    assert batch["sputter_time"].dims == ("measurement", "species", "point")
    np.testing.assert_array_equal(batch["sputter_time"].values, 2 * batch["depth"].values)
    back = sims.unstack(batch)
    xr.testing.assert_identical(back[2]["sputter_time"].variable, timed[2]["sputter_time"].variable)


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("crossings", {"level": "300 counts/s"}),
        ("junction_depth", {"level": "300 counts/s"}),
        ("interpolate", {"depth": ["100 nm", "333.3 nm"]}),
        ("peak", {}),
        ("decay_length", {"start": "200 nm"}),
        ("detection_limit", {"window": ("300 nm", "900 nm")}),
    ],
)
def test_measurements_of_an_instrument(question, options):
    """Ten measurements, every species of each on depths of its own."""
    folder = Path(__file__).parents[3] / "shared" / "data" / "uio_mina_cameca"
    files = sorted(set(folder.glob("*.api.json")) - {folder / "time_x_axis.api.json"})
    if not files:
        pytest.skip(f"measured profiles are not here: {folder.name}")
    parts = [sims.SIMSResult.from_json(file.read_bytes()).to_dataset() for file in files]
    batch = sims.stack(parts, names=[file.name.split(".")[0] for file in files])
    answers = getattr(sims, question)(batch, **options)
    for i, ds in enumerate(parts):
        alone = getattr(sims, question)(ds, **options)
        for species in ds["species"].values:
            one = answers.isel(measurement=i)
            assert_same(one, alone, species, 1e-14, f"measurement {i}")
    for ds, back in zip(parts, sims.unstack(batch), strict=True):
        order = [s for s in batch["species"].values if s in ds["species"].values]
        expected = ds.sel(species=order).drop_attrs(deep=False)
        # Depths at which no species was measured are not there to be given back.
        expected = expected.dropna("depth", how="all")
        xr.testing.assert_identical(back.drop_attrs(deep=False), expected)


@pytest.mark.slow
def test_twice_as_many_measurements_are_twice_the_work():
    def work(count):
        parts = [SHARED[0].assign_attrs(data_id=str(i)) for i in range(count)]
        return calls(lambda: sims.stack(parts))

    work(2)  # what the first one imports
    assert work(200) < 2.2 * work(100)


def test_warnings_name_the_measurement():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with raises(SimsWarning, "gap", measurement="random", species="B"):
            sims.integrated_dose(sims.stack(OWN), stop="1000 nm")


@pytest.mark.parametrize("depth", [[0.0, 1.0, 1.0], [0.0, 2.0, 1.0], [1.0, 1.0, 2.0]])
def test_depths_that_repeat_or_go_back_are_refused(depth):
    bad = xr.Dataset(
        {"concentration": (("species", "depth"), [[1.0, 2.0, 3.0]], {"units": "atom/cm^3"})},
        coords={"species": ["B"], "depth": ("depth", depth, {"units": "nm"})},
    )
    with raises(ProfileError, "unordered_axis"):
        sims.stack([bad])


def test_a_batch_of_one_measurement_keeps_its_attrs():
    ds = sims.open_example("boron-implant").assign_attrs(operator="N. N.", run=7, tags=["a"])
    batch = sims.stack([ds])
    assert batch["concentration"].dims == ("measurement", "species", "depth")
    assert batch["measurement"].values.tolist() == ["boron-implant"]
    assert (batch.attrs["operator"], batch.attrs["run"], batch.attrs["tags"]) == ("N. N.", 7, ["a"])
    assert "data_id" not in batch.attrs
    assert batch["data_id"].values.tolist() == ["boron-implant"]
    (back,) = sims.unstack(batch)
    changed = {"history", "sims_analysis_version", "Conventions"}
    assert {k: v for k, v in back.attrs.items() if k not in changed} == {
        k: v for k, v in ds.attrs.items() if k not in changed
    }


def test_numbers_that_tell_measurements_apart_are_coordinates():
    ds = sims.open_example("boron-implant").drop_attrs(deep=False)
    batch = sims.stack([ds.assign_attrs(run=7), ds.assign_attrs(run=9), ds])
    np.testing.assert_array_equal(batch["run"], [7, 9, np.nan])
    assert [one.attrs.get("run") for one in sims.unstack(batch)] == [7, 9, None]


def test_a_mapping_names_the_measurements_unless_names_do():
    parts = {"x": SHARED[0], "y": SHARED[1]}
    assert sims.stack(parts)["measurement"].values.tolist() == ["x", "y"]
    assert sims.stack(parts, names=[7, 8])["measurement"].values.tolist() == [7, 8]
    assert sims.stack({"x": SHARED[0]})["measurement"].values.tolist() == ["x"]


def test_what_one_measurement_lacks_is_missing_there():
    days = np.array(["2026-01-01", "2026-01-02"], dtype="datetime64[ns]")
    first = SHARED[0].assign_coords(
        day=("species", days), note=("species", ["a", "bb"]), good=("species", [True, False])
    )
    batch = sims.stack([first, SHARED[1]])
    assert batch["note"].values.tolist() == [["a", "bb"], ["", ""]]
    assert np.isnat(batch["day"].values[1]).all()
    np.testing.assert_array_equal(batch["day"].values[0], days)
    np.testing.assert_array_equal(batch["good"], [[1.0, 0.0], [np.nan, np.nan]])
    lists = [ds.assign_attrs(tags=tags) for ds, tags in zip(SHARED, (["a"], ["b"]), strict=False)]
    assert not {"tags"} & {*sims.stack(lists).attrs, *sims.stack(lists).coords}


def test_attrs_and_history_of_a_batch():
    line = f"2 measurements stacked by sims_analysis {sims.__version__}"
    same = sims.stack([ds.assign_attrs(history="read") for ds in SHARED[:2]])
    assert same.attrs["history"] == f"read\n{line}"
    other = sims.stack([SHARED[0].assign_attrs(history="read"), SHARED[1]])
    assert other.attrs["history"] == line
    assert other.attrs["sims_analysis_version"] == sims.__version__
    # A coordinate of that name is already in the file.
    taken = [ds.assign_attrs(place=i).assign_coords(place=1.0) for i, ds in enumerate(SHARED[:2])]
    assert sims.stack(taken)["place"].values.tolist() == [1.0, 1.0]


def test_samples_below_their_limit_are_samples():
    first = sims.open_example("boron-implant").isel(depth=slice(6)).drop_attrs(deep=False)
    limits = np.full((2, 6), np.nan)
    first["concentration"][0, 2:4] = np.nan
    limits[0, 2] = 5e15
    unit = {"units": "atom/cm^3"}
    first = first.assign_coords(concentration_detection_limit=(("species", "depth"), limits, unit))
    batch = sims.stack([first, first.isel(depth=slice(1, None))])
    z = first["depth"].values
    np.testing.assert_array_equal(batch["depth"].values[0, 0], [*z[[0, 1, 2, 4, 5]], np.nan])
    found = batch["concentration_detection_limit"].values[0, 0]
    np.testing.assert_array_equal(found, [np.nan, np.nan, 5e15, np.nan, np.nan, np.nan])
    # One selected species: its limits have the dimension of the samples alone.
    one = first.isel(species=0)
    batch = sims.stack([one, one.isel(depth=slice(1, None))])
    assert batch["concentration_detection_limit"].values[0, 0, 2] == 5e15


def test_lazy_species_are_put_where_they_belong():
    species = [("B", "P"), ("P",), ("As", "B")]
    parts = [measurement(AXIS, species=names, seed=i) for i, names in enumerate(species)]
    lazy = sims.stack([part.chunk() for part in parts])
    assert lazy["concentration"].chunks is not None
    xr.testing.assert_identical(lazy.compute(), sims.stack(parts))
