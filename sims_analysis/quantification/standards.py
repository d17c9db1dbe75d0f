"""Sensitivity factors from implanted standards of known dose."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.dose import check_options, integral, read_question, warn_or_raise
from sims_analysis.analysis.uncertainty import relative_uncertainty
from sims_analysis.dataset.canonical import (
    BESIDE,
    argument,
    name_profiles,
    read_positive,
    signal_name,
    species_of,
    to_canonical,
)
from sims_analysis.dataset.provenance import with_step
from sims_analysis.errors import ProfileError
from sims_analysis.frame.opening import open_frame
from sims_analysis.quantification.calibration import has_unit
from sims_analysis.quantification.corrections import subtract_background
from sims_analysis.quantification.hosts import read_abundance, source_of_abundance
from sims_analysis.quantification.sensitivity import FACTOR_TERMS, kind_of_factor, with_rsf
from sims_analysis.text.arguments import format_argument
from sims_analysis.units import NM_PER_CM, ParameterLike, QuantityLike, WindowLike

__all__ = ["rsf_from_standard"]


def rsf_from_standard(
    data: xr.Dataset | Sequence[xr.Dataset],
    *,
    species: str,
    dose: ParameterLike | Sequence[QuantityLike],
    matrix: str | None,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    background: ParameterLike | WindowLike | None = None,
    abundance: float | str | None = None,
    dose_uncertainty: float | QuantityLike | None = None,
    matrix_signal: Literal["cycle", "mean"] = "cycle",
    window: WindowLike | None = None,
    matrix_threshold: float = 0.01,
    rule: Literal["trapezoid", "loglinear"] = "trapezoid",
) -> xr.DataArray:
    """Determine the sensitivity factor of a species from standards of known dose.

    ``RSF = dose / integral of (I_i - b) / I_m dz``, cycle by cycle or with the mean of I_m.

    Parameters
    ----------
    data : Dataset, or sequence of Datasets
        Intensities over depth, of one standard or several: a batch over ``measurement``, or a list.
    species : str
        The implanted species, by the name of its signal.
    dose : str, Quantity, DataArray, or list
        The implanted dose, ``"1e15 atoms/cm^2"``; for standards with different doses, a DataArray
        over ``measurement``, or a list in the order of `data`.
    matrix : str or None
        The matrix species; None for no matrix signal.
    start, stop : str, Quantity or DataArray, optional
        Limits of the integral.
    background : str, Quantity, or (start, stop), optional
        An intensity to subtract, ``"2 counts/s"``, or the depth window in which the mean of the
        quotient is taken. If the matrix signal drifts but the background does not (as that of a
        detector), use :func:`subtract_background` first, on the standard and the unknown.
    abundance : float or "natural", optional
        An implant is a single isotope. With the abundance of the measured isotope, the result is
        the factor for the element of that isotopic composition: that of the isotope divided by the
        abundance.
    dose_uncertainty : float, str or Quantity, optional
        Standard uncertainty of the dose, relative (``0.03``, ``"3 %"``) or as a dose; common to all
        standards.
    matrix_signal, window, matrix_threshold
        As for :func:`with_rsf`.
    rule : {"trapezoid", "loglinear"}
        As for :func:`integrated_dose`. With the rule that is used for the doses of unknowns, the
        standard gets exactly its own dose.

    Returns
    -------
    DataArray
        The factor in ``atom/cm^3`` (without a matrix in ``atom/cm^3/(count/s)``), the mean of
        several standards, for :func:`with_rsf` as it is. Coordinates:

        - ``stderr`` (likewise): ``sqrt(max(counting, repeatability)^2 + dose^2)`` of its parts,
          because counting noise is part of the repeatability
        - ``counting_stderr``: NaN if the data have no standard errors, see
          :func:`with_counting_statistics`
        - ``dose_stderr``: 0 if no `dose_uncertainty` is given
        - ``repeatability_stderr``: standard deviation of the factors of n standards divided by
          ``sqrt(n)``, NaN for a single one
        - ``n_standards``
        - ``species``, ``matrix``: what it belongs to; its origin is in the provenance

    Raises
    ------
    SpeciesError
        If the species or the matrix is not in the data.
    UnitsError
        If the data are on a time axis (see :func:`calibrate_depth`) or have no intensities, or the
        dose has no unit of atoms per area.
    ProfileError
        If the integral over a standard is not positive, or nothing was measured between the limits.

    References
    ----------
    ISO 18114, Determination of relative sensitivity factors from ion-implanted reference
    materials.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("sputter-time")  # 1e15 atoms/cm^2 of As, 5e21 atoms/cm^3; 2 % of it
    ...                                         # lie in the surface transient, which is left out
    >>> ds = sims.with_counting_statistics(ds, dwell_time="0.5 s")
    >>> ds = sims.calibrate_depth(ds, crater_depth="210 nm", total_time="500 s")
    >>> rsf = sims.rsf_from_standard(
    ...     ds, species="As", dose="1e15 atoms/cm^2", matrix="Si", start="15 nm",
    ...     background=("180 nm", "205 nm"), dose_uncertainty="3 %",
    ... )
    >>> print(f"{rsf.item():.2e} +- {rsf['stderr'].item():.1e} {rsf.attrs['units']}")
    5.09e+21 +- 1.5e+20 atom/cm^3
    """
    standards = [data] if isinstance(data, xr.Dataset) else list(data)
    if not standards or not all(isinstance(one, xr.Dataset) for one in standards):
        raise TypeError("rsf_from_standard takes a Dataset, or a list of Datasets")
    check_options(rule, "measured")
    doses = list(dose) if isinstance(dose, list | tuple) else [dose] * len(standards)
    if len(doses) != len(standards):
        raise ProfileError(f"dose holds {len(doses)} doses for {len(standards)} standards")
    options: dict[str, Any] = {
        "matrix": matrix,
        "matrix_signal": matrix_signal,
        "window": window,
        "matrix_threshold": matrix_threshold,
    }
    limits = {"start": start, "stop": stop, "rule": rule}
    parts, errors = [], []
    for one, its_dose in zip(standards, doses, strict=True):
        kind, factor, relative = _factor(one, species, its_dose, background, options, limits)
        parts.append(np.ravel(factor))
        errors.append(np.ravel(relative))
    factors, counting = np.concatenate(parts), np.concatenate(errors)
    of_element = ""
    if abundance is not None:
        fraction = read_abundance(abundance, species, "abundance")
        factors = factors / fraction
        source = source_of_abundance(abundance, species)
        of_element = f", for the element: abundance {fraction:.6g} ({source})"
    number, value = factors.size, float(factors.mean())
    of_dose = max(_relative_dose(dose_uncertainty, one) for one in doses)
    stderr = {
        "counting_stderr": float(np.sqrt(np.sum((factors * counting) ** 2))) / number,
        "dose_stderr": value * of_dose,
        "repeatability_stderr": float(factors.std(ddof=1)) / number**0.5 if number > 1 else np.nan,
    }
    random = np.fmax(stderr["counting_stderr"], stderr["repeatability_stderr"])
    stderr = {"stderr": float(np.hypot(np.nan_to_num(random), stderr["dose_stderr"])), **stderr}
    term, unit = FACTOR_TERMS[kind], units.CANONICAL[kind]
    answer = xr.DataArray(
        value,
        coords={
            "species": species,
            "matrix": matrix or "",
            "n_standards": ((), number, vocabulary.attrs("n_standards")),
            **{
                name: ((), error, vocabulary.attrs(f"factor_{name}", unit))
                for name, error in stderr.items()
            },
        },
        name=term,
        attrs=vocabulary.attrs(term, unit),
    )
    answer = with_step(
        answer,
        "rsf_from_standard",
        f"sensitivity factor of {species} from {number} standard{'s' if number > 1 else ''}"
        f"{of_element}",
        standards=standards,
        species=species,
        dose=dose,
        background=background,
        abundance=abundance,
        dose_uncertainty=dose_uncertainty,
        **options,
        **limits,
    )
    return units.quantify(answer) if any(map(units.is_quantified, standards)) else answer


def _factor(
    ds: xr.Dataset,
    species: str,
    dose: Any,
    background: Any,
    options: dict[str, Any],
    limits: dict[str, Any],
) -> tuple[str, xr.DataArray, xr.DataArray]:
    """Return the kind of factor, that of each standard, and its relative error from counting."""
    plain = to_canonical(units.dequantify(ds))
    species_of(plain, species, name="species")
    name = signal_name(plain, "a sensitivity factor")
    matrix = options["matrix"]
    if plain["species"].ndim == 0 or matrix == species:
        raise ProfileError(f"the standard needs {species!r} beside the matrix {matrix!r}")
    used = [species]
    if matrix is not None:
        species_of(plain, matrix, name="matrix")
        used.append(matrix)
    beside = [name + end for end in ("", *BESIDE) if name + end in plain]
    plain = plain[beside].sel(species=used)
    if background is not None and not isinstance(background, tuple | list):
        kinds = vocabulary.kinds_in(name, plain[name].attrs["units"])
        level = argument(plain.sel(species=species), background, kinds, "background")
        level = level.assign_coords(species=species)
        plain = subtract_background(plain, value=level, variable=name)
        background = None
    kind = kind_of_factor(plain[name], matrix)
    one = f"1 {units.CANONICAL[kind]}"
    quotient = with_rsf(plain, rsf={species: one}, **options)
    found = _integral(quotient.sel(species=species), background=background, **limits)
    known = read_positive(found, dose, ("areal_density",), "dose")
    wrong = ~(found > 0)
    if bool(wrong.any()):
        raise ProfileError(
            f"{name_profiles(wrong)}: no dose between these depths to compare with "
            f"(integral {float(found.min()):.3g}); check start, stop and background"
        )
    missing = xr.full_like(found, np.nan)
    return kind, known / found, found.coords.get("stderr", missing) / found


def _integral(quotient: xr.Dataset, **question: Any) -> xr.DataArray:
    """Integrate quotients, which only look like concentrations, and may have any size."""
    frame = open_frame(quotient, ("concentration",), question="a dose", as_they_are=True)
    found = integral(frame, read_question(frame, **question))
    warn_or_raise(found)
    coords = {}
    if found.variance is not None:
        coords["stderr"] = found.variance**0.5 / NM_PER_CM
    return frame.array(found.value / NM_PER_CM, "dose", coords=coords)


def _relative_dose(uncertainty: Any, dose: Any) -> float:
    """Return the largest relative uncertainty of the doses of standards."""
    if uncertainty is None:
        return 0.0
    if has_unit(uncertainty):
        absolute = units.read_quantity(uncertainty, ("areal_density",), "dose_uncertainty")[0]
        data = dose if isinstance(dose, xr.DataArray) else xr.Dataset()
        known = float(read_positive(data, dose, ("areal_density",), "dose").min())
        if not 0 <= absolute < known:
            raise ProfileError(
                f"dose_uncertainty={format_argument(uncertainty)}; expected less than the dose, "
                f"{known:g} atom/cm^2, and not less than 0"
            )
        return float(absolute / known)
    return float(np.max(relative_uncertainty(uncertainty, "dose_uncertainty")))
