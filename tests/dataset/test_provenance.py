"""What was done to data, as a machine reads it."""

import json

import numpy as np
import xarray as xr

import sims_analysis as sims
from sims_analysis.dataset.provenance import with_step

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
