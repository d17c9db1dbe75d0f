"""What was done to data and asked of them, as a machine reads it."""

import json

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.dataset.provenance import question_attrs, with_step

DS = sims.open_example("boron-implant")


def test_a_step_with_its_parameters():
    plain = DS.assign_attrs(history="read", sha256="ab12")
    found = with_step(plain, "scale", "values scaled", factor=2.0, window=("1 nm", "2 nm"), no=None)
    found = with_step(found, "shift", "depths shifted", by=sims.quantify(DS)["concentration"][0, 0])
    steps = json.loads(found.attrs["steps"])
    assert steps[0] == {
        "function": "scale",
        "parameters": {"factor": 2.0, "window": ["1 nm", "2 nm"]},
    }
    value = DS["concentration"][0, 0].item()
    assert steps[1]["parameters"]["by"]["values"] == value
    assert steps[1]["parameters"]["by"]["units"] == "atom/cm^3"
    lines = found.attrs["history"].splitlines()
    assert [line.split(",")[0] for line in lines] == ["read", "values scaled", "depths shifted"]
    record = sims.provenance(found)
    assert record["steps"] == steps
    assert record["sha256"] == "ab12"
    assert "steps" not in plain.attrs


def test_arrays_are_recorded_by_their_values_or_their_shape():
    few = xr.DataArray([1.0, np.nan], {"measurement": ["a", "b"]}, attrs={"units": "nm/s"})
    many = xr.DataArray(np.zeros(101), dims="depth")
    found = with_step(DS, "f", "f", few=few, many=many, data=DS)
    stated = json.loads(found.attrs["steps"])[-1]["parameters"]
    assert stated["few"] == {"shape": {"measurement": 2}, "units": "nm/s", "values": [1.0, None]}
    assert stated["many"] == {"shape": {"depth": 101}}
    assert stated["data"]["data_id"] == "boron-implant"
    assert len(stated["data"]["sha256"]) == 64


def test_steps_of_the_measurements_of_a_batch_are_kept():
    parts = [
        sims.rescale_depth(DS, factor=1.1),
        sims.with_counting_statistics(DS, value_per_count={"B": "1e14 atoms/cm^3"}),
    ]
    batch = sims.rescale_depth(sims.stack(parts), offset="1 nm")
    functions = [step["function"] for step in sims.provenance(batch)["steps"]]
    assert functions == ["rescale_depth", "with_counting_statistics", "rescale_depth"]


def test_steps_survive_a_file(tmp_path):
    ds = sims.rescale_depth(DS, factor=1.1)
    sims.save(ds, tmp_path / "w.nc")
    assert sims.provenance(tmp_path / "w.nc")["steps"] == sims.provenance(ds)["steps"]
    again = sims.rescale_depth(sims.load(tmp_path / "w.nc"), offset="1 nm")
    assert len(sims.provenance(again)["steps"]) == 2


# --- the question that an answer answers -------------------------------------------------------


def with_question(answer, data, function, **parameters):
    return answer.assign_attrs(question_attrs(data, function, **parameters))


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
    asked = {"stop": "200 nm", "start": None, "level": level}
    answer = with_question(answer.drop_attrs(), data, "integrated_dose", **asked)
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
    assert all(isinstance(answer.attrs[key], str) for key in (*ORIGIN, "steps", "question"))


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
