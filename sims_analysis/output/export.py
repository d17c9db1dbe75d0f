"""Profiles and results for other programs: CSV, Excel, process simulators, tables for papers.

Numbers are written as the shortest text that reads back to the same float. A sample that was not
measured has no row, or an empty cell in a table that others fill. Units stand in the headers.
"""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson
import xarray as xr

from sims_analysis.analysis.series import Series, series_of
from sims_analysis.errors import FitWarning, ProfileError, SpeciesError, warn
from sims_analysis.files import replace_file
from sims_analysis.units import Unit, dequantify, unit_of_kind

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

__all__ = ["to_csv", "to_excel", "to_tcad"]

#: Excel takes no more in a sheet, and no more characters in a cell.
_ROWS, _CELL = 1_048_576, 32_767


def to_csv(
    data: xr.Dataset | xr.DataArray,
    path: str | os.PathLike[str],
    *,
    layout: Literal["tidy", "paired"] = "tidy",
) -> Path:
    """Write profiles as comma-separated values.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement or a batch; plain or quantified.
    path : path
        Written whole or not at all; UTF-8.
    layout : {"tidy", "paired"}
        ``"tidy"``: a row for each sample, with the species in a column and each variable in one
        of its own. ``"paired"``: two columns for each species, its depths and its values, as
        instruments export them.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    ProfileError
        If nothing was measured.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> path = sims.to_csv(sims.open_example("boron-implant"), "b.csv")
    >>> path.read_text().splitlines()[0]
    'species,depth (nm),concentration (atom/cm^3)'
    """
    tables = {"tidy": _tidy, "paired": _paired}
    if layout not in tables:
        raise ValueError(f'layout={layout!r}; expected "tidy" or "paired"')
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerows([_cell(value) for value in row] for row in tables[layout](series_of(data)))
    path = Path(path)
    replace_file(path, stream.getvalue().encode())
    return path


def _cell(value: Any) -> str:
    return repr(float(value)) if isinstance(value, float) else "" if value is None else str(value)


def _header(name: str, units: str) -> str:
    return f"{name} ({units})"


def _tidy(found: Sequence[Series]) -> Iterable[list[Any]]:
    """Return a row for each species and depth, in order of depth."""
    places = list(dict.fromkeys(key for series in found for key in series.place))
    named = any(series.species for series in found)
    axis = _header(found[0].axis, found[0].axis_units)
    columns: dict[str, None] = {}
    for series in found:
        columns[_header(series.variable, series.units)] = None
        if series.stderr is not None:
            columns[_header(f"{series.variable}_stderr", series.units)] = None
    yield [*places, *(["species"] if named else []), axis, *columns]
    profiles: dict[tuple[str, ...], list[Series]] = {}
    for series in found:
        key = (*(series.place.get(place, "") for place in places), series.species)
        profiles.setdefault(key, []).append(series)
    for key, members in profiles.items():
        rows: dict[float, dict[str, float]] = {}
        for series in members:
            for i, x in enumerate(series.x.tolist()):
                row = rows.setdefault(x, {})
                row[_header(series.variable, series.units)] = float(series.y[i])
                if series.stderr is not None and not np.isnan(series.stderr[i]):
                    row[_header(f"{series.variable}_stderr", series.units)] = float(
                        series.stderr[i]
                    )
        head = key if named else key[:-1]
        for x in sorted(rows):
            yield [*head, x, *(rows[x].get(column) for column in columns)]


def _paired(found: Sequence[Series]) -> Iterable[list[Any]]:
    """Return two columns for each profile, and a third where it states standard errors."""
    headers: list[str] = []
    columns: list[list[float | None]] = []
    for series in found:
        who = " ".join(filter(None, [*series.place.values(), series.species]))
        prefix = f"{who} " if who else ""
        headers.append(prefix + _header(series.axis, series.axis_units))
        columns.append(series.x.tolist())
        headers.append(prefix + _header(series.variable, series.units))
        columns.append(series.y.tolist())
        if series.stderr is not None:
            headers.append(prefix + _header(f"{series.variable}_stderr", series.units))
            columns.append([None if np.isnan(s) else s for s in series.stderr.tolist()])
    yield headers
    for i in range(max(map(len, columns))):
        yield [column[i] if i < len(column) else None for column in columns]


