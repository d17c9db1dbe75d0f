"""Whole tables: several samples, rows as columns, stated headers; and how they are shown."""

import csv
import datetime as dt
import io
import warnings
import zipfile

import numpy as np
import openpyxl
import pytest
from error_parts import raises, warns

import sims_analysis as sims

Z, B = [0.0, 1.0, 2.0], [1e18, 2e18, 3e18]


def values(result, name="B"):
    return result[name].depths.tolist(), result[name].concentrations.tolist()


# --- what the user states ---------------------------------------------------------------------


def test_stated_headers_are_the_headers(write):
    path = write("Depth (nm);1\nrun;2\nz [nm];B [at/cm3]\n0;1e18\n1;2e18\n")
    result = sims.read(path, header_rows=2)
    assert values(result) == ([0, 1], [1e18, 2e18])
    assert values(sims.read(path, header_rows=[2])) == ([0, 1], [1e18, 2e18])


def test_two_stated_rows_are_headers_and_units(write):
    path = write("a;b\n1;2\nx;Foo\nnm;at/cm3\n0;1e18\n1;2e18\n")
    result = sims.read(path, header_rows=[2, 3])
    assert values(result, "Foo") == ([0, 1], [1e18, 2e18])


def test_no_headers_are_stated_by_an_empty_list(write):
    path = write("0;1e18\n1;2e18\n")
    result = sims.read(path, header_rows=[], species="B", depth_units="nm", units="cm^-3")
    assert values(result) == ([0, 1], [1e18, 2e18])


@pytest.mark.parametrize(
    ("stated", "error"), [([9], sims.ReadError), ("1", TypeError), ([-1], TypeError)]
)
def test_headers_that_are_not_there(write, stated, error, approved):
    with raises(error, text=approved):
        sims.read(write("z (nm);B (cm^-3)\n0;1\n1;2\n"), header_rows=stated)


def test_cells_elsewhere_do_not_matter_if_the_columns_are_stated(write):
    rows = "Sample;z (nm);B (cm^-3);Remark;x\nW1;0;1e18;ok;?\nW1;1;2e18;;#REF!\nW2;2;3e18;bad;-\n"
    result = sims.read(write(rows), columns={"B": (1, 2)})
    assert values(result) == (Z, B)
    by_header = sims.read(write(rows), columns={"B": ("z (nm)", "B (cm^-3)")})
    assert values(by_header) == (Z, B)


# --- texts beside numbers ---------------------------------------------------------------------


def test_a_column_that_says_one_thing_is_a_note(write):
    result = sims.read(write("Probe;Tiefe (nm);B (at/cm3)\nW7;0;1E18\nW7;1;2E18\nW7;2;3E18\n"))
    assert values(result) == (Z, B)
    assert result.metadata.other["Probe"] == "W7"


def test_remarks_are_left_out_with_a_warning(write):
    path = write("z (nm);B (cm^-3);Bemerkung\n0;1E18;\n1;2E18;Pause\n2;3E18;weiter\n")
    with warns(sims.ProfileWarning, "ignored_column"):
        assert values(sims.read(path)) == (Z, B)


SAMPLES = "Probe;Tiefe (nm);B (at/cm3)\n" + "".join(
    f"{name};{z:g};{b + k:g}\n"
    for k, name in enumerate(("W1", "W2"))
    for z, b in zip(Z, B, strict=True)
)  # fmt: skip


def test_samples_in_one_table_are_refused_or_read_apart(write, approved):
    with raises(sims.ReadError, "several_samples", argument="samples", text=approved):
        sims.read(write(SAMPLES))
    for requested in ("Probe", "A", True):
        one, two = sims.read(write(SAMPLES), samples=requested)
        assert (one.metadata.sample, two.metadata.sample) == ("W1", "W2")
        assert (one.data_id, two.data_id) == ("w7 W1", "w7 W2")
        assert values(one) == (Z, B)
        assert values(two)[0] == Z
    with raises(sims.ReadError, argument="samples"):
        sims.read(write("z (nm);B (cm^-3)\n0;1\n1;2\n"), samples="Wafer")


