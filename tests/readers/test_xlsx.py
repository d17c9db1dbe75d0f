"""Cells of an .xlsx, from its XML: what is written out, what is left out, and how it is shown."""

import datetime as dt
import io
import zipfile

import instrument_files as make
import openpyxl
import pytest
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.files import Budget
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.regions import all_sheets, read_xls, read_xlsx


def cells(rows, **more):
    (sheet,) = read_xlsx(make.workbook(rows, **more), Budget())
    return sheet.rows


def number(value, style=0):
    shown = cells(f'<row r="1"><c r="A1" s="{style}"><v>{value}</v></c></row>')
    return shown[0][0]


def test_cells_stand_where_they_say_or_behind_the_one_before():
    rows = (
        "<row><c><v>1</v></c><c><v>2</v></c></row><row><c r='AB2'><v>3</v></c><c><v>4</v></c></row>"
    )
    assert cells(rows) == {0: {0: 1.0, 1: 2.0}, 1: {27: 3.0, 28: 4.0}}
    assert cells('<row r="7"><c><v>1</v></c></row><row><c><v>2</v></c></row>') == {
        6: {0: 1.0},
        7: {0: 2.0},
    }


def test_texts_are_shared_or_in_their_cells_and_readings_of_signs_are_none():
    strings = (
        "<si><t>plain</t></si><si><r><t>ri</t></r><r><t>ch</t></r></si>"
        "<si><t>深さ</t><rPh><t>ふかさ</t></rPh></si><si><t/></si>"
    )
    rows = "".join(f'<c t="s"><v>{i}</v></c>' for i in range(4)) + '<c t="s"><v/></c>'
    inline = '<c t="inlineStr"><is><t>in</t><rPh><t>no</t></rPh></is></c><c t="str"><v>x</v></c>'
    assert cells(f"<row>{rows}{inline}</row>", strings=strings) == {
        0: {0: "plain", 1: "rich", 2: "深さ", 5: "in", 6: "x"}
    }


def test_truths_errors_and_formulas():
    rows = (
        '<c t="b"><v>1</v></c><c t="b"><v>0</v></c><c t="e"><v>#REF!</v></c>'
        "<c><f>A1+1</f></c><c><f>A1+1</f><v>2</v></c><c/><c t='str'><v>  </v></c>"
        "<c t='str'><f>T(A1)</f><v>B</v></c>"
    )
    shown = {0: True, 1: False, 2: "#REF!", 3: "=A1+1", 4: 2.0, 7: "B"}
    assert cells(f"<row>{rows}</row>") == {0: shown}


@pytest.mark.parametrize(
    ("style", "shown"),
    [
        (0, 0.25),
        (1, "25%"),
        (2, "25%"),
        (3, dt.time(6)),
        (4, dt.time(6)),
        (5, dt.time(6)),
        (6, "25%"),
        (7, dt.time(6)),
        (8, 0.25),
        (9, dt.time(6)),
        (10, 0.25),
        (11, 0.25),
        (12, 0.25),
    ],
)
def test_how_a_number_is_shown(style, shown):
    assert number(0.25, style) == shown


def test_dates_are_counted_from_1900_or_1904():
    assert number(45000.5, 3) == dt.datetime(2023, 3, 15, 12)  # noqa: DTZ001 - as a cell has it
    assert number(0, 3) == dt.time(0)
    assert number(1, 3) == dt.datetime(1899, 12, 31)  # noqa: DTZ001
    assert number(1e9, 3) == "#VALUE!"
    row = '<row><c s="3"><v>1</v></c></row>'
    for stated in ("1", "true"):
        since = cells(row, properties=f'<workbookPr date1904="{stated}"/>')
        assert since[0][0] == dt.datetime(1904, 1, 2)  # noqa: DTZ001
    assert cells(row, properties='<workbookPr date1904="0"/>')[0][0].year == 1899


def test_sheets_that_are_hidden_and_cells_that_are_merged():
    more = '<mergeCells><mergeCell ref="B1:AC3"/><mergeCell ref="A1"/></mergeCells>'
    rows = "<row><c><v>1</v></c></row>"
    (sheet,) = read_xlsx(make.workbook(rows, more=more, state="veryHidden"), Budget())
    assert (sheet.name, sheet.hidden, sheet.spans) == ("one", True, [(0, 1, 2, 28)])
    (sheet,) = read_xlsx(make.workbook("<row/>"), Budget())
    assert (sheet.hidden, sheet.rows, sheet.spans) == (False, {}, [])


def test_a_workbook_may_have_no_styles_and_no_shared_texts():
    with zipfile.ZipFile(io.BytesIO(make.workbook('<row><c s="3"><v>1</v></c></row>'))) as whole:
        parts = {n: whole.read(n) for n in whole.namelist() if n[3:6] not in ("sty", "str")}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    (sheet,) = read_xlsx(content.getvalue(), Budget())
    assert sheet.rows == {0: {0: 1.0}}


def test_what_defines_entities_is_refused(approved):
    with raises(ValueError, text=approved):
        cells("<row/>", start='<!DOCTYPE x [<!ENTITY a "b">]>')


# --- the sheet that is meant ------------------------------------------------------------------


def saved(*, hidden=(), **sheets):
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.active)
    for title, rows in sheets.items():
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(row)
        sheet.sheet_state = "hidden" if title in hidden else "visible"
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


HEADER = ["z (nm)", "B (cps)"]
TABLE = [HEADER, [0, 5], [1, 6]]


def refusal(content, **options):
    with pytest.raises(sims.ReadError) as raised:
        sims.read(content, **options)
    return str(raised.value).partition(": ")[2]


