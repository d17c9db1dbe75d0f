"""Warnings and errors about results, which name the profile."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar, Unpack

import numpy as np
import xarray as xr
from numpy.typing import NDArray

from sims_analysis.errors import FitWarning, Parts, ProfileWarning, SimsError, SimsWarning, warn
from sims_analysis.frame.frame import Frame, name_of
from sims_analysis.frame.run import anywhere, is_lazy
from sims_analysis.outcomes import Status

E = TypeVar("E", bound=SimsError)


@dataclass(frozen=True)
class FirstFlagged:
    """The first profile, or sample, to which a message applies."""

    frame: Frame
    index: dict[Any, int]
    #: Its coordinates, as the part ``where`` of a message.
    where: dict[str, object]
    #: Its name, with the number of others: ``"species 'B' and 2 more"``.
    label: str

    def warn(self, text: str, category: type[SimsWarning], **parts: Unpack[Parts]) -> None:
        """Warn of it, by its name."""
        warn(category(f"{self.label}: {text}", **parts).add(where=self.where))

    def error(self, text: str, kind: type[E], **parts: Unpack[Parts]) -> E:
        """Return an error about it, by its name."""
        return kind(f"{self.label}: {text}", **parts).add(where=self.where)

    def of(self, variable: xr.Variable) -> float:
        """Return the value of this profile."""
        return float(self._select(variable))

    @property
    def record(self) -> str:
        """Its measured range: ``"0 to 500 nm"``."""
        depth, value = map(self._select, (self.frame.depth, self.frame.value))
        measured = depth[~(np.isnan(value) | np.isnan(depth))]
        if not measured.size:
            return "nowhere"
        return f"{measured.min():g} to {measured.max():g} {self.frame.axis_units}"

    @property
    def alone(self) -> Frame:
        """The samples of this profile."""
        return self.frame.of_profile(**self.index)

    def _select(self, variable: xr.Variable) -> NDArray[Any]:
        place = tuple(self.index.get(d, slice(None)) for d in variable.dims)
        return np.asarray(variable.data[place])


def first_flagged(frame: Frame, flagged: xr.Variable) -> FirstFlagged | None:
    """Return the first profile that is flagged; None if none is, or on Dask."""
    if is_lazy(flagged):
        return None
    where = np.argwhere(flagged.values)
    if not len(where):
        return None
    index = dict(zip(flagged.dims, where[0].tolist(), strict=True))
    others = f" and {len(where) - 1} more" if len(where) > 1 else ""
    place = frame.where(index)
    return FirstFlagged(frame, index, place, f"{name_of(place)}{others}")


def describe_window(first: FirstFlagged, window: Iterable[xr.Variable], what: str) -> str:
    """Describe a problem with the window of a profile, and its measured range."""
    ends = zip(map(first.of, window), ("the start", "the end"), strict=True)
    a, b = (end if np.isnan(x) else f"{x:g}" for x, end in ends)
    return f"{what}, {a} to {b} {first.frame.axis_units}; the record runs from {first.record}"


def doubt_of_window(status: xr.Variable, window: tuple[xr.Variable, xr.Variable]) -> Doubt:
    """Return the doubt about answers whose windows, by their kernel, reach beyond the record."""

    def text(first: FirstFlagged) -> str:
        return describe_window(first, window, "the window reaches beyond the record")

    return Doubt(status == Status.TRUNCATED, Status.TRUNCATED, text)


def warn_of_empty_window(
    frame: Frame,
    window: Iterable[xr.Variable],
    among: xr.Variable,
    category: type[SimsWarning] = ProfileWarning,
) -> None:
    """Warn of profiles, of those `among`, that were measured, but not in this known window."""
    start, stop = window
    if not anywhere(among):
        return
    measured: Any = frame.value.notnull()
    inside = measured & ~((frame.depth < start) | (frame.depth > stop))
    elsewhere = measured.any(frame.dim) & ~inside.any(frame.dim)
    first = first_flagged(frame, elsewhere & among & ~(np.isinf(start) | np.isinf(stop)))
    if first is not None:
        text = describe_window(first, (start, stop), "no sample in the window")
        first.warn(text, category, code="no_sample_in_window")


def first_sample(frame: Frame, flagged: xr.Variable) -> FirstFlagged | None:
    """Return the first flagged sample: ``"species 'B', depth 10 nm: 5 count/s (and 3 more)"``."""
    flagged = flagged.set_dims(frame.value.sizes).transpose(*frame.value.dims)
    first = first_flagged(frame, flagged)
    if first is None:
        return None
    profile = name_of({name: at for name, at in first.where.items() if name != frame.axis})
    others = int(flagged.sum()) - 1
    note = f" (and {others} more)" if others else ""
    label = (
        f"{profile}, {frame.axis.replace('_', ' ')} {first.of(frame.depth):g} {frame.axis_units}: "
        f"{first.of(frame.value):g} {frame.units}{note}"
    )
    return FirstFlagged(frame, first.index, first.where, label)


def warn_where(
    frame: Frame,
    flagged: xr.Variable,
    text: str | Callable[[FirstFlagged], str],
    category: type[SimsWarning],
    **parts: Unpack[Parts],
) -> None:
    """Warn once for all flagged profiles, by the first of them; `text` may be made of it."""
    first = first_flagged(frame, flagged)
    if first is not None:
        first.warn(text if isinstance(text, str) else text(first), category, **parts)


class Doubt(NamedTuple):
    """Why some answers may not be ``ok``, as :func:`.evidence.resolve` takes it.

    Flagged answers get the status, unless they have one of a higher rank, or one without a value. A
    text, or a function that makes one, is a warning about the first flagged answer.
    """

    flagged: xr.Variable
    #: None for a warning alone, ``OK`` for one about answers that stay ok.
    status: Status | None
    text: str | Callable[[FirstFlagged], str] = ""
    parts: Parts | None = None
    #: Of the warning, if it is not that of the question.
    category: type[SimsWarning] | None = None

    def warn(self, frame: Frame, category: type[SimsWarning]) -> None:
        """Warn of it; the code is the word of the status if the parts have no other."""
        if self.text and anywhere(self.flagged):
            code: Parts = {"code": self.status.word} if self.status else {}
            parts: Parts = {**code, **(self.parts or {})}
            warn_where(frame, self.flagged, self.text, self.category or category, **parts)


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
    first = first_flagged(profiles, ~answer.isin(list(fine)).variable)
    if first is not None:
        word = str(answer.isel(first.index).values)
        text = says.get(word, Status[word.upper()].explanation) + more.get(word, "")
        first.warn(f"{what} {word.replace('_', ' ')} ({text})", FitWarning, code=word)
