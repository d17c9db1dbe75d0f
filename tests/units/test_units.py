"""Units are read as this field writes them, exactly, and never guessed."""

import re
from fractions import Fraction

import pint
import pytest
import xarray as xr
from error_parts import raises
from hypothesis import given
from hypothesis import strategies as st

from sims_analysis.errors import UnitsError
from sims_analysis.units import (
    definitions,
    dequantify,
    in_udunits,
    quantify,
    read_quantity,
    read_unit,
    spelling,
    unit_of_kind,
)

CONCENTRATIONS = [
    "atoms/cm^3", "atom/cm3", "atoms/cc", "at/cm3", "atoms cm-3", "atoms·cm⁻³", "Atoms/cm3",
    "atoms/cm**3", "at/cm^3", "at/cm³", "cm^-3", "cm-3", "cm**-3", "1/cm^3", "1/cm3", "/cm^3",
    "cm⁻³", "cm^{-3}", "cm^\N{MINUS SIGN}3", "(atoms/cc)", "[atoms/cm³]", "ATOMS/CM3",
    "atoms per cubic centimeter", "at./cm3", "cm$^{-3}$", "atoms.cm-3", "cm^(-3)",
]  # fmt: skip
DEPTHS = {
    "nm": 1.0, "(nm)": 1.0, "'nm'": 1.0, "'(nm)'": 1.0, "NM": 1.0, "nanometers": 1.0,
    "\N{LATIN CAPITAL LETTER A WITH RING ABOVE}": 0.1, "\N{ANGSTROM SIGN}": 0.1,
    "A\N{COMBINING RING ABOVE}": 0.1, "Angstrom": 0.1, "Ang": 0.1, "Ang.": 0.1,
    "um": 1000.0, "\N{MICRO SIGN}m": 1000.0, "\N{GREEK SMALL LETTER MU}m": 1000.0,
    "micron": 1000.0, "microns": 1000.0, "[um]": 1000.0, "mm": 1e6, "cm": 1e7, "m": 1e9,
}  # fmt: skip
OTHERS = {
    "atom/cm^2": ("areal_density", 1.0), "atoms/m^3": ("concentration", 1e-6),
    "m^-3": ("concentration", 1e-6), "atoms/nm^3": ("concentration", 1e21),
    "at.%": ("atomic_fraction", 0.01), "at%": ("atomic_fraction", 0.01),
    "at. %": ("atomic_fraction", 0.01), "atom%": ("atomic_fraction", 0.01),
    "atomic %": ("atomic_fraction", 0.01), "ppm": ("atomic_fraction", 1e-6),
    "ppma": ("atomic_fraction", 1e-6), "ppb": ("atomic_fraction", 1e-9),
    "ppba": ("atomic_fraction", 1e-9), "wt%": ("mass_fraction", 0.01),
    "wt.%": ("mass_fraction", 0.01), "ppmw": ("mass_fraction", 1e-6),
    "counts/s": ("count_rate", 1.0), "count/s": ("count_rate", 1.0), "cnt/s": ("count_rate", 1.0),
    "cps": ("count_rate", 1.0), "kcps": ("count_rate", 1000.0), "c/s": ("count_rate", 1.0),
    "cts/s": ("count_rate", 1.0), "Counts per second": ("count_rate", 1.0),
    "counts": ("count", 1.0), "Intensity": ("arbitrary", 1.0), "arb. units": ("arbitrary", 1.0),
    "a.u.": ("arbitrary", 1.0), "s": ("sputter_time", 1.0), "sec": ("sputter_time", 1.0),
    "seconds": ("sputter_time", 1.0), "min": ("sputter_time", 60.0),
    "(Atoms/cm3) / (Atoms/cm2)": ("range_density", 1.0), "nm/min": ("sputter_rate", 1 / 60),
    "ns": ("sputter_time", 1e-9), "g/cm3": ("mass_density", 1.0), "kg/m^3": ("mass_density", 1e-3),
    "atoms/cm^3 per count/s": ("factor_per_rate", 1.0), "at/cm3 per c/s": ("factor_per_rate", 1.0),
    "cm^-3 per (counts per second)": ("factor_per_rate", 1.0),
    "atom/cm^3/(count/s)": ("factor_per_rate", 1.0), "m^-3/cps": ("factor_per_rate", 1e-6),
    "atoms/cm^3 per count": ("factor_per_count", 1.0), "cm^-3 per count": ("factor_per_count", 1.0),
    "C/S": ("count_rate", 1.0), "c s^-1": ("count_rate", 1.0), "kc/s": ("count_rate", 1000.0),
    "atoms per square cm": ("areal_density", 1.0), "Atoms/Cubic m": ("concentration", 1e-6),
    "/cm3": ("concentration", 1.0), "nm**1": ("depth", 1.0), "1 cm": ("depth", 1e7),
    " " * 199 + "m": ("depth", 1e9),
    "Sec": ("sputter_time", 1.0), "Min": ("sputter_time", 60.0), "Cps": ("count_rate", 1.0),
}  # fmt: skip
#: Seen in exports, spreadsheets, LaTeX and web pages; each means one thing only.
TYPESET = {
    "At/cm3": ("concentration", 1.0), "Atome/cm³": ("concentration", 1.0),
    "atomes/cm3": ("concentration", 1.0), "原子/cm³": ("concentration", 1.0),
    "atoms/㎤": ("concentration", 1.0), "atoms/㎝³": ("concentration", 1.0),
    "ａｔｏｍｓ/ｃｍ３": ("concentration", 1.0),
    "atoms\N{DIVISION SLASH}cm³": ("concentration", 1.0),
    "cm\N{NON-BREAKING HYPHEN}3": ("concentration", 1.0), "'atoms/cm3'": ("concentration", 1.0),
    "\ufeffatoms/cm3": ("concentration", 1.0), "at\u200b/cm3": ("concentration", 1.0),
    "atoms\u00a0cm⁻³": ("concentration", 1.0), r"$\mathrm{cm}^{-3}$": ("concentration", 1.0),
    r"cm\+(-3)": ("concentration", 1.0), r"at\%": ("atomic_fraction", 1e-2),
    r"cm\textsuperscript{-3}": ("concentration", 1.0), r"\si{cm^{-3}}": ("concentration", 1.0),
    "cm<sup>-3</sup>": ("concentration", 1.0), r"at\,cm$^{-3}$": ("concentration", 1.0),
    "Nanometern": ("depth", 1.0), "nanomètres": ("depth", 1.0), "㎚": ("depth", 1.0),
    "㎛": ("depth", 1000.0), r"$\mu$m": ("depth", 1000.0), r"\textmu m": ("depth", 1000.0),
    "Mikrometer": ("depth", 1000.0), r"\AA": ("depth", 0.1), r"$\AA{}$": ("depth", 0.1),
    "Sekunden": ("sputter_time", 1.0), "secondes": ("sputter_time", 1.0),
    "kCPS": ("count_rate", 1000.0), "MCPS": ("count_rate", 1e6), "c·s⁻¹": ("count_rate", 1.0),
    "c s-1": ("count_rate", 1.0), "c / sec": ("count_rate", 1.0),
    "ppm(wt)": ("mass_fraction", 1e-6), "ppm (at)": ("atomic_fraction", 1e-6),
    "% (atomic)": ("atomic_fraction", 0.01), "at. frac.": ("atomic_fraction", 1.0),
    "Atomprozent": ("atomic_fraction", 0.01), "Gew.-%": ("mass_fraction", 0.01),
}  # fmt: skip


