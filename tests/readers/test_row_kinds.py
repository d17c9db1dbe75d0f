"""Kinds of cells and rows, and the traps of them: what looks like one thing and is another."""

import pytest
from error_parts import raises

from sims_analysis.errors import UnitsError
from sims_analysis.readers.tables.header_cells import are_labels, factor_in, read_header, try_header
from sims_analysis.readers.tables.row_kinds import comment_mark, is_odd


@pytest.mark.parametrize("line", ["# a", "% a", "// a", "! a", "* a"])
def test_comments(line):
    assert comment_mark(line) == line.split()[0]


@pytest.mark.parametrize("line", ["*12\t5", "#REF!\t5", "####;5", "-5", "11B"])
def test_what_is_no_comment(line):
    assert comment_mark(line) == ""


@pytest.mark.parametrize("cell", ["1.2.3", "12 nm", "#REF!", "=A1+1", "(12)", "2024-03-01"])
def test_damaged_numbers_are_odd(cell):
    assert is_odd(cell)


@pytest.mark.parametrize("cell", ["11B", "28Si30Si", "133Cs28Si+", "31P濃度, at/cm³", "Rp"])
def test_species_that_begin_with_a_digit_are_no_damaged_numbers(cell):
    assert not is_odd(cell)


@pytest.mark.parametrize(
    ("text", "role", "name", "unit"),
    [
        ("Sputtertiefe / nm", "axis", "", "nm"),
        ("Temps de pulvérisation (s)", "time", "", "s"),
        ("Concentración de B (átomos/cm3)", "value", "B", "átomos/cm3"),
        ("concentration en bore (at/cm3)", "value", "bore", "at/cm3"),
        ("concentration d'arsenic", "value", "arsenic", None),
        ("Bの濃度 (atoms/cm3)", "value", "B", "atoms/cm3"),
        ("B浓度(原子/cm3)", "value", "B", "原子/cm3"),
        ("11B mean (at/cm3)", "value", "11B", "at/cm3"),
        ("11B SD (at/cm3)", "error", "11B", "at/cm3"),
        ("depth error (nm)", "ancillary", "error", "nm"),
        ("Intensity(Background Corrected)", "value", "", None),
        ("Element", "species", "Element", None),
        ("Si", "value", "Si", None),
        ("深さ（nm）", "axis", "", "nm"),
        ("B 浓度（原子/cm3）", "value", "B", "原子/cm3"),
        ("原子濃度 (at%)", "value", "", "at%"),
        ("Raw ion counts 30Si (counts)", "value", "30Si", "counts"),
        ("ΔB (cm^-3)", "error", "B", "cm^-3"),
        ("B RSD", "ancillary", "B", None),
        ("Standardabw. B", "error", "B", None),
        ("Концентрация B (ат/см3)", "value", "B", "ат/см3"),
        ("F농도 (cps)", "value", "F", "cps"),
    ],
)
def test_headers_in_many_languages(text, role, name, unit):
    header = read_header(text)
    assert (header.role, header.name, header.unit) == (role, name, unit)


