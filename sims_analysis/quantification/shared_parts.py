"""Signals that were made of the same measured ones, and whose errors are not independent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.dataset.provenance import provenance
from sims_analysis.errors import ProfileWarning, warn
from sims_analysis.quantification.hosts import elements_of

#: A part with less than this part of the largest weight adds next to nothing to the error of a sum:
#: its counts, times the weight, are not more than those of the others.
_SLIGHT = 0.01


def warn_of_shared(data: xr.Dataset, variable: str, pairs: Iterable[tuple[str, str]]) -> None:
    """Warn of the first pair of signals with a part in common, as the provenance alone says."""
    if f"{variable}_stderr" not in data.variables:
        return
    made: dict[str, set[str]] = {}
    of_all: set[str] = set()

    def of(species: str) -> set[str]:
        return made.get(species, {species}) | of_all

    for step in provenance(data).get("steps", []):
        call = step["parameters"]
        if step["function"] == "combine":
            sums = call["signals"].items()
            made |= {new: set().union(*map(of, _significant_parts(parts))) for new, parts in sums}
        elif step["function"] == "composition":
            two = call["numerator"], call["denominator"]
            elements = elements_of(*two, call.get("element"))
            made |= dict.fromkeys(elements, of(two[0]) | of(two[1]))
        elif step["function"] == "normalise" and call["to"] != "maximum":
            of_all |= of(call["to"])
    for a, b in pairs:
        if common := of(a) & of(b):
            warn(
                f"{a!r} and {b!r} were both made of {', '.join(sorted(common))}, and their errors "
                "are taken as independent here, which they are not",
                ProfileWarning,
                code="shared_parts",
                remedy="make this of the measured signals instead",
            )
            return


def _significant_parts(weights: Mapping[str, Any]) -> list[str]:
    """List the parts of a sum, as recorded, without those of slight weights."""
    sizes = {name: _weight_size(weight) for name, weight in weights.items()}
    return [name for name, size in sizes.items() if size >= _SLIGHT * max(sizes.values())]


def _weight_size(weight: Any) -> float:
    """Return the size of a weight: of a number, a pair with its error, or an array."""
    if isinstance(weight, list):
        weight = weight[0]
    if isinstance(weight, Mapping):
        weight = weight.get("values", 1.0)
    return float(np.nanmax(np.abs(np.asarray(weight, dtype=float)), initial=0.0))
