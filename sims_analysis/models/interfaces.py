"""How sharp is this interface, and how thick is this layer: from the data alone."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.crossings import crossings
from sims_analysis.analysis.detection import limit_of_unmeasured
from sims_analysis.errors import FitWarning, ProfileError, ProfileWarning, SpeciesError
from sims_analysis.frame.answers import as_dataset
from sims_analysis.frame.arguments import refuse_cases
from sims_analysis.frame.background import add_background_error
from sims_analysis.frame.call import recorded
from sims_analysis.frame.doubts import GapPolicy, around, bridges, in_gap, tell_doubts
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.window import NO_LIMITS, Window, read_window, warn_of_empty_window
from sims_analysis.kernels.rows import Status
from sims_analysis.models._profiles import (
    by_depth,
    doubted,
    in_words,
    open_profiles,
    over_profiles,
    warn_of_first,
)
from sims_analysis.models._step import ROW, STATUS, measured
from sims_analysis.models.model import Array
from sims_analysis.models.samples import in_order
from sims_analysis.text.arguments import format_argument, read_name
from sims_analysis.units import ParameterLike

__all__ = ["interface", "layers"]

#: What a status means, and what may be done.
_ADVICE = {
    "featureless": "the levels of the two plateaus do not differ by five of their standard errors",
    "truncated": "the step is not complete between the plateaus; state them with left= and right=",
    "undetermined": "no sample lies within the step: it is narrower than the sample spacing",
    "gap": "over more than five times their spacing there are no samples in the step; "
    "gaps='bridge' accepts that",
    "saturated": "samples are equal to the last digit, as a saturated detector writes them",
}
#: Two crossings may be one edge if they differ by less than so many standard errors.
_SAME = 3.0


@recorded
def interface(
    data: xr.Dataset | xr.DataArray,
    *,
    low: float = 0.16,
    high: float = 0.84,
    start: ParameterLike | None = None,
    stop: ParameterLike | None = None,
    left: tuple[ParameterLike, ParameterLike] | None = None,
    right: tuple[ParameterLike, ParameterLike] | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Measure position and width of the step between two plateaus, without a model.

    Parameters
    ----------
    data : Dataset or DataArray
        Profiles over depth or sputter time, in any unit; one measurement or a batch, on any axes.
        Over time, answers are in seconds.
    low, high : float
        Parts of the step between which the width is taken.
    start, stop : str, Quantity or DataArray, optional
        The window in which the interface lies.
    left, right : (start, stop), optional
        Depth windows of the plateaus towards the surface and below; by default the first and the
        last tenth of the samples in the window.
    variable : str, optional
        Of a Dataset; by default that in which the species was measured, concentrations first.
    gaps : {"flag", "bridge"}
        ``"bridge"`` accepts a step across a gap between samples, which is ``gap`` otherwise.

    Returns
    -------
    Dataset
        Over the profiles:

        - ``position`` (``nm``): the depth of half of the step
        - ``width`` (``nm``): from `low` to `high`
        - ``position_stderr``, ``width_stderr`` (``nm``)
        - ``left_level``, ``right_level``: in the unit of the data; of a plateau that slopes, where
          its line passes the position
        - ``left_slope``, ``right_slope``: in the unit of the data per nm, 0 where a plateau is
          level
        - ``status``: ``ok``, ``no_data``, ``featureless`` (the levels do not differ by five of
          their standard errors), ``truncated`` (the step does not pass both parts between the
          plateaus, inside the window) or ``undetermined`` (no sample lies between the two parts:
          there is a position, known to the distance of the samples, and no width); ``gap`` (no
          samples over more than five times their spacing in the step) or ``saturated`` (samples
          that a saturated detector has cut off)

    Raises
    ------
    ProfileError
        If `low` and `high` are not parts in this order, or a window is the wrong way round.
    UnitsError
        If the data are not over depth.

    Warns
    -----
    FitWarning
        Where there is no interface to be measured.

    See Also
    --------
    fit : ``model="edge"`` and ``model="edge_logistic"``.

    Notes
    -----
    The samples between the plateaus are made monotone by least squares (isotonic regression), so
    that noise crosses each part once, and interpolated linearly. From 16 % to 84 % of an error
    function are 1.989 standard deviations (ISO 18115: the depth resolution).

    A plateau may slope: lines are fitted up to 1.5 widths from the position, and where a slope is
    beyond three of its standard errors and changes the level by 2 % of the step, the step is
    counted between the lines. A plateau that is stated is not widened.

    Errors come from the scatter of the samples about the plateaus, or from their standard errors
    where the data carry them. That of a depth is the noise there over the slope, less where noise
    is large and neighbours are pooled; the errors of both levels are part of it, and what slopes
    would change that are not known well enough to be used. Measured coverage of the stated errors,
    in per cent (500 trials; steps of an error function from a tenth of the stated counts, of 4 to
    16 samples from 16 % to 84 %, over phases between samples, and on grids of a quarter of their
    spacing; in brackets of 2 samples, and with a plateau that slopes by 30 %):

    ============  ===================  ===================
    counts above  position             width
    ============  ===================  ===================
    1,000         63-69 (61-65, 69)    66-72 (69-82, 72)
    100           66-74 (68-71, 61)    67-74 (70-79, 66)
    30            67-75 (71-77, 50)    65-70 (67-70, 65)
    10            69-78 (78-84, 58)    60-68 (60-65, 69)
    ============  ===================  ===================

    With a plateau that slopes and fewer than 100 counts, a line is not seen, and a position lies
    off: state `left` and `right` beside the step, or see ``model="edge"``. Between samples h apart
    there are straight lines, which widen a step of two samples by 0.2 of h: ``h^2 / (2.2 width)``
    is part of the error of a width. On a grid they may be those of logarithms: a twelfth of h times
    the change of ln C from one sample to the next is part of the error of a position.

    References
    ----------
    ASTM E1438, Guide for measuring widths of interfaces in sputter depth profiling using SIMS; ISO
    18115-1, Surface chemical analysis - Vocabulary: depth resolution, 16 % to 84 %.

    Examples
    --------
    >>> import numpy as np, xarray as xr
    >>> import sims_analysis as sims
    >>> from scipy.special import ndtr
    >>> z = xr.DataArray(np.arange(0.0, 100.0), dims="depth", attrs={"units": "nm"})
    >>> step = xr.DataArray(1e20 * ndtr((z - 50) / 4), dims="depth", coords={"depth": z},
    ...                     attrs={"units": "atom/cm^3"})
    >>> found = sims.interface(step)
    >>> print(f"{found['position'].item():.2f} {found['width'].item():.2f}")
    50.00 7.96
    """
    numbers = isinstance(low, int | float) and isinstance(high, int | float)
    if not (numbers and 0 < low < 0.5 < high < 1):
        raise ProfileError(f"low={low!r}, high={high!r}; expected 0 < low < 0.5 < high < 1")
    profiles = open_profiles(data, question="an interface", variable=variable)
    window = read_window(profiles, start, stop)
    limits = [*window]
    for name, given in (("left", left), ("right", right)):
        if given is not None and not (isinstance(given, tuple) and len(given) == 2):
            raise ProfileError(
                f"{name}={format_argument(given)}; expected two depths, ('10 nm', '50 nm')"
            )
        first, last = given or (None, None)
        limits += read_window(profiles, first, last, name)

    def rows_of(frame: Frame) -> xr.DataArray:
        rows = frame.each(partial(_row, (low, high)), profiles.fraction, *limits, size=len(ROW))
        return over_profiles(frame, rows)

    def depths_of(frame: Frame) -> xr.Variable:
        return rows_of(frame).variable.isel(__row__=slice(0, 2))

    rows = rows_of(profiles)
    if profiles.common is not None:
        parts = [rows.isel(__row__=slice(*ends)) for ends in ((0, 4), (4, 6), (6, None))]
        errors = add_background_error(profiles, parts[1].variable, depths_of, errors=True)
        parts[1] = parts[1].copy(data=errors.transpose(*parts[1].dims).data)
        rows = xr.concat(parts, "__row__")
    answer = _dressed(_with_doubts(rows, profiles, window, bridge=bridges(gaps)), profiles)
    answer["width"].attrs["parts"] = f"{low:g} to {high:g}"
    if not profiles.lazy:
        warn_of_empty_window(profiles, window, FitWarning)
        warn_of_first(
            profiles,
            answer["status"],
            ("ok", "no_data"),
            lambda word: f"the interface is {word} ({_ADVICE[word]})",
        )
    return units.quantify(answer) if profiles.quantified else answer


