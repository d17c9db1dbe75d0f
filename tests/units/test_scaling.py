"""Conversions between decimal units, against exact rational arithmetic."""

from fractions import Fraction

import dask.array
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import sims_analysis as sims
from sims_analysis.units import dequantify, quantify, read_quantity, read_unit
from sims_analysis.units.scaling import scaled

#: Unit -> exponents of ten of the values that people have in it.
USUAL = {
    "um": (-4, 4), "angstrom": (-1, 7), "mm": (-7, 1), "cm": (-8, 0), "m": (-10, -2),
    "min": (-3, 4), "hour": (-4, 2), "ms": (0, 8), "atoms/m^3": (15, 31), "atoms/nm^3": (-12, 3),
    "at%": (-9, 3), "wt%": (-9, 3), "ppm": (-5, 7), "ppb": (-3, 10), "kcps": (-4, 5),
    "Mcps": (-7, 2), "nm/min": (-3, 4), "um/min": (-4, 3), "um/hour": (-3, 4),
    "atoms/m^2": (10, 24), "1/m": (2, 12),
}  # fmt: skip


def ratio(unit):
    return Fraction(int(unit.multiply), int(unit.divide))


@pytest.mark.few(4)
@pytest.mark.parametrize("text", USUAL)
@given(data=st.data())
def test_a_decimal_is_scaled_as_a_decimal_both_ways(text, data):
    unit, (low, high) = read_unit(text), USUAL[text]
    digits = data.draw(st.integers(1, 10**14 - 1).map(str))
    decimal = f"0.{digits}e{data.draw(st.integers(low, high))}"
    exact = Fraction(decimal)
    number = np.array([float(decimal), 1.0])
    assert unit.to_canonical(number)[0] == float(exact * ratio(unit))
    canonical = f"{float(exact * ratio(unit)):.13e}"
    back = unit.from_canonical(np.array([float(canonical)]))
    assert back[0] == float(Fraction(canonical) / ratio(unit))


@pytest.mark.parametrize("text", ["um", "angstrom", "atoms/m^3", "ppb", "kcps"])
@given(value=st.floats(1e-6, 1e22))
def test_other_numbers_are_rounded_once(text, value):
    unit = read_unit(text)
    either = {float(Fraction(value) * ratio(unit)), float(Fraction(repr(value)) * ratio(unit))}
    assert unit.to_canonical(value) in either


def test_all_depths_on_a_raster_are_those_of_the_raster_in_nm():
    nm = [f"{i // 10}.{i % 10}" for i in range(30_000)]
    um = np.array([float(f"{text}e-3") for text in nm])
    unit = read_unit("um")
    expected = np.array(list(map(float, nm)))
    assert (um * 1000.0 != expected).mean() > 0.1
    np.testing.assert_array_equal(unit.to_canonical(um), expected)
    np.testing.assert_array_equal(unit.from_canonical(expected), um)
    np.testing.assert_array_equal(
        read_unit("angstrom").from_canonical(expected), np.arange(30_000.0)
    )


def test_scalars_arrays_and_lazy_arrays_agree():
    values = np.array([1.001, 2.0003, 0.1, 1.0070000000000001])
    expected = [1001.0, 2000.3, 100.0, 1007.0000000000001]
    assert scaled(values, 1000.0, 1.0).tolist() == expected
    assert [scaled(value, 1000.0, 1.0) for value in values.tolist()] == expected
    assert [float(scaled(np.array(v), 1000.0, 1.0)) for v in values] == expected
    lazy = scaled(dask.array.from_array(values, chunks=2), 1000.0, 1.0)
    assert lazy.compute().tolist() == expected
    assert scaled(values.reshape(2, 2), 1000.0, 1.0).shape == (2, 2)
    assert scaled(values, 1.0, 1.0) is values
    assert type(scaled(1.5, 1000.0, 1.0)) is type(scaled(3, 1000.0, 1.0)) is float
    assert scaled(np.float32(1.5), 1000.0, 1.0).dtype == np.float32
    assert scaled(np.array([3], dtype=np.int64), 1.0, 10.0).tolist() == [0.3]
    # Its logarithm is rounded to that of 1e9.
    assert scaled(999999999.999998, 1000.0, 1.0) == 999999999999.998
    many = np.arange(40_000) / 1000
    np.testing.assert_array_equal(scaled(many, 1000.0, 1.0), np.arange(40_000.0))


def test_values_without_digits_are_unchanged():
    odd = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, -1.001, 5e-324, 1.7e308])
    result = scaled(odd, 1000.0, 1.0)
    np.testing.assert_array_equal(
        result, [np.nan, np.inf, -np.inf, 0.0, -0.0, -1001.0, 5e-324 * 1000, np.inf]
    )
    assert np.signbit(result[4])


def test_the_last_sample_of_a_profile_in_micrometres_can_be_named():
    profile = sims.DepthProfile(
        species_name="B", depths=[0.0, 0.5005, 1.001], depth_units="um",
        concentrations=[1.1e24, 1.3e24, 1e24], concentration_units="atoms/m^3",
    )  # fmt: skip
    ds = sims.to_dataset(profile)
    assert ds["depth"].values.tolist() == [0.0, 500.5, 1001.0]
    assert ds["concentration"].values.tolist() == [[1.1e18, 1.3e18, 1e18]]
    assert ds["depth"].values[-1] == read_quantity("1001 nm", ("depth",), "stop")[0]
    assert ds["depth"].values[-1] == read_quantity("1.001 um", ("depth",), "stop")[0]
    assert sims.to_profiles(ds) == [profile]


def test_the_quantified_view_in_other_units_is_converted_alike():
    ds = sims.to_dataset(sims.DepthProfile(
        species_name="B", depths=[0.0, 1.0], depth_units="nm",
        concentrations=[1.1e18, 1.3e18], concentration_units="cm^-3",
    ))  # fmt: skip
    quantified = quantify(ds)
    c = quantified["concentration"]
    in_m3 = c.copy(data=type(c.data)(np.array([[1.1e24, 1.3e24]]), "atom/meter**3"))
    back = dequantify(quantified.assign(concentration=in_m3))["concentration"]
    assert back.values.tolist() == [[1.1e18, 1.3e18]]


def test_half_precision_is_scaled_in_double():
    half = np.array([1e-3, 65.0, 65504.0], dtype=np.float16)  # a half is at most 65504
    for values in (half, half.astype(">f2")):
        assert np.array_equal(scaled(values, 1000.0, 1.0), half.astype(np.float64) * 1000.0)
    assert np.array_equal(scaled(half, 1.0, 1e6), half.astype(np.float64) / 1e6)


def test_single_precision_stays_single():
    found = scaled(np.array([1.5, 2.0], dtype=np.float32), 1000.0, 3.0)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, [500.0, 2000.0 / 3], rtol=1e-6)
