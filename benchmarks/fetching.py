"""Hundreds of entries from a real local server, against what parsing alone would take."""

from __future__ import annotations

import multiprocessing
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

import sims_analysis as sims
from sims_analysis.api.server import create_app

from .one_measurement import payload

KEY = "benchmark"


def run(entries: int) -> None:
    body = payload()
    with tempfile.TemporaryDirectory(prefix="sims-benchmark-") as folder:
        archive = sims.Archive(Path(folder))
        names = [f"entry-{i:04d}" for i in range(entries)]
        for name in names:
            archive.put(name, body.replace(b"benchmark", name.encode()), url="benchmark")
        begin = time.perf_counter()
        for _ in names:
            sims.SIMSResult.from_json(body).to_dataset()
        alone = time.perf_counter() - begin
        print(f"{entries} entries of {len(body) / 1e3:.0f} kB")
        print(f"parse and build alone        {entries / alone:7.0f} entries/s")
        for delay in (0.0, 0.02):
            with _Server(folder, delay) as address:
                client = sims.Client(KEY, endpoint=address, allow_http=True, progress=False)
                client.get(data_ids=names[:8])
                begin = time.perf_counter()
                for result in client.get(data_ids=names):
                    result.to_dataset()
                taken = time.perf_counter() - begin
            rate = f"{entries / taken:5.0f} entries/s ({100 * alone / taken:.0f} % of the above)"
            print(f"fetched, {1e3 * delay:2.0f} ms late, 8 at once {rate}")


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
