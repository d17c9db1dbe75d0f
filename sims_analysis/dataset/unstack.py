"""Split a batch into its measurements."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import MEASUREMENT, POINT, axis_name, merge
from sims_analysis.conventions.species_metadata import with_species_dimension
from sims_analysis.dataset.measurements import placed
from sims_analysis.dataset.stack import ATTRIBUTE, METADATA
from sims_analysis.errors import ProfileError
from sims_analysis.text.arguments import type_error
from sims_analysis.units import dequantify, is_quantified, quantify


def unstack(data: xr.Dataset) -> list[xr.Dataset]:
    """Split a batch into its measurements.

    Parameters
    ----------
    data : Dataset
        As :func:`stack` returns it, or a part of it: ``batch.isel(measurement=3)`` gives one.

    Returns
    -------
    list of Dataset
        Each over ``(species, depth)``, as :func:`to_dataset` returns it: on the axis that its
        species share, or on the union of theirs. Species that a measurement does not have are
        left out; the others keep their order in the batch. Depths at which nothing is known of any
        species are lost in a padded batch.

    Raises
    ------
    ProfileError
        If the data are not a batch.

    Notes
    -----
    Dask data are computed, to find the species of each measurement.

    See Also
    --------
    stack : The inverse.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> first, second = sims.unstack(sims.stack([ds, ds]))
    >>> first["concentration"].identical(ds["concentration"])
    True
    """
    if not isinstance(data, xr.Dataset):
        raise type_error("data", data, "expected a Dataset")
    batch = dequantify(data)
    if MEASUREMENT not in batch.dims:
        if MEASUREMENT not in batch.coords and POINT not in batch.dims:
            raise ProfileError(
                f"not a batch: there is no {MEASUREMENT!r} among its dimensions "
                f"{tuple(map(str, batch.dims))}",
                code="wrong_dimensions",
            )
        batch = batch.expand_dims(MEASUREMENT)
    batch = with_species_dimension(batch)
    axis = axis_name(batch)
    unbatched = {
        str(name): v.transpose(MEASUREMENT, "species", ..., missing_dims="ignore")
        for name, v in batch.variables.items()
        if name != MEASUREMENT
    }
    measurements = [_single(batch, unbatched, i, axis) for i in range(batch.sizes[MEASUREMENT])]
    return list(map(quantify, measurements)) if is_quantified(data) else measurements


def _single(batch: xr.Dataset, unbatched: dict[str, xr.Variable], i: int, axis: str) -> xr.Dataset:
    items = {n: v[i] if v.dims[:1] == (MEASUREMENT,) else v for n, v in unbatched.items()}
    species = _present(batch, items)
    if species.size < batch.sizes["species"]:
        items = {n: v.isel(species=species) if "species" in v.dims else v for n, v in items.items()}
    if POINT in batch.dims:
        items = _on_one_axis(items, axis)
    items = {n: v for n, v in items.items() if v.attrs.get(ATTRIBUTE) != METADATA}
    attrs = {k: v for k, v in batch.attrs.items() if k != "history"}
    for name in [n for n, v in items.items() if v.attrs.get(ATTRIBUTE) == MEASUREMENT]:
        value: Any = items.pop(name).values[()]
        if value == value and value != "":  # noqa: PLR0124  # NaN: this measurement had none
            attrs[name] = str(value) if isinstance(value, str) else value
    history = attrs.pop("history", batch.attrs.get("history"))
    if history:
        attrs["history"] = history
    return xr.Dataset(items, attrs=attrs).set_coords(batch.coords.keys() & items.keys())


def _present(batch: xr.Dataset, items: dict[str, xr.Variable]) -> NDArray[np.intp]:
    """Return the indices of the species delivered with a measurement, or measured in it."""
    has_values = np.zeros(batch.sizes["species"], dtype=bool)
    for name in ("source_units", "profile_id"):
        if name in items and items[name].dims == ("species",):
            has_values |= items[name].values != ""
    for name in vocabulary.MEASURED:
        if name in items and items[name].dims[:1] == ("species",):
            has_values |= items[name].notnull().values.reshape(has_values.size, -1).any(axis=1)
    return np.flatnonzero(has_values)


def _on_one_axis(items: dict[str, xr.Variable], axis: str) -> dict[str, xr.Variable]:
    """Put the padded profiles of a measurement on their shared axis, or on the union."""
    coord = items.pop(axis)
    rows = items["species"].size
    depths = coord.values if coord.ndim > 1 else np.broadcast_to(coord.values, (rows, coord.size))
    measured = [np.flatnonzero(~np.isnan(z)) for z in depths]
    nonempty = [row for row in range(rows) if measured[row].size]
    if not nonempty:
        return {n: v for n, v in items.items() if POINT not in v.dims}
    depth, positions, _ = merge([depths[row][measured[row]] for row in nonempty])
    single = {axis: xr.Variable((axis,), depth, coord.attrs)}
    for name, variable in items.items():
        if POINT not in variable.dims:
            single[name] = variable
            continue
        values = np.broadcast_to(variable.values, depths.shape)
        # A second axis (times next to calibrated depths) is shared by all species.
        flat = name in vocabulary.AXES
        pieces = [
            (position if flat else (row, position), values[row, measured[row]])
            for row, position in zip(nonempty, positions, strict=True)
        ]
        out = placed(str(name), depth.shape if flat else (rows, depth.size), pieces)
        single[name] = xr.Variable((axis,) if flat else ("species", axis), out, variable.attrs)
    return single
