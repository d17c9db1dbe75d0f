"""Measured ratios of isotopes against natural ones, which show interferences and dead time."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.canonical import on_canonical_data
from sims_analysis.conventions.species_metadata import stated_in_metadata
from sims_analysis.errors import ProfileWarning, SpeciesError, warn
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import anywhere_along, resolve, with_evidence
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt
from sims_analysis.frame.opening import open_samples
from sims_analysis.frame.window import Window, read_window
from sims_analysis.kernels.evidence import Support
from sims_analysis.outcomes import GAP, Flag, Status
from sims_analysis.quantification.hosts import isotope, natural_abundance
from sims_analysis.quantification.reference import (
    TwoSignals,
    at_samples_of,
    column,
    divided,
    evidence_of,
    measured_in,
    row_of,
    two_signals,
)
from sims_analysis.text.arguments import first_few
from sims_analysis.units import ParameterLike

#: Variables of the answer -> their terms, and the ends of ancillary ones.
_TERMS = {
    "ratio": ("species_ratio", ""),
    "ratio_stderr": ("species_ratio", "stderr"),
    "ratio_background_stderr": ("species_ratio", "background_stderr"),
    "mean_ratio": ("mean_ratio", ""),
    "mean_ratio_stderr": ("mean_ratio", "stderr"),
    "natural_ratio": ("natural_ratio", ""),
}
#: An element, as time-of-flight instruments call its main isotope.
_ELEMENT = re.compile(r"([A-Z][a-z]?)(?:[+-]|->)?")


@dataclass(frozen=True)
class _Rules:
    """The numbers by which ratios differ: by so many errors, and by a part that instruments add."""

    errors: float = 3.0
    discrimination: float = 0.05  # of the natural ratio: which instruments have at most
    loss: float = 0.01  # of that at low rates: what they do to masses is the same at high ones


_RULES = _Rules()


@on_canonical_data
@recorded
def isotope_ratios(
    data: xr.Dataset,
    *,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    variable: str | None = None,
) -> xr.Dataset:
    """Compare the ratios of all isotopes of an element with the natural ones.

    Not to be trusted below 5 %, by which instruments discriminate masses, or of enriched samples,
    as an implant of one isotope is: those differences are no interference.

    Parameters
    ----------
    data : Dataset
        With several isotopes of an element, named as ``11B`` or ``^113In+``, or by the element
        where the ``species_metadata`` give a ``mass``; one measurement or a batch.
    start, stop : str, Quantity or DataArray, optional
        The window of the means, its ends included; by default the whole profile.
    variable : str, optional
        By default intensities or counts, otherwise the first measured variable.

    Returns
    -------
    Dataset
        Over ``pair`` (``"113In/115In"``), each isotope over the measured one of the highest
        abundance; the coordinates ``numerator`` and ``denominator`` are species of the data.

        - ``ratio``, ``ratio_stderr``, ``ratio_background_stderr`` (``1``): along the axis, as of
          :func:`ratio`
        - ``mean_ratio``, ``mean_ratio_stderr``: the ratio of the sums over the window, which few
          counts do not bias; without standard errors of samples, its error is from their scatter,
          ``sqrt(sum (a - r b)^2) / sum b``; of no counts in total, 1.84 counts
        - ``natural_ratio``: of the natural abundances
        - ``status``: ``ok``; ``saturated`` where samples are those of a saturated detector, or the
          ratio is too high and rises with the rate of the abundant isotope, as where the detector
          loses that; ``interference`` where the ratio is otherwise not the natural one, by more
          than 3 standard errors and 5 %; ``below_limit`` where samples without a value are left
          out; ``no_data``

    Raises
    ------
    SpeciesError
        If there are no two isotopes of an element.

    Warns
    -----
    ProfileWarning
        Where the status is not ``ok``. Not for Dask data.

    Notes
    -----
    Loss shows where rates differ along the profile: samples above half of the largest against those
    below it, by more than 3 standard errors and 1 %, as the discrimination is the same in both.

    References
    ----------
    ISO 20411, Surface chemical analysis - Secondary ion mass spectrometry - Correction method for
    saturated intensity in single ion counting dynamic secondary ion mass spectrometry, takes dead
    time from isotopes (by its abstract). R. G. Wilson, F. A. Stevie, C. W. Magee, Secondary Ion
    Mass Spectrometry, Wiley 1989, on interferences and mass discrimination.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> run = sims.open_example("sputter-time")
    >>> run = sims.combine(run, {"28Si": {"Si": 1}, "30Si": {"Si": 0.034}})
    >>> found = sims.isotope_ratios(run)
    >>> print(found["pair"].item(), f"{found['natural_ratio'].item():.4f}", found["status"].item())
    30Si/28Si 0.0335 ok
    """
    pairs = _pairs(data)
    name = measured_in(data, variable, names=("intensity", "counts", *vocabulary.MEASURED))
    data = with_evidence(data)
    frame = open_samples(data, name, "a ratio of isotopes")
    names = frame.species()
    ratios = []
    for pair in pairs:
        rows = [names.index(pair.numerator), names.index(pair.denominator)]
        pair_frame = open_samples(data.isel(species=rows), name, "a ratio of isotopes")
        ratios.append(_compared(pair_frame, read_window(pair_frame, start, stop), pair))
    joined = {key: xr.Variable.concat([c[key] for c in ratios], "pair") for key in ratios[0]}
    columns = {"status": frame.status(joined.pop(""))}
    for key, pair in joined.items():
        columns[key] = column(*_TERMS[key], "1", pair, pair.dims)
    labels = zip(*pairs, strict=True)
    coords = {
        key: xr.Variable("pair", list(texts))
        for key, texts in zip(("pair", "numerator", "denominator"), labels, strict=False)
    }
    along = {key: column for key, column in frame.along.items() if "species" not in column.dims}
    answer = frame.dataset(columns, coords=along | coords)
    _warn(answer)
    return answer


class _Pair(NamedTuple):
    """Two species that are isotopes of an element, and the ratio of their abundances."""

    label: str
    numerator: str
    denominator: str
    natural: float


def _pairs(data: xr.Dataset) -> list[_Pair]:
    """List the isotopes of each element, each with the measured one of the highest abundance."""
    species = [str(label) for label in np.atleast_1d(data["species"].values)]
    masses = stated_in_metadata(data, "mass", _mass)
    numbers = [np.nan] * len(species) if masses is None else np.atleast_1d(masses.values)
    elements: dict[str, list[tuple[float, int, str]]] = {}
    for name, mass in zip(species, numbers, strict=True):
        bare = None if np.isnan(mass) else _ELEMENT.fullmatch(name)
        with suppress(SpeciesError):  # no isotope, or none in nature
            number, element = isotope(f"{float(mass):.0f}{bare[1]}" if bare else name)
            abundance = natural_abundance(f"{number}{element}")
            elements.setdefault(element, []).append((abundance, number, name))
    pairs = []
    for element, isotopes in elements.items():
        most, number, below = max(isotopes)
        pairs += [
            _Pair(f"{mass}{element}/{number}{element}", name, below, abundance / most)
            for abundance, mass, name in sorted(isotopes, key=lambda item: item[1])
            if name != below
        ]
    if not pairs:
        raise SpeciesError(
            "the data have no two isotopes of an element with natural abundances; they have "
            f"{', '.join(map(repr, species))}: name them as '28Si' and '30Si'",
            code="not_an_isotope",
        )
    return pairs


def _mass(value: Any, name: str) -> float:
    """Read a mass in u, ``"114.9049 u"``; NaN if it is not one."""
    number = re.fullmatch(r"\s*([\d.]+)\s*(?:u|amu|Da)?\s*", str(value))
    return float(number[1]) if number else np.nan


def _compared(frame: Frame, window: Window, pair: _Pair) -> dict[str, xr.Variable]:
    """Compare the ratio of two isotopes, the species of a frame, with the natural one."""
    of, below = partial(row_of, row=0), at_samples_of(frame, pair.denominator)
    every = divided(frame, frame.value, below.value, below.stderr, pair.denominator)
    columns = {end: of(every[end]) for end in ("", "stderr", "background_stderr") if end in every}
    sizes = columns[""].sizes
    columns = {end: column.set_dims(sizes).transpose(*sizes) for end, column in columns.items()}
    samples = two_signals(frame, pair.denominator)
    depth = of(frame.depth)
    inside = samples.a.notnull() & samples.b.notnull()
    inside = inside & ~((depth < window[0]) | (depth > window[1]))
    evidence_flags = of(evidence_of(frame, pair.denominator).flags)
    flags = xr.zeros_like(inside, np.int16) if evidence_flags is None else evidence_flags
    # In a gap of either, its signal is a line between others.
    inside = inside & ((flags & np.int16(GAP)) != GAP)
    ratio, error = samples.ratio(inside)
    natural = xr.full_like(ratio, pair.natural)
    status = _status(frame, samples, inside, ratio, error, natural, flags)
    means = {"mean_ratio": ratio, "mean_ratio_stderr": error, "natural_ratio": natural}
    return {f"ratio_{end}".rstrip("_"): v for end, v in columns.items()} | means | {"": status}


def _status(
    frame: Frame,
    samples: TwoSignals,
    inside: xr.Variable,
    ratio: xr.Variable,
    error: xr.Variable,
    natural: xr.Variable,
    flags: xr.Variable,
) -> xr.Variable:
    """Say what is the matter with a ratio."""
    largest = samples.b.where(inside).max(samples.dim)
    high, high_error = samples.ratio(inside & (samples.b > 0.5 * largest))
    low, low_error = samples.ratio(inside & (samples.b <= 0.5 * largest))
    total = (high_error**2 + _error_scaled_to(low_error, low, high) ** 2) ** 0.5
    loses = _differ_significantly(high, low, total, _RULES.loss) & (high > low)
    loses = loses & (abs(high - natural) > abs(low - natural))
    off = _differ_significantly(ratio, natural, _error_scaled_to(error, ratio, natural))
    doubts = Doubt(loses & (ratio > natural), Status.SATURATED), Doubt(off, Status.INTERFERENCE)
    answered: Any = xr.where(error.isnull(), int(Status.UNDETERMINED), int(Status.OK))
    status = xr.where(ratio.isnull(), int(Status.NO_DATA), answered).astype(np.uint8)
    flag = flags.where(inside, 0).astype(np.int16) & (Flag.BELOW_LIMIT | Flag.SATURATED)
    flag = anywhere_along(flag, samples.dim)
    support = Support(flag, xr.zeros_like(flag), xr.zeros_like(flag))
    return resolve(frame, status, support, doubts=doubts, category=None)


def _error_scaled_to(error: xr.Variable, ratio: xr.Variable, other: xr.Variable) -> xr.Variable:
    """Return the error of a ratio as it would be if it were another, of more counts."""
    factor: Any = (other / ratio.where(ratio > 0)).clip(min=1.0).fillna(1.0)
    scaled: xr.Variable = error * factor**0.5
    return scaled


def _differ_significantly(
    a: xr.Variable, b: xr.Variable, error: xr.Variable, margin: float = _RULES.discrimination
) -> Any:
    """Whether ratios differ by more than errors and a relative margin."""
    apart = abs(a - b)
    return (apart > _RULES.errors * error) & (apart > margin * b)


def _warn(ratios: xr.Dataset) -> None:
    """Warn of ratios that are not as they should be; not on Dask."""
    status = ratios["status"]
    if status.chunks is not None:
        return
    texts, words = [], []
    for place in np.argwhere(status.values != Status.OK.word):
        row = ratios.isel(dict(zip(status.dims, place.tolist(), strict=True)))
        of = ", ".join(str(row[d].item()) for d in status.dims if d in row.coords)
        numbers = f"{row['mean_ratio'].item():.4g} for {row['natural_ratio'].item():.4g} in nature"
        words.append(row["status"].item())
        texts.append(f"{of}: {numbers} ({words[-1]})")
    if texts:
        text = f"isotopes are not in their natural ratio: {first_few(texts, 8)}"
        warn(text, ProfileWarning, code=words[0])
