"""The documentation site says what is there: every name once, and code that gives what it shows."""

import doctest
import importlib
import re
from collections import Counter
from pathlib import Path

import pytest
from test_readme import measured_file

import sims_analysis as sims
from sims_analysis import errors, vocabulary
from sims_analysis.readers import formats

SITE = Path(__file__).parents[1] / ".docs"
PAGES = [SITE / "index.md", *sorted((SITE / "howto").glob("*.md"))]


def blocks(page, language):
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


WITH_SESSIONS = [page for page in PAGES if blocks(page, "pycon")]


@pytest.mark.parametrize("page", WITH_SESSIONS, ids=lambda page: page.stem)
def test_a_session_gives_what_it_shows(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "w7.dp_rpc_asc").write_bytes(measured_file())
    session = "".join(blocks(page, "pycon"))
    test = doctest.DocTestParser().get_doctest(session, {}, page.name, str(page), 0)
    report = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    runner.run(test, out=report.append)
    assert not runner.failures, "".join(report)


def test_there_are_sessions():
    assert {page.stem for page in WITH_SESSIONS} >= {
        "index", "file_to_dose", "how_sure", "hundred_wafers", "papers_figure",
    }  # fmt: skip


def names(page):
    """The names that a page of the reference describes: lines of autosummary, and directives."""
    text = page.read_text(encoding="utf-8")
    listed = re.findall(r"^\.\. autosummary::\n(?:   :.*\n)*\n((?:   \w+\n)+)", text, re.MULTILINE)
    directives = re.findall(r"^\.\. auto(?:exception|function|class):: (\w+)$", text, re.MULTILINE)
    modules = re.findall(r"^\.\. automodule:: sims_analysis\.(\w+)$", text, re.MULTILINE)
    return "".join(listed).split() + directives + modules


def test_every_public_name_is_in_the_reference_once():
    pages = {page.stem: names(page) for page in (SITE / "api").glob("*.rst")}
    assert sorted(pages.pop("testing")) == sorted(["testing", *sims.testing.__all__])
    described = Counter(name for page in pages.values() for name in page)
    public = set(sims.__all__) - {"__version__", "testing"}
    missing = public - set(described)
    assert not missing, f"on no page of .docs/api/: {missing}"
    wrong = {name for name, number in described.items() if number > 1 or name not in public}
    assert not wrong, f"on several pages of .docs/api/, or not public: {wrong}"
    assert sorted(pages["errors"]) == sorted(["errors", *errors.__all__])


def test_the_table_of_models_names_their_parameters(monkeypatch):
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(str(SITE / "_extensions"))
    rows = importlib.import_module("tables").table_of_models().splitlines()
    (gaussian,) = (row for row in rows if row.startswith("| `gaussian` |"))
    assert "| `dose`, `projected_range`, `straggle` (`retained_dose`) |" in gaussian


def test_the_words_of_a_status_are_explained():
    text = (SITE / "vocabulary.md").read_text(encoding="utf-8")
    section = text[text.index("## Status") : text.index("## Answers")]
    explained = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert sorted(explained) == sorted(set(vocabulary.STATUS) - {""})


def test_what_a_dataset_holds_is_listed():
    text = (SITE / "vocabulary.md").read_text(encoding="utf-8")
    section = text[: text.index("## Status")]
    listed = set(re.findall(r"`(\w+)`", section))
    ds = sims.open_example("gan-mg-stack")
    assert {*ds.coords, *ds.attrs} - {*vocabulary.AXES} <= listed


def test_the_reader_that_it_shows_reads_what_it_shows(tmp_path, monkeypatch):
    page = SITE / "howto" / "adding_a_reader.md"
    (sample,), (module, line) = blocks(page, "text"), blocks(page, "python")
    new = eval(line.strip().rstrip(","), {"Format": formats.Format})  # noqa: S307 - our own page
    package = tmp_path / "more_readers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / f"{new.name}.py").write_text(module)
    readers = importlib.import_module("sims_analysis.readers")
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(package)])
    monkeypatch.setattr("sims_analysis.readers.reading.formats", lambda: (new, *formats.FORMATS))
    path = tmp_path / "w7.txt"

    path.write_text(sample)
    result = sims.read(path)
    assert result.provenance["format"] == "lotus"
    assert result.metadata.sample == "W7 centre"
    assert result["B"].concentrations.tolist() == [1.5e17, 3.1e18]
    assert result["B"].concentration_units == "at/cm3"
    assert result["Si"].species_metadata["detection_limit"] == "2000 c/s"

    path.write_text(sample.replace("[c/s]", ""))
    with pytest.raises(sims.ReadError, match="line 2, column 3"):
        sims.read(path)
