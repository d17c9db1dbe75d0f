"""The archive: what it keeps, what it refuses, and what it survives."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from call_counts import calls
from error_parts import raises
from faulty_server import REFERENCE, REFERENCE_ID
from single_profiles import profile_of

from sims_analysis import files
from sims_analysis.api import archive as archive_module
from sims_analysis.api import versions
from sims_analysis.api.archive import Archive
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import (
    ApiError,
    ArchiveError,
    PayloadError,
    ProfileError,
    ReadError,
    SimsError,
)
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.readers.files import read

URL = f"https://lab.example/sims/{REFERENCE_ID}"
#: How many writes the test that kills the writer makes; 1,000 take a minute.
KILLED_WRITES = int(os.environ.get("SIMS_KILLED_WRITES", "40"))


def payload(concentration: float = 1e18, samples: int = 5) -> bytes:
    profile = json.loads(REFERENCE)[0]
    profile["depths"] = list(range(samples))
    profile["concentrations"] = [concentration] * samples
    return json.dumps([profile]).encode()


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path / "paper-data")
    archive.put(REFERENCE_ID, REFERENCE, url=URL)
    return archive


def version_of(archive, data_id=REFERENCE_ID):
    return max(archive.folder(data_id).glob("2*"))


# ---- what it keeps


def test_bytes_are_kept_as_received(archive):
    assert archive.payload(REFERENCE_ID) == REFERENCE
    assert (version_of(archive) / "payload.json").read_bytes() == REFERENCE
    assert archive.get(REFERENCE_ID).species == ["Si"]


def test_the_record_is_readable(archive):
    text = (version_of(archive) / "record.json").read_text()
    record = json.loads(text)
    assert text.count("\n") == len(record) + 2
    retrieved = record.pop("retrieved")
    assert abs((datetime.now(UTC) - datetime.fromisoformat(retrieved)).total_seconds()) < 60
    assert retrieved.endswith("Z")
    assert record == {
        "data_id": REFERENCE_ID,
        "url": URL,
        "sha256": hashlib.sha256(REFERENCE).hexdigest(),
        "last_updated": "2024-01-15T10:35:00Z",
        "sims_analysis_version": archive.record(REFERENCE_ID).sims_analysis_version,
        "format_version": 1,
    }


def test_the_layout_is_explained_inside(archive):
    readme = (archive.path / "README.txt").read_text()
    for word in ("format version 1", "payload.json", "record.json", "sha256", "catalogue.json"):
        assert word in readme
    about = {"about": "SIMS depth profiles; see README.txt", "format_version": 1}
    assert json.loads((archive.path / "archive.json").read_text()) == about
    assert (archive.path / ".gitattributes").read_text() == "entries/** -text\n"


def test_a_readme_of_the_user_is_left_alone(tmp_path):
    (tmp_path / "README.txt").write_text("my paper")
    Archive(tmp_path).put("a", REFERENCE, url=URL)
    assert (tmp_path / "README.txt").read_text() == "my paper"


def test_superseded_versions_are_kept(archive):
    for i in range(3):
        archive.put(REFERENCE_ID, payload(i + 1.0), url=URL)
    hashes = [record.sha256 for record in archive.versions(REFERENCE_ID)]
    assert hashes[0] == hashlib.sha256(REFERENCE).hexdigest()
    assert len(set(hashes)) == 4
    assert archive.record(REFERENCE_ID).sha256 == hashes[-1]
    assert archive.payload(REFERENCE_ID, sha256=hashes[0]) == REFERENCE
    with raises(ArchiveError, "not_archived", data_id=REFERENCE_ID):
        archive.get(REFERENCE_ID, sha256="0" * 64)


def test_the_same_bytes_add_nothing(archive):
    first = archive.record(REFERENCE_ID)
    result = archive.put(REFERENCE_ID, REFERENCE, url="https://mirror.example/")
    assert archive.versions(REFERENCE_ID) == [first]
    assert result.provenance == first.provenance
    for name in ("old", "new"):
        known = {"data_id": REFERENCE_ID, "name": name}
        archive.put(REFERENCE_ID, REFERENCE, url=URL, catalogue=known)
        assert archive.catalogue(REFERENCE_ID) == known
    assert archive.put(REFERENCE_ID.upper(), payload(), url=URL).data_id == REFERENCE_ID
    archive.put(REFERENCE_ID, REFERENCE, url=URL)
    assert len(archive.versions(REFERENCE_ID)) == 3, "back to the first is a change again"


def test_the_version_added_last_is_current_whatever_the_clock_says(archive, monkeypatch):
    class Past(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime(2001, 1, 1, tzinfo=tz)

    monkeypatch.setattr(archive_module, "datetime", Past)
    archive.put(REFERENCE_ID, payload(), url=URL)
    assert archive.payload(REFERENCE_ID) == payload()
    assert archive.record(REFERENCE_ID).retrieved.startswith("2001-01-01")


def test_a_broken_payload_is_not_kept(archive):
    for broken in (b"", b"{}", b"[{}]", REFERENCE[:-1], b'[{"a": 1, "a": 2}]'):
        with pytest.raises(PayloadError):
            archive.put("broken", broken, url=URL)
    assert "broken" not in archive
    assert archive.ids() == [REFERENCE_ID]


# ---- names


IDS = [
    "boron-implant",
    REFERENCE_ID,
    "W1",
    "w1",
    "../../etc",
    "a/b",
    "..",
    ".",
]
IDS += ["con", "µm", "x" * 300, "tab\there", "nul\0", "C:\\x", "a.", "~", "*?", "a~b", " ", "-rf"]


def test_any_id_comes_back(tmp_path):
    archive = Archive(tmp_path / "a")
    for i, data_id in enumerate(IDS):
        archive.put(data_id, payload(i + 1.0), url=URL)
    assert archive.ids() == sorted(IDS)
    assert len(archive) == len(IDS)
    for i, data_id in enumerate(IDS):
        assert data_id in archive
        assert archive.get(data_id).data_id == data_id
        assert archive.payload(data_id) == payload(i + 1.0)
    assert archive.verify() == {}
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("bad", ["", None, 1, "\ud800"])
def test_what_is_no_id_is_refused(archive, bad):
    with raises(ArchiveError, argument="data_id"):
        archive.get(bad)
    with raises(ArchiveError, argument="data_id"):
        archive.put(bad, REFERENCE, url=URL)


# ---- ten ways of damage


def cut(version):
    file = version / "payload.json"
    file.write_bytes(file.read_bytes()[:-10])


def flip(version):
    file = version / "payload.json"
    content = bytearray(file.read_bytes())
    content[100] ^= 1
    file.write_bytes(content)


def empty(version):
    (version / "payload.json").write_bytes(b"")


def lose_payload(version):
    (version / "payload.json").unlink()


def lose_record(version):
    (version / "record.json").unlink()


def line_ends(version):
    file = version / "payload.json"
    file.write_bytes(file.read_bytes() + b"\r\n")


def edit(**fields):
    def damage(version):
        file = version / "record.json"
        record = json.loads(file.read_text()) | fields
        file.write_text(json.dumps({k: v for k, v in record.items() if v is not ...}))

    damage.__name__ = f"edit {fields}"
    return damage


def garble_record(version):
    (version / "record.json").write_bytes(b"\0" * 50)


def list_record(version):
    (version / "record.json").write_bytes(b"[]")


def swap(version):
    shutil.copy(version / "payload.json", version.parent / "keep")
    (version / "payload.json").write_bytes(payload(9e9))


def directory_for_payload(version):
    (version / "payload.json").unlink()
    (version / "payload.json").mkdir()


def edit_both(version):
    """Change a number, and the hash with it: the folder's name still holds the old one."""
    (version / "payload.json").write_bytes(payload(9e9))
    edit(sha256=hashlib.sha256(payload(9e9)).hexdigest())(version)


