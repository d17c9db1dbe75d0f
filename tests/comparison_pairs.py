"""Measurements that are compared with each other, and moved onto each other."""

import numpy as np
import xarray as xr


def dataset(depth, stderr=None, units="atom/cm^3", **rows):
    name = "concentration" if "atom" in units else "intensity"
    values = np.array(list(rows.values()), dtype=float)
    variables = {name: (("species", "depth"), values, {"units": units})}
    if stderr is not None:
        variables[f"{name}_stderr"] = (("species", "depth"), stderr * values, {"units": units})
    return xr.Dataset(
        variables, coords={"species": list(rows), "depth": ("depth", depth, {"units": "nm"})}
    )


def gaussian(depth, centre=60.0, width=15.0, peak=1e20, floor=0.0):
    return peak * np.exp(-0.5 * ((depth - centre) / width) ** 2) + floor


DEPTH = np.arange(0.0, 150.0, 1.0)
EDGE = 1e20 * np.exp(-DEPTH / 8.0)
