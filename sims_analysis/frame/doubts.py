"""Answers that rest on a gap, on a saturated detector or on samples without a value: they say so.

:func:`doubted` sets the status of an answer and warns of it. Samples that a file gives as ``<5E15``
are a gap where the answer goes across them (see ``hidden.py``).
"""

from __future__ import annotations

import operator
from functools import reduce
from typing import Any, Literal

import numpy as np
import xarray as xr

from sims_analysis.errors import ProfileWarning, SimsWarning, warn
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.hidden import among_hidden, hidden_within, run_of_hidden
from sims_analysis.frame.messages import First, first_flagged
from sims_analysis.frame.run import codes, replaced_where
from sims_analysis.frame.window import Window
from sims_analysis.kernels.doubts import doubts, saturated_samples
from sims_analysis.kernels.gaps import gaps_within, inside_gap
from sims_analysis.kernels.rows import Status
from sims_analysis.text.arguments import check_choice

__all__ = ["GapPolicy", "around", "bridges", "doubted", "in_gap", "resting_on", "tell_doubts"]

GapPolicy = Literal["flag", "bridge"]


def bridges(gaps: str) -> bool:
    """Read the option `gaps`: whether what lies across a gap is accepted."""
    check_choice("gaps", gaps, ("flag", "bridge"))
    return gaps == "bridge"


def resting_on(
    frame: Frame, window: Window, *, bridge: bool, hidden: Any = None, cut: Any = True
) -> xr.Variable:
    """Return on what an answer about a window rests: ``OK``, ``SATURATED`` or ``GAP``.

    Parameters
    ----------
    bridge : bool
        Whether gaps are accepted, and samples below their limit among them.
    hidden : Variable of bool, optional
        The answers that depend on samples below their limit: see :func:`hidden_matter`. By default
        all with such samples in the window.
    cut : Variable of bool
        The profiles of which it can be told that they are saturated.
    """
    found: xr.Variable = frame.map(doubts, *window, frame.fraction, bridge=bridge).status
    if cut is not True:
        found = replaced_where((found == Status.SATURATED) & ~cut, found, Status.OK)
    if frame.censored is None or bridge:
        return found
    lost = hidden_within(frame, window) if hidden is None else hidden
    doubtful = lost & (found == Status.OK)
    return replaced_where(doubtful.transpose(*found.dims, ...), found, Status.GAP)


def doubted(
    frame: Frame,
    status: xr.Variable,
    window: Window,
    what: str,
    category: type[SimsWarning] = ProfileWarning,
    *,
    bridge: bool,
    over: tuple[int, ...] = (Status.OK,),
    hidden: Any = None,
) -> xr.Variable:
    """Replace the status of profiles where answers rest on what was not measured, and tell it.

    Statuses other than those of `over` stay. See :func:`resting_on` and :func:`tell_doubts`.
    """
    found = resting_on(frame, window, bridge=bridge, hidden=hidden)
    replaceable = reduce(operator.or_, (status == code for code in over))
    status = replaced_where(replaceable & (found != Status.OK), status, found)
    tell_doubts(frame, status, window, what, category)
    return status


def in_gap(frame: Frame, at: xr.Variable) -> xr.Variable:
    """Flag the depths that lie in a gap of a profile: each profile's own, along the last dimension.

    Also those between two values with samples between them that are below their limit of detection.
    A dimension of the data that `at` lacks is added: the depths are asked of all its profiles.
    """
    dim = str(at.dims[-1])
    flags: xr.Variable = frame.map(inside_gap, at, whole=(dim,), extra=(dim,)).value
    return flags if frame.censored is None else flags | among_hidden(frame, at)


def tell_doubts(
    frame: Frame,
    status: xr.Variable,
    window: Window,
    what: str,
    category: type[SimsWarning],
    *,
    error: type[Exception] | None = None,
) -> None:
    """Warn of answers whose status is ``gap`` or ``saturated``; raise `error` if it is given.

    `what` says what such an answer is: ``"the dose bridges it by straight lines"``.
    """
    if not codes(status) & {Status.GAP, Status.SATURATED}:
        return
    gap = first_flagged(frame, status == Status.GAP)
    if gap is not None:
        text = f'{gap.label}: {_gap(gap, window)}; {what}. gaps="bridge" accepts that'
        if error is not None:
            raise error(text)
        warn(text, category)
    full = first_flagged(frame, status == Status.SATURATED)
    if full is not None:
        found = full.alone.map(saturated_samples)
        n, value = np.ravel(found.n.values), np.ravel(found.value.values)
        at = int(np.argmax(n > 0))  # of several profiles that answer together
        which = dict(zip(found.n.dims, map(int, np.unravel_index(at, found.n.shape)), strict=True))
        label = frame.label({**full.index, **which}) if which else full.label
        text = (
            f"{label}: {n[at]:.0f} samples of {value[at]:.4g} "
            f"{frame.units} are equal to the last digit, as a saturated detector writes them: the "
            "answer rests on samples that were cut off"
        )
        if error is not None:
            raise error(text)
        warn(text, category)


def around(depth: xr.Variable) -> Window:
    """Return a window about a depth in a gap that holds no other gap."""
    return depth * (1.0 - 1e-9), depth * (1.0 + 1e-9)


def _gap(first: First, window: Window) -> str:
    """Say where the first gap in a window of a profile lies, and how wide it is."""
    limits = [one.isel(first.index, missing_dims="ignore") for one in window]
    found = first.alone.map(gaps_within, *limits)
    n, before, after = (np.ravel(one.values) for one in (found.n, found.before, found.after))
    if not n.any():
        about = (float(np.ravel(end.values)[0]) for end in limits)
        between = run_of_hidden(first, *about)
        if between is not None:
            ends = f"{between[0]:g} and {between[1]:g} {first.frame.axis_units}"
            return f"the samples between {ends} are below their limit of detection"
    at = int(np.argmax(n > 0))  # the first profile with a gap, of several that answer together
    more = f", and in {n[at] - 1:.0f} more gaps" if n[at] > 1 else ""
    unit, width = first.frame.axis_units, after[at] - before[at]
    return f"no sample between {before[at]:g} and {after[at]:g} {unit} ({width:g} {unit}){more}"
