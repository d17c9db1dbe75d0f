"""Writing that leaves the old file or the new one, locks, and reading of plain files alone."""

import errno
import os
import stat
import threading
import time
from pathlib import Path

import pytest
from error_parts import raises
from hypothesis import given
from hypothesis import strategies as st

import sims_analysis as sims
from sims_analysis import files

posix = pytest.mark.skipif(os.name != "posix", reason="as POSIX has it")


# ---- names


@pytest.mark.parametrize(
    "name", ["boron-implant", "w_1", "7", "a" * 80, "com", "lpt10", "com1x", "xcon"]
)
def test_a_plain_name_is_kept(name):
    assert files.folder_name(name) == name


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("a" * 81, "a" * 40), ("W1", "w1"), ("-a", "a"), ("_a_", "a"), ("", ""), ("..", ""),
        ("a/b c", "a_b_c"), ("é", ""), ("con", "con"), ("prn", "prn"), ("aux", "aux"),
        ("nul", "nul"), ("com1", "com1"), ("lpt9", "lpt9"),
    ],
)  # fmt: skip
def test_another_name_is_changed_to_one_of_its_own(name, start):
    changed = files.folder_name(name)
    readable, mark, digest = changed.partition("~")
    assert (readable, mark, len(digest)) == (start, "~", 16)
    assert files.folder_name(name + "/") != changed


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=90)


@given(TEXT, TEXT)
def test_any_two_texts_have_two_safe_names(one, other):
    names = [files.folder_name(text) for text in (one, other)]
    for name in names:
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-_~")
        assert len(name) <= 80
        assert not name.startswith("-")
    assert (one == other) == (names[0] == names[1])


def test_temporary_names_are_marked_and_differ():
    names = {files.temporary_name() for _ in range(50)}
    assert len(names) == 50
    assert all(len(name) == len(".tmp-") + 16 and name.startswith(".tmp-") for name in names)


# ---- writing


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "w.txt"
    for content in (b"old", b"new"):
        files.replace_file(path, content)
        assert path.read_bytes() == content
        assert [one.name for one in tmp_path.iterdir()] == ["w.txt"]

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        files.replace_file(path, b"newer")
    assert path.read_bytes() == b"new"
    assert [one.name for one in tmp_path.iterdir()] == ["w.txt"]


def test_a_folder_that_is_missing_is_named(tmp_path):
    path = tmp_path / "none" / "w.txt"
    with pytest.raises(FileNotFoundError) as refused:
        files.replace_file(path, b"")
    error = refused.value
    assert (error.errno, error.filename) == (errno.ENOENT, str(path))
    assert error.strerror == f"there is no folder {str(path.parent)!r}: create it first"


def test_lines_are_written_with_their_ends(tmp_path):
    path = files.write_lines(str(tmp_path / "w.txt"), ["a", "", "µ"])
    assert path == tmp_path / "w.txt"
    assert path.read_bytes() == "a\n\nµ\n".encode()


def test_a_new_file_replaces_none(tmp_path):
    files.write_durably(tmp_path / "a", b"one")
    assert (tmp_path / "a").read_bytes() == b"one"
    with pytest.raises(FileExistsError):
        files.write_durably(tmp_path / "a", b"two")
    assert (tmp_path / "a").read_bytes() == b"one"


@pytest.fixture
def synced(monkeypatch):
    """Collect what is waited for to be on the disk, with its size at that time."""
    found = []

    def fsync(descriptor):
        about = os.fstat(descriptor)
        found.append("folder" if stat.S_ISDIR(about.st_mode) else about.st_size)

    monkeypatch.setattr(os, "fsync", fsync)
    return found


@posix
def test_what_is_written_is_on_the_disk_with_its_name(tmp_path, synced):
    files.write_durably(tmp_path / "a", b"12345")
    assert synced == [5]
    synced.clear()
    files.replace_file(tmp_path / "a", b"123")
    assert synced == [3, "folder"]


@posix
@pytest.mark.parametrize(
    ("number", "raised"),
    [(errno.EIO, True), (errno.ENOSPC, True), (errno.EDQUOT, True), (errno.EINVAL, False)],
)
def test_a_failing_disk_is_an_error_and_one_that_cannot_sync_folders_is_not(
    number, raised, tmp_path, monkeypatch
):
    closed = []
    close = os.close

    def fsync(_):
        raise OSError(number, "sync")

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "close", lambda descriptor: closed.append(close(descriptor)))
    if raised:
        with pytest.raises(OSError, match="sync"):
            files.sync_folder(tmp_path)
    else:
        files.sync_folder(tmp_path)
    assert closed == [None]


# ---- reading


