"""Workbooks: the sheets of .xlsx and .xls, and the one to read.

Spreadsheets claim a million rows for one empty cell with a border, and a library that builds what
they claim takes a minute and gigabytes for it. This reads cells with content alone, and of their
styles whether a number is shown in percent, or as a date.
"""

from __future__ import annotations

import datetime as dt
import importlib.util
import io
import re
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from sims_analysis.errors import ReadError
from sims_analysis.files import Budget
from sims_analysis.readers.source import Source, once_per_source
from sims_analysis.readers.tables.body import refuse_odd_rows
from sims_analysis.readers.tables.grid import Grid
from sims_analysis.readers.tables.header_cells import names_axis
from sims_analysis.readers.tables.words import named_role

#: Where the platform and service laboratories keep the profiles.
_PREFERRED = "processed data"
#: Memory in bytes of a cell of an .xls.
_CELL = 40


@once_per_source
def all_sheets(source: Source) -> list[Grid]:
    """Return the sheets of a workbook."""
    if not source.is_zip and importlib.util.find_spec("xlrd") is None:
        raise ModuleNotFoundError(
            '.xls needs xlrd: pip install "sims-analysis[excel]"', name="xlrd"
        )
    try:
        read = read_xlsx if source.is_zip else read_xls
        return [_grid(cells, source) for cells in read(source.content, source.options.budget)]
    except ReadError:
        raise
    # What a damaged file makes these raise is not documented.
    except Exception as error:
        reason = str(error) or type(error).__name__
        raise ReadError(f"the workbook cannot be read: {reason}") from error


def _grid(cells: Cells, source: Source) -> Grid:
    """Leave out the rows and columns in which there is nothing."""
    numbers = sorted(cells.rows)
    columns = sorted({j for row in cells.rows.values() for j in row})
    place = {column: j for j, column in enumerate(columns)}
    rows: list[list[object]] = []
    for number in numbers:
        row = cells.rows[number]
        width = place[max(row)] + 1
        source.options.budget.take(8 * width, f"sheet {cells.name!r}")
        values: list[object] = [None] * width
        for column, value in row.items():
            values[place[column]] = value
        rows.append(values)
    spans: dict[int, list[tuple[int, int]]] = {}
    for top, left, _, right in cells.spans:
        # A header that is merged over columns is that of each.
        if left < right and left in place and top in cells.rows:
            spans.setdefault(top + 1, []).append((place[left], bisect_right(columns, right) - 1))
    return Grid(
        rows,
        source.options,
        name=cells.name,
        numbers=[number + 1 for number in numbers],
        columns=columns,
        hidden=cells.hidden,
        spans=spans,
        merged=cells.spans,
    )


