"""The error of a subtracted background, which all samples of a profile share.

A background that is off by one standard error shifts all samples of a profile at once. What this
does to an answer is found by computing it again, from shifted samples.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import xarray as xr

from sims_analysis.analysis._frame import Frame

Answer = Callable[[Frame], xr.Variable]


class CommonError(NamedTuple):
    """What the error of a subtracted background does to an answer.

    ``stderr`` is that of the answer from the background alone. ``variance`` is what it adds to the
    variance from the samples: less than its square, and possibly negative, if the answer uses the
    samples of the window too, whose errors went into the background.
    """

    stderr: xr.Variable
    variance: xr.Variable


def common_error(frame: Frame, answer: Answer, *, errors: bool = False) -> CommonError | None:
    """Propagate the error of a subtracted background; None if none was subtracted.

    The variance of a sum ``sum w_i c_i`` grows by ``S^2 - 2 S T``, with ``S = sum w_i s_i`` of the
    error s_i that the background has at sample i, and ``T = sum w_i q_i s_i`` of its overlap
    ``q_i = cov(c_i, background) / var(background)`` with that sample. Other answers are taken as
    linear over a standard error, ``S = [f(c + s) - f(c - s)] / 2`` (JCGM 100:2008, 5.1.3, note 2).

    Parameters
    ----------
    frame : Frame
    answer : callable
        Computes the answer from a frame with shifted values.
    errors : bool
        Whether the answer itself depends on the standard errors of the samples, as that of a
        weighted fit does; otherwise the frame has none.
    """
    if frame.common is None:
        return None
    plain = replace(frame, common=None, overlap=None)
    if not errors:
        plain = replace(plain, stderr=None, counts=None)

    def half_difference(by: xr.Variable) -> xr.Variable:
        up, down = (answer(replace(plain, value=frame.value + d)) for d in (by, -by))
        return 0.5 * (up - down)

    whole = half_difference(frame.common)
    own = 0.0 if frame.overlap is None else half_difference(frame.common * frame.overlap)
    return CommonError(abs(whole), whole * (whole - 2.0 * own))


def add_background_error(
    frame: Frame, stderr: xr.Variable, answer: Answer, *, errors: bool = False
) -> xr.Variable:
    """Add the error of a subtracted background to the standard error of an answer.

    See :func:`common_error` for the arguments. Not below 0: the variance that the background adds
    is negative where it cancels errors of the samples.
    """
    common = common_error(frame, answer, errors=errors)
    if common is None:
        return stderr
    total: xr.Variable = (stderr**2 + common.variance).clip(min=0.0) ** 0.5
    return total
