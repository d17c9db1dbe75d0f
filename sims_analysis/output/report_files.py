"""A report as files: figure, table, data."""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast
from urllib.parse import quote

import numpy as np

from sims_analysis.output.report.layout import results_csv
from sims_analysis.profiles.metadata import EntrySummary

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr

    from sims_analysis.output.report.answers import Report

    Result = TypeVar("Result", xr.Dataset, xr.DataArray)

#: Name of the list of all pages in a folder.
INDEX = "index.html"
#: How the name of the file with the results ends.
_RESULTS = "-results.csv"
#: Most characters of a name that are kept.
_LONGEST = 72
#: More results than these make a figure unreadable: they are in the table alone.
_MARKED = 6
#: Names that Windows gives to devices, and that of the list.
_RESERVED = re.compile(r"index|con|prn|aux|nul|com[0-9]|lpt[0-9]", re.IGNORECASE)


def write_files(report: Report, folder: Path, *, home: str = "") -> list[Path]:
    """Write figure, tables, data and a page, named after the data id, with a link to `home`."""
    from sims_analysis.dataset.storage import save
    from sims_analysis.files import replace_file
    from sims_analysis.output.export import to_csv

    folder.mkdir(parents=True, exist_ok=True)
    stem = file_stem(report.summary.data_id, folder)
    results, profiles = folder / f"{stem}{_RESULTS}", folder / f"{stem}-profiles.csv"
    replace_file(results, results_csv(report).encode())
    to_csv(report.data, profiles, layout="paired")
    data = folder / f"{stem}.nc"
    save(report.data, data)
    paths = [results, profiles, data, *_pictures(report, folder / stem)]
    return [*paths, *_page(report, folder / f"{stem}.html", home, paths)]


def file_stem(data_id: str, folder: Path) -> str:
    """Name the files of a measurement so that persons and file systems can distinguish it."""
    readable = re.sub(r"[^\w.+-]+", "_", data_id).strip("._-")[:_LONGEST] or "profiles"
    if _RESERVED.fullmatch(readable.partition(".")[0]):
        readable = f"_{readable}"
    for path in folder.glob(f"*{_RESULTS}"):
        is_used = path.name.removesuffix(_RESULTS).casefold() == readable.casefold()
        if is_used and _data_id_in(path) != data_id:
            return f"{readable}~{hashlib.sha256(data_id.encode()).hexdigest()[:8]}"
    return readable


def _data_id_in(results: Path) -> str | None:
    """Read of which measurement the results in a file are."""
    with results.open(encoding="utf-8", newline="") as file:
        return next((row["data_id"] for row in csv.DictReader(file) if "data_id" in row), None)


def _pictures(report: Report, stem: Path) -> list[Path]:
    """Draw the profiles with the results that were found, unless there are too many."""
    from sims_analysis.figures import plot_profiles, save_figure
    from sims_analysis.figures.style import close

    junctions: list[xr.DataArray | xr.Dataset] = [*_with_value(report.crossings, report.crossings)]
    if report.metallurgical is not None:
        junctions.append(report.metallurgical)
    doses = _with_value(report.doses, [budget["dose"] for budget in report.doses])
    marked = sum(dose.sizes["species"] for dose in doses) <= _MARKED
    ax = plot_profiles(
        report.data,
        title=report.summary.title or report.summary.data_id,
        width="single",
        junctions=junctions if marked else None,
        dose=doses if marked else None,
    )
    figure = cast("Any", ax.figure)
    paths = [save_figure(figure, stem.with_name(stem.name + kind)) for kind in (".png", ".svg")]
    close(figure)
    return paths


def _with_value(results: Sequence[Result], values: Sequence[xr.DataArray]) -> list[Result]:
    """Keep the species that have a number: the others are in the table, with their reasons."""
    pairs = zip(results, values, strict=True)
    return [result.isel(species=np.flatnonzero(value.notnull()))
            for result, value in pairs if value.notnull().any()]  # fmt: skip


def write_index(
    reports: Sequence[Mapping[str, Any]], folder: Path, failures: Mapping[str, str] | None = None
) -> Path | None:
    """Write a list of the pages of reports (``to_dict`` with ``files``); None if there is none."""
    from sims_analysis.files import replace_file
    from sims_analysis.output.pages import index_page
    from sims_analysis.output.pages.report import file_links

    entries: dict[str, EntrySummary] = {}
    files: dict[str, list[dict[str, str]]] = {}
    pictures: dict[str, str] = {}
    for report in reports:
        paths = [Path(file) for file in report["files"]]
        for page in (quote(path.name) for path in paths if path.suffix == ".html"):
            species = list(dict.fromkeys(row["species"] for row in report["species"]))
            summary = {name: report[name] for name in ("data_id", "title", "date")}
            entries[page] = EntrySummary(**summary, species=species)
            files[page] = file_links(paths)
            figures = [quote(path.name) for path in paths if path.suffix == ".png"]
            pictures |= dict(zip([page], figures, strict=False))
    if not entries:
        return None
    reasons = {
        name: reason.removeprefix(f"{Path(name).name}: ")
        for name, reason in (failures or {}).items()
    }
    path = folder / INDEX
    page = index_page(entries, failures=reasons, files=files, pictures=pictures)
    replace_file(path, page.encode())
    return path


def _page(report: Report, path: Path, home: str, files: Sequence[Path]) -> list[Path]:
    """Write the page, if the library that draws it is installed."""
    import importlib.util

    if importlib.util.find_spec("bokeh") is None:
        return []
    from sims_analysis.files import replace_file
    from sims_analysis.output.pages import report_page

    replace_file(path, report_page(report, home=home, files=files).encode())
    return [path]
