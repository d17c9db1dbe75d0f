"""What was delivered, kept beside the Dataset; and the way back to it.

A Dataset holds canonical units on one common axis. Identifiers, metadata and source units stand
beside it as coordinates over species. Whatever these cannot carry (unknown fields, numbers that
a unit conversion rounds, samples that were not measured) stands in the coordinate
``wire_fields``, as JSON, so that :func:`to_profiles` gives back the very profiles.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from sims_analysis import vocabulary
from sims_analysis._variables import bare_variable
from sims_analysis.errors import ProfileError
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.profiles.wire import WIRE_FIELDS
from sims_analysis.units import Unit, dequantify, read_unit, unit_of_kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    import xarray as xr
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

__all__ = ["COORDS", "axis_of", "coords", "has_gaps", "to_profiles"]

#: Coordinate over species -> the wire field that it carries as text.
_TEXTS = {
    "profile_id": "id",
    "processed_data_id": "processed_data_id",
    "last_updated": "last_updated",
    "source_depth_units": "depth_units",
    "source_units": "concentration_units",
}
#: Every coordinate that describes a delivered profile rather than what is asked of it.
COORDS = (*_TEXTS, "species_metadata", "wire_fields")
_IDENTIFIERS = ("data_id", "id", "processed_data_id", "last_updated")
#: Keys of a profile object that holds what the reference names, no more and no less.
_REFERENCE_KEYS = WIRE_FIELDS[:-1]


def coords(
    profiles: list[DepthProfile],
    depths: list[Array],
    data_id: str,
    others: list[tuple[int, str, DepthProfile, Array]] | None = None,
) -> dict[str, xr.Variable]:
    """Give the coordinates over species that keep what the variables do not hold.

    Parameters
    ----------
    profiles : list of DepthProfile
    depths : list of ndarray
        For each profile, where its samples stand on the axis of the Dataset.
    data_id : str
        What the attrs of the Dataset say of all of them.
    others : list of tuple, optional
        Further profiles of a species, in other kinds of unit: the row of the species, the variable
        that holds their values, the profile, and its depths.
    """
    made: dict[str, xr.Variable] = {}
    for coord, wire_field in _TEXTS.items():
        values = [getattr(profile, wire_field) for profile in profiles]
        made[coord] = _text_coord("" if value is None else str(value) for value in values)
    made["species_metadata"] = _text_coord(_json(p.species_metadata, p) for p in profiles)
    rest = [_rest(p, data_id, z) for p, z in zip(profiles, depths, strict=True)]
    for row, name, profile, z in others or ():
        own = coords([profile], [z], data_id)
        rest[row].setdefault("also", {})[name] = {
            coord: str(variable.values[0]) for coord, variable in own.items()
        }
    if any(rest):
        made["wire_fields"] = _text_coord(
            _json(r, p) if r else "" for r, p in zip(rest, profiles, strict=True)
        )
    return made


def _text_coord(texts: Iterable[str]) -> xr.Variable:
    return bare_variable(("species",), np.array(list(texts), dtype=str))


def has_gaps(values: Array) -> bool:
    """Whether a sample was not measured (NaN), of values of which none is infinite."""
    # Squares cannot cancel: their sum is NaN only if one of them is.
    return math.isnan(np.dot(values, values))


def _json(value: Any, profile: DepthProfile) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        who = f"species {profile.species_name!r}"
        raise ProfileError(f"{who}: its metadata have no JSON form ({error})") from None


def _rest(profile: DepthProfile, data_id: str, z: Array) -> dict[str, Any]:
    """Collect what the texts and the canonical arrays cannot give back."""
    rest: dict[str, Any] = {}
    for name in _IDENTIFIERS:
        value = getattr(profile, name)
        text = data_id if name == "data_id" else value
        # numpy's text drops NUL characters at the end.
        told = text if isinstance(text, str) and text.rstrip("\0") == text != "" else None
        if value != told:
            rest[name] = value
    if profile.extra:
        rest["extra"] = profile.extra
    if profile._keys != _REFERENCE_KEYS:
        rest["keys"] = list(profile._keys)
    if z.size != profile.depths.size:
        # duplicates="mean": the user asked for fewer samples than were delivered.
        return rest
    if has_gaps(profile.concentrations):
        missing = np.isnan(profile.concentrations)
        rest["not_measured"] = np.sort(profile.depths[missing]).tolist()
    axis_unit = unit_of_kind(profile.depth_units, vocabulary.AXES, "depth_units")
    value_unit = unit_of_kind(profile.concentration_units, vocabulary.VALUE_KINDS, "units")
    for name, unit in (
        ("depths", axis_unit),
        ("concentrations", value_unit),
        ("concentrations_stderr", value_unit),
    ):
        source = getattr(profile, name)
        if source is None or _is_given_back(name, unit, z, source):
            continue
        source = source[np.argsort(profile.depths, kind="stable")]
        canonical = z if name == "depths" else unit.to_canonical(source)
        rounded = (unit.from_canonical(canonical) != source) & ~np.isnan(source)
        if rounded.any():
            rest[name] = np.column_stack([z, source])[rounded].tolist()
    return rest


def _is_given_back(name: str, unit: Unit, z: Array, source: Array) -> bool:
    """Whether numbers are the source's without a look at each: no unit has changed them."""
    if not unit.is_canonical:
        return False
    return name != "depths" or z is source or np.array_equal(z, source)


