"""Fractions and intensities to concentrations, by what the user states of the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis._version import __version__
from sims_analysis.analysis._call import history_after
from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._opening import open_frame
from sims_analysis.analysis._parameters import distinct
from sims_analysis.analysis.interpolation import _ASKED
from sims_analysis.analysis.uncertainty import _each_species
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.kernels.interpolation import interpolate
from sims_analysis.kernels.sensitivity import concentration
from sims_analysis.quantification.hosts import HOSTS

__all__ = ["to_concentration", "with_rsf"]


def to_concentration(
    ds: xr.Dataset, *, atomic_density: Any, masses: Mapping[str, float] | None = None
) -> xr.Dataset:
    """Turn atomic (and mass) fractions into concentrations: ``C = x n``.

    Parameters
    ----------
    ds : Dataset
        With ``atomic_fraction``.
    atomic_density : str or Quantity
        Atoms of the host per volume: the name of a host (``"Si"``, ``"Ge"``, ``"GaAs"``,
        ``"InP"``, ``"GaN"``, ``"SiC"``, ``"SiO2"``; densities and sources in the module
        ``quantification.hosts``), or a stated density, ``"5e22 atoms/cm^3"``. There is no
        default: it decides the answer.
    masses : mapping, optional
        Atomic masses in u of the species given as mass fractions, ``{"B": 10.81}``:
        ``C = w n M / m``, with M the mean mass of the atoms of a named host. Valid while the
        species do not change the density of the host.

    Returns
    -------
    Dataset
        With ``concentration`` (``atom/cm^3``) in place of the fractions; species that are in
        concentrations already stay as they are. The density stands in the attrs
        ``atomic_density`` and in the history.

    Raises
    ------
    UnitsError
        If there is no fraction to convert, the host is unknown, or a mass fraction is given
        without masses.
    ProfileError
        If a species has both a fraction and a concentration at the same depth.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("gan-mg-stack")
    >>> ds = sims.to_concentration(ds, atomic_density="GaN")
    >>> ds.attrs["atomic_density"]
    '8.75934e+22 atom/cm^3 (GaN)'
    """
    plain, quantified = _plain(ds)
    host, density, told = _density(atomic_density)
    fractions = [n for n in ("atomic_fraction", "mass_fraction") if n in plain]
    if not fractions:
        raise UnitsError(
            "the data have no atomic_fraction or mass_fraction to convert; they have "
            f"{', '.join(map(str, plain.data_vars)) or 'no variables'}"
        )
    if "mass_fraction" in fractions and (masses is None or host is None):
        raise UnitsError(
            "a mass fraction becomes a concentration only with the masses of the atoms: give "
            "masses={'B': 10.81, ...} in u and a named host, whose mean atomic mass is known "
            f"({', '.join(HOSTS)}), or leave it out with ds.drop_vars('mass_fraction')"
        )
    made: dict[str, xr.DataArray] = {}
    for name in fractions:
        factor: Any = density
        if name == "mass_fraction":
            factor = density * host.mean_mass / _masses(plain[name], masses)
        for kind in ("", "_stderr"):
            if f"{name}{kind}" not in plain:
                continue
            array = plain[f"{name}{kind}"]
            magnitude, unit = units.magnitude_and_unit(array, vocabulary.kinds(name), name)
            fresh = array.copy(data=unit.to_canonical(magnitude)) * factor
            target = f"concentration{kind}"
            made[target] = _joined(made.get(target), fresh, target)
    result = plain.drop_vars(
        [n + kind for n in fractions for kind in ("", "_stderr", "_counts")], errors="ignore"
    )
    result = _with_concentration(result, made)
    line = f"fractions times {told} by sims_analysis {__version__}"
    result = result.assign_attrs(history=history_after(result, line), atomic_density=told)
    return units.quantify(result) if quantified else result


def _plain(ds: Any) -> tuple[xr.Dataset, bool]:
    if not isinstance(ds, xr.Dataset):
        raise TypeError(f"expected a Dataset, found {type(ds).__name__}")
    return units.dequantify(ds), any(units.is_quantity(v.data) for v in ds.data_vars.values())


def _density(stated: Any) -> tuple[Any, float, str]:
    if isinstance(stated, str) and stated in HOSTS:
        host = HOSTS[stated]
        return host, host.atomic_density, f"{host.atomic_density:.6g} atom/cm^3 ({stated})"
    try:
        density, _ = units.read_quantity(stated, ("concentration",), "atomic_density")
    except UnitsError as error:
        raise UnitsError(f"{error}; or name a host: {', '.join(HOSTS)}") from None
    if np.ndim(density) or not density > 0:
        raise UnitsError(f"atomic_density={stated!r} must be one positive density")
    return None, float(density), f"{density:.6g} atom/cm^3 (stated)"


def _masses(array: xr.DataArray, masses: Mapping[str, float] | None) -> xr.Variable | float:
    given = masses or {}
    species = np.atleast_1d(array["species"].values).tolist()
    rest = [d for d in array.dims if d != "species"]
    measured = np.atleast_1d(array.notnull().any(rest).values)
    missing = [s for s, here in zip(species, measured, strict=True) if here and s not in given]
    if missing:
        raise SpeciesError(f"masses lack {', '.join(map(repr, missing))}, given as mass fraction")
    numbers = np.array([float(given.get(s, np.nan)) for s in species])
    if (numbers <= 0).any():
        raise ProfileError(f"masses={dict(given)!r} must be positive, in u")
    return xr.Variable(("species",), numbers) if "species" in array.dims else float(numbers[0])


def _joined(known: xr.DataArray | None, fresh: xr.DataArray, name: str) -> xr.DataArray:
    """Put a species' new values where it has none."""
    if known is None:
        return fresh
    both = known.notnull() & fresh.notnull()
    if not name.endswith("_stderr") and bool(both.any()):
        rest = [d for d in both.dims if d != "species"]
        species = np.atleast_1d(both["species"].values)[np.atleast_1d(both.any(rest).values)]
        raise ProfileError(
            f"species {', '.join(repr(str(s)) for s in species)} would have two values of "
            f"{name.replace('_', ' ')} at the same depth; drop one of the variables first"
        )
    return known.fillna(fresh)


