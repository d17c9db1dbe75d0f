"""How far a restored profile can be trusted: its errors, resolution, status and doubtful maxima."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from scipy import linalg

from sims_analysis.kernels.levels import crossings_around, find, highest, locate
from sims_analysis.kernels.rows import Dense, changed
from sims_analysis.kernels.samples import Array
from sims_analysis.kernels.segments import record_weights
from sims_analysis.restoring import minimization
from sims_analysis.restoring.inverse_problem import InverseProblem
from sims_analysis.restoring.minimization import Costs, Minimum, Unknowns

#: The deviance that no finer cells can explain, beyond which there is only a status.
MAX_DEVIANCE = 12.0


@dataclass(frozen=True)
class _Rules:
    """The numbers by which a restored profile is judged; w is the width of the function."""

    windows: range = range(2, 13)  # numbers of samples over which the curve is compared with them
    misfit: float = 4.0  # deviance of such a window beyond which the curve does not describe it
    steep: float = 2.0  # factor of a rise over w / 2 towards an end that is cut,
    turned: float = 1.15  # or of one from a minimum within 2 w,
    surely: float = 2.5  # and standard errors of it
    feature: float = 0.1  # height of a maximum above the valley next to it in ln x, at least
    apart: float = 4.0  # achieved resolutions between two maxima that are examined, at most
    needed: float = 3.0  # misfit, in units of ln L, that a valley spares if samples need it
    stiff: float = 1e6  # curvature of the prior where there is none: no change is left
    # How far away a kink of ln x may as well be, in w. In one cell, kinks make an edge lopsided:
    # half of a step of 3 nm, blurred by 4 nm, was 0.5 nm off; 0.15 if kinks are distributed.
    kink: float = 0.25
    none: float = 0.92  # counts where none were: half of the 1.84 that none may be


_RULES = _Rules()


def assess(
    problem: InverseProblem, unknowns: Unknowns, best: Minimum, *, kernels: bool
) -> dict[str, Any]:
    """Return what is found of a restored profile, with its status in a word."""
    far_off = largest_deviance(problem, best.m) > MAX_DEVIANCE
    best, relaxed = (best, best) if far_off else _relaxed(problem, unknowns, best)
    x, top, weight = np.exp(best.u), problem.top, record_weights(problem.z)
    # For means over cells: M X H^-1; times X A' W, the effect of a change of the samples.
    means, blurred = problem.mean * x, problem.response.matrix * x
    responses = blurred.T * problem.misfit.information(best.m)
    rigid, freed = (
        linalg.cho_solve_banded((factor, True), means.T, check_finite=False).T
        for factor in (best.factor, relaxed.factor)
    )
    # How each value responds to samples: the averaging kernels, and their widths.
    kernel = rigid @ responses @ problem.response.matrix
    achieved = np.maximum(_full_width(kernel / problem.h, problem.x), problem.width)
    achieved = _not_below_inside(achieved, problem.z)
    achieved = _not_below_inside(achieved[::-1], -problem.z[::-1])[::-1]
    value, covariance = problem.mean @ x, freed @ means.T
    # What the error of a background adds that was subtracted before.
    shift = freed @ (responses @ problem.common)
    by_samples = freed @ (responses @ (problem.common * problem.overlap))
    stderr = np.sqrt(np.maximum(np.diag(covariance) + shift * (shift - 2 * by_samples), 0.0))
    visible, stderr = _below_detection(problem, value, stderr, achieved)
    dose = float(weight @ value)
    doubtful = np.zeros(0) if far_off else _doubtful_maxima(problem, unknowns, best, achieved)
    deviance = largest_deviance(problem, best.m)
    status = "ok"
    if deviance > _RULES.misfit:
        status = "resolution_too_wide"
    elif _is_cut_off(problem, best.m - problem.offset):
        status = "truncated"
    parts: dict[str, Any] = {
        "status": status,
        "smoothness": best.strength,
        "largest_deviance": deviance,
        "value": visible * top,
        "stderr": stderr * top,
        "achieved_resolution": achieved,
        "refolded": best.m * top,
        "window_dose": dose * top,
        "window_dose_stderr": float(np.sqrt(weight @ covariance @ weight)) * top,
        "carried_dose": (dose - float(weight @ (best.m - problem.offset))) * top,
        "fraction": float(np.average(np.minimum(problem.width / achieved, 1.0), weights=value)),
        "doubtful_maxima": doubtful.size,
        "doubtful_maximum": doubtful[0] if doubtful.size else np.nan,
    }
    if kernels:
        members = np.minimum(problem.mean * (problem.width[:, None] / problem.h), 1.0)
        parts["averaging_kernel"] = kernel @ members.T
    return parts


def _relaxed(problem: InverseProblem, unknowns: Unknowns, best: Minimum) -> tuple[Minimum, Minimum]:
    """Return the minimum to be shown, and the one with distributed kinks, which has the errors.

    They are the same profile, unless that describes the samples less well.
    """
    most = max(_RULES.misfit, largest_deviance(problem, best.m))
    near = partial(_local_mean, problem.x, _RULES.kink * problem.fwhm)
    relaxed = minimization.relaxed(unknowns, best, near)
    fits = largest_deviance(problem, relaxed.m) <= most
    if not unknowns.prior.convex and relaxed.converged and fits:
        best = changed(best, u=relaxed.u, m=relaxed.m)
    return best, relaxed


def _local_mean(x: Array, reach: float, changes: Array) -> Array:
    """Return the mean of what belongs to changes between cells over those that are near."""
    at = x[: changes.size] + 0.5 * (x[x.size - changes.size] - x[0])
    total = np.concatenate([[0.0], np.cumsum(changes)])
    low, high = at.searchsorted(at - reach), at.searchsorted(at + reach, side="right")
    mean: Array = (total[high] - total[low]) / (high - low)
    return mean


def _below_detection(
    problem: InverseProblem, value: Array, stderr: Array, achieved: Array
) -> tuple[Array, Array]:
    """Return 0, and the error of no counts, where none were within the achieved resolution."""
    counts, number = problem.counts_about(0.5 * np.maximum(achieved, problem.fwhm))
    uncounted = ~(counts > 0)
    least = _RULES.none * problem.misfit.value_per_count / number
    return np.where(uncounted, 0.0, value), np.where(uncounted, least, stderr)


def _full_width(kernel: Array, x: Array) -> Array:
    """Return the full width at half maximum of each row, about its largest value."""
    rows = Dense(x, np.ascontiguousarray(kernel))
    row, top = highest(rows)
    half = 0.5 * rows.value_at(top)[:, None]
    crossed = find(rows, half)
    sides, place = crossings_around(crossed, row, top)
    ends = np.tile(x[[0, -1]], rows.count)  # of a row that does not fall to half on a side
    ends[place] = locate(rows, half, crossed.take(sides)).depth
    width: Array = ends[1::2] - ends[::2]
    return width


def _not_below_inside(achieved: Array, z: Array) -> Array:
    """Return resolutions not below that of the first kernel that the window does not cut."""
    first = int(np.argmax(z - z[0] >= 0.5 * achieved))
    raised = achieved.copy()
    raised[:first] = np.maximum(raised[:first], achieved[first])
    return raised


def largest_deviance(problem: InverseProblem, m: Array) -> float:
    """Return the largest signed root of the deviance of windows of samples."""
    counts, expected = (
        np.concatenate([[0.0], np.cumsum(mean)])
        for mean in (problem.misfit.counts, problem.misfit.expected(m))
    )
    largest = 0.0
    for wide in _RULES.windows:
        if wide >= counts.size:
            break
        n = counts[wide:] - counts[:-wide]
        mu = np.maximum(expected[wide:] - expected[:-wide], 1e-12)
        deviance = 2 * (n * np.log(np.where(n > 0, n, 1.0) / mu) - (n - mu))
        largest = max(largest, float(deviance.max()))
    return float(np.sqrt(problem.misfit.share * largest))


def _is_cut_off(problem: InverseProblem, m: Array) -> bool:
    """Return whether the window cuts a rise that is as steep, or as short, as the function."""
    count = float(np.median(problem.misfit.value_per_count))
    for z, level in ((problem.z - problem.z[0], m), (problem.z[-1] - problem.z[::-1], m[::-1])):
        near, far = (min(int(z.searchsorted(k * problem.fwhm)), z.size - 1) for k in (0.5, 2.0))
        lowest = int(level[: far + 1].argmin())
        noise = np.sqrt(max(level[0] * count, count**2))
        turned = 0 < lowest < far and level[0] > _RULES.turned * level[lowest]
        if level[0] > _RULES.steep * level[near] or turned:
            least = level[lowest] if turned else level[near]
            if level[0] - least > _RULES.surely * noise:
                return True
    return False


# --- maxima that the samples do not need ---------------------------------------------------


def _doubtful_maxima(
    problem: InverseProblem, unknowns: Unknowns, best: Minimum, achieved: Array
) -> Array:
    """Return depths of maxima that the samples do not need: they fit as well without a valley."""
    u, x = best.u, problem.x
    inside = np.flatnonzero((x >= problem.z[0]) & (x <= problem.z[-1]))
    sign = np.sign(np.diff(u[inside]))
    maxima = inside[1:-1][(sign[:-1] > 0) & (sign[1:] <= 0)]
    reach = np.interp(x, problem.z, _RULES.apart * achieved)
    doubtful: list[float] = []
    for left, right in pairwise(maxima.tolist()):
        depth = min(u[left], u[right]) - u[left : right + 1].min()
        if depth < _RULES.feature or x[right] - x[left] > max(reach[left], reach[right]):
            continue
        if not _is_needed(unknowns, best, left, right):
            doubtful.append(float(x[left] if u[left] < u[right] else x[right]))
    return np.array(sorted(set(doubtful)))


def _is_needed(unknowns: Unknowns, best: Minimum, left: int, right: int) -> bool:
    """Return whether the misfit is larger without a valley between two maxima.

    Their changes (of slope, or the steps) then cost so much that none are left between them.
    """
    prior = unknowns.prior
    stiff = np.zeros(best.u.size - len(prior.of) + 1)
    stiff[left : right + 2 - len(prior.of)] = _RULES.stiff

    def costs(k: Array, strength: float) -> Costs:
        value, slope, curvature, above = prior.costs(k, strength)
        value += 0.5 * float(stiff @ (k * k))
        return Costs(value, slope + stiff * k, curvature + stiff, above + stiff)

    joined = replace(unknowns, prior=replace(prior, costs=costs))
    u = best.u.copy()
    u[left : right + 1] = np.log(np.mean(np.exp(u[left : right + 1])))
    without = minimization.minimum(joined, best.strength, u)
    return without.misfit - best.misfit > _RULES.needed
