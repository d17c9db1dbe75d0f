"""The inverse problem of a profile that is restored: samples, cells, and what joins them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sims_analysis.fitting.objectives import Poisson
from sims_analysis.fitting.preparation import poisson_of, with_whole_counts
from sims_analysis.kernels.samples import Array, Samples, cells
from sims_analysis.restoring.minimization import Response
from sims_analysis.restoring.resolution_function import ResolutionFunction

#: What the errors of the samples are, in the order of their codes.
SOURCES = ("", "counts", "standard errors", "scatter")


@dataclass(frozen=True)
class _Rules:
    """Requirements on samples, and how cells are laid out below them."""

    samples: int = 5  # number of samples that are restored, at least
    counts: float = 20.0  # counts within a width of the function where there are most, at least
    most_counts: float = 1e6  # counts that samples without errors are taken to hold, at most
    cell: float = 0.25  # width of a cell, as a part of that of the function, at most,
    parts: int = 4  # if so many cells between two samples are enough for it
    beyond: float = 1e-3  # share of the function beyond the cells on each side, at most,
    most_beyond: int = 200  # and number of cells there, at most: wider ones where it is wide
    points: int = 4  # number of depths in a cell over which samples are averaged


_RULES = _Rules()


class NotRestoredError(Exception):
    """A profile that is not restored: the status says why."""


@dataclass(frozen=True, eq=False)
class InverseProblem:
    """What cells hold, from what samples show of them, in units of the largest sample."""

    #: Indices of the samples; their depths and the widths of their cells, in nm.
    here: Array
    z: Array
    width: Array
    #: The largest sample.
    top: float
    #: What the errors are.
    source: str
    #: Of the counts of the samples, and of the cells over these.
    misfit: Poisson
    response: Response
    #: (n, m): the cells whose mean is the value of a sample; the depths of their middles, and their
    #: widths.
    mean: Array
    x: Array
    h: Array
    #: The background, and the width of the resolution function.
    offset: float
    fwhm: float
    #: Of a background that was subtracted before: its standard error at each sample, and the part
    #: of it that the errors of the samples themselves have made.
    common: Array
    overlap: Array

    def counts_about(self, reach: Array | float) -> tuple[Array, Array]:
        """Return the counts of all samples as near to each as `reach`, and their number."""
        total = np.concatenate([[0.0], np.cumsum(self.misfit.counts)])
        low = self.z.searchsorted(self.z - reach)
        high = self.z.searchsorted(self.z + reach, side="right")
        return total[high] - total[low], high - low


def inverse_problem(
    samples: Samples,
    places: Array,
    settings: Mapping[str, float],
    function: ResolutionFunction,
    kind: str,
    parts: int = 1,
) -> InverseProblem:
    """Return the problem of a profile, on cells that are divided into some parts each."""
    if np.isnan(settings["background"]):
        places = places[:0]
    top = _largest(samples, places, function)
    window = samples.where(places)
    window = replace(window, c=window.c / top, s=window.s / top)
    window, source = _with_counts(window, kind, top)
    keep = window.k >= 0
    if np.count_nonzero(keep) < _RULES.samples:
        raise NotRestoredError("too_few_samples")
    places, window = places[keep], window.where(keep)
    per_count = 1 / top if kind == "count" and source == "counts" else np.nan
    misfit = poisson_of(window, per_count, settings["fraction"])
    if misfit is None:
        raise NotRestoredError("too_few_counts")
    z, edges = window.z, _edges(window.z, function, parts)
    if window.lower is not None and bool(np.isfinite(window.lower).all()):
        below, above = window.cells(np.arange(z.size))
        at, weights = np.polynomial.legendre.leggauss(_RULES.points)
        middle, half = z + 0.5 * (above - below), 0.5 * (above + below)
        response = _matrix([middle + u * half for u in at], 0.5 * weights, edges, function)
    else:
        limit = 2.5 * float(np.median(np.diff(z)))
        below, above = (np.minimum(reach, limit) for reach in cells(z))
        response = _matrix([z], [1.0], edges, function)
    problem = InverseProblem(
        places,
        z,
        below + above,
        top,
        source,
        misfit,
        Response(response),
        _overlap(z - below, z + above, edges),
        0.5 * (edges[1:] + edges[:-1]),
        np.diff(edges),
        settings["background"] / top,
        function.fwhm,
        window.common / top,
        window.overlap,
    )
    if float(problem.counts_about(0.5 * function.fwhm)[0].max()) < _RULES.counts:
        raise NotRestoredError("too_few_counts")
    return problem


def _largest(samples: Samples, places: Array, function: ResolutionFunction) -> float:
    """Return the largest sample; NotRestoredError where there is nothing to restore."""
    if not np.isfinite(function.widths).all():
        raise NotRestoredError("resolution_unknown")
    if not places.size:
        raise NotRestoredError("no_data")
    if places.size < _RULES.samples or np.ptp(samples.z[places]) < function.fwhm:
        raise NotRestoredError("too_few_samples")
    top = float(samples.c[places].max())
    if not top > 0:
        raise NotRestoredError("too_few_counts")
    return top


def _with_counts(window: Samples, kind: str, top: float) -> tuple[Samples, str]:
    """Return samples with counts, ``(c / s)^2`` or by scatter, and where these are from."""
    window = with_whole_counts(window, kind, top)
    if np.isfinite(window.k).any():
        return window, "counts"
    s, c = window.s, np.maximum(window.c, 0.0)
    if (np.isfinite(s) & (s > 0)).any():
        k = np.where(c > 0, (c / np.where(s > 0, s, np.nan)) ** 2, 0)
        return replace(window, k=k), "standard errors"
    count = _count_by_scatter(window.z, window.c)
    return replace(window, k=c / count, s=np.sqrt(count * c)), "scatter"


def _count_by_scatter(z: Array, c: Array) -> float:
    """Return the value of one count, if the variance of samples is proportional to their values."""
    part = (z[1:-1] - z[:-2]) / (z[2:] - z[:-2])
    between = (1 - part) * c[:-2] + part * c[2:]
    times = 1 + (1 - part) ** 2 + part**2
    level = np.maximum((c[:-2] + c[1:-1] + c[2:]) / 3, 0.0)
    usable = level > 1e-9
    squares = (c[1:-1] - between)[usable] ** 2 / (times * level)[usable]
    # The median of the square of a normal deviate is 0.455.
    return max(float(np.median(squares)) / 0.455 if usable.any() else 0.0, 1 / _RULES.most_counts)


def _edges(z: Array, function: ResolutionFunction, times: int = 1) -> Array:
    """Return edges of cells: about samples, between those far apart, and beyond the ends."""
    gaps = np.diff(z)
    typical = float(np.median(gaps))
    finest = typical / _RULES.parts
    most = min(1.5 * typical, max(_RULES.cell * function.fwhm, finest))
    parts = times * np.maximum(np.ceil(gaps / most - 1e-6), 1).astype(int)
    inside = [a + step * np.arange(p) / p for a, step, p in zip(z, gaps, parts, strict=False)]
    leading, trailing = function.within(_RULES.beyond)
    first = max(gaps[0] / parts[0], trailing / _RULES.most_beyond)
    last = max(gaps[-1] / parts[-1], -leading / _RULES.most_beyond)
    n_before = int(np.ceil(max(trailing, 2 * first) / first))
    n_after = int(np.ceil(max(-leading, 2 * last) / last))
    middles = np.concatenate([
        z[0] - first * np.arange(n_before, 0, -1), *inside, z[-1:],
        z[-1] + last * np.arange(1, n_after + 1),
    ])  # fmt: skip
    between = 0.5 * (middles[1:] + middles[:-1])
    ends = middles[0] - 0.5 * first, middles[-1] + 0.5 * last
    return np.concatenate([ends[:1], between, ends[1:]])


def _matrix(
    depths: Sequence[Array], weights: Iterable[float], edges: Array, function: ResolutionFunction
) -> Array:
    """Return the share of each cell in each sample; beyond the outermost, all is as in these."""
    passed = np.zeros((depths[0].size, edges.size))
    for z, weight in zip(depths, weights, strict=True):
        passed += weight * function.cumulative(z[:, None] - edges)
    passed[:, 0], passed[:, -1] = 1.0, 0.0
    response: Array = np.maximum(passed[:, :-1] - passed[:, 1:], 0.0)
    return response


def _overlap(lower: Array, upper: Array, edges: Array) -> Array:
    """Return the share of each cell in the mean between two depths."""
    shared = np.minimum(upper[:, None], edges[1:]) - np.maximum(lower[:, None], edges[:-1])
    shared = np.maximum(shared, 0.0)
    share: Array = shared / shared.sum(axis=1, keepdims=True)
    return share
