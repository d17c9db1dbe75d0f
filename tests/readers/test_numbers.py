"""Tables of numbers are read exactly, and as strictly as cell by cell."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from error_parts import raises
from hypothesis import example, given

import sims_analysis as sims
from sims_analysis.errors import ReadError
from sims_analysis.readers.source import Options
from sims_analysis.readers.tables import grid as lines_module
from sims_analysis.readers.tables.grid import TextGrid
from sims_analysis.readers.tables.numbers import (
    Cell,
    column_name,
    columns_of_words,
    decimal_mark,
    is_number,
    read_cell,
    remove_separators,
    split_line,
)

# Two numbers that no table holds mark lines and empty cells.
NUMBERS = st.floats(allow_nan=False, allow_infinity=False).filter(
    lambda x: x not in (1e-99, 7.3e-99)
)
#: What a hasty parser would take for a number, or for none.
CELLS = st.sampled_from(
    [
        *(
            "1.",
            ".5",
            "+3",
            "1E+015",
            "1d5",
            "-inf",
            "Infinity",
            "nan",
            "",
            " ",
            "-",
            "0x1F",
            "1_0",
        ),
        *("1 2", "true", "False", "TRUE", "1,5", "1.234,5", "1e", "--1", "n.d.", "1.#INF", "null"),
        *("\u22125", "1e400", "1e5.0", "'1'", "1f", "1\x1a", "123456789012345678901"),
    ]
)


def table(lines, delimiter, decimal=".", *, width, not_measured=(), quoted=False):
    options = Options(decimal=decimal, not_measured=not_measured)
    block = TextGrid(lines, options, delimiter=delimiter, quoted=quoted).read(
        range(len(lines)), width
    )
    return block.values, block.limits


def lines_of(rows, delimiter, decimal):
    return [delimiter.join(repr(v).replace(".", decimal) for v in row) for row in rows]


@pytest.mark.parametrize(
    ("cell", "decimal", "value"),
    [("1,0·10^18", ",", 1e18), ("2.5 x 10^-3", ".", 2.5e-3), ("3×10¹⁷", ".", 3e17),
     ("<1.5*10**15", ".", 1.5e15)],
)  # fmt: skip
def test_powers_of_ten(cell, decimal, value):
    assert is_number(cell, decimal)
    assert read_cell(cell, decimal) == value


@pytest.mark.parametrize(
    ("delimiter", "decimal"), [("\t", "."), (",", "."), (";", ","), (" ", ".")]
)
@given(rows=st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=5))
def test_every_number_is_the_closest_there_is(delimiter, decimal, rows):
    lines = lines_of(rows, delimiter, decimal)
    values, limits = table(lines, None if delimiter == " " else delimiter, decimal, width=3)
    assert not limits
    assert values.tobytes("C") == np.array(rows).tobytes()


@example(cell="-999", nothing=["-999"], place=0)
@given(cell=CELLS, nothing=st.sampled_from([[], ["-"], ["n.d."]]), place=st.integers(0, 5))
def test_a_cell_is_read_as_if_it_stood_alone(cell, nothing, place):
    row, column = divmod(place, 2)
    rows = [["0.5", "1e18"] for _ in range(3)]
    rows[row][column] = cell
    lines = ["\t".join(cells) for cells in rows]
    try:
        alone = read_cell(cell, ".", nothing)
    except ReadError:
        with raises(ReadError, "not_a_number"):
            table(lines, "\t", width=2, not_measured=nothing)
        return
    values, _ = table(lines, "\t", width=2, not_measured=nothing)
    found = values[row, column]
    assert found == alone or (math.isnan(found) and math.isnan(alone))
    others = np.delete(values.ravel(), place)
    np.testing.assert_array_equal(others, np.delete(np.tile([0.5, 1e18], 3), place))


@pytest.mark.parametrize("cell", ["7", "true", "x"])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_cell_too_many_is_named(cell, place):
    lines = ["1\t2"] * 3
    lines[place] += f"\t{cell}"
    with raises(ReadError, "ambiguous_table"):
        table(lines, "\t", width=2)
    lines[place] = "1\t2\t"
    assert table(lines, "\t", width=2)[0].shape == (3, 2)


@pytest.mark.parametrize("piece", [1, 12, 1000])
def test_a_table_is_read_alike_in_pieces_of_any_length(piece, monkeypatch):
    monkeypatch.setattr(lines_module, "PIECE", piece)
    lines = ["0;1;2", "1;2;3", "2;3", "3;x;5", "4;5;<6", "5;6;7"]
    grid = TextGrid(lines, Options(not_measured=["x"]), delimiter=";")
    block = grid.read(range(6), 3)
    expected = [[0, 1, 2], [1, 2, 3], [2, 3, np.nan], [3, np.nan, 5], [4, 5, np.nan], [5, 6, 7]]
    np.testing.assert_array_equal(block.values, expected)
    assert (block.limits, {*block.lengths}) == ({(4, 2): 6}, {2, 3})
    with raises(ReadError, "not_a_number"):
        TextGrid(lines, Options(), delimiter=";").read(range(6), 3)


def test_columns_that_no_line_has_are_empty():
    values, limits = table(["0;1", "2;3"], ";", width=4)
    np.testing.assert_array_equal(values, [[0, 1, np.nan, np.nan], [2, 3, np.nan, np.nan]])
    assert limits == {}


def test_a_table_of_many_columns_is_read_whole():
    rows = np.random.default_rng(1).normal(size=(70, 3000))
    lines = lines_of(rows.tolist(), "\t", ".")
    np.testing.assert_array_equal(table(lines, "\t", width=3000)[0], rows)


WHOLE = ["9007199254740993", "9223372036854775808", "18446744073709551615", "123456789012345678901"]


@pytest.mark.parametrize("text", WHOLE)
def test_whole_numbers_are_read_as_the_closest_there_are(text):
    values, _ = table([f"{text}\t1", f"1\t{text}"], "\t", width=2)
    np.testing.assert_array_equal(values, [[float(text), 1], [1, float(text)]])


@pytest.mark.parametrize(("delimiter", "decimal"), [("\t", "."), (",", "."), (";", ",")])
@given(
    rows=st.lists(st.tuples(*[st.integers(0, 10**17)] * 3), min_size=1, max_size=4),
    odd=st.sampled_from(["", "-3", "1.5", "007", "1e5", "9007199254740993", "12"]),
    place=st.integers(0, 11),
)
def test_counts_next_to_a_depth(delimiter, decimal, rows, odd, place):
    rows = [[f"{i}.5", *map(str, row)] for i, row in enumerate(rows)]
    rows[place // 4 % len(rows)][place % 4] = odd
    lines = [delimiter.join(row).replace(".", decimal) for row in rows]
    values, _ = table(lines, delimiter, decimal, width=4)
    np.testing.assert_array_equal(values, [[float(c or "nan") for c in row] for row in rows])


def test_a_cell_too_few_and_one_too_many_are_no_shift():
    with raises(ReadError, "ambiguous_table"):
        table(["0;1;2;3", "1;4;5", "2;6;7;8;9"], ";", width=4)


@pytest.mark.parametrize("text", ["true", "FALSE"])
def test_a_column_of_truths_holds_no_numbers(text):
    with raises(ReadError, "not_a_number"):
        table([f"1\t{text}", f"2\t{text}"], "\t", width=2)


@pytest.mark.parametrize("cell", ["<2E15", "n.d.", '"1,5"'])
def test_an_odd_cell_concerns_itself_alone(cell):
    rows = [[str(10 * i + j) for j in range(5)] for i in range(20)]
    rows[7][2] = cell
    lines = ["\t".join(row) for row in rows]
    if cell.startswith('"'):
        with raises(ReadError, "not_a_number"):
            table(lines, "\t", width=5, quoted=True)
    else:
        values, limits = table(lines, "\t", width=5, not_measured=["n.d."])
        assert limits == ({(7, 2): 2e15} if "<" in cell else {})
        expected = np.arange(20.0)[:, None] * 10 + np.arange(5)
        expected[7, 2] = np.nan
        np.testing.assert_array_equal(values, expected)


def test_of_several_odd_cells_the_first_line_is_warned_of():
    lines = ["1\t2\t3", "1\t2\tc", "1\tb\t3", "a\t2\t3", "1\t2\t3\t4"]
    with raises(ReadError, "not_a_number"):
        table(lines[:4], "\t", width=3)
    with raises(ReadError, "not_a_number"):
        table([lines[0], lines[2], lines[3]], "\t", width=3)
    with raises(ReadError, "ambiguous_table"):
        table(lines[:1] + lines[4:] + lines[1:2], "\t", width=3)


def test_lines_between_blanks_are_not_cut():
    with raises(ReadError, "ambiguous_table"):
        table(["1 2", "3 4 5"], None, width=2)


def test_a_label_that_looks_like_a_number_is_a_label_in_every_part_of_a_long_table():
    rows = (f"{i % 3000};{'12A'[i // 3000]};{1e18 + i:.4E}" for i in range(9000))
    lines = ["Depth (nm);Sample;B (at/cm3)", *rows]
    assert sum(map(len, lines)) > 2 * lines_module.PIECE
    read = sims.read("\n".join(lines).encode() + b"\n", samples="Sample")
    assert [result.metadata.sample for result in read] == ["1", "2", "A"]
    assert [result["B"].depths.size for result in read] == [3000, 3000, 3000]


def test_the_first_rows_and_the_last_tell_how_many_columns_there_are():
    def width(row, rows=23):
        lines = ["1;2;;"] * rows
        lines[row] = "1;2;3"
        return TextGrid(lines, Options(), delimiter=";").width(range(rows))

    assert [width(row) for row in (0, 19, 20, 21, 22)] == [3, 3, 2, 2, 3]
    assert TextGrid(["", ""], Options(), delimiter=";").width(range(2)) == 1
    assert TextGrid(["  1  2 "], Options(), delimiter=None).width(range(1)) == 2


# --- cells ------------------------------------------------------------------------------------

NOTHING = [
    "",
    " ",
    "nan",
    "NA",
    "n/a",
    "#N/A",
    "-",
    "--",
    "---",
    "null",
    "None",
    "\u2013",
    "\u2014",
]


@pytest.mark.parametrize("cell", NOTHING)
def test_words_for_nothing(cell):
    assert math.isnan(read_cell(cell))
    assert math.isnan(read_cell(f' "{cell}" '))
    text = f"z (nm);B (cm^-3);P (cm^-3)\n0;1;5\n1;{cell};6\n2;3;7\n"
    np.testing.assert_array_equal(sims.read(text.encode())["B"].concentrations, [1, math.nan, 3])


@pytest.mark.parametrize(
    ("cell", "decimal", "number"),
    [
        ("1D5", ".", 1e5),
        ("1d-3", ".", 1e-3),
        ("2,5D+05", ",", 2.5e5),
        ("\u22122.5e\u22123", ".", -2.5e-3),
        ("\u22122,5E\u22123", ",", -2.5e-3),
        (",5", ",", 0.5),
        (".5", ".", 0.5),
        ("5.", ".", 5),
        ("inf", ".", math.inf),
        ("-inf", ".", -math.inf),
        ("+Infinity", ",", math.inf),
        ("1.#INF", ".", math.inf),
        ("-1.#INF00", ".", -math.inf),
        ("1,#INF", ",", math.inf),
        ("1.#IND", ".", math.nan),
        ("-1.#qnan0", ".", math.nan),
        ('"7"', ".", 7),
        ("\uff11\uff0e\uff15\uff25\uff0d\uff12", ".", 1.5e-2),
    ],
)
def test_numbers_as_programs_and_people_write_them(cell, decimal, number):
    np.testing.assert_equal(read_cell(cell, decimal), number)
    assert not isinstance(read_cell(cell, decimal), Cell)
    assert is_number(cell.strip('"'), decimal)
    assert is_number(cell.strip('"'))


@pytest.mark.parametrize(
    "cell", ["<2E15", "< 2E15", "<=2e15", "\u22642E15", "\u2264= 2E15", "\uff1c2E15"]
)
def test_limits_are_numbers_that_are_distinguished(cell):
    limit = read_cell(cell)
    assert isinstance(limit, Cell)
    assert limit == 2e15
    assert is_number(cell)


@pytest.mark.parametrize(
    "cell", ["", "x", "1e", "1 2", "1.2.3", "1,2,3", "e5", ".", ">5", "<", "12 nm"]
)
def test_what_is_no_number(cell):
    assert not is_number(cell)


def test_why_a_cell_is_no_number_and_what_to_do(approved):
    numbers, times = ("1,234", "1 234", "5%", "=A1", "1,5"), ("10:30", "2 days, 1:00:00")
    words = (">5", "\u22655", "2024-03-01", "1/5", "n.d.", "~1.1E18")
    points = ((cell, ".") for cell in (*numbers, *times, *words))
    for cell, decimal in (*points, ("1.234", ","), ("1.5", ",")):
        with raises(ReadError, "not_a_number", text=approved):
            read_cell(cell, decimal, where="line 3, column B")


@pytest.mark.parametrize(
    ("cells", "mark"),
    [
        (["1.5", "7"], "."),
        (["1,5"], ","),
        (["<1,5"], ","),
        (["\u2264= 1,5E3"], ","),
        (["1,234"], None),
        (["<1,234"], None),
        (["1,234", "0,234"], ","),
        (["1,234", "1,23"], ","),
        (["1,234.5"], "."),
        (["1.234,5"], ","),
        (["a,b"], "."),
        (["\uff11\uff0c\uff15"], ","),
    ],
)
def test_the_decimal_mark_is_that_of_the_first_unambiguous_cell(cells, mark):
    assert decimal_mark(cells) == mark


@pytest.mark.parametrize(
    ("cells", "decimal", "expected"),
    [
        (["999,5", "1.234,5"], ",", ["999,5", "1234,5"]),
        (["999.5", "-1,234,567.5"], ".", ["999.5", "-1234567.5"]),
        (["1 234", "2 345"], ",", ["1234", "2345"]),
        ([" 1'234 ", "2'345"], ".", ["1234", "2345"]),
        ([None, 999.0, "1.234,5"], ",", [None, 999.0, "1234,5"]),
        # One blank may stand where a decimal mark was; points may be decimal ones.
        (["1 234", "5"], ",", None),
        (["1.234", "2.345"], ",", None),
        # Marks of two kinds, or thousands without one, leave all open.
        (["1.234,5", "1 234,5"], ",", None),
        (["1.234,5", "1234"], ",", None),
        (["1.234,5", "-1234"], ",", None),
        ([1000.0, "1.234,5"], ",", None),
        ([-1000, "1.234,5"], ",", None),
    ],
)
def test_separators_of_thousands_are_taken_out_of_a_column_that_leaves_none_open(
    cells, decimal, expected
):
    assert remove_separators(cells, decimal) == (cells if expected is None else expected)


@pytest.mark.parametrize(
    ("cells", "certain", "holds_words"),
    [
        (["W1", "W2"], False, True),
        (["W1", "2"], True, True),
        (["W1", "2"], False, False),
        (["W1", 2.0], False, False),
        (["W1", math.nan], False, True),
        (["1,5", "-"], True, False),
        (["", "n.d."], True, False),
        (["", "n.d.", "x"], True, True),
    ],
)
def test_columns_of_words_are_those_whose_headers_allow_it(cells, certain, holds_words):
    found = columns_of_words({3: cells, 4: ["x"]}, {3: certain, 5: True}, ["n.d."])
    assert found == [3] * holds_words


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ('"a;b";c', ["a;b", "c"]),
        ('"a ""b""; c";d', ['a "b"; c', "d"]),
        (' "a;b" ; c', ["a;b", " c"]),
        ('x"y;z', ['x"y', "z"]),
        ('"";5', ["", "5"]),
        ('5;"cut off; here', ["5", '"cut off; here']),
        ('";5', ['";5']),
    ],
)
def test_a_delimiter_within_quotes_is_none(line, cells):
    assert split_line(line, ";", quoted=True) == cells
    assert split_line(line, ";") == line.split(";")


def test_columns_are_named_as_spreadsheets_do():
    names = {0: "A", 25: "Z", 26: "AA", 51: "AZ", 52: "BA", 701: "ZZ", 702: "AAA", 16383: "XFD"}
    assert {column: column_name(column) for column in names} == names


# --- lines ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lines", "delimiter", "decimal"),
    [
        (["0;1.5;", "1;;3e5", "2;nan;-4"], ";", "."),
        (["0\t1,5\t", "1\t\t3e5", "2\tNaN\t-4"], "\t", ","),
        (["0,1.5,", "1,,3e5", "2,null,-4"], ",", "."),
        (["0 1.5", "1 nan   3e5", "2\tnan -4"], None, "."),
        (["0;1.5", "1;;3e5;", "2;;-4;;"], ";", "."),
    ],
)
def test_plain_lines(lines, delimiter, decimal):
    values, _ = table(lines, delimiter, decimal, width=3)
    np.testing.assert_array_equal(values, [[0, 1.5, np.nan], [1, np.nan, 3e5], [2, np.nan, -4]])


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["+1.5", ".5", "007", ""], [1.5, 0.5, 7, math.nan]),
        (["1e5", "5.", "-0", "2"], [1e5, 5, 0, 2]),
    ],
)
def test_a_column_of_numbers_that_json_does_not_have(cells, numbers):
    values, limits = table([f"{cell};{i}" for i, cell in enumerate(cells)], ";", width=2)
    assert limits == {}
    np.testing.assert_array_equal(values, np.column_stack([numbers, range(4)]))
