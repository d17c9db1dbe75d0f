"""The documentation site says what is there: every name once, and code that gives what it shows."""

import ast
import importlib
import re
from collections import Counter
from textwrap import dedent

import numpy as np
import pytest
from code_blocks import PAGES as FOR_USERS
from code_blocks import PICTURES, README, SITE, blocks, make_pictures, run
from entry_points import with_engine
from error_parts import raises
from instrument_files import measured_file
from rebuild_check import same_picture
from rerun import assert_gives_its_numbers

import sims_analysis as sims
from sims_analysis import errors, vocabulary
from sims_analysis.readers import registry as formats

PAGES = [SITE / "index.md", SITE / "installation.md", *sorted((SITE / "howto").glob("*.md"))]


#: Sessions that draw, or make a hundred wafers.
LONG = {"xarray_and_neighbours", "hundred_wafers", "depth_resolution"}
#: Sessions; those that save a figure are run with the pictures.
SESSIONS = {page: "".join(blocks(page, "pycon")) for page in PAGES}
WITH_SESSIONS = [page for page, text in SESSIONS.items() if text and "save_figure" not in text]


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=pytest.mark.slow if page.stem in LONG else (), id=page.stem)
        for page in WITH_SESSIONS
    ],
)
@pytest.mark.filterwarnings("default::DeprecationWarning", "ignore::FutureWarning")
def test_a_session_gives_what_it_shows(page, tmp_path, monkeypatch):
    if page.stem == "xarray_and_neighbours":
        for name in ("pint_xarray", "cf_xarray", "hvplot", "fsspec", "h5netcdf", "dask"):
            pytest.importorskip(name, reason=f"{name} is not installed")
        with_engine(tmp_path / "site", monkeypatch)
    (tmp_path / "w7.dp_rpc_asc").write_bytes(measured_file())
    differs = run(page, tmp_path)
    assert not differs, differs


# ---- pictures, formulas, types


@pytest.mark.slow
@pytest.mark.filterwarnings("default::DeprecationWarning", "ignore::FutureWarning")
def test_sessions_that_draw_give_what_they_show_and_the_pictures_of_their_page(tmp_path):
    pytest.importorskip("matplotlib")
    made = {path.name: path for path in make_pictures(tmp_path)}
    kept = {path.name: path for path in PICTURES.iterdir()}
    gallery = {f"gallery-{i:02d}.png" for i in range(1, 21)}
    assert set(made) == set(kept) == {"boron-implant.png", "figure-1.png", "index.png", *gallery}
    older = [n for n in made if not same_picture(made[n].read_bytes(), kept[n].read_bytes())]
    assert not older, f"{older}: run `python tests/code_blocks.py pictures` and look at them"


@pytest.mark.parametrize(
    "picture",
    [path for path in sorted(PICTURES.iterdir()) if not path.stem.startswith("gallery")],
    ids=lambda path: path.stem,
)
def test_repeated_questions_give_the_numbers_of_pictures(picture):
    assert_gives_its_numbers(sims.provenance(picture), sims.open_example("boron-implant"))


def test_every_picture_is_shown():
    text = "".join(page.read_text(encoding="utf-8") for page in FOR_USERS)
    assert all(f"pictures/{path.name}" in text for path in PICTURES.iterdir())


@pytest.fixture
def extension(monkeypatch):
    pytest.importorskip("sphinx")
    monkeypatch.syspath_prepend(str(SITE / "_extensions"))
    return importlib.import_module


def test_formulas_of_the_reference_are_typeset(extension):
    mathml = extension("formulas").mathml
    docs = "".join(getattr(sims, name).__doc__ or "" for name in sims.__all__)
    literals = {" ".join(text.split()) for text in re.findall(r"``([^`]+)``", docs)}
    stated = {text for text in literals if re.search(r"sqrt|integral of|\bsum\b|exp\(| \^", text)}
    assert len(stated) > 20
    assert not {text for text in stated if mathml(text) is None}


@pytest.mark.parametrize(
    ("formula", "parts"),
    [
        ("t = l0 / (l0 - l1)", "<mfrac><mrow><msub><mi>l</mi><mn>0</mn></msub></mrow><mrow><msub>"),
        ("Q = integral of u C dz", "<mo>∫</mo><mi>u</mi>"),
        ("sum w C / sum w", "<mfrac><mrow><mo>∑</mo><mi>w</mi>"),
        ("m_2^1.5 / 2", "<msup><mrow><msub><mi>m</mi><mn>2</mn></msub></mrow><mrow><mn>1.5</mn>"),
        ("ln(a) / ln(b)", "<mfrac><mrow><mrow><mi mathvariant='normal'>ln</mi><mrow><mo>(</mo>"),
        ("u / C(z)", "<mrow><mrow><mi>C</mi><mrow><mo>(</mo><mi>z</mi><mo>)</mo></mrow></mrow>"),
        ("1 / ((a) (b))", "</mrow><mrow><mrow><mo>(</mo><mi>a</mi><mo>)</mo></mrow><mspace"),
        ("a = 1 / sqrt(pi)", "<msqrt><mi>π</mi></msqrt>"),
        ("C = C0 exp(-z / lambda)", "<mo>−</mo><mfrac>"),
    ],
)
def test_formulas_are_read(formula, parts, extension):
    assert parts in extension("formulas").mathml(formula)


def test_the_extras_and_the_citation_are_those_of_this_version(extension):
    tables = extension("tables")
    assert "| `netcdf` |" in tables.table_of_extras()
    assert f"version = {{{sims.__version__}}}" in tables.citation()


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


