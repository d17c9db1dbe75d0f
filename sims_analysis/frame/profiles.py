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

from sims_analysis.errors import FitWarning
from sims_analysis.frame.answers import words
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.run import is_lazy
from sims_analysis.outcomes import Status

#: Attributes of the fraction of independent samples of restored profiles, which are not straight
#: lines between fewer samples.
RESTORED = {"long_name": "Independent samples for each depth", "interpolated": "no"}


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
