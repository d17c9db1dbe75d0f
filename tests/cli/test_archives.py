"""What the subcommands of ``archive`` print."""

import json

from command_line import NAMES, error_line, payload_of, run

import sims_analysis as sims
from sims_analysis.examples.opening import ARCHIVE


def test_the_list_says_when_and_where_from_an_entry_came(tmp_path):
    archive = sims.Archive(tmp_path)
    archive.put("w1", payload_of("boron-implant", "w1"), url="https://lab.example/sims/w1")
    record = archive.record("w1")
    head, _, row = run("archive", "list", "--archive", tmp_path).stdout.splitlines()
    assert head.split() == ["data", "id", "retrieved", "source"]
    assert row.split() == ["w1", record.retrieved[:19], "https://lab.example/sims/w1"]
    assert len(record.retrieved) > 19
    (listed,) = json.loads(run("archive", "list", "--archive", tmp_path, "--format", "json").stdout)
    assert listed == json.loads(json.dumps(record.to_dict()))


def test_every_entry_counts_when_an_archive_is_checked(tmp_path):
    sims.Archive(ARCHIVE).export(NAMES, tmp_path)
    ask = ["archive", "verify", "--archive", tmp_path, "--format"]
    sound = run(*ask, "json")
    assert sound.exit_code == 0
    assert json.loads(sound.stdout) == {"entries": 3, "damage": {}}
    (payload,) = (tmp_path / "entries" / "gan-mg-stack").glob("*/payload.json")
    payload.write_bytes(b"[]")
    damaged = run(*ask, "json")
    assert damaged.exit_code == 1
    found = json.loads(damaged.stdout)
    assert found["entries"] == 3
    assert all("gan-mg-stack" in name for name in found["damage"])
    assert run(*ask, "table").stdout == ""


def test_an_entry_is_replaced_only_on_request(tmp_path):
    file, lab = tmp_path / "w.json", tmp_path / "lab"
    for text in (b"7", b"8"):
        file.write_bytes(payload_of("boron-implant").replace(b"0", text, 1))
        first = run("archive", "add", file, "--archive", lab)
    assert first.exit_code == 1
    assert "'boron-implant'" in error_line(first)
    assert len(sims.Archive(lab).versions("boron-implant")) == 1
    assert run("archive", "add", file, "--archive", lab, "--replace").exit_code == 0
    assert sims.Archive(lab).payload("boron-implant") == file.read_bytes()
    assert len(sims.Archive(lab).versions("boron-implant")) == 2


def test_how_files_would_be_added_is_shown_and_nothing_is_added(tmp_path):
    table, lab = tmp_path / "t.csv", tmp_path / "lab"
    table.write_text("Depth,B\n0,1e18\n1,1e17\n2,1e16\n")
    stated = ["--depth-units", "nm", "--units", "atoms/cm^3"]
    shown = run("archive", "add", table, "--explain", "--archive", lab, *stated)
    assert shown.exit_code == 0
    assert "t.csv" in shown.stdout
    assert not lab.exists()
    assert run("archive", "add", table, "--archive", lab, *stated).stdout == "t: B\n"
