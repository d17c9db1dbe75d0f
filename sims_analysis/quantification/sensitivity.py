"""Intensities to concentrations by relative sensitivity factors, and these from standards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.dataset.axes import axis_of
from sims_analysis.dataset.canonical import (
    BACKGROUND_OVERLAP,
    BACKGROUND_STDERR,
    BESIDE,
    argument,
    axis_name,
    in_window,
    label_of,
    on_canonical_data,
    signal_name,
    species_of,
)
from sims_analysis.dataset.provenance import with_step
from sims_analysis.errors import ProfileError, ProfileWarning, SpeciesError, UnitsError, warn
from sims_analysis.quantification.concentration import with_concentration
from sims_analysis.quantification.reference import at_samples_of, common_errors, quotient
from sims_analysis.units import ParameterLike, WindowLike

__all__ = ["FACTOR_TERMS", "with_rsf"]

#: Factors by species.
Factors = Mapping[str, ParameterLike]
#: The factors of a layer, and where it ends; None for the end of the record.
Layer: TypeAlias = "tuple[ParameterLike | None, ParameterLike | Factors]"

#: Kind of a factor -> the coordinate that holds it; without a reference signal it is another.
FACTOR_TERMS = {
    "concentration": "sensitivity_factor",
    "factor_per_rate": "absolute_sensitivity_factor",
    "factor_per_count": "absolute_sensitivity_factor",
}
_OF_INTENSITY = {"count/s": "factor_per_rate", "count": "factor_per_count"}
#: A matrix signal within so many of its standard errors of zero is not above its noise.
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
    """Quantify intensities by relative sensitivity factors: ``C = RSF I_i / I_m``.

    Parameters
    ----------
    data : Dataset
        With intensities of the species and of the matrix; one measurement or a batch.
    rsf : mapping, str, Quantity, DataArray, or list of (stop, factors)
        ``{"11B": "5e22 atoms/cm^3", ...}``, for the isotope that was measured and against this
        matrix signal; each of them also a DataArray, over ``measurement`` for instance, or over
        the depths of the data; or what :func:`rsf_from_standard` gives, one or a list of them. A
        single one that names no species only where there is a single species beside the matrix.
        For a stack of layers, the factors of each and the depth (or time) at which it ends, also a
        DataArray over ``measurement``: ``[("120 nm", {"Al": ...}), (None, {"Al": ...})]``, None
        for the rest of the record.
    matrix : str or None
        The matrix species; None for no reference signal: then ``C = RSF I_i``, and the factors are
        in ``"atoms/cm^3 per count/s"`` (of intensities in counts, ``"atoms/cm^3 per count"``).
    matrix_signal : {"cycle", "mean"}
        Divide by the matrix signal of the same cycle, which takes out drifts; or by its mean,
        which adds no noise. In between two of its samples the signal lies on a straight line;
        before the first and after the last it is taken of the same cycle, and nothing beyond.
    window : (start, stop), optional
        Depths, or times on a sputter-time axis, over which to take the mean: without the surface
        transient, for one.
    matrix_threshold : float
        Where the matrix signal is below this part of its maximum (or of the mean that is divided
        by), it has vanished, as where another layer has begun, and there is no concentration;
        neither is there by the cycle where it is not above three of its standard errors.
    keep_intensity : bool
        Keep the intensities that were quantified beside their concentrations.

    Returns
    -------
    Dataset
        The intensity of the matrix stays, and those for which there is no factor, of a layer for
        instance; in place of the intensities that were quantified:

        - ``concentration`` (``atom/cm^3``)
        - ``concentration_counts`` (``count``), where these have them
        - ``concentration_background_stderr``, ``concentration_background_overlap``: of
          :func:`subtract_background`, those of the matrix signal included
        - ``concentration_stderr`` (``atom/cm^3``), the random part:
          ``RSF / I_m sqrt(s_i^2 + (I_i s_m / I_m)^2)`` by the cycle, ``RSF s_i / I_m`` by the mean:
          the error of the mean itself, ``s_m / sqrt(n)`` of its n samples, is common to all
          samples, a systematic part and not in it
        - ``sensitivity_factor``, a coordinate over species (``absolute_sensitivity_factor`` without
          a reference signal)
        - ``sensitivity_factor_uncertainty`` (``1``), a coordinate: of factors that came with a
          standard error. It acts on all samples alike, so that it is no part of the random one, and
          :func:`dose_budget` takes it from there
        - ``matrix_status``, a coordinate: ``ok``; where a sample has no concentration because of
          the matrix, ``vanished`` or ``not_measured``

    Raises
    ------
    SpeciesError
        If the matrix or a species named in `rsf` is absent, or a factor is that of another species
        or against another matrix.
    UnitsError
        If there are no intensities, or a factor has no unit of concentration.
    ProfileError
        If one factor is given for several species, factors are not positive, the window holds no
        matrix sample, or a species has a concentration at these depths already.

    Warns
    -----
    ProfileWarning
        Where samples have no concentration because the matrix signal has vanished, or was not
        measured in their cycle; not on Dask data, which are not known yet.

    Notes
    -----
    Species measured between the same two matrix samples share their noise; sums of concentrations
    take them as independent, which matters where the matrix is counted as rarely as the species.

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
    if matrix_signal not in ("cycle", "mean"):
        raise ProfileError(f'matrix_signal={matrix_signal!r}; expected "cycle" or "mean"')
    if window is not None and matrix_signal != "mean":
        raise ProfileError('window goes with matrix_signal="mean"')
    name = signal_name(data, "a sensitivity factor")
    value, stderr = data[name], data.get(f"{name}_stderr")
    if "species" not in value.dims:
        raise SpeciesError(
            f"a sensitivity factor belongs to a species, and {name} has no dimension 'species'; "
            "select it with a list: ds.sel(species=['11B', '30Si'])"
        )
    if matrix is not None:
        species_of(data, matrix, name="matrix")
    kind = _kind_of_factor(value, matrix)
    factor = _factors(data, rsf, kind, matrix)
    spread = _relative_errors(data, rsf, matrix)

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
        whole = of_matrix.max(axis_of(value))
        if matrix_signal == "mean":
            whole = _mean(of_matrix, matrix, window)
        vanished = (signal <= 0) | (signal < _threshold(matrix_threshold) * whole)
        if matrix_signal == "mean":
            signal, its_error, missing = whole, None, missing & False
        elif its_error is not None:
            vanished |= signal <= _ABOVE_NOISE * its_error
        status = _status(asked, vanished, missing, of_matrix, matrix)
        ratio, error = quotient(value.where(~vanished), stderr, signal, its_error)

    made = {"": factor * ratio}
    if error is not None:
        made["_stderr"] = (factor * error).assign_attrs(data[f"{name}_stderr"].attrs)
    counts = data.get(f"{name}_counts")
    if counts is not None:
        made["_counts"] = counts.where(made[""].notnull())
    if name + BACKGROUND_STDERR in data:
        beside = data[[name + BACKGROUND_STDERR, name + BACKGROUND_OVERLAP]]
        common = common_errors(beside, name, ratio, signal, matrix)
        made[BACKGROUND_STDERR] = factor * common[name + BACKGROUND_STDERR]
        made[BACKGROUND_OVERLAP] = common[name + BACKGROUND_OVERLAP]
    result = data if keep_intensity else _without_quantified(data, name, factor)
    result = with_concentration(
        result,
        {
            key: array.transpose(*(dim for dim in value.dims if dim in array.dims))
            for key, array in made.items()
        },
    )
    coords = {FACTOR_TERMS[kind]: factor}
    if bool(spread.notnull().any()):
        coords["sensitivity_factor_uncertainty"] = spread
    if status is not None:
        coords["matrix_status"] = status
    result = _with_coords(result, coords, units.CANONICAL[kind])
    way = "" if matrix is None else f" / {matrix} {_WAYS[matrix_signal]}"
    line = (
        f"concentration = RSF * intensity{way}, RSF in {units.CANONICAL[kind]}: {_listed(factor)}"
    )
    return with_step(
        result,
        "with_rsf",
        line,
        rsf=rsf,
        matrix=matrix,
        matrix_signal=None if matrix is None else matrix_signal,
        window=window,
        matrix_threshold=None if matrix is None else matrix_threshold,
        keep_intensity=keep_intensity,
    )


