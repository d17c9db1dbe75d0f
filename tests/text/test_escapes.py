"""What a terminal would act on is escaped, and nothing else."""

import pytest

from sims_analysis.text.escapes import visible


@pytest.mark.parametrize(
    ("hidden", "shown"),
    [
        ("\x1b", r"\x1b"),  # begins a command of the terminal
        ("\u202e", r"\u202e"),  # right to left from here on
        ("\ud800", r"\ud800"),  # half of a pair, which cannot be encoded
        ("\u2028", r"\u2028"),  # line separator
        ("\u2029", r"\u2029"),  # paragraph separator
    ],
)
def test_control_and_format_characters_are_escaped(hidden, shown):
    assert visible(f"B{hidden}2\n") == rf"B{shown}2\n"
    assert visible(f"B{hidden}2\n", keep="\n") == f"B{shown}2\n"


@pytest.mark.parametrize("text", ["", "¹¹B → Å", "no\u00a0break", "private \ue000"])
def test_other_text_stays(text):
    assert visible(text) == text
