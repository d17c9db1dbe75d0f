"""The value near the surface, from an exponential fit to the samples around a depth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.decay import can_be_fitted, fit_exponential, value_per_count_of
from sims_analysis.kernels.rows import Array, Rows, Status, first_status


class LocalValue(NamedTuple):
    """Values of rows at a depth, their standard errors and statuses; shape (R,).

    Also the depths of the first and the last sample that was used.
    """

    value: Array
    stderr: Array
    status: NDArray[np.uint8]
    start: Array
    stop: Array


def local_value(rows: Rows, depth: Array, floor: Array, *, samples: int) -> LocalValue:
    """Fit ``ln C = a + b (z - depth)`` to the samples nearest to a depth; the value is ``exp(a)``.

    With standard errors, the fit maximizes the likelihood of counts (zeros are data); without, it
    minimizes squares of ln C over the positive samples, and the error is from the scatter.
    `samples` is their number, at least 3, and `floor` a background that was subtracted. Status
    ``truncated`` where the depth lies beyond the samples, ``no_data`` with fewer than three usable
    ones.
    """
    first, last = rows.first, rows.last
    rows = rows.packed()
    rows = rows.keep(can_be_fitted(rows))
    far = np.abs(rows.depth - rows.repeat(depth))
    order = np.lexsort((rows.depth, far, rows.row))
    rank = np.empty(order.size, dtype=np.intp)
    rank[order] = np.arange(order.size)
    near = rank - rows.repeat(rows.offsets[:-1]) < samples
    under = rows.repeat(floor)
    fit = fit_exponential(rows, near, value_per_count_of(rows, under), under)
    with np.errstate(invalid="ignore", over="ignore"):
        off = depth - fit.at
        value = np.exp(fit.a + fit.b * off)
        stderr = value * np.sqrt(fit.var_a + 2.0 * off * fit.cov + fit.var_b * off**2)
    status = first_status(
        (np.isnan(first), Status.NO_DATA),
        (~((depth >= first) & (depth <= last)), Status.TRUNCATED),
        ((rows.size < 3) | np.isnan(value), Status.NO_DATA),
    )
    value, stderr = (np.where(status == Status.OK, x, np.nan) for x in (value, stderr))
    used = rows.keep(near)
    return LocalValue(value, stderr, status, used.first, used.last)
