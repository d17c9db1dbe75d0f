"""What a file has in place of what only we read, and back, without a file."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises

from sims_analysis.conventions.cf import (
    follows,
    for_file,
    missing_attrs,
    restored,
    with_ancillaries,
)


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


def test_units_and_ancillary_names_are_restored():
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


def test_a_word_that_is_no_status_is_refused_on_dask(approved):
    written = for_file(data(("ok", "odd", "")).chunk(), {})
    with raises(ValueError, text=approved):
        written.load()


def test_what_follows_the_conventions():
    ds = data().assign_coords(depth=("depth", [0.0, 1.0, 2.0], {"units": "nm"}))
    assert follows(ds)
    assert follows(ds.isel(depth=slice(None, None, -1)))
    for back_and_forth in ([0, 0, 1], [1, 0, 0], [0, 2, 1]):
        assert not follows(ds.isel(depth=back_and_forth))
    assert not follows(ds.assign(x=((), 1.0, {"units": "furlong"})))
    assert not follows(ds.assign(x=((), 1.0, {"units": 3})))


ENDS = ["stderr", "counts", "background_stderr", "background_overlap", "background_scatter"]


def test_a_measured_variable_names_its_ancillary_ones():
    ds = xr.Dataset({"intensity": ("depth", [1.0]), "intensity_other": 0.0, "counts": 1.0})
    assert with_ancillaries(ds) is ds
    for end in ENDS:
        one = with_ancillaries(ds.assign({f"intensity_{end}": 1.0}))
        assert one["intensity"].attrs == {"ancillary_variables": f"intensity_{end}"}
        assert one["counts"].attrs == {}
        assert with_ancillaries(one) is one
        assert with_ancillaries(one.drop_vars(f"intensity_{end}"))["intensity"].attrs == {}
    every = ds.assign({f"intensity_{end}": 1.0 for end in ENDS})
    every["intensity"].attrs["note"] = "kept"
    named = " ".join(f"intensity_{end}" for end in ENDS)
    found = with_ancillaries(every)["intensity"].attrs
    assert found == {"note": "kept", "ancillary_variables": named}
    assert every["intensity"].attrs == {"note": "kept"}


def test_attributes_that_a_file_has_in_addition():
    ds = xr.Dataset(
        {
            "peak_depth": ("species", [1.0], {"long_name": "Depth of the maximum"}),
            "half_width": ("species", [1.0]),
            "half_width_stderr": ("species", [1.0]),
            "status": ("species", ["ok"]),
            "stderr": ("species", [0.1]),
        },
        {
            "species": ["B"],
            "depth": ("depth", [1.0], {"standard_name": "depth", "positive": "up"}),
            "depth_bounds": (("depth", "side"), [[0.0, 2.0]]),
            "sputter_time": ("depth", [1.0], {"long_name": "Time"}),
        },
    )
    assert missing_attrs(ds) == {
        "peak_depth": {"ancillary_variables": "stderr status"},
        "half_width": {
            "long_name": "Half width",
            "ancillary_variables": "half_width_stderr stderr status",
        },
        "half_width_stderr": {
            "long_name": "Half width stderr", "ancillary_variables": "stderr status",
        },
        "status": {"long_name": "Status", "ancillary_variables": "stderr"},
        "stderr": {"long_name": "Stderr", "ancillary_variables": "status"},
        "species": {"long_name": "Species"},
        "depth": {"axis": "Z"},
        "depth_bounds": {},
        "sputter_time": {},
    }  # fmt: skip


@pytest.mark.parametrize("name", ["status", "matrix_status", "x"])
def test_only_words_of_a_status_become_flags(name):
    words = xr.Dataset({name: ("species", ["ok", "gap"])})
    for_file(words, memo := {})
    assert list(memo["flags"]) == ([] if name == "x" else [name])
    numbers = xr.Dataset({name: ("species", [1, 2])})
    assert for_file(numbers, memo := {})[name].values.tolist() == [1, 2]
    assert memo["flags"] == {}
    labels = xr.Dataset(coords={name: (name, ["ok", "gap"])})
    for_file(labels, memo := {})
    assert memo["flags"] == {}
