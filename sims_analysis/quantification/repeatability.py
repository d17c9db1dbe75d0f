"""How well the measurements of a batch agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Unpack

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.comparison import refuse_without_level
from sims_analysis.analysis.crossings import JunctionOptions, junction_depth
from sims_analysis.analysis.dose import integrated_dose
from sims_analysis.conventions.axes import MEASUREMENT, POINT
from sims_analysis.errors import ProfileError
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy
from sims_analysis.frame.opening import DOSE_KINDS, open_frame
from sims_analysis.kernels.rows import Array, Index
from sims_analysis.resampling.grid import to_grid
from sims_analysis.text.arguments import type_error
from sims_analysis.units import ParameterLike, QuantityLike


@recorded
def repeatability(
    batch: xr.Dataset | xr.DataArray,
    *,
    step: QuantityLike | None = None,
    level: ParameterLike | None = None,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
    **junction: Unpack[JunctionOptions],
) -> xr.Dataset:
    """Return the mean and the relative standard deviation over the measurements of a batch.

    Not to be trusted with few: the deviation of three is known to a half, of ten to a quarter.

    Parameters
    ----------
    batch : Dataset or DataArray
        Over ``measurement``, as :func:`stack` gives it.
    step : str or Quantity, optional
        Step of the common grid (see :func:`to_grid`), which measurements with own axes need.
    start, stop : str, Quantity or DataArray, optional
        Limits of the dose; by default the ends of each profile.
    variable : str, optional
        The variable of a Dataset; by default the first.
    level, gaps, **junction
        As for :func:`compare`: the junction depth is returned too; gaps have no values.

    Returns
    -------
    Dataset
        Standard deviations use n - 1, and are NaN for fewer than two measurements.

        - ``<variable>``, ``<variable>_rsd`` (``1``), ``<variable>_n``: at each depth the mean, the
          relative standard deviation, and the number of measurements with a value
        - ``dose`` (``atom/cm^2``), ``dose_rsd`` (``1``), ``dose_n``: of concentrations
        - ``junction_depth``, ``junction_depth_stddev`` (``nm``), ``junction_depth_rsd`` (``1``),
          ``junction_depth_n``: with a level, over the measurements with a junction

    Raises
    ------
    ProfileError
        If there is no ``measurement``, or axes differ and no step is given.

    References
    ----------
    ISO 5725-2, Accuracy of measurement methods and results.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> other = ds.assign(concentration=1.02 * ds["concentration"])
    >>> other["concentration"].attrs["units"] = "atom/cm^3"
    >>> found = sims.repeatability(sims.stack([ds, other]))
    >>> float(found["dose_rsd"].sel(species="B").round(4))
    0.014
    """
    if not isinstance(batch, xr.Dataset | xr.DataArray):
        raise type_error("batch", batch, "expected a Dataset or a DataArray")
    refuse_without_level("repeatability", level, junction)
    if MEASUREMENT not in batch.dims:
        raise ProfileError(
            f"repeatability needs a dimension {MEASUREMENT!r}, found "
            f"{tuple(map(str, batch.dims))}; stack() makes one of many Datasets",
            code="wrong_dimensions",
        )
    if step is None and POINT in batch.dims:
        raise ProfileError(
            "each measurement has its own axis; give the step of the grid on which to "
            'compare them, such as step="1 nm"',
            argument="step",
        )
    frame = open_frame(batch, question="repeatability", variable=variable)
    name = frame.term
    values = frame.array(frame.value, name, units_=frame.units, coords=frame.along)
    if step is not None:
        data: Any = batch if isinstance(batch, xr.DataArray) else batch[[frame.name]]
        gridded = to_grid(data, step=step, gaps=gaps)
        values = gridded if isinstance(gridded, xr.DataArray) else gridded[frame.name]
    answers = {name: values}
    if frame.kind in DOSE_KINDS:
        answers["dose"] = integrated_dose(batch, start=start, stop=stop, gaps=gaps)
    if level is not None:
        answers["junction_depth"] = junction_depth(batch, level=level, gaps=gaps, **junction)
    columns: dict[str, xr.Variable] = {}
    labels: dict[Any, xr.Variable] = {}
    for key, quantified in answers.items():
        array = units.dequantify(quantified)
        columns |= _statistics_of(array, key)
        labels |= {d: array[d].variable for d in array.dims if d in array.coords}
    labels.pop(MEASUREMENT, None)
    result = replace(frame, coords={}).dataset(columns, coords=labels)
    return units.quantify(result) if frame.quantified else result


def _mean_and_deviation(values: Array) -> tuple[Array, Array, Index]:
    """Return mean, standard deviation (n - 1) and number of (..., n) values but NaN."""
    # Sorted, and added one by one (as cumsum does), so that the result depends neither on the order
    # of the measurements nor on the memory layout. NaN sort to the end.
    values = np.sort(values, axis=-1)
    measured = ~np.isnan(values)
    count = np.count_nonzero(measured, axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = np.cumsum(np.where(measured, values, 0.0), axis=-1)[..., -1] / count
        square = np.where(measured, (values - mean[..., None]) ** 2, 0.0)
        square = np.cumsum(square, axis=-1)[..., -1]
        deviation = np.where(count > 1, np.sqrt(square / (count - 1)), np.nan)
    return np.where(count > 0, mean, np.nan), deviation, count


def _statistics_of(array: xr.DataArray, name: str) -> dict[str, xr.Variable]:
    """Return mean, relative standard deviation and number over measurements."""
    # Along the measurements; the runners of frames run along samples.
    mean, deviation, count = xr.apply_ufunc(
        _mean_and_deviation,
        array.variable,
        input_core_dims=[[MEASUREMENT]],
        output_core_dims=[[], [], []],
        dask="parallelized",
        output_dtypes=[float, float, np.intp],
        dask_gufunc_kwargs={"allow_rechunk": True},
    )
    unit, label = array.attrs["units"], vocabulary.TERMS[name].long_name.lower()
    columns = {
        name: (mean, vocabulary.attrs(name, unit) | {"long_name": f"Mean {label}"}),
        f"{name}_rsd": (deviation / mean.where(mean > 0), vocabulary.attrs("relative_deviation")),
        f"{name}_n": (count, {"long_name": "Number of measurements"}),
    }
    if name == "junction_depth":  # of which the origin is a convention
        about = {"units": unit, "long_name": f"Standard deviation of the {label}"}
        columns[f"{name}_stddev"] = deviation, about
    return {key: xr.Variable(v.dims, v.data, attrs) for key, (v, attrs) in columns.items()}
