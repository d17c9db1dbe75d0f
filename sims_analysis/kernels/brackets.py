"""Between which samples a block of profiles crosses a level.

Most samples are compared once and never looked at again: only where a comparison differs from
its neighbour's is there anything to find out.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.rows import BLOCK, blocks, few

__all__ = ["Block", "Brackets", "located_between", "of_changes"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]
Flags = NDArray[np.bool_]

NO_DATA, NEVER_REACHED, ALWAYS_ABOVE, TRUNCATED = 1, 2, 3, 5


#: Samples compared at a time.
_PIECE = 2 * BLOCK

_NONE = np.zeros(0, dtype=np.intp)

#: Where more than one sample in so many of a row is missing, all samples are taken out first.
_SPARSE = 64

#: Samples to step over, all crossings at once, before looking for the next one row by row.
_STEPS = 8


class Brackets(NamedTuple):
    """Crossings of a block, in order of row and depth; every field has shape (K,).

    ``before`` and ``after`` are the columns of the samples on either side of the level, ``on`` of
    the first sample exactly on it between them, or -1.
    """

    row: Index
    before: Index
    after: Index
    on: Index
    falling: Flags

    def take(self, which: Index | Flags | slice) -> Brackets:
        """Keep some of the crossings."""
        row, before, after, on, falling = self
        return Brackets(row[which], before[which], after[which], on[which], falling[which])


def of_changes(above: Flags, change: Flags, n: int) -> tuple[Index, Flags]:
    """Find where `above` changes within rows of n, laid end to end; what it was before.

    `change` is scratch of the same size.
    """
    np.not_equal(above[1:], above[:-1], out=change[:-1])
    change[n - 1 :: n] = False  # from one row to the next
    at = few(change)
    return at, above[at]


class Block:
    """Rows ``(R, n)`` with a level each, on one axis or on their own."""

    def __init__(self, depth: Array, value: Array, level: Array) -> None:
        self.depth, self.value, self.level = depth, value, level
        self.rows, self.columns = value.shape

    def depths(self, row: Index, column: Index) -> Array:
        """Depths of samples."""
        place = column if self.depth.ndim == 1 else row * self.columns + column
        found: Array = self.depth.take(place)
        return found

    def values(self, row: Index, column: Index) -> Array:
        """Values of samples."""
        found: Array = self.value.take(row * self.columns + column)
        return found

    def measured(self, rows: Index | slice = slice(None)) -> Flags:
        """Which samples there are."""
        value = self.value[rows]
        there: Flags = value == value  # noqa: PLR0124  # False for NaN alone, faster than isnan
        if self.depth.ndim > 1:
            there &= ~np.isnan(self.depth[rows])
        return there

    def brackets(self) -> Brackets:
        """Find every crossing of the level.

        A sample exactly at the level is a crossing where the profile passes through, once; a
        touch is none; a plateau at the level is one, at its first sample. A profile that begins
        or ends on the level does not show on which side it would have gone: that is none.
        """
        n = self.columns
        if self.sparse:
            return self._from_sample_to_sample()
        at, falling = self.changes
        row = at // n
        before = at - row * n
        found = Brackets(row, before, before + 1, np.full(at.size, -1), falling)
        # What is not above the level is below it, on it, or missing.
        lower = at + falling
        unclear = ~(self.value.take(lower) < self.level.take(row))
        if self.depth.ndim > 1:
            unclear |= np.isnan(self.depth.take(lower))
        return self._cleared(found, unclear) if unclear.any() else found

    @cached_property
    def sparse(self) -> bool:
        """Whether much is missing of the first row, and is likely to be of the others."""
        if self.value.size == 0:
            return False
        return bool(np.count_nonzero(~self.measured(slice(1))) > self.columns // _SPARSE)

    def in_parts(self, most: int) -> Iterator[tuple[slice, Block]]:
        """Give blocks of fewer rows, with no more than about so many changes of side."""
        size = _PIECE if self.sparse else self.value.size * most // max(self.changes[0].size, 1)
        if size >= self.value.size:
            yield slice(0, self.rows), self
            return
        n = self.columns
        for part in blocks(self.rows, n, size):
            depth = self.depth if self.depth.ndim == 1 else self.depth[part]
            block = Block(depth, self.value[part], self.level[part])
            block.sparse = self.sparse
            if not self.sparse:
                at, falling = self.changes
                some = slice(*at.searchsorted((part.start * n, part.stop * n)))
                block.changes = at[some] - part.start * n, falling[some]
            yield part, block

    def _from_sample_to_sample(self) -> Brackets:
        """Find crossings where much is missing, which looks like two crossings of what is high."""
        parts = [self._over_gaps(part) for part in blocks(self.rows, self.columns, _PIECE)]
        found = Brackets(*(np.concatenate(field) for field in zip(*parts, strict=True)))
        lower = np.where(found.falling, found.after, found.before)
        on_level = self.values(found.row, lower) == self.level[found.row]
        return self._cleared(found, on_level) if on_level.any() else found

    def _over_gaps(self, part: slice) -> Brackets:
        """Find crossings from sample to sample, whatever is missing between two of them."""
        n, value = self.columns, self.value[part]
        kept = np.flatnonzero(self.measured(part))
        ends = kept.searchsorted(np.arange(0, value.size + 1, n))
        above = value.reshape(-1).take(kept) > np.repeat(self.level[part], np.diff(ends))
        change = above[1:] != above[:-1]
        seams = ends[(ends > 0) & (ends < kept.size)] - 1
        change[seams] = False
        at = few(change)
        before, after = kept.take(at), kept.take(at + 1)
        row = before // n
        before -= row * n
        after -= row * n
        return Brackets(row + part.start, before, after, np.full(at.size, -1), above[at])

    @cached_property
    def changes(self) -> tuple[Index, Flags]:
        """Find the (flat) samples after which a row is on the other side; whether it was above."""
        n = self.columns
        one = self.rows > 0 and (self.level == self.level[0]).all()
        flags = np.empty((2, min(self.value.size, max(n, _PIECE))), dtype=bool)
        found = []
        for part in blocks(self.rows, n, _PIECE):
            value = self.value[part]
            above, change = flags[:, : value.size]
            of_rows = above.reshape(value.shape)
            np.greater(value, self.level[0] if one else self.level[part, None], out=of_rows)
            if self.depth.ndim > 1:
                depth = self.depth[part]
                of_rows &= depth == depth  # noqa: PLR0124  # not where there is no depth
            at, side = of_changes(above, change, n)
            found.append((at + part.start * n, side))
        if len(found) == 1:
            return found[0]
        places = [_NONE, *(at for at, _ in found)]
        sides = [_NONE.astype(bool), *(side for _, side in found)]
        return np.concatenate(places), np.concatenate(sides)

    def _cleared(self, found: Brackets, unclear: Flags) -> Brackets:
        """Look beyond samples that are on the level, or missing, for one that is below it."""
        n = self.columns
        step = np.where(found.falling, 1, -1)
        column = np.where(found.falling, found.after, found.before)
        crosses = ~unclear
        looking = np.flatnonzero(unclear)
        for _ in range(_STEPS):
            row, here = found.row[looking], column[looking]
            value, level = self.values(row, here), self.level[row]
            there = ~np.isnan(self.depths(row, here))
            below, on = there & (value < level), there & (value == level)
            crosses[looking[below]] = True
            # Of the samples on the level, the first in order of depth.
            on &= (step[looking] < 0) | (found.on[looking] < 0)
            found.on[looking[on]] = here[on]
            looking = looking[~(below | (there & (value > level)))]
            column[looking] += step[looking]
            looking = looking[(column[looking] >= 0) & (column[looking] < n)]
            if looking.size == 0:
                break
        if looking.size:  # long gaps or plateaus
            self._look_further(found, looking, crosses, column)
        found.before[:] = np.where(found.falling, found.before, column)
        found.after[:] = np.where(found.falling, column, found.after)
        return found if crosses.all() else found.take(np.flatnonzero(crosses))

    def _look_further(self, found: Brackets, looking: Index, crosses: Flags, column: Index) -> None:
        """Look on from `column` for the next sample off the level, in whole rows."""
        n = self.columns
        rows, line = np.unique(found.row[looking], return_inverse=True)
        for part in blocks(rows.size, n):
            mine = slice(*np.searchsorted(line, (part.start, part.stop)))
            which, begin = looking[mine], (line[mine] - part.start) * n
            here, falling = begin + column[which], found.falling[which]
            value, level = self.value[rows[part]], self.level[rows[part], None]
            there = self.measured(rows[part])
            on_level = value == level
            off = _Listed(there & ~on_level, begin, n)
            on = _Listed(there & on_level, begin, n)
            end, ended = off.next(here, falling)
            crosses[which] = ended & (value < level).reshape(-1)[end]
            column[which[ended]] = (end - begin)[ended]
            # Of the samples on the level, the first in order of depth.
            first, some = on.next(np.where(falling, here, end), np.True_)
            some &= np.where(falling, (first < end) & (found.on[which] < 0), first <= here) & ended
            found.on[which[some]] = (first - begin)[some]

    def located(self, found: Brackets) -> tuple[Array, Array, Array]:
        """Give depth, place between the bracketing samples, and decay length of crossings."""
        row, before, after, on, _ = found
        z0, z1 = self.depths(row, before), self.depths(row, after)
        level = self.level[row]
        depth, place, decay = located_between(
            self.values(row, before), self.values(row, after), level, level, z0, z1
        )
        exact = np.flatnonzero(on >= 0)
        if exact.size:
            depth[exact] = self.depths(row[exact], on[exact])
            place[exact] = (depth[exact] - z0[exact]) / (z1[exact] - z0[exact])
        return depth, place, decay

    def depth_of_maximum(self) -> Array:
        """Depth of the first of the largest samples of each row; NaN without samples."""
        depths = np.empty(self.rows)
        for part in blocks(self.rows, self.columns, _PIECE):
            value, rows = self.value[part], np.arange(part.start, part.stop)
            column = value.argmax(axis=1)
            depth = self.depths(rows, column)
            # NaN counts as the largest: then some samples are missing.
            some = np.flatnonzero(np.isnan(self.values(rows, column) + depth))
            if some.size:
                there = self.measured(rows[some])
                column = np.where(there, value[some], -np.inf).argmax(axis=1)
                found = there[np.arange(some.size), column]
                depth[some] = np.where(found, self.depths(rows[some], column), np.nan)
            depths[part] = depth
        return depths

    def why_none(self, rows: Index, limit: Array | None) -> NDArray[np.uint8]:
        """Say why rows have no crossing, from the samples that are not above a depth."""
        why = np.empty(rows.size, dtype=np.uint8)
        for part in blocks(rows.size, self.columns):
            why[part] = self._why_none(rows[part], limit)
        return why

    def _why_none(self, rows: Index, limit: Array | None) -> NDArray[np.uint8]:
        counts = self.measured(rows)
        if limit is not None:
            depth = self.depth if self.depth.ndim == 1 else self.depth[rows]
            counts &= depth >= limit[rows, None]
        value, level = self.value[rows], self.level[rows, None]
        higher = (counts & (value > level)).any(axis=1)
        lower = (counts & (value < level)).any(axis=1)
        # Samples on both sides, yet no crossing of the asked kind: the record ends before it.
        why = np.where(higher & lower, TRUNCATED, np.where(higher, ALWAYS_ABOVE, NEVER_REACHED))
        return np.where(counts.any(axis=1), why, NO_DATA).astype(np.uint8)

    def confirmed(self, found: Brackets, n: int) -> tuple[Flags, Flags]:
        """Whether n samples before and n after lie on their sides of the level.

        And whether the row has so many.
        """
        confirmed, room = np.ones((2, found.row.size), dtype=bool)
        for part in blocks(self.rows, self.columns):
            some = slice(*np.searchsorted(found.row, (part.start, part.stop)))
            confirmed[some], room[some] = self._confirmed(part, found.take(some), n)
        return confirmed, room

    def _confirmed(self, part: slice, found: Brackets, n: int) -> tuple[Flags, Flags]:
        there = np.flatnonzero(self.measured(part))
        value = self.value[part].reshape(-1)[there]
        row_of = there // self.columns + part.start
        level = self.level[found.row]
        confirmed, room = np.ones((2, found.row.size), dtype=bool)
        for columns, step, upper in (
            (found.before, -1, found.falling),
            (found.after, 1, ~found.falling),
        ):
            at = np.searchsorted(there, (found.row - part.start) * self.columns + columns)
            for k in range(1, n):
                place = at + k * step
                safe = np.clip(place, 0, there.size - 1)
                room &= (place == safe) & (row_of[safe] == found.row)
                confirmed &= np.where(upper, value[safe] > level, value[safe] < level)
        return confirmed & room, room


class _Listed:
    """Where samples are of some kind, of rows of n laid end to end."""

    def __init__(self, flags: Flags, begin: Index, n: int) -> None:
        self.at = np.flatnonzero(flags)
        self.begin, self.end = begin, begin + n

    def next(self, here: Index, deeper: Flags | np.bool_) -> tuple[Index, Flags]:
        """Give the next one from `here` on, itself included, of the same row; and if there is."""
        place = np.searchsorted(self.at, here)
        back = np.searchsorted(self.at, here, side="right") - 1
        place = np.where(deeper, place, back)
        if self.at.size == 0:
            return here, np.zeros(here.shape, dtype=bool)
        found = self.at[np.clip(place, 0, self.at.size - 1)]
        there = (place >= 0) & (place < self.at.size)
        there &= (found >= self.begin) & (found < self.end)
        return np.where(there, found, here), there


def located_between(
    c0: Array, c1: Array, l0: Array, l1: Array, z0: Array, z1: Array
) -> tuple[Array, Array, Array]:
    """Give depth and place (0 to 1) of a crossing between two samples, and the decay length there.

    With ``s = ln(value / level)``: ``s0 / (s0 - s1)`` and ``(z1 - z0) / |s0 - s1|``. Where a
    logarithm cannot be taken: on the straight line, and NaN.
    """
    width = z1 - z0
    logs = (np.minimum(c0, c1) > 0) & (np.minimum(l0, l1) > 0)
    with np.errstate(all="ignore"):
        s0 = _log_ratio(c0, l0)
        step = s0 - _log_ratio(c1, l1)
        place, decay = s0 / step, width / np.abs(step)
        straight = np.flatnonzero(~logs)
        if straight.size:
            d0 = (c0 - l0)[straight]
            step[straight] = d0 - (c1 - l1)[straight]
            place[straight], decay[straight] = d0 / step[straight], np.nan
    np.clip(place, 0.0, 1.0, out=place)  # rounding does not lead out of the segment
    beside_infinite = np.isinf(step)
    if np.count_nonzero(beside_infinite):
        place[beside_infinite] = np.nan
    depth = z0 + place * width
    return np.minimum(depth, z1, out=depth), place, decay


def _log_ratio(c: Array, level: Array) -> Array:
    """Give ``ln(c / level)``, also where the ratio leaves the range of float64."""
    ratio = c / level
    found: Array = np.log(ratio)
    beyond = ~((ratio >= _TINY) & (ratio < np.inf))
    if np.count_nonzero(beyond):
        found[beyond] = np.log(c[beyond]) - np.log(level[beyond])
    return found


_TINY = np.finfo(np.float64).tiny