def test_sheets_without_rows_of_numbers_are_named():
    content = saved(one=[["nothing"]], two=[["Depth", 5]])
    says = "no sheet of the workbook has a row of two numbers or more: 'one', 'two'"
    assert refusal(content) == says
    odd = {"two": [["x"], ["1.2.3", 5]]}
    for content in (saved(one=[["nothing"]], **odd), saved(**odd)):
        assert refusal(content).startswith(
            "sheet 'two', row 2, column A: '1.2.3' is not a number; "
        )
    asked = saved(one=[["nothing"]], two=TABLE)
    assert refusal(asked, sheet="one") == "it has no numbers in columns"


def test_a_sheet_of_numbers_comes_before_one_of_numbers_beside_words():
    words = [HEADER, ["x", 5], ["y", 6]]
    assert sims.read(saved(one=words, two=TABLE))["B"].concentrations.tolist() == [5, 6]
    assert refusal(saved(one=words, two=[["z"]])).startswith("sheet 'one', row 2, column A: 'x'")


def test_other_sheets_are_named_but_hidden_ones(approved):
    content = saved(a=TABLE, b=TABLE, c=[HEADER], d=TABLE, hidden=["b"])
    with warns(sims.ProfileWarning, "several_tables", argument="sheet", text=approved) as warned:
        sims.read(content)
    assert len(warned) == 1
    sims.read(saved(a=TABLE, b=TABLE, hidden=["b"]))
    sims.read(saved(**{"b": TABLE, " PROCESSED data ": TABLE}))


def test_a_workbook_that_cannot_be_opened_says_why():
    whole = saved(a=TABLE)
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}

    def rewritten(**changed):
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            for name, content in (parts | changed).items():
                if content is not None:
                    archive.writestr(name, content)
        return out.getvalue()

    lost = rewritten(**{"xl/worksheets/sheet1.xml": None})
    says = "the workbook cannot be read: \"There is no item named 'xl/worksheets/sheet1.xml' in the"
    assert refusal(lost).startswith(says)


def test_an_old_workbook_needs_a_package_and_a_new_one_none(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError) as raised:
        sims.read(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    assert str(raised.value) == '.xls needs xlrd: pip install "sims-analysis[excel]"'
    assert raised.value.name == "xlrd"
    assert sims.read(saved(a=TABLE)).species == ["B"]


def old(cells, *, merged=(), hidden=()):
    """Write an .xls of ``{(row, column): (value, format)}`` for each of its sheets."""
    xlwt = pytest.importorskip("xlwt")
    workbook = xlwt.Workbook()
    for title, of_sheet in cells.items():
        sheet = workbook.add_sheet(title)
        sheet.visibility = int(title in hidden)
        for (i, j), (value, form) in of_sheet.items():
            if form == "error":
                sheet.row(i).set_cell_error(j, value)
            else:
                style = xlwt.easyxf(num_format_str=form) if form else xlwt.Style.default_style
                sheet.write(i, j, value, style)
        for span in merged:
            sheet.merge(*span)
    out = io.BytesIO()
    workbook.save(out)
    return out.getvalue()


def test_cells_of_old_workbooks():
    cells = {
        (1, 2): (0.25, "0.0%"),
        (1, 3): (0.25, "hh:mm"),
        (1, 4): (45000.5, "yyyy-mm-dd"),
        (1, 5): (True, None),
        (1, 6): ("#DIV/0!", "error"),
        (2, 2): (0.25, None),
        (2, 3): ("50%", "0%"),
        (2, 4): (" ", None),
        (2, 5): (0.0, "hh:mm"),
        (2, 6): (1.0, "hh:mm"),
        (4, 2): (False, None),
    }
    one, two = read_xls(
        old({"one": cells, "two": {}}, merged=[(7, 8, 2, 3)], hidden=["two"]), Budget()
    )
    assert (one.name, one.hidden, two.name, two.hidden) == ("one", False, "two", True)
    assert one.spans == [(7, 2, 8, 3)]
    assert (two.rows, two.spans[:0]) == ({}, [])
    assert one.rows == {
        1: {
            2: "25%",
            3: dt.time(6),
            4: dt.datetime(2023, 3, 15, 12),  # noqa: DTZ001 - as a cell has it
            5: True,
            6: "#DIV/0!",
        },
        2: {2: 0.25, 3: "50%", 5: dt.time(0), 6: dt.datetime(1900, 1, 1)},  # noqa: DTZ001
        4: {2: False},
    }


def test_rows_and_columns_without_content_are_left_out_and_keep_their_names():
    rows = [[], [None, None, "z (nm)", None, "B (cps)"], [], [None, None, 0, None, 5]]
    content = saved(S=[*rows, [None, None, 1, None, "x"]])
    assert refusal(content).startswith("sheet 'S', row 5, column E: 'x' is not a number")
    grid = all_sheets(Source("w7.xlsx", content))[0]
    assert (grid.numbers, grid.columns) == ([2, 4, 5], [2, 4])
    assert [grid.cells(i) for i in range(3)] == [["z (nm)", "B (cps)"], ["0", "5"], ["1", "x"]]


def test_headers_that_are_merged_span_the_columns_that_are_left():
    merged = '<mergeCells><mergeCell ref="B1:F1"/><mergeCell ref="A2:A3"/></mergeCells>'
    rows = (
        "<row r='1'><c r='A1' t='str'><v>z</v></c><c r='B1' t='str'><v>B</v></c></row>"
        "<row r='2'><c r='B2'><v>1</v></c><c r='D2'><v>2</v></c><c r='G2'><v>3</v></c></row>"
    )
    grid = all_sheets(Source("w7.xlsx", make.workbook(rows, more=merged)))[0]
    assert grid.columns == [0, 1, 3, 6]
    assert grid.spans == {1: [(1, 2)]}
    assert grid.headers(0, 4) == ["z", "B", "B"]
