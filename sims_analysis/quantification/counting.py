"""Counts of samples, and their standard errors from counting statistics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, overload

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from sims_analysis import units, vocabulary
from sims_analysis.conventions.canonical import on_canonical_data
from sims_analysis.conventions.provenance import with_history
from sims_analysis.conventions.species_metadata import stated_in_metadata
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError, warn
from sims_analysis.frame.arguments import read_change
from sims_analysis.frame.call import processing_step
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import FirstFlagged, first_sample
from sims_analysis.frame.opening import open_samples
from sims_analysis.frame.run import elementwise
from sims_analysis.kernels.counting import ONE_SIGMA, poisson_stderr
from sims_analysis.kernels.counting import poisson_interval as _interval
from sims_analysis.quantification.corrections import change_of_counted
from sims_analysis.quantification.detector import on_faraday_cup
from sims_analysis.text.arguments import argument_error, checks_arguments, format_argument
from sims_analysis.units import ParameterLike

#: Allowed distance of counts from an integer: rates and counting times are rounded when printed.
_ROUNDED = 0.05
_ROUNDED_RELATIVE = 0.005
#: So many times as many species have whole numbers as have not, where those are left out.
_FEW = 3
#: Processing after which values are not counts; a dead time is corrected before.
_PROCESSED = re.compile(r"background|baseline|bkg|smooth|averag", re.IGNORECASE)
#: Reads the yield of a detector.
_YIELD = partial(units.read_fraction, of="the ions", ends="(]")


@on_canonical_data
@processing_step()
def with_counting_statistics(
    data: xr.Dataset,
    *,
    dwell_time: ParameterLike | Mapping[str, ParameterLike] | None = None,
    value_per_count: ParameterLike | Mapping[str, ParameterLike] | None = None,
) -> xr.Dataset:
    """Add the counts of every sample, and the standard errors derived from them.

    Not to be trusted for values that were averaged or smoothed: take counts first.

    Parameters
    ----------
    data : Dataset
        Intensities in counts, and those in counts per second whose ``species_metadata`` give the
        ``counting_time``, ``"0.99 s"`` (and the ``detector_yield``, ``"95 %"``, if the instrument
        has divided by it), need no argument. Currents (``detector`` ``"FC"``, or above the
        ``faraday_cup_threshold``) have no counts.
    dwell_time : str, Quantity, DataArray or mapping, optional
        Counting time per sample, for intensities in counts per second: ``counts = I t``. One
        for all, or ``{"Ga->": "0.5 s", ...}``.
    value_per_count : str, Quantity, DataArray or mapping, optional
        The concentration of one count: ``counts = C / value_per_count``. One for all, or
        ``{"B": "2e14 atoms/cm^3", ...}`` of some. By default, of species that the instrument
        quantified by a factor, ``rsf / (counting_time detector_yield)`` of their metadata.

    Returns
    -------
    Dataset
        With, for each variable whose counts are known:

        - ``<variable>_counts`` (``count``)
        - ``<variable>_stderr`` (the unit of the variable): ``C / sqrt(k)``; for zero counts, half
          the width of the 68 % interval [0, 1.84] counts. In sums zero counts add no variance, as k
          is its unbiased estimate; that of none in total is the upper end of that interval

    Raises
    ------
    UnitsError, SpeciesError
        If no variable has counts that can be determined, or a mapping names an absent species.
    ProfileError
        If values are negative, or not whole numbers of counts: the counting time is wrong, or
        something was done to them before (in Dask data, such counts and errors are NaN).

    Notes
    -----
    Counts of intensities must be integers to within 0.05 counts plus 0.5 %, as numbers are printed;
    a few of many species in counts that are not are left out. By the same rule a placeholder (0.001
    count/s, where one count is 1.01 count/s) is zero counts, as are concentrations of less than
    0.05 counts; values are not changed. Corrections keep counts that were taken before.

    References
    ----------
    F. Garwood, Biometrika 28 (1936) 437.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> sample = ds.sel(species="B", depth=75)
    >>> value, error = sample["concentration"].item(), sample["concentration_stderr"].item()
    >>> print(f"{value:.3e} +- {error:.0e} {sample['concentration'].attrs['units']}")
    7.008e+19 +- 8e+16 atom/cm^3
    """
    counted = data
    for name in vocabulary.QUANTITIES:
        if name not in data.data_vars:
            continue
        frame = open_samples(data, name, "counting statistics")
        count = _one_count(frame, dwell_time, value_per_count)
        if count is None:
            continue
        _refuse_changed(data, name)
        if not frame.lazy:
            frame.measured()  # refuses infinite values and depths
        counts = _counts(frame, count, stated=dwell_time is not None)
        stderr = count * elementwise(poisson_stderr, counts)
        result = frame.replaced(frame.value, counts=counts, stderr=stderr)
        names = [f"{name}_counts", f"{name}_stderr"]
        counted = counted.assign(result[names])
        counted[names[0]].attrs = {"units": "count", "long_name": "Counts"}
        counted[names[1]].attrs = {
            "units": frame.units,
            "long_name": f"Standard error of {name}",
            "description": "random part, from counting statistics",
        }
    if counted is data:
        raise UnitsError(
            "no variable has known counts: give dwell_time for intensities in counts/s, "
            "value_per_count for concentrations; the data have "
            f"{', '.join(map(str, data.data_vars))}",
            code="missing_variable",
        )
    stated = {"dwell_time": dwell_time, "value_per_count": value_per_count}
    arguments = [f"{name}={format_argument(x)}" for name, x in stated.items() if x is not None]
    return with_history(counted, f"with_counting_statistics({', '.join(arguments)})")


def _refuse_changed(data: xr.Dataset, name: str) -> None:
    """Refuse values that this library, or the instrument's, has made of those counted."""
    if (reason := change_of_counted(data, data[name].attrs["units"])) is not None:
        raise ProfileError(
            f"{reason} before, so that {name} is not what was counted; call "
            "with_counting_statistics() before that: its errors are carried along",
            code="already_changed",
        )

    def refuse(value: Any, key: str) -> float:
        if "averaging" in key or _PROCESSED.search(str(value)):
            raise ProfileError(
                f"the instrument's software has changed {name} ({key} is {str(value)!r}): it is "
                "not what was counted, and has no counting errors; export the profile without it",
                code="already_changed",
            )
        return 1.0

    for key in ("averaging", "processing"):
        stated_in_metadata(data, key, refuse)


