"""Unusual values warn and are kept; what cannot be a concentration is refused."""

import warnings

import numpy as np
import pytest
import shared_profiles
from error_parts import raises, warns
from hypothesis import given
from hypothesis import strategies as st

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning
from sims_analysis.profiles.plausibility import (
    refuse_impossible,
    warn_of_implausible,
)

Z = np.arange(0.0, 500.0, 2.0)
IMPLANT = 1e16 + 7e19 * np.exp(-(((Z - 74.0) / 40.0) ** 2))
NOISY = np.random.default_rng(1).poisson(IMPLANT / 1e15) * 1e15


def profile(values=NOISY, depths=Z, *, units="atoms/cm^3", depth_units="nm", species="B"):
    return sims.DepthProfile(
        species_name=species, depths=depths, depth_units=depth_units,
        concentrations=values, concentration_units=units,
    )  # fmt: skip


UNUSUAL = {
    "depths of another unit": profile(depth_units="cm"),
    "swapped with concentrations": profile(Z, NOISY),
    "logarithms": profile(np.log10(IMPLANT)),
    "natural logarithms": profile(np.log(IMPLANT)),
    "in units of 1e18": profile(IMPLANT / 1e18),
    "above any solid": profile(IMPLANT * 1e5),
    "above any solid, in m": profile(IMPLANT * 1e11, units="m^-3"),
    "a percentage called a fraction": profile(IMPLANT / 1e18, units="atomic fraction"),
    "too much of it": profile(IMPLANT / 6e17, units="wt%"),
    "below any detection limit": profile(950 * IMPLANT / IMPLANT.max()),
    "a concentration called a rate": profile(units="counts/s"),
    "a concentration called counts": profile(units="counts"),
    "a time of another unit": profile(depth_units="hour"),
}


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@pytest.mark.parametrize("unusual", UNUSUAL)
def test_unusual_values_warn_and_are_kept(unusual, approved):
    with warns(ProfileWarning, "unusual_profile", text=approved):
        ds = sims.to_dataset(UNUSUAL[unusual], duplicates="mean")
    assert np.nanmax(ds[next(iter(ds.data_vars))].values) > 0


@pytest.mark.parametrize(
    "usual",
    [
        profile(), profile(IMPLANT / 7.1e19, units="atomic fraction"),
        profile(IMPLANT / 7.1e17, units="at%"), profile(NOISY * 1e4), profile(NOISY[::-1]),
        profile(NOISY / 1e10, units="counts/s"), profile(depth_units="mm", depths=Z / 1e6),
        profile([1, 2, 10, 20], [0, 1, 2, 3]), profile([14.3, 15.2], [0, 1]),
        profile(np.full(Z.size, np.nan)), profile(-NOISY), profile(depths=Z[::-1].copy()),
        profile([18.2, 19.1, 17.3], [0, 1, 2], units="counts"), profile(Z, units="furlong"),
        profile(NOISY, np.random.default_rng(0).permutation(Z)),
        profile(1050 * IMPLANT / IMPLANT.max()),
    ],
)  # fmt: skip
def test_no_false_alarm(usual):
    warn_of_implausible([usual])


@pytest.mark.parametrize(
    ("unit", "edge"),
    [
        ("atoms/cm^3", 1e24), ("atoms/nm^3", 1e3), ("at%", 100.0), ("wt%", 100.0),
        ("counts/s", 1e13), ("counts", 1e13), ("atomic fraction", 1.0),
    ],
)  # fmt: skip
def test_the_edge_of_the_usual(unit, edge):
    warn_of_implausible([profile([0.0, edge], [0.0, 1.0], units=unit)])
    with warns(ProfileWarning, "unusual_profile"):
        warn_of_implausible([profile([0.0, edge * 1.001], [0.0, 1.0], units=unit)])


def test_a_hundred_species_make_one_warning(approved):
    many = [profile(IMPLANT * 1e6, species=f"s{i}") for i in range(100)]
    with warns(ProfileWarning, text=approved) as caught:
        warn_of_implausible(many)
    assert len(caught) == 1


@shared_profiles.parametrize()
def test_no_false_alarm_on_real_profiles(name):
    result = sims.SIMSResult.from_json(shared_profiles.read(name))
    warn_of_implausible(result.depth_profiles)


@pytest.mark.parametrize(
    "name", ["boron-implant", "gan-mg", "gan-mg-stack", "sputter-time", "zno-li"]
)
def test_no_false_alarm_on_the_examples(name):
    warn_of_implausible(sims.to_profiles(sims.open_example(name)))


# --- what no concentration can be ----------------------------------------------------------------

ARITHMETIC = {
    "square": np.square, "log10": np.log10, "normalised": lambda c: c / np.nanmax(c),
    "ln": np.log, "cube": lambda c: c**3, "product": lambda c: c * c[..., ::-1],
}  # fmt: skip


@pytest.mark.parametrize("change", ARITHMETIC.values(), ids=ARITHMETIC)
@pytest.mark.parametrize("shape", [(250,), (2, 125), (400, 250)])
def test_a_lost_unit_is_noticed(change, shape):
    c = np.resize(IMPLANT, shape)
    refuse_impossible(c, "concentration", "concentration")
    c[..., 3] = np.nan
    with raises(ProfileError, "impossible_value"):
        refuse_impossible(change(c), "concentration", "concentration")


