"""The command line with odd input, odd terminals and odd data: one line, and no traceback."""

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner
from command_line import NAMES, error_line, payload_of, run, serving

import sims_analysis as sims
from sims_analysis.cli import cli
from sims_analysis.examples.opening import ARCHIVE


def piped(*arguments, stdin="", encoding=None, folder=None):
    environment = {**os.environ, "PYTHONPATH": str(sims.__path__[0] + "/..")}
    if encoding:
        environment["PYTHONIOENCODING"] = encoding
    return subprocess.run(
        [sys.executable, "-m", "sims_analysis", *map(os.fsencode, arguments)],
        input=stdin.encode(),
        capture_output=True,
        check=False,
        timeout=60,
        env=environment,
        cwd=folder,
    )


@pytest.mark.parametrize("key", [None, "k3y-of-someone"])
def test_a_missing_file_is_a_usage_error(key, monkeypatch):
    if key:
        monkeypatch.setenv("AS_API_KEY", key)
    for name in ("missing.csv", "data/missing.xlsx", "MISSING.TXT"):
        result = run("report", name, "--no-files")
        assert result.exit_code == 2
        assert error_line(result) == f"Error: {name}: there is no such file"


def odd_archive(path):
    profile = json.loads(payload_of("boron-implant"))[0] | {
        "species_name": "B\x1b[2J\x9b31m\u202eµ\n²",
        "data_id": "odd",
    }
    archive = sims.Archive(path)
    archive.put(
        "odd",
        json.dumps([profile]).encode(),
        url="https://lab.example/\x1b]0;title\x07",
        catalogue={
            "data_id": "odd",
            "char_source_type": "sims",
            "sample_name": "wafer ж\x1b[31m\u2028\u202e",
        },
    )
    return archive


COMMANDS = [
    ["report", "--offline", "--no-files"],
    ["report", "--offline", "--no-files", "--format", "json"],
    ["search", "--offline"],
    ["search", "--offline", "--format", "json"],
    ["fetch", "odd", "--offline"],
    ["fetch", "odd", "--offline", "--format", "json"],
    ["archive", "list"],
    ["archive", "list", "--format", "json"],
]


#: Every command in one encoding, and every encoding of a command that prints what it was given.
CASES = [
    *((command, "ascii") for command in COMMANDS),
    *((COMMANDS[2], encoding) for encoding in ("utf-8", "latin-1", "cp437", "utf-16")),
    (COMMANDS[6], "utf-8"),
]


@pytest.mark.few(4)
@pytest.mark.parametrize(
    ("command", "encoding"), CASES, ids=lambda x: x if isinstance(x, str) else " ".join(x)
)
def test_no_control_characters_are_printed_in_any_encoding(command, encoding, tmp_path):
    archive = odd_archive(tmp_path)
    done = CliRunner(charset=encoding).invoke(cli, [*command, "--archive", str(archive.path)])
    text = done.stdout_bytes.decode("utf-8" if encoding == "ascii" else encoding)
    assert done.exit_code == 0, done.stderr
    for character in "\x1b\x9b\u202e\u2028\x07":
        assert character not in text
    if "json" in command:
        found = json.loads(text)
        if command[0] == "search":
            assert found[0]["sample_name"] == "wafer ж\x1b[31m\u2028\u202e", "the value is the same"


@pytest.mark.slow
def test_a_process_that_prints_ascii(tmp_path):
    done = piped("search", "--offline", "--archive", odd_archive(tmp_path).path, encoding="ascii")
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"wafer" in done.stdout
    assert b"\x1b" not in done.stdout


