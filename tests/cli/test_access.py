"""Fetching, searching and serving: what is requested, printed, refused."""

import json
from importlib.util import find_spec

import pytest
from command_line import error_line, payload_of, run

import sims_analysis as sims
from sims_analysis.api import client, server
from sims_analysis.cli import access
from sims_analysis.examples.opening import ARCHIVE
from sims_analysis.output.pages import add_pages


@pytest.fixture
def served(monkeypatch):
    """Collect what would be served."""
    found = []

    def serve(archive, host, port, **options):
        found.append({"archive": archive.path, "host": host, "port": port, **options})

    monkeypatch.setattr(server, "serve", serve)
    return found


def test_help_of_serve_gives_the_address():
    shown = " ".join(run("serve", "--help").output.split())
    assert "Address to listen on. [default: 127.0.0.1]" in shown
    assert "[default: 8000" in shown


def test_an_archive_is_served_to_this_machine_with_a_key_by_default(served, tmp_path):
    assert run("serve", "--archive", ARCHIVE).exit_code == 0
    plain = {
        "archive": ARCHIVE, "host": "127.0.0.1", "port": 8000, "no_key": False, "certfile": None,
        "keyfile": None, "allow_origins": (),
    }  # fmt: skip
    (found,) = served
    assert found.pop("extend") is (add_pages if find_spec("bokeh") else None)
    assert found == plain
    certificate, key = tmp_path / "c.pem", tmp_path / "k.pem"
    for file in (certificate, key):
        file.write_text("")
    origins = ("https://a.example", "https://b.example")
    options = ["--host", "::1", "--port", "0", "--no-key", "--certfile", certificate]
    allowed = [word for origin in origins for word in ("--allow-origin", origin)]
    assert run("serve", "--archive", ARCHIVE, *options, "--keyfile", key, *allowed).exit_code == 0
    assert served[1] | {"extend": None} == {
        "archive": ARCHIVE, "host": "::1", "port": 0, "no_key": True, "certfile": certificate,
        "keyfile": key, "allow_origins": origins, "extend": None,
    }  # fmt: skip


@pytest.mark.parametrize("there", [True, False])
def test_pages_are_served_if_bokeh_is_installed(served, there, monkeypatch):
    found = {"bokeh": there or None, "starlette": True, "uvicorn": True}
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *_: found.get(name))
    assert run("serve", "--archive", ARCHIVE).exit_code == 0
    assert served[0]["extend"] is (add_pages if there else None)


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_a_port_is_a_number_of_sixteen_bits(served, port):
    assert run("serve", "--archive", ARCHIVE, "--port", port).exit_code == 2
    assert run("serve", "--archive", ARCHIVE, "--port", "65535").exit_code == 0
    assert [one["port"] for one in served] == [65535]


def test_a_certificate_is_an_existing_file(served, tmp_path):
    for option in ("--certfile", "--keyfile"):
        for path, why in ((tmp_path, "is a directory"), (tmp_path / "none", "does not exist")):
            result = run("serve", "--archive", ARCHIVE, option, path)
            assert result.exit_code == 2
            assert option in error_line(result)
            assert why in error_line(result)
    assert served == []


def test_fetched_entries_are_listed_with_their_species_or_their_origin():
    command = ["fetch", "boron-implant", "nobody", "--archive", ARCHIVE, "--offline"]
    for style in ("table", "json"):
        result = run(*command, "--format", style)
        assert result.exit_code == 3
        assert error_line(result).startswith("Error: data entry 'nobody' is not in the archive")
        if style == "table":
            assert result.stdout.splitlines() == [
                "data id        species",
                "-------------  -------",
                "boron-implant  B, P",
            ]
        else:
            found = json.loads(result.stdout)
            assert {*found["failures"]} == {"nobody"}
            (one,) = found["fetched"]
            assert (one["data_id"], one["species"]) == ("boron-implant", ["B", "P"])
            record = sims.Archive(ARCHIVE).record("boron-implant")
            assert one["source"] == record.url
            assert (one["retrieved"], one["sha256"]) == (record.retrieved, record.sha256)


