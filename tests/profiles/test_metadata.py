"""Metadata of a measurement: what has another form is ignored, what is known comes back."""

import json
from dataclasses import fields

import pytest

import sims_analysis as sims
from sims_analysis.output.entry_summary import summarise_dataset
from sims_analysis.profiles.metadata import Layer, Metadata, columns_of


@pytest.mark.parametrize("stated", [None, [], "O2+", 1.0, {}, {"file": 3}, {"layers": {"a": 1}}])
def test_what_has_another_form_is_ignored(stated):
    assert Metadata.from_dict(stated) == Metadata()


def test_what_is_known_comes_back():
    layers = (Layer(matrix="Si", start="0 nm", stop="50 nm"), Layer(matrix="SiO2"))
    known = Metadata(file="w7", impact_energy="10 keV", layers=layers, other={"lot": "7"})
    stated = known.to_dict()
    assert stated["layers"][1] == {"matrix": "SiO2"}
    assert Metadata.from_dict(stated) == known
    assert Metadata.from_dict(stated | {"layers": ["Si", {"matrix": 1, "hue": "red"}]}) == Metadata(
        file="w7", impact_energy="10 keV", layers=(Layer(),), other={"lot": "7"}
    )


def test_columns_of_another_form_or_length_are_ignored():
    counts = {"units": "count", "values": [1.0, 2.0]}
    stated = {"counts": counts, "short": {"values": [1.0]}, "text": "a", "none": {"values": None}}
    assert columns_of({"columns": stated}, 2) == {"counts": counts}
    assert columns_of({"columns": [counts]}, 2) == columns_of({}, 2) == {}


@pytest.mark.parametrize(
    "name", [f.name for f in fields(Metadata) if f.name not in ("layers", "other")]
)
def test_each_text_comes_back_and_nothing_but_a_text_is_one(name):
    assert Metadata.from_dict({name: "x"}).to_dict() == {name: "x"}
    assert Metadata.from_dict({name: 7}).to_dict() == {}
    assert Metadata(**{name: ""}).to_dict() == {}


@pytest.mark.parametrize("name", [f.name for f in fields(Layer)])
def test_each_text_of_a_layer_comes_back(name):
    stated = {"layers": [{name: "x"}, {name: 7}, "Si"]}
    assert Metadata.from_dict(stated).to_dict() == {"layers": [{name: "x"}, {}]}


def test_other_metadata_are_kept_under_their_own_keys():
    assert Metadata.from_dict({"other": {"lot": "7"}}).to_dict() == {"other": {"lot": "7"}}
    for wrong in ({"other": ["lot"]}, {"other": "lot"}, {"layers": "Si"}, {"layers": {"a": {}}}):
        assert Metadata.from_dict(wrong).to_dict() == {}
    known = {"lot": "7"}
    assert Metadata(other=known).to_dict()["other"] is not known


@pytest.mark.parametrize("key", ["sample", "sample_name", "Sample ID", "sample_id"])
def test_the_metadata_of_a_species_may_name_the_sample(key):
    ds = sims.open_example("boron-implant").assign_coords(
        species_metadata=("species", ["", json.dumps({key: " w7 "})])
    )
    assert summarise_dataset(ds).title == "w7"
    ds["species_metadata"].values[1] = json.dumps({key.upper(): "w7"})
    assert summarise_dataset(ds).title == ""
