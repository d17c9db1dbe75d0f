"""Files on the command line: how they are read, and which of them cannot be."""

import json

import click
import pytest
from error_parts import raises

import sims_analysis as sims
from sims_analysis.cli import files
from sims_analysis.readers import files as reading


def test_how_several_files_are_read_is_shown_one_below_the_other(tmp_path, capsys):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text("depth (nm),B (atoms/cm^3)\n0,1e18\n1,1e17\n2,1e16\n")
    paths = [tmp_path / name for name in ("a.csv", "none.csv", "b.csv")]
    with pytest.raises(SystemExit) as left:
        files.explain_files(paths, {})
    assert left.value.code == 3
    out, err = capsys.readouterr()
    assert "none.csv: No such file or directory" in err
    first, second = (out.index(name) for name in ("a.csv", "b.csv"))
    assert 0 <= first < second
    assert "\n\n" in out[first:second]
    files.explain_files(paths[:1], {})
    with pytest.raises(SystemExit) as left:
        files.explain_files(paths[1:2], {})
    assert left.value.code == 1


@pytest.mark.parametrize(
    ("texts", "read"),
    [
        ([], None),
        (["counts/s"], "counts/s"),
        (["B=atoms/cm^3"], {"B": "atoms/cm^3"}),
        (["B=atoms/cm^3", "Si=counts/s"], {"B": "atoms/cm^3", "Si": "counts/s"}),
        (["a=b=nm"], {"a=b": "nm"}),
    ],
)
def test_units_are_one_for_all_or_one_for_each_species(texts, read):
    given = {"depth_units": "nm", "units": tuple(texts), "species": (), "number_repeats": False}
    given["max_bytes"] = 2**30
    options = {**given, "out": "x"}
    stated = files.file_arguments(options)
    assert stated == given | {"units": read, "species": None}
    assert options == {"out": "x"}


@pytest.mark.parametrize("texts", [("nm", "um"), ("B=nm", "um")])
def test_several_units_are_of_species(texts, approved):
    given = {"depth_units": None, "units": texts, "species": ("B", "P"), "number_repeats": True}
    given["max_bytes"] = 2**30
    with raises(click.UsageError, text=approved):
        files.file_arguments(dict(given))
    found = files.file_arguments(given | {"units": ()})
    assert (found["species"], found["number_repeats"]) == (["B", "P"], True)


@pytest.mark.parametrize(
    ("error", "reason"),
    [(OSError(5, "Input/output error"), "Input/output error"), (OSError("x"), "x")],
)
def test_a_file_that_cannot_be_shown_has_the_reason_of_the_system(
    error, reason, monkeypatch, capsys
):
    def explained(*_):
        raise error

    monkeypatch.setattr(reading, "explained", explained)
    with pytest.raises(SystemExit):
        files.explain_files(["a.csv"], {})
    assert capsys.readouterr().err == f"Error: a.csv: {reason}\n"


def test_files_are_called_by_their_ids_or_else_by_their_names(tmp_path):
    def wafer(file, data_id):
        profile = {
            "species_name": "B", "depths": [0, 10], "depth_units": "nm",
            "concentrations": [1e18, 2e18], "concentration_units": "atoms/cm^3",
        }  # fmt: skip
        known = {"data_id": data_id} if data_id else {}
        (tmp_path / file).write_text(json.dumps([profile | known]))
        return tmp_path / file

    given = [wafer("a.json", "w1"), wafer("b.json", "w1"), wafer("c.json", "w2")]
    bad = tmp_path / "bad.json"
    bad.write_text("[{}]")
    results, failures = files.read_files([*given, bad], {})
    assert [one.data_id for one in results] == ["w1", "b.json", "w2"]
    assert all(isinstance(one, sims.SIMSResult) for one in results)
    assert {*failures} == {str(bad)}
    assert "\n" not in failures[str(bad)]
