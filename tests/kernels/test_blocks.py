"""Kernels run block by block over arrays: shapes, cases, groups, errors, and no profiles."""

import numpy as np
import pytest
from plain_profiles import run

from sims_analysis.kernels.blocks import ALL, BLOCK, InfiniteSampleError
from sims_analysis.kernels.dose import integrate
from sims_analysis.kernels.interpolation import interpolate


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
