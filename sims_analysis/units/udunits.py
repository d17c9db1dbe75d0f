"""Units as UDUNITS spells them, which every tool of the CF conventions reads."""

from __future__ import annotations

import re

from sims_analysis.errors import UnitsError
from sims_analysis.units.definitions import read_unit

#: To UDUNITS atoms are pure numbers, and so is whatever has no unit.
_UDUNITS = {"atom/cm^3": "cm-3", "atom/cm^2": "cm-2", "arb. unit": "1"}
#: Words that mean the same to both.
_LENGTHS = {"nm", "um", "mm", "cm", "m", "angstrom"}
_SHARED = _LENGTHS | {"s", "ms", "us", "ns", "min", "hour", "g", "kg", "count", "ohm"}


def in_udunits(text: str) -> str | None:
    """Spell a unit for UDUNITS; None if it is not a known unit.

    >>> in_udunits("atom/cm^3"), in_udunits("atoms/m^3"), in_udunits("at%"), in_udunits("nm")
    ('cm-3', '1e-06 cm-3', '0.01', 'nm')
    """
    if text in _UDUNITS:
        return _UDUNITS[text]
    text = text.replace("arb. unit", "1")
    words = set(re.findall("[^\\W\\d_]+", text))
    if words - {"atom"} <= _SHARED and re.fullmatch("[A-Za-z0-9^/ *()-]+", text):
        return re.sub(r"\batom\b", "1", text)
    try:
        unit = read_unit(text)
    except UnitsError:
        return None
    canonical = in_udunits(unit.canonical)
    if unit.is_canonical:
        return canonical
    factor = f"{unit.multiply / unit.divide:.15g}"
    return factor if canonical == "1" else f"{factor} {canonical}"
