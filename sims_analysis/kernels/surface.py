"""The value near the surface, from an exponential fit to the samples around a depth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.decay import can_be_fitted, fit_exponential, value_per_count_of
from sims_analysis.kernels.grid import shared_variance
from sims_analysis.kernels.rows import Array, Packed, Rows, first_status
from sims_analysis.outcomes import Status


class LocalValue(NamedTuple):
    """Values at a depth, errors, statuses, and first and last depth of the samples used; (R,)."""

    value: Array
    stderr: Array
    status: NDArray[np.uint8]
    start: Array
    stop: Array


def local_value(
    rows: Rows, depth: Array, floor: Array, fraction: Array, *, samples: int
) -> LocalValue:
    """Fit ``ln C = a + b (z - depth)`` to the samples nearest to a depth; the value is ``exp(a)``.

    With standard errors by the likelihood of counts (zeros are data); without, by least squares of
    ln C over the positive samples, with the error from the scatter. `floor` is a background that
    was subtracted, and `fraction` the effective samples per depth of a grid between fewer samples.
    ``truncated`` where the depth lies beyond the samples, ``no_data`` with fewer than three.
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
    used = rows.keep(near)
    if rows.stderr is not None and (fraction < 1).any():
        stderr = stderr * np.sqrt(shared_variance(_weights(used, off, samples), fraction))
    status = first_status(
        (np.isnan(first) | np.isnan(depth), Status.NO_DATA),
        (~((depth >= first) & (depth <= last)), Status.TRUNCATED),
        ((rows.size < 3) | np.isnan(value), Status.NO_DATA),
    )
    columns = value, stderr, used.first, used.last
    value, stderr, start, stop = (np.where(status == Status.OK, x, np.nan) for x in columns)
    return LocalValue(value, stderr, status, start, stop)


def _weights(used: Packed, off: Array, samples: int) -> Array:
    """Return the weights of samples, (R, n), in the value of a straight line `off` their middle."""
    x = used.depth - used.repeat(used.sum(used.depth) / used.size)
    weights = np.zeros((used.count, samples))
    place = np.arange(used.row.size) - used.offsets[used.row]
    squares = used.sum(x * x)
    weights[used.row, place] = used.repeat(1.0 / used.size) + used.repeat(off / squares) * x
    return weights
