"""One measurement as a page: answers, an interactive plot, and the origin of the data."""

from __future__ import annotations

import html
import math
from typing import TYPE_CHECKING

from sims_analysis.output.pages.interactive import document, library, plot_html, script
from sims_analysis.output.report.layout import DOSE_WORDS, WORDS
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.rounding import rounded
from sims_analysis.units import read_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sims_analysis.output.report.answers import Report
    from sims_analysis.output.report.rows import SpeciesReport

__all__ = ["back_link", "isolated", "report_page", "table"]


def report_page(report: Report, *, home: str = "") -> str:
    """Lay out a report as one page of HTML with an interactive plot.

    Parameters
    ----------
    report : Report
        From :func:`sims_analysis.output.report.analyse`.
    home : str
        Address of the list of entries, if there is one.

    Returns
    -------
    str
        A page that needs no connection and no other file.

    Raises
    ------
    ModuleNotFoundError
        If Bokeh, the extra ``pages``, is missing.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> from sims_analysis.output.report import analyse
    >>> page = report_page(analyse(sims.open_example("boron-implant")))
    >>> "<td>never reached: every sample lies below the level</td>" in page
    True
    """
    title, measured, others = report.heading, report.measured, report.others
    back = back_link(home) if home else ""
    heading = isolated(report.headings or ["Depth profiles"], ": ")
    body = [back, f"<h1>{heading}</h1>", plot_html(report.data)]
    if measured:
        body += ["<h2>Peak, dose and junction</h2>", _measured(report, measured)]
        body += ["<h2>What the doses rest on</h2>", _budget(report, measured)]
    if report.junctions:
        body += ["<h2>Metallurgical junctions</h2>", _junctions(report)]
    if others:
        body += ["<h2>Other signals</h2>", _others(others)]
    body += [_notes(report), "<h2>Origin</h2>", _origin(report)]
    return document(title, "\n".join(body), scripts=[library(), script()])


def isolated(texts: Iterable[str], between: str = "") -> str:
    """Write texts one after the other, so that one from right to left does not reorder others."""
    return between.join(f"<bdi>{html.escape(text)}</bdi>" for text in texts)


def back_link(home: str) -> str:
    """Return a link to the list of all entries."""
    return f'<p><a href="{html.escape(home, quote=True)}">All entries</a></p>'


def table(
    label: str, heads: list[str], rows: list[list[str]], *, words: Iterable[int] = (0,)
) -> str:
    """Write a table of cells in HTML; columns of words are aligned left."""
    left = set(words)

    def cells(tag: str, row: list[str]) -> str:
        scope = ' scope="col"' if tag == "th" else ""
        kinds = ["" if i in left else ' class="number"' for i in range(len(row))]
        return "".join(
            f"<{tag}{scope}{kind}>{cell}</{tag}>" for kind, cell in zip(kinds, row, strict=True)
        )

    body = "\n".join(f"<tr>{cells('td', row)}</tr>" for row in rows)
    head = f"<thead><tr>{cells('th', heads)}</tr></thead>" if heads else ""
    # A table wider than the window can be scrolled with arrow keys, too.
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{html.escape(label)}">'
        f"<table>{head}<tbody>{body}</tbody></table></div>"
    )


def _measured(report: Report, rows: list[SpeciesReport]) -> str:
    value, unit = read_quantity(report.level, ("concentration",), "level")
    level = html.escape(f"{_written(value)} {_typeset.unit_label(unit.canonical)}")
    heads = ["species", "peak (atoms/cm³)", "at (nm)", "dose (atoms/cm²)",
             f"junction at {level} (nm)", "status"]  # fmt: skip
    cells = [
        [
            _typeset.html(row.species),
            _written(row.peak),
            "–" if row.peak_at is None else f"{row.peak_at:.1f}",
            _written(row.dose, row.dose_stderr),
            _written(row.junction_depth, row.junction_stderr),
            _in_words(row.junction_status, WORDS),
        ]
        for row in rows
    ]
    return table("Peak, dose and junction", heads, cells, words=(0, 5))


