"""The words of tables, of ``words.toml``: what headers are called in many languages."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Literal

from sims_analysis.text.typeset import SYMBOLS

#: What a column holds. ``"ancillary"`` are numbers that belong to a sample, and are no signal.
Role = Literal[
    "axis",
    "time",
    "value",
    "error",
    "index",
    "ancillary",
    "mass",
    "energy",
    "text",
    "species",
    "unit",
    "unread",
]

#: Role -> language -> words.
_WORDS: dict[str, dict[str, str]] = tomllib.loads(
    Path(__file__).with_name("words.toml").read_text(encoding="utf-8")
)
#: Labels that count: of elements with more nucleons than these.
_COUNTED, _MOST_ATOMS = re.compile(r"(\D+)(\d+)"), 8
#: What values may be called by one letter, below the name of their species.
LETTERS = frozenset("CIYNciyn")
#: Roles that are a whole header, rather than words in one.
_WHOLE = (
    "index", "ancillary", "ancillary_unit", "limit", "factor", "species", "unit", "text", "matrix",
    "layer", "processing", "element",
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
    listed = sorted(words, key=len, reverse=True)
    plain = "|".join(word for word in listed if word.isascii() or not _without_blanks(word))
    joined = "|".join(word for word in listed if _without_blanks(word)) or "(?!)"
    if role in _WHOLE:
        return re.compile(rf"(?:{plain}|{joined})", re.IGNORECASE)
    if role in ("mass", "energy"):
        return re.compile(rf"\b(?:{plain}|{joined})\b", re.IGNORECASE)
    if role == "filler":
        return re.compile(rf"(?:^|(?<=\s))(?:{plain})(?=$|\s)|{joined}", re.IGNORECASE)
    if role in ("in_units_of", "multiplied"):
        return re.compile(rf"(?:\b(?:{plain})\b|{joined})", re.IGNORECASE)
    # A name and a word may be joined: ``Mg-Konzentration``.
    before = r"(?:^|[\s_]|(?<=\w)-)" if role == "value" else r"(?:^|[\s_])"
    after = r"(?=$|[\s_:])" if role == "value" else r"(?=$|[\s_:,.(])"
    return re.compile(rf"(?:{before}(?:{plain}){after}|(?:{joined}))", re.IGNORECASE)


def _without_blanks(word: str) -> bool:
    return any("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in word)


@lru_cache(maxsize=4096)
def named_role(text: str, *roles: str) -> str | None:
    """Return the role, of several, that a whole text names; ``None`` if none."""
    words = " ".join(text.strip().rstrip(":").split())
    return next((role for role in roles if pattern(role).fullmatch(words)), None)


def are_labels(texts: Collection[str]) -> bool:
    """Whether texts count samples: ``W1``, ``W2``; isotopes count nucleons."""
    found = [_COUNTED.fullmatch(text) for text in texts]
    matches = [match for match in found if match]
    if len({*texts}) < 2 or len(matches) < len(found) or len({m[1] for m in matches}) > 1:
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
