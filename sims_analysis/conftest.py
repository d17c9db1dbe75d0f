"""Doctests write their files into a folder that is thrown away, and draw without a screen."""

import os

import pytest
from _pytest.doctest import DoctestItem

os.environ.setdefault("MPLBACKEND", "agg")


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(request: pytest.FixtureRequest) -> None:
    if isinstance(request.node, DoctestItem):
        monkeypatch = request.getfixturevalue("monkeypatch")
        monkeypatch.chdir(request.getfixturevalue("tmp_path"))
