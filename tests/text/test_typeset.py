"""Units and levels as they are printed."""

import pytest

from sims_analysis.text.typeset import mathtext, plain, power, unit_label


@pytest.mark.parametrize(
    ("unit", "printed"),
    [
        ("atom/cm^3", "atoms/cm³"),
        ("1/m^3", "1/m³"),
        ("m^-3", "m⁻³"),
        ("atom/m**3", "atoms/m³"),
        ("angstrom", "Å"),
        ("Angstroms", "Å"),
        ("microns", "µm"),
        ("1", ""),
        ("counts/s", "counts/s"),
    ],
)
def test_units(unit, printed):
    assert unit_label(unit) == printed


@pytest.mark.parametrize(
    ("value", "unit", "printed"),
    [
        (1e18, "atom/cm^3", "10$\\mathregular{^{18}}$ cm⁻³"),
        (2.5e-7, "1", "2.5×10$\\mathregular{^{−7}}$"),
        (120.0, "count/s", "120 counts/s"),
    ],
)
def test_levels(value, unit, printed):
    assert power(value, unit) == printed


def test_dollars_are_dollars():
    assert plain("$5") == "\\$5"
    assert mathtext("lot $5") == "lot \\$5"