UNREAD = {
    "unknown_unit": (
        "10^18 cm-3", "1e18 cm-3", "×10¹⁸ cm⁻³", "E+18 at/cm3", "atoms/cm³ x1e18", "1.5e3nm",
        "Depth (nm)", "C[atom/cm3]", "Depth (furlong)", "log10(atoms/cm3)", "log c",
        "atoms/cm^-3", "atoms/cm–3", "atoms/cm^-2", "nm^99", "nm^100", "((nm)^2)^3", "nm^0",
        "cm 3", "cm^-3 1", "cm#", "cm^", "  ", "()", " " * 200 + "m",
        "mol/cm^3", "mol", "kg", "Nm", "C/s", "c", "eV", "atoms/cm^3/s", "nm^2", "", "1/s", "2 nm",
        "cm^3", "((nm)", "nm)", "(nmx", "(nm", "nmx)", "[um", "'nm", "(nm)(nm)x", "'n'm'", "at/",
        "Pa", "atm/cm3", "1/1/cm3", "nm nm^-1", "5", "S", "Um", "atoms/cm^3.5", "10^3 cps",
        "Depth [um]", "atoms", "nmx", "secx", "nanoMeter", "aTOMS/cm3", "'",
    ),
    "ambiguous_unit": ("ppt", "PPT", "at/A", "mol %", "m.o.l.%", "p.p.t.", "(PPT)", "percent",
        "A", "%", "mol%"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "text"), [(c, text) for c, texts in UNREAD.items() for text in texts]
)
def test_a_text_that_is_no_unit_is_unknown_or_ambiguous(code, text):
    with raises(UnitsError, code):
        read_unit(text)