def _in_words(status: str, words: Mapping[str, str]) -> str:
    """Write a status and its meaning."""
    means = f": {words[status]}" if status in words else ""
    return html.escape(status.replace("_", " ") + means)


def _budget(report: Report, rows: list[SpeciesReport]) -> str:
    """Tabulate the parts of each dose, its errors, and how far it depends on the rule."""
    heads = ["species", "dose (atoms/cm²)", "random error", "systematic error", "background",
             "surface", "rules differ by", "coverage", "status"]  # fmt: skip
    cells = [
        [
            _typeset.html(row.species),
            _written(row.dose),
            _interleave_dashes(row.dose_stderr),
            _interleave_dashes(row.dose_systematic_stderr or None),
            _interleave_dashes(row.background_dose or None, "none"),
            _interleave_dashes(row.surface_dose),
            _percent(row.rule_difference, 2),
            _percent(row.coverage, 4),
            _in_words(row.dose_status, DOSE_WORDS),
        ]
        for row in rows
    ]
    between = f"{report.start or 'the first sample'} and {report.stop or 'the last sample'}"
    note = (
        f"Doses between {between}; parts and errors in atoms/cm², errors as one standard error: "
        "random from counting, systematic from sensitivity factor and depth scale. Background: "
        "subtracted. Surface: the part above the end of the transient. Rules: trapezoid and "
        "log-linear; where they differ by much, a few samples carry the dose. Coverage: the part "
        "of the interval that was measured."
    )
    words = f'<p class="note">{html.escape(note)}</p>'
    return table("What the doses rest on", heads, cells, words=(0, 8)) + words


def _interleave_dashes(value: float | None, nothing: str = "not stated") -> str:
    return nothing if value is None else _written(value)


def _percent(fraction: float | None, digits: int) -> str:
    if fraction is None:
        return "–"
    text = f"{100 * fraction:.{digits}g}"
    return f"{float(text):g} %".replace("-", "−")


def _junctions(report: Report) -> str:
    rows = [
        [
            _written(junction.depth, junction.stderr),
            html.escape(junction.polarity.replace("->", "→")),
            html.escape(junction.status.replace("_", " ")),
        ]
        for junction in report.junctions
    ]
    heads = ["depth (nm)", "polarity", "status"]
    return table("Metallurgical junctions", heads, rows, words=(1, 2))


def _others(rows: list[SpeciesReport]) -> str:
    """Tabulate the other signals; what all have in common is said once."""
    timed = rows[0].axis != "depth"
    reasons = list(dict.fromkeys(row.reason for row in rows))
    heads = ["signal", "peak", "at time (s)" if timed else "at depth (nm)"]
    cells = [
        [
            _typeset.html(row.species),
            f"{_written(row.peak)} {html.escape(_typeset.unit_label(row.units))}".strip(),
            _written(row.peak_at),
        ]
        for row in rows
    ]
    if len(reasons) == 1:
        why = f'<p class="note">No dose: {html.escape(reasons[0])}.</p>'
        return why + table("Other signals", heads, cells)
    cells = [[*cell, html.escape(row.reason)] for cell, row in zip(cells, rows, strict=True)]
    return table("Other signals", [*heads, "why no dose"], cells, words=(0, 3))


def _notes(report: Report) -> str:
    notes = [*report.explanations(), *report.notes]
    return "".join(f'<p class="note">{html.escape(note)}</p>' for note in notes)


def _origin(report: Report) -> str:
    """Tabulate where the data came from, what was done to them, and what was asked."""
    from sims_analysis.dataset.provenance import provenance

    record = {key: value for key, value in provenance(report.data).items() if key != "steps"}
    record["asked"] = report.calls
    rows = []
    for key, value in record.items():
        texts = value if isinstance(value, list) else [value]
        rows += [[html.escape(key.replace("_", " ")), html.escape(str(text))] for text in texts]
    return f'<div class="origin">{table("Origin", [], rows, words=(0, 1))}</div>'


def _written(value: float | None, stderr: float | None = None) -> str:
    if value is None or not math.isfinite(value):
        return "–"
    return html.escape(rounded(value, math.nan if stderr is None else stderr).text())
