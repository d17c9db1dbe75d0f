"""An answer says what it rests on: id, hash, steps with their parameters, the question."""

import json

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.dataset.provenance import with_question, with_step

ORIGIN = {"data_id": "w7", "sha256": "ab" * 32, "source": "https://host/sims/w7"}


@pytest.fixture
def data():
    ds = sims.open_example("boron-implant").assign_attrs(ORIGIN)
    return with_step(ds, "with_rsf", "made concentrations", rsf={"B": "1e22 atoms/cm^3"})


def test_an_answer_names_data_steps_and_question(data):
    level = xr.DataArray([1e17, 1e18], dims="level", attrs={"units": "atom/cm^3"})
    answer = sims.integrated_dose(data, stop="200 nm")
    assert sims.provenance(answer)["question"] == {
        "function": "integrated_dose", "parameters": {"stop": "200 nm"},
    }  # fmt: skip
    bare = answer.drop_attrs()
    answer = with_question(bare, data, "integrated_dose", stop="200 nm", start=None, level=level)
    found = sims.provenance(answer)
    assert {key: found[key] for key in ORIGIN} == ORIGIN
    assert found["steps"] == [
        {"function": "with_rsf", "parameters": {"rsf": {"B": "1e22 atoms/cm^3"}}}
    ]
    asked = found["question"]
    assert asked["function"] == "integrated_dose"
    assert asked["parameters"]["stop"] == "200 nm"
    assert "start" not in asked["parameters"]
    assert asked["parameters"]["level"]["values"] == [1e17, 1e18]
    assert asked["parameters"]["level"]["units"] == "atom/cm^3"
    assert "question" not in bare.attrs
    assert all(isinstance(answer.attrs[key], str) for key in (*ORIGIN, "steps", "question"))
    np.testing.assert_array_equal(answer, bare)


def test_each_variable_of_an_answer_carries_the_record(data):
    bare = sims.peak(data)
    answer = sims.peak(data)
    for name in answer.data_vars:
        assert sims.provenance(answer[name])["question"] == {"function": "peak", "parameters": {}}
        assert sims.provenance(answer[name])["sha256"] == ORIGIN["sha256"]
        assert answer[name].attrs["long_name"] == bare[name].attrs["long_name"]


@pytest.mark.parametrize("suffix", ["nc", "zarr"])
def test_the_record_survives_a_file(data, tmp_path, suffix):
    answer = with_question(sims.integrated_dose(data), data, "integrated_dose", stop="200 nm")
    path = sims.save(answer, tmp_path / f"dose.{suffix}")
    assert sims.provenance(path) == sims.provenance(answer)
    assert json.loads(sims.load(path).attrs["question"])["parameters"] == {"stop": "200 nm"}


def test_data_without_origin_give_none():
    plain = xr.DataArray([1.0, 2.0], dims="depth")
    found = sims.provenance(with_question(plain, plain, "peak"))
    assert not {"data_id", "sha256", "steps"} & found.keys()
    assert found["question"] == {"function": "peak", "parameters": {}}


def test_two_answers_in_one_figure_are_two_questions(data):
    from sims_analysis.dataset.provenance import attach, of_figure

    class Figure:
        pass

    figure = Figure()
    for stop in ("100 nm", "200 nm"):
        answer = with_question(sims.integrated_dose(data), data, "integrated_dose", stop=stop)
        attach(figure, [data], [answer], "plot")
    stops = [asked["parameters"]["stop"] for asked in of_figure(figure)["question"]]
    assert stops == ["100 nm", "200 nm"]
