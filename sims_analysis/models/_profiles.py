"""Each profile on its own: a row of numbers for it, with numpy and with Dask."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.errors import FitWarning, ProfileError, ProfileWarning, warn
from sims_analysis.frame.frame import Frame, words
from sims_analysis.frame.messages import first_flagged, warn_where
from sims_analysis.frame.opening import open_frame
from sims_analysis.models.model import Array
from sims_analysis.units import with_plain_axes

__all__ = ["ask_each", "by_depth", "in_words", "open_profiles", "warn_of_first"]


def by_depth(data: Any) -> Any:
    """Put data in order of depth; what is none is refused elsewhere."""
    if not isinstance(data, xr.Dataset | xr.DataArray):
        return data
    plain = with_plain_axes(data)
    order = plain.indexes.get("depth")
    return plain if order is None or order.is_monotonic_increasing else plain.sortby("depth")


def open_profiles(
    data: Any,
    *,
    question: str,
    kinds: tuple[str, ...] = vocabulary.VALUE_KINDS,
    background: str | None = None,
) -> Frame:
    """Check the user's data (see :func:`open_frame`), in whatever order of depth they come.

    Parameters
    ----------
    background : str, optional
        What to do about the error of a background that was subtracted before: the end of a
        warning; by default there is none.

    Raises
    ------
    TypeError, UnitsError, ProfileError
    """
    frame = open_frame(by_depth(data), kinds, question=question)
    infinite = np.isinf(frame.value.data)
    if not frame.lazy and infinite.any():
        place = tuple(map(int, np.argwhere(infinite)[0]))
        at = float(frame.depth.set_dims(frame.value.sizes).transpose(*frame.value.dims)[place])
        label = frame.label(dict(zip(frame.lead, place[:-1], strict=True)))
        raise ProfileError(f"{label}: {frame.name} is infinite at {at:g} nm")
    if background is not None and frame.common is not None and not frame.lazy:
        warn_where(
            frame,
            (frame.common != 0).any(frame.dim),
            f"{question} takes the samples as independent, and these share the error of the "
            f"background that was subtracted: the standard errors lack it; {background}",
            ProfileWarning,
        )
    return frame


def ask_each(
    frame: Frame,
    answer: Callable[..., Array],
    size: int,
    *parameters: xr.Variable,
    group: str | None = None,
    watched: Callable[[list[Any]], Iterable[Any]] = iter,
) -> xr.DataArray:
    """Ask each profile, or all profiles along a dimension together.

    Parameters
    ----------
    frame : Frame
    answer : callable
        ``answer(z, c, s, k, *parameters)`` gives a row of depths, values, standard errors and
        counts, NaN where there are none: of one profile, ``(n,)``, or of a group, ``(m, n)``.
    size : int
        Numbers in the row.
    *parameters : Variable
        One value a profile.
    group : str, optional
        The dimension along which profiles are taken together.
    watched : callable
        Takes the indices of all profiles, and yields them one by one: a progress bar.

    Returns
    -------
    DataArray
        The rows over the profiles and ``__row__``.
    """
    core = [frame.dim] if group is None else [group, frame.dim]
    absent = xr.Variable(frame.depth.dims, np.full(frame.depth.shape, np.nan))
    columns = []
    for given in (frame.value, frame.depth, frame.stderr, frame.counts):
        one = absent if given is None else given
        one = one.set_dims({d: frame.value.sizes[d] for d in {*core, *one.dims}})
        columns.append(one.chunk(dict.fromkeys(core, -1)) if one.chunks else one)

    def block(c: Array, z: Array, s: Array, k: Array, *given: Any) -> Array:
        lead = np.broadcast_shapes(c.shape[: -len(core)], *map(np.shape, given))
        shape = (*lead, *c.shape[-len(core) :])
        z, c, s, k = (np.broadcast_to(np.asarray(a, np.float64), shape) for a in (z, c, s, k))
        table = np.empty((*lead, len(given)))
        for i, one in enumerate(given):
            table[..., i] = one
        rows = np.empty((*lead, size))
        # What cannot be computed is NaN or infinite, and is told by a status.
        with np.errstate(all="ignore"):
            for at in watched(list(np.ndindex(*lead))):
                rows[at] = answer(z[at], c[at], s[at], k[at], *table[at].tolist())
        return rows

    rows = xr.apply_ufunc(
        block,
        *columns,
        *parameters,
        input_core_dims=[core] * 4 + [[]] * len(parameters),
        output_core_dims=[["__row__"]],
        dask="parallelized",
        output_dtypes=[np.float64],
        dask_gufunc_kwargs={"output_sizes": {"__row__": size}},
    )
    order = [d for d in frame.lead if d != group]
    rows = rows.transpose(*order, ...)
    return frame.dataset({"rows": rows}, coords={})["rows"]


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
