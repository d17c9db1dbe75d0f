"""Intensities to concentrations with relative sensitivity factors."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.canonical import IN_ITS_UNIT, signal_name
from sims_analysis.conventions.provenance import with_history
from sims_analysis.errors import ProfileError, ProfileWarning, SpeciesError
from sims_analysis.frame.call import correction
from sims_analysis.frame.evidence import Evidence, scale_in_doubt, union
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged, first_sample
from sims_analysis.frame.opening import open_samples
from sims_analysis.frame.run import is_lazy, words
from sims_analysis.frame.window import NO_LIMITS, read_pair
from sims_analysis.kernels.evidence import saturation_level
from sims_analysis.kernels.transient import RULES as TRANSIENT
from sims_analysis.kernels.transient import plateau
from sims_analysis.outcomes import Status
from sims_analysis.quantification.concentration import with_concentration, without_quantified
from sims_analysis.quantification.corrections import dead_time_of
from sims_analysis.quantification.factors import (
    FACTOR_TERMS,
    Conditions,
    Factors,
    FactorsLike,
    kind_of_factor,
    picks_factors,
    read_factors,
)
from sims_analysis.quantification.reference import (
    at_samples_of,
    divided,
    evidence_of,
    known_of_mean,
    mean_in,
    warn_bridged,
    with_common,
)
from sims_analysis.quantification.shared_parts import warn_of_shared
from sims_analysis.text.arguments import check_bool, check_choice, read_name
from sims_analysis.units import WindowLike

#: A matrix signal below this multiple of its standard error is not above its noise.
_ABOVE_NOISE = 3.0
#: A matrix signal changes by this part of it, and this multiple of its noise, between any two of so
#: many parts of the profile; it has vanished below this part of its maximum.
_CHANGED, _SIGNIFICANT, _CHANGE_PARTS, _VANISHED = 0.1, 8.0, 10, 0.01
_MATRIX_SIGNALS = {"cycle": "of the same cycle", "mean": "averaged"}


@picks_factors
@correction
def with_rsf(
    data: xr.Dataset,
    *,
    rsf: FactorsLike,
    matrix: str | None,
    matrix_signal: Literal["cycle", "mean"] = "cycle",
    window: WindowLike | None = None,
    matrix_threshold: float | str = 0.01,
    keep_intensity: bool = False,
    combine: Literal["mean", "nearest", "bracket"] | None = None,
    max_age: str | None = None,
) -> xr.Dataset:
    """Quantify intensities with relative sensitivity factors: ``C = RSF I_i / I_m``.

    Not to be trusted in another matrix than that of the factor; nor cycle by cycle where the matrix
    has fewer than 15 counts, as samples are lost: use ``matrix_signal="mean"`` there.

    Parameters
    ----------
    data : Dataset
        With intensities of the species and of the matrix; one measurement or a batch.
    rsf : mapping, str, Quantity, DataArray, Factors, or list
        The factors by species, ``{"11B": "5e22 atoms/cm^3", ...}``, of the measured isotope and
        this matrix signal. One may be a DataArray over ``measurement``, depth, or the element of a
        :func:`composition`, which it then follows linearly. Also:

        - what :func:`rsf_from_standard` returns, or a list of such factors
        - a factor alone, if there is one species besides the matrix
        - a list of layers, each with the depth (or time) at which it ends, and its factors:
          ``[("120 nm", {"Al": ...}), (None, {"Al": ...})]``
        - a table of kept factors, :class:`Factors`
    matrix : str or None
        The matrix species; None for no matrix signal: then ``C = RSF I_i``, with factors in
        ``"atoms/cm^3 per count/s"`` (for intensities in counts, ``"atoms/cm^3 per count"``).
    matrix_signal : {"cycle", "mean"}
        Divide by the matrix signal of the same cycle, which removes drifts, or by its mean, which
        adds no noise. Between its samples the signal is interpolated linearly.
    window : (start, stop), optional
        Where that mean is taken: depths, or times, below a surface transient.
    matrix_threshold : float or str
        There is no concentration where the matrix signal has vanished: below this fraction of its
        maximum (or mean). With ``"cycle"`` it also has where it is not above three of its standard
        errors, or drops for one or two cycles to less than a third of its neighbours.
    keep_intensity : bool
        Keep the quantified intensities beside their concentrations.
    combine, max_age
        How :class:`Factors` combines several that fit, and how old they may be: see there.

    Returns
    -------
    Dataset
        Intensities of the matrix and of species without a factor stay. The others become:

        - ``concentration`` (``atom/cm^3``), with counts, and errors of subtracted backgrounds
        - ``concentration_stderr`` (``atom/cm^3``), the random part: with ``"cycle"``
          ``RSF / I_m sqrt(s_i^2 + (I_i s_m / I_m)^2)``, with ``"mean"`` ``RSF s_i / I_m``
        - ``sensitivity_factor``, a coordinate over species (``absolute_sensitivity_factor`` without
          a matrix signal), and ``sensitivity_factor_uncertainty`` (``1``), which all samples have
          in common and :func:`dose_budget` reads; ``sensitivity_factor_day_to_day`` (``1``) is the
          part of it by which :class:`Factors` scatter between days
        - ``matrix_status``, where there is no concentration: ``vanished`` or ``not_measured``

    Raises
    ------
    SpeciesError, UnitsError, ProfileError
        If a species is absent, a factor belongs to other conditions than the data say, or is one
        for several species; there are no intensities, or a factor has no unit of concentration;
        the window holds no sample of the matrix; or a species already has a concentration there.

    Warns
    -----
    ProfileWarning
        Where the matrix signal has vanished, was not measured (not for Dask data), or changes: with
        one factor by 10 % along the profile, or its mean by 1 % by a surface transient. Where a
        detector is saturated, or the composition that a factor follows is unknown. If a factor was
        determined with another `matrix_signal` or dead time, or a signal is part of the matrix's.

    Notes
    -----
    A ratio to k counts of the matrix is too high by 1 / k. With standard errors, ``"cycle"``
    divides by ``I_m + s_m^2 / I_m``, k + 1 of counts. A matrix sample that several samples use
    counts that often in s_m, so that errors of sums are right. Errors of a composition are added
    likewise, common ones to ``concentration_background_stderr``.

    References
    ----------
    ISO 18114, on relative sensitivity factors of ion-implanted materials: both matrix signals.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("sputter-time")
    >>> ds = sims.with_rsf(ds, rsf={"As": "5e21 atoms/cm^3"}, matrix="Si")
    >>> top = sims.peak(ds).sel(species="As")
    >>> print(f"{top['concentration'].item():.2e} atoms/cm^3 at {top['sputter_time'].item():.1f} s")
    1.84e+20 atoms/cm^3 at 147.6 s
    """
    check_choice("matrix_signal", matrix_signal, _MATRIX_SIGNALS)
    if window is not None and matrix_signal != "mean":
        raise ProfileError(
            'window applies only with matrix_signal="mean"', code="conflicting_arguments"
        )
    frame = _intensities(data)
    check_bool("keep_intensity", keep_intensity)
    if matrix is not None:
        matrix = read_name("matrix", matrix)
        frame.species(matrix, name="matrix")
    kind = kind_of_factor(frame.units, matrix, frame.name)
    way = "" if matrix is None else matrix_signal
    factors = read_factors(frame, rsf, kind, Conditions(matrix, way, dead_time_of(data)))
    _check_signals(frame, factors.value, matrix)
    valid = frame.value.notnull() & factors.value.notnull()
    of = "the maximum"
    threshold = units.read_fraction(matrix_threshold, "matrix_threshold", of=of, ends="[)")
    if matrix is None:
        quotient = divided(frame, frame.value, xr.Variable((), 1.0), None, None)
        status, evidence = None, Evidence(frame.flags)
    elif matrix_signal == "mean":
        quotient, status, evidence = _by_mean(frame, valid, matrix, window, threshold)
    else:
        quotient, status, evidence = _by_cycle(frame, valid, matrix, threshold)
    if matrix is not None and frame.dim not in factors.value.dims and not frame.lazy:
        _warn_of_change(frame, matrix)
    doubt = scale_in_doubt(frame, xr.where(factors.doubt == 1, 1, int(Status.OK)))
    evidence = union(evidence, doubt)
    if evidence.flags is not None:
        quotient[vocabulary.QUALITY] = evidence.flags.where(factors.value.notnull(), 0)
    result = _quantified(frame, quotient, factors, kind, keep_intensity=keep_intensity)
    if status is not None:
        result = _with_coord(result, "matrix_status", status)
    of_matrix = "" if matrix is None else f" / {matrix} {_MATRIX_SIGNALS[matrix_signal]}"
    stated = f"RSF in {units.CANONICAL[kind]}: {_format_factors(frame, factors.value)}"
    return with_history(result, f"concentration = RSF * intensity{of_matrix}, {stated}")


def _intensities(data: xr.Dataset) -> Frame:
    name = signal_name(data, "a sensitivity factor")
    if "species" not in data[name].dims:
        raise SpeciesError(
            f"a sensitivity factor belongs to a species, and {name} has no dimension 'species'; "
            "select it with a list: ds.sel(species=['11B', '30Si'])",
            code="missing_species",
        )
    return open_samples(data, name, "a sensitivity factor")


def _check_signals(frame: Frame, factor: xr.Variable, matrix: str | None) -> None:
    """Refuse species without intensities; warn of saturation, which quotients do not show."""
    if frame.lazy or is_lazy(factor):
        return
    has_factor: Any = factor.notnull().any([dim for dim in factor.dims if dim != "species"])
    if matrix is not None:
        data: Any = frame.origin
        quantified = [s for s, flag in zip(frame.species(), has_factor.values, strict=True) if flag]
        warn_of_shared(data, frame.name, [(matrix, species) for species in quantified])
        has_factor = has_factor | frame.of_species(matrix)
    measured = frame.value.notnull().any([dim for dim in frame.value.dims if dim != "species"])
    if (empty := first_flagged(frame, has_factor & ~measured)) is not None:
        raise ProfileError(
            f"{empty.label} has no {frame.name} to quantify; if it was quantified before, its "
            "intensity was replaced, which keep_intensity=True prevents",
            code="missing_variable",
            where=empty.where,
        )
    highest: Any = frame.map(saturation_level).value
    if (full := first_flagged(frame, highest.notnull() & has_factor)) is not None:
        full.warn(
            f"samples of {full.of(highest):.6g} {frame.units} are those of a "
            "saturated detector: concentrations there are too low (too high, if it is the matrix)",
            ProfileWarning,
            code="saturated",
        )


#: Quotients with their errors; what is wrong with the matrix signal at each sample; what is known.
_Divided: TypeAlias = "tuple[dict[str, xr.Variable], xr.Variable | None, Evidence]"


def _by_mean(
    frame: Frame, valid: xr.Variable, matrix: str, window: Any, threshold: float
) -> _Divided:
    """Divide by the mean of the matrix signal."""
    ends = NO_LIMITS if window is None else read_pair(frame, window)
    reference = mean_in(frame, ends, frame.of_species(matrix), window)
    if window is None and not frame.lazy:
        _warn_of_transient(frame, matrix, reference.value)
    mean = _of_one_species(frame, matrix, reference.value)
    signal = at_samples_of(frame, matrix).value
    vanished = (signal <= 0) | (signal < threshold * mean)
    status = _status(frame, valid, matrix, vanished, None)
    evidence = Evidence(frame.flags)
    if frame.flags is not None:  # all samples are divided by what the mean rests on
        flags = _of_one_species(frame, matrix, known_of_mean(frame, ends))
        flags = flags.set_dims(frame.value.sizes).transpose(*frame.value.dims)
        evidence = union(evidence, Evidence(flags))
    return divided(frame, frame.value.where(~vanished), mean, None, matrix), status, evidence


def _warn_of_transient(frame: Frame, matrix: str, mean: xr.Variable) -> None:
    """Warn where the mean matrix signal is that of a surface transient in part."""
    below: Any = frame.map(plateau)
    change = mean / below.mean - 1
    notable = (
        (below.start < TRANSIENT.deepest)
        & (abs(change) > TRANSIENT.matters)
        & frame.of_species(matrix)
    )
    if (first := first_flagged(frame, notable)) is not None:
        first.warn(
            "the record begins in a surface transient: the mean matrix signal is "
            f"{first.of(change):+.1%} off that below {first.of(below.start):g} {frame.axis_units}",
            ProfileWarning,
            code="surface_transient",
            remedy="window= leaves it out",
        )


def _warn_of_change(frame: Frame, matrix: str) -> None:
    """Warn where the matrix signal changes, below a transient and where it has not vanished."""
    signal: Any = _of_one_species(frame, matrix, frame.value)
    below: Any = frame.map(plateau).start.fillna(-np.inf)
    depth = frame.depth.isel(species=frame.species().index(matrix), missing_dims="ignore")
    used = signal.where(signal > _VANISHED * signal.max(frame.dim))
    used = used.where(~(depth < _of_one_species(frame, matrix, below))).transpose(..., frame.dim)
    change = np.zeros(used.shape[:-1])
    for index in np.ndindex(change.shape):
        row = used.values[index]
        change[index] = _change(row[np.isfinite(row)])
    notable: Any = frame.of_species(matrix) * xr.Variable(used.dims[:-1], change)
    if (first := first_flagged(frame, notable > 0)) is not None:
        first.warn(
            f"the matrix signal changes by {first.of(notable):.0%} along the profile: unless the "
            "beam drifted, the result is a ratio to a changing matrix",
            ProfileWarning,
            remedy="factors of layers, or along the samples, follow a matrix: see composition()",
        )


def _change(signal: Any) -> float:
    """Return by how much a signal changes along a profile; 0 if that is not notable."""
    if signal.size < 5 * _CHANGE_PARTS:
        return 0.0
    parts = np.array_split(signal, _CHANGE_PARTS)
    medians = [np.median(part) for part in parts]
    change, most = np.ptp(medians), max(medians)
    noise = np.std(np.diff(signal)) / np.sqrt(parts[0].size)  # of a median, about
    return float(change / most) if change > max(_CHANGED * most, _SIGNIFICANT * noise) else 0.0


def _by_cycle(frame: Frame, valid: xr.Variable, matrix: str, threshold: float) -> _Divided:
    """Divide by ``m + s^2 / m`` of the matrix signal m of the same cycle, without bias."""
    reference = at_samples_of(frame, matrix)
    warn_bridged(frame, matrix, reference, valid & ~reference.dropped)
    signal, stderr, of_sums, *_ = reference
    highest = _of_one_species(frame, matrix, frame.value).max(frame.dim)
    vanished: Any = (signal <= 0) | (signal < threshold * highest) | reference.dropped
    divisor, error = signal, None
    if stderr is not None and of_sums is not None:
        vanished |= signal <= _ABOVE_NOISE * stderr
        divisor = signal + (stderr**2 / signal).where(signal > 0).fillna(0.0)
        error = of_sums * divisor / signal.where(signal > 0)
    status = _status(frame, valid, matrix, vanished, valid & signal.isnull())
    quotient = divided(frame, frame.value.where(~vanished), divisor, error, matrix)
    return quotient, status, evidence_of(frame, matrix)


def _of_one_species(frame: Frame, species: str, variable: xr.Variable) -> xr.Variable:
    row: xr.Variable = variable.isel(species=frame.species().index(species))
    return row


def _status(
    frame: Frame,
    valid: xr.Variable,
    matrix: str,
    vanished: xr.Variable,
    missing: xr.Variable | None,
) -> xr.Variable | None:
    """Say for each sample what is wrong with the matrix signal; None if nothing is."""
    lost = vanished & valid
    absent = xr.zeros_like(lost) if missing is None else missing
    if not is_lazy(lost):
        for where, reason in (
            (lost, f"the matrix signal {matrix!r} has vanished, or dropped out"),
            (absent, f"the matrix {matrix!r} was not measured in this cycle"),
        ):
            if (place := first_sample(frame, where)) is not None:
                text = f"{reason}: no concentration there"
                place.warn(text, ProfileWarning, code="not_measured")
        if not bool((lost | absent).any()):
            return None
    codes = xr.where(lost, 1, xr.where(absent, 2, 0)).astype(np.uint8)
    return words(codes, ["ok", "vanished", "not_measured"])


def _quantified(
    frame: Frame,
    quotients: dict[str, xr.Variable],
    factors: Factors,
    kind: str,
    *,
    keep_intensity: bool,
) -> xr.Dataset:
    """Return the data with concentrations, and with what belongs to them, for the intensities."""
    data: Any = frame.origin
    columns = {f"_{end}" if end else "": column for end, column in quotients.items()}
    if "_stderr" in columns:
        of_factor = columns[""] * factors.random.fillna(0.0)
        columns["_stderr"] = (columns["_stderr"] ** 2 + of_factor**2) ** 0.5
    if is_lazy(factors.common) or bool(factors.common.notnull().any()):
        common = with_common(quotients, abs(columns[""] * factors.common))
        columns |= {f"_{end}": error for end, error in common.items()}
    columns |= {end: columns[end] * factors.value for end in ("", *IN_ITS_UNIT) if end in columns}
    if frame.counts is not None:
        columns["_counts"] = frame.counts.where(columns[""].notnull())
    if not keep_intensity:
        data = without_quantified(data, frame, factors.value)
    result = with_concentration(data, frame, columns)
    result = _with_coord(result, FACTOR_TERMS[kind], factors.value, units.CANONICAL[kind])
    for name in ("uncertainty", "day_to_day"):
        factor = getattr(factors, name)
        if is_lazy(factor) or bool(factor.notnull().any()):
            result = _with_coord(result, f"sensitivity_factor_{name}", factor)
    return result


def _with_coord(
    ds: xr.Dataset, name: str, stated: xr.Variable, unit: str | None = None
) -> xr.Dataset:
    """Add a coordinate, keeping what an earlier call has stated for other species."""
    if name in ds.coords:
        before = ds.coords[name].variable
        unsaid = stated == "ok" if name == "matrix_status" else stated.isnull()
        stated = xr.where(unsaid, before, stated)
    variable = xr.Variable(stated.dims, stated.data, vocabulary.attrs(name, unit))
    return ds.assign_coords({name: variable})


def _format_factors(frame: Frame, factor: xr.Variable) -> str:
    """List the factor of each species, for the history."""
    if factor.dims != ("species",):
        return f"over {', '.join(map(str, factor.dims))}"
    names = frame.coords["species"].values
    return ", ".join(
        f"{name} {number:.6g}"
        for name, number in zip(names, np.asarray(factor.values), strict=True)
        if not np.isnan(number)
    )
