"""The report: the library's own answers, laid out, and an honest reason where there is none."""

import json
import math
import re

import numpy as np
import pytest
from rerun import assert_gives_its_numbers
from single_profiles import profile_of

import sims_analysis as sims
from sims_analysis.output.report import analyse, results_csv, to_text
from sims_analysis.output.report_files import file_stem, write_files, write_index

LEVEL = "1e18 atoms/cm^3"


def profile(species="B", *, values=None, **more):
    z = np.arange(0.0, 200.0, 5.0)
    values = 1e19 * np.exp(-z / 20.0) if values is None else values
    return profile_of(z, values, species, data_id="d1", **more)


def rows_of(report):
    return {row.species: row for row in report.species}


@pytest.fixture
def boron():
    return sims.open_example("boron-implant")


# ---- the answers are those of the public functions


def test_without_the_value_of_a_count_there_are_no_errors():
    row = analyse(sims.to_dataset([profile()])).species[0]
    assert row.dose_stderr is None
    assert row.junction_stderr is None


def test_the_peak_lies_below_the_surface_transient():
    values = np.full(40, 1e16)
    values[0], values[20] = 1e20, 1e18
    ds = sims.to_dataset([profile(values=values)])
    assert analyse(ds).species[0].peak_at == 0.0
    below = analyse(ds, surface="10 nm").species[0]
    assert (below.peak, below.peak_at) == (1e18, 100.0)


def test_a_surface_spike_is_no_junction_where_the_transient_is_stated():
    values = np.full(40, 1e16)
    values[0] = 1e20
    ds = sims.to_dataset([profile(values=values)])
    assert analyse(ds).species[0].junction_status == "ok"
    assert any("first sample" in note for note in analyse(ds).notes)
    below = analyse(ds, surface="10 nm")
    assert below.species[0].junction_depth is None
    assert below.species[0].junction_status == "never_reached"
    assert below.notes == []


def spiked(first=1e20, deeper=1e18, floor=1e16):
    """Return a transient, and an implant below it that stands out."""
    z = np.arange(0.0, 200.0, 5.0)
    values = floor + deeper * np.exp(-(((z - 100) / 20) ** 2) / 2)
    values[0] = first
    return values


def test_a_surface_transient_is_noted_once_and_of_concentrations_alone():
    notes = analyse(sims.to_dataset([profile(values=spiked())])).notes
    (note,) = (note for note in notes if "the window begins" in note)
    assert "a maximum lies deeper" in note
    counted = profile(units="counts/s", values=spiked(1e6, 1e4, 1e2))
    assert analyse(sims.to_dataset([counted])).notes == []
    over_time = profile(axis_units="s", values=1e19 * np.exp(-np.arange(40.0)))
    assert analyse(sims.to_dataset([over_time])).notes == []


def test_a_transient_in_nm_is_not_looked_for_in_seconds():
    stated = {"surface_transient": "10 nm"}
    ds = sims.to_dataset([profile(axis_units="s", values=spiked(), species_metadata=stated)])
    assert analyse(ds).species[0].peak_at == 0.0


def test_errors_that_the_data_state_are_not_replaced():
    given = profile(
        concentrations_stderr=np.full(40, 1e17), species_metadata={"value_per_count": "1e14 cm^-3"}
    )
    ds = sims.to_dataset([given])
    dose = sims.integrated_dose(ds).sel(species="B")
    assert analyse(ds).species[0].dose_stderr == pytest.approx(float(dose["stderr"]), rel=1e-12)


# ---- metallurgical junctions


def test_dopant_types_of_the_metadata_give_the_metallurgical_junction(boron):
    report = analyse(boron)
    assert (report.donors, report.acceptors) == (["P"], ["B"])
    (junction,) = report.junctions
    assert junction.polarity == "p->n"
    assert junction.depth == pytest.approx(182.26, abs=4 * junction.stderr)


def test_constant_doping_stands_for_the_missing_side():
    report = analyse(sims.to_dataset([profile()]), acceptors=["B"], doping="1e17 atoms/cm^3")
    (junction,) = report.junctions
    assert junction.depth == pytest.approx(20 * math.log(100))


# ---- where there is no answer


@pytest.mark.parametrize(
    ("units", "words"),
    [
        ("counts/s", "counts, not calibrated"),
        ("counts", "counts, not calibrated"),
        ("arb. units", "arbitrary units, not calibrated"),
        ("at%", "atomic density"),
        ("wt%", "atomic density"),
        ("1/cm", "range distribution"),
    ],
)
def test_what_is_no_concentration_has_a_reason_and_no_number(units, words):
    values = np.geomspace(90.0, 0.01, 40)
    report = analyse(sims.to_dataset([profile(units=units, values=values)]))
    row = report.species[0]
    assert (row.dose, row.junction_depth, row.dose_status) == (None, None, "")
    assert words in row.reason
    assert words in to_text(report)
    assert row.peak > 0


