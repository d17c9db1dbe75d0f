"""The error of any formula, from the errors of the samples that it uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sims_analysis.kernels.rows import Array, Dense, Rows, SingleResult, errors_of


def propagated(
    kernel: Callable[..., Any], rows: Rows, *parameters: Array, **options: Any
) -> SingleResult:
    """Return the standard errors of a kernel's ``value``, for formulas without derivatives; (R,).

    ``sqrt(sum [f(c_i + s_i) - f(c_i - s_i)]^2) / 2`` over the samples i from ``start`` to ``stop``
    (JCGM 100:2008, 5.1.3, note 2), by two more profiles for each of them. NaN where an s is not
    known.
    """
    answer = kernel(rows, *parameters, **options)
    stderr, packed = np.full(rows.count, np.nan), rows.packed()
    errors = errors_of(packed)
    for row, in_row in enumerate(packed.slices()):
        z, c, s = packed.depth[in_row], packed.value[in_row], errors[in_row]
        inside = np.flatnonzero((z >= answer.start[row]) & (z <= answer.stop[row]))
        if not inside.size:
            continue
        moved = np.tile(c, (2 * inside.size, 1))
        place = np.arange(inside.size)
        moved[place, inside] += s[inside]
        moved[place + inside.size, inside] -= s[inside]
        repeated = (np.repeat(column[row : row + 1], len(moved), axis=0) for column in parameters)
        up, down = np.split(kernel(Dense(z, moved), *repeated, **options).value, 2)
        stderr[row] = 0.5 * np.sqrt(np.sum((up - down) ** 2))
    return SingleResult(stderr)
