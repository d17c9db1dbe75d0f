"""The kernels that work on batches, and batches with rows of every kind."""

import numpy as np
from plain_profiles import realistic

from sims_analysis.kernels import (
    containing,
    crossings,
    doping,
    dose,
    interpolation,
    moments,
    propagation,
)

AT = np.linspace(-5, 605, 157)
SIGN = np.array([1.0, -0.5])


def metallurgical(depth, value):
    pairs = value.reshape(-1, 2, value.shape[-1])
    own = depth if depth.ndim == 1 else depth.reshape(pairs.shape)
    stderr = np.sqrt(np.abs(pairs) * 1e15)
    return doping.metallurgical(own, pairs, stderr, SIGN, 1e15, width=60)


KERNELS = {
    "trapezoid": dose.integrate,
    "trapezoid limits": lambda z, c: dose.integrate(z, c, 10.1, 499.7),
    "loglinear": lambda z, c: dose.integrate(z, c, rule="loglinear"),
    "loglinear limits": lambda z, c: dose.integrate(z, c, 10.1, 499.7, rule="loglinear"),
    "variance": lambda z, c: (propagation.variance(z, c, c, 10.1, 499.7),),
    "cumulative": lambda z, c: (dose.cumulative(z, c),),
    "cumulative loglinear": lambda z, c: (dose.cumulative(z, c, rule="loglinear"),),
    "containing": lambda z, c: containing.depth_at_dose_fraction(z, c, c, np.array([0.5, 0.9])),
    "interpolation": lambda z, c: interpolation.interpolate(z, c, AT),
    "interpolation linear": lambda z, c: interpolation.interpolate(z, c, AT, method="linear"),
    "moments": lambda z, c: moments.moments(z, c, c, 10.1, window=(300.0, 499.7)),
    "crossings": lambda z, c: crossings.table(z, c, 1e15, width=40),
    "junction": lambda z, c: crossings.junction(z, c, 1e18, after=np.nan),
}


def batch(layout, rows=300, n=400):
    """Make rows of every kind, with zeros, ties and gaps, and more than one block of samples."""
    depth, value = realistic(rows, n, gaps=0.002)
    value[7], value[8, 1:], value[9, :90], value[10, -90:] = np.nan, np.nan, np.nan, np.nan
    value[11, 50:350:2] = np.nan
    value[12], value[13] = 0.0, -1.0
    if layout == "own":
        depth = depth + np.linspace(0, 0.4, rows)[:, None]
        depth[::3, -40:] = np.nan
    return depth, value


def of_rows(depth, rows):
    return depth if depth.ndim == 1 else depth[rows]
