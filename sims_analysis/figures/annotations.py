"""Results in a figure: junctions, dose windows, peaks, decay lengths, limits, and what they say.

Marks stand on the curve they belong to; their numbers stand in a list (see ``notes``). A result
that is no number (a junction that was never reached) is listed with its status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError
from sims_analysis.figures.curves import of_curve
from sims_analysis.figures.style import ink, paper, wash
from sims_analysis.figures.windows import window_of
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.rounding import rounded
from sims_analysis.units import dequantify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sims_analysis.figures.axes import Scale
    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.notes import Notes

    Array = NDArray[np.float64]

__all__ = ["Results"]


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
                "markerfacecolor": paper(self.notes.ax),
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
            style: dict[str, Any] = {
                "color": ink(0.2, self.notes.ax),
                "linestyle": (0, (1, 1.5)),
                "linewidth": 0.9,
            }
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
        limits = window_of(result, self.curve, window)
        if limits is not None:
            self._shade(*limits)
        units = _typeset.unit_label(dose.attrs.get("units", ""))
        text = f"$Q${self.who} = {rounded(value, sigma).text(style='mathtext')} {units}"
        if status == "truncated":
            text += "\n(truncated)"
        self.notes.add(
            text,
            color=self.curve.colour,
            alpha=wash(0.3, self.notes.ax),
            linewidth=5.0,
            solid_capstyle="butt",
        )

    def _shade(self, start: float, stop: float) -> None:
        x, y = self.curve.series.x, self.curve.series.y
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
            alpha=wash(0.12, self.notes.ax),
            linewidth=0,
            zorder=1,
        )

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
                # Nothing but edge: a style sheet without edges would leave nothing of it.
                "markeredgewidth": 1.0,
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
            style: dict[str, Any] = {
                "color": ink(0.1, self.notes.ax),
                "linewidth": 0.8,
                "linestyle": (0, (3, 1)),
            }
            limits = window_of(result, self.curve)
            if limits is None:
                self._say(f"λ{self.who} = {self._depth_text(length, sigma)}")
                continue
            start, stop = limits
            x, y = self.curve.series.x, self.curve.series.y
            inside = (x >= start) & (x <= stop)
            middle, ends = 0.5 * (start + stop), np.array([start, stop])
            if self.curve.series.stderr is not None and y[inside].sum() > 0:
                # A fit by the likelihood of counts keeps their sum, zeros included.
                shape = np.exp((middle - x[inside]) / length)
                level = float(np.log(y[inside].sum() / shape.sum()))
            else:
                # The line of a least-squares fit passes through the mean of its points.
                inside &= y > 0
                level = float((np.log(y[inside]) - (middle - x[inside]) / length).mean())
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
