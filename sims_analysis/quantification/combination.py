"""New signals as weighted sums of measured ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.analysis.uncertainty import relative_uncertainty
from sims_analysis.conventions.canonical import species_of
from sims_analysis.conventions.provenance import with_history
from sims_analysis.errors import SpeciesError
from sims_analysis.frame.arguments import read_pure, refuse_cases
from sims_analysis.frame.call import correction
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import open_samples
from sims_analysis.frame.run import anywhere, is_lazy
from sims_analysis.quantification.reference import measured_in
from sims_analysis.quantification.shared_parts import warn_of_shared
from sims_analysis.quantification.signals import Weight, signal_at, weighted_sum, with_signals
from sims_analysis.text.arguments import argument_error

#: A pure number; and one with its standard error.
_Number: TypeAlias = "float | str | xr.DataArray"
WithError: TypeAlias = "_Number | tuple[_Number, _Number]"


@correction
def combine(
    data: xr.Dataset,
    signals: Mapping[str, Mapping[str, WithError]],
    *,
    variable: str | None = None,
) -> xr.Dataset:
    """Make new signals as weighted sums of measured ones: ``y = sum w_j x_j``.

    A weight of 1 adds isotopes, or peaks; a negative one subtracts an interference. Not to be
    trusted where a weight without an error takes away most of a signal.

    Parameters
    ----------
    data : Dataset
        One measurement or a batch, over depth or sputter time.
    signals : mapping of mappings
        The weights of species by the name of the new signal:
        ``{"31P": {"31P": 1, "30Si": "-2.1e-4"}, "B": {"10B": 1, "11B": 1}}``. A weight is a number;
        a pair with its standard error, ``(-2.1e-4, "10 %")``; or a DataArray over ``measurement``
        or the axis of the data, with its error as the coordinate ``stderr``. A new signal with the
        name of a species replaces it.
    variable : str, optional
        By default the first in which all are measured, ``concentration`` before ``intensity``.

    Returns
    -------
    Dataset
        All species, and the new ones after them, at the samples of the first species of each sum;
        between their own samples the others are interpolated linearly. A sum that is negative
        within noise stays so. Beside it:

        - ``<variable>_stderr``: ``sqrt(sum (w_j s_j)^2)``, the random part
        - ``<variable>_background_stderr``: what all samples have in common, ``sqrt(sum (w_j b_j)^2
          + sum (x_j dw_j)^2)`` of the errors b of subtracted backgrounds and dw of weights, and of
          sensitivity factors, where these differ
        - ``<variable>_counts``: the sum, if all weights are the same and without error, and one
          count has the same value in all parts; NaN otherwise
        - the limit of detection instead of a value, where parts below theirs may make more than
          1 % of the sum, or of its error
        - what is known of the samples of each part (:func:`quality`); metadata that are the same
          for all parts

    Raises
    ------
    SpeciesError
        If a species is absent, or that to be replaced also has values of another variable.
    ProfileError
        If a weight is not a finite number, or its error is negative or not finite.
    UnitsError
        If no variable has all species of the sums.

    Warns
    -----
    ProfileWarning
        Where a straight line across a gap stands for a signal (not for Dask data); where parts were
        made of the same measured signals, so that their errors are not independent.

    Notes
    -----
    ``-mean_value(ratio(blank, ...))`` of a sample without the species is a weight with its error.
    If all parts have the same samples, the dose of a sum is exactly the sum of their doses.

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
    every = list(dict.fromkeys(species for parts in sums.values() for species in parts))
    name = measured_in(data, variable, *every)
    frame = open_samples(data, name, "a sum of signals")
    columns, texts = {}, []
    for new, parts in sums.items():
        weights = {
            species: _read_weight(frame, stated, f"signals[{new!r}][{species!r}]")
            for species, stated in parts.items()
        }
        first = next(iter(parts))
        terms = {species: signal_at(frame, first, species) for species in parts}
        warn_of_shared(data, name, combinations(parts, 2))
        made = weighted_sum(frame, terms, weights)
        if (limit := made.get(vocabulary.LIMIT)) is not None:  # there the sum has no value
            valued = [end for end in ("", "stderr", "counts") if end in made]
            made |= {end: made[end].where(limit.isnull()) for end in valued}
        columns[new] = made
        texts.append(f"{new} = {' + '.join(f'{w.text} {s}' for s, w in weights.items())}")
    of = {new: list(parts) for new, parts in sums.items()}
    _refuse_replaced(data, name, [label for label in sums if label in frame.species()])
    result = with_signals(data, name, columns, of, data[name].dims)
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


