"""The client against servers that behave: what is asked, in which order, and what is kept."""

from __future__ import annotations

import logging
import pickle
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import traceback
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import unquote

import httpx
import pytest
import tqdm.std
from error_parts import raises
from faulty_server import (
    KEY,
    OF_ANY_ENTRY,
    REFERENCE,
    REFERENCE_ID,
    FaultyServer,
    profiles,
    raw,
    reply,
)
from waits import fetching_has_ended, interrupt_when, wait_until

from sims_analysis.api.archive import Archive
from sims_analysis.api.client import Client
from sims_analysis.api.secret import Secret
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import (
    ApiError,
    ArchiveError,
    ConnectionFailed,
    NotFound,
    PartialResultsError,
    PayloadError,
    SimsError,
    StatusError,
    Unauthorized,
)

ENDPOINT = "https://lab.example/"


class Api:
    """Answers like the API, from a dict; counts what it was asked."""

    def __init__(self, **bodies: bytes | int) -> None:
        self.bodies = bodies
        self.catalogue: list[dict[str, object]] = []
        self.requests: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        path = request.url.raw_path.decode().partition("?")[0]
        if path.endswith("/data_entries/"):
            return httpx.Response(200, json=self.catalogue)
        answer = self.bodies.get(unquote(path.split("/sims/")[1]), 404)
        if isinstance(answer, int):
            return httpx.Response(answer, content=b'{"detail":"no"}')
        return httpx.Response(200, content=answer)

    @property
    def paths(self) -> list[str]:
        return [request.url.raw_path.decode() for request in self.requests]

    def client(self, **options: object) -> Client:
        options.setdefault("endpoint", ENDPOINT)
        return Client(KEY, transport=httpx.MockTransport(self), **options)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch):
    for name in ("AS_API_KEY", "ATOMSCALE_API_KEY", "AS_API_ENDPOINT"):
        monkeypatch.delenv(name, raising=False)


def test_the_example_of_the_reference():
    with FaultyServer(reply()) as server:
        client = Client(api_key=KEY, endpoint=server.url)
        results = client.get(data_ids=REFERENCE_ID)
        (profile,) = results[0].depth_profiles
        assert profile.species_name == "Si"
        assert profile.concentrations.tolist() == [1.2e18, 3.4e18, 5.1e18, 2.0e18, 8.0e17]
        assert results[0].provenance["source"] == f"{server.url}sims/{REFERENCE_ID}"
        assert server.received[0].headers["X-API-KEY"] == KEY
        assert server.received[0].path == f"/sims/{REFERENCE_ID}"


# ---- which ids, in which order


def test_order_is_kept_and_duplicates_are_fetched_once():
    names = [f"id-{i}" for i in range(20)]
    api = Api(**{name: profiles(name, "B") for name in names})
    requested = [*reversed(names), *names[:5]]
    results = api.client().get(requested)
    assert [result.data_id for result in results] == requested
    assert Counter(api.paths).most_common(1)[0][1] == 1


def test_ids_are_text_or_uuids_one_or_many():
    api = Api(**{REFERENCE_ID: REFERENCE})
    client = api.client()
    for requested in (REFERENCE_ID, uuid.UUID(REFERENCE_ID), [REFERENCE_ID], iter([REFERENCE_ID])):
        assert [r.data_id for r in client.get(requested)] == [REFERENCE_ID]
    assert client.get([]) == []


@pytest.mark.parametrize("bad", [None, 1, "", " ", [None], [1], b"id", ["a", ""]])
def test_what_is_no_id_is_refused(bad):
    api = Api()
    with raises(ApiError, argument="data_ids"):
        api.client().get(bad)
    assert api.requests == []


