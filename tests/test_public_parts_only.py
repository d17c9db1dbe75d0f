"""Other packages are used by their public parts: a release of xarray must not break a paper."""

import ast
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow  # they read the whole package

PACKAGE = Path(__file__).parents[1] / "sims_analysis"
#: Private parts of xarray, pint and dask that have been used, whoever else has a name like theirs.
NOTORIOUS = {
    "_attrs", "_construct_direct", "_coord_names", "_coords", "_data", "_dims", "_encoding",
    "_indexes", "_magnitude", "_replace", "_to_temp_dataset", "_units", "_variables",
}  # fmt: skip
#: Internals that bear no underscore.
INTERNALS = ("xarray.core", "xarray.namedarray", "pint.facets", "pint.delegates", "dask.core")


#: Documented parts of every named tuple, and what the package hangs onto figures of its own.
PUBLIC = ("_asdict", "_fields", "_make", "_sims", "_value_")


def is_private(name):
    return name.startswith("_") and not name.startswith(("__", *PUBLIC))


def own_names(trees):
    """Give every private name that the package itself defines: functions, fields, attributes."""
    names = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and on_self(node):
            names.add(node.attr)
    return {name for name in names if is_private(name)}


def on_self(node):
    return isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")


def private_parts(tree, own):
    """List the private parts of other packages that a module uses, with their lines."""
    found, modules = [], {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name: alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and is_private(node.attr):
            if of_another(node.attr, own) and not on_self(node):
                found.append((node.lineno, f".{node.attr}"))
        elif isinstance(node, ast.Attribute):
            root, _, rest = ast.unparse(node).partition(".")
            if root in modules and foreign(f"{modules[root]}.{rest}"):
                found.append((node.lineno, f"{root}.{rest}"))
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("getattr", "hasattr"):
            name = node.args[1]
            if isinstance(name, ast.Constant) and of_another(name.value, own):
                found.append((node.lineno, ast.unparse(node)))
        elif isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names if foreign(alias.name)]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            found += [(node.lineno, name) for name in names if foreign(name)]
        elif isinstance(node, ast.keyword) and node.arg == "fastpath":
            found.append((node.value.lineno, "fastpath="))
    return found


def of_another(name, own):
    """Whether a private name is, or may well be, that of another package."""
    return is_private(name) and (name in NOTORIOUS or name not in own)


def foreign(module):
    """Whether a dotted name is inside of another package."""
    if module.split(".")[0] in ("sims_analysis", "__future__"):
        return False
    return module.startswith(INTERNALS) or any(map(is_private, module.split(".")))


@pytest.fixture(scope="module")
def trees():
    return {
        str(path.relative_to(PACKAGE)): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
    }


@pytest.fixture(scope="module")
def own(trees):
    return own_names(trees.values())


def test_other_packages_are_used_by_their_public_parts(trees, own):
    found = {module: private_parts(tree, own) for module, tree in trees.items()}
    assert {module: parts for module, parts in found.items() if parts} == {}


@pytest.mark.parametrize(
    "code",
    [
        "variable._data", "ds._variables['x']", "xr.Dataset._construct_direct(a)",
        "xr.Variable(d, a, fastpath=True)", "from xarray.core.indexes import PandasIndex",
        "import xarray.core", "from pint._util import x", "from dask._task_spec import Task",
        "named._replace(x=1)", "client._transport._pool", "self.client._mounts",
        "import xarray.namedarray.core as core", "from httpcore import _sync",
        "import xarray as xr\nxr.core.indexes.PandasIndex(i, 'x')", "getattr(a, '_data', None)",
    ],
)  # fmt: skip
def test_the_search_finds(code, own):
    assert private_parts(ast.parse(code), own)


@pytest.mark.parametrize(
    "code",
    [
        "self._anything", "cls._all_of(1)", "profile._keys", "x.__class__", "xr.Variable(d, a)",
        "from sims_analysis.units import _unit", "row._fields",
        "from __future__ import annotations", "def _mine(): ...", "_mine()", "import numpy as _np",
        "import xarray as xr\nxr.backends.list_engines()", "getattr(a, 'chunks', None)",
    ],
)  # fmt: skip
def test_the_search_lets_pass(code, own):
    assert private_parts(ast.parse(code), own) == []
