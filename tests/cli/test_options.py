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
