"""One measurement of ten species: from the bytes of the API to the answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import orjson

import sims_analysis as sims
from sims_analysis.kernels import crossings, dose, interpolation

from .cases import LEVEL, START, STOP, implants
from .timing import Case


def payload(species: int = 10, n: int = 1000) -> bytes:
    data = implants(species, n)
    return orjson.dumps(
        [
            {
                "data_id": "benchmark",
                "id": f"p{i}",
                "processed_data_id": "q",
                "species_name": f"S{i}",
                "depths": data["depth"].values.tolist(),
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
    body = payload()
    loads = {"orjson.loads": lambda: orjson.loads(body)}
    size = "10 x 1,000"
    yield Case(
        "bytes -> profiles", size, lambda: sims.SIMSResult.from_json(body), loads, repeats=repeats
    )
    result = sims.SIMSResult.from_json(body)
    yield Case("profiles -> Dataset", size, result.to_dataset, loads, repeats=repeats)

    def whole() -> Any:
        ds = sims.SIMSResult.from_json(body).to_dataset()
        sims.integrated_dose(ds, start=f"{START} nm", stop=f"{STOP} nm")
        sims.junction_depth(ds, level=f"{LEVEL} atoms/cm^3")
        sims.interpolate(ds, depth="25 nm")

    yield Case("bytes -> dose, junction, interpolation", size, whole, loads, repeats=repeats)
    ds = result.to_dataset()
    z, c = ds["depth"].values, ds["concentration"].values
    at = np.array([25.0])
    yield Case(
        "one call: dose",
        size,
        lambda: sims.integrated_dose(ds, start=f"{START} nm", stop=f"{STOP} nm"),
        {"kernel": lambda: dose.integrate(z, c, START, STOP)},
        repeats=10 * repeats,
    )
    yield Case(
        "one call: junction",
        size,
        lambda: sims.junction_depth(ds, level=f"{LEVEL} atoms/cm^3"),
        {"kernel": lambda: crossings.junction(z, c, LEVEL)},
        repeats=10 * repeats,
    )
    yield Case(
        "one call: interpolation",
        size,
        lambda: sims.interpolate(ds, depth="25 nm"),
        {"kernel": lambda: interpolation.interpolate(z, c, at)},
        repeats=10 * repeats,
    )
