"""Host materials: their atomic densities, with sources; natural abundances of isotopes.

The densities of the named hosts follow from lattice constants at room temperature, that of the
glass from its mass density. Their atomic weights are the abridged standard ones of IUPAC (2021).
Masses and isotopic abundances of everything else come from the tables of ``periodictable``: masses
of isotopes from AME 2020, abridged standard atomic weights and isotopic compositions from IUPAC
(CIAAW 2021). Where these state an interval, the abundances are IUPAC's representative ones, which
agree with the standard atomic weights (7Li: 0.9241; the middle of its interval is 0.9515).
"""

from __future__ import annotations

import re
from math import sqrt
from typing import Any, NamedTuple

from sims_analysis import units
from sims_analysis.errors import ProfileError, SpeciesError, about
from sims_analysis.text.arguments import argument_error, read_names

_AVOGADRO = 6.02214076e23  # exact, per mole
_CM_PER_ANGSTROM = 1e-8


class Host(NamedTuple):
    """A host material.

    ``atomic_density`` counts all its atoms, in atoms per cm^3; ``mean_mass`` is the mass of one
    of them on average, in u.
    """

    atomic_density: float
    mean_mass: float
    source: str


def _cubic(a: float) -> float:
    return 8 / (a * _CM_PER_ANGSTROM) ** 3


def _hexagonal(a: float, c: float, atoms: int) -> float:
    return atoms / (0.5 * sqrt(3) * a**2 * c * _CM_PER_ANGSTROM**3)


def _atomic_density(grams_per_cm3: float, mean_mass: float) -> float:
    return grams_per_cm3 / mean_mass * _AVOGADRO


_VURGAFTMAN = "I. Vurgaftman, J. R. Meyer, L. R. Ram-Mohan, J. Appl. Phys. 89 (2001) 5815"

HOSTS = {
    "Si": Host(
        _cubic(5.431020511),
        28.085,
        "a = 5.431020511 angstrom (ideal, 22.5 C): CODATA 2018, E. Tiesinga et al., "
        "Rev. Mod. Phys. 93 (2021) 025010",
    ),
    "Ge": Host(
        _cubic(5.658),
        72.630,
        "a = 5.658 angstrom (300 K): NSM Archive, Ioffe Institute, Germanium",
    ),
    "GaAs": Host(
        _cubic(5.65325), (69.723 + 74.922) / 2, f"a = 5.65325 angstrom (300 K): {_VURGAFTMAN}"
    ),
    "InP": Host(
        _cubic(5.8697), (114.82 + 30.974) / 2, f"a = 5.8697 angstrom (300 K): {_VURGAFTMAN}"
    ),
    "GaN": Host(
        _hexagonal(3.189, 5.185, 4),
        (69.723 + 14.007) / 2,
        f"wurtzite, a = 3.189, c = 5.185 angstrom (300 K): {_VURGAFTMAN}",
    ),
    "SiC": Host(
        _hexagonal(3.0730, 10.053, 8),
        (28.085 + 12.011) / 2,
        "4H, a = 3.0730, c = 10.053 angstrom (300 K): Yu. Goldberg, M. E. Levinshtein, "
        "S. L. Rumyantsev, in Properties of Advanced Semiconductor Materials, Wiley (2001) 93",
    ),
    "SiO2": Host(
        _atomic_density(2.20, (28.085 + 2 * 15.999) / 3),
        (28.085 + 2 * 15.999) / 3,
        "vitreous, 2.20 g/cm^3; thermal and deposited oxides differ from it by a few per cent",
    ),
}


def host_of_formula(formula: Any, mass_density: Any) -> Host:
    """Make a host from formula (``"Al0.3Ga0.7N"``) and mass density: ``n = rho N_A / M``."""
    from periodictable import formula as read

    try:
        atoms = read(str(formula)).atoms
    # Its parser raises errors of its own; an unknown element is a ValueError or a KeyError.
    except Exception as error:  # noqa: BLE001
        raise ProfileError(f"cannot read the formula {formula!r} ({error})") from None
    number = sum(atoms.values())
    mass = sum(atom.mass * n for atom, n in atoms.items())
    if not number > 0:
        raise ProfileError(f"the formula {formula!r} contains no atoms")
    rho = units.read_number(mass_density, ("mass_density",), "atomic_density[1]")
    if not rho > 0:
        raise ProfileError(f"mass density {mass_density!r} must be positive")
    mean = mass / number
    return Host(_atomic_density(rho, mean), mean, f"{formula}, {mass_density}")


