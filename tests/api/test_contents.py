"""What lists and searches of an archive know of an entry."""

import json
import os

import pytest
from waiting import wait_until

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import CatalogueEntry
from sims_analysis.api.contents import UNREAD, Contents, Need, read_catalogue, read_contents
from sims_analysis.api.versions import list_versions
from sims_analysis.errors import ArchiveError, SimsWarning
from sims_analysis.profiles.metadata import FIELD


def profile(species="B", **more):
    return {
        "species_name": species, "depths": [0, 10], "depth_units": "nm",
        "concentrations": [1e18, 2e18], "concentration_units": "atoms/cm^3", **more,
    }  # fmt: skip


def contents(tmp_path, *profiles, name="w1", need=Need.WORDS, catalogue=None):
    archive = Archive(tmp_path / "lab")
    payload = json.dumps(profiles).encode()
    archive.put(name, payload, url="test", retrieved="2026-03-14T09:26:53Z", catalogue=catalogue)
    return read_contents(archive.folder(name), need)


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
    found = contents(tmp_path, profile(**more))
    assert found.title == title
    assert title.encode() in found.words


@pytest.mark.parametrize("key", ["comment", "file", "instrument", "laboratory", "measured"])
def test_what_may_be_searched_for_of_a_measurement(tmp_path, key):
    found = contents(
        tmp_path, profile(**{FIELD: {key: "2023-05-06T07:08 Nanotube", "other": "unseen"}})
    )
    assert b"nanotube" in found.words
    assert b"unseen" not in found.words


def test_further_titles_are_found_and_the_first_is_shown(tmp_path):
    found = contents(
        tmp_path,
        profile("Si", species_metadata={"sample": "one"}),
        profile("B", species_metadata={"sample": "Two"}),
    )
    assert (found.title, found.species) == ("one", ["Si", "B"])
    assert b"two" in found.words


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
    assert contents(tmp_path, profile(**more)).date == date


def test_words_are_of_the_catalogue_the_id_and_the_payload(tmp_path):
    told = {"data_id": "W1", "sample_name": "LOT 5", "file_metadata": {"x": "hidden"}, "tags": None}
    found = contents(tmp_path, profile("Xe"), name="W1", catalogue=told | {"colour": "red"})
    assert {b"lot 5", b"w1", b"xe"} <= set(found.words.split(b"\n"))
    assert b"hidden" not in found.words
    # What is null is left out, but for what the contract does not name.
    kept = {k: v for k, v in told.items() if v is not None} | {"colour": "red"}
    assert json.loads(found.wire) == kept
    assert found.sound
    with_null = Contents("w1", 0, 0, "", "w1").with_entry(
        CatalogueEntry.from_dict({"data_id": "w1", "colour": None}), UNREAD
    )
    assert json.loads(with_null.wire) == {"data_id": "w1", "colour": None}


def test_without_a_catalogue_entry_the_record_tells(tmp_path):
    found = contents(tmp_path, profile(last_updated="2024-01-15T10:35:00Z"))
    assert json.loads(found.wire) == {
        "data_id": "w1", "char_source_type": "sims", "pipeline_status": "success",
        "last_updated": "2024-01-15T10:35:00Z",
    }  # fmt: skip
    assert (found.catalogue, found.sound) == (0, True)


@pytest.mark.parametrize("need", Need)
def test_no_more_is_read_than_is_needed(tmp_path, need):
    found = contents(tmp_path, profile("Xe"), need=need)
    assert found.data_id == "w1"
    assert (found.wire is None) == (need is Need.IDS)
    assert found.species == (["Xe"] if need is Need.WORDS else [])


def test_what_is_known_of_a_version_is_not_read_again(tmp_path):
    before = contents(tmp_path, profile("Xe", species_metadata={"sample": "one"}))
    folder = tmp_path / "lab" / "entries" / "w1"
    (version,) = list_versions(folder)
    (version / "payload.json").write_text("[]")
    assert read_contents(folder, Need.WORDS, before) == before
    assert read_contents(folder, Need.WORDS, before._replace(about=None)).species == []
    other = before._replace(version=before.version[:-1] + "x")
    assert not read_contents(folder, Need.WORDS, other).sound


def test_of_an_entry_without_a_sound_record_the_id_is_told_by_its_folder(tmp_path):
    contents(tmp_path, profile())
    folder = tmp_path / "lab" / "entries" / "w1"
    (list_versions(folder)[0] / "record.json").write_text("{}")
    with pytest.warns(SimsWarning, match=r"record.*left out \(w1\)"):
        found = read_contents(folder, Need.WORDS)
    assert (found.data_id, found.words, found.wire, found.sound) == ("w1", b"w1", None, False)


def test_an_id_that_no_folder_tells_is_that_of_the_last_sound_record(tmp_path):
    archive = Archive(tmp_path)
    for species in ("B", "P"):
        archive.put("Wafer 1", json.dumps([profile(species)]).encode(), url="test")
    first, second = list_versions(archive.folder("Wafer 1"))
    found = read_contents(first.parent, Need.IDS)
    assert (found.data_id, found.version, found.sound) == ("Wafer 1", second.name, True)
    (second / "record.json").write_text("{}")
    with pytest.warns(SimsWarning, match="left out"):
        found = read_contents(first.parent, Need.IDS)
    assert (found.data_id, found.version, found.sound) == ("Wafer 1", second.name, False)
    (first / "record.json").write_text("{}")
    with pytest.warns(SimsWarning):
        found = read_contents(first.parent, Need.WORDS)
    assert (found.data_id, found.words, found.sound) == ("", None, False)


def test_a_folder_without_a_version_is_no_entry(tmp_path):
    tmp_path.joinpath("w1").mkdir()
    assert read_contents(tmp_path / "w1", Need.WORDS) is None
    assert read_contents(tmp_path / "none", Need.WORDS) is None


@pytest.mark.parametrize("wire", ["[]", "{}", '{"data_id": "w2"}', '{"data_id": 1}', "{"])
def test_a_catalogue_entry_of_another_is_damage(tmp_path, wire):
    contents(tmp_path, profile())
    folder = tmp_path / "lab" / "entries" / "w1"
    assert read_catalogue(folder) is None
    (folder / "catalogue.json").write_text(wire)
    with pytest.raises(ArchiveError, match=r"catalogue\.json"):
        read_catalogue(folder)
    with pytest.warns(
        SimsWarning, match=r"'w1'.*catalogue\.json.*; what the record tells stands in for it"
    ):
        found = read_contents(folder, Need.WORDS)
    assert json.loads(found.wire)["pipeline_status"] == "success"
    assert found.catalogue != 0
    assert not found.sound


@pytest.mark.skipif(os.name == "nt", reason="no time there that nobody can set")
@pytest.mark.parametrize(("file", "known"), [(".", "stamp"), ("catalogue.json", "catalogue")])
def test_a_change_shows_whatever_time_somebody_sets(tmp_path, file, known):
    before = contents(tmp_path, profile(), catalogue={"data_id": "w1"})
    folder = tmp_path / "lab" / "entries" / "w1"
    times = (folder / file).stat()

    def is_noticed():
        os.utime(folder / file, ns=(times.st_atime_ns, times.st_mtime_ns))
        return getattr(read_contents(folder, Need.IDS), known) != getattr(before, known)

    wait_until(is_noticed, patience=2)
