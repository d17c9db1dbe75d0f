"""Tables of numbers are read exactly, and as strictly as cell by cell."""

import math

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import example, given

import sims_analysis as sims
from sims_analysis.errors import ReadError
from sims_analysis.readers import lines as lines_module
from sims_analysis.readers import numbers
from sims_analysis.readers.grid import TextGrid
from sims_analysis.readers.numbers import column_name, read_cell
from sims_analysis.readers.source import Options, Source
from sims_analysis.readers.table import read_grid

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
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
    block = TextGrid(lines, delimiter, quoted, options).read(range(len(lines)), width)
    return block.values, block.limits


def lines_of(rows, delimiter, decimal):
    return [delimiter.join(repr(v).replace(".", decimal) for v in row) for row in rows]


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
        with pytest.raises(ReadError, match=f"line {row + 1}, column {column_name(column)}: "):
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
    with pytest.raises(ReadError, match=rf"line {place + 1}: 3 cells .* 2 columns; '{cell}'"):
        table(lines, "\t", width=2)
    lines[place] = "1\t2\t"
    assert table(lines, "\t", width=2)[0].shape == (3, 2)


def test_a_table_of_many_columns_is_read_whole():
    rows = np.random.default_rng(1).normal(size=(70, 3000))
    lines = lines_of(rows.tolist(), "\t", ".")
    np.testing.assert_array_equal(table(lines, "\t", width=3000)[0], rows)


WHOLE = ["9007199254740993", "9223372036854775808", "18446744073709551615", "123456789012345678901"]


@pytest.mark.parametrize("text", WHOLE)
def test_whole_numbers_are_read_as_the_closest_there_are(text):
    values, _ = table([f"{text}\t1", f"1\t{text}"], "\t", width=2)
    np.testing.assert_array_equal(values, [[float(text), 1], [1, float(text)]])


@pytest.mark.parametrize("text", ["true", "FALSE"])
def test_a_column_of_truths_holds_no_numbers(text):
    with pytest.raises(ReadError, match="line 1, column B"):
        table([f"1\t{text}", f"2\t{text}"], "\t", width=2)


@pytest.mark.parametrize("cell", ["<2E15", "n.d.", '"1,5"'])
def test_an_odd_cell_costs_its_column_alone(cell, monkeypatch):
    looked = []

    class Simple:
        def fullmatch(self, text):
            looked.append(text)
            return numbers.re.fullmatch(r"\d+(\.\d+)?", text)

    monkeypatch.setattr(numbers, "_SIMPLE", Simple())
    rows = [[str(10 * i + j) for j in range(5)] for i in range(20)]
    rows[7][2] = cell
    lines = ["\t".join(row) for row in rows]
    if cell.startswith('"'):
        with pytest.raises(ReadError, match="line 8, column C: '1,5' is no number"):
            table(lines, "\t", width=5, quoted=True)
    else:
        values, limits = table(lines, "\t", width=5, not_measured=["n.d."])
        assert limits == ({(7, 2): 2e15} if "<" in cell else {})
        expected = np.arange(20.0)[:, None] * 10 + np.arange(5)
        expected[7, 2] = np.nan
        np.testing.assert_array_equal(values, expected)
    assert 0 < len(looked) <= len(rows)


def test_of_several_odd_cells_the_first_line_is_told():
    lines = ["1\t2\t3", "1\t2\tc", "1\tb\t3", "a\t2\t3", "1\t2\t3\t4"]
    for end, column in ((5, "C"), (4, "C")):
        with pytest.raises(ReadError, match=f"line 2, column {column}"):
            table(lines[:end], "\t", width=3)
    with pytest.raises(ReadError, match="line 2, column B"):
        table([lines[0], lines[2], lines[3]], "\t", width=3)
    with pytest.raises(ReadError, match="line 2: 4 cells"):
        table([lines[0], lines[4], lines[1]], "\t", width=3)


def test_lines_between_blanks_are_not_cut():
    with pytest.raises(ReadError, match=r"line 2: 3 cells in a table of 2 columns; '5' belongs"):
        table(["1 2", "3 4 5"], None, width=2)


def test_a_label_that_looks_like_a_number_is_a_label_in_every_part_of_a_long_table():
    rows = (f"{i % 3000};{'12A'[i // 3000]};{1e18 + i:.4E}" for i in range(9000))
    lines = ["Depth (nm);Sample;B (at/cm3)", *rows]
    assert sum(map(len, lines)) > 2 * lines_module._PIECE
    read = sims.read("\n".join(lines).encode() + b"\n", samples="Sample")
    assert [result.metadata.sample for result in read] == ["1", "2", "A"]
    assert [result["B"].depths.size for result in read] == [3000, 3000, 3000]


def test_no_gap_is_told_of_lines_that_a_dialect_has_left_out():
    lines = ["Time (s);B (cps)", "0;1", "", "1;2", "", "2;3"]
    source = Source("w7.txt", b"")
    content = read_grid(TextGrid(lines, ";", False, Options(), left_out={2, 4}), source)
    assert content.signals[0].values.tolist() == [1, 2, 3]
    with pytest.warns(sims.ProfileWarning, match="end at line 4 and go on at line 6"):
        read_grid(TextGrid(lines, ";", False, Options(), left_out={2}), source)
