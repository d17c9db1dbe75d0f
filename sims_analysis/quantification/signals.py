"""Signals of others: weighted sums of several, and parts of a total, a species or a maximum."""

from __future__ import annotations

import operator
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial, reduce
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.uncertainty import relative_uncertainty
from sims_analysis.conventions.canonical import ENDS, species_of
from sims_analysis.conventions.provenance import with_history
from sims_analysis.errors import SpeciesError
from sims_analysis.frame.arguments import read_pure, refuse_cases
from sims_analysis.frame.background import shares_in
from sims_analysis.frame.call import correction
from sims_analysis.frame.evidence import Known, either, union
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import open_samples
from sims_analysis.frame.run import anywhere, elementwise, is_lazy
from sims_analysis.frame.window import Window, read_pair
from sims_analysis.outcomes import Flag
from sims_analysis.quantification.isotopes import warn_of_bias
from sims_analysis.quantification.reference import (
    Part,
    Reference,
    at_samples_of,
    at_samples_of_all,
    background_columns,
    background_of,
    known_of,
    limits_over,
    mean_in,
    measured_in,
    measured_over_species,
    propagated,
    warn_bridged,
)
from sims_analysis.text.arguments import argument_error, read_name
from sims_analysis.units import WindowLike

#: A pure number; and one with its standard error.
_Number: TypeAlias = "float | str | xr.DataArray"
WithError: TypeAlias = "_Number | tuple[_Number, _Number]"
#: Relative uncertainties that all samples of a species have in common.
_OF_SCALE = ("sensitivity_factor_uncertainty", "scale_repeatability", "dose_scale_uncertainty")
#: Places of samples.
_PLACES = (*vocabulary.AXES, *vocabulary.CELLS, *(f"{axis}_bounds" for axis in vocabulary.AXES))
#: The part of a total that may be due to samples below their limit of detection.
_NOTABLE = 0.01
#: Counts belong to a value as those of others to theirs, to within rounding in print.
_ROUNDED, _ROUNDED_RELATIVE = 0.05, 0.01


@correction
def combine(
    data: xr.Dataset,
    signals: Mapping[str, Mapping[str, WithError]],
    *,
    variable: str | None = None,
) -> xr.Dataset:
    """Make new signals as weighted sums of measured ones: ``y = sum w_j x_j``.

    An interference is subtracted by a negative weight; isotopes, or peaks of a spectrum, are added
    with weights of 1.

    Parameters
    ----------
    data : Dataset
        One measurement or a batch, over depth or sputter time.
    signals : mapping of mappings
        The weights of species by the name of the new signal:
        ``{"31P": {"31P": 1, "30Si": "-2.1e-4"}, "B": {"10B": 1, "11B": 1}}``. A weight is a number;
        a pair with its standard error, ``(-2.1e-4, 0.2e-4)`` or ``(-2.1e-4, "10 %")``; or a
        DataArray over ``measurement`` or the axis of the data, whose coordinate ``stderr`` is its
        error. The new name may be that of a species, which is then replaced.
    variable : str, optional
        By default the first in which all are measured, ``concentration`` before ``intensity``.

    Returns
    -------
    Dataset
        With all its species, and the new ones behind them: at the samples of the first species of
        each sum, where the others are interpolated linearly, and at the ends taken from the same
        cycle, as for :func:`ratio`. A sum that is negative within noise stays so.

        - ``<variable>_stderr``: ``sqrt(sum (w_j s_j)^2)``
        - ``<variable>_background_stderr``: what samples have in common, ``sqrt(sum (w_j b_j)^2 +
          sum (x_j dw_j)^2)`` of the errors b of subtracted backgrounds and dw of weights, and of
          relative uncertainties of factors where these differ
        - ``<variable>_counts``: the sum, where all weights are the same, without error, and one
          count has the same value in all; otherwise NaN
        - what is known of the samples of each part, as :func:`quality` tells; where one is below
          its limit of detection, the sum has no value, but a limit of detection itself

        What is delivered with each species stays with a new one where it is the same for all parts.

    Raises
    ------
    SpeciesError
        If a species is absent, or that to be replaced also has values of another variable.
    ProfileError
        If a weight is not a finite number, or its error is negative.
    UnitsError
        If no variable has all species of the sums; they are not of the same unit then.

    Warns
    -----
    ProfileWarning
        Where a straight line across a gap stands for a signal. Not for Dask data.

    See Also
    --------
    ratio, normalise

    Notes
    -----
    Weights of -k have the error of k from a sample without the species: the ratio of its signals.

    References
    ----------
    JCGM 100:2008, Guide to the expression of uncertainty in measurement, 5.1.2.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> run = sims.open_example("sputter-time")
    >>> run = sims.combine(run, {"As - Si": {"As": 1, "Si": (-1e-4, "10 %")}})
    >>> run["species"].values.tolist()
    ['As', 'Si', 'As - Si']
    """
    sums = _read_names(data, signals)
    every = list(dict.fromkeys(one for parts in sums.values() for one in parts))
    name = measured_in(data, variable, *every)
    if "species" not in data[name].dims:
        raise SpeciesError(
            f"a sum is of species, and {name} has no dimension 'species'; select them with a list: "
            "ds.sel(species=['31P', '30Si'])"
        )
    frame = open_samples(data, name, "a sum of signals")
    made, texts = {}, []
    for new, parts in sums.items():
        weights = {
            one: _read_weight(frame, stated, f"signals[{new!r}][{one!r}]")
            for one, stated in parts.items()
        }
        first = next(iter(parts))
        made[new] = _sum(frame, {one: signal_at(frame, first, one) for one in parts}, weights)
        texts.append(f"{new} = {' + '.join(f'{w.text} {one}' for one, w in weights.items())}")
    of = {new: list(parts) for new, parts in sums.items()}
    _refuse_replaced(data, name, [one for one in sums if one in frame.species()])
    result = with_signals(data, name, made, of, data[name].dims)
    return with_history(result, f"{name} combined: {'; '.join(texts)}")


