"""Units in, kernel, units out: the one way from a user's data to a kernel and back.

A :class:`Frame` is one variable of the user's data with its axis, in canonical units, the samples
along the last dimension. :meth:`Frame.map` runs a kernel over it, at once on numpy and lazily on
Dask. :meth:`Frame.array` dresses a result: the leading dimensions and coordinates of the input,
attrs from the vocabulary, and the kind (plain or quantified) in which the data came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis._variables import bare_dataset, bare_index, bare_variable, data_of
from sims_analysis.analysis._compact import compact
from sims_analysis.analysis._errors import are_many, errors_of, mapped_in_parts
from sims_analysis.analysis._finite import answered
from sims_analysis.analysis._lazily import mapped_lazily
from sims_analysis.analysis._parameters import aligned, as_slice, fitting
from sims_analysis.analysis._status import status_words
from sims_analysis.errors import ProfileError
from sims_analysis.kernels import windows
from sims_analysis.kernels.rows import precision

__all__ = ["Frame"]


@dataclass(frozen=True)
class Frame:
    """One variable with its axis, in canonical units.

    Parameters
    ----------
    name, kind : str
        The variable, and what its unit measures.
    value : xarray.Variable
        Samples along the last dimension.
    depth : xarray.Variable
        The axis: of one dimension, or of the dimensions of `value` where each profile has its own.
    stderr, counts : xarray.Variable or None
        Standard errors of the samples, and the counts that they come from.
    axis : str
        ``"depth"`` or ``"sputter_time"``.
    coords, along : dict
        Coordinates that do not run along the axis, and those that do.
    quantified : bool
        Whether the data came as pint Quantities.
    """

    name: str
    kind: str
    value: xr.Variable
    depth: xr.Variable
    stderr: xr.Variable | None
    counts: xr.Variable | None
    axis: str
    coords: Mapping[Any, xr.Variable]
    along: Mapping[Any, xr.Variable]
    quantified: bool
    #: Indexes of the coordinates, so that results need none made anew.
    indexes: Mapping[Any, Any] = field(default_factory=dict)
    #: Independent samples for each depth, where the profiles were brought to a finer grid.
    independent: xr.Variable | None = None
    #: Dimensions that a kernel takes whole, if more than that of the samples.
    core: tuple[str, ...] = ()
    #: Whether the standard errors are those that a sum takes.
    summed: bool = False
    #: Places after the last sample that are there for longer profiles, and are left out.
    padding: int = 0
    #: Coordinates of the dimensions that parameters bring; filled as these are read.
    brought: dict[Any, xr.Variable] = field(default_factory=dict)

    @cached_property
    def dim(self) -> str:
        """The dimension along which samples lie."""
        return str(self.value.dims[-1])

    @cached_property
    def lead(self) -> tuple[str, ...]:
        """The dimensions that count profiles."""
        return tuple(map(str, self.value.dims[: -max(1, len(self.core))]))

    @property
    def lazy(self) -> bool:
        """Whether the values are Dask chunks."""
        return hasattr(self.value._data, "chunks")

    @property
    def units(self) -> str:
        """The canonical unit of the values."""
        return units.CANONICAL[self.kind]

    def for_sums(self) -> Frame:
        """Give the frame with the standard errors that a sum over samples takes.

        The unbiased estimate of the variance of a Poisson count is the count itself: where
        nothing was counted, a sum must add no variance, although the sample alone is not known
        without error. The errors are made where :meth:`map` needs them.
        """
        return replace(self, summed=self.stderr is not None and self.counts is not None)

    def measured(self, least: int = 1) -> xr.Variable:
        """Tell, of data in memory, the profiles of so many samples or more."""
        depth, value = (np.asarray(data_of(column)) for column in (self.depth, self.value))
        return bare_variable(self.lead, windows.measured(depth, value, least))

    @property
    def precision(self) -> Any:
        """Type of a result that is as large as the data: float32 for float32, else float64."""
        return precision(self.value)

    def parameter(
        self, value: Any, kinds: tuple[str, ...], name: str, *, absent: float = np.nan
    ) -> xr.Variable:
        """Read an argument with a unit: text, Quantity, or a DataArray of one value a profile.

        Returns
        -------
        xarray.Variable
            In the canonical unit; without dimensions for a scalar.
        """
        if value is None:
            return bare_variable((), np.array(absent))
        if isinstance(value, xr.DataArray):
            if self.dim in value.dims:
                raise ProfileError(
                    f"{name} must not run along {self.dim!r}: it is one value a profile"
                )
            value = fitting(aligned(value, self.coords, name), self.value.sizes, name)
            magnitude, unit = units.magnitude_and_unit(value, kinds, name)
            new = [d for d in value.dims if d not in self.value.dims and d in value.coords]
            self.brought.update({d: value.coords[d].variable for d in new})
            if not self.lazy:  # the answer is not lazy either: once is enough
                magnitude = np.asarray(magnitude)
            return xr.Variable(value.dims, unit.to_canonical(magnitude.astype(np.float64)))
        magnitude, _ = units.read_quantity(value, kinds, name)
        if np.ndim(magnitude):
            raise ProfileError(
                f"{name} holds {np.size(magnitude)} values; give a DataArray whose dimension "
                "says what they belong to"
            )
        return bare_variable((), np.array(magnitude))

    def spread(self, *parameters: xr.Variable) -> Frame:
        """Add the dimensions that parameters bring (a level for each of several levels...)."""
        new: dict[Any, int] = {}
        for parameter in (p for p in parameters if p._dims):
            new.update({d: n for d, n in parameter.sizes.items() if d not in self.value.dims})
        if not new:
            return self
        sizes = {**dict(zip(self.lead, self.value.shape, strict=False)), **new}
        full = {**sizes, self.dim: self.value.sizes[self.dim]}

        def spread(variable: xr.Variable) -> xr.Variable:
            wide: xr.Variable = variable.set_dims(full)
            return wide.transpose(*full)

        return replace(
            self,
            value=spread(self.value),
            depth=self.depth if self.depth.ndim == 1 else spread(self.depth),
            stderr=None if self.stderr is None else spread(self.stderr),
            counts=None if self.counts is None else spread(self.counts),
        )

    def map(
        self,
        kernel: Callable[..., Any],
        *parameters: xr.Variable,
        outputs: Sequence[tuple[Mapping[str, int], Any]],
        stderr: bool | Literal["each"] = False,
        within: tuple[xr.Variable, xr.Variable] | None = None,
        **options: Any,
    ) -> list[xr.Variable]:
        """Run a kernel on ``(depth, value[, stderr], *parameters)``.

        Parameters
        ----------
        kernel : callable
            Returns a tuple of arrays of the leading shape (and further dimensions).
        *parameters : xarray.Variable
            Of the frame's leading dimensions, or fewer; dimensions of their own come last.
        outputs : sequence of (sizes, dtype)
            For each output, the dimensions that come after the leading ones, and its dtype.
        stderr : bool or "each"
            Whether the kernel takes standard errors, or None where there are none: those that
            sums and fits take, or those of each value alone.
        within : tuple of Variable, optional
            Limits of an integral.
        """
        columns = [self.value]
        if stderr and self.stderr is not None:
            each = stderr == "each"
            if are_many(self, each=each):
                options |= {"outputs": outputs, "stderr": stderr, "within": within}
                return mapped_in_parts(self, kernel, parameters, options)
            columns.append(errors_of(self, each=each))
        if self.lazy:
            return mapped_lazily(
                self, kernel, columns, parameters, outputs, stderr=bool(stderr), options=options
            )
        samples = [np.asarray(data_of(column)) for column in (self.depth, *columns)]
        new = (sizes for sizes, _ in outputs)
        along = set(self.core).union(*new, *(p.dims for p in parameters))
        if self.dim not in along:
            limits = (np.nan, np.nan)
            if within is not None and not (within[0]._dims or within[1]._dims):
                limits = float(data_of(within[0])), float(data_of(within[1]))
            kernel, samples = compact(kernel, *samples, within=limits)
        missing = [None] if stderr and self.stderr is None else []
        arguments = (*samples, *missing, *map(self._shaped, parameters))
        found = answered(self, kernel, outputs, arguments, options)
        return [
            bare_variable((*self.lead, *sizes), array)
            for (sizes, _), array in zip(outputs, found, strict=True)
        ]

    def isel(self, dim: str, index: Sequence[int]) -> Frame:
        """Select profiles along one of the leading dimensions; all of them are not copied."""
        size = self.value.sizes[dim]
        if len(index) == size and list(index) == list(range(size)):
            return self
        chosen = as_slice(list(index))

        def pick(variable: xr.Variable | None) -> Any:
            if variable is None or dim not in variable.dims:
                return variable
            return variable.isel({dim: chosen})

        return replace(
            self,
            value=pick(self.value),
            depth=pick(self.depth),
            stderr=pick(self.stderr),
            counts=pick(self.counts),
            independent=pick(self.independent),
            coords={name: pick(coord) for name, coord in self.coords.items()},
            indexes={
                name: found
                for name, found in self.indexes.items()
                if dim not in {**self.coords, **self.along}[name].dims
            },
        )

    def map_species(
        self, kernel: Callable[..., Any], *parameters: xr.Variable, **options: Any
    ) -> Any:
        """Run a kernel that takes all species of a measurement at once: arrays ``(..., s, n)``.

        The results have the leading dimensions without ``species``.
        """
        order = (*(d for d in self.lead if d != "species"), "species", self.dim)
        joined = replace(
            self,
            value=self.value.transpose(*order),
            depth=self.depth if self.depth.ndim == 1 else self.depth.transpose(*order),
            stderr=None if self.stderr is None else self.stderr.transpose(*order),
            core=("species", self.dim),
        )
        return joined.map(kernel, *parameters, stderr=True, **options)

    def own_dims(self, parameter: xr.Variable) -> list[Any]:
        """List the dimensions of a parameter that do not count profiles."""
        return [d for d in parameter.dims if d not in self.lead]

    def _shaped(self, parameter: xr.Variable) -> Any:
        """Give a parameter the leading dimensions, in their order, before its own."""
        if not parameter._dims:
            return float(data_of(parameter))
        own = self.own_dims(parameter)
        if parameter.ndim == len(own):
            return np.asarray(parameter.data)
        missing = {d: 1 for d in self.lead if d not in parameter.dims}
        shaped = parameter.set_dims({**missing, **parameter.sizes}).transpose(*self.lead, *own)
        return np.asarray(shaped.data)

    def array(
        self,
        values: xr.Variable,
        name: str,
        *,
        units_: str | None = None,
        coords: Mapping[str, xr.Variable] | None = None,
        label: str | None = None,
    ) -> xr.DataArray:
        """Dress a result.

        Parameters
        ----------
        values : xarray.Variable
            In the canonical unit.
        name : str
            Key of ``vocabulary.TERMS``.
        units_ : str, optional
            A canonical unit in place of the term's own.
        coords : mapping, optional
            More coordinates (``status``...).
        label : str, optional
            Name of the DataArray, by default `name`.
        """
        variable = self.dressed(values, name, units_=units_)
        kept, indexes = self._kept(variable, coords or {})
        name = label or name
        if indexes is None:
            return xr.DataArray(variable, coords=kept, name=name)
        # The checks, and a new index of the same labels, would take longer than the answer.
        return xr.DataArray(variable, coords=kept, name=name, indexes=indexes, fastpath=True)

    def dataset(
        self, variables: Mapping[str, xr.Variable], *, coords: Mapping[str, xr.Variable]
    ) -> xr.Dataset:
        """Put dressed variables of the same dimensions into a Dataset."""
        kept, indexes = self._kept(next(iter(variables.values())), coords)
        if indexes is None:
            return xr.Dataset(variables, coords=kept)
        # Aligning and merging what is known to fit would take most of the call.
        return bare_dataset(variables, kept, indexes)

    def dressed(self, values: xr.Variable, name: str, *, units_: str | None = None) -> xr.Variable:
        """Give a result its attrs, and the kind (plain or quantified) in which the data came."""
        attrs = vocabulary.attrs(name, units_)
        data = data_of(values)
        if self.quantified and "units" in attrs:
            wrapped = units.as_quantity(data, attrs["units"])
            if wrapped is not data:
                data = wrapped
                attrs.pop("units")
        return bare_variable(values.dims, data, attrs)

    def _kept(
        self, variable: xr.Variable, coords: Mapping[str, xr.Variable]
    ) -> tuple[dict[Any, xr.Variable], dict[Any, Any] | None]:
        """Choose the coordinates of a result, and their indexes; None if some must be made."""
        dims = set(variable.dims)
        kept = {
            key: coord
            for key, coord in {**self.coords, **self.brought, **self._in_kind(coords)}.items()
            if dims.issuperset(coord.dims)
        }
        # Of the same coordinate, that is: a parameter may have brought another of this name.
        indexes = {
            key: self.indexes[key]
            for key, coord in kept.items()
            if key in self.indexes and coord is self.along.get(key, self.coords.get(key))
        }
        for key in [key for key in kept if key in dims and key not in indexes]:
            coord = kept[key]
            labels = coord._data
            if coord.dims != (key,) or type(labels) is not np.ndarray or labels.dtype.kind != "f":
                return kept, None
            kept[key], indexes[key] = bare_index(key, labels, coord.attrs)
        return kept, indexes

    def _in_kind(self, coords: Mapping[Any, xr.Variable]) -> Mapping[Any, xr.Variable]:
        """Give the coordinates of an answer the kind in which the data came, but for indexes."""
        if not self.quantified:
            return coords
        return {
            key: coord
            if coord.dims == (key,) or coord is self.along.get(key)
            else units.quantified_variable(coord)
            for key, coord in coords.items()
        }

    def along_axis(self, values: xr.Variable, name: str, **options: Any) -> xr.DataArray:
        """Dress a result that has a value at every sample."""
        coords = {**self.along, **options.pop("coords", {})}
        values = self.padded(values)
        return self.array(values, name, coords=coords, **options)

    def padded(self, values: xr.Variable) -> xr.Variable:
        """Put back the places that were left out after the last sample."""
        if not self.padding:
            return values
        nothing: Any = False if values.dtype == bool else np.nan
        whole: xr.Variable = values.pad({self.dim: (0, self.padding)}, constant_values=nothing)
        return whole

    def status(self, codes: xr.Variable) -> xr.Variable:
        """Turn status codes into words, lazily where they are lazy."""
        return bare_variable(codes.dims, status_words(data_of(codes)), vocabulary.attrs("status"))

    def label(self, *indexers: int) -> str:
        """Name a profile by its coordinates, for messages."""
        parts = []
        for dim, index in zip((*self.lead, *self.core), indexers, strict=False):
            coord = self.coords.get(dim)
            value = index if coord is None else coord.values[index]
            parts.append(f"{dim} {str(value)!r}")
        if not parts and "species" in self.coords and self.coords["species"].ndim == 0:
            parts.append(f"species {str(self.coords['species'].values)!r}")
        return ", ".join(parts) or "the profile"
