"""What this library writes, read back: every number, unit and species."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ReadError
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.readers.numbers import table
from sims_analysis.readers.signals import Array, Content, Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.workbook import all_sheets, is_workbook

__all__ = ["read", "recognises"]

_AXIS = re.compile(rf"(?:(.*) )?({'|'.join(vocabulary.AXES)}) \(([^()]+)\)", re.DOTALL)
_VALUE = re.compile(
    rf"(?:(.*) )?({'|'.join(vocabulary.QUANTITIES)})(_stderr|_detection_limit)? \(([^()]+)\)",
    re.DOTALL,
)
#: The first line of `to_tcad`, after any mark of a comment.
_TCAD = re.compile(r"(?:\S{1,2} )?(?:(.*): )?depth \((\S+)\), concentration \((\S+)\)")
_SHEETS = ("profiles", "tidy", "about")


def recognises(source: Source) -> bool:
    """Whether heads or sheets are those that are written here."""
    if is_workbook(source):
        return tuple(sheet.name for sheet in all_sheets(source)) == _SHEETS
    if not any(f"{axis} (" in source.start for axis in vocabulary.AXES):
        return False
    if _TCAD.fullmatch(source.start.partition("\n")[0]):
        return True
    first = next(_rows(source), [])
    axes = [cell for cell in first if _AXIS.fullmatch(cell)]
    values = [cell for cell in first if _VALUE.fullmatch(cell)]
    return bool(values) and (len(axes) == 1 or 0 < len(axes) == len(first) - len(values))


def _rows(source: Source) -> Iterator[list[str]]:
    """Give the rows of CSV; the ends of lines within names are a part of them."""
    return filter(None, csv.reader(io.StringIO(source.decoded, newline="")))


def read(source: Source) -> Content:
    """Read the profiles of one measurement.

    Raises
    ------
    ReadError
        If the file holds several, or a cell is no number.
    """
    if is_workbook(source):
        return Content(ready=_of_workbook(source))
    tcad = _TCAD.fullmatch(source.lines[0])
    if tcad and "," not in "".join(source.lines[1:3]):
        return Content(signals=[_two_columns(source, tcad)])
    rows = list(_rows(source))
    if not source.decoded.endswith(("\n", "\r")):
        source.options.truncated("the file breaks off: its last line has no end, and is left out")
        rows.pop()
    axes = [cell for cell in rows[0] if _AXIS.fullmatch(cell)]
    paired = len(axes) > 1 or ("species" not in rows[0] and _is_named(axes[0]))
    return Content(signals=list(_paired(rows) if paired else _tidy(rows)))


def _of_workbook(source: Source) -> SIMSResult:
    """Read the profiles as they were delivered: the numbers from one sheet, the rest of another."""
    # Only here, so that other files are read without xarray.
    from sims_analysis.dataset.from_profiles import to_dataset
    from sims_analysis.dataset.to_profiles import COORDS, to_profiles

    paired, tidy, about = (
        [["" if cell is None else cell for cell in row] for row in sheet.cells]
        for sheet in all_sheets(source)
    )
    attrs, coords = _about(about)
    # What tells measurements apart has a column in one sheet; the other knows every profile.
    alone = str(tidy[0][0]) == "species" or _AXIS.fullmatch(str(tidy[0][0]))
    ds = to_dataset(
        [
            DepthProfile(
                species_name=signal.name,
                depths=signal.depths,
                depth_units=signal.depth_units or "",
                concentrations=signal.values,
                concentration_units=signal.units or "",
                concentrations_stderr=signal.stderr,
            )
            for signal in (_paired(paired) if alone else _tidy(tidy))
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


def _two_columns(source: Source, head: re.Match[str]) -> Signal:
    """Read what `to_tcad` writes."""
    lines = [line for line in source.lines[1:] if line.strip()]
    values, _ = table(lines, None, width=2, line_numbers=range(2, len(lines) + 2))
    return Signal(
        name=head[1] or "",
        depths=values[:, 0],
        depth_units=head[2],
        values=values[:, 1],
        units=head[3],
        where="column 2",
    )


def _is_named(head: str) -> bool:
    match = _AXIS.fullmatch(head)
    return bool(match and match[1])


def _units(name: str, units: str) -> str:
    """Say of what a ratio is one: a profile has only its unit for that."""
    return name.replace("_", " ") if units == "1" else units


def _tidy(rows: Sequence[Sequence[object]]) -> Iterator[Signal]:
    """Read a row for each sample."""
    head = [str(cell) for cell in rows[0]]
    axis = next(j for j, cell in enumerate(head) if _AXIS.fullmatch(cell))
    name_column = head.index("species") if "species" in head[:axis] else None
    for place in range(axis):
        if place != name_column and len({str(row[place]) for row in rows[1:]}) > 1:
            found = dict.fromkeys(str(row[place]) for row in rows[1:])
            raise ReadError(
                f"the file holds several measurements ({head[place]}: {', '.join(found)}); write "
                "and read one at a time, or sims.save and sims.load the batch"
            )
    by_species: dict[str, list[int]] = {}
    for i, row in enumerate(rows[1:], 1):
        name = "" if name_column is None else str(row[name_column])
        by_species.setdefault(name, []).append(i)
    for name, members in by_species.items():
        yield from _signals(name, rows, members, range(axis, len(head)))


def _paired(rows: Sequence[Sequence[object]]) -> Iterator[Signal]:
    """Read the columns of each profile: its depths, then what belongs to them."""
    head = [str(cell) for cell in rows[0]]
    axes = [j for j, cell in enumerate(head) if _AXIS.fullmatch(cell)]
    for start, stop in zip(axes, [*axes[1:], len(head)], strict=True):
        length = sum(1 for row in rows[1:] if start < len(row) and row[start] != "")
        name = _AXIS.fullmatch(head[start])
        yield from _signals(
            (name and name[1]) or "", rows, range(1, length + 1), range(start, stop)
        )


def _signals(
    name: str, rows: Sequence[Sequence[object]], members: Sequence[int], columns: range
) -> Iterator[Signal]:
    """Make the profiles of one species of some rows, and of columns of which the first is its axis.

    A row where nothing is stated is a sample that was not measured.
    """
    axis, *values = columns
    axis_match = _AXIS.fullmatch(str(rows[0][axis]))
    found = {}
    for j in values:
        match = _VALUE.fullmatch(str(rows[0][j]))
        if match is not None:
            found[match[2], match[4], match[3]] = _column(rows, members, j)
    if axis_match is None or not found:
        raise ReadError(f"line 1: no values beside the column {rows[0][axis]!r}")
    nothing = np.full(len(members), np.nan)
    depths = _column(rows, members, axis)
    kinds = [(variable, units) for variable, units, what in found if what is None]
    limits = {kind: found.get((*kind, "_detection_limit"), nothing) for kind in kinds}
    stated = {kind: ~np.isnan(np.fmax(found[*kind, None], limits[kind])) for kind in kinds}
    empty = ~np.any(list(stated.values()), axis=0)
    for kind in kinds:
        if not stated[kind].any() and not (empty.all() and kind == kinds[0]):
            continue
        there = stated[kind] | empty
        stderr = found.get((*kind, "_stderr"), nothing)[there]
        signal = Signal(
            name=name,
            depths=depths[there],
            depth_units=axis_match[3],
            values=found[*kind, None][there],
            units=_units(*kind),
            where=f"column {rows[0][axis]!r}",
            stderr=None if np.isnan(stderr).all() else stderr,
        )
        signal.censor(limits[kind][there])
        yield signal


def _column(rows: Sequence[Sequence[object]], members: Sequence[int], column: int) -> Array:
    return np.array([_number(rows, i, column) for i in members], dtype=np.float64)


def _number(rows: Sequence[Sequence[object]], row: int, column: int) -> float:
    cells = rows[row]
    if column >= len(cells):
        raise ReadError(f"line {row + 1} ends before column {column + 1}")
    cell = cells[column]
    if cell == "":
        return float("nan")
    try:
        return float(cell)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise ReadError(f"line {row + 1}, column {column + 1}: {cell!r} is no number") from None


def _about(
    cells: Sequence[Sequence[object]],
) -> tuple[dict[str, str], dict[tuple[str, str], str]]:
    """Read attrs, and what was known of each species; long texts go on in the next row."""
    texts: dict[tuple[str, str], str] = {}
    for row in cells[1:]:
        what, of, value = ("" if cell is None else str(cell) for cell in (*row, None, None)[:3])
        texts[what, of] = texts.get((what, of), "") + value
    return {what: text for (what, of), text in texts.items() if not of}, texts
