"""Two Pearson distributions: the head of an implant, and the tail that was channelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sims_analysis.kernels.samples import Array, smoothed
from sims_analysis.shapes import pearson
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import moments_above

_HEAD, _TAIL = slice(0, 4), slice(4, 8)


@dataclass(frozen=True)
class _Rules:
    """The numbers of starting values; distances and widths are in widths of the head."""

    core: float = 0.2  # part of the maximum above which the head is measured: of a Gaussian there
    area: float = 1.05  # factor by which the whole area is larger,
    width: float = 1.15  # and by which the whole width is
    tail: float = 0.01  # part of the largest remainder above which the tail is measured
    shares: tuple[float, float] = (0.02, 0.6)  # least and largest part of the dose in the tail
    share: float = 0.1  # part of the dose in the tail where the head leaves no remainder
    least: float = 0.05  # part of the maximum above which the skewness is measured
    lean: float = 0.5  # skewness of the head, at most,
    other_lean: float = -0.3  # and one that is tried, too
    head_kurtosis: float = 3.3  # kurtosis of the head
    # Distance, width and skewness of tails that are tried,
    near: tuple[float, float, float] = (1.0, 2.0, 0.5)
    far: tuple[float, float, float] = (2.0, 2.5, 1.0)
    skewness: tuple[float, ...] = (0.5, 0.0, 1.3)  # and skewnesses of one where the remainder is
    kurtosis: tuple[float, float] = (3.2, 1.6)  # kurtosis of tails: at no skewness, by its square
    # Distance, width and skewness of two halves of the dose, and the part of the whole area that
    # the core has then.
    half_head: tuple[float, float, float] = (-0.3, 0.8, 0.0)
    half_tail: tuple[float, float, float] = (1.0, 1.5, 0.9)
    half_core: float = 0.6


_RULES = _Rules()


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
    rules, core = _RULES, moments_above(z, c, _RULES.core)
    width = rules.width * core.deviation

    def part(distance: float, deviation: float, *shape: float) -> tuple[float, ...]:
        return (core.mean + distance * width, deviation * width, *shape)

    head = pearson.formula(z, rules.area * core.area, core.mean, width, 0.0, 3.0)
    remainder = np.where(z > core.mean, np.clip(smoothed(c, 3) - head, 0.0, None), 0.0)
    share, tails = rules.share, [part(*rules.near)]
    if remainder.max() > 0:
        tail = moments_above(z, remainder, rules.tail)
        share = float(np.clip(tail.area / (core.area + tail.area), *rules.shares))
        # A more skewed tail lies deeper, and does nearly as well with a larger head.
        first, *others = [(tail.mean, max(tail.deviation, width), g) for g in rules.skewness]
        tails = [first, *tails, part(*rules.far), *others]
    measured = moments_above(z, c, rules.least).skewness
    leans = float(np.clip(measured, -rules.lean, rules.lean)), rules.other_lean
    fixed = core.area / (1 - share), 1 - share, core.mean, width
    pairs = [((*fixed, lean), tail) for tail in tails for lean in leans]
    # A skewed tail that holds half of the dose, and part of the maximum.
    half = core.area / rules.half_core, 0.5, *part(*rules.half_head)
    constant, square = rules.kurtosis
    return [
        (*head, rules.head_kurtosis, *tail, constant + square * tail[2] ** 2)
        for head, tail in [*pairs, (half, part(*rules.half_tail))]
    ]


def ordered(p: Sequence[float]) -> Sequence[float]:
    """Return the same curve with the shallower distribution as the head."""
    dose, fraction, *parts = p
    head, tail = parts[_HEAD], parts[_TAIL]
    return p if head[0] <= tail[0] else [dose, 1 - fraction, *tail, *head]


def irregular(p: Sequence[float]) -> bool:
    """Return whether a part begins or ends as steeply as the third power of the distance.

    A few samples decide then how well that place is known: its information has no variance.
    """
    parts = p[2:][_HEAD], p[2:][_TAIL]
    return any(pearson.edge_power(*part[2:]) <= 3 for part in parts)


def _moments(part: str) -> list[Parameter]:
    return [
        replace(p, name=f"{part}_{p.name}", definition=f"{p.definition}, of the {part}")
        for p in pearson.MODEL.parameters[1:]
    ]


def retained(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    """Return the part of the dose that lies below the surface."""
    parts = (p["head_fraction"], 1 - p["head_fraction"])
    names = [parameter.name for parameter in pearson.MODEL.parameters[1:]]
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
