"""What lies below the end of a record, against integrals that are known."""

import numpy as np
import pytest
from scipy.special import erfc

from sims_analysis.kernels.rows import Dense
from sims_analysis.kernels.truncation import missing_below

Z = np.arange(0.0, 200.0, 2.0)


def below(value, enough=0.0, depth=Z):
    rows = np.atleast_2d(value)
    return missing_below(Dense(depth, rows), np.full(len(rows), enough))


@pytest.mark.parametrize("decay", [50.0, 60.0, 120.0, 200.0])
def test_below_an_exponential_lies_its_value_times_its_decay_length(decay):
    for z in (Z, np.linspace(0.0, 2 * decay, 8)):
        found = below(np.exp(-z / decay), depth=z)
        np.testing.assert_allclose(found, np.exp(-z[-1] / decay) * decay, rtol=0.02)


@pytest.mark.parametrize(("end", "most"), [(80.0, np.inf), (130.0, np.inf), (150.0, 1.6)])
def test_below_a_gaussian_lies_less_than_an_exponential_says(end, most):
    z = np.linspace(0.0, end, 60)
    exact = 30 * np.sqrt(np.pi / 2) * erfc((end - 100) / 30 / np.sqrt(2))
    found = below(np.exp(-0.5 * ((z - 100) / 30) ** 2), depth=z)[0]
    assert exact < found <= most * exact


@pytest.mark.parametrize("counts", [1000, 10000])
def test_a_gaussian_that_begins_and_ends_near_its_maximum_lacks_the_rest(counts):
    shape = 0.7 ** (((Z - 90) / 108) ** 2)
    k = np.random.default_rng(0).poisson(counts * shape, (100, Z.size)) * 1.0
    assert np.mean(below(k, 4.0 * counts) > 0) > 0.98


def test_a_tail_falls_and_a_background_does_not():
    peak = np.exp(-0.5 * ((Z - 60) / 15) ** 2)
    for decay in (60, 100):
        exact = 0.05 * decay * np.exp(-198 / decay)
        assert below(peak + 0.05 * np.exp(-Z / decay))[0] == pytest.approx(exact, rel=0.02)
    assert below(peak + 0.05 - Z / 1e5)[0] == 0
    assert below(1.0 - Z / 2500)[0] == 0


def test_what_is_less_than_matters_is_none():
    exact = np.exp(-198 / 30) * 30
    assert below(np.exp(-Z / 30), 0.9 * exact) > 0
    assert below(np.exp(-Z / 30), 1.1 * exact) == 0


@pytest.mark.parametrize("counts", [100, 1000, 10000])
def test_a_profile_that_falls_to_a_plateau_is_whole_and_one_that_ends_above_or_in_a_tail_is_not(
    counts,
):
    z, places = np.arange(0.0, 120.0), [[40], [100], [65], [115]]
    peak, high, tail, deeper = np.exp(-0.5 * ((z - places) / [[12], [30], [50], [12]]) ** 2)
    shapes = np.array([0.3 + 0.7 * peak, high, peak + 0.2 * tail, peak + 0.2 * deeper])[:, None]
    k = np.random.default_rng(0).poisson(counts * shapes, (4, 100, z.size)) * 1.0
    whole, ends, tails, second = (np.mean(below(one, 0.6 * counts, depth=z) > 0) for one in k)
    assert whole < 0.05
    assert min(ends, second) > 0.98
    assert tails > 0.8 or counts == 100


@pytest.mark.parametrize("counts", [10, 100, 10000])
def test_a_record_that_ends_within_a_box_lacks_the_rest_of_it(counts):
    rng = np.random.default_rng(1)
    box = 1 / (1 + np.exp((30 - Z) / 2)) / (1 + np.exp((Z - 150) / 2)) + 1e-3
    for end, lacks in ((70, True), (100, True), (140, True), (166, False), (198, False)):
        seen = end >= Z
        k = rng.poisson(counts * box[seen], (100, seen.sum())) * 1.0
        lacking = np.mean(below(k, 0.02 * 120 * counts, depth=Z[seen]) > 0)
        assert lacking > 0.96 if lacks else lacking < 0.05, end


@pytest.mark.slow
def test_plateaus_peaks_and_noise_lack_nothing():
    rng = np.random.default_rng(0)
    plateau, short = 1.0 / (1.0 + np.exp(-(Z - [[20], [150]]) / 3))
    peak = np.exp(-0.5 * ((Z - 80) / 15) ** 2) + 1e-4
    assert np.isinf(below([plateau, short], enough=0.01)).all()  # what they end in goes on
    assert not below([1 - plateau, peak, np.ones_like(Z)], enough=0.01).any()
    for counts in (1, 10, 1000):
        for n in (6, 12, 100):
            noise = rng.poisson(counts, (1000, n)) * 1.0
            assert np.mean(below(noise, 0.02 * counts * Z[n - 1], Z[:n]) > 0) < 0.025
    assert not below(np.exp(-Z[:5] / 5), depth=Z[:5]).any()  # too short to tell


def test_where_errors_hide_whether_an_end_falls_it_goes_on():
    z = np.arange(0.0, 150.0)
    peak = np.exp(-0.5 * ((z - 40) / 15) ** 2)
    tail = np.where(z > 70, 0.135 * np.exp(-(z - 70) / 100), peak)
    expected = 100 * np.array([tail, peak + 0.01])[:, None]
    ends, whole = np.random.default_rng(0).poisson(expected, (2, 200, z.size)) * 1.0

    def lacking(k, errors):
        return np.mean(missing_below(Dense(z, k, errors), 0.02 * k.sum(axis=1)) > 0)

    assert lacking(ends, np.sqrt(ends)) > 0.8
    assert lacking(ends, None) < 0.4
    assert lacking(whole, np.sqrt(whole)) < 0.02


ENDS = {  # shapes, and where a quarter and a half of their integrals lie below
    "exponential": (lambda z: np.exp(-z), (1.386, 0.693)),
    "half a Gaussian": (lambda z: np.exp(-0.5 * z**2), (1.150, 0.674)),
    "Gaussian": (lambda z: np.exp(-0.5 * (z - 3) ** 2), (3.674, 3.0)),
}


@pytest.mark.parametrize("shape", ENDS)
@pytest.mark.parametrize(("counts", "n"), [(10, 20), (10, 40), (10, 120), (1e3, 4), (1e4, 6)])
def test_records_whose_counts_do_not_hide_more_that_lies_below_say_so(shape, counts, n):
    rate, ends = ENDS[shape]
    for end in ends:
        z = np.linspace(0.0, end, n)
        k = np.random.default_rng(0).poisson(counts * rate(z), (300, n)) * 1.0
        rows = Dense(z, k, np.sqrt(np.maximum(k, 1.0)))
        missing = missing_below(rows, 0.02 * np.trapezoid(k, z))
        assert np.mean(missing > 0) > 0.87


def test_a_plateau_above_what_is_before_the_maximum_is_no_background():
    peak = np.exp(-0.5 * ((Z - 60) / 20) ** 2)
    deeper = np.where(Z > 60, np.fmax(peak, 0.15), peak)
    assert below(deeper) == below(deeper + 0.03) == np.inf
    assert below(np.fmax(peak, 0.15)) == 0
