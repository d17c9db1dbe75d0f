"""Sensitivity factors from implanted standards of known dose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any, Literal

import numpy as np
import orjson
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.axes import MEASUREMENT
from sims_analysis.conventions.canonical import ENDS, signal_name, species_of, to_canonical
from sims_analysis.conventions.provenance import with_history
from sims_analysis.conventions.species_metadata import metadata_of
from sims_analysis.errors import ProfileError, ProfileWarning, warn
from sims_analysis.frame.arguments import read_change
from sims_analysis.frame.background import (
    MEAN_OF_OTHERS,
    Background,
    add_background_error,
    doubts_of_window,
    mean_over,
    read_background,
)
from sims_analysis.frame.call import processing_step
from sims_analysis.frame.evidence import resolve
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import elementwise
from sims_analysis.frame.window import read_window
from sims_analysis.kernels.counting import scatter_counts, student, window_mean
from sims_analysis.kernels.rows import Array, ends
from sims_analysis.outcomes import Status
from sims_analysis.profiles.metadata import FIELD, Layer, Metadata
from sims_analysis.quantification.arguments import read_uncertainty
from sims_analysis.quantification.conditions import NAMES, conditions_of, contradict
from sims_analysis.quantification.corrections import dead_time_of, subtract_background
from sims_analysis.quantification.factors import FACTOR_TERMS, kind_of_factor
from sims_analysis.quantification.hosts import read_abundance
from sims_analysis.quantification.rescaling import ComparedDose, compare_dose
from sims_analysis.quantification.sensitivity import with_rsf
from sims_analysis.text.arguments import type_error
from sims_analysis.text.times import moment_of
from sims_analysis.units import ParameterLike, QuantityLike, WindowLike


@processing_step(of="")  # the standards are on record
def rsf_from_standard(
    data: xr.Dataset | Sequence[xr.Dataset],
    *,
    species: str,
    matrix: str | None,
    dose: ParameterLike | Sequence[QuantityLike] | None = None,
    concentration: ParameterLike | Sequence[QuantityLike] | None = None,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    background: ParameterLike | WindowLike | None = None,
    abundance: float | str | None = None,
    dose_uncertainty: float | QuantityLike | None = None,
    concentration_uncertainty: float | QuantityLike | None = None,
    matrix_signal: Literal["cycle", "mean"] = "cycle",
    window: WindowLike | None = None,
    matrix_threshold: float | str = 0.01,
    rule: Literal["trapezoid", "loglinear"] = "trapezoid",
) -> xr.DataArray:
    """Determine the sensitivity factor of a species from standards.

    Of implants of known dose, ``RSF = dose / integral of (I_i - b) / I_m dz``; of uniform standards
    of known concentration, ``RSF = C / mean of (I_i - b) / I_m``.
    Not to be trusted in another matrix, or under other conditions, than those of the standards.

    Parameters
    ----------
    data : Dataset, or sequence of Datasets
        Intensities over depth, of one standard or several: a batch over ``measurement``, or a list.
    species : str
        The implanted species, by the name of its signal.
    matrix : str or None
        The matrix species; None for no matrix signal.
    dose, concentration : str, Quantity, DataArray, or list
        One of the two, ``"1e15 atoms/cm^2"``. Where standards differ, a DataArray over
        ``measurement``, or a list in the order of `data`.
    start, stop : str, Quantity or DataArray, optional
        Limits of the integral, or of the mean.
    background : str, Quantity, or (start, stop), optional
        The background b: an intensity, ``"2 counts/s"``, or the depth window in which the mean of
        the quotient is taken. Where only the matrix signal drifts, :func:`subtract_background`
        first, from the standard and from the unknown.
    abundance : float, str or "natural", optional
        Of the implanted isotope, if the factor shall be that of the element.
    dose_uncertainty, concentration_uncertainty : float, str or Quantity, optional
        Its standard uncertainty, common to all standards: relative, ``"3 %"``, or in its unit.
    matrix_signal, window, matrix_threshold
        How the matrix signal is used, as in :func:`with_rsf`; use the same for unknowns.
    rule : {"trapezoid", "loglinear"}
        How samples are integrated, as in :func:`integrated_dose`; use the same for unknowns.

    Returns
    -------
    DataArray
        The factor in ``atom/cm^3`` (without a matrix in ``atom/cm^3/(count/s)``), the mean of
        several standards, which :func:`with_rsf` takes as it is. Coordinates:

        - ``stderr`` (same unit): ``sqrt(random^2 + dose^2)`` of the parts that are known. The
          random part is ``counting_stderr``; where standards scatter by more than that (chance does
          it in one case of eight), ``repeatability_stderr`` times Student's t: 1.84 of two
          standards, 1.32 of three
        - ``counting_stderr``: NaN for data without :func:`with_counting_statistics`
        - ``dose_stderr``: of the known dose or concentration; NaN if its uncertainty is not given
        - ``repeatability_stderr``: ``s / sqrt(n)`` of n factors, ``n_standards``; NaN of one
        - ``status``: ``ok``, or the first in rank of those of the integrals, as in
          :func:`integrated_dose`; concentrations by such a factor are ``scale_in_doubt``
        - ``species``, ``matrix``, ``matrix_signal``, ``dead_time`` (``corrected`` or ``as
          observed``): what the factor belongs to. :func:`with_rsf` checks them. So does
          :class:`Factors` with the attr ``measurement``, the conditions of the standards

    Raises
    ------
    SpeciesError
        If the species or the matrix is not in the data.
    UnitsError
        If the data are on a time axis or have no intensities, or the dose is not of atoms per area.
    ProfileError
        If an integral is not positive, nothing was measured between the limits, or conditions of
        the standards differ: primary ion, impact energy...

    Warns
    -----
    ProfileWarning
        Where only some standards were corrected for dead time, or an integral begins in a surface
        transient, whose counts would be taken for the implant.

    References
    ----------
    ISO 18114, Determination of relative sensitivity factors from ion-implanted reference
    materials.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("sputter-time")  # 2 % of the As lie in the transient, left out
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
    if not standards or not all(isinstance(ds, xr.Dataset) for ds in standards):
        raise type_error("data", data, "rsf_from_standard takes a Dataset, or a list of Datasets")
    kind = "dose" if concentration is None else "concentration"
    if (dose is None) == (concentration is None):
        raise ProfileError(
            "give either dose (of implanted standards) or concentration (of uniform ones)",
            code="conflicting_arguments",
        )
    unused = concentration_uncertainty if kind == "dose" else dose_uncertainty
    if unused is not None:
        other = "concentration" if kind == "dose" else "dose"
        raise ProfileError(f"{other}_uncertainty needs {other}=", code="conflicting_arguments")
    stated = concentration if dose is None else dose
    certified = list(stated) if isinstance(stated, list | tuple) else [stated] * len(standards)
    if len(certified) != len(standards):
        text = f"{kind} has {len(certified)} values for {len(standards)} standards"
        raise ProfileError(text, argument=kind)
    options: dict[str, Any] = {
        "matrix": matrix,
        "matrix_signal": matrix_signal,
        "window": window,
        "matrix_threshold": matrix_threshold,
    }
    limits = {"start": start, "stop": stop, "rule": rule}
    uncertainty = dose_uncertainty if concentration is None else concentration_uncertainty
    metadata = _metadata_of(standards, species)
    measured = [
        _factors_of_standard(ds, species, kind, (value, uncertainty), background, options, limits)
        for ds, value in zip(standards, certified, strict=True)
    ]
    of_element, fraction = "", 1.0
    if abundance is not None:
        fraction, source = read_abundance(abundance, species, "abundance")
        of_element = f", for the element: abundance {fraction:.6g} ({source})"
    answer = _mean(measured, species, fraction).assign_coords(
        matrix=matrix or "",
        matrix_signal="" if matrix is None else matrix_signal,
        dead_time=_dead_time(standards),
    )
    if alike := _common_conditions(metadata):
        answer.attrs[FIELD] = orjson.dumps(alike).decode()
    number = answer["n_standards"].item()
    many = f"{number} standard{'s' if number > 1 else ''}"
    answer = with_history(answer, f"sensitivity factor of {species} from {many}{of_element}")
    return units.quantify(answer) if any(map(units.is_quantified, standards)) else answer


