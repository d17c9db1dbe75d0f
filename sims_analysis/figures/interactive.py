"""Interactive profiles: zoom, values under the pointer, species on and off, doses.

Drawn by Bokeh in a browser: its library is 1.3 MB in a page, that of Plotly 4.8 MB. The controls
beside the plot are plain HTML, so that they work by keyboard and print.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections import Counter
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.errors import require
from sims_analysis.figures.axes import by_axis, decades, depth_scale, from_surface, label_of
from sims_analysis.figures.colours import assigned, dashes_of
from sims_analysis.figures.curves import Measurements, curves_of, measurements_of
from sims_analysis.figures.lines import without_neighbours
from sims_analysis.files import replace_file
from sims_analysis.text import typeset as _typeset
from sims_analysis.units import NM_PER_CM

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from sims_analysis.figures.axes import Scale
    from sims_analysis.figures.curves import Curve

__all__ = ["Explorer", "document", "explore", "library", "plot_html", "script"]

#: Of a line, in pixels.
_WIDTH = 1.8
#: Where the window of the dose initially ends, as a fraction of the depth axis.
_PART = 0.5


@dataclass(frozen=True)
class Explorer:
    """An interactive plot: shown by a notebook, or written as a page.

    Parameters
    ----------
    page : str
        HTML with everything it needs inside.
    """

    page: str

    def _repr_html_(self) -> str:
        """Show the page in a frame of its own, so that it does not affect the notebook."""
        source = html.escape(self.page, quote=True)
        return (
            f'<iframe srcdoc="{source}" style="width:100%;height:640px;border:0" '
            'title="Depth profiles"></iframe>'
        )

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the page, whole or not at all; reading it needs no connection."""
        replace_file(Path(path), self.page.encode())
        return Path(path)


def explore(
    data: Measurements,
    *,
    species: str | Sequence[str] | None = None,
    depth_units: str | None = None,
    value_units: str | Sequence[str] | None = None,
) -> Explorer:
    """Show depth profiles in a notebook or a browser: zoom, hover, species, log, dose.

    Parameters
    ----------
    data : Dataset, DataArray, SIMSResult, or a list or mapping of them
        As for :func:`plot_profiles`.
    species, depth_units, value_units : optional
        As for :func:`plot_profiles`.

    Returns
    -------
    Explorer
        A notebook shows it; ``save`` writes it as a single page that needs nothing else.

    Raises
    ------
    ModuleNotFoundError
        If Bokeh, the extra ``pages``, is missing.

    Notes
    -----
    The dose between the two depths is the trapezoidal integral with interpolated limits, as
    :func:`integrated_dose` returns by default.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> plot = sims.explore(sims.open_example("boron-implant"))
    >>> plot.save("boron.html").stat().st_size < 1_500_000     # everything it needs is inside
    True
    >>> "<script src" in plot.page
    False
    """
    plot = plot_html(data, species=species, depth_units=depth_units, value_units=value_units)
    return Explorer(document("Depth profiles", plot, scripts=[library(), script()]))


