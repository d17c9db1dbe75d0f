"""What lists and searches of an archive know of an entry."""

import json
import os

import pytest
from error_parts import raises, warns
from waits import wait_until

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import Search
from sims_analysis.api.index import state_of
from sims_analysis.api.versions import list_versions
from sims_analysis.errors import ArchiveError, SimsWarning
from sims_analysis.profiles.metadata import FIELD


def profile(species="B", **more):
    return {
        "species_name": species, "depths": [0, 10], "depth_units": "nm",
        "concentrations": [1e18, 2e18], "concentration_units": "atoms/cm^3", **more,
    }  # fmt: skip


def archived(tmp_path, *profiles, name="w1", catalogue=None):
    """Make an archive of one entry."""
    archive = Archive(tmp_path / "lab")
    payload = json.dumps(profiles).encode()
    archive.put(name, payload, url="test", retrieved="2026-03-14T09:26:53Z", catalogue=catalogue)
    return archive


def shown(archive):
    """Return what lists show of the entry."""
    ((entry,), count) = archive.contents()
    assert count == 1
    return entry


@pytest.mark.parametrize(
    ("more", "title"),
    [
        ({}, ""),
        ({"species_metadata": None}, ""),
        *(({"species_metadata": {key: " wafer 7 "}}, "wafer 7")
          for key in ("sample", "sample_name", "Sample ID", "sample_id")),
        ({"species_metadata": {"sample": " ", "sample_id": "w"}}, "w"),
        ({"species_metadata": {"sample": 7}}, ""),
        ({FIELD: {"sample": "wafer 8"}}, "wafer 8"),
        ({FIELD: "no object"}, ""),
        ({FIELD: {"sample": "wafer 8"}, "species_metadata": {"sample": "wafer 7"}}, "wafer 7"),
    ],
)  # fmt: skip
def test_the_title_is_what_the_payload_calls_the_sample(tmp_path, more, title):
    archive = archived(tmp_path, profile(**more))
    assert shown(archive).title == title
    assert archive.search(title).ids == ["w1"]


@pytest.mark.parametrize("key", ["comment", "file", "instrument", "laboratory", "measured"])
def test_metadata_of_a_measurement_are_searched(tmp_path, key):
    stated = {FIELD: {key: "2023-05-06T07:08 Nanotube", "other": "unseen"}}
    archive = archived(tmp_path, profile(**stated))
    assert archive.search("nanotube").ids == ["w1"]
    assert archive.search("unseen").ids == []


def test_further_titles_are_found_and_the_first_is_shown(tmp_path):
    samples = [profile(n, species_metadata={"sample": n * 3}) for n in ("Si", "B")]
    archive = archived(tmp_path, *samples)
    assert (shown(archive).title, shown(archive).species) == ("SiSiSi", ["Si", "B"])
    assert archive.search("bbb").ids == ["w1"]


@pytest.mark.parametrize(
    ("more", "date"),
    [
        ({}, ""),
        ({"last_updated": "2024-01-15T10:35:00Z"}, ""),
        ({FIELD: {"measured": "2023-05-06T07:08"}, "last_updated": "2024-01-15T10:35:00Z"},
         "2023-05-06"),
        ({FIELD: {"measured": None}}, ""),
    ],
)  # fmt: skip
def test_the_date_is_when_it_was_measured_or_empty(tmp_path, more, date):
    assert shown(archived(tmp_path, profile(**more))).date == date


def test_words_are_of_the_catalogue_the_id_and_the_payload(tmp_path):
    known = {"data_id": "W1", "sample_name": "LOT 5", "file_metadata": {"x": "hidden"}}
    archive = archived(tmp_path, profile("Xe"), name="W1", catalogue=known | {"colour": "red"})
    for word in ("lot 5", "w1", "XE"):
        assert archive.search(word).ids == ["W1"]
    assert archive.search("hidden").ids == []
    (found,) = archive.search()
    assert (found.extra, found.file_metadata) == ({"colour": "red"}, {"x": "hidden"})


def test_without_a_catalogue_entry_the_record_stands_in(tmp_path):
    (found,) = archived(tmp_path, profile(last_updated="2024-01-15T10:35:00Z")).search()
    assert {k: v for k, v in found.to_dict().items() if v is not None} == {
        "data_id": "w1", "char_source_type": "sims", "pipeline_status": "success",
        "last_updated": "2024-01-15T10:35:00Z",
    }  # fmt: skip


def test_an_entry_without_a_sound_record_has_the_id_of_its_folder(tmp_path):
    archive = archived(tmp_path, profile())
    (list_versions(archive.folder("w1"))[0] / "record.json").write_text("{}")
    with warns(SimsWarning, "damaged_entry", data_id="w1"):
        (found,) = archive.entries(Search(), damaged=True)
    assert (found.data_id, found.pipeline_status) == ("w1", "error")
    assert "record" in found.detail_note_content
    with warns(SimsWarning, "damaged_entry", data_id="w1"):
        assert archive.search().ids == []
    assert archive.ids() == ["w1"]


def test_an_id_that_no_folder_says_is_that_of_the_last_sound_record(tmp_path):
    archive = Archive(tmp_path)
    for species in ("B", "P"):
        archive.put("Wafer 1", json.dumps([profile(species)]).encode(), url="test")
    first, second = list_versions(archive.folder("Wafer 1"))
    assert archive.ids() == ["Wafer 1"]
    (second / "record.json").write_text("{}")
    assert archive.ids() == ["Wafer 1"]
    (first / "record.json").write_text("{}")
    with warns(SimsWarning, "damaged_entry", data_id=""):
        assert archive.ids() == []
    with warns(SimsWarning, "damaged_entry", data_id=""):
        assert len(archive) == 1


def test_a_folder_without_a_version_is_no_entry(tmp_path):
    archive = archived(tmp_path, profile())
    archive.folder("w2").mkdir()
    assert (archive.ids(), len(archive), archive.search().ids) == (["w1"], 1, ["w1"])


@pytest.mark.parametrize("wire", ["[]", "{}", '{"data_id": "w2"}', '{"data_id": 1}', "{"])
def test_a_catalogue_entry_of_another_is_damage(tmp_path, wire):
    archive = archived(tmp_path, profile())
    assert archive.catalogue("w1") is None
    (archive.folder("w1") / "catalogue.json").write_text(wire)
    with raises(ArchiveError, "damaged_entry", data_id="w1"):
        archive.catalogue("w1")
    with warns(SimsWarning, "damaged_entry", data_id="w1"):
        (found,) = archive.search()
    assert found.pipeline_status == "success"


@pytest.mark.skipif(os.name == "nt", reason="no time there that nobody can set")
@pytest.mark.parametrize("file", [".", "catalogue.json"])
def test_a_change_shows_whatever_time_somebody_sets(tmp_path, file):
    def state():
        with os.scandir(archive.path / "entries") as found:
            return state_of(*found)

    archive = archived(tmp_path, profile(), catalogue={"data_id": "w1"})
    before, changed = state(), archive.folder("w1") / file
    times = changed.stat()

    def is_noticed():
        os.utime(changed, ns=(times.st_atime_ns, times.st_mtime_ns))
        return state()[file != "."] != before[file != "."]

    wait_until(is_noticed, patience=2)
