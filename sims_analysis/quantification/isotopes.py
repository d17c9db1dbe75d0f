"""Isotopes to elements, and the ratio of two species."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.canonical import list_variables, scaled, species_of
from sims_analysis.conventions.provenance import ORIGIN, with_history
from sims_analysis.errors import ProfileWarning, SpeciesError, UnitsError
from sims_analysis.frame.call import correction
from sims_analysis.frame.evidence import Evidence, evidence_coords
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import open_samples
from sims_analysis.frame.run import elementwise
from sims_analysis.quantification.hosts import isotope, read_abundance
from sims_analysis.quantification.reference import (
    at_samples_of,
    column,
    divided,
    evidence_of,
    measured_in,
    of_both,
    read_two,
    warn_bridged,
)
from sims_analysis.quantification.shared_parts import warn_of_shared
from sims_analysis.quantification.signals import with_errors_of_scale
from sims_analysis.text.arguments import check_choice, read_names

_AMOUNTS = ("concentration", "atomic_fraction")


@correction
def to_element(
    data: xr.Dataset,
    abundance: str | Mapping[str, float | str],
    *,
    species: str | Sequence[str] | None = None,
) -> xr.Dataset:
    """Turn concentrations of an isotope into those of its element: ``C_el = C_iso / abundance``.

    Not to be trusted for an implant, which is of one isotope: that is all of its element.

    Parameters
    ----------
    data : Dataset
        With ``concentration`` (or ``atomic_fraction``) of isotopes, ``11B``.
    abundance : "natural" or mapping
        The isotope's fraction of the atoms of its element: natural abundances (representative
        values of IUPAC), or as stated, ``{"11B": 0.8}`` (also ``{"11B": "natural"}``). There is no
        default: an implant is one isotope, whose concentration is already that of the element.
    species : str or sequence of str, optional
        The isotopes; by default those named in a mapping, or all that are quantified.

    Returns
    -------
    Dataset
        The species renamed to the element, ``B``; concentrations and their standard errors
        divided by the abundance, counts not changed. The coordinate ``isotopic_abundance`` is the
        divisor (1 for all others); its attr ``references`` and the history say where it comes from.

    Raises
    ------
    SpeciesError
        If a species is absent, is not a single isotope, or has no natural abundance; or if the
        element would be in the data twice, because of its own name or of two of its isotopes.
    ProfileError
        If an abundance is not a fraction.
    UnitsError
        If nothing is quantified.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").assign_coords(species=["11B", "31P"])
    >>> sims.to_element(ds, abundance={"11B": "natural"})["species"].values.tolist()
    ['B', '31P']
    """
    amounts = [name for name in _AMOUNTS if name in data]
    if not amounts:
        raise UnitsError(
            "an abundance applies to a concentration or an atomic fraction; the data have "
            f"{list_variables(data)}: quantify them first",
            code="missing_variable",
        )
    names = species_of(data)
    isotopes = _isotopes(data, amounts, abundance, species)
    species_of(data, *isotopes, name="species")
    fractions, sources = _abundances(abundance, isotopes)
    renamed = [isotope(label)[1] if label in fractions else label for label in names]
    twice = sorted({label for label in renamed if renamed.count(label) > 1})
    if twice:
        raise SpeciesError(
            f"the data would have {', '.join(map(repr, twice))} twice; name one isotope of it, as "
            "in species='11B', and leave out or rename the others",
            code="repeated_species",
        )
    labels = data["species"].variable
    divisor = xr.Variable(
        labels.dims,
        np.array([fractions.get(label, 1.0) for label in names]).reshape(labels.shape),
        vocabulary.attrs("isotopic_abundance") | {"references": sources},
    )
    divided = {
        name + end: array
        for name in amounts
        for end, array in scaled(data, name, 1.0 / divisor).items()
    }
    result = data.assign(divided).assign_coords(
        species=(labels.dims, np.array(renamed).reshape(labels.shape), labels.attrs),
        isotopic_abundance=divisor,
    )
    return with_history(result, f"isotopes to elements, divided by their abundances: {sources}")


def _isotopes(
    data: xr.Dataset,
    amounts: list[str],
    abundance: str | Mapping[str, Any],
    species: str | Sequence[str] | None,
) -> list[str]:
    """List the species that are to become elements: by default all that are quantified."""
    if species is not None:
        return read_names("species", species)
    if isinstance(abundance, Mapping):
        return list(abundance)
    measured = np.zeros(data["species"].size, dtype=bool)
    for name in amounts:
        value = data[name].notnull()
        measured |= np.ravel(value.any([d for d in value.dims if d != "species"]).values)
    return [s for s, quantified in zip(species_of(data), measured, strict=True) if quantified]


def _abundances(abundance: Any, isotopes: list[str]) -> tuple[dict[str, float], str]:
    """Read abundances; also list them with their sources, ``"11B 0.8 (as stated)"``."""
    fractions: dict[str, float] = {}
    sources: dict[str, list[str]] = {}
    for species in isotopes:
        isotope(species)
        value, name = abundance, "abundance"
        if isinstance(abundance, Mapping):
            if species not in abundance:
                text = f"abundance lacks {species!r}; it has {', '.join(map(repr, abundance))}"
                raise SpeciesError(text, code="missing_value")
            value, name = abundance[species], f"abundance[{species!r}]"
        fractions[species], source = read_abundance(value, species, name)
        sources.setdefault(source, []).append(f"{species} {fractions[species]:.6g}")
    return fractions, "; ".join(f"{', '.join(names)} ({of})" for of, names in sources.items())


@correction
def ratio(
    data: xr.Dataset,
    *,
    numerator: str,
    denominator: str,
    variable: str | None = None,
    kind: Literal["ratio", "fraction"] = "ratio",
) -> xr.DataArray:
    """Divide one species by another, or by the sum of both, at the samples of the first.

    Not to be trusted, nor is its mean, where the denominator has few counts: with k of them per
    sample it is too high by a fraction ``1 / k``, or somewhat less where it is interpolated; parts
    of the sum of both are not. Divide sums or means instead.

    Parameters
    ----------
    data : Dataset
        One measurement or a batch, over depth or sputter time.
    numerator, denominator : str
        Two species: isotopes of an element, or a dopant and a matrix signal. The denominator is
        interpolated linearly between its samples, and at the ends taken from the same cycle.
    variable : str, optional
        By default the first in which both are measured, ``concentration`` before ``intensity``.
    kind : {"ratio", "fraction"}
        ``a / b``; or the fraction that one of two isotopes is of both, ``a / (a + b)``, such as
        18O / (16O + 18O), which :func:`fit` takes for ``tracer_exchange``.

    Returns
    -------
    DataArray
        Dimensionless, along the axis; for one measurement, only at the samples of the numerator.
        NaN where the divisor was not measured or is not positive. It is data like any other, and a
        level of it is a string, ``"0.1"``. Coordinates, where the data have standard errors:

        - ``stderr``: ``r sqrt[(s_a / a)^2 + (s_b / b)^2]``, of a fraction
          ``sqrt[(b s_a)^2 + (a s_b)^2] / (a + b)^2``; a and b are taken as independent
        - ``background_stderr``: likewise for subtracted backgrounds and factors of concentrations,
          whose errors are common to all samples, as is that ratios are too high

    Raises
    ------
    SpeciesError, UnitsError
        If one of them is absent, they are the same, or no variable has both.

    Warns
    -----
    ProfileWarning
        Where ratios are too high by more than half of the error of their mean over the profile,
        because the denominator has few counts (not for Dask data); where both were made of the same
        measured signals, as two fractions of one total are.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> run = sims.open_example("sputter-time")
    >>> found = sims.ratio(run, numerator="As", denominator="Si")
    >>> print(f"{found.max().item():.4f} at {found.idxmax().item():.0f} s")
    0.0369 at 148 s
    """
    check_choice("kind", kind, vocabulary.RATIOS)
    numerator, denominator = read_two(data, numerator, denominator)
    name = measured_in(data, variable, numerator, denominator)
    warn_of_shared(data, name, [(numerator, denominator)])
    frame = open_samples(with_errors_of_scale(data, name, denominator), name, "a ratio")
    below = at_samples_of(frame, denominator)
    warn_bridged(frame, denominator, below, frame.of_species(numerator))
    if kind == "ratio":
        columns = divided(frame, frame.value, below.value, below.stderr, denominator)
        among = frame.of_species(numerator)
        columns = with_bias(frame, below.value, below.stderr, columns, among, denominator)
    else:
        columns = of_both(frame, below, denominator)
    answer = _quotient_array(frame, columns, numerator, kind, evidence_of(frame, denominator))
    origin = {k: v for k, v in data.attrs.items() if k in (*ORIGIN, "history", "steps")}
    answer = answer.assign_coords(numerator=numerator, denominator=denominator)
    of = _DENOMINATORS[kind].format(numerator, denominator)
    return with_history(answer.assign_attrs(origin), f"{name} of {numerator} / {of}")


#: Warn of ratios too high by more than this part of the error of their mean.
_BIASED = 0.5


def with_bias(
    frame: Frame,
    divisor: xr.Variable,
    stderr: xr.Variable | None,
    quotients: Mapping[str, xr.Variable],
    among: xr.Variable,
    denominator: str,
) -> dict[str, xr.Variable]:
    """Return ratios, which are too high by the square of the divisor's relative error, and warn.

    By how much is part of the error that samples have in common.
    """
    if stderr is None or "stderr" not in quotients:
        return dict(quotients)
    measured: Any = (divisor > 0) & quotients["stderr"].notnull()
    square: Any = ((stderr / divisor) ** 2).where(measured)
    raised = square.mean(frame.dim)
    mean = abs(quotients[""].where(measured).mean(frame.dim))
    number = (measured * frame.fraction).sum(frame.dim)
    error = ((quotients["stderr"].where(measured) ** 2).mean(frame.dim) / number) ** 0.5
    if (first := first_flagged(frame, (raised * mean > _BIASED * error) & among)) is not None:
        part = first.of(raised)
        much = f"about {100 * part:.2g} %" if part < 1.0 else "more than 100 %"
        first.warn(
            f"{denominator!r} has few counts, and ratios to it are too high by {much} on average; "
            "the ratio of two sums or means (integrated_dose, mean_value) is not, nor is a "
            'fraction (kind="fraction")',
            ProfileWarning,
            code="few_counts",
        )
    bias = abs(quotients[""]) * square.where(among, 0.0)
    common = elementwise(np.hypot, quotients.get("background_stderr", 0.0), bias)
    return {**quotients, "background_stderr": common}


def _quotient_array(
    frame: Frame, quotients: dict[str, xr.Variable], numerator: str, kind: str, evidence: Evidence
) -> xr.DataArray:
    """Return the quotients of one species as a DataArray, with their errors as coordinates."""
    data: Any = frame.origin
    row = species_of(data).index(numerator)
    where = data[frame.name].isel(species=row, drop=True)
    of_signals = [f"{frame.name}_{end}" for end in vocabulary.EVIDENCE]
    where = where.drop_vars(of_signals, errors="ignore")
    limit = quotients.pop(vocabulary.LIMIT, None)
    columns = {
        end: column(vocabulary.RATIOS[kind], end, "1", values.isel(species=row), where.dims)
        for end, values in quotients.items()
        if "species" in values.dims
    }
    of = Evidence(*(c if c is None else c.isel(species=row) for c in (evidence.flags, limit)))
    columns |= evidence_coords(kind, of, "1", where.dims)
    answer = xr.DataArray(columns.pop(""), where.coords, name=kind).assign_coords(columns)
    if answer.ndim == 1 and not frame.lazy:
        kept = frame.filled().value.isel(species=row).notnull().values
        answer = answer.isel({frame.dim: kept})
    return answer


_DENOMINATORS = {"ratio": "{1}", "fraction": "({0} + {1})"}