@pytest.mark.parametrize(
    ("data_id", "path"),
    [
        ("a b", "/sims/a%20b"),
        ("a/b", "/sims/a%2Fb"),
        ("%2e%2e", "/sims/%252e%252e"),
        ("..%2Fx", "/sims/..%252Fx"),
        ("a?b#c", "/sims/a%3Fb%23c"),
        ("é", "/sims/%C3%A9"),
        ("a\r\nX: y", "/sims/a%0D%0AX%3A%20y"),
    ],
)
def test_ids_are_encoded(data_id, path):
    with FaultyServer(reply(OF_ANY_ENTRY)) as server:
        Client(KEY, endpoint=server.url).get(data_id)
        assert server.paths == [path]


@pytest.mark.parametrize("data_id", [".", "..", "../users", "a/../../users", "..\\users", "\ud800"])
def test_ids_that_climb_are_not_sent(data_id):
    with FaultyServer(reply()) as server:
        with pytest.raises(ApiError):
            Client(KEY, endpoint=server.url).get(data_id)
        assert server.received == []


def test_a_prefix_of_the_endpoint_is_kept():
    for endpoint in ("/v1/lab", "/v1/lab/"):
        with FaultyServer(reply()) as server:
            client = Client(KEY, endpoint=server.url.rstrip("/") + endpoint)
            client.get(REFERENCE_ID)
            assert server.paths == [f"/v1/lab/sims/{REFERENCE_ID}"]


# ---- failures of some


def test_errors_raise_carries_what_arrived(approved):
    api = Api(a=profiles("a", "B"), c=profiles("c", "P"))
    with raises(PartialResultsError, text=approved) as caught:
        api.client().get(["a", "b", "c", "b"])
    results = caught.value.results
    assert [type(r) for r in results] == [SIMSResult, NotFound, SIMSResult, NotFound]
    assert [r.data_id for r in results if isinstance(r, SIMSResult)] == ["a", "c"]


def test_errors_collect_puts_the_error_in_its_place():
    api = Api(a=profiles("a", "B"), b=b"[{}]", c=500)
    results = api.client(retries=0).get(["a", "b", "c", "d"], errors="collect")
    assert [type(r) for r in results] == [SIMSResult, PayloadError, StatusError, NotFound]


def test_a_single_id_raises_the_plain_error():
    for requested in ("x", ["x"], ["x", "x"]):
        with raises(NotFound, data_id="x") as caught:
            Api().client().get(requested)
        assert caught.value.status_code == 404
        assert caught.value.url == ENDPOINT + "sims/x"


def test_an_error_that_is_none_of_ours_is_raised():
    def answer(request):
        raise RuntimeError("a bug")

    client = Client(KEY, endpoint=ENDPOINT, transport=httpx.MockTransport(answer))
    with pytest.raises(RuntimeError, match="a bug"):
        client.get(["a", "b"], errors="collect")


# ---- species


@pytest.mark.parametrize("species", ["Si", "^118SnI_3-", "( Pb+ )", "Ga->", "Si/Ge", "%41", "µ"])
def test_one_species(species):
    api = Api(**{f"w1/species/{species}": profiles("w1", species)[1:-1]})
    assert api.client().get_species("w1", species).species_name == species
    assert api.paths[0].count("/") == 4


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (b"[]", "$"),
        (b"{}", "$"),
        (profiles("w", "B")[1:-1].replace(b'"nm"', b"1"), "$.depth_units"),
    ],
)
def test_a_species_of_the_wrong_shape(body, path):
    api = Api(**{"w1/species/B": body})
    with raises(PayloadError, data_id="w1", species="B", path=path):
        api.client().get_species("w1", "B")


# ---- with an archive


def test_what_is_archived_is_not_fetched_again(tmp_path):
    api = Api(a=profiles("a", "B"), b=profiles("b", "P"))
    api.client(archive=tmp_path).get(["a", "b"])
    again = api.client(archive=tmp_path).get(["b", "a"])
    assert len(api.requests) == 2
    assert [r.species for r in again] == [["P"], ["B"]]
    assert Archive(tmp_path).payload("a") == api.bodies["a"]


