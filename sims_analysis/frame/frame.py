"""From the user's data to a kernel and back.

A :class:`Frame` is one variable of the user's data with its axis, in canonical units, with the
samples along the last dimension. :meth:`Frame.parameter` reads an argument, and :meth:`Frame.map`
runs a kernel over the profiles, eagerly on numpy and lazily on Dask. :meth:`Frame.array` and
:meth:`Frame.dataset` give results the leading dimensions and coordinates of the data;
:meth:`Frame.with_attrs` gives them attrs from the vocabulary, plain or quantified as the data were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, cast

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.dataset.axes import AXIS_TOLERANCE
from sims_analysis.dataset.canonical import (
    known_species,
    read_number,
    refuse_repeated,
    scaled,
)
from sims_analysis.errors import ProfileError, SpeciesError
from sims_analysis.frame.answers import refuse_labels, words
from sims_analysis.frame.labels import by_label, kind_of
from sims_analysis.frame.run import Row, is_lazy, profile_by_profile, refuse_infinite, run
from sims_analysis.kernels import blocks
from sims_analysis.kernels.blocks import InfiniteSampleError
from sims_analysis.kernels.rows import ends
from sims_analysis.text.arguments import first_few

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
    #: By which factor the samples of its window scatter more than their standard errors.
    scatter: xr.Variable | None = None
    #: Edges of the cells over which the values are averages, as the axis: lower and upper.
    cells: tuple[xr.Variable, xr.Variable] | None = None
    #: The data that were opened, for answers that are data again.
    origin: xr.Dataset | xr.DataArray | None = None
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
        if self.kind == "dimensionless":
            return vocabulary.RATIOS.get(self.name, "species_ratio")
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

        Parameters
        ----------
        value : str, Quantity, DataArray, mapping or None
            A DataArray has one value for each profile, and is aligned by the labels of its
            dimensions; other dimensions become dimensions of the result. A mapping gives each
            species its own value. None is NaN.
        kinds : tuple of str
            Acceptable kinds of unit.
        name : str
            Name of the argument, for messages.
        unknown : float
            Value for NaN (a limit at a junction that was not found), and for species that a
            mapping leaves out.
        along : bool
            Accept values that run along the samples, aligned by depth within rounding.
        alone : bool
            A DataArray of one species, named by a scalar coordinate, is for that species alone;
            otherwise it is for all.

        Returns
        -------
        Variable
            In the canonical unit; without dimensions for a scalar.

        Raises
        ------
        UnitsError
            If it has no unit, or one of another kind.
        SpeciesError
            If a mapping names a species that the data do not have.
        ProfileError
            If it lacks labels of the data, holds another number of values, or no real numbers.
        """
        if value is None:
            return xr.Variable((), np.nan)
        if alone and isinstance(value, xr.DataArray) and value.coords.get("species") is not None:
            of_one = value["species"].ndim == 0
            value = {str(value["species"].values): value} if of_one else value
        if isinstance(value, Mapping):
            return self._by_species(value, kinds, name, unknown, along=along)
        if not isinstance(value, xr.DataArray):
            number = float(read_number(value, kinds, name)[0])
            return xr.Variable((), unknown if np.isnan(number) else number)
        if self.dim in value.dims and not along:
            raise ProfileError(
                f"{name} must not run along {self.dim!r}: it is one value for each profile"
            )
        for d in value.dims:
            if d not in self.value.dims and d in value.coords and d not in self.coords:
                self.brought[d] = value.coords[d].variable
        value = self.aligned(value, name, along=along)
        magnitude, unit = units.magnitude_and_unit(value, kinds, name)
        canonical = unit.to_canonical(magnitude.astype(np.float64))
        found: xr.Variable = xr.Variable(value.dims, canonical).fillna(unknown)
        return found if self.lazy else found.load()

    def _by_species(
        self,
        given: Mapping[Any, Any],
        kinds: tuple[str, ...],
        name: str,
        unknown: float,
        *,
        along: bool,
    ) -> xr.Variable:
        """Read an argument that a mapping states for some species."""
        kind_of(given, kinds, name)  # refuses none, and a mixture
        known = known_species(self.coords.get("species"), *given, name=name)
        read = {}
        for species, one in given.items():
            own = one
            if isinstance(one, xr.DataArray) and "species" in one.coords:
                if one["species"].ndim:
                    raise ProfileError(
                        f"{name}[{species!r}] is over species; expected a value for {species!r} "
                        "alone"
                    )
                if str(one["species"].values) != species:
                    raise SpeciesError(
                        f"{name}[{species!r}] is that of {str(one['species'].values)!r}"
                    )
                own = one.drop_vars("species")
            whose = f"{name}[{species!r}]"
            read[species] = self.parameter(own, kinds, whose, unknown=unknown, along=along)
        dims = dict.fromkeys(d for one in read.values() for d in one.dims)
        sizes = {d: next(o.sizes[d] for o in read.values() if d in o.dims) for d in dims}
        absent = xr.Variable((), unknown)
        columns = [read.get(one, absent).set_dims(sizes) for one in known]
        single = self.coords["species"].ndim == 0
        found: xr.Variable = columns[0] if single else xr.Variable.concat(columns, "species")
        return found

    def aligned(self, value: xr.DataArray, name: str, *, along: bool = False) -> xr.DataArray:
        """Align an argument with the profiles, by the labels of its dimensions.

        If the data have a single label (after ``.sel``), its value is selected. With `along`, also
        with their samples.
        """
        if along and self.axis in value.indexes and self.axis in self.value.dims:
            value = self._on_own_samples(value, name)
        sizes = self.value.sizes if along else self.sizes
        return by_label(value, name, self.coords, sizes)

    def _on_own_samples(self, value: xr.DataArray, name: str) -> xr.DataArray:
        """Select the values of an argument at the samples of the data."""
        refuse_repeated(value.indexes[self.axis].tolist(), f"{name}: {self.axis}")
        positions, wanted = self._along_axis(value[self.axis], name)
        if (positions < 0).any():
            listed = first_few([str(place) for place in wanted[positions < 0]], 3)
            raise ProfileError(f"{name} has no value for {self.axis} {listed} {self.axis_units}")
        return value.isel({self.axis: positions}, drop=True).drop_vars(self.axis)

    def _along_axis(self, own: xr.DataArray, name: str) -> tuple[Any, Any]:
        """Find the samples of the data on the axis of an argument; -1 where it has none.

        As two axes are compared: within rounding, because unit conversions round.
        """
        index: Any = own.to_index()
        if "units" in own.attrs:
            magnitude, unit = units.magnitude_and_unit(own, (self.axis,), f"{name}: {self.axis}")
            index = type(index)(unit.to_canonical(magnitude.astype(np.float64)))
        wanted = np.asarray(self.depth.values)
        if not index.is_monotonic_increasing:
            return index.get_indexer(wanted), wanted
        tolerance = AXIS_TOLERANCE * float(np.ptp(wanted))
        return index.get_indexer(wanted, method="nearest", tolerance=tolerance), wanted

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
        stderr = self.stderr_of_sums if errors == "sum" else self.stderr
        if errors is not None and stderr is not None:
            samples["stderr"] = stderr
            if errors == "sum" and self.counts is not None:
                samples["counts"] = self.counts
            if errors in ("fit", "sum"):
                samples["fraction"] = self.fraction.set_dims(self.sizes)
        if self.cells is not None:
            samples["lower"], samples["upper"] = self.cells
        return self._run(kernel, samples, parameters, whole, extra, group, options)

    def each(
        self,
        function: Callable[..., Any],
        *parameters: xr.Variable,
        size: int,
        dim: str = "__row__",
        group: str | None = None,
        beside: Sequence[Literal["common", "overlap", "lower", "upper"]] = (),
        watched: Callable[[list[Any]], Iterable[Any]] = iter,
    ) -> xr.Variable:
        """Call a Python function for each profile: a fit, a search for layers.

        Parameters
        ----------
        function : callable
            ``function(z, c, s, k, *parameters)`` gets depths, values, standard errors and counts of
            a profile, ``(n,)``, or of a group, ``(m, n)``, NaN where there are none, and one number
            for each parameter (a list of them of one that runs along the group). It returns `size`
            numbers.
        *parameters : xarray.Variable
            As for :meth:`map`.
        size : int
        dim : str
            The dimension of the numbers.
        group : str, optional
            A dimension along which profiles are taken together.
        beside : sequence of str
            What else the function gets of each sample, after the counts; 0 where there is none.
            Edges of cells, ``"lower"`` and ``"upper"``, are NaN for data without cells.
        watched : callable
            Takes the indices of all profiles, and yields them one by one: a progress bar.

        Returns
        -------
        Variable
            A row of numbers for each profile, or group.
        """
        absent = xr.full_like(self.value, np.nan, dtype=np.float64)
        samples = {
            "depth": self.depth,
            "value": self.value,
            "stderr": absent if self.stderr is None else self.stderr,
            "counts": absent if self.counts is None else self.counts,
        }
        if self.cells is not None and "lower" in beside:
            samples |= dict(zip(("lower", "upper"), self.cells, strict=True))
        for name in beside:
            if name in ("lower", "upper"):
                continue
            column = getattr(self, name)
            samples[name] = xr.zeros_like(absent) if column is None else column
        options = {"size": size, "watched": watched, "beside": tuple(beside)}
        along = () if group is None else (group,)
        found: Row = self._run(
            function, samples, parameters, along, (dim,), group, options, profile_by_profile
        )
        rows: xr.Variable = found.row
        return rows

    def _run(
        self,
        kernel: Callable[..., Any],
        samples: Mapping[str, xr.Variable],
        parameters: Sequence[xr.Variable],
        whole: Sequence[str],
        extra: Sequence[str],
        group: str | None,
        options: Mapping[str, Any],
        over: Callable[..., Any] = blocks.run,
    ) -> Any:
        """Run over the profiles; an infinite sample is refused by the name of its profile."""
        names = (self.name, self.axis)
        try:
            return run(kernel, samples, parameters, whole, extra, group, options, names, over)
        except InfiniteSampleError as error:
            order = [d for d in self.lead if d != group] + ([] if group is None else [group])
            index = np.unravel_index(error.row, [self.value.sizes[d] for d in order])
            label = self.label(dict(zip(order, map(int, index), strict=True)))
            raise refuse_infinite(error, label, names) from None

    @property
    def stderr_of_sums(self) -> xr.Variable | None:
        """Standard errors by the rule of a background's window, for sums over it.

        If the samples of the window scatter more than their standard errors, their scatter is the
        error of the background, and then it is theirs, too: see
        :func:`sims_analysis.kernels.counting.window_mean`.
        """
        if self.stderr is None or self.scatter is None or self.overlap is None:
            return self.stderr
        grown: xr.Variable = self.stderr * self.scatter.where(self.overlap > 0, 1.0)
        return grown

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
        coords = self.coords_over(variable.dims, coords or {})
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
        kept = self.coords_over(dims, coords or {})
        refuse_labels(dims & kept.keys(), variables)
        kept = {key: coord for key, coord in kept.items() if key not in variables}
        return xr.Dataset(dict(variables), coords=kept)

    def replaced(self, value: xr.Variable, **beside: xr.Variable | None) -> Any:
        """Return the data that were opened, with other values: data again, not an answer.

        Parameters
        ----------
        value : Variable
            Of the samples, in the canonical unit.
        **beside : Variable
            What stands beside them (``stderr``, ``counts``, ``background_stderr``...); None
            removes one, and what is not named stays.

        Returns
        -------
        Dataset or DataArray
            As the data were; their attrs, names and coordinates stay.
        """
        data = self._dataset()
        made = {}
        for end, column in {"": value, **{f"_{end}": one for end, one in beside.items()}}.items():
            name = f"{self.name}{end}"
            if column is None:
                data = data.drop_vars(name, errors="ignore")
                continue
            unit = vocabulary.COLUMNS.get(end[1:]) or self.units
            attrs = vocabulary.attrs_beside(self.term, end[1:], unit) if end else {}
            attrs |= data[name].attrs if name in data else {}
            order = data[self.name].dims
            one = xr.Variable(column.dims, column.data, attrs | {"units": unit})
            made[name] = self.as_the_data(one.transpose(*(d for d in order if d in one.dims)))
        return data.assign(made)

    def times(self, factor: xr.Variable) -> Any:
        """Return the data with the samples times a factor, and what is in their unit beside them.

        Errors of samples and of backgrounds are multiplied with them, counts are not.
        """
        data = self._dataset()
        made = scaled(data, self.name, factor)
        return data.assign({f"{self.name}{end}": one for end, one in made.items()})

    def _dataset(self) -> xr.Dataset:
        """Return the data that were opened, if they can be given back as data."""
        if not isinstance(self.origin, xr.Dataset):
            found = type(self.origin).__name__
            raise TypeError(f"a correction takes an xarray Dataset, found {found}")
        return self.origin

    def coords_over(
        self, dims: Iterable[Any], coords: Mapping[str, xr.Variable]
    ) -> dict[Any, xr.Variable]:
        """Select the coordinates that run along no other dimensions than these."""
        every = {**self.coords, **self.brought, **coords}
        return {key: coord for key, coord in every.items() if set(coord.dims) <= set(dims)}
