"""The server under load, with readers that do not read, to web pages, and of one's own data."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

import pytest
import uvicorn
from error_parts import raises
from faulty_server import REFERENCE, REFERENCE_ID
from running_server import KEY, Running
from single_profiles import profile_of

from sims_analysis.api.archive import Archive
from sims_analysis.api.client import Client
from sims_analysis.api.connections import LimitedProtocol
from sims_analysis.api.server import create_app, serve
from sims_analysis.errors import ApiError

ROOT = Path(__file__).parents[2]


def large(samples=200_000):
    profile = json.loads(REFERENCE)[0] | {"data_id": "large"}
    numbers = [i * 0.1 for i in range(samples)]
    return json.dumps([profile | {"depths": numbers, "concentrations": numbers}]).encode()


@pytest.fixture
def archive(tmp_path):
    archive = Archive(tmp_path / "archive")
    archive.put(REFERENCE_ID, REFERENCE, url="test")
    archive.put("large", large(), url="test")
    return archive


@pytest.fixture
def served(archive):
    """A server in a process of its own, as the command line starts it."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "sims_analysis", "serve", "--no-key"),
            *("--archive", str(archive.path), "--port", str(port)),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.PIPE,
        text=True,
    )
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield process, port
    process.kill()
    process.communicate()


def readers_that_stay(port):
    """Connections that never finish their headers, never read, or stay silent."""
    lines = (b"GET /sims/large HTTP/1.1\r\nHost: localhost\r\n", b"")
    for sent in (*lines, lines[0] + b"Accept-Encoding: gzip\r\n\r\n", lines[0] + b"\r\n"):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", port))
        connection.sendall(sent)
        yield connection


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")
def test_it_ends_within_five_seconds_whatever_its_readers_do(served):
    process, port = served
    connections = [c for _ in range(3) for c in readers_that_stay(port)]
    # Who comes after them is answered: the server has all of them.
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/openapi.json") as response:
        assert response.status == 200
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(20)  # they would stay for ever
    finally:
        for connection in connections:
            connection.close()
    assert "Traceback" not in process.stderr.read()


def test_limits_of_the_server_are_set(archive, monkeypatch):
    options = {}
    monkeypatch.setattr(uvicorn, "run", lambda _, **given: options.update(given))
    serve(archive, key=KEY)
    assert 100 <= options["limit_concurrency"] <= 1000
    assert 0 < options["timeout_graceful_shutdown"] <= 4
    assert options["http"] is LimitedProtocol


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
def test_https(archive, tmp_path, monkeypatch):
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2"
    make += f" -subj /CN=lab -addext subjectAltName=IP:127.0.0.1 -keyout {key} -out {certificate}"
    subprocess.run(make.split(), check=True, capture_output=True)
    given = {}
    run = uvicorn.run
    monkeypatch.setattr(uvicorn, "run", lambda app, **options: given.update(options, app=app))
    serve(archive, key=KEY, certfile=certificate, keyfile=key)
    config = uvicorn.Config(
        given["app"],
        log_level="critical",
        http=given["http"],
        ssl_certfile=given["ssl_certfile"],
        ssl_keyfile=given["ssl_keyfile"],
    )
    server = uvicorn.Server(config)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        with Client(KEY, endpoint=url, ca_bundle=certificate) as client:
            assert client.get(REFERENCE_ID)[0].species == ["Si"]
            assert client.get("large")[0].depth_profiles[0].depths.size == 200_000
        server.should_exit = True
        thread.join()
    monkeypatch.setattr(uvicorn, "run", run)
    for bad in (tmp_path / "none.pem", key):
        with raises(ApiError, argument="certfile"):
            serve(archive, key=KEY, certfile=bad)


@pytest.mark.slow
def test_what_was_measured_here_is_served_under_the_id_it_was_given(archive, tmp_path):
    """Files and profiles that name no entry, or another, are answers to what is asked."""
    archive.add(profile_of([0, 10], [1e18, 2e18]), data_id="ours")
    file = tmp_path / "w1.json"
    file.write_bytes(REFERENCE)
    archive.add(file, data_id="W1 (left)")
    with Running(create_app(archive, KEY)) as running:
        with Client(KEY, endpoint=running.url) as client:
            added, named = client.get(["ours", "W1 (left)"])
            assert [added.species, named.species] == [["B"], ["Si"]]
            assert client.get_species("W1 (left)", "Si").data_id == "W1 (left)"
            capitals = client.get(REFERENCE_ID.upper())[0]
        assert capitals.data_id == REFERENCE_ID
        assert running.get(f"/sims/{REFERENCE_ID.upper()}")[2] == REFERENCE, "byte for byte"
    assert archive.payload("W1 (left)") == REFERENCE, "what was added stays as it is"


@pytest.mark.slow
def test_a_second_fetch_from_the_server_sends_nothing(archive, tmp_path):
    with Running(create_app(archive, KEY)) as running:
        client = Client(KEY, endpoint=running.url, archive=tmp_path / "copy")
        client.get("large")
        record = client.archive.record("large")
        status, _, body = running.get("/sims/large", If_None_Match=record.etag)
        assert (status, body) == (304, b"")
        assert client.get("large", refresh=True)[0].species == ["Si"]
        assert len(client.archive.versions("large")) == 1
        client.close()