def _read_names(data: xr.Dataset, signals: Any) -> dict[str, dict[str, Any]]:
    """Check which signals are to be made of which species."""
    form = "expected weights by species for each new signal, {'31P': {'31P': 1, '30Si': -2e-4}}"
    if not isinstance(signals, Mapping) or not signals:
        raise argument_error("signals", signals, form)
    for new, parts in signals.items():
        if not (isinstance(new, str) and new and isinstance(parts, Mapping) and parts):
            raise argument_error(f"signals[{new!r}]", parts, form)
        species_of(data, *parts, name=f"signals[{new!r}]")
    return {new: dict(parts) for new, parts in signals.items()}


class _Weight(NamedTuple):
    """A weight, the same for all samples of a profile or along them, and its standard error."""

    value: xr.Variable
    error: xr.Variable | None
    text: str


def _read_weight(frame: Frame, stated: Any, name: str) -> _Weight:
    """Read a weight: a number, one with its error, or a DataArray."""
    value, error = read_with_error(frame, stated, name)
    finite: Any = np.isfinite(value)
    if anywhere(~finite) and not isinstance(stated, xr.DataArray):
        raise argument_error(name, stated, "expected a finite weight")
    text = f"{float(value):.6g}" if not value.ndim else f"(over {', '.join(map(str, value.dims))})"
    if error is not None and not error.ndim:
        text += f" (+- {float(error):.2g})"
    return _Weight(value, error, text)


