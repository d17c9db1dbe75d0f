"""Measurements as an instrument counts them: over sputter time, or over depth."""

import numpy as np
import xarray as xr


def timed(time, units="count/s", time_units="s", **rows):
    values = np.array(list(rows.values()), dtype=float)
    return xr.Dataset(
        {"intensity": (("species", "sputter_time"), values, {"units": units})},
        coords={
            "species": list(rows),
            "sputter_time": ("sputter_time", time, {"units": time_units}),
        },
    )


def interleaved(*parts):
    """Join species that were measured one after the other, each at times of its own."""
    return xr.merge(parts, join="outer", compat="no_conflicts", combine_attrs="override")
