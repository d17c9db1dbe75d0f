"""Eight threads at a time, switched as often as Python can: each has its own warnings."""

import io
import itertools
import subprocess
import sys
import threading
import zipfile
from concurrent.futures import ThreadPoolExecutor

import dask
import openpyxl
import pytest
import questions

import sims_analysis as sims
from sims_analysis.errors import collected
from sims_analysis.examples.opening import ARCHIVE
from sims_analysis.output.pages import entry_page, pages
from sims_analysis.output.report import analyse, to_text

THREADS = 8
COMPUTERS = ["threads", "dask"]


@pytest.fixture(autouse=True)
def _switched_often():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def outcome_and_warnings(task):
    """Do something; give the outcome, and what the library warned of meanwhile."""
    with collected() as warned:
        try:
            given = task()
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the same alone
            given = f"{type(error).__name__}: {error}"
    return given, [f"{type(warning).__name__}: {warning}" for warning in warned]


def at_once(tasks, computer):
    """Do every task in each of eight threads, all beginning with another; give what each gave."""
    if computer == "dask":
        lazy = [dask.delayed(outcome_and_warnings)(task) for _ in range(THREADS) for task in tasks]
        done = dask.compute(*lazy, scheduler="threads", num_workers=THREADS)
        return [done[i : i + len(tasks)] for i in range(0, len(done), len(tasks))]
    together = threading.Barrier(THREADS)

    def work(first):
        together.wait()
        order = [(first + i) % len(tasks) for i in range(len(tasks))]
        outcomes = {i: outcome_and_warnings(tasks[i]) for i in order}
        return [outcomes[i] for i in range(len(tasks))]

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(work, range(THREADS)))


def assert_as_alone(tasks, computer, same=lambda a, b: a == b):
    alone = [outcome_and_warnings(task) for task in tasks]
    for outcomes in at_once(tasks, computer):
        for (given, warned), (expected, expected_warnings) in zip(outcomes, alone, strict=True):
            assert warned == expected_warnings
            assert same(given, expected)


def workbook(tmp_path, name, head):
    book = openpyxl.Workbook()
    for row in [head, [0, 1e18], [5, 3e18], [10, 2e18]]:
        book.active.append(row)
    book.save(tmp_path / name)


