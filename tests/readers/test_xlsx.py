"""Cells of an .xlsx, from its XML: what is written out, what is left out, and how it is shown."""

import datetime as dt
import io
import zipfile

import pytest

from sims_analysis.readers.xlsx import read_xlsx, seen

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = """<numFmts><numFmt numFmtId="164" formatCode="0.0%"/>
<numFmt numFmtId="165" formatCode='yyyy"a"'/><numFmt numFmtId="166" formatCode='0.0"dm%"'/>
<numFmt numFmtId="167" formatCode="[h]:mm"/><numFmt numFmtId="168" formatCode="[Red]0"/></numFmts>
<cellStyleXfs><xf numFmtId="9"/></cellStyleXfs><cellXfs>"""
SHOWN = [0, 9, 10, 14, 22, 45, 164, 165, 166, 167, 168, 13, 23]


def book(rows, *, strings="", properties="", more="", state="visible", start=""):
    """Write a workbook of one sheet."""
    styles = STYLES + "".join(f'<xf numFmtId="{n}"/>' for n in SHOWN) + "</cellXfs>"
    parts = {
        "workbook": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}">{properties}<sheets>'
        f'<sheet name="one" state="{state}" sheetId="1" r:id="a"/>'
        '<sheet name="chart" sheetId="2" r:id="b"/></sheets></workbook>',
        "_rels/workbook.xml": f'<R><Relationship Id="a" Type="{LINKS}/worksheet" Target="one.xml"/>'
        f'<Relationship Id="b" Type="{LINKS}/chartsheet" Target="two.xml"/>'
        f'<Relationship Id="c" Type="{LINKS}/sharedStrings" Target="/xl/strings.xml"/>'
        f'<Relationship Id="d" Type="{LINKS}/styles" Target="styles.xml"/></R>',
        "strings": f"<sst>{strings}</sst>",
        "styles": f"<styleSheet>{styles}</styleSheet>",
        "one": f"{start}<worksheet><sheetData>{rows}</sheetData>{more}</worksheet>",
    }
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, xml in parts.items():
            end = ".xml.rels" if name.startswith("_") else ".xml"
            archive.writestr(f"xl/{name.removesuffix('.xml')}{end}", xml)
    return content.getvalue()


def cells(rows, **more):
    (sheet,) = read_xlsx(book(rows, **more))
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
    )
    assert cells(f"<row>{rows}</row>") == {0: {0: True, 1: False, 2: "#REF!", 3: "=A1+1", 4: 2.0}}


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


def test_parts_of_a_hundred_are_as_they_are_seen():
    assert [seen(0.25), seen(1 / 3), seen(1e-5)] == ["25%", "33.3333333333333%", "0.001%"]


def test_sheets_that_are_hidden_and_cells_that_are_merged():
    more = '<mergeCells><mergeCell ref="B1:AC3"/><mergeCell ref="A1"/></mergeCells>'
    (sheet,) = read_xlsx(book("<row><c><v>1</v></c></row>", more=more, state="veryHidden"))
    assert (sheet.name, sheet.hidden, sheet.spans) == ("one", True, [(0, 1, 2, 28)])
    (sheet,) = read_xlsx(book("<row/>"))
    assert (sheet.hidden, sheet.rows, sheet.spans) == (False, {}, [])


def test_what_defines_entities_is_refused():
    with pytest.raises(ValueError, match="a part of it defines entities"):
        cells("<row/>", start='<!DOCTYPE x [<!ENTITY a "b">]>')
