"""The measured examples say what they are, and hold the numbers that were published."""

import json

import numpy as np
import pytest
from error_parts import warns
from shared_profiles import FOLDER

import sims_analysis as sims
from sims_analysis.examples.opening import ARCHIVE

#: Name, the file that it was published in, and what that file does not say.
MEASURED = {
    "gan-mg": (
        "nist_gan_mg_d315/raw/D315.txt",
        {"depth_units": "um", "units": {"Mg": "atoms/cm^3", "Ga->": "counts/s"}},
    ),
    "zno-li": ("uio_mina_cameca/raw/151112s.dp_rpc_asc", {}),
}


def stated(name, species):
    return json.loads(str(sims.open_example(name)["species_metadata"].sel(species=species).values))


@pytest.mark.parametrize("name", MEASURED)
def test_says_that_it_is_measured_where_from_and_under_which_licence(name):
    ds = sims.open_example(name)
    assert ds.attrs["source"].startswith("measured: the numbers of ")
    for species in ds["species"].values:
        about = stated(name, species)
        assert about["measured"] is True
        assert about["sample"].startswith("measured: ")
        assert "https://" in about["source"]
        assert about["licence"] in ("CC0 1.0", "Unlicense")
        assert "synthetic" not in json.dumps(about)
    entry = sims.Archive(ARCHIVE).catalogue(name)
    assert entry["tags"] == ["measured"]
    assert entry["sample_name"].startswith("measured: ")


@pytest.mark.parametrize("name", MEASURED)
def test_the_numbers_are_those_of_the_published_file(name):
    path, options = MEASURED[name]
    if not (FOLDER / path).is_file():
        pytest.skip(f"no ../shared/data/{path}: published files are not part of the repository")
    published, result = sims.read(FOLDER / path, **options), sims.Archive(ARCHIVE).get(name)
    assert result.species == published.species
    for own, original in zip(result.depth_profiles, published.depth_profiles, strict=True):
        assert own.depths.tolist() == original.depths.tolist()
        assert own.concentrations.tolist() == original.concentrations.tolist()
        assert own.depth_units == original.depth_units
        assert own.concentration_units == original.concentration_units


# ---- lithium in zinc oxide: the dose that the instrument printed


def lithium():
    return sims.open_example("zno-li").sel(species="7Li")


def test_the_dose_that_the_instrument_printed_is_the_trapezoid_over_the_whole_record():
    assert stated("zno-li", "7Li")["dose"] == "4.853e+13 at/cm2"
    dose = sims.integrated_dose(lithium())
    assert dose["status"] == "ok"
    assert dose.attrs["units"] == "atom/cm^2"
    assert f"{dose.item():.3e}" == "4.853e+13"
    # By nothing but numpy, from the payload: um to cm is 1e-4.
    payload = json.loads(sims.Archive(ARCHIVE).payload("zno-li"))
    (wire,) = (one for one in payload if one["species_name"] == "7Li")
    by_hand = np.trapezoid(wire["concentrations"], np.array(wire["depths"]) * 1e-4)
    assert dose.item() == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"rule": "loglinear"}, "2.862e+13"),
        ({"stop": "240 nm"}, "7.724e+12"),  # the layer that was entered at the instrument
        ({"background": ("600 nm", "1100 nm")}, "4.850e+13"),
    ],
)
@pytest.mark.filterwarnings("ignore::sims_analysis.DoseWarning")
def test_no_other_rule_gives_the_printed_dose(options, found):
    assert f"{sims.integrated_dose(lithium(), **options).item():.3e}" == found


def test_a_single_sample_carries_the_dose_and_a_warning_says_so(approved):
    with warns(sims.DoseWarning, species="7Li", text=approved):
        sims.dose_budget(lithium())


def test_lithium_was_counted_one_by_one():
    """The value of one count is the factor over counting time and yield; the file prints each."""
    about = stated("zno-li", "7Li")
    assert (about["rsf"], about["counting_time"]) == ("3.412e+13 at/cm3", "1.04 s")
    one = 3.412e13 / 1.04 / 0.952075
    ds = sims.with_counting_statistics(lithium(), value_per_count=f"{one} atoms/cm^3")
    counts = ds["concentration_counts"].dropna("depth").values
    assert np.abs(counts - np.round(counts)).max() < 0.02 + 1e-5 * counts.max()
    assert round(counts.min()) == 1
    dose = sims.integrated_dose(ds)
    z = ds["depth"].values[np.isfinite(ds["concentration"].values)] * 1e-7
    weights = np.gradient(z)
    weights[[0, -1]] /= 2
    by_hand = one * np.sqrt((weights**2 * counts).sum())
    assert dose["stderr"].item() == pytest.approx(by_hand, rel=0.01)


# ---- magnesium in gallium nitride


def magnesium():
    return sims.open_example("gan-mg").sel(species="Mg")


def test_magnesium_has_a_deep_maximum_below_a_surface_spike():
    found = sims.peak(magnesium())
    assert found["depth"].item() == pytest.approx(1867.05)
    assert found["concentration"].item() == pytest.approx(1.11121e20)


def test_the_noise_floor_falls_through_a_level_four_times_and_the_junction_says_so():
    level = "1e16 atoms/cm^3"
    found = sims.crossings(magnesium(), level=level)
    assert found["direction"].values.tolist() == ["falling", "rising"] * 4
    with warns(sims.AmbiguousJunctionWarning, species="Mg"):
        sims.junction_depth(magnesium(), level=level)
    assert sims.junction_depth(magnesium(), level="1e18 atoms/cm^3")["status"] == "ok"


def test_the_matrix_signal_has_no_dose():
    whole = sims.integrated_dose(sims.open_example("gan-mg"))
    assert whole["status"].sel(species="Ga->") == "no_data"
