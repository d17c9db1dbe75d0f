"""How far a restored profile can be trusted: its misfit, kernels, maxima, cuts of its window."""

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import optimize

from sims_analysis.fitting.objectives import Poisson
from sims_analysis.kernels.samples import Samples
from sims_analysis.restoring import assessment as _assessment
from sims_analysis.restoring import minimization
from sims_analysis.restoring.inverse_problem import InverseProblem, inverse_problem
from sims_analysis.restoring.resolution_function import ResolutionFunction

#: Half the width of the resolution function is two samples, twice its width eight.
Z, FWHM = np.arange(41.0), 4.0


def cut(first, count=1e-4):
    """Ask about a profile that begins with some values, from either end."""
    level = np.ones(Z.size)
    level[: len(first)] = first
    one = SimpleNamespace(z=Z, fwhm=FWHM, misfit=SimpleNamespace(one=np.full(Z.size, count)))
    begins, ends = _assessment._cut(one, level), _assessment._cut(one, level[::-1])
    assert begins == ends
    return begins


@pytest.mark.parametrize(
    ("first", "found"),
    [
        ([1, 1, 1], False),
        ([1, 0.8, 0.4, *np.linspace(0.4, 0.39, 38)], True),  # as steep as the function
        ([1, 0.8, 0.6, *np.linspace(0.6, 0.2, 38)], False),
        ([1, 0.95, 0.9, 0.85, 0.8, 0.85, 0.9], True),  # a minimum soon after
        ([1, 0.98, 0.96, 0.94, 0.9, 0.94, 0.96], False),  # too shallow
        ([*np.linspace(1, 0.8, 9), 0.7], False),  # too far off
        ([0.4, 0.7, 1], False),  # a rise towards the inside is whole
    ],
)
def test_a_window_cuts_what_is_as_steep_or_as_short_as_the_function(first, found):
    assert cut(first) == found


@pytest.mark.parametrize(("least", "found"), [(0.374, True), (0.375, False), (0.376, False)])
def test_noise_cuts_nothing(least, found):
    # 16 counts have a standard deviation of a quarter; 2.5 of these are not yet beyond noise.
    assert cut([1, 0.7, *np.full(39, least)], 1 / 16) == found
    assert cut([1, 0.7, *np.full(39, least)], 1 / 15.9) == (least < 0.374)


# --- how much of what was measured is explained -----------------------------------------------


def counted(counts, share=1.0):
    n = len(counts)
    misfit = Poisson(np.array(counts, dtype=float), np.ones(n), np.zeros(n), share=share)
    return SimpleNamespace(misfit=misfit)


@pytest.mark.parametrize("share", [1.0, 0.25, 4.0])
@pytest.mark.parametrize("n", [1, 2, 3, 20])
def test_the_largest_deviance_is_over_windows_of_two_to_twelve_samples(n, share):
    rng = np.random.default_rng(n)
    counts, expected = rng.poisson(3.0, n), rng.uniform(1.0, 5.0, n)
    largest = 0.0
    for wide in range(2, 13):
        for i in range(n - wide + 1):
            k, mu = counts[i : i + wide].sum(), expected[i : i + wide].sum()
            largest = max(largest, 2 * ((k * np.log(k / mu) if k else 0.0) - (k - mu)))
    found = _assessment.largest_deviance(counted(counts, share), expected)
    assert found == pytest.approx(np.sqrt(share * largest), rel=1e-9)


def test_longer_misfits_than_twelve_samples_count_by_their_twelve_largest():
    counts = np.full(40, 12.0)
    found = _assessment.largest_deviance(counted(counts), np.full(40, 10.0))
    assert found == pytest.approx(np.sqrt(2 * 12 * (12 * np.log(1.2) - 2)), rel=1e-9)


# --- kernels ----------------------------------------------------------------------------------

X = np.array([0.0, 1.0, 2.0, 4.0, 5.0, 6.0, 7.0, 9.0])


@pytest.mark.parametrize(
    ("kernel", "width"),
    [
        ([0, 0, 1, 2, 1, 0, 0, 0], 3.0),  # at half of the largest on both sides: 2 and 5 nm
        ([0, 0, 0, 2, 0, 0, 0, 0], 1.5),  # between samples: from 3 to 4.5 nm
        ([4, 2, 1, 0, 0, 0, 0, 0], 1.0),  # cut off at the first cell
        ([0, 0, 0, 0, 0, 0, 1, 4], 2 * 2 / 3),  # and at the last
        ([1, 1, 1, 1, 1, 1, 1, 1], 9.0),
        ([0, 3, 0, 0, 4, 0, 3, 0], 1.0),  # about the largest, not another one
    ],
)
def test_the_full_width_is_that_about_the_largest_value(kernel, width):
    found = _assessment._full_width(np.array([kernel, kernel], dtype=float), X)
    np.testing.assert_allclose(found, [width, width])


