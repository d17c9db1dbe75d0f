"""Texts that were read and approved: calls, and below each what it says.

A line with ``>>>`` is a call, one with ``$`` a command, one with ``#`` a heading. After a change
that is meant, or a new call, write what they say now: ``python tests/approved.py``.
"""

import contextlib
import difflib
import runpy
import shlex
import tempfile
import warnings
from pathlib import Path

from click.testing import CliRunner

from sims_analysis.cli import cli
from sims_analysis.errors import SimsError, SimsWarning

TESTS = Path(__file__).parent
#: Modules with texts in the file ``APPROVED``, which ``outcome(call)`` gives anew, in a folder that
#: ``files`` may fill.
MODULES = (
    "test_approved_messages.py",
    "analysis/test_messages.py",
    "analysis/test_answers.py",
    "dataset/test_refusals.py",
    "fitting/test_arguments.py",
    "quantification/test_messages.py",
)


def messages(call, names):
    """Return what a call warns of and raises, with the parts of each, or what a command prints."""
    if call.startswith("$"):
        done = CliRunner().invoke(cli, shlex.split(call[2:]), catch_exceptions=False)
        printed = [one for one in done.output.splitlines() if one.startswith(("Error", "Warning"))]
        return [*printed, f"exit code {done.exit_code}"]
    raised = []
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            eval(call[4:], names)  # noqa: S307 - our own text
        except (SimsError, ValueError, TypeError, AttributeError, OSError) as error:
            raised.append(error)
    lines = []
    for one in [*(each.message for each in warned), *raised]:
        parts = [type(one).__name__]
        if isinstance(one, SimsError | SimsWarning):
            parts += [one.code, one.argument, str(dict(one.where))]
        lines += [" ".join(filter(None, parts)), f"  {one}"]
    return lines


def transcript(file, outcome):
    """Return the lines of a file anew: its calls, in order, with what they say now."""
    lines = []
    for call in file.read_text(encoding="utf-8").splitlines():
        if call.startswith((">>> ", "$ ", "# ")):
            lines += ["", call] if lines else [call]
            lines += [] if call.startswith("#") else outcome(call)
    return [line.rstrip() for line in lines]


def difference(file, outcome):
    """Return how what calls say differs from what was approved; empty if it does not."""
    before, now = file.read_text(encoding="utf-8").splitlines(), transcript(file, outcome)
    lines = list(difflib.unified_diff(before, now, "approved", "now", lineterm="", n=2))
    return "\n".join([*lines, "If it is meant: python tests/approved.py"] if lines else [])


if __name__ == "__main__":
    for module in MODULES:
        found = runpy.run_path(str(TESTS / module))
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            found.get("files", str)(Path(folder))
            text = "\n".join(transcript(found["APPROVED"], found["outcome"])) + "\n"
        found["APPROVED"].write_text(text, encoding="utf-8")
