"""Every way in which a server can misbehave, over real sockets, and what comes of it."""

from __future__ import annotations

import gzip
import json
import time
import tracemalloc
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from error_parts import raises
from faulty_server import (
    KEY,
    REFERENCE,
    REFERENCE_ID,
    Action,
    FaultyServer,
    bomb,
    head,
    raw,
    reply,
)

from sims_analysis.api import retries
from sims_analysis.api.client import Client
from sims_analysis.errors import (
    ApiError,
    ConnectionFailed,
    PayloadError,
    RequestTimeout,
    SimsError,
    StatusError,
)

LIMIT = 100_000
OK = "retried, then the profiles"


def text(old: str, new: str) -> bytes:
    return REFERENCE.replace(old.encode(), new.encode())


SOON = format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True)
LATE = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)

#: What the server does (again and again, or once and then well), and what comes of it.
FAULTS: dict[str, tuple[list[Action], object]] = {
    "closes without an answer, once": ([raw(), reply()], OK),
    "closes without an answer": ([raw()], ConnectionFailed),
    "resets before the answer, once": ([raw(then="reset"), reply()], OK),
    "resets in the header": ([raw(b"HTTP/1.1 200 O", then="reset")], ConnectionFailed),
    "resets in the body, once": ([raw(head(900), REFERENCE[:50], then="reset"), reply()], OK),
    "resets in the body": ([raw(head(900), REFERENCE[:50], then="reset")], ConnectionFailed),
    "stalls before the answer, once": ([raw(then="stall"), reply()], OK),
    "stalls before the answer": ([raw(then="stall")], RequestTimeout),
    "stalls in the header": ([raw(b"HTTP/1.1 200 OK\r\nA: ", then="stall")], RequestTimeout),
    "stalls in the body, once": ([raw(head(900), REFERENCE[:50], then="stall"), reply()], OK),
    "stalls in the body": ([raw(head(900), REFERENCE[:50], then="stall")], RequestTimeout),
    "drips a byte at a time": (
        [raw(head(900), *[b" "] * 100, pause=0.05, then="close")],
        RequestTimeout,
    ),
    "begins fast, then drips": (
        [raw(head(90_000), b"[" + b" " * 50_000, *[b" "] * 100, pause=0.05)],
        RequestTimeout,
    ),
    "truncates the body, once": ([reply(length=len(REFERENCE) + 5), reply()], OK),
    "truncates the body": ([reply(length=len(REFERENCE) + 5)], ConnectionFailed),
    # What is left on the connection garbles the next answer, or the server has hung up by then.
    "states too short a length": ([reply(length=20)], (PayloadError, ConnectionFailed)),
    "states too short a length, once": ([reply(length=20), reply()], OK),
    "states no length and cuts off": (
        [raw(b"HTTP/1.1 200 OK\r\n\r\n" + REFERENCE[:100])],
        PayloadError,
    ),
    "states a length that is not a number": (
        [raw(b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n" + REFERENCE)],
        ConnectionFailed,
    ),
    "is truncated a chunked body": (
        [raw(b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[{"a')],
        ConnectionFailed,
    ),
    "speaks no HTTP": ([raw(b"220 mail.example ESMTP\r\n")], ConnectionFailed),
    "429 with Retry-After as a date": ([reply(b"{}", 429, Retry_After=SOON), reply()], OK),
    "429 with Retry-After nonsense": ([reply(b"{}", 429, Retry_After="soon"), reply()], OK),
    "503, once": ([reply(b"{}", 503), reply()], OK),
    "503 with Retry-After in an hour": (
        [reply(b"{}", 503, Retry_After=LATE), reply()],
        StatusError,
    ),
    "204 without a body": ([raw(b"HTTP/1.1 204 No\r\n\r\n"), reply()], StatusError),
    "an empty body with 200, once": ([reply(b""), reply()], OK),
    "broken JSON, once": ([reply(REFERENCE[:-3]), reply()], OK),
    "Latin-1 that says so": (
        [reply(text("/cm^3", "/cm³").replace(b"\xc2\xb3", b"\xb3"), content_type="x; charset=l1")],
        PayloadError,
    ),
    "a body that is too large": (
        [raw(b"HTTP/1.1 200 OK\r\n\r\n" + b"[" + b" " * 2 * LIMIT, then="stall")],
        PayloadError,
    ),
    "a body that is a little too large": (
        [raw(b"HTTP/1.1 200 OK\r\n\r\n" + REFERENCE + b" " * LIMIT)],
        PayloadError,
    ),
    "a gzip bomb": ([reply(bomb(30 * 2**20), Content_Encoding="gzip")], PayloadError),
    "a gzip bomb in a gzip bomb": (
        [reply(bomb(30 * 2**20, layers=2), Content_Encoding="gzip, gzip")],
        PayloadError,
    ),
    "gzip, cut off": (
        [reply(gzip.compress(REFERENCE)[:-60], Content_Encoding="gzip")],
        PayloadError,
    ),
    "gzip that is none, once": ([reply(Content_Encoding="gzip"), reply()], OK),
    "an encoding that was not asked for": ([reply(Content_Encoding="br"), reply()], PayloadError),
    "redirects in a circle": ([reply(b"", 302, Location="/sims/again")], ApiError),
    "redirects to another host": (
        [reply(b"", 302, Location="http://127.0.0.2:9/sims/x"), reply()],
        ApiError,
    ),
    "redirects within the origin": ([reply(b"", 307, Location="/moved"), reply()], OK),
}


@pytest.fixture(autouse=True)
def no_patience(monkeypatch):
    monkeypatch.setattr(retries, "PAUSES", (0.0, 0.0))


def run(script: list[Action]) -> tuple[object, float, FaultyServer]:
    with (
        FaultyServer(*script) as server,
        Client(
            KEY, endpoint=server.url, timeout=0.3, deadline=1.5, retries=2, max_response_bytes=LIMIT
        ) as client,
    ):
        began = time.monotonic()
        (outcome,) = client.get(REFERENCE_ID, errors="collect")
        return outcome, time.monotonic() - began, server


@pytest.mark.few(4)
@pytest.mark.filterwarnings("ignore:.*retried")
@pytest.mark.parametrize("fault", FAULTS)
def test_fault(fault):
    script, expected = FAULTS[fault]
    outcome, seconds, server = run(script)
    if expected == OK:
        assert not isinstance(outcome, SimsError), outcome
        assert json.loads(outcome.to_json()) == json.loads(REFERENCE)
        assert len(server.received) in {2, 3}
    else:
        assert type(outcome) in (expected if isinstance(expected, tuple) else (expected,))
        assert REFERENCE_ID in str(outcome)
        assert server.url in str(outcome)
    assert seconds < 60, "a deadline of 1.5 s"
    assert KEY not in str(outcome)


def test_refused_connection_is_tried_again_and_named():
    with FaultyServer(reply()) as server:
        pass
    client = Client(KEY, endpoint=server.url, retries=1)
    with raises(ConnectionFailed, data_id=REFERENCE_ID):
        client.get(REFERENCE_ID)


@pytest.mark.filterwarnings("ignore:.*retried")
@pytest.mark.parametrize("retries", [0, 1, 3])
def test_a_failure_is_retried_as_often_as_stated(retries):
    with FaultyServer(reply(b"", 503)) as server:
        client = Client(KEY, endpoint=server.url, retries=retries)
        with raises(StatusError, data_id=REFERENCE_ID):
            client.get(REFERENCE_ID)
        assert len(server.received) == 1 + retries


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 422, 501])
def test_a_refusal_is_not_tried_again(status):
    with FaultyServer(reply(b"", status)) as server:
        with pytest.raises(StatusError) as caught:
            Client(KEY, endpoint=server.url).get(REFERENCE_ID)
        assert len(server.received) == 1
        assert caught.value.status_code == status


@pytest.mark.filterwarnings("ignore:.*retried")
def test_what_a_terminal_would_obey_is_spelled_out():
    outcome, _, _ = run(
        [raw(b"HTTP/1.1 500 \x1b[2J\r\nConnection: close\r\nContent-Length: 5\r\n\r\n\x1b[31m")]
    )
    assert "\\x1b[2J" in str(outcome)
    assert "\x1b" not in str(outcome)


def test_the_key_stays_at_its_origin():
    with FaultyServer(reply()) as other:
        with FaultyServer(reply(b"", 302, Location=f"{other.url}sims/x")) as server:
            with raises(ApiError, "redirected", argument="endpoint", data_id=REFERENCE_ID):
                Client(KEY, endpoint=server.url).get(REFERENCE_ID)
            assert server.received[0].headers["X-API-KEY"] == KEY
        assert other.received == []


@pytest.mark.slow
def test_a_bomb_takes_as_much_memory_as_a_piece_of_it():
    script = [reply(bomb(300 * 2**20), Content_Encoding="gzip")]
    tracemalloc.start()
    try:
        outcome, _, _ = run(script)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert isinstance(outcome, PayloadError)
    assert peak < 150 * 2**20
