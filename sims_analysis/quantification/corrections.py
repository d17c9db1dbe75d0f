"""Corrections before quantification: dead time of the detector, background."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.canonical import first_of, list_variables, was_subtracted
from sims_analysis.conventions.provenance import with_history
from sims_analysis.dataset.provenance import provenance
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError
from sims_analysis.frame.arguments import read_change
from sims_analysis.frame.background import (
    Background,
    shares_in,
    stated_error,
    warn_of_layers,
    warn_of_limits,
    warn_of_window,
)
from sims_analysis.frame.call import correction
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_sample
from sims_analysis.frame.opening import open_samples
from sims_analysis.frame.run import anywhere
from sims_analysis.frame.window import read_pair
from sims_analysis.quantification.detector import on_faraday_cup
from sims_analysis.quantification.reference import background_columns, mean_in, with_common
from sims_analysis.text.arguments import format_argument, read_names
from sims_analysis.units import ParameterLike, WindowLike

#: Above this fraction of dead time, the model of the detector matters.
_MUCH_DEAD_TIME = 0.1


@correction
def correct_dead_time(
    data: xr.Dataset, dead_time: ParameterLike | Mapping[str, ParameterLike]
) -> xr.Dataset:
    """Correct count rates for the dead time of the detector: ``I = I_obs / (1 - I_obs tau)``.

    Not to be trusted where the detector is dead for more than a tenth of the time (see Warns).

    Parameters
    ----------
    data : Dataset
        With ``intensity`` in counts per second, as observed.
    dead_time : str, Quantity, DataArray or mapping
        ``"35 ns"``, of a non-paralyzable detector; species that a mapping leaves out are not
        changed, nor are currents of a Faraday cup (see :func:`with_counting_statistics`). There is
        no default, because many instruments correct the rates before they write a file.

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
        data, these samples become NaN). Also if the data have already been corrected, or a
        background was subtracted.

    Warns
    -----
    ProfileWarning
        Where the dead time exceeds a tenth of the counting time, and where samples are currents of
        a Faraday cup, which are left as they are.

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
    _refuse_unobserved(data)
    frame = open_samples(data, "intensity", "a correction for dead time")
    tau = read_change(frame, dead_time, ("sputter_time",), "dead_time")
    dead = frame.value * tau.fillna(0.0)
    if (cup := on_faraday_cup(frame)) is not None:
        if (place := first_sample(frame, cup & (dead > 0))) is not None:
            place.warn(
                "measured by a Faraday cup, as a current, which has no dead time: left as it is",
                ProfileWarning,
                code="faraday_cup",
            )
        dead = dead.where(~cup, 0.0)
    impossible: Any = (dead >= 1) | (frame.value < 0)
    if (place := first_sample(frame, impossible)) is not None:
        raise place.error(
            f"such a rate cannot have been observed with a dead time of "
            f"{float(tau.max()) * 1e9:g} ns (I tau >= 1, or I < 0)",
            ProfileError,
            code="impossible_value",
        )
    if (place := first_sample(frame, dead > _MUCH_DEAD_TIME)) is not None:
        place.warn(
            f"the detector was dead for up to {float(dead.max()):.0%} of the time; how "
            "far the correction can be trusted depends on the detector",
            ProfileWarning,
            code="saturated",
        )
    alive = 1.0 - dead.where(~impossible)
    errors = {} if frame.stderr is None else {"stderr": frame.stderr / alive}
    corrected = frame.replaced(frame.value / alive, **errors)
    taus = np.unique(tau.values[np.isfinite(tau.values)]) * 1e9
    times = ", ".join(f"{time:g}" for time in taus[:5])
    return with_history(corrected, f"intensities corrected for a dead time of {times} ns")


def _refuse_unobserved(data: xr.Dataset) -> None:
    """Refuse rates that are not those which the detector has observed."""
    rate = data.get("intensity")
    if rate is None or rate.attrs["units"] != "count/s":
        raise UnitsError(
            "a correction for dead time needs a count rate (count/s); the data have "
            f"{list_variables(data)}",
            code="missing_variable",
        )
    if dead_time_of(data) == "corrected":
        text = "the data have already been corrected for dead time"
        raise ProfileError(text, code="already_changed")
    if (done := change_of_counted(data, "count/s")) is not None:
        raise ProfileError(
            f"{done}, but the dead time applies to the observed rate: correct for dead time first",
            code="already_changed",
        )