def read_with_error(frame: Frame, stated: Any, name: str) -> tuple[xr.Variable, xr.Variable | None]:
    """Read a pure number, and its standard error if it is stated: see :func:`combine`."""
    expected = "a number, a pair of it and its standard error, or a DataArray"
    if isinstance(stated, tuple | list):
        if len(stated) != 2:
            raise argument_error(name, stated, f"expected {expected}")
        value = _read_number(frame, stated[0], name, expected)
        own = f"error of {name}"
        if isinstance(stated[1], str) and "%" in stated[1]:
            error = abs(value) * relative_uncertainty(stated[1], own).variable
        else:
            error = _read_number(frame, stated[1], own, "a standard error, as 2e-5 or '10 %'")
    elif isinstance(stated, xr.DataArray):
        plain = stated.drop_vars([c for c in stated.coords if c not in (*stated.dims, "stderr")])
        value = _read_number(frame, plain.drop_vars("stderr", errors="ignore"), name, expected)
        if "stderr" not in plain.coords:
            return value, None
        error = _read_number(frame, plain["stderr"].drop_vars("stderr"), name, expected)
    else:
        return _read_number(frame, stated, name, expected), None
    if anywhere(error < 0):
        raise argument_error(name, stated, "its standard error must not be negative")
    return value, error


def _read_number(frame: Frame, stated: Any, name: str, expected: str) -> xr.Variable:
    if isinstance(stated, str):
        return frame.parameter(stated, ("dimensionless",), name)
    if isinstance(stated, xr.DataArray):
        if "species" in stated.dims:
            raise argument_error(name, stated, "it is over species; expected that of one")
        one = stated if "units" in stated.attrs else stated.assign_attrs(units="1")
        read = frame.parameter(one, ("dimensionless",), name, along=True)
        refuse_cases(frame, read, name)
        return read
    return read_pure(frame, stated, name, expected)


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
    if _same_samples(frame, *rows):
        background = background_columns(frame)
        columns = (frame.value, frame.stderr, frame.counts, background, frame.flags, frame.limit)
        return _of_row(Signal(*columns), rows[1])
    data: Any = frame.origin
    pair = open_samples(data.isel(species=rows), frame.name, "a sum of signals")
    return _between_samples(pair, species)


def _same_samples(frame: Frame, a: int, b: int) -> bool:
    """Whether two signals were measured at the same places."""
    if a == b:
        return True
    if frame.lazy:
        return False
    measured = frame.filled().value.notnull()
    same = [np.array_equal(measured.isel(species=a), measured.isel(species=b))]
    if "species" in frame.depth.dims:
        z = [frame.depth.isel(species=row).values for row in (a, b)]
        same.append(np.array_equal(z[0], z[1], equal_nan=True))
    return all(same)


def _between_samples(pair: Frame, species: str) -> Signal:
    """Return the second signal of two at the samples of the first, without its counts."""
    found = at_samples_of(pair.filled(), species)
    warn_bridged(pair, species, found, pair.of_species(pair.species()[0]))
    value, limit = found.value, None
    if pair.limit is not None:
        high = at_samples_of(replace(pair, value=pair.value.fillna(pair.limit)), species).value
        value, limit = value.where(~(high > value)), high.where(high > value)
    columns = background_columns(pair).items()
    background = {end: at_samples_of_all(pair, one, species) for end, one in columns}
    flags = known_of(pair, species).flags
    return _of_row(Signal(value, found.of_sums, None, background, flags, limit), 0)


def _row(variable: xr.Variable, row: int) -> xr.Variable:
    found: xr.Variable = variable.isel(species=row, missing_dims="ignore")
    return found


def _sum(
    frame: Frame, signals: Mapping[str, Signal], weights: Mapping[str, _Weight]
) -> dict[str, xr.Variable]:
    """Return a weighted sum by the ends of the names of its columns."""
    terms = [(weights[one], signal) for one, signal in signals.items()]
    parts = [Part(w.value, one.stderr, *background_of(one.background)) for w, one in terms]
    shared = [one.value * w.error for w, one in terms if w.error is not None]
    shared += _errors_of_scale(frame, signals, weights)
    value: Any = reduce(operator.add, [w.value * one.value for w, one in terms])
    found = {"": value} | propagated(parts, shared)
    scatter = [one.background.get("background_scatter") for _, one in terms]
    scatter = [one for one in scatter if one is not None]
    if scatter:
        found["background_scatter"] = reduce(partial(elementwise, np.fmax), scatter)
    flags = union(*(Known(one.flags) for _, one in terms)).flags
    if flags is not None:
        found[vocabulary.QUALITY] = flags
    if any(one.limit is not None for _, one in terms):
        limits = [
            one.value if one.limit is None else one.value.fillna(one.limit) for _, one in terms
        ]
        known = reduce(operator.and_, [one.notnull() for one in limits])
        highest: Any = reduce(
            operator.add,
            [
                w.value.clip(min=0.0) * one.fillna(0.0)
                for (w, _), one in zip(terms, limits, strict=True)
            ],
        )
        found[vocabulary.CENSORED] = highest.where(known & value.isnull())
    if frame.counts is not None and _equal([w for w, _ in terms]):
        found |= _of_counts(found["stderr"], [one for _, one in terms], terms[0][0].value)
    return found


