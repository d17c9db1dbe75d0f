"""Files as people and spreadsheets write them anew: the same numbers, or a refusal."""

import csv
import datetime as dt
import io
import re
import warnings
import zipfile

import numpy as np
import openpyxl
import pytest
from error_parts import raises, warns
from instrument_files import cameca_rpc, cnt, dp_ascii, iontof, srim

import sims_analysis as sims

Z = np.array([0.5, 2.5, 5.0, 7.5, 10.0])
B = np.array([1.5e18, 3.25e18, 2e18, 5e17, 1e16])
P = np.array([1e15, 2e15, 4e15, 2e15, 1e15])
HEADER = ["Depth (nm)", "B (at/cm3)", "P (at/cm3)"]
ROWS = [list(map(float, row)) for row in zip(Z, B, P, strict=True)]
LINES = "".join(f"{z:g},{b:g},{p:g}\n" for z, b, p in ROWS)


@pytest.fixture
def workbook(tmp_path):
    def workbook(percent=(), **sheets):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title.replace("_", " "))
            for row in rows:
                sheet.append(row)
            for cell in percent:
                sheet[cell].number_format = "0.0%"
        book.save(tmp_path / "w7.xlsx")
        return tmp_path / "w7.xlsx"

    return workbook


def check(result):
    boron, phosphorus = result.depth_profiles
    assert (boron.species_name, phosphorus.species_name) == ("B", "P")
    assert (boron.depth_units, boron.concentration_units) == ("nm", "at/cm3")
    for profile, values in ((boron, B), (phosphorus, P)):
        assert profile.depths.tolist() == Z.tolist()
        assert profile.concentrations.tolist() == values.tolist()


# --- numbers that are something else ----------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    ["B x1E18 (cm-3)", "B (10^18) [cm-3]", "B ×10¹⁸ (cm⁻³)", "B/1E18 (cm-3)", "Si /1000 (c/s)",
     "SiO2 x10 (c/s)", "Si (x 0.01) c/s"],
)  # fmt: skip
def test_a_factor_in_a_header_is_refused(write, header):
    with raises(sims.UnitsError, "ambiguous_unit", line=1, column="B"):
        sims.read(write(f"Depth (nm);{header}\n0;1\n1;2\n"))


def test_headers_of_columns_that_are_not_asked_for_need_not_be_read(write):
    path = write("Depth (nm);B (cm^-3);Si /1000 (c/s);log(P)\n0;1;5;17\n1;2;6;18\n")
    profile = sims.read(path, columns={"B": (0, 1)})["B"]
    assert profile.concentrations.tolist() == [1, 2]
    for column, code in ((2, "ambiguous_unit"), (3, "scaled_values")):
        with raises(sims.UnitsError, code, line=1, column="ABCD"[column]):
            sims.read(path, columns={"X": (0, column)}, units="cm^-3")


def test_a_logarithm_in_brackets_is_refused(write):
    with raises(sims.UnitsError, "scaled_values", line=1, column="B"):
        sims.read(write("Depth (nm);B (log)\n0;17\n1;18\n"), units="cm^-3")


@pytest.mark.parametrize("header", ["B 1E15 (at/cm3)", "Al2x3 (at/cm3)", "11B/10B (at/cm3)"])
def test_what_is_no_factor(write, header):
    name = header.partition(" (")[0]
    profile = sims.read(write(f"Depth (nm);{header}\n0;1\n1;2\n"))[name]
    assert profile.concentrations.tolist() == [1, 2]


@pytest.mark.parametrize(("unit", "code"), [("%", "ambiguous_unit"), ("ions/cm3", "unknown_unit")])
def test_a_unit_that_is_none_of_a_value_is_named(write, unit, code):
    path = write(f"Depth (nm);B ({unit})\n0;1\n1;2\n")
    with raises(sims.UnitsError, code, argument="units", species="B"):
        sims.read(path)
    with warns(sims.ProfileWarning, "other_unit", argument="units", species="B"):
        assert sims.read(path, units="at%")["B"].concentrations.tolist() == [1, 2]


