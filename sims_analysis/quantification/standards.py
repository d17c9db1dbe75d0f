"""Sensitivity factors from implanted standards, whose dose is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.dose import integrated_dose
from sims_analysis.analysis.uncertainty import relative_uncertainty
from sims_analysis.dataset.canonical import (
    BESIDE,
    argument,
    read_positive,
    signal_name,
    species_of,
    to_canonical,
)
from sims_analysis.dataset.provenance import with_step
from sims_analysis.dataset.stacking import MEASUREMENT
from sims_analysis.errors import ProfileError
from sims_analysis.quantification.corrections import subtract_background
from sims_analysis.quantification.hosts import natural_abundance
from sims_analysis.quantification.sensitivity import FACTOR_TERMS, with_rsf
from sims_analysis.units import ParameterLike, QuantityLike, WindowLike

__all__ = ["rsf_from_standard"]

#: A factor of one, by the unit of what it stands before.
_ONE = {"count/s": "1 atom/cm^3/(count/s)", "count": "1 atom/cm^3/count"}


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
    """Find the sensitivity factor of a species from standards of known dose.

    ``RSF = dose / integral of (I_i - b) / I_m dz``, cycle by cycle or with the mean of I_m.

    Parameters
    ----------
    data : Dataset, or sequence of Datasets
        Intensities over depth, of one standard or several: a batch over ``measurement``, or a list.
    species : str
        What was implanted, by the name of its signal.
    dose : str, Quantity, DataArray, or list
        Implanted, ``"1e15 atoms/cm^2"``; of several standards with doses of their own, a DataArray
        over ``measurement``, or a list in the order of `data`.
    matrix : str or None
        The matrix species; None for no reference signal.
    start, stop : str, Quantity or DataArray, optional
        Depths between which to integrate.
    background : str, Quantity, or (start, stop), optional
        An intensity to subtract, ``"2 counts/s"``, or the depth window over which to take the mean
        of the quotient. Where the matrix signal drifts and the background does not (as that of a
        detector), use :func:`subtract_background` before, on the standard and the unknown.
    abundance : float or "natural", optional
        An implant is one isotope. With the abundance of the isotope that is measured, the factor
        is the one for the element of that isotopic composition: that of the isotope divided by it.
    dose_uncertainty : float, str or Quantity, optional
        Standard uncertainty of the dose, relative (``0.03``, ``"3 %"``) or as a dose; the same
        for all standards and common to them.
    matrix_signal, window, matrix_threshold
        As for :func:`with_rsf`.
    rule : {"trapezoid", "loglinear"}
        As for :func:`integrated_dose`. By the rule with which the doses of unknowns are found, the
        standard has its own dose.

    Returns
    -------
    DataArray
        The factor in ``atom/cm^3`` (without a matrix in ``atom/cm^3/(count/s)``), the mean of
        several standards, for :func:`with_rsf` as it is. Coordinates:

        - ``stderr`` (likewise): ``sqrt(max(counting, repeatability)^2 + dose^2)`` of its parts,
          since what counting explains of the repeatability is part of it
        - ``counting_stderr``: NaN where the data have no standard errors, see
          :func:`with_counting_statistics`
        - ``dose_stderr``: 0 where no `dose_uncertainty` is given
        - ``repeatability_stderr``: standard deviation of the factors of n standards over
          ``sqrt(n)``, NaN for one
        - ``n_standards``
        - ``species``, ``matrix``: what it belongs to; provenance tells whence it comes

    Raises
    ------
    SpeciesError
        If the species or the matrix is not in the data.
    UnitsError
        If the data are on a time axis (see :func:`calibrate_depth`) or have no intensities, or the
        dose is none.
    ProfileError
        If a standard holds no such dose: its integral is not positive, or it has none between
        these depths.

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
    doses = list(dose) if isinstance(dose, list | tuple) else [dose] * len(standards)
    if len(doses) != len(standards):
        raise ProfileError(f"dose holds {len(doses)} doses of {len(standards)} standards")
    options: dict[str, Any] = {
        "matrix": matrix,
        "matrix_signal": matrix_signal,
        "window": window,
        "matrix_threshold": matrix_threshold,
    }
    limits = {"start": start, "stop": stop, "rule": rule}
    parts, errors = [], []
    for one, its_dose in zip(standards, doses, strict=True):
        factor, relative = _factor(one, species, its_dose, background, options, limits)
        parts.append(np.ravel(factor))
        errors.append(np.ravel(relative))
        unit = factor.attrs["units"]
    factors, counting = np.concatenate(parts), np.concatenate(errors)
    factors = factors / _abundance(abundance, species)
    number, value = factors.size, float(factors.mean())
    of_dose = max(_relative_dose(dose_uncertainty, one) for one in doses)
    stderr = {
        "counting_stderr": float(np.sqrt(np.sum((factors * counting) ** 2))) / number,
        "dose_stderr": value * of_dose,
        "repeatability_stderr": float(factors.std(ddof=1)) / number**0.5 if number > 1 else np.nan,
    }
    random = np.fmax(stderr["counting_stderr"], stderr["repeatability_stderr"])
    stderr = {"stderr": float(np.hypot(np.nan_to_num(random), stderr["dose_stderr"])), **stderr}
    term = next(term for kind, term in FACTOR_TERMS.items() if units.CANONICAL[kind] == unit)
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
        f"sensitivity factor of {species} from {number} standard{'s' if number > 1 else ''}",
        standards=standards,
        species=species,
        dose=dose,
        background=background,
        abundance=abundance,
        dose_uncertainty=dose_uncertainty,
        **options,
        **limits,
    )
    quantified = any(units.is_quantity(v.data) for one in standards for v in one.data_vars.values())
    return units.quantify(answer) if quantified else answer


