"""Arguments of corrections: by label, for some species, positive, and for no cases."""

import numpy as np
import pytest
import xarray as xr

from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.frame.arguments import read_positive
from sims_analysis.frame.messages import first_sample
from sims_analysis.frame.opening import open_frame

DS = xr.Dataset(
    {"intensity": (("measurement", "species", "depth"), np.ones((2, 3, 4)), {"units": "kcps"})},
    coords={
        "measurement": ["w1", "w2"],
        "species": ["B", "P", "Si"],
        "depth": ("depth", [0.0, 0.1, 0.2, 1.001], {"units": "um"}),
    },
)


def frame(data=DS):
    return open_frame(data, ("count_rate",), question="a test")


def over(dim, labels, values, units="s"):
    return xr.DataArray(values, {dim: labels}, [dim], attrs={"units": units})


def read(value, kinds=("sputter_time",), data=DS):
    return read_positive(frame(data), value, kinds, "time", along=True)


def test_labels_decide():
    found = read(over("measurement", ["w2", "w1", "w0"], [2.0, 1.0, 3.0], "min"))
    assert found.values.tolist() == [60.0, 120.0]
    mixed = read({"Si": "3 s", "B": over("measurement", ["w2", "w1"], [2.0, 1.0])})
    mixed = mixed.transpose("measurement", "species")
    np.testing.assert_array_equal(mixed, [[1.0, np.nan, 3.0], [2.0, np.nan, 3.0]])
    one = xr.DataArray(5.0, {"species": "P"}, attrs={"units": "s"})
    np.testing.assert_array_equal(read(one), [np.nan, 5.0, np.nan])
    assert read({"B": "2 s"}, data=DS.sel(species="B")).item() == 2.0
    assert read(xr.DataArray([1.0, 2.0], dims="measurement", attrs={"units": "s"})).sum() == 3.0
    depths = DS["depth"].assign_attrs(units="um")
    along = read(over("depth", depths, np.arange(1.0, 5.0)))
    assert along.values.tolist() == [1.0, 2.0, 3.0, 4.0]


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (over("measurement", ["w1"], [1.0]), ProfileError, "no value for measurement .*w2"),
        (over("measurement", ["w1", "w1"], [1.0, 2.0]), ProfileError, "more than once"),
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
        ("0 s", ProfileError, "time='0 s' must be positive"),
        ({"B": "-1 s", "P": "1 s"}, ProfileError, "must be positive"),
        (over("measurement", ["w1", "w2"], [np.inf, 1.0]), ProfileError, "must be positive"),
        (over("measurement", ["w1", "w2"], [np.nan, np.nan]), ProfileError, "must be positive"),
    ],
)
def test_what_is_refused_by_name(value, error, words):
    with pytest.raises(error, match=words):
        read(value)


def test_kinds_are_not_mixed():
    kinds = ("factor_per_rate", "concentration")
    with pytest.raises(UnitsError, match="time mixes"):
        read({"B": "1 cm^-3", "P": "1 cm^-3/(count/s)"}, kinds)


def test_a_sample_is_named_by_its_labels():
    opened = frame()
    where = xr.zeros_like(opened.value, dtype=bool)
    assert first_sample(opened, where) is None
    where[1, 2, 3] = True
    text = "measurement 'w2', species 'Si', depth 1001 nm: 1000 count/s"
    assert first_sample(opened, where) == text
    where[0, 0, 1] = True
    text = "measurement 'w1', species 'B', depth 100 nm: 1000 count/s (and 1 more)"
    assert first_sample(opened, where) == text
    one = frame(DS.isel(measurement=0, species=1))
    assert first_sample(one, one.value > 0).startswith("species 'P', depth 0 nm")
