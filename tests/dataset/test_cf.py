"""What a file has in place of what only we read, and back, without a file."""

import numpy as np
import pytest
import xarray as xr

from sims_analysis.dataset.cf import follows, for_file, restored


def data(status=("ok", "gap", "")):
    return xr.Dataset(
        {
            "concentration": ("species", [1.0, 2.0, 3.0], {"units": "atom/cm^3"}),
            "dose": ("species", [1.0, 2.0, 3.0], {"units": "nm", "ancillary_variables": "a b"}),
            "dose_status": ("species", list(status), {"long_name": "Status"}),
        },
        {"species": ["B", "P", "As"], "a": 1.0},
    )


@pytest.mark.parametrize("lazily", [False, True])
def test_words_become_flags_and_words_again(lazily):
    ds = data().chunk() if lazily else data()
    memo = {}
    written = for_file(ds.copy(), memo)
    flags = written["dose_status"]
    assert flags.dtype == np.int8
    meanings = flags.attrs["flag_meanings"].split()
    assert lazily or meanings == ["gap", "ok"]
    assert [meanings[code] for code in flags.values[:2]] == ["ok", "gap"]
    assert flags.values[2] == flags.attrs["_FillValue"] == -1
    assert flags.attrs["flag_values"].tolist() == list(range(len(meanings)))
    back = restored(written, memo)
    assert back["dose_status"].values.tolist() == ["ok", "gap", ""]
    assert back["dose_status"].attrs.keys() - {"_FillValue"} == {"long_name"}
    xr.testing.assert_equal(back, data())


def test_units_and_names_beside_come_back():
    memo = {}
    written = for_file(data(), memo)
    assert written["concentration"].attrs["units"] != "atom/cm^3"
    assert written["dose"].attrs == {"units": "nm", "ancillary_variables": "a"}
    assert memo["units"] == ["concentration"]
    back = restored(written, memo)
    for name in ("concentration", "dose"):
        assert back[name].attrs == data()[name].attrs


@pytest.mark.parametrize("status", [("two words", "ok", ""), ("größer", "ok", ""), ("", "", "")])
def test_what_are_no_flags_stays(status):
    written = for_file(data(status), memo := {})
    assert memo["flags"] == {}
    assert written["dose_status"].values.tolist() == list(status)


def test_a_word_that_is_no_status_is_refused_on_dask():
    written = for_file(data(("ok", "odd", "")).chunk(), {})
    with pytest.raises(ValueError, match="'odd' is no status that a file has a flag for"):
        written.load()


def test_what_follows_the_conventions():
    ds = data().assign_coords(depth=("depth", [0.0, 1.0, 2.0], {"units": "nm"}))
    assert follows(ds)
    assert follows(ds.isel(depth=slice(None, None, -1)))
    assert not follows(ds.isel(depth=[0, 0, 1]))
    assert not follows(ds.isel(depth=[0, 2, 1]))
    assert not follows(ds.assign(x=((), 1.0, {"units": "furlong"})))
    assert not follows(ds.assign(x=((), 1.0, {"units": 3})))
