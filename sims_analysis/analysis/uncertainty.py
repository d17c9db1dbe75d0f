"""How well each sample is known: standard errors from counting statistics."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis._call import format_argument, history_after
from sims_analysis.analysis._frame import Frame
from sims_analysis.analysis._opening import open_frame
from sims_analysis.analysis._parameters import anywhere, refuse_repeated
from sims_analysis.analysis._run import is_lazy
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.kernels.counting import ONE_SIGMA, poisson_stderr
from sims_analysis.kernels.counting import poisson_interval as _interval

__all__ = ["poisson_interval", "relative_uncertainty", "with_counting_statistics"]


def with_counting_statistics(
    ds: xr.Dataset, *, dwell_time: Any = None, value_per_count: Any = None
) -> xr.Dataset:
    """Add the counts of every sample, and the standard errors that follow from them.

    Parameters
    ----------
    ds : Dataset
        Intensities in counts need nothing more.
    dwell_time : str, Quantity, DataArray or mapping, optional
        Time counted for one sample, for intensities in counts per second: ``counts = I t``. One
        for all, or ``{"Ga->": "0.5 s", ...}``.
    value_per_count : str, Quantity, DataArray or mapping, optional
        The concentration that one count stands for, such as ``"2e14 atoms/cm^3"``:
        ``counts = C / value_per_count``. One for all, or ``{"B": "2e14 atoms/cm^3", ...}``; species
        that the mapping leaves out get no standard errors.

    Returns
    -------
    Dataset
        With ``<variable>_counts`` and ``<variable>_stderr`` (in the unit of the variable) for
        each variable whose counts are known. The standard error is ``C / sqrt(k)``; where nothing
        was counted, half the width of the 68 % interval [0, 1.84] counts. Sums over samples
        (a dose) take the variance of a zero as 0, since ``k`` itself is the unbiased estimate
        of the variance of a Poisson count; a sum in which nothing was counted at all has the
        upper end of that interval for its error.

    Raises
    ------
    UnitsError
        If no variable's counts can be known from what is given.
    SpeciesError
        If a mapping names a species that the data do not hold.
    ProfileError
        If values are negative: they are not counts. Of Dask data, which are not known yet,
        their counts and standard errors are NaN.

    See Also
    --------
    poisson_interval : The exact interval of a count, for samples with few.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> ds = sims.with_counting_statistics(ds, value_per_count={"B": "1e14 atoms/cm^3"})
    >>> ds["concentration_stderr"].attrs["units"]
    'atom/cm^3'
    """
    if not isinstance(ds, xr.Dataset):
        raise TypeError(f"expected a Dataset, found {type(ds).__name__}")
    quantified = any(units.is_quantity(v.data) for v in ds.data_vars.values())
    plain = units.dequantify(ds)
    added: dict[str, xr.DataArray] = {}
    for name in vocabulary.QUANTITIES:
        if name not in plain.data_vars:
            continue
        frame = open_frame(
            plain[name], vocabulary.kinds(name), question="counts", axes=vocabulary.AXES
        )
        one = _one_count(frame, dwell_time, value_per_count)
        if one is not None:
            added |= _counted(frame, plain[name], one)
    if not added:
        raise UnitsError(
            "no variable's counts are known: give dwell_time for intensities in counts/s, "
            f"value_per_count for concentrations; the data have {', '.join(map(str, ds.data_vars))}"
        )
    result: xr.Dataset = plain.assign(added)
    stated = {"dwell_time": dwell_time, "value_per_count": value_per_count}
    given = [
        f"{name}={format_argument(value)}" for name, value in stated.items() if value is not None
    ]
    step = f"with_counting_statistics({', '.join(given)})"
    result = result.assign_attrs(history=history_after(ds, step))
    if quantified:
        result = units.quantify(result)
    return result


def _one_count(frame: Frame, dwell_time: Any, value_per_count: Any) -> xr.Variable | None:
    """Give the value that one count stands for, in the unit of the variable."""
    if frame.kind == "count":
        return xr.Variable((), np.array(1.0))
    if frame.kind == "count_rate" and dwell_time is not None:
        return 1.0 / _each_species(frame, dwell_time, ("sputter_time",), "dwell_time")
    if frame.kind == "concentration" and value_per_count is not None:
        return _each_species(frame, value_per_count, ("concentration",), "value_per_count")
    return None


def _each_species(frame: Frame, value: Any, kinds: tuple[str, ...], name: str) -> xr.Variable:
    if not isinstance(value, Mapping):
        return _positive(frame.parameter(value, kinds, name), value, name)
    if "species" not in frame.coords:
        raise SpeciesError(f"{name} names species, but the data have no species coordinate")
    species = np.atleast_1d(frame.coords["species"].values).tolist()
    unknown = [key for key in value if key not in species]
    if unknown:
        raise SpeciesError(
            f"{name} names {', '.join(map(repr, unknown))}; the data have "
            f"{', '.join(map(repr, species))}"
        )
    refuse_repeated([name for name in species if name in value])
    numbers = np.full(len(species), np.nan)
    for key, stated in value.items():
        label = f"{name}[{key!r}]"
        numbers[species.index(key)] = units.read_quantity(stated, kinds, label)[0]
    dims = frame.coords["species"].dims
    return _positive(xr.Variable(dims, numbers if dims else numbers[0]), value, name)


def _positive(parameter: xr.Variable, given: Any, name: str) -> xr.Variable:
    if anywhere(parameter <= 0):
        raise ProfileError(f"{name}={given!r} must be positive")
    return parameter


def _counted(frame: Frame, array: xr.DataArray, one: xr.Variable) -> dict[str, xr.DataArray]:
    counts = frame.value / one
    negative = (counts < 0).any(frame.dim)
    if not frame.lazy and bool(negative.any()):
        where = np.argwhere(negative.values)[0]
        raise ProfileError(
            f"{frame.label_of(negative, where)}: negative values in {frame.name} are not counts; "
            "take the counting statistics before subtracting a background"
        )
    if frame.lazy:
        counts = counts.where(~(counts < 0))
    stderr = xr.apply_ufunc(poisson_stderr, counts, dask="parallelized", output_dtypes=[float])
    if frame.lazy or is_lazy(one):
        stderr = stderr * one
    else:
        stderr *= one  # in place: it is as large as the data
    dims = (*frame.lead, frame.dim)
    values = {
        f"{frame.name}_counts": (counts, {"units": "count", "long_name": "Counts"}),
        f"{frame.name}_stderr": (
            stderr,
            {
                "units": frame.units,
                "long_name": f"Standard error of {frame.name}",
                "description": "random part, from counting statistics",
            },
        ),
    }
    return {
        name: xr.DataArray(
            xr.Variable(dims, v.transpose(*dims).data, attrs), coords=array.coords, name=name
        ).transpose(*array.dims)
        for name, (v, attrs) in values.items()
    }


def poisson_interval(counts: Any, *, confidence: float = ONE_SIGMA) -> tuple[Any, Any]:
    """Give the exact central interval of the mean of a counted number (Garwood 1936).

    Parameters
    ----------
    counts : float, array or DataArray
        Counted numbers, zeros included.
    confidence : float
        By default 0.6827, one standard deviation of a normal distribution.

    Returns
    -------
    lower, upper : of the type of `counts`
        ``chi2(a/2; 2k) / 2`` and ``chi2(1 - a/2; 2k + 2) / 2``, ``a = 1 - confidence``.

    Raises
    ------
    ProfileError
        If a count is negative or no number, or the confidence is not between 0 and 1.

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
    number = isinstance(confidence, float | int | np.number) and not isinstance(confidence, bool)
    if not (number and 0 < confidence < 1):
        raise ProfileError(f"confidence={confidence!r}; expected a number between 0 and 1")
    try:
        plain = counts.data if isinstance(counts, xr.DataArray) else np.asarray(counts)
    except ValueError:  # lists of lists of different lengths
        plain = np.asarray("")
    if plain.dtype.kind not in "iuf":
        raise ProfileError(
            f"counts={format_argument(counts)}; expected numbers of counts, such as 3 or [0, 5]"
        )
    if bool((plain < 0).any()):
        raise ProfileError(f"counts={format_argument(counts)}: a number of counts is not negative")
    if isinstance(counts, xr.DataArray):
        lower, upper = xr.apply_ufunc(
            _interval,
            counts,
            kwargs={"confidence": confidence},
            output_core_dims=[[], []],
            dask="parallelized",
            output_dtypes=[float, float],
            keep_attrs=True,
        )
        return lower, upper
    return _interval(counts, confidence)


