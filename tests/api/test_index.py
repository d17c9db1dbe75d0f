"""The index of an archive answers as a walk does, whatever happened to it and to the entries."""

import json
import os
import pickle
import random
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from error_parts import raises

import sims_analysis as sims
from sims_analysis.api import index as index_module
from sims_analysis.api.archive import Archive
from sims_analysis.api.versions import list_versions
from sims_analysis.errors import collected
from sims_analysis.text import progress as shown


def payload(name, *species, sample="wafer"):
    profile = {
        "data_id": name, "id": "1", "processed_data_id": "2", "depths": [0, 1, 2],
        "depth_units": "nm", "concentrations": [1e18, 2e18, 1e18],
        "concentration_units": "atoms/cm^3", "species_metadata": {"sample": sample},
        "last_updated": "2024-01-15T10:35:00Z",
    }  # fmt: skip
    return json.dumps([{**profile, "species_name": s} for s in species]).encode()


def entry(name, **more):
    return {
        "data_id": name, "char_source_type": "sims", "pipeline_status": "success",
        "upload_datetime": "2024-02-01T00:00:00Z", "last_updated": "2024-02-02T00:00:00Z", **more,
    }  # fmt: skip


def fill(archive, count=12):
    for i in range(count):
        name = f"Wafer {i}" if i % 4 == 3 else f"w{i}"
        species = ("B", "P") if i % 2 else ("As",)
        known = entry(name, sample_name=f"lot {i // 3}", projects=[{"id": i % 3, "name": "oxide"}])
        archive.put(
            name, payload(name, *species, sample=f"sample {i}"), url="test",
            catalogue=known if i % 3 else None,
        )  # fmt: skip


RANDOM = random.Random(1)  # noqa: S311 - no secret


@pytest.fixture(autouse=True)
def _few_are_enough(monkeypatch):
    monkeypatch.setattr(index_module, "INDEXED_FROM", 2)


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path / "lab")
    fill(archive)
    return archive


def file_of(archive):
    return index_module.index_file(archive.path)


def answers(archive):
    """Return what the index answers, and the warnings."""
    with collected() as warnings:
        given = (
            archive.ids(),
            len(archive),
            [entry.to_dict() for entry in archive.search()],
            archive.search(["sample", "b"], species="B").ids,
            [(c.data_id, c.species, c.title) for c in archive.contents(["a"])[0]],
        )
    return given, sorted(map(str, set(map(str, warnings))))


