"""What a model is, and a parameter of it: each file of ``shapes`` has one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from sims_analysis.kernels.samples import Array
from sims_analysis.units import CANONICAL, NM_PER_CM

#: What a parameter measures.
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
        What it measures, and so its unit: ``"value"``, that of the data; ``"area"``, of a value
        integrated over depth (a dose, where the data are concentrations); ``"slope"``, of a value
        per nm; ``"depth"``, ``"per_depth"``, ``"diffusivity"``, ``"velocity"`` or
        ``"dimensionless"``.
    definition : str
        What it is, in words.
    lower, upper : float
        Bounds, which are never reached by a fit that is ``ok``.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> sims.Parameter("half_width", "depth", "at half of the maximum").units("concentration")
    'nm'
    """

    name: str
    kind: Kind
    definition: str
    lower: float = -np.inf
    upper: float = np.inf

    def units(self, data_kind: str, axis: str = "depth") -> str:
        """Return its unit for data of a kind such as ``"concentration"``, over an axis."""
        data, of_axis = CANONICAL[data_kind], CANONICAL[axis]
        if self.kind == "area":
            per_nm = {"atom/cm^3": "atom/cm^2", "1/cm": "1", "1": "nm"}
            areas = per_nm if axis == "depth" else {"count/s": "count", "1": "s"}
            return areas.get(data, f"{data} {of_axis}")
        if self.kind in ("value", "slope"):
            return data if self.kind == "value" else f"{data} / {of_axis}"
        return {
            "depth": of_axis,
            "per_depth": f"1/{of_axis}",
            "diffusivity": "cm^2/s",
            "velocity": "cm/s",
        }.get(self.kind, "1")

    def factor(self, data_kind: str, axis: str = "depth") -> float:
        """Return the number that turns value times nm into the unit of a dose."""
        dose = self.kind == "area" and CANONICAL[data_kind] in ("atom/cm^3", "1/cm")
        return 1 / NM_PER_CM if dose and axis == "depth" else 1.0

    @property
    def scales(self) -> bool:
        """Whether it grows with the data: twice the concentrations, twice the dose."""
        return self.kind in ("value", "area", "slope")


@dataclass(frozen=True)
class Model:
    """A shape that a profile may have, which :func:`fit` takes by its name or as it is.

    Parameters
    ----------
    name, summary : str
        As users ask for it, and what it describes.
    parameters : sequence of Parameter
        In the order of the formula.
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
    shape : {"peak", "surface_peak", "layers", "decay", "step"}
        What the data must show. A peak has to lie inside the window, and be the only one; a
        surface peak may be cut off by the surface; of layers there must be as many as are fitted.
    derived : sequence of Parameter
        What follows from the parameters, also returned.
    derive : callable, optional
        ``derive(parameters, options)`` gives the derived values, in the units of their kinds,
        from the parameters by name; NaN where an option that it needs was not given.
    ordered : callable, optional
        ``ordered(parameters)`` gives the same curve's parameters under their right names, where a
        model has two parts that may be exchanged.
    irregular : callable, optional
        ``irregular(parameters)`` says how surely, from 0 to 1, the curve has edges whose errors do
        not follow from the curvature of the likelihood: if all parameters are free, minima of 0
        come first, and where there is none, shapes have no error from 1 on.
    options : tuple of str
        Names of options that `derive` takes: ``"time"`` (s), ``"initial_straggle"`` (nm).
    restated : mapping, optional
        Derived values that profiles may have in common, and may take the place of a parameter
        then: its name, and ``of(value, options)``, which gives it.
    has_levels : bool
        Whether parameters are the levels that the profile stands on: a constant under it
        (``background=``) would be one of them again, and is refused. A constant that is no more
        than that needs no parameter: ``background="fit"`` adds one to any other model.
    location : str
        Of a model of one peak without levels, the parameter that says where it is: such a model
        may be repeated.
    on_time : bool
        Whether it is a shape over any axis, so that data on a sputter-time axis are fitted in
        seconds; other models need a depth.

    See Also
    --------
    list_models : The models that there are.

    Examples
    --------
    >>> import numpy as np
    >>> import sims_analysis as sims
    >>> lorentzian = sims.Model(
    ...     name="lorentzian", summary="a Lorentzian peak", reference="H. A. Lorentz, 1909",
    ...     parameters=(sims.Parameter("dose", "area", "integral over depth", lower=0),
    ...                 sims.Parameter("position", "depth", "of the maximum"),
    ...                 sims.Parameter("half_width", "depth", "at half of the maximum", lower=0)),
    ...     formula=lambda z, q, z0, w: q / np.pi * w / ((z - z0) ** 2 + w**2),
    ...     start=lambda z, c: [(np.trapezoid(c, z), z[np.argmax(c)], np.trapezoid(c, z) / np.pi)],
    ... )
    >>> lorentzian.names
    ['dose', 'position', 'half_width']
    """

    name: str
    summary: str
    parameters: Sequence[Parameter]
    formula: Callable[..., Array]
    start: Callable[[Array, Array], Sequence[Any]]
    reference: str
    derivatives: Callable[..., Array] | None = None
    shape: Literal["peak", "surface_peak", "layers", "decay", "step"] = "peak"
    derived: Sequence[Parameter] = ()
    derive: Callable[[Mapping[str, float], Mapping[str, float]], Sequence[float]] | None = None
    options: tuple[str, ...] = ()
    restated: Mapping[str, tuple[str, Callable[[float, Mapping[str, float]], float]]] = field(
        default_factory=dict
    )
    has_levels: bool = False
    location: str = ""
    on_time: bool = False
    ordered: Callable[[Sequence[float]], Sequence[float]] | None = None
    irregular: Callable[[Sequence[float]], float] | None = None

    @property
    def names(self) -> list[str]:
        """Names of the parameters, in the order of the formula."""
        return [p.name for p in self.parameters]
