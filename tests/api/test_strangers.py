"""Archives from strangers: whatever is in one, nothing outside of it is written, deleted or run.

Each attack looks at a victim's home before and after all that reads an archive, and all that
writes to one.
"""

import json
import os
import shutil
from contextlib import suppress

import pytest
from error_parts import raises

from sims_analysis.api import index as index_module
from sims_analysis.api.archive import Archive
from sims_analysis.api.client import Client
from sims_analysis.errors import ArchiveError, SimsError, collected

pytestmark = pytest.mark.skipif(os.name != "posix", reason="links as POSIX has them")


def payload(name, species="B"):
    profile = {
        "data_id": name, "species_name": species, "depths": [0, 1], "depth_units": "nm",
        "concentrations": [1e18, 2e18], "concentration_units": "atoms/cm^3",
    }  # fmt: skip
    return json.dumps([profile]).encode()


@pytest.fixture
def home(tmp_path, monkeypatch):
    """What a stranger would like to change."""
    home = tmp_path / "home"
    (home / "folder").mkdir(parents=True)
    (home / ".bashrc").write_text("mine")
    (home / "folder" / "thesis.txt").write_text("mine")
    (home / "folder" / ".tmp-notes").write_text("mine")
    os.utime(home / "folder" / ".tmp-notes", (0, 0))
    monkeypatch.setenv("HOME", str(home))
    return home


@pytest.fixture
def archive(tmp_path, monkeypatch):
    """An archive that is large enough for an index."""
    monkeypatch.setattr(index_module, "INDEXED_FROM", 2)
    monkeypatch.setattr(index_module, "RESOLUTION", -1)
    archive = Archive(tmp_path / "downloads" / "lab")
    for i in range(4):
        archive.put(f"w{i}", payload(f"w{i}"), url="test")
    return archive


def state(folder):
    """Everything below a folder: kinds, contents, links, times of change."""
    return {
        str(path.relative_to(folder)): (
            path.readlink() if path.is_symlink() else path.is_file() and path.read_bytes(),
            path.lstat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }


def read_all(archive):
    """Ask everything that reads."""
    for ask in (
        archive.ids,
        lambda: len(archive),
        archive.search,
        lambda: archive.search("w1", species="B"),
        lambda: archive.contents(["w"]),
        archive.verify,
        lambda: archive.get("w1"),
        lambda: Client(archive=archive, offline=True).search(),
        lambda: archive.search(data_ids=["w1"]),
    ):
        with suppress(SimsError), collected():
            ask()


def write_all(archive):
    """Ask everything that writes."""
    other = Archive(archive.path.parent / "other")
    for i in range(3):
        other.put(f"w{i}", payload(f"w{i}", "P"), url="test", catalogue={"data_id": f"w{i}"})
    for ask in (
        lambda: archive.put("w1", payload("w1", "As"), url="test", catalogue={"data_id": "w1"}),
        lambda: archive.put("new", payload("new"), url="test"),
        lambda: archive.put_catalogue("w2", {"data_id": "w2"}),
        lambda: other.export(["w0", "w1", "w2"], archive.path),
    ):
        with suppress(SimsError), collected():
            ask()


def attack_by_a_linked_entry(archive, home):
    shutil.rmtree(archive.folder("w1"))
    archive.folder("w1").symlink_to(home / "folder")
    archive.folder("new").symlink_to(home / "made")
    shutil.rmtree(archive.folder("w2"))
    archive.folder("w2").symlink_to(home)


def attack_by_linked_entries(archive, home):
    (archive.path / "entries").rename(archive.path / "moved")
    (archive.path / "entries").symlink_to(home / "folder")


def attack_by_dangling_entries(archive, home):
    (archive.path / "entries").rename(archive.path / "moved")
    (archive.path / "entries").symlink_to(home / "made")


def attack_by_linked_versions(archive, home):
    (version,) = archive.folder("w1").iterdir()
    version.rename(archive.path / "moved")
    version.symlink_to(home / "folder")
    (archive.folder("w2") / ".tmp-lock").symlink_to(home / "made")
    (archive.folder("w2") / ".tmp-claim").symlink_to(home / ".bashrc")
    os.utime(archive.folder("w2") / ".tmp-claim", (0, 0), follow_symlinks=False)
    old = archive.folder("w2") / ".tmp-old"
    old.symlink_to(home / "folder")
    os.utime(old, (0, 0), follow_symlinks=False)


def attack_by_linked_files(archive, home):
    (version,) = archive.folder("w1").iterdir()
    for name in ("payload.json", "record.json"):
        (version / name).unlink()
        (version / name).symlink_to(home / ".bashrc")
    (archive.folder("w1") / "catalogue.json").symlink_to(home / ".bashrc")
    (archive.folder("w2") / "catalogue.json").symlink_to(home / "made")


def attack_by_a_linked_format(archive, home):
    for name in ("archive.json", "README.txt", ".gitattributes"):
        (archive.path / name).unlink()
        (archive.path / name).symlink_to(home / "made")
    (archive.path / ".gitattributes").unlink()
    (archive.path / ".gitattributes").symlink_to(home / ".bashrc")


ATTACKS = [one for name, one in sorted(globals().items()) if name.startswith("attack_")]


@pytest.mark.few(5)
@pytest.mark.parametrize("use", [read_all, write_all])
@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_outside_is_written_or_deleted(archive, home, attack, use, cache_folder):
    attack(archive, home)
    before = state(home)
    use(archive)
    use(Archive(archive.path))
    assert state(home) == before
    inside = {archive.path.parent.name, home.name}
    assert {path.name for path in home.parent.iterdir()} == inside


@pytest.mark.few(3)
@pytest.mark.parametrize("attack", ATTACKS)
def test_whoever_only_reads_changes_nothing_in_the_archive(archive, home, attack):
    attack(archive, home)
    before = state(archive.path)
    read_all(archive)
    assert state(archive.path) == before


@pytest.mark.parametrize("name", ["payload", "record", "catalogue"])
def test_a_file_that_is_all_holes_is_damage(archive, name):
    (version,) = archive.folder("w1").iterdir()
    holes = (version.parent if name == "catalogue" else version) / f"{name}.json"
    with holes.open("wb") as file:
        file.truncate(2**40)
    (damage,) = archive.verify().values()
    assert f"{name}.json has 1,099,511,627,776 bytes, more than the limit" in damage
    with collected():
        assert len(archive.search()) == (3 if name == "record" else 4)
        assert archive.ids() == ["w0", "w1", "w2", "w3"]


def test_an_archive_json_that_is_all_holes_is_damaged(archive):
    with (archive.path / "archive.json").open("wb") as file:
        file.truncate(2**40)
    with raises(ArchiveError, "no_archive"):
        archive.ids()


def test_an_archive_in_the_cache_folder_is_no_index(archive, cache_folder):
    """Its files do not bear the names of an index, and an index is of the path alone."""
    archive.search("w")
    (file,) = cache_folder.iterdir()
    moved = cache_folder / "lab"
    archive.path.rename(moved)
    assert len(Archive(moved).search("w")) == 4
    assert {path.suffix for path in cache_folder.iterdir()} == {".json", ""}
    assert file.exists()


def test_links_in_the_cache_folder_are_not_followed(archive, home):
    archive.search("w")
    file = index_module.index_file(archive.path)
    file.unlink()
    file.symlink_to(home / ".bashrc")
    before = state(home)
    assert len(archive.search("w")) == 4
    assert state(home) == before
