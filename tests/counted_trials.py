"""Profiles counted a thousand times, to see what stated errors cover."""

import math

import numpy as np
import xarray as xr

import sims_analysis as sims

AMBIGUOUS = "ignore::sims_analysis.errors.AmbiguousJunctionWarning"
TRIALS = 1000
TOP = 1e20


def trials(shape, depth, counts, seed=0):
    """Count a profile a thousand times; `counts` is the number expected at its maximum."""
    rng = np.random.default_rng(seed)
    value_per_count = TOP / counts
    k = rng.poisson(shape(depth) * counts, (TRIALS, 1, depth.size))
    ds = xr.Dataset(
        {
            "concentration": (
                ("measurement", "species", "depth"),
                k * value_per_count,
                {"units": "1/cm3"},
            )
        },
        coords={
            "measurement": np.arange(TRIALS),
            "species": ["B"],
            "depth": ("depth", depth, {"units": "nm"}),
        },
    )
    return sims.with_counting_statistics(ds, value_per_count=f"{value_per_count} atoms/cm^3")


def covered(found, truth):
    """Part of the trials whose stated interval holds the truth."""
    return float((abs(found - truth) <= found["stderr"]).mean())


def edge(per_decade):
    """Give a Gaussian leading edge joined at 60 nm to an exponential trailing edge."""
    decay = per_decade / math.log(10)

    def shape(z):
        return np.where(z < 60, np.exp(-((z - 60) ** 2) / 450), np.exp(-(z - 60) / decay))

    return shape, decay
