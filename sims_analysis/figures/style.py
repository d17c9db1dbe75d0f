"""The house style of a figure, wherever the user has left matplotlib's default settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.errors import UnitsError
from sims_analysis.text.arguments import argument_error, is_number
from sims_analysis.units import read_number

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Mathtext prints a superscript at 0.7 of its line: 8 points leave 5.6 for the 11 of 11B.
#: Sizes are relative to ``font.size``, so that a user who sets that one sets them all.
POINTS = 8.0
#: Letters of a crowded list are not smaller, in points.
LEAST = 5.5
#: Opacity of a band.
BAND = 0.22
#: Widths of one, one and a half, and two columns, in mm, by the journals' instructions to authors.
_WIDTHS = {
    "single": 86.0, "double": 178.0, "nature": 89.0, "nature 1.5": 120.0, "nature double": 183.0,
    "aps": 86.0, "aps 1.5": 140.0, "aps double": 178.0, "elsevier": 90.0, "elsevier 1.5": 140.0,
    "elsevier double": 190.0,
}  # fmt: skip
#: A millimetre in inches.
_MM = 1 / 25.4
#: What journals ask for, and fonts of the same widths; italic symbols then match them.
_FONTS = ("Arial", "Helvetica", "Liberation Sans", "Nimbus Sans")
_SYMBOLS = "stixsans"
_HOUSE = {
    "font.size": POINTS,
    "axes.titlesize": "medium",
    "axes.linewidth": 0.7,
    "lines.linewidth": 1.1,
    "lines.markersize": 3.0,
    "hatch.linewidth": 0.5,
    "xtick.minor.visible": True,
    "xtick.top": True,
}
_TICKS = {"direction": "in", "major.width": 0.7, "minor.width": 0.5}
_HOUSE |= {f"{which}tick.{name}": value for which in "xy" for name, value in _TICKS.items()}


@dataclass(frozen=True)
class _Rules:
    """Sizes of figures and their texts."""

    longest: int = 36  # name in a figure, in characters
    dpi: float = 300.0  # of a saved PNG, at which texts are measured: letters need not move then
    shape: float = 66.0 / 86.0  # height of a figure, in widths
    low: float = 50.0  # least height, in mm
    high: float = 80.0  # greatest height, in mm, unless the label of the value axis needs more
    narrow: float = 20.0  # least width, in mm
    wide: float = 2000.0  # greatest width, in mm
    title: int = 16  # characters of a title in one line, however narrow its axes are
    letter: float = 0.6  # width of a letter, in sizes of its font: most titles are narrower


_RULES = _Rules()


def setting(key: str) -> Any:
    """Return a setting of matplotlib as the user has it."""
    import matplotlib as mpl

    settings: Any = mpl.rcParams
    return settings[key]


def setting_points(key: str) -> float:
    """Return a font size of the settings in points; it may be stated as ``"medium"``."""
    from matplotlib.font_manager import FontProperties

    return float(FontProperties(size=setting(key)).get_size_in_points())


def is_default(key: str) -> bool:
    """Whether the user has left a setting at matplotlib's default."""
    import matplotlib as mpl

    defaults: Any = mpl.rcParamsDefault
    return bool(setting(key) == defaults[key])


@contextmanager
def in_style() -> Iterator[None]:
    """Draw with the house style where the user has set nothing: a style sheet always wins."""
    import matplotlib as mpl

    defaults: Any = {key: value for key, value in (_HOUSE | _fonts()).items() if is_default(key)}
    with mpl.rc_context(defaults):
        yield
        interactive = mpl.is_interactive()
    # The first figure selects the backend; one that draws in a notebook turns interactive on,
    # and without that it would show no further figure.
    mpl.interactive(interactive)


def _fonts() -> dict[str, Any]:
    """Return the settings of the first font that is here; none where there is none."""
    from matplotlib.font_manager import fontManager

    installed = {font.name for font in fontManager.ttflist}
    usable = [name for name in _FONTS if name in installed]
    if not usable or not all(map(is_default, ("font.family", "font.sans-serif"))):
        return {}
    # Letters that it lacks are those of matplotlib's own font.
    return {"font.family": [usable[0], "DejaVu Sans"], "mathtext.fontset": _SYMBOLS}


def font() -> dict[str, Any]:
    """Return the font of texts, of which matplotlib would read the settings when it draws."""
    return {"family": setting("font.family"), "math_fontfamily": setting("mathtext.fontset")}


def figure_size(width: Any) -> tuple[float, float]:
    """Return the size of a new figure in inches."""
    if width is None and not is_default("figure.figsize"):
        figure_width, figure_height = setting("figure.figsize")
        return figure_width, figure_height
    # Larger letters, as a style sheet may ask for, need a larger figure.
    larger = setting("font.size") / POINTS if width is None else 1.0
    figure_width = _millimetres("single" if width is None else width)
    figure_height = min(max(figure_width * _RULES.shape, _RULES.low), _RULES.high)
    return larger * figure_width * _MM, larger * figure_height * _MM


