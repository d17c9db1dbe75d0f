"""Fractions to concentrations, with a stated host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.canonical import ENDS, list_variables, scaled
from sims_analysis.conventions.provenance import with_history
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError, about
from sims_analysis.frame.call import correction
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import open_samples
from sims_analysis.quantification.hosts import HOSTS, Host, host_of_formula
from sims_analysis.units import QuantityLike


@correction
def to_concentration(
    data: xr.Dataset,
    atomic_density: QuantityLike | tuple[str, QuantityLike],
    *,
    masses: Mapping[str, float] | None = None,
) -> xr.Dataset:
    """Turn atomic (and mass) fractions into concentrations: ``C = x n``.

    Not to be trusted in layers of other densities than the host's: one density holds throughout.

    Parameters
    ----------
    data : Dataset
        With ``atomic_fraction``.
    atomic_density : str, Quantity or (formula, mass density)
        Atoms of the host per volume: the name of a host (``"Si"``, ``"Ge"``, ``"GaAs"``,
        ``"InP"``, ``"GaN"``, ``"SiC"``, ``"SiO2"``; sources in the module
        ``quantification.hosts``); the formula of any other with its mass density,
        ``("Al0.3Ga0.7N", "5.2 g/cm^3")``, ``n = rho N_A / M`` with M the mean mass of its atoms;
        or a stated density, ``"5e22 atoms/cm^3"``.
    masses : mapping, optional
        Atomic masses in u of the species given as mass fractions, ``{"B": 10.81}``:
        ``C = w n M / m``, with M the mean mass of the atoms of a host by name or formula.
        Valid as long as the species do not change the density of the host.

    Returns
    -------
    Dataset
        With ``concentration`` (``atom/cm^3``) in place of the fractions; species that already have
        a concentration are not changed. Counts and standard errors come along. The density is in
        the attr ``atomic_density`` and in the history. Of a pure layer, with fractions of exactly
        1, concentrations are equal to the last digit, and called ``saturated``: ask its fractions.

    Raises
    ------
    UnitsError
        If there is no fraction, the host is unknown, or a mass fraction has no masses.
    ProfileError
        If a species has both a fraction and a concentration at the same depth.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("gan-mg-stack")
    >>> ds = sims.to_concentration(ds, atomic_density="GaN")
    >>> ds.attrs["atomic_density"]
    '8.75934e+22 atom/cm^3 (GaN)'
    >>> aluminium = sims.samples(ds, "Al")["concentration"]
    >>> print(f"at most {aluminium.max().item():.2e} {aluminium.attrs['units']}")
    at most 6.30e+21 atom/cm^3
    """
    host, density, text = _density(atomic_density)
    fractions = [n for n in ("atomic_fraction", "mass_fraction") if n in data]
    if not fractions:
        raise UnitsError(
            "the data have no atomic_fraction or mass_fraction to convert; they have "
            f"{list_variables(data)}",
            code="missing_variable",
        )
    result = data.drop_vars([n + end for n in fractions for end in ENDS], errors="ignore")
    for name in fractions:
        factor: Any = density
        if name == "mass_fraction":
            if masses is None or host is None:
                raise UnitsError(
                    "a mass fraction becomes a concentration only with the masses of the atoms: "
                    "give masses={'B': 10.81, ...} in u and a host by name "
                    f"({', '.join(HOSTS)}) or by formula, or leave it out with "
                    "ds.drop_vars('mass_fraction')",
                    argument="masses",
                )
            factor = density * host.mean_mass / _masses(data[name], masses)
        frame = open_samples(data, name, "a concentration")
        result = with_concentration(result, frame, scaled(data, name, factor))
    return with_history(result.assign_attrs(atomic_density=text), f"fractions times {text}")


@about(argument="atomic_density")
def _density(stated: Any) -> tuple[Host | None, float, str]:
    host: Host | None = None
    if isinstance(stated, str) and stated in HOSTS:
        host, origin = HOSTS[stated], stated
    elif isinstance(stated, tuple | list) and len(stated) == 2:
        host = host_of_formula(stated[0], stated[1])
        origin = host.source
    if host is not None:
        return host, host.atomic_density, f"{host.atomic_density:.6g} atom/cm^3 ({origin})"
    try:
        density = units.read_number(stated, ("concentration",), "atomic_density")
    except UnitsError as error:
        raise UnitsError(
            f"{error}; or name a host: {', '.join(HOSTS)}; or give a formula with its mass "
            "density: ('Al0.3Ga0.7N', '5.2 g/cm^3')"
        ) from None
    if not density > 0:
        raise UnitsError(
            f"atomic_density={stated!r} must be one positive density", argument="atomic_density"
        )
    return None, density, f"{density:.6g} atom/cm^3 (stated)"


def _masses(array: xr.DataArray, given: Mapping[str, float]) -> xr.Variable:
    species = np.atleast_1d(array["species"].values).tolist()
    rest = [d for d in array.dims if d != "species"]
    measured = np.atleast_1d(array.notnull().any(rest).values)
    missing = [s for s, is_in in zip(species, measured, strict=True) if is_in and s not in given]
    if missing:
        raise SpeciesError(
            f"masses lack {', '.join(map(repr, missing))}, which the data have as a mass fraction",
            code="missing_value",
        )
    numbers = np.array([float(given.get(s, np.nan)) for s in species])
    if (numbers <= 0).any():
        raise ProfileError(f"masses={dict(given)!r} must be positive, in u", argument="masses")
    dims = array["species"].dims
    return xr.Variable(dims, numbers if dims else numbers[0])


def without_quantified(ds: xr.Dataset, frame: Frame, factor: xr.Variable) -> xr.Dataset:
    """Remove what was quantified, but not samples without a factor, as those in some layers."""
    quantified = factor.notnull().compute()
    remaining = [frame.name + end for end in ENDS if frame.name + end in ds]
    if bool(quantified.all()):
        return ds.drop_vars(remaining)
    left = {}
    for n in remaining:
        before = ds[n].variable
        absent = quantified.all([dim for dim in quantified.dims if dim not in before.dims])
        empty = 0 if n.endswith(vocabulary.QUALITY) else np.nan
        kept = before.where(~absent, empty).transpose(*before.dims)
        left[n] = xr.Variable(kept.dims, kept.data, before.attrs)
    return ds.assign(left)


def with_concentration(ds: xr.Dataset, frame: Frame, new: Mapping[str, xr.Variable]) -> xr.Dataset:
    """Add concentrations, with their errors and counts, where a species has none yet.

    They were made from a frame: ``""`` for concentrations in ``atom/cm^3``, ``"_stderr"``,
    ``"_counts"``... What its standard errors mean is kept.
    """
    origin: Any = frame.origin
    order, before = origin[frame.name].dims, ds.variables.get("concentration")
    if before is not None:
        overlap = before.notnull() & new[""].notnull()
        if (place := first_flagged(frame, overlap.any(frame.dim))) is not None:
            raise ProfileError(
                f"{place.label} would have two values of concentration at the same depth; drop one "
                "of the variables first",
                code="repeated_species",
                where=place.where,
            )
    joined = {}
    for end, column in new.items():
        name = f"concentration{end}"
        if end == f"_{vocabulary.QUALITY}":
            flags = column.fillna(0).astype(np.int16)
            merged = flags if name not in ds else ds[name].variable | flags
        else:
            merged = column if name not in ds else ds[name].variable.fillna(column)
        attrs = vocabulary.attrs("concentration")
        if end:
            attrs = vocabulary.ancillary_attrs("concentration", end[1:], attrs["units"])
        source = origin.get(f"{frame.name}{end}")
        if end == "_stderr" and source is not None and "description" in source.attrs:
            attrs["description"] = source.attrs["description"]
        merged = merged.transpose(*order, missing_dims="ignore")
        joined[name] = xr.Variable(merged.dims, merged.data, attrs)
    made_coords = [f"concentration_{end}" for end in vocabulary.EVIDENCE]
    return ds.assign(joined).set_coords([name for name in made_coords if name in joined])
