"""The request of a fit: the model, what is held or known before, and what profiles share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis.frame.frame import Frame
from sims_analysis.frame.run import Fields
from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.layered_model import of_layers
from sims_analysis.shapes.model import Model, Parameter

BACKGROUND = Parameter("background", "value", "constant under the profile", lower=0)
#: Evidence of every fit, and often better than its parameters.
WINDOW_DOSE = Parameter(
    "window_dose", "area", "integral of the curve over the window, without the background"
)
#: Nuisance parameters, by the setting that holds the relative uncertainty of each.
SCALES = {"depth_scale": "depth_uncertainty", "rsf_scale": "rsf_uncertainty"}
SCALE_PARAMETERS = {
    "depth_scale": Parameter("depth_scale", "dimensionless", "true over apparent depths", lower=0),
    "rsf_scale": Parameter("rsf_scale", "dimensionless", "true over measured values", lower=0),
}

#: By which power of the depth scale a kind of parameter grows.
_POWERS = {"depth": 1, "area": 1, "velocity": 1, "diffusivity": 2, "per_depth": -1, "slope": -1}
#: What is found of each profile, apart from its parameters.
NUMBERS = (
    *("status", "curve_status", "objective", "residuals", "n_samples", "n_left_out"),
    *("objective_value", "reduced_chi_square", "aic", "residual_correlation", "largest_departure"),
    *("window_start", "window_stop", "window_dose", "window_dose_stderr"),
)
#: What is found of each parameter.
PARAMETER_NUMBERS = ("value", "stderr", "lower", "upper")


class Entry(NamedTuple):
    """One parameter of a linked fit."""

    #: As the covariance calls it: ``"sigma"``, ``"dose[W1]"``, ``"dose[W1, 2]"``.
    label: str
    #: As one profile calls it: ``"sigma"``, ``"dose"``, ``"dose[2]"``.
    name: str
    #: Which profile has it; None if it is shared.
    profile: int | None


@dataclass(frozen=True)
class FitRequest:
    """What to fit to which profiles, and how; read and checked, once."""

    model: Model
    #: Kind of the data's unit.
    kind: str
    axis: str = "depth"
    weights: str = "auto"
    cell: str = "point"
    #: ``"none"``, ``"fit"`` or ``"stated"``.
    background: str = "none"
    #: Values of parameters that are held, in the user's units.
    fixed: Mapping[str, float] = field(default_factory=dict)
    intervals: bool = False
    #: Whether profiles may have fewer layers than the model, as many as Akaike's criterion says.
    fewer_layers: bool = False
    #: Measured profiles before an anneal; the setting ``initial`` says which belongs to a profile.
    initials: Sequence[Any] = ()
    surface: str = "reflecting"
    #: The dimension over which profiles are linked, and their labels.
    over: str | None = None
    labels: tuple[str, ...] = ("",)
    #: Parameters that all have in common, as a model of one layer calls them; and one of these that
    #: takes the place of a parameter, such as ``"diffusivity"``.
    shared: tuple[str, ...] = ()
    restated: str = ""
    #: Mean and width by the name in one profile, in the user's units.
    prior: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    #: Which of :data:`SCALES` take part, and those that each profile has of its own.
    scales: tuple[str, ...] = ()
    own_scales: tuple[str, ...] = ()
    #: One number for each profile, NaN where it was not given: ``start``, ``stop``...
    settings: Mapping[str, xr.Variable] = field(default_factory=dict)
    #: None, as there are no settings, in what each profile is fitted by.
    profiles: Frame | None = None

    @property
    def frame(self) -> Frame:
        """The profiles."""
        assert self.profiles is not None  # noqa: S101 - left out only of what one is fitted by
        return self.profiles

    @cached_property
    def parameters(self) -> list[Parameter]:
        """The model's parameters, and the background."""
        return [*self.model.parameters, *([BACKGROUND] if self.background != "none" else [])]

    @cached_property
    def factors(self) -> Array:
        """Factors from values times nm to the user's units, of each parameter."""
        return np.array([p.factor(self.kind, self.axis) for p in self.parameters])

    @property
    def linked_parameters(self) -> list[Parameter]:
        """The parameters of one profile, one of them restated."""
        if not self.restated:
            return self.parameters
        replaced = self.model.restated[self.restated][0]
        derived = next(p for p in self.model.derived if p.name == self.restated)
        return [replace(derived, lower=0.0) if p.name == replaced else p for p in self.parameters]

    @property
    def joint(self) -> bool:
        """Whether profiles cannot be fitted as if they were alone; scales alone are no reason."""
        scaled = {p.name for p in self.parameters if scale_powers([p]).any()}
        has_fixed_scale = bool(self.scales) and not scaled.isdisjoint(self.fixed)
        return bool(self.shared or self.prior or self.initials or has_fixed_scale)

    @cached_property
    def fields(self) -> Fields:
        """What is found of each profile."""
        p, d = len(self.parameters), len(self.model.derived)
        columns = dict.fromkeys(PARAMETER_NUMBERS, (p,))
        columns |= {"derived": (d,), "derived_stderr": (d,)}
        return Fields({**dict.fromkeys(NUMBERS, ()), **columns, "covariance": (p, p)})

    @cached_property
    def common_fields(self) -> Fields:
        """What is found of all that profiles have in common, if there is anything."""
        if not (self.joint or self.scales):
            return Fields({})
        n = len(self.entries)
        columns = dict.fromkeys((*PARAMETER_NUMBERS, "pull"), (n,))
        return Fields({"aic": (), **columns, "covariance": (n, n)})

    @property
    def entries(self) -> list[Entry]:
        """All parameters, those of profiles first, and the scales last."""
        names = [p.name for p in self.linked_parameters]
        of_each = [(name, split_label(name)[0] not in self.shared) for name in names]
        of_each += [(name, name in self.own_scales) for name in self.scales]
        entries = []
        for name, each in of_each:
            if not each:
                entries.append(Entry(name, name, None))
                continue
            for i, label in enumerate(self.labels):
                base, layer = split_label(name)
                inside = ", ".join(filter(None, (label, layer)))
                entries.append(Entry(f"{base}[{inside}]" if inside else base, name, i))
        return entries

    def places(self) -> list[tuple[Parameter, xr.Variable]]:
        """Return all parameters, and their places among the entries, over profiles and layers."""
        at = {(entry.name, entry.profile): k for k, entry in enumerate(self.entries)}
        parameters = [*self.linked_parameters, *(SCALE_PARAMETERS[name] for name in self.scales)]
        places = []
        for parameter, place in by_name(parameters):
            names = [parameters[i].name for i in np.atleast_1d(place.values)]
            shared = (names[0], None) in at
            profiles = [None] if shared else range(len(self.labels))
            table = np.array([[at[name, i] for name in names] for i in profiles])
            sizes = {self.over: len(profiles)} if self.over and not shared else {}
            sizes |= dict.fromkeys(map(str, place.dims), len(names))
            places.append(
                (parameter, xr.Variable(list(sizes), table.reshape(list(sizes.values()))))
            )
        return places

    def of_layers(self, n: int) -> FitRequest:
        """Return the same for so many layers, which all profiles have."""
        return replace(self, model=of_layers(self.model, n), fewer_layers=False)

    def from_fewer_layers(self, fewer: FitRequest, values: Mapping[str, Any]) -> dict[str, Any]:
        """Put what was found for fewer layers where those of the same names are in this one."""
        numbers = dict(values)
        of_parameters = (*PARAMETER_NUMBERS, "covariance")
        for names, every, some in (
            (of_parameters, self.parameters, fewer.parameters),
            (("derived", "derived_stderr"), self.model.derived, fewer.model.derived),
        ):
            labels = [p.name for p in every]
            at = np.array([labels.index(p.name) for p in some], dtype=int)
            for name in values.keys() & set(names):
                part = np.asarray(values[name])
                numbers[name] = np.full((len(every),) * part.ndim, np.nan)
                numbers[name][np.ix_(*[at] * part.ndim)] = part
        return numbers


def by_name(parameters: Sequence[Parameter]) -> list[tuple[Parameter, xr.Variable]]:
    """Return parameters by their names, and where they stand: over layers, if each has one."""
    places: dict[str, list[int]] = {}
    for i, parameter in enumerate(parameters):
        places.setdefault(split_label(parameter.name)[0], []).append(i)
    named = []
    for name, at in places.items():
        first = parameters[at[0]]
        layered = first.name != name
        place = xr.Variable("layer", at) if layered else xr.Variable((), at[0])
        named.append((replace(first, name=name) if layered else first, place))
    return named


def split_label(name: str) -> tuple[str, str]:
    """Return the name of a parameter and, of several layers, which of them it belongs to."""
    base, _, layer = name.partition("[")
    return base, layer.removesuffix("]")


def scale_powers(parameters: Sequence[Parameter], scales: Sequence[str] = tuple(SCALES)) -> Array:
    """Return by which powers of the scales true numbers exceed apparent ones, a row each."""
    powers = [(_POWERS.get(p.kind, 0.0), float(p.scales)) for p in parameters]
    columns = [list(SCALES).index(name) for name in scales]
    return np.array(powers).reshape(-1, 2)[:, columns]
