"""What was done to data and asked of them, as a machine reads it."""

import io
import json

import numpy as np
import pint
import pytest
import xarray as xr
from error_parts import raises
from PIL import Image, TiffImagePlugin
from PIL.PngImagePlugin import PngInfo

import sims_analysis as sims
from sims_analysis.conventions.provenance import (
    of_data,
    question_attrs,
    to_text,
    with_history,
    with_step,
)
from sims_analysis.errors import ProfileError

DS = sims.open_example("boron-implant")


def test_a_step_with_its_parameters():
    plain = DS.assign_attrs(history="read", sha256="ab12")
    found = with_step(plain, "scale", factor=2.0, window=("1 nm", "2 nm"), no=None)
    found = with_history(with_history(found, "values scaled"), "depths shifted")
    found = with_step(found, "shift", by=sims.quantify(DS)["concentration"][0, 0])
    steps = json.loads(found.attrs["steps"])
    assert steps[0] == {
        "function": "scale",
        "parameters": {"factor": 2.0, "window": ["1 nm", "2 nm"]},
    }
    value = DS["concentration"][0, 0].item()
    assert steps[1]["parameters"]["by"]["values"] == value
    assert steps[1]["parameters"]["by"]["units"] == "atom/cm^3"
    lines = found.attrs["history"].splitlines()
    by = f", by sims_analysis {sims.__version__}"
    assert lines == ["read", f"values scaled{by}", f"depths shifted{by}"]
    record = sims.provenance(found)
    assert record["steps"] == steps
    assert record["sha256"] == "ab12"
    assert "steps" not in plain.attrs


def test_arrays_are_recorded_by_their_values_or_their_shape():
    few = xr.DataArray([1.0, np.nan], {"measurement": ["a", "b"]}, attrs={"units": "nm/s"})
    many = xr.DataArray(np.zeros(101), dims="depth")
    hundred = with_step(DS, "shift", by=many[:100], at=np.array([1.0, 2.0]))
    recorded = json.loads(hundred.attrs["steps"])[0]["parameters"]
    assert recorded["by"] == {"shape": {"depth": 100}, "values": [0.0] * 100}
    assert recorded["at"] == [1.0, 2.0]
    found = with_step(DS, "f", few=few, many=many, data=DS)
    stated = json.loads(found.attrs["steps"])[-1]["parameters"]
    assert stated["few"] == {"shape": {"measurement": 2}, "units": "nm/s", "values": [1.0, None]}
    assert stated["many"] == {"shape": {"depth": 101}}
    assert stated["data"]["data_id"] == "boron-implant"
    again = with_step(DS, "f", data=found.assign_attrs(file_sha256="cd"))
    origin = json.loads(again.attrs["steps"])[-1]["parameters"]["data"]
    assert [step["function"] for step in origin["steps"]] == ["f"]
    assert origin["file_sha256"] == "cd"
    assert len(stated["data"]["sha256"]) == 64


@pytest.mark.parametrize(
    ("value", "recorded"),
    [
        (np.int64(3), 3), (np.float32(0.5), 0.5), (np.bool_(False), False), (True, True),
        (float("inf"), None), (np.float64("nan"), None), ("5 nm", "5 nm"), (b"x", "b'x'"),
        (DS["concentration"][0, 0].assign_attrs(units="nm").drop_vars(["species", "depth"]), {
            "shape": {}, "units": "nm", "values": DS["concentration"].values[0, 0]}),
        ({"B": np.int8(1), 2: [None, (np.nan,)]}, {"B": 1, "2": [None, [None]]}),
        (np.array([[1, 2], [3, 4]]), [[1, 2], [3, 4]]),
        (pint.Quantity(2.5, "nm"), "2.5 nanometer"),
    ],
)  # fmt: skip
def test_arguments_are_recorded_as_values_of_json(value, recorded):
    stated = json.loads(question_attrs(DS, "f", of=value)["question"])
    assert stated == {"function": "f", "parameters": {"of": recorded}}


def test_what_is_lazy_is_recorded_by_its_shape():
    lazy = xr.DataArray([1.0, 2.0], dims="depth", attrs={"units": "nm"}).chunk()
    stated = json.loads(question_attrs(DS, "f", of=lazy)["question"])
    assert stated["parameters"]["of"] == {"shape": {"depth": 2}, "units": "nm"}


def test_the_numbers_of_a_result_with_where_they_are():
    result = xr.Dataset(
        {
            "peak": (("wafer", "species"), [[1.0, np.nan]], {"units": "nm"}),
            "count": ("wafer", np.array([3])),
        },
        {"wafer": ["w1"], "species": ["B", "P"], "rule": "trapezoid",
         "status": (("wafer", "species"), [["ok", "no_data"]])},
    )  # fmt: skip
    row = {"name": "peak", "wafer": "w1", "rule": "trapezoid", "units": "nm"}
    assert of_data([DS], [result])["results"] == [
        row | {"species": "B", "status": "ok", "value": 1.0},
        row | {"species": "P", "status": "no_data", "value": None},
        {"name": "count", "wafer": "w1", "rule": "trapezoid", "value": 3},
    ]
    many = xr.DataArray(np.zeros(200), dims="x", name="many")
    assert len(of_data([DS], [many])["results"]) == 200
    assert "results" not in of_data([DS], [xr.DataArray(np.zeros(201), dims="x")])


