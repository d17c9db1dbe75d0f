"""One profile restored, the same for numpy and Dask: ``posed -> found -> judged``."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any, NamedTuple

import numpy as np

from sims_analysis.kernels.samples import Array, Samples, in_order
from sims_analysis.outcomes import Status
from sims_analysis.restoring import minimization
from sims_analysis.restoring.assessment import HOPELESS, largest_deviance, worth
from sims_analysis.restoring.inverse_problem import SOURCES, NoProfileError, Posed, posed
from sims_analysis.restoring.minimization import Minimum, Prior, Sought
from sims_analysis.restoring.resolution_function import ResolutionFunction

#: The numbers of a profile, and its columns, as long as the samples.
NUMBERS = (
    "status",
    "source_of_errors",
    "smoothness",
    "n_samples",
    "largest_deviance",
    "window_dose",
    "window_dose_stderr",
    "carried_dose",
    "fraction",
    "doubtful_maxima",
    "doubtful_maximum",
)
COLUMNS = ("value", "stderr", "achieved_resolution", "refolded")
#: Where no profile on cells of the samples is blurred to what was measured, one on cells of so many
#: parts of these may be: of layers thinner than a cell that lie across two, given enough counts.
#: Samples must be apart by this part of the function's width.
_FINER, _COARSE = 2, 1 / 15
#: Strengths that are tried, of curvature and of steps.
_CURVATURES, _STEPS = 10.0 ** np.arange(-2.5, 2.6, 0.25), 10.0 ** np.arange(-0.5, 2.1, 0.25)


class Layout(NamedTuple):
    """The row of one profile of n samples: numbers, columns, and averaging kernels if wanted."""

    n: int
    kernels: bool

    @property
    def size(self) -> int:
        """Length of the row."""
        return len(NUMBERS) + self.n * (len(COLUMNS) + self.n * self.kernels)

    def place(self, name: str) -> slice:
        """Return where a column is, or ``"kernels"``."""
        if name == "kernels":
            return slice(len(NUMBERS) + self.n * len(COLUMNS), self.size)
        begin = len(NUMBERS) + self.n * COLUMNS.index(name)
        return slice(begin, begin + self.n)

    def row(self, status: str, here: Array, known: Mapping[str, Any]) -> Array:
        """Put parts together; NaN where there are none."""
        row = np.full(self.size, np.nan)
        for i, name in enumerate(NUMBERS):
            row[i] = known.get(name, np.nan)
        row[NUMBERS.index("status")] = Status[status.upper()]
        for name in known.keys() & set(COLUMNS):
            row[self.place(name)][here] = known[name]
        if "kernels" in known:
            square = row[self.place("kernels")].reshape(self.n, self.n)
            square[np.ix_(here, here)] = known["kernels"]
        return row


def restored(
    samples: Samples,
    settings: Mapping[str, float],
    function: ResolutionFunction,
    smoothness: str | float,
    kind: str,
    layout: Layout,
) -> Array:
    """Return the row of one profile restored, as the layout has it.

    `settings` are ``start``, ``stop``, ``background``, and ``fraction``, the number of independent
    samples for each sample; `smoothness` is ``"auto"``, ``"steps"``, or the strength of the prior,
    and `kind` that of the data's unit.
    """
    here = in_order(samples.z, samples.c, settings["start"], settings["stop"])
    known: dict[str, Any] = {"n_samples": here.size, "source_of_errors": 0}

    def at(parts: int, about: float = np.nan) -> tuple[str, Array, dict[str, Any]]:
        one = posed(samples, here, settings, function, kind, parts)
        sought = Sought(one.spread, one.misfit, _prior(one, smoothness), one.offset)
        best = _found(one, sought, smoothness, about)
        status, found = worth(one, sought, best, kernels=layout.kernels)
        beside = {"n_samples": one.z.size, "source_of_errors": SOURCES.index(one.source)}
        return status, one.here, beside | found

    try:
        found = at(1)
    except NoProfileError as end:
        return layout.row(str(end), here, known)
    status, _, numbers = found
    coarse = float(np.median(np.diff(samples.z[here]))) > _COARSE * function.fwhm
    if status == "resolution_too_wide" and coarse and numbers["largest_deviance"] < HOPELESS:
        with suppress(NoProfileError):
            finer = at(_FINER, numbers["smoothness"])
            found = found if finer[0] == status else finer
    return layout.row(*found)


def _prior(one: Posed, smoothness: str | float) -> Prior:
    if smoothness == "steps":
        return minimization.steps(one.x)
    return minimization.curvature(one.x, one.fwhm)


def _found(one: Posed, sought: Sought, smoothness: str | float, about: float) -> Minimum:
    def hopeless(found: Minimum) -> bool:
        # A descent that has not ended may have some way to go yet.
        most = HOPELESS if found.converged else 2 * HOPELESS
        return largest_deviance(one, found.m) > most

    if isinstance(smoothness, str):
        strengths = _STEPS if smoothness == "steps" else _CURVATURES
        # On finer cells, the strength is about what it is on these.
        strengths = strengths[~(np.abs(np.log10(strengths / about)) > 1)]
        best = minimization.most_evident(sought, strengths, _begin(one), hopeless)
    else:
        strengths = np.append(_CURVATURES[smoothness > _CURVATURES], smoothness)
        best = minimization.of_strength(sought, strengths, _begin(one))
    if not (np.isfinite(best.u).all() and (best.converged or hopeless(best))):
        raise NoProfileError("not_converged")
    return best


def _begin(one: Posed) -> Array:
    """Begin at the samples, averaged over the function's width."""
    worth_ = float(np.median(one.counted.one))
    half = 0.5 * one.fwhm
    mean = worth_ * one.counts_about(one.z, half) / one.samples_about(one.z, half) - one.offset
    begin: Array = np.interp(one.x, one.z, np.log(np.maximum(mean, 0.05 * worth_)))
    return begin
