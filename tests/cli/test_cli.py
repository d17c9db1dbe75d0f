"""The command line: what it prints, which codes it leaves with, and that it leaves at once."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from importlib.util import find_spec

import click
import pytest
from command_line import EXAMPLES, NAMES, error_line, payload_of, process, run, serving
from error_parts import raises

import sims_analysis as sims
from sims_analysis.cli import reports
from sims_analysis.examples.opening import ARCHIVE

# ---- help


@pytest.mark.parametrize(
    "command",
    [
        "",
        "report",
        "fetch",
        "search",
        "serve",
        "archive",
        "archive verify",
        "archive list",
        "archive add",
    ],
)
def test_help_shows_an_example_and_the_exit_codes(command):
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    example = re.compile(rf"    (\S+=\S+ )?python -m sims_analysis {command or 'report'}")
    assert any(example.match(line) for line in lines)
    for code in ("0 ", "1 ", "2 ", "3 ", "130"):
        assert f"\n    {code}" in result.stdout
    assert max(map(len, lines)) <= 90


def test_help_imports_nothing_heavy():
    code = (
        "import sys, sims_analysis.cli as m\n"
        "try: m.cli(['report', '--help'])\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'xarray', 'pint', 'httpx', 'matplotlib', 'scipy', 'orjson', 'pandas'}\n"
        "print('loaded:', sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.endswith("loaded: []\n")


def test_version():
    assert run("--version").stdout.strip() == f"sims-analysis, version {sims.__version__}"


# ---- report


@pytest.mark.slow
def test_report_without_arguments_runs_the_whole_chain(tmp_path, monkeypatch):
    if find_spec("matplotlib") is None or find_spec("h5netcdf") is None:
        pytest.skip("needs the extras plot and netcdf")
    monkeypatch.chdir(tmp_path)
    result = run("report")
    out = result.stdout
    assert (result.exit_code, result.stderr) == (0, "")
    for name in EXAMPLES:
        assert re.search(rf"^{name}: (synthetic|measured): ", out, re.MULTILINE)
        for suffix in ("-results.csv", "-profiles.csv", ".nc", ".png", ".svg"):
            path = tmp_path / "report" / f"{name}{suffix}"
            assert path.stat().st_size > 0
            assert os.path.join("report", path.name) in out  # noqa: PTH118 - as it is printed
    if find_spec("bokeh"):
        index, page = (tmp_path / "report" / f"{name}.html" for name in ("index", "boron-implant"))
        assert 'href="boron-implant.html"' in index.read_text(encoding="utf-8")
        assert '<a href="index.html">All entries</a>' in page.read_text(encoding="utf-8")
    xj = sims.junction_depth(
        sims.open_example("boron-implant"), level="1e18 atoms/cm^3", after="15 nm"
    )
    assert f"{float(xj.sel(species='B')):.2f} ± " in out
    assert "p->n" in out
    assert "never reached" in out
    assert "not calibrated to concentration" in out


def test_report_as_json():
    result = run("report", "boron-implant", "--no-files", "--format", "json")
    assert result.exit_code == 0
    (one,) = json.loads(result.stdout)["reports"]
    assert one["species"][0]["species"] == "B"
    assert one["species"][1]["junction_depth"] is None
    assert one["files"] == []


def test_report_takes_level_limits_and_dopants():
    options = ["--no-files", "--format", "json", "--level", "1e17 cm^-3", "--stop", "100 nm"]
    result = run("report", "boron-implant", *options, "--donors", "B", "--acceptors", "P")
    (one,) = json.loads(result.stdout)["reports"]
    ds = sims.open_example("boron-implant").sel(species="B")
    assert one["species"][0]["dose"] == float(sims.integrated_dose(ds, stop="100 nm"))
    assert one["species"][0]["junction_depth"] > 180
    assert one["junctions"][0]["polarity"] == "n->p"


def test_a_sputter_rate_brings_time_to_depth():
    plain, scaled = (
        json.loads(run("report", "sputter-time", "--no-files", "--format", "json", *more).stdout)
        for more in ([], ["--rate", "0.42 nm/s"])
    )
    before, after = (one["reports"][0]["species"][0] for one in (plain, scaled))
    assert (before["axis_units"], after["axis_units"]) == ("s", "nm")
    assert after["peak_at"] == pytest.approx(0.42 * before["peak_at"])
    assert after["dose"] is None, "counts are still no concentration"
    assert "0.42 nm/s" in scaled["reports"][0]["notes"][0]


@pytest.mark.parametrize("variable", ["AS_API_KEY", "ATOMSCALE_API_KEY", "AS_API_ENDPOINT"])
def test_ids_that_are_no_examples_are_of_the_server_of_the_settings(
    variable, monkeypatch, approved
):
    assert reports.means_examples(NAMES)
    for nothing in (None, ""):
        if nothing is not None:
            monkeypatch.setenv(variable, nothing)
        with raises(click.UsageError, text=approved):
            reports.means_examples([*NAMES, "arsenic"])
    monkeypatch.setenv(variable, "https://lab.example/with-a-long-path")
    assert not reports.means_examples([*NAMES, "arsenic"])
    assert reports.means_examples(NAMES)


def test_report_on_an_archive_goes_on_after_a_damaged_entry(tmp_path):
    sims.Archive(ARCHIVE).export(NAMES, tmp_path)
    (payload,) = (tmp_path / "entries" / "gan-mg-stack").glob("*/payload.json")
    payload.write_bytes(payload.read_bytes()[:-9])
    result = run("report", "--archive", tmp_path, "--offline", "--no-files")
    assert result.exit_code == 3
    assert "gan-mg-stack" in error_line(result)
    assert "boron-implant" in result.stdout
    assert "sputter-time" in result.stdout


@pytest.mark.slow
def test_report_on_an_entry_without_data(tmp_path):
    with serving({"/sims/empty": b"[]", "/sims/b": payload_of("boron-implant", "b")}) as url:
        result = run("report", "b", "empty", "--endpoint", url, "--no-files")
    assert result.exit_code == 3
    assert "no SIMS data" in error_line(result)
    assert "B   " in result.stdout


def test_warnings_of_the_data_stand_under_the_table(tmp_path):
    profile = {
        "species_name": "B",
        "depths": [10, 0, 20],
        "depth_units": "nm",
        "concentrations": [2e18, 3e18, None],
        "concentration_units": "atoms/cm^3",
    }
    file = tmp_path / "w.json"
    file.write_text(json.dumps([profile]))
    run("archive", "add", file, "--archive", tmp_path / "a", "--id", "w")
    result = run("report", "--archive", tmp_path / "a", "--offline", "--no-files")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "Note: species 'B': depths were not in increasing order" in result.stdout
    assert "1 sample was not measured" in result.stdout


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path):
    (tmp_path / "report").write_text("a file")
    result = run("report", "sputter-time", "--out", tmp_path / "report" / "x")
    assert result.exit_code == 1
    assert "report" in error_line(result)


@pytest.mark.parametrize("missing", ["matplotlib", "h5netcdf"])
def test_a_missing_extra_is_named(missing, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, missing, None)
    result = run("report", "sputter-time", "--out", tmp_path)
    assert result.exit_code == 1
    assert "pip install" in error_line(result)
    assert "sputter-time" in result.stdout, "the table does not need it"


# ---- fetch and search


@pytest.mark.slow
def test_fetch_keeps_what_arrives_and_says_what_does_not(tmp_path):
    with serving({"/sims/one": payload_of("boron-implant", "one")}) as url:
        result = run("fetch", "one", "two", "--endpoint", url, "--archive", tmp_path)
    assert result.exit_code == 3
    assert "two" in error_line(result)
    assert "B, P" in result.stdout
    assert sims.Archive(tmp_path).payload("one") == payload_of("boron-implant", "one")


@pytest.mark.slow
def test_fetch_as_json(tmp_path):
    with serving({"/sims/one": payload_of("boron-implant", "one")}) as url:
        arguments = ["--endpoint", url, "--archive", tmp_path, "--format", "json"]
        result = run("fetch", "one", *arguments)
    assert result.exit_code == 0
    (one,) = json.loads(result.stdout)["fetched"]
    assert one["species"] == ["B", "P"]
    assert one["source"].endswith("/sims/one")


@pytest.mark.slow
def test_a_server_that_is_not_there_is_one_line(tmp_path):
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
    result = run("search", "--endpoint", url, "--timeout", "1")
    assert result.exit_code == 1
    assert "connection failed" in error_line(result)


def test_search_offline():
    result = run("search", "boron", "--archive", ARCHIVE, "--offline")
    assert result.exit_code == 0
    assert "boron-implant" in result.stdout
    assert "sputter-time" not in result.stdout
    found = run("search", "--archive", ARCHIVE, "--offline", "--format", "json")
    assert [entry["data_id"] for entry in json.loads(found.stdout)] == EXAMPLES


# ---- archive


def test_verify_says_what_is_damaged(tmp_path):
    sims.Archive(ARCHIVE).export(NAMES, tmp_path)
    sound = run("archive", "verify", "--archive", tmp_path)
    assert (sound.exit_code, sound.stdout) == (0, "3 entries, all sound\n")
    (payload,) = (tmp_path / "entries" / "sputter-time").glob("*/payload.json")
    payload.write_bytes(payload.read_bytes().replace(b"0", b"1", 1))
    damaged = run("archive", "verify", "--archive", tmp_path)
    assert damaged.exit_code == 1
    assert "sputter-time" in error_line(damaged)
    found = json.loads(run("archive", "verify", "--archive", tmp_path, "--format", "json").stdout)
    assert len(found["damage"]) == 1


def test_list():
    result = run("archive", "list", "--archive", ARCHIVE)
    assert [line.split()[0] for line in result.stdout.splitlines()[2:]] == EXAMPLES
    assert "synthetic: " in result.stdout
    assert "measured: " in result.stdout
    found = json.loads(run("archive", "list", "--archive", ARCHIVE, "--format", "json").stdout)
    assert [record["data_id"] for record in found] == EXAMPLES


def test_add_goes_on_after_a_bad_file(tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_bytes(payload_of("boron-implant"))
    bad.write_bytes(b"[{}]")
    result = run("archive", "add", bad, good, "--archive", tmp_path / "a")
    assert result.exit_code == 3
    assert "bad.json" in error_line(result)
    assert sims.Archive(tmp_path / "a").ids() == ["boron-implant"]


def test_a_file_is_named_once_in_its_error(tmp_path):
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"")
    result = run("archive", "add", bad, "--archive", tmp_path / "a")
    assert error_line(result) == f"Error: {bad}: the file is empty"


# ---- serve


def test_serve_needs_a_key():
    if find_spec("uvicorn") is None:
        pytest.skip("needs the extra server")
    result = run("serve", "--archive", ARCHIVE)
    assert result.exit_code == 1
    assert "SIMS_SERVER_KEY" in error_line(result)


@pytest.mark.slow
def test_serve_answers_a_report(tmp_path):
    if find_spec("uvicorn") is None:
        pytest.skip("needs the extra server")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    child = process("serve", "--archive", ARCHIVE, "--port", port, "--no-key")
    try:
        wait_for_port(port)
        url = f"http://127.0.0.1:{port}"
        local = run("report", "boron-implant", "--no-files", "--format", "json")
        served = run("report", "boron-implant", "--endpoint", url, "--no-files", "--format", "json")
        assert served.exit_code == 0
        one, other = (json.loads(r.stdout)["reports"][0] for r in (local, served))
        assert one["species"] == other["species"]
        assert "gan-mg-stack" in run("search", "--endpoint", url).stdout
    finally:
        child.send_signal(signal.SIGINT)
        _, err = child.communicate(timeout=20)
    assert child.returncode in (0, 130)
    assert "Traceback" not in err


def wait_for_port(port):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with socket.socket() as attempt:
            if attempt.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail("the server did not start")


# ---- leaving


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
@pytest.mark.parametrize("ids", [["one"], ["one", "two", "three"]])
def test_ctrl_c_leaves_promptly(ids, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        child = process("fetch", *ids, "--endpoint", url, "--archive", tmp_path)
        connection, _ = silent.accept()
        with connection:
            connection.recv(1024)
            child.send_signal(signal.SIGINT)
            try:
                _, err = child.communicate(timeout=10)  # sooner than its own timeout
            except subprocess.TimeoutExpired:
                # Python drops an interrupt that comes while a finalizer runs: press again.
                child.send_signal(signal.SIGINT)
                _, err = child.communicate(timeout=10)
    assert child.returncode == 130
    assert err.strip() == "interrupted"


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="pipes as POSIX has them")
def test_a_reader_that_leaves_early_is_no_error():
    child = process("report", "--no-files")
    child.stdout.close()
    err = child.stderr.read()
    child.stderr.close()
    child.wait(timeout=60)
    assert "Traceback" not in err
