"""The statuses of a fit, and what may be done."""

from __future__ import annotations

__all__ = ["ADVICE", "STATUS"]

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
    "wrong_shape": "the curve does not have the profile's shape; background='fit', a window or "
    "another model may help",
    "gap": "over more than five times their spacing there are no samples, or some are below their "
    "limit of detection, and the curve goes on there all the same; gaps='bridge' accepts that",
    "too_few_maxima": "fewer maxima stand out of the noise than layers were asked for; "
    "repeat='auto' takes those that there are",
    "saturated": "samples are equal to the last digit, as a saturated detector writes them; leave "
    "them out of the window",
}
