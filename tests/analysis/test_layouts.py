"""No result depends on the layout: dense, union, padded, quantified, Dask, order, precision."""

from inspect import signature

import numpy as np
import pytest
import xarray as xr
from error_parts import raises
from measurement_layouts import layouts, measurement, padded, plain, union
from questions import ASKED, AXIS, PER_PROFILE, QUESTIONS, asking
from questions import measurement as two_species

import sims_analysis as sims

WARNS = "ignore::sims_analysis.errors.SimsWarning"


def interleaved(seed=0, n=60):
    """Three noisy implants, each with depths of its own, between 0 and 180 nm."""
    rng = np.random.default_rng(seed)
    profiles = {}
    for name, offset in (("B", 0.0), ("P", 0.31), ("As", 0.77)):
        z = np.linspace(0, 179, n) + offset
        c = 1e20 * np.exp(-((z - 45) ** 2) / (2 * 18**2)) + 1e15
        profiles[name] = (z, c * rng.lognormal(0, 0.2, n))
    return profiles


def fields(result):
    """Split an answer into plain arrays by name, coordinates that hold answers included."""
    result = result if isinstance(result, xr.Dataset) else result.to_dataset(name="answer")
    names = [*result.data_vars, "status", "stderr", "n_crossings", "decay_length", "n"]
    names += ["n_linear_segments", "count"]
    return {name: result[name] for name in names if name in result.variables}


def agree(found, wanted, *, rtol, names):
    a, b = fields(plain(found, names)), fields(plain(wanted, names))
    assert a.keys() == b.keys()
    for name in a:
        x, y = np.asarray(a[name].data), np.asarray(b[name].data)
        assert x.shape == y.shape
        if x.dtype.kind in "US":
            assert (x == y).all(), name
        elif rtol:
            # Of a skewness near 0, what is left of its two sides is as exact as they are.
            atol = rtol if name in ("skewness", "rule_difference") else 0
            np.testing.assert_allclose(x, y, rtol=rtol, atol=atol, err_msg=name)
        else:
            np.testing.assert_array_equal(x, y, err_msg=name)


@pytest.mark.few(1)
@pytest.mark.parametrize("question", PER_PROFILE)
@pytest.mark.filterwarnings(WARNS)
def test_every_layout_gives_the_same_answer(question):
    profiles = interleaved()
    ask = asking(question)
    every = layouts(profiles)
    wanted = ask(every["union"])
    for name, ds in every.items():
        rtol = 1e-12 if "padded" in name else 0
        agree(ask(ds), wanted, rtol=rtol, names=profiles)


@pytest.mark.few(3)
@pytest.mark.parametrize("question", PER_PROFILE)
@pytest.mark.filterwarnings(WARNS)
def test_each_profile_gives_the_same_result_alone(question):
    profiles = interleaved()
    ask = asking(question)
    together = ask(union(profiles))
    for name, (z, c) in profiles.items():
        alone = ask(measurement(z, {name: c}))
        agree(alone, together.sel(species=[name]), rtol=1e-12, names=[name])


@pytest.mark.few(8)
@pytest.mark.parametrize("question", PER_PROFILE)
@pytest.mark.filterwarnings(WARNS)
def test_a_species_can_be_selected_before_or_after(question):
    profiles = interleaved()
    ds, ask = union(profiles), asking(question)
    before = ask(ds.sel(species="P"))
    after = ask(ds).sel(species="P")
    for name, wanted in fields(after).items():
        found = fields(before)[name]
        assert found.dims == wanted.dims
        np.testing.assert_array_equal(found, wanted)
    assert str(before["species"].values) == "P"


@pytest.mark.few(0, 2)
@pytest.mark.parametrize("question", PER_PROFILE)
@pytest.mark.filterwarnings(WARNS)
def test_neither_chunks_nor_order_change_a_bit(question):
    rng = np.random.default_rng(5)
    z = np.sort(rng.uniform(0, 180, 67))
    c = 1e20 * np.exp(-((z - 45) ** 2) / 648) * rng.lognormal(0, 0.3, (5, 2, 67))
    c[rng.random(c.shape) < 0.02] = np.nan
    ds = xr.Dataset(
        {"concentration": (("measurement", "species", "depth"), c, {"units": "atom/cm^3"})},
        coords={
            "measurement": list("vwxyz"),
            "species": ["B", "P"],
            "depth": ("depth", z, {"units": "nm"}),
        },
    )
    ask = asking(question)
    wanted = ask(ds)
    for other in (
        ds.chunk({"measurement": 2}),
        ds.chunk({"measurement": 1, "species": 1}),
        ds.isel(measurement=[3, 1, 4, 0, 2], species=[1, 0]),
        ds.transpose("depth", "species", "measurement"),
        ds.isel(measurement=[3]),
    ):
        found = (
            ask(other).compute().sel(species=ds.species).transpose("measurement", "species", ...)
        )
        for name, array in fields(found).items():
            reference = fields(wanted)[name].sel(measurement=found.measurement)
            np.testing.assert_array_equal(array, reference.transpose(*array.dims), err_msg=name)


