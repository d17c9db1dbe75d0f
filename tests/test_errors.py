"""Errors and warnings: their classes, their parts, their texts, and the line that they point at."""

import ast
import copy
import importlib.util
import inspect
import pickle
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import approved
import pytest
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis import errors
from sims_analysis.errors import (
    CODES,
    SpeciesError,
    about,
    collected,
    redirect_warnings,
    require,
    warn,
)
from sims_analysis.outcomes import Status

BUILT_IN = {
    "UnitsError": ValueError, "ProfileError": ValueError, "ReadError": ValueError,
    "SpeciesError": KeyError, "JunctionError": ValueError, "PayloadError": ValueError,
    "ConnectionFailed": OSError, "RequestTimeout": TimeoutError,
}  # fmt: skip
OF_API = [
    "ConnectionFailed", "RequestTimeout", "StatusError", "Unauthorized", "NotFound", "RateLimited",
    "PartialResultsError",
]  # fmt: skip


def test_every_error_and_warning_is_of_the_tree():
    for name in errors.__all__:
        kind = getattr(errors, name)
        root = sims.SimsWarning if name.endswith("Warning") else sims.SimsError
        assert issubclass(kind, root)
        assert issubclass(kind, BUILT_IN.get(name, Exception))
        assert issubclass(kind, sims.ApiError) == (name in [*OF_API, "ApiError"])
    assert sims.SimsError().layout_preview == ""


@pytest.mark.parametrize(
    ("wanted", "present", "owner", "text"),
    [
        ("Li", ["7Li", "23Na"], "",
         "the data have no species 'Li'; they have '7Li', '23Na' (did you mean '7Li'?)"),
        ("b+", ["10B", "11B"], "",
         "the data have no species 'b+'; they have '10B', '11B' (did you mean '10B' or '11B'?)"),
        ("As", [], "the fit", "the fit has no species 'As'; it has none"),
        (7, ["B"], "entry 'w1'", "entry 'w1' has no species '7'; it has 'B'"),
    ],
)  # fmt: skip
def test_a_missing_species_is_named_with_those_of_the_data(wanted, present, owner, text):
    error = SpeciesError.missing(wanted, present, owner)
    assert isinstance(error, SpeciesError)
    assert str(error) == text
    assert (error.code, error.where) == ("unknown_species", {"species": str(wanted)})


def test_a_message_of_a_key_error_is_not_quoted():
    assert str(SpeciesError("a 'b'\nc")) == "a 'b'\nc"


def test_a_payload_says_where_it_is_wrong():
    assert str(errors.PayloadError("no number")) == "$: no number"
    error = errors.PayloadError("no number", "$[3].depths[17]")
    assert (str(error), error.path) == ("$[3].depths[17]: no number", "$[3].depths[17]")
    assert error.where == {"path": "$[3].depths[17]"}


PARTS = {
    "code": "invalid_argument",
    "argument": "start",
    "where": {"species": "B"},
    "remedy": "give start=",
}


def parts(message):
    return {name: getattr(message, name) for name in PARTS}


def test_messages_have_parts_and_a_text():
    for kind in (sims.ProfileError, sims.errors.DoseWarning):
        message = kind("no unit", **PARTS)
        assert parts(message) == PARTS
        assert (message.message, str(message)) == ("no unit", "no unit; give start=")
        with pytest.raises(TypeError):
            message.where["species"] = "P"
        assert parts(kind("no unit")) == {
            "code": kind.code, "argument": "", "where": {}, "remedy": "",
        }  # fmt: skip


def test_the_code_is_that_of_the_class_or_of_arguments():
    codes = {
        kind: kind("x", argument="level").code for kind in (sims.ProfileError, sims.UnitsError)
    }
    assert codes == {sims.ProfileError: "invalid_argument", sims.UnitsError: "wrong_unit"}
    assert sims.ProfileError("x", argument="level", code="missing_value").code == "missing_value"
    assert sims.SimsWarning("x", argument="level").code == "warning"


