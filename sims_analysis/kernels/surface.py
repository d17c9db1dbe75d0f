"""The value near the surface, from a parabola of ln C through the samples around a depth."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.cells import as_points
from sims_analysis.kernels.counting import student
from sims_analysis.kernels.decay import can_be_fitted, value_per_count_of
from sims_analysis.kernels.grid import shared_variance
from sims_analysis.kernels.local_fit import (
    Counted,
    as_counts,
    chance_of_misfit,
    maximized,
    solved,
    value_stderr,
)
from sims_analysis.kernels.residuals import SEEN
from sims_analysis.kernels.rows import Array, Flags, Rows, first_status
from sims_analysis.outcomes import Status

#: Precision of the curvature of ln C without any count, over the distance to the farthest sample.
PRIOR = 0.25
#: Chance makes residuals as large less often where samples have another shape.
_BY_CHANCE = 1e-5


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
    """Fit ``ln C = a + b z + c z^2 / 2`` to the samples nearest to a depth, where C is ``exp(a)``.

    With standard errors by the likelihood of counts; without, by least squares of ln C over the
    positive samples. `floor` is a background that was subtracted, and `fraction` the effective
    samples per depth of a grid between fewer samples.
    """
    first, last = rows.first, rows.last
    rows = as_points(rows).packed()
    rows = rows.keep(can_be_fitted(rows))
    far = np.abs(rows.depth - rows.repeat(depth))
    order = np.lexsort((rows.depth, far, rows.row))
    rank = np.empty(order.size, dtype=np.intp)
    rank[order] = np.arange(order.size)
    near = (rank - rows.repeat(rows.offsets[:-1]) < samples) & rows.repeat(rows.size > 2)
    under = rows.repeat(floor)
    per_count = value_per_count_of(rows, under)
    used = rows.keep(near)
    x = used.depth - used.repeat(depth)
    x /= used.repeat(used.reduce(np.maximum, np.abs(x)))
    design = np.zeros((used.count, int(used.size.max(initial=1)), 3))
    place = used.row, np.arange(used.row.size) - used.offsets[used.row]
    design[place] = np.stack([np.ones_like(x), x, 0.5 * x * x], axis=1)
    unit = np.broadcast_to([1.0, 0.0, 0.0], (used.count, 3))
    with np.errstate(all="ignore"):
        square = design.mT @ design
        weights = np.vecdot(design, solved(square, unit)[:, None])
        bent = np.zeros(used.count, dtype=bool)
        if per_count is None:
            y = np.zeros(weights.shape)
            y[place] = np.log(used.value)
            found = solved(square, np.vecdot(design.mT, y[:, None]))
            rest = ((y - np.vecdot(design, found[:, None])) ** 2).sum(axis=1)
            freedom = np.where(used.size > 3, used.size - 3.0, np.nan)
            stderr = student(freedom) * np.sqrt(rest / freedom * np.vecdot(weights, weights))
            value = np.exp(found[:, 0])
        else:
            some = np.flatnonzero(used.size)
            counts, value = as_counts(used, x, per_count[near], under[near])
            stderr = np.sqrt(shared_variance(weights, fraction))
            a, error, bent[some] = _fitted(counts)
            value[some] *= np.exp(a)
            stderr[some] *= error
    status = first_status(
        (np.isnan(first) | np.isnan(depth), Status.NO_DATA),
        (~((depth >= first) & (depth <= last)), Status.TRUNCATED),
        ((rows.size < 3) | np.isnan(value), Status.NO_DATA),
        (bent, Status.WRONG_SHAPE),
    )
    # What lies between the depth and the samples that are used counts, too.
    columns = value, stderr * value, np.fmin(used.first, depth), np.fmax(used.last, depth)
    known = (status == Status.OK) | bent
    value, stderr, start, stop = (np.where(known, column, np.nan) for column in columns)
    return LocalValue(value, stderr, status, start, stop)


def _fitted(counts: Counted) -> tuple[Array, Array, Flags]:
    """Return a of ln C, its error, and where the samples have another shape than the parabola."""
    size = counts.size
    nothing = np.zeros(size.size)
    found, information = maximized(counts, nothing, nothing, nothing + PRIOR)
    large = chance_of_misfit(counts, *found) < _BY_CHANCE
    a, b, c = (np.repeat(one, size) for one in found)
    off = counts.upper - counts.lower * np.exp(a + b * counts.x + 0.5 * c * counts.x**2)
    largest, seen = counts.reduce(np.maximum, np.stack([counts.upper, np.abs(off)]))
    bent = (size > 3) & large & (seen > SEEN * largest)
    return found[0], value_stderr(information, nothing), bent
