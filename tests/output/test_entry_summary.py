"""The line of a measurement: what the file and the response say of it."""

import json

import numpy as np
import pytest
import xarray as xr
from instrument_files import cameca_rpc

import sims_analysis as sims
from sims_analysis.examples.opening import ARCHIVE
from sims_analysis.output.entry_summary import summarise_dataset
from sims_analysis.output.pages.archive import summaries_of


@pytest.mark.parametrize("name", ["boron-implant", "gan-mg-stack", "sputter-time"])
def test_an_entry_says_the_same_of_itself_as_the_list_of_its_archive(name):
    archive = sims.Archive(ARCHIVE)
    about = summarise_dataset(archive.get(name).to_dataset())
    assert about == summaries_of(archive.contents()[0])[f"entries/{name}"]
    assert about.title.startswith("synthetic")
    assert about.date == ""


def test_a_file_says_its_sample_and_when_it_was_measured(tmp_path):
    z = np.linspace(0.01, 1, 60)
    path = tmp_path / "w7.dp_rpc_asc"
    path.write_bytes(cameca_rpc({"10B": (None, z, 1e18 * np.exp(-z), "C")}))
    result = sims.read(path)
    about = summarise_dataset(result.to_dataset())
    assert about.title == result.metadata.sample
    assert about.date == result.metadata.measured.partition("T")[0]
    assert about.title
    assert about.date


def test_what_is_not_known_is_left_out():
    profile = sims.DepthProfile(
        species_name="B", depths=[0, 1], depth_units="nm", concentrations=[1e18, 1e17],
        concentration_units="atoms/cm^3", species_metadata={"sample": 7},
    )  # fmt: skip
    about = summarise_dataset(sims.to_dataset([profile]))
    assert (about.title, about.date, list(about.species)) == ("", "", ["B"])


@pytest.mark.parametrize("key", ["sample", "sample_name", "Sample ID", "sample_id"])
def test_a_sample_is_found_under_its_usual_names(key):
    ds = xr.Dataset(coords={
        "species": ["B", "P"],
        "species_metadata": ("species", [json.dumps({}), json.dumps({key: " w7 "})]),
    })  # fmt: skip
    assert summarise_dataset(ds).title == "w7"
    assert summarise_dataset(ds.isel(species=0)).title == ""


def test_the_date_is_that_of_the_measurement_and_not_of_the_entry_or_the_request():
    ds = xr.Dataset(
        coords={"species": ["B"], "last_updated": ("species", ["2024-02-02T01:00"])},
        attrs={"retrieved": "2024-03-03T02:00", "measurement": '{"measured": "2024-01-01T00:00"}'},
    )
    assert summarise_dataset(ds).date == "2024-01-01"
    del ds.attrs["measurement"]
    assert summarise_dataset(ds).date == ""
