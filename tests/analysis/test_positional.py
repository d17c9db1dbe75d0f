"""What a question is about may stand by position; all else is given by name."""

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
