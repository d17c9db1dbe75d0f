"""Moments of profiles: range, straggle, skewness and kurtosis, with standard errors."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels import segments
from sims_analysis.kernels.counting import CLEAR, ONE_SIGMA
from sims_analysis.kernels.rows import Array, Flags, Packed, Rows, errors_of, first_status
from sims_analysis.kernels.variance import variance_above_mean, variance_of_sum, weighted_errors
from sims_analysis.outcomes import Status


class Moments(NamedTuple):
    """Moments of rows by samples from ``start`` to ``stop``, and their standard errors; (R,)."""

    integral: Array
    projected_range: Array
    straggle: Array
    skewness: Array
    kurtosis: Array
    start: Array
    stop: Array
    status: NDArray[np.uint8]
    integral_stderr: Array
    projected_range_stderr: Array
    straggle_stderr: Array
    skewness_stderr: Array
    kurtosis_stderr: Array


def moments(
    rows: Rows,
    start: Array,
    stop: Array,
    level: Array,
    threshold: Array,
    window_start: Array,
    window_stop: Array,
    fraction: Array,
    floor: Array,
    *,
    relative: bool = False,
    window: bool = False,
    sure: bool = True,
) -> Moments:
    """Moments of the profile above the background, with trapezoidal weights.

    ``R = sum w z C / sum w C``, ``m_k = sum w (z - R)^k C / sum w C``. Standard errors are to first
    order, NaN where the variance is 0 (too few counts), and have a second part where noise may have
    decided which samples lie above the threshold (:func:`_of_ends`).

    Parameters
    ----------
    start, stop, level : ndarray, shape (R,)
        Window of depths; background, subtracted from the values.
    threshold : ndarray, shape (R,)
        Use only the run of samples around the maximum that lie above it, a fraction of the maximum
        if `relative`; NaN means every sample.
    window_start, window_stop : ndarray, shape (R,)
        If `window`, limits of that over which the background is the mean, so that its error
        contributes.
    fraction, floor : ndarray, shape (R,)
        Effective samples per depth; a background that was subtracted before, whose counts scatter
        still.
    sure : bool
        Whether no background, this or an earlier one, has an error: the second order of the
        kurtosis, which a window among the samples far from the peak mostly cancels, counts then.
    """
    inside = rows.within(start, stop)
    run = _run(inside, level, threshold, fraction, relative=relative)
    weights, total, mean, off, shape = found = _between(rows, level, run.first, run.last)
    with np.errstate(invalid="ignore"):
        distribution = np.isfinite(shape.straggle)
    enough = run.size > 2
    status = first_status(
        ((inside.size < 3) | np.isnan(level), Status.NO_DATA),
        (~enough, Status.NEVER_REACHED),
        (~distribution, Status.BELOW_DETECTION),
        (np.isfinite(threshold) & (run.last >= rows.last), Status.TRUNCATED),
    )
    answers = np.array([total, mean, *shape, run.first, run.last])
    errors = np.full((5, rows.count), np.nan)
    if rows.stderr is not None:
        slopes = _slopes(rows, weights, np.where(distribution, total, np.nan), off, shape)
        for error, slope in zip(errors, slopes, strict=True):
            if window:
                variance = variance_above_mean(
                    rows, slope, rows.sum(slope), window_start, window_stop, fraction
                )
            else:
                variance = variance_of_sum(rows, slope)
            error[:] = np.sqrt(np.where(variance > 0, variance, np.nan))
        # Higher moments depend on few counts far from the peak.
        errors[2:] *= [_student(rows, slope, floor) for slope in slopes[2:]]
        if sure:
            errors[4] *= np.sqrt(1.0 + _second_order(rows, weights, total, off, shape))
        if run.others:
            errors = np.hypot(errors, _of_ends(rows, level, run, found))
    for columns in (answers, errors):
        columns[:, ~(enough & distribution)] = np.nan
    return Moments._make([*answers, status, *errors])


class _Found(NamedTuple):
    """Weights of the samples, (R, n), sum, mean, distances from the mean, and shape of a run."""

    weights: Array
    total: Array
    mean: Array
    off: Array
    shape: _Shape

    @property
    def answers(self) -> Array:
        """Integral, mean, straggle, skewness and kurtosis."""
        return np.array([self.total, self.mean, *self.shape])


def _between(rows: Rows, level: Array, first: Array, last: Array) -> _Found:
    """Return the moments of the samples between two depths; NaN where they have no peak."""
    # The run is an interval from sample to sample: samples outside have zero weight.
    limits = (np.where(np.isfinite(end), end, np.inf) for end in (first, last))
    weights = segments.trapezoid_weights(rows, *limits)
    mass = weights * (rows.value - rows.repeat(level))
    total = rows.sum(mass)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        mean = rows.sum(mass, rows.depth) / total
        off = rows.depth - rows.repeat(mean)
        squared = off * off
        mass *= squared
        second = rows.sum(mass) / total
        third, fourth = (rows.sum(mass, power) / total for power in (off, squared))
        distribution = (total > 0) & (second > 0) & (mean >= first) & (mean <= last)
        straggle = np.sqrt(np.where(distribution, second, np.nan))
        shape = _Shape(straggle, third / straggle**3, fourth / straggle**4)
    return _Found(weights, total, mean, off, shape)


def _of_ends(rows: Rows, level: Array, run: _Run, found: _Found) -> Array:
    """Return the errors that come from where a run above a threshold ends; 0 where it is clear.

    The root mean square of what the ends of the runs of samples one standard error higher, and
    lower, change, for both ends together. NaN where there are no moments between such ends.
    """
    changed = np.zeros((5, rows.count))
    for own in run.others:
        for first, last in ((own.first, run.last), (run.first, own.last)):
            other = _between(rows, level, first, last)
            changed += 0.5 * (other.answers - found.answers) ** 2
    return np.where(run.doubtful, np.sqrt(changed), 0.0)


class _Shape(NamedTuple):
    """Straggle, skewness and kurtosis, (R,)."""

    straggle: Array
    skewness: Array
    kurtosis: Array


class _Run(NamedTuple):
    """The samples used for the moments: an interval of each row."""

    first: Array
    last: Array
    size: NDArray[Any]
    #: Rows in which noise may have decided what was kept.
    doubtful: Flags
    #: If there are any, what is kept if all samples are a standard error higher, and lower.
    others: tuple[Packed, ...] = ()


def _run(rows: Rows, level: Array, threshold: Array, fraction: Array, *, relative: bool) -> _Run:
    """Find the run of samples around the maximum that lie above the threshold; NaN: all samples."""
    doubtful = np.zeros(rows.count, dtype=bool)
    if np.isnan(threshold).all():
        return _Run(rows.begin, rows.end, rows.size, doubtful)
    rows = rows.packed()
    c = rows.value - rows.repeat(level)
    maximum = rows.reduce(np.maximum, c)
    excess = c - rows.repeat(threshold * maximum if relative else threshold)
    top = c == rows.repeat(maximum)
    keep = _around(rows, ~(excess < 0), top)
    others: tuple[Packed, ...] = ()
    if rows.stderr is not None:
        sigma = _errors_of_single(rows)
        doubtful = _doubtful(rows, excess, sigma, keep)
        if doubtful.any():
            own = top & ~(excess < 0)
            sigma = sigma * rows.repeat(np.sqrt(fraction))  # of a value, not of what sums take
            others = tuple(
                rows.keep(_around(rows, ~(excess + by * sigma < 0) | own, top))
                for by in (1.0, -1.0)
            )
    kept = rows.keep(keep)
    return _Run(kept.first, kept.last, kept.size, doubtful, others)


def _around(rows: Packed, above: Flags, top: Flags) -> Flags:
    """Flag the run of samples `above` around the first maximum of each row that is one of them."""
    # A run begins where the row does, or where a sample rises above the limit.
    begins = above.copy()
    begins[1:] &= ~above[:-1] | (rows.row[1:] != rows.row[:-1])
    run = np.where(above, np.cumsum(begins), 0)
    at_maximum = np.flatnonzero(above & top)
    row, position = np.unique(rows.row[at_maximum], return_index=True)
    wanted = np.full(rows.count, -1)
    wanted[row] = run[at_maximum[position]]
    kept: Flags = run == rows.repeat(wanted)
    return kept


def _errors_of_single(rows: Packed) -> Array:
    """Return standard errors; of zero counts, which have none in sums, that of one count."""
    sigma = errors_of(rows)
    least = rows.reduce(np.minimum, np.where(sigma > 0, sigma, np.inf), np.inf)
    one = rows.repeat(np.where(np.isinf(least), 0.0, least))
    return np.where(sigma == 0, one, sigma)


def _doubtful(rows: Packed, above: Array, sigma: Array, keep: Flags) -> Flags:
    """Flag the rows in which noise may have decided where the run above the threshold ends."""
    far = np.abs(above) >= CLEAR * sigma
    near = keep.copy()
    same = rows.row[1:] == rows.row[:-1]
    near[1:] |= keep[:-1] & same
    near[:-1] |= keep[1:] & same
    return rows.sum((near & ~far & ~np.isnan(above)).astype(float)) > 0


def _slopes(rows: Rows, weights: Array, total: Array, off: Array, shape: _Shape) -> list[Array]:
    """Return the derivatives of integral, mean, straggle, skewness and kurtosis by the samples.

    With ``t = (z - R) / straggle``, skewness g and kurtosis b: w, and ``w / Q`` times ``straggle
    t``, ``straggle (t^2 - 1) / 2``, ``t^3 - 3 t - g - 3 g (t^2 - 1) / 2``, ``t^4 - 4 g t - b - 2 b
    (t^2 - 1)``.
    """
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        part = weights / rows.repeat(total)
        width, g, b = (rows.repeat(x) for x in shape)
        t = off / width
        squared = t * t  # powers by multiplication: np.power takes ten times as long
        wider = squared - 1.0
        return [
            np.broadcast_to(weights, t.shape),
            part * off,
            part * (0.5 * width * wider),
            part * (squared * t - 3.0 * t - g - 1.5 * g * wider),
            part * (squared * squared - 4.0 * g * t - b - 2.0 * b * wider),
        ]


def _student(rows: Rows, weights: Array, floor: Array) -> Array:
    """Widen the error of a sum by Student's t, because few counts do not determine its variance.

    With ``k = (C / s)^2`` counts, those of a subtracted background (`floor`) included, the variance
    ``v = sum (w s)^2`` has ``2 v^2 / sum ((w s)^4 / k)`` degrees of freedom (Satterthwaite).
    """
    from scipy.special import stdtrit

    sigma = errors_of(rows)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        part = weighted_errors(rows, weights) ** 2
        part /= rows.repeat(rows.sum(part))
        counts = np.maximum(((rows.value + rows.repeat(floor)) / sigma) ** 2, 1.0)
        freedom = 2.0 / rows.sum(np.where(part > 0, part**2 / counts, 0.0))
    uncertain = freedom < _CERTAIN
    return np.where(uncertain, stdtrit(np.where(uncertain, freedom, 1.0), _ONE_SIDE), 1.0)


#: Degrees of freedom above which Student's t is a normal distribution.
_CERTAIN = 1e6
#: Probability below one standard deviation above the mean of a normal distribution.
_ONE_SIDE = 0.5 * (1.0 + ONE_SIGMA)


def _second_order(rows: Rows, weights: Array, total: Array, off: Array, shape: _Shape) -> Array:
    """Return the second-order term of the variance of the kurtosis, relative to the first.

    ``tr(H V H V) / 2`` over ``g V g``, with the covariance V of the first four moments about the
    mean over the straggle, and gradient g and Hessian H of the kurtosis by these.
    """
    straggle, g, b = shape
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        t = off / rows.repeat(straggle)
        part = weighted_errors(rows, weights) / rows.repeat(total)
        basis = [
            part * (t**k - rows.repeat(m)) for k, m in enumerate((0.0 * g, 0.0 * g + 1.0, g, b), 1)
        ]
        covariance = _matrices([[rows.sum(x * y) for y in basis] for x in basis])
        zero = np.zeros(rows.count)
        gradient = _matrices([[-4.0 * g], [-2.0 * b], [zero], [zero + 1.0]])
        hessian = _matrices(
            [
                [12.0 + 4.0 * b, 8.0 * g, zero - 4.0, zero],
                [8.0 * g, 6.0 * b, zero, zero - 2.0],
                [zero - 4.0, zero, zero, zero],
                [zero, zero - 2.0, zero, zero],
            ]
        )
        first = (gradient.mT @ covariance @ gradient)[:, 0, 0]
        product = hessian @ covariance
        ratio = 0.5 * np.trace(product @ product, axis1=1, axis2=2) / first
    return np.where(ratio > 0, ratio, 0.0)


def _matrices(entries: list[list[Array]]) -> Array:
    """Arrange entries, (R,), as a matrix for each row, to be multiplied row by row."""
    return np.ascontiguousarray(np.moveaxis(np.array(entries), -1, 0))
