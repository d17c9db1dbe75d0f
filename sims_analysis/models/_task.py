"""What is asked of each profile, and where the answers stand in its row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from sims_analysis.models._layers import of_layers
from sims_analysis.models._status import STATUS
from sims_analysis.models.model import Array, Model, Parameter

__all__ = ["BACKGROUND", "STATISTICS", "WINDOW_DOSE", "NoFitError", "Task"]

BACKGROUND = Parameter("background", "value", "constant under the profile", lower=0)
#: What every fit knows beside its parameters, and often better than these.
WINDOW_DOSE = Parameter(
    "window_dose", "area", "integral of the curve over the window, without the background"
)

#: Statistics of each fit, after its parameters, in the order of the row.
STATISTICS = (
    "status",
    "objective",
    "residuals",
    "objective_value",
    "reduced_chi_square",
    "aic",
    "n_samples",
    "n_left_out",
    "residual_correlation",
    "window_start",
    "window_stop",
    "curve_status",
    "largest_departure",
    "largest_deviation",
    "rms_log_departure",
    "window_dose",
    "window_dose_stderr",
)


class NoFitError(Exception):
    """A profile has no parameters: `status` says why, and `known` what is known all the same."""

    def __init__(self, status: str, known: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status, self.known = status, known


@dataclass(frozen=True)
class Task:
    """What to fit to each profile, and how.

    Parameters
    ----------
    model : Model
    kind, axis : str
        Kind of the data's unit, and of that of their axis.
    weights : str
        ``"auto"``, ``"counts"``, ``"stderr"``, ``"log"`` or ``"none"``.
    cell : str
        ``"point"`` or ``"mean"``.
    background : str
        ``"none"``, ``"fit"`` or ``"stated"``.
    fixed : dict
        Values of parameters that are held, in user's units.
    profile : bool
        Whether to find intervals by the profile of the likelihood.
    fewer : bool
        Whether profiles may have fewer layers than the model, as many as Akaike's criterion says.
    initials : sequence of Initial
        Measured profiles before an anneal; the setting ``initial`` says which belongs to a profile.
    surface : str
        ``"reflecting"`` or ``"absorbing"``, for these.
    """

    model: Model
    kind: str
    axis: str = "depth"
    weights: str = "auto"
    cell: str = "point"
    background: str = "none"
    fixed: Mapping[str, float] = field(default_factory=dict)
    profile: bool = False
    fewer: bool = False
    initials: Sequence[Any] = ()
    surface: str = "reflecting"

    @cached_property
    def parameters(self) -> list[Parameter]:
        """The model's parameters, and the background."""
        return [*self.model.parameters, *([BACKGROUND] if self.background != "none" else [])]

    @cached_property
    def factors(self) -> Array:
        """Factors from values times nm to the user's units."""
        return np.array([one.factor(self.kind, self.axis) for one in self.parameters])

    def by_name(self, given: Sequence[Parameter]) -> list[tuple[Parameter, int | list[int]]]:
        """Return parameters by their names, and where they stand: a list, if each layer has one."""
        found: dict[str, tuple[Parameter, int | list[int]]] = {}
        for i, one in enumerate(given):
            name, of_one, _ = one.name.partition("[")
            before = found.get(name)
            if not of_one:
                found[name] = one, i
            elif before is None:
                found[name] = replace(one, name=name), [i]
            elif isinstance(before[1], list):
                before[1].append(i)
        return list(found.values())

    @cached_property
    def places(self) -> dict[str, slice]:
        """The parts of the row of one profile."""
        p, d = len(self.parameters), len(self.model.derived)
        sizes = dict.fromkeys(STATISTICS, 1)
        sizes |= {"value": p, "stderr": p, "lower": p, "upper": p, "poor": p}
        sizes |= {"derived": d, "derived_stderr": d, "covariance": p * p}
        places, at = {}, 0
        for name, size in sizes.items():
            places[name] = slice(at, at + size)
            at += size
        return places

    @property
    def size(self) -> int:
        """Length of that row."""
        return int(self.places["covariance"].stop)

    def of_layers(self, n: int) -> Task:
        """Return the same for so many layers, which all profiles have."""
        return replace(self, model=of_layers(self.model, n), fewer=False)

    def spread(self, fewer: Task, parts: Mapping[str, Any]) -> dict[str, Any]:
        """Put parts of a fit of fewer layers where those of the same names are in this one."""
        spread = dict(parts)
        derived = [[one.name for one in task.model.derived] for task in (self, fewer)]
        names = [[one.name for one in task.parameters] for task in (self, fewer)]
        for (every, some), of in (
            (names, ("value", "stderr", "lower", "upper", "poor")),
            (derived, ("derived", "derived_stderr")),
        ):
            at = np.array([every.index(name) for name in some], dtype=int)
            for name in spread.keys() & set(of):
                spread[name] = np.full(len(every), np.nan)
                spread[name][at] = parts[name]
        if "covariance" in parts:
            at, p = np.array([names[0].index(name) for name in names[1]]), len(names[0])
            square = np.full((p, p), np.nan)
            square[at[:, None], at] = np.reshape(parts["covariance"], (at.size, at.size))
            spread["covariance"] = square.ravel()
        return spread

    def row(self, status: str, parts: Mapping[str, Any]) -> Array:
        """Put parts together; NaN where there are none."""
        row = np.full(self.size, np.nan)
        for name, part in parts.items():
            if name != "curve_status":
                row[self.places[name]] = part
        row[self.places["status"]] = STATUS.index(status)
        curve = parts.get("curve_status", status)
        row[self.places["curve_status"]] = STATUS.index(curve)
        return row
