"""What a restoring starts from: counts behind values, cells of samples and of what is restored."""

from dataclasses import replace

import numpy as np
import pytest

from sims_analysis.kernels.samples import Samples
from sims_analysis.restoring.inverse_problem import NotRestoredError, inverse_problem
from sims_analysis.restoring.resolution_function import ResolutionFunction

N = 12
DEPTHS = np.arange(float(N))
GAUSSIAN = ResolutionFunction("delta_drf", (0.0, 0.0, 1.5))


def samples(z, c, k=np.nan):
    c = np.broadcast_to(c, z.shape)
    s, k = (np.full(z.size, np.nan), np.broadcast_to(k, z.shape))
    return Samples(z, c, s, k, *np.zeros((2, z.size)))


PLAIN = samples(DEPTHS, 90.0, 100.0)


def pose(one=PLAIN, here=None, function=GAUSSIAN, kind="level", parts=1, **settings):
    here = np.arange(one.z.size) if here is None else here
    with np.errstate(all="ignore"):
        return inverse_problem(
            one, here, {"background": 0.0, "fraction": 1.0} | settings, function, kind, parts
        )


@pytest.mark.slow
def test_without_counts_and_errors_the_scatter_says_what_a_count_is_worth():
    k = np.random.default_rng(1).poisson(400 + 200 * np.sin(np.arange(1000) / 75)).astype(float)
    c = np.array([*k / 1000, 0.0, -1.0])
    found = pose(samples(2.0 * np.arange(c.size), c))
    assert found.source == "scatter"
    np.testing.assert_allclose(found.misfit.counts, [*k, 0.0, 0.0], rtol=0.2)
    # A line has no scatter: so many counts as are ever taken.
    even = pose(samples(DEPTHS, np.arange(1.0, N + 1)))
    assert even.misfit.counts.max() == pytest.approx(1e6)


# --- profiles that are not restored ----------------------------------------------------------


def why(*given, **options):
    with pytest.raises(NotRestoredError) as end:
        pose(*given, **options)
    return str(end.value)


def test_a_profile_that_is_not_restored_has_a_reason():
    unknown = ResolutionFunction("delta_drf", (0.0, np.nan, 1.5))
    assert why(function=unknown) == "resolution_unknown"
    assert why(here=np.arange(0)) == "no_data"
    assert why(background=np.nan) == "no_data"
    assert why(here=np.arange(4)) == "too_few_samples"
    assert why(replace(PLAIN, c=np.zeros(N))) == "too_few_counts"
    assert why(replace(PLAIN, c=-PLAIN.c)) == "too_few_counts"
    assert why(replace(PLAIN, k=np.where(DEPTHS < 4, 100.0, np.nan))) == "too_few_samples"
    assert why(replace(PLAIN, k=np.zeros(N))) == "too_few_counts"
    assert pose(here=np.arange(5)).z.size == 5
    assert pose(replace(PLAIN, k=np.where(DEPTHS < 5, 100.0, np.nan))).z.size == 5


@pytest.mark.parametrize(("each", "enough"), [(7.0, True), (6.6, False)])
def test_twenty_counts_within_the_width_of_the_function_are_enough(each, enough):
    """Three samples lie within 3.53 nm about one."""
    few = replace(PLAIN, k=np.full(N, each))
    if enough:
        assert pose(few).counts_about(0.5 * GAUSSIAN.fwhm)[0][5] == 3 * each
    else:
        assert why(few) == "too_few_counts"


# --- cells ------------------------------------------------------------------------------------


def test_gaps_are_filled_with_cells_and_ends_with_what_the_function_reaches():
    z = np.array([0.0, 1, 2, 3, 8, 9, 10, 11])
    function = ResolutionFunction("delta_drf", (1.0, 4.0, 0.5))
    middles = pose(samples(z, 90.0, 100.0), function=function).x
    leading, trailing = function.within(1e-3)
    assert trailing > 3 * -leading
    # Atoms from above are seen as deep as the trailing edge reaches, those below as the leading.
    assert middles[0] <= z[0] - trailing < middles[1] + 1e-9
    assert middles[-1] >= z[-1] - leading > middles[-2] - 1e-9
    between = middles[(middles > 3.001) & (middles < 7.999)]
    assert between.size > 3
    np.testing.assert_allclose(np.diff(between), np.diff(between)[0])


def test_what_a_sample_sees_of_each_cell_is_all_of_what_arrives():
    function = ResolutionFunction("delta_drf", (0.8, 1.7, 1.1))
    found = pose(function=function)
    seen, x = found.response.matrix, found.x
    edges = np.concatenate([x - 0.5 * found.h, x[-1:] + 0.5 * found.h[-1:]])
    assert seen.shape == (N, x.size)
    np.testing.assert_allclose(seen.sum(axis=1), 1.0)
    for i in (1, 4):
        fine = np.linspace(edges[20], edges[21], 2001)
        expected = np.trapezoid(function.density(DEPTHS[i] - fine), fine)
        assert seen[i, 20] == pytest.approx(expected, rel=1e-6)
        # What lies beyond the outermost is as these.
        assert seen[i, 0] == pytest.approx(1 - function.cumulative(DEPTHS[i] - edges[1:2])[0])
        assert seen[i, -1] == pytest.approx(function.cumulative(DEPTHS[i] - edges[-2:-1])[0])


def test_a_mean_over_depths_sees_the_mean_of_what_each_of_them_sees():
    function = ResolutionFunction("delta_drf", (0.8, 1.7, 1.1))
    mean = pose(replace(PLAIN, lower=DEPTHS - 0.5, upper=DEPTHS + 0.5), function=function)
    middle = 0.5 * (mean.x[1:] + mean.x[:-1])
    places = DEPTHS[4] - 0.5 + (np.arange(1000) + 0.5) / 1000
    passed = np.mean([function.cumulative(place - middle) for place in places], axis=0)
    np.testing.assert_allclose(mean.response.matrix[4, 1:-1], -np.diff(passed), atol=1e-6)