def _millimetres(width: Any) -> float:
    if isinstance(width, str) and width in _WIDTHS:
        return _WIDTHS[width]
    length = float(width) if is_number(width) else np.nan
    with suppress(UnitsError):
        length = read_number(width, ("depth",), "width") / 1e6
    if not _RULES.narrow <= length <= _RULES.wide:
        expected = (
            "expected 'single' or 'double' (columns of a journal), 'nature', 'aps' or 'elsevier' "
            "(also 'nature 1.5', 'nature double'), a length such as '85 mm', or a number of mm, "
            f"from {_RULES.narrow:g} to {_RULES.wide:g} mm"
        )
        raise argument_error("width", width, expected)
    return length


def set_title(ax: Axes | None, figure: Any, text: str) -> None:
    """Write a title above axes or, without, a figure, in as many lines as its width asks for."""
    size = float(setting_points("axes.titlesize") if ax is None else ax.title.get_fontsize())
    line_width = (figure if ax is None else ax).bbox.width * 72.0 / figure.dpi
    folded = "\n".join(fill(line, max(int(line_width / (_RULES.letter * size)), _RULES.title))
                       for line in text.splitlines())  # fmt: skip
    if ax is None:
        figure.suptitle(folded, fontsize=size)
        make_higher(figure, 1.2 * size / 72.0 * folded.count("\n"))
    else:
        # At a fixed height: matplotlib would look for one whenever it draws.
        ax.set_title(folded, y=1.0)


def fold_label(ax: Axes) -> None:
    """Write the unit of a value axis into a second line where the axes are less high."""
    label = ax.yaxis.label
    text = label.get_text().replace("\n(", " (")
    label.set_text(text)
    if label.get_window_extent().height > ax.bbox.height:
        label.set_text(text.replace(" (", "\n("))


@contextmanager
def closed_on_error(figure: Any, *, is_new: bool) -> Iterator[None]:
    """Measure texts alike, and close a figure of our own on an error: pyplot would keep it."""
    try:
        with measured_alike(figure):
            yield
    except Exception:
        if is_new:
            close(figure)
        raise


def close(figure: Any) -> None:
    """Close a figure, because pyplot keeps all figures open."""
    import matplotlib.pyplot as plt

    plt.close(figure)


@contextmanager
def measured_alike(figure: Any) -> Iterator[None]:
    """Measure texts at a fixed resolution, so that no place depends on that of a screen."""
    dpi = figure.dpi
    figure.dpi = _RULES.dpi
    try:
        yield
    finally:
        figure.dpi = dpi


def lay_out(figure: Any) -> None:
    """Place axes and texts, without drawing what the layout does not depend on."""
    engine = figure.get_layout_engine()
    if engine is None:
        figure.draw_without_rendering()
    else:
        engine.execute(figure)


def make_higher(figure: Any, inches: float) -> None:
    """Make a figure higher."""
    width, height = figure.get_size_inches()
    figure.set_size_inches(width, height + inches)


def fix_ticks(ax: Axes) -> None:
    """Fix the looks of ticks now: matplotlib would read its settings when it draws."""
    for axis in ("x", "y"):
        for size in ("major", "minor"):
            width, length = (setting(f"{axis}tick.{size}.{part}") for part in ("width", "size"))
            style = {"direction": setting(f"{axis}tick.direction"), "width": width}
            ax.tick_params(axis=axis, which=size, length=length, **style)
        letters = {"labelfontfamily": setting("font.family")}
        ax.tick_params(axis=axis, labelsize=setting(f"{axis}tick.labelsize"), **letters)


def abbreviate(name: str, length: int = _RULES.longest) -> str:
    """Shorten a long name; its beginning and its end say most."""
    if len(name) <= length or "$" in name:
        return name
    return f"{name[: length - 12]}…{name[-10:].strip()}" if length > 13 else f"{name[:11]}…"


def abbreviated(names: Sequence[str], length: int = _RULES.longest) -> list[str]:
    """Shorten names so that they still differ, if need be by the words that all share."""
    short = [abbreviate(name, length) for name in names]
    if len(set(short)) == len(set(names)):
        return short
    words = [name.split() for name in names]
    # The last of the words before says what differs: wafer 12.
    start, end = max(_shared_words(words) - 1, 0), _shared_words([parts[::-1] for parts in words])
    distinct = [" ".join(parts[start : len(parts) - end]) for parts in words]
    short = [abbreviate(text, length) for text in distinct]
    if len(set(short)) < len(set(distinct)):
        short = distinct
    return [f"{'… ' * (start > 0)}{text}{' …' * (end > 0)}" for text in short]


def _shared_words(names: Sequence[Sequence[str]]) -> int:
    """Count the words that all names begin with."""
    columns = zip(*names, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
