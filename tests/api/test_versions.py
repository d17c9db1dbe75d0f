"""The versions of an entry: their records, their names, and messages about damage."""

import hashlib
import os
from dataclasses import replace
from datetime import datetime

import pytest
from error_parts import raises

from sims_analysis.api import versions
from sims_analysis.errors import ArchiveError
from sims_analysis.text.times import latest

PAYLOAD = b"[]\n"
SHA = hashlib.sha256(PAYLOAD).hexdigest()
RECORD = versions.Record(
    data_id="w1", url="https://lab.example/sims/w1", retrieved="2026-01-02T03:04:05.000006+00:00",
    sha256=SHA,
)  # fmt: skip
CONTENTS = versions.contents_of(RECORD, PAYLOAD, None)
NAME = f"20260102T030405.000006Z-{SHA[:8]}"


@pytest.fixture
def version(tmp_path):
    """A version of an entry, whole."""
    folder = tmp_path / "lab" / "entries" / "w1"
    versions.commit(folder, NAME, CONTENTS)
    return folder / NAME


def message_of(call, *args, **options):
    with pytest.raises(ArchiveError) as caught:
        call(*args, **options)
    return str(caught.value)


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
    return versions.next_version([Path("lab/entries/w1") / name for name in before], record)


def test_a_version_is_named_after_its_time_and_the_one_before(approved):
    assert named() == NAME
    assert named(retrieved="0987-01-02T03:04:05+00:00") == f"09870102T030405.000000Z-{SHA[:8]}"
    assert named("20250101T000000.000000Z-00000000") == NAME
    after = f"20260102T030405.000007Z-{SHA[:8]}"
    assert named("20260102T030405.000006Z-00000000") == after
    assert named("20260102t030405.000006z-00000000") == after
    assert named("20270101T000000.000000Z-00000000") == f"20270101T000000.000001Z-{SHA[:8]}"
    for stamp in ("99991231T235959.999999Z", "20261301T000000.000000Z"):
        with raises(ArchiveError, "damaged_entry", data_id="w1", text=approved):
            named(f"{stamp}-00000000")


UUID = "D290F1EE-6C54-4B01-90E6-D701748F0851"


def test_a_uuid_is_the_same_however_it_is_spelled(tmp_path):
    plain = UUID.replace("-", "")
    for spelled in (UUID, f"{{{UUID}}}", plain, f"{{{plain}}}", UUID.lower()):
        assert versions.canonical(spelled) == UUID.lower()
    others = [UUID + "0", UUID[:-1] + "G", UUID[:9] + plain[8:], f"{{{UUID}", f"{UUID}}}"]
    for other in ("W1", *others):
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
    assert latest(times) == last


@pytest.mark.parametrize(("age", "left"), [(3500, True), (3700, False)])
def test_what_a_killed_writer_left_is_removed_an_hour_later(version, age, left):
    folder, now = version.parent, datetime.now().timestamp()  # noqa: DTZ005
    (folder / ".tmp-dir").mkdir()
    (folder / ".tmp-file").write_text("")
    (folder / "notes").write_text("")
    for name in (".tmp-dir", ".tmp-file", "notes"):
        os.utime(folder / name, (now - age, now - age))
    versions.commit(folder, NAME.replace("2026", "2027"), CONTENTS)
    found = {path.name for path in folder.iterdir()}
    assert {".tmp-dir", ".tmp-file"} & found == ({".tmp-dir", ".tmp-file"} if left else set())
    assert {"notes", NAME} < found


def test_a_writer_that_fails_leaves_nothing_and_one_that_is_second_is_none(version, monkeypatch):
    versions.commit(version.parent, NAME, CONTENTS)  # the same bytes, by somebody else

    def full(*_):
        raise OSError("full")

    monkeypatch.setattr(versions.files, "write_durably", full)
    with pytest.raises(OSError, match="full"):
        versions.commit(version.parent, NAME.replace("2026", "2027"), CONTENTS)
    assert [path.name for path in version.parent.iterdir()] == [NAME]
