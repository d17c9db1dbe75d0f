"""Kernels run block by block over arrays: shapes, cases, groups, errors, and no profiles."""

from typing import NamedTuple

import numpy as np
import pytest
from plain_profiles import columns, run

from sims_analysis.kernels.blocks import ALL, BLOCK, InfiniteSampleError, layouts
from sims_analysis.kernels.dose import integrate
from sims_analysis.kernels.interpolation import interpolate


class Sums(NamedTuple):
    total: np.ndarray
    pairs: np.ndarray


def sums(rows, factor, *, power=1):
    total = rows.sum(rows.value) * factor**power
    return Sums(total, np.stack([total, factor], axis=-1))


def errors(rows):
    return Sums(rows.sum(rows.stderr), np.zeros((rows.count, 2)))


def together(rows, factor):
    return Sums(rows.sum(rows.value).reshape(-1, 2).sum(axis=1), np.zeros((rows.count // 2, 2)))


Z = np.arange(4.0)
VALUE = np.arange(24.0).reshape(3, 2, 4)


@pytest.mark.parametrize("dtype", ["f2", ">f4", "f8", "i2", "?"])
@pytest.mark.parametrize(
    "laid", [np.asfortranarray, lambda v: v[::-1, ::-1], lambda v: np.broadcast_to(v[3], v.shape)]
)
def test_kernels_get_contiguous_doubles_of_any_array(dtype, laid):
    def checked(rows, factor):
        assert rows.value.dtype == np.float64
        assert rows.value.flags.c_contiguous
        return sums(rows, factor)

    value = np.random.default_rng(2).integers(0, 1500, (9, 4)).astype(dtype)
    if value.dtype.kind == "f":
        value[[1, 3, 8], [0, 2, 3]] = np.nan
    value = laid(value)
    found = run(checked, Z, value, np.array(1.0)).total
    np.testing.assert_array_equal(found, np.nansum(value.astype(float), axis=1))


def test_errors_for_sums_and_for_fits():
    stderr = np.full((2, 4), 2.0)
    counts = np.array([[0.0, 1, 1, 1], [1, 1, 1, 1]])
    value, share = np.ones((2, 4)), np.array([1.0, 0.25])
    alone = run(errors, Z, value, stderr=stderr).total
    summed = run(errors, Z, value, stderr=stderr, counts=counts, fraction=share, errors="sum").total
    assert alone.tolist() == [8.0, 8.0]
    assert summed.tolist() == [6.0, 16.0]


def test_a_kernel_that_sees_gaps_answers_the_same_as_others():
    # Its complete rows are not taken apart, and the others are asked again as they are.
    rng = np.random.default_rng(4)
    value = rng.lognormal(0.0, 3.0, (50, 40))
    value[::3, 7] = np.nan
    value[1, :] = np.nan
    value[4, 1:] = np.nan
    depth, limits = np.sort(rng.uniform(0, 100, 40)), (np.array(11.0), np.array(83.0))
    plain, once = (run(integrate, depth, value, *limits, sees_gaps=sees) for sees in (False, True))
    for one, other in zip(plain, once, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.isnan(once.value).sum() == 2
    value[9, 5] = -np.inf
    with pytest.raises(InfiniteSampleError) as caught:
        run(integrate, depth, value, *limits, sees_gaps=True)
    assert (caught.value.row, caught.value.sample) == (9, 5)


@pytest.mark.parametrize("of", ["depth", "value"])
def test_an_infinity_is_refused_by_row_and_sample(of):
    depth, value = np.tile(Z, (3, 1)), np.ones((3, 4))
    {"depth": depth, "value": value}[of][2, 3] = np.inf
    with pytest.raises(InfiniteSampleError) as refused:
        list(layouts(columns(depth, value)))
    assert refused.value.args == (2, 3, of, np.inf)


def test_numbers_whose_sum_is_infinite_are_finite():
    value = np.array([[1e308, 1.0, np.nan, 1.0], [1e308, 2.0, 3.0, 4.0]])
    found = run(sums, np.stack([Z, Z]), value, np.array(1.0))
    np.testing.assert_array_equal(found.total, [1e308, 1e308])
    value[1, 1:3] = np.inf, -np.inf
    with pytest.raises(InfiniteSampleError) as refused:
        run(sums, np.stack([Z, Z]), value, np.array(1.0))
    assert (refused.value.row, refused.value.sample) == (1, 1)


def test_padded_rows_are_packed_as_others_are():
    # Rows that end early are cut out whole; a gap in one of them lets all be taken one by one.
    rng = np.random.default_rng(6)
    value, depth = rng.uniform(1, 2, (6, 5)), np.sort(rng.uniform(0, 9, (6, 5)))
    for row, n in enumerate((5, 0, 3, 5, 1, 4)):
        value[row, n:] = np.nan
    for gap in (False, True):
        value[3, 1] = np.nan if gap else value[3, 1]
        ((_, rows),) = layouts(columns(depth, value))
        known = ~np.isnan(value)
        np.testing.assert_array_equal(rows.value, value[known])
        np.testing.assert_array_equal(rows.depth, depth[known])
        np.testing.assert_array_equal(rows.size, known.sum(axis=1))
        np.testing.assert_array_equal(rows.unpacked(rows.value), value)
        value[5, 2] = np.inf
        with pytest.raises(InfiniteSampleError) as refused:
            list(layouts(columns(depth, value)))
        assert refused.value.args[:2] == (5, 2)
        value[5, 2] = 1.5


@pytest.mark.parametrize("gaps", [0, 1, 700])
def test_a_kernel_that_takes_rows_in_parts_answers_the_same(gaps):
    # More rows than one block holds, and depths beyond the record at either end.
    rng = np.random.default_rng(7)
    value = rng.lognormal(0.0, 3.0, (700, 1000))
    value[:gaps][rng.random((gaps, 1000)) < 0.05] = np.nan
    value[300, 40] = 0.0
    depth, at = np.arange(1000.0), np.linspace(-1.0, 1000.0, 1144)
    each, once = (
        run(interpolate, depth, value, at, whole=[1], block=block) for block in (BLOCK, ALL)
    )
    for one, other in zip(each, once, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.flatnonzero(once.n_linear_segments).tolist() == [300]
    for row in (300, 650):
        alone = run(interpolate, depth, value[row : row + 1], at, whole=[1])
        np.testing.assert_array_equal(alone.value[0], once.value[row])
        assert alone.n_linear_segments[0] == once.n_linear_segments[row]
