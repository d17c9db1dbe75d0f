"""Concentrations from intensities, by relative sensitivity factors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["concentration"]

Array = NDArray[np.float64]


def concentration(
    intensity: Array,
    matrix: Array,
    factor: Array | float,
    stderr: Array | float,
    matrix_stderr: Array | float,
) -> tuple[Array, Array]:
    """Give ``C = factor * I / M`` and its standard error.

    ``s_C = factor / M * sqrt(s_I^2 + (I s_M / M)^2)``: nothing is divided by I, which may be zero.

    Returns
    -------
    value, stderr : ndarray
        NaN where the matrix signal is not positive, or was not measured.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scale = np.where(matrix > 0, factor / matrix, np.nan)
        value = scale * intensity
        error = scale * np.hypot(stderr, intensity * matrix_stderr / matrix)
    return value, error
