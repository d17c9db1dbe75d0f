"""Profiles for other programs: CSV and Excel, with units in the headings.

Numbers are the shortest text that reads back to the same float; not measured is an empty cell.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import orjson
import pandas as pd
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import nearest
from sims_analysis.conventions.cells import cell_edges
from sims_analysis.dataset.series import Series, series_of
from sims_analysis.dataset.shared import shared_columns
from sims_analysis.dataset.to_profiles import to_profiles
from sims_analysis.errors import ProfileError, UnitsError, require
from sims_analysis.files import replace_file, write_lines
from sims_analysis.kernels.rows import changed
from sims_analysis.profiles.metadata import columns_of
from sims_analysis.text.arguments import argument_error, check_choice, check_count, checks_arguments
from sims_analysis.text.cells import escape_cell
from sims_analysis.units import CANONICAL, dequantify, read_unit, unit_of_kind

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence

    from sims_analysis.profiles.profile import DepthProfile

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
    digits: int | None = None,
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
        Unit of values and their errors, ``"1/m^3"``, or of each variable: ``{"concentration":
        "1/m^3"}``; by default canonical ones.
    digits : int, optional
        Round all numbers to so many significant digits; by default, none is lost.

    Returns
    -------
    pathlib.Path
        Where it was written. A sample that was not measured has an empty cell; detection limits,
        common uncertainties, edges of cells and resolutions have columns of their own. What a
        spreadsheet would run of a name, ``=HYPERLINK(...)``, has ``'`` before it: :func:`read`
        takes it off.

    Raises
    ------
    ProfileError
        If nothing was measured, or two depths would be the same with so few digits.
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
    profiles = _rounded(_in_units(_list_profiles(data), depth_units, value_units), digits)
    rows = (_tidy_rows if layout == "tidy" else _column_pairs)(profiles)
    return write_lines(path, (",".join(map(_cell, row)) for row in rows))


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return repr(value)
    text = "" if value is None else escape_cell(str(value))
    # Python's csv module does not quote a lone \r.
    return '"' + text.replace('"', '""') + '"' if set(text) & set('",\r\n') else text


class _Profile(NamedTuple):
    """A profile as it is written: depths ``x``, edges of cells, values ``""``, ``_stderr``..."""

    series: Series
    table: pd.DataFrame
    axis_units: str
    units: str


def _list_profiles(data: xr.Dataset | xr.DataArray) -> list[_Profile]:
    """List the profiles, including samples that were not measured, or below a limit."""
    plain: Any = data  # of either kind
    ds = dequantify(plain)
    profiles = [_profile(series, ds) for series in series_of(data)]
    if not isinstance(ds, xr.Dataset) or any(profile.series.place for profile in profiles):
        return profiles
    if not any(str(name).endswith(("wire_fields", vocabulary.LIMIT)) for name in ds.coords):
        return profiles
    by_key = {(profile.series.species, profile.series.variable): profile for profile in profiles}
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
        key, units = (profile.species_name, variable), CANONICAL[kind]
        if key not in by_key:  # it has no measured sample
            series = replace(profiles[0].series, species=key[0], variable=variable, units=units)
            by_key[key] = _Profile(series, profiles[0].table[:0], series.axis_units, units)
        by_key[key] = _with_gaps(by_key[key], profile, missing, ds)
    order = [str(name) for name in np.atleast_1d(ds["species"].values)]
    return sorted(by_key.values(), key=lambda profile: order.index(profile.series.species))


def _profile(series: Series, data: xr.Dataset | xr.DataArray) -> _Profile:
    """Write a profile as columns; files have no other place for what its samples have in common."""
    columns: dict[str, Any] = {
        "x": series.x,
        **series.cells,
        "": series.y,
        "_stderr": series.stderr,
    }
    columns["_detection_limit"] = np.nan
    columns |= {f"_{term}": numbers for term, numbers in series.ancillary.items()}
    place = {"species": series.species, **series.place}
    size = data.sizes.get(series.axis, series.x.size)
    for name, column in shared_columns(data, series.variable, place, size):
        if (column == column[0]).all():
            columns[f"_{name}"] = column[0]
        else:
            axis = data[series.axis]
            depths = read_unit(axis.attrs["units"]).to_canonical(axis.values)
            columns[f"_{name}"] = column[nearest(depths, series.x)]
    table = pd.DataFrame({name: values for name, values in columns.items() if values is not None})
    return _Profile(series, table, series.axis_units, series.units)


def _with_gaps(samples: _Profile, profile: DepthProfile, missing: Any, ds: xr.Dataset) -> _Profile:
    """Insert the samples of a profile that were not measured, and their detection limits."""
    axis_name = samples.series.axis
    axis = read_unit(ds[axis_name].attrs["units"]).to_canonical(ds[axis_name].values)
    depths = read_unit(profile.depth_units).to_canonical(profile.depths[missing])
    # Their depths in the Dataset, whose axis may be that of another species.
    places = nearest(axis, depths)
    gaps, cells = {"x": axis[places]}, cell_edges(ds, axis_name)
    if cells is not None:
        gaps |= dict(zip(vocabulary.CELLS, cells[places].T, strict=True))
    column = columns_of(profile.extra, missing.size).get("detection_limit")
    if column is not None:
        unit = read_unit(column.get("units") or profile.concentration_units)
        limits = np.array(column["values"], dtype=np.float64)[missing]
        gaps["_detection_limit"] = unit.to_canonical(limits)
    table = pd.concat([samples.table, pd.DataFrame(gaps)]).sort_values("x", kind="stable")
    return changed(samples, table=table)


def _in_units(
    profiles: list[_Profile], depth_units: str | None, value_units: str | Mapping[str, str] | None
) -> list[_Profile]:
    """Convert axes and values to the units that are asked for."""
    units = value_units if isinstance(value_units, Mapping) else {}
    for text in (depth_units, value_units, *units.values()):
        if isinstance(text, str) and set("()") & set(text):
            raise UnitsError(
                f"{text!r}: in a heading, parentheses mark the unit; write it without them, such "
                "as 'atoms/cm^3'",
                argument="depth_units" if text == depth_units else "value_units",
            )
    if not isinstance(value_units, str | Mapping | None):
        raise UnitsError(
            f"value_units={value_units!r}; expected a string, or one for each variable in a "
            "mapping, {'concentration': '1/m^3'}",
            argument="value_units",
        )
    if isinstance(value_units, str):
        series = [profile.series for profile in profiles]
        kinds = {kind: s.variable for s in series
                 for kind in vocabulary.kinds_in(s.variable, s.units)}  # fmt: skip
        fitting = unit_of_kind(value_units, tuple(kinds), "value_units").kind
        units = {kinds[fitting]: value_units}
    variables = dict.fromkeys(profile.series.variable for profile in profiles)
    unknown = next((name for name in units if name not in variables), None)
    if unknown is not None:
        have = ", ".join(map(repr, variables))
        text = f"value_units has {unknown!r}; the variables are {have}"
        raise UnitsError(text, code="missing_variable", argument="value_units")
    return [
        _converted(profile, depth_units, units.get(profile.series.variable)) for profile in profiles
    ]


def _rounded(profiles: list[_Profile], digits: int | None) -> list[_Profile]:
    """Round numbers to significant digits."""
    if digits is None:
        return profiles
    check_count("digits", digits)
    result = []
    for profile in profiles:
        table = profile.table.map(lambda number: float(f"{number:.{digits}g}"))
        if table["x"].duplicated().any():
            place = table["x"][table["x"].duplicated()].iloc[0]
            raise ProfileError(
                f"digits={digits}: species {profile.series.species!r} would have two samples at "
                f"{profile.series.axis} {place:g} {profile.axis_units}",
                argument="digits",
            )
        result.append(changed(profile, table=table))
    return result


def _converted(profile: _Profile, depth_units: str | None, value_units: str | None) -> _Profile:
    table, series = profile.table.copy(), profile.series
    names = [str(name) for name in table]
    lengths = [name for name in names if name in ("x", *vocabulary.CELLS)]
    if depth_units is not None:
        axis = unit_of_kind(depth_units, (series.axis,), "depth_units")
        table[lengths] = axis.from_canonical(table[lengths].to_numpy())
        profile = changed(profile, axis_units=depth_units)
    if value_units is not None:
        kinds = vocabulary.kinds_in(series.variable, series.units)
        unit = unit_of_kind(value_units, kinds, f"value_units of {series.variable!r}")
        values = [n for n in names if n not in lengths and not vocabulary.ANCILLARY.get(n[1:])]
        table[values] = unit.from_canonical(table[values].to_numpy())
        profile = changed(profile, units=value_units)
    return changed(profile, table=table)


def _columns(profile: _Profile) -> dict[str, list[float | None]]:
    """Return the columns of a profile by heading, its depths first."""
    columns = {}
    for name, column in profile.table.items():
        heading, units = f"{profile.series.variable}{name}", vocabulary.ANCILLARY.get(str(name)[1:])
        head = f"{heading} ({units or profile.units})"
        if name in ("x", *vocabulary.CELLS):
            head = f"{profile.series.axis if name == 'x' else name} ({profile.axis_units})"
        if name == "" or column.notna().any():
            columns[head] = [None if np.isnan(number) else number for number in column.tolist()]
    return columns


def _tidy_rows(profiles: Sequence[_Profile]) -> Iterable[list[Any]]:
    """Return a row for each species and depth, in order of depth."""
    places = list(dict.fromkeys(key for profile in profiles for key in profile.series.place))
    has_species = any(profile.series.species for profile in profiles)
    groups: dict[tuple[str, ...], list[_Profile]] = {}
    for profile in profiles:
        key = (*(profile.series.place.get(place, "") for place in places), profile.series.species)
        groups.setdefault(key, []).append(profile)
    axis, *columns = dict.fromkeys(head for profile in profiles for head in _columns(profile))
    yield [*places, *(["species"] if has_species else []), axis, *columns]
    for key, members in groups.items():
        rows: dict[float, dict[str, float | None]] = {}
        for profile in members:
            for head, numbers in _columns(profile).items():
                for x, number in zip(profile.table["x"].tolist(), numbers, strict=True):
                    rows.setdefault(x, {})[head] = number
        for x in sorted(rows):
            yield [*(key if has_species else key[:-1]), x, *(rows[x].get(head) for head in columns)]


def _column_pairs(profiles: Sequence[_Profile]) -> Iterable[list[Any]]:
    """Return two columns for each profile, and more if it has errors or limits."""
    columns: list[tuple[str, Any]] = []
    for profile in profiles:
        name = " ".join(filter(None, [*profile.series.place.values(), profile.series.species]))
        prefix = f"{name} " if name else ""
        columns += [(prefix + head, column) for head, column in _columns(profile).items()]
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
    digits: int | None = None,
) -> Path:
    """Write profiles as an Excel workbook.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement or a batch; plain or quantified.
    path : path
        ``.xlsx``; written whole or not at all.
    depth_units, value_units, digits : optional
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
    ProfileError, ValueError
        If a name has control characters, or there are more samples than rows in a sheet.

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
        raise argument_error("path", path.name, "expected the name of a workbook, *.xlsx")
    profiles = _rounded(_in_units(_list_profiles(data), depth_units, value_units), digits)
    for profile in profiles:
        if _CONTROL.search(profile.series.species):
            raise ProfileError(
                f"species {profile.series.species!r}: a workbook cannot hold control characters; "
                "rename it with ds.assign_coords(species=...), or write CSV",
                code="failed_write",
                where={"species": profile.series.species},
            )
    sheets = {
        "profiles": list(_column_pairs(profiles)),
        "tidy": list(_tidy_rows(profiles)),
        "about": [["what", "of", "value"], *_metadata_rows(data)],
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


def _metadata_rows(data: xr.Dataset | xr.DataArray) -> Iterable[list[str]]:
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
    for key, species_name, value in entries:
        text = value if isinstance(value, str) else orjson.dumps(value, default=str).decode()
        for start in range(0, max(len(text), 1), _CELL):
            yield [key, species_name, text[start : start + _CELL]]
