"""Which colour and dash a species has, and the house style of a figure.

A colour belongs to an element, in every figure: isotopes and cluster ions of an element share
it, and differ in their dashes where they meet in one figure. Other names get a colour from a
checksum of the name, the same in every figure too. The nine colours are those of Okabe and Ito
(https://jfly.uni-koeln.de/color/) without yellow, which fades on white paper, and two dark ones
of P. Tol (https://sronpersonalpages.nl/~pault/). Under simulated protanopia, deuteranopia and
tritanopia (Machado et al. 2009) no two come closer than 16 in CIELAB.
"""

from __future__ import annotations

import importlib.util
import zlib
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.text.typeset import elements

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from matplotlib.axes import Axes

__all__ = [
    "COLOURS",
    "DASHES",
    "colour_of",
    "dashes_of",
    "in_style",
    "ink",
    "is_default",
    "legible",
    "paper",
    "require_matplotlib",
    "setting",
    "setting_points",
    "wash",
]

#: Colour -> elements. Those that are often measured together stand in different rows.
_ELEMENTS = {
    "#0072B2": "B Mg Na Ne Ni W La",  # blue
    "#D55E00": "P Si Cu I Mn Rb Tb",  # vermilion
    "#009E73": "As Al Zn Cl Cs Nb Pt",  # green
    "#CC79A7": "Sb N K Mo Br Y Au",  # pink
    "#E69F00": "In O Ti Cd Pd Er Bi",  # orange
    "#56B4E9": "F Ge Li Co Sn Zr Ta",  # sky blue
    "#000000": "C Ga Pb Fe V Ag Hg",  # black
    "#882255": "S H Cr Te Ca Hf Xe",  # wine
    "#332288": "Se Be He Ar Kr Ru Sr Tl",  # indigo
}
COLOURS = tuple(_ELEMENTS)
_COLOUR = {symbol: colour for colour, text in _ELEMENTS.items() for symbol in text.split()}

#: What becomes of the darkest on dark paper.
_ON_DARK = {"#000000": "#FFFFFF", "#882255": "#B04A7C", "#332288": "#8F86D0"}

#: In the order in which curves of one colour take them; in units of the line width.
DASHES: tuple[Any, ...] = (
    "solid",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (5, 1.5, 1.2, 1.5)),
    (0, (8, 1.5, 1.2, 1.5, 1.2, 1.5)),
    (0, (2.5, 1)),
)

#: What a figure looks like where the user's style leaves matplotlib's own default.
_HOUSE = {
    "font.size": 8.0,
    "axes.linewidth": 0.7,
    "axes.labelsize": 8.0,
    "axes.titlesize": 8.0,
    "legend.fontsize": 7.0,
    "lines.linewidth": 1.1,
    "xtick.direction": "in",
    "ytick.direction": "in",
    "xtick.minor.visible": True,
    "xtick.top": True,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "xtick.minor.width": 0.5,
    "ytick.minor.width": 0.5,
}


def colour_of(species: str) -> str:
    """Give the colour of a species, the same in every figure.

    Parameters
    ----------
    species : str
        Its first element decides; for a name that is no formula, a checksum of the name.

    Examples
    --------
    >>> colour_of("11B") == colour_of("B") == colour_of("10B+")
    True
    """
    for symbol in elements(species):
        # Caesium clusters (CsM+) stand for the element M.
        if symbol in _COLOUR and (symbol != "Cs" or len(elements(species)) == 1):
            return _COLOUR[symbol]
    return COLOURS[zlib.crc32(species.encode()) % len(COLOURS)]


def dashes_of(colours: Iterable[str]) -> list[Any]:
    """Give each curve the next dash of its colour."""
    seen: dict[str, int] = {}
    made = []
    for colour in colours:
        rank = seen.get(colour, 0)
        made.append(DASHES[rank % len(DASHES)])
        seen[colour] = rank + 1
    return made


def paper(ax: Axes) -> tuple[float, float, float]:
    """Give the colour that curves are drawn on: of the axes, or of the figure behind it."""
    from matplotlib.colors import to_rgba

    figure: Any = ax.figure
    below = np.array(to_rgba(figure.get_facecolor()))
    red, green, blue, alpha = to_rgba(ax.get_facecolor())
    # A figure without a colour of its own stands on a white page.
    page = below[3] * below[:3] + (1 - below[3])
    r, g, b = alpha * np.array([red, green, blue]) + (1 - alpha) * page
    return float(r), float(g), float(b)


def _is_dark(ax: Axes) -> bool:
    # Weights of Rec. 709.
    return float(np.dot(paper(ax), (0.2126, 0.7152, 0.0722))) < 0.4


def legible(colour: str, ax: Axes) -> str:
    """Give a colour of the house so that it can be seen on the paper: black is white on black."""
    return _ON_DARK.get(colour, colour) if _is_dark(ax) else colour


def ink(grey: float, ax: Axes) -> str:
    """Give a grey, 0 for the colour of text, 1 for that of the paper."""
    return f"{1 - grey if _is_dark(ax) else grey:g}"


def require_matplotlib() -> None:
    """Say how to install matplotlib where it is missing."""
    if importlib.util.find_spec("matplotlib") is None:
        raise ModuleNotFoundError(
            'figures need matplotlib: pip install "sims-analysis[plot]"', name="matplotlib"
        )


def setting(key: str) -> Any:
    """Give a setting of matplotlib as the user has it."""
    import matplotlib as mpl

    settings: Any = mpl.rcParams
    return settings[key]


def wash(alpha: float, ax: Axes) -> float:
    """Give the opacity of a shaded area: dark paper swallows more of it."""
    return min(1.0, 2.5 * alpha) if _is_dark(ax) else alpha


def setting_points(key: str) -> float:
    """Give a font size of the settings in points; they may say ``"medium"``."""
    from matplotlib.font_manager import FontProperties

    return float(FontProperties(size=setting(key)).get_size_in_points())


def is_default(key: str) -> bool:
    """Whether the user has left a setting as matplotlib brings it."""
    import matplotlib as mpl

    defaults: Any = mpl.rcParamsDefault
    return bool(setting(key) == defaults[key])


@contextmanager
def in_style(*, house: bool) -> Iterator[None]:
    """Draw with the settings of the house that the user has not set: a style sheet always wins."""
    import matplotlib as mpl

    chosen: Any = {key: value for key, value in _HOUSE.items() if house and is_default(key)}
    with mpl.rc_context(chosen):
        yield
        interactive = mpl.is_interactive()
    # The first figure selects the backend; one that draws in a notebook turns interactive on,
    # and without that it would show no further figure.
    mpl.interactive(interactive)
