"""The step of one profile between two plateaus: where it is, and how wide, from the data alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import nan, sqrt
from typing import Any

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import ndtr, ndtri

from sims_analysis.kernels.grid import samples_of_grid
from sims_analysis.kernels.residuals import chance_of_excess, running, scatter
from sims_analysis.kernels.samples import Array, in_order
from sims_analysis.outcomes import Status

#: The middle of a step, and the width of an error function over that from one part to the other.
WHOLE, MIDDLE, OF_WHOLE, OF_MIDDLE = (0.16, 0.84), (0.3, 0.7), 1.989, 1.896


@dataclass(frozen=True)
class _Rules:
    """The numbers by which a step is judged; R is the achieved resolution of a restored one."""

    plateau: float = 0.1  # part of the samples that is a plateau at either end, unless stated
    rounding: float = 1e-9  # part of the levels below which a step is rounding
    complete: float = 2.0  # widths from the position to a plateau: 4 % of an exponential are left
    bent: float = 2.2  # widths over which h^2 is what lines between samples h apart widen a step by
    sharper: float = 15.0  # widths over which R^2 is the error of a restored width
    asymmetric: float = 0.04  # part of R that is the error of a restored position
    # Squares of the standard deviation over which h^3 is the error of a position by its samples.
    skewed: float = 58.0
    slopes: float = 1.5  # standard errors from which a slope of a plateau counts,
    matters: float = 0.02  # and part of the step by which it changes the level at least
    # Part of the width to which a position is known where a slope would surely have been seen.
    seen: float = 0.2
    off: float = 2.5  # standard errors by which samples are off a plateau
    sure: float = 3.0  # standard errors by which they surely are
    beyond: float = 0.1  # part of the step by which a record leaves both plateaus
    # A step is in parts if means over blocks are off an error function, and surely not by chance:
    blocks: int = 10  # number of these means,
    around: float = 2.5  # standard deviations on either side of the position that they span,
    another: float = 0.025  # part of the step that they may be off,
    hardly: float = 1e-3  # probability below which chance is no reason
    # The end of a step moves a plateau if this moves the position by more than
    tail: float = 0.45  # this part of its standard error,
    of_sigma: float = 0.01  # and of the standard deviation of the step
    # A plateau begins below a surface transient:
    tries: int = 32  # number of places in the record at which it may begin,
    highest: float = 20.0  # steps that a sample of the transient exceeds the plateau by at most,
    decays: float = 0.45  # part of its samples that hold half of its integral at most;
    few: int = 5  # number of samples that may be of any shape
    grows: float = 1.2  # factor by which scatter over twice the distance grows less without sharing
    many: int = 24  # number of samples whose scatter is known
    shared: float = 2.0  # standard errors of the covariance of neighbours from which they share it


_RULES = _Rules()
#: Statuses of a step that has a position.
_FOUND = (Status.OK, Status.UNDETERMINED)


@dataclass(frozen=True)
class Step:
    """A step between two plateaus: depths in nm, levels in the unit of the samples; NaN if unknown.

    ``moved`` is how far an error of the level above, and below, moves the position, and how far it
    may lie to the higher side between samples; ``unsure``, whether noise may hide slopes.
    """

    status: Status
    left_level: float = nan
    right_level: float = nan
    left_slope: float = nan
    right_slope: float = nan
    moved: tuple[float, float, float] = (nan, nan, nan)
    position: float = nan
    width: float = nan
    stderr: float = nan
    width_stderr: float = nan
    unsure: bool = False


@dataclass(frozen=True, eq=False)
class Record:
    """Samples in order of depth, with standard errors, and plateaus' places."""

    z: Array
    c: Array
    s: Array
    #: Independent samples for each of these, and whether it is below 1 for what is interpolated.
    fraction: float
    grid: bool
    places: Sequence[Array]


@dataclass(frozen=True, eq=False)
class Plateau:
    """A plateau as a line about the middle of its samples, and the errors of level and slope."""

    centre: float
    level: float
    slope: float
    error: float
    slope_error: float
    #: Standard error of a sample; of what it shares with its neighbours, as a ripple; and how many
    #: times larger the errors of the line are by that.
    noise: float
    shared: float
    grown: float

    def at(self, z: Any) -> Any:
        """Return the line at a depth, or at depths."""
        return self.level + self.slope * (z - self.centre)

    def error_at(self, z: float) -> float:
        """Return the standard error of the line at a depth."""
        return float(np.hypot(self.error, self.slope_error * (z - self.centre)))

    def correlation(self, *z: float) -> float:
        """Return that of the errors of the line at two depths."""
        first, last = (complex(self.error, self.slope_error * (depth - self.centre)) for depth in z)
        return (first * last.conjugate()).real / (abs(first * last) or 1.0)


