"""Maxima and widths against closed forms, and their errors."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.peak import peak
from sims_analysis.kernels.rows import Dense
from sims_analysis.outcomes import Status

FREE = np.array([math.nan])


def test_the_width_of_two_exponentials():
    # Rising with 4 nm, falling with 9 nm: exact, with a sample at the top.
    z = np.arange(0.0, 120.0, 1.5)
    c = 1e20 * np.exp(-np.abs(z - 60) / np.where(z < 60, 4.0, 9.0))[None]
    found = peak(Dense(z, c, None), FREE, FREE)
    assert (found.depth[0], found.value[0]) == (60.0, 1e20)
    assert found.fwhm[0] == pytest.approx(13 * math.log(2), rel=1e-12)
    assert found.status[0] == Status.OK


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.5])
@pytest.mark.parametrize(("step", "known"), [(0.5, True), (1.5, False), (2.0, False)])
def test_a_width_of_fewer_than_three_steps_is_not_known(step, known, phase):
    z = (np.arange(-9, 10) + phase) * step
    c = 1e20 * np.exp(-(z**2) / 2)[None]
    found = peak(Dense(z, c, None), FREE, FREE)
    assert found.value[0] == c.max()
    assert found.status[0] == (Status.OK if known else Status.UNDETERMINED)
    width = 2 * math.sqrt(2 * math.log(2)) if known else math.nan
    assert found.fwhm[0] == pytest.approx(width, rel=0.02, nan_ok=True)


@pytest.mark.parametrize(("times", "known"), [(1.0, True), (1.6, False), (3.0, False)])
def test_a_lone_high_sample_has_no_width(times, known):
    z = np.arange(0.0, 100.0, 2.0)
    c = np.exp(-((z - 50) ** 2) / 450)
    c[26] *= times
    found = peak(Dense(z, c[None], None), FREE, FREE)
    assert found.status[0] == (Status.OK if known else Status.UNDETERMINED)
    assert np.isfinite(found.fwhm[0]) == known


def test_of_averages_over_cells_maximum_and_width_of_the_profile():
    edges = np.arange(0.0, 101.0, 5.0)
    fine = np.linspace(0, 5, 2001) + edges[:-1, None]
    c = np.trapezoid(np.exp(-((fine - 48) ** 2) / 200), fine, axis=1)[None] / 5
    found = peak(Dense(edges[:-1] + 2.5, c, None, edges[:-1], edges[1:]), FREE, FREE)
    assert found.depth[0] == 47.5
    assert found.value[0] == pytest.approx(math.exp(-0.25 / 200), rel=1e-3)
    assert found.fwhm[0] == pytest.approx(20 * math.sqrt(2 * math.log(2)), rel=0.02)


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


def test_few_samples_have_their_own_error():
    for c in ([4.0], [4.0, 1.0]):
        rows = Dense(np.arange(float(len(c))), np.array([c]), np.sqrt([c]))
        assert peak(rows, FREE, FREE).stderr[0] == 2
    # A quarter of a sample each: an error twice as large in sums, and not of a single one.
    columns = np.arange(2.0), np.array([[4.0, 1.0]]), np.array([[2.0, 1.0]])
    assert peak(Dense(*columns, fraction=np.array([0.25])), FREE, FREE).stderr[0] == 1.0
    unknown = np.array([[1.0, np.nan, 1.0]])
    assert np.isnan(
        peak(Dense(np.arange(3.0), np.array([[1.0, 4, 1]]), unknown), FREE, FREE).stderr
    )


@pytest.mark.parametrize(("counts", "power"), [(10, 2), (100, 2), (1000, 2), (10000, 1)])
def test_the_width_is_known_to_its_error(counts, power):
    z = np.arange(0, 160.0) - np.linspace(0, 1, 600)[:, None]
    c = np.random.default_rng(4).poisson(counts * np.exp(-((np.abs(z - 80) / 12) ** power)))
    many, true = np.full(600, math.nan), 24 * math.log(2) ** (1 / power)
    found = peak(Dense(z[0], c * 1.0, np.sqrt(np.maximum(c, 1.0))), many, many)
    known = found.status == Status.OK
    assert known.mean() > (0.97 if power == 2 else 0.7)
    assert (
        (0.60 if power == 2 else 0.54)
        < (np.abs(found.fwhm - true) < found.fwhm_stderr)[known].mean()
        < 0.76
    )


@pytest.mark.parametrize("errors", [True, False])
@pytest.mark.parametrize(("rise", "step"), [(1.0, 0.45), (1.0, 0.1), (0.3, 0.2), (0.3, 0.06)])
def test_a_point_between_samples_is_not_missed(rise, step, errors):
    # The highest sample lies up to half a step from the point, and is up to 20 % too low.
    x = np.arange(-9, 12.0, step) - np.linspace(0, step, 300, endpoint=False)[:, None]
    c = 1e4 * np.exp(np.where(x < 0, x / rise, -x))
    rows, many = Dense(x[0], c, np.sqrt(c) if errors else None), np.full(300, math.nan)
    found = peak(rows, many, many)
    known = found.status == Status.OK
    assert 0.1 < known.mean() < 1
    np.testing.assert_allclose(found.value[known], 1e4, rtol=0.05)
    np.testing.assert_allclose(found.fwhm[known], (1 + rise) * math.log(2), rtol=0.05)
