"""Arguments: how messages show them, and the checks that functions share."""

from typing import TypedDict, Unpack

import numpy as np
import pint
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import ProfileError
from sims_analysis.text.arguments import (
    check_call,
    check_choice,
    check_count,
    format_argument,
    read_name,
)

DS = sims.open_example("boron-implant")


def test_guesses_that_work():
    level = {"B": "1e18 atoms/cm^3"}
    found = sims.junction_depth(DS, level=level)
    assert found["status"].values.tolist() == ["ok", "no_data"]
    np.testing.assert_array_equal(
        sims.depth_at_dose_fraction(DS, fraction=np.array([0.5, 0.9])),
        sims.depth_at_dose_fraction(DS, fraction=[0.5, 0.9]),
    )
    assert sims.provenance(sims.depth_at_dose_fraction(DS, fraction=np.array([0.5])))


def in_window(data, *, start=None, stop=None):
    return data, start, stop


def test_a_guess_is_answered_with_options_of_the_function_alone(approved):
    with raises(TypeError, text=approved):
        check_call(in_window, 1, ["limits"])
    with raises(TypeError, text=approved):
        check_call(in_window, 1, ["threshold"])


class Others(TypedDict):
    start: str
    stop: str


def handed_on(data, *, level, **others: "Unpack[Others]"):
    return data, level, others


def test_options_of_another_function_are_known_by_name(approved):
    check_call(handed_on, 1, ["level", "stop"])
    with raises(TypeError, text=approved):
        check_call(handed_on, 1, ["level", "strat"])


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
        with pytest.raises(ProfileError) as refused:
            ask(wrong)
        assert refused.value.argument in ("species", "acceptors")


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
    with raises(ProfileError, argument="order"):
        check_count("order", wrong)


@pytest.mark.parametrize(
    ("allowed", "listed"), [(["a"], "'a'"), (["a", "b"], "'a' or 'b'"), ("abc", "'a', 'b' or 'c'")]
)
def test_choices_list_what_is_allowed(allowed, listed, approved):
    check_choice("rule", allowed[0], allowed)
    for wrong in ("d", 1, None, ["a"]):
        with raises(ProfileError, argument="rule", text=approved):
            check_choice("rule", wrong, allowed)


def test_one_species_is_one():
    assert read_name("species", ["B"]) == read_name("species", "B") == "B"
    with raises(ProfileError, argument="species"):
        read_name("species", ["P", "B"])
