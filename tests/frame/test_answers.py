"""Answers as Datasets, and words for codes."""

import dask.array as da
import numpy as np
import pytest
import xarray as xr

from sims_analysis.analysis.comparison import as_dataset
from sims_analysis.errors import ProfileError
from sims_analysis.frame.run import words

TABLE = np.array(["ok", "never_reached", "gap"])


def test_coordinates_with_the_name_of_a_result_give_way_to_it():
    nominal = {"species": ["B", "P"], "dose": ("species", [1e14, 2e14])}
    dose = xr.DataArray([3e14, 4e14], dims="species", coords=nominal)
    found = as_dataset({"dose": dose, "ratio": dose / 2})
    np.testing.assert_array_equal(found["dose"], [3e14, 4e14])
    np.testing.assert_array_equal(found["ratio"], [1.5e14, 2e14])
    assert list(found.coords) == ["species"]


def test_labels_are_not_lost_to_a_result_of_their_name():
    doses = xr.DataArray([1.0, 2.0], {"dose": [1e14, 2e14]})
    with pytest.raises(ProfileError) as refused:
        as_dataset({"dose": doses})
    assert "'dose' in the data is a dimension with labels" in str(refused.value)
    assert 'data.rename(dose="nominal_dose")' in str(refused.value)
    bare = as_dataset({"dose": doses.drop_vars("dose")})  # without labels, nothing is lost
    np.testing.assert_array_equal(bare["dose"], [1.0, 2.0])


@pytest.mark.parametrize("lazy", [False, True])
def test_codes_become_words_of_one_width(lazy):
    codes = np.array([[0, 2], [1, 0]], np.uint8)
    data = da.from_array(codes, chunks=1) if lazy else codes
    found = words(xr.Variable(("x", "y"), data), TABLE, long_name="Status")
    assert hasattr(found.data, "dask") == lazy
    assert (found.dims, found.attrs, found.dtype) == (
        ("x", "y"),
        {"long_name": "Status"},
        TABLE.dtype,
    )
    assert found.values.tolist() == [["ok", "gap"], ["never_reached", "ok"]]
    one = words(xr.Variable((), np.uint8(0)), TABLE)
    assert (one.dtype, one.shape, one.item()) == (TABLE.dtype, (), "ok")
