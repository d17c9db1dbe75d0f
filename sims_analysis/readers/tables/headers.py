"""What stands above the numbers: one row of heads, and rows that each add one thing to it.

The row of heads names the axis, and more columns than any other row. Every other row adds one
thing: units, kinds (``mean | SD``), names of species, samples, a unit that all values share, or
behind a word in its first cell what is known of each column (``DL``, ``RSF``, ``Matrix``). What
adds nothing is a note, and kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileWarning, ReadError, UnitsError, warn
from sims_analysis.readers.tables.body import Body
from sims_analysis.readers.tables.grid import Block, TextGrid
from sims_analysis.readers.tables.header_cells import (
    PERCENT,
    Header,
    factor_in,
    has_factor,
    has_role,
    is_ancillary,
    is_unit,
    join_header,
    names_axis,
    read_header,
    refuse_factor,
    same_unit,
    try_header,
    unit_kind,
    without_brackets,
)
from sims_analysis.readers.tables.numbers import is_number
from sims_analysis.readers.tables.row_kinds import RowKind
from sims_analysis.readers.tables.spans import are_kinds, distinguishes_columns, spanning
from sims_analysis.readers.tables.words import (
    LETTERS,
    Role,
    are_labels,
    is_matrix_signal,
    is_only_species,
    is_species,
    named_role,
    names_species,
)

__all__ = ["Headers", "read_headers"]

_NO_HEADER = Header("value", "", None, explicit=False)
#: What the first cell of a row may say that the others are, and the key of it in the metadata.
_LEADS = {"limit": "detection_limit", "factor": "rsf", "matrix": "matrix", "layer": "layer"}


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
    about : dict
        Metadata of columns, from rows such as ``DL | 2e15 | 5e14``: ``{column: {key: text}}``.
    taken : dict
        Row of the grid -> what it was taken for, and why.
    notes : list of int
        Rows of the grid that add nothing.
    """

    headers: list[Header]
    texts: list[str]
    units: list[str | None]
    names: list[str]
    labels: list[str]
    filled: list[bool]
    about: dict[int, dict[str, str]] = field(default_factory=dict)
    taken: dict[int, tuple[str, str]] = field(default_factory=dict)
    notes: list[int] = field(default_factory=list)

    def columns(self, *roles: str) -> list[int]:
        """List the columns of numbers that have one of these roles."""
        return [j for j, h in enumerate(self.headers) if h.role in roles and self.filled[j]]

    def name(self, column: int) -> str:
        """Return what a row of names or the header calls the species of a column."""
        return self.names[column] or self.headers[column].name


@dataclass(frozen=True)
class _Row:
    """A row above the numbers: its place in the grid, its kind, and a cell for each column."""

    place: int
    kind: RowKind
    cells: list[str]

    @property
    def filled(self) -> list[int]:
        return [j for j, cell in enumerate(self.cells) if cell]


def read_headers(body: Body, block: Block) -> Headers:
    """Read the rows above the numbers."""
    return _HeaderParser(body, block).found


