"""The notebooks run top to bottom, say nothing on stderr, and are committed as they ran."""

import importlib.util
import re
import shutil
from pathlib import Path
from types import ModuleType

import pytest
from rebuild_check import same_picture, same_text
from rerun import assert_gives_its_numbers

pytestmark = pytest.mark.slow


nbformat = pytest.importorskip("nbformat")
pytest.importorskip("nbclient")
pytest.importorskip("ipykernel")
pytest.importorskip("matplotlib")
pytest.importorskip("dask")

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"
NAMES = sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb"))
FIGURES = {"boron_implant.png", "gan_stack.png", "how_sure.png"}
AGAIN = "run `python notebooks/run.py {}` and look at the figures"


def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("run_notebooks", NOTEBOOKS / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def said(notebook, stream: str) -> list[str]:
    """What the cells printed."""
    return [
        "".join(output.text for output in cell.outputs if output.get("name") == stream)
        for cell in code(notebook)
    ]


def shown(notebook, kind: str) -> list[str]:
    """What the cells show, of one MIME type, in order."""
    return [
        output["data"][kind]
        for cell in code(notebook)
        for output in cell.outputs
        if kind in output.get("data", {})
    ]


def agree(ran: list, committed: list, same, name: str) -> None:
    """Whatever is shown is no older than the code."""
    assert len(ran) == len(committed), AGAIN.format(name)
    older = [i for i, pair in enumerate(zip(ran, committed, strict=True)) if not same(*pair)]
    assert not older, f"outputs {older} are not what the code gives: {AGAIN.format(name)}"


def test_there_are_notebooks():
    assert len(NAMES) >= 5


@pytest.mark.filterwarnings("default")  # those of the kernel's own machinery
@pytest.mark.parametrize("name", NAMES)
def test_a_notebook_runs_as_it_is_committed(name, tmp_path):
    shutil.copy(NOTEBOOKS / f"{name}.ipynb", tmp_path)
    (tmp_path / "figures").mkdir()
    committed = nbformat.read(NOTEBOOKS / f"{name}.ipynb", as_version=4)

    ran = runner().execute(tmp_path / f"{name}.ipynb")

    assert [cell.source for cell in ran.cells] == [cell.source for cell in committed.cells]
    assert not any(said(ran, "stderr"))
    agree(said(ran, "stdout"), said(committed, "stdout"), same_text, name)
    for kind in ("text/html", "text/markdown", "text/latex"):
        agree(shown(ran, kind), shown(committed, kind), same_text, name)
    agree(shown(ran, "image/png"), shown(committed, "image/png"), same_picture, name)
    assert shown(committed, "image/png")
    for figure in (tmp_path / "figures").iterdir():
        kept = NOTEBOOKS / "figures" / figure.name
        assert kept.is_file(), AGAIN.format(name)
        agree([figure.read_bytes()], [kept.read_bytes()], same_picture, name)


@pytest.mark.parametrize("name", NAMES)
def test_a_committed_notebook_is_fit_to_be_read(name):
    path = NOTEBOOKS / f"{name}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert path.stat().st_size < 700_000
    assert notebook.cells[0].cell_type == "markdown"
    assert re.search("synthetic|measured", notebook.cells[0].source.lower())
    assert notebook.metadata.kernelspec.name == "python3"
    assert all(not cell.metadata for cell in notebook.cells)
    assert [cell.execution_count for cell in code(notebook)] == [
        i + 1 for i in range(len(code(notebook)))
    ]
    text = path.read_text()
    private = ("/home/", "/Users/", "site-packages", "ipykernel_")
    assert not [word for word in private if word in text]


def test_the_figures_of_the_readme_have_provenance():
    import sims_analysis as sims

    assert {path.name for path in (NOTEBOOKS / "figures").iterdir()} == FIGURES
    boron = sims.provenance(NOTEBOOKS / "figures" / "boron_implant.png")
    assert boron["sha256"] == sims.open_example("boron-implant").attrs["sha256"]
    stack = sims.provenance(NOTEBOOKS / "figures" / "gan_stack.png")
    assert stack["sha256"] == sims.open_example("gan-mg-stack").attrs["sha256"]


@pytest.mark.parametrize(
    ("figure", "example"), [("boron_implant", "boron-implant"), ("gan_stack", "gan-mg-stack")]
)
def test_a_repeated_question_gives_the_numbers_of_its_figure(figure, example):
    import sims_analysis as sims

    record = sims.provenance(NOTEBOOKS / "figures" / f"{figure}.png")
    assert_gives_its_numbers(record, sims.open_example(example))


def test_a_repeated_question_gives_the_numbers_of_the_figure_of_noise():
    """Its data are made by the notebook: by the cells up to the one that measures."""
    import matplotlib.pyplot as plt

    import sims_analysis as sims

    cells = [cell.source for cell in code(nbformat.read(NOTEBOOKS / "02_how_sure.ipynb", 4))]
    made: dict = {}
    with plt.rc_context():
        for source in cells[:2]:
            exec(source, made)  # noqa: S102 - our own notebook
    assert_gives_its_numbers(sims.provenance(NOTEBOOKS / "figures" / "how_sure.png"), made["ds"])
