"""From the user's data to a kernel and back.

A :class:`Frame` is one variable of the user's data with its axis, in canonical units, with the
samples along the last dimension. :meth:`Frame.parameter` reads an argument, and :meth:`Frame.map`
runs a kernel over the profiles, eagerly on numpy and lazily on Dask. :meth:`Frame.array` and
:meth:`Frame.dataset` give results the leading dimensions and coordinates of the data;
:meth:`Frame.with_attrs` gives them attrs from the vocabulary, plain or quantified as the data were.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.dataset.canonical import read_number, refuse_repeated
from sims_analysis.errors import ProfileError
from sims_analysis.frame.run import is_lazy, refuse_infinite, run
from sims_analysis.kernels.blocks import InfiniteSampleError
from sims_analysis.kernels.rows import ends

_WORDS = np.array(vocabulary.STATUS)


@dataclass(frozen=True)
class Frame:
    """One variable with its axis, in canonical units."""

    name: str
    kind: str
    #: Samples along the last dimension.
    value: xr.Variable
    #: The axis: one-dimensional, or with the dimensions of `value` if each profile has its own.
    depth: xr.Variable
    #: Standard errors of the samples, and the counts they are derived from.
    stderr: xr.Variable | None
    counts: xr.Variable | None
    #: ``"depth"`` or ``"sputter_time"``.
    axis: str
    #: Coordinates without the dimension of the samples, and those with it.
    coords: Mapping[Any, xr.Variable]
    along: Mapping[Any, xr.Variable]
    #: Whether the data were pint Quantities.
    quantified: bool
    #: Effective sample fraction: below 1 if the profiles were interpolated to a finer grid.
    fraction: xr.Variable
    #: Standard error of a subtracted background at each sample, and the covariance of sample and
    #: background over the variance of the background: see ``background.py``.
    common: xr.Variable | None = None
    overlap: xr.Variable | None = None
    #: Coordinates of dimensions that only parameters have; :meth:`parameter` adds them.
    brought: dict[Any, xr.Variable] = field(default_factory=dict)

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
    def term(self) -> str:
        """The term of the variable in ``vocabulary.TERMS``, or that of its kind."""
        return self.name if self.name in vocabulary.TERMS else vocabulary.name_of(self.kind)

    @property
    def units(self) -> str:
        """The canonical unit of the values."""
        return units.CANONICAL[self.kind]

    @property
    def axis_units(self) -> str:
        """The canonical unit of the axis."""
        return units.CANONICAL[self.axis]

    @property
    def precision(self) -> Any:
        """Dtype of a result as large as the data: float32 for float32, otherwise float64."""
        dtype = self.value.dtype
        return np.float32 if dtype.kind == "f" and dtype.itemsize == 4 else np.float64

    def parameter(
        self, value: Any, kinds: tuple[str, ...], name: str, *, unknown: float = np.nan
    ) -> xr.Variable:
        """Read an argument with a unit: text, a Quantity, or a DataArray.

        Parameters
        ----------
        value : str, Quantity, DataArray or None
            A DataArray has one value for each profile, and is aligned by the labels of its
            dimensions; other dimensions become dimensions of the result. None is NaN.
        kinds : tuple of str
            Acceptable kinds of unit.
        name : str
            Name of the argument, for messages.
        unknown : float
            Value for NaN in a DataArray (a limit at a junction that was not found).

        Returns
        -------
        Variable
            In the canonical unit; without dimensions for a scalar.
        """
        if value is None:
            return xr.Variable((), np.nan)
        if not isinstance(value, xr.DataArray):
            return xr.Variable((), float(read_number(value, kinds, name)[0]))
        if self.dim in value.dims:
            raise ProfileError(
                f"{name} must not run along {self.dim!r}: it is one value for each profile"
            )
        for d in value.dims:
            if d not in self.lead and d in value.coords and d not in self.coords:
                self.brought[d] = value.coords[d].variable
        value = self.aligned(value, name)
        magnitude, unit = units.magnitude_and_unit(value, kinds, name)
        canonical = unit.to_canonical(magnitude.astype(np.float64))
        found: xr.Variable = xr.Variable(value.dims, canonical).fillna(unknown)
        return found if self.lazy else found.load()

    def aligned(self, value: xr.DataArray, name: str) -> xr.DataArray:
        """Align an argument with the profiles, by the labels of its dimensions.

        If the data have a single label (after ``.sel``), its value is selected.
        """
        for dim in [d for d in value.dims if d in self.coords and d in value.indexes]:
            index, scalar = value.indexes[dim], self.coords[dim].ndim == 0
            refuse_repeated(index.tolist(), f"{name}: {dim}")
            wanted = np.atleast_1d(self.coords[dim].values)
            positions = index.get_indexer(wanted)
            missing = sorted({str(label) for label in wanted[positions < 0]})
            if missing:
                known = ", ".join(repr(str(label)) for label in index[:8])
                more = f" and {index.size - 8} more" if index.size > 8 else ""
                raise ProfileError(f"{name} has no value for {dim} {missing}; it has {known}{more}")
            value = value.isel({dim: positions[0] if scalar else positions}, drop=True)
        for dim, size in self.sizes.items():
            if value.sizes.get(dim, size) != size:
                raise ProfileError(
                    f"{name} holds {value.sizes[dim]} values along {dim!r}, and the data {size}; "
                    f"give it a coordinate {dim!r} that says which value belongs to which"
                )
        return value

    def map(
        self,
        kernel: Callable[..., tuple[Any, ...]],
        *parameters: xr.Variable,
        errors: Literal["each", "fit", "sum"] | None = None,
        whole: Sequence[str] = (),
        extra: Sequence[str] = (),
        group: str | None = None,
        **options: Any,
    ) -> Any:
        """Run a kernel over the profiles.

        Parameters
        ----------
        kernel : callable
            ``kernel(rows, *parameters, **options)`` returns a named tuple of arrays.
        *parameters : xarray.Variable
            One value per profile. Other dimensions than those of the data are cases, for each of
            which the kernel is called, and become dimensions of the results.
        errors : {"each", "fit", "sum"}, optional
            Which standard errors to pass, if the data have any; by default none. ``"each"``: those
            of single samples, for the value at a depth. ``"fit"``: larger where grid values share
            samples, for what is fitted to several of them. ``"sum"``: these, with zero errors for
            samples with zero counts, for weighted sums; see
            :class:`sims_analysis.kernels.blocks.Errors` for the reason.
        whole : sequence of str
            Dimensions of parameters that the kernel takes as a whole.
        extra : sequence of str
            Names of the trailing dimensions that the kernel adds to its results.
        group : str, optional
            A dimension along which the kernel takes all profiles together; no parameter has it.
        **options
            Keyword arguments of the kernel.

        Returns
        -------
        NamedTuple of Variable
            The fields of the kernel's result as Variables.
        """
        samples = {"depth": self.depth, "value": self.value}
        if errors is not None and self.stderr is not None:
            samples["stderr"] = self.stderr
            if errors == "sum" and self.counts is not None:
                samples["counts"] = self.counts
            if errors in ("fit", "sum"):
                samples["fraction"] = self.fraction.set_dims(self.sizes)
        names = (self.name, self.axis)
        try:
            return run(kernel, samples, parameters, whole, extra, group, options, names)
        except InfiniteSampleError as error:
            order = [d for d in self.lead if d != group] + ([] if group is None else [group])
            index = np.unravel_index(error.row, [self.value.sizes[d] for d in order])
            label = self.label(dict(zip(order, map(int, index), strict=True)))
            raise refuse_infinite(error, label, names) from None

    def of_counts(self) -> Frame:
        """Return the frame with the counts as its values."""
        return replace(self, value=cast("xr.Variable", self.counts))

    def measured(self) -> xr.Variable:
        """Flag the profiles with at least one sample."""
        found: xr.Variable = self.map(ends).first.notnull()
        return found

    def label(self, index: Mapping[Any, int]) -> str:
        """Name a profile by its coordinates, for messages."""
        coords = {**self.coords, **self.brought}
        parts = [
            f"{d} {str(coords[d].values[i] if d in coords and coords[d].ndim else i)!r}"
            for d, i in index.items()
        ]
        if not parts and "species" in self.coords and self.coords["species"].ndim == 0:
            parts.append(f"species {str(self.coords['species'].values)!r}")
        return ", ".join(parts) or "the profile"

    def with_attrs(
        self, values: xr.Variable, name: str, *, units_: str | None = None, **attrs: str | None
    ) -> xr.Variable:
        """Return a result with attrs, plain or quantified as the data were.

        `name` is a key of ``vocabulary.TERMS``. `units_` and other attrs replace those of the term;
        None removes one.
        """
        every = {**vocabulary.attrs(name, units_), **attrs}
        kept = {key: text for key, text in every.items() if text is not None}
        return self.as_the_data(xr.Variable(values.dims, values.data, kept))

    def as_the_data(self, variable: xr.Variable) -> xr.Variable:
        """Return a variable with a unit plain or quantified, as the data were."""
        return units.quantified_variable(variable) if self.quantified else variable

    def status(self, codes: xr.Variable) -> xr.Variable:
        """Translate status codes into words, lazily if they are lazy."""
        return words(codes, _WORDS, **vocabulary.attrs("status"))

    def array(
        self,
        values: xr.Variable,
        name: str,
        *,
        units_: str | None = None,
        coords: Mapping[str, xr.Variable] | None = None,
        label: str | None = None,
        **attrs: str | None,
    ) -> xr.DataArray:
        """Return a result as a DataArray with attrs (see :meth:`with_attrs`) and coordinates.

        `coords` are more coordinates (``status``...), and `label` names the DataArray.
        """
        variable = self.with_attrs(values, name, units_=units_, **attrs)
        coords = self._coords_over(variable.dims, coords or {})
        return xr.DataArray(variable, coords=coords, name=label or name)

    def along_axis(
        self, values: xr.Variable, name: str, *, units_: str | None = None, label: str | None = None
    ) -> xr.DataArray:
        """Return a result with one value per sample as a DataArray with attrs and coordinates."""
        return self.array(values, name, units_=units_, coords=self.along, label=label)

    def dataset(
        self,
        variables: Mapping[str, xr.Variable],
        *,
        coords: Mapping[str, xr.Variable] | None = None,
    ) -> xr.Dataset:
        """Return variables as a Dataset with coordinates; they must have their attrs.

        A coordinate of the data that has the name of a result (the nominal ``dose``) is left out.
        """
        dims = {d for variable in variables.values() for d in variable.dims}
        kept = self._coords_over(dims, coords or {})
        _refuse_labels(dims & kept.keys(), variables)
        kept = {key: coord for key, coord in kept.items() if key not in variables}
        return xr.Dataset(dict(variables), coords=kept)

    def _coords_over(
        self, dims: Iterable[Any], coords: Mapping[str, xr.Variable]
    ) -> dict[Any, xr.Variable]:
        """Select the coordinates that run along no other dimensions than these."""
        every = {**self.coords, **self.brought, **coords}
        return {key: coord for key, coord in every.items() if set(coord.dims) <= set(dims)}


def as_dataset(arrays: Mapping[str, xr.DataArray]) -> xr.Dataset:
    """Return results as a Dataset, without coordinates of the data that have their names."""
    _refuse_labels({d for one in arrays.values() for d in one.dims if d in one.coords}, arrays)
    return xr.Dataset(
        {name: one.drop_vars(arrays.keys() & one.coords.keys()) for name, one in arrays.items()}
    )


def _refuse_labels(labelled: Collection[Any], names: Iterable[str]) -> None:
    """Raise where a dimension with labels has the name of a result, which would replace them."""
    for name in names:
        if name in labelled:
            raise ProfileError(
                f"{name!r} in the data is a dimension with labels, and a variable of the answer; "
                f'rename it, as in data.rename({name}="nominal_{name}")'
            )


def words(codes: xr.Variable, table: Any, **attrs: str) -> xr.Variable:
    """Look up codes in an array of words, lazily if they are lazy."""

    def look_up(codes: Any) -> Any:
        # For a single code, numpy returns a scalar with the length of its word, not an array.
        return np.asarray(table.take(codes), dtype=table.dtype)

    found: xr.Variable = xr.apply_ufunc(
        look_up, codes, dask="parallelized", output_dtypes=[table.dtype]
    )
    found.attrs = dict(attrs)
    return found
