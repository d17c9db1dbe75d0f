"""Known depths and doses imposed on a profile."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError

DS = sims.open_example("boron-implant")


def test_depths_are_stretched_and_shifted():
    found = sims.rescale_depth(DS, factor=1.05, offset="-2 nm")
    np.testing.assert_allclose(found["depth"], 1.05 * DS["depth"].values - 2.0, rtol=1e-15)
    np.testing.assert_array_equal(found["concentration"], DS["concentration"])
    assert "depths times 1.05 plus -2 nm" in found.attrs["history"]
    dose, before = (sims.integrated_dose(ds).sel(species="B").item() for ds in (found, DS))
    assert dose == pytest.approx(1.05 * before, rel=1e-12)
    shifted = sims.rescale_depth(DS, offset="0.01 um")
    np.testing.assert_array_equal(shifted["depth"], DS["depth"].values + 10.0)
    quantified = sims.rescale_depth(sims.quantify(DS), factor=1.05, offset="-2 nm")
    xr.testing.assert_identical(sims.dequantify(quantified), found)


def test_a_crater_measured_again():
    timed = sims.open_example("sputter-time")
    first = sims.calibrate_depth(timed, crater_depth="210 nm", total_time="500 s")
    assert first["crater_depth"].item() == 210.0
    again = sims.rescale_depth(first, crater_depth="231 nm", depth_uncertainty="5 nm")
    np.testing.assert_allclose(again["depth"], 1.1 * first["depth"].values, rtol=1e-14)
    assert again["crater_depth"].item() == 231.0
    assert again["depth_scale_uncertainty"].item() == pytest.approx(5 / 231)
    assert again["depth"].attrs["calibration"].endswith("; then depths times 1.1 plus 0 nm")
    # Without a crater on record, the last sample was its floor.
    found = sims.rescale_depth(DS, crater_depth="1 um")
    assert found["depth"][-1].item() == pytest.approx(1000.0, rel=1e-15)


def test_each_wafer_has_its_own_scale():
    batch = sims.stack([DS, DS])
    factor = xr.DataArray([1.0, 1.1], dims="measurement")
    found = sims.rescale_depth(batch, factor=factor)
    assert found["concentration"].dims == ("measurement", "species", "point")
    doses = sims.integrated_dose(found).sel(species="B")
    assert (doses[1] / doses[0]).item() == pytest.approx(1.1, rel=1e-12)
    again = sims.rescale_depth(found, offset="3 nm")
    np.testing.assert_allclose(again["depth"], found["depth"] + 3.0)
    names = {"species": DS["species"].values}
    with raises(ProfileError, argument="factor"):
        sims.rescale_depth(DS, factor=xr.DataArray([1.0, 1.1], names, "species"))


# --- doses --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "options", [{}, {"start": "15 nm", "stop": "300.7 nm"}, {"rule": "loglinear"}]
)
def test_a_dose_is_what_was_asked_for(options):
    ds = sims.with_counting_statistics(DS, value_per_count={"B": "1e14 atoms/cm^3"})
    found = sims.scale_to_dose(ds, dose={"B": "7e14 atoms/cm^2"}, **options)
    dose = sims.integrated_dose(found, **options)
    assert dose.sel(species="B").item() == pytest.approx(7e14, rel=1e-12)
    np.testing.assert_array_equal(
        found["concentration"].sel(species="P"), ds["concentration"].sel(species="P")
    )
    scale = found["dose_scale"].sel(species="B").item()
    one, before = (d.sel(species="B") for d in (found, ds))
    np.testing.assert_allclose(one["concentration_stderr"], scale * before["concentration_stderr"])
    np.testing.assert_array_equal(one["concentration_counts"], before["concentration_counts"])
    assert found["dose_scale"].sel(species="P").item() == 1.0


def test_doses_of_a_batch_and_of_one_species():
    batch = sims.stack([DS, DS]).sel(species=["B"])
    dose = xr.DataArray([1e14, 3e14], dims="measurement", attrs={"units": "atoms/cm^2"})
    found = sims.integrated_dose(sims.scale_to_dose(batch, dose=dose))
    np.testing.assert_allclose(found.values[:, 0], [1e14, 3e14], rtol=1e-12)
    one = sims.scale_to_dose(DS.sel(species="B"), dose="1e15 atoms/cm^2")
    assert sims.integrated_dose(one).item() == pytest.approx(1e15, rel=1e-12)
    quantified = sims.scale_to_dose(sims.quantify(DS), dose={"B": "1e15 atoms/cm^2"})
    expected = sims.scale_to_dose(DS, dose={"B": "1e15 atoms/cm^2"})
    xr.testing.assert_identical(sims.dequantify(quantified), expected)


def test_nothing_is_not_scaled_to_a_dose():
    zeros = DS.assign(concentration=DS["concentration"] * 0.0)
    zeros["concentration"].attrs = DS["concentration"].attrs
    with raises(ProfileError, "no_dose", species="P"):
        sims.scale_to_dose(zeros, dose={"P": "1e15 atoms/cm^2"})


def quantified(rsf_uncertainty=0.1, depth_uncertainty=0.05):
    """A profile with errors of a factor and of a depth scale."""
    ds = DS.assign_coords(
        sensitivity_factor=("species", [5e21, np.nan], {"units": "atom/cm^3"}),
        sensitivity_factor_uncertainty=("species", [rsf_uncertainty, 0.2], {"units": "1"}),
        depth_scale_uncertainty=((), depth_uncertainty, {"units": "1"}),
    )
    return ds.sel(species=["B", "P"])


def test_the_error_of_a_known_dose_takes_the_place_of_those_of_factor_and_depth():
    found = sims.scale_to_dose(
        quantified(), dose={"B": "7e14 atoms/cm^2"}, dose_uncertainty="3 %", stop="400 nm"
    )
    budget = sims.dose_budget(found, stop="400 nm")
    b, p = (budget.sel(species=one) for one in ("B", "P"))
    assert b["systematic_stderr"].item() == pytest.approx(0.03 * 7e14, rel=1e-12)
    assert b["rsf_stderr"].item() == pytest.approx(0.03 * 7e14, rel=1e-12)
    assert b["depth_stderr"].item() == 0.0
    # Phosphorus was not scaled.
    assert p["rsf_stderr"].item() == pytest.approx(0.2 * p["dose"].item(), rel=1e-12)
    assert p["depth_stderr"].item() == pytest.approx(0.05 * p["dose"].item(), rel=1e-12)
    # That of depths remains: a junction is as uncertain as before.
    assert found["depth_scale_uncertainty"].item() == 0.05
    # And the question's own word is the last.
    stated = sims.dose_budget(found, stop="400 nm", rsf_uncertainty=0.5, depth_uncertainty=0.1)
    assert stated["rsf_stderr"].sel(species="B").item() == pytest.approx(3.5e14)
    assert stated["depth_stderr"].sel(species="B").item() == pytest.approx(7e13)


def test_two_histories_of_one_profile_state_one_error():
    by_factor = sims.scale_to_dose(
        quantified(), dose={"B": "5e14 atoms/cm^2"}, dose_uncertainty=0.1, stop="400 nm"
    )
    by_hand = sims.scale_to_dose(
        DS, dose={"B": "5e14 atoms/cm^2"}, dose_uncertainty="5e13 atoms/cm^2", stop="400 nm"
    )
    parts = [
        sims.dose_budget(ds, stop="400 nm")["systematic_stderr"].sel(species="B").item()
        for ds in (by_factor, by_hand)
    ]
    np.testing.assert_allclose(parts, 5e13, rtol=1e-12)


def test_a_dose_without_a_stated_error_has_an_unknown_one():
    found = sims.scale_to_dose(quantified(), dose={"B": "7e14 atoms/cm^2"})
    budget = sims.dose_budget(found)
    for name in ("rsf_stderr", "systematic_stderr"):
        assert np.isnan(budget[name].sel(species="B").item())
        assert budget[name].sel(species="P").item() > 0
    # Even where the scale is exactly one.
    again = sims.scale_to_dose(
        found.assign_coords(dose_scale=("species", [1.0, 1.0])), dose={"B": "7e14 atoms/cm^2"}
    )
    assert np.isnan(sims.dose_budget(again)["rsf_stderr"].sel(species="B").item())


def test_errors_of_doses_by_species_and_by_measurement():
    batch = sims.stack([quantified(), quantified()])
    of_b = xr.DataArray([0.02, 0.04], dims="measurement")
    found = sims.scale_to_dose(
        batch,
        dose={"B": "5e14 atoms/cm^2", "P": "1e15 atoms/cm^2"},
        dose_uncertainty={"B": of_b, "P": "2e13 atoms/cm^2"},
    )
    np.testing.assert_allclose(
        found["dose_scale_uncertainty"], [[0.02, 0.02], [0.04, 0.02]], rtol=1e-12
    )
    for bad in (1.5, "6e14 atoms/cm^2", -0.1, "3 nm"):
        with raises(UnitsError if bad == "3 nm" else ProfileError, argument="dose_uncertainty"):
            sims.scale_to_dose(DS, dose={"B": "5e14 atoms/cm^2"}, dose_uncertainty=bad)


def test_a_stretched_depth_adds_its_error_to_that_of_a_known_dose():
    found = sims.scale_to_dose(quantified(), dose={"B": "7e14 atoms/cm^2"}, dose_uncertainty=0.03)
    found = sims.rescale_depth(found, factor=1.1, depth_uncertainty=0.04)
    budget = sims.dose_budget(found).sel(species="B")
    assert budget["dose"].item() == pytest.approx(7.7e14)
    assert budget["systematic_stderr"].item() == pytest.approx(0.05 * 7.7e14)


def test_a_stretch_of_which_no_error_is_known_leaves_none_known():
    known = sims.scale_to_dose(
        quantified().drop_vars("depth_scale_uncertainty"),
        dose={"B": "7e14 atoms/cm^2"},
        dose_uncertainty=0.03,
    )
    for stretch in ({"factor": 1.1}, {"crater_depth": "1 um"}):
        budget = sims.dose_budget(sims.rescale_depth(known, **stretch))
        assert np.isnan(budget["rsf_stderr"].sel(species="B").item())
    # Depths that are only shifted change no dose, whatever set their scale.
    shifted = sims.rescale_depth(known.assign_coords(crater_depth=500.0), offset="2 nm")
    np.testing.assert_allclose(shifted["dose_scale_uncertainty"], [0.03, 0.0])
    # A new crater depth is a new scale: the error of the old one is not its.
    anew = sims.rescale_depth(quantified(), crater_depth="1 um")
    assert np.isnan(sims.dose_budget(anew)["depth_stderr"]).all()


@pytest.mark.parametrize("factor", [0, 0.0, -1.0, np.inf, -np.inf, np.nan, True, "1.02", [1.0]])
def test_a_factor_is_a_positive_number(factor):
    ds = sims.open_example("boron-implant")
    with raises(ProfileError, argument="factor"):
        sims.rescale_depth(ds, factor=factor)


@pytest.mark.parametrize("name", ["factor", "crater_depth", "offset"])
def test_an_unknown_change_of_one_measurement_gives_unknown_depths_and_warns(name):
    one = sims.open_example("boron-implant")
    batch = sims.stack([one, one], names=["w1", "w2"])
    units = "1" if name == "factor" else "nm"
    change = xr.DataArray([1.5, np.nan], {"measurement": ["w1", "w2"]}, attrs={"units": units})
    with warns(sims.ProfileWarning, argument=name, measurement="w2"):
        found = sims.rescale_depth(batch, **{name: change})
    assert found["depth"].isnull().any("point").values.tolist() == [False, True]
    with raises(ProfileError, argument=name):
        sims.rescale_depth(batch, **{name: change * np.nan})


def cells(unit="nm"):
    """Give the implant as averages over cells, with their edges in a unit."""
    edges = np.linspace(0.0, 500.0, DS.sizes["depth"] + 1) / {"nm": 1.0, "um": 1000.0}[unit]
    edges_of_cells = {
        name: ("depth", side, {"units": unit})
        for name, side in zip(("cell_start", "cell_stop"), (edges[:-1], edges[1:]), strict=True)
    }
    middles = DS.assign_coords(depth=("depth", np.linspace(1.0, 499.0, 250), {"units": "nm"}))
    return middles.assign_coords(edges_of_cells)


@pytest.mark.parametrize("unit", ["nm", "um"])
def test_cells_and_widths_of_averages_move_with_the_depths(unit):
    width = ("depth", np.full(250, 4.0), {"units": "nm"})
    data = cells(unit).assign_coords(achieved_resolution=width)
    found = sims.rescale_depth(data, factor=1.5, offset="3 nm")
    edges = 1.5 * np.linspace(0.0, 500.0, 251) + 3.0
    np.testing.assert_allclose(found["cell_start"], edges[:-1], rtol=1e-14)
    np.testing.assert_allclose(found["cell_stop"], edges[1:], rtol=1e-14)
    assert found["cell_start"].attrs["units"] == found["cell_stop"].attrs["units"] == "nm"
    np.testing.assert_allclose(found["achieved_resolution"], 6.0, rtol=1e-14)
    assert found["achieved_resolution"].attrs["units"] == "nm"


def test_bounds_move_with_the_depths():
    edges = np.linspace(0.0, 500.0, 251)
    data = cells().drop_vars(["cell_start", "cell_stop"])
    bounds = (("depth", "bounds"), np.stack([edges[:-1], edges[1:]], axis=1))
    data = data.assign_coords(depth_bounds=bounds)
    found = sims.rescale_depth(data, factor=2.0, offset="-1 nm")
    np.testing.assert_array_equal(found["depth_bounds"], 2.0 * data["depth_bounds"].values - 1.0)
    assert found["depth"].attrs["bounds"] == "depth_bounds"
    assert found["depth_bounds"].attrs == {}


def test_attrs_of_the_depth_stay():
    named = DS.assign_coords(depth=DS["depth"].assign_attrs(long_name="Depth below the cap"))
    found = sims.rescale_depth(named, offset="5 nm")
    assert found["depth"].attrs["long_name"] == "Depth below the cap"
    assert "calibration" not in found["depth"].attrs


def test_a_crater_on_record_is_stretched_too():
    timed = sims.open_example("sputter-time")
    first = sims.calibrate_depth(timed, crater_depth="210 nm", depth_uncertainty="21 nm")
    again = sims.rescale_depth(first, factor=1.1)
    assert again["crater_depth"].item() == pytest.approx(231.0, rel=1e-14)
    assert again["crater_depth"].attrs["units"] == "nm"
    assert again["depth_scale_uncertainty"].item() == pytest.approx(0.1)
    assert "depth_scale_uncertainty" not in sims.rescale_depth(first, crater_depth="1 um").coords


def test_coordinates_of_the_scale_to_a_known_dose():
    batch = sims.stack([DS, DS]).assign_coords(
        sensitivity_factor=("species", [2e22, 3e22], {"units": "atom/cm^3"}),
        sensitivity_factor_uncertainty=("species", [0.2, 0.3], {"units": "1"}),
    )
    dose = {"B": "1e14 atoms/cm^2"}
    once = sims.scale_to_dose(batch, dose=dose, dose_uncertainty={"B": "2 %"})
    scale = 1e14 / sims.integrated_dose(batch).sel(species="B").values
    np.testing.assert_allclose(once["dose_scale"].sel(species="B"), scale, rtol=1e-12)
    np.testing.assert_array_equal(once["dose_scale"].sel(species="P"), 1.0)
    np.testing.assert_allclose(once["sensitivity_factor"].sel(species="B"), 2e22 * scale)
    np.testing.assert_array_equal(once["sensitivity_factor"].sel(species="P"), 3e22)
    for name, other in (("dose_scale_uncertainty", 0.0), ("sensitivity_factor_uncertainty", 0.3)):
        np.testing.assert_allclose(once[name].sel(species="B"), 0.02)
        np.testing.assert_array_equal(once[name].sel(species="P"), other)
    again = sims.scale_to_dose(once, dose={"P": "1e13 atoms/cm^2"}, dose_uncertainty=0.05)
    np.testing.assert_allclose(again["dose_scale"].sel(species="B"), scale, rtol=1e-12)
    np.testing.assert_allclose(again["dose_scale_uncertainty"].sel(species="B"), 0.02)
    np.testing.assert_allclose(again["dose_scale_uncertainty"].sel(species="P"), 0.05)
    twice = sims.scale_to_dose(once, dose={"B": "2e14 atoms/cm^2"})
    np.testing.assert_allclose(twice["dose_scale"].sel(species="B"), 2 * scale, rtol=1e-12)
    assert np.isnan(twice["dose_scale_uncertainty"].sel(species="B")).all()


@pytest.mark.parametrize("name", ["sensitivity_factor", "absolute_sensitivity_factor"])
def test_a_factor_on_record_is_scaled_with_the_concentrations(name):
    ds = DS.assign_coords({name: ("species", [2e22, 3e22], {"units": "atom/cm^3", "note": "kept"})})
    found = sims.scale_to_dose(ds, dose={"B": "1e14 atoms/cm^2"})
    scale = found["dose_scale"].sel(species="B").item()
    np.testing.assert_allclose(found[name], [2e22 * scale, 3e22], rtol=1e-14)
    assert found[name].attrs == {"units": "atom/cm^3", "note": "kept"}


def test_range_densities_times_a_dose():
    z = np.arange(0.0, 200.0, 2.0)
    rows = np.exp(-0.5 * ((z - np.array([[80.0], [120.0]])) / 15) ** 2) * 2e5
    ds = xr.Dataset(
        {"range_density": (("species", "depth"), rows, {"units": "1/cm"})},
        {"species": ["B", "Si (Tgt. Atoms)"], "depth": ("depth", z, {"units": "nm"})},
    )
    ds["range_density"].attrs["units"] = "(atoms/cm3)/(atoms/cm2)"
    found = sims.scale_to_dose(ds, dose={"B": "2e15 atoms/cm^2"}, dose_uncertainty="3 %")
    np.testing.assert_allclose(found["concentration"].sel(species="B"), 2e15 * rows[0], rtol=1e-14)
    left = found["range_density"].sel(species="Si (Tgt. Atoms)")
    np.testing.assert_allclose(left, rows[1], rtol=1e-14)
    assert found["range_density"].sel(species="B").isnull().all()
    retained = sims.integrated_dose(ds).sel(species="B").item()
    budget = sims.dose_budget(found.sel(species="B"))
    assert budget["dose"].item() == pytest.approx(2e15 * retained, rel=1e-12)
    assert budget["systematic_stderr"].item() == pytest.approx(6e13 * retained, rel=1e-12)
    with raises(sims.errors.ProfileError, "conflicting_arguments"):
        sims.scale_to_dose(ds, dose={"B": "2e15 atoms/cm^2"}, start="10 nm")