def _with_concentration(ds: xr.Dataset, made: dict[str, xr.DataArray]) -> xr.Dataset:
    joined = {}
    for name, array in made.items():
        merged = _joined(ds.get(name), array, name)
        attrs = vocabulary.attrs("concentration")
        if name.endswith("_stderr"):
            attrs = {"units": attrs["units"], "long_name": "Standard error of concentration"}
        joined[name] = merged.assign_attrs(attrs)
    return ds.assign(joined)


def with_rsf(
    ds: xr.Dataset,
    *,
    rsf: Any,
    matrix: str,
    matrix_signal: Literal["cycle", "mean"] = "cycle",
    window: tuple[Any, Any] | None = None,
) -> xr.Dataset:
    """Quantify intensities by relative sensitivity factors: ``C = RSF I_i / I_m``.

    Parameters
    ----------
    ds : Dataset
        With intensities of the species and of the matrix.
    rsf : mapping, str, Quantity or DataArray
        ``{"11B": "5e22 atoms/cm^3", ...}``, for the isotope that was measured and against this
        matrix signal. A single one only where there is a single species beside the matrix.
    matrix : str
        The matrix species.
    matrix_signal : {"cycle", "mean"}
        Divide by the matrix signal of the same cycle (between two samples, on a straight line;
        nothing beyond the matrix' own record), which takes out drifts; or by its mean, which adds
        no noise.
    window : (start, stop), optional
        Depths, or times on a sputter-time axis, over which to take the mean: without the surface
        transient, for one.

    Returns
    -------
    Dataset
        With ``concentration`` beside the intensities and, where these have standard errors,
        ``concentration_stderr``, the random part: ``C sqrt[(s_i / I_i)^2 + (s_m / I_m)^2]`` by
        the cycle, ``C s_i / I_i`` by the mean: the error of the mean itself, ``s_m / sqrt(n)`` of
        its n samples, is common to all samples, a systematic part and not in it. The factors
        stand in the coordinate
        ``sensitivity_factor`` over species; their own uncertainty acts on all samples alike, so
        that it is no part of it (see ``rsf_uncertainty`` of :func:`dose_budget`).

    Raises
    ------
    SpeciesError
        If the matrix or a species named in `rsf` is absent.
    UnitsError
        If there are no intensities, or a factor has no unit of concentration.
    ProfileError
        If one factor is given for several species, or the window holds no matrix sample.

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
    plain, quantified = _plain(ds)
    if matrix_signal not in ("cycle", "mean"):
        raise ProfileError(f'matrix_signal={matrix_signal!r}; expected "cycle" or "mean"')
    if window is not None and matrix_signal != "mean":
        raise ProfileError('window goes with matrix_signal="mean"')
    species = [str(s) for s in np.atleast_1d(plain["species"].values)] if "species" in plain else []
    if "species" not in plain.dims or matrix not in species:
        raise SpeciesError(f"the data have no matrix species {matrix!r}; they have {species}")
    distinct([name for name in species if name == matrix])
    frame = open_frame(
        plain, vocabulary.INTENSITY_KINDS, question="a sensitivity factor", axes=vocabulary.AXES
    )
    factor = _factors(frame, rsf, matrix, species)
    of_matrix = open_frame(
        plain.sel(species=matrix),
        (frame.kind,),
        question="a matrix signal",
        variable=frame.name,
        axes=vocabulary.AXES,
    ).spread(xr.Variable(("species",), np.zeros(len(species))))
    signal, error = (
        _by_cycle(frame, of_matrix)
        if matrix_signal == "cycle"
        else _by_mean(of_matrix, matrix, window)
    )
    zero = xr.Variable((), 0.0)
    value, stderr = xr.apply_ufunc(
        concentration,
        frame.value,
        signal,
        factor,
        zero if frame.stderr is None else frame.stderr,
        error,
        output_core_dims=[[], []],
        dask="parallelized",
        output_dtypes=[float, float],
    )
    columns = {"concentration": value}
    if frame.stderr is not None:
        columns["concentration_stderr"] = stderr
    like = plain[frame.name]
    made = {
        name: xr.DataArray(column.transpose(*like.dims), coords=like.coords)
        for name, column in columns.items()
    }
    result = _with_concentration(plain, made)
    factor.attrs = vocabulary.attrs("sensitivity_factor")
    result = result.assign_coords(sensitivity_factor=factor)
    way = "of the same cycle" if matrix_signal == "cycle" else "averaged"
    line = (
        f"concentration = RSF * intensity / {matrix} {way}, RSF in atom/cm^3: "
        f"{_told_factors(frame, factor)}, by sims_analysis {__version__}"
    )
    result = result.assign_attrs(history=history_after(result, line))
    return units.quantify(result) if quantified else result


def _factors(frame: Frame, rsf: Any, matrix: str, species: list[str]) -> xr.Variable:
    others = [s for s in species if s != matrix]
    if isinstance(rsf, Mapping):
        if matrix in rsf:
            raise SpeciesError(f"rsf names {matrix!r}, the matrix itself")
    elif not isinstance(rsf, xr.DataArray):
        if len(others) != 1:
            raise ProfileError(
                f"a sensitivity factor belongs to one species, and there are {len(others)} beside "
                f"the matrix: rsf={{{others[0] if others else 'B'!r}: '5e22 atoms/cm^3', ...}}"
            )
        rsf = {others[0]: rsf}
    factor = _each_species(frame, rsf, ("concentration",), "rsf")
    if "species" in factor.dims:
        # The matrix against itself is no concentration.
        others_only: xr.Variable = factor.where(frame.coords["species"] != matrix)
        return others_only
    return factor


def _told_factors(frame: Frame, factor: xr.Variable) -> str:
    """Name the factor of each species, for the history."""
    if factor.ndim == 0:
        return f"{float(factor.data):.6g}"
    if factor.dims != ("species",):
        return "one a profile"
    names = np.atleast_1d(frame.coords["species"].values)
    return ", ".join(
        f"{name} {value:.6g}"
        for name, value in zip(names, factor.values, strict=True)
        if not np.isnan(value)
    )


def _by_cycle(frame: Frame, of_matrix: Frame) -> tuple[xr.Variable, xr.Variable]:
    """Give the matrix signal at the samples of every species, and its standard error."""
    asked = xr.Variable((*frame.depth.dims[:-1], _ASKED), frame.depth.data)
    size = {_ASKED: frame.value.sizes[frame.dim]}
    columns = []
    for column in (of_matrix.value, of_matrix.stderr):
        if column is None:
            columns.append(xr.Variable((), 0.0))
            continue
        one = replace(of_matrix, value=column)
        (found,) = one.map(_straight, asked, outputs=[(size, float)])
        columns.append(xr.Variable((*found.dims[:-1], frame.dim), found.data))
    return columns[0], columns[1]


def _straight(depth: Any, value: Any, at: Any) -> tuple[Any]:
    return (interpolate(depth, value, at, method="linear")[0],)


def _by_mean(
    of_matrix: Frame, matrix: str, window: tuple[Any, Any] | None
) -> tuple[xr.Variable, xr.Variable]:
    first, last = (None, None) if window is None else window
    a = of_matrix.parameter(first, (of_matrix.axis,), "window start", absent=-np.inf)
    b = of_matrix.parameter(last, (of_matrix.axis,), "window stop", absent=np.inf)
    inside = of_matrix.value.where((of_matrix.depth >= a) & (of_matrix.depth <= b))
    mean: xr.Variable = inside.mean(of_matrix.dim)
    if not of_matrix.lazy and not bool(mean.notnull().any()):
        raise ProfileError(f"window={window!r} holds no sample of the matrix {matrix!r}")
    return mean, xr.Variable((), 0.0)