def test_common_provenance_is_recorded_once():
    other = DS.assign_attrs(data_id="w2", call="f(data)", history="read")
    plain = DS.assign_attrs(call="f(data)", history="read")
    alone = of_data([plain, plain])
    assert (alone["data_id"], alone["calls"]) == ("boron-implant", ["read", "f(data)"])
    assert of_data([plain, other])["data_id"] == ["boron-implant", "w2"]
    batch = sims.stack([plain, other]).assign_coords(source=("measurement", ["", ""]))
    found = of_data([batch, other.assign_attrs(source="a.csv")])
    assert (found["data_id"], found["source"]) == (["boron-implant", "w2"], "a.csv")
    lazy = batch.assign_coords(data_id=batch["data_id"].chunk())
    assert "data_id" not in of_data([lazy]), "it is not computed"


def test_the_record_is_ascii_in_one_order():
    assert to_text({"b": "µ", "a": [1.5, None]}) == '{"a": [1.5, null], "b": "\\u00b5"}'
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_text({"a": float("nan")})


def test_steps_of_the_measurements_of_a_batch_are_kept():
    parts = [
        sims.rescale_depth(DS, factor=1.1),
        sims.with_counting_statistics(DS, value_per_count={"B": "1e14 atoms/cm^3"}),
    ]
    batch = sims.rescale_depth(sims.stack(parts), offset="1 nm")
    functions = [step["function"] for step in sims.provenance(batch)["steps"]]
    assert functions == ["rescale_depth", "with_counting_statistics", "rescale_depth"]


# --- the question that an answer answers -------------------------------------------------------


def with_question(answer, data, function, **parameters):
    return answer.assign_attrs(question_attrs(data, function, **parameters))


ORIGIN = {"data_id": "w7", "sha256": "ab" * 32, "source": "https://host/sims/w7"}


@pytest.fixture
def data():
    ds = sims.open_example("boron-implant").assign_attrs(ORIGIN)
    return with_step(ds, "with_rsf", rsf={"B": "1e22 atoms/cm^3"})


def test_an_answer_names_data_steps_and_question(data):
    level = xr.DataArray([1e17, 1e18], dims="level", attrs={"units": "atom/cm^3"})
    answer = sims.integrated_dose(data, stop="200 nm")
    assert sims.provenance(answer)["question"] == {
        "function": "integrated_dose", "parameters": {"stop": "200 nm"},
    }  # fmt: skip
    requested = {"stop": "200 nm", "start": None, "level": level}
    answer = with_question(answer.drop_attrs(), data, "integrated_dose", **requested)
    found = sims.provenance(answer)
    assert {key: found[key] for key in ORIGIN} == ORIGIN
    assert found["steps"] == [
        {"function": "with_rsf", "parameters": {"rsf": {"B": "1e22 atoms/cm^3"}}}
    ]
    requested = found["question"]
    assert requested["function"] == "integrated_dose"
    assert requested["parameters"]["stop"] == "200 nm"
    assert "start" not in requested["parameters"]
    assert requested["parameters"]["level"]["values"] == [1e17, 1e18]
    assert requested["parameters"]["level"]["units"] == "atom/cm^3"
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


# ---- files of figures

RECORD = {"sims_analysis_version": "1", "calls": ["f(ds)"], "note": "a (b) \\ c"}
TEXT = json.dumps(RECORD).encode()


def png(**texts):
    about = PngInfo()
    for name, text in texts.items():
        about.add_text(name, text.decode())
    return image("PNG", pnginfo=about)


def image(kind, **more):
    file = io.BytesIO()
    Image.new("L", (2, 2)).save(file, kind, **more)
    return file.getvalue()


def tiff(text):
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    tags[270] = text.decode()
    return image("TIFF", tiffinfo=tags)


def pdf(*subjects):
    escaped = [
        s.replace(b"\\", rb"\\").replace(b"(", rb"\(").replace(b")", rb"\)") for s in subjects
    ]
    return b"%PDF-1.4\n" + b"".join(b"<< /Subject (" + s + b") >>\n" for s in escaped)


HOLDING = {
    "png": png(Title=TEXT[:-1], Description=TEXT),
    "tiff": tiff(TEXT),
    "svg": b"<svg><dc:description>" + TEXT.replace(b'"', b"&quot;") + b"</dc:description></svg>",
    "pdf": pdf(b"mine", TEXT),
}  # fmt: skip


@pytest.mark.parametrize("kind", HOLDING)
def test_the_record_is_found_in_a_file(kind, tmp_path):
    file = tmp_path / "figure"
    file.write_bytes(HOLDING[kind])
    assert sims.provenance(file) == RECORD


OF_OTHERS = json.dumps({"version": "1"}).encode()


@pytest.mark.parametrize(
    "content",
    [
        png(Description=OF_OTHERS),
        png(Title=TEXT),
        png(),
        png(Description=TEXT)[:40],
        pdf(OF_OTHERS),
        pdf(),
        b"%!PS\n",
        b"<svg></svg>",
        b"<svg><dc:description>sims_analysis_version</dc:description></svg>",
        tiff(OF_OTHERS),
        image("TIFF"),
        b"",
    ],
)
def test_a_file_without_a_record_says_where_one_comes_from(content, tmp_path):
    file = tmp_path / "figure.x"
    file.write_bytes(content)
    with raises(ProfileError, "no_provenance"):
        sims.provenance(file)
