"""Every spelling of a word that headers may hold, in all languages."""

from pathlib import Path

import pytest

from sims_analysis.readers.tables.header_cells import named_role, pattern

_, *PARAGRAPHS = Path(__file__).with_name("words.txt").read_text(encoding="utf-8").split("\n\n")


@pytest.mark.parametrize("paragraph", PARAGRAPHS)
def test_words_of_a_role(paragraph):
    role, _, words = " ".join(paragraph.split()).partition(": ")
    spelled = words.split(", ")
    assert [word for word in spelled if not pattern(role).fullmatch(word)] == []
    assert [word for word in spelled if named_role(word.upper(), role) is None] == []