#: What is known of standards -> its kind.
_KINDS = {"dose": "areal_density", "concentration": "concentration"}
#: Kind of a factor -> that of the quotients that it multiplies.
_QUOTIENTS = {
    "concentration": "dimensionless",
    "factor_per_rate": "count_rate",
    "factor_per_count": "count",
}


def _factors_of_standard(
    ds: xr.Dataset,
    species: str,
    quantity: str,
    certified: tuple[Any, Any],
    background: Any,
    options: dict[str, Any],
    limits: dict[str, Any],
) -> tuple[str, Array]:
    """Return the kind of factors; these, their relative errors of counting and dose, statuses."""
    plain, name = _needed_signals(ds, species, options["matrix"])
    kind = kind_of_factor(plain[name].attrs["units"], options["matrix"], name)
    if background is not None and not isinstance(background, tuple | list):
        named = isinstance(background, xr.DataArray) and "species" in background.dims
        value = background if named else {species: background}
        plain = subtract_background(plain, value=value, species=species, variable=name)
        background = None
    quotient = with_rsf(plain, rsf={species: f"1 {units.CANONICAL[kind]}"}, **options)
    # Quotients only look like concentrations, and may have any size.
    frame = open_frame(
        quotient.sel(species=species), ("concentration",), question="a dose", as_they_are=True
    )
    frame = replace(frame, kind=_QUOTIENTS[kind])
    certified_value = read_change(frame, certified[0], (_KINDS[quantity],), quantity)
    compare = compare_dose if quantity == "dose" else _compare_mean
    match = compare(frame, certified_value, certified[1], limits | {"background": background})
    columns = (match.factor, match.counting, match.uncertainty + 0.0 * match.factor, match.status)
    return kind, np.stack([np.ravel(np.asarray(column.data, dtype=float)) for column in columns])


