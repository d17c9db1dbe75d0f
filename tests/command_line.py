"""The command line, run here or in a process, and a server for it to ask."""

import subprocess
import sys

from answering_server import send, served
from click.testing import CliRunner

import sims_analysis as sims
from sims_analysis.cli import cli
from sims_analysis.examples.opening import ARCHIVE

#: All that come with the package, and those of them that are synthetic.
EXAMPLES = ["boron-implant", "gan-mg", "gan-mg-stack", "sputter-time", "zno-li"]
NAMES = ["boron-implant", "gan-mg-stack", "sputter-time"]


def run(*arguments):
    return CliRunner().invoke(cli, [str(a) for a in arguments])


def process(*arguments, **more):
    command = [sys.executable, "-m", "sims_analysis", *map(str, arguments)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **more
    )


def error_line(result):
    """The one line on stderr that says what is wrong."""
    assert "Traceback" not in result.stderr
    assert not result.exception or isinstance(result.exception, SystemExit)
    (line,) = [text for text in result.stderr.splitlines() if text.startswith("Error: ")]
    return line


def serving(answers):
    """Answer GET requests from a mapping of path to bytes; all else is 404."""

    def answer(handler):
        found = handler.path in answers
        send(handler, answers[handler.path] if found else b"{}", 200 if found else 404)

    return served(answer)


def payload_of(name, data_id=None):
    payload = sims.Archive(ARCHIVE).payload(name)
    return payload.replace(name.encode(), (data_id or name).encode())
