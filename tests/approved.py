"""Texts that were read and approved: calls, and below each what it says.

They stand in ``approved_messages.txt``, a part for each of some modules of tests. A line with
``==`` begins a part; ``>>>`` is a call, ``$`` a command, and ``#`` a heading, or in the last part
a test, with the texts that its fixture `approved` was given (:class:`ApprovedTexts`).
After a change that is meant, or a new call, write what they say now: ``python tests/approved.py``,
and ``python -m pytest --approve TESTS`` for those of tests.
"""

import contextlib
import difflib
import re
import runpy
import shlex
import tempfile
import warnings
from pathlib import Path

from click.testing import CliRunner

from sims_analysis.cli import cli
from sims_analysis.errors import SimsError, SimsWarning

TESTS = Path(__file__).parent
FILE = TESTS / "approved_messages.txt"
#: Modules with texts in the part ``APPROVED``, which ``outcome(call)`` gives anew, in a folder that
#: ``files`` may fill.
MODULES = (
    "test_approved_messages.py",
    "analysis/test_messages.py",
    "analysis/test_answers.py",
    "dataset/test_refusals.py",
    "fitting/test_arguments.py",
    "quantification/test_messages.py",
)


#: What differs from run to run: addresses, ports, names by content, versions of an archive.
CHANGING = re.compile(
    r"(?<=127\.0\.0\.1:)\d+|0x[0-9a-f]+|unnamed-[0-9a-f]{12}|\d{8}T\d{6}\.\d{6}Z-[0-9a-f]{8}"
)
#: The part with texts of tests, the last.
OF_TESTS = "of tests"


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
        lines += [parts_of(one), f"  {one}"]
    return lines


def parts_of(one):
    """Return the class of an error or a warning, and its parts."""
    parts = [type(one).__name__]
    if isinstance(one, SimsError | SimsWarning):
        parts += [one.code, one.argument, str(dict(one.where))]
    return " ".join(filter(None, parts))


def approved(part):
    """Return the lines of a part."""
    texts = re.split("^== ", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    every = dict(one.split("\n\n", 1) for one in texts)
    return every[part].rstrip("\n").splitlines()


class ApprovedTexts:
    """Compare what errors and warnings of a test say, in order, with what was approved.

    What is said again in turn is listed once; the folder of the test is called FOLDER.
    """

    def __init__(self, test, folder, *, approve):
        self.test, self.folder, self.approve, self.lines = test, folder, approve, []

    def __call__(self, message):
        lines = [parts_of(message), "  " + str(message).replace("\n", "\\n")]
        if self.folder:
            lines = [line.replace(self.folder, "FOLDER") for line in lines]
        lines = [CHANGING.sub("...", line) for line in lines]
        if self.lines[-2:] == lines:
            return
        self.lines += lines
        every = _lines_of_tests()
        if self.approve:
            _approve(every | {self.test: self.lines})
        else:
            expected = every.get(self.test, [])[: len(self.lines)]
            assert self.lines == expected, "If it is meant: python -m pytest --approve TESTS"


def _lines_of_tests():
    every = {}
    for line in approved(OF_TESTS):
        if line.startswith("# "):
            lines = every.setdefault(line[2:], [])
        elif line:
            lines.append(line)
    return every


def takes_approved(test):
    """Whether there is this test, and has texts that are approved."""
    file, name = test.partition("[")[0].split("::")
    path = TESTS / file
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    return re.search(rf"^def {name}\([^)]*\bapproved\b", text, re.MULTILINE) is not None


def _approve(every):
    before = FILE.read_text(encoding="utf-8").partition(f"== {OF_TESTS}\n")[0]
    lines = [f"== {OF_TESTS}"]
    for test in sorted(filter(takes_approved, every)):
        lines += ["", f"# {test}", *every[test]]
    FILE.write_text(before + "\n".join([*lines, ""]), encoding="utf-8")


def transcript(lines, outcome):
    """Return the lines of a part anew: its calls, in order, with what they say now."""
    now = []
    for call in lines:
        if call.startswith((">>> ", "$ ", "# ")):
            now += ["", call] if now else [call]
            now += [] if call.startswith("#") else outcome(call)
    return [line.rstrip() for line in now]


def difference(part, outcome):
    """Return how what calls say differs from what was approved; empty if it does not."""
    before = approved(part)
    now = transcript(before, outcome)
    lines = list(difflib.unified_diff(before, now, "approved", "now", lineterm="", n=2))
    return "\n".join([*lines, "If it is meant: python tests/approved.py"] if lines else [])


if __name__ == "__main__":
    parts = []
    for module in MODULES:
        found = runpy.run_path(str(TESTS / module))
        part = found["APPROVED"]
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            found.get("files", str)(Path(folder))
            lines = transcript(approved(part), found["outcome"])
        parts.append("\n".join([f"== {part}", "", *lines, ""]))
    parts.append("\n".join([f"== {OF_TESTS}", "", *approved(OF_TESTS), ""]))
    FILE.write_text("\n".join(parts), encoding="utf-8")