#: Representative isotopic compositions of the elements for which IUPAC states intervals.
_REPRESENTATIVE = {
    "H": {1: 0.999885, 2: 0.000115},
    "Li": {6: 0.0759, 7: 0.9241},
    "B": {10: 0.199, 11: 0.801},
    "C": {12: 0.9893, 13: 0.0107},
    "N": {14: 0.99636, 15: 0.00364},
    "O": {16: 0.99757, 17: 0.00038, 18: 0.00205},
    "Mg": {24: 0.7899, 25: 0.1000, 26: 0.1101},
    "Si": {28: 0.92223, 29: 0.04685, 30: 0.03092},
    "S": {32: 0.9499, 33: 0.0075, 34: 0.0425, 36: 0.0001},
    "Cl": {35: 0.7576, 37: 0.2424},
    "Ar": {36: 0.003336, 38: 0.000629, 40: 0.996035},
    "Br": {79: 0.5069, 81: 0.4931},
    "Tl": {203: 0.2952, 205: 0.7048},
}
_SOURCE_OF_REPRESENTATIVE = (
    "IUPAC (CIAAW) 2009, representative isotopic composition: M. Berglund, M. E. Wieser, "
    "Pure Appl. Chem. 83 (2011) 397"
)
_SOURCE = "IUPAC (CIAAW) 2021, isotopic compositions of the elements"

#: ``11B``, ``^30Si``, ``30Si+``, ``30Si->``: a single isotope, not a cluster.
_ISOTOPE = re.compile(r"\^?\{?(\d{1,3})\}?([A-Z][a-z]?)(?:[+-]|->)?")


def isotope(species: str) -> tuple[int, str]:
    """Read the mass number and the element of a single isotope, such as ``"11B"``."""
    match = _ISOTOPE.fullmatch(species)
    if match is None:
        text = f"{species!r} does not name a single isotope, such as '11B' or '30Si'"
        raise SpeciesError(text, code="not_an_isotope", where={"species": species})
    return int(match[1]), match[2]


def elements_of(numerator: str, denominator: str, stated: Any) -> tuple[str, str]:
    """Return the names of both elements of two isotopes, as stated."""
    named = [] if stated is None else read_names("element", stated)
    if len(named) > 2:
        raise argument_error("element", stated, "expected the names of two elements")
    for name in (numerator, denominator)[len(named) :]:
        with about(argument="element", remedy="element=('Ge', 'Si') names them"):
            named.append(isotope(name)[1])
    if named[0] == named[1]:
        text = f"both species are of {named[0]!r}; a composition is of two elements"
        raise SpeciesError(text, code="conflicting_arguments", argument="numerator")
    return named[0], named[1]


def natural_abundance(species: str) -> float:
    """Return the natural abundance of an isotope, as a fraction of the atoms."""
    import periodictable

    number, element = isotope(species)
    try:
        abundance = getattr(periodictable, element)[number].abundance / 100.0
    except (AttributeError, KeyError):
        abundance = 0.0
    if element in _REPRESENTATIVE:
        abundance = _REPRESENTATIVE[element].get(number, 0.0)
    if not abundance > 0:
        text = f"{species!r} has no natural abundance; state it"
        raise SpeciesError(text, code="not_an_isotope", where={"species": species})
    return float(abundance)


def read_abundance(value: Any, species: str, name: str) -> tuple[float, str]:
    """Read the abundance of an isotope, a fraction or ``"natural"``; also return its source."""
    if isinstance(value, str) and value == "natural":
        stated = isotope(species)[1] in _REPRESENTATIVE
        return natural_abundance(species), _SOURCE_OF_REPRESENTATIVE if stated else _SOURCE
    of = "the atoms of its element ('natural' is that of nature)"
    return units.read_fraction(value, name, of=of, ends="(]"), "as stated"
