"""Messages are written for Python; on the command line they speak of its options."""

import ast
import re
from pathlib import Path

import click
import pytest

import sims_analysis
from sims_analysis.cli import cli as main
from sims_analysis.cli import options
from sims_analysis.cli.archives import archive
from sims_analysis.cli.reporting import report


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
        if isinstance(one, click.Option) and isinstance(one.default, str | int | float):
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
        ("no argument=", "no argument="),
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