@pytest.mark.parametrize("question", PER_PROFILE)
@pytest.mark.filterwarnings(WARNS)
def test_the_kind_out_is_the_kind_in(question):
    ds = sims.quantify(union(interleaved()))
    found = asking(question)(ds)
    quantities = 0
    for array in found.data_vars.values() if isinstance(found, xr.Dataset) else [found]:
        if hasattr(array.data, "magnitude"):
            assert "units" not in array.attrs
            quantities += 1
    assert quantities


@pytest.mark.parametrize("question", PER_PROFILE)
@pytest.mark.filterwarnings(WARNS)
def test_every_number_has_a_unit_and_a_long_name(question):
    found = asking(question)(union(interleaved()))
    arrays = found.data_vars.values() if isinstance(found, xr.Dataset) else [found]
    for array in arrays:
        assert array.attrs["long_name"], array.name
        if array.dtype.kind == "f":
            assert "units" in array.attrs, array.name


@pytest.mark.parametrize("question", PER_PROFILE)
@pytest.mark.filterwarnings(WARNS)
def test_a_dataarray_gives_the_same_result_as_its_dataset(question):
    ds = union(interleaved())
    if question.startswith("interpolate"):
        a = asking(question)(ds)["concentration"]
    else:
        a = asking(question)(ds)
    agree(asking(question)(ds["concentration"]), a, rtol=0, names=["B", "P", "As"])


@pytest.mark.parametrize("question", PER_PROFILE)
@pytest.mark.filterwarnings(WARNS)
def test_single_precision_costs_single_precision(question):
    ds = union(interleaved())
    narrow = ds.assign(concentration=ds["concentration"].astype("f4"))
    narrow["concentration"].attrs["units"] = "atom/cm^3"
    a, b = fields(asking(question)(narrow)), fields(asking(question)(ds))
    for name in a:
        if a[name].dtype.kind == "f":
            np.testing.assert_allclose(a[name], b[name], rtol=2e-4, err_msg=name)


@pytest.mark.parametrize("layout", ["union", "padded"])
def test_coordinates_of_the_user_stay(layout):
    profiles = interleaved()
    ds = union(profiles) if layout == "union" else padded(profiles)
    ds = ds.assign_coords(isotope=("species", [11, 31, 75]), wafer="w7")
    found = sims.integrated_dose(ds)
    assert found["isotope"].values.tolist() == [11, 31, 75]
    assert str(found["wafer"].values) == "w7"


@pytest.mark.few(2)
@pytest.mark.parametrize("question", PER_PROFILE)
@pytest.mark.filterwarnings(WARNS)
def test_profiles_that_end_early_do_not_depend_on_those_that_do_not(question):
    rng = np.random.default_rng(5)
    z = np.linspace(0, 280, 400)
    c = 1e20 * np.exp(-((z - 45) ** 2) / (2 * 18**2)) * rng.lognormal(0, 0.2, (12, 400)) + 1e15
    c[:8, 270:] = np.nan
    c[2, 40:50] = np.nan
    c[8, 100:150:3] = np.nan
    ds, ask = measurement(z, {f"S{i}": row for i, row in enumerate(c)}), asking(question)
    whole = fields(ask(ds))
    few, chunks = fields(ask(ds.isel(species=slice(8)))), fields(ask(ds.chunk(species=3)).compute())
    for name, wanted in whole.items():
        np.testing.assert_array_equal(few[name], wanted[:8], err_msg=name)
        np.testing.assert_array_equal(chunks[name], wanted, err_msg=name)


def test_what_was_measured_without_a_depth_is_refused():
    ds = padded({"B": (np.arange(5.0), np.ones(5))}, spare=2).isel(measurement=0, species=0)
    ds["concentration"][-1] = 1e18
    with raises(sims.ProfileError, "unordered_axis"):
        sims.integrated_dose(ds)


@pytest.mark.parametrize("kind", [np.float32, ">f4", np.float64])
def test_standard_errors_in_any_precision(kind):
    z, rng = np.linspace(0, 100, 50), np.random.default_rng(6)
    values = {name: 1e20 * rng.uniform(0.5, 1, 50) for name in ("B", "P")}
    ds = measurement(z, values, stderr={name: 0.2 * c for name, c in values.items()}).astype(kind)
    weights = np.gradient(z) * np.r_[0.5, np.ones(48), 0.5]
    wanted = np.sqrt(((ds["concentration_stderr"].astype(float) * weights) ** 2).sum("depth")) / 1e7
    found = sims.integrated_dose(ds, stop="100 nm")["stderr"]
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    single = np.dtype(kind).itemsize == 4
    assert sims.cumulative_dose(ds).dtype == (np.float32 if single else np.float64)


@pytest.mark.filterwarnings(WARNS)
@pytest.mark.parametrize(
    "name", [name for name in ASKED if "variable" in signature(getattr(sims, name)).parameters]
)
def test_of_several_variables_that_which_is_named_is_asked(name):
    own = two_species(AXIS)
    other = own.rename({one: one.replace("concentration", "before") for one in own})
    both = other.merge({one: 1.5 * own[one] for one in own})
    found, alone = (
        getattr(sims, name)(ds, variable="before", **QUESTIONS[name]) for ds in (both, other)
    )
    xr.testing.assert_equal(found, alone)
