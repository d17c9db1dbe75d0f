"""One profile restored, the same for numpy and Dask: ``posed -> minimum -> judged``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import linalg

from sims_analysis.kernels import restoring
from sims_analysis.kernels.restoring import Minimum, Prior, Spread
from sims_analysis.models._functions import ResolutionFunction
from sims_analysis.models._objectives import Objective, Poisson, Shared
from sims_analysis.models._prepared import poisson_of
from sims_analysis.models.model import Array
from sims_analysis.models.samples import Samples, cells, in_order

__all__ = ["ADVICE", "SOURCES", "STATUS", "Layout", "restored"]

#: The statuses, in the order of their codes.
STATUS = (
    "ok",
    "no_data",
    "too_few_samples",
    "too_few_counts",
    "not_converged",
    "resolution_unknown",
    "resolution_too_wide",
    "truncated",
    "gap",
    "saturated",
)
#: What a status means, and what may be done.
ADVICE = {
    "too_few_samples": "fewer than five samples in the window",
    "too_few_counts": "fewer than 20 counts within the width of the resolution function anywhere",
    "not_converged": "the descent found no minimum",
    "resolution_unknown": "the resolution function is not known for this profile",
    "resolution_too_wide": "nothing that is blurred so much shows what was measured; the function "
    "is too wide, or the samples scatter more than their counts or errors say",
    "truncated": "the window cuts a rise that is as steep as the resolution function; move start= "
    "or stop=, past the surface transient if it is one",
    "gap": "over more than five times their spacing there are no samples, and the profile goes on "
    "there all the same; gaps='bridge' accepts that",
    "saturated": "samples are equal to the last digit, as a saturated detector writes them; leave "
    "them out of the window",
}
#: What the errors of the samples are, in the order of their codes.
SOURCES = ("", "counts", "standard errors", "scatter")

_LEAST_SAMPLES, _LEAST_COUNTS = 5, 20.0
#: Strengths that are tried, of curvature and of steps.
_CURVATURES, _STEPS = 10.0 ** np.arange(-2.0, 2.6, 0.25), 10.0 ** np.arange(-1.5, 2.1, 0.5)
#: The share of the function that may lie beyond the cells, on each side.
_BEYOND = 1e-3
#: Cells are at most so much of the function's width, and at least so much of the samples' spacing.
_FINE, _PARTS = 0.25, 4
#: Windows of so many samples, and the deviance beyond which they tell of a misfit.
_WINDOWS, _THRESHOLD = range(2, 13), 4.0
#: A rise towards an end that is as steep as the function: over half of its width, by this factor.
_STEEP, _SURELY, _HIGH = 2.0, 4.0, 0.1
#: Maxima this much above the valley beside them, in ln x, are features; so much less likely must
#: the profile be without the valley; and how far apart, in achieved resolutions, they are asked.
_FEATURE, _NEEDED, _APART, _ASKED = 0.1, 3.0, 4.0, 12
#: The largest number of counts that samples without errors are taken to hold.
_MOST_COUNTS = 1e6


class Layout(NamedTuple):
    """The row of one profile: numbers, then columns as long as the samples.

    Parameters
    ----------
    n : int
        The number of samples.
    kernels : bool
        Whether the averaging kernels are wanted.
    """

    n: int
    kernels: bool

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of the numbers."""
        return (
            "status",
            "errors",
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

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns."""
        return ("value", "stderr", "achieved_resolution", "refolded")

    @property
    def size(self) -> int:
        """Length of the row."""
        return len(self.numbers) + self.n * (len(self.columns) + self.n * self.kernels)

    def row(self, here: Array, known: Mapping[str, Any]) -> Array:
        """Put parts together; NaN where there are none."""
        row = np.full(self.size, np.nan)
        for i, name in enumerate(self.numbers):
            row[i] = known.get(name, np.nan)
        for name in self.columns:
            if name in known:
                row[self.place(name)][here] = known[name]
        if self.kernels and "kernels" in known:
            square = row[self.place("kernels")].reshape(self.n, self.n)
            square[np.ix_(here, here)] = known["kernels"]
        return row

    def place(self, name: str) -> slice:
        """Return where a column is."""
        begin, i = len(self.numbers), [*self.columns, "kernels"].index(name)
        end = begin + (i + 1) * self.n if name != "kernels" else self.size
        return slice(begin + i * self.n, end)


class NoProfileError(Exception):
    """A profile that is not restored: the status says why."""


@dataclass(frozen=True, eq=False)
class Posed:
    """What is sought of a profile, in units of its largest sample.

    Parameters
    ----------
    here : ndarray
        Indices of its samples.
    z, width : ndarray
        Depths of the samples, and the width of their cells, in nm.
    top : float
        The largest sample.
    source : str
        What the errors are.
    misfit : Objective
    spread : Spread
        Of the cells over the samples.
    mean : ndarray
        (n, m): the cells whose mean is the value of a sample.
    x : ndarray
        Depths of the middles of the cells.
    offset : float
        The background.
    fwhm : float
        Of the resolution function.
    """

    here: Array
    z: Array
    width: Array
    top: float
    source: str
    misfit: Objective
    spread: Spread
    mean: Array
    x: Array
    offset: float
    fwhm: float


def restored(
    samples: Samples,
    settings: Mapping[str, float],
    function: ResolutionFunction,
    smoothness: str | float,
    kind: str,
    layout: Layout,
) -> Array:
    """Restore one profile.

    Parameters
    ----------
    samples : Samples
        All of the profile.
    settings : mapping
        ``start``, ``stop``, ``background``, and ``fraction``, the number of independent samples
        for each sample.
    function : ResolutionFunction
    smoothness : str or float
        ``"auto"``, ``"steps"``, or the strength of the prior.
    kind : str
        Kind of the data's unit.
    layout : Layout

    Returns
    -------
    ndarray
        A row, as the layout has it.
    """
    here = in_order(samples.z, samples.c, settings["start"], settings["stop"])
    known: dict[str, Any] = {"n_samples": here.size, "errors": 0}
    try:
        posed = _posed(samples, here, settings, function, kind)
        known |= {"n_samples": posed.z.size, "errors": SOURCES.index(posed.source)}
        best = _found(posed, smoothness)
    except NoProfileError as end:
        return layout.row(here, known | {"status": STATUS.index(str(end))})
    judged = _judged(posed, best, smoothness, samples, kernels=layout.kernels)
    return layout.row(posed.here, known | judged)


# --- what is sought ---------------------------------------------------------------------------


def _posed(
    samples: Samples,
    here: Array,
    settings: Mapping[str, float],
    function: ResolutionFunction,
    kind: str,
) -> Posed:
    if not np.isfinite(function.widths).all():
        raise NoProfileError("resolution_unknown")
    if not here.size or np.isnan(settings["background"]):
        raise NoProfileError("no_data")
    if here.size < _LEAST_SAMPLES:
        raise NoProfileError("too_few_samples")
    window = samples.where(here)
    top = float(window.c.max())
    if not top > 0:
        raise NoProfileError("too_few_counts")
    window = replace(window, c=window.c / top, s=window.s / top)
    window, source = _counted(window, kind, top)
    keep = window.k >= 0
    if np.count_nonzero(keep) < _LEAST_SAMPLES:
        raise NoProfileError("too_few_samples")
    here, window = here[keep], window.where(keep)
    worth = 1 / top if kind == "count" and source == "counts" else np.nan
    misfit = poisson_of(window, worth, settings["fraction"])
    if misfit is None:
        raise NoProfileError("too_few_counts")
    z, offset = window.z, settings["background"] / top
    counts = _poisson(misfit).counts
    near = np.searchsorted(z, z + function.fwhm)
    below = np.concatenate([[0.0], np.cumsum(counts)])
    if float((below[near] - below[:-1]).max()) < _LEAST_COUNTS:
        raise NoProfileError("too_few_counts")
    edges = _edges(z, function)
    below, above = cells(z)
    limit = 2.5 * float(np.median(np.diff(z)))
    below, above = np.minimum(below, limit), np.minimum(above, limit)
    return Posed(
        here,
        z,
        below + above,
        top,
        source,
        misfit,
        Spread(_matrix(z, edges, function)),
        _overlap(z - below, z + above, edges),
        0.5 * (edges[1:] + edges[:-1]),
        offset,
        function.fwhm,
    )


def _counted(window: Samples, kind: str, top: float) -> tuple[Samples, str]:
    """Return samples with counts behind them, and where these are from.

    A standard error s of a value c is that of ``(c / s)^2`` counts. Without any, the scatter of
    second differences says what one count is worth.
    """
    if np.isfinite(window.k).any():
        return window, "counts"
    if kind == "count":
        rounded = np.round(window.c * top)
        if np.allclose(rounded, window.c * top, rtol=1e-9, atol=1e-6):
            return replace(window, k=rounded), "counts"
    s = window.s
    if (np.isfinite(s) & (s > 0)).any():
        k = np.where(window.c > 0, (np.maximum(window.c, 0.0) / np.where(s > 0, s, np.nan)) ** 2, 0)
        return replace(window, k=k), "standard errors"
    one = _worth_by_scatter(window.z, window.c)
    c = np.maximum(window.c, 0.0)
    return replace(window, k=c / one, s=np.sqrt(one * c)), "scatter"


def _worth_by_scatter(z: Array, c: Array) -> float:
    """Return what one count is worth, if the variance of samples is as their values."""
    part = (z[1:-1] - z[:-2]) / (z[2:] - z[:-2])
    between = (1 - part) * c[:-2] + part * c[2:]
    times = 1 + (1 - part) ** 2 + part**2
    level = np.maximum((c[:-2] + c[1:-1] + c[2:]) / 3, 0.0)
    usable = level > 1e-9
    squares = (c[1:-1] - between)[usable] ** 2 / (times * level)[usable]
    # The median of the square of a normal deviate is 0.455.
    return max(float(np.median(squares)) / 0.455 if usable.any() else 0.0, 1 / _MOST_COUNTS)


def _poisson(misfit: Objective) -> Poisson:
    one = misfit.of if isinstance(misfit, Shared) else misfit
    assert isinstance(one, Poisson)  # noqa: S101 - what poisson_of makes
    return one


def _edges(z: Array, function: ResolutionFunction) -> Array:
    """Return edges of cells: about the samples, between those far apart, and beyond the ends.

    Atoms from beyond the ends, as far as the function reaches, are seen in the window.
    """
    gaps = np.diff(z)
    typical = float(np.median(gaps))
    finest = typical / _PARTS
    most = min(1.5 * typical, max(_FINE * function.fwhm, finest))
    parts = np.maximum(np.ceil(gaps / most - 1e-6), 1).astype(int)
    inside = [a + step * np.arange(p) / p for a, step, p in zip(z, gaps, parts, strict=False)]
    leading, trailing = function.within(_BEYOND)
    first, last = gaps[0] / parts[0], gaps[-1] / parts[-1]
    n_before = int(np.ceil(max(trailing, 2 * first) / first))
    n_after = int(np.ceil(max(-leading, 2 * last) / last))
    middles = np.concatenate([
        z[0] - first * np.arange(n_before, 0, -1), *inside, z[-1:],
        z[-1] + last * np.arange(1, n_after + 1),
    ])  # fmt: skip
    between = 0.5 * (middles[1:] + middles[:-1])
    ends = middles[0] - 0.5 * first, middles[-1] + 0.5 * last
    return np.concatenate([ends[:1], between, ends[1:]])


def _matrix(z: Array, edges: Array, function: ResolutionFunction) -> Array:
    """Return what a sample sees of each cell; what lies beyond the outermost is as these."""
    passed = function.cumulative(z[:, None] - edges)
    passed[:, 0], passed[:, -1] = 1.0, 0.0
    return np.maximum(passed[:, :-1] - passed[:, 1:], 0.0)


def _overlap(lower: Array, upper: Array, edges: Array) -> Array:
    """Return the share of each cell in the mean between two depths."""
    shared = np.minimum(upper[:, None], edges[1:]) - np.maximum(lower[:, None], edges[:-1])
    shared = np.maximum(shared, 0.0)
    return shared / shared.sum(axis=1, keepdims=True)


# --- the minimum ------------------------------------------------------------------------------


def _prior(posed: Posed, smoothness: str | float) -> Prior:
    if smoothness == "steps":
        return restoring.steps(posed.x)
    return restoring.curvature(posed.x, posed.fwhm)


def _found(posed: Posed, smoothness: str | float) -> Minimum:
    prior = _prior(posed, smoothness)
    if isinstance(smoothness, str):
        strengths = _STEPS if smoothness == "steps" else _CURVATURES
    else:
        strengths = np.append(_CURVATURES[smoothness > _CURVATURES], smoothness)
    how = restoring.most_evident if isinstance(smoothness, str) else restoring.of_strength
    best = how(posed.spread, posed.misfit, prior, strengths, _begin(posed), posed.offset)
    if not (best.converged and np.isfinite(best.u).all()):
        raise NoProfileError("not_converged")
    return best


def _begin(posed: Posed) -> Array:
    """Begin at the samples, averaged over half of the function's width."""
    one = _poisson(posed.misfit)
    c = np.maximum(one.counts * one.one - posed.offset, 0.0)
    half = 0.5 * posed.fwhm
    total = np.concatenate([[0.0], np.cumsum(c)])
    low, high = posed.z.searchsorted(posed.z - half), posed.z.searchsorted(posed.z + half)
    mean = (total[high] - total[low]) / (high - low)
    least = 0.05 * float(np.median(one.one))
    begin: Array = np.interp(posed.x, posed.z, np.log(np.maximum(mean, least)))
    return begin


# --- what it is worth -------------------------------------------------------------------------


def _judged(
    posed: Posed,
    best: Minimum,
    smoothness: str | float,
    samples: Samples,
    *,
    kernels: bool,
) -> dict[str, Any]:
    x, top, mean = np.exp(best.u), posed.top, posed.mean
    matrix = posed.spread.matrix
    weight = posed.misfit.information(best.m)
    inverse = linalg.cho_solve_banded((best.factor, True), np.eye(x.size), check_finite=False)
    # How x answers to what the samples see: X H^-1 X A' W.
    answer = (x[:, None] * inverse) @ (matrix * x).T * weight
    of_means = mean @ answer
    covariance = (of_means / weight) @ of_means.T
    value = mean @ x
    variance = np.diag(covariance) + _of_background(of_means, samples.where(posed.here), top)
    stderr = np.sqrt(np.maximum(variance, 0.0))
    kernel = of_means @ matrix
    achieved = np.maximum(_fwhm(kernel / np.diff(_edges_of(posed)), posed.x), posed.width)
    dose_weight = _trapezoid(posed.z)
    dose = float(dose_weight @ value)
    dose_variance = float(dose_weight @ covariance @ dose_weight)
    value, stderr = _without_counts(posed, value, stderr, achieved)
    deviance = _largest_deviance(posed, best.m)
    maxima = _doubtful(posed, best, _prior(posed, smoothness), achieved)
    seen = float(dose_weight @ (best.m - posed.offset))
    code = "ok"
    if deviance > _THRESHOLD:
        code = "resolution_too_wide"
    elif _cut(posed, best.m):
        code = "truncated"
    known = {
        "status": STATUS.index(code),
        "smoothness": best.strength,
        "largest_deviance": deviance,
        "value": value * top,
        "stderr": stderr * top,
        "achieved_resolution": achieved,
        "refolded": best.m * top,
        "window_dose": dose * top,
        "window_dose_stderr": np.sqrt(dose_variance) * top,
        "carried_dose": (dose - seen) * top,
        "fraction": float(np.median(np.minimum(posed.width / achieved, 1.0))),
        "doubtful_maxima": maxima.size,
    }
    if maxima.size:
        known["doubtful_maximum"] = maxima[0]
    return known | ({"kernels": kernel @ _members(posed)} if kernels else {})


def _edges_of(posed: Posed) -> Array:
    middle = 0.5 * (posed.x[1:] + posed.x[:-1])
    return np.concatenate([[2 * posed.x[0] - middle[0]], middle, [2 * posed.x[-1] - middle[-1]]])


def _members(posed: Posed) -> Array:
    """Return to which samples each cell belongs: (m, n), of the atoms in it."""
    atoms = posed.mean * posed.width[:, None] / np.diff(_edges_of(posed))
    return np.minimum(atoms, 1.0).T


def _trapezoid(z: Array) -> Array:
    half = 0.5 * np.diff(z)
    return np.concatenate([half, [0.0]]) + np.concatenate([[0.0], half])


def _of_background(of_means: Array, window: Samples, top: float) -> Array:
    """Return what the error of a background adds to the variance, that was subtracted before."""
    common = np.nan_to_num(window.common / top)
    whole = of_means @ common
    own = of_means @ (common * np.nan_to_num(window.overlap))
    return whole * (whole - 2 * own)


def _fwhm(kernel: Array, x: Array) -> Array:
    """Return the full width at half maximum of each row, about its largest value."""
    rows = np.arange(len(kernel))
    at = kernel.argmax(axis=1)
    half = 0.5 * kernel[rows, at][:, None]
    low = kernel < half
    column = np.arange(x.size)
    before = np.where(low & (column < at[:, None]), column, -1).max(axis=1)
    after = np.where(low & (column > at[:, None]), column, x.size).min(axis=1)

    def between(inside: Array, outside: Array) -> Array:
        outside = np.clip(outside, 0, x.size - 1)
        a, b = kernel[rows, inside], kernel[rows, outside]
        part = np.divide(a - half[:, 0], a - b, out=np.zeros_like(a), where=a > b)
        found: Array = x[inside] + part * (x[outside] - x[inside])
        return found

    return between(np.maximum(after - 1, at), after) - between(np.minimum(before + 1, at), before)


def _without_counts(
    posed: Posed, value: Array, stderr: Array, achieved: Array
) -> tuple[Array, Array]:
    """Keep below detection what is: 0 where nothing was counted within the achieved resolution."""
    one = _poisson(posed.misfit)
    total = np.concatenate([[0.0], np.cumsum(one.counts)])
    reach = 0.5 * np.maximum(achieved, posed.fwhm)
    low = posed.z.searchsorted(posed.z - reach)
    high = posed.z.searchsorted(posed.z + reach, side="right")
    none = ~(total[high] - total[low] > 0)
    # Half of the 1.84 counts that none may be, over all samples there.
    least = 0.92 * one.one / (high - low)
    return np.where(none, 0.0, value), np.where(none, least, stderr)


def _largest_deviance(posed: Posed, m: Array) -> float:
    """Return the largest signed root of the deviance of windows of samples."""
    one, share = _poisson(posed.misfit), 1.0
    if isinstance(posed.misfit, Shared):
        share = posed.misfit.share
    counts, expected = (
        np.concatenate([[0.0], np.cumsum(each)]) for each in (one.counts, one.expected(m))
    )
    largest = 0.0
    for wide in _WINDOWS:
        if wide >= counts.size:
            break
        n = counts[wide:] - counts[:-wide]
        mu = np.maximum(expected[wide:] - expected[:-wide], 1e-12)
        safe = np.where(n > 0, n, 1.0)
        deviance = 2 * (n * np.log(safe / mu) - (n - mu))
        largest = max(largest, float(deviance.max()))
    return float(np.sqrt(share * largest))


def _cut(posed: Posed, m: Array) -> bool:
    """Return whether the window cuts a rise that is as steep as the resolution function."""
    m = m - posed.offset
    one = float(np.median(_poisson(posed.misfit).one))
    for z, level in ((posed.z - posed.z[0], m), (posed.z[-1] - posed.z[::-1], m[::-1])):
        inside = min(int(z.searchsorted(0.5 * posed.fwhm)), z.size - 1)
        surely = _SURELY * np.sqrt(max(level[0] / one, 1.0)) * one
        rise = level[0] - _STEEP * level[inside]
        if rise > 0 and level[0] - level[inside] > surely and level[0] > _HIGH * m.max():
            return True
    return False


def _doubtful(posed: Posed, best: Minimum, prior: Prior, achieved: Array) -> Array:
    """Return the depths of maxima that the samples do not need: nearly as likely is a bridge."""
    u, x = best.u, posed.x
    inside = np.flatnonzero((x >= posed.z[0]) & (x <= posed.z[-1]))
    a = inside[0]
    rising = np.sign(np.diff(u[inside]))
    turns = np.flatnonzero((rising[:-1] > 0) & (rising[1:] <= 0)) + 1 + a
    width = np.interp(x, posed.z, achieved)
    found = []
    for left, right in pairwise(turns):
        valley = left + int(np.argmin(u[left : right + 1]))
        depth = min(u[left], u[right]) - u[valley]
        if depth < _FEATURE or x[right] - x[left] > _APART * max(width[left], width[right]):
            continue
        if len(found) < _ASKED and not _needed(posed, best, prior, int(left), int(right)):
            lower = left if u[left] < u[right] else right
            found.append(float(x[lower]))
    return np.array(sorted(set(found)))


def _needed(posed: Posed, best: Minimum, prior: Prior, left: int, right: int) -> bool:
    """Return whether the samples are unlikely if a straight line joins two maxima in ln x."""
    size = best.u.size
    tied = np.arange(left + 1, right)
    free = np.setdiff1d(np.arange(size), tied)
    bridge = np.zeros((size, free.size))
    bridge[free, np.arange(free.size)] = 1.0
    part = (posed.x[tied] - posed.x[left]) / (posed.x[right] - posed.x[left])
    bridge[tied, np.searchsorted(free, left)] = 1 - part
    bridge[tied, np.searchsorted(free, right)] = part
    v = best.u[free].copy()
    # The atoms of both maxima and of the valley, spread evenly.
    here = slice(left, right + 1)
    v[np.searchsorted(free, [left, right])] = np.log(np.mean(np.exp(best.u[here])))
    for _ in range(12):
        x = np.exp(np.minimum(bridge @ v, 300.0))
        m = posed.offset + posed.spread.matrix @ x
        r = posed.misfit.residual(m)
        changes = prior.changes(bridge @ v)
        costs = prior.costs(changes, best.strength)
        gain = x * (posed.spread.matrix.T @ (r * posed.misfit.slope(m, r)))
        slope = bridge.T @ (gain + prior.gathered(costs.slope, size))
        band = posed.spread.curvature(x, posed.misfit.information(m))
        band[0] += np.maximum(gain, 0.0) + 1e-8
        prior.add(band, costs.above)
        curvature = bridge.T @ _banded(band, bridge)
        step = linalg.solve(curvature, -slope, assume_a="pos")
        if -float(slope @ step) < 1e-2:
            break
        v = v + step * min(1.0, 2.0 / float(np.abs(step).max()))
    return 0.5 * float(r @ r) - best.misfit > _NEEDED


def _banded(band: Array, right: Array) -> Array:
    """Return the product of a symmetric band with a matrix."""
    out: Array = band[0][:, None] * right
    for d in range(1, len(band)):
        part = band[d][:-d, None]
        out[:-d] += part * right[d:]
        out[d:] += part * right[:-d]
    return out
