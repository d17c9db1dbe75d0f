"""Uncertainties as people state them."""

import numpy as np
import pint
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.frame.opening import open_frame
from sims_analysis.quantification.uncertainties import has_unit, read_uncertainty

FRAME = open_frame(sims.open_example("boron-implant"), ("concentration",), question="a test")
DEPTH = xr.Variable((), 200.0)


def of_b(value, unit=None):
    return xr.DataArray(
        [value, value], {"species": ["B", "P"]}, attrs={"units": unit} if unit else {}
    )


@pytest.mark.parametrize(
    ("stated", "absolute", "expected"),
    [
        (0.05, False, 0.05),
        ("5 %", False, 0.05),
        ("5 percent", False, 0.05),
        (" 5% ", False, 0.05),
        ("10 nm", True, 0.05),
        ("0.01 um", True, 0.05),
        (pint.Quantity(5, "percent"), False, 0.05),
        (pint.Quantity(0.05, ""), False, 0.05),
        (pint.Quantity(10, "nm"), True, 0.05),
        (xr.DataArray(0.05), False, 0.05),
        (xr.DataArray(0.05, attrs={"units": "1"}), False, 0.05),
        (xr.DataArray(5.0, attrs={"units": "%"}), False, 0.05),
        (xr.DataArray(5.0, attrs={"units": "percent"}), False, 0.05),
        (xr.DataArray(0.01, attrs={"units": "um"}), True, 0.05),
        (xr.DataArray(pint.Quantity(np.array(10.0), "nm")), True, 0.05),
        (xr.DataArray(pint.Quantity(np.array(5.0), "percent")), False, 0.05),
        (0.0, False, 0.0),
        ("0 nm", True, 0.0),
        ("199.9 nm", True, 0.9995),
    ],
)
def test_an_uncertainty_is_relative_or_in_the_unit_of_the_value(stated, absolute, expected):
    assert has_unit(stated) == absolute
    found = read_uncertainty(FRAME, stated, DEPTH, "depth", "spread")
    assert float(found) == pytest.approx(expected, rel=1e-14)


def test_species_have_their_own_in_either_form():
    for stated, expected in (
        ({"B": "5 %", "P": "10 nm"}, [0.05, 0.05]),
        ({"B": 0.1}, [0.1, np.nan]),
        ({"P": "20 nm"}, [np.nan, 0.1]),
        (of_b(0.1), [0.1, 0.1]),
        (of_b(20.0, "nm"), [0.1, 0.1]),
    ):
        found = read_uncertainty(FRAME, stated, DEPTH, "depth", "spread")
        np.testing.assert_allclose(found, expected, rtol=1e-14)


@pytest.mark.parametrize(
    ("stated", "error", "said"),
    [
        ("200 nm", ProfileError, "spread='200 nm' must be less than the value whose uncertainty"),
        ("-1 nm", ProfileError, "spread='-1 nm' must be less than the value whose"),
        ({"B": "200 nm"}, ProfileError, "spread={'B': '200 nm'} must be less than the value"),
        ({"B": "5 s"}, UnitsError, "spread['B']='5 s' is in 's', which is a sputter time"),
        ({"B": 1.5}, ProfileError, "spread['B']=1.5; expected a relative uncertainty"),
        ({}, ProfileError, "spread is empty"),
        ("0.05", UnitsError, "spread='0.05' has no unit"),
    ],
)  # fmt: skip
def test_what_is_no_uncertainty_of_the_value(stated, error, said):
    with pytest.raises(error) as told:
        read_uncertainty(FRAME, stated, DEPTH, "depth", "spread")
    assert str(told.value).startswith(said)
