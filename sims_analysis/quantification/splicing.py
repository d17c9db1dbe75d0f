"""Two overlapping pieces of one profile, joined where both were measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.dose import integral, read_question
from sims_analysis.conventions.canonical import list_variables, scaled, species_of
from sims_analysis.conventions.provenance import with_history
from sims_analysis.conventions.species_metadata import without_samples
from sims_analysis.dataset.measurements import Measurement, one_axis, open_measurement
from sims_analysis.dataset.samples import LAYOUT, OWN_DEPTHS
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError, warn
from sims_analysis.frame.call import processing_step
from sims_analysis.frame.evidence import (
    Evidence,
    evidence_coords,
    resolve,
    scale_in_doubt,
    union,
    with_evidence,
    worse,
)
from sims_analysis.frame.opening import open_samples
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import check_bool, format_argument, type_error
from sims_analysis.units import QuantityLike

#: Pieces that differ by more than this many standard errors, and by more than this factor, differ.
_STDERRS, _NOTABLE = 3.0, 1.05
#: By more than this factor, if they have no standard errors.
_UNSTATED = 1.1


@processing_step(of="a")
def splice(
    a: xr.Dataset, b: xr.Dataset, *, at: QuantityLike | None = None, scale: bool = False
) -> xr.Dataset:
    """Join two overlapping pieces of one profile: `a` down to a depth, and `b` below it.

    Pieces that were measured at other currents, with other detectors, or after a break. With
    `scale` not to be trusted where they differ by more than a factor: a background that only one of
    them has is scaled, too.

    Parameters
    ----------
    a, b : Dataset
        Each one measurement, over depth or sputter time, on axes of their own; `b` is the deeper.
    at : str or Quantity, optional
        The depth (or time) of the splice, within the overlap: ``"120 nm"``. By default its middle.
    scale : bool
        Multiply `b` so that its integral over the overlap is that of `a`, each species by its own
        factor: of the concentration, or else of the first variable that both have.

    Returns
    -------
    Dataset
        With the samples of `a` down to the splice and those of `b` below it. A species that only
        one of them has is kept whole. Along the axis, sputter times and the edges of cells are left
        out. Coordinates:

        - ``splice_depth`` (``nm``), or ``splice_time`` (``s``)
        - ``splice_scale`` (``1``) over species: the factor of `b`, 1 without `scale`, NaN for
          species of which only one piece has such values
        - ``splice_scale_uncertainty`` (``1``): its relative standard error, NaN where the pieces
          have no standard errors. It is common to all samples below the splice, and not part of
          their random errors

    Raises
    ------
    ProfileError
        If the pieces are on different axes, are batches, or have no species or no overlap at the
        splice in common; with `scale`, if an integral over the overlap is not positive.
    UnitsError
        If they have no variable in common.

    Warns
    -----
    ProfileWarning
        Without `scale`, where the pieces differ in their overlap by more than three standard errors
        and 5 % (without standard errors, by more than 10 %). With it, where the integrals rest on
        a gap, on saturated samples, or on samples below their limit of detection; answers from
        what was scaled are then ``scale_in_doubt``.

    Notes
    -----
    The integrals are trapezoids of either piece over its own samples.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> top, deep = ds.sel(depth=slice(0, 200)), ds.sel(depth=slice(150, None))
    >>> deep = deep.assign(concentration=(0.8 * deep["concentration"]).assign_attrs(units="cm^-3"))
    >>> whole = sims.splice(top, deep, scale=True)
    >>> print(f"below {whole['splice_depth'].item():g} nm times "
    ...       f"{whole['splice_scale'].sel(species='B').item():.4f}")
    below 175 nm times 1.2500
    """
    check_bool("scale", scale)
    pieces = _piece(a, "a"), _piece(b, "b")
    axis = one_axis(pieces)
    top, deep = (with_evidence(piece.ds) for piece in pieces)
    common = [species for species in pieces[0].species if species in pieces[1].species]
    names = [n for n in vocabulary.QUANTITIES if n in top.data_vars and n in deep.data_vars]
    if not common:
        listed = (", ".join(map(repr, piece.species)) for piece in pieces)
        text = f"the pieces have no species in common: {' and '.join(listed)}"
        raise ProfileError(text, code="unknown_species")
    if not names:
        raise UnitsError(
            f"the pieces have no variable in common: {list_variables(top)} and "
            f"{list_variables(deep)}",
            code="missing_variable",
        )
    overlap = _overlap(top, deep, axis, names, common)
    place = _read_splice(at, overlap, axis)
    name, compared = _compared(top, deep, axis, names, common)
    factor, uncertainty, status = _scales(top, deep, name, compared, overlap, scale=scale)
    if scale:
        _refuse_unknown(factor, name, axis, overlap)
        deep = _scaled(deep, names, factor, status)
    else:
        _warn_of_difference(factor, uncertainty, axis, overlap)
        factor = xr.ones_like(factor)
        uncertainty = xr.zeros_like(factor)
    result = _joined(top, deep, axis, common, place)
    stated = {
        "splice_depth" if axis == "depth" else "splice_time": xr.Variable((), place),
        "splice_scale": factor.reindex(species=result["species"]).variable,
        "splice_scale_uncertainty": uncertainty.reindex(species=result["species"]).variable,
    }
    for key, value in stated.items():
        value.attrs = vocabulary.attrs(key)
    where = f"{place:g} {units.CANONICAL[axis]}"
    line = f"two pieces spliced at {where}{', the second scaled' if scale else ''}"
    spliced = with_history(result.assign_coords(stated), line)
    return units.quantify(spliced) if any(map(units.is_quantified, (a, b))) else spliced


def _piece(data: Any, name: str) -> Measurement:
    if not isinstance(data, xr.Dataset):
        raise type_error(name, data, f"{name}: splice takes two Datasets")
    species_of(data)
    return open_measurement(data, name)


def _overlap(
    a: xr.Dataset, b: xr.Dataset, axis: str, names: list[str], common: list[str]
) -> tuple[float, float]:
    """Return where all species that both pieces have were measured in both."""
    starts, stops = [], []
    for species in common:
        places = []
        for piece in (a, b):
            measured = piece[names].sel(species=species).notnull().to_dataarray().any("variable")
            places.append(piece[axis].values[measured.values])
        if not all(place.size for place in places):
            continue
        (first, last), (begin, end) = ((float(z.min()), float(z.max())) for z in places)
        if not (first <= begin < last <= end):
            unit = units.CANONICAL[axis]
            raise ProfileError(
                f"species {species!r}: a runs from {first:g} to {last:g} {unit}, b from "
                f"{begin:g} to {end:g} {unit}; b must begin within a and end below it",
                code="no_sample_in_window",
                where={"species": species},
            )
        starts.append(begin)
        stops.append(last)
    if not starts:
        raise ProfileError("no species was measured in both pieces", code="not_measured")
    limits = max(starts), min(stops)
    if not limits[0] < limits[1]:
        text = "the species do not overlap at one common depth: splice them one by one"
        raise ProfileError(text, code="no_sample_in_window")
    return limits


def _compared(
    a: xr.Dataset, b: xr.Dataset, axis: str, names: list[str], common: list[str]
) -> tuple[str, list[str]]:
    """Return the first variable that both pieces have of a species, and all such species."""
    for name in names:
        measured, too = (piece[name].notnull().any(axis).sel(species=common) for piece in (a, b))
        if bool((measured & too).any()):
            return name, [str(s) for s in measured["species"].values[(measured & too).values]]
    raise UnitsError(
        f"there is no species of which both pieces have the same variable, of {', '.join(names)}: "
        "quantify both pieces, or neither",
        code="missing_variable",
    )


def _read_splice(at: Any, overlap: tuple[float, float], axis: str) -> float:
    start, stop = overlap
    if at is None:
        return 0.5 * (start + stop)
    place = units.read_number(at, (axis,), "at")
    if not start <= place <= stop:
        raise ProfileError(
            f"at={format_argument(at)} is outside of the overlap, from {_span(overlap, axis)}",
            argument="at",
        )
    return place


def _span(overlap: tuple[float, float], axis: str) -> str:
    return f"{overlap[0]:g} to {overlap[1]:g} {units.CANONICAL[axis]}"


def _scales(
    a: xr.Dataset,
    b: xr.Dataset,
    name: str,
    common: list[str],
    overlap: tuple[float, float],
    *,
    scale: bool,
) -> tuple[xr.DataArray, xr.DataArray, xr.DataArray]:
    """Return by which factor b is multiplied, its relative error and status, over species."""
    parts, squares, status = [], [], xr.DataArray(int(Status.OK))
    for piece in (a, b):
        frame = open_samples(piece.sel(species=common), name, "a splice")
        start, stop = (f"{float(end)!r} {frame.axis_units}" for end in overlap)
        dose = integral(frame, read_question(frame, start=start, stop=stop))
        resolved = resolve(
            frame,
            dose.status,
            dose.support,
            (dose.start, dose.stop),
            what="the integral over the overlap, which gives the factor, is interpolated across it",
            sum_of=dose.value,
            stderr=dose.stderr,
            category=ProfileWarning if scale else None,
        )
        value = xr.DataArray(dose.value.values, {"species": common}, ["species"])
        status = worse(status, value.copy(data=resolved.values))
        variance = xr.full_like(value, np.nan)
        if dose.stderr is not None:
            variance = value.copy(data=dose.stderr.values**2)
        parts.append(value.where(value > 0))
        squares.append(variance / value**2)
    return parts[0] / parts[1], (squares[0] + squares[1]) ** 0.5, status


def _refuse_unknown(
    factor: xr.DataArray, name: str, axis: str, overlap: tuple[float, float]
) -> None:
    unknown = factor["species"].values[factor.isnull().values]
    if unknown.size:
        raise ProfileError(
            f"species {str(unknown[0])!r}: the integral of {name} from {_span(overlap, axis)} is "
            "not positive in one of the pieces, so that it says nothing of their ratio",
            code="no_dose",
            where={"species": str(unknown[0])},
        )


def _scaled(
    b: xr.Dataset, names: list[str], factor: xr.DataArray, status: xr.DataArray
) -> xr.Dataset:
    labels = b["species"].values
    every = factor.reindex(species=labels).fillna(1.0).variable
    codes = status.reindex(species=labels, fill_value=int(Status.OK)).variable
    columns: dict[str, xr.Variable] = {}
    flags: dict[str, xr.Variable] = {}
    for name in names:
        columns |= {name + end: values for end, values in scaled(b, name, every).items()}
        frame = open_samples(b, name, "a splice")
        evidence = union(Evidence(frame.flags), scale_in_doubt(frame, codes))
        flags |= evidence_coords(name, evidence, frame.units, b[name].dims)
    return b.assign(columns).assign_coords(flags)


def _warn_of_difference(
    factors: xr.DataArray, uncertainties: xr.DataArray, axis: str, overlap: tuple[float, float]
) -> None:
    for species in factors["species"].values:
        factor, error = (float(a.sel(species=species)) for a in (factors, uncertainties))
        if np.isnan(factor):
            continue  # nothing to compare
        off = abs(np.log(factor))
        limit = np.log(_UNSTATED) if np.isnan(error) else max(_STDERRS * error, np.log(_NOTABLE))
        if off > limit:
            uncertainty = "" if np.isnan(error) else f" +- {error * factor:.2g}"
            warn(
                f"species {str(species)!r}: from {_span(overlap, axis)}, a is "
                f"{factor:.4g}{uncertainty} times b; scale=True makes them agree there",
                ProfileWarning,
                code="different_levels",
                where={"species": str(species)},
            )


#: Coordinates that may run along the samples, and that answers need.
_OF_SAMPLES = [
    *(f"{name}_{end}" for name in vocabulary.QUANTITIES for end in vocabulary.EVIDENCE),
    *vocabulary.SHARED,
]


def _joined(a: xr.Dataset, b: xr.Dataset, axis: str, common: list[str], place: float) -> xr.Dataset:
    """Join the samples of a down to a place with those of b below it."""
    parts = []
    for piece, side in ((a, a[axis] <= place), (b, b[axis] > place)):
        kept = side | ~piece["species"].isin(common)
        kinds = [n for n in _OF_SAMPLES if n in piece.coords and axis in piece[n].dims]
        columns = piece.reset_coords(kinds).data_vars
        cut = {name: v.where(kept) if axis in v.dims else v for name, v in columns.items()}
        parts.append(xr.Dataset(cut).reset_coords(drop=True))
    joined = parts[0].combine_first(parts[1])
    names = [n for q in vocabulary.QUANTITIES for n in (q, f"{q}_{vocabulary.LIMIT}")]
    measured = joined[[n for n in names if n in joined]].notnull().to_dataarray().any("variable")
    joined = joined.isel({axis: measured.any("species").values})
    for name, array in joined.data_vars.items():
        array.attrs = (a if name in a else b)[name].attrs
    along = [name for name in _OF_SAMPLES if name in joined]
    for flags in (name for name in along if name.endswith(vocabulary.QUALITY)):
        joined[flags] = joined[flags].fillna(0).astype(np.int16)
    joined = joined.set_coords(along)
    joined = joined.assign_coords(_coords(a, b, axis, joined))
    result: xr.Dataset = joined.assign_attrs({**a.attrs, LAYOUT: OWN_DEPTHS})
    return result


def _coords(a: xr.Dataset, b: xr.Dataset, axis: str, joined: xr.Dataset) -> dict[Any, Any]:
    """Return the coordinates of the whole: of each species from the piece that has it, a first."""
    a, b = without_samples(a), without_samples(b)
    coords: dict[Any, Any] = {axis: (axis, joined[axis].values, a[axis].attrs)}
    for key in dict.fromkeys([*a.coords, *b.coords]):
        columns = [piece[key] for piece in (a, b) if key in piece.coords]
        first = columns[0]
        if key in ("species", axis) or any(axis in coord.dims for coord in columns):
            continue
        if first.dims == ("species",):
            entries: dict[str, Any] = {}
            for item in reversed(columns):
                entries |= dict(zip(map(str, item["species"].values), item.values, strict=True))
            blank: Any = "" if first.dtype.kind in "UO" else np.nan
            values = [entries.get(str(label), blank) for label in joined["species"].values]
            coords[key] = ("species", np.array(values), first.attrs)
        elif not first.ndim:
            coords[key] = first.variable
    return coords
