"""Profiles for other programs: CSV and Excel.

Numbers are written as the shortest text that reads back to the same float. A sample that was
delivered as not measured has an empty cell. Units are in the headings.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson
import pandas as pd
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.analysis.series import Series, series_of
from sims_analysis.conventions.axes import cell_edges, nearest
from sims_analysis.dataset.shared import shared_columns
from sims_analysis.dataset.to_profiles import to_profiles
from sims_analysis.errors import ProfileError, UnitsError, require
from sims_analysis.files import replace_file, write_lines
from sims_analysis.profiles.metadata import columns_of
from sims_analysis.text.arguments import check_choice, checks_arguments
from sims_analysis.text.cells import escape_cell
from sims_analysis.units import CANONICAL, dequantify, read_unit, unit_of_kind

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from sims_analysis.profiles.profile import DepthProfile

__all__ = ["to_csv", "to_excel"]

#: Most characters in a cell of Excel.
_CELL = 32_767
#: Characters that XML cannot hold, or changes; it keeps tabs and line feeds.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f]")


@checks_arguments
def to_csv(
    data: xr.Dataset | xr.DataArray,
    path: str | os.PathLike[str],
    *,
    layout: Literal["tidy", "paired"] = "tidy",
    depth_units: str | None = None,
    value_units: str | Mapping[str, str] | None = None,
) -> Path:
    """Write profiles as comma-separated values.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement or a batch; plain or quantified.
    path : path
        Written whole or not at all; UTF-8.
    layout : {"tidy", "paired"}
        ``"tidy"``: a row for each sample, with one column for the species and one for each
        variable. ``"paired"``: two columns for each species, its depths and its values, as
        instruments export them.
    depth_units : str, optional
        Unit of the axis, such as ``"um"`` (or ``"min"`` of sputter time); by default the canonical
        one.
    value_units : str or mapping, optional
        Unit of values and their errors, such as ``"1/m^3"``, or of each variable:
        ``{"concentration": "1/m^3", "intensity": "counts/s"}``; by default canonical ones.

    Returns
    -------
    pathlib.Path
        Where it was written. The cell of a sample that was not measured is empty; its detection
        limit, if known, is in a column of its own. So are relative uncertainties that samples have
        in common (of sensitivity factors and of the depth scale), which a budget needs, the edges
        of the cells of averages, in ``cell_start`` and ``cell_stop``, and the achieved resolution
        of restored profiles with the independent samples per depth, which errors need. What a
        spreadsheet would run of a name, such as ``=HYPERLINK(...)``, has ``'`` before it, also
        behind ``;`` or a tab; :func:`read` takes it off.

    Raises
    ------
    ProfileError
        If nothing was measured.
    UnitsError
        If a unit is unknown, does not fit, or holds parentheses, which mark units in headings.

    See Also
    --------
    read : Reads it back: every sample, standard error, count and limit, in canonical units.
    to_excel : Also keeps what has no place in CSV: units as delivered, metadata, identifiers,
        history.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> path = sims.to_csv(sims.open_example("boron-implant"), "b.csv")
    >>> path.read_text().splitlines()[0]
    'species,depth (nm),concentration (atom/cm^3)'
    """
    check_choice("layout", layout, ("tidy", "paired"))
    found = _in_units(_found(data), depth_units, value_units)
    rows = (_tidy if layout == "tidy" else _paired)(found)
    return write_lines(path, (",".join(map(_cell, row)) for row in rows))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return repr(value)
    text = "" if value is None else escape_cell(str(value))
    # Python's csv module does not quote a lone \r.
    return '"' + text.replace('"', '""') + '"' if set(text) & set('",\r\n') else text


def _header(name: str, units: str) -> str:
    return f"{name} ({units})"


def _found(data: xr.Dataset | xr.DataArray) -> list[Series]:
    """List the profiles, including the samples that were delivered as not measured."""
    plain: Any = data  # of either kind
    ds = dequantify(plain)
    found = [_with_shared(series, ds) for series in series_of(data)]
    if not isinstance(ds, xr.Dataset) or "wire_fields" not in ds.coords:
        return found
    if ds["wire_fields"].ndim > ds["species"].ndim:
        return found
    of = {(series.species, series.variable): series for series in found}
    for profile in to_profiles(ds):
        missing = np.isnan(profile.concentrations)
        if not missing.any():
            continue
        kind = read_unit(profile.concentration_units).kind
        variable = next(
            name
            for name in vocabulary.QUANTITIES
            if name in ds and kind in vocabulary.kinds_in(name, ds[name].attrs["units"])
        )
        nothing = replace(
            found[0],
            species=profile.species_name,
            variable=variable,
            units=CANONICAL[kind],
            x=np.empty(0),
            y=np.empty(0),
            stderr=None,
            cells=dict.fromkeys(found[0].cells, np.empty(0)),
        )
        key = (profile.species_name, variable)
        of[key] = _with_gaps(of.get(key, nothing), profile, missing, ds)
    order = [str(name) for name in np.atleast_1d(ds["species"].values)]
    return sorted(of.values(), key=lambda series: order.index(series.species))


def _in_units(
    found: list[Series], depth_units: str | None, value_units: str | Mapping[str, str] | None
) -> list[Series]:
    """Convert axes and values to the units that are asked for."""
    stated = value_units if isinstance(value_units, Mapping) else {}
    for text in (depth_units, value_units, *stated.values()):
        if isinstance(text, str) and set("()") & set(text):
            raise UnitsError(
                f"{text!r}: in a heading, parentheses mark the unit; write it without them, such "
                "as 'atoms/cm^3'"
            )
    if value_units is not None and not isinstance(value_units, Mapping):
        kinds = {kind: series.variable for series in found for kind in _kinds(series)}
        fitting = unit_of_kind(value_units, tuple(kinds), "value_units").kind
        stated = {kinds[fitting]: value_units}
    variables = dict.fromkeys(series.variable for series in found)
    unknown = next((name for name in stated if name not in variables), None)
    if unknown is not None:
        have = ", ".join(map(repr, variables))
        raise UnitsError(f"value_units has {unknown!r}; the variables are {have}")
    return [_converted(series, depth_units, stated.get(series.variable)) for series in found]


def _kinds(series: Series) -> tuple[str, ...]:
    return vocabulary.kinds_in(series.variable, series.units)


def _converted(series: Series, depth_units: str | None, value_units: str | None) -> Series:
    if depth_units is not None:
        axis = unit_of_kind(depth_units, (series.axis,), "depth_units")
        cells = {name: axis.from_canonical(edge) for name, edge in series.cells.items()}
        x = axis.from_canonical(series.x)
        series = replace(series, x=x, cells=cells, axis_units=depth_units)
    if value_units is None:
        return series
    unit = unit_of_kind(value_units, _kinds(series), f"value_units of {series.variable!r}")

    def in_unit(column: Any) -> Any:
        return None if column is None else unit.from_canonical(column)

    return replace(
        series,
        y=in_unit(series.y),
        stderr=in_unit(series.stderr),
        limit=in_unit(series.limit),
        beside={
            name: column if vocabulary.ANCILLARY.get(name) else in_unit(column)
            for name, column in series.beside.items()
        },
        units=value_units,
    )


def _with_shared(series: Series, data: xr.Dataset | xr.DataArray) -> Series:
    """Put what samples have in common beside each of them: files have no other place for it."""
    where = {"species": series.species, **series.place}
    size = data.sizes.get(series.axis, series.x.size)
    shared = {}
    for name, column in shared_columns(data, series.variable, where, size):
        if (column == column[0]).all():
            shared[name] = np.full(series.x.size, column[0])
        else:
            axis = data[series.axis]
            depths = read_unit(axis.attrs["units"]).to_canonical(axis.values)
            shared[name] = column[nearest(depths, series.x)]
    return replace(series, beside=series.beside | shared)


def _with_gaps(series: Series, profile: DepthProfile, missing: Any, ds: xr.Dataset) -> Series:
    """Insert the samples of a profile that were not measured, and their detection limits."""
    axis = read_unit(ds[series.axis].attrs["units"]).to_canonical(ds[series.axis].values)
    depths = read_unit(profile.depth_units).to_canonical(profile.depths[missing])
    # Their depths in the Dataset, whose axis may be that of another species.
    places = nearest(axis, depths)
    gaps, cells = axis[places], cell_edges(ds, series.axis)
    limit = np.full(gaps.size, np.nan)
    column = columns_of(profile.extra, missing.size).get("detection_limit")
    if column is not None:
        stated = read_unit(column.get("units") or profile.concentration_units)
        limit = stated.to_canonical(np.array(column["values"], dtype=np.float64)[missing])
    nothing = np.full(gaps.size, np.nan)
    order = np.argsort(np.concatenate([series.x, gaps]), kind="stable")

    def merged(measured: Any, of_gaps: Any) -> Any:
        return np.concatenate([measured, of_gaps])[order]

    return replace(
        series,
        x=merged(series.x, gaps),
        y=merged(series.y, nothing),
        stderr=None if series.stderr is None else merged(series.stderr, nothing),
        beside={k: merged(c, nothing) for k, c in series.beside.items()},
        cells={}
        if cells is None
        else {
            name: merged(edge, own)
            for (name, edge), own in zip(series.cells.items(), cells[places].T, strict=True)
        },
        limit=None if np.isnan(limit).all() else merged(np.full(series.x.size, np.nan), limit),
    )


def _columns(series: Series) -> dict[str, list[float | None]]:
    """Return the columns of a profile beside its depths, by heading."""
    edges = {_header(name, series.axis_units): edge for name, edge in series.cells.items()}
    named = {"": series.y, "_stderr": series.stderr, "_detection_limit": series.limit}
    named |= {f"_{what}": numbers for what, numbers in series.beside.items()}
    columns = edges | {
        _header(
            f"{series.variable}{what}", vocabulary.ANCILLARY.get(what[1:]) or series.units
        ): column
        for what, column in named.items()
        if column is not None
    }
    return {
        head: [None if np.isnan(number) else number for number in column.tolist()]
        for head, column in columns.items()
    }


def _tidy(found: Sequence[Series]) -> Iterable[list[Any]]:
    """Return a row for each species and depth, in order of depth."""
    places = list(dict.fromkeys(key for series in found for key in series.place))
    named = any(series.species for series in found)
    axis = _header(found[0].axis, found[0].axis_units)
    profiles: dict[tuple[str, ...], list[Series]] = {}
    columns: dict[str, None] = {}
    for series in found:
        key = (*(series.place.get(place, "") for place in places), series.species)
        profiles.setdefault(key, []).append(series)
        columns.update(dict.fromkeys(_columns(series)))
    yield [*places, *(["species"] if named else []), axis, *columns]
    for key, members in profiles.items():
        rows: dict[float, dict[str, float | None]] = {}
        for series in members:
            for head, numbers in _columns(series).items():
                for x, number in zip(series.x.tolist(), numbers, strict=True):
                    rows.setdefault(x, {})[head] = number
        for x in sorted(rows):
            yield [*(key if named else key[:-1]), x, *(rows[x].get(head) for head in columns)]


def _paired(found: Sequence[Series]) -> Iterable[list[Any]]:
    """Return two columns for each profile, and more if it has errors or limits."""
    columns: list[tuple[str, list[float | None]]] = []
    for series in found:
        who = " ".join(filter(None, [*series.place.values(), series.species]))
        prefix = f"{who} " if who else ""
        depths = {_header(series.axis, series.axis_units): series.x.tolist()}
        columns += [(prefix + head, cells) for head, cells in (depths | _columns(series)).items()]
    heads, cells = zip(*columns, strict=True)
    yield list(heads)
    yield from map(list, zip_longest(*cells))


@checks_arguments
def to_excel(
    data: xr.Dataset | xr.DataArray,
    path: str | os.PathLike[str],
    *,
    depth_units: str | None = None,
    value_units: str | Mapping[str, str] | None = None,
) -> Path:
    """Write profiles as an Excel workbook.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement or a batch; plain or quantified.
    path : path
        ``.xlsx``; written whole or not at all.
    depth_units, value_units : optional
        As for :func:`to_csv`.

    Returns
    -------
    pathlib.Path
        Where it was written. Sheets: ``profiles`` (two columns for each species), ``tidy`` (a row
        for each sample) and ``about`` (attrs, and the metadata of each species).

    Raises
    ------
    ModuleNotFoundError
        If openpyxl is not installed.
    ProfileError
        If the name of a species has control characters.
    ValueError
        If there are more samples than rows in a sheet.

    See Also
    --------
    read : Reads one measurement back, profile by profile as it was delivered.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> path = sims.to_excel(sims.open_example("boron-implant"), "b.xlsx")
    >>> path.name
    'b.xlsx'
    """
    require(".xlsx needs", "openpyxl", extra="excel")
    path = Path(path)
    if path.suffix != ".xlsx":
        raise ValueError(f"{path.name!r}: the name of a workbook ends in .xlsx")
    found = _in_units(_found(data), depth_units, value_units)
    bad = next((s.species for s in found if _CONTROL.search(s.species)), None)
    if bad is not None:
        raise ProfileError(
            f"species {bad!r}: a workbook cannot hold control characters; rename it with "
            "ds.assign_coords(species=...), or write CSV",
            where={"species": bad},
        )
    sheets = {
        "profiles": list(_paired(found)),
        "tidy": list(_tidy(found)),
        "about": [["what", "of", "value"], *_about(data)],
    }
    stream = io.BytesIO()
    with pd.ExcelWriter(stream, engine="openpyxl") as book:
        for name, (header, *rows) in sheets.items():
            frame = pd.DataFrame(rows, columns=header)
            frame.to_excel(book, sheet_name=name, index=False)
        for sheet in book.sheets.values():
            sheet.freeze_panes = "A2"
            for cells in sheet.iter_rows():
                for cell in cells:
                    if isinstance(cell.value, float):
                        # openpyxl would write 16 digits; some numbers have 17.
                        cell.value, cell.data_type = repr(cell.value), "n"
                    elif isinstance(cell.value, str) and escape_cell(cell.value) != cell.value:
                        # A name such as "=O" is text, also when somebody edits the cell.
                        cell.data_type, cell.quotePrefix = "s", True
    replace_file(path, stream.getvalue())
    return path


def _about(data: xr.Dataset | xr.DataArray) -> Iterable[list[str]]:
    """List attrs and the coordinates of species; long text is continued in the next row."""
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
