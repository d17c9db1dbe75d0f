"""Messages are written for Python; on the command line they speak of its options."""

import ast
import inspect
import io
import json
import re
import shlex
import tomllib
from pathlib import Path

import click
import pytest

import sims_analysis
from sims_analysis.api.client import Client
from sims_analysis.cli import cli as main
from sims_analysis.cli import options
from sims_analysis.cli.archives import archive
from sims_analysis.cli.reporting import report
from sims_analysis.examples.opening import ARCHIVE


def messages():
    """Texts in the package, without docstrings; a value in a text is x, or 'x' as by repr."""
    for path in Path(sims_analysis.__file__).parent.rglob("*.py"):
        if "cli" in path.parts:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.JoinedStr):
                yield "".join(
                    str(part.value) if isinstance(part, ast.Constant)
                    else "'x'" if part.conversion == ord("r") else "x"
                    for part in node.values
                )  # fmt: skip
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


@pytest.mark.slow
def test_every_phrase_is_in_a_message():
    texts = set(messages())
    for phrase, _ in options._PHRASES:
        assert any(re.search(phrase, text) for text in texts), phrase


def test_every_option_of_a_phrase_is_one():
    commands = [*main.commands.values(), *archive.commands.values()]
    known = {name for one in commands for each in one.params for name in each.opts}
    for _, written in options._PHRASES:
        assert set(re.findall(r"--[a-z-]+", written)) <= known, written


@pytest.mark.parametrize("command", [*main.commands.values(), *archive.commands.values()])
def test_the_help_of_an_option_says_its_default(command):
    for one in command.params:
        if isinstance(one, click.Option) and isinstance(one.default, str | int | float | Path):
            written = " ".join(one.get_help_record(click.Context(command))[1].split())
            assert one.is_flag or f"[default: {one.default}" in written, one.name


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('pass depth_units="nm"', 'pass --depth-units "nm"'),
        ("pass number_repeats=True", "pass --number-repeats"),
        ("pass header_rows=2", "pass header_rows=2 (header_rows= of sims.read in Python)"),
        ("sims.read(path, sheet=1) or columns=", "sims.read(path, sheet=1) or columns="),
        ("of sheet=", "of sheet= (sheet= of sims.read in Python)"),
        ("an edge=", "an edge= (edge= of sims.junction_depth in Python)"),
        ("a rule=", "a rule= (rule= of sims.dose_budget in Python)"),
        ("a max_count=", "a max_count= (max_count= of sims.metallurgical_junctions in Python)"),
        ("dwell_time=", "dwell_time= (dwell_time= of sims.with_counting_statistics in Python)"),
        ("markers=", "markers= (markers= of sims.calibrate_depth in Python)"),
        ("sheet= or columns=", "sheet= or columns= (sheet=, columns= of sims.read in Python)"),
        ("no argument=", "no argument="),
        ("--updated-after='x' or -edge=", "--updated-after='x' or -edge="),
        ("level='x', stop=3 or doping=-1", "--level 'x', --stop 3 or --doping -1"),
        ("surface=, start=(1, 2) or start=x", "--surface, --start (1, 2) or --start x"),
        ("with no_files=True, and Truely", "with --no-files, and Truely"),
        ("sims.read(path, number_repeats=True)", "--number-repeats"),
        ("pass units={'B': \"counts/s\"}", 'pass --units B="counts/s"'),
        ("pass data_id= or pass another data_id", "pass --id or pass another --id"),
        ('surface="exclude" needs surface_depth', "--surface-dose exclude needs --surface"),
        ("; set start= below the surface transient to exclude it",
         "; state its end with --surface"),
        ("Narrow the choice with after='10 nm'.", "The junction lies below --surface."),
    ],
)  # fmt: skip
def test_an_argument_is_an_option_or_one_of_a_function(message, told):
    with click.Context(report):
        assert options.in_options(message) == told


def test_ids_of_a_file_are_its_lines(tmp_path):
    path = tmp_path / "ids.txt"
    path.write_text("w1\n\n# a note\n  w2 \n", encoding="utf-8")
    with path.open(encoding="utf-8") as file:
        assert options.all_ids(["w0"], [file]) == ("w0", "w1", "w2")
    path.write_bytes(b"w1\n\xff\n")
    with (
        path.open(encoding="utf-8") as file,
        pytest.raises(click.UsageError, match="no text in UT"),
    ):
        options.all_ids([], [file])
    path.write_text("# none\n", encoding="utf-8")
    with path.open(encoding="utf-8") as file, pytest.raises(click.UsageError, match="is no id on"):
        options.all_ids([], [file])
    assert options.all_ids([], []) == ()


def test_a_dash_among_the_ids_is_standard_input(monkeypatch):
    for ids, found in ((["-"], ("w1", "w2")), (["w0", "-", "w1"], ("w0", "w1", "w1", "w2"))):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfw1\nw2")))
        assert options.all_ids(ids, []) == found


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("utf-8", "nm µ 😀 \\u202e \\u007f \\u001b ?"),
        ("latin-1", "nm µ \\ud83d\\ude00 \\u202e \\u007f \\u001b ?"),
        ("ascii", "nm \\u00b5 \\ud83d\\ude00 \\u202e \\u007f \\u001b ?"),
        (None, "nm \\u00b5 \\ud83d\\ude00 \\u202e \\u007f \\u001b ?"),
    ],
)
def test_json_spells_out_what_a_terminal_cannot_print_or_would_obey(encoding, shown, monkeypatch):
    text = io.BytesIO()
    stream = io.StringIO() if encoding is None else io.TextIOWrapper(text, encoding=encoding)
    monkeypatch.setattr("sys.stdout", stream)
    options.print_json({"unit": "nm µ 😀 \u202e \x7f \x1b ?"})
    stream.flush()
    printed = stream.getvalue() if encoding is None else text.getvalue().decode(encoding)
    assert printed == f'{{\n  "unit": "{shown}"\n}}\n'
    assert json.loads(printed) == {"unit": "nm µ 😀 \u202e \x7f \x1b ?"}


