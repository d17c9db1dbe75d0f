"""What stands row by row: several samples in one table, and species named in a column.

Samples are distinguished by a column of labels, or by labels above blocks; species by a column of
their names, which is how programs keep profiles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, UnitsError, warn
from sims_analysis.kernels.rows import Array, Flags
from sims_analysis.profiles.metadata import Layer
from sims_analysis.readers.signals import Signal
from sims_analysis.readers.tables.body import Body
from sims_analysis.readers.tables.columns import Pair
from sims_analysis.readers.tables.grid import Block, Grid
from sims_analysis.readers.tables.header_cells import Header, same_unit, try_header
from sims_analysis.readers.tables.headers import Headers
from sims_analysis.readers.tables.heuristics import HEURISTICS
from sims_analysis.readers.tables.row_kinds import RowKind
from sims_analysis.readers.tables.sections import restarts
from sims_analysis.readers.tables.words import are_labels, is_only_species, named_role

__all__ = [
    "group_by_label",
    "has_tidy_headers",
    "is_tidy",
    "label_column",
    "labelled_parts",
    "layers_of",
    "split_samples",
]

#: Label, numbers and columns of a measurement.
Part: TypeAlias = "tuple[str | None, Block, list[Pair]]"


def split_samples(
    body: Body, block: Block, headers: Headers, pairs: list[Pair], *, stated: bool
) -> tuple[list[Part], dict[str, str]]:
    """Split a table by what distinguishes the samples, or refuse it unless that was requested.

    Returns
    -------
    parts : list
        One that has no label, if nothing distinguishes the samples or they were not requested.
    constant : dict
        What columns of words say that is the same in all rows.
    """
    requested, constant = body.grid.options.samples, dict[str, str]()
    if not stated or requested is not None:
        rows, constant = _split_rows(body, block, headers, block.values[:, pairs[0].axis])
        if rows:
            return [(label, block.only(mask), pairs) for label, mask in rows], constant
    unnamed = len(pairs) == 1 and not pairs[0].name
    sections = _sections(body, block, block.values[:, pairs[0].axis], unnamed=unnamed)
    if sections and unnamed and _name_species([label for label, _ in sections]):
        parts = [(block.only(mask), name) for name, mask in sections]
        of_pair = [(None, rows, [replace(pairs[0], name=name)]) for rows, name in parts]
        return list(of_pair), constant
    if sections:
        return [(label, block.only(mask), pairs) for label, mask in sections], constant
    if any(headers.labels):
        return _blocks(body, block, headers, pairs), constant
    if requested is not None:
        listed = ", ".join(map(repr, filter(None, headers.texts))) or "none"
        raise ReadError(
            f"samples={requested!r}: neither a column of labels nor a row of labels above "
            f"blocks of columns distinguishes the samples; headers found: {listed}",
            argument="samples",
        )
    return [(None, block, pairs)], constant


def _name_species(labels: Sequence[str]) -> bool:
    """Whether labels of blocks name species: ``W1`` and ``W2`` count wafers."""
    return all(map(is_only_species, labels)) and not are_labels(labels)


def _sections(body: Body, block: Block, axis: Array, *, unnamed: bool) -> list[tuple[str, Flags]]:
    """Return the rows of each of several blocks below each other, or refuse them.

    Their labels are species, if the values are `unnamed`; samples otherwise.
    """
    labels = [(body.grid.number(i), text) for i, text in body.sections.labels.items()]
    named = {int(np.searchsorted(block.rows, number)): text for number, text in labels}
    starts = sorted({*restarts(axis, block.rows), *named})
    if len(starts) < 2:
        return []
    sections = []
    for count, (start, stop) in enumerate(pairwise([*starts, len(axis)]), 1):
        rows = np.zeros(len(axis), dtype=bool)
        rows[start:stop] = True
        sections.append((named.get(start) or f"block {count}", rows))
    of_species = unnamed and len(labels) == len(starts) and _name_species([t for _, t in labels])
    if body.grid.options.samples is None and not of_species:
        places = [block.rows[start] for start in starts[1:]]
        raise ReadError(
            f"the depths begin anew at {body.grid.row_word} {places[0]}: {len(starts)} blocks "
            f"stand below each other ({_listed([label for label, _ in sections])}); samples=True "
            "reads each as a measurement"
        )
    return sections


def _blocks(body: Body, block: Block, headers: Headers, pairs: list[Pair]) -> list[Part]:
    """Distinguish blocks of columns by the labels above them."""
    options = body.grid.options
    for pair in pairs:
        first = min(pair.axis, pair.value)
        # Above depths that all samples share there is no label.
        place = first if any(headers.labels[: first + 1]) else pair.value
        pair.sample = next(filter(None, reversed(headers.labels[: place + 1])), None)
    labels = list(dict.fromkeys(pair.sample for pair in pairs if pair.sample))
    if options.samples is not None:
        return [(label, block, [p for p in pairs if p.sample == label]) for label in labels]
    repeated = len({pair.name for pair in pairs}) < len(pairs) and options.species is None
    if repeated and not options.number_repeats and options.columns is None:
        raise ReadError(
            f"the table holds several samples, {_listed(labels)}, each with columns of its own",
            code="several_samples",
            argument="samples",
            remedy="samples=True reads each as a measurement; columns= or number_repeats=True "
            "read all as one",
        )
    return [(None, block, pairs)]


def _split_rows(
    body: Body, block: Block, headers: Headers, axis: Array, without: Collection[int] = ()
) -> tuple[list[tuple[str, Flags]], dict[str, str]]:
    """Return the rows of each sample, if a column of labels is there and was requested.

    It is refused otherwise; next to them, what columns say that is the same in all rows.
    """
    requested, grid = body.grid.options.samples, body.grid
    chosen: list[tuple[str, Flags]] = []
    constant: dict[str, str] = {}
    for j, header in enumerate(headers.texts):
        labels = _labels(block, headers, j)
        if labels is None or j in without or named_role(header, "layer", "matrix"):
            continue
        place, called = grid.letter(j), grid.called(j)
        different = list(dict.fromkeys(filter(None, labels)))
        filled = _filled(labels)
        apart = len(different) > 1 and _apart(labels, filled, axis)
        if len(different) == 1:
            constant[header] = different[0]
        if requested in (header, place) or (requested is True and apart):
            texts = np.array(filled, dtype=object)
            chosen = [(label, texts == label) for label in different]
        elif apart and requested is None:
            raise ReadError(
                f"{called} ({header!r}) distinguishes {len(different)} samples "
                f"({_listed(different)})",
                code="several_samples",
                argument="samples",
                remedy=f"samples={header!r} reads each as a measurement; otherwise give the rows "
                'of one at a time, or name the columns to read by columns={"B": (axis, values)}',
            )
        elif len(different) > 1:
            warn(
                f"{called} ({header!r}) holds texts, {_listed(different)}: left out",
                ProfileWarning,
            )
    return chosen, constant


def layers_of(block: Block, headers: Headers, axis: int) -> tuple[Layer, ...]:
    """Return the layers that a column names, with the depths from which and to which they reach."""
    for j, header in enumerate(headers.texts):
        labels = None
        if named_role(header, "layer", "matrix"):
            labels = _labels(block, headers, j)
        if labels is None or not any(labels):
            continue
        filled, depths = np.array(_filled(labels), dtype=object), block.values[:, axis]
        starts = [0, *(np.flatnonzero(filled[1:] != filled[:-1]) + 1).tolist()]
        unit = headers.units[axis] or ""
        return tuple(
            Layer(
                matrix=filled[start],
                start=f"{depths[start]:g} {unit}".strip(),
                stop=f"{depths[stop - 1]:g} {unit}".strip(),
            )
            for start, stop in pairwise([*starts, len(filled)])
        )
    return ()


def _labels(block: Block, headers: Headers, column: int) -> list[str] | None:
    """Return the cells of a column of labels; ``None`` if it is none."""
    if column in block.texts:
        return [text.strip() for text in block.texts[column]]
    if headers.headers[column].role == "text" and headers.filled[column]:
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
    """Whether labels distinguish samples, rather than being remarks about rows.

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