def _refuse_replaced(data: xr.Dataset, variable: str, names: Sequence[str]) -> None:
    """Refuse to replace species of which something else was made before."""
    for other in vocabulary.MEASURED:
        if other == variable or other not in data.data_vars:
            continue
        if "species" not in data[other].dims or is_lazy(data[other].variable):
            continue
        for label in names:
            if data[other].sel(species=label).notnull().any():
                raise SpeciesError(
                    f"{label!r} also has {other}, which would not belong to its new {variable}: "
                    f"combine before quantifying, or give the new signal another name",
                    code="repeated_species",
                )


def _read_weight(frame: Frame, stated: Any, name: str) -> Weight:
    """Read a weight: a number, one with its error, or a DataArray."""
    value, error = read_with_error(frame, stated, name)
    if not (is_lazy(value) or np.isfinite(value).any()):
        raise argument_error(name, stated, "expected a finite weight")
    text = f"{float(value):.6g}" if not value.ndim else f"(over {', '.join(map(str, value.dims))})"
    if error is not None and not error.ndim:
        text += f" (+- {float(error):.2g})"
    return Weight(value, error, text)


def read_with_error(frame: Frame, stated: Any, name: str) -> tuple[xr.Variable, xr.Variable | None]:
    """Read a pure number, and its standard error if it is stated: see :func:`combine`."""
    expected = "a number, a pair of it and its standard error, or a DataArray"
    if isinstance(stated, tuple | list):
        if len(stated) != 2:
            raise argument_error(name, stated, f"expected {expected}")
        value = _read_number(frame, stated[0], name, expected)
        label = f"error of {name}"
        if isinstance(stated[1], str) and "%" in stated[1]:
            error = abs(value) * relative_uncertainty(stated[1], label).variable
        else:
            error = _read_number(frame, stated[1], label, "a standard error, as 2e-5 or '10 %'")
    elif isinstance(stated, xr.DataArray):
        plain = stated.drop_vars([c for c in stated.coords if c not in (*stated.dims, "stderr")])
        value = _read_number(frame, plain.drop_vars("stderr", errors="ignore"), name, expected)
        if "stderr" not in plain.coords:
            return value, None
        error = _read_number(frame, plain["stderr"].drop_vars("stderr"), name, expected)
    else:
        return _read_number(frame, stated, name, expected), None
    unknown: Any = error.isnull() & value.notnull()
    if anywhere((error < 0) | np.isinf(error) | unknown):
        raise argument_error(name, stated, "its standard error must be finite and not negative")
    return value, error


def _read_number(frame: Frame, stated: Any, name: str, expected: str) -> xr.Variable:
    if isinstance(stated, str):
        try:
            stated = float(stated)
        except ValueError:
            plain = f"{expected}, without a unit or %"
            raise argument_error(name, stated, f"expected {plain}") from None
    if isinstance(stated, xr.DataArray):
        if "species" in stated.dims:
            raise argument_error(name, stated, "it is over species; expected that of one")
        pure = stated if "units" in stated.attrs else stated.assign_attrs(units="1")
        read = frame.parameter(pure, ("dimensionless",), name, along=True)
        refuse_cases(frame, read, name)
        return read
    return read_pure(frame, stated, name, expected)
