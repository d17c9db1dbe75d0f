"""A report as files: figure, table, data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from sims_analysis.output.report.layout import results_csv
from sims_analysis.text.arguments import first_few

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr

    from sims_analysis.output.report.answers import Report

    Result = TypeVar("Result", xr.Dataset, xr.DataArray)

__all__ = ["write_files", "write_index"]

#: At most so many species are named in a list of entries.
_NAMED = 6


def write_files(report: Report, folder: Path) -> list[Path]:
    """Write the figure (PNG, SVG), the results and the profiles (CSV), the data (netCDF), a page.

    Parameters
    ----------
    report : Report
        From :func:`analyse`.
    folder : Path
        Created if necessary; files are named after the data id, and replaced.

    Returns
    -------
    list of Path
        What was written.
    """
    from sims_analysis.dataset.storage import save
    from sims_analysis.files import folder_name, replace_file
    from sims_analysis.output.export import to_csv

    folder.mkdir(parents=True, exist_ok=True)
    stem = folder_name(report.data_id or "profiles")
    results, profiles = folder / f"{stem}-results.csv", folder / f"{stem}-profiles.csv"
    replace_file(results, results_csv(report).encode())
    to_csv(report.data, profiles, layout="paired")
    data = folder / f"{stem}.nc"
    save(report.data, data)
    return [
        results,
        profiles,
        data,
        *_pictures(report, folder / stem),
        *_page(report, folder / f"{stem}.html"),
    ]


def _pictures(report: Report, stem: Path) -> list[Path]:
    """Draw the profiles with the results that were found."""
    from sims_analysis.figures import plot_profiles, save_figure
    from sims_analysis.figures.saving import close

    junctions: list[xr.DataArray | xr.Dataset] = [*_found(report.crossings, report.crossings)]
    if report.metallurgical is not None:
        junctions.append(report.metallurgical)
    ax = plot_profiles(
        report.data,
        title=report.title or report.data_id,
        width="single",
        junctions=junctions,
        dose=_found(report.doses, [budget["dose"] for budget in report.doses]),
    )
    figure = cast("Any", ax.figure)
    written = [save_figure(figure, stem.with_name(stem.name + kind)) for kind in (".png", ".svg")]
    close(figure)
    return written


def _found(results: Sequence[Result], values: Sequence[xr.DataArray]) -> list[Result]:
    """Keep the species that have a number: the others are in the table, with their reasons."""
    chosen = [
        result.isel(species=np.flatnonzero(value.notnull()))
        for result, value in zip(results, values, strict=True)
    ]
    return [result for result in chosen if result.sizes["species"]]


def write_index(reports: Sequence[Mapping[str, Any]], folder: Path) -> Path | None:
    """Write a list of the pages in a folder; return None if there are none.

    Parameters
    ----------
    reports : sequence of dict
        Each with its ``data_id`` and the ``files`` that were written.
    folder : Path
    """
    from urllib.parse import quote

    from sims_analysis.files import replace_file
    from sims_analysis.output.pages import index_page

    links = {
        str(report["data_id"]): quote(Path(file).name)
        for report in reports
        for file in report["files"]
        if file.endswith(".html")
    }
    if not links:
        return None
    about = {str(report["data_id"]): _about(report) for report in reports}
    path = folder / "index.html"
    replace_file(path, index_page(links, about=about).encode())
    return path


def _about(report: Mapping[str, Any]) -> str:
    """Describe in a few words what was measured in which sample."""
    species = first_few([row["species"] for row in report["species"]], _NAMED)
    return ": ".join(filter(None, [report["title"], species]))


def _page(report: Report, path: Path) -> list[Path]:
    """Write the page, if the library that draws it is installed."""
    import importlib.util

    if importlib.util.find_spec("bokeh") is None:
        return []
    from sims_analysis.files import replace_file
    from sims_analysis.output.pages import report_page

    replace_file(path, report_page(report).encode())
    return [path]