def to_excel(data: xr.Dataset | xr.DataArray, path: str | os.PathLike[str]) -> Path:
    """Write profiles as an Excel workbook.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement or a batch; plain or quantified.
    path : path
        ``.xlsx``; written whole or not at all.

    Returns
    -------
    pathlib.Path
        Where it was written. Sheets: ``profiles`` (two columns for each species), ``tidy`` (a row
        for each sample) and ``about`` (attrs, and what is known of each species). Numbers have
        the 16 digits that openpyxl writes; CSV gives back every bit.

    Raises
    ------
    ModuleNotFoundError
        If openpyxl is not installed.
    ProfileError
        If there are more samples than a sheet has rows.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> path = sims.to_excel(sims.open_example("boron-implant"), "b.xlsx")
    >>> path.name
    'b.xlsx'
    """
    import importlib.util

    if importlib.util.find_spec("openpyxl") is None:
        raise ModuleNotFoundError('.xlsx needs openpyxl: pip install "sims-analysis[excel]"')
    import pandas as pd

    path = Path(path)
    if path.suffix != ".xlsx":
        raise ValueError(f"{path.name!r}: the name of a workbook ends in .xlsx")
    found = series_of(data)
    sheets = {
        "profiles": list(_paired(found)),
        "tidy": list(_tidy(found)),
        "about": [["what", "of", "value"], *_about(data)],
    }
    stream = io.BytesIO()
    with pd.ExcelWriter(stream, engine="openpyxl") as book:
        for name, (header, *rows) in sheets.items():
            if len(rows) >= _ROWS:
                raise ProfileError(
                    f"{len(rows)} samples do not fit in a sheet of {_ROWS} rows; write CSV, or "
                    "one workbook for each measurement"
                )
            frame = pd.DataFrame(rows, columns=header)
            frame.to_excel(book, sheet_name=name, index=False)
        for sheet in book.sheets.values():
            sheet.freeze_panes = "A2"
            for cells in sheet.iter_rows():
                for cell in cells:
                    # A name such as "=O" is text, not a formula.
                    cell.data_type = "s" if cell.data_type == "f" else cell.data_type
    replace_file(path, stream.getvalue())
    return path


def _about(data: xr.Dataset | xr.DataArray) -> Iterable[list[str]]:
    """List attrs and coordinates of the species; long text goes on in the next row."""
    entries = [(str(key), "", value) for key, value in data.attrs.items()]
    species = data.coords.get("species")
    if species is not None:
        names = np.atleast_1d(species.values)
        for key, coord in data.coords.items():
            if key != "species" and coord.dims == species.dims and coord.dtype.kind in "UO":
                values = np.atleast_1d(coord.values)
                entries += [
                    (str(key), str(name), value) for name, value in zip(names, values, strict=True)
                ]
    for key, of, value in entries:
        text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
        for start in range(0, max(len(text), 1), _CELL):
            yield [key, of, text[start : start + _CELL]]


#: The four moments as programs have them: SUPREM-IV's `gtprs(rp, sigp, gam1, kurt)`, and the
#: members of ViennaPS' `PearsonIVParameters`.
_ORDERS = {
    "suprem": ("projected_range", "straggle", "skewness", "kurtosis"),
    "viennaps": ("projected_range", "straggle", "kurtosis", "skewness"),
}
_GREEK = {"skewness": "gamma", "kurtosis": "beta"}


