"""Errors of formulas by moving each sample, against derivatives that are written out."""

from typing import NamedTuple

import numpy as np
import pytest

from sims_analysis.kernels.propagation import propagated
from sims_analysis.kernels.rows import Dense


class Found(NamedTuple):
    value: np.ndarray
    start: np.ndarray
    stop: np.ndarray


def ratio(rows, start, stop, power, *, factor=1.0):
    """Give the sum of some samples to a power."""
    used = (rows.depth >= rows.repeat(start)) & (rows.depth <= rows.repeat(stop))
    total = rows.sum(np.where(used, rows.value, 0.0))
    return Found(factor * total**power, start, stop)


VALUE = np.array([[1.0, 2, 3, 4, 5], [2.0, 4, 6, 8, 1]])
STDERR = np.array([[0.1, 0.2, 0.3, 0.4, 0.5], [0.2, 0.1, 0.1, 0.3, 0.9]])
START, STOP, POWER = np.array([1.0, 0.0]), np.array([3.0, 3.0]), np.array([1.0, 2.0])


@pytest.mark.parametrize("packed", [False, True])
def test_errors_are_those_of_the_samples_used_each_times_its_derivative(packed):
    rows = Dense(np.arange(5.0), VALUE, STDERR)
    rows = rows.packed() if packed else rows
    found = propagated(ratio, rows, START, STOP, POWER, factor=3.0).value
    first = 3 * np.sqrt(np.sum(STDERR[0, 1:4] ** 2))
    second = 3 * 2 * 20.0 * np.sqrt(np.sum(STDERR[1, :4] ** 2))
    np.testing.assert_allclose(found, [first, second], rtol=1e-12)


def test_an_error_that_is_not_known_counts_where_its_sample_is_used():
    for sample, known in ((0, [True, False]), (2, [False, False]), (4, [True, True])):
        stderr = STDERR.copy()
        stderr[:, sample] = np.nan
        found = propagated(ratio, Dense(np.arange(5.0), VALUE, stderr), START, STOP, POWER).value
        assert np.isfinite(found).tolist() == known


def test_without_a_sample_between_its_limits_an_answer_has_no_error():
    nowhere = np.full(2, np.nan)
    rows = Dense(np.arange(5.0), VALUE, STDERR)
    assert np.isnan(propagated(ratio, rows, nowhere, nowhere, POWER).value).all()
