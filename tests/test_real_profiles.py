"""Measured and simulated profiles of other laboratories, with the numbers their tools printed."""

import json
import math

import numpy as np
import pytest
from error_parts import raises, warns
from measurement_layouts import number
from shared_profiles import parametrize, read

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning, UnitsError

SRIM = "srim_range_tables/range_1.api.json"
TSUPREM = "piezod_tsuprem4_profiles/tsuprem.api.json"
IONTOF = "uhasselt_psc_iontof/mapi_pos.api.json"


def dataset(name):
    return sims.SIMSResult.from_json(read(name)).to_dataset()


def metadata(ds, species):
    return json.loads(str(ds["species_metadata"].sel(species=species).values))


# --- SRIM: printed moments ----------------------------------------------------------------------


def test_srim_moments():
    ds = dataset(SRIM)
    printed = metadata(ds, ds["species"].values[0])
    # The table gives the far edge of each bin: its middle is half a bin above.
    width = float(np.diff(ds["depth"]).mean())
    centred = ds.assign_coords(depth=ds["depth"] - width / 2)
    centred["depth"].attrs = ds["depth"].attrs
    found = sims.moments(centred)
    assert number(found["projected_range"]) == pytest.approx(printed["srim_Rp_A"] / 10, rel=2e-3)
    assert number(found["straggle"]) == pytest.approx(printed["srim_straggle_A"] / 10, rel=1e-2)
    assert number(found["skewness"]) == pytest.approx(printed["srim_skewness"], abs=0.02)
    assert number(found["kurtosis"]) == pytest.approx(printed["srim_kurtosis"], abs=0.08)


def test_of_a_range_density_the_integral_is_the_stopped_fraction():
    found = sims.integrated_dose(dataset(SRIM))
    assert number(found) == pytest.approx(1, rel=5e-3)
    assert found.attrs["units"] == "1"


# --- TSUPREM-4: printed junctions and doses -----------------------------------------------------


@pytest.mark.parametrize("species", ["B", "P", "As"])
def test_tsuprem_dose_to_the_junction(species):
    printed = metadata(dataset(TSUPREM), species)
    ds = dataset(TSUPREM).sel(species=species)
    stop = printed["published_Xj"] * 1e9
    found = sims.integrated_dose(ds, start="0 nm", stop=f"{stop} nm")
    assert number(found) * 1e4 == pytest.approx(printed["published_Nz_total"], rel=1e-7)


@pytest.mark.parametrize("species", ["B", "P", "As"])
def test_tsuprem_junction(species):
    printed = metadata(dataset(TSUPREM), species)
    ds = dataset(TSUPREM).sel(species=species)
    level = f"{printed['background_cm3']} atoms/cm^3"
    found = sims.junction_depth(ds, level=level, which=1)
    xj = printed["published_Xj"] * 1e9
    assert xj - 10 < number(found) <= xj


# --- counts -------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")  # its last row is inf
def test_a_dose_of_iontof_counts_is_refused():
    ds = dataset(IONTOF)
    with raises(UnitsError, "missing_variable"):
        sims.integrated_dose(ds)
    with raises(UnitsError, argument="level"):
        sims.junction_depth(ds, level="1e18 atoms/cm^3")


@parametrize("uio_mina_cameca", "ikz_rtg_algao")
def test_a_dose_of_count_rates_is_refused(name):
    with raises(UnitsError, "missing_variable"):
        sims.integrated_dose(dataset(name))


@pytest.mark.few(3)
@parametrize("uio_mina_cameca/1")
@pytest.mark.filterwarnings("ignore:.*surface transient:sims_analysis.errors.ProfileWarning")
def test_interleaved_species_are_measured_on_their_own_axes(name):
    ds = dataset(name)
    found = sims.peak(ds)
    for species in ds["species"].values:
        own = ds["intensity"].sel(species=species).dropna("depth")
        assert found["depth"].sel(species=species) == own["depth"][int(own.values.argmax())]
        middle = float(own["depth"][own.size // 2])
        at = sims.interpolate(ds["intensity"], depth=f"{middle} nm").sel(species=species)
        assert math.isclose(at.item(), own[own.size // 2].item(), rel_tol=1e-12)


def test_of_a_surface_transient_in_front_of_an_implant_both_maxima_are_named(approved):
    with warns(ProfileWarning, "surface_transient", species="7Li", text=approved):
        sims.peak(dataset("uio_mina_cameca/160112d.api.json"))


def test_over_a_sputter_time_axis_there_are_times_and_no_depths():
    ds = dataset("uio_mina_cameca/time_x_axis.api.json")
    with warns(ProfileWarning, "surface_transient", species="23Na"):
        found = sims.peak(ds)
    assert found["sputter_time"].attrs["units"] == "s"
    species = ds["species"].values[1]
    own = ds["intensity"].sel(species=species).dropna("sputter_time")
    highest = own["sputter_time"][int(own.values.argmax())]
    assert found["sputter_time"].sel(species=species) == highest
    with raises(UnitsError, argument="level"):
        sims.junction_depth(ds, level="100 counts/s")
