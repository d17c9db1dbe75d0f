"""``report``: which analysis of which data, what is written where, and what is printed."""

import json
from pathlib import Path

import click
import pytest
from command_line import EXAMPLES, NAMES, error_line, run
from error_parts import raises

import sims_analysis as sims
from sims_analysis.cli import reports
from sims_analysis.examples.opening import ARCHIVE


@pytest.mark.parametrize(
    "ending",
    [".csv", ".tsv", ".txt", ".dat", ".asc", ".json", ".xls", ".xlsx", ".h5", ".nc", ".NC"],
)
def test_a_name_with_the_ending_of_a_file_is_no_id(ending, tmp_path):
    with pytest.raises(click.UsageError):
        reports.refuse_missing_files(["w1", f"w1{ending}"])
    (tmp_path / f"w1{ending}").mkdir()
    reports.refuse_missing_files(["w1", "w1.5", str(tmp_path / f"w1{ending}")])


def test_names_are_split_at_commas():
    assert reports.split_files(["P, As", "Sb,", ""]) == ["P", "As", "Sb"]
    assert reports.split_files([]) == []


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.mark.slow
def test_one_report_has_no_list_and_several_link_to_theirs():
    result = run("report", "sputter-time")
    assert {path.stem for path in Path("report").iterdir()} >= {"sputter-time"}
    assert not Path("report", "index.html").exists()
    assert "index.html" not in Path("report", "sputter-time.html").read_text()
    assert "\nWritten:\n  " in result.stdout
    assert result.stdout.endswith(f"\n  {Path('report', 'sputter-time.html')}\n\n")
    Path("bad.json").write_text("[{}]")
    result = run("report", *NAMES[1:], "bad.json", "--out", "here", "--format", "json")
    assert result.exit_code == 3
    found = json.loads(result.stdout)
    assert {*found["failures"]} == {"bad.json"}
    index = Path("here", "index.html").read_text()
    assert "bad.json" in index
    assert [one["data_id"] for one in found["reports"]] == list(NAMES[1:])
    for name in NAMES[1:]:
        assert f'href="{name}.html"' in index
        assert 'href="index.html"' in Path("here", f"{name}.html").read_text()


@pytest.mark.parametrize("style", ["table", "json"])
def test_without_files_nothing_is_written(style):
    result = run("report", *NAMES[1:], "--no-files", "--format", style)
    assert not [*Path().iterdir()]
    assert "Written" not in result.stdout
    assert "List of all" not in result.stdout
    if style == "json":
        found = json.loads(result.stdout)
        assert found["failures"] == {}
        assert [one["files"] for one in found["reports"]] == [[], []]


def test_a_failed_analysis_is_one_line(monkeypatch):
    def refused(*_, **__):
        raise sims.ProfileError("nothing to\nanswer")

    monkeypatch.setattr(reports, "report_of", refused)
    result = run("report", "sputter-time")
    assert (result.exit_code, result.stdout) == (1, "")
    assert error_line(result) == "Error: sputter-time: nothing to answer"


@pytest.mark.parametrize("names", [[], ["none.csv"], ["there.csv", "none.csv"]])
def test_only_existing_files_are_explained(names):
    Path("there.csv").write_text("depth (nm),B (atoms/cm^3)\n0,1e18\n1,1e17\n2,1e16\n")
    result = run("report", *names, "--explain")
    assert (result.exit_code, result.stdout) == (2, "")
    assert error_line(result) == "Error: --explain takes names of files that are there"
    result = run("report", "there.csv", "--explain")
    assert result.exit_code == 0
    assert "there.csv" in result.stdout
    assert not Path("report").exists()


@pytest.fixture
def sources(monkeypatch):
    """Collect from where entries are fetched; all arrive."""
    found = []
    opened = reports.open_client

    def open_client(**source):
        found.append({name: source[name] for name in ("archive", "endpoint", "offline")})
        return opened(**source | {"archive": ARCHIVE, "offline": True})

    monkeypatch.setattr(reports, "open_client", open_client)
    return found