def test_logarithms_of_profiles_with_zeros_are_noticed():
    c = sims.open_example("boron-implant")["concentration"].values
    with np.errstate(divide="ignore"), raises(ProfileError, "impossible_value"):
        refuse_impossible(np.log10(c), "concentration", "concentration")


@pytest.mark.parametrize(
    "values",
    [
        NOISY, -NOISY, NOISY * 0.0, NOISY * 1e5, np.full(9, np.nan), np.array([]),
        np.array([1.0, 2.0, 3.0]), np.array([0.0, 0.5, 0.25]), np.array([0.0, 1.0, 0.0]),
        np.array([1e300, 1e-300]), np.array([np.inf, 1e18, 1e18]), IMPLANT.astype(np.float32),
        np.array([10, 20, 15]), np.sqrt(IMPLANT),
    ],
)  # fmt: skip
def test_what_may_be_a_concentration_is_let_pass(values):
    refuse_impossible(values, "concentration", "c")


@given(st.lists(st.floats(1e10, 1e24), min_size=1))
def test_no_profile_of_usual_values_is_refused(values):
    refuse_impossible(np.array(values), "concentration", "c")


def test_a_few_low_samples_in_a_large_batch_do_not_make_a_logarithm():
    batch = np.full((100, 1000), 15.5)
    batch[57, 333] = 1e17
    refuse_impossible(batch, "concentration", "c")


def test_read_and_to_dataset_warn_of_a_saturated_detector(tmp_path, approved):
    counts = np.random.default_rng(2).poisson(1e4 * np.exp(-(((Z - 74) / 40) ** 2)) + 3)
    cut = np.minimum(counts, 6000)
    with warns(ProfileWarning, "saturated", text=approved):
        ds = sims.to_dataset([profile(), profile(cut, units="counts", species="As")])
    assert ds["counts" if "counts" in ds else "intensity"].sel(species="As").max() == 6000
    # Also where samples are missing.
    part = np.where((Z == 200) | (Z == 78), np.nan, cut)
    with pytest.warns(ProfileWarning) as caught:
        sims.to_dataset([profile(), profile(part, units="counts", species="As")])
    said = f"species 'As' ({np.sum(part == 6000)} samples of 6000 counts between"
    assert any(said in str(one.message) for one in caught)
    path = tmp_path / "cut.csv"
    lines = [f"{z},{k}" for z, k in zip(Z, cut, strict=True)]
    path.write_text("\n".join(["Depth (nm),As (counts)", *lines]))
    with warns(ProfileWarning, "saturated", text=approved):
        sims.read(path)


def test_a_flat_top_without_noise_does_not_warn():
    warn_of_implausible([profile(np.minimum(IMPLANT, 3e19)), profile(np.minimum(NOISY, 1e21))])


#: Of decimal logarithms, three samples are enough; of natural ones, fifty.
LEAST = [([16.5, 17.25, 25.9], 3, ""), (np.linspace(36.25, 59.9, 50).tolist(), 50, "a factor")]


@pytest.mark.parametrize(("values", "least", "of_fewer"), LEAST, ids=["decimal", "natural"])
def test_from_how_many_samples_logarithms_are_recognised(values, least, of_fewer, approved):
    assert len(values) == least
    with raises(ProfileError, "impossible_value"):
        refuse_impossible(np.array(values), "concentration", "c")
    refuse_impossible(np.array(values[:-1]), "concentration", "c")
    refuse_impossible(np.array(values), "intensity", "c")
    with warns(ProfileWarning, text=approved):
        warn_of_implausible([profile(values, range(least))])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warn_of_implausible([profile(values[:-1], range(least - 1))])
    assert [of_fewer in str(one.message) for one in caught] == [True] * bool(of_fewer)


@pytest.mark.parametrize(
    ("impossible", "possible"),
    [
        ([1e18, 1e18, 1.001e26], [1e18, 1e18, 1e26]),
        ([0.0, 1e-9, 9.99e-7], [0.0, 1e-9, 1e-6]),
        ([0.25, 0.5, 1.0], [0.25, 0.5, 1.001]),
        ([0.25, 0.5, 0.75, 1.0], [0.0, 0.25, 0.5, 1.0]),
        ([5.0, 5.5, 25.5], [4.99, 5.5, 25.5]),
        ([5.5, 25.5, 26.0], [5.5, 25.5, 26.01]),
        ([16.0, 16.5, 17.5], [16.0, 16.0, 16.5, 17.5]),
    ],
)
def test_the_edge_of_the_impossible(impossible, possible):
    refuse_impossible(np.array(possible), "concentration", "c")
    with raises(ProfileError, "impossible_value"):
        refuse_impossible(np.array(impossible), "concentration", "c")


@pytest.mark.parametrize(
    ("depth_units", "edge"), [("nm", 1e6), ("um", 1e3), ("s", 1e6), ("min", 1e6 / 60)]
)
def test_the_edge_of_usual_depths_and_times(depth_units, edge):
    warn_of_implausible([profile([1e18, 2e18], [0.0, edge], depth_units=depth_units)])
    with warns(ProfileWarning, "unusual_profile"):
        warn_of_implausible([profile([1e18, 2e18], [0.0, 1.001 * edge], depth_units=depth_units)])