def test_a_time_axis_has_a_reason_and_no_number():
    report = analyse(sims.to_dataset([profile(axis_units="s")]))
    row = report.species[0]
    assert (row.dose, row.junction_depth) == (None, None)
    assert "sputter time is not calibrated to depth" in to_text(report)
    assert row.axis_units == "s"


def test_a_level_that_is_never_reached_is_no_depth(boron):
    text = to_text(analyse(boron, level="1e21 atoms/cm^3"))
    assert text.count("never reached") >= 2
    assert "Never reached: the profile never reaches the level" in text


def test_several_crossings_are_noted():
    values = np.where(np.arange(40) % 2, 5e17, 2e18)
    report = analyse(sims.to_dataset([profile(values=values)]))
    assert any("crossings qualify" in note for note in report.notes)


def test_limits_beyond_the_samples_are_noted():
    report = analyse(sims.to_dataset([profile()]), stop="900 nm")
    assert report.species[0].dose_status == "truncated"
    assert any("beyond the record" in note for note in report.notes)
    assert "dose truncated" in to_text(report)


def test_metadata_that_are_absent_or_null_do_no_harm():
    for metadata in (None, {}, {"sample": 3}):
        report = analyse(sims.to_dataset([profile(species_metadata=metadata)]))
        assert report.summary.title == ""
        assert report.species[0].dose_status == "ok"


# ---- layout


@pytest.mark.parametrize(
    "name", ["boron-implant", "gan-mg", "gan-mg-stack", "sputter-time", "zno-li"]
)
def test_the_table_is_aligned_and_fits(name):
    text = to_text(analyse(sims.open_example(name)))
    lines = text.splitlines()
    assert max(map(len, lines)) <= 100
    assert re.match(r"[\w-]+: (synthetic|measured): ", lines[0])
    assert not any(line != line.rstrip() for line in lines)
    for i, line in enumerate(lines):
        if line.startswith("-----"):
            row = lines[i + 1]
            head = next(text for text in reversed(lines[:i]) if text.startswith("species"))
            # Numbers end where their heading ends.
            assert row[head.index("peak") + 3] != " "
            assert (row + " ")[head.index("peak") + 4] == " " or "count" in row or "at%" in row


def test_every_terminal_can_print_it():
    for name in ("boron-implant", "gan-mg-stack"):
        to_text(analyse(sims.open_example(name))).encode("cp1252")


def test_json_has_no_nan_and_says_everything(boron):
    text = json.dumps(analyse(boron, level="1e21 atoms/cm^3").to_dict(), allow_nan=False)
    found = json.loads(text)
    assert found["species"][0]["junction_depth"] is None
    assert found["species"][0]["junction_status"] == "never_reached"
    assert found["level"] == "1e21 atoms/cm^3"


def test_a_report_does_not_change_its_data(boron):
    before = boron.copy(deep=True)
    analyse(boron)
    assert boron.identical(before)


# ---- files


@pytest.mark.parametrize(
    ("data_id", "name"),
    [
        ("wafer-A", "wafer-A"),
        ("../../W1 (a)", "W1_a"),
        ("Probe Ü7, 2 µm", "Probe_Ü7_2_µm"),
        ("CON", "_CON"),
        ("nul.2", "_nul.2"),
        *((name, f"_{name}") for name in ("prn", "aux", "com1", "lpt9", "Con.x.y")),
        ("xcon", "xcon"),
        ("...", "profiles"),
        ("", "profiles"),
        ("x" * 300, "x" * 72),
        ("Index", "_Index"),  # the list of all pages has this name
    ],
)
def test_files_are_named_as_a_person_recognises(data_id, name, tmp_path):
    assert file_stem(data_id, tmp_path) == name


def test_names_that_collide_are_told_apart_and_no_others(tmp_path):
    def results_of(data_id):
        stem = file_stem(data_id, tmp_path)
        report = analyse(sims.to_dataset([profile()]).assign_attrs(data_id=data_id))
        (tmp_path / f"{stem}-results.csv").write_text(results_csv(report), encoding="utf-8")
        return stem

    assert results_of("W/1") == "W_1"
    assert re.fullmatch(r"W_1~[0-9a-f]{8}", results_of("W 1"))
    assert re.fullmatch(r"w_1~[0-9a-f]{8}", results_of("w 1"))
    assert results_of("W/1") == "W_1"  # a report made again replaces its own files


