"""The mean of replicates, with what their counts and what their scatter say of its error."""

from __future__ import annotations

from typing import Any

import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import MEASUREMENT, POINT
from sims_analysis.conventions.canonical import list_variables
from sims_analysis.conventions.provenance import with_step
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError
from sims_analysis.frame.call import correction
from sims_analysis.frame.evidence import Known, union
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import FRACTION, open_samples
from sims_analysis.quantification.reference import background_columns

__all__ = ["average"]

#: Warn of scatter between replicates that counting makes with less than this probability, if
#: the errors are off by more than this factor.
_IMPROBABLE, _NOTABLE = 1e-7, 1.4


@correction
def average(data: xr.Dataset) -> xr.Dataset:
    """Average the measurements of a batch, replicates of one sample, depth by depth.

    Parameters
    ----------
    data : Dataset
        A batch over ``measurement`` with one common axis; for measurements on axes of their own,
        :func:`to_grid` makes one.

    Returns
    -------
    Dataset
        One measurement; no mean where not all that have a species were measured. Of each variable:

        - ``<variable>``: the mean
        - ``<variable>_stderr`` (unit of the variable): its standard error by those of the
          replicates, ``sqrt(sum s_i^2) / n``, to which zero counts add nothing where there are
          others; without these, by their scatter
        - ``<variable>_scatter`` (likewise): its standard error by the scatter of the replicates,
          ``s / sqrt(n)`` with n - 1 in s, which includes craters and drifts, not counting alone
        - ``<variable>_counts`` (``count``): the sum of the counts
        - ``<variable>_background_stderr``...: of subtracted backgrounds, independent of each other

        What is known of samples of any goes along (:func:`quality`). The coordinate
        ``n_replicates`` over species is the number of measurements. Of uncertainties common to all
        samples (of sensitivity factors, of the depth scale), which averaging does not make smaller,
        the largest is kept.

    Raises
    ------
    ProfileError
        If there is no ``measurement``, or the measurements have axes of their own.
    UnitsError
        If nothing was measured.

    Warns
    -----
    ProfileWarning
        Where replicates scatter more than their standard errors allow (with a probability below
        1e-7 by chi-square, over all depths), with the factor.

    References
    ----------
    JCGM 100:2008, Guide to the expression of uncertainty in measurement, 4.2.3: the standard
    deviation of a mean.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> mean = sims.average(sims.stack([ds, ds]))
    >>> one = mean.sel(species="B", depth=75)
    >>> print(f"{one['concentration'].item():.3e} +- {one['concentration_stderr'].item():.1e}")
    7.008e+19 +- 5.9e+16
    """
    if MEASUREMENT not in data.dims:
        raise ProfileError(
            f"average needs a dimension {MEASUREMENT!r}, found {tuple(map(str, data.dims))}; "
            "stack() makes one of many Datasets",
            code="several_measurements",
        )
    if POINT in data.dims:
        raise ProfileError(
            "the measurements have axes of their own: put them on one first, with "
            "to_grid(data, step='1 nm')"
        )
    names = [name for name in vocabulary.MEASURED if name in data.data_vars]
    if not names:
        raise UnitsError(
            f"there is nothing to average; the data have {list_variables(data)}",
            code="missing_variable",
        )
    variables: dict[str, xr.Variable] = {}
    for name in names:
        variables |= _mean_of(data, name)
    coords = _common(data) | {"n_replicates": _replicates(data, names)}
    labels = [str(label) for label in data[MEASUREMENT].values]
    made = xr.Dataset(variables, coords, data.attrs)
    evidence = [f"{name}_{end}" for name in names for end in vocabulary.EVIDENCE]
    made = made.set_coords([name for name in evidence if name in made])
    return with_step(made, "average", f"mean of {len(labels)} measurements", measurements=labels)


def _replicates(data: xr.Dataset, names: list[str]) -> xr.Variable:
    """Count the measurements that have each species."""
    measured: Any = False
    for name in names:
        value = data[name].variable
        own = [d for d in value.dims if d not in (MEASUREMENT, "species")]
        measured = value.notnull().any(own) | measured
    number = measured.sum(MEASUREMENT)
    return xr.Variable(number.dims, number.data, vocabulary.attrs("n_replicates"))


