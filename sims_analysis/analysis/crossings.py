"""All depths at which profiles cross a level."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, get_args

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileError, ProfileWarning
from sims_analysis.frame.background import stated_error, subtracted_level
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, resolve, warn_of_evidence
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import warn_where
from sims_analysis.frame.opening import open_at_level
from sims_analysis.frame.resolution import resolution_error
from sims_analysis.frame.run import (
    anywhere,
    codes,
    elementwise,
    is_any_of,
    replaced_where,
    words,
)
from sims_analysis.frame.window import Window
from sims_analysis.kernels import crossings as kernels
from sims_analysis.kernels.blocks import LONG
from sims_analysis.kernels.edges import Locate
from sims_analysis.kernels.evidence import Support, Use
from sims_analysis.kernels.rows import changed
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import check_choice, check_count
from sims_analysis.units import ParameterLike

#: Words of the kernels' directions: 0, 1 and, at the end, -1.
_DIRECTIONS = ("", "rising", "falling")
_WHOLE = xr.Variable((), 1.0)


@recorded
def crossings(
    data: xr.Dataset | xr.DataArray,
    level: ParameterLike | Mapping[str, ParameterLike],
    *,
    max_count: int | None = None,
    locate: Locate = "auto",
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Find every depth at which the profiles cross a level.

    Parameters
    ----------
    data : Dataset or DataArray
        Over depth, or sputter time; the unit of `level` selects the variable of a Dataset.
    level : str, Quantity, DataArray or mapping
        ``"1e18 atoms/cm^3"``, ``"1e4 counts/s"``...; one for all, each profile, or each species.
        Further dimensions of a DataArray become those of the result; its coordinate ``stderr`` is a
        part of the error. A profile whose level is NaN has no data.
    max_count : int, optional
        Crossings to keep for each profile; by default all. Required for Dask data.
    locate : {"auto", "fit", "crossing"}
        Of data with standard errors, whether the samples around a crossing locate it where its two
        do not suffice, always, or never.
    variable : str, optional
        The variable of a Dataset, if several have the unit of the level.
    gaps : {"flag", "bridge"}
        Whether a crossing in a gap has no depth, or is interpolated; see :func:`integrated_dose`.

    Returns
    -------
    Dataset
        Over the dimensions of the data without depth, and ``crossing``, in order of depth; unused
        entries are NaN and ``""``. Over sputter time, ``sputter_time...`` takes the place of
        ``depth...``, and all is in ``s``.

        - ``depth``, ``stderr`` (``nm``): the latter NaN where the data carry no standard errors
        - ``raw_crossing`` (``nm``), where they do: the depth between the two samples
        - ``direction``: ``"falling"`` or ``"rising"`` with depth
        - ``decay_length`` (``nm`` per factor e): of the edge, or between the bracketing samples
        - ``depth_before``, ``depth_after`` (``nm``): the bracketing samples
        - ``status``: ``ok``; with a depth, ``saturated``; without one, ``gap``, ``below_limit``
          (among samples given as ``<5E15``), and ``undetermined`` where its interval is wider than
          the record. The first entry of a profile without a crossing gives the reason:
          ``never_reached``, ``always_above``, ``truncated``, ``no_data``, ``undetermined`` where
          noise can make all, or one of the others
        - ``count``, a coordinate: number of crossings, including those beyond `max_count`; and
          ``detection_limit``, where a file gives samples as ``<5E15``

    Raises
    ------
    UnitsError
        If the level has no unit, or one that no variable of the data has.
    ProfileError
        If `max_count` is not given for Dask data.

    Notes
    -----
    Between samples ln C is linear: ``t = ln(L / c0) / ln(c1 / c0)``; C is, where an end or the
    level is not positive. Touching the level is not crossing it; passing through samples at the
    level is crossing it at the first of them. Averages over cells are taken back to points.

    **With standard errors**, crossings that noise can make are left out: a run of samples between
    two crossings counts if ``|sum(c - L)|`` exceeds four standard errors; the least certain run
    joins its neighbours, again and again. To the smallest window that tells the two sides apart,
    ``ln(C / L) = A + B z + D z^2 / 2`` is fitted by maximum likelihood. Only two samples that
    differ by more than a factor of e, and by eight standard errors, have the crossing between them,
    with ``stderr = lambda sqrt([(1 - t) s0 / c0]^2 + [t s1 / c1]^2)``. With ``locate="crossing"``,
    ``stderr`` is half of the 68 % interval about that depth.

    One standard error covers 60 to 76 % from 10 counts on, without ``depth_scale_uncertainty`` and
    ``scale_repeatability``; less beside kinks, and below three times a noise floor (*What stated
    errors cover*, on the site). Restored profiles of the resolution R have ``0.35 R exp[-(lambda /
    R)^2]`` more; of two edges nearer than R (2.5 R about a valley) it covers 38 to 58 %.

    References
    ----------
    W. Cash, Astrophys. J. 228 (1979) 939, for the likelihood of the counts about a crossing.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> found = sims.crossings(ds, level="1e18 atoms/cm^3").sel(species="B", crossing=0)
    >>> print(f"{found['depth'].item():.1f} nm, {found['direction'].item()}")
    161.9 nm, falling
    """
    check_choice("locate", locate, get_args(Locate))
    how: Any = {"axes": vocabulary.AXES, "variable": variable, "gaps": gaps}
    frame, asked = open_at_level(data, level, "a crossing", **how)
    found, support = in_all_places(
        frame,
        kernels.table,
        asked,
        subtracted_level(frame),
        dim="crossing",
        max_count=max_count,
        where=locate,
        block=LONG,
    )
    background = None if frame.common is None else frame.common.mean(frame.dim)
    found = with_common_errors(frame, found, stated_error(frame, level, "level"), background)
    what = "no depth is given for a crossing in it"
    found = located(frame, found, support, (found.start, found.stop), what)
    warn_of_noise(frame, found.status, found.number, found.raw_number)
    known = ancillary(frame, found)
    limits = {name: known.pop(name) for name in {"detection_limit"} & known.keys()}
    results = {
        frame.axis: frame.of_axis(found.depth, "crossing_depth"),
        "stderr": frame.of_axis(found.stderr, "crossing_depth_stderr"),
        "decay_length": frame.of_axis(found.decay_length, "decay_length"),
        **known,
        f"{frame.axis}_before": frame.with_attrs(
            found.depth_before, frame.axis, long_name="Last sample before the crossing"
        ),
        f"{frame.axis}_after": frame.with_attrs(
            found.depth_after, frame.axis, long_name="First sample after the crossing"
        ),
        "direction": words(
            found.direction, _DIRECTIONS, long_name=f"Direction with {frame.axis.replace('_', ' ')}"
        ),
        "status": frame.status(found.status),
    }
    found.number.attrs["long_name"] = "Number of crossings"
    return frame.dataset(results, coords={"count": found.number, **limits})


