"""What becomes of each answer and failure of HTTP, in full words; no network."""

import gzip
import ssl

import httpx
import pytest
from error_parts import raises, warns
from faulty_server import KEY, OF_ANY_ENTRY

import sims_analysis as sims
from sims_analysis.api import http
from sims_analysis.api.client import Client
from sims_analysis.errors import (
    ApiError,
    NotFound,
    PartialResultsError,
    RateLimited,
    SimsWarning,
    StatusError,
    Unauthorized,
)

URL = "https://lab.example/sims/w1"
WHERE = f"({URL})"
NAME = "data entry 'w1'"


def client(answer, *, key=KEY, endpoint="https://lab.example/", **more):
    def answered(request):
        made = answer(request) if callable(answer) else answer
        if isinstance(made, Exception):
            raise made
        return made

    transport = httpx.MockTransport(answered)
    return Client(key, endpoint=endpoint, transport=transport, **{"retries": 0, **more})


def refused(answer, **more):
    (error,) = client(answer, **more).get("w1", errors="collect")
    return error


def without_address(error):
    """The text of an error; the address follows what went wrong."""
    assert error.message.endswith(f" {WHERE}")
    return str(error).replace(f" {WHERE}", "")


BUNDLE = "; pass ca_bundle= if it is signed by a private authority"
CHECK = "; check the network and the endpoint"
REPEATS = (
    "the response contains the API key; it is neither shown nor kept; tell those who run the server"
)
REFUSED = "; the key is not accepted here; pass api_key= or set AS_API_KEY"
LOOK = "; look for what there is with client.search()"


@pytest.mark.parametrize(
    ("status", "kind", "advice"),
    [
        (400, StatusError, ""),
        (401, Unauthorized, REFUSED),
        (403, Unauthorized, f"{REFUSED}, or leave out what it may not see"),
        (404, NotFound, LOOK),
        (422, NotFound, LOOK),
        (429, RateLimited, "; ask less often, or with a smaller max_connections="),
        (500, StatusError, ""),
        (503, StatusError, ""),
    ],
)
def test_a_status_says_what_happened_and_what_to_do(status, kind, advice):
    answer = httpx.Response(status, content=b'{"detail":\n  "no\x1b such"}')
    error = refused(answer)
    phrase = httpx.codes.get_reason_phrase(status)
    says = ', which says \'{"detail": "no\\x1b such"}\''
    assert type(error) is kind
    assert str(error) == f"{NAME}: HTTP {status} {phrase} from {URL}{says}{advice}"
    assert (error.status_code, error.url) == (status, URL)
    assert error.body == '{"detail":\n  "no\x1b such"}'


def test_without_a_key_none_was_sent():
    error = refused(httpx.Response(401), key="")
    assert str(error).endswith("; no key was sent; pass api_key= or set AS_API_KEY")
    assert ", which says" not in str(error)


def test_of_a_page_or_a_long_answer_little_is_shown():
    page = httpx.Response(500, html="<p>busy</p>")
    assert str(refused(page)) == f"{NAME}: HTTP 500 Internal Server Error from {URL}"
    long = refused(httpx.Response(500, content=iter([b"x" * 100] * 30)))
    assert str(long).endswith(f", which says '{'x' * 200}'")
    assert long.body == "x" * 2000


@pytest.mark.parametrize(("header", "seconds"), [("500", 500.0), (None, None), ("soon", None)])
def test_the_pause_that_a_server_requests_is_in_the_error(header, seconds):
    headers = {} if header is None else {"Retry-After": header}
    assert refused(httpx.Response(429, headers=headers)).retry_after == seconds


def test_no_request_is_sent_during_a_pause_of_the_server():
    requested = []

    def answer(request):
        requested.append(request)
        return httpx.Response(503, headers={"Retry-After": "500"})

    with client(answer) as tired:
        tired.get("w1", errors="collect")
        (error,) = tired.get("w1", errors="collect")
    assert type(error) is RateLimited
    assert str(error) == (f"{NAME}: the server asks for a pause of 500 s; try again then {WHERE}")
    assert 499 < error.retry_after <= 500
    assert len(requested) == 1


@pytest.mark.parametrize(
    "error",
    [
        httpx.ReadTimeout("x"),
        httpx.WriteTimeout("x"),
        httpx.ConnectTimeout(""),
        httpx.ConnectError("refused"),
        httpx.RemoteProtocolError(""),
        httpx.ProxyError("no proxy"),
        httpx.ConnectError("CERTIFICATE_VERIFY_FAILED: s"),
        httpx.UnsupportedProtocol("a secret"),
        httpx.ReadError(f"with {KEY}"),
    ],
    ids=repr,
)
def test_a_failure_says_its_reason_and_what_to_check(error, approved):
    approved(refused(error))


