"""Detection limits, and the samples below them."""

from __future__ import annotations

from functools import partial
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.errors import Parts, ProfileError, ProfileWarning, SimsWarning
from sims_analysis.frame.arguments import refuse_not_positive
from sims_analysis.frame.background import add_background_error, doubts_of_window
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import resolve
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt, FirstFlagged, describe_window, warn_where
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import anywhere, codes, replaced_where
from sims_analysis.frame.window import Window, read_pair
from sims_analysis.kernels import background as kernels
from sims_analysis.kernels.counting import window_statistics
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import check_choice
from sims_analysis.units import ParameterLike, WindowLike

LimitRule = Literal["mean+3sigma", "currie"]


@recorded
def detection_limit(
    data: xr.Dataset | xr.DataArray,
    window: WindowLike,
    *,
    rule: LimitRule = "mean+3sigma",
    value_per_count: ParameterLike | None = None,
    variable: str | None = None,
) -> xr.DataArray:
    """Return the detection limit of each profile, from a window in its tail.

    Not to be trusted where the species is in the window, or a tail that few counts hide (it is too
    high then), or where the background steps in the last tenth of it, within its noise.

    Parameters
    ----------
    data : Dataset or DataArray
        Concentrations, fractions or intensities over depth.
    window : (start, stop)
        Depths, such as ``("800 nm", "1 um")``, at which the species is known to be absent.
    rule : {"mean+3sigma", "currie"}
        Mean plus three standard deviations of the samples; or Currie's ``2.71 + 3.29 sqrt(2 B)``
        counts above the mean, B the mean number of counts before a background was subtracted.
    value_per_count : str, Quantity or DataArray, optional
        The value of one count; needed by ``"currie"`` unless the Dataset has counts
        (:func:`with_counting_statistics`).
    variable : str, optional
        The variable of a Dataset; by default concentration, otherwise the first.

    Returns
    -------
    DataArray
        In the unit of the variable. Coordinates:

        - ``background`` (same unit): mean of the window
        - ``n``: number of samples in the window
        - ``stderr`` (same unit): with what slopes within noise change of it at the window's end
        - ``status``: ``ok``; ``wrong_shape`` where the profile falls, rises or steps in the window,
          so that the limit at the end of the window is another by more than 2 % and its error;
          others as for :func:`mean_value`. With NaN: ``no_data`` for fewer than two samples (one
          for ``"currie"``), ``undetermined`` where all are the same (zeros, or a placeholder), or
          for ``"currie"`` a count has no known value

    Raises
    ------
    UnitsError, ProfileError
        If the window is reversed or has no unit, or the value of a count is not known or positive.

    References
    ----------
    L. A. Currie, Anal. Chem. 40 (1968) 586.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> boron = ds.sel(species="B")
    >>> limit = sims.detection_limit(boron, window=("420 nm", "490 nm"), rule="currie")
    >>> print(f"{limit.item():.1e} {limit.attrs['units']}")
    1.1e+15 atom/cm^3
    """
    check_choice("rule", rule, ("mean+3sigma", "currie"))
    frame = open_frame(data, question="a detection limit", variable=variable)
    ends = read_pair(frame, window)
    counted, above = rule == "currie", xr.Variable((), np.nan)
    if counted:
        count = _count_value(frame, value_per_count)
        above = (2.71 + 3.29 * (2.0 * _mean_counts(frame, count, ends)) ** 0.5) * count
    parameters = *ends, above
    result, support = frame.evaluate(
        kernels.detection_limit, *parameters, use="samples", errors="sum", counted=counted
    )
    options: Any = {"what": "the limit is from the others", "category": SimsWarning}
    missing = _doubts_of_missing(frame, result, ends, counted, value_per_count is not None)
    options["doubts"] = [*missing, *doubts_of_window(result, "limit", SimsWarning)]
    status = resolve(frame, result.status, support, ends, **options)
    attrs = {"units": frame.units, "long_name": "Mean of the window"}
    background = frame.as_the_data(xr.Variable(result.mean.dims, result.mean.data, attrs))
    coords = {"background": background, "n": frame.with_attrs(result.n, "samples_used")}
    stderr = add_background_error(
        frame,
        result.stderr,
        lambda f: f.map(kernels.detection_limit, *parameters, counted=counted).limit,
    )
    columns: Any = {"units_": frame.units, "status": status, "stderr": stderr}
    return frame.array(result.limit, "detection_limit", coords=coords, **columns)


