"""One species on its own axis, and all of them on one, whatever the layout."""

import measurement_layouts
import numpy as np
import pytest
import shared_profiles
from error_parts import raises

import sims_analysis as sims
from sims_analysis.dataset.samples import LAYOUT
from sims_analysis.errors import ProfileError, SpeciesError

PROFILES = {
    "23Na": (np.array([1.0, 4.0, 7.0, 10.0]), np.array([1e18, 0.0, -1e15, 2e17])),
    "70Zn": (np.array([2.0, 5.0, 8.0]), np.array([3e18, 2e18, 1e18])),
}


@pytest.mark.few(4)
@pytest.mark.parametrize("layout", measurement_layouts.layouts(PROFILES))
@pytest.mark.parametrize("as_array", [False, True])
def test_a_species_is_what_was_measured(layout, as_array):
    data = measurement_layouts.layouts(PROFILES)[layout]
    data = data["concentration"] if as_array else data
    for species, (z, c) in PROFILES.items():
        one = sims.samples(data, species)
        assert type(one) is type(data)
        array = one if as_array else one["concentration"]
        assert array.dims == ("depth",)
        assert hasattr(array.data, "dask") == ("dask" in layout)
        assert hasattr(array.data, "magnitude") == ("quantified" in layout)
        plain = sims.dequantify(array).compute()
        np.testing.assert_array_equal(plain, c)
        np.testing.assert_array_equal(plain["depth"], z)
        assert plain["species"].item() == species
        assert plain.attrs["units"] == "atom/cm^3"
        assert plain["depth"].attrs["units"] == "nm"


@pytest.mark.filterwarnings("ignore:.*'Si'.*ends inside the profile")
def test_all_variables_coordinates_and_attrs_are_kept():
    ds = sims.open_example("gan-mg-stack")
    mg = sims.samples(ds, "Mg")
    assert set(mg.variables) == set(ds.variables)
    assert mg["species_metadata"].item() == ds["species_metadata"].sel(species="Mg").item()
    assert mg.attrs == {key: value for key, value in ds.attrs.items() if key != LAYOUT}
    assert ds.attrs[LAYOUT].startswith("species on their own depths")
    whole = sims.integrated_dose(ds).sel(species="Mg").item()
    assert sims.integrated_dose(mg).item() == pytest.approx(whole, rel=1e-13)
    assert sims.to_profiles(mg) == [p for p in sims.to_profiles(ds) if p.species_name == "Mg"]
    ga = sims.samples(ds, "Ga->")
    assert (ga["intensity"].notnull().all(), ga["concentration"].isnull().all()) == (True, True)


def test_plain_xarray_works_on_the_samples():
    ds = sims.open_example("gan-mg-stack")
    nothing = ds["concentration"].sel(species="Mg") / ds["intensity"].sel(species="Ga->")
    assert nothing.isnull().all()
    mg = sims.samples(ds, "Mg")
    near = mg["concentration"].sel(depth=260, method="nearest")
    assert near["depth"].item() == min(mg["depth"].values, key=lambda z: abs(z - 260))
    assert np.isfinite(near)


def test_standard_errors_and_depths_of_each_measurement_go_along():
    ds = measurement_layouts.one([0, 1, 2], [1e18, np.nan, 2e18], stderr=[1e16, np.nan, np.nan])
    assert sims.samples(ds)["concentration_stderr"].values.tolist()[0] == 1e16
    assert sims.samples(ds).sizes["depth"] == 2
    other = ds.assign_coords(depth=ds["depth"] + 0.5)
    batch = sims.stack([ds, other], names=["a", "b"])
    assert batch["concentration"].dims == ("measurement", "species", "point")
    for one in (batch.sel(measurement="b"), batch.isel(measurement=[1])):
        own = sims.samples(one, "B")
        assert own["depth"].values.tolist() == [0.5, 2.5]
        assert own["measurement"].item() == "b"