def _refuse_unmeasured(value: xr.DataArray, factor: xr.DataArray, matrix: str | None) -> None:
    """Refuse species that are to be quantified and have no intensities at all."""
    if value.chunks is not None or factor.chunks is not None:
        return
    named = factor.notnull().any([dim for dim in factor.dims if dim != "species"])
    measured = value.notnull().any([dim for dim in value.dims if dim != "species"])
    wanted = named | (named["species"] == matrix)
    empty = value["species"].values[(wanted & ~measured).values].tolist()
    if empty:
        raise ProfileError(
            f"species {', '.join(map(repr, empty))} has no {value.name}, of which a concentration "
            "could be made; it leaves the data where it was quantified before, unless "
            "keep_intensity=True"
        )


_WAYS = {"cycle": "of the same cycle", "mean": "averaged"}


def _kind_of_factor(value: xr.DataArray, matrix: str | None) -> str:
    if matrix is not None:
        return "concentration"
    unit = value.attrs["units"]
    if unit not in _OF_INTENSITY:
        raise UnitsError(
            f"{value.name} is in {unit}, of which no sensitivity factor can be without a reference "
            "signal: name the matrix"
        )
    return _OF_INTENSITY[unit]


def _factors(ds: xr.Dataset, rsf: Any, kind: str, matrix: str | None) -> xr.DataArray:
    """Give the factor of each species, NaN for the matrix and for those that have none."""
    if _is_layered(rsf):
        factor = _by_layers(ds, rsf, lambda part: _factors(ds, part, kind, matrix))
    else:
        factor = argument(ds, _named(ds, rsf, matrix, "rsf"), (kind,), "rsf")
    if factor.chunks is None:
        wrong = ~((factor > 0) & np.isfinite(factor)) & factor.notnull()
        if bool(wrong.any()) or bool(factor.isnull().all()):
            raise ProfileError(f"rsf={_shown(rsf)} must be positive")
    return factor


