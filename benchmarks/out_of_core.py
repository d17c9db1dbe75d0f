"""A zarr store larger than the workers' memory, on one worker and on two."""

from __future__ import annotations

import os
import shutil
import statistics
import tempfile
import threading
import time
from pathlib import Path
from typing import Any, Self

import numpy as np

#: The workers read these when they start. Dask sets the first to 65536, with which every array of
#: a chunk is given back to the system and asked for again.
ENVIRONMENT = {"MALLOC_TRIM_THRESHOLD_": "134217728", "MALLOC_MMAP_THRESHOLD_": "67108864"}

#: How often each number of workers has its turn.
TURNS = 3

ROWS_A_CHUNK = 2000  # times 1,000 points of float64: 16 MB


def run(gigabytes: float) -> None:
    import dask
    import distributed
    import xarray as xr

    from .cases import implants

    chunks = max(2, round(gigabytes * 1e9 / (ROWS_A_CHUNK * 8000)))
    folder = Path(tempfile.mkdtemp(prefix="sims-benchmark-"))
    try:
        store = folder / "fab.zarr"
        _write(store, chunks, implants(ROWS_A_CHUNK))
        limit = 1.0
        print(
            f"{chunks * ROWS_A_CHUNK:,} profiles of 1,000 points, {chunks * 16 / 1000:.1f} GB "
            f"in chunks of 16 MB; {limit:g} GB a worker, one thread each; the scheduler takes "
            "processors too\n"
        )
        seconds: dict[tuple[str, int], list[float]] = {}
        for workers in (1, 2) * TURNS:
            with (
                dask.config.set({"distributed.nanny.pre-spawn-environ": ENVIRONMENT}),
                distributed.LocalCluster(
                    n_workers=workers,
                    threads_per_worker=1,
                    memory_limit=f"{limit}GB",
                    dashboard_address=None,
                    local_directory=str(folder / "scratch"),
                ) as cluster,
                distributed.Client(cluster) as client,
                _Peak(client) as peak,
            ):
                data = xr.open_zarr(store)["concentration"]
                # Workers import what they need when they first compute.
                client.run(_ask, data[:10].load())
                for name, answer in QUESTIONS.items():
                    used = sum(client.run(time.process_time).values())
                    begin, own = time.perf_counter(), time.process_time()
                    answer(data, folder)
                    took, own = time.perf_counter() - begin, time.process_time() - own
                    used = sum(client.run(time.process_time).values()) - used
                    seconds.setdefault((name, workers), []).append(took)
                    print(
                        f"{name:36} {workers} worker{' s'[workers > 1]} {took:6.1f} s, "
                        f"{chunks * 0.016 / took:.2f} GB/s; processors {used:.1f} s, and "
                        f"{own:.1f} s of the scheduler; largest worker {peak.bytes / 1e9:.2f} GB",
                        flush=True,
                    )
        print()
        for name in QUESTIONS:
            one, two = (statistics.median(seconds[name, workers]) for workers in (1, 2))
            bare = statistics.median(seconds["mean, by xarray alone", 2])
            print(
                f"{name:36} two workers: {one / two:.2f} times as fast as one; "
                f"{two / bare:.2f} times the mean"
            )
    finally:
        shutil.rmtree(folder)


def _mean(data: Any, _: Path) -> None:
    data.mean("depth").compute()


def _dose(data: Any, _: Path) -> None:
    import sims_analysis as sims

    sims.integrated_dose(data, start="10 nm", stop="500 nm", rule="loglinear").compute()


def _dose_and_junction(data: Any, folder: Path) -> None:
    import sims_analysis as sims

    dose, junction = _ask(data)
    sims.save(
        junction.to_dataset(name="junction").assign(dose=dose.drop_vars("status")),
        folder / "answers.zarr",
    )


def _ask(data: Any) -> tuple[Any, Any]:
    import sims_analysis as sims

    return (
        sims.integrated_dose(data, start="10 nm", stop="500 nm", rule="loglinear"),
        sims.junction_depth(data, level="1e17 atoms/cm^3", after="peak"),
    )


#: What is asked of the store; the first bounds the others: to read it, and look at it once.
QUESTIONS = {
    "mean, by xarray alone": _mean,
    "dose, loglinear, limits": _dose,
    "dose and junction, saved as zarr": _dose_and_junction,
}


def _write(store: Path, chunks: int, block: Any) -> None:
    import zarr

    group = zarr.open_group(store, mode="w", zarr_format=2)
    rows, n = block.shape
    array = group.create_array(
        "concentration",
        shape=(rows * chunks, n),
        chunks=(rows, n),
        dtype="f8",
        fill_value=np.nan,
        compressors=None,
    )
    array.attrs.update(units="atom/cm^3", _ARRAY_DIMENSIONS=["profile", "depth"])
    for i in range(chunks):
        array[i * rows : (i + 1) * rows] = block.values
    depth = group.create_array("depth", shape=(n,), dtype="f8", fill_value=np.nan)
    depth[:] = block["depth"].values
    depth.attrs.update(units="nm", _ARRAY_DIMENSIONS=["depth"])
    zarr.consolidate_metadata(store, zarr_format=2)
    os.sync()  # else the system would write while the first workers read


class _Peak:
    """The largest resident memory of any worker, asked of the operating system now and then."""

    def __init__(self, client: Any) -> None:
        self.pids = list(client.run(os.getpid).values())
        self.bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        import psutil

        while not self._done.wait(0.05):
            for pid in self.pids:
                try:
                    self.bytes = max(self.bytes, psutil.Process(pid).memory_info().rss)
                except psutil.NoSuchProcess:
                    continue

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()
