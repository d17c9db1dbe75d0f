"""What a model is: a file in ``models/shapes``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from sims_analysis.units import CANONICAL, NM_PER_CM

__all__ = ["Array", "Kind", "Model", "Parameter"]

#: Of floats, booleans or indices.
Array = NDArray[Any]

#: What a parameter measures. ``value`` is in the unit of the data, ``area`` is a value integrated
#: over depth (a dose, where the data are concentrations), ``slope`` a value per nm.
Kind = Literal[
    "depth", "per_depth", "value", "area", "slope", "dimensionless", "diffusivity", "velocity"
]


@dataclass(frozen=True)
class Parameter:
    """One parameter of a model.

    Parameters
    ----------
    name : str
        As the variable of the result is called.
    kind : str
        What it measures, and so its unit.
    definition : str
        What it is, in words.
    lower, upper : float
        Bounds, which are never reached by a fit that is ``ok``.
    """

    name: str
    kind: Kind
    definition: str
    lower: float = -np.inf
    upper: float = np.inf

    def units(self, data_kind: str) -> str:
        """Return its unit for data of a kind of ``sims_analysis.units.CANONICAL``."""
        data = CANONICAL[data_kind]
        if self.kind == "area":
            areas = {"atom/cm^3": "atom/cm^2", "1/cm": "1", "1": "nm"}
            return areas.get(data, f"{data} nm")
        if self.kind in ("value", "slope"):
            return data if self.kind == "value" else f"{data} / nm"
        return {
            "depth": "nm",
            "per_depth": "1/nm",
            "diffusivity": "cm^2/s",
            "velocity": "cm/s",
        }.get(self.kind, "1")

    def factor(self, data_kind: str) -> float:
        """Return the number that turns value times nm into the unit of a dose."""
        per_cm = self.kind == "area" and CANONICAL[data_kind] in ("atom/cm^3", "1/cm")
        return 1 / NM_PER_CM if per_cm else 1.0

    @property
    def scales(self) -> bool:
        """Whether it grows with the data: twice the concentrations, twice the dose."""
        return self.kind in ("value", "area", "slope")


@dataclass(frozen=True)
class Model:
    """A shape that a profile may have.

    Parameters
    ----------
    name, summary : str
        As users ask for it, and what it describes.
    parameters : sequence of Parameter
    formula : callable
        ``formula(z, *parameters)`` gives the values at depths `z` (nm), a dose being the integral
        over z in nm. It gives NaN where the parameters describe nothing.
    start : callable
        ``start(z, c)`` gives starting values, one set or several to be tried, from samples in
        order of depth with the largest value 1.
    reference : str
        Where the formula comes from.
    derivatives : callable, optional
        ``derivatives(z, *parameters)`` gives the derivatives of the formula, one row for each
        parameter; without it they are computed by differences.
    shape : {"peak", "surface_peak", "decay", "step"}
        What the data must show. A peak has to lie inside the window, and be the only one; a
        surface peak may be cut off by the surface.
    derived : sequence of Parameter
        What follows from the parameters, given out beside them.
    derive : callable, optional
        ``derive(parameters, options)`` gives the derived values, in the units of their kinds,
        from the parameters by name; NaN where an option that it needs was not given.
    ordered : callable, optional
        ``ordered(parameters)`` gives the same curve's parameters under their right names, where a
        model has two parts that may be exchanged.
    irregular : callable, optional
        ``irregular(parameters)`` says whether the curve has edges whose errors do not follow from
        the curvature of the likelihood: if all parameters are free, minima without edges come
        first, and where there is none, shapes have no error.
    options : tuple of str
        Names of options that `derive` takes: ``"time"`` (s), ``"initial_straggle"`` (nm).
    """

    name: str
    summary: str
    parameters: Sequence[Parameter]
    formula: Callable[..., Array]
    start: Callable[[Array, Array], Sequence[Any]]
    reference: str
    derivatives: Callable[..., Array] | None = None
    shape: Literal["peak", "surface_peak", "decay", "step"] = "peak"
    derived: Sequence[Parameter] = ()
    derive: Callable[[Mapping[str, float], Mapping[str, float]], Sequence[float]] | None = None
    options: tuple[str, ...] = ()
    ordered: Callable[[Sequence[float]], Sequence[float]] | None = None
    irregular: Callable[[Sequence[float]], bool] | None = None

    @property
    def names(self) -> list[str]:
        """Names of the parameters, in the order of the formula."""
        return [parameter.name for parameter in self.parameters]
