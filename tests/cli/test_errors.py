"""What goes wrong in a command is one line on stderr, and an exit code."""

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

import sims_analysis as sims
from sims_analysis.cli import cli
from sims_analysis.cli.options import Group
from sims_analysis.errors import warn


def run(error):
    @click.group(cls=Group)
    def group():
        pass

    @group.command()
    def fail():
        warn("be\ncareful", sims.SimsWarning)
        warn("be careful", sims.SimsWarning)
        raise error

    return CliRunner().invoke(group, ["fail"])


@pytest.mark.parametrize(
    ("error", "code", "printed"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (sims.ProfileError("species 'B':\nno depth"), 1, "Error: species 'B': no depth"),
        (ImportError("no such thing", name="other"), 1, "Error: no such thing"),
        (ImportError("no such thing"), 1, "Error: no such thing"),
        (FileNotFoundError(2, "No such file", "a.csv"), 1, "Error: a.csv: No such file"),
        (OSError(28, "No space left"), 1, "Error: No space left"),
        (OSError("full\nup"), 1, "Error: full up"),
        (MemoryError("too much"), 1, "Error: MemoryError: too much"),
        (RecursionError(), 1, "Error: RecursionError: RecursionError"),
    ],
)  # fmt: skip
def test_errors_and_warnings_are_printed_once_on_a_line(error, code, printed):
    done = run(error)
    assert done.exit_code == code
    assert done.stderr.splitlines() == ["Warning: be careful", printed]


def test_bugs_keep_their_traceback():
    assert isinstance(run(ZeroDivisionError()).exception, ZeroDivisionError)
    assert run(BrokenPipeError(32, "gone")).exit_code == 1


def wafer(folder, name):
    profile = {
        "data_id": name, "species_name": "B", "depths": [0, 10], "depth_units": "nm",
        "concentrations": [1e18, 2e18], "concentration_units": "atoms/cm^3",
    }  # fmt: skip
    file = folder / f"{name}.json"
    file.write_text(json.dumps([profile]))
    return str(file)


@pytest.mark.parametrize(("missing", "code"), [((), 0), (("none",), 3), (("none", "nor"), 1)])
def test_entries_are_printed_and_failures_set_the_exit_code(tmp_path, missing, code):
    there = [] if code == 1 else ["w1"]
    files = [wafer(tmp_path, name) for name in there] + [f"{name}.json" for name in missing]
    lab, paper = str(tmp_path / "lab"), str(tmp_path / "paper")
    done = CliRunner().invoke(cli, ["archive", "add", "--archive", lab, *files])
    assert (done.exit_code, done.stdout.split()) == (code, ["w1:", "B"] if there else [])
    assert [name for name in missing if f"'{name}.json'" not in done.stderr] == []
    sims.Archive(lab).add(wafer(tmp_path, "w2"))
    command = ["archive", "export", *there, *missing, "--archive", lab, "--to", paper]
    done = CliRunner().invoke(cli, command)
    assert (done.exit_code, done.stdout.split()) == (code, there)
    assert [name for name in missing if f"entry '{name}'" not in done.stderr] == []
    listed = CliRunner().invoke(cli, ["archive", "list", "--archive", lab, "--format", "json"])
    assert [record["data_id"] for record in json.loads(listed.stdout)] == [*there, "w2"]


def test_without_ids_everything_is_exported(tmp_path):
    lab, paper = sims.Archive(tmp_path / "lab"), tmp_path / "paper"
    for name in ("w1", "w2"):
        lab.add(wafer(tmp_path, name))
    command = ["archive", "export", "--archive", str(lab.path), "--to", str(paper)]
    assert CliRunner().invoke(cli, command).stdout.split() == ["w1", "w2"]
    assert sims.Archive(paper).ids() == ["w1", "w2"]


@pytest.mark.slow
@pytest.mark.parametrize("style", ["table", "json"])
def test_the_files_and_the_index_of_pages_are_printed(tmp_path, style):
    names = ["gan-mg", "sputter-time"]
    done = CliRunner().invoke(cli, ["report", *names, "--out", str(tmp_path), "--format", style])
    assert done.exit_code == 0
    named = f"List of all: {tmp_path / 'index.html'}"
    assert (named in done.stdout) == (style == "table")
    assert (tmp_path / "index.html").is_file()
    if style == "json":
        reports = json.loads(done.stdout)["reports"]
        listed = [Path(file) for one in reports for file in one["files"]]
        assert sorted([*listed, tmp_path / "index.html"]) == sorted(tmp_path.iterdir())
    else:
        files = {str(one) for one in tmp_path.iterdir()} - {str(tmp_path / "index.html")}
        assert files <= {*map(str.strip, done.stdout.splitlines())}