#: ``5 %``: percent of what the uncertainty is one of, and so no unit of a fraction.
_PERCENT = re.compile(r"\s*([+]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)\s*(?:%|percent)\s*")


def relative_uncertainty(value: Any, name: str) -> float | xr.DataArray:
    """Read a relative standard uncertainty: ``0.05``, ``"5 %"``, or a DataArray of such numbers.

    Returns
    -------
    float or DataArray
        The latter in the unit ``1``. In ``[0, 1)``, or NaN in a DataArray: not known.

    Raises
    ------
    ProfileError
        If it is anything else.
    """
    if isinstance(value, xr.DataArray):
        unit = str(value.attrs.get("units", "1"))
        plain = units.dequantify(value) if units.is_quantity(value.variable.data) else value
        if unit in ("%", "percent"):
            plain, unit = plain / 100.0, "1"
        array: xr.DataArray = plain.assign_attrs(units=unit)
        magnitude, _ = units.magnitude_and_unit(array, ("dimensionless",), name)
        if hasattr(magnitude, "chunks") or not bool(((magnitude < 0) | (magnitude >= 1)).any()):
            return array
    else:
        number: Any = value
        if isinstance(value, str) and (match := _PERCENT.fullmatch(value)):
            number = float(match[1]) / 100.0
        elif units.is_quantity(value) and value.dimensionless and np.ndim(value.magnitude) == 0:
            number = float(value.to("dimensionless").magnitude)
        real = isinstance(number, float | int | np.number) and not isinstance(number, bool)
        if real and 0 <= number < 1:
            return float(number)
    raise ProfileError(
        f"{name}={format_argument(value)}; expected a relative uncertainty from 0 to below 1, such as 0.05 "
        "or '5 %'"
    )