def test_labels_that_are_written_once_or_are_numbers(write):
    once = SAMPLES.splitlines()
    merged = [once[0], once[1], *(f";{line.partition(';')[2]}" for line in once[2:4]), once[4],
              *(f";{line.partition(';')[2]}" for line in once[5:])]  # fmt: skip
    one, two = sims.read(write("\n".join(merged) + "\n"), samples="Probe")
    assert values(one) == (Z, B)
    assert values(two)[0] == Z
    numbered = SAMPLES.replace("W1", "1").replace("W2", "2")
    assert [r.metadata.sample for r in sims.read(write(numbered), samples=True)] == ["1", "2"]
    with raises(sims.ReadError, "several_samples", argument="samples"):
        sims.read(write(numbered))


def test_blocks_of_samples_side_by_side(write, approved):
    path = write("W1;;;W2;\nz (nm);B (cm^-3);;z (nm);B (cm^-3)\n0;1;;0;3\n1;2;;1;4\n")
    with raises(sims.ReadError, "several_samples", argument="samples", text=approved):
        sims.read(path)
    one, two = sims.read(path, samples=True)
    assert values(one) == ([0, 1], [1, 2])
    assert values(two) == ([0, 1], [3, 4])
    both = sims.read(path, number_repeats=True)
    assert both.species == ["B (1)", "B (2)"]
    assert both["B (2)"].species_metadata["sample"] == "W2"


def test_samples_of_rows_for_each_species(write):
    rows = "wafer;species;z (nm);C (cm^-3)\n" + "".join(
        f"{w};{s};{z};{z + 1}\n" for w in ("a", "b") for s in ("B", "P") for z in range(3)
    )
    one, two = sims.read(write(rows), samples="wafer")
    assert one.species == two.species == ["B", "P"]
    assert values(two, "P") == (Z, [1, 2, 3])


# --- names, units and limits ------------------------------------------------------------------


def test_species_come_from_the_row_that_names_species(write):
    header = "B;;As;\nTiefe [nm];Konz. [Atome/cm³];Tiefe [nm];Konz. [Atome/cm³]\n"
    result = sims.read(write(header + "0;1E18;0;5\n1;2E18;1;6\n"))
    assert result.species == ["B", "As"]
    assert result["B"].concentration_units == "Atome/cm³"


def test_a_note_over_a_pair_is_no_species(write):
    path = write("Probe W7;\nTiefe (nm);Konz. (at/cm3)\n0;1\n1;2\n")
    with raises(sims.SpeciesError, "missing_species", argument="species"):
        sims.read(path)
    assert sims.read(path, species="B").metadata.other == {"line 1": "Probe W7"}
    assert sims.read(write("Boron;\nDepth (nm);Conc. (at/cm3)\n0;1\n1;2\n")).species == ["Boron"]


def test_notes_above_a_depth_and_a_time_are_no_names(write):
    header = "操作员;A. B.;\n深度;溅射时间;浓度\nÅ;s;at/cm³\n;;SiO2\n"
    result = sims.read(write(header + "0;0;5\n1;2;6\n2;4;7\n"))
    assert result.species == ["SiO2"]
    assert result.metadata.other == {"操作员": "A. B."}


@pytest.mark.parametrize(
    "header",
    ["Species;B;P\nDepth;Conc;Conc\nnm;at/cm3;at/cm3\n", "Depth;B;P\nnm;mean;mean\n",
     "Tiefe;B;P\n(nm);Konz.;Konz.\n"],
)  # fmt: skip
def test_a_word_above_the_depths_is_no_name(write, header):
    result = sims.read(write(f"{header}0;5;7\n1;6;8\n"), units="at/cm3")
    assert result.species == ["B", "P"]
    assert values(result, "P") == ([0, 1], [7, 8])


def test_sodium_is_no_missing_value(write):
    table = "Na;\nDepth;Conc.\nnm;at/cm3\n0;5\n1;na\n2;7\n"
    profile = sims.read(write(table))["Na"]
    np.testing.assert_array_equal(profile.concentrations, [5, np.nan, 7])


def test_words_next_to_a_depth_name_no_species(write):
    path = write("Depth from surface (nm);Conc. (at/cm3)\n0;5\n1;6\n")
    with raises(sims.SpeciesError, "missing_species", argument="species"):
        sims.read(path)
    assert sims.read(write("B depth (nm);Conc. (at/cm3)\n0;5\n1;6\n")).species == ["B"]


@pytest.mark.parametrize(("title", "name"), [("11B", "11B"), ("Boron", "Boron"), ("W7", None)])
def test_the_name_of_a_sheet_may_be_that_of_the_species(title, name):
    table = [["Depth (nm)", "Conc. (at/cm3)"], [0, 1e18], [1, 2e18]]
    if name is None:
        with raises(sims.SpeciesError, "missing_species", argument="species"):
            sims.read(book(table, title=title))
    else:
        assert sims.read(book(table, title=title)).species == [name]


