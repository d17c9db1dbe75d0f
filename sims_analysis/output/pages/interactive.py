"""Interactive profiles: their numbers and looks, which a script draws by BokehJS."""

from __future__ import annotations

import html
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import orjson

from sims_analysis.errors import require
from sims_analysis.figures.arguments import PlotOptions, check_scale, check_title
from sims_analysis.figures.axes import decades, depth_limits, linear
from sims_analysis.figures.colours import assign_colours, text_colour
from sims_analysis.figures.curves import (
    DepthScale,
    Measurements,
    colour_meaning,
    curves_of,
    measurements_of,
    most_intense,
    refuse_others,
    with_styles,
)
from sims_analysis.figures.files import checked_path
from sims_analysis.files import replace_file
from sims_analysis.outcomes import KINDS
from sims_analysis.output.pages.templates import markup, picture, render, resource
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.arguments import first_few
from sims_analysis.units import NM_PER_CM, QuantityLike, read_number

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from markupsafe import Markup

    from sims_analysis.figures.curves import Curve
    from sims_analysis.kernels.rows import Array

#: At most so many measurements are named in a title.
_NAMED = 4
#: Of a line, in pixels.
_WIDTH = 1.8
#: Width and height of a thumbnail.
_SMALL = (96, 60)
#: Where the window of the dose initially ends, as a fraction of the depth axis.
_PART = 0.5


@dataclass(frozen=True)
class Explorer:
    """An interactive plot: shown by a notebook, or written as a page with all it needs inside."""

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
        path = checked_path(path, "page.html")
        replace_file(path, self.page.encode())
        return path


def explore(
    data: Measurements,
    *,
    species: str | Sequence[str] | None = None,
    depth_units: str | None = None,
    value_units: str | Sequence[str] | None = None,
    scale: Literal["log", "linear"] | Mapping[str, Literal["log", "linear"]] = "log",
    level: QuantityLike = "1e18 atoms/cm^3",
    title: str | None = None,
) -> Explorer:
    """Show depth profiles in a notebook or a browser: zoom, hover, species, log, dose, junction.

    Parameters
    ----------
    data : Dataset, DataArray, SIMSResult, or a list or mapping of them
        As for :func:`plot_profiles`.
    species, depth_units, value_units, scale : optional
        As for :func:`plot_profiles`; an axis that is log at first can be made linear.
    level : str or Quantity
        Where the level of the junction is at first.
    title : str, optional
        By default the ids of the measurements, or their keys in `data`.

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
    Doses (trapezoids, limits interpolated) and junctions (the deepest) are what
    :func:`integrated_dose` and :func:`junction_depth` return by default. Of more than 24 species
    the twelve with the largest share of their axis are shown at first.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> plot = sims.explore(sims.open_example("boron-implant"))
    >>> plot.save("boron.html").stat().st_size < 1_600_000     # everything it needs is inside
    True
    >>> "<script src" in plot.page, "<h1>boron-implant</h1>" in plot.page
    (False, True)
    """
    check_title(title)
    datasets = measurements_of(data)
    units = {"depth_units": depth_units, "value_units": value_units}
    plot = plot_html(datasets, species=species, scale=scale, level=level, **units)
    ids = [key or str(item.attrs.get("data_id", "")) for key, item in datasets.items()]
    default = first_few([name for name in ids if name], _NAMED) or "Depth profiles"
    return Explorer(plot_page(plot, default if title is None else title))


def plot_page(plot: Markup, title: str, home: str = "") -> str:
    """Return a page of a plot alone, with a link to the list at `home`."""
    return render("profiles", title=title, scripts=scripts(), plot=plot, home=home)


def plot_html(data: Any, **options: Any) -> Markup:
    """Return the plot and its controls as a part of a page: see :func:`plot_description`."""
    require("interactive pages need", "bokeh", extra="pages")
    content = orjson.dumps(
        plot_description(data, **options), option=orjson.OPT_SERIALIZE_NUMPY
    ).decode()
    # A "</script>" in a name must not end the element that carries it.
    content = content.replace("<", "\\u003c")
    return markup(resource("interactive.html").replace("{data}", content))


