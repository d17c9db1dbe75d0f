"""Read units as written in this field, and convert exactly.

About thirty names are known, and everything else is refused, because pint's default registry reads
``at/cm^3`` as technical atmospheres, ``c/s`` as the speed of light and ``cts/s`` as carats.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sims_analysis.errors import UnitsError
from sims_analysis.units.scaling import scaled
from sims_analysis.units.spelling import phrase_or_powers, powers_of, unknown

#: 1 nm atom/cm^3 is 1e-7 atom/cm^2, exactly; dividing by 1e7 rounds once.
NM_PER_CM = 1e7
NM_PER_MM = 1e6

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

#: Dimension -> its units, and their sizes.
_SIZES = {
    "length": {"nm": "1", "angstrom": "1/10", "um": "1e3", "mm": "1e6", "cm": "1e7", "m": "1e9"},
    "time": {"s": "1", "ms": "1e-3", "us": "1e-6", "ns": "1e-9", "min": "60", "hour": "3600"},
    "mass": {"g": "1", "kg": "1000"},
    "atoms": {"atom": "1"},
    "counts": {"count": "1", "kcount": "1e3", "Mcount": "1e6"},
    "resistance": {"ohm": "1"},
}
UNITS = {
    name: (dimension, Fraction(size))
    for dimension, sizes in _SIZES.items()
    for name, size in sizes.items()
}

_Dimension = frozenset[tuple[str, int]]
#: Dimensions of `atoms/cm^-3`, in which both the slash and the sign invert.
_INVERTED = {frozenset({("atoms", 1), ("length", power)}) for power in (2, 3)}


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


_LONGEST = 200
#: Units that a message names.
_MOST_EXAMPLES = 3


@lru_cache(maxsize=1024)
def read_unit(text: str) -> Unit:
    """Read a unit as written in this field: ``"at/cm³"``, ``"[um]"``, ``"c/s"``; none is guessed.

    >>> read_unit("at/cm³").kind, read_unit("µm").multiply
    ('concentration', 1000.0)
    """
    if not isinstance(text, str):
        raise UnitsError(
            f"expected a unit as a string, found {type(text).__name__}: {text!r}",
            code="unknown_unit",
        )
    if len(text) > _LONGEST:
        raise unknown(f"{text[:40]}...", f"it has {len(text)} characters")
    spelled = phrase_or_powers(text)
    if isinstance(spelled, tuple):
        kind, factor = spelled[0], Fraction(spelled[1])
        return _unit(text, kind, factor)
    if not spelled:
        return Unit(text, "dimensionless")
    dimension, size = in_base(spelled)
    if dimension in _INVERTED:
        raise unknown(text, "it divides by a negative power; write 'atoms/cm^3' or 'atoms cm^-3'")
    if dimension not in _dimensions():
        raise unknown(text, "this combination has no meaning in a depth profile")
    kind, canonical = _dimensions()[dimension]
    return _unit(text, kind, size / canonical)


def in_base(powers: Mapping[str, int]) -> tuple[_Dimension, Fraction]:
    """Return the dimension of units and their powers, and their size."""
    dimension: Counter[str] = Counter()
    size = Fraction(1)
    for unit, power in powers.items():
        base, scale = UNITS[unit]
        dimension[base] += power
        size *= scale**power
    return frozenset((base, power) for base, power in dimension.items() if power), size


@lru_cache(maxsize=1)
def _dimensions() -> dict[_Dimension, tuple[str, Fraction]]:
    """Return the kind of each dimension, and the size of its canonical unit.

    In a density, the word "atoms" may be missing.
    """
    kinds = {}
    for kind, unit in CANONICAL.items():
        if unit in ("1", "arb. unit"):  # of no dimension
            continue
        for spelling in (unit, unit.replace("atom", "1")):
            dimension, size = in_base(powers_of(spelling, spelling))
            kinds[dimension] = kind, size
    return kinds


def unit_of_kind(text: object, kinds: tuple[str, ...], name: str) -> Unit:
    """Read a unit, and require it to be of one of the kinds; `name` is that in messages."""
    if isinstance(text, str):
        return _text_of_kind(str(text), kinds, name)
    if text is None:
        text = f"{name} has no unit; expected a unit {_expected(kinds)}"
        raise UnitsError(text, code="missing_unit")
    message = f"{name}={text!r}; expected a unit as a string, {_expected(kinds)}"
    raise UnitsError(message, code="unknown_unit", argument=name)


@lru_cache(maxsize=1024)
def _text_of_kind(text: str, kinds: tuple[str, ...], name: str) -> Unit:
    """Read a unit; cached, because the same few are read repeatedly."""
    try:
        unit = read_unit(text)
    except UnitsError as error:
        raise error.within(name).add(argument=_argument_in(name)) from None
    if unit.kind == "dimensionless" and "dimensionless" not in kinds:
        unit = _fraction(unit, kinds, name)
    if unit.kind not in kinds:
        raise UnitsError(
            f"{name} is in {text!r}, which is {_kind_words(unit.kind)}; expected a unit "
            f"{_expected(kinds)}",
            argument=_argument_in(name),
        )
    return unit


def _argument_in(name: str) -> str:
    """Return the argument of a name, ``value_units of 'dose'``, that states a unit, or nothing."""
    argument = name.partition(" of ")[0]
    return argument if argument.isidentifier() and argument.endswith("_units") else ""


def example(kinds: tuple[str, ...]) -> str:
    """Return the plainest unit of the first of some kinds: ``nm``."""
    return _KINDS[kinds[0]][1].split("'")[1]


#: Where values are meant, examples of their kinds.
_OF_VALUES = ("concentration", "atomic_fraction", "count_rate")


def _expected(kinds: tuple[str, ...]) -> str:
    """Say which units are expected, by three at most: of several kinds, the plainest of each."""
    units = [unit for kind in kinds for unit in _KINDS[kind][1].split("'")[1::2]]
    text = ""
    if len(units) > _MOST_EXAMPLES:
        if {*_OF_VALUES} <= {*kinds}:
            text, kinds = "of values, ", _OF_VALUES
        units = [example((kind,)) for kind in kinds]
    *others, last = map(repr, units[:_MOST_EXAMPLES])
    return f"{text}such as {', '.join(others)}{' or ' * bool(others)}{last}"


def _fraction(unit: Unit, kinds: tuple[str, ...], name: str) -> Unit:
    """Decide which fraction ``"1"`` is, from the acceptable kinds or the name of the variable."""
    candidates = [kind for kind in ("atomic_fraction", "mass_fraction") if kind in kinds]
    matches = [kind for kind in candidates if name.endswith(kind)]
    if len(candidates) > 1 and not matches:
        raise UnitsError(
            f"{name}: ambiguous unit {unit.text!r}: a fraction of atoms, of mass or a plain ratio; "
            "write 'atomic fraction', 'mass fraction' or 'arb. units'",
            code="ambiguous_unit",
        )
    return Unit(unit.text, (matches or candidates)[0]) if candidates else unit


def _kind_words(kind: str) -> str:
    words = kind.replace("_", " ")
    return words if kind in ("arbitrary", "dimensionless") else f"a {words}".replace("a a", "an a")
