"""What a record lacks that begins or ends inside of a profile.

An end that falls goes on as an exponential: ``C / -s`` is missing, with the value C and the slope s
of ln C at the last sample. They are of a parabola of ln C over the longest end that one describes
and that falls clearly: the whole record, or ends shorter by roots of 2. It bends less than it falls
unless the samples show more, as where a flank ends on a background; the higher an end, the less. An
end that falls by less than e over the length of the record, or than an exponential from its highest
part would, is a background. A record that rises to its end, or to a plateau there, lacks all of the
rest.

Where an end is of so few counts that noise may hide whether it falls, what is missing is not known:
of an end that may be high, however level, and of one that may well fall, if what would be missing
is more than 5 %, and may be more than three standard errors of the integral.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from sims_analysis.kernels.local_fit import Counted, chance_of_misfit, maximized, solve
from sims_analysis.kernels.rows import (
    Array,
    Flags,
    Index,
    Rows,
    errors_of,
    range_reduced,
    range_sums,
)
from sims_analysis.outcomes import Flag


@dataclass(frozen=True)
class _Rules:
    """The numbers by which ends are judged; standard errors are those of what is judged."""

    begins: float = 2.5  # mean steps below the surface from which on a record may begin too deep
    # Number of means that an end is fitted by, each of an independent sample or more.
    parts: int = 8
    fewest: int = 3  # number of last samples whose mean is how high a record ends at most
    scatter: int = 64  # number of samples that show the noise of an end, at most
    ordinary: float = 0.6  # part of these samples that a peak does not make scatter more than noise
    largest: float = 8.0  # factor by which others scatter more than the last of these at most
    # Number of samples whose noise is taken to be twice as large in variance as they show it.
    uncertain: float = 8.0
    counts: float = 3e3  # counts by which a mean is known at best, as ends are no parabolas
    by_chance: float = 0.05  # probability of a misfit above which a parabola describes an end
    # Deviation of the bend of ln C over an end, beforehand, as a part of what it falls by,
    bend: float = 0.5
    # and part of the highest mean above which it is less, by the square of the height.
    background: float = 0.35
    clearly: float = 3.2  # standard errors by which an end falls clearly
    perhaps: float = 0.5  # standard errors by which it may fall where noise can hide it:
    hides: float = 500.0  # counts of the last part below which noise can,
    errors: float = 3.0  # standard errors of the integral that the rest exceeds then,
    matters: float = 2.5  # and factor by which it exceeds what is enough
    higher: float = 1.5  # standard errors by which an end may be higher
    # Parts of the highest mean between which an end more and more may fall, however level it is;
    # of those that may be as high as the first, the rest may be as large as the errors.
    high: tuple[float, float] = 0.2, 0.4
    rises: float = 3.8  # standard errors of a rise from the lowest part, which chance has chosen
    lower: float = 1.5  # standard errors by which the very end is below the last part
    coarse: int = 16  # samples below which each of them tells how a record ends
    # Part of the highest sample below which a record of few samples begins, if it ends too high.
    few: float = 0.25
    level: float = 0.9  # part of another mean above which one is level with it
    falls: float = 0.9  # fall of ln C over the length of a record below which it is a background,
    straight: float = 0.7  # or part of the fall from the highest part to the last, if that is less


_RULES = _Rules()
#: The integral of a record lacks what lies below it if that is more than this part of it.
MISSING_SHARE = 0.02
#: The deviation of a bend of nothing.
_STRAIGHT = 1e-3


def missing_below(rows: Rows, enough: Array) -> Array:
    """Return the integral below the end of each record, (R,), in value times depth.

    Infinite where it is not known: of records that carry that they end inside the profile, that
    rise to their end, or that end high after few samples. 0 where the end is level but for that,
    the record begins and ends at its highest level, what lies below is less than `enough`, (R,), or
    the end is so low that a record as long again, and as high, would be.
    """
    missing = _seen_below(rows, enough)
    row = _carried(rows, at_end=True)
    missing[row[missing[row] == 0]] = np.inf
    return missing


def missing_outside(rows: Rows, start: Array, enough: Array) -> Array:
    """Return what lies below the end of each record; infinite where it begins inside the profile.

    Unless a `start` was asked for: NaN for none.
    """
    missing, unstated = missing_below(rows, enough), np.isnan(start)
    if unstated.any():
        missing[begins_inside(rows, enough) & unstated] = np.inf
    return missing


class CutOff(NamedTuple):
    """Which records begin and end inside the profile; (R,)."""

    begins: Flags
    ends: Flags


def cut_off(rows: Rows) -> CutOff:
    """Flag the records that begin, and those that end, inside the profile."""
    enough = MISSING_SHARE * np.abs(rows.sum(rows.value * rows.width))
    return CutOff(begins_inside(rows, enough), missing_below(rows, enough) > 0)


def _carried(rows: Rows, *, at_end: bool) -> Index:
    """Return the rows that carry that their record begins, or ends, inside the profile."""
    if rows.carried is None:
        return np.empty(0, dtype=np.intp)
    row, _, first, last, *_ = (
        column[rows.carried.flag == Flag.TRUNCATED] for column in rows.carried
    )
    of_record: Index = row[last >= rows.last[row] if at_end else first <= rows.first[row]]
    return of_record


def begins_inside(rows: Rows, enough: Array | None = None) -> Flags:
    """Flag the records that begin inside the profile, (R,).

    Those that carry it, and those that begin far below the surface, if an exponential from the
    samples twice as deep through the first one, or as high as that, has more than `enough`: by
    default, than 2 % of the integral.
    """
    flags: Flags = np.zeros(rows.count, dtype=bool)
    flags[_carried(rows, at_end=False)] = True
    far = (rows.size > 1) & (
        rows.begin * (rows.size - 1) > _RULES.begins * (rows.last - rows.first)
    )
    row = np.flatnonzero(far)
    if not row.size:
        return flags
    if enough is None:
        enough = MISSING_SHARE * np.abs(rows.sum(rows.value * rows.width))
    begin, end, above = rows.offsets[row], rows.offsets[row + 1], rows.begin[row]
    first, last = rows.value_at(begin), rows.value_at(end - 1)
    highest = range_reduced(np.maximum, rows.value.reshape(-1), begin, end, np.nan)
    deeper = rows.value_at(rows.segment_at(rows.first[row] + above, row))
    with np.errstate(all="ignore"):
        rise = np.maximum(deeper / first, 1.0 + _STRAIGHT)
        above *= first * (1.0 - 1.0 / rise) / np.log(rise)
    flags[row] |= (above > enough[row]) & (np.minimum(first, last) < _RULES.level * highest)
    return flags


def _seen_below(rows: Rows, enough: Array) -> Array:
    """Return what lies below the end of each record by its samples."""
    missing = np.zeros(rows.count)
    # On a finer grid, samples that are independent are so far apart.
    step = 1 if rows.fraction is None else int(np.ceil(1.0 / rows.fraction.min()))
    long, end = rows.size >= _RULES.parts * step, rows.offsets[1:]
    coarse = np.flatnonzero((rows.size > 1) & (rows.size < _RULES.coarse * step))
    if coarse.size:
        missing[coarse[_ends_coarsely(rows, coarse, step, enough)]] = np.inf
    which = np.flatnonzero(long)
    low = rows.value_at(end[which, None] - np.arange(1, _RULES.parts + 1)).mean(axis=1)
    which = which[low * (rows.last - rows.first)[which] > enough[which]]
    if not which.size:
        return missing
    end, size, length = end[which], rows.size[which], (rows.last - rows.first)[which]
    with np.errstate(all="ignore"):
        count = _value_of_a_count(rows, end, size, step)
        _, n, part = _parts(rows, end, size)
        highest, lowest = part.max(axis=1), part.min(axis=1)
        # The last part may hold the side of a peak.
        last = rows.value_at(end[:, None] - np.arange(1, _RULES.fewest + 1)).mean(axis=1)
        lower = part[:, -1] - last > _RULES.lower * np.sqrt(count * part[:, -1] / _RULES.fewest)
        ends = np.where(lower, last, part[:, -1])
        # A plateau that is low beside the profile is a background, if it is not above the samples
        # before the maximum, which hold the background, too.
        plateau = (part[:, -2] > _RULES.level * ends) & (ends < _RULES.background * highest)
        before = np.minimum.accumulate(part, axis=1)[np.arange(which.size), part.argmax(axis=1)]
        lowest = np.where(plateau, before, lowest)
        error = np.sqrt(count * (np.abs(lowest) + ends) / n[:, 0])
        rises = (lowest < _RULES.level * ends) & (ends - lowest > _RULES.rises * error)
        rises &= ends * length > enough[which]
        fall = np.minimum(_RULES.falls, _RULES.straight * np.log(highest / ends))
        bend = _RULES.bend * np.minimum(1.0, _RULES.background * highest / ends) ** 2
        least = np.stack([fall, fall * np.interp(ends / highest, _RULES.high, (1.0, 0.0))]) / length
        whole = np.minimum(part[:, 0], ends) > _RULES.level * highest  # whatever is between
        # An end that is surely level for a quarter of the record is a background, which saves time.
        level = plateau & (_RULES.level * part[:, -2] < ends) & ~lower
        level &= n[:, -1] * ends >= _RULES.hides * count
        uncertain = np.flatnonzero(~(level | whole))
        below, perhaps = estimates = np.zeros((2, which.size))
        if uncertain.size:
            of_ends: Any = (one[..., uncertain] for one in (end, size, count, bend, least))
            estimates[:, uncertain] = _extrapolated(rows, step, *of_ends)
        if rows.stderr is not None:
            stated = _stated_value_of_a_count(rows, end, size)
            error = _RULES.errors * length * np.sqrt(stated * part.mean(axis=1) / size)
            high = _highest_share(stated / n[:, -1], ends, highest)
            large = (perhaps > error) | (high > _RULES.high[0])
            hidden = (high > 0) & large & (perhaps > _RULES.matters * enough[which])
            hidden |= (high > _RULES.high[1]) & (length * ends > error)
            below[hidden & (below == 0)] = np.inf
    below[rises & (below == 0)] = np.inf
    below[whole] = 0.0
    missing[which] = np.fmax(missing[which], np.where(below > enough[which], below, 0.0))
    return missing


def _ends_coarsely(rows: Rows, row: Index, step: int, enough: Array) -> Flags:
    """Flag rows of few samples that end high, and begin or end clearly below their highest.

    With errors also those whose counts may hide it, and those whose last samples fall on. Without,
    those that begin low; the least is taken for one count.
    """
    flat, begin, end = rows.value.reshape(-1), rows.offsets[row], rows.offsets[row + 1]
    first, last, size = flat[begin], flat[end - 1], rows.size[row]
    highest = range_reduced(np.maximum, flat, begin, end, np.nan)
    high = last > _RULES.background * highest
    with np.errstate(all="ignore"):  # of rows without a positive value
        if rows.stderr is None:
            high &= (size < _RULES.parts * step) & (first < _RULES.few * highest)
            least = range_reduced(np.minimum, np.where(flat > 0, flat, np.inf), begin, end, np.nan)
            return high & (last - first > _RULES.clearly * np.sqrt(least * last))
        low, of_count = np.minimum(first, last), _stated_value_of_a_count(rows, end, size)
        high &= highest - low > _RULES.clearly * np.sqrt(of_count * highest)
        error = np.sqrt(of_count * range_sums(flat, begin, end)) / size
        hidden = _highest_share(of_count, last, highest) > _RULES.high[1]
        hidden &= last > _RULES.errors * error
        before, earlier = (np.maximum(end - 1 - i * step, begin) for i in (1, 2))
        fall = np.log(flat[before] / last)
        falls = flat[before] - last > _RULES.clearly * np.sqrt(of_count * (flat[before] + last))
        falls &= fall > _RULES.straight * np.log(flat[earlier] / flat[before])
        below = last * (rows.last[row] - rows.depth_at(before)) / fall
        falls &= below > _RULES.matters * enough[row]
    cut: Flags = (high | hidden | falls) & (low < _RULES.level * highest)
    return cut


def _highest_share(of_count: Array, last: Array, highest: Array) -> Array:
    """Return as what part of the highest a record may end, by few counts of this value."""
    counted = last / of_count
    share = last * (1.0 + _RULES.higher / np.sqrt(counted)) / highest
    return np.where(counted < _RULES.hides, share, 0.0)


def _parts(rows: Rows, end: Index, size: Index) -> tuple[Array, Index, Array]:
    """Return the depths, numbers of samples and means of the parts of ends of so many samples."""
    edges = end[:, None] - size[:, None] * np.arange(_RULES.parts, -1, -1) // _RULES.parts
    first, after, n = edges[:, :-1], edges[:, 1:], np.diff(edges)
    depth = 0.5 * (rows.depth_at(first) + rows.depth_at(after - 1))
    return depth, n, range_sums(rows.value.reshape(-1), first, after) / n


def _extrapolated(
    rows: Rows, step: int, end: Index, size: Index, count: Array, bend: Array, slope: Array
) -> Array:
    """Integrate the exponentials that continue ends of some rows; 0 where these do not fall.

    Return (2, R), with those that may fall, by the longest end that a parabola describes. `count`
    is what one count adds to a value; ln C is expected to `bend` by a part of what it falls by, and
    that of a background falls less steeply than the first of `slope`, (2, R), or where noise hides
    it than the second.
    """
    shorter = 2.0 ** (0.5 * np.arange(2 * int(size.max()).bit_length()))
    sizes, estimates = (size[:, None] / shorter).astype(np.intp), np.zeros((2, end.size))
    row, place = np.nonzero(sizes >= _RULES.parts * step)
    end, size = end[row], sizes[row, place]
    depth, n, mean = _parts(rows, end, size)
    x = depth - rows.depth_at(end - 1)[:, None]
    length, level = -x[:, 0], mean.mean(axis=1)
    x, value = x / length[:, None], mean / level[:, None]
    per_count = (count[row] / level)[:, None] / n + 1.0 / _RULES.counts
    halves = np.maximum(value.reshape(row.size, 2, -1).mean(axis=2), per_count[:, :1])
    fall = 2.0 * np.abs(np.diff(np.log(halves), axis=1)[:, 0])
    x, value, per_count = (column.reshape(-1) for column in (x, value, per_count))
    none, n_parts = np.zeros(x.size), np.full(row.size, _RULES.parts)
    parts = Counted(x, value, none + 1.0, per_count, none, none, n_parts)
    start, prior = np.zeros(row.size), 1.0 / np.maximum(bend[row] * fall, _STRAIGHT) ** 2
    (a, b, c), information = maximized(parts, start, start, prior)
    error = np.sqrt(solve(information, np.broadcast_to([0.0, 1.0, 0.0], (row.size, 3)))[:, 1])
    steep, below = -b - slope[:, row] * length, level * length * np.exp(a) / -b
    describes = (chance_of_misfit(parts, a, b, c) > _RULES.by_chance) & (level > 0)
    falls = describes & (b < -_RULES.clearly * error) & (steep[0] > 0)
    perhaps = np.where(steep[1] > _RULES.perhaps * error, below, 0.0)
    for one, which, rest in zip(estimates, (falls, describes), (below, perhaps), strict=True):
        longest_last = np.flatnonzero(which)[::-1]
        one[row[longest_last]] = rest[longest_last]  # the last assignment wins
    return estimates


def _stated_value_of_a_count(rows: Rows, end: Index, size: Index) -> Array:
    """Return variance over value of independent samples at ends, by stated errors of sums."""
    back = np.arange(1, _RULES.scatter + 1)
    place = np.maximum(end[:, None] - back, 0)
    value = np.where(back <= size[:, None], rows.value_at(place), 0.0)
    variance = np.square(errors_of(rows).reshape(-1).take(place))
    with np.errstate(invalid="ignore", divide="ignore"):  # of ends of zeros
        of_count: Array = np.where(value > 0, variance, 0.0).sum(axis=1) / value.sum(axis=1)
    return of_count


def _value_of_a_count(rows: Rows, end: Index, size: Index, step: int) -> Array:
    """Return variance over value of independent samples at ends, by third differences.

    A steep peak of few samples has larger ones than noise: none counts for much more than most.
    """
    back = np.arange(1, _RULES.scatter + 3 * step + 1)
    inside = back <= size[:, None]
    value = np.where(inside, rows.value_at(np.maximum(end[:, None] - back, 0)), 0.0)
    v = [value[:, i * step : i * step + _RULES.scatter] for i in range(4)]
    square = (v[3] - v[0] + 3.0 * (v[1] - v[2])) ** 2 / 20.0
    known = inside[:, 3 * step :]
    n = known.sum(axis=1)
    local = np.abs(v).mean(axis=0)
    ordered = np.sort(np.where(known & (local > 0), square / local, np.inf), axis=1)
    largest = _RULES.largest * ordered[np.arange(n.size), (_RULES.ordinary * n).astype(np.intp)]
    noise = np.minimum(square, largest[:, None] * local)
    total = np.abs(np.where(known, v[0], 0.0).sum(axis=1))
    factor = 1.0 + _RULES.uncertain * step / n
    of_count: Array = factor * step * np.where(known, noise, 0.0).sum(axis=1) / total
    return of_count
