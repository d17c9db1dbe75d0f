"""Arguments by label, in canonical units, or refused by name."""

import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.dataset.canonical import argument, label_of, to_canonical
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError

DS = xr.Dataset(
    {"intensity": (("measurement", "species", "depth"), np.ones((2, 3, 4)), {"units": "kcps"})},
    coords={
        "measurement": ["w1", "w2"],
        "species": ["B", "P", "Si"],
        "depth": ("depth", [0.0, 0.1, 0.2, 1.001], {"units": "um"}),
    },
)
CANONICAL = to_canonical(DS)


def over(dim, labels, values, units="s"):
    return xr.DataArray(values, {dim: labels}, [dim], attrs={"units": units})


def test_variables_and_axes_in_canonical_units():
    assert CANONICAL["intensity"].attrs["units"] == "count/s"
    np.testing.assert_array_equal(CANONICAL["intensity"], 1000.0)
    np.testing.assert_allclose(CANONICAL["depth"], [0.0, 100.0, 200.0, 1001.0])
    assert CANONICAL["depth"].attrs["units"] == "nm"
    assert to_canonical(CANONICAL) is CANONICAL
    with pytest.raises(UnitsError, match="depth has no unit"):
        to_canonical(DS.drop_attrs())
    with pytest.raises(ProfileError, match="intensity: expected real numbers"):
        to_canonical(DS.astype(complex).assign_coords(DS.coords))


def read(value, kinds=("sputter_time",)):
    return argument(CANONICAL, value, kinds, "time")


def test_labels_decide():
    found = read(over("measurement", ["w2", "w1", "w0"], [2.0, 1.0, 0.0], "min"))
    assert found.values.tolist() == [60.0, 120.0]
    assert found["measurement"].values.tolist() == ["w1", "w2"]
    mixed = read({"Si": "3 s", "B": over("measurement", ["w2", "w1"], [2.0, 1.0])})
    assert mixed.dims == ("measurement", "species")
    np.testing.assert_array_equal(mixed, [[1.0, np.nan, 3.0], [2.0, np.nan, 3.0]])
    one = xr.DataArray(5.0, {"species": "P"}, attrs={"units": "s"})
    np.testing.assert_array_equal(read(one), [np.nan, 5.0, np.nan])
    scalar = argument(CANONICAL.sel(species="B"), {"B": "2 s"}, ("sputter_time",), "time")
    assert scalar.item() == 2.0
    assert read(xr.DataArray([1.0, 2.0], dims="measurement", attrs={"units": "s"})).sum() == 3.0
    depths = DS["depth"].assign_attrs(units="um")
    assert read(over("depth", depths, np.arange(4.0))).values.tolist() == [0.0, 1.0, 2.0, 3.0]


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (over("measurement", ["w1"], [1.0]), ProfileError, "no value for measurement w2"),
        (over("measurement", ["w1", "w1"], [1.0, 2.0]), ProfileError, "several values for one"),
        (over("case", [0, 1], [1.0, 2.0]), ProfileError, "over 'case', and the data over"),
        (
            over("depth", [0.0, 100.0, 200.0, 1001.1], [1.0] * 4),
            ProfileError,
            r"no value for depth 100\d",
        ),
        (xr.DataArray([1.0], dims="species", attrs={"units": "s"}), ProfileError, "holds 1 values"),
        (over("measurement", ["w1", "w2"], [1.0, 2.0], "nm"), UnitsError, "time is in 'nm'"),
        (xr.DataArray([1.0, 2.0], dims="measurement"), UnitsError, "time has no unit"),
        ({"As": "1 s"}, SpeciesError, "time names 'As'; the data have 'B', 'P', 'Si'"),
        ({"B": 1.0}, UnitsError, r"time\['B'\]=1.0 has no unit"),
        ({}, ProfileError, "time is empty"),
        ({"B": over("species", ["B"], [1.0])}, ProfileError, "is over species"),
    ],
)
def test_what_is_refused_by_name(value, error, words):
    with pytest.raises(error, match=words):
        read(value)


def test_kinds_are_not_mixed():
    kinds = ("factor_per_rate", "concentration")
    with pytest.raises(UnitsError, match="time mixes"):
        read({"B": "1 cm^-3", "P": "1 cm^-3/(count/s)"}, kinds)


def test_a_place_is_named_by_its_labels():
    where = CANONICAL["intensity"] * 0 > 1
    where[1, 2, 3] = True
    assert label_of(CANONICAL["intensity"], where) == (
        "measurement 'w2', species 'Si', depth 1001 nm: 1000 count/s"
    )
    where[0, 0, 1] = True
    assert label_of(CANONICAL["intensity"], where).startswith(
        "measurement 'w1', species 'B', depth 100 nm"
    )
    assert label_of(CANONICAL["intensity"], where).endswith("(and 1 more)")
    one = CANONICAL["intensity"].isel(measurement=0, species=1)
    assert "species 'P', depth 0 nm" in label_of(one, one > 0)


def test_only_datasets_have_several_variables():
    with pytest.raises(
        TypeError, match="correct_dead_time takes an xarray Dataset, found DataArray"
    ):
        sims.correct_dead_time(DS["intensity"], dead_time="20 ns")