@pytest.mark.parametrize("text", ["um", "at%", "atoms/cm2", "arb. units", "1"])
def test_a_unit_of_another_kind_is_refused(text):
    with raises(UnitsError, "wrong_unit"):
        unit_of_kind(text, ("concentration", "count_rate"), "level")


def test_a_bare_one_is_no_fraction_of_anything():
    with raises(UnitsError, "ambiguous_unit"):
        unit_of_kind("1", ("atomic_fraction", "mass_fraction", "concentration"), "x")
    assert unit_of_kind("1", ("mass_fraction",), "x").kind == "mass_fraction"
    for kind in ("mass_fraction", "atomic_fraction"):
        # The variable's name says of what; it used to be of atoms whatever the name.
        assert unit_of_kind("1", ("atomic_fraction", "mass_fraction"), kind).kind == kind


@pytest.mark.parametrize(
    ("text", "magnitude"),
    [
        ("1.5x10^18 cm^-3", 1.5e18), ("10^18 cm^-3", 1e18), ("2.3×10¹⁸ cm⁻³", 2.3e18),
        ("1·10^18 at/cm3", 1e18), ("10**18 cm**-3", 1e18), ("3*10^{17} atoms/cm^3", 3e17),
        ("5x10^-2 atoms/cm^3", 0.05), ("\N{MINUS SIGN}2e15 atoms/cm^3", -2e15),
        ("10 cm^-3", 10.0), ("110 cm^-3", 110.0),
    ],
)  # fmt: skip
def test_powers_of_ten_as_papers_write_them(text, magnitude):
    assert read_quantity(text, ("concentration",), "level")[0] == magnitude


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("1,5 nm", "not_a_quantity"),
        ("x10^3 nm", "not_a_quantity"),
        ("nm", "not_a_quantity"),
        ("nan nm", "not_a_quantity"),
        ("inf nm", "not_a_quantity"),
        ("110^2 nm", "unknown_unit"),
        ("2 10^3 nm", "unknown_unit"),
        ("2.10^3 nm", "unknown_unit"),
        ("1e3x10^3 nm", "unknown_unit"),
        ("5 furlong", "unknown_unit"),
        ("50%", "ambiguous_unit"),
        ("5", "missing_unit"),
        (15, "missing_unit"),
        (5.0, "missing_unit"),
        (True, "missing_unit"),
        (None, "missing_unit"),
        (["1 nm", "2 nm"], "not_a_quantity"),
        (xr.DataArray([1.0, 2.0], dims="case", attrs={"units": "nm"}), "not_a_quantity"),
    ],
)
def test_a_scalar_that_is_refused_names_its_argument(value, code):
    with raises(UnitsError, code, argument="start"):
        read_quantity(value, ("depth",), "start")


@pytest.mark.parametrize("text", CONCENTRATIONS)
def test_every_spelling_of_a_concentration(text):
    unit = read_unit(text)
    assert (unit.kind, unit.canonical, unit.to_canonical(1e18)) == (
        "concentration", "atom/cm^3", 1e18,
    )  # fmt: skip


@pytest.mark.parametrize(("text", "factor"), DEPTHS.items())
def test_every_spelling_of_a_depth(text, factor):
    unit = read_unit(text)
    assert unit.kind == "depth"
    assert unit.multiply / unit.divide == factor


