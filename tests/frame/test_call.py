"""Every result records the call that made it."""

import inspect
import json

import pytest
from error_parts import raises
from questions import PER_PROFILE, QUESTIONS, SHARED, ask

import sims_analysis as sims
from sims_analysis.errors import ProfileError

#: What turns data into data, and adds a line to their history.
STEPS = ("to_grid", "with_counting_statistics")


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("name", QUESTIONS)
def test_every_question_of_the_registry_is_recorded_in_its_answer(name):
    function, options = name.split()[0], QUESTIONS[name]
    attrs = ask(name, SHARED[0]).attrs
    if function in STEPS:
        assert "sims_analysis" in attrs["history"]
    else:
        assert attrs["call"].startswith(f"{function}(data")
        assert all(f"{option}=" in attrs["call"] for option in options)


#: Questions that are asked of a window of depths.
WINDOWED = [
    name for name in dict.fromkeys(question.split()[0] for question in PER_PROFILE)
    if {"start", "stop"} <= set(inspect.signature(getattr(sims, name)).parameters)
]  # fmt: skip


def within(name, data, **limits):
    """Ask within other limits, with the other options of the registry."""
    options = next(QUESTIONS[question] for question in PER_PROFILE if question.split()[0] == name)
    return getattr(sims, name)(data, **options | limits)


@pytest.mark.parametrize("name", WINDOWED)
def test_a_window_that_ends_before_it_starts_is_refused(name):
    with raises(ProfileError, argument="start"):
        within(name, SHARED[0], start="90 nm", stop="30 nm")


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("name", WINDOWED)
@pytest.mark.parametrize("limit", ["start", "stop"])
def test_an_unknown_limit_leaves_no_result(name, limit):
    """That of a profile without a junction is NaN, and must not be taken for the own end."""
    data = SHARED[0]
    unknown = sims.junction_depth(data, level="1e25 atoms/cm^3").drop_vars("stderr")
    assert bool(unknown.isnull().all())
    found = within(name, data, **{limit: unknown})
    assert "ok" not in found["status"].values.reshape(-1).tolist()


def test_the_record_has_every_argument_in_each_variable_and_not_the_data():
    asked = sims.crossings(SHARED[0], level="1e17 atoms/cm^3", max_count=3)
    for one in (asked, asked["depth"], asked["status"]):
        assert one.attrs["call"] == "crossings(data, level='1e17 atoms/cm^3', max_count=3)"
        record = json.loads(one.attrs["question"])
        assert record["function"] == "crossings"
        assert record["parameters"] == {"level": "1e17 atoms/cm^3", "max_count": 3}
    assert "call" not in asked["count"].attrs
    named = sims.peak(data=SHARED[0], start="5 nm")
    assert named.attrs["call"].startswith("peak(data, ")
    assert json.loads(named.attrs["question"])["parameters"] == {"start": "5 nm"}
    both = sims.compare(SHARED[0], SHARED[0])
    assert both.attrs["call"] == "compare(data)"
    assert set(json.loads(both.attrs["question"])["parameters"]) == {"b"}