def test_cells_that_are_shown_in_percent_are_refused(workbook, approved):
    rows = [["Depth (nm)", "B (at%)"], [0, 0.05], [1, 0.06], [2, 0.07]]
    with raises(sims.ReadError, "not_a_number", sheet="S", row=3, column="B", text=approved):
        sims.read(workbook(S=rows, percent=["B3"]))
    plain = sims.read(workbook(S=rows, percent=["D9"]))["B"]
    assert plain.concentrations.tolist() == [0.05, 0.06, 0.07]


def test_cells_of_old_workbooks_that_are_shown_in_percent_are_refused(tmp_path, approved):
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    sheet = book.add_sheet("S")
    for i, row in enumerate([["Depth (nm)", "B (at%)"], [0, 0.05], [1, 0.06]]):
        for j, cell in enumerate(row):
            sheet.write(i, j, cell, xlwt.easyxf(num_format_str="0%" if (i, j) == (2, 1) else "0.0"))
    book.save(str(tmp_path / "w7.xls"))
    with raises(sims.ReadError, "not_a_number", sheet="S", row=3, column="B", text=approved):
        sims.read(tmp_path / "w7.xls")


def test_decimal_commas_between_commas_are_not_guessed(write):
    path = write("Depth (nm),B (at%)\n0,5,1,5\n1,5,2,5\n2,5,3,5\n")
    with raises(sims.ReadError, "ambiguous_table", argument="columns", line=1):
        sims.read(path, species=["B", "O", "C"], units="at%")
    printed = "   z_nm   B (at/cm3)\n0   0.0  1e18\n1   5.0  2e18\n2  10.0  3e18\n"
    with raises(sims.ReadError, "ambiguous_table", argument="columns", line=1):
        sims.read(write(printed), species=["B", "P"])
    # Row numbers have no header either, but stand first.
    assert sims.read(write(",Depth (nm),B (at%)\n0,5,1\n1,6,2\n"))["B"].depths.tolist() == [5, 6]


@pytest.mark.parametrize(
    ("decimal", "cells"),
    [
        (",", ["998,5", "1.000,5", "1.001", "345.678,5"]),
        (".", ["998.5", "1,000.5", "1,001", "345,678.5"]),
        (",", ["998,5", "1\u202f000,5", "1\u202f001", "345\u202f678,5"]),
        (".", ["998.5", "1'000.5", "1'001", "345'678.5"]),
        (",", ["998", "1 000", "1 001", "345 678"]),
    ],
)
def test_thousands_apart_are_read_where_nothing_is_left_open(write, decimal, cells):
    header = f"Tiefe (nm);B (cps)\n0;{'7,5' if decimal == ',' else '7.5'}\n"
    path = write(header + "".join(f"{cell};{i}\n" for i, cell in enumerate(cells)))
    whole = ["".join(c for c in cell if c.isdigit() or c == decimal) for cell in cells]
    depths = [float(cell.replace(decimal, ".")) for cell in whole]
    assert sims.read(path)["B"].depths.tolist() == [0, *depths]
    # One that is written otherwise leaves all open.
    ungrouped = whole[2]
    with raises(sims.ReadError, "not_a_number", line=4, column="A"):
        sims.read(write(header + "".join(f"{c};1\n" for c in (*cells[:2], ungrouped, *cells[3:]))))


def test_a_point_that_may_be_a_decimal_one_separates_no_thousands(write):
    header = "Tiefe (nm);B (cps)\n"
    assert sims.read(write(f"{header}0;5\n1;1.234\n2;2\n"))["B"].concentrations[1] == 1.234
    with raises(sims.ReadError, "not_a_number", line=3, column="B"):
        sims.read(write(f"{header}0;5,5\n1;1.234\n2;2\n"))


@pytest.mark.parametrize("cell", ["1 234", "1'234", "00:01:30", "Jan-05", "5%"])
def test_cells_are_refused_by_what_they_are(write, cell, approved):
    with raises(sims.ReadError, "not_a_number", line=3, column="B", text=approved):
        sims.read(write(f"Depth (nm);B (at%)\n0;1\n1;{cell}\n2;3\n"))


def test_a_row_that_lacks_cells_at_the_end_of_srim_is_warned_of(write):
    values = np.arange(1, 101) * 1.0
    whole = srim(values * 80, {"B": values, "Si": values})
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated", line=114):
        sims.read(write(whole.rstrip()[:-10].rstrip()))


