"""Each profile on its own: a row of numbers for it, with numpy and with Dask."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from math import prod
from types import MappingProxyType
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.conventions.axes import POINT
from sims_analysis.errors import FitWarning, ProfileError
from sims_analysis.frame.answers import words
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import is_lazy
from sims_analysis.outcomes import Status
from sims_analysis.units import with_plain_axes

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
    """Check the user's data (see :func:`open_frame`), in whatever order of depth they come."""
    frame = open_frame(by_depth(data), kinds, question=question, variable=variable, axes=axes)
    infinite = np.isinf(frame.value.data)
    if not frame.lazy and infinite.any():
        place = tuple(map(int, np.argwhere(infinite)[0]))
        at = float(frame.depth.set_dims(frame.value.sizes).transpose(*frame.value.dims)[place])
        index = dict(zip(frame.lead, place[:-1], strict=True))
        text = f"{frame.name} is infinite at {at:g} {frame.axis_units}"
        raise ProfileError(
            f"{frame.label(index)}: {text}", code="infinite_sample", where=frame.where(index)
        )
    return frame


def over_profiles(frame: Frame, rows: xr.Variable) -> xr.DataArray:
    """Give rows of numbers, as :meth:`Frame.each` gives them, the coordinates of the profiles."""
    return frame.dataset({"rows": rows}, coords={})["rows"]


@dataclass(frozen=True)
class Fields:
    """Named numbers and arrays (by their shapes), that :meth:`Frame.each` takes as a row."""

    shapes: Mapping[str, tuple[int, ...]]

    @cached_property
    def _places(self) -> dict[str, slice]:
        sizes = [prod(shape) for shape in self.shapes.values()]
        ends = zip(self.shapes, sizes, accumulate(sizes), strict=True)
        return {name: slice(stop - size, stop) for name, size, stop in ends}

    @property
    def size(self) -> int:
        """Length of the row."""
        return sum(prod(shape) for shape in self.shapes.values())

    def row(self, values: Mapping[str, Any]) -> np.ndarray[Any, Any]:
        """Return a row of those that are there, NaN of others."""
        row = np.full(self.size, np.nan)
        for name in self.shapes.keys() & values.keys():
            row[self._places[name]] = np.ravel(values[name])
        return row

    def of(self, rows: Any, name: str) -> Any:
        """Return one of them from an array of rows along its last dimension."""
        return rows[..., self._places[name]].reshape((*rows.shape[:-1], *self.shapes[name]))


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
        found.warn(message(word), FitWarning, code=word)


def warn_of_status(
    profiles: Frame,
    answer: xr.DataArray,
    what: str,
    fine: Collection[str] = ("ok", "no_data"),
    more: Mapping[str, str] = MappingProxyType({}),
    says: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Warn once of all profiles whose status is none of the `fine` ones, by the first of them.

    `more` adds to what :class:`Status` says of some, and `says` replaces it.
    """

    def message(word: str) -> str:
        said = says.get(word, Status[word.upper()].explanation) + more.get(word, "")
        return f"{what} {word.replace('_', ' ')} ({said})"

    warn_of_first(profiles, answer, fine, message)
