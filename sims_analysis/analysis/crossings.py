"""All depths at which profiles cross a level."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileError
from sims_analysis.frame.answers import words
from sims_analysis.frame.background import Answer, add_background_error, subtracted_level
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, bridges, resolve, warn_of_evidence
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import open_at_level
from sims_analysis.frame.resolution import add_resolution_error, warn_of_narrow
from sims_analysis.frame.run import anywhere, codes, elementwise, is_lazy, is_nan, replaced_where
from sims_analysis.kernels import crossings as kernels
from sims_analysis.kernels.evidence import Rests
from sims_analysis.kernels.local_fit import half_width_about
from sims_analysis.kernels.rows import changed
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import check_count
from sims_analysis.units import ParameterLike

__all__ = [
    "OTHERS",
    "USUAL",
    "crossings",
    "in_all_places",
    "located",
    "nearest",
    "with_common_errors",
    "without",
    "without_crossing",
]

#: Words of the kernels' directions: 0, 1 and, at the end, -1.
_DIRECTIONS = np.array(["", "rising", "falling"])


@recorded
def crossings(
    data: xr.Dataset | xr.DataArray,
    *,
    level: ParameterLike | Mapping[str, ParameterLike],
    max_count: int | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Find every depth at which the profiles cross a level.

    Parameters
    ----------
    data : Dataset or DataArray
        Over depth, or sputter time; the unit of `level` selects the variable of a Dataset.
    level : str, Quantity, DataArray or mapping
        ``"1e18 atoms/cm^3"``, ``"1e4 counts/s"``...; one for all, or one for each profile, or for
        each species. Further dimensions of a DataArray become dimensions of the result. A profile
        whose level is NaN has no data.
    max_count : int, optional
        Crossings to keep for each profile; by default the largest number that any profile has.
        Required for Dask data, whose number of crossings is not known in advance.
    variable : str, optional
        The variable of a Dataset, if several have the unit of the level.
    gaps : {"flag", "bridge"}
        Whether a crossing in a gap, where nothing was measured, has the status ``gap`` and no
        depth, or is located by interpolation across it. See :func:`integrated_dose` for what a gap
        is.

    Returns
    -------
    Dataset
        Over the dimensions of the data without depth, and ``crossing``, in order of depth. Unused
        entries are NaN and ``""``.

        - ``depth`` (``nm``)
        - ``stderr`` (``nm``): half of the 68 % interval about it, NaN where the data carry no
          standard errors
        - ``direction``: ``"falling"`` or ``"rising"`` with depth
        - ``decay_length`` (``nm`` per factor e): between the bracketing samples
        - ``depth_before``, ``depth_after`` (``nm``): the bracketing samples
        - ``status``: ``ok``. The first entry of a profile without a crossing gives the reason:
          ``never_reached``, ``always_above``, ``truncated``, ``no_data``; ``saturated`` where a
          detector has cut off all above the level; and ``below_detection`` where a file gives
          samples as ``<5E15`` (the coordinate ``detection_limit`` has the limit). A crossing whose
          interval is wider than the record has no depth and no error, and is ``undetermined``; one
          in a gap has the status ``gap``, and lies between ``depth_before`` and ``depth_after``
        - ``count``, a coordinate: number of crossings of the profile, including those beyond
          `max_count`

        For data over sputter time, the results are ``sputter_time``, ``sputter_time_before``,
        ``sputter_time_after`` and the others in ``s``.

    Raises
    ------
    UnitsError
        If the level has no unit, or one that no variable of the data has.
    ProfileError
        If `max_count` is not given for Dask data.

    Warns
    -----
    ProfileWarning
        Where the status is ``gap`` or ``saturated``; where a restored profile crosses the level
        twice within the achieved resolution, of a valley within 2.5 of them.

    Notes
    -----
    Between samples ln C is linear: ``t = ln(L / c0) / ln(c1 / c0)``. Where an end or the level is
    not positive, C is linear. A profile that passes through a sample exactly at the level has one
    crossing there; a touch is not a crossing; a plateau at the level that the profile passes
    through is a crossing at its first sample.

    If the two samples beside a crossing differ by many standard errors (ten; four if the step is
    longer than the decay length lambda),
    ``stderr = lambda sqrt([(1 - t) s0 / c0]^2 + [t s1 / c1]^2)``, increased by the effect of the
    curvature of the profile between them. Otherwise noise makes several crossings of one edge, and
    biases the chosen one. Then ``ln(C / L) = A + B z + D z^2 / 2`` is fitted by maximum likelihood
    (zeros are data) to the smallest window that tells the two sides apart. The fit locates the
    edge, and ``stderr`` is the half-width of the interval about the depth that contains the edge
    with 68 % probability. A crossing opposite in direction to the edge around it was made by
    noise: its ``stderr`` is NaN.

    The noise of a profile that stays near the level crosses it many times. If the window contains
    more than a hundred crossings, none of them has an edge of its own: ``stderr`` is then
    propagated from the two samples beside the crossing along the straight line between them, and
    says nothing about where the noise-free profile would cross.

    Measured over 1,000 trials, with 10, 100 and 1,000 counts at the peak or at the level, these
    intervals cover 60-76 % on Gaussian, exponential and error-function edges of several samples,
    at levels up to half of the peak. They do not include interpolation errors between samples: on
    an edge only one or two samples wide they are too wide if it has a kink there, and too narrow
    (coverage of a fifth instead of two thirds, at 1,000 counts) if it is rounded. They are also too
    narrow at a level below three times a noise floor; above two thirds of a peak of ten counts; and
    for crossings selected for quiet neighbours (``confirm=``; 45-60 %).

    Of what is restored (:func:`deconvolve`), whose errors are those of neighbours as well, a depth
    moves by half of its change from values a standard error too high to values as much too low. An
    edge steeper than the achieved resolution R may have been any steeper one; what that does is
    found by asking again of a profile that is sharper, ``2 C - G C`` with G a Gaussian 0.45 R wide
    at half maximum, up to 0.35 of the least R beside it, and less for decay lengths of R and more.
    How often that holds, in per cent, for functions 2 to 8 nm wide at 30 to 100,000 counts, at
    levels above a quarter of the maximum, above a twenty-fifth, and below: with the right function,
    and with functions 0.8 to 1.2 times as wide (467 profiles):

    ==============================  ==============  ===========
    truth                           right function  0.8 to 1.2
    ==============================  ==============  ===========
    box of 6 to 18 nm               64, 92, 80      57, 72, 65
    one sharp step                  77, 100, 94     62, 72, 77
    exponential, 0.3 to 1 nm        97, 100, 100    90, 94, 87
    exponential, 3 to 9 nm          90, 94, 100     83, 85, 87
    error function, 0.5 to 6 nm     76, 96, 93      75, 93, 87
    implant                         62, 74, 96      55, 66, 83
    implant with a tail             71, 86, 76      60, 64, 64
    delta of 1 nm on a shoulder     82, 35, 73      82, 26, 56
    superlattice, 3.5 to 6 nm each  44, 19          39, 27
    ==============================  ==============  ===========

    A sharp edge and a steep exponential are restored as the same, so that the errors of the second
    are too wide. Edges of layers narrower than the achieved resolution lie farther off, and those
    of valleys narrower than 2.5 of them: one standard error held 38 % of these in 324 superlattices
    (periods of 4 to 18 nm, valleys at half of the maximum 11 to 39), 50 % in trenches and 58 % in
    boxes. A warning says where; of the valleys, none in 84 boxes and 30 implants.

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
    bridge = bridges(gaps)
    axes = vocabulary.AXES
    frame, asked = open_at_level(data, level, "a crossing", axes=axes, variable=variable)
    found, rests = in_all_places(
        frame,
        kernels.table,
        asked,
        subtracted_level(frame),
        dim="crossing",
        max_count=max_count,
    )
    found = with_common_errors(frame, found, lambda other: _nearest(other, asked, found))
    found = located(frame, found, rests, "a crossing in it has no depth", bridge=bridge)
    first = xr.Variable("crossing", np.arange(found.depth.sizes["crossing"]) == 0)
    status, unknown = found.status, is_nan(asked)
    if is_lazy(unknown) or anywhere(unknown):
        status = replaced_where(unknown & first, status, Status.NO_DATA)
    status = without_crossing(frame, status, asked, among=first, bridge=bridge)
    status = status.transpose(*found.status.dims)
    warn_of_narrow(frame, found, "crossing")
    results = {
        frame.axis: frame.of_axis(found.depth, "crossing_depth"),
        "stderr": frame.of_axis(
            found.stderr, "crossing_depth", long_name="Standard error of the crossing depth"
        ),
        "decay_length": frame.of_axis(found.decay_length, "decay_length"),
        f"{frame.axis}_before": frame.with_attrs(
            found.depth_before, frame.axis, long_name="Last sample before the crossing"
        ),
        f"{frame.axis}_after": frame.with_attrs(
            found.depth_after, frame.axis, long_name="First sample after the crossing"
        ),
        "direction": words(
            found.direction,
            _DIRECTIONS,
            long_name=f"Direction with {frame.axis.replace('_', ' ')}",
        ),
        "status": frame.status(status),
    }
    found.number.attrs["long_name"] = "Number of crossings"
    coords = {"count": found.number}
    if (unmeasured := frame.highest_limit) is not None:
        coords["detection_limit"] = frame.with_attrs(
            unmeasured, "detection_limit", units_=frame.units
        )
    return frame.dataset(results, coords=coords)


def without(found: Any, where: xr.Variable, status: Status | xr.Variable) -> Any:
    """Return crossings or junctions without some of them, with a status that says why."""
    numbers = ("depth", "stderr", "decay_length")
    kept = {name: replaced_where(where, getattr(found, name)) for name in numbers}
    return changed(found, status=replaced_where(where, found.status, status), **kept)


def located(frame: Frame, found: Any, rests: Rests, what: str, *, bridge: bool) -> Any:
    """Return crossings or junctions with their statuses, those in a gap without a depth."""
    if not (frame.lazy or anywhere(rests.flags != 0)):
        return found
    between = found.start, found.stop
    status = resolve(frame, found.status, rests, between, what=what, bridge=bridge)
    unseen = (status == Status.GAP) | (status == Status.BELOW_LIMIT)
    return without(changed(found, status=status), unseen, status)


def without_crossing(
    frame: Frame, status: xr.Variable, level: xr.Variable, among: Any = True, *, bridge: bool
) -> xr.Variable:
    """Return the statuses of profiles without a crossing, by what is known of all their samples.

    A level that is never reached may be so for a detector that cut off all above it, for a maximum
    beside a gap, or because the samples below their limit cross it; and a profile is not above a
    level at all depths if some samples were below their limit. A warning says so.
    """
    none = (Status.NO_DATA, Status.NEVER_REACHED, Status.ALWAYS_ABOVE, Status.TRUNCATED)
    if not (frame.lazy or codes(status) & {*none}):
        return status
    known = frame.map(kernels.record)
    never = (status == Status.NEVER_REACHED) & among
    missing = reduce(operator.or_, (status == code for code in none)) & among
    always = (status == Status.ALWAYS_ABOVE) & among
    below = (missing & (level <= known.limit)) | (always & known.limit.notnull())
    found = status
    if not bridge:
        found = replaced_where(never & known.beside_gap, found, Status.GAP)
    found = replaced_where(below, found, Status.BELOW_LIMIT)
    found = replaced_where(never & (known.ceiling <= level), found, Status.SATURATED)
    told = replaced_where(found == status, found, Status.OK)
    told = replaced_where(told == Status.BELOW_LIMIT, told, Status.OK)
    warn_of_evidence(frame, told, what="the profile may reach the level there")
    return found.transpose(*status.dims)


def with_common_errors(frame: Frame, found: Any, again: Answer) -> Any:
    """Return crossings with what samples have in common in their errors.

    The error of a background that was subtracted moves the edge, not what noise has made of it: by
    that error over the steepness there. Edges of restored profiles are known to what the achieved
    resolution leaves; `again` finds the depths from other values.
    """
    if frame.achieved is not None:
        stderr = add_resolution_error(frame, found.stderr, found.depth, found.decay_length, again)
        error = stderr = add_background_error(frame, stderr, again)
        return changed(found, stderr=stderr, edge_stderr=error, edge_offset=xr.zeros_like(error))
    if frame.common is None:
        return found
    moved = frame.common.mean(frame.dim) / found.steepness
    error = (found.edge_stderr**2 + moved**2) ** 0.5
    half_width: Any = elementwise(half_width_about, found.edge_offset, error)
    stderr = half_width.where(found.stderr.notnull())
    return changed(found, stderr=stderr, edge_stderr=error)


def _nearest(frame: Frame, level: xr.Variable, to: Any) -> xr.Variable:
    """Return the depths of the crossings, in the same direction, nearest to those of a table."""
    width = to.depth.sizes["crossing"] + USUAL
    found = frame.map(kernels.table, level, extra=(OTHERS,), width=width)
    return nearest(to.depth, found.depth, found.direction == to.direction)


def nearest(depth: xr.Variable, others: xr.Variable, alike: xr.Variable) -> xr.Variable:
    """Return the depths nearest to given ones, among those along ``OTHERS`` that are alike."""
    away = (others - depth).where(alike)
    above, below = away.where(away <= 0).max(OTHERS), away.where(away >= 0).min(OTHERS)
    moved: Any = xr.where(-above.fillna(-np.inf) < below.fillna(np.inf), above, below)
    found: xr.Variable = depth + moved
    return found


#: Dimension of the depths among which the nearest is: a name that no dimension of a user has.
OTHERS = "__others__"


#: Entries of the first search, if their number is not given.
USUAL = 16


def in_all_places(
    frame: Frame,
    kernel: Callable[..., Any],
    *parameters: xr.Variable,
    dim: str,
    max_count: int | None,
    ask: bool = True,
    **options: Any,
) -> tuple[Any, Any]:
    """Run a kernel that finds any number of results per profile, and keep all or `max_count`.

    The results (crossings, junctions) lie along the dimension `dim`. Also return what they rest on,
    unless it is not to `ask`.
    """
    if max_count is not None:
        check_count("max_count", max_count)
    elif frame.lazy:
        raise ProfileError(
            f"for Dask data, give the number of {dim}s to keep for each profile: max_count=..."
        )

    def run(width: int, errors: Literal["fit"] | None = frame.fitted) -> tuple[Any, Any]:
        every: Any = {"errors": errors, "extra": (dim,), "width": width, **options}
        if ask:
            return frame.ask(kernel, *parameters, **every)
        return frame.map(kernel, *parameters, **every), None

    if max_count is not None:
        return run(max_count)
    # Count first: without errors the search is fast.
    found, rests = run(USUAL, errors=None)
    most = int(found.number.values.max(initial=1))
    if frame.stderr is not None or most > USUAL:
        return run(most)

    def cut(results: Any) -> Any:
        columns = (xr.Variable(f.dims, f.data[..., :most]) if dim in f.dims else f for f in results)
        return type(results)(*columns)

    return cut(found), None if rests is None else cut(rests)