@pytest.mark.parametrize(
    ("title", "unit"),
    [
        ("Conc. (c s-1)", "c s-1"), ("at%", "at%"), (" at% ", "at%"), ("B (at cm-3) ", "at cm-3"),
        ("cps", None), ("Depth (nm)", None), ("W7", None), ("(cps) W7", None),
    ],
)  # fmt: skip
def test_what_names_of_sheets_say_of_units(title, unit):
    table = [["Depth (nm)", "B"], [0, 1], [1, 2]]
    if unit is None:
        with raises(sims.UnitsError, "missing_unit", argument="units", species="B"):
            sims.read(book(table, title=title))
    else:
        assert sims.read(book(table, title=title))["B"].concentration_units == unit
    stated = [["Depth (nm)", "B (counts)"], *table[1:]]
    assert sims.read(book(stated, title=title))["B"].concentration_units == "counts"


def test_a_row_of_detection_limits_is_no_sample(write):
    rows = "0;1E18;5E16;1\n1;2E18;6E16;1\n2;3E18;7E16;1\n"
    for table in (
        f"Tiefe (nm);B (at/cm3);P (at/cm3);As (at/cm3)\n{rows}NWG;2E15;1E14;n.a.\n",
        f"Depth (nm);B (at/cm3);P (at/cm3);As (at/cm3)\nDL;2E15;1E14;-\n{rows}",
    ):
        result = sims.read(write(table))
        assert values(result) == (Z, B)
        assert result["P"].species_metadata["detection_limit"] == "1E14 at/cm3"
        assert result["As"].species_metadata is None


def test_limits_have_the_unit_that_is_stated(write):
    path = write("Depth (nm);B\n0;1E18\n1;<5E15\n")
    profile = sims.read(path, units="atoms/cm^3")["B"]
    assert profile.species_metadata["detection_limit"] == "5e+15 atoms/cm^3"
    assert profile.extra["columns"]["detection_limit"]["units"] == "atoms/cm^3"


# --- rows as columns, and many columns --------------------------------------------------------


@pytest.mark.parametrize("book", [False, True])
def test_rows_that_are_what_columns_usually_are(write, tmp_path, book):
    rows = [["Depth (nm)", *Z], ["B (at/cm3)", *B], ["P (at/cm3)", 5, 6, 7]]
    if book:
        workbook = openpyxl.Workbook()
        for row in rows:
            workbook.active.append(row)
        path = tmp_path / "w7.xlsx"
        workbook.save(path)
    else:
        path = write("\n".join(";".join(map(str, row)) for row in rows))
    result = sims.read(path)
    assert values(result) == (Z, B)
    assert result.species == ["B", "P"]


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (["Depth (nm);0;5;10;15", "B (cps);1;2;3;4", "P (cps);1;3;4", ""], 3),
        (["Depth (nm);0;5;10;15;20", "B (cps);1;2;3;4", "P (cps);1;2;3;4", ""], 1),
    ],
)
def test_of_a_turned_table_a_row_with_another_number_of_cells_is_warned_of(write, rows, line):
    with warns(sims.ProfileWarning, "uneven_rows", line=line):
        sims.read(write("\n".join(rows)))


def test_a_turned_table_that_breaks_off_is_warned_of(write):
    text = "Depth (nm);0;5;10;15\nB (cps);1;2;3;4\nP (cps);1;2"
    with warns(sims.ProfileWarning, "uneven_rows", line=3):
        sims.read(write(text))
    with warns(sims.ProfileWarning, "truncated_file", line=3):
        sims.read(write(text + ".5;2.5;3."))


def test_glued_numbers_in_the_first_and_the_last_row_are_no_note(write):
    text = "Depth (nm);B (at%);P (at%)\n0,0;0,16;50,7\n1,0;0,01;14,5\n2,00000,9098;0,38\n"
    with raises(sims.ReadError, "not_a_number", line=4, column="A"):
        sims.read(write(text))
    with raises(sims.ReadError, "not_a_number", line=3, column="A"):
        sims.read(write("Tiefe|B\num|cm-3\n2.375.86E+15\n4.7|1.4E+15\n7.1|2.4E+15\n"))
    dated = "Tiefe (nm);B (cps)\n1;2\n2;3\n05.03.2024\n"
    assert sims.read(write(dated))["B"].depths.tolist() == [1, 2]
    with raises(sims.ReadError, "not_a_number", line=4, column="A"):
        sims.read(write("Depth (nm);B (at%)\n0,5;0,16\n1,5;0,01\n2,55,05\n"))