@pytest.mark.slow
def test_an_id_that_is_no_file_name_stays_in_the_folder(tmp_path):
    pytest.importorskip("matplotlib")
    pytest.importorskip("bokeh")
    ds = sims.to_dataset([profile()]).assign_attrs(data_id="../../W1 (a)")
    written = write_files(analyse(ds), tmp_path / "report")
    assert {path.parent for path in written} == {tmp_path / "report"}
    assert len(list((tmp_path / "report").iterdir())) == 6
    assert [path.name for path in tmp_path.iterdir()] == ["report"]


# ---- what the figure states as asked, asked again, gives what it shows


@pytest.mark.few(1)
@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"background": "1e16 atoms/cm^3", "start": "10 nm", "stop": "400 nm"},
        {"surface": "60 nm", "level": "3e17 atoms/cm^3"},
        {"surface_dose": "exclude"},
        {"surface": "20 nm", "surface_dose": "exclude", "start": "5 nm"},
        {"surface_dose": "hold", "stop": "100 nm"},
    ],
    ids=str,
)
def test_the_questions_of_a_figure_give_its_numbers(options, boron, tmp_path):
    pytest.importorskip("matplotlib")
    written = write_files(analyse(boron, **options), tmp_path)
    (picture,) = (path for path in written if path.suffix == ".svg")
    record = sims.provenance(picture)
    functions = {question["function"] for question in record["question"]}
    assert functions == {"dose_budget", "junction_depth", "metallurgical_junctions"}
    assert_gives_its_numbers(record, boron)


def test_the_dose_counts_the_transient_as_requested(boron):
    one = boron.sel(species="B")
    for policy in ("measured", "exclude", "hold"):
        report = analyse(boron, surface="20 nm", surface_dose=policy)
        dose = sims.integrated_dose(one, surface=policy, surface_depth="20 nm")
        assert rows_of(report)["B"].dose == pytest.approx(float(dose), rel=1e-12)
        assert ("not part of the dose" in to_text(report)) == (policy == "exclude")


def test_a_record_that_is_all_transient_has_no_peak():
    report = analyse(sims.to_dataset([profile()]), surface="900 nm")
    assert (report.species[0].peak, report.species[0].peak_at) == (None, None)
    assert "no sample" in " ".join(report.notes)
    assert to_text(report)
    assert results_csv(report)


def test_a_list_of_pages_names_what_was_written_and_what_was_not(tmp_path):
    pytest.importorskip("bokeh")
    reports = [
        {"data_id": name, "title": f"about {name}", "date": "2026-01-15", "files": files,
         "species": [{"species": "B"}, {"species": "B"}, {"species": "P"}]}
        for name, files in (("w1", ["a/w 1.csv", "a/w 1.html"]), ("w2", ["a/w2.csv"]))
    ]  # fmt: skip
    path = write_index(reports, tmp_path, {"a/b.csv": "b.csv: no unit", "w3": "gone"})
    assert path == tmp_path / "index.html"
    page = path.read_text(encoding="utf-8")
    assert 'href="w%201.html"' in page
    text = " ".join(re.sub(r"<[^>]*>", " ", page).split())
    assert " 1 entry " in text
    assert "w1 about w1 B, P 2026-01-15 Without a page a/b.csv : no unit w3 : g" in text
    assert "w2" not in page
    assert write_index(reports[1:], tmp_path) is None


def test_a_surface_is_explained_where_something_was_measured():
    counts = sims.to_dataset([profile(units="counts/s", values=np.arange(1.0, 41.0))])
    assert analyse(counts, surface="10 nm").explanations() == []
    (line,) = analyse(sims.to_dataset([profile()]), surface="10 nm").explanations()
    assert line.startswith("Surface: the first 10 nm; ")


# ---- every part of an answer


