"""Spellings of units in this field: words, phrases, and products of them.

A phrase such as ``at. %`` is a kind and a factor; all else is a product of powers of the units that
:mod:`sims_analysis.units.definitions` knows. Spellings that are not in these tables are refused.
"""

from __future__ import annotations

import re
from collections import Counter

from sims_analysis.errors import UnitsError
from sims_analysis.units.typography import plain as plainly

#: Spellings of single units. Words of two or more letters are also read in capitals.
SPELLINGS = {
    "nm": "nm nanometer nanometers nanometre nanometres nanometern nanomètre nanomètres "
    "nanometri nanómetro nanómetros 纳米 ナノメートル нм 나노미터",
    "angstrom": "Å å angstrom angstroms Ang ang Ang. ang. ångström ångströms angström",
    "um": "um µm micron microns micrometer micrometers micrometre micrometres "
    "mikrometer mikrometern micromètre micromètres micrometri micrómetro micrómetros 微米 "
    "マイクロメートル мкм 마이크로미터",
    "mm": "mm millimeter millimeters millimetre millimetres",
    "cm": "cm centimeter centimeters centimetre centimetres см",
    "m": "m meter meters metre metres",
    "s": "s sec sec. secs second seconds sekunde sekunden sek sek. seconde "
    "secondes seconden segundo segundos secondi 秒 с сек сек. 초",
    "ms": "ms millisecond milliseconds",
    "us": "us µs microsecond microseconds",
    "ns": "ns nanosecond nanoseconds",
    "min": "min min. mins minute minutes minuten minuti minutos 分 мин мин. 분",
    "hour": "h hr hrs hour hours",
    "g": "g gram grams",
    "kg": "kg kilogram kilograms",
    "ohm": "ohm ohms",
    "atom": "atom atoms at at. ats atoms. At At. atome atomes atomi atomen "
    "átomo átomos át át. atomos 原子 原子数 个 个原子 ат ат. атом атомов atomů atomer 원자",
    "count": "count counts cnt cnts cts ct count. counts. cts. cnt. imp imp. "
    "impuls impulse coup coups conteggi cuentas tellen カウント 計数 计数 имп имп.",
    "kcount": "kcount kcounts kcnt kcts",
    "Mcount": "Mcount Mcounts Mcnt Mcts",
    "cm^3": "cc ccm",
    "count/s": "cps",
    "kcount/s": "kcps kCps kCPS",
    "Mcount/s": "Mcps MCps MCPS",
}
_NAMES = {word: unit for unit, words in SPELLINGS.items() for word in words.split()}

#: Phrases of a kind and factor, in lower case and without spaces, dots, hyphens, underscores and
#: brackets.
PHRASE_LISTS = {
    "atomic_fraction 1/100": "at% atom% atoms% atomic% %at %atomic atpct atpercent atompercent "
    "atomicpercent atomprozent 原子% ат%",
    "atomic_fraction 1": "atomicfraction atomfraction atfraction atfrac atomicfrac",
    "atomic_fraction 1/1000000": "ppm ppma ppmat ppmatoms ppmatomic atppm atomicppm",
    "atomic_fraction 1/1000000000": "ppb ppba ppbat ppbatoms ppbatomic atppb atomicppb",
    "mass_fraction 1/100": "wt% weight% mass% %wt wtpct wtpercent weightpercent masspercent "
    "%weight %mass gew% gewichts% gewichtsprozent masse% 質量% 重量%",
    "mass_fraction 1": "massfraction weightfraction wtfraction wtfrac massfrac",
    "mass_fraction 1/1000000": "ppmw ppmwt ppmweight ppmmass wtppm",
    "mass_fraction 1/1000000000": "ppbw ppbwt ppbweight ppbmass wtppb",
    "arbitrary 1": "au ua arb arbu arbunit arbunits arbitrary arbitraryunit arbitraryunits "
    "intensity",
}
_PHRASES = {word: unit for unit, words in PHRASE_LISTS.items() for word in words.split()}
# `c` is a count only in `c/s`: alone it could be anything.
_RATE_OF_C = re.compile(r"(k?)c ?(?:/ ?s(?:ec)?\.?|[*. ] ?s(?:ec)?\^?-1)|C/S")

_AMBIGUOUS = {
    "A": "'A' may be ampere or angstrom; write 'angstrom'",
    "%": "'%' may be an atomic or a mass fraction; write 'at%' or 'wt%'",
    "percent": "it does not say percent of what; write 'at%' or 'wt%'",
    "mol%": "it does not say a mole fraction of what; write 'at%'",
    "ppt": "'ppt' may be parts per trillion or per thousand; scale the values and write 'ppb'",
}

_TOKEN = re.compile(
    r"(?P<name>[^\W\d_]+\.?)(?P<power>[+-]?\d+(?![\d.]))?"
    r"|(?P<number>[+-]?\d+(?![\d.]))|(?P<sign>[\^/*()])|\s+"
)
# `1e18`, `E+18`, `10^18`: a factor, which is not allowed in a unit.
_FACTOR = re.compile(r"(?<![A-Za-wyzµ\d^])(?:10\^[+-]?\d+|(?:\d+(?:\.\d*)?)?[eE][+-]?\d+)")