def test_labels_above_headers_that_name_species_are_samples(write, approved):
    text = "as implanted;;annealed;\nDepth (nm);B (cps);Depth (nm);B (cps)\n0;1;0;5\n1;2;1;6\n"
    with raises(sims.ReadError, "several_samples", argument="samples", text=approved):
        sims.read(write(text))
    read = sims.read(write(text), samples=True)
    assert [result.metadata.sample for result in read] == ["as implanted", "annealed"]


def test_row_numbers_without_a_header_beside_a_row_of_names(write):
    text = ";;B;P\n;Tiefe;Konz.;Konz.\n;nm;cps;cps\n1;0;5;6\n2;1;7;8\n3;2;9;1\n"
    result = sims.read(write(text))
    assert result.species == ["B", "P"]
    assert result["P"].concentrations.tolist() == [6, 8, 1]


def test_a_text_in_an_encoding_that_nothing_tells_says_so(write, tmp_path, approved):
    path = tmp_path / "w7.csv"
    path.write_bytes("样品,深度,B\n,nm,cps\nW1,0,1\nW1,1,2\n".encode("gb18030"))
    with raises(sims.SimsError, "not_a_number", line=3, column="A", text=approved):
        sims.read(path)
    assert sims.read(path, encoding="gb18030")["B"].concentrations.tolist() == [1, 2]


def test_blank_lines_between_rows_that_are_columns(write):
    result = sims.read(write("Depth [nm],0,1,2\n\nIn [cps],5,7,6\n\nP [cps],1,2,3\n"))
    assert {p.species_name: p.concentrations.tolist() for p in result.depth_profiles} == {
        "In": [5, 7, 6],
        "P": [1, 2, 3],
    }


def test_a_bad_cell_of_a_turned_table_is_named_by_its_place(write):
    path = write("Depth (nm);0;1;2;3\nB (at/cm3);1;x;3;4\n")
    with raises(sims.ReadError, "not_a_number", line=2, column="C"):
        sims.read(path)


@pytest.mark.slow
def test_a_text_of_eight_thousand_columns(write):
    rng = np.random.default_rng(1)
    numbers = rng.integers(1, 1000, (4, 8000))
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(["Depth (nm)", *(f"S{j} (c/s)" for j in range(8000))])
    for i, row in enumerate(numbers.tolist()):
        writer.writerow([i, *row])
    result = sims.read(write('"a, b"\n' + stream.getvalue()))
    assert len(result.species) == 8000
    assert result["S7999"].concentrations.tolist() == numbers[:, -1].tolist()


# --- workbooks that were edited by hand -------------------------------------------------------


def edited(tmp_path, change):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["Depth (nm)", "B (at/cm3)"], *zip(Z, B, strict=True)):
        sheet.append(row)
    change(sheet)
    book.save(tmp_path / "w7.xlsx")
    return tmp_path / "w7.xlsx"


@pytest.mark.parametrize("cell", ["A1048576", "XFD500", "XFD1048576"])
@pytest.mark.parametrize("content", [None, " ", "see above"])
def test_cells_far_away_cost_nothing(tmp_path, cell, content):
    def change(sheet):
        sheet[cell] = content
        sheet[cell].number_format = "0.00"

    assert values(sims.read(edited(tmp_path, change))) == (Z, B)


