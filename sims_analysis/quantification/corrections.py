"""Corrections before quantification: dead time of the detector, background."""

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
    argument,
    in_window,
    label_of,
    list_variables,
    mean_in_window,
    on_canonical_data,
    read_positive,
    species_of,
    was_subtracted,
)
from sims_analysis.dataset.provenance import provenance, with_step
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError, warn
from sims_analysis.frame.background import without_counts
from sims_analysis.frame.opening import FRACTION
from sims_analysis.text.arguments import format_argument
from sims_analysis.units import ParameterLike, WindowLike

__all__ = ["correct_dead_time", "subtract_background"]

#: Above this fraction of dead time, the model of the detector matters.
_MUCH = 0.1


@on_canonical_data
def correct_dead_time(
    data: xr.Dataset, *, dead_time: ParameterLike | Mapping[str, ParameterLike]
) -> xr.Dataset:
    """Correct count rates for the dead time of the detector: ``I = I_obs / (1 - I_obs tau)``.

    Parameters
    ----------
    data : Dataset
        With ``intensity`` in counts per second, as observed.
    dead_time : str, Quantity, DataArray or mapping
        ``"35 ns"``, of a non-paralyzable detector; species that a mapping leaves out are not
        changed. There is no default, because many instruments correct the rates before they write a
        file, and state there the dead time that they used.

    Returns
    -------
    Dataset
        With the true rates. Counts are not changed, and neither are the relative standard errors,
        because the counts of a detector with a dead time scatter less: ``var k = k (1 - I_obs
        tau)^2``

    Raises
    ------
    UnitsError
        If there are no count rates, or the dead time is not a time.
    ProfileError
        If ``I_obs tau`` is 1 or more, or negative: such a rate cannot have been observed (in Dask
        data, whose values are not known yet, these samples become NaN). Also if the data have
        already been corrected, or a background was subtracted, so that the rates are not those
        observed.

    Warns
    -----
    ProfileWarning
        Where the dead time exceeds a tenth of the counting time.

    References
    ----------
    G. F. Knoll, Radiation Detection and Measurement, Wiley: models of dead-time behavior.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.samples(sims.open_example("gan-mg-stack"), "Ga->")
    >>> true = sims.correct_dead_time(ds, dead_time="35 ns")
    >>> print(f"{ds['intensity'][-1].item():.0f} counts/s were {true['intensity'][-1].item():.0f}")
    200468 counts/s were 201884
    """
    rate = data.get("intensity")
    if rate is None or rate.attrs["units"] != "count/s":
        raise UnitsError(
            "a correction for dead time needs a count rate (count/s); the data have "
            f"{list_variables(data)}"
        )
    if any(step["function"] == "correct_dead_time" for step in provenance(data).get("steps", [])):
        raise ProfileError("the data have already been corrected for dead time")
    if was_subtracted(data, "count/s"):
        raise ProfileError(
            "a background was subtracted from the intensities, but the dead time applies to the "
            "observed rate: correct for dead time first"
        )
    tau = read_positive(data, dead_time, ("sputter_time",), "dead_time")
    dead = (rate * tau.fillna(0.0)).transpose(*rate.dims)
    impossible = (dead >= 1) | (rate < 0)
    if rate.chunks is None:
        if bool(impossible.any()):
            why = f"with a dead time of {float(tau.max()) * 1e9:g} ns (I tau >= 1, or I < 0)"
            raise ProfileError(
                f"{label_of(rate, impossible)}: such a rate cannot have been observed {why}"
            )
        if bool((dead > _MUCH).any()):
            warn(
                f"{label_of(rate, dead > _MUCH)}: the detector was dead for up to "
                f"{float(dead.max()):.0%} of the time; how far the correction can be trusted "
                "depends on the detector",
                ProfileWarning,
            )
    alive = 1.0 - dead.where(~impossible)
    corrected = {
        name: (data[name] / alive).transpose(*rate.dims).assign_attrs(data[name].attrs)
        for name in ("intensity", "intensity_stderr")
        if name in data
    }
    known = np.unique(tau.values[np.isfinite(tau.values)]) * 1e9
    times = ", ".join(f"{time:g}" for time in known[:5])
    line = f"intensities corrected for a dead time of {times} ns"
    return with_step(data.assign(corrected), "correct_dead_time", line, dead_time=dead_time)


