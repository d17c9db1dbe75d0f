"""Values between samples on one axis, at depths asked of all rows: the axis is searched once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import gaps, number_of, number_of_gaps
from sims_analysis.kernels.rows import blocks, run_of
from sims_analysis.kernels.segments import lowest_of
from sims_analysis.kernels.within_segments import ROUNDING, between, write_between

__all__ = ["Columns"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Columns:
    """Depths asked of all rows on one axis."""

    def __init__(self, depth: Array, at: Array) -> None:
        self.count, self.asked = at.size, at
        self.column = np.searchsorted(depth, at, side="right") - 1
        self.inside = np.flatnonzero((at >= depth[0]) & (at <= depth[-1]))
        within = at[self.inside]
        segment = np.clip(np.searchsorted(depth, within, side="right") - 1, 0, depth.size - 2)
        t = (within - depth[segment]) / (depth[segment + 1] - depth[segment])
        # On a sample it is that sample, and takes no arithmetic.
        exact = np.isin(t, (0.0, 1.0))
        self.exact, self.sample = self.inside[exact], (segment + (t == 1))[exact]
        inner = self.inside[~exact]
        self.segment, self.t = segment[~exact], t[~exact]
        # A run of depths is a slice, which is written to without an index.
        run = inner.size > 0 and inner[-1] - inner[0] == inner.size - 1
        self.inner: slice | Index = slice(inner[0], inner[-1] + 1) if run else inner
        self.outside = np.flatnonzero(~((at >= depth[0]) & (at <= depth[-1])))
        self.depth = depth
        # Depths at regular distances are read where they lie.
        self.regular: tuple[slice, slice] | None = None
        if self.segment.size > 1:
            first, last = int(self.segment[0]), int(self.segment[-1])
            step = int(self.segment[1]) - first
            if step > 0 and (np.diff(self.segment) == step).all():
                self.regular = slice(first, last + 1, step), slice(first + 1, last + 2, step)
        closest = np.minimum(self.t, 1 - self.t).min(initial=0.5)
        self.nearest = ROUNDING / closest if closest > 1e-9 else np.inf

    def evaluate(
        self, c: Array, result: NDArray[Any], fallbacks: Index, scratch: Array, *, log: bool
    ) -> None:
        """Interpolate a block of rows into `result`; count where no logarithm could be taken."""
        # Read from end to end before single samples are: memory is faster in order.
        lowest = float(c.min())
        if not np.isnan(lowest):
            self._between_neighbours(c, result, fallbacks, scratch, lowest, log=log)
            return
        many = _of_many_gaps(c)
        if 2 * np.count_nonzero(many) > many.size:
            # Most of what would be found between neighbours would not be there.
            self._look_up(c, np.flatnonzero(many), result, fallbacks, log=log)
            rest = np.flatnonzero(~many)
            if rest.size:
                found, fell = np.empty((rest.size, self.count), result.dtype), fallbacks[rest]
                self.evaluate(c[rest], found, fell, scratch, log=log)
                result[rest], fallbacks[rest] = found, fell
            return
        self._between_neighbours(c, result, fallbacks, scratch, lowest_of(c), log=log)
        unknown = np.isnan(result)
        unknown[:, self.outside] = False
        rows = np.flatnonzero(np.logical_or.reduce(unknown, axis=1))
        few = rows[~many[rows]]
        for part in blocks(few.size, max(self.count, c.shape[1])):  # gaps take more memory
            where = few[part]
            missing = np.isnan(c[run_of(where)])
            # Beyond the first and the last sample of a row there is nothing to be found.
            ends = missing[:, 0].astype(np.int32) + missing[:, -1]
            inner = np.flatnonzero(number_of_gaps(missing) > ends)
            if inner.size:
                some = where[inner]
                self._step_over(
                    c[run_of(some)],
                    missing[run_of(inner)],
                    unknown[some],
                    some,
                    result,
                    fallbacks,
                    log=log,
                )
        self._look_up(c, rows[many[rows]], result, fallbacks, log=log)

    def _between_neighbours(
        self,
        c: Array,
        result: NDArray[Any],
        fallbacks: Index,
        scratch: Array,
        lowest: float,
        *,
        log: bool,
    ) -> None:
        """Interpolate between the samples beside each depth; NaN where one of them is missing."""
        rows = c.shape[0]
        shape, size = (rows, self.segment.size), rows * self.segment.size
        c0, c1, spare = (array[:size].reshape(shape) for array in scratch)
        if self.regular is None:
            np.take(c, self.segment, axis=1, out=c0, mode="clip")
            np.take(c, self.segment + 1, axis=1, out=c1, mode="clip")
        else:
            c0, c1 = (c[:, some] for some in self.regular)
        whole = result.dtype == np.float64 and shape == result.shape  # nothing else to write
        value = result if whole else np.empty(shape)
        fell = write_between(
            c0, c1, self.t, value, spare, log=log, nearest=self.nearest, lowest=lowest
        )
        result[:, self.outside] = np.nan
        result[:, self.exact] = np.take(c, self.sample, axis=1)
        if value is not result:
            result[:, self.inner] = value
        if fell.size:
            fallbacks += np.bincount(fell // shape[1], minlength=rows)

    def _step_over(
        self,
        c: Array,
        missing: NDArray[np.bool_],
        unknown: NDArray[np.bool_],
        where: Index,
        result: NDArray[Any],
        fallbacks: Index,
        *,
        log: bool,
    ) -> None:
        """Interpolate over the few gaps of rows, where that is not known yet.

        Parameters
        ----------
        c, missing : ndarray, shape (R, n)
            Rows, and the places in them without a sample.
        unknown : ndarray of bool, shape (R, m)
            Depths within the axis beside which a sample is missing.
        where : ndarray of int, shape (R,)
            Where the rows are in `result` and `fallbacks`, which are written to.
        """
        n, found = c.shape[1], gaps(missing)
        # The gap that each missing sample is in.
        length = found.after - found.before - 1
        gap_of = np.empty(c.size, dtype=np.intp)
        gap_of[found.absent] = np.repeat(np.arange(length.size), length)
        place = np.flatnonzero(unknown)
        row = place // self.count
        which = place - row * self.count
        column = self.column[which]
        place = row * n + column
        here = missing.take(place)
        gap = gap_of.take(place + ~here)
        before = np.where(here, found.before.take(gap), column)
        after = found.after.take(gap)
        inside = np.flatnonzero((before >= 0) & (after < n))
        if inside.size < place.size:
            row, which, before, after = (x[inside] for x in (row, which, before, after))
        z0 = self.depth.take(before)
        t = (self.asked.take(which) - z0) / (self.depth.take(after) - z0)
        first = row * n
        value, fell = between(c.take(first + before), c.take(first + after), t, log=log)
        into = where.take(row)
        result[into, which] = value
        if np.count_nonzero(fell):
            fallbacks += np.bincount(into[fell], minlength=fallbacks.size)

    def _look_up(
        self, c: Array, rows: Index, result: NDArray[Any], fallbacks: Index, *, log: bool
    ) -> None:
        """Interpolate some of the rows, with many gaps."""
        for part in blocks(rows.size, max(self.count, c.shape[1])):
            where = rows[part]
            some = c[run_of(where)]
            row = np.arange(where.size)[:, None]
            result[where], fell = _from_samples(
                self.depth, some, np.isnan(some), row, self.column, self.asked, log=log
            )
            fallbacks[where] = np.count_nonzero(fell, axis=1)


def _of_many_gaps(c: Array) -> NDArray[np.bool_]:
    """Tell the rows in which gaps are many."""
    most = c.shape[1] // _SCATTERED
    many = np.zeros(len(c), dtype=bool)
    for part in blocks(*c.shape):
        missing = np.isnan(c[part])
        # There are no more gaps than missing samples, which are sooner counted.
        if np.count_nonzero(number_of(missing) > most):
            many[part] = number_of_gaps(missing) > most
    return many


#: Gaps are few where they are less than one in so many samples.
_SCATTERED = 12


def _from_samples(
    z: Array,
    c: Array,
    missing: NDArray[np.bool_],
    row: Index,
    column: Index,
    at: Array,
    *,
    log: bool,
) -> tuple[Array, NDArray[np.bool_]]:
    """Interpolate between the measured samples of rows ``(R, n)`` on one axis.

    Parameters
    ----------
    row, column : ndarray of int
        Rows asked, and the last depth of the axis that is not below each depth `at`, or -1.
    """
    n = z.size
    kept = np.flatnonzero(~missing)
    shape = np.broadcast_shapes(row.shape, at.shape)
    if kept.size == 0:
        return np.full(shape, np.nan), np.zeros(shape, dtype=bool)
    edges = kept.searchsorted(np.arange(0, missing.size + 1, n))
    begin, end = edges[row], edges[row + 1]
    # How many samples there are up to each place, itself included: counted, unless few are asked.
    place = row * n + column
    if place.size * _RARE < missing.size:
        after = kept.searchsorted(place, side="right")
    else:
        after = np.cumsum(~missing, dtype=np.int32).take(place, mode="clip").astype(np.intp)
        np.copyto(after, begin, where=column < 0)
    before = after - 1
    np.minimum(after, end - 1, out=after)
    inside = before >= begin
    before, after = kept.take(before, mode="clip"), kept.take(after, mode="clip")
    c0, c1 = c.take(before), c.take(after)
    first = row * n
    before -= first
    after -= first
    z0, z1 = z.take(before, mode="clip"), z.take(after, mode="clip")
    inside &= at <= z1
    z1 -= z0
    z1[z1 <= 0.0] = 1.0  # on the last sample, which has no segment and needs none
    t = np.subtract(at, z0, out=z0)
    t /= z1
    found, fell = between(c0, c1, t, log=log)
    if np.count_nonzero(inside) < inside.size:
        np.putmask(found, ~inside, np.nan)
        fell &= inside
    return found, fell


#: Where samples are so many times the depths asked, they are not counted one by one.
_RARE = 30
