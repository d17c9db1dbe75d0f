"""Connections of the server: they end when a request does not arrive, and not before."""

from __future__ import annotations

import socket
import time
from contextlib import suppress

import pytest
from faulty_server import REFERENCE, REFERENCE_ID
from running_server import KEY, Running
from waits import wait_until

from sims_analysis.api import connections
from sims_analysis.api.archive import Archive
from sims_analysis.api.connections import LimitedProtocol
from sims_analysis.api.server import create_app


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    archive = Archive(tmp_path_factory.mktemp("archive"))
    archive.put(REFERENCE_ID, REFERENCE, url="test")
    return archive


@pytest.fixture
def running(archive):
    with Running(create_app(archive, KEY), http=LimitedProtocol) as running:
        yield running


def rest(connection):
    received = b""
    with connection:
        try:
            while piece := connection.recv(1 << 20):
                received += piece
        except ConnectionError:
            pass
    return received


@pytest.mark.slow
def test_who_asks_again_stays_connected(running, monkeypatch):
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT", 0.5)
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
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT", 0.15)
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as connection:
        connection.sendall(sent)
        rest(connection)  # to its end
    wait_until(lambda: running.connections == 0, patience=10)


@pytest.mark.slow
def test_a_byte_now_and_then_does_not_keep_a_connection(running, monkeypatch):
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT", 0.5)
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
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT", 0.3)
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        connection.sendall(ASK)
        received = b""
        while not received.endswith(REFERENCE):
            received += connection.recv(65536)
        connection.sendall(ASK[:9])
        wait_until(lambda: running.connections == 0, patience=4)


def test_a_request_in_pieces_is_answered(running, monkeypatch):
    monkeypatch.setattr(connections, "REQUEST_TIMEOUT", 5.0)
    with socket.create_connection(("127.0.0.1", running.port)) as connection:
        received = b""
        for i in range(0, len(ASK), 20):
            connection.sendall(ASK[i : i + 20])
            time.sleep(0.01)
        while not received.endswith(REFERENCE):
            received += connection.recv(65536)