def without(found: Any, where: xr.Variable, status: Status | xr.Variable) -> Any:
    """Return crossings or junctions without some of them, with a status that says why."""
    numbers = {"depth", "stderr", "decay_length", "raw_depth"} & {*found._fields}
    kept = {name: replaced_where(where, getattr(found, name)) for name in numbers}
    return changed(found, status=replaced_where(where, found.status, status), **kept)


def located(frame: Frame, found: Any, support: Support, window: Window, what: str) -> Any:
    """Return crossings or junctions with their statuses, those in a gap without a depth.

    A level that is never reached may be where the maximum lies beside a gap, or was cut off.
    """
    if not (frame.lazy or anywhere(support.flags) or Status.BELOW_LIMIT in codes(found.status)):
        return found
    never = found.status == Status.NEVER_REACHED
    status = replaced_where(never, found.status, Status.OK)
    status = resolve(frame, status, support, category=None)
    doubtful = (status == Status.GAP) | (status == Status.SATURATED)
    status = replaced_where(never & ~doubtful, status, Status.NEVER_REACHED)
    # That a level lies below a limit is no news without a crossing, and no gap to be bridged.
    known = (status == found.status) & ((found.number == 0) | bool(frame.bridge))
    shown = replaced_where(known, status, Status.OK)
    warn_of_evidence(frame, shown, window, what, bridge=frame.bridge)
    without_depth = is_any_of(status, [Status.GAP, Status.BELOW_LIMIT])
    return without(changed(found, status=status), without_depth, status)


