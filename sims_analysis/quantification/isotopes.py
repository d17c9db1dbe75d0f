"""Isotopes to elements, and one species over another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.dataset.axes import axis_of
from sims_analysis.dataset.canonical import (
    BACKGROUND_OVERLAP,
    BACKGROUND_STDERR,
    IN_ITS_UNIT,
    on_canonical_data,
    species_of,
)
from sims_analysis.dataset.provenance import with_step
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.quantification.hosts import isotope, natural_abundance
from sims_analysis.quantification.reference import at_samples_of, common_errors, quotient

__all__ = ["ratio", "to_element"]

_AMOUNTS = ("concentration", "atomic_fraction")


@on_canonical_data
def to_element(
    data: xr.Dataset,
    *,
    abundance: str | Mapping[str, float | str],
    species: str | Sequence[str] | None = None,
) -> xr.Dataset:
    """Turn concentrations of an isotope into those of its element: ``C_el = C_iso / abundance``.

    Parameters
    ----------
    data : Dataset
        With ``concentration`` (or ``atomic_fraction``) of isotopes, ``11B``.
    abundance : "natural" or mapping
        What part of the element's atoms is the isotope: natural abundances, or as stated,
        ``{"11B": 0.8}`` (also ``{"11B": "natural"}``). There is no default: an implant is one
        isotope, whose concentration is that of the element already.
    species : str or sequence of str, optional
        The isotopes; by default those that a mapping names, or all that are quantified.

    Returns
    -------
    Dataset
        The species renamed to the element, ``B``; concentrations and their standard errors
        divided by the abundance, counts as they were. The coordinate ``isotopic_abundance`` says
        by what was divided (1 for all others).

    Raises
    ------
    SpeciesError
        If a species is absent, names no single isotope, or has no natural abundance; or if the
        element is in the data already, by its own name or through two of its isotopes.
    ProfileError
        If an abundance is no fraction.
    UnitsError
        If nothing is quantified.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").assign_coords(species=["11B", "31P"])
    >>> sims.to_element(ds, abundance={"11B": "natural"})["species"].values.tolist()
    ['B', '31P']
    """
    names = species_of(data)
    variables = [n + kind for n in _AMOUNTS if n in data for kind in ("", *IN_ITS_UNIT)]
    variables = [name for name in variables if name in data]
    if not variables:
        raise UnitsError(
            "isotopes have abundances in a concentration or an atomic fraction; the data have "
            f"{', '.join(map(str, data.data_vars)) or 'no variables'}: quantify them first"
        )
    if isinstance(species, str):
        wanted = [species]
    elif species is not None:
        wanted = list(species)
    elif isinstance(abundance, Mapping):
        wanted = list(abundance)
    else:
        wanted = [one for one in names if _is_quantified(data, one)]
    species_of(data, *wanted, name="species")
    parts = {one: _abundance(abundance, one) for one in wanted}
    renamed = [isotope(one)[1] if one in parts else one for one in names]
    twice = sorted({one for one in renamed if renamed.count(one) > 1})
    if twice:
        raise SpeciesError(
            f"the data would have {', '.join(map(repr, twice))} twice; name one isotope of it, "
            "species='11B', and leave out or rename the others"
        )
    divisor = xr.DataArray(
        np.array([parts.get(one, 1.0) for one in names]).reshape(data["species"].shape),
        dims=data["species"].dims,
    )
    result = data.assign(
        {name: (data[name] / divisor).assign_attrs(data[name].attrs) for name in variables}
    )
    labels = np.array(renamed).reshape(data["species"].shape)
    result = result.assign_coords(
        species=(data["species"].dims, labels, data["species"].attrs),
        isotopic_abundance=divisor.assign_attrs(vocabulary.attrs("isotopic_abundance")),
    )
    listed = ", ".join(f"{one} / {part:.6g}" for one, part in parts.items())
    return with_step(
        result, "to_element", f"isotopes to elements: {listed}", abundance=abundance, species=wanted
    )


def _is_quantified(ds: xr.Dataset, species: str) -> bool:
    one = ds if ds["species"].ndim == 0 else ds.sel(species=species)
    return any(name in one and bool(one[name].notnull().any()) for name in _AMOUNTS)


def _abundance(given: Any, species: str) -> float:
    part = given
    if isinstance(given, Mapping):
        if species not in given:
            raise SpeciesError(f"abundance lacks {species!r}; it has {', '.join(map(repr, given))}")
        part = given[species]
    isotope(species)
    if part == "natural":
        return natural_abundance(species)
    number = isinstance(part, float | int | np.number) and not isinstance(part, bool)
    if not (number and 0 < part <= 1):
        raise ProfileError(
            f"abundance of {species!r} is {part!r}; expected a fraction from 0 to 1, or 'natural'"
        )
    return float(part)


@on_canonical_data
def ratio(
    data: xr.Dataset, *, numerator: str, denominator: str, variable: str | None = None
) -> xr.DataArray:
    """Divide one species by another, at the samples of the first.

    Parameters
    ----------
    data : Dataset
        One measurement or a batch, over depth or sputter time.
    numerator, denominator : str
        Two species: isotopes of an element, or a dopant and a matrix signal. Each may have its own
        depths: the denominator is taken from the straight line between two of its samples, and at
        the ends from the same cycle.
    variable : str, optional
        By default the first in which both are measured, ``concentration`` before ``intensity``.

    Returns
    -------
    DataArray
        Dimensionless, over the axis; of one measurement, at the numerator's samples alone. NaN
        where the denominator was not measured or is not positive. Coordinate ``stderr`` where the
        data have standard errors: ``r sqrt[(s_a / a)^2 + (s_b / b)^2]``, taken as independent; and
        ``background_stderr`` likewise of subtracted backgrounds, which is common to all samples.

    Raises
    ------
    SpeciesError
        If one of them is absent, or they are the same.
    UnitsError
        If there is no variable in which both are measured.

    See Also
    --------
    with_rsf : Concentrations from such a ratio.

    Notes
    -----
    With k counts of the denominator a sample, ratios, and so their mean, are too high by a relative
    ``1 / k`` or, between two samples of it, somewhat less. With few counts, divide sums instead.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> run = sims.open_example("sputter-time")
    >>> found = sims.ratio(run, numerator="As", denominator="Si")
    >>> print(f"{found.max().item():.4f} at {found.idxmax().item():.0f} s")
    0.0369 at 148 s
    """
    species_of(data, numerator, name="numerator")
    species_of(data, denominator, name="denominator")
    if numerator == denominator:
        raise SpeciesError(f"numerator and denominator are both {numerator!r}")
    names = [variable] if variable is not None else list(vocabulary.QUANTITIES)
    name = next((name for name in names if _both(data, name, numerator, denominator)), None)
    if name is None:
        raise UnitsError(
            f"there is no {variable or 'variable'} in which both {numerator!r} and "
            f"{denominator!r} are measured; the data have {', '.join(map(str, data.data_vars))}"
        )
    above, below = (
        data[name].sel(species=[numerator]),
        data[name].sel(species=denominator, drop=True),
    )
    errors = data.get(f"{name}_stderr")
    its_error = None if errors is None else errors.sel(species=denominator, drop=True)
    reference, its_error = at_samples_of(above, below, its_error)
    error = None if errors is None else errors.sel(species=[numerator])
    found, stderr = quotient(above, error, reference, its_error)
    answer = found.isel(species=0, drop=True)
    answer.attrs = vocabulary.attrs("species_ratio")
    answer = answer.assign_coords(numerator=numerator, denominator=denominator)
    if stderr is not None:
        attrs = {"units": "1", "long_name": "Standard error of the ratio"}
        answer = answer.assign_coords(stderr=stderr.isel(species=0, drop=True).assign_attrs(attrs))
    if name + BACKGROUND_STDERR in data:
        beside = data[[name + BACKGROUND_STDERR, name + BACKGROUND_OVERLAP]]
        common = common_errors(beside, name, found, reference, denominator).sel(species=numerator)
        answer = answer.assign_coords(
            {
                str(key).removeprefix(f"{name}_"): array.transpose(*answer.dims)
                for key, array in common.drop_vars("species").data_vars.items()
            }
        )
    if answer.ndim == 1 and answer.chunks is None:
        measured = above.isel(species=0, drop=True).notnull()
        answer = answer.isel({axis_of(answer): measured.values})
    origin = {
        key: data.attrs[key]
        for key in ("data_id", "sha256", "history", "steps")
        if key in data.attrs
    }
    return with_step(
        answer.rename("ratio").assign_attrs(origin),
        "ratio",
        f"{name} of {numerator} / {denominator}",
        numerator=numerator,
        denominator=denominator,
        variable=name,
    )


def _both(ds: xr.Dataset, name: str, *species: str) -> bool:
    if name not in ds.data_vars or "species" not in ds[name].dims:
        return False
    if ds[name].chunks is not None:
        return True
    return all(bool(ds[name].sel(species=one).notnull().any()) for one in species)
