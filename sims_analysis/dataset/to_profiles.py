"""Convert a Dataset of one measurement back to depth profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import POINT, axis_of, cell_edges, nearest
from sims_analysis.conventions.canonical import list_variables
from sims_analysis.conventions.delivered import COORDS, REFERENCE_KEYS, with_species_dimension
from sims_analysis.dataset.shared import shared_columns
from sims_analysis.errors import ProfileError
from sims_analysis.outcomes import GAP
from sims_analysis.profiles.metadata import COLUMNS, columns_of
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.profiles.wire import WIRE_FIELDS
from sims_analysis.units import Unit, dequantify, read_unit, unit_of_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import xarray as xr

    from sims_analysis.kernels.rows import Array


__all__ = ["to_profiles"]


def to_profiles(data: xr.Dataset) -> list[DepthProfile]:
    """Turn a Dataset of one measurement back into depth profiles.

    Parameters
    ----------
    data : xarray.Dataset
        As :func:`to_dataset` returns it, quantified or not; one species or many.

    Returns
    -------
    list of DepthProfile
        One per species, in the units in which it was delivered, in order of depth, with
        identifiers, metadata, unknown fields and missing samples as delivered. A species with
        values in two kinds of unit gives two profiles.

    Raises
    ------
    ProfileError
        If the Dataset has several measurements, or no variable of a known name.

    See Also
    --------
    to_dataset : The inverse.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> [profile.species_name for profile in sims.to_profiles(ds)]
    ['B', 'P']
    """
    if not hasattr(data, "data_vars"):
        raise TypeError(
            f"profiles are made of a Dataset of one measurement, found {type(data).__name__}"
        )
    ds = with_species_dimension(dequantify(data))
    axis = axis_of(ds)
    names = [name for name in vocabulary.QUANTITIES if name in ds]
    if not names:
        raise ProfileError(
            f"the Dataset has none of {', '.join(vocabulary.QUANTITIES)}; it has "
            f"{list_variables(ds)}"
        )
    if set(ds[names[0]].dims) != {"species", axis} or axis == POINT:
        raise ProfileError(
            f"expected dimensions (species, {'depth' if axis == POINT else axis}), found "
            f"{ds[names[0]].dims}; select one measurement first"
        )
    ds = ds.transpose("species", axis, ...)
    rows = range(ds.sizes["species"])
    found = [_profile(ds, row, name, axis) for row in rows for name in names]
    return [profile for profile in found if profile is not None]


def _profile(ds: xr.Dataset, row: int, name: str, axis: str) -> DepthProfile | None:
    """Return one species in one variable; None if it has no samples there."""
    texts, rest = _of_source(ds, row, name)
    axis_stated, axis_unit = _units(ds, axis, (axis,), texts.get("source_depth_units"))
    stated, unit = _units(ds, name, vocabulary.kinds(name), texts.get("source_units"))

    z = axis_stated.to_canonical(ds[axis].values)
    columns = {"concentrations": stated.to_canonical(ds[name].values[row])}
    if f"{name}_stderr" in ds:
        columns["concentrations_stderr"] = stated.to_canonical(ds[f"{name}_stderr"].values[row])
    measured = ~np.isnan(columns["concentrations"])
    evidence = {
        end: np.asarray(ds[f"{name}_{end}"].values[row])
        for end in vocabulary.EVIDENCE
        if f"{name}_{end}" in ds and np.ndim(ds[f"{name}_{end}"].values[row])
    }
    # The gaps apply only to the variable in the unit of the source.
    gaps = rest.get("not_measured") if unit.text == texts.get("source_units") else None
    if not measured.any() and gaps is None:
        return None
    if gaps is None and vocabulary.CENSORED in evidence:  # samples below a limit have no value
        measured = measured | ~np.isnan(evidence[vocabulary.CENSORED])
    z_measured = z[measured]
    arrays: dict[str, Any] = {
        "depths": _restored(z_measured, z_measured, axis_unit, rest.get("depths"))
    }
    for field, column in columns.items():
        arrays[field] = _restored(z_measured, column[measured], unit, rest.get(field))
    kept = {}
    for end, own in vocabulary.COLUMNS.items():
        column = ds.variables.get(f"{name}_{end}")
        if column is not None and not np.isnan(column.values[row]).all():
            numbers = np.broadcast_to(column.values[row], measured.shape)[measured]
            arrays[end] = numbers if own else unit.from_canonical(stated.to_canonical(numbers))
            kept[end] = own or unit.text
    if (flags := evidence.get(vocabulary.QUALITY)) is not None:
        flags = np.nan_to_num(flags[measured]).astype(np.int16)
        # Of data as delivered, to_dataset finds the gaps again.
        if (flags & ~(0 if "steps" in {*ds.attrs, *ds.coords} else GAP)).any():
            arrays[vocabulary.QUALITY], kept[vocabulary.QUALITY] = flags, "1"
    if gaps is None and (limit := evidence.get(vocabulary.CENSORED)) is not None:
        limit = unit.from_canonical(stated.to_canonical(limit[measured]))
        if not np.isnan(limit).all():
            arrays[vocabulary.CENSORED], kept[vocabulary.CENSORED] = limit, unit.text
    where = {"species": ds["species"].values[row]}
    for end, column in shared_columns(ds, name, where, measured.size):
        arrays[end], kept[end] = column[measured], vocabulary.SHARED[end]
    cells = cell_edges(ds, axis)
    if cells is not None:
        edges = dict(
            zip(vocabulary.CELLS, axis_unit.from_canonical(cells[measured]).T, strict=True)
        )
        arrays, kept = arrays | edges, kept | dict.fromkeys(edges, axis_unit.text)
    if gaps is not None:
        arrays = _with_gaps(arrays, np.array(gaps), axis_unit, z, cells)
    if np.isnan(arrays.get("concentrations_stderr", np.nan)).all():
        arrays.pop("concentrations_stderr", None)

    beside = {end: {"units": own, "values": _numbers(arrays.pop(end))} for end, own in kept.items()}
    extra = _beside(rest.get("extra", {}), arrays["depths"].size, beside)
    keys = rest.get("keys", REFERENCE_KEYS if texts else ())
    return DepthProfile(
        species_name=str(ds["species"].values[row]),
        depth_units=axis_unit.text,
        concentration_units=unit.text,
        species_metadata=orjson.loads(texts.get("species_metadata") or "null"),
        extra=extra,
        _keys=_all_keys(keys, extra, arrays) if keys else (),
        **arrays,
        **{key: rest.get(key, text or None) for key, text in _identifiers(ds, row, texts).items()},
    )


def _of_source(ds: xr.Dataset, row: int, name: str) -> tuple[dict[str, str], Any]:
    """Return the texts of a species in one variable, and what else the source said of it."""
    texts = {
        coord: str(ds.variables[coord].values[row])
        for coord in COORDS
        if coord in ds.coords and ds.variables[coord].dims == ("species",)
    }
    rest = orjson.loads(texts.get("wire_fields") or "{}")
    if name in rest.get("also", {}):
        # A species in several kinds of unit: this variable was a separate profile.
        texts = rest["also"][name]
        rest = orjson.loads(texts.get("wire_fields") or "{}")
    return texts, rest


def _identifiers(ds: xr.Dataset, row: int, texts: dict[str, str]) -> dict[str, str | None]:
    """Return what a profile is called by the API."""
    data_id = ds.attrs.get("data_id")
    if "data_id" in ds.coords and set(ds["data_id"].dims) <= {"species"}:
        # That of one measurement of a batch, or of each species merged from several.
        data_id = str(np.broadcast_to(ds["data_id"].values, ds.sizes["species"])[row])
    return {
        "data_id": data_id,
        "id": texts.get("profile_id"),
        "processed_data_id": texts.get("processed_data_id"),
        "last_updated": texts.get("last_updated"),
    }


def _all_keys(
    delivered: Iterable[str], extra: Mapping[str, Any], arrays: Mapping[str, Any]
) -> tuple[str, ...]:
    """List the fields as they were delivered, and those that were added since."""
    kept = [key for key in delivered if key in WIRE_FIELDS or key in extra]
    stderr = ["concentrations_stderr"] if "concentrations_stderr" in arrays else []
    return tuple(dict.fromkeys([*kept, *stderr, *extra]))


def _numbers(column: Array) -> list[Any]:
    """Convert a column for JSON, which has no infinity (the error that is not known)."""
    return [None if np.isnan(v) else v if np.isfinite(v) else "inf" for v in column.tolist()]


def _beside(extra: dict[str, Any], samples: int, fresh: dict[str, Any]) -> dict[str, Any]:
    """Drop the columns whose length does not fit any more, because samples were left out."""
    stated = extra.get(COLUMNS)
    if not isinstance(stated, dict):
        return {**extra, COLUMNS: fresh} if fresh else extra
    own = columns_of(extra, samples)
    # The numbers of the source, where rounding would change them.
    fresh |= {
        n: own[n] for n in vocabulary.CELLS if n in own and n in fresh and _same(own[n], fresh[n])
    }
    kept = {
        name: column
        for name, column in stated.items()
        if name not in (*vocabulary.BESIDE, *vocabulary.CELLS)
        and (
            name in own or not (isinstance(column, dict) and isinstance(column.get("values"), list))
        )
    } | fresh
    return {**extra, COLUMNS: kept} if kept else {k: v for k, v in extra.items() if k != COLUMNS}


def _same(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two columns hold the same numbers, but for the rounding of conversions."""
    a, b = (np.array(column["values"], dtype=np.float64) for column in (one, other))
    return one.get("units") == other["units"] and np.allclose(a, b, rtol=1e-12, equal_nan=True)


