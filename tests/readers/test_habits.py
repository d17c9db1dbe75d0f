"""Tables as laboratories and colleagues write them, as text and as a workbook: numbers, or a reason.

Of each table there are the rows above the numbers, with bars between the cells, and what is read:
``B 0:1±2 nm at/cm3`` are depths of the first column, values of the second and errors of the third.
What begins with ``!`` is refused, and says this. Rows ``@ 3`` are five rows of three numbers.
"""

import io
import re
import warnings

import numpy as np
import openpyxl
import pytest

import sims_analysis as sims

#: What is read, the rows, and what the user states.
READ = [
    # --- one row of heads; another adds one thing -------------------------------------------------
    ("B 1:2 nm at/cm3; P 4:5 nm at/cm3",
     "B | | | P | |\nTime (s) | Depth (nm) | Conc. (at/cm3) | Time (s) | Depth (nm) | Conc. (at/cm3)"
     "\n@ 6"),
    ("B 1:2 nm at/cm3; P 4:5 nm at/cm3",
     "B | | | P | |\nTime | Depth | Conc. | Time | Depth | Conc.\ns | nm | at/cm3 | s | nm | at/cm3"
     "\n@ 6"),
    ("11B 0:1 nm at/cm3; 31P 0:2 nm at/cm3",
     "Concentration (at/cm3) | |\n(nm) | 11B | 31P\n@ 3"),
    ("11B 0:1 nm at/cm3; 31P 0:2 nm at/cm3",
     "Depth | Concentration (at/cm3) |\n(nm) | 11B | 31P\n@ 3"),
    ("11B 0:1 nm at/cm3; 31P 0:2 nm at/cm3",
     "Depth profile of W7 | |\n(nm) | 11B (at/cm3) | 31P (at/cm3)\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Matrix | Si | Si\nDepth (nm) | B (at/cm3) | P (at/cm3)\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Depth (nm) | B (at/cm3) | P (at/cm3)\nMatrix | Si | Si\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Depth (nm) | B | P\n | Conc. | Conc.\n | (at/cm3) | (at/cm3)\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Sample W7 | | by M. M.\nDepth | B | P\n\nnm | at/cm3 | at/cm3\n\n@ 3"),
    ("B 0:1±2 nm at/cm3", "Depth (nm) | B (at/cm3) | +/- (at/cm3)\n@ 3"),
    ("B 0:1±2 nm at/cm3", "Depth (nm) | B (at/cm3) | ± (at/cm3)\n@ 3"),
    ("B 0:1±2 nm at/cm3", "Depth (nm) | B (at/cm3) | +- 1 sigma (at/cm3)\n@ 3"),
    ("NO 0:1 nm c/s; O2 0:2 nm c/s", "Depth (nm) | NO (c/s) | O2 (c/s)\n@ 3"),
    ("NO 0:1 nm c/s; O2 0:2 nm c/s", "Depth | NO | O2\nnm | c/s | c/s\n@ 3"),
    ("C 0:1 nm at/cm3", "boron implant |\nDepth (nm) | C (at/cm3)\n@ 2"),
    ("Boron 0:1 nm at/cm3", "Boron |\nDepth (nm) | C (at/cm3)\n@ 2"),
    ("B 0:1 nm át/cm3", "Tiefe (nm) | B (át/cm3)\n@ 2"),
    # --- what stands beside ---------------------------------------------------------------------
    ("B 0:1 nm at/cm3; P 0:3 nm at/cm3",
     "Depth (nm) | B (at/cm3) | DL (at/cm3) | P (at/cm3) | DL (at/cm3)\n@ 5"),
    ("B 0:2 nm at/cm3", "Depth (nm) | Pressure (mbar) | B (at/cm3)\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | Current (nA)\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | Sputter rate (nm/s)\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | Cumulative dose (at/cm2)\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | Ip\nnm | at/cm3 | nA\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | T (°C)\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Depth (nm) | B (at/cm3) | P (at/cm3) | Pressure (mbar) | I_p (nA)\n@ 5"),
    # --- an error and its value in one cell, or in per cent ----------------------------------------
    # --- pages ----------------------------------------------------------------------------------
    ("B 0:1 nm at/cm3",
     "Depth (nm) | B (at/cm3)\n@ 2\nDepth (nm) | B (at/cm3)\n@@ 2"),
    ("B 0:1 nm at/cm3",
     "Depth (nm) | B (at/cm3)\n@ 2\n\nPage 2 |\nDepth (nm) | B (at/cm3)\n@@ 2"),
    ("B 0:1 nm at/cm3",
     "Depth | B\nnm | at/cm3\n@ 2\nDepth | B\nnm | at/cm3\n@@ 2"),
]  # fmt: skip