def _steps_of(data: xr.Dataset) -> set[str]:
    return {step["function"] for step in provenance(data).get("steps", [])}


def dead_time_of(data: xr.Dataset) -> str:
    """Say whether rates were corrected for dead time: ``"corrected"`` or ``"as observed"``."""
    return "corrected" if "correct_dead_time" in _steps_of(data) else "as observed"


def change_of_counted(data: xr.Dataset, unit: str) -> str | None:
    """Say what has changed values in a unit, so that they are not what was counted."""
    if was_subtracted(data, unit):
        return "a background was subtracted"
    if unit == "count/s" and dead_time_of(data) == "corrected":
        return "the dead time was corrected"
    return "signals were combined" if "combine" in _steps_of(data) else None


@correction
def subtract_background(
    data: xr.Dataset,
    *,
    value: ParameterLike | Mapping[str, ParameterLike] | None = None,
    window: WindowLike | None = None,
    species: str | Sequence[str] | None = None,
    variable: str | None = None,
) -> xr.Dataset:
    """Subtract a background from the samples of each species: ``C - C_bg``.

    Not to be trusted where the window is not level: what slopes is left, or taken off too much.

    Parameters
    ----------
    data : Dataset
        One measurement or a batch, over depth or sputter time.
    value : str, Quantity, DataArray or mapping
        The background, in a unit of the variable: ``"3 counts/s"``, or
        ``{"11B": "2e15 atoms/cm^3"}``; species that a mapping leaves out are not changed. The
        coordinate ``stderr`` of a DataArray, as :func:`mean_value` of a blank has it, is the
        standard error; otherwise it is exact.
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
          coordinates with the total that was subtracted, and its standard error, as of
          :func:`mean_value`; infinite for a single sample without a standard error
        - ``<variable>_background_stderr`` (likewise), if it is known: that error, converted along
          with the variable. It is common to all samples of a profile, and enters doses, moments
          and depths as a shift of all: ``(sum w_i s_i)^2``, not ``sum (w_i s_i)^2``
        - ``<variable>_background_overlap`` (``1``), with a window: the covariance of each sample
          with the background over the variance of the latter, ``(s_i^2 / n) / s^2`` within the
          window and 0 outside, so that a dose over the window has the right error, too
        - ``<variable>_background_scatter`` (``1``), with a window: by which factor, at least 1, its
          samples scatter more than their standard errors, which are larger by it in sums over it

    Raises
    ------
    UnitsError
        If the background is in another unit than the variable.
    SpeciesError
        If a species is absent.
    ProfileError
        If not exactly one of `value` and `window` is given, the window holds no sample, or samples
        have an error in common that varies with depth (of a weight or a factor).

    Warns
    -----
    ProfileWarning
        Where a slope or step in the window changes the mean of the record above it, as a dose
        (:func:`integrated_dose`; one that noise may hide only if that mean is above three standard
        deviations of the samples); where these scatter more than their errors; and where
        concentrations were made with factors of several layers.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species=["B"])
    >>> ds = sims.subtract_background(ds, window=("420 nm", "490 nm"))
    >>> print(f"{ds['subtracted_background'].item():.2e} atom/cm^3 of every sample")
    1.91e+14 atom/cm^3 of every sample
    """
    if (value is None) == (window is None):
        raise ProfileError(
            "give the background either as value= or as window=", code="conflicting_arguments"
        )
    names = list(vocabulary.QUANTITIES) if variable is None else [variable]
    listed = " or ".join(map(format_argument, names))
    reason = f"there is no variable {listed} to subtract a background from"
    name = first_of(data, names, reason)
    frame = open_samples(data, name, "a background to subtract")
    chosen = xr.Variable((), data=True)
    if species is not None:
        selected = read_names("species", species)
        frame.species(*selected, name="species")
        chosen = frame.of_species(*selected)
    if window is None:
        level = read_change(frame, value, (frame.kind,), "value", positive=False).where(chosen)
        if anywhere((level < 0) | np.isinf(level)):
            raise ProfileError(
                f"value={format_argument(value)}: a background must be finite and not negative",
                argument="value",
            )
        error = stated_error(frame, value, "value")
        stated = None if error is None else error.where(level.notnull())
        columns = {} if stated is None else with_common(background_columns(frame), stated)
        origin = "stated"
    else:
        level, errors = _mean_to_subtract(frame, chosen, window)
        columns, error = _columns(frame, level, errors), errors["background_stderr"]
        origin = f"the mean from {window[0]} to {window[1]}"
    warn_of_layers(frame, Background(level))
    result = frame.replaced(frame.value - level.fillna(0.0), **columns)
    total = {"": level} | ({} if error is None else {"_stderr": error})
    if not was_subtracted(data, frame.units):  # in another unit, an earlier one is no part of it
        earlier = ["subtracted_background", "subtracted_background_stderr"]
        result = result.drop_vars(earlier, errors="ignore")
    result = result.assign_coords(_total_subtracted(result, frame, total))
    return with_history(result, f"background of {name} subtracted, {origin}")


