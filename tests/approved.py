"""Messages that were read and approved: calls, and what each raises or warns of, word by word.

``python tests/approved.py tests/analysis/test_messages.py`` writes the messages of now into
messages.txt next to that module, in whose names the calls are: read the difference.
"""

import re
import runpy
import sys
import textwrap
import warnings
from pathlib import Path

from sims_analysis.errors import SimsError


def approved(file):
    """List (call, message): calls stand at the margin, and below each, indented, its message."""
    lines = [line for line in file.read_text("utf-8").splitlines() if line and line[0] != "#"]
    found = re.findall(r"^(\S.*(?:\n\S.*)*)\n((?: .*\n?)+)", "\n".join(lines), flags=re.MULTILINE)
    return [(" ".join(call.split()), " ".join(message.split())) for call, message in found]


def message_of(call, names):
    """Make a call, and return its error or its one warning, with the class."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            eval(call, names)  # noqa: S307 - our own text
        except (SimsError, TypeError) as error:
            messages = [error]
        else:
            messages = [one.message for one in caught]
    (message,) = messages
    return f"{type(message).__name__}: {message}"


def rewrite(module):
    """Write the messages of now below the calls, and leave calls and headings as they are."""
    file, names = Path(module).with_name("messages.txt"), runpy.run_path(module)
    text = file.read_text("utf-8")
    wrapped = {"break_on_hyphens": False, "break_long_words": False}

    def renewed(match):
        message = message_of(" ".join(match[1].split()), names)
        indent = {"initial_indent": "    ", "subsequent_indent": "    "}
        return match[1] + "\n".join(textwrap.wrap(message, 96, **indent, **wrapped)) + "\n"

    file.write_text(re.sub(r"(?m)^((?:[^#\s].*\n)+)(?: .*\n)+", renewed, text), "utf-8")


if __name__ == "__main__":
    rewrite(sys.argv[1])