# --- species in a column -----------------------------------------------------------------------


def is_tidy(headers: Sequence[str]) -> bool:
    """Whether one header names a column of species, and another a depth or a time."""
    names = [header for header in headers if named_role(header, "species")]
    if len(names) != 1:
        return False
    return sum(try_header(header).role in ("axis", "time") for header in headers) == 1


def has_tidy_headers(grid: Grid) -> bool:
    """Whether one of the first rows, above the numbers, is a header of species next to depths."""
    for i in range(min(len(grid), HEURISTICS.tidy_rows)):
        kind = grid.kind(i)
        if kind is RowKind.NUMBERS:
            return False
        if kind is RowKind.HEADERS and not grid.is_comment(i) and is_tidy(grid.cells(i)):
            return True
    return False


def label_column(body: Body) -> int | None:
    """Find the column that names the species of each row."""
    grid = body.grid
    above = (i for i in range(body.first - 1, -1, -1) if grid.kind(i) is RowKind.HEADERS)
    headers = next(map(grid.cells, above), [])
    if not is_tidy(headers):
        return None
    while headers and not headers[-1]:
        headers = headers[:-1]
    body.width = len(headers)
    return next(j for j, header in enumerate(headers) if named_role(header, "species"))


def labelled_parts(
    body: Body, block: Block, found: Headers, label: int
) -> list[tuple[str | None, list[Signal]]]:
    """Make the signals of each sample; of all, unless they are wanted separately."""
    requested = body.grid.options.samples
    names = [text.strip() for text in block.texts[label]]
    if len(names) == len({*names}) > 1:
        raise ReadError(
            f"each of {len(names)} species has one row: a summary of profiles, and none of them"
        )
    if requested is None:
        return [(None, _signals_of(body, block, found, label))]
    axis = next(j for j, header in enumerate(found.headers) if header.role in ("axis", "time"))
    parts, _ = _split_rows(body, block, found, block.values[:, axis], without=(label,))
    if not parts:
        listed = ", ".join(map(repr, filter(None, found.texts)))
        raise ReadError(
            f"samples={requested!r}: no column of labels distinguishes the samples; headers "
            f"found: {listed}",
            argument="samples",
        )
    return [(name, _signals_of(body, block.only(rows), found, label)) for name, rows in parts]