@on_canonical_data
def subtract_background(
    data: xr.Dataset,
    *,
    value: ParameterLike | Mapping[str, ParameterLike] | None = None,
    window: WindowLike | None = None,
    species: str | Sequence[str] | None = None,
    variable: str | None = None,
) -> xr.Dataset:
    """Subtract a background from the samples of each species: ``C - C_bg``.

    Parameters
    ----------
    data : Dataset
        One measurement or a batch, over depth or sputter time.
    value : str, Quantity, DataArray or mapping
        The background, in a unit of the variable: ``"3 counts/s"``, or
        ``{"11B": "2e15 atoms/cm^3"}``; species that a mapping leaves out are not changed.
    window : (start, stop)
        Instead of `value`: depths (or times) between which the mean of each species is taken.
    species : str or sequence of str, optional
        The species to subtract from; by default all, a matrix signal included.
    variable : str, optional
        By default the concentration, otherwise the first measured variable.

    Returns
    -------
    Dataset
        Samples may be negative: noise about zero. Counts and standard errors remain those of what
        was counted.

        - ``subtracted_background``, ``subtracted_background_stderr`` (unit of the variable):
          coordinates with the total that was subtracted, and the standard error of the mean over
          the window: from the standard errors of its n samples, ``sqrt(sum s_i^2) / n``, or from
          their scatter, ``s / sqrt(n)``, where this is larger or they have none; larger by
          ``1 / sqrt(effective_sample_fraction)`` on a grid finer than the samples (see
          :func:`to_grid`); infinite for a single sample without a standard error. If none of the
          n samples has a count, the upper end of the 68 % interval: 1.84 counts / n
        - ``<variable>_background_stderr`` (likewise), with a window: that standard error, which
          is converted along with the variable. It is common to all samples of a profile, so that
          it enters doses, moments and depths as a shift of all samples: ``(sum w_i s_i)^2``, not
          ``sum (w_i s_i)^2``
        - ``<variable>_background_overlap`` (``1``), with a window: the covariance of each sample
          with the background divided by the variance of the latter, ``(s_i^2 / n) / s^2`` within
          the window and 0 outside, so that a dose over the window has the right error, too

    Raises
    ------
    UnitsError
        If the background is in another unit than the variable.
    SpeciesError
        If a species is absent.
    ProfileError
        If not exactly one of `value` and `window` is given, the window holds no sample, or the
        error of a background that was subtracted before now varies with depth.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species=["B"])
    >>> ds = sims.subtract_background(ds, window=("420 nm", "490 nm"))
    >>> print(f"{ds['subtracted_background'].item():.2e} atom/cm^3 of every sample")
    1.91e+14 atom/cm^3 of every sample
    """
    if (value is None) == (window is None):
        raise ProfileError("give the background either as value= or as window=")
    names = [variable] if variable is not None else list(vocabulary.QUANTITIES)
    name = next((name for name in names if name in data.data_vars), None)
    if name is None:
        raise UnitsError(
            f"there is no variable {' or '.join(map(repr, names))} to subtract a background from; "
            f"the data have {list_variables(data)}"
        )
    array, chosen, stderr, errors = data[name], xr.DataArray(data=True), None, {}
    if species is not None:
        wanted = [species] if isinstance(species, str) else list(species)
        species_of(data, *wanted, name="species")
        chosen = data["species"].isin(wanted)
    if window is None:
        kinds = vocabulary.kinds_in(name, array.attrs["units"])
        level = argument(data, value, kinds, "value")
        if array.chunks is None and bool((level < 0).any() | np.isinf(level).any()):
            raise ProfileError(
                f"value={format_argument(value)}: a background must be finite and not negative"
            )
        level = level.where(chosen)
        origin = "stated"
    else:
        samples = array.where(chosen)
        level = mean_in_window(samples, window)
        stderr, overlap = _errors_of_window(data, samples, window)
        errors = _errors_beside(data, name, level, stderr, overlap)
        origin = f"the mean from {window[0]} to {window[1]}"
    result = data.assign({name: (array - level.fillna(0.0)).transpose(*array.dims), **errors})
    result[name].attrs = array.attrs
    before = data.coords.get("subtracted_background")
    if before is not None and before.attrs["units"] == array.attrs["units"]:
        level = level.fillna(0.0 * before) + before.fillna(0.0 * level)
        if stderr is not None and "subtracted_background_stderr" in data.coords:
            stderr = stderr.fillna(data["subtracted_background_stderr"].drop_vars(stderr.coords))
    beside = {"subtracted_background": level, "subtracted_background_stderr": stderr}
    result = result.assign_coords(
        {
            key: found.assign_attrs(vocabulary.attrs(key, array.attrs["units"]))
            for key, found in beside.items()
            if found is not None
        }
    )
    return with_step(
        result,
        "subtract_background",
        f"background of {name} subtracted, {origin}",
        value=value,
        window=window,
        species=species,
        variable=variable,
    )