def _compare_mean(
    frame: Frame, certified: xr.Variable, uncertainty: Any, limits: dict[str, Any]
) -> ComparedDose:
    """Compare known concentrations with the mean over the quotients, and its error."""
    window = read_window(frame, limits["start"], limits["stop"])
    mean, support = frame.evaluate(window_mean, *window, use="mean", errors="sum")
    ratio, level = mean.value, Background(window=window).level
    stderr = add_background_error(frame, mean.stderr, level, linear=True)
    below = read_background(frame, limits["background"])
    if below.window is not None:
        subtracted = mean_over(frame, below.window)
        ratio, stderr = ratio - subtracted.value, (stderr**2 + subtracted.stderr**2) ** 0.5
    if (wrong := first_flagged(frame, certified.notnull() & ~(ratio > 0))) is not None:
        raise wrong.error(
            f"the mean quotient between these limits is {wrong.of(ratio):.3g}; check start, stop "
            "and background",
            ProfileError,
        )
    status = xr.where(mean.n > 0, int(Status.OK), int(Status.NO_DATA))
    record: Any = frame.map(ends)
    used = mean.start.clip(min=record.first), mean.stop.clip(max=record.last)
    width = used[1] - used[0]
    trend = below.trend(frame, used, ratio * width, stderr * width)
    doubts = doubts_of_window(trend)
    if trend is not None:
        stderr = elementwise(np.hypot, stderr, trend.slope_error / width)
    status = resolve(frame, status, support, window, what=MEAN_OF_OTHERS, doubts=doubts)
    relative = xr.Variable((), np.nan)
    if uncertainty is not None:
        relative = read_uncertainty(
            frame, uncertainty, certified, "concentration", "concentration_uncertainty"
        )
    return ComparedDose(certified / ratio, stderr / ratio, relative, status)


