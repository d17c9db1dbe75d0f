"""Profiles on another depth scale, or scaled to a known dose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.analysis.dose import doubts_of, integral, read_question, status_of
from sims_analysis.conventions.axes import MEASUREMENT
from sims_analysis.conventions.canonical import scaled, species_of
from sims_analysis.conventions.provenance import with_history
from sims_analysis.errors import ProfileError, UnitsError
from sims_analysis.frame.arguments import read_change, read_pure, refuse_not_positive
from sims_analysis.frame.call import correction
from sims_analysis.frame.evidence import Evidence, evidence_coords, scale_in_doubt, union
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import DOSE_KINDS, open_frame
from sims_analysis.frame.window import doubt_of_transient
from sims_analysis.outcomes import Status
from sims_analysis.quantification.arguments import read_uncertainty
from sims_analysis.quantification.concentration import with_concentration, without_quantified
from sims_analysis.quantification.depth_axis import (
    Scale,
    moved,
    open_axis,
    per_measurement,
    read_scale_uncertainty,
    with_stretched_dose,
)
from sims_analysis.quantification.scales import format_value, warn_unknown
from sims_analysis.units import NM_PER_CM, ParameterLike, WindowLike


@correction
def rescale_depth(
    data: xr.Dataset,
    *,
    factor: float | xr.DataArray | None = None,
    crater_depth: ParameterLike | None = None,
    offset: ParameterLike | None = None,
    depth_uncertainty: float | ParameterLike | None = None,
) -> xr.Dataset:
    """Stretch and shift a depth axis: ``z' = f z + offset``.

    Not to be trusted where the sputter rate changes with depth: one factor holds throughout.

    Parameters
    ----------
    data : Dataset
        On a depth axis; one measurement or a batch.
    factor : float or DataArray, optional
        Multiplies all depths; a DataArray over ``measurement`` gives each its own.
    crater_depth : str, Quantity or DataArray, optional
        Instead of `factor`: the crater depth as it is now known. The factor is its ratio to the
        coordinate ``crater_depth`` (:func:`calibrate_depth`) or, without one, to the last depth.
    offset : str, Quantity or DataArray, optional
        Added after stretching: ``"-3 nm"`` for a cap that was removed.
    depth_uncertainty : float, str, Quantity or DataArray, optional
        Standard uncertainty of the new scale: relative or, with `crater_depth`, as a depth. By
        default that in the data; none with `crater_depth`, which sets a new scale.

    Returns
    -------
    Dataset
        The values are not changed, so that doses scale with f. Measurements that are stretched
        differently have their own depth axes afterwards, over ``point``.

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
        raise ProfileError(
            "give either factor or crater_depth, not both", code="conflicting_arguments"
        )
    if factor is None and crater_depth is None and offset is None:
        text = "give factor, crater_depth or offset: how the depths are to change"
        raise ProfileError(text, code="conflicting_arguments")
    if "depth" not in data.coords:
        raise UnitsError(
            "the data have no depth axis; calibrate_depth() turns sputter time into depth",
            code="missing_axis",
        )
    axis = open_axis(data, "depth")
    frame, stretch_of_axis = axis.frame, xr.Variable((), 1.0)
    stretch, shift, crater = stretch_of_axis, xr.Variable((), 0.0), None
    if factor is not None:
        stretch = read_pure(frame, factor, "factor", "a positive number, such as 1.02")
        refuse_not_positive(stretch, factor, "factor")
    elif crater_depth is not None:
        crater = frame.parameter(crater_depth, ("depth",), "crater_depth")
        refuse_not_positive(crater, crater_depth, "crater_depth")
        last = axis.values.max([d for d in axis.values.dims if d != MEASUREMENT])
        stretch = crater / data.coords.variables.get("crater_depth", last)
    if offset is not None:
        shift = frame.parameter(offset, ("depth",), "offset")
    changes = {"factor" if crater is None else "crater_depth": stretch, "offset": shift}
    for name, read in changes.items():
        warn_unknown(frame, per_measurement(read, name), name)
    text = f"depths times {format_value(stretch)} plus {format_value(shift, 'nm')}"
    kind = "" if crater is None else "depth"
    scale = Scale(lambda z: z * stretch + shift, text, crater, kind, stretch)
    relative = read_scale_uncertainty(axis, depth_uncertainty, scale)
    earlier = data["depth"].attrs.get("calibration")
    calibration = None if earlier is None else f"{earlier}; then {text}"
    result: xr.Dataset = moved(axis, scale, calibration, relative)
    if crater is not None and relative is None:
        result = result.drop_vars("depth_scale_uncertainty", errors="ignore")
    if factor is not None or crater_depth is not None:
        # The dose is the stated one no more: it has changed by a factor with an error of its own.
        result = with_stretched_dose(result)
    return with_history(result, text)


