"""Hundreds of entries from a real local server, against what parsing alone would take.

The servers run in processes of their own. One answers from memory and costs next to nothing, so
that the client is what is measured; the other is the reference server, which reads and verifies
an archive.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import socket
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import numpy as np

import sims_analysis as sims
from sims_analysis.api.server import create_app

from .one_measurement import payload

KEY = "key-of-the-benchmark"
WIDTH = 8


def run(entries: int, repeats: int = 3) -> None:
    body = payload()
    names = [f"entry-{i:04d}" for i in range(entries)]
    # More than one, so that they are not read from the processor's cache either; without an id,
    # because a server that answers with whatever comes next has one answer for all.
    nameless = body.replace(b'"data_id":"benchmark"', b'"note":"benchmark"')
    bodies = [nameless.replace(b"benchmark", name.encode()) for name in names[:50]]
    print(f"{entries} entries of {len(body) / 1e3:.0f} kB, {WIDTH} at once, medians of {repeats}")
    with tempfile.TemporaryDirectory(prefix="sims-benchmark-") as folder:
        archive = sims.Archive(Path(folder))
        for name in names:
            archive.put(name, body.replace(b"benchmark", name.encode()), url="benchmark")
        with (
            _Server(_from_memory, bodies, 0.0) as at_once,
            _Server(_from_memory, bodies, 0.02) as late,
            _Server(_from_archive, folder) as reference,
        ):
            servers = {
                "fetched": at_once,
                "fetched, 20 ms late": late,
                "fetched from the reference server": reference,
            }
            ways: dict[str, Callable[[], None]] = {
                "parse and build alone": lambda: _alone(bodies, entries)
            }
            for label, address in servers.items():
                client = sims.Client(
                    KEY,
                    endpoint=address,
                    max_connections=WIDTH,
                    allow_http=True,
                    progress=False,
                )
                _fetched(client, names[: 2 * WIDTH])
                ways[label] = lambda client=client: _fetched(client, names)
            seconds: dict[str, list[tuple[float, float]]] = {label: [] for label in ways}
            for _ in range(repeats):
                for label, way in ways.items():
                    begin = time.perf_counter(), time.process_time()
                    way()
                    end = time.perf_counter(), time.process_time()
                    seconds[label].append((end[0] - begin[0], end[1] - begin[1]))
    (alone, _), *_ = medians = [np.median(taken, axis=0) for taken in seconds.values()]
    for label, (wall, busy) in zip(seconds, medians, strict=True):
        print(
            f"{label:<36}{entries / wall:6.0f} entries/s  {100 * alone / wall:4.0f} %  "
            f"{1e3 * busy / entries:5.2f} ms of a processor each"
        )


def one_by_one(entries: int) -> None:
    """One request after another, as in a loop: what the client and its archive add to httpx.

    Turn by turn, so that what slows the machine for a while slows all.
    """
    print(f"\n{entries} entries of the reference server, one at a time, medians")
    for species, depths in ((10, 1000), (3, 300)):
        body = payload(species, depths)
        names = [f"entry-{i:04d}" for i in range(entries)]
        with (
            tempfile.TemporaryDirectory(prefix="sims-benchmark-") as served,
            tempfile.TemporaryDirectory(prefix="sims-benchmark-") as kept,
            _Server(_from_archive, served) as address,
            httpx.Client(headers={"X-API-KEY": KEY, "Accept-Encoding": "identity"}) as bare,
            sims.Client(KEY, endpoint=address) as client,
            sims.Client(KEY, endpoint=address, archive=kept) as archiving,
        ):
            for name in names:
                content = body.replace(b"benchmark", name.encode())
                sims.Archive(served).put(name, content, url="benchmark")
            ways: dict[str, Callable[[str], object]] = {
                "bare httpx": lambda name, bare=bare, at=address: bare.get(f"{at}sims/{name}"),
                "fetched": client.get,
                "fetched and archived": archiving.get,
                "read from the archive": archiving.get,
            }
            seconds: dict[str, list[float]] = {label: [] for label in ways}
            for name in names:
                for label, way in ways.items():
                    begin = time.perf_counter()
                    way(name)
                    seconds[label].append(time.perf_counter() - begin)
        first = np.median(seconds["bare httpx"])
        print(f"{len(body) / 1e3:.0f} kB each")
        for label, taken in seconds.items():
            took = np.median(taken)
            print(f"    {label:<32}{1e3 * took:7.2f} ms  {took / first:5.2f} x bare httpx")


def _alone(bodies: list[bytes], entries: int) -> None:
    results = [
        sims.SIMSResult.from_json(bodies[i % len(bodies)], data_id=f"entry-{i:04d}")
        for i in range(entries)
    ]
    for result in results:
        result.to_dataset()


def _fetched(client: sims.Client, names: list[str]) -> None:
    for result in client.get(data_ids=names):
        result.to_dataset()


class _Server:
    """A server in a process of its own."""

    def __init__(self, serve: Callable[..., None], *what: object) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = multiprocessing.get_context("spawn").Process(
            target=serve, args=(self.port, *what), daemon=True
        )

    def __enter__(self) -> str:
        self.process.start()
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.05)
        return f"http://127.0.0.1:{self.port}/"

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        self.process.join()


def _from_memory(port: int, bodies: list[bytes], delay: float) -> None:
    """Answer every request with the next body, as late as asked."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    answers = [head % len(body) + body for body in bodies]
    count = 0

    class Answering(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            self.transport = transport
            self.received = b""

        def data_received(self, data: bytes) -> None:
            nonlocal count
            *requests, self.received = (self.received + data).split(b"\r\n\r\n")
            for _ in requests:
                count += 1
                answer = answers[count % len(answers)]
                loop.call_later(delay, self.transport.write, answer)

    loop = asyncio.new_event_loop()
    loop.run_until_complete(loop.create_server(Answering, "127.0.0.1", port))
    loop.run_forever()


def _from_archive(port: int, folder: str) -> None:
    import uvicorn

    app = create_app(folder, KEY)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", ws="none")
