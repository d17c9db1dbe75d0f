"""Which rows and columns are of which sample, of which species, and in which layer."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, UnitsError, warn
from sims_analysis.kernels.rows import Array, Flags
from sims_analysis.profiles.metadata import Layer
from sims_analysis.readers.tables.body import Body
from sims_analysis.readers.tables.columns import Pair
from sims_analysis.readers.tables.grid import Block, Grid
from sims_analysis.readers.tables.header_cells import (
    are_labels,
    is_only_species,
    named_role,
    names_axis,
    try_header,
)
from sims_analysis.readers.tables.headers import Headers
from sims_analysis.readers.tables.regions import BLOCK_ROWS
from sims_analysis.readers.tables.row_kinds import RowKind
from sims_analysis.text.arguments import first_few

#: Rows in which headers of a table with species in a column are looked for; part of the rows of a
#: block from whose depths on the next one begins below an empty row.
_TIDY_ROWS, _BLOCK_BACK = 30, 0.5
#: Label, numbers and columns of a measurement.
Part: TypeAlias = "tuple[str | None, Block, list[Pair]]"


def split_samples(
    body: Body, block: Block, headers: Headers, pairs: list[Pair], *, stated: bool
) -> tuple[list[Part], dict[str, str]]:
    """Split a table by what distinguishes samples; and give what is the same in all rows."""
    requested, constant = body.grid.options.samples, dict[str, str]()
    if not stated or requested is not None:
        rows, constant = _split_rows(body, block, headers, block.values[:, pairs[0].axis])
        if rows:
            return [(label, block.select(mask), pairs) for label, mask in rows], constant
    unnamed = len(pairs) == 1 and not pairs[0].name
    sections = _sections(body, block, block.values[:, pairs[0].axis], unnamed=unnamed)
    if sections and unnamed and _name_species([label for label, _ in sections]):
        parts = ((block.select(mask), [replace(pairs[0], name=name)]) for name, mask in sections)
        return [(None, rows, of_name) for rows, of_name in parts], constant
    if sections:
        return [(label, block.select(mask), pairs) for label, mask in sections], constant
    if any(headers.labels):
        return _blocks(body, block, headers, pairs), constant
    if requested is not None:
        reason = "neither a column of labels nor a row of labels above blocks of columns"
        _refuse_request(body, headers, f"{reason} distinguishes the samples")
    return [(None, block, pairs)], constant


def _refuse_request(body: Body, headers: Headers, reason: str) -> None:
    texts = ", ".join(map(repr, filter(None, headers.texts))) or "none"
    raise ReadError(
        f"samples={body.grid.options.samples!r}: {reason}; headers found: {texts}",
        argument="samples",
    )


def _name_species(labels: Sequence[str]) -> bool:
    """Whether labels of blocks name species: ``W1`` and ``W2`` count wafers."""
    return all(map(is_only_species, labels)) and not are_labels(labels)


def _sections(body: Body, block: Block, axis: Array, *, unnamed: bool) -> list[tuple[str, Flags]]:
    """Return the label and the rows of each of several blocks below each other."""
    labels = [(body.grid.number(i), text) for i, text in body.labels.items()]
    label_at = {int(np.searchsorted(block.rows, number)): text for number, text in labels}
    starts = sorted({*_restarts(axis), *label_at})
    if len(starts) < 2:
        return []
    every, stops = np.arange(len(axis)), pairwise([*starts, len(axis)])
    sections = [
        (label_at.get(start) or f"block {count}", (start <= every) & (every < stop))
        for count, (start, stop) in enumerate(stops, 1)
    ]
    of_species = unnamed and len(labels) == len(starts) and _name_species([t for _, t in labels])
    if body.grid.options.samples is None and not of_species:
        places = [block.rows[start] for start in starts[1:]]
        raise ReadError(
            f"the depths begin anew at {body.grid.row_word} {places[0]}: {len(starts)} blocks "
            f"stand below each other ({_quoted([label for label, _ in sections])})",
            code="several_samples",
            argument="samples",
            remedy="samples=True reads each as a measurement",
        )
    return sections


def _restarts(axis: Array) -> list[int]:
    """Find where depths begin anew, as those of another sample do."""
    starts = [0]
    for i in (np.flatnonzero(np.diff(axis) < 0) + 1).tolist():
        before = np.sort(axis[starts[-1] : i])
        after = axis[i : i + BLOCK_ROWS]
        # At the top again, a row less will do.
        has_rows = before.size >= BLOCK_ROWS <= after.size + (axis[i] <= before[0])
        is_block = has_rows and (np.diff(after) > 0).all()
        if is_block and axis[i] < before[-1] and axis[i] <= before[int(_BLOCK_BACK * before.size)]:
            starts.append(i)
    return starts


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
    has_repeats = len({pair.name for pair in pairs}) < len(pairs) and options.species is None
    if has_repeats and not options.number_repeats and options.columns is None:
        raise ReadError(
            f"the table holds several samples, {_quoted(labels)}, each with columns of its own",
            code="several_samples",
            argument="samples",
            remedy="samples=True reads each as a measurement; columns= or number_repeats=True "
            "read all as one",
        )
    return [(None, block, pairs)]


def _split_rows(
    body: Body, block: Block, headers: Headers, axis: Array, skipped: Collection[int] = ()
) -> tuple[list[tuple[str, Flags]], dict[str, str]]:
    """Return the label and the rows of each sample, and what is the same in all rows."""
    requested, grid = body.grid.options.samples, body.grid
    samples: list[tuple[str, Flags]] = []
    constant: dict[str, str] = {}
    for j, header in enumerate(headers.texts):
        labels = _labels(block, headers, j)
        if labels is None or j in skipped or named_role(header, "layer", "matrix"):
            continue
        place, title = grid.letter(j), grid.title(j)
        distinct = list(dict.fromkeys(filter(None, labels)))
        filled = _filled(labels)
        remarks = named_role(header, "remark") is not None
        separate = len(distinct) > 1 and not remarks and _separates(labels, filled, axis)
        if len(distinct) == 1:
            constant[header] = distinct[0]
        if requested in (header, place) or (requested is True and separate):
            texts = np.array(filled, dtype=object)
            samples = [(label, texts == label) for label in distinct]
        elif separate and requested is None:
            raise ReadError(
                f"{title} ({header!r}) distinguishes {len(distinct)} samples ({_quoted(distinct)})",
                code="several_samples",
                argument="samples",
                remedy=f"samples={header!r} reads each as a measurement; otherwise give the rows "
                'of one at a time, or name the columns to read by columns={"B": (axis, values)}',
            )
        elif len(distinct) > 1 or (remarks and not all(labels)):
            count = sum(map(bool, labels))
            warn(
                f"{title} ({header!r}) holds texts, {_quoted(distinct)}, in {count} of "
                f"{len(labels)} rows: left out; the values next to them are read",
                ProfileWarning,
                code="ignored_column",
            )
    return samples, constant


def layers_of(block: Block, headers: Headers, axis: int) -> tuple[Layer, ...]:
    """Return the layers that a column names, with the depths from which and to which they reach."""
    for j, header in enumerate(headers.texts):
        labels = _labels(block, headers, j) if named_role(header, "layer", "matrix") else None
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


def _separates(labels: Sequence[str], filled: Sequence[str], axis: Array) -> bool:
    """Whether labels distinguish samples, rather than being remarks about rows."""
    filled_labels = [label for label in labels if label]
    if len(filled_labels) > len(labels) / 2 and len({*filled_labels}) <= len(filled_labels) / 2:
        return True
    changes = [i for i in range(1, len(filled)) if filled[i] != filled[i - 1]]
    return bool(changes) and all(axis[i] < axis[i - 1] for i in changes)


def _quoted(labels: Sequence[str]) -> str:
    return first_few([*map(repr, labels)], 3)


def label_column(grid: Grid) -> tuple[int, int] | None:
    """Return the column that names species, and the number of columns; None if there is none."""
    for i in range(min(len(grid), _TIDY_ROWS)):
        kind, cells = grid.kind(i), grid.cells(i)
        if kind is RowKind.NUMBERS:
            break
        names = [j for j, cell in enumerate(cells) if named_role(cell, "species")]
        if kind is RowKind.HEADERS and len(names) == 1:
            axes = [cell for cell in cells if try_header(cell).role in ("axis", "time")]
            if len(axes) == 1:
                return names[0], grid.width([i])
    return None


def split_species(
    body: Body, block: Block, headers: Headers, pairs: Sequence[Pair], label: int
) -> list[Part]:
    """Split a table by the species that a column names, and by its samples if they are wanted."""
    requested = body.grid.options.samples
    names = [text.strip() for text in block.texts[label]]
    if len(names) == len({*names}) > 1:
        text = f"each of {len(names)} species has one row: a summary of profiles, not a profile"
        raise ReadError(text, code="no_profile")
    all_rows = np.ones(len(names), dtype=bool)
    samples: Sequence[tuple[str | None, Flags]] = [(None, all_rows)]
    if requested is not None:
        axis = block.values[:, pairs[0].axis]
        samples, _ = _split_rows(body, block, headers, axis, skipped=(label,))
        if not samples:
            _refuse_request(body, headers, "no column of labels distinguishes the samples")
    # Where some say that they hold values, the others are of something else.
    explicit = [p for p in pairs if headers.headers[p.value].explicit or headers.units[p.value]]
    parts: list[Part] = []
    for sample, rows in samples:
        species_parts = _species(body.grid, block.select(rows), headers, explicit or pairs, label)
        parts += [(sample, *of_species) for of_species in species_parts]
    return parts


def _species(
    grid: Grid, block: Block, headers: Headers, pairs: Sequence[Pair], label: int
) -> Iterator[tuple[Block, list[Pair]]]:
    """Return the rows of each species, and its profiles."""
    units = [j for j in block.texts if headers.headers[j].role == "unit"]
    _refuse_measurements(grid, block, headers, pairs, {label, *units})
    for name, members in group_by_label([text.strip() for text in block.texts[label]]):
        if not name:
            place, _, _ = grid.where(block.rows[members[0]], 0).rpartition(",")
            raise ReadError(f"{place}: no species in {grid.title(label)}", code="missing_species")
        rows = np.zeros(len(block.values), dtype=bool)
        rows[members] = True
        of_species = block.select(rows)
        units_of = {
            names_axis([headers.headers[j].name]): _unit(grid, of_species.texts[j], j, name)
            for j in units
        }
        with_limits = {column for _, column in of_species.limits}
        with_values = {
            j for j in {p.value for p in pairs} if not np.isnan(of_species.values[:, j]).all()
        }
        selected = [pair for pair in pairs if pair.value in with_limits | with_values]
        yield (
            of_species,
            [
                replace(pair, name=name, units=units_of.get(False), depth_units=units_of.get(True))
                for pair in selected
            ],
        )


def _refuse_measurements(
    grid: Grid, block: Block, headers: Headers, pairs: Sequence[Pair], roles: Collection[int]
) -> None:
    """Refuse a column that is neither a species nor a value, and differs from row to row."""
    used = {*roles, *(j for p in pairs for j in (p.axis, p.value, p.error, *p.ancillary.values()))}
    for j, name in enumerate(headers.texts):
        if j in used or not name or headers.headers[j].role not in ("value", "text"):
            continue
        numbers = [f"{value:g}" for value in block.values[:, j].tolist()]
        distinct = list(dict.fromkeys(map(str.strip, block.texts.get(j, numbers))))
        if distinct[1:]:
            raise ReadError(
                f"{grid.title(j)} ({name!r}) is neither a species nor a value, and differs from "
                f"row to row ({_quoted(distinct)}): give the rows of one measurement at a time",
                code="several_measurements",
            )


def _unit(grid: Grid, texts: Sequence[str], column: int, name: str) -> str | None:
    """Return the unit that a column of units states for a species."""
    distinct = dict.fromkeys(map(str.strip, texts))
    if len(distinct) > 1:
        raise UnitsError(
            f"species {name!r}: {grid.title(column)} states several units, "
            f"{', '.join(map(repr, distinct))}",
            code="different_units",
            where={"species": name},
        )
    return next(iter(distinct)) or None


def group_by_label(labels: Sequence[str]) -> Collection[tuple[str, list[int]]]:
    """Return each label, in order of appearance, with the places where it stands."""
    places: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    return places.items()
