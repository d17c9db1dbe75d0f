"""Measurements made by hand, and the same measurement in every layout that users have."""

import numpy as np
import xarray as xr

import sims_analysis as sims


def profile(species, depths, values, depth_units="nm", units="atoms/cm^3", **more):
    """Give one profile as a user makes it."""
    return sims.DepthProfile(
        species_name=species, depths=depths, depth_units=depth_units,
        concentrations=values, concentration_units=units, **more,
    )  # fmt: skip


def measurement(depth, profiles, *, stderr=None, units="atom/cm^3", depth_units="nm"):
    """Give a Dataset over (species, depth) of profiles on one axis."""
    variables = {"concentration": _over_depth(profiles, units)}
    if stderr is not None:
        variables["concentration_stderr"] = _over_depth(stderr, units)
    return xr.Dataset(
        variables,
        coords={
            "species": list(profiles),
            "depth": ("depth", np.asarray(depth, float), {"units": depth_units}),
        },
    )


def _over_depth(profiles, units):
    values = np.array([np.asarray(p, float) for p in profiles.values()])
    return ("species", "depth"), values, {"units": units}


def one(depth, values, **options):
    """Give a Dataset of one species, B."""
    stderr = options.pop("stderr", None)
    if stderr is not None:
        options["stderr"] = {"B": stderr}
    return measurement(depth, {"B": values}, **options)


def without_zero_flags(data):
    """Leave out flags of which none is set: on Dask it is not known beforehand that there are none.

    It says that flags stay whole numbers, too.
    """
    flags = [name for name in data.coords if str(name).endswith("_quality")]
    assert all(data[name].dtype == np.int16 for name in flags)
    return data.drop_vars([name for name in flags if not data[name].any()])


def union(profiles, *, units="atom/cm^3"):
    """Give a Dataset over the union of the axes of ``{species: (depth, values)}``, NaN between."""
    depth = np.unique(np.concatenate([z for z, _ in profiles.values()]))
    values = np.full((len(profiles), depth.size), np.nan)
    for row, (z, c) in enumerate(profiles.values()):
        values[row, np.searchsorted(depth, z)] = c
    return measurement(depth, dict(zip(profiles, values, strict=True)), units=units)


def padded(profiles, *, units="atom/cm^3", spare=2):
    """Give the same as one measurement of a batch, each profile on its own padded axis."""
    longest = max(len(z) for z, _ in profiles.values()) + spare
    axes, values = (np.full((1, len(profiles), longest), np.nan) for _ in range(2))
    for row, (z, c) in enumerate(profiles.values()):
        axes[0, row, : len(z)], values[0, row, : len(z)] = z, c
    dims = ("measurement", "species", "point")
    return xr.Dataset(
        {"concentration": (dims, values, {"units": units})},
        coords={
            "measurement": ["w1"],
            "species": list(profiles),
            "depth": (dims, axes, {"units": "nm"}),
        },
    )


def layouts(profiles):
    """Give the same profiles in every layout, by name."""
    joined = union(profiles)
    own = padded(profiles)
    return {
        "union": joined,
        "padded": own,
        "union, quantified": sims.quantify(joined),
        "padded, quantified": sims.quantify(own),
        "union, dask": joined.chunk({"species": 1}),
        "padded, dask": own.chunk({"species": 1}),
        "union, transposed": joined.transpose(),
        "union, backwards": joined.isel(species=slice(None, None, -1)),
    }


def plain(result, names):
    """Give a result as a plain array in the order of `names`, without a measurement dimension."""
    result = sims.dequantify(result)
    if "measurement" in result.dims:
        result = result.isel(measurement=0)
    return result.sel(species=list(names)).transpose("species", ...).compute()


def number(result):
    """Give the one number of a result, whatever its dimensions."""
    (value,) = np.ravel(sims.dequantify(result).values)
    return float(value)


def word(result):
    """Give the one word of a status."""
    (value,) = np.ravel(result.values)
    return str(value)
