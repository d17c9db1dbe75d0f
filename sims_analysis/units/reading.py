"""Read units as written in this field, and convert exactly.

Unit strings are read with a private registry that knows about thirty names and refuses everything
else, because pint's default registry reads ``at/cm^3`` as technical atmospheres, ``c/s`` as the
speed of light and ``cts/s`` as carats.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from sims_analysis.errors import UnitsError
from sims_analysis.forking import PerProcess
from sims_analysis.units.scaling import scaled
from sims_analysis.units.spelling import phrase_or_expression, unknown

if TYPE_CHECKING:
    import pint

#: 1 nm atom/cm^3 is 1e-7 atom/cm^2, exactly; dividing by 1e7 rounds once.
NM_PER_CM = 1e7

#: Kind of quantity -> the unit of all computations and results, and how a user may write it.
_KINDS = {
    "depth": ("nm", "'nm', 'um' or 'angstrom'"),
    "sputter_time": ("s", "'s' or 'min'"),
    "concentration": ("atom/cm^3", "'atoms/cm^3' or 'cm^-3'"),
    "areal_density": ("atom/cm^2", "'atoms/cm^2'"),
    "count_rate": ("count/s", "'counts/s'"),
    "count": ("count", "'counts'"),
    "arbitrary": ("arb. unit", "'arb. units'"),
    "atomic_fraction": ("1", "'at%' or 'ppm'"),
    "mass_fraction": ("1", "'wt%'"),
    "range_density": ("1/cm", "'1/cm'"),
    "sputter_rate": ("nm/s", "'nm/s'"),
    "factor_per_rate": ("atom/cm^3/(count/s)", "'atoms/cm^3 per count/s'"),
    "factor_per_count": ("atom/cm^3/count", "'atoms/cm^3 per count'"),
    "mass_density": ("g/cm^3", "'g/cm^3'"),
    "diffusivity": ("cm^2/s", "'cm^2/s'"),
    "resistance": ("ohm", "'ohm'"),
    "dimensionless": ("1", "'1'"),
}
CANONICAL = {kind: unit for kind, (unit, _) in _KINDS.items()}

_DEFINITIONS = (
    "nm = [length]",
    "angstrom = 0.1 nm",
    "um = 1000 nm",
    "mm = 1000 um",
    "cm = 10 mm",
    "m = 100 cm",
    "s = [time]",
    "ms = 0.001 s",
    "us = 1e-6 s",
    "ns = 1e-9 s",
    "min = 60 s",
    "hour = 60 min",
    "g = [mass]",
    "kg = 1000 g",
    "atom = [atom]",
    "count = [count]",
    "kcount = 1000 count",
    "Mcount = 1e6 count",
    "ohm = [resistance]",
)

_Dimension = tuple[tuple[str, float], ...]
#: Dimensions of `atoms/cm^-3`, in which both the slash and the sign invert.
_INVERTED = {(("[atom]", 1.0), ("[length]", 3.0)), (("[atom]", 1.0), ("[length]", 2.0))}


@dataclass(frozen=True)
class Unit:
    """A unit: the spelling that was read, its kind, and its ratio to the canonical unit.

    One of it is ``multiply / divide`` canonical units, both whole numbers, so that the ratio is
    exact: 0.1 is not a double.
    """

    text: str
    kind: str
    multiply: float = 1.0
    divide: float = 1.0

    @property
    def canonical(self) -> str:
        """The canonical unit of this kind, as a plain string."""
        return CANONICAL[self.kind]

    @property
    def is_canonical(self) -> bool:
        """Whether magnitudes in this unit and in the canonical one are the same."""
        return self.multiply == 1.0 == self.divide

    def to_canonical(self, values: Any) -> Any:
        """Convert magnitudes to the canonical unit; return the same object if nothing changes."""
        return scaled(values, self.multiply, self.divide)

    def from_canonical(self, values: Any) -> Any:
        """Convert magnitudes from the canonical unit to this one."""
        return scaled(values, self.divide, self.multiply)


def _unit(text: str, kind: str, factor: Fraction) -> Unit:
    return Unit(text, kind, multiply=float(factor.numerator), divide=float(factor.denominator))


#: Lock of the registry. Those of pint are not made for several threads: one that is half built has
#: no metres.
_registry_lock: PerProcess[Any] = PerProcess(threading.RLock)


@lru_cache(maxsize=1)
def _registry() -> pint.UnitRegistry[Any]:
    import pint

    registry: pint.UnitRegistry[Any] = pint.UnitRegistry(
        None, cache_folder=None, non_int_type=Fraction
    )
    for definition in _DEFINITIONS:
        registry.define(definition)
    return registry


#: Kind, multiply and divide of the most common spellings. With these, the first call in a new
#: process need not import pint and build a registry.
COMMON = {
    text: (kind, multiply, divide)
    for kind, multiply, divide, texts in (
        ("depth", 1.0, 1.0, "nm"),
        ("depth", 1000.0, 1.0, "um µm"),
        ("depth", 1.0, 10.0, "angstrom"),
        ("sputter_time", 1.0, 1.0, "s"),
        ("concentration", 1.0, 1.0, "atom/cm^3 atoms/cm^3 atoms/cm3 at/cm^3 at/cm³ cm^-3"),
        ("areal_density", 1.0, 1.0, "atom/cm^2 atoms/cm^2"),
        ("count_rate", 1.0, 1.0, "count/s counts/s"),
        ("count", 1.0, 1.0, "count counts"),
    )
    for text in texts.split()
}

_LONGEST = 200


@lru_cache(maxsize=1024)
def read_unit(text: str) -> Unit:
    """Read a unit as written in this field: ``"at/cm³"``, ``"[um]"``, ``"c/s"``; none is guessed.

    >>> read_unit("at/cm³").kind, read_unit("µm").multiply
    ('concentration', 1000.0)
    """
    if not isinstance(text, str):
        raise UnitsError(f"a unit is a text, found {type(text).__name__}: {text!r}")
    if text in COMMON:
        return Unit(text, *COMMON[text])
    if len(text) > _LONGEST:
        # The time needed to read it grows with the square of its length.
        raise unknown(f"{text[:40]}...", f"it has {len(text)} characters")
    spelled = phrase_or_expression(text)
    if isinstance(spelled, tuple):
        kind, factor = spelled
        return _unit(text, kind, Fraction(factor))
    return _evaluate(text, spelled)


def _evaluate(text: str, expression: str) -> Unit:
    if not re.search("[a-zA-Z]", expression):
        if expression == "1":
            return Unit(text, "dimensionless")
        raise unknown(text, "it is empty" if not text.strip() else "it names no unit")
    try:
        dimension, factor = _in_base(expression)
    # The exception for a malformed expression differs between pint's versions.
    except Exception:  # noqa: BLE001
        raise unknown(text, "cannot read it") from None
    if dimension in _INVERTED:
        raise unknown(text, "it divides by a negative power; write 'atoms/cm^3' or 'atoms cm^-3'")
    if dimension not in _dimensions():
        raise unknown(text, "this combination has no meaning in a depth profile")
    kind, canonical = _dimensions()[dimension]
    return _unit(text, kind, factor / canonical)


def _in_base(expression: str) -> tuple[_Dimension, Fraction]:
    """Return the dimension of a unit, and its ratio to the base units, nm and s among them."""
    with _registry_lock.get():
        quantity = _registry().parse_expression(expression).to_base_units()
    powers: dict[str, Any] = dict(quantity.dimensionality)
    dimension = tuple(sorted((name, float(power)) for name, power in powers.items()))
    return dimension, Fraction(quantity.magnitude)


@lru_cache(maxsize=1)
def _dimensions() -> dict[_Dimension, tuple[str, Fraction]]:
    """Return the kind of each dimension, and its canonical unit in base units.

    In a density, the word "atoms" may be missing.
    """
    found = {}
    for kind, unit in CANONICAL.items():
        if unit in ("1", "arb. unit"):  # of no dimension
            continue
        for written in (unit, unit.replace("atom", "1")):
            dimension, factor = _in_base(written.replace("^", "**"))
            found[dimension] = kind, factor
    return found


def unit_of_kind(text: object, kinds: tuple[str, ...], name: str) -> Unit:
    """Read a unit, and require it to be of one of the kinds; an error names what has it."""
    if type(text) is str:
        return _text_of_kind(text, kinds, name)
    if text is None:
        raise UnitsError(
            f"{name} has no unit; expected a unit such as {_examples(kinds)}", code="missing_unit"
        )
    if not isinstance(text, str):
        raise UnitsError(f"{name}: a unit is a text, found {text!r}; expected {_examples(kinds)}")
    return _text_of_kind(str(text), kinds, name)


@lru_cache(maxsize=1024)
def _text_of_kind(text: str, kinds: tuple[str, ...], name: str) -> Unit:
    """Read a unit; cached, because the same few are read again and again."""
    try:
        unit = read_unit(text)
    except UnitsError as error:
        raise error.within(name) from None
    if unit.kind == "dimensionless" and "dimensionless" not in kinds:
        unit = _fraction(unit, kinds, name)
    if unit.kind not in kinds:
        raise UnitsError(
            f"{name} is in {text!r}, which is {_kind_words(unit.kind)}; expected a unit "
            f"such as {_examples(kinds)}"
        )
    return unit


def example(kinds: tuple[str, ...]) -> str:
    """Return the plainest unit of the first of some kinds: ``nm``."""
    return _KINDS[kinds[0]][1].split("'")[1]


def _examples(kinds: tuple[str, ...]) -> str:
    return " or ".join(dict.fromkeys(_KINDS[kind][1] for kind in kinds))


def _fraction(unit: Unit, kinds: tuple[str, ...], name: str) -> Unit:
    """Decide which fraction ``"1"`` is, from the acceptable kinds or the name of the variable."""
    wanted = [kind for kind in ("atomic_fraction", "mass_fraction") if kind in kinds]
    named = [kind for kind in wanted if name.endswith(kind)]
    if len(wanted) > 1 and not named:
        raise UnitsError(
            f"{name}: ambiguous unit {unit.text!r}: a fraction of atoms, of mass or a plain ratio; "
            "write 'atomic fraction', 'mass fraction' or 'arb. units'",
            code="ambiguous_unit",
        )
    return Unit(unit.text, (named or wanted)[0]) if wanted else unit


def _kind_words(kind: str) -> str:
    words = kind.replace("_", " ")
    return words if kind in ("arbitrary", "dimensionless") else f"a {words}".replace("a a", "an a")