@pytest.mark.parametrize("style", ["table", "json"])
def test_nothing_fetched_is_no_table(style):
    result = run("fetch", "nobody", "--archive", ARCHIVE, "--offline", "--format", style)
    assert result.exit_code == 1
    failures = {"nobody": error_line(result).removeprefix("Error: ")}
    if style == "table":
        assert result.stdout == ""
    else:
        assert json.loads(result.stdout) == {"fetched": [], "failures": failures}


@pytest.fixture
def requests(monkeypatch):
    """Collect how clients are made and the requests to them; nothing is found."""
    found = []

    class Client:
        def __init__(self, **options):
            found.append(options)

        def __enter__(self):
            return self

        def __exit__(self, *_):
            found.append("closed")

        def get(self, ids, **options):
            found.append(("get", ids, options))
            return [sims.SIMSResult(data_id=one, depth_profiles=[]) for one in ids]

        def search(self, **options):
            found.append(("search", options))
            return []

    monkeypatch.setattr(client, "Client", Client)
    return found


@pytest.mark.parametrize("refresh", [False, True])
def test_an_id_is_fetched_once_and_anew_only_on_request(requests, refresh, tmp_path):
    more = ["--refresh"] if refresh else []
    result = run("fetch", "b", "a", "b", "--archive", tmp_path, *more)
    assert result.exit_code == 0
    assert result.stdout.splitlines()[2:] == ["b        no SIMS data", "a        no SIMS data"]
    _, got, closed = requests
    assert got == ("get", ["b", "a"], {"errors": "collect", "refresh": refresh})
    assert closed == "closed"


def test_a_search_has_only_the_limits_that_are_given(requests):
    assert run("search").exit_code == 0
    limits = dict.fromkeys(access.TIMES)
    assert requests[1] == ("search", {"keywords": (), "status": "all", **limits})
    assert run("search", "B", "anneal", "--status", "success").exit_code == 0
    assert requests[4][1]["keywords"] == ("B", "anneal")
    assert requests[4][1]["status"] == "success"


@pytest.mark.parametrize(
    ("option", "parameter"),
    [
        ("--uploaded-after", "upload_datetime_min"),
        ("--uploaded-before", "upload_datetime_max"),
        ("--updated-after", "last_updated_min"),
        ("--updated-before", "last_updated_max"),
    ],
)
def test_a_time_limits_a_search(requests, option, parameter):
    assert run("search", option, "2024-01-15T10:00").exit_code == 0
    given = {name: moment for name, moment in requests[1][1].items() if name in access.TIMES}
    assert {name for name, moment in given.items() if moment is not None} == {parameter}
    assert given[parameter] == "2024-01-15T10:00"


def test_a_found_entry_is_named_by_its_sample_or_its_file(tmp_path):
    archive = sims.Archive(tmp_path)
    about = {
        "w1": {"sample_name": "S", "physical_sample_name": "P", "raw_name": "r.dp"},
        "w2": {"physical_sample_name": "P", "raw_name": "r.dp", "pipeline_status": "error"},
        "w3": {"raw_name": "r.dp", "last_updated": "2024-07-01T10:20:30Z"},
        "w4": {},
    }
    for name, known in about.items():
        entry = {"data_id": name, "char_source_type": "sims", **known}
        payload = payload_of("boron-implant", name)
        archive.put(name, payload, url="test", catalogue=entry)
    result = run("search", "--archive", tmp_path, "--offline")
    assert result.stdout.splitlines() == [
        "data id  status  updated     sample",
        "-------  ------  ----------  ------",
        "w1                           S",
        "w2       error               P",
        "w3               2024-07-01  r.dp",
        "w4",
    ]


def test_a_search_without_a_result_prints_a_line_or_an_empty_list():
    command = ["search", "unobtainium", "--archive", ARCHIVE, "--offline", "--format"]
    people, programs = (run(*command, style) for style in ("table", "json"))
    assert (people.stdout, people.stderr) == ("", "nothing found\n")
    assert (programs.stdout, programs.stderr) == ("[]\n", "")
    assert people.exit_code == programs.exit_code == 0
