"""A report as files: figure, table, data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sims_analysis.output.report.layout import results_csv

if TYPE_CHECKING:
    import xarray as xr

    from sims_analysis.output.report.answers import Report

__all__ = ["write_files"]


def write_files(ds: xr.Dataset, report: Report, folder: Path) -> list[Path]:
    """Write the figure (PNG, SVG), the results and the profiles (CSV), and the data (netCDF).

    Parameters
    ----------
    ds : xarray.Dataset
        What the report is about.
    report : Report
        From :func:`analyse`.
    folder : Path
        Made where it is not there; files are named after the data id, and replaced.

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
    marked = _marked(report)
    ax = plot_profiles(ds, title=report.title or report.data_id, junctions=marked)
    figure = cast("Any", ax.figure)
    calls = [] if marked is None else [f"junction_depth(level={report.level!r})"]
    pictures = [
        save_figure(figure, folder / f"{stem}{suffix}", calls=calls) for suffix in (".png", ".svg")
    ]
    close(figure)
    return [results, profiles, data, *pictures]


def _marked(report: Report) -> xr.DataArray | None:
    """Give the junctions that were found, to be marked in the figure."""
    import xarray as xr

    from sims_analysis import vocabulary

    found = {
        row.species: row.junction_depth for row in report.species if row.junction_depth is not None
    }
    if not found:
        return None
    coords = {"species": list(found), "status": ("species", ["ok"] * len(found))}
    attrs = vocabulary.attrs("junction_depth")
    return xr.DataArray(list(found.values()), coords, "species", "junction_depth", attrs)
