"""No module of the package switches what belongs to the whole process: threads share it."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "sims_analysis"
#: Of warnings, logging, numpy and locale: they act on every thread at once, or on every caller.
SWITCHES = {
    "captureWarnings", "catch_warnings", "filterwarnings", "resetwarnings", "setlocale", "seterr",
    "setrecursionlimit", "showwarning", "simplefilter", "field_size_limit", "setswitchinterval",
}  # fmt: skip


def switches(tree):
    """List the switches that a module names in any way, with their lines."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and node.attr in SWITCHES:
            found.append((node.lineno, node.attr))
        elif isinstance(node, ast.ImportFrom):
            found += [(node.lineno, a.name) for a in node.names if a.name in SWITCHES]
            if node.module == "warnings":
                found += [(node.lineno, "*") for a in node.names if a.name in ("*", "filters")]
        elif isinstance(node, ast.Name | ast.Constant):
            name = node.id if isinstance(node, ast.Name) else node.value
            if isinstance(name, str) and name in SWITCHES:
                found.append((node.lineno, name))
        elif isinstance(node, ast.Attribute) and ast.unparse(node) == "warnings.filters":
            found.append((node.lineno, "filters"))
    return found


@pytest.mark.slow
def test_no_module_has_one():
    found = {
        str(path.relative_to(PACKAGE)): switches(ast.parse(path.read_text(encoding="utf-8")))
        for path in sorted(PACKAGE.rglob("*.py"))
    }
    assert len(found) > 100
    assert {module: lines for module, lines in found.items() if lines} == {}


@pytest.mark.parametrize(
    "code",
    [
        "with warnings.catch_warnings(): ...", "import warnings as w\nw.simplefilter('error')",
        "from warnings import catch_warnings as quiet", "warnings.showwarning = print",
        "getattr(warnings, 'filterwarnings')('ignore')", "from warnings import *",
        "import warnings\nwarnings.filters.insert(0, x)", "np.seterr(all='ignore')",
        "csv.field_size_limit(10**9)",
    ],
)  # fmt: skip
def test_the_search_finds(code):
    assert switches(ast.parse(code))


@pytest.mark.parametrize(
    "code", ["warnings.warn('x')", "with np.errstate(all='ignore'): ...", "filters = 3"]
)
def test_the_search_lets_pass(code):
    assert switches(ast.parse(code)) == []