DAMAGES = [
    cut,
    flip,
    empty,
    lose_payload,
    lose_record,
    line_ends,
    garble_record,
    list_record,
    swap,
    directory_for_payload,
    edit_both,
    edit(sha256="0" * 64),
    edit(sha256=1),
    edit(sha256=...),
    edit(data_id="other"),
    edit(url=None),
    edit(format_version=99),
    edit(format_version="1"),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_is_refused_by_name_and_found(archive, damage):
    archive.put("sound", REFERENCE, url=URL)
    assert archive.verify() == {}
    version = version_of(archive)
    damage(version)
    newer, damaged = {"code": "newer_format"}, {"code": "damaged_entry", "data_id": REFERENCE_ID}
    for use in (archive.get, archive.payload):
        with raises(ArchiveError, **(newer if "99" in damage.__name__ else damaged)):
            use(REFERENCE_ID)
    assert list(archive.verify()) == [f"{REFERENCE_ID}/{version.name}"]
    assert archive.get("sound").species == ["Si"]
    assert archive.ids() == sorted([REFERENCE_ID, "sound"])


def test_a_payload_that_breaks_the_contract_is_damage(archive):
    version = version_of(archive)
    body = b"[{}]"
    digest = hashlib.sha256(body).hexdigest()
    (version / "payload.json").write_bytes(body)
    edit(sha256=digest)(version)
    version = version.rename(version.with_name(version.name[:-8] + digest[:8]))
    with raises(ArchiveError, "damaged_entry", data_id=REFERENCE_ID):
        archive.get(REFERENCE_ID)
    assert len(archive.verify()) == 1


def test_what_is_no_archive_is_refused(tmp_path):
    for path in (tmp_path, tmp_path / "typo"):
        for use in (Archive.ids, Archive.verify, lambda a: a.get("a"), lambda a: a.versions("a")):
            with raises(ArchiveError, "no_archive"):
                use(Archive(path))
    file = tmp_path / "file"
    file.write_text("x")
    with raises(ArchiveError, "no_archive"):
        Archive(file).ids()
    with raises(ArchiveError, "failed_write"):
        Archive(file).put("a", REFERENCE, url=URL)


def test_a_disk_that_fails_leaves_the_old_entry(archive, monkeypatch):
    old = {"data_id": REFERENCE_ID, "name": "old"}
    archive.put_catalogue(REFERENCE_ID, old)

    def full(path, content):
        path.write_bytes(content[:10])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(files, "write_durably", full)
    with raises(ArchiveError, "failed_write"):
        archive.put(REFERENCE_ID, payload(), url=URL)
    with raises(ArchiveError, "failed_write"):
        archive.put_catalogue(REFERENCE_ID, {"data_id": REFERENCE_ID, "name": "new"})
    assert archive.payload(REFERENCE_ID) == REFERENCE
    assert archive.catalogue(REFERENCE_ID) == old
    assert archive.verify() == {}
    assert not list(archive.path.rglob(files.TEMPORARY + "*"))


def test_a_version_is_on_the_disk_before_it_appears(tmp_path, monkeypatch):
    fsync, rename, events = os.fsync, Path.rename, []

    def synced(descriptor):
        fsync(descriptor)
        events.append(os.fstat(descriptor).st_ino)

    def renamed(path, target):
        events.append([p.stat().st_ino for p in (*sorted(path.iterdir()), path)])
        return rename(path, target)

    archive = Archive(tmp_path)
    archive.put("a", REFERENCE, url=URL)
    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    result = SIMSResult.from_json(REFERENCE, data_id="c", provenance={"source": URL})
    archive.keep("c", result, REFERENCE)
    events.clear()
    archive.put("b", REFERENCE, url=URL)
    (at,) = [i for i, event in enumerate(events) if isinstance(event, list)]
    assert set(events[at]) <= set(events[:at])
    assert {p.stat().st_ino for p in (archive.folder("b"), tmp_path / "entries")} <= set(
        events[at + 1 :]
    )
    events.clear()
    archive.put("c", REFERENCE, url=URL)
    folders = (archive.folder("c"), tmp_path / "entries")
    assert {p.stat().st_ino for p in folders} == set(events), "what was fetched is there to stay"


# ---- add and export


def test_add_profiles(tmp_path):
    archive = Archive(tmp_path)
    profile = profile_of(np.arange(3.0), [1.0, np.nan, 3.0])
    with raises(ArchiveError, "missing_id", argument="data_id"):
        archive.add(profile)
    result = archive.add([profile], data_id="w1")
    assert result.provenance["source"] == "profiles in memory"
    assert archive.get("w1").depth_profiles == [profile]
    again = archive.add(archive.get("w1"), data_id="w2")
    assert again.provenance["source"] == "profiles in memory"
    assert again.provenance["retrieved"] == result.provenance["retrieved"]
    named = SIMSResult(data_id="w3", depth_profiles=[profile])
    assert archive.add(named, url="synthetic", retrieved=datetime(2024, 1, 1, tzinfo=UTC))
    assert archive.record("w3").url == "synthetic"
    assert archive.record("w3").retrieved == "2024-01-01T00:00:00Z"
    assert version_of(archive, "w3").name.startswith("20240101T000000.000000Z-")
    handmade = replace(result, provenance={"retrieved": "yesterday"})
    with raises(ApiError, argument="retrieved"):
        archive.add(handmade, data_id="w4")


def test_an_entry_of_any_year_is_found(archive):
    archive.put("old", REFERENCE, url=URL, retrieved=datetime(900, 1, 2, tzinfo=UTC))
    assert "old" in archive
    (version,) = archive.folder("old").iterdir()
    assert version.name.startswith("09000102T000000.000000Z-")
    archive.put("old", payload(), url=URL)
    assert len(archive.versions("old")) == 2


AT_EXIT = """
import atexit, sys
from sims_analysis.api.archive import Archive
archive = Archive(sys.argv[1])
archive.put("a", sys.argv[2].encode(), url="test")
atexit.register(lambda: archive.put("b", sys.argv[2].encode(), url="test"))
"""


def test_a_program_that_ends_may_write(tmp_path):
    command = [sys.executable, "-c", AT_EXIT, str(tmp_path), REFERENCE.decode()]
    ended = subprocess.run(command, capture_output=True, check=True)
    assert ended.stderr == b""
    assert Archive(tmp_path).ids() == ["a", "b"]


@pytest.mark.parametrize("content", [REFERENCE, b" \n\t" + REFERENCE, b"[ " + REFERENCE[1:]])
def test_a_file_of_json_is_kept_byte_for_byte(content, tmp_path):
    file = tmp_path / "w1.txt"
    file.write_bytes(content)
    archive = Archive(tmp_path / "a")
    assert archive.add(file).data_id == REFERENCE_ID
    archive.add(str(file), data_id="w1")
    assert archive.payload("w1") == content
    assert archive.record("w1").url == "file:w1.txt"


@pytest.mark.parametrize("text", ["[{}]", '{"a": 1}', " [ {"])
def test_json_is_never_read_as_a_table(text, tmp_path):
    (tmp_path / "w1.csv").write_text(text)
    with pytest.raises(PayloadError):
        Archive(tmp_path / "a").add(tmp_path / "w1.csv", data_id="w1")


def test_a_file_that_is_not_there_is_named(tmp_path):
    where = str(tmp_path / "none.json")
    with raises(ArchiveError, "unreadable_file"):
        Archive(tmp_path / "a").add(where)


@pytest.mark.parametrize("kind", [str, Path])
def test_add_a_file_of_an_instrument(kind, tmp_path):
    file = tmp_path / "w7.csv"
    file.write_text("Depth (nm),B\n0,1e18\n10,2e18\n20,3e18\n")
    archive = Archive(tmp_path / "a")
    with raises(SimsError, "missing_unit", argument="units", species="B"):
        archive.add(kind(file))
    assert archive.add(kind(file), units="atoms/cm^3").data_id == "w7"
    (profile,) = archive.get("w7").depth_profiles
    assert list(profile.concentrations) == [1e18, 2e18, 3e18]
    assert archive.record("w7").url == "file:w7.csv"
    assert archive.add(kind(file), units="atoms/cm^3", data_id="mine").data_id == "mine"
    assert archive.verify() == {}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes")
@pytest.mark.parametrize("content", [REFERENCE, b"Depth (nm),B\n0,1e18\n"], ids=["json", "table"])
def test_add_from_a_pipe(content, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(content,), daemon=True)
    writer.start()
    archive = Archive(tmp_path / "a")
    if content == REFERENCE:
        assert archive.add(pipe).data_id == REFERENCE_ID
    else:
        with raises(ArchiveError, "unreadable_file"):
            archive.add(pipe)
    writer.join(5)


def test_add_what_has_no_json_form(tmp_path):
    profile = profile_of([0, 1], [1, 2], species_metadata={"file": object()})
    with raises(ProfileError, "invalid_metadata", data_id=""):
        Archive(tmp_path).add(profile, data_id="a")


def test_export_copies_every_version(archive, tmp_path):
    archive.put(REFERENCE_ID, payload(), url=URL)
    archive.put_catalogue(REFERENCE_ID, {"data_id": REFERENCE_ID, "name": "me"})
    archive.put("b", REFERENCE, url=URL)
    other = archive.export([REFERENCE_ID], tmp_path / "other")
    assert other.ids() == [REFERENCE_ID]
    assert other.versions(REFERENCE_ID) == archive.versions(REFERENCE_ID)
    assert other.catalogue(REFERENCE_ID) == archive.catalogue(REFERENCE_ID)
    assert archive.export("b", tmp_path / "other").ids() == sorted([REFERENCE_ID, "b"])
    archive.export(archive, other.path)
    assert other.verify() == {}
    assert len(other.versions(REFERENCE_ID)) == 2
    with raises(ArchiveError, "not_archived", data_id="c"):
        archive.export(["c"], other.path)


def test_two_archives_merge_by_copying(archive, tmp_path):
    other = archive.export(archive, tmp_path / "other")
    archive.put(REFERENCE_ID, payload(1.0), url=URL)
    other.put(REFERENCE_ID, payload(2.0), url=URL)
    shutil.copytree(other.path, archive.path, dirs_exist_ok=True)
    assert archive.verify() == {}
    assert len(archive.versions(REFERENCE_ID)) == 3


# ---- writers at the same time, and writers that die


def test_many_writers_of_one_entry(tmp_path):
    archive = Archive(tmp_path / "a")
    failures = []

    def write(writer):
        try:
            for i in range(5):
                archive.put("shared", payload(1.0 + 10 * writer + i), url=URL)
                archive.put(f"own-{writer}", payload(i + 1.0), url=URL)
                archive.get("shared")
        except Exception as error:  # noqa: BLE001 - to be seen in the thread that asserts
            failures.append(error)

    with ThreadPoolExecutor(6) as threads:
        threads.map(write, range(6))
    assert failures == []
    assert archive.verify() == {}
    assert len(archive.versions("shared")) == 30
    assert len(archive) == 7


def test_writers_of_the_same_bytes(tmp_path):
    archive = Archive(tmp_path)
    barrier = threading.Barrier(8)

    def write(_):
        barrier.wait()
        archive.put("a", REFERENCE, url=URL)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    assert archive.verify() == {}
    assert archive.payload("a") == REFERENCE


def write_without_end(archive, number, report):
    """Write again and again, saying after each write which one it was."""
    while True:
        number += 1
        data_id = f"id-{number % 7}"
        archive.put(data_id, payload(float(number), samples=1000), url="test")
        archive.put_catalogue(data_id, {"data_id": data_id, "name": "x" * 100_000})
        os.write(report, f"{number}\n".encode())


def kill_writers(path, writes):
    """Kill writers at random moments, and look at what they leave."""
    archive = Archive(path)
    clock = random.Random(0)  # noqa: S311 - when to kill
    done = kills = 0
    while done < writes:
        read, report = os.pipe()
        writer = os.fork()
        if not writer:
            write_without_end(archive, done, report)
        os.close(report)
        with open(read, "rb") as reports:  # noqa: PTH123 - a descriptor
            first = reports.readline()
            time.sleep(clock.uniform(0, 0.02))
            os.kill(writer, signal.SIGKILL)
            os.waitpid(writer, 0)
            done = max(int(line) for line in [first, *reports] if line.endswith(b"\n"))
        kills += 1
        assert archive.verify() == {}, archive.verify()
        current = archive.get(f"id-{done % 7}").depth_profiles[0].concentrations[0]
        assert current >= done, "what was reported as written is there"
    assert kills > writes / 20


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_killed_writer_leaves_every_entry_whole(tmp_path):
    # In a process of its own, which has no threads that a fork would leave behind.
    script = (
        f"from test_archive import kill_writers; kill_writers({str(tmp_path)!r}, {KILLED_WRITES})"
    )
    path = os.pathsep.join([str(Path(__file__).parent), str(Path(__file__).parents[1]), *sys.path])
    subprocess.run(
        [sys.executable, "-c", script], check=True, env={**os.environ, "PYTHONPATH": path}
    )


def test_an_entry_is_read_alone_however_many_there_are(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: None)
    archive = Archive(tmp_path)
    archive.put("first", payload(samples=2), url=URL)
    archive.get("first")  # what the first one imports
    alone = calls(lambda: archive.get("first"))
    for i in range(50):
        archive.put(f"id-{i}", payload(samples=2), url=URL)
    assert calls(lambda: archive.get("first")) < alone + 25


def test_another_measurement_under_the_same_id_is_not_lost_in_silence(tmp_path):
    def profile(values):
        return DepthProfile(
            species_name="B", depths=[0, 1], depth_units="nm",
            concentrations=values, concentration_units="cm^-3", data_id="2",
        )  # fmt: skip

    archive = Archive(tmp_path)
    archive.add(profile([1, 2]))
    archive.add(profile([1, 2]))
    with raises(ArchiveError, "other_measurement", data_id="2"):
        archive.add(profile([3, 4]))
    archive.add(profile([3, 4]), replace=True)
    assert archive.get("2")["B"].concentrations.tolist() == [3, 4]
    assert len(archive.versions("2")) == 2


def test_of_several_measurements_added_under_one_id_one_wins(tmp_path):
    archive, together = Archive(tmp_path / "lab"), threading.Barrier(8)

    def add(value):
        profile = DepthProfile(
            species_name="B", depths=[0, 1], depth_units="nm", data_id="w1",
            concentrations=[value, 2.0], concentration_units="cm^-3",
        )  # fmt: skip
        together.wait()
        try:
            archive.add(profile)
        except ArchiveError as error:
            return error.code
        return "kept"

    with ThreadPoolExecutor(8) as threads:
        outcomes = sorted(threads.map(add, range(8)))
    assert outcomes == ["kept"] + 7 * ["other_measurement"]
    assert len(archive.versions("w1")) == 1


def test_nothing_is_added_over_an_entry_that_is_damaged(archive):
    (version_of(archive) / "payload.json").write_bytes(b"[]")
    other = DepthProfile.from_dict(json.loads(payload())[0])
    with raises(ArchiveError, "damaged_entry", data_id=REFERENCE_ID):
        archive.add(other, data_id=REFERENCE_ID)
    archive.add(other, data_id=REFERENCE_ID, replace=True)
    assert archive.get(REFERENCE_ID)["Si"].concentrations.tolist() == [1e18] * 5


def test_a_payload_beyond_the_memory_is_not_added(tmp_path):
    archive = Archive(tmp_path / "a")
    (tmp_path / "w1.json").write_bytes(REFERENCE)
    with raises(ArchiveError, "too_large", argument="max_bytes"):
        archive.add(tmp_path / "w1.json", max_bytes=100)
    assert not (tmp_path / "a").exists()
    archive.add(tmp_path / "w1.json", max_bytes=2**20)


def test_an_empty_id_is_none(tmp_path):
    profile = {**json.loads(REFERENCE)[0], "data_id": None}
    (tmp_path / "w1.json").write_text(json.dumps([profile]))
    assert read(tmp_path / "w1.json").data_id == ""
    with raises(ArchiveError, "missing_id", argument="data_id"):
        Archive(tmp_path / "a").add(tmp_path / "w1.json")
    blank = profile | {"data_id": " "}
    (tmp_path / "w2.json").write_text(json.dumps([profile, blank, json.loads(REFERENCE)[0]]))
    assert read(tmp_path / "w2.json").data_id == REFERENCE_ID


def test_profiles_of_two_entries_are_refused_without_an_id(tmp_path, approved):
    two = [{**json.loads(REFERENCE)[0], "data_id": name, "species_name": name} for name in "ab"]
    (tmp_path / "w.json").write_text(json.dumps(two))
    with raises(ReadError, "invalid_payload", text=approved):
        read(tmp_path / "w.json")
    archive = Archive(tmp_path / "a")
    profiles = [DepthProfile.from_dict(one) for one in two]
    for source in (tmp_path / "w.json", profiles):
        with raises(PayloadError, "several_measurements", argument="data_id", path="$[1].data_id"):
            archive.add(source)
    assert not archive.path.exists()
    assert archive.add(profiles, data_id="both").species == ["a", "b"]
    assert archive.verify() == {}
    assert archive.get("both").data_id == "both"
    assert "" not in Archive(tmp_path / "a")


def test_a_file_of_several_measurements_is_several_entries(tmp_path):
    path = tmp_path / "wafers.csv"
    path.write_text(
        "Sample,Depth (nm),B (atoms/cm3)\n"
        + "".join(f"W{w},{z},{1e18 + w * z:g}\n" for w in (1, 2) for z in range(6))
    )
    with raises(ArchiveError, "several_measurements"):
        Archive(tmp_path / "archive").add(path, data_id="w", samples="Sample")


# ---- what is refused, in full words


def test_the_folder_of_an_archive_has_a_name(approved):
    for name in ("", "a\0b"):
        with raises(ArchiveError, text=approved):
            Archive(name)


def test_messages_for_entries_that_are_not_in_the_archive(archive, approved):
    with raises(ArchiveError, "not_archived", text=approved):
        archive.get("w1")
    with raises(ArchiveError, argument="data_id", text=approved):
        archive.folder("\ud800")
    sha256 = hashlib.sha256(REFERENCE).hexdigest()
    for known in (sha256[:8], sha256.upper(), sha256[:40]):
        assert archive.get(REFERENCE_ID, sha256=known).species == ["Si"]
    unlike, others = ("0" * 7, "0" * 65, "g" * 8), ("0" * 8, "0" * 64, sha256[:8] + "0" * 56)
    for other in (*unlike, *others):
        with raises(ArchiveError, text=approved):
            archive.get(REFERENCE_ID, sha256=other)


def test_a_folder_that_cannot_be_written_to_is_named(tmp_path, approved):
    (tmp_path / "file").touch()
    with raises(ArchiveError, "failed_write", text=approved):
        Archive(tmp_path / "file" / "lab").put("w1", REFERENCE, url=URL)


@pytest.mark.parametrize("name", ["payload.json", "../catalogue.json"])
def test_what_is_damaged_is_named_and_not_copied(archive, tmp_path, name):
    archive.put("w1", payload(), url=URL, catalogue={"data_id": "w1"})
    (version,) = versions.list_versions(archive.folder("w1"))
    (version / name).write_bytes(b"[]")
    with pytest.raises(ArchiveError) as caught:
        archive.export(archive.ids(), tmp_path / "copy")
    assert caught.value.code == "damaged_entry"
    assert caught.value.where["data_id"] == "w1"
    assert Archive(tmp_path / "copy").ids() == [REFERENCE_ID]
