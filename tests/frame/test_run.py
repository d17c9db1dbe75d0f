"""Kernels run over profiles in whatever order of dimensions, at once or chunk by chunk."""

from typing import NamedTuple

import numpy as np
import pytest
import xarray as xr

from sims_analysis.errors import ProfileError
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import anywhere, codes, elementwise, is_lazy, is_nan, replaced_where
from sims_analysis.kernels.rows import Only

Z = np.arange(5.0)
VALUES = np.arange(30.0).reshape(2, 3, 5)


@pytest.fixture
def ds():
    data = xr.Dataset(
        {"concentration": (("wafer", "species", "depth"), VALUES.copy(), {"units": "cm^-3"})},
        {"wafer": ["x", "y"], "species": list("ABC"), "depth": ("depth", Z, {"units": "nm"})},
    )
    return data.assign(concentration_stderr=0.1 * data["concentration"].assign_attrs(units="cm^-3"))


def opened(data):
    return open_frame(data, ("concentration",), question="a test")


def scaled(rows, *factors):
    """Sum the samples of each profile, times factors."""
    total = rows.value.sum(axis=-1)
    for factor in factors:
        total = total * factor
    return Only(total)


def lazy(values, dims="x"):
    return xr.Variable(dims, values).chunk()


def test_what_is_lazy_is_not_computed_to_be_looked_at():
    for values, some, which in (([0, 2], True, {0, 2}), ([0, 0], False, {0})):
        known = xr.Variable("x", values)
        assert (is_lazy(known), is_lazy(known.chunk())) == (False, True)
        assert (anywhere(known > 0), anywhere(known.chunk() > 0)) == (some, False)
        assert (codes(known), codes(known.chunk())) == (which, set())
    assert is_nan(xr.Variable("x", [1.0, np.nan])).values.tolist() == [False, True]


def test_what_is_flagged_is_replaced_and_the_type_stays():
    column = xr.Variable("x", np.array([1, 2, 3], np.uint8))
    flags = xr.Variable("x", [False, True, False])
    found = replaced_where(flags, column, 9)
    assert (found.values.tolist(), found.dtype) == ([1, 9, 3], np.uint8)
    assert column.values.tolist() == [1, 2, 3]
    assert np.isnan(replaced_where(flags, column.astype(np.float32)).values[1])
    assert replaced_where(flags & False, column) is column
    of_none = xr.Variable(("x", "case"), np.zeros((3, 2), bool))
    assert replaced_where(of_none, column, 9).values.tolist() == [[1, 1], [2, 2], [3, 3]]
    later = replaced_where(flags.chunk(), column, 9)
    assert (is_lazy(later), later.values.tolist(), later.dtype) == (True, [1, 9, 3], np.uint8)


@pytest.mark.parametrize("is_it", [False, True])
def test_a_function_of_elements_is_as_lazy_as_they_are(is_it):
    x = lazy([1.0, 4.0]) if is_it else xr.Variable("x", [1.0, 4.0])
    root = elementwise(np.sqrt, x)
    both = elementwise(lambda a, b: (a + b, a - b), x, 1.0, outputs=2)
    assert [is_lazy(one) for one in (root, *both)] == [is_it] * 3
    assert [one.values.tolist() for one in (root, *both)] == [[1, 2], [2, 5], [0, 3]]


@pytest.mark.parametrize("chunks", [None, {"wafer": 1}, {"species": 2}, {"wafer": 1, "species": 1}])
@pytest.mark.parametrize("order", [("wafer", "species"), ("species", "wafer")])
def test_results_have_the_dimensions_of_the_data_then_those_of_the_arguments(ds, chunks, order):
    data = ds.transpose(*order, "depth")
    frame = opened(data if chunks is None else data.chunk(chunks))
    of_species = xr.Variable("species", [1.0, 2.0, 3.0])
    cases = xr.Variable(("case", "wafer"), [[1.0, 10.0], [100.0, 1000.0]])
    cases = cases if chunks is None else cases.chunk(wafer=1)
    found = frame.map(scaled, of_species, cases).value
    assert found.dims == (*order, "case")
    assert is_lazy(found) == (chunks is not None)
    expected = VALUES.sum(2)[..., None] * np.arange(1.0, 4)[:, None] * cases.values.T[:, None]
    np.testing.assert_array_equal(found.transpose("wafer", "species", "case"), expected)


def test_chunks_of_values_and_of_errors_need_not_agree(ds):
    ds["concentration"] = ds["concentration"].chunk(wafer=1)
    ds["concentration_stderr"] = ds["concentration_stderr"].chunk(species=1, depth=2)

    def relative(rows):
        return Only(np.asarray((rows.stderr / np.where(rows.value, rows.value, 1)).max(axis=-1)))

    found = opened(ds).map(relative, errors="each").value
    np.testing.assert_allclose(found, 0.1, rtol=1e-12)


