"""The mean of replicates, with what their counts and what their scatter say of its error."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import MEASUREMENT, POINT
from sims_analysis.conventions.canonical import list_variables
from sims_analysis.conventions.provenance import with_history
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError
from sims_analysis.frame.call import correction
from sims_analysis.frame.evidence import anywhere_along
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import FRACTION, open_samples
from sims_analysis.frame.run import elementwise, may_exceed
from sims_analysis.kernels.rows import Array
from sims_analysis.quantification.reference import background_columns, column
from sims_analysis.quantification.repeats import NOTABLE, Repeats, repeats

#: Sums are too low if that is this part of their errors.
_LOW = 0.5
#: Numbers that all samples of a species share, beside the error of each.
_SHARED = len(Repeats._fields) - 1


@correction
def average(data: xr.Dataset) -> xr.Dataset:
    """Average the measurements of a batch, replicates of one sample, depth by depth.

    Not to be trusted where replicates are shifted against each other: :func:`align` them first.

    Parameters
    ----------
    data : Dataset
        A batch over ``measurement`` (:func:`stack`) with one common axis (:func:`to_grid`).

    Returns
    -------
    Dataset
        One measurement; NaN where not all measurements of a species have a value. Of each variable:

        - ``<variable>``: the mean
        - ``<variable>_stderr`` (unit of the variable): the standard error of each sample, without
          what all samples share: from those of the replicates, ``sqrt(sum s_i^2) / n``, to which
          zero counts add nothing where there are others; without these, from the scatter, pooled
          over neighbouring depths, as few values do not determine it at each
        - ``<variable>_scatter`` (likewise): the standard error at each depth by the scatter there,
          ``s / sqrt(n)`` with n - 1 in s, which includes craters and drifts
        - ``<variable>_counts`` (``count``): the sum of the counts
        - ``<variable>_background_stderr``...: of subtracted backgrounds, independent of each other

        Coordinates over species:

        - ``n_replicates``: the number of measurements
        - ``scale_repeatability`` (``1``): the relative standard error of the scale of the mean, by
          what all samples of a replicate have in common, a dose that differs from crater to crater:
          ``t sd / sqrt(n)`` of the n scales, with Student's t (1.84 of two, 1.32 of three), less
          the noise in them; 0 where noise explains it. Errors of answers (means, doses, fits,
          junctions...) hold it; :func:`dose_budget` states it apart, as systematic

        Depths that differ likewise add to ``depth_scale_uncertainty``, which :func:`dose_budget`
        and :func:`fit` hold. Of uncertainties common to all replicates (of sensitivity factors, of
        the depth scale), which averaging does not make smaller, the largest is kept. What is known
        of samples of any replicate is kept (:func:`quality`).

    Raises
    ------
    ProfileError
        If there is no ``measurement``, or the measurements have axes of their own.
    UnitsError
        If nothing was measured.

    Warns
    -----
    ProfileWarning
        Where replicates differ by more than their standard errors allow (1e-7 by chi-square): in
        scale, or otherwise; then the latter are replaced by the scatter. Where few counts were put
        on a grid by their logarithms, so that sums are too low: ``to_grid(method="linear")``.

    Notes
    -----
    A replicate is taken as ``(1 + a) C(z) + b z C'(z)``, by least squares with the mean C; a is its
    scale, and b its depth scale, where these differ significantly. Scales of two species are taken
    as independent.

    References
    ----------
    JCGM 100:2008, Guide to the expression of uncertainty in measurement, 4.2.3: the standard
    deviation of a mean.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> mean = sims.average(sims.stack({"centre": ds, "edge": ds})).sel(species="B", depth=75)
    >>> value, error = (mean[f"concentration{end}"].item() for end in ("", "_stderr"))
    >>> print(f"{value:.3e} +- {error:.1e} atoms/cm^3, of {mean['n_replicates'].item()} replicates")
    7.008e+19 +- 5.9e+16 atoms/cm^3, of 2 replicates
    """
    if MEASUREMENT not in data.dims:
        raise ProfileError(
            f"average needs a dimension {MEASUREMENT!r}, found {tuple(map(str, data.dims))}; "
            "stack() makes one of many Datasets",
            code="wrong_dimensions",
        )
    if POINT in data.dims:
        raise ProfileError(
            "the measurements have axes of their own: put them on one first, with "
            "to_grid(data, step='1 nm', method='linear')",
            code="missing_axis",
        )
    names = [name for name in vocabulary.MEASURED if name in data.data_vars]
    if not names:
        raise UnitsError(
            f"there is nothing to average; the data have {list_variables(data)}",
            code="missing_variable",
        )
    variables: dict[str, xr.Variable] = {}
    coords = _coords(data) | {"n_replicates": _replicates(data, names)}
    for name in names:
        of_one, common = _mean_of(data, name)
        variables |= of_one
        coords |= _uncertainties(coords, common)
    result = xr.Dataset(variables, coords, data.attrs)
    evidence = [f"{name}_{end}" for name in names for end in vocabulary.EVIDENCE]
    result = result.set_coords([name for name in evidence if name in result])
    labels = [str(label) for label in data[MEASUREMENT].values]
    return with_history(result, f"mean of {len(labels)} measurements: {', '.join(labels)}")


def _replicates(data: xr.Dataset, names: list[str]) -> xr.Variable:
    """Count the measurements that have each species."""
    measured: Any = False
    for name in names:
        value = data[name].variable
        others = [d for d in value.dims if d not in (MEASUREMENT, "species")]
        measured = value.notnull().any(others) | measured
    number = measured.sum(MEASUREMENT)
    return xr.Variable(number.dims, number.data, vocabulary.attrs("n_replicates"))


def _mean_of(data: xr.Dataset, name: str) -> tuple[dict[str, xr.Variable], Repeats]:
    """Average one variable, with its errors and counts, and with what the replicates share."""
    frame = open_samples(data, name, "a mean")
    value = frame.value
    n = value.notnull().sum(MEASUREMENT)
    complete = (n > 0) & (n == value.notnull().any(frame.dim).sum(MEASUREMENT))
    n = n.where(complete)
    common = _repeats(frame)
    scatter = value.std(MEASUREMENT, ddof=1).where(n > 1) / n**0.5
    columns: dict[str, Any] = {"": value.mean(MEASUREMENT).where(complete), "scatter": scatter}
    columns["stderr"] = common.stderr
    if frame.stderr is not None:
        by_counts = _error_by_counts(frame, n)
        columns["stderr"] = by_counts.where(~(common.excess > NOTABLE), common.stderr)
    if frame.counts is not None:
        columns["counts"] = frame.counts.sum(MEASUREMENT).where(complete)
    columns |= _backgrounds(frame, n)
    if frame.flags is not None:
        columns |= {vocabulary.QUALITY: anywhere_along(frame.flags, MEASUREMENT)}
        if frame.limit is not None:  # of what those above theirs are a part of
            most = frame.value.fillna(frame.limit).mean(MEASUREMENT)
            columns |= {vocabulary.LIMIT: most.where(frame.limit.notnull().any(MEASUREMENT))}
    order = [d for d in data[name].dims if d != MEASUREMENT]
    result = {
        f"{name}_{end}".removesuffix("_"): column(frame.term, end, frame.units, values, order)
        for end, values in columns.items()
    }
    result[name].attrs = dict(data[name].attrs)
    _warn_of_scatter(frame, common)
    if frame.counts is not None and data.attrs.get("grid_method") == "log":
        _warn_of_logarithms(frame, frame.counts)
    return result, common


def _repeats(frame: Frame) -> Repeats:
    """Return what the replicates of each species say of their mean."""
    n, stretched = frame.value.sizes[frame.dim], frame.axis == "depth"
    fraction = float(1 / (1 / frame.fraction).mean())
    analysed = partial(_repeats_of_species, fraction=fraction, stretched=stretched)
    rows = frame.each(analysed, size=n + _SHARED, dim=frame.dim, group=MEASUREMENT)
    parts = (rows.isel({frame.dim: n + i}) for i in range(_SHARED))
    return Repeats(rows.isel({frame.dim: slice(n)}), *parts)


def _repeats_of_species(
    z: Array, c: Array, s: Array, _: Array, *, fraction: float, stretched: bool
) -> Array:
    """Analyse the replicates of one species, those that were measured, at common depths."""
    result = np.full(z.shape[-1] + _SHARED, np.nan)
    measured = np.isfinite(c).any(axis=1)
    c, s, z = c[measured], s[measured], z[0]
    at = np.isfinite(c).all(axis=0) & np.isfinite(z)
    if len(c) > 1 and at.any():
        of_samples, *rest = repeats(z[at], c[:, at], s[:, at], fraction, stretched=stretched)
        result[:-_SHARED][at], result[-_SHARED:] = of_samples, rest
    return result


def _error_by_counts(frame: Frame, n: xr.Variable) -> xr.Variable:
    """Return the error of the mean by those of the replicates; zero counts add nothing to it."""
    stderr: Any = frame.stderr
    squares = (stderr**2).where(frame.value.notnull(), 0.0)
    if frame.counts is not None:
        squares = squares.where(frame.counts != 0, 0.0)
    total: xr.Variable = squares.sum(MEASUREMENT, skipna=False) ** 0.5 / n
    if frame.counts is not None:
        none = frame.counts.sum(MEASUREMENT) == 0
        total = total.where(~none, stderr.max(MEASUREMENT) / n)
    return total


def _backgrounds(frame: Frame, n: xr.Variable) -> dict[str, Any]:
    """Average errors of subtracted backgrounds, which are independent of each other."""
    ancillary = background_columns(frame)
    if not ancillary:
        return {}
    squares = ancillary["background_stderr"] ** 2
    count = n.max(frame.dim) if frame.dim not in squares.dims else n
    columns: dict[str, Any] = {"background_stderr": squares.sum(MEASUREMENT) ** 0.5 / count}
    if "background_overlap" in ancillary:
        # The covariance of the means, over the variance of the mean background.
        covariance = (ancillary["background_overlap"] * squares).sum(MEASUREMENT)
        columns["background_overlap"] = covariance / squares.sum(MEASUREMENT)
    if "background_scatter" in ancillary:
        columns["background_scatter"] = ancillary["background_scatter"].max(MEASUREMENT)
    return columns


def _warn_of_scatter(frame: Frame, common: Repeats) -> None:
    """Warn of replicates that differ by more than their standard errors say."""
    if (first := first_flagged(frame, common.scale_excess > NOTABLE)) is not None:
        first.warn(
            f"the scales of the replicates scatter {first.of(common.scale_excess):.3g} times as "
            "much as their standard errors say; that of the mean is known to "
            f"{100 * first.of(common.scale):.2g} %: scale_repeatability, which the errors of "
            "answers hold",
            ProfileWarning,
            code="inconsistent",
        )
    if (first := first_flagged(frame, common.excess > NOTABLE)) is not None:
        first.warn(
            f"the samples of the replicates scatter {first.of(common.excess):.3g} times as much as "
            "their standard errors say, whatever their scales and depths: "
            f"{frame.name}_stderr is that of their scatter",
            ProfileWarning,
            code="inconsistent",
        )


def _warn_of_logarithms(frame: Frame, counts: xr.Variable) -> None:
    """Warn where logarithms make a sum of counts too low, by half of its error or more."""
    of_all = [MEASUREMENT, frame.dim]
    total = (counts * frame.fraction).sum(of_all)
    # Between samples of k and l counts, the mean of k^t l^(1-t) is low by a sixth of a count.
    low = ((counts >= 1) * frame.fraction).sum(of_all) / 6
    if (first := first_flagged(frame, low > _LOW * total**0.5)) is not None:
        first.warn(
            "few counts were put on a grid by their logarithms, whose mean is too low: a dose of "
            f"all by {100 * first.of(low / total):.2g} %, {first.of(low / total**0.5):.2g} errors",
            ProfileWarning,
            code="uncertain_dose",
            remedy='to_grid(method="linear")',
        )


def _coords(data: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates of the mean."""
    kept: dict[str, Any] = {}
    for key, coord in data.coords.items():
        name, variable = str(key), coord.variable
        if name in (MEASUREMENT, "stderr", *vocabulary.OF_BACKGROUND):
            continue
        if name.endswith(tuple(f"_{end}" for end in vocabulary.EVIDENCE)):
            continue  # of the means, which have them
        if MEASUREMENT not in variable.dims:
            kept[name] = variable
        elif name.endswith("_uncertainty"):
            kept[name] = variable.max(MEASUREMENT, skipna=False, keep_attrs=True)
        elif name == FRACTION:
            of_sum = (1 / variable.fillna(1.0)).mean(MEASUREMENT)  # its variance over theirs
            kept[name] = xr.Variable(of_sum.dims, 1 / of_sum.data, variable.attrs)
        elif coord.chunks is None:
            first = variable.isel({MEASUREMENT: 0})
            missing = variable.isnull() & first.isnull() if variable.dtype.kind == "f" else False
            if bool(((variable == first) | missing).all()):
                kept[name] = first
    return kept


def _uncertainties(coords: Mapping[str, Any], common: Repeats) -> dict[str, xr.Variable]:
    """Return the coordinates with the standard errors of the scale and of the depths."""
    before = coords.get("scale_repeatability")
    scale = common.scale if before is None else elementwise(np.fmax, common.scale, before)
    parts = {"scale_repeatability": scale}
    depth = common.depth
    if depth.ndim:  # of the species of which it is known best
        best = common.depth_variance == common.depth_variance.min(depth.dims)
        depth = depth.where(best).max(depth.dims)
    if may_exceed(depth):
        earlier = coords.get("depth_scale_uncertainty", xr.Variable((), 0.0))
        parts["depth_scale_uncertainty"] = (earlier**2 + depth**2) ** 0.5
    return {name: xr.Variable(v.dims, v.data, vocabulary.attrs(name)) for name, v in parts.items()}
