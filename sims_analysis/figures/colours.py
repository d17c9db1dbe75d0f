"""Colours and dashes of curves: distinct within a figure, the same across figures.

The twelve colours are those of Okabe and Ito (https://jfly.uni-koeln.de/color/) without yellow,
which fades on white paper, two dark ones of P. Tol (https://sronpersonalpages.nl/~pault/), and
three that are as far as possible from these. Under simulated protanopia, deuteranopia and
tritanopia (Machado et al. 2009) no two come closer than 16 in CIELAB.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis.figures.style import is_default, setting
from sims_analysis.text.typeset import elements

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Colour -> elements. Those that are often measured together are in different rows.
_ELEMENTS = {
    "#0072B2": "B Mg Na Ne W La",  # blue
    "#D55E00": "P Cu I Mn Rb Tb",  # vermilion
    "#009E73": "As Sn Ni Cl Nb Pt",  # green
    "#CC79A7": "Sb N K Zn Y Au",  # pink
    "#E69F00": "In Ti Cd Pd Er Bi",  # orange
    "#56B4E9": "F Al Li Co Zr Ta",  # sky blue
    "#000000": "C Fe V Ag Hg",  # black
    "#882255": "S H Cr Te Ca Hf Xe",  # wine
    "#332288": "Se Be Ge He Ar Kr Ru Sr Tl",  # indigo
    "#E5004C": "Si Br Ba",  # crimson
    "#892DE5": "O Cs Sc",  # violet
    "#593B00": "Ga Pb Mo",  # brown
}
COLOURS = tuple(_ELEMENTS)
_COLOUR = {symbol: colour for colour, text in _ELEMENTS.items() for symbol in text.split()}

#: Replacements for the darkest colours on a dark background.
_ON_DARK = {
    "#000000": "#FFFFFF",
    "#882255": "#B04A7C",
    "#332288": "#8F86D0",
    "#892DE5": "#A968F0",
    "#593B00": "#A98B4F",
}

#: In the order in which curves of one colour get them; in units of the line width.
DASHES: tuple[Any, ...] = (
    "solid",
    (0, (5, 1.5)),
    (0, (1.2, 1.2)),
    (0, (5, 1.5, 1.2, 1.5)),
    (0, (8, 1.5, 1.2, 1.5, 1.2, 1.5)),
    (0, (2.5, 1)),
)

#: Elements as simulators write them: BoronConcentration, ArsenicChemicalConc.
_NAMES = {
    "aluminum": "Al", "aluminium": "Al", "antimony": "Sb", "arsenic": "As", "beryllium": "Be",
    "boron": "B", "carbon": "C", "fluorine": "F", "gallium": "Ga", "germanium": "Ge",
    "indium": "In", "magnesium": "Mg", "nitrogen": "N", "phosphorus": "P", "silicon": "Si",
    "zinc": "Zn",
}  # fmt: skip


def symbol_of(species: str) -> str:
    """Return the symbol of an element whose concentration a simulator names; others unchanged."""
    word = species.lower()
    for end in ("concentration", "conc"):
        word = word.removesuffix(end).removesuffix("chemical")
    return _NAMES.get(word, species)


def colour_of(species: str) -> str:
    """Return the colour of a species: that of its first element, or by a checksum of the name."""
    for symbol in elements(species):
        # Caesium clusters (CsM+) stand for the element M.
        if symbol in _COLOUR and (symbol != "Cs" or len(elements(species)) == 1):
            return _COLOUR[symbol]
    return COLOURS[zlib.crc32(species.encode()) % len(COLOURS)]


def user_cycle() -> tuple[str, ...]:
    """Return the colours of a cycle that the user or a style sheet has set, which win over ours."""
    from matplotlib.colors import to_hex

    if is_default("axes.prop_cycle"):
        return ()
    return tuple(map(to_hex, setting("axes.prop_cycle").by_key().get("color", ())))


def assign_colours(
    names: Iterable[str], used_colours: dict[str, str], order: Sequence[str] = ()
) -> dict[str, str]:
    """Assign a colour to each name beside those used: in `order`, or first those of elements."""
    result = dict(used_colours)
    remaining = [name for name in dict.fromkeys(names) if name not in result]
    for name in [] if order else list(remaining):
        if colour_of(name) not in result.values():
            result[name] = colour_of(name)
            remaining.remove(name)
    colours = list(order or COLOURS)
    for name in remaining:
        used = list(result.values())
        result[name] = min(colours, key=lambda colour: (used.count(colour), colours.index(colour)))
    return result


def background(ax: Axes | None) -> tuple[float, float, float]:
    """Return the background colour of curves: that of the axes over the figure; a page is white."""
    from matplotlib.colors import to_rgba

    if ax is None:
        return 1.0, 1.0, 1.0
    figure: Any = ax.figure
    page_rgba = np.array(to_rgba(figure.get_facecolor()))
    red, green, blue, alpha = to_rgba(ax.get_facecolor())
    # A transparent figure is on a white page.
    page = page_rgba[3] * page_rgba[:3] + (1 - page_rgba[3])
    r, g, b = alpha * np.array([red, green, blue]) + (1 - alpha) * page
    return float(r), float(g), float(b)


def over_background(colour: str, alpha: float, ax: Axes) -> str:
    """Return the colour of an area so opaque: its swatch may stand on another background."""
    from matplotlib.colors import to_hex, to_rgb

    pairs = zip(to_rgb(colour), background(ax), strict=True)
    red, green, blue = (alpha * front + (1 - alpha) * back for front, back in pairs)
    return to_hex((red, green, blue))


def _is_dark(ax: Axes | None) -> bool:
    return _luminance(background(ax)) < _DARK


def visible_colour(colour: str, ax: Axes) -> str:
    """Return a colour that is visible on the background: black becomes white on black."""
    return _ON_DARK.get(colour, colour) if _is_dark(ax) else colour


#: Luminance of the lightest ground that is dark: a grey of 0.4.
_DARK = 0.133
#: Contrast of letters with their background: WCAG 2.1, 1.4.3.
_CONTRAST = 4.5


def text_colour(colour: Any, ax: Axes | None) -> str:
    """Return a colour for text: darker than its curve, or lighter on dark paper, if need be."""
    from matplotlib.colors import to_hex, to_rgb

    ground = _luminance(background(ax))
    end = 1.0 if _is_dark(ax) else 0.0
    for part in np.linspace(0.0, 1.0, 41):
        mixture = (1.0 - part) * np.array(to_rgb(colour)) + part * end
        low, high = sorted((ground, _luminance(mixture)))
        if (high + 0.05) / (low + 0.05) >= _CONTRAST:
            break
    return to_hex(mixture) if part or not isinstance(colour, str) else colour


def _luminance(rgb: Any) -> float:
    """Return the relative luminance of WCAG 2.1."""
    parts = np.asarray(rgb, dtype=np.float64)
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def grey_level(grey: float, ax: Axes) -> str:
    """Return a grey: 0 for the colour of text, 1 for that of the background."""
    return f"{1 - grey if _is_dark(ax) else grey:g}"


def shade_alpha(alpha: float, ax: Axes) -> float:
    """Return the opacity of a shaded area, which is higher on a dark background."""
    return min(1.0, 2.5 * alpha) if _is_dark(ax) else alpha