def walked(archive):
    """Ask the same of a new archive object that has no file to keep an index in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", "no absolute path")
        return answers(Archive(archive.path))


def assert_as_walked(archive):
    expected = walked(archive)
    assert answers(archive) == expected
    assert answers(archive) == expected  # also when everything has been noted
    assert answers(Archive(archive.path)) == expected  # from the file
    return expected[0]


def reads(monkeypatch):
    """List the entries that are read although there is an index: those whose records are opened."""
    count = []
    real = os.open

    def opened(path, *how, **more):
        if Path(path).name == "record.json":
            count.append(Path(path).parents[1].name)
        return real(path, *how, **more)

    monkeypatch.setattr(os, "open", opened)
    return count


# ---- what it answers


def test_it_answers_as_a_walk(archive):
    ids, count, found, boron, listed = assert_as_walked(archive)
    assert len(ids) == count == len(found) == 12
    assert boron == sorted(["w1", "Wafer 3", "w5", "Wafer 7", "w9", "Wafer 11"])
    assert ("w0", ["As"], "sample 0") in listed
    for filters, expected in (
        ({"keywords": "LOT 1"}, ["w4", "w5"]),  # the third has no catalogue entry
        ({"project_ids": "2"}, ["Wafer 11", "w2", "w5", "w8"]),
        ({"last_updated_max": "2024-01-31"}, ["Wafer 3", "w0", "w6", "w9"]),
        ({"upload_datetime_min": "2024-01-31", "status": "pending"}, []),
    ):
        assert archive.search(**filters).ids == expected


def test_nothing_is_read_again_once_it_has_settled(archive, monkeypatch):
    monkeypatch.setattr(index_module, "RESOLUTION", -1)
    archive.search("x")
    count = reads(monkeypatch)
    answers(archive)
    assert count == []
    archive.put("w0", payload("w0", "Ge"), url="test")
    assert count == []
    assert archive.search(species="Ge").ids == ["w0"]
    assert archive.search(species="Ge").ids == ["w0"]
    assert count == ["w0"]


def test_what_has_not_settled_is_read_again_until_it_has(archive, monkeypatch):
    archive.search("x")
    count = reads(monkeypatch)
    assert archive.search("sample 3").ids == ["Wafer 3"]
    assert archive.search("sample 3").ids == ["Wafer 3"]
    assert count.count("w0") == 2, "it changed less than 3 s ago"
    monkeypatch.setattr(index_module, "RESOLUTION", -1)
    for _ in range(3):
        archive.search("x")
    assert count.count("w0") == 3


def test_what_was_added_one_by_one_settles(archive, monkeypatch):
    archive.put("new", payload("new", "Sb"), url="test")
    monkeypatch.setattr(index_module, "RESOLUTION", -1)
    archive.search("x")
    count = reads(monkeypatch)
    answers(archive)
    assert count == []


def test_it_stands_in_the_cache_folder_and_nothing_in_the_archive(
    archive, cache_folder, monkeypatch
):
    monkeypatch.setattr(index_module, "RESOLUTION", -1)
    before = sorted(archive.path.rglob("*"))
    answers(archive)
    assert sorted(archive.path.rglob("*")) == before
    assert [file_of(archive)] == list(cache_folder.iterdir())
    if os.name == "posix":
        assert cache_folder.stat().st_mode & 0o777 == 0o700


def test_few_entries_need_no_file(tmp_path, monkeypatch, cache_folder):
    monkeypatch.setattr(index_module, "INDEXED_FROM", 20)
    archive = Archive(tmp_path)
    fill(archive)
    answers(archive)
    assert not cache_folder.exists()


def test_an_archive_that_is_pickled_asks_as_before(archive, monkeypatch):
    monkeypatch.setattr(index_module, "INDEXED_FROM", 20)
    expected = answers(archive)
    assert answers(pickle.loads(pickle.dumps(archive))) == expected  # noqa: S301 - made here


def test_another_version_of_the_library_has_another_file(archive, monkeypatch):
    monkeypatch.setattr(index_module, "RESOLUTION", -1)
    answers(archive)
    ours = index_module.ROWS_VERSION
    monkeypatch.setattr(index_module, "ROWS_VERSION", ours + 1)
    answers(Archive(archive.path))
    monkeypatch.setattr(index_module, "ROWS_VERSION", ours)
    count = reads(monkeypatch)
    answers(Archive(archive.path))
    assert count == []


@pytest.mark.parametrize("same_times", [False, True])
def test_another_archive_in_the_same_place_has_an_index_of_its_own(
    archive, same_times, monkeypatch
):
    monkeypatch.setattr(index_module, "RESOLUTION", -1)
    if same_times:
        monkeypatch.setattr(index_module, "time_of_change", lambda _: 1)
    answers(archive)
    archive.path.rename(archive.path.parent / "moved")
    other = Archive(archive.path)
    for i in range(12):
        name = f"Wafer {i}" if i % 4 == 3 else f"w{i}"
        other.put(name, payload(name, "Ge"), url="test")
    assert len(other.search(species="Ge")) == 12
    assert other.search(species="B").ids == []


# ---- filters, to the letter


@pytest.mark.parametrize("name", ["keywords", "species", "physical_sample_ids", "project_ids"])
def test_of_very_many_values_all_are_looked_for(archive, name):
    archive.put_catalogue("w1", entry("w1", physical_sample_id="1999", projects=[{"id": 1999}]))
    some = {"keywords": ["sample"] * 2000, "species": ["B", "P"] * 1000}
    found = archive.search(**{name: some.get(name, [str(i) for i in range(5, 2000)])}).ids
    expected = {"keywords": 12, "species": 6}.get(name)
    assert found == ["w1"] if expected is None else len(found) == expected


# ---- when it is old


def change_nothing(archive):
    pass


def add_by_copying(archive):
    other = Archive(archive.path.parent / "other")
    other.put("new", payload("new", "Sb"), url="test")
    shutil.copytree(other.folder("new"), archive.folder("new"))


def remove_an_entry(archive):
    shutil.rmtree(archive.folder("w1"))


def remove_a_version(archive):
    for version in list_versions(archive.folder("w1")):
        shutil.rmtree(version)


def add_a_version_by_copying(archive):
    other = Archive(archive.path.parent / "other")
    other.put("w1", payload("w1", "Sb"), url="test")
    (version,) = list_versions(other.folder("w1"))
    shutil.copytree(version, archive.folder("w1") / version.name.replace("2026", "2999"))


def edit_the_catalogue_in_place(archive):
    (archive.folder("w1") / "catalogue.json").write_text(json.dumps(entry("w1", sample_name="b")))


def damage_the_catalogue(archive):
    (archive.folder("w1") / "catalogue.json").write_text("{")


def remove_the_catalogue(archive):
    (archive.folder("w1") / "catalogue.json").unlink()


def put_a_file_among_the_entries(archive):
    (archive.path / "entries" / "notes.txt").write_text("x")


def put_a_link_among_the_entries(archive):
    (archive.path / "entries" / "link").symlink_to(archive.folder("w1"))


def swap_two_entries(archive):
    one, other, place = archive.folder("w1"), archive.folder("w2"), archive.folder("w3x")
    one.rename(place)
    other.rename(one)
    place.rename(other)


def copy_it_all(archive):
    for kind in ("copy", "copy2"):
        there = archive.path.parent / kind
        shutil.copytree(archive.path, there, copy_function=getattr(shutil, kind))
        assert_as_walked(Archive(there))


def keep_the_times(archive):
    folder = archive.folder("w1")
    before = folder.stat()
    remove_the_catalogue(archive)
    os.utime(folder, ns=(before.st_atime_ns, before.st_mtime_ns))


CHANGES = [
    change_nothing, add_by_copying, remove_an_entry, remove_a_version, add_a_version_by_copying,
    edit_the_catalogue_in_place, damage_the_catalogue, remove_the_catalogue,
    put_a_file_among_the_entries, put_a_link_among_the_entries, swap_two_entries, copy_it_all,
    keep_the_times,
]  # fmt: skip


@pytest.mark.few(4)
@pytest.mark.parametrize("settled", [pytest.param(False, marks=pytest.mark.slow), True])
@pytest.mark.parametrize("change", CHANGES)
def test_what_changed_behind_its_back_is_noticed(archive, change, settled, monkeypatch):
    if settled:
        monkeypatch.setattr(index_module, "RESOLUTION", -1)
    answers(archive)
    change(archive)
    assert_as_walked(archive)


@pytest.mark.slow
def test_a_sequence_of_changes_is_noticed(archive, monkeypatch):
    rng = RANDOM
    for _ in range(5):
        change = rng.choice(CHANGES[2:9])
        if archive.folder("w1").exists() and "catalogue" in change.__name__:
            (archive.folder("w1") / "catalogue.json").touch()
        shutil.rmtree(archive.path.parent / "other", ignore_errors=True)
        try:
            change(archive)
        except OSError:
            fill(archive)
        assert_as_walked(archive)


@pytest.mark.few(2)
@pytest.mark.parametrize("ahead", [-(10**18), -(10**10), 10**10, 10**18])
def test_wrong_clocks(archive, monkeypatch, ahead):
    real = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: real() + ahead)
    answers(archive)
    add_by_copying(archive)
    edit_the_catalogue_in_place(archive)
    assert_as_walked(archive)


# ---- when it is damaged


def damage(kind, file):
    content = file.read_bytes()
    if kind == "empty":
        file.write_bytes(b"")
    elif kind == "cut":
        file.write_bytes(content[: len(content) // 2])
    elif kind == "garbage":
        file.write_bytes(RANDOM.randbytes(len(content)))
    elif kind == "text":
        file.write_text("not JSON")
    elif kind == "folder":
        file.unlink()
        file.mkdir()
    elif kind == "link":
        elsewhere = file.parents[2] / "elsewhere"
        file.rename(elsewhere)
        file.symlink_to(elsewhere)
    elif kind == "other rows":
        file.write_text(json.dumps({"w0": {"data_id": "w0"}, "w1": []}))
    elif kind == "no folder":
        shutil.rmtree(file.parent)
    elif kind == "file for folder":
        shutil.rmtree(file.parent)
        file.parent.write_text("x")


@pytest.mark.few(1)
@pytest.mark.parametrize(
    "kind",
    [
        "empty", "cut", "garbage", "text", "folder", "link", "other rows", "no folder",
        "file for folder",
    ],
)  # fmt: skip
def test_a_damaged_index_is_made_anew_or_not_used(archive, kind, monkeypatch):
    monkeypatch.setattr(index_module, "RESOLUTION", -1)
    answers(archive)
    damage(kind, file_of(archive))
    assert_as_walked(archive)
    archive.put("new", payload("new", "Sb"), url="test")
    assert "new" in assert_as_walked(archive)[0]


def test_a_damaged_index_is_replaced_by_one_that_is_used(archive, monkeypatch):
    monkeypatch.setattr(index_module, "RESOLUTION", -1)
    answers(archive)
    damage("text", file_of(archive))
    answers(Archive(archive.path))
    count = reads(monkeypatch)
    answers(Archive(archive.path))
    assert count == []


# ---- when it cannot be used


@pytest.mark.few(2)
@pytest.mark.parametrize("home", ["missing", "a file", "read-only", "relative"])
def test_without_a_cache_folder_the_index_is_in_memory(archive, home, tmp_path, monkeypatch):
    expected = walked(archive)
    place = tmp_path / "home" / "cache"
    if home != "missing":
        place.mkdir(parents=True)
    if home == "a file":
        (place / "sims-analysis").write_text("x")
    elif home == "read-only":
        monkeypatch.setattr(Path, "mkdir", refused)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", "cache" if home == "relative" else str(place))
    before = sorted(tmp_path.rglob("*"))
    assert answers(archive) == expected
    assert sorted(tmp_path.rglob("*")) == before


def refused(*_, **__):
    raise PermissionError(13, "Permission denied")


@pytest.mark.slow
def test_threads_ask_at_the_same_time(archive, monkeypatch):
    expected = answers(archive)
    for file in (True, False):
        if not file:
            monkeypatch.setenv("XDG_CACHE_HOME", "no absolute path")
        with ThreadPoolExecutor(4) as threads:
            assert all(one == expected for one in threads.map(answers, [archive] * 4))


# ---- several processes

WRITER = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[3:]
from sims_analysis.api import index
index.INDEXED_FROM = 2
from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import CatalogueEntry
from test_index import entry, payload
archive, name = Archive(sys.argv[1]), sys.argv[2]
for i in range(20):
    archive.put(f"{name}-{i}", payload(f"{name}-{i}", "B"), url="x", catalogue=entry(f"{name}-{i}"))
    print(i, flush=True)
    if i % 10 == 0:
        assert f"{name}-{i}" in archive.search("success").ids
"""


