"""The key comes back from a server in any letter case, and reaches nobody."""

from __future__ import annotations

import json
import logging
import traceback

import pytest
from error_parts import raises, warns
from faulty_server import REFERENCE, REFERENCE_ID, FaultyServer, head, raw, reply

from sims_analysis.api.client import Client
from sims_analysis.api.secret import Secret
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ApiError, PayloadError, SimsError, SimsWarning, StatusError

KEY = "K3y-that~Nobody_may=See0123456789"
HIDDEN = "not shown: it contains the API key"

SPELLINGS = {
    "plain": KEY,
    "upper case": KEY.upper(),
    "lower case": KEY.lower(),
}


def parts(key=KEY, size=9):
    """What must not be seen of a key: any nine characters of it in a row."""
    return [key[i : i + size].lower() for i in range(len(key) - size + 1)]


def shows(text):
    return any(part in text.lower() for part in parts())


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_text_that_holds_the_key_is_not_shown(spelling):
    secret = Secret(KEY)
    for text in (SPELLINGS[spelling], f"the key {SPELLINGS[spelling]} was refused"):
        assert HIDDEN in secret.shown(text)
    assert secret.shown("no such entry: d290f1ee") == "no such entry: d290f1ee"


def everything(client, requested, caplog):
    """All that can be seen of a request that failed."""
    caplog.set_level(logging.DEBUG)
    with pytest.raises(SimsError) as caught:
        client.get(requested)
    error = caught.value
    shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    seen = "".join(shown.format()) + repr(error) + repr(vars(error)) + caplog.text
    if isinstance(error, StatusError):
        seen += error.url + error.body
    return seen


@pytest.mark.few(8)
@pytest.mark.few(4)
@pytest.mark.parametrize("spelling", SPELLINGS)
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
def test_an_echo_in_a_body_is_seen_nowhere(spelling, status, caplog, tmp_path):
    echo = SPELLINGS[spelling]
    body = json.dumps({"detail": echo}).encode() if status != 200 else f'["{echo}"]'.encode()
    with FaultyServer(reply(body, status)) as server:
        client = Client(KEY, endpoint=server.url, retries=0, archive=tmp_path)
        seen = everything(client, REFERENCE_ID, caplog)
        assert server.received[0].headers["X-API-KEY"] == KEY
    assert echo not in seen
    assert not shows(seen)


@pytest.mark.parametrize("kept", [1985, 1991, 1999, 2000])
def test_a_key_at_the_end_of_a_kept_body(kept, caplog):
    with FaultyServer(reply(b"x" * kept + KEY.encode(), 500)) as server:
        seen = everything(Client(KEY, endpoint=server.url, retries=0), REFERENCE_ID, caplog)
    assert not any(KEY[:n] in seen for n in range(5, len(KEY)))


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_an_echo_in_a_redirect_is_seen_nowhere(spelling, caplog):
    place = SPELLINGS[spelling]
    for target in (f"/x?k={place}", f"/{place}", f"http://{place}.example/", f"http://{place}@x/"):
        script = [reply(b"", 302, Location=target), reply(b"no", 404)]
        with FaultyServer(*script) as server:
            seen = everything(Client(KEY, endpoint=server.url), REFERENCE_ID, caplog)
        assert place.lower() not in seen.lower()
        assert not shows(seen)


@pytest.mark.parametrize("name", ["X-Echo", "ETag", "Last-Modified", "Set-Cookie", "Content-Type"])
def test_an_echo_in_a_header_is_neither_kept_nor_logged(name, caplog, tmp_path):
    caplog.set_level(logging.DEBUG)
    answer = head(len(REFERENCE)).replace(b"\r\n\r\n", f"\r\n{name}: {KEY}\r\n\r\n".encode())
    with FaultyServer(raw(answer + REFERENCE)) as server:
        client = Client(KEY, endpoint=server.url, archive=tmp_path)
        client.get(REFERENCE_ID)
    assert not shows(caplog.text)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or not shows(file.read_text())


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_good_answer_that_holds_the_key_is_not_archived(spelling, tmp_path):
    note = f'{{"note": "{SPELLINGS[spelling]}"}}'
    with FaultyServer(reply(REFERENCE.replace(b"{}", note.encode()))) as server:
        client = Client(KEY, endpoint=server.url, archive=tmp_path)
        with raises(PayloadError, "exposed_key", data_id=REFERENCE_ID, path="$"):
            client.get(REFERENCE_ID)
        with raises(PayloadError, "exposed_key", path="$"):
            client.search()
    assert not list(tmp_path.rglob("payload.json"))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://user:s3cr3t@lab.example:port/",
        "https//user:s3cr3t@lab.example/",
        "user:s3cr3t@lab.example",
        "https://user:s3cr3t/",
        "https://lab .example/?api_key=s3cr3t",
        "lab.example/?api_key=s3cr3t",
        "ftp://user:s3cr3t@lab.example/",
        "https://user:s3cr3t@[lab.example/",
        "s3cr3t",
    ],
)
def test_credentials_in_a_malformed_endpoint_are_not_quoted(endpoint, monkeypatch):
    for ask in (lambda: Client(KEY, endpoint=endpoint), lambda: Client(KEY)):
        monkeypatch.setenv("AS_API_ENDPOINT", endpoint)
        with pytest.raises(ApiError) as caught:
            ask()
        assert "s3cr3t" not in str(caught.value)


def test_credentials_of_a_proxy_are_not_quoted(monkeypatch):
    for proxy in ("http://user:s3cr3t@[proxy/", "gopher://user:s3cr3t@proxy/"):
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy)
        with pytest.raises(SimsError) as caught:
            Client(KEY, endpoint="https://lab.example/", retries=0, timeout=1).get("a")
        assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("key", ["Si", "test", "atoms/cm^3", "k" * 15])
def test_a_short_key_is_a_word_that_answers_may_hold(key):
    body = REFERENCE.replace(b"sims_001", key.encode())
    with FaultyServer(reply(body), reply(body.replace(b"{}", b"}"), 500)) as server:
        with warns(SimsWarning, "weak_key", argument="api_key") as caught:
            client = Client(key, endpoint=server.url, retries=0)
        (result,) = client.get(REFERENCE_ID)
        with raises(StatusError, data_id=REFERENCE_ID):
            client.get(REFERENCE_ID)
    assert len(caught) == 1
    assert caught[0].filename == __file__
    assert result.depth_profiles[0].id == key
    assert server.received[0].headers["X-API-KEY"] == key


def test_from_sixteen_characters_on_a_key_is_looked_for():
    key = "abcdefgh-1234567"
    body = REFERENCE.replace(b"sims_001", key.encode())
    with (
        FaultyServer(reply(body)) as server,
        raises(PayloadError, "exposed_key", data_id=REFERENCE_ID, path="$"),
    ):
        Client(key, endpoint=server.url).get(REFERENCE_ID)


def test_names_and_units_are_shown_in_a_repr_without_what_a_terminal_obeys():
    wire = json.loads(REFERENCE)[0] | dict.fromkeys(
        ["species_name", "depth_units", "concentration_units"], "\x1b[2J\u202e"
    )
    result = SIMSResult.from_json(json.dumps([wire]))
    assert repr(result) == f"<SIMSResult {result.data_id!r}: \\x1b[2J\\u202e>"
    assert repr(result.depth_profiles[0]).count("\\x1b[2J\\u202e") == 3
