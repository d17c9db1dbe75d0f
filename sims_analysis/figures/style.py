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

    chosen: Any = {key: value for key, value in (_HOUSE | _fonts()).items() if is_default(key)}
    with mpl.rc_context(chosen):
        yield
        interactive = mpl.is_interactive()
    # The first figure selects the backend; one that draws in a notebook turns interactive on,
    # and without that it would show no further figure.
    mpl.interactive(interactive)


def _fonts() -> dict[str, Any]:
    """Return the settings of the first font that is here; none where there is none."""
    from matplotlib.font_manager import fontManager

    there = {font.name for font in fontManager.ttflist}
    found = [name for name in _FONTS if name in there]
    if not found or not all(map(is_default, ("font.family", "font.sans-serif"))):
        return {}
    # Letters that it lacks are those of matplotlib's own font.
    return {"font.family": [found[0], "DejaVu Sans"], "mathtext.fontset": _SYMBOLS}


def font() -> dict[str, Any]:
    """Return the font of texts, of which matplotlib would read the settings when it draws."""
    return {"family": setting("font.family"), "math_fontfamily": setting("mathtext.fontset")}


def figure_size(width: Any) -> tuple[float, float]:
    """Return the size of a new figure in inches."""
    if width is None and not is_default("figure.figsize"):
        across, down = setting("figure.figsize")
        return across, down
    # Larger letters, as a style sheet may ask for, need a larger figure.
    larger = setting("font.size") / POINTS if width is None else 1.0
    across = _millimetres("single" if width is None else width)
    down = min(max(across * _RULES.shape, _RULES.low), _RULES.high)
    return larger * across * _MM, larger * down * _MM


def _millimetres(width: Any) -> float:
    if isinstance(width, str) and width in _WIDTHS:
        return _WIDTHS[width]
    found = float(width) if is_number(width) else np.nan
    with suppress(UnitsError):
        found = read_number(width, ("depth",), "width") / 1e6
    if not _RULES.narrow <= found <= _RULES.wide:
        expected = (
            "expected 'single' or 'double' (columns of a journal), 'nature', 'aps' or 'elsevier' "
            "(also 'nature 1.5', 'nature double'), a length such as '85 mm', or a number of mm, "
            f"from {_RULES.narrow:g} to {_RULES.wide:g} mm"
        )
        raise argument_error("width", width, expected)
    return found


def set_title(ax: Axes | None, figure: Any, text: str) -> None:
    """Write a title above axes or, without, a figure, in as many lines as its width asks for."""
    size = float(setting_points("axes.titlesize") if ax is None else ax.title.get_fontsize())
    across = (figure if ax is None else ax).bbox.width * 72.0 / figure.dpi
    folded = "\n".join(fill(line, max(int(across / (_RULES.letter * size)), _RULES.title))
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
def closed_on_error(figure: Any, *, own: bool) -> Iterator[None]:
    """Measure texts alike, and close a figure of our own on an error: pyplot would keep it."""
    try:
        with measured_alike(figure):
            yield
    except Exception:
        if own:
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
    for which in ("x", "y"):
        for size in ("major", "minor"):
            width, length = (setting(f"{which}tick.{size}.{of}") for of in ("width", "size"))
            looks = {"direction": setting(f"{which}tick.direction"), "width": width}
            ax.tick_params(axis=which, which=size, length=length, **looks)
        letters = {"labelfontfamily": setting("font.family")}
        ax.tick_params(axis=which, labelsize=setting(f"{which}tick.labelsize"), **letters)


def abbreviate(name: str, longest: int = _RULES.longest) -> str:
    """Shorten a long name; its beginning and its end say most."""
    if len(name) <= longest or "$" in name:
        return name
    return f"{name[: longest - 12]}…{name[-10:].strip()}" if longest > 13 else f"{name[:11]}…"


def abbreviated(names: Sequence[str], longest: int = _RULES.longest) -> list[str]:
    """Shorten names so that they still differ, if need be by the words that all share."""
    short = [abbreviate(name, longest) for name in names]
    if len(set(short)) == len(set(names)):
        return short
    words = [name.split() for name in names]
    # The last of the words before says what differs: wafer 12.
    start, end = max(_shared_words(words) - 1, 0), _shared_words([one[::-1] for one in words])
    own = [" ".join(one[start : len(one) - end]) for one in words]
    short = [abbreviate(text, longest) for text in own]
    if len(set(short)) < len(set(own)):
        short = own
    return [f"{'… ' * (start > 0)}{text}{' …' * (end > 0)}" for text in short]


def _shared_words(names: Sequence[Sequence[str]]) -> int:
    """Count the words that all names begin with."""
    columns = zip(*names, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