@pytest.mark.parametrize(
    "answer", [{"html": "<p>login</p>"}, *({"content": one} for one in (
        b"x" * 21, f'["{KEY}"]'.encode(), b"{}",
    ))], ids=["a web page", "too large", "with the key", "an object"],
)  # fmt: skip
def test_an_answer_that_is_none_says_why(answer, approved):
    most = 20 if answer.get("content") == b"x" * 21 else 1000
    approved(refused(httpx.Response(200, **answer), max_response_bytes=most))


def test_an_answer_of_just_the_limit_is_read():
    fits = client(httpx.Response(200, content=OF_ANY_ENTRY), max_response_bytes=len(OF_ANY_ENTRY))
    assert fits.get("w1")[0].species == ["Si"]


class Stream(httpx.SyncByteStream):
    """A body that has not been read, as from the network."""

    def __init__(self, content):
        self.content = content

    def __iter__(self):
        yield self.content


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("identity", OF_ANY_ENTRY), ("", OF_ANY_ENTRY), (" IDENTITY ", OF_ANY_ENTRY),
        ("gzip", gzip.compress(OF_ANY_ENTRY)), ("GZIP", gzip.compress(OF_ANY_ENTRY)),
    ],
)  # fmt: skip
def test_a_body_is_as_it_is_or_compressed_by_gzip(encoding, content):
    answer = httpx.Response(200, headers={"Content-Encoding": encoding}, stream=Stream(content))
    assert client(answer).get("w1")[0].species == ["Si"]


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip"])
def test_another_compression_is_refused_by_its_name(encoding):
    answer = httpx.Response(200, headers={"Content-Encoding": encoding}, stream=Stream(b""))
    assert str(refused(answer)) == (
        f"$: {NAME}: gzip was asked for, the response is encoded as '{encoding}' {WHERE}"
    )


def test_a_damaged_body_is_a_broken_connection():
    cut = b"x" + gzip.compress(OF_ANY_ENTRY)
    answer = httpx.Response(200, headers={"Content-Encoding": "gzip"}, stream=Stream(cut))
    assert str(refused(answer)) == f"{NAME}: the compressed response is corrupt {WHERE}"


def test_redirects_are_followed_within_the_origin_and_end():
    requested = []

    def answer(request):
        requested.append(str(request.url))
        return httpx.Response(302, headers={"Location": f"/again/{len(requested)}"})

    assert str(refused(answer)) == f"{NAME}: more than 5 redirects {WHERE}"
    assert requested == [URL, *(f"https://lab.example/again/{i}" for i in range(1, 6))]


@pytest.mark.parametrize(
    ("location", "host"),
    [
        ("https://other.example/x", "other.example"),
        ("https://user:word@other.example:8443/x", "other.example:8443"),
        ("http://lab.example/x", "lab.example"),
        ("http://[oops/", ""),
    ],
)
def test_another_origin_is_named_and_gets_nothing(location, host):
    error = refused(httpx.Response(302, headers={"Location": location}))
    assert str(error) == (
        f"{NAME}: {URL} redirects to another origin, '{host}', which gets neither the key nor a "
        "request; if that is the API, set endpoint= to it"
    )


@pytest.mark.parametrize(
    ("endpoint", "compressed"),
    [("https://lab.example/", "gzip"), ("http://localhost:8000/", "identity")],
)
def test_headers_of_a_request(endpoint, compressed):
    sent = []

    def answer(request):
        sent.append(request)
        return httpx.Response(200, content=OF_ANY_ENTRY)

    client(answer, endpoint=endpoint).get("w1")
    client(answer, endpoint=endpoint, key="").get("w1")
    for request, key in zip(sent, (KEY, None), strict=True):
        assert (request.method, str(request.url)) == ("GET", f"{endpoint}sims/w1")
        assert request.headers["Accept"] == "application/json"
        assert request.headers["Accept-Encoding"] == compressed
        assert request.headers["User-Agent"] == f"sims-analysis/{sims.__version__}"
        assert request.headers.get("X-API-KEY") == key


@pytest.mark.parametrize(("timeout", "connect"), [(30.0, 5.0), (2.0, 2.0)])
def test_connecting_takes_five_seconds_at_most(timeout, connect):
    sent = []

    def answer(request):
        sent.append(request.extensions["timeout"])
        return httpx.Response(200, content=OF_ANY_ENTRY)

    client(answer, timeout=timeout).get("w1")
    assert sent == [{"connect": connect, "read": timeout, "write": timeout, "pool": None}]


def test_certificates_are_those_of_the_bundle(tmp_path):
    path = tmp_path / "ca.pem"
    with raises(ApiError, argument="ca_bundle"):
        http.trusted_certificates(path)
    path.write_text("none")
    with raises(ApiError, argument="ca_bundle"):
        http.trusted_certificates(path)
    assert isinstance(http.trusted_certificates(tmp_path), ssl.SSLContext)
    assert http.trusted_certificates(tmp_path).get_ca_certs() == []