def _doubts_of_missing(
    frame: Frame, result: Any, window: Window, counted: bool, stated: bool
) -> list[Doubt]:
    """Return warnings of profiles without a limit: too few samples, or all the same."""
    if codes(result.status) <= {Status.OK}:
        return []
    why = "all samples in the window are the same"
    if counted:
        why = "the value of one count is not known" + ("" if stated else ", as nothing was counted")
    too_few = f"fewer than {1 if counted else 2} samples" if anywhere(result.n > 0) else "no sample"
    empty = (result.status == Status.NO_DATA) & frame.measured()
    undetermined = result.status == Status.UNDETERMINED

    def text(problem: str, first: FirstFlagged) -> str:
        return f"{describe_window(first, window, problem)}: no detection limit can be given"

    code: Parts = {"code": "no_sample_in_window"}
    problems = (empty, f"{too_few} in the window"), (undetermined, why)
    return [Doubt(flagged, None, partial(text, problem), code) for flagged, problem in problems]


def _mean_counts(frame: Frame, count: xr.Variable, window: Window) -> Any:
    """Return the mean number of counts in a window, before any background was subtracted."""
    if frame.counts is not None:
        return frame.of_counts().map(window_statistics, *window).mean
    if frame.common is not None:
        raise ProfileError(
            'rule="currie" needs the counts from before the background was subtracted, and the '
            "data have none: call with_counting_statistics(), or detection_limit() itself, before "
            "subtract_background()",
            argument="rule",
        )
    return abs(frame.map(window_statistics, *window).mean / count)


def _count_value(frame: Frame, value_per_count: Any) -> xr.Variable:
    if value_per_count is not None:
        stated = frame.parameter(value_per_count, (frame.kind,), "value_per_count")
        refuse_not_positive(stated, value_per_count, "value_per_count")
        return stated
    if frame.kind == "count":
        return xr.Variable((), 1.0)
    if frame.counts is None:
        raise ProfileError(
            'rule="currie" needs counts, and the data have none: give value_per_count=, the value '
            "of one count, or data with counts from with_counting_statistics()",
            argument="rule",
        )
    # After a background was subtracted, C / k is not the value of one count, but s / sqrt(k) is.
    counts = frame.counts.where(frame.counts > 0)
    ratio = frame.value / counts if frame.stderr is None else frame.stderr / counts**0.5
    count: xr.Variable = ratio.median(frame.dim)
    return count


def stated_limit(
    frame: Frame, detection_limit: Any, name: str = "detection_limit"
) -> tuple[xr.Variable, xr.Variable]:
    """Read a detection limit, NaN where none is stated, and flag profiles where it is not known.

    Their limit is infinite: nothing lies above it, and there is no result.
    """
    limit = frame.parameter(detection_limit, (frame.kind,), name)
    unknown = limit.isnull() if detection_limit is not None else xr.Variable((), data=False)
    return replaced_where(unknown, limit, np.inf), unknown


@recorded
def below_detection(
    data: xr.Dataset | xr.DataArray, limit: ParameterLike, *, variable: str | None = None
) -> xr.DataArray:
    """Flag the samples below a detection limit.

    Parameters
    ----------
    data, variable
        As for :func:`detection_limit`.
    limit : str, Quantity or DataArray
        In a unit of the same kind as the data; one for all, or one for each profile, as
        :func:`detection_limit` returns it.

    Returns
    -------
    DataArray of bool
        With the shape of the data; False for missing samples, except for those that a file gives as
        below a limit no higher than this one (``<5E15``). Where the limit is NaN, all are flagged,
        with a warning.

    Raises
    ------
    UnitsError
        If the limit has no unit, or one of another kind than the data.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> below = sims.below_detection(ds.sel(species="B"), limit="1e15 atoms/cm^3")
    >>> print(f"{int(below.sum())} of {below.size} samples")
    116 of 250 samples
    """
    frame = open_frame(data, question="a detection limit", variable=variable, axes=vocabulary.AXES)
    level, unknown = stated_limit(frame, limit, "limit")
    measured = frame.measured()  # raises for infinite samples
    text = "limit is NaN, and no sample is known to lie above it: all are flagged"
    warn_where(frame, unknown & measured, text, ProfileWarning, code="missing_value")
    below = frame.value < level
    if frame.limit is not None:
        below = below | (frame.value.isnull() & (frame.limit <= level))
    return frame.array(below, "below_detection", coords=frame.along)
