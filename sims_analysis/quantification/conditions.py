"""Conditions of a measurement that sensitivity factors hold for."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from sims_analysis import units
from sims_analysis.profiles.metadata import Metadata

_ENERGY = re.compile(r"([\d.]+)\s*(k?)eV", re.IGNORECASE)
_SAME_ENERGY = 0.02  # relative
_POLARITIES = {"positive": "+", "negative": "-", "+": "+", "-": "-", "−": "-"}

#: What a factor holds for, in addition to its species, and what it is called in messages.
NAMES = {
    "matrix": "matrix signal",
    "material": "material",
    "primary_ion": "primary ion",
    "energy": "impact energy",
    "polarity": "polarity",
    "instrument": "instrument",
    "abundance": "abundance",
}


def conditions_of(stated: Metadata) -> dict[str, str]:
    """Return what the metadata of a measurement say of its conditions; empty if nothing."""
    materials = {layer.matrix or "" for layer in stated.layers}
    return {
        "material": "" if "" in materials else " + ".join(sorted(materials)),
        "primary_ion": stated.primary_ion or "",
        "energy": stated.impact_energy or "",
        "polarity": stated.secondary_polarity or "",
        "instrument": stated.instrument or "",
    }


def read_energy(text: str) -> float:
    """Read an energy, in eV."""
    match = _ENERGY.fullmatch(text)
    if match is None or not float(match[1]) > 0:
        raise ValueError(text)
    return float(match[1]) * (1000.0 if match[2] else 1.0)


def _read_abundance(text: str) -> str:
    """Read by which abundance a factor was divided; 1, for that of an isotope, is as none."""
    if text == "natural":
        return text
    part = units.read_fraction(text if "%" in text else float(text), "abundance", ends="(]")
    return "" if part == 1 else f"{part:.6g}"


#: How conditions are read that are not any text.
READERS: dict[str, Callable[[str], Any]] = {
    "primary_ion": lambda text: "".join(text.split()),
    "energy": read_energy,
    "polarity": lambda text: _POLARITIES[text.lower()],
    "abundance": _read_abundance,
}


def same_energy(a: Any, b: Any) -> Any:
    """Whether two energies are the same."""
    return abs(a - b) <= _SAME_ENERGY * b


def contradict(name: str, one: str, other: str, read: Callable[[str], Any] | None = None) -> bool:
    """Whether two texts state a condition, and not the same; of dates, another day."""
    if not (one and other):
        return False
    with suppress(ValueError, KeyError):
        a, b = ((read or READERS.get(name, str))(text) for text in (one, other))
        if name == "date":
            return bool(a.date() != b.date())
        return not same_energy(a, b) if name == "energy" else bool(a != b)
    return one != other


def text_of(name: str, value: Any) -> str:
    """Return a condition, as it is read, as a text; empty if it is not stated."""
    if name != "energy":
        return str(value)
    return "" if math.isnan(value) else f"{value / 1000:g} keV"


def in_words(conditions: Mapping[str, Any]) -> str:
    """Say some conditions: ``primary ion O2+, impact energy 3 keV``."""
    texts = {NAMES[column]: text_of(column, value) for column, value in conditions.items()}
    return ", ".join(f"{name} {text}" if text else f"no {name}" for name, text in texts.items())