def test_an_archived_result_knows_where_it_came_from(tmp_path):
    api = Api(a=profiles("a", "B"))
    (fresh,) = api.client(archive=tmp_path).get("a")
    (archived,) = api.client(archive=Archive(tmp_path), offline=True).get("a")
    assert fresh.provenance == archived.provenance
    assert set(fresh.provenance) == {"source", "retrieved", "sha256"}
    assert fresh.provenance["source"] == ENDPOINT + "sims/a"
    assert fresh.provenance["retrieved"].endswith("Z")


def test_offline_opens_no_socket_and_imports_no_client(tmp_path):
    Archive(tmp_path).put("a", profiles("a", "B"), url="test")
    script = (
        "import socket, sys\n"
        "def refuse(*a, **k): raise AssertionError('a socket')\n"
        "from sims_analysis.api.client import Client\n"
        "socket.socket = refuse\n"
        f"client = Client(archive={str(tmp_path)!r}, offline=True)\n"
        "assert client.get('a')[0].species == ['B']\n"
        "assert client.get_species('a', 'B').depths.size == 5\n"
        "assert client.get_species('a', 'C') is None\n"
        "assert client.search().ids == ['a'] and client.entry('a').data_id == 'a'\n"
        "heavy = {'httpx', 'httpcore', 'tqdm', 'pandas', 'xarray'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_offline_and_not_archived(tmp_path, approved):
    Archive(tmp_path).put("a", profiles("a", "B"), url="test")
    api = Api(b=profiles("b", "P"))
    client = api.client(archive=tmp_path, offline=True)
    with raises(ArchiveError, "not_archived", data_id="b"):
        client.get("b")
    with raises(PartialResultsError, text=approved):
        client.get(["a", "b"])
    with raises(ApiError, "conflicting_arguments", argument="refresh"):
        client.get("a", refresh=True)
    with raises(ApiError, "conflicting_arguments", argument="archive"):
        Client(offline=True)
    with raises(ArchiveError, "no_archive"):
        api.client(archive=tmp_path / "typo", offline=True).get("a")
    assert api.requests == []


def test_refresh_keeps_the_superseded_payload(tmp_path):
    api = Api(a=profiles("a", "B"))
    client = api.client(archive=tmp_path)
    client.get("a")
    api.bodies["a"] = profiles("a", "B", "P")
    assert client.get("a")[0].species == ["B"]
    assert client.get("a", refresh=True)[0].species == ["B", "P"]
    assert client.get("a")[0].species == ["B", "P"]
    old, new = client.archive.versions("a")
    assert client.archive.get("a", sha256=old.sha256).species == ["B"]
    assert client.archive.get("a", sha256=new.sha256[:8]).species == ["B", "P"]


def test_a_damaged_entry_is_refused_and_refresh_repairs_it(tmp_path):
    api = Api(a=profiles("a", "B"))
    client = api.client(archive=tmp_path)
    client.get("a")
    (payload,) = tmp_path.rglob("payload.json")
    payload.write_bytes(payload.read_bytes().replace(b"e+18", b"e+17"))
    with raises(ArchiveError, "damaged_entry", data_id="a"):
        client.get("a")
    assert client.get("a", refresh=True)[0].species == ["B"]
    assert client.get("a")[0].species == ["B"]


@pytest.mark.parametrize("empty", [b"[]", b"[ \n ]", b" " * 100 + b"[" + b" " * 1000 + b"]"])
def test_an_empty_answer_is_never_archived(empty, tmp_path):
    api = Api(a=empty)
    client = api.client(archive=tmp_path)
    assert client.get("a")[0].species == []
    assert "a" not in client.archive
    api.bodies["a"] = profiles("a", "B")
    assert client.get("a")[0].species == ["B"]
    api.bodies["a"] = empty
    assert client.get("a", refresh=True)[0].species == []
    assert client.get("a")[0].species == ["B"], "what was measured stays"


def test_an_empty_entry_of_an_archive_does_not_hide_what_came_later(tmp_path):
    Archive(tmp_path).put("a", b"[ ]", url="test")
    api = Api(a=profiles("a", "B"))
    assert api.client(archive=tmp_path, offline=True).get("a")[0].species == []
    assert api.client(archive=tmp_path).get("a")[0].species == ["B"]


def test_a_broken_payload_is_not_archived(tmp_path):
    client = Api(a=b"[{}]").client(archive=tmp_path)
    with pytest.raises(PayloadError):
        client.get("a")
    assert "a" not in client.archive


def test_species_with_an_archive_keeps_the_whole_entry(tmp_path):
    api = Api(a=profiles("a", "B", "P"))
    client = api.client(archive=tmp_path)
    assert client.get_species("a", "P").species_name == "P"
    assert client.get_species("a", "B").species_name == "B"
    assert api.paths == ["/sims/a"]


# ---- catalogue


def entry(data_id: str, **fields: object) -> dict[str, object]:
    return {"data_id": data_id, "char_source_type": "sims", "pipeline_status": "success"} | fields


def test_search_asks_as_the_reference_does():
    api = Api()
    api.catalogue = [entry("a"), entry("b", char_source_type="xps")]
    found = api.client().search(
        keywords=["boron", "10 keV"], status="success", last_updated_min="2024-01-15"
    )
    assert found.ids == ["a"]
    path, _, query = api.paths[0].partition("?")
    assert path == "/data_entries/"
    assert sorted(query.split("&")) == [
        "data_type=sims",
        "include_organization_data=True",
        "keywords=10%20keV",
        "keywords=boron",
        "last_updated_min=2024-01-15T00%3A00%3A00%2B00%3A00",
        "status=success",
    ]


def test_a_sample_is_fetched_in_two_lines():
    api = Api(a=profiles("a", "B"), b=profiles("b", "P"))
    api.catalogue = [entry("a"), entry("b")]
    client = api.client()
    results = client.get(client.search(physical_sample_ids="s1").ids)
    assert [r.species for r in results] == [["B"], ["P"]]


def test_a_catalogue_that_fails_does_not_hide_an_empty_entry():
    def answer(request):
        return httpx.Response(200, json=[]) if "/sims/" in str(request.url) else httpx.Response(400)

    client = Client(KEY, endpoint=ENDPOINT, transport=httpx.MockTransport(answer))
    assert "pipeline_status" not in client.get("a")[0].provenance


def test_catalogue_entries_of_a_search_are_archived_with_the_profiles(tmp_path):
    api = Api(a=profiles("a", "B"))
    api.catalogue = [entry("a", sample_name="wafer 1"), entry("b")]
    client = api.client(archive=tmp_path)
    client.get(client.search().ids[:1])
    offline = api.client(archive=tmp_path, offline=True)
    assert offline.entry("a").sample_name == "wafer 1"
    assert offline.search(keywords="WAFER").ids == ["a"]
    assert offline.search(keywords="mask").ids == []
    api.catalogue[0]["sample_name"] = "wafer 2"
    client.search()
    assert offline.entry("a").sample_name == "wafer 2"


def test_capitals_of_a_uuid_are_no_other_entry(tmp_path):
    capitals = REFERENCE_ID.upper()
    api = Api(**{REFERENCE_ID: REFERENCE})
    api.catalogue = [entry(capitals, sample_name="wafer 1", pipeline_status="running")]
    client = api.client(archive=tmp_path)
    assert client.entry(capitals).sample_name == "wafer 1"
    assert client.entry(REFERENCE_ID).sample_name == "wafer 1"
    client.get(capitals)
    offline = api.client(archive=tmp_path, offline=True)
    assert offline.entry(capitals).sample_name == "wafer 1"
    found = offline.archive.search(data_ids=[REFERENCE_ID, capitals], status="running")
    assert found.ids == [capitals]
    api.bodies[REFERENCE_ID] = b"[]"
    assert api.client().get(capitals)[0].provenance["pipeline_status"] == "running"


def test_a_row_with_an_empty_id_hides_no_other(tmp_path):
    api = Api(a=profiles("a", "B"))
    client = api.client(archive=tmp_path)
    client.get("a")
    api.catalogue = [entry("", sample_name="nobody"), entry("a", sample_name="wafer 1")]
    client.search()
    assert api.client(archive=tmp_path, offline=True).entry("a").sample_name == "wafer 1"


# ---- the key, the endpoint, the options


def test_key_and_endpoint_from_the_environment(monkeypatch):
    with FaultyServer(reply()) as server:
        monkeypatch.setenv("ATOMSCALE_API_KEY", "second" * 3)
        monkeypatch.setenv("AS_API_ENDPOINT", server.url)
        Client().get(REFERENCE_ID)
        monkeypatch.setenv("AS_API_KEY", f" {'first' * 4}\n")
        Client().get(REFERENCE_ID)
        Client("given" * 4).get(REFERENCE_ID)
        keys = [request.headers["X-API-KEY"] for request in server.received]
        assert keys == ["second" * 3, "first" * 4, "given" * 4]


def test_a_missing_key_is_an_error_before_any_request():
    with raises(ApiError, "missing_key", argument="api_key", data_id="a"):
        Client(transport=httpx.MockTransport(Api())).get("a")


def test_a_server_without_keys_gets_none():
    with FaultyServer(reply(), reply(b"", 401)) as server:
        client = Client(endpoint=server.url)
        client.get(REFERENCE_ID)
        assert "X-API-KEY" not in server.received[0].headers
        with raises(Unauthorized, data_id="a"):
            client.get("a")


def test_a_closed_client_says_so():
    client = Api(a=profiles("a", "B")).client()
    with client:
        client.get("a")
    client.close()
    with raises(ApiError, "closed", data_id="a"):
        client.get("a")


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_a_certificate_of_ones_own(tmp_path):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    make += f" -subj /CN=lab -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    subprocess.run(make.split(), check=True, capture_output=True)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    with FaultyServer(reply(), tls=tls) as server:
        with raises(ConnectionFailed, "untrusted_certificate", argument="ca_bundle", data_id="a"):
            Client(KEY, endpoint=server.url).get("a")
        assert (server.connections, server.received) == (1, [])
        client = Client(KEY, endpoint=server.url, ca_bundle=certificate)
        assert client.get(REFERENCE_ID)[0].species == ["Si"]


def test_a_proxy_of_the_environment_is_used(monkeypatch):
    with FaultyServer(reply()) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        monkeypatch.setenv("http_proxy", proxy.url)
        Client(KEY, endpoint="http://lab.example/", allow_http=True).get(REFERENCE_ID)
        assert proxy.paths == [f"http://lab.example/sims/{REFERENCE_ID}"]


def test_a_proxy_elsewhere_does_not_see_what_was_meant_for_this_machine(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://192.0.2.1:9/")
    monkeypatch.setenv("http_proxy", "http://192.0.2.1:9/")
    with FaultyServer(reply()) as server:
        assert Client(KEY, endpoint=server.url, retries=0, timeout=1).get(REFERENCE_ID)


# ---- the key is seen by nobody


def everything_of(error: BaseException | None) -> str:
    """All that a debugger or an error tracker would show of an exception."""
    text = ""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
        text += "".join(shown.format()) + repr(error) + repr(vars(error))
        error = error.__cause__ or error.__context__
    return text


SCRIPTS = {
    "good": [reply()],
    "garbled": [raw(f"HTTP/1.1 200 {KEY}\r\n{KEY}\r\n\r\n".encode())],
    "reset": [raw(then="reset")],
    "stalled": [raw(then="stall")],
    "moved": [reply(b"", 302, Location=f"http://{KEY}@lab.example/{KEY}")],
}


@pytest.mark.slow
@pytest.mark.parametrize("script", SCRIPTS)
def test_the_key_is_nowhere(script, caplog, capsys, tmp_path):
    caplog.set_level(logging.DEBUG, "sims_analysis")
    with FaultyServer(*SCRIPTS[script]) as server:
        client = Client(KEY, endpoint=server.url, archive=tmp_path, timeout=0.2, retries=1)
        shown = [repr(client), str(vars(client))]
        for requested in ("a", ["a", "b"]):
            try:
                client.get(requested)
            except SimsError as error:
                shown += [everything_of(error), str(pickle.dumps(error))]
                if isinstance(error, PartialResultsError):
                    shown += [everything_of(e) for e in error.results]
        assert server.received[0].headers["X-API-KEY"] == KEY
    shown += capsys.readouterr()
    shown.append(caplog.text)
    shown += [file.read_text() for file in tmp_path.rglob("*") if file.is_file()]
    for text in shown:
        assert KEY not in text, text[max(0, text.index(KEY) - 300) : text.index(KEY) + 50]


def test_a_client_is_not_pickled():
    client = Client(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(client)
    with pytest.raises(TypeError):
        pickle.dumps(Secret(KEY))
    assert KEY not in f"{Secret(KEY)!r}{Secret(KEY)}"


# ---- interrupts and progress


@pytest.mark.slow
def test_an_interrupt_leaves_at_once_and_keeps_what_arrived(tmp_path):
    with FaultyServer(*[reply(OF_ANY_ENTRY)] * 3, raw(then="stall")) as server:
        script = (
            "from sims_analysis.api.client import Client\n"
            f"client = Client({KEY!r}, endpoint={server.url!r}, archive={str(tmp_path)!r},"
            " max_connections=2)\n"
            "client.get([f'id-{i}' for i in range(50)])\n"
        )
        process = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE)
        # What stalls is given up after 30 s, which nobody waits for.
        wait_until(lambda: len(server.received) == 5 and len(Archive(tmp_path)) == 3)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=20)
    assert b"KeyboardInterrupt" in stderr
    assert len(Archive(tmp_path).ids()) == 3
    assert Archive(tmp_path).verify() == {}


@pytest.mark.filterwarnings("ignore:the server limits")
def test_an_interrupt_ends_a_wait_for_retry_after(caplog):
    caplog.set_level(logging.INFO, logger="sims_analysis.api")
    with FaultyServer(reply(b"", 429, Retry_After="100")) as server:
        client = Client(KEY, endpoint=server.url, max_connections=2)
        interrupt_when(lambda: "trying again" in caplog.text)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt):
            client.get(["a", "b", "c"])
        wait_until(fetching_has_ended)
        assert time.monotonic() - began < 90
        assert len(server.received) == 1, "nothing more is asked"


