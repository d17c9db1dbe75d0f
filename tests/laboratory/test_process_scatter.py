"""The scatter of a process beyond counting, against published numbers and formulas by hand."""

import numpy as np
import pytest
from scipy.stats import chi2, norm, t

from sims_analysis.laboratory.process_scatter import (
    mean_of,
    process_variance,
    scatter_of,
    weights_at,
)

#: Thirteen trials of a vaccine: logarithms of relative risks, and their variances (G. A. Colditz et
#: al., J. Am. Med. Assoc. 271 (1994) 698), of which W. Viechtbauer, J. Stat. Softw. 36 (2010) 3,
#: gives the interval of the variance between trials.
RISKS = np.array([-0.8893, -1.5854, -1.3481, -1.4416, -0.2175, -0.7861, -1.6209, 0.0120, -0.4694,
                  -1.3713, -0.3394, 0.4459, -0.0173])  # fmt: skip
ERRORS = np.array([0.3256, 0.1946, 0.4154, 0.0200, 0.0512, 0.0069, 0.2230, 0.0040, 0.0564,
                   0.0730, 0.0124, 0.5325, 0.0714]) ** 0.5  # fmt: skip


def test_the_interval_of_a_published_variance():
    found = scatter_of(RISKS, ERRORS)
    assert found["process_stddev_lower"] ** 2 == pytest.approx(0.1197, abs=2e-4)
    assert found["process_stddev_upper"] ** 2 == pytest.approx(1.1115, abs=2e-3)
    assert found["process_stddev_lower"] < found["process_stddev"] < found["process_stddev_upper"]


def test_of_equal_errors_it_is_what_the_sample_variance_has_more():
    assert process_variance(RISKS, np.full(13, 0.3), 12) == pytest.approx(RISKS.var(ddof=1) - 0.09)
    assert process_variance(RISKS, np.full(13, 2.0), 12) == 0.0
    assert process_variance(np.full(3, 5.0), np.zeros(3), 2) == 0.0
    limit = process_variance(RISKS, np.zeros(13), chi2(12).ppf(0.975))
    assert limit == pytest.approx(12 * RISKS.var(ddof=1) / chi2(12).ppf(0.975))


def test_a_mean_without_counting_is_the_plain_one():
    found = mean_of(RISKS + 9.0, np.full(13, np.nan))
    assert found.value == pytest.approx(RISKS.mean() + 9.0)
    assert np.isnan(found.counting)
    expected = t(12).ppf(norm.cdf(1.0)) * RISKS.std(ddof=1) * (14 / 13) ** 0.5
    assert found.day_to_day == pytest.approx(expected)


def test_weights_of_a_bracket_are_those_of_a_straight_line():
    time = np.array([-3.0, -1.0, 3.0, 8.0])
    np.testing.assert_allclose(weights_at(time, bracket=True), [0, 0.75, 0.25, 0])
    np.testing.assert_array_equal(weights_at(time, bracket=False), [0, 1, 0, 0])
    np.testing.assert_array_equal(weights_at(time + 1.0, bracket=True), [0, 1, 0, 0])
    assert weights_at(time + 4.0, bracket=True) is None