def plot_description(
    data: Any,
    *,
    species: str | Sequence[str] | None = None,
    depth_units: str | None = None,
    value_units: str | Sequence[str] | None = None,
    scale: Any = "log",
    level: QuantityLike = "1e18 atoms/cm^3",
    surface: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """Describe a plot: its axes, depths and curves, each below its `surface` transient."""
    check_scale(scale)
    curves = curves_of(measurements_of(data), species, value_units)
    refuse_others("scale", scale, dict.fromkeys(curve.variable for curve in curves))
    first = {curve.profile for curve in most_intense(curves, ())}
    curves.sort(key=lambda curve: curve.profile not in first)
    # The first curves have the looks that they have in a figure, without the others.
    meaning = colour_meaning(PlotOptions(spread=False), curves)
    leading = [curve.name for curve in curves if curve.profile in first]
    used = {} if meaning == "measurement" else assign_colours(leading, {})
    curves = with_styles(curves, None, meaning, used)
    depth, names = DepthScale(curves, depth_units), _names_of(curves)
    # The preferred quantity comes first, on the left.
    axes: dict[str, list[Curve]] = {}
    for curve in sorted(curves, key=lambda curve: curve.rank):
        axes.setdefault(curve.label, []).append(curve)
    value = read_number(level, ("concentration",), "level")
    concentrations = [curve for curve in curves if curve.variable == "concentration"]
    # Many profiles share their depths.
    depths: dict[bytes, Array] = {}
    result = []
    for curve, name in zip(curves, names, strict=True):
        x = np.ascontiguousarray(depth(curve.x), dtype=np.float64)
        depths.setdefault(x.tobytes(), x)
        places = {"axis": [*axes].index(curve.label), "depths": [*depths].index(x.tobytes())}
        end = (surface or {}).get(curve.species) if curve.axis == "depth" else None
        start = 0.0 if end is None else read_number(end, ("depth",), "surface")
        dash = () if curve.dash == "solid" else curve.dash[1]
        style: Any = {"colour": curve.colour, "ink": text_colour(curve.colour, None)}
        style["from"] = int(np.searchsorted(curve.x, start))
        style |= {"on": curve.profile in first, "dash": [round(_WIDTH * part) for part in dash]}
        result.append(places | style | _curve_description(curve, name, depth))
    return {
        "kind": "linear" if scale == "linear" else "log",
        "axes": _axes(axes, scale),
        "depth": _depth_axis(curves, depth),
        "depths": list(depths.values()),
        "curves": result,
        "level": float(concentrations[0].in_units(value)) if concentrations else None,
    }


def thumbnail(data: Any) -> str:
    """Return the profiles as a small picture, in SVG: on log axes, without numbers."""
    plot = plot_description(data)
    low, high = plot["depth"]["range"]
    paths = []
    for curve in [c for c in plot["curves"] if c["on"]]:
        y = curve["values"].copy()
        y[curve["off"]] = np.nan
        bottom, top = np.log10(plot["axes"][curve["axis"]]["log"])
        px = (plot["depths"][curve["depths"]] - low) / (high - low) * _SMALL[0]
        py = (top - np.log10(y)) / (top - bottom) * _SMALL[1]
        valid = ~np.isnan(py)
        commands = np.where(np.r_[False, valid[:-1]], "L", "M")
        points = zip(commands[valid], px[valid], py[valid], strict=True)
        paths.append((curve["colour"], "".join(f"{a}{x:.1f} {y:.1f}" for a, x, y in points)))
    return picture("thumbnail", paths=paths, size=_SMALL)


def _curve_description(curve: Curve, name: str, scale: DepthScale) -> dict[str, Any]:
    """Describe the samples of a curve, and what a dose of them may rest on."""
    return {
        "name": name,
        # A wafer W1 is not tungsten.
        "html": _typeset.html(curve.species) + html.escape(name.removeprefix(curve.species)),
        "quantity": curve.long_name,
        "unit": _typeset.unit_label(curve.units),
        "values": np.ascontiguousarray(curve.y, dtype=np.float64),
        "stderr": None if curve.stderr is None else np.ascontiguousarray(curve.stderr),
        "off": np.flatnonzero(curve.not_positive()),
        "dose": _dose_factor(curve, scale),
        "quality": [
            (kind.name, float(scale(run.first)), float(scale(run.last)))
            for run in sorted(curve.runs, key=lambda run: run.first)
            for kind in KINDS
            if run.flag & kind.flags and kind.status is not None
        ],
    }


def _depth_axis(curves: Sequence[Curve], scale: DepthScale) -> dict[str, Any]:
    """Describe the axis of depth (or time), and where the window of the dose initially is."""
    ends = [float(scale(x)) for curve in curves for x in (curve.x[0], curve.x[-1])]
    low, high = depth_limits(min(ends), max(ends))
    with_dose = [curve for curve in curves if _dose_factor(curve, scale) is not None]
    begin = max((float(scale(curve.x[0])) for curve in with_dose), default=low)
    window = [begin, max(begin, low + _PART * (high - low))] if with_dose else None
    unit = _typeset.unit_label(scale.units)
    return {"label": scale.label, "units": unit, "range": [low, high], "window": window}


def _axes(groups: Mapping[str, Sequence[Curve]], scale: Any) -> list[dict[str, Any]]:
    """Describe the value axes: all log ones show the same decades, with room for names."""
    options = PlotOptions(scale="log" if isinstance(scale, str) else scale)
    kinds = {k: options.scale_of(group[0].variable) for k, group in groups.items()}
    spans = {
        k: decades(np.concatenate([c.y[~c.not_positive()] for c in group]))
        for k, group in groups.items()
    }
    log = [high - low for k, (low, high) in spans.items() if kinds[k] == "log"]
    return [
        {
            "label": k,
            "kind": kinds[k],
            "log": [10.0 ** (high - max(log, default=1.0) - 0.2), 10.0 ** (high + 0.3)],
            "linear": linear(np.concatenate([[0.0], *(c.y for c in groups[k])])),
        }
        for k, (_, high) in spans.items()
    ]


def _names_of(curves: Sequence[Curve]) -> list[str]:
    """Name the curves, with their quantities if a species has two."""
    pairs = [(c.species or c.long_name, c.measurement) for c in curves]
    names = [", ".join(filter(None, pair)) for pair in pairs]
    return [
        f"{name}, {curve.long_name.lower()}" if names.count(name) > 1 else name
        for name, curve in zip(names, curves, strict=True)
    ]


def _dose_factor(curve: Curve, scale: DepthScale) -> float | None:
    """Return the factor from value x depth of the axes to atom/cm^2; None if that is not a dose."""
    if curve.axis != "depth" or curve.variable != "concentration":
        return None
    in_cm3 = 1.0 if curve.unit is None else float(curve.unit.to_canonical(1.0))
    return in_cm3 / float(scale(1.0)) / NM_PER_CM


def scripts() -> list[str]:
    """Return the scripts of a page with a plot: the drawing library, and what draws by it."""
    from bokeh.resources import Resources

    inline: Any = Resources(mode="inline", components=["bokeh", "bokeh-api"], log_level="error")
    return ["\n".join(inline.js_raw), resource("interactive.js")]
