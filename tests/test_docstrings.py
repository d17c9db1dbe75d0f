"""Docstrings say what an answer holds, in which units, and where its definition is from."""

import inspect
import pydoc
import re
from pathlib import Path

import pytest
import xarray as xr
from questions import FULLEST

import sims_analysis as sims

PAGES = Path(__file__).parents[1] / ".docs" / "api"


def section(name, title):
    doc = inspect.getdoc(getattr(sims, name))
    found = re.search(rf"(?ms)^{title}\n-+\n(.*?)(?=\n\n\w[^\n]*\n---|\Z)", doc)
    return found[1] if found else ""


def listed(name):
    """What the section Returns lists: names, each with its unit where it states one."""
    units = {}
    items = re.findall(r"^ *- ((?:.|\n(?! *- |\n))*)", section(name, "Returns"), re.MULTILINE)
    for item in items:
        waiting = []
        for unit, term in re.findall(
            r"\(``([^`]*)``[^)]*\)|``([^`]*)``", re.split(r":\s", item)[0]
        ):
            if term:
                waiting.append(term)
            else:
                units |= dict.fromkeys(waiting, unit)
                waiting = []
        units |= dict.fromkeys(waiting)
    return units


@pytest.mark.few(5)
@pytest.mark.filterwarnings("ignore::sims_analysis.SimsWarning")
@pytest.mark.parametrize("name", FULLEST)
def test_an_answer_holds_what_its_docstring_lists(name):
    ds = sims.with_counting_statistics(
        sims.open_example("boron-implant"), value_per_count="1e14 atoms/cm^3"
    )
    answer, said = FULLEST[name](ds), listed(name)
    held = answer.coords if isinstance(answer, xr.DataArray) else answer.data_vars
    assert said
    for variable in set(held) - {"species"}:
        patterns = [re.sub(r"<\w+>", r"\\w+", term) for term in said]
        is_listed = any(re.fullmatch(pattern, variable) for pattern in patterns)
        assert is_listed, f"{name} does not list {variable}"
        unit = said.get(variable)
        assert unit in (None, held[variable].attrs.get("units")), variable
    named = {term for term in said if re.fullmatch(r"\w+", term) and "sputter_time" not in term}
    assert named <= {*held, *answer.coords}


#: They are no quantities with a definition of their own.
WITHOUT_A_SOURCE = {
    "Model", "Parameter", "align", "below_detection", "evaluate", "layers", "list_models",
    "quality",
}  # fmt: skip


@pytest.mark.parametrize("page", ["questions", "uncertainty", "models"])
def test_each_question_names_its_source(page):
    text = (PAGES / f"{page}.rst").read_text(encoding="utf-8")
    names = re.findall(r"^   (\w+)$", text, re.MULTILINE)
    assert len(names) >= 4
    for name in set(names) - WITHOUT_A_SOURCE:
        assert section(name, "References"), f"{name} has no section References"


def test_parameters_are_described_as_they_are_typed():
    wrong = []
    for name in sims.__all__:
        thing = getattr(sims, name)
        if not callable(thing) or isinstance(thing, type):
            continue
        types = dict(re.findall(r"(?m)^(\w.*?) : (.*)$", section(name, "Parameters")))
        described = {one: said for names, said in types.items() for one in names.split(", ")}
        for parameter in inspect.signature(thing).parameters.values():
            typed, said = str(parameter.annotation), described.get(parameter.name)
            if said is None or "(" in said or "list" in said:  # a window, or described with another
                continue
            takes = [*re.findall("QuantityLike|ParameterLike", typed)]
            quantity = not takes or "Quantity" in said or said.startswith("mapping")
            if not quantity or ("ParameterLike" in takes and "DataArray" not in said):
                wrong.append(f"{name}({parameter.name}: {typed}): {said}")
    assert not wrong, "\n".join(wrong)


#: Longer than somebody reads who has a profile on the table.
LONGER = {"plot_profiles", "read"}


def test_a_docstring_is_short_enough_to_be_read():
    long = {name for name in sims.__all__ if inspect.getdoc(getattr(sims, name)).count("\n") > 89}
    assert long <= LONGER


def test_help_is_read_in_one_go_and_leaves_measured_coverages_to_their_page():
    for name in dir(sims):
        function = getattr(sims, name)
        if inspect.isfunction(function):
            lines = pydoc.render_doc(function, renderer=pydoc.plaintext).splitlines()
            assert len(lines) < 90, f"help({name}) has {len(lines)} lines"
            text = " ".join(" ".join(lines).split())
            assert not re.search(r"cover(s|ed)? \d+( to \d+)? %", text), name