def _factor(
    ds: xr.Dataset,
    species: str,
    dose: Any,
    background: Any,
    options: dict[str, Any],
    limits: dict[str, Any],
) -> tuple[xr.DataArray, xr.DataArray]:
    """Give the factor of each standard of a Dataset, and its relative error by counting."""
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
    unit = plain[name].attrs["units"]
    if background is not None and not isinstance(background, tuple | list):
        kinds = tuple(k for k in vocabulary.kinds(name) if units.CANONICAL[k] == unit)
        level = argument(plain.sel(species=species), background, kinds, "background")
        level = level.assign_coords(species=species)
        plain = subtract_background(plain, value=level, variable=name)
        background = None
    one = "1 atom/cm^3" if matrix is not None else _ONE.get(unit, "1 atom/cm^3")
    quotient = with_rsf(plain, rsf={species: one}, **options)
    integral = integrated_dose(quotient.sel(species=species), background=background, **limits)
    known = read_positive(integral, dose, ("areal_density",), "dose")
    wrong = ~(integral > 0)
    if bool(wrong.any()):
        which = (
            [str(label) for label in np.ravel(integral[wrong.dims[0]][wrong])] if wrong.ndim else []
        )
        raise ProfileError(
            f"species {species!r}{', ' if which else ''}{MEASUREMENT + ' ' if which else ''}"
            f"{', '.join(which[:3])}: no dose between these depths to compare with "
            f"(integral {float(integral.min()):.3g}); look at start, stop and background"
        )
    factor = (known / integral).assign_attrs(units=one.split(" ", 1)[1])
    missing = xr.full_like(integral, np.nan)
    return factor, integral.coords.get("stderr", missing) / integral


def _abundance(abundance: Any, species: str) -> float:
    if abundance is None:
        return 1.0
    if abundance == "natural":
        return natural_abundance(species)
    number = isinstance(abundance, float | int | np.number) and not isinstance(abundance, bool)
    if not (number and 0 < abundance <= 1):
        raise ProfileError(
            f"abundance={abundance!r}; expected a fraction from 0 to 1, or 'natural'"
        )
    return float(abundance)


def _relative_dose(uncertainty: Any, dose: Any) -> float:
    """Give the largest relative uncertainty of the doses of standards."""
    if uncertainty is None:
        return 0.0
    text = isinstance(uncertainty, str) and not uncertainty.rstrip().endswith(("%", "percent"))
    if text or (units.is_quantity(uncertainty) and not uncertainty.dimensionless):
        absolute = units.read_quantity(uncertainty, ("areal_density",), "dose_uncertainty")[0]
        data = dose if isinstance(dose, xr.DataArray) else xr.Dataset()
        known = float(read_positive(data, dose, ("areal_density",), "dose").min())
        if not 0 <= absolute < known:
            raise ProfileError(
                f"dose_uncertainty={uncertainty!r}; expected less than the dose, {known:g} "
                "atom/cm^2, and no less than 0"
            )
        return float(absolute / known)
    return float(np.max(relative_uncertainty(uncertainty, "dose_uncertainty")))
