"""Rows side by side and rows end to end are worked on in two ways, to the same answers."""

import numpy as np
import pytest
from plain_profiles import realistic

from sims_analysis.kernels import background, moments, propagation, shape
from sims_analysis.kernels.windows import ends, first_two

ROWS = 30


def batch(seed=0):
    depth, value = realistic(ROWS, 240, gaps=0.0, seed=seed)
    value = np.abs(value)
    rng = np.random.default_rng(seed)
    value[3] = value[4] = 0.0
    value[4, 100] = 1e18
    value[5, 50:60] = value[5].max()  # a flat top
    value[6] = np.linspace(1.0, 2.0, 240) * 1e17
    value[7] = value[6][::-1]
    return depth, value, 0.1 * value + rng.uniform(1e12, 1e13, value.shape)


def each(limit):
    """The same limit for every row, which is worked on in the other way."""
    return np.full(ROWS, limit)


def agree(found, wanted, atol=0.0):
    for name, one, other in zip(found._fields, found, wanted, strict=True):
        scale = atol if name in ("skewness", "skewness_stderr") else 0.0
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=scale, err_msg=name)


@pytest.mark.parametrize("threshold", [np.nan, 0.01, 0.5, 0.999, 1.5])
@pytest.mark.parametrize("window", [None, (400.0, 550.0), (120.0, 300.0)])
@pytest.mark.parametrize(
    "limits", [(np.nan, np.nan), (60.3, 420.0), (700.0, 800.0), (100.0, 101.0)]
)
def test_moments(threshold, window, limits):
    depth, value, stderr = batch()
    around = None if window is None else tuple(each(end) for end in window)
    level = 0.0 if window is None else 1e14
    found = moments.moments(depth, value, stderr, *limits, level, threshold, window, relative=True)
    wanted = moments.moments(
        depth, value, stderr, *map(each, limits), level, threshold, around, relative=True
    )
    agree(found, wanted, atol=1e-11)
    bare = moments.moments(depth, value, None, *limits, level, threshold, relative=True)
    for name in ("projected_range", "straggle", "kurtosis", "status"):
        np.testing.assert_array_equal(getattr(bare, name), getattr(found, name))


@pytest.mark.parametrize("limits", [(np.nan, np.nan), (60.3, 420.0), (700.0, 800.0)])
@pytest.mark.parametrize("window", [(400.0, 550.0), (120.0, 300.0), (900.0, 950.0)])
@pytest.mark.parametrize("gaps", [False, True])
def test_errors_of_integrals(limits, window, gaps):
    depth, value, stderr = batch(1)
    if gaps:
        value[::4, 30:35] = np.nan
    stderr[8, 70] = stderr[9, 1] = np.nan
    found = background.variance_above(depth, value, stderr, *limits, window)
    wanted = background.variance_above(
        depth, value, stderr, *map(each, limits), tuple(map(each, window))
    )
    np.testing.assert_allclose(found, wanted, rtol=1e-12)
    found = propagation.variance(depth, value, stderr, *limits)
    wanted = propagation.variance(depth, value, stderr, *map(each, limits))
    np.testing.assert_allclose(found, wanted, rtol=1e-12)


def test_a_window_of_each_row_and_one_for_all():
    depth, value, stderr = batch(2)
    value[2, 100:110] = np.nan
    for limits in ((np.nan, np.nan), (60.3, 420.0), (depth[5], depth[9]), (1e3, 2e3)):
        own = np.broadcast_to(depth, value.shape).copy()
        for question in (
            lambda z, *window: shape.peak(z, value, stderr, *window),
            lambda z, *window: shape.window_statistics(z, value, *window),
        ):
            one = question(depth, *limits)
            for other in (question(depth, *map(each, limits)), question(own, *limits)):
                for mine, theirs in zip(one, other, strict=True):
                    np.testing.assert_array_equal(mine, theirs)


def test_ends_and_the_first_two_samples():
    depth = np.arange(6.0)
    nan = np.nan
    value = np.array(
        [
            [1, 2, 3, 4, 5, 6],
            [nan, 2, nan, 4, 5, nan],
            [nan] * 6,
            [nan, nan, 1, nan, nan, nan],
            [1, nan, nan, nan, nan, 2],
        ]
    )
    for axis in (depth, np.broadcast_to(depth, value.shape)):
        first, last = ends(axis, value)
        np.testing.assert_array_equal(first, [0, 1, nan, 2, 0])
        np.testing.assert_array_equal(last, [5, 4, nan, 2, 5])
        at, after, column = first_two(axis, value)
        np.testing.assert_array_equal(at, first)
        np.testing.assert_array_equal(after, [1, 3, nan, nan, 5])
        np.testing.assert_array_equal(column, [0, 1, -1, 2, 0])
    at, after, column = first_two(depth[:1], value[:, :1])
    np.testing.assert_array_equal(at, [0, nan, nan, nan, 0])
    assert np.isnan(after).all()
    assert all(np.isnan(end).all() for end in ends(depth[:0], value[:, :0]))
