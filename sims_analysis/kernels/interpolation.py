"""Values between samples, and the values themselves on samples."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.columns import Columns
from sims_analysis.kernels.gaps import runs
from sims_analysis.kernels.rows import BLOCK, block_of, blocks, flat_rows, precision
from sims_analysis.kernels.threads import each_block
from sims_analysis.kernels.within_segments import between

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
    columns = Columns(depth, at) if one_search else None

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
