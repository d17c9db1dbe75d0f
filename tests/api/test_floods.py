"""Servers that answer without end, or with what grows: everything ends, in bounded memory."""

from __future__ import annotations

import contextlib
import gzip
import json
import subprocess
import sys
import time
import tracemalloc

import pytest
from error_parts import raises
from faulty_server import KEY, OF_ANY_ENTRY, REFERENCE, REFERENCE_ID, FaultyServer, head, raw, reply

from sims_analysis.api.client import Client
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import PayloadError, RequestTimeout, collected
from sims_analysis.profiles.strict_json import decode


def chunked(*pieces: bytes) -> bytes:
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

DRIPS = {
    "a slow body": [head(10**6), b"["],
    "a slow body of an error": [head(1000).replace(b"200 OK", b"404 No"), b"{"],
}


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize("kind", DRIPS)
def test_what_never_ends_is_given_up_at_the_deadline(kind):
    """Each piece comes well within the timeout, so that only the deadline can end it."""
    first = DRIPS[kind]
    script = raw(*first, *[first[-1] if len(first) == 1 else b" "] * 4000, pause=0.05)
    with FaultyServer(script) as server:
        client = Client(KEY, endpoint=server.url, timeout=5, deadline=0.6)
        began = time.monotonic()
        with raises(RequestTimeout, argument="deadline", code="timeout", data_id=REFERENCE_ID):
            client.get(REFERENCE_ID)
        assert time.monotonic() - began < 60, "and not after the 200 s that all pieces take"


@pytest.mark.slow
def test_numbers_beyond_all_measurements_are_refused_before_they_are_decoded():
    decode(b"[" + b"1," * 10_000_000 + b"1]")  # 50 species of 10^5 points
    with raises(PayloadError, "too_large", argument="max_bytes", path="$"):
        decode(b"[" + b"1," * 20_000_001 + b"1]")


@pytest.mark.slow
def test_the_deadline_holds_for_all_attempts_together():
    with FaultyServer(raw(then="stall")) as server:
        client = Client(KEY, endpoint=server.url, timeout=0.3, deadline=1.0, retries=1000)
        # A second retry is warned of, if there is time for one.
        with collected(), pytest.raises(RequestTimeout):
            client.get(REFERENCE_ID)
        assert 1 < len(server.received) < 100


@pytest.mark.slow
def test_many_pieces_of_a_fair_size_are_taken():
    profile = json.loads(REFERENCE)[0]
    profile |= {"depths": [*range(50_000)], "concentrations": [1.5e18] * 50_000}
    text = json.dumps([profile]).encode()
    pieces = [text[i : i + 30] for i in range(0, len(text), 30)]
    with FaultyServer(raw(CHUNKED + chunked(*pieces) + b"0\r\n\r\n")) as server:
        (result,) = Client(KEY, endpoint=server.url).get(REFERENCE_ID)
    assert result.depth_profiles[0].depths.size == 50_000


GROWING = {
    "arrays": b"[" + b"[]," * 2_000_000 + b"[]]",
    "objects": b"[" + b"{}," * 2_000_000 + b"{}]",
    "both, nested": b"[" + b'{"a":[]},' * 700_000 + b"{}]",
    "in the metadata": REFERENCE.replace(b"{}", b'{"a": [' + b"[]," * 2_000_000 + b"[]]}"),
    "texts": b"[" + b'"a",' * 10_000_000 + b'""]',
}


@pytest.mark.few(1)
@pytest.mark.parametrize("kind", GROWING)
def test_json_that_grows_is_refused_before_it_does(kind):
    body = gzip.compress(GROWING[kind], 1)
    with FaultyServer(reply(body, Content_Encoding="gzip")) as server:
        client = Client(KEY, endpoint=server.url)
        tracemalloc.start()
        try:
            with raises(
                PayloadError, "too_large", argument="max_bytes", data_id=REFERENCE_ID, path="$"
            ):
                client.get(REFERENCE_ID)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert len(server.received) == 1, "it gets no better"
    # The first request imports what it takes, 2 MB.
    assert peak < 4 * len(GROWING[kind]) + 2**23


def test_numbers_of_many_digits_are_an_error_of_the_payload():
    """Python itself refuses to read an integer of so many digits."""
    body = REFERENCE.replace(b"{}", b'{"\\u003a": 0, "n": ' + b"1" * 5000 + b"}")
    with contextlib.suppress(PayloadError):
        SIMSResult.from_json(body)


def test_one_entry_that_floods_leaves_the_others_whole():
    flood = reply(gzip.compress(GROWING["arrays"], 1), Content_Encoding="gzip")
    with FaultyServer(flood, reply(OF_ANY_ENTRY)) as server:
        client = Client(KEY, endpoint=server.url)
        results = client.get(["a", "b", "c"], errors="collect")
    assert sorted(type(r).__name__ for r in results) == ["PayloadError"] + ["SIMSResult"] * 2


@pytest.mark.few(0, 2)
@pytest.mark.parametrize(
    "unit",
    [
        "cm^9^9^9^9",
        "cm9^9^9",
        "cm**9**9",
        "(((cm^9)^99)^99)^99",
        "atoms/cm^" + "9" * 9,
        "atoms/cm^" + "9" * 100_000,
        "(" * 100_000 + "nm",
        "nm " * 100_000,
    ],
    ids=lambda unit: unit[:20],
)
def test_a_unit_that_would_take_for_ever_is_refused_at_once(unit):
    # In a process of its own, which can be ended.
    script = "import sys; from sims_analysis.units import read_unit; read_unit(sys.stdin.read())"
    command = [sys.executable, "-c", script]
    ended = subprocess.run(
        command, input=unit, capture_output=True, text=True, timeout=20, check=False
    )
    assert ended.stderr.splitlines()[-1].startswith("sims_analysis.errors.UnitsError: unknown unit")
    assert len(ended.stderr.splitlines()[-1]) < 1000
