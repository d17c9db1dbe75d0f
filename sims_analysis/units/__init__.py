"""Units: the only importer of pint.

Inside the library, data are plain arrays in the canonical units of :data:`CANONICAL`, and a unit
is a plain ASCII string. ``typography`` normalizes characters and markup, ``spelling`` knows the
names of units, ``definitions`` their meaning, and ``quantities`` handles values with units:
scalars, arrays, and the pint-backed view.
"""

from sims_analysis.units.application import define_atoms
from sims_analysis.units.definitions import (
    CANONICAL,
    NM_PER_CM,
    NM_PER_MM,
    Unit,
    read_unit,
    unit_of_kind,
)
from sims_analysis.units.quantities import (
    Data,
    ParameterLike,
    QuantityLike,
    WindowLike,
    dequantify,
    is_quantified,
    is_quantity,
    magnitude_and_unit,
    magnitude_of,
    part_of_one,
    quantified_variable,
    quantify,
    read_fraction,
    read_number,
    read_quantities,
    read_quantity,
    to_canonical_variable,
    with_plain_axes,
)
from sims_analysis.units.udunits import in_udunits

__all__ = [
    "CANONICAL",
    "NM_PER_CM",
    "NM_PER_MM",
    "Data",
    "ParameterLike",
    "QuantityLike",
    "Unit",
    "WindowLike",
    "define_atoms",
    "dequantify",
    "in_udunits",
    "is_quantified",
    "is_quantity",
    "magnitude_and_unit",
    "magnitude_of",
    "part_of_one",
    "quantified_variable",
    "quantify",
    "read_fraction",
    "read_number",
    "read_quantities",
    "read_quantity",
    "read_unit",
    "to_canonical_variable",
    "unit_of_kind",
    "with_plain_axes",
]
