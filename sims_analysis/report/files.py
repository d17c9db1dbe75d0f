"""A report as files: figure, table, data."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from sims_analysis.report.layout import to_csv

if TYPE_CHECKING:
    import xarray as xr

    from sims_analysis.report.answers import Report

__all__ = ["write_files"]


def write_files(ds: xr.Dataset, report: Report, folder: Path) -> list[Path]:
    """Write figure (PNG, SVG), table (CSV) and data (netCDF), named after the data id."""
    import sims_analysis as sims
    from sims_analysis.api.files import folder_name

    folder.mkdir(parents=True, exist_ok=True)
    stem = folder_name(report.data_id or "profiles")
    table = folder / f"{stem}.csv"
    table.write_text(to_csv(report), encoding="utf-8")
    written = [table]
    data = folder / f"{stem}.nc"
    sims.save(ds, data)
    written.append(data)
    figure = cast(
        "Any",
        sims.plot_profiles(
            ds, title=report.title or report.data_id, junctions=_marked(report)
        ).figure,
    )
    pictures = [folder / f"{stem}{suffix}" for suffix in (".png", ".svg")]
    return [*written, *(sims.save_figure(figure, picture) for picture in pictures)]


def _marked(report: Report) -> xr.DataArray | None:
    """Give the junctions that were found, to be marked in the figure."""
    import xarray as xr

    from sims_analysis import vocabulary

    found = {row.species: row.junction_depth for row in report.species if row.junction_depth}
    if not found:
        return None
    coords = {"species": list(found), "status": ("species", ["ok"] * len(found))}
    attrs = vocabulary.attrs("junction_depth")
    return xr.DataArray(list(found.values()), coords, "species", "junction_depth", attrs)