def _with_doubts(
    rows: xr.DataArray, profiles: Frame, window: Window, *, bridge: bool
) -> xr.DataArray:
    """Replace ``ok`` where the step lies in a gap, or samples of the window are saturated."""
    position, width, status = (rows.isel(__row__=i) for i in (0, 1, -1))
    reach = width.fillna(1e-9 * abs(position))  # between two samples, a depth alone
    step = (position - reach).variable, (position + reach).variable
    status = doubted(profiles, status, STATUS, window, bridge=True)
    status = doubted(profiles, status, STATUS, step, bridge=bridge, instead=("undetermined",))
    return xr.concat(
        [rows.isel(__row__=slice(0, -1)), status.expand_dims("__row__", -1)], "__row__"
    )


def _row(
    parts: tuple[float, float], z: Array, c: Array, s: Array, _: Array, *given: float
) -> Array:
    fraction, *limits = given
    pairs = tuple(limits[:2]), tuple(limits[2:4]), tuple(limits[4:])
    return measured(z, c, s, fraction, pairs, parts)


def _dressed(rows: xr.DataArray, profiles: Frame) -> xr.Dataset:
    def part(i: int, term: str, **attrs: str) -> xr.DataArray:
        term_attrs = vocabulary.attrs(term, profiles.axis_units)
        return rows.isel(__row__=i).assign_attrs(term_attrs | attrs)

    level = {
        "units": units.CANONICAL[profiles.kind],
        "description": "mean over the plateau; of one that slopes, its line at the position",
    }
    per = units.CANONICAL[profiles.axis]
    slope = {
        "units": f"{units.CANONICAL[profiles.kind]} / {per}",
        "description": "of the plateau; 0 where it is level",
    }
    status = in_words(rows.isel(__row__=-1), STATUS)
    error = "Standard error, random part"
    return as_dataset(
        {
            "position": part(0, "interface_position"),
            "position_stderr": part(4, "interface_position", long_name=error),
            "width": part(1, "interface_width"),
            "width_stderr": part(5, "interface_width", long_name=error),
            "left_level": rows.isel(__row__=2).assign_attrs(long_name="Level above", **level),
            "right_level": rows.isel(__row__=3).assign_attrs(long_name="Level below", **level),
            "left_slope": rows.isel(__row__=6).assign_attrs(long_name="Slope above", **slope),
            "right_slope": rows.isel(__row__=7).assign_attrs(long_name="Slope below", **slope),
            "status": status.assign_attrs(vocabulary.attrs("status")),
        }
    )


