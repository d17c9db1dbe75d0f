"""Which columns make a profile: an axis, values, errors of these, and what stands next to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileWarning, ReadError, SpeciesError, UnitsError, warn
from sims_analysis.kernels.rows import Array, Flags
from sims_analysis.profiles.metadata import Layer
from sims_analysis.readers.tables.body import Body
from sims_analysis.readers.tables.grid import FIRST_ROWS, Block, Grid
from sims_analysis.readers.tables.header_cells import (
    LETTERS,
    PERCENT,
    RowKind,
    are_labels,
    is_limit,
    is_only_species,
    is_species,
    kind_of,
    named_role,
    names_axis,
    names_species,
    same_unit,
    try_header,
    unit_kind,
)
from sims_analysis.readers.tables.headers import Headers
from sims_analysis.readers.tables.numbers import column_name, is_number
from sims_analysis.readers.tables.regions import BLOCK_ROWS
from sims_analysis.text.arguments import first_few


@dataclass
class Pair:
    """Columns of one profile."""

    axis: int
    value: int
    name: str
    ancillary: dict[str, int] = field(default_factory=dict)
    error: int | None = None
    #: The sample, where labels above blocks state it.
    sample: str | None = None
    #: Of the values, where a column of units states it.
    units: str | None = None


def stated_pairs(grid: Grid) -> tuple[Grid, list[Pair]]:
    """Find the columns that the user names by number, letter or header; keep these alone."""
    rows = [grid.cells(i) for i in range(min(len(grid), FIRST_ROWS))]
    width = max(map(len, rows), default=0)
    places = {grid.column(j): j for j in range(width)}
    stated = grid.options.columns or {}
    pairs = [pair for pair in stated.values() if isinstance(pair, tuple | list)]
    names = {name for pair in pairs for name in pair if isinstance(name, str)}

    headers = max(rows, key=lambda cells: len(names.intersection(cells)), default=[])

    def place(name: int | str) -> int:
        if isinstance(name, int) and not isinstance(name, bool):
            if name in places:
                return places[name]
            raise ReadError(
                f"columns=: there is no column {name}; the table has {max(places, default=-1) + 1}",
                argument="columns",
            )
        found = [j for j, text in enumerate(headers) if text == name]
        letters = [j for column, j in places.items() if column_name(column) == name]
        if len(found or letters) == 1:
            return (found or letters)[0]
        listed = ", ".join(repr(text) for text in headers if text and not is_number(text))
        number = f"{len(found)} columns" if found else "no column"
        raise ReadError(
            f"columns=: {name!r} is the header of {number}; give the letter or the number of a "
            f"column, from 0. Headers: {listed or 'none'}",
            argument="columns",
        )

    for species, pair in stated.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise SpeciesError(
                f"columns=: {species!r} needs two columns, depths and values", argument="columns"
            )
    found = [tuple(map(place, pair)) for pair in pairs]
    kept = sorted({j for pair in found for j in pair})
    numbered = [(kept.index(axis), kept.index(value)) for axis, value in found]
    return grid.only(kept), [Pair(*n, name) for n, name in zip(numbered, stated, strict=True)]


def warn_of_merged_cells(grid: Grid, block: Block, pairs: Sequence[Pair]) -> None:
    """Warn of cells of profiles that are merged: one of them alone holds a number."""
    columns = {j for pair in pairs for j in (pair.axis, pair.value, pair.error) if j is not None}
    places = {grid.column(j): j for j in columns}
    under = [
        (number, places[column])
        for top, left, bottom, right in grid.merged
        for column in range(left, right + 1)
        if column in places
        for number in block.rows
        if top + (column == left) < number <= bottom + 1
    ]
    if under:
        more = f" (and {len(under) - 1} more)" if under[1:] else ""
        warn(
            f"{grid.where(*under[0])}{more} is merged with a cell before it: its value is hidden, "
            "and an empty one is taken as not measured; unmerge the cells, and fill in the values",
            ProfileWarning,
        )


def find_pairs(grid: Grid, headers: Headers, block: Block) -> list[Pair]:
    """Find the columns of each profile."""
    pairs = _Finding(grid, headers).pairs()
    _refuse_headless(grid, headers, block, pairs)
    return pairs


def _refuse_headless(grid: Grid, headers: Headers, block: Block, pairs: Sequence[Pair]) -> None:
    """Refuse values without a header that would pass for those of the column to their left."""
    for left, pair in pairwise(pairs):
        j = pair.value
        if headers.texts[j] or headers.names[j] or not headers.texts[left.value]:
            continue
        same = (left.axis, left.name) == (pair.axis, pair.name)
        if same and headers.units[j] in (None, headers.units[left.value]):
            there = ~np.isnan(block.values[:, j])
            row, beside = int(there.argmax()), pair.name or headers.texts[left.value]
            raise ReadError(
                f"{grid.where(block.rows[row], j)}: the first of {there.sum()} values in a column "
                f"without a header, next to those of {beside!r}; if its row has a cell too many, "
                "take that out, otherwise give the column a header, or say what to read by "
                'columns={"B": (axis, values)}'
            )


class _Finding:
    def __init__(self, grid: Grid, headers: Headers) -> None:
        self.grid, self.found = grid, headers
        self.headers, self.filled = headers.headers, headers.filled
        self.width = len(headers.headers)
        values = headers.columns("value")
        own = [self.headers[j].name for j in values]
        #: What all values are called, if that is no species.
        same = len(own) > 1 and len({*own}) == 1 and not is_species(own[0])
        self.common = own[0] if same else None

    def pairs(self) -> list[Pair]:
        self._refuse_other_kinds()
        axes = self.found.columns("axis", "time")
        if not axes:
            axes = [self._silent_axis()]
        pairs: list[Pair] = []
        axis = -1
        ancillary: dict[str, int] = {}
        if len(axes) == 2 and not any(
            self.headers[j].role == "value" for j in range(axes[1], self.width) if self.filled[j]
        ):
            # The second stands last, behind the values, and belongs to all of them.
            axis, ancillary = self._depth_beside_time(*axes)
            axes = []
        for j in range(self.width):
            role = self.headers[j].role
            if not self.filled[j]:
                continue
            if j in axes:
                if axis >= 0 and j - 1 in axes and not any(p.axis == axis for p in pairs):
                    axis, ancillary = self._depth_beside_time(axis, j)
                else:
                    axis, ancillary = j, {}
            elif role == "error" and pairs:
                self._add_error(pairs, j)
            elif role in ("value", "species", "unit"):
                if axis < 0:
                    axis = axes[0]
                pairs.append(Pair(axis, j, self._name(axis, j), {**ancillary}))
        self._add_ancillary(pairs)
        self._distinguish_repeats(pairs)
        if not pairs:
            listed = ", ".join(map(repr, filter(None, self.found.texts)))
            raise ReadError(f"no column holds values in a unit of values; headers found: {listed}")
        return pairs

    def _add_ancillary(self, pairs: Sequence[Pair]) -> None:
        """Keep columns that are not profiles with the one that they name, or stand behind."""
        found = self.found
        repeats = Counter(found.texts)
        errors = {pair.error for pair in pairs}
        beside = [j for j in found.columns("ancillary", "index", "error") if j not in errors]
        for j in reversed(beside if pairs else []):
            text, name = found.texts[j] or self.grid.letter(j), self.headers[j].name
            own = repeats[text] > 1 or is_limit(text)
            left = [pair for pair in pairs if pair.value < j] if own else []
            named = [pair for pair in pairs if name and pair.name == name]
            owner = (named or left[-1:] or pairs)[0]
            owner.ancillary = {text: j} | owner.ancillary
            if is_only_species(name) and kind_of(found.units[j] or "") == "areal_density":
                warn(
                    f"{self.grid.called(j)} ({text!r}) is in {found.units[j]!r}, no unit of a "
                    f"profile: kept next to {owner.name!r}",
                    ProfileWarning,
                )

    def _distinguish_repeats(self, pairs: Sequence[Pair]) -> None:
        """Name columns below one species by their headers too: ``B | run 1 | run 2``."""
        kinds = [(pair.name, pair.axis, self.found.units[pair.value]) for pair in pairs]
        counts = Counter(kinds)
        for pair, kind in zip(pairs, kinds, strict=True):
            own = self.headers[pair.value].name
            if counts[kind] > 1 and own not in ("", pair.name, self.common, *LETTERS):
                pair.name = f"{pair.name} {own}"

    def _depth_beside_time(self, one: int, other: int) -> tuple[int, dict[str, int]]:
        """Take the depth for the axis, where there is a time too."""
        time, depth = sorted((one, other), key=lambda k: self.headers[k].role == "axis")
        if self.headers[time].role == self.headers[depth].role:
            raise ReadError(
                f"{self.grid.called(one)} and {self.grid.called(other)} are both "
                f"{'depths' if self.headers[one].role == 'axis' else 'times'}",
                code="ambiguous_table",
                argument="columns",
                remedy='say which belongs to what with columns={"B": (axis, values)}',
            )
        return depth, {"sputter_time": time}

    def _add_error(self, pairs: Sequence[Pair], column: int) -> None:
        """Assign a column of standard errors to the values of its species, in their unit."""
        header = self.headers[column]
        where = f"{self.grid.called(column)} ({self.found.texts[column]!r})"
        name = header.name or self.found.names[column]
        named = [p for p in pairs if p.name == name and p.error is None]
        pair = pairs[-1] if name in ("", pairs[-1].name) else None
        if pair is None and len(named) == 1:
            pair = named[0]
        if pair is None:
            raise ReadError(
                f"{where} holds errors of {name!r}, but stands next to {pairs[-1].name!r}"
            )
        if pair.error is not None:
            raise ReadError(
                f"{where} holds errors of {pair.name!r}, as {self.grid.called(pair.error)} does",
                code="ambiguous_table",
                argument="columns",
                remedy='say which columns to read with columns={"B": (axis, values)}',
            )
        unit, of_values = self.found.units[column], self.found.units[pair.value]
        if unit and of_values and unit not in PERCENT and not same_unit(unit, of_values):
            raise UnitsError(
                f"{where} holds errors in {unit!r} of values in {of_values!r}; give both in one "
                "unit"
            )
        pair.error = column

    def _refuse_other_kinds(self) -> None:
        filled = [j for j in range(self.width) if self.filled[j]]
        if any(self.headers[j].role in ("axis", "time") for j in filled):
            del filled[1:]
        kinds = {"mass": "a mass spectrum", "energy": "a spectrum or an energy scan"}
        for j in filled:
            header = self.headers[j]
            if header.role in kinds:
                raise ReadError(
                    f"the file is {kinds[header.role]} (its column "
                    f"{self.found.texts[j]!r} says so), not a depth profile"
                )

    def _silent_axis(self) -> int:
        """Find the axis where no header names one: the first column, if the user gives its unit."""
        found, candidates = self.found, self.found.columns("value")
        for j in candidates:
            if unit_kind(found.units[j] or "") in vocabulary.AXES:
                return j
        first = candidates[0] if candidates else -1
        indexed = any(header.role == "index" for header in self.headers)
        named = found.units[first] or is_species(self.headers[first].name)
        for number in (self.grid.number(i) for i in found.notes if names_axis(self.grid.cells(i))):
            raise ReadError(
                f"{self.grid.row_word} {number} names a depth or a time, but not of the columns "
                f"below; header_rows=[{number - 1}] makes it the row of headers, and columns= says "
                "what the columns are"
            )
        if indexed or len(candidates) < 2 or named:
            raise ReadError(
                "the table has neither a depth nor a time column; headers found: "
                f"{', '.join(map(repr, filter(None, found.texts))) or 'none'}",
                code="missing_axis",
                argument="columns",
                remedy='name the columns by columns={"B": (axis, values)}',
            )
        if self.grid.options.depth_units is None:
            raise UnitsError(
                "no header of the table names a depth or a time",
                code="missing_axis",
                argument="depth_units",
                remedy="if the first column holds the depths, pass depth_units=, such as 'nm'",
            )
        return first

    def _name(self, axis: int, value: int) -> str:
        """Name the species of a column of values: a row of names does, rather than a header."""
        header = self.headers[value]
        first = axis - 1 if axis and self.headers[axis - 1].role in ("axis", "time") else axis
        above = self.found.names[value] or self.found.names[axis] or self.found.names[first]
        if not above or (is_species(header.name) and not names_species(above)):
            # A pair may be named at its depths: ``B depth (nm)``; ``from surface`` is no name.
            of_axis = self.headers[axis].name
            # ``y`` is no element.
            own = "" if header.name in LETTERS and header.name.islower() else header.name
            return own or above or (of_axis if names_species(of_axis) else "")
        word = header.name in LETTERS or header.name == self.common or not is_species(header.name)
        if not header.name or word or header.explicit:
            return above
        return header.name


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
            return [(label, block.only(mask), pairs) for label, mask in rows], constant
    unnamed = len(pairs) == 1 and not pairs[0].name
    sections = _sections(body, block, block.values[:, pairs[0].axis], unnamed=unnamed)
    if sections and unnamed and _name_species([label for label, _ in sections]):
        parts = ((block.only(mask), [replace(pairs[0], name=name)]) for name, mask in sections)
        return [(None, rows, of_name) for rows, of_name in parts], constant
    if sections:
        return [(label, block.only(mask), pairs) for label, mask in sections], constant
    if any(headers.labels):
        return _blocks(body, block, headers, pairs), constant
    if requested is not None:
        reason = "neither a column of labels nor a row of labels above blocks of columns"
        _refuse_request(body, headers, f"{reason} distinguishes the samples")
    return [(None, block, pairs)], constant


def _refuse_request(body: Body, headers: Headers, reason: str) -> None:
    listed = ", ".join(map(repr, filter(None, headers.texts))) or "none"
    raise ReadError(
        f"samples={body.grid.options.samples!r}: {reason}; headers found: {listed}",
        argument="samples",
    )


def _name_species(labels: Sequence[str]) -> bool:
    """Whether labels of blocks name species: ``W1`` and ``W2`` count wafers."""
    return all(map(is_only_species, labels)) and not are_labels(labels)


def _sections(body: Body, block: Block, axis: Array, *, unnamed: bool) -> list[tuple[str, Flags]]:
    """Return the label and the rows of each of several blocks below each other."""
    labels = [(body.grid.number(i), text) for i, text in body.labels.items()]
    named = {int(np.searchsorted(block.rows, number)): text for number, text in labels}
    starts = sorted({*_restarts(axis, block.rows), *named})
    if len(starts) < 2:
        return []
    every, stops = np.arange(len(axis)), pairwise([*starts, len(axis)])
    sections = [
        (named.get(start) or f"block {count}", (start <= every) & (every < stop))
        for count, (start, stop) in enumerate(stops, 1)
    ]
    of_species = unnamed and len(labels) == len(starts) and _name_species([t for _, t in labels])
    if body.grid.options.samples is None and not of_species:
        places = [block.rows[start] for start in starts[1:]]
        raise ReadError(
            f"the depths begin anew at {body.grid.row_word} {places[0]}: {len(starts)} blocks "
            f"stand below each other ({_listed([label for label, _ in sections])}); samples=True "
            "reads each as a measurement"
        )
    return sections


def _restarts(axis: Array, rows: Sequence[int]) -> list[int]:
    """Find where depths begin anew, as those of another sample do; `rows` are their numbers."""
    starts = [0]
    for i in (np.flatnonzero(np.diff(axis) < 0) + 1).tolist():
        before = np.sort(axis[starts[-1] : i])
        after = axis[i : i + BLOCK_ROWS]
        whole = before.size >= BLOCK_ROWS <= after.size and (np.diff(after) > 0).all()
        # Without an empty row between, it begins at the top.
        part = _BLOCK_BACK if rows[i] - rows[i - 1] > 1 else 0.0
        if whole and axis[i] < before[-1] and axis[i] <= before[int(part * before.size)]:
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
    """Return the label and the rows of each sample, and what is the same in all rows."""
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
                f"{called} ({header!r}) holds texts, {_listed(different)}: left out", ProfileWarning
            )
    return chosen, constant


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


def _apart(labels: Sequence[str], filled: Sequence[str], axis: Array) -> bool:
    """Whether labels distinguish samples, rather than being remarks about rows."""
    written = [label for label in labels if label]
    if len(written) > len(labels) / 2 and len({*written}) <= len(written) / 2:
        return True
    changes = [i for i in range(1, len(filled)) if filled[i] != filled[i - 1]]
    return bool(changes) and all(axis[i] < axis[i - 1] for i in changes)


def _listed(labels: Sequence[str]) -> str:
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
        raise ReadError(
            f"each of {len(names)} species has one row: a summary of profiles, and none of them"
        )
    whole = np.ones(len(names), dtype=bool)
    samples: Sequence[tuple[str | None, Flags]] = [(None, whole)]
    if requested is not None:
        axis = block.values[:, pairs[0].axis]
        samples, _ = _split_rows(body, block, headers, axis, without=(label,))
        if not samples:
            _refuse_request(body, headers, "no column of labels distinguishes the samples")
    # Where some say that they hold values, the others are of something else.
    said = [p for p in pairs if headers.headers[p.value].explicit or headers.units[p.value]]
    parts: list[Part] = []
    for sample, rows in samples:
        found = _species(body.grid, block.only(rows), headers, said or pairs, label)
        parts += [(sample, *of_species) for of_species in found]
    return parts


def _species(
    grid: Grid, block: Block, headers: Headers, pairs: Sequence[Pair], label: int
) -> Iterator[tuple[Block, list[Pair]]]:
    """Return the rows of each species, and its profiles."""
    unit = next((j for j in block.texts if named_role(headers.texts[j], "unit")), None)
    _refuse_measurements(grid, block, headers, pairs, {label, unit})
    for name, members in group_by_label([text.strip() for text in block.texts[label]]):
        if not name:
            place, _, _ = grid.where(block.rows[members[0]], 0).rpartition(",")
            raise ReadError(f"{place}: no species in {grid.called(label)}")
        rows = np.zeros(len(block.values), dtype=bool)
        rows[members] = True
        own = block.only(rows)
        stated = None if unit is None else _unit(grid, own.texts[unit], unit, name)
        limited = {column for _, column in own.limits}
        known = {j for j in {p.value for p in pairs} if not np.isnan(own.values[:, j]).all()}
        measured = [pair for pair in pairs if pair.value in limited | known]
        yield own, [replace(pair, name=name, units=stated) for pair in measured]


def _refuse_measurements(
    grid: Grid,
    block: Block,
    headers: Headers,
    pairs: Sequence[Pair],
    others: Collection[int | None],
) -> None:
    """Refuse a column that is neither a species nor a value, and differs from row to row."""
    used = {*others, *(j for p in pairs for j in (p.axis, p.value, p.error, *p.ancillary.values()))}
    for j, name in enumerate(headers.texts):
        if j in used or not name or headers.headers[j].role not in ("value", "text"):
            continue
        numbers = [f"{value:g}" for value in block.values[:, j].tolist()]
        different = list(dict.fromkeys(map(str.strip, block.texts.get(j, numbers))))
        if different[1:]:
            raise ReadError(
                f"{grid.called(j)} ({name!r}) is neither a species nor a value, and differs from "
                f"row to row ({_listed(different)}): give the rows of one measurement at a time"
            )


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


def group_by_label(labels: Sequence[str]) -> Collection[tuple[str, list[int]]]:
    """Return each label, in order of appearance, with the places where it stands."""
    places: dict[str, list[int]] = {}
    for place, label in enumerate(labels):
        places.setdefault(label, []).append(place)
    return places.items()
