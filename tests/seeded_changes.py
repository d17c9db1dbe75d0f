"""How many changes of the code do its tests see? Make some, one at a time, and count.

``python tests/seeded_changes.py sims_analysis/kernels --number 20 --seed 1`` draws twenty places of
a room (or of modules, or of a line: ``sims_analysis/kernels/dose.py:63``), changes one comparison,
operator, number, condition, text or call at a time in a copy of the repository, and runs the tests
of the module and its room (of kernels, of the analyses too): first those that come to the changed
line, then all. A change that they pass was not seen; one that makes them run too long counts apart.
The same seed draws the same changes of the same code; Ctrl-C ends with the count so far, and
touches no file of yours.

Not every change matters. What no user could notice is not drawn (annotations, ``zip(strict=)``,
...); of what is left unseen, a line says whether any test comes there at all. The rest is for a
person to read.
"""

import argparse
import ast
import copy
import itertools
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from importlib.util import cache_from_source
from pathlib import Path
from typing import NamedTuple

import pytest
from coverage import CoverageData

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
_NO_END = "no end"
#: Rooms that are tested through the answers of others.
TESTED_THROUGH = {"kernels": ("analysis", "resampling"), "shapes": ("fitting",)}
#: Arguments that change how code runs, not what it answers.
UNNOTICED = {"strict", "slots", "frozen", "kw_only", "stacklevel", "maxsize", "repr", "chunksize"}


class Change(NamedTuple):
    """One change of one module: an expression, and what stands there instead."""

    module: Path
    kind: str
    old: ast.expr
    new: ast.expr

    def __str__(self):
        old, new = (" ".join(ast.unparse(one).split()) for one in (self.old, self.new))
        return f"{self.module.relative_to(ROOT)}:{self.old.lineno} {self.kind}: {old}  ->  {new}"


def changes_of(module):
    """List the changes that can be made in a module."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    left_out = {
        id(inner)
        for node in ast.walk(tree)
        for part in parts_that_stay(node)
        for inner in ast.walk(part)
    }
    return [
        Change(module, *change)
        for node in ast.walk(tree)
        if id(node) not in left_out
        for change in changes_of_node(node)
    ]


def parts_that_stay(node):
    """List the parts of a node that stay: types, docstrings, patterns, ``strict=``."""
    fields = dict(ast.iter_fields(node))
    parts = [fields.get("annotation"), fields.get("returns")]
    if isinstance(node, ast.JoinedStr):
        parts += node.values
    elif isinstance(node, ast.MatchValue | ast.Expr) and isinstance(node.value, ast.Constant):
        parts.append(node.value)
    elif isinstance(node, ast.Call):
        parts += [one.value for one in node.keywords if one.arg in UNNOTICED]
    elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        parts += node.body
    elif isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
        parts.append(node.value)
    return [part for part in parts if isinstance(part, ast.AST)]


def changes_of_node(node):
    """Yield the kinds of change of a node, what changes, and what stands there then."""
    match node:
        case ast.Compare(ops=[op]) if type(op) in COMPARED:
            yield "comparison", node, with_fields(node, ops=[COMPARED[type(op)]()])
        case ast.BinOp() if type(node.op) in COMPUTED:
            yield "operator", node, with_fields(node, op=COMPUTED[type(node.op)]())
        case ast.BoolOp():
            yield "and or", node, with_fields(node, op=JOINED[type(node.op)]())
            for place in range(len(node.values)):
                fewer = node.values[:place] + node.values[place + 1 :]
                yield "and or", node, with_fields(node, values=fewer)
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield "sign", node, node.operand
        case ast.If() | ast.IfExp() if "TYPE_CHECKING" not in ast.unparse(node.test):
            yield "condition", node.test, ast.Constant(False)
            yield "condition", node.test, ast.Constant(True)
        case ast.Constant(value=bool()):
            yield "number", node, ast.Constant(not node.value)
        case ast.Constant(value=int()):
            yield "number", node, ast.Constant(node.value + 1)
        case ast.Constant(value=float()):
            yield "number", node, ast.Constant(node.value * 1.5 + 1e-9)
        case ast.Constant(value=str()) if node.value.strip() and " " not in node.value:
            yield "text", node, ast.Constant(node.value + "x")
        case ast.JoinedStr():  # a message that leaves out what it names
            for place, part in enumerate(node.values):
                if isinstance(part, ast.FormattedValue):
                    fewer = node.values[:place] + node.values[place + 1 :]
                    yield "message", node, with_fields(node, values=fewer)
        case ast.Expr(value=ast.Call()):
            yield "call", node.value, ast.Constant(None)


def with_fields(node, **fields):
    """Copy a node with other fields."""
    new = copy.copy(node)
    for name, value in fields.items():
        setattr(new, name, value)
    return new


def with_change(text, change, reached):
    """Return a module's text with a change that touches a file when it is run."""
    lines = text.encode().splitlines(keepends=True)
    old = change.old
    first, last = old.lineno - 1, old.end_lineno - 1
    start, end = lines[first][: old.col_offset], lines[last][old.end_col_offset :]
    new = f"(__import__('pathlib').Path({str(reached)!r}).touch(), {ast.unparse(change.new)})[1]"
    return b"".join([*lines[:first], start, new.encode(), end, *lines[last + 1 :]]).decode()


