"""Typeset names of species and units: isotopes as superscripts, numbers of atoms as subscripts.

:func:`pieces` parses a name; mathtext, LaTeX and HTML are three ways to write the pieces. A word
that is not a chemical formula is left unchanged, so that every name can be printed.
"""

from __future__ import annotations

import html as _html
import re
from collections.abc import Callable
from typing import Literal, NamedTuple

#: In the order of their atomic numbers.
SYMBOLS = (  # noqa: SIM905 - a list of 92 quoted symbols reads worse
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se "
    "Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb "
    "Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U"
).split()
_NUMBER = {symbol: i + 1 for i, symbol in enumerate(SYMBOLS)}

_SYMBOL = "(?:" + "|".join(sorted(SYMBOLS, key=len, reverse=True)) + ")"
_FORMULA = re.compile(
    rf"(?:\^?\d+)?{_SYMBOL}(?:(?:_?\d+)|(?:\^\d+(?={_SYMBOL}))|{_SYMBOL})*"
    r"(?P<charge>(?:\^\d?)?[+-]+|\^[+-]\d?|[⁺⁻]+)?(?P<arrow>->|→)?"
)
_PART = re.compile(rf"(?P<symbol>{_SYMBOL})|(?P<mark>[\^_]?)(?P<digits>\d+)")


class Piece(NamedTuple):
    """A part of a printed name, and its position."""

    text: str
    place: Literal["base", "super", "sub"]


def pieces(name: str) -> list[Piece]:
    """Split the name of a species into pieces: ``"69Ga2"``, ``"^118SnI_3-"``, ``"Ga->"``, any text.

    >>> [tuple(piece) for piece in pieces("69Ga2")]
    [('69', 'super'), ('Ga', 'base'), ('2', 'sub')]
    """
    result: list[Piece] = []
    for word in re.split(r"(\s+|[()\[\]/,])", name):
        match = _FORMULA.fullmatch(word)
        result += _formula(word, match) if match else [Piece(word, "base")]
    merged: list[Piece] = []
    for piece in result:
        if merged and merged[-1].place == piece.place:
            merged[-1] = Piece(merged[-1].text + piece.text, piece.place)
        else:
            merged.append(piece)
    return merged


def _formula(word: str, match: re.Match[str]) -> list[Piece]:
    charge, arrow = match["charge"] or "", match["arrow"] or ""
    body = word[: len(word) - len(charge) - len(arrow)]
    result: list[Piece] = []
    parts = list(_PART.finditer(body))
    for i, part in enumerate(parts):
        if part["symbol"]:
            result.append(Piece(part["symbol"], "base"))
            continue
        following = parts[i + 1]["symbol"] if i + 1 < len(parts) else None
        above = part["mark"] == "^" or i == 0
        if not part["mark"] and i > 0 and following:
            above = _is_mass(int(part["digits"]), following)
        result.append(Piece(part["digits"], "super" if above else "sub"))
    # In a mass spectrum, `Si2+` is the dimer: its digit belongs to the body.
    if charge:
        sign = charge.replace("⁺", "+").replace("⁻", "-").lstrip("^")
        if len(sign) > 1 and not any(map(str.isdigit, sign)):
            sign = f"{len(sign)}{sign[0]}"
        result.append(Piece(sign.replace("-", "−"), "super"))
    if arrow:
        result.append(Piece("→", "base"))
    return result


def _is_mass(number: int, symbol: str) -> bool:
    """Whether digits between two symbols can be the mass number of the second.

    Below 6 they are a number of atoms: ``C2H`` is not a compound of deuterium.
    """
    z = _NUMBER[symbol]
    return number >= 6 and 1.8 * z <= number <= 2.7 * z


def elements(name: str) -> list[str]:
    """List the elements in a name, in order; none for a word that is not a formula."""
    symbols: list[str] = []
    for word in re.split(r"[\s()\[\]/,]+", name):
        if _FORMULA.fullmatch(word):
            symbols += re.findall(_SYMBOL, word)
    return list(dict.fromkeys(symbols))