def test_examples_come_from_the_package_and_other_entries_from_where_is_stated(
    sources, tmp_path, approved
):
    of_lab = {"archive": None, "endpoint": "https://lab.example", "offline": False}
    of_user = {"archive": None, "endpoint": None, "offline": False}
    of_folder = of_user | {"archive": tmp_path}
    examples = {"archive": ARCHIVE, "endpoint": None, "offline": True}
    for ids, stated, source in (
        ((), of_user, examples),
        (("sputter-time",), of_user, examples),
        ((), of_user | {"archive": ARCHIVE}, examples | {"offline": False}),
        (("sputter-time",), of_folder, of_folder),
        (("sputter-time",), of_lab, of_lab),
    ):
        results, failures = reports.read_measurements(ids, {}, dict(stated))
        assert [one.data_id for one in results] == list(ids or EXAMPLES)
        assert failures == {}
        assert sources.pop() == source
    with raises(click.UsageError, text=approved):
        reports.read_measurements((), {}, of_lab)


def test_files_need_no_server(sources, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("depth (nm),B (atoms/cm^3)\n0,1e19\n1,1e18\n2,1e17\n")
    ask = ["--no-files", "--format", "json"]
    assert run("report", table, *ask).exit_code == 0
    assert sources == []
    found = json.loads(run("report", "sputter-time", table, *ask).stdout)["reports"]
    assert [one["data_id"] for one in found] == ["t", "sputter-time"]


def test_a_sputter_rate_is_for_data_over_time():
    results = sims.Client(archive=ARCHIVE, offline=True).get(["sputter-time", "boron-implant"])
    plain = dict.fromkeys(["donors", "acceptors"], ())
    level = {"level": "1e18 atoms/cm^3"}
    over_time, over_depth = (
        reports.report_of(one, "0.42 nm/s", plain | level).notes for one in results
    )
    assert over_time[0] == "depth is sputter time times 0.42 nm/s, as stated"
    assert not any("sputter" in note for note in over_depth)


@pytest.mark.slow
def test_options_are_those_of_the_questions():
    window, doping = {"start": "1 nm", "stop": "300 nm"}, "-1e17 cm^-3"
    surface = {"background": "1e15 cm^-3", "surface": "hold", "surface_depth": "40 nm"}
    options = [word for name, text in window.items() for word in (f"--{name}", text)]
    options += ["--level", "2e18 cm^-3", "--background", "1e15 cm^-3", f"--doping={doping}"]
    options += ["--surface", "40 nm", "--surface-dose", "hold", "--donors", "P", "--acceptors", "B"]
    done = run("report", "boron-implant", *options, "--no-files", "--format", "json")
    (found,) = json.loads(done.stdout)["reports"]
    ds = sims.open_example("boron-implant")
    boron, here = ds.sel(species="B"), found["species"][0]
    assert here["dose"] == pytest.approx(sims.integrated_dose(boron, **window, **surface).item())
    depth = sims.junction_depth(boron, level="2e18 cm^-3", after="peak")
    assert here["junction_depth"] == pytest.approx(depth.item(), rel=1e-3)
    both = {"donors": ["P"], "acceptors": ["B"], "background": doping}
    (junction,) = found["junctions"]
    expected = sims.metallurgical_junctions(ds, **both)["depth"]
    assert junction["depth"] == pytest.approx(expected.item(), rel=1e-3)


@pytest.mark.parametrize(
    "stated",
    [["--species", "B"], ["--units", "B=cm^-3"], ["--depth-units", "um"], ["--number-repeats"],
     ["--max-bytes", "9"]],
)  # fmt: skip
@pytest.mark.parametrize("ids", [[], ["boron-implant"]])
def test_what_is_stated_of_files_is_refused_for_entries(ids, stated):
    done = run("report", *ids, "--no-files", *stated)
    assert done.exit_code == 2
    assert f"{stated[0]} is for files; " in done.stderr
