"""``report`` on files of instruments and laboratories."""

import hashlib
import json
import re

import numpy as np
import pytest
from click.testing import CliRunner
from instrument_files import cameca_rpc

import sims_analysis as sims
from sims_analysis.cli import cli

Z = np.linspace(0.005, 1.0, 200)
C = 1e19 * np.exp(-(((Z - 0.3) / 0.08) ** 2) / 2) + 1e15


@pytest.fixture
def instrument(tmp_path):
    path = tmp_path / "w7.dp_rpc_asc"
    path.write_bytes(cameca_rpc({"10B": (None, Z, C, "C")}))
    return path


def run(*arguments):
    return CliRunner().invoke(cli, ["report", *map(str, arguments)])


@pytest.mark.slow
def test_a_file_is_reported_with_its_dose(instrument, tmp_path):
    result = run(instrument, "--format", "json", "--out", tmp_path / "out")
    assert result.exit_code == 0, result.output
    (report,) = json.loads(result.stdout)["reports"]
    assert report["data_id"] == "w7"
    written = [path for path in report["files"] if path.endswith(".svg")]
    assert sims.provenance(written[0])["source"] == "file:w7.dp_rpc_asc"
    text = run(instrument, "--no-files").stdout
    # In the file depths and values have six digits.
    dose = np.trapezoid(C, Z * 1e-4)
    assert f"{dose:.3e}"[:4] in text.replace("×10", "e")


@pytest.mark.slow
def test_the_index_of_a_folder_lists_unreadable_files(instrument, tmp_path):
    bad, other = tmp_path / "image.png", tmp_path / "w8.dp_rpc_asc"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n")
    other.write_bytes(instrument.read_bytes())
    assert run(instrument, other, bad, "--out", tmp_path / "out").exit_code == 3
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert "image.png</bdi>: <bdi>the file is an image" in page


def test_unreadable_files_do_not_stop_others(instrument, tmp_path):
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    result = run(instrument, tmp_path / "image.png", "--no-files")
    assert result.exit_code == 3
    assert "image.png: the file is an image" in result.stderr
    assert "10B" in result.stdout


def test_units_that_a_table_does_not_state(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("Depth,B,Si\n" + "\n".join(f"{z:g},{c:g},1e5" for z, c in zip(Z, C)))  # noqa: B905
    result = run(table, "--no-files")
    assert result.exit_code == 1
    assert "state it with --depth-units UNIT" in result.stderr
    result = run(table, "--depth-units", "um", "--no-files")
    assert "state it with --units UNIT" in result.stderr
    stated = ["--depth-units", "um", "--units", "B=cm^-3", "--units", "Si=counts/s"]
    result = run(table, *stated, "--no-files")
    assert result.exit_code == 0, result.output
    assert run(table, "--depth-units", "um", "--units", "B=cm^-3", "--units", "s").exit_code == 2


def test_names_that_a_table_does_not_state(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("# nm, atoms/cm^3\n" + "\n".join(f"{z:g},{c:g}" for z, c in zip(Z, C)))  # noqa: B905
    stated = ["--depth-units", "nm", "--units", "atoms/cm^3", "--no-files"]
    result = run(table, *stated)
    assert "name them in order with --species" in result.stderr
    result = run(table, *stated, "--species", "31P")
    assert result.exit_code == 0, result.output
    assert "31P" in result.stdout


def test_notes_and_refusals_name_the_options_of_the_command(tmp_path):
    table = tmp_path / "t.csv"
    rows = [f"{z:g},{c:g}" for z, c in zip([0, 1e-3, *Z], [1e20, 1e17, *C], strict=True)]
    table.write_text("Depth (um),B (atoms/cm3)\n" + "\n".join(rows))
    result = run(table, "--no-files")
    text = " ".join(result.output.split())
    deeper = "a maximum lies deeper, 1e+19 atom/cm^3 at 300 nm"
    assert f"{deeper}; state where it ends with --surface" in text
    assert "a junction is looked for below --surface" in text
    assert not re.search(r"\b[a-z]+=", text)
    result = run(table, "--no-files", "--surface", "1 nm")
    assert "a junction is looked for" not in result.output
    result = run(table, "--surface-dose", "exclude", "--no-files")
    assert "is not stated; state where it ends with --surface" in result.stderr


def test_repeated_signals_are_numbered_with_a_note_or_on_request(tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("Depth (nm),B (cm-3),B (cm-3)\n" + "1,2e15,1e15\n2,3e15,2e15\n3,1e15,1e15\n")
    assert "named 'B (1)', 'B (2)'" in run(table, "--no-files").stdout
    assert "named 'B (1)'" not in run(table, "--number-repeats", "--no-files").stdout


def test_files_of_one_name_have_reports_of_their_own(instrument, tmp_path):
    other = tmp_path / "w7.txt"
    other.write_bytes(instrument.read_bytes())
    result = run(instrument, other, "--format", "json", "--no-files")
    reports = json.loads(result.stdout)["reports"]
    assert [report["data_id"] for report in reports] == ["w7", "w7.txt"]


def test_files_go_into_an_archive_with_their_hash(instrument, tmp_path):
    archive = tmp_path / "archive"
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"\x89PNG\r\n\x1a\n")
    arguments = ["archive", "add", str(instrument), str(bad), "--archive", str(archive)]
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 3
    assert "w7: 10B" in result.stdout
    assert "bad.png: the file is an image" in result.stderr
    kept = sims.Archive(archive).get("w7")
    assert kept.depth_profiles == sims.read(instrument).depth_profiles
    assert sims.Archive(archive).record("w7").url == f"file:{instrument.name}"
    assert kept.metadata.sha256 == hashlib.sha256(instrument.read_bytes()).hexdigest()
    assert sims.Archive(archive).verify() == {}


def test_a_missing_file_does_not_stop_others(instrument, tmp_path):
    archive = tmp_path / "archive"
    arguments = ["archive", "add", str(tmp_path / "none"), str(instrument)]
    result = CliRunner().invoke(cli, [*arguments, "--archive", str(archive)])
    assert result.exit_code == 3
    assert "w7: 10B" in result.stdout
    assert "none': No such file" in result.stderr