def test_a_last_line_without_its_end_is_warned_of(write):
    whole = iontof(Z, [("B+", "11", [7.00061, 5, 3.1, 4, 12.345])])
    assert sims.read(write(whole))["B+"].concentrations[-1] == 12.345
    with warns(sims.ProfileWarning, "truncated_file", line=9):
        sims.read(write(whole.rstrip()[:-1]))


def test_an_exponent_that_is_shorter_than_all_others_is_warned_of(write):
    text = "Depth (nm) B (cm^-3)\n1 2e+18\n2 3e+18\n3 4e+18\n4 5e+1"
    with warns(sims.ProfileWarning, "truncated_file", line=5):
        sims.read(write(text))


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_row_that_lacks_a_cell_is_warned_of(write, delimiter, approved):
    content = "Depth (nm),B (cm^-3),P (cm^-3)\n0,1,2\n1,3\n2,5,6\n"
    with warns(sims.ProfileWarning, "ambiguous_table", line=3):
        sims.read(write(content.replace(",", delimiter)))
    with warns(sims.ProfileWarning, "ambiguous_table", line=3, text=approved):
        sims.read(write(content.replace("2,5,6", "2,5").replace(",", delimiter)))
    # Explicitly empty, they are as usual.
    sims.read(write(content.replace("1,3", "1,3,").replace(",", delimiter)))


def test_a_row_for_a_sample_that_lacks_a_cell_is_warned_of(write):
    with warns(sims.ProfileWarning, "ambiguous_table", line=3):
        sims.read(write("species,depth (nm),conc (cm^-3)\nB,0,1\nB,1\nB,2,3\n"))


@pytest.mark.parametrize("spacer", ["", ","])
def test_a_depth_that_is_none_at_the_end_of_the_longest_pair_is_no_note(write, spacer):
    text = "Depth (nm),B (cm^-3),Depth (nm),P (cm^-3)\n0,1,0,5\n1,2,1,6\n,,2,7\n,,{},8\n"
    text = text.replace("\n", f"{spacer}\n")
    with raises(sims.ReadError, "not_a_number", line=5, column="C"):
        sims.read(write(text.format("1.2.3")))
    with warns(sims.ProfileWarning, argument="not_measured", line=5):
        sims.read(write(text.format("ND")))


@pytest.mark.parametrize("cell", ["BDL", "TRUE", "?"])
@pytest.mark.parametrize("book", [False, True])
def test_a_last_row_of_two_columns_with_an_odd_depth_is_warned_of(write, workbook, cell, book):
    rows = [["Depth (nm)", "B (cm^-3)"], [0, 1], [1, 2], [cell, 3]]
    text = "".join(";".join(map(str, row)) + "\n" for row in rows)
    place = {"sheet": "S", "row": 4} if book else {"line": 4}
    with warns(sims.ProfileWarning, argument="not_measured", **place):
        sims.read(workbook(S=rows) if book else write(text))


@pytest.mark.parametrize("cell", ["#REF!", "ND", "1.5."])
def test_a_first_row_with_an_odd_cell_is_no_comment_below_units(write, cell):
    content = f"Depth,B\nnm,at/cm3\n0,{cell}\n1,2\n2,3\n"
    with raises(sims.ReadError, "not_a_number", line=3, column="B"):
        sims.read(write(content), species="B")


@pytest.mark.parametrize("cell", ["TRUE", "ND", "x"])
@pytest.mark.parametrize("book", [False, True])
def test_a_first_row_with_an_odd_depth_is_no_header(write, workbook, cell, book):
    rows = [["Depth", "B", "P"], ["nm", "at/cm3", "at/cm3"], [cell, 1.5, 2.5], [1, 3, 4], [2, 5, 6]]
    text = "".join(",".join(map(str, row)) + "\n" for row in rows)
    path = workbook(S=rows) if book else write(text)
    # Below headers it is a row of the table, whatever is stated: no sample is lost.
    stated = {"depth_units": "nm", "units": "at/cm3", "species": ["B", "P"]}
    place = {"sheet": "S", "row": 3} if book else {"line": 3}
    for options in ({}, stated):
        with raises(sims.ReadError, "not_a_number", column="A", **place):
            sims.read(path, **options)