def test_a_row_holds_the_parts_of_its_budget_and_its_junction(boron):
    ds = sims.with_counting_statistics(boron, value_per_count="1e14 atoms/cm^3")
    ds = ds.assign_coords(sensitivity_factor_uncertainty=("species", [0.1, 0.1]))
    limits = {"start": "5 nm", "stop": "400 nm", "background": "1e15 atoms/cm^3"}
    report = analyse(ds, surface="15 nm", **limits)
    budget = sims.dose_budget(ds, surface_depth="15 nm", **limits)
    crossing = sims.junction_depth(ds, level=LEVEL, after="15 nm")
    top = sims.peak(ds, start="15 nm")
    for name in ("B", "P"):
        row, dose = rows_of(report)[name], budget.sel(species=name)
        assert (row.dose, row.dose_stderr) == (float(dose["dose"]), float(dose["random_stderr"]))
        assert row.dose_systematic_stderr == float(dose["systematic_stderr"]) > 0
        assert row.background_dose == float(dose["background_dose"]) > 0
        assert row.surface_dose == float(dose["surface_dose"]) > 0
        assert row.rule_difference == float(dose["rule_difference"])
        assert row.coverage == float(dose["coverage"])
        assert row.dose_status == dose["status"].item()
        assert row.peak == float(top["concentration"].sel(species=name))
        assert row.peak_at == float(top["depth"].sel(species=name))
        assert (row.variable, row.units, row.reason) == ("concentration", "atom/cm^3", "")
        assert (row.axis, row.axis_units, row.samples) == ("depth", "nm", 250)
    boron_row = rows_of(report)["B"]
    assert boron_row.junction_depth == float(crossing.sel(species="B"))
    assert boron_row.junction_stderr == float(crossing["stderr"].sel(species="B"))
    assert rows_of(report)["P"].junction_status == "never_reached"


def test_every_call_states_its_question_and_no_more(boron):
    assert analyse(boron.isel(species=[0])).calls == [
        "peak(data, variable='concentration', start='15 nm')",
        "dose_budget(data, rule_tolerance=1.0, surface_depth='15 nm')",
        "junction_depth(data, level='1e18 atoms/cm^3', after='15 nm')",
    ]
    plain = sims.to_dataset([profile()])
    asked = {"level": "1e17 cm^-3", "start": "1 nm", "stop": "99 nm", "background": "1e12 cm^-3"}
    doped = analyse(plain, **asked, donors=["B"], doping="-1e17 cm^-3")
    assert doped.calls == [
        "peak(data, variable='concentration')",
        (
            "dose_budget(data, rule_tolerance=1.0, start='1 nm', stop='99 nm', "
            "background='1e12 cm^-3')"
        ),
        "junction_depth(data, level='1e17 cm^-3')",
        "metallurgical_junctions(data, donors=['B'], acceptors=[], background='-1e17 cm^-3')",
    ]
    held = analyse(plain, surface="10 nm", surface_dose="hold").calls[1]
    assert "surface='hold'" in held
    assert "surface_depth='10 nm'" in held


def test_everything_is_values_for_json(boron):
    found = analyse(boron, start="5 nm", stop="90 nm", notes=["one", "two", "one"]).to_dict()
    assert [row["species"] for row in found.pop("species")] == ["B", "P"]
    (junction,) = found.pop("junctions")
    assert set(junction) == {"depth", "stderr", "polarity", "status"}
    notes = found.pop("notes")
    assert notes[:2] == ["one", "two"]
    assert len(set(notes)) == len(notes)
    assert found == {
        "data_id": "boron-implant", "title": "synthetic: B implant in P-doped Si",
        "date": "", "source": boron.attrs["source"], "level": LEVEL, "surface": "15 nm",
        "surface_dose": "measured", "start": "5 nm", "stop": "90 nm", "donors": ["P"],
        "acceptors": ["B"],
    }  # fmt: skip
    plain = analyse(sims.to_dataset([profile()]), surface_dose="exclude", surface="1 nm").to_dict()
    assert (plain["source"], plain["title"], plain["surface_dose"]) == ("", "", "exclude")
    assert (plain["start"], plain["stop"], plain["junctions"]) == (None, None, [])


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("donors", "acceptors", "doping", "asked"),
    [
        ([], [], None, False), (["B"], [], None, False), ([], ["B"], None, False),
        ([], [], "1e17 cm^-3", False), (["B"], ["P"], None, True), (["B"], [], "-1e17 cm^-3", True),
        ([], ["B"], "1e17 cm^-3", True),
    ],
)  # fmt: skip
def test_metallurgical_junctions_need_both_sides(donors, acceptors, doping, asked):
    ds = sims.to_dataset([profile(), profile("P", values=np.full(40, 1e17))])
    report = analyse(ds, donors=donors, acceptors=acceptors, doping=doping)
    assert (report.metallurgical is not None) == asked
    assert bool(report.junctions) == asked
    assert (report.donors, report.acceptors) == (donors, acceptors)


