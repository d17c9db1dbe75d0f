"""Each profile on its own: a row of numbers for it, with numpy and with Dask."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import reduce
from operator import or_
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.dataset.axes import POINT
from sims_analysis.errors import FitWarning, ProfileError, warn
from sims_analysis.frame.answers import words
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import FRACTION, open_frame
from sims_analysis.frame.run import anywhere, is_lazy, replaced_where
from sims_analysis.frame.window import Window
from sims_analysis.kernels.doubts import doubts
from sims_analysis.kernels.rows import Status
from sims_analysis.units import with_plain_axes

__all__ = [
    "RESTORED",
    "by_depth",
    "doubted",
    "doubts_in",
    "in_words",
    "interpolated",
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
    plain = with_plain_axes(data)
    for axis in vocabulary.AXES:
        order = plain.indexes.get(axis)
        if order is not None and not order.is_monotonic_increasing:
            plain = plain.sortby(axis)
    values = [plain] if isinstance(plain, xr.DataArray) else plain.data_vars.values()
    if not any(is_lazy(one.variable) for one in values):
        return plain
    plain = plain.unify_chunks()
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


def interpolated(frame: Frame) -> bool:
    """Return whether samples that are not independent are of a grid between fewer ones."""
    coords: Any = frame.origin.coords if frame.origin is not None else {}
    return FRACTION not in coords or "interpolated" not in coords[FRACTION].attrs


def over_profiles(frame: Frame, rows: xr.Variable) -> xr.DataArray:
    """Give rows of numbers, as :meth:`Frame.each` gives them, the coordinates of the profiles."""
    return frame.dataset({"rows": rows}, coords={})["rows"]


def doubts_in(frame: Frame, window: Window, *, bridge: bool) -> dict[str, xr.Variable]:
    """Flag the profiles with a gap in a window, or with saturated samples, by the word for it.

    Words for which no profile is flagged are left out. With `bridge`, gaps are accepted.
    """
    found = frame.map(doubts, *window, frame.fraction, bridge=bridge).status
    # On a grid finer than the samples, two equal samples make many equal values.
    cut = (found == Status.SATURATED) & (frame.fraction >= 1)
    flags = {"gap": found == Status.GAP, "saturated": cut}
    return {word: one for word, one in flags.items() if is_lazy(one) or anywhere(one)}


def doubted(
    codes: xr.Variable,
    flags: Mapping[str, xr.Variable],
    table: Sequence[str],
    instead: Sequence[str] = (),
) -> xr.Variable:
    """Replace ``ok``, the code 0, where profiles are flagged.

    Parameters
    ----------
    codes : Variable
        Places in the `table` of words, which has those of the flags.
    flags : mapping
        As :func:`doubts_in` returns them.
    instead : sequence of str
        Other words that are replaced: what they say comes of it.
    """
    for word, flagged in flags.items():
        fine = reduce(or_, (codes == place for place in (0, *map(table.index, instead))))
        codes = replaced_where(fine & flagged, codes, table.index(word))
    return codes


def in_words(codes: xr.Variable, table: Sequence[str], **attrs: str) -> xr.Variable:
    """Look up codes in a table of words."""
    return words(codes.astype(int), np.array(table), **attrs)


def warn_of_first(
    profiles: Frame,
    answer: xr.DataArray,
    fine: Collection[str],
    message: Callable[[str], str],
    among: xr.Variable | None = None,
) -> None:
    """Warn once of all profiles whose answer is none of the `fine` ones, by the first of them."""
    if is_lazy(answer.variable):
        return
    flagged = xr.Variable(answer.dims, ~np.isin(answer.values, list(fine)))
    found = first_flagged(profiles, flagged if among is None else flagged & among)
    if found is not None:
        word = str(answer.isel(found.index).values)
        warn(f"{found.label}: {message(word)}", FitWarning)
