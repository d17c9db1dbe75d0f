"""Surface transients: profiles that begin high, and have a maximum deeper."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from sims_analysis.kernels.rows import Array, Flags, Marks, Rows
from sims_analysis.outcomes import Flag


@dataclass(frozen=True)
class _Rules:
    """The numbers by which a surface transient is distinguished from an implant."""

    width: int = 5  # samples in the running median
    ratio: float = 2.0  # a maximum exceeds the minimum above it by this factor,
    falls: float = 0.1  # falls again by this part of its height,
    stands_out: float = 18.0  # and rises by so many times the noise of the mean of its samples
    least: float = 1 / 3  # the first sample is this part of that maximum,
    clearly: float = 8.0  # and it and the next exceed the lowest by so many times noise there,
    of_counts: float = 3.0  # and of their own counts, if the least of all samples is one
    deepest: float = 50.0  # it ends above this depth, in nm (or s), if it surely is one,
    matters: float = 0.01  # and matters if it makes this part of an answer
    off: float = 4.0  # the first samples differ from a plateau by so many times noise


RULES = _Rules()


class Transient(NamedTuple):
    """The first sample of a window, and a maximum that lies deeper; (R,), NaN without a transient.

    ``end`` is the depth between them where the profile is lowest, ``above`` the integral to there.
    """

    depth: Array
    value: Array
    deeper_depth: Array
    deeper_value: Array
    end: Array
    above: Array


def surface_transient(
    rows: Rows, start: Array, stop: Array, most: int | None = None, among: Flags | None = None
) -> Transient:
    """Find windows that begin in the surface transient above an implant.

    There is a deeper maximum: the running median rises to more than twice its lowest value so far,
    by more than its noise, and falls again. The first sample is the highest up to where the median
    is lowest, a third of that maximum at least, and more than twice the lowest, by more than noise.
    If it is not the highest of all, more than 1 % of the integral lies above the lowest.

    And those that carry one. On a grid finer than the samples, which scatter less, it is known of
    the samples that the grid was made of. Of the rows `among` all that may have one, `most` are
    looked at.
    """
    carried, rows = rows.carried, rows.within(start, stop)
    columns = np.full((6, rows.count), np.nan)
    if carried is not None:
        _carried(rows, carried, columns)
    long = (rows.size > 2 * RULES.width) & (rows.share == 1) & np.isnan(columns[0])
    candidates = np.flatnonzero(long if among is None else long & among)
    for n_samples in (4, 16):
        first = rows.value_at(rows.offsets[candidates])
        candidates = candidates[first >= RULES.least * rows.sampled_maximum(candidates, n_samples)]
    for row in candidates[:most]:
        samples = slice(rows.offsets[row], rows.offsets[row + 1])
        c = rows.value.reshape(-1)[samples]
        if c[0] < RULES.least * c.max():
            continue
        z = rows.depth_at(np.arange(samples.start, samples.stop))
        stderr = None if rows.stderr is None else rows.stderr.reshape(-1)[samples]
        around = np.lib.stride_tricks.sliding_window_view(c, RULES.width)
        smooth = np.partition(around, RULES.width // 2, axis=1)[:, RULES.width // 2]
        deeper = _deeper(c, smooth, stderr)
        if not deeper:
            continue
        lowest = RULES.width // 2 + int(np.argmin(smooth[: max(deeper - RULES.width // 2, 1)]))
        low = max(float(smooth[lowest - RULES.width // 2]), 0.0)
        noise = float(np.std(c[(lowest + 1) // 2 : lowest + RULES.width]))
        pair, least = c[0] + c[1], float(c[c > 0].min())
        above = (
            pair - 2.0 * low - max(RULES.clearly * noise, RULES.of_counts * (pair * least) ** 0.5)
        )
        part, total = (np.trapezoid(c[:end], z[:end]) for end in (lowest + 1, c.size))
        notable = c[0] == c.max() or part > RULES.matters * total
        if c[0] >= max(c[:lowest].max(), RULES.ratio * low) and above > 0 and notable:
            columns[:, row] = z[0], c[0], z[deeper], c[deeper], z[lowest], part
    return Transient(*columns)


def _carried(rows: Rows, carried: Marks, columns: Array) -> None:
    """Enter the transients that rows carry at their first sample."""
    for i in np.flatnonzero(carried.flag == Flag.TRANSIENT):
        # A convolution carries it deeper, and it is as sure as before.
        row, end = carried.row[i], min(carried.last[i], np.nextafter(RULES.deepest, 0.0))
        in_row = np.arange(*rows.offsets[row : row + 2])
        depth, value = rows.depth_at(in_row), rows.value_at(in_row)
        below = np.flatnonzero(depth > end)
        if below.size and carried.first[i] <= depth[0] <= end:
            top = below[np.argmax(value[below])]
            # Half of the segment across the end, which on a coarse grid is all there is.
            above = np.trapezoid(value[depth <= end], depth[depth <= end])
            above += 0.5 * value[below[0] - 1] * (depth[below[0]] - depth[below[0] - 1])
            columns[:, row] = depth[0], value[0], depth[top], value[top], end, above


def has_surface_transient(rows: Rows) -> Flags:
    """Flag whole profiles that surely begin in a surface transient, by their values alone."""
    unknown = np.full(rows.count, np.nan)
    end = surface_transient(replace(rows, stderr=None), unknown, unknown).end
    return np.less(end, RULES.deepest)


class Plateau(NamedTuple):
    """Where a plateau begins below a surface transient, and its mean; (R,), NaN without one."""

    start: Array
    mean: Array


def plateau(rows: Rows) -> Plateau:
    """Find plateaus of which less than a third, first, is off the median, by 1 % and by noise."""
    start, mean = np.full((2, rows.count), np.nan)
    rows = rows.packed()
    for row, in_row in enumerate(rows.slices()):
        c = rows.value[in_row]
        if c.size <= 2 * RULES.width:
            continue
        middle = float(np.median(c))
        side = np.sign(c[0] - middle)
        end = int(np.argmin(side * (c - middle) > RULES.matters * middle))
        if 0 < end < c.size / 3:
            below = c[end:]
            off = abs(float(np.sum(c[:end] - below.mean())))
            if off > RULES.off * float(np.std(below)) * end**0.5:
                start[row], mean[row] = rows.depth[in_row][end], below.mean()
    return Plateau(start, mean)


def _deeper(value: Array, smooth: Array, stderr: Array | None) -> int:
    """Return the index of a maximum that stands out below the first sample; 0 if there is none."""
    lowest = np.minimum.accumulate(smooth)
    rises = smooth > RULES.ratio * np.maximum(lowest, 0.0)
    if not rises.any():
        return 0
    top = int(np.argmax(np.where(rises, smooth, -np.inf)))
    height = smooth[top] - lowest[top]
    low = smooth < smooth[top] - 0.5 * height
    begin = top - int(np.argmax(low[top::-1]))
    if smooth[top:].min() > smooth[top] - RULES.falls * height:  # it rises to a plateau, or the end
        return 0
    end = top + int(np.argmax(low[top:])) if low[top:].any() else smooth.size
    margin = RULES.width // 2
    around = slice(max(top - 2 * RULES.width, 0), top + 2 * RULES.width)
    noise = np.sqrt(np.mean((value[margin:-margin] - smooth)[around] ** 2))
    if stderr is not None:  # the scatter is too small where values on a fine grid share samples
        stated = np.nan_to_num(stderr[begin + margin : end + margin])
        noise = max(noise, np.sqrt(np.mean(stated**2)))
    if not height * np.sqrt(end - begin) > RULES.stands_out * noise:
        return 0
    first = begin + 1 + margin
    return first + int(np.argmax(value[first : end + margin]))
