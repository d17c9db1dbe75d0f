"""A measured profile after diffusion: what an anneal makes of the profile before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from sims_analysis.fitting.objectives import Objective
from sims_analysis.fitting.preparation import NoFitError, objective_of
from sims_analysis.fitting.request import FitRequest
from sims_analysis.kernels.samples import Array, Samples, in_order
from sims_analysis.shapes.annealed_implant import MODEL as IMPLANT
from sims_analysis.shapes.erfc import DIFFUSIVITY
from sims_analysis.shapes.model import Model, Parameter
from sims_analysis.shapes.start_values import moments_above
from sims_analysis.units import NM_PER_CM


@dataclass(frozen=True, eq=False)
class Initial:
    """A profile before the anneal: depths in nm, and values in the canonical unit."""

    z: Array
    c: Array
    #: Of its values over the largest; None where nothing says how well they are known.
    objective: Objective | None


#: What is left of a node that is too far away, in differences of numbers up to thousands.
_ROUNDING = 1e-11


class Shape(NamedTuple):
    """A diffused profile of dose 1 over depths, and its derivatives."""

    value: Array
    by_width: Array
    by_node: Array


def with_initial(
    request: FitRequest, settings: Mapping[str, float]
) -> tuple[FitRequest, Mapping[str, float], Initial | None]:
    """Return request and settings of one profile; the window ends with that before its anneal."""
    if not request.initials:
        return request, settings, None
    initial = request.initials[int(settings["initial"])]
    if initial is None:
        raise NoFitError("no_data", {})
    stop = float(np.fmin(settings["stop"], initial.z[-1]))
    model = diffused(initial, request.surface)
    return replace(request, model=model), {**settings, "stop": stop}, initial


def initial_of(
    samples: Samples, request: FitRequest, start: float, fraction: float
) -> Initial | None:
    """Return a profile before the anneal, from `start` on; None if there is nothing in it."""
    window = samples.where(in_order(samples.z, samples.c, start))
    top = float(window.c.max()) if window.c.size else 0.0
    if not top > 0 or window.c.size < 3:
        return None
    scaled = replace(window, c=window.c / top, s=window.s / top)
    plain = replace(request, weights="auto")
    objective, keep = objective_of(scaled, plain, np.nan, top, fraction)
    if objective is None or not objective.known_errors:
        return Initial(window.z, window.c, None)
    return Initial(window.z[keep], window.c[keep], objective)


def diffusion_matrix(z: Array, nodes: Array, width: float, surface: str) -> tuple[Array, Array]:
    """Return what values at nodes make of depths after diffusion, and its slope with the width.

    The profile is straight between the nodes, and level beyond. Each piece is blurred by a Gaussian
    in closed form; what has passed the surface comes back, or is lost: ``G(z - z') +- G(z + z')``.
    """
    sign = 1.0 if surface == "reflecting" else -1.0
    below, above = _blurred(z, nodes, width), _blurred(-z, nodes, width)
    matrix, slopes = below[0] + sign * above[0], below[1] + sign * above[1]
    # Far away, differences of ramps are rounding errors, which must not affect a count of 0.
    far = abs(matrix) < _ROUNDING
    matrix[far] = slopes[far] = 0.0
    return matrix, slopes


def _blurred(z: Array, nodes: Array, width: float) -> tuple[Array, Array]:
    """Blur what stands for each node, by differences of a blurred ramp; also its slope.

    A ramp is ``u Phi(u / w) + w phi(u / w)`` then, and its derivative with the width ``phi``.
    """
    u, v = (z[:, None] - nodes) / width, z / width
    gauss, surface = (np.exp(-0.5 * t * t) / np.sqrt(2 * np.pi) for t in (u, v))
    ramps = (width * (u * ndtr(u) + gauss), ndtr(v)), (gauss, -v * surface / width)
    blurred = []
    for ramp, step in ramps:
        falls = -np.diff(ramp, axis=1) / np.diff(nodes)
        # A hat rises as the one before it falls; the last does not fall.
        inner = -np.diff(falls, axis=1)
        blurred.append(np.column_stack([step - falls[:, 0], inner, falls[:, -1]]))
    return blurred[0], blurred[1]


def shape(z: Array, nodes: Array, x: Array, width: float, surface: str) -> Shape:
    """Return the profile that values x at nodes become, for a dose of 1 down to the last."""
    matrix, slopes = diffusion_matrix(z, nodes, width, surface)
    half = 0.5 * np.diff(nodes)
    weight = np.append(half, 0.0) + np.insert(half, 0, nodes[0])
    dose = float(weight @ x)
    value = matrix @ x / dose
    return Shape(value, slopes @ x / dose, (matrix - value[:, None] * weight) / dose)


def annealed(z: Array, nodes: Array, x: Array, width: float, surface: str) -> Shape:
    """Return the same of a profile that is smooth between its nodes, h apart.

    Straight pieces have the variance ``h^2 / 6`` of a hat more; below twice that, the width is
    narrowed in proportion.
    """
    pieces = float(np.median(np.diff(nodes))) ** 2 / 6
    far = width**2 > 2 * pieces
    narrowed = np.sqrt(width**2 - pieces) if far else np.sqrt(0.5) * width
    value, by_own, by_node = shape(z, nodes, x, float(narrowed), surface)
    return Shape(value, by_own * (width / narrowed if far else np.sqrt(0.5)), by_node)


def diffused(initial: Initial, surface: str) -> Model:
    """Return the model of what an anneal makes of a profile."""
    x = initial.c / initial.c.max()
    before = moments_above(initial.z, x, 0.1)

    def formula(z: Array, dose: float, broadening: float) -> Array:
        return dose * annealed(z, initial.z, x, broadening, surface).value

    def derivatives(z: Array, dose: float, broadening: float) -> Array:
        profile = annealed(z, initial.z, x, broadening, surface)
        return np.stack([profile.value, dose * profile.by_width])

    def start(z: Array, c: Array) -> list[tuple[float, float]]:
        after = moments_above(z, c, 0.1)
        grown = max(after.deviation**2 - before.deviation**2, 0.01 * before.deviation**2) ** 0.5
        return [(after.area, part * grown) for part in (1.0, 2.0, 0.4)]

    return replace(DIFFUSED, formula=formula, derivatives=derivatives, start=start)


def _diffusivity(p: Mapping[str, float], options: Mapping[str, float]) -> list[float]:
    return [(p["broadening"] / NM_PER_CM) ** 2 / (2 * options["time"])]


def _from_diffusivity(value: float, options: Mapping[str, float]) -> float:
    return NM_PER_CM * float(np.sqrt(2 * value * options["time"]))


#: Of a profile that is not known yet: its parameters, and what follows from them.
DIFFUSED = replace(
    IMPLANT,
    summary="a measured profile after diffusion",
    shape="decay",
    parameters=(
        Parameter(
            "dose", "area", "before the anneal, from the surface to its last sample", lower=0
        ),
        Parameter("broadening", "depth", "sqrt(2 D t), of the Gaussian that blurs it", lower=0),
    ),
    derived=(replace(DIFFUSIVITY, definition="broadening^2 / 2 t, with time="),),
    derive=_diffusivity,
    options=("time",),
    restated={DIFFUSIVITY.name: ("broadening", _from_diffusivity)},
)
