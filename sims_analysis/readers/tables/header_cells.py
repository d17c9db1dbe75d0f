"""Headers: what a column holds, of which species, in which unit."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from sims_analysis import vocabulary
from sims_analysis.errors import UnitsError
from sims_analysis.text.typeset import SYMBOLS
from sims_analysis.units import Unit, read_unit

#: Role -> language -> words.
_WORDS: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)
_WORDS["text"] |= {f"{language}, remark": words for language, words in _WORDS["remark"].items()}
#: Letters of languages that set no blanks between words.
_JOINED = re.compile("[\u3040-\u9fff\uac00-\ud7a3]")
#: Labels that count: of elements with more nucleons than these.
_COUNTED, _MOST_ATOMS = re.compile(r"(\D+)(\d+)"), 8
#: What values may be called by one letter, below the name of their species.
LETTERS = frozenset("CIYNciyn")
#: Roles that are a whole header, rather than words in one.
_WHOLE = (
    "index", "ancillary", "ancillary_unit", "limit", "factor", "species", "unit", "text", "remark",
    "label", "matrix", "layer", "processing", "element",
)  # fmt: skip
_ELEMENTS = (*SYMBOLS, "D", "T", "Np", "Pu", "Am", "Cm")
_ATOM = rf"\^?\d{{0,3}}(?:{'|'.join(sorted(_ELEMENTS, key=len, reverse=True))})_?\d{{0,2}}"
SPECIES = re.compile(
    rf"[(\[]?(?:{_ATOM}[ ]?[)\]]?\d{{0,2}})+(?:\s*(?:[-+\u2212\u207a\u207b]|\^?\d?[-+]))?"
    r"(?:\s*(?:->|[-\u2013\u2014]?>|\u2192))?"
)
_ARROW = re.compile(r"(?:->|[-\u2013\u2014]?>|\u2192)\s*$")


@lru_cache
def pattern(role: str) -> re.Pattern[str]:
    """Return the pattern of the words of a role, in all languages; none stands between letters."""
    words = dict.fromkeys(w.strip() for texts in _WORDS[role].values() for w in texts.split(","))
    ordered = sorted(words, key=len, reverse=True)
    spaced = "|".join(word for word in ordered if word.isascii() or not _JOINED.search(word))
    joined = "|".join(word for word in ordered if _JOINED.search(word)) or "(?!)"
    if role in _WHOLE:
        return re.compile(rf"(?:{spaced}|{joined})", re.IGNORECASE)
    if role == "filler":
        return re.compile(rf"(?:^|(?<=\s))(?:{spaced})(?=$|\s)|{joined}", re.IGNORECASE)
    if role in ("mass", "energy", "spectrum", "in_units_of", "multiplied"):
        return re.compile(rf"(?:\b(?:{spaced})\b|{joined})", re.IGNORECASE)
    # A name and a word may be joined: ``Mg-Konzentration``.
    start = r"(?:^|[\s_]|(?<=\w)-)" if role == "value" else r"(?:^|[\s_])"
    end = r"(?=$|[\s_:])" if role == "value" else r"(?=$|[\s_:,.(])"
    return re.compile(rf"(?:{start}(?:{spaced}){end}|(?:{joined}))", re.IGNORECASE)


@lru_cache(maxsize=4096)
def named_role(text: str, *roles: str) -> str | None:
    """Return the role, of several, that a whole text names; ``None`` if none."""
    words = " ".join(text.strip().rstrip(":").split())
    return next((role for role in roles if pattern(role).fullmatch(words)), None)


def without_label(text: str, *roles: str) -> str:
    """Take off what a label begins with: ``Sample: W1``."""
    key, _, name = (part.strip() for part in text.partition(":"))
    return name if name and named_role(key, *roles) else text


def are_labels(texts: Collection[str]) -> bool:
    """Whether texts count samples: ``W1``, ``W2``; isotopes count nucleons."""
    all_matches = [_COUNTED.fullmatch(text) for text in texts]
    matches = [match for match in all_matches if match]
    if len({*texts}) < 2 or len(matches) < len(all_matches) or len({m[1] for m in matches}) > 1:
        return False
    word = matches[0][1].strip(" _#-")
    nuclide = word in ("H", "He", "Li") or any(int(match[2]) > _MOST_ATOMS for match in matches)
    return not (word in _ELEMENTS and nuclide)


@lru_cache(maxsize=4096)
def is_species(text: str) -> bool:
    """Whether a text is the formula of an ion: an isotope, a cluster, a matrix signal."""
    return SPECIES.fullmatch(text.strip()) is not None


def is_only_species(text: str) -> bool:
    """Whether a text is the formula or the name of a species, and nothing else."""
    return is_species(text) or pattern("element").fullmatch(text.strip()) is not None


def is_matrix_signal(name: str) -> bool:
    """Whether a name ends in the arrow with which laboratories mark signals of the matrix."""
    return _ARROW.search(name) is not None


def names_species(text: str) -> bool:
    """Whether a text holds the formula or the name of a species, and is not about a sample."""
    words = re.split(r"[\s,;()]+", text.strip())
    if any(named_role(word, "text") for word in words):
        return False
    return any(is_only_species(word) for word in words if word)


#: ``log(B)``, ``√B``, ``1/Depth``.
_FUNCTION = re.compile(
    r"(?:^|[\s_(\[])(?i:log|ln|lg|sqrt)(?:_?10)?(?=$|[\s()\[\]_])|^[Ll]og(?:_?10)?[A-Z]|\u221a"
    r"|^1\s?/\s?(?=[^\W\d])(?!cm|nm|s\b|[\u00b5\u03bcu]m)"
)
#: Nothing but a unit is written like this, even if a column cannot be in it.
_UNIT_LIKE = re.compile(
    r"^%$|(?:c|cts|counts)/s(?:ec)?$|cps$"
    r"|/\s*cm\W?[23\u00b2\u00b3]|\bcm\W?[-\u207b]\s*[23\u00b2\u00b3]"
)
#: A power of ten: ``10^18``, ``10**18``, ``10¹⁸``, ``1E18``, ``E18``.
_TEN = r"10\s*(?:\^|\*\*)\s*[+-]?\d+|10[\u207b\u207a]?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]+"
_POWER = rf"(?:{_TEN}|(?:10?)?(?:[.,]0*)?[eE][+-]?\d+)"
_TIMES = r"[x\u00d7*\u00b7]"
#: ``10^18`` or ``x1E18`` before a unit, or behind it; ``x10`` and ``1018``, a power that was lost.
_FACTOR = re.compile(
    rf"{_TIMES}?\s*{_POWER}\s*{_TIMES}?\s*(?=\D)|\s*{_TIMES}\s*{_POWER}$"
    rf"|^{_TIMES}?\s*\d+\s+(?=[^\W\d])"
)
#: A factor next to the name of a species: ``B x1E18``, ``B (10^18)``, ``Si /1000``, ``B E18``. What
#: stands there without a sign, ``B 1E15``, is a dose.
_SCALED = re.compile(
    rf"(?:(?:[/([]|{_TIMES}|\bin)\s*{_POWER}|(?<![\w.])(?:{_TEN}|[eE][+-]?\d{{1,2}})"
    rf"|(?<![^\s(\[]){_TIMES}\s*\d+(?:[.,]\d+)?|/\s*10+)(?=$|[\s)\]])"
)
_DOSE_LIKE = re.compile(r"(?<![\w.])1(?:\.0*)?[eE]\d+(?=$|[\s)\]])")
#: Errors of more than one standard deviation.
_SEVERAL = re.compile(
    r"(?:^|[\s_(\[\u00b1])(?:([23])[ -]?(?:\u03c3|sigmas?|s\.?d\.?)|k ?= ?([23]))(?![^\W_])"
    r"|^([23])s(?=$|\s*[(\[])",
    re.IGNORECASE,
)
_SHORT_AXES = re.compile(r"[zx]", re.IGNORECASE)
#: ``[B]``, ``(B)`` and ``c(B)`` are how much boron there is.
_CONTENT = re.compile(rf"\[({SPECIES.pattern})\]|[cCnN]?\(({SPECIES.pattern})\)")
PERCENT = frozenset(("%", "percent", "per cent", "Prozent"))
_PLUS_MINUS = re.compile(r"(?:^|(?<=[\s(\[]))\+\s?/?\s?[-\u2212](?=$|[\s,(\[\d])")
_BRACKETS = re.compile(r"(.*?)\s*[(\[]([^()\[\]]*(?:\([^()]*\)[^()\[\]]*)?)[)\]]\s*:?")
#: A unit within a header: ``B (at/cm3) W7``.
_WITHIN = re.compile(r"(?<=\S)\s*[(\[]([^()\[\]]+)[)\]]")
_NAME = re.compile(r"(\S+?)[\s_,]+")
_AFTER = (
    re.compile(r"(.+?)\s*,\s*(\S.*)"),
    re.compile(r"(.+?)\s+/\s+(\S.*)"),
    re.compile(r"(.+?)\s+in\s+(\S.*)"),
    re.compile(r"(.+?)_([^_\s]+)"),
    re.compile(r"(.+?)\s+(\S+)"),
    # Last, or counts/s would be in s.
    re.compile(r"([^/]+?)/(\S.*)"),
)
#: Of these forms the first leave no doubt that a unit follows.
_SEPARATED = 3


#: In this order: a header may hold words of several.
_ROLES = ("mass", "energy", "axis", "time", "error", "index", "ancillary")
_WHOLE_ROLES = ("index", "ancillary")
_JOINT = re.compile(
    r"^(?:of|von|de|du|des|en|di|del|van|d['\u2019])\s*(?=\s|(?<=['\u2019]))\s*|[\u306e\u7684]$",
    re.IGNORECASE,
)
#: At the end of a header; relative errors are none in the unit of the values.
_LIMITS = re.compile(
    r"(?:^|[\s_])(?:detection[ _]limit|lod|lld|dl|rsd|rel\.? ?(?:std\.?|err(?:or|\.)?|sd)"
    r"|(?:unc(?:ertainty|\.)?|err(?:or|\.)?) ?\(?9[059] ?%\)?)$",
    re.IGNORECASE,
)
#: Before a species: ``LOD B``, ``MDL(B)``, ``Limit B``.
_LIMIT_OF = re.compile(rf"(?:{pattern('limit').pattern}|limits?|grenze)(?=[\s_(\[])", re.IGNORECASE)
#: Kinds of units that a column next to a profile may be in.
_ANCILLARY_KINDS = ("sputter_rate", "areal_density")
#: ``depth_unit``
_UNIT_OF = re.compile(rf"(.+?)[ _-](?:{pattern('unit').pattern})", re.IGNORECASE)
#: ``in units of 1E18 ...``, and ``multiplied by 1000``.
_INTRODUCED = re.compile(
    rf"(?:{pattern('in_units_of').pattern}\s*[:=]?|[(\[]|{_TIMES})\s*{_TIMES}?\s*{_POWER}\s*{_TIMES}?"
    r"\s*",
    re.IGNORECASE,
)
#: ``values x 1E18``; ``3 x 1E15`` is a number.
_TIMES_POWER = re.compile(rf"(?<=[^\d\s])\s+{_TIMES}\s*{_POWER}\s*(?=$|[)\],;])")
_MULTIPLIED = re.compile(
    rf"{pattern('multiplied').pattern}\W+(?:\w+\W+){{0,2}}?{_TIMES}?\s*(?:{_POWER}|\d+(?:[.,]\d+)?)\b"
    r"(?![.,]?\d|\s*(?:k?V|[pnµm]A|[nuµm]m|[x×])\b)",
    re.IGNORECASE,
)
#: ``ΔB``, ``dB``, ``s_B`` and ``u(B)`` are errors of B.
_DELTA = re.compile(r"(?:[Δδd]\s?|[esu]_|[su](?=[A-Z\d]))(.+)|[us]\((.+)\)")
#: As Japanese and Chinese keyboards write them.
_WIDE = str.maketrans("（）［］／，：　", "()[]/,: ")


@dataclass(frozen=True)
class Header:
    """What the header of one column says."""

    #: ``"axis"`` (a depth), ``"time"``, ``"value"``, ``"error"`` (of the value next to it); numbers
    #: that are not signals, ``"index"`` and ``"ancillary"``; words, one a row, ``"species"``,
    #: ``"unit"`` and ``"text"``; ``"mass"`` and ``"energy"`` (of no depth profile); ``"unread"``.
    role: str
    #: Of the species, as far as this header has one.
    name: str
    unit: str | None
    #: Whether the role is stated in words, rather than all that is left.
    explicit: bool


@lru_cache(maxsize=4096)
def _unit(text: str) -> Unit | None:
    try:
        return read_unit(text)
    except UnitsError:
        return None


def kind_of(text: str) -> str | None:
    """Kind of any unit; ``None`` if it is not one."""
    unit = _unit(text)
    return unit.kind if unit else None


def unit_kind(text: str) -> str | None:
    """Kind of a unit that a column may be in; ``None`` if it is not one."""
    kind = kind_of(text)
    return kind if kind in (*vocabulary.AXES, *vocabulary.VALUE_KINDS) else None


def same_unit(a: str, b: str) -> bool:
    """Whether two spellings are of one unit."""
    first, second = _unit(a), _unit(b)
    if first is None or second is None:
        return False
    return replace(first, text="") == replace(second, text="")


def without_brackets(cell: str) -> str:
    """Take off the brackets around a unit."""
    cell = cell.translate(_WIDE)
    return cell[1:-1].strip() if _in_brackets(cell) else cell


def is_unit(cell: str) -> bool:
    """Whether a cell is a unit, or in brackets where one would stand."""
    cell = cell.translate(_WIDE)
    readable = unit_kind(cell) is not None or cell in PERCENT or has_factor(cell)
    # ``K`` and ``V`` are rather elements.
    return _in_brackets(cell) or readable or (len(cell) > 1 and _is_ancillary_unit(cell))


def _in_brackets(cell: str) -> bool:
    return cell.startswith(("(", "[")) and cell.endswith((")", "]"))


def join_header(text: str, word: str) -> str:
    """Put a word into a header, before its unit."""
    words, unit = _split_unit(" ".join(text.translate(_WIDE).split()))
    return f"{words} {word} ({unit})" if unit else f"{text} {word}"


def is_ancillary(header: Header, unit: str | None) -> bool:
    """Whether a unit is that of something else than a profile: ``nA``, ``mbar``, ``%``."""
    if not unit or unit_kind(unit):
        return False
    if unit in PERCENT:
        return not (header.explicit or is_species(header.name) or not header.name)
    return _is_ancillary_unit(unit)


def _is_ancillary_unit(unit: str) -> bool:
    return bool(pattern("ancillary_unit").fullmatch(unit)) or kind_of(unit) in _ANCILLARY_KINDS


def is_limit(text: str) -> bool:
    """Whether a header is that of detection limits."""
    return _limit(_split_unit(text)[0]) is not None


def begins_row(text: str, *roles: str) -> bool:
    """Whether a cell says that the others of its row are limits or factors of their columns."""
    words, _ = _split_unit(text)
    return named_role(words.partition("(")[0], "limit", "factor", *roles) is not None


def factor_in(text: str) -> bool:
    """Whether a text that is not a header states a factor: ``x1E18``, ``all in 1E18 at/cm3``."""
    text = text.translate(_WIDE)
    content = without_brackets(text)
    scaled = _SCALED.fullmatch(f"x{content}" if re.match(_TEN, content) else content)
    # ``x1`` and ``x2`` are what samples are called.
    if scaled and re.search(r"\d\d|\d[.,]|[eE]\d", content):
        return True
    for match in _INTRODUCED.finditer(text):
        unit = re.split(r"[)\],;]|\s(?:and|und|et)\s", text[match.end() :])[0].strip(" .")
        if unit_kind(unit) in vocabulary.VALUE_KINDS:
            return True
    multiplied = _MULTIPLIED.search(text) or _TIMES_POWER.search(text)
    return multiplied is not None and not pattern("factor").search(text)


def refuse_factor(text: str, where: str = "", advice: str = "take it out") -> None:
    """Refuse a factor, which may multiply the values or divide them; `where` begins the message."""
    raise UnitsError(
        f"{where}{text!r} states a factor, which may be meant either way; scale the values and "
        f"{advice}",
        code="ambiguous_unit",
    )


def has_factor(unit: str) -> bool:
    """Whether a unit holds a factor: ``1E18 at/cm3``."""
    match = _FACTOR.search(unit)
    return bool(match) and unit_kind(_FACTOR.sub("", unit, count=1).strip()) is not None


def _special(text: str, words: str, unit: str | None) -> Header | None:
    """Read the headers of spectra, and of errors that state no role: ``Δ11B``, ``B rsd (%)``."""
    if pattern("spectrum").search(words) or text.endswith(("(eV)", "[eV]", "(keV)", "[keV]")):
        return Header("energy", words, None, explicit=True)
    delta = _DELTA.fullmatch(words)
    if delta and is_species(delta[1] or delta[2]):
        return Header("error", delta[1] or delta[2], unit, explicit=True)
    plain_words = words.replace("%", " ")
    relative = pattern("relative").search(plain_words)
    if relative and (unit in PERCENT or plain_words != words):
        name = _remove(plain_words, relative)
        return Header("error", _name_in(_trim(name)), "%", explicit=True)
    return None


@lru_cache(maxsize=32768)
def read_header(text: str) -> Header:
    """Read the header of a column."""
    text = " ".join(text.translate(_WIDE).strip().strip('"').split())
    text = _PLUS_MINUS.sub("\u00b1", text)
    words, unit = _split_unit(text)
    _refuse_scaled(text, words, unit)
    return _special(text, words, unit) or _by_role(words, unit) or _by_unit(text, words, unit)


def _refuse_scaled(text: str, words: str, unit: str | None) -> None:
    """Refuse functions and multiples of values or errors."""
    if _FUNCTION.search(text):
        message = f"{text!r} is a logarithm, root or reciprocal; give the values themselves"
        raise UnitsError(message, code="scaled_values")
    several = _SEVERAL.search(text)
    if several and not _limit(words):
        number = next(filter(None, several.groups()))
        raise UnitsError(
            f"{text!r} is {number} standard deviations; divide the numbers by {number}, "
            "and call them '1 sigma'",
            code="scaled_values",
        )
    dose_like = _DOSE_LIKE.search(words) and pattern("value").search(words)
    if _SCALED.search(words) or dose_like or (unit and has_factor(unit)):
        refuse_factor(text, advice="give the unit alone")


def _by_role(words: str, unit: str | None) -> Header | None:
    """Read a header with a word for what it is: an axis, an error, a mass, a unit..."""
    of_units = _UNIT_OF.fullmatch(words) if unit is None else None
    if of_units:
        roles = ("axis", "time", "value")
        if is_only_species(of_units[1]) or any(pattern(r).search(of_units[1]) for r in roles):
            return Header("unit", of_units[1], None, explicit=True)
    measured = bool(unit and unit_kind(unit))
    for role in _ROLES:
        match = pattern(role).search(words) if role not in _WHOLE_ROLES else _match(words, role)
        limit = role == "error" and _LIMITS.search(words)
        if match is None or limit or (measured and role in ("index", "mass", "energy")):  # NO (c/s)
            continue
        name = _name_in(_remove(words, match))
        if role == "mass" and re.search(r"\d", name):
            # ``mass 28`` is a signal.
            return Header("value", words, unit, explicit=False)
        if role == "error":
            name = pattern("error").sub("", pattern("value").sub("", f" {name}"))
            name = _name_in(_trim(name))
        elif role in ("axis", "time") and pattern("error").search(words):
            # How well depths are known is no depth.
            return Header("ancillary", name, unit, explicit=True)
        return Header(role, name, unit, explicit=True)
    return None


def _by_unit(text: str, words: str, unit: str | None) -> Header:
    """Read a header by its unit, and without one as that of values."""
    kind = unit_kind(unit) if unit else None
    header = Header("value", words, unit, explicit=bool(pattern("value").search(words)))
    if is_ancillary(header, unit):
        return replace(header, role="ancillary", explicit=True)
    if kind in vocabulary.AXES and re.fullmatch(r"[-+\d.,]+", words):
        # A number with its unit in one cell.
        return Header("value", text, None, explicit=False)
    if kind == "depth":
        return Header("axis", "" if _SHORT_AXES.fullmatch(words) else words, unit, explicit=True)
    if kind == "sputter_time":
        return Header("time", "" if words in ("t", "T") else words, unit, explicit=True)
    match = pattern("mean").search(words)
    words = _remove(words, match) if match else words
    match = pattern("value").search(words)
    if match:
        name = _trim(" ".join(pattern("filler").sub(" ", _remove(words, match)).split()))
        return Header("value", _name_in(name), unit, explicit=True)
    role = named_role(words, "species", "unit", "layer", "text") if not unit else None
    if role is not None:
        word = "text" if role == "layer" else role
        return Header(word, words, None, explicit=True)
    return Header("value", _name_in(words), unit, explicit=False)


def try_header(text: str) -> Header:
    """Read a header; it says nothing if its unit is ambiguous."""
    try:
        return read_header(text)
    except UnitsError:
        return Header("unread", "", None, explicit=False)


def has_role(text: str, *roles: str) -> bool:
    """Whether a header states in words that its column is one of these."""
    header = try_header(text)
    return header.explicit and header.role in roles


def names_axis(cells: Iterable[str]) -> bool:
    """Whether one of some headers is that of depths or times."""
    return any(has_role(cell, "axis", "time") for cell in cells)


def holds_words(header: Header) -> bool:
    """Whether a column with this header may hold words: it states neither numbers nor a species."""
    if header.role in ("text", "species", "unit"):
        return True
    return header.role == "value" and not (
        header.explicit or header.unit or not header.name or is_species(header.name)
    )


def _match(words: str, role: str) -> re.Match[str] | None:
    """Match a role whose words are the whole header, or follow a species: ``B background``."""
    name = _NAME.match(words) if role == "ancillary" else None
    place = name.end() if name and is_only_species(name[1]) else 0
    match = pattern(role).fullmatch(words, place) or pattern(role).fullmatch(words)
    return match or (_limit(words) if role == "ancillary" else None)


def _limit(words: str) -> re.Match[str] | None:
    """Match the words for a limit, alone or next to a species."""
    match = _LIMIT_OF.match(words)
    if match and is_only_species(words[match.end() :].strip(" _()[]")):
        return match
    return pattern("limit").fullmatch(words) or _LIMITS.search(words)


def _remove(words: str, match: re.Match[str]) -> str:
    """Take words out of a header, and what joined them to a name: ``Konzentration von Bor``."""
    remainder = _trim(words[: match.start()] + " " + words[match.end() :])
    return _JOINT.sub("", remainder)


def _name_in(words: str) -> str:
    """Take off the notation for the content of a species."""
    match = _CONTENT.fullmatch(words)
    return (match[1] or match[2]) if match else words


def _trim(words: str) -> str:
    """Take off what joins a name to what stood next to it; the charge of an ion is no dash."""
    return re.sub(r"^[\s_:,/-]+|[\s_:,/]+(-[\s_:,/]*)?$", "", words)


def _split_unit(text: str) -> tuple[str, str | None]:
    """Take the unit off a header."""
    match = _BRACKETS.fullmatch(text)
    inner = next((m for m in _WITHIN.finditer(text) if unit_kind(m[1])), None)
    if inner and not (match and unit_kind(match[2].strip())):
        return _trim(f"{text[: inner.start()]} {text[inner.end() :].strip()}"), inner[1]
    if match:
        words, unit = _trim(match[1]), match[2].strip()
        if unit_kind(unit) or (words and _is_ancillary_unit(unit)):
            return words, unit
        if pattern("processing").fullmatch(unit):
            return words, None
        if any(pattern(role).search(words) for role in ("axis", "time", "value")):
            # A unit that cannot be read must be seen, not taken for a part of the name.
            return words, unit
        if _UNIT_LIKE.search(unit) or (_FACTOR.match(unit) and unit_kind(_FACTOR.sub("", unit))):
            return words, unit
        return text, None
    if text.endswith(" %") and pattern("error").search(text):
        return _trim(text[:-1]), "%"
    kind = unit_kind(text)
    if kind in vocabulary.AXES or (kind and re.search(r"[/^%\d]", text)):
        return "", text
    for place, form in enumerate(_AFTER):
        match = form.fullmatch(text)
        if (
            match
            and place < _SEPARATED
            and (match[2] in PERCENT or _is_ancillary_unit(match[2].strip()))
        ):
            return _trim(match[1]), match[2].strip()
        # What stands last may be an element rather than a unit: ``Si Au``, ``Ga/As``.
        if match and unit_kind(match[2]) and not re.fullmatch(r"[A-Z][a-z]?", match[2]):
            return _trim(match[1]), match[2].strip()
    return text, None
