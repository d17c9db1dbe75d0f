"""Arguments of questions: read with their unit, checked, and laid beside the profiles by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.analysis._run import is_lazy
from sims_analysis.errors import ProfileError

__all__ = [
    "aligned",
    "anywhere",
    "broadcast_at",
    "check_bool",
    "check_count",
    "fill_unknown_limit",
    "read",
    "refuse_repeated",
]


def read(
    value: Any,
    kinds: tuple[str, ...],
    name: str,
    *,
    coords: Mapping[Any, xr.Variable],
    sizes: Mapping[Any, int],
    absent: float = np.nan,
) -> xr.Variable:
    """Read an argument with a unit: text, Quantity, or a DataArray of one value a profile.

    Parameters
    ----------
    value : str, Quantity, DataArray or None
    kinds : tuple of str
        Kinds of unit that it may have.
    name : str
        The argument's name, for messages.
    coords, sizes : mapping
        Labels and sizes of the dimensions that count profiles. A DataArray is laid beside the
        profiles by the names of its dimensions and by their labels; further dimensions are those
        of several cases, and of the answer.
    absent : float
        What stands for an argument that was not given.

    Returns
    -------
    Variable
        In the canonical unit; without dimensions for a scalar.
    """
    if value is None:
        return xr.Variable((), np.array(absent))
    if isinstance(value, xr.DataArray):
        value = aligned(value, coords, sizes, name)
        magnitude, unit = units.magnitude_and_unit(value, kinds, name)
        return xr.Variable(value.dims, unit.to_canonical(magnitude.astype(np.float64)))
    magnitude, _ = units.read_quantity(value, kinds, name)
    if np.ndim(magnitude):
        raise ProfileError(
            f"{name} holds {np.size(magnitude)} values; give a DataArray whose dimension "
            "says what they belong to"
        )
    return xr.Variable((), np.array(magnitude, dtype=np.float64))


def aligned(
    value: xr.DataArray, coords: Mapping[Any, xr.Variable], sizes: Mapping[Any, int], name: str
) -> xr.DataArray:
    """Bring the values of a parameter into the order of the profiles, by label.

    Where the data have one label (after ``.sel``), the value that belongs to it is taken.
    """
    for dim in [d for d in value.dims if d in coords and d in value.indexes]:
        index = value.indexes[dim]
        refuse_repeated(index.tolist(), f"{name}: {dim}")
        wanted = np.atleast_1d(coords[dim].values)
        places = index.get_indexer(wanted)
        missing = sorted({str(label) for label in wanted[places < 0]})
        if missing:
            raise ProfileError(
                f"{name} has no value for {dim} {missing}; it has {_some(index.tolist())}"
            )
        in_order = places.size == index.size and (places == np.arange(index.size)).all()
        if coords[dim].ndim == 0:
            value = value.isel({dim: int(places[0])}, drop=True)
        elif not in_order:
            value = value.isel({dim: places})
    for dim, size in value.sizes.items():
        if dim in sizes and size != sizes[dim]:
            raise ProfileError(
                f"{name} holds {size} values along {str(dim)!r}, and the data {sizes[dim]}; give "
                f"it a coordinate {str(dim)!r} that says which of them each belongs to"
            )
    return value


def _some(labels: Sequence[Any]) -> str:
    shown = ", ".join(repr(str(label)) for label in labels[:8])
    return shown + (f" and {len(labels) - 8} more" if len(labels) > 8 else "")


def refuse_repeated(labels: Sequence[Any], what: str = "species") -> None:
    """Refuse labels by which a profile cannot be looked up, because two have the same."""
    if len(set(labels)) == len(labels):
        return
    twice = sorted(str(label) for label, number in Counter(labels).items() if number > 1)
    raise ProfileError(
        f"{what} {', '.join(map(repr, twice))} is in the data more than once, and is asked "
        "for by name; give each its own name, or select one with isel()"
    )


def fill_unknown_limit(limit: xr.Variable, given: Any, nowhere: float) -> xr.Variable:
    """Put a limit that was given and is not known (NaN: no junction) where nothing is measured.

    To the kernels, NaN means that no limit was given.
    """
    return limit.fillna(nowhere) if isinstance(given, xr.DataArray) else limit


def anywhere(condition: xr.Variable) -> bool:
    """Whether it holds anywhere; of what Dask is to compute, as far as that is known: nowhere."""
    return not is_lazy(condition) and bool(condition.any())


def broadcast_at(variable: xr.Variable, like: xr.Variable, place: Sequence[int]) -> float:
    """Return the value of a variable at a place of another one, which has all of its dimensions."""
    index = {d: i for d, i in zip(like.dims, place, strict=True) if d in variable.dims}
    return float(variable.isel(index))


def check_bool(value: Any, name: str) -> None:
    """Refuse what Python takes for true and was not meant so: ``"no"``."""
    if not isinstance(value, bool | np.bool_):
        raise ProfileError(f"{name}={value!r}; expected True or False")


def check_count(number: Any, name: str) -> None:
    """Refuse what is not a number of places to keep."""
    whole = isinstance(number, int | np.integer) and not isinstance(number, bool)
    if number is not None and not (whole and number >= 1):
        raise ProfileError(f"{name}={number!r}; expected a whole number, at least 1")
