"""Host materials: how many atoms are in a cubic centimetre of them, and from where that is known.

Densities follow from lattice constants at room temperature; of the glass, from its mass density.
Atomic weights are the abridged standard ones of IUPAC (2021).
"""

from __future__ import annotations

from math import sqrt
from typing import NamedTuple

__all__ = ["HOSTS", "Host"]

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


def _cubic(a: float, atoms: int = 8) -> float:
    return atoms / (a * _CM_PER_ANGSTROM) ** 3


def _hexagonal(a: float, c: float, atoms: int) -> float:
    return atoms / (0.5 * sqrt(3) * a**2 * c * _CM_PER_ANGSTROM**3)


def _of_mass(grams_per_cm3: float, mean_mass: float) -> float:
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
        _of_mass(2.20, (28.085 + 2 * 15.999) / 3),
        (28.085 + 2 * 15.999) / 3,
        "vitreous, 2.20 g/cm^3; thermal and deposited oxides differ from it by a few per cent",
    ),
}
