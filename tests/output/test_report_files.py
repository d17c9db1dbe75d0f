"""The files of a report: what is written, what is drawn, how they are named."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis import figures
from sims_analysis.output import pages, report_files
from sims_analysis.output.report import analyse, results_csv
from sims_analysis.output.report_files import file_stem, write_files, write_index


@pytest.fixture
def boron():
    return sims.open_example("boron-implant")


def test_results_profiles_and_data_are_written_into_a_folder_that_is_made(
    boron, tmp_path, monkeypatch
):
    monkeypatch.setattr(report_files, "_pictures", lambda _, stem: [stem.with_suffix(".png")])
    monkeypatch.setattr(report_files, "_page", lambda _, path, home: [path, Path(home)])
    report, folder = analyse(boron), tmp_path / "a" / "b"
    for home in ({}, {"home": "index.html"}):  # a second time, they are replaced
        results, profiles, data, *others = write_files(report, folder, **home)
        assert results.read_bytes() == results_csv(report).encode()
        paired = sims.to_csv(report.data, tmp_path / "p.csv", layout="paired")
        assert profiles.read_bytes() == paired.read_bytes()
        assert sims.load(data)["concentration"].identical(report.data["concentration"])
        names = [path.name for path in (results, profiles, data)]
        assert names == [f"boron-implant{end}" for end in ("-results.csv", "-profiles.csv", ".nc")]
        picture, page, list_of_all = others
        assert (picture, page) == (folder / "boron-implant.png", folder / "boron-implant.html")
        assert str(list_of_all) == home.get("home", ".")
    assert sorted(path.name for path in folder.iterdir()) == sorted(names)


@pytest.mark.parametrize("text", ["", "species,dose\nB,1e15\n", "data_id,species\n"])
def test_a_file_of_somebody_else_is_not_replaced(text, tmp_path):
    (tmp_path / "w1-results.csv").write_text(text)
    assert file_stem("w1", tmp_path).startswith("w1~")
    assert file_stem("w2", tmp_path) == "w2"
    assert file_stem("w1-results.csv", tmp_path) == "w1-results.csv"
    (tmp_path / "w3").mkdir()  # no file of results
    assert file_stem("w3", tmp_path) == "w3"


@pytest.mark.parametrize("name", ["con", "prn", "aux", "nul", "com1", "lpt9", "index", "Con.x.y"])
def test_names_of_devices_are_changed(name, tmp_path):
    assert file_stem(name, tmp_path) == f"_{name}"
    assert file_stem(f"x{name}", tmp_path) == f"x{name}"


@pytest.fixture
def drawn(monkeypatch):
    """Collect what would be drawn, saved and closed."""
    found = SimpleNamespace(asked=[], saved=[], closed=[])

    def plot_profiles(data, **options):
        found.asked.append((data, options))
        return SimpleNamespace(figure="the figure")

    monkeypatch.setattr(figures, "plot_profiles", plot_profiles)
    monkeypatch.setattr(figures, "save_figure", lambda _, path: found.saved.append(path) or path)
    monkeypatch.setattr("sims_analysis.figures.style.close", found.closed.append)
    return found


def test_a_picture_shows_the_junctions_and_doses_that_were_found(boron, drawn, tmp_path):
    report = analyse(boron)
    written = report_files._pictures(report, tmp_path / "w.7")
    assert written == drawn.saved == [tmp_path / "w.7.png", tmp_path / "w.7.svg"]
    assert drawn.closed == ["the figure"]
    ((data, options),) = drawn.asked
    assert data is report.data
    assert options["title"] == report.title
    assert options["width"] == "single"
    crossing, metallurgical = options["junctions"]
    assert crossing["species"].values.tolist() == ["B"]  # the level is never reached by P
    assert metallurgical is report.metallurgical
    (dose,) = options["dose"]
    assert dose["species"].values.tolist() == ["B", "P"]


def test_a_picture_without_results_is_named_by_its_id(drawn, tmp_path):
    report = analyse(sims.open_example("sputter-time").drop_vars("species_metadata"))
    report_files._pictures(report, tmp_path / "x")
    ((_, options),) = drawn.asked
    assert options["title"] == "sputter-time"
    assert (options["junctions"], options["dose"]) == ([], [])


@pytest.mark.parametrize(("count", "marked"), [(6, True), (7, False)])
def test_a_picture_has_the_results_of_six_species_at_most(count, marked, drawn, tmp_path):
    z = np.arange(0.0, 50.0)
    made = [
        sims.DepthProfile(
            species_name=f"Q{i}", depths=z, depth_units="nm",
            concentrations=1e19 * np.exp(-z / 5), concentration_units="atoms/cm^3",
        )
        for i in range(count)
    ]  # fmt: skip
    report_files._pictures(analyse(sims.to_dataset(made)), tmp_path / "x")
    ((_, options),) = drawn.asked
    assert (options["junctions"] is not None) == marked
    assert (options["dose"] is not None) == marked
    if marked:
        assert sum(one.sizes["species"] for one in options["dose"]) == count


@pytest.mark.parametrize("there", [True, False])
def test_a_page_is_written_where_the_library_that_draws_it_is(there, tmp_path, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: {"bokeh": there or None}[name])
    monkeypatch.setattr(pages, "report_page", lambda report, home: f"{report.level} µ {home}")
    path = tmp_path / "x.html"
    report = SimpleNamespace(level="1")
    assert report_files._page(report, path, "index.html") == ([path] if there else [])
    assert path.exists() == there
    if there:
        assert path.read_bytes() == "1 µ index.html".encode()


def test_a_list_without_failures_says_nothing_of_them(tmp_path):
    report = {
        "data_id": "w1", "title": "", "date": "", "species": [], "files": ["w1.svg", "w1.html"],
    }  # fmt: skip
    (tmp_path / "index.html").write_text("old")
    page = write_index([report], tmp_path).read_text(encoding="utf-8")
    assert page.count("<li ") == 1
    assert 'href="w1.html"' in page
    assert "Without a page" not in page