def test_headers_that_are_merged_over_columns_are_those_of_each(tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (["Depth (nm)", "Concentration (at/cm3)", None], [None, "B", "P"],
                [0, 1e18, 5], [1, 2e18, 6]):  # fmt: skip
        sheet.append(row)
    sheet.merge_cells("B1:C1")
    sheet.merge_cells("A1:A2")
    book.save(tmp_path / "w7.xlsx")
    result = sims.read(tmp_path / "w7.xlsx")
    assert result.species == ["B", "P"]
    assert result["P"].concentration_units == "at/cm3"


def test_merged_columns_without_content(tmp_path):
    path = edited(tmp_path, lambda sheet: sheet.merge_cells("D1:F300"))
    assert values(sims.read(path)) == (Z, B)


def part_replaced(path, change, part="xl/worksheets/sheet1.xml"):
    bad = path.with_name("bad.xlsx")
    with zipfile.ZipFile(path) as good, zipfile.ZipFile(bad, "w") as archive:
        for name in good.namelist():
            content = good.read(name)
            archive.writestr(name, change(content) if name == part else content)
    return bad


ENTITIES = '<!DOCTYPE x [<!ENTITY a "aaaa">]>'


@pytest.mark.parametrize(
    "change",
    [
        lambda part: ENTITIES.encode() + part,
        lambda part: (
            b"<!--" + bytes(2 << 20).replace(b"\0", b" ") + b"-->" + ENTITIES.encode() + part
        ),
        lambda part: (ENTITIES + part.decode()).encode("utf-16"),
    ],
    ids=["first", "after a long comment", "in UTF-16"],
)
@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_a_workbook_that_defines_entities_is_refused(tmp_path, change, part, approved):
    bad = part_replaced(edited(tmp_path, lambda _: None), change, part)
    with raises(sims.ReadError, "damaged_file", text=approved):
        sims.read(bad)


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_a_workbook_of_which_a_part_breaks_off_is_refused(tmp_path, part):
    path = edited(tmp_path, lambda _: None)
    for share in (0.3, 0.6, 0.9, 0.99):
        bad = part_replaced(path, lambda c, share=share: c[: int(share * len(c))], part)
        with raises(sims.ReadError, "damaged_file"):
            sims.read(bad)


def test_texts_formulas_and_dates_of_a_workbook(tmp_path):
    rich = openpyxl.cell.rich_text.CellRichText("Dep", "th (nm)")

    def change(sheet):
        sheet["A1"] = rich
        sheet["C1"] = "P (at/cm3)"
        for row in (2, 3, 4):
            sheet.cell(row, 3, "7")

    assert values(sims.read(edited(tmp_path, change)), "P") == (Z, [7, 7, 7])


# --- the picture ------------------------------------------------------------------------------


def test_how_a_table_is_read_is_shown(write):
    path = write("Wafer 7\nTiefe (nm);B (at/cm3)\n0;1\n1;2\n")
    shown = sims.explain_read(path)
    assert "w7.txt, read as 'table'" in shown
    assert "a text with semicolons between the cells" in shown
    for line in ("1  note     Wafer 7", "2  headers  Tiefe (nm)  B (at/cm3)", "A  depths",
                 "B  values of 'B'  in at/cm3", "w7: 1 profile"):  # fmt: skip
        assert line in shown


def test_an_error_about_a_table_shows_what_was_understood(write):
    path = write("Tiefe (nm);B (at/cm3)\n0;1\n1;x\n2;3\n")
    with pytest.raises(sims.ReadError) as caught:
        sims.read(path)
    assert "1  headers" in caught.value.layout_preview
    assert "3  numbers and texts  1" in caught.value.layout_preview
    shown = sims.explain_read(path)
    assert caught.value.layout_preview in shown
    assert "not read: line 3, column B: 'x' is not a number" in shown
    (error,) = sims.read([path], errors="collect")
    assert error.layout_preview == caught.value.layout_preview


def test_other_files_are_explained_too(write, approved):
    assert "not read: the file is an image" in sims.explain_read(write(b"\x89PNG\r\n\x1a\n", "x"))
    with raises(TypeError, text=approved):
        sims.explain_read([write("a"), write("b")])


def test_a_text_without_rows_of_numbers_shows_its_lines(write):
    with raises(sims.ReadError, "no_profile") as caught:
        sims.read(write("Wafer 7\nDepth (nm);B (cps)\nzero;one\n"))
    assert [line.split()[:2] for line in caught.value.layout_preview.splitlines()[2:]] == [
        ["1", "words"],
        ["2", "headers"],
        ["3", "words"],
    ]


# --- what is merged, and what repeats --------------------------------------------------------


def book(rows, merged=(), title="Sheet"):
    book = openpyxl.Workbook()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    for cells in merged:
        book.active.merge_cells(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


NUMBERS = [
    [0.0, 1e18, 2e18, 3e18, 1e17],
    [5.0, 4e18, 5e18, 6e18, 2e17],
    [9.0, 7e18, 8e18, 9e18, 3e17],
]


def test_labels_above_depths_that_are_shared_tell_samples_apart(approved):
    headers = [[None, "W1", None, "W2", None], ["Depth (nm)", *["B (at/cm3)", "P (at/cm3)"] * 2]]
    content = book(headers + NUMBERS, ["B1:C1", "D1:E1"])
    first, second = sims.read(content, samples=True)
    assert (first.metadata.sample, second.metadata.sample) == ("W1", "W2")
    assert second["B"].concentrations.tolist() == [3e18, 6e18, 9e18]
    with raises(sims.ReadError, "several_samples", argument="samples", text=approved):
        sims.read(content)


@pytest.mark.parametrize(("merged", "above"), [([], True), (["B1:E1"], True), (["B1:E1"], False)])
def test_replicates_below_the_name_of_their_species(merged, above):
    headers = [[None, "11B (at/cm3)"], [None, "run 1", "run 2", "mean", "SD"]]
    headers[not above][0] = "Depth (nm)"
    result = sims.read(book(headers + NUMBERS, merged))
    assert [p.species_name for p in result] == ["11B run 1", "11B run 2", "11B"]
    assert result["11B"].concentrations_stderr.tolist() == [1e17, 2e17, 3e17]
    assert {p.concentration_units for p in result.depth_profiles} == {"at/cm3"}


def test_a_cell_that_is_merged_over_numbers_is_warned_of():
    content = book([["Depth (nm)", "B (at/cm3)"], *(row[:2] for row in NUMBERS)], ["B2:B4"])
    with warns(sims.ProfileWarning, "merged_cells", sheet="Sheet", row=3, column="B"):
        result = sims.read(content)
    assert np.isnan(result["B"].concentrations[2])


def test_a_sheet_that_is_not_there_shows_the_one_that_is():
    content = book([["Depth (nm)", "B (at/cm3)"], *(row[:2] for row in NUMBERS)])
    with raises(sims.ReadError, argument="sheet") as raised:
        sims.read(content, sheet="Data")
    assert "headers  Depth (nm)  B (at/cm3)" in raised.value.layout_preview


# --- as laboratories elsewhere write them -----------------------------------------------------


@pytest.mark.parametrize(
    ("header", "row", "expected"),
    [
        ("Cycle\tElapsed Time (s)\tm/z 27 (c/s)", "{i}\t{z}\t{v}", ("m/z 27", "s", "c/s")),
        ("Time;ms;mass 11.00 (c/s)", "0:00:0{i};{z};{v}", ("mass 11.00", "ms", "c/s")),
        ("Profondeur (µm);[B] (at.cm-3)", "{z};{v}", ("B", "µm", "at.cm-3")),
        ("Глубина, мкм;Концентрация B, ат/см3", "{z};{v}", ("B", "мкм", "ат/см3")),
        ("깊이 (나노미터);농도 Al (원자/cm³)", "{z};{v}", ("Al", "나노미터", "원자/cm³")),
        ("Depth\tB\nnm\tcm\\+(-3)\nW7\tImplant", "{z}\t{v}", ("B", "nm", "cm\\+(-3)")),
    ],
)  # fmt: skip
def test_headers_of_other_laboratories(write, header, row, expected):
    body = "\n".join(row.format(i=i, z=2 * i, v=i + 1) for i in range(4))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "w7.txt: the first column")
        profile = sims.read(write(f"{header}\n{body}\n")).depth_profiles[0]
    assert (profile.species_name, profile.depth_units, profile.concentration_units) == expected
    assert profile.depths.tolist() == [0, 2, 4, 6]
    assert profile.concentrations.tolist() == [1, 2, 3, 4]


def test_words_in_the_first_row_alone_do_not_make_blanks_a_delimiter(write):
    rows = "as grown\t0\t1e18\n\t1\t2e18\n\t2\t3e18\nannealed\t0\t4e18\n\t1\t5e18\n\t2\t6e18\n"
    first, second = sims.read(write(f"Sample\tDepth (nm)\tB (at/cm3)\n{rows}"), samples="Sample")
    assert (first.metadata.sample, values(second)) == ("as grown", ([0, 1, 2], [4e18, 5e18, 6e18]))


def test_clock_times_beside_depths_are_left_out_with_a_warning():
    rows = [["Time", "Depth (nm)", "B (at/cm3)"]]
    rows += [[dt.time(10, i, 30), float(i), 1e18 * i] for i in range(1, 4)]
    with warns(sims.ProfileWarning, "ignored_column"):
        result = sims.read(book(rows))
    assert values(result) == ([1, 2, 3], [1e18, 2e18, 3e18])


@pytest.mark.parametrize("word", ["RSF", "相対感度係数", "Relative sensitivity factor"])
def test_a_row_of_sensitivity_factors_is_known_of_each_species(write, word):
    path = write(f"Depth (nm),B (at/cm3),P (at/cm3)\n{word},2e22,3e22\n0,1e18,2e16\n1,2e18,3e16\n")
    assert [p.species_metadata["rsf"] for p in sims.read(path)] == ["2e22", "3e22"]


@pytest.mark.parametrize("word", ["Dose", "m/z"])
def test_what_a_row_says_of_the_columns_is_a_note_that_is_warned_of(write, word, approved):
    path = write(f"Depth (nm),B (at/cm3),P (at/cm3)\n{word},2e22,3e22\n0,1e18,2e16\n1,2e18,3e16\n")
    with warns(sims.ProfileWarning, argument="not_measured", line=2, text=approved):
        result = sims.read(path)
    assert values(result, "P") == ([0, 1], [2e16, 3e16])
    assert result.metadata.other == {"line 1": f"{word} 2e22 3e22"}


def test_headers_with_blanks_in_them_between_blanks(write):
    rows = "    2.00     1.2E+03     4.5E+05\n    4.00     1.5E+03     4.6E+05\n"
    result = sims.read(write(f"TIME/SEC      B 11          SI 30\n{rows}"), units="counts/s")
    assert values(result, "SI 30") == ([2, 4], [4.5e5, 4.6e5])


def test_names_above_pairs_behind_what_their_row_is_called():
    headers = [["測定元素", "B", None, "P"], [None, *["深さ", "濃度"] * 2]]
    headers.append([None, *["(nm)", "(cm-3)"] * 2])
    result = sims.read(book([*headers, [None, 0.0, 1e18, 0.5, 2e18], [None, 1.0, 3e18, 1.5, 4e18]]))
    assert values(result, "P") == ([0.5, 1.5], [2e18, 4e18])


def test_letters_of_another_encoding_that_look_like_quotes(write):
    content = "深さ (nm);H濃度 (at/cm3)\n0;1e18\n1;2e18\n".encode("shift_jis")
    with raises(sims.SpeciesError, "unknown_encoding", argument="encoding"):
        sims.read(write(content))
    assert values(sims.read(write(content), encoding="shift_jis"), "H") == ([0, 1], [1e18, 2e18])


def test_rows_as_columns_with_decimal_commas_below_what_the_samples_are_called(write):
    rows = "Probe|W7|W7|W7\nTiefe, um|0|0,5|1\nB, cm^-3|1,5E+18|2,5E+16|5,5E+17\n"
    assert values(sims.read(write(rows))) == ([0, 0.5, 1], [1.5e18, 2.5e16, 5.5e17])


def test_columns_of_a_sheet_are_called_as_they_stand_there(tmp_path):
    book = openpyxl.Workbook()
    for row in (["species", "z (nm)", "B (cm^-3)", "lot"], ["B", 0, 1e18, 1], ["B", 1, 2e18, 2]):
        book.active.append([None, *row])
    book.save(tmp_path / "w7.xlsx")
    with raises(sims.ReadError, "several_measurements"):
        sims.read(tmp_path / "w7.xlsx")


def test_a_first_table_above_another_in_a_sheet_is_not_lost(approved):
    rows = [["note"], ["z (nm)", "B (cps)"], [7, 1], ["z (nm)", "P (cps)"], [0, 1], [1, 2], [2, 3]]
    with raises(sims.ReadError, "several_tables", row=4, text=approved):
        sims.read(book(rows))
    assert values(sims.read(book(rows), header_rows=[3]), "P") == ([0, 1, 2], [1, 2, 3])


SECOND = "Depth (um);P (at/cm3);As (at/cm3)\n0;5;7\n1;6;8\n2;;9\n"


@pytest.mark.parametrize("title", ["", "\n", "\nimplants\n"])
def test_tables_below_each_other_are_of_one_sample(write, title):
    result = sims.read(write(f"Depth (nm);B (at/cm3)\n0;1\n1;2\n2;3\n{title}{SECOND}"))
    assert values(result, "B") == ([0, 1, 2], [1, 2, 3])
    assert values(result, "As") == ([0, 1, 2], [7, 8, 9])
    assert [p.depth_units for p in result.depth_profiles] == ["nm", "um", "um"]


@pytest.mark.parametrize(
    ("first", "second", "labels"),
    [
        ("Sample: W1\nDepth (nm);B (at/cm3)\n", f"Sample: W2\n{SECOND}", ["W1", "W2"]),
        ("Depth (nm);P (at/cm3)\n", SECOND, ["block 1", "block 2"]),
    ],
)
def test_tables_of_several_samples_below_each_other(write, first, second, labels, approved):
    path = write(f"{first}0;1\n1;2\n2;3\n{second}")
    with raises(sims.ReadError, "several_samples", argument="samples", text=approved):
        sims.read(path)
    assert [result.metadata.sample for result in sims.read(path, samples=True)] == labels


def test_a_note_in_the_row_of_heads_is_kept(write):
    with warns(sims.ProfileWarning, "empty_column"):
        result = sims.read(write("Depth (nm);B (at/cm3);;by A. B.\n0;1\n1;2\n"))
    assert result.metadata.other == {"line 1": "by A. B."}


# --- cells of a sheet -------------------------------------------------------------------------

TABLE = ["z (nm)", "B (cps)"]


@pytest.mark.parametrize(
    ("rows", "found"),
    [
        # A point is a decimal one, unless it may separate thousands beside decimal commas.
        ([TABLE, ["0,5", "1.234"], ["1,5", "2.5"]], ([0.5, 1.5], [1.234, 2.5])),
        ([TABLE, [0, "1.234.567"], [1, "998"]], ([0, 1], [1234567, 998])),
        ([TABLE, [0, " 5 "], [1, None], [2, "-"], [3, 1.5]], ([0, 1, 2, 3], [5, None, None, 1.5])),
        ([TABLE, [0, "#N/A"], [1, 2.5]], ([0, 1], [None, 2.5])),
        ([["Lot", *TABLE], [4711.0, 0, 1], [4711, 1, 2]], ([0, 1], [1, 2])),
        ([["Time", *TABLE], [dt.time(1, 2), 0, 1], [dt.time(1, 2), 1, 2]], ([0, 1], [1, 2])),
        ([["Depth (nm)", 0, 1.5], ["B (cps)", 1, 2]], ([0, 1.5], [1, 2])),
    ],
)
def test_cells_that_are_numbers_or_nothing(rows, found):
    profile = sims.read(book(rows))["B"]
    values = [None if np.isnan(v) else v for v in profile.concentrations.tolist()]
    assert (profile.depths.tolist(), values) == found


def test_cells_are_named_as_they_stand_in_the_sheet(approved):
    for rows, options in (
        ([TABLE, ["0,5", "1.234"], ["1,5", "2"]], {}),
        ([TABLE, ["0,5", "1.5"], ["1,5", "2.5"]], {"decimal": ","}),
        ([TABLE, ["0.5", "1.5"], ["1.5", "2,5"]], {"decimal": "."}),
        ([TABLE, ["1,234", 5], [2, 6]], {}),
        ([TABLE, [0, 1], [1, True], [2, 3]], {}),
        ([TABLE, ["#N/A", 1], [1, 2]], {}),
        ([[None, *TABLE], [None, 0, 1], [None, 1, 2]], {"columns": {"B": (0, 1)}}),
    ):
        with raises(sims.ReadError, text=approved):
            sims.read(book(rows), **options)


def test_merged_cells_of_a_turned_table_are_named_by_their_place():
    rows = [["Depth (nm)", 0, 1, 2], ["B (cps)", 1, 2, 3]]
    with warns(sims.ProfileWarning, "merged_cells", sheet="Sheet", row=2, column="C"):
        sims.read(book(rows, ["B2:C2"]))


def test_an_empty_row_of_a_sheet_is_warned_of_and_notes_are_kept():
    rows = [["Sample: W7"], [], TABLE, [0, 1], [1, 2], [None, None], [2, 3], [], ["done", 5]]
    with pytest.warns(sims.ProfileWarning) as warned:
        result = sims.read(book(rows))
    assert {str(one.message).partition(": ")[2][:60] for one in warned} == {
        "sheet 'Sheet', row 9 begins with 'done' and holds 1 number: ",
        "the numbers end at row 5 and go on at row 7, below an empty ",
    }
    assert result.metadata.other == {"Sample": "W7", "done": "5"}