def _units(
    ds: xr.Dataset, name: str, kinds: tuple[str, ...], source: str | None
) -> tuple[Unit, Unit]:
    """Return the unit in the Dataset, and that of the profile: the source's if of the same kind."""
    stated = unit_of_kind(ds[name].attrs.get("units"), kinds, name)
    if not source:
        if stated.text == "1":
            # The name of the variable says which fraction; in a profile, the unit must say it.
            stated = read_unit(stated.kind.replace("_", " "))
        return stated, stated
    unit = unit_of_kind(source, (*vocabulary.AXES, *vocabulary.VALUE_KINDS), name)
    # If a calibration has changed the kind since, the unit in the Dataset is the right one.
    return stated, unit if unit.kind == stated.kind else stated


def _restored(z: Array, canonical: Array, unit: Unit, kept: list[list[float]] | None) -> Array:
    """Convert to the source unit; use the kept source numbers where rounding would change them."""
    values = np.array(unit.from_canonical(canonical))
    if not kept or not z.size:
        return values
    depths, sources = np.array(kept).T
    at = np.minimum(np.searchsorted(z, depths), z.size - 1)
    # Use a kept number only if its sample has not changed: if it still equals the converted
    # number, or (on a merged axis) is close to it.
    same = unit.to_canonical(sources) == canonical[at]
    same |= np.isclose(values[at], sources, rtol=1e-8, atol=0)
    same &= z[at] == depths
    values[at[same]] = sources[same]
    return values


def _with_gaps(
    arrays: dict[str, Array], gaps: Array, unit: Unit, axis: Array, cells: Array | None
) -> dict[str, Array]:
    """Insert the missing samples as NaN, within the depth range of the Dataset, and their cells."""
    canonical = unit.to_canonical(gaps)
    gaps = gaps[(canonical >= axis[0]) & (canonical <= axis[-1])]
    depths = np.concatenate([arrays["depths"], gaps])
    order = np.argsort(depths, kind="stable")
    missing = dict.fromkeys(arrays, np.full(gaps.size, np.nan))
    if cells is not None:
        edges = unit.from_canonical(cells[nearest(axis, unit.to_canonical(gaps))])
        missing |= dict(zip(vocabulary.CELLS, edges.T, strict=True))
    with_gaps = {field: np.concatenate([a, missing[field]])[order] for field, a in arrays.items()}
    return {**with_gaps, "depths": depths[order]}
