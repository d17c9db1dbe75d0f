"""Seeded changes: each kind, what is left alone, and that a seed draws the same again."""

import ast
import subprocess
from pathlib import Path

import pytest
import seeded_changes
from seeded_changes import changes_of, come_to, drawn, with_change

DOSE = seeded_changes.ROOT / "sims_analysis" / "kernels" / "dose.py"


@pytest.fixture
def texts_of(tmp_path):
    def texts_of(text):
        module = tmp_path / "module.py"
        module.write_text(text)
        changes = changes_of(module)
        return {(change.kind, " ".join(ast.unparse(change.new).split())) for change in changes}

    return texts_of


@pytest.mark.parametrize(
    ("text", "kind", "new"),
    [
        ("a < b", "comparison", {"a <= b"}),
        ("a - b", "operator", {"a + b"}),
        ("a and b", "and or", {"a or b", "a", "b"}),
        ("not a", "sign", {"a"}),
        ("c if a else b", "condition", {"True", "False"}),
        ("if a: raise b", "condition", {"True", "False"}),
        ("a = 1.0", "number", {"1.500000001"}),
        ("a = False", "number", {"True"}),
        ("a = 'ok'", "text", {"'okx'"}),
        ("a = f'{b} in {c}'", "message", {"f' in {c}'", "f'{b} in '"}),
        ("warn(a)", "call", {"None"}),
    ],
)
def test_each_kind_of_change(texts_of, text, kind, new):
    assert texts_of(text) == {(kind, one) for one in new}


@pytest.mark.parametrize(
    "text",
    [
        '"""A docstring."""',
        "a: Literal['x'] = b",
        "def f(a: 'x') -> 'y': return a",
        "__all__ = ['x']",
        "zip(a, b, strict=True)[c]",
        "match a:\n    case 'x': pass",
        "if TYPE_CHECKING: a = b | c",
        "a = 'said in words'",
    ],
)
def test_what_no_user_could_notice_stays(texts_of, text):
    assert texts_of(text) == set()


def test_only_its_place_changes_and_running_it_touches_a_file(tmp_path):
    module, reached = tmp_path / "module.py", tmp_path / "reached"
    text = "é = 1 if 2 < 3 else 4  # a comment\n"
    module.write_text(text, encoding="utf-8")
    (change,) = [one for one in changes_of(module) if one.kind == "comparison"]
    new = with_change(text, change, reached)
    assert new.startswith("é = 1 if (")
    assert new.endswith("2 <= 3)[1] else 4  # a comment\n")
    exec(new, space := {})  # noqa: S102 - what was made above
    assert space["é"] == 1
    assert reached.exists()


def test_tests_that_come_to_a_line_are_run_first(tmp_path):
    root = tmp_path / "copy"
    (change, *_) = drawn([str(DOSE)], 1, 1)
    line, module = change.old.lineno, str(root / "sims_analysis" / "kernels" / "dose.py")
    come = {line - 1: ["tests/t.py::before|run"], line: ["", "tests/t.py::a[x|y]|run", "b|setup"]}
    ((asked,),) = come_to(change, {module: come}, root)
    assert Path(asked.removeprefix("@")).read_text() == "tests/t.py::a[x|y]\nb"
    assert come_to(change, {module: {line: [""]}}, root) == []  # at import alone
    assert come_to(change, {}, root) == []


def test_a_seed_draws_the_same_again_and_a_line_its_own():
    again = [list(map(str, drawn([str(DOSE)], 9, seed))) for seed in (1, 1, 2)]
    assert again[0] == again[1] != again[2]
    assert len(set(again[0])) == 9
    assert {one.kind for one in drawn([str(DOSE)], 9, 1)} >= {"comparison", "condition", "number"}
    line = next(one.old.lineno for one in drawn([str(DOSE)], 1, 1))
    here = drawn([f"{DOSE}:{line}"], 99, 0)
    assert here
    assert all(one.old.lineno <= line <= one.old.end_lineno for one in here)


@pytest.mark.parametrize(
    ("code", "printed", "expected"),
    [
        (0, "", None),
        (5, "no tests ran", None),
        (1, "1 failed", "1 failed"),
        (-11, "", "pytest ended with -11 and said nothing"),
    ],
)
def test_tests_that_end_without_a_word_have_failed(tmp_path, monkeypatch, code, printed, expected):
    done = subprocess.CompletedProcess([], code, printed, "")
    monkeypatch.setattr(seeded_changes.subprocess, "run", lambda *_, **__: done)
    assert seeded_changes.failure([["tests"]], tmp_path, 1) == expected
