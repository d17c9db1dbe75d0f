"""Axes for depth profiles: decades that are whole, right axes that match, ticks on every one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.errors import UnitsError
from sims_analysis.text.typeset import unit_label
from sims_analysis.units import unit_of_kind

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sims_analysis.analysis.series import Series

    Array = NDArray[np.float64]

__all__ = [
    "ROW",
    "Scale",
    "decades",
    "depth_scale",
    "label_of",
    "right_axes",
    "set_decades",
    "set_depth_limits",
    "value_axis_ticks",
]

#: Distance of a second right axis from the first, in points.
_SPINE_STEP = 42.0
#: Height of a row of marks above the floor of an axis, as a fraction of it.
ROW = 0.016
#: Up to so many decades, each has its minor ticks.
_FINE_DECADES = 16
#: Marks matplotlib's artists as ours, so that a second call finds its axes again.
_TAG = "sims:"


class Scale:
    """How depth is printed: the unit, and the label of the axis."""

    def __init__(self, series: Series, units: str | None) -> None:
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
    """Check that all profiles are on one kind of axis, and say how it is printed."""
    axes = {s.axis for s in series}
    if len(axes) > 1:
        raise UnitsError(
            "some profiles are on a depth axis, others on a sputter-time axis; draw them in two "
            "figures, or bring time to depth with calibrate_depth()"
        )
    return Scale(series[0], units)


def label_of(long_name: str, units: str) -> str:
    """Label of a value axis: ``Concentration (atoms/cm³)``."""
    unit = unit_label(units)
    return f"{long_name} ({unit})" if unit else long_name


def right_axes(ax: Axes, label: str) -> Axes:
    """Give the right axis of this label, a new one if there is none yet."""
    ours = [
        other
        for other in ax.figure.axes
        if str(other.get_label()).startswith(_TAG)
        and other.get_position().bounds == ax.get_position().bounds
        and ax.get_shared_x_axes().joined(ax, other)
    ]
    for other in ours:
        if other.get_label() == _TAG + label:
            return other
    right = ax.twinx()
    right.set_label(_TAG + label)
    right.set_ylabel(label)
    # A style sheet may ask for a grid: that of a right axis would run over the curves of the left.
    right.grid(visible=False, which="both")
    ax.tick_params(axis="y", which="both", right=False)
    if ours:
        right.spines["right"].set_position(("outward", len(ours) * _SPINE_STEP))
    return right


def decades(positive: Array, rows: int) -> tuple[float, float]:
    """Give the exponents between which an axis runs: whole decades around the values.

    Parameters
    ----------
    positive : ndarray
        Values that are drawn.
    rows : int
        Rows of marks at the floor; they need room below the values.
    """
    if positive.size == 0:
        return 0.0, 1.0
    bottom = math.log10(positive.min())
    low, high = math.floor(bottom + 1e-9), math.ceil(math.log10(positive.max()) - 1e-9)
    if low == high:
        # All values are one power of ten: on the frame, nobody would see them.
        low, high = low - 1, high + 1
    fraction = ROW * (rows + 1) if rows else 0.0
    return min(low, (bottom - fraction * high) / (1.0 - fraction)), float(high)


def set_decades(axes: Sequence[Axes], spans: Sequence[tuple[float, float]]) -> None:
    """Set the limits of the value axes; right axes show as many decades as the left.

    Axes whose limits the user has fixed keep them; a second call widens those of the first.
    """
    spans = [_united(ax, span, "_sims_decades") for ax, span in zip(axes, spans, strict=True)]
    count = max(high - low for low, high in spans)
    for i, (ax, (low, high)) in enumerate(zip(axes, spans, strict=True)):
        if _is_ours(ax, "y"):
            # The left axis gets its room at the top, for names; the right ones below their data,
            # which are high and flat more often than not.
            missing = count - (high - low)
            bottom, top = (low, high + missing) if i == 0 else (low - missing, high)
            ax.set_ylim(10.0**bottom, 10.0**top)
            ax._sims_ylim = ax.get_ylim()  # type: ignore[attr-defined]


def _united(ax: Axes, span: tuple[float, float], key: str) -> tuple[float, float]:
    """Unite with what an earlier call has shown on the same axes."""
    before = getattr(ax, key, span)
    united = min(span[0], before[0]), max(span[1], before[1])
    setattr(ax, key, united)
    return united


def _is_ours(ax: Axes, which: str) -> bool:
    """Whether limits were never set, or set by us and not changed since."""
    automatic = ax.get_autoscaley_on() if which == "y" else ax.get_autoscalex_on()
    limits = ax.get_ylim() if which == "y" else ax.get_xlim()
    return automatic or getattr(ax, f"_sims_{which}lim", None) == limits


def value_axis_ticks(ax: Axes) -> None:
    """Put a tick at every decade, and minor ticks at 2 to 9 unless they would blacken the axis."""
    from matplotlib.ticker import LogLocator, NullFormatter, NullLocator

    ax.yaxis.set_major_locator(LogLocator(base=10.0, numticks=16))
    bottom, top = sorted(ax.get_ylim())
    many = bottom > 0 and math.log10(top / bottom) > _FINE_DECADES
    ax.yaxis.set_minor_locator(
        NullLocator() if many else LogLocator(base=10.0, subs=tuple(range(2, 10)), numticks=200)
    )
    ax.yaxis.set_minor_formatter(NullFormatter())


def set_depth_limits(ax: Axes, x: Sequence[Array]) -> None:
    """Begin the depth axis at the surface, and end it with the data."""
    if not _is_ours(ax, "x"):
        return
    ends = min(float(v.min()) for v in x), max(float(v.max()) for v in x)
    low, high = _united(ax, ends, "_sims_depths")
    if 0 <= low < 0.25 * high:
        low = 0.0
    if low == high:
        low, high = low - 0.5, high + 0.5
    ax.set_xlim(low, high)
    ax._sims_xlim = ax.get_xlim()  # type: ignore[attr-defined]
