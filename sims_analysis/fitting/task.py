"""What is asked of each profile, and how the answers stand in a row of numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np

from sims_analysis.kernels.samples import Array
from sims_analysis.outcomes import Status
from sims_analysis.shapes.layered_model import of_layers
from sims_analysis.shapes.model import Model, Parameter

__all__ = [
    "BACKGROUND",
    "OF_PARAMETERS",
    "STATISTICS",
    "WINDOW_DOSE",
    "Layout",
    "NoFitError",
    "Task",
]

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
#: Columns of the row, one number for each parameter.
OF_PARAMETERS = ("value", "stderr", "lower", "upper", "poor")


class NoFitError(Exception):
    """A profile has no parameters: `status` says why, and `known` what is known all the same."""

    def __init__(self, status: str, known: Mapping[str, Any]) -> None:
        super().__init__(status)
        self.status, self.known = status, known


@dataclass(frozen=True)
class Layout:
    """Where numbers and columns of numbers stand in a row.

    Parameters
    ----------
    numbers : tuple of str
    columns : mapping of str to int
        And how long they are.
    """

    numbers: tuple[str, ...]
    columns: Mapping[str, int]

    @cached_property
    def places(self) -> dict[str, slice]:
        """The place of each name in the row."""
        sizes = dict.fromkeys(self.numbers, 1) | dict(self.columns)
        stops = zip(sizes.items(), accumulate(sizes.values()), strict=True)
        return {name: slice(stop - size, stop) for (name, size), stop in stops}

    @property
    def size(self) -> int:
        """Length of the row."""
        return len(self.numbers) + sum(self.columns.values())

    def row(self, parts: Mapping[str, Any]) -> Array:
        """Put parts together; NaN where there are none."""
        row = np.full(self.size, np.nan)
        row[: len(self.numbers)] = [parts.get(name, np.nan) for name in self.numbers]
        for name in self.columns.keys() & parts.keys():
            row[self.places[name]] = np.ravel(parts[name])
        return row


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

    @cached_property
    def layout(self) -> Layout:
        """The row of one profile."""
        p, d = len(self.parameters), len(self.model.derived)
        columns = dict.fromkeys(OF_PARAMETERS, p)
        columns |= {"derived": d, "derived_stderr": d, "covariance": p * p}
        return Layout(STATISTICS, columns)

    def of_layers(self, n: int) -> Task:
        """Return the same for so many layers, which all profiles have."""
        return replace(self, model=of_layers(self.model, n), fewer=False)

    def spread(self, fewer: Task, parts: Mapping[str, Any]) -> dict[str, Any]:
        """Put parts of a fit of fewer layers where those of the same names are in this one."""
        spread = dict(parts)
        of_parameters = (*OF_PARAMETERS, "covariance")
        for names, every, some in (
            (of_parameters, self.parameters, fewer.parameters),
            (("derived", "derived_stderr"), self.model.derived, fewer.model.derived),
        ):
            labels = [one.name for one in every]
            at = np.array([labels.index(one.name) for one in some], dtype=int)
            for name in parts.keys() & set(names):
                part = np.asarray(parts[name])
                spread[name] = np.full((len(every),) * part.ndim, np.nan)
                spread[name][np.ix_(*[at] * part.ndim)] = part
        return spread

    def row(self, status: str, parts: Mapping[str, Any]) -> Array:
        """Return the row of a profile; that of the curve is its status unless it is another."""
        curve = parts.get("curve_status", status)
        codes = {"status": Status[status.upper()], "curve_status": Status[curve.upper()]}
        return self.layout.row({**parts, **codes})
