"""What this library writes, read back: every number, unit and species."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import repeat

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import PayloadError, ReadError
from sims_analysis.kernels.rows import Array
from sims_analysis.profiles.metadata import COLUMNS
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.readers.signals import Column, Content, Signal
from sims_analysis.readers.source import Options, Source, once_per_source
from sims_analysis.readers.tables.body import read_two_columns
from sims_analysis.readers.tables.grid import Grid, TextGrid
from sims_analysis.readers.tables.numbers import column_name
from sims_analysis.readers.tables.regions import all_sheets
from sims_analysis.readers.tables.samples import group_by_label
from sims_analysis.text.cells import unescape_cell

_AXIS = re.compile(rf"(?:(.*) )?({'|'.join(vocabulary.AXES)}) \(([^()]+)\)", re.DOTALL)
_VALUE = re.compile(
    rf"(?:(.*) )?({'|'.join(vocabulary.MEASURED)})(_stderr|_detection_limit|"
    rf"{'|'.join(f'_{end}' for end in vocabulary.ANCILLARY)})? \(([^()]+)\)",
    re.DOTALL,
)
_EDGE = re.compile(rf"(?:(.*) )?({'|'.join(vocabulary.CELLS)}) \(([^()]+)\)", re.DOTALL)
_TCAD = re.compile(r"(?:\S{1,2} )?(?:(.*): )?depth \((\S+)\), concentration \((\S+)\)")
_SHEETS = ("profiles", "tidy", "about")


def recognises(source: Source) -> bool:
    """Whether headers or sheets are those that are written here."""
    if source.is_workbook:
        return tuple(sheet.name for sheet in all_sheets(source)) == _SHEETS
    if not any(f"{axis} (" in source.start for axis in vocabulary.AXES):
        return False
    return bool(_TCAD.fullmatch(source.start.partition("\n")[0]) or _delimiter(source))


@once_per_source
def _delimiter(source: Source) -> str | None:
    """Return the delimiter: a spreadsheet may have changed it."""
    for delimiter in ",;\t":
        lines = (f"{line}\n" for line in source.lines)  # no copy of the whole for its first row
        first = [*filter(None, next(filter(None, csv.reader(lines, delimiter=delimiter)), []))]
        axes = [cell for cell in first if _AXIS.fullmatch(cell)]
        values = [cell for cell in first if _VALUE.fullmatch(cell) or _EDGE.fullmatch(cell)]
        if values and (len(axes) == 1 or 0 < len(axes) == len(first) - len(values)):
            return delimiter
    return None


def read(source: Source) -> Content:
    """Read the profiles of one measurement; several, or the moments of a fit, are refused."""
    if source.is_workbook:
        return Content(ready=_of_workbook(source))
    tcad = _TCAD.fullmatch(source.lines[0])
    if tcad and "," not in "".join(source.lines[1:3]):
        below = [i for i, line in enumerate(source.lines) if i and line.strip()]
        name, *units = tcad.groups()
        return Content(
            signals=[read_two_columns(source, below, name or "", units, where="column 2")]
        )
    complete = source.decoded.endswith(("\n", "\r"))
    if not complete:
        source.options.truncated(
            "the file is truncated: its last line has no line end, and is left out"
        )
    delimiter = _delimiter(source) or ","
    # Between commas it is a point.
    options = replace(source.options, decimal=None) if delimiter == "," else source.options
    table = _unquoted_table(source.decoded, options) if delimiter == "," else None
    if table is None:
        # The ends of lines within names are a part of them.
        text = io.StringIO(source.decoded, newline="")
        rows = [*filter(None, csv.reader(text, delimiter=delimiter))]
        while rows[0] and not rows[0][-1]:
            rows[0].pop()
        table = _table(rows if complete else rows[:-1], options)
    table = replace(
        table,
        header=[*map(unescape_cell, table.header)],
        texts=[[*map(unescape_cell, column)] for column in table.texts],
    )
    axes = [match for match in map(_AXIS.fullmatch, table.header) if match]
    paired = len(axes) > 1 or ("species" not in table.header and axes[0][1])
    return Content(signals=list(_paired(table) if paired else _tidy(table)))


@dataclass(frozen=True)
class _Table:
    """Headers, and below them columns of texts, then of numbers."""

    header: list[str]
    texts: list[list[str]]
    #: Shape (rows, columns from the first axis on).
    values: Array

    @property
    def axis(self) -> int:
        """Where the first axis stands."""
        return next(j for j, cell in enumerate(self.header) if _AXIS.fullmatch(cell))


def _table(rows: Sequence[Sequence[object]], options: Options, word: str = "line") -> _Table:
    """Split rows of cells into headers, texts and numbers."""
    table = _Table([str(cell) for cell in rows[0]], [], np.empty((0, 0)))
    width = len(table.header)
    short = next((i for i, row in enumerate(rows, 1) if len(row) < width), None)
    if short is not None:
        raise ReadError(f"{word} {short} ends before column {column_name(width - 1)}")
    for i, row in enumerate(rows, 1):
        beyond = next((cell for cell in row[width:] if cell), None)
        if beyond is not None:
            raise ReadError(
                f"{word} {i}: {len(row)} cells in a table of {width} columns; {beyond!r} belongs "
                "to none"
            )
    texts = [[str(row[j] or "") for row in rows[1:]] for j in range(table.axis)]
    return _with_numbers(table, Grid(rows, options, row_word=word), texts)


def _unquoted_table(text: str, options: Options) -> _Table | None:
    """Split a text without quotes, at once; ``None`` if it is not as it was written."""
    if '"' in text or "\r" in text:
        return None
    lines = text.split("\n")[:-1]
    table = _Table(lines[0].split(","), [], np.empty((0, 0))) if lines else None
    if table is None or set(map(str.count, lines, repeat(","))) != {len(table.header) - 1}:
        return None
    return _with_numbers(table, TextGrid(lines, options, delimiter=","))


def _with_numbers(table: _Table, grid: Grid, texts: list[list[str]] | None = None) -> _Table:
    """Add the numbers of a grid, and its texts where they are not known."""
    if len(grid) < 2:
        raise ReadError("the headers have no rows of numbers below them", code="no_profile")
    labels = range(table.axis)
    block = grid.read(range(1, len(grid)), len(table.header), labels=labels)
    for (row, column), limit in block.limits.items():
        raise ReadError(
            f"{grid.where(block.rows[row], column)}: a limit, <{limit:g}, is not a value: it "
            "stands in a column of its own, ..._detection_limit, next to an empty cell",
            code="not_a_number",
        )
    return replace(
        table,
        texts=[block.texts[j] for j in labels] if texts is None else texts,
        values=block.values[:, table.axis :],
    )


def _of_workbook(source: Source) -> SIMSResult:
    """Read the profiles as they were delivered: the numbers from one sheet, the rest of another."""
    # Only here, so that other files are read without xarray.
    from sims_analysis.conventions.species_metadata import COORDS
    from sims_analysis.dataset.from_profiles import to_dataset
    from sims_analysis.dataset.to_profiles import to_profiles

    paired, tidy, about = map(_padded_rows, all_sheets(source))
    options, (attrs, coords) = source.options, _read_about(about)
    # What distinguishes measurements has a column in one sheet; the other knows every profile.
    single = str(tidy[0][0]) == "species" or _AXIS.fullmatch(str(tidy[0][0]))
    ds = to_dataset(
        [
            DepthProfile(
                species_name=signal.name,
                depths=signal.depths,
                depth_units=signal.depth_units or "",
                concentrations=signal.values,
                concentration_units=signal.units or "",
                concentrations_stderr=signal.stderr,
                extra={COLUMNS: {name: c.to_dict() for name, c in signal.ancillary.items()}},
            )
            for signal in (
                _paired(_table(paired, options, "sheet 'profiles', row"))
                if single
                else _tidy(_table(tidy, options, "sheet 'tidy', row"))
            )
        ]
    )
    ds = ds.assign_attrs(attrs)
    for coord in COORDS:
        texts = [coords.get((coord, name), "") for name in ds["species"].values.tolist()]
        if any(texts):
            ds = ds.assign_coords({coord: ("species", texts)})
    steps = {"steps": attrs["steps"]} if "steps" in attrs else {}
    return SIMSResult(
        data_id=attrs.get("data_id", ""), depth_profiles=to_profiles(ds), provenance=steps
    )


def _padded_rows(sheet: Grid) -> list[list[object]]:
    """Return the rows of a sheet, all of one length."""
    width = max(map(len, sheet.rows), default=0)
    return [[*row, *[None] * (width - len(row))] for row in sheet.rows]


def _units(name: str, units: str) -> str:
    """Note what a fraction is of: a profile has only its unit for that."""
    if name in vocabulary.RATIOS:
        text = f"it holds a {name} of two species, which sims.save keeps for sims.load"
        raise ReadError(text, code="no_profile")
    return name.replace("_", " ") if units == "1" else units


def _tidy(table: _Table) -> Iterator[Signal]:
    """Read a row for each sample."""
    headers = table.header[: table.axis]
    for column, header in enumerate(headers):
        labels = dict.fromkeys(() if header == "species" else table.texts[column])
        if len(labels) > 1:
            raise ReadError(
                f"the file contains several measurements ({header}: {', '.join(labels)})",
                remedy="write and read one at a time, or sims.save and sims.load the batch",
                code="several_measurements",
            )
    columns = table.header[table.axis :]
    if "species" not in headers:
        yield from _signals("", columns, table.values)
        return
    for name, rows in group_by_label(table.texts[headers.index("species")]):
        yield from _signals(name, columns, table.values[rows])


def _paired(table: _Table) -> Iterator[Signal]:
    """Read the columns of each profile: its depths, then what belongs to them."""
    axes = [(j, m) for j, m in enumerate(map(_AXIS.fullmatch, table.header)) if m]
    stops = [*(j for j, _ in axes[1:]), len(table.header)]
    for (start, match), stop in zip(axes, stops, strict=True):
        values = table.values[:, start:stop]
        rows = ~np.isnan(values[:, 0])
        yield from _signals(match[1] or "", table.header[start:stop], values[rows])


def _signals(name: str, headers: Sequence[str], values: Array) -> Iterator[Signal]:
    """Make the profiles of one species; a row where nothing is stated was not measured."""
    axis, *others = (_AXIS.fullmatch(headers[0]), *map(_VALUE.fullmatch, headers[1:]))
    columns = {(m[2], m[4], m[3]): values[:, j] for j, m in enumerate(others, 1) if m}
    if axis is None or not columns:
        raise ReadError(f"line 1: no values next to the column {headers[0]!r}", code="no_profile")
    edges = {m[2]: (values[:, j], m[3]) for j, m in enumerate(map(_EDGE.fullmatch, headers)) if m}
    empty_column = np.full(len(values), np.nan)
    kinds = [(variable, units) for variable, units, part in columns if part is None]
    limits = {kind: columns.get((*kind, "_detection_limit"), empty_column) for kind in kinds}
    stated = {kind: ~np.isnan(np.fmax(columns[*kind, None], limits[kind])) for kind in kinds}
    empty = ~np.any(list(stated.values()), axis=0)
    for kind in kinds:
        if not stated[kind].any() and not (empty.all() and kind == kinds[0]):
            continue
        valid = stated[kind] | empty
        stderr = columns.get((*kind, "_stderr"), empty_column)[valid]
        signal = Signal(
            name=name,
            depths=values[valid, 0],
            depth_units=axis[3],
            values=columns[*kind, None][valid],
            units=_units(*kind),
            where=f"column {headers[0]!r}",
            stderr=None if np.isnan(stderr).all() else stderr,
        )
        signal.mark_below_limit(limits[kind][valid])
        for end, rows in vocabulary.ANCILLARY.items():
            column = columns.get((kind[0], rows or kind[1], f"_{end}"), empty_column)[valid]
            if not np.isnan(column).all():
                signal.ancillary[end] = Column(column, rows or _units(*kind))
        signal.ancillary |= {end: Column(edge[valid], unit) for end, (edge, unit) in edges.items()}
        yield signal


def _read_about(
    cells: Sequence[Sequence[object]],
) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Read attrs, and what was known of each species; long texts go on in the next row."""
    texts: dict[tuple[str, str], str] = {}
    for row in cells[1:]:
        key, of, value = ("" if cell is None else str(cell) for cell in (*row, None, None)[:3])
        texts[key, of] = texts.get((key, of), "") + value
    return {key: text for (key, of), text in texts.items() if not of}, texts


def recognises_payload(source: Source) -> bool:
    """Whether it is JSON: an array or an object."""
    start = source.start.lstrip()
    return start.startswith("[{") or (start[:1] in ("[", "{") and '"' in start[:40])


def read_payload(source: Source) -> Content:
    """Read the payload; an error names the JSON path of what breaks the contract."""
    try:
        limit = source.options.max_bytes
        return Content(ready=SIMSResult.from_json(source.text, max_bytes=limit))
    except PayloadError as error:
        text = f"JSON, but not an answer of the API: {error}"
        raise ReadError(text, code="invalid_payload") from None
