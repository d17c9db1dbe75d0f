"""Messages that were read and approved: calls, and what each raises or warns of, word by word."""

import re
import warnings

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
