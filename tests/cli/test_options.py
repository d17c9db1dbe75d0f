"""Messages are written for Python; on the command line they speak of its options."""

import inspect
import json
import re
import shlex
from pathlib import Path

import click
import pytest
from error_parts import raises

import sims_analysis as sims
from sims_analysis import errors
from sims_analysis.api.client import Client
from sims_analysis.cli import cli as main
from sims_analysis.cli import options
from sims_analysis.cli.archives import archive
from sims_analysis.cli.reports import report
from sims_analysis.examples.opening import ARCHIVE

COMMANDS_OF_ALL = [*main.commands.values(), *archive.commands.values()]


def test_every_remedy_is_of_a_code_and_names_options():
    known = {name for one in COMMANDS_OF_ALL for each in one.params for name in each.opts}
    assert options.REMEDIES.keys() <= errors.CODES.keys()
    for remedy in options.REMEDIES.values():
        assert {one.strip(",") for one in remedy.split() if one.startswith("--")} <= known, remedy


@pytest.mark.parametrize("command", COMMANDS_OF_ALL)
def test_the_help_of_an_option_says_its_default(command):
    for one in command.params:
        if isinstance(one, click.Option) and isinstance(one.default, str | int | float | Path):
            written = " ".join(one.get_help_record(click.Context(command))[1].split())
            assert one.is_flag or f"[default: {one.default}" in written, one.name


@pytest.mark.parametrize(
    ("message", "worded"),
    [
        (sims.ProfileError("level='5' has no unit", argument="level"), "--level='5' has no unit"),
        (sims.ApiError("max_connections=0 is not a number", argument="max_connections"),
         "--max-connections=0 is not a number"),
        (sims.ProfileError("level='5'; expected less than doping='3'", argument="level"),
         "--level='5'; expected less than --doping='3'"),
        (sims.ReadError("sheet=3 is not there", argument="sheet"), "sheet=3 is not there"),
        (sims.UnitsError("no unit", argument="depth_units", code="missing_unit", remedy="pass it"),
         "no unit; state it with --depth-units UNIT"),
        (sims.SimsWarning("empty", argument="units", remedy="pass units="), "empty; see --units"),
        (sims.SimsWarning("two sheets", argument="sheet", remedy="pass sheet="),
         "two sheets; in Python, pass sheet="),
        (sims.ReadError("which?", remedy="pass columns={}"), "which?; in Python, pass columns={}"),
        (sims.PayloadError("no {number}", "$[3]"), "$[3]: no {number}"),
    ],
)  # fmt: skip
def test_a_message_has_options_for_arguments_and_a_remedy_for_the_command(message, worded):
    with click.Context(report):
        assert options.describe(message) == worded


def test_ids_of_a_file_are_its_lines(tmp_path, approved):
    path = tmp_path / "ids.txt"
    path.write_text("w1\n\n# a note\n  w2 \n", encoding="utf-8")
    with path.open(encoding="utf-8") as file:
        assert options.all_ids(["w0"], [file]) == ("w0", "w1", "w2")
    path.write_bytes(b"w1\n\xff\n")
    with (
        path.open(encoding="utf-8") as file,
        raises(click.UsageError, text=approved),
    ):
        options.all_ids([], [file])
    path.write_text("# none\n", encoding="utf-8")
    with path.open(encoding="utf-8") as file, raises(click.UsageError, text=approved):
        options.all_ids([], [file])
    assert options.all_ids([], []) == ()


def test_json_escapes_what_is_no_ascii(capsys):
    options.print_json({"unit": "nm µ 😀 \u202e \x1b ?"})
    printed = capsys.readouterr().out
    assert printed == '{\n  "unit": "nm \\u00b5 \\ud83d\\ude00 \\u202e \\u001b ?"\n}\n'
    assert json.loads(printed) == {"unit": "nm µ 😀 \u202e \x1b ?"}


