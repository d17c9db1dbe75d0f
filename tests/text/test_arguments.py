"""What a newcomer guesses works, or is answered with the right call."""

from typing import TypedDict, Unpack

import numpy as np
import pandas as pd
import pint
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.text.arguments import (
    _instead_of,
    check_bool,
    check_call,
    check_choice,
    check_count,
    first_few,
    format_argument,
    is_number,
    read_name,
    remedy_for,
)

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
        (lambda: sims.integrated_dose(DS, limits=("5 nm", "9 nm")), "there is start= and stop="),
        (lambda: sims.integrated_dose(DS, window=("5 nm", "9 nm")), "there is start= and stop="),
        (lambda: sims.junction_depth(DS, concentration="1e18 cm^-3"), r"there is level= \(it has"),
        (lambda: sims.junction_depth(DS, threshold="1e18 cm^-3"), r"there is level= \(it has"),
        (lambda: sims.peak(DS, units="um"), r"there is with_units\(data, \.\.\.\)"),
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


class Others(TypedDict):
    start: str
    stop: str


def handed_on(data, *, level, **others: "Unpack[Others]"):
    return data, level, others


def test_options_of_another_function_are_known_by_name():
    check_call(handed_on, 1, ["level", "stop"])
    with pytest.raises(TypeError) as refused:
        check_call(handed_on, 1, ["level", "strat"])
    assert str(refused.value) == (
        "handed_on() has no argument 'strat'; did you mean start=? (it has level, start, stop)"
    )


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


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (DS, "<Dataset>"),
        (DS["concentration"], "<DataArray concentration>"),
        ({"B": ("1 nm",), 1: [2.0, None]}, "{'B': ('1 nm',), 1: [2.0, None]}"),
        (pint.Quantity(3, "nm"), "'3 nanometer'"),
        ({"B": pint.Quantity(3, "nm")}, "{'B': '3 nanometer'}"),
        ((), "()"),
        (("a",), "('a',)"),
        (["a", 1], "['a', 1]"),
        (DS["concentration"].rename(None), "<DataArray>"),
        ("a", "'a'"),
    ],
)
def test_arguments_in_messages(value, shown):
    assert format_argument(value) == shown


@pytest.mark.parametrize("wrong", [0, 1.0, True, "1", None, np.bool_(True), np.float64(2)])
def test_counts_are_whole_numbers(wrong):
    with pytest.raises(ProfileError) as refused:
        check_count("order", wrong)
    found = format_argument(wrong)
    assert str(refused.value) == f"order={found}; expected a whole number, at least 1"


def test_counts_of_the_least_are_taken():
    check_count("order", 1)
    check_count("order", np.int64(3), 3)
    with pytest.raises(ProfileError, match="order=2; expected a whole number, at least 3"):
        check_count("order", 2, 3)


def test_truth_is_true_or_false():
    for right in (True, False, np.bool_(True)):
        check_bool("strict", right)
    for wrong in (1, "no", None):
        with pytest.raises(ProfileError, match=r"strict=.*; expected True or False"):
            check_bool("strict", wrong)


@pytest.mark.parametrize(
    ("allowed", "listed"), [(["a"], "'a'"), (["a", "b"], "'a' or 'b'"), ("abc", "'a', 'b' or 'c'")]
)
def test_choices_list_what_is_allowed(allowed, listed):
    check_choice("rule", allowed[0], allowed)
    for wrong in ("d", 1, None, ["a"]):
        with pytest.raises(ProfileError) as refused:
            check_choice("rule", wrong, allowed)
        assert str(refused.value) == f"rule={wrong!r}; expected {listed}"


def test_one_species_is_one():
    assert read_name("species", ["B"]) == read_name("species", "B") == "B"
    with pytest.raises(
        ProfileError, match=r"species=\['P', 'B'\]; expected one species, such as 'P'"
    ):
        read_name("species", ["P", "B"])


def test_only_the_first_of_many_names_are_listed():
    names = ["B", "P", "As"]
    assert first_few(names, 3) == "B, P, As"
    assert first_few(names, 2) == "B, P and 1 more"


