"""How this field spells its units: typography, words and phrases, no arithmetic.

A spelling becomes an expression in the few names that the registry of
:mod:`sims_analysis.units.reading` defines, or, for a phrase such as ``at. %``, a kind and a
factor. Whatever is not in these tables is refused.
"""

from __future__ import annotations

import re
import unicodedata

from sims_analysis.errors import UnitsError

__all__ = ["phrase_or_expression", "unknown"]

#: Every spelling of a single unit. Words of two letters or more are also read in capitals.
_SPELLINGS = {
    "nm": "nm nanometer nanometers nanometre nanometres",
    "angstrom": "Å å angstrom angstroms Ang ang Ang. ang. ångström ångströms angström",
    "um": "um µm micron microns micrometer micrometers micrometre micrometres",
    "mm": "mm millimeter millimeters millimetre millimetres",
    "cm": "cm centimeter centimeters centimetre centimetres",
    "m": "m meter meters metre metres",
    "s": "s sec sec. secs second seconds",
    "ms": "ms millisecond milliseconds",
    "min": "min min. mins minute minutes",
    "hour": "h hr hrs hour hours",
    "atom": "atom atoms at at. ats atm. atoms.",
    "count": "count counts cnt cnts cts ct count. counts. cts. cnt.",
    "kcount": "kcount kcounts kcnt kcts",
    "Mcount": "Mcount Mcounts Mcnt Mcts",
    "cm**3": "cc ccm",
    "count/s": "cps",
    "kcount/s": "kcps",
    "Mcount/s": "Mcps",
}
_NAMES = {word: unit for unit, words in _SPELLINGS.items() for word in words.split()}
# `atm.` would be an atmosphere to most readers.
del _NAMES["atm."]

#: Whole phrases, written without spaces, dots, hyphens and underscores, in lower case.
_PHRASE_LISTS = {
    ("atomic_fraction", 0.01): "at% atom% atoms% atomic% %at %atomic atpct atpercent atompercent "
    "atomicpercent",
    ("atomic_fraction", 1.0): "atomicfraction atomfraction",
    ("atomic_fraction", 1e-6): "ppm ppma ppmat ppmatomic atppm atomicppm",
    ("atomic_fraction", 1e-9): "ppb ppba ppbat ppbatomic atppb atomicppb",
    ("mass_fraction", 0.01): "wt% weight% mass% %wt wtpct wtpercent weightpercent masspercent",
    ("mass_fraction", 1.0): "massfraction weightfraction",
    ("mass_fraction", 1e-6): "ppmw ppmwt wtppm",
    ("mass_fraction", 1e-9): "ppbw ppbwt wtppb",
    ("arbitrary", 1.0): "au arb arbu arbunit arbunits arbitrary arbitraryunit arbitraryunits "
    "intensity",
}
_PHRASES = {word: unit for unit, words in _PHRASE_LISTS.items() for word in words.split()}
# `c` is a count only per second: alone it could be anything.
_PHRASES_EXACT = {"c/s": "count/s", "c/sec": "count/s", "C/S": "count/s", "kc/s": "kcount/s"}

_AMBIGUOUS = {
    "A": "'A' may be ampere or angstrom; write 'angstrom'",
    "%": "'%' may be an atomic or a mass fraction; write 'at%' or 'wt%'",
    "percent": "percent of what is not said; write 'at%' or 'wt%'",
    "mol%": "a mole fraction of what is not said; write 'at%'",
}

_SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺", "0123456789-+")
_TOKEN = re.compile(
    r"(?P<name>[A-Za-zÅåµöÖ]+\.?)(?P<power>[+-]?\d+(?![\d.]))?"
    r"|(?P<one>1(?![\d.]))|(?P<op>\^|/|\*|\(|\)|[+-]?\d+(?![\d.]))|(?P<space>\s+)"
)
_BRACKETS = {"(": ")", "[": "]", "{": "}"}