@pytest.mark.parametrize(("text", "expected"), [*OTHERS.items(), *TYPESET.items()])
def test_every_spelling_of_the_rest(text, expected):
    unit = read_unit(text)
    assert (unit.kind, unit.multiply / unit.divide) == expected


@pytest.mark.parametrize("text", ["atoms (cm)^-3", "atoms/(cm)^3", "atoms/(cm^3)"])
def test_one_power_of_a_bracket_is_a_unit(text):
    assert read_unit(text).to_canonical(1e18) == 1e18


@pytest.mark.parametrize("text", ["cm^-3^1", "(nm)^100", "((nm)^99)^99"])
def test_towers_and_large_powers_are_no_units(text):
    with raises(UnitsError, "unknown_unit"):
        read_unit(text)


def test_conversions_are_rounded_once():
    assert read_unit("angstrom").to_canonical(3.0) == 0.3  # 3 * 0.1 is 0.30000000000000004
    assert read_unit("um").to_canonical(1.0) == 1000.0  # pint's own factor is 999.9999999999999
    assert read_unit("at%").to_canonical(7.0) == 0.07  # 7 * 0.01 is 0.07 only when divided


@given(st.integers(0, 10**7), st.sampled_from(["um", "angstrom", "at%", "atoms/m^3", "kcps"]))
def test_decimals_are_the_same_after_conversion_and_back(number, text):
    value = number / 1e3
    unit = read_unit(text)
    assert unit.from_canonical(unit.to_canonical(value)) == pytest.approx(value, rel=3e-16)


@pytest.mark.parametrize("registry", [pint.UnitRegistry(), pint.get_application_registry()])
def test_quantities_of_any_registry_are_read(registry):
    assert read_quantity(50 * registry.um, ("depth",), "depth")[0] == 50_000.0
    assert read_quantity(3 * registry.angstrom, ("depth",), "depth")[0] == 0.3
    level = 1e18 / registry.centimeter**3
    assert read_quantity(level, ("concentration",), "level")[0] == 1e18


def test_a_technical_atmosphere_is_not_an_atom():
    registry = pint.UnitRegistry()
    with raises(UnitsError, "unknown_unit", argument="level"):
        read_quantity(registry("1 at/cm^3"), ("concentration",), "level")


def test_the_quantified_view_and_back():
    ds = xr.Dataset(
        {
            "concentration": ("depth", [1.0, 2.0], {"units": "atoms/cm3", "long_name": "C"}),
            "intensity_arbitrary": ("depth", [1.0, 2.0], {"units": "arb. unit"}),
        },
        coords={"depth": ("depth", [0.0, 1.0], {"units": "nm"}), "z": ((), 2.0, {"units": "um"})},
    )
    q = quantify(ds)
    assert str(q["concentration"].data.units) == "atom / centimeter ** 3"
    assert "units" not in q["concentration"].attrs
    assert q["z"].data.magnitude == 2000.0
    # An index cannot hold a Quantity, and nothing converts to arbitrary units.
    assert q["depth"].attrs["units"] == "nm"
    assert q["intensity_arbitrary"].attrs["units"] == "arb. unit"
    back = dequantify(q)
    assert back["concentration"].attrs == {"units": "atom/cm^3", "long_name": "C"}
    xr.testing.assert_equal(back.drop_vars("z"), ds.drop_vars("z"))
    assert back["z"].attrs["units"] == "nm"


def test_quantify_keeps_the_name_of_an_array():
    array = xr.DataArray([1.0], dims="depth", name="concentration", attrs={"units": "cm^-3"})
    assert quantify(array).name == "concentration"


def test_counts_are_not_atoms_in_the_quantified_view():
    ds = xr.Dataset({"intensity": ("t", [1.0], {"units": "count"})})
    with pytest.raises(pint.DimensionalityError):
        quantify(ds)["intensity"].data.to("atom")


def test_the_application_registry_of_the_user_is_used_and_not_replaced():
    before = pint.get_application_registry()
    quantify(xr.DataArray([1.0], attrs={"units": "nm"}))
    assert pint.get_application_registry() is before


def test_sizes_of_units_are_those_that_pint_knows():
    registry = pint.UnitRegistry(non_int_type=Fraction)
    for units in ("nm angstrom um mm cm m", "s ms us ns min hour", "g kg", "ohm"):
        for unit in units.split():
            known = registry.Quantity(Fraction(1), unit).to(units.split()[0]).magnitude
            assert definitions.UNITS[unit][1] == known


