"""Tables as laboratories write them, as text and as a workbook: numbers, or a reason.

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
from error_parts import raises, warns

import sims_analysis as sims

#: What is read, the rows, and what the user states.
READ = [
    # --- one row of heads; another adds one thing -------------------------------------------------
    ("B 1:2 nm at/cm3; P 4:5 nm at/cm3",
     "B | | | P | |\nTime (s) | z (nm) | C (at/cm3) | Time (s) | z (nm) | C (at/cm3)\n@ 6"),
    ("B 1:2 nm at/cm3; P 4:5 nm at/cm3",
     "B | | | P | |\nTime | z | C | Time | z | C\ns | nm | at/cm3 | s | nm | at/cm3\n@ 6"),
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
    ("boron 0:1 nm at/cm3", "boron implant |\nDepth (nm) | C (at/cm3)\n@ 2"),
    ("B 0:1 nm at/cm3", "B implant, 30 keV |\nDepth (nm) | C (at/cm3)\n@ 2"),
    ("11B 0:1 nm at/cm3; 11B 0:2 nm c/s",
     "11B implant into Si | |\nDepth (nm) | C (at/cm3) | I (c/s)\n@ 3"),
    ("C 0:1 nm c/s", "B implant |\nDepth (nm) | C (c/s)\n@ 2"),
    ("B 0:1 nm counts", "B implant |\nDepth (nm) | I (counts)\n@ 2"),
    ("C 0:1 nm at/cm3; N 0:2 nm at/cm3",
     "B implant | |\nDepth (nm) | C (at/cm3) | N (at/cm3)\n@ 3"),
    ("Boron 0:1 nm at/cm3", "Boron |\nDepth (nm) | C (at/cm3)\n@ 2"),
    ("B 0:1 nm át/cm3", "Tiefe (nm) | B (át/cm3)\n@ 2"),
    ("B 0:1 nm at/cm3; Matrix 0:2 nm c/s", "Depth | B | Matrix\nnm | at/cm3 | c/s\n@ 3"),
    ("B 0:1 nm at/cm3; Layer 0:2 nm c/s", "Depth | B | Layer\nnm | at/cm3 | c/s\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3; Si 0:3 nm c/s; O 0:4 nm c/s",
     "Depth | Dopants | | Matrix |\nnm | at/cm3 | at/cm3 | c/s | c/s\n | B | P | Si | O\n@ 5"),
    ("B 0:1 nm at/cm3; Si 0:2 nm c/s",
     "Depth (nm) | Impurities (at/cm3) | Matrix (c/s)\n | B | Si\n@ 3"),
    ("B 0:1 um at/cm3; P 0:2 um at/cm3",
     "Depth unit: um | |\nConcentration unit: at/cm3 | |\nDepth | B | P\n@ 3"),
    ("boron 0:1 nm at/cm3", "Depth (nm) | C (at/cm3)\nboron implant |\n@ 2"),
    ("boron 0:1 nm at/cm3", "Depth (nm) | C (at/cm3)\n@ 2\nboron implant |"),
    ("B 0:1 um at/cm3", "All depths in um |\nDepth | B (at/cm3)\n@ 2"),
    ("B 0:1 nm at/cm3", "all depths are given in nm |\nDepth (nm) | B (at/cm3)\n@ 2"),
    ("As 0:1 nm at/cm3; P 0:2 nm at/cm3; B 0:3 nm at/cm3; Al 0:4 nm at/cm3",
     "Depth | Cs+ | | O2+ |\n | As | P | B | Al\nnm | at/cm3 | at/cm3 | at/cm3 | at/cm3\n@ 5"),
    ("As 0:1 nm c/s; P 0:2 nm c/s; B 0:3 nm c/s; Al 0:4 nm c/s",
     "Depth (nm) | Cs+ | | O2+ |\n | As (c/s) | P (c/s) | B (c/s) | Al (c/s)\n@ 5"),
    # --- what stands beside ---------------------------------------------------------------------
    ("B 0:1 nm at/cm3; P 0:3 nm at/cm3",
     "Depth (nm) | B (at/cm3) | DL (at/cm3) | P (at/cm3) | DL (at/cm3)\n@ 5"),
    *(("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
       f"Depth (nm) | B (at/cm3) | P (at/cm3) | {limit} (at/cm3)\n@ 4")
      for limit in ("LOD B", "DL B", "LOD (B)", "MDL(B)", "Limit B", "Nachweisgrenze B")),
    ("B 0:2 nm at/cm3", "Depth (nm) | Pressure (mbar) | B (at/cm3)\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | Current (nA)\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | Sputter rate (nm/s)\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | Cumulative dose (at/cm2)\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | Ip\nnm | at/cm3 | nA\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | T (°C)\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Depth (nm) | B (at/cm3) | P (at/cm3) | Pressure (mbar) | I_p (nA)\n@ 5"),
    ("B 0:2 nm at/cm3", "Depth (nm) | Transmission (%) | B (at/cm3)\n@ 3"),
    ("B 1:2 nm at/cm3", "# | Depth | B\n | nm | at/cm3\n@ 3"),
    ("11B 0:1 nm c/s; 11B 0:2 nm at/cm3",
     "Depth (nm) | 11B (c/s) | 11B (at/cm3)\nMatrix | Si | Si\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Sample | W7 |\nDepth | B | P\nDL | 1E15 | 2E15\nnm | at/cm3 | at/cm3\nRSF | 1 | 2\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Depth (nm) | B (at/cm3) | P (at/cm3)\nInt. time (s) | 1 | 2\n@ 3"),
    ("B 0:1±2 nm at/cm3", "Depth (nm) | B (at/cm3) | dB (at/cm3)\n@ 3"),
    ("B 0:1±2 nm at/cm3", "Depth (nm) | B (at/cm3) | u(B) (at/cm3)\n@ 3"),
    ("B 0:1±2 nm at/cm3", "Depth (nm) | Conc. (B) [at/cm3] | σ(B) [at/cm3]\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | 95% CI (at/cm3)\n@ 3"),
    ("B 0:1 nm at/cm3", "Depth (nm) | B (at/cm3) | RSF (at/cm3)\n@ 3"),
    ("B 0:2 nm at/cm3", "Depth (nm) | ± (nm) | B (at/cm3)\n@ 3"),
    ("11B 0:1 nm at/cm3", "Species: 11B |\nDepth (nm) | Concentration (at/cm3)\n@ 2"),
    ("11B 0:1 um c/s", "Depth axis: um |\nDepth | 11B (c/s)\n@ 2"),
    ("11B 0:1 um c/s", "depth [um] |\nDepth | 11B (c/s)\n@ 2"),
    ("11B 0:1 Å c/s", "Sputter depth is given in Å |\nDepth | 11B (c/s)\n@ 2"),
    ("B W1 0:1 nm at/cm3; B W2 0:2 nm at/cm3",
     "Depth (nm) | B (at/cm3) W1 | B (at/cm3) W2\n@ 3"),
    *(("B 0:1 nm at/cm3", f"Depth (nm) | B (at/cm3) | {head} (at/cm3)\n@ 3")
      for head in ("LOD 3σ", "3σ LOD", "LOD (3σ)", "B background", "B err+", "B_min")),
    *(("B 0:1±2 nm at/cm3", f"Depth (nm) | B (at/cm3) | {head} (at/cm3)\n@ 3")
      for head in ("s_B", "e_B", "uB", "SE", "SEM")),
    ("B 0:1 nm at/cm3; Se 0:2 nm at/cm3", "Depth (nm) | B (at/cm3) | Se (at/cm3)\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Depth (nm) | B (at/cm3) | P (at/cm3)\n3σ limit | 1E15 | 2E15\n@ 3"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3", "Site | 1 | 2\nDepth (nm) | B (at/cm3) | P (at/cm3)\n@ 3"),
    *(("B 0:1 nm at/cm3", f"Depth (nm) | B (at/cm3) | {low} (at/cm3) | {high} (at/cm3)\n@ 4")
      for low, high in (("low", "high"), ("B lower", "B upper"), ("95% CI low", "95% CI high"),
                        ("Low (95%)", "High (95%)"), ("B_lo", "B_hi"))),
    *(("B 0:1 nm at/cm3", f"Depth (nm) | B (at/cm3) | {head} (at/cm3)\n@ 3")
      for head in ("Unc. 95%", "B uncertainty (95 %)", "LOQ", "Untergrund", "Noise floor", "σ-",
                   "Peak", "max. conc.")),
    *(("B 0:1±2 nm at/cm3", f"Depth (nm) | B (at/cm3) | {head} (at/cm3)\n@ 3")
      for head in ("B uncertainty (1σ)", "error (1 s.d.)")),
    ("B 0:1 nm 个/cm3", "深度 (nm) | B浓度 (个/cm3)\n@ 2"),
    *(("B 0:1 nm at/cm3", f"{about}\nDepth (nm) | B (at/cm3)\n@ 2")
      for about in ("electron multiplier, 2.3 kV", "scaled to 1.5 nA",
                    "Rp | 50 | nm\nPeak | 1E20 | at/cm3", "Scale bar: 100 um",
                    "Crater depth | 500 | nm\nTime | 100 | s")),
    ("B 0:1 nm c/s", "Depth | B (a.u.)\nnm | c/s\n@ 2"),
    # --- what rows are called, as Origin does; samples of one species ---------------------------
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Long Name | Depth | B | P\nUnits | nm | at/cm3 | at/cm3\nComments | | W7 | W7\n@ 3"),
    ("B 1:2 nm at/cm3; P 1:3 nm at/cm3",
     "Langname | Tiefe | B | P\nEinheiten | nm | at/cm3 | at/cm3\nKommentare | | | W7\n@ 4"),
    ("B 0:1 nm at/cm3; P 0:2 nm at/cm3",
     "Depth | B | P\nnm | at/cm3 | at/cm3\n | as implanted | substrate\n@ 3"),
    *(("Boron W7 0:1 nm at/cm3; Boron W8 0:2 nm at/cm3", f"{heads}\n@ 3")
      for heads in ("Depth (nm) | Boron (at/cm3) |\n | W7 | W8",
                    "Boron (at/cm3) | |\nDepth (nm) | W7 | W8",
                    "Boron | |\nDepth (nm) | W7 (at/cm3) | W8 (at/cm3)")),
    ("11B 0:1 nm c/s; 11B 0:2 nm at/cm3; 31P 0:3 nm c/s; 31P 0:4 nm at/cm3",
     " | 11B | | 31P |\nz | Int. | Conc. | Int. | Conc.\nnm | c/s | at/cm3 | c/s | at/cm3\n@ 5"),
    *(("B 0:1 nm cm-3; P 0:2 nm cm-3", "\n".join(
        f"{word}{n} {head}" for n, head in enumerate(["z (nm)", "B (cm-3)", "P (cm-3)"], 1)
    ) + "\n@ 3") for word in ("", "column ", "# column ")),
    ("B 0:1±3 nm cm^-3; P 0:2±4 nm cm^-3",
     "Depth (nm) | B (cm^-3) | P (cm^-3) | B std (cm^-3) | P std (cm^-3)\n@ 5"),
    ("11B 0:1±2 nm cm^-3; 31P 0:3±4 nm cm^-3",
     "Depth (nm) | 11B mean (cm^-3) | 11B SD (cm^-3) | 31P mean (cm^-3) | 31P SD (cm^-3)\n@ 5"),
    # --- pages ----------------------------------------------------------------------------------
    ("B 0:1 nm at/cm3",
     "Depth (nm) | B (at/cm3)\n@ 2\nDepth (nm) | B (at/cm3)\n@@ 2"),
    ("B 0:1 nm at/cm3",
     "Depth (nm) | B (at/cm3)\n@ 2\n\nPage 2 |\nDepth (nm) | B (at/cm3)\n@@ 2"),
    ("B 0:1 nm at/cm3",
     "Depth | B\nnm | at/cm3\n@ 2\nDepth | B\nnm | at/cm3\n@@ 2"),
]  # fmt: skip

REFUSED = [
    ("scaled_values", "1/Depth (nm) | B (at/cm3)\n@ 2"),
    ("scaled_values", "Depth (nm) | sqrt(B) (at/cm3)\n@ 2"),
    ("scaled_values", "Depth (nm) | B (at/cm3) | U (k=2) (at/cm3)\n@ 3"),
    ("scaled_values", "Depth (nm) | B (at/cm3) | 2s (at/cm3)\n@ 3"),
    ("ambiguous_table",
     "Conc. (cm-3) | |\n | B | P\nDepth | Conc. | Conc.\num | |\n0 | 1 | 2\num | |\n@ 3"),
    ("different_units", "Concentrations are in ppm |\nDepth (nm) | B (at/cm3)\n@ 2"),
    ("ambiguous_unit", "multiply conc. by 2 |\nDepth (nm) | B (at/cm3)\n@ 2"),
    ("missing_species", "x | y\nnm | cm-3\n@ 2"),
    ("different_units", "all depths in um |\nDepth (nm) | B (at/cm3)\n@ 2"),
    ("different_units", "Depth unit: um |\nDepth (nm) | B (at/cm3)\n@ 2"),
    ("several_samples",
     " | Cs+ | | O2+ |\nDepth (nm) | B (c/s) | P (c/s) | B (c/s) | P (c/s)\n@ 5"),
    ("several_samples",
     "Depth (nm) | Wafer 7 | | Wafer 8 |\n | B (c/s) | P (c/s) | B (c/s) | P (c/s)\n@ 5"),
    ("ambiguous_unit", "Depth (nm) | B, 10^18 cm^-3\n@ 2"),
    ("ambiguous_unit", "Depth (nm) | B conc. E18 (at/cm3)\n@ 2"),
    ("ambiguous_unit", "Depth (nm) | B [1E18 at/cm3]\n@ 2"),
    ("ambiguous_unit", "Depth (nm) | B (x1E18 at/cm3)\n@ 2"),
    ("ambiguous_unit", "Depth | B\nnm | 1E18 at/cm3\n@ 2"),
    ("ambiguous_unit", "All concentrations in 1E18 at/cm3 |\nDepth (nm) | B (at/cm3)\n@ 2"),
    ("ambiguous_unit", "All concentrations in 10^18 at/cm3 |\nDepth (nm) | B\n@ 2"),
    ("ambiguous_unit", "Depth (nm) | B (at/cm3)\n@ 2\n\nValues are to be multiplied by 1E18"),
    ("ambiguous_unit", "Depth (nm) | B (at/cm3)\n@ 2\n\nWerte in Einheiten von 10¹⁸ cm⁻³"),
    *(("ambiguous_unit", f"{note}\nDepth (nm) | B (at/cm3)\n@ 2")
      for note in ("Scale | 1E18", "values in units of 1e18", "data divided by 1e18",
                   "Skalierung: 1E18")),
    ("missing_unit", "Concentration (atoms/cm3) | |\nDepth (nm) | B | Si->\n@ 3"),
    ("different_units", "Depth (nm) | B (at/cm3)\num | at/cm3\n@ 2"),
    ("different_units", "Depth (nm) | B (at/cm3)\nnm | c/s\n@ 2"),
    ("several_samples", "Depth (nm) | B (at/cm3) | B (at/cm3)\n | W1 | W2\n@ 3"),
    ("several_samples",
     "Depth (nm) | Wafer 7 (c/s) | | Wafer 8 (c/s) |\n | B | P | B | P\n@ 5"),
    *(("missing_unit", f"Depth (nm) | B (at/cm3) | {head}\n@ 3")
      for head in ("Δ", "SNR", "Sheet (ohm/sq)", "P (cm3)")),
    ("several_samples", "Depth (nm) | B (at/cm3)\n@ 2\n\n@ 2"),
    *(("several_samples", f"{lead} | 1 | 2\nDepth (nm) | B (at/cm3) | B (at/cm3)\n@ 3")
      for lead in ("Sample", "Slot", "Energy (keV)", "")),
    ("several_samples",
     "Run date | 1 May | 2 May\nDepth (nm) | B (at/cm3) | B (at/cm3)\n@ 3"),
    ("several_samples", "Depth (nm) | B (at/cm3) | B (at/cm3)\nWafer | 1 | 2\n@ 3"),
    ("several_samples",
     "Depth (nm) | B (c/s)\n0 | 1\n5 | 2\n10 | 3\n15 | 4\n5 | 5\n10 | 6\n20 | 7"),
    ("several_samples", "z (nm) | B (c/s)\n0 | 1\n5 | 2\n10 | 3\n0 | 1\n5 | 2"),
    ("ambiguous_table", "z (nm) | B (c/s) | Q | P (c/s)\n0 | 1 | < | 1\n1 | 2 | | 3"),
    ("missing_unit", "Depth (nm) | B (at/cm3) | Error\n0 | 1E18 | 5\n1 | 2E18 | 5\n2 | 3E18 | 4"),
    *(("different_units", f"{note} |\nDepth (nm) | B (at/cm3)\n@ 2")
      for note in ("Depth axis: Å", "depth [um]", "Depths: micrometers", "Profondeur en µm",
                   "Sputter depth is given in Ångström", "Tiefenachse: Å")),
    *(("ambiguous_unit", f"{head} | B (at/cm3)\n@ 2") for head in ("Depth (x10 nm)", "z (10 nm)")),
    ("ambiguous_unit", "Depth (nm) | B (1018 at/cm3)\n@ 2"),
    ("several_samples",
     "3 | | 7 |\nDepth (nm) | B (at/cm3) | Depth (nm) | B (at/cm3)\n@ 4"),
    ("several_samples", "W1 |\nDepth (nm) | B (at/cm3)\n@ 2\n\nW2 |\nDepth (nm) | B (at/cm3)\n@ 2"),
    ("several_samples", "Depth (nm) | B (at/cm3)\nW1 |\n@ 2\nW2 |\n@ 2"),
    ("ambiguous_table", "Depth (nm) | B (at/cm3)\n998 | 1\n999 | 2\n1.000 | 3\n1.001 | 4"),
    ("ambiguous_table", "Depth (nm) | B (c/s)\n1 | 1.234\n2 | 12.345\n3 | 123\n4 | 1.111"),
    ("ambiguous_table", "Depth (nm) | B (c/s)\n0 | 5\n1 | 998\n2 | 1.002"),
    # --- no advice that makes wrong ------------------------------------------------------------
    ("missing_axis", "B (at/cm3) | P (at/cm3)\n@ 2"),
    ("missing_axis", "Depth (nm) |\nB | P\n@ 2"),
    ("no_profile", "Depth (nm) | B (at/cm2)\n@ 2"),
    ("ambiguous_unit", "Depth (nm) | B (%)\n@ 2"),
    ("scaled_values", "Depth (nm) | B (at/cm3) | 2σ (at/cm3)\n@ 3"),
    ("ambiguous_table", "Depth (nm) | B (at/cm3)\n1 | 0 | 1E18\n2 | 5 | 2E18\n3 | 10 | 3E18"),
    ("no_profile", "Species | Depth (nm) | Conc. (at/cm3)\nB | 120 | 1E20\nP | 80 | 2E19"),
    ("not_a_number", "Depth (nm) | B (at/cm3)\n0 | 1E18\n1 | -9999\n2 | 3E18"),
    ("not_a_number", "Depth (nm) | B (at/cm3)\n0 | 1E18\n1 | -1\n2 | 3E18\n3 | -1"),
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


WRITTEN = [as_text, pytest.param(as_workbook, marks=pytest.mark.slow)]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(("read", "table"), READ)
def test_tables_are_read_as_they_are_meant(read, table, written):
    rows = rows_of(table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.ProfileWarning)
        result = sims.read(written(rows))
    assert [*found(result)] == [*expected(read, rows)]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(("code", "table"), REFUSED)
def test_what_is_left_open_is_refused(code, table, written):
    with pytest.raises(sims.SimsError) as caught:
        sims.read(written(rows_of(table)))
    assert caught.value.code == code


def test_no_unit_is_advised_for_a_column_that_states_one(tmp_path):
    for table in [table for _, table in REFUSED if "Si->" not in table and "(%)" not in table]:
        with pytest.raises(sims.SimsError) as caught:
            sims.read(as_text(rows_of(table)))
        assert not re.search(r"pass (depth_)?units=", str(caught.value)), table


@pytest.mark.parametrize(
    "head",
    ["Energy (keV)", "Mass", "Bruit de fond (at/cm3)", "Pression (mbar)", "本底", "束流(nA)"],
)
def test_ancillary_columns_are_kept_and_are_no_species(head):
    result = sims.read(as_text(rows_of(f"Depth (nm) | B (at/cm3) | {head}\n@ 3")))
    assert result.species == ["B"]
    assert [*result["B"].extra["columns"]] == [head]


def test_pairs_of_x_and_y_are_profiles_where_the_unit_of_depths_is_stated():
    rows = rows_of("B | | P |\nX | Y | X | Y\n@ 4")
    result = sims.read(as_text(rows), depth_units="nm", units="at/cm3")
    expected_ = expected("B 0:1 nm at/cm3; P 2:3 nm at/cm3", rows)
    assert [*found(result)] == [*expected_]


def test_points_that_nothing_shows_to_be_decimal_ones_are_warned_of():
    text = b"Depth (nm);B (c/s)\n0;120.000\n1;121.250\n"
    with warns(sims.ProfileWarning, argument="decimal", line=2, column="B"):
        assert sims.read(text)["B"].concentrations.tolist() == [120, 121.25]
    assert sims.read(text, decimal=",")["B"].concentrations.tolist() == [120e3, 121250]
    for number in (b"0.998", b"121.25", b"1.215e2"):
        sims.read(text.replace(b"121.250", number))
        sims.read(text.replace(b"\n1;", b"\n" + number + b";"))


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(
    ("table", "labels"),
    [
        ("W1 |\nDepth (nm) | B (at/cm3)\n@ 2\n\nW2 |\nDepth (nm) | B (at/cm3)\n@ 2", ["W1", "W2"]),
        ("Depth (nm) | B (at/cm3)\nW1 |\n@ 2\nW2 |\n@ 2\nW3 |\n@ 2", ["W1", "W2", "W3"]),
        ("Sample | a\nz (nm) | B (at/cm3)\n@ 2\nSample | b\nz (nm) | B (at/cm3)\n@ 2", ["a", "b"]),
        ("Depth (nm) | B (at/cm3)\n@ 2\n\n@ 2", ["block 1", "block 2"]),
        ("Depth (nm) | B (at/cm3)\n@ 2\n@ 2", ["block 1", "block 2"]),
    ],
)  # fmt: skip
def test_blocks_below_each_other_are_samples(written, table, labels):
    rows = rows_of(table)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.ProfileWarning)
        found_ = sims.read(written(rows), samples=True)
    assert [result.metadata.sample for result in found_] == labels
    for result in found_:
        assert result["B"].depths.tolist() == [0, 10, 20, 30, 40]
        assert result["B"].concentrations.tolist() == [1000.5 + i for i in range(5)]


@pytest.mark.parametrize(("written", "mark"), [(as_text, ""), (as_text, "# "), (as_workbook, "")])
@pytest.mark.parametrize("heads", ["Depth (nm) | Conc. (at/cm3)", "nm | at/cm3"])
def test_blocks_that_are_named_by_species_are_their_profiles(written, mark, heads):
    table = "".join(f"{mark}{name} |\n{mark}{heads}\n@ 2\n" for name in ("Boron", "Arsenic"))
    result = sims.read(written(rows_of(table.strip())))
    assert result.species == ["Boron", "Arsenic"]
    assert result["Arsenic"].concentrations.tolist() == [1000.5 + i for i in range(5)]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(
    ("cells", "errors"),
    [
        (["1E18 ± 1E17", "2E18 +/- 3E17", "4E18"], [1e17, 3e17, np.nan]),
        (["1E18 ± 10 %", "2E18 ± 5%", "4E18±1E16"], [1e17, 1e17, 1e16]),
    ],
)
def test_a_value_and_its_error_in_one_cell(written, cells, errors):
    rows = [["Depth (nm)", "B (at/cm3)"], *([float(i), cell] for i, cell in enumerate(cells))]
    profile = sims.read(written(rows))["B"]
    assert profile.concentrations.tolist() == [1e18, 2e18, 4e18]
    np.testing.assert_allclose(profile.concentrations_stderr, errors)


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(
    "head",
    ["Error (%)", "B error (%)", "RSD (%)", "rel. std. dev. [%]", "rel. Fehler [%]"],
)
def test_errors_in_per_cent_are_parts_of_their_values(written, head):
    profile = sims.read(
        written([["Depth (nm)", "B (at/cm3)", head], [0.0, 2e18, 5.0], [1.0, 4e18, 10.0]])
    )["B"]
    assert profile.concentrations_stderr.tolist() == [1e17, 4e17]


@pytest.mark.parametrize("written", WRITTEN)
def test_a_column_of_layers_is_known_of_the_measurement(written):
    rows = [["Layer", "Depth (nm)", "B (at/cm3)"], *(
        [name, 10.0 * i, 1e18 + i] for i, name in enumerate(["SiO2", "SiO2", "Si", "Si"])
    )]  # fmt: skip
    result = sims.read(written(rows))
    assert result["B"].depths.tolist() == [0, 10, 20, 30]
    layers = [(layer.matrix, layer.start, layer.stop) for layer in result.metadata.layers]
    assert layers == [("SiO2", "0 nm", "10 nm"), ("Si", "20 nm", "30 nm")]


@pytest.mark.parametrize("written", WRITTEN)
def test_rows_that_say_what_is_known_of_each_column(written):
    table = (
        "Matrix | Si | SiO2\nDepth (nm) | B (at/cm3) | P (at/cm3)\n"
        "RSF (at/cm3) | 1E22 | 2E22\nDL | 1E15 | 2E15\n@ 3"
    )
    boron, phosphorus = (p.species_metadata for p in sims.read(written(rows_of(table))))
    assert (boron["matrix"], phosphorus["matrix"]) == ("Si", "SiO2")
    assert [float(m["rsf"].split()[0]) for m in (boron, phosphorus)] == [1e22, 2e22]
    assert [float(m["detection_limit"].split()[0]) for m in (boron, phosphorus)] == [1e15, 2e15]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(
    "side",
    [
        [["measured by M. M."]],
        [["Summary", None], ["Peak depth (nm)", 120.0], ["Dose (at/cm2)", 1e14]],
        [[None, None], ["Species", "Peak"], ["B", 1e20]],
    ],
)
def test_notes_beside_the_rows_are_kept_and_are_no_values(written, side):
    rows = [["Depth (nm)", "B (at/cm3)"], *([10.0 * i, 1e18 + i] for i in range(6))]
    rows = [
        [*row, *((None, *side[i - 1]) if 0 < i <= len(side) else ())] for i, row in enumerate(rows)
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.ProfileWarning)
        result = sims.read(written(rows))
    assert [*result.species] == ["B"]
    assert result["B"].depths.tolist() == [0, 10, 20, 30, 40, 50]
    kept = str(result.metadata.other)
    assert all(cell in kept for cells in side for cell in cells if isinstance(cell, str))


def test_remarks_right_next_to_the_values_need_no_header():
    rows = rows_of("Depth (nm) | B (at/cm3)\n@ 2")
    rows[2].append("interface")
    assert sims.read(as_text(rows))["B"].depths.tolist() == [0, 10, 20, 30, 40]


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize(
    "heads",
    ["Depth (nm) | < | B (c/s) | < | P (c/s)", "Depth (nm) | B (c/s) | Mod. | P (c/s) | Mod."],
)
def test_signs_in_a_column_of_their_own_make_limits(written, heads):
    first = heads.index("<") < heads.index("B") if "<" in heads else False
    rows = [heads.split(" | ")]
    for i, sign in enumerate(("", "=", "<", "≤")):
        own, other = [sign, 10.0 + i], ["", 20.0 + i]
        rows.append([float(i), *(own + other if first else own[::-1] + other[::-1])])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.ProfileWarning)
        result = sims.read(written(rows))
    np.testing.assert_array_equal(result["B"].concentrations, [10, 11, np.nan, np.nan])
    limits = result["B"].extra["columns"]["detection_limit"]["values"]
    assert limits[2:] == [12.0, 13.0]
    assert result["P"].concentrations.tolist() == [20, 21, 22, 23]
    place = {"line": 5} if written is as_text else {"sheet": "Sheet", "row": 5}
    with raises(sims.ReadError, "not_a_number", column="C" if first else "B", **place):
        sims.read(written([*rows[:-1], [">" if cell == "≤" else cell for cell in rows[-1]]]))


@pytest.mark.parametrize("texts", [["TRUE", "FALSE"], ["", "<LOD"], ["Y", "N"]])
@pytest.mark.parametrize("head", ["valid", "Flag", "BDL", "Bemerkung"])
def test_remarks_about_rows_distinguish_no_samples_and_are_said(head, texts):
    rows = [["Depth (nm)", "B (c/s)", head], *([float(i), 9.0, texts[i // 3]] for i in range(6))]
    with warns(sims.ProfileWarning, "ignored_column"):
        assert sims.read(as_text(rows))["B"].concentrations.tolist() == [9] * 6


def test_a_column_states_the_unit_of_depths():
    rows = [["Depth", "depth_unit", "B (c/s)"], *([float(i), "um", 9.0] for i in range(4))]
    assert sims.read(as_text(rows))["B"].depth_units == "um"
    for heads in ("Depth | Unit | B | Unit", "Depth | Depth unit | B | B unit"):
        rows = [heads.split(" | "), *([float(i), "um", 9.0, "c/s"] for i in range(4))]
        profile = sims.read(as_workbook(rows))["B"]
        assert (profile.depth_units, profile.concentration_units) == ("um", "c/s")
    before = [["Unit", "Depth (um)", "B (c/s)"], *(["um", float(i), 9.0] for i in range(4))]
    assert sims.read(as_text(before))["B"].concentration_units == "c/s"
    rows[0] = ["Depth (nm)", "Unit", "B", "Unit"]
    with raises(sims.UnitsError, "different_units", line=2, column="A"):
        sims.read(as_text(rows))
    heads = ["species", "depth", "depth_unit", "conc", "unit"]
    tidy = [heads, *([s, float(i), u, 9.0, "at%"] for s, u in ("Bn", "Pµ") for i in range(3))]
    tidy = [
        [{"n": "nm", "µ": "um"}.get(c, c) if isinstance(c, str) else c for c in r] for r in tidy
    ]
    result = sims.read(as_text(tidy))
    assert [(p.species_name, p.depth_units) for p in result.depth_profiles] == [
        ("B", "nm"), ("P", "um")]  # fmt: skip
    tidy[2][2] = "um"
    with raises(sims.UnitsError, "different_units", species="B"):
        sims.read(as_text(tidy))


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("1.234.567 1.334.567 998", [1234567, 1334567, 998]),
        ('"1,234,567" "1,334,567" "998"', [1234567, 1334567, 998]),
        ("1.1E18 2.3E18 5E17", [1.1e18, 2.3e18, 5e17]),
        ("1,1E18 <2.3E18 5E17", [1.1e18, np.nan, 5e17]),
    ],
)
def test_the_decimal_mark_may_differ_by_column(text, values):
    rows = (f"{i},5;{cell}" for i, cell in enumerate(text.split()))
    table = "\n".join(["Depth (nm);B (at/cm3)", *rows])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.ProfileWarning)
        profile = sims.read(table.encode())["B"]
    np.testing.assert_array_equal(profile.concentrations, values)
    assert profile.depths.tolist() == [0.5, 1.5, 2.5]


def test_depths_of_three_decimals_cost_nothing_next_to_whole_counts():
    table = "z (nm)\tB (counts)\n0.000\t998\n0.500\t999\n1.000\t17\n"
    assert sims.read(table.encode())["B"].concentrations.tolist() == [998, 999, 17]
    with raises(sims.ReadError, "ambiguous_table", argument="decimal", line=4, column="B"):
        sims.read(table.replace("17", "1.000").encode())


def test_a_limit_belongs_to_the_species_before_it():
    table = "Depth (nm) | B (at/cm3) | DL (at/cm3) | P (at/cm3) | DL (at/cm3)\n@ 5"
    boron, phosphorus = sims.read(as_text(rows_of(table)))
    assert boron.extra["columns"]["DL (at/cm3)"]["values"][0] == 2000.5
    assert phosphorus.extra["columns"]["DL (at/cm3)"]["values"][0] == 4000.5


@pytest.mark.parametrize("label", ["Species", "Sample", "Wafer"])
def test_a_list_of_results_is_not_the_sheet_of_the_profiles(label, approved):
    book, first = openpyxl.Workbook(), "Results"
    book.active.title = first
    head = [label, "Peak depth (nm)", "Peak conc. (at/cm3)"]
    for row in (head, ["W7", 120, 1e20], ["W8", 80, 2e19], ["W9", 90, 2e19]):
        book.active.append(row)
    sheet = book.create_sheet("W7")
    for row in (["Depth (nm)", "B (at/cm3)"], [0, 1e18], [1, 2e18], [2, 3e18]):
        sheet.append(row)
    out = io.BytesIO()
    book.save(out)
    with warns(sims.ProfileWarning, "several_tables", argument="sheet", text=approved):
        result = sims.read(named(out.getvalue(), "w7.xlsx"))
    assert result["B"].concentrations.tolist() == [1e18, 2e18, 3e18]


@pytest.mark.parametrize(
    ("stated", "depths"), [(".", [998, 999, 1, 1.001]), (",", [998, 999, 1000, 1001])]
)
def test_the_stated_mark_says_what_points_are(stated, depths):
    rows = [
        ["Depth (nm)", "B (at/cm3)"],
        ["998", "5"],
        ["999", "6"],
        ["1.000", "7"],
        ["1.001", "8"],
    ]
    for written in (as_text, as_workbook):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sims.ProfileWarning)
            assert sims.read(written(rows), decimal=stated)["B"].depths.tolist() == depths


@pytest.mark.parametrize("written", WRITTEN)
@pytest.mark.parametrize("number", [-9999.0, -1.0, -999.0])
def test_a_number_that_stands_for_none_is_named(written, number):
    rows = [["Depth (nm)", "B (at/cm3)"], *([float(i), 1e18] for i in range(5)), [5.0, number]]
    place = {"line": 7} if written is as_text else {"sheet": "Sheet", "row": 7}
    with raises(sims.ReadError, "not_a_number", "not_measured", column="B", **place):
        sims.read(written(rows))
    values = sims.read(written(rows), not_measured=f"{number:g}")["B"].concentrations
    np.testing.assert_array_equal(values, [1e18] * 5 + [np.nan])
    assert sims.read(written(rows), not_measured="-")["B"].concentrations[5] == number


def test_negative_values_of_a_background_are_values():
    rows = [["Depth (nm)", "B (c/s)"], [0.0, 0.0], [1.0, 9999.0], [2.0, 0.0]]
    assert sims.read(as_text(rows))["B"].concentrations.tolist() == [0, 9999, 0]
    rows = [["Depth (nm)", "B (c/s)"], [0.0, 3.0], [1.0, -1.0], [2.0, 2.0]]
    assert sims.read(as_text(rows))["B"].concentrations.tolist() == [3, -1, 2]
    rows = [["Depth (nm)", "B (at/cm3)"], [0.0, 3e18], [1.0, -1e15], [2.0, -2e15]]
    assert sims.read(as_text(rows))["B"].concentrations.tolist() == [3e18, -1e15, -2e15]


@pytest.mark.parametrize(
    "comment",
    ["# SUPREM-IV\n# Depth (nm)  B (atoms/cm3)\n", "# SUPREM-IV: x (nm)  B (atoms/cm3)\n"],
)
def test_a_comment_that_states_units_is_believed(comment):
    result = sims.read(named(f"{comment}0.0 1e18\n10.0 2e18\n20.0 3e18\n".encode(), "w7.txt"))
    assert (result["B"].depth_units, result["B"].concentration_units) == ("nm", "atoms/cm3")
    assert result["B"].depths.tolist() == [0, 10, 20]


def test_units_are_advised_for_the_one_species_without():
    with raises(sims.UnitsError, "missing_unit", argument="units", species="P"):
        sims.read(as_text(rows_of("Depth (nm) | B (at/cm3) | P\n@ 3")))


def test_units_of_a_comment_are_those_of_its_quantity_alone():
    text = "# Depth unit: um\n# Concentration unit: atoms/cm3\n{}Depth B P\n0 1 2\n1 2 4\n"
    read = sims.read(named(text.format("").encode(), "w7.txt"))
    assert {(p.depth_units, p.concentration_units) for p in read} == {("um", "atoms/cm3")}
    with raises(sims.UnitsError, "missing_unit", argument="units", species="B"):
        sims.read(named(text.format("# Intensity unit: c/s\n").encode(), "w7.txt"))


@pytest.mark.parametrize("delimiter", [" ", ";", ",", "\t"])
def test_units_that_one_comment_states(delimiter):
    lines = ["# depth in um, concentration of B in atoms/cm3", "0 1e17", "1 2e17", "2 3e17", ""]
    text = "\n".join([lines[0], *(line.replace(" ", delimiter) for line in lines[1:])])
    (profile,) = sims.read(named(text.encode(), "w7.txt")).depth_profiles
    assert (profile.species_name, profile.depth_units) == ("B", "um")
    assert (profile.concentration_units, profile.concentrations[1]) == ("atoms/cm3", 2e17)


@pytest.mark.parametrize("cell", ["1E-30", "-9999.0", "-999.00", "1.0", "999"])
def test_what_is_advised_for_a_number_that_is_none_does_it(cell):
    table = f"Depth (nm);B (at/cm3)\n0;1E17\n1;{cell}\n2;3E17\n3;{cell}\n"
    with raises(sims.ReadError, "not_a_number", argument="not_measured", line=3, column="B"):
        sims.read(named(table.encode(), "w7.csv"))
    read = sims.read(named(table.encode(), "w7.csv"), not_measured=cell)["B"]
    np.testing.assert_array_equal(read.concentrations, [1e17, np.nan, 3e17, np.nan])


def test_a_tail_that_goes_on_is_no_sentinel():
    values = [1e17, 1e7, 1e-3, 1e-13, 1e-22]
    rows = [["Depth (nm)", "B (at/cm3)"], *([float(i), v] for i, v in enumerate(values))]
    assert sims.read(as_workbook(rows))["B"].concentrations.tolist() == values


def test_errors_of_depths_are_kept_next_to_them():
    table = "Depth (nm);B (at/cm3)\n0 ± 1;1E17\n1 ± 2;2E17\n2;3E17\n"
    profile = sims.read(named(table.encode(), "w7.csv"))["B"]
    assert profile.depths.tolist() == [0, 1, 2]
    assert profile.extra["columns"]["depth_error"] == {"units": "nm", "values": [1, 2, None]}


def test_an_areal_density_of_a_species_is_said_to_be_no_profile():
    with warns(sims.ProfileWarning, "wrong_unit", species="B"):
        result = sims.read(as_text(rows_of("Depth (nm) | B (at/cm3) | P (at/cm2)\n@ 3")))
    assert [p.species_name for p in result.depth_profiles] == ["B"]


@pytest.mark.parametrize("name", ["B x1E18 cm-3", "Conc (1E18 cm-3)", "x1E18"])
def test_a_factor_in_the_name_of_a_sheet_is_refused(name, approved):
    book = openpyxl.Workbook()
    book.active.title = name
    for row in (["Depth (nm)", "B (at/cm3)"], [0, 1], [1, 2], [2, 3]):
        book.active.append(row)
    out = io.BytesIO()
    book.save(out)
    with raises(sims.UnitsError, "ambiguous_unit", text=approved):
        sims.read(named(out.getvalue(), "w7.xlsx"))


@pytest.mark.parametrize(
    "note", ["Errors are 2 sigma", "Uncertainties: k = 2", "error bars 95 %", "Fehler in Prozent"]
)
def test_a_note_that_errors_are_no_standard_errors_is_refused(note):
    rows = "".join(f"{5 * i};{1e18 + i};1e15\n" for i in range(6))
    table = f"{note}\nDepth (nm);B (at/cm3);Error (at/cm3)\n{rows}"
    with raises(sims.UnitsError, "scaled_values", line=1, column="A"):
        sims.read(table.encode())
    sims.read(table.replace(";Error (at/cm3)", ";Bkg (at/cm3)").encode())
