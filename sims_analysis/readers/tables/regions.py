"""Where tables are: in which sheet, between which delimiters, below each other, next to remarks.

Spreadsheets claim a million rows for one empty cell with a border, and a library that builds what
they claim takes a minute and gigabytes for it. Here cells with content alone are read, and of their
styles whether a number is shown in percent, or as a date.
"""

from __future__ import annotations

import csv
import datetime as dt
import importlib.util
import io
import re
import zipfile
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree as ET

from sims_analysis.errors import ReadError
from sims_analysis.files import Budget
from sims_analysis.readers.source import Options, Source, once_per_source
from sims_analysis.readers.tables.body import refuse_odd_rows
from sims_analysis.readers.tables.grid import Grid, TextGrid
from sims_analysis.readers.tables.header_cells import (
    holds_words,
    named_role,
    names_axis,
    try_header,
)
from sims_analysis.readers.tables.numbers import is_number
from sims_analysis.readers.tables.row_kinds import RowKind, is_not_measured, is_odd, is_transposed

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
        cells = Cells(sheet.name, sheet.visibility != 0)
        for i in range(sheet.nrows):
            row = {j: _xls_cell(cell, book) for j, cell in enumerate(sheet.row(i))}
            if filled := {j: v for j, v in row.items() if v is not None and str(v).strip()}:
                cells.rows[i] = filled
        cells.spans = [
            (top, left, bottom - 1, right - 1) for top, bottom, left, right in sheet.merged_cells
        ]
        sheets.append(cells)
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
    style = book.format_map.get(book.xf_list[cell.xf_index].format_key)
    percent = style is not None and "%" in style.format_str
    return as_percent(cell.value) if percent and cell.ctype == xlrd.XL_CELL_NUMBER else cell.value


def _holds_profile(sheet: Grid) -> bool:
    """Whether a row above the numbers names depths or times, and rows are no list of results."""
    first = sheet.start.row if sheet.start and sheet.start.count else 0
    above = [sheet.cells(i) for i in range(first)]
    heads = next((cells for cells in reversed(above) if names_axis(cells)), [])
    label = next((j for j, cell in enumerate(heads) if named_role(cell, "species", "text")), None)
    if label is None:
        return bool(heads)
    rows = (sheet.cells(i) for i in range(first, len(sheet)))
    names = [cells[label] for cells in rows if len(cells) > label and cells[label]]
    # Of a list of results each species, or sample, has one row.
    return len({*names}) < len(names)


def chosen_sheet(source: Source) -> Grid:
    """Choose the sheet that the user names, "Processed data", or the first with numbers."""
    candidates = candidate_sheets(source)
    if len(candidates) == 1:
        return candidates[0]
    with_numbers = [sheet for sheet in candidates if sheet.start]
    with_numbers = [s for s in with_numbers if s.start and s.start.count] or with_numbers
    if with_numbers:
        selected = next(filter(_holds_profile, with_numbers), with_numbers[0])
        remaining = [sheet for sheet in with_numbers if sheet is not selected and not sheet.hidden]
        selected.other_sheets = [str(sheet.name) for sheet in remaining]
        return selected
    for sheet in candidates:
        refuse_odd_rows(sheet)
    names = ", ".join(repr(sheet.name) for sheet in candidates)
    text = f"no sheet of the workbook has a row of two numbers or more: {names}"
    raise ReadError(text, code="no_profile")


def is_preferred(sheet: Grid) -> bool:
    """Whether the name of a sheet says that it holds the profiles."""
    return str(sheet.name).strip().casefold() == _PREFERRED