def with_common_errors(
    frame: Frame, found: Any, *errors: xr.Variable | None, part: Any = _WHOLE
) -> Any:
    """Return crossings with what samples have in common in their errors.

    Such `errors`, of the background and of the level, over the steepness, move the edge. Restored
    profiles are known to the achieved resolution where they are steep: of several that meet there,
    each with its `part`, that of which the depth is known best.
    """
    stderr = found.stderr
    if frame.achieved is not None and frame.stderr is not None:
        every = resolution_error(frame, found.depth, found.decay_length, found.steepness / part)
        stderr = every.min(part.dims)
    for error in errors:
        if error is not None:
            stderr = elementwise(np.hypot, stderr, error / found.steepness)
    return changed(found, stderr=stderr.transpose(*found.depth.dims))


def ancillary(frame: Frame, found: Any) -> dict[str, xr.Variable]:
    """Return where crossings lie between their two samples, and the limits of detection."""
    known = {}
    if frame.stderr is not None:
        known["raw_crossing"] = frame.of_axis(found.raw_depth, "raw_crossing")
    if (highest := frame.highest_limit) is not None:
        known["detection_limit"] = frame.with_attrs(highest, "detection_limit", units_=frame.units)
    return known


def warn_of_noise(
    frame: Frame, status: xr.Variable, number: xr.Variable, raw_number: xr.Variable
) -> None:
    """Warn of profiles all of whose crossings, so many, noise can make."""
    if Status.UNDETERMINED not in codes(status):
        return
    noise = (status == Status.UNDETERMINED).any({*status.dims} - {*number.dims})
    warn_where(
        frame,
        noise & (number == 0) & (raw_number > 0),
        lambda first: (
            f"noise can make its {first.of(raw_number):.0f} crossings of the level; "
            "their depths are undetermined"
        ),
        ProfileWarning,
        code="undetermined",
    )


#: Entries of the first search, if their number is not given.
USUAL = 16


def in_all_places(
    frame: Frame,
    kernel: Callable[..., Any],
    *parameters: xr.Variable,
    dim: str,
    max_count: int | None,
    use: Use | None = "curve",
    **options: Any,
) -> tuple[Any, Any]:
    """Ask a kernel with any number of results, along `dim`, and keep all or `max_count`.

    Also return what they rest on.
    """
    if max_count is not None:
        check_count("max_count", max_count)
    elif frame.lazy:
        raise ProfileError(
            f"for Dask data, give the number of {dim}s to keep for each profile: max_count=..."
        )
    how: Any = {"use": use, "errors": frame.fitted, "extra": (dim,), **options}
    found, support = frame.ask(kernel, *parameters, width=max_count or USUAL, **how)
    if max_count is None:
        most = int(found.number.values.max(initial=1))
        if most > USUAL:
            return frame.ask(kernel, *parameters, width=most, **how)
        found = _cut(found, dim, most)
        support = None if support is None else _cut(support, dim, most)
    return found, support


def _cut(results: Any, dim: str, most: int) -> Any:
    columns = (xr.Variable(f.dims, f.data[..., :most]) if dim in f.dims else f for f in results)
    return type(results)(*columns)
