"""One measurement of ten species: from the bytes of the API to the answers."""

from __future__ import annotations

import atexit
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import numpy as np
import orjson
import pandas as pd

import sims_analysis as sims

from .cases import LEVEL, START, STOP, implants
from .timing import Case


def payload(species: int = 10, n: int = 1000, *, own_axes: bool = False) -> bytes:
    """Give the answer of the API, all species on one axis or each at depths of its own."""
    data = implants(species, n)
    stretch = 1e-3 if own_axes else 0.0
    return orjson.dumps(
        [
            {
                "data_id": "benchmark",
                "id": f"p{i}",
                "processed_data_id": "q",
                "species_name": f"S{i}",
                "depths": (data["depth"].values * (1 + stretch * i)).tolist(),
                "depth_units": "nm",
                "concentrations": row.tolist(),
                "concentration_units": "atoms/cm^3",
                "species_metadata": {},
                "last_updated": "2025-01-01T00:00:00Z",
            }
            for i, row in enumerate(data.values)
        ]
    )


def cases(repeats: int) -> Iterator[Case]:
    yield from _answers(payload(), "10 x 1,000", repeats)
    yield from _answers(payload(own_axes=True), "own axes", repeats)
    for delimiter, gaps in (("	", False), (",", False), ("	", True)):
        yield _file(100, 2000, repeats, delimiter, gaps=gaps)
    yield _first_answer(min(repeats, 5))


def _file(signals: int, n: int, repeats: int, delimiter: str, *, gaps: bool) -> Case:
    """A table of text, as instruments export it: to profiles, compared with a DataFrame."""
    folder = Path(mkdtemp())
    atexit.register(shutil.rmtree, folder)
    path = folder / "signals.txt"
    data = implants(signals, n)
    heads = ["Depth (nm)", *(f"S{i} (atoms/cm3)" for i in range(signals))]
    rows = np.column_stack([data["depth"].values, data.values.T])
    if gaps:
        # The second half of the signals is measured every third cycle.
        rows[np.ix_(np.arange(n) % 3 > 0, np.arange(signals + 1) > signals // 2)] = np.nan
    np.savetxt(
        path, rows, fmt="%.6g", delimiter=delimiter, header=delimiter.join(heads), comments=""
    )
    path.write_text(path.read_text().replace("nan", ""))
    what = {"\t": "tabs", ",": "commas"}[delimiter] + (", gaps" if gaps else "")
    return Case(
        f"text file ({what}) -> profiles",
        f"{signals} x {n:,}",
        lambda: sims.read(path),
        {"pandas.read_csv": lambda: pd.read_csv(path, sep=delimiter)},
        repeats=repeats,
    )


def _answers(body: bytes, size: str, repeats: int) -> Iterator[Case]:
    loads = {"orjson.loads": lambda: orjson.loads(body)}
    yield Case(
        "bytes -> profiles", size, lambda: sims.SIMSResult.from_json(body), loads, repeats=repeats
    )
    result = sims.SIMSResult.from_json(body)
    yield Case("profiles -> Dataset", size, result.to_dataset, loads, repeats=repeats)

    def whole() -> Any:
        ds = sims.SIMSResult.from_json(body).to_dataset()
        for name in three:
            _QUESTIONS[name](ds)

    three = ("dose", "junction", "interpolation")
    yield Case(f"bytes -> {', '.join(three)}", size, whole, loads, repeats=repeats)
    ds = result.to_dataset()
    for name, question in _QUESTIONS.items():
        yield Case(f"one call: {name}", size, partial(question, ds), repeats=10 * repeats)
    for name, question in _QUESTIONS.items():
        # Of every Dataset the first question, each index and each array as it was made.
        fresh = iter([result.to_dataset() for _ in range(10 * repeats + 1)])
        yield Case(
            f"one call, cold: {name}",
            size,
            lambda question=question, fresh=fresh: question(next(fresh)),
            repeats=10 * repeats,
            once=True,
        )


_QUESTIONS: dict[str, Callable[[Any], Any]] = {
    "dose": lambda ds: sims.integrated_dose(ds, start=f"{START} nm", stop=f"{STOP} nm"),
    "junction": lambda ds: sims.junction_depth(ds, level=f"{LEVEL} atoms/cm^3"),
    "interpolation": lambda ds: sims.interpolate(ds, depth="25 nm"),
    "crossings": lambda ds: sims.crossings(ds, level=f"{LEVEL} atoms/cm^3"),
}

_PROFILE = (
    '[{"data_id": "d", "species_name": "B", "depths": [0, 10, 20], "depth_units": "nm",'
    ' "concentrations": [1e18, 3e18, 5e17], "concentration_units": "atoms/cm^3"}]'
)


def _first_answer(repeats: int) -> Case:
    """In a fresh process, from nothing imported to a dose; against the imports of a user."""
    answer = f"""
import sims_analysis as sims
sims.integrated_dose(sims.SIMSResult.from_json({_PROFILE!r}).to_dataset(), stop="10 nm")
"""

    def run(code: str) -> None:
        subprocess.run([sys.executable, "-c", code], check=True)

    # Of the first array xarray imports Dask, of the first unit pint builds its registry.
    used = "import xarray, pint; xarray.DataArray(0.0); pint.Quantity('1 nm')"
    limits = {
        "xarray and pint, used once": lambda: run(used),
        "import xarray, pint": lambda: run("import xarray, pint"),
        "import xarray": lambda: run("import xarray"),
    }
    return Case("first answer of a process", "1 x 3", lambda: run(answer), limits, repeats=repeats)