def _named(ds: xr.Dataset, rsf: Any, matrix: str | None, name: str) -> Mapping[str, Any]:
    """Give factors by species, in whatever form they came."""
    others = [one for one in species_of(ds) if one != matrix]
    if isinstance(rsf, Sequence) and not isinstance(rsf, str):
        rsf = _listed_by_species(rsf, name)
    if isinstance(rsf, xr.DataArray):
        _refuse_other_matrix(rsf, matrix, name)
        if "species" in rsf.dims:
            if "species" not in rsf.coords:
                raise ProfileError(
                    f"{name} is over species, but does not say which; give it a coordinate species"
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
                f"{name}={{{example!r}: '5e22 atoms/cm^3', ...}}"
            )
        rsf = {others[0]: rsf}
    factors: Mapping[str, Any] = rsf
    if matrix in factors:
        raise SpeciesError(f"{name} names {matrix!r}, the matrix itself")
    for factor in factors.values():
        if isinstance(factor, xr.DataArray):
            _refuse_other_matrix(factor, matrix, name)
    return factors


def _listed_by_species(rsf: Sequence[Any], name: str) -> dict[str, xr.DataArray]:
    found = {}
    for one in rsf:
        if not (
            isinstance(one, xr.DataArray) and "species" in one.coords and one["species"].ndim == 0
        ):
            raise ProfileError(
                f"{name} is a list; expected factors as rsf_from_standard() gives them, each of "
                "one species, or layers: [('120 nm', {'11B': ...}), (None, {'11B': ...})]"
            )
        label = str(one["species"].values)
        if label in found:
            raise ProfileError(f"{name} holds two factors of {label!r}")
        found[label] = one
    return found


def _refuse_other_matrix(factor: xr.DataArray, matrix: str | None, name: str) -> None:
    if "matrix" in factor.coords and str(factor["matrix"].values) != str(matrix or ""):
        stated = str(factor["matrix"].values)
        raise SpeciesError(
            f"{name} is a factor {f'against {stated!r}' if stated else 'without a matrix'}, and "
            f"matrix={matrix!r}"
        )


