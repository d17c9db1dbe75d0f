"""One species on its own axis, at its measured samples only."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import MEASUREMENT, POINT, axis_name, axis_of
from sims_analysis.errors import ProfileError, SpeciesError
from sims_analysis.text.arguments import checks_arguments, read_name, type_error
from sims_analysis.units import Data, dequantify, magnitude_of

#: Attr of a Dataset that describes how its species share their axis.
LAYOUT = "layout"
OWN_DEPTHS = (
    "species on their own depths, NaN between: samples(data, name) gives one of them, "
    "to_grid(data, step='1 nm') all on one axis"
)


@checks_arguments
def samples(data: Data, species: str | None = None) -> Data:
    """Take one species at the depths where it was measured.

    Instruments measure species one after the other, so that each has its own depths. On the union
    of all depths, most values of a species are NaN, and plain xarray (arithmetic between species,
    ``.sel(depth=..., method="nearest")``, ``.plot()``) mostly finds NaN.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement, or one selected from a batch; plain or quantified, numpy or Dask (of
        which only the mask of measured samples is computed).
    species : str, optional
        Its name as delivered: ``"23Na"``. Not needed for data with a single species.

    Returns
    -------
    Dataset or DataArray
        As the data, without the dimension ``species``: over ``depth`` (or ``sputter_time``) at
        the measured samples only, with all variables, coordinates and attrs. Samples that a file
        gives as ``<5E15`` are among them: they have no value, but a limit.

    Raises
    ------
    SpeciesError
        If the species is missing; the message lists those in the data.
    ProfileError
        If the data have several measurements.

    See Also
    --------
    to_grid : All species on one axis.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("gan-mg-stack")         # every species on its own depths
    >>> mg = sims.samples(ds, "Mg")
    >>> ds.sizes["depth"], mg.sizes["depth"], int(mg["concentration"].isnull().sum())
    (1200, 300, 0)
    """
    if not isinstance(data, xr.Dataset | xr.DataArray):
        raise type_error("data", data, "expected a Dataset or a DataArray")
    profile: Any = one_species(data, species)
    if MEASUREMENT in profile.dims:
        if profile.sizes[MEASUREMENT] > 1:
            raise ProfileError(
                f"expected one measurement, found {profile.sizes[MEASUREMENT]}; select one first, "
                "as in data.isel(measurement=0)",
                code="several_measurements",
            )
        profile = profile.isel(measurement=0)
    axis = axis_of(profile)
    profile = profile.isel({axis: np.flatnonzero(measured(profile, axis))})
    if axis == POINT:
        own_axis = axis_name(profile)
        # An index cannot hold a Quantity.
        axis_values = dequantify(profile[own_axis].reset_coords(drop=True)).variable
        profile = profile.assign_coords({own_axis: axis_values}).swap_dims(point=own_axis)
    profile.attrs = {key: value for key, value in profile.attrs.items() if key != LAYOUT}
    result: Data = profile
    return result


def one_species(data: Any, species: str | None) -> Any:
    """Select a species by name; it may be left out where there is only one."""
    if species is not None:
        species = read_name("species", species)
    if "species" not in getattr(data, "coords", ()):
        if species is None:
            return data
        text = f"the data have no species names, so {species!r} cannot be selected"
        raise SpeciesError(text, code="missing_species", argument="species")
    names = [str(name) for name in np.atleast_1d(data["species"].values)]
    if species is None and len(names) > 1:
        raise SpeciesError(
            f"name one species: {', '.join(map(repr, names))}",
            code="missing_species",
            argument="species",
        )
    if species not in (None, *names):
        raise SpeciesError.missing(species, names)
    if "species" not in data.dims:
        return data
    return data.isel(species=0 if species is None else names.index(species))


def measured(data: xr.Dataset | xr.DataArray, *dims: str) -> NDArray[np.bool_]:
    """Return the mask of samples with a value in any of the variables, or with a limit."""
    arrays = [data] if isinstance(data, xr.DataArray) else [*data.data_vars.values()]
    along = [array for array in arrays if {*array.dims} == {*dims}]
    arrays = [array for array in along if array.name in vocabulary.MEASURED]
    limits = {f"{name}_{vocabulary.LIMIT}" for name in vocabulary.MEASURED} & {*data.coords}
    arrays = (arrays or along) + [data[name] for name in limits if {*data[name].dims} == {*dims}]
    mask = np.zeros([data.sizes[dim] for dim in dims], dtype=bool)
    for array in arrays:
        mask |= ~np.isnan(np.asarray(magnitude_of(array.transpose(*dims))))
    return mask


def flagged(data: xr.Dataset, *dims: str) -> NDArray[np.bool_]:
    """Return the mask of samples, with a value or without one, of which something is known."""
    mask = np.zeros([data.sizes[dim] for dim in dims], dtype=bool)
    for name in vocabulary.MEASURED:
        flags = data.coords.get(f"{name}_{vocabulary.QUALITY}")
        if flags is not None and {*flags.dims} == {*dims}:
            mask |= np.nan_to_num(flags.transpose(*dims).values) != 0
    return mask
