"""Which columns make a profile: an axis, values, errors of these, and what is kept next to them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, SpeciesError, UnitsError, warn
from sims_analysis.readers.source import WHICH_COLUMNS
from sims_analysis.readers.tables.grid import FIRST_ROWS, Block, Grid
from sims_analysis.readers.tables.header_cells import (
    LETTERS,
    PERCENT,
    are_labels,
    is_limit,
    is_only_species,
    is_species,
    kind_of,
    names_species,
    same_unit,
)
from sims_analysis.readers.tables.headers import Headers
from sims_analysis.readers.tables.numbers import SIGNS, column_name, is_number, read_cell


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
    #: Of the values and of the depths, where columns of units state them.
    units: str | None = None
    depth_units: str | None = None


def stated_pairs(grid: Grid) -> tuple[Grid, list[Pair]]:
    """Find the columns that the user names by number, letter or header; keep these alone."""
    rows = [grid.cells(i) for i in range(min(len(grid), FIRST_ROWS))]
    width = max(map(len, rows), default=0)
    places = {grid.column(j): j for j in range(width)}
    columns = grid.options.columns or {}
    pairs = [pair for pair in columns.values() if isinstance(pair, tuple | list)]
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
        pairs_found = [j for j, text in enumerate(headers) if text == name]
        letters = [j for column, j in places.items() if column_name(column) == name]
        if len(pairs_found or letters) == 1:
            return (pairs_found or letters)[0]
        texts = ", ".join(repr(text) for text in headers if text and not is_number(text))
        number = f"{len(pairs_found)} columns" if pairs_found else "no column"
        raise ReadError(
            f"columns=: {name!r} is the header of {number}; give the letter or the number of a "
            f"column, from 0. Headers: {texts or 'none'}",
            argument="columns",
        )

    for species, pair in columns.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise SpeciesError(
                f"columns=: {species!r} needs two columns, depths and values", argument="columns"
            )
    pairs_found = [tuple(map(place, pair)) for pair in pairs]
    used = sorted({j for pair in pairs_found for j in pair})
    numbered = [(used.index(axis), used.index(value)) for axis, value in pairs_found]
    return grid.select(used), [Pair(*n, name) for n, name in zip(numbered, columns, strict=True)]


def warn_of_merged_cells(grid: Grid, block: Block, pairs: Sequence[Pair]) -> None:
    """Warn of cells of profiles that are merged: one of them alone holds a number."""
    columns = {j for pair in pairs for j in (pair.axis, pair.value, pair.error) if j is not None}
    under = [
        (number, j)
        for top, left, bottom, right in grid.merged
        for j in sorted(columns)
        if left <= (column := grid.column(j)) <= right
        for number in block.rows
        if top + (column == left) < number <= bottom + 1
    ]
    if under:
        more = f" (and {len(under) - 1} more)" if under[1:] else ""
        warn(
            f"{grid.where(*under[0])}{more} is merged with a cell before it: its value is hidden, "
            "and an empty one is taken as not measured; unmerge the cells, and fill in the values",
            ProfileWarning,
            code="merged_cells",
        )


def take_limits(grid: Grid, block: Block, headers: Headers, pairs: Sequence[Pair]) -> None:
    """Take values next to a column of signs, ``<``, for limits: all behind it, or all before it."""
    signs = [j for j, c in block.texts.items() if SIGNS & {*c} and {"", *SIGNS} >= {*c}]
    # Of one that is empty the header is the same, but for a species: ``B qual | P qual``.
    last_words = [text.split()[-1:] for text in headers.texts]
    values, titles = {pair.value for pair in pairs}, [last_words[j] for j in signs]
    candidates = [j for j, word in enumerate(last_words) if j in signs or (word and word in titles)]
    sides = [{j + offset for j in candidates} <= values for offset in (1, -1)]
    if signs and sides[0] == sides[1]:
        raise ReadError(
            f"{grid.title(signs[0])} holds signs such as {max(block.texts[signs[0]])!r}, of the "
            "values before or behind it; write them into the cells of these: <1E15"
        )
    for j in signs:
        headers.headers[j] = replace(headers.headers[j], role="sign")
        value = j + 1 if sides[0] else j - 1
        for i, sign in enumerate(block.texts.pop(j)):
            number = float(block.values[i, value])
            if sign.strip("= ") and not np.isnan(number):
                where = grid.where(block.rows[i], value)
                block.limits[i, value] = read_cell(f"{sign}{number!r}", where=where)
                block.values[i, value] = np.nan


def find_pairs(grid: Grid, headers: Headers, block: Block) -> list[Pair]:
    """Find the columns of each profile."""
    pairs = _PairFinder(grid, headers).pairs()
    _refuse_headless(grid, headers, block, pairs)
    return pairs


def _refuse_headless(grid: Grid, headers: Headers, block: Block, pairs: Sequence[Pair]) -> None:
    """Refuse values without a header that would pass for those of the column to their left."""
    for left, pair in pairwise(pairs):
        j = pair.value
        if headers.texts[j] or headers.names[j] or not headers.texts[left.value]:
            continue
        is_same = (left.axis, left.name) == (pair.axis, pair.name)
        if is_same and headers.units[j] in (None, headers.units[left.value]):
            filled = ~np.isnan(block.values[:, j])
            row, neighbour = int(filled.argmax()), pair.name or headers.texts[left.value]
            raise ReadError(
                f"{grid.where(block.rows[row], j)}: the first of {filled.sum()} values in a column "
                f"without a header, next to those of {neighbour!r}; if its row has a cell too "
                "many, take that out, otherwise give the column a header",
                **WHICH_COLUMNS,
            )


class _PairFinder:
    def __init__(self, grid: Grid, headers: Headers) -> None:
        self.grid, self.heads = grid, headers
        self.headers, self.filled = headers.headers, headers.filled
        self.width = len(headers.headers)
        values = headers.columns("value")
        names = [self.headers[j].name for j in values]
        #: What all values are called, if that is no species.
        has_common = len(names) > 1 and len({*names}) == 1 and not is_species(names[0])
        self.common = names[0] if has_common else None
        self.labels = are_labels(names)

    def pairs(self) -> list[Pair]:
        self._refuse_other_kinds()
        axes = self.heads.columns("axis", "time")
        if not axes:
            axes = [self._axis_by_unit()]
        pairs: list[Pair] = []
        errors: list[int] = []
        axis = -1
        ancillary: dict[str, int] = {}
        if len(axes) == 2 and not any(
            self.headers[j].role == "value" for j in range(axes[1], self.width) if self.filled[j]
        ):
            # The second stands last, behind the values, and belongs to all of them.
            axis, ancillary = self._depth_next_to_time(*axes)
            axes = []
        for j in range(self.width):
            role = self.headers[j].role
            if not self.filled[j]:
                continue
            if j in axes:
                if axis >= 0 and j - 1 in axes and not any(p.axis == axis for p in pairs):
                    axis, ancillary = self._depth_next_to_time(axis, j)
                else:
                    axis, ancillary = j, {}
            elif role == "error" and not pairs and self.headers[j].name:
                errors.append(j)
            elif role == "error" and pairs:
                self._add_error(pairs, j)
            elif role in ("value", "species", "unit"):
                if axis < 0:
                    axis = axes[0]
                pairs.append(Pair(axis, j, self._name(axis, j), {**ancillary}))
        for j in errors:
            self._add_error(pairs, j)
        self._add_ancillary(pairs)
        self._distinguish_repeats(pairs)
        if not pairs:
            titles = ", ".join(map(repr, filter(None, self.heads.texts)))
            text = f"no column holds values in a unit of values; headers found: {titles}"
            raise ReadError(text, code="no_profile")
        return pairs

    def _add_ancillary(self, pairs: Sequence[Pair]) -> None:
        """Keep columns that are not profiles with the one that they name, or stand behind."""
        heads = self.heads
        errors = {pair.error for pair in pairs}
        kinds = ("ancillary", "index", "error", "mass", "energy")
        ancillary = [j for j in heads.columns(*kinds) if j not in errors]
        for j in reversed(ancillary if pairs else []):
            text, name = heads.texts[j] or self.grid.letter(j), self.headers[j].name
            of_one = heads.texts.count(text) > 1 or is_limit(text)
            previous = [pair for pair in pairs if pair.value < j] if of_one else []
            namesakes = [pair for pair in pairs if name and pair.name == name]
            host = (namesakes or previous[-1:] or pairs)[0]
            host.ancillary = {text: j} | host.ancillary
            if is_only_species(name) and kind_of(heads.units[j] or "") == "areal_density":
                warn(
                    f"{self.grid.title(j)} ({text!r}) is in {heads.units[j]!r}, no unit of a "
                    f"profile: kept next to {host.name!r}",
                    ProfileWarning,
                    code="wrong_unit",
                    where={"species": host.name},
                )

    def _distinguish_repeats(self, pairs: Sequence[Pair]) -> None:
        """Name columns below one species by their headers too: ``B | run 1 | run 2``."""
        kinds = [(pair.name, pair.axis, self.heads.units[pair.value]) for pair in pairs]
        counts = Counter(kinds)
        for pair, kind in zip(pairs, kinds, strict=True):
            name = self.headers[pair.value].name
            if counts[kind] > 1 and name not in ("", pair.name, self.common, *LETTERS):
                pair.name = f"{pair.name} {name}"

    def _depth_next_to_time(self, first: int, second: int) -> tuple[int, dict[str, int]]:
        """Take the depth for the axis, where there is a time too."""
        time, depth = sorted((first, second), key=lambda k: self.headers[k].role == "axis")
        if self.headers[time].role == self.headers[depth].role:
            raise ReadError(
                f"{self.grid.title(first)} and {self.grid.title(second)} are both "
                f"{'depths' if self.headers[first].role == 'axis' else 'times'}",
                **WHICH_COLUMNS,
            )
        return depth, {"sputter_time": time}

    def _add_error(self, pairs: Sequence[Pair], column: int) -> None:
        """Assign a column of standard errors to the values of its species, in their unit."""
        header = self.headers[column]
        where = f"{self.grid.title(column)} ({self.heads.texts[column]!r})"
        name = header.name or self.heads.names[column]
        namesakes = [p for p in pairs if p.name == name and p.error is None]
        pair = pairs[-1] if pairs and name in ("", pairs[-1].name) else None
        if pair is None and len(namesakes) == 1:
            pair = namesakes[0]
        neighbour = repr(pairs[-1].name) if pairs else "no values"
        if pair is None:
            raise ReadError(f"{where} holds errors of {name!r}, but stands next to {neighbour}")
        if pair.error is not None:
            text = f"{where} holds errors of {pair.name!r}, as {self.grid.title(pair.error)} does"
            raise ReadError(text, **WHICH_COLUMNS)
        unit, of_values = self.heads.units[column], self.heads.units[pair.value]
        if unit and of_values and unit not in PERCENT and not same_unit(unit, of_values):
            raise UnitsError(
                f"{where} holds errors in {unit!r} of values in {of_values!r}; give both in one "
                "unit",
                code="different_units",
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
                    f"{self.heads.texts[j]!r} says so), not a depth profile",
                    code="no_profile",
                )

    def _axis_by_unit(self) -> int:
        """Find the axis where no header names one: the first column, if the user gives its unit."""
        heads, candidates = self.heads, self.heads.columns("value")
        first = candidates[0] if candidates else -1
        has_index = any(header.role == "index" for header in self.headers)
        is_value = heads.units[first] or is_species(self.headers[first].name)
        if has_index or len(candidates) < 2 or is_value:
            raise ReadError(
                "the table has neither a depth nor a time column; headers found: "
                f"{', '.join(map(repr, filter(None, heads.texts))) or 'none'}",
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
        before = axis - 1 if axis and self.headers[axis - 1].role in ("axis", "time") else axis
        above = self.heads.names[value] or self.heads.names[axis] or self.heads.names[before]
        if not above or (is_species(header.name) and not names_species(above)):
            # A pair may be named at its depths: ``B depth (nm)``; ``from surface`` is no name.
            of_axis = self.headers[axis].name
            # ``y`` is no element.
            letter = "" if header.name in LETTERS and header.name.islower() else header.name
            return letter or above or (of_axis if names_species(of_axis) else "")
        word = header.name in LETTERS or header.name == self.common or not is_species(header.name)
        if not header.name or word or self.labels or header.explicit:
            return above
        return header.name
