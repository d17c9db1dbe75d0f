"""Values between samples, and the values themselves on samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.gaps import gaps, number_of, number_of_gaps, runs
from sims_analysis.kernels.rows import BLOCK, block_of, blocks, flat_rows, precision, run_of
from sims_analysis.kernels.segments import lowest_of
from sims_analysis.kernels.threads import each_block
from sims_analysis.kernels.within_segments import ROUNDING, between, write_between

__all__ = ["METHODS", "between", "interpolate"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]

METHODS = ("log", "linear", "pchip", "makima")


def interpolate(
    depth: Array, value: NDArray[Any], at: Array, *, method: str = "log"
) -> tuple[NDArray[Any], Index]:
    """Evaluate profiles at depths; never outside their own samples.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (..., n)
    value : ndarray, shape (..., n)
    at : ndarray, shape (m,) or (..., m)
        Depths asked for, the same for all rows or each row's own.
    method : {"log", "linear", "pchip", "makima"}
        The two splines go through ln C where every sample of a row is positive, else through C.

    Returns
    -------
    result : ndarray, shape (..., m)
        NaN outside the samples of the row; bit for bit the sample on a sample. Computed in
        float64, given back in float32 where the values are float32.
    fallbacks : ndarray of int, shape (...)
        Depths of each row at which a logarithm was asked for and could not be taken.
    """
    rows_value, lead = flat_rows(value)
    axes = depth if depth.ndim == 1 else flat_rows(depth)[0]
    count, m = rows_value.shape[0], at.shape[-1]
    asked = at if at.ndim == 1 else np.broadcast_to(at, (*lead, m)).reshape(count, m)
    result = np.empty((count, m), dtype=precision(value))
    fallbacks = np.zeros(count, dtype=np.intp)
    if result.size and rows_value.shape[1]:
        if method in ("log", "linear"):
            _piecewise(axes, rows_value, asked, result, fallbacks, log=method == "log")
        else:
            _splines(axes, rows_value, asked, result, fallbacks, method)
    else:
        result.fill(np.nan)
    return result.reshape(*lead, m), fallbacks.reshape(lead)


def _piecewise(
    depth: Array,
    value: NDArray[Any],
    at: Array,
    result: NDArray[Any],
    fallbacks: Index,
    *,
    log: bool,
) -> None:
    one_search = depth.ndim == at.ndim == 1 and depth.size > 1
    columns = _Columns(depth, at) if one_search else None

    def make() -> Callable[[slice], None]:
        scratch = np.empty((3, 0))

        def one(block: slice) -> None:
            nonlocal scratch
            c, z = block_of(value, block), block_of(depth, block)
            if columns is None:
                where = np.broadcast_to(at if at.ndim == 1 else at[block], result[block].shape)
                result[block], fallbacks[block] = _between_own(z, c, where, log=log)
                return
            if scratch.shape[1] < len(c) * columns.segment.size:
                scratch = np.empty((3, len(c) * columns.segment.size))
            columns.evaluate(c, result[block], fallbacks[block], scratch, log=log)

        return one

    count, longest = value.shape[0], max(value.shape[1], at.shape[-1])
    # Gathering takes as long as the arithmetic, and longer where every row has its own place.
    nanoseconds = result.size * (5.0 if columns is not None else 40.0)
    size = 4 * BLOCK if columns is not None else BLOCK
    each_block(make, blocks(count, longest, size), nanoseconds, 4 << 20)


class _Columns:
    """Depths asked of all rows on one axis: the axis is searched once."""

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


def _between_own(z: Array, c: Array, at: Array, *, log: bool) -> tuple[Array, Index]:
    """Interpolate each row between its own measured samples."""
    rows, n = c.shape
    length = np.full(rows, n)
    simple = length > 1
    if np.isnan(c.min(initial=0.0) + z.min(initial=0.0)):
        length, simple = runs(z, c)
        simple &= length > 1
    if np.count_nonzero(simple) == rows:
        return _between_neighbours(z, c, length, at, log=log)
    found, fallbacks = np.empty(at.shape), np.empty(rows, dtype=np.intp)
    for some in (simple, ~simple):
        part = z if z.ndim == 1 else z[some], c[some]
        if some is simple:
            answers = _between_neighbours(*part, length[some], at[some], log=log)
        else:
            answers = _over_gaps(*part, at[some], log=log)
        found[some], fallbacks[some] = answers
    return found, fallbacks


def _between_neighbours(
    z: Array, c: Array, length: Index, at: Array, *, log: bool
) -> tuple[Array, Index]:
    """Interpolate rows of two samples or more, that have no gaps but padding at the end."""
    rows, n = c.shape
    if z.ndim == 1:
        last = length[:, None]
        column = np.minimum(z.searchsorted(at, side="right"), last)
    else:
        column = np.empty(at.shape, dtype=np.intp)
        for row, end in enumerate(length.tolist()):
            column[row] = z[row, :end].searchsorted(at[row], side="right")
    column -= 1
    np.maximum(column, 0, out=column)
    np.minimum(column, length[:, None] - 2, out=column)
    place = column + np.arange(0, rows * n, n)[:, None]
    depths, samples = z.reshape(-1), c.reshape(-1)
    where = column if z.ndim == 1 else place
    z0, c0 = depths.take(where), samples.take(place)
    where += 1
    if where is not place:
        place += 1
    z1, c1 = depths.take(where), samples.take(place)
    inside = at >= z0
    inside &= at <= z1
    z1 -= z0
    t = np.subtract(at, z0, out=z0)
    t /= z1
    np.clip(t, 0.0, 1.0, out=t)
    found, fell = between(c0, c1, t, log=log)
    if np.count_nonzero(inside) < inside.size:
        found[~inside] = np.nan
        fell &= inside
    return found, np.count_nonzero(fell, axis=1)


def _over_gaps(z: Array, c: Array, at: Array, *, log: bool) -> tuple[Array, Index]:
    """Interpolate each row between its measured samples, whatever lies between them."""
    rows, n = c.shape
    absent = np.isnan(c) | np.isnan(z)
    kept = np.flatnonzero(~absent)
    found = np.full(at.shape, np.nan)
    if kept.size == 0:
        return found, np.zeros(rows, dtype=np.intp)
    # The last measured sample that is not deeper, of each depth asked for, and the one after.
    begin = np.searchsorted(kept, np.arange(rows + 1) * n)
    laid = (z[kept % n] if z.ndim == 1 else z.reshape(-1)[kept]), c.reshape(-1)[kept]
    place = np.empty(at.shape, dtype=np.intp)
    for row in range(rows):
        samples = laid[0][begin[row] : begin[row + 1]]
        place[row] = samples.searchsorted(at[row], side="right")
    place += begin[:-1, None] - 1
    before, last = np.maximum(place, begin[:-1, None]), np.maximum(begin[1:, None] - 1, 0)
    before, after = np.minimum(before, last), np.minimum(place + 1, last)
    z0, z1 = laid[0][before], laid[0][after]
    inside = (at >= z0) & (at <= z1) & (begin[1:] > begin[:-1])[:, None]
    where = np.flatnonzero(inside)
    before, after = before.reshape(-1)[where], after.reshape(-1)[where]
    width = laid[0][after] - laid[0][before]
    # A depth on the last sample has no segment, and needs none.
    t = (at.reshape(-1)[where] - laid[0][before]) / np.where(width > 0, width, 1.0)
    value, fell = between(laid[1][before], laid[1][after], t, log=log)
    found.reshape(-1)[where] = value
    return found, np.bincount(where[fell] // at.shape[1], minlength=rows)


def _splines(
    depth: Array,
    value: NDArray[Any],
    at: Array,
    result: NDArray[Any],
    fell_back: Index,
    method: str,
) -> None:
    at = np.broadcast_to(at, result.shape)
    result.fill(np.nan)
    for row in range(result.shape[0]):
        z, c = block_of(depth, [row]).reshape(-1), block_of(value, [row])[0]  # type: ignore[arg-type]
        measured = ~(np.isnan(c) | np.isnan(z))
        z, c = z[measured], c[measured]
        if z.size < 2:
            result[row] = np.where(np.isin(at[row], z), c[0] if z.size else np.nan, np.nan)
            continue
        inside = (at[row] >= z[0]) & (at[row] <= z[-1])
        positive = bool((c > 0).all())
        curve = _spline(z, np.log(c) if positive else c, method)
        found = curve(at[row][inside])
        result[row, inside] = np.exp(found) if positive else found
        fell_back[row] = 0 if positive else np.count_nonzero(inside)
        # On a sample it is that sample, bit for bit, which exp(ln C) is not.
        position = np.clip(np.searchsorted(z, at[row]), 0, z.size - 1)
        on_sample = z[position] == at[row]
        result[row, on_sample] = c[position[on_sample]]


def _spline(z: Array, y: Array, method: str):  # type: ignore[no-untyped-def]  # noqa: ANN202  # scipy is untyped
    from scipy.interpolate import Akima1DInterpolator, PchipInterpolator

    if method == "pchip" or z.size < 3:
        return PchipInterpolator(z, y)
    return Akima1DInterpolator(z, y, method="makima")
