"""Warn of unusual depth profiles, and refuse impossible concentrations.

Unusual data are kept as they are, with a warning that says what is unusual: logarithms instead of
values, a wrong unit, a saturated detector. Values that cannot be
concentrations have lost their unit in arithmetic, and are refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError, warn
from sims_analysis.kernels.rows import Dense
from sims_analysis.kernels.saturation import saturated
from sims_analysis.text.arguments import first_few
from sims_analysis.units import CANONICAL, unit_of_kind

if TYPE_CHECKING:
    from sims_analysis.kernels.rows import Array
    from sims_analysis.profiles.profile import DepthProfile


#: Kind -> largest usual value in the canonical unit, as a number and in words.
_USUAL = {
    "depth": (1e6, "at most 1e+06 nm (1 mm)"),
    "sputter_time": (1e6, "at most 1e+06 s (12 days)"),
    "concentration": (1e24, "at most 1e+24 atoms/cm^3 (the densest solid, diamond, has 1.8e+23)"),
    "atomic_fraction": (1.0, "at most 1 (100 at%)"),
    "mass_fraction": (1.0, "at most 1 (100 wt%)"),
    "count_rate": (1e13, "at most 1e+13 counts/s (1.6 uA of ions)"),
    "count": (1e13, "at most 1e+13 counts in a data point"),
}


@dataclass(frozen=True)
class _Limits:
    """Limits of concentrations in atom/cm^3, and the numbers of samples that are checked."""

    # Hundreds of times the density of any solid, beyond any error of a sensitivity factor.
    impossible: float = 1e26
    too_little: float = 1e-6  # one atom in a cubic metre
    # Far below any detection limit: numbers in a unit of 1e15 and more, or logarithms.
    detectable: float = 1e3
    few: int = 3  # samples of a profile that is checked
    unusual: int = 5  # samples from which on numbers below any detection limit are unusual
    # Ranges of decimal and natural logarithms, from below any detection limit to beyond any solid,
    # and the number of samples from which they are recognized.
    logarithms: tuple[tuple[float, float, int], ...] = ((5.0, 26.0, 3), (20.0, 60.0, 50))


_LIMITS = _Limits()
_LARGEST_LOGARITHM = max(high for _, high, _ in _LIMITS.logarithms)
#: Number of samples that are checked before all of them are.
_INSPECTED_VALUES = 4096
#: Profiles that are checked together: their numbers stay in the caches of a processor.
_AT_ONCE = 16
#: Largest number of species named in one warning.
_NAMED = 5


def warn_of_implausible(profiles: Iterable[DepthProfile]) -> None:
    """Warn once of each kind of unusual profile; nothing is changed or refused.

    Unusual are depths, times, concentrations, fractions and rates beyond `_USUAL`, concentrations
    that no instrument detects, numbers like logarithms, and equal samples at the maximum of a
    profile that scatters (:mod:`sims_analysis.kernels.saturation`). Profiles with an unreadable
    unit are not checked.
    """
    unusual: dict[tuple[str, str], list[str]] = {}
    names: list[str] = []
    by_axis: dict[int, list[DepthProfile]] = {}
    for profile in profiles:
        by_axis.setdefault(id(profile.depths), []).append(profile)
    for members in by_axis.values():
        for profile in members:
            for what, finding, usual in _findings(profile):
                unusual.setdefault((what, usual), []).append(f"{profile.species_name!r} {finding}")
        names += _saturations(members)
    for (what, usual), species in unusual.items():
        warn(
            f"unusual {what}: species {first_few(species, _NAMED)}; usual is {usual}. The data are "
            "kept as delivered: check the columns and their units",
            ProfileWarning,
        )
    if names:
        warn(
            f"the detector is saturated: species {first_few(names, _NAMED)}. Samples of a profile "
            "that scatters are not so often equal: it is higher there than what was written",
            ProfileWarning,
            code="saturated",
        )


def _findings(profile: DepthProfile) -> Iterator[tuple[str, str, str]]:
    """Yield the unusual property, the finding, and the usual values."""
    for name, kinds in (("depth", vocabulary.AXES), ("concentration", vocabulary.VALUE_KINDS)):
        numbers = getattr(profile, f"{name}s")
        try:
            unit = unit_of_kind(getattr(profile, f"{name}_units"), kinds, name)
        except UnitsError:
            continue
        kind = unit.kind.replace("_", " ")
        largest = float(np.fmax.reduce(numbers))
        canonical = unit.to_canonical(largest)
        most, usual = _USUAL.get(unit.kind, (np.inf, ""))
        if canonical > most * (1 + 1e-9):
            yield kind, f"up to {largest:.4g} {unit.text}", usual
        cause = ""
        if unit.kind == "concentration" and 0 < canonical < _LIMITS.detectable:
            if canonical <= _LARGEST_LOGARITHM and _are_logarithms(unit.to_canonical(numbers)):
                cause = "a logarithm"
            elif numbers.size >= _LIMITS.unusual:
                cause = "divided by a factor that stands elsewhere"
        if cause:
            least = np.fmin.reduce(numbers)
            text = f"from {least:.4g} to {largest:.4g} {unit.text}, as if {cause}"
            yield kind, text, "1e+12 to 1e+23 atoms/cm^3"


def _saturations(members: Sequence[DepthProfile]) -> Iterator[str]:
    """Describe the saturated samples of profiles on one axis; those with the same gaps at once."""
    groups: dict[tuple[bytes, int], list[DepthProfile]] = {}
    for n, profile in enumerate(members):
        measured = np.isfinite(profile.concentrations).tobytes()
        groups.setdefault((measured, n // _AT_ONCE), []).append(profile)
    for (measured, _), group in groups.items():
        selected = np.frombuffer(measured, dtype=bool) if 0 in measured else slice(None)
        depth = members[0].depths[selected]
        values = np.array([profile.concentrations[selected] for profile in group])
        flags = saturated(Dense(depth, values))
        if flags is None:
            continue
        for profile, value, mask in zip(group, values, flags, strict=True):
            if mask.any():
                yield (
                    f"{profile.species_name!r} ({mask.sum()} samples of {value[mask].max():.6g} "
                    f"{profile.concentration_units} between {depth[mask].min():.4g} and "
                    f"{depth[mask].max():.4g} {profile.depth_units})"
                )


def _are_logarithms(values: Array) -> bool:
    """Whether numbers look like logarithms of concentrations; integers are taken as made up."""
    # The logarithm of a zero is infinite.
    measured = values[np.isfinite(values)]
    if not any(
        measured.size >= least and ((measured >= low) & (measured <= high)).all()
        for low, high, least in _LIMITS.logarithms
    ):
        return False
    return bool((measured != np.rint(measured)).mean() > 0.5)


def _is_normalised(values: Array) -> bool:
    measured = values[np.isfinite(values)]
    return bool(measured.max() == 1.0 and (measured != np.rint(measured)).mean() > 0.5)


def refuse_impossible(values: Any, kind: str, name: str) -> None:
    """Refuse values that cannot have the stated unit, because arithmetic has changed it.

    xarray keeps ``attrs`` through ``c**2``, ``np.log10(c)`` and ``c / c.max()``, none of which is
    in ``atom/cm^3``. Values are in that unit; Dask arrays are not checked, and of large ones a few
    thousand evenly spaced samples before all are.

    Raises `ProfileError` for concentrations above 1e26 atom/cm^3, hundreds of times any solid, or
    all below 1e-6; and for numbers like logarithms, or like a profile divided by its maximum.
    """
    if kind != "concentration" or not isinstance(values, np.ndarray) or values.size < _LIMITS.few:
        return
    flat = values.reshape(-1)
    subset = flat[:: max(1, flat.size // _INSPECTED_VALUES)]
    # Infinities are refused elsewhere, with another message.
    largest = float(np.abs(subset).max(initial=0.0, where=np.isfinite(subset)))
    unit, reason = CANONICAL[kind], ""
    if largest > _LIMITS.impossible:
        reason = f"reaches {largest:.4g} {unit}, and no solid has more than 1.8e+23"
    elif 0 < largest < _LIMITS.too_little and float(np.nanmax(np.abs(flat))) < _LIMITS.too_little:
        reason = f"is at most {largest:.4g} {unit}, less than one atom in a cubic metre"
    elif 0 < largest <= 1 and _is_normalised(flat):
        reason = f"is 1 {unit} at most, as a profile divided by its maximum is"
    elif largest <= _LARGEST_LOGARITHM and _are_logarithms(subset) and _are_logarithms(flat):
        low, high = np.fmin.reduce(flat), np.fmax.reduce(flat)
        reason = f"lies between {low:.4g} and {high:.4g} {unit}, as logarithms of concentrations do"
    if reason:
        raise ProfileError(
            f"{name} {reason}; arithmetic (c**2, np.log10(c), c / c.max()) keeps attrs['units'] in "
            "xarray, though it changes the unit: use the concentration itself, or set the correct "
            "unit",
            code="impossible_value",
        )