class _HeaderParser:
    """Finds the row of heads, then asks of each other row what it adds."""

    def __init__(self, body: Body, block: Block) -> None:
        self.body, self.grid = body, body.grid
        self.options = self.grid.options
        self.stated = self.options.header_rows is not None
        width = self.width = body.width
        missing = np.logical_and.reduce(np.isnan(block.values), axis=0).tolist()
        filled = [not nothing for nothing in missing]
        for _, column in block.limits:
            filled[column] = True
        self.found = found = Headers(
            headers=[_NO_HEADER] * width,
            texts=[""] * width,
            units=[None] * width,
            names=[""] * width,
            labels=[""] * width,
            filled=filled,
        )
        #: Columns with something in them: numbers or words.
        self.used = [has or j in block.texts for j, has in enumerate(filled)]
        #: The row that states the unit of each column.
        self.stating: dict[int, int] = {}
        above, below = self._split(self._rows())
        for row in below:
            if not (self._take_units(row) or self._take_kinds(row)):
                continue
        self._read_heads(block)
        below = [row for row in below if row.place not in found.taken]
        self._take_names_below(below, above)
        for rows, take in (
            (above, self._take_units_above),
            (above, self._take_names),
            ([*below, *above], self._take_samples),
            (above, self._take_common_unit),
        ):
            for row in rows:
                if row.place not in found.taken:
                    take(row)
        self._agree_on_units()
        left = [row.place for row in (*above, *below) if row.place not in found.taken]
        found.notes = sorted({*found.notes, *left})
        self._refuse_factors()

    def _rows(self) -> list[_Row]:
        """List the rows that may say something of columns; rows with numbers do behind a word."""
        grid, rows = self.grid, []
        for i in self.body.above:
            cells = [*grid.headers(i, self.width), *[""] * self.width]
            row = _Row(i, grid.kind(i, self.body.words), cells)
            numbers = row.kind in (RowKind.NUMBERS, RowKind.MIXED) or "=" in cells
            if self._take_lead(row):
                continue
            if numbers and not self.stated:
                self.found.notes.append(i)
            else:
                rows.append(row)
        for i in self.body.below:
            cells = [*grid.cells(i), *[""] * self.width][: self.width]
            self._take_lead(_Row(i, RowKind.MIXED, cells))
        return rows

    def _take(self, row: _Row, part: str, why: str) -> bool:
        self.found.taken[row.place] = part, why
        return True

    # ---- the row of heads

    def _split(self, rows: list[_Row]) -> tuple[list[_Row], list[_Row]]:
        """Find the row of heads; return the rows above it, the nearest first, and those below.

        It names the axis, and most columns; of two that do, it is the lower one.
        """
        scores = [(self._score(row), n) for n, row in enumerate(rows)]
        scored = [(score, n) for score, n in scores if score]
        if not scored and self.stated and rows:
            scored = [((False, 0, 0), 0)]
        wide, rows = rows, [_Row(r.place, r.kind, r.cells[: self.width]) for r in rows]
        if not scored:
            units = rows[-1:] if rows and rows[-1].kind is RowKind.UNITS else []
            return rows[: len(rows) - len(units)][::-1], units
        (axis, named, filled), heads = max(scored)
        row = wide[heads]
        used = [*self.used, *[False] * len(row.cells)]
        empty = [c for c, has in zip(row.cells, used, strict=False) if c and not has]
        if empty:
            warn(f"no numbers below {', '.join(map(repr, empty))}", ProfileWarning)
        self.found.texts = row.cells[: self.width]
        what = "names the axis and" if axis else "has a word for"
        self._take(row, "headers", f"{what} {max(named, filled)} of {sum(self.used)} columns")
        return rows[:heads][::-1], rows[heads + 1 :]

    def _score(self, row: _Row) -> tuple[bool, int, int] | None:
        """Return whether a row names the axis, how many columns it names, and how many it fills.

        None if it describes no columns.
        """
        if row.kind in (RowKind.UNITS, RowKind.VALUE_UNITS) and not self.stated:
            return None
        filled = [cell for cell in row.cells if cell]
        headers = [try_header(cell) for cell in filled]
        roles = [h.role for h in headers if h.explicit]
        whole = len(filled) == sum(self.used) and not any(
            cell.endswith(":") or is_number(cell) for cell in filled
        )
        if len(headers) < 2 or not (whole or any(r not in ("value", "text") for r in roles)):
            return None
        axes = [h for h in headers if h.role in ("axis", "time") and h.explicit]
        own = [h for h in headers if h.role == "unread" or (h.role == "value" and h.name)]
        if self.stated and any(map(is_unit, filled)):
            # Of rows that the user states, one with a bare unit is that of units.
            return False, 0, len(filled)
        return bool(axes), len(axes) + len(own), len(filled)

    def _refuse_few_headers(self, place: int) -> None:
        """Refuse commas that may be decimal marks next to those between the cells."""
        grid, texts = self.grid, self.found.texts
        comma = isinstance(grid, TextGrid) and grid.delimiter == "," and not grid.quoted
        count = max((j + 1 for j, text in enumerate(texts) if text), default=0)
        if comma and count < self.width and self.options.columns is None and names_axis(texts):
            raise ReadError(
                f"line {grid.number(place)}: headers above {count} of {self.width} columns; if "
                "commas are decimal marks too, the columns are ambiguous: save the table with "
                "semicolons or tabs, or say what the columns are by "
                'columns={"B": (axis, values)}',
                where={"line": grid.number(place)},
            )

    def _read_heads(self, block: Block) -> None:
        """Read the cells of the row of heads, with what units and numbers say of them."""
        found = self.found
        heads = next((i for i, (part, _) in found.taken.items() if part == "headers"), None)
        if heads is not None:
            self._refuse_few_headers(heads)
            found.headers = [self._header(self.grid.number(heads), j) for j in range(self.width)]
        self._axes_by_units()
        for j, header in enumerate(found.headers):
            if header.role == "index" and is_species(found.texts[j]):
                # ``NO`` is an abbreviation of number, and nitric oxide.
                counts = found.filled[j] and np.ptp(np.diff(block.values[:, j])) == 0
                if found.units[j] or not counts:
                    found.headers[j] = Header("value", found.texts[j], None, explicit=False)
            unit = found.units[j]
            if header.role == "ancillary" and unit in PERCENT:
                # ``RSD`` is an error where per cent are stated.
                found.headers[j] = try_header(f"{found.texts[j]} (%)")
            if header.role == "value" and is_ancillary(header, unit):
                found.headers[j] = replace(header, role="ancillary")
        first = [row for row in self.body.above if row not in found.taken]
        named = first and self.grid.cells(first[-1])[:1] != [""] and self._fills(first[-1]) > 1
        if found.texts[0] or named or not any(found.texts) or not found.filled[0]:
            return
        column = block.values[:, 0]
        if np.array_equal(column - column[0], np.arange(column.size)) and column[0] in (0, 1):
            # Row numbers without a header, as DataFrames write them.
            found.headers[0] = Header("index", "", None, explicit=False)

    def _fills(self, place: int) -> int:
        return len({*filter(None, self.grid.headers(place, self.width))})

    def _header(self, number: int, column: int) -> Header:
        try:
            return read_header(self.found.texts[column])
        except UnitsError as error:
            raise error.within(self.grid.where(number, column)) from None

    def _axes_by_units(self) -> None:
        """Distinguish depths from values by their units, where headers do not."""
        found = self.found
        axes = {*found.columns("axis", "time")}
        bare_times = {j for j in axes if found.headers[j].unit == found.texts[j]}
        for j, unit in enumerate(found.units):
            header = found.headers[j]
            silent = not (header.explicit or is_species(header.name)) and axes <= bare_times
            short = found.texts[j].casefold() in ("", "x", "z", "t")
            if unit and (short or silent) and unit_kind(unit) in vocabulary.AXES:
                role: Role = "axis" if unit_kind(unit) == "depth" else "time"
                found.headers[j] = Header(role, "", unit, explicit=True)
                axes.add(j)
        for j in bare_times if axes - bare_times else ():
            # Next to depths, ``min`` is rather the least of several.
            found.headers[j] = Header("value", found.texts[j], None, explicit=False)

    # ---- what another row adds

    def _take_lead(self, row: _Row) -> bool:
        """Take a row that begins with a word for what its other cells are of their columns."""
        first, *others = row.filled or [0]
        lead = row.cells[first]
        role = named_role(try_header(lead).name or lead.partition("(")[0], *_LEADS)
        if role is None or not others or self.stated:
            return False
        numbers = role in ("limit", "factor")
        cells = {j: row.cells[j] for j in others if j < self.width}
        if numbers:
            cells = {j: cell for j, cell in cells.items() if is_number(cell) and cell != lead}
        elif names_axis(cells.values()) or any(map(is_number, cells.values())):
            return False
        elif len(cells) < sum(self.found.filled) - 1 or len(cells) < 2:
            # Of all columns alike.
            return False
        unit = try_header(lead).unit
        for j, cell in cells.items():
            text = cell if not numbers or "." in cell else cell.replace(",", ".")
            stated = f"{text} {unit}" if unit and numbers else text
            self.found.about.setdefault(j, {})[_LEADS[role]] = stated
        # As a whole, such a row is a note as well.
        self.found.notes += [row.place] if row.place < self.body.first else []
        return bool(cells) and self._take(row, _PARTS[role], f"begins with {lead!r}")

    def _take_units(self, row: _Row) -> bool:
        """Take a row below the heads that holds units, of all columns or of some."""
        units = {j: row.cells[j] for j in row.filled if is_unit(row.cells[j])}
        others = [row.cells[j] for j in row.filled if j not in units]
        alone = row.kind in (RowKind.UNITS, RowKind.VALUE_UNITS)
        if self.stated:
            # Below a name for each, one bare unit of depths tells what the row is.
            kinds = {unit_kind(without_brackets(cell)) for cell in units.values()}
            alone = alone or bool(kinds & {*vocabulary.AXES})
        if not alone and not (units and others and are_kinds(others)):
            return False
        if self.stating.keys() & units.keys():
            return False
        self._state_units(row, {j: row.cells[j] for j in row.filled} if alone else units)
        if not alone:
            return self._take_kinds(row)
        return self._take(row, "units", "each of its cells is a unit")

    def _state_units(self, row: _Row, units: dict[int, str]) -> None:
        for j, cell in units.items():
            if cell and j < self.width:
                self.found.units[j] = without_brackets(cell)
                self.stating[j] = row.place

    def _take_kinds(self, row: _Row) -> bool:
        """Take a row that distinguishes the columns of a species: ``mean | SD``."""
        lower = ["" if j in self.stating and self.stating[j] == row.place else cell
                 for j, cell in enumerate(row.cells)]  # fmt: skip
        if (
            self.stated
            or not any(self.found.texts)
            or not distinguishes_columns(self.found.texts, lower, self._raw_heads())
        ):
            return False
        above = spanning(self.found.texts, lower)
        for j, cell in above.items():
            self.found.texts[j] = join_header(cell, lower[j])
        return self._take(row, "kinds", "says of each column below a species what it is")

    def _raw_heads(self) -> list[str]:
        """Return the heads without the repetition of merged cells."""
        heads = next(i for i, (part, _) in self.found.taken.items() if part == "headers")
        return [*self.grid.cells(heads), *[""] * self.width]

    def _take_names_below(self, below: Sequence[_Row], above: Sequence[_Row]) -> None:
        """Take a row below the heads that names their values, unless they are named better."""
        found = self.found
        values = found.columns("value")
        row = next((row for row in below if row.filled and row.filled == values), None)
        if row is None or not names_axis(found.texts) or any(map(is_number, row.cells)):
            return
        named = any(found.headers[j].name for j in values)
        texts = self._named(above[0].cells) if above else []
        if named or (self._are_names(texts) and all(map(names_species, filter(None, texts)))):
            return
        found.names = row.cells
        self._take(row, "names", "each of its cells is below the header of values")

    def _take_units_above(self, row: _Row) -> bool:
        """Take a row above the heads that holds units, where none states any yet."""
        if any(self.found.units) or row.kind not in (RowKind.UNITS, RowKind.VALUE_UNITS):
            return False
        of_values = row.filled == self.found.columns("value", "error")
        if row.kind is not RowKind.UNITS and not of_values:
            return False
        self._state_units(row, {j: row.cells[j] for j in row.filled})
        return self._take(row, "units", "each of its cells is a unit")

    def _take_names(self, row: _Row) -> bool:
        """Take a row above the heads that names species."""
        found = self.found
        cells = self._named(row.cells)
        texts = [*filter(None, cells)]
        if any(found.names) or not self._are_names(cells):
            return False
        own = [found.headers[j].name for j in found.columns("value")]
        if len(texts) == 1 and any(map(is_species, own)):
            # ``C`` is carbon below "boron implant", and a concentration below "boron".
            if not is_only_species(try_header(texts[0]).name or texts[0]):
                return False
            # Alone above headers that name species, ``W7`` is a wafer rather than tungsten.
            if not LETTERS.intersection(own) and _letters(texts[0]) not in map(_letters, own):
                return False
        elif all(map(is_species, own)) and not all(map(names_species, texts)):
            return False
        found.names = cells
        self._units_of_names(row)
        return self._take(row, "names", "names a species above each block of columns")

    def _units_of_names(self, row: _Row) -> None:
        """Take the units that stand next to names: ``11B (at/cm3)`` above ``run 1 | run 2``."""
        unit: str | None = None
        for j, cell in enumerate(self.found.names):
            header = try_header(cell)
            unit = header.unit if cell else unit
            if cell and unit:
                self.found.names[j] = header.name or cell
            if self.found.headers[j].role in ("value", "error") and unit:
                if self.found.units[j] is None:
                    self.stating[j] = row.place
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
        """Whether a row above the heads names the species of blocks."""
        filled = [j for j, cell in enumerate(cells) if cell]
        if not filled or any(":" in cells[j] or is_number(cells[j]) for j in filled):
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

    def _take_samples(self, row: _Row) -> bool:
        """Take a row that distinguishes columns by samples."""
        if any(self.found.labels):
            return False
        cells = self._named(row.cells, "text")
        starts = _starts(self.found.columns("axis", "time"))
        apart = len(starts) > 1 and (
            [j for j in starts if cells[j]] == starts and len({*filter(None, cells)}) > 1
        )
        if not (apart or (len(starts) == 1 and self._distinguishes_repeats(cells))):
            return False
        self.found.labels = list(map(_label, cells))
        return self._take(row, "samples", "distinguishes columns that are alike otherwise")

    def _distinguishes_repeats(self, cells: Sequence[str]) -> bool:
        """Whether labels distinguish species that repeat on depths that they share."""
        found, values = self.found, self.found.columns("value")
        if not (values and cells[values[0]]):
            return False
        if any(has_role(c, "axis", "time", "value", "error") or is_number(c) for c in cells if c):
            return False
        if all(map(is_only_species, filter(None, cells))) and not are_labels(
            {*filter(None, cells)}
        ):
            return False
        species = [(found.name(j), found.units[j] or found.headers[j].unit) for j in values]
        labels = [next(c for c in reversed(cells[: j + 1]) if c) for j in values]
        labelled = {*zip(species, labels, strict=True)}
        return len({*species}) < len(labelled) == len(species)

    def _take_common_unit(self, row: _Row) -> bool:
        """Take a title that states the unit of all values to its right: ``Conc. (at/cm3)``.

        A matrix signal is measured in another: its unit stays open.
        """
        found = self.found
        values = found.columns("value", "error")
        values = [j for j in values if not (found.units[j] or found.headers[j].unit)]
        axes = found.columns("axis", "time")
        units: list[str | None] = []
        for j, cell in enumerate(row.cells):
            header = try_header(cell)
            if cell and j in axes and has_role(cell, "axis", "time"):
                units.append(None)
                continue
            if cell and not (header.role == "value" and header.explicit and not header.name):
                return False
            units.append(header.unit if cell else units[-1] if units else None)
        if not values or None in (units[j] for j in values):
            return False
        for j in values:
            if not is_matrix_signal(found.name(j)):
                found.units[j] = units[j]
        return self._take(row, "units", "states a unit of all values")

    # ---- what remains

    def _agree_on_units(self) -> None:
        """Put the units of heads and rows together; two that differ are refused."""
        found = self.found
        for j, header in enumerate(found.headers):
            # "Intensity" leaves the unit open.
            own = header.unit if header.unit and unit_kind(header.unit) != "arbitrary" else None
            of_row = found.units[j]
            known = own and of_row and unit_kind(of_row) and unit_kind(own)
            if known and j in self.stating and not same_unit(own or "", of_row or ""):
                where = self.grid.where(self.grid.number(self.stating[j]), j)
                raise UnitsError(
                    f"{where}: the unit {of_row!r} disagrees with {own!r} of the header "
                    f"{found.texts[j]!r}; correct one of them"
                )
            found.units[j] = own or of_row or header.unit

    def _refuse_factors(self) -> None:
        """Refuse factors in units and in notes, which would be lost."""
        grid = self.grid
        for j, unit in enumerate(self.found.units):
            if unit and j in self.stating and has_factor(unit):
                refuse_factor(unit, f"{grid.where(grid.number(self.stating[j]), j)}: ")
        for i in (*self.found.notes, *self.body.below):
            for j, cell in enumerate(grid.cells(i)):
                if factor_in(cell):
                    refuse_factor(cell, f"{grid.where(grid.number(i), j)}: ")


_PARTS = {
    "limit": "detection limits",
    "factor": "sensitivity factors",
    "matrix": "matrix",
    "layer": "layers",
}


def _letters(species: str) -> str:
    return "".join(filter(str.isalpha, species))


def _starts(axes: Sequence[int]) -> list[int]:
    """List the axes that begin a block: a time next to a depth begins none of its own."""
    return [j for j in axes if j - 1 not in axes]


def _label(text: str) -> str:
    """Take off what a label begins with: ``Sample: W1``."""
    key, _, name = (part.strip() for part in text.partition(":"))
    return name if name and named_role(key, "text") else text
