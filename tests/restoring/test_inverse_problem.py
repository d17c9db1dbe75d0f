"""What a restoring starts from: counts behind values, cells of samples and of what is restored."""

from dataclasses import replace

import numpy as np
import pytest

from sims_analysis.kernels.samples import Samples
from sims_analysis.restoring import inverse_problem as _problem
from sims_analysis.restoring.resolution_function import ResolutionFunction
from sims_analysis.shapes.start_values import fall_length


def samples(c, s=np.nan, k=np.nan):
    c = np.asarray(c, dtype=float)
    z, s, k = np.arange(c.size) * 2.0, *(np.broadcast_to(one, c.shape) for one in (s, k))
    return Samples(z, c, s, k, np.zeros(c.size), np.zeros(c.size))


def test_stated_counts_come_first_then_whole_values():
    stated = samples([0.5, 1.0], 0.1, [20.0, np.nan])
    found, source = _problem._counted(stated, "count", 4.0)
    assert (found, source) == (stated, "counts")
    found, source = _problem._counted(samples([0.5, 1.0, 0.25]), "count", 4.0)
    np.testing.assert_array_equal(found.k, [2, 4, 1])
    assert source == "counts"
    # Neither fractions of counts nor whole numbers of another unit are counts.
    assert _problem._counted(samples([0.5, 1.0, 0.3], 0.1), "count", 4.0)[1] == "standard errors"
    assert _problem._counted(samples([0.5, 1.0, 0.25], 0.1), "level", 4.0)[1] == "standard errors"


def test_a_standard_error_is_that_of_so_many_counts_and_nothing_is_none():
    c, s = [1.0, 0.5, 0.0, 0.0, -0.1, 0.5, 0.5], [0.1, 0.1, 0.1, 0.0, 0.1, 0.0, np.nan]
    found, source = _problem._counted(samples(c, s), "level", 1.0)
    assert source == "standard errors"
    np.testing.assert_allclose(found.k, [100, 25, 0, 0, 0, np.nan, np.nan])
    assert _problem._counted(samples([1.0, 0.5, 1.0], 0.0), "level", 1.0)[1] == "scatter"


def test_without_either_the_scatter_says_what_a_count_is_worth():
    k = np.random.default_rng(1).poisson(400 + 200 * np.sin(np.arange(4000) / 300)).astype(float)
    found, source = _problem._counted(samples([*k / 1000, 0.0, -1.0]), "level", 1000.0)
    assert source == "scatter"
    np.testing.assert_allclose(found.k[:-2], k, rtol=0.05)
    np.testing.assert_array_equal(found.k[-2:], 0)
    np.testing.assert_allclose(found.s, np.sqrt(found.k) * (k / 1000 / found.k[:-2])[0])
    # A line has no scatter: so many counts as are ever taken.
    even = _problem._count_by_scatter(np.arange(5.0), np.arange(1.0, 6.0))
    assert even == 1 / _problem._MOST_COUNTS
    assert _problem._count_by_scatter(np.arange(5.0), np.zeros(5)) == 1 / _problem._MOST_COUNTS


def test_one_sample_that_is_off_is_worth_the_square_of_how_far():
    z, c = np.array([0.0, 1.0, 4.0]), np.array([3.0, 5.0, 6.0])
    part, between = 1 / 4, 3 * 3 / 4 + 6 / 4
    off = (5 - between) ** 2 / ((1 + part**2 + (1 - part) ** 2) * 14 / 3)
    assert _problem._count_by_scatter(z, c) == pytest.approx(off / 0.455)


def test_depths_between_others_have_the_weights_of_a_mean():
    at = _problem._within(np.array([0.0, 2.0]), np.array([1.0, 6.0]))
    assert sum(weight for _, weight in at) == pytest.approx(1)
    assert all(((z >= [0, 2]) & (z <= [1, 6])).all() for z, _ in at)
    np.testing.assert_allclose(sum(weight * z**2 for z, weight in at), [1 / 3, 208 / 12])


def test_a_profile_falls_from_its_first_sample_on():
    z = 10 + 2 * np.arange(8.0)
    assert fall_length(z, np.array([8, 6, 4, 1.9, 1, 1, 1, 1])) == 6
    assert fall_length(z, np.array([8, 6, 4, 1.9, 1, 1, 1, 1]), 0.75 + 1e-9) == 2
    assert fall_length(z, np.full(8, 8.0)) == 14
    assert fall_length(z, np.array([8, 6, 4, 2.0, 2, 2, 2, 2])) == 14


