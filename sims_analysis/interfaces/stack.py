"""The layers of one profile: its plateaus, and half of the step from each to the next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import nan
from typing import NamedTuple

import numpy as np
from scipy.optimize import isotonic_regression

from sims_analysis.interfaces.step import (
    MIDDLE,
    OF_MIDDLE,
    WHOLE,
    Plateau,
    Record,
    errors,
    fit_plateau,
    has_another_edge,
    level_part,
    step_between,
    surely_slopes,
)
from sims_analysis.kernels.maxima import maxima
from sims_analysis.kernels.residuals import running
from sims_analysis.kernels.samples import Array, in_order
from sims_analysis.outcomes import Status


class Layer(NamedTuple):
    """A layer: depths in nm, their standard errors, and widths of edges from 16 % to 84 %."""

    status: Status
    top: float = nan
    top_stderr: float = nan
    bottom: float = nan
    bottom_stderr: float = nan
    thickness_stderr: float = nan
    top_width: float = nan
    top_width_stderr: float = nan
    bottom_width: float = nan
    bottom_width_stderr: float = nan


@dataclass(frozen=True)
class _Rules:
    """The numbers by which layers are found, and judged."""

    smallest: float = 0.05  # part of the highest layer that another has at least
    step: float = 0.15  # part of a layer by which another inside of it rises or falls at least
    matters: float = 0.01  # part of its steps by which a slope changes a plateau that is a line,
    longer: float = 0.6  # and part of the distance to the next plateau that it is long at least
    complete: float = 1.5  # widths of an edge from its position to the plateau
    rounded: float = 0.8  # part of its height above which a round plateau is measured
    # Pairs: of a part of an edge that is a plateau, and of the mean slope of the edge that it may
    # have at most: longer stretches may be steeper.
    flat: tuple[tuple[float, float], ...] = ((0.45, 0.5), (1 / 3, 0.5), (1 / 6, 0.3))
    sure: float = 3.0  # standard errors by which it surely is less steep
    noise: float = 0.1  # part of the largest difference to which means over neighbours are known
    rounding: float = 1e-9  # part of it below which noise is rounding
    chosen: float = 4.5  # standard errors of a step below which noise has chosen the plateau
    overlap: float = 0.49  # part of the distance of edges that their width may be, 5 % off beyond
    narrowed: float = 1.5  # standard errors by which noise may narrow what is seen of edges


_RULES = _Rules()


class _Edge(NamedTuple):
    """Where half of the step between two plateaus is complete, its error, width, and its error."""

    depth: float
    stderr: float
    width: float
    width_stderr: float
    #: What its middle says of its width, and the error of that.
    breadth: float
    breadth_stderr: float
    #: How far the error of the plateau above, and below, moves it, and interpolation (towards the
    #: higher one); and whether it is in two parts.
    moved: tuple[float, float]
    lower: float = 0.0
    double: bool = False


_NO_EDGE = _Edge(nan, nan, nan, nan, nan, nan, (0.0, 0.0))


def find_layers(
    z: Array, c: Array, s: Array, fraction: float, part: float, *, between: bool
) -> list[Layer]:
    """Return the layers; one with a status if there is none.

    A layer begins and ends at this `part` of the step to the plateau on either side.
    """
    places_in_order = in_order(z, c)
    if places_in_order.size < 5:
        return [Layer(Status.NO_DATA)]
    z, c = z[places_in_order], c[places_in_order]
    record = Record(z, c, *errors(c, s[places_in_order], fraction), between and fraction < 1, ())
    size = float(np.ptp(c))
    noise = np.maximum(record.s, _RULES.rounding * size)
    nodes, mean = _nodes(record, noise / np.sqrt(record.fraction)) if size > 0 else ([], record.c)
    if len(nodes) < 2:
        return [Layer(Status.FEATURELESS)]
    spans = _places(record, nodes, mean[nodes])
    ends = np.array([record.z[place[[0, -1]]] for place, _ in spans])
    steps = ends[1:, 0] - ends[:-1, 1], np.abs(np.diff(mean[nodes]))
    largest = [np.maximum(np.append(column, 0.0), np.insert(column, 0, 0.0)) for column in steps]
    plateaus = [_level(record, *span, *scale) for span, *scale in zip(spans, *largest, strict=True)]
    places, levels = [span for span, _ in spans], [plateau.level for plateau in plateaus]
    edges = [
        _edge(record, places[i : i + 2], plateaus[i : i + 2], part) for i in range(len(nodes) - 1)
    ]
    overlap = [False, *(_overlap(*both) for both in pairwise(edges)), False]
    layers = []
    for i, (top, bottom) in enumerate(pairwise([None, *edges, None])):
        rises = levels[i] - np.array(levels[max(i - 1, 0) : i] + levels[i + 1 : i + 2])
        if rises.max() > 0:
            merged = any(overlap[max(i - 1, 0) : i + 2])
            layers.append(_layer(top, bottom, rises, plateaus[i], merged=merged))
    return layers


def _overlap(first: _Edge, second: _Edge) -> bool:
    """Return whether what lies between two edges is too thin to reach its level."""
    # An edge between two samples has no width.
    breadth = 0.5 * np.nan_to_num([first.breadth, second.breadth]).sum()
    error = 0.5 * np.hypot(*np.nan_to_num([first.breadth_stderr, second.breadth_stderr]))
    return bool(breadth + _RULES.narrowed * error > _RULES.overlap * (second.depth - first.depth))


def _layer(
    top: _Edge | None, bottom: _Edge | None, rises: Array, plateau: Plateau, *, merged: bool
) -> Layer:
    """Return a layer; an edge inside of which the record begins or ends is None.

    A higher plateau moves edges to lower neighbours inwards, and those to higher ones outwards.
    """
    first, last = top or _NO_EDGE, bottom or _NO_EDGE
    alike = plateau.correlation(first.depth, last.depth)
    covariance = alike * first.moved[1] * last.moved[0] + first.lower * last.lower
    correlated = np.sign(np.prod(rises)) * 2 * covariance
    thickness = np.sqrt(first.stderr**2 + last.stderr**2 + correlated)
    status = Status.OK if top and bottom else Status.TRUNCATED
    if first.double or last.double:
        status = Status.WRONG_SHAPE
    unknown = any(edge and np.isnan(edge.depth) for edge in (top, bottom))
    if unknown or merged or np.abs(rises).min() < _RULES.chosen * plateau.noise:
        status = Status.UNDETERMINED
    depths = first.depth, first.stderr, last.depth, last.stderr
    widths = first.width, first.width_stderr, last.width, last.width_stderr
    return Layer(status, *depths, float(thickness), *widths)


def _nodes(record: Record, noise: Array) -> tuple[list[int], Array]:
    """Return a sample of each plateau (maxima, minima between them, steps), and running means."""
    c, n = record.c, record.c.size
    # What lies beyond the ends is low, so that a maximum may be at an end.
    margin = n // 4 + 1
    padded = (np.pad(column, margin, constant_values=column.min()) for column in (c, noise))
    tops = np.array(maxima(*padded), dtype=int).clip(margin, margin + n - 1) - margin
    needed = (noise.max() / (_RULES.noise * np.ptp(c))) ** 2
    width = int(min(max(3, needed), n // 10 + 1)) | 1
    mean = running(np.pad(c, width // 2, mode="edge"), width)
    tops = np.sort(tops[mean[tops] - mean.min() > _RULES.smallest * np.ptp(mean)])
    if not tops.size:
        return [], mean
    bounds = [0, *tops.tolist(), n - 1]
    lowest = [a + int(mean[a : b + 1].argmin()) for a, b in pairwise(bounds)]
    nodes = [tops[0]]
    for low, top in zip(lowest[1:-1], tops[1:], strict=True):
        nodes += [low, top]
    for end, top, at in ((lowest[0], tops[0], 0), (lowest[-1], tops[-1], len(nodes) + 1)):
        sure = 4 * np.hypot(noise[top], noise[end]) / np.sqrt(width)
        if mean[top] - mean[end] > max(0.1 * abs(mean[top]), sure):
            nodes.insert(at, end)
    nodes = _distinct_nodes(nodes, mean)
    steps = [_steps(record, a, b, mean, noise) for a, b in pairwise(nodes)]
    return _distinct_nodes([*nodes, *(node for part in steps for node in part)], mean), mean


def _distinct_nodes(nodes: Sequence[int], mean: Array) -> list[int]:
    """Return samples in order, without those at which the mean equals that at the one before."""
    every = sorted(set(nodes))
    return every[:1] + [b for a, b in pairwise(every) if mean[a] != mean[b]]


def _steps(record: Record, first: int, last: int, mean: Array, noise: Array) -> list[int]:
    """Return the middles of intervals that are clearly flat between a minimum and a maximum."""
    inside = slice(first, last + 1)
    z, size = record.z[inside], mean[last] - mean[first]
    done = (record.c[inside] - mean[first]) / size
    smooth = isotonic_regression(done).x
    low, high = smooth.searchsorted([_RULES.step, 1 - _RULES.step])
    steps: list[int] = []
    for part, flat in _RULES.flat:
        length = max(5, round(part * (high - low)))
        if high - low < 2 * length:
            continue
        mean_slope = (1 - 2 * _RULES.step) / (z[high - 1] - z[low])
        u, y, sigma = (
            np.lib.stride_tricks.sliding_window_view(column, length)
            for column in (z, done, noise[inside] / abs(size))
        )
        u = u - u.mean(axis=1, keepdims=True)
        squares = np.vecdot(u, u)
        slope, error = np.vecdot(u, y) / squares, np.sqrt(np.mean(sigma**2, axis=1) / squares)
        # A plateau is flatter than what is above it, and than what is below.
        steepest = np.minimum(
            np.maximum.accumulate(slope), np.maximum.accumulate(slope[::-1])[::-1]
        )
        level = (slope + _RULES.sure * error < flat * mean_slope) & (slope < flat * steepest)
        places = np.flatnonzero(level)
        places = places[(places >= low) & (places + length <= high)]
        runs = np.split(places, np.flatnonzero(np.diff(places) > 1) + 1) if places.size else []
        middles = [int(run.mean() + length // 2) for run in runs]
        steps += [m for m in middles if (np.abs(smooth[m] - smooth[steps]) > _RULES.step).all()]
    return [first + middle for middle in steps]


def _places(record: Record, nodes: Sequence[int], levels: Array) -> list[tuple[Array, int]]:
    """Return the samples of each plateau; and 1 or -1 if it is a maximum, or minimum, not level."""
    z, last = record.z, len(nodes) - 1
    ends = zip(pairwise(nodes), pairwise(levels.tolist()), strict=True)
    edges = [_locate_edge(record, *pair, *values) for pair, values in ends]
    places = []
    for i, node in enumerate(nodes):
        before, after = edges[max(i - 1, 0)], edges[min(i, last - 1)]
        begin = before.at + _RULES.complete * before.width if i > 0 else -np.inf
        end = after.at - _RULES.complete * after.width if i < last else np.inf
        place = in_order(z, record.c, begin, end)
        if i in (0, last):
            place = np.sort(level_part(record, place if i == 0 else place[::-1]))
        extremum = 0
        if place.size < 3:
            begin = before.nearly[1] if i > 0 else -np.inf
            end = after.nearly[0] if i < last else np.inf
            place = np.union1d(np.flatnonzero((z > begin) & (z < end)), node)
            extremum = 1 if levels[i] > levels[i - 1 if i else 1] else -1
        places.append((place, extremum))
    return places


class _EdgeEstimate(NamedTuple):
    """Where half of an edge is complete, about, its width, and where it nearly begins and ends."""

    at: float
    width: float
    nearly: tuple[float, float]


def _locate_edge(record: Record, first: int, last: int, low: float, high: float) -> _EdgeEstimate:
    inside = slice(first, last + 1)
    z, c = record.z[inside], record.c[inside]
    smooth = isotonic_regression((c - low) / (high - low)).x
    parts = (1 - _RULES.rounded, 0.16, 0.5, 0.84, _RULES.rounded)
    depths = np.interp(parts, np.maximum.accumulate(smooth + 1e-9 * np.arange(z.size)), z).tolist()
    return _EdgeEstimate(depths[2], depths[3] - depths[1], (depths[0], depths[4]))


def _level(record: Record, place: Array, extremum: int, distance: float, step: float) -> Plateau:
    """Return a plateau: the extremum of a parabola if it is not level.

    A clear slope that is not much shorter than the `distance` to the next plateau is a line.
    """
    z, plateau = record.z[place], fit_plateau(record, place, sloping=False)
    if not extremum or z.size < 3:
        line = fit_plateau(record, place, sloping=True)
        slopes = np.ptp(z) > _RULES.longer * distance and surely_slopes(
            line, float(z[-1]), _RULES.matters * step
        )
        return line if slopes else plateau
    u = z - plateau.centre
    columns = np.stack([np.ones(u.size), u, u * u], axis=1)
    inverse = np.linalg.pinv(columns.T @ columns)
    p = inverse @ columns.T @ record.c[place]
    tops = np.clip([u[0], -0.5 * p[1] / p[2] if p[2] else 0.0, u[-1]], u[0], u[-1])
    at = max(np.stack([tops**0, tops, tops**2], axis=1), key=lambda row: extremum * float(row @ p))
    error = plateau.noise * float(np.sqrt(at @ inverse @ at / record.fraction))
    return replace(plateau, level=float(at @ p), error=error)


def _edge(
    record: Record, places: Sequence[Array], plateaus: Sequence[Plateau], part: float
) -> _Edge:
    """Return the edge between two plateaus, from the middle of one to the middle of the other."""
    above, below = places
    halves = [above[above.size // 2 :], below[: (below.size + 1) // 2]]
    record = replace(record, places=halves)
    at = part if plateaus[1].level > plateaus[0].level else 1 - part
    full, middle = (step_between(record, plateaus, parts) for parts in (WHOLE, MIDDLE))
    step = middle
    if part != 0.5:
        near = max(at - 0.2, 0.5 * at), min(at + 0.2, 0.5 * (1 + at))
        step = step_between(record, plateaus, near, at)
    if np.isnan(step.position):
        return _NO_EDGE
    double = has_another_edge(record, plateaus, full)
    breadth, error = OF_MIDDLE * middle.width, OF_MIDDLE * middle.width_stderr
    of_whole = full.width, full.width_stderr, breadth, error
    *moved, lower = step.moved
    return _Edge(step.position, step.stderr, *of_whole, (moved[0], moved[1]), lower, double)
