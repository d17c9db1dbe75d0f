"""What was counted, before it is quantified: dead time of the detector, background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.analysis._background import without_counts
from sims_analysis.analysis._opening import FRACTION
from sims_analysis.dataset.canonical import (
    BACKGROUND_OVERLAP,
    BACKGROUND_STDERR,
    argument,
    in_window,
    label_of,
    on_canonical_data,
    read_positive,
    species_of,
    was_subtracted,
)
from sims_analysis.dataset.provenance import provenance, with_step
from sims_analysis.dataset.to_profiles import axis_of
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError, warn
from sims_analysis.units import ParameterLike, WindowLike

__all__ = ["correct_dead_time", "subtract_background"]

#: Above this part of the time dead, the model of the detector matters.
_MUCH = 0.1


@on_canonical_data
def correct_dead_time(
    data: xr.Dataset, *, dead_time: ParameterLike | Mapping[str, ParameterLike]
) -> xr.Dataset:
    """Correct count rates for the dead time of the detector: ``I = I_obs / (1 - I_obs tau)``.

    Parameters
    ----------
    data : Dataset
        With ``intensity`` in counts per second, as observed. Many instruments have corrected for
        it before they write a file, and state there the dead time that they took: so there is no
        default.
    dead_time : str, Quantity, DataArray or mapping
        ``"35 ns"``, not extended by further ions; species that a mapping leaves out stay as they
        are.

    Returns
    -------
    Dataset
        With the true rates; counts stay those that were counted, and the relative standard errors
        stay, because a counter that is blind after each count counts more evenly:
        ``var k = k (1 - I_obs tau)^2``

    Raises
    ------
    UnitsError
        If there are no count rates, or the dead time is no time.
    ProfileError
        If ``I_obs tau`` is 1 or more, or negative: so many counts cannot have been observed. Of
        Dask data, which are not known yet, these are NaN. And if the data were corrected before,
        or a background was subtracted: not from what was observed.

    Warns
    -----
    ProfileWarning
        Where more than a tenth of the time was dead.

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
            "a dead time is that of a count rate (count/s); the data have "
            + (
                ", ".join(f"{n} ({v.attrs.get('units')})" for n, v in data.data_vars.items())
                or "none"
            )
        )
    if any(step["function"] == "correct_dead_time" for step in provenance(data).get("steps", [])):
        raise ProfileError("the data were corrected for the dead time before")
    if was_subtracted(data, "count/s"):
        raise ProfileError(
            "a background was subtracted from the intensities, and the dead time is that of the "
            "rate that was observed: correcting that rate comes first"
        )
    tau = read_positive(data, dead_time, ("sputter_time",), "dead_time")
    dead = (rate * tau.fillna(0.0)).transpose(*rate.dims)
    impossible = (dead >= 1) | (rate < 0)
    if rate.chunks is None:
        if bool(impossible.any()):
            why = f"with a dead time of {float(tau.max()) * 1e9:g} ns (I tau >= 1, or I < 0)"
            raise ProfileError(
                f"{label_of(rate, impossible)}: no such rate can have been observed {why}"
            )
        if bool((dead > _MUCH).any()):
            warn(
                f"{label_of(rate, dead > _MUCH)}: dead for up to {float(dead.max()):.0%} of the "
                "time; how far the correction can be trusted depends on the detector",
                ProfileWarning,
            )
    alive = 1.0 - dead.where(~impossible)
    corrected = {
        name: (data[name] / alive).transpose(*rate.dims).assign_attrs(data[name].attrs)
        for name in ("intensity", "intensity_stderr")
        if name in data
    }
    line = f"intensities corrected for a dead time of {_in_ns(tau)}"
    return with_step(data.assign(corrected), "correct_dead_time", line, dead_time=dead_time)


def _in_ns(tau: xr.DataArray) -> str:
    known = np.unique(tau.values[np.isfinite(tau.values)]) * 1e9
    return f"{', '.join(f'{time:g}' for time in known[:5])} ns"


