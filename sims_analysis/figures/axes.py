"""Axes for depth profiles: limits in whole decades, and right axes in step with the left ones."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.errors import UnitsError
from sims_analysis.text.typeset import unit_label
from sims_analysis.units import read_quantity, unit_of_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sims_analysis.analysis.series import Series
    from sims_analysis.figures.curves import Curve

    Array = NDArray[np.float64]

__all__ = [
    "Memory",
    "Scale",
    "by_axis",
    "decades",
    "depth_scale",
    "discard",
    "from_surface",
    "label_of",
    "memory",
    "right_axes",
    "set_decades",
    "set_depth_limits",
    "set_wanted",
    "spread_right_axes",
    "typeset_power",
    "user_limits",
    "value_axis_ticks",
]

#: Distance between the labels of one right axis and the next axis, in points.
_APART = 5.0
#: Room below values that would lie on the frame, in decades.
_ROOM = 0.3
#: Up to so many decades have minor ticks.
_FINE_DECADES = 16


@dataclass
class Memory:
    """What earlier calls have drawn in an axes, so that the next call adds to it.

    Parameters
    ----------
    house : bool
        Whether the first call drew in the house style.
    entitled : bool
        Whether its title is typeset already, and its figure says that data are synthetic.
    axes : dict
        Label of a value axis -> its axes; the left one first.
    drawn : list
        The curves.
    decades, depths : dict, tuple
        What is shown so far: exponents by label of the axis, ends of the depth axis.
    room : bool
        Whether the floor has room for marks.
    limits : dict
        Limits that we have set: as long as the axes have them, we may widen them.
    colours : dict
        Species or measurement -> its colour in the figure.
    beside, written : list
        Names with their curves, to be written beside these, and the texts that are written.
    names, names_legend, notes, notes_legend : dict, artist
        Names and explanations with their handles, and the lists that show them.
    explained : set
        Marks that a panel of the figure has explained already.
    waiting : list of (function, function) or None
        In a panel: what writes its texts when all panels are drawn, and what adjusts them when the
        lists around the panels have moved the panels.
    common : list of Curve
        Curves of all panels, which share their limits.
    """

    house: bool = False
    entitled: bool = False
    axes: dict[str, Any] = field(default_factory=dict)
    drawn: list[Any] = field(default_factory=list)
    decades: dict[str, tuple[float, float]] = field(default_factory=dict)
    depths: tuple[float, float] | None = None
    room: bool = False
    limits: dict[str, tuple[float, float]] = field(default_factory=dict)
    colours: dict[str, str] = field(default_factory=dict)
    beside: list[tuple[str, Any]] = field(default_factory=list)
    written: list[Any] = field(default_factory=list)
    names: dict[str, Any] = field(default_factory=dict)
    names_legend: Any = None
    notes: dict[str, Any] = field(default_factory=dict)
    notes_legend: Any = None
    explained: set[str] = field(default_factory=set)
    waiting: list[tuple[Callable[[], None], Callable[[], None]]] | None = None
    common: list[Curve] = field(default_factory=list)


def memory(ax: Axes) -> Memory:
    """Return what earlier calls have drawn in an axes; it is kept there, and copied with it.

    Axes that were cleared count as new.
    """
    known: Memory | None = getattr(ax, "_sims", None)
    if known is None or (known.drawn and all(line.get_figure() is None for line in known.drawn)):
        known = Memory()
        ax._sims = known  # type: ignore[attr-defined]
    return known


def discard(artist: Any) -> None:
    """Remove an artist from its axes or figure, if it still is there."""
    if artist.get_figure() is not None:
        artist.remove()


class Scale:
    """The unit in which depth is printed, and the label of the axis."""

    def __init__(self, series: Series, units: str | None) -> None:
        self.kind = series.axis
        self.units = series.axis_units
        self._unit = None
        if units is not None:
            self._unit = unit_of_kind(units, (series.axis,), "depth_units")
            self.units = self._unit.text
        name = "Depth" if series.axis == "depth" else "Sputter time"
        self.label = f"{name} ({unit_label(self.units)})"

    def __call__(self, x: Any) -> Any:
        """Convert from the canonical unit."""
        return x if self._unit is None else self._unit.from_canonical(x)


def depth_scale(series: Sequence[Series], units: str | None) -> Scale:
    """Check that all profiles are on one kind of axis, and return how it is printed."""
    axes = {s.axis for s in series}
    if len(axes) > 1:
        raise UnitsError(
            "some profiles are on a depth axis, others on a sputter-time axis; draw them in two "
            "figures, or turn time into depth with calibrate_depth()"
        )
    return Scale(series[0], units)


def label_of(long_name: str, units: str) -> str:
    """Label of a value axis: ``Concentration (atoms/cm³)``."""
    unit = unit_label(units)
    return f"{long_name} ({unit})" if unit else long_name


def by_axis(curves: Sequence[Curve]) -> dict[str, list[Curve]]:
    """Sort the curves by value axis; the preferred quantity comes first, on the left."""
    groups: dict[str, list[Curve]] = {}
    for curve in sorted(curves, key=lambda curve: curve.rank):
        label = label_of(curve.series.long_name, curve.series.units)
        groups.setdefault(label, []).append(curve)
    return groups


def user_limits(
    limits: tuple[Any, Any] | None, kinds: tuple[str, ...], name: str, convert: Any
) -> tuple[float | None, float | None]:
    """Read limits of an axis: with a unit, or as bare numbers in the unit of the axis."""
    if limits is None:
        return None, None
    try:
        low, high = limits
    except (TypeError, ValueError):
        raise ValueError(f"{name}={limits!r}; expected (low, high)") from None
    return _limit(low, kinds, name, convert), _limit(high, kinds, name, convert)


def _limit(value: Any, kinds: tuple[str, ...], name: str, convert: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, int | float | np.number):
        return float(value)
    return float(convert(read_quantity(value, kinds, name)[0]))


def right_axes(ax: Axes, label: str) -> Axes:
    """Return the axes with this label: the left ones, existing ones, or new ones on the right."""
    known = memory(ax).axes
    if label in known:
        found: Axes = known[label]
        return found
    if not known:
        ax.set_ylabel(label)
        known[label] = ax
        return ax
    right = ax.twinx()
    right.set_ylabel(label)
    # A style sheet may ask for a grid; that of right axes would cross the curves of the left ones.
    right.grid(visible=False, which="both")
    ax.tick_params(axis="y", which="both", right=False)
    known[label] = right
    return right


def spread_right_axes(ax: Axes) -> None:
    """Move each further right axis outward, beyond the labels of the previous one."""
    right = [each for each in memory(ax).axes.values() if each is not ax]
    figure: Any = ax.figure
    for before, each in pairwise(right):
        box = before.yaxis.get_tightbbox(figure.canvas.get_renderer())
        outward = (box.x1 - ax.bbox.x1) * 72.0 / figure.dpi + _APART
        each.spines["right"].set_position(("outward", round(outward, 1)))


def decades(positive: Array) -> tuple[float, float]:
    """Return the exponents of the limits of an axis: whole decades around the values."""
    if positive.size == 0:
        return 0.0, 1.0
    low = math.floor(math.log10(positive.min()) + 1e-9)
    high = math.ceil(math.log10(positive.max()) - 1e-9)
    # If all values are the same power of ten, they would be hidden by the frame.
    return (low - 1.0, high + 1.0) if low == high else (float(low), float(high))


def set_decades(
    ax: Axes, spans: dict[str, tuple[float, float]], *, room: bool, ylim: tuple[Any, Any]
) -> None:
    """Set the limits of the value axes, which all show the same number of decades, in step.

    Limits that the user has fixed are kept; a second call widens those of the first.

    Parameters
    ----------
    spans : dict
        Label of an axis -> exponents that it has to show.
    room : bool
        Whether there are marks or values at the floor, which then gets a little room.
    ylim : (float or None, float or None)
        Of the left axes, as the user wants it.
    """
    known = memory(ax)
    for label, span in spans.items():
        before = known.decades.get(label, span)
        known.decades[label] = min(span[0], before[0]), max(span[1], before[1])
    known.room |= room
    below = _ROOM if known.room else 0.0
    count = max(high - low for low, high in known.decades.values())
    for label, (low, high) in known.decades.items():
        each = known.axes[label]
        if not _is_ours(each, known, "y" + label):
            continue
        # The left axis gets its room at the top, for names; the right ones below their data,
        # which are usually high and flat.
        missing = count - (high - low)
        bottom, top = (low, high + missing) if each is ax else (low - missing, high)
        each.set_ylim(10.0 ** (bottom - below), 10.0**top)
        known.limits["y" + label] = each.get_ylim()
    set_wanted(ax.set_ylim, ylim)


def set_wanted(set_limits: Any, wanted: tuple[float | None, float | None]) -> None:
    """Set the limits that the user wants, if any."""
    if wanted != (None, None):
        set_limits(*wanted)


def _is_ours(ax: Axes, known: Memory, which: str) -> bool:
    """Whether limits were never set, or were set by us and not changed since."""
    vertical = which.startswith("y")
    automatic = ax.get_autoscaley_on() if vertical else ax.get_autoscalex_on()
    limits = ax.get_ylim() if vertical else ax.get_xlim()
    return automatic or known.limits.get(which) == limits


def value_axis_ticks(ax: Axes) -> None:
    """Set a tick at every decade, and minor ticks at 2 to 9 unless there would be too many."""
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

    ax.yaxis.set_major_locator(LogLocator(base=10.0, numticks=16))
    bottom, top = sorted(ax.get_ylim())
    many = bottom > 0 and math.log10(top / bottom) > _FINE_DECADES
    ax.yaxis.set_minor_locator(
        NullLocator() if many else LogLocator(base=10.0, subs=tuple(range(2, 10)), numticks=200)
    )
    ax.yaxis.set_minor_formatter(NullFormatter())


def typeset_power(ax: Axes) -> None:
    """Print the power of ten above a linear axis as one: ``×10²²``, not ``1e22``."""
    from matplotlib.ticker import ScalarFormatter

    formatter = ax.yaxis.get_major_formatter()
    if isinstance(formatter, ScalarFormatter):
        formatter.set_useMathText(True)


def from_surface(low: float, high: float) -> float:
    """Return where a depth axis begins: at the surface, if the first sample is not far from it."""
    return 0.0 if 0 <= low < 0.25 * high else low


def set_depth_limits(
    ax: Axes, x: Sequence[Array], wanted: tuple[float | None, float | None]
) -> None:
    """Let the depth axis run from the surface to the end of the data, or as the user wants."""
    known = memory(ax)
    if _is_ours(ax, known, "x"):
        low, high = min(float(v.min()) for v in x), max(float(v.max()) for v in x)
        if known.depths is not None:
            low, high = min(low, known.depths[0]), max(high, known.depths[1])
        known.depths = low, high
        low = from_surface(low, high)
        if low == high:
            low, high = low - 0.5, high + 0.5
        ax.set_xlim(low, high)
        known.limits["x"] = ax.get_xlim()
    set_wanted(ax.set_xlim, wanted)
