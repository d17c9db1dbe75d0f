"""Each profile on its own: a row of numbers for it, with numpy and with Dask."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.dataset.axes import POINT
from sims_analysis.errors import FitWarning, ProfileError, warn
from sims_analysis.frame.answers import words
from sims_analysis.frame.doubts import resting_on
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import anywhere, is_lazy
from sims_analysis.frame.window import Window
from sims_analysis.kernels.rows import Status
from sims_analysis.units import with_plain_axes

__all__ = [
    "RESTORED",
    "by_depth",
    "in_words",
    "mark_doubts",
    "open_profiles",
    "over_profiles",
    "warn_of_first",
]

#: Attributes of the fraction of independent samples of restored profiles, which are not straight
#: lines between fewer samples.
RESTORED = {"long_name": "Independent samples for each depth", "interpolated": "no"}


def by_depth(data: Any) -> Any:
    """Put data in order of depth or time, a profile in one chunk; others are refused elsewhere."""
    if not isinstance(data, xr.Dataset | xr.DataArray):
        return data
    plain = with_plain_axes(data).unify_chunks()
    for axis in vocabulary.AXES:
        order = plain.indexes.get(axis)
        if order is not None and not order.is_monotonic_increasing:
            plain = plain.sortby(axis)
    broken = [d for d in (*vocabulary.AXES, POINT) if len(plain.chunksizes.get(d, ())) > 1]
    return plain.chunk(dict.fromkeys(broken, -1)) if broken else plain


def open_profiles(
    data: Any,
    *,
    question: str,
    kinds: tuple[str, ...] = vocabulary.VALUE_KINDS,
    variable: str | None = None,
    axes: tuple[str, ...] = vocabulary.AXES,
) -> Frame:
    """Check the user's data (see :func:`open_frame`), in whatever order of depth they come.

    Raises
    ------
    TypeError, UnitsError, ProfileError
    """
    frame = open_frame(by_depth(data), kinds, question=question, variable=variable, axes=axes)
    infinite = np.isinf(frame.value.data)
    if not frame.lazy and infinite.any():
        place = tuple(map(int, np.argwhere(infinite)[0]))
        at = float(frame.depth.set_dims(frame.value.sizes).transpose(*frame.value.dims)[place])
        label = frame.label(dict(zip(frame.lead, place[:-1], strict=True)))
        raise ProfileError(f"{label}: {frame.name} is infinite at {at:g} {frame.axis_units}")
    return frame


def over_profiles(frame: Frame, rows: xr.Variable) -> xr.DataArray:
    """Give rows of numbers, as :meth:`Frame.each` gives them, the coordinates of the profiles."""
    return frame.dataset({"rows": rows}, coords={})["rows"]


def mark_doubts(
    frame: Frame,
    codes: xr.DataArray,
    table: Sequence[str],
    window: Window,
    *,
    bridge: bool,
    instead: Sequence[str] = (),
    hidden: Any = None,
) -> xr.DataArray:
    """Replace ``ok``, the code 0, where answers rest on what was not measured.

    See :func:`sims_analysis.frame.doubts.resting_on`.

    Parameters
    ----------
    codes : DataArray
        Places in the `table` of words, which has ``gap`` and ``saturated``.
    bridge : bool
        Whether gaps are accepted.
    instead : sequence of str
        Other words that are replaced: what they say comes of it.
    hidden : Variable of bool, optional
        The answers that depend on samples below their limit.
    """
    places = [0, *map(table.index, instead)]
    # On a grid finer than the samples, two equal samples make many equal values.
    plain = frame.fraction >= 1
    found = resting_on(frame, window, bridge=bridge, hidden=hidden, cut=plain)
    for word, flagged in (
        ("gap", found == Status.GAP),
        ("saturated", found == Status.SATURATED),
    ):
        if set(flagged.dims) <= set(codes.dims) and not (is_lazy(flagged) or anywhere(flagged)):
            continue
        here = codes.isin(places) & over_profiles(frame, flagged)
        codes = codes.where(~here, table.index(word))
    return codes


def in_words(codes: xr.DataArray, table: Sequence[str]) -> xr.DataArray:
    """Look up codes in a table of words."""
    return codes.copy(data=words(codes.variable.astype(int), np.array(table)).data)


def warn_of_first(
    profiles: Frame, answer: xr.DataArray, fine: Collection[str], message: Callable[[str], str]
) -> None:
    """Warn once of all profiles whose answer is none of the `fine` ones, by the first of them."""
    found = first_flagged(profiles, ~answer.isin(list(fine)).variable)
    if found is not None:
        word = str(answer.isel(found.index).values)
        warn(f"{found.label}: {message(word)}", FitWarning)