def test_the_table_of_models_names_their_parameters(extension):
    rows = extension("tables").table_of_models().splitlines()
    mathml, shapes = extension("formulas").mathml, [row.split(" | ")[2] for row in rows[2:]]
    assert all(mathml(re.search(r"`([^`]+)`", shape)[1]) for shape in shapes)
    (gaussian,) = (row for row in rows if row.startswith("| `gaussian` |"))
    assert "| `dose`, `projected_range`, `straggle` (`retained_dose`) |" in gaussian


def test_the_words_of_a_status_are_explained(extension):
    rows = extension("tables").table_of_statuses().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [word for word in vocabulary.STATUS if word]


def test_the_codes_of_errors_are_listed(extension):
    rows = extension("tables").table_of_codes().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == [*errors.CODES]


def test_what_a_dataset_holds_is_listed():
    text = (SITE / "vocabulary.md").read_text(encoding="utf-8")
    section = text[: text.index("## Status")]
    listed = set(re.findall(r"`(\w+)`", section))
    ds = sims.open_example("gan-mg-stack")
    assert {*ds.coords, *ds.attrs} - {*vocabulary.AXES} <= listed


def test_the_map_of_the_repository_names_every_room_and_module():
    text = (SITE / "inside" / "repository.md").read_text(encoding="utf-8")
    layout = text[text.index("    sims_analysis/\n") : text.index("    tests/  benchmarks/")]
    named = {
        name.rstrip("/") for name in re.findall(r"^ {6}(\w+\.pyi?|\w+/)", layout, re.MULTILINE)
    }
    package = README.parent / "sims_analysis"
    there = {path.name for path in package.iterdir() if re.match(r"[a-z]\w*(\.py)?$", path.name)}
    assert named - {"__init__.pyi"} == there - {"conftest.py"}


def test_the_metric_that_it_shows_answers(tmp_path, monkeypatch):
    """Its formula, question and term, as modules of the package."""
    kernel, question, term = map(dedent, blocks(SITE / "howto" / "adding_a_metric.md", "python"))
    for room, code in (("kernels", kernel), ("analysis", question)):
        package = importlib.import_module(f"sims_analysis.{room}")
        (tmp_path / room).mkdir()
        (tmp_path / room / "dynamic_range.py").write_text(code)
        monkeypatch.setattr(package, "__path__", [*package.__path__, str(tmp_path / room)])
    name, text = ast.literal_eval(f"{{{term}}}").popitem()
    new_term = vocabulary.Term("dimensionless", *text.split(": "))
    monkeypatch.setattr(vocabulary, "TERMS", vocabulary.TERMS | {name: new_term})
    new = importlib.import_module("sims_analysis.analysis.dynamic_range").dynamic_range

    ds = sims.open_example("boron-implant").sel(species="B")
    found = new(ds, window=("420 nm", "490 nm"))
    tail = ds["concentration"].sel(depth=slice(420, 490))
    assert found.item() == pytest.approx(np.log10(ds["concentration"].max() / tail.mean()).item())
    assert found["status"] == "ok"
    assert found.attrs["call"] == "dynamic_range(data, window=('420 nm', '490 nm'))"
    with pytest.warns(sims.ProfileWarning):
        assert new(ds, window=("600 nm", "700 nm"))["status"] == "no_data"


def test_the_model_that_it_shows_is_found_by_a_fit():
    truth = {"dose": 1e15, "position": 100, "width": 20}
    shown = {"__name__": "shown"}
    exec(blocks(SITE / "howto" / "adding_a_model.md", "python")[0], shown)  # noqa: S102 - our page
    sims.testing.check_model(shown["MODEL"], [truth])


def test_the_reader_that_it_shows_reads_what_it_shows(tmp_path, monkeypatch):
    page = SITE / "howto" / "adding_a_reader.md"
    (sample,), (module, line) = blocks(page, "text"), blocks(page, "python")
    new = eval(line.strip().rstrip(","), {"Format": formats.Format})  # noqa: S307 - our own page
    package = tmp_path / "more_readers"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / f"{new.name}.py").write_text(module)
    readers = importlib.import_module("sims_analysis.readers.instruments")
    monkeypatch.setattr(readers, "__path__", [*readers.__path__, str(package)])
    monkeypatch.setattr("sims_analysis.readers.registry.readers", lambda: (new, *formats.FORMATS))
    path = tmp_path / "w7.txt"

    path.write_text(sample)
    result = sims.read(path)
    assert result.provenance["format"] == "iris"
    assert result.metadata.sample == "W7 centre"
    assert result["B"].concentrations.tolist() == [1.5e17, 3.1e18]
    assert result["B"].concentration_units == "at/cm3"
    assert result["Si"].species_metadata["detection_limit"] == "2000 c/s"

    path.write_text(sample.replace("3.1e18", "x"))
    with raises(sims.ReadError, "not_a_number", line=8, column="B"):
        sims.read(path)
    path.write_text(sample.replace("#END", ""))
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated"):
        sims.read(path)


def test_the_table_of_coverages_is_of_every_question(monkeypatch):
    monkeypatch.syspath_prepend(str(README.parent))
    coverage = importlib.import_module("benchmarks.coverage")
    asked = {question.name for question in coverage.questions()}
    text = (SITE / "howto" / "measured_coverages.md").read_text(encoding="utf-8")
    made = text[text.index("<!-- made by") : text.index("<!-- until here")]
    rows = re.findall(r"^\| (\D.*?) \|", made, re.MULTILINE)
    assert not {name for name in asked if not any(row.startswith(name) for row in rows)}