def mathtext(name: str, *, usetex: bool = False) -> str:
    """Write a name for matplotlib: mathtext in the font of the surrounding text, or LaTeX."""
    if usetex:
        return latex(name)
    return _written(name, plain, r"$\mathregular{^{%s}}$", r"$\mathregular{_{%s}}$")


def _written(name: str, escape: Callable[[str], str], above: str, below: str) -> str:
    """Join the pieces of a name, those on the line escaped, and others by a template each."""
    templates = {"super": above, "sub": below}
    return "".join(
        escape(text) if place == "base" else templates[place] % text for text, place in pieces(name)
    )


def plain(text: str) -> str:
    """Escape any text for matplotlib, so that it is printed literally."""
    return text.replace("$", r"\$")


def power(value: float, units: str) -> str:
    """Write a level in the usual short form, without "atoms": ``10^18 cm^-3``."""
    mantissa, exponent = f"{value:.3e}".split("e")
    digits = mantissa.rstrip("0").rstrip(".")
    unit = re.sub(r"^(?:atoms?|at|1)/(\w+)\^(\d)$", r"\1^-\2", units)
    if abs(int(exponent)) < 4:
        number = f"{value:g}"
    else:
        number = power_of_ten(int(exponent))
        number = number if digits == "1" else f"{digits}×{number}"
    # Beside mathtext, a font that lacks a raised sign does not borrow it from another.
    printed = _RAISED_NUMBER.sub(
        lambda match: _above(match[0].translate(_LOWERED)), unit_label(unit)
    )
    return f"{number} {printed}".strip()


def power_of_ten(exponent: int) -> str:
    """Write a power of ten for matplotlib."""
    return f"10{_above(str(exponent))}"


def _above(number: str) -> str:
    return rf"$\mathregular{{^{{{number}}}}}$".replace("-", "−")


_RAISED = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
_LOWERED = {above: below for below, above in _RAISED.items()}
_RAISED_NUMBER = re.compile("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻]+")
_LATEX = {
    "\\": r"\textbackslash{}",
    **{char: "\\" + char for char in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "→": r"$\rightarrow$",
    "−": "$-$",
    "≤": r"$\le$",
    "±": r"$\pm$",
    "×": r"$\times$",
    "µ": r"$\mu$",
}


def escape_latex(text: str) -> str:
    """Escape any text for LaTeX, so that it is printed literally."""
    escaped = "".join(_LATEX.get(char, char) for char in text)
    return _RAISED_NUMBER.sub(lambda match: f"$^{{{match[0].translate(_LOWERED)}}}$", escaped)


def latex(name: str) -> str:
    """Write a name for LaTeX."""
    text = _written(name, escape_latex, "$^{%s}$", "$_{%s}$").replace("−", "-")
    return re.sub(r"(\$_\{\d+\})\$\$(\^)", r"\1\2", text)


def html(name: str) -> str:
    """Write a name for a web page."""
    return _written(name, _html.escape, "<sup>%s</sup>", "<sub>%s</sub>")


#: Canonical unit -> as printed in an axis label. Latin-1 superscripts are in every font.
_PRINTED = {
    "atom/cm^3": "atoms/cm³",
    "atom/cm^2": "atoms/cm²",
    "count/s": "counts/s",
    "count": "counts",
    "um": "µm",
    "arb. unit": "arb. units",
    "1/cm": "1/cm",
    "1": "",
}


def raised(number: str) -> str:
    """Write a whole number in superscript characters."""
    return number.translate(_RAISED)


def unit_label(units: str) -> str:
    """Write a unit for printing, ``atoms/cm³``; empty for a pure number."""
    if units in _PRINTED:
        return _PRINTED[units]
    if units.lower().rstrip("s") in ("angstrom", "ang"):
        return "Å"
    if units.lower().rstrip("s") in ("micron", "micrometer", "micrometre", "μm"):
        return "µm"
    # Without a caret, a digit behind a letter is an exponent: cm3, cm-3.
    exponent = r"(?:(?:\^|\*\*)|(?<=[a-z]))(-?\d+)"
    printed = re.sub(exponent, lambda match: raised(match[1]), units)
    return re.sub(r"^atom/", "atoms/", printed)


def unit_latex(units: str) -> str:
    """Write a canonical unit for LaTeX."""
    return escape_latex(unit_label(units))
