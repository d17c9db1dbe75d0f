"""The plain question: one value, its error and its status for each profile, from one kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal

import xarray as xr

from sims_analysis.frame.background import add_background_error
from sims_analysis.frame.evidence import resolve
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt
from sims_analysis.kernels.propagation import propagated


def answer(
    frame: Frame,
    kernel: Callable[..., Any],
    *parameters: xr.Variable,
    term: str,
    what: str = "",
    errors: Literal["each", "fit", "sum"] = "sum",
    units_: str | None = None,
    doubts: Callable[[Any], Iterable[Doubt]] = lambda _: (),
    **options: Any,
) -> xr.DataArray:
    """Return the answer of one kernel (:meth:`Frame.evaluate`), with stderr and status.

    The kernel returns ``value`` and ``status``, ``start`` and ``stop`` that they rest on, and
    ``stderr`` if it has a formula: otherwise errors are propagated numerically. `term` and `units_`
    are those of the result (``vocabulary.TERMS``), `what` as for :func:`resolve`, and so are the
    `doubts`, of the kernel's result.
    """
    result, support = frame.evaluate(kernel, *parameters, errors=errors, **options)
    window = result.start, result.stop
    status = resolve(frame, result.status, support, window, what=what, doubts=doubts(result))

    def value_of(other: Frame) -> xr.Variable:
        value: xr.Variable = other.map(kernel, *parameters, errors=errors, **options).value
        return value

    stderr = getattr(result, "stderr", None)
    if frame.stderr is not None:
        weighted = stderr is not None  # a fit depends on the errors themselves
        if stderr is None:
            numerical = partial(propagated, kernel)
            stderr = frame.map(numerical, *parameters, errors=errors, **options).value
        stderr = add_background_error(frame, stderr, value_of, errors=weighted)
    return frame.array(result.value, term, units_=units_, status=status, stderr=stderr)
