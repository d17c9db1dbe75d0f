"""What a result says of its question, and what is known of one that has lost its record."""

import json

import numpy as np
import pytest
import xarray as xr

from sims_analysis.conventions.questions import (
    answer_of,
    argument_of,
    function_of,
    level_of,
    window_of,
)


def recorded(*names, function="integrated_dose", **parameters):
    """A result with variables of some names, and a question."""
    record = json.dumps({"function": function, "parameters": parameters})
    return xr.Dataset(dict.fromkeys(names, 0.0), attrs={"question": record})


@pytest.mark.parametrize(
    ("names", "function"),
    [
        (["window_start", "depth"], "fit"),
        (["depth", "polarity"], "metallurgical_junctions"),
        (["depth", "direction"], "crossings"),
        (["dose", "random_stderr"], "dose_budget"),
        (["depth", "fwhm"], "peak"),
        (["position", "thickness"], "layers"),
        (["position"], "interface"),
        (["decay_length"], "decay_length"),
        (["junction_depth"], "junction_depth"),
        (["dose"], "integrated_dose"),
        (["refolded"], "deconvolve"),
        (["concentration"], ""),
    ],
)
def test_each_function_is_known_by_a_variable_of_its_own(names, function):
    assert function_of(xr.Dataset(dict.fromkeys(names, 0.0))) == function
    stated = xr.Dataset(dict.fromkeys(names, 0.0), attrs={"question": '{"function": "moments"}'})
    assert function_of(stated) == "moments"
    assert function_of(stated.assign_attrs(question="{no JSON")) == function


def test_the_answer_over_time_is_a_time_and_an_array_is_its_own():
    crossing = recorded("sputter_time", function="crossings")
    assert answer_of(crossing).name == "sputter_time"
    assert answer_of(recorded("depth", "sputter_time", function="crossings")).name == "depth"
    alone = xr.DataArray(1.0, name="dose")
    assert answer_of(alone) is alone
    assert function_of(alone) == "integrated_dose"


def test_an_argument_is_a_text_a_number_or_not_known():
    level = {"values": [[2.0]], "units": "nm"}
    result = recorded(
        start="5 nm", confirm=2, one=level, none={"values": [None], "units": "nm"},
        many={"values": [1.0, 2.0], "units": "nm"}, bare={"values": [1.0]}, empty={},
    )  # fmt: skip
    assert [argument_of(result, name) for name in ("start", "confirm", "one", "stop")] == [
        "5 nm", 2, "2.0 nm", None,
    ]  # fmt: skip
    assert all(np.isnan(argument_of(result, name)) for name in ("none", "many", "bare", "empty"))
    assert argument_of(xr.Dataset(), "start") is None


def test_limits_are_those_of_the_answer_then_of_the_question_then_of_the_samples():
    bare = recorded("dose")
    assert window_of(bare, 3.0, 9.0) == (3.0, 9.0)
    assert window_of(bare.assign_coords(start=4.0, stop=np.nan), 3.0, 9.0) == (4.0, 9.0)
    dose = recorded("dose", start="0.005 um", stop="8 nm")
    assert window_of(dose, 3.0, 9.0) == (5.0, 8.0)
    assert window_of(dose.assign_coords(start=6.0), 3.0, 9.0) == (6.0, 8.0)
    carried = xr.Dataset({"dose": 0.0}, {"start": 4.0, "stop": 7.0})
    assert window_of(carried, 3.0, 9.0) == (4.0, 7.0)
    assert window_of(xr.Dataset({"dose": 0.0}), 3.0, 9.0) is None
    of_each = recorded("dose", stop={"values": [5.0, 6.0], "units": "nm"})
    assert window_of(of_each, 3.0, 9.0) is None


@pytest.mark.parametrize(
    ("start", "surface", "begin"),
    [("5 nm", "exclude", 6.0), ("7 nm", "exclude", 7.0), ("5 nm", "hold", 5.0)],
)
def test_the_excluded_surface_is_not_in_the_window(start, surface, begin):
    result = recorded("dose", start=start, surface=surface, surface_depth="6 nm")
    assert window_of(result, 3.0, 9.0) == (begin, 9.0)


def test_the_level_of_a_question_is_canonical():
    value, unit = level_of(recorded("depth", function="crossings", level="2e22 1/m^3"))
    assert (value, unit.kind) == (pytest.approx(2e16), "concentration")
    assert level_of(recorded("depth", function="crossings", level="high")) is None
    assert level_of(recorded("depth", function="crossings")) is None
