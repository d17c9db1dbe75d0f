"""One measurement as a page: answers, an interactive plot, and the origin of the data."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sims_analysis.output.pages.interactive import plot_html, scripts
from sims_analysis.output.pages.templates import markup, render
from sims_analysis.output.report.layout import MEANINGS, format_value
from sims_analysis.text import typeset as _typeset
from sims_analysis.units import read_quantity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sims_analysis.output.report.answers import Report, SpeciesReport

#: What the files of a report are, by the ends of their names.
_KINDS = {
    "-results.csv": "results (CSV)",
    "-profiles.csv": "profiles (CSV)",
    ".nc": "data (netCDF)",
    ".png": "figure (PNG)",
    ".svg": "figure (SVG)",
}
_in_unicode = partial(format_value, style="unicode")


def report_page(report: Report, *, home: str = "", files: Sequence[Path] = ()) -> str:
    """Lay out a report as a page that links the list at `home`, and `files` beside it."""
    signals, concentrations = report.other_signals, report.concentrations
    value, unit = read_quantity(report.level, ("concentration",), "level")
    reasons = list(dict.fromkeys(row.reason for row in signals))
    context: dict[str, Any] = {
        "level": f"{_in_unicode(value)} {_typeset.unit_label(unit.canonical)}",
        "plot": plot_html(report.data, level=report.level, surface=report.ends),
        "measured": list(map(_answers, concentrations)),
        "budget": list(map(_budget, concentrations)),
        "junctions": [
            [
                _in_unicode(j.depth, j.stderr),
                j.polarity.replace("->", "→"),
                j.status.replace("_", " "),
            ]
            for j in report.junctions
        ],
        "others": [[*_peak(row), *([row.reason] if len(reasons) > 1 else [])] for row in signals],
        "at": "at time (s)" if signals and signals[0].axis != "depth" else "at depth (nm)",
        "reasons": reasons,
        "notes": [*report.explanations(), *report.notes],
        "files": file_links(files),
        "origin": list(_origin(report)),
    }
    return render(
        "report", title=report.heading, scripts=scripts(), report=report, home=home, **context
    )


def file_links(files: Iterable[Path]) -> list[dict[str, str]]:
    """Return address and kind of what a report has written."""
    return [
        {"link": quote(path.name), "kind": kind}
        for path in files
        for end, kind in _KINDS.items()
        if path.name.endswith(end)
    ]


def _answers(row: SpeciesReport) -> list[Any]:
    return [
        markup(_typeset.html(row.species)),
        _in_unicode(row.peak),
        "–" if row.peak_at is None else f"{row.peak_at:.1f}",
        _in_unicode(row.dose, row.dose_stderr),
        _in_unicode(row.junction_depth, row.junction_stderr),
        _in_words(row.junction_status),
    ]


def _budget(row: SpeciesReport) -> list[Any]:
    """List the parts of a dose, its errors, and how far it depends on the rule."""
    parts = (row.dose_stderr, row.dose_systematic_stderr or None, row.surface_dose)
    random, systematic, surface = ("not stated" if p is None else _in_unicode(p) for p in parts)
    return [
        markup(_typeset.html(row.species)),
        _in_unicode(row.dose),
        random,
        systematic,
        _in_unicode(row.background_dose) if row.background_dose else "none",
        surface,
        _percent(row.rule_difference, 2),
        _percent(row.coverage, 4),
        _in_words(row.dose_status),
    ]


def _peak(row: SpeciesReport) -> list[Any]:
    unit = _typeset.unit_label(row.units)
    return [
        markup(_typeset.html(row.species)),
        f"{_in_unicode(row.peak)} {unit}".strip(),
        _in_unicode(row.peak_at),
    ]


def _in_words(status: str) -> str:
    """Write a status and its meaning."""
    return ": ".join(filter(None, [status.replace("_", " "), MEANINGS.get(status)]))


def _percent(fraction: float | None, digits: int) -> str:
    if fraction is None:
        return "–"
    text = f"{100 * fraction:.{digits}g}"
    return f"{float(text):g} %".replace("-", "−")


def _origin(report: Report) -> Iterable[list[str]]:
    """Say where the data came from, what was done to them, and which questions were answered."""
    from sims_analysis.dataset.provenance import provenance

    record = {key: value for key, value in provenance(report.data).items() if key != "steps"}
    for key, value in {**record, "asked": report.calls}.items():
        for text in value if isinstance(value, list) else [value]:
            yield [key.replace("_", " "), str(text)]
