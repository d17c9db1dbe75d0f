"""Arguments: read with their units once, and aligned with the profiles of the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units
from sims_analysis.conventions.axes import AXIS_TOLERANCE
from sims_analysis.conventions.canonical import known_species, refuse_repeated
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError, about
from sims_analysis.frame.run import is_lazy
from sims_analysis.text.arguments import first_few


@dataclass(frozen=True)
class Stated:
    """An argument in the canonical unit of its kind, not yet aligned with the data."""

    kind: str
    #: One number, one for each label of a dimension, or those of some species.
    value: float | xr.DataArray | Mapping[Any, Stated]


def read_stated(value: Any, kinds: tuple[str, ...], name: str) -> Stated:
    """Read an argument as :meth:`Profiles.parameter` does, of data that are not known yet."""
    if isinstance(value, Stated):
        return value
    if isinstance(value, Mapping):
        if not value:
            text = f"{name} is empty; give a value for at least one species"
            raise ProfileError(text, argument=name)
        items = {key: read_stated(item, kinds, f"{name}[{key!r}]") for key, item in value.items()}
        present = sorted({item.kind for item in items.values()})
        if len(present) != 1:
            mixed = " and ".join(sorted(units.CANONICAL[kind] for kind in present))
            raise UnitsError(f"{name} mixes {mixed}; expected one kind of value", argument=name)
        return Stated(present[0], items)
    if isinstance(value, xr.DataArray):
        variable, unit = units.to_canonical_variable(value, kinds, name, np.float64)
        return Stated(unit.kind, xr.DataArray(variable, coords=value.coords))
    number, unit = units.read_quantity(value, kinds, name)
    return Stated(unit.kind, number)


def read_points(
    value: Any, kinds: tuple[str, ...], name: str, along: str
) -> xr.DataArray | xr.Variable:
    """Read one depth, or several along `along`: strings with a unit, a Quantity, or a DataArray."""
    if isinstance(value, xr.DataArray):
        variable, _ = units.to_canonical_variable(value, kinds, name, np.float64)
        return xr.DataArray(variable, coords=value.coords)
    if isinstance(value, np.ndarray):
        unit = units.CANONICAL[kinds[0]]
        raise UnitsError(
            f"{name} is an array without a unit: give strings, ['10 {unit}', '20 {unit}'], or "
            f'xr.DataArray(depths, dims="{along}", attrs={{"units": "{unit}"}})',
            code="missing_unit",
        )
    if isinstance(value, list | tuple):
        values: Any = [units.read_number(d, kinds, f"{name}[{i}]") for i, d in enumerate(value)]
    else:
        values, _ = units.read_quantities(value, kinds, name)
    return xr.Variable([along] * np.ndim(values), np.asarray(values, dtype=np.float64))


@dataclass(frozen=True, kw_only=True)
class Profiles:
    """Profiles to align arguments with: samples along an axis, and the labels of the profiles."""

    #: Samples along the last dimension.
    value: xr.Variable
    #: The axis: one-dimensional, or with the dimensions of `value` if each profile has its own.
    depth: xr.Variable
    #: ``"depth"`` or ``"sputter_time"``.
    axis: str
    #: Coordinates without the dimension of the samples.
    coords: Mapping[Any, xr.Variable]
    #: Coordinates of dimensions that only parameters have; :meth:`parameter` adds them.
    argument_coords: dict[Any, xr.Variable] = field(default_factory=dict)
    #: The name of the object with the profiles, for messages.
    whose: str = "the data"

    @property
    def dim(self) -> str:
        """The dimension of the samples."""
        return str(self.value.dims[-1])

    @property
    def lead(self) -> tuple[str, ...]:
        """The dimensions over profiles: all but that of the samples."""
        return tuple(map(str, self.value.dims[:-1]))

    @property
    def sizes(self) -> dict[str, int]:
        """Sizes of the dimensions over profiles."""
        return {d: self.value.sizes[d] for d in self.lead}

    @property
    def lazy(self) -> bool:
        """Whether the values are a Dask array."""
        return is_lazy(self.value)

    @property
    def axis_units(self) -> str:
        """The canonical unit of the axis."""
        return units.CANONICAL[self.axis]

    def species(self, *required: Any, name: str = "species") -> list[str]:
        """List the species; `required` ones, of the argument `name`, must be among them."""
        return known_species(self.coords.get("species"), *required, name=name)

    def of_species(self, *names: str) -> xr.Variable:
        """Flag the profiles of some species."""
        labels = self.coords.get("species", xr.Variable((), ""))
        return xr.Variable(labels.dims, np.isin(labels.values.astype(str), names))

    def parameter(
        self,
        value: Any,
        kinds: tuple[str, ...],
        name: str,
        *,
        unknown: float = np.nan,
        along: bool = False,
        alone: bool = False,
    ) -> xr.Variable:
        """Read an argument with a unit: text, a Quantity, a DataArray, or one for each species.

        A DataArray is aligned by the labels of its dimensions (and by depth, if it may run `along`
        the samples); other dimensions become those of the result. None is NaN; NaN, and species
        that a mapping leaves out, are `unknown`. A DataArray with a scalar coordinate ``species``
        may be for that species `alone`.
        """
        if value is None:
            return xr.Variable((), np.nan)
        if alone and isinstance(value, xr.DataArray) and "species" in value.coords:
            of_one = value["species"].ndim == 0
            value = {str(value["species"].values): value} if of_one else value
        with about(argument=name):
            stated = read_stated(value, kinds, name).value
            if isinstance(stated, Mapping):
                return self._by_species(stated, name, unknown, along=along)
            return self._of_profiles(stated, name, unknown, along=along)

    def _of_profiles(
        self, value: float | xr.DataArray, name: str, unknown: float, *, along: bool
    ) -> xr.Variable:
        """Align an argument with all profiles."""
        if not isinstance(value, xr.DataArray):
            return xr.Variable((), unknown if np.isnan(value) else value)
        if self.dim in value.dims and not along:
            raise ProfileError(
                f"{name} must not have the dimension {self.dim!r}; give one value for each profile",
                code="wrong_dimensions",
            )
        for d in value.dims:
            if d not in self.value.dims and d in value.coords and d not in self.coords:
                self.argument_coords[d] = value.coords[d].variable
        aligned = self.aligned(value, name, along=along)
        filled: xr.Variable = xr.Variable(aligned.dims, aligned.data).fillna(unknown)
        return filled if self.lazy else filled.load()

    def _by_species(
        self, stated: Mapping[Any, Stated], name: str, unknown: float, *, along: bool
    ) -> xr.Variable:
        """Align an argument that a mapping states for some species."""
        names = self.species(*stated, name=name)
        aligned = {}
        for key, item in stated.items():
            value: Any = item.value
            if isinstance(value, xr.DataArray) and "species" in value.coords:
                label = value["species"].values
                if str(label) != key:
                    raise SpeciesError(f"{name}[{key!r}] is that of {str(label)!r}", argument=name)
                value = value.drop_vars("species")
            aligned[key] = self._of_profiles(value, f"{name}[{key!r}]", unknown, along=along)
        sizes = {d: n for item in aligned.values() for d, n in item.sizes.items()}
        absent = xr.Variable((), unknown)
        columns = [aligned.get(item, absent).set_dims(sizes) for item in names]
        single = self.coords["species"].ndim == 0
        result: xr.Variable = columns[0] if single else xr.Variable.concat(columns, "species")
        return result

    def points(self, value: Any, name: str) -> xr.Variable:
        """Read the depths (times) of a question: one, a list, or each profile's own."""
        with about(argument=name):
            depths = read_points(value, (self.axis,), name, self.axis)
            if isinstance(depths, xr.DataArray):
                depths = self.aligned(depths, name)
        dims = [self.axis if d == self.dim else d for d in depths.dims]
        return xr.Variable(dims, depths.data if self.lazy else depths.values)

    def aligned(self, value: xr.DataArray, name: str, *, along: bool = False) -> xr.DataArray:
        """Align an argument with the profiles by labels; with `along`, also with their samples.

        If the data have a single label (after ``.sel``), its value is selected.
        """
        for dim in [d for d in value.dims if d in value.indexes]:
            if dim in self.coords or (along and dim == self.axis == self.dim):
                value = self._selected(value, name, dim)
        for dim in value.dims:
            if dim in self.coords and self.coords[dim].ndim == 0:
                alone = repr(str(self.coords[dim].values))
                raise self._unlabelled(value, name, dim, f"are those of {alone} alone")
        for dim, size in (self.value.sizes if along else self.sizes).items():
            if value.sizes.get(dim, size) != size:
                raise self._unlabelled(value, name, dim, str(size))
        return value

    def _selected(self, value: xr.DataArray, name: str, dim: Any) -> xr.DataArray:
        """Select the values of an argument for the labels of the data, or for their samples."""
        index = value.indexes[dim]
        refuse_repeated(index.tolist(), f"{name}: {dim}")
        if dim == self.axis:
            return value.isel({dim: self._at_samples(value[dim], name)}, drop=True)
        coord = self.coords[dim]
        labels = np.atleast_1d(coord.values)
        positions = index.get_indexer(labels)
        missing = sorted({str(label) for label in labels[positions < 0]})
        if missing:
            listed = first_few([repr(str(label)) for label in index], 8)
            raise ProfileError(
                f"{name} has no value for {dim} {missing}; it has {listed}", code="missing_value"
            )
        return value.isel({dim: positions if coord.ndim else positions[0]}, drop=True)

    def _unlabelled(self, value: xr.DataArray, name: str, dim: Any, actual: str) -> ProfileError:
        return ProfileError(
            f"{name} has {value.sizes[dim]} values along {str(dim)!r}, and {self.whose} {actual}; "
            f"give it a coordinate {str(dim)!r} that says which value belongs to which",
            code="wrong_dimensions",
        )

    def _at_samples(self, coord: xr.DataArray, name: str) -> Any:
        """Find the samples of the data on the axis of an argument, within rounding."""
        index: Any = coord.to_index()
        if "units" in coord.attrs:
            what = f"{name}: {self.axis}"
            variable, _ = units.to_canonical_variable(coord, (self.axis,), what, np.float64)
            index = type(index)(variable.values)
        depths = np.asarray(self.depth.values)
        within: dict[str, Any] = {}
        if index.is_monotonic_increasing:
            within = {"method": "nearest", "tolerance": AXIS_TOLERANCE * float(np.ptp(depths))}
        positions = index.get_indexer(depths, **within)
        if (positions < 0).any():
            listed = first_few([str(place) for place in depths[positions < 0]], 3)
            raise ProfileError(
                f"{name} has no value for {self.axis} {listed} {self.axis_units}",
                code="missing_value",
            )
        return positions