@pytest.mark.parametrize(
    "wrong",
    [{"code": "unknown_unit"}, {"argument": "stop"}, {"argument": ""}, {"species": "P"},
     {"species": None}, {"depth": "1 nm"}, {"file": "w8.csv"}],
)  # fmt: skip
def test_a_test_sees_every_part_that_is_wrong(wrong):
    place = {"species": "B", "file": "w7.csv"}
    right = {"code": "missing_unit", "argument": "start"} | place
    other = {key: value for key, value in (right | wrong).items() if value is not None}
    for kind, expect in ((sims.UnitsError, raises), (sims.SimsWarning, warns)):
        for parts, outcome in ((right, nullcontext()), (other, pytest.raises(AssertionError))):
            with outcome, expect(kind, **parts):
                said = kind("no unit", code="missing_unit", argument="start", where=place)
                if expect is warns:
                    warn(said)
                else:
                    raise said


@pytest.mark.parametrize(
    "wrong", [{"message": "no text"}, {"code": "unknown_unit"}, {"argument": ""}, {"where": {}}]
)
def test_a_text_is_approved_with_all_its_parts(wrong, tmp_path, monkeypatch):
    monkeypatch.setattr(approved, "FILE", tmp_path / "texts.txt")
    monkeypatch.setattr(approved, "TESTS", tmp_path)
    (tmp_path / "test_it.py").write_text("def test(approved):\n    ...\n")
    approved.FILE.write_text(f"== {approved.OF_TESTS}\n\n")
    parts = {"code": "missing_unit", "argument": "start", "where": {"species": "B"}}

    def said(message=f"no unit in {tmp_path}", approve=False, **changes):
        text = approved.ApprovedTexts("test_it.py::test", str(tmp_path), approve=approve)
        with raises(sims.UnitsError, text=text):
            raise sims.UnitsError(message, **parts | changes)

    said(approve=True)
    said()
    with pytest.raises(AssertionError, match="--approve"):
        said(**wrong)


def test_parts_are_added_and_not_replaced():
    with (
        pytest.raises(sims.UnitsError) as caught,
        about(argument="window start", where={"species": "P", "file": "w7.csv"}),
        about(argument="fixed['dose']"),
    ):
        raise sims.UnitsError("no unit", code="missing_unit", where={"species": "B"})
    assert parts(caught.value) == {
        "code": "missing_unit",
        "argument": "fixed",
        "where": {"species": "B", "file": "w7.csv"},
        "remedy": "",
    }
    assert sims.ProfileError("x").add(argument="window start").argument == "window"


def test_an_error_in_a_file_begins_with_its_name():
    error = sims.ReadError("no unit", **PARTS)
    moved = error.within("w7.csv", file="w7.csv")
    assert str(moved) == "w7.csv: no unit; give start="
    assert moved.where == {"species": "B", "file": "w7.csv"}
    assert parts(error) == PARTS


@pytest.mark.slow
def test_every_code_is_in_the_table_and_the_reverse():
    used = {getattr(errors, name).code for name in errors.__all__}
    used |= {status.word for status in Status} - {"", "ok"}
    used |= {"invalid_argument"}
    texts = [one.read_text(encoding="utf-8") for one in Path(sims.__file__).parent.rglob("*.py")]
    for text in (one for one in texts if "code" in one):
        for node in ast.walk(ast.parse(text)):
            pairs = []
            if isinstance(node, ast.Call):
                pairs = [(one.arg, one.value) for one in node.keywords]
            elif isinstance(node, ast.Dict):  # parts that several messages share
                pairs = [(getattr(k, "value", ""), v) for k, v in zip(node.keys, node.values)]  # noqa: B905
            used |= {
                one.value
                for name, one in pairs
                if name == "code" and isinstance(one, ast.Constant) and isinstance(one.value, str)
            }
    assert used == CODES.keys()


class OwnError(sims.ReadError):
    """An error of a plugin, made in its own way."""

    def __init__(self, line, *, width):
        self.line, self.width = line, width


def test_an_error_of_a_plugin_has_parts_too():
    error = pickle.loads(pickle.dumps(OwnError(7, width=3).within("w7.txt", file="w7.txt")))  # noqa: S301
    assert (error.line, error.width, str(error)) == (7, 3, "w7.txt: 7")
    assert (error.code, error.where) == ("unreadable_file", {"file": "w7.txt"})


STATUS = {"status_code": 503, "url": "https://lab.example/sims/w1", "body": "busy"}