@pytest.fixture
def files(tmp_path):
    """Good, odd and unreadable ones, each with another warning."""
    good = "Depth (nm);B (atoms/cm3)\n0;1,2E18\n5;3,5E18\n10;2E18\n"
    texts = {
        "good.csv": good,
        "gap.csv": good.replace("3,5E18", ""),
        "below_limit.csv": good.replace("2E18\n", "<1E15\n"),
        "empty_column.csv": "Depth (nm);B (atoms/cm3);P (atoms/cm3)\n0;1e18;\n5;3e18;\n",
        "swapped.csv": "Depth (nm);B (atoms/cm3)\n1e18;0\n2e18;5\n3e18;10\n",
        "no_unit.csv": "Depth;B\n0;1\n5;3\n10;2\n",
        "long_row.csv": "Depth (nm);B (atoms/cm3)\n0;1e18;7\n5;3e18\n",
        "trailing.csv": "Depth (nm);B (atoms/cm3);\n0;1e18;\n5;3e18;\n",
        "short.csv": "Depth (nm);B (atoms/cm3);P (atoms/cm3)\n0;1e18;1e17\n5\n9;3e18;2e17\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    workbook(tmp_path, "good.xlsx", ["Depth (nm)", "B (atoms/cm3)"])
    workbook(tmp_path, "no_unit.xlsx", ["Depth (nm)", "B"])
    return sorted(tmp_path.iterdir())


def species_of(result):
    if not isinstance(result, sims.SIMSResult):
        return str(result)
    return [(p.species_name, p.depths.tolist(), str(p.concentrations)) for p in result]


@pytest.mark.slow
@pytest.mark.parametrize("computer", COMPUTERS)
def test_reading_is_as_alone(files, computer):
    def reading(file):
        return lambda: species_of(sims.read(file))

    tasks = [reading(file) for file in files]
    tasks += [lambda: [species_of(one) for one in sims.read(files, errors="collect")]]
    warned = [warned for _, warned in map(outcome_and_warnings, tasks)]
    assert sum(map(bool, warned)) > 2  # there is something to be mixed up
    assert not any(warned[i] for i, file in enumerate(files) if file.name.startswith("good"))
    assert_as_alone(tasks, computer)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("computer", COMPUTERS)
def test_datasets_are_made_as_alone(files, computer):
    results = [r for r in sims.read(files, errors="collect") if isinstance(r, sims.SIMSResult)]
    results += [sims.Archive(ARCHIVE).get(name) for name in sims.Archive(ARCHIVE)]
    assert_as_alone([result.to_dataset for result in results], computer, identical)


def identical(a, b):
    if isinstance(a, str) or isinstance(b, str):
        return a == b
    return a.identical(b)


@pytest.mark.slow
@pytest.mark.parametrize("computer", COMPUTERS)
def test_questions_are_answered_as_alone(computer):
    one, other = questions.OWN[0], questions.SHARED[1]
    gap = one.assign(concentration=one["concentration"].where(one["depth"] > 20.0))
    kinds = itertools.cycle([one, gap, sims.quantify(other), sims.stack(questions.OWN)])
    tasks = [
        lambda question=question, data=data: questions.ask(question, data)
        for question, data in zip(questions.QUESTIONS, kinds, strict=False)
    ]
    assert_as_alone(tasks, computer, identical)


@pytest.mark.slow
def test_reports_and_pages_have_their_own_notes():
    pytest.importorskip("bokeh")
    archive = sims.Archive(ARCHIVE)
    names = ["boron-implant", "gan-mg-stack", "sputter-time"]
    tasks = [lambda name=name: to_text(analyse(archive.get(name).to_dataset())) for name in names]
    tasks += [lambda name=name: notes_of(entry_page(archive.get(name))) for name in names]
    tasks += [lambda: pages(archive, search="stack")]
    assert_as_alone(tasks, "threads")


def notes_of(page):
    return [line for line in page.splitlines() if 'class="note"' in line]


FIRST_USE = """
import sys, threading
import numpy as np, xarray as xr
import sims_analysis as sims
from sims_analysis.units import read_unit

sys.setswitchinterval(1e-6)
ds = xr.Dataset(
    {"concentration": (("species", "depth"), np.ones((1, 5)), {"units": "atoms/cm^3"})},
    coords={"species": ["B"], "depth": ("depth", np.arange(5.0), {"units": "nm"})},
)
together, failures = threading.Barrier(8), []

def use():
    try:
        together.wait()
        sims.integrated_dose(sims.quantify(ds))
        assert read_unit("1/m^3").kind == "concentration"
    except BaseException as error:
        failures.append(error)

threads = [threading.Thread(target=use) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit(str(failures) if failures else 0)
"""


@pytest.mark.slow
def test_units_may_be_used_first_in_threads():
    found = subprocess.run([sys.executable, "-c", FIRST_USE], capture_output=True, check=False)
    assert found.returncode == 0, found.stderr.decode()


# ---- what other packages would warn of

SHEET, STYLES, BOOK = "xl/worksheets/sheet1.xml", "xl/styles.xml", "xl/workbook.xml"
HEADER = "<headerFooter><oddHeader>&amp;L&amp;&amp;K</oddHeader></headerFooter>"
NAME = '<definedName name="x" localSheetId="7">Sheet!$A$1</definedName>'
#: What is changed in which part of a workbook; None takes the part out.
UNUSUAL = {
    "extension": {SHEET: ("</worksheet>", '<extLst><ext uri="{0}"/></extLst></worksheet>')},
    "formatting": {SHEET: ("</sheetData>", '</sheetData><conditionalFormatting bad="1"/>')},
    "header": {SHEET: ("</sheetData>", f"</sheetData>{HEADER}")},
    "no named style": {STYLES: ('<cellStyle name="Normal"', '<other name="Normal"')},
    "no styles": {STYLES: None},
    "names": {BOOK: ("</sheets>", f"</sheets><definedNames>{NAME}</definedNames>")},
}


def edited(path, changes):
    """Change a workbook into what no library writes, but spreadsheets do."""
    content = io.BytesIO()
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(content, "w") as new:
        for name in old.namelist():
            part, change = old.read(name).decode(), changes.get(name, ("", ""))
            if change is not None:
                before, after = change
                assert before in part
                new.writestr(name, part.replace(before, after, 1))
    path.write_bytes(content.getvalue())


@pytest.mark.parametrize("kind", UNUSUAL)
def test_what_openpyxl_would_warn_of_does_not_concern_the_numbers(tmp_path, kind):
    path = tmp_path / "w7.xlsx"
    workbook(tmp_path, path.name, ["Depth (nm)", "B (atoms/cm3)"])
    edited(path, UNUSUAL[kind])
    assert sims.read(path)["B"].concentrations.tolist() == [1e18, 3e18, 2e18]
