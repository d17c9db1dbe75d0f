"""Integrals of profiles over depth, in value times depth: no units, no factor.

The trapezoid with any limits is linear in the values, so on a shared axis it is a weight for
every sample, built once, and one dot product a row. Everything else is a sum over segments: the
whole ones between the limits, and the two that the limits cut.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import Laid, as_they_lie, packed
from sims_analysis.kernels.one_axis import LogLinear, Trapezoid, piece, trapezoid_weights
from sims_analysis.kernels.rows import (
    BLOCK,
    block_of,
    blocks,
    flat_rows,
    per_row,
    run_of,
)
from sims_analysis.kernels.running import cumulative
from sims_analysis.kernels.segments import log_mean, means
from sims_analysis.kernels.threads import each_block

__all__ = ["Integral", "cumulative", "integrate", "log_mean", "trapezoid_weights"]

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
    unknown = np.full((3, count), np.nan)
    found = Integral(
        unknown[0],
        unknown[1],
        unknown[2],
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
_GROUP = 4096

#: Samples worked on at a time where they are read as they lie: some of the work is for a block.
_MANY = 8 * BLOCK


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
            found.value[block], found.fallbacks[block], ends = work(block)
            if ends is not None:
                row, *own = ends
                _limit(found, row + block.start, (start, stop), (a, b), own)

        return one

    nanoseconds = (2.5 if log else 0.3) * value.shape[0] * integral.z.size
    each_block(make, integral.blocks(value), nanoseconds, (4 if log else 2) << 20)
    for group in blocks(value.shape[0], BLOCK // _GROUP):
        integral.add_cut_segments(found.value, found.fallbacks, value, group)
    # A NaN in the sum is a sample that was not measured: these rows have own axes.
    rest = np.flatnonzero(~np.isfinite(found.value) & (found.status != NO_DATA))
    if rest.size:
        found.fallbacks[rest] = 0
        limits = np.full(value.shape[0], start), np.full(value.shape[0], stop)
        _each_group(found, rest, z, value, *limits, log=log, gaps=True)


def _limit(
    found: Integral,
    rows: Index,
    asked: tuple[float, float],
    within: tuple[float, float],
    ends: list[Array],
) -> None:
    """State the limits of rows whose own samples may begin or end within those of the axis."""
    (start, stop), (first, last) = asked, ends
    a, b = np.fmax(within[0], first), np.fmin(within[1], last)
    found.start[rows], found.stop[rows] = a, b
    found.status[rows] = np.where((start < first) | (stop > last), TRUNCATED, OK)
    none = rows[~(a < b)]
    found.status[none], found.fallbacks[none] = NO_DATA, 0
    for field in (found.value, found.start, found.stop):
        field[none] = np.nan


def _each_group(
    found: Integral,
    rows: Index,
    depth: Array,
    value: NDArray[Any],
    start: Array,
    stop: Array,
    *,
    log: bool,
    gaps: bool = False,
) -> None:
    """Integrate rows, which may be known to have gaps, from their own samples and limits."""

    def make() -> Callable[[slice], None]:
        own = _OwnAxes(found, depth, value, start, stop, log=log)
        return lambda group: own.integrate(rows[group], gaps=gaps)

    nanoseconds = (5.0 if log else 2.0) * rows.size * value.shape[1]
    each_block(make, blocks(rows.size, 1, _GROUP), nanoseconds, 4 << 20, alone=True)


class _OwnAxes:
    """Integrals of rows, each from its own samples and between its own limits."""

    def __init__(
        self,
        found: Integral,
        depth: Array,
        value: NDArray[Any],
        start: Array,
        stop: Array,
        *,
        log: bool,
    ) -> None:
        self.found, self.value, self.log = found, value, log
        self.limits = start, stop
        direct = all(x.dtype == np.float64 and x.flags.c_contiguous for x in (depth, value))
        self.size = _MANY if direct and depth.ndim > 1 else BLOCK
        # Twice as many arrays for logarithms, that all must fit the cache.
        self.size = min(self.size, 3 * BLOCK) if log else self.size
        count, n = value.shape
        self.most = min(count, max(1, self.size // n))
        self.shared = depth.ndim == 1
        self.scratch = np.empty((2 if log else 1, 0))
        self.depth = block_of(depth, slice(None)) if self.shared else depth

    @cached_property
    def tiled(self) -> Array:
        """The one axis, once for each row of a block."""
        return np.tile(self.depth, (self.most, 1))

    def integrate(self, rows: Index, *, gaps: bool) -> None:
        """Integrate a group of rows."""
        a, b = self._limits(rows)
        free = np.isnan(a) & np.isnan(b)
        if 0 < np.count_nonzero(free) < rows.size:
            # Whole profiles are summed in one go, whether or not others have limits.
            for some in (rows[free], rows[~free]):
                self.integrate(some, gaps=gaps)
            return
        left = rows if gaps else self._between_limits(rows, as_they_lie)
        if left.size == 0:
            return
        self.found.fallbacks[left] = 0
        self._between_limits(left, packed)

    def _limits(self, rows: Index) -> list[Array]:
        return [limit[run_of(rows)] for limit in self.limits]

    def _laid(self, where: Index | slice, lay: Callable[..., Laid]) -> Laid:
        z, c = block_of(self.depth, where), block_of(self.value, where)
        if self.shared:
            return lay(self.tiled[: len(c)], c, z)
        return lay(z, c)

    def _between_limits(self, rows: Index, lay: Callable[..., Laid]) -> Index:
        """Integrate rows that are laid out in one way; give those that need another."""
        a, b = self._limits(rows)
        limited = np.count_nonzero(np.isnan(a)) + np.count_nonzero(np.isnan(b)) < 2 * rows.size
        # Ends of the two segments that the limits cut, and their samples: z0, z1, c0, c1.
        cut = np.empty((4, 2, rows.size)) if limited else None
        as_is = lay is as_they_lie
        again = np.zeros(rows.size, dtype=bool)
        for block in blocks(rows.size, self.value.shape[1], self.size if as_is else BLOCK):
            where = run_of(rows[block])
            laid = self._laid(where, lay)
            if laid.doubtful is not None:
                again[block] = laid.doubtful
                if np.count_nonzero(laid.doubtful) == laid.doubtful.size:
                    continue
            of_block = None if cut is None else cut[:, :, block]
            answers = self._whole_segments(laid, a[block], b[block], of_block)
            for name, answer in zip(Integral._fields, answers, strict=True):
                getattr(self.found, name)[where] = answer
        every = run_of(rows)
        there = self.found.status[every] != NO_DATA
        if cut is not None:
            some = there & ~again
            if np.count_nonzero(some) == rows.size:
                _add_cut_segments(self.found, every, cut, log=self.log)
            else:
                _add_cut_segments(self.found, rows[some], cut[:, :, some], log=self.log)
        # A NaN in the sum is a sample, or a depth, that is missing.
        again |= there & ~np.isfinite(self.found.value[every])
        return rows[again]

    def _whole_segments(self, laid: Laid, a: Array, b: Array, cut: Array | None) -> Integral:
        """Integrate over the segments that no limit cuts; the ends of the others go into `cut`."""
        z, c, count = laid.depth, laid.value, laid.begin.size
        fallbacks = np.zeros(count, dtype=np.intp)
        if z.size < 2:
            nothing = np.full(count, np.nan)
            return Integral(nothing, nothing, nothing, np.full(count, NO_DATA, np.uint8), fallbacks)
        first, last = laid.ends()
        u, v = np.fmax(a, first), np.fmin(b, last)
        some = (u < v) & (laid.end - laid.begin > 1)
        every = np.count_nonzero(some) == count
        lo, hi = (laid.begin, laid.end - 1) if cut is None else laid.around(u, v)
        if not every:
            lo, hi = np.where(some, lo, 0), np.where(some, hi, 1)
        if cut is not None:
            ends = np.empty((2, 2, count), dtype=np.intp)
            ends[0, 0], ends[0, 1] = lo, hi - 1
            np.add(ends[0], 1, out=ends[1])
            z.take(ends, out=cut[:2], mode="clip")
            c.take(ends, out=cut[2:], mode="clip")
            after = ends[1, 0]
            lo, hi = np.minimum(after, hi), np.maximum(after, ends[0, 1])
        if self.scratch.shape[1] < z.size:
            self.scratch = np.empty((len(self.scratch), z.size))
        if self.log:
            area, work = self.scratch[:, : z.size]
            # Infinite values must show, but only at first.
            lowest = np.nan if laid.doubtful is None else float(c.min())
            fell = means(c[:-1], c[1:], area[:-1], work[:-1], log=True, lowest=lowest)
            np.subtract(z[1:], z[:-1], out=work[:-1])
            area[:-1] *= work[:-1]
            area[-1] = 0.0
            if fell.size:
                fallbacks = np.maximum(fell.searchsorted(hi) - fell.searchsorted(lo), 0)
            total = _between(area, lo, hi)
        else:
            total = _whole_trapezoid(z, c, lo, hi, self.scratch[0, : z.size])
        status = np.where((a < first) | (b > last), TRUNCATED, OK)
        if not every:
            status[~some] = NO_DATA
            total[~some] = u[~some] = v[~some] = np.nan
            fallbacks[~some] = 0
        return Integral(total, u, v, status, fallbacks)


def _between(samples: Array, lo: Index, hi: Index) -> Array:
    """Sum samples `lo` to `hi`, the latter excluded, of each row."""
    # Between the rows' ranges lie what was not measured and what was not asked: every other sum.
    edges = np.empty((lo.size, 2), dtype=np.intp)
    edges[:, 0], edges[:, 1] = lo, hi
    total: Array = np.add.reduceat(samples, edges.reshape(-1))[::2]
    empty = lo >= hi
    if np.count_nonzero(empty):
        total[empty] = 0.0
    return total


def _whole_trapezoid(z: Array, c: Array, lo: Index, hi: Index, area: Array) -> Array:
    """Sum the segments from sample `lo` to sample `hi` of each row."""
    # An inner sample weighs half the distance between its neighbours.
    np.subtract(z[2:], z[:-2], out=area[1:-1])
    area[1:-1] *= c[1:-1]
    area[0] = area[-1] = 0.0
    after, before = np.minimum(lo + 1, hi), np.maximum(hi - 1, lo)
    total = _between(area, after, hi)
    for end, left, right in ((lo, lo, after), (hi, before, hi)):
        width = z.take(right)
        width -= z.take(left)
        width *= c.take(end)
        total += width
    total *= 0.5
    return total


def _add_cut_segments(found: Integral, rows: Index | slice, cut: Array, *, log: bool) -> None:
    """Add the parts of the two segments of each row that its limits cut."""
    if cut.size == 0:
        return
    z0, z1, c0, c1 = cut.reshape(4, -1)
    a, b = found.start[rows], found.stop[rows]
    u = np.concatenate([a, cut[0, 1]])
    v = np.concatenate([np.minimum(b, cut[1, 0]), b])
    area, fell = piece((z0, z1), (c0, c1), (u, v), log=log)
    area, fell = area.reshape(2, -1), fell.reshape(2, -1)
    # Where both limits lie in one segment, it counts once.
    two = cut[0, 1] > cut[0, 0]
    area[1, ~two] = 0.0
    found.value[rows] += area[0] + area[1]
    found.fallbacks[rows] += fell[0].astype(np.intp) + (fell[1] & two)
