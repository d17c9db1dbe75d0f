"""Make the synthetic measurements of the examples, with known truth.

Each measurement starts from a stated truth (concentrations as closed forms of depth), which is
converted to the expected counts of an instrument of stated sensitivity, and then to integer counts
with Poisson noise. Nothing is smoothed: zeros stay zeros. ``species_metadata["truth"]`` has the
truth of the profile at the stated depth resolution, without surface transient and background,
which are stated separately. ``python -m sims_analysis.examples.synthetic FOLDER`` writes the
archive.

The output is the same to the byte on every platform and version. Uniform numbers are from the
standard library's ``random()``, whose sequence Python guarantees. Counts follow by inverting the
Poisson distribution, so that a change in the last bit of a mean or in scipy does not change the
integer. Everything after that is exact integer arithmetic, rounded to six significant digits.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import brentq
from scipy.special import erfc, ndtr, pdtr

from sims_analysis.dataset.result import SIMSResult
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.units import NM_PER_CM

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from sims_analysis.kernels.rows import Array

    Truth = Callable[[Array], Array]

SEED = 20260115
WHEN = "2026-01-15T10:35:00Z"
MADE = datetime.fromisoformat(WHEN)
NOTE = (
    "synthetic: made by sims_analysis.examples.synthetic from the stated truth with Poisson noise"
)
#: 1 nm x 1 atom/cm^3 in atom/cm^2.
_NM = 1 / NM_PER_CM

TITLES = {
    "boron-implant": "synthetic: B implant in P-doped Si",
    "gan-mg-stack": "synthetic: GaN:Mg / AlGaN / GaN:Si",
    "sputter-time": "synthetic: As implant in Si, uncalibrated",
}


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
    high = np.ceil(mean + 12 * np.sqrt(mean) + 40).astype(np.int64)
    while (high - low > 1).any():
        middle = (low + high) // 2
        enough = (pdtr(np.maximum(middle, 0), mean) >= uniform) & (middle >= 0)
        high, low = np.where(enough, middle, high), np.where(enough, low, middle)
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
    seen: Array = ndtr(u / sigma) - lag
    return seen


def spike(z: Array, height: float, decay: float) -> Array:
    """Surface transient, before sputtering is in a steady state."""
    return height * np.exp(-z / decay)


def implant(dose: float, centre: float, sigma: float, tail: float, tail_fraction: float) -> Truth:
    """Return an implant with a channelling tail: concentration (atom/cm^3) over depth (nm)."""

    def concentration(z: Array) -> Array:
        random_part = (1 - tail_fraction) * gaussian(z, centre, sigma)
        return dose / _NM * (random_part + tail_fraction * tailed(z, centre, sigma, tail))

    return concentration


# ---- truth, stated with six digits


def _with_unit(value: Any, units: str) -> str:
    return f"{value:.6g} {units}"


def _every(step: float, count: int, first: float) -> Array:
    return np.array([first + step * i for i in range(count)])


def _implant_truth(concentration: Truth, level: float, deepest: float) -> dict[str, str]:
    """Return dose, range, straggle and junction of the implant below the surface."""
    z = np.linspace(0.0, deepest, 100_001)
    c = concentration(z)
    area = float(np.trapezoid(c, z))
    mean = float(np.trapezoid(c * z, z)) / area
    straggle = math.sqrt(float(np.trapezoid(c * (z - mean) ** 2, z)) / area)
    return {
        "dose": _with_unit(area * _NM, "atoms/cm^2"),
        "projected_range": _with_unit(mean, "nm"),
        "straggle": _with_unit(straggle, "nm"),
        "junction_level": _with_unit(level, "atoms/cm^3"),
        "junction_depth": _with_unit(_meeting(concentration, level, mean, deepest), "nm"),
    }


def _meeting(a: Truth, b: Truth | float, start: float, stop: float) -> float:
    """Find the depth (nm) where two concentrations are equal."""

    def difference(z: float) -> float:
        at = np.array([z])
        other = b if isinstance(b, float) else b(at)[0]
        return float(np.log(a(at)[0] / other))

    return float(brentq(difference, start, stop, xtol=1e-10))


# ---- from truth to a profile as delivered


def _six_digits(values: NDArray[np.floating]) -> Array:
    return np.array([float(f"{value:.6g}") for value in values])


def _profile(
    entry: str,
    number: int,
    species: str,
    *,
    axis: Array,
    axis_units: str,
    expected: Array,
    per_count: float,
    units: str,
    metadata: dict[str, Any],
) -> DepthProfile:
    """Draw counts with the expected means, and convert them to the delivered unit."""
    counts = poisson(expected, SEED + 100 * list(TITLES).index(entry) + number)
    note = f"{NOTE}, seed {SEED}; not a measurement"
    about = {"synthetic": True, "sample": TITLES[entry], "note": note}
    return DepthProfile(
        data_id=entry,
        id=f"{entry}-{number}",
        processed_data_id=f"{entry}-synthetic",
        species_name=species,
        depths=_six_digits(axis),
        depth_units=axis_units,
        concentrations=_six_digits(counts * per_count),
        concentration_units=units,
        species_metadata={**about, **metadata},
        last_updated=WHEN,
    )


def boron_implant() -> list[DepthProfile]:
    """Make a boron implant in phosphorus-doped silicon, both on one depth axis."""
    z = _every(2.0, 250, first=1.0)
    boron = implant(5e14, centre=74.0, sigma=28.0, tail=16.0, tail_fraction=0.1)
    doping = 2e17
    junction = _with_unit(_meeting(boron, doping, 74.0, 400.0), "nm")
    truth = {
        "B": {
            **_implant_truth(boron, 1e18, 1000.0),
            "decay_length": "16 nm",
            "decay_length_window": ["205 nm", "235 nm"],
            "surface_dose": _with_unit(3e19 * 2.5 * _NM, "atoms/cm^2"),
            "background": "2e14 atoms/cm^3",
            "metallurgical_junction": junction,
        },
        "P": {
            "concentration": "2e17 atoms/cm^3",
            "surface_dose": _with_unit(3e17 * 2.5 * _NM, "atoms/cm^2"),
            "background": "5e14 atoms/cm^3",
            "metallurgical_junction": junction,
        },
    }
    seen = {
        "B": boron(z) + spike(z, 3e19, 2.5) + 2e14,
        "P": doping + spike(z, 3e17, 2.5) + 5e14,
    }
    return [
        _profile(
            "boron-implant",
            number,
            species,
            axis=z,
            axis_units="nm",
            expected=seen[species] / 1e14,
            per_count=1e14,
            units="atoms/cm^3",
            metadata={
                "matrix": "Si",
                "dopant_type": kind,
                "surface_transient": "15 nm",
                "dwell_time": "1 s",
                "value_per_count": "1e14 atoms/cm^3",
                "truth": truth[species],
            },
        )
        for number, (species, kind) in enumerate([("B", "acceptor"), ("P", "donor")])
    ]


def gan_mg_stack() -> list[DepthProfile]:
    """Make a nitride stack; the species are counted one after the other, at different depths."""
    resolution = {"sigma": 3.0, "tail": 4.0}
    mg_memory = {"sigma": 3.0, "tail": 9.0}

    def barrier(z: Array) -> Array:
        return step(z, 150.0, **resolution) - step(z, 170.0, **resolution)

    def ga(z: Array) -> Array:
        return 2e5 * (1 - 0.15 * barrier(z)) * (1 - spike(z, 0.4, 5.0))

    def mg(z: Array) -> Array:
        contact = 1.2e20 * (1 - step(z, 15.0, **mg_memory))
        return contact + 3e19 * (1 - step(z, 170.0, **mg_memory))

    def si(z: Array) -> Array:
        return 1e17 + 5e18 * step(z, 400.0, **resolution)

    z = np.linspace(0.0, 1200.0, 100_001)
    junction = _with_unit(_meeting(mg, si, 180.0, 350.0), "nm")
    truth: dict[str, dict[str, Any]] = {
        "Al": {"atomic_fraction": "7.5 at%", "layer": ["150 nm", "170 nm"], "decay_length": "4 nm"},
        "Ga->": {"intensity": "200000 counts/s"},
        "Mg": {
            "dose": _with_unit(float(np.trapezoid(mg(z), z)) * _NM, "atoms/cm^2"),
            "junction_level": "1e18 atoms/cm^3",
            "junction_depth": _with_unit(_meeting(mg, 1e18, 170.0, 400.0), "nm"),
            "decay_length": "9 nm",
            "decay_length_window": ["190 nm", "230 nm"],
            "surface_dose": _with_unit(2e20 * 3.0 * _NM, "atoms/cm^2"),
            "background": "5e14 atoms/cm^3",
            "metallurgical_junction": junction,
        },
        "Si": {
            "concentration": "5.1e+18 atoms/cm^3",
            "edge": "400 nm",
            "surface_dose": _with_unit(2e19 * 3.0 * _NM, "atoms/cm^2"),
            "background": "2e15 atoms/cm^3",
            "metallurgical_junction": junction,
        },
    }
    # name: measured signal, unit, value of one count, kind of dopant
    seen: dict[str, tuple[Truth, str, float, str]] = {
        "Al": (lambda z: 7.5 * barrier(z) + 2e-4, "at%", 2e-4, ""),
        "Ga->": (ga, "counts/s", 1.0, ""),
        "Mg": (lambda z: mg(z) + spike(z, 2e20, 3.0) + 5e14, "atoms/cm^3", 5e14, "acceptor"),
        "Si": (lambda z: si(z) + spike(z, 2e19, 3.0) + 2e15, "atoms/cm^3", 1e15, "donor"),
    }
    return _counted_in_turn(seen, truth)


def _counted_in_turn(
    seen: dict[str, tuple[Truth, str, float, str]], truth: dict[str, dict[str, Any]]
) -> list[DepthProfile]:
    """Count the species of the stack one after the other, in cycles."""
    profiles = []
    for number, (species, (signal, units, per_count, kind)) in enumerate(seen.items()):
        # 0.5 nm/s; a cycle of 8 s counts each species for 1 s and then switches the mass.
        depth = 0.5 * _every(8.0, 300, first=0.8 + 2.0 * number)
        metadata: dict[str, Any] = {"matrix": "GaN", "dwell_time": "1 s"}
        if kind:
            metadata |= {"dopant_type": kind, "surface_transient": "20 nm"}
            metadata["value_per_count"] = _with_unit(per_count, units)
        if units == "counts/s":
            metadata["role"] = "matrix signal"
        profiles.append(
            _profile(
                "gan-mg-stack",
                number,
                species,
                axis=depth / 1000.0,
                axis_units="um",
                expected=signal(depth) / per_count,
                per_count=per_count,
                units=units,
                metadata=metadata | {"truth": truth[species]},
            )
        )
    return profiles


def sputter_time() -> list[DepthProfile]:
    """Make an uncalibrated arsenic implant: counts/s over sputter time."""
    rate, dwell, rsf, matrix = 0.42, 0.5, 5e21, 5e5
    arsenic = implant(1e15, centre=60.0, sigma=22.0, tail=9.0, tail_fraction=0.08)
    truth = {
        **_implant_truth(arsenic, 1e19, 500.0),
        "decay_length": "9 nm",
        "surface_dose": _with_unit(1e20 * 2.0 * _NM, "atoms/cm^2"),
        "sputter_rate": _with_unit(rate, "nm/s"),
        "crater_depth": _with_unit(rate * 500.0, "nm"),
        "sputter_time": "500 s",
        "relative_sensitivity_factor": _with_unit(rsf, "atoms/cm^3"),
    }
    # The species are counted one after the other, at different times.
    times = {"As": _every(1.6, 312, first=0.4), "Si": _every(1.6, 312, first=1.2)}
    depth = rate * times["As"]
    rates = {
        "As": (arsenic(depth) + spike(depth, 1e20, 2.0)) * matrix / rsf + 1.0,
        "Si": matrix * (1 - 0.3 * np.exp(-times["Si"] / 4.0)),
    }
    truths = {"As": truth, "Si": {"intensity": _with_unit(matrix, "counts/s")}}
    return [
        _profile(
            "sputter-time",
            number,
            species,
            axis=times[species],
            axis_units="s",
            expected=rates[species] * dwell,
            per_count=1.0 / dwell,
            units="counts/s",
            metadata={
                "matrix": "Si",
                "role": role,
                "dwell_time": "0.5 s",
                "truth": truths[species],
            },
        )
        for number, (species, role) in enumerate([("As", "dopant"), ("Si", "matrix signal")])
    ]


def measurements() -> dict[str, SIMSResult]:
    """Make every example measurement.

    Returns
    -------
    dict
        Name -> result as the API would deliver it.

    Examples
    --------
    >>> from sims_analysis.examples.synthetic import measurements
    >>> list(measurements())
    ['boron-implant', 'gan-mg-stack', 'sputter-time']
    """
    makers = (boron_implant, gan_mg_stack, sputter_time)
    source = {"source": f"{NOTE}, seed {SEED}"}
    return {
        name: SIMSResult(data_id=name, depth_profiles=make(), provenance=source)
        for name, make in zip(TITLES, makers, strict=True)
    }


def write_archive(path: Path) -> None:
    """Write the example archive; existing entries that are the same are kept."""
    from sims_analysis.api.archive import Archive

    archive = Archive(path)
    for name, result in measurements().items():
        entry = {
            "data_id": name,
            "upload_datetime": WHEN,
            "last_updated": WHEN,
            "char_source_type": "sims",
            "raw_name": name,
            "name": TITLES[name],
            "sample_name": TITLES[name],
            "source_name": "sims_analysis.examples.synthetic",
            "pipeline_status": "success",
            "detail_note_content": f"{NOTE}; not a measurement",
            "tags": ["synthetic"],
        }
        source = result.provenance["source"]
        archive.put(name, result.to_json(), url=source, retrieved=MADE, catalogue=entry)


if __name__ == "__main__":
    write_archive(Path(sys.argv[1]))
