"""Two Pearson distributions: the head of an implant, and the tail that was channelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from sims_analysis.kernels.samples import Array, smoothed
from sims_analysis.shapes import pearson
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import moments_above

_HEAD, _TAIL = slice(0, 4), slice(4, 8)


def formula(z: Array, dose: float, head_fraction: float, *moments: float) -> Array:
    """Return ``Q [a f_head + (1 - a) f_tail]``."""
    head = pearson.formula(z, head_fraction, *moments[_HEAD])
    return dose * (head + pearson.formula(z, 1 - head_fraction, *moments[_TAIL]))


def derivatives(z: Array, dose: float, head_fraction: float, *moments: float) -> Array:
    """Return the derivatives; with respect to skewness and kurtosis by differences."""
    head = pearson.derivatives(z, dose * head_fraction, *moments[_HEAD])
    tail = pearson.derivatives(z, dose * (1 - head_fraction), *moments[_TAIL])
    by_dose = head_fraction * head[0] + (1 - head_fraction) * tail[0]
    return np.vstack([by_dose[None], dose * (head[0] - tail[0])[None], head[1:], tail[1:]])


def start(z: Array, c: Array) -> list[tuple[float, ...]]:
    """Take the head from above a fifth of the maximum, and the tail from what it leaves."""
    core = moments_above(z, c, 0.2)
    # Moments above a fifth of the maximum of a Gaussian are less than the whole ones.
    width = 1.15 * core.deviation
    head = pearson.formula(z, 1.05 * core.area, core.mean, width, 0.0, 3.0)
    rest = np.where(z > core.mean, np.clip(smoothed(c, 3) - head, 0.0, None), 0.0)
    share, tails = 0.1, [(core.mean + width, 2.0 * width, 0.5)]
    if rest.max() > 0:
        tail = moments_above(z, rest, 0.01)
        share = float(np.clip(tail.area / (core.area + tail.area), 0.02, 0.6))
        # A more skewed tail lies deeper, and does nearly as well with a larger head.
        tails = [(tail.mean, max(tail.deviation, width), 0.5), *tails]
        tails += [(core.mean + 2.0 * width, 2.5 * width, 1.0)]
        tails += [(tail.mean, max(tail.deviation, width), g) for g in (0.0, 1.3)]
    skewness = float(np.clip(moments_above(z, c, 0.05).skewness, -0.5, 0.5))
    sets = [
        (core.area / (1 - share), 1 - share, core.mean, width, lean, 3.3, *tail)
        for tail in ((mean, deviation, g, 3.2 + 1.6 * g**2) for mean, deviation, g in tails)
        for lean in (skewness, -0.3)
    ]
    # A skewed tail that holds half of the dose, and part of the maximum.
    halves = (core.mean - 0.3 * width, 0.8 * width, 0.0, 3.3)
    return [*sets, (core.area / 0.6, 0.5, *halves, core.mean + width, 1.5 * width, 0.9, 4.7)]


def ordered(p: Sequence[float]) -> Sequence[float]:
    """Return the same curve with the shallower distribution as the head."""
    dose, fraction, *both = p
    head, tail = both[_HEAD], both[_TAIL]
    return p if head[0] <= tail[0] else [dose, 1 - fraction, *tail, *head]


def irregular(p: Sequence[float]) -> bool:
    """Return whether a part begins or ends as steeply as the third power of the distance.

    A few samples decide then how well that place is known: its information has no variance.
    """
    parts = p[2:][_HEAD], p[2:][_TAIL]
    return any(pearson.edge_power(*part[2:]) <= 3 for part in parts)


def _moments(part: str) -> list[Parameter]:
    return [
        replace(one, name=f"{part}_{one.name}", definition=f"{one.definition}, of the {part}")
        for one in pearson.MODEL.parameters[1:]
    ]


def retained(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return the part of the dose that lies below the surface."""
    parts = (p["head_fraction"], 1 - p["head_fraction"])
    names = [one.name for one in pearson.MODEL.parameters[1:]]
    left = sum(
        share * (1 - pearson.outside(*(p[f"{part}_{name}"] for name in names)))
        for share, part in zip(parts, ("head", "tail"), strict=True)
    )
    return [p["dose"] * left]


MODEL = Model(
    name="dual_pearson",
    summary="an implant with a channelling tail, two Pearson distributions",
    parameters=(
        pearson.MODEL.parameters[0],
        Parameter("head_fraction", "dimensionless", "part of the dose in the head", 0, 1),
        *_moments("head"),
        *_moments("tail"),
    ),
    formula=formula,
    derivatives=derivatives,
    start=start,
    derived=pearson.MODEL.derived,
    derive=retained,
    ordered=ordered,
    irregular=irregular,
    reference="A. F. Tasch, H. Shin, C. Park, J. Alvis, S. Novak, J. Electrochem. Soc. 136 (1989) "
    "810",
)