def candidate_sheets(source: Source) -> list[Grid]:
    """Return the sheet that the user names, "Processed data", or all of them, hidden ones last."""
    sheets, requested = all_sheets(source), source.options.sheet
    if requested is not None:
        number = isinstance(requested, int) and not isinstance(requested, bool)
        for n, sheet in enumerate(sheets):
            if requested == (n if number else sheet.name):
                return [sheet]
        # To be shown, where the requested one is not there.
        source.trace.grid = next((sheet for sheet in sheets if sheet.start), None)
        names = ", ".join(repr(sheet.name) for sheet in sheets)
        raise ReadError(
            f"sheet={requested!r} is not in the workbook; it has {len(sheets)}, from 0: {names}",
            argument="sheet",
        )
    for sheet in sheets:
        if is_preferred(sheet) and len(sheet):
            return [sheet]
    # Old versions and half-done sums are hidden: they are rarely the ones wanted.
    return sorted(sheets, key=lambda sheet: sheet.hidden)


#: First row, first column, last row and last column of cells that are merged, from 0.
Span = tuple[int, int, int, int]

_REFERENCE = re.compile(r"([A-Z]{1,3})(\d+)")
#: Built-in formats of dates and times, and of parts of a hundred.
_DATES, _PERCENTS = frozenset((*range(14, 23), *range(45, 48))), frozenset((9, 10))
#: What in a format of numbers is text, a colour or a condition.
_QUOTED = re.compile(r'"[^"]*"|\\.|\[(?!h+\]|m+\]|s+\])[^\]]*\]|_.|\*.', re.IGNORECASE)
_DAY_ONE = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet knows no time zone
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
        days = 1462 * any(e.get("date1904") in ("1", "true") for e in book.iter("workbookPr"))
        cell_style = _CellStyle(list(map(_string, strings)), _styles(styles), days, budget)
        sheets = []
        for sheet in book.iter("sheet"):
            relation_id = next((v for k, v in sheet.items() if k.endswith("}id")), None)
            kind, path = relations.get(relation_id, ("", ""))
            if kind == "worksheet":
                cells = Cells(sheet.get("name", ""), sheet.get("state", "visible") != "visible")
                parsed(path, _Sheet(cells, cell_style), f"sheet {cells.name!r}")
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

    def __init__(self, cells: Cells, cell_style: _CellStyle) -> None:
        super().__init__()
        self.cells, self.cell_style, self.row = cells, cell_style, -1

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
            value = self.cell_style.value(cell, f"sheet {self.cells.name!r}")
            if value is not None:
                self.cells.rows.setdefault(self.row, {})[column] = value


@dataclass(frozen=True)
class _CellStyle:
    """How cells look: shared texts, styles, and days from 1900 to where dates are counted from."""

    strings: Sequence[str]
    styles: Sequence[str]
    days: int
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
        style_name = self.styles[int(style)] if style and self.styles else ""
        if style_name == "percent":
            return as_percent(value)
        if style_name == "date":
            try:
                # To the millisecond, which is as exactly as days are kept.
                date = _DAY_ONE + dt.timedelta(self.days, milliseconds=round(value * 86_400_000))
                return date.time() if 0 <= value < 1 else date
            except OverflowError:
                return "#VALUE!"
        return value


def _string(item: ET.Element) -> str:
    """Return a text, of several parts if it is set in several ways; readings are no part of it."""
    parts = item.text or "" if item.tag == "t" else ""
    return parts + "".join(_string(child) for child in item if child.tag in ("t", "r"))


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


_QUOTED_ROWS = 200  # lines that show whether cells stand in quotes
_NOTE_ROWS = 60  # in which notes next to the numbers begin
BLOCK_ROWS = 3  # that a block below another has at least
_TRANSPOSED_SIZE = 2000  # rows and columns at most of a table whose rows are read as columns
#: Delimiters in the order in which they are preferred where several explain a text.
_DELIMITERS = ("\t", ";", ",", "|", None)


def text_grid(source: Source) -> Grid | None:
    """Find the cells of a text; ``None`` if no lines hold numbers next to each other."""
    grid = grid_of_lines(source.lines, source.options, source.text)
    open_lines = sum(line.count('"') % 2 for line in grid.lines) if grid and grid.quoted else 0
    if grid and open_lines > 1:
        # A cell holds the end of a line; one that is open at the end was cut off.
        lines = (f"{line}\n" for line in source.lines)
        rows = csv.reader(lines, delimiter=grid.delimiter or ",")
        cells: list[list[object]] = [[cell.strip() or None for cell in row] for row in rows]
        return Grid([row for row in cells if any(row)], source.options)
    return grid


