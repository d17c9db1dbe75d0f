"""Tables as laboratories write them: one depth column for all, or a pair of columns a species.

What the heads do not say the user must: nothing is taken for a depth, a unit or a species because
it looks like one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.errors import (
    ProfileWarning,
    ReadError,
    SimsError,
    SpeciesError,
    UnitsError,
    warn,
)
from sims_analysis.profiles.metadata import Metadata
from sims_analysis.readers.headings import (
    Head,
    is_unit_row,
    read_head,
    read_head_quietly,
    same_unit,
    says,
    unit_kind,
)
from sims_analysis.readers.numbers import column_name, is_number
from sims_analysis.readers.sheets import (
    Block,
    CellSheet,
    Sheet,
    TextSheet,
    refuse_odd_cells,
    text_sheet,
)
from sims_analysis.readers.signals import Array, Column, Content, Signal
from sims_analysis.readers.source import Options, Source
from sims_analysis.readers.workbook import chosen_sheet, is_workbook

__all__ = ["read", "read_sheet", "recognises"]


def recognises(source: Source) -> bool:
    """Take every text and workbook that no other format takes."""
    return is_workbook(source) or source.is_text


def read(source: Source) -> Content:
    """Read a table."""
    return read_sheet(the_sheet(source), source.options)


def the_sheet(source: Source) -> Sheet:
    """Find the rows of a file.

    Raises
    ------
    ReadError
        If there are no rows of numbers.
    """
    if is_workbook(source):
        return chosen_sheet(source)
    sheet = text_sheet(source.lines, source.options)
    if sheet is None:
        if not source.text.strip():
            raise ReadError("the file is empty")
        looks = [i for i, line in enumerate(source.lines) if re.match(r"[\s\"]*[-+.]?\d", line)]
        like = f"; line {looks[0] + 1} is {source.lines[looks[0]][:60].strip()!r}" if looks else ""
        rows = ((i + 1, _cells(source.lines[i])) for i in looks)
        refuse_odd_cells(
            rows, source.options, lambda row, j: f"line {row}, column {column_name(j)}"
        )
        raise ReadError(
            f"the file has no row of two numbers or more: a header without data, or no table{like}"
        )
    return sheet


def _cells(line: str) -> list[str]:
    return line.split(next((mark for mark in "\t;|," if mark in line), None))


def read_sheet(sheet: Sheet, options: Options) -> Content:
    """Read the profiles of a sheet.

    Raises
    ------
    ReadError, UnitsError, SpeciesError
        That name the cell, and what to pass.
    """
    others = ", ".join(map(repr, sheet.others)) if isinstance(sheet, CellSheet) else ""
    elsewhere = f"there are rows of numbers in {others} too: sheet= names the one to read"
    try:
        block = sheet.block
        layout = _Layout(sheet, block, options)
        if options.columns is not None:
            pairs = _stated_columns(layout, options.columns)
        else:
            pairs = layout.pairs()
    except SimsError as error:
        if others:
            error.args = (f"sheet {sheet.name!r}: {error}; {elsewhere}", *error.args[1:])
        raise
    if others:
        warn(f"read from sheet {sheet.name!r}; {elsewhere}", ProfileWarning)
    found = [_signal(sheet, block, layout, pair) for pair in pairs]
    signals = [signal for signal in found if signal is not None]
    for cells in sheet.notes:
        layout.note(cells)
    return Content(signals=signals, metadata=Metadata(other=layout.notes))


@dataclass
class _Pair:
    """Columns of one profile."""

    axis: int
    value: int
    name: str
    beside: dict[str, int] = field(default_factory=dict)
    error: int | None = None


class _Layout:
    """What the rows above the numbers say of each column."""

    def __init__(self, sheet: Sheet, block: Block, options: Options) -> None:
        self.options = options
        self.width = block.values.shape[1]
        missing = np.isnan(block.values)
        self.filled = [not missing[:, j].all() for j in range(self.width)]
        for _, column in block.limits:
            self.filled[column] = True
        #: Columns in which some cell holds no number.
        self.gaps = [bool(missing[:, j].any()) for j in range(self.width)]
        #: Heads that cannot be read, which matter if the user names their columns.
        self.unread: dict[int, UnitsError] = {}
        self.notes: dict[str, str] = {}
        self.heads = [Head("value", "", None, says=False)] * self.width
        self.names = [""] * self.width
        self.texts = [""] * self.width
        self.units: list[str | None] = [None] * self.width
        rows = list(sheet.heads)
        # Origin writes names, units, and below these comments.
        comments = rows.pop()[1] if rows and self._are_comments(rows) else []
        if rows and self._are_units(rows):
            self.units = [_bare(cell) or None for cell in self._fitted(rows.pop()[1])]
        labels = isinstance(sheet, CellSheet) and sheet.labelled and len(rows) == 1
        if rows and (labels or self._are_heads(rows[-1][1])):
            number, cells = rows.pop()
            self._refuse_few_heads(sheet, number, cells)
            self.texts = self._fitted(cells)
            filled = [*self.filled, *[False] * len(cells)]
            empty = [cell for cell, has in zip(cells, filled, strict=False) if cell and not has]
            if empty:
                warn(f"no numbers below {', '.join(map(repr, empty))}", ProfileWarning)
            self.heads = [self._head(sheet, number, j) for j in range(self.width)]
        for j, unit in enumerate(self.units):
            # Below names alone, the units tell depths from values.
            kind = unit_kind(unit) if unit and not self.texts[j] else None
            if kind in vocabulary.AXES:
                self.heads[j] = Head("axis" if kind == "depth" else "time", "", unit, says=True)
        if rows and not any(self.units) and is_unit_row(rows[-1][1]):
            self.units = [_bare(cell) or None for cell in self._fitted(rows.pop()[1])]
        if rows and self._are_names(rows[-1][1]):
            self.names = self._fitted(rows.pop()[1])
        elif not any(head.name for head in self.heads):
            self.names = self._fitted(comments)
        elif comments:
            self.note(comments)
        for j, head in enumerate(self.heads):
            self.units[j] = head.unit or self.units[j]
        for _, cells in rows:
            self.note(cells)
        self._mark_row_numbers(block)

    def _fitted(self, cells: Sequence[str]) -> list[str]:
        return [*cells, *[""] * self.width][: self.width]

    def _are_comments(self, rows: Sequence[tuple[int, list[str]]]) -> bool:
        """Whether the last row tells the values of heads above it: below units, or right below."""
        *above, cells = (row for _, row in rows[-3:])
        if not above or self._names_axis(cells) or self._are_units(rows):
            return False
        if any(map(is_number, cells)):
            return False
        if len(above) > 1 and is_unit_row(above[-1]):
            return self._names_axis(above[0])
        # Below heads that span several columns there is a name for each.
        heads = zip(self._fitted(above[-1]), self.filled, strict=True)
        values = [
            j for j, (head, filled) in enumerate(heads) if filled and not says(head, "axis", "time")
        ]
        return self._names_axis(above[-1]) and values == [j for j, c in enumerate(cells) if c]

    def _are_units(self, rows: Sequence[tuple[int, list[str]]]) -> bool:
        """Whether the last row holds units: of all columns, or of those whose head has none."""
        cells = rows[-1][1]
        if is_unit_row(cells):
            return True
        filled = [cell for cell in cells if cell]
        above = rows[-2][1] if len(rows) > 1 else []
        kinds = {unit_kind(_bare(cell)) for cell in filled}
        return self._names_axis(above) and kinds <= {*vocabulary.VALUE_KINDS}

    def _names_axis(self, cells: Sequence[str]) -> bool:
        return any(says(cell, "axis", "time") for cell in cells)

    def _refuse_few_heads(self, sheet: Sheet, number: int, cells: Sequence[str]) -> None:
        """Refuse commas that may be decimal marks beside those between the cells."""
        bare = isinstance(sheet, TextSheet) and sheet.delimiter == "," and not sheet.quoted
        heads = max(j for j, cell in enumerate(cells) if cell) + 1
        if bare and heads < self.width and self.options.columns is None and self._names_axis(cells):
            raise ReadError(
                f"line {number}: heads above {heads} of {self.width} columns; if commas are "
                "decimal marks too, nobody can tell which: save the table with semicolons or tabs, "
                'or say what the columns are by columns={"B": (axis, values)}'
            )

    def _are_heads(self, cells: list[str]) -> bool:
        """Whether a row tells the columns: one of them an axis, or a name for each."""
        filled = [cell for cell in cells if cell]
        if len(filled) < 2:
            return False
        roles = [read_head_quietly(cell) for cell in filled]
        if any(head and head.says and head.role != "value" for head in roles):
            return True
        words = not any(cell.endswith(":") or is_number(cell) for cell in filled)
        return words and len(filled) == sum(self.filled)

    def _are_names(self, cells: list[str]) -> bool:
        """Whether a row above the heads names the species of blocks."""
        filled = [j for j, cell in enumerate(cells) if cell]
        if not filled or filled[-1] >= self.width:
            return False
        axes = [j for j, head in enumerate(self.heads) if head.role in ("axis", "time")]
        values = [j for j, head in enumerate(self.heads) if head.role == "value" and self.filled[j]]
        if any(":" in cells[j] or is_number(cells[j]) for j in filled):
            return False
        if len(axes) == len(values) and filled == sorted([*axes, *values]):
            # A name above each column of a pair.
            return all(cells[a] == cells[v] for a, v in zip(axes, values, strict=True))
        return len(filled) in (len(axes), len(values)) and (
            set(filled) <= {*axes} or set(filled) <= {*values}
        )

    def _head(self, sheet: Sheet, row: int, column: int) -> Head:
        try:
            return read_head(self.texts[column])
        except UnitsError as error:
            self.unread[column] = UnitsError(f"{sheet.where(row, column)}: {error}")
            if self.options.columns is None:
                raise self.unread[column] from None
            return Head("value", self.texts[column], None, says=False)

    def _mark_row_numbers(self, block: Block) -> None:
        """Tell a column of row numbers without a head, as DataFrames write it, from values."""
        if self.texts[0] or not any(self.texts) or not self.filled[0]:
            return
        column = block.values[:, 0]
        if np.array_equal(column - column[0], np.arange(column.size)) and column[0] in (0, 1):
            self.heads[0] = Head("index", "", None, says=False)

    def note(self, cells: list[str]) -> None:
        """Keep a line that is no head: `key : value`, `key | value`, or free text."""
        filled = [cell for cell in cells if cell]
        text = " ".join(filled)
        key, mark, value = text.partition(":")
        if len(filled) == 2 and ":" not in filled[0]:
            key, mark, value = filled[0], ":", filled[1]
        if mark and key.strip() and value.strip():
            self.notes[key.strip()] = value.strip()
        else:
            self.notes[f"line {len(self.notes) + 1}"] = text

    # ---- columns

    def pairs(self) -> list[_Pair]:
        """Find the columns of each profile."""
        self._refuse_other_kinds()
        axes = [j for j in range(self.width) if self.heads[j].role in ("axis", "time")]
        axes = [j for j in axes if self.filled[j]]
        if not axes:
            axes = [self._silent_axis()]
        pairs: list[_Pair] = []
        axis = -1
        beside: dict[str, int] = {}
        if len(axes) == 2 and not any(
            self.heads[j].role == "value" for j in range(axes[1], self.width) if self.filled[j]
        ):
            # The second stands last, behind the values, and belongs to all of them.
            axis, beside = self._depth_beside_time(*axes)
            axes = []
        shared = {
            self.texts[j] or column_name(j): j
            for j in range(self.width)
            if self.heads[j].role in ("beside", "index") and self.filled[j]
        }
        for j in range(self.width):
            if not self.filled[j]:
                continue
            if j in axes:
                if axis >= 0 and j - 1 in axes and not any(p.axis == axis for p in pairs):
                    axis, beside = self._depth_beside_time(axis, j)
                else:
                    axis, beside = j, {}
            elif self.heads[j].role == "error" and pairs:
                self._add_error(pairs, j)
            elif self.heads[j].role == "value":
                if axis < 0:
                    axis = axes[0]
                # What belongs to all of them is kept once.
                columns = beside if pairs else {**shared, **beside}
                pairs.append(_Pair(axis, j, self._name(axis, j), columns))
        if not pairs:
            raise ReadError(
                f"no column holds values: the heads are {', '.join(filter(None, self.texts))!r}"
            )
        return pairs

    def _depth_beside_time(self, one: int, other: int) -> tuple[int, dict[str, int]]:
        """Take the depth for the axis, where there is a time too."""
        time, depth = sorted((one, other), key=lambda k: self.heads[k].role == "axis")
        if self.heads[time].role == self.heads[depth].role:
            raise ReadError(
                f"columns {column_name(one)} and {column_name(other)} are both "
                f"{'depths' if self.heads[one].role == 'axis' else 'times'}; say which "
                'belongs to what with columns={"B": (axis, values)}'
            )
        return depth, {"sputter_time": time}

    def _add_error(self, pairs: Sequence[_Pair], column: int) -> None:
        """Give a column of standard errors to the values of its species, in their unit."""
        head = self.heads[column]
        where = f"column {column_name(column)} ({self.texts[column]!r})"
        named = [p for p in pairs if p.name == head.name and p.error is None]
        pair = pairs[-1] if head.name in ("", pairs[-1].name) else None
        if pair is None and len(named) == 1:
            pair = named[0]
        if pair is None:
            raise ReadError(
                f"{where} holds errors of {head.name!r}, but stands beside {pairs[-1].name!r}"
            )
        unit, of_values = self.units[column], self.units[pair.value]
        if unit and of_values and not same_unit(unit, of_values):
            raise UnitsError(
                f"{where} holds errors in {unit!r} of values in {of_values!r}; give both in one "
                "unit"
            )
        pair.error = column

    def _refuse_other_kinds(self) -> None:
        filled = [j for j in range(self.width) if self.filled[j]]
        if any(self.heads[j].role in ("axis", "time") for j in filled):
            del filled[1:]
        kinds = {"mass": "a mass spectrum", "energy": "a spectrum or an energy scan"}
        for j in filled:
            head = self.heads[j]
            # ``mass 28`` is a signal.
            called = head.role == "mass" and re.search(r"\d", head.name)
            if head.role in kinds and not called:
                raise ReadError(
                    f"the file is {kinds[head.role]} (its column {self.texts[j]!r} says so), not a "
                    "depth profile"
                )

    def _silent_axis(self) -> int:
        """Find the axis where no head names one: the first column, if the user gives its unit."""
        candidates = [
            j for j in range(self.width) if self.filled[j] and self.heads[j].role == "value"
        ]
        for j in candidates:
            if self.units[j] and unit_kind(self.units[j] or "") in ("depth", "sputter_time"):
                return j
        if any(head.role == "index" for head in self.heads) or len(candidates) < 2:
            raise ReadError(
                "the table has neither a depth nor a time column; heads found: "
                f"{', '.join(map(repr, filter(None, self.texts))) or 'none'}. Name the columns by "
                'columns={"B": (axis, values)}'
            )
        if self.options.depth_units is None:
            raise UnitsError(
                "no head of the table names a depth or a time; if the first column holds the "
                'depths, pass depth_units=, such as "nm", "um" or "s"'
            )
        return candidates[0]

    def _name(self, axis: int, value: int) -> str:
        """Name the species of a column of values."""
        head = self.heads[value]
        above = self.names[value] or self.names[axis]
        if above and (not head.name or head.says or head.name in ("C", "I", "Y", "c", "i", "y")):
            return above
        return head.name or above or self.heads[axis].name


def _bare(cell: str) -> str:
    return cell[1:-1].strip() if cell[:1] in "([" and cell[-1:] in ")]" and cell else cell


def _stated_columns(
    layout: _Layout, columns: Mapping[str, tuple[int | str, int | str]]
) -> list[_Pair]:
    """Find the columns that the user names."""

    def place(name: int | str) -> int:
        if isinstance(name, int) and not isinstance(name, bool):
            if 0 <= name < layout.width:
                return name
            raise ReadError(f"columns=: there is no column {name}; the table has {layout.width}")
        found = [j for j, text in enumerate(layout.texts) if text == name]
        letters = [j for j in range(layout.width) if column_name(j) == name]
        if len(found or letters) == 1:
            return (found or letters)[0]
        heads = ", ".join(map(repr, filter(None, layout.texts))) or "none"
        raise ReadError(
            f"columns=: {name!r} is the head of {len(found)} columns; give the letter or the "
            f"number of a column, from 0. Heads: {heads}"
        )

    pairs = []
    for species, pair in columns.items():
        if not isinstance(pair, tuple | list) or len(pair) != 2:
            raise SpeciesError(f"columns=: {species!r} needs two columns, depths and values")
        pairs.append(_Pair(place(pair[0]), place(pair[1]), species))
    for column in (j for pair in pairs for j in (pair.axis, pair.value)):
        if column in layout.unread:
            raise layout.unread[column]
    return pairs


def _signal(sheet: Sheet, block: Block, layout: _Layout, pair: _Pair) -> Signal | None:
    """Take the samples of one profile out of the block."""
    x, y = block.values[:, pair.axis], block.values[:, pair.value]
    if layout.filled[pair.value] and not (layout.gaps[pair.axis] or block.limits):
        return _of_columns(block, layout, pair, x, y, slice(None))
    without_depth, without_value = np.isnan(x), np.isnan(y)
    limits = {row: limit for (row, column), limit in block.limits.items() if column == pair.value}
    for row, column in block.limits:
        if column == pair.axis:
            raise ReadError(f"{sheet.where(block.rows[row], column)}: a depth cannot be a limit")
    there = ~(without_depth & without_value)
    there[list(limits)] = True
    partly = not there.all()
    where = f"column {column_name(pair.value)}"
    if without_value.all() and not limits:
        warn(f"{where} ({layout.texts[pair.value]!r}) holds no number", ProfileWarning)
        return None
    lost = there & without_depth
    if lost.any():
        row = int(lost.argmax())
        raise ReadError(
            f"{sheet.where(block.rows[row], pair.axis)}: a value without a depth "
            f"({y[row] if row not in limits else f'<{limits[row]:g}'})"
        )
    if partly:
        x, y = x[there], y[there]
    signal = _of_columns(block, layout, pair, x, y, there)
    if limits:
        below = np.full(there.size, np.nan)
        below[list(limits)] = list(limits.values())
        signal.censor(below[there])
    return signal


def _of_columns(
    block: Block, layout: _Layout, pair: _Pair, x: Array, y: Array, there: np.ndarray | slice
) -> Signal:
    """Make a signal of its samples; `there` tells in which rows they stand."""
    return Signal(
        name=pair.name,
        depths=x,
        depth_units=layout.units[pair.axis],
        values=y,
        units=layout.units[pair.value],
        where=f"column {column_name(pair.value)}",
        stderr=None if pair.error is None else block.values[there, pair.error],
        beside={
            name: Column(block.values[there, j], layout.units[j]) for name, j in pair.beside.items()
        },
    )
