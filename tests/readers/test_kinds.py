"""Kinds of cells and rows, and the traps of them: what looks like one thing and is another."""

import pytest

from sims_analysis.readers.heads import read_head
from sims_analysis.readers.kinds import Kind, comment_mark, is_odd, is_transposed, row_kind
from sims_analysis.readers.words import are_labels, is_species, named_role, names_species


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["0", "<2E15", ""], Kind.NUMBERS),
        (["0", "-", "n/a"], Kind.NUMBERS),
        (["", ""], Kind.BLANK),
        (["---", "---"], Kind.BLANK),
        # Units before the words for a depth: `nm` alone would be read as a head.
        (["nm", "at/cm3"], Kind.UNITS),
        (["(nm)", "(foo)"], Kind.UNITS),
        (["", "at/cm3", "at/cm3"], Kind.VALUE_UNITS),
        (["Tiefe [nm]", "Konz. [Atome/cm³]"], Kind.HEADS),
        (["深さ", "濃度"], Kind.HEADS),
        (["Depth (nm)", "11", "28"], Kind.HEADS),
        (["0", "paused"], Kind.MIXED),
        (["5", "first time"], Kind.MIXED),
        (["B", "P"], Kind.WORDS),
        (["Sample: W7"], Kind.WORDS),
    ],
)
def test_rows_are_of_one_kind(cells, kind):
    assert row_kind(cells) is kind


def test_words_stand_where_their_heads_allow_them():
    row = ["W7", "0", "1e18"]
    assert row_kind(row) is Kind.MIXED
    assert row_kind(row, words={0}) is Kind.NUMBERS
    assert row_kind(["W7", "", ""], words={0}) is Kind.WORDS


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


def test_rows_that_are_what_columns_usually_are():
    depths, boron = ["Depth (nm)", "0", "1", "2"], ["B (at/cm3)", "1", "2", "3"]
    assert is_transposed([depths, boron])
    assert not is_transposed([depths, ["0", "1", "2", "3"]])
    assert not is_transposed([boron, boron])


@pytest.mark.parametrize(
    ("text", "role", "name", "unit"),
    [
        ("Sputtertiefe / nm", "axis", "", "nm"),
        ("Temps de pulvérisation (s)", "time", "", "s"),
        ("スパッタ時間 (s)", "time", "", "s"),
        ("溅射深度 [µm]", "axis", "", "µm"),
        ("Concentración de B (átomos/cm3)", "value", "B", "átomos/cm3"),
        ("concentration en bore (at/cm3)", "value", "bore", "at/cm3"),
        ("concentration d'arsenic", "value", "arsenic", None),
        ("Bの濃度 (atoms/cm3)", "value", "B", "atoms/cm3"),
        ("B浓度(原子/cm3)", "value", "B", "原子/cm3"),
        ("11B mean (at/cm3)", "value", "11B", "at/cm3"),
        ("11B SD (at/cm3)", "error", "11B", "at/cm3"),
        ("STABW", "error", "", None),
        ("écart-type", "error", "", None),
        ("depth error (nm)", "beside", "error", "nm"),
        ("Intensity(Background Corrected)", "value", "", None),
        ("Bemerkung", "text", "Bemerkung", None),
        ("Element", "species", "Element", None),
        ("Nachweisgrenze", "beside", "", None),
        ("Si", "value", "Si", None),
        ("深さ（nm）", "axis", "", "nm"),
        ("B 浓度（原子/cm3）", "value", "B", "原子/cm3"),
        ("原子濃度 (at%)", "value", "", "at%"),
        ("Raw ion counts 30Si (counts)", "value", "30Si", "counts"),
        ("ΔB (cm^-3)", "error", "B", "cm^-3"),
        ("B RSD", "beside", "B", None),
        ("Standardabw. B", "error", "B", None),
        ("Profundidade (nm)", "axis", "", "nm"),
        ("Desvio padrão B", "error", "B", None),
        ("Głębokość [µm]", "axis", "", "µm"),
        ("Stężenie P (at/cm3)", "value", "P", "at/cm3"),
        ("Směrodatná odchylka As", "error", "As", None),
        ("30Si Medel", "value", "30Si", None),
        ("Standardavvik N", "error", "N", None),
        ("Pitoisuus B", "value", "B", None),
        ("Mélység (nm)", "axis", "", "nm"),
        ("Derinlik (nm)", "axis", "", "nm"),
        ("Концентрация B (ат/см3)", "value", "B", "ат/см3"),
        ("스퍼터 시간 (s)", "time", "", "s"),
        ("F농도 (cps)", "value", "F", "cps"),
        ("標準差 B", "error", "B", None),
        ("濺射時間 [s]", "time", "", "s"),
    ],
)
def test_heads_in_many_languages(text, role, name, unit):
    head = read_head(text)
    assert (head.role, head.name, head.unit) == (role, name, unit)


@pytest.mark.parametrize("text", ["N", "W1", "28Si+", "^13C", "Ga->", "O–>", "(SiO2)"])
def test_formulas_of_species(text):
    assert is_species(text)


@pytest.mark.parametrize("text", ["Probe", "conc.", "Sum", "11", "Wafer 7", "nm"])
def test_what_is_no_formula(text):
    assert not is_species(text)


def test_notes_about_a_sample_name_no_species():
    assert names_species("Boron")
    assert names_species("11B in Si")
    assert not names_species("Probe W7")
    assert named_role("試料", "species", "text") == "text"


def test_labels_count_samples_and_isotopes_count_nucleons():
    assert are_labels(["W1", "W2"])
    assert are_labels(["Wafer 11", "Wafer 12"])
    assert not are_labels(["B10", "B11"])
    assert not are_labels(["Li6", "Li7"])
    assert not are_labels(["W1"])
