"""Results in a figure: junctions, dose windows, peaks and decay lengths.

Marks are on the curve they belong to, and their numbers in a list (see ``legend``). A result
without a number, such as a level that was never reached, is listed with its status. Every
plus-minus, bar and band of a figure is the same number of random standard errors; a systematic part
is stated separately.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileError
from sims_analysis.figures.asked import argument_of, edge_of, has, window_of
from sims_analysis.figures.colours import ink, paper, wash
from sims_analysis.figures.curves import is_by_name, listed, of_curve
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.rounding import rounded
from sims_analysis.units import dequantify

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from sims_analysis.figures.axes import Scale
    from sims_analysis.figures.curves import Curve
    from sims_analysis.figures.legend import Notes

    Array = NDArray[np.float64]
    Result = xr.Dataset | xr.DataArray

__all__ = ["Results"]

#: What a profile does at an edge other than a falling one.
_VERBS = {"leading": "rises through", "any": "passes"}
_WORDS = {"falling": "falls through", "rising": "rises through"}


@dataclass(frozen=True)
class Results:
    """The results that the user wants on the curves.

    Parameters
    ----------
    junctions, dose, peak, decay_length : Any
        A result, several for one measurement, or a mapping from measurements to these.
    window : (start, stop) or None
        Of the dose, as the user states it.
    coverage : float
        Number of standard errors in every plus-minus.
    """

    junctions: Any = None
    dose: Any = None
    window: tuple[Any, Any] | None = None
    peak: Any = None
    decay_length: Any = None
    coverage: float = 1.0

    def given(self) -> list[Result]:
        """List the results, for the provenance of the figure."""
        found: list[Result] = []
        for result in (self.junctions, self.dose, self.peak, self.decay_length):
            for item in result.values() if is_by_name(result) else [result]:
                found += listed(item)
        return found

    def draw(self, ax: Axes, curve: Curve, scale: Scale, notes: Notes, *, who: str) -> None:
        """Mark the results of one curve; `who` names it in the list, empty if it is alone."""
        painter = _Painter(ax, curve, scale, notes, who, self.coverage or 1.0, self.window)
        for given, draw in (
            (self.dose, painter.dose),
            (self.junctions, painter.junctions),
            (self.peak, painter.peak),
            (self.decay_length, painter.decay),
        ):
            for result in _mine(given, curve):
                draw(result)

    def draw_many(
        self, ax: Axes, median: Curve, curves: Sequence[Curve], scale: Scale, notes: Notes, who: str
    ) -> None:
        """Summarise the results of many measurements: their median and their range."""
        painter = _Painter(ax, median, scale, notes, who, self.coverage or 1.0)
        for given, symbol in (
            (self.junctions, "$x_\\mathrm{j}$"),
            (self.dose, "$Q$"),
            (self.peak, "peak"),
            (self.decay_length, "λ"),
        ):
            found = [result for curve in curves for result in _mine(given, curve)]
            if found:
                painter.many(found, symbol, on_curve=given is self.junctions)


def _mine(given: Any, curve: Curve) -> list[Result]:
    """Choose the results of a curve."""
    if is_by_name(given):
        given = given.get(curve.source)
    elif curve.source and not isinstance(given, xr.Dataset | xr.DataArray) and given is not None:
        raise ProfileError(
            f"{len(given)} results do not match the measurements; give a mapping with the keys of "
            "`data`"
        )
    found: list[Result] = []
    for item in listed(given):
        # Two calls of one function, because it gives back the kind that it gets.
        if isinstance(item, xr.Dataset):
            chosen: Result | None = of_curve(dequantify(item), curve)
        else:
            chosen = of_curve(dequantify(item), curve)
        if chosen is not None and not _is_about_another_quantity(chosen, curve):
            found.append(chosen)
    return found


def _is_about_another_quantity(result: Result, curve: Curve) -> bool:
    """Whether a result has no data because the species is drawn as counts, not as atoms."""
    words = (
        {str(word) for word in np.ravel(result["status"].values)} if has(result, "status") else {}
    )
    # Words are padded if other species cross a level more often.
    return curve.series.variable != "concentration" and "no_data" in words


@dataclass(frozen=True)
class _Painter:
    ax: Axes
    curve: Curve
    scale: Scale
    notes: Notes
    who: str
    coverage: float
    window: tuple[Any, Any] | None = None

    def _of(self, *further: str) -> str:
        """Name what a number belongs to: ``(B, 10^18)``."""
        text = ", ".join(filter(None, [self.who, *further]))
        return f"({text})" if text else ""

    def _crossing_of(self, result: Result) -> str:
        """Name a depth at a level; it is a junction depth only where the profile falls."""
        edge, level = edge_of(result), self._level(result)
        if edge not in _VERBS:
            return f"$x_\\mathrm{{j}}${self._of(level)}"
        return " ".join(filter(None, [self.who, _VERBS[edge], level or "the level"]))

    def _value_at(self, depth: Any) -> Array:
        """Return the value of the curve at a depth; on a log axis, interpolated in ln C."""
        x, y = self.curve.series.x, self.curve.series.y
        shown = y > 0 if self.ax.get_yscale() == "log" else np.full(y.shape, True)
        if not shown.any():
            return np.full(np.shape(depth), np.nan)
        if self.ax.get_yscale() != "log":
            return np.asarray(np.interp(depth, x, y, left=np.nan, right=np.nan))
        log = np.interp(depth, x[shown], np.log(y[shown]), left=np.nan, right=np.nan)
        return np.asarray(np.exp(log))

    def _number(self, value: float, stderr: float = np.nan) -> str:
        number = rounded(value, self.coverage * stderr)
        if number.stderr:
            self.notes.explain_error(self.coverage)
        return number.text(style="mathtext")

    def _depth_text(self, depth: float, stderr: float = np.nan) -> str:
        number = self._number(float(self.scale(depth)), float(self.scale(stderr)))
        return f"{number} {_typeset.unit_label(self.scale.units)}"

    def _level(self, result: Result) -> str:
        """Return the level of a junction in the unit of the axis; empty if it is not known."""
        level = argument_of(result, "level")
        if level is None:
            return ""
        value, unit = level
        if self.curve.unit is not None and self.curve.unit.kind == unit.kind:
            return _typeset.power(
                float(self.curve.unit.from_canonical(value)), self.curve.unit.text
            )
        return _typeset.power(value, unit.canonical)

    def junctions(self, result: Result) -> None:
        if isinstance(result, xr.Dataset) and "polarity" in result:
            self._metallurgical(result)
            return
        if isinstance(result, xr.Dataset) and "direction" in result:
            self._crossings(result)
            return
        symbol, equals = self._crossing_of(result), " = "
        changes = {}
        if edge_of(result) in _VERBS:
            equals, changes = " at ", {"marker": "D", "markersize": 3.0}
        for z, sigma, status in _entries(_answer(result), result):
            if np.isfinite(z):
                style = self._mark(z, sigma, **changes)
                self.notes.add(f"{symbol}{equals}{self._depth_text(z, sigma)}", **style)
            elif status not in ("", "ok"):
                self.notes.say(f"{symbol}: {_reason(status)}")

    def _mark(self, z: float, sigma: float | tuple[float, float], **changes: Any) -> dict[str, Any]:
        """Mark a depth on the curve, with a line to the axis and a bar; return the mark's style."""
        height = float(self._value_at(z))
        at, floor = float(self.scale(z)), min(self.ax.get_ylim())
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
            **changes,
        }
        if isinstance(sigma, tuple):
            bar: Any = [[at - float(self.scale(sigma[0]))], [float(self.scale(sigma[1])) - at]]
        else:
            bar = None if np.isnan(sigma) else [self.coverage * float(self.scale(sigma))]
        container = self.ax.errorbar([at], [height], xerr=bar, capsize=1.5, zorder=5, **style)
        container.set_label("_")
        return {**style, "linestyle": "none"}

    def _crossings(self, result: xr.Dataset) -> None:
        """Mark every crossing, and list those that fall and those that rise."""
        level = self._level(result)
        unit = _typeset.unit_label(self.scale.units)
        shape = {"falling": "o", "rising": "D"}
        found: dict[str, list[str]] = {}
        style: dict[str, dict[str, Any]] = {}
        for z, sigma, direction in _entries(result["depth"], result, "direction"):
            if np.isfinite(z):
                style[direction] = self._mark(z, sigma, marker=shape.get(direction, "o"))
                style[direction]["markersize"] = 3.0
                depth = self._number(float(self.scale(z)), float(self.scale(sigma)))
                found.setdefault(direction, []).append(depth)
        for direction, depths in found.items():
            rows = ",\n".join(", ".join(depths[i : i + 4]) for i in range(0, len(depths), 4))
            verb = " ".join(filter(None, [self.who, _WORDS[direction], level or "the level"]))
            self.notes.add(f"{verb} at\n{rows} {unit}", **style[direction])
        if not found and "status" in result:
            reason = _reason(str(np.ravel(result["status"].values)[0]))
            self.notes.say(f"{self.who or 'level'} {level}: {reason}".replace("  ", " "))

    def _metallurgical(self, result: xr.Dataset) -> None:
        for z, sigma, polarity in _entries(result["depth"], result, "polarity"):
            if not np.isfinite(z):
                continue
            text = f"{polarity.replace('->', '→')} junction: {self._depth_text(z, sigma)}"
            if text not in self.notes.entries:
                self._across(z, text)

    def dose(self, result: Result) -> None:
        dose = _answer(result)
        ((value, sigma, status),) = _entries(dose, result)
        systematic = float("nan")
        if has(result, "systematic_stderr"):
            sigma = float(result["random_stderr"])
            systematic = float(result["systematic_stderr"])
        symbol = f"$Q${self._of()}"
        if not np.isfinite(value):
            self.notes.say(f"{symbol}: {_reason(status)}")
            return
        limits = window_of(result, self.curve, self.window)
        if limits is not None:
            self._shade(*limits)
        units = _typeset.unit_label(dose.attrs.get("units", ""))
        text = f"{symbol} = {self._number(value, sigma)} {units}"
        if systematic > 0 and value:
            text += f"\n(systematic: {100 * self.coverage * systematic / abs(value):.2g} %)"
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

    def peak(self, result: Result) -> None:
        for z, _, status in _entries(_answer(result), result):
            if not np.isfinite(z):
                self.notes.say(f"peak{self._of()}: {_reason(status)}")
                continue
            style: dict[str, Any] = {
                "marker": "+",
                "markersize": 5,
                # The mark has no face: without an edge, as in some style sheets, it would vanish.
                "markeredgewidth": 1.0,
                "color": self.curve.colour,
                "linestyle": "none",
            }
            self.ax.plot([float(self.scale(z))], [float(self._value_at(z))], zorder=5, **style)
            # The depth of a sample has no more digits than the axis.
            digits: Any = {"precision": 4, "unique": False, "fractional": False, "trim": "-"}
            at = np.format_float_positional(float(self.scale(z)), **digits)
            unit = _typeset.unit_label(self.scale.units)
            self.notes.add(f"peak{self._of()} at {at} {unit}", **style)

    def decay(self, result: Result) -> None:
        symbol = f"λ{self._of()}"
        for length, sigma, status in _entries(_answer(result), result):
            if not np.isfinite(length):
                self.notes.say(f"{symbol}: {_reason(status)}")
                continue
            text = f"{symbol} = {self._depth_text(length, sigma)}"
            limits = window_of(result, self.curve)
            if limits is None:
                self.notes.say(text)
                continue
            style: dict[str, Any] = {
                "color": ink(0.1, self.notes.ax),
                "linewidth": 0.8,
                "linestyle": (0, (3, 1)),
            }
            ends = np.array(limits)
            self.ax.plot(self.scale(ends), self._decaying(length, *limits), zorder=4, **style)
            self.notes.add(text, **style)

    def _decaying(self, length: float, start: float, stop: float) -> Array:
        """Return the values at the ends of the fitted line."""
        x, y = self.curve.series.x, self.curve.series.y
        inside = (x >= start) & (x <= stop)
        middle, ends = 0.5 * (start + stop), np.array([start, stop])
        if self.curve.series.stderr is not None and y[inside].sum() > 0:
            # A maximum-likelihood fit of counts keeps their sum, zeros included.
            shape = np.exp((middle - x[inside]) / length)
            level = float(np.log(y[inside].sum() / shape.sum()))
        else:
            # A least-squares line passes through the mean of its points.
            inside &= y > 0
            level = float((np.log(y[inside]) - (middle - x[inside]) / length).mean())
        return np.exp(level - (ends - middle) / length)

    def many(self, results: Sequence[Result], symbol: str, *, on_curve: bool) -> None:
        """List the median and the range of one result of many measurements."""
        first = results[0]
        if isinstance(first, xr.Dataset) and not {"polarity", "direction"}.isdisjoint(first):
            self._many_depths(results, "polarity" if "polarity" in first else "direction")
            return
        values, words = [], Counter[str]()
        for result in results:
            for value, _, status in _entries(_answer(result), result):
                if np.isfinite(value):
                    values.append(value)
                else:
                    words[_reason(status)] += 1
        name = self._crossing_of(first) if on_curve else f"{symbol}{self._of()}"
        for word, count in words.items():
            self.notes.say(f"{name}: {word} in {count}")
        if not values:
            return
        low, middle, high = _quantiles(values)
        style: dict[str, Any] = {"linestyle": "none", "color": "none"}
        if on_curve and np.isfinite(self._value_at(middle)):
            style = self._mark(middle, (low, high))
        units = _answer(first).attrs.get("units", "")
        self.notes.add(f"{name}: {self._summary(values, units)}", **style)

    def _many_depths(self, results: Sequence[Result], kind: str) -> None:
        """Summarise the first junctions of all measurements, the second ones, and so on."""
        depths: dict[tuple[str, int], list[float]] = {}
        for result in results:
            count = Counter[str]()
            for z, _, word in _entries(result["depth"], result, kind):
                if np.isfinite(z):
                    depths.setdefault((word, count[word]), []).append(z)
                    count[word] += 1
        for (word, _), values in depths.items():
            low, middle, high = _quantiles(values)
            if kind == "direction":
                name = " ".join(filter(None, [self.who, _WORDS[word], self._level(results[0])]))
                style = self._mark(middle, (low, high))
                self.notes.add(f"{name}: {self._summary(values, 'nm')}", **style)
                continue
            text = f"{word.replace('->', '→')} junction: {self._summary(values, 'nm')}"
            if text not in self.notes.entries:
                self.ax.axvspan(
                    float(self.scale(low)), float(self.scale(high)),
                    color=ink(0.2, self.notes.ax), alpha=wash(0.15, self.notes.ax), linewidth=0,
                )  # fmt: skip
                self._across(middle, text)

    def _across(self, depth: float, text: str) -> None:
        """Draw a line across the axes, and list its meaning."""
        style: dict[str, Any] = {
            "color": ink(0.2, self.notes.ax),
            "linestyle": (0, (1, 1.5)),
            "linewidth": 0.9,
        }
        self.ax.axvline(float(self.scale(depth)), **style)
        self.notes.add(text, **style)

    def _summary(self, values: Sequence[float], units: str) -> str:
        """Write the median of a result, for how many measurements it is known, and its range."""
        is_depth = units == "nm"
        convert: Any = self.scale if is_depth else float
        unit = _typeset.unit_label(self.scale.units if is_depth else units)
        low, middle, high = (
            rounded(float(convert(value))).text(style="mathtext") for value in _quantiles(values)
        )
        if len(values) == 1:
            return f"{middle} {unit} in one"
        return f"median {middle} {unit}\n({len(values)}: {low} to {high})"


def _quantiles(values: Sequence[float]) -> tuple[float, float, float]:
    low, middle, high = np.quantile(values, (0.0, 0.5, 1.0))
    return float(low), float(middle), float(high)


def _answer(result: Result) -> xr.DataArray:
    """Return the main variable of a result."""
    if isinstance(result, xr.DataArray):
        return result
    name = next(name for name in ("dose", "depth", "decay_length") if name in result)
    return result[name]


def _entries(
    values: xr.DataArray, result: Result, word: str = "status"
) -> Iterator[tuple[float, float, str]]:
    """Yield each value of a result with its standard error and its status (or another word)."""
    stderr = result["stderr"] if has(result, "stderr") else None
    words = result[word] if has(result, word) else None
    flat = np.asarray(values.values, dtype=np.float64).ravel()
    for i, value in enumerate(flat):
        sigma = np.nan if stderr is None else float(np.ravel(stderr.values)[i])
        text = "" if words is None else str(np.ravel(words.values)[i])
        yield float(value), sigma, text


def _reason(status: str) -> str:
    """Write in words why a result has no number."""
    return status.replace("_", " ") or "not known"
