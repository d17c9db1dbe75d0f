"""Invalid arguments are refused with a message that names them."""

import numpy as np
import pytest
import xarray as xr
from measured import measurement, one

import sims_analysis as sims
from sims_analysis.errors import JunctionError, ProfileError, SpeciesError, UnitsError

Z = [0.0, 10.0, 20.0, 30.0]
TWO = measurement(Z, {"P": [1e18, 1e18, 1e17, 1e16], "B": [1e16, 1e17, 1e18, 1e18]})
ONE = one(Z, [1e18, 2e18, 1e17, 1e16])


@pytest.mark.parametrize("fraction", ["90 %", None, True, 0, 1.5, float("nan"), [0.9]])
def test_active_fractions(fraction):
    with pytest.raises(ProfileError, match=r"donors\['P'\]=.*an active fraction is a number"):
        sims.metallurgical_junctions(TWO, donors={"P": fraction}, acceptors=["B"])


def test_species_without_names():
    with pytest.raises(SpeciesError, match="no coordinate that names them"):
        sims.metallurgical_junctions(TWO.drop_vars("species"), donors=["P"], acceptors=["B"])


def test_the_measurement_without_a_junction_is_named():
    flat = TWO.assign(concentration=TWO["concentration"].copy(data=[[1e18] * 4, [1e16] * 4]))
    batch = sims.stack([TWO, flat], names=["w1", "w2"])
    with pytest.raises(JunctionError, match="measurement 'w2': no metallurgical junction: never"):
        sims.metallurgical_junctions(batch, donors=["P"], acceptors=["B"], strict=True)
    with pytest.raises(JunctionError, match=r"^no metallurgical junction: never reached"):
        sims.metallurgical_junctions(flat, donors=["P"], acceptors=["B"], strict=True)


@pytest.mark.parametrize("edge", [["trailing"], None, 1, "falling"])
def test_edges(edge):
    with pytest.raises(ProfileError, match="edge="):
        sims.junction_depth(ONE, level="1e17 atoms/cm^3", edge=edge)


def test_a_junction_that_is_not_there_is_told_with_level_and_maximum():
    said = r"'B' has no junction at 1e\+20 atom/cm\^3: never reached; its maximum is 2e\+18 atom"
    with pytest.raises(JunctionError, match=said):
        sims.junction_depth(ONE, level="1e20 atoms/cm^3", strict=True)


def test_standard_errors_belong_to_samples():
    alone = ONE.assign(concentration_stderr=("species", [1e16], {"units": "atom/cm^3"}))
    with pytest.raises(ProfileError, match=r"concentration_stderr is over \(species\), and"):
        sims.integrated_dose(alone)


@pytest.mark.parametrize("wrong", [-1e16, np.inf, -np.inf])
def test_standard_errors_are_finite_and_not_negative(wrong):
    ds = one(Z, [1e18] * 4, stderr=[1e16, 1e16, wrong, np.nan])
    with pytest.raises(ProfileError, match=r"species 'B': concentration_stderr\[2\] is -?(1e|inf)"):
        sims.integrated_dose(ds)


def test_standard_errors_may_be_unknown():
    assert np.isnan(sims.integrated_dose(one(Z, [1e18] * 4, stderr=[np.nan] * 4))["stderr"][0])


@pytest.mark.parametrize("ask", [sims.peak, sims.decay_length])
def test_a_variable_that_is_not_there(ask):
    with pytest.raises(UnitsError, match="no variable 'boron'; the data have concentration"):
        ask(ONE, variable="boron")


@pytest.mark.parametrize(
    "values", [["1e18"] * 4, [True] * 4, [1e18 + 1j] * 4, np.array([1.0] * 4, dtype=object)]
)
def test_values_are_real_numbers(values):
    variable = (("species", "depth"), [values], {"units": "atom/cm^3"})
    ds = ONE.assign(concentration=variable)
    for data in (ds, ds["concentration"]):
        with pytest.raises(ProfileError, match="concentration: expected real numbers, found"):
            sims.integrated_dose(data)


@pytest.mark.parametrize("kind", ["datetime64[s]", "timedelta64[s]", "U4", "complex"])
def test_depths_are_real_numbers(kind):
    depth = np.arange(4).astype(kind)
    ds = ONE.assign_coords(depth=("depth", depth, {"units": "nm"}))
    with pytest.raises(ProfileError, match="depth: expected real numbers, found values of type"):
        sims.integrated_dose(ds)


def test_a_species_that_is_in_the_data_twice_is_not_looked_up():
    twice = xr.concat([TWO, TWO.isel(species=[0])], "species")
    said = "species 'P' is in the data more than once"
    with pytest.raises(ProfileError, match=said):
        sims.metallurgical_junctions(twice, donors=["P"], acceptors=["B"])
    with pytest.raises(ProfileError, match=said):
        sims.with_counting_statistics(twice, value_per_count={"P": "1e16 atoms/cm^3"})
    with pytest.raises(ProfileError, match=said):
        sims.compare(twice, TWO)
    level = sims.peak(twice)["concentration"] * 0.5
    with pytest.raises(ProfileError, match=said):
        sims.junction_depth(TWO, level=level.assign_attrs(units="atom/cm^3"))
    counted = sims.with_counting_statistics(twice, value_per_count={"B": "1e16 atoms/cm^3"})
    assert counted["concentration_counts"].sel(species="B").notnull().all()
    assert sims.integrated_dose(twice).sizes["species"] == 3


@pytest.mark.parametrize(
    ("dim", "question", "options"),
    [
        ("crossing", sims.crossings, {"level": "1e17 atoms/cm^3"}),
        ("junction", sims.metallurgical_junctions, {"donors": ["P"], "acceptors": ["B"]}),
        ("fraction", sims.depth_at_dose_fraction, {"fraction": [0.5, 0.9]}),
    ],
)
def test_a_dimension_of_the_data_is_not_one_of_the_answer_too(dim, question, options):
    batch = xr.concat([TWO, TWO], dim=dim)
    with pytest.raises(ProfileError, match=rf"dimension '{dim}'.*data\.rename\({dim}="):
        question(batch, **options)


@pytest.mark.parametrize(
    ("dim", "ask"),
    [
        ("crossing", lambda levels: sims.crossings(TWO, level=levels)),
        (
            "junction",
            lambda levels: sims.metallurgical_junctions(
                TWO, donors=["P"], acceptors=["B"], background=levels
            ),
        ),
    ],
)
def test_a_dimension_of_an_argument_is_not_one_of_the_answer_too(dim, ask):
    levels = xr.DataArray([1e17, 3e17], dims=dim, attrs={"units": "atom/cm^3"})
    with pytest.raises(
        ProfileError, match=rf"an argument has a dimension '{dim}'.*\.rename\({dim}="
    ):
        ask(levels)


def test_limits_over_sputter_time_are_not_deep():
    run = one(Z, [1e18, 2e18, 1e17, 1e16]).rename(depth="sputter_time")
    run["sputter_time"].attrs["units"] = "s"
    with pytest.raises(ProfileError, match="start must come before stop"):
        sims.peak(run, start="20 s", stop="10 s")


@pytest.mark.parametrize("which", ["a", "b"])
def test_an_alignment_knows_no_other_dimension(which):
    depth = np.arange(20.0)
    single = one(depth, 1e18 * np.exp(-0.5 * ((depth - 9) / 3) ** 2))
    lots = xr.concat([single, single], dim="lot")
    with pytest.raises(ProfileError, match=rf"^{which} has the dimension 'lot'.*isel\(lot=0\)"):
        sims.align(*((lots, single) if which == "a" else (single, lots)))