def _signals_of(body: Body, block: Block, found: Headers, label: int) -> list[Signal]:
    """Make the signals of rows below the names of their columns."""
    headers, names, grid = found.headers, found.texts, body.grid
    axis = next(j for j, header in enumerate(headers) if header.role in ("axis", "time"))
    values = [j for j, h in enumerate(headers) if h.role == "value" and j != label]
    # Where some say so, the others are of something else: of a sample, a wafer, a unit.
    values = [j for j in values if headers[j].explicit or headers[j].unit] or values
    values = [j for j in values if j not in block.texts]
    if not values:
        raise ReadError("no column holds values")
    errors = _errors(grid, headers, values)
    unused = [j for j, header in enumerate(headers) if header.role in ("error", "ancillary")]
    if unused := [j for j in unused if j not in errors.values()]:
        listed = ", ".join(f"{grid.called(j)} ({names[j]!r})" for j in unused)
        warn(f"numbers of {listed} are not read", ProfileWarning)
    unit = next((j for j in block.texts if named_role(names[j], "unit")), None)
    numeric = {axis, label, unit, *values, *errors.values(), *unused}
    _refuse_measurements(grid, block, found, [j for j in range(len(headers)) if j not in numeric])
    below = np.full(block.values.shape, np.nan)
    for cell, limit in block.limits.items():
        below[cell] = limit
    signals = []
    for name, members in group_by_label(list(map(str.strip, block.texts[label]))):
        if not name:
            place, _, _ = grid.where(block.rows[int(members[0])], 0).rpartition(",")
            raise ReadError(f"{place}: no species in {grid.called(label)}")
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
                stderr=block.values[members, errors[j]] if j in errors else None,
            )
            signal.mark_below_limit(limit)
            signals.append(signal)
    return signals


def _refuse_measurements(grid: Grid, block: Block, found: Headers, columns: Sequence[int]) -> None:
    """Refuse a column that is neither a species nor a value, and differs from row to row."""
    for j in columns:
        name = found.texts[j].strip()
        if not name or found.headers[j].role not in ("value", "text"):
            continue
        if j in block.texts:
            texts = list(map(str.strip, block.texts[j]))
        else:
            texts = [f"{value:g}" for value in block.values[:, j]]
        different = list(dict.fromkeys(texts))
        if different[1:]:
            raise ReadError(
                f"{grid.called(j)} ({name!r}) is neither a species nor a value, and "
                f"differs from row to row ({', '.join(map(repr, different[:3]))}...): give the "
                "rows of one measurement at a time"
            )


def _errors(grid: Grid, headers: Sequence[Header], values: Sequence[int]) -> dict[int, int]:
    """Find the column of errors of each column of values, to the right of it, in its unit."""
    errors: dict[int, int] = {}
    for j, header in enumerate(headers):
        left = [v for v in values if v < j]
        if header.role != "error" or not left or left[-1] in errors:
            continue
        of_values = headers[left[-1]].unit
        if header.unit and of_values and not same_unit(header.unit, of_values):
            raise UnitsError(
                f"{grid.called(j)} holds errors in {header.unit!r} of values in "
                f"{of_values!r}; give both in one unit"
            )
        errors[left[-1]] = j
    return errors


def _unit(grid: Grid, texts: Sequence[str], column: int, name: str) -> str | None:
    """Return the unit that a column of units states for a species."""
    stated = dict.fromkeys(map(str.strip, texts))
    if len(stated) > 1:
        raise UnitsError(
            f"species {name!r}: {grid.called(column)} states several units, "
            f"{', '.join(map(repr, stated))}",
            where={"species": name},
        )
    return next(iter(stated)) or None


def group_by_label(labels: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
    """Return each label, in order of appearance, with the places where it stands."""
    import pandas as pd

    codes, names = pd.factorize(np.array(labels, dtype=object))
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes, minlength=len(names)))
    return zip(map(str, names), np.split(order, ends[:-1]), strict=True)
