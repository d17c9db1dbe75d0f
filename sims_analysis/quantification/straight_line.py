"""A straight line by generalised least squares: values whose errors are correlated."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import gammaincc

from sims_analysis.kernels.samples import Array


class Line(NamedTuple):
    """``y = intercept + slope x``, with the covariance of the two.

    ``chi_square`` is ``r' V^-1 r``, and ``degrees`` the number of points - 2.
    """

    intercept: float
    slope: float
    covariance: Array
    chi_square: float
    degrees: int

    @property
    def chance(self) -> float:
        """The probability that chance makes chi-square as large; NaN of two points."""
        if self.degrees < 1:
            return np.nan
        return float(gammaincc(self.degrees / 2, self.chi_square / 2))


def straight_line(x: Array, y: Array, covariance: Array) -> Line:
    """Fit a line to values with a covariance V: ``(A' V^-1 A)^-1 A' V^-1 y``, A = [1, x].

    A. C. Aitken, Proc. R. Soc. Edinburgh 55 (1936) 42.
    """
    # Whitened, so that the squares of what is left are chi-square.
    root = np.linalg.cholesky(covariance)
    a = np.linalg.solve(root, np.stack([np.ones_like(x), x], axis=1))
    b = np.linalg.solve(root, y)
    solution, *_ = np.linalg.lstsq(a, b, rcond=None)
    left = b - a @ solution
    square = np.linalg.inv(a.T @ a)
    return Line(float(solution[0]), float(solution[1]), square, float(left @ left), x.size - 2)