def test_samples_are_points_or_means_over_the_cells_that_are_stated():
    z = np.array([0.0, 1, 2, 3, 4, 5, 15, 16, 17, 18, 19, 20])
    function = ResolutionFunction("delta_drf", (0.0, 0.0, 1.5))
    plain = Samples(z, *np.full((3, 12), [[90.0], [9.0], [100.0]]), *np.zeros((2, 12)))
    stated = replace(plain, lower=z - 0.3, upper=z + 0.4)
    edges, width = _problem._edges(z, function), np.array([1.0] * 5 + [3.0] * 2 + [1.0] * 5)

    def asked(one):
        found = _problem.inverse_problem(
            one, np.arange(12), {"background": 9, "fraction": 1}, function, "level"
        )
        np.testing.assert_allclose(found.mean.sum(axis=1), 1)
        np.testing.assert_allclose(found.x, 0.5 * (edges[1:] + edges[:-1]))
        assert (found.top, found.offset, found.source) == (90, 0.1, "counts")
        return found

    # A cell ends 2.5 spacings away where samples are missing.
    for one in (plain, replace(stated, lower=np.where(z == 3, np.nan, stated.lower))):
        found = asked(one)
        np.testing.assert_allclose(found.width, width)
        expected = _problem._matrix([(z, 1.0)], edges, function)
        np.testing.assert_allclose(found.response.matrix, expected, atol=1e-15)
    found = asked(stated)
    np.testing.assert_allclose(found.width, 0.7)
    expected = _problem._matrix(_problem._within(z - 0.3, z + 0.4), edges, function)
    np.testing.assert_allclose(found.response.matrix, expected, atol=1e-15)


# --- what is sought, and what is not ----------------------------------------------------------

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


def test_a_window_is_as_wide_as_the_function():
    assert GAUSSIAN.fwhm == pytest.approx(2.3548 * 1.5, rel=1e-3)
    for spacing, enough in ((0.90, True), (0.87, False)):  # times four
        five = replace(PLAIN, z=DEPTHS * spacing)
        if enough:
            assert pose(five, np.arange(5)).fwhm == GAUSSIAN.fwhm
        else:
            assert why(five, np.arange(5)) == "too_few_samples"


@pytest.mark.parametrize(("each", "enough"), [(7.0, True), (6.6, False)])
def test_twenty_counts_within_the_width_of_the_function_are_enough(each, enough):
    """Three samples lie within 3.53 nm about one."""
    few = replace(PLAIN, k=np.full(N, each))
    if enough:
        assert pose(few).counts_about(DEPTHS[5:6], 0.5 * GAUSSIAN.fwhm) == 3 * each
    else:
        assert why(few) == "too_few_counts"


def test_counts_and_samples_about_a_depth_are_those_as_near_as_the_reach():
    k = np.arange(1.0, N + 1)
    one = pose(replace(PLAIN, k=20 * k))
    for reach in (0.0, 1.0, 2.5):
        near = [np.abs(DEPTHS - z) <= reach for z in (0.0, 4.0, 5.5, 30.0)]
        z = np.array([0.0, 4.0, 5.5, 30.0])
        np.testing.assert_array_equal(one.samples_about(z, reach), [n.sum() for n in near])
        np.testing.assert_allclose(one.counts_about(z, reach), [20 * k[n].sum() for n in near])


def test_samples_are_in_units_of_the_largest_with_what_was_subtracted():
    c = np.where(DEPTHS == 3, 180.0, 90.0)
    k = np.where(DEPTHS == 3, 200.0, 100.0)
    one = replace(PLAIN, c=c, k=k, s=0.9 * np.sqrt(k), common=np.full(N, 1.8),
                  overlap=np.full(N, 0.2))  # fmt: skip
    found = pose(one, background=18.0)
    assert (found.top, found.offset, found.source) == (180.0, 0.1, "counts")
    np.testing.assert_allclose(found.common, 0.01)
    np.testing.assert_allclose(found.overlap, 0.2)
    np.testing.assert_allclose(found.misfit.one, 0.005)
    np.testing.assert_allclose(found.misfit.counts, k)
    np.testing.assert_array_equal(found.here, np.arange(N))


