"""The statuses of fits: where codes become words, and warnings."""

from __future__ import annotations

import numpy as np
import xarray as xr

from sims_analysis import outcomes, vocabulary
from sims_analysis.fitting.objectives import OBJECTIVES
from sims_analysis.frame.evidence import resolve, rests_on
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.profiles import in_words, warn_of_first, warn_of_status
from sims_analysis.frame.window import Window
from sims_analysis.kernels.rows import changed
from sims_analysis.outcomes import Flag, Status

_OF_LOGARITHMS = OBJECTIVES.index("squares of ln C")


def status_in_words(
    name: str,
    codes: xr.Variable,
    objective: xr.Variable,
    profiles: Frame,
    window: Window,
    *,
    bridge: bool,
) -> xr.Variable:
    """Return statuses as words, not ``ok`` where fits rest on what was not measured.

    `name` is ``"status"`` or ``"curve_status"``; `codes` are those of :class:`Status`, `objective`
    places in :data:`OBJECTIVES`; gaps that are accepted are no doubt (`bridge`).
    """
    rests = rests_on(profiles.unfilled(), window)
    # Of logarithms alone, a fit knows the limits of samples below one.
    others = objective != _OF_LOGARITHMS
    flags = rests.flags.where(others, rests.flags & ~Flag.BELOW_LIMIT)
    rests = changed(rests, flags=flags)
    codes = codes.fillna(Status.NO_DATA).astype(np.uint8)
    codes = resolve(profiles, codes, rests, bridge=bridge, category=None)
    term = "fit_status" if name == "status" else name
    return in_words(codes, outcomes.words(), **vocabulary.attrs(term))


def warn_of_statuses(profiles: Frame, answer: xr.Dataset) -> None:
    """Name the first profile whose fit is not ok, and the first whose residuals are not random."""
    warn_of_status(profiles, answer["status"], "the fit is not ok:")
    warn_of_first(
        profiles,
        answer["residuals"],
        ("random",),
        lambda word: f"the model does not fit; residuals are {word}",
        among=(answer["status"] == "ok").variable,
    )
