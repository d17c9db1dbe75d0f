"""Connections of the server: they end when nothing goes on, and not before."""

from __future__ import annotations

import json
import socket
import time
from contextlib import suppress

import pytest
from faulty_server import REFERENCE, REFERENCE_ID
from running_server import KEY, Running
from waiting import wait_until

from sims_analysis.api import connections
from sims_analysis.api.archive import Archive
from sims_analysis.api.connections import LimitedProtocol
from sims_analysis.api.server import PIECE, create_app

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
    with Running(create_app(archive, KEY), send_buffer=BUFFER, http=LimitedProtocol) as running:
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
@pytest.mark.parametrize("path", ["/sims/ordered", "/sims/ordered/species/B"])
@pytest.mark.parametrize("lines", [(), ("Accept-Encoding: gzip",)])
def test_a_reader_that_does_not_read_is_disconnected(running, path, lines, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 0.2)
    connection = stalled(running, path, *lines)
    assert connection.recv(1, socket.MSG_PEEK), "the answer has begun"
    wait_until(lambda: running.connections == 0)
    _, _, body = rest(connection).partition(b"\r\n\r\n")
    whole = running.get(path, **({"Accept_Encoding": "gzip"} if lines else {}))[2]
    assert len(body) < len(whole)


@pytest.mark.slow
def test_a_reader_that_does_not_read_the_last_piece_is_disconnected(running, archive, monkeypatch):
    """Of which no more is to be sent, so that nobody waits for the reader to go on."""
    monkeypatch.setattr(connections, "PATIENCE", 0.2)
    assert PIECE / 2 < len(archive.payload("one-piece")) < PIECE
    connection = stalled(running, "/sims/one-piece")
    assert connection.recv(1, socket.MSG_PEEK), "the answer has begun"
    wait_until(lambda: running.connections == 0)
    body = rest(connection).partition(b"\r\n\r\n")[2]
    assert len(body) < len(archive.payload("one-piece"))


@pytest.mark.slow
def test_a_slow_reader_gets_the_whole_answer(running, archive):
    connection = stalled(running, "/sims/ordered", "Connection: close")
    received = b""
    while piece := connection.recv(50_000):
        received += piece
    connection.close()
    assert received.partition(b"\r\n\r\n")[2] == archive.payload("ordered")


@pytest.mark.slow
def test_a_reader_in_time_stays_connected(running, archive, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 0.5)
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        for _ in range(3):
            ask = f"GET /sims/{REFERENCE_ID} HTTP/1.1\r\nHost: x\r\nX-API-KEY: {KEY}\r\n\r\n"
            connection.sendall(ask.encode())
            received = b""
            while not received.endswith(REFERENCE):
                received += connection.recv(65536)
        assert running.connections == 1


ASK = f"GET /sims/{REFERENCE_ID} HTTP/1.1\r\nHost: x\r\nX-API-KEY: {KEY}\r\n\r\n".encode()


@pytest.mark.parametrize(
    "sent", [b"", b"G", ASK[:-2], b"POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1"]
)
def test_a_request_that_does_not_arrive_is_closed(running, sent, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 0.15)
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(sent)
        rest(connection)  # to its end
    wait_until(lambda: running.connections == 0, patience=10)


def test_a_byte_now_and_then_does_not_keep_a_connection(running, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 0.5)
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        began = time.monotonic()
        for byte in ASK[:-3] * 10:
            if running.connections == 0 and time.monotonic() > began + 0.5:
                break
            with suppress(ConnectionError):
                connection.sendall(byte.to_bytes(1, "big"))
            time.sleep(0.05)
        assert time.monotonic() < began + 20


@pytest.mark.slow
def test_a_second_request_that_does_not_arrive_is_closed(running, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 0.3)
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.sendall(ASK)
        received = b""
        while not received.endswith(REFERENCE):
            received += connection.recv(65536)
        connection.sendall(ASK[:9])
        wait_until(lambda: running.connections == 0, patience=4)


def test_a_request_in_pieces_is_answered(running, monkeypatch):
    monkeypatch.setattr(connections, "PATIENCE", 5.0)
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        received = b""
        for i in range(0, len(ASK), 20):
            connection.sendall(ASK[i : i + 20])
            time.sleep(0.01)
        while not received.endswith(REFERENCE):
            received += connection.recv(65536)