def _one_count(frame: Frame, dwell_time: Any, value_per_count: Any) -> xr.Variable | None:
    """Return the value of one count, in the unit of the variable; None if it is not known."""
    data: Any = frame.origin
    if frame.kind == "count":
        return xr.Variable((), 1.0)
    if frame.kind == "count_rate":
        if dwell_time is not None:
            return 1.0 / read_change(frame, dwell_time, ("sputter_time",), "dwell_time")
        time = _counting_time(data)
        return None if time is None else 1.0 / time
    if frame.kind == "concentration" and value_per_count is not None:
        return read_change(frame, value_per_count, ("concentration",), "value_per_count")
    return _count_by_factor(data) if frame.kind == "concentration" else None


def _count_by_factor(data: Any) -> xr.Variable | None:
    """Return the value of one count by the factor of an instrument: ``RSF / (t yield)``."""
    factor = stated_in_metadata(data, "rsf", "concentration")
    by_factor = stated_in_metadata(data, "calibration", lambda text, _: float(text == "RSF"))
    time = _counting_time(data)
    if factor is None or by_factor is None or time is None:
        return None
    count: xr.Variable = factor / time
    # Where a reference signal divides the rate, it is not that.
    reference = stated_in_metadata(data, "reference_signal", lambda *_: 1.0)
    count = count if reference is None else count.where(reference.isnull())
    count = count.where(by_factor == 1.0)
    return count if bool(count.notnull().any()) else None


def _counting_time(data: Any) -> xr.Variable | None:
    """Return the stated counting times, times the yields of the detectors; None without any."""
    time = stated_in_metadata(data, "counting_time", "sputter_time")
    part = stated_in_metadata(data, "detector_yield", _YIELD)
    return time if time is None or part is None else time * part.fillna(1.0)


def _counts(frame: Frame, of_one: xr.Variable, *, stated: bool) -> xr.Variable:
    """Return the counts of the samples; NaN of currents, on Dask of what is refused otherwise."""
    counts = frame.value / of_one
    if (cup := on_faraday_cup(frame)) is not None:
        counts = counts.where(~cup)
        current: Any = cup & of_one.notnull() & frame.value.notnull()
        if not stated:
            current = current & ~(cup | frame.value.isnull()).all(frame.dim)
        if (place := first_sample(frame, current)) is not None:
            place.warn(
                "measured by a Faraday cup, as the metadata of the species say: a current is "
                "not counted, and has no standard error here",
                ProfileWarning,
                code="faraday_cup",
            )
    negative: Any = counts < 0
    if (place := first_sample(frame, negative)) is not None:
        raise place.error(
            f"negative values in {frame.name} are not counts; take the counting statistics before "
            "subtracting a background",
            ProfileError,
            code="impossible_value",
        )
    if frame.kind == "concentration":
        counts = counts.where(~(counts < _ROUNDED), 0.0)  # placeholders
    else:
        counts = _whole_counts(frame, counts, of_one)
    kept: xr.Variable = counts.where(~negative)
    return kept


