"""Registration in pint and xarray wherever a Dataset is made: the unit of atoms, the accessor."""

from __future__ import annotations

import importlib

from sims_analysis.units import define_atoms


def register_accessor() -> None:
    """Define the unit of atoms in pint, and register the accessor ``sims`` in xarray; once."""
    define_atoms()
    # By name: the accessor forwards to all rooms, and none of them is imported here.
    importlib.import_module("sims_analysis.xarray")
