"""Quantities at the door and at the exit, and pint's own registry, one question at a time."""

from types import SimpleNamespace

import numpy as np
import pint
import pint_xarray  # noqa: F401 - indexes with units
import pytest
import xarray as xr
from error_parts import raises

from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.units import (
    dequantify,
    quantify,
    read_fraction,
    read_quantities,
    read_quantity,
    unit_of_kind,
)
from sims_analysis.units.application import application_registry, define_atoms
from sims_analysis.units.quantities import (
    is_quantified,
    magnitude_and_unit,
    to_canonical_variable,
    with_plain_axes,
)


def test_a_scalar_becomes_a_float_and_an_array_stays_one():
    registry = pint.get_application_registry()
    scalar, _ = read_quantity(registry.Quantity(5, "um"), ("depth",), "x")
    assert type(scalar) is float
    five_and_six = registry.Quantity([5.0, 6.0], "um")
    several, _ = read_quantities(five_and_six, ("depth",), "x")
    np.testing.assert_array_equal(several, [5000.0, 6000.0])
    with raises(ProfileError, argument="x"):
        read_quantity(five_and_six, ("depth",), "x")


def test_a_quantity_may_be_a_pure_number_but_not_of_another_class():
    half = pint.get_application_registry().Quantity(0.5, "")
    assert read_quantity(half, ("dimensionless",), "x")[0] == 0.5
    with raises(UnitsError, "missing_unit", argument="x"):
        read_quantity(SimpleNamespace(magnitude=5), ("depth",), "x")


@pytest.mark.parametrize("kinds", [("dimensionless",), ("depth",)])
def test_a_bare_number_has_no_unit(kinds):
    with raises(UnitsError, "missing_unit", argument="x"):
        read_quantity(7.0, kinds, "x")


def test_variables_become_canonical_in_their_own_type_or_in_another():
    array = xr.DataArray(
        np.array([1.5, 2.0], dtype=np.float32), dims="depth", attrs={"units": "um", "note": "x"}
    )
    for dtype, expected in ((None, np.float32), (np.float64, np.float64)):
        found, unit = to_canonical_variable(array, ("depth",), "x", dtype)
        assert (found.dtype, found.dims, found.attrs, unit.text) == (expected, ("depth",), {}, "um")
        assert found.values.tolist() == [1500.0, 2000.0]


def test_axes_become_plain_and_variables_over_them_stay():
    ds = xr.Dataset(
        {"concentration": ("depth", [1.0, 2.0], {"units": "atom/cm^3"})},
        {"depth": ("depth", [0.0, 1.0], {"units": "nm"}), "case": ("case", ["a", "b"])},
    )
    define_atoms()
    quantified = ds.pint.quantify()
    result = with_plain_axes(quantified)
    assert type(result.xindexes["depth"]) is type(ds.xindexes["depth"])
    assert result["depth"].attrs == {"units": "nm"}
    assert is_quantified(result)
    xr.testing.assert_equal(result["case"], ds["case"])
    assert with_plain_axes(ds) is ds
    assert with_plain_axes(result) is result


def test_bounds_of_an_axis_become_plain_with_it():
    ds = xr.Dataset(
        {"concentration": ("depth", [1.0, 2.0], {"units": "atom/cm^3"})},
        {
            "depth": ("depth", [0.5, 1.5], {"units": "um"}),
            "depth_bounds": (("depth", "side"), [[0.0, 1.0], [1.0, 2.0]]),
        },
    )
    define_atoms()
    quantified = ds.pint.quantify()
    result = with_plain_axes(quantified)
    assert result["depth"].values.tolist() == [500.0, 1500.0]
    assert result["depth"].attrs == {"units": "nm"}
    assert result["depth_bounds"].values.tolist() == [[0.0, 1000.0], [1000.0, 2000.0]]
    assert type(result.xindexes["depth"]) is type(ds.xindexes["depth"])
    assert with_plain_axes(ds) is ds


def test_atoms_as_pure_numbers_are_refused_where_atoms_are_needed():
    before = pint.get_application_registry().get()
    other = pint.UnitRegistry()
    other.define("atom = []")
    pint.set_application_registry(other)
    try:
        assert application_registry().get() is other
        with raises(UnitsError, "ambiguous_unit"):
            application_registry(for_atoms=True)
        with raises(UnitsError, "ambiguous_unit"):
            quantify(xr.DataArray([1.0], attrs={"units": "atom/cm^3"}, dims="t"))
    finally:
        pint.set_application_registry(before)
    assert application_registry(for_atoms=True).get() is before


def test_a_registry_of_the_users_is_given_its_atom():
    before = pint.get_application_registry().get()
    pint.set_application_registry(pint.UnitRegistry())
    try:
        assert "atom" in application_registry()
    finally:
        pint.set_application_registry(before)


def test_slopes_stay_as_they_are_and_unknown_units_are_refused():
    for units in ("count/s / nm", "arb. units"):
        slope = xr.DataArray([1.0], dims="t", attrs={"units": units})
        assert not is_quantified(quantify(slope))
        assert quantify(slope).attrs == {"units": units}
    with raises(UnitsError, "unknown_unit"):
        quantify(xr.DataArray([1.0], dims="t", attrs={"units": "furlong"}))


def test_ratios_of_quantities_are_pure_numbers_and_counts_are_counts():
    registry = application_registry()
    made = {unit: xr.DataArray(registry.Quantity([2.0], unit)) for unit in ("um/nm", "count")}
    plain = {unit: dequantify(array) for unit, array in made.items()}
    assert plain["um/nm"].item() == pytest.approx(2000.0)
    assert plain["um/nm"].attrs["units"] == "1"
    assert (plain["count"].item(), plain["count"].attrs["units"]) == (2.0, "count")


@pytest.mark.parametrize("values", [[True], ["1"], [1j], [np.datetime64("2024-01-15", "ns")]])
def test_values_that_are_no_real_numbers_are_refused_by_name(values):
    array = xr.DataArray(values, dims="t", attrs={"units": "nm"})
    with raises(ProfileError, "not_a_quantity"):
        magnitude_and_unit(array, ("depth",), "top")


@pytest.mark.parametrize("kinds", [("depth",), ("dimensionless", "atomic_fraction")])
def test_a_missing_unit_differs_from_one_that_is_no_text(kinds):
    for unit, parts in ((None, ("missing_unit",)), (5, ("unknown_unit", "x"))):
        with raises(UnitsError, *parts):
            unit_of_kind(unit, kinds, "x")


def test_fractions_are_numbers_per_cent_or_quantities_without_dimension(approved):
    registry = application_registry()
    for stated in (0.2, "20 %", "20percent", np.float32(0.2), registry.Quantity(0.2, "")):
        assert read_fraction(stated, "x") == pytest.approx(0.2, rel=1e-7)
    assert read_fraction("0 %", "x", ends="[)") == 0
    assert read_fraction(1, "x", ends="(]") == 1
    for wrong in (0, 1, "0.2", "-1 %", "120 %", None, True, np.nan, registry.Quantity(0.2, "nm")):
        with raises(ProfileError, argument="x"):
            read_fraction(wrong, "x")
    with raises(ProfileError, argument="x", text=approved):
        read_fraction(2, "x", of="the maximum", ends="[]")
