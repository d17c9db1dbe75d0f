"""Integrals of profiles over depth, in value times depth: no units, no factor.

The trapezoid with any limits is linear in the values, so on a shared axis it is a weight for
every sample, built once, and one dot product a row. Everything else is a sum over segments: the
whole ones between the limits, and the two that the limits cut.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import Laid, columns_around, lay_out
from sims_analysis.kernels.one_axis import LogLinear, Trapezoid, piece, trapezoid_weights
from sims_analysis.kernels.rows import (
    BLOCK,
    block_of,
    blocks,
    compress,
    flat_rows,
    per_row,
)
from sims_analysis.kernels.running import cumulative
from sims_analysis.kernels.segments import log_mean, means
from sims_analysis.kernels.threads import each_block

__all__ = ["Integral", "cumulative", "integrate", "log_mean", "trapezoid_weights", "variance"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

OK, NO_DATA, TRUNCATED = 0, 1, 5


class Integral(NamedTuple):
    """Integrals of many profiles; every field has the leading shape of the values.

    ``start`` and ``stop`` are the limits within which samples were there to integrate; ``status``
    indexes ``vocabulary.STATUS``; ``fallbacks`` counts segments in which the log-linear rule met
    a value that is not positive and the trapezoid took its place.
    """

    value: Array
    start: Array
    stop: Array
    status: NDArray[np.uint8]
    fallbacks: Index


def integrate(
    depth: Array,
    value: NDArray[Any],
    start: Array | float = np.nan,
    stop: Array | float = np.nan,
    *,
    rule: str = "trapezoid",
) -> Integral:
    """Integrate profiles over depth.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value : ndarray, shape (..., n)
        In any precision; the integral is summed in float64.
    start, stop : float or ndarray, shape (...)
        Limits; NaN means the profile's own end. A limit beyond the samples counts as the end,
        and the status says ``truncated``. Limits between samples are interpolated.
    rule : {"trapezoid", "loglinear"}

    Returns
    -------
    Integral
        NaN, and status ``no_data``, where fewer than two samples bear on the interval.
    """
    rows, lead = flat_rows(value)
    axes = depth if depth.ndim == 1 else flat_rows(depth)[0]
    count = rows.shape[0]
    found = Integral(
        np.full(count, np.nan),
        np.full(count, np.nan),
        np.full(count, np.nan),
        np.full(count, NO_DATA, dtype=np.uint8),
        np.zeros(count, dtype=np.intp),
    )
    log = rule == "loglinear"
    if depth.ndim == 1 and depth.size > 1 and np.ndim(start) == np.ndim(stop) == 0:
        _on_one_axis(found, axes, rows, float(start), float(stop), log=log)
    elif rows.size:
        a, b = per_row(start, lead), per_row(stop, lead)
        _each_group(found, np.arange(count), axes, rows, a, b, log=log)
    return found._replace(**{f: getattr(found, f).reshape(lead) for f in Integral._fields})


#: Rows whose cut segments are worked on at a time.
_GROUP = 8192


def _on_one_axis(
    found: Integral, depth: Array, value: NDArray[Any], start: float, stop: float, *, log: bool
) -> None:
    z = block_of(depth, slice(None))
    a = z[0] if np.isnan(start) else max(start, z[0])
    b = z[-1] if np.isnan(stop) else min(stop, z[-1])
    if not a < b:
        return
    window = slice(
        int(np.searchsorted(z, a, side="right")) - 1, int(np.searchsorted(z, b, side="left")) + 1
    )
    integral = LogLinear(z, window, a, b) if log else Trapezoid(z, window, a, b)
    found.start[:], found.stop[:] = a, b
    found.status[:] = TRUNCATED if start < z[0] or stop > z[-1] else OK

    def make() -> Callable[[slice], None]:
        work = integral.worker(value)

        def one(block: slice) -> None:
            found.value[block], found.fallbacks[block] = work(block)

        return one

    nanoseconds = (2.5 if log else 0.3) * value.shape[0] * integral.z.size
    each_block(make, integral.blocks(value), nanoseconds, (3 if log else 2) << 20)
    for group in blocks(value.shape[0], BLOCK // _GROUP):
        integral.add_cut_segments(found.value, found.fallbacks, value, group)
    # A NaN in the sum is a sample that was not measured: these rows have own axes.
    rest = np.flatnonzero(~np.isfinite(found.value))
    if rest.size:
        found.fallbacks[rest] = 0
        limits = np.full(value.shape[0], start), np.full(value.shape[0], stop)
        _each_group(found, rest, z, value, *limits, log=log)


def _each_group(
    found: Integral,
    rows: Index,
    depth: Array,
    value: NDArray[Any],
    start: Array,
    stop: Array,
    *,
    log: bool,
) -> None:
    """Integrate rows from their own samples and between their own limits."""
    n = value.shape[1]
    nanoseconds = (5.0 if log else 3.0) * rows.size * n

    def work(group: slice) -> None:
        _on_own_axes(found, rows[group], depth, value, start, stop, log=log)

    # As large as there can be: what is done once for a group takes a while.
    size = min(_GROUP, max(_GROUP // 16, 16 * BLOCK // max(n, 1)))
    each_block(lambda: work, blocks(rows.size, 1, size), nanoseconds, 4 << 20, alone=True)


def _on_own_axes(
    found: Integral,
    group: Index,
    depth: Array,
    value: NDArray[Any],
    start: Array,
    stop: Array,
    *,
    log: bool,
) -> None:
    """Integrate the rows of a group, each from its own samples and between its own limits."""
    n = value.shape[1]
    a, b = start[group], stop[group]
    limited = not (np.isnan(a).all() and np.isnan(b).all())
    columns = columns_around(depth, group, a, b) if limited else None
    # Ends of the two segments that the limits cut, and their samples: z0, z1, c0, c1.
    cut = np.full((2, 4, group.size), np.nan)
    scratch = np.empty((2, max(n, BLOCK)))

    def work(block: slice) -> None:
        where = group[block]
        if where[-1] - where[0] == where.size - 1:
            where = slice(where[0], where[-1] + 1)  # type: ignore[assignment]  # a view, no copy
        axes, values = block_of(depth, where), block_of(value, where)
        around = None if columns is None else tuple(side[block] for side in columns)
        for depths in (False, True):
            laid = lay_out(axes, values, depths=depths)
            if laid is None:  # copied: in smaller blocks
                for part in blocks(block.stop - block.start, n):
                    work(slice(block.start + part.start, block.start + part.stop))
                return
            of_block = _whole_segments(
                laid, a[block], b[block], around, cut[:, :, block], scratch, log
            )
            # A value where there is no depth is seldom: it is looked for only if it shows.
            answers = of_block.value[of_block.status != NO_DATA]
            sound = laid.holds() and np.isfinite(answers).all()
            if axes.ndim == 1 or sound:
                break
        for name in Integral._fields:
            getattr(found, name)[where] = getattr(of_block, name)

    # Some of the work is for a block, and not for its samples.
    copied = depth.dtype != np.float64 or value.dtype != np.float64
    copied |= not (depth.flags.c_contiguous and value.flags.c_contiguous)
    for block in blocks(group.size, n, BLOCK if copied or depth.ndim == 1 else 4 * BLOCK):
        work(block)
    if limited:
        _add_cut_segments(found, group, cut, log=log)


def _whole_segments(
    laid: Laid,
    a: Array,
    b: Array,
    around: tuple[Index, ...] | None,
    cut: Array,
    scratch: Array,
    log: bool,
) -> Integral:
    """Integrate over the segments that no limit cuts; the ends of the others go into `cut`."""
    count, size = laid.begin.size, laid.value.size
    fallbacks = np.zeros(count, dtype=np.intp)
    if size < 2:
        nothing = np.full(count, np.nan)
        return Integral(nothing, nothing, nothing, np.full(count, NO_DATA, np.uint8), fallbacks)
    first, last = laid.first(), laid.last()
    u, v = np.fmax(a, first), np.fmin(b, last)
    some = (u < v) & (laid.end - laid.begin > 1)
    lo, hi = laid.begin, laid.end - 1
    if around is not None:
        lo, hi = laid.around(u, v, *around)
        for side, i in enumerate((lo, hi - 1)):
            i = np.clip(i, 0, size - 2)  # noqa: PLW2901  # rows without an integral
            cut[side] = laid.depth[i], laid.depth[i + 1], laid.value[i], laid.value[i + 1]
        lo, hi = np.minimum(lo + 1, hi), np.maximum(lo + 1, hi - 1)
    total = np.zeros(count)
    for part in blocks(count, laid.columns):
        # Rows that were copied fit one piece.
        begin, end = (
            (0, size)
            if laid.kept is not None
            else (part.start * laid.columns, part.stop * laid.columns)
        )
        i, j = (np.where(some[part], k[part] - begin, 0) for k in (lo, hi))
        j = np.minimum(j, end - begin - 1)
        z, c = laid.depth[begin:end], laid.value[begin:end]
        if log:
            area, work = scratch[:, : end - begin]
            rows = laid.begin[part] - begin
            total[part] = _whole_loglinear(z, c, rows, i, j, area, work, fallbacks[part])
        else:
            total[part] = _whole_trapezoid(z, c, i, j, scratch[0, : end - begin])
    status = np.where((a < first) | (b > last), TRUNCATED, OK)
    return Integral(
        np.where(some, total, np.nan),
        np.where(some, u, np.nan),
        np.where(some, v, np.nan),
        np.where(some, status, NO_DATA).astype(np.uint8),
        fallbacks,
    )


def _between(samples: Array, lo: Index, hi: Index) -> Array:
    """Sum samples `lo` to `hi`, the latter excluded, of each row."""
    # Between the rows' ranges lie what was not measured and what was not asked: every other sum.
    total: Array = np.add.reduceat(samples, np.stack([lo, hi], axis=1).reshape(-1))[::2]
    total[lo >= hi] = 0.0
    return total


def _whole_trapezoid(z: Array, c: Array, lo: Index, hi: Index, area: Array) -> Array:
    """Sum the segments from sample `lo` to sample `hi` of each row."""
    # An inner sample weighs half the distance between its neighbours.
    np.subtract(z[2:], z[:-2], out=area[1:-1])
    area[1:-1] *= c[1:-1]
    area[0] = area[-1] = 0.0
    total = _between(area, np.minimum(lo + 1, hi), hi)
    after, before = np.minimum(lo + 1, hi), np.maximum(hi - 1, lo)
    total += c[lo] * (z[after] - z[lo]) + c[hi] * (z[hi] - z[before])
    return 0.5 * total


def _whole_loglinear(
    z: Array,
    c: Array,
    begin: Index,
    lo: Index,
    hi: Index,
    area: Array,
    work: Array,
    fallbacks: Index,
) -> Array:
    """Sum the segments from sample `lo` to sample `hi` of each row, which begin at `begin`."""
    fell = means(c[:-1], c[1:], area[:-1], work[:-1], log=True)
    np.subtract(z[1:], z[:-1], out=work[:-1])
    area[:-1] *= work[:-1]
    area[-1] = 0.0
    if fell.size:
        row = np.searchsorted(begin, fell, side="right") - 1
        whole = (fell >= lo[row]) & (fell < hi[row])
        fallbacks += np.bincount(row[whole], minlength=lo.size)
    return _between(area, lo, hi)


def _add_cut_segments(found: Integral, group: Index, cut: Array, *, log: bool) -> None:
    some = found.status[group] != NO_DATA
    rows = group[some]
    first, last = cut[0][:, some], cut[1][:, some]
    a, b = found.start[rows], found.stop[rows]
    area, fell = piece(
        (first[0], first[1]), (first[2], first[3]), (a, np.minimum(b, first[1])), log=log
    )
    found.value[rows] += area
    found.fallbacks[rows] += fell
    # Where both limits lie in one segment, it has been counted.
    two = last[0] > first[0]
    rows, last, b = rows[two], last[:, two], b[two]
    area, fell = piece((last[0], last[1]), (last[2], last[3]), (last[0], b), log=log)
    found.value[rows] += area
    found.fallbacks[rows] += fell


def variance(
    depth: Array, stderr: NDArray[Any], start: Array | float = np.nan, stop: Array | float = np.nan
) -> Array:
    """Variance of the trapezoidal integral of independent samples: the sum of (w_i sigma_i)^2.

    Parameters
    ----------
    depth, start, stop
        As for :func:`integrate`.
    stderr : ndarray, shape (..., n)
        Standard error of every sample; NaN where there is no sample.

    Returns
    -------
    ndarray, shape (...)
        NaN where fewer than two samples bear on the interval.
    """
    rows_stderr, lead = flat_rows(stderr)
    axes = depth if depth.ndim == 1 else flat_rows(depth)[0]
    start, stop = per_row(start, lead), per_row(stop, lead)
    total = np.full(rows_stderr.shape[0], np.nan)

    def work(block: slice) -> None:
        rows = compress(block_of(axes, block), block_of(rows_stderr, block))
        if rows.depth.size < 2:
            return
        first, last = rows.first(), rows.last()
        a, b = np.fmax(start[block], first), np.fmin(stop[block], last)
        some = (a < b) & (rows.size > 1)
        # Any limits will do for rows without an integral.
        a, b = np.where(some, a, 0.0), np.where(some, b, 0.0)
        row = rows.row[:-1]
        weights = trapezoid_weights(rows.depth, a[row], b[row], rows.seams)
        total[block] = np.where(some, rows.sum((weights * rows.value) ** 2), np.nan)

    cut = blocks(rows_stderr.shape[0], rows_stderr.shape[1], BLOCK // 2)
    each_block(lambda: work, cut, 10.0 * rows_stderr.size, 3 << 20, alone=True)
    return total.reshape(lead)
