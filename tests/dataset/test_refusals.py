"""What a Dataset is not made of, and what it is not turned into, word by word."""

import json

import numpy as np
import xarray as xr
from approved import difference, messages

import sims_analysis as sims
from sims_analysis.conventions.canonical import to_canonical
from sims_analysis.dataset.pairs import paired

DS = sims.open_example("boron-implant")
RUN = sims.open_example("sputter-time")
OTHER = DS.assign_coords(species=["As", "Ge"]).assign_attrs(data_id="other")
BATCH = sims.stack([DS, DS])
PADDED = sims.stack([DS, DS.isel(depth=slice(100))])


def extra(ds, dims, unit=None):
    """Give data with one more variable."""
    ones = np.ones([{"species": 2, "depth": 250, "pass": 3}[dim] for dim in dims])
    return ds.assign(extra=(dims, ones, {} if unit is None else {"units": unit}))


def named(name="B", **fields):
    """Give a profile of three samples."""
    every = {
        "depths": [0.0, 1.0, 1.0],
        "depth_units": "nm",
        "concentrations": [1e18, 2e18, 3e18],
        "concentration_units": "atoms/cm^3",
    }
    return sims.DepthProfile(species_name=name, **every | fields)


APPROVED = "dataset"
NAMES = {**globals(), "json": json, "xr": xr, "paired": paired, "to_canonical": to_canonical}


def outcome(call):
    return messages(call, NAMES)


def test_errors_and_warnings_have_the_approved_words():
    assert not (changed := difference(APPROVED, outcome)), changed
