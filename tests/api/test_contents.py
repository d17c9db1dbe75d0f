"""What lists and searches of an archive know of an entry."""

import json
import os

import pytest
from waiting import wait_until

from sims_analysis.api.archive import Archive
from sims_analysis.api.index import read_catalogue, read_entry, state_of
from sims_analysis.api.versions import list_versions
from sims_analysis.errors import ArchiveError, SimsWarning
from sims_analysis.profiles.metadata import FIELD


def profile(species="B", **more):
    return {
        "species_name": species, "depths": [0, 10], "depth_units": "nm",
        "concentrations": [1e18, 2e18], "concentration_units": "atoms/cm^3", **more,
    }  # fmt: skip


def entry_in(folder, *, in_full=True):
    with os.scandir(folder.parent) as found:
        (item,) = [item for item in found if item.name == folder.name]
        return read_entry(folder, state_of(item), in_full=in_full)


def entry(tmp_path, *profiles, name="w1", in_full=True, catalogue=None):
    archive = Archive(tmp_path / "lab")
    payload = json.dumps(profiles).encode()
    archive.put(name, payload, url="test", retrieved="2026-03-14T09:26:53Z", catalogue=catalogue)
    return entry_in(archive.folder(name), in_full=in_full)


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
    found = entry(tmp_path, profile(**more))
    assert found.title == title
    assert title in found.payload_words


@pytest.mark.parametrize("key", ["comment", "file", "instrument", "laboratory", "measured"])
def test_what_may_be_searched_for_of_a_measurement(tmp_path, key):
    found = entry(
        tmp_path, profile(**{FIELD: {key: "2023-05-06T07:08 Nanotube", "other": "unseen"}})
    )
    assert "Nanotube" in found.payload_words
    assert "unseen" not in found.payload_words


def test_further_titles_are_found_and_the_first_is_shown(tmp_path):
    found = entry(
        tmp_path,
        profile("Si", species_metadata={"sample": "one"}),
        profile("B", species_metadata={"sample": "Two"}),
    )
    assert (found.title, found.species) == ("one", ["Si", "B"])
    assert "Two" in found.payload_words


@pytest.mark.parametrize(
    ("more", "date"),
    [
        ({}, "2026-03-14"),
        ({"last_updated": "2024-01-15T10:35:00Z"}, "2024-01-15"),
        ({FIELD: {"measured": "2023-05-06T07:08"}, "last_updated": "2024-01-15T10:35:00Z"},
         "2023-05-06"),
        ({FIELD: {"measured": None}}, "2026-03-14"),
    ],
)  # fmt: skip
def test_the_date_is_when_it_was_measured_updated_or_retrieved(tmp_path, more, date):
    entry(tmp_path, profile(**more))
    ((known,), _) = Archive(tmp_path / "lab").contents()
    assert known.date == date


def test_words_are_of_the_catalogue_the_id_and_the_payload(tmp_path):
    told = {"data_id": "W1", "sample_name": "LOT 5", "file_metadata": {"x": "hidden"}, "tags": None}
    found = entry(tmp_path, profile("Xe"), name="W1", catalogue=told | {"colour": "red"})
    assert found.is_sound
    archive = Archive(tmp_path / "lab")
    for word in ("lot 5", "w1", "XE"):
        assert archive.search(word).ids == ["W1"]
    assert archive.search("hidden").ids == []
    (known,) = archive.search()
    assert known.to_dict() == found.entry.to_dict()
    assert (known.extra, known.file_metadata) == ({"colour": "red"}, {"x": "hidden"})


def test_without_a_catalogue_entry_the_record_tells(tmp_path):
    found = entry(tmp_path, profile(last_updated="2024-01-15T10:35:00Z"))
    assert {k: v for k, v in found.entry.to_dict().items() if v is not None} == {
        "data_id": "w1", "char_source_type": "sims", "pipeline_status": "success",
        "last_updated": "2024-01-15T10:35:00Z",
    }  # fmt: skip
    assert (found.state[1], found.is_sound) == (0, True)


@pytest.mark.parametrize("in_full", [False, True])
def test_no_more_is_read_than_is_needed(tmp_path, in_full):
    found = entry(tmp_path, profile("Xe"), in_full=in_full)
    assert found.data_id == "w1"
    assert (found.entry is not None) == (found.species == ["Xe"]) == in_full


def test_of_an_entry_without_a_sound_record_the_id_is_told_by_its_folder(tmp_path):
    entry(tmp_path, profile())
    folder = tmp_path / "lab" / "entries" / "w1"
    (list_versions(folder)[0] / "record.json").write_text("{}")
    with pytest.warns(SimsWarning, match=r"record.*left out \(w1\)"):
        found = entry_in(folder)
    assert (found.data_id, found.is_damaged, found.is_sound) == ("w1", True, False)
    assert found.entry.pipeline_status == "error"
    assert "record" in found.entry.detail_note_content


def test_an_id_that_no_folder_tells_is_that_of_the_last_sound_record(tmp_path):
    archive = Archive(tmp_path)
    for species in ("B", "P"):
        archive.put("Wafer 1", json.dumps([profile(species)]).encode(), url="test")
    first, second = list_versions(archive.folder("Wafer 1"))
    found = entry_in(first.parent, in_full=False)
    assert (found.data_id, found.version, found.is_sound) == ("Wafer 1", second.name, True)
    (second / "record.json").write_text("{}")
    with pytest.warns(SimsWarning, match="left out"):
        found = entry_in(first.parent, in_full=False)
    assert (found.data_id, found.version, found.is_sound) == ("Wafer 1", second.name, False)
    (first / "record.json").write_text("{}")
    with pytest.warns(SimsWarning):
        found = entry_in(first.parent)
    assert (found.data_id, found.is_damaged, found.is_sound) == ("", True, False)


def test_a_folder_without_a_version_is_no_entry(tmp_path):
    tmp_path.joinpath("w1").mkdir()
    assert entry_in(tmp_path / "w1") is None
    assert read_entry(tmp_path / "none", (0, 0), in_full=True) is None


@pytest.mark.parametrize("wire", ["[]", "{}", '{"data_id": "w2"}', '{"data_id": 1}', "{"])
def test_a_catalogue_entry_of_another_is_damage(tmp_path, wire):
    entry(tmp_path, profile())
    folder = tmp_path / "lab" / "entries" / "w1"
    assert read_catalogue(folder) is None
    (folder / "catalogue.json").write_text(wire)
    with pytest.raises(ArchiveError, match=r"catalogue\.json"):
        read_catalogue(folder)
    with pytest.warns(
        SimsWarning, match=r"'w1'.*catalogue\.json.*; what the record tells stands in for it"
    ):
        found = entry_in(folder)
    assert found.entry.pipeline_status == "success"
    assert found.state[1] != 0
    assert not found.is_sound


@pytest.mark.skipif(os.name == "nt", reason="no time there that nobody can set")
@pytest.mark.parametrize(("file", "known"), [(".", 0), ("catalogue.json", 1)])
def test_a_change_shows_whatever_time_somebody_sets(tmp_path, file, known):
    before = entry(tmp_path, profile(), catalogue={"data_id": "w1"})
    folder = tmp_path / "lab" / "entries" / "w1"
    times = (folder / file).stat()

    def is_noticed():
        os.utime(folder / file, ns=(times.st_atime_ns, times.st_mtime_ns))
        return entry_in(folder).state[known] != before.state[known]

    wait_until(is_noticed, patience=2)
