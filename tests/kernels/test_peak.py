"""Maxima and their widths against closed forms; and where there is no width."""

import math

import numpy as np
import pytest

from sims_analysis.kernels.peak import peak
from sims_analysis.kernels.rows import Dense, Packed, Status

FREE = np.array([math.nan])


def test_the_width_of_two_exponentials():
    # Rising with 4 nm, falling with 9 nm: exact, wherever the samples lie.
    z = np.arange(0.0, 120.0, 3.0)
    c = 1e20 * np.exp(-np.abs(z - 60) / np.where(z < 60, 4.0, 9.0))[None]
    found = peak(Dense(z, c, 0.1 * c), FREE, FREE)
    assert (found.depth[0], found.value[0], found.stderr[0]) == (60.0, 1e20, 1e19)
    assert found.fwhm[0] == pytest.approx(13 * math.log(2), rel=1e-12)
    assert found.status[0] == Status.OK


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
    for rows in (Dense(z, c[None]), Packed(z, c, np.array([0, z.size]))):
        found = peak(rows, np.array([start]), np.array([stop]))
        np.testing.assert_equal(found.depth[0], depth)
        assert found.status[0] == status
        assert np.isnan(found.fwhm[0]) == (status != Status.OK)
