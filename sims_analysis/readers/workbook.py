"""Workbooks: the sheets of .xlsx by openpyxl, of .xls by xlrd."""

from __future__ import annotations

import importlib.util
import io
import re
import zipfile
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

from sims_analysis.errors import ReadError
from sims_analysis.readers.sheets import CellSheet
from sims_analysis.readers.source import Source

__all__ = ["all_sheets", "candidate_sheets", "chosen_sheet", "is_workbook", "zipped_names"]

#: Of a zip file with this in it, and of the older compound files.
_XLSX, _XLS = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
#: Where the platform and service laboratories keep the profiles.
_OPEN_FORMULA = re.compile(rb"</f>\s*(?:<v\s*/>|<v></v>)?\s*</c>")
_PREFERRED = "processed data"

#: Name, cells, and whether the sheet is hidden.
_Rows = tuple[str, list[list[object]], bool]


def is_workbook(source: Source) -> bool:
    """Whether a file is a workbook, by its first bytes."""
    if source.content.startswith(_XLSX):
        return b"xl/workbook.xml" in (zipped_names(source.content) or source.content)
    return source.content.startswith(_XLS)


def zipped_names(content: bytes) -> list[bytes]:
    """List what is in a zip file; nothing if it is damaged."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [name.encode() for name in archive.namelist()]
    except (zipfile.BadZipFile, ValueError, OSError):
        return []


@lru_cache(maxsize=1)
def all_sheets(source: Source) -> list[CellSheet]:
    """Give the sheets of a workbook.

    Raises
    ------
    ModuleNotFoundError
        If the package that reads it is not installed.
    ReadError
        If it is damaged or encrypted.
    """
    xlsx = source.content.startswith(_XLSX)
    package = "openpyxl" if xlsx else "xlrd"
    if importlib.util.find_spec(package) is None:
        kind = ".xlsx" if xlsx else ".xls"
        raise ModuleNotFoundError(
            f'{kind} needs {package}: pip install "sims-analysis[excel]"', name=package
        )
    try:
        found = _xlsx(source.content) if xlsx else _xls(source.content)
    # What a damaged file makes these raise is not documented.
    except Exception as error:  # noqa: BLE001
        reason = str(error) or type(error).__name__
        raise ReadError(f"the workbook cannot be read: {reason}") from None
    return [CellSheet(name, cells, source.options, hidden=hidden) for name, cells, hidden in found]


def _xlsx(content: bytes) -> list[_Rows]:
    import openpyxl

    bare, formats = _bare(content)
    book: Any = openpyxl.load_workbook(io.BytesIO(bare), data_only=True)
    found = [
        (
            sheet.title,
            [list(row) for row in _rows(sheet, formats, book.epoch)],
            sheet.sheet_state != "visible",
        )
        for sheet in book.worksheets
    ]
    if _has_open_formulas(content):
        # Without their values such cells would look empty: they show their formula instead.
        book = openpyxl.load_workbook(io.BytesIO(bare))
        for sheet, (_, rows, _) in zip(book.worksheets, found, strict=True):
            for cells, row in zip(sheet.iter_rows(values_only=True), rows, strict=True):
                for j, cell in enumerate(cells):
                    if row[j] is None and cell is not None:
                        row[j] = cell
    return found


def _bare(content: bytes) -> tuple[bytes, dict[str, str]]:
    """Take out of a workbook what openpyxl would warn of: all but the cells.

    Extensions, validations, headers, drawings, names and styles do not concern the numbers.

    Returns
    -------
    content : bytes
        Of a workbook whose cells have texts in place of formats.
    formats : dict
        Text -> format of numbers.
    """
    bare = io.BytesIO()
    formats: dict[str, str] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as book, zipfile.ZipFile(bare, "w") as kept:
        for name in book.namelist():
            if name.startswith(_NO_CELLS):
                continue
            part = book.read(name)
            if name == "xl/styles.xml":
                part, formats = _formats_alone(part)
            elif (end := part.rfind(b"sheetData")) > 0:
                end = part.find(b">", end) + 1
                root = _ROOT.search(part)
                merged = b"".join(_MERGED.findall(part, end))
                part = part[:end] + merged + b"</%b>" % (root[1] if root else b"worksheet")
            elif b"definedNames" in part:
                part = _NAMES.sub(b"", part)
            kept.writestr(name, part)
        if "xl/styles.xml" not in book.namelist():
            kept.writestr("xl/styles.xml", _formats_alone(b"<styleSheet/>")[0])
    return bare.getvalue(), formats


#: Parts of a workbook without cells, and the list of what belongs to each sheet.
_NO_CELLS = (
    "docProps/", "customXml/", "xl/worksheets/_rels/", "xl/chartsheets/", "xl/drawings/",
    "xl/charts/", "xl/media/", "xl/theme/", "xl/externalLinks/",
)  # fmt: skip
_ROOT = re.compile(rb"<((?:\w+:)?worksheet)\b")
_MERGED = re.compile(rb"<(?:\w+:)?mergeCells\b.*?</(?:\w+:)?mergeCells\s*>", re.DOTALL)
_NAMES = re.compile(rb"<((?:\w+:)?definedNames)\b.*?</\1\s*>", re.DOTALL)
_STYLES = (
    '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<numFmts>{formats}</numFmts><fonts><font/></fonts><fills><fill><patternFill/></fill></fills>"
    "<borders><border/></borders><cellStyleXfs><xf/></cellStyleXfs><cellXfs>{cells}</cellXfs>"
    '<cellStyles><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def _formats_alone(styles: bytes) -> tuple[bytes, dict[str, str]]:
    """Reduce styles to formats of numbers that are quoted texts: nothing for openpyxl to do."""
    from openpyxl.styles.numbers import builtin_format_code
    from openpyxl.xml.functions import fromstring

    root = fromstring(styles)
    stated = {
        int(one.get("numFmtId", 0)): one.get("formatCode", "")
        for one in root.iterfind("{*}numFmts/{*}numFmt")
    }
    used = [int(one.get("numFmtId", 0)) for one in root.iterfind("{*}cellXfs/{*}xf")] or [0]
    formats = {f'"{i}"': stated.get(i) or builtin_format_code(i) or "General" for i in set(used)}
    text = _STYLES.format(
        formats="".join(
            f'<numFmt numFmtId="{164 + i}" formatCode="&quot;{i}&quot;"/>' for i in set(used)
        ),
        cells="".join(f'<xf numFmtId="{164 + i}"/>' for i in used),
    )
    return text.encode(), formats


def _rows(sheet: Any, formats: dict[str, str], epoch: Any) -> Iterator[Iterable[object]]:
    """Give the cells of a sheet; dates, and numbers that are shown in percent, as they are seen."""
    from openpyxl.styles.numbers import is_date_format

    if not any("%" in text or is_date_format(text) for text in formats.values()):
        yield from sheet.iter_rows(values_only=True)
        return
    for row in sheet.iter_rows():
        yield [
            cell.value
            if cell.data_type != "n"
            else _seen(cell.value, formats.get(cell.number_format, ""), epoch)
            for cell in row
        ]


def _seen(value: object, number_format: str, epoch: Any = None) -> object:
    if not isinstance(value, int | float):
        return value
    if "%" in number_format:
        return f"{100 * value:.15g}%"
    if epoch is None:
        return value
    from openpyxl.styles.numbers import is_date_format, is_timedelta_format
    from openpyxl.utils.datetime import from_excel

    if not is_date_format(number_format):
        return value
    try:
        return from_excel(value, epoch, timedelta=is_timedelta_format(number_format))
    except (OverflowError, ValueError):
        return "#VALUE!"


def _has_open_formulas(content: bytes) -> bool:
    """Whether a formula of a workbook was written, but never calculated."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        return any(
            _OPEN_FORMULA.search(book.read(name))
            for name in book.namelist()
            if name.startswith("xl/worksheets/") and name.endswith(".xml")
        )


