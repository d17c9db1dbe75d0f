"""How many changes of the code do its tests see? Make some, one at a time, and count.

``python tests/seeded_changes.py sims_analysis/kernels/dose.py --number 10 --seed 1`` changes one
operator, boundary, number, condition or return of the module at a time, in a copy of the
repository, and runs the tests of the module and of its room: a change that they pass was not seen.
Not every change matters: those that are left are for a person to read.
"""

import argparse
import ast
import copy
import random
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
#: Not copied: neither is needed to run tests.
LEFT_OUT = (".git", ".venv", "build", "dist", "__pycache__", ".mypy_cache", ".pytest_cache")

COMPARED = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.In: ast.NotIn, ast.NotIn: ast.In,
}  # fmt: skip
COMPUTED = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult,
    ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}  # fmt: skip
JOINED = {ast.And: ast.Or, ast.Or: ast.And}


def changes_of(tree):
    """List the nodes that can be changed, with how; texts and types in them stay as they are."""
    found = []
    left_out = {
        id(inner) for node in ast.walk(tree) for part in kept(node) for inner in ast.walk(part)
    }
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARED:
            found.append((node, "comparison"))
        elif isinstance(node, ast.BinOp) and type(node.op) in COMPUTED:
            found.append((node, "operator"))
        elif isinstance(node, ast.BoolOp):
            found.append((node, "and or"))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not | ast.USub | ast.Invert):
            found.append((node, "sign"))
        elif isinstance(node, ast.If | ast.IfExp):
            found.append((node, "condition"))
        elif isinstance(node, ast.Constant) and type(node.value) in (int, float, bool):
            found.append((node, "number"))
    return found


def kept(node):
    """List the parts of a node that no test could see: annotations, parts of f-strings."""
    if isinstance(node, ast.JoinedStr):
        return [node]
    return [
        part for field, part in ast.iter_fields(node) if field in ("annotation", "returns") and part
    ]


def changed(node, how):
    """Return the expression that changes, and what stands there then."""
    old = node.test if how == "condition" else node
    new = copy.deepcopy(old)
    if how == "comparison":
        new.ops = [COMPARED[type(new.ops[0])]()]
    elif how == "operator":
        new.op = COMPUTED[type(new.op)]()
    elif how == "and or":
        new.op = JOINED[type(new.op)]()
    elif how == "sign":
        new = new.operand
    elif how == "condition":
        new = ast.UnaryOp(ast.Not(), new)
    elif isinstance(new.value, bool):
        new.value = not new.value
    else:
        new.value = new.value + 1 if isinstance(new.value, int) else new.value * 1.5 + 1e-9
    return old, f"({ast.unparse(ast.fix_missing_locations(new))})"


def with_change(text, old, new):
    """Put an expression in the place of another; all else stays, comments included."""
    lines = text.encode().splitlines(keepends=True)
    first, last = old.lineno - 1, old.end_lineno - 1
    start, end = lines[first][: old.col_offset], lines[last][old.end_col_offset :]
    return b"".join([*lines[:first], start, new.encode(), end, *lines[last + 1 :]]).decode()


def tests_of(module, root):
    """List the test of a module and those of its room; without either, all tests."""
    inside = module.relative_to(root / "sims_analysis")
    room = root / "tests" / inside.parts[0]
    own = (root / "tests").rglob(f"test_{module.stem.lstrip('_')}.py")
    return [*own, *([room] if room.is_dir() else [])] or [root / "tests"]


def passes(tests, root, seconds):
    """Whether the tests pass, the slow ones last; tests that do not end are tests that fail."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider"]
    for which in ("not slow and not study", "slow"):
        try:
            done = subprocess.run(
                [*command, "-m", which, *map(str, tests)],
                cwd=root, capture_output=True, check=False, timeout=seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return False
        if done.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            return False
    return True


def main():
    about = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    about.add_argument("module", type=Path, help="the module to change")
    about.add_argument("--number", type=int, default=10, help="how many changes")
    about.add_argument("--seed", type=int, default=0, help="which of them")
    about.add_argument("--tests", nargs="*", type=Path, help="by default of the module and room")
    about.add_argument("--seconds", type=float, default=600, help="at most, for each run of tests")
    asked = about.parse_args()
    inside = asked.module.resolve().relative_to(ROOT)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / ROOT.name
        shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
        if (ROOT.parent / "shared").is_dir():  # real profiles
            (root.parent / "shared").symlink_to(ROOT.parent / "shared")
        module = root / inside
        text = module.read_text(encoding="utf-8")
        tree = ast.parse(text)
        tests = [root / path for path in asked.tests] if asked.tests else tests_of(module, root)
        if not passes(tests, root, asked.seconds):
            sys.exit(f"without a change, the tests fail: {' '.join(map(str, tests))}")
        possible = changes_of(tree)
        some = random.Random(asked.seed)  # noqa: S311 - which changes is no secret
        picked = some.sample(possible, min(asked.number, len(possible)))
        unseen = 0
        for node, how in sorted(picked, key=lambda one: one[0].lineno):
            old, new = changed(node, how)
            module.write_text(with_change(text, old, new), encoding="utf-8")
            seen = not passes(tests, root, asked.seconds)
            unseen += not seen
            say(f"{'seen  ' if seen else 'UNSEEN'} {inside}:{old.lineno} {how}: "
                f"{' '.join(ast.unparse(old).split())}  ->  {' '.join(new.split())}")  # fmt: skip
        say(f"{len(picked) - unseen} of {len(picked)} changes seen (seed {asked.seed})")


def say(line):
    print(line, flush=True)  # noqa: T201 - a script that prints


if __name__ == "__main__":
    main()