def draw_changes(places, number, seed):
    """Draw changes, of each kind about as many."""
    every = {}  # each once, also of places that overlap
    for place in places:
        path, line = re.fullmatch(r"(.*?)(?::(\d+))?", place).groups()
        path = Path(path).resolve()
        is_module = path.is_file() and path.suffix == ".py"
        if not path.is_relative_to(ROOT / "sims_analysis") or not (is_module or path.is_dir()):
            sys.exit(f"{place!r} is no module and no folder of {ROOT / 'sims_analysis'}")
        for module in sorted(path.rglob("*.py")) if path.is_dir() else [path]:
            for change in changes_of(module):
                if line is None or change.old.lineno <= int(line) <= change.old.end_lineno:
                    every[str(change), change.old.col_offset] = change
    possible = defaultdict(list)
    for change in every.values():
        possible[change.kind].append(change)
    some = random.Random(seed)  # noqa: S311 - which changes is no secret
    for same in possible.values():
        some.shuffle(same)
    kinds = some.sample(sorted(possible), len(possible))
    turns = itertools.zip_longest(*(possible[kind] for kind in kinds))
    picked = [change for turn in turns for change in turn if change][:number]
    return sorted(picked, key=lambda one: (one.module, one.old.lineno))


def tests_of(module, root, *, slow):
    """List what to run: the tests of a module and its room (without either, all), doctests, slow.

    Doctests are a run of their own: they import the module by its file, a second time.
    """
    room = module.relative_to(ROOT / "sims_analysis").parts[0]
    own = (root / "tests").rglob(f"test_{module.stem.lstrip('_')}.py")
    others = [root / "tests" / other for other in TESTED_THROUGH.get(room, ())]
    rooms = [root / "tests" / room, root / "tests" / f"test_{room}.py", *others]
    tests = [str(one) for one in (*own, *rooms) if one.exists()] or ["tests"]
    messages = root / "tests" / "test_approved_messages.py"  # of every room
    tests = [*tests, str(messages)] if tests != ["tests"] else tests
    doctests = [[str(module.relative_to(ROOT))]] if ">>>" in module.read_text("utf-8") else []
    return [tests, *doctests, *([["-m", "slow and not study", *tests]] if slow else [])]


def tests_by_line(tests, root):
    """Run tests without a change, and list those that come to each line of each module."""
    data = root.parent / "coverage"
    data.unlink(missing_ok=True)
    contexts = ["--cov=sims_analysis", "--cov-context=test", "--cov-report="]
    if why := failure([[*contexts, *tests]], root, None, {"COVERAGE_FILE": str(data)}):
        sys.exit(f"{why}\nwithout a change, the tests fail: {' '.join(tests)}")
    found = CoverageData(data)
    found.read()
    return {module: found.contexts_by_lineno(module) for module in found.measured_files()}


def tests_of_lines(change, lines, root):
    """Return what to run of those tests first, as a file that pytest reads, or nothing."""
    old, own = change.old, lines.get(str(root / change.module.relative_to(ROOT)), {})
    here = itertools.chain.from_iterable(
        own.get(line, ()) for line in range(old.lineno, old.end_lineno + 1)
    )
    # A context is the name of a test and a stage of it; what runs at import has an empty one.
    names = dict.fromkeys(name for name in (one.rpartition("|")[0] for one in here) if name)
    if not names:
        return []
    file = root.parent / "first"
    file.write_text("\n".join(names), encoding="utf-8")
    return [[f"@{file}"]]


