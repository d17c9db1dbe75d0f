"""What was measured, in which sample and when: the line of a measurement in a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from sims_analysis.profiles.metadata import SAMPLE_KEYS, EntrySummary

if TYPE_CHECKING:
    import xarray as xr


def summarise_dataset(ds: xr.Dataset) -> EntrySummary:
    """Describe a Dataset of one measurement."""
    measurement = orjson.loads(ds.attrs.get("measurement", "{}"))
    names = [metadata.get(key) for metadata in species_metadata(ds).values() for key in SAMPLE_KEYS]
    samples = [
        text.strip() for text in (*names, measurement.get("sample")) if isinstance(text, str)
    ]
    return EntrySummary(
        data_id=str(ds.attrs.get("data_id", "")),
        title=next(filter(None, samples), ""),
        date=str(measurement.get("measured") or "").partition("T")[0],
        species=[str(name) for name in np.atleast_1d(ds["species"].values)],
    )


def species_metadata(ds: xr.Dataset) -> dict[str, Mapping[str, Any]]:
    """Read the metadata of each species."""
    names = [str(name) for name in np.atleast_1d(ds["species"].values)]
    if "species_metadata" not in ds.coords:
        return {name: {} for name in names}
    texts = np.atleast_1d(ds["species_metadata"].values)
    return {
        name: (orjson.loads(str(text)) or {}) if text else {}
        for name, text in zip(names, texts, strict=True)
    }