@correction
def scale_to_dose(
    data: xr.Dataset,
    dose: ParameterLike | Mapping[str, ParameterLike],
    *,
    dose_uncertainty: float | ParameterLike | Mapping[str, float | ParameterLike] | None = None,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    background: ParameterLike | WindowLike | None = None,
    rule: Literal["trapezoid", "loglinear"] = "trapezoid",
) -> xr.Dataset:
    """Scale concentrations so that a species has a known dose.

    Not to be trusted for errors of sums, which are too large: the dose between the same limits is
    as certain as `dose`.

    Parameters
    ----------
    data : Dataset
        With ``concentration`` over depth; one measurement or a batch. Or with a ``range_density``,
        as SRIM gives it for one ion per area: then ``C = range density * dose``.
    dose : mapping, str, Quantity or DataArray
        ``{"B": "1e15 atoms/cm^2"}``; species that it leaves out are not changed. Or one for one.
    dose_uncertainty : float, str, Quantity, DataArray or mapping, optional
        Standard uncertainty of the dose, relative (``0.03``, ``"3 %"``) or as a dose.
    start, stop, background, rule
        As for :func:`integrated_dose`, which gives the stated dose afterwards. A background is
        subtracted only in the integral, not from the profile. Not for a range density.

    Returns
    -------
    Dataset
        Concentrations and standard errors times ``dose / integral``, counts not changed.
        Coordinates over species:

        - ``dose_scale``: that factor (1 where nothing was scaled); a ``sensitivity_factor`` of the
          data is multiplied by it, too
        - ``dose_scale_uncertainty``: the relative uncertainty of the dose, NaN if it is not stated
          (0 where nothing was scaled). In :func:`dose_budget` it takes the place of those of the
          sensitivity factor and of the depth scale

    Raises
    ------
    SpeciesError, UnitsError
        If a species or a concentration over depth is absent, or a dose is not of atoms per area.
    ProfileError
        If one dose is given for several species, a species has no dose between these depths, or an
        uncertainty is not less than its dose.

    Warns
    -----
    ProfileWarning
        Where the integral begins in a surface transient, whose counts would be taken for the dose.

    Notes
    -----
    Standard errors remain those of independent samples. The uncertainty of the depth scale remains
    that of depths, and of doses between other limits only as far as these are off.

    References
    ----------
    ISO 18114, Determination of relative sensitivity factors from ion-implanted reference materials.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> dose = {"B": "5e14 atoms/cm^2"}
    >>> ds = sims.scale_to_dose(ds, dose=dose, dose_uncertainty="3 %", stop="400 nm")
    >>> budget = sims.dose_budget(ds, stop="400 nm").sel(species="B")
    >>> print(f"{budget['dose'].item():.6e} +- {budget['systematic_stderr'].item():.1e}")
    5.000000e+14 +- 1.5e+13
    """
    frame = open_frame(data, DOSE_KINDS, question="a dose")
    target = read_change(frame, dose, ("areal_density",), "dose")
    several = frame.sizes.get("species", 1)
    if several > 1 and "species" not in target.dims:
        raise ProfileError(
            f"a dose belongs to one species, and there are {several}: "
            f"dose={{{species_of(data)[0]!r}: '1e15 atoms/cm^2'}}",
            code="missing_species",
        )
    limits = {"start": start, "stop": stop, "background": background, "rule": rule}
    if frame.kind == "range_density":
        return _from_range_densities(data, frame, target, dose_uncertainty, limits)
    compared = compare_dose(frame, target, dose_uncertainty, limits)
    cases = [str(dim) for dim in compared.factor.dims if dim not in frame.lead]
    if cases:
        raise ProfileError(
            f"start, stop or background is over {cases[0]!r}, but a profile is scaled by one "
            f"number: add this dimension to the data first, with data.expand_dims({cases[0]}=...)",
            code="wrong_dimensions",
        )
    scale = compared.factor.fillna(1.0)
    of_the_scale = _scale_coords(frame, scale, target, compared.uncertainty)
    result = frame.times(scale).assign_coords(of_the_scale)
    doubtful = scale_in_doubt(frame, compared.status.where(target.notnull(), Status.OK))
    flags = union(Evidence(frame.flags), doubtful)
    result = result.assign_coords(
        evidence_coords(frame.name, flags, frame.units, data[frame.name].dims)
    )
    return with_history(
        result,
        "concentrations scaled to a known dose, whose uncertainty takes the place of those of "
        "factor and depth scale",
    )