def test_only_the_first_of_very_many_species_are_listed():
    def result(count):
        profiles = [
            sims.DepthProfile(
                species_name=f"Q{i}", depths=[0], depth_units="nm", concentrations=[1e18],
                concentration_units="atoms/cm^3",
            )
            for i in range(count)
        ]  # fmt: skip
        return sims.SIMSResult(data_id="x", depth_profiles=profiles)

    assert options.list_species(result(0)) == "no SIMS data"
    assert options.list_species(result(40)) == ", ".join(f"Q{i}" for i in range(40))
    assert options.list_species(result(42)) == f"{options.list_species(result(40))} and 2 more"


def test_offline_a_client_reads_the_archive_that_is_named(approved):
    with raises(click.UsageError, text=approved):
        options.open_client(archive=None, offline=True)
    with options.open_client(archive=ARCHIVE, offline=True, retries=1) as client:
        found, failures = options.get(client, ["nobody", "boron-implant", "nobody"])
    assert [one.data_id for one in found] == ["boron-implant"]
    assert {*failures} == {"nobody"}
    assert "is not in the archive" in failures["nobody"]


def test_columns_are_aligned_below_a_line(capsys):
    options.print_columns(["id", "species"], [["boron-implant", "B"], ["x\x1b", ""]])
    assert capsys.readouterr().out.splitlines() == [
        "id             species",
        "-------------  -------",
        "boron-implant  B",
        "x\\x1b",
    ]


@pytest.mark.parametrize(("done", "code"), [(0, 1), (1, options.PARTIAL)])
def test_failures_are_printed_with_their_names(done, code, capsys):
    failures = {"a/b.csv": "b.csv: no unit", "x": "entry 'x' is gone", "y": "gone"}
    with pytest.raises(SystemExit) as left:
        options.finish(done, failures)
    assert left.value.code == code
    printed = ["Error: a/b.csv: no unit", "Error: entry 'x' is gone", "Error: y: gone"]
    assert capsys.readouterr().err.splitlines() == printed
    options.finish(done, {})


_SOURCE = (
    "--archive --endpoint --allow-http --offline --timeout --deadline --retries --max-connections "
    "--ca-bundle"
)
_FILES = "--depth-units --units --species --number-repeats --max-bytes"
#: What a script may rely on, in the order of the help.
COMMANDS = {
    "report": f"ids --ids-from {_SOURCE} --level --start --stop --background --surface "
    f"--surface-dose --rate --donors --acceptors --doping {_FILES} --out --no-files --explain "
    "--format",
    "chart": "ids --ids-from --archive --question --species --where --start --stop --background "
    "--level --after --value-per-count --kind --rules --baseline --by-day --target --stddev "
    "--limits --out --no-files --format",
    "fetch": f"ids --ids-from {_SOURCE} --refresh --format",
    "search": f"keywords {_SOURCE} --status --uploaded-after --uploaded-before --updated-after "
    "--updated-before --format",
    "serve": "--archive --host --port --no-key --certfile --keyfile --allow-origin",
    "archive": "",
    "verify": "--archive --format",
    "list": "--archive --format",
    "add": f"files --archive --id --replace {_FILES} --explain",
    "export": "ids --archive --to",
}
EVERY = {**main.commands, **archive.commands}
#: What an option takes, as its help says; the others take nothing.
TAKEN = {
    "--max-bytes": "BYTES",
    "--depth-units": "UNIT",
    "--ids-from": "FILE",
    "--endpoint": "URL",
    "--ca-bundle": "PATH",
    "--surface-dose": "[measured|exclude|hold]",
    "--format": "[table|json]",
    "--units": "[SPECIES=]UNIT",
    "--species": "NAME",
    "--allow-origin": "ORIGIN",
    "--rate": "RATE",
    "--port": "INTEGER RANGE",
    "--question": "[dose|mean|junction]",
    "--kind": "[individuals|ewma|cusum]",
    "--rules": "RULE",
    **dict.fromkeys(["--target", "--stddev"], "VALUE"),
    "--baseline": "FIRST LAST",
    "--limits": "LOWER UPPER",
    "--where": "FIELD TEXT",
    "--value-per-count": "CONC",
    **dict.fromkeys(["--archive", "--out", "--to"], "DIRECTORY"),
    **dict.fromkeys(["--timeout", "--deadline"], "FLOAT"),
    **dict.fromkeys(["--retries", "--max-connections"], "INTEGER"),
    **dict.fromkeys(["--level", "--background", "--doping"], "CONC"),
    **dict.fromkeys(["--start", "--stop", "--surface", "--after"], "DEPTH"),
    **dict.fromkeys(["--donors", "--acceptors"], "SPECIES"),
    **dict.fromkeys(["--status", "--host", "--id"], "TEXT"),
    **dict.fromkeys(["--uploaded-after", "--uploaded-before"], "TIME"),
    **dict.fromkeys(["--updated-after", "--updated-before"], "TIME"),
    **dict.fromkeys(["--certfile", "--keyfile"], "FILE"),
}


