"""Names of the curves: what they say, and which of them are to be beside their curves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sims_analysis.figures.curves import Curve, colour_meaning, dash_names_measurement
from sims_analysis.figures.plot import Plot, handle_of
from sims_analysis.figures.short_names import briefs
from sims_analysis.figures.style import setting
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.typeset import unit_label


def choose_names(plot: Plot) -> None:
    """Choose the names of the curves, and whether they are written beside these or in a legend."""
    labels = plot.options.labels
    if labels == "none":
        return
    entries, direct = _entries(plot)
    if labels == "direct" or (labels == "auto" and direct):
        known = {text: line for text, line in plot.layout.direct.items() if line.axes is not None}
        plot.layout.direct = known | {text: entries[text] for text in entries if text not in known}
    else:
        plot.layout.above |= entries


def label_lines(plot: Plot) -> None:
    """Label every line, so that a later call and a legend made by the user find its name."""
    several = len({curve.measurement for curve, _ in plot.lines}) > 1
    for curve, line in plot.lines:
        species = typeset_species(curve.name)
        if not curve.species:
            species = "" if curve.source else curve.long_name
        again = differs_from_earlier(plot, curve, line)
        measured = _typeset.plain(curve.measurement) if several or again or not species else ""
        text = ", ".join(filter(None, [species, measured]))
        text = f"{text} (2)" if again and text in plot.earlier else text
        if text not in plot.earlier:
            plot.layout.curves[text] = line
        # matplotlib ignores names that begin with an underscore.
        line.set_label(text if not text.startswith("_") else "\u200b" + text)
        if line.axes is not plot.ax:
            # A legend of the left axes lists only the lines of the left axes.
            proxy = handle_of(label=line.get_label())
            proxy.update_from(line)
            plot.ax.add_line(proxy)


def typeset_species(species: str) -> str:
    """Typeset the name of a species as the settings want it."""
    return _typeset.mathtext(species, usetex=bool(setting("text.usetex")))


def differs_from_earlier(plot: Plot, curve: Curve, line: Any) -> bool:
    """Whether an earlier call has drawn other samples under the name of a curve."""
    name = typeset_species(curve.name)
    if name not in plot.earlier:
        return False
    pairs = zip(plot.earlier[name].get_data(), line.get_data(), strict=True)
    return not all(np.array_equal(a, b, equal_nan=True) for a, b in pairs)


def _entries(plot: Plot) -> tuple[dict[str, Any], bool]:
    """Return the names with a line for each, and whether they could be beside the curves."""
    lines, curves = plot.lines, [curve for curve, _ in plot.lines]
    measured = list(dict.fromkeys(curve.measurement for curve in curves))
    known = dict(zip(measured, briefs(measured), strict=True))
    names = list(dict.fromkeys(curve.name for curve in curves))
    short = dict(zip(names, briefs(names), strict=True))
    grey, left = plot.grey, next(iter(plot.layout.axes))
    by_measurement = colour_meaning(plot.options, plot.curves) == "measurement"

    def pointing(text: str, selected: Sequence[Curve]) -> str:
        """Add an arrow to the axes of curves, if none of these is on the left ones."""
        on_right = all(curve.label != left for curve in selected)
        return text.removesuffix("→") + "→" * on_right

    def alone_named(curve: Curve) -> str:
        return typeset_species(short[curve.name]) or curve.long_name

    subjects = {curve.subject: pointing(alone_named(curve), [curve]) for curve in curves}

    def species(curve: Curve) -> str:
        text = subjects[curve.subject]
        if list(subjects.values()).count(text) == 1:
            return text
        return f"{alone_named(curve)} ({unit_label(curve.units) or curve.long_name.lower()})"

    def measurement(curve: Curve) -> str:
        # The median of many has no name but that of its species.
        name, selected = _typeset.plain(known[curve.measurement]), curve.measurement
        if not (name and by_measurement):
            return name or species(curve)
        return pointing(name, [one for one in curves if one.measurement == selected])

    if len(measured) == 1:
        return {
            str(line.get_label()) if differs_from_earlier(plot, c, line) else species(c): line
            for c, line in lines
        }, True
    alone = by_measurement and len({curve.subject for curve in curves}) == 1
    if alone or "" in measured:  # medians of species, and outliers of the same colour in each
        return {measurement(c): line for c, line in lines}, False
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
