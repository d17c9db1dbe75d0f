"""Models and restored profiles over their data, residuals of fits, ratios of measurements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import permutations
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis.dataset.series import series_of
from sims_analysis.errors import ProfileError
from sims_analysis.figures.arguments import PlotOptions
from sims_analysis.figures.axes import value_axis_ticks
from sims_analysis.figures.colours import grey_level
from sims_analysis.figures.curves import Curve, of_curve
from sims_analysis.figures.plot import Plot
from sims_analysis.figures.style import BAND, abbreviate, make_higher
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.rounding import rounded
from sims_analysis.units import dequantify

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Samples of a fitted curve between two samples of the data.
_FINER = 4
#: Lines, and marks of residuals, of the first model, the second...
_DASHES: tuple[Any, ...] = ((0, (4, 1.5)), ":", "-.", "-")
_MARKS = (".", "+", "x", "1")
#: Where the bar of a resolution is, in maxima, on a logarithmic and on a linear axis.
_BAR_ON_LOG, _BAR_ON_LINEAR = 1.3, 1.04
#: Ratios over more than this factor are on a log axis.
_LOG_FROM = 5.0
#: Data are others where ln of their ratio is off by more, in the median.
_OTHER_DATA = 0.25
#: Height of the panel of residuals beside that of the data.
_HEIGHTS = (3.0, 1.0)


def evaluate_fits(options: PlotOptions, curves: Sequence[Curve]) -> list[Curve]:
    """Evaluate each fit inside its window, as curves with more samples than its data."""
    models: list[Curve] = []
    for source in dict.fromkeys(curve.source for curve in curves):
        for fit in options.results_of("fits", source):
            from sims_analysis.fitting.evaluation import evaluate

            axis = str(fit.attrs.get("axis", "depth"))
            selected = [c for c in curves if c.source == source and c.axis == axis]
            if not selected:
                raise ProfileError(
                    f"the fit is over {axis}, but {curves[0].quoted} is "
                    f"over {curves[0].axis}: draw the data that were fitted",
                    code="mixed_axes",
                    argument="fits",
                )
            x = np.unique(np.concatenate([_refine(curve.x) for curve in selected]))
            depth = xr.DataArray(x, dims=axis, attrs={"units": selected[0].axis_units})
            model = evaluate(fit, depth=depth)
            if "window_start" in fit:  # where samples were used in the fit
                start, stop = (dequantify(fit[f"window_{end}"]) for end in ("start", "stop"))
                inside = (model[axis] >= start) & (model[axis] <= stop)
                model = model.where(inside).transpose(*model.dims)
            if bool(model.notnull().any()):  # a fit may have no parameters
                models += _match_curves(model, selected)
    return models


def _refine(x: Any) -> Any:
    """Add depths between those of the data."""
    places = np.arange(x.size)
    return np.interp(np.arange(_FINER * (x.size - 1) + 1) / _FINER, places, x)


def _match_curves(model: xr.DataArray, curves: Sequence[Curve]) -> list[Curve]:
    """Match the profiles of a model with the data that they were fitted to."""
    matched = []
    for series in series_of(model):
        for curve in curves:
            same_place = series.place in (curve.place, {})
            if series.species in (curve.species, "") and same_place:
                y = curve.in_units(series.y)
                name = str(model.attrs.get("model", ""))
                matched.append(replace(curve, x=series.x, y=y, stderr=None, model=name))
                break
    return matched


def _numbers(models: Sequence[Curve]) -> list[int]:
    """Count the models of a figure by their names: 0 for the first."""
    names = list(dict.fromkeys(model.model for model in models))
    return [names.index(model.model) for model in models]


def draw(plot: Plot) -> None:
    """Draw the fitted curves over their data; one that is not to be trusted is listed."""
    for curve in plot.curves:
        for fit in plot.options.results_of("fits", curve.source):
            selected = of_curve(fit["curve_status"], curve)
            status = "ok" if selected is None else str(np.ravel(selected.values)[0])
            if status not in ("", "ok"):
                label = ", ".join(filter(None, [curve.species, curve.measurement]))
                plot.list_result(
                    f"fit of {label} ({fit.attrs.get('model', '')}): {status.replace('_', ' ')}"
                )
    numbers = _numbers(plot.models)
    for model, number in zip(plot.models, numbers, strict=True):
        text = f"fit: {model.model}" if max(numbers) else "fit"
        dash = _DASHES[number % len(_DASHES)]
        _draw_over(plot, model, "fit", text, linewidth=0.9, linestyle=dash)


def draw_restored(plot: Plot) -> None:
    """Draw restored profiles, each with a bar as long as its resolution, above its maximum."""
    for source, name in dict.fromkeys((c.source, c.variable) for c in plot.curves):
        selected = [c for c in plot.curves if (c.source, c.variable) == (source, name)]
        for answer in map(dequantify, plot.options.results_of("restored", source)):
            if name in answer and bool(answer[name].notnull().any()):  # it may have no values
                for curve in _match_curves(answer[name], selected):
                    _draw_one(plot, answer, curve)


def _draw_one(plot: Plot, answer: xr.Dataset, curve: Curve) -> None:
    data = _draw_over(plot, curve, "restored", "restored", linewidth=1.1)
    answer_of_curve: Any = of_curve(answer, curve)
    best = int(np.nanargmax(answer_of_curve[curve.variable].values))
    half = 0.5 * float(answer_of_curve["achieved_resolution"][best])
    ends = plot.scale(curve.x[np.nanargmax(curve.y)] + half * np.array([-1.0, 1.0]))
    level = (_BAR_ON_LOG if curve.log else _BAR_ON_LINEAR) * np.nanmax(curve.y)
    bar: Any = {"color": grey_level(0.0, plot.ax), "linewidth": 0.8, "marker": "|", "markersize": 4}
    (line,) = plot.axes_of(data).plot(ends, [level, level], gid="resolution", **bar)
    plot.layout.extents.append((line, 1.0))
    plot.explain("achieved resolution", **bar)


def _draw_over(plot: Plot, curve: Curve, kind: str, text: str, **style: Any) -> Curve:
    """Draw a profile over the data that it belongs to, and explain it; return these data."""
    data, y = next(c for c in plot.curves if c.profile == curve.profile), curve.y
    positive = np.where(y > 0, y, np.nan) if curve.log else y
    style |= {"color": grey_level(0.0, plot.ax), "zorder": 3}
    plot.axes_of(data).plot(plot.scale(curve.x), positive, label=f"_{kind}", gid=kind, **style)
    plot.explain(text, **style)
    return data


def panel_below(ax: Axes, *, resizable: bool) -> Axes:
    """Split an axes in two; a `resizable` figure becomes higher by the panel below."""
    spec = ax.get_subplotspec()
    if spec is None:
        text = "a panel below needs axes in a grid, as plt.subplots makes them"
        raise ProfileError(text, argument="ax")
    figure: Any = ax.figure
    if resizable:
        make_higher(figure, figure.get_size_inches()[1] * _HEIGHTS[1] / _HEIGHTS[0])
    grid = spec.subgridspec(2, 1, height_ratios=_HEIGHTS, hspace=0.04)
    ax.set_subplotspec(grid[0])
    panel: Axes = figure.add_subplot(grid[1], sharex=ax)
    ax.tick_params(axis="x", labelbottom=False)
    return panel


def draw_ratio(plot: Plot, panel: Axes) -> None:
    """Draw the ratio of two measurements, and list the shift of their junction."""
    comparison: xr.Dataset = dequantify(plot.options.comparison)
    first = {curve.species: curve for curve in reversed(plot.curves)}
    colours = {curve.colour for curve in first.values()}
    ratios: list[Any] = []
    label = "ratio"
    for curve in reversed(first.values()):
        compared: Any = of_curve(comparison, replace(curve, place={}))
        if compared is None or curve.axis not in compared.dims:
            continue
        finite = np.isfinite(compared["ratio"].values)
        if not finite.any():
            continue
        x, ratio = compared[curve.axis].values[finite], compared["ratio"].values[finite]
        a, b = _compared(plot, compared["ratio"][finite], curve.subject)
        # What an instrument writes for no counts has no ratio.
        filled = [np.interp(x, c.x, c.placeholders()) > 0 for c in (a, b)]
        x, ratio = plot.scale(x), np.where(np.any(filled, axis=0), np.nan, ratio)
        names = [abbreviate(_typeset.plain(side.measurement), 12) for side in (b, a)]
        label = (" /\n" if max(map(len, names)) > len("ratio") else " / ").join(names)
        # The colours of two measurements say nothing of their ratio; those of species do.
        colour = curve.colour if len(colours) > 1 else plot.grey
        panel.plot(x, ratio, color=colour, linestyle=curve.dash)
        if "ratio_stderr" in compared:
            error = plot.options.coverage * compared["ratio_stderr"].values[finite]
            style: Any = {"where": ratio > error, "color": colour, "alpha": BAND}
            panel.fill_between(x, ratio - error, ratio + error, linewidth=0, **style)
        ratios.append(ratio[ratio > 0])
        if "junction_shift" in compared and np.isfinite(compared["junction_shift"]):
            stderr = float(compared.get("junction_shift_stderr", np.nan))
            shift = rounded(abs(float(compared["junction_shift"])), plot.options.coverage * stderr)
            text = f"{shift.text(style='mathtext')} {curve.axis_units}"
            text += " deeper" if compared["junction_shift"] >= 0 else " shallower"
            place = abbreviate(_typeset.plain(b.measurement))
            plot.list_result(f"junction of {curve.name} {text} in {place}", color=colour)
    every = np.concatenate([*ratios, [1.0]])
    if every.max() > _LOG_FROM * every.min():
        panel.set_yscale("log")
        value_axis_ticks(panel)
    _label(plot, panel, label, 1.0)


def _compared(plot: Plot, ratio: xr.DataArray, subject: tuple[str, str]) -> tuple[Curve, Curve]:
    """Find the two curves, the reference first, of which this is the ratio."""
    pairs: list[tuple[float, Curve, Curve]] = []
    for a, b in permutations([curve for curve in plot.curves if curve.subject == subject], 2):
        x = ratio[a.axis].values
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = [np.interp(x, c.x, np.log(c.y), left=np.nan, right=np.nan) for c in (a, b)]
            off = np.abs(ends[1] - ends[0] - np.log(ratio.values))
        if np.isfinite(off).any():
            pairs.append((float(np.median(off[np.isfinite(off)])), a, b))
    best = min(pairs, key=lambda pair: pair[0], default=None)
    if best is None or (best[0] > _OTHER_DATA and not plot.options.smooth):
        raise ProfileError(
            f"comparison= is of other data of {subject[0]!r} than are drawn; draw both, as in "
            'plot_profiles({"before": a, "after": b}, comparison=sims.compare(a, b))',
            argument="comparison",
        )
    return best[1:]


def _label(plot: Plot, panel: Axes, text: str, level: float) -> None:
    """Label the panel below the data, with a line where both agree."""
    panel.axhline(level, color=grey_level(0.35, panel), linewidth=0.6, zorder=1)
    panel.set_ylabel(text)
    if panel.yaxis.label.get_window_extent().height > panel.bbox.height:  # below it is room
        panel.yaxis.label.set(y=1.0, horizontalalignment="right")
    panel.set_xlabel(plot.ax.get_xlabel())
    plot.ax.set_xlabel("")
    plot.layout.figure.align_ylabels([plot.ax, panel])


def draw_residuals(plot: Plot, panel: Axes) -> None:
    """Draw the residuals: in standard errors, or log10 of the ratio, or parts of the maximum."""
    models, log = plot.models, all(model.log for model in plot.models)
    by_profile = {curve.profile: curve for curve in plot.curves}
    data = [by_profile[model.profile] for model in models]
    has_errors = all(curve.stderr is not None for curve in data)
    for model, number, curve in zip(models, _numbers(models), data, strict=True):
        x, y, stderr = curve.x, curve.y, curve.stderr
        fit = np.interp(x, model.x, model.y, left=np.nan, right=np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            if has_errors and stderr is not None:
                residual = (y - fit) / np.where(stderr > 0, stderr, np.nan)
            elif log:
                residual = np.log10(np.where((y > 0) & (fit > 0), y / fit, np.nan))
            else:
                residual = (y - fit) / np.nanmax(np.abs(y))
        style: dict[str, Any] = {"markersize": 2.6, "markeredgewidth": 0.5, "linestyle": "none"}
        style |= {"color": curve.colour, "marker": _MARKS[number % len(_MARKS)]}
        panel.plot(plot.scale(x), residual, **style)
    # Short enough for the height of the panel.
    label = "log$_{10}$ ratio" if log else "residual / max"
    _label(plot, panel, "residual / $σ$" if has_errors else label, 0.0)