def test_only_the_first_of_very_many_species_are_listed():
    def result(count):
        profiles = [
            sims_analysis.DepthProfile(
                species_name=f"Q{i}", depths=[0], depth_units="nm", concentrations=[1e18],
                concentration_units="atoms/cm^3",
            )
            for i in range(count)
        ]  # fmt: skip
        return sims_analysis.SIMSResult(data_id="x", depth_profiles=profiles)

    assert options.measured(result(0)) == "no SIMS data"
    assert options.measured(result(40)) == ", ".join(f"Q{i}" for i in range(40))
    assert options.measured(result(42)) == f"{options.measured(result(40))} and 2 more"


def test_a_folder_may_be_made_but_is_no_file(tmp_path):
    folder = options.Folder()
    assert folder.convert(str(tmp_path / "new"), None, None) == tmp_path / "new"
    assert folder.convert(tmp_path, None, None) == tmp_path
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(click.BadParameter, match="is a file"):
        folder.convert(tmp_path / "notes.txt", None, None)
    with pytest.raises(click.BadParameter, match=r"^the name is empty; '.' is this folder$"):
        folder.convert("", None, None)


def test_offline_a_client_reads_the_archive_that_is_named():
    with pytest.raises(click.UsageError, match=r"^--offline reads an archive; name it with --arch"):
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
def test_failures_are_told_once_by_name(done, code, capsys):
    failures = {"a/b.csv": "b.csv: no unit", "x": "entry 'x' is gone", "y": "gone"}
    with pytest.raises(SystemExit) as left:
        options.finish(done, failures)
    assert left.value.code == code
    told = ["Error: a/b.csv: no unit", "Error: entry 'x' is gone", "Error: y: gone"]
    assert capsys.readouterr().err.splitlines() == told
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
    "fetch": f"ids --ids-from {_SOURCE} --refresh --format",
    "search": f"keywords {_SOURCE} --status --uploaded-after --uploaded-before --updated-after "
    "--updated-before --format",
    "serve": "place --archive --host --port --no-key --certfile --keyfile --allow-origin",
    "archive": "",
    "verify": "place --archive --format",
    "index": "place --archive",
    "list": "place --archive --format",
    "add": f"files --archive --id --replace {_FILES} --explain",
    "export": "ids --archive --to",
}
EVERY = {**main.commands, **archive.commands}
#: What an option takes, as its help says; the others take nothing.
TAKEN = {
    "--max-bytes": "BYTES",
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
    **dict.fromkeys(["--archive", "--out", "--to"], "DIRECTORY"),
    **dict.fromkeys(["--timeout", "--deadline"], "FLOAT"),
    **dict.fromkeys(["--retries", "--max-connections"], "INTEGER"),
    **dict.fromkeys(["--level", "--background", "--doping"], "CONC"),
    **dict.fromkeys(["--start", "--stop", "--surface"], "DEPTH"),
    **dict.fromkeys(["--donors", "--acceptors"], "SPECIES"),
    **dict.fromkeys(["--depth-units", "--status", "--host", "--id"], "TEXT"),
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
def test_a_client_is_asked_for_what_it_does_by_default(name):
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
def test_a_quantity_is_checked_before_the_command_runs(kind, capsys):
    units = {"depth": "nm", "sputter_rate": "nm/s", "concentration": "atoms/cm^3"}
    command = click.command()(options.quantity_option(kind, "--asked", "What.")(click.echo))
    command.callback = lambda asked: click.echo(f"asked {asked}")
    for given in (["--asked", f"5 {units[kind]}"], []):
        command.main(given, standalone_mode=False)
    assert capsys.readouterr().out.split() == ["asked", "5", units[kind], "asked", "None"]
    for wrong in ("5", "5 counts", "five nm"):
        with pytest.raises(click.BadParameter, match="asked"):
            command.main(["--asked", wrong], standalone_mode=False)
    (option,) = command.params
    assert option.metavar in {"DEPTH", "RATE", "CONC"}


def test_extras_are_those_that_can_be_installed():
    named = metadata_of_extras()
    for package, extra in options._EXTRAS.items():
        assert any(requirement.startswith(package) for requirement in named[extra]), package


def metadata_of_extras():
    with (Path(__file__).parents[2] / "pyproject.toml").open("rb") as file:
        return tomllib.load(file)["project"]["optional-dependencies"]


def test_what_fails_is_noted_and_others_go_on():
    failures = {}
    for name in ("a", "b", "c"):
        with options.noted(failures, name):
            if name != "b":
                raise sims_analysis.ApiError(f"{name}:\n  gone")
    assert failures == {"a": "a: gone", "c": "c: gone"}
    with pytest.raises(KeyError), options.noted(failures, "d"):
        raise KeyError


def test_a_folder_is_named_once():
    assert options.one_folder(None, Path("x")) == Path("x")
    for named in ((None, None), (Path("x"), Path("x")), ()):
        with pytest.raises(click.UsageError, match="name one folder, with --archive"):
            options.one_folder(*named)