def alone(data): ...


def several(data, other, *, start=None, stop=None, window=None, level=None): ...


@pytest.mark.parametrize(
    ("function", "positional", "named", "says"),
    [
        (alone, 2, [], "alone() takes data by position and all else by name: alone(data)"),
        (alone, 1, ["level"], "alone() has no argument 'level' (it has the data alone)"),
        (
            several,
            3,
            [],
            (
                "several() takes data and other by position and all else by name: several(data, "
                "other, start=..., stop=...)"
            ),
        ),
        (
            several,
            2,
            ["threshold", "x"],
            (
                "several() has no argument 'threshold'; there is level= (it has start, stop, "
                "window, level)"
            ),
        ),
        (
            several,
            2,
            ["windows"],
            (
                "several() has no argument 'windows'; did you mean window=? (it has start, stop, "
                "window, level)"
            ),
        ),
    ],
)
def test_calls_that_are_not_there_are_refused_in_full(function, positional, named, says):
    with pytest.raises(TypeError) as refused:
        check_call(function, positional, named)
    assert str(refused.value) == says
    check_call(several, 2, ["start", "level"])
    check_call(several, 0, ["data", "other"])


@pytest.mark.parametrize(
    ("guess", "options", "instead"),
    [
        ("background", ["window", "value"], "window=(start, stop) or value="),
        ("background", ["start"], "subtract_background(data, ...)"),
        ("species", [], 'data.sel(species="B") for one of them'),
        ("limits", ["start", "stop"], "start= and stop="),
        ("window", ["start", "stop"], "start= and stop="),
        ("start", ["after"], "after="),
        ("start", ["window"], "window="),
        ("start", [], "data.sel() for a part of the data"),
        ("stop", ["window"], "window="),
        ("stop", [], "data.sel() for a part of the data"),
        ("concentration", ["level"], "level="),
        ("threshold", ["level"], "level="),
        ("units", [], "with_units(data, ...)"),
    ],
)
def test_what_there_is_in_place_of_what_users_guess(guess, options, instead):
    assert _instead_of(guess, options) == f"; there is {instead}"
    assert _instead_of("limits", ["start"]) == _instead_of("elsewhere", options) == ""
    # An option that has the word for a part comes before one that is more alike.
    assert _instead_of("level", ["levels", "noise_level"]) == "; did you mean noise_level=?"
    assert _instead_of("units", ["depth_units", "value_units"]) in (
        "; did you mean depth_units=?",
        "; did you mean value_units=?",
    )


@pytest.mark.parametrize("kind", [1, 1.5, np.int64(1), np.float32(1), -1, float("nan")])
def test_numbers_are_numbers(kind):
    assert is_number(kind)


@pytest.mark.parametrize("kind", [True, np.True_, "1", None, 1j, [1], np.array([1.0])])
def test_what_is_no_plain_number(kind):
    assert not is_number(kind)


def test_what_becomes_a_dataset_is_told_how(tmp_path):
    result = sims.SIMSResult.from_json(b"[]")
    profiles = sims.to_profiles(DS)
    ways = [
        (result, ": use its .to_dataset()"),
        (profiles, " of profiles: use sims.to_dataset(profiles)"),
        (tuple(profiles), " of profiles: use sims.to_dataset(profiles)"),
        ([DS], " of Datasets: use sims.stack(datasets)"),
        ([result], " of results: use the .to_dataset() of each, and sims.stack() for a batch"),
        (FRAME, ": use sims.from_dataframe(frame).to_dataset()"),
        *[
            (
                path,
                ": use sims.read(path).to_dataset() for an instrument's file, or sims.load(path)",
            )
            for path in ("w7.csv", tmp_path)
        ],
    ]
    assert [remedy_for(data) for data, _ in ways] == [way for _, way in ways]


def test_of_nothing_and_of_other_things_no_remedy_is_told():
    assert remedy_for([]) == remedy_for([1]) == remedy_for(3) == ""
