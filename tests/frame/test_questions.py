"""What a result says of its question, and what is known of one that has lost its record."""

import drawn
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.frame.questions import answer_of, asked, function_of, level_of, window_of

DS = drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian(1e18, 60.0))


def without_record(result, *coords):
    bare = result.drop_vars([name for name in coords if name in result.coords])
    bare.attrs.pop("question", None)
    return bare


def test_the_arguments_of_a_question():
    dose = sims.integrated_dose(DS, start="0.02 um")
    assert (function_of(dose), asked(dose, "start"), asked(dose, "stop")) == (
        "integrated_dose",
        "0.02 um",
        None,
    )
    level, unit = level_of(sims.junction_depth(DS, level="1e23 1/m^3"))
    assert (level, unit.canonical) == (pytest.approx(1e17), "atom/cm^3")
    assert level_of(dose) is None


def test_an_argument_that_differs_between_profiles_is_not_known():
    level = DS["concentration"].isel(depth=0, drop=True).copy(data=[1e17, 1e16])
    crossing = sims.junction_depth(DS, level=level)
    assert np.isnan(asked(crossing, "level"))
    assert level_of(crossing) is None


def test_the_window_is_that_of_the_answer():
    dose = sims.integrated_dose(DS.sel(species="B"), start="20 nm")
    assert window_of(dose, 0.0, 98.0) == (20.0, 98.0)
    budget = sims.dose_budget(DS.sel(species="B"), surface="exclude", surface_depth="8 nm")
    assert window_of(budget, 0.0, 98.0) == (8.0, 98.0)
    assert window_of(without_record(dose, "start", "stop"), 0.0, 98.0) is None


@pytest.mark.parametrize(
    ("result", "function", "variable"),
    [
        (sims.peak(DS), "peak", "depth"),
        (sims.dose_budget(DS), "dose_budget", "dose"),
        (sims.crossings(DS, level="1e17 atoms/cm^3"), "crossings", "depth"),
        (sims.integrated_dose(DS), "integrated_dose", "dose"),
    ],
)
def test_without_a_record_a_result_is_known_by_what_it_holds(result, function, variable):
    assert function_of(without_record(result)) == function
    assert answer_of(without_record(result)).name == variable
    assert function_of(DS) == ""