def grid_of_lines(
    lines: Sequence[str], options: Options, text: str | None = None
) -> TextGrid | None:
    """Choose the delimiter that makes the first rows of numbers; ``None`` if none does."""
    best: TextGrid | None = None
    best_score = 0
    for delimiter in _DELIMITERS:
        # Blanks would stand within words.
        readable = text is None or delimiter is None or delimiter in text
        if not readable or (delimiter is None and best_score >= _WORDED):
            continue
        quoted = delimiter is not None and any('"' in line for line in lines[:_QUOTED_ROWS])
        grid = TextGrid(lines, options, delimiter=delimiter, quoted=quoted, text=text)
        score = _score(grid)
        if score > best_score:
            best, best_score = grid, score
        if best_score == _NUMBERS:
            break
    return best


#: How much what stands between the delimiters looks like a table. Whole rows of numbers below each
#: other say more than what decimal commas take apart.
_BELOW, _ONE, _COMMAS, _TRANSPOSED, _WORDED, _NUMBERS = range(1, 7)


def _score(grid: TextGrid) -> int:
    """Rate the rows that a delimiter makes: of numbers, of numbers next to words, or one alone."""
    start, stated = grid.start, grid.options.columns is not None
    count = start.count if start else 0
    if start and count > 1:
        if grid.kind(start.row) is RowKind.NUMBERS:
            return _NUMBERS
        return _COMMAS if grid.delimiter == "," else _WORDED
    if grid.delimiter is None:
        return _ONE if count else 0
    if not stated and transposed_rows(grid):
        return _TRANSPOSED
    return (_ONE if count else _BELOW) if start else 0


def transposed_rows(grid: Grid) -> list[int]:
    """Return the rows that are what columns usually are; none if the table is as others are."""
    if len(grid) > _TRANSPOSED_SIZE or (grid.start and grid.start.count):
        return []
    rows = [i for i in range(len(grid)) if len([*filter(None, grid.cells(i))]) > 2]
    between = {*range(rows[0], rows[-1])} - {*rows} if rows else ()
    is_table = all(grid.kind(i) is RowKind.BLANK for i in between)
    no_value = grid.options.not_measured
    return rows if is_table and is_transposed([grid.cells(i) for i in rows], no_value) else []


#: A letter that numbers do not hold.
_LETTER = re.compile("[A-DF-Za-df-z]")


def tables_in(grid: Grid) -> list[Grid]:
    """Split a grid where other heads stand below rows of numbers; each with numbers of its own."""
    if grid.options.states_columns:
        return [grid]
    starts, heads, counts, min_rows = [0], list[int](), [0], BLOCK_ROWS
    last, seen_heads, words = -1, set[tuple[str, ...]](), dict[int, bool]()
    for i, is_plain in enumerate(grid.begin_like_numbers()):
        if is_plain and counts[-1] >= min_rows:
            last = i
            continue
        kind, cells = grid.kind(i, words), tuple(grid.cells(i))
        if kind is RowKind.NUMBERS:
            last = i
            counts[-1] += 1
        elif kind in (RowKind.HEADERS, RowKind.UNITS) and len([*filter(None, cells)]) > 1:
            # Repeated below one row of numbers, they would be taken for the first.
            is_repeat = cells in seen_heads and counts[-1] != 1
            if is_repeat or any(map(is_number, cells)) or not _numbers_below(grid, i, words):
                continue
            if not seen_heads:
                counts[-1] = 0  # those above it are labels
            elif counts[-1]:
                starts, counts, seen_heads = [*starts, last + 1], [*counts, 0], set()
                heads.append(i)
            seen_heads.add(cells)
            words = grid.words_below(i, words)
    if len(starts) > 1 and min(counts) < min_rows:
        row = heads[0]
        raise ReadError(
            f"{grid.row_word} {grid.number(row)}: {' '.join(grid.cells(row))!r} is the header of "
            f"another table, of few rows: {min(counts)}",
            code="several_tables",
            remedy="put it into a file or a sheet of its own",
        )
    if len(starts) == 1:
        return [grid]
    # They are what distinguishes samples.
    every_row = replace(grid, options=replace(grid.options, samples=None))
    return [every_row.part(start, stop) for start, stop in pairwise([*starts, len(grid)])]


