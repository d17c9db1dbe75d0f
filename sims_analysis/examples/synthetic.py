"""The numbers of the synthetic examples: closed forms of depth, counted with Poisson noise.

A concentration is converted to the expected counts of an instrument of stated sensitivity, and
these to integer counts. Nothing is smoothed: zeros stay zeros. The archive of the package holds
these numbers, and in ``species_metadata["truth"]`` the truth of each profile at the stated depth
resolution, without surface transient and background, which are stated separately.

The output is the same to the byte on every platform and version: the uniform numbers are from the
standard library's ``random()``, whose sequence Python guarantees, and counts follow by inverting
the Poisson distribution.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import erfc, ndtr, pdtr

from sims_analysis.units import NM_PER_CM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sims_analysis.kernels.rows import Array

    Truth = Callable[[Array], Array]

SEED = 20260115
NAMES = ("boron-implant", "gan-mg-stack", "sputter-time")


class Signal(NamedTuple):
    """A species as delivered: its axis, the expected counts, and what one count stands for."""

    species: str
    axis: Array
    expected: Array
    per_count: float


def poisson(mean: Array, seed: int) -> NDArray[np.int64]:
    """Draw Poisson counts, the same on every version of Python, numpy and scipy.

    Examples
    --------
    >>> poisson(np.array([0.5, 5.0, 5e5]), seed=1)
    array([     0,      7, 500508])
    """
    draw = random.Random(seed)  # noqa: S311 - noise, not a secret
    uniform = np.array([draw.random() for _ in mean])
    # The smallest k with P(counts <= k) >= u, by bisection; k lies in (low, high].
    low = np.full(mean.shape, -1, dtype=np.int64)
    high: NDArray[np.int64] = np.ceil(mean + 12 * np.sqrt(mean) + 40).astype(np.int64)
    while (high - low > 1).any():
        middle = (low + high) // 2
        reached = (pdtr(np.maximum(middle, 0), mean) >= uniform) & (middle >= 0)
        high, low = np.where(reached, middle, high), np.where(reached, low, middle)
    counts: NDArray[np.int64] = high.astype(np.int64)
    return counts


def gaussian(z: Array, centre: float, sigma: float) -> Array:
    """Density of unit area, per nm."""
    density: Array = np.exp(-0.5 * ((z - centre) / sigma) ** 2) / (sigma * math.sqrt(2 * math.pi))
    return density


def tailed(z: Array, centre: float, sigma: float, tail: float) -> Array:
    """Gaussian convolved with an exponential tail in depth: unit area, decay length `tail`."""
    u = z - centre
    gauss = erfc((sigma / tail - u / sigma) / math.sqrt(2))
    density: Array = np.exp(sigma**2 / (2 * tail**2) - u / tail) * gauss / (2 * tail)
    return density


def step(z: Array, edge: float, sigma: float, tail: float) -> Array:
    """Step from 0 to 1 at `edge`, broadened by the depth resolution of :func:`tailed`."""
    u = z - edge
    lag = np.exp(sigma**2 / (2 * tail**2) - u / tail) * ndtr(u / sigma - sigma / tail)
    blurred: Array = ndtr(u / sigma) - lag
    return blurred


def spike(z: Array, height: float, decay: float) -> Array:
    """Surface transient, before sputtering is in a steady state."""
    return height * np.exp(-z / decay)


def implant(dose: float, centre: float, sigma: float, tail: float, tail_fraction: float) -> Truth:
    """Return an implant with a channelling tail: concentration (atom/cm^3) over depth (nm)."""

    def concentration(z: Array) -> Array:
        random_part = (1 - tail_fraction) * gaussian(z, centre, sigma)
        return dose * NM_PER_CM * (random_part + tail_fraction * tailed(z, centre, sigma, tail))

    return concentration


def _every(step: float, count: int, first: float) -> Array:
    return np.array([first + step * i for i in range(count)])


#: Truth of the boron implant, in atom/cm^3: the implant, and the doping of the wafer.
BORON = implant(5e14, centre=74.0, sigma=28.0, tail=16.0, tail_fraction=0.1)
PHOSPHORUS = 2e17


def boron_implant() -> Iterator[Signal]:
    """Make a boron implant in phosphorus-doped silicon, both on one depth axis."""
    z = _every(2.0, 250, first=1.0)
    yield Signal("B", z, (BORON(z) + spike(z, 3e19, 2.5) + 2e14) / 1e14, 1e14)
    yield Signal("P", z, (PHOSPHORUS + spike(z, 3e17, 2.5) + 5e14) / 1e14, 1e14)


def barrier(z: Array) -> Array:
    """AlGaN in the nitride stack, as a fraction of its plateau."""
    return step(z, 150.0, sigma=3.0, tail=4.0) - step(z, 170.0, sigma=3.0, tail=4.0)


def magnesium(z: Array) -> Array:
    """Contact and doped layer of the nitride stack, with a memory effect (atom/cm^3)."""
    contact = 1.2e20 * (1 - step(z, 15.0, sigma=3.0, tail=9.0))
    return contact + 3e19 * (1 - step(z, 170.0, sigma=3.0, tail=9.0))


def silicon(z: Array) -> Array:
    """Doping below the nitride stack (atom/cm^3)."""
    return 1e17 + 5e18 * step(z, 400.0, sigma=3.0, tail=4.0)


def gan_mg_stack() -> Iterator[Signal]:
    """Make a nitride stack; the species are counted one after the other, at different depths."""
    profiles: dict[str, tuple[Truth, float]] = {
        "Al": (lambda z: 7.5 * barrier(z) + 2e-4, 2e-4),
        "Ga->": (lambda z: 2e5 * (1 - 0.15 * barrier(z)) * (1 - spike(z, 0.4, 5.0)), 1.0),
        "Mg": (lambda z: magnesium(z) + spike(z, 2e20, 3.0) + 5e14, 5e14),
        "Si": (lambda z: silicon(z) + spike(z, 2e19, 3.0) + 2e15, 1e15),
    }
    for number, (species, (signal, per_count)) in enumerate(profiles.items()):
        # 0.5 nm/s; a cycle of 8 s counts each species for 1 s and then switches the mass.
        depth = 0.5 * _every(8.0, 300, first=0.8 + 2.0 * number)
        yield Signal(species, depth / 1000.0, signal(depth) / per_count, per_count)


ARSENIC = implant(1e15, centre=60.0, sigma=22.0, tail=9.0, tail_fraction=0.08)


def sputter_time() -> Iterator[Signal]:
    """Make an uncalibrated arsenic implant: counts/s over sputter time."""
    rate, dwell, rsf, matrix = 0.42, 0.5, 5e21, 5e5
    # The species are counted one after the other, at different times.
    t = _every(1.6, 312, first=0.4)
    arsenic = (ARSENIC(rate * t) + spike(rate * t, 1e20, 2.0)) * matrix / rsf + 1.0
    yield Signal("As", t, arsenic * dwell, 1.0 / dwell)
    t = _every(1.6, 312, first=1.2)
    yield Signal("Si", t, matrix * (1 - 0.3 * np.exp(-t / 4.0)) * dwell, 1.0 / dwell)


def numbers(name: str) -> dict[str, tuple[Array, Array]]:
    """Draw the counts of an example, with six digits as delivered.

    Returns
    -------
    dict
        Species -> depths or times, and values, in the units of the example.

    Examples
    --------
    >>> {species: int(values[0]) for species, (_, values) in numbers("sputter-time").items()}
    {'As': 9952, 'Si': 388212}
    """
    makers = dict(zip(NAMES, (boron_implant, gan_mg_stack, sputter_time), strict=True))
    values = {}
    for number, array in enumerate(makers[name]()):
        counts = poisson(array.expected, SEED + 100 * NAMES.index(name) + number)
        values[array.species] = _six_digits(array.axis), _six_digits(counts * array.per_count)
    return values


def _six_digits(values: NDArray[np.floating]) -> Array:
    return np.array([float(f"{value:.6g}") for value in values])