def test_the_commands_and_their_options():
    found = {name: [one.opts[0] for one in command.params] for name, command in EVERY.items()}
    assert found == {name: options.split() for name, options in COMMANDS.items()}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_says_what_an_option_takes(name):
    options = [one for one in EVERY[name].params if isinstance(one, click.Option)]
    found = [one.get_help_record(click.Context(EVERY[name]))[0] for one in options]
    names = [one.opts[0] for one in options]
    assert found == [f"{one} {TAKEN[one]}" if one in TAKEN else one for one in names]


@pytest.mark.parametrize("name", ["report", "fetch", "search"])
def test_options_have_the_defaults_of_the_client(name):
    parameters = inspect.signature(Client).parameters
    ours = {one.name: one.default for one in EVERY[name].params}
    for option in ("timeout", "deadline", "retries", "max_connections"):
        assert ours[option] == parameters[option].default, option


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_of_a_help_are_commands_that_are_understood(name):
    lines = re.findall(r"^ +.*-m sims_analysis (.+)$", EVERY[name].epilog, re.MULTILINE)
    assert lines
    for line in lines:
        command, arguments = main, shlex.split(line)
        while isinstance(command, click.Group):
            command = command.commands[arguments.pop(0)]
        assert command is EVERY[name] or name == "archive"
        options = [one for one in arguments if one.startswith("--")]
        assert set(options) <= {each for one in command.params for each in one.opts}


@pytest.mark.parametrize("kind", ["depth", "sputter_rate", "concentration"])
def test_a_quantity_is_checked_before_the_command_runs(kind, capsys, approved):
    units = {"depth": "nm", "sputter_rate": "nm/s", "concentration": "atoms/cm^3"}
    command = click.command()(options.quantity_option(kind, "--depth", "What.")(click.echo))
    command.callback = lambda depth: click.echo(f"depth {depth}")
    for given in (["--depth", f"5 {units[kind]}"], []):
        command.main(given, standalone_mode=False)
    assert capsys.readouterr().out.split() == ["depth", "5", units[kind], "depth", "None"]
    for wrong in ("5", "5 counts", "five nm"):
        with raises(click.UsageError, text=approved):
            command.main(["--depth", wrong], standalone_mode=False)
    (option,) = command.params
    assert option.metavar in {"DEPTH", "RATE", "CONC"}


def test_a_failure_is_collected_and_others_go_on():
    failures = {}
    for name in ("a", "b", "c"):
        with options.collect_failure(failures, name):
            if name != "b":
                raise sims.ApiError(f"{name}:\n  gone")
    assert failures == {"a": "a: gone", "c": "c: gone"}
    with pytest.raises(KeyError), options.collect_failure(failures, "d"):
        raise KeyError
