"""Rows of a report as text and as CSV: to the letter."""

import csv
import io
from dataclasses import replace
from types import SimpleNamespace

import pytest

from sims_analysis.outcomes import Status
from sims_analysis.output.report import Junction, SpeciesReport, results_csv, to_text

BORON = SpeciesReport(
    species="B", variable="concentration", units="atom/cm^3", samples=250, axis="depth",
    axis_units="nm", peak=1.25e20, peak_at=100.04, dose=5.031e14, dose_stderr=2e12,
    dose_systematic_stderr=4e13, dose_status="truncated", background_dose=0.0, surface_dose=3e12,
    rule_difference=-0.0123, coverage=0.98765, junction_depth=161.6, junction_stderr=0.4,
    junction_status="ok",
)  # fmt: skip
PHOSPHORUS = SpeciesReport(
    species="P", variable="concentration", units="atom/cm^3", samples=250, axis="depth",
    axis_units="nm", peak=None, peak_at=None, dose_status="no_data",
    junction_status="never_reached",
)  # fmt: skip
SILICON = SpeciesReport(
    species="Si", variable="intensity", units="count/s", samples=9, axis="depth", axis_units="nm",
    peak=12345.0, peak_at=7.0, reason="counts",
)  # fmt: skip
GERMANIUM = SpeciesReport(
    species="Ge", variable="atomic_fraction", units="1", samples=9, axis="sputter_time",
    axis_units="s", peak=0.25, peak_at=70.0, reason="a fraction",
)  # fmt: skip


def report(*rows, junctions=(), notes=(), **more):
    return SimpleNamespace(
        summary=SimpleNamespace(data_id="w1"), heading="w1: wafer 1", level="1e18 atoms/cm^3",
        start=None, stop="1 um",
        species=list(rows), junctions=list(junctions), notes=list(notes), donors=["P", "As"],
        acceptors=[], data=SimpleNamespace(attrs=more), explanations=lambda: ["Explained."],
        concentrations=[r for r in rows if r.dose_status],
        other_signals=[r for r in rows if not r.dose_status],
    )  # fmt: skip


def test_the_text_of_concentrations():
    found = [
        Junction(depth=98.5, stderr=0.25, polarity="n->p", status="ok"),
        Junction(depth=None, stderr=None, polarity="", status="never_reached"),
    ]
    assert to_text(report(BORON, PHOSPHORUS, junctions=found, notes=["short " * 20])) == "\n".join(
        [
            "w1: wafer 1",
            "===========",
            "",
            "Junction where the concentration falls through 1e18 atoms/cm^3",
            "",
            "species       peak  at depth              dose  thereof surface     junction  status",
            "         atom/cm^3        nm         atom/cm^2        atom/cm^2           nm",
            "-" * 100,
            (
                "B         1.250e20     100.0  (5.03 ± 0.02)e14         3.000e12  161.6 ± 0.4  "
                "ok, dose truncated"
            ),
            (
                "P                -         -                 -                -            -  "
                "never reached, dose no"
            ),
            " " * 78 + "data",
            "",
            "Metallurgical junctions (P + As donors, no acceptors)",
            "  98.5 ± 0.2 nm  n->p",
            "  none: never reached",
            "",
            "Explained.",
            f"Truncated: {Status.TRUNCATED.meaning}.",
            f"Never reached: {Status.NEVER_REACHED.meaning}.",
            f"No data: {Status.NO_DATA.meaning}.",
            "Note: " + "short " * 14 + "short",
            "      " + "short " * 4 + "short",
        ]
    )


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([SILICON], [
            "No dose and no junction: counts", "",
            "species           peak  at depth",
            "--------------------------------",
            "Si       12340 count/s  7.000 nm",
        ]),
        ([GERMANIUM], [
            "No dose and no junction: a fraction, nor sputter time to depth", "",
            "species       peak  at time",
            "---------------------------",
            "Ge       25.00 at%  70.00 s",
        ]),
        ([SILICON, GERMANIUM], [
            "No dose and no junction: no concentrations", "",
            "species           peak  at depth  why",
            "--------------------------------------------",
            "Si       12340 count/s  7.000 nm  counts",
            "Ge           25.00 at%   70.00 s  a fraction",
        ]),
    ],
)  # fmt: skip
def test_the_text_of_other_signals(rows, lines):
    assert to_text(report(*rows)).splitlines()[3:] == [*lines, "", "Explained."]


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("never_reached", f"Never reached: {Status.NEVER_REACHED.meaning}."),
        ("always_above", f"Always above: {Status.ALWAYS_ABOVE.meaning}."),
        ("gap", f"Gap: {Status.GAP.meaning}."),
        ("ok", None),
    ],
)  # fmt: skip
def test_a_status_of_a_junction_is_explained_once(status, words):
    row = replace(BORON, junction_status=status, dose_status="ok")
    *_, explained = to_text(report(row, replace(row, species="P"))).splitlines()
    assert explained == (words or "Explained.")


def test_the_surface_has_a_column_where_it_has_a_dose():
    head = to_text(report(PHOSPHORUS)).splitlines()[5]
    assert head.split() == ["species", "peak", "at", "depth", "dose", "junction", "status"]
    assert "thereof surface" in to_text(report(PHOSPHORUS, BORON)).splitlines()[5]


def test_junctions_of_a_constant_doping_have_one_side():
    found = [Junction(depth=98.0, stderr=None, polarity="n->p", status="ok")]
    one = report(BORON, junctions=found)
    one.donors, one.acceptors = [], ["B", "Ga"]
    lines = to_text(one).splitlines()
    assert lines[10:12] == [
        "Metallurgical junctions (no donors, B + Ga acceptors)", "  98.00 nm  n->p",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("variable", "shown"), [("atomic_fraction", "25.00 at%"), ("mass_fraction", "25.00 wt%")]
)
def test_a_fraction_is_written_in_per_cent(variable, shown):
    row = replace(GERMANIUM, variable=variable)
    assert f"  {shown}  " in to_text(report(row))
    assert "  - 1  " in to_text(report(replace(row, peak=None)))
    assert "  0.2500 x  " in to_text(report(replace(row, units="x")))


def test_the_rows_of_a_spreadsheet():
    head, boron, silicon = csv.reader(io.StringIO(results_csv(report(BORON, SILICON, source="=x"))))
    assert head == [
        "data_id", "species", "variable", "samples", "peak", "peak_units", "peak_at",
        "peak_at_units", "dose_atoms_per_cm2", "dose_stderr_atoms_per_cm2", "dose_status",
        "surface_dose_atoms_per_cm2", "junction_depth_nm", "junction_stderr_nm", "junction_status",
        "why_no_answer", "junction_level", "source",
    ]  # fmt: skip
    assert boron == [
        "w1", "B", "concentration", "250", "1.25e+20", "atom/cm^3", "100.04", "nm", "5.031e+14",
        "2e+12", "truncated", "3e+12", "161.6", "0.4", "ok", "", "1e18 atoms/cm^3", "'=x",
    ]  # fmt: skip
    assert silicon == [
        "w1", "Si", "intensity", "9", "12345", "count/s", "7", "nm", "", "", "", "", "", "", "",
        "counts", "1e18 atoms/cm^3", "'=x",
    ]  # fmt: skip