def _equal(weights: Sequence[_Weight]) -> bool:
    """Whether weights are the same for all samples, without error."""
    first = weights[0].value
    return not first.ndim and all(
        w.error is None and not w.value.ndim and float(w.value) == float(first) for w in weights
    )


def _of_counts(
    stderr: xr.Variable, signals: Sequence[Signal], weight: xr.Variable
) -> dict[str, xr.Variable]:
    """Return the counts of a sum whose parts are of one kind of count, and its standard error.

    As in any sum of counts: parts with zero counts add no variance, unless all are zero.
    """
    if any(one.counts is None for one in signals):
        return {}
    counts: Any = reduce(operator.add, [one.counts for one in signals])
    value: Any = reduce(operator.add, [one.value for one in signals])
    alike = [
        abs(one.value * counts - value * one.counts)
        <= abs(value) * (_ROUNDED + _ROUNDED_RELATIVE * one.counts)  # type: ignore[operator]
        for one in signals
    ]
    counts = counts.where(reduce(operator.and_, alike))
    errors: list[Any] = [weight * one.stderr for one in signals if one.stderr is not None]
    some = [
        error.where(one.counts > 0, 0.0) ** 2  # type: ignore[operator]
        for error, one in zip(errors, signals, strict=True)
    ]
    counted = reduce(operator.add, some) ** 0.5
    nothing = reduce(partial(elementwise, np.fmax), errors)
    of_counts = xr.where(counts > 0, counted, nothing)
    return {"counts": counts, "stderr": xr.where(counts.notnull(), of_counts, stderr)}


def _errors_of_scale(
    frame: Frame, signals: Mapping[str, Signal], weights: Mapping[str, _Weight]
) -> list[Any]:
    """Return errors of factors of the parts, where these differ and the sum has none as a whole."""
    data: Any = frame.origin
    rows = [frame.species().index(one) for one in signals]
    found = []
    for name in _OF_SCALE:
        relative = data.coords.variables.get(name)
        if relative is not None and not _agree(relative, rows):
            of_each = (_row(relative, row).fillna(0.0) for row in rows)
            found += [
                weights[one].value * signal.value * part
                for (one, signal), part in zip(signals.items(), of_each, strict=True)
            ]
    return found


def _agree(coord: xr.Variable, rows: Sequence[int]) -> bool:
    """Whether what a coordinate says of some species is the same."""
    if is_lazy(coord):
        return False
    first, *others = (coord.isel(species=row, missing_dims="ignore").values for row in rows)
    nan = coord.dtype.kind == "f"
    return all(np.array_equal(first, one, equal_nan=nan) for one in others)