def test_what_belongs_to_changes_is_averaged_over_those_that_are_near():
    x = np.array([0.0, 1.0, 2.0, 3.5, 4.0, 6.0])
    for n in (4, 5):  # of curvatures, or of steps
        changes = np.arange(1.0, n + 1) ** 2
        at = x[:n] + 0.5 * (x[6 - n] - x[0])
        for reach in (0.4, 1.0, 2.0, 9.0):
            expected = [changes[np.abs(at - a) <= reach].mean() for a in at]
            np.testing.assert_allclose(_assessment._about(x, reach, changes), expected)


def test_the_beginning_of_a_window_resolves_as_the_first_whole_kernel_does():
    z = np.arange(8.0) + 3
    achieved = np.array([2.0, 3.0, 4.0, 5.0, 3.0, 2.0, 4.0, 1.0])
    # Half of 4 nm is the distance of the third sample from the first: that one is whole.
    np.testing.assert_array_equal(
        _assessment._as_inside(achieved, z), [4.0, 4.0, 4.0, 5.0, 3.0, 2.0, 4.0, 1.0]
    )
    wide = achieved + 4  # 8, 9, 7...: half of 7 nm is 3.5, reached by the fifth
    np.testing.assert_array_equal(_assessment._as_inside(wide, z)[:4], [7.0, 7.0, 8.0, 9.0])
    assert achieved[0] == 2.0, "the resolutions that were given stay as they are"


def test_the_error_of_a_background_counts_what_samples_have_made_of_it_once():
    one = SimpleNamespace(common=np.array([0.1, 0.2, 0.3]), overlap=np.array([0.0, 0.5, 0.25]))
    answer = np.array([[1.0, 2.0, 0.0], [0.5, 0.0, -1.0]])
    whole = answer @ [0.1, 0.2, 0.3]
    own = answer @ [0.0, 0.1, 0.075]
    np.testing.assert_allclose(
        _assessment._of_background(one, answer), whole**2 - 2 * whole * own, rtol=1e-12
    )


