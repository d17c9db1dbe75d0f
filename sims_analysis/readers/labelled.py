"""Tables of a row for each sample, with the species in a column: how programs keep profiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, UnitsError, warn
from sims_analysis.readers.body import Body
from sims_analysis.readers.grammar import Heads
from sims_analysis.readers.grid import Block, Grid
from sims_analysis.readers.heads import Head, read_head_quietly, same_unit
from sims_analysis.readers.kinds import Kind
from sims_analysis.readers.samples import split_rows
from sims_analysis.readers.signals import Signal
from sims_analysis.readers.words import named_role

__all__ = ["by_label", "is_tidy", "label_column", "labelled_parts"]


def is_tidy(heads: Sequence[str]) -> bool:
    """Whether one head names a column of species, and another a depth or a time."""
    names = [head for head in heads if named_role(head, "species")]
    if len(names) != 1:
        return False
    return sum(read_head_quietly(head).role in ("axis", "time") for head in heads) == 1


def head_row(grid: Grid, below: int) -> list[str]:
    """Give the cells of the last row of heads above a row."""
    row = next((i for i in range(below - 1, -1, -1) if grid.kind(i) is Kind.HEADS), None)
    return [] if row is None else grid.cells(row)


def label_column(body: Body) -> int | None:
    """Find the column that names the species of each row."""
    heads = head_row(body.grid, body.first)
    if not is_tidy(heads):
        return None
    while heads and not heads[-1]:
        heads = heads[:-1]
    body.width = len(heads)
    return next(j for j, head in enumerate(heads) if named_role(head, "species"))


def labelled_parts(
    body: Body, block: Block, found: Heads, label: int
) -> list[tuple[str | None, list[Signal]]]:
    """Make the signals of each sample; of all, if nobody asked for them apart."""
    asked = body.grid.options.samples
    if asked is None:
        return [(None, _signals(body, block, found, label))]
    axis = next(j for j, head in enumerate(found.heads) if head.role in ("axis", "time"))
    parts, _ = split_rows(body, block, found, block.values[:, axis], without=(label,))
    if not parts:
        listed = ", ".join(map(repr, filter(None, found.texts)))
        raise ReadError(
            f"samples={asked!r}: no column of labels tells samples apart; heads found: {listed}"
        )
    return [(name, _signals(body, block.only(rows), found, label)) for name, rows in parts]


def _signals(body: Body, block: Block, found: Heads, label: int) -> list[Signal]:
    """Make the signals of rows below the names of their columns."""
    heads, names, grid = found.heads, found.texts, body.grid
    axis = next(j for j, head in enumerate(heads) if head.role in ("axis", "time"))
    values = [j for j, h in enumerate(heads) if h.role == "value" and j != label]
    # Where some say so, the others are of something else: of a sample, a wafer, a unit.
    values = [j for j in values if heads[j].says or heads[j].unit] or values
    values = [j for j in values if j not in block.texts]
    if not values:
        raise ReadError("no column holds values")
    errors = _errors(grid, heads, values)
    unused = [j for j, head in enumerate(heads) if head.role in ("error", "beside")]
    if unused := [j for j in unused if j not in errors.values()]:
        listed = ", ".join(f"{grid.letter(j)} ({names[j]!r})" for j in unused)
        warn(f"numbers of column {listed} are not read", ProfileWarning)
    unit = next((j for j in block.texts if named_role(names[j], "unit")), None)
    numeric = {axis, label, unit, *values, *errors.values(), *unused}
    _refuse_measurements(grid, block, found, [j for j in range(len(heads)) if j not in numeric])
    below = np.full(block.values.shape, np.nan)
    for cell, limit in block.limits.items():
        below[cell] = limit
    signals = []
    for name, members in by_label(list(map(str.strip, block.texts[label]))):
        if not name:
            place, _, _ = grid.where(block.rows[int(members[0])], 0).rpartition(",")
            raise ReadError(f"{place}: no species in column {grid.letter(label)}")
        stated = None
        if unit is not None:
            stated = _unit(grid, [block.texts[unit][row] for row in members], unit, name)
        for j in values:
            y, limit = block.values[members, j], below[members, j]
            if np.isnan(y).all() and np.isnan(limit).all():
                continue
            signal = Signal(
                name=name,
                depths=block.values[members, axis],
                depth_units=found.units[axis],
                values=y,
                units=found.units[j] or stated,
                where=f"column {grid.letter(j)}",
                stderr=block.values[members, errors[j]] if j in errors else None,
            )
            signal.censor(limit)
            signals.append(signal)
    return signals


def _refuse_measurements(grid: Grid, block: Block, found: Heads, columns: Sequence[int]) -> None:
    """Refuse a column that is neither a species nor a value, and differs from row to row."""
    for j in columns:
        name = found.texts[j].strip()
        if not name or found.heads[j].role not in ("value", "text"):
            continue
        if j in block.texts:
            texts = list(map(str.strip, block.texts[j]))
        else:
            texts = [f"{value:g}" for value in block.values[:, j]]
        different = list(dict.fromkeys(texts))
        if different[1:]:
            raise ReadError(
                f"column {grid.letter(j)} ({name!r}) is neither a species nor a value, and "
                f"differs from row to row ({', '.join(map(repr, different[:3]))}...): give the "
                "rows of one measurement at a time"
            )


def _errors(grid: Grid, heads: Sequence[Head], values: Sequence[int]) -> dict[int, int]:
    """Find the column of errors of each column of values, to the right of it, in its unit."""
    errors: dict[int, int] = {}
    for j, head in enumerate(heads):
        left = [v for v in values if v < j]
        if head.role != "error" or not left or left[-1] in errors:
            continue
        of_values = heads[left[-1]].unit
        if head.unit and of_values and not same_unit(head.unit, of_values):
            raise UnitsError(
                f"column {grid.letter(j)} holds errors in {head.unit!r} of values in "
                f"{of_values!r}; give both in one unit"
            )
        errors[left[-1]] = j
    return errors


def _unit(grid: Grid, texts: Sequence[str], column: int, name: str) -> str | None:
    """Give the unit that a column of units states for a species."""
    stated = dict.fromkeys(map(str.strip, texts))
    if len(stated) > 1:
        raise UnitsError(
            f"species {name!r}: column {grid.letter(column)} states several units, "
            f"{', '.join(map(repr, stated))}"
        )
    return next(iter(stated)) or None


def by_label(labels: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Give each label, in order of appearance, with the places where it stands."""
    import pandas as pd

    codes, names = pd.factorize(np.array(labels, dtype=object))
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    return zip(map(str, names), np.split(order, ends[:-1]), strict=True)
