"""The versions of an entry: their records, their names, and what is said of damage."""

import hashlib
import json
import os
from dataclasses import replace
from datetime import datetime

import pytest

from sims_analysis._version import __version__
from sims_analysis.api import versions
from sims_analysis.api.versions import Record
from sims_analysis.errors import ArchiveError, PayloadError

PAYLOAD = b"[]\n"
SHA = hashlib.sha256(PAYLOAD).hexdigest()
RECORD = Record(
    data_id="w1", url="https://lab.example/sims/w1", retrieved="2026-01-02T03:04:05.000006+00:00",
    sha256=SHA,
)  # fmt: skip
NAME = f"20260102T030405.000006Z-{SHA[:8]}"


@pytest.fixture
def version(tmp_path):
    """A version of an entry, whole."""
    target = tmp_path / "lab" / "entries" / "w1" / NAME
    versions.commit(target, RECORD, PAYLOAD)
    return target


def warned(reason):
    return (
        f"data entry 'w1' in the archive 'lab' is damaged: {reason}; restore {NAME} from a copy, "
        "or fetch the entry again, with refresh"
    )


def said(call, *args, **options):
    with pytest.raises(ArchiveError) as caught:
        call(*args, **options)
    return str(caught.value)


def test_a_version_is_read_as_it_was_written(version):
    assert versions.read_record(version) == RECORD
    assert versions.read_version(version) == (RECORD, PAYLOAD)
    assert versions.list_versions(version.parent) == [version]
    assert sorted(path.name for path in version.iterdir()) == ["payload.json", "record.json"]


def test_a_record_says_what_it_knows():
    assert RECORD.to_dict() == {
        "data_id": "w1", "url": "https://lab.example/sims/w1", "retrieved": RECORD.retrieved,
        "sha256": SHA, "last_updated": None, "sims_analysis_version": __version__,
        "format_version": 1,
    }  # fmt: skip
    assert RECORD.provenance == {
        "source": RECORD.url, "retrieved": RECORD.retrieved, "sha256": SHA,
    }  # fmt: skip
    assert RECORD.validators == {}
    marked = replace(RECORD, etag='"x"', last_modified="yesterday")
    assert marked.validators == {"If-None-Match": '"x"', "If-Modified-Since": "yesterday"}
    assert marked.to_dict() == RECORD.to_dict() | {"etag": '"x"', "last_modified": "yesterday"}
    assert replace(RECORD, etag='"x"').validators == {"If-None-Match": '"x"'}


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        *((name, 5, f"$.{name}: expected text, found a number")
          for name in ("data_id", "url", "retrieved", "sha256", "sims_analysis_version")),
        ("last_updated", 5, "$.last_updated: expected text or null, found a number"),
        ("format_version", "1", "$.format_version: expected a whole number, found text"),
        ("url", ..., "$.url: expected text, found no such field"),
        ("retrieved", "soon", "$.retrieved: expected a time in ISO 8601, found 'soon'"),
    ],
)  # fmt: skip
def test_a_field_that_is_wrong_is_named(version, field, value, reason):
    found = RECORD.to_dict() | {field: value}
    wire = {name: one for name, one in found.items() if one is not ...}
    (version / "record.json").write_text(json.dumps(wire))
    assert said(versions.read_record, version) == warned(f"record.json is not a record ({reason})")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"data_id": "w2"}, "record.json names another entry, 'w2'"),
        ({"sha256": "0" * 64}, "record.json belongs to another version"),
    ],
)
def test_a_record_of_another_is_damage(version, changed, reason):
    (version / "record.json").write_text(json.dumps(RECORD.to_dict() | changed))
    assert said(versions.read_record, version) == warned(reason)


@pytest.mark.parametrize("written", [2, 1.5])
def test_a_newer_layout_is_told_with_what_to_do(version, written, tmp_path):
    (version / "record.json").write_text(json.dumps(RECORD.to_dict() | {"format_version": written}))
    newer = (
        f"was written in format version {written} of the archive, this version of sims-analysis "
        "reads 1; update sims-analysis"
    )
    assert said(versions.read_record, version) == f"'w1' {newer}"
    (tmp_path / "lab" / "archive.json").write_text(json.dumps({"format_version": written}))
    for strict in (True, False):
        assert said(versions.check_format, tmp_path / "lab", strict=strict) == f"'lab' {newer}"


def test_a_payload_of_another_hash_or_none_is_damage(version):
    payload = version / "payload.json"
    payload.write_bytes(b"[1]")
    found = hashlib.sha256(b"[1]").hexdigest()
    reason = f"payload.json (3 bytes) has the sha256 {found[:16]}..., its record says {SHA[:16]}..."
    for read in (versions.read_version, lambda v: versions.read_payload(v, RECORD)):
        assert said(read, version) == warned(reason)
    for name in ("payload.json", "record.json"):
        (version / name).unlink()
        reason = f"{name} cannot be read (No such file or directory)"
        assert said(versions.read_version, version) == warned(reason)


