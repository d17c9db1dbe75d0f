"""The data delivered with each species, kept in coordinates of a Dataset.

Identifiers, metadata and source units are coordinates over species. Whatever these and the
canonical arrays cannot hold (unknown fields, numbers that a unit conversion rounds, missing
samples) is in the coordinate ``wire_fields``, as JSON, so that :func:`sims_analysis.to_profiles`
restores exactly the same profiles.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import orjson

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import MEASUREMENT, order_of
from sims_analysis.errors import ProfileError
from sims_analysis.profiles.metadata import COLUMNS, FIELD, Metadata, columns_of
from sims_analysis.profiles.wire import WIRE_FIELDS
from sims_analysis.units import Data, read_number, unit_of_kind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import xarray as xr
    from numpy.typing import NDArray

    from sims_analysis.kernels.rows import Array
    from sims_analysis.profiles.profile import DepthProfile

    TextCoord = tuple[str, NDArray[Any]]

#: Coordinate over species -> the wire field that it holds as text.
_TEXTS = {
    "profile_id": "id",
    "processed_data_id": "processed_data_id",
    "last_updated": "last_updated",
    "source_depth_units": "depth_units",
    "source_units": "concentration_units",
}
#: Every coordinate that describes a delivered profile.
COORDS = (*_TEXTS, "species_metadata", "wire_fields")
#: Texts are kept one by one where an array of equal lengths is larger by this factor and so much.
_WASTE_FACTOR, _WASTE_SIZE = 4, 10_000
_IDENTIFIERS = ("data_id", "id", "processed_data_id", "last_updated")
#: Fields about samples that the arrays do not hold.
_OF_SAMPLES = {"not_measured", "depths", "concentrations", "concentrations_stderr"}
#: Keys of a profile object with exactly the fields of the reference.
REFERENCE_KEYS = WIRE_FIELDS[:-1]


def coords(
    placed: Iterable[tuple[int, str, DepthProfile, Array]], data_id: str
) -> dict[str, TextCoord]:
    """Return the coordinates over species with all of profiles that the variables do not hold.

    For each profile: the row of its species, the variable with its values, the profile, and the
    depths of its samples on the axis of the Dataset, whose attrs have the `data_id`. A species may
    have a concentration and an intensity: its first profile is the leading one.
    """
    texts: dict[int, dict[str, str]] = {}
    support: dict[int, dict[str, Any]] = {}
    leading: dict[int, DepthProfile] = {}
    for row, name, profile, z in placed:
        values = {coord: getattr(profile, field) for coord, field in _TEXTS.items()}
        strings = {coord: "" if value is None else str(value) for coord, value in values.items()}
        strings["species_metadata"] = _json(profile.species_metadata, profile)
        remaining = _rest(profile, data_id, z)
        if row not in texts:
            texts[row], support[row], leading[row] = strings, remaining, profile
            continue
        strings |= {"wire_fields": _json(remaining, profile)} if remaining else {}
        support[row].setdefault("also", {})[name] = strings
    rows = range(len(texts))
    columns = {coord: _text_coord(texts[row][coord] for row in rows) for coord in texts[0]}
    if any(support.values()):
        fields = (_json(support[row], leading[row]) if support[row] else "" for row in rows)
        columns["wire_fields"] = _text_coord(fields)
    return columns


def with_species_dimension(ds: xr.Dataset) -> xr.Dataset:
    """Turn the scalar species of data such as ``ds.sel(species="B")`` into a dimension.

    The flags of the samples and their limits of detection get it as well.
    """
    if "species" not in ds.dims:
        names = [name for name in COORDS if name in ds.coords]
        ds = ds.expand_dims("species")
        ds = ds.assign_coords({name: ds[name].expand_dims("species") for name in names})
    ends = vocabulary.QUALITY, vocabulary.LIMIT
    ancillary = {f"{name}_{end}" for name in vocabulary.MEASURED for end in ends} & {*ds.coords}
    scalars = {name: ds[name].variable for name in ancillary if "species" not in ds[name].dims}
    sizes = {"species": ds.sizes.get("species", 1)}
    return ds.assign_coords(
        {name: var.set_dims({**sizes, **var.sizes}) for name, var in scalars.items() if var.ndim}
    )


def stated_in_metadata(
    ds: xr.Dataset | xr.DataArray, key: str, read: Callable[[Any, str], float] | str
) -> xr.Variable | None:
    """Read the values of a key of the species' metadata, such as ``"0.99 s"``.

    NaN for species whose metadata lack the key, None if all do. `read` takes a value, and a name
    for messages; or it is the kind of a quantity.
    """
    if "species_metadata" not in ds.coords:
        return None
    texts = ds["species_metadata"].variable
    numbers = np.full(texts.shape, np.nan)
    for index, text in np.ndenumerate(texts.values):
        metadata = orjson.loads(str(text) or "null")
        if isinstance(metadata, dict) and metadata.get(key) is not None:
            value, name = metadata[key], f"species_metadata[{key!r}]"
            if isinstance(read, str):
                numbers[index] = read_number(value, (read,), name)
            else:
                numbers[index] = read(value, name)
    return None if np.isnan(numbers).all() else type(texts)(texts.dims, numbers)


def metadata_of(ds: xr.Dataset, species: str | None = None) -> list[Metadata]:
    """Return the metadata of a measurement, or of each of a batch, as delivered.

    Those of a species, where the species were merged from several measurements.
    """
    if MEASUREMENT not in ds.dims and isinstance(text := ds.attrs.get(FIELD), str):
        return [Metadata.from_dict(orjson.loads(text))]
    many = ds.sizes.get(MEASUREMENT, 1)
    if "wire_fields" not in ds.coords:
        return [Metadata()] * many
    texts_of_all = ds["wire_fields"].transpose(MEASUREMENT, ..., missing_dims="ignore")
    names = np.atleast_1d(ds["species"].values)
    first = names == species  # a species that was made of others has no metadata
    metadata = []
    for texts in texts_of_all.values.reshape(many, -1):
        stated = next(filter(None, map(_metadata_in, texts[first])), None)
        if stated is None:
            dicts = [d for d in map(_metadata_in, texts) if d]
            alike = dicts and (species is None or all(d == dicts[0] for d in dicts))
            stated = dicts[0] if alike else {}
        metadata.append(Metadata.from_dict(stated))
    return metadata


def _metadata_in(text: Any) -> Any:
    """Return the metadata of a measurement among the fields of a profile; None without any."""
    return orjson.loads(str(text)).get("extra", {}).get(FIELD) if text else None


def without_samples(ds: Data) -> Data:
    """Return data whose samples are not those delivered, without the fields about those."""
    if "wire_fields" not in ds.coords:
        return ds
    texts = ds["wire_fields"].variable
    strings = [_of_profile(str(text)) for text in texts.values.flat]
    if not any(strings):
        return ds.drop_vars("wire_fields")
    (_, flat) = _text_coord(strings)
    fields = type(texts)(texts.dims, flat.reshape(texts.shape), texts.attrs)
    return ds.assign_coords(wire_fields=fields)


def _of_profile(text: str) -> str:
    """Return the fields of a profile, without those about its samples."""
    fields = {key: v for key, v in orjson.loads(text or "{}").items() if key not in _OF_SAMPLES}
    if "extra" in fields:
        fields["extra"] = {key: v for key, v in fields["extra"].items() if key != COLUMNS}
    for other in fields.get("also", {}).values():
        other["wire_fields"] = _of_profile(other.get("wire_fields", ""))
    return orjson.dumps(fields).decode() if fields else ""


def _text_coord(texts: Iterable[str]) -> TextCoord:
    strings = list(texts)
    longest, total = max(map(len, strings), default=0), sum(map(len, strings))
    # An array of texts has as much room for each as for the longest.
    kind = object if longest * len(strings) > _WASTE_FACTOR * max(total, _WASTE_SIZE) else str
    return "species", np.array(strings, dtype=kind)


def _json(value: Any, profile: DepthProfile) -> str:
    try:
        return orjson.dumps(value).decode()
    except TypeError as error:
        subject = f"species {profile.species_name!r}"
        raise ProfileError(
            f"{subject}: its metadata have no JSON form ({error})",
            code="invalid_metadata",
            where={"species": profile.species_name},
        ) from None


def _rest(profile: DepthProfile, data_id: str, z: Array) -> dict[str, Any]:
    """Collect the fields that cannot be restored from the texts and the canonical arrays."""
    remaining: dict[str, Any] = {}
    for name in _IDENTIFIERS:
        value = getattr(profile, name)
        text = data_id if name == "data_id" else value
        # numpy strips trailing NUL characters from text.
        stored = text if isinstance(text, str) and text.rstrip("\0") == text != "" else None
        if value != stored:
            remaining[name] = value
    if profile.extra:
        remaining["extra"] = _in_order(profile.extra, profile.depths)
    if profile._keys != REFERENCE_KEYS:
        remaining["keys"] = list(profile._keys)
    if z.size != profile.depths.size:
        # duplicates="mean" leaves fewer samples than were delivered.
        return remaining
    missing = np.isnan(profile.concentrations)
    if missing.any():
        remaining["not_measured"] = np.sort(profile.depths[missing]).tolist()
    axis_unit = unit_of_kind(profile.depth_units, vocabulary.AXES, "depth_units")
    value_unit = unit_of_kind(profile.concentration_units, vocabulary.VALUE_KINDS, "units")
    for name, unit in (
        ("depths", axis_unit),
        ("concentrations", value_unit),
        ("concentrations_stderr", value_unit),
    ):
        source = getattr(profile, name)
        if source is None:
            continue
        canonical = z if name == "depths" else unit.to_canonical(source)
        if canonical is source:  # was not converted
            continue
        order = order_of(profile.depths)
        source = source[order]
        if name != "depths":
            canonical = canonical[order]
        rounded = (unit.from_canonical(canonical) != source) & ~np.isnan(source)
        if rounded.any():
            remaining[name] = np.column_stack([z, source])[rounded].tolist()
    return remaining


def _in_order(extra: dict[str, Any], depths: Array) -> dict[str, Any]:
    """Sort the ancillary columns by depth."""
    columns = columns_of(extra, depths.size)
    if not columns:
        return extra
    order = order_of(depths)
    sorted_ = {
        name: {**column, "values": [column["values"][i] for i in order]}
        for name, column in columns.items()
    }
    return {**extra, COLUMNS: {**extra[COLUMNS], **sorted_}}