@pytest.mark.slow
def test_messages_of_a_server_are_escaped(tmp_path):
    with serving({"/sims/a": b'{"\x1b[2J": 1}'.replace(b"\x1b", b"\\u001b")}) as url:
        result = run("fetch", "a", "--endpoint", url, "--archive", tmp_path)
    assert result.exit_code == 1
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["fetch", "\udcff", "--archive", "a", "--offline"],
        ["report", "\x1b[2J", "--no-files"],
        ["report", "x" * 5000, "--no-files"],
        ["report", "--archive", "x" * 5000],
        ["archive", "add", "x" * 5000 + ".json", "--archive", "a"],
        ["archive", "add", ".", "--archive", "a"],
        ["archive", "add", "/dev/null", "--archive", "a"],
        ["serve", "--archive", str(ARCHIVE), "--no-key", "--certfile", "notes.txt"],
        ["serve", "--archive", str(ARCHIVE), "--no-key", "--host", "no such host"],
        ["fetch", "a", "--archive", "a", "--endpoint", "https://u:s3cr3t@h:x/"],
        ["search", "--endpoint", "http://127.0.0.1:9/", "--ca-bundle", "notes.txt"],
        ["report", "boron-implant", "--out", "notes.txt"],
    ],
    ids=lambda command: " ".join(command)[:60].encode("unicode_escape").decode(),
)
def test_odd_arguments_give_one_line_and_no_traceback(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").write_bytes(b"\xff\xfe no text")
    result = run(*command)
    assert result.exit_code in {1, 2, 3}
    assert error_line(result)
    assert "s3cr3t" not in result.stderr
    assert "\x1b" not in result.stderr


@pytest.mark.slow
def test_an_argument_that_is_no_text_in_a_process(tmp_path):
    done = piped("fetch", b"\xff", "--archive", "a", "--offline", folder=tmp_path)
    assert done.returncode == 1
    assert b"Traceback" not in done.stderr
    assert b"Error: " in done.stderr


# ---- ids from elsewhere, filters, limits


@pytest.mark.slow
@pytest.mark.parametrize("way", ["file", "option -"])
def test_ids_from_a_file_or_standard_input(way, tmp_path):
    lines = "\ufeff# wafers\nboron-implant\n\n  sputter-time  \r\nboron-implant\n"
    (tmp_path / "ids.txt").write_bytes(lines.encode())
    more = {
        "file": ["--ids-from", "ids.txt"],
        "option -": ["--ids-from", "-"],
    }[way]
    source = ["--archive", ARCHIVE, "--offline", "--format", "json"]
    done = piped("fetch", *more, *source, stdin=lines, folder=tmp_path)
    assert done.returncode == 0, done.stderr
    fetched = [entry["data_id"] for entry in json.loads(done.stdout)["fetched"]]
    assert fetched == ["boron-implant", "sputter-time"]


def test_search_by_dates(tmp_path):
    archive = sims.Archive(tmp_path)
    for year in (2023, 2024):
        archive.put(
            f"y{year}",
            payload_of("boron-implant"),
            url="test",
            catalogue={
                "data_id": f"y{year}",
                "char_source_type": "sims",
                "upload_datetime": f"{year}-06-01T00:00:00Z",
                "last_updated": f"{year}-07-01T00:00:00Z",
            },
        )
    found = lambda *filters: [  # noqa: E731 - used in four lines
        entry["data_id"]
        for entry in json.loads(
            run("search", *filters, "--archive", tmp_path, "--offline", "--format", "json").stdout
        )
    ]
    assert found("--uploaded-after", "2024-01-01") == ["y2024"]
    assert found("--uploaded-before", "2024-01-01") == ["y2023"]
    assert found("--updated-after", "2023-07-01", "--updated-before", "2023-08-01") == ["y2023"]


def test_limits_reach_the_client(monkeypatch, tmp_path):
    from sims_analysis.api import client

    given = {}

    class Client(client.Client):
        def __init__(self, **options):
            given.update(options)
            super().__init__(**options)

    monkeypatch.setattr(client, "Client", Client)
    limits = ["--retries", "0", "--timeout", "1", "--deadline", "2", "--max-connections", "3"]
    run("search", "--endpoint", "http://127.0.0.1:9", *limits)
    assert {given[name] for name in ("retries", "timeout", "deadline")} == {0, 1.0, 2.0}
    assert given["max_connections"] == 3


# ---- the archive of a laboratory


def test_add_and_export(tmp_path):
    file = tmp_path / "w1.json"
    file.write_bytes(payload_of("boron-implant"))
    lab, paper = tmp_path / "lab", tmp_path / "paper"
    result = run("archive", "add", file, "--archive", lab)
    assert (result.exit_code, result.stdout) == (0, "boron-implant: B, P\n")
    assert sims.Archive(lab).record("boron-implant").url == "file:w1.json"
    run("archive", "add", file, "--archive", lab, "--id", "w2")
    result = run("archive", "export", "w2", "--archive", lab, "--to", paper)
    assert (result.exit_code, result.stdout) == (0, "w2\n")
    assert sims.Archive(paper).payload("w2") == file.read_bytes()
    assert run("archive", "export", "--archive", lab, "--to", paper).exit_code == 0
    assert sims.Archive(paper).ids() == ["boron-implant", "w2"]


def test_export_goes_on_after_a_damaged_entry(tmp_path):
    sims.Archive(ARCHIVE).export(NAMES, tmp_path / "lab")
    (payload,) = (tmp_path / "lab" / "entries" / "gan-mg-stack").glob("*/payload.json")
    payload.write_bytes(b"[]")
    result = run("archive", "export", "--archive", tmp_path / "lab", "--to", tmp_path / "paper")
    assert result.exit_code == 3
    assert "gan-mg-stack" in error_line(result)
    assert sims.Archive(tmp_path / "paper").ids() == ["boron-implant", "sputter-time"]


def test_list_goes_on_after_a_damaged_record(tmp_path):
    sims.Archive(ARCHIVE).export(NAMES, tmp_path)
    (record,) = (tmp_path / "entries" / "gan-mg-stack").glob("*/record.json")
    record.write_bytes(b"")
    result = run("archive", "list", "--archive", tmp_path)
    assert result.exit_code == 3
    assert "gan-mg-stack" in error_line(result)
    assert "sputter-time" in result.stdout


def test_a_result_is_added_as_it_is(tmp_path):
    (result,) = sims.Client(archive=ARCHIVE, offline=True).get("boron-implant")
    archive = sims.Archive(tmp_path)
    archive.add(result, data_id="ours", url="file:ours.dp")
    assert archive.get("ours").depth_profiles == result.depth_profiles
    assert archive.record("ours").url == "file:ours.dp"
