"""Data in other units: the same data to every function."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import UnitsError

DS = sims.subtract_background(
    sims.with_counting_statistics(
        sims.open_example("boron-implant"), value_per_count="1e14 atoms/cm^3"
    ),
    window=("420 nm", "490 nm"),
    species="B",
)
SI = {"depth": "um", "concentration": "1/m^3"}


def test_values_errors_and_axes_are_converted():
    stderr = (DS["concentration_stderr"] * 1e6).assign_attrs(units="atoms/m^3")
    found = sims.with_units(DS.assign(concentration_stderr=stderr), **SI)
    np.testing.assert_allclose(found["depth"], DS["depth"] / 1000, rtol=1e-15)
    for end in ("", "_stderr", "_background_stderr"):
        name = f"concentration{end}"
        np.testing.assert_allclose(found[name], DS[name] * 1e6, rtol=1e-15)
        assert found[name].attrs["units"] == "1/m^3"
    for name in ("concentration_counts", "concentration_background_overlap"):
        xr.testing.assert_equal(found[name].drop_vars("depth"), DS[name].drop_vars("depth"))
    assert found["depth"].attrs["units"] == "um"
    assert found["depth"].attrs["long_name"] == DS["depth"].attrs["long_name"]
    assert found.indexes["depth"][1] == found["depth"].values[1]
    # Nothing happens to the data that were given.
    assert DS["depth"].attrs["units"] == "nm"


@pytest.mark.parametrize(
    "ask",
    [
        lambda ds: sims.integrated_dose(ds, stop="0.3 um"),
        lambda ds: sims.junction_depth(ds, level="1e23 m^-3", which="deepest", after="peak"),
        lambda ds: sims.peak(ds, start="20 nm"),
        lambda ds: sims.moments(ds.sel(species="B"), start="20 nm", threshold=0.01),
        lambda ds: sims.rescale_depth(ds, factor=1.1),
        lambda ds: sims.to_grid(ds, step="2 nm"),
        lambda ds: sims.with_units(ds, depth="nm", concentration="atom/cm^3"),
    ],
)
def test_every_function_takes_them(ask):
    sims.testing.assert_allclose(ask(sims.with_units(DS, **SI)), ask(DS), rtol=1e-10)


def test_profiles_and_one_variable_of_them():
    there = sims.with_units(DS["concentration"].sel(species="B"), **SI)
    assert there.name == "concentration"
    assert there.attrs["units"] == "1/m^3"
    dose = sims.integrated_dose(DS, stop="300 nm")
    other = sims.with_units(dose, dose="atoms/m^2")
    for one, wanted in ((other, dose), (other["stderr"], dose["stderr"])):
        np.testing.assert_allclose(one, wanted * 1e4, rtol=1e-15)
        assert one.attrs["units"] == "atoms/m^2"
    np.testing.assert_array_equal(other["status"], dose["status"])
    batch = sims.stack([DS, DS.isel(depth=slice(1, None))])
    found = sims.with_units(batch, depth="angstrom")
    np.testing.assert_allclose(found["depth"], batch["depth"] * 10, rtol=1e-15)
    answers = [sims.integrated_dose(one) for one in (found, batch)]
    sims.testing.assert_allclose(*answers, rtol=1e-12)


@pytest.mark.parametrize(
    ("data", "stated", "parts"),
    [
        (DS, {"depth": "s"}, {"code": "wrong_unit"}),
        (DS, {"concentration": "counts/s"}, {"code": "wrong_unit"}),
        (DS, {"intensity": "counts/s"}, {"code": "missing_variable", "argument": "intensity"}),
        (DS, {"depth": "furlong per"}, {"code": "unknown_unit"}),
        (sims.quantify(DS), {"depth": "um"}, {"code": "invalid_argument", "argument": "data"}),
        (
            DS["concentration"],
            {"intensity": "um"},
            {"code": "missing_variable", "argument": "intensity"},
        ),
    ],
)
def test_what_is_no_unit_of_it_is_refused(data, stated, parts):
    with raises(UnitsError, **parts):
        sims.with_units(data, **stated)


def test_fractions_are_distinguished_by_name(approved):
    ds = sims.open_example("gan-mg-stack")
    found = sims.with_units(ds, atomic_fraction="at%", intensity="kcps")
    np.testing.assert_allclose(found["atomic_fraction"], ds["atomic_fraction"] * 100, rtol=1e-15)
    np.testing.assert_allclose(found["intensity"], ds["intensity"] / 1000, rtol=1e-15)
    sims.testing.assert_allclose(
        sims.to_concentration(found, atomic_density="GaN")["concentration"],
        sims.to_concentration(ds, atomic_density="GaN")["concentration"],
        rtol=1e-12,
    )
    with raises(UnitsError, text=approved):
        sims.with_units(ds, atomic_fraction="wt%")
