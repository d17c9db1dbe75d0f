"""Profiles on another depth scale, or scaled to a known dose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.dose import integrated_dose
from sims_analysis.dataset.axes import MEASUREMENT
from sims_analysis.dataset.canonical import (
    argument,
    name_profiles,
    on_canonical_data,
    read_positive,
    scaled,
    species_of,
)
from sims_analysis.dataset.provenance import with_step
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.quantification.calibration import (
    format_value,
    on_depths,
    per_measurement,
    relative_depth_uncertainty,
)
from sims_analysis.text.arguments import format_argument, is_number
from sims_analysis.units import ParameterLike, WindowLike

__all__ = ["rescale_depth", "scale_to_dose"]


@on_canonical_data
def rescale_depth(
    data: xr.Dataset,
    *,
    factor: float | xr.DataArray | None = None,
    crater_depth: ParameterLike | None = None,
    offset: ParameterLike | None = None,
    depth_uncertainty: float | ParameterLike | None = None,
) -> xr.Dataset:
    """Stretch and shift a depth axis: ``z' = f z + offset``.

    Parameters
    ----------
    data : Dataset
        On a depth axis; one measurement or a batch.
    factor : float or DataArray, optional
        Multiplies all depths; a DataArray over ``measurement`` gives each its own.
    crater_depth : str, Quantity or DataArray, optional
        Instead of `factor`: the crater depth as it is now known. The factor is its ratio to the
        coordinate ``crater_depth`` that :func:`calibrate_depth` has left in the data or, without
        one, to the depth of the last sample of each measurement.
    offset : str, Quantity or DataArray, optional
        Added after stretching: ``"-3 nm"`` for a cap that was removed.
    depth_uncertainty : float, str, Quantity or DataArray, optional
        Standard uncertainty of the new scale: relative or, with `crater_depth`, as a depth. It
        replaces the one in the data, which is kept otherwise.

    Returns
    -------
    Dataset
        The values are not changed, so that doses scale with f. If measurements that share an axis
        in a batch are stretched differently, each has its own depth axis afterwards, over
        ``point``.

    Raises
    ------
    ProfileError
        If nothing is given, or both `factor` and `crater_depth` are, or a factor is not positive.
    UnitsError
        If the data are on a time axis, or an argument has no unit of length.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> print(sims.rescale_depth(ds, factor=1.02)["depth"][-1].item() / ds["depth"][-1].item())
    1.02
    """
    if factor is not None and crater_depth is not None:
        raise ProfileError("give either factor or crater_depth, not both")
    if factor is None and crater_depth is None and offset is None:
        raise ProfileError("give factor, crater_depth or offset: how the depths are to change")
    if "depth" not in data.coords:
        raise UnitsError(
            "the data have no depth axis; calibrate_depth() turns sputter time into depth"
        )
    before = data["depth"]
    stretch, crater = xr.DataArray(1.0), None
    if factor is not None:
        stretch = _factor(data, factor)
    elif crater_depth is not None:
        crater = read_positive(data, crater_depth, ("depth",), "crater_depth")
        old = data.coords.get("crater_depth")
        if old is None:
            old = before.max([d for d in before.dims if d != MEASUREMENT])
        stretch = crater / old.reset_coords(drop=True)
    shift = xr.DataArray(0.0) if offset is None else argument(data, offset, ("depth",), "offset")
    per_measurement(stretch, "factor" if crater is None else "crater_depth")
    per_measurement(shift, "offset")
    depth = (before.variable * stretch.variable + shift.variable).transpose(..., before.dims[-1])
    text = f"depths times {format_value(stretch)} plus {format_value(shift, 'nm')}"
    depth.attrs = dict(before.attrs)
    if "calibration" in depth.attrs:
        depth.attrs["calibration"] += f"; then {text}"
    relative = relative_depth_uncertainty(data, depth_uncertainty, crater, "depth")
    if crater is None and "crater_depth" in data.coords:
        crater = data["crater_depth"].reset_coords(drop=True) * stretch
    result: xr.Dataset = on_depths(data, "depth", {"depth": depth}, crater, relative)
    return with_step(
        result,
        "rescale_depth",
        text,
        factor=factor,
        crater_depth=crater_depth,
        offset=offset,
        depth_uncertainty=depth_uncertainty,
    )


def _factor(ds: xr.Dataset, factor: Any) -> xr.DataArray:
    if isinstance(factor, xr.DataArray):
        plain = units.dequantify(factor)
        stated = {"units": "1"} if "units" not in plain.attrs else {}
        return read_positive(ds, plain.assign_attrs(stated), ("dimensionless",), "factor")
    if not (is_number(factor) and 0 < factor < np.inf):
        raise ProfileError(
            f"factor={format_argument(factor)}; expected a positive number, such as 1.02"
        )
    return xr.DataArray(float(factor))


@on_canonical_data
def scale_to_dose(
    data: xr.Dataset,
    *,
    dose: ParameterLike | Mapping[str, ParameterLike],
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    background: ParameterLike | WindowLike | None = None,
    rule: Literal["trapezoid", "loglinear"] = "trapezoid",
) -> xr.Dataset:
    """Scale concentrations so that a species has a known dose.

    Parameters
    ----------
    data : Dataset
        With ``concentration`` over depth; one measurement or a batch.
    dose : mapping, str, Quantity or DataArray
        ``{"B": "1e15 atoms/cm^2"}``; species that a mapping leaves out are not changed. A single
        dose only where there is a single species.
    start, stop, background, rule
        As for :func:`integrated_dose`, which gives the stated dose afterwards. A background is
        subtracted only in the integral, not from the profile.

    Returns
    -------
    Dataset
        Concentrations and standard errors times ``dose / integral``, counts not changed. The
        coordinate ``dose_scale`` over species is that factor (1 where nothing was scaled).

    Raises
    ------
    SpeciesError
        If a species is absent.
    UnitsError
        If there is no concentration over depth, or a dose has no unit of atoms per area.
    ProfileError
        If one dose is given for several species, or a species has no dose between these depths.

    Notes
    -----
    Standard errors remain those of independent samples. Those of sums are therefore too large:
    the dose between the same limits is as certain as `dose`, which is taken as exact.

    References
    ----------
    ISO 18114, Determination of relative sensitivity factors from ion-implanted reference materials:
    a known dose sets the scale.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> ds = sims.scale_to_dose(ds, dose={"B": "5e14 atoms/cm^2"}, stop="400 nm")
    >>> print(f"{sims.integrated_dose(ds, stop='400 nm').sel(species='B').item():.6e}")
    5.000000e+14
    """
    known = read_positive(data, dose, ("areal_density",), "dose")
    several = "species" in data.dims and data.sizes["species"] > 1
    if several and "species" not in known.dims:
        raise ProfileError(
            f"a dose belongs to one species, and there are {data.sizes['species']}: "
            f"dose={{{species_of(data)[0]!r}: '1e15 atoms/cm^2'}}"
        )
    asked = data
    if "species" in known.dims:
        rest = [d for d in known.dims if d != "species"]
        asked = data.isel(species=known.notnull().any(rest).values)
    limits: dict[str, Any] = {"start": start, "stop": stop, "background": background, "rule": rule}
    integral = integrated_dose(asked, **limits).reset_coords(drop=True)
    cases = [str(dim) for dim in integral.dims if dim not in data.dims]
    if cases:
        raise ProfileError(
            f"start, stop or background is over {cases[0]!r}, but a profile is scaled by one "
            f"number: add this dimension to the data first, with data.expand_dims({cases[0]}=...)"
        )
    if "species" in integral.dims:
        integral = integral.reindex(species=data["species"].values)
    if known.chunks is None and integral.chunks is None:
        wrong = known.notnull() & ~(integral > 0)
        if bool(wrong.any()):
            largest = float(np.nan_to_num(integral.where(wrong)).max())
            raise ProfileError(
                f"{name_profiles(wrong)}: no dose between these depths to scale "
                f"(integral {largest:.3g})"
            )
    scale = (known / integral).fillna(1.0)
    made = scaled(data, "concentration", scale)
    result = data.assign({"concentration" + end: array for end, array in made.items()})
    if "dose_scale" in data.coords:
        scale = scale * data["dose_scale"].reset_coords(drop=True)
    result = result.assign_coords(dose_scale=scale.assign_attrs(vocabulary.attrs("dose_scale")))
    return with_step(
        result, "scale_to_dose", "concentrations scaled to a known dose", dose=dose, **limits
    )
