"""What a command advises is an option of a command, and what is secret is not repeated."""

import re

import pytest
from click.testing import CliRunner
from error_parts import raises
from faulty_server import FaultyServer, raw, reply

import sims_analysis as sims
from sims_analysis.cli import cli

PROFILE = (
    b'[{"data_id": "w1", "species_name": "B", "depths": [0, 1], "depth_units": "nm",'
    b' "concentrations": [1, 2], "concentration_units": "atoms/cm^3"}]'
)


def errors(*arguments):
    return CliRunner().invoke(cli, [str(one) for one in arguments]).stderr


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (reply(b"", 401), "no key was sent; set AS_API_KEY"),
        (reply(b"", 404), "look for what there is with the command search"),
        (reply(b"", 429), "ask less often, or with a smaller --max-connections"),
        (raw(then="stall"), "try again, or raise --timeout"),
        (reply(b"{"), "$"),
    ],
)
def test_an_answer_is_followed_by_options(answer, advice, tmp_path, monkeypatch):
    for name in ("AS_API_KEY", "ATOMSCALE_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with FaultyServer(answer) as server:
        options = ["--endpoint", server.url, "--archive", tmp_path, "--retries", 0]
        printed = errors("fetch", "w1", *options, "--timeout", 0.3)
    assert advice in printed
    assert not re.search(r"(?<![\w-])[a-z_]+=|client\.", printed.replace("%", ""))


def test_of_a_damaged_or_missing_entry_the_command_is_named(tmp_path):
    archive = sims.Archive(tmp_path)
    archive.put("w1", PROFILE, url="test")
    (version,) = (tmp_path / "entries" / "w1").iterdir()
    (version / "payload.json").write_text("[]")
    offline = ["--archive", tmp_path, "--offline", "--no-files"]
    assert "or fetch it again with fetch --refresh" in errors("report", "w1", *offline)
    assert "or fetch the entry again, with refresh" in errors(
        "archive", "verify", "--archive", tmp_path
    )
    assert "fetch it once with the command fetch" in errors("report", "w2", *offline)


@pytest.mark.parametrize(
    "command",
    [["report"], ["report", "--explain"], ["fetch", "--archive"], ["archive", "add", "--archive"]],
)
@pytest.mark.parametrize("scheme", ["https", "s3", "FTP"])
def test_an_address_is_refused_and_not_repeated(command, scheme, tmp_path):
    where = [tmp_path] if command[-1] == "--archive" else []
    done = CliRunner().invoke(
        cli, [*command, *map(str, where), f"{scheme}://user:s3cret@lab.example/w.csv?token=s3cret"]
    )
    assert done.exit_code == 2
    assert "sims.read(address)" in done.stderr
    assert "s3cret" not in done.output


def test_an_archive_keeps_no_login_and_no_token(tmp_path, approved):
    address = "https://user:s3cret@lab.example/w.csv?token=s3cret#s3cret"
    archive = sims.Archive(tmp_path)
    archive.put("w1", PROFILE, url=address)
    assert archive.record("w1").url == "https://lab.example/w.csv"
    assert archive.get("w1").provenance["source"] == "https://lab.example/w.csv"
    with raises(sims.ArchiveError, argument="source", text=approved) as caught:
        archive.add(address)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "table",
    [
        "depth (nm),B\n0,1e18\n1,2e18\n",
        "depth (nm);B (cm^-3)\n0;1,234\n1;2.5\n2;3.5\n",
        "depth (nm),B (cm^-3)\n0,1e18\n1,bad\n2,1e16\n",
        "depth (nm),B (cm^-3)\n0,1e18\n1,>5e18\n2,1e16\n",
        "depth (nm),B (cm^-3)\n0,1e18\n1,2e18\n2,-9999\n",
        "0,1e18\n1,2e18\n2,3e18\n",
        "Sample,depth (nm),B (cm^-3)\nW1,0,1e18\nW1,1,2e18\nW2,0,1e18\nW2,1,2e18\n",
    ],
)
@pytest.mark.parametrize("explain", [(), ("--explain",)])
def test_an_argument_of_python_is_called_that(table, explain, tmp_path):
    """What no option says is said after "in Python"."""
    path = tmp_path / "t.csv"
    path.write_text(table)
    printed = CliRunner().invoke(cli, ["report", str(path), "--no-files", *explain]).output
    (reason,) = re.findall(r"(?:Error: |not read: )(.*(?:\n.+)*)", printed)
    before, _, after = " ".join(reason.split()).partition("in Python, ")
    assert not re.search(r"(?<![\w-])[a-z_]+=", before)
    assert after or re.search(r"--[a-z]", before)
