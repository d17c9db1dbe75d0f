"""Division by a reference signal, which has samples of its own."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis.dataset.axes import axis_name, axis_of
from sims_analysis.dataset.canonical import (
    BACKGROUND_OVERLAP,
    BACKGROUND_SCATTER,
    BACKGROUND_STDERR,
)
from sims_analysis.errors import ProfileError

__all__ = ["at_samples_of", "common_errors", "quotient"]

Array = NDArray[np.float64]


def at_samples_of(
    wanted: xr.DataArray, reference: xr.DataArray, stderr: xr.DataArray | None
) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Return a reference signal, and its standard error, at the samples of other species.

    Between two of its samples the reference is interpolated linearly, ``m = (1 - t) m0 + t m1``,
    with the standard error ``sqrt([(1 - t) s0]^2 + [t s1]^2)``. Species are measured one after the
    other: what was measured before the first reference sample, or after the last, but in the same
    cycle, is divided by that sample. NaN beyond, and where nothing is wanted.

    Parameters
    ----------
    wanted : DataArray
        Samples of the other species along the axis, NaN where not measured.
    reference, stderr : DataArray
        Of one species: without the dimension ``species``.
    """
    dim, axis = axis_of(wanted), axis_name(wanted)
    for array in (wanted, reference):
        if len(array.chunksizes.get(dim, ())) > 1:
            raise ProfileError(
                f"{array.name or 'the data'} is chunked along {dim}, but each profile is needed "
                f"as a whole: use data.chunk({dim}=-1)"
            )
    own = reference[axis].drop_vars(reference[axis].coords)
    columns = [own, reference.drop_vars(reference.coords)]
    if stderr is not None:
        columns.append(stderr.drop_vars(stderr.coords))
    found = xr.apply_ufunc(
        _at_samples,
        wanted[axis],
        wanted,
        *columns,
        input_core_dims=[[dim]] * (len(columns) + 2),
        output_core_dims=[[dim]] * (len(columns) - 1),
        vectorize=True,
        dask="parallelized",
        output_dtypes=[float] * (len(columns) - 1),
    )
    signal, error = (found, None) if stderr is None else found
    dims = wanted.dims
    return signal.transpose(*dims), None if error is None else error.transpose(*dims)


def _at_samples(at: Array, wanted: Array, own: Array, *columns: Array) -> Any:
    found = tuple(np.full(at.shape, np.nan) for _ in columns)
    places = np.isfinite(at) & np.isfinite(wanted)
    known = np.isfinite(own) & np.isfinite(columns[0])
    z, x = at[places], own[known]
    if np.array_equal(z, x):
        for out, column in zip(found, columns, strict=True):
            out[places] = column[known]
    elif z.size and x.size:
        left = np.clip(np.searchsorted(x, z, side="right") - 1, 0, max(x.size - 2, 0))
        right = np.minimum(left + 1, x.size - 1)
        width = x[right] - x[left]
        t = np.clip(np.divide(z - x[left], width, out=np.zeros(z.size), where=width > 0), 0, 1)
        cycle = [max(_step(x, end), _step(z, end)) * (1 + 1e-9) for end in (0, -1)]
        within = (z >= x[0] - cycle[0]) & (z <= x[-1] + cycle[1])
        parts = [[c[known][left] * (1 - t), c[known][right] * t] for c in columns]
        found[0][places] = np.where(within, np.add(*parts[0]), np.nan)
        for out, part in zip(found[1:], parts[1:], strict=True):
            out[places] = np.where(within, np.hypot(*part), np.nan)
    return found if len(found) > 1 else found[0]


def _step(places: Array, end: int) -> float:
    """Return the distance between the first two samples, or the last two."""
    return float(abs(np.diff(places)[end])) if places.size > 1 else 0.0


def quotient(
    value: xr.DataArray,
    stderr: xr.DataArray | None,
    reference: xr.DataArray,
    reference_stderr: xr.DataArray | None,
) -> tuple[xr.DataArray, xr.DataArray | None]:
    """Divide a signal by a reference; their errors are taken as independent.

    ``r = a / b``, ``s_r = sqrt(s_a^2 + (r s_b)^2) / b``, which holds for a = 0, too. NaN where the
    reference is not positive.
    """
    divisor = reference.where(reference > 0)
    ratio = value / divisor
    if stderr is None:
        return ratio, None
    other = 0.0 if reference_stderr is None else ratio * reference_stderr
    return ratio, (stderr**2 + other**2) ** 0.5 / divisor


def common_errors(
    ds: xr.Dataset, name: str, ratio: xr.DataArray, reference: xr.DataArray, matrix: str | None
) -> dict[str, xr.DataArray]:
    """Divide the errors of subtracted backgrounds, each common to all samples, by a reference.

    That of the species becomes ``s / m``, and that of the reference ``r s_m / m``. They are added
    in quadrature, as one number for each sample: exact where one is negligible, and never less than
    either.

    Parameters
    ----------
    ds : Dataset
        With the errors of the variable `name`, and their overlaps with its samples.
    ratio, reference : DataArray
        ``r`` and ``m``, at the samples of the species.
    matrix : str or None
        The species of the reference.

    Returns
    -------
    dict
        By the ends of their names, as :func:`sims_analysis.dataset.canonical.scaled` gives them;
        empty if no background was subtracted.
    """
    if name + BACKGROUND_STDERR not in ds:
        return {}
    stderr, overlap = ds[name + BACKGROUND_STDERR], ds[name + BACKGROUND_OVERLAP]
    own = stderr / reference.where(reference > 0)
    total = own
    if matrix is not None:
        of_matrix = stderr.sel(species=matrix, drop=True)
        of_matrix = of_matrix.max([d for d in of_matrix.dims if d == axis_of(ratio)]).fillna(0.0)
        if of_matrix.chunks is not None or bool((of_matrix > 0).any()):
            total = (own.fillna(0.0) ** 2 + (ratio * of_matrix / reference) ** 2) ** 0.5
            overlap = overlap * (own / total.where(total > 0)) ** 2
    scatter = {end: ds[name + end] for end in (BACKGROUND_SCATTER,) if name + end in ds}
    return {BACKGROUND_STDERR: total, BACKGROUND_OVERLAP: overlap, **scatter}
