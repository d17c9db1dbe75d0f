"""Profiles, and the moments of fits, as text for process simulators."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr

from sims_analysis.dataset.series import series_of
from sims_analysis.errors import FitWarning, ProfileError, SpeciesError, warn
from sims_analysis.files import write_lines
from sims_analysis.text.arguments import argument_error, check_choice, checks_arguments
from sims_analysis.units import CANONICAL, QuantityLike, Unit, dequantify, read_number, unit_of_kind

if TYPE_CHECKING:
    import os
    from pathlib import Path

#: The four moments in the order of programs: SUPREM-IV's `gtprs(rp, sigp, gam1, kurt)`, and the
#: members of ViennaPS' `PearsonIVParameters`.
_ORDERS = {
    "suprem": ("projected_range", "straggle", "skewness", "kurtosis"),
    "viennaps": ("projected_range", "straggle", "kurtosis", "skewness"),
}
#: Marks the head of a data set of Sentaurus.
_PLX = '"'
_GREEK = {"skewness": "gamma", "kurtosis": "beta"}


@checks_arguments
def to_tcad(
    data: xr.Dataset | xr.DataArray,
    path: str | os.PathLike[str],
    *,
    species: str | None = None,
    depth_units: str = "um",
    comment: str | None = "#",
    order: Literal["suprem", "viennaps"] = "suprem",
    floor: QuantityLike | None = None,
) -> Path:
    """Write one profile as two columns of text, or the moments of a fit, for simulators.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement, on a depth axis; or a fit of one profile by ``"gaussian"``, ``"pearson"``
        or ``"dual_pearson"``.
    path : path
        Written whole or not at all. With the suffix ``.plx`` as a data set of Sentaurus: the
        species in quotes, then micrometres and cm^-3.
    species : str, optional
        The species; needed if there are several.
    depth_units : str
        Unit of the first column; the second is in ``atom/cm^3``. Most simulators read micrometres.
    comment : str or None
        Begins the lines that name species, columns and units; ``None`` writes no such lines.
    order : {"suprem", "viennaps"}
        Order of the moments of a fit: range, straggle, skewness (gamma), kurtosis (beta), as in
        SUPREM; or kurtosis before skewness, as in ViennaPS' ``PearsonIVParameters``. For Sentaurus
        Process no order is published: the header names the columns.
    floor : str or Quantity, optional
        The lowest concentration to write, ``"1e10 atoms/cm^3"``, in place of lower, zero and
        negative ones, because a simulator may take logarithms.

    Returns
    -------
    pathlib.Path
        Where it was written: a depth and a concentration in each line, in order of depth. Zero and
        negative values are written as they were measured. For a fit, a line for each distribution
        (head, then channelling tail): its four moments in `order`, and its dose in
        ``atom/cm^2``; a Gaussian has skewness 0 and kurtosis 3 (not the excess).

    Raises
    ------
    SpeciesError
        If `species` is absent, or has to be named.
    ProfileError
        If the species has no concentration; if a fit has several profiles, a model without moments,
        or no parameters.

    Warns
    -----
    FitWarning
        If the status of a fit is not ``ok``.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> path = sims.to_tcad(ds, "b.txt", species="B")
    >>> path.read_text().splitlines()[0]
    '# B: depth (um), concentration (atom/cm^3)'
    >>> ds = sims.with_counting_statistics(ds.sel(species="B"), value_per_count="1e14 atoms/cm^3")
    >>> fit = sims.fit(ds, model="pearson", start="40 nm", stop="110 nm")
    >>> print(sims.to_tcad(fit, "moments.txt").read_text().splitlines()[1])
    # projected_range (um), straggle (um), skewness (gamma), kurtosis (beta), dose (atom/cm^2)
    """
    unit = unit_of_kind(depth_units, ("depth",), "depth_units")
    check_choice("order", order, _ORDERS)
    least = None
    if floor is not None:
        least = read_number(floor, ("concentration",), "floor")
        if not 0 < least < np.inf:
            raise argument_error("floor", floor, "expected a positive concentration")
    if not isinstance(data, xr.DataArray) and "covariance" in data:
        return write_lines(path, _moment_lines(data, species, unit, order, comment))
    if str(path).lower().endswith(".plx"):
        if unit.text != "um":
            raise argument_error("depth_units", depth_units, "a .plx file is in um")
        comment = _PLX
    return write_lines(path, _profile_lines(data, species, unit, comment, least))


def _profile_lines(
    data: xr.Dataset | xr.DataArray,
    species: str | None,
    unit: Unit,
    comment: str | None,
    least: float | None,
) -> list[str]:
    """Return the lines of a profile: a depth and a concentration in each."""
    all_series = series_of(data)
    names = list(dict.fromkeys(series.species for series in all_series))
    if species is None and len(names) > 1:
        raise SpeciesError(
            f"name one species: {', '.join(map(repr, names))}",
            code="missing_species",
            argument="species",
        )
    selected = [s for s in all_series if species in (None, s.species)]
    if not selected:
        raise SpeciesError.missing(species, names)
    profiles = [s for s in selected if s.variable == "concentration" and s.axis == "depth"]
    if len(profiles) != 1:
        names_found = [f"{s.variable} over {s.axis} {' '.join(s.place.values())}" for s in selected]
        raise ProfileError(
            f"species {selected[0].species!r}: a simulator reads one concentration over depth; "
            f"found {', '.join(map(str.strip, names_found))}: select one, as in "
            ".isel(measurement=0)",
            code="several_measurements" if profiles else "missing_variable",
            where={"species": selected[0].species},
        )
    (profile,) = profiles
    lines = []
    if comment == _PLX:
        lines.append(f'"{" ".join(profile.species.replace(_PLX, "").split())}"')
    elif comment is not None:
        prefix = _comment(profile.species)
        lines.append(f"{comment} {prefix}depth ({unit.text}), concentration ({profile.units})")
    values = profile.y if least is None else np.maximum(profile.y, least)
    lines += [
        f"{float(x)!r} {float(y)!r}"
        for x, y in zip(unit.from_canonical(profile.x), values, strict=True)
    ]
    return lines


def _comment(species: str) -> str:
    """Begin a comment with a species; a line break in its name would begin a line of numbers."""
    return f"{' '.join(species.split())}: " if species else ""


def _moment_lines(
    fit: xr.Dataset, species: str | None, unit: Unit, order: str, comment: str | None
) -> list[str]:
    """Return the lines of a fit: the moments of each distribution, and its dose."""
    model = str(fit.attrs["model"])
    parts = {"gaussian": ("",), "pearson": ("",), "dual_pearson": ("head_", "tail_")}.get(model)
    if parts is None:
        raise ProfileError(
            f"the model {model!r} has no moments that a simulator reads; fit 'gaussian', 'pearson' "
            "or 'dual_pearson', or write the profile itself",
            argument="data",
        )
    fit = _single_fit(dequantify(fit), species)
    moment = _ORDERS[order]
    lines = []
    if comment is not None:
        prefix = _comment(str(fit["species"].item()) if "species" in fit.coords else "")
        suffix = {"": "", "head_": ", head, then channelling tail"}[parts[0]]
        lines.append(f"{comment} {prefix}{model}{suffix}")
        columns = [f"{name} ({_GREEK.get(name, unit.text)})" for name in moment]
        lines.append(f"{comment} {', '.join(columns)}, dose ({fit['dose'].attrs['units']})")
    share = float(fit["head_fraction"].item()) if model == "dual_pearson" else 1.0
    gaussian = {"skewness": 0.0, "kurtosis": 3.0} if model == "gaussian" else {}
    for part, fraction in zip(parts, (share, 1.0 - share), strict=False):
        row = []
        for name in moment:
            value = gaussian[name] if name in gaussian else float(fit[part + name].item())
            row.append(value if name in _GREEK else float(unit.from_canonical(value)))
        lines.append(" ".join(f"{v!r}" for v in [*row, fraction * float(fit["dose"].item())]))
    return lines


def _single_fit(fit: xr.Dataset, species: str | None) -> xr.Dataset:
    """Return the fit of one profile, with a dose that a simulator reads; warn if it is not ok."""
    if species is not None:
        names = np.atleast_1d(fit.coords.get("species", [])).tolist()
        if species not in names:
            raise SpeciesError.missing(species, names, "the fit")
        fit = fit.sel(species=species) if "species" in fit.dims else fit
    if fit["dose"].size != 1:
        raise ProfileError(
            f"the fit has {fit['dose'].size} profiles, and a simulator reads one: select it, as in "
            ".sel(species='B')",
            code="wrong_dimensions",
            argument="data",
        )
    dose_units = fit["dose"].attrs["units"]
    if dose_units not in (CANONICAL["areal_density"], "1"):  # of a range density, a fraction
        raise ProfileError(
            f"a simulator needs a dose in {CANONICAL['areal_density']}, and that of the fit is in "
            f"{dose_units}: quantify the intensity with with_rsf(), and fit the concentration",
            code="wrong_unit",
            argument="data",
        )
    fit = fit.squeeze()
    status = str(fit["status"].item())
    if not np.isfinite(fit["dose"].item()):
        text = f"the fit has no parameters: {status.replace('_', ' ')}"
        raise ProfileError(text, code=status, argument="data")
    if status != "ok":
        text = f"moments of a fit that is {status.replace('_', ' ')}"
        warn(text, FitWarning, code=status, argument="data")
    return fit