@pytest.mark.parametrize(
    ("text", "role", "name", "unit", "says"),
    [
        # Depths and times by their unit; a number with its unit is none.
        ("z (nm)", "axis", "", "nm", True),
        ("X (µm)", "axis", "", "µm", True),
        ("Crater (nm)", "axis", "Crater", "nm", True),
        ("nm", "axis", "", "nm", True),
        ("(nm)", "axis", "", "nm", True),
        ("Tiefe:", "axis", "", None, True),
        ("Depth (A)", "axis", "", "A", True),
        ("t (s)", "time", "", "s", True),
        ("T (min)", "time", "", "min", True),
        ("Elapsed (s)", "time", "Elapsed", "s", True),
        ("0 nm", "value", "0 nm", None, False),
        ("-1,5 s", "value", "-1,5 s", None, False),
        # Values, and what stands around the name of their species.
        ("B mean", "value", "B", None, False),
        ("Conc. of B (at/cm3)", "value", "B", "at/cm3", True),
        ("[B] (cm-3)", "value", "B", "cm-3", False),
        ("c(11B)", "value", "11B", None, False),
        ("B_conc", "value", "B", None, True),
        ("B - conc.", "value", "B", None, True),
        ("B- int.", "value", "B-", None, True),
        ("raw 30Si", "value", "30Si", None, True),
        ("secondary ion intensity 30Si", "value", "30Si", None, True),
        ("normalised B signal", "value", "B", None, True),
        ("SIMS B int.", "value", "B", None, True),
        ("Signal", "value", "", None, True),
        ("counts", "value", "", None, True),
        ("at%", "value", "", "at%", False),
        ("cm^-3", "value", "", "cm^-3", False),
        ("%", "value", "%", None, False),
        ("ppm", "value", "ppm", None, False),
        # Where a unit stands.
        ("B, cm^-3", "value", "B", "cm^-3", False),
        ("B / cm^-3", "value", "B", "cm^-3", False),
        ("B_cm^-3", "value", "B", "cm^-3", False),
        ("B in cm^-3", "value", "B", "cm^-3", False),
        ("B cm^-3", "value", "B", "cm^-3", False),
        ("B/cm^-3", "value", "B", "cm^-3", False),
        ("28Si counts/s", "value", "28Si", "counts/s", False),
        ("B (cps):", "value", "B", "cps", False),
        ('"B (cps)"', "value", "B", "cps", False),
        ("  B   (cps) ", "value", "B", "cps", False),
        ("B (Atome (x)/cm3)", "value", "B", "Atome (x)/cm3", False),
        # What is no unit is a part of the name, unless it looks like nothing else.
        ("Si Au", "value", "Si Au", None, False),
        ("Ga/As", "value", "Ga/As", None, False),
        ("B (foo)", "value", "B (foo)", None, False),
        ("B conc. (foo)", "value", "B", "foo", True),
        ("B (foo/cm3)", "value", "B", "foo/cm3", False),
        ("B (%)", "value", "B", "%", False),
        ("B (background corrected)", "value", "B", None, False),
        ("B (Smoothed)", "value", "B", None, False),
        # Errors; relative ones and limits are beside.
        ("ΔB", "error", "B", None, True),
        ("δ P (cps)", "error", "P", "cps", True),
        ("Δz (nm)", "axis", "Δz", "nm", True),
        ("Si ±", "error", "Si", None, True),
        ("Si conc. error", "error", "Si", None, True),
        ("B depth error (nm)", "ancillary", "B  error", "nm", True),
        ("Time error (s)", "ancillary", "error", "s", True),
        ("LOD", "ancillary", "", None, True),
        ("B LOD", "ancillary", "B", None, True),
        ("B detection limit (at/cm3)", "ancillary", "B", "at/cm3", True),
        ("%RSD", "error", "", "%", True),
        ("B rel. err.", "ancillary", "B", None, True),
        ("B rel. SD (%)", "error", "B", "%", True),
        ("rel. std", "ancillary", "", None, True),
        # Row numbers and doses are whole headers.
        ("#", "index", "", None, True),
        ("Cycle number", "index", "", None, True),
        ("B cycle", "value", "B cycle", None, False),
        ("Dose", "ancillary", "", None, True),
        ("B dose", "ancillary", "B", None, True),
        ("Sample name", "text", "Sample name", None, True),
        ("Units", "unit", "Units", None, True),
        ("Element (nm)", "axis", "Element", "nm", True),
        # What spectra run over; a mass may be that of a signal.
        ("m/z", "mass", "", None, True),
        ("mass 28", "value", "mass 28", None, False),
        ("mass 28 (c/s)", "value", "mass 28", "c/s", False),
        ("Mass (nm)", "axis", "Mass", "nm", True),
        ("Energy (nm)", "axis", "Energy", "nm", True),
        ("Wave length (nm)", "energy", "Wave length", None, True),
        ("Wavenumber (cm-1)", "energy", "Wavenumber", None, True),
        ("Raman shift (1/cm)", "energy", "Raman shift", None, True),
        ("2 Theta", "energy", "2 Theta", None, True),
        ("E (eV)", "energy", "E (eV)", None, True),
        ("E [eV]", "energy", "E [eV]", None, True),
        ("E (keV)", "energy", "E (keV)", None, True),
        ("E [keV]", "energy", "E [keV]", None, True),
    ],
)
def test_what_a_header_says(text, role, name, unit, says):
    header = read_header(text)
    assert (header.role, header.name, header.unit, header.explicit) == (role, name, unit, says)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("log(B)", "scaled_values"),
        ("LogB (cm-3)", "scaled_values"),
        ("B x1E18", "ambiguous_unit"),
        ("B (10^18)", "ambiguous_unit"),
        ("Si /1000 (c/s)", "ambiguous_unit"),
        ("Si x 0,01", "ambiguous_unit"),
    ],
)
def test_headers_without_a_known_scale(text, code):
    with raises(UnitsError, code):
        read_header(text)
    assert try_header(text).role == "unread"
    assert not try_header(text).explicit


@pytest.mark.parametrize(
    ("text", "answer"),
    [("x1E18", True), ("10^18", True), ("(10^18)", True), ("×10¹⁸", True), ("10**18", True),
     ("*1000", True), ("1E18", False), ("B x1E18", True), ("10", False), ("", False)],
)  # fmt: skip
def test_a_cell_that_is_a_factor_alone(text, answer):
    assert factor_in(text) is answer


def test_labels_count_samples_and_isotopes_count_nucleons():
    assert are_labels(["W1", "W2"])
    assert are_labels(["Wafer 11", "Wafer 12"])
    assert not are_labels(["B10", "B11"])
    assert not are_labels(["Li6", "Li7"])
    assert not are_labels(["W1"])
    # Of elements, labels have no more than eight; of the lightest, none.
    assert are_labels(["B7", "B8"])
    assert not are_labels(["B8", "B9"])
    assert not are_labels(["H1", "H2"])
    assert not are_labels(["He3", "He4"])
    assert are_labels(["run_1", "run_2"])
    assert are_labels(["B 1", "B 2"])
    assert not are_labels(["W1", "V2"])
    assert not are_labels(["W1", "W"])
    assert not are_labels(["W1", "W1"])
