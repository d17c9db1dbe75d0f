"""Repeated depths in a profile: refused, averaged, or kept as steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sims_analysis.errors import ProfileError
from sims_analysis.units import NM_PER_CM

if TYPE_CHECKING:
    from sims_analysis.kernels.rows import Array
    from sims_analysis.units import Unit


__all__ = ["without_repeats"]


def without_repeats(
    who: str, units: tuple[Unit, Unit], depth: Array, columns: list[Array], duplicates: str
) -> tuple[Array, list[Array]]:
    """Return samples at strictly increasing depths.

    Parameters
    ----------
    who : str
        Name of the profile, for messages.
    units : tuple of Unit
        Units of the depths and of the values.
    depth : ndarray, shape (n,)
        Canonical, not decreasing.
    columns : list of ndarray, each of shape (n,)
        The values and, if there are any, their standard errors.
    duplicates : {"raise", "mean", "step"}
        What to do with a depth that occurs more than once.
    """
    repeated = np.flatnonzero(np.diff(depth) == 0)
    if repeated.size == 0:
        return depth, columns
    if duplicates == "mean":
        return _mean(depth, columns)
    first = f"depth {units[0].from_canonical(depth[repeated[0]]):g} {units[0].text}"
    if duplicates == "step":
        thrice = np.flatnonzero(np.diff(repeated) == 1)
        if thrice.size:
            z = units[0].from_canonical(depth[repeated[thrice[0]]])
            raise ProfileError(
                f"{who}: depth {z:g} {units[0].text} occurs more than twice; a step has two "
                'values at one depth, so that duplicates="step" does not fit'
            )
        # Move the value above the edge to the next smaller number: the trapezoid between the two
        # has no area.
        stepped = depth.copy()
        stepped[repeated] = np.nextafter(depth[repeated], -np.inf)
        return stepped, columns
    more = repeated.size - 1
    others = f", as {'does' if more == 1 else 'do'} {more} more" if more else ""
    raise ProfileError(
        f"{who}: {first} occurs twice{others}. For a histogram drawn as steps, pass "
        'duplicates="step", which keeps its dose; for a depth measured twice, duplicates="mean", '
        f"which takes the mean of the values there{_change_of_dose(units, depth, columns)}"
    )


def _mean(depth: Array, columns: list[Array]) -> tuple[Array, list[Array]]:
    unique, start = np.unique(depth, return_index=True)
    value = columns[0]
    measured = ~np.isnan(value)
    count = np.add.reduceat(measured.astype(float), start)
    with np.errstate(invalid="ignore"):
        merged = [np.add.reduceat(np.where(measured, value, 0.0), start) / count]
        if len(columns) > 1:
            # Independent values: the standard error of their mean.
            variance = np.add.reduceat(np.where(measured, columns[1], 0.0) ** 2, start)
            merged.append(np.sqrt(variance) / count)
    return unique, merged


def _change_of_dose(units: tuple[Unit, Unit], depth: Array, columns: list[Array]) -> str:
    """Describe how the mean would change the dose of this profile."""
    if (units[0].kind, units[1].kind) != ("depth", "concentration"):
        return ""
    measured = ~np.isnan(columns[0])
    depth, value = depth[measured], columns[0][measured]
    averaged, means = _mean(depth, [value])
    before = np.trapezoid(value, depth) / NM_PER_CM
    after = np.trapezoid(means[0], averaged) / NM_PER_CM
    if f"{before:.3g}" == f"{after:.3g}":
        return f" and leaves the dose of this profile at {before:.3g} atoms/cm^2"
    return f" and changes the dose of this profile from {before:.3g} to {after:.3g} atoms/cm^2"