def failure(runs, root, seconds, environment=None):
    """Return the end of what pytest says where tests fail, else nothing; no end is a failure."""
    # A folder of their own: others who run tests sweep the common one, and that is an error too.
    alone = ["-p", "no:cacheprovider", f"--basetemp={root.parent / 'basetemp'}"]
    for tests in runs:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-x", *alone, *tests],
                cwd=root, capture_output=True, text=True, check=False, timeout=seconds,
                env={**os.environ, **(environment or {})},
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"{_NO_END} within {seconds:g} s"
        if done.returncode not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
            end = (done.stdout + done.stderr)[-2000:]
            return end or f"pytest ended with {done.returncode} and said nothing"
    return None


def copy_of_repository(folder):
    """Copy the repository, beside the real profiles if they are there."""
    root = Path(folder) / ROOT.name
    shutil.copytree(ROOT, root, ignore=shutil.ignore_patterns(*LEFT_OUT), symlinks=True)
    if (ROOT.parent / "shared").is_dir():
        (root.parent / "shared").symlink_to(ROOT.parent / "shared")
    return root


def try_change(change, root, runs, seconds):
    """Make a change in the copy, run the tests, undo it: seen, unseen, or no test comes there."""
    module = root / change.module.relative_to(ROOT)
    text = module.read_text(encoding="utf-8")
    reached = root.parent / "reached"
    reached.unlink(missing_ok=True)
    try:
        module.write_text(with_change(text, change, reached), encoding="utf-8")
        # Compiled code is recognised by seconds and size, which both may be the same.
        Path(cache_from_source(str(module))).unlink(missing_ok=True)
        if why := failure(runs, root, seconds):
            return "no end" if why.startswith(_NO_END) else "seen"
        return "UNSEEN" if reached.exists() else "NOT RUN"
    finally:
        module.write_text(text, encoding="utf-8")


def try_changes(picked, root, asked):
    """Make one change after the other; yield each with what became of it."""
    known = {}
    for change in picked:
        every = tests_of(change.module, root, slow=asked.slow)
        runs = [asked.tests] if asked.tests else every
        for tests in map(tuple, runs):
            if tests not in known:
                say("running the tests without a change")
                known[tests] = tests_by_line(tests, root)
        first = tests_of_lines(change, known[tuple(runs[0])], root)
        yield change, try_change(change, root, first + runs, asked.seconds)


def main():
    about = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    about.add_argument("places", nargs="+", help="modules, folders, or module.py:line")
    about.add_argument("--number", type=int, default=10, help="how many changes in all")
    about.add_argument("--seed", type=int, default=0, help="which of them")
    about.add_argument("--tests", nargs="*", help="by default those of the module and room")
    about.add_argument("--slow", action="store_true", help="run the slow tests, too")
    about.add_argument("--list", action="store_true", help="say what would be changed, no more")
    about.add_argument("--seconds", type=float, default=600, help="at most, for each run of tests")
    asked = about.parse_args()
    if asked.number < 1:
        about.error(f"--number {asked.number}: at least 1")
    picked = draw_changes(asked.places, asked.number, asked.seed)
    if asked.list or not picked:
        return say("\n".join(map(str, picked)) or "nothing to change there")
    counts = defaultdict(Counter)
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        try:
            for change, found in try_changes(picked, copy_of_repository(folder), asked):
                counts[str(change.module.relative_to(ROOT))][found] += 1
                say(f"{found:7} {change}")
        except KeyboardInterrupt:
            say("stopped")
    say(f"\nseed {asked.seed}, {time.monotonic() - start:.0f} s")
    columns = ("seen", "UNSEEN", "NOT RUN", "no end")
    say("changed" + "".join(f"{column.lower():>9}" for column in columns))
    for name, count in [*counts.items(), ("in all", sum(counts.values(), Counter()))]:
        numbers = "".join(f"{count[column]:9}" for column in columns)
        say(f"{count.total():7}{numbers}  {name}")
    return None


def say(line):
    print(line, flush=True)  # noqa: T201 - a script that prints


if __name__ == "__main__":
    main()
