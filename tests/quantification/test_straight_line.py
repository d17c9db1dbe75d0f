"""A straight line through values whose errors are correlated."""

import numpy as np
import pytest
from scipy import stats

from sims_analysis.quantification.straight_line import straight_line


def test_a_line_is_that_of_generalised_least_squares():
    rng = np.random.default_rng(0)
    x, root = np.arange(5.0), rng.normal(size=(5, 5))
    square, y = root @ root.T + np.eye(5), rng.normal(size=5)
    line = straight_line(x, y, square)
    a, inverse = np.stack([np.ones(5), x], axis=1), np.linalg.inv(square)
    np.testing.assert_allclose(line.covariance, np.linalg.inv(a.T @ inverse @ a), rtol=1e-10)
    np.testing.assert_allclose(
        [line.intercept, line.slope], line.covariance @ a.T @ inverse @ y, rtol=1e-10
    )
    left = y - a @ [line.intercept, line.slope]
    assert line.chi_square == pytest.approx(left @ inverse @ left)
    assert line.chance == pytest.approx(stats.chi2.sf(line.chi_square, 3))
    three = straight_line(x[:3], y[:3], square[:3, :3])
    assert (three.degrees, three.chance) == (1, pytest.approx(stats.chi2.sf(three.chi_square, 1)))
    two = straight_line(x[:2], y[:2], square[:2, :2])
    assert (two.degrees, np.isnan(two.chance)) == (0, True)
