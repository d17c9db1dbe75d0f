"""Surface transients that are seen, and noise that is not one."""

import math

import numpy as np
import pytest
from counted_trials import trials
from plain_profiles import run

from sims_analysis.kernels.rows import Packed
from sims_analysis.kernels.transient import plateau, surface_transient

FREE = np.array([math.nan])
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


@pytest.mark.parametrize(("part", "seen"), [(0.25, False), (0.45, True), (0.8, True)])
def test_a_transient_below_the_implant(part, seen):
    clean = part * 1e18 * np.exp(-Z / 6) + IMPLANT
    found = transient(*noisy(clean, 1e15))
    assert bool(np.isfinite(found.end[0])) == seen
    if seen:
        assert 10 < found.end[0] < 40
        assert found.deeper_depth[0] == pytest.approx(80, abs=15)


@pytest.mark.parametrize("floor", [0.0, 0.03, 0.3])
@pytest.mark.parametrize("counts", [10, 100])
def test_noise_at_the_surface_of_an_implant_is_none(floor, counts):
    clean = IMPLANT / 1e18 + floor
    found = [transient(*noisy(clean, 1 / counts, seed)).end[0] for seed in range(200)]
    assert np.count_nonzero(~np.isnan(found)) <= 2


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


@pytest.mark.slow
@pytest.mark.parametrize("counts", [1, 10, 1000])
def test_noise_below_a_falling_profile_is_seldom_a_second_maximum(counts):
    z = np.arange(0, 200.0)
    ds = trials(lambda z: np.exp(-z / 10) + 0.01, z, counts)
    value, stderr = ds["concentration"].values, ds["concentration_stderr"].values
    end = np.array(np.nan)
    for own, most in ((stderr, 0.005), (None, 0.02)):
        found = run(surface_transient, z, value, end, end, stderr=own)
        assert np.isfinite(found.deeper_depth).mean() <= most


@pytest.mark.parametrize("counts", [100, 10_000])
@pytest.mark.parametrize("change", [0.0, -0.8, 2.0])
def test_the_plateau_below_a_transient(change, counts):
    clean = counts * (1 + change * np.exp(-Z / 5))
    c = np.random.default_rng(2).poisson(clean) * 1.0
    found = plateau(Packed(Z, c, None, offsets=np.array([0, Z.size])))
    if not change:
        assert np.isnan(found.mean[0])
    else:
        assert 4 < found.start[0] < 40
        assert found.mean[0] == pytest.approx(counts, rel=0.03)


@pytest.mark.parametrize("clean", [1 + Z / 400, 1 + 0.3 * (Z > 100), 1 + 0.1 * np.sin(Z / 9)])
def test_a_drift_and_layers_are_no_transient(clean):
    found = plateau(Packed(Z, clean, None, offsets=np.array([0, Z.size])))
    assert np.isnan(found.mean[0])
