"""What a question is about may stand by position; all else is given by name."""

import inspect

import pytest
import xarray as xr

import sims_analysis as sims

DS = sims.open_example("boron-implant").sel(species="B")
LEVEL = "1e18 atoms/cm^3"


@pytest.mark.parametrize(
    ("question", "name", "value"),
    [
        (sims.junction_depth, "level", LEVEL),
        (sims.crossings, "level", LEVEL),
        (sims.interpolate, "depth", "25 nm"),
        (sims.detection_limit, "window", ("420 nm", "490 nm")),
        (sims.below_detection, "limit", "1e15 atoms/cm^3"),
        (sims.depth_at_dose_fraction, "fraction", 0.5),
        (sims.surface_concentration, "depth", "30 nm"),
        (sims.fit, "model", "gaussian"),
        (sims.convolve, "resolution", "2 nm"),
    ],
)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_the_one_argument_that_a_question_is_about_may_stand_by_position(question, name, value):
    by_name = question(DS, **{name: value})
    by_position = question(DS, value)
    xr.testing.assert_identical(by_position, by_name)
    assert by_position.attrs["question"] == by_name.attrs["question"]
    assert f"{name}=" in by_position.attrs["call"]
    with pytest.raises(TypeError):
        question(DS, value, value)


def test_a_single_argument_that_is_needed_is_never_by_name_alone():
    for name in dir(sims):
        function = getattr(sims, name)
        if inspect.isfunction(function):
            parameters = inspect.signature(function).parameters.values()
            needed = [
                p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.default is p.empty
            ]
            assert len(needed) != 1, f"{name}: {needed}"


def test_what_a_correction_is_made_of_may_stand_by_position():
    run = sims.open_example("sputter-time")
    for correction, stated in ((sims.normalise, {"to": "Si"}),
                               (sims.correct_dead_time, {"dead_time": "20 ns"})):  # fmt: skip
        by_position, by_name = correction(run, *stated.values()), correction(run, **stated)
        xr.testing.assert_identical(by_position, by_name)
        assert sims.provenance(by_position) == sims.provenance(by_name)