def _is_layered(rsf: Any) -> bool:
    return isinstance(rsf, list | tuple) and bool(rsf) and isinstance(rsf[0], tuple | list)


def _by_layers(ds: xr.Dataset, layers: Any, read: Any) -> xr.DataArray:
    """Give each sample the factor of the layer in which it lies."""
    axis = axis_name(ds)
    found: xr.DataArray | None = None
    ends: list[xr.DataArray] = []
    for i, layer in enumerate(layers):
        if not isinstance(layer, list | tuple) or len(layer) != 2:
            raise ProfileError(f"rsf[{i}]={layer!r}; expected (stop, factors)")
        if layer[0] is None and i < len(layers) - 1:
            raise ProfileError(f"rsf[{i}] has no end, but is not the last layer")
        end = xr.DataArray(np.inf)
        if layer[0] is not None:
            end = argument(ds, layer[0], (axis,), f"rsf[{i}]")
        if ends and bool((end <= ends[-1]).any()):
            raise ProfileError(f"rsf[{i}]={layer[0]!r}: layers end one below the other")
        ends.append(end)
        inside = (ds[axis] <= end) & (True if i == 0 else ds[axis] > ends[i - 1])
        one = read(layer[1]).where(inside)
        found = one if found is None else found.fillna(one)
    if found is None:
        raise ProfileError("rsf holds no layers")
    return found.reset_coords(drop=True)


def _relative_errors(ds: xr.Dataset, rsf: Any, matrix: str | None) -> xr.DataArray:
    """Give the relative uncertainty of the factors that came with a standard error."""
    if _is_layered(rsf):
        return _by_layers(ds, rsf, lambda part: _relative_errors(ds, part, matrix))
    relative = {}
    for species, factor in _named(ds, rsf, matrix, "rsf").items():
        spread = xr.DataArray(np.nan)
        if isinstance(factor, xr.DataArray) and "stderr" in factor.coords:
            plain = units.dequantify(factor)
            spread = (plain["stderr"] / plain).reset_coords(drop=True)
        relative[species] = spread.assign_attrs(units="1")
    return argument(ds, relative, ("dimensionless",), "rsf")


def _threshold(value: Any) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, float | int | np.number)
        or not 0 <= value < 1
    ):
        raise ProfileError(
            f"matrix_threshold={value!r}; expected a part of the maximum, such as 0.01"
        )
    return float(value)


def _mean(of_matrix: xr.DataArray, matrix: str, window: tuple[Any, Any] | None) -> xr.DataArray:
    dim = axis_of(of_matrix)
    inside = of_matrix if window is None else in_window(of_matrix, window)
    mean = inside.mean(dim)
    if mean.chunks is None:
        none = mean.isnull() & of_matrix.notnull().any(dim)
        if bool(none.any()):
            which = "" if not none.ndim else f", measurement {_first(none)}"
            raise ProfileError(f"window={window!r} holds no sample of the matrix {matrix!r}{which}")
    return mean.reset_coords(drop=True)


def _first(where: xr.DataArray) -> str:
    place = dict(zip(where.dims, np.argwhere(where.values)[0], strict=True))
    return ", ".join(
        repr(str(where[dim].values[i] if dim in where.coords else i)) for dim, i in place.items()
    )


def _status(
    asked: xr.DataArray,
    vanished: xr.DataArray,
    missing: xr.DataArray,
    of_matrix: xr.DataArray,
    matrix: str,
) -> xr.DataArray | None:
    """Say of each sample what is wrong with the matrix signal; None if nothing is."""
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
    """Leave out the intensities that were quantified, not those of a layer without a factor."""
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
    """Add coordinates, beside what an earlier call has left of other species."""
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


def _listed(factor: xr.DataArray) -> str:
    """Name the factor of each species, for the history."""
    if factor.dims != ("species",):
        return f"over {', '.join(map(str, factor.dims))}"
    return ", ".join(
        f"{name} {number:.6g}"
        for name, number in zip(factor["species"].values, factor.values, strict=True)
        if not np.isnan(number)
    )


def _shown(value: Any) -> str:
    return "<DataArray>" if isinstance(value, xr.DataArray) else repr(value)
