"""The search for crossings against a plain loop; where they lie against closed forms."""

import itertools
import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from plain_profiles import batches, samples

from sims_analysis.kernels import crossings as kernels
from sims_analysis.kernels.rows import Dense, Packed, Status


@settings(max_examples=80)
@given(batch=batches(), data=st.data())
def test_find_with_a_level_at_every_sample(batch, data):
    depth, value = batch
    parts = [samples(depth, value, row) for row in range(len(value))]
    start = np.cumsum([0, *(z.size for z, _ in parts)])
    rows = Packed(*map(np.concatenate, zip(*parts, strict=True)), start=start)
    n = rows.value.size
    level = np.array(
        data.draw(st.lists(st.sampled_from([1e18, 2e18, 1e15]), min_size=n, max_size=n))
    )
    found = kernels.find(rows, level)
    wanted = []
    for row in range(rows.count):
        here = range(rows.start[row], rows.start[row + 1])
        off = [i for i in here if rows.value[i] != level[i]]
        wanted += [
            (row, p, q)
            for p, q in itertools.pairwise(off)
            if (rows.value[p] > level[p]) != (rows.value[q] > level[q])
        ]
    assert list(zip(found.row, found.before, found.after, strict=True)) == wanted
    if depth.ndim == 1 and n == value.size:
        dense, levels = Dense(depth, value), level.reshape(value.shape)
        for one, other in zip(found, kernels.find(dense, levels), strict=True):
            np.testing.assert_array_equal(one, other)
        for one, other in zip(
            kernels.locate(rows, level, found), kernels.locate(dense, levels, found), strict=True
        ):
            np.testing.assert_array_equal(one, other)


def test_two_profiles_cross_where_their_ratio_is_one():
    # exp(-z / 4) against 0.1 exp(-z / 9): at ln(10) / (1/4 - 1/9), on any grid.
    z = np.arange(0.0, 40.0, 3.0)
    rows, level = Dense(z, np.exp(-z / 4)[None]), 0.1 * np.exp(-z / 9)[None]
    found = kernels.find(rows, level)
    at = kernels.locate(rows, level, found)
    np.testing.assert_allclose(at.depth, math.log(10) / (1 / 4 - 1 / 9), rtol=1e-13)
    np.testing.assert_allclose(at.decay_length, 1 / (1 / 4 - 1 / 9), rtol=1e-13)
    assert found.falling.tolist() == [True]


def test_where_a_level_is_not_positive_the_straight_line():
    rows = Dense(np.arange(3.0), np.array([[3.0, 1.0, -3.0]]))
    found = kernels.find(rows, np.zeros((1, 3)))
    at = kernels.locate(rows, np.zeros((1, 3)), found)
    assert at.depth.tolist() == [1.25]
    assert np.isnan(at.decay_length).all()


def test_the_first_of_the_highest():
    rows = Packed(np.arange(7.0), np.array([1, 3, 3, 2, 5, 4, 5.0]), start=np.array([0, 4, 4, 7]))
    row, position = kernels.highest(rows)
    assert (row.tolist(), position.tolist()) == ([0, 2], [1, 4])


def test_why_there_is_no_crossing():
    rows = Packed(np.arange(6.0), np.array([1, 1, 3, 3, 1, 3.0]), start=np.array([0, 2, 4, 6, 6]))
    asked = np.ones(4, dtype=bool)
    why = kernels.why_none(rows, np.full(4, 2.0), None, asked)
    wanted = [Status.NEVER_REACHED, Status.ALWAYS_ABOVE, Status.TRUNCATED, Status.NO_DATA]
    assert why.tolist() == wanted
    beyond = kernels.why_none(rows, np.full(4, 2.0), np.array([0, 9, 5, 0.0]), asked)
    wanted = [Status.NEVER_REACHED, Status.NO_DATA, Status.ALWAYS_ABOVE, Status.NO_DATA]
    assert beyond.tolist() == wanted