def test_what_is_no_archive_says_why(tmp_path):
    path = tmp_path / "lab"
    none = "is not an archive: it has no archive.json; the first entry that is added makes one"
    assert said(versions.check_format, path) == f"{str(path)!r} {none}"
    versions.check_format(path, strict=False)
    path.mkdir()
    for text in ("[]", "{}", "{"):
        (path / "archive.json").write_text(text)
        start = f"{str(path)!r} cannot be read: its archive.json is damaged ("
        assert said(versions.check_format, path).startswith(start)
        versions.check_format(path, strict=False)
    (path / "archive.json").write_text('{"format_version": 1}')
    versions.check_format(path)


def test_a_folder_is_made_an_archive_once(tmp_path):
    path = tmp_path / "a" / "lab"
    versions.prepare(path)
    assert sorted(one.name for one in path.iterdir()) == [
        ".gitattributes", "README.txt", "archive.json", "entries",
    ]  # fmt: skip
    assert (path / ".gitattributes").read_text() == "entries/** -text\n"
    about = {"about": "SIMS depth profiles; see README.txt", "format_version": 1}
    assert json.loads((path / "archive.json").read_text()) == about
    (path / "archive.json").unlink()
    (path / "README.txt").write_text("mine")
    versions.prepare(path)
    assert (path / "README.txt").read_text() == "mine"
    assert (path / "archive.json").exists()


@pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")
def test_an_entry_that_cannot_be_listed_is_named(tmp_path):
    (tmp_path / "lab" / "entries").mkdir(parents=True)
    (tmp_path / "lab" / "entries" / "w1").symlink_to(tmp_path)
    assert said(versions.list_versions, tmp_path / "lab" / "entries" / "w1") == (
        "data entry 'w1' in the archive 'lab' cannot be read: w1 is a link, not a folder, and is "
        "not read"
    )


def test_versions_are_listed_in_their_order_whatever_the_case_of_their_names(tmp_path):
    names = ["20260101T000000.000000Z-00000000", "20260102t000000.000000z-0000000a",
             "20260103T000000.000000Z-0000000B"]  # fmt: skip
    others = ["20260101T000000.000000Z", ".tmp-1", "notes", "20260101T000000Z-00000000"]
    for name in (*names[::-1], *others):
        (tmp_path / name).mkdir()
    assert [path.name for path in versions.list_versions(tmp_path)] == names
    assert versions.list_versions(tmp_path / "none") == []


def named(*before, retrieved=RECORD.retrieved):
    from pathlib import Path

    record = replace(RECORD, retrieved=retrieved)
    return versions._next_version([Path("lab/entries/w1") / name for name in before], record)


def test_a_version_is_named_after_its_time_and_the_one_before():
    assert named() == NAME
    assert named(retrieved="0987-01-02T03:04:05+00:00") == f"09870102T030405.000000Z-{SHA[:8]}"
    assert named("20250101T000000.000000Z-00000000") == NAME
    after = f"20260102T030405.000007Z-{SHA[:8]}"
    assert named("20260102T030405.000006Z-00000000") == after
    assert named("20260102t030405.000006z-00000000") == after
    assert named("20270101T000000.000000Z-00000000") == f"20270101T000000.000001Z-{SHA[:8]}"
    for stamp in ("99991231T235959.999999Z", "20261301T000000.000000Z"):
        with pytest.raises(ArchiveError, match=f"{stamp} is no time that another can follow"):
            named(f"{stamp}-00000000")


def test_another_measurement_is_added_only_as_a_new_version(tmp_path):
    folder = tmp_path / "lab" / "entries" / "w1"
    other = b"[ ]"
    second = replace(RECORD, sha256=hashlib.sha256(other).hexdigest())
    assert versions.append(folder, RECORD, PAYLOAD, None, lasting=False) == RECORD
    message = said(versions.append, folder, second, other, None, lasting=True, supersede=False)
    assert message == (
        "the archive has another measurement under 'w1'; pass another data_id, or replace=True to "
        "make this its new version"
    )
    again = replace(RECORD, url="elsewhere")
    kept = versions.append(folder, again, PAYLOAD, None, lasting=True, supersede=False)
    assert kept == RECORD
    assert versions.append(folder, second, other, None, lasting=True) == second
    assert [path.name[-8:] for path in versions.list_versions(folder)] == [
        SHA[:8], second.sha256[:8],
    ]  # fmt: skip


