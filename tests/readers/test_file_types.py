"""Whether a file looks like a depth profile: asked of any file, which stays as it was."""

import io

import numpy as np
import pytest
from instrument_files import cameca_rpc

from sims_analysis.readers import registry as recognising
from sims_analysis.readers.instruments.own_exports import recognises_payload
from sims_analysis.readers.registry import format_of
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.table import recognises_tidy

Z = np.linspace(0.01, 1, 20)
CAMECA = cameca_rpc({"10B": (None, Z, 1e18 * np.exp(-Z), "C")})


def test_an_instruments_file_is_known_by_its_content(tmp_path):
    path = tmp_path / "any.name"
    path.write_bytes(CAMECA)
    found = format_of(path)
    assert found
    assert format_of(str(path)) == found
    assert format_of(io.BytesIO(CAMECA)) == found


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"depth (nm),B (at/cm3)\n0,1e18\n1,2e18\n2,1e17\n",
        b'{"depth": [1]}',
        b"\x89PNG\r\n\x1a\n",
        b"PK\x03\x04 xl/workbook.xml",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600),
        "z".encode("utf-16") + b"\0",
    ],
)
def test_what_could_be_anything_or_is_damaged_has_no_format(content):
    assert format_of(io.BytesIO(content)) is None


@pytest.mark.parametrize(("above", "known"), [(0, True), (29, True), (30, False)])
def test_headers_of_rows_for_each_sample_stand_within_thirty_rows(above, known):
    text = "note\n" * above + "species;z (nm);C (cps)\nB;0;1\nB;1;2\n"
    assert recognises_tidy(Source("w7.csv", text.encode())) is known


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ('[{"a": 1}]', True), (' {"a": 1}', True), ("[{}]", True), ('["a"]', True),
        ("[1, 2]", False), ("{a}", False), ('a "b"', False), ("[" + " " * 40 + '"a"]', False),
    ],
)  # fmt: skip
def test_what_begins_like_json(text, known):
    assert recognises_payload(Source("w7.json", text.encode())) is known


@pytest.mark.parametrize(
    "given", [None, 3, ["a"], "https://example.org/a.csv", io.StringIO("text")]
)
def test_what_is_no_file_has_none(given, tmp_path):
    assert format_of(given) is None
    assert format_of(tmp_path) is None


def test_an_open_file_stands_where_it_stood():
    file = io.BytesIO(b"123" + CAMECA)
    file.seek(3)
    assert format_of(file)
    assert file.tell() == 3


def test_files_that_are_larger_than_any_profile_are_not_read(tmp_path, monkeypatch):
    path = tmp_path / "w7"
    path.write_bytes(CAMECA)
    monkeypatch.setattr(recognising, "LARGEST", len(CAMECA))
    assert format_of(path)
    assert format_of(io.BytesIO(CAMECA))
    monkeypatch.setattr(recognising, "LARGEST", len(CAMECA) - 1)
    assert format_of(path) is None
    assert format_of(io.BytesIO(CAMECA)) is None
