"""Profiles of known parameters, and what a fit should give back."""

import numpy as np
import xarray as xr
from scipy.special import ndtr

from sims_analysis.shapes import models

#: Of each model: parameters (dose in atom/cm^2, values in atom/cm^3), and the last depth in nm.
TRUTH = {
    "gaussian": [
        ((1e15, 100, 30), 300),
        ((3e13, 60, 40), 300),
        ((4e16, 200, 6), 600),  # down to what has no logarithm
    ],
    "joined_gaussian": [((1e15, 100, 30, 45), 300), ((2e12, 100, 45, 20), 250)],
    "pearson": [
        ((1e15, 100, 30, 0.3, 3.5), 300),  # IV
        ((1e15, 150, 30, -0.9, 4.6), 300),  # VI
        ((1e15, 100, 30, 0.0, 3.0), 300),  # the Gaussian
        ((1e15, 100, 30, 0.5, 3.0), 300),  # I
        ((1e15, 100, 30, 0.0, 2.5), 250),  # II
        ((1e15, 100, 30, 0.5, 3.375), 300),  # III
        ((1e15, 100, 30, 0.0, 4.0), 400),  # VII
    ],
    "dual_pearson": [
        ((1e15, 0.8, 100, 30, -0.2, 3.2, 160, 60, 0.6, 4.2), 500),
        ((5e14, 0.9, 80, 25, -0.3, 3.3, 130, 50, 0.4, 3.8), 450),
        # Found under each other's names, and from other starting values than these two.
        ((1e13, 0.696, 108.7, 17.1, -0.137, 3.17, 166, 29.8, 0.003, 3.29), 700),
        ((3.5e15, 0.648, 99, 23.1, -0.063, 3.25, 129, 33.9, 0.77, 4.28), 700),
        # Half of the dose in a skewed tail.
        ((5e14, 0.53, 111, 25.4, 0.21, 3.43, 151, 46.2, 1.08, 5.48), 470),
        ((5e14, 0.55, 157, 30.2, 0.26, 3.48, 206, 50.8, 0.78, 4.3), 560),
        ((5e14, 0.57, 183, 31.8, -0.49, 3.73, 234, 52.3, 1.06, 5.2), 600),
    ],
    "erfc": [((1e20, 100), 300)],
    "limited_source": [((1e15, 80), 250)],
    "annealed_implant": [((1e15, 60, 50), 300), ((1e15, 20, 50), 300), ((1e15, 100, 30), 300)],
    "tracer_exchange": [((9e21, 2e19, 100, 0.7), 500), ((5e21, 1e20, 60, 2.0), 300)],
    "edge": [((120, 8, 1e21, 2e20, 1e18, -2e17), 250), ((120, 8, 1e18, 1e21, 1e14, 1e18), 250)],
    "edge_logistic": [
        ((120, 4, 0.05, 1e21, 2e20, 1e18, -2e17), 250),
        ((120, 4, -0.1, 2e20, 1e21, 1e17, -2e17), 250),
        # Plateaus that slope by as much as the step, or more.
        ((145, 17, 0.00924, 8.06e20, 2.33e20, -2.05e18, 3.35e18), 250),
        ((108, 19.4, -0.0159, 7.2e19, 5.83e19, 9.24e16, -2.05e16), 250),
    ],
    "delta_drf": [((1e14, 100, 2, 5, 2.5), 250), ((1e14, 60, 1, 8, 1.5), 150)],
    "delta_mri": [((1e14, 100, 4, 2.5, 1.2), 250), ((1e14, 60, 2, 1, 0.5), 150)],
}


def values(model, parameters, z):
    """Give the model's values, a dose being stated in atom/cm^2."""
    found = models()[model]
    scaled = [
        v * 1e7 if one.kind == "area" else v
        for v, one in zip(parameters, found.parameters, strict=True)
    ]
    return found.formula(z, *map(float, scaled))


def profile(c, z, *, dims=("depth",), units="atom/cm^3", name="concentration"):
    """Put values on a depth axis."""
    depth = ("depth", np.asarray(z, dtype=float), {"units": "nm"})
    return xr.DataArray(c, dims=dims, coords={"depth": depth}, attrs={"units": units}, name=name)


def counted(model, parameters, z, *, peak, trials, seed):
    """Draw Poisson counts, `peak` of them expected at the maximum, as a batch of trials."""
    c = values(model, parameters, z)
    top = c.max()
    rng = np.random.default_rng(seed)
    counts = rng.poisson(np.broadcast_to(c / top * peak, (trials, z.size)))
    ds = profile(counts * (top / peak), z, dims=("trial", "depth")).to_dataset()
    ds["concentration_counts"] = (("trial", "depth"), counts.astype(float), {"units": "count"})
    return ds


def film(z):
    """Give a film between 60 and 140 nm."""
    return 1e20 * (ndtr((z - 60) / 4) - ndtr((z - 140) / 4)) + 1e16