def test_one_lazy_argument_makes_the_answer_lazy(ds):
    found = opened(ds).map(scaled, lazy([1.0, 2.0, 3.0], "species")).value
    assert is_lazy(found)
    np.testing.assert_array_equal(found, VALUES.sum(2) * [1, 2, 3])


def test_profiles_in_several_chunks_are_refused_with_what_to_do(ds):
    with pytest.raises(ProfileError) as told:
        opened(ds.chunk(depth=3)).map(scaled)
    assert str(told.value) == (
        "the data are chunked along 'depth', but profiles must be in one chunk: "
        "rechunk with data.chunk({'depth': -1})"
    )


def test_profiles_that_are_taken_together_are_brought_into_one_chunk(ds):
    def ends(z, c, s, k, weights):
        return [c.sum(), np.dot(weights, c[:, 0])]

    for data in (ds, ds.chunk(species=1, wafer=1)):
        weights = xr.Variable("species", [1.0, 10.0, 100.0])
        found = opened(data).each(ends, weights, size=2, group="species")
        assert (found.dims, is_lazy(found)) == (("wafer", "__row__"), data is not ds)
        expected = np.stack([VALUES.sum((1, 2)), VALUES[:, :, 0] @ [1, 10, 100]], axis=-1)
        np.testing.assert_array_equal(found, expected)


def test_several_fields_are_several_results_also_of_chunks(ds):
    class Ends(NamedTuple):
        first: np.ndarray
        all: np.ndarray

    def both(rows):
        return Ends(rows.value[:, 0], rows.value * 2)

    for data in (ds, ds.chunk(wafer=1)):
        first, every = opened(data).map(both, extra=("sample",))
        assert (first.dims, every.dims) == (("wafer", "species"), ("wafer", "species", "sample"))
        np.testing.assert_array_equal(first, VALUES[..., 0])
        np.testing.assert_array_equal(every, VALUES * 2)


@pytest.mark.parametrize(
    ("rename", "said"),
    [
        ({"wafer": "sample"}, ("the data have", "data")),
        ({}, ("an argument has", "argument")),
    ],
)
def test_dimensions_that_the_answer_needs_are_not_taken(ds, rename, said):
    frame = opened(ds.rename(rename))
    cases = [] if rename else [xr.Variable("sample", [1.0, 2.0])]
    with pytest.raises(ProfileError) as told:
        frame.map(scaled, *cases, extra=("sample",))
    assert str(told.value) == (
        "{} a dimension 'sample', which the answer needs for its own entries: give it another name "
        "with {}.rename(sample=...)".format(*said)
    )


def test_an_infinite_sample_of_a_chunk_is_refused_when_it_is_computed(ds):
    ds["concentration"].values[1, 2, 3] = -np.inf
    found = opened(ds.chunk(wafer=1)).map(scaled).value
    with pytest.raises(ProfileError) as told:
        found.load()
    assert str(told.value) == (
        "a profile of a chunk: concentration[3] is -inf; a sample needs a finite depth and a "
        "finite value (NaN: not measured)"
    )
    own = ds.rename_dims(depth="point").reset_index("depth").isel(wafer=0)
    depth = np.stack([Z, Z, np.where(Z == 1, np.inf, Z)])
    own = own.assign_coords(depth=(("species", "point"), depth, {"units": "nm"}))
    with pytest.raises(ProfileError, match=r"^wafer 'x', species 'C': depth\[1\] is inf; a sample"):
        opened(own.expand_dims("wafer")).map(scaled)


def test_no_profiles_have_no_results(ds):
    none = opened(ds.isel(wafer=[])).each(lambda *_: [1.0], size=1)
    assert none.shape == (0, 3, 1)
    assert opened(ds.isel(species=[])).map(scaled).value.shape == (2, 0)


def test_a_progress_bar_is_of_profiles_that_there_are(ds):
    seen = []

    def watched(profiles):
        seen.append(profiles)
        return iter(profiles)

    for data, expected in (
        (ds, [[(i, j) for i in range(2) for j in range(3)]]),
        (ds.chunk(wafer=1), [[(0, 0), (0, 1), (0, 2)]] * 2),
        (ds.isel(species=[]), []),
    ):
        seen.clear()
        found = opened(data).each(lambda *columns: [columns[1].sum()], size=1, watched=watched)
        found.load()
        assert seen == expected
        np.testing.assert_array_equal(found[..., 0], data["concentration"].sum("depth"))