def with_signals(
    data: xr.Dataset,
    variable: str,
    made: Mapping[str, Mapping[str, xr.Variable]],
    of: Mapping[str, Sequence[str]],
    order: Sequence[Any],
) -> xr.Dataset:
    """Return data with signals of a variable, in place of species of their names or behind all.

    `made` are their columns by the ends of their names, `of` the species that they are made of.
    What else is known of a species stays with a new one where it is the same for all of these, and
    texts with one that is replaced. `order` is that of the dimensions.
    """
    names = species_of(data)
    every = [*names, *(one for one in made if one not in names)]
    rows = {new: [names.index(one) for one in parts] for new, parts in of.items()}
    index = [names.index(one) if one in names else rows[one][0] for one in every]
    result = data.isel(species=index)
    labels = data["species"].variable
    result = result.assign_coords(species=("species", every, labels.attrs))
    columns = {f"{variable}_{end}".rstrip("_"): end for end in _ends(data, variable, made)}
    changed = {}
    for name, before in data.variables.items():
        if "species" not in before.dims or name == "species" or name in columns:
            continue
        instead = {}
        for new, parts in rows.items():
            replaced = new in names
            stays = _agree(before, parts) or (replaced and before.dtype.kind in "UO")
            if name in _PLACES:  # those of the first, at whose samples it is
                instead[every.index(new)] = _row(before, parts[0])
            elif not stays or (name in data.data_vars and not replaced):
                instead[every.index(new)] = _blank(before.dtype)
        if instead:
            changed[str(name)] = _with_rows(result[name].variable, instead, before.dims)
    term = vocabulary.RATIOS.get(variable, variable)
    unit = units.CANONICAL[vocabulary.kinds(variable)[0]]
    unit = data[variable].attrs["units"] if variable in data else unit
    for name, end in columns.items():
        attrs = vocabulary.ancillary_attrs(term, end, unit) if end else vocabulary.attrs(term, unit)
        kind = np.dtype(np.int16 if end == vocabulary.QUALITY else np.float64)
        nothing = xr.Variable("species", np.full(len(every), _blank(kind).data), attrs)
        before = result[name].variable if name in result.variables else nothing
        own = {every.index(new): one.get(end, _blank(kind)) for new, one in made.items()}
        changed[name] = _with_rows(before, own, order)
    result = result.assign(changed)
    return result.set_coords([one for one in changed if one.endswith(vocabulary.EVIDENCE)])