def test_only_what_was_measured_says_where():
    ds = measurement_layouts.one([0, 1, 2], [1e18, np.nan, 2e18]).isel(species=0)
    marked = ds.assign(mark=("depth", [0.0, 1.0, 2.0]))
    assert sims.samples(marked)["depth"].values.tolist() == [0, 2]
    other = marked[["mark"]].assign(mark=("depth", [0.0, 1.0, np.nan]), total=3.0)
    assert sims.samples(other)["depth"].values.tolist() == [0, 1]
    limit = ds.assign_coords(concentration_detection_limit=("depth", [np.nan, 5e15, np.nan]))
    for data in (limit, limit["concentration"]):
        assert sims.samples(data)["depth"].values.tolist() == [0, 1, 2]
    of_all = ds.assign_coords(concentration_detection_limit=5e15)
    assert sims.samples(of_all)["depth"].values.tolist() == [0, 2]


def test_a_species_chosen_already():
    ds = measurement_layouts.union(PROFILES)
    one = sims.samples(ds.sel(species="70Zn"))
    assert one.identical(sims.samples(ds, "70Zn"))
    assert sims.samples(ds.sel(species="70Zn"), "70Zn").identical(one)
    with raises(SpeciesError, argument="species", species="23Na"):
        sims.samples(ds.sel(species="70Zn"), "23Na")


# --- all species on one axis ----------------------------------------------------------------------


def result():
    return [
        sims.DepthProfile(
            species_name=name, depths=z, depth_units="nm",
            concentrations=np.abs(c), concentration_units="atoms/cm^3",
        )
        for name, (z, c) in PROFILES.items()
    ]  # fmt: skip


def test_a_step_is_to_grid():
    on_step = sims.to_dataset(result(), depth="1 nm")
    sims.testing.assert_allclose(
        on_step.drop_attrs(), sims.to_grid(sims.to_dataset(result()), step="1 nm").drop_attrs()
    )
    assert on_step["depth"].values.tolist() == list(range(1, 11))
    assert on_step.attrs["grid"]
    assert LAYOUT not in on_step.attrs


def test_like_one_of_the_species():
    on_zn = sims.to_dataset(result(), like="70Zn")
    z, c = PROFILES["70Zn"]
    assert on_zn["depth"].values.tolist() == z.tolist()
    assert on_zn["concentration"].sel(species="70Zn").values.tolist() == c.tolist()
    na = sims.interpolate(sims.to_dataset(result()), depth="8 nm").sel(species="23Na")
    at = on_zn["concentration"].sel(species="23Na", depth=8.0)
    assert at.item() == pytest.approx(na["concentration"].item(), rel=1e-14)
    assert (on_zn["concentration"] / on_zn["concentration"].sel(species="70Zn")).notnull().any()


def test_arguments_of_the_axis_are_checked(approved):
    with raises(SpeciesError, argument="species", species="Zn"):
        sims.to_dataset(result(), like="Zn")
    with raises(ProfileError, "conflicting_arguments", text=approved):
        sims.to_dataset(result(), depth="1 nm", like="70Zn")
    with raises(sims.UnitsError, "missing_unit", argument="depth"):
        sims.to_dataset(result(), depth=1)


@pytest.mark.parametrize("depth", ["0 nm", "-1 nm", "common", "1 s", 1])
def test_a_wrong_step_is_named_as_the_argument_depth(depth):
    code = {"common": "not_a_quantity", "1 s": "wrong_unit", 1: "missing_unit"}.get(depth, "")
    with raises(sims.UnitsError if code else ProfileError, code, argument="depth"):
        sims.to_dataset(result(), depth=depth)


def test_a_shared_axis_has_no_layout_to_tell():
    ds = sims.open_example("boron-implant")
    assert LAYOUT not in ds.attrs
    assert "species on their own depths" in sims.open_example("gan-mg-stack")._repr_html_()


@shared_profiles.parametrize("151118h")
def test_a_real_measurement_on_interleaved_depths(name):
    result = sims.SIMSResult.from_json(shared_profiles.read(name))
    ds = result.to_dataset()
    dims = {"species": "23Na"}
    assert (ds["intensity"].sel(dims) / ds["intensity"].sel(species="70Zn")).isnull().all()
    one = sims.samples(ds, "23Na")
    assert one.sizes["depth"] == result["23Na"].depths.size
    like = result.to_dataset(like="70Zn")
    ratio = like["intensity"].sel(dims) / like["intensity"].sel(species="70Zn")
    assert ratio.notnull().mean() > 0.9