@pytest.mark.parametrize(
    "error",
    [
        errors.PayloadError("no number", "$[3]"),
        errors.PayloadError("no number", path="$[3]"),
        errors.PayloadError(message="no number"),
        *(kind("gone", **STATUS) for kind in (errors.StatusError, errors.NotFound)),
        errors.RateLimited("later", url="u", retry_after=7.5),
        errors.PartialResultsError("1 of 2 failed", ["result", "error"]),
        SpeciesError("none"),
        *(kind("lost") for kind in (errors.ConnectionFailed, errors.RequestTimeout)),
        errors.FitWarning("flat"),
    ],
    ids=lambda error: type(error).__name__,
)
@pytest.mark.parametrize("through", [copy.copy, lambda one: pickle.loads(pickle.dumps(one))])  # noqa: S301
def test_an_error_is_copied_and_pickled_whole(error, through):
    error.layout_preview = "a table"
    error.add(**PARTS)
    back = through(error)
    assert parts(back) == parts(error)
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


def test_a_status_error_has_its_status_and_address():
    plain = errors.StatusError("gone", status_code=500, url="u")
    assert (str(plain), plain.status_code, plain.url, plain.body) == ("gone", 500, "u", "")
    limited = errors.RateLimited("later", url="u")
    assert (limited.status_code, limited.retry_after, limited.body) == (429, None, "")
    full = errors.RateLimited("later", **STATUS, retry_after=2.0)
    assert (full.status_code, full.url, full.body, full.retry_after) == (*STATUS.values(), 2.0)
    partial = errors.PartialResultsError("1 of 2 failed", ("a", "b"))
    assert (str(partial), partial.results) == ("1 of 2 failed", ["a", "b"])


# ---- warnings


def test_a_warning_points_at_the_line_of_the_user():
    ds = sims.open_example("boron-implant")
    calls = {
        "direct": lambda: sims.integrated_dose(ds, stop="1 um"),
        "through xarray": lambda: ds.pipe(sims.integrated_dose, stop="1 um"),
        "through a method": lambda: ds.sims.integrated_dose(stop="1 um"),
    }
    for call in calls.values():
        with pytest.warns(sims.errors.DoseWarning) as warned:
            call()
        (first, *_) = warned
        assert first.filename == __file__
        assert first.lineno == inspect.getsourcelines(call)[1]


def test_a_listener_receives_warnings_in_place_of_the_user():
    received = []
    with redirect_warnings(received.append):
        warn("one", sims.errors.DoseWarning)
        with collected() as inner:
            warn("two", sims.errors.FitWarning)
        with collected(str) as texts:
            warn("three", sims.SimsWarning)
        warn("four", sims.SimsWarning)
    assert [(type(one), str(one)) for one in received] == [
        (sims.errors.DoseWarning, "one"), (sims.SimsWarning, "four"),
    ]  # fmt: skip
    assert [(type(one), str(one)) for one in inner] == [(sims.errors.FitWarning, "two")]
    assert texts == ["three"]
    with warns(sims.SimsWarning, "warning"):
        warn("after", sims.SimsWarning)


def test_a_listener_is_removed_after_an_error():
    received = []
    with pytest.raises(KeyError), redirect_warnings(received.append):
        raise KeyError
    with warns(sims.SimsWarning, "warning"):
        warn("after", sims.SimsWarning)
    assert received == []


def test_warnings_of_another_thread_are_not_collected():
    def elsewhere():
        with warns(sims.SimsWarning, "warning"):
            warn("elsewhere", sims.SimsWarning)

    with collected() as warned, ThreadPoolExecutor(1) as pool:
        pool.submit(elsewhere).result()
    assert warned == []


# ---- what is missing


@pytest.mark.parametrize(
    ("there", "listed"),
    [({"a", "b", "c"}, None), ({"b"}, ["a", "c"]), ({"a", "b"}, ["c"])],
)
def test_packages_that_are_missing_are_named_with_their_extra(there, listed, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in there else None)
    if listed is None:
        require("figures need", "a", "b", "c", extra="plot")
        return
    with pytest.raises(ModuleNotFoundError) as refused:
        require("figures need", "a", "b", "c", extra="plot")
    names = " and ".join(listed)
    assert str(refused.value) == f'figures need {names}: pip install "sims-analysis[plot]"'
    assert refused.value.name == listed[0]