def _mean_of(data: xr.Dataset, name: str) -> dict[str, xr.Variable]:
    """Average one variable, with its errors and counts."""
    frame = open_samples(data, name, "a mean")
    value = frame.value
    n = value.notnull().sum(MEASUREMENT)
    known = (n > 0) & (n == value.notnull().any(frame.dim).sum(MEASUREMENT))
    n = n.where(known)
    scatter = value.std(MEASUREMENT, ddof=1).where(n > 1) / n**0.5
    found: dict[str, Any] = {"": value.mean(MEASUREMENT).where(known), "scatter": scatter}
    found["stderr"] = scatter
    if frame.stderr is not None:
        found["stderr"] = _by_counts(frame, n)
        _warn_of_scatter(frame, found["stderr"], scatter, n)
    if frame.counts is not None:
        found["counts"] = frame.counts.sum(MEASUREMENT).where(known)
    found |= _backgrounds(frame, n)
    of_all = union(Known(frame.flags, frame.limit), over=MEASUREMENT)
    if of_all.flags is not None:
        found |= {vocabulary.QUALITY: of_all.flags}
        found |= {} if of_all.limit is None else {vocabulary.CENSORED: of_all.limit}
    order = [d for d in data[name].dims if d != MEASUREMENT]
    made = {}
    for end, one in found.items():
        attrs = dict(data[name].attrs)
        if end:
            attrs = vocabulary.ancillary_attrs(frame.term, end, frame.units)
        ordered = one.transpose(*(d for d in order if d in one.dims))
        made[f"{name}_{end}".removesuffix("_")] = xr.Variable(ordered.dims, ordered.data, attrs)
    return made


def _by_counts(frame: Frame, n: xr.Variable) -> xr.Variable:
    """Return the standard error of the mean by those of the replicates.

    The variance of a sum of counts is estimated by the counts: zero counts add nothing to it. With
    zero counts in all of them, the error is that of zero counts in one.
    """
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
    beside = background_columns(frame)
    if not beside:
        return {}
    squares = beside["background_stderr"] ** 2
    count = n.max(frame.dim) if frame.dim not in squares.dims else n
    found: dict[str, Any] = {"background_stderr": squares.sum(MEASUREMENT) ** 0.5 / count}
    if "background_overlap" in beside:
        # The covariance of the means, over the variance of the mean background.
        covariance = (beside["background_overlap"] * squares).sum(MEASUREMENT)
        found["background_overlap"] = covariance / squares.sum(MEASUREMENT)
    if "background_scatter" in beside:
        found["background_scatter"] = beside["background_scatter"].max(MEASUREMENT)
    return found


def _warn_of_scatter(
    frame: Frame, stderr: xr.Variable, scatter: xr.Variable, n: xr.Variable
) -> None:
    """Warn of replicates that scatter more than their standard errors say."""
    if frame.lazy:
        return
    from scipy.special import chdtri

    counted = (stderr > 0) & scatter.notnull()
    squares = ((scatter / stderr.where(counted)) ** 2).mean(frame.dim)
    freedom = ((n - 1) * counted).sum(frame.dim).clip(min=1.0)
    by_chance = chdtri(freedom, _IMPROBABLE) / freedom
    excess = squares**0.5
    first = first_flagged(frame, (squares > by_chance) & (excess > _NOTABLE))
    if first is not None:
        first.warn(
            f"the replicates scatter {first.of(excess):.2g} times as much as their "
            "standard errors say: they differ by more than counting. "
            f"{frame.name}_stderr is that of counting, {frame.name}_scatter holds the rest, which "
            "neighbouring samples share: for the error of a dose, take the scatter of the doses "
            "of the measurements",
            ProfileWarning,
        )


def _common(data: xr.Dataset) -> dict[str, Any]:
    """Return the coordinates of the mean."""
    kept: dict[str, Any] = {}
    for key, coord in data.coords.items():
        name, one = str(key), coord.variable
        if name in (MEASUREMENT, "stderr", *vocabulary.OF_BACKGROUND):
            continue
        if name.endswith(tuple(f"_{end}" for end in vocabulary.EVIDENCE)):
            continue  # of the means, which have them
        if MEASUREMENT not in one.dims:
            kept[name] = one
        elif name.endswith("_uncertainty"):
            kept[name] = one.max(MEASUREMENT, skipna=False, keep_attrs=True)
        elif name == FRACTION:
            kept[name] = one.fillna(1.0).min(MEASUREMENT, keep_attrs=True)
        elif coord.chunks is None:
            first = one.isel({MEASUREMENT: 0})
            missing = one.isnull() & first.isnull() if one.dtype.kind == "f" else False
            if bool(((one == first) | missing).all()):
                kept[name] = first
    return kept