def _xls(content: bytes) -> list[_Rows]:
    import xlrd

    book: Any = xlrd.open_workbook(
        file_contents=content, logfile=io.StringIO(), formatting_info=True
    )
    return [
        (
            sheet.name,
            [[_xls_cell(cell, book) for cell in sheet.row(i)] for i in range(sheet.nrows)],
            sheet.visibility != 0,
        )
        for sheet in book.sheets()
    ]


def _xls_cell(cell: Any, book: Any) -> object:
    import xlrd

    if cell.ctype == xlrd.XL_CELL_DATE:
        return xlrd.xldate_as_datetime(cell.value, book.datemode)
    if cell.ctype == xlrd.XL_CELL_ERROR:
        return str(xlrd.error_text_from_code.get(cell.value, "#ERROR"))
    if cell.ctype == xlrd.XL_CELL_BOOLEAN:
        return bool(cell.value)
    if cell.ctype in (xlrd.XL_CELL_EMPTY, xlrd.XL_CELL_BLANK):
        return None
    shown = book.format_map.get(book.xf_list[cell.xf_index].format_key)
    return _seen(cell.value, shown.format_str if shown is not None else "")


def chosen_sheet(source: Source) -> CellSheet:
    """Choose the sheet that the user names, "Processed data", or the first with numbers.

    Raises
    ------
    ReadError
        If there is no such sheet, or none with numbers.
    """
    candidates = candidate_sheets(source)
    if len(candidates) == 1:
        return candidates[0]
    holding = [sheet for sheet in candidates if sheet.first is not None]
    if holding:
        chosen = holding[0]
        chosen.others = [str(sheet.name) for sheet in holding[1:] if not sheet.hidden]
        return chosen
    for sheet in candidates:
        sheet.refuse_odd_cells()
    names = ", ".join(repr(sheet.name) for sheet in candidates)
    raise ReadError(f"no sheet of the workbook has a row of two numbers or more: {names}")


def candidate_sheets(source: Source) -> list[CellSheet]:
    """Give the sheet that the user names, "Processed data", or all of them, hidden ones last.

    Raises
    ------
    ReadError
        If there is no such sheet.
    """
    found = all_sheets(source)
    names = ", ".join(repr(sheet.name) for sheet in found)
    asked = source.options.sheet
    if isinstance(asked, int) and not isinstance(asked, bool):
        if not 0 <= asked < len(found):
            raise ReadError(f"sheet={asked}: the workbook has {len(found)} sheets, from 0: {names}")
        return [found[asked]]
    if asked is not None:
        for sheet in found:
            if sheet.name == asked:
                return [sheet]
        raise ReadError(f"sheet={asked!r} is not in the workbook; it has {names}")
    for sheet in found:
        if str(sheet.name).strip().casefold() == _PREFERRED and any(map(any, sheet.texts)):
            return [sheet]
    # Old versions and half-done sums are hidden: nobody who sends such a workbook means them.
    return sorted(found, key=lambda sheet: sheet.hidden)
