"""Models in a figure: the fitted curve over its data, and the residuals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis.analysis.series import series_of
from sims_analysis.errors import ProfileError
from sims_analysis.figures.colours import ink
from sims_analysis.figures.curves import Curve, of_curve
from sims_analysis.figures.style import grow
from sims_analysis.units import dequantify

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sims_analysis.figures.arguments import Wanted
    from sims_analysis.figures.canvas import Canvas

#: Samples of a fitted curve between two samples of the data.
_FINER = 4
#: Lines, and marks of residuals, of the first fit to a profile, the second...
_DASHES: tuple[Any, ...] = ((0, (4, 1.5)), ":", "-.", "-")
_MARKS = (".", "+", "x", "1")
#: Height of the panel of residuals beside that of the data.
_HEIGHTS = (3.0, 1.0)


def evaluated(wanted: Wanted, curves: Sequence[Curve]) -> list[Curve]:
    """Evaluate each fit on the samples of its data, and between them, inside its window.

    There is a curve for each that a fit is about, with its source, colour and unit.
    """
    found: list[Curve] = []
    for source in dict.fromkeys(curve.source for curve in curves):
        for fit in wanted.of("fits", source):
            from sims_analysis.models.evaluation import evaluate

            axis = str(fit.attrs.get("axis", "depth"))
            mine = [c for c in curves if c.source == source and c.series.axis == axis]
            if not mine:
                raise ProfileError(
                    f"the fit is over {axis}, but {curves[0].series.species or 'the profile'} is "
                    f"over {curves[0].series.axis}: draw the data that were fitted"
                )
            x = np.unique(np.concatenate([_finer(curve.series.x) for curve in mine]))
            depth = xr.DataArray(x, dims=axis, attrs={"units": mine[0].series.axis_units})
            model = _inside(evaluate(fit, depth=depth), fit, axis)
            if bool(model.notnull().any()):  # a fit may have no parameters
                found += matching(model, mine)
    return found


def _inside(model: xr.DataArray, fit: xr.Dataset, axis: str) -> xr.DataArray:
    """Keep the values between the first and the last sample that were used in the fit."""
    if "window_start" not in fit:
        return model
    start, stop = (dequantify(fit[f"window_{end}"]) for end in ("start", "stop"))
    depth = model[axis]
    return model.where((depth >= start) & (depth <= stop)).transpose(*model.dims)


def _finer(x: Any) -> Any:
    """Add depths between those of the data."""
    parts = np.linspace(0.0, 1.0, _FINER, endpoint=False)
    return np.append((x[:-1, None] + np.diff(x)[:, None] * parts).ravel(), x[-1])


def matching(model: xr.DataArray, curves: Sequence[Curve]) -> list[Curve]:
    """Match the profiles of a model with the data that they were fitted to."""
    found = []
    for series in series_of(model):
        for curve in curves:
            same_place = series.place in (curve.series.place, {})
            if series.species in (curve.series.species, "") and same_place:
                y = series.y if curve.unit is None else curve.unit.from_canonical(series.y)
                y = y * curve.raised
                known = replace(
                    series, y=y, species=curve.series.species, place=curve.series.place,
                    variable=curve.series.variable, units=curve.series.units, stderr=None,
                )  # fmt: skip
                name = str(model.attrs.get("model", ""))
                found.append(Curve(known, curve.source, unit=curve.unit, model=name))
                break
    return found


def data_of(model: Curve, curves: Sequence[Curve]) -> Curve:
    """Find the data that a model was fitted to, as they are drawn."""
    return next(curve for curve in curves if curve.profile == model.profile)


def _numbers(models: Sequence[Curve]) -> list[int]:
    """Count the fits of each profile: 0 for its first."""
    seen: Counter[tuple[Any, ...]] = Counter()
    numbers = []
    for model in models:
        numbers.append(seen[model.profile])
        seen[model.profile] += 1
    return numbers


def _name(number: int, models: Sequence[Curve], numbers: Sequence[int]) -> str:
    """Name what a line style stands for: the models, if profiles have several fits."""
    if not any(numbers):
        return "fit"
    pairs = zip(models, numbers, strict=True)
    names = dict.fromkeys(model.model for model, other in pairs if other == number)
    return f"fit: {', '.join(names)}"


def draw(canvas: Canvas) -> None:
    """Draw the fitted curves over their data; one that is not to be trusted is listed."""
    for curve in canvas.curves:
        for fit in canvas.wanted.of("fits", curve.source):
            word = next((name for name in ("curve_status", "status") if name in fit), "")
            mine = of_curve(fit[word], curve) if word else None
            status = "ok" if mine is None else str(np.ravel(mine.values)[0])
            if status not in ("", "ok"):
                whose = ", ".join(filter(None, [curve.series.species, curve.measurement]))
                canvas.tell(
                    f"fit of {whose} ({fit.attrs.get('model', '')}): {status.replace('_', ' ')}"
                )
    numbers = _numbers(canvas.models)
    for model, number in zip(canvas.models, numbers, strict=True):
        dash = _DASHES[number % len(_DASHES)]
        style: dict[str, Any] = {"linewidth": 0.9, "linestyle": dash, "zorder": 3}
        data = data_of(model, canvas.curves)
        y = model.series.y
        shown = np.where(y > 0, y, np.nan) if canvas.wanted.log else y
        style["color"] = ink(0.0, canvas.ax)
        canvas.axes_of(data).plot(
            canvas.scale_of(data)(model.series.x), shown, label="_fit", gid="fit", **style
        )
        canvas.explain(_name(number, canvas.models, numbers), **style)


def panel_below(ax: Axes, *, own: bool) -> Axes:
    """Split an axes in two: the data above, room for their residuals below.

    A figure of our `own` becomes higher by this room.
    """
    spec = ax.get_subplotspec()
    if spec is None:
        raise ValueError("residuals need axes in a grid, as plt.subplots makes them")
    figure: Any = ax.figure
    if own:
        grow(figure, figure.get_size_inches()[1] * _HEIGHTS[1] / _HEIGHTS[0])
    grid = spec.subgridspec(2, 1, height_ratios=_HEIGHTS, hspace=0.04)
    ax.set_subplotspec(grid[0])
    below: Axes = figure.add_subplot(grid[1], sharex=ax)
    ax.tick_params(axis="x", labelbottom=False)
    return below


def draw_residuals(canvas: Canvas, below: Axes) -> None:
    """Draw the residuals, in standard errors if the data have these.

    Otherwise as log10 of the ratio, or on a linear axis as a fraction of the largest sample.
    """
    models, log = canvas.models, canvas.wanted.log
    data = [data_of(model, canvas.curves) for model in models]
    stated = all(curve.series.stderr is not None for curve in data)
    for model, curve, number in zip(models, data, _numbers(models), strict=True):
        x, y, stderr = curve.series.x, curve.series.y, curve.series.stderr
        fit = np.interp(x, model.series.x, model.series.y, left=np.nan, right=np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            if stated and stderr is not None:
                left = (y - fit) / np.where(stderr > 0, stderr, np.nan)
            elif log:
                left = np.log10(np.where((y > 0) & (fit > 0), y / fit, np.nan))
            else:
                left = (y - fit) / np.nanmax(np.abs(y))
        style: dict[str, Any] = {"markersize": 2.6, "markeredgewidth": 0.5}
        style = {"color": curve.colour, **(style if number else {"markersize": 1.8})}
        marker = _MARKS[number % len(_MARKS)]
        below.plot(canvas.scale_of(curve)(x), left, marker=marker, linestyle="none", **style)
    below.axhline(0.0, color=ink(0.35, below), linewidth=0.6, zorder=1)
    # Short enough for the height of the panel.
    apart = "log$_{10}$ ratio" if log else "residual / max"
    below.set_ylabel("residual / $σ$" if stated else apart)
    below.set_xlabel(canvas.ax.get_xlabel())
    canvas.ax.set_xlabel("")
    figure: Any = below.figure
    figure.align_ylabels([canvas.ax, below])