@pytest.mark.parametrize("side", ["donor", "acceptor"])
def test_the_type_of_a_dopant_is_that_of_its_metadata_unless_stated(side):
    ds = sims.to_dataset([profile(species_metadata={"dopant_type": side}), profile("P")])
    report = analyse(ds)
    assert (report.donors, report.acceptors) == ((["B"], []) if side == "donor" else ([], ["B"]))
    stated = analyse(ds, donors=["P"])
    assert (stated.donors, stated.acceptors) == (["P"], [])
    stated = analyse(ds, acceptors=["P"])
    assert (stated.donors, stated.acceptors) == ([], ["P"])


def test_dopants_that_were_not_measured_as_concentrations_over_depth_are_named():
    rates = np.geomspace(90.0, 0.01, 40)
    ds = sims.to_dataset([profile(), profile("Si", units="counts/s", values=rates)])
    report = analyse(ds, donors=["As", "Si"], acceptors=["B"])
    assert report.metallurgical is None
    message = "no metallurgical junctions: no concentration over depth of As, Si"
    assert [note for note in report.notes if "metallurgical" in note] == [message]


def test_a_peak_at_the_first_sample_may_be_a_transient():
    message = (
        "B: the peak is the first sample; if that is a surface transient, state where it ends, "
        "surface="
    )
    inside = np.where(np.arange(40) == 1, 1e19, 1e16)
    ds = sims.to_dataset([profile(), profile("P", values=inside)])
    assert message in analyse(ds).notes
    assert not any(note.startswith("P: ") for note in analyse(ds).notes)
    assert message not in analyse(ds, surface="1 nm").notes
    rates = profile(units="counts/s", values=np.geomspace(90.0, 0.01, 40))
    assert analyse(sims.to_dataset([rates])).notes == []
    stated = profile("As", species_metadata={"surface_transient": "1 nm"})
    notes = analyse(sims.to_dataset([profile(), stated])).notes
    assert message in notes
    assert not any(note.startswith("As: ") for note in notes)


def test_the_surface_is_that_of_each_species_unless_one_is_stated_for_all():
    def stated(end):
        return {"surface_transient": end} if end is not None else {}

    made = [
        profile(name, species_metadata=stated(end))
        for name, end in (("B", "10 nm"), ("P", "20 nm"), ("As", "10 nm"), ("Sb", ""), ("Ga", None))
    ]
    report = analyse(sims.to_dataset(made))
    assert report.surface == "10 nm / 20 nm"
    afters = [one.attrs["call"].partition(LEVEL)[2] for one in report.crossings]
    assert afters == ["', after='10 nm')", "', after='20 nm')", "')"]
    assert [one["species"].values.tolist() for one in report.doses] == [
        ["B", "As"], ["P"], ["Sb", "Ga"],
    ]  # fmt: skip
    assert analyse(sims.to_dataset(made), surface="5 nm").surface == "5 nm"


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("measured", "part of the dose"),
        ("exclude", "not part of the dose"),
        ("hold", "part of the dose, with the first sample held up to the surface"),
    ],
)
def test_how_the_dose_counts_the_surface_is_explained(policy, words):
    report = analyse(sims.to_dataset([profile()]), surface="10 nm", surface_dose=policy)
    assert report.explanations() == [
        f"Surface: the first 10 nm; {words}, peak and junction lie below."
    ]


def test_errors_are_explained_where_there_are_some(boron):
    plus_minus = "±: one standard error of counting; depth scale and sensitivity factors add to it."
    assert analyse(boron).explanations()[0] == plus_minus
    assert analyse(sims.to_dataset([profile()])).explanations() == []


def test_counting_errors_are_of_concentrations_alone():
    stated = {"value_per_count": "1e14 atoms/cm^3"}
    counts = profile(units="counts/s", values=np.arange(1.0, 41.0), species_metadata=stated)
    assert analyse(sims.to_dataset([counts])).species[0].dose is None
    both = sims.to_dataset([profile(species_metadata=stated), profile("P")])
    rows = rows_of(analyse(both))
    assert rows["B"].dose_stderr > 0
    assert rows["P"].dose_stderr is None
    high = analyse(both, level="1e25 atoms/cm^3")  # nothing crosses it: one error is explained, too
    assert [row.junction_stderr for row in high.species] == [None, None]
    assert high.explanations()[0].startswith("±")


def test_a_heading_names_the_entry_and_the_sample_once():
    ds = sims.to_dataset([profile(species_metadata={"sample": "wafer 7"})])
    assert analyse(ds).heading == "d1: wafer 7"
    assert analyse(ds).headings == ["d1", "wafer 7"]
    assert analyse(ds.assign_attrs(data_id="wafer 7")).heading == "wafer 7"
    assert analyse(ds.assign_attrs(data_id="")).headings == ["wafer 7"]
