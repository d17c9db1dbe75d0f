"""Axes for depth profiles: limits in whole decades around the lines that any call has drawn."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.errors import ProfileWarning, warn
from sims_analysis.figures.curves import DECADES
from sims_analysis.kernels.rows import Array
from sims_analysis.text.arguments import argument_error, is_number
from sims_analysis.units import read_number
from sims_analysis.vocabulary import VALUE_KINDS

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from sims_analysis.figures.plot import Plot

Span = tuple[float, float]


@dataclass(frozen=True)
class _Rules:
    """The numbers by which limits and ticks are chosen."""

    surface: float = 0.25  # of the depths: nearer to the surface, the axis begins there
    room: float = 0.3  # below and above values that would lie on the frame, in decades,
    near: float = 0.06  # which are so near to it, in decades,
    floor: float = 0.05  # or above the lowest decade by this part
    margin: float = 0.05  # above and below the data on a linear axis, in their range
    rounding: float = 1e-9  # of a logarithm: a power of ten is a limit of its own decade
    fine: int = 16  # decades, at most, that have minor ticks
    decade: float = 0.2  # height in inches below which a decade has ticks at 2 and 5 alone,
    number: float = 0.12  # and below which not every decade has a number, as they would touch:
    apart: float = 1.5  # these are so many times as far apart


_RULES = _Rules()


def _set_limits(plot: Plot, ax: Axes, axis: str, limits: Span) -> None:
    """Set the limits of an axis, unless the user has set others than an earlier call has left."""
    from sims_analysis.figures.layout import layout_at

    shared = _sharing(ax, axis)
    now = getattr(ax, f"get_{axis}lim")()
    layouts = [plot.layout, *filter(None, map(layout_at, shared))]
    ours = [layout.limits[each, axis] for layout in layouts for each in shared
            if (each, axis) in layout.limits]  # fmt: skip
    if getattr(ax, f"get_autoscale{axis}_on")() or now in ours:
        ax.set(**{f"{axis}lim": limits})
        for plot_layout in layouts:
            plot_layout.limits[ax, axis] = getattr(ax, f"get_{axis}lim")()


def _sharing(ax: Axes, axis: str) -> list[Axes]:
    """List the axes that have the limits of one, such as those of ``plt.subplots(sharey=True)``."""
    return list(getattr(ax, f"get_shared_{axis}_axes")().get_siblings(ax))


def _data(plots: Sequence[Plot], ax: Axes, axis: str) -> list[tuple[Array, Array, Any]]:
    """List the samples of all curves that share an axis, and which are within limits of depth."""
    from sims_analysis.figures.layout import layout_at

    extents = []
    sharing = _sharing(ax, axis)
    layouts = [*(plot.layout for plot in plots), *filter(None, map(layout_at, sharing))]
    for line, factor in [pair for layout in dict.fromkeys(layouts) for pair in layout.extents]:
        if line.axes in sharing:
            low, high = sorted(line.axes.get_xlim())
            x, y = (np.asarray(a, dtype=np.float64) for a in line.get_data(orig=False))
            extents.append((x, factor * y, (x >= low) & (x <= high)))
    return extents


def depth_limits(low: float, high: float) -> Span:
    """Let a depth axis begin at the surface, if the first sample is not far from it."""
    low = 0.0 if 0 <= low < _RULES.surface * high else low
    return (low - 0.5, high + 0.5) if low == high else (low, high)


def _value_ranges(plots: Sequence[Plot]) -> dict[str, Span]:
    """Return the limits of the value axes, by their labels: log ones over as many decades each."""
    log: dict[str, bool] = {}
    samples: dict[str, list[tuple[Array, Array]]] = {}
    for plot in plots:
        for label, ax in plot.layout.axes.items():
            log[label] = ax.get_yscale() == "log"
            selected = samples.setdefault(label, [])
            for _, y, inside in _data(plots, ax, "y"):
                valid = np.isfinite(y) & ((y > 0) | (not log[label]))
                selected.append((y[valid], y[valid & inside]))
    marked = any(plot.layout.has_floor_marks for plot in plots)
    values = {
        label: [pair[any(inside.size for _, inside in pairs)] for pair in pairs]
        for label, pairs in samples.items()
    }
    every = {label: np.concatenate([*ys, []]) for label, ys in values.items()}
    ranges = {label: linear(y) for label, y in every.items() if not log[label]}
    spans = {label: decades(y) for label, y in every.items() if log[label]}
    floor = marked or any(
        (np.abs(y / 10.0**low - 1.0) < _RULES.floor).sum() > 1
        for label, (low, _) in spans.items()
        for y in values[label]
    )
    tops = [high - math.log10(every[k].max()) for k, (_, high) in spans.items() if every[k].size]
    room = _RULES.room * floor, _RULES.room * (min(tops, default=1.0) < _RULES.near)
    count = max((high - low for low, high in spans.values()), default=0.0)
    for i, (label, (low, high)) in enumerate(spans.items()):
        # The left axis gets its room at the top, for names; the right ones below their data,
        # which are usually high and flat.
        extra = count - (high - low)
        bottom, top = (low, high + extra) if i == 0 else (low - extra, high)
        ranges[label] = 10.0 ** (bottom - room[0]), 10.0 ** (top + room[1])
    return ranges


def linear(y: Array) -> Span:
    """Return the limits of a linear axis: with room around the values."""
    if not y.size:
        return 0.0, 1.0
    low, high = float(y.min()), float(y.max())
    room = _RULES.margin * (high - low) or 0.5 * abs(high) or 0.5
    return low - room, high + room


def decades(positive: Array) -> Span:
    """Return the exponents of the limits of an axis: whole decades around the values."""
    if positive.size == 0:
        return 0.0, 1.0
    top = float(positive.max())
    least = positive[positive >= 10.0**-DECADES * top].min()
    low = math.floor(math.log10(least) + _RULES.rounding)
    high = math.ceil(math.log10(top) - _RULES.rounding)
    # If all values are the same power of ten, they would be hidden by the frame.
    return (low - 1.0, high + 1.0) if low == high else (float(low), float(high))


def set_depth_limits(plots: Sequence[Plot]) -> None:
    """Let the depth axes run from the surface to the end of the data, or as the user wants."""
    for plot in plots:
        kind = plot.scale.kind
        left = [plot.ax for plot in plots if plot.scale.kind == kind]
        depths = [x for ax in left for x, *_ in _data(plots, ax, "x")]
        every = np.concatenate([*depths] or [np.array([0.0, 1.0])])
        ends = depth_limits(float(every.min()), float(every.max()))
        _set_limits(plot, plot.ax, "x", ends)
        plot.ax.set_xlim(*_user_limits(plot, "xlim", (kind,), plot.scale))


def set_value_limits(plots: Sequence[Plot]) -> None:
    """Scale the value axes: to whole decades around the data, or as the user wants."""
    ranges = _value_ranges(plots)
    for plot in plots:
        for label, ax in plot.layout.axes.items():
            _set_limits(plot, ax, "y", ranges[label])
        left = min(plot.curves, key=lambda curve: curve.rank)
        plot.ax.set_ylim(*_user_limits(plot, "ylim", left.kinds or VALUE_KINDS, left.in_units))
        for ax in plot.layout.axes.values():
            if ax.get_yscale() == "log":
                value_axis_ticks(ax)
                continue
            with suppress(AttributeError):  # a formatter of the user writes no power of ten
                ax.ticklabel_format(axis="y", useMathText=True, useOffset=False)
        _check_shown(plot)


def _check_shown(plot: Plot) -> None:
    """Warn of limits of the user that show none of the curves."""
    left = [y[inside & np.isfinite(y)] for _, y, inside in _data([plot], plot.ax, "y")]
    for axis, values in (("x", [x for x, *_ in _data([plot], plot.ax, "x")]), ("y", left)):
        limits, every = getattr(plot.options, f"{axis}lim"), np.concatenate([*values, []])
        low, high = sorted(getattr(plot.ax, f"get_{axis}lim")())
        if limits is not None and every.size and (every.max() < low or every.min() > high):
            label, ends = getattr(plot.ax, f"get_{axis}label")(), (every.min(), every.max())
            span = f"{label} is {ends[0]:.4g} to {ends[1]:.4g} in the data"
            text = f"{axis}lim={limits} shows no curve: {span}"
            warn(text, ProfileWarning, code="not_shown", argument=f"{axis}lim")


def _user_limits(
    plot: Plot, name: str, kinds: tuple[str, ...], convert: Callable[[float], Any]
) -> tuple[float | None, float | None]:
    """Read limits of an axis: with a unit, or as bare numbers in the unit of the axis."""
    limits = getattr(plot.options, name)
    if limits is None:
        return None, None
    if not isinstance(limits, tuple | list | np.ndarray) or np.shape(limits) != (2,):
        raise argument_error(name, limits, "expected (low, high)")

    def read(value: Any) -> float | None:
        if value is None or is_number(value):
            return value
        return float(convert(read_number(value, kinds, name)))

    ends = read(limits[0]), read(limits[1])
    numbers = [value for value in ends if value is not None]
    if not np.isfinite(numbers).all() or len(set(numbers)) < len(numbers):
        raise argument_error(name, limits, "expected two different finite numbers")
    if name == "ylim" and plot.ax.get_yscale() == "log" and min(numbers, default=1.0) <= 0.0:
        expected = "a log axis has no zero; None leaves a limit to the data"
        raise argument_error(name, limits, f"{expected}, and scale='linear' draws one")
    return ends


def below_axes(ax: Axes) -> float:
    """Return a value far below an axes, to which shades and lines reach whatever its limits are."""
    low, high = sorted(ax.get_ylim())
    return 1e-9 * low if ax.get_yscale() == "log" else low - 10.0 * (high - low)


def value_axis_ticks(ax: Axes) -> None:
    """Set a tick at every decade, and minor ticks at 2 to 9, or fewer where these would blacken."""
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

    bottom, top = sorted(ax.get_ylim())
    span = math.log10(top / bottom) if bottom > 0 else 0.0
    figure: Any = ax.figure
    height = ax.bbox.height / figure.dpi
    subs: tuple[int, ...] = tuple(range(2, 10)) if height >= _RULES.decade * span else (2, 5)
    max_ticks = _RULES.fine
    if height < _RULES.number * span:
        subs, max_ticks = (1,), max(3, int(height / (_RULES.apart * _RULES.number)))
    minor = LogLocator(base=10.0, subs=subs, numticks=200)
    ax.yaxis.set_major_locator(LogLocator(base=10.0, numticks=max_ticks))
    ax.yaxis.set_minor_locator(minor if span <= _RULES.fine else NullLocator())
    if span >= 1.0:
        ax.yaxis.set_minor_formatter(NullFormatter())


def date_ticks(ax: Axes) -> None:
    """Write dates below an axis as short as can be, the year once."""
    from matplotlib import dates

    untyped: Any = dates
    locator = untyped.AutoDateLocator(minticks=2, maxticks=5)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(untyped.ConciseDateFormatter(locator))
