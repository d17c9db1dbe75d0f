"""A step between two plateaus that is steeper on one side: the extended logistic function."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import product

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.edge import PLATEAUS, between, plateaus, steepest
from sims_analysis.shapes.model import Model, Parameter

#: Arguments of a logistic function at 16 % and 84 %.
_END = float(np.log(0.84 / 0.16))


def formula(z: Array, position: float, scale: float, asymmetry: float, *sides: float) -> Array:
    """Return ``L / (1 + e^Z) + R / (1 + e^-Z)``, ``Z = u (1 + e^(a u)) / (2 d)``: scale d."""
    return between(*_step_at(z, position, scale, asymmetry), *sides)


def _step_at(z: Array, position: float, scale: float, asymmetry: float) -> tuple[Array, Array]:
    """Return the depths from the position, and how much of the step is complete there."""
    u = z - position
    return u, expit(u * (1 + np.exp(np.clip(asymmetry * u, -50.0, 50.0))) / (2 * scale))


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Begin without asymmetry, and with some to either side; also from the best of a few edges."""
    sets: list[tuple[float, ...]] = []
    for found, leans in ((plateaus, (0.0, 0.3, -0.3)), (steepest, (0.0,))):
        position, width, left, right = found(z, c)
        scale = width / (2 * _END)
        sets += [(position, scale, lean / scale, left, right, 0.0, 0.0) for lean in leans]
    return [*sets, _best(z, c)]


def _best(z: Array, c: Array) -> tuple[float, ...]:
    """Return the best of a few edges, each with the plateaus of least squares: C is linear in them.

    Plateaus that slope by more than the step hide where it is.
    """
    span = float(np.ptp(z))
    found: list[tuple[float, tuple[float, ...]]] = []
    for part, scale in product(np.linspace(0.1, 0.9, 17), (0.01, 0.03, 0.09)):
        edge = float(z[0] + part * span), scale * span, 0.0
        u, below = _step_at(z, *edge)
        sides = np.stack([1 - below, below, u * (1 - below), u * below])
        levels = np.linalg.lstsq(sides.T, c, rcond=None)[0]
        found.append((float(np.sum((levels @ sides - c) ** 2)), (*edge, *levels.tolist())))
    return min(found)[1]


def width(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return the distance between the depths of 16 % and 84 % of the step."""
    scale, asymmetry = p["scale"], p["asymmetry"]

    def argument(u: float, target: float) -> float:
        grown = float(np.exp(np.clip(asymmetry * u, -50.0, 50.0)))
        return u * (1 + grown) / (2 * scale) - target

    # Z grows with u, at least half as fast as without asymmetry on the flatter side.
    reach = 2.5 * _END * scale
    if not (np.isfinite(reach) and reach > 0):
        return [np.nan]
    ends = [
        brentq(argument, -reach, reach, args=(end,), xtol=1e-13 * reach, disp=False)
        for end in (-_END, _END)
    ]
    return [ends[1] - ends[0]]


MODEL = Model(
    name="edge_logistic",
    summary="a step between two plateaus, an asymmetric logistic function",
    parameters=(
        Parameter("position", "depth", "where half of the step is complete"),
        Parameter("scale", "depth", "D0 of the logistic function", lower=0),
        Parameter("asymmetry", "per_depth", "Q: D = 2 D0 / (1 + exp(Q u)), u from the position"),
        *PLATEAUS,
    ),
    formula=formula,
    start=start,
    reference="W. H. Kirchhoff, G. P. Chambers, J. Fine, J. Vac. Sci. Technol. A 4 (1986) 1666; "
    "ASTM E1636",
    shape="step",
    derived=(Parameter("width_16_84", "depth", "between 16 % and 84 %", lower=0),),
    derive=width,
    has_levels=True,
    on_time=True,
)