def to_profiles(ds: xr.Dataset) -> list[DepthProfile]:
    """Turn a Dataset of one measurement back into depth profiles.

    Parameters
    ----------
    ds : xarray.Dataset
        As :func:`to_dataset` gives it, quantified or not; one species or many.

    Returns
    -------
    list of DepthProfile
        One per species, in the units in which it was delivered, in order of depth; identifiers,
        metadata, unknown fields and samples that were not measured as delivered. A species with
        values in two units gives two profiles.

    Raises
    ------
    ProfileError
        If the Dataset holds several measurements, or no variable of a known name.

    See Also
    --------
    to_dataset : The way there.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> [profile.species_name for profile in sims.to_profiles(ds)]
    ['B', 'P']
    """
    ds = dequantify(ds)
    axis = axis_of(ds)
    if "species" not in ds.dims:
        kept = {c: ("species", [ds[c].values]) for c in COORDS if c in ds.coords}
        ds = ds.expand_dims("species").assign_coords(kept)
    names = [name for name in vocabulary.QUANTITIES if name in ds]
    if not names:
        raise ProfileError(
            f"the Dataset has none of {', '.join(vocabulary.QUANTITIES)}; it has "
            f"{', '.join(map(str, ds.data_vars)) or 'no variables'}"
        )
    if set(ds[names[0]].dims) != {"species", axis} or axis == "point":
        raise ProfileError(
            f"expected dimensions (species, {'depth' if axis == 'point' else axis}), found "
            f"{ds[names[0]].dims}; select one measurement first"
        )
    ds = ds.transpose("species", axis, ...)
    rows = range(ds.sizes["species"])
    found = [_profile(ds, row, name, axis) for row in rows for name in names]
    return [profile for profile in found if profile is not None]


