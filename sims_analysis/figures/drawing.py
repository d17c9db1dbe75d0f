"""Drawing one curve: the line, its band, and the marks of what is not drawn as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.figures.axes import ROW

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sims_analysis.figures.axes import Scale
    from sims_analysis.figures.curves import Curve

    Array = NDArray[np.float64]

__all__ = ["draw_band", "draw_curve", "mark_below_limit", "mark_floor"]

_MARK: dict[str, Any] = {
    "linestyle": "none",
    "markersize": 1.9,
    "markeredgewidth": 0.4,
    "fillstyle": "none",
}

#: Smallest distance between two marks of a row, in points.
_APART = 3.2


def draw_curve(
    ax: Axes, curve: Curve, scale: Scale, *, log: bool, options: Mapping[str, Any]
) -> Any:
    """Draw the samples that are data; a line never bridges a sample that is not."""
    hidden = curve.below_limit()
    if log:
        hidden = hidden | curve.not_positive()
    y = np.where(hidden, np.nan, curve.series.y)
    style = {"color": curve.colour, "linestyle": curve.dash, "solid_joinstyle": "round", **options}
    x = scale(curve.series.x)
    (line,) = ax.plot(x, y, **style)
    alone = ~hidden & np.r_[True, hidden[:-1]] & np.r_[hidden[1:], True]
    if alone.any() and not style.get("marker"):
        # Between two hidden samples a line has no length: show the sample as a point.
        ax.plot(
            x[alone],
            y[alone],
            marker=".",
            # The only sample there is must not be taken for dust.
            markersize=5.0 if (~hidden).sum() == 1 else 2.0,
            linestyle="none",
            color=line.get_color(),
            alpha=line.get_alpha(),
            zorder=line.get_zorder(),
        )
    return line


def draw_band(ax: Axes, curve: Curve, scale: Scale, *, log: bool, coverage: float) -> bool:
    """Shade value +- coverage x standard error; True if there is something to shade."""
    stderr = curve.series.stderr
    if stderr is None or not coverage:
        return False
    y = curve.series.y
    hidden = curve.below_limit() | np.isnan(stderr)
    if log:
        hidden |= curve.not_positive()
    low, high = y - coverage * stderr, y + coverage * stderr
    if log:
        # An interval that reaches zero reaches the floor of a log axis, and no further: numbers
        # near zero would be drawn miles below the page.
        low = np.maximum(low, 0.1 * min(ax.get_ylim()))
    ax.fill_between(
        scale(curve.series.x),
        np.where(hidden, np.nan, low),
        np.where(hidden, np.nan, high),
        color=curve.colour,
        alpha=0.22,
        linewidth=0,
        zorder=1.5,
    )
    return True


def mark_floor(ax: Axes, curve: Curve, scale: Scale, row: int) -> bool:
    """Mark samples that are zero or negative at the floor of a log axis; True if there are any."""
    hidden = curve.not_positive()
    if hidden.any():
        x = _apart(ax, scale(curve.series.x[hidden]))
        height = np.full(x.shape, ROW * (row + 0.6))
        ax.plot(
            x, height, marker="v", color=curve.colour, transform=ax.get_xaxis_transform(), **_MARK
        )
    return bool(hidden.any())


def mark_below_limit(ax: Axes, curve: Curve, scale: Scale) -> None:
    """Mark samples below the detection limit at the limit."""
    hidden = curve.below_limit()
    if hidden.any():
        x = _apart(ax, scale(curve.series.x[hidden]))
        ax.plot(x, np.full(x.shape, curve.limit), marker="v", color=curve.colour, **_MARK)


def _apart(ax: Axes, x: Array) -> Array:
    """Leave out marks that would touch the one before: a row of marks stays a row of marks."""
    figure = ax.figure
    pixels = ax.transData.transform(np.column_stack([x, np.ones_like(x)]))[:, 0]
    points = pixels * 72.0 / figure.dpi
    kept, last = [], -np.inf
    for i, place in enumerate(points):
        if place - last >= _APART:
            kept.append(i)
            last = place
    return x[kept]