def measure_step(
    z: Array,
    c: Array,
    s: Array,
    _: Array,
    fraction: float,
    *limits: float,
    parts: tuple[float, float],
    between: bool,
) -> Step:
    """Measure a step between two `parts`.

    `limits` are those of the record and of both plateaus; a fraction of independent samples below 1
    is of interpolated values if `between`.
    """
    answer = Step(Status.NO_DATA)
    bounds, *stated = limits[:2], limits[2:4], limits[4:]
    places = in_order(z, c, *bounds)
    z, c, s = z[places], c[places], s[places]
    if z.size < 5:
        return answer
    part = max(2, round(_RULES.plateau * z.size))
    free = [bool(np.isnan(pair).all()) for pair in stated]
    record = Record(z, c, *errors(c, s, fraction), between and fraction < 1, ())
    last = np.arange(z.size - part, z.size) if free[1] else in_order(z, c, *stated[1])
    # A plateau begins where a surface transient ends.
    for begin in range(0, z.size // 4 if free[0] else 1, max(1, z.size // _RULES.tries)):
        first = np.arange(begin, begin + part) if free[0] else in_order(z, c, *stated[0])
        if not (first.size and last.size):
            return answer
        step, used = _from_plateaus(replace(record, places=[first, last]), parts, free)
        if begin == 0 or (step.status in _FOUND and _is_transient(used, step)):
            answer = step
        if answer.status not in (Status.FEATURELESS, Status.TRUNCATED):
            break
    if answer.status == Status.FEATURELESS and _means_differ(record, part):
        return replace(answer, status=Status.WRONG_SHAPE)
    return answer


def _means_differ(record: Record, part: int) -> bool:
    """Return whether means over a tenth of the record differ anywhere, as plateaus have to."""
    mean = running(record.c, part)
    noise = np.maximum(record.s, scatter(record.c))
    variance = running(noise**2, part) / (part * record.fraction)
    low, high = mean.argmin(), mean.argmax()
    least = max(5 * np.sqrt(variance[low] + variance[high]), _RULES.rounding * np.abs(mean).max())
    return bool(mean[high] - mean[low] > least)


def _is_transient(record: Record, step: Step) -> bool:
    """Return whether samples before a plateau come ever closer to it, unlike those of a layer.

    Half of what they differ by, together, is among the first of those that make nine tenths.
    """
    before = slice(0, int(record.places[0][0]))
    plateau = step.left_level + step.left_slope * (record.z[before] - step.position)
    off = record.c[before] - plateau
    part = np.abs(np.cumsum(off)) / max(abs(off.sum()), 1e-300)
    half, most = np.argmax(part >= 0.5), np.argmax(part >= 0.9)
    decays = most < max(_RULES.few, record.c.size // 16) or half < _RULES.decays * most
    return bool(
        decays and np.abs(off).max() < _RULES.highest * abs(step.right_level - step.left_level)
    )


def _from_plateaus(
    record: Record, parts: tuple[float, float], free: Sequence[bool]
) -> tuple[Step, Record]:
    """Measure a step, then again from `free` plateaus that reach up to it; lines if they slope."""
    level = [fit_plateau(record, place, sloping=False) for place in record.places]
    first = step_between(record, level, parts)
    if first.status not in _FOUND:
        return first, record
    about, narrow = _position_and_width(record, level), record
    seen = first.stderr < _RULES.seen * about[1] or (record.fraction < 1 and not record.grid)
    for _ in range(4):
        # Slopes that are there show best once the plateaus reach up to the step.
        record = replace(record, places=_places(narrow, about, free))
        lines = [fit_plateau(record, place, sloping=True) for place in record.places]
        before, about = about, _position_and_width(record, lines)
        if np.isnan(about[0]) or np.allclose(about, before, rtol=1e-3):
            break
    position = about[0] if np.isfinite(about[0]) else float(record.z.mean())
    height = abs(lines[1].at(position) - lines[0].at(position))
    slopes = [surely_slopes(line, position, _RULES.matters * height) for line in lines]
    chosen = [
        line if slope else fit_plateau(record, place, sloping=False)
        for line, place, slope in zip(lines, record.places, slopes, strict=True)
    ]
    step = step_between(record, chosen, parts)
    # Lines that noise has turned say nothing against what levels say.
    if step.status not in _FOUND:
        step, record, chosen = first, narrow, level
    step = replace(step, unsure=any(free) and not (any(slopes) or seen))
    if _is_no_single_step(record, chosen, step.position, free):
        return replace(step, status=Status.WRONG_SHAPE), record
    if _reaches_into(record, chosen, step, float(np.diff(ndtri(parts))[0]), free):
        unknown: Any = dict.fromkeys(("position", "width", "stderr", "width_stderr"), nan)
        return replace(step, status=Status.TRUNCATED, **unknown), record
    # After what is decided by errors: what ends of steps leave on plateaus is no ripple.
    rippled = step_between(record, chosen, parts, rippled=True)
    return replace(step, stderr=rippled.stderr, width_stderr=rippled.width_stderr), record


def surely_slopes(line: Plateau, position: float, least: float) -> bool:
    """Return whether a plateau surely slopes, and by more than this from its middle to a depth."""
    sure = abs(line.slope) > _RULES.slopes * line.slope_error
    return sure and abs(line.slope * (position - line.centre)) > least


def _position_and_width(record: Record, plateaus: Sequence[Plateau]) -> tuple[float, float]:
    """Return where a step is, and its width from 16 % to 84 %; or what its middle says, if less."""
    whole, middle = (step_between(record, plateaus, parts) for parts in (WHOLE, MIDDLE))
    return whole.position, float(np.fmin(whole.width, OF_MIDDLE * middle.width))


def _places(record: Record, about: tuple[float, float], free: Sequence[bool]) -> list[Array]:
    """Return the samples of the plateaus, those that may reach up to where the step begins."""
    position, width = about
    reach = _RULES.complete * width
    left = np.flatnonzero(record.z < position - reach)
    left = left[left >= record.places[0][0]]
    right = np.flatnonzero(record.z > position + reach)[::-1]
    places = []
    outermost = record.places[0], record.places[1][::-1]
    for near, place, may in zip((left, right), outermost, free, strict=True):
        larger = near if near.size > place.size else place
        places.append(np.sort(level_part(record, larger) if may else place))
    return places


def _reaches_into(
    record: Record, plateaus: Sequence[Plateau], step: Step, width: float, free: Sequence[bool]
) -> bool:
    """Return whether an error function, so many sigma wide, moves a `free` plateau, and itself."""
    position, sigma = step.position, step.width / width
    left, right = (plateau.at(record.z) for plateau in plateaus)
    model = replace(record, c=left + (right - left) * ndtr((record.z - position) / sigma))
    moved = [
        may * abs(fit_plateau(model, at, sloping=line.slope != 0).at(position) - line.at(position))
        for may, at, line in zip(free, record.places, plateaus, strict=True)
    ]
    shift = sqrt(np.pi / 2) * sigma * max(moved) / abs(step.right_level - step.left_level)
    return bool(shift > max(_RULES.tail * step.stderr, _RULES.of_sigma * sigma))


def level_part(record: Record, place: Array) -> Array:
    """Return the samples of a plateau, outermost first, but those at an end that decay to it.

    Those at the outer end; or those at the step, if the rest slopes, and many others are level.
    """
    outer = _without_end(record, place)
    if outer.size == 0 or not _slopes(record, outer):
        return outer
    inner = _without_end(record, place[::-1])
    return outer if inner.size < _RULES.many or _slopes(record, inner) else inner


def _slopes(record: Record, place: Array) -> bool:
    line = fit_plateau(record, place, sloping=True)
    return abs(line.slope) > _RULES.sure * line.slope_error


def _without_end(record: Record, place: Array) -> Array:
    """Return samples but the first that lie off the line of the others."""
    block = max(3, place.size // 16)
    most = place.size * 3 // 4
    for cut in range(0, most, block):
        outer, inner = place[cut : cut + block], place[cut + block :]
        if inner.size < block:
            return place[cut:]
        line = fit_plateau(record, inner, sloping=True)
        if abs(line.slope) < _RULES.sure * line.slope_error:
            line = fit_plateau(record, inner, sloping=False)
        at = float(record.z[outer].mean())
        noise = np.hypot(line.error_at(at), line.noise / np.sqrt(block * record.fraction))
        if abs(float(record.c[outer].mean()) - line.at(at)) < _RULES.off * noise:
            return place[min(2 * cut, most) :]  # what decays goes on below the noise
    return place[most:]


def _is_no_single_step(
    record: Record, plateaus: Sequence[Plateau], position: float, free: Sequence[bool]
) -> bool:
    """Return whether the record leaves both plateaus, or has another edge between them."""
    begin, end = int(record.places[0][0]), int(record.places[1][-1]) + 1
    # A surface transient is in the first quarter of a record.
    used = slice(min(begin, record.z.size // 4) if free[0] else begin, None if free[1] else end)
    width = max(5, record.z[used].size // 30)
    z, c, noise = (
        running(column[used], width) for column in (record.z, record.c, _noise(record, plateaus))
    )
    left, right = plateaus[0].at(np.minimum(z, position)), plateaus[1].at(np.maximum(z, position))
    # Between them on the step, and on their lines on plateaus.
    first = np.arange(used.start, used.start + z.size)
    on_right, on_left = first >= record.places[1][0], first + width <= record.places[0][-1] + 1
    left, right = np.where(on_right, right, left), np.where(on_left, left, right)
    beyond = np.maximum(c - np.maximum(left, right), np.minimum(left, right) - c)
    step = abs(plateaus[1].at(position) - plateaus[0].at(position))
    if (beyond > _RULES.beyond * step + 5 * noise / np.sqrt(width * record.fraction)).any():
        return True
    return has_another_edge(record, plateaus, step_between(record, plateaus, WHOLE))


def has_another_edge(record: Record, plateaus: Sequence[Plateau], step: Step) -> bool:
    """Return whether a step is surely in parts: far from an error function of its width.

    By means over parts of it, less what its position, width and skewness explain.
    """
    u = (record.z - step.position) * OF_WHOLE / step.width
    near = np.flatnonzero(np.abs(u) < _RULES.around)
    near = near[(near >= record.places[0][0]) & (near <= record.places[1][-1])]
    if not near.size > _RULES.blocks // 2:
        return False
    left, right = (plateau.at(record.z[near]) for plateau in plateaus)
    u, noise = u[near], _noise(record, plateaus)[near] / np.abs(right - left)
    density = np.exp(-0.5 * u**2) / np.sqrt(2 * np.pi)
    departure = (record.c[near] - left) / (right - left) - ndtr(u)
    columns = [departure, density, u * density, (u**2 - 1) * density, noise**2]
    starts = np.arange(min(_RULES.blocks, near.size)) * near.size // min(_RULES.blocks, near.size)
    size = np.diff(np.append(starts, near.size))
    off, *shifts, variance = np.add.reduceat(columns, starts, axis=1) / size
    error = np.sqrt(variance / (size * record.fraction) + _RULES.another**2)
    moved = np.transpose(shifts) / error[:, None]
    left_off = off / error - moved @ np.linalg.lstsq(moved, off / error, rcond=None)[0]
    chance = chance_of_excess(float(left_off @ left_off), starts.size - 3)
    return chance < _RULES.hardly


def fit_plateau(record: Record, place: Array, *, sloping: bool) -> Plateau:
    """Fit a level, or a line, to the samples of a plateau."""
    z, c, s = record.z[place], record.c[place], record.s[place]
    centre, level = float(z.mean()), float(c.mean())
    u = z - centre
    size = float(u @ u)
    slope = float(u @ c) / size if sloping and size > 0 else 0.0
    noise = float(np.sqrt(np.mean(s**2)))
    seen = scatter(c) if z.size >= _RULES.many else 0.0
    if seen**2 > (1 + _RULES.sure * np.sqrt(6 / z.size)) * noise**2:
        noise = seen  # surely beyond the stated errors
    free = max(z.size - 1 - sloping, 1)
    off = c - level - slope * u
    about = float(np.sqrt(np.sum(off**2) / free))
    if about**2 < (1 + _RULES.sure * np.sqrt(2 / free)) * noise**2:
        about = noise  # nothing else than noise is surely seen
    independent = np.sqrt(record.fraction)
    slope_error = about / independent / np.sqrt(size) if sloping and size > 0 else 0.0
    error = about / independent / float(np.sqrt(z.size))
    shared, of_mean = _shared(off, noise, record.fraction)
    grown = float(np.hypot(1, of_mean / error)) if error > 0 else 1.0
    return Plateau(centre, level, slope, error, slope_error, noise, shared, grown)


def _shared(off: Array, noise: float, fraction: float) -> tuple[float, float]:
    """Return the standard deviation of what neighbours share, if any, and that of its mean.

    By the covariance of residuals at growing distances, from the first at which samples are
    independent, to the first that is not positive.
    """
    apart = int(np.ceil(1 / fraction))
    if off.size < 4 * apart:
        return 0.0, 0.0
    covariance = np.correlate(off, off, "full")[off.size - 1 :] / off.size
    first = float(covariance[apart])
    if not first > _RULES.shared * noise**2 / np.sqrt(off.size * fraction):
        return 0.0, 0.0
    later = covariance[apart:]
    until = int(np.argmax(later <= 0)) if (later <= 0).any() else later.size
    return sqrt(first), sqrt((first + 2 * float(later[:until].sum())) / off.size)


def step_between(
    record: Record,
    plateaus: Sequence[Plateau],
    parts: tuple[float, float],
    at: float = 0.5,
    *,
    rippled: bool = False,
) -> Step:
    """Return the step between two lines: where a part of it is complete, and its width.

    With what neighbours share on plateaus that are `rippled`: it goes on along the step.
    """
    z, places, (left, right) = record.z, record.places, plateaus
    ends = z[places[0][-1]], z[places[1][0]]
    middle = 0.5 * (ends[0] + ends[1])
    known: Any = (left.at(middle), right.at(middle), left.slope, right.slope)
    between = slice(int(places[0][0]), int(places[1][-1]) + 1)
    noise = _noise(record, plateaus)[between]
    z, c = z[between], record.c[between]
    step = right.at(z) - left.at(z)
    if not (_levels_differ(plateaus, middle) and (step * step[0] > 0).all()):  # lines that cross
        return Step(Status.FEATURELESS, *known)
    done, noise = (c - left.at(z)) / step, noise / np.abs(step)
    levels_at = np.array([parts[0], at, parts[1]])
    above, part = _crossed(done, levels_at)
    if above[0] == 0 or above[-1] == z.size:
        return Step(Status.TRUNCATED, *known)
    below = above - 1
    depths = z[below] + part * (z[above] - z[below])
    if depths[0] < ends[0] or depths[-1] > ends[1]:
        return Step(Status.TRUNCATED, *known)
    position, width = depths[1], depths[2] - depths[0]
    levels = left.at(position), right.at(position)
    low, _, high = ndtri(levels_at).tolist()
    sigma = width / (high - low)
    steepest = max(width, float(z[above[1]] - z[below[1]]))
    samples = z, done, noise, record.fraction
    own, slopes = _errors_of_samples(samples, levels_at, above, part, steepest)
    steps = np.abs(step[above])
    # What an error of either level moves: each crossing, and all of them together.
    sizes = _level_errors(record, plateaus, position, rippled=rippled)[:, None]
    if rippled:
        shared = (1 - levels_at) * left.shared + levels_at * right.shared
        own = np.hypot(own, shared / steps / slopes)
    moved = np.array([1 - levels_at, levels_at]) * sizes / steps / slopes
    height = 0.5 * abs(levels[0] + levels[1])
    lower, skewed, bent = _between_samples(
        record, width, height, above, slopes[1] * steps[1], z, sigma
    )
    variance = own[1] ** 2 + np.sum(moved[:, 1] ** 2) + lower**2 + skewed**2
    of_levels = np.sum((moved[:, 2] - moved[:, 0]) ** 2)
    width_stderr = sqrt(own[0] ** 2 + own[2] ** 2 + of_levels + bent**2)
    status = Status.OK
    if above[0] == above[-1]:
        # Anywhere between two samples: the variance of a uniform distribution.
        variance += (z[above[1]] - z[below[1]]) ** 2 / 12
        status, width, width_stderr = Status.UNDETERMINED, nan, nan
    lines, by = (*levels, left.slope, right.slope), (moved[0, 1], moved[1, 1], lower)
    return Step(status, *lines, by, position, width, sqrt(variance), width_stderr)


def _crossed(done: Array, levels: Array) -> tuple[Array, Array]:
    """Return the samples from which on levels are passed, and how far these lie before them.

    The step is made monotone, so that noise passes each level once.
    """
    smooth = isotonic_regression(done).x
    above = np.searchsorted(smooth, levels)
    low, high = smooth[above - 1], smooth[np.minimum(above, smooth.size - 1)]
    with np.errstate(divide="ignore", invalid="ignore"):  # beyond an end
        return above, (levels - low) / (high - low)


def _level_errors(
    record: Record, plateaus: Sequence[Plateau], position: float, *, rippled: bool
) -> Array:
    """Return the errors of both levels at a step; `rippled` plateaus may bend towards it."""
    sizes = np.array([plateau.error_at(position) for plateau in plateaus])
    if not rippled:
        return sizes
    bends = [_bend(record, *pair, position) for pair in zip(record.places, plateaus, strict=True)]
    bent: Array = np.hypot(sizes * [plateau.grown for plateau in plateaus], bends)
    return bent


def _bend(record: Record, place: Array, plateau: Plateau, position: float) -> float:
    """Return how far a parabola through a plateau is off its line at a step; 0 if not surely.

    A plateau that tails, or ripples, has not the same level next to the step.
    """
    if place.size < _RULES.many:
        return 0.0
    reach = record.z[place] - plateau.centre, position - plateau.centre
    columns, at = (np.stack([np.ones_like(u), u, u * u]) for u in reach)
    inverse = np.linalg.pinv(columns @ columns.T)
    off = float(at @ inverse @ columns @ (record.c[place] - plateau.at(record.z[place])))
    error = plateau.noise * sqrt(float(at @ inverse @ at) / record.fraction)
    return abs(off) if abs(off) > _RULES.sure * error else 0.0


def _levels_differ(plateaus: Sequence[Plateau], middle: float) -> bool:
    one, other = (plateau.at(middle) for plateau in plateaus)
    error, of_other = (plateau.error_at(middle) for plateau in plateaus)
    unsure = 5 * float(np.hypot(error, of_other))
    return bool(abs(other - one) > max(unsure, _RULES.rounding * max(abs(one), abs(other))))


def _errors_of_samples(
    samples: tuple[Array, Array, Array, float],
    levels: Array,
    above: Array,
    part: Array,
    width: float,
) -> Array:
    """Return the errors of the samples' own at three parts of a step, and its slopes there."""
    z, done, noise, fraction = samples
    # A step is as steep as its width says, as an error function: noise needs neighbours beyond it.
    low, middle, high = ndtri(levels).tolist()
    slope = (high - low) * np.exp(-0.5 * middle**2) / np.sqrt(2 * np.pi)
    steep = np.array([0.0, slope, 0.0]) / width
    shares = part**2 + (1 - part) ** 2
    every = zip(above, steep, shares, strict=True)
    return np.transpose([_error(z, done, noise, int(i), fraction, *at) for i, *at in every])


def _between_samples(
    record: Record,
    width: float,
    height: float,
    above: Array,
    steepness: float,
    z: Array,
    sigma: float,
) -> tuple[float, float, float]:
    """Return what is unknown between samples: twice of a step's position, once of its width."""
    fraction = record.fraction
    spacing = float(samples_of_grid(np.array(fraction))[0]) if record.grid else 1.0
    cell = spacing * float(z[above[1]] - z[above[1] - 1])
    # On a grid between samples, lines of logarithms may lie below straight ones: in the middle by
    # an eighth of the change of ln C, two thirds of which are the mean over places between samples.
    lower = min(cell * steepness / height, 1.0) * cell / 12 if record.grid else 0.0
    # What is restored is known to the achieved resolution: its asymmetry within that is not.
    restored = fraction < 1 and not record.grid
    achieved = (1 / fraction - 1) * float(np.median(np.diff(z))) if restored else 0.0
    lower = max(lower, _RULES.asymmetric * achieved)
    skewed = cell**3 / (_RULES.skewed * sigma**2) if above[0] < above[-1] else 0.0
    # Straight lines between samples widen a step, of an error function by h^2 / (3 width) and more.
    bent = (cell**2 / _RULES.bent + achieved**2 / _RULES.sharper) / width if width > 0 else 0.0
    return lower, skewed, bent


def _noise(record: Record, plateaus: Sequence[Plateau]) -> Array:
    """Return the standard errors of samples: their own, or more if plateaus scatter more."""
    stated = [float(np.sqrt(np.mean(record.s[place] ** 2))) for place in record.places]
    ratios = [plateau.noise / s for plateau, s in zip(plateaus, stated, strict=True) if s > 0]
    return record.s * max([1.0, *ratios])


def errors(c: Array, s: Array, fraction: float) -> tuple[Array, float]:
    """Return standard errors: as stated, or as neighbours scatter, above and below half.

    And the independent samples for each of these, fewer if neighbours share noise. The scatter
    grows as a power of the level: as that of counts, where one side alone shows it, away from
    edges. On a grid, samples were further apart.
    """
    if np.isfinite(s).all():
        return s, fraction
    apart = int(np.ceil(samples_of_grid(np.array(fraction))[0]))
    if fraction == 1:
        apart = _averaged_samples(c)
        fraction = 1 / apart
    level = running(np.pad(c, 2, mode="edge"), 5)
    half = level > 0.5 * (level.min() + level.max())
    share = running(np.pad(half, 2, mode="edge").astype(float), 5)
    below, above = (c[side] for side in (share < 0.1, share > 0.9))
    least, most = scatter(below, apart), scatter(above, apart)
    low, high = (float(np.median(level[side])) if side.any() else 0.0 for side in (~half, half))
    power = 0.5
    if min(low, least, most) > 0:
        power = float(np.clip(np.log(most / least) / np.log(high / low), 0.0, 1.0))
    known, noise = (high, most) if above.size >= 5 * apart else (low, least)
    if known <= 0 or max(above.size, below.size) < 5 * apart:
        return np.full(c.size, scatter(c, apart)), fraction
    return np.maximum(least, noise * (np.maximum(level, 0.0) / known) ** power), fraction


def _averaged_samples(c: Array) -> int:
    """Return over how many samples noise was averaged: where their scatter grows no more.

    That of a smooth curve grows as the square of the distance; then it is nothing that they share.
    """
    apart = [2**k for k in range(4) if 2**k <= c.size // 16] or [1]
    seen = [scatter(c, distance) for distance in [*apart, 2 * apart[-1]]]
    grown = (n for n, a, b in zip(apart, seen, seen[1:], strict=False) if b < _RULES.grows * a)
    return next(grown, apart[-1] if seen[-1] < 2 * apart[-1] * seen[0] else 1)


def _error(
    z: Array, rising: Array, noise: Array, above: int, fraction: float, steep: float, share: float
) -> tuple[float, float]:
    """Return the error of the depth at which samples rise past a level, and their slope there.

    The slope is a straight line's through as few neighbours as determine it to a fifth, and at
    least `steep`. Noise that is small against the rise from one sample to the next moves two
    samples; more is pooled, and the error grows as its power 2/3 (asymptotically 0.81 times; H. D.
    Brunk, in: Nonparametric Techniques in Statistical Inference, Cambridge 1970, p. 177).
    """
    for reach in range(1, z.size):
        near = slice(max(above - reach, 0), above + reach)
        u = z[near] - z[near].sum() / z[near].size
        size, sigma = float(u @ u), sqrt(float(noise[near] @ noise[near]) / u.size)
        slope = float(u @ rising[near]) / size
        if slope > 5 * sigma / sqrt(size * fraction) or u.size == z.size:
            break
    spacing, variance = map(float, samples_of_grid(np.array(fraction)))
    cell = spacing * float(z[near][-1] - z[near][0]) / (u.size - 1)
    slope = max(slope, steep, 1e-6 / float(z[-1] - z[0]))
    ratio = sigma / np.sqrt(variance) / (slope * cell)
    # Where two samples decide, one at the crossing alone moves it; pooled, two thirds of one do.
    share = 2 / 3 + (share - 2 / 3) / (1 + ratio**3)
    return float(np.sqrt(share) * cell * ratio / (1 + ratio**3) ** (1 / 9)), slope
