"""Known things imposed on a profile: another depth scale, a dose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.dose import integrated_dose
from sims_analysis.dataset.canonical import (
    IN_ITS_UNIT,
    argument,
    on_canonical_data,
    read_positive,
    species_of,
)
from sims_analysis.dataset.provenance import with_step
from sims_analysis.dataset.stacking import MEASUREMENT, POINT
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.quantification.calibration import relative_depth_uncertainty
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
        By which all depths are stretched; a DataArray over ``measurement`` gives each its own.
    crater_depth : str, Quantity or DataArray, optional
        Instead of `factor`: what the crater is now known to be. It was ``crater_depth`` of the data
        before, where :func:`calibrate_depth` has left that coordinate, or else the depth of the
        last sample of each measurement.
    offset : str, Quantity or DataArray, optional
        Added after stretching: ``"-3 nm"`` for a cap that was removed.
    depth_uncertainty : float, str, Quantity or DataArray, optional
        Standard uncertainty of the new scale: relative, or with `crater_depth` in its unit. It
        replaces the one in the data; without it, that stays.

    Returns
    -------
    Dataset
        The values as they were: areal doses scale with f. If measurements of a batch on a shared
        axis are scaled differently, they have depth axes of their own afterwards, over ``point``.

    Raises
    ------
    ProfileError
        If nothing is to be done, both `factor` and `crater_depth` are given, or a factor is not
        positive.
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
        raise ProfileError("give factor or crater_depth, not both")
    if factor is None and crater_depth is None and offset is None:
        raise ProfileError("give factor, crater_depth or offset: how the depths are to change")
    if "depth" not in data.coords:
        raise UnitsError(
            "the data are on no depth axis; calibrate_depth() turns sputter time into depth"
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
    for name, read in (("factor", stretch), ("offset", shift)):
        if not set(read.dims) <= {MEASUREMENT}:
            raise ProfileError(
                f"{name} is over {read.dims}; all species of a measurement share their depth scale"
            )
    depth = (before.variable * stretch.variable + shift.variable).transpose(..., before.dims[-1])
    depth.attrs = before.attrs
    text = f"depths times {_said(stretch)} plus {_said(shift)} nm"
    result = _on_own_axes(data, depth)
    if "calibration" in depth.attrs:
        result["depth"].attrs["calibration"] = f"{depth.attrs['calibration']}; then {text}"
    if crater is not None or "crater_depth" in data.coords:
        now = (
            crater if crater is not None else data["crater_depth"].reset_coords(drop=True) * stretch
        )
        result = result.assign_coords(
            crater_depth=now.assign_attrs(vocabulary.attrs("crater_depth"))
        )
    if depth_uncertainty is not None:
        relative = relative_depth_uncertainty(data, depth_uncertainty, crater, ("depth",))
        result = result.assign_coords(depth_scale_uncertainty=relative)
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
    number = isinstance(factor, float | int | np.number) and not isinstance(factor, bool)
    if not (number and 0 < factor < np.inf):
        raise ProfileError(f"factor={factor!r}; expected a positive number, such as 1.02")
    return xr.DataArray(float(factor))


def _said(value: xr.DataArray) -> str:
    return f"{value.item():.6g}" if value.ndim == 0 else "(one a measurement)"


def _on_own_axes(ds: xr.Dataset, depth: xr.Variable) -> xr.Dataset:
    """Put data on new depths; measurements that shared an axis and no longer do have their own."""
    fresh = ds.drop_vars("wire_fields", errors="ignore")
    if "depth" in fresh.dims and depth.ndim > 1:
        fresh = fresh.drop_vars("depth").rename_dims(depth=POINT)
        depth = xr.Variable(
            [POINT if d == "depth" else d for d in depth.dims], depth.data, depth.attrs
        )
    return fresh.assign_coords(depth=depth)


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
        ``{"B": "1e15 atoms/cm^2"}``; species that a mapping leaves out stay as they are. One for
        all only where there is a single species.
    start, stop, background, rule
        As for :func:`integrated_dose`, which gives the stated dose afterwards. A background is not
        subtracted from the profile, only from the dose that it is compared by.

    Returns
    -------
    Dataset
        Concentrations and standard errors times ``dose / integral``, counts as they were. The
        coordinate ``dose_scale`` over species says by what (1 where nothing was scaled).

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
    Standard errors stay those of independent samples. Those of sums are therefore too large: the
    dose between the same limits is known as well as `dose` is, which is taken as exact.

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
            f"start, stop or background is over {cases[0]!r}, and a profile is scaled by one "
            f"number: bring the data there first, with data.expand_dims({cases[0]}=...)"
        )
    if "species" in integral.dims:
        integral = integral.reindex(species=data["species"].values)
    if known.chunks is None and integral.chunks is None:
        wrong = known.notnull() & ~(integral > 0)
        if bool(wrong.any()):
            stacked = integral.where(wrong)
            labels = [
                f"{dim} {str(label)!r}"
                for dim in ("measurement", "species")
                if dim in wrong.dims
                for label in wrong[dim].values[
                    wrong.any([d for d in wrong.dims if d != dim]).values
                ]
            ]
            raise ProfileError(
                f"{', '.join(labels[:4]) or 'the profile'}: no dose between these depths to scale "
                f"(integral {float(np.nan_to_num(stacked).max()):.3g})"
            )
    scale = (known / integral).fillna(1.0)
    scaled = {
        name: (data[name] * scale)
        .transpose(
            *(dim for dim in data["concentration"].dims if dim in {*data[name].dims, *scale.dims})
        )
        .assign_attrs(data[name].attrs)
        for name in ["concentration" + end for end in ("", *IN_ITS_UNIT)]
        if name in data
    }
    result = data.assign(scaled)
    if "dose_scale" in data.coords:
        scale = scale * data["dose_scale"].reset_coords(drop=True)
    result = result.assign_coords(dose_scale=scale.assign_attrs(vocabulary.attrs("dose_scale")))
    return with_step(
        result, "scale_to_dose", "concentrations scaled to a known dose", dose=dose, **limits
    )
