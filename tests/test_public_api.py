"""The public names: all reachable, all documented, none heavy to import."""

import ast
import importlib
import inspect
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from error_parts import raises
from public_names import ROOT, PublicNames

import sims_analysis as sims

HEAVY = {
    "numpy", "scipy", "xarray", "pandas", "pint", "httpx", "orjson", "click",
    "matplotlib", "dask", "h5py", "h5netcdf", "zarr", "starlette", "tqdm",
}  # fmt: skip
FUNCTIONS = [
    name for name in sims.__all__
    if callable(getattr(sims, name)) and not (
        inspect.isclass(getattr(sims, name)) and issubclass(getattr(sims, name), BaseException))
]  # fmt: skip


def test_each_public_name_is_listed_once_and_can_be_reached():
    stub = Path(sims.__file__).with_suffix(".pyi")
    listed = [
        (node.module, alias.name, alias.asname)
        for node in ast.parse(stub.read_text(encoding="utf-8")).body
        for alias in node.names
    ]
    names = [name for _, name, _ in listed]
    assert len(set(names)) == len(names)
    assert set(names) == set(sims.__all__) == set(dir(sims))
    for module, name, public in listed:
        assert public == name
        home = importlib.import_module(f"sims_analysis.{module}" if module else "sims_analysis")
        assert getattr(sims, name) is getattr(home, name) is not None
        assert name in getattr(home, "__all__", [name])


@pytest.fixture(scope="module")
def public():
    return PublicNames()


@pytest.mark.slow
def test_the_lists_of_public_names_are_those_of_the_functions(public):
    assert list(public.outdated()) == [], "run `python tests/public_names.py`"


NEW = '''
"""The depth of half the maximum."""


def half_depth(data: xr.Dataset | xr.DataArray, *, start: str) -> xr.DataArray:
    """Return the depth of half the maximum.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> sims.half_depth(sims.open_example("boron-implant"), start="20 nm")
    """


def helper(data: xr.Dataset) -> None:
    """Help.

    Examples
    --------
    >>> helper(sims.open_example("boron-implant"))
    """
'''


def with_a_new_module(root, room):
    """Copy what lists public names and what has them, and add a module."""
    for path in ("sims_analysis", ".docs/api"):
        shutil.copytree(ROOT / path, root / path)
    (root / "sims_analysis" / room).mkdir(exist_ok=True)
    (root / "sims_analysis" / room / "half.py").write_text(NEW)
    return PublicNames(root)


@pytest.mark.slow
def test_a_new_function_is_written_into_every_list(tmp_path):
    changed = with_a_new_module(tmp_path, "analysis").outdated()
    lines = {
        "sims_analysis/__init__.pyi": "from .analysis.half import half_depth as half_depth\n",
        "sims_analysis/xarray.py": "        half_depth = _forward(sims_analysis.half_depth)\n",
        ".docs/api/questions.rst": "   half_depth\n",
        ".docs/api/functions.md": "| `sims.half_depth` | Return the depth of half the maximum. |\n",
    }
    assert set(changed) == set(lines)
    for path, line in lines.items():
        assert changed[path].count(line) == 1
        assert "helper" not in changed[path]


@pytest.mark.slow
def test_a_function_of_a_new_room_that_is_on_no_page_is_named(tmp_path):
    with pytest.raises(LookupError, match=r"no list in .docs/api is of halves\.half: half_depth"):
        with_a_new_module(tmp_path, "halves").outdated()


def test_an_unknown_name_is_an_attribute_error(approved):
    with raises(AttributeError, text=approved):
        sims.integrated_dosis  # noqa: B018


def run(code):
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True
    ).stdout.split()


def test_importing_the_package_pulls_in_nothing_heavy():
    loaded = run("import sims_analysis, sys; print(*{m.split('.')[0] for m in sys.modules})")
    assert not HEAVY & set(loaded)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_everything_public_is_documented_with_an_example(name):
    thing = getattr(sims, name)
    doc = inspect.getdoc(thing)
    assert doc, f"{name} has no docstring"
    assert "Examples\n--------\n>>> " in doc, f"{name} has no section Examples with a doctest"
    parameters = [
        p for p in inspect.signature(thing).parameters.values()
        if p.name not in ("self", "_keys", "args") and p.kind is not p.VAR_KEYWORD
    ]  # fmt: skip
    if parameters:
        assert "Parameters\n----------" in doc, f"{name} has no section Parameters"
        for p in parameters:
            assert re.search(rf"\b{p.name}\b", doc), f"{name} does not describe {p.name}"


def test_show_versions_names_what_matters(capsys):
    sims.show_versions()
    printed = capsys.readouterr().out
    for name in ("python", "sims-analysis", "numpy", "xarray", "pint"):
        assert re.search(rf"^{name} +\S", printed, re.MULTILINE)


#: What takes all the variables of data, or numbers.
OF_ALL_VARIABLES = {
    "convolve", "evaluate", "interpolate", "poisson_interval", "to_grid",
    "with_counting_statistics",
}  # fmt: skip


@pytest.mark.slow
def test_every_question_takes_the_variable_it_is_about(public):
    asked = {
        one.name
        for one in public.all
        if one.of_data and re.match("analysis|fitting|interfaces|restoring|electrical", one.module)
    }
    for name in asked - OF_ALL_VARIABLES:
        assert "variable" in inspect.signature(getattr(sims, name)).parameters, name