def _mean_to_subtract(
    frame: Frame, chosen: xr.Variable, window: Any
) -> tuple[xr.Variable, dict[str, xr.Variable]]:
    """Return the mean over a window, and columns of the samples that say how well it is known."""
    ends = read_pair(frame, window)
    warn_of_limits(frame, ends)
    # Of the samples as they are: what was subtracted before drops out.
    before = replace(frame, scatter=None)
    mean = mean_in(before, ends, chosen, window)
    warn_of_window(before, ends, among=chosen)
    share = shares_in(frame, ends)
    if frame.stderr is None:
        overlap: Any = share / (share**2).sum(frame.dim)
    else:
        # As in any sum: a sample with zero counts adds no variance.
        scatter: Any = (frame.stderr * mean.scatter) ** 2
        if frame.counts is not None:
            scatter = scatter.where(frame.counts != 0, 0.0)
        overlap = scatter * share / (mean.stderr**2 * frame.fraction)
    columns = {
        "background_stderr": mean.stderr.fillna(np.inf).where(mean.n > 0),
        "background_overlap": overlap.fillna(0.0),
        "background_scatter": mean.scatter,
    }
    return mean.value.where(chosen), {end: column.where(chosen) for end, column in columns.items()}


def _columns(
    frame: Frame, level: xr.Variable, fresh: Mapping[str, xr.Variable]
) -> dict[str, xr.Variable]:
    """Return the columns of the samples: the fresh errors, or those from before."""
    new = level.notnull()
    columns = {}
    for end, column in fresh.items():
        name = f"{frame.name}_{end}"
        before = frame.origin.get(name)
        if before is None:
            columns[end] = column
            continue
        if (
            end == "background_stderr"
            and frame.dim in before.dims
            and anywhere((before.variable.where(new) > 0).any(frame.dim))
        ):
            raise ProfileError(
                f"samples of {frame.name} have an error in common that varies with depth, of a "
                "weight, a factor or a background; give value=mean_value(...) in place of window, "
                "and both errors are added as if independent",
                argument="window",
            )
        columns[end] = xr.where(new, column, before.variable)
    return columns


def _total_subtracted(
    data: xr.Dataset, frame: Frame, fresh: Mapping[str, xr.Variable]
) -> dict[str, xr.Variable]:
    """Return the coordinates with all that was subtracted in this unit, and its standard error."""
    totals = {}
    for end, column in fresh.items():
        key = f"subtracted_background{end}"
        total = column
        if key in data.coords:
            before = data.coords[key].variable
            if end:
                total = column.fillna(before)
            else:
                total = column.fillna(0.0 * before) + before.fillna(0.0 * column)
        totals[key] = xr.Variable(total.dims, total.data, vocabulary.attrs(key, frame.units))
    return totals