def phrase_or_powers(text: str) -> tuple[str, str] | Counter[str]:
    """Read a spelling: for a phrase, give the kind of quantity and the factor.

    Otherwise, give units and their powers. Ambiguous spellings, and others, are refused.
    """
    plain = plainly(text)
    phrase = re.sub(r"[\s.\-_()\[\]]+", "", plain).casefold()
    if plain in _AMBIGUOUS or phrase in _AMBIGUOUS:
        reason = _AMBIGUOUS.get(plain) or _AMBIGUOUS[phrase]
        raise UnitsError(f"ambiguous unit {text!r}: {reason}", code="ambiguous_unit")
    if phrase in _PHRASES:
        kind, factor = _PHRASES[phrase].split()
        return kind, factor
    rate = _RATE_OF_C.fullmatch(re.sub(r"\s+", " ", plain))
    if rate:
        return powers_of(text, f"{rate[1] or ''}count/s")
    number = _FACTOR.search(plain)
    if number:
        raise unknown(
            text,
            f"it contains a factor, {number[0]!r}, which may multiply or divide the values; scale "
            "the values and give the unit alone",
        )
    return powers_of(text, plain)


def powers_of(text: str, plain: str) -> Counter[str]:
    """Read a product of units; numbers are powers, but for a 1 that something divides."""
    tokens, position = [], 0
    while position < len(plain):
        token = _TOKEN.match(plain, position)
        if token is None:
            raise unknown(text, f"cannot read {plain[position:]!r}")
        position = token.end()
        if token.lastgroup:
            tokens.append(token)
    if not tokens:
        raise unknown(text, "it is empty" if not text.strip() else "it names no unit")
    reciprocal = tokens[0]["number"] == "1"
    del tokens[:reciprocal]
    powers = _product(text, tokens, "unit" if reciprocal else "")
    if tokens:
        raise unknown(text, "cannot read it")
    return powers


def _product(text: str, tokens: list[re.Match[str]], before: str = "") -> Counter[str]:
    """Take a product from the tokens: to their end, or to a bracket that closes it."""
    powers: Counter[str] = Counter()
    sign = 1
    while tokens and tokens[0]["sign"] != ")":
        token = tokens.pop(0)
        if token["sign"] in ("*", "/"):
            if before in ("*", "/") or (token["sign"] == "*" and not before):
                raise unknown(text, "cannot read it")
            sign, before = 1 if token["sign"] == "*" else -1, token["sign"]
            continue
        if token["sign"] == "(":
            part = _product(text, tokens)
            if not (tokens and tokens.pop(0)["sign"] == ")"):
                raise unknown(text, "cannot read it")
        elif token["name"]:
            part = _unit_of(text, token["name"])
        else:
            raise unknown(
                text, "it contains a number that is not a power, or a power without a number"
            )
        power = sign * _power(text, token, tokens)
        for unit in part:
            powers[unit] += power * part[unit]
        sign, before = 1, "unit"
    if before != "unit":
        raise unknown(text, "cannot read it")
    return powers


def _power(text: str, token: re.Match[str], tokens: list[re.Match[str]]) -> int:
    """Take the power of a unit or bracket: behind its name, or behind a ``^``."""
    power = token["power"] if token["name"] else None
    if tokens and tokens[0]["sign"] == "^":
        del tokens[0]
        if power or not (tokens and tokens[0]["number"]):
            raise unknown(
                text, "it contains a number that is not a power, or a power without a number"
            )
        power = tokens.pop(0)["number"]
    return int(power or 1)


def _unit_of(text: str, word: str) -> Counter[str]:
    """Look up a name; a unit of others, such as ``cc``, is a product itself."""
    candidates = [word, word.rstrip(".")]
    if len(word.rstrip(".")) > 1 and (word.isupper() or (len(word) > 2 and word.istitle())):
        candidates += [candidate.lower() for candidate in candidates]
    for candidate in candidates:
        if candidate in _NAMES:
            unit = _NAMES[candidate]
            return Counter({unit: 1}) if unit.isalpha() else powers_of(text, unit)
    if word in _AMBIGUOUS:
        raise UnitsError(f"ambiguous unit {text!r}: {_AMBIGUOUS[word]}", code="ambiguous_unit")
    raise unknown(text, f"{word!r} is not a unit of depth profiling")


def unknown(text: str, reason: str) -> UnitsError:
    """Make the error for a unit that cannot be read."""
    return UnitsError(
        f"unknown unit {text!r}: {reason}. Units are written like 'nm', 'um', 'angstrom', 's', "
        "'atoms/cm^3', 'counts/s', 'at%', 'wt%', 'ppma' or 'arb. units'",
        code="unknown_unit",
    )
