"""What a restoring starts from: counts behind values, cells of samples and of what is restored."""

from dataclasses import replace

import numpy as np
import pytest

from sims_analysis.kernels.samples import Samples
from sims_analysis.restoring import inverse_problem as _problem
from sims_analysis.restoring.resolution_function import ResolutionFunction


def samples(c, s=np.nan, k=np.nan):
    c = np.asarray(c, dtype=float)
    z, s, k = np.arange(c.size) * 2.0, *(np.broadcast_to(one, c.shape) for one in (s, k))
    return Samples(z, c, s, k, np.zeros(c.size), np.zeros(c.size))


def test_without_either_the_scatter_says_what_a_count_is_worth():
    k = np.random.default_rng(1).poisson(400 + 200 * np.sin(np.arange(4000) / 300)).astype(float)
    found, source = _problem._with_counts(samples([*k / 1000, 0.0, -1.0]), "level", 1000.0)
    assert source == "scatter"
    np.testing.assert_allclose(found.k[:-2], k, rtol=0.05)
    np.testing.assert_array_equal(found.k[-2:], 0)
    np.testing.assert_allclose(found.s, np.sqrt(found.k) * (k / 1000 / found.k[:-2])[0])
    # A line has no scatter: so many counts as are ever taken.
    even = _problem._count_by_scatter(np.arange(5.0), np.arange(1.0, 6.0))
    assert even == 1e-6
    assert _problem._count_by_scatter(np.arange(5.0), np.zeros(5)) == 1e-6


# --- profiles that are not restored ----------------------------------------------------------

N = 12
DEPTHS = np.arange(float(N))
GAUSSIAN = ResolutionFunction("delta_drf", (0.0, 0.0, 1.5))
PLAIN = Samples(DEPTHS, *np.full((3, N), [[90.0], [9.0], [100.0]]), *np.zeros((2, N)))


def pose(one=PLAIN, here=None, function=GAUSSIAN, kind="level", parts=1, **settings):
    here = np.arange(one.z.size) if here is None else here
    with np.errstate(all="ignore"):
        return _problem.inverse_problem(
            one, here, {"background": 0.0, "fraction": 1.0} | settings, function, kind, parts
        )


def why(*given, **options):
    with pytest.raises(_problem.NotRestoredError) as end:
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
    edges = _problem._edges(z, function)
    middles = 0.5 * (edges[1:] + edges[:-1])
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
    z, edges = np.array([1.0, 4.0]), np.linspace(-3.0, 9.0, 13)
    seen = _problem._matrix([(z, 1.0)], edges, function)
    assert seen.shape == (2, 12)
    np.testing.assert_allclose(seen.sum(axis=1), 1.0)
    for i in (0, 1):
        fine = np.linspace(edges[4], edges[5], 2001)
        expected = np.trapezoid(function.density(z[i] - fine), fine)
        assert seen[i, 4] == pytest.approx(expected, rel=1e-6)
        # What lies beyond the outermost is as these.
        assert seen[i, 0] == pytest.approx(1 - function.cumulative(z[i] - edges[1:2])[0])
        assert seen[i, -1] == pytest.approx(function.cumulative(z[i] - edges[-2:-1])[0])
    both = _problem._matrix([(z, 0.25), (z + 1, 0.75)], edges, function)
    other = _problem._matrix([(z + 1, 1.0)], edges, function)
    np.testing.assert_allclose(both[:, 1:-1], (0.25 * seen + 0.75 * other)[:, 1:-1])
