"""The plain question: one value, its error and its status for each profile, from one kernel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal, NamedTuple

import xarray as xr

from sims_analysis.errors import ProfileWarning, SimsWarning
from sims_analysis.frame.background import add_background_error
from sims_analysis.frame.evidence import resolve
from sims_analysis.frame.frame import Frame
from sims_analysis.kernels.evidence import Use
from sims_analysis.kernels.propagation import propagated
from sims_analysis.kernels.rows import Array, Rows


def answer(
    frame: Frame,
    kernel: Callable[..., Any],
    *parameters: xr.Variable,
    term: str,
    what: str = "",
    use: Use = "curve",
    errors: Literal["each", "fit", "sum"] = "sum",
    linear: bool = False,
    bridge: bool | None = None,
    category: type[SimsWarning] = ProfileWarning,
    units_: str | None = None,
    coords: Mapping[Any, xr.Variable] | None = None,
    **options: Any,
) -> xr.DataArray:
    """Ask one kernel, and return its answer: value, ``stderr``, ``status``, what it rests on.

    Parameters
    ----------
    kernel : callable
        ``kernel(rows, *parameters, **options)`` returns a named tuple with ``value`` and
        ``status``, the ``start`` and ``stop`` that it rests on, and its ``stderr`` if it has a
        formula; otherwise the samples' errors are propagated numerically.
    *parameters : Variable
        One value for each profile.
    term : str
        Key of ``vocabulary.TERMS``.
    what : str
        What such an answer is across a gap, for the warning.
    use, errors, options
        As for :meth:`Frame.ask`.
    linear : bool
        Whether the value is a weighted sum of the samples.
    bridge, category
        As for :func:`sims_analysis.frame.evidence.resolve`.
    units_, coords
        As for :meth:`Frame.array`.
    """
    found, rests = frame.ask(kernel, *parameters, use=use, errors=errors, **options)
    used = found.start, found.stop
    status = resolve(frame, found.status, rests, used, what=what, bridge=bridge, category=category)

    def again(other: Frame) -> xr.Variable:
        moved: xr.Variable = other.map(kernel, *parameters, errors=errors, **options).value
        return moved

    stderr = getattr(found, "stderr", None)
    if frame.stderr is not None:
        weighted = stderr is not None and not linear  # a fit depends on the errors themselves
        if stderr is None:
            numerical = partial(_propagated, kernel)
            stderr = frame.map(numerical, *parameters, errors=errors, **options).stderr
        stderr = add_background_error(frame, stderr, again, errors=weighted, linear=linear)
    return frame.array(
        found.value, term, units_=units_, status=status, stderr=stderr, coords=coords
    )


class _Stderr(NamedTuple):
    stderr: Array


def _propagated(
    kernel: Callable[..., Any], rows: Rows, *parameters: Array, **options: Any
) -> _Stderr:
    return _Stderr(propagated(kernel, rows, *parameters, **options))