def writers(archive, count):
    here = Path(__file__).parent
    return [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, archive.path, f"p{n}", here, here.parent],
            stdout=subprocess.PIPE,
        )
        for n in range(count)
    ]


@pytest.mark.slow
def test_several_processes_write_and_ask(archive):
    processes = writers(archive, 3)
    while any(process.poll() is None for process in processes):
        archive.search("success")
    assert [process.wait() for process in processes] == [0, 0, 0]
    assert len(assert_as_walked(archive)[0]) == 12 + 3 * 20
    for process in processes:
        process.stdout.close()


@pytest.mark.slow
def test_killed_writers_leave_an_index_that_answers(archive):
    rng = RANDOM
    for _ in range(2):
        (process,) = writers(archive, 1)
        process.stdout.readline()
        time.sleep(rng.uniform(0, 0.3))
        process.kill()
        process.communicate()
        assert_as_walked(archive)
        shutil.rmtree(archive.path / "entries" / "p0-0", ignore_errors=True)


# ---- bars


def test_a_progress_bar_is_shown_on_request(archive, capsys):
    archive.verify()
    assert capsys.readouterr().err == ""
    archive.verify(progress=True)
    assert "12/12" in capsys.readouterr().err


@pytest.mark.parametrize(("least", "seen"), [(12, True), (13, False)])
def test_the_first_question_after_many_entries_were_copied_shows_a_bar(
    archive, capsys, monkeypatch, least, seen
):
    monkeypatch.setattr(index_module, "SHOWN_FROM", least)
    monkeypatch.setattr(shown, "is_interactive", lambda: True)
    monkeypatch.setattr(index_module, "RESOLUTION", -1)
    archive.ids()
    assert ("12/12" in capsys.readouterr().err) is seen
    archive.ids()
    assert capsys.readouterr().err == ""


def test_offline_searches_are_those_of_the_archive(archive):
    client = sims.Client(archive=archive, offline=True)
    assert client.search(keywords="lot 1").ids == archive.search("lot 1").ids
    assert [e.data_id for e in client.entries(["w2", "w0", "none"])] == ["w2", "w0"]


def test_entries_that_cannot_be_listed_are_named_with_the_reason(archive, monkeypatch, approved):
    monkeypatch.setattr(os, "scandir", refused)
    with raises(sims.ArchiveError, text=approved):
        list(archive.search())
