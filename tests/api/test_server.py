"""The server: the reference contract, answered from an archive."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import socket
import time
from urllib.parse import quote

import pytest
import uvicorn
from error_parts import raises
from faulty_server import REFERENCE, REFERENCE_ID, profiles
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from running_server import KEY, Running

from sims_analysis.api.archive import Archive
from sims_analysis.api.catalogue import WIRE_FIELDS
from sims_analysis.api.client import Client
from sims_analysis.api.server import OPENAPI, create_app, serve
from sims_analysis.api.versions import list_versions
from sims_analysis.errors import ApiError, ArchiveError, NotFound, Unauthorized, collected

ODD = ["( Pb+ )", "^118SnI_3-", "Ga->", "Si/Ge", "µ", "%41", ".."]


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    archive = Archive(tmp_path_factory.mktemp("archive"))
    archive.put(REFERENCE_ID, REFERENCE, url="https://lab.example/")
    archive.put("unordered", profiles("unordered", "Si", "B", "Al"), url="test")
    archive.put("odd", profiles("odd", *ODD), url="test")
    archive.put("a/b", profiles("a/b", "B"), url="test")
    archive.put("no-data", b"[]", url="test")
    archive.put_catalogue(
        "odd",
        {
            "data_id": "odd",
            "char_source_type": "sims",
            "pipeline_status": "running",
            "upload_datetime": "2024-03-01T12:00:00Z",
            "last_updated": "2024-03-02T12:00:00",
            "sample_name": "Wafer 7",
            "physical_sample_id": "s-7",
            "projects": [{"id": "p-1", "name": "Implants"}],
            "growth_length": 60,
        },
    )
    return archive


@pytest.fixture(scope="module")
def running(archive):
    with Running(create_app(archive, KEY)) as running:
        yield running


# ---- profiles


def test_the_bytes_are_those_of_the_reference(running):
    status, headers, body = running.get(f"/sims/{REFERENCE_ID}")
    assert (status, body) == (200, REFERENCE)
    assert headers["Content-Type"] == "application/json"


def test_profiles_are_ordered_by_species(running):
    found = running.json("/sims/unordered")
    assert [profile["species_name"] for profile in found] == ["Al", "B", "Si"]
    assert found[2] == json.loads(profiles("unordered", "Si"))[0]


def test_profiles_are_served_under_the_id_of_their_entry(tmp_path):
    archive = Archive(tmp_path)
    for i, stated in enumerate((None, "other")):
        wire = json.loads(profiles(stated, "B", "Si"))
        archive.put(f"w{i}", json.dumps(wire).encode(), url="test")
    with Running(create_app(archive, KEY)) as running:
        for name in ("w0", "w1"):
            assert {one["data_id"] for one in running.json(f"/sims/{name}")} == {name}
            assert running.json(f"/sims/{name}/species/Si")["data_id"] == name


def test_an_entry_without_data(running):
    assert running.get("/sims/no-data")[2] == b"[]"
    assert running.get("/sims/no-data/species/B")[2] == b"null"


def test_an_unknown_entry(running):
    for path in ("/sims/unknown", "/sims/unknown/species/B", "/sims/..%2Fodd", "/sims/%FF"):
        status, headers, body = running.get(path)
        assert status == 404
        assert headers["Content-Type"] == "application/json"
        assert "detail" in json.loads(body)


@pytest.mark.parametrize("species", ODD)
def test_one_species(running, species):
    found = running.json(f"/sims/odd/species/{quote(species, safe='')}")
    assert found == json.loads(profiles("odd", species))[0]


def test_an_absent_species_is_null(running):
    assert running.get("/sims/odd/species/Xx")[2] == b"null"


def test_an_id_with_a_slash(running):
    assert running.json("/sims/a%2Fb")[0]["data_id"] == "a/b"
    assert running.get("/sims/a/b")[0] == 404


# ---- catalogue


def test_the_catalogue_as_the_sdk_asks_for_it(running):
    path = f"/data_entries/?data_ids=odd&data_ids={REFERENCE_ID}&data_ids=unknown&data_ids=odd"
    found = running.json(path + "&include_organization_data=True")
    assert [entry["data_id"] for entry in found] == ["odd", REFERENCE_ID]
    for entry in found:
        assert set(WIRE_FIELDS) <= set(entry)
        assert entry["char_source_type"] == "sims"
    assert found[0]["growth_length"] == 60
    assert found[1]["pipeline_status"] == "success"
    assert found[1]["last_updated"] == "2024-01-15T10:35:00Z"


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 5),
        ("data_type=sims&status=all&include_organization_data=True", 5),
        ("data_type=xps", 0),
        ("status=running", 1),
        ("status=success", 4),
        ("keywords=wafer", 1),
        ("keywords=wafer&keywords=IMPLANT", 1),
        ("keywords=wafer&keywords=mask", 0),
        ("physical_sample_ids=s-7&physical_sample_ids=s-8", 1),
        ("physical_sample_ids=s-8", 0),
        ("project_ids=p-1", 1),
        ("growth_length_min=60&growth_length_max=60", 1),
        ("growth_length_min=61", 0),
        ("upload_datetime_min=2024-03-01", 1),
        ("upload_datetime_min=2024-03-01%2012:00:00%2B00:00", 1),
        ("upload_datetime_max=2024-03-01T11:59:59Z", 0),
        ("last_updated_min=2024-03-02T14:00:00%2B02:00", 1),
        ("last_updated_max=2024-02-01", 3),
        ("include_organization_data=0", 5),
        ("include_organization_data=1", 5),
        ("include_organization_data=FALSE", 5),
        ("who_knows=1", 5),
        ("data_ids=", 0),
    ],
)
def test_filters(running, query, found):
    assert len(running.json(f"/data_entries/?{query}")) == found
    assert len(running.json(f"/data_entries?{query}")) == found


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("growth_length_min=long", "could not convert string to float: 'long'"),
        ("growth_length_max=nan", "expected a finite number, found 'nan'"),
        ("growth_length_max=inf", "expected a finite number, found 'inf'"),
        ("upload_datetime_min=yesterday", "yesterday"),
        ("last_updated_max=", ""),
        ("include_organization_data=perhaps", "expected a boolean, found 'perhaps'"),
    ],
)
def test_filters_that_cannot_be_read(running, query, reason):
    status, headers, body = running.get(f"/data_entries/?{query}")
    assert status == 422
    assert headers["Content-Type"] == "application/json"
    (wrong,) = json.loads(body)["detail"]
    assert wrong["loc"] == ["query", query.partition("=")[0]]
    assert reason in wrong["msg"]


def test_the_catalogue_follows_the_archive(tmp_path, monkeypatch):
    archive = Archive(tmp_path)
    archive.put("a", REFERENCE, url="test")
    with Running(create_app(archive)) as running:
        ids = lambda: [e["data_id"] for e in running.json("/data_entries/")]  # noqa: E731
        assert ids() == ["a"]
        archive.put("b", REFERENCE, url="test")
        assert ids() == ["a", "b"]
        time.sleep(0.02)  # the resolution of the file system's clock
        archive.put_catalogue("a", {"data_id": "a", "sample_name": "new"})
        assert running.json("/data_entries/?data_ids=a")[0]["sample_name"] == "new"


def test_a_damaged_entry_hides_no_other(tmp_path):
    archive = Archive(tmp_path)
    archive.put("a", REFERENCE, url="test")
    archive.put("b", REFERENCE, url="test")
    (payload,) = archive.folder("a").rglob("payload.json")
    payload.write_bytes(b"[]")
    with Running(create_app(archive)) as running:
        status, headers, body = running.get("/sims/a")
        assert (status, headers["Content-Type"]) == (500, "application/json")
        assert "damaged" in json.loads(body)["detail"]
        assert str(tmp_path) not in body.decode()
        assert running.get("/sims/b")[0] == 200
        (record,) = archive.folder("a").rglob("record.json")
        record.write_bytes(b"")
        a, b = running.json("/data_entries/")
        assert (a["pipeline_status"], b["pipeline_status"]) == ("error", "success")


@pytest.mark.few(2)
@pytest.mark.parametrize("payload", [b"null", b"{}", b"[" * 200_000, b'[{"species_name": 5}]'])
def test_an_archived_payload_that_is_none_is_named(payload, tmp_path):
    """As in an archive that somebody wrote by hand: the hash is right, the contract is broken."""
    archive = Archive(tmp_path)
    archive.put("a", REFERENCE, url="test")
    version = list_versions(archive.folder("a"))[-1]
    sha256 = hashlib.sha256(payload).hexdigest()
    record = json.loads((version / "record.json").read_bytes()) | {"sha256": sha256}
    (version / "record.json").write_text(json.dumps(record))
    (version / "payload.json").write_bytes(payload)
    version.rename(version.with_name(version.name[:-8] + sha256[:8]))
    with Running(create_app(archive)) as running:
        for path in ("/sims/a", "/sims/a/species/B"):
            status, _, body = running.get(path)
            assert status == 500
            assert json.loads(body)["detail"].startswith("$"), "where it breaks the contract"


# ---- HTTP


def test_the_key(running):
    for path in (f"/sims/{REFERENCE_ID}", "/data_entries/", "/nowhere"):
        for key in (None, "", KEY[:-1], KEY + "y", KEY.upper(), "ключ".encode()):
            status, headers, body = running.get(path, key=key)
            assert status == 401
            assert headers["Content-Type"] == "application/json"
            assert KEY not in body.decode()
    assert running.get("/openapi.json", key=None)[0] == 200


def test_the_key_as_the_password_of_a_browser(running):
    def login(text, kind="Basic"):
        return running.get(
            f"/sims/{REFERENCE_ID}",
            key=None,
            Accept="text/html,*/*",
            Authorization=f"{kind} {base64.b64encode(text.encode()).decode()}",
        )

    assert login(f"anyone:{KEY}")[0] == login(f":{KEY}", "basic")[0] == 200
    for wrong in ("anyone:", f"{KEY}:", KEY, f"a:b:{KEY}", f"a:{KEY}y", ""):
        status, headers, _ = login(wrong)
        assert (status, headers["WWW-Authenticate"].split()[0]) == (401, "Basic")
    assert login(f"anyone:{KEY}", "Bearer")[0] == 401
    path = f"/sims/{REFERENCE_ID}"
    for odd in ("Basic", "Basic !", "Basic =", "\xff"):
        assert running.get(path, key=None, Authorization=odd)[0] == 401
    # Programs in a web page, and others, are not asked by a window.
    assert running.get(path, key=None)[1]["WWW-Authenticate"] == "X-API-KEY"


def test_etag(running):
    path = f"/sims/{REFERENCE_ID}"
    etag = running.get(path)[1]["ETag"]
    for known in (etag, f'"x", {etag}', etag.removeprefix("W/"), "*"):
        status, headers, body = running.get(path, If_None_Match=known)
        assert (status, body) == (304, b"")
        assert headers["ETag"] == etag
    assert running.get(path, If_None_Match='"x"')[0] == 200
    assert running.get("/sims/unordered")[1]["ETag"] != etag


def test_gzip(archive):
    profile = json.loads(REFERENCE)[0] | {"data_id": "big"}
    big = [profile | {"depths": [*range(2000)], "concentrations": [1.0] * 2000}]
    archive.put("big", json.dumps(big).encode(), url="test")
    with Running(create_app(archive, KEY)) as running:
        requested = running.get("/sims/big", Accept_Encoding="br, gzip;q=0.5")
        assert requested[1]["Content-Encoding"] == "gzip"
        _, headers, body = running.get("/sims/big", Accept_Encoding="gzip")
        assert headers["Content-Encoding"] == "gzip"
        assert "Accept-Encoding" in headers["Vary"]
        assert json.loads(gzip.decompress(body)) == big
        assert len(body) < len(json.dumps(big)) / 2
        assert "Content-Encoding" not in running.get("/sims/big")[1]
        for length in (999, 1000):
            known = {"depths": [0], "concentrations": [1.0], "species_name": "B" * (length - 264)}
            archive.put("small", json.dumps([profile | known]).encode(), url="test")
            assert len(running.get("/sims/small")[2]) == length
            _, headers, _ = running.get("/sims/small", Accept_Encoding="gzip")
            assert ("Content-Encoding" in headers) == (length == 1000)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"])
def test_other_methods(running, method):
    status, headers, body = running.get("/sims/odd", method=method)
    assert status == 405
    assert "GET" in headers["Allow"]
    assert "detail" in json.loads(body)


def test_head(running):
    status, headers, body = running.get("/sims/odd", method="HEAD")
    assert (status, body) == (200, b"")
    assert "ETag" in headers


@pytest.mark.parametrize(
    "path", ["/", "/sims", "/sims/", "/sims/odd/", "/sims/odd/species", "/sims/odd/species/", "/x"]
)
def test_other_addresses(running, path):
    status, _, body = running.get(path)
    assert status == 404
    assert "detail" in json.loads(body)


def test_a_failure_of_the_server_is_reported_without_a_traceback(archive, monkeypatch):
    def fail(*_):
        raise RuntimeError("a bug in /private/path")

    monkeypatch.setattr(Archive, "folder", fail)
    with Running(create_app(archive)) as running:
        status, headers, body = running.get("/sims/odd")
        assert (status, headers["Content-Type"]) == (500, "application/json")
        assert b"private" not in body


def test_malformed_requests_do_not_harm(running):
    for sent in (b"\0\0\0\r\n\r\n", b"GET / HTTP/9\r\n\r\n", b"GET /sims/%zz HTTP/1.1\r\n\r\n"):
        with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
            connection.sendall(sent)
            connection.settimeout(1)
            answer = connection.recv(65536)
            assert b"Traceback" not in answer
            assert answer.startswith(b"HTTP/1.1 4")
    assert running.get("/sims/odd")[0] == 200


# ---- starting it


def test_serve_refuses_to_be_open(archive, monkeypatch, approved):
    monkeypatch.delenv("SIMS_SERVER_KEY", raising=False)
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: pytest.fail("it started"))
    with raises(ApiError, "missing_key"):
        serve(archive)
    for host in ("0.0.0.0", "::", "lab.example", "192.168.1.5", ""):  # noqa: S104 - refused
        with raises(ApiError, argument="host"):
            serve(archive, host, no_key=True)
    with raises(ArchiveError, "no_archive"):
        serve(archive.path / "typo", no_key=True)
    for port in (-1, 65536, "8000", None):
        with raises(ApiError, argument="port", text=approved):
            serve(archive, port=port, no_key=True)


@pytest.mark.parametrize("certfile", [None, "lab.pem"])
@pytest.mark.parametrize("host", ["0.0.0.0", "lab.example", "127.0.0.1"])  # noqa: S104
def test_serve_warns_where_the_key_can_be_read_on_the_way(archive, monkeypatch, host, certfile):
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: None)
    with collected() as warned:
        serve(archive, host, key="abcdefgh12345678", certfile=certfile)
    expected = host != "127.0.0.1" and certfile is None
    assert [f"{host!r} is served without a certificate" in str(one) for one in warned] == (
        [True] if expected else []
    )


@pytest.mark.parametrize(
    "requested",
    [
        {"host": "0.0.0.0", "no_key": True},  # noqa: S104 - refused
        {"port": 65536},
        {},
        {"key": "abcdefgh1234567"},
    ],
    ids=["host", "port", "no key", "key"],
)
def test_serve_says_what_is_missing(archive, monkeypatch, requested, approved):
    monkeypatch.delenv("SIMS_SERVER_KEY", raising=False)
    monkeypatch.setattr(uvicorn, "run", lambda *_, **__: pytest.fail("it started"))
    with raises(ApiError, text=approved):
        serve(archive, **requested)


@pytest.mark.parametrize(
    "error",
    [PermissionError(13, "Permission denied", "k.pem"), SystemExit(3)],
    ids=["a key that cannot be read", "a port in use"],
)
def test_serve_says_what_cannot_be_used(archive, monkeypatch, error, approved):
    def run(*_, **__):
        raise error

    monkeypatch.setattr(uvicorn, "run", run)
    with raises(ApiError, text=approved):
        serve(archive, "::1", key=KEY, certfile="c.pem")


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("origins", [(), ("https://lab.example",)])
def test_a_web_page_elsewhere_may_ask_only_if_it_is_named(archive, origins):
    testing = pytest.importorskip("starlette.testclient")
    app = create_app(archive, KEY, allow_origins=origins)
    served = testing.TestClient(app, base_url="http://127.0.0.1")
    asks = {"Origin": "https://lab.example", "Access-Control-Request-Method": "GET"}
    requested = {"Access-Control-Request-Headers": "X-API-KEY, If-None-Match"}
    answer = served.options("/sims/odd", headers=asks | requested)
    assert answer.status_code == (200 if origins else 401)
    shown = served.get("/sims/odd", headers=asks | {"X-API-KEY": KEY})
    assert shown.status_code == 200
    assert shown.headers.get("access-control-allow-origin") == (origins[0] if origins else None)
    assert shown.headers.get("access-control-expose-headers") == ("ETag" if origins else None)
    key = {"X-API-KEY": KEY}
    both = [served.get(f"/data_entries{end}", headers=key) for end in ("/", "")]
    assert both[0].content == both[1].content
    assert both[1].status_code == 200
    assert served.get("/sims/odd/", headers=key).status_code == 404


@pytest.mark.slow
def test_serve_takes_the_key_from_the_environment(archive, monkeypatch):
    apps = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: apps.append((app, options)))
    monkeypatch.setenv("SIMS_SERVER_KEY", KEY)
    serve(archive.path, port=8123)
    serve(archive, key="another-one-of-16")
    assert apps[0][1]["host"] == "127.0.0.1"
    assert apps[0][1]["port"] == 8123
    with Running(apps[0][0]) as running:
        assert running.get("/sims/odd")[0] == 200
    with Running(apps[1][0]) as running:
        assert running.get("/sims/odd")[0] == 401
        assert running.get("/sims/odd", key="another-one-of-16")[0] == 200


def test_serve_without_a_key_answers_to_its_own_name_only(archive, monkeypatch):
    apps = []
    monkeypatch.setattr(uvicorn, "run", lambda app, **_: apps.append(app))
    serve(archive, "localhost", no_key=True)
    with Running(apps[0]) as running:
        for name in ("localhost", "127.0.0.1"):
            assert running.get("/sims/odd", key=None, Host=f"{name}:{running.port}")[0] == 200
        assert running.get("/sims/odd", key=None, Host="evil.example")[0] == 400


def test_serve_on_a_port_that_is_taken_is_an_error(archive):
    with socket.create_server(("127.0.0.1", 0)) as taken, raises(ApiError, argument="port"):
        serve(archive, port=taken.getsockname()[1], key=KEY)


# ---- the client and the server together


@pytest.mark.slow
def test_the_client_reads_the_server(running, archive, tmp_path):
    with Client(KEY, endpoint=running.url, archive=tmp_path) as client:
        found = client.search(status="success")
        results = client.get(found.ids)
        assert [r.data_id for r in results] == found.ids
        assert (
            client.get(REFERENCE_ID)[0].depth_profiles == archive.get(REFERENCE_ID).depth_profiles
        )
        assert client.archive.payload(REFERENCE_ID) == REFERENCE
        assert client.entry("odd").sample_name == "Wafer 7"
        empty = next(r for r in results if r.data_id == "no-data")
        assert empty.provenance["pipeline_status"] == "success"
    with Client(KEY, endpoint=running.url) as client:
        for species in ODD[:-1]:
            assert client.get_species("odd", species).species_name == species
        assert client.get_species("odd", "Xx") is None
        with raises(NotFound, data_id="unknown"):
            client.get("unknown")
    with pytest.raises(Unauthorized), Client("wrong" * 4, endpoint=running.url) as client:
        client.get("odd")


# ---- properties


def valid(schema, value):
    import jsonschema

    jsonschema.validate(
        value, {**schema, "components": json.loads(OPENAPI.read_bytes())["components"]}
    )


def test_answers_are_as_the_document_says(running):
    pytest.importorskip("jsonschema")
    shapes = {
        path: operation["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        for path, operation in json.loads(OPENAPI.read_bytes())["paths"].items()
    }
    for data_id in (REFERENCE_ID, "odd", "no-data", "unordered"):
        valid(shapes["/sims/{data_id}"], running.json(f"/sims/{data_id}"))
        for species in ("Si", "Xx"):
            found = running.json(f"/sims/{data_id}/species/{species}")
            valid(shapes["/sims/{data_id}/species/{species_name}"], found)
    valid(shapes["/data_entries/"], running.json("/data_entries/"))
    assert running.json("/openapi.json") == json.loads(OPENAPI.read_bytes())


ANYTHING = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
PARAMETERS = st.sampled_from(
    [
        p["name"]
        for p in json.loads(OPENAPI.read_bytes())["paths"]["/data_entries/"]["get"]["parameters"]
    ]
)


@pytest.mark.slow
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(ANYTHING, max_size=4), st.lists(st.tuples(PARAMETERS | ANYTHING, ANYTHING)))
def test_any_request_is_answered_in_json(running, segments, query):
    path = "".join("/" + quote(segment, safe="") for segment in ["sims", *segments])
    search = "&".join(f"{quote(name)}={quote(value)}" for name, value in query)
    for address in (path, f"/data_entries/?{search}"):
        status, headers, body = running.get(address)
        assert status in {200, 404, 422}
        assert headers["Content-Type"] == "application/json"
        json.loads(body)


@pytest.mark.slow
def test_schemathesis_finds_nothing(archive):
    schemathesis = pytest.importorskip("schemathesis")
    schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(archive, KEY))

    for operation in schema.get_all_operations():
        strategy = operation.ok().as_strategy()

        @settings(max_examples=10, deadline=None, derandomize=True)
        @given(strategy)
        def check_operation(case):
            case.call_and_validate(headers={"X-API-KEY": KEY})

        check_operation()
