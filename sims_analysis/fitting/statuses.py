"""The statuses of fits: what each means, what may be done, and where codes become words."""

from __future__ import annotations

from typing import Any

import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.fitting.objectives import OBJECTIVES
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.hidden import unfilled
from sims_analysis.frame.profiles import doubts_in, in_words, mark_doubts, warn_of_first
from sims_analysis.frame.run import replaced_where
from sims_analysis.frame.window import Window
from sims_analysis.kernels.rows import Status

__all__ = ["STATUS", "status_in_words", "warn_of_statuses"]

#: The statuses, in the order of their codes.
STATUS = (
    "ok",
    "no_data",
    "too_few_samples",
    "featureless",
    "not_converged",
    "at_bound",
    "undetermined",
    "truncated",
    "several_peaks",
    "wrong_shape",
    "gap",
    "saturated",
    "too_few_maxima",
)

#: What a status means, and what may be done.
ADVICE = {
    "too_few_samples": "fewer samples in the window than free parameters + 2",
    "featureless": "a constant describes the samples as well",
    "not_converged": "the optimizer found no minimum",
    "at_bound": "a parameter is at its bound; hold it with fixed=, or take a simpler model",
    "undetermined": "the samples do not determine some parameter, which has no error; hold it or "
    "another with fixed=, or take a simpler model",
    "truncated": "the profile does not come down on both sides of its maximum inside the window, "
    "or its step lies outside",
    "several_peaks": "there is more than one maximum; start= and stop= choose a window about one",
    "wrong_shape": "the curve does not have the profile's shape; background='fit' (unless the "
    "model has a level of its own), a window or another model may help",
    "gap": "over more than five times their spacing there are no samples, or some are below their "
    "limit of detection, and the curve goes on there all the same; gaps='bridge' accepts that",
    "too_few_maxima": "fewer maxima stand out of the noise than layers were asked for; "
    "repeat='auto' takes those that there are",
    "saturated": "samples are equal to the last digit, as a saturated detector writes them; leave "
    "them out of the window",
}
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

    `name` is ``"status"`` or ``"curve_status"``; `codes` and `objective` are places in
    :data:`STATUS` and in :data:`OBJECTIVES`; gaps that are accepted are no doubt (`bridge`).
    """
    doubts = doubts_in(profiles, window, bridge=bridge, hidden=False)
    # A shape that was cut off is a wrong one.
    cut: Any = replaced_where(doubts == Status.GAP, doubts, Status.OK)
    codes = mark_doubts(codes, cut, STATUS, instead=("wrong_shape",))
    marked = mark_doubts(codes, doubts, STATUS)
    if profiles.censored is not None:  # of logarithms alone, a fit knows their limits
        others = doubts_in(unfilled(profiles), window, bridge=bridge)
        other = mark_doubts(codes, others, STATUS)
        marked = marked.where(objective == _OF_LOGARITHMS, other)
    term = "fit_status" if name == "status" else name
    return in_words(marked, STATUS, **vocabulary.attrs(term))


def warn_of_statuses(profiles: Frame, answer: xr.Dataset) -> None:
    """Name the first profile whose fit is not ok, and the first whose residuals are not random."""
    warn_of_first(
        profiles,
        answer["status"],
        ("ok", "no_data"),
        lambda word: f"the fit is not ok: {word.replace('_', ' ')} ({ADVICE[word]})",
    )
    warn_of_first(
        profiles,
        answer["residuals"],
        ("random",),
        lambda word: f"the model does not fit; residuals are {word}",
        among=(answer["status"] == "ok").variable,
    )
