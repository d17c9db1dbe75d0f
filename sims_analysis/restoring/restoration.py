"""One profile restored: the inverse problem, its minimum, and what speaks against it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import numpy as np

from sims_analysis.frame.run import Fields
from sims_analysis.kernels.samples import Array, Samples, in_order
from sims_analysis.outcomes import Status
from sims_analysis.restoring import minimization
from sims_analysis.restoring.assessment import MAX_DEVIANCE, assess, largest_deviance
from sims_analysis.restoring.inverse_problem import (
    SOURCES,
    InverseProblem,
    NotRestoredError,
    inverse_problem,
)
from sims_analysis.restoring.minimization import Minimum, Unknowns
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
COLUMNS = ("value", "stderr", "refolded", "achieved_resolution")
#: Where no profile on cells of the samples is blurred to what was measured, one on cells of so many
#: parts of these may be: of layers thinner than a cell that lie across two, given enough counts.
#: Samples must be apart by this part of the function's width.
_FINER, _COARSE = 2, 1 / 15
#: Strengths that are tried, of curvature and of steps.
_CURVATURES, _STEPS = 10.0 ** np.arange(-2.5, 2.6, 0.25), 10.0 ** np.arange(-0.5, 2.1, 0.25)


def fields(n: int, *, kernels: bool) -> Fields:
    """Return what is found of a profile of n samples, with averaging kernels if requested."""
    square = {"averaging_kernel": (n, n)} if kernels else {}
    return Fields({**dict.fromkeys(NUMBERS, ()), **dict.fromkeys(COLUMNS, (n,)), **square})


def restore(
    samples: Samples,
    settings: Mapping[str, float],
    function: ResolutionFunction,
    smoothness: str | float,
    kind: str,
    *,
    kernels: bool,
) -> Array:
    """Return the row of one profile restored, as :func:`fields` has it."""
    n, here = samples.z.size, in_order(samples.z, samples.c, settings["start"], settings["stop"])

    def at(parts: int, about: float = np.nan) -> tuple[Array, dict[str, Any]]:
        problem = inverse_problem(samples, here, settings, function, kind, parts)
        prior = minimization.curvature(problem.x, problem.fwhm)
        if smoothness == "steps":
            prior = minimization.steps(problem.x)
        unknowns = Unknowns(problem.response, problem.misfit, prior, problem.offset)
        best = _minimum(problem, unknowns, smoothness, about)
        found = assess(problem, unknowns, best, kernels=kernels)
        more = {"n_samples": problem.z.size, "source_of_errors": SOURCES.index(problem.source)}
        return problem.here, more | found

    try:
        place, found = at(1)
        coarse = float(np.median(np.diff(samples.z[here]))) > _COARSE * function.fwhm
        too_wide = found["status"] == "resolution_too_wide"
        if too_wide and coarse and found["largest_deviance"] < MAX_DEVIANCE:
            with suppress(NotRestoredError):
                finer = at(_FINER, found["smoothness"])
                if finer[1]["status"] != "resolution_too_wide":
                    place, found = finer
    except NotRestoredError as end:
        place, found = here, {"status": str(end), "n_samples": here.size, "source_of_errors": 0}
    for name, shape in fields(n, kernels=kernels).shapes.items():
        if shape and name in found:  # NaN outside of the window
            values = np.full(shape, np.nan)
            values[np.ix_(*[place] * len(shape))] = found[name]
            found[name] = values
    found["status"] = Status[found["status"].upper()]
    return fields(n, kernels=kernels).row(found)


def _minimum(
    problem: InverseProblem, unknowns: Unknowns, smoothness: str | float, about: float
) -> Minimum:
    def far_off(found: Minimum) -> bool:
        # A descent that has not ended may have some way to go yet.
        most = MAX_DEVIANCE if found.converged else 2 * MAX_DEVIANCE
        return largest_deviance(problem, found.m) > most

    if isinstance(smoothness, str):
        strengths = _STEPS if smoothness == "steps" else _CURVATURES
        # On finer cells, the strength is about what it is on these.
        strengths = strengths[~(np.abs(np.log10(strengths / about)) > 1)]
        best = minimization.by_evidence(unknowns, strengths, _start(problem), far_off)
    else:
        strengths = np.append(_CURVATURES[smoothness > _CURVATURES], smoothness)
        best = minimization.of_strength(unknowns, strengths, _start(problem))
    if not (np.isfinite(best.u).all() and (best.converged or far_off(best))):
        raise NotRestoredError("not_converged")
    return best


def _start(problem: InverseProblem) -> Array:
    """Begin at the samples, averaged over the function's width."""
    count = float(np.median(problem.misfit.value_per_count))
    counts, number = problem.counts_about(0.5 * problem.fwhm)
    mean = count * counts / number - problem.offset
    begin: Array = np.interp(problem.x, problem.z, np.log(np.maximum(mean, 0.05 * count)))
    return begin
