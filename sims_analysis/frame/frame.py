"""From the user's data to a kernel and back.

A :class:`Frame` is one variable of the data with its axis, in canonical units, with the samples
along the last dimension. :meth:`Frame.parameter` reads an argument, :meth:`Frame.map` runs a kernel
over the profiles (lazily on Dask), and :meth:`Frame.array` and :meth:`Frame.dataset` give results
the dimensions and coordinates of the data, with attrs from the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.canonical import scaled
from sims_analysis.errors import ProfileError
from sims_analysis.frame.parameters import Profiles
from sims_analysis.frame.run import (
    is_nan,
    profile_by_profile,
    refuse_infinite,
    replaced_where,
    run,
    words,
)
from sims_analysis.kernels.blocks import InfiniteSampleError
from sims_analysis.kernels.evidence import Support, Use
from sims_analysis.kernels.rows import ends

#: Fields with a value for each sample.
_OF_SAMPLES = ["value", "depth", "lower", "upper", "stderr", "counts", "fraction", "flags", "limit"]


@dataclass(frozen=True, kw_only=True)
class Frame(Profiles):
    """One variable with its axis, in canonical units."""

    name: str
    kind: str
    #: Standard errors of the samples, and the counts they are derived from.
    stderr: xr.Variable | None
    counts: xr.Variable | None
    #: Coordinates with the dimension of the samples.
    along: Mapping[Any, xr.Variable]
    #: Whether the data were pint Quantities.
    quantified: bool
    #: Effective sample fraction: below 1 if the profiles were interpolated to a finer grid.
    fraction: xr.Variable
    #: Of restored profiles, the full width of the averaging kernel at each sample; NaN elsewhere.
    achieved: xr.Variable | None = None
    #: Standard error of a subtracted background at each sample, and the covariance of sample and
    #: background over the variance of the background: see ``background.py``.
    common: xr.Variable | None = None
    overlap: xr.Variable | None = None
    #: By which factor the samples of its window scatter more than their standard errors.
    scatter: xr.Variable | None = None
    #: Of averages, the relative standard error of the scale of each profile.
    repeatability: xr.Variable | None = None
    #: Edges of the cells over which the values are averages, as the axis; None for samples.
    lower: xr.Variable | None = None
    upper: xr.Variable | None = None
    #: The flags of the samples in the data, as sums; None if there are none.
    flags: xr.Variable | None = None
    #: The limits of detection of samples below one; NaN at all others.
    limit: xr.Variable | None = None
    #: Whether answers across gaps are accepted; None if that is not an option.
    bridge: bool | None = None
    #: The data that were opened, for answers that are data again.
    origin: Any = None

    @property
    def term(self) -> str:
        """The term of the variable in ``vocabulary.TERMS``, or that of its kind."""
        if self.kind == "dimensionless":
            return vocabulary.RATIOS.get(self.name, "species_ratio")
        return self.name if self.name in vocabulary.TERMS else vocabulary.name_of(self.kind)

    @property
    def fitted(self) -> Literal["fit"] | None:
        """Which errors depths need: those of restored profiles are not of a fit to samples."""
        return "fit" if self.achieved is None else None

    @property
    def units(self) -> str:
        """The canonical unit of the values."""
        return units.CANONICAL[self.kind]

    @property
    def highest_limit(self) -> xr.Variable | None:
        """The highest limit of detection of each profile; None where no sample is below one."""
        return None if self.limit is None else self.limit.max(self.dim)

    def rounded(self, values: xr.Variable) -> xr.Variable:
        """Return a result as large as the data in their precision: float32 of float32."""
        precision = np.float32 if self.value.dtype.str[1:] == "f4" else np.float64
        return values if values.dtype == precision else values.astype(precision)

    def map(self, kernel: Callable[..., Any], *parameters: xr.Variable, **options: Any) -> Any:
        """Run a kernel over the profiles: the first result of :meth:`evaluate`."""
        return self.evaluate(kernel, *parameters, use=None, **options)[0]

    def evaluate(
        self,
        kernel: Callable[..., Any],
        *parameters: xr.Variable,
        use: Use | None = "curve",
        errors: Literal["each", "fit", "sum"] | None = None,
        whole: Sequence[str] = (),
        extra: Sequence[str] = (),
        group: str | None = None,
        **options: Any,
    ) -> tuple[Any, Support]:
        """Run a kernel over the profiles: its fields as Variables, and the support of its answers.

        That is the interval from ``start`` to ``stop`` of its fields, and `use` says how
        (:data:`.evidence.Use`); `errors` as for :func:`.blocks.run`. A parameter has one value per
        profile; its other dimensions are cases, for each of which the kernel is called, but those
        that it takes as a `whole`. `extra` names the dimensions that it adds, and of a `group` it
        takes all profiles together.
        """
        options = {"use": use, "errors": errors or "each", **options}
        result: tuple[Any, Support]
        result = self._run(kernel, self.samples(errors), parameters, options, whole, extra, group)
        return result

    def samples(
        self, errors: Literal["each", "fit", "sum"] | None = None
    ) -> dict[str, xr.Variable]:
        """Return the columns of the samples, as kernels take them; see :func:`blocks.run`."""
        names = ("depth", "value", "lower", "upper", "flags", "limit")
        columns = {name: getattr(self, name) for name in names}
        if errors is not None:
            columns["stderr"] = self.stderr_of_sums if errors == "sum" else self.stderr
            columns["counts"] = self.counts if errors == "sum" else None
        if self.fraction.ndim or self.fraction.data != 1.0:
            columns["fraction"] = self.fraction.set_dims(self.sizes)
        return {name: column for name, column in columns.items() if column is not None}

    def each(
        self,
        function: Callable[..., Any],
        *parameters: xr.Variable,
        size: int,
        dim: str = "__row__",
        whole: Sequence[str] = (),
        group: str | None = None,
        ancillary: Sequence[Literal["common", "overlap", "lower", "upper", "achieved"]] = (),
        watched: Callable[[list[Any]], Iterable[Any]] = iter,
    ) -> xr.Variable:
        """Call a Python function for each profile: a fit, a search for layers.

        ``function(z, c, s, k, *ancillary, *parameters)`` gets depths, values, standard errors and
        counts (NaN without) of a profile ``(n,)`` or a group ``(m, n)``, and one number for each
        parameter (a list along the group, and of a `whole`). It returns `size` numbers, along
        `dim`. `watched` yields the indices of all profiles one by one: a progress bar.
        """
        absent = xr.zeros_like(self.value, dtype=np.float64)
        columns: dict[str, Any] = self.samples("each") | {"counts": self.counts}
        for name in ("common", "overlap", "achieved"):
            column = getattr(self, name)
            columns[name] = absent if column is None else column
        names = ("depth", "value", "stderr", "counts", *ancillary)
        samples = {name: columns[name] for name in names if columns.get(name) is not None}
        options = {"size": size, "watched": watched, "ancillary": tuple(ancillary)}
        along = whole if group is None else (*whole, group)
        result = self._run(
            function, samples, parameters, options, along, (dim,), group, profile_by_profile
        )[0]
        rows: xr.Variable = result.value
        return rows

    def _run(
        self,
        kernel: Callable[..., Any],
        samples: Mapping[str, xr.Variable],
        parameters: Sequence[xr.Variable],
        options: Mapping[str, Any],
        *dims: Any,
    ) -> Any:
        """Run over the profiles; an infinite sample is refused by the name of its profile."""
        names = (self.name, self.axis)
        try:
            return run(kernel, samples, parameters, options, names, *dims)
        except InfiniteSampleError as error:
            group = dims[2]
            order = [d for d in self.lead if d != group] + ([] if group is None else [group])
            index = np.unravel_index(error.row, [self.value.sizes[d] for d in order])
            place = dict(zip(order, map(int, index), strict=True))
            label, where = self.label(place), self.where(place)
            if error.what == "value":
                where = self.where({**place, self.dim: error.sample})
                label = f"{label}, {where[self.axis]}"
            raise refuse_infinite(error, label, names).add(where=where) from None

    @property
    def stderr_of_sums(self) -> xr.Variable | None:
        """Standard errors for sums over a background's window: :func:`.counting.window_mean`."""
        if self.stderr is None or self.scatter is None or self.overlap is None:
            return self.stderr
        scatter = replaced_where(~(self.overlap > 0), self.scatter, 1.0)
        return self.stderr * scatter

    def of_profile(self, **index: int) -> Frame:
        """Return the frame of one profile along dimensions, with its samples alone."""
        columns: Any = {name: getattr(self, name) for name in _OF_SAMPLES}
        selected = {
            name: column.isel(index, missing_dims="ignore")
            for name, column in columns.items()
            if column is not None
        }
        return replace(self, **selected, common=None, overlap=None, scatter=None)

    def of_counts(self) -> Frame:
        """Return the frame with the counts as its values."""
        return replace(self, value=cast("xr.Variable", self.counts))

    def filled(self) -> Frame:
        """Return the frame with 0 for samples below a limit."""
        if self.limit is None:
            return self
        below = self.value.isnull() & self.limit.notnull()
        return replace(self, value=self.value.where(~below, 0.0))

    def unfilled(self) -> Frame:
        """Return the frame as it was before it was filled."""
        if self.limit is None:
            return self
        return replace(self, value=self.value.where(self.limit.isnull() | (self.value != 0)))

    def measured(self) -> xr.Variable:
        """Flag the profiles with at least one sample."""
        flags: xr.Variable = ~is_nan(self.map(ends).first)
        return flags

    def shown(self, value: float) -> str:
        """Format a value with its unit, for messages: ``"2.06e+18 atom/cm^3"``."""
        return f"{value:.4g} {self.units}".removesuffix(" 1")

    def label(self, index: Mapping[Any, int]) -> str:
        """Name a profile by its coordinates, for messages."""
        return name_of(self.where(index))

    def where(self, index: Mapping[Any, int]) -> dict[str, object]:
        """Return the coordinates of a profile, or of a sample, for the parts of messages."""
        coords = {**self.coords, **self.argument_coords}
        labels: dict[str, object] = {
            str(d): str(coords[d].to_index()[i] if d in coords and coords[d].ndim else i)
            for d, i in index.items()
            if d != self.dim
        }
        if "species" in self.coords and self.coords["species"].ndim == 0:
            labels["species"] = str(self.coords["species"].values)
        if self.dim in index:
            place = self.depth.isel(index, missing_dims="ignore")
            labels[self.axis] = f"{float(place):g} {self.axis_units}"
        return labels

    def with_attrs(
        self, values: xr.Variable, name: str, *, units_: str | None = None, **attrs: str | None
    ) -> xr.Variable:
        """Return a result with attrs of the term `name`, and these; None removes one."""
        texts = {**vocabulary.attrs(name, units_), **attrs}
        stated = {key: text for key, text in texts.items() if text is not None}
        return self.as_the_data(xr.Variable(values.dims, values.data, stated))

    def of_axis(self, values: xr.Variable, name: str) -> xr.Variable:
        """Return a result with attrs (:meth:`with_attrs`) in the words and the unit of the axis."""
        kind = vocabulary.TERMS[name.removesuffix("_stderr")].kind
        result = self.with_attrs(values, name, units_=self.axis_units if kind == "depth" else None)
        if self.axis == "sputter_time":
            for key in {"long_name", "description"} & result.attrs.keys():
                text = result.attrs[key].replace("depth", "time")
                result.attrs[key] = text.replace("Depth", "Time")
        return result

    def as_the_data(self, variable: xr.Variable) -> xr.Variable:
        """Return a variable with a unit plain or quantified, as the data were."""
        return units.quantified_variable(variable) if self.quantified else variable

    def status(self, codes: xr.Variable, term: str = "status") -> xr.Variable:
        """Translate status codes into words, lazily if they are lazy."""
        return words(codes, vocabulary.STATUS, **vocabulary.attrs(term))

    def array(
        self,
        values: xr.Variable,
        name: str,
        *,
        units_: str | None = None,
        status: xr.Variable | None = None,
        stderr: xr.Variable | None = None,
        coords: Mapping[Any, xr.Variable] | None = None,
        label: str | None = None,
        **attrs: str | None,
    ) -> xr.DataArray:
        """Return a result as a DataArray, named `label`, with attrs and coordinates."""
        variable = self.with_attrs(values, name, units_=units_, **attrs)
        ancillary = {} if status is None else {"status": self.status(status)}
        ancillary |= coords or {}
        if stderr is not None:
            ancillary["stderr"] = self.with_attrs(stderr, f"{name}_stderr", units_=units_)
        return xr.DataArray(
            variable,
            coords=self.indexed(self.coords_over(variable.dims, ancillary)),
            name=label or name,
        )

    def dataset(
        self,
        variables: Mapping[str, xr.Variable],
        *,
        coords: Mapping[str, xr.Variable] | None = None,
    ) -> xr.Dataset:
        """Return variables as a Dataset, with coordinates that do not share a name with them."""
        dims = {d for variable in variables.values() for d in variable.dims}
        selected = self.coords_over(dims, coords or {})
        refuse_labels(dims & selected.keys(), variables)
        selected = {key: coord for key, coord in selected.items() if key not in variables}
        return xr.Dataset(dict(variables), coords=self.indexed(selected))

    def replaced(self, value: xr.Variable, **ancillary: xr.Variable | None) -> xr.Dataset:
        """Return the Dataset that was opened, with other values: data again, not an answer.

        In the canonical unit, with columns of the samples (``stderr=...``): None removes one.
        """
        data: xr.Dataset = self.origin
        variables = {}
        for end, column in {"": value, **ancillary}.items():
            name = f"{self.name}_{end}" if end else self.name
            if column is None:
                data = data.drop_vars(name, errors="ignore")
                continue
            unit = vocabulary.COLUMNS.get(end) or self.units
            attrs = vocabulary.ancillary_attrs(self.term, end, unit) if end else {}
            attrs |= data[name].attrs if name in data else {}
            order = [d for d in data[self.name].dims if d in column.dims]
            variable = xr.Variable(column.dims, column.data, attrs | {"units": unit})
            variables[name] = self.as_the_data(variable.transpose(*order))
        return data.assign(variables)

    def times(self, factor: xr.Variable) -> xr.Dataset:
        """Return the data with samples, their errors and those of backgrounds times a factor."""
        columns = scaled(self.origin, self.name, factor)
        data: xr.Dataset = self.origin
        return data.assign({f"{self.name}{end}": column for end, column in columns.items()})

    def coords_over(
        self, dims: Iterable[Any], coords: Mapping[str, xr.Variable]
    ) -> dict[Any, xr.Variable]:
        """Select the coordinates that run along no other dimensions than these."""
        merged = {**self.coords, **self.argument_coords, **coords}
        for name in dims:
            if name in merged and name not in merged[name].dims:
                raise ProfileError(
                    f"{name!r} in the data is a dimension of the answer; rename it, as in "
                    f'data.rename({name}="condition")',
                    code="wrong_dimensions",
                )
        return {key: coord for key, coord in merged.items() if set(coord.dims) <= set(dims)}

    def indexed(self, coords: Mapping[Any, xr.Variable]) -> xr.Coordinates:
        """Return coordinates with their indexes: those of the data, which take longer to make."""
        if self.origin is None:  # depths at which a curve is evaluated
            return xr.Coordinates(dict(coords))
        of_data = self.origin.coords.variables
        indexes = {
            name: index
            for name, index in self.origin.xindexes.items()
            if name in coords and coords[name] is of_data[name]
        }
        unindexed = {
            name: coord
            for name, coord in coords.items()
            if coord.dims == (name,) and name not in indexes
        }
        if unindexed:
            indexes |= xr.Coordinates(unindexed).xindexes
        return xr.Coordinates(coords, indexes=indexes)


def name_of(where: Mapping[str, object]) -> str:
    """Name a profile, for messages, by its coordinates there."""
    return ", ".join(f"{name} {part!r}" for name, part in where.items()) or "the profile"


def refuse_labels(labelled: Collection[Any], names: Iterable[str]) -> None:
    """Raise where a dimension with labels has the name of a result, which would replace them."""
    for name in names:
        if name in labelled:
            raise ProfileError(
                f"{name!r} in the data is a dimension with labels, and a variable of the answer; "
                f'rename it, as in data.rename({name}="nominal_{name}")',
                code="wrong_dimensions",
            )
