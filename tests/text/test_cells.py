"""Texts in cells: none is run as a formula, each comes back."""

import string

import hypothesis.strategies as st
import pytest
from hypothesis import given

from sims_analysis.text.cells import escape_cell, unescape_cell


@pytest.mark.parametrize(
    "text",
    ["=1", "+A", "-x", "@a", "  =1", "'a", "-1e5x", "＝1+1", "＠a", "﹦1", "\xa0=1", "\ufeff=1",
     "\u200b＋x", "\u3000=1", "\x00=1", "\u2066=1"],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", "11B;", "11B\t", "11B\n", "11B\r", "11B;;", ";\xa0\t"])
def test_formulas_are_escaped_and_restored(before, text):
    assert escape_cell(before + text).endswith("'" + text)
    assert unescape_cell(escape_cell(before + text)) == before + text


@pytest.mark.parametrize(
    "text",
    ["+1", "-1e5", "-.5", "+3.E-2", "11B", "a=1", "1'", "", "a-b; c+d", "B;-1", "-2\t+3",
     *string.ascii_letters],
)  # fmt: skip
def test_numbers_and_names_stay(text):
    assert escape_cell(text) == text == unescape_cell(text)


def test_a_mark_of_the_user_is_kept():
    assert unescape_cell("'a") == "'a"


@given(st.text(st.sampled_from("';\t\n =+-1a＝\xa0")))
def test_every_text_is_restored_and_no_cell_of_it_is_a_formula(text):
    cell = escape_cell(text)
    assert unescape_cell(cell) == text
    for part in cell.replace("\t", ";").replace("\n", ";").split(";"):
        begins = part.strip()[:1]
        assert begins not in {*"=＝"}
        assert begins not in {*"+-"} or part[1:].isdigit()
