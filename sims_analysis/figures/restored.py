"""Restored profiles over the measured ones, and how sharply they are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import xarray as xr

from sims_analysis.figures.axes import RESOLUTION
from sims_analysis.figures.colours import ink
from sims_analysis.figures.curves import Curve, of_curve
from sims_analysis.figures.fits import data_of, matching
from sims_analysis.units import dequantify

if TYPE_CHECKING:
    from sims_analysis.figures.canvas import Canvas

#: Where the bar is, in maxima, on a logarithmic and on a linear axis.
_ABOVE, _LITTLE_ABOVE = 1.3, 1.04


def _read(canvas: Canvas) -> list[tuple[Curve, float]]:
    """Return the restored profile of each curve that has one, and its resolution at the maximum."""
    found: list[tuple[Curve, float]] = []
    for key, answer in canvas.wanted.results.get("restored", []):
        plain = dequantify(answer)
        mine = [c for c in canvas.curves if key in (None, c.source) and c.series.variable in plain]
        for source, name in dict.fromkeys((c.source, c.series.variable) for c in mine):
            if bool(plain[name].notnull().any()):  # it may have no values
                those = [c for c in mine if (c.source, c.series.variable) == (source, name)]
                found += [(one, _resolution(plain, one)) for one in matching(plain[name], those)]
    return found


def _resolution(restored: xr.Dataset, curve: Curve) -> float:
    """Return the achieved resolution at the maximum of a profile, in nm."""
    one = cast("xr.Dataset", of_curve(restored, curve))
    return float(one["achieved_resolution"][int(np.nanargmax(one[curve.series.variable].values))])


def draw(canvas: Canvas) -> None:
    """Draw restored profiles, each with a bar as long as its resolution, above its maximum.

    Limits of values include the bars, not a restored profile far below the samples.
    """
    colour = ink(0.0, canvas.ax)
    line: dict[str, Any] = {"color": colour, "linewidth": 1.1, "zorder": 3}
    bar: dict[str, Any] = {"color": colour, "linewidth": 0.8, "marker": "|", "markersize": 4}
    for curve, width in _read(canvas):
        data = data_of(curve, canvas.curves)
        axes, scale = canvas.axes_of(data), canvas.scale_of(data)
        x, y = curve.series.x, curve.series.y
        shown = np.where(y > 0, y, np.nan) if canvas.wanted.log else y
        axes.plot(scale(x), shown, label="_restored", gid="restored", **line)
        canvas.explain("restored", **line)
        top = int(np.nanargmax(y))
        ends = scale(x[top] + 0.5 * width * np.array([-1.0, 1.0]))
        level = (_ABOVE if canvas.wanted.log else _LITTLE_ABOVE) * y[top]
        axes.plot(ends, [level, level], label=RESOLUTION, gid="resolution", **bar)
        canvas.explain("achieved resolution", **bar)
