"""The files of a report: what is written, what is drawn, how they are named."""

import importlib.util

import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.output.report import analyse, results_csv
from sims_analysis.output.report_files import file_stem, write_files, write_index


@pytest.mark.slow
def test_files_hold_the_report_and_are_replaced_without_a_page_where_bokeh_is_missing(
    tmp_path, monkeypatch
):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == "bokeh" else find(n))
    report, folder = analyse(sims.open_example("boron-implant")), tmp_path / "a" / "b"
    ends = ["-profiles.csv", "-results.csv", ".nc", ".png", ".svg"]
    folder.mkdir(parents=True)
    for end in ends:  # of an earlier report
        (folder / f"boron-implant{end}").write_text("data_id\nboron-implant\n")
    open_before = plt.get_fignums()
    results, profiles, _, *pictures = write_files(report, folder)
    assert plt.get_fignums() == open_before, "a long run keeps no figures"
    assert results.read_bytes() == results_csv(report).encode()
    paired = sims.to_csv(report.data, tmp_path / "p.csv", layout="paired")
    assert profiles.read_bytes() == paired.read_bytes()
    stored = sims.load(folder / "boron-implant.nc")["concentration"]
    assert stored.identical(report.data["concentration"])
    picture = pictures[1].read_text("utf-8")
    said = "161.95 ± 0.10 nm", "(5.0313 ± 0.0010)", "181.9 ± 0.3 nm"
    for text in ("<?xml", "synthetic: B implant", *said):
        assert text in picture, "the figure says what the report says"
    assert sorted(path.name for path in folder.iterdir()) == [f"boron-implant{e}" for e in ends]
    # The level is never reached by P, which has a dose alone.
    asked = [one["function"] for one in sims.provenance(pictures[0])["question"]]
    assert asked == ["junction_depth", "metallurgical_junctions", "dose_budget"]


@pytest.mark.slow
@pytest.mark.parametrize(("count", "marked"), [(6, True), (7, False)])
def test_a_picture_has_the_results_of_six_species_at_most(count, marked, tmp_path):
    z = np.arange(0.0, 50.0)
    made = [
        sims.DepthProfile(
            species_name=f"Q{i}", depths=z, depth_units="nm",
            concentrations=1e19 * np.exp(-z / 5), concentration_units="atoms/cm^3",
        )
        for i in range(count)
    ]  # fmt: skip
    files = write_files(analyse(sims.to_dataset(made)), tmp_path / "new")
    pictures = [one for one in files if one.suffix in (".png", ".svg")]
    assert ["question" in sims.provenance(one) for one in pictures] == [marked] * 2


@pytest.mark.parametrize("text", ["", "species,dose\nB,1e15\n", "data_id,species\n"])
def test_a_file_of_somebody_else_is_not_replaced(text, tmp_path):
    (tmp_path / "w1-results.csv").write_text(text)
    assert file_stem("w1", tmp_path).startswith("w1~")
    assert file_stem("w2", tmp_path) == "w2"
    assert file_stem("w1-results.csv", tmp_path) == "w1-results.csv"
    (tmp_path / "w3").mkdir()  # no file of results
    assert file_stem("w3", tmp_path) == "w3"


def test_a_list_links_what_was_written_and_says_nothing_of_failures_that_are_none(tmp_path):
    report = {
        "data_id": "w1", "title": "", "date": "", "species": [],
        "files": ["w1.svg", "w 1.png", "w1.html"],
    }  # fmt: skip
    (tmp_path / "index.html").write_text("old")
    page = write_index([report], tmp_path).read_text(encoding="utf-8")
    assert page.count("<tr data-words") == 1
    assert 'href="w1.html"' in page
    assert '<a href="w1.svg">figure (SVG)</a>' in page
    assert '<img src="w%201.png"' in page
    assert "Without a page" not in page