def _errors_of_window(
    data: xr.Dataset, array: xr.DataArray, window: Any
) -> tuple[xr.DataArray, xr.DataArray]:
    """Return the standard error of the mean over a window, and each sample's overlap with it."""
    dim, inside = axis_of(array), in_window(array, window)
    number = inside.count(dim)
    # On a grid finer than the samples, each depth counts as a fraction of a sample.
    fraction = data.coords.get(FRACTION, xr.DataArray(1.0)).fillna(1.0).reset_coords(drop=True)
    scatter = inside.std(dim, ddof=1).where(number > 1) ** 2
    own, counts = data.get(f"{array.name}_stderr"), data.get(f"{array.name}_counts")
    if own is None:
        larger, overlap = scatter, inside.notnull() * 1.0
    else:
        # As in any sum: a sample with zero counts adds no variance.
        squares = own**2 if counts is None else (own**2).where(counts != 0, 0.0)
        squares = squares.where(inside.notnull())
        larger = xr.apply_ufunc(np.fmax, scatter, squares.mean(dim), dask="allowed")
        overlap = (squares / larger).fillna(0.0)
    variance = larger / (number * fraction)
    if own is not None and counts is not None:
        variance = variance + without_counts(own, counts, inside.notnull(), dim, fraction) ** 2
    stderr = variance.fillna(np.inf).where(number > 0) ** 0.5
    return stderr.reset_coords(drop=True), overlap


def _errors_beside(
    data: xr.Dataset, name: str, level: xr.DataArray, stderr: xr.DataArray, overlap: xr.DataArray
) -> dict[str, xr.DataArray]:
    """Return the variables that say how well the subtracted background is known.

    Subtracting the mean over a window removes the error of a background that was subtracted before,
    unless that error varies with depth.
    """
    array, fresh = data[name], level.notnull()
    before = data.get(name + BACKGROUND_STDERR, xr.DataArray(np.nan))
    if axis_of(array) in before.dims and bool((before.where(fresh) > 0).any()):
        raise ProfileError(
            f"a background was subtracted before {name} was quantified with a factor that varies "
            "with depth, so that its error varies, too; subtract both backgrounds from the "
            "intensities"
        )
    made = {}
    for end, new in ((BACKGROUND_STDERR, stderr), (BACKGROUND_OVERLAP, overlap)):
        old = data.get(name + end, xr.DataArray(np.nan))
        found = xr.where(fresh, new, old).reset_coords(drop=True).drop_attrs()
        attrs = vocabulary.attrs_beside(name, end[1:], array.attrs["units"])
        made[name + end] = found.transpose(*array.dims, missing_dims="ignore").assign_attrs(attrs)
    return made