def test_an_unusable_proxy_is_reported_without_its_password(monkeypatch):
    monkeypatch.setenv("https_proxy", "http://user:s3cret@p:port")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with raises(ApiError, "unusable_proxy", data_id="w1"):
        Client(KEY, endpoint="https://lab.example/", retries=0).get("w1")


# ---- what a client is made with


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("timeout", 0.001), ("deadline", 0.001), ("retries", 0), ("max_connections", 1),
        ("max_response_bytes", 1),
    ],
)  # fmt: skip
def test_a_number_has_a_least_value(name, least, approved):
    wrong = [least - 1, float("nan"), float("inf"), True, "7", None]
    for value in [*wrong, *([7.5] if isinstance(least, int) else [])]:
        with raises(ApiError, argument=name):
            Client(KEY, **{name: value})
    Client(KEY, **{name: least}).close()
    with raises(ApiError, argument=name, text=approved):
        Client(KEY, **{name: "x" * 99})


def test_what_a_client_cannot_do_is_refused(tmp_path, approved):
    wrong = ({"api_key": key} for key in (7, "a b", "two\nlines", "ключ", "a\0b"))
    for given in ({"offline": True}, *wrong):
        with raises(ApiError, text=approved):
            Client(**{"api_key": KEY, **given})
    with raises(ApiError, argument="errors", text=approved):
        Client(KEY).get("w1", errors="ignore")
    offline = Client(KEY, archive=tmp_path, offline=True)
    with raises(ApiError, "conflicting_arguments", argument="refresh"):
        offline.get("w1", refresh=True)


def test_a_short_key_is_warned_of(approved):
    for length in (1, 15):
        with warns(SimsWarning, "weak_key", text=approved):
            Client("k" * length)
    Client("k" * 16)
    assert Client("").offline is False


def test_a_client_shows_its_endpoint_and_archive_and_no_key(tmp_path):
    endpoint = "https://lab.example/v1/"
    assert repr(Client(KEY, endpoint=endpoint)) == f"Client({endpoint!r})"
    kept = Client(KEY, endpoint=endpoint, archive=tmp_path)
    assert repr(kept) == f"Client({endpoint!r}, archive={str(tmp_path)!r})"
    assert repr(kept.archive) == f"Archive({str(tmp_path)!r})"
    offline = Client(endpoint=endpoint, archive=tmp_path, offline=True)
    assert repr(offline) == f"Client({endpoint!r}, archive={str(tmp_path)!r}, offline)"


@pytest.mark.parametrize("after", [1, 5])
def test_a_client_that_is_closed_meanwhile_says_so(after):
    arriving = client(httpx.Response(200, content=OF_ANY_ENTRY), max_connections=2)
    names = [f"w{i}" for i in range(40)]
    results = arriving.iter(names)
    for _ in range(after):
        next(results)
    arriving.close()
    with pytest.raises(PartialResultsError) as caught:
        list(results)
    assert {type(error) for error in caught.value.results} == {ApiError}
    assert all("closed" in str(error) for error in caught.value.results)


def test_a_client_that_is_closed_while_an_answer_arrives_says_so():
    class Stops(httpx.SyncByteStream):
        def __iter__(self):
            asking.close()
            raise RuntimeError("the connection is gone")
            yield b""

    asking = client(httpx.Response(200, stream=Stops()), retries=3)
    with raises(ApiError, "closed", data_id="w1"):
        asking.get("w1")


@pytest.mark.parametrize(
    ("first", "kind"), [(401, Unauthorized), (404, NotFound), (500, StatusError)]
)
def test_what_all_met_is_raised_as_it_is(first, kind, approved):
    asking = client(httpx.Response(first))
    for ask in (asking.get, lambda ids: list(asking.iter(ids))):
        with raises(kind, kind.code, data_id="w1", text=approved) as caught:
            ask(["w1", "w2", "w3"])
        assert caught.value.status_code == first


def test_what_failed_for_several_reasons_is_listed(approved):
    def answer(request):
        return httpx.Response(404 if request.url.path.endswith("w1") else 500)

    with raises(PartialResultsError, text=approved):
        client(answer).get(["w1", "w2", "w3"])


def test_blanks_around_an_id_are_no_part_of_it():
    requested = []

    def answer(request):
        requested.append(request.url.path)
        return httpx.Response(200, content=OF_ANY_ENTRY)

    results = client(answer).get(["w1\n", " w1", "w2\r\n"])
    assert [result.data_id for result in results] == ["w1", "w1", "w2"]
    assert sorted(requested) == ["/sims/w1", "/sims/w2"]
