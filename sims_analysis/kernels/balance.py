"""Acceptors and donors: their sums, and what is known where these balance."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sims_analysis.kernels.locating import Against, half_widths
from sims_analysis.kernels.rows import Rows
from sims_analysis.kernels.within_segments import between

__all__ = ["Found", "Noisy", "Places", "Sides", "answers", "errors_of_sums", "in_order", "sums_of"]

Array = NDArray[np.float64]
Index = NDArray[np.intp]


class Found(NamedTuple):
    """Junctions in order of row and depth; every field has shape (K,)."""

    row: Index
    depth: Array
    stderr: Array
    concentration: Array
    direction: NDArray[np.int8]

    def take(self, which: NDArray[Any]) -> Found:
        """Keep some, or put them in another order."""
        return Found(*(column[which] for column in self))


_NOTHING = Found(np.zeros(0, np.intp), np.zeros(0), np.zeros(0), np.zeros(0), np.zeros(0, np.int8))


def in_order(parts: list[Found]) -> Found:
    """Put junctions of several blocks in order of row."""
    if len(parts) < 2:
        return parts[0] if parts else _NOTHING
    joined = Found(*map(np.concatenate, zip(*parts, strict=True)))
    sorted_ = (joined.row[1:] >= joined.row[:-1]).all()
    return joined if sorted_ else joined.take(np.argsort(joined.row, kind="stable"))


class Places(NamedTuple):
    """Balances of acceptors and donors; every field has shape (K,)."""

    row: Index
    depth: Array
    direction: NDArray[Any]


class Noisy(NamedTuple):
    """Acceptors and donors at every depth, row after row, with their standard errors."""

    acceptors: Rows
    stderr: Array
    donors: Against

    @classmethod
    def of(cls, depth: Array, c: Array, sigma: NDArray[Any], weight: Array, net: Array) -> Noisy:
        """Add up species ``(R, s, n)`` on one axis."""
        sums = [side.reshape(-1) for side in sums_of(c, weight, net)]
        errors = [side.reshape(-1) for side in errors_of_sums(sigma, weight)]
        start = np.arange(len(c) + 1) * depth.size
        laid = Rows(np.tile(depth, len(c)), sums[0], start)
        return cls(laid, errors[0], Against(sums[1], errors[1]))

    def half_widths(self, at: Places, before: Index) -> Array:
        """Give the half-width of the 68 % interval about each balance."""
        rows, falling = self.acceptors, at.direction < 0
        return half_widths(rows, self.stderr, self.donors, at.row, before, at.depth, falling)


class Sides(NamedTuple):
    """What adds up to acceptors and to donors: species with their fractions, and a background."""

    active: tuple[list[tuple[int, float]], list[tuple[int, float]]]
    background: tuple[Array, Array] | None

    @classmethod
    def of(cls, weight: Array, net: Array) -> Sides:
        """Tell the sides of species by the sign of their weights, and of net doping by its own."""
        of_species = list(enumerate(weight.tolist()))
        acceptors = [(i, a) for i, a in of_species if a > 0]
        donors = [(i, -a) for i, a in of_species if a < 0]
        constant = (np.maximum(-net, 0.0), np.maximum(net, 0.0)) if net.any() else None
        return cls((acceptors, donors), constant)

    def sums(self, c: Array, rows: slice = slice(None)) -> tuple[Array, Array]:
        """Sum acceptors and donors over the species of some rows of ``(R, s, n)``."""
        one, other = self.background or (None, None)
        return _sum(c[rows], self.active[0], one, rows), _sum(c[rows], self.active[1], other, rows)


def sums_of(c: Array, weight: Array, net: Array) -> tuple[Array, Array]:
    """Sum acceptors and donors over the species of ``(R, s, n)``."""
    return Sides.of(weight, net).sums(c)


def _sum(c: Array, active: list[tuple[int, float]], background: Array | None, rows: slice) -> Array:
    if len(active) == 1 and active[0][1] == 1.0 and background is None:
        return c[:, active[0][0]]  # nothing to add, nothing to copy
    total = np.zeros((c.shape[0], c.shape[2]))
    for species, fraction in active:
        total += c[:, species] if fraction == 1.0 else c[:, species] * fraction
    if background is not None:
        total += background[rows, None]
    return total


def errors_of_sums(sigma: NDArray[Any], weight: Array) -> list[Array]:
    """Give the standard errors of acceptors and donors: errors of species are independent."""
    variance = np.square(sigma, dtype=np.float64)
    none = np.zeros(len(sigma))
    return [np.sqrt(side) for side in sums_of(variance, weight * np.abs(weight), none)]


def answers(
    at: Places,
    ends: tuple[Array, Array],
    t: Array,
    weight: Array,
    net: Array,
    stderr: Array | None,
) -> Found:
    """Evaluate the acceptors at the junctions, each between its own two samples.

    `ends` are the species on the samples before and after of each junction ``(K, s)``, and `t` is
    its place between them, ``(K, s)`` or ``(K, 1)``.
    """
    some = weight > 0
    c0, c1 = (end[:, some] for end in ends)
    t = t[:, some] if t.shape[1] > 1 else t
    of_species = between(c0, c1, t, log=True)[0][:, :, None]
    total = sums_of(of_species, weight[some], net[at.row])[0][:, 0]
    if stderr is None:
        stderr = np.full(at.depth.shape, np.nan)
    return Found(at.row, at.depth, stderr, total, at.direction.astype(np.int8))