def _profile(ds: xr.Dataset, row: int, name: str, axis: str) -> DepthProfile | None:
    """Give back one species in one variable; None if it has no samples there."""
    texts = {
        coord: str(ds[coord].values[row])
        for coord in COORDS
        if coord in ds.coords and ds[coord].dims == ("species",)
    }
    rest = orjson.loads(texts.get("wire_fields") or "{}")
    if name in rest.get("also", {}):
        # A species in several kinds of unit: this one has been a profile of its own.
        texts = rest["also"][name]
        rest = orjson.loads(texts.get("wire_fields") or "{}")
    axis_stated, axis_unit = _units(ds, axis, (axis,), texts.get("source_depth_units"))
    stated, unit = _units(ds, name, vocabulary.kinds(name), texts.get("source_units"))

    z = axis_stated.to_canonical(ds[axis].values)
    columns = {"concentrations": stated.to_canonical(ds[name].values[row])}
    if f"{name}_stderr" in ds:
        columns["concentrations_stderr"] = stated.to_canonical(ds[f"{name}_stderr"].values[row])
    measured = ~np.isnan(columns["concentrations"])
    # What was kept belongs to the variable that is in the unit of the source.
    gaps = rest.get("not_measured") if unit.text == texts.get("source_units") else None
    if not measured.any() and gaps is None:
        return None
    z_measured = z[measured]
    arrays: dict[str, Any] = {
        "depths": _given_back(z_measured, z_measured, axis_unit, rest.get("depths"))
    }
    for field, column in columns.items():
        arrays[field] = _given_back(z_measured, column[measured], unit, rest.get(field))
    if gaps is not None:
        arrays = _with_gaps(arrays, np.array(gaps), axis_unit, z)
    if np.isnan(arrays.get("concentrations_stderr", np.nan)).all():
        arrays.pop("concentrations_stderr", None)

    identifiers = {
        "data_id": ds.attrs.get("data_id"),
        "id": texts.get("profile_id"),
        "processed_data_id": texts.get("processed_data_id"),
        "last_updated": texts.get("last_updated"),
    }
    return DepthProfile(
        species_name=str(ds["species"].values[row]),
        depth_units=axis_unit.text,
        concentration_units=unit.text,
        species_metadata=orjson.loads(texts.get("species_metadata") or "null"),
        extra=rest.get("extra", {}),
        _keys=tuple(rest.get("keys", _REFERENCE_KEYS if texts else ())),
        **arrays,
        **{key: rest.get(key, text or None) for key, text in identifiers.items()},
    )


def _units(
    ds: xr.Dataset, name: str, kinds: tuple[str, ...], source: str | None
) -> tuple[Unit, Unit]:
    """Give the unit in the Dataset, and the one to give back: the source's if still of its kind."""
    stated = unit_of_kind(ds[name].attrs.get("units"), kinds, name)
    if not source:
        if stated.text == "1":
            # In the Dataset the variable's name says of what; a profile has only its unit for that.
            stated = read_unit(stated.kind.replace("_", " "))
        return stated, stated
    unit = unit_of_kind(source, (*vocabulary.AXES, *vocabulary.VALUE_KINDS), name)
    # A calibration since then has changed the kind: then the stated unit is the true one.
    return stated, unit if unit.kind == stated.kind else stated


def _given_back(z: Array, canonical: Array, unit: Unit, kept: list[list[float]] | None) -> Array:
    """Convert to the source unit; numbers that rounding would change come from what was kept."""
    values = unit.from_canonical(canonical)
    if not kept:
        return np.array(values)
    values = np.array(values)
    places, sources = np.array(kept).T
    position = np.searchsorted(z, places)
    for i, place, source in zip(position, places, sources, strict=True):
        # A kept number counts only for its own sample, and only if that is still what it was:
        # the number that it converts to, or (of an axis that was merged) one close by.
        if i < z.size and z[i] == place:
            same = unit.to_canonical(source) == canonical[i]
            if same or np.isclose(values[i], source, rtol=1e-8, atol=0):
                values[i] = source
    return values


def _with_gaps(arrays: dict[str, Array], gaps: Array, unit: Unit, axis: Array) -> dict[str, Array]:
    """Put the samples back that were not measured, as far as the Dataset still reaches them."""
    canonical = unit.to_canonical(gaps)
    gaps = gaps[(canonical >= axis[0]) & (canonical <= axis[-1])]
    depths = np.concatenate([arrays["depths"], gaps])
    order = np.argsort(depths, kind="stable")
    nothing = np.full(gaps.size, np.nan)
    with_gaps = {field: np.concatenate([a, nothing])[order] for field, a in arrays.items()}
    return {**with_gaps, "depths": depths[order]}


def axis_of(data: xr.Dataset | xr.DataArray | xr.Variable) -> str:
    """Name the dimension along which samples lie: depth, sputter_time, or point in a batch."""
    for axis in (*vocabulary.AXES, "point"):
        if axis in data.dims:
            return axis
    raise ProfileError(
        f"the data have no depth axis: expected a dimension depth, sputter_time or point, "
        f"found {tuple(data.dims)}"
    )
