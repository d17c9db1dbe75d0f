"""Junction depths: one crossing of a level, chosen by a stated policy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypedDict, get_args

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.analysis.crossings import (
    ancillary,
    located,
    warn_of_noise,
    with_common_errors,
    without,
)
from sims_analysis.analysis.detection import stated_limit
from sims_analysis.errors import AmbiguousJunctionWarning, JunctionError, ProfileError
from sims_analysis.frame.background import stated_error, subtracted_level
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged, warn_where
from sims_analysis.frame.opening import open_at_level
from sims_analysis.frame.run import codes
from sims_analysis.kernels import crossings as kernels
from sims_analysis.kernels.blocks import LONG
from sims_analysis.kernels.edges import Locate
from sims_analysis.kernels.levels import FALLING, RISING
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import check_bool, check_choice, check_count
from sims_analysis.units import ParameterLike

Edge = Literal["trailing", "leading", "any"]


class JunctionOptions(TypedDict, total=False):
    """Options of :func:`junction_depth` that other functions pass on."""

    edge: Edge
    which: Literal["deepest", "first"] | int
    after: ParameterLike | None
    confirm: int
    locate: Locate
    detection_limit: ParameterLike | None


_EDGES = {"trailing": FALLING, "leading": RISING, "any": 0}
_WHICH = {"deepest": -1, "first": 1}


@recorded
def junction_depth(
    data: xr.Dataset | xr.DataArray,
    level: ParameterLike | Mapping[str, ParameterLike],
    *,
    edge: Edge = "trailing",
    which: Literal["deepest", "first"] | int = "deepest",
    after: ParameterLike | None = None,
    confirm: int = 1,
    locate: Locate = "auto",
    detection_limit: ParameterLike | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
    strict: bool = False,
) -> xr.DataArray:
    """Return the depth at which each profile crosses a level: ``C(xj) = L``.

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles over depth, or sputter time; one measurement or a batch.
    level : str, Quantity, DataArray or mapping
        ``"1e18 atoms/cm^3"``; of each species in a mapping, ``{"B": "1e18 atoms/cm^3"}``. There is
        no default.
    edge : {"trailing", "leading", "any"}
        The falling edge, the rising edge, or both.
    which : {"deepest", "first"} or int
        Which of the qualifying crossings; ``"first"`` or 1 is the shallowest, 2 the next.
    after : "peak", str, Quantity or DataArray, optional
        Consider only crossings deeper than the maximum of the profile, or than a depth.
    confirm : int
        Of data without standard errors, number of samples that must lie above the level before the
        crossing, and below it after (the reverse on a rising edge). With standard errors, crossings
        that noise can make are left out instead.
    detection_limit : str, Quantity or DataArray, optional
        A level below it cannot be measured: NaN, with the status ``below_detection``.
    locate, variable, gaps
        As for :func:`crossings`.
    strict : bool
        Raise where there is no junction.

    Returns
    -------
    DataArray
        ``nm`` (``s`` over sputter time), without the depth dimension; NaN where there is no
        junction. Coordinates:

        - ``status``: as for :func:`crossings`; ``never_reached`` also where fewer crossings qualify
          or are confirmed than requested; ``truncated`` where the record ends before the requested
          edge; ``below_detection`` where the level lies below `detection_limit`
        - ``stderr``, ``raw_crossing`` (``nm``): where the data carry standard errors, that of the
          depth, and the depth between the two samples of the crossing
        - ``n_crossings``: number of crossings that qualified
        - ``decay_length`` (``nm`` per factor e): at the junction

        Where a file gives samples as ``<5E15``, the coordinate ``detection_limit`` is their limit.

    Raises
    ------
    UnitsError
        If the level has no unit, or one that no variable of the data has.
    JunctionError
        With `strict`, where there is no junction.

    Warns
    -----
    AmbiguousJunctionWarning
        Where several crossings qualify and `which` is ``"deepest"`` (not for Dask data).

    Notes
    -----
    Depth and ``stderr`` are those of :func:`crossings`. Where counts are few, the deepest crossing
    of the samples lies too deep (by 3.6 nm at 10 counts, 1 nm steps and a decay length of 15 nm):
    with standard errors, the edge fitted to the samples around it is returned. This is the depth of
    a chemical concentration, not of the electrical junction.

    References
    ----------
    W. Cash, Astrophys. J. 228 (1979) 939, for the likelihood of the counts about the crossing.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> xj = sims.junction_depth(ds, level="1e18 atoms/cm^3", after="peak").sel(species="B")
    >>> print(f"{xj.item():.2f} nm +- {xj['stderr'].item():.2f} nm, {xj['status'].item()}")
    161.95 nm +- 0.10 nm, ok
    """
    number = _read_which(which)
    check_choice("edge", edge, _EDGES)
    check_count("confirm", confirm)
    check_choice("locate", locate, get_args(Locate))
    check_bool("strict", strict)
    frame, asked = open_at_level(data, level, "a junction depth", variable=variable, gaps=gaps)
    parameters = [asked, subtracted_level(frame)]
    if after is not None:
        parameters.append(_after(frame, after))
    floor, unknown = stated_limit(frame, detection_limit)
    options: Any = {"edge": _EDGES[edge], "which": number, "confirm": confirm, "where": locate}
    options |= {"bridge": bool(frame.bridge), "errors": frame.fitted, "block": LONG}
    found, support = frame.ask(kernels.junction, *parameters, **options)
    background = None if frame.common is None else frame.common.mean(frame.dim)
    found = with_common_errors(frame, found, stated_error(frame, level, "level"), background)
    found = without(found, unknown, Status.NO_DATA)
    what = "no depth is given for a junction in it"
    found = located(frame, found, support, (found.start, found.stop), what)
    if detection_limit is not None:
        found = without(found, (asked < floor) & ~unknown, Status.BELOW_DETECTION)
    status, several = found.status, found.number
    if strict:
        _raise_without_junction(frame, asked, status)
    warn_of_noise(frame, status, several, found.raw_number)
    if which == "deepest" and not codes(several) <= {0, 1}:
        warn_where(
            frame,
            (several > 1) & (status == Status.OK),
            lambda first: (
                f"{first.of(several):.0f} crossings qualify as the junction; the deepest was taken"
            ),
            AmbiguousJunctionWarning,
            remedy="narrow the choice with after= or confirm=, or give the number of one as which=",
        )
    several.attrs["long_name"] = "Crossings that qualified"
    coords = {
        "n_crossings": several,
        "decay_length": frame.with_attrs(found.decay_length, "decay_length"),
        **ancillary(frame, found),
    }
    stderr = None if frame.stderr is None else found.stderr
    return frame.array(found.depth, "junction_depth", status=status, stderr=stderr, coords=coords)


def _after(frame: Frame, after: Any) -> xr.Variable:
    """Read the depth beyond which a junction is looked for; NaN for that of the maximum."""
    at_peak = isinstance(after, str) and after == "peak"
    if isinstance(after, str) and not any(map(str.isdigit, after)) and not at_peak:
        raise ProfileError(
            f'after={after!r}; expected "peak", or a depth such as "50 nm"', argument="after"
        )
    return frame.parameter(None if at_peak else after, ("depth",), "after", unknown=np.inf)


def _read_which(which: Any) -> int:
    if isinstance(which, str) and which in _WHICH:
        return _WHICH[which]
    if isinstance(which, int | np.integer) and not isinstance(which, bool) and which >= 1:
        return int(which)
    raise ProfileError(
        f'which={which!r}; expected "deepest", "first", or a whole number: 1 for the shallowest, 2 '
        "for the next, and so on",
        argument="which",
    )


def _raise_without_junction(frame: Frame, level: xr.Variable, status: xr.Variable) -> None:
    first = first_flagged(frame, status != Status.OK)
    if first is not None:
        reason = vocabulary.STATUS[int(first.of(status))].replace("_", " ")
        limit = frame.highest_limit
        if limit is not None and first.of(status) == Status.BELOW_LIMIT:
            reason += f" (those without a value are below {first.of(limit):.4g} {frame.units})"
        at, highest = first.of(level), first.of(frame.value.max(frame.dim))
        raise JunctionError(
            f"{first.label}: no junction at {at:.4g} {frame.units}: {reason}; the maximum is "
            f"{highest:.4g} {frame.units}",
            where=first.where,
        )
