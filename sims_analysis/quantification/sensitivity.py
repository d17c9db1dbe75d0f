"""Intensities to concentrations with relative sensitivity factors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.dataset.axes import axis_name, axis_of
from sims_analysis.dataset.canonical import (
    BESIDE,
    IN_ITS_UNIT,
    argument,
    check_positive,
    label_of,
    mean_in_window,
    name_profiles,
    on_canonical_data,
    signal_name,
    species_of,
)
from sims_analysis.dataset.provenance import with_step
from sims_analysis.errors import ProfileError, ProfileWarning, SpeciesError, UnitsError, warn
from sims_analysis.quantification.concentration import with_concentration
from sims_analysis.quantification.layers import read_layers
from sims_analysis.quantification.reference import at_samples_of, common_errors, quotient
from sims_analysis.text.arguments import check_choice, format_argument, is_number
from sims_analysis.units import ParameterLike, WindowLike

__all__ = ["FACTOR_TERMS", "kind_of_factor", "with_rsf"]

#: Factors by species.
Factors = Mapping[str, ParameterLike]
#: Where a layer ends, None for the end of the record; and its factors.
Layer: TypeAlias = "tuple[ParameterLike | None, ParameterLike | Factors]"

#: Kind of a factor -> the coordinate that holds it: absolute without a matrix signal.
FACTOR_TERMS = {
    "concentration": "sensitivity_factor",
    "factor_per_rate": "absolute_sensitivity_factor",
    "factor_per_count": "absolute_sensitivity_factor",
}
_OF_INTENSITY = {"count/s": "factor_per_rate", "count": "factor_per_count"}
#: A matrix signal below this multiple of its standard error is not above its noise.
_ABOVE_NOISE = 3.0


@on_canonical_data
def with_rsf(
    data: xr.Dataset,
    *,
    rsf: ParameterLike | Factors | Sequence[xr.DataArray] | Sequence[Layer],
    matrix: str | None,
    matrix_signal: Literal["cycle", "mean"] = "cycle",
    window: WindowLike | None = None,
    matrix_threshold: float = 0.01,
    keep_intensity: bool = False,
) -> xr.Dataset:
    """Quantify intensities with relative sensitivity factors: ``C = RSF I_i / I_m``.

    Parameters
    ----------
    data : Dataset
        With intensities of the species and of the matrix; one measurement or a batch.
    rsf : mapping, str, Quantity, DataArray, or list of (stop, factors)
        ``{"11B": "5e22 atoms/cm^3", ...}``, for the measured isotope and relative to this matrix
        signal. A factor may be a DataArray, for instance over ``measurement`` or over the depths
        of the data. Also what :func:`rsf_from_standard` returns, one or a list of them. A single
        factor without a species is accepted only if there is one species beside the matrix. For
        a stack of layers, the depth (or time; or a DataArray over ``measurement``) at which each
        ends, and its factors: ``[("120 nm", {"Al": ...}), (None, {"Al": ...})]``, None for the
        rest of the record.
    matrix : str or None
        The matrix species; None for no matrix signal: then ``C = RSF I_i``, with factors in
        ``"atoms/cm^3 per count/s"`` (for intensities in counts, ``"atoms/cm^3 per count"``).
    matrix_signal : {"cycle", "mean"}
        Divide by the matrix signal of the same cycle, which removes drifts, or by its mean, which
        adds no noise. Between two of its samples the signal is interpolated linearly; before the
        first and after the last, that sample is used within the same cycle, and none beyond.
    window : (start, stop), optional
        Depths, or times on a sputter-time axis, between which the mean is taken, for instance
        without the surface transient.
    matrix_threshold : float
        Where the matrix signal is below this fraction of its maximum (or of the mean that is the
        divisor), it has vanished, for instance because another layer has begun, and there is no
        concentration. With ``"cycle"``, neither is there one where the signal is not above three
        of its standard errors.
    keep_intensity : bool
        Keep the quantified intensities beside their concentrations.

    Returns
    -------
    Dataset
        The intensity of the matrix is kept, and so are those without a factor, for instance in a
        layer. The quantified intensities are replaced by:

        - ``concentration`` (``atom/cm^3``)
        - ``concentration_counts`` (``count``), if the intensities have counts
        - ``concentration_background_stderr``, ``concentration_background_overlap``: from
          :func:`subtract_background`, including those of the matrix signal
        - ``concentration_stderr`` (``atom/cm^3``), the random part:
          ``RSF / I_m sqrt(s_i^2 + (I_i s_m / I_m)^2)`` with ``"cycle"``, ``RSF s_i / I_m`` with
          ``"mean"``: the error of the mean itself, ``s_m / sqrt(n)`` of its n samples, is common to
          all samples, and therefore systematic and not included
        - ``sensitivity_factor``, a coordinate over species (``absolute_sensitivity_factor`` without
          a matrix signal)
        - ``sensitivity_factor_uncertainty`` (``1``), a coordinate, for factors that came with a
          standard error. It is common to all samples and therefore not part of the random error;
          :func:`dose_budget` reads it from there
        - ``matrix_status``, a coordinate: ``ok`` or, where a sample has no concentration because of
          the matrix, ``vanished`` or ``not_measured``

    Raises
    ------
    SpeciesError
        If the matrix or a species named in `rsf` is absent, or a factor belongs to another species
        or another matrix.
    UnitsError
        If there are no intensities, or a factor has no unit of concentration.
    ProfileError
        If one factor is given for several species, a factor is not positive, the window holds no
        sample of the matrix, or a species already has a concentration at these depths.

    Warns
    -----
    ProfileWarning
        Where samples have no concentration because the matrix signal has vanished, or was not
        measured in their cycle; not for Dask data, whose values are not known yet.

    Notes
    -----
    Samples divided by the same matrix samples share their noise. Sums of concentrations take them
    as independent, which matters where the matrix has as few counts as the species.

    References
    ----------
    ISO 18114, Determination of relative sensitivity factors from ion-implanted reference
    materials, allows both matrix signals.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("sputter-time")
    >>> ds = sims.with_rsf(ds, rsf={"As": "5e21 atoms/cm^3"}, matrix="Si")
    >>> ds["sensitivity_factor"].sel(species="As").item()
    5e+21
    """
    check_choice("matrix_signal", matrix_signal, _WAYS)
    if window is not None and matrix_signal != "mean":
        raise ProfileError('window is of use only with matrix_signal="mean"')
    name = signal_name(data, "a sensitivity factor")
    value, stderr = data[name], data.get(f"{name}_stderr")
    if "species" not in value.dims:
        raise SpeciesError(
            f"a sensitivity factor belongs to a species, and {name} has no dimension 'species'; "
            "select it with a list: ds.sel(species=['11B', '30Si'])"
        )
    if matrix is not None:
        species_of(data, matrix, name="matrix")
    kind = kind_of_factor(value, matrix)
    factor, uncertainty = _factors(data, rsf, kind, matrix)

    asked = value.where(factor.notnull())
    _refuse_unmeasured(value, factor, matrix)
    status = None
    signal = xr.DataArray(1.0)
    if matrix is None:
        ratio, error = value, stderr
    else:
        of_matrix = value.sel(species=matrix, drop=True)
        its_error = None if stderr is None else stderr.sel(species=matrix, drop=True)
        signal, its_error = at_samples_of(asked, of_matrix, its_error)
        missing = asked.notnull() & signal.isnull()
        if matrix_signal == "mean":
            largest = mean_in_window(value.sel(species=matrix), window or (None, None))
        else:
            largest = of_matrix.max(axis_of(value))
        vanished = (signal <= 0) | (signal < _threshold(matrix_threshold) * largest)
        if matrix_signal == "mean":
            signal, its_error, missing = largest, None, missing & False
        elif its_error is not None:
            vanished |= signal <= _ABOVE_NOISE * its_error
        status = _status(asked, vanished, missing, matrix)
        ratio, error = quotient(value.where(~vanished), stderr, signal, its_error)

    made = {"": ratio}
    if error is not None:
        made["_stderr"] = error
    made |= common_errors(data, name, ratio, signal, matrix)
    made = {end: factor * a if end in ("", *IN_ITS_UNIT) else a for end, a in made.items()}
    if stderr is not None:
        made["_stderr"] = made["_stderr"].assign_attrs(stderr.attrs)
    if f"{name}_counts" in data:
        made["_counts"] = data[f"{name}_counts"].where(made[""].notnull())
    made = {end: a.transpose(*value.dims, missing_dims="ignore") for end, a in made.items()}
    result = data if keep_intensity else _without_quantified(data, name, factor)
    result = with_concentration(result, made)
    coords = {FACTOR_TERMS[kind]: factor}
    if bool(uncertainty.notnull().any()):
        coords["sensitivity_factor_uncertainty"] = uncertainty
    if status is not None:
        coords["matrix_status"] = status
    result = _with_coords(result, coords, units.CANONICAL[kind])
    way = "" if matrix is None else f" / {matrix} {_WAYS[matrix_signal]}"
    stated = f"RSF in {units.CANONICAL[kind]}: {_format_factors(factor)}"
    return with_step(
        result,
        "with_rsf",
        f"concentration = RSF * intensity{way}, {stated}",
        rsf=rsf,
        matrix=matrix,
        matrix_signal=None if matrix is None else matrix_signal,
        window=window,
        matrix_threshold=None if matrix is None else matrix_threshold,
        keep_intensity=keep_intensity,
    )


def _refuse_unmeasured(value: xr.DataArray, factor: xr.DataArray, matrix: str | None) -> None:
    """Refuse species that are to be quantified but have no intensities at all."""
    if value.chunks is not None or factor.chunks is not None:
        return
    named = factor.notnull().any([dim for dim in factor.dims if dim != "species"])
    measured = value.notnull().any([dim for dim in value.dims if dim != "species"])
    wanted = named | (named["species"] == matrix)
    empty = wanted & ~measured
    if bool(empty.any()):
        raise ProfileError(
            f"{name_profiles(empty)} has no {value.name} to quantify; if it was quantified before, "
            "its intensity was replaced, which keep_intensity=True prevents"
        )


_WAYS = {"cycle": "of the same cycle", "mean": "averaged"}


def kind_of_factor(value: xr.DataArray, matrix: str | None) -> str:
    """Return the kind of unit of the sensitivity factors for an intensity.

    Raises
    ------
    UnitsError
        If there is none: for arbitrary units without a matrix signal.
    """
    if matrix is not None:
        return "concentration"
    unit = value.attrs["units"]
    if unit not in _OF_INTENSITY:
        raise UnitsError(
            f"{value.name} is in {unit}, for which there is no sensitivity factor without a matrix "
            "signal: name the matrix"
        )
    return _OF_INTENSITY[unit]


def _factors(
    ds: xr.Dataset, rsf: Any, kind: str, matrix: str | None
) -> tuple[xr.DataArray, xr.DataArray]:
    """Read the factor of each species and its relative uncertainty; NaN where there is none."""
    if isinstance(rsf, list | tuple) and rsf and isinstance(rsf[0], tuple | list):
        return _factors_of_layers(ds, rsf, kind, matrix)
    by_species = _by_species(ds, rsf, matrix)
    factor = argument(ds, by_species, (kind,), "rsf")
    check_positive(factor, rsf, "rsf")
    relative = {}
    for species, one in by_species.items():
        uncertainty = xr.DataArray(np.nan)
        if isinstance(one, xr.DataArray) and "stderr" in one.coords:
            plain = units.dequantify(one)
            uncertainty = (plain["stderr"] / plain).reset_coords(drop=True)
        relative[species] = uncertainty.assign_attrs(units="1")
    return factor, argument(ds, relative, ("dimensionless",), "rsf")


def _factors_of_layers(
    ds: xr.Dataset, rsf: Any, kind: str, matrix: str | None
) -> tuple[xr.DataArray, xr.DataArray]:
    """Read factors by layer: each sample gets that of the layer in which it lies."""
    axis = axis_name(ds)
    above = xr.DataArray(-np.inf)
    found: list[xr.DataArray] = []
    for i, (stop, factors) in enumerate(read_layers(rsf, "rsf", "(stop, factors)")):
        end = xr.DataArray(np.inf)
        if stop is not None:
            end = argument(ds, stop, (axis,), f"rsf[{i}]")
        if bool((end <= above).any()):
            raise ProfileError(f"rsf[{i}]={stop!r}: each layer must end below the one before")
        inside = (ds[axis] > above) & (ds[axis] <= end)
        parts = [one.where(inside) for one in _factors(ds, factors, kind, matrix)]
        found = [a.fillna(b) for a, b in zip(found, parts, strict=True)] if found else parts
        above = end
    factor, uncertainty = (one.reset_coords(drop=True) for one in found)
    return factor, uncertainty


def _by_species(ds: xr.Dataset, rsf: Any, matrix: str | None) -> Mapping[str, Any]:
    """Return factors by species, whatever form they were given in."""
    others = [one for one in species_of(ds) if one != matrix]
    if isinstance(rsf, Sequence) and not isinstance(rsf, str):
        rsf = _from_list(rsf)
    if isinstance(rsf, xr.DataArray):
        _refuse_other_matrix(rsf, matrix)
        if "species" in rsf.dims:
            if "species" not in rsf.coords:
                raise ProfileError(
                    "rsf is over species, but does not say which; give it a coordinate species"
                )
            labels = [str(label) for label in rsf["species"].values if str(label) != matrix]
            rsf = {label: rsf.sel(species=label, drop=True) for label in labels}
        elif "species" in rsf.coords:
            rsf = {str(rsf["species"].values): rsf}
    if not isinstance(rsf, Mapping):
        if len(others) != 1:
            example = others[0] if others else "11B"
            raise ProfileError(
                f"a sensitivity factor belongs to one species, and there are {len(others)}"
                f"{'' if matrix is None else ' beside the matrix'}: "
                f"rsf={{{example!r}: '5e22 atoms/cm^3', ...}}"
            )
        rsf = {others[0]: rsf}
    factors: Mapping[str, Any] = rsf
    if matrix in factors:
        raise SpeciesError(f"rsf names {matrix!r}, the matrix itself")
    for factor in factors.values():
        if isinstance(factor, xr.DataArray):
            _refuse_other_matrix(factor, matrix)
    return factors


def _from_list(rsf: Sequence[Any]) -> dict[str, xr.DataArray]:
    found = {}
    for one in rsf:
        if not (
            isinstance(one, xr.DataArray) and "species" in one.coords and one["species"].ndim == 0
        ):
            raise ProfileError(
                "rsf is a list; expected factors as rsf_from_standard() returns them, each of one "
                "species, or layers: [('120 nm', {'11B': ...}), (None, {'11B': ...})]"
            )
        label = str(one["species"].values)
        if label in found:
            raise ProfileError(f"rsf holds two factors of {label!r}")
        found[label] = one
    return found


def _refuse_other_matrix(factor: xr.DataArray, matrix: str | None) -> None:
    if "matrix" in factor.coords and str(factor["matrix"].values) != str(matrix or ""):
        stated = str(factor["matrix"].values)
        raise SpeciesError(
            f"rsf is a factor {f'relative to {stated!r}' if stated else 'without a matrix'}, but "
            f"matrix={matrix!r}"
        )


def _threshold(value: Any) -> float:
    if not (is_number(value) and 0 <= value < 1):
        raise ProfileError(
            f"matrix_threshold={format_argument(value)}; expected a fraction of the maximum, such "
            "as 0.01"
        )
    return float(value)


def _status(
    asked: xr.DataArray, vanished: xr.DataArray, missing: xr.DataArray, matrix: str
) -> xr.DataArray | None:
    """Say for each sample what is wrong with the matrix signal; None if nothing is."""
    gone = (vanished & asked.notnull()).transpose(*asked.dims)
    if asked.chunks is None and gone.chunks is None:
        for where, what in (
            (gone, f"the matrix signal {matrix!r} has vanished"),
            (missing, f"the matrix {matrix!r} was not measured in this cycle"),
        ):
            if bool(where.any()):
                warn(f"{label_of(asked, where)}: {what}: no concentration there", ProfileWarning)
        if not bool(gone.any() | missing.any()):
            return None
    words: xr.DataArray = xr.where(gone, "vanished", xr.where(missing, "not_measured", "ok"))
    return words.transpose(*asked.dims)


def _without_quantified(ds: xr.Dataset, name: str, factor: xr.DataArray) -> xr.Dataset:
    """Remove the quantified intensities, but not those in a layer without a factor."""
    quantified = factor.notnull().compute()
    rest = [name + end for end in ("", *BESIDE) if name + end in ds]
    if bool(quantified.all()):
        return ds.drop_vars(rest)
    left = {}
    for n in rest:
        gone = quantified.all([dim for dim in quantified.dims if dim not in ds[n].dims])
        left[n] = ds[n].where(~gone).transpose(*ds[n].dims).assign_attrs(ds[n].attrs)
    return ds.assign(left)


def _with_coords(ds: xr.Dataset, coords: Mapping[str, xr.DataArray], unit: str) -> xr.Dataset:
    """Add coordinates, keeping what an earlier call has stated for other species."""
    new = {}
    for name, array in coords.items():
        before = ds.coords.get(name)
        if before is not None and name == "matrix_status":
            array = xr.where(array == "ok", before, array)  # noqa: PLW2901
        elif before is not None and set(before.dims) == set(array.dims):
            array = array.fillna(before)  # noqa: PLW2901
        attrs = vocabulary.attrs(name, unit if name in FACTOR_TERMS.values() else None)
        new[name] = (array.dims, array.data, attrs)
    return ds.assign_coords(new)


def _format_factors(factor: xr.DataArray) -> str:
    """List the factor of each species, for the history."""
    if factor.dims != ("species",):
        return f"over {', '.join(map(str, factor.dims))}"
    return ", ".join(
        f"{name} {number:.6g}"
        for name, number in zip(factor["species"].values, factor.values, strict=True)
        if not np.isnan(number)
    )
