"""What goes wrong in a command is one line on stderr, and an exit code."""

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
    ("error", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (sims.ProfileError("species 'B':\nno depth"), 1, "Error: species 'B': no depth"),
        (ImportError("no", name="starlette.routing"), 1,
         "Error: this needs starlette: pip install 'sims-analysis[server]'"),
        (ImportError("pip install it", name="h5py"), 1, "Error: pip install it"),
        (ImportError("no such thing", name="other"), 1, "Error: no such thing"),
        (ImportError("no such thing"), 1, "Error: no such thing"),
        (FileNotFoundError(2, "No such file", "a.csv"), 1, "Error: a.csv: No such file"),
        (OSError(28, "No space left"), 1, "Error: No space left"),
        (OSError("full\nup"), 1, "Error: full up"),
        (MemoryError("too much"), 1, "Error: MemoryError: too much"),
        (RecursionError(), 1, "Error: RecursionError: RecursionError"),
    ],
)  # fmt: skip
def test_an_error_is_one_line_and_a_warning_is_told_once(error, code, told):
    done = run(error)
    assert done.exit_code == code
    assert done.stderr.splitlines() == ["Warning: be careful", told]


def test_what_is_a_fault_of_the_program_is_not_hidden():
    assert isinstance(run(ZeroDivisionError()).exception, ZeroDivisionError)
    assert run(BrokenPipeError(32, "gone")).exit_code == 1


def test_one_id_is_of_one_file(tmp_path):
    asked = ["archive", "add", "--id", "x", "--archive", str(tmp_path), "a.json"]
    several = CliRunner().invoke(cli, [*asked, "b.json"])
    assert several.exit_code == 2
    assert "--id names one entry, but there are several files" in several.stderr
    assert "cannot read 'a.json'" in CliRunner().invoke(cli, asked).stderr