def _ends(data: xr.Dataset, variable: str, made: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """List the ends of the names of a variable's columns: those there, and those made."""
    there = [end.lstrip("_") for end in ENDS if f"{variable}{end}" in data.variables]
    return list(dict.fromkeys([*there, *(end for one in made.values() for end in one)]))


def _blank(kind: np.dtype[Any]) -> xr.Variable:
    """Return what says nothing: an empty text, NaN, or no flag."""
    nothing: Any = "" if kind.kind in "UO" else np.nan if kind.kind == "f" else 0
    return xr.Variable((), np.array(nothing, dtype=kind))


def _with_rows(
    before: xr.Variable, rows: Mapping[int, xr.Variable], order: Sequence[Any]
) -> xr.Variable:
    """Return a column with those of some species replaced."""
    over = {d: n for one in (before, *rows.values()) for d, n in one.sizes.items()}
    sizes = {d: over[d] for d in order if d in over}
    each = {d: n for d, n in sizes.items() if d != "species"}
    every = before.set_dims(sizes).transpose(*sizes)
    found = [
        rows[i].set_dims(each).transpose(*each) if i in rows else every.isel(species=i)
        for i in range(sizes["species"])
    ]
    made = xr.Variable.concat(found, "species").transpose(*sizes)
    return xr.Variable(made.dims, made.data, before.attrs)


def _refuse_replaced(data: xr.Dataset, variable: str, names: Sequence[str]) -> None:
    """Refuse to replace species of which something else was made before."""
    for other in vocabulary.MEASURED:
        if other == variable or other not in data.data_vars:
            continue
        if "species" not in data[other].dims or is_lazy(data[other].variable):
            continue
        for one in names:
            if data[other].sel(species=one).notnull().any():
                raise SpeciesError(
                    f"{one!r} also has {other}, which would not belong to its new {variable}: "
                    f"combine before quantifying, or give the new signal another name",
                    code="repeated_species",
                )


@correction
def normalise(
    data: xr.Dataset,
    *,
    to: str,
    window: WindowLike | None = None,
    variable: str | None = None,
) -> xr.Dataset:
    """Divide all signals by their total, by one of them, or each by its maximum.

    Parameters
    ----------
    data : Dataset
        One measurement or a batch, over depth or sputter time.
    to : str
        ``"total"``: the sum of all species, or the species of this name (the total ion current of
        a time-of-flight instrument, of which the others are parts); a species, such as a matrix
        signal; or ``"maximum"``, each to its own.
    window : (start, stop), optional
        Depths, or times. Divide each profile by one number, the mean of the total or the species
        between them, and not sample by sample; or by the maximum between them.
    variable : str, optional
        By default the concentration, otherwise the first measured variable.

    Returns
    -------
    Dataset
        The variable is replaced by ``fraction`` (of a total) or ``ratio`` (to a species or the
        maximum; unit ``1``), data like any other: with peaks, interfaces, layers and fits. Species
        without a sample of it, and other measured variables, are left out.

        - ``fraction_stderr`` (``ratio_stderr``): sample by sample, with the signal a inside of its
          total T, ``sqrt([(T - a) s_a]^2 + a^2 (s_T^2 - s_a^2)) / T^2``; over another species, as
          for :func:`ratio`; by one number M, ``s / M``
        - ``fraction_background_stderr``: what samples have in common, backgrounds and, by one
          number with the standard error e, ``x e / M^2``; with the ``_overlap`` of samples of the
          signal itself in the window, so that errors of sums come out right
        - counts, and what is known of samples: of a total, of all its parts

        The species that all are divided by is 1, without an error if sample by sample.

    Raises
    ------
    SpeciesError
        If the species is absent.
    UnitsError
        If there is no measured variable with several species.
    ProfileError
        If the window holds no sample.

    Warns
    -----
    ProfileWarning
        Where ratios are too high, because a species has few counts: see :func:`ratio`. Not for Dask
        data.

    See Also
    --------
    ratio, combine, with_rsf

    Notes
    -----
    Samples of species below their limit of detection count as 0 in a total; it is marked as below
    the limit only where their limits are more than 1 % of it. The largest of samples with noise is
    above the maximum of the profile by about an error of theirs.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> run = sims.open_example("sputter-time")
    >>> sims.normalise(run, to="total")["fraction"].sum("species").max().item()
    1.0
    """
    to = read_name("to", to)
    name = measured_over_species(data, variable)
    data = _measured(data, name)
    frame = open_samples(data, name, "a normalised signal")
    if to not in ("total", "maximum"):
        frame.species(to, name="to")
    named, total = to in frame.species(), to == "total"
    ends = None if window is None else read_pair(frame, window)
    share = None
    if to == "maximum" and not named:
        whole, share = _maximum(frame, ends)
    else:
        whole = _at_all(frame, to) if named else _total(frame)
        if ends is not None:
            whole, share = _mean(frame, whole, ends, window, to if named else None)
    everything = xr.Variable((), data=True)
    parts = everything if total or not named else frame.of_species(to)
    made = _over(frame, whole, parts, share, to if named else None)
    if share is None and not total and whole.stderr is not None:
        below = Reference(whole.value, whole.stderr, whole.stderr, whole.value.isnull())
        warn_of_bias(frame, below, made, ~parts, to)
    result = _renamed(data, frame, "fraction" if total else "ratio", made)
    over = "" if window is None else f", from {window[0]} to {window[1]}"
    by = f"the {to}" if to in ("total", "maximum") else to
    return with_history(result, f"{name} / {by}{over}")


def _measured(data: xr.Dataset, name: str) -> xr.Dataset:
    """Return a variable of the species that were measured in it, without other such variables."""
    others = [one for one in vocabulary.MEASURED if one != name and one in data.data_vars]
    data = data.drop_vars([one + end for one in others for end in ENDS], errors="ignore")
    if is_lazy(data[name].variable):
        return data
    there = data[name].variable.notnull()
    limit = data.variables.get(f"{name}_{vocabulary.CENSORED}")
    there = there if limit is None else there | limit.notnull()
    return data.isel(species=there.any([d for d in there.dims if d != "species"]).values)


def _at_all(frame: Frame, species: str) -> Signal:
    """Return one signal at the samples of all."""
    found = at_samples_of(frame, species)
    warn_bridged(frame, species, found, ~frame.of_species(species))
    columns = background_columns(frame).items()
    background = {end: at_samples_of_all(frame, one, species) for end, one in columns}
    flags = known_of(frame, species).flags
    return Signal(found.value, found.of_sums, None, background, flags)


def _total(frame: Frame) -> Signal:
    """Return the sum of all signals, at the samples of each."""
    names = frame.species()
    weights = dict.fromkeys(names, _Weight(xr.Variable((), 1.0), None, "1"))
    sums: dict[int, Any] = {}
    of_each = []
    for row, first in enumerate(names):
        like = next((other for other in sums if _same_samples(frame, other, row)), row)
        if like == row:
            signals = {one: signal_at(frame, first, one) for one in names}
            sums[row] = _sum(frame, {k: _or_zero(v) for k, v in signals.items()}, weights)
            limits = [one.limit.fillna(0.0) for one in signals.values() if one.limit is not None]
            if limits:
                flags = sums[row][vocabulary.QUALITY]
                matter = reduce(operator.add, limits) > _NOTABLE * sums[row][""]
                sums[row][vocabulary.QUALITY] = flags.where(matter, flags & ~Flag.BELOW_LIMIT)
        of_each.append(sums[like])

    def column(end: str) -> xr.Variable:
        kept = [d for d in frame.value.dims if d != "species"]
        sizes = {d: frame.value.sizes[d] for d in kept}
        nothing = xr.Variable((), np.nan if end != vocabulary.QUALITY else np.int16(0))
        rows = [one.get(end, nothing).set_dims(sizes).transpose(*kept) for one in of_each]
        found: xr.Variable = xr.Variable.concat(rows, "species").transpose(*frame.value.dims)
        return found

    ends = {end for one in of_each for end in one}
    background = {end: column(end) for end in vocabulary.OF_BACKGROUND if end in ends}
    flags = column(vocabulary.QUALITY).astype(np.int16) if vocabulary.QUALITY in ends else None
    stderr = column("stderr") if "stderr" in ends else None
    return Signal(column(""), stderr, None, background, flags)


def _or_zero(signal: Signal) -> Signal:
    """Return a signal with 0 for samples below a limit of detection, without their limits."""
    if signal.limit is None:
        return signal
    below = signal.limit.notnull()
    stderr = None if signal.stderr is None else signal.stderr.where(~below, 0.0)
    return signal._replace(value=signal.value.where(~below, 0.0), stderr=stderr, limit=None)


def _mean(
    frame: Frame, whole: Signal, ends: Window, window: Any, species: str | None
) -> tuple[Signal, xr.Variable]:
    """Return the mean of a signal over a window, one for each profile, and shares of its samples.

    That of a species is of its own samples.
    """
    of = replace(
        frame, value=whole.value, stderr=whole.stderr, counts=None, common=None, overlap=None,
        scatter=None, flags=whole.flags, limit=None,
    )  # fmt: skip
    among = xr.Variable((), data=True) if species is None else frame.of_species(species)
    mean = mean_in(of, ends, among, window)
    share = shares_in(of, ends)
    background = {}
    if "background_stderr" in whole.background:
        common = whole.background["background_stderr"]
        background["background_stderr"] = (share * common.fillna(0.0)).sum(frame.dim)
    stderr = mean.stderr.fillna(np.inf).where(mean.n > 0)
    flags = mean.rests.flags.astype(np.int16)
    found = Signal(mean.value, stderr, None, background, flags)
    return found if species is None else _of_row(found, frame.species().index(species)), share


def _of_row(signal: Signal, row: int) -> Signal:
    """Return the signal of one species."""
    value, stderr, counts, background, flags, limit = signal
    every = (stderr, counts, flags, limit)
    stderr, counts, flags, limit = (None if one is None else _row(one, row) for one in every)
    columns = {end: _row(one, row) for end, one in background.items()}
    return Signal(_row(value, row), stderr, counts, columns, flags, limit)


def _maximum(frame: Frame, ends: Window | None) -> tuple[Signal, xr.Variable]:
    """Return the largest sample of each profile in a window, and where it is."""
    inside = frame.value
    if ends is not None:
        inside = inside.where(~((frame.depth < ends[0]) | (frame.depth > ends[1])))
    value = inside.max(frame.dim)
    there = inside == value

    def of(column: xr.Variable) -> xr.Variable:
        found: xr.Variable = column.where(there).max(frame.dim)
        return found

    stderr = None if frame.stderr is None else of(frame.stderr)
    columns = background_columns(frame)
    background = {end: of(columns[end]) for end in ("background_stderr",) if end in columns}
    flags = (
        None
        if frame.flags is None
        else either(frame.flags.where(there, 0).astype(np.int16), frame.dim)
    )
    return Signal(value, stderr, None, background, flags), there / there.sum(frame.dim)


def _over(
    frame: Frame, whole: Signal, parts: xr.Variable, share: xr.Variable | None, of: str | None
) -> dict[str, xr.Variable]:
    """Divide all signals by another, `of` a species if of one, of which those flagged are `parts`.

    With the rest ``R = T - a``, ``a / T`` has the slopes ``R / T^2`` over a and ``-a / T^2`` over
    R. By one number, it is the mean of samples with a `share` in it, and its error common to all.
    """
    above = whole.value.where(whole.value > 0)
    value: Any = frame.value / above
    background = background_columns(frame)
    common, overlap = background_of(background)
    of_whole, overlap_of_whole = background_of(whole.background)
    others = _without(of_whole, common, parts)
    own, of_rest = (1.0 - parts * value) / above, value / above
    if share is None:
        stderr = _without(whole.stderr, frame.stderr, parts)
        part = None
        if overlap is not None and overlap_of_whole is not None:
            products = of_whole**2 * overlap_of_whole, (common**2 * overlap).fillna(0.0)
            part = (products[0] - parts * products[1]) / others.where(others > 0) ** 2
        found = propagated(
            [Part(own, frame.stderr, common, overlap), Part(of_rest, stderr, others, part)]
        )
    else:
        errors = [] if whole.stderr is None else [of_rest * whole.stderr]
        every = [Part(own, None, common, overlap), Part(of_rest, None, others)]
        found = propagated([Part(1.0 / above, frame.stderr), *every], errors)
        if frame.stderr is not None and errors:
            own = parts * share * of_rest / above * frame.stderr**2
            own = (own / found["background_stderr"] ** 2).fillna(0.0)
            found["background_overlap"] = found.get("background_overlap", 0.0) + own
    found = {"": value} | {k: v for k, v in background.items() if k not in found} | found
    flags = Known(frame.flags)
    if whole.flags is not None:
        every_flag = whole.flags.set_dims(frame.value.sizes).transpose(*frame.value.dims)
        flags = union(flags, Known(every_flag))
    if flags.flags is not None:
        found[vocabulary.QUALITY] = flags.flags
    if frame.limit is not None:
        found[vocabulary.CENSORED] = limits_over(frame, above, of if share is None else None)
    return found


def _without(whole: Any, own: Any, parts: xr.Variable) -> Any:
    """Return the error of the rest of a signal without its parts."""
    if whole is None or own is None:
        return whole
    return (whole**2 - parts * own.fillna(0.0) ** 2).clip(min=0.0) ** 0.5


def _renamed(
    data: xr.Dataset, frame: Frame, kind: str, made: Mapping[str, xr.Variable]
) -> xr.Dataset:
    """Return data with ratios in place of the variable that they were made of."""
    term, order = vocabulary.RATIOS[kind], data[frame.name].dims
    if frame.counts is not None:
        made = {**made, "counts": frame.counts.where(made[""].notnull())}
    result = data.drop_vars([frame.name + end for end in ENDS], errors="ignore")
    columns = {}
    for end, one in made.items():
        attrs = vocabulary.ancillary_attrs(term, end, "1") if end else vocabulary.attrs(term)
        own = one.transpose(*(d for d in order if d in one.dims))
        columns[f"{kind}_{end}".rstrip("_")] = xr.Variable(own.dims, own.data, attrs)
    result = result.assign(columns)
    return result.set_coords([one for one in columns if one.endswith(vocabulary.EVIDENCE)])