@pytest.mark.parametrize("cell", ["#REF!", "****", "####"])
@pytest.mark.parametrize("row", [2, 3, 4])
def test_a_depth_that_a_spreadsheet_could_not_calculate_is_no_comment(write, workbook, cell, row):
    rows = [["Depth (nm)", "B (cm^-3)"], [0, 1], [1, 2], [2, 3], [3, 4]]
    rows[row] = [cell, 5]
    text = "".join(";".join(map(str, cells)) + "\n" for cells in rows)
    books = (write(text), {"line": row + 1}), (workbook(S=rows), {"sheet": "S", "row": row + 1})
    for path, place in books:
        with raises(sims.ReadError, "not_a_number", column="A", **place):
            sims.read(path)


# --- tables beside and below ------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["# ", "", "% "])
def test_another_table_below_is_refused(write, mark):
    content = f"{mark}Depth (nm),B (cm^-3)\n0,1\n1,2\n2,3\n\n{mark}Depth (nm),P (cm^-3)\n3,5\n4,6\n"
    with raises(sims.ReadError, "several_tables", line=6):
        sims.read(write(content))


@pytest.mark.parametrize("line", ["*****", "####", "# 5 6"])
def test_a_rule_between_numbers_is_a_comment(write, line):
    path = write(f"Depth (nm) B (cm^-3)\n0 1\n1 2\n{line}\n2 3\n3 4\n")
    with warns(sims.ProfileWarning, "several_tables"):
        assert sims.read(path)["B"].concentrations.tolist() == [1, 2, 3, 4]


def test_a_comment_between_numbers_is_warned_of(write):
    with warns(sims.ProfileWarning, "several_tables"):
        sims.read(write("Depth (nm),B (cm^-3)\n0,1\n1,2\n# W2\n2,5\n3,6\n"))


@pytest.mark.parametrize(
    "headers",
    [
        "Channel\tm/z\tIntensity",
        "m/z\tIntensity\tFit",
        "Wavelength (nm)\tA\tB",
        "2θ\tA\tB",
        "Point\tBinding energy (eV)\tCounts",
    ],
)
def test_spectra_are_refused_whatever_is_stated(write, headers, approved):
    content = f"# exported\n# {headers}\n1\t0.5\t3\n2\t0.6\t4\n3\t0.7\t3\n"
    with raises(sims.ReadError, "no_profile", text=approved):
        sims.read(write(content), depth_units="nm", units="counts", species=["a", "b"])


def test_signals_that_are_called_by_their_mass_are_no_spectrum(write):
    path = write("Cycle;mass 11.00;mass 28.00\n1;5;6\n2;7;8\n")
    with raises(sims.ReadError, "missing_axis", argument="columns"):
        sims.read(path)


# --- headers ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        # Origin: names, units, comments.
        "Depth,Concentration,Concentration\nnm,at/cm3,at/cm3\n,B,P",
        "nm,at/cm3,at/cm3\nDepth,B,P",
        # Cells that were merged.
        "Depth (nm),B,P\n,at/cm3,at/cm3",
        "Depth (nm),B,P\n,(at/cm3),(at/cm3)",
        "|Depth (nm)|B (at/cm3)|P (at/cm3)|\n|---|---|---|",
        "Depth (nm),B (at/cm3),P (at/cm3)\n----------,----------,----------",
    ],
)
def test_rows_of_headers_in_other_orders(write, headers):
    if headers.startswith("|"):
        body = "".join(f"|{line}|\n" for line in LINES.replace(",", "|").splitlines())
    else:
        body = LINES
    check(sims.read(write(f"{headers}\n{body}")))


@pytest.mark.parametrize(
    "headers",
    [
        "B,B,P,P\nDepth,Conc,Depth,Conc\nnm,at/cm3,nm,at/cm3",
        "B,B,P,P\nX (nm),Y (at/cm3),X (nm),Y (at/cm3)",
    ],
)
def test_a_name_above_each_column_of_a_pair(write, headers):
    body = "".join(f"{z},{b},{z},{p}\n" for z, b, p in ROWS)
    check(sims.read(write(f"{headers}\n{body}")))


def test_names_below_a_header_that_spans_them(workbook):
    headers = [["Depth (nm)", "Concentration (at/cm3)", None], [None, "B", "P"]]
    path = workbook(S=[*headers, *ROWS])
    with raises(sims.UnitsError, "missing_unit", argument="units", species="P"):
        sims.read(path)
    check(sims.read(path, units="at/cm3"))


def test_a_depth_with_its_unit_is_no_header(write, approved):
    with raises(sims.ReadError, "not_a_number", line=3, column="A", text=approved):
        sims.read(write("Depth;B\nnm;cm^-3\n0 nm;1\n1;2\n2;3\n"))


def test_a_column_of_dashes_is_warned_of(workbook):
    rows = [HEADER, *([z, b, "\u2014"] for z, b, _ in ROWS)]
    with warns(sims.ProfileWarning, "empty_column"):
        sims.read(workbook(S=rows))


@pytest.mark.parametrize("header", ["Cycle #", "Cycle number", "Sputter cycles", "Point no."])
def test_row_numbers_beside_a_depth_are_no_signal(write, header):
    content = f"{header},Depth (nm),B (cm^-3)\n1,5,1\n2,6,2\n"
    assert [p.species_name for p in sims.read(write(content)).depth_profiles] == ["B"]


# --- workbooks --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("row", "column"),
    [
        ([0.5, 1e18, "ND"], "C"),
        (["=A1+1", 1e18, 1e15], "A"),
        ([dt.date(2024, 5, 1), 1e18, 1e15], "A"),
        ([0.5, 1e18, "1,500"], "C"),
    ],
)
def test_cells_that_keep_all_rows_from_being_numbers_are_named(workbook, row, column):
    place = {"sheet": "S", "row": 2, "column": column}
    with raises(sims.ReadError, "not_a_number", **place):
        sims.read(workbook(S=[HEADER, row, row, row]))
    # The first row alone is no header either.
    with raises(sims.ReadError, "not_a_number", **place):
        sims.read(workbook(S=[HEADER, row, *ROWS]), depth_units="nm", units="at/cm3")


def test_a_note_beside_the_first_row_loses_no_sample(workbook):
    rows = [HEADER, [*ROWS[0], None, "Operator: X"], *ROWS[1:]]
    result = sims.read(workbook(S=rows))
    check(result)
    assert result.metadata.other == {"Operator": "X"}


def test_an_empty_sheet_of_processed_data_hides_no_other(workbook):
    check(sims.read(workbook(Processed_data=[], Data=[HEADER, *ROWS])))


def test_other_sheets_are_named_in_what_is_wrong_with_the_first(workbook):
    summary = [["Wafer", "B (at/cm2)"], [1, 1e13], [2, 2e13]]
    with raises(sims.SimsError, "missing_axis", argument="columns"):
        sims.read(workbook(Doses=summary, More=summary))
    with warns(sims.ProfileWarning, "several_tables", argument="sheet"):
        check(sims.read(workbook(Doses=summary, Data=[HEADER, *ROWS])))


def test_notes_that_look_like_a_table_hide_no_sheet_of_numbers(workbook):
    notes = [["Depth (nm);B (at/cm3);P (at/cm3)"], ["0;1;2"], ["1;2;3"]]
    check(sims.read(workbook(Data=[HEADER, *ROWS], Notes=notes)))
    assert sims.read(workbook(Notes=notes))["B"].concentrations.tolist() == [1, 2]


def test_zipped_files_are_distinguished_from_workbooks(write, workbook, approved):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.write(workbook(S=[HEADER, *ROWS]), "w7.xlsx")
    with raises(sims.ReadError, "no_profile"):
        sims.read(write(stream.getvalue()))
    with raises(sims.ReadError, "no_profile"):
        sims.read(write(workbook(S=[HEADER, *ROWS]).read_bytes()[:300]))
    for name in ("xl/workbook.bin", "content.opendocument"):
        stream = io.BytesIO()
        with zipfile.ZipFile(stream, "w") as archive:
            archive.writestr(name, "x")
        with raises(sims.ReadError, "no_profile", text=approved):
            sims.read(write(stream.getvalue()))


# --- bytes ------------------------------------------------------------------------------------


def test_ends_of_lines_and_of_files(write):
    text = ",".join(HEADER) + "\n" + LINES
    check(sims.read(write(text.replace("\n", "\r\r\n"))))
    check(sims.read(write(text + "\x1a")))
    result = sims.read(write(iontof(Z, [("B+", "11", P)]).replace(b"\r\n", b"\r\r\n")))
    assert result["B+"].concentrations.tolist() == P.tolist()


def test_wide_text_that_ends_within_a_character(write):
    wide = ("\ufeff" + ",".join(HEADER) + "\n" + LINES).encode("utf-16-le")
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated"):
        sims.read(write(wide[:-3]))
    with warns(sims.ProfileWarning, "truncated_file"):
        check(sims.read(write(wide + b"\n"), allow_truncated=True))


def test_names_in_the_wrong_encoding_are_refused(write):
    header = "深さ (nm);B 濃度 (at/cm3);P 濃度 (at/cm3)\n"
    content = (header + LINES.replace(",", ";")).encode("shift_jis")
    with raises(sims.SpeciesError, "unknown_encoding", argument="encoding"):
        sims.read(write(content))
    check(sims.read(write(content), encoding="shift_jis"))


def test_a_workbook_has_letters_of_all_languages(tmp_path):
    book = openpyxl.Workbook()
    for row in (["Depth (nm)", "αβ (at/cm3)"], [0, 1e18], [1, 2e18]):
        book.active.append(row)
    book.save(tmp_path / "w7.xlsx")
    assert sims.read(tmp_path / "w7.xlsx").species == ["αβ"]


# --- exports of instruments that a spreadsheet has saved --------------------------------------

K = np.array([5, 0, 3, 8])
T = np.array([0.125, 0.25, 0.375, 0.5])
EXPORTS = {
    "cameca_rpc": cameca_rpc({"10B": (None, T, cnt(K), "I"), "30Si": (T, None, cnt(K), "I")}),
    "cameca_ascii": dp_ascii([("11B", T, cnt(K), "um", "c/s"), ("69Ga2", T, cnt(K), "um", "c/s")]),
    "iontof": iontof(T, [("B+", "11.0093", K), ("^13CH_5N_2+ / ( Pb+ )", "N/A", K)]),
    "iontof 6": iontof(T, [("B+", "11.0093", K)], version=6),
}
SAVED = {
    "commas": {"delimiter": ","},
    "semicolons and decimal commas": {"delimiter": ";"},
    "all in quotes": {"delimiter": ";", "quoting": csv.QUOTE_ALL},
    "decimal commas in quotes": {"delimiter": ","},
}


@pytest.mark.parametrize("saved", SAVED)
@pytest.mark.parametrize("name", EXPORTS)
def test_exports_that_were_saved_as_csv(write, name, saved):
    plain = sims.read(write(EXPORTS[name]))
    text = EXPORTS[name].decode("latin-1").replace("\r\n", "\n")
    # Two columns between blanks come apart.
    text = re.sub(r"(?m)^(\[um\]|-?\d\S+) {2,}(\S+)$", r"\1\t\2", text)
    if "decimal" in saved or "quotes" in saved:
        text = re.sub(r"(?<=\d)\.(?=\d)", ",", text)
    stream = io.StringIO()
    csv.writer(stream, **SAVED[saved]).writerows(line.split("\t") for line in text.split("\n"))
    result = sims.read(write(stream.getvalue()))
    assert len(result.depth_profiles) == len(plain.depth_profiles)
    for found, expected in zip(result.depth_profiles, plain.depth_profiles, strict=True):
        assert found.species_name == expected.species_name
        assert (found.depth_units, found.concentration_units) == (
            expected.depth_units,
            expected.concentration_units,
        )
        assert found.depths.tolist() == expected.depths.tolist()
        assert found.concentrations.tolist() == expected.concentrations.tolist()


RANGES = srim(np.arange(1, 101) * 80, {"B": np.arange(100) * 7.0, "Si": np.arange(100) * 3.0})


@pytest.mark.parametrize("content", [*EXPORTS.values(), RANGES], ids=[*EXPORTS, "srim"])
def test_exports_with_a_blank_line_after_every_line(write, content):
    plain = sims.read(write(content))
    result = sims.read(write(content.replace(b"\r\n", b"\r\n\r\n")))
    assert result.metadata.format == plain.metadata.format
    assert result.metadata.other == plain.metadata.other
    for found, expected in zip(result.depth_profiles, plain.depth_profiles, strict=True):
        assert found.species_name == expected.species_name
        assert found.depth_units == expected.depth_units
        assert found.concentration_units == expected.concentration_units
        assert found.depths.tolist() == expected.depths.tolist()
        assert found.concentrations.tolist() == expected.concentrations.tolist()
        assert found.species_metadata == expected.species_metadata


def test_an_export_over_depth_below_blank_lines(write):
    content = b"\r\n\r\n" + iontof(T, [("B+", "11.0093", K)], version=6).replace(
        b"Sputter Time (s)", b"Depth (nm)"
    ).replace(b"\t\r\n", b"\t\t\t\r\n")
    profile = sims.read(write(content))["B+"]
    assert profile.depths.tolist() == T.tolist()
    assert profile.depth_units == "nm"
    assert profile.concentrations.tolist() == K.tolist()
    assert profile.species_metadata["mass"] == "11.0093 u"


# --- what this library wrote, saved anew ------------------------------------------------------


def written(tmp_path, layout):
    limits = {"units": "atoms/cm^3", "values": [None, 2e15, None]}
    values = np.array([1.5e18, np.nan, 3e18])
    boron = sims.DepthProfile(
        species_name="B", depths=[1.5, 2.5, 3.5], depth_units="nm", concentrations=values,
        concentration_units="atoms/cm^3", concentrations_stderr=values / 10,
        extra={"columns": {"detection_limit": limits}},
    )  # fmt: skip
    silicon = sims.DepthProfile(
        species_name="Si", depths=[1.25, 2.25], depth_units="nm", concentrations=[5.5, 6.5],
        concentration_units="counts/s",
    )  # fmt: skip
    ds = sims.to_dataset([boron, silicon])
    text = sims.to_csv(ds, tmp_path / "x.csv", layout=layout).read_text()
    return ds, list(csv.reader(io.StringIO(text)))


@pytest.mark.filterwarnings("ignore:1 sample was not measured")
@pytest.mark.parametrize("layout", ["tidy", "paired"])
@pytest.mark.parametrize(
    ("delimiter", "comma"), [(";", True), ("\t", False), ("\t", True), (",", False)]
)
def test_tables_of_ours_that_were_saved_anew(write, tmp_path, layout, delimiter, comma):
    ds, rows = written(tmp_path, layout)
    stream = io.StringIO()
    empty = [""] if delimiter == "," else []
    csv.writer(stream, delimiter=delimiter).writerows(
        [*([c.replace(".", ",") if comma and i else c for c in row]), *empty]
        for i, row in enumerate(rows)
    )
    back = sims.read(write(stream.getvalue().encode("utf-16"))).to_dataset()
    for name in ds.data_vars:
        np.testing.assert_array_equal(back[name], ds[name])
        assert back[name].attrs["units"] == ds[name].attrs["units"]


@pytest.mark.filterwarnings("ignore:1 sample was not measured")
@pytest.mark.parametrize("layout", ["tidy", "paired"])
@pytest.mark.parametrize("book", [False, True])
def test_limits_of_ours_are_no_second_profile(write, workbook, tmp_path, layout, book):
    _, rows = written(tmp_path, layout)
    if book:
        cells = [[float(c) if re.match(r"\d", c) else c or None for c in row] for row in rows]
        path = workbook(S=cells)
    else:
        path = write("# copied\n" + "".join(",".join(row) + "\n" for row in rows))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        boron, silicon = sims.read(path).depth_profiles
    assert any("detection_limit" in name for name in boron.extra["columns"])
    np.testing.assert_array_equal(boron.concentrations, [1.5e18, np.nan, 3e18])
    np.testing.assert_array_equal(boron.concentrations_stderr, [1.5e17, np.nan, 3e17])
    assert silicon.concentrations.tolist() == [5.5, 6.5]


# --- a format that the file has not -----------------------------------------------------------


@pytest.mark.parametrize("name", sorted(set(sims.read_formats()) - {"table", "eag", "tidy"}))
@pytest.mark.parametrize("book", [False, True])
def test_a_format_that_the_file_has_not_is_named(write, workbook, name, book):
    path = workbook(S=[HEADER, *ROWS]) if book else write(",".join(HEADER) + "\n" + LINES)
    with pytest.raises(sims.ReadError):
        sims.read(path, format=name)
    (error,) = sims.read([path], format=name, errors="collect")
    assert isinstance(error, sims.ReadError)
