"""From arrays with gaps to rows of measured samples, and a kernel over many of them.

Only here is NaN a missing sample. Profiles ``(..., n)`` are taken block by block, so that scratch
arrays stay small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise, starmap
from math import prod
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.evidence import Rests, Use, rests, runs_of
from sims_analysis.kernels.rows import (
    IN_CACHE,
    WITHOUT_VALUE,
    Array,
    Dense,
    Flags,
    Index,
    Marks,
    Packed,
    Rows,
    dot_rows,
)
from sims_analysis.outcomes import GAP, Flag

Found = TypeVar("Found", bound=tuple[Any, ...])

#: Lower and upper edges of cells.
Bounds = tuple[NDArray[Any], NDArray[Any]]

#: Samples processed at a time.
BLOCK = 1 << 19


class Evidence(NamedTuple):
    """What the data carry of their samples.

    ``flags`` (..., n) are sums of :class:`sims_analysis.outcomes.Flag`, NaN for 0; ``limit`` (...,
    n) the limits of detection of samples below one; ``fraction`` (...) as in :class:`Errors`.
    """

    flags: NDArray[Any] | None = None
    limit: NDArray[Any] | None = None
    fraction: NDArray[Any] | None = None

    def flat(self, shape: tuple[int, ...]) -> Evidence:
        """Return the same with all profiles along one axis."""
        flat, fraction = (prod(shape[:-1]), shape[-1]), self.fraction
        return Evidence(
            None if self.flags is None else _as_flags(self.flags).reshape(flat),
            None if self.limit is None else self.limit.reshape(flat),
            None if fraction is None else np.broadcast_to(fraction, shape[:-1]).reshape(-1),
        )

    def of(self, block: slice | Index, value: Array) -> NDArray[np.int16] | None:
        """Return the flags of a block; a sample with a limit and no value is below it."""
        flags = None
        if self.flags is not None:
            flags = self.flags[block]
        if self.limit is not None:
            below = np.isnan(value) & ~np.isnan(self.limit[block])
            low = np.where(below, np.int16(Flag.BELOW_LIMIT), np.int16(0))
            flags = low if flags is None else flags | low
        return flags if flags is not None and flags.any() else None


def _as_flags(numbers: NDArray[Any]) -> NDArray[np.int16]:
    """Return flags as whole numbers; xarray makes them floats where it fills places with NaN."""
    return (np.nan_to_num(numbers) if numbers.dtype.kind == "f" else numbers).astype(
        np.int16, copy=False
    )


def _carried(
    depth: Array, value: Array, flags: NDArray[np.int16], limit: NDArray[Any] | None, offsets: Index
) -> tuple[Marks | None, Index]:
    """Return what rows carry, by their arrays ``(R, n)``: runs, and the samples before gaps.

    The latter are positions in rows end to end, beginning at `offsets`.
    """
    some, n = np.flatnonzero(flags.any(axis=1)), value.shape[1]
    bits, c = flags[some].reshape(-1), value[some].reshape(-1)
    z = (np.broadcast_to(depth, value.shape) if depth.ndim == 1 else depth)[some].reshape(-1)
    row = np.repeat(some, n)
    there = ~np.isnan(z)
    measured = ~np.isnan(c) & there
    # A gap lies between two neighbours with a value if either says so, or one without a value does.
    at = np.flatnonzero(measured)
    inner = np.cumsum((bits & GAP != 0) & ~measured)
    i, j = at[:-1], at[1:]
    gap = (bits[i] & Flag.GAP_AFTER != 0) | (bits[j] & Flag.GAP_BEFORE != 0)
    gap |= inner[j] > inner[i]
    gap &= row[i] == row[j]
    number = np.arange(at.size) - np.searchsorted(row[at], row[at])
    before = (offsets[row[at]] + number)[:-1][gap]
    found = [_gaps_at_ends(row, z, at, np.flatnonzero((bits & GAP != 0) & ~measured & there))]
    for flag in Flag:
        has = (bits & flag != 0) & there
        if flag & GAP or not has.any():
            continue
        height = c
        if flag is Flag.BELOW_LIMIT:
            height = np.full(c.shape, np.nan) if limit is None else limit[some].reshape(-1)
        for of_kind, bit in ((has & measured, 0), (has & ~measured, WITHOUT_VALUE)):
            kept = np.flatnonzero(measured | of_kind)
            own = row[kept], z[kept], of_kind[kept], height[kept]
            without = c[kept] if bit and flag is Flag.BELOW_LIMIT else None
            found.append(runs_of(*own, flag | bit, without))
    marks = Marks(*map(np.concatenate, zip(*found, strict=True)))
    return (marks if marks.row.size else None), before


def _gaps_at_ends(row: Index, z: Array, measured: Index, blank: Index) -> Marks:
    """Return the gaps in which records begin or end: samples without a value, before all or after.

    They reach as far as the first or the last sample with a value, and include it.
    """
    owner, of = row[measured], row[blank]
    first, last = owner.searchsorted(of), owner.searchsorted(of, side="right") - 1
    there = first <= last  # some sample of the row has a value
    blank, of, first, last = (one[there] for one in (blank, of, first, last))
    early = np.flatnonzero(blank < measured[first])
    late = np.flatnonzero(blank > measured[last])
    begin = early[np.unique(of[early], return_index=True)[1]]
    end = late[np.append(np.flatnonzero(np.diff(of[late])), -1)] if late.size else late
    own = np.concatenate([of[begin], of[end]])
    low = z[np.concatenate([blank[begin], measured[last[end]]])]
    high = z[np.concatenate([measured[first[begin]], blank[end]])]
    unknown = np.full((2, own.size), np.nan)
    kind = np.full(own.shape, GAP, dtype=np.int16)
    beyond = np.nextafter(low, -np.inf), np.nextafter(high, np.inf)
    return Marks(own, kind, low, high, *beyond, *unknown)


class InfiniteSampleError(Exception):
    """A value or a depth (`what`) is infinite: its row, its sample, and the number."""

    def __init__(self, row: int, sample: int, what: str, number: float) -> None:
        super().__init__(row, sample, what, number)
        self.row, self.sample, self.what, self.number = row, sample, what, number


def _packed(
    depth: Array,
    value: Array,
    stderr: Array | None,
    numbers: Index,
    bounds: Bounds | None,
    uncounted: Array | None = None,
) -> Packed:
    """Pack the measured samples of ``value (R, n)``; messages call its rows by `numbers`."""
    nan = np.isnan(value)
    if depth.ndim > 1:
        nan |= np.isnan(depth)
    # Few, as a rule: found faster than the samples that were measured.
    missing, begin = np.flatnonzero(nan), np.arange(len(value) + 1) * value.shape[1]
    offsets, measured = begin - missing.searchsorted(begin), ~nan

    def packed(samples: Array) -> Array:
        every = np.broadcast_to(samples, value.shape)
        return every[measured] if missing.size else every.reshape(-1)

    z, c, s = packed(depth), packed(value), None if stderr is None else packed(stderr)
    lower, upper = (None, None) if bounds is None else map(packed, bounds)
    for what, samples in (("value", c), ("depth", z))[: depth.ndim]:  # a shared axis is finite
        with np.errstate(all="ignore"):
            if np.isfinite(samples.sum()):
                continue
        infinite = np.flatnonzero(np.isinf(samples))
        if infinite.size:
            row, sample = divmod(int(np.flatnonzero(measured)[infinite[0]]), value.shape[1])
            raise InfiniteSampleError(int(numbers[row]), sample, what, float(samples[infinite[0]]))
    return Packed(
        z,
        c,
        s,
        lower,
        upper,
        uncounted=None if uncounted is None else packed(uncounted),
        offsets=offsets,
        measured=measured,
        axis=depth if depth.ndim == 1 else None,
        missing=missing,
    )


def in_blocks(count: int, samples: int, size: int = BLOCK) -> Iterator[slice]:
    """Split `count` things of `samples` samples each into blocks of about `size` samples."""
    step = max(1, size // max(samples, 1))
    for begin in range(0, count, step):
        yield slice(begin, min(begin + step, count))


def in_parts(sizes: Index, size: int = IN_CACHE) -> Iterator[slice]:
    """Split things of several sizes into parts of about `size` samples."""
    ends = np.cumsum(sizes).searchsorted(np.arange(0, sizes.sum(), size))
    yield from starmap(slice, pairwise(np.unique(np.append(ends, sizes.size)).tolist()))


class Errors(NamedTuple):
    """Standard errors of samples, and how a sum or a fit uses them.

    ``stderr`` (..., n) are those of single samples. Samples with zero ``counts`` (..., n) have no
    error in sums: the unbiased estimate of the variance of a Poisson count is the count itself. On
    a grid finer than the samples, each value counts as the ``fraction`` (...) of a sample, with an
    error larger by ``1 / sqrt(fraction)``. For functions of single profiles alone: ``common`` and
    ``overlap`` (..., n), the error of a subtracted background and its covariance with the sample
    over its variance; and ``achieved`` (..., n), the achieved resolution of restored profiles.
    """

    stderr: NDArray[Any]
    counts: NDArray[Any] | None = None
    fraction: NDArray[Any] | None = None
    common: NDArray[Any] | None = None
    overlap: NDArray[Any] | None = None
    achieved: NDArray[Any] | None = None

    def flat(self, shape: tuple[int, ...]) -> Errors:
        """Return the errors with all profiles along one axis."""
        flat, fraction = (prod(shape[:-1]), shape[-1]), self.fraction
        return Errors(
            self.stderr.reshape(flat),
            None if self.counts is None else self.counts.reshape(flat),
            None if fraction is None else np.broadcast_to(fraction, shape[:-1]).reshape(-1),
        )

    def of(self, block: slice | Index) -> tuple[Array, Array | None]:
        """Return the errors of a block, and those of samples with zero counts; or None."""
        s = np.ascontiguousarray(self.stderr[block], dtype=np.float64)
        uncounted = None
        if self.counts is not None:
            none = self.counts[block] == 0
            if none.any():
                uncounted = np.where(none, s, 0.0)
                s = np.where(none, 0.0, s)
        if self.fraction is not None and (self.fraction[block] != 1.0).any():
            s = s / np.sqrt(self.fraction[block, None])
        return s, uncounted


def layouts(
    depth: NDArray[Any],
    value: NDArray[Any],
    errors: Errors | None = None,
    bounds: Bounds | None = None,
    *,
    evidence: Evidence | None = None,
    group: int = 1,
    gaps: Flags | None = None,
    at_once: bool = False,
) -> Iterator[tuple[slice | Index, Rows]]:
    """Build rows block by block: :class:`Dense` if complete on a shared axis, or :class:`Packed`.

    Yields the indices of the groups of each block, and their rows.

    Parameters
    ----------
    depth : ndarray, shape (n,) or (G * group, n)
        NaN after the last sample of a shorter row.
    value : ndarray, shape (G * group, n)
        NaN for missing samples.
    errors, bounds, evidence
        As for :func:`run`. Rows with gaps are packed.
    group : int
        Number of consecutive rows that belong together and get the same layout.
    gaps : ndarray of bool, shape (G * group,), optional
        Which rows are incomplete, if that is known; only these are built then.
    at_once : bool
        Take all rows together if they are complete and need not be copied.
    """
    wanted = (True,) if gaps is not None else (False, True)
    if depth.ndim > 1:
        gaps = np.ones(len(value), dtype=bool)
    elif gaps is None:
        # Zero times NaN or infinity is NaN: one pass at memory speed finds both.
        with np.errstate(invalid="ignore"):
            gaps = np.isnan(dot_rows(value, np.zeros(value.shape[1], value.dtype)))
    if evidence is not None and evidence.flags is not None:
        gaps = gaps | (evidence.flags & GAP != 0).any(axis=1)
    incomplete: Flags = np.logical_or.reduce(gaps.reshape(-1, group), axis=1)
    for to_pack in wanted:
        groups = np.flatnonzero(incomplete == to_pack)
        # Packed rows take more scratch arrays, more still with errors, and more time a sample.
        size = BLOCK if not to_pack else BLOCK // 2 if errors is None else BLOCK // 4
        if at_once and not to_pack and groups.size == incomplete.size and _is_plain(value):
            size = value.size
        for block in in_blocks(groups.size, value.shape[1] * group, size):
            which: slice | Index = groups[block]
            numbers = (groups[block, None] * group + np.arange(group)).reshape(-1)
            part: slice | Index = numbers
            if groups.size == incomplete.size:  # all of one layout: a slice is not copied
                which, part = block, slice(block.start * group, block.stop * group)
            z = np.asarray(depth if depth.ndim == 1 else depth[part], dtype=np.float64)
            c = np.ascontiguousarray(value[part], dtype=np.float64)
            s, uncounted = (None, None) if errors is None else errors.of(part)
            own = None
            if bounds is not None:
                lower, upper = (np.asarray(e if e.ndim == 1 else e[part]) for e in bounds)
                own = (lower, upper)
            rows: Rows
            if to_pack:
                rows = _packed(z, c, s, numbers, own, uncounted)
            else:
                rows = Dense(z, c, s, *(own or ()), uncounted=uncounted)
            if evidence is not None:
                rows = _with_evidence(rows, evidence, part, z, c)
            yield which, rows


def _with_evidence(
    rows: Rows, evidence: Evidence, part: slice | Index, depth: Array, value: Array
) -> Rows:
    """Give rows what the data carry of their samples."""
    known: dict[str, Any] = {}
    if evidence.fraction is not None:
        known["fraction"] = np.asarray(evidence.fraction[part], dtype=np.float64)
    flags = evidence.of(part, value)
    if flags is not None:
        limit = None if evidence.limit is None else evidence.limit[part]
        known["carried"], before = _carried(depth, value, flags, limit, rows.offsets)
        known["carried_gaps"] = before if before.size else None
    return replace(rows, **known) if known else rows


def run(
    kernel: Callable[..., Found],
    depth: NDArray[Any],
    value: NDArray[Any],
    *parameters: NDArray[Any],
    errors: Errors | None = None,
    bounds: Bounds | None = None,
    evidence: Evidence | None = None,
    use: Use | None = None,
    whole: Sequence[int] = (),
    group: int = 0,
    sees_gaps: bool = False,
    at_once: bool = False,
    **options: Any,
) -> tuple[Found, Rests | None]:
    """Run a kernel; return its fields, ``(*cases, *lead, ...)``, and what answers rest on.

    Parameters
    ----------
    kernel : callable
        ``kernel(rows, *parameters, **options)`` returns a named tuple of arrays whose first axis
        is the rows.
    depth : ndarray, shape (n,) or (*lead, n)
    value : ndarray, shape (*lead, n)
    *parameters : ndarray, shape (*cases, *lead, *rest)
        They broadcast against `lead` as in numpy. The kernel is called once for each case.
    errors : Errors, optional
        If the kernel uses ``rows.stderr``.
    bounds : (lower, upper), optional
        Edges of the cells over which the values are averages, each shaped as `depth`.
    evidence : Evidence, optional
        What the data carry of their samples.
    use : {"curve", "samples", "point"}, optional
        How answers use the samples between the ``start`` and ``stop`` that the kernel returns, to
        ask what they rest on (otherwise None).
    whole : sequence of int
        For each parameter, the number of axes in its `rest`; 0 by default.
    group : int
        If given, values are ``(*lead, group, n)``: the kernel takes the rows of a group (the
        species of a measurement) together, with one parameter, and returns one result.
    sees_gaps : bool
        The first field is not finite for rows with a missing sample, if the kernel takes them for
        complete: on a shared axis it runs over all rows, and again over those without an answer.
    at_once : bool
        The kernel takes many complete rows part by part itself.
    """
    n, group_size = value.shape[-1], group or 1
    lead = value.shape[:-2] if group else value.shape[:-1]
    whole = whole or [0] * len(parameters)
    split = [(p, p.shape[p.ndim - k :]) for p, k in zip(parameters, whole, strict=True)]
    full = np.broadcast_shapes(lead, *(p.shape[: p.ndim - len(rest)] for p, rest in split))
    cases, results = prod(full[: len(full) - len(lead)]), prod(lead)
    given = [np.broadcast_to(p, (*full, *rest)).reshape(cases, results, *rest) for p, rest in split]
    values = value.reshape(results * group_size, n)

    def of_rows(axis: NDArray[Any]) -> NDArray[Any]:
        if axis.ndim == 1:
            return axis
        return np.broadcast_to(axis, value.shape).reshape(values.shape)

    edges = None if bounds is None else (of_rows(bounds[0]), of_rows(bounds[1]))
    errors = None if errors is None else errors.flat(value.shape)
    evidence = None if evidence is None else evidence.flat(value.shape)
    flagged = evidence is not None and (evidence.flags is not None or evidence.limit is not None)

    def ask(rows: Rows, *own: NDArray[Any]) -> tuple[Found, tuple[NDArray[Any], ...]]:
        found: Any = kernel(rows, *own, **options)
        of = () if use is None else rests(rows, found.start, found.stop, use)
        return found, (*found, *of)

    fields: list[NDArray[Any]] = []
    gaps: Flags | None = None
    plain = _is_plain(value) and edges is None is errors
    few = values[:: 1 + results // 16]
    sees_gaps = sees_gaps and plain and depth.ndim == 1 and cases == 1 and results > 0
    sees_gaps = sees_gaps and not flagged
    if sees_gaps and not np.isnan(few).any(axis=1).all():
        with np.errstate(invalid="ignore"):
            fraction = None if evidence is None else evidence.fraction
            result, every = ask(Dense(depth, values, fraction=fraction), *(p[0] for p in given))
        gaps, fields = ~np.isfinite(result[0]), _not_copied(every)
    kept: dict[str, Any] = {
        "evidence": evidence,
        "group": group_size,
        "gaps": gaps,
        "at_once": at_once,
    }
    for which, rows in layouts(of_rows(depth), values, errors, edges, **kept):
        for case in range(cases):
            result, every = ask(rows, *(p[case, which] for p in given))
            if cases == 1 and rows.count == len(values):
                fields = _not_copied(every)
                continue
            fields = fields or _allocate(every, cases, results)
            for out, field in zip(fields, every, strict=True):
                out[case, which] = field
    if not fields:
        # A call without rows gives the types and shapes of the results.
        nothing = np.empty((0, n))
        rows = Dense(np.arange(float(n)), nothing, None if errors is None else nothing)
        result, every = ask(rows, *(np.empty((0, *rest), p.dtype) for p, rest in split))
        fields = _allocate(every, cases, results)
    shaped = [f.reshape((*full, *f.shape[2:])) for f in fields]
    combined: Found = type(result)(*shaped[: len(result)])
    return combined, None if use is None else Rests(*shaped[len(result) :])


def _is_plain(value: NDArray[Any]) -> bool:
    return value.dtype == np.float64 and value.flags.c_contiguous


def _not_copied(result: tuple[Any, ...]) -> list[NDArray[Any]]:
    """Return the fields of a result of all profiles, as they are if nothing else has them."""
    return [(f if f.flags.owndata and f.flags.writeable else f.copy())[None] for f in result]


def _allocate(result: tuple[Any, ...], cases: int, results: int) -> list[NDArray[Any]]:
    """Allocate arrays for all profiles, with the types and trailing axes of one result."""
    return [np.empty((cases, results, *f.shape[1:]), f.dtype) for f in result]
