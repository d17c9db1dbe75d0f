"""Results in a figure: junctions, dose windows, peaks, decay lengths, limits, and what they say.

Marks stand on the curve they belong to; their numbers stand in a list that is put where no curve
runs. A result that is no number (a junction that was never reached) is listed with its status.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis import _typeset
from sims_analysis.errors import ProfileError
from sims_analysis.figures.curves import of_curve
from sims_analysis.rounding import rounded
from sims_analysis.units import dequantify, read_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sims_analysis.figures.axes import Scale
    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.placing import Obstacles

    Array = NDArray[np.float64]

__all__ = ["Notes", "Results"]


class Notes:
    """The list that explains marks and names the results."""

    def __init__(self, ax: Axes) -> None:
        self.ax = ax
        #: Kept on the axes, so that a second call adds to the list of the first.
        self.entries: dict[str, Any] = getattr(ax, "_sims_notes", {})
        #: Marks that another panel of the figure has explained already.
        self.explained: set[str] = getattr(ax, "_sims_explained", set())
        ax._sims_notes = self.entries  # type: ignore[attr-defined]

    def add(self, text: str, **style: Any) -> None:
        """Add an entry whose handle is a line of this style."""
        from matplotlib.lines import Line2D

        self.entries.setdefault(text, Line2D([], [], **style))

    def explain(self, text: str, **style: Any) -> None:
        """Add an entry about a kind of mark, once in a figure of several panels."""
        if text not in self.explained:
            self.add(text, **style)
        self.explained.add(text)

    def add_hidden(self, curve: Curve) -> None:
        """Say what the marks at the floor are."""
        negative = bool((curve.series.y < 0).any())
        if negative:
            self.entries.pop("zero", None)
        if negative or "zero or negative" not in self.entries:
            self._add_triangle("zero or negative" if negative else "zero")

    def _add_triangle(self, text: str) -> None:
        self.explain(
            text,
            marker="v",
            linestyle="none",
            color="0.35",
            markersize=3,
            markeredgewidth=0.5,
            fillstyle="none",
        )

    def add_limits(self, ax: Axes, group: Sequence[Curve]) -> None:
        """Draw the detection limits of an axis, one line where all are the same."""
        limits = {curve.limit for curve in group if not np.isnan(curve.limit)}
        style: dict[str, Any] = {"linestyle": (0, (4, 2)), "linewidth": 0.6}
        if len(limits) == 1:
            ax.axhline(next(iter(limits)), color="0.35", zorder=1, **style)
        else:
            for curve in group:
                if not np.isnan(curve.limit):
                    ax.axhline(curve.limit, color=curve.colour, zorder=1, **style)
        if limits:
            self.explain("detection limit", color="0.35", **style)
        if any(curve.below_limit().any() for curve in group):
            self._add_triangle("below the limit")

    def write(self, ax: Axes, obstacles: Obstacles, *, own: bool) -> None:
        """Put the list where it covers nothing: inside the axes, or below those of our figure."""
        before = getattr(self.ax, "_sims_notes_legend", None)
        if before is not None:
            before.remove()
        if not self.entries:
            return
        handles, texts = list(self.entries.values()), list(self.entries)
        style: dict[str, Any] = {
            "frameon": False,
            "handlelength": 1.4,
            "labelspacing": 0.25,
            "borderpad": 0.2,
        }
        previous = ax.get_legend()

        def inside(x: float, y: float) -> Any:
            anchor: dict[str, Any] = {
                "loc": "upper left",
                "bbox_to_anchor": (x, y),
                "borderaxespad": 0.0,
            }
            return ax.legend(handles, texts, **anchor, **style)

        legend = inside(0.0, 1.0)
        box = obstacles.fraction(legend.get_window_extent())
        legend.remove()
        left, top, free = obstacles.place_box(box.right - box.left, box.top - box.bottom)
        if free or not own:
            legend = inside(left, top)
            legend.set_in_layout(False)
        else:
            figure: Any = ax.figure
            columns = 2 if len(texts) > 2 and box.right - box.left < 0.55 else 1
            legend = figure.legend(
                handles, texts, loc="outside lower center", ncols=columns, **style
            )
            width, height = figure.get_size_inches()
            extra = legend.get_window_extent().height / figure.dpi
            figure.set_size_inches(width, height + extra)
        self.ax._sims_notes_legend = legend  # type: ignore[attr-defined]
        if previous is not None and previous is not before:
            ax.add_artist(previous)


@dataclass(frozen=True)
class Results:
    """What the user wants to see on the curves: one result, or one for each measurement."""

    junctions: Any = None
    dose: Any = None
    window: tuple[Any, Any] | None = None
    peak: Any = None
    decay_length: Any = None

    def given(self) -> list[xr.Dataset | xr.DataArray]:
        """List the results, for the provenance of the figure."""
        found: list[xr.Dataset | xr.DataArray] = []
        for result in (self.junctions, self.dose, self.peak, self.decay_length):
            if isinstance(result, Mapping) and not isinstance(result, xr.Dataset):
                found += result.values()
            elif isinstance(result, xr.Dataset | xr.DataArray):
                found.append(result)
            elif result is not None:
                found += result
        return found

    def draw(self, ax: Axes, curve: Curve, scale: Scale, notes: Notes, *, who: str) -> None:
        """Mark the results of one curve; `who` names it in the list, empty if it is alone."""
        painter = _Painter(ax, curve, scale, notes, f"({who})" if who else "")
        painter.dose(_mine(self.dose, curve), self.window)
        painter.junctions(_mine(self.junctions, curve))
        painter.peak(_mine(self.peak, curve))
        painter.decay(_mine(self.decay_length, curve))


def _mine(given: Any, curve: Curve) -> xr.Dataset | xr.DataArray | None:
    """Choose the result of a curve."""
    if given is None:
        return None
    if isinstance(given, Mapping) and not isinstance(given, xr.Dataset):
        given = given.get(curve.source)
    elif not isinstance(given, xr.Dataset | xr.DataArray):
        given = list(given)
        if len(given) != 1:
            raise ProfileError(
                f"{len(given)} results for one measurement; give a mapping with the keys of `data`"
            )
        given = given[0]
    if given is None:
        return None
    if isinstance(given, xr.Dataset):
        return of_curve(dequantify(given), curve)
    return of_curve(dequantify(given), curve)


@dataclass(frozen=True)
class _Painter:
    ax: Axes
    curve: Curve
    scale: Scale
    notes: Notes
    who: str

    def _value_at(self, depth: Any) -> Array:
        """Value of the curve at a depth, straight in ln C where it is positive."""
        x, y = self.curve.series.x, self.curve.series.y
        shown = y > 0 if self.ax.get_yscale() == "log" else np.full(y.shape, True)
        if not shown.any():
            return np.full(np.shape(depth), np.nan)
        if self.ax.get_yscale() != "log":
            return np.asarray(np.interp(depth, x, y, left=np.nan, right=np.nan))
        log = np.interp(depth, x[shown], np.log(y[shown]), left=np.nan, right=np.nan)
        return np.asarray(np.exp(log))

    def _depth_text(self, depth: float, stderr: float) -> str:
        number = rounded(float(self.scale(depth)), float(self.scale(stderr)))
        return f"{number.text(style='mathtext')} {_typeset.unit_label(self.scale.units)}"

    def junctions(self, result: xr.Dataset | xr.DataArray | None) -> None:
        if result is None:
            return
        if isinstance(result, xr.Dataset) and "polarity" in result:
            self._metallurgical(result)
            return
        depth = result["depth"] if isinstance(result, xr.Dataset) else result
        symbol = f"$x_\\mathrm{{j}}${self.who}"
        for z, sigma, status in _entries(depth, result):
            if not np.isfinite(z):
                if status and status != "ok":
                    self._say(f"{symbol}: {status.replace('_', ' ')}")
                continue
            height = float(self._value_at(z))
            at, error = float(self.scale(z)), float(self.scale(sigma))
            floor = min(self.ax.get_ylim())
            self.ax.plot(
                [at, at], [floor, height], color=self.curve.colour, linewidth=0.6, linestyle=":"
            )
            style: dict[str, Any] = {
                "marker": "o",
                "markersize": 3.5,
                "color": self.curve.colour,
                "linewidth": 0.8,
                "markerfacecolor": "white",
                "markeredgewidth": 0.8,
            }
            self.ax.errorbar(
                [at],
                [height],
                xerr=None if np.isnan(error) else [error],
                capsize=1.5,
                zorder=5,
                **style,
            )
            self.notes.add(
                f"{symbol} = {self._depth_text(z, sigma)}", **{**style, "linestyle": "none"}
            )

    def _metallurgical(self, result: xr.Dataset) -> None:
        for z, sigma, polarity in _entries(result["depth"], result, "polarity"):
            if not np.isfinite(z):
                continue
            style: dict[str, Any] = {"color": "0.2", "linestyle": (0, (1, 1.5)), "linewidth": 0.9}
            text = f"{polarity.replace('->', '→')} junction: {self._depth_text(z, sigma)}"
            if text not in self.notes.entries:
                self.ax.axvline(float(self.scale(z)), **style)
            self.notes.add(text, **style)

    def dose(self, result: xr.Dataset | xr.DataArray | None, window: Any) -> None:
        if result is None:
            return
        dose = result["dose"] if isinstance(result, xr.Dataset) else result
        ((value, sigma, status),) = _entries(dose, result)
        if _has(result, "systematic_stderr"):
            sigma = _combined(result)
        if not np.isfinite(value):
            self._say(f"Q{self.who}: {status.replace('_', ' ') or 'not known'}")
            return
        x, y = self.curve.series.x, self.curve.series.y
        start, stop = self._window(result, window)
        inside = (x > start) & (x < stop)
        at = np.concatenate([[start], x[inside], [stop]])
        ends = self._value_at(np.array([start, stop]))
        height = np.concatenate([ends[:1], y[inside], ends[1:]])
        floor = min(self.ax.get_ylim())
        low = floor if self.ax.get_yscale() == "log" else 0.0
        self.ax.fill_between(
            self.scale(at),
            low,
            np.maximum(height, low),
            color=self.curve.colour,
            alpha=0.12,
            linewidth=0,
            zorder=1,
        )
        units = _typeset.unit_label(dose.attrs.get("units", ""))
        text = f"$Q${self.who} = {rounded(value, sigma).text(style='mathtext')} {units}"
        if status == "truncated":
            text += "\n(truncated)"
        self.notes.add(
            text, color=self.curve.colour, alpha=0.3, linewidth=5.0, solid_capstyle="butt"
        )

    def _window(self, result: Any, window: Any) -> tuple[float, float]:
        """Give the limits of the dose: stated, carried by the result, or the whole profile."""
        x = self.curve.series.x
        limits = [x[0], x[-1]]
        for i, name in enumerate(("start", "stop")):
            if window is not None and window[i] is not None:
                limits[i] = read_quantity(window[i], ("depth",), name)[0]
            elif _has(result, name):
                carried = float(result[name])
                limits[i] = limits[i] if np.isnan(carried) else carried
        return max(limits[0], x[0]), min(limits[1], x[-1])

    def peak(self, result: xr.Dataset | xr.DataArray | None) -> None:
        if result is None:
            return
        depth = result["depth"] if isinstance(result, xr.Dataset) else result
        for z, _, status in _entries(depth, result):
            if not np.isfinite(z):
                self._say(f"peak{self.who}: {status.replace('_', ' ') or 'not known'}")
                continue
            style: dict[str, Any] = {
                "marker": "+",
                "markersize": 5,
                "color": self.curve.colour,
                "linestyle": "none",
            }
            self.ax.plot([float(self.scale(z))], [float(self._value_at(z))], zorder=5, **style)
            # The depth of a sample: no digits that the grid does not have.
            unit = _typeset.unit_label(self.scale.units)
            self.notes.add(f"peak{self.who} at {float(self.scale(z)):.4g} {unit}", **style)

    def decay(self, result: xr.Dataset | xr.DataArray | None) -> None:
        if result is None:
            return
        found = result["decay_length"] if isinstance(result, xr.Dataset) else result
        for length, sigma, status in _entries(found, result):
            if not np.isfinite(length):
                self._say(f"λ{self.who}: {status.replace('_', ' ') or 'not known'}")
                continue
            style: dict[str, Any] = {"color": "0.1", "linewidth": 0.8, "linestyle": (0, (3, 1))}
            start, stop = self._window(result, None)
            x, y = self.curve.series.x, self.curve.series.y
            inside = (x >= start) & (x <= stop) & (y > 0)
            # The line of a least-squares fit passes through the mean of its points.
            middle, level = x[inside].mean(), np.log(y[inside]).mean()
            ends = np.array([start, stop])
            self.ax.plot(
                self.scale(ends), np.exp(level - (ends - middle) / length), zorder=4, **style
            )
            self.notes.add(f"λ{self.who} = {self._depth_text(length, sigma)}", **style)

    def _say(self, text: str) -> None:
        self.notes.add(text, linestyle="none", color="none")


def _entries(
    values: xr.DataArray, result: xr.Dataset | xr.DataArray, word: str = "status"
) -> Iterator[tuple[float, float, str]]:
    """Go through the values of a result with their standard error and a word about each."""
    stderr = result["stderr"] if _has(result, "stderr") else None
    words = result[word] if _has(result, word) else None
    flat = np.asarray(values.values, dtype=np.float64).ravel()
    for i, value in enumerate(flat):
        sigma = np.nan if stderr is None else float(np.ravel(stderr.values)[i])
        text = "" if words is None else str(np.ravel(words.values)[i])
        yield float(value), sigma, text


def _combined(budget: xr.Dataset | xr.DataArray) -> float:
    """Combine the random and the systematic standard error of a dose; NaN if none is known."""
    parts = [float(budget[name]) for name in ("random_stderr", "systematic_stderr")]
    known = [part for part in parts if part > 0]
    return float(np.hypot.reduce(known)) if known else float("nan")


def _has(result: xr.Dataset | xr.DataArray, name: str) -> bool:
    return name in result.coords or (isinstance(result, xr.Dataset) and name in result)