def _metadata_of(standards: Sequence[xr.Dataset], species: str) -> list[Metadata]:
    """Return what is known of all standards; refuse those of different conditions."""
    stated: list[Metadata] = []
    names: list[Any] = []
    for number, standard in enumerate(standards):
        stated += metadata_of(standard, species)
        origin = [standard.attrs.get("data_id", f"data[{number}]")]
        names += standard[MEASUREMENT].values.tolist() if MEASUREMENT in standard.dims else origin
    every = zip(names, map(conditions_of, stated), strict=True)
    for (a, first), (b, second) in combinations(every, 2):
        for name, text in first.items():
            if contradict(name, text, second[name]):
                raise ProfileError(
                    f"the standards {a!r} and {b!r} have no common factor: {NAMES[name]} {text!r}, "
                    f"and {second[name]!r}; determine one of those measured alike",
                    code="different_conditions",
                )
    return stated


def _common_conditions(stated: Sequence[Metadata]) -> dict[str, Any]:
    """Return what all say alike, each condition as the first that says it, the latest date."""
    materials = [tuple(Layer(matrix=layer.matrix) for layer in m.layers) for m in stated]
    every = [
        replace(m, layers=layers).to_dict() for m, layers in zip(stated, materials, strict=True)
    ]
    conditions = [item for by_name in every for item in by_name.items()]
    alike = {
        key: text
        for key, text in reversed(conditions)
        if any(conditions_of(Metadata.from_dict({key: text})).values())
        or all(by_name.get(key) == text for by_name in every)
    }
    moments = {moment: m.measured for m in stated if (moment := moment_of(m.measured))}
    if moments:
        alike["measured"] = moments[max(moments)]
    return alike


def _needed_signals(ds: xr.Dataset, species: str, matrix: str | None) -> tuple[xr.Dataset, str]:
    """Return the signals of the species and of the matrix, and the name of their variable."""
    plain = to_canonical(units.dequantify(ds))
    species_of(plain, species, name="species")
    name = signal_name(plain, "a sensitivity factor")
    if plain["species"].ndim == 0 or matrix == species:
        text = f"the standard needs {species!r} besides the matrix {matrix!r}"
        raise ProfileError(text, argument="species")
    used = [species]
    if matrix is not None:
        species_of(plain, matrix, name="matrix")
        used.append(matrix)
    columns = [name + end for end in ENDS if name + end in plain]
    return plain[columns].sel(species=used), name


def _dead_time(standards: Sequence[xr.Dataset]) -> str:
    """Say whether the standards were corrected for dead time; warn if only some were."""
    states = {dead_time_of(standard) for standard in standards}
    if len(states) > 1:
        warn(
            "some standards were corrected for dead time, and some were not: treat all alike, and "
            "the unknown as well",
            ProfileWarning,
            code="different_conditions",
        )
        return "corrected in part"
    return states.pop()


def _mean(measured: Sequence[tuple[str, Array]], species: str, fraction: float) -> xr.DataArray:
    """Return the mean factor of all standards, for the element of which they are a fraction."""
    kind, _ = measured[0]
    factors, counting, doses, codes = np.hstack([rows for _, rows in measured])
    factors /= fraction
    number, value = factors.size, float(factors.mean())
    stderr = {
        "counting_stderr": float(np.sqrt(np.sum((factors * counting) ** 2))) / number,
        # Common to all standards.
        "dose_stderr": value * float(doses.max()),
        "repeatability_stderr": float(factors.std(ddof=1)) / number**0.5 if number > 1 else np.nan,
    }
    random = stderr["counting_stderr"]
    if number > 1:
        squares = float(factors.std(ddof=1)) ** 2, random**2 * number
        if np.isnan(random) or scatter_counts(*squares, number - 1):
            random = float(student(number - 1)) * stderr["repeatability_stderr"]
    parts = [part for part in (random, stderr["dose_stderr"]) if not np.isnan(part)]
    stderr = {"stderr": float(np.hypot.reduce(parts)) if parts else np.nan, **stderr}
    term, unit = FACTOR_TERMS[kind], units.CANONICAL[kind]
    status = max(map(Status, codes.astype(int)), key=lambda s: s.rank).word
    return xr.DataArray(
        value,
        coords={
            "species": species,
            "n_standards": ((), number, vocabulary.attrs("n_standards")),
            "status": ((), status, vocabulary.attrs("status")),
            **{
                name: ((), error, vocabulary.attrs(f"factor_{name}", unit))
                for name, error in stderr.items()
            },
        },
        name=term,
        attrs=vocabulary.attrs(term, unit),
    )