def test_what_the_catalogue_says_is_replaced_though_the_payload_is_the_same(tmp_path):
    folder = tmp_path / "lab" / "entries" / "w1"
    for name in (None, "first", "second"):
        entry = None if name is None else {"data_id": "w1", "name": name}
        kept = versions.append(folder, RECORD, PAYLOAD, entry, lasting=False)
        assert kept == RECORD
        file = folder / "catalogue.json"
        assert (json.loads(file.read_text()) if file.exists() else None) == entry
    versions.append(folder, RECORD, PAYLOAD, None, lasting=False)
    assert json.loads((folder / "catalogue.json").read_text())["name"] == "second"
    assert len(versions.list_versions(folder)) == 1


def test_a_damaged_version_is_followed_by_a_sound_one_of_the_same_payload(version):
    (version / "payload.json").write_bytes(b"[1]")
    damage = said(
        versions.append, version.parent, RECORD, PAYLOAD, None, lasting=False, supersede=False
    )
    assert "has the sha256" in damage
    versions.append(version.parent, RECORD, PAYLOAD, None, lasting=False)
    first, second = versions.list_versions(version.parent)
    assert first == version
    assert versions.read_version(second)[1] == PAYLOAD


@pytest.mark.parametrize("data_id", ["w2", 5, None])
def test_a_catalogue_entry_of_another_is_not_kept(tmp_path, data_id):
    folder = tmp_path / "w1"
    assert said(versions.catalogue_json, folder, {"data_id": data_id}) == (
        f"a catalogue entry of {data_id!r} is not kept with 'w1'"
    )
    assert versions.catalogue_json(folder, {"data_id": "w1"}) == b'{\n  "data_id": "w1"\n}\n'


UUID = "D290F1EE-6C54-4B01-90E6-D701748F0851"


def test_the_letters_of_a_uuid_are_small(tmp_path):
    assert versions.canonical(UUID) == UUID.lower()
    for other in ("W1", UUID + "0", UUID[:-1] + "G", UUID.replace("-", "")):
        assert versions.canonical(other) == other
    assert versions.is_of(tmp_path / UUID.lower(), UUID)
    assert not versions.is_of(tmp_path / "w1", UUID)
    assert not versions.is_of(tmp_path / "5", 5)


@pytest.mark.parametrize(
    ("text", "sent"),
    [('W/"x"', True), ("a" * 1000, True), ("a" * 1001, False), ("", False), ("a\n", False),
     ("é", False), (None, False), (5, False)],
)  # fmt: skip
def test_a_mark_of_a_server_is_kept_if_it_can_be_sent_back(text, sent):
    assert versions.validator(text) == (text if sent else None)


@pytest.mark.parametrize(
    ("times", "last"),
    [
        (["2024-01-01", "2024-01-01T00:00:01"], "2024-01-01T00:00:01"),
        (["2024-01-01T02:00:00+02:00", "2024-01-01T00:30:00Z"], "2024-01-01T00:30:00Z"),
        ([None, "soon"], None), ([], None),
    ],
)  # fmt: skip
def test_the_latest_of_some_times(times, last):
    assert versions.latest(times) == last


@pytest.mark.parametrize(("age", "left"), [(3500, True), (3700, False)])
def test_what_a_killed_writer_left_is_removed_an_hour_later(version, age, left):
    folder, now = version.parent, datetime.now().timestamp()  # noqa: DTZ005
    (folder / ".tmp-dir").mkdir()
    (folder / ".tmp-file").write_text("")
    (folder / "notes").write_text("")
    for name in (".tmp-dir", ".tmp-file", "notes"):
        os.utime(folder / name, (now - age, now - age))
    versions.commit(version.with_name(NAME.replace("2026", "2027")), RECORD, PAYLOAD)
    found = {path.name for path in folder.iterdir()}
    assert {".tmp-dir", ".tmp-file"} & found == ({".tmp-dir", ".tmp-file"} if left else set())
    assert {"notes", NAME} < found


def test_a_writer_that_fails_leaves_nothing_and_one_that_is_second_is_none(version, monkeypatch):
    target = version.with_name(NAME.replace("2026", "2027"))
    versions.commit(version, RECORD, PAYLOAD)  # the same bytes, by somebody else

    def full(*_):
        raise OSError("full")

    monkeypatch.setattr(versions.files, "write_together", full)
    with pytest.raises(OSError, match="full"):
        versions.commit(target, RECORD, PAYLOAD)
    assert [path.name for path in version.parent.iterdir()] == [NAME]


def test_what_is_no_object_is_no_record(version):
    for content, found in ((b"[]", "an array"), (b"null", "null")):
        (version / "record.json").write_bytes(content)
        reason = f"record.json is not a record ($: expected an object, found {found})"
        assert said(versions.read_record, version) == warned(reason)
    with pytest.raises(PayloadError, match="found text"):
        versions._as_record(version, "text")