def _from_range_densities(
    data: xr.Dataset,
    frame: Frame,
    target: xr.Variable,
    uncertainty: Any,
    limits: Mapping[str, Any],
) -> xr.Dataset:
    """Return concentrations in place of the range densities of species with a dose."""
    stated = [name for name in ("start", "stop", "background") if limits[name] is not None]
    if stated:
        raise ProfileError(
            f"{stated[0]} does not apply to a range density, which is of one ion per area",
            code="conflicting_arguments",
        )
    relative = xr.full_like(target, np.nan)
    if uncertainty is not None:
        relative = read_uncertainty(frame, uncertainty, target, "areal_density", "dose_uncertainty")
    made = scaled(data, frame.name, target)
    # Species without a dose stay as they were.
    result = with_concentration(without_quantified(data, frame, target), frame, made)
    scale = xr.ones_like(target)
    result = result.assign_coords(_scale_coords(frame, scale, target, relative))
    return with_history(result, "range densities times a dose")


class ComparedDose(NamedTuple):
    """Known doses over the integrals of profiles; NaN where none is known."""

    factor: xr.Variable
    #: Relative standard errors of the integral and of the dose.
    counting: xr.Variable
    uncertainty: xr.Variable
    status: xr.Variable


def compare_dose(
    frame: Frame, target: xr.Variable, uncertainty: Any, limits: Mapping[str, Any]
) -> ComparedDose:
    """Compare profiles with known doses; counts of a transient would be taken for the dose."""
    known_ones = replace(frame, value=frame.value.where(target.notnull()))
    dose = integral(known_ones, read_question(known_ones, **limits))
    transient = doubt_of_transient(known_ones, dose.start, dose.stop)
    status = status_of(dose, [*doubts_of(dose), transient])
    area = dose.value / NM_PER_CM
    if (wrong := first_flagged(frame, target.notnull() & ~(area > 0))) is not None:
        raise wrong.error(
            "no dose between these depths to compare with (integral "
            f"{np.nan_to_num(wrong.of(area)):.3g}); check start, stop and background",
            ProfileError,
            code="no_dose",
        )
    relative, counting = xr.Variable((), np.nan), xr.full_like(area, np.nan)
    if uncertainty is not None:
        relative = read_uncertainty(frame, uncertainty, target, "areal_density", "dose_uncertainty")
    if dose.stderr is not None:
        counting = dose.stderr / NM_PER_CM / area
    return ComparedDose(target / area, counting, relative, status)


def _scale_coords(
    frame: Frame, scale: xr.Variable, target: xr.Variable, relative: xr.Variable
) -> dict[str, xr.Variable]:
    """Return coordinates of the scale and its error; as before where no dose is known, or 1, 0."""
    data: Any = frame.origin
    fresh = target.notnull()
    uncertainty: xr.Variable = relative.where(fresh, 0.0)
    uncertainty = uncertainty.transpose(*frame.lead, missing_dims="ignore")
    new = {"dose_scale": scale, "dose_scale_uncertainty": uncertainty}
    factors = ("sensitivity_factor", "absolute_sensitivity_factor")
    for name in ("dose_scale", *factors):
        if name in data.coords:
            new[name] = data[name].variable * scale
    for name in ("dose_scale_uncertainty", "sensitivity_factor_uncertainty"):
        if name in data.coords:
            new[name] = xr.where(fresh, uncertainty, data[name].variable)
    if "scale_repeatability" in data.coords:
        new["scale_repeatability"] = xr.where(fresh, np.nan, data["scale_repeatability"].variable)
    for name, coord in new.items():
        attrs = data[name].attrs if name in data.coords else vocabulary.attrs(name)
        new[name] = xr.Variable(coord.dims, coord.data, attrs)
    return new