def _whole_counts(frame: Frame, counts: xr.Variable, of_one: xr.Variable) -> xr.Variable:
    """Round counts to whole numbers; refuse others, but those of a few species of many."""
    nearest, allowed = counts.round(), _ROUNDED + _ROUNDED_RELATIVE * counts
    broken: Any = (abs(counts - nearest) > allowed) & (allowed < 0.5)
    if (place := first_sample(frame, broken)) is not None:
        uneven = broken.any([dim for dim in broken.dims if dim != "species"])
        if frame.kind != "count" or bool(uneven.sum() * _FEW > uneven.size):
            text = f"{place.label} is {_fault_of_count(place, counts, of_one)}"
            raise ProfileError(text, code="impossible_value", where=place.where)
        names = frame.coords["species"].values[uneven.values]
        warn(
            f"{', '.join(map(repr, map(str, names)))}: values of {frame.name} that are not whole "
            "numbers of counts, unlike those of the other species: left without counts and errors",
            ProfileWarning,
            code="impossible_value",
        )
        broken = broken.any(frame.dim)
    whole_counts: xr.Variable = xr.where(allowed < 0.5, nearest, counts).where(~broken)
    return whole_counts


def _fault_of_count(place: FirstFlagged, counts: xr.Variable, of_one: xr.Variable) -> str:
    """Say how many counts a sample would be, and what its profile suggests."""
    frame, hint, chosen = place.frame, "", "data.sel(species=[...])"
    number = "not a whole number of counts"
    if frame.kind == "count_rate":
        profile = frame.value.isel({d: i for d, i in place.index.items() if d != frame.dim})
        lowest = float(profile.where(profile > _ROUNDED * place.of(of_one)).min())
        number = f"{place.of(counts):.4g} counts, not a whole number of them"
        hint = (
            f" (if the lowest value, {frame.shown(lowest)}, is one count, a sample was counted "
            f"for {1 / lowest:.4g} s)"
        )
        chosen = "dwell_time={'11B': '1 s', ...}"
    return (
        f"{number}{hint}; take the counting statistics "
        "before anything is subtracted, averaged or divided, and leave out species that were not "
        f"counted: {chosen}"
    )


@overload
def poisson_interval(
    counts: xr.DataArray, *, confidence: float | str = ...
) -> tuple[xr.DataArray, xr.DataArray]: ...


@overload
def poisson_interval(
    counts: ArrayLike, *, confidence: float | str = ...
) -> tuple[NDArray[np.float64], NDArray[np.float64]]: ...


@checks_arguments
def poisson_interval(
    counts: ArrayLike | xr.DataArray, *, confidence: float | str = ONE_SIGMA
) -> tuple[Any, Any]:
    """Return the exact central interval of the mean of a Poisson count (Garwood 1936).

    Parameters
    ----------
    counts : float, array or DataArray
        Counts, including zeros.
    confidence : float or str
        By default 0.6827, one standard deviation of a normal distribution.

    Returns
    -------
    lower, upper : same type as `counts`
        ``chi2(a/2; 2k) / 2`` and ``chi2(1 - a/2; 2k + 2) / 2``, ``a = 1 - confidence``.

    Raises
    ------
    ProfileError
        If a count is negative or not a number, or the confidence is not between 0 and 1.

    References
    ----------
    F. Garwood, Fiducial limits for the Poisson distribution, Biometrika 28 (1936) 437.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> lower, upper = sims.poisson_interval([0, 1, 5])
    >>> lower.round(2), upper.round(2)
    (array([0.  , 0.17, 2.84]), array([1.84, 3.3 , 8.38]))
    """
    confidence = units.read_fraction(confidence, "confidence")
    try:
        plain = counts.data if isinstance(counts, xr.DataArray) else np.asarray(counts)
    except ValueError:  # lists of lists of different lengths
        plain = np.asarray("")
    if plain.dtype.kind not in "iuf":
        raise argument_error("counts", counts, "expected numbers of counts, such as 3 or [0, 5]")
    if bool((plain < 0).any()):
        raise ProfileError(
            f"counts={format_argument(counts)}; expected no negative number",
            argument="counts",
        )
    if isinstance(counts, xr.DataArray):
        both = elementwise(partial(_interval, confidence=confidence), counts, outputs=2)
        lower, upper = (end.assign_attrs(counts.attrs) for end in both)
        return lower, upper
    return _interval(counts, confidence)
