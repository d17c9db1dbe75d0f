"""Uncertainties as people state them: relative, or in the unit of the value."""

import numpy as np
import pint
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError

DS = sims.open_example("boron-implant")


def of_b(value, unit=None):
    return xr.DataArray(
        [value, value], {"species": ["B", "P"]}, attrs={"units": unit} if unit else {}
    )


def relative(stated):
    """Give the uncertainty of a dose of 2e14 atoms/cm^2 of either species, as it is recorded."""
    dose = dict.fromkeys("BP", "2e14 atoms/cm^2")
    return sims.scale_to_dose(DS, dose=dose, dose_uncertainty=stated)["dose_scale_uncertainty"]


@pytest.mark.few(6)
@pytest.mark.parametrize(
    ("stated", "expected"),
    [
        (0.05, 0.05), ("5 %", 0.05), ("5 percent", 0.05), (" 5% ", 0.05), (0.0, 0.0),
        ("1e13 atoms/cm^2", 0.05), ("1e17 m^-2", 0.05), ("0 atoms/cm^2", 0.0),
        ("1.999e14 atoms/cm^2", 0.9995),
        (pint.Quantity(5, "percent"), 0.05), (pint.Quantity(0.05, ""), 0.05),
        (pint.Quantity(1e13, "1/cm^2"), 0.05),
        (xr.DataArray(0.05), 0.05), (xr.DataArray(0.05, attrs={"units": "1"}), 0.05),
        (xr.DataArray(5.0, attrs={"units": "%"}), 0.05),
        (xr.DataArray(1e17, attrs={"units": "m^-2"}), 0.05),
        (xr.DataArray(pint.Quantity(np.array(1e13), "1/cm^2")), 0.05),
        (xr.DataArray(pint.Quantity(np.array(5.0), "percent")), 0.05),
        ({"B": "5 %", "P": "1e13 atoms/cm^2"}, [0.05, 0.05]),
        ({"B": 0.1}, [0.1, np.nan]), ({"P": "2e13 atoms/cm^2"}, [np.nan, 0.1]),
        (of_b(0.1), [0.1, 0.1]), (of_b(2e13, "cm^-2"), [0.1, 0.1]),
    ],
)  # fmt: skip
def test_an_uncertainty_is_relative_or_in_the_unit_of_the_value(stated, expected):
    np.testing.assert_allclose(relative(stated), expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("stated", "code"),
    [("2e14 cm^-2", ""), ("-1 cm^-2", ""), ({"B": "2e14 cm^-2"}, ""), ({"B": "5 s"}, "wrong_unit"),
     ({"B": 1.5}, ""), ({}, ""), ("0.05", "missing_unit")],
)  # fmt: skip
def test_what_is_no_uncertainty_of_the_value(stated, code):
    with raises(UnitsError if code else ProfileError, code, argument="dose_uncertainty"):
        relative(stated)
