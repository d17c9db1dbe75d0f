"""Results on their curves; those without a number are listed with their status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis.conventions import questions
from sims_analysis.conventions.questions import Result, answer_of, function_of, has
from sims_analysis.errors import ProfileWarning, warn
from sims_analysis.figures.axes import below_axes
from sims_analysis.figures.colours import background, grey_level, over_background, shade_alpha
from sims_analysis.figures.curves import Curve, of_curve
from sims_analysis.figures.plot import Plot, handle_of
from sims_analysis.kernels.rows import Array
from sims_analysis.text.arguments import argument_error
from sims_analysis.text.rounding import rounded
from sims_analysis.text.typeset import power, unit_label
from sims_analysis.units import dequantify, read_number

Style = dict[str, Any]

#: Arguments of results that are marked on a curve, in the order of their drawing.
MARKED = ("dose", "layers", "interfaces", "junctions", "peak", "decay_length")
#: Function -> what its number is called.
_SYMBOLS = {"integrated_dose": "$Q$", "dose_budget": "$Q$", "decay_length": "λ", "peak": "peak",
            "layers": "layer", "interface": "interface", "crossings": "",
            "metallurgical_junctions": ""}  # fmt: skip
#: What a profile does at an edge other than a falling one, and at a crossing.
_VERBS = {"leading": "rises through", "any": "passes"}
_WORDS = {"falling": "falls through", "rising": "rises through"}
#: What regions are.
_REGIONS = 'expected {"AlGaN": ("150 nm", "180 nm")}, with pairs or results of layers()'
#: At most so many crossings or layers are listed.
_MAX_LISTED = 6
#: Lines of the doses after the first one, and their swatches: matplotlib draws those of a patch
#: by the settings at that time.
_HATCHES = ("--", "///", "||")
_CIRCLE: Style = {"marker": "o", "markersize": 3.5, "linewidth": 0.8, "markeredgewidth": 0.8}
_DIAMOND: Style = {"marker": "D", "markersize": 3.0}
#: The mark has no face: without an edge, as in some style sheets, it would vanish.
_PLUS: Style = {"marker": "+", "markersize": 5, "markeredgewidth": 1.0, "linestyle": "none"}
_BAR: Style = {"marker": "|", "markersize": 6, "markeredgewidth": 1.0, "linewidth": 1.4}
#: The depth of a sample has no more digits than the axis.
_DIGITS: Style = {"precision": 4, "unique": False, "fractional": False, "trim": "-"}


def draw_results(plot: Plot, curve: Curve, name: str) -> None:
    """Mark the results of one curve; `name` says whose they are, empty if it is alone."""
    marks = _ResultMarks(plot, curve, name)
    for argument in MARKED:
        for item in plot.options.results_of(argument, curve.source):
            result: Any = of_curve(dequantify(item), curve)
            if result is not None and not _is_about_another(result, curve):
                getattr(marks, function_of(result))(result)


def _is_about_another(result: Result, curve: Curve) -> bool:
    """Whether a result is along another axis, or about atoms where the curve shows counts."""
    units = answer_of(result).attrs.get("units", "")
    if units in ("nm", "s") and units != curve.axis_units:
        return True
    # Words are padded if other species cross a level more often.
    words = np.ravel(result["status"].values) if has(result, "status") else ()
    return curve.variable != "concentration" and "no_data" in words


def draw_regions(plot: Plot, all_curves: Sequence[Curve]) -> None:
    """Shade named regions of depth in turn, with lines at their ends; names stand at their tops."""
    regions, scale, grey = plot.options.regions, plot.scale, grey_level(0.5, plot.ax)
    if regions is None:
        return
    if not isinstance(regions, Mapping) or isinstance(regions, xr.Dataset):
        raise argument_error("regions", regions, _REGIONS)
    for name, item in regions.items():
        if isinstance(item, xr.Dataset) and function_of(item) == "layers":
            limits = (np.ravel(dequantify(item)[end].values) for end in ("top", "bottom"))
            pairs = list(zip(*limits, strict=True))
        elif isinstance(item, tuple | list) and len(item) == 2:
            pairs = [tuple(read_number(end, (scale.kind,), "regions") for end in item)]
        else:
            raise argument_error(f"regions[{name!r}]", item, _REGIONS)
        for first, last in pairs:
            if first >= last:
                raise argument_error(f"regions[{name!r}]", item, "expected its start above its end")
            if first > max(c.x[-1] for c in all_curves) or last < min(c.x[0] for c in all_curves):
                text = f"regions={{{name!r}: ...}} is outside of the data"
                warn(text, ProfileWarning, argument="regions")
            start, stop = scale(np.array([first, last])).tolist()
            low, high = sorted(plot.ax.get_xlim())
            if not (start < high and stop > low):  # one end may not be known
                continue
            plot.layout.regions.append((name, (start, stop)))
            if len(plot.layout.regions) % 2:
                style: Style = {"color": grey, "alpha": shade_alpha(0.1, plot.ax), "zorder": 0.5}
                plot.ax.axvspan(start, stop, linewidth=0, **style)
            for end in (start, stop):
                plot.ax.axvline(end, color=grey, linewidth=0.5, linestyle=(0, (3, 2)), zorder=0.6)


class _Entry(NamedTuple):
    """A value of a result, with its standard error and its status (or another word)."""

    value: float
    sigma: float
    word: str


def _entries(result: Result, word: str = "status") -> list[_Entry]:
    values = answer_of(result)
    flat = np.asarray(values.values, dtype=np.float64).ravel()
    names = ("random_stderr", f"{values.name}_stderr", "stderr")
    stderr = next((result[name].values for name in names if has(result, name)), np.nan)
    words = result[word].values if has(result, word) else ""
    columns = (np.broadcast_to(np.ravel(column), flat.shape) for column in (stderr, words))
    return [_Entry(float(a), float(b), str(c)) for a, b, c in zip(flat, *columns, strict=True)]


def _reason(status: str) -> str:
    """Write in words why a result has no number."""
    return status.replace("_", " ") or "not known"


def _status_line(status: str) -> str:
    """Add a line for a number whose status is not ok."""
    return "" if status in ("", "ok") else f"\n({_reason(status)})"


class _ResultMarks:
    """Draws the results of a curve, each by the method that has the name of its function."""

    def __init__(self, plot: Plot, curve: Curve, name: str) -> None:
        self.plot, self.curve, self.name = plot, curve, name
        self.ax, self.scale = plot.axes_of(curve), plot.scale
        self.unit = unit_label(self.scale.units)
        self.coverage = plot.options.coverage or 1.0

    def _in_brackets(self, *further: str) -> str:
        """Name what a number belongs to: ``(B, 10^18)``."""
        text = ", ".join(filter(None, [self.name, *further]))
        return f"({text})" if text else ""

    def _label(self, word: str) -> str:
        return f"{word} {self._in_brackets()}".strip()

    def _symbol(self, result: Result) -> str:
        return f"{_SYMBOLS[function_of(result)]}{self._in_brackets()}"

    def _number(self, value: float, stderr: float = np.nan) -> str:
        number = rounded(value, self.coverage * stderr)
        if number.stderr:
            self.plot.explain_error()
        return number.text(style="mathtext")

    def _depth(self, depth: float, stderr: float = np.nan) -> str:
        return self._number(float(self.scale(depth)), float(self.scale(stderr)))

    def _length(self, depth: float, stderr: float = np.nan) -> str:
        return f"{self._depth(depth, stderr)} {self.unit}"

    def _level(self, result: Result) -> str:
        """Return the level of a question in the unit of the axis; empty if it is not known."""
        level = questions.level_of(result)
        if level is None:
            return ""
        (value, unit), curve_unit = level, self.curve.unit
        if curve_unit is None or curve_unit.kind != unit.kind:
            return power(value, unit.canonical)
        return power(float(curve_unit.from_canonical(value)), curve_unit.text)

    def _verb(self, verb: str, result: Result) -> str:
        return " ".join(filter(None, [self.name, verb, self._level(result) or "the level"]))

    def _with_numbers(self, symbol: str, result: Result) -> Iterator[_Entry]:
        """Yield the entries with a number; of others, list the status, but not that of padding."""
        entries = _entries(result)
        for entry in entries:
            if np.isfinite(entry.value):
                yield entry
            elif len(entries) == 1 or entry.word not in ("", "ok"):
                self.plot.list_result(f"{symbol}: {_reason(entry.word)}")

    def _value_at(self, depth: Any) -> Array:
        """Return the value of the curve at a depth, interpolated in ln C on a log axis."""
        x, y = self.curve.x, self.curve.y
        values = np.interp(depth, x, y, left=np.nan, right=np.nan)
        if self.curve.log:
            logs = np.log(y, out=np.full(y.shape, np.nan), where=y > 0)
            log_values = np.interp(depth, x, logs, left=np.nan, right=np.nan)
            values = np.where(np.isnan(log_values), values, np.exp(log_values))
        return np.asarray(values)

    def _is_visible(self, depth: float, *, on_curve: bool = True) -> bool:
        """Whether a mark at a depth is within the limits of the axes."""
        bottom, top = sorted(self.ax.get_ylim())
        value = float(self._value_at(depth)) if on_curve else bottom
        # A value on the frame is seen.
        outside = value < bottom - 1e-6 * abs(bottom) or value > top + 1e-6 * abs(top)
        return self._overlaps(depth, depth) and not outside

    def _point(self, depth: float) -> tuple[float, float]:
        """Return where a depth is on the curve, in the units of the axes."""
        return float(self.scale(depth)), float(self._value_at(depth))

    def _list_at(self, depth: float, text: str, style: Style) -> None:
        """Add a result to the list that may be written at its mark."""
        self.plot.list_result(text, (self.ax, self._point(depth), self.curve.colour), **style)

    def _overlaps(self, start: float, stop: float) -> bool:
        low, high = sorted(self.ax.get_xlim())
        return float(self.scale(stop)) >= low and float(self.scale(start)) <= high

    def _line(self, depths: Sequence[float], values: Any, **style: Any) -> None:
        """Draw a line that leaves the limits of the axes as they are."""
        self.ax.plot(self.scale(np.array(depths)), values, scalex=False, scaley=False, **style)

    def _mark(self, z: float, sigma: float, **changes: Any) -> Style:
        """Mark a depth on the curve, with a line to the axis and a bar; return the mark's style."""
        position, height = self._point(z)
        colour, low = self.curve.colour, below_axes(self.ax)
        self._line([z, z], [low, height], color=colour, linewidth=0.6, linestyle=":")
        bar: Any = None if np.isnan(sigma) else [self.coverage * float(self.scale(sigma))]
        style = {**_CIRCLE, "color": colour, "markerfacecolor": background(self.plot.ax), **changes}
        container = self.ax.errorbar([position], [height], xerr=bar, capsize=1.5, zorder=5, **style)
        container.set_label("_")
        return {**style, "linestyle": "none"}

    def _shade(self, start: float, stop: float) -> tuple[Any, Any]:
        """Shade a dose, the second one by lines; return its handle, and where a number has room."""
        from matplotlib.lines import Line2D

        x, y = self.curve.x, self.curve.y
        inside = (x > start) & (x < stop)
        depths = np.concatenate([[start], x[inside], [stop]])
        first, last = self._value_at(np.array([start, stop]))
        low = below_axes(self.ax) if self.curve.log else 0.0
        top = np.maximum(np.concatenate([[first], y[inside], [last]]), low)
        colour, layout = self.curve.colour, self.plot.layout
        style: Style = {"color": colour, "alpha": shade_alpha(0.12, self.plot.ax)}
        swatch = over_background(colour, style["alpha"], self.plot.ax)
        handle: Any = Line2D([], [], color=swatch, linewidth=5.0, solid_capstyle="butt")
        if layout.shades:
            hatch = _HATCHES[layout.shades % len(_HATCHES)]
            style = {"facecolor": "none", "edgecolor": colour, "hatch": hatch}
            strokes: Style = {"marker": f"${hatch}$", "markersize": 9.0, "markeredgewidth": 0.0}
            handle = handle_of(color=colour, linestyle="none", **strokes)
        area = self.ax.fill_between(self.scale(depths), low, top, linewidth=0, zorder=1, **style)
        layout.shades += 1
        return handle, None if "hatch" in style else area.get_paths()[0]

    def junction_depth(self, result: Result) -> None:
        # It is a junction depth only where the profile falls.
        symbol = f"$x_\\mathregular{{j}}${self._in_brackets(self._level(result))}"
        equals, shape = " = ", _CIRCLE
        if (edge := questions.argument_of(result, "edge")) in _VERBS:
            symbol, equals, shape = self._verb(_VERBS[edge], result), " at ", _DIAMOND
        for z, sigma, _ in self._with_numbers(symbol, result):
            if self._is_visible(z):
                style = self._mark(z, sigma, **shape)
                self._list_at(z, f"{symbol}{equals}{self._length(z, sigma)}", style)

    def crossings(self, result: Result) -> None:
        """Mark every crossing, and list the first ones that fall, and that rise."""
        entries = [entry for entry in _entries(result, "direction") if np.isfinite(entry.value)]
        for direction in dict.fromkeys(entry.word for entry in entries):
            shown = [e for e in entries if e.word == direction and self._is_visible(e.value)]
            shape: Style = {**(_CIRCLE if direction == "falling" else _DIAMOND), "markersize": 3.0}
            for z, sigma, _ in shown:
                style = self._mark(z, sigma, **shape)
            if shown:
                texts = [self._depth(z, sigma) for z, sigma, _ in shown[:_MAX_LISTED]]
                rows = ",\n".join(", ".join(texts[i : i + 3]) for i in range(0, len(texts), 3))
                more = f" and {len(shown) - _MAX_LISTED} more" if len(shown) > _MAX_LISTED else ""
                text = f"{self._verb(_WORDS[direction], result)} at\n{rows} {self.unit}{more}"
                self.plot.list_result(text, **style)
        if not entries and has(result, "status"):
            level = f"{self.name or 'level'} {self._level(result)}".strip()
            self.plot.list_result(f"{level}: {_reason(str(np.ravel(result['status'].values)[0]))}")

    def metallurgical_junctions(self, result: Result) -> None:
        """Draw a line across the axes, unless another curve has done so."""
        style: Style = {"color": grey_level(0.2, self.plot.ax), "linewidth": 0.9}
        style["linestyle"] = (0, (1, 1.5))
        for z, sigma, polarity in _entries(result, "polarity"):
            arrow = polarity.replace("->", "→")
            if np.isfinite(z) and self._is_visible(z, on_curve=False):
                text = f"{arrow} junction: {self._length(z, sigma)}"
                if text not in self.plot.layout.results:
                    self.ax.axvline(float(self.scale(z)), **style)
                    self.plot.list_result(text, **style)

    def integrated_dose(self, result: Result) -> None:
        symbol, units = self._symbol(result), answer_of(result).attrs.get("units", "")
        for value, sigma, status in self._with_numbers(symbol, result):
            limits, handle, mark = self._window(result), handle_of(), None
            if limits is not None:
                if not self._overlaps(*limits):
                    continue
                handle, path = self._shade(*limits)
                mark = None if path is None else (self.ax, path, self.curve.colour)
            text = f"{symbol} = {self._number(value, sigma)} {unit_label(units)}"
            if value and has(result, "systematic_stderr") and result["systematic_stderr"] > 0:
                part = self.coverage * float(result["systematic_stderr"]) / abs(value)
                text += f"\n(systematic: {100 * part:.2g} %)"
            self.plot.list_result(text + _status_line(status), mark, handle)

    dose_budget = integrated_dose

    def _window(self, result: Result) -> tuple[float, float] | None:
        """Return the window of a result, within the samples of its curve; None if not known."""
        first, last = float(self.curve.x[0]), float(self.curve.x[-1])
        limits = questions.window_of(result, first, last)
        if limits is None or limits[0] > last or limits[1] < first:
            return None
        return max(limits[0], first), min(limits[1], last)

    def peak(self, result: Result) -> None:
        for z, _, _ in self._with_numbers(self._symbol(result), result):
            if self._is_visible(z):
                style: Style = {**_PLUS, "color": self.curve.colour}
                self._line([z], [float(self._value_at(z))], zorder=5, **style)
                depth = np.format_float_positional(float(self.scale(z)), **_DIGITS)
                text = f"{self._symbol(result)} at {depth} {self.unit}"
                self._list_at(z, text, style)

    def decay_length(self, result: Result) -> None:
        symbol = self._symbol(result)
        for length, sigma, _ in self._with_numbers(symbol, result):
            limits, style = self._window(result), {}
            if limits is not None:
                if not self._overlaps(*limits):
                    continue
                style = {"color": grey_level(0.1, self.plot.ax), "linewidth": 0.8}
                style["linestyle"] = (0, (3, 1))
                self._line(limits, self._ends_of_line(length, *limits), zorder=4, **style)
            self.plot.list_result(f"{symbol} = {self._length(length, sigma)}", **style)

    def _ends_of_line(self, length: float, start: float, stop: float) -> Array:
        """Return the values at the ends of the fitted line."""
        x, y = self.curve.x, self.curve.y
        inside = (x >= start) & (x <= stop)
        if self.curve.stderr is not None and y[inside].sum() > 0:
            # A maximum-likelihood fit of counts keeps their sum, zeros included.
            level = float(np.log(y[inside].sum() / np.exp(-x[inside] / length).sum()))
        else:
            # A least-squares line passes through the mean of its points.
            inside &= y > 0
            level = float((np.log(y[inside]) + x[inside] / length).mean())
        return np.exp(level - np.array([start, stop]) / length)

    def layers(self, result: Result) -> None:
        """Draw a bar from the top to the bottom of each layer, at the level that bounds it."""
        (first, *_, last), drawn = self.curve.x, []
        edges = (np.ravel(result[end].values) for end in ("top", "bottom"))
        for top, bottom, (thickness, sigma, status) in zip(*edges, _entries(result), strict=True):
            ends = [first if np.isnan(top) else top, last if np.isnan(bottom) else bottom]
            if np.isnan(top) and np.isnan(bottom):
                if status not in ("", "ok"):
                    self.plot.list_result(f"{self._symbol(result)}: {_reason(status)}")
            elif self._overlaps(*ends):
                drawn.append((top, bottom, thickness, sigma, ends))
        style: Style = {**_BAR, "color": self.curve.colour}
        for number, (top, bottom, thickness, sigma, ends) in enumerate(drawn, start=1):
            height = float(self._value_at(bottom if np.isnan(top) else top))
            self._line(ends, [height, height], zorder=4, **style)
            if np.isnan(thickness):
                side, edge = ("from", top) if np.isnan(bottom) else ("down to", bottom)
                text = f"{side} {self._length(edge)} (truncated)"
            else:
                text = f"{self._length(thickness, sigma)}, from {self._length(top)}"
            name = self._label(f"layer {number}" if len(drawn) > 1 else "layer")
            if number <= _MAX_LISTED:
                self.plot.list_result(f"{name}: {text}", **style)
        if (more := len(drawn) - _MAX_LISTED) > 0:
            self.plot.list_result(f"{self._label('layers')}: {more} more", **style)

    def interface(self, result: Result) -> None:
        """Shade the width of an interface, and mark its middle on the curve."""
        width, width_stderr = (float(np.ravel(result[w])[0]) for w in ("width", "width_stderr"))
        for z, sigma, status in self._with_numbers(self._symbol(result), result):
            if not self._is_visible(z, on_curve=False):
                continue
            style = self._mark(z, sigma, marker="s", markersize=3.0)
            text = f"{self._label('interface')} at {self._length(z, sigma)}"
            if np.isfinite(width):
                ends = self.scale(z + width * np.array([-0.5, 0.5]))
                span: Style = {"color": self.curve.colour, "alpha": shade_alpha(0.15, self.ax)}
                self.ax.axvspan(*ends, **span, linewidth=0, zorder=1)
                low, high = (100 * float(questions.argument_of(result, end) or part)
                             for end, part in (("low", 0.16), ("high", 0.84)))  # fmt: skip
                text += f",\nwidth {self._length(width, width_stderr)} ({low:g} to {high:g} %)"
            self.plot.list_result(text + _status_line(status), **style)
