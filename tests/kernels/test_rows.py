"""Rows in both layouts agree with a loop over plain profiles."""

import math

import numpy as np
import pytest
from hypothesis import given
from plain_profiles import batches, columns, samples

from sims_analysis.kernels.blocks import layouts
from sims_analysis.kernels.rows import (
    Dense,
    dot_rows,
)


def laid_out(depth, value, stderr=None):
    """All rows of a batch, one after the other, as (which, rows)."""
    found = layouts(columns(depth, value, stderr=stderr))
    return [(np.arange(len(value))[index], rows) for index, rows in found]


@given(batch=batches())
def test_exactly_the_measured_samples_are_kept(batch):
    depth, value = batch
    seen = []
    for which, rows in laid_out(depth, value, stderr=np.abs(value)):
        packed = rows.packed()
        for place, row in enumerate(which):
            z, c = samples(depth, value, row)
            own = slice(packed.offsets[place], packed.offsets[place + 1])
            np.testing.assert_array_equal(packed.depth[own], z)
            np.testing.assert_array_equal(packed.value[own], c)
            np.testing.assert_array_equal(packed.stderr[own], np.abs(c))
        seen += which.tolist()
        assert isinstance(rows, Dense) == (depth.ndim == 1 and not np.isnan(value[which]).any())
    assert sorted(seen) == list(range(len(value)))


@pytest.mark.parametrize("n", [8191, 8192, 8193, 20_000])
def test_sums_of_long_rows_are_those_of_each_alone(n):
    value, weights = np.random.default_rng(n).normal(size=(2, 3, n))
    for by in (weights, weights[0]):
        found = dot_rows(value, by)
        for row, c in enumerate(value):
            w = np.broadcast_to(by, value.shape)[row]
            assert found[row] == pytest.approx(math.fsum(c * w), rel=1e-10, abs=1e-9)
            assert dot_rows(value[row : row + 1], w)[0] == found[row]
