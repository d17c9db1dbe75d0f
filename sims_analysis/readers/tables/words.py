"""The words of tables: what headers are called in the languages in which laboratories write them.

``words.toml`` has them by role and language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path
from typing import Literal

__all__ = [
    "FILLERS",
    "LETTERS",
    "PROCESSING",
    "SPECIES",
    "Role",
    "are_labels",
    "is_species",
    "named_role",
    "names_species",
    "pattern",
]

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
#: What was done to values, in the brackets where their unit would stand.
PROCESSING = re.compile(
    r"(?:(?:background|dead ?time|poisson|mass|drift|interference|baseline|bkgd?\.?|bg)[ -]?"
    r"(?:corr(?:ected|\.)?|subtracted|removed)|smoothed|averaged|untergrund(?:korrigiert|bereinigt)"
    r"|geglättet|corrigée? du (?:bruit de )?fond|バックグラウンド(?:補正|除去)|本底(?:校正|扣除))",
    re.IGNORECASE,
)
#: Labels that count: of elements with more nucleons than these.
_COUNTED, _MOST_ATOMS = re.compile(r"(\D+)(\d+)"), 8
#: What stands beside a word for values, and names no species either.
FILLERS = re.compile(
    r"(?:^|(?<=\s))(?:(?:secondary )?ions?|raw|corrected|normali[sz]ed|measured|atomic|sims|counts?"
    r"|atomare?|gemessene?|atomique|mesurée?)(?=$|\s)|二次イオン|二次离子|原子",
    re.IGNORECASE,
)
#: What values may be called by one letter, below the name of their species.
LETTERS = frozenset("CIYNciyn")
#: Roles that are a whole header, rather than words in one.
_WHOLE = ("index", "ancillary", "limit", "factor", "species", "unit", "text")
#: Elements that are called by their names where one stands alone above a pair of columns.
_NAMES = (
    "hydrogen wasserstoff hydrogène hidrógeno idrogeno waterstof 水素 氢 deuterium lithium "
    "litio boron bor bore boro boor ホウ素 硼 carbon kohlenstoff carbone carbono carbonio "
    "koolstof 炭素 碳 nitrogen stickstoff azote nitrógeno azoto stikstof 窒素 氮 oxygen "
    "sauerstoff oxygène oxígeno ossigeno zuurstof 酸素 氧 fluorine fluor flúor fluoro フッ素 "
    "氟 sodium natrium sodio ナトリウム 钠 magnesium magnésium magnesio マグネシウム 镁 "
    "aluminium aluminum aluminio alluminio アルミニウム 铝 silicon silizium silicium silicio "
    "ケイ素 シリコン 硅 phosphorus phosphor phosphore fósforo fosforo fosfor リン 磷 sulfur "
    "schwefel soufre azufre zolfo zwavel chlorine chlor chlore cloro chloor 塩素 氯 potassium "
    "kalium potasio potassio カリウム 钾 iron eisen fer hierro ferro ijzer 鉄 铁 copper "
    "kupfer cuivre cobre rame koper 銅 铜 zinc zink zinco 亜鉛 锌 gallium galio gallio "
    "ガリウム 镓 germanium germanio ゲルマニウム 锗 arsenic arsen arsénico arsenico arseen "
    "ヒ素 砷 indium indio インジウム 铟 antimony antimon antimoine antimonio antimoon "
    "アンチモン 锑"
)
_ELEMENT_NAMES = frozenset(_NAMES.split())
_ELEMENTS = (
    "H D T He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga "
    "Ge As Se Br Kr Rb Sr Y Zr Nb Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm "
    "Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au Hg Tl Pb Bi Po At Rn Fr Ra Ac Th "
    "Pa U Np Pu Am Cm"
)
_ATOM = rf"\^?\d{{0,3}}(?:{'|'.join(sorted(_ELEMENTS.split(), key=len, reverse=True))})_?\d{{0,2}}"
SPECIES = re.compile(
    rf"[(\[]?(?:{_ATOM}[ ]?[)\]]?\d{{0,2}})+(?:\s*(?:[-+\u2212\u207a\u207b]|\^?\d?[-+]))?"
    r"(?:\s*(?:->|[-\u2013\u2014]?>|\u2192))?"
)


@lru_cache
def pattern(role: str) -> re.Pattern[str]:
    """Return the pattern of the words of a role, in all languages.

    Words between letters are no words: ``Si`` is none of ``Sigma``. Japanese, Chinese and Korean
    are written without blanks.
    """
    words = dict.fromkeys(w.strip() for texts in _WORDS[role].values() for w in texts.split(","))
    listed = sorted(words, key=len, reverse=True)
    plain = "|".join(word for word in listed if word.isascii() or not _without_blanks(word))
    joined = "|".join(word for word in listed if _without_blanks(word)) or "(?!)"
    if role in _WHOLE:
        return re.compile(rf"(?:{plain}|{joined})", re.IGNORECASE)
    if role in ("mass", "energy"):
        return re.compile(rf"\b(?:{plain}|{joined})\b", re.IGNORECASE)
    # A name and a word may be joined: ``Mg-Konzentration``.
    before = r"(?:^|[\s_]|(?<=\w)-)" if role == "value" else r"(?:^|[\s_])"
    after = r"(?=$|[\s_:])" if role == "value" else r"(?=$|[\s_:,.(])"
    return re.compile(rf"(?:{before}(?:{plain}){after}|(?:{joined}))", re.IGNORECASE)


def _without_blanks(word: str) -> bool:
    return any("\u3040" <= c <= "\u9fff" or "\uac00" <= c <= "\ud7a3" for c in word)


@lru_cache(maxsize=4096)
def named_role(text: str, *roles: str) -> str | None:
    """Return the role, of several, that a whole text names; ``None`` if none.

    Examples
    --------
    >>> named_role("Bemerkung", "species", "text"), named_role("Si", "species", "text")
    ('text', None)
    """
    words = " ".join(text.strip().rstrip(":").split())
    return next((role for role in roles if pattern(role).fullmatch(words)), None)


def are_labels(texts: Collection[str]) -> bool:
    """Whether texts count samples: ``W1``, ``W2``; isotopes count nucleons.

    Examples
    --------
    >>> are_labels(["W1", "W2"]), are_labels(["B10", "B11"]), are_labels(["Wafer 11", "Wafer 12"])
    (True, False, True)
    """
    found = [_COUNTED.fullmatch(text) for text in texts]
    matches = [match for match in found if match]
    if len({*texts}) < 2 or len(matches) < len(found) or len({m[1] for m in matches}) > 1:
        return False
    word = matches[0][1].strip(" _#-")
    nuclide = word in ("H", "He", "Li") or any(int(match[2]) > _MOST_ATOMS for match in matches)
    return not (word in _ELEMENTS.split() and nuclide)


@lru_cache(maxsize=4096)
def is_species(text: str) -> bool:
    """Whether a text is the formula of an ion: an isotope, a cluster, a matrix signal.

    Examples
    --------
    >>> [is_species(text) for text in ("11B", "^13C", "GaAs+", "Si->", "Probe", "conc.")]
    [True, True, True, True, False, False]
    """
    return SPECIES.fullmatch(text.strip()) is not None


def names_species(text: str) -> bool:
    """Whether a text holds the formula or the name of a species, and is not about a sample.

    Examples
    --------
    >>> [names_species(text) for text in ("Boron", "11B in Si", "Probe W7", "Sample B")]
    [True, True, False, False]
    """
    words = re.split(r"[\s,;()]+", text.strip())
    if any(named_role(word, "text") for word in words):
        return False
    return any(is_species(word) or word.casefold() in _ELEMENT_NAMES for word in words if word)