def test_a_bare_one_is_a_ratio_where_a_ratio_is_expected():
    assert unit_of_kind("1", ("dimensionless", "atomic_fraction"), "x").kind == "dimensionless"


@pytest.mark.parametrize("kind", definitions.CANONICAL)
def test_examples_and_canonical_units_are_read_as_their_kind(kind):
    with pytest.raises(UnitsError) as refused:
        unit_of_kind(None, (kind,), "x")
    said = re.fullmatch("x has no unit; expected a unit such as (.*)", str(refused.value))[1]
    assert re.fullmatch(r"'[^']+'(, '[^']+')*( or '[^']+')?", said)
    for example in said.split("'")[1::2]:
        assert unit_of_kind(example, (kind,), "x").kind == kind
    canonical = unit_of_kind(definitions.CANONICAL[kind], (kind,), "x")
    assert (canonical.kind, canonical.is_canonical) == (kind, True)


@pytest.mark.parametrize(
    ("unit", "in_full"),
    [
        ("nm", "nanometer"), ("s", "second"), ("atom/cm^3", "atom / centimeter ** 3"),
        ("count/s", "count / second"), ("count", "count"), ("1", "dimensionless"),
        ("1/cm", "1 / centimeter"), ("nm/s", "nanometer / second"), ("ohm", "ohm"),
        ("atom/cm^3/(count/s)", "atom * second / centimeter ** 3 / count"),
        ("g/cm^3", "gram / centimeter ** 3"), ("cm^2/s", "centimeter ** 2 / second"),
    ],
)  # fmt: skip
def test_canonical_units_are_those_of_pint(unit, in_full):
    found = quantify(xr.DataArray([1.5], dims="t", attrs={"units": unit}))
    assert found.data.units == pint.get_application_registry().Unit(in_full)
    assert found.data.magnitude.tolist() == [1.5]


@pytest.mark.parametrize("unit", spelling.SPELLINGS)
def test_every_spelling_is_that_of_a_unit_of_the_registry(unit):
    meant = definitions.in_base(spelling.powers_of(unit, unit))
    for word in spelling.SPELLINGS[unit].split():
        assert definitions.in_base(spelling.phrase_or_powers(word)) == meant


@pytest.mark.parametrize("of", spelling.PHRASE_LISTS)
def test_every_phrase_has_a_kind_and_a_factor(of):
    kind, factor = of.split()
    for phrase in spelling.PHRASE_LISTS[of].split():
        unit = read_unit(phrase)
        assert (unit.kind, Fraction(unit.multiply) / Fraction(unit.divide)) == (
            kind, Fraction(factor),
        )  # fmt: skip
    assert kind in ("atomic_fraction", "mass_fraction", "arbitrary")
    assert Fraction(factor) in (1, Fraction(1, 100), Fraction(1, 10**6), Fraction(1, 10**9))


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        *[(w, w) for w in ("nm", "um", "mm", "cm", "m", "angstrom", "s", "ms", "us", "ns", "min")],
        *[(w, w) for w in ("hour", "g", "kg", "count", "ohm", "1")],
        *[(w, w) for w in ("count/s", "1/cm", "cm^2/s", "g/cm^3", "count/s / nm")],
        ("atom/cm^3", "cm-3"), ("atom/cm^2", "cm-2"), ("atom/cm^3/(count/s)", "1/cm^3/(count/s)"),
        ("arb. unit", "1"), ("arb. unit/nm", "1/nm"), ("at%", "0.01"), ("ppm", "1e-06"),
        ("kcps", "1000 count/s"), ("atoms/m^3", "1e-06 cm-3"), ("µm", "1000 nm"),
        ("furlong", None), ("", None), ("%", None), ("nm; rm", None),
    ],
)  # fmt: skip
def test_units_as_udunits_spells_them(text, spelled):
    assert in_udunits(text) == spelled


@pytest.mark.parametrize("wrong", [3, None, b"nm"])
def test_a_value_that_is_no_text_is_no_unit(wrong):
    with raises(UnitsError, "unknown_unit"):
        read_unit(wrong)
