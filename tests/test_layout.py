"""Tests stand where one looks for them: that of a module has its name."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("room", ["analysis", "kernels"])
def test_every_public_module_has_a_test_of_its_name(room):
    modules = {path.stem for path in (ROOT / "sims_analysis" / room).glob("[a-z]*.py")}
    tests = {path.stem.removeprefix("test_") for path in (ROOT / "tests" / room).glob("test_*.py")}
    assert len(modules) > 10
    assert modules <= tests, f"without a test: {sorted(modules - tests)}"


def test_every_folder_of_tests_is_that_of_a_room():
    rooms = {path.parent.name for path in (ROOT / "sims_analysis").glob("*/__init__.py")}
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert folders <= rooms
