"""Tests stand where one looks for them: that of a module has its name."""

from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_module_of_analysis_has_a_test_of_its_name():
    modules = {path.stem for path in (ROOT / "sims_analysis" / "analysis").glob("[a-z]*.py")}
    tests = {
        path.stem.removeprefix("test_") for path in (ROOT / "tests/analysis").glob("test_*.py")
    }
    assert len(modules) > 10
    assert modules <= tests, f"without a test: {sorted(modules - tests)}"


def test_every_folder_of_tests_is_that_of_a_room():
    rooms = {path.parent.name for path in (ROOT / "sims_analysis").glob("*/__init__.py")}
    folders = {path.parent.name for path in (ROOT / "tests").glob("*/test_*.py")}
    assert folders <= rooms
