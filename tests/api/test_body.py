"""Bodies piece by piece: limits, compression, and who does not wait any more."""

from __future__ import annotations

import gzip
import threading
import zlib

import pytest
from faulty_server import KEY, FaultyServer, bomb, reply
from hypothesis import given
from hypothesis import strategies as st
from waiting import interrupt_when

from sims_analysis.api import body, http
from sims_analysis.api.body import DamagedBody, beginning, inflated, limited
from sims_analysis.api.client import Client
from sims_analysis.errors import PayloadError, RequestTimeout


def nobody():
    """Check nothing."""


def cut(content, size):
    return [content[i : i + size] for i in range(0, len(content), size)]


@given(st.binary(max_size=500), st.integers(1, 50), st.integers(1, 600))
def test_what_was_compressed_comes_back(content, size, at_once):
    body._AT_ONCE, kept = at_once, body._AT_ONCE
    try:
        pieces = cut(gzip.compress(content), size)
        assert b"".join(inflated(pieces, nobody)) == content
    finally:
        body._AT_ONCE = kept


@pytest.mark.parametrize("size", [2**18 - 1, 2**18, 2**18 + 1, 3 * 2**18])
def test_what_fills_the_steps_exactly_comes_back(size):
    pieces = list(inflated([gzip.compress(bytes(size))], nobody))
    assert b"".join(pieces) == bytes(size)
    assert max(map(len, pieces)) <= 2**18


WHOLE = gzip.compress(b"[]")
DAMAGED = {
    "cut off": WHOLE[:-1],
    "followed by something": WHOLE + b"x",
    "twice": WHOLE * 2,
    "plain": b"[]",
    "empty": b"",
    "without its check sum": WHOLE[:-8] + bytes(8),
    "another kind": zlib.compress(b"[]"),
}


@pytest.mark.parametrize("how", DAMAGED)
def test_what_is_damaged_is_noticed(how):
    for size in (1, 100):
        with pytest.raises(DamagedBody):
            list(inflated(cut(DAMAGED[how], size), nobody))


@pytest.mark.slow
def test_decompression_is_left_as_soon_as_nobody_waits():
    steps = []

    def check():
        steps.append(1)
        if len(steps) == 5:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        list(inflated([bomb(100 * 2**20)], check))
    assert len(steps) == 5


@pytest.mark.slow
def test_a_bomb_is_given_up_at_the_deadline(monkeypatch):
    """What would take minutes here, a millisecond at a time."""
    exploded = threading.Event()

    def endless(pieces, check):
        for _ in range(60_000):
            check()
            exploded.wait(0.001)
            yield b" "
        exploded.set()

    monkeypatch.setattr(http, "inflated", endless)
    with FaultyServer(reply(bomb(1), Content_Encoding="gzip")) as server:
        client = Client(KEY, endpoint=server.url, deadline=0.3)
        with pytest.raises(RequestTimeout, match="deadline="):
            client.get("a")
        assert not exploded.is_set()
        interrupt_when(lambda: len(server.received) > 1)
        with pytest.raises(KeyboardInterrupt):
            Client(KEY, endpoint=server.url).get("a")
        assert not exploded.is_set()


def test_a_limit_is_exact():
    assert list(limited([b"ab", b"c"], 3)) == [b"ab", b"c"]
    with pytest.raises(PayloadError, match="max_response_bytes=2"):
        list(limited([b"ab", b"c"], 2))


def test_a_limit_holds_before_the_body_has_ended():
    def endless():
        while True:
            yield b"x" * 100

    with pytest.raises(PayloadError, match="larger"):
        list(limited(endless(), 1000))


def test_fragments_are_counted():
    many = 1 << 16
    assert sum(1 for _ in limited([b"x"] * many, 10**9)) == many
    with pytest.raises(PayloadError, match="fragments"):
        list(limited([b"x"] * (many + 1), 10**9))
    assert sum(1 for _ in limited([b"x" * 16] * (many + 1), 10**9)) == many + 1


def test_the_beginning_takes_no_more_than_it_needs():
    taken = iter([b"ab", b"cd", b"ef"])
    assert beginning(taken, 3) == b"abc"
    assert list(taken) == [b"ef"]
    assert beginning([b"a"], 3) == b"a"