def _numbers_below(grid: Grid, row: int, words: Mapping[int, bool]) -> bool:
    """Whether two numbers stand below a row of heads, with nothing but units and words between."""
    row_kinds = (RowKind.NUMBERS, RowKind.MIXED, RowKind.HEADERS)
    words = grid.words_below(row, words)
    below = (i for i in range(row + 1, len(grid)) if grid.kind(i, words) in row_kinds)
    head = next(below, None)
    numbers = sum(map(is_number, [] if head is None else grid.cells(head)))
    return numbers > 1 and head is not None and grid.kind(head, words) is RowKind.NUMBERS


def without_side_notes(grid: Grid) -> Grid:
    """Cut off columns to the right with words next to rows of numbers, and keep them as notes."""
    if grid.options.states_columns or (isinstance(grid, TextGrid) and grid.delimiter is None):
        return grid
    top = range(min(len(grid), _NOTE_ROWS))
    mixed_rows = [i for i in top if _has_words(grid, i) and grid.kind(i) is RowKind.MIXED]
    words = {i: j for i in mixed_rows if (j := _first_word(grid.cells(i)))}
    if not words:
        return grid
    rows = [i for i in top if not grid.is_comment(i)]
    first = min([*words, *([grid.start.row] if grid.start and grid.start.count else [])])
    word = min(words.values())
    above = [grid.cells(i) for i in range(first)]
    lines = [cells for i in rows if i >= first and any(cells := grid.cells(i))]
    cut = next((j for j in range(word, 1, -1) if _gap_before(grid, rows, j)), None)
    if cut is None and above and not any(any(cells[word:]) for cells in above):
        # Next to a column of words, it is rather the last cell of a row with one too many.
        remarks = any(named_role(cell, "text") for cells in above for cell in cells[word - 1 :])
        cut = None if remarks else word
    if cut is None or _are_columns(above, lines, word, cut):
        return grid
    notes = (grid.cells(i)[cut:] for i in range(len(grid)))
    return grid.select(range(cut), notes=[cells for cells in notes if any(cells)])


def _has_words(grid: Grid, row: int) -> bool:
    """Whether a row holds letters that are in no number."""
    if isinstance(grid, TextGrid):
        line = grid.lines[row]
        return not line.isascii() or _LETTER.search(line) is not None
    return any(isinstance(cell, str) for cell in grid.rows[row])


def _first_word(cells: list[str]) -> int | None:
    """Return the first column, behind two numbers, that holds a word; None if the row has none."""
    for j, cell in enumerate(cells):
        if cell and not is_number(cell) and not is_not_measured(cell, ()):
            numbers = sum(map(is_number, cells[:j]))
            return j if numbers > 1 and not is_odd(cell) else None
    return None


def _gap_before(grid: Grid, rows: Sequence[int], column: int) -> bool:
    """Whether an empty column stands left of a column."""
    has_gap = grid.column(column) - grid.column(column - 1) > 1
    return has_gap or not any(any(grid.cells(i)[column - 1 : column]) for i in rows)


def _are_columns(
    above: Sequence[list[str]], lines: Sequence[list[str]], word: int, cut: int
) -> bool:
    """Whether what stands to the right are columns of the table: of remarks, or another axis."""
    end = not any(any(cells[word + 1 :]) for cells in lines)
    heads = [cell for cells in above for cell in cells[word : word + 1] if cell]
    if any(named_role(cell, "text") or (end and holds_words(try_header(cell))) for cell in heads):
        return True
    in_most = 2 * sum(any(cells[cut:]) for cells in lines) > len(lines)
    return in_most and any(names_axis(cells[cut:]) for cells in above)
