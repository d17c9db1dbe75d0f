"""Drawing one curve: the line, its band, and marks for samples that are not drawn as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.figures.curves import Curve
from sims_analysis.figures.free_space import has_mark
from sims_analysis.figures.plot import Plot
from sims_analysis.figures.style import BAND
from sims_analysis.kernels.rows import Array, Flags
from sims_analysis.outcomes import Kind

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_MARK: dict[str, Any] = {"marker": "v", "markersize": 1.9, "fillstyle": "none"}
OF_KIND: dict[str, Any] = {"markersize": 3, "fillstyle": "none"}
_THIN: dict[str, Any] = {"linestyle": "none", "markeredgewidth": 0.4}
#: The line over a gap.
_GAP: dict[str, Any] = {"linestyle": (0, (1, 1.5)), "linewidth": 0.8, "marker": ""}
#: Marks this far outside the frame are shown, as a fraction of the axes: one at the edge is whole.
_OUTSIDE = 0.01
#: Values down to this part of the smallest are shaded on a log axis.
_SHADED = 1e-6
#: Width of the place for one mark in a row, in points.
_MARK_WIDTH = 4.0
#: Height of a row of marks above the floor of an axis, as a fraction of it; and how many there are:
#: of more species with marks, some share their row.
_HEIGHT, _ROWS = 0.018, 6
#: Where this fraction of so many neighbours is not data, the others are drawn as points: a line
#: that jumps between one count and none would look like a bar code.
_SPARSE_FROM, _NEIGHBOURS = 0.25, 9


def is_data(curve: Curve) -> Flags:
    """Find the samples that are drawn as data."""
    below = curve.below_limit()
    return ~(below | curve.not_positive()) if curve.log else ~below


def draw_curve(plot: Plot, curve: Curve, style: Mapping[str, Any]) -> Any:
    """Draw the samples that are data, over a gap, where nothing was measured, a dotted line."""
    ax, data = plot.axes_of(curve), is_data(curve)
    on_line = data & ~_is_sparse(data)
    x, y = plot.scale(curve.x), curve.y
    line_y = np.where(on_line, y, np.nan)
    options = {"color": curve.colour, "linestyle": curve.dash, "solid_joinstyle": "round", **style}
    (line,) = ax.plot(*_open_at_gaps(curve, x, line_y), **options)
    for i in curve.gaps:
        ends = slice(i, i + 2)
        ax.plot(x[ends], line_y[ends], **_GAP, **_shared_style(line))
    # A line of one sample has no length: show that as a point.
    has_neighbour = np.r_[False, on_line[:-1]] | np.r_[on_line[1:], False]
    single = data & ~(on_line & has_neighbour)
    if single.any() and not has_mark(line):
        # A single sample must not look like dust.
        size = 5.0 if data.sum() == 1 else 2.0
        style = {"marker": ".", "markersize": size, **_THIN, **_shared_style(line)}
        plot.layout.extents += [(dot, 1.0) for dot in ax.plot(x[single], y[single], **style)]
    plot.layout.extents.append((line, 1.0))
    return line


def _open_at_gaps(curve: Curve, x: Array, *columns: Array) -> list[Array]:
    """Put NaN into columns, in the middle of each gap between two samples."""
    before, after = curve.gaps, curve.gaps + 1
    with_nan = [np.insert(column, after, np.nan) for column in columns]
    return [np.insert(x, after, 0.5 * (x[before] + x[after])), *with_nan]


def _shared_style(line: Any) -> dict[str, Any]:
    """Return the looks of a line that what belongs to it shares."""
    return {name: getattr(line, f"get_{name}")() for name in ("color", "alpha", "zorder")}


def _is_sparse(data: Flags) -> Flags:
    """Find samples whose neighbours are mostly not data, so that a line would be all gaps."""
    if data.size < 2 * _NEIGHBOURS or data.all():
        return np.zeros(data.shape, dtype=bool)
    window = np.ones(_NEIGHBOURS)
    gaps = np.convolve(~data, window, "same") / np.convolve(np.ones(data.size), window, "same")
    return np.asarray(gaps >= _SPARSE_FROM)


def draw_band(plot: Plot, curve: Curve) -> bool:
    """Shade the value +- coverage x standard error; return whether there is anything to shade."""
    y, stderr, coverage = curve.y, curve.stderr, plot.options.coverage
    if stderr is None or not coverage:
        return False
    data, low = is_data(curve), y - coverage * stderr
    # No bands around single points, and down to zero: they, too, would look like a bar code.
    where = data & ~_is_sparse(data) & ~np.isnan(stderr) & ((low > 0) | (not curve.log))
    shade(plot, curve, low, y + coverage * stderr, where)
    return bool(where.any())


def shade(plot: Plot, curve: Curve, low: Array, high: Array, where: Flags) -> None:
    """Shade between two curves, in the colour of the one between them."""
    if curve.log and where.any():
        # On a log axis, an interval down to zero goes below the floor, but not without end.
        low = np.maximum(low, _SHADED * curve.y[where].min())
    x = plot.scale(curve.x)
    ends = (np.where(where, end, np.nan) for end in (low, high))
    x, low, high = _open_at_gaps(curve, x, *ends)
    style: Any = {"color": curve.colour, "alpha": BAND, "linewidth": 0, "zorder": 1.5}
    plot.axes_of(curve).fill_between(x, low, high, **style)


def mark_floor(plot: Plot) -> list[Curve]:
    """Mark samples that a log axis cannot show, in rows at its floor; return their curves."""
    marked: list[Curve] = []
    for curve in [curve for curve, _ in plot.lines if curve.log]:
        row = _depths_in_row(plot, plot.ax, curve, curve.not_positive())
        if row:
            marked.append(curve)
            height, place = _HEIGHT * (1 + (len(marked) - 1) % _ROWS), plot.ax.get_xaxis_transform()
            _mark(plot.ax, row, height, curve, label="_floor", transform=place)
            plot.layout.has_floor_marks = True
    return marked


def mark_below_limit(plot: Plot, curve: Curve) -> bool:
    """Mark samples below the detection limit at the limit; return whether there are any."""
    ax = plot.axes_of(curve)
    row = _depths_in_row(plot, ax, curve, curve.below_limit())
    marks = [_mark(ax, row, curve.detection_limit, curve, label="_limit")] if row else []
    style: dict[str, Any] = {"linewidth": 0.6, "color": curve.colour, "label": "_limit"}
    for run in curve.limited:
        ends = plot.scale(np.array([run.first, run.last]))
        ax.plot(ends, [run.height] * 2, marker="", scaley=False, **style)
        marks.append(_mark(ax, [float(ends.mean())], run.height, curve, label="_limit"))
    # Half of each is within the limits of the axes: otherwise the marks would be on the frame.
    plot.layout.extents.extend((line, 0.5) for line in marks)
    return bool(marks)


def mark_kind(plot: Plot, curve: Curve, kind: Kind) -> bool:
    """Mark samples of which something is known; return whether there are any."""
    flags = curve.of_kind(kind) & is_data(curve)
    x = plot.scale(curve.x[flags])
    style = {
        **OF_KIND,
        "marker": kind.marker,
        **_THIN,
        "color": curve.colour,
        "label": f"_{kind.name}",
    }
    if flags.any():
        plot.axes_of(curve).plot(x, curve.y[flags], scaley=False, **style)
    return bool(flags.any())


def _mark(ax: Axes, x: Sequence[float], y: float, curve: Curve, **options: Any) -> Any:
    from matplotlib.transforms import Bbox, TransformedBbox

    style = {**_MARK, **_THIN, "color": curve.colour, **options}
    (line,) = ax.plot(x, np.full(len(x), y), scaley=False, **style)
    frame = Bbox([[-_OUTSIDE, -_OUTSIDE], [1 + _OUTSIDE, 1 + _OUTSIDE]])
    line.set_clip_box(TransformedBbox(frame, ax.transAxes))
    return line


def _depths_in_row(plot: Plot, ax: Axes, curve: Curve, flags: Flags) -> list[float]:
    """Return the first depth of some samples in each place of a row of marks, inside the limits."""
    low, high = sorted(ax.get_xlim())
    x = np.asarray(plot.scale(curve.x[flags]))
    x = x[(x >= low) & (x <= high)]
    width = (high - low) * _MARK_WIDTH / (ax.bbox.width * 72.0 / ax.figure.dpi)
    _, first = np.unique(np.floor((x - low) / width), return_index=True)
    return list(map(float, x[first]))
