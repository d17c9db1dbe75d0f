"""Units and levels as they are printed."""

import pytest

from sims_analysis.text.typeset import elements, html, latex, mathtext, plain, power, unit_label


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("11B", "<sup>11</sup>B"),
        ("69Ga2", "<sup>69</sup>Ga<sub>2</sub>"),
        ("^118SnI_3-", "<sup>118</sup>SnI<sub>3</sub><sup>−</sup>"),
        ("133Cs27Al", "<sup>133</sup>Cs<sup>27</sup>Al"),  # 27 can be a mass of Al
        ("C2H", "C<sub>2</sub>H"),  # 2 could be one of H, and is a number of atoms
        ("Si2O5", "Si<sub>2</sub>O<sub>5</sub>"),
        ("Cs10B", "Cs<sup>10</sup>B"),
        ("Si30P", "Si<sup>30</sup>P"),
        ("C60H", "C<sub>60</sub>H"),
        ("Cs12U", "Cs<sub>12</sub>U"),
        ("Si28", "Si<sub>28</sub>"),
        ("Si+", "Si<sup>+</sup>"),
        ("Si++", "Si<sup>2+</sup>"),
        ("Si2+", "Si<sub>2</sub><sup>+</sup>"),  # the dimer
        ("Si^2+", "Si<sup>2+</sup>"),
        ("Ga->", "Ga→"),
        ("( Pb+ )", "( Pb<sup>+</sup> )"),
        ("total", "total"),
        ("a<b", "a&lt;b"),
    ],
)
def test_names_of_species(name, printed):
    assert html(name) == printed


def test_names_in_formulas_and_latex():
    assert mathtext("11B2") == "$\\mathregular{^{11}}$B$\\mathregular{_{2}}$"
    assert mathtext("11B", usetex=True) == "$^{11}$B" == latex("11B")
    assert latex("SnI_3-") == "SnI$_{3}^{-}$"
    assert latex("50 % #1") == r"50 \% \#1"


def test_elements_are_those_of_formulas_once_and_in_order():
    assert elements("CsAl, Al+ and (Cs2)") == ["Cs", "Al"]
    assert elements("matrix") == elements("") == []


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
