"""The command chart, as an operator types it."""

import csv
import json

import pytest
from command_line import error_line, run
from kept_standards import measured

import sims_analysis as sims


def put(archive, data_id, ds):
    result = sims.SIMSResult(data_id=data_id, depth_profiles=sims.to_profiles(ds))
    archive.put(data_id, result.to_json(), url="file:standard")


def quantified(day, **other):
    return sims.with_rsf(measured(day, **other), rsf={"11B": "5e21 atoms/cm^3"}, matrix="30Si")


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """Standards of twelve days, the tenth with 20 % more; one of another species."""
    archive = sims.Archive(tmp_path_factory.mktemp("lab") / "archive")
    for day in range(12, 0, -1):
        dose = 1e15 * (1.2 if day == 10 else 1 + 0.001 * (day % 3))
        # the other way about, so that the order of ids is not that of dates
        put(archive, f"w{20 - day}", quantified(f"2026-03-{day:02}", dose=dose))
    put(archive, "gan", sims.open_example("gan-mg"))
    return archive.path


@pytest.mark.slow
def test_one_command_gives_chart_table_and_page(lab, tmp_path):
    out = tmp_path / "out"
    result = run("chart", "--species", "11B", "--archive", lab, "--out", out,
                 "--baseline", "2026-03-01", "2026-03-08")  # fmt: skip
    assert result.exit_code == 0, result.output
    assert "12 measurements, 1 flagged, in atom/cm^2" in result.output
    assert "w10" in result.output
    files = {path.name for path in out.iterdir()}
    assert files == {f"dose-11B.{end}" for end in ("png", "svg", "csv", "html")}
    with (out / "dose-11B.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["unit"] for row in rows} == {"atom/cm^2"}
    assert [row["date"][:10] for row in rows] == [f"2026-03-{day:02}" for day in range(1, 13)]
    assert [row["measurement"] for row in rows if row["status"] != "ok"] == ["w10"]
    assert float(rows[9]["value"]) == pytest.approx(1.2e15, rel=1e-3)
    page = (out / "dose-11B.html").read_text()
    assert page.count("<tr>") == 13
    assert "data:image/png;base64," in page


@pytest.mark.slow
def test_values_of_a_day_are_averaged(tmp_path):
    archive, numbers = sims.Archive(tmp_path / "archive"), [1.0, 1.1, 1.2, 1.0]
    times = ["2026-03-01T08:00", "2026-03-01T12:00", "2026-03-02", "2026-03-03"]
    for i, (time, number) in enumerate(zip(times, numbers, strict=True)):
        put(archive, f"w{i}", quantified(time, dose=1e15 * number))
    command = ["chart", "--species", "11B", "--archive", archive.path, "--no-files",
               "--value-per-count", "1e15 atoms/cm^3", "--format"]  # fmt: skip
    plain, days = (
        json.loads(run(*command, "json", *more).stdout)["values"] for more in ([], ["--by-day"])
    )
    assert [row["measurement"] for row in days] == ["2026-03-01", "2026-03-02", "2026-03-03"]
    a, b = ([row[name] for row in plain] for name in ("value", "stderr"))
    mean, error = (a[0] + a[1]) / 2, (b[0] ** 2 + b[1] ** 2) ** 0.5 / 2
    assert [row["value"] for row in days] == pytest.approx([mean, *a[2:]])
    assert [row["stderr"] for row in days] == pytest.approx([error, *b[2:]])
    plain, days = (
        json.loads(run(*command, "json", "--question", "mean", *more).stdout)["numbers"]
        for more in ([], ["--by-day"])
    )
    assert 0.8 < days["counting_stddev"] / plain["counting_stddev"] < 1  # not that of a profile


def test_what_is_charted_together_is_chosen_by_its_conditions(tmp_path):
    archive = sims.Archive(tmp_path / "archive")
    for i, (ion, energy) in enumerate([("O2+", "3 keV"), ("Cs+", "3 keV"), ("O2+", "5 keV")] * 3):
        day, stated = f"2026-03-0{1 + i}", {"primary_ion": ion, "impact_energy": energy}
        put(archive, f"w{i}", quantified(day, dose=(1 + 0.01 * i) * 1e15, **stated))
    command = ["chart", "--species", "11B", "--archive", archive.path, "--no-files"]
    assert "--where energy '3 keV'" in run(*command).stderr
    where = ["--where", "primary_ion", "O2+", "--where", "energy", "5000 eV"]
    found = run(*command, *where, "--format", "json")
    assert [row["measurement"] for row in json.loads(found.stdout)["values"]] == ["w2", "w5", "w8"]
    assert not found.stderr
    none = run(*command, "--where", "polarity", "-")
    assert "no measurement says polarity '-'; they say +" in error_line(none)
    assert "'ion' is not one of 'sample'" in run(*command, "--where", "ion", "O2+").stderr


def test_json_of_named_entries_in_another_question(lab):
    result = run("chart", "w19", "w18", "w17", "--question", "junction", "--level", "1e18 at/cm^3",
                 "--species", "11B", "--archive", lab, "--no-files", "--format", "json",
                 "--kind", "cusum", "--target", "200 nm", "--limits", "-1 mm", "1 mm")  # fmt: skip
    found = json.loads(result.stdout)
    assert (found["unit"], found["numbers"]["upper"]) == ("nm", 1e6)
    assert [row["measurement"] for row in found["values"]] == ["w19", "w18", "w17"]
    assert {row["status"] for row in found["values"]} == {"ok"}
    assert "lower_sum" in found["values"][0]


def test_entries_that_cannot_be_charted_are_named(lab):
    result = run("chart", "w19", "w18", "gan", "w17", "none", "--species", "11B", "--archive", lab,
                 "--no-files")  # fmt: skip
    assert result.exit_code == 3
    assert "gan" in result.stderr
    assert "none" in result.stderr
    assert "3 measurements" in result.output
    few = run("chart", "w19", "none", "--species", "11B", "--archive", lab, "--no-files")
    assert few.exit_code == 1
    assert "none" in error_line(few)


def test_the_latest_value_out_of_control_has_an_exit_code(lab):
    """Of the twelve days, the tenth is; that is not the latest of all, but of the first ten."""
    ids = [f"w{20 - day}" for day in range(10, 0, -1)]
    baseline = ["--baseline", "01.03.2026", "31.03.2026"]
    command = ["chart", "--species", "11B", "--archive", lab, "--no-files"]
    whole = run(*command, *baseline, "--limits", "9e14 at/cm^2", "1.1e15 at/cm^2")
    assert (whole.exit_code, "1 flagged" in whole.output) == (0, True)
    limits = ["--limits", "9e14 at/cm^2", "1.1e15 at/cm^2"]
    assert run(*command, *limits, *ids).exit_code == 4
    failed = run(*command, *limits, *ids, "none")
    assert failed.exit_code == 4
    assert "none" in failed.stderr
    assert run(*command, *limits, *ids[1:], "none").exit_code == 3


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--species", "Xe"], 1, "has the species 'Xe'"),
        (["w19", "--species", "11B"], 1, "see --stddev"),
        (["--species", "11B", "--start", "1 mm"], 1, "see --stddev"),
        (["--species", "11B", "--question", "junction"], 2, "--level is needed"),
        (["--species", "11B", "--level", "1e18 atoms/cm^3"], 2, "--level does not go"),
        (
            ["--species", "11B", "--baseline", "2025-01-01", "2025-02-01"],
            2,
            "with values between them; the measurements are from 2026-03-01 to 2026-03-12",
        ),
        (["--species", "11B", "--baseline", "01.03.2026", "02.03.2026"], 2, "may be in February"),
        (["--species", "11B", "--limits", "9e14", "1e15"], 2, "--limits='9e14' has no unit"),
    ],
)
def test_what_is_refused(lab, arguments, code, said):
    result = run("chart", "--archive", lab, "--no-files", *arguments)
    assert result.exit_code == code
    assert said in error_line(result)


def test_what_is_typed_in_another_way(lab):
    typed = ["--kind", "Individuals", "--rules", "Western-Electric", "--stddev", "1e13 at/cm^2"]
    result = run("chart", "--archive", lab, "--no-files", "--species", "11B", *typed)
    assert "stddev                 1e+13" in result.output
