"""Seeded changes: each kind, what is left alone, and that a seed draws the same again."""

import ast

import pytest
import seeded_changes
from seeded_changes import changes_of, with_change

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
