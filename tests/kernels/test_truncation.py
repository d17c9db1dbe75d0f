"""What lies below the end of a record, against integrals that are known."""

import numpy as np
import pytest

from sims_analysis.kernels.rows import Dense
from sims_analysis.kernels.truncation import missing_below

Z = np.arange(0.0, 200.0, 2.0)


def below(value, enough=0.0, depth=Z):
    rows = np.atleast_2d(value)
    return missing_below(Dense(depth, rows), np.full(len(rows), enough))


@pytest.mark.parametrize("decay", [10.0, 30.0, 60.0])
def test_below_an_exponential_lies_its_value_times_its_decay_length(decay):
    np.testing.assert_allclose(below(np.exp(-Z / decay)), np.exp(-198 / decay) * decay, rtol=1e-9)


@pytest.mark.parametrize(("decay", "falls"), [(65.9, True), (66.1, False)])
def test_what_falls_by_less_than_e_within_a_third_of_the_record_is_a_background(decay, falls):
    assert (below(np.exp(-Z / decay))[0] > 0) == falls


def test_what_is_less_than_matters_is_none():
    exact = np.exp(-198 / 30) * 30
    np.testing.assert_allclose(below(np.exp(-Z / 30), 0.99 * exact), exact, rtol=1e-9)
    assert below(np.exp(-Z / 30), 1.01 * exact) == 0


@pytest.mark.parametrize("row", [0, 1])
def test_records_that_end_within_a_peak_or_before_it_lack_an_unknown_part(row):
    shape = np.exp(-0.5 * ((Z - [[200.0], [230.0]]) / 60) ** 2)
    assert np.isinf(below(shape)[row])


def test_plateaus_peaks_and_noise_lack_nothing():
    rng = np.random.default_rng(0)
    plateau = 1.0 / (1.0 + np.exp(-(Z - 20) / 3))
    peak = np.exp(-0.5 * ((Z - 80) / 15) ** 2) + 1e-4
    assert not below([plateau, peak, np.ones_like(Z)]).any()
    for counts in (1, 10, 1000):
        assert np.mean(below(rng.poisson(counts, (1000, Z.size)) * 1.0) > 0) < 0.004
    assert not below(np.exp(-Z[:11] / 5), depth=Z[:11]).any()  # too short to tell
