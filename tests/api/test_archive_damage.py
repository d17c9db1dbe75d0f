"""An archive that is damaged, foreign, full, or elsewhere: one thing hides no other."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from error_parts import raises, warns
from faulty_server import KEY, REFERENCE

from sims_analysis import files
from sims_analysis.api import versions
from sims_analysis.api.archive import Archive
from sims_analysis.api.client import Client
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ArchiveError, SimsWarning

ROOT = Path(__file__).parents[2]
ODD = "Wafer 1"


def body_of(data_id, value=1.0):
    return json.dumps(
        [json.loads(REFERENCE)[0] | {"data_id": data_id, "concentrations": [value] * 5}]
    ).encode()


def known(data_id):
    return {"data_id": data_id, "char_source_type": "sims"}


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path / "archive")
    for data_id in ("a", "b", ODD):
        archive.put(data_id, body_of(data_id), url="test", catalogue=known(data_id))
    return archive


def version_of(archive, data_id="a"):
    return versions.list_versions(archive.folder(data_id))[-1]


# ---- what is no plain file


def as_link(path, elsewhere):
    elsewhere.write_bytes(path.read_bytes())
    path.unlink()
    path.symlink_to(elsewhere)


def as_fifo(path, elsewhere):
    path.unlink()
    os.mkfifo(path)


def as_socket(path, elsewhere):
    path.unlink()
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(here)


def as_device(path, elsewhere):
    path.unlink()
    path.symlink_to("/dev/zero")


def as_folder(path, elsewhere):
    path.unlink()
    path.mkdir()


SMUGGLED = [as_link, as_fifo, as_socket, as_device, as_folder]
posix = pytest.mark.skipif(os.name != "posix", reason="links and pipes as POSIX has them")


@posix
@pytest.mark.parametrize("kind", SMUGGLED)
@pytest.mark.parametrize("name", ["payload.json", "record.json"])
def test_what_is_no_plain_file_is_refused_by_name(archive, tmp_path, kind, name):
    kind(version_of(archive) / name, tmp_path / "elsewhere")
    for use in (archive.get, archive.payload):
        with raises(ArchiveError, "damaged_entry", data_id="a"):
            use("a")
    assert list(archive.verify()) == [f"a/{version_of(archive).name}"]
    assert archive.get("b").species == ["Si"]


@posix
@pytest.mark.parametrize("kind", SMUGGLED)
def test_a_catalogue_that_is_no_plain_file(archive, tmp_path, kind):
    kind(archive.folder("a") / "catalogue.json", tmp_path / "elsewhere")
    with raises(ArchiveError, "damaged_entry", data_id="a"):
        archive.catalogue("a")
    assert list(archive.verify()) == ["a/catalogue.json"]


@posix
@pytest.mark.parametrize("level", ["entry", "version", "entries", "archive.json"])
def test_a_folder_that_leads_elsewhere_is_refused(archive, tmp_path, level, approved):
    place = {
        "entry": archive.folder("a"),
        "version": version_of(archive),
        "entries": archive.path / "entries",
        "archive.json": archive.path / "archive.json",
    }[level]
    elsewhere = tmp_path / "elsewhere"
    place.rename(elsewhere)
    place.symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))
    if level != "archive.json":
        damaged = {"code": "damaged_entry", "data_id": "a"} if level == "version" else {}
        with raises(ArchiveError, text=approved, **damaged):
            archive.get("a")
        if level != "version":
            with raises(ArchiveError, "failed_write"):
                archive.put("a", body_of("a", 2.0), url="test")
        assert sorted(elsewhere.rglob("*")) == before, "nothing is written there either"
    if level in {"entries", "archive.json"}:
        code = "no_archive" if level == "archive.json" else ""
        with raises(ArchiveError, code, text=approved):
            archive.ids()
    else:
        assert len(archive.verify()) == 1
        assert archive.get("b")


# ---- one damaged thing hides no other


def test_a_damaged_record_hides_no_other_entry(archive):
    (version_of(archive, ODD) / "record.json").write_bytes(b"")
    with warns(SimsWarning, "damaged_entry", data_id=""):
        assert archive.ids() == ["a", "b"]
    with warns(SimsWarning, "damaged_entry", data_id=""):
        assert Client(archive=archive, offline=True).search().ids == ["a", "b"]
    assert len(archive.verify()) == 1


def test_a_damaged_version_hides_no_other_version(archive):
    archive.put(ODD, body_of(ODD, 2.0), url="test")
    (version_of(archive, ODD) / "record.json").write_bytes(b"{}")
    with warns(SimsWarning, "damaged_entry", data_id="wafer_1~a564a29b2b20e572"):
        assert len(archive.versions(ODD)) == 1
    assert ODD in archive.ids()
    with raises(ArchiveError, "damaged_entry", data_id="wafer_1~a564a29b2b20e572"):
        archive.get(ODD)


DEEP = b'{"data_id": "a", "x": ' + b"[" * 300 + b"]" * 300 + b"}"


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b'{"data_id": "a", "tags": 5}', b"\xff", b'{"data_id": "b"}', DEEP],
    ids=["empty", "array", "types", "bytes", "of another", "deeper than is written"],
)
def test_a_damaged_catalogue_hides_no_entry(archive, content):
    (archive.folder("a") / "catalogue.json").write_bytes(content)
    client = Client(archive=archive, offline=True)
    with warns(SimsWarning, "damaged_entry", data_id="a"):
        assert client.search().ids == sorted(["a", "b", ODD])
    with warns(SimsWarning, "damaged_entry", data_id="a"):
        assert client.entry("a").last_updated == "2024-01-15T10:35:00Z"


def test_what_the_catalogue_says_of_another_entry_is_not_kept(archive):
    before = archive.catalogue("a")
    with raises(ArchiveError, "other_measurement", data_id="b"):
        archive.put_catalogue("a", known("b"))
    with raises(ArchiveError, "other_measurement", data_id="b"):
        archive.put("a", body_of("a"), url="test", catalogue=known("b"))
    assert archive.catalogue("a") == before


@pytest.mark.parametrize(
    "field",
    [
        *({"last_updated": moment} for moment in (5, ["2024-01-01"], {})),
        *({"retrieved": moment} for moment in (5, "yesterday", "")),
    ],
    ids=repr,
)
def test_what_is_no_time_in_a_record_is_damage(archive, field):
    file = version_of(archive, "a") / "record.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | field))
    with warns(SimsWarning, "damaged_entry", data_id="a"):
        assert archive.versions("a") == []
    assert list(archive.verify()) == [file.parent.relative_to(file.parents[2]).as_posix()]


def test_nothing_follows_the_last_moment_of_all(archive):
    version = version_of(archive, "a")
    last = version.with_name("99991231T235959.999999Z" + version.name[-9:])
    version.rename(last)
    with raises(ArchiveError, "damaged_entry", data_id="a"):
        archive.put("a", body_of("a", 2.0), url="test")


def test_a_damaged_catalogue_is_replaced_by_a_search(archive):
    (archive.folder("a") / "catalogue.json").write_bytes(b"")
    rows = [{"data_id": "a", "char_source_type": "sims", "sample_name": "new"}]
    transport = httpx.MockTransport(lambda _: httpx.Response(200, json=rows))
    client = Client(KEY, endpoint="https://lab.example/", archive=archive, transport=transport)
    assert client.search().ids == ["a"]
    assert archive.catalogue("a")["sample_name"] == "new"


def test_the_whole_hash_is_compared(archive):
    sha256 = archive.record("a").sha256
    assert archive.get("a", sha256=sha256).species == ["Si"]
    assert archive.get("a", sha256=sha256[:12].upper())
    for wrong in (sha256[:8] + "0" * 56, sha256[:-1] + ("0" if sha256[-1] != "0" else "1")):
        with raises(ArchiveError, "not_archived", data_id="a"):
            archive.get("a", sha256=wrong)
    for bad in ("", sha256[:7], "x" * 64, sha256 + "0"):
        with raises(ArchiveError, argument="sha256"):
            archive.get("a", sha256=bad)


# ---- errors of the file system


def test_every_error_of_the_file_system_is_an_archive_error(archive, monkeypatch, approved):
    def fail(*_, **__):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "iterdir", fail)
    for name in ("scandir", "listdir"):
        monkeypatch.setattr(os, name, fail)
    for use in (archive.ids, archive.verify, lambda: archive.get("a"), lambda: "a" in archive):
        with raises(ArchiveError, text=approved):
            use()
    client = Client(archive=archive, offline=True)
    assert {type(r) for r in client.get(["a", "b"], errors="collect")} == {ArchiveError}


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES, errno.ENOSPC, errno.EDQUOT])
def test_a_read_only_archive_serves_and_fetches(archive, code, monkeypatch, approved):
    def refuse(*_):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(files, "write_durably", refuse)
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body_of("c")))
    client = Client(KEY, endpoint="https://lab.example/", archive=archive, transport=transport)
    with warns(SimsWarning, "failed_write", text=approved):
        results = client.get(["a", "c"], errors="collect")
    assert [type(r) for r in results] == [SIMSResult] * 2
    assert archive.ids() == sorted(["a", "b", ODD])


def test_a_newer_format_is_refused_by_every_call(archive, tmp_path):
    (archive.path / "archive.json").write_text('{"format_version": 2}')
    before = sorted(archive.path.rglob("*"))
    calls = [
        archive.check,
        archive.ids,
        archive.verify,
        lambda: len(archive),
        lambda: "a" in archive,
        lambda: archive.get("a"),
        lambda: archive.payload("a"),
        lambda: archive.record("a"),
        lambda: archive.versions("a"),
        lambda: archive.catalogue("a"),
        lambda: archive.put("a", body_of("a", 2.0), url="test"),
        lambda: archive.put_catalogue("a", {"data_id": "a"}),
        lambda: archive.add(SIMSResult.from_json(body_of("n"))),
        lambda: archive.export("a", tmp_path / "other"),
        lambda: (
            Archive(tmp_path / "third").put("a", REFERENCE, url="")
            and Archive(tmp_path / "third").export("a", archive.path)
        ),
    ]
    for call in calls:
        with raises(ArchiveError, "newer_format"):
            call()
    assert sorted(archive.path.rglob("*")) == before


# ---- writers


# ---- other systems, simulated


def test_a_copy_in_other_letters_is_the_same_archive(archive, tmp_path):
    """As from a file system that knows capitals only: a name is found in any letters there."""
    for folder in archive.folders():
        for version in versions.list_versions(folder):
            version.rename(version.with_name(version.name.lower()))
    assert archive.verify() == {}
    assert archive.ids() == sorted(["a", "b", ODD])
    assert archive.get("a").species == ["Si"]
    archive.put("a", body_of("a", 2.0), url="test")
    assert archive.get("a").depth_profiles[0].concentrations[0] == 2.0
    sha256 = archive.versions("a")[0].sha256
    assert archive.get("a", sha256=sha256).depth_profiles[0].concentrations[0] == 1.0


@pytest.mark.slow
def test_no_call_that_only_posix_has():
    """With those taken away that Windows does not have, an archive is written and read."""
    script = (
        "import os, sys, tempfile\n"
        "sys.modules['fcntl'] = None\n"
        "for name in ('fork', 'register_at_fork', 'O_NOFOLLOW', 'O_NONBLOCK', 'mkfifo'):\n"
        "    delattr(os, name)\n"
        "from sims_analysis.api.archive import Archive\n"
        "from sims_analysis import files\n"
        "from sims_analysis.api import client\n"
        "files.WINDOWS = True\n"
        "archive = Archive(tempfile.mkdtemp())\n"
        "archive.put('a', sys.argv[1].encode(), url='test')\n"
        "assert archive.verify() == {} and archive.ids() == ['a']\n"
    )
    subprocess.run(
        [sys.executable, "-c", script, REFERENCE.decode()],
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


# ---- messages about damage


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("payload.json", b"[]"),
        ("payload.json", None),
        ("record.json", None),
        ("record.json", b"[]"),
        ("record.json", b"{}"),
    ],
)
def test_damage_names_entry_archive_version_and_what_to_do(archive, file, content, approved):
    version = version_of(archive)
    (version / file).unlink()
    if content is not None:
        (version / file).write_bytes(content)
    for read in (archive.get, archive.payload, lambda _: versions.read_version(version)):
        with raises(ArchiveError, "damaged_entry", text=approved):
            read("a")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("data_id", "b"), ("sha256", "0" * 64), ("retrieved", "soon"), ("url", 5),
        ("last_updated", 5), ("format_version", "1"),
    ],
)  # fmt: skip
def test_a_record_of_something_else_is_damage(archive, field, value, approved):
    file = version_of(archive) / "record.json"
    record = json.loads(file.read_bytes())
    file.write_text(json.dumps(record | {field: value}))
    with raises(ArchiveError, "damaged_entry", data_id="a", text=approved):
        archive.record("a")
    file.write_text(json.dumps(record | {"etag": 5, "last_modified": "é"}))
    assert archive.record("a").validators == {}
    file.write_text(json.dumps(record | {"format_version": 2}))
    with raises(ArchiveError, "newer_format"):
        archive.record("a")


@pytest.mark.parametrize("content", [b"{", b"[]", b"{}", b"5"])
def test_an_archive_without_a_format_version_is_refused(archive, content):
    (archive.path / "archive.json").write_bytes(content)
    with raises(ArchiveError, "no_archive"):
        archive.check()
    with raises(ArchiveError, "no_archive"):
        Archive(archive.path / "none").check()
