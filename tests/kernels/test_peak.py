"""Maxima and widths against closed forms; transients that are seen, and noise that is not one."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.peak import peak
from sims_analysis.kernels.rows import Dense, Packed
from sims_analysis.kernels.transient import surface_transient
from sims_analysis.outcomes import Status

FREE = np.array([math.nan])


def test_the_width_of_two_exponentials():
    # Rising with 4 nm, falling with 9 nm: exact, wherever the samples lie.
    z = np.arange(0.0, 120.0, 3.0)
    c = 1e20 * np.exp(-np.abs(z - 60) / np.where(z < 60, 4.0, 9.0))[None]
    found = peak(Dense(z, c, 0.1 * c), FREE, FREE)
    assert (found.depth[0], found.value[0]) == (60.0, 1e20)
    assert found.fwhm[0] == pytest.approx(13 * math.log(2), rel=1e-12)
    assert found.status[0] == Status.OK


@pytest.mark.parametrize(("level", "seed"), [(400, 1), (400, 2), (30, 3)])
def test_the_highest_of_many_alike_is_known_to_be_chosen_by_noise(level, seed):
    # The highest of fifty samples of a plateau: far more than its own error above it.
    z = np.arange(70.0)
    c = np.random.default_rng(seed).poisson(np.where((z > 9) & (z < 60), level, 1)) * 1.0
    rows = Dense(z, c[None], np.sqrt(np.maximum(c, 1))[None])
    found = peak(rows, FREE, FREE)
    above = found.value[0] - level
    assert above > 1.3 * math.sqrt(found.value[0])
    assert above - 0.7 * math.sqrt(level) < found.stderr[0] < above + 0.7 * math.sqrt(level)


def test_a_shoulder_above_a_steep_edge_is_no_hidden_maximum():
    # As at an interface: a parabola of ln C through the three would be half as high again.
    c = np.array([1e5, 1.36e5, 1.96e5, 2.84e5, 3.14e5, 6.4e3, 49, 19, 9, 4])
    found = peak(Dense(np.arange(10.0), c[None], np.sqrt(c)[None]), FREE, FREE)
    y0, y1, y2 = c[3:6]
    slope, bend = (y2 - y0) / 2, y0 - 2 * y1 + y2
    between = -(slope**2) / (2 * bend)
    assert between < found.stderr[0] < between + 2 * math.sqrt(y1)


def test_few_samples_have_their_own_error():
    for c in ([4.0], [4.0, 1.0]):
        rows = Dense(np.arange(float(len(c))), np.array([c]), np.sqrt([c]))
        assert peak(rows, FREE, FREE).stderr[0] == 2
    unknown = np.array([[1.0, np.nan, 1.0]])
    assert np.isnan(
        peak(Dense(np.arange(3.0), np.array([[1.0, 4, 1]]), unknown), FREE, FREE).stderr
    )


def test_half_of_the_maximum_is_looked_for_next_to_it():
    # Another maximum on either side, higher than half of the highest.
    c = np.array([0.1, 3.0, 0.1, 1.0, 4.0, 1.0, 0.1, 3.0, 0.1])
    found = peak(Dense(np.arange(9.0), c[None]), FREE, FREE)
    assert found.fwhm[0] == pytest.approx(1.0)  # between 1 and 4, half-way of the logarithm


@pytest.mark.parametrize(
    ("c", "start", "stop", "depth", "status"),
    [
        ([1, 4, 1], np.nan, np.nan, 1, Status.OK),
        ([4, 2, 1], np.nan, np.nan, 0, Status.TRUNCATED),
        ([9, 1, 4, 1], 0.5, np.nan, 2, Status.OK),
        ([9, 1, 4, 1], 0.5, 2.5, 2, Status.TRUNCATED),
        ([1, 4, 4, 1], np.nan, np.nan, 1, Status.OK),  # of equal ones the first
        ([1, 4, 1], 8.0, 9.0, np.nan, Status.NO_DATA),
    ],
)
def test_windows_and_statuses(c, start, stop, depth, status):
    z, c = np.arange(float(len(c))), np.array(c, dtype=float)
    for rows in (Dense(z, c[None]), Packed(z, c, offsets=np.array([0, z.size]))):
        found = peak(rows, np.array([start]), np.array([stop]))
        np.testing.assert_equal(found.depth[0], depth)
        assert found.status[0] == status
        assert np.isnan(found.fwhm[0]) == (status != Status.OK)


Z = np.arange(0.0, 200.0, 2.0)
SPIKE = 3e19 * np.exp(-Z / 3)
IMPLANT = 1e18 * np.exp(-(((Z - 80) / 25) ** 2) / 2)


def transient(c, sigma=None, start=FREE, stop=FREE):
    return surface_transient(Packed(Z, c, sigma, offsets=np.array([0, Z.size])), start, stop)


def noisy(clean, count, seed=0):
    k = np.random.default_rng(seed).poisson(clean / count)
    return count * k, count * np.sqrt(np.maximum(k, 0.85))


@pytest.mark.parametrize("known", [False, True])
def test_an_implant_below_a_spike(known):
    c, sigma = noisy(SPIKE + IMPLANT, 1e15)
    found = transient(c, sigma if known else None)
    assert (found.depth[0], found.value[0]) == (0.0, c[0])
    below = np.where(Z > 20, c, 0)
    assert (found.deeper_depth[0], found.deeper_value[0]) == (Z[below.argmax()], below.max())


@pytest.mark.parametrize(
    "clean", [SPIKE + 1e16, IMPLANT + 1e16, np.full(Z.size, 1e17)], ids=["tail", "implant", "flat"]
)
def test_without_a_second_maximum_there_is_none(clean):
    found = [transient(*noisy(clean, 1e15, seed)).deeper_depth[0] for seed in range(50)]
    assert np.count_nonzero(~np.isnan(found)) <= 2  # "one in a hundred may be taken for such"


def test_transients_only_within_the_window():
    beyond = np.array([20.0])
    # The first sample of the one is no maximum, and the implant is not in the other.
    for window in ({"start": beyond}, {"stop": beyond}):
        assert np.isnan(np.array(transient(SPIKE + IMPLANT, **window))).all()


def test_a_single_high_sample_is_no_second_maximum():
    c = SPIKE + 1e15
    c[50] = 1e19
    assert np.isnan(np.array(transient(c))).all()


def test_rows_of_few_samples_have_no_transient():
    rows = Packed(Z[:3], np.array([3.0, 1.0, 2.0]), offsets=np.array([0, 0, 3]))
    free = np.full(2, math.nan)
    assert np.isnan(np.array(surface_transient(rows, free, free))).all()


def test_the_extent_of_samples_above_half_is_followed_beyond_a_width_that_noise_made():
    # A neighbour of the highest of few counts is often below half of it.
    z = np.arange(0, 160.0)
    c = np.random.default_rng(4).poisson(10 * np.exp(-(((z - 80) / 30) ** 2)), (100, z.size)) * 1.0
    many = np.full(100, math.nan)
    found = peak(Dense(z, c, np.sqrt(np.maximum(c, 1.0))), many, many)
    true = 60 * math.sqrt(math.log(2))
    assert np.nanmedian(found.fwhm) < 0.3 * true
    assert 0.9 < np.nanmedian(found.fwhm * (1 + found.narrowed)) / true < 1.6


def bump(height, width=24.0):
    """Give a spike, a floor of 1, and a rounded maximum about the sixtieth sample."""
    z = np.arange(120.0)
    return z, 30 * np.exp(-z) + 1 + height * np.exp(-(((z - 60) / width) ** 2) / 2) * (z > 1)


@pytest.mark.parametrize(("rise", "found"), [(0.97, False), (1.03, True)])
def test_another_maximum_rises_to_twice_what_lies_between(rise, found):
    z, c = bump(1.0, 8.0)
    c = np.where(z < 30, c, 1 + rise * (c - 1))
    seen = surface_transient(Packed(z, c, None, offsets=np.array([0, 120])), FREE, FREE)
    assert bool(np.isfinite(seen.deeper_depth[0])) == found
    if found:
        assert (seen.depth[0], seen.value[0]) == (0.0, c[0])
        assert (seen.deeper_depth[0], seen.deeper_value[0]) == (60.0, c[60])
        assert c[int(seen.end[0])] == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize(("errors", "found"), [(0.93, True), (1.07, False)])
def test_another_maximum_stands_out_by_eighteen_errors_of_the_mean_of_its_samples(errors, found):
    z, c = bump(5.0, 12.0)
    high = np.count_nonzero(c[30:] >= 1 + 0.5 * 5.0)
    sigma = np.full(120, errors * 5.0 * math.sqrt(high) / 18)
    seen = surface_transient(Packed(z, c, sigma, offsets=np.array([0, 120])), FREE, FREE)
    assert bool(np.isfinite(seen.deeper_depth[0])) == found


def test_what_rises_to_the_end_of_the_window_is_no_maximum():
    z, c = bump(5.0, 12.0)
    for stop, found in ((60.0, False), (75.0, True)):
        seen = surface_transient(
            Packed(z, c, None, offsets=np.array([0, 120])), FREE, np.array([stop])
        )
        assert bool(np.isfinite(seen.deeper_depth[0])) == found


def test_the_error_of_the_highest_sample_counts_where_there_is_no_other():
    # A quarter of a sample each: an error twice as large in sums, and not of a single one.
    rows = Dense(np.arange(2.0), np.array([[4.0, 1.0]]), np.array([[2.0, 1.0]]))
    assert peak(rows, FREE, FREE, np.array([0.25])).stderr[0] == 1.0
