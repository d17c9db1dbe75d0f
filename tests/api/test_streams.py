"""Answers piece by piece: what a reader who does not read costs, and for how long."""

from __future__ import annotations

import gc
import gzip
import hashlib
import io
import json
import socket
import tracemalloc
from contextlib import ExitStack
from types import SimpleNamespace

import pytest
from faulty_server import REFERENCE, REFERENCE_ID
from running_server import KEY, Running
from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse
from waiting import wait_until

from sims_analysis.api import streams, timely
from sims_analysis.api.archive import Archive
from sims_analysis.api.server import create_app
from sims_analysis.api.streams import PIECE, Content, Waiting, answer
from sims_analysis.api.timely import TimelyProtocol

PROFILE = json.loads(REFERENCE)[0]
SAMPLES = 100_000
BUFFER = 1 << 14


def payload(data_id, *species, samples=SAMPLES):
    """Large, and as the contract has it if the species are in order and the id is given."""
    numbers = [round(i * 0.1, 1) for i in range(samples // len(species))]
    arrays = {"data_id": data_id, "depths": numbers, "concentrations": numbers}
    return json.dumps([PROFILE | arrays | {"species_name": name} for name in species]).encode()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    archive = Archive(tmp_path_factory.mktemp("archive"))
    archive.put("ordered", payload("ordered", "B", "Si"), url="test")
    archive.put("unordered", payload(None, "Si", "B"), url="test")
    archive.put("one-piece", payload("one-piece", "B", samples=4_000), url="test")
    archive.put(REFERENCE_ID, REFERENCE, url="test")
    return archive


@pytest.fixture
def running(archive):
    with Running(create_app(archive, KEY), send_buffer=BUFFER, http=TimelyProtocol) as running:
        yield running


def stalled(running, path, *lines):
    """A reader that asks, and does not read."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(("127.0.0.1", running.port))
    head = (f"GET {path} HTTP/1.1", "Host: localhost", f"X-API-KEY: {KEY}", *lines)
    connection.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
    return connection


def rest(connection):
    received = b""
    with connection:
        try:
            while piece := connection.recv(1 << 20):
                received += piece
        except ConnectionError:
            pass
    return received


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize("path", ["/sims/ordered", "/sims/unordered", "/sims/ordered/species/B"])
@pytest.mark.parametrize("lines", [(), ("Accept-Encoding: gzip",)])
def test_who_does_not_read_is_cut_off(running, path, lines, monkeypatch):
    monkeypatch.setattr(timely, "WRITE_TIMEOUT", 0.2)
    connection = stalled(running, path, *lines)
    assert connection.recv(1, socket.MSG_PEEK), "the answer has begun"
    wait_until(lambda: running.connections == 0)
    _, _, body = rest(connection).partition(b"\r\n\r\n")
    whole = running.get(path, **({"Accept_Encoding": "gzip"} if lines else {}))[2]
    assert len(body) < len(whole)


@pytest.mark.slow
def test_who_does_not_read_the_last_piece_is_cut_off(running, archive, monkeypatch):
    """Of which no more is to be sent, so that nobody waits for the reader to go on."""
    monkeypatch.setattr(timely, "WRITE_TIMEOUT", 0.2)
    assert PIECE / 2 < len(archive.payload("one-piece")) < PIECE
    connection = stalled(running, "/sims/one-piece")
    assert connection.recv(1, socket.MSG_PEEK), "the answer has begun"
    wait_until(lambda: running.connections == 0)
    body = rest(connection).partition(b"\r\n\r\n")[2]
    assert len(body) < len(archive.payload("one-piece"))


@pytest.mark.slow
def test_who_reads_a_little_at_a_time_gets_all(running, archive):
    connection = stalled(running, "/sims/ordered", "Connection: close")
    received = b""
    while piece := connection.recv(50_000):
        received += piece
    connection.close()
    assert received.partition(b"\r\n\r\n")[2] == archive.payload("ordered")


@pytest.mark.slow
def test_who_has_read_in_time_is_not_cut_off_later(running, archive, monkeypatch):
    monkeypatch.setattr(timely, "WRITE_TIMEOUT", 0.5)
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        for _ in range(3):
            ask = f"GET /sims/{REFERENCE_ID} HTTP/1.1\r\nHost: x\r\nX-API-KEY: {KEY}\r\n\r\n"
            connection.sendall(ask.encode())
            received = b""
            while not received.endswith(REFERENCE):
                received += connection.recv(65536)
        assert running.connections == 1


@pytest.mark.few(1)
@pytest.mark.slow
@pytest.mark.parametrize("path", ["/sims/ordered", "/sims/unordered"])
def test_readers_who_do_not_read_cost_little_each(running, archive, path):
    size = len(archive.payload("ordered"))
    running.get(path)
    gc.collect()
    with ExitStack() as open_ones:
        tracemalloc.start()
        open_ones.callback(tracemalloc.stop)
        readers = [open_ones.enter_context(stalled(running, path)) for _ in range(20)]
        for reader in readers:
            assert reader.recv(1, socket.MSG_PEEK), "its answer has begun"
        assert len(running.get(f"/sims/{REFERENCE_ID}")[2]) == len(REFERENCE)
        held, _ = tracemalloc.get_traced_memory()
    assert held < 20 * size / 4


@pytest.mark.slow
def test_a_payload_that_is_damaged_while_it_is_sent_is_sent_to_nobody_else(tmp_path):
    archive = Archive(tmp_path)
    whole = payload("a", "B")
    archive.put("a", whole, url="test")
    app = create_app(archive, KEY)
    with Running(app, send_buffer=BUFFER, http=TimelyProtocol) as running:
        running.get("/sims/a")
        with stalled(running, "/sims/a") as reader:
            assert reader.recv(1, socket.MSG_PEEK), "its answer has begun"
            assert running.get("/sims/a")[2] == whole
            (file,) = tmp_path.rglob("payload.json")
            file.write_bytes(whole.replace(b"0.1", b"0.2"))
            status, _, body = running.get("/sims/a")
    assert status == 500
    assert b"has the sha256" in body


def test_what_waits_for_readers_has_an_end():
    waiting = Waiting(room=3 * PIECE)
    large = bytes(2 * PIECE)
    first = waiting.content(large)
    with pytest.raises(HTTPException) as caught:
        waiting.content(large)
    assert (caught.value.status_code, caught.value.headers) == (503, {"Retry-After": "5"})
    waiting.content(b"small")
    del first
    gc.collect()
    second = waiting.content(large)
    assert second.read(PIECE) == bytes(PIECE)
    alone = Waiting(room=1).content(large)
    assert alone.size == 2 * PIECE, "one is always sent"


def test_readers_share_a_file_each_at_a_place_of_its_own(tmp_path):
    data = bytes(range(256)) * (PIECE // 100)
    (tmp_path / "file").write_bytes(data)
    file = (tmp_path / "file").open("rb")
    content = Content(file, len(data), "")
    readers = [streams._pieces(content), streams._compressed(content), streams._pieces(content)]
    received = [b"", b"", b""]
    while any(pieces := [next(reader, b"") for reader in readers]):
        received = [had + piece for had, piece in zip(received, pieces, strict=True)]
    assert received[0] == received[2] == gzip.decompress(received[1]) == data
    assert not content.is_changed
    del content, readers
    gc.collect()
    assert file.closed


def test_what_is_in_memory_does_not_change():
    assert not Content(io.BytesIO(b"[]"), 2, "").is_changed


def asked(**headers):
    """Stand in for a request."""
    return SimpleNamespace(headers={name.replace("_", "-"): text for name, text in headers.items()})


def test_an_answer_has_a_mark_by_which_a_client_knows_it_again():
    body = b"[1]"
    content = Waiting().content(body)
    sha256 = hashlib.sha256(body).hexdigest()
    plain = answer(asked(), content)
    assert (plain.status_code, plain.body) == (200, body)
    assert plain.media_type == "application/json"
    mark = f'W/"{sha256[:32]}"'
    assert plain.headers["etag"] == mark
    assert plain.headers["cache-control"] == "private, no-cache"
    assert plain.headers["vary"] == "Accept-Encoding"
    for known in (mark, mark[2:], "*", f'"other", {mark}', f"{mark},x"):
        same = answer(asked(If_None_Match=known), content)
        assert (same.status_code, same.body) == (304, b"")
        assert same.headers["etag"] == mark
    for other in ('"other"', "", mark[:-2] + '"'):
        assert answer(asked(If_None_Match=other), content).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "size", "packed"),
    [
        ("gzip", 1000, True), ("gzip", 999, False), ("", 1000, False), ("br", 1000, False),
        ("br, GZIP;q=0.5", 1000, True), ("gzip;q=0", 1000, False), ("gzip;q=0.0, br", 1000, False),
        ("gzip;q=0.01", 1000, True), ("x-gzipped", 1000, False),
    ],
)  # fmt: skip
def test_large_answers_are_compressed_for_who_takes_it(accepted, size, packed):
    body = b"7" * size
    found = answer(asked(Accept_Encoding=accepted), Waiting().content(body))
    assert found.headers.get("content-encoding") == ("gzip" if packed else None)
    assert (gzip.decompress(found.body) if packed else found.body) == body


@pytest.mark.parametrize("more", [0, 1])
def test_an_answer_of_more_than_a_piece_is_sent_in_pieces(more):
    body = b"7" * (PIECE + more)
    content = Waiting().content(body)
    found = answer(asked(), content)
    assert isinstance(found, StreamingResponse) == bool(more)
    assert found.headers["content-length"] == str(len(body))
    assert found.headers["content-type"] == "application/json"
    assert [len(piece) for piece in streams._pieces(content)] == [PIECE, *([1] if more else [])]
    packed = answer(asked(Accept_Encoding="gzip"), content)
    assert packed.headers["content-encoding"] == "gzip"
    assert ("content-length" in packed.headers) != bool(more)