def document(title: str, body: str, *, scripts: Sequence[str] = ()) -> str:
    """Return a page, with a policy that allows its own scripts and nothing else."""
    allowed = " ".join(f"'sha256-{_digest(text)}'" for text in scripts) or "'none'"
    policy = (
        f"default-src 'none'; script-src {allowed}; style-src 'unsafe-inline'; "
        "img-src data: blob:; base-uri 'none'; form-action 'self'"
    )
    carried = "".join(f"<script>{text}</script>\n" for text in scripts)
    return (
        '<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(title)}</title>\n<style>{style()}</style></head>\n"
        f"<body><main>\n{body}\n</main>\n{carried}</body></html>\n"
    )


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def plot_html(
    data: Any,
    *,
    species: str | Sequence[str] | None = None,
    depth_units: str | None = None,
    value_units: str | Sequence[str] | None = None,
) -> str:
    """Return the plot and its controls as a part of a :func:`document`.

    The document needs the scripts :func:`library` and :func:`script`, in this order.
    """
    require("interactive pages need", "bokeh", extra="pages")
    from bokeh import embed
    from bokeh.layouts import column

    curves = curves_of(measurements_of(data), species, value_units=value_units)
    scale = depth_scale([curve.series for curve in curves], depth_units)
    names = _names(curves)
    colours = assigned(names, {})
    curves = [
        replace(curve, colour=colours[name], dash=dash)
        for curve, name, dash in zip(
            curves, names, dashes_of([colours[name] for name in names]), strict=True
        )
    ]
    plots = [_plot(curves, names, scale, kind) for kind in ("log", "linear")]
    plots[1].visible = False
    # The stubs do not know that a plain id is accepted.
    target: Any = "sims-plot"
    item: Any = embed.json_item(column(plots, sizing_mode="stretch_width"), target)
    known = {
        "curves": [
            {
                "name": name,
                "html": _typeset.html(name),
                "colour": curve.colour,
                "dash": _dash(curve),
                "x": np.asarray(scale(curve.series.x)).tolist(),
                "y": curve.series.y.tolist(),
                "hidden": int(curve.not_positive().sum()),
                "dose": _dose_factor(curve, scale),
            }
            for name, curve in zip(names, curves, strict=True)
        ],
        "units": _typeset.unit_label(scale.units),
    }
    # A "</script>" in a name must not end the element that carries it.
    carried = json.dumps({"item": item, "known": known}).replace("<", "\\u003c")
    fragment = resources.files("sims_analysis.figures").joinpath("interactive.html")
    return fragment.read_text(encoding="utf-8").replace("{data}", carried)


def _names(curves: Sequence[Curve]) -> list[str]:
    """Name the curves, with their quantities if a species has two."""
    names = [
        ", ".join(filter(None, [c.series.species or c.series.long_name, c.measurement]))
        for c in curves
    ]
    counts = Counter(names)
    return [
        name if counts[name] == 1 else f"{name}, {curve.series.long_name.lower()}"
        for name, curve in zip(names, curves, strict=True)
    ]


def _dash(curve: Curve) -> list[int]:
    """Return the dash of a curve in pixels; empty for a solid line."""
    return [] if curve.dash == "solid" else [round(_WIDTH * part) for part in curve.dash[1]]


def _dose_factor(curve: Curve, scale: Scale) -> float | None:
    """Return the factor from value x depth of the axes to atom/cm^2; None if that is not a dose."""
    if curve.series.axis != "depth" or curve.series.variable != "concentration":
        return None
    in_cm3 = 1.0 if curve.unit is None else float(curve.unit.to_canonical(1.0))
    in_nm = 1.0 / float(scale(1.0))
    return in_cm3 * in_nm / NM_PER_CM


