"""A step between two plateaus that is steeper on one side: the extended logistic function."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.edge import PLATEAUS, between, derivatives_between, plateaus, steepest
from sims_analysis.shapes.model import Model, Parameter

#: Arguments of a logistic function at 16 % and 84 %.
_END = float(np.log(0.84 / 0.16))


@dataclass(frozen=True)
class _Rules:
    """The numbers of starting values, of jumps, and of the width."""

    leans: tuple[float, ...] = (0.0, 0.3, -0.3)  # asymmetries that are tried, over the scale
    # Least and largest part of the span of the samples at which edges are tried, and their number.
    places: tuple[float, float, int] = (0.1, 0.9, 17)
    scales: tuple[float, ...] = (0.01, 0.03, 0.09)  # parts of the span that their scales are
    # Asymmetry times scale beyond which the steeper side may be a jump, and from which on it is
    # one: the other side is 6 and 13 times as wide then.
    jumps: tuple[float, float] = (3.0, 10.0)
    exponent: float = 50.0  # of the asymmetry, at most: beyond it the step is complete
    # Z grows with u, at least half as fast as without asymmetry on the flatter side: 16 and 84 %
    # are within so many times what they are without it,
    reach: float = 2.5
    accuracy: float = 1e-13  # part of that to which they are found


_RULES = _Rules()


def formula(z: Array, position: float, scale: float, asymmetry: float, *sides: float) -> Array:
    """Return ``L / (1 + e^Z) + R / (1 + e^-Z)``, ``Z = u (1 + e^(a u)) / (2 d)``: scale d."""
    return between(*_step_at(z, position, scale, asymmetry), *sides)


def derivatives(z: Array, position: float, scale: float, asymmetry: float, *sides: float) -> Array:
    """Return the derivatives with respect to position, scale, asymmetry, levels and slopes."""
    u, below = _step_at(z, position, scale, asymmetry)
    left, right, left_slope, right_slope = sides
    grown = _growth(u, asymmetry)
    step = (right - left) + (right_slope - left_slope) * u
    density = step * below * (1 - below) / (2 * scale)
    by_position = -density * (grown + asymmetry * u * (grown - 1))
    by_edge = [by_position, -density * u * grown / scale, density * u * u * (grown - 1)]
    return derivatives_between(u, below, by_edge, left_slope, right_slope)


def _step_at(z: Array, position: float, scale: float, asymmetry: float) -> tuple[Array, Array]:
    """Return the depths from the position, and how much of the step is complete there."""
    u = z - position
    return u, expit(u * _growth(u, asymmetry) / (2 * scale))


def _growth(u: Array | float, asymmetry: float) -> Array:
    """Return ``1 + e^(a u)``, which does not overflow."""
    grown: Array = 1 + np.exp(np.clip(asymmetry * u, -_RULES.exponent, _RULES.exponent))
    return grown


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Begin without asymmetry, and with some to either side; also from the best of a few edges."""
    sets: list[tuple[float, ...]] = []
    for measure, leans in ((plateaus, _RULES.leans), (steepest, (0.0,))):
        position, width, left, right = measure(z, c)
        scale = width / (2 * _END)
        sets += [(position, scale, lean / scale, left, right, 0.0, 0.0) for lean in leans]
    return [*sets, _best(z, c)]


def _best(z: Array, c: Array) -> tuple[float, ...]:
    """Return the best of a few edges, each with the plateaus of least squares: C is linear in them.

    Plateaus that slope by more than the step hide where it is.
    """
    span = float(np.ptp(z))
    tried: list[tuple[float, tuple[float, ...]]] = []
    for part, scale in product(np.linspace(*_RULES.places), _RULES.scales):
        edge = float(z[0] + part * span), scale * span, 0.0
        u, below = _step_at(z, *edge)
        sides = np.stack([1 - below, below, u * (1 - below), u * below])
        levels = np.linalg.lstsq(sides.T, c, rcond=None)[0]
        tried.append((float(np.sum((levels @ sides - c) ** 2)), (*edge, *levels.tolist())))
    return min(tried)[1]


def irregular(p: Sequence[float]) -> float:
    """Return how nearly the steeper side is a jump, as noise and most asymmetries make it."""
    lean = p[1] * abs(p[2])
    may, surely = _RULES.jumps
    return lean / surely if lean > may else 0.0


def width(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return the distance between the depths of 16 % and 84 % of the step."""
    scale, asymmetry = p["scale"], p["asymmetry"]

    def argument(u: float, target: float) -> float:
        return u * float(_growth(u, asymmetry)) / (2 * scale) - target

    reach = _RULES.reach * _END * scale
    if not (np.isfinite(reach) and reach > 0):
        return [np.nan]
    ends = [
        brentq(argument, -reach, reach, args=(end,), xtol=_RULES.accuracy * reach, disp=False)
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
    derivatives=derivatives,
    start=start,
    reference="W. H. Kirchhoff, G. P. Chambers, J. Fine, J. Vac. Sci. Technol. A 4 (1986) 1666; "
    "ASTM E1636",
    shape="step",
    derived=(Parameter("width_16_84", "depth", "between 16 % and 84 %", lower=0),),
    derive=width,
    irregular=irregular,
    has_levels=True,
    on_time=True,
)
