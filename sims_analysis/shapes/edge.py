"""A step between two plateaus, blurred by a Gaussian."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import ndtr, ndtri

from sims_analysis.kernels.samples import Array, smoothed
from sims_analysis.shapes.model import Model, Parameter

#: Standard deviations of an error function between 16 % and 84 %: 1.989.
SIGMAS = float(ndtri(0.84) - ndtri(0.16))

PLATEAUS = (
    Parameter("left_level", "value", "plateau towards the surface, at the position of the edge"),
    Parameter("right_level", "value", "plateau below, at the position of the edge"),
    Parameter("left_slope", "slope", "of the plateau towards the surface"),
    Parameter("right_slope", "slope", "of the plateau below"),
)


def formula(z: Array, position: float, width: float, *sides: float) -> Array:
    """Return ``L + (R - L) Phi(u / s)``; L and R are plateaus that may slope, the width 1.989 s."""
    u = z - position
    return between(u, ndtr(u * (SIGMAS / width)), *sides)


def between(
    u: Array, below: Array, left: float, right: float, left_slope: float, right_slope: float
) -> Array:
    """Return a curve of which a part has passed from the plateau above to that below."""
    value: Array = (left + left_slope * u) * (1 - below) + (right + right_slope * u) * below
    return value


def derivatives(z: Array, position: float, width: float, *sides: float) -> Array:
    """Return the derivatives with respect to position, width, levels and slopes."""
    u, (left, right, left_slope, right_slope) = z - position, sides
    scaled = u * (SIGMAS / width)
    below = ndtr(scaled)
    step = (right - left) + (right_slope - left_slope) * u
    density = step * np.exp(-0.5 * scaled**2) / np.sqrt(2 * np.pi)
    by_edge = [-density * SIGMAS / width, -density * scaled / width]
    return derivatives_between(u, below, by_edge, left_slope, right_slope)


def derivatives_between(
    u: Array, below: Array, by_edge: Sequence[Array], left_slope: float, right_slope: float
) -> Array:
    """Return the derivatives with respect to position, shape, levels and slopes.

    `by_edge` are those by the position and the shape of what has passed, times the step.
    """
    by_position = by_edge[0] - left_slope * (1 - below) - right_slope * below
    levels = [1 - below, below, u * (1 - below), u * below]
    return np.stack([by_position, *by_edge[1:], *levels])


def plateaus(z: Array, c: Array) -> tuple[float, float, float, float]:
    """Return position, 16-84 width and levels from the first and last eighth of the samples."""
    part = max(2, c.size // 8)
    left, right = float(np.median(c[:part])), float(np.median(c[-part:]))
    # Made monotone, so that noise crosses each part once.
    part_done = isotonic_regression((c - left) / ((right - left) or 1.0)).x
    crossed = np.minimum(part_done.searchsorted([0.16, 0.5, 0.84], side="right"), c.size - 1)
    smallest = float(np.diff(z).min())
    width = max(float(z[crossed[2]] - z[crossed[0]]), smallest)
    return float(z[crossed[1]]), width, left, right


def steepest(z: Array, c: Array) -> tuple[float, float, float, float]:
    """Return the same from the steepest place, for plateaus that slope by as much as the step."""
    slope = np.gradient(smoothed(c, 7), z)
    slope -= np.median(slope)
    at = int(np.argmax(np.abs(slope[2:-2]))) + 2 if c.size > 5 else c.size // 2
    near = slice(max(0, at - c.size // 12), at + c.size // 12 + 1)
    width = float(np.ptp(z[near])) / 4
    return float(z[at]), max(width, float(np.diff(z).min())), float(c[near][0]), float(c[near][-1])


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Take level plateaus, and where the samples pass 16, 50 and 84 %; or the steepest place."""
    return [(*measure(z, c), 0.0, 0.0) for measure in (plateaus, steepest)]


MODEL = Model(
    name="edge",
    summary="a step between two plateaus, an error function",
    parameters=(
        Parameter("position", "depth", "where half of the step is complete"),
        Parameter("width_16_84", "depth", "between 16 % and 84 %; 1.989 standard deviations", 0),
        *PLATEAUS,
    ),
    formula=formula,
    derivatives=derivatives,
    start=start,
    reference="ISO 18115-1, depth resolution: 16 % to 84 % of an error function",
    shape="step",
    has_levels=True,
    on_time=True,
)