def _plot(curves: Sequence[Curve], names: Sequence[str], scale: Scale, kind: str) -> Any:
    """Draw all curves on log or linear axes; each further quantity gets an axis on the right."""
    from bokeh import models, plotting

    # The stubs do not know the short forms of arguments that Bokeh accepts.
    bokeh: Any = models
    figure: Any = plotting.figure
    log = kind == "log"
    groups = by_axis(curves)
    x = np.concatenate([scale(curve.series.x) for curve in curves])
    high = float(x.max())
    low = from_surface(float(x.min()), high)
    first, *others = groups
    ranges = _ranges(groups, log=log)
    plot = figure(
        name=kind,
        height=420,
        sizing_mode="stretch_width",
        y_axis_type=kind,
        x_range=(low, high),
        y_range=ranges[first],
        x_axis_label=scale.label,
        y_axis_label=first,
        tools="pan,wheel_zoom,box_zoom,reset,save",
        active_drag=None,
    )
    for label in others:
        plot.extra_y_ranges[label] = bokeh.Range1d(*ranges[label])
        plot.extra_y_scales[label] = bokeh.LogScale() if log else bokeh.LinearScale()
        axis = bokeh.LogAxis if log else bokeh.LinearAxis
        plot.add_layout(axis(y_range_name=label, axis_label=label), "right")
    for i, (name, curve) in enumerate(zip(names, curves, strict=True)):
        label = label_of(curve.series.long_name, curve.series.units)
        x, y = np.asarray(scale(curve.series.x)), curve.series.y
        data = ~curve.not_positive() if log else np.full(y.shape, True)
        common = {"name": str(i), **({} if label == first else {"y_range_name": label})}
        line = plot.line(
            x,
            np.where(data, y, np.nan),
            color=curve.colour,
            line_width=_WIDTH,
            line_dash=_dash(curve),
            **common,
        )
        alone = without_neighbours(data)
        drawn = [line]
        if alone.any():
            drawn.append(plot.scatter(x[alone], y[alone], size=3, color=curve.colour, **common))
        unit = f" {_typeset.unit_label(curve.series.units)}".rstrip()
        depth = f"@x{{%.5g}} {_typeset.unit_label(scale.units)}"
        tips = [("", html.escape(name)), (scale.label.split(" (")[0], depth),
                (curve.series.long_name, f"@y{{%.3e}}{unit}")]  # fmt: skip
        hover = bokeh.HoverTool(
            renderers=drawn,
            tooltips=tips,
            formatters={"@x": "printf", "@y": "printf"},
            visible=False,
        )
        plot.add_tools(hover)
    dosed = [curve for curve in curves if _dose_factor(curve, scale) is not None]
    begin = max((float(scale(curve.series.x[0])) for curve in dosed), default=low)
    ends = [begin, max(begin, low + _PART * (high - low))]
    box = bokeh.BoxAnnotation(
        name=f"{kind}-window",
        left=ends[0],
        right=ends[1],
        editable=True,
        movable="x",
        resizable="x",
        fill_alpha=0.06,
        fill_color="#0072B2",
        line_color="#0072B2",
        line_dash="dashed",
        visible=bool(dosed),
    )
    plot.add_layout(box)
    plot.xgrid.grid_line_alpha = plot.ygrid.grid_line_alpha = 0.35
    plot.toolbar.logo = None
    for axis in plot.axis:
        axis.axis_label_text_font_style = "normal"
    return plot


def _ranges(groups: Mapping[str, Sequence[Curve]], *, log: bool) -> dict[str, tuple[float, float]]:
    """Return the limits of the value axes; log axes all show the same number of decades."""
    if not log:
        return {label: _linear_range(group) for label, group in groups.items()}
    spans = {
        label: decades(np.concatenate([c.series.y[~c.not_positive()] for c in group]))
        for label, group in groups.items()
    }
    count = max(high - low for low, high in spans.values())
    return {label: (10.0 ** (high - count - 0.2), 10.0**high) for label, (_, high) in spans.items()}


def _linear_range(group: Sequence[Curve]) -> tuple[float, float]:
    values = np.concatenate([curve.series.y for curve in group])
    bottom, top = min(0.0, float(values.min())), float(values.max())
    return (bottom, 1.05 * top) if top > bottom else (bottom - 1.0, bottom + 1.0)


def library() -> str:
    """Return the drawing library, to be put into a page."""
    from bokeh.resources import Resources

    inline: Any = Resources(mode="inline", components=["bokeh"], log_level="error")
    return "\n".join(inline.js_raw)


def script() -> str:
    """Return the script that connects the controls with the plot."""
    return _resource("interactive.js")


def style() -> str:
    """Return the style sheet of pages."""
    return _resource("interactive.css")


def _resource(name: str) -> str:
    return resources.files("sims_analysis.figures").joinpath(name).read_text(encoding="utf-8")