def test_a_count_of_data_in_counts_is_one_of_them():
    whole = replace(PLAIN, c=PLAIN.k, k=np.full(N, np.nan), s=np.full(N, np.nan))
    found = pose(whole, kind="count")
    np.testing.assert_allclose(found.misfit.one, 0.01)
    assert found.source == "counts"
    np.testing.assert_allclose(found.misfit.counts, 100.0)
    stated = pose(replace(whole, s=np.full(N, 5.0), c=np.full(N, 99.5)), kind="count")
    assert stated.source == "standard errors"
    np.testing.assert_allclose(stated.misfit.counts, (99.5 / 5) ** 2)
    np.testing.assert_allclose(stated.misfit.one, (5 / 99.5) ** 2)


def test_samples_that_share_what_they_are_made_of_count_as_so_many_fewer():
    shared = pose(fraction=0.5)
    assert shared.misfit.share == pytest.approx(0.5)
    np.testing.assert_array_equal(shared.misfit.counts, 100.0)


def test_samples_without_a_count_are_left_out_and_the_others_keep_their_places():
    k = np.where(DEPTHS == 5, np.nan, 100.0)
    found = pose(replace(PLAIN, k=k), here=np.arange(2, N))
    np.testing.assert_array_equal(found.here, [2, 3, 4, 6, 7, 8, 9, 10, 11])
    np.testing.assert_array_equal(found.z, DEPTHS[found.here])


# --- cells ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("spacing", "sigma", "times"),
    [(1.0, 1.5, 1), (1.0, 0.2, 1), (1.0, 9.0, 1), (0.2, 2.0, 1), (1.0, 1.5, 2), (2.0, 1.5, 1)],
)
def test_cells_are_as_fine_as_the_function_and_the_samples_ask(spacing, sigma, times):
    function = ResolutionFunction("delta_drf", (0.0, 0.0, sigma))
    z = np.arange(20) * spacing
    edges = _problem._edges(z, function, times)
    middles = 0.5 * (edges[1:] + edges[:-1])
    assert (np.diff(edges) > 0).all()
    inside = (middles > z[0] - 1e-9) & (middles < z[-1] + 1e-9)
    # A quarter of the function's width at most, not finer than a quarter of the spacing, and not
    # wider than 1.5 spacings.
    most = min(1.5 * spacing, max(0.25 * function.fwhm, spacing / 4))
    parts = times * int(np.ceil(spacing / most - 1e-6))
    assert inside.sum() == 19 * parts + 1
    np.testing.assert_allclose(np.diff(middles[inside]), spacing / parts)
    # Every sample is the middle of a cell.
    assert all(np.abs(middles - one).min() < 1e-9 for one in z)


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


def test_there_are_two_cells_beyond_an_end_and_no_more_than_two_hundred():
    z = np.arange(0.0, 20.0)
    narrow = _problem._edges(z, ResolutionFunction("delta_drf", (0.0, 0.0, 0.01)))
    middles = 0.5 * (narrow[1:] + narrow[:-1])
    np.testing.assert_allclose(middles[:3], [-0.5, -0.25, 0.0], atol=1e-9)
    np.testing.assert_allclose(middles[-3:], [19.0, 19.25, 19.5])
    for widths in ((0.0, 90.0, 1.0), (90.0, 0.0, 1.0)):
        edges = _problem._edges(z, ResolutionFunction("delta_drf", widths))
        assert 190 < edges.size < 260


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


def test_the_mean_over_a_sample_is_of_the_cells_that_it_covers():
    edges = np.array([0.0, 1, 2, 4, 5])
    found = _problem._overlap(np.array([0.5, 1.0, 3.0]), np.array([2.5, 2.0, 5.0]), edges)
    expected = [[0.25, 0.5, 0.25, 0], [0, 1, 0, 0], [0, 0, 0.5, 0.5]]
    np.testing.assert_allclose(found, expected)


def test_cells_have_their_widths():
    x = np.array([0.0, 1.0, 2.0, 4.0, 6.0])
    one = replace(pose(), x=x)
    np.testing.assert_allclose(one.h, [1.0, 1.0, 1.5, 2.0, 2.0])


def test_cells_beyond_an_end_are_as_those_beside_it():
    z = np.array([0.0, 0.5, 1.5, 2.5, 3.5, 5.0])
    edges = _problem._edges(z, ResolutionFunction("delta_drf", (0.0, 0.0, 2.0)))
    widths = np.diff(edges)
    # Half a nm to the next sample is one cell, the last one and a half nm are two.
    np.testing.assert_allclose(widths[:5], 0.5)
    np.testing.assert_allclose(widths[-5:], 0.75)
