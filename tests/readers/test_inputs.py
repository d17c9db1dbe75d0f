"""What `read` is given: paths, bytes, open files, addresses; the name and the hash go along."""

import hashlib
import io
import pathlib
import zipfile

import numpy as np
import pytest
from answering_server import send, served
from error_parts import raises

import sims_analysis as sims

TEXT = "Depth (nm);11B (at/cm3)\n0;1,2E18\n5;3,5E18\n10;<1E15\n"
CONTENT = TEXT.encode()
HASH = hashlib.sha256(CONTENT).hexdigest()


class Named(io.BytesIO):
    name = "/data/lab/w7.csv"


def same(result, name):
    assert result["11B"].concentrations.tolist()[:2] == [1.2e18, 3.5e18]
    assert result.provenance["sha256"] == HASH
    assert result.provenance["source"] == f"file:{name}"
    assert result.metadata.file == name
    assert result.data_id == (name.removesuffix(".csv"))


def test_a_path_and_an_open_file_give_the_same(tmp_path):
    path = tmp_path / "w7.csv"
    path.write_bytes(CONTENT)
    same(sims.read(path), "w7.csv")
    with path.open("rb") as file:
        same(sims.read(file), "w7.csv")
    with path.open(encoding="utf-8", newline="") as file:
        same(sims.read(file), "w7.csv")
    same(sims.read(Named(CONTENT)), "w7.csv")


@pytest.mark.parametrize(
    "data",
    [CONTENT, bytearray(CONTENT), memoryview(CONTENT), io.BytesIO(CONTENT), io.StringIO(TEXT)],
    ids=lambda data: type(data).__name__,
)
def test_what_has_no_name_is_named_by_its_hash(data):
    same(sims.read(data), f"unnamed-{HASH[:12]}")


def test_text_is_decoded_already_whatever_the_encoding():
    text = "Depth (µm);11B (at/cm³)\n0;1,2E18\n5;3,5E18\n10;1E15\n"
    result = sims.read(io.StringIO(text), encoding="cp1252")
    assert (result["11B"].depth_units, result["11B"].concentration_units) == ("µm", "at/cm³")


def test_several_are_a_list_and_one_that_fails_is_named(tmp_path):
    path = tmp_path / "w7.csv"
    path.write_bytes(CONTENT)
    outcomes = sims.read([path, CONTENT, Named(b"\x89PNG")], errors="collect")
    same(outcomes[0], "w7.csv")
    same(outcomes[1], f"unnamed-{HASH[:12]}")
    assert str(outcomes[2]) == "w7.csv: the file is an image"
    with raises(sims.ReadError, "no_profile"):
        sims.read(b"")


def test_a_file_that_gives_no_bytes_is_refused(approved):
    class Odd:
        def read(self, _=-1):
            return [1, 2]

    with raises(TypeError, text=approved):
        sims.read(Odd())


# --- addresses ------------------------------------------------------------------------------------


@pytest.fixture
def zipped(tmp_path):
    path = tmp_path / "lab.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("day/w7.csv", CONTENT)
        archive.writestr("day/w8.csv", CONTENT.replace(b"3,5", b"4,5"))
    return path


def test_a_member_of_an_archive(zipped):
    pytest.importorskip("fsspec")
    same(sims.read(f"zip://day/w7.csv::{zipped}"), "w7.csv")
    same(sims.read(f"zip://day/w7.csv::file://{zipped}"), "w7.csv")


def test_a_wildcard_stands_for_several(zipped):
    pytest.importorskip("fsspec")
    both = sims.read(f"zip://day/*.csv::{zipped}")
    assert sorted(result.data_id for result in both) == ["w7", "w8"]
    assert len(sims.read(f"zip://day/*7.csv::{zipped}")) == 1


@pytest.mark.slow
def test_an_address_of_a_server_without_what_follows_the_question_mark():
    pytest.importorskip("aiohttp", reason="fsspec opens https with aiohttp")

    def answer(handler):
        known = handler.path.startswith("/w7.csv")
        send(handler, CONTENT if known else b"", 200 if known else 404)

    with served(answer, methods=("GET", "HEAD")) as address:
        result = sims.read(f"{address}/w7.csv?token=secret")
        same(result, "w7.csv")
        assert "secret" not in str(result.provenance) + str(result.metadata)
        with pytest.raises(FileNotFoundError):
            sims.read(f"{address}/none.csv")