def test_where_nothing_was_counted_within_the_resolution_there_is_nothing():
    counts = np.array([5.0, 3, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    z = np.arange(12.0)
    one = InverseProblem(
        np.arange(12), z, np.ones(12), 1.0, "counts",
        Poisson(counts, np.full(12, 0.1), np.zeros(12)), None, None, z, 0.0, 2.0,
        np.zeros(12), np.zeros(12),
    )  # fmt: skip
    achieved = np.where(z < 6, 4.0, 1.0)  # the function itself is 2 nm wide
    value, stderr = _assessment._below_detection(one, np.full(12, 0.7), np.full(12, 0.2), achieved)
    # Two samples away from the last count, and one away where the resolution is finer.
    np.testing.assert_array_equal(value, [0.7] * 5 + [0.0] * 7)
    np.testing.assert_array_equal(stderr[:5], 0.2)
    # Half of the 1.84 counts that none may be, over the samples in which they may be.
    samples = np.array([5, 3, 3, 3, 3, 3, 2])
    np.testing.assert_allclose(stderr[5:], 0.92 * 0.1 / samples)


# --- maxima that the samples do not need ------------------------------------------------------


def doubtful(u, *, needed=(), achieved=50.0, window=(0.0, 99.0), x=None):
    """Ask about maxima of ln x, whose valleys all are without need but some."""
    x = np.arange(float(len(u))) if x is None else x
    calls = []

    def asked(one, prior, best, left, right):
        calls.append((left, right))
        return (left, right) in needed

    z = np.array([max(window[0], x[0]), min(window[1], x[-1])])
    one = SimpleNamespace(x=x, z=z)
    best = SimpleNamespace(u=np.array(u, dtype=float))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_assessment, "_needed", asked)
        found = _assessment._doubtful(one, None, best, np.full(2, achieved))
    return found.tolist(), calls


def test_of_two_maxima_the_lower_one_is_doubtful_if_the_valley_is_not_needed():
    two = [0, 3, 0, 2, 0]
    assert doubtful(two) == ([3.0], [(1, 3)])
    assert doubtful(two[::-1]) == ([1.0], [(1, 3)])
    assert doubtful(two, needed=[(1, 3)]) == ([], [(1, 3)])
    assert doubtful([0, 3, 0]) == ([], [])
    # A plateau is a maximum once, where it begins.
    assert doubtful([0, 3, 3, 0, 2, 2, 0]) == ([4.0], [(1, 4)])
    # Of three in a row the middle one is named once.
    assert doubtful([0, 3, 0, 1, 0, 2, 0])[0] == [3.0]


@pytest.mark.parametrize(("depth", "asked"), [(0.09, False), (0.11, True)])
def test_a_valley_is_one_from_a_tenth_of_ln_x(depth, asked):
    """Below the lower of both maxima."""
    assert bool(doubtful([0, 3, 2 - depth, 2, 0])[1]) == asked
    assert bool(doubtful([0, 2, 2 - depth, 3, 0])[1]) == asked


@pytest.mark.parametrize(("achieved", "asked"), [(0.49, False), (0.51, True)])
def test_maxima_further_apart_than_four_resolutions_are_not_asked(achieved, asked):
    assert bool(doubtful([0, 3, 0, 2, 0], achieved=achieved)[1]) == asked


def test_maxima_outside_of_the_window_are_none():
    u = [0, 3, 0, 2, 0, 3, 0]
    assert doubtful(u, window=(4.0, 99.0)) == ([], [])
    assert doubtful(u, window=(0.0, 4.0))[1] == [(1, 3)]
    # On its ends there is none either.
    assert doubtful(u, window=(1.0, 6.0))[1] == [(3, 5)]


def two_layers(apart, top):
    """Restore two layers of four samples each, and find the maxima of what is found."""
    z = np.arange(30.0)
    function = ResolutionFunction("delta_drf", (0.0, 0.0, 1.5))
    clean = sum(np.exp(-0.5 * ((z - 15 - side * apart / 2) / 1.8) ** 2) for side in (-1, 1))
    k = np.round(top * clean + 2)
    one = inverse_problem(
        Samples(z, k, np.full(30, np.nan), k, *np.zeros((2, 30))), np.arange(30),
        {"background": 0.0, "fraction": 1.0}, function, "count",
    )  # fmt: skip
    prior = minimization.curvature(one.x, one.fwhm)
    sought = minimization.Unknowns(one.spread, one.misfit, prior, one.offset)
    best = minimization.of_strength(sought, np.array([10.0, 1.0]), np.log(0.01 + 0 * one.x))
    rise = np.diff(best.u)
    tops = 1 + np.flatnonzero((rise[:-1] > 0) & (rise[1:] <= 0))
    left, right = (int(tops[np.abs(one.x[tops] - at).argmin()])
                   for at in (15 - apart / 2, 15 + apart / 2))  # fmt: skip
    return one, prior, best, left, right


@pytest.mark.parametrize(
    ("apart", "top", "needed"),
    [(8.0, 300.0, True), (6.0, 3000.0, True), (12.0, 6.0, False), (9.0, 20.0, False)],
)
def test_a_valley_is_needed_where_there_are_counts_enough(apart, top, needed):
    one, prior, best, left, right = two_layers(apart, top)
    assert right > left + 2
    assert _assessment._needed(one, prior, best, left, right) == needed


@pytest.mark.slow
@pytest.mark.parametrize(("apart", "top"), [(8.0, 300.0), (6.0, 3000.0), (12.0, 6.0)])
def test_a_valley_is_needed_where_the_misfit_without_it_is_larger_by_three(apart, top):
    """By a general minimizer over the cells that may change, from what it found."""
    one, prior, best, left, right = two_layers(apart, top)
    x, margin = one.x, 2 * one.fwhm
    near = np.flatnonzero((x >= x[left] - margin) & (x < x[right] + margin))
    inside = (near > left) & (near < right)
    part = (x[near[inside]] - x[left]) / (x[right] - x[left])
    low = int(np.flatnonzero(near == left)[0])

    def without(v):
        """Put a straight line between both maxima."""
        u = best.u.copy()
        whole = np.zeros(near.size)
        whole[~inside] = v
        whole[inside] = v[low] + part * (v[low + 1] - v[low])
        u[near] = whole
        return u

    def misfit(u):
        return 0.5 * one.misfit.cost(one.offset + one.spread.matrix @ np.exp(u))

    def total(v):
        u = without(v)
        return misfit(u) + prior.costs(prior.changes(u), best.strength).value

    begin = best.u[near][~inside]
    begin[low : low + 2] = np.log(np.mean(np.exp(best.u[left : right + 1])))
    found = optimize.minimize(total, begin, method="BFGS")
    more = misfit(without(found.x)) - best.misfit
    assert abs(more - 3) > 1, "not so near that either may say so"
    assert _assessment._needed(one, prior, best, left, right) == (more > 3)
    assert (more > 3) == (top > 100)


def test_no_more_than_twenty_valleys_are_asked():
    u = [0, *[3, 0] * 30]
    found, calls = doubtful(u)
    assert len(calls) == 20
    assert len(found) == 20
