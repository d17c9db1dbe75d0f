"""Texts in cells: none is run as a formula, each comes back."""

import string

import pytest

from sims_analysis.text.cells import in_cell, of_cell


@pytest.mark.parametrize(
    "text", ["=1", "+A", "-x", "@a", "\ta", "\ra", "\na", "  =1", "'a", "-1e5x"]
)
def test_what_would_run_is_marked_and_comes_back(text):
    assert in_cell(text) == "'" + text
    assert of_cell(in_cell(text)) == text


@pytest.mark.parametrize(
    "text", ["+1", "-1e5", "-.5", "+3.E-2", "11B", "a=1", "1'", "", *string.ascii_letters]
)
def test_numbers_and_names_stay(text):
    assert in_cell(text) == text == of_cell(text)


def test_a_mark_of_the_users_stays():
    assert of_cell("'a") == "'a"
