"""What stands above the numbers: one row of heads, and rows that each add one thing to it.

The row of heads names the axis, and more columns than any other row. Others add one thing each:
units, kinds (``mean | SD``), names of species, samples, a unit that all values share, or behind a
word in the first cell what is known of each column (``DL``, ``RSF``). The rest are notes, kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileWarning, ReadError, UnitsError, warn
from sims_analysis.kernels.rows import Array
from sims_analysis.readers.source import WHICH_COLUMNS
from sims_analysis.readers.tables.body import Body
from sims_analysis.readers.tables.grid import Block, TextGrid
from sims_analysis.readers.tables.header_cells import (
    LETTERS,
    PERCENT,
    Header,
    are_labels,
    factor_in,
    has_factor,
    has_role,
    is_ancillary,
    is_matrix_signal,
    is_only_species,
    is_species,
    is_unit,
    join_header,
    named_role,
    names_axis,
    names_species,
    pattern,
    read_header,
    refuse_factor,
    same_unit,
    try_header,
    unit_kind,
    without_brackets,
    without_label,
)
from sims_analysis.readers.tables.numbers import is_number, narrow
from sims_analysis.readers.tables.row_kinds import RowKind

_NO_HEADER = Header("value", "", None, explicit=False)
#: What the first cell of a row may say that the others are: what such a row is called, and the key
#: of it in the metadata.
_ROW_LABELS = {
    "limit": ("detection limits", "detection_limit"),
    "factor": ("sensitivity factors", "rsf"),
    "matrix": ("matrix", "matrix"),
    "layer": ("layers", "layer"),
}
#: Kinds of units of intensities, and the letters for these.
_COUNTED, _RATES = ("count_rate", "count", "arbitrary"), "IYiy"
_UNITS = (RowKind.UNITS, RowKind.VALUE_UNITS)
_LISTED = re.compile(r"[#%!]? ?(?:col(?:umn|\.)? ?)?#?(\d+)\s?[.:=)]?\s(.+)", re.IGNORECASE)


@dataclass(frozen=True)
class _Row:
    """A row above the numbers: its place in the grid, its kind, and a cell for each column."""

    place: int
    kind: RowKind
    cells: list[str]

    @property
    def filled(self) -> list[int]:
        return [j for j, cell in enumerate(self.cells) if cell]

    @property
    def texts(self) -> list[str]:
        return [*filter(None, self.cells)]


class Headers:
    """What the rows above the numbers say of each column."""

    def __init__(self, body: Body, block: Block) -> None:
        self._body, self._grid = body, body.grid
        self._stated = self._grid.options.header_rows is not None
        width = self._width = body.width
        #: Whether some cell of a column holds a number.
        self.filled = (~np.isnan(block.extent[0])).tolist()
        for _, column in block.limits:
            self.filled[column] = True
        self.headers = [_NO_HEADER] * width
        self.texts = [""] * width
        #: ``None`` where none is stated.
        self.units: list[str | None] = [None] * width
        #: Of species, from a row of names, and of samples, above blocks of columns.
        self.names, self.labels = [""] * width, [""] * width
        #: Metadata of columns, from rows such as ``DL | 2e15 | 5e14``.
        self.metadata: dict[int, dict[str, str]] = {}
        #: Row of the grid -> what it was taken for, and why; rows that add nothing.
        self.taken: dict[int, tuple[str, str]] = {}
        self.notes: list[int] = []
        #: Notes in the row of heads, above no numbers.
        self.side_notes: list[str] = []
        #: Columns with something in them: numbers or words.
        self._worded = {*block.texts}
        self._used = [has_numbers or j in self._worded for j, has_numbers in enumerate(self.filled)]
        #: Rows of numbers, which may be what samples are called.
        self._numeric: list[_Row] = []
        self._rows_below: list[_Row] = []
        #: The row that states the unit of each column.
        self._stating: dict[int, int] = {}
        self._read(block)

    def columns(self, *roles: str) -> list[int]:
        """List the columns of numbers that have one of these roles."""
        return [j for j, h in enumerate(self.headers) if h.role in roles and self.filled[j]]

    def name(self, column: int) -> str:
        """Return what a row of names or the header calls the species of a column."""
        return self.names[column] or self.headers[column].name

    def _read(self, block: Block) -> None:
        """Find the row of heads, then ask of each other row what it adds."""
        above, below = self._split(self._rows())
        self._try_each(below, self._take_units_below, self._take_kinds)
        self._read_heads(block)
        self._take_names_below(self._rest(below), above)
        self._try_each(above, self._take_units_above)
        self._try_each(above, self._take_names, self._take_title)
        self._try_each([*below, *self._rows_below], self._take_title)
        # What a row of numbers is of stands above the depths: ``Site | 1 | 2``.
        axes = self.columns("axis", "time")
        numeric = [
            replace(row, cells=["" if j in axes and not is_number(c) else c
                                for j, c in enumerate(row.cells)])
            for row in self._numeric
        ]  # fmt: skip
        numeric = [row for row in numeric if row.filled[1:] and all(map(is_number, row.texts))]
        numeric = numeric if all(map(self.name, self.columns("value"))) else []
        self._try_each([*below, *above, *numeric], self._take_samples)
        self._try_each(above, self._take_common_unit)
        self._agree_on_units()
        self.notes = sorted({*self.notes, *(row.place for row in self._rest([*above, *below]))})
        self._refuse_factors()

    def _rest(self, rows: Sequence[_Row]) -> list[_Row]:
        return [row for row in rows if row.place not in self.taken]

    def _try_each(self, rows: Sequence[_Row], *steps: Callable[[_Row], None]) -> None:
        for row in rows:
            for step in steps:
                if row.place not in self.taken:
                    step(row)

    def _take(self, row: _Row, part: str, reason: str) -> None:
        self.taken[row.place] = part, reason

    def _rows(self) -> list[_Row]:
        """List the rows that may say something of columns; rows with numbers do behind a word."""
        grid, padding, rows = self._grid, [""] * self._width, []
        for i in self._body.above:
            row = _Row(i, self._body.kind(i), [*grid.headers(i, self._width), *padding])
            self._take_row_label(row)
            numbers = row.kind in (RowKind.NUMBERS, RowKind.MIXED) or "=" in row.cells
            if numbers and not self._stated:
                self.notes += [i] if i not in self.taken else []
                self._numeric.append(row)
            elif i not in self.taken:
                rows.append(row)
        for i in self._body.below:
            row = _Row(i, RowKind.MIXED, [*grid.cells(i), *padding][: self._width])
            self._take_row_label(row)
            self._rows_below.append(row)
        return self._without_labels(self._rows_of_list(rows))

    def _rows_of_list(self, rows: list[_Row]) -> list[_Row]:
        """Make a row of heads of a list of the columns: ``column 1: depth (nm)``."""
        entries = {r.place: m for r in rows if (m := _LISTED.fullmatch(" ".join(r.texts)))}
        starts = {int(m[1]) - n for n, m in enumerate(entries.values())}
        if len(entries) < 2 or len(entries) != self._width or len(starts) > 1:
            return rows
        heads = _Row(min(entries), RowKind.HEADERS, [m[2] for m in entries.values()])
        return [*(row for row in rows if row.place not in entries), heads]

    def _without_labels(self, rows: list[_Row]) -> list[_Row]:
        """Take off what rows are called where one says ``Units``, as Origin and others do."""
        labelled = [row for row in rows if named_role(row.cells[0], "unit", "label", "remark")]
        units = [row for row in labelled if named_role(row.cells[0], "unit")]
        units = [row for row in units if all(map(is_unit, row.texts[1:])) and row.filled[2:]]
        if not units or 0 in self._worded or self._stated:
            return rows
        offset = max(row.filled[-1] for row in labelled) >= self._width
        number = "#" if self.filled[0] else ""
        for n, row in enumerate(rows):
            if row in units:
                rows[n] = replace(row, cells=["", *row.cells[1:]][offset:], kind=RowKind.UNITS)
            elif row in labelled:
                rows[n] = replace(row, cells=[number, *row.cells[1:]][offset:])
        return rows

    def _split(self, wide: list[_Row]) -> tuple[list[_Row], list[_Row]]:
        """Find the row of heads; return the rows above it, the nearest first, and those below."""
        rows = [replace(row, cells=row.cells[: self._width]) for row in wide]
        scores = [(score, n) for n, row in enumerate(wide) if (score := self._score(row))]
        if not scores and self._stated and rows:
            scores = [((False, 0, 0), 0)]
        if not scores:
            units = rows[-1:] if rows and rows[-1].kind is RowKind.UNITS else []
            return rows[: len(rows) - len(units)][::-1], units
        (axis, n_named, filled), heads = max(scores)
        self.texts = rows[heads].cells
        used = [*self._used, *[False] * len(wide[heads].cells)]
        empty = [c for c, use in zip(wide[heads].cells, used, strict=False) if c and not use]
        if empty:
            text = f"no numbers below {', '.join(map(repr, empty))}"
            warn(text, ProfileWarning, code="empty_column")
            headers = zip(empty, map(try_header, empty), strict=True)
            self.side_notes = [
                c for c, h in headers if not (h.explicit or h.unit or is_species(h.name))
            ]
        verb = "names the axis and" if axis else "has a word for"
        reason = f"{verb} {max(n_named, filled)} of {sum(self._used)} columns"
        self._take(rows[heads], "headers", reason)
        return rows[:heads][::-1], rows[heads + 1 :]

    def _score(self, row: _Row) -> tuple[bool, int, int] | None:
        """Return whether a row names the axis, how many columns it names, and how many it fills."""
        if row.kind in _UNITS and not self._stated:
            return None
        texts = row.texts
        headers = list(map(try_header, texts))
        roles = [h.role for h in headers if h.explicit]
        all_used = len(texts) == sum(self._used) and not any(
            text.endswith(":") or is_number(text) for text in texts
        )
        if len(headers) < 2 or not (all_used or any(r not in ("value", "text") for r in roles)):
            return None
        if self._stated and any(map(is_unit, texts)):
            # Of rows that the user states, one with a bare unit is that of units.
            return False, 0, len(texts)
        axes = sum(h.role in ("axis", "time") and h.explicit for h in headers)
        worded = (h for h, text in zip(headers, texts, strict=True) if not is_number(text))
        n_names = sum(h.role == "unread" or (h.role == "value" and bool(h.name)) for h in worded)
        return axes > 0, axes + n_names, len(texts)

    def _read_heads(self, block: Block) -> None:
        """Read the cells of the row of heads, with what units and numbers say of them."""
        for place in [i for i, (part, _) in self.taken.items() if part == "headers"]:
            number = self._grid.number(place)
            self._refuse_few_headers(number, block)
            for j, text in enumerate(self.texts):
                try:
                    self.headers[j] = read_header(text)
                except UnitsError as error:
                    raise error.within(self._grid.where(number, j)) from None
        for j, texts in block.texts.items():
            header, units = self.headers[j], {*map(str.strip, texts)}
            columns = [k for k in self.columns("value") if self.name(k) == header.name]
            # ``Unit`` is that of the column to its left.
            columns += [j - 1] if j and named_role(self.texts[j], "unit") else []
            if header.role == "unit" and len(units) == 1 and columns:
                self.units[columns[0]], self._stating[columns[0]] = units.pop(), self._body.first
        self._axes_by_units()
        for j, header in enumerate(self.headers):
            unit = self.units[j]
            if header.role == "index" and is_species(self.texts[j]):
                # ``NO`` is an abbreviation of number, and nitric oxide.
                counts = self.filled[j] and np.ptp(np.diff(block.values[:, j])) == 0
                if unit or not counts:
                    self.headers[j] = Header("value", self.texts[j], None, explicit=False)
            if header.role == "ancillary" and unit in PERCENT:
                # ``RSD`` is an error where per cent are stated.
                self.headers[j] = try_header(f"{self.texts[j]} (%)")
            if header.role == "text" and unit_kind(unit or "") in vocabulary.VALUE_KINDS:
                # A signal of the matrix, rather than its name.
                self.headers[j] = Header("value", self.texts[j], None, explicit=False)
            if header.role == "value" and is_ancillary(header, unit):
                self.headers[j] = replace(header, role="ancillary")
        others = [row for row in self._body.above if row not in self.taken]
        labels = others and self._grid.cells(others[-1])[:1] != [""]
        labels = labels and len({*filter(None, self._grid.headers(others[-1], self._width))}) > 1
        if self.texts[0] or labels or not any(self.texts) or not self.filled[0]:
            return
        if _counts_rows(block.values[:, 0]):
            # Row numbers without a header, as DataFrames write them.
            self.headers[0] = Header("index", "", None, explicit=False)

    def _refuse_few_headers(self, number: int, block: Block) -> None:
        """Refuse fewer headers than columns: of commas in numbers, or as R writes row numbers."""
        grid, texts, column = self._grid, self.texts, block.values[:, 0]
        if not names_axis(texts):
            return
        count = max((j + 1 for j, text in enumerate(texts) if text), default=0)
        commas = isinstance(grid, TextGrid) and grid.delimiter == "," and not grid.quoted
        comma = commas and count < self._width
        rows = count == self._width - 1 and texts[0] and _counts_rows(column)
        rows = rows and not any(any(grid.headers(i, count + 1)[count:]) for i in self._body.above)
        if comma or (rows and self.filled[count]):
            case = "commas are decimal marks too" if comma else "the first column numbers the rows"
            raise ReadError(
                f"{grid.row_word} {number}: headers above {count} of {self._width} columns; if "
                f"{case}, the columns are ambiguous: give each a header, or save the table with "
                "semicolons or tabs",
                **WHICH_COLUMNS,
            )

    def _axes_by_units(self) -> None:
        """Distinguish depths from values by their units, where headers do not."""
        axes = {*self.columns("axis", "time")}
        bare_times = {j for j in axes if self.headers[j].unit == self.texts[j]}
        for j, unit in enumerate(self.units):
            header, kind = self.headers[j], unit_kind(unit or "")
            is_unnamed = not (header.explicit or is_species(header.name)) and axes <= bare_times
            short = self.texts[j].casefold() in ("", "x", "z", "t")
            if (short or is_unnamed) and kind in vocabulary.AXES:
                role = "axis" if kind == "depth" else "time"
                self.headers[j] = Header(role, "", unit, explicit=True)
                axes.add(j)
        ends = [text.casefold().split()[-1:] for text in self.texts]
        if not axes and self._grid.options.depth_units and ends[0] in (["x"], ["z"]):
            for j in (j for j, end in enumerate(ends) if end == ends[0]):  # X | Y | X | Y
                self.headers[j] = Header("axis", "", None, explicit=True)
        for j in bare_times if axes - bare_times else ():
            # Next to depths, ``min`` is rather the least of several.
            self.headers[j] = Header("value", self.texts[j], None, explicit=False)

    def _take_row_label(self, row: _Row) -> None:
        """Take a row that begins with a word for what its other cells are of their columns."""
        if not row.filled or self._stated:
            return
        first, *columns = row.filled
        row_label = row.cells[first]
        header = try_header(row_label)
        role = named_role(header.name or row_label.partition("(")[0], *_ROW_LABELS)
        cells = {j: row.cells[j] for j in columns if j < self._width}
        if role is None or not cells:
            return
        if role in ("limit", "factor"):
            unit = f" {header.unit}" if header.unit else ""
            cells = {j: _plain_number(cell) + unit for j, cell in cells.items() if is_number(cell)}
        elif names_axis(cells.values()) or any(map(is_number, cells.values())):
            return
        elif len(cells) < sum(self.filled) - 1 or len(cells) < 2:
            # Of all columns alike.
            return
        part, key = _ROW_LABELS[role]
        for j, text in cells.items():
            self.metadata.setdefault(j, {})[key] = text
        # As a whole, such a row is a note as well.
        self.notes += [row.place] if row.place < self._body.first else []
        if cells:
            self._take(row, part, f"begins with {row_label!r}")

    def _take_units_below(self, row: _Row) -> None:
        """Take a row below the heads that holds units, of all columns or of some."""
        units = {j: row.cells[j] for j in row.filled if is_unit(row.cells[j])}
        words = [row.cells[j] for j in row.filled if j not in units]
        only_units = row.kind in _UNITS
        if self._stated:
            # Below a name for each, one bare unit of depths shows what the row is.
            kinds = {unit_kind(without_brackets(cell)) for cell in units.values()}
            only_units = only_units or bool(kinds & {*vocabulary.AXES})
        if self._stating.keys() & units.keys():
            return
        if only_units:
            self._state_units(row, row.filled)
        elif units and words and are_kinds(words):
            self._state_units(row, units)
            del self.taken[row.place]

    def _take_units_above(self, row: _Row) -> None:
        """Take a row above the heads that holds units, where none states any yet."""
        of_values = row.filled == self.columns("value", "error")
        if not any(self.units) and (
            row.kind is RowKind.UNITS or (row.kind is RowKind.VALUE_UNITS and of_values)
        ):
            self._state_units(row, row.filled)

    def _state_units(self, row: _Row, columns: Iterable[int]) -> None:
        for j in columns:
            self.units[j] = without_brackets(row.cells[j])
            self._stating[j] = row.place
        self._take(row, "units", "each of its cells is a unit")

    def _take_kinds(self, row: _Row) -> None:
        """Take a row that distinguishes the columns of a species, ``mean | SD``; or samples."""
        lower = {j: row.cells[j] for j in row.filled if self._stating.get(j) != row.place}
        if self._stated or not lower or not self.texts[min(lower)] or not names_axis(self.texts):
            return
        above = {j: self.texts[max(k for k in lower if k <= j and self.texts[k])] for j in lower}
        if any(has_role(cell, "axis", "time", "index") for cell in above.values()):
            return
        if not are_kinds(lower.values()):
            labels = are_labels(lower.values())
            heads = next(i for i, (part, _) in self.taken.items() if part == "headers")
            cells = [*self._grid.cells(heads), *[""] * self._width]
            n_species = len({*above.values()})
            is_repeated = len({cells[j] for j in above}) < n_species or all(cells[j] for j in above)
            if (
                is_repeated
                or n_species == len(above)
                or not all(_is_of_species(lower[j], cell, labels) for j, cell in above.items())
            ):
                return
        for j, cell in above.items():
            self.texts[j] = join_header(cell, lower[j])
        self._take(row, "kinds", "says of each column below a species what it is")

    def _take_names_below(self, below: Sequence[_Row], above: Sequence[_Row]) -> None:
        """Take a row below the heads that names their values, unless they are named better."""
        values = self.columns("value")
        candidates = values, self.columns("value", "text")
        row = next((row for row in below if row.filled and row.filled in candidates), None)
        if row is None or not names_axis(self.texts) or any(map(is_number, row.cells)):
            return
        texts = self._without_row_label(above[0].cells) if above else []
        has_better = self._are_names(texts) and all(map(names_species, filter(None, texts)))
        heads = [h.name if cell else "" for h, cell in zip(self.headers, row.cells, strict=True)]
        groups = [*filter(None, heads)]
        names = list(map(try_header, row.cells))
        species = {names[j].name for j in row.filled}
        # ``Cs+`` above several species is what all of them were measured with.
        is_common = len(groups) < len(row.filled) and not species <= LETTERS
        grouped = are_labels(groups) or not any(map(names_species, groups)) or is_common
        if has_better or (groups and not (grouped and all(map(is_only_species, species)))):
            return
        self.names = [h.name or cell for h, cell in zip(names, row.cells, strict=True)]
        for j, header in enumerate(names):
            if header.unit and self.units[j] is None:
                self.units[j], self._stating[j] = header.unit, row.place
        self._take(row, "names", "each of its cells is below the header of values")
        # The heads are of samples, or of groups: ``Wafer 7``, ``Dopants``.
        self.labels = heads if self._distinguishes_repeats(heads) else self.labels
        for j in row.filled:
            group = next((text for text in reversed(heads[: j + 1]) if text), "")
            if group and not any(self.labels):
                self.metadata.setdefault(j, {})["group"] = group
            self.headers[j] = replace(self.headers[j], role="value", name="")

    def _take_title(self, row: _Row) -> None:
        """Take a title of an implant, whose species is that of ``C`` and ``I`` below."""
        title, values = " ".join(row.texts), self.columns("value")
        species = re.split(r"[\s,;-]", title)[0]
        kinds = {unit_kind(self.units[j] or self.headers[j].unit or ""): j for j in values}
        # ``C (c/s)`` is carbon, and so is ``C`` next to ``N`` in one unit.
        if (
            is_only_species(species)
            and pattern("implant").search(title)
            and len(kinds) == len(values)
            and all(self.name(j) in (_RATES if k in _COUNTED else "CNcn") for k, j in kinds.items())
        ):
            self.names = [species if j in values else "" for j in range(self._width)]
            self._take(row, "names", "names the species that is implanted")
            self.notes += [row.place] if row.place < self._body.first else []

    def _take_names(self, row: _Row) -> None:
        """Take a row above the heads that names species."""
        cells = self._without_row_label(row.cells)
        if any(self.names) or not self._are_names(cells):
            return
        texts = [*filter(None, cells)]
        names = [self.headers[j].name for j in self.columns("value")]
        unnamed = not any(names) or are_labels(names)
        names = [] if unnamed else names
        if len(texts) == 1 and any(map(is_species, names)):
            # ``C`` is carbon below "W7, doped with B", and a concentration below "boron".
            if not is_only_species(try_header(texts[0]).name or texts[0]):
                return
            # Alone above headers that name species, ``W7`` is a wafer rather than tungsten.
            if not LETTERS.intersection(names) and _letters(texts[0]) not in map(_letters, names):
                return
        elif all(map(is_species, names)) and not all(map(names_species, texts)):
            return
        self.names = cells
        name, unit = "", None
        for j, cell in enumerate(cells):
            # A name, or one with its unit, above ``run 1 | run 2``: ``11B (at/cm3)``.
            header = try_header(cell)
            if cell or self.headers[j].role in ("axis", "time"):
                name, unit = (header.unit and header.name) or cell, header.unit
            below = self.headers[j].name
            words = self.texts[j] if unnamed else below and not is_species(below)
            self.names[j] = name if cell or words else ""
            if self.headers[j].role in ("value", "error") and unit and self.units[j] is None:
                self.units[j], self._stating[j] = unit, row.place
        self._take(row, "names", "names a species above each block of columns")

    def _without_row_label(self, cells: Sequence[str], role: str = "species") -> list[str]:
        """Leave out what a row of names says above the depths: ``Species | B | P``."""
        axes, labels = self.columns("axis", "time"), [without_label(cell, role) for cell in cells]
        return [
            "" if j in axes and (has_role(c, "axis", "time") or named_role(c, role)) else c
            # Above a first column without numbers stands what the row is called.
            for j, c in enumerate(labels if self.filled[0] else ["", *labels[1:]])
        ]

    def _are_names(self, cells: Sequence[str]) -> bool:
        """Whether a row above the heads names the species of blocks."""
        filled = [j for j, cell in enumerate(cells) if cell]
        texts = {cells[j] for j in filled}
        if not texts or any(":" in t or is_number(t) for t in texts) or are_labels(texts):
            return False
        # A note about the sample stands alone.
        if len(texts) == 1 and not all(map(names_species, texts)):
            return False
        axes = [j for j, header in enumerate(self.headers) if header.role in ("axis", "time")]
        values, errors = self.columns("value"), self.columns("error")
        if len(axes) == len(values) and filled == sorted([*axes, *values]):
            # A name above each column of a pair.
            return all(cells[a] == cells[v] for a, v in zip(axes, values, strict=True))
        if errors and {*filled} == {*values, *errors} - {*axes}:
            return True
        starts, step = len(_starts(axes)), len(values) // len(filled)
        labels, kinds = [self.headers[j].name for j in values], [self.texts[j] for j in values]
        # ``| B | | P |`` above ``z | Int. | Conc. | Int. | Conc.``
        grouped = filled == values[:: step or 1] and kinds == kinds[:step] * len(filled)
        grouped = grouped and starts == 1 and (not any(labels) or are_labels(labels))
        fits = grouped or len(filled) in (starts, len(values))
        return fits and ({*filled} <= {*axes} or {*filled} <= {*values})

    def _take_samples(self, row: _Row) -> None:
        """Take a row that distinguishes columns by samples."""
        cells = self._without_row_label(row.cells, "text")
        starts = _starts(self.columns("axis", "time"))
        if len(starts) == 1:
            cells[starts[0]] = ""  # what the row is called
        labels = [cells[j] for j in starts]
        distinguishes = len(starts) > 1 and all(labels) and len({*filter(None, cells)}) > 1
        if any(self.labels) or not (
            distinguishes or (len(starts) == 1 and self._distinguishes_repeats(cells))
        ):
            return
        self.labels = cells
        self._take(row, "samples", "distinguishes columns that are alike otherwise")

    def _distinguishes_repeats(self, cells: Sequence[str]) -> bool:
        """Whether labels distinguish species that repeat on depths that they share."""
        values, texts = self.columns("value"), {*filter(None, cells)}
        if not values or not cells[values[0]]:
            return False
        if any(has_role(c, "axis", "time", "value", "error") for c in texts):
            return False
        has_names = all(is_species(self.name(j)) for j in values)
        of_species = all(is_only_species(try_header(text).name or text) for text in texts)
        if of_species and not (are_labels(texts) or has_names):
            return False
        species = [(self.name(j), self.units[j] or self.headers[j].unit) for j in values]
        labels = [next(c for c in reversed(cells[: j + 1]) if c) for j in values]
        labelled = {*zip(species, labels, strict=True)}
        return len({*species}) < len(labelled) == len(species)

    def _take_common_unit(self, row: _Row) -> None:
        """Take a title that states the unit of all values to its right: ``Conc. (at/cm3)``."""
        values = self.columns("value", "error")
        values = [j for j in values if not (self.units[j] or self.headers[j].unit)]
        axes = self.columns("axis", "time")
        units: list[str | None] = []
        for j, cell in enumerate(row.cells):
            header = try_header(cell)
            if cell and j in axes and has_role(cell, "axis", "time"):
                units.append(None)
            elif not cell:
                units.append(units[-1] if units else None)
            elif header.role == "value" and header.explicit and not header.name:
                units.append(header.unit)
            else:
                return
        if not values or None in (units[j] for j in values):
            return
        for j in values:
            if not is_matrix_signal(self.name(j)):
                self.units[j] = units[j]
        self._take(row, "units", "states a unit of all values")

    def _agree_on_units(self) -> None:
        """Put the units of heads and rows together; two that differ are refused."""
        for j, header in enumerate(self.headers):
            # "Intensity" leaves the unit open.
            unit = header.unit if header.unit and unit_kind(header.unit) != "arbitrary" else None
            of_row = self.units[j]
            same_kind = unit and of_row and unit_kind(of_row) and unit_kind(unit)
            if same_kind and j in self._stating and not same_unit(unit or "", of_row or ""):
                where = self._grid.where(self._grid.number(self._stating[j]), j)
                raise UnitsError(
                    f"{where}: the unit {of_row!r} disagrees with {unit!r} of the header "
                    f"{self.texts[j]!r}; correct one of them",
                    code="different_units",
                )
            self.units[j] = unit or of_row or header.unit

    def _refuse_factors(self) -> None:
        """Refuse factors in units and in notes, which would be lost."""
        grid = self._grid
        factors = [
            (self._stating[j], j, unit)
            for j, unit in enumerate(self.units)
            if unit and j in self._stating and has_factor(unit)
        ]
        rows = [(i, grid.cells(i)) for i in (*self.notes, *self._body.below)]
        notes = [(i, j, cell) for i, cells in rows for j, cell in enumerate(cells)]
        notes += [(i, 0, " ".join(cells)) for i, cells in rows]
        errors = any(header.role == "error" for header in self.headers)
        for row, column, text in (*factors, *notes):
            where = f"{grid.where(grid.number(row), column)}: "
            if errors and _OF_ERRORS.search(text):
                advice = "convert them to standard errors in the unit of the values"
                message = f"{where}{text!r} is about errors; {advice}, and take it out"
                raise UnitsError(message, code="scaled_values")
            if (row, column, text) in factors or factor_in(text):
                refuse_factor(text, where)


#: ``Errors are 2 sigma``, ``Uncertainties: k = 2``, ``relative errors``, ``Fehler in %``.
_OF_ERRORS = re.compile(
    r"(?=.*(?:error|uncertaint|fehler|unsicherheit|incertitude))"
    r".*(?:[23]\s?(?:\u03c3|sigma|s\.?d)|k\s?=\s?[23]|%|per\s?cent|prozent|pourcent|relativ)",
    re.IGNORECASE,
)


def _counts_rows(column: Array) -> bool:
    """Whether numbers count rows, from 0 or 1."""
    return column[0] in (0, 1) and np.array_equal(column - column[0], np.arange(column.size))


def are_kinds(cells: Iterable[str]) -> bool:
    """Whether a row says of what kind values are, and nothing else: ``mean``, ``SD``, ``rate``."""
    headers = [try_header(cell) for cell in cells if cell]
    return bool(headers) and all(
        header.role in ("value", "error") and not (header.name or header.unit) for header in headers
    )


def _is_of_species(text: str, above: str, label: bool) -> bool:
    """Whether a header is no species, depth or unit itself, and stands below a species."""
    header = try_header(text)
    is_species_name = not label and names_species(header.name)
    is_other = header.unit or header.role in ("axis", "time", "unread") or is_species_name
    return not is_other and is_only_species(try_header(above).name)


def _plain_number(number: str) -> str:
    """Write a number with a point, an E and digits as most people do."""
    text = narrow(number).replace("D", "E")
    return text if "." in text else text.replace(",", ".")


def _letters(species: str) -> str:
    return "".join(filter(str.isalpha, species))


def _starts(axes: Sequence[int]) -> list[int]:
    """List the axes that begin a block: a time next to a depth begins none of its own."""
    return [j for j in axes if j - 1 not in axes]
