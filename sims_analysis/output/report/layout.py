"""A report as text for people, and as CSV for spreadsheets."""

from __future__ import annotations

import math
import textwrap
from dataclasses import asdict
from typing import TYPE_CHECKING

import pandas as pd

from sims_analysis.outcomes import Status
from sims_analysis.text.cells import escape_cell
from sims_analysis.text.rounding import rounded

if TYPE_CHECKING:
    from sims_analysis.output.report.answers import Report, SpeciesReport

#: Status of an answer other than ok -> what it means.
MEANINGS = {one.word: one.meaning for one in Status if one not in (Status.OK, Status.PADDING)}


def to_text(report: Report) -> str:
    """Lay the report out as text of at most 100 columns."""
    title, concentrations, signals = report.heading, report.concentrations, report.other_signals
    lines = [title, "=" * min(len(title), 100)]
    if concentrations:
        surface = any(row.surface_dose is not None for row in concentrations)
        lines += ["", f"Junction where the concentration falls through {report.level}", ""]
        head = ["species", "peak", "at depth", "dose"]
        units = ["", "atom/cm^3", "nm", "atom/cm^2"]
        if surface:
            head, units = [*head, "thereof surface"], [*units, "atom/cm^2"]
        head, units = [*head, "junction", "status"], [*units, "nm", ""]
        lines += _aligned([head, units], [_answers(row, surface=surface) for row in concentrations])
    if report.junctions:
        lines += ["", *_junction_lines(report)]
    if signals:
        lines += ["", *_other_signals(signals)]
    lines += ["", *_footnotes(report, concentrations)]
    return "\n".join(lines).rstrip()


def _other_signals(rows: list[SpeciesReport]) -> list[str]:
    """List the peaks of signals other than concentrations, with a common reason stated once."""
    timed = rows[0].axis != "depth"
    reasons = list(dict.fromkeys(row.reason for row in rows))
    reason = "no concentrations" if len(reasons) > 1 else reasons[0]
    if timed and "sputter time" not in reason:
        reason += ", nor sputter time to depth"
    several = len(reasons) > 1
    head = ["species", "peak", "at time" if timed else "at depth", *["why"] * several]
    cells = [[row.species, _with_unit(row), f"{format_value(row.peak_at)} {row.axis_units}",
              *[row.reason] * several] for row in rows]  # fmt: skip
    return [f"No dose and no junction: {reason}", "", *_aligned([head], cells)]


def _footnotes(report: Report, rows: list[SpeciesReport]) -> list[str]:
    lines = report.explanations()
    statuses = dict.fromkeys(s for row in rows for s in (row.junction_status, row.dose_status))
    lines += [
        f"{status.replace('_', ' ').capitalize()}: {MEANINGS[status]}."
        for status in statuses
        if status in MEANINGS
    ]
    for note in report.notes:
        lines += textwrap.wrap(f"Note: {note}", 96, subsequent_indent="      ")
    return lines


def _answers(row: SpeciesReport, *, surface: bool) -> list[str]:
    return [
        row.species,
        format_value(row.peak),
        "-" if row.peak_at is None else f"{row.peak_at:.1f}",
        format_value(row.dose, row.dose_stderr),
        *([format_value(row.surface_dose)] if surface else []),
        format_value(row.junction_depth, row.junction_stderr),
        row.junction_status.replace("_", " ")
        + ("" if row.dose_status == "ok" else f", dose {row.dose_status.replace('_', ' ')}"),
    ]


def _junction_lines(report: Report) -> list[str]:
    against = f"{' + '.join(report.donors) or 'no'} donors, {' + '.join(report.acceptors) or 'no'} "
    lines = [f"Metallurgical junctions ({against}acceptors)"]
    for junction in report.junctions:
        if junction.status == "ok":
            depth = format_value(junction.depth, junction.stderr)
            lines.append(f"  {depth} nm  {junction.polarity}")
        else:
            lines.append(f"  none: {junction.status.replace('_', ' ')}")
    return lines


def _with_unit(row: SpeciesReport) -> str:
    if row.units == "1" and row.peak is not None:
        unit = "at%" if row.variable == "atomic_fraction" else "wt%"
        return f"{format_value(100 * row.peak)} {unit}"
    return f"{format_value(row.peak)} {row.units}"


def format_value(value: float | None, stderr: float | None = None, style: str = "plain") -> str:
    """Write a number in a style, by default in plain characters; a dash for none."""
    if value is None:
        return "-" if style == "plain" else "–"
    return rounded(value, math.nan if stderr is None else stderr).text(style=style)


#: Columns of a page of text, and the fewest of a last column.
_WIDEST, _NARROWEST = 100, 14
#: Columns of words, which are aligned left; numbers are aligned right.
_LEFT_ALIGNED = ("species", "status", "why")


def _aligned(heads: list[list[str]], rows: list[list[str]]) -> list[str]:
    """Align columns; the last one is broken where the lines would be wider than the page."""
    *widths, _ = [max(map(len, column)) for column in zip(*heads, *rows, strict=True)]
    indent = sum(widths) + 2 * len(widths)
    parts = [
        textwrap.wrap(row[-1], max(_WIDEST - indent, _NARROWEST)) or [""] for row in [*heads, *rows]
    ]
    last = max(len(part) for row in parts for part in row)
    *signs, sign = ["<" if title in _LEFT_ALIGNED else ">" for title in heads[0]]
    lines = []
    for row, wrapped in zip([*heads, *rows], parts, strict=True):
        cells = zip(row[:-1], signs, widths, strict=True)
        start = "".join(f"{cell:{align}{width}}  " for cell, align, width in cells)
        for part in wrapped:
            lines.append(f"{start:{indent}}{part:{sign}{last}}".rstrip())
            start = ""
    return [*lines[: len(heads)], "-" * (indent + last), *lines[len(heads) :]]


def results_csv(report: Report) -> str:
    """Return the table for a spreadsheet, one row per species; an empty cell is no answer."""
    columns = {
        "species": "species", "variable": "variable", "samples": "samples", "peak": "peak",
        "units": "peak_units", "peak_at": "peak_at", "axis_units": "peak_at_units",
        "dose": "dose_atoms_per_cm2", "dose_stderr": "dose_stderr_atoms_per_cm2",
        "dose_status": "dose_status", "surface_dose": "surface_dose_atoms_per_cm2",
        "junction_depth": "junction_depth_nm", "junction_stderr": "junction_stderr_nm",
        "junction_status": "junction_status", "reason": "why_no_answer",
    }  # fmt: skip
    rows = pd.DataFrame([asdict(row) for row in report.species], columns=[*columns])
    rows = rows.rename(columns=columns)
    rows.insert(0, "data_id", report.summary.data_id)
    rows["junction_level"], rows["source"] = report.level, report.data.attrs.get("source", "")
    rows = rows.map(lambda cell: escape_cell(cell) if isinstance(cell, str) else cell)
    return rows.to_csv(index=False, float_format="%.10g", lineterminator="\n")
