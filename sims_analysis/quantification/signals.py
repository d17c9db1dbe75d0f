"""Signals at the samples of others, their weighted sums, and data with new signals."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.uncertainty import relative_uncertainties
from sims_analysis.conventions.canonical import ENDS, species_of
from sims_analysis.frame.evidence import Evidence, union
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import open_samples
from sims_analysis.frame.run import elementwise, is_lazy
from sims_analysis.kernels.rows import changed
from sims_analysis.outcomes import Flag
from sims_analysis.quantification.reference import (
    Part,
    at_samples_of,
    at_samples_of_all,
    background_columns,
    background_of,
    column,
    evidence_of,
    propagated,
    row_of,
    warn_bridged,
    with_common,
)

#: Relative uncertainties that all samples of a species have in common; a stated dose replaces the
#: others, whatever it changed.
_REPEATS = "scale_repeatability"
_OF_SCALE = ("sensitivity_factor_uncertainty", _REPEATS, "dose_scale_uncertainty")
#: Places of samples.
_PLACES = (*vocabulary.AXES, *vocabulary.CELLS, *(f"{axis}_bounds" for axis in vocabulary.AXES))
#: The part of a sum, or of its error, above which limits of detection of its parts matter.
_NOTABLE = 0.01
#: Counts belong to a value as those of others to theirs, to within rounding in print.
_ROUNDED, _ROUNDED_RELATIVE = 0.05, 0.01


class Weight(NamedTuple):
    """A weight, the same for all samples of a profile or along them, and its standard error."""

    value: xr.Variable
    error: xr.Variable | None
    text: str


class Signal(NamedTuple):
    """A signal at samples, with what belongs to it; without the dimension of species."""

    value: xr.Variable
    stderr: xr.Variable | None = None
    counts: xr.Variable | None = None
    #: As in the data.
    background: Mapping[str, xr.Variable] = {}
    flags: xr.Variable | None = None
    limit: xr.Variable | None = None


def signal_at(frame: Frame, first: str, species: str) -> Signal:
    """Return the signal of a species at the samples of the first."""
    names = frame.species()
    rows = [names.index(first), names.index(species)]
    if same_samples(frame, *rows):
        return of_row(own_samples(frame), rows[1])
    data: Any = frame.origin
    pair = open_samples(data.isel(species=rows), frame.name, "a sum of signals")
    return of_row(interpolated(pair, species, pair.of_species(first)), 0)


def own_samples(frame: Frame) -> Signal:
    """Return all signals at their own samples."""
    columns = frame.value, frame.stderr, frame.counts
    return Signal(*columns, background_columns(frame), frame.flags, frame.limit)


def same_samples(frame: Frame, a: int, b: int) -> bool:
    """Whether two signals were measured at the same places."""
    if a == b:
        return True
    if frame.lazy:
        return False
    filled = frame.filled().value
    measured = [filled.isel(species=row).notnull().values for row in (a, b)]
    same = [np.array_equal(*measured)]
    if "species" in frame.depth.dims:
        z = [frame.depth.isel(species=row).values for row in (a, b)]
        same.append(np.array_equal(z[0], z[1], equal_nan=True))
    return all(same)


def interpolated(frame: Frame, species: str, among: xr.Variable) -> Signal:
    """Return one signal at the samples of all; `among` those are messages."""
    signal = at_samples_of(frame.filled(), species)
    warn_bridged(frame, species, signal, among)
    value, limit = signal.value, None
    if frame.limit is not None:
        high = at_samples_of(replace(frame, value=frame.value.fillna(frame.limit)), species).value
        value, limit = value.where(~(high > value)), high.where(high > value)
    columns = background_columns(frame).items()
    background = {end: at_samples_of_all(frame, column, species) for end, column in columns}
    counts = None
    if frame.counts is not None:
        row = frame.species().index(species)
        measured: Any = frame.value.notnull() & (row_of(frame.depth, row) == frame.depth)
        counts = row_of(frame.counts, row).where(measured).transpose(*frame.value.dims)
    return Signal(
        value, signal.of_sums, counts, background, evidence_of(frame, species).flags, limit
    )


def of_row(signal: Signal, row: int) -> Signal:
    """Return the signal of one species."""
    background = {end: row_of(column, row) for end, column in signal.background.items()}
    columns = (signal.value, signal.stderr, signal.counts, signal.flags, signal.limit)
    value, stderr, counts, flags, limit = (row_of(column, row) for column in columns)
    return Signal(value, stderr, counts, background, flags, limit)


def weighted_sum(
    frame: Frame, signals: Mapping[str, Signal], weights: Mapping[str, Weight]
) -> dict[str, xr.Variable]:
    """Return a weighted sum by the ends of the names of its columns.

    Parts below their limit of detection count as 0. Where these limits may matter, more than 1 % of
    the sum or of its error, it has a limit itself.
    """
    highest: Any = 0.0
    unknown: Any = 0.0
    for species, signal in signals.items():
        weight, most = weights[species].value, signal.value
        if signal.limit is not None:
            limit = signal.limit.where(most.isnull())
            unknown = unknown + abs(weight) * limit.fillna(0.0)
            most = most.fillna(limit)
        highest = highest + weight.clip(min=0.0) * most.fillna(0.0)
    signals = {species: _zero_below_limit(signal) for species, signal in signals.items()}
    terms = [(weights[species], signal) for species, signal in signals.items()]
    parts = [Part(w.value, signal.stderr, *background_of(signal.background)) for w, signal in terms]
    shared = [signal.value * w.error for w, signal in terms if w.error is not None]
    shared += _errors_of_scale(frame, signals, weights)
    value: Any = reduce(operator.add, [w.value * signal.value for w, signal in terms])
    columns = {"": value} | propagated(parts, shared)
    scatter = [signal.background.get("background_scatter") for _, signal in terms]
    scatter = [column for column in scatter if column is not None]
    if scatter:
        columns["background_scatter"] = reduce(partial(elementwise, np.fmax), scatter)
    flags = union(
        *(Evidence(_flags_unless_weightless(w, signal.flags)) for w, signal in terms)
    ).flags
    if any(signal.limit is not None for _, signal in terms):
        enough: Any = abs(value)
        if "stderr" in columns:
            enough = elementwise(np.maximum, enough, columns["stderr"].fillna(0.0))
        matters = unknown > _NOTABLE * enough
        columns[vocabulary.LIMIT] = highest.where(matters)
        if flags is not None:
            flags = flags.where(matters, flags & ~Flag.BELOW_LIMIT)
    if flags is not None:
        columns[vocabulary.QUALITY] = flags
    if "stderr" in columns and frame.counts is not None and _are_constant([w for w, _ in terms]):
        columns |= _counts_of_sum(
            columns["stderr"], [signal for _, signal in terms], terms[0][0].value
        )
    return columns


def _zero_below_limit(signal: Signal) -> Signal:
    """Return a signal with 0 for samples below a limit of detection, without their limits."""
    if signal.limit is None:
        return signal
    below = signal.limit.notnull() & signal.value.isnull()
    stderr = None if signal.stderr is None else signal.stderr.where(~below, 0.0)
    return changed(signal, value=signal.value.where(~below, 0.0), stderr=stderr)


def _flags_unless_weightless(weight: Weight, flags: xr.Variable | None) -> xr.Variable | None:
    """Return what is known of the samples of a part; of one without weight nothing matters."""
    if flags is None or weight.value.ndim or float(weight.value) != 0.0 or weight.error is not None:
        return flags
    return xr.zeros_like(flags)


def _are_constant(weights: Sequence[Weight]) -> bool:
    """Whether weights are the same for all samples, without error."""
    first = weights[0].value
    return not first.ndim and all(
        w.error is None and not w.value.ndim and float(w.value) == float(first) for w in weights
    )


def _counts_of_sum(
    stderr: xr.Variable, signals: Sequence[Signal], weight: xr.Variable
) -> dict[str, xr.Variable]:
    """Return the counts of a sum of one kind, and its error: zeros add none, unless all are."""
    if any(signal.counts is None for signal in signals):
        return {}
    counts: Any = reduce(operator.add, [signal.counts for signal in signals])
    value: Any = reduce(operator.add, [signal.value for signal in signals])
    alike = [
        abs(signal.value * counts - value * signal.counts)
        <= abs(value) * (_ROUNDED + _ROUNDED_RELATIVE * signal.counts)  # type: ignore[operator]
        for signal in signals
    ]
    counts = counts.where(reduce(operator.and_, alike))
    errors: list[Any] = [weight * signal.stderr for signal in signals if signal.stderr is not None]
    some = [
        error.where(signal.counts > 0, 0.0) ** 2  # type: ignore[operator]
        for error, signal in zip(errors, signals, strict=True)
    ]
    counted = reduce(operator.add, some) ** 0.5
    least = reduce(partial(elementwise, np.fmax), errors)
    of_counts = xr.where(counts > 0, counted, least)
    return {"counts": counts, "stderr": xr.where(counts.notnull(), of_counts, stderr)}


def _errors_of_scale(
    frame: Frame, signals: Mapping[str, Signal], weights: Mapping[str, Weight]
) -> list[Any]:
    """Return errors of factors of the parts, where these differ and the sum has none as a whole."""
    data: Any = frame.origin
    rows = [frame.species().index(species) for species in signals]
    terms = []
    for name in _OF_SCALE:
        relative = data.coords.variables.get(name)
        if relative is not None and "dose_scale" in data.coords and name != _OF_SCALE[-1]:
            relative = relative.where(data.coords.variables["dose_scale"] == 1, 0.0)
        if relative is not None and not _agree(relative, rows):
            of_each = (row_of(relative, row).fillna(0.0) for row in rows)
            terms += [
                weights[species].value * signal.value * part
                for (species, signal), part in zip(signals.items(), of_each, strict=True)
            ]
    return terms


def with_errors_of_scale(data: xr.Dataset, variable: str, over: str | None = None) -> xr.Dataset:
    """Return data with errors of factors among what all samples have in common, for quotients."""
    every, quantified = (*_OF_SCALE, "sensitivity_factor_day_to_day"), variable == "concentration"
    names = [coord for coord in (every if quantified else (_REPEATS,)) if coord in data.coords]
    if not names:
        return data
    frame = open_samples(data, variable, "an error of factors")
    relative: Any = data.coords.variables[names[0]]
    if quantified:
        relative = relative_uncertainties(frame, data, None, None)[0]
    relative = relative.fillna(0.0)
    if over is not None:
        relative = (relative**2 + row_of(relative, frame.species().index(over)) ** 2) ** 0.5
        relative = relative.where(~frame.of_species(over), 0.0)
    shares = with_common(background_columns(frame), abs(relative * frame.value))
    dims, unit = data[variable].dims, data[variable].attrs["units"]
    columns = {f"{variable}_{end}": column(variable, end, unit, errors, dims)
               for end, errors in shares.items()}  # fmt: skip
    return data.assign(columns).drop_vars(names)


def _agree(coord: xr.Variable, rows: Sequence[int]) -> bool:
    """Whether what a coordinate says of some species is the same."""
    if is_lazy(coord):
        return False
    first, *others = (coord.isel(species=row, missing_dims="ignore").values for row in rows)
    nan = coord.dtype.kind == "f"
    return all(np.array_equal(first, other, equal_nan=nan) for other in others)


def with_signals(
    data: xr.Dataset,
    variable: str,
    signals: Mapping[str, Mapping[str, xr.Variable]],
    of: Mapping[str, Sequence[str]],
    order: Sequence[Any],
) -> xr.Dataset:
    """Return data with signals of a variable, in place of species of their names or behind all.

    `signals` are their columns by the ends of their names, `of` the species that they are made of.
    What else is known stays with a new one where it is the same for all of these.
    """
    names = species_of(data)
    every = [*names, *(species for species in signals if species not in names)]
    rows = {new: [names.index(species) for species in parts] for new, parts in of.items()}
    index = [names.index(species) if species in names else rows[species][0] for species in every]
    result = data.isel(species=index)
    labels = data["species"].variable
    result = result.assign_coords(species=("species", every, labels.attrs))
    present = [end.lstrip("_") for end in ENDS if f"{variable}{end}" in data.variables]
    ends = dict.fromkeys([*present, *(end for columns in signals.values() for end in columns)])
    columns = {f"{variable}_{end}".rstrip("_"): end for end in ends}
    changed = {}
    for name, before in data.variables.items():
        if "species" not in before.dims or name == "species" or name in columns:
            continue
        instead = {}
        for new, parts in rows.items():
            replaced = new in names
            stays = _agree(before, parts) or (replaced and before.dtype.kind in "UO")
            if name in _PLACES:  # those of the first, at whose samples it is
                instead[every.index(new)] = row_of(before, parts[0])
            elif not stays or (name in data.data_vars and not replaced):
                instead[every.index(new)] = _missing_value(before.dtype)
        if instead:
            changed[str(name)] = _with_rows(result[name].variable, instead, before.dims)
    term = vocabulary.RATIOS.get(variable, variable)
    unit = units.CANONICAL[vocabulary.kinds(variable)[0]]
    unit = data[variable].attrs["units"] if variable in data else unit
    for name, end in columns.items():
        attrs = vocabulary.ancillary_attrs(term, end, unit) if end else vocabulary.attrs(term, unit)
        kind = np.dtype(np.int16 if end == vocabulary.QUALITY else np.float64)
        empty = xr.Variable("species", np.full(len(every), _missing_value(kind).data), attrs)
        before = result[name].variable if name in result.variables else empty
        columns_by_row = {
            every.index(new): ends.get(end, _missing_value(kind)) for new, ends in signals.items()
        }
        changed[name] = _with_rows(before, columns_by_row, order)
    result = result.assign(changed)
    return result.set_coords([name for name in changed if name.endswith(vocabulary.EVIDENCE)])


def _missing_value(kind: np.dtype[Any]) -> xr.Variable:
    """Return a blank: an empty text, NaN, or no flag."""
    value: Any = "" if kind.kind in "UO" else np.nan if kind.kind == "f" else 0
    return xr.Variable((), np.array(value, dtype=kind))


def _with_rows(
    before: xr.Variable, rows: Mapping[int, xr.Variable], order: Sequence[Any]
) -> xr.Variable:
    """Return a column with those of some species replaced."""
    if before.dtype.kind in "UO":  # Dask takes a single text for no array
        before = before.compute()
    over = {d: n for column in (before, *rows.values()) for d, n in column.sizes.items()}
    sizes = {d: over[d] for d in order if d in over}
    shape = {d: n for d, n in sizes.items() if d != "species"}
    every = before.set_dims(sizes).transpose(*sizes)
    replaced = [
        rows[i].set_dims(shape).transpose(*shape) if i in rows else every.isel(species=i)
        for i in range(sizes["species"])
    ]
    result = xr.Variable.concat(replaced, "species").transpose(*sizes)
    return xr.Variable(result.dims, result.data, before.attrs)