REFUSED = [
    ("states a factor", "Depth (nm) | B, 10^18 cm^-3\n@ 2"),
    ("states a factor", "Depth (nm) | B conc. E18 (at/cm3)\n@ 2"),
    ("states a factor", "Depth (nm) | B [1E18 at/cm3]\n@ 2"),
    ("states a factor", "Depth (nm) | B (x1E18 at/cm3)\n@ 2"),
    ("states a factor", "Depth | B\nnm | 1E18 at/cm3\n@ 2"),
    ("states a factor", "All concentrations in 1E18 at/cm3 |\nDepth (nm) | B (at/cm3)\n@ 2"),
    ("states a factor", "All concentrations in 10^18 at/cm3 |\nDepth (nm) | B\n@ 2"),
    ("states a factor", "Depth (nm) | B (at/cm3)\n@ 2\n\nValues are to be multiplied by 1E18"),
    ("states a factor", "Depth (nm) | B (at/cm3)\n@ 2\n\nKonzentrationen in Einheiten von 10¹⁸ cm⁻³"),
    ("'Si->'", "Concentration (atoms/cm3) | |\nDepth (nm) | B | Si->\n@ 3"),
    ("'um' .*'nm'|'nm'.*'um'", "Depth (nm) | B (at/cm3)\num | at/cm3\n@ 2"),
    ("'c/s'", "Depth (nm) | B (at/cm3)\nnm | c/s\n@ 2"),
    ("samples=True", "Depth (nm) | B (at/cm3) | B (at/cm3)\n | W1 | W2\n@ 3"),
    ("samples=True", "Depth (nm) | B (at/cm3)\n@ 2\n\n@ 2"),
    ("samples=True", "W1 |\nDepth (nm) | B (at/cm3)\n@ 2\n\nW2 |\nDepth (nm) | B (at/cm3)\n@ 2"),
    ("samples=True", "Depth (nm) | B (at/cm3)\nW1 |\n@ 2\nW2 |\n@ 2"),
    ("thousands", "Depth (nm) | B (at/cm3)\n998 | 1\n999 | 2\n1.000 | 3\n1.001 | 4"),
    ("thousands", "Depth (nm) | B (c/s)\n1 | 1.234\n2 | 12.345\n3 | 123\n4 | 1.111"),
    ("-9999", "Depth (nm) | B (at/cm3)\n0 | 1E18\n1 | -9999\n2 | 3E18"),
    ("-1", "Depth (nm) | B (at/cm3)\n0 | 1E18\n1 | -1\n2 | 3E18\n3 | -1"),
]  # fmt: skip


def rows_of(table):
    """Split a table into cells, numbers as floats."""
    rows, start = [], 0
    for line in table.split("\n"):
        if line.startswith("@"):
            mark, width = line.split()
            start = start if mark == "@@" else 0
            rows += [
                [10.0 * i if j == 0 else 1000.0 * j + i + 0.5 for j in range(int(width))]
                for i in range(start, start + 5)
            ]
            start += 5
            continue
        cells = [cell.strip() for cell in line.split("|")] if line else []
        rows.append([number(cell) for cell in cells])
    return rows


def number(cell):
    try:
        return float(cell) if "." not in cell else cell
    except ValueError:
        return cell or None


def as_text(rows):
    lines = [";".join("" if c is None else f"{c:g}" if isinstance(c, float) else c for c in row)
             for row in rows]  # fmt: skip
    return named("\n".join([*lines, ""]).encode(), "w7.csv")


def as_workbook(rows, **others):
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    return named(out.getvalue(), "w7.xlsx")


def named(content, name):
    file = io.BytesIO(content)
    file.name = name
    return file


def expected(read, rows):
    """Give the profiles that a table holds, by the columns that are stated."""
    width = max(map(len, rows))
    body = np.array([
        [*row, *[np.nan] * (width - len(row))] for row in rows
        if row and all(isinstance(c, float) for c in row)
    ])  # fmt: skip
    for part in read.split("; "):
        name, columns, depth_units, units = re.fullmatch(
            r"(.+) (\S+:\S+) (\S+) (\S+)", part
        ).groups()
        axis, value, error = re.fullmatch(r"(\d+):(\d+)(?:±(\d+))?", columns).groups()
        yield (
            name,
            body[:, int(axis)].tolist(),
            body[:, int(value)].tolist(),
            None if error is None else body[:, int(error)].tolist(),
            depth_units,
            units,
        )


def found(result):
    for p in result.depth_profiles:
        errors = p.concentrations_stderr
        yield (
            p.species_name,
            p.depths.tolist(),
            p.concentrations.tolist(),
            None if errors is None else errors.tolist(),
            p.depth_units,
            p.concentration_units,
        )


@pytest.mark.parametrize("written", [as_text, as_workbook])
@pytest.mark.parametrize(("read", "table"), READ)
def test_tables_are_read_as_they_are_meant(read, table, written):
    rows = rows_of(table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.ProfileWarning)
        result = sims.read(written(rows))
    assert [*found(result)] == [*expected(read, rows)]


@pytest.mark.parametrize("written", [as_text, as_workbook])
@pytest.mark.parametrize(("says", "table"), REFUSED)
def test_what_is_left_open_is_refused(says, table, written):
    with pytest.raises(sims.SimsError, match=says):
        sims.read(written(rows_of(table)))
