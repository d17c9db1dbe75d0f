"""Drawing one curve: the line, its band, and marks for samples that are not drawn as data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.figures.axes import FLOOR, LIMIT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.axes import Axes

    from sims_analysis.figures.axes import Scale
    from sims_analysis.figures.curves import Curve
    from sims_analysis.kernels.rows import Array, Flags


#: Opacity of a band.
BAND = 0.22
_MARK: dict[str, Any] = {"marker": "v", "markersize": 1.9, "fillstyle": "none"}
_THIN: dict[str, Any] = {"linestyle": "none", "markeredgewidth": 0.4}
#: Marks this far outside the frame are shown, as a fraction of the axes: one at the edge is whole.
_OUTSIDE = 0.01
#: Values down to this part of the smallest are shaded on a log axis.
_SHADED = 1e-6
#: Width of the place for one mark in a row, in points.
_APART = 4.0
#: Height of the row of marks above the floor of an axis, as a fraction of it.
_ROW = 0.018
#: Where this fraction of so many neighbours is not data, the others are drawn as points: a line
#: that jumps between one count and none would look like a bar code.
_SPARSE, _NEIGHBOURS = 0.25, 9


def shown(curve: Curve, *, log: bool) -> Flags:
    """Find the samples that are drawn as data."""
    hidden = curve.below_limit()
    if log:
        hidden = hidden | curve.not_positive()
    return ~hidden


def draw_curve(
    ax: Axes, curve: Curve, scale: Scale, *, log: bool, options: Mapping[str, Any]
) -> Any:
    """Draw the samples that are data; the line never bridges one that is not."""
    data = shown(curve, log=log)
    scattered = _scattered(data)
    x, y = scale(curve.series.x), curve.series.y
    style = {"color": curve.colour, "linestyle": curve.dash, "solid_joinstyle": "round", **options}
    (line,) = ax.plot(x, np.where(data & ~scattered, y, np.nan), **style)
    # A line of one sample has no length: show that as a point.
    alone = (data & scattered) | _without_neighbours(data & ~scattered)
    if alone.any() and not style.get("marker"):
        # A single sample must not look like dust.
        size = 5.0 if data.sum() == 1 else 2.0
        looks: Any = {
            "color": line.get_color(),
            "alpha": line.get_alpha(),
            "zorder": line.get_zorder(),
        }
        ax.plot(x[alone], y[alone], marker=".", markersize=size, **_THIN, **looks)
    return line


def _without_neighbours(data: Flags) -> Flags:
    """Find the samples that are data between two that are not."""
    return np.asarray(data & ~np.r_[False, data[:-1]] & ~np.r_[data[1:], False])


def _scattered(data: Flags) -> Flags:
    """Find samples whose neighbours are mostly not data, so that a line would be all gaps."""
    if data.size < 2 * _NEIGHBOURS or data.all():
        return np.zeros(data.shape, dtype=bool)
    window = np.ones(_NEIGHBOURS)
    gaps = np.convolve(~data, window, "same") / np.convolve(np.ones(data.size), window, "same")
    return np.asarray(gaps >= _SPARSE)


def draw_band(ax: Axes, curve: Curve, scale: Scale, *, log: bool, coverage: float) -> bool:
    """Shade the value +- coverage x standard error; return whether there is anything to shade."""
    stderr = curve.series.stderr
    if stderr is None or not coverage:
        return False
    data = shown(curve, log=log)
    # No bands around single points: they would look like a bar code, too.
    where = data & ~_scattered(data) & ~np.isnan(stderr)
    y = curve.series.y
    shade(ax, curve, scale, (y - coverage * stderr, y + coverage * stderr), where, log=log)
    return bool(where.any())


def shade(
    ax: Axes, curve: Curve, scale: Scale, ends: tuple[Array, Array], where: Flags, *, log: bool
) -> None:
    """Shade between two curves, in the colour of the one between them."""
    low, high = ends
    if log and where.any():
        # On a log axis, an interval down to zero goes below the floor, but not without end.
        low = np.maximum(low, _SHADED * curve.series.y[where].min())
    x, low, high = (
        scale(curve.series.x),
        np.where(where, low, np.nan),
        np.where(where, high, np.nan),
    )
    ax.fill_between(x, low, high, color=curve.colour, alpha=BAND, linewidth=0, zorder=1.5)


def mark_floor(ax: Axes, curves: Sequence[Curve], scale: Scale) -> list[Curve]:
    """Mark samples that a log axis cannot show, in a row at its floor; return the curves with such.

    The row has as many places as there is room for marks. Where several species need the same
    place, they take turns, so that each is seen.
    """
    hidden = {i: _visible(ax, curve, curve.not_positive(), scale) for i, curve in enumerate(curves)}
    wanted = {i: at for i, at in hidden.items() if at.size}
    places: dict[int, list[tuple[int, float]]] = {}
    for i, at in wanted.items():
        for place, depth in _row(ax, at).items():
            places.setdefault(place, []).append((i, depth))
    marks: dict[int, list[float]] = {i: [] for i in wanted}
    for guests in places.values():
        # The species with the fewest marks so far gets the place.
        i, depth = min(guests, key=lambda guest: len(marks[guest[0]]))
        marks[i].append(depth)
    # A species that got no place has no marks.
    for i, row in ((i, row) for i, row in marks.items() if row):
        _mark(ax, row, _ROW, curves[i], label=FLOOR, transform=ax.get_xaxis_transform())
    return [curves[i] for i in wanted]


def mark_below_limit(ax: Axes, curve: Curve, scale: Scale) -> bool:
    """Mark samples below the detection limit at the limit; return whether there are any."""
    row = list(_row(ax, _visible(ax, curve, curve.below_limit(), scale)).values())
    if row:
        _mark(ax, row, curve.limit, curve, label=LIMIT)
    return bool(row)


def _mark(ax: Axes, x: Sequence[float], y: float, curve: Curve, **options: Any) -> None:
    from matplotlib.transforms import Bbox, TransformedBbox

    style = {**_MARK, **_THIN, "color": curve.colour, **options}
    (line,) = ax.plot(x, np.full(len(x), y), scaley=False, **style)
    frame = Bbox([[-_OUTSIDE, -_OUTSIDE], [1 + _OUTSIDE, 1 + _OUTSIDE]])
    line.set_clip_box(TransformedBbox(frame, ax.transAxes))


def _visible(ax: Axes, curve: Curve, which: Flags, scale: Scale) -> Array:
    """Return the depths of some samples in the unit of the axis, inside its limits."""
    low, high = sorted(ax.get_xlim())
    x = np.asarray(scale(curve.series.x[which]))
    return x[(x >= low) & (x <= high)]


def _row(ax: Axes, x: Array) -> dict[int, float]:
    """Return, for each place in a row of marks, the first depth that falls there."""
    low, high = sorted(ax.get_xlim())
    width = (high - low) * _APART / (ax.bbox.width * 72.0 / ax.figure.dpi)
    places, first = np.unique(np.floor((x - low) / width).astype(int), return_index=True)
    return dict(zip(places.tolist(), x[first].tolist(), strict=True))
