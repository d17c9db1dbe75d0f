"""Several samples in one table: told apart by a column of labels, or by labels above blocks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TypeAlias

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, warn
from sims_analysis.kernels.rows import Array, Flags
from sims_analysis.readers.body import Body
from sims_analysis.readers.columns import Pair
from sims_analysis.readers.grammar import Heads
from sims_analysis.readers.grid import Block

__all__ = ["samples_of", "split_rows"]


#: Label, numbers and columns of a measurement.
Part: TypeAlias = "tuple[str | None, Block, list[Pair]]"


def samples_of(
    body: Body, block: Block, heads: Heads, pairs: list[Pair], *, stated: bool
) -> tuple[list[Part], dict[str, str]]:
    """Split a table by what tells samples apart, or refuse it where nobody asked for that.

    Returns
    -------
    parts : list
        One that has no label, if nothing tells samples apart or nobody asked for them.
    constant : dict
        What columns of words say that is the same in all rows.
    """
    asked, constant = body.grid.options.samples, dict[str, str]()
    if not stated or asked is not None:
        rows, constant = split_rows(body, block, heads, block.values[:, pairs[0].axis])
        if rows:
            return [(label, block.only(mask), pairs) for label, mask in rows], constant
    if any(heads.labels):
        return _blocks(body, block, heads, pairs), constant
    if asked is not None:
        listed = ", ".join(map(repr, filter(None, heads.texts))) or "none"
        raise ReadError(
            f"samples={asked!r}: neither a column of labels nor a row of labels above "
            f"blocks of columns tells samples apart; heads found: {listed}"
        )
    return [(None, block, pairs)], constant


def _blocks(body: Body, block: Block, heads: Heads, pairs: list[Pair]) -> list[Part]:
    """Tell blocks of columns apart by the labels above them."""
    options = body.grid.options
    for pair in pairs:
        first = min(pair.axis, pair.value)
        # Above depths that all samples share there is no label.
        place = first if any(heads.labels[: first + 1]) else pair.value
        pair.sample = next(filter(None, reversed(heads.labels[: place + 1])), None)
    labels = list(dict.fromkeys(pair.sample for pair in pairs if pair.sample))
    if options.samples is not None:
        return [(label, block, [p for p in pairs if p.sample == label]) for label in labels]
    repeated = len({pair.name for pair in pairs}) < len(pairs) and options.species is None
    if repeated and not options.number_repeats and options.columns is None:
        raise ReadError(
            f"the table holds several samples, {_listed(labels)}, each with columns of its own: "
            "samples=True reads each as a measurement; columns= or number_repeats=True read all "
            "as one"
        )
    return [(None, block, pairs)]


def split_rows(
    body: Body, block: Block, heads: Heads, axis: Array, without: Collection[int] = ()
) -> tuple[list[tuple[str, Flags]], dict[str, str]]:
    """Give the rows of each sample, if a column of labels is there and was asked for.

    It is refused if nobody did; beside them, what columns say that is the same in all rows.
    """
    asked, grid = body.grid.options.samples, body.grid
    chosen: list[tuple[str, Flags]] = []
    constant: dict[str, str] = {}
    for j, head in enumerate(heads.texts):
        labels = _labels(block, heads, j)
        if labels is None or j in without:
            continue
        place = grid.letter(j)
        different = list(dict.fromkeys(filter(None, labels)))
        filled = _filled(labels)
        apart = len(different) > 1 and _apart(labels, filled, axis)
        if len(different) < 2:
            constant |= {head or f"column {place}": text for text in different}
        if asked in (head, place) or (asked is True and apart):
            texts = np.array(filled, dtype=object)
            chosen = [(label, texts == label) for label in different]
        elif apart and asked is None:
            raise ReadError(
                f"column {place} ({head!r}) tells {len(different)} samples apart "
                f"({_listed(different)}): samples={head or place!r} reads each as a measurement; "
                "otherwise give the rows of one at a time, or name the columns to read by "
                'columns={"B": (axis, values)}'
            )
        elif len(different) > 1:
            warn(
                f"column {place} ({head!r}) holds texts, {_listed(different)}: left out",
                ProfileWarning,
            )
    return chosen, constant


def _labels(block: Block, heads: Heads, column: int) -> list[str] | None:
    """Give the cells of a column of labels; ``None`` if it is none."""
    if column in block.texts:
        return [text.strip() for text in block.texts[column]]
    if heads.heads[column].role == "text" and heads.filled[column]:
        numbers = block.values[:, column].tolist()
        return ["" if np.isnan(number) else f"{number:g}" for number in numbers]
    return None


def _filled(labels: Sequence[str]) -> list[str]:
    """Repeat a label down to the next: cells may be merged, or written once."""
    filled, last = [], next((label for label in labels if label), "")
    for label in labels:
        last = label or last
        filled.append(last)
    return filled


def _apart(labels: Sequence[str], filled: Sequence[str], axis: Array) -> bool:
    """Whether labels tell samples apart, rather than being remarks about rows.

    They stand in most rows, and again and again; or depths begin anew wherever they change.
    """
    written = [label for label in labels if label]
    if len(written) > len(labels) / 2 and len({*written}) <= len(written) / 2:
        return True
    changes = [i for i in range(1, len(filled)) if filled[i] != filled[i - 1]]
    return bool(changes) and all(axis[i] < axis[i - 1] for i in changes)


def _listed(labels: Sequence[str]) -> str:
    more = ", ..." if len(labels) > 3 else ""
    return ", ".join(map(repr, labels[:3])) + more
