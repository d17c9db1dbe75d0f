"""What the samples and the residuals say about a fit, in numbers and words."""

from __future__ import annotations

import numpy as np

from sims_analysis.models import _judging as judging
from sims_analysis.models._engine import Solution
from sims_analysis.models._model import Array
from sims_analysis.models._objective import EXACT, LogSquares, Objective, Poisson, Squares
from sims_analysis.models._samples import smoothed

__all__ = ["featureless", "not_one_peak", "statistics"]


def statistics(objective: Objective, solution: Solution) -> dict[str, float]:
    """Describe the residuals: their size, and whether neighbours are correlated."""
    m, free = solution.m, solution.x.size
    n = m.size
    r, scattered = objective.residual(m), 0.0
    if isinstance(objective, Poisson):
        mu = objective.expected(m)
        # Below one expected count chi-square says little, and the sign is known beforehand.
        counted = mu >= 1
        degrees = int(counted.sum()) - free
        chi_square = float(np.sum((objective.counts - mu)[counted] ** 2 / mu[counted]))
        if degrees > 0:
            # Each term has the variance 2 + 1 / mu, as if there were fewer degrees of freedom.
            fewer = 1 / (1 + 0.5 * float(np.mean(1 / mu[counted])))
            scattered = judging.excess(chi_square * fewer, degrees * fewer)
        r, aic = ((mu - objective.counts) / np.sqrt(mu))[mu >= 3], solution.cost + 2 * free
    else:
        degrees, chi_square = n - free, solution.cost
        aic = solution.cost + 2 * free
        if objective.known_errors:
            scattered = judging.excess(chi_square, degrees)
        else:
            aic = n * float(np.log(max(solution.cost, 1e-300) / n)) + 2 * (free + 1)
            chi_square = np.nan
    correlation, lag = judging.lag_correlation(r)
    runs = judging.runs_score(r > 0)
    if solution.cost <= EXACT * n:
        runs = lag = 0.0
    return {
        "objective_value": solution.cost,
        "reduced_chi_square": chi_square / degrees if degrees > 0 else np.nan,
        "aic": float(aic),
        "residual_correlation": correlation,
        "residuals": judging.verdict(runs=runs, lag=lag, chi_square=scattered),
    }


def featureless(objective: Objective, solution: Solution, c: Array) -> bool:
    """Return whether a constant does as well, by Akaike's criterion and a margin."""
    if isinstance(objective, Poisson):
        level = float(objective.counts.sum() / np.sum(1 / objective.one))
        level = max(level - float(np.mean(objective.offset)), 1e-12)
    elif isinstance(objective, Squares):
        if objective.stderr is None:
            level = float(c.mean())
        else:
            weight = objective.information(c)
            level = float(weight @ c / weight.sum())
    elif isinstance(objective, LogSquares):
        level = float(np.exp(np.mean(np.log(objective.value))))
    flat = objective.residual(np.full(c.size, level))
    cost, n, more = float(flat @ flat), c.size, max(solution.x.size - 1, 0)
    if objective.known_errors:
        return cost - solution.cost < 10 + 2 * more
    if cost <= 1e-20 * n:
        return True
    return bool(n * np.log(cost / max(solution.cost, 1e-300)) < 10 + 2 * more)


def not_one_peak(
    objective: Objective,
    solution: Solution,
    c: Array,
    background: float,
    down: tuple[bool, bool],
) -> str | None:
    """Say why a profile does not show one whole peak above its background, or return None.

    An end that is `down` may be high: beyond it there are samples without a value above 0, or the
    surface of a model that ends there.
    """
    peak = solution.m - background
    top = float(peak.max())
    if top > 0 and np.count_nonzero(peak > 0.01 * top) < 3:
        return "undetermined"
    if isinstance(objective, Poisson):
        noise = objective.one * np.sqrt(np.maximum(objective.counts, 1.0))
    elif isinstance(objective, Squares) and objective.stderr is not None:
        noise = objective.stderr
    elif isinstance(objective, LogSquares):
        noise = _scatter(np.log(objective.value)) * c
    else:
        noise = np.full(c.size, _scatter(c))
    if judging.second_peak(c, noise) or judging.two_maxima(solution.m, noise):
        return "several_peaks"
    if _cut_off(peak, down):
        return "truncated" if _cut_off(smoothed(c) - background, down) else "wrong_shape"
    return None


def _cut_off(values: Array, down: tuple[bool, bool]) -> bool:
    """Return whether values stay high at an end: higher is allowed at the surface of an implant."""
    top = values.max()
    high = values[0] > 0.9 * top, values[-1] > 0.5 * top
    return any(end and not beyond for end, beyond in zip(high, down, strict=True))


def _scatter(values: Array) -> float:
    """Return the standard deviation of noise, from second differences."""
    if values.size < 5:
        return 0.0
    bent = values[2:] - 2 * values[1:-1] + values[:-2]
    return float(np.median(np.abs(bent - np.median(bent))) * 1.4826 / np.sqrt(6))
