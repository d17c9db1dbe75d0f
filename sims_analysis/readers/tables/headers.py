"""What stands above the numbers: names, units and headers, found from the numbers upwards.

The rows above a table follow a handful of patterns::

    labels?  names?  units?  headers?  units?  names?   numbers

Each part is one row. Which row is which part is decided by its kind, and where its cells stand;
what fits nowhere is a note, and kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileWarning, ReadError, UnitsError, warn
from sims_analysis.readers.tables.body import Body
from sims_analysis.readers.tables.grid import Block, CellGrid, TextGrid
from sims_analysis.readers.tables.header_cells import (
    Header,
    has_role,
    is_factor,
    join_header,
    names_axis,
    read_header,
    try_header,
    unit_kind,
    without_brackets,
)
from sims_analysis.readers.tables.numbers import is_number
from sims_analysis.readers.tables.row_kinds import RowKind
from sims_analysis.readers.tables.words import (
    LETTERS,
    Role,
    are_labels,
    is_species,
    named_role,
    names_species,
)

__all__ = ["Headers", "read_headers"]

_NO_HEADER = Header("value", "", None, explicit=False)


@dataclass
class Headers:
    """What the rows above the numbers say of each column.

    Parameters
    ----------
    headers : list of Header
    texts : list of str
        The headers as written.
    units : list
        Of each column; ``None`` where none is stated.
    names : list of str
        Of species, from a row of names.
    labels : list of str
        Above blocks of columns, of samples.
    filled : list of bool
        Whether some cell of a column holds a number.
    unread : dict
        Errors of headers that cannot be read, which matter if their columns do.
    taken : dict
        Row of the grid -> what it was taken for.
    notes : list of int
        Rows of the grid that are none of these.
    """

    headers: list[Header]
    texts: list[str]
    units: list[str | None]
    names: list[str]
    labels: list[str]
    filled: list[bool]
    unread: dict[int, UnitsError] = field(default_factory=dict)
    taken: dict[int, str] = field(default_factory=dict)
    notes: list[int] = field(default_factory=list)

    def columns(self, *roles: str) -> list[int]:
        """List the columns of numbers that have one of these roles."""
        return [j for j, h in enumerate(self.headers) if h.role in roles and self.filled[j]]


def read_headers(body: Body, block: Block) -> Headers:
    """Read the rows above the numbers."""
    return _HeaderParser(body, block).found


class _HeaderParser:
    """The rows above that are not yet taken, the last one lowest."""

    def __init__(self, body: Body, block: Block) -> None:
        self.body, self.grid = body, body.grid
        self.options = self.grid.options
        self.width = body.width
        missing = np.logical_and.reduce(np.isnan(block.values), axis=0).tolist()
        filled = [not nothing for nothing in missing]
        for _, column in block.limits:
            filled[column] = True
        self.found = Headers(
            headers=[_NO_HEADER] * self.width,
            texts=[""] * self.width,
            units=[None] * self.width,
            names=[""] * self.width,
            labels=[""] * self.width,
            filled=filled,
        )
        #: Columns with something in them: numbers or words.
        self.used = [has or j in block.texts for j, has in enumerate(filled)]
        self.rows = [(i, self.grid.headers(i, self.width)) for i in body.above]
        self._leave_notes()
        below = self._names_below()
        if self._are_units():
            self._take_units()
        self._join_headers()
        self._headers()
        self._mark_row_numbers(block)
        if not any(self.found.units) and self.rows:
            # The last row that is left may hold the units of the headers below it.
            above = [j for j, cell in enumerate(self.rows[-1][1]) if cell]
            of_values = above == self.found.columns("value", "error")
            if self._kind() is RowKind.UNITS or (self._kind() is RowKind.VALUE_UNITS and of_values):
                self._take_units()
        self._names(below)
        self._labels()
        self._common_units()
        for j, header in enumerate(self.found.headers):
            # "Intensity" leaves the unit open.
            says_none = not header.unit or unit_kind(header.unit) == "arbitrary"
            self.found.units[j] = (self.found.units[j] if says_none else None) or header.unit
        self.found.notes += [i for i, _ in self.rows]
        self.found.notes.sort()
        self._refuse_factors()

    # ---- what rows are

    @property
    def stated(self) -> bool:
        """Whether the user says which rows are headers."""
        return self.options.header_rows is not None

    def _kind(self, place: int = -1) -> RowKind:
        return self.grid.kind(self.rows[place][0], self.body.words)

    def _fitted(self, cells: Sequence[str]) -> list[str]:
        return [*cells, *[""] * self.width][: self.width]

    def _pop(self, part: str) -> list[str]:
        row, cells = self.rows.pop()
        self.found.taken[row] = part
        return cells

    def _leave_notes(self) -> None:
        """Leave out rows that name no column: with numbers, or ``Dose = 3e13``."""
        if self.stated:
            return
        notes = [
            (i, cells)
            for i, cells in self.rows
            if self.grid.kind(i, self.body.words) in (RowKind.NUMBERS, RowKind.MIXED)
            or "=" in cells
        ]
        self.found.notes += [i for i, _ in notes]
        self.rows = [row for row in self.rows if row not in notes]

    def _names_below(self) -> list[str]:
        """Take the row that names the values of headers above it: below units, or right below."""
        *above, cells = [row for _, row in self.rows[-3:]] or [[]]
        if not above or names_axis(cells) or self._are_units() or any(map(is_number, cells)):
            return []
        if _distinguishes_columns(self._fitted(above[-1]), self._fitted(cells)):
            return []
        # Origin writes names, units, and below these comments.
        if len(above) > 1 and self._kind(-2) is RowKind.UNITS:
            return self._pop("names") if names_axis(above[0]) else []
        # Below headers that span several columns there is a name for each.
        headers = self._fitted(above[-1])
        values = [
            j
            for j, header in enumerate(headers)
            if self.found.filled[j] and not has_role(header, "axis", "time")
        ]
        named = [j for j, cell in enumerate(cells) if cell]
        return self._pop("names") if names_axis(above[-1]) and values == named else []

    def _are_units(self) -> bool:
        """Whether the last row holds units: of all columns, or of those whose header has none."""
        if not self.rows:
            return False
        cells = [cell for cell in self.rows[-1][1] if cell]
        if self._kind() is RowKind.UNITS:
            return True
        if len(self.rows) < 2:
            return False
        if self.stated and len([cell for cell in self.rows[-2][1] if cell]) == sum(self.used):
            # Below a name for each, one bare unit of depths tells what the row is, known or not.
            return any(unit_kind(without_brackets(cell)) in vocabulary.AXES for cell in cells)
        return self._kind() is RowKind.VALUE_UNITS and names_axis(self.rows[-2][1])

    def _take_units(self) -> None:
        self.found.units = [
            without_brackets(cell) or None for cell in self._fitted(self._pop("units"))
        ]

    def _are_headers(self, cells: Sequence[str]) -> bool:
        """Whether a row describes the columns: one of them an axis, or a name for each."""
        filled = [cell for cell in cells if cell]
        if len(filled) < 2:
            return False
        headers = map(try_header, filled)
        if any(header.explicit and header.role not in ("value", "text") for header in headers):
            return True
        if self.body.needed is not None:
            filled = [cell for j, cell in enumerate(cells) if cell and j in self.body.needed]
        words = not any(cell.endswith(":") or is_number(cell) for cell in filled)
        return words and len(filled) == sum(self.used)

    # ---- taking them

    def _join_headers(self) -> None:
        """Make one of two rows of headers: ``Depth | 11B | `` over `` | mean | SD``.

        The upper one says where the depths stand, and of which species the values to its right are.
        """
        if len(self.rows) < 2 or self.stated:
            return
        upper, lower = (self._fitted(cells) for _, cells in self.rows[-2:])
        if not _distinguishes_columns(upper, lower):
            return
        joined = {j: join_header(cell, lower[j]) for j, cell in _spanning(upper, lower).items()}
        self._pop("headers")
        self.rows[-1] = self.rows[-1][0], [joined.get(j, cell) for j, cell in enumerate(upper)]

    def _headers(self) -> None:
        """Take the row of headers, and read each."""
        found = self.found
        labelled = isinstance(self.grid, CellGrid) and self.grid.labelled and len(self.rows) == 1
        if self.rows and (labelled or self.stated or self._are_headers(self.rows[-1][1])):
            number = self.grid.number(self.rows[-1][0])
            cells = self._pop("headers")
            self._refuse_few_headers(number, cells)
            found.texts = self._fitted(cells)
            used = [*self.used, *[False] * len(cells)]
            empty = [cell for cell, has in zip(cells, used, strict=False) if cell and not has]
            if empty and self.body.needed is None:
                warn(f"no numbers below {', '.join(map(repr, empty))}", ProfileWarning)
            found.headers = [self._header(number, j) for j in range(self.width)]
        self._axes_by_units()

    def _axes_by_units(self) -> None:
        """Distinguish depths from values by their units, where headers do not."""
        found = self.found
        axes = {*found.columns("axis", "time")}
        bare_times = {j for j in axes if found.headers[j].unit == found.texts[j]}
        for j, unit in enumerate(found.units):
            header = found.headers[j]
            silent = not (header.explicit or is_species(header.name)) and axes <= bare_times
            if unit and (not found.texts[j] or silent) and unit_kind(unit) in vocabulary.AXES:
                role: Role = "axis" if unit_kind(unit) == "depth" else "time"
                found.headers[j] = Header(role, "", unit, explicit=True)
                axes.add(j)
        for j in bare_times if axes - bare_times else ():
            # Beside depths, ``min`` is rather the least of several.
            found.headers[j] = Header("value", found.texts[j], None, explicit=False)

    def _header(self, number: int, column: int) -> Header:
        text = self.found.texts[column]
        try:
            return read_header(text)
        except UnitsError as error:
            where = self.grid.where(number, column)
            self.found.unread[column] = error.within(where)
            if self.options.columns is None:
                raise self.found.unread[column] from None
            return Header("value", text, None, explicit=False)

    def _refuse_few_headers(self, number: int, cells: Sequence[str]) -> None:
        """Refuse commas that may be decimal marks beside those between the cells."""
        grid = self.grid
        comma = isinstance(grid, TextGrid) and grid.delimiter == "," and not grid.quoted
        headers = max((j for j, cell in enumerate(cells) if cell), default=0) + 1
        if comma and headers < self.width and self.options.columns is None and names_axis(cells):
            raise ReadError(
                f"line {number}: headers above {headers} of {self.width} columns; if commas are "
                "decimal marks too, the columns are ambiguous: save the table with semicolons or "
                'tabs, or say what the columns are by columns={"B": (axis, values)}'
            )

    def _names(self, below: list[str]) -> None:
        """Take the names of species: above the headers, or those that stand below."""
        above = bool(self.rows) and self._are_names(self._named(self.rows[-1][1]))
        headers = [self.found.headers[j].name for j in self.found.columns("value")]
        if above and (below or all(map(is_species, headers))):
            # Of two rows of names, that which names species; the other may distinguish samples.
            names = [*filter(None, self._named(self.rows[-1][1]))]
            above = all(map(names_species, names))
            # Alone above headers that name species, ``W7`` is a wafer rather than tungsten.
            if len(names) == 1 and not (below or LETTERS.intersection(headers)):
                above = _letters(names[0]) in map(_letters, headers)
        if above:
            self.found.names = self._fitted(self._named(self._pop("names")))
            self._units_of_names()
        elif below and not any(self.found.headers[j].name for j in self.found.columns("value")):
            self.found.names = self._fitted(below)
        elif below:
            row = next(i for i, part in reversed(self.found.taken.items()) if part == "names")
            self.found.taken[row] = "note"
            self.found.notes.append(row)

    def _units_of_names(self) -> None:
        """Take the units that stand beside names: ``11B (at/cm3)`` above ``run 1 | run 2``."""
        unit: str | None = None
        for j, cell in enumerate(self.found.names):
            header = try_header(cell)
            unit = header.unit if cell else unit
            if cell and unit:
                self.found.names[j] = header.name or cell
            if self.found.headers[j].role in ("value", "error"):
                self.found.units[j] = self.found.units[j] or unit

    def _named(self, cells: Sequence[str], role: str = "species") -> list[str]:
        """Leave out what a row of names says above the depths: ``Species | B | P``."""
        axes = self.found.columns("axis", "time")
        return [
            "" if j in axes and (has_role(c, "axis", "time") or named_role(c, role)) else c
            # Above a first column without numbers stands what the row is called.
            for j, c in enumerate(cells if self.found.filled[0] else ["", *cells[1:]])
        ]

    def _are_names(self, cells: Sequence[str]) -> bool:
        """Whether a row above the headers names the species of blocks."""
        filled = [j for j, cell in enumerate(cells) if cell]
        if not filled or filled[-1] >= self.width:
            return False
        if any(":" in cells[j] or is_number(cells[j]) for j in filled):
            return False
        texts = {cells[j] for j in filled}
        if are_labels(texts):
            return False
        # A note about the sample stands alone.
        if len(texts) == 1 and not names_species(texts.pop()):
            return False
        axes = [j for j, header in enumerate(self.found.headers) if header.role in ("axis", "time")]
        values = self.found.columns("value")
        if len(axes) == len(values) and filled == sorted([*axes, *values]):
            # A name above each column of a pair.
            return all(cells[a] == cells[v] for a, v in zip(axes, values, strict=True))
        starts = _starts(axes)
        errors = self.found.columns("error")
        if errors and set(filled) == {*values, *errors} - {*axes}:
            return True
        return len(filled) in (len(starts), len(values)) and (
            set(filled) <= {*axes} or set(filled) <= {*values}
        )

    def _labels(self) -> None:
        """Take a row above that distinguishes blocks, by samples."""
        if not self.rows:
            return
        cells = self._fitted(self._named(self.rows[-1][1], "text"))
        starts = _starts(self.found.columns("axis", "time"))
        if len(starts) > 1:
            apart = [j for j in starts if cells[j]] == starts and len({*filter(None, cells)}) > 1
        else:
            apart = self._distinguish_repeats(cells)
        if apart:
            self._pop("samples")
            self.found.labels = list(map(_label, cells))

    def _distinguish_repeats(self, cells: Sequence[str]) -> bool:
        """Whether labels distinguish species that repeat above the depths that they share."""
        found, values = self.found, self.found.columns("value")
        if not (found.columns("axis", "time") and values and cells[values[0]]):
            return False
        if any(has_role(c, "axis", "time", "value", "error") or is_number(c) for c in cells if c):
            return False
        species = [
            (found.names[j] or found.headers[j].name, found.units[j] or found.headers[j].unit)
            for j in values
        ]
        labels = [next(c for c in reversed(cells[: j + 1]) if c) for j in values]
        labelled = {*zip(species, labels, strict=True)}
        return len({*species}) < len(labelled) == len(species)

    def _common_units(self) -> None:
        """Take the unit that a title states of all values to its right: ``Conc. (at/cm3)``."""
        found = self.found
        values = found.columns("value", "error")
        if any(found.units[j] or found.headers[j].unit for j in values):
            return
        for row in reversed(self.rows):
            units: list[str | None] = []
            for cell in self._fitted(row[1]):
                header = try_header(cell)
                if cell and not (header.role == "value" and header.explicit and not header.name):
                    units = []
                    break
                units.append(header.unit if cell else units[-1] if units else None)
            if units and None not in (units[j] for j in values):
                self.rows.remove(row)
                found.taken[row[0]] = "units"
                for j in values:
                    found.units[j] = units[j]
                return

    def _refuse_factors(self) -> None:
        """Refuse rows of factors, which a note would lose."""
        for i in self.found.notes:
            for j, cell in enumerate(self.grid.cells(i)):
                if is_factor(cell):
                    raise UnitsError(
                        f"{self.grid.where(self.grid.number(i), j)}: {cell!r} states a factor, "
                        "which may be meant either way; scale the values and take it out"
                    )

    def _mark_row_numbers(self, block: Block) -> None:
        """Recognise a column of row numbers without a header, as DataFrames write it."""
        found = self.found
        named = self.rows and self._fitted(self.rows[-1][1])[0] and len(set(self.rows[-1][1])) > 2
        if found.texts[0] or named or not any(found.texts) or not found.filled[0]:
            return
        column = block.values[:, 0]
        if np.array_equal(column - column[0], np.arange(column.size)) and column[0] in (0, 1):
            found.headers[0] = Header("index", "", None, explicit=False)


def _letters(species: str) -> str:
    return "".join(filter(str.isalpha, species))


def _starts(axes: Sequence[int]) -> list[int]:
    """List the axes that begin a block: a time beside a depth begins none of its own."""
    return [j for j in axes if j - 1 not in axes]


def _label(text: str) -> str:
    """Take off what a label begins with: ``Sample: W1``."""
    key, _, name = (part.strip() for part in text.partition(":"))
    return name if name and named_role(key, "text") else text


def _spanning(upper: Sequence[str], lower: Sequence[str]) -> dict[int, str]:
    """Return what stands above each filled cell of a row, or to the left of that."""
    filled = [j for j, cell in enumerate(lower) if cell]
    if not filled or not upper[filled[0]]:
        return {}
    return {j: upper[max(k for k in filled if k <= j and upper[k])] for j in filled}


def _distinguishes_columns(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether the lower of two rows of headers distinguishes columns of a species.

    They are of several kinds, ``mean | SD``, or measured several times, ``run 1 | run 2``.
    """
    above = _spanning(upper, lower)
    if not above or not names_axis(upper):
        return False
    if any(has_role(cell, "axis", "time", "index") for cell in above.values()):
        return False
    if _are_kinds(lower):
        return True
    headers = [try_header(lower[j]) for j in above]
    spans = [try_header(cell) for cell in above.values()]
    return len({*above.values()}) < len(above) and all(
        not (names_species(header.name) or header.unit or header.role in ("axis", "time", "unread"))
        and is_species(span.name)
        for header, span in zip(headers, spans, strict=True)
    )


def _are_kinds(cells: Iterable[str]) -> bool:
    """Whether a row says of what kind values are, and nothing else: ``mean``, ``SD``, ``rate``."""
    headers = [try_header(cell) for cell in cells if cell]
    return bool(headers) and all(
        header.role in ("value", "error") and not (header.name or header.unit) for header in headers
    )
