"""IONTOF SurfaceLab 6 and 7: a text of one time column, and a column for each signal.

"Intensity" is in counts a data point, corrected for dead time, if few counts are whole numbers but
for that; otherwise the user states the unit. Dose and fluence are those of the primary ions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, warn
from sims_analysis.kernels.rows import Array
from sims_analysis.profiles.metadata import Metadata
from sims_analysis.readers.signals import Column, Content, Signal
from sims_analysis.readers.source import Source, once_per_source
from sims_analysis.readers.tables.grid import TextGrid
from sims_analysis.readers.tables.header_cells import pattern, read_header

_AXIS = re.compile(r"Sputter Time\s*\(|^#?\s*Depth\s*\(.*Intensity", re.IGNORECASE)
_BEAM = re.compile(r"(Dose|Fluence)\s*\((.*)\)", re.IGNORECASE)
_SIGNAL = re.compile(r"\s*Intensity\s*(?:[(\[].*)?", re.IGNORECASE)
#: Comments on what was done to neighbouring samples; sums of counts are counts.
_AVERAGED = re.compile(r"compression|smooth|averag|binning", re.IGNORECASE)
_NONE = re.compile(r"\b(?:disabled|none|off|sum|no)\b", re.IGNORECASE)


@dataclass(frozen=True)
class _Counts:
    """The numbers by which counts are distinguished from other values."""

    few: float = 10.0  # below this, counts are looked at:
    enough: int = 10  # so many of them show what they are,
    most: float = 0.95  # if more than this part is whole,
    rounding: float = 1e-6  # less at most this,
    dead: float = 0.01  # and more by less than this part, which the dead time adds


_COUNTS = _Counts()
_HEADER_LINES = 12


@once_per_source
def _header_line(source: Source) -> int | None:
    """Find the line of the headers."""
    if not source.start.lstrip().startswith("#"):
        return None
    above = 0
    for i, line in enumerate(source.lines[:_HEADER_LINES]):
        above += bool(line.strip())
        # Below names and masses.
        if above > 2 and line.startswith("#") and "\t" in line and _AXIS.search(line):
            # The names of signals stand above: their headers are one word.
            last = line.strip().split("\t")[-1]
            return i if _SIGNAL.fullmatch(last) else None
    return None


def recognises(source: Source) -> bool:
    """Whether a commented header among the first lines has the sputter time, or a depth."""
    return _header_line(source) is not None


def read(source: Source) -> Content:
    """Read all signals."""
    header, lines = _header_line(source), source.lines
    above = [line for line in lines[:header] if line]
    if header is None or len(above) < 2:
        raise ReadError("no line with names above the line of headers with 'Sputter Time (s)'")
    headers = _cells(lines[header], 0)
    time, first = _time_and_first(headers)
    names, masses = _names_and_masses(above, len(headers) - first)
    grid = TextGrid(lines, source.options, delimiter="\t")
    values = grid.read(_rows_of_numbers(source, header, len(headers)), len(headers)).values
    comments = [line.lstrip("# ").strip() for line in above[:-2]]
    averaging = [text for text in comments if _AVERAGED.search(text) and not _NONE.search(text)]
    common = {"averaging": "; ".join(averaging)} if averaging else {}
    axis = read_header(headers[time]).unit
    counts = set() if averaging else _counted(names, headers, values, first)
    signals = []
    for j, (name, mass) in enumerate(zip(names, masses, strict=True), first):
        word = "counts" if j in counts else headers[j].partition("(")[0].strip()
        signals.append(
            Signal(
                name=name,
                depths=values[:, time],
                depth_units=axis,
                values=values[:, j],
                units=read_header(headers[j]).unit or word,
                where=f"column {j + 1}",
                metadata=_metadata(headers[j], mass) | common,
            )
        )
    # The columns of the beam are the same for all: kept once.
    signals[0].ancillary |= {
        f"primary_{match[1].lower()}": Column(values[:, j], match[2])
        for j, match in enumerate(map(_BEAM.match, headers))
        if match
    }
    return Content(
        signals=signals,
        metadata=Metadata(
            instrument="IONTOF",
            other={"processing": "; ".join(comments)}
            | ({"intensity": "counts a data point, corrected for dead time"} if counts else {})
            | _of_last_row(values[:, first:], values[:, time], axis),
        ),
    )


def _time_and_first(headers: list[str]) -> tuple[int, int]:
    """Return the column of times, and that of the first signal, behind those of the beam."""
    # What was done to a signal may hold the word as well: dead time.
    times = (j for j, cell in enumerate(headers) if cell.casefold().startswith("sputter time"))
    time = next(times, 0)
    first = time + 1
    while _BEAM.match(headers[first]):
        first += 1
    return time, first


def _names_and_masses(above: list[str], count: int) -> list[list[str]]:
    """Return the names and the masses of signals from the two lines above their headers."""
    rows = [_cells(line, count) for line in above[-2:]]
    # They stand last in their lines, behind empty cells.
    row = next((c for c in rows if len(c) < count or any(c[1 : len(c) - count])), None)
    if row is not None:
        stated = len([*filter(None, row)])
        raise ReadError(f"{count} columns of signals, but {stated} names or masses above them")
    return [cells[len(cells) - count :] for cells in rows]


def _rows_of_numbers(source: Source, header: int, width: int) -> list[int]:
    """List the lines of numbers below the headers, from 0."""
    lines = source.lines
    rows = [
        i
        for i, line in enumerate(lines[header + 1 :], header + 1)
        if line.strip() and not line.startswith("#")
    ]
    if not rows:
        raise ReadError("an IONTOF file with a header but without data", code="truncated_file")
    short = next((i for i in rows if lines[i].rstrip("\t ").count("\t") < width - 1), None)
    if short is not None:
        message = f"line {short + 1} has fewer cells than the {width} headers"
        if short != rows[-1]:
            raise ReadError(message)
        source.options.truncated(f"the file is truncated: {message}")
    if lines[-1].strip():
        # The program ends every line; numbers are as long as they need to be, and show nothing.
        warn(
            f"line {len(lines)} has no end, and its last cell, {lines[-1].split()[-1]!r}, "
            "may be cut: the file may be truncated there",
            ProfileWarning,
            code="truncated_file",
        )
    return rows


def _of_last_row(values: Array, axis: Array, unit: str | None) -> dict[str, str]:
    """Note a last row of zeros: the program writes one for a cycle that was not finished."""
    last = values[-1]
    if len(values) < 2 or (np.isfinite(last) & (last != 0)).any() or not (values[-2] > 0).any():
        return {}
    return {"last row": f"zero in every signal, at {axis[-1]:g} {unit or ''}".strip()}


def _counted(names: list[str], headers: list[str], values: Array, first: int) -> set[int]:
    """Return the columns of counts: there, few are whole numbers, but for the dead time."""
    # Of two signals, one over the other is no count.
    columns = [j for j, n in enumerate(names, first) if not ("/" in n or _metadata(headers[j], ""))]
    few = values[:, columns]
    few = few[(few > 0) & (few < _COUNTS.few)]
    whole = few - np.rint(few)
    counted = (whole >= -_COUNTS.rounding) & (whole <= _COUNTS.dead * few)
    return {*columns} if few.size >= _COUNTS.enough and counted.mean() > _COUNTS.most else set()


def _metadata(header: str, mass: str) -> dict[str, str]:
    """Collect the metadata of one signal: its mass, and in brackets what was done to it."""
    entries = {"mass": f"{mass.replace(',', '.')} u"} if re.match(r"\d", mass) else {}
    match = re.search(r"[(\[]([^()\[\]]+)[)\]]", header)
    if match and pattern("processing").fullmatch(match[1]):
        entries["processing"] = match[1]
    return entries


def _cells(line: str, least: int) -> list[str]:
    """Split a line; what is empty at its end is left out, but for the least number of cells."""
    cells = [cell.strip() for cell in line.lstrip("#").split("\t")]
    while len(cells) > least and not cells[-1]:
        cells.pop()
    return cells
