"""Repeated depths in a profile: refused, averaged, or kept as steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sims_analysis.errors import ProfileError

if TYPE_CHECKING:
    from sims_analysis.kernels.rows import Array
    from sims_analysis.units import Unit


def without_repeats(
    subject: str, unit: Unit, depth: Array, columns: list[Array], duplicates: str
) -> tuple[Array, list[Array]]:
    """Return samples at increasing depths: their depths, values and standard errors, if any."""
    repeated = np.flatnonzero(np.diff(depth) == 0)
    if repeated.size == 0:
        return depth, columns
    if duplicates == "mean":
        return _mean(depth, columns)
    first = f"depth {unit.from_canonical(depth[repeated[0]]):g} {unit.text}"
    if duplicates == "step":
        triples = np.flatnonzero(np.diff(repeated) == 1)
        if triples.size:
            z = unit.from_canonical(depth[repeated[triples[0]]])
            raise ProfileError(
                f"{subject}: depth {z:g} {unit.text} occurs more than twice; a step has two "
                'values at one depth, so that duplicates="step" does not fit',
                argument="duplicates",
                where={"depth": f"{z:g} {unit.text}"},
            )
        # Move the value above the edge to the next smaller number: the trapezoid between the two
        # has no area.
        moved = depth.copy()
        moved[repeated] = np.nextafter(depth[repeated], -np.inf)
        return moved, columns
    count = repeated.size - 1
    note = f", as {'does' if count == 1 else 'do'} {count} more" if count else ""
    raise ProfileError(
        f"{subject}: {first} occurs twice{note}. For a histogram drawn as steps, pass "
        'duplicates="step", which keeps its dose; for a depth measured twice, duplicates="mean", '
        "which takes the mean of the values there",
        code="unordered_axis",
        argument="duplicates",
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
