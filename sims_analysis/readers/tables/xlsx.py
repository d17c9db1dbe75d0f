"""The cells of an .xlsx, read as a stream: what has no content costs nothing.

Spreadsheets that people have edited claim a million rows or sixteen thousand columns for one empty
cell with a border, and a library that builds what they claim takes a minute and gigabytes for it.
This reads cells with content alone, and of their styles what decides about a number: whether it is
shown in percent, or as a date.
"""

from __future__ import annotations

import datetime as dt
import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree import ElementTree as ET

from sims_analysis.files import Budget

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
