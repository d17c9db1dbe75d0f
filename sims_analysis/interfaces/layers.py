"""How thick are these layers: between the depths at which a species rises and falls."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.analysis.crossings import crossings
from sims_analysis.dataset.samples import one_species
from sims_analysis.errors import ProfileError, ProfileWarning
from sims_analysis.fitting.arguments import refuse_dimensions
from sims_analysis.frame.arguments import refuse_cases
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import GapPolicy, resolve, support_of_window
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.messages import first_flagged
from sims_analysis.frame.opening import interpolated, open_frame
from sims_analysis.interfaces.stack import Layer, find_layers
from sims_analysis.kernels.evidence import support_of_points
from sims_analysis.kernels.rows import changed
from sims_analysis.kernels.samples import Array, in_order
from sims_analysis.outcomes import GAP, Flag, Status
from sims_analysis.units import ParameterLike


@dataclass(frozen=True)
class _Rules:
    """The numbers by which noise may have made layers of data without standard errors."""

    short: int = 2  # number of samples between two crossings at most,
    shallow: float = 1.6  # factor by which all of these are near the level,
    several: int = 2  # and number of such places from which on noise may have made them


_RULES = _Rules()
#: An edge among such samples has no depth.
_LOST = GAP | Flag.BELOW_LIMIT
#: How many numbers a layer has.
_SIZE = len(Layer._fields)


@recorded
def layers(
    data: xr.Dataset | xr.DataArray,
    *,
    species: str | None = None,
    level: ParameterLike | None = None,
    fraction: float | str | None = None,
    variable: str | None = None,
    gaps: GapPolicy = "flag",
) -> xr.Dataset:
    """Measure layers: the depths of their interfaces, and what lies between them.

    Not to be trusted at a `level` without standard errors, or to better than 3 % on plateaus that
    ripple, bow, or slope by more than a tenth in few samples: for these, :func:`interface`.

    Parameters
    ----------
    data : Dataset or DataArray
        One measurement or a batch, over depth; or over sputter time, in seconds then.
    species : str, optional
        Which one marks the layers; needed if there are several.
    level : str, Quantity or DataArray, optional
        Where all layers begin and end; by default each at a part of its own steps.
    fraction : float or str, optional
        That part of the step from what lies on either side to the layer's own plateau, or maximum;
        by default half.
    variable : str, optional
        In a Dataset, by default the one in which the species was measured, concentrations first.
    gaps : {"flag", "bridge"}
        ``"bridge"`` accepts a layer that begins or ends in a gap between samples.

    Returns
    -------
    Dataset
        Over ``layer``, in order of depth:

        - ``top``, ``bottom``, ``thickness`` (``nm``)
        - ``<name>_stderr`` (``nm``) of each, by the errors of the data, or, without a `level`, by
          the scatter of neighbours
        - without a `level` also ``top_width``, ``bottom_width`` (``nm``): of the interfaces, from
          16 % to 84 %, where they lie between plateaus
        - ``status``: ``ok``; ``truncated`` (the samples begin or end in the layer: its thickness is
          not known); ``undetermined`` (noise of the size of a step has chosen the plateau, or hides
          an interface; or those of the layer, or of a gap beside it, may be as wide as half their
          distance: they overlap, and it is too thick or thin by 5 % or more); what it rests
          on, such as ``below_limit`` (it goes on to samples that a file gives as ``<5E15``; the
          coordinate ``detection_limit`` has their limit) or ``gap`` (at its edges, or, without a
          `level`, in it: no depth is given in a gap); ``featureless``, ``never_reached`` or
          ``no_data`` in the first place of a profile without a layer; nothing after the last layer

    Raises
    ------
    SpeciesError
        If `species` is not there, or has to be named.
    ProfileError
        If both `level` and `fraction` are given, or the fraction is not between 0 and 1.

    Warns
    -----
    ProfileWarning
        Where the status is one of what a layer rests on; and at a `level` where, without standard
        errors, noise may have made layers.

    See Also
    --------
    crossings : Every crossing of a level.
    interface : One interface, with plateaus that may slope.

    Notes
    -----
    Maxima that stand out of the noise, what is lowest between them, and level stretches of an edge
    are plateaus, those of less than 5 % of the highest left out; one that surely slopes is a line,
    and one that is nowhere level has the extremum of a parabola. Between two, samples are made
    monotone, as by :func:`interface`. At a stated level they are those of :func:`crossings`.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> found = sims.layers(ds, species="B", level="1e19 atoms/cm^3")
    >>> found["thickness"].values.round(1), found["status"].values  # the first: surface transient
    (array([  nan, 112.5]), array(['truncated', 'ok'], dtype='<U19'))
    """
    if level is not None and fraction is not None:
        raise ProfileError("give a level or a fraction, not both", code="conflicting_arguments")
    part = 0.5
    if fraction is not None:
        part = units.read_fraction(fraction, "fraction", of="the step to a plateau")
    marker, profiles = _opened(data, species, variable, gaps)
    below = [xr.zeros_like(profiles.fraction, dtype=bool)] * 2
    if level is None:
        most = 1 + profiles.value.sizes[profiles.dim] // 4  # that samples can show
        row = partial(_between_plateaus, part, interpolated(profiles), most)
        rows = profiles.each(row, profiles.fraction, size=most * _SIZE)
    else:
        number = profiles.parameter(level, (profiles.kind,), "level")
        refuse_cases(profiles, number, "level")
        rows = _at_level(marker, profiles, level, number)
        limit, never = profiles.highest_limit, xr.zeros_like(number, dtype=bool)
        if limit is not None:  # the last are below it; nowhere a sample shows a level below it
            below = [never | (number <= limit), never | limit.notnull()]
        if profiles.stderr is None:
            _warn_of_noise(profiles, number)
    table = rows.data.reshape(*rows.shape[:-1], -1, _SIZE)
    width = (table[..., 0] != Status.PADDING).sum(axis=-1).max(initial=1)
    dims = (*rows.dims[:-1], "layer", "__row__")
    columns = xr.Variable(dims, table[..., :width, :]).transpose("__row__", ...)
    every = dict(zip(Layer._fields, columns, strict=True))
    resolved = _resolved(profiles, every, below, stated=level is not None)
    return _dataset(resolved, profiles, widths=level is None)


def _between_plateaus(
    part: float, between: bool, most: int, z: Array, c: Array, s: Array, _: Array, fraction: float
) -> Array:
    return _padded(find_layers(z, c, s, fraction, part, between=between), most)


def _padded(layers: Sequence[Layer], most: int) -> Array:
    """Return layers as a row of fixed length; those after the ones found are padding."""
    rows = np.full((most, _SIZE), np.nan)
    rows[:, 0] = Status.PADDING
    rows[: len(layers)] = layers[:most]
    return rows.ravel()


def _at_level(marker: Any, profiles: Frame, level: Any, number: xr.Variable) -> xr.Variable:
    """Return the layers of each profile, between the crossings of a level."""
    crossed = units.dequantify(crossings(marker, level=level, gaps="bridge"))
    names = (profiles.axis, "stderr", "direction", "status")
    *edges, status = (crossed.variables[n] for n in names)
    size = _SIZE * (1 + edges[0].sizes["crossing"] // 2)
    return profiles.each(_layers, *edges, number, status[..., 0], whole=["crossing"], size=size)


def _resolved(
    profiles: Frame, part: dict[str, xr.Variable], below: list[xr.Variable], *, stated: bool
) -> dict[str, xr.Variable]:
    """Return layers with the statuses of what they rest on; edges among lost samples have no depth.

    At a stated level only what edges rest on matters; of samples below a limit, always.
    """
    along: Any = {"whole": ("layer",), "extra": ("layer",)}
    codes, ends = part["status"].astype(np.uint8), (part["top"], part["bottom"])
    is_layer = ends[0].notnull() | ends[1].notnull() | (codes == Status.TRUNCATED)
    at = [profiles.map(support_of_points, end, **along).flags for end in ends]
    inside = support_of_window(profiles, ends)
    separate = _LOST | Flag.SATURATED if stated else Flag.BELOW_LIMIT
    flags = at[0] | at[1] | (inside.flags.where(is_layer, 0).astype(np.int16) & ~separate)
    low, zero = np.int16(Flag.BELOW_LIMIT), np.int16(0)
    for end, possible in zip(ends, below, strict=True):
        flags = flags | xr.where(is_layer & end.isnull() & possible, low, zero)
    what = "no depth is given for a layer that begins or ends in it"
    support = changed(inside, flags=flags.transpose(*codes.dims).astype(np.int16))
    resolved = {**part, "status": resolve(profiles, codes, support, ends, what=what)}
    for name, flagged in zip(("top", "bottom"), at, strict=True):
        if not profiles.bridge:
            lost = flagged & _LOST != 0
            for column in (name, f"{name}_stderr", "thickness_stderr"):
                resolved[column] = resolved[column].where(~lost)
    return resolved | {"thickness": resolved["bottom"] - resolved["top"]}


def _opened(data: Any, species: str | None, variable: str | None, gaps: str) -> tuple[Any, Frame]:
    if species is not None or getattr(data, "sizes", {}).get("species", 1) > 1:
        data = one_species(data, species)
    how: dict[str, Any] = {"variable": variable, "axes": vocabulary.AXES, "gaps": gaps}
    profiles = open_frame(data, question="a layer", **how)
    if isinstance(data, xr.Dataset):
        variables = [profiles.name, *(f"{profiles.name}_{end}" for end in vocabulary.OF_SAMPLES)]
        data = data[[name for name in variables if name in data]]
    refuse_dimensions(profiles, "layer", "crossing")
    if profiles.lazy:
        text = "layers of Dask data are not known ahead; give data.compute()"
        raise ProfileError(text, code="dask_data")
    return data, profiles


def _warn_of_noise(profiles: Frame, level: xr.Variable) -> None:
    """Warn of the first profile whose layers, or what is between them, noise may have made."""
    number = profiles.each(_short_and_shallow, level, size=1)[..., 0]
    first = first_flagged(profiles, number >= _RULES.several)
    if first is not None:
        first.warn(
            f"{first.of(number):.0f} of the layers, or of what lies between them, "
            "are of one or two samples near the level, as from noise, and the data have no "
            "standard errors: with_counting_statistics() adds them, and then the crossings of a "
            "noisy edge count as one",
            ProfileWarning,
            code="missing_variable",
        )


def _short_and_shallow(z: Array, c: Array, _: Array, __: Array, level: float) -> Array:
    """Count the runs of samples on one side of a level that are short and stay near it."""
    c = c[in_order(z, c)]
    change = np.flatnonzero(np.diff(c > level))
    runs = [c[i + 1 : j + 1] for i, j in pairwise(change)]
    near = [
        run.size <= _RULES.short and max(run.max() / level, level / run.min()) < _RULES.shallow
        for run in runs
        if run.min() > 0 < level
    ]
    return np.array([float(sum(near))])


def _layers(z: Array, c: Array, _: Array, __: Array, *marks: Any) -> Array:
    *crossing, level, otherwise = marks
    depth, stderr, direction = map(np.array, crossing)
    above, finite = c[in_order(z, c)] > level, np.flatnonzero(np.isfinite(depth))
    edges = [("rising", np.nan, np.nan)] if above[:1].any() else []
    edges += [(str(direction[i]), depth[i], stderr[i]) for i in finite]
    edges += [("falling", np.nan, np.nan)] if above[-1:].any() else []
    layers = []
    for (side, top, upper), (other, bottom, lower) in pairwise(edges):
        if side == "rising" != other:
            code = Status.TRUNCATED if np.isnan([top, bottom]).any() else Status.OK
            layers.append(Layer(code, top, upper, bottom, lower, np.hypot(upper, lower)))
    return _padded(layers or [Layer(Status[otherwise.upper()])], 1 + depth.size // 2)


def _dataset(part: dict[str, xr.Variable], profiles: Frame, *, widths: bool) -> xr.Dataset:
    texts = {
        "top": ("interface_position", "where the layer begins"),
        "bottom": ("interface_position", "where the layer ends"),
        "thickness": ("layer_thickness", "from top to bottom"),
    }
    if widths:
        texts["top_width"] = "interface_width", "of the interface above, from 16 % to 84 %"
        texts["bottom_width"] = "interface_width", "of the interface below, from 16 % to 84 %"
    answer = {}
    for name, (term, text) in texts.items():
        words = name.replace("_", " ")
        error = f"Standard error of {words}, random part"
        for end, long_name in (("", words.capitalize()), ("_stderr", error)):
            how = {"units_": profiles.axis_units, "long_name": long_name, "description": text}
            answer[f"{name}{end}"] = profiles.with_attrs(part[f"{name}{end}"], term, **how)
    answer["status"] = profiles.status(part["status"])
    coords = {}
    if (limit := profiles.highest_limit) is not None:
        coords["detection_limit"] = profiles.with_attrs(
            limit, "detection_limit", units_=profiles.units
        )
    return profiles.dataset(answer, coords=coords)