def test_an_interrupt_does_not_show_the_key():
    with FaultyServer(raw(then="stall")) as server:
        client = Client(KEY, endpoint=server.url, timeout=400)
        interrupt_when(lambda: server.received)
        began = time.monotonic()
        with pytest.raises(KeyboardInterrupt) as caught:
            client.get("a")
        assert time.monotonic() - began < 300, "the timeout has ended it"
    assert KEY not in everything_of(caught.value)


@pytest.mark.parametrize("failure", [KeyboardInterrupt(), httpx.ConnectError("no"), SystemError()])
def test_frames_that_hold_the_key_are_not_in_a_traceback(failure):
    def answer(request):
        key = request.headers["X-API-KEY"]
        assert key == KEY
        raise failure

    client = Client(KEY, endpoint=ENDPOINT, retries=0, transport=httpx.MockTransport(answer))
    with pytest.raises((KeyboardInterrupt, ConnectionFailed, SystemError)) as caught:
        client.get("a")
    shown = KEY in everything_of(caught.value)
    assert shown == isinstance(failure, SystemError), "a bug must be found where it is"


def test_an_interrupt_of_the_progress_bar_stops_the_fetching(monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(tqdm.std.tqdm, "update", interrupt)
    api = Api(**{f"id-{i}": profiles(f"id-{i}", "B") for i in range(500)})
    with pytest.raises(KeyboardInterrupt) as caught:
        api.client(max_connections=2, progress=True).get(api.bodies)
    wait_until(fetching_has_ended)
    assert len(api.requests) < 500
    assert caught.tb is not None, "the traceback, which is alive, has not kept the threads at work"


def test_an_interrupt_while_threads_are_started_stops_the_fetching(monkeypatch):
    start, started = threading.Thread.start, []

    def interrupted(thread):
        if thread.name == "sims-analysis-fetch":
            started.append(thread)
            if len(started) == 2:
                raise KeyboardInterrupt
        start(thread)

    api = Api(**{f"id-{i}": profiles(f"id-{i}", "B") for i in range(500)})
    monkeypatch.setattr(threading.Thread, "start", interrupted)
    with pytest.raises(KeyboardInterrupt) as caught:
        api.client(max_connections=2).get(api.bodies)
    wait_until(lambda: not any(thread.is_alive() for thread in started), patience=20)
    assert caught.tb is not None


def test_progress_is_shown_for_many_on_a_terminal_only(capsys, monkeypatch):
    names = [f"id-{i}" for i in range(6)]
    api = Api(**{name: profiles(name, "B") for name in names})
    api.client().get(names)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    api.client().get(names[:2])
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    api.client().get(names)
    out, err = capsys.readouterr()
    assert out == ""
    assert "fetching: 100%" in err
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    api.client(progress=False).get(names)
    assert capsys.readouterr() == ("", "")


def test_many_are_fetched_at_a_time():
    at_once = threading.Semaphore(0)
    most = 0
    running = 0
    lock = threading.Lock()

    def answer(request):
        nonlocal most, running
        with lock:
            running += 1
            most = max(most, running)
            if most == 4:
                at_once.release(100)
        if not request.url.path.endswith(("/first", "/id-0")):
            at_once.acquire(timeout=5)
        with lock:
            running -= 1
        return httpx.Response(200, content=OF_ANY_ENTRY)

    client = Client(
        KEY,
        endpoint=ENDPOINT,
        max_connections=4,
        transport=httpx.MockTransport(answer),
    )
    client.get(["first"])  # one request alone shows that there is a server
    client.get([f"id-{i}" for i in range(12)])
    assert most == 4


def test_threads_of_the_caller_share_the_connections():
    def answer(connection, stop):
        time.sleep(0.02)
        return reply(OF_ANY_ENTRY)(connection, stop)

    with FaultyServer(answer) as server:
        client = Client(KEY, endpoint=server.url, max_connections=2)
        with ThreadPoolExecutor(6) as pool:
            found = [*pool.map(client.get, [f"id-{i}" for i in range(18)])]
    assert len(found) == len(server.received) == 18
    assert server.connections <= 2


@pytest.mark.parametrize(
    "options",
    [{"api_key": b"k3y"}, {"endpoint": 5}, {"endpoint": "https://lab example/"}, {"archive": ""}],
)
def test_an_argument_of_the_wrong_kind_is_refused_at_once(options):
    with pytest.raises(SimsError):
        Client(**{"api_key": KEY} | options)


@pytest.mark.parametrize("host", ["lab..example", "a" * 70 + ".example"])
def test_a_host_that_can_have_no_name_is_an_error_without_the_key(host):
    with raises(ApiError, data_id="a") as caught:
        Client(KEY, endpoint=f"https://{host}/", retries=0, timeout=1).get("a")
    assert KEY not in everything_of(caught.value)
