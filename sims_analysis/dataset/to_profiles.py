"""Convert a Dataset of one measurement back to depth profiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import POINT, axis_of, nearest
from sims_analysis.conventions.canonical import list_variables
from sims_analysis.conventions.cells import cell_edges
from sims_analysis.conventions.species_metadata import (
    COORDS,
    REFERENCE_KEYS,
    with_species_dimension,
)
from sims_analysis.dataset.shared import shared_columns
from sims_analysis.errors import ProfileError
from sims_analysis.outcomes import GAP
from sims_analysis.profiles.metadata import COLUMNS, FIELD, columns_of
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.profiles.wire import WIRE_FIELDS
from sims_analysis.text.arguments import type_error
from sims_analysis.units import NM_PER_MM, Unit, dequantify, read_number, read_unit, unit_of_kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import xarray as xr
    from numpy.typing import NDArray

    from sims_analysis.kernels.rows import Array


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
        raise type_error("data", data, "profiles are made of a Dataset of one measurement")
    ds = with_species_dimension(dequantify(data))
    axis = axis_of(ds)
    names = [name for name in vocabulary.QUANTITIES if name in ds]
    if not names:
        of_two = any(name in ds for name in vocabulary.RATIOS)
        no_profile = (
            ": a quantity of two species, not a profile of one; sims.save keeps it" * of_two
        )
        raise ProfileError(
            f"the Dataset has none of {', '.join(vocabulary.QUANTITIES)}; it has "
            f"{list_variables(ds)}{no_profile}",
            code="missing_variable",
        )
    if set(ds[names[0]].dims) != {"species", axis} or axis == POINT:
        raise ProfileError(
            f"expected dimensions (species, {'depth' if axis == POINT else axis}), found "
            f"{ds[names[0]].dims}; select one measurement first",
            code="wrong_dimensions",
        )
    ds = ds.transpose("species", axis, ...)
    rows = range(ds.sizes["species"])
    profiles = [_profile(_Series(ds, row, name, axis)) for row in rows for name in names]
    return [profile for profile in profiles if profile is not None]


class _Series:
    """One species in one variable of a Dataset, with its metadata as delivered."""

    def __init__(self, ds: xr.Dataset, row: int, name: str, axis: str) -> None:
        self.ds, self.row, self.name, self.axis = ds, row, name, axis
        self.texts, self.fields = _of_source(ds, row, name)
        #: Units in the Dataset, and in the profile.
        self.axis_units = _units(ds, axis, (axis,), self.texts.get("source_depth_units"))
        self.units = _units(ds, name, vocabulary.kinds(name), self.texts.get("source_units"))
        self.depth = self.axis_units[0].to_canonical(ds[axis].values)
        self.cells = cell_edges(ds, axis, row)

    def samples(self, end: str = "") -> Array | None:
        """Return the values, or an ancillary variable; None if there is none of the samples."""
        variable = self.ds.variables.get(f"{self.name}{end}")
        if variable is None or not np.ndim(variable.values[self.row]):
            return None
        return np.asarray(variable.values[self.row])

    def arrays(self, measured: NDArray[np.bool_]) -> dict[str, Array]:
        """Return the depths, the values and their standard errors."""
        z = self.depth[measured]
        arrays = {"depths": _restored(z, z, self.axis_units[1], self.fields.get("depths"))}
        for field, end in (("concentrations", ""), ("concentrations_stderr", "_stderr")):
            if (values := self.samples(end)) is not None:
                values = self.units[0].to_canonical(values)[measured]
                arrays[field] = _restored(z, values, self.units[1], self.fields.get(field))
        return arrays

    def columns(self, measured: NDArray[np.bool_]) -> dict[str, tuple[str, NDArray[Any]]]:
        """Return the unit and the values of each ancillary column."""
        columns: dict[str, tuple[str, NDArray[Any]]] = {}
        for end, unit in vocabulary.COLUMNS.items():
            column = self.ds.variables.get(f"{self.name}_{end}")
            if column is not None and not np.isnan(column.values[self.row]).all():
                values = np.broadcast_to(column.values[self.row], measured.shape)[measured]
                columns[end] = (unit, values) if unit else self._in_unit(values)
        stated = self.samples(f"_{vocabulary.QUALITY}")
        if stated is not None:
            flags = np.nan_to_num(stated[measured]).astype(np.int16)
            # In data as delivered, to_dataset finds the gaps again.
            if (flags & ~(0 if "steps" in {*self.ds.attrs, *self.ds.coords} else GAP)).any():
                columns[vocabulary.QUALITY] = "1", flags
        limit = self.samples(f"_{vocabulary.LIMIT}")
        if limit is not None and not np.isnan(limit[measured]).all():
            columns[vocabulary.LIMIT] = self._in_unit(limit[measured])
        where = {"species": self.ds["species"].values[self.row]}
        for end, shared in shared_columns(self.ds, self.name, where, measured.size):
            columns[end] = vocabulary.SHARED[end], shared[measured]
        if self.cells is not None:
            z_unit = self.axis_units[1]
            edges = zip(vocabulary.CELLS, self.cells[measured].T, strict=True)
            columns |= {side: (z_unit.text, z_unit.from_canonical(edge)) for side, edge in edges}
        return columns

    def _in_unit(self, values: Array) -> tuple[str, Array]:
        unit = self.units[1]
        return unit.text, np.asarray(unit.from_canonical(self.units[0].to_canonical(values)))


def _profile(series: _Series) -> DepthProfile | None:
    """Return a profile; None if it has no samples."""
    # The gaps apply only to the variable in the unit of the source.
    as_delivered = series.units[1].text == series.texts.get("source_units")
    gaps = series.fields.get("not_measured") if as_delivered else None
    measured = ~np.isnan(series.ds[series.name].values[series.row])
    if not measured.any() and gaps is None:
        return None
    limit = series.samples(f"_{vocabulary.LIMIT}")
    flags = series.samples(f"_{vocabulary.QUALITY}")
    if gaps is None and limit is not None:  # samples below a limit have no value
        measured |= ~np.isnan(limit)
    if gaps is None and flags is not None:  # nor have those in a gap
        measured |= np.nan_to_num(flags) != 0
    arrays: dict[str, Any] = series.arrays(measured)
    columns = series.columns(measured)
    if gaps is not None:
        columns.pop(vocabulary.LIMIT, None)  # it is among the fields of the source
        data = arrays | {end: values for end, (_, values) in columns.items()}
        data = _with_gaps(data, np.array(gaps), series.axis_units[1], series.depth, series.cells)
        columns = {end: (unit, data.pop(end)) for end, (unit, _) in columns.items()}
        arrays = data
    if np.isnan(arrays.get("concentrations_stderr", np.nan)).all():
        arrays.pop("concentrations_stderr", None)
    records = {end: {"units": unit, "values": _numbers(v)} for end, (unit, v) in columns.items()}
    extra = _other_fields(series.fields.get("extra", {}), arrays["depths"].size, records)
    extra = _with_position(extra, series.ds)
    keys = series.fields.get("keys", REFERENCE_KEYS if series.texts else ())
    identifiers = _identifiers(series.ds, series.row, series.texts)
    return DepthProfile(
        species_name=str(series.ds["species"].values[series.row]),
        depth_units=series.axis_units[1].text,
        concentration_units=series.units[1].text,
        species_metadata=_json(series.texts, "species_metadata"),
        extra=extra,
        _keys=_all_keys(keys, extra, arrays) if keys else (),
        **arrays,
        **{key: series.fields.get(key, text or None) for key, text in identifiers.items()},
    )


def _of_source(ds: xr.Dataset, row: int, name: str) -> tuple[dict[str, str], Any]:
    """Return the texts of a species in one variable, and its other fields as delivered."""
    texts = {
        coord: str(ds.variables[coord].values[row])
        for coord in COORDS
        if coord in ds.coords and ds.variables[coord].dims == ("species",)
    }
    fields = _json(texts, "wire_fields") or {}
    if name in fields.get("also", {}):
        # A species in several kinds of unit: this variable was a separate profile.
        texts = fields["also"][name]
        fields = _json(texts, "wire_fields") or {}
    return texts, fields


def _json(texts: dict[str, str], name: str) -> Any:
    """Read a coordinate that holds JSON; None for nothing."""
    try:
        return orjson.loads(texts.get(name) or "null")
    except orjson.JSONDecodeError:
        text = f"the coordinate {name} holds no JSON: {texts[name]!r}; keep notes in the attrs"
        raise ProfileError(text, argument=name) from None


def _identifiers(ds: xr.Dataset, row: int, texts: dict[str, str]) -> dict[str, str | None]:
    """Return the identifiers of a profile in the API."""
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
    """List the fields as delivered, and those added since."""
    keys = [key for key in delivered if key in WIRE_FIELDS or key in extra]
    stderr = ["concentrations_stderr"] if "concentrations_stderr" in arrays else []
    return tuple(dict.fromkeys([*keys, *stderr, *extra]))


def _numbers(column: Array) -> list[Any]:
    """Convert a column for JSON, which has no infinity (the error that is not known)."""
    return [None if np.isnan(v) else v if np.isfinite(v) else "inf" for v in column.tolist()]


def _other_fields(extra: dict[str, Any], samples: int, records: dict[str, Any]) -> dict[str, Any]:
    """Drop the columns whose length does not fit any more, because samples were left out."""
    stated = extra.get(COLUMNS)
    if not isinstance(stated, dict):
        return {**extra, COLUMNS: records} if records else extra
    fit = columns_of(extra, samples)
    valid = {
        name: column
        for name, column in stated.items()
        if name not in (*vocabulary.ANCILLARY, *vocabulary.CELLS)
        and (
            name in fit or not (isinstance(column, dict) and isinstance(column.get("values"), list))
        )
    } | records
    return {**extra, COLUMNS: valid} if valid else {k: v for k, v in extra.items() if k != COLUMNS}


def _with_position(extra: dict[str, Any], ds: xr.Dataset) -> dict[str, Any]:
    """Put the place on a wafer, where it is a coordinate, among the metadata of the measurement."""
    stated, changed = extra.get(FIELD, {}), {}
    for name in ("x", "y"):
        if name in ds.coords and ds[name].ndim == 0 and "units" in ds[name].attrs:
            unit = unit_of_kind(ds[name].attrs["units"], ("depth",), name)
            place = float(unit.to_canonical(float(ds[name]))) / NM_PER_MM
            earlier = stated.get(name)
            if earlier is None or read_number(earlier, ("depth",), name) / NM_PER_MM != place:
                changed[name] = f"{place:.12g} mm"
    return {**extra, FIELD: {**stated, **changed}} if changed else extra


def _units(
    ds: xr.Dataset, name: str, kinds: tuple[str, ...], source: str | None
) -> tuple[Unit, Unit]:
    """Return the unit in the Dataset, and that of the profile: the source's if of the same kind."""
    stated = unit_of_kind(ds[name].attrs.get("units"), kinds, name)
    if stated.text == "1":
        # The name of the variable says which fraction; in a profile, the unit must say it.
        stated = read_unit(stated.kind.replace("_", " "))
    if not source:
        return stated, stated
    unit = unit_of_kind(source, (*vocabulary.AXES, *vocabulary.VALUE_KINDS), name)
    # If a calibration has changed the kind since, the unit in the Dataset is the right one.
    return stated, unit if unit.kind == stated.kind else stated


def _restored(z: Array, canonical: Array, unit: Unit, delivered: list[list[float]] | None) -> Array:
    """Convert to the source unit; use the kept source numbers where rounding would change them."""
    values = np.array(unit.from_canonical(canonical))
    if not delivered or not z.size:
        return values
    depths, sources = np.array(delivered).T
    index = np.minimum(np.searchsorted(z, depths), z.size - 1)
    # Use a kept number only if its sample has not changed: if it still equals the converted
    # number, or (on a merged axis) is close to it.
    unchanged = unit.to_canonical(sources) == canonical[index]
    unchanged |= np.isclose(values[index], sources, rtol=1e-8, atol=0)
    unchanged &= z[index] == depths
    values[index[unchanged]] = sources[unchanged]
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
