"""A report as files: figure, table, data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from sims_analysis.output.report.layout import results_csv
from sims_analysis.text.arguments import first_few

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import xarray as xr

    from sims_analysis.output.report.answers import Report, SpeciesReport

__all__ = ["write_files", "write_index"]

#: At most so many species are named in a list of entries.
_NAMED = 6


def write_files(ds: xr.Dataset, report: Report, folder: Path) -> list[Path]:
    """Write the figure (PNG, SVG), the results and the profiles (CSV), the data (netCDF), a page.

    Parameters
    ----------
    ds : xarray.Dataset
        The measurement.
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
    from sims_analysis.figures import plot_profiles, save_figure
    from sims_analysis.figures.saving import close
    from sims_analysis.files import folder_name, replace_file
    from sims_analysis.output.export import to_csv

    folder.mkdir(parents=True, exist_ok=True)
    stem = folder_name(report.data_id or "profiles")
    results, profiles = folder / f"{stem}-results.csv", folder / f"{stem}-profiles.csv"
    replace_file(results, results_csv(report).encode())
    to_csv(ds, profiles, layout="paired")
    data = folder / f"{stem}.nc"
    save(ds, data)
    marked, doses = _marked(report), _doses(report)
    ax = plot_profiles(
        ds, title=report.title or report.data_id, width="single", junctions=marked, dose=doses
    )
    figure = cast("Any", ax.figure)
    calls = [] if not marked else [f"junction_depth(level={report.level!r})"]
    pictures = [
        save_figure(figure, folder / f"{stem}{suffix}", calls=calls) for suffix in (".png", ".svg")
    ]
    close(figure)
    return [results, profiles, data, *pictures, *_page(ds, report, folder / f"{stem}.html")]


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


def _page(ds: xr.Dataset, report: Report, path: Path) -> list[Path]:
    """Write the page, if the library that draws it is installed."""
    import importlib.util

    if importlib.util.find_spec("bokeh") is None:
        return []
    from sims_analysis.files import replace_file
    from sims_analysis.output.pages import report_page

    replace_file(path, report_page(ds, report).encode())
    return [path]


def _marked(report: Report) -> list[xr.DataArray | xr.Dataset]:
    """Return the junctions that were found, with their errors, to be marked in the figure."""
    import xarray as xr

    from sims_analysis import vocabulary

    found = [row for row in report.species if row.junction_depth is not None]
    results: list[xr.DataArray | xr.Dataset] = []
    if found:
        attrs = vocabulary.attrs("junction_depth")
        attrs["call"] = f"junction_depth(data, level={report.level!r})"
        results.append(
            xr.DataArray(
                [row.junction_depth for row in found],
                _coords(found, [row.junction_stderr for row in found]),
                "species",
                "junction_depth",
                attrs,
            )
        )
    between = [junction for junction in report.junctions if junction.depth is not None]
    if between:
        stderr = [np.nan if j.stderr is None else j.stderr for j in between]
        results.append(
            xr.Dataset(
                {
                    "depth": ("junction", [j.depth for j in between], {"units": "nm"}),
                    "stderr": ("junction", stderr, {"units": "nm"}),
                    "polarity": ("junction", [j.polarity for j in between]),
                    "status": ("junction", ["ok"] * len(between)),
                }
            )
        )
    return results


def _doses(report: Report) -> xr.DataArray | None:
    """Return the doses, with the requested window."""
    import xarray as xr

    from sims_analysis import vocabulary

    found = [row for row in report.species if row.dose is not None]
    if not found:
        return None
    attrs = vocabulary.attrs("dose")
    attrs["call"] = f"integrated_dose(data, start={report.start!r}, stop={report.stop!r})"
    coords = _coords(found, [row.dose_stderr for row in found])
    coords["status"] = ("species", [row.dose_status for row in found])
    return xr.DataArray([row.dose for row in found], coords, "species", "dose", attrs)


def _coords(rows: Sequence[SpeciesReport], stderr: Sequence[float | None]) -> dict[str, Any]:
    known = [np.nan if value is None else value for value in stderr]
    return {
        "species": [row.species for row in rows],
        "status": ("species", ["ok"] * len(rows)),
        "stderr": ("species", known),
    }
