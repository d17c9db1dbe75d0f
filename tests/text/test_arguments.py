"""What a newcomer guesses works, or is answered with the right call."""

import numpy as np
import pandas as pd
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.text.arguments import check_call

DS = sims.open_example("boron-implant")


def options(data, *, level, **others):
    return data, level, others


@pytest.mark.parametrize(
    ("guess", "answer"),
    [
        (lambda: sims.junction_depth(DS, "1e18 atoms/cm^3"), r"junction_depth\(data, level=\.\.\."),
        (
            lambda: sims.integrated_dose(DS, "5 nm", "9 nm"),
            "data by position and all else by",
        ),
        (lambda: sims.compare(DS, DS, "1e18 cm^-3"), r"compare\(a, b"),
        (lambda: sims.integrated_dose(DS, species="B"), r'there is data\.sel\(species="B"\)'),
        (lambda: sims.integrated_dose(DS, strat="5 nm"), r"did you mean start=\?"),
        (lambda: sims.subtract_background(DS, background="1e15 cm^-3"), r"there is window=\("),
        (lambda: sims.correct_dead_time(DS, "35 ns"), r"correct_dead_time\(data, dead_time=\.\.\."),
        (lambda: sims.integrated_dose(sims.SIMSResult.from_json(b"[]")), r"use its \.to_dataset"),
        (lambda: sims.integrated_dose([sims.SIMSResult.from_json(b"[]")]), r"\.to_dataset\(\) of"),
        (lambda: sims.integrated_dose(sims.to_profiles(DS)), r"sims\.to_dataset\(profiles\)"),
        (lambda: sims.peak(DS.to_dataframe()), r"sims\.from_dataframe"),
        (lambda: sims.peak("w7.dp_rpc_asc"), r"sims\.read\(path\)"),
        (lambda: sims.results_table(DS, level="1e18 cm^-3"), r"sims\.junction_depth\(data, level"),
    ],
)
def test_a_wrong_guess_is_answered_with_the_right_call(guess, answer):
    with pytest.raises(TypeError, match=answer):
        guess()


def test_a_name_of_the_peak_in_other_letters():
    with pytest.raises(ProfileError, match="after='Peak'; expected \"peak\", or a depth"):
        sims.junction_depth(DS, level="1e18 atoms/cm^3", after="Peak")


def test_guesses_that_work():
    level = {"B": "1e18 atoms/cm^3"}
    found = sims.junction_depth(DS, level=level)
    assert found["status"].values.tolist() == ["ok", "no_data"]
    np.testing.assert_array_equal(
        sims.depth_at_dose_fraction(DS, fraction=np.array([0.5, 0.9])),
        sims.depth_at_dose_fraction(DS, fraction=[0.5, 0.9]),
    )
    assert sims.provenance(sims.depth_at_dose_fraction(DS, fraction=np.array([0.5])))


def test_a_function_that_takes_any_option_is_left_alone():
    check_call(options, 1, ["level", "whatever"])


NAMES_OF = {
    "subtract_background": lambda names: sims.subtract_background(
        DS, value="1e14 atoms/cm^3", species=names
    )["subtracted_background"],
    "to_element": lambda names: sims.to_element(
        DS.assign_coords(species=["B", "31P"]), abundance={"31P": "natural"}, species=names
    )["species"],
    "samples": lambda names: sims.samples(DS, names)["concentration"],
    "layers": lambda names: sims.layers(DS, species=names, level="1e18 atoms/cm^3")["top"],
    "metallurgical_junctions": lambda names: sims.metallurgical_junctions(
        DS, donors=["P"], acceptors=names
    )["depth"],
}


@pytest.mark.parametrize("question", NAMES_OF)
def test_species_are_named_by_lists_arrays_and_coordinates(question):
    name = "31P" if question == "to_element" else "B"
    ask = NAMES_OF[question]
    want = ask([name])
    of_data = xr.DataArray([name], {"species": [name]}, ["species"])
    for names in (np.array([name]), (name,), {name}, of_data):
        np.testing.assert_array_equal(ask(names), want)
    for wrong in (0, True, [name, None], [1.0], xr.DataArray(1.0), np.array([], dtype=str)):
        if question == "metallurgical_junctions" and np.size(wrong) == 0:
            continue  # no acceptors
        with pytest.raises(ProfileError, match=r"=.*expected a list of species"):
            ask(wrong)


@pytest.mark.parametrize(
    ("guess", "answer"),
    [
        ("dose", "integrated_dose and scale_to_dose$"),
        ("fwhm", "; there is peak$"),
        ("plot", "plot_budget, plot_panels and plot_profiles$"),
        ("integrated_does", "; there is integrated_dose$"),
        ("entropy", "has no attribute 'entropy'$"),
    ],
)
def test_a_name_that_is_not_there_is_answered_with_those_that_are(guess, answer):
    with pytest.raises(AttributeError, match=answer):
        getattr(sims, guess)


FRAME = pd.DataFrame({"depth": [1.0, 2.0], "B": [1e18, 2e18], "P": [1e17, 1e17]})


@pytest.mark.parametrize(
    ("guess", "answer"),
    [
        (lambda: sims.to_grid(DS, dx="1 nm"), r"to_grid\(\) has no argument 'dx' \(it has step,"),
        (lambda: sims.to_csv(DS, "a.csv", units="um"), "did you mean value_units="),
        (lambda: sims.to_csv(DS, "a.csv", value_units=["1/m^3"]), r"value_units=\['1/m\^3'\]; exp"),
        (lambda: sims.stack(DS, DS), r"stack\(datasets, names=\.\.\.\)"),
        (lambda: sims.stack([DS], labels=["a"]), "has no argument 'labels'"),
        (lambda: sims.average([DS, DS]), r"found list of Datasets: use sims.stack\(datasets\)"),
        (lambda: sims.integrated_dose([DS, DS]), r"list of Datasets: use sims.stack\(datasets\)"),
        (lambda: sims.interpolate(DS, depth=np.arange(3)), r"give texts, \['10 nm', '20 nm'\]"),
        (
            lambda: sims.from_dataframe(FRAME, depth_units="nm", units=["atoms/cm^3"] * 2),
            r"a unit is a text, found \['atoms/cm\^3', .*a mapping",
        ),
    ],
)
def test_other_guesses_are_answered_with_the_right_call(guess, answer):
    with pytest.raises((TypeError, UnitsError), match=answer):
        guess()


def test_a_mapping_is_stacked_under_its_names():
    assert sims.stack({"w1": DS, "w2": DS})["measurement"].values.tolist() == ["w1", "w2"]