@on_canonical_data
def subtract_background(
    data: xr.Dataset,
    *,
    value: ParameterLike | Mapping[str, ParameterLike] | None = None,
    window: WindowLike | None = None,
    species: str | Sequence[str] | None = None,
    variable: str | None = None,
) -> xr.Dataset:
    """Subtract a background from the samples of the species: ``C - C_bg``.

    Parameters
    ----------
    data : Dataset
        One measurement or a batch, over depth or sputter time.
    value : str, Quantity, DataArray or mapping
        The background, in a unit of the variable: ``"3 counts/s"``, or
        ``{"11B": "2e15 atoms/cm^3"}``; species that a mapping leaves out stay as they are.
    window : (start, stop)
        Instead of `value`: depths (or times) over which to take the mean of each species.
    species : str or sequence of str, optional
        From which to subtract; by default all, a matrix signal among them.
    variable : str, optional
        By default the concentration, or else the first measured variable.

    Returns
    -------
    Dataset
        Samples may be negative: noise about a background that is gone. Counts and standard errors
        stay those of what was counted.

        - ``subtracted_background``, ``subtracted_background_stderr`` (unit of the variable):
          coordinates with what was subtracted, in all, and the standard error of the mean of the
          window: from the standard errors of its n samples, ``sqrt(sum s_i^2) / n``, or from their
          scatter, ``s / sqrt(n)``, where this is larger or they have none; larger by
          ``1 / sqrt(effective_sample_fraction)`` on a grid finer than the samples (see
          :func:`to_grid`); infinite for a single sample without one. Without a count in all n
          samples, the upper end of the 68 % interval: 1.84 counts over n
        - ``<variable>_background_stderr`` (likewise), with a window: that standard error, which
          goes along when the variable is quantified or scaled. It is common to all samples of a
          profile, so that doses, moments and depths take it as a shift of all of them:
          ``(sum w_i s_i)^2``, not ``sum (w_i s_i)^2``
        - ``<variable>_background_overlap`` (``1``), with a window: the covariance of each sample
          with the background over the variance of the latter, ``(s_i^2 / n) / s^2`` within the
          window and 0 outside, so that a dose over the window has the right error too

    Raises
    ------
    UnitsError
        If the background is in another unit than the variable.
    SpeciesError
        If a species is absent.
    ProfileError
        If not exactly one of `value` and `window` is given, the window holds no sample, or a
        background was subtracted before whose error now varies with depth.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species=["B"])
    >>> ds = sims.subtract_background(ds, window=("420 nm", "490 nm"))
    >>> print(f"{ds['subtracted_background'].item():.2e} atom/cm^3 of every sample")
    1.91e+14 atom/cm^3 of every sample
    """
    if (value is None) == (window is None):
        raise ProfileError("give the background as value= or as window=, one of them")
    names = [variable] if variable is not None else list(vocabulary.QUANTITIES)
    name = next((name for name in names if name in data.data_vars), None)
    if name is None:
        raise UnitsError(
            f"there is no variable {' or '.join(map(repr, names))} to subtract a background from; "
            f"the data have {', '.join(map(str, data.data_vars)) or 'no variables'}"
        )
    array, asked, stderr, errors = data[name], data[name], None, {}
    if species is not None:
        wanted = [species] if isinstance(species, str) else list(species)
        species_of(data, *wanted, name="species")
        asked = array.where(data["species"].isin(wanted))
    if window is None:
        level = argument(data, value, _kinds_of(array, name), "value")
        if array.chunks is None and bool((level < 0).any() | np.isinf(level).any()):
            raise ProfileError(f"value={value!r}: a background is not negative")
        if species is not None:
            level = level.where(data["species"].isin(wanted))
        origin = "stated"
    else:
        level = _mean_of_window(asked, window)
        stderr, overlap = _errors_of_window(data, asked, window)
        errors = _beside(data, name, level, stderr, overlap)
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


def _kinds_of(array: xr.DataArray, name: str) -> tuple[str, ...]:
    """Give the kind of the variable, so that no other unit is taken for it."""
    from sims_analysis.units import CANONICAL

    return tuple(k for k in vocabulary.kinds(name) if CANONICAL[k] == array.attrs["units"])


def _mean_of_window(array: xr.DataArray, window: Any) -> xr.DataArray:
    dim, inside = axis_of(array), in_window(array, window)
    mean, number = inside.mean(dim), inside.count(dim)
    none = (number == 0) & array.notnull().any(dim)
    if array.chunks is None and bool(none.any()):
        first = array.where(none & array.notnull())
        raise ProfileError(
            f"window={window!r} holds no sample: {label_of(first, first.notnull())} is of a "
            "profile without one"
        )
    return mean.reset_coords(drop=True)


def _errors_of_window(
    data: xr.Dataset, array: xr.DataArray, window: Any
) -> tuple[xr.DataArray, xr.DataArray]:
    """Give the standard error of the mean of a window, and the overlap of each sample with it."""
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


def _beside(
    data: xr.Dataset, name: str, level: xr.DataArray, stderr: xr.DataArray, overlap: xr.DataArray
) -> dict[str, xr.DataArray]:
    """Give the variables that say how well the background is known that was subtracted.

    The mean of a window takes out the error of a background that was subtracted before, unless
    this varies with depth.
    """
    array, keys = data[name], (name + BACKGROUND_STDERR, name + BACKGROUND_OVERLAP)
    fresh, none = level.notnull(), xr.DataArray(np.nan)
    before = [data.get(key, none) for key in keys]
    if axis_of(array) in before[0].dims and bool((before[0].where(fresh) > 0).any()):
        raise ProfileError(
            f"a background was subtracted before {name} was quantified, by a factor that varies "
            "with depth, and its error with it; subtract both backgrounds from the intensities"
        )
    found = [
        xr.where(fresh, new, old).reset_coords(drop=True)
        for new, old in zip((stderr, overlap), before, strict=True)
    ]
    dims = [[d for d in array.dims if d in one.dims] for one in found]
    attrs = [
        vocabulary.attrs("background_stderr", array.attrs["units"]),
        vocabulary.attrs("background_overlap"),
    ]
    return {
        key: one.transpose(*order).drop_attrs().assign_attrs(of)
        for key, one, order, of in zip(keys, found, dims, attrs, strict=True)
    }