def to_tcad(
    data: xr.Dataset | xr.DataArray,
    path: str | os.PathLike[str],
    *,
    species: str | None = None,
    depth_units: str = "um",
    comment: str | None = "#",
    order: Literal["suprem", "viennaps"] = "suprem",
) -> Path:
    """Write one profile as two columns of text, or the moments of a fit, for simulators.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement, on a depth axis; or a fit of one profile by ``"gaussian"``, ``"pearson"``
        or ``"dual_pearson"``.
    path : path
        Written whole or not at all.
    species : str, optional
        Which one; needed if there are several.
    depth_units : str
        Unit of the first column; the second is in ``atom/cm^3``. Most simulators read micrometres.
    comment : str or None
        What begins the lines above the numbers, which name the species, columns and units; ``None``
        writes no such line, for programs that take none.
    order : {"suprem", "viennaps"}
        Of the moments of a fit: range, straggle, skewness (gamma), kurtosis (beta), as SUPREM
        has them; or kurtosis before skewness, as ViennaPS' ``PearsonIVParameters``.

    Returns
    -------
    pathlib.Path
        Where it was written: a depth and a concentration a line, in order of depth. Zero and
        negative values are written as they were measured. Of a fit, a line for each distribution
        (head, then channelling tail): its four moments in `order`, and its dose in
        ``atom/cm^2``; a Gaussian has skewness 0 and kurtosis 3, which is not excess.

    Raises
    ------
    SpeciesError
        If `species` is not there, or has to be named.
    ProfileError
        If the species has no concentration; if a fit is of several profiles, of a model without
        moments, or has no parameters.

    Warns
    -----
    FitWarning
        If the status of a fit is not ``ok``.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> path = sims.to_tcad(ds, "b.txt", species="B")
    >>> path.read_text().splitlines()[0]
    '# B: depth (um), concentration (atom/cm^3)'
    >>> ds = sims.with_counting_statistics(ds.sel(species="B"), value_per_count="1e14 atoms/cm^3")
    >>> fit = sims.fit(ds, model="pearson", start="40 nm", stop="110 nm")
    >>> print(sims.to_tcad(fit, "moments.txt").read_text().splitlines()[1])
    # projected_range (um), straggle (um), skewness (gamma), kurtosis (beta), dose (atom/cm^2)
    """
    unit = unit_of_kind(depth_units, ("depth",), "depth_units")
    if order not in _ORDERS:
        raise ProfileError(f"order={order!r}; expected one of {', '.join(map(repr, _ORDERS))}")
    if not isinstance(data, xr.DataArray) and "covariance" in data:
        lines = _moments_of(data, species, unit, order, comment)
        path = Path(path)
        replace_file(path, ("\n".join(lines) + "\n").encode())
        return path
    found = series_of(data)
    names = list(dict.fromkeys(series.species for series in found))
    if species is None and len(names) > 1:
        raise SpeciesError(f"name one species: {', '.join(map(repr, names))}")
    chosen = [s for s in found if species in (None, s.species)]
    if not chosen:
        raise SpeciesError.missing(species, names)
    profiles = [s for s in chosen if s.variable == "concentration" and s.axis == "depth"]
    if len(profiles) != 1:
        if len(profiles) > 1:
            which = ", ".join(" ".join(s.place.values()) for s in profiles)
            raise ProfileError(
                f"species {chosen[0].species!r} is there {len(profiles)} times ({which}); a "
                "simulator reads one profile: choose one, as in .isel(measurement=0)"
            )
        what = ", ".join(f"{s.variable} over {s.axis}" for s in chosen)
        raise ProfileError(
            f"species {chosen[0].species!r}: a simulator needs one concentration over depth; "
            f"found {what}"
        )
    (profile,) = profiles
    lines = []
    if comment is not None:
        # A line break in a name would begin a line of numbers.
        who = f"{' '.join(profile.species.split())}: " if profile.species else ""
        lines.append(f"{comment} {who}depth ({unit.text}), concentration ({profile.units})")
    lines += [
        f"{float(x)!r} {float(y)!r}"
        for x, y in zip(unit.from_canonical(profile.x), profile.y, strict=True)
    ]
    path = Path(path)
    replace_file(path, ("\n".join(lines) + "\n").encode())
    return path


def _moments_of(
    fit: xr.Dataset, species: str | None, unit: Unit, order: str, comment: str | None
) -> list[str]:
    """Give the lines of a fit: the moments of each distribution, and its dose."""
    fit = dequantify(fit)
    model = str(fit.attrs["model"])
    parts = {"gaussian": ("",), "pearson": ("",), "dual_pearson": ("head_", "tail_")}.get(model)
    if parts is None:
        raise ProfileError(
            f"the model {model!r} has no moments that a simulator reads; fit 'gaussian', 'pearson' "
            "or 'dual_pearson', or write the profile itself"
        )
    if species is not None:
        names = [str(name) for name in np.atleast_1d(fit["species"].values)]
        if species not in names:
            raise SpeciesError(
                f"the fit has no species {species!r}; it has {', '.join(map(repr, names))}"
            )
        fit = fit.sel(species=species) if "species" in fit.dims else fit
    if fit["dose"].size != 1:
        raise ProfileError(
            f"the fit is of {fit['dose'].size} profiles; a simulator reads one: choose it, as in "
            ".sel(species='B')"
        )
    fit = fit.squeeze()
    status = str(fit["status"].item())
    if not np.isfinite(fit["dose"].item()):
        raise ProfileError(f"the fit has no parameters: {status.replace('_', ' ')}")
    if status != "ok":
        warn(f"moments of a fit that is {status.replace('_', ' ')}", FitWarning)
    moment = _ORDERS[order]
    lines = []
    if comment is not None:
        who = " ".join(str(fit["species"].item()).split()) if "species" in fit.coords else ""
        what = {"": "", "head_": ", head, then channelling tail"}[parts[0]]
        lines.append(f"{comment} {who + ': ' if who else ''}{model}{what}")
        columns = [f"{name} ({_GREEK.get(name, unit.text)})" for name in moment]
        lines.append(f"{comment} {', '.join(columns)}, dose ({fit['dose'].attrs['units']})")
    share = float(fit["head_fraction"].item()) if "head_fraction" in fit else 1.0
    gaussian = {"skewness": 0.0, "kurtosis": 3.0}
    for part, fraction in zip(parts, (share, 1.0 - share), strict=False):
        moments = [
            float(fit[part + name].item()) if part + name in fit else gaussian[name]
            for name in moment
        ]
        row = [
            value if name in _GREEK else float(unit.from_canonical(value))
            for name, value in zip(moment, moments, strict=True)
        ]
        lines.append(" ".join(f"{v!r}" for v in [*row, fraction * float(fit["dose"].item())]))
    return lines
