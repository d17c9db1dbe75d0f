"""Units and levels as they are printed."""

import pytest

from sims_analysis.text.typeset import (
    elements,
    escape_latex,
    html,
    latex,
    mathtext,
    plain,
    power,
    unit_label,
    unit_latex,
)


@pytest.mark.parametrize(
    ("name", "printed"),
    [
        ("11B", "<sup>11</sup>B"),
        ("2H", "<sup>2</sup>H"),
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
        ("Si⁺⁺", "Si<sup>2+</sup>"),
        ("Si^-", "Si<sup>−</sup>"),
        ("^28Si", "<sup>28</sup>Si"),
        ("Si^30P", "Si<sup>30</sup>P"),
        ("Si_30P", "Si<sub>30</sub>P"),  # as it is marked, though 30 can be a mass of P
        ("H6He", "H<sub>6</sub>He"),  # masses of an element are 1.8 to 2.7 times its number
        ("B9B", "B<sup>9</sup>B"),
        ("Si6Li", "Si<sup>6</sup>Li"),
        ("Si26P", "Si<sub>26</sub>P"),
        ("Si27P", "Si<sup>27</sup>P"),
        ("Si40P", "Si<sup>40</sup>P"),
        ("Si41P", "Si<sub>41</sub>P"),
        ("B5B", "B<sub>5</sub>B"),
        ("Ga->", "Ga→"),
        ("O2->", "O<sub>2</sub>→"),
        ("Si / SiO2", "Si / SiO<sub>2</sub>"),
        ("(SiO2)[Al]", "(SiO<sub>2</sub>)[Al]"),
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
    assert latex("O^2-") == "O$^{2-}$"
    assert latex("50 % #1") == r"50 \% \#1"
    assert escape_latex("~^\\{}_&$→−≤±×µ") == (
        r"\textasciitilde{}\textasciicircum{}\textbackslash{}\{\}\_\&\$"
        r"$\rightarrow$$-$$\le$$\pm$$\times$$\mu$"
    )


@pytest.mark.parametrize(
    ("unit", "printed"),
    [("atom/cm^3", "atoms/cm$^{3}$"), ("m^-12", "m$^{-12}$"), ("um", r"$\mu$m")],
)
def test_units_in_latex(unit, printed):
    assert unit_latex(unit) == printed


def test_elements_are_those_of_formulas_once_and_in_order():
    assert elements("CsAl, Al+ and (Cs2)") == ["Cs", "Al"]
    assert elements("matrix") == elements("Current") == elements("") == []


@pytest.mark.parametrize(
    ("unit", "printed"),
    [
        ("atom/cm^3", "atoms/cm³"),
        ("1/m^3", "1/m³"),
        ("m^-3", "m⁻³"),
        ("atom/cm^2", "atoms/cm²"),
        ("count/s", "counts/s"),
        ("arb. unit", "arb. units"),
        ("1/cm", "1/cm"),
        ("atom/m**3", "atoms/m³"),
        ("atoms/cm3", "atoms/cm³"),
        ("cm-3", "cm⁻³"),
        ("angstrom", "Å"),
        ("Angstroms", "Å"),
        ("ang", "Å"),
        ("microns", "µm"),
        ("micrometre", "µm"),
        ("Micrometers", "µm"),
        ("\N{GREEK SMALL LETTER MU}m", "µm"),
        ("count", "counts"),
        ("um", "µm"),
        ("nm", "nm"),
        ("1", ""),
        ("counts/s", "counts/s"),
    ],
)
def test_units(unit, printed):
    assert unit_label(unit) == printed


@pytest.mark.parametrize(
    ("value", "unit", "printed"),
    [
        (1e18, "atom/cm^3", "10$\\mathregular{^{18}}$ cm$\\mathregular{^{−3}}$"),
        (2.5e-7, "1", "2.5×10$\\mathregular{^{−7}}$"),
        (120.0, "count/s", "120 counts/s"),
        (9999.0, "nm", "9999 nm"),
        (1e4, "nm", "10$\\mathregular{^{4}}$ nm"),
        (0.001, "nm", "0.001 nm"),
        (0.00099, "nm", "9.9×10$\\mathregular{^{−4}}$ nm"),
        (1.2e15, "atoms/cm^2", "1.2×10$\\mathregular{^{15}}$ cm$\\mathregular{^{−2}}$"),
        (1e15, "at/cm^2", "10$\\mathregular{^{15}}$ cm$\\mathregular{^{−2}}$"),
        (1e15, "1/cm^2", "10$\\mathregular{^{15}}$ cm$\\mathregular{^{−2}}$"),
    ],
)
def test_levels(value, unit, printed):
    assert power(value, unit) == printed


def test_dollars_are_dollars():
    assert plain("$5") == "\\$5"
    assert mathtext("lot $5") == "lot \\$5"
