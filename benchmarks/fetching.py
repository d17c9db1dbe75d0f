"""Hundreds of entries from a real local server, against what parsing alone would take."""

from __future__ import annotations

import multiprocessing
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import sims_analysis as sims
from sims_analysis.api.server import create_app

from .one_measurement import payload

KEY = "benchmark"
#: Seconds by which the server is late.
DELAYS = (0.0, 0.02)
WIDTH = 8


def run(entries: int, repeats: int = 3) -> None:
    body = payload()
    names = [f"entry-{i:04d}" for i in range(entries)]
    # More than one, so that they are not read from the processor's cache either.
    bodies = [body.replace(b"benchmark", name.encode()) for name in names[:50]]
    with tempfile.TemporaryDirectory(prefix="sims-benchmark-") as folder:
        archive = sims.Archive(Path(folder))
        for i, name in enumerate(names):
            archive.put(name, bodies[i % len(bodies)], url="benchmark")
        print(f"{entries} entries of {len(body) / 1e3:.0f} kB, medians of {repeats}")
        with _Server(folder, DELAYS[0]) as at_once, _Server(folder, DELAYS[1]) as late:
            ways = {"parse and build alone": lambda: _alone(bodies, entries)}
            for delay, address in zip(DELAYS, (at_once, late), strict=True):
                client = sims.Client(
                    KEY, endpoint=address, max_connections=WIDTH, allow_http=True, progress=False
                )
                _fetched(client, names[: 2 * WIDTH])
                label = f"fetched, {1e3 * delay:2.0f} ms late, {WIDTH} at once"
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
            f"{label:<32}{entries / wall:6.0f} entries/s  {100 * alone / wall:4.0f} %  "
            f"{1e3 * busy / entries:5.2f} ms of a processor each"
        )


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
    """The reference server in a process of its own, as slow to answer as asked."""

    def __init__(self, folder: str, delay: float) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        self.process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(folder, self.port, delay), daemon=True
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


def _serve(folder: str, port: int, delay: float) -> None:
    import asyncio

    import uvicorn

    app = create_app(folder, KEY)

    async def late(scope: Any, receive: Any, send: Any) -> None:
        if delay and scope["type"] == "http":
            await asyncio.sleep(delay)
        await app(scope, receive, send)

    uvicorn.run(late, host="127.0.0.1", port=port, log_level="critical", ws="none")