@recorded
def layers(
    data: xr.Dataset | xr.DataArray,
    *,
    species: str | None = None,
    level: ParameterLike | None = None,
    fraction: float | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Measure layers between the depths at which a species rises above a level and falls below.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement or a batch, over depth; or over sputter time, in seconds then.
    species : str, optional
        Which one marks the layers; needed if there are several.
    level : str, Quantity or DataArray, optional
        Where a layer begins and ends.
    fraction : float, optional
        The level as a part of the profile's maximum; by default half of it.
    variable : str, optional
        Of a Dataset; by default that in which the species was measured, concentrations first.
    gaps : {"flag", "bridge"}
        ``"bridge"`` accepts a layer that begins or ends in a gap between samples.

    Returns
    -------
    Dataset
        Over ``layer``, in order of depth:

        - ``top``, ``bottom``, ``thickness`` (``nm``)
        - ``<name>_stderr`` (``nm``) of each, where the data carry errors
        - ``status``: ``ok``; ``truncated`` (the species is above the level where the samples begin
          or end: the layer goes on, and its thickness is not known); ``below_detection`` (it goes
          on to samples that a file gives as ``<5E15``; the coordinate ``detection_limit`` has their
          limit); ``gap`` (it begins or ends
          where there are no samples: there is no depth); ``saturated`` (half of a maximum that a
          saturated detector has cut off); ``never_reached`` or
          ``no_data`` in the first place of a profile without a layer; nothing in the places after
          the last layer

    Raises
    ------
    SpeciesError
        If `species` is not there, or has to be named.
    ProfileError
        If both `level` and `fraction` are given, or the fraction is not between 0 and 1.

    Warns
    -----
    ProfileWarning
        Where a layer begins or ends in a gap, or the status is ``saturated``.

    See Also
    --------
    crossings : Every crossing of a level, which layers are made of.
    interface : The width of one interface.

    Notes
    -----
    Noise makes several crossings of one edge. Where the data carry standard errors, they count as
    one, the most certain of them, if they are no further apart than their errors allow.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> found = sims.layers(ds, species="B", level="1e19 atoms/cm^3")
    >>> found["thickness"].values.round(1), found["status"].values  # the first: surface transient
    (array([  nan, 112.5]), array(['truncated', 'ok'], dtype='<U16'))
    """
    if level is not None and fraction is not None:
        raise ProfileError("give a level or a fraction, not both")
    part = 0.5 if fraction is None else fraction
    if not (isinstance(part, float | int) and 0 < part < 1):
        raise ProfileError(
            f"fraction={format_argument(fraction)}; expected a number between 0 and 1"
        )
    one = by_depth(_one_species(data, species))
    profiles = open_profiles(one, question="a layer", variable=variable)
    if isinstance(one, xr.Dataset):
        beside = [f"{profiles.name}_{end}" for end in ("stderr", *vocabulary.COLUMNS)]
        one = one[[name for name in (profiles.name, *beside) if name in one]]
    for name in ("layer", "crossing"):
        if name in profiles.lead:
            raise ProfileError(
                f"{name!r} in the data is a dimension of the answer; rename it, as in "
                f'data.rename({name}="place")'
            )
    if profiles.lazy:
        raise ProfileError("layers of Dask data are not known ahead; give data.compute()")
    extent = over_profiles(profiles, profiles.each(_extent, size=3))
    highest, first, last = extent.transpose("__row__", ...)
    by_fraction = level is None
    if level is None:
        level = (part * highest).assign_attrs(units=profiles.units)
    number = profiles.parameter(level, (profiles.kind,), "level")
    refuse_cases(profiles, number, "level")
    found = crossings(one, level=level, gaps="bridge")
    if profiles.quantified:
        found = units.dequantify(found)
    names = (profiles.axis, "stderr", "direction", "status")
    columns = [found[name].transpose(..., "crossing") for name in names]
    lead = columns[0].dims[:-1]
    lost = np.zeros(columns[0].shape, dtype=bool)
    if not bridges(gaps):
        lost = in_gap(profiles, columns[0].variable).transpose(*columns[0].dims).values
    saturated = _saturated(profiles, highest).transpose(*lead).values & by_fraction
    _tell(profiles, columns[0].where(lost).variable, saturated)
    begins, goes_on = ((end.variable > number).transpose(*lead).values for end in (first, last))
    limit = limit_of_unmeasured(profiles)
    none = (first.variable > number) & False
    hidden = [none, none]
    if limit is not None:  # the last samples are below it; nowhere a sample shows a level below it
        hidden = [none | (number <= limit), none | limit.notnull()]
    hidden = [end.transpose(*lead).values for end in hidden]
    rows, words, below = {}, {}, {}
    for index in np.ndindex(*columns[0].shape[:-1]):
        depth, stderr, direction, status = (column.values[index] for column in columns)
        edges = _without_noise(depth, stderr, direction)
        depth = np.where(lost[index], np.inf, depth)
        rows[index] = _paired(
            depth[edges],
            stderr[edges],
            direction[edges],
            begins=bool(begins[index]),
            goes_on=bool(goes_on[index]),
        )
        below[index] = bool(hidden[0][index]), bool(hidden[1][index])
        words[index] = "saturated" if saturated[index] else str(status[0])
    return _layers_dressed(rows, words, below, lead, columns[0], profiles)


def _tell(profiles: Frame, lost: xr.Variable, saturated: Any) -> None:
    """Warn of layers that begin or end in a gap, at the depths `lost`, or that are saturated."""
    first = lost.min(str(lost.dims[-1]))
    doubt = np.where(first.notnull(), Status.GAP, Status.OK)
    codes = xr.Variable(first.dims, np.where(saturated, Status.SATURATED, doubt))
    what = "a layer that begins or ends in it has no depth"
    tell_doubts(profiles, codes, around(first), what, ProfileWarning)


def _saturated(profiles: Frame, like: xr.DataArray) -> xr.Variable:
    """Flag profiles whose maximum a saturated detector has cut off."""
    words = ("ok", "gap", "saturated")
    codes = doubted(profiles, xr.zeros_like(like), words, NO_LIMITS, bridge=True)
    flags: xr.Variable = codes.variable == words.index("saturated")
    return flags


def _extent(z: Array, c: Array, *_: Any) -> Array:
    """Return the largest value, the first and the last."""
    c = c[in_order(z, c)]
    return np.array([c.max(), c[0], c[-1]]) if c.size else np.full(3, np.nan)


def _one_species(data: Any, species: str | None) -> Any:
    if species is None:
        if getattr(data, "sizes", {}).get("species", 1) > 1:
            names = ", ".join(map(repr, data["species"].values.tolist()))
            raise SpeciesError(f"name the species that marks the layers: {names}")
        return data
    species = read_name("species", species)
    coords = getattr(data, "coords", {})
    present = [str(name) for name in np.atleast_1d(coords.get("species", []))]
    if species not in present:
        names = ", ".join(map(repr, present)) or "no coordinate 'species'; leave it out"
        raise SpeciesError(f"the data have no species {species!r}; they have {names}")
    return data.sel(species=species) if "species" in data.dims else data


def _without_noise(depth: Array, stderr: Array, direction: Any) -> list[int]:
    """Select crossings, one for each edge.

    Of two in one direction, the less certain is left out, with a crossing between them that noise
    made (see :func:`crossings`: it has no error), if both may be the same edge: they differ by
    less than `_SAME` standard errors.
    """
    kept: list[int] = []
    for i in np.flatnonzero(np.isfinite(depth)).tolist():
        kept.append(i)
        if len(kept) < 3:
            continue
        a, noise, b = kept[-3:]
        same = depth[b] - depth[a] < _SAME * np.hypot(stderr[a], stderr[b])
        if direction[a] == direction[b] and np.isnan(stderr[noise]) and same:
            kept[-3:] = [a if stderr[a] <= stderr[b] else b]
    return kept


def _paired(
    depth: Array, stderr: Array, direction: Any, *, begins: bool, goes_on: bool
) -> list[tuple[float, ...]]:
    """Pair each rise with the fall after it; NaN where the samples begin or end in a layer."""
    found: list[tuple[float, ...]] = []
    top: tuple[float, float] | None = (np.nan, np.nan) if begins else None
    for z, error, way in zip(depth, stderr, direction, strict=True):
        if str(way) == "rising":
            top = (float(z), float(error))
        elif top is not None:
            found.append((*top, float(z), float(error)))
            top = None
    if top is not None and goes_on:
        found.append((*top, np.nan, np.nan))
    return found


def _layers_dressed(
    rows: Mapping[tuple[int, ...], list[tuple[float, ...]]],
    words: Mapping[tuple[int, ...], str],
    below: Mapping[tuple[int, ...], tuple[bool, bool]],
    lead: tuple[Any, ...],
    like: xr.DataArray,
    profiles: Frame,
) -> xr.Dataset:
    width = max(1, *(len(found) for found in rows.values()))
    table = np.full((*like.shape[:-1], width, 4), np.nan)
    status = np.full((*like.shape[:-1], width), "", dtype="U16")
    for index, found in rows.items():
        for i, one in enumerate(found):
            edges = np.array(one)
            gap = np.isinf(edges)
            # An edge in a gap has no depth, and no error.
            edges[gap | np.roll(gap, 1)] = np.nan
            table[(*index, i)] = edges
            open_ = np.isnan([one[0], one[2]])
            cases = {
                "gap": gap.any(),
                "below_detection": (open_ & below[index]).any(),
                "truncated": open_.any(),
                "saturated": words[index] == "saturated",
            }
            status[(*index, i)] = next((word for word, so in cases.items() if so), "ok")
        if not found:
            status[(*index, 0)] = words[index]
    dims = (*lead, "layer")
    top, top_stderr, bottom, bottom_stderr = np.moveaxis(table, -1, 0)
    values = {
        "top": (top, top_stderr),
        "bottom": (bottom, bottom_stderr),
        "thickness": (bottom - top, np.hypot(top_stderr, bottom_stderr)),
    }
    answer = {}
    for name, (number, error) in values.items():
        term = "layer_thickness" if name == "thickness" else "interface_position"
        attrs = vocabulary.attrs(term, profiles.axis_units) | {"long_name": name.capitalize()}
        answer[name] = (dims, number, attrs)
        attrs = attrs | {"long_name": f"Standard error of {name}, random part"}
        answer[f"{name}_stderr"] = (dims, error, attrs)
    answer["status"] = (dims, status, vocabulary.attrs("status"))
    coords = {
        name: c for name, c in like.coords.items() if "crossing" not in c.dims and name != "count"
    }
    made = xr.Dataset(answer, coords=coords)
    return units.quantify(made) if profiles.quantified else made