def test_an_unknown_address_is_an_error_that_says_so(zipped, approved):
    pytest.importorskip("fsspec")
    with raises(sims.ReadError, text=approved):
        sims.read("nowhere://w7.csv?key=1")
    with pytest.raises(FileNotFoundError):
        sims.read(f"zip://day/none.csv::{zipped}")
    with raises(FileNotFoundError, text=approved):
        sims.read(f"zip://day/*.txt::{zipped}")


def test_without_fsspec_it_says_what_to_install(monkeypatch, approved):
    monkeypatch.setattr("sims_analysis.errors.importlib.util.find_spec", lambda _: None)
    with raises(ModuleNotFoundError, text=approved):
        sims.read("https://example.org/w7.csv?key=1")


def test_a_drive_of_windows_and_a_colon_are_no_addresses(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("C:w7.csv", "a::b.csv"):
        pathlib.Path(name).write_bytes(CONTENT)
        np.testing.assert_array_equal(sims.read(name)["11B"].depths, [0.0, 5.0, 10.0])


@pytest.mark.parametrize(("name", "who"), [("w7.txt", "w7.txt"), (None, "the file")])
def test_an_open_file_gives_bytes_or_text(name, who, approved):
    class Odd:
        def read(self, _=-1):
            return 5

    odd = Odd()
    if name:
        odd.name = name
    with raises(TypeError, text=approved):
        sims.read(odd)


def test_a_file_that_is_too_large_is_not_even_opened(tmp_path, monkeypatch):
    path = tmp_path / "w7.txt"
    path.write_bytes(bytes(21))
    monkeypatch.setattr(pathlib.Path, "open", lambda *_: pytest.fail("it was opened"))
    with raises(sims.ReadError, "too_large", argument="max_bytes"):
        sims.read(path, max_bytes=20)


def test_a_folder_stands_for_its_files_however_it_is_named(tmp_path):
    for name in ("b.csv", "a.csv", ".hidden"):
        (tmp_path / name).write_bytes(CONTENT)
    (tmp_path / "more").mkdir()
    for folder in (tmp_path, str(tmp_path)):
        assert [result.data_id for result in sims.read(folder)] == ["a", "b"]
    with raises(sims.ReadError, "empty_input", argument="path"):
        sims.read(tmp_path / "more")
    nested = sims.read([tmp_path, (tmp_path / "b.csv", CONTENT)])
    assert [result.data_id for result in nested] == ["a", "b", "b", f"unnamed-{HASH[:12]}"]


@pytest.mark.parametrize("attribute", ["name", "path", "filename"])
def test_an_open_file_is_named_by_what_it_says(attribute):
    file = io.BytesIO(CONTENT)
    named = type("File", (), {"read": file.read, "name": 5, attribute: "C:\\lab\\w7.csv?key=1"})()
    same(sims.read(named), "w7.csv")


def test_what_cannot_be_read_is_named_as_it_was_given(tmp_path):
    class Lost(io.BytesIO):
        def read(self, _=-1):
            raise OSError(5, "the drive is gone")

    (lost,) = sims.read([Lost()], errors="collect")
    assert str(lost) == "a Lost without a name: the drive is gone"
    named = Lost()
    named.name = "lab/w7.csv"
    (lost,) = sims.read([named], errors="collect")
    assert str(lost) == "w7.csv: the drive is gone"
    absent = tmp_path / "w7.csv"
    (lost,) = sims.read([absent], errors="collect")
    assert str(lost) == f"{absent}: No such file or directory"


@pytest.mark.parametrize("kind", [str, pathlib.Path])
def test_an_address_that_became_a_path_keeps_its_password_to_itself(kind):
    with pytest.raises(FileNotFoundError) as raised:
        sims.read(kind("http:/user:word@lab.org/w7.csv"))
    assert str(raised.value) == "no such file: 'http:/lab.org/w7.csv'"
