"""What the README says is what happens."""

import re

from click.testing import CliRunner
from code_blocks import README, blocks, run, session
from instrument_files import measured_file

from sims_analysis.cli import cli

TEXT = README.read_text(encoding="utf-8")


def test_the_walk_through(tmp_path):
    (tmp_path / "w7.dp_rpc_asc").write_bytes(measured_file())
    assert len(session(README).examples) > 10
    differs = run(README, tmp_path)
    assert not differs, differs


def test_the_two_commands_are_one_line_each_and_come_first():
    first, second = blocks(README, "sh")[:2]
    assert first.strip().count("\n") == second.strip().count("\n") == 0
    assert "-m sims_analysis report" in first
    assert "-m pytest" in second


def test_the_first_command_begins_with_what_is_shown():
    (shown,) = blocks(README, "text")
    said = CliRunner().invoke(cli, ["report", "boron-implant", "--no-files"])
    assert said.output.startswith(shown)


def test_it_is_read_in_five_minutes():
    assert len(TEXT.split()) <= 1200


def test_links_and_pictures_are_there():
    pictures = re.findall(r'<img src="([^"]+)"', TEXT)
    assert pictures
    for target in [*re.findall(r"\]\(([^)#:]+)\)", TEXT), *pictures]:
        assert (README.parent / target).is_file(), target
