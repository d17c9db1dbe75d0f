"""From arrays with gaps to rows of measured samples, and a kernel over many of them.

Only here is NaN a missing sample. Profiles ``(..., n)`` are taken block by block, so that scratch
arrays stay small.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from math import prod
from typing import Any, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.evidence import Support, Use, runs_of, support
from sims_analysis.kernels.rows import (
    WITHOUT_VALUE,
    Array,
    Dense,
    Flags,
    Index,
    Marks,
    Packed,
    Rows,
    dot_rows,
    in_blocks,
)
from sims_analysis.outcomes import GAP, Flag

Answer = TypeVar("Answer", bound=tuple[Any, ...])

#: What is known of samples, by name: see :func:`run`.
Samples = dict[str, Any]

#: Which standard errors a kernel gets: of single samples, of what is fitted to several, or of sums.
ErrorsOf = Literal["each", "fit", "sum"]

#: What may be shared by all profiles, (n,).
AXES = ("depth", "lower", "upper")

#: Samples of complete rows that a kernel takes at a time: as a rule; if it goes through them once;
#: and if it takes them part by part itself.
BLOCK, LONG, ALL = 1 << 19, 1 << 21, 1 << 62


def flat(samples: Samples) -> Samples:
    """Return the same with all profiles along one axis."""
    *lead, n = samples["value"].shape
    flattened = {}
    for name, one in samples.items():
        if name in AXES and one.ndim == 1:
            flattened[name] = one
        elif name == "fraction":
            flattened[name] = np.broadcast_to(one, lead).reshape(prod(lead))
        else:
            flattened[name] = np.broadcast_to(one, (*lead, n)).reshape(prod(lead), n)
    return flattened


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
    on_axis = ~np.isnan(z)
    measured = ~np.isnan(c) & on_axis
    # A gap lies between two neighbours with a value if either says so, or one without a value does.
    at = np.flatnonzero(measured)
    inner = np.cumsum((bits & GAP != 0) & ~measured)
    i, j = at[:-1], at[1:]
    gap = (bits[i] & Flag.GAP_AFTER != 0) | (bits[j] & Flag.GAP_BEFORE != 0)
    gap |= inner[j] > inner[i]
    gap &= row[i] == row[j]
    number = np.arange(at.size) - np.searchsorted(row[at], row[at])
    before = (offsets[row[at]] + number)[:-1][gap]
    parts = [_gaps_at_ends(row, z, measured, (bits & GAP != 0) & ~measured & on_axis)]
    for flag in Flag:
        has = (bits & flag != 0) & on_axis
        if flag & GAP or not has.any():
            continue
        height = c
        if flag is Flag.BELOW_LIMIT:
            height = np.full(c.shape, np.nan) if limit is None else limit[some].reshape(-1)
        for of_kind, bit in ((has & measured, 0), (has & ~measured, WITHOUT_VALUE)):
            kept = np.flatnonzero(measured | of_kind)
            columns = row[kept], z[kept], of_kind[kept], height[kept]
            without = c[kept] if bit and flag is Flag.BELOW_LIMIT else None
            parts.append(runs_of(*columns, flag | bit, without))
    marks = Marks(*map(np.concatenate, zip(*parts, strict=True)))
    return (marks if marks.row.size else None), before


def _gaps_at_ends(row: Index, z: Array, measured: Flags, blank: Flags) -> Marks:
    """Return the gaps in which records begin or end, with their first or last sample."""
    kept = np.flatnonzero(measured | blank)
    runs = runs_of(row[kept], z[kept], blank[kept], np.full(kept.size, np.nan), GAP)
    begins, ends = np.isnan(runs.low), np.isnan(runs.high)
    low = np.where(begins, runs.first, np.nextafter(runs.low, -np.inf))
    high = np.where(ends, runs.last, np.nextafter(runs.high, np.inf))
    every = runs.row, runs.flag, low, high, low, high, runs.height, runs.height
    return Marks(*(one[begins != ends] for one in every))


class InfiniteSampleError(Exception):
    """A value or a depth (`what`) is infinite: its row, its sample, and the number.

    If the number is finite, it is a depth that does not exceed the one before it.
    """

    def __init__(self, row: int, sample: int, what: str, number: float) -> None:
        super().__init__(row, sample, what, number)
        self.row, self.sample, self.what, self.number = row, sample, what, number


def _packed(columns: Samples, numbers: Index, also: Flags | None = None) -> Packed:
    """Pack the measured samples of values ``(R, n)``; messages call the rows by `numbers`.

    Those without a depth (`also`) are looked for if there are any among these.
    """
    depth, value = columns["depth"], columns["value"]
    nan = np.isnan(value) if also is None else np.isnan(value) | also
    # Few, as a rule: found faster than the samples that were measured.
    missing, begin = np.flatnonzero(nan), np.arange(len(value) + 1) * value.shape[1]
    offsets, measured = begin - missing.searchsorted(begin), ~nan

    def packed(samples: Array) -> Array:
        every = np.broadcast_to(samples, value.shape)
        return every[measured] if missing.size else every.reshape(-1)

    packed_columns: Samples = {name: packed(one) for name, one in columns.items()}
    for what in ("depth", "value")[2 - depth.ndim :]:  # a shared axis is finite
        samples = packed_columns[what]
        with np.errstate(all="ignore"):
            total = samples.sum()
        if np.isfinite(total):
            continue
        infinite = np.flatnonzero(np.isinf(samples))
        if infinite.size:
            row, sample = divmod(int(np.flatnonzero(measured)[infinite[0]]), value.shape[1])
            raise InfiniteSampleError(int(numbers[row]), sample, what, float(samples[infinite[0]]))
        if np.isnan(samples).any():
            return _packed(columns, numbers, np.isnan(depth))
    if depth.ndim > 1:
        z = packed_columns["depth"]
        falls, begins = z[1:] <= z[:-1], offsets[1:-1][offsets[1:-1] % max(z.size, 1) > 0]
        falls[begins - 1] = False
        if falls.any():
            at = 1 + int(falls.argmax())
            row, sample = divmod(int(np.flatnonzero(measured)[at]), value.shape[1])
            raise InfiniteSampleError(int(numbers[row]), sample, "depth", float(z[at]))
    axis = depth if depth.ndim == 1 else None
    return Packed(**packed_columns, offsets=offsets, measured=measured, axis=axis)


def layouts(
    samples: Samples,
    *,
    errors: ErrorsOf = "each",
    group: int = 1,
    gaps: Flags | None = None,
    block: int = BLOCK,
) -> Iterator[tuple[slice | Index, Rows]]:
    """Build rows block by block: :class:`Dense` if complete on a shared axis, or :class:`Packed`.

    Yields the indices of the groups of each block, and their rows: so many consecutive ones, in the
    same layout. Rows with gaps are packed. If it is known which rows are incomplete (`gaps`), only
    these are built. A `block` has so many samples of complete rows, `BLOCK` at most if copied.
    """
    value, flags = samples["value"], samples.get("flags")
    count, n = len(value) // group, value.shape[1] * group
    bare = _without_cells(samples, group)
    if bare is not None:
        for mask, left in ((bare, {"lower", "upper"}), (~bare, set[str]())):
            alike = np.flatnonzero(mask)
            every_one = _part(samples, _of_groups(alike, group))
            kept = {name: one for name, one in every_one.items() if name not in left}
            for inner, rows in layouts(kept, errors=errors, group=group, block=block):
                yield alike[inner], rows
        return
    to_pack = []
    if gaps is not None:
        to_pack.append(np.flatnonzero(gaps.reshape(-1, group).any(axis=1)))
    elif samples["depth"].ndim > 1:
        to_pack.append(np.arange(count))
    else:
        size = block if _is_plain(value) else min(block, BLOCK)
        for every in in_blocks(count, n, size):
            part = slice(every.start * group, every.stop * group)
            # Zero times NaN or infinity is NaN: one pass at memory speed finds both.
            with np.errstate(invalid="ignore"):
                lacking = np.isnan(dot_rows(value[part], np.zeros(value.shape[1], value.dtype)))
            if flags is not None:
                lacking |= (_as_flags(flags[part]) & GAP != 0).any(axis=1)
            incomplete = lacking.reshape(-1, group).any(axis=1)
            if not incomplete.any():
                yield every, _rows(samples, part, errors)
                continue
            to_pack.append(every.start + np.flatnonzero(incomplete))
            whole = every.start + np.flatnonzero(~incomplete)
            for some in in_blocks(whole.size, n, BLOCK):
                yield whole[some], _rows(samples, _of_groups(whole[some], group), errors)
    groups = np.concatenate([*to_pack, np.empty(0, dtype=np.intp)])
    # Packed rows take more scratch arrays, more still with errors, and more time a sample.
    for some in in_blocks(groups.size, n, BLOCK // (4 if "stderr" in samples else 2)):
        which: slice | Index = some if groups.size == count else groups[some]
        part = slice(some.start * group, some.stop * group)
        numbers = _of_groups(groups[some], group)
        rows = _rows(samples, part if groups.size == count else numbers, errors, numbers)
        yield which, rows


def _without_cells(samples: Samples, group: int) -> Flags | None:
    """Return which groups are of samples, where edges of cells are known of others; None of all."""
    lower = samples.get("lower")
    if lower is None or lower.ndim == 1:
        return None
    bare: Flags = np.isnan(lower).all(axis=1).reshape(-1, group).any(axis=1)
    return bare if bare.any() else None


def _part(samples: Samples, part: slice | Index) -> dict[str, NDArray[Any]]:
    """Return the samples of some profiles."""
    return {
        name: one if name in AXES and one.ndim == 1 else one[part] for name, one in samples.items()
    }


def _of_groups(groups: Index, group: int) -> Index:
    """Return the rows of groups of so many."""
    return (groups[:, None] * group + np.arange(group)).reshape(-1)


def _rows(
    samples: Samples, part: slice | Index, errors: ErrorsOf, numbers: Index | None = None
) -> Rows:
    """Build rows from a part of the profiles; :class:`Packed` if they have `numbers`."""
    selected = _part(samples, part)
    columns: Samples = {
        name: np.ascontiguousarray(selected[name], dtype=np.float64)
        for name in ("depth", "value", "lower", "upper", "stderr")
        if name in selected
    }
    if "stderr" in selected and errors != "each":
        columns |= _shared_errors(selected, columns["stderr"], errors)
    rows: Rows = Dense(**columns) if numbers is None else _packed(columns, numbers)
    evidence: dict[str, Any] = {}
    if "fraction" in selected:
        evidence["fraction"] = np.asarray(selected["fraction"], dtype=np.float64)
    flags = _flags(selected)
    if flags is not None:
        axis, value = columns["depth"], columns["value"]
        evidence["carried"], before = _carried(
            axis, value, flags, selected.get("limit"), rows.offsets
        )
        evidence["carried_gaps"] = before if before.size else None
    return replace(rows, **evidence) if evidence else rows


def _shared_errors(samples: Samples, stderr: Array, errors: ErrorsOf) -> dict[str, Array]:
    """Return the errors of samples in fits and sums, and those of samples with zero counts."""
    shared = {"stderr": stderr}
    none = (
        samples["counts"] == 0
        if errors == "sum" and "counts" in samples
        else np.zeros(1, dtype=bool)
    )
    if none.any():
        shared = {"stderr": np.where(none, 0.0, stderr), "uncounted": np.where(none, stderr, 0.0)}
    if "fraction" in samples and (samples["fraction"] != 1.0).any():
        shared["stderr"] = shared["stderr"] / np.sqrt(samples["fraction"][:, None])
    return shared


def _flags(samples: Samples) -> NDArray[np.int16] | None:
    """Return the flags of a part, or None; a sample with a limit and no value is below it."""
    flags = _as_flags(samples["flags"]) if "flags" in samples else None
    if "limit" in samples:
        below = np.isnan(samples["value"]) & ~np.isnan(samples["limit"])
        low = np.where(below, np.int16(Flag.BELOW_LIMIT), np.int16(0))
        flags = low if flags is None else flags | low
    return flags if flags is not None and flags.any() else None


def _as_flags(numbers: NDArray[Any]) -> NDArray[np.int16]:
    """Return flags as whole numbers; xarray makes them floats where it fills places with NaN."""
    return (np.nan_to_num(numbers) if numbers.dtype.kind == "f" else numbers).astype(
        np.int16, copy=False
    )


def run(
    kernel: Callable[..., Answer],
    samples: Samples,
    /,
    *parameters: NDArray[Any],
    errors: ErrorsOf = "each",
    use: Use | None = None,
    whole: Sequence[int] = (),
    group: int = 0,
    sees_gaps: bool = False,
    block: int = BLOCK,
    **options: Any,
) -> tuple[Answer, Support | None]:
    """Run a kernel; return its fields, ``(*cases, *lead, ...)``, and what answers rest on.

    ``kernel(rows, *parameters, **options)`` returns a named tuple of arrays whose first axis is the
    rows; it is called once for each case.

    `samples` are ``depth``, (n,) or (*lead, n), and ``value``, (*lead, n). If known, ``lower`` and
    ``upper``, edges of cells, as ``depth``; ``stderr``, ``counts``, ``flags`` (sums of
    :class:`sims_analysis.outcomes.Flag`, NaN for 0) and ``limit`` (of detection), as ``value``;
    ``fraction``, (*lead,), of effective samples per depth. Parameters, (*cases, *lead, *rest),
    broadcast as in numpy; `whole` are the numbers of axes in their `rest`, 0 by default. Of a
    `group`, values are ``(*lead, group, n)``: its rows have one parameter and one result.

    `errors` are those of single samples (``"each"``); larger by ``1 / sqrt(fraction)``; or these,
    where samples with zero counts have none: the unbiased estimate of the variance of a Poisson
    count is itself. `use` says how answers use the samples between the ``start`` and ``stop`` that
    the kernel returns; without it, they are not asked what they rest on. A kernel `sees_gaps` if
    its first field is not finite for rows with a missing sample that it takes for complete: on a
    shared axis it runs over all rows, and again over those without an answer.
    """
    value, group_size = samples["value"], group or 1
    lead, n = value.shape[:-2] if group else value.shape[:-1], value.shape[-1]
    whole = whole or [0] * len(parameters)
    split = [(p, p.shape[p.ndim - k :]) for p, k in zip(parameters, whole, strict=True)]
    full = np.broadcast_shapes(lead, *(p.shape[: p.ndim - len(rest)] for p, rest in split))
    cases, results = prod(full[: len(full) - len(lead)]), prod(lead)
    given = [np.broadcast_to(p, (*full, *rest)).reshape(cases, results, *rest) for p, rest in split]
    samples = flat(samples)
    depth, values = samples["depth"], samples["value"]

    def call_kernel(rows: Rows, *own: NDArray[Any]) -> tuple[Answer, tuple[NDArray[Any], ...]]:
        answer: Any = kernel(rows, *own, **options)
        of = () if use is None else support(rows, answer.start, answer.stop, use)
        return answer, (*answer, *of)

    fields: list[NDArray[Any]] = []
    gaps: Flags | None = None
    as_they_are = _is_plain(value) and ("stderr" not in samples or _is_plain(samples["stderr"]))
    plain = as_they_are and depth.ndim == 1 and samples.keys() <= {*_OF_DENSE}
    few = values[:: 1 + results // 16]
    if sees_gaps and plain and cases == 1 and results and not np.isnan(few).any(axis=1).all():
        with np.errstate(invalid="ignore"):
            every_row = _rows(samples, slice(0, results), errors)
            result, every = call_kernel(every_row, *(p[0] for p in given))
        gaps, fields = ~np.isfinite(result[0]), _not_copied(every)
    kept: dict[str, Any] = {"errors": errors, "group": group_size, "block": block}
    rest = layouts(samples, gaps=gaps, **kept) if gaps is None or gaps.any() else ()
    for which, rows in rest:
        for case in range(cases):
            result, every = call_kernel(rows, *(p[case, which] for p in given))
            if cases == 1 and rows.count == len(values):
                fields = _not_copied(every)
                continue
            fields = fields or _allocate(every, cases, results)
            for out, field in zip(fields, every, strict=True):
                out[case, which] = field
    if not fields:
        # A call without rows gives the types and shapes of the results.
        nothing = np.empty((0, n))
        rows = Dense(np.arange(float(n)), nothing, nothing if "stderr" in samples else None)
        result, every = call_kernel(rows, *(np.empty((0, *rest), p.dtype) for p, rest in split))
        fields = _allocate(every, cases, results)
    shaped = [f.reshape((*full, *f.shape[2:])) for f in fields]
    combined: Answer = type(result)(*shaped[: len(result)])
    return combined, None if use is None else Support(*shaped[len(result) :])


#: What complete rows can have, if nothing of it is to be looked at.
_OF_DENSE = ("depth", "value", "stderr", "fraction")


def _is_plain(value: NDArray[Any]) -> bool:
    return value.dtype == np.float64 and value.flags.c_contiguous


def _not_copied(result: tuple[Any, ...]) -> list[NDArray[Any]]:
    """Return the fields of a result of all profiles, as they are if nothing else has them."""
    return [(f if f.flags.owndata and f.flags.writeable else f.copy())[None] for f in result]


def _allocate(result: tuple[Any, ...], cases: int, results: int) -> list[NDArray[Any]]:
    """Allocate arrays for all profiles, with the types and trailing axes of one result."""
    return [np.empty((cases, results, *f.shape[1:]), f.dtype) for f in result]