def test_a_file_is_read_whole_in_however_many_pieces(tmp_path, monkeypatch):
    path = tmp_path / "w"
    path.write_bytes(bytes(range(10)))
    read = os.read
    for most in (10, 3):
        monkeypatch.setattr(os, "read", lambda d, size, most=most: read(d, min(size, most)))
        assert files.read_plain(path) == bytes(range(10))
    pieces = iter([b"01", b""])  # cut meanwhile
    monkeypatch.setattr(os, "read", lambda *_: next(pieces))
    assert files.read_plain(path) == b"01"
    with pytest.raises(FileNotFoundError):
        files.read_plain(tmp_path / "none")


def test_a_file_beyond_the_limit_is_not_read(tmp_path):
    with (tmp_path / "w").open("wb") as file:
        file.truncate(files.MAX_BYTES + 1)
    expected = "w has 1,073,741,825 bytes, more than the limit of 1,073,741,824"
    assert message_of(files.read_plain, tmp_path / "w") == (errno.EFBIG, expected)


def message_of(call, path):
    with pytest.raises(OSError) as refused:
        call(path)
    return refused.value.errno, refused.value.strerror


@posix
def test_links_pipes_and_folders_are_not_read(tmp_path, approved):
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "file")
    (tmp_path / "way").symlink_to(tmp_path / "folder")
    os.mkfifo(tmp_path / "pipe")
    assert files.read_plain(tmp_path / "file") == b"x"
    no_file = "not a file, and is not read"
    for name, kind in (("folder", "a folder"), ("pipe", "a pipe or device")):
        expected = (errno.EINVAL, f"{name} is {kind}, {no_file}")
        assert message_of(files.read_plain, tmp_path / name) == expected
    assert message_of(files.read_plain, tmp_path / "link")[0] == errno.ELOOP
    assert files.check_folder(tmp_path / "folder") is None
    for name, kind in (("way", "a link"), ("pipe", "a pipe or device")):
        expected = (errno.EINVAL, f"{name} is {kind}, not a folder, and is not read")
        assert message_of(files.check_folder, tmp_path / name) == expected
    with raises(NotADirectoryError, text=approved):
        files.check_folder(tmp_path / "file")


@posix
def test_no_file_is_left_open(tmp_path, approved):
    (tmp_path / "file").write_bytes(b"x")
    before = len([*Path("/dev/fd").iterdir()])
    for _ in range(3):
        files.read_plain(tmp_path / "file")
        with raises(OSError, text=approved):
            files.read_plain(tmp_path)
        with files.locked(tmp_path):
            pass
        files.sync_folder(tmp_path)
    assert len([*Path("/dev/fd").iterdir()]) == before


# ---- locks


@posix
def test_one_writer_at_a_time_has_the_lock(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "LOCK_PATIENCE", 0.02)
    for _ in range(2):  # released, it can be had again
        with files.locked(tmp_path) as held:
            assert held is True
            with files.locked(tmp_path) as second:
                assert second is False
            with files.locked(tmp_path) as third:
                assert third is False, "the second one did not release the first one's lock"
    assert list(tmp_path.iterdir()) == []


@posix
def test_a_lock_is_waited_for(tmp_path):
    order, waiting = [], threading.Event()

    def second():
        waiting.set()
        with files.locked(tmp_path) as held:
            order.append(("second", held))

    thread = threading.Thread(target=second)
    with files.locked(tmp_path):
        thread.start()
        waiting.wait(5)
        time.sleep(0.02)
        order.append("first")
    thread.join()
    assert order == ["first", ("second", True)]


def test_without_a_lock_work_goes_on(tmp_path, monkeypatch):
    with files.locked(tmp_path / "none") as held:
        assert held is False

    def none(*_, **__):
        raise OSError(errno.ENOLCK, "no locks here")

    monkeypatch.setattr(files.fcntl, "flock", none)
    started = time.monotonic()
    with files.locked(tmp_path) as held:
        assert held is False
    assert time.monotonic() - started < 1, "what cannot be had is not waited for"


@pytest.mark.parametrize(
    "act",
    [
        sims.load,
        sims.provenance,
        lambda path: sims.save(sims.open_example("boron-implant"), path),
        lambda path: sims.Archive("lab").add(path),
        lambda path: files.replace_file(Path(path), b""),
    ],
)
def test_an_address_in_place_of_a_file_is_named_without_its_secrets(act, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for address in ("http:/user:s3cret@lab.org/w1.nc", "https:/lab.org/w1.nc?token=s3cret"):
        with pytest.raises(
            (OSError, ValueError, sims.ArchiveError), match=r"w1|lab\.org"
        ) as caught:
            act(address)
        assert "s3cret" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == []
