"""Tables of laboratories: every layout with values that are known, and what is refused."""

import datetime as dt
import io
from functools import partial

import numpy as np
import openpyxl
import pandas as pd
import pytest
from error_parts import raises, warns
from instrument_files import eag_rows
from shared_profiles import FOLDER

import sims_analysis as sims

Z = np.array([0.0, 2.5, 5.0, 7.5, 10.0])
B = np.array([1.5e18, 3.25e18, 2e18, 5e17, 1e16])
P = np.array([1e15, 2e15, 4e15, 2e15, 1e15])


@pytest.fixture
def workbook(tmp_path):
    def workbook(sheets, name="w7.xlsx"):
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(row)
        book.save(tmp_path / name)
        return tmp_path / name

    return workbook


def text(header, delimiter=",", comma=False, end="\n", columns=(Z, B, P), notes=""):
    rows = [delimiter.join(f"{v:g}" for v in row) for row in zip(*columns, strict=True)]
    body = end.join(rows)
    return header + end + (body.replace(".", ",") if comma else body) + end + notes


def check(result, **units):
    """The two profiles that most of these files hold."""
    for name, values in (("B", B), ("P", P)):
        assert result[name].depths.tolist() == Z.tolist(), name
        assert result[name].concentrations.tolist() == values.tolist(), name
        assert result[name].depth_units == units.get("depth", "nm")
    ds = result.to_dataset()
    assert ds["concentration"].sel(species="B").values.tolist() == B.tolist()
    return result


# --- one depth for all ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "Depth (nm),B (atoms/cm3),P (atoms/cm3)",
        "Depth [nm],B [at/cm³],P [cm^-3]",
        '"Depth (nm)","B (atoms/cc)","P (atoms/cc)"',
        "depth/nm,B/cm^-3,P/cm^-3",
        "Depth / nm,B conc. / cm^-3,P conc. / cm^-3",
        "z (nm),B concentration (cm^-3),P concentration (cm^-3)",
        "Depth,B,P\n(nm),(atoms/cc),(atoms/cc)",
        "Depth,B,P\nnm,atoms/cm3,atoms/cm3",
        "Sample: W7\nDepth,B,P\nnm,atoms/cm3,atoms/cm3",
        "# Depth (nm), B (cm-3), P (cm-3)",
        "Tiefe (nm),B Konzentration (at/cm3),P Konzentration (at/cm3)",
    ],
)
def test_headers_as_laboratories_write_them(write, header):
    check(sims.read(write(text(header))))


@pytest.mark.parametrize("note", ["# Dose = 3.0e13", "Energy = 300 keV", "# Mass = 79"])
def test_a_note_with_an_equals_sign_is_no_header(write, note):
    rows = "".join(f"{z} {c:.0f}\n" for z, c in zip(Z, B, strict=True))
    stated = {"species": "B", "depth_units": "nm", "units": "cm^-3"}
    profile = sims.read(write(f"{note}\n{rows}"), **stated)["B"]
    assert profile.depths.tolist() == Z.tolist()
    assert profile.concentrations.tolist() == B.tolist()


def test_a_unit_that_means_nothing_is_refused_with_the_argument(write):
    path = write("Depth (A),B (cm-3)\n50,7e17\n150,2e18\n250,4e18\n")
    with raises(sims.UnitsError, "ambiguous_unit", argument="depth_units", species="B"):
        sims.read(path)
    with warns(sims.ProfileWarning, "other_unit", argument="depth_units", species="B"):
        assert sims.read(path, depth_units="angstrom")["B"].depth_units == "angstrom"


@pytest.mark.parametrize("delimiter", ["\t", ";", "  ", "|", ","])
@pytest.mark.parametrize("comma", [False, True])
def test_delimiters_and_decimal_commas(write, delimiter, comma):
    if delimiter == "," and comma:
        pytest.skip("both cannot be")
    header = delimiter.join(["Depth_nm", "B_(cm-3)", "P_(cm-3)"])
    check(sims.read(write(text(header, delimiter, comma))))


def test_quoted_decimal_commas_between_commas(write):
    rows = ['"0,0","1,5E18"', '"2,5","3,25E18"', '"5,0","2E18"', '"7,5","5E17"', '"10,0","1E16"']
    profile = sims.read(write('"Depth, nm","B, cm^-3"\n' + "\n".join(rows)))["B"]
    assert profile.depths.tolist() == Z.tolist()
    assert profile.concentrations.tolist() == B.tolist()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be",
                                      "cp1252"])  # fmt: skip
def test_encodings(write, encoding):
    content = text("Depth (µm)\tB (at/cm³)\tP (at/cm³)", "\t", end="\r\n").encode(encoding)
    result = sims.read(write(content))
    assert result["B"].depth_units == "µm"
    assert result["B"].concentration_units == "at/cm³"
    assert result["P"].concentrations.tolist() == P.tolist()


def test_an_encoding_that_is_stated(write):
    content = text("深さ (nm)\tB (at/cm3)\tP (at/cm3)", "\t").encode("shift_jis")
    check(sims.read(write(content), encoding="shift_jis"))
    with raises(sims.ReadError, argument="encoding"):
        sims.read(write(content), encoding="ascii")


def test_mixed_line_ends_blank_lines_and_notes(write):
    content = text("\n\nDepth (nm)\tB (cm^-3)\tP (cm^-3)\n", "\t")
    content = content.replace("2.5\t", "\r\n2.5\t") + "\n\nNote: RSF from standard 7\nby M. M.\n"
    # What stands below an empty line may be another table.
    with warns(sims.ProfileWarning, "several_tables"):
        check(sims.read(write(content)))


def test_every_other_line_may_be_empty(write):
    check(sims.read(write(text("Depth (nm)\tB (cm^-3)\tP (cm^-3)", "\t", end="\r\r\n"))))


@pytest.mark.parametrize(
    "first", ["1,0000.5", "1'0005", "1.000,5.1", "01.02.2024", "(12)", "*12", "=A3+1"]
)
@pytest.mark.parametrize("book", [False, True])
def test_last_rows_whose_depth_is_no_number_are_no_notes(write, workbook, first, book):
    rows = [["Depth (nm)", "B (cm^-3)"], ["998", "1e18"], ["999", "2e18"], [first, "3e18"]]
    path = workbook({"S": rows}) if book else write("\n".join(map("\t".join, rows)) + "\n")
    place = {"sheet": "S", "row": 4} if book else {"line": 4}
    with raises(sims.ReadError, "not_a_number", column="A", **place):
        sims.read(path)


def test_a_row_of_numbers_below_that_begins_with_a_word_is_warned_of(write, workbook):
    rows = [["z (nm)", "B (cm^-3)", "z (nm)", "P (cm^-3)"], [0, 1, 0, 3], [1, 2, 1, 4]]
    last = ["n.d.", "n.d.", 2, 5]
    with warns(sims.ProfileWarning, argument="not_measured", sheet="S", row=4):
        assert sims.read(workbook({"S": [*rows, last]}))["P"].depths.tolist() == [0, 1]
    result = sims.read(workbook({"S": [*rows, last]}), not_measured=["n.d."])
    assert result["P"].concentrations.tolist() == [3, 4, 5]
    rows.append(["Rp", 7, "", ""])
    assert sims.read(workbook({"S": rows}))["P"].depths.tolist() == [0, 1]


@pytest.mark.parametrize("remark", ["paused for the night", "; paused", "' paused"])
def test_a_first_row_that_a_remark_cuts_off_is_no_header(write, remark):
    content = f"Depth (nm)\tB (cm^-3)\n0\t1e18\n{remark}\n1\t2e18\n2\t3e18\n"
    with raises(sims.ReadError, "ambiguous_table", line=2):
        sims.read(write(content), species="B", depth_units="nm", units="cm^-3")
    # Numbers of the columns stand above headers.
    content = "1\t2\nDepth (nm)\tB (cm^-3)\n0\t1e18\n1\t2e18\n"
    assert sims.read(write(content))["B"].depths.tolist() == [0, 1]


def test_hidden_sheets_come_last_and_processed_data_before_pasted_text(tmp_path):
    old = [["Depth (nm)", "B (cm^-3)"], [0, 9e18], [1, 9e18]]
    new = [["Depth (nm)", "B (cm^-3)"], [0, 1e18], [1, 2e18]]
    raw = [["IMS CAMECA"], ["****"], ["DEPTH PROFILE : x.dp"], ["****"], ["ELEMENT 11B"],
           ["2 points"], ["[um]\t[c/s]"], ["0\t5"], ["1\t6"]]  # fmt: skip
    for first, name, hidden in ((old, "Data", True), (raw, "Processed data", False)):
        book = openpyxl.Workbook()
        for row in first:
            book.active.append(row)
        sheet = book.create_sheet(name)
        for row in new:
            sheet.append(row)
        book.worksheets[0].sheet_state = "hidden" if hidden else "visible"
        book.save(tmp_path / "w7.xlsx")
        assert sims.read(tmp_path / "w7.xlsx")["B"].concentrations.tolist() == [1e18, 2e18]


# --- pairs of columns -------------------------------------------------------------------------


def test_pairs_of_columns_of_unequal_length(write):
    header = "B,,P,\nDepth,CONC.,Depth,CONC.\n(nm),(atoms/cc),(nm),(atoms/cc)\n"
    rows = "0,1E18,0.5,1e15\n1,2e18,1.5,2e15\n2,3e18,,\n"
    result = sims.read(write(header + rows))
    assert result["B"].depths.tolist() == [0, 1, 2]
    assert result["P"].depths.tolist() == [0.5, 1.5]


def test_the_layout_of_service_laboratories(workbook):
    blocks = [("B", Z, B, "atoms/cc"), ("P", Z[:3] + 0.25, P[:3], "atoms/cc"),
              ("Ge", Z, P / 1e17, "atom%"), ("Si->", Z, P / 1e12, "arb. units"),
              ("O–>", Z - 0.5, P / 1e12, "counts/sec")]  # fmt: skip
    path = workbook({"Summary": [["nothing"]], "Processed data": eag_rows(blocks)})
    result = sims.read(path)
    assert result.provenance["format"] == "eag"
    assert result.species == ["B", "P", "Ge", "Si->", "O–>"]
    for name, z, values, unit in blocks:
        assert result[name].depths.tolist() == z.tolist()
        assert result[name].concentrations.tolist() == values.tolist()
        assert result[name].concentration_units == unit
    assert result.metadata.laboratory == "Evans Analytical Group"
    assert result.metadata.sample == "ID W2834"
    assert result.metadata.other["Num of Cycles"] == "5"


def test_the_same_layout_as_text(write):
    blocks = [("B", Z, B, "atoms/cc"), ("P", Z, P, "atoms/cc")]
    rows = eag_rows(blocks, spacer=False)
    lines = [",".join("" if c is None else str(c) for c in row) for row in rows]
    result = check(sims.read(write("\r\n".join(lines))))
    assert result.provenance["format"] == "eag"


def test_sheets_are_chosen_by_name_or_number(workbook, approved):
    rows = [["Depth (nm)", "B (cm-3)"], *np.column_stack([Z, B]).tolist()]
    other = [["Depth (nm)", "B (cm-3)"], *np.column_stack([Z, P]).tolist()]
    path = workbook({"cover": [["a workbook"]], "first": other, "Processed data": rows})
    assert sims.read(path)["B"].concentrations.tolist() == B.tolist()
    for sheet in ("first", 1):
        assert sims.read(path, sheet=sheet)["B"].concentrations.tolist() == P.tolist()
    with raises(sims.ReadError, argument="sheet", text=approved):
        sims.read(path, sheet="raw")
    with raises(sims.ReadError, "no_profile"):
        sims.read(path, sheet="cover")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_tables_whose_lines_were_pasted_into_one_column(workbook, delimiter):
    lines = text("Depth (nm),B (cm^-3),P (cm^-3)").replace(",", delimiter).splitlines()
    sheets = {"About": [["measured by us"]], "Data": [["W7"], [], *([line] for line in lines)]}
    check(sims.read(workbook(sheets)))
    check(sims.read(workbook(sheets), sheet="Data"))


def test_old_workbooks(tmp_path):
    xlwt = pytest.importorskip("xlwt")
    book = xlwt.Workbook()
    sheet = book.add_sheet("data")
    for i, row in enumerate([["Depth (nm)", "B (cm-3)"], *np.column_stack([Z, B]).tolist()]):
        for j, cell in enumerate(row):
            sheet.write(i, j, cell)
    book.save(str(tmp_path / "w7.xls"))
    assert sims.read(tmp_path / "w7.xls")["B"].concentrations.tolist() == B.tolist()


def test_standard_errors_in_another_unit_than_their_values_are_refused(write):
    with raises(sims.UnitsError, "different_units"):
        sims.read(write("Depth (nm),B (cm^-3),B std (m^-3)\n0,1e18,1e22\n1,2e18,2e22\n"))
    path = write("Depth (nm),B (cm^-3),B std (atoms/cm3)\n0,1e18,1e16\n1,2e18,2e16\n")
    assert sims.read(path)["B"].concentrations_stderr.tolist() == [1e16, 2e16]


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (0, 2, 3, 1), (1, 2, 3, 0), (2, 3, 0, 1)])
def test_a_time_and_a_depth_wherever_they_stand(write, order):
    columns = [["Time (s)", 5, 10], ["Depth (nm)", 0, 2], ["B (cps)", 7, 8], ["P (cps)", 1, 2]]
    lines = [",".join(str(columns[j][i]) for j in order) for i in range(3)]
    result = sims.read(write("\n".join(lines) + "\n"))
    assert result.species == ["B", "P"]
    for profile in result.depth_profiles:
        assert (profile.depths.tolist(), profile.depth_units) == ([0, 2], "nm")
    times = result["B"].extra["columns"]["sputter_time"]
    assert times == {"units": "s", "values": [5, 10]}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", " "])
@pytest.mark.parametrize("left", ["5 3", "5 3e1", "5", "5 3.5e"])
def test_a_text_that_ends_within_a_row_is_refused(write, delimiter, left):
    content = "z/nm B/cm^-3 P/cm^-3\n0 1e18 5\n1 2e18 6\n2 2e18 6\n".replace(" ", delimiter)
    path = write(content + left.replace(" ", delimiter))
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated", line=5):
        sims.read(path)
    if left == "5 3e1":
        with warns(sims.ProfileWarning, "truncated_file", line=5):
            assert sims.read(path, allow_truncated=True)["B"].depths.tolist() == [0, 1, 2, 5]
    # With the end of its line, a row may have fewer cells, but nobody can tell which.
    if left == "5 3" and delimiter != " ":
        with warns(sims.ProfileWarning, "ambiguous_table", line=5):
            assert sims.read(write(path.read_text() + "\n"))["B"].depths.tolist() == [0, 1, 2, 5]


@pytest.mark.parametrize("cut", ["9,1.2500E+01", "9,1.2500E+01,", "9,1.2500E+01,7.50"])
def test_a_last_cell_that_is_shorter_than_all_others_is_warned_of(write, cut):
    rows = [f"{z},1.2500E+01,7.5000E+00" for z in range(9)]
    path = write("\n".join(["Depth (nm),B (cps),P (cps)", *rows, cut]))
    if cut.count(",") == 1:
        with raises(sims.ReadError, "truncated_file", argument="allow_truncated", line=11):
            sims.read(path)
        return
    with warns(sims.ProfileWarning, "truncated_file", line=11):
        sims.read(path)


def test_cycles_and_times_beside_a_depth(write):
    text_ = "Cycle,Time (s),Depth (nm),B (cm^-3)\n1,5,0,1e18\n2,10,2,2e18\n3,15,4,1e18\n"
    profile = sims.read(write(text_))["B"]
    assert profile.depths.tolist() == [0, 2, 4]
    assert profile.extra["columns"]["sputter_time"] == {"units": "s", "values": [5, 10, 15]}
    assert profile.extra["columns"]["Cycle"]["values"] == [1, 2, 3]


@pytest.mark.parametrize(
    ("header", "unit"),
    [("Fluence (ions/cm2)", "ions/cm2"), ("Ion dose", None), ("Depth error (nm)", "nm")],
)
def test_numbers_beside_a_depth_that_are_no_signal(write, header, unit):
    profile = sims.read(write(f"Depth (nm),{header},B (cm^-3)\n0,1,1e18\n2,5,2e18\n4,9,1e18\n"))[
        "B"
    ]
    assert profile.concentrations.tolist() == [1e18, 2e18, 1e18]
    assert profile.concentrations_stderr is None
    assert profile.extra["columns"] == {header: {"units": unit, "values": [1, 5, 9]}}


def test_a_species_in_concentration_and_intensity(write):
    text_ = "Depth (nm),B (cm^-3),B (counts/s)\n0,1e18,100\n1,2e18,200\n2,3e18,300\n"
    ds = sims.read(write(text_)).to_dataset()
    assert ds["species"].values.tolist() == ["B"]
    assert ds["intensity"].values.tolist() == [[100, 200, 300]]
    assert ds["concentration"].values.tolist() == [[1e18, 2e18, 3e18]]


# --- what the file does not say ---------------------------------------------------------------


def test_units_that_no_line_states_have_to_be_passed(write, approved):
    path = write("Depth\tGa->\tDepth\tMg\n0.1\t2E7\t0.1\t9E19\n0.2\t3E7\t0.2\t8E19\n")
    with raises(sims.UnitsError, "missing_unit", argument="depth_units", species="Ga->"):
        sims.read(path)
    with raises(sims.UnitsError, "missing_unit", argument="units", species="Mg"):
        sims.read(path, depth_units="um", units={"Ga->": "counts/s"})
    units = {"Mg": "atoms/cm3", "Ga->": "counts/s"}
    ds = sims.read(path, depth_units="um", units=units).to_dataset()
    assert ds["depth"].values.tolist() == [100, 200]
    with raises(sims.SpeciesError, argument="units", text=approved):
        sims.read(path, depth_units="um", units={"Mn": "atoms/cm3"})


def test_two_bare_columns(write):
    path = write("57.3 6.9e17\n68.1 8.6e17\n78.9 1.0e18\n", "se.dat")
    with raises(sims.UnitsError, "missing_axis", argument="depth_units"):
        sims.read(path)
    with raises(sims.SpeciesError, "missing_species", argument="species"):
        sims.read(path, depth_units="nm", units="cm^-3")
    profile = sims.read(path, depth_units="nm", units="cm^-3", species="Se")["Se"]
    assert profile.depths.tolist() == [57.3, 68.1, 78.9]


def test_a_unit_that_is_stated_otherwise_is_warned_of(write):
    stated = partial(warns, sims.ProfileWarning, "other_unit", argument="depth_units")
    with stated(species="B"), stated(species="P"):
        result = sims.read(write(text("Depth (nm),B (cm^-3),P (cm^-3)")), depth_units="um")
    assert result["B"].depth_units == "um"


def test_ambiguous_and_unknown_units_are_refused_with_their_species(write):
    with raises(sims.UnitsError, "ambiguous_unit", argument="depth_units", species="B"):
        sims.read(write(text("Depth (A),B (cm^-3),P (cm^-3)")))
    with raises(sims.UnitsError, "ambiguous_unit", argument="units", species="P"):
        sims.read(write(text("Depth (nm),B conc. (cm^-3),P conc. (%)")))


def test_columns_by_number_letter_and_header(write):
    path = write("a,b,c,d\n0,5,1e18,7\n1,6,2e18,8\n2,7,3e18,9\n")
    stated = {"depth_units": "nm", "units": "cm^-3"}
    for pair in [(0, 2), ("a", "c"), ("A", "C")]:
        profile = sims.read(path, columns={"B": pair}, **stated)["B"]
        assert profile.concentrations.tolist() == [1e18, 2e18, 3e18]
    with raises(sims.ReadError, argument="columns"):
        sims.read(path, columns={"B": ("a", "e")}, **stated)
    with raises(sims.ReadError, argument="columns"):
        sims.read(path, columns={"B": (0, 4)}, **stated)


def test_headers_that_hold_blanks_above_columns_between_blanks(write):
    for header in ("Depth (nm)   B (cm^-3)   P (cm^-3)", "Depth (nm) B (cm^-3) P (cm^-3)"):
        check(sims.read(write(text(header, "  "))))


def test_logarithms_are_refused(write):
    headers = ["log B (cm-3)", "log10(B) (cm-3)", "ln B (cm-3)", "B log10 (cm-3)", "B_log10 (cm-3)",
             "B (log10 cm-3)", "logB (cm-3)", "B [log(at/cm3)]"]  # fmt: skip
    for header in headers:
        with raises(sims.UnitsError, "scaled_values", line=1, column="B"):
            sims.read(write(f"Depth (nm),{header}\n0,18\n1,18.3\n"))


@pytest.mark.parametrize("header", ["B error (cm^-3)", "±", "stderr", "B std (cm^-3)"])
def test_standard_errors_beside_values(write, header):
    path = write(f"Depth (nm),B (cm^-3),{header},P (cm^-3)\n0,1e18,1e16,5\n1,2e18,2e16,6\n")
    result = sims.read(path)
    assert result.species == ["B", "P"]
    assert result["B"].concentrations_stderr.tolist() == [1e16, 2e16]
    assert result["P"].concentrations_stderr is None
    with raises(sims.ReadError, "ambiguous_table"):
        sims.read(write("Depth (nm),B (cm^-3),P error (cm^-3)\n0,1e18,5\n1,2e18,6\n"))


def test_row_numbers_of_a_dataframe_are_no_signal(write):
    frame = pd.DataFrame({"depth (nm)": Z, "B (cm^-3)": B, "P (cm^-3)": P})
    check(sims.read(write(frame.to_csv())))


def test_what_stands_above_and_below_the_numbers_is_kept(write):
    above = "Sample: W7\nOperator,M. M.\n"
    result = sims.read(write(text(above + "Depth (nm),B (cm-3),P (cm-3)", notes="\nDose,6e13\n")))
    assert result.metadata.other == {"Sample": "W7", "Operator": "M. M.", "Dose": "6e13"}


def test_a_column_without_numbers_is_warned_of(write):
    with warns(sims.ProfileWarning, "empty_column"):
        assert sims.read(write("Depth (nm),B (cm-3),P (cm-3)\n0,1e18,\n1,2e18,\n")).species == ["B"]


def test_two_depths_around_the_values_are_refused(write):
    with raises(sims.ReadError, "ambiguous_table", argument="columns"):
        sims.read(write("Depth (nm),B (cps),Depth (um)\n0,0,0\n60,1,0.06\n"))


def test_two_depths_side_by_side_are_refused(write):
    with raises(sims.ReadError, "ambiguous_table", argument="columns"):
        sims.read(write("Depth (nm),Depth (nm),B (cm^-3)\n0,1,5\n1,2,6\n"))


TIDY = "wafer;Species;Depth (nm);conc. (cm^-3);counts (cps)\n"


def test_a_row_for_each_sample(write):
    rows = "7;B;0;1,5E18;5\n7;B;1;<2E15;\n7;31P;0,5;1E15;\n7;31P;1,5;2E15;\n"
    result = sims.read(write(TIDY.replace("wafer;", "") + rows.replace("7;", "", 4)))
    assert result.provenance["format"] == "tidy"
    assert result.species == ["B", "B", "31P"]
    assert result["31P"].depths.tolist() == [0.5, 1.5]
    np.testing.assert_array_equal(result["B"].concentrations, [1.5e18, np.nan])
    assert result["B"].species_metadata["detection_limit"] == "2e+15 cm^-3"
    with raises(sims.ReadError, "not_a_number", line=3, column="B"):
        sims.read(write("Species,Depth (nm),B (cm^-3)\nB,0,1\nB,x,2\n"))


def test_rows_for_each_sample_that_break_off(write):
    path = write("species,depth (nm),conc (at/cm3)\nB,0,1e18\nB,1,2e18\nB,2")
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated", line=4):
        sims.read(path)
    with warns(sims.ProfileWarning, "truncated_file", line=4):
        assert sims.read(path, allow_truncated=True)["B"].depths.tolist() == [0, 1, 2]


def test_a_tidy_dataframe():
    df = pd.DataFrame({"element": ["B"] * 5 + ["P"] * 5, "depth (nm)": [*Z, *Z],
                       "concentration (cm^-3)": [*B, *P]})  # fmt: skip
    check(sims.from_dataframe(df))


# --- cells ------------------------------------------------------------------------------------


def test_censored_cells_are_not_measured_and_keep_their_limit(write):
    rows = "0;1,5E18\n1;<2E15\n2;< 5E15\n3;1E18\n"
    profile = sims.read(write("Depth (nm);B (at/cm3)\n" + rows))["B"]
    np.testing.assert_array_equal(profile.concentrations, [1.5e18, np.nan, np.nan, 1e18])
    assert profile.species_metadata["detection_limit"] == "5e+15 at/cm3"
    assert profile.species_metadata["below_detection_limit"] == "2 of 4 samples"
    assert profile.extra["columns"]["detection_limit"]["values"] == [None, 2e15, 5e15, None]
    assert np.isnan(sims.to_dataset([profile])["concentration"].values).sum() == 2


def test_a_cell_that_is_no_number_is_named(write, approved):
    header = "Depth (nm)\tB (at/cm3)\n0\t1E18\n1\t2E18\n"
    others = ("0x1F", "1 234", "#DIV/0!", "1_000", "True")
    for cell in ("1,234", "1.2.3", "n.d.", "2024-03-01", "1.Mar", ">1E21", *others):
        with raises(sims.ReadError, "not_a_number", line=4, column="B", text=approved):
            sims.read(write(f"{header}2\t{cell}\n3\t4E18\n"))


def test_a_bad_last_cell_is_no_note(write):
    with raises(sims.ReadError, "not_a_number", line=4, column="B"):
        sims.read(write("Depth (nm)\tB (at/cm3)\n0\t1E18\n1\t2E18\n2\t3.E1x\n"))


def test_texts_for_nothing_measured(write):
    path = write("Depth (nm);B (at/cm3)\n0;1E18\n1;n.d.\n2;\n3;NaN\n4;2E18\n")
    profile = sims.read(path, not_measured=["n.d."])["B"]
    np.testing.assert_array_equal(profile.concentrations, [1e18, np.nan, np.nan, np.nan, 2e18])


def test_a_comma_that_may_mean_either_is_refused_until_stated(write):
    path = write("Depth (nm);B (at/cm3)\n1;1,234\n2;5,678\n")
    with raises(sims.ReadError, "not_a_number", line=2, column="B"):
        sims.read(path)
    profile = sims.read(path, decimal=",")["B"]
    assert profile.concentrations.tolist() == [1.234, 5.678]


def test_a_date_that_excel_made_is_named_by_sheet_row_and_column(workbook):
    day = dt.datetime(2024, 3, 1)  # noqa: DTZ001 - as a spreadsheet has it
    path = workbook({"data": [["Depth (nm)", "B (cm-3)"], [0, 1e18], [1, day], [2, 3e18]]})
    with raises(sims.ReadError, "not_a_number", sheet="data", row=3, column="B"):
        sims.read(path)


def test_formulas_that_were_never_calculated_are_named(workbook):
    rows = [["Depth (nm)", "B (cm-3)"], [0, 1e18], ["=A2+1", 2e18], [2, 3e18]]
    with raises(sims.ReadError, "not_a_number", sheet="data", row=3, column="A"):
        sims.read(workbook({"data": rows}))


def test_numbers_as_text_and_other_cells_of_a_workbook(workbook):
    rows = [["Depth (nm)", "B (cm-3)"], ["0", "1.5E18"], ["2,5", 2e18], [5, "<1E15"]]
    profile = sims.read(workbook({"data": rows}))["B"]
    np.testing.assert_array_equal(profile.depths, [0, 2.5, 5])
    np.testing.assert_array_equal(profile.concentrations, [1.5e18, 2e18, np.nan])
    with raises(sims.ReadError, "not_a_number", sheet="data", row=3, column="B"):
        sims.read(workbook({"data": [["Depth (nm)", "B (cm-3)"], [0, 1], [1, True], [2, 3]]}))


def test_depths_that_go_back_are_kept_as_they_are(write):
    path = write("Depth (nm),B (cm^-3)\n0,1e18\n5,2e18\n4,3e18\n6,1e18\n")
    result = sims.read(path)
    assert result["B"].depths.tolist() == [0, 5, 4, 6]
    with warns(sims.ProfileWarning, "unordered_axis", species="B"):
        assert result.to_dataset()["depth"].values.tolist() == [0, 4, 5, 6]


def test_a_last_row_without_values_is_no_row_of_zeros(write):
    path = write("Depth (nm),B (cm^-3),P (cm^-3)\n1,1e18,1e17\n5,2e18,1e17\n6,1e18,1e17\n7,,\n")
    assert np.isnan(sims.read(path)["B"].concentrations[-1])


def test_a_value_without_a_depth_is_refused(write):
    with raises(sims.ReadError, "missing_depth", line=3, column="A"):
        sims.read(write("Depth (nm),B (cm^-3)\n1,1e18\n,2e18\n6,1e18\n"))
    with raises(sims.ReadError, "missing_depth", species="B"):
        sims.read(write("Depth (nm),B (cm^-3)\n1,1e18\ninf,2e18\n6,1e18\n"))


def test_infinities_are_not_measured_and_counted(write):
    profile = sims.read(write("Depth (nm),B (cm^-3)\n1,1e18\n2,inf\n6,1e18\n"))["B"]
    np.testing.assert_array_equal(profile.concentrations, [1e18, np.nan, 1e18])
    assert profile.species_metadata["infinite_values"] == "1"


def test_a_second_table_below_is_refused(write):
    with raises(sims.ReadError, "several_tables", line=4):
        sims.read(write("Depth (nm),B (cm^-3)\n1,1e18\n2,2e18\nDepth (nm),P (cm^-3)\n1,1\n2,2\n"))


# --- DataFrames -------------------------------------------------------------------------------


def test_dataframes():
    df = pd.DataFrame({"Depth (nm)": Z, "B (cm^-3)": B, "P (cm^-3)": P})
    check(sims.from_dataframe(df))
    check(sims.from_dataframe(df.set_index("Depth (nm)")))
    bare = pd.DataFrame({"x": Z, "B": B, "P": P})
    check(sims.from_dataframe(bare, depth_units="nm", units="cm^-3"))
    with raises(sims.UnitsError, "missing_axis", argument="depth_units"):
        sims.from_dataframe(bare, units="cm^-3")


def test_a_dataframe_with_gaps():
    df = pd.DataFrame({"Depth (nm)": Z, "B (cm^-3)": [*B[:4], np.nan]})
    assert np.isnan(sims.from_dataframe(df)["B"].concentrations[4])


# --- real files -------------------------------------------------------------------------------


def real(name):
    path = FOLDER / name
    if not path.exists():
        pytest.skip(f"no ../shared/data/{name}")
    return path


def test_a_real_table_without_units():
    path = real("nist_gan_mg_d315/raw/D315.txt")
    plain = np.loadtxt(path, delimiter="\t", skiprows=1)
    units = {"Mg": "atoms/cm3", "Ga->": "counts/s"}
    result = sims.read(path, depth_units="um", units=units)
    assert result["Ga->"].concentrations.tolist() == plain[:, 1].tolist()
    assert result["Mg"].depths.tolist() == plain[:, 2].tolist()
    assert result["Mg"].concentrations.tolist() == plain[:, 3].tolist()


@pytest.mark.filterwarnings("ignore::sims_analysis.ProfileWarning")
@pytest.mark.parametrize(
    ("name", "dose"), [("Al_SiC_30.sims", 3.0e13), ("b80_7.dat", 1e13), ("Se300_GaAs100.dat", None),
                       ("Al_SiC_90.sims", None), ("as100_8_30.dat", None)]
)  # fmt: skip
def test_real_two_columns(name, dose):
    found = sorted(FOLDER.glob(f"formats/two_column/*{name}"))
    if not found:
        pytest.skip(f"no ../shared/data/formats/two_column/*{name}")
    plain = np.array([[float(x) for x in line.split()]
                      for line in found[0].read_text().splitlines() if line.strip()])  # fmt: skip
    result = sims.read(found[0], depth_units="nm", units="cm^-3", species="X")
    assert result["X"].depths.tolist() == plain[:, 0].tolist()
    assert result["X"].concentrations.tolist() == plain[:, 1].tolist()
    if dose is not None:
        found_dose = sims.integrated_dose(result.to_dataset())
        assert found_dose.item() == pytest.approx(dose, rel=0.25)


def test_real_files_of_a_laboratory_layout():
    path = real("formats/eag_layout/quantized_sims_four_species_profile.csv")
    plain = np.genfromtxt(path, delimiter=",", skip_header=9)
    result = sims.read(path)
    assert result.species == ["B", "P", "As", "Sb"]
    for j, profile in enumerate(result.depth_profiles):
        assert profile.depths.tolist() == plain[:, 2 * j].tolist()
        assert profile.concentrations.tolist() == plain[:, 2 * j + 1].tolist()
    book = sims.read(real("formats/eag_layout/quantized_sims_synth.xlsx"))
    assert book["O"].concentrations.tolist() == [2e22, 3e22, 2.5e22, 2.2e22]


def test_bytes_that_excel_writes_as_unicode_text(write):
    frame = pd.DataFrame({"Depth (nm)": Z, "B (at/cm3)": B, "P (at/cm3)": P})
    stream = io.StringIO()
    frame.to_csv(stream, sep="\t", decimal=",", index=False, lineterminator="\r\n")
    check(sims.read(write(stream.getvalue().encode("utf-16"))))


@pytest.mark.parametrize(
    ("header", "name", "unit"),
    [
        ("SnO- (c/s)", "SnO-", "c/s"),
        ("SnO (c/s)", "SnO", "c/s"),
        ("O- intensity (c/s)", "O-", "c/s"),
        ("30Si - (counts/s)", "30Si", "counts/s"),
        ("30Si counts/s", "30Si", "counts/s"),
        ("Ga->_counts/s", "Ga->", "counts/s"),
        ("30Si int. counts/s", "30Si", "counts/s"),
        ("Mg-Konzentration (Atome/cm³)", "Mg", "Atome/cm³"),
        ("Mg 濃度 (atoms/cm3)", "Mg", "atoms/cm3"),
    ],
)
def test_headers_give_names_with_their_charge_and_units_of_rates(write, header, name, unit):
    result = sims.read(write(f"Depth (nm),{header},X (at/cm3)\n0,5,1\n1,6,2\n2,7,3\n".encode()))
    assert result.species == [name, "X"]
    assert result[name].concentration_units == unit


def test_thousands_are_named_by_their_cell_not_taken_for_a_header(write):
    text = "Depth (nm)\tB (at/cm3)\n" + "".join(f"{i}.5\t{i + 1},852,800\n" for i in range(3))
    assert sims.read(write(text.encode()))["B"].concentrations[0] == 1852800
    with raises(sims.ReadError, "not_a_number", line=2, column="B"):
        sims.read(write(text.replace(",800", "").encode()))


@pytest.mark.parametrize(
    ("rows", "line"),
    [("0 1 0.5 3\n1 2 1.5 4\n       2.5 5\n       3.5 6\n", 4), ("0 1 5 3\n1   6 4\n2 1 7 5\n", 3)],
)
def test_cells_that_are_missing_between_blanks_are_not_guessed(write, rows, line):
    header = "z(nm) B(at/cm3) z(nm) P(at/cm3)" if "0.5" in rows else "z(nm) B(c/s) As(c/s) P(c/s)"
    with raises(sims.ReadError, "ambiguous_table", line=line):
        sims.read(write(f"{header}\n{rows}"))


def test_nan_stands_between_blanks_for_what_was_not_measured(write):
    boron, phosphorus = sims.read(write("z(nm) B(c/s) P(c/s)\n0 1 nan\n1 2 3\n")).depth_profiles
    assert boron.concentrations.tolist() == [1, 2]
    np.testing.assert_array_equal(phosphorus.concentrations, [np.nan, 3])


@pytest.mark.parametrize("unit", ["10^18 at/cm3", "x1E18 at/cm3", "1e18 cm-3", "E18 cm^-3"])
def test_a_factor_before_a_unit_is_refused(write, unit):
    with raises(sims.UnitsError, "ambiguous_unit", line=1, column="B"):
        sims.read(write(f"Depth (nm),B ({unit})\n0,1.5\n1,2\n"))


def test_a_last_cell_without_the_exponent_of_all_others_is_warned_of(write):
    path = write("Depth (nm),B (cm^-3)\n0,1.5e18\n1,2.5e18\n2,2.5e18\n3,1.25")
    with warns(sims.ProfileWarning, "truncated_file", line=5):
        sims.read(path)


def test_thousands_anywhere_in_a_table_are_named(write):
    rows = "999.5\t1E18\n1,000.5\t2E18\n1001.5\t3E18\n"
    with raises(sims.ReadError, "not_a_number", line=3, column="A"):
        sims.read(write(f"Depth (nm)\tB (cm^-3)\n{rows}"))


@pytest.mark.parametrize("row", ["B,0,5,1,5e18", "B,1,2e18,5"])
def test_a_cell_too_many_in_a_row_for_a_sample_is_refused(write, row):
    header = "Species,Depth (nm),Conc (at/cm3)"
    with raises(sims.ReadError, "ambiguous_table", line=3):
        sims.read(write(f"{header}\nB,0,1e18\n{row}\n"))
    assert len(sims.read(write(f"{header}\nB,0,1e18,\nB,1,1e18,\n"))["B"].depths) == 2


WORDS = """# a comment
species,depth (nm),C (atoms/cm3)
"B, implanted",1,1e18

"B, implanted",2,<2E15
nan,1,5
11,1,7
nan ,2,6
"""


def test_a_column_of_species_holds_words(tmp_path):
    path = tmp_path / "tidy.csv"
    path.write_text(WORDS)
    boron, named, numbered = sims.read(path).depth_profiles
    assert [p.species_name for p in (boron, named, numbered)] == ["B, implanted", "nan", "11"]
    np.testing.assert_array_equal(boron.concentrations, [1e18, np.nan])
    assert boron.species_metadata["detection_limit"] == "2e+15 atoms/cm3"
    np.testing.assert_array_equal(named.concentrations, [5, 6])
    np.testing.assert_array_equal(numbered.depths, [1])
    path.write_text(WORDS.replace("11,1,7", "11,1,x"))
    with raises(sims.ReadError, "not_a_number", line=7, column="C"):
        sims.read(path)
    path.write_text(WORDS.replace("11,1,7", " ,1,7"))
    with raises(sims.ReadError, "missing_species", line=7):
        sims.read(path)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        # A spreadsheet has made a date of the first depth.
        ("Depth (nm),B (atoms/cm3)\n1-Feb,1e18\n2,1e17\n3,1e16\n", {"column": "A", "line": 2}),
        # The marks of decimals are those of the rows above.
        (
            "Depth (nm);B (at/cm3);C (at/cm3)\n0,5;1E18;1,5E17\n1,5;1E17;2,5E17\n2,5;1E17;x\n3;4\n",
            {"column": "C", "line": 4},
        ),
        ("B.E. (eV),Counts / s\n1200,5\n1199,7\n1198,6\n", {}),
    ],
)
def test_errors_name_the_right_cell(tmp_path, text, place):
    path = tmp_path / "table.csv"
    path.write_text(text)
    with raises(sims.ReadError, "not_a_number" if place else "no_profile", **place):
        sims.read(path)


def test_a_file_that_ends_within_a_number(tmp_path):
    path = tmp_path / "cut.csv"
    path.write_text("Depth (nm);B (atoms/cm3)\n0,5;1,5E+17\n1,5;2,5E+17\n2,5;2,5E+17\n3,5;2,5E+")
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated", line=5):
        sims.read(path)
    with warns(sims.errors.ProfileWarning, "truncated_file", line=5):
        (boron,) = sims.read(path, allow_truncated=True).depth_profiles
    np.testing.assert_array_equal(boron.depths, [0.5, 1.5, 2.5])


def test_names_above_units_alone(tmp_path):
    book = openpyxl.Workbook()
    for row in (["Sample 4711"], ["B", None, "O", None], ["nm", "at/cm3", "nm", "counts/s"]):
        book.active.append(row)
    for i in range(4):
        book.active.append([i, 1e18 + i, 2 * i, 5.0 + i])
    book.save(tmp_path / "pairs.xlsx")
    boron, oxygen = sims.read(tmp_path / "pairs.xlsx").depth_profiles
    assert (boron.species_name, oxygen.species_name) == ("B", "O")
    assert (boron.concentration_units, oxygen.concentration_units) == ("at/cm3", "counts/s")
    np.testing.assert_array_equal(oxygen.depths, [0, 2, 4, 6])


def test_other_sheets_with_numbers_are_warned_of(tmp_path):
    book = openpyxl.Workbook()
    for name in ("wafer 1", "wafer 2", "notes"):
        sheet = book.create_sheet(name)
        sheet.append(["Depth (nm)", "B (atoms/cm3)"])
        for i in range(3 if name != "notes" else 0):
            sheet.append([i, 1e18])
    book.save(tmp_path / "two.xlsx")
    with warns(sims.errors.ProfileWarning, "several_tables", argument="sheet") as warned:
        sims.read(tmp_path / "two.xlsx")
    assert len(warned) == 1
    sims.read(tmp_path / "two.xlsx", sheet="wafer 2")


TWO_ROWS = """Cycle;Time;Depth;11B;11B;30Si
;;;rate;conc.;rate
#;s;nm;c/s;at/cm3;c/s
1;0,5;1,2;1,50E+02;1,10E+17;2,00E+05
2;1,0;2,4;1,70E+02;1,30E+17;2,10E+05
"""


def test_two_rows_of_headers_are_one(write):
    profiles = sims.read(write(TWO_ROWS)).depth_profiles
    assert [p.species_name for p in profiles] == ["11B", "11B", "30Si"]
    assert [p.concentration_units for p in profiles] == ["c/s", "at/cm3", "c/s"]
    assert profiles[1].concentrations.tolist() == [1.1e17, 1.3e17]
    spanned = "Depth (nm)\tB\t\tP\t\n\tMittelwert\tStabw.\tMittelwert\tStabw.\n"
    result = sims.read(write(spanned + "0\t5\t1\t7\t2\n1\t6\t1\t8\t2\n"), units="at/cm3")
    assert result.species == ["B", "P"]
    assert result["P"].concentrations_stderr.tolist() == [2, 2]


@pytest.mark.parametrize(
    "above",
    [
        ";at/cm3;at/cm3\nDepth (nm);B;P\n",
        "Concentration (at/cm3)\nDepth (nm);B;P\n",
        ";Conc. (at/cm3);\nDepth (nm);B;P\n",
    ],
)
def test_units_above_headers(write, above):
    result = sims.read(write(above + "0;5;7\n1;6;8\n"))
    assert {p.concentration_units for p in result.depth_profiles} == {"at/cm3"}
    assert result.species == ["B", "P"]


@pytest.mark.parametrize("factor", ["x1E18", "×10^18", "(10¹⁸)", "*1000"])
def test_a_row_of_factors_is_refused(write, factor):
    text = f"Depth (nm);B (at/cm3);P (at/cm3)\n;{factor};{factor}\n0;5;7\n1;6;8\n"
    with raises(sims.UnitsError, "ambiguous_unit", line=2, column="B"):
        sims.read(write(text))


def test_numbers_of_japanese_keyboards(write):
    text = "深さ（nm）;B濃度（at/cm3）\n０;１．５Ｅ１８\n２．５;＜２Ｅ１５\n５;３Ｅ１７\n"
    profile = sims.read(write(text))["B"]
    assert profile.depths.tolist() == [0, 2.5, 5]
    np.testing.assert_array_equal(profile.concentrations, [1.5e18, np.nan, 3e17])


def test_a_minimum_beside_depths_is_no_time(write):
    text = "Depth (nm);mean;min\n0;5;4\n1;6;5\n"
    result = sims.read(write(text), units="at/cm3", species=["B", "lowest"])
    assert result["lowest"].depths.tolist() == [0, 1]


def test_names_of_two_bytes_are_refused_without_a_stated_encoding(write):
    text = "Depth (nm),B浓度 (at/cm3)\n0,5\n1,6\n".encode("gb18030")
    with raises(sims.SpeciesError, "unknown_encoding", argument="encoding"):
        sims.read(write(text))
    assert sims.read(write(text), encoding="gb18030").species == ["B"]


@pytest.mark.parametrize("last", ["W7;", "W7", "W7;2;7.1E+"])
def test_a_text_that_ends_behind_a_label_is_refused(write, last):
    header = "Sample;Depth (nm);B (at/cm3);P (at/cm3)\n"
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated", line=4):
        sims.read(write(f"{header}W7;0;5;1\nW7;1;6;2\n{last}"))
    assert sims.read(write(header + "W7;0;5;1\nW7;1;6;2"))["B"].depths.tolist() == [0, 1]


@pytest.mark.parametrize(
    ("numbers", "warned"),
    [
        (["1.50E+18", "2.50E+18", "3.50E+18"], False),
        (["1.50E+18", "2.50E+18", "3.50E+1"], True),
        (["1.50E+18", "2.50"], True),
        (["1.50E+18", "0"], False),
        (["1", "", ""], True),
        (["12.50", "13.25", "11.00", "9.75"], False),
        (["12.50", "13.25", "11.00", "9.7"], True),
        (["1500", "1300", "900", "800"], False),
        (["1500", "1300", "900", "80"], True),
        (["150.0", "15"], True),
        (["0.123456", "0.223456", "0.3234", "0.423456", "0.523456"], False),
        (["0.123456", "0.223456", "0.323456", "0.423456", "0.52"], True),
        (["1.5e3", "2.5e3", "3.5e3"], False),
        (["1.5e3", "2.5e3", "3.5e03"], True),
        (["1.5d3", "2.5d3", "3.5"], True),
        (["1.5e3", "2.5e3", "0.0"], False),
        # Decimals that all others have, or a zero that is written out.
        (["1.5", "2.5", "3"], True),
        (["1.5", "2.5", "3."], True),
        (["1.50", "2", "3"], False),
        # As long as others, or as large as those before.
        (["0", "0", "5"], False),
        (["5", "7", "6", "0"], False),
        (["123.4", "99.95", "12.345", "7.1"], True),
        (["123.4", "99.95", "12.345", "70.15"], False),
        (["7", "9", "8", "5", "1"], False),
        (["100", "200", "300", "31"], False),
        (["100", "200", "300", "30"], True),
        (["-100", "-200", "-300", "-20"], True),
        (["\u2264100", "\u2264200", "\u2264300", "\u226420"], True),
        # Only eight of them are near.
        (["1000", *["50"] * 8, "20"], False),
        (["1000", *["50"] * 7, "20"], True),
    ],
)
def test_a_last_number_that_may_be_cut_is_warned_of(write, numbers, warned):
    lines = [f"{i};{number}" for i, number in enumerate(numbers)]
    path = write("\n".join(["Depth (nm);B (arb. units)", *lines]))
    if warned:
        with warns(sims.ProfileWarning, "truncated_file", line=1 + len(lines)):
            sims.read(path)
    else:
        sims.read(path)
    sims.read(write("\n".join(["Depth (nm);B (arb. units)", *lines, ""])))


def test_decimal_commas_below_headers_that_are_no_words_of_tables(write):
    text = 'Zahl|Ort|"Kanal A"|"Kanal B"\n1|0,1|"1,5"|BDL\n2|0,2|"2,5"|7\n'
    options = {"columns": {"B": ("Ort", "Kanal A")}, "depth_units": "um", "units": "counts"}
    assert sims.read(write(text), **options)["B"].concentrations.tolist() == [1.5, 2.5]
    options |= {"columns": None, "header_rows": [0], "not_measured": ["BDL"]}
    result = sims.read(write(text), species=["run", "A", "B"], **options | {"depth_units": "um"})
    assert result["A"].concentrations.tolist() == [1.5, 2.5]


def test_units_in_a_stated_row_of_headers_are_known_or_refused(write):
    text = "Ort;Kanal A;Kanal B\num;Skt;Skt\n0;5;7\n1;6;8\n"
    with raises(sims.UnitsError, "unknown_unit", argument="units", species="Kanal A"):
        sims.read(write(text), header_rows=[0, 1])
    stated = partial(warns, sims.ProfileWarning, "other_unit", argument="units")
    with stated(species="Kanal A"), stated(species="Kanal B"):
        result = sims.read(write(text), header_rows=[0, 1], units="counts")
    assert result.species == ["Kanal A", "Kanal B"]


def test_the_header_of_row_numbers_is_none_of_a_comment_where_lines_end_in_a_delimiter(write):
    text = "#;Depth (nm);B (at/cm3);\n1;0;5;\n2;2.5;6;\n3;5;7;\n"
    assert sims.read(write(text))["B"].depths.tolist() == [0, 2.5, 5]
    assert sims.read(write(text[1:].replace("\n", ";;\n")))["B"].depths.tolist() == [0, 2.5, 5]


def test_the_header_of_row_numbers_may_stand_between_blanks(write):
    assert sims.read(write("# ;B;P\n# z/nm;C/cm^-3;C/cm^-3\n0;5;6\n1;7;8\n")).species == ["B", "P"]
    text = " | | B | P\n # | Depth / nm | C / cm^-3 | C / cm^-3\n 1 | 0 | 5 | 6\n 2 | 1 | 7 | 8\n"
    assert sims.read(write(text)).species == ["B", "P"]


def test_a_row_that_lacks_a_cell_where_lines_end_in_a_delimiter_is_warned_of(write):
    text = "Depth (nm);B (at/cm3);P (at/cm3);\n0;5;7;\n1;8;\n2;6;9;\n"
    with warns(sims.ProfileWarning, "ambiguous_table", line=3):
        sims.read(write(text))
    sims.read(write(text.replace("1;8;\n", "1;8;;\n")))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("Depth (nm);B (at/cm3)\n0;5\n2.5\n", 3),
        ("Depth (nm);B (at/cm3);SD (at/cm3)\n0;5;1\n2;6;1\n4;7\n", 4),
        ("Depth (nm);B (at/cm3);Depth (nm);P (at/cm3)\n0;5;0;7\n1;6;2\n", 3),
        ("Depth (nm);B (at/cm3);;Depth (nm);P (at/cm3);\n0;5;;0;7;\n1;6\n2;8;;1\n", 4),
    ],
)
def test_a_last_row_that_ends_within_a_profile_is_warned_of(write, text, line):
    with warns(sims.ProfileWarning, "ambiguous_table", line=line):
        sims.read(write(text))
    # A profile that ends before others lacks its depths as well.
    if "P" in text:
        sims.read(write(text.rpartition("\n1;6")[0] + "\n1;6\n"))


def test_a_value_in_an_empty_column_between_blocks_is_refused(write):
    text = (
        "Conc. (at/cm3)\nB;;;P;;\nDepth;Conc.;;Depth;Conc.;\nnm;;;nm;;\n0;1e18;;0;2e18;\n"
        "5;3e18;;5;4e18;\n9;4e18;;9;7e18;\n"
    )
    assert sims.read(write(text))["P"].depths.tolist() == [0, 5, 9]
    moved = text.replace("5;3e18;;5;4e18;", "7;5;3e18;7;5;4e18")
    with raises(sims.ReadError, "ambiguous_table", argument="columns", line=6, column="C"):
        sims.read(write(moved))


@pytest.mark.parametrize(
    "headers", ["V (cm^-3),V error (cm^-3)", "V (cm^-3),Cr raw (cm^-3)", "V,Cr"]
)
def test_profiles_and_errors_that_are_known_need_no_word(headers, tmp_path):
    path = tmp_path / "table.csv"
    path.write_text(f"nm,{headers}\n1,2e18,1e17\n2,3e18,1e17\n")

    sims.read(path, units=None if "(" in headers else "cm^-3")


def test_a_short_last_row_is_no_cut_one_where_another_is_as_short(write):
    rows = ["0;1", *(f"{i};{i};{i}" for i in range(1, 102)), "102;5"]
    text = "\n".join(["z (nm);B (cps);P (cps)", *rows])
    with warns(sims.ProfileWarning, "ambiguous_table", line=2):
        assert sims.read(write(text))["B"].depths.size == 103
    with raises(sims.ReadError, "truncated_file", argument="allow_truncated", line=104):
        sims.read(write(text.replace("\n0;1\n", "\n0;1;1\n")))


def test_a_long_text_without_numbers_is_none_of_rows_as_columns(write):
    with raises(sims.ReadError, "no_profile"):
        sims.read(write("".join(f"a{i};b\n" for i in range(201))))


@pytest.mark.parametrize("header", ["SD", "P (cm^-3)"])
def test_numbers_that_were_read_are_not_written_into(write, header):
    result = sims.read(write(f"Depth (nm);B (cm^-3);{header}\n0;1;2\n1;2;3\n"))
    for profile in result.depth_profiles:
        assert np.shares_memory(profile.depths, result["B"].depths)
        for numbers in (profile.depths, profile.concentrations, profile.concentrations_stderr):
            if numbers is not None:
                with pytest.raises(ValueError, match="read-only"):
                    numbers[0] = 5
