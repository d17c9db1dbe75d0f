"""Several samples in one table: told apart by a column of labels, or by labels above blocks."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sims_analysis.errors import ProfileWarning, ReadError, warn
from sims_analysis.kernels.rows import Flags
from sims_analysis.readers.body import Body
from sims_analysis.readers.columns import Pair
from sims_analysis.readers.grammar import Heads
from sims_analysis.readers.grid import Block
from sims_analysis.readers.numbers import column_name

__all__ = ["Samples", "samples_of", "split_rows"]


@dataclass
class Samples:
    """The parts of a table that are measurements of their own.

    Parameters
    ----------
    parts : list of tuple
        Label, numbers, and columns of each.
    constant : dict
        What columns of words say that is the same in all rows.
    """

    parts: list[tuple[str | None, Block, list[Pair]]]
    constant: dict[str, str] = field(default_factory=dict)


def samples_of(
    body: Body, block: Block, heads: Heads, pairs: list[Pair], *, stated: bool
) -> Samples:
    """Split a table by what tells samples apart, or refuse it where nobody asked for that.

    Raises
    ------
    ReadError
        If it holds several samples and ``samples=`` does not say so, or says what is not there.
    """
    options = body.grid.options
    found = Samples([(None, block, pairs)])
    if not stated or options.samples is not None:
        axis = block.values[:, pairs[0].axis]
        rows = split_rows(body, block, heads, found.constant, axis)
        if rows:
            found.parts = [(label, block.only(mask), pairs) for label, mask in rows]
            return found
    if any(heads.labels):
        return _blocks(body, block, heads, pairs, found)
    if options.samples is not None:
        listed = ", ".join(map(repr, filter(None, heads.texts))) or "none"
        raise ReadError(
            f"samples={options.samples!r}: neither a column of labels nor a row of labels above "
            f"blocks of columns tells samples apart; heads found: {listed}"
        )
    return found


def _blocks(body: Body, block: Block, heads: Heads, pairs: list[Pair], found: Samples) -> Samples:
    """Tell blocks of columns apart by the labels above them."""
    options = body.grid.options
    for pair in pairs:
        first = min(pair.axis, pair.value)
        # Above depths that all samples share there is no label.
        place = first if any(heads.labels[: first + 1]) else pair.value
        pair.sample = next(filter(None, reversed(heads.labels[: place + 1])), None)
    labels = list(dict.fromkeys(pair.sample for pair in pairs if pair.sample))
    if options.samples is not None:
        found.parts = [(label, block, [p for p in pairs if p.sample == label]) for label in labels]
        return found
    names = [pair.name for pair in pairs]
    repeated = len({*names}) < len(names) and options.species is None
    if repeated and not options.number_repeats and options.columns is None:
        raise ReadError(
            f"the table holds several samples, {_listed(labels)}, each with columns of its own: "
            "samples=True reads each as a measurement; columns= or number_repeats=True read all "
            "as one"
        )
    return found


def split_rows(
    body: Body,
    block: Block,
    heads: Heads,
    constant: dict[str, str],
    axis: NDArray[np.float64],
    without: Collection[int] = (),
) -> list[tuple[str, Flags]]:
    """Give the rows of each sample, if a column of labels is there and was asked for.

    Raises
    ------
    ReadError
        If a column tells samples apart, and ``samples=`` does not name it.
    """
    asked = body.grid.options.samples
    chosen: list[tuple[str, Flags]] = []
    for j, head in enumerate(heads.texts):
        labels = _labels(block, heads, j)
        if labels is None or j in without:
            continue
        place = column_name(body.grid.column(j))
        wanted = asked is True or asked in (head, place)
        different = list(dict.fromkeys(filter(None, labels)))
        if len(different) < 2:
            constant |= {head or f"column {place}": text for text in different}
            wanted = wanted and asked is not True
        filled = _filled(labels)
        if wanted and (asked is not True or _apart(labels, filled, axis)):
            texts = np.array(filled, dtype=object)
            chosen = [(label, texts == label) for label in different]
        elif len(different) < 2:
            continue
        elif _apart(labels, filled, axis) and asked is None:
            raise ReadError(
                f"column {place} ({head!r}) tells {len(different)} samples apart "
                f"({_listed(different)}): samples={head or place!r} reads each as a measurement; "
                "otherwise give the rows of one at a time, or name the columns to read by "
                'columns={"B": (axis, values)}'
            )
        else:
            warn(
                f"column {place} ({head!r}) holds texts, {_listed(different)}: left out",
                ProfileWarning,
            )
    return chosen


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


def _apart(labels: Sequence[str], filled: Sequence[str], axis: NDArray[np.float64]) -> bool:
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
