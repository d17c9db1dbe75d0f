"""Names of the curves: what they say, and which of them are to be beside their curves."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Any

import numpy as np

from sims_analysis.figures.canvas import Canvas, handle_of
from sims_analysis.figures.curves import Curve, colour_meaning, dash_names_measurement
from sims_analysis.figures.style import setting
from sims_analysis.text import typeset as _typeset

#: Longest name in a figure, in characters.
_LONGEST = 36
#: Up to so many measurements of a waterfall are named beside their curves.
_FEW_LINES = 8


def choose_names(canvas: Canvas) -> None:
    """Choose the names of the curves, and whether they are written beside these or in a legend."""
    labels = canvas.wanted.labels
    if labels == "none":
        return
    entries, direct = _entries(canvas)
    if labels == "direct" or (labels == "auto" and direct):
        there = [text for text, _ in canvas.beside]
        canvas.beside += [entry for entry in entries.items() if entry[0] not in there]
    else:
        canvas.names |= entries


def label_lines(canvas: Canvas) -> None:
    """Label every line, so that a later call and a legend made by the user find its name."""
    several = len({curve.measurement for curve, _ in canvas.lines}) > 1
    for curve, line in canvas.lines:
        species = printed(curve.species)
        if not curve.species:
            species = "" if curve.source else curve.long_name
        again = is_another(canvas, curve, line)
        measured = _typeset.plain(curve.measurement) if several or again or not species else ""
        text = ", ".join(filter(None, [species, measured]))
        text = f"{text} (2)" if again and text in canvas.earlier else text
        # matplotlib ignores names that begin with an underscore.
        line.set_label(text if not text.startswith("_") else "\u200b" + text)
        if line.axes is not canvas.ax:
            # A legend of the left axes lists only the lines of the left axes.
            proxy = handle_of(label=line.get_label())
            proxy.update_from(line)
            canvas.ax.add_line(proxy)


def printed(species: str) -> str:
    """Typeset the name of a species as the settings want it."""
    return _typeset.mathtext(species, usetex=bool(setting("text.usetex")))


def is_another(canvas: Canvas, curve: Curve, line: Any) -> bool:
    """Whether an earlier call has drawn other samples under the name of a curve."""
    name = printed(curve.species)
    if name not in canvas.earlier:
        return False
    pairs = zip(canvas.earlier[name].get_data(), line.get_data(), strict=True)
    return not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _entries(canvas: Canvas) -> tuple[dict[str, Any], bool]:
    """Return the names with a line for each, and whether they could be beside the curves."""
    lines, curves = canvas.lines, [curve for curve, _ in canvas.lines]
    measured = list(dict.fromkeys(curve.measurement for curve in curves))
    known = dict(zip(measured, briefs(measured), strict=True))
    grey, (kind, left) = canvas.grey, next(iter(canvas.axes))
    by_measurement = colour_meaning(canvas.wanted, canvas.curves) == "measurement"

    def pointing(text: str, mine: Sequence[Curve]) -> str:
        """Add arrows to the axes of curves, if none of these is on the main ones."""
        on_right = all(curve.key[1] != left for curve in mine)
        above = all(curve.axis != kind for curve in mine)
        return text + "→" * (on_right and "→" not in text) + "↑" * above

    def species(curve: Curve) -> str:
        return pointing(printed(brief(curve.species)) or curve.long_name, [curve])

    def measurement(curve: Curve) -> str:
        # The median of many has no name but that of its species.
        name, mine = _typeset.plain(known[curve.measurement]), curve.measurement
        if not (name and by_measurement):
            return name or species(curve)
        return pointing(name, [one for one in curves if one.measurement == mine])

    if len(measured) == 1:
        return {
            str(line.get_label()) if is_another(canvas, c, line) else species(c): line
            for c, line in lines
        }, True
    alone = by_measurement and len({curve.subject for curve in curves}) == 1
    if alone or "" in measured:  # medians of species, and outliers of the same colour in each
        few = len(lines) <= (_FEW_LINES if canvas.wanted.waterfall is not None else 1)
        return {measurement(c): line for c, line in lines}, few and "" not in measured
    if by_measurement:
        colours = {measurement(c): handle_of(color=line.get_color()) for c, line in lines}
        dashes = {species(c): handle_of(color=grey, linestyle=c.dash) for c in curves}
        return colours | dashes, False
    if not dash_names_measurement(curves, [curve.colour for curve in curves]):
        return {f"{species(c)}, {measurement(c)}": line for c, line in lines}, False
    colours = {species(c): handle_of(color=line.get_color()) for c, line in lines}
    if len(colours) == 1:
        grey, colours = str(next(iter(colours.values())).get_color()), {}
    dashes = {measurement(c): handle_of(color=grey, linestyle=c.dash) for c in curves}
    return colours | dashes, False


def brief(name: str, longest: int = _LONGEST) -> str:
    """Shorten a long name; its beginning and its end say most.

    Examples
    --------
    >>> brief("wafer 12, lot 2026-01-15/7, annealed", 24)
    'wafer 12, lo…, annealed'
    """
    if len(name) <= longest or "$" in name:
        return name
    return f"{name[: longest - 12]}…{name[-10:].strip()}" if longest > 13 else f"{name[:11]}…"


def briefs(names: Sequence[str], longest: int = _LONGEST) -> list[str]:
    """Shorten names so that they still differ, if need be by the words that all share.

    Examples
    --------
    >>> lot = "lot 2026-01-15/7, wafer {}, annealed at 1050 C"
    >>> briefs([lot.format(1), lot.format(2)])
    ['… wafer 1, …', '… wafer 2, …']
    """
    short = [brief(name, longest) for name in names]
    if len(set(short)) == len(set(names)):
        return short
    words = [name.split() for name in names]
    # The last of the words before says what differs: wafer 12.
    start, end = max(_shared(words) - 1, 0), _shared([one[::-1] for one in words])
    own = [" ".join(one[start : len(one) - end]) for one in words]
    short = [brief(text, longest) for text in own]
    if len(set(short)) < len(set(own)):
        short = own
    return [f"{'… ' * (start > 0)}{text}{' …' * (end > 0)}" for text in short]


def _shared(names: Sequence[Sequence[str]]) -> int:
    """Count the words that all names begin with."""
    columns = zip(*names, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