def phrase_or_expression(text: str) -> tuple[str, float] | str:
    """Read a spelling.

    Returns
    -------
    (kind, factor) or str
        Of a phrase, the kind of quantity and how much one of it is; of anything else, an
        expression in registry names such as ``(atom) / (cm)**(3)``.

    Raises
    ------
    UnitsError
        If it is ambiguous, or not in the tables.
    """
    plain = _plain(text)
    phrase = re.sub(r"[\s.\-_]+", "", plain).casefold()
    if plain in _AMBIGUOUS or phrase in _AMBIGUOUS:
        reason = _AMBIGUOUS.get(plain) or _AMBIGUOUS[phrase]
        raise UnitsError(f"ambiguous unit {text!r}: {reason}")
    if phrase in _PHRASES:
        return _PHRASES[phrase]
    compact = re.sub(r"\s+", "", plain)
    return _PHRASES_EXACT.get(compact) or _expression(text, plain)


def _plain(text: str) -> str:
    """Normalise typography: superscripts, minus signs, dots, brackets around the whole."""
    # NFC, never NFKC: NFKC turns the superscript minus of cm⁻³ into U+2212.
    plain = unicodedata.normalize("NFC", text).strip()
    plain = re.sub("[⁰¹²³⁴⁵⁶⁷⁸⁹⁻⁺]+", lambda m: "^" + m.group().translate(_SUPERSCRIPTS), plain)
    for old, new in (("−", "-"), ("–", "-"), ("μ", "µ"), ("**", "^"), ("$", "")):
        plain = plain.replace(old, new)
    plain = re.sub(r"[·⋅∙•×]", "*", plain)
    plain = re.sub(r"\^\s*[({]\s*([+-]?\d+)\s*[)}]", r"^\1", plain)
    while plain[:1] in _BRACKETS and _closes_at_end(plain):
        plain = plain[1:-1].strip()
    plain = re.sub(r"\bper\b", "/", plain, flags=re.IGNORECASE)
    for word, power in (("cubic", 3), ("square", 2)):
        plain = re.sub(rf"\b{word}\s+([A-Za-zµ]+)", rf"\1^{power}", plain, flags=re.IGNORECASE)
    return plain.strip()


def _closes_at_end(text: str) -> bool:
    """Whether the bracket that opens the text closes at its very end."""
    opening, closing = text[0], _BRACKETS[text[0]]
    level = 0
    for i, char in enumerate(text):
        level += (char == opening) - (char == closing)
        if level == 0:
            return i == len(text) - 1
    return False


def _expression(text: str, plain: str) -> str:
    """Write the unit for the private registry, every name looked up in our own table."""
    parts: list[str] = []
    position = 0
    while position < len(plain):
        token = _TOKEN.match(plain, position)
        if token is None:
            raise unknown(text, f"cannot read {plain[position:]!r}")
        position = token.end()
        if token["space"]:
            continue
        after_power = bool(parts) and parts[-1] == "**"
        number = token["op"] or token["one"] or ""
        if after_power != number.lstrip("+-").isdigit() and not (token["one"] and not parts):
            raise unknown(text, "it holds a number that is not a power, or a power that is none")
        if token["name"]:
            part = _name(text, token["name"]) + (f"**({token['power']})" if token["power"] else "")
        else:
            part = {"^": "**"}.get(number, number)
        operand = part[0].isalnum() or part[0] == "("
        if parts and operand and (parts[-1][-1].isalnum() or parts[-1][-1] == ")"):
            parts.append("*")
        elif not parts and part == "/":
            parts.append("1")
        parts.append(f"({part})" if after_power else part)
    return " ".join(parts)


def _name(text: str, word: str) -> str:
    candidates = [word, word.rstrip(".")]
    if len(word.rstrip(".")) > 1 and (word.isupper() or (len(word) > 2 and word.istitle())):
        candidates += [candidate.lower() for candidate in candidates]
    for candidate in candidates:
        if candidate in _NAMES:
            return f"({_NAMES[candidate]})"
    if word in _AMBIGUOUS:
        raise UnitsError(f"ambiguous unit {text!r}: {_AMBIGUOUS[word]}")
    raise unknown(text, f"{word!r} is not a unit of depth profiling")


def unknown(text: str, reason: str) -> UnitsError:
    """Make the error for a unit that cannot be read."""
    return UnitsError(
        f"unknown unit {text!r}: {reason}. Units are written like 'nm', 'um', 'angstrom', 's', "
        "'atoms/cm^3', 'counts/s', 'at%', 'wt%', 'ppma' or 'arb. units'"
    )
