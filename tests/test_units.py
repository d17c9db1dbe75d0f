"""Units are read as this field writes them, exactly, and never guessed."""

import pint
import pytest
import xarray as xr
from hypothesis import given
from hypothesis import strategies as st

from sims_analysis.errors import UnitsError
from sims_analysis.units import dequantify, quantify, read_quantity, read_unit

CONCENTRATIONS = [
    "atoms/cm^3", "atom/cm3", "atoms/cc", "at/cm3", "atoms cm-3", "atoms·cm⁻³", "Atoms/cm3",
    "atoms/cm**3", "at/cm^3", "at/cm³", "cm^-3", "cm-3", "cm**-3", "1/cm^3", "1/cm3", "/cm^3",
    "cm⁻³", "cm^{-3}", "cm^\N{MINUS SIGN}3", "(atoms/cc)", "[atoms/cm³]", "ATOMS/CM3",
    "atoms per cubic centimeter", "at./cm3", "cm$^{-3}$", "atoms.cm-3", "cm^(-3)",
]  # fmt: skip
DEPTHS = {
    "nm": 1.0, "(nm)": 1.0, "NM": 1.0, "nanometers": 1.0,
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
}  # fmt: skip
REFUSED = [
    "A", "%", "mol/cm^3", "mol", "kg", "Nm", "C/s", "c", "g/cm3", "eV", "atoms/cm^3/s", "nm^2",
    "", "  ", "1/s", "2 nm", "cm^3", "((nm)", "nm)", "at/", "Pa", "atm/cm3", "1/1/cm3",
    "nm nm^-1", "5", "S", "atoms/cm^3.5", "10^3 cps", "Depth [um]", "mol%", "percent", "atoms",
]  # fmt: skip


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


@pytest.mark.parametrize(("text", "expected"), OTHERS.items())
def test_every_spelling_of_the_rest(text, expected):
    unit = read_unit(text)
    assert (unit.kind, unit.multiply / unit.divide) == expected


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_ambiguous_or_unknown_is_refused(text):
    with pytest.raises(UnitsError, match="unit"):
        read_unit(text)


def test_conversions_are_rounded_once():
    assert read_unit("angstrom").to_canonical(3.0) == 0.3  # 3 * 0.1 is 0.30000000000000004
    assert read_unit("um").to_canonical(1.0) == 1000.0  # pint's own factor is 999.9999999999999
    assert read_unit("at%").to_canonical(7.0) == 0.07  # 7 * 0.01 is 0.07 only when divided


@given(st.integers(0, 10**7), st.sampled_from(["um", "angstrom", "at%", "atoms/m^3", "kcps"]))
def test_decimals_survive_the_way_there_and_back(number, text):
    value = number / 1e3
    unit = read_unit(text)
    assert unit.from_canonical(unit.to_canonical(value)) == pytest.approx(value, rel=3e-16)


@pytest.mark.parametrize("registry", [pint.UnitRegistry(), pint.get_application_registry()])
def test_quantities_of_any_registry_are_read(registry):
    assert read_quantity(50 * registry.um, ("depth",), "depth")[0] == 50_000.0
    assert read_quantity(3 * registry.angstrom, ("depth",), "depth")[0] == 0.3
    level = 1e18 / registry.centimeter**3
    assert read_quantity(level, ("concentration",), "level")[0] == 1e18


@pytest.mark.parametrize("value", [5, 5.0, True, None, "5", "nm", "5 furlong", "nan nm", "inf nm"])
def test_a_number_without_a_unit_is_refused_by_the_arguments_name(value):
    with pytest.raises(UnitsError, match="stop"):
        read_quantity(value, ("depth",), "stop")


def test_a_technical_atmosphere_is_not_an_atom():
    registry = pint.UnitRegistry()
    with pytest.raises(UnitsError, match="technical_atmosphere"):
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
