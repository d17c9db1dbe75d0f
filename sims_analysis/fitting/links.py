"""What profiles have in common: shared parameters, prior knowledge, and the scales of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import xarray as xr

from sims_analysis.fitting.task import OF_PARAMETERS, Layout, Task
from sims_analysis.kernels.samples import Array
from sims_analysis.shapes.model import Parameter

__all__ = ["SCALES", "SCALE_OF", "Entry", "Links", "by_name", "grows", "powers", "split"]

#: Nuisance parameters, by the setting that holds the relative uncertainty of each.
SCALES = {"depth_scale": "depth_uncertainty", "rsf_scale": "rsf_uncertainty"}


SCALE_OF = {
    "depth_scale": Parameter("depth_scale", "dimensionless", "true over apparent depths", lower=0),
    "rsf_scale": Parameter("rsf_scale", "dimensionless", "true over measured values", lower=0),
}


class Entry(NamedTuple):
    """One parameter of a linked fit.

    Parameters
    ----------
    label : str
        As the covariance calls it: ``"sigma"``, ``"dose[W1]"``, ``"dose[W1, 2]"``.
    name : str
        As one profile calls it: ``"sigma"``, ``"dose"``, ``"dose[2]"``.
    profile : int or None
        Whose it is; None if it is shared.
    """

    label: str
    name: str
    profile: int | None


@dataclass(frozen=True)
class Links:
    """What the profiles of a group have in common.

    Parameters
    ----------
    over : str or None
        The dimension over which they are linked.
    labels : tuple of str
        Of the profiles along it; one that is empty without links.
    shared : tuple of str
        Parameters that all have in common, as a model of one layer calls them.
    prior : mapping
        Mean and width by the name in one profile, in the user's units.
    scales : tuple of str
        Which of :data:`SCALES` take part, and whether each profile has one of its own.
    own_scales : tuple of str
        Those that each profile has of its own.
    restated : str
        A derived value that takes the place of a parameter, such as ``"diffusivity"``.
    held : bool
        Whether a parameter is held that says something of the scales, or profiles have the one
        before their anneal in common.
    """

    over: str | None = None
    labels: tuple[str, ...] = ("",)
    shared: tuple[str, ...] = ()
    prior: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    scales: tuple[str, ...] = ()
    own_scales: tuple[str, ...] = ()
    restated: str = ""
    held: bool = False

    @property
    def joint(self) -> bool:
        """Whether profiles cannot be fitted as if they were alone."""
        return bool(self.shared or self.prior or self.held)

    @property
    def active(self) -> bool:
        """Whether there is anything that profiles have in common."""
        return bool(self.joint or self.scales)

    def parameters(self, task: Task) -> list[Parameter]:
        """Return the parameters of one profile, one of them restated."""
        if not self.restated:
            return task.parameters
        replaced = task.model.restated[self.restated][0]
        derived = next(one for one in task.model.derived if one.name == self.restated)
        return [
            replace(derived, lower=0.0) if one.name == replaced else one for one in task.parameters
        ]

    @property
    def informed(self) -> set[str]:
        """Names of parameters of which something is known before."""
        return {split(name)[0] for name in self.prior} | set(self.scales)

    def layout(self, task: Task) -> Layout:
        """Return where what all have in common stands in its row, which may be empty."""
        if not self.active:
            return Layout((), {})
        n = len(self.entries(task))
        columns = {**dict.fromkeys((*OF_PARAMETERS, "pull"), n), "covariance": n * n}
        return Layout(("aic",), columns)

    def places(self, task: Task) -> list[tuple[Parameter, xr.Variable]]:
        """Return all parameters, and their places among the entries, over profiles and layers."""
        at = {(entry.name, entry.profile): k for k, entry in enumerate(self.entries(task))}
        parameters = [*self.parameters(task), *(SCALE_OF[name] for name in self.scales)]
        found = []
        for one, place in by_name(parameters):
            names = [parameters[i].name for i in np.atleast_1d(place.values)]
            shared = (names[0], None) in at
            whose = [None] if shared else range(len(self.labels))
            table = np.array([[at[name, i] for name in names] for i in whose])
            sizes = {self.over: len(whose)} if self.over and not shared else {}
            sizes |= dict.fromkeys(map(str, place.dims), len(names))
            found.append((one, xr.Variable(list(sizes), table.reshape(list(sizes.values())))))
        return found

    def entries(self, task: Task) -> list[Entry]:
        """Return all parameters, those of profiles first, and the scales last."""
        names = [one.name for one in self.parameters(task)]
        own = [(name, split(name)[0] not in self.shared) for name in names]
        own += [(name, name in self.own_scales) for name in self.scales]
        found = []
        for name, each in own:
            if not each:
                found.append(Entry(name, name, None))
                continue
            for i, label in enumerate(self.labels):
                base, layer = split(name)
                inside = ", ".join(filter(None, (label, layer)))
                found.append(Entry(f"{base}[{inside}]" if inside else base, name, i))
        return found


def by_name(parameters: Sequence[Parameter]) -> list[tuple[Parameter, xr.Variable]]:
    """Return parameters by their names, and where they stand: over layers, if each has one."""
    places: dict[str, list[int]] = {}
    for i, one in enumerate(parameters):
        places.setdefault(split(one.name)[0], []).append(i)
    found = []
    for name, at in places.items():
        first = parameters[at[0]]
        of_layers = first.name != name
        place = xr.Variable("layer", at) if of_layers else xr.Variable((), at[0])
        found.append((replace(first, name=name) if of_layers else first, place))
    return found


def split(name: str) -> tuple[str, str]:
    """Return the name of a parameter and, of several layers, which of them it belongs to."""
    base, _, layer = name.partition("[")
    return base, layer.removesuffix("]")


def powers(one: Parameter) -> tuple[float, float]:
    """Return by which powers of the depth scale, and of a sensitivity factor, a parameter grows.

    True depths are apparent ones times the depth scale, true values those measured times the scale
    of the factor.
    """
    of_depth = {
        "depth": 1.0,
        "area": 1.0,
        "per_depth": -1.0,
        "slope": -1.0,
        "diffusivity": 2.0,
        "velocity": 1.0,
    }
    return of_depth.get(one.kind, 0.0), float(one.scales)


def grows(parameters: Sequence[Parameter], scales: Sequence[str]) -> Array:
    """Return by which powers of some of the scales parameters grow, a row each."""
    which = [list(SCALES).index(name) for name in scales]
    return np.array([powers(one) for one in parameters]).reshape(-1, 2)[:, which]