def read_xls(content: bytes, budget: Budget) -> list[Cells]:
    """Read the sheets one by one: each has 65,536 rows of 256 cells at most."""
    import xlrd

    book: Any = xlrd.open_workbook(
        file_contents=content,
        logfile=io.StringIO(),
        formatting_info=True,
        on_demand=True,
        ragged_rows=True,
    )
    sheets = []
    for number in range(book.nsheets):
        sheet = book.sheet_by_index(number)
        budget.take(sum(map(sheet.row_len, range(sheet.nrows))) * _CELL, f"sheet {sheet.name!r}")
        found = Cells(sheet.name, sheet.visibility != 0)
        for i in range(sheet.nrows):
            row = {j: _xls_cell(cell, book) for j, cell in enumerate(sheet.row(i))}
            if filled := {j: v for j, v in row.items() if v is not None and str(v).strip()}:
                found.rows[i] = filled
        found.spans = [
            (top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells
        ]
        sheets.append(found)
        book.unload_sheet(number)
    return sheets


def _xls_cell(cell: Any, book: Any) -> object:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        date = xlrd.xldate_as_datetime(cell.value, book.datemode)
        return date.time() if 0 <= cell.value < 1 else date
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return None
    shown = book.format_map.get(book.xf_list[cell.xf_index].format_key)
    percent = shown is not None and "%" in shown.format_str
    return as_percent(cell.value) if percent and cell.ctype == xlrd.XL_CELL_NUMBER else cell.value


def holds_numbers(sheet: Grid) -> bool:
    """Whether a sheet has rows of numbers, or of numbers next to words below headers."""
    return sheet.start is not None


def _holds_profile(sheet: Grid) -> bool:
    """Whether a row above the numbers names depths or times, and rows are no list of results."""
    first = sheet.start.row if sheet.start and sheet.start.count else 0
    above = [sheet.cells(i) for i in range(first)]
    heads = next((cells for cells in reversed(above) if names_axis(cells)), [])
    species = next((j for j, cell in enumerate(heads) if named_role(cell, "species")), None)
    if species is None:
        return bool(heads)
    rows = (sheet.cells(i) for i in range(first, len(sheet)))
    names = [cells[species] for cells in rows if len(cells) > species and cells[species]]
    # Of a list of results each species has one row.
    return len({*names}) < len(names)


def chosen_sheet(source: Source) -> Grid:
    """Choose the sheet that the user names, "Processed data", or the first with numbers."""
    candidates = candidate_sheets(source)
    if len(candidates) == 1:
        return candidates[0]
    holding = list(filter(holds_numbers, candidates))
    holding = [s for s in holding if s.start and s.start.count] or holding
    if holding:
        chosen = next(filter(_holds_profile, holding), holding[0])
        others = [sheet for sheet in holding if sheet is not chosen and not sheet.hidden]
        chosen.others = [str(sheet.name) for sheet in others]
        return chosen
    for sheet in candidates:
        refuse_odd_rows(sheet)
    names = ", ".join(repr(sheet.name) for sheet in candidates)
    raise ReadError(f"no sheet of the workbook has a row of two numbers or more: {names}")


def candidate_sheets(source: Source) -> list[Grid]:
    """Return the sheet that the user names, "Processed data", or all of them, hidden ones last."""
    found, requested = all_sheets(source), source.options.sheet
    if requested is not None:
        number = isinstance(requested, int) and not isinstance(requested, bool)
        for n, sheet in enumerate(found):
            if requested == (n if number else sheet.name):
                return [sheet]
        # To be shown, where the requested one is not there.
        source.trace.grid = next(filter(holds_numbers, found), None)
        names = ", ".join(repr(sheet.name) for sheet in found)
        raise ReadError(
            f"sheet={requested!r} is not in the workbook; it has {len(found)}, from 0: {names}",
            argument="sheet",
        )
    for sheet in found:
        if str(sheet.name).strip().casefold() == _PREFERRED and len(sheet):
            return [sheet]
    # Old versions and half-done sums are hidden: they are rarely the ones wanted.
    return sorted(found, key=lambda sheet: sheet.hidden)


#: First row, first column, last row and last column of cells that are merged, from 0.
Span = tuple[int, int, int, int]

_REFERENCE = re.compile(r"([A-Z]{1,3})(\d+)")
#: Built-in formats of dates and times, and of parts of a hundred.
_DATES, _PERCENTS = frozenset((*range(14, 23), *range(45, 48))), frozenset((9, 10))
#: What in a format of numbers is text, a colour or a condition.
_QUOTED = re.compile(r'"[^"]*"|\\.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|_.|\*.', re.IGNORECASE)
_DAY_ONE = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no time zone
_MAC_DAYS = 1462
_PIECE = 1 << 20
#: Each of these marks in XML makes an object: a tag, an attribute, a part of a text.
_MARKS = (b"<", b"=", b"&", b"\n")


@dataclass
class Cells:
    """The cells of a sheet that hold something."""

    name: str
    hidden: bool = False
    #: ``{row: {column: value}}``, from 0: numbers, texts, truths and dates.
    rows: dict[int, dict[int, object]] = field(default_factory=dict)
    #: Cells that are merged.
    spans: list[Span] = field(default_factory=list)


def read_xlsx(content: bytes, budget: Budget) -> list[Cells]:
    """Read all sheets of a workbook; a damaged one raises errors of `zipfile` and the parser."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:

        def parsed(path: str, tree: _Tree, what: str = "") -> ET.Element:
            parser = ET.XMLParser(target=tree)  # noqa: S314 - neither entities nor size do harm
            with archive.open(path) as stream:
                while piece := stream.read(_PIECE):
                    marks = sum(map(piece.count, _MARKS))
                    budget.take(len(piece) + tree.cost * marks, what or f"its part {path!r}")
                    parser.feed(piece)
            root: ET.Element = parser.close()
            return root

        relations = {}
        for relation in parsed("xl/_rels/workbook.xml.rels", _Tree()):
            target = relation.get("Target", "")
            path = target[1:] if target.startswith("/") else f"xl/{target}"
            relations[relation.get("Id")] = relation.get("Type", "").rpartition("/")[2], path
        # Of texts and styles there may be none.
        parts = {kind: path for kind, path in relations.values() if path in archive.namelist()}
        strings, styles = (
            list(parsed(parts[kind], _Tree())) if kind in parts else []
            for kind in ("sharedStrings", "styles")
        )
        book = parsed("xl/workbook.xml", _Tree())
        since_1904 = any(e.get("date1904") in ("1", "true") for e in book.iter("workbookPr"))
        first_day = _DAY_ONE + dt.timedelta(days=_MAC_DAYS if since_1904 else 0)
        look = _Look(list(map(_string, strings)), _styles(styles), first_day, budget)
        sheets = []
        for sheet in book.iter("sheet"):
            relation_id = next((v for k, v in sheet.items() if k.endswith("}id")), None)
            kind, path = relations.get(relation_id, ("", ""))
            if kind == "worksheet":
                cells = Cells(sheet.get("name", ""), sheet.get("state", "visible") != "visible")
                parsed(path, _Sheet(cells, look), f"sheet {cells.name!r}")
                sheets.append(cells)
        return sheets


class _Tree(ET.TreeBuilder):
    """The elements of a part, by their names in whichever of the two name spaces."""

    #: Memory in bytes of an object.
    cost = 130

    def start(self, tag: str, attrs: dict[Any, Any]) -> ET.Element:
        return super().start(tag.rpartition("}")[2], attrs)

    def doctype(self, *_: object) -> None:
        """Refuse what no spreadsheet defines, and by what small files grow."""
        raise ValueError("a part of it defines entities")


class _Sheet(_Tree):
    """The elements of a sheet; its rows are taken, and forgotten, one by one."""

    cost = 64

    def __init__(self, cells: Cells, look: _Look) -> None:
        super().__init__()
        self.cells, self.look, self.row = cells, look, -1

    def end(self, tag: str) -> ET.Element:
        element = super().end(tag)
        if element.tag == "row":
            self._take(element)
            element.clear()
        ends = _REFERENCE.findall(element.get("ref", "")) if element.tag == "mergeCell" else []
        if len(ends) == 2:
            (left, top), (right, bottom) = ends
            span = (int(top) - 1, _column(left), int(bottom) - 1, _column(right))
            self.cells.spans.append(span)
        return element

    def _take(self, row: ET.Element) -> None:
        self.row, column = int(row.get("r", self.row + 2)) - 1, -1
        for cell in row:
            place = cell.get("r")
            column = _column(place) if place else column + 1
            value = self.look.value(cell, f"sheet {self.cells.name!r}")
            if value is not None:
                self.cells.rows.setdefault(self.row, {})[column] = value


@dataclass(frozen=True)
class _Look:
    """How cells look: shared texts, styles, and the day from which dates are counted."""

    strings: Sequence[str]
    styles: Sequence[str]
    first_day: dt.datetime
    budget: Budget

    def value(self, cell: ET.Element, where: str) -> object:
        kind = cell.get("t", "n")
        inline = cell.find("is")
        text = cell.findtext("v", "") if inline is None else _string(inline)
        if kind == "s":
            text = self.strings[int(text)] if text else ""
            # Shared, until something is made of it for each cell.
            self.budget.take(len(text), where)
        elif text and kind == "n":
            return self._number(float(text), cell.get("s", ""))
        elif text and kind == "b":
            return text == "1"
        formula = cell.findtext("f")
        if formula is not None and not text:
            # Without its value such a cell would look empty: it shows its formula instead.
            return f"={formula}"
        return text if text.strip() else None

    def _number(self, value: float, style: str) -> object:
        shown = self.styles[int(style)] if style and self.styles else ""
        if shown == "percent":
            return as_percent(value)
        if shown == "date":
            try:
                # To the millisecond, which is as exactly as days are kept.
                date = self.first_day + dt.timedelta(milliseconds=round(value * 86_400_000))
                return date.time() if 0 <= value < 1 else date
            except OverflowError:
                return "#VALUE!"
        return value


def _string(item: ET.Element) -> str:
    """Return a text, of several parts if it is set in several ways; readings are no part of it."""
    own = item.text or "" if item.tag == "t" else ""
    return own + "".join(_string(child) for child in item if child.tag in ("t", "r"))


def _styles(root: Iterable[ET.Element]) -> list[str]:
    """Say of each style how it shows numbers: ``"percent"``, ``"date"``, or empty."""
    parts = {part.tag: part for part in root}
    codes = {int(e.get("numFmtId", 0)): e.get("formatCode", "") for e in parts.get("numFmts", ())}
    styles = []
    for style in parts.get("cellXfs", ()):
        number = int(style.get("numFmtId", 0))
        code = _QUOTED.sub("", codes.get(number, ""))
        if number in _PERCENTS or "%" in code:
            styles.append("percent")
        elif number in _DATES or (code != "General" and re.search("[dmyhs]", code.casefold())):
            styles.append("date")
        else:
            styles.append("")
    return styles


def as_percent(value: float) -> str:
    """Return a number as a text in percent, as a spreadsheet shows it."""
    return f"{100 * value:.15g}%"


def _column(reference: str) -> int:
    """Return the place of a column, from 0."""
    place = 0
    for letter in reference:
        if not letter.isalpha():
            break
        place = 26 * place + ord(letter) - 64
    return place - 1
