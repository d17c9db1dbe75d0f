"""The window of depths of a question: its limits, and warnings about the samples in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.errors import Parts, ProfileError, ProfileWarning
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import Doubt, FirstFlagged, first_flagged
from sims_analysis.frame.run import is_nan
from sims_analysis.kernels.transient import surface_transient
from sims_analysis.outcomes import Status
from sims_analysis.text.arguments import argument_error, format_argument

Window = tuple[xr.Variable, xr.Variable]

NO_LIMITS: Window = (xr.Variable((), np.nan), xr.Variable((), np.nan))


def read_window(frame: Frame, start: Any, stop: Any, name: str = "") -> Window:
    """Read the limits of a window, called `name` in messages; NaN means no limit.

    An unknown limit (NaN in a DataArray) becomes infinite, so that no sample lies in the window.
    """
    names = [f"{name} {end}".lstrip() for end in ("start", "stop")]
    a = frame.parameter(start, (frame.axis,), names[0], unknown=np.inf)
    b = frame.parameter(stop, (frame.axis,), names[1], unknown=-np.inf)
    if not (a.ndim or b.ndim or a.data >= b.data):  # as most are: limits of all profiles
        return a, b
    reverse: Any = (a >= b) & np.isfinite(a - b)
    first = first_flagged(frame, reverse)
    if first is not None:
        where, texts = "", [format_argument(start), format_argument(stop)]
        if isinstance(start, xr.DataArray) or isinstance(stop, xr.DataArray):
            where = f"{first.label}: "
            texts = [f"{first.of(limit):g} {frame.axis_units}" for limit in (a, b)]
        raise ProfileError(
            f"{where}{names[0]}={texts[0]}; expected less than {names[1]}={texts[1]}",
            argument=names[0],
        )
    return a, b


def read_pair(frame: Frame, pair: Any, name: str = "window") -> Window:
    """Read a window that was given as a pair of depths: see :func:`read_window`."""
    if not isinstance(pair, tuple | list) or len(pair) != 2:
        raise argument_error(name, pair, "expected (start, stop), such as ('800 nm', '1 um')")
    start, stop = pair
    return read_window(frame, start, stop, name)


def doubt_of_transient(frame: Frame, start: xr.Variable, stop: xr.Variable) -> Doubt:
    """Return the doubt about answers of windows that begin in a surface transient."""
    return transient_doubt(frame, frame.map(surface_transient, start, stop, errors="fit"))


def transient_doubt(frame: Frame, transient: Sequence[xr.Variable]) -> Doubt:
    """Return the doubt about answers by the fields of :class:`.transient.Transient`."""

    def text(first: FirstFlagged) -> str:
        z, value, z_peak, peak, *_ = map(first.of, transient)
        return (
            f"the window begins in a surface transient, {frame.shown(value)} at {z:g} "
            f"{frame.axis_units}; a maximum lies deeper, {frame.shown(peak)} at {z_peak:g} "
            f"{frame.axis_units}"
        )

    remedy = "set start= below the surface transient to exclude it"
    parts: Parts = {"code": "surface_transient", "remedy": remedy}
    return Doubt(~is_nan(transient[0]), Status.TRUNCATED, text, parts, ProfileWarning)


def samples_used(frame: Frame, first: xr.Variable, last: xr.Variable) -> dict[str, xr.Variable]:
    """Return the depths of the first and last sample used for a result."""
    return {
        "start": frame.with_attrs(first, frame.axis, long_name="First sample used"),
        "stop": frame.with_attrs(last, frame.axis, long_name="Last sample used"),
    }
