"""Align the depths of one profile with those of another; values are never changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
import xarray as xr

from sims_analysis import units, vocabulary
from sims_analysis.conventions.axes import MEASUREMENT, POINT
from sims_analysis.conventions.cells import edge_names
from sims_analysis.conventions.provenance import with_history
from sims_analysis.conventions.species_metadata import without_samples
from sims_analysis.dataset.pairs import paired
from sims_analysis.errors import ProfileError, SpeciesError
from sims_analysis.frame.call import processing_step
from sims_analysis.frame.evidence import resolve, sample_evidence, support_of_window
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import open_frame
from sims_analysis.frame.run import replaced_where
from sims_analysis.frame.window import NO_LIMITS
from sims_analysis.kernels.rows import Array
from sims_analysis.outcomes import Flag
from sims_analysis.quantification.depth_shifts import (
    best_shift,
    between_markers,
    edge_depth,
    vertex,
)
from sims_analysis.text.arguments import argument_error, check_choice, read_name
from sims_analysis.units import Data, QuantityLike

Method = Literal["cross-correlation", "log-correlation", "edge", "peak", "markers"]
Marker = str | tuple[QuantityLike, QuantityLike]

_CORRELATIONS = ("cross-correlation", "log-correlation")
#: The coordinate with what was added to an axis, and what it holds.
_SHIFTS = {"depth": ("depth_shift", "depths"), "sputter_time": ("time_shift", "times")}
#: The feature of the marker that a method uses.
_NEEDS = {"peak": "maximum", "edge": "edge"}


@processing_step(of="b")
def align(
    a: xr.Dataset | xr.DataArray,
    b: Data,
    *,
    marker: str | None = None,
    method: Method = "cross-correlation",
    level: QuantityLike | None = None,
    fraction: float | str | None = None,
    edge: Literal["trailing", "leading"] = "trailing",
    max_shift: QuantityLike | None = None,
    markers: Sequence[Marker] | None = None,
    variable: str | None = None,
) -> Data:
    """Shift, or stretch, the depths of b so that its profiles coincide with those of a.

    Not to be trusted where the profiles differ in shape: a shift makes up for what is no shift.

    Parameters
    ----------
    a : Dataset or DataArray
        The reference: one measurement, over depth or over sputter time.
    b : Dataset or DataArray
        One measurement, or a batch, each measurement of which is aligned separately.
    marker : str, optional
        The species to align by (a delta layer, the matrix); by default all common species.
    method : {"cross-correlation", "log-correlation", "edge", "peak", "markers"}
        Maximize the correlation coefficient of the profiles (or of their logarithms) over their
        overlap; match the depths at which an edge of the marker crosses a level (best at an
        interface), or its maxima (of the parabola through ln C of three samples).
    level, fraction : str or Quantity, float or str, optional
        For ``method="edge"``: a level, or a fraction of the maximum of each profile instead,
        ``0.5`` or ``"50 %"``.
    edge : {"trailing", "leading"}
        For ``method="edge"``: the deepest fall below the level, or the first rise above it.
    max_shift : str or Quantity, optional
        Largest shift that a correlation tries; by default half of the shorter record.
    markers : sequence of str or (str, str), optional
        For ``method="markers"``, two or more: species whose maxima coincide, or pairs of depths in
        a and in b, ``("51.2 nm", "48 nm")``. Depths of b are moved along straight lines between
        (and beyond) the markers, as another raster or sputter rate needs it.
    variable : str, optional
        The variable of Datasets to align by.

    Returns
    -------
    Dataset or DataArray
        `b` with shifted depths and unchanged values. The coordinate ``depth_shift`` (over sputter
        time ``time_shift``) is what was added to the depths, and ``correlation`` its value there.
        Measurements of a batch get axes of their own. Dask data are computed.

    Raises
    ------
    ProfileError
        If no shift within `max_shift` is better than its neighbours, a profile does not cross the
        level, a species has fewer than five samples, or markers are fewer than two or in another
        order in b than in a.
    SpeciesError, UnitsError
        If the marker is absent, or the two have no species or no kind of unit in common.

    Notes
    -----
    A factor between the profiles does not matter. They are monotone cubics between samples (Fritsch
    and Carlson 1980): without noise, shifts are known to 0.01 samples.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> moved = ds.assign_coords(depth=ds["depth"] + 3.21)
    >>> moved["depth"].attrs["units"] = "nm"
    >>> float(sims.align(ds, moved, marker="B")["depth_shift"].round(2))
    -3.21
    """
    _check(marker, method, level, fraction, edge, max_shift, markers)
    pair = paired(a, b)
    if MEASUREMENT in a.dims:
        raise ProfileError(
            "a: expected one measurement to align to, found a batch",
            code="several_measurements",
            argument="a",
            remedy="select one, as in a.isel(measurement=0)",
        )
    if marker is not None:
        pair = tuple(_only(data, marker, name) for data, name in zip(pair, "ab", strict=True))
    fa, fb = _opened(*pair, variable)
    for frame in (fa, fb) if method != "markers" else ():
        ok = xr.zeros_like(frame.measured(), dtype=np.uint8)
        support = support_of_window(frame, NO_LIMITS)
        resolve(frame, ok, support, what="the shift may depend on it")
    if method in _CORRELATIONS:  # a sharp rise that is no part of the profile outweighs all others
        fa, fb = (_without_artefacts(frame) for frame in (fa, fb))
    how = f"shifted ({method}, {f'marker {marker!r}' if marker else 'all species'})"
    find: Callable[..., Matched] = partial(_by_samples, fa, method=method)
    if markers is not None:
        find = partial(_by_markers, fa, markers=markers)
        how = f"moved between {len(markers)} markers"
    elif method == "edge":
        height = None if level is None else units.read_number(level, (fa.kind,), "level")
        part = fraction
        if part is not None:
            part = units.read_fraction(part, "fraction", of="the maximum")
        find = partial(find, level=height, part=part, falling=edge == "trailing")
    elif max_shift is not None:
        find = partial(find, max_shift=units.read_number(max_shift, (fa.axis,), "max_shift"))
    measurements = [(fb, "")]  # by their names; that of a single one is empty
    if MEASUREMENT in fb.sizes:
        places = ({MEASUREMENT: i} for i in range(fb.sizes[MEASUREMENT]))
        measurements = [(fb.of_profile(**at), f"{fb.label(at)}: ") for at in places]
    matched = [find(*measurement) for measurement in measurements]
    pairs = np.array([match.pairs for match in matched])
    correlation = np.array([match.correlation for match in matched])
    moved: Data = _moved(b, fa.axis, pairs, method=method, how=how)
    if method in _CORRELATIONS:
        shift = moved[_SHIFTS[fa.axis][0]].variable
        attrs = vocabulary.attrs("correlation")
        along = xr.Variable(shift.dims, correlation.reshape(shift.shape), attrs)
        moved = moved.assign_coords(correlation=along)
    return moved


def _check(
    marker: Any, method: Any, level: Any, fraction: Any, edge: Any, max_shift: Any, markers: Any
) -> None:
    """Refuse options that do not go together."""
    check_choice("method", method, get_args(Method))
    check_choice("edge", edge, ("trailing", "leading"))
    if method in _NEEDS and marker is None:
        raise ProfileError(
            f'method="{method}" needs the marker whose {_NEEDS[method]} it aligns',
            argument="marker",
        )
    for wrong, text in (
        (
            (level is not None) + (fraction is not None) != (method == "edge"),
            'method="edge" needs either level or fraction, and no other method takes them',
        ),
        (
            (markers is not None) != (method == "markers"),
            'method="markers" needs markers, and no other method takes them',
        ),
        (markers is not None and marker is not None, "give marker or markers, not both"),
    ):
        if wrong:
            raise ProfileError(text, code="conflicting_arguments")
    if max_shift is not None and method not in _CORRELATIONS:
        expected = f'only correlations search, not method="{method}"'
        raise argument_error("max_shift", max_shift, expected)
    if markers is not None and (isinstance(markers, str) or len(markers) < 2):
        raise argument_error(
            "markers", markers, "expected two or more: species, or pairs of depths"
        )


def _opened(a: Any, b: Any, variable: str | None) -> tuple[Frame, Frame]:
    """Open the reference, and what is aligned with it."""
    fa = open_frame(a, question="an alignment", variable=variable, axes=vocabulary.AXES)
    fb = open_frame(
        b, (fa.kind,), question="an alignment with these data", variable=variable, axes=(fa.axis,)
    )
    for name, frame in (("a", fa), ("b", fb)):
        for dim in frame.lead:
            if dim not in ("species", MEASUREMENT):
                raise ProfileError(
                    f"{name} has the dimension {dim!r}; expected a single measurement, or for b "
                    f"a batch over {MEASUREMENT!r}: select one with {name}.isel({dim}=0)",
                    argument=name,
                )
    # Computed, because where there is no shift an error is raised.
    plain: Any = {"stderr": None, "counts": None, "lower": None, "upper": None}
    first, second = (
        replace(f, depth=f.depth.compute(), value=f.value.compute(), **plain) for f in (fa, fb)
    )
    return first, second


def _without_artefacts(frame: Frame) -> Frame:
    """Return a frame without its saturated samples, and those of a surface transient."""
    flags = sample_evidence(frame).flags
    if flags is None:
        return frame
    artefact = (flags & np.int16(Flag.SATURATED | Flag.TRANSIENT)) != 0
    return replace(frame, value=replaced_where(artefact, frame.value))


def _only(data: Any, marker: str, name: str) -> Any:
    marker = read_name("marker", marker)
    species = np.atleast_1d(data["species"].values).tolist() if "species" in data.coords else []
    if marker not in species:
        raise SpeciesError.missing(marker, species, name, argument="marker").within("marker")
    return data.sel(species=[marker]) if "species" in data.dims else data


class Matched(NamedTuple):
    """Depths in b, and to which depths in a they belong, (2, k); and the correlation, or NaN."""

    pairs: Array
    correlation: float = np.nan


def _by_samples(fa: Frame, fb: Frame, quantity: str, *, method: str, **how: Any) -> Matched:
    """Match edges, maxima, or the whole profiles of the species with five samples in both."""
    names = _species_of(fa) or [""]
    pairs = []
    for row, name in enumerate(names):
        first, other = _samples(fa, row), _samples(fb, row)
        if min(first[0].size, other[0].size) >= _FEWEST:
            pairs.append((*first, *other))
        elif len(names) == 1:
            raise ProfileError(
                f"species {name!r} has {first[0].size} samples in a and {other[0].size} in "
                f"{quantity.removesuffix(': ') or 'b'}; an alignment needs five in each",
                code="too_few_values",
                where={"species": name},
            )
    if not pairs:
        raise ProfileError("no species has five samples in both a and b", code="too_few_values")
    in_a, in_b = pairs[0][:2], pairs[0][2:]
    if method == "peak":
        return Matched(np.array([[vertex(*in_b)], [vertex(*in_a)]]))
    if method == "edge":
        to = _edge(fa, *in_a, "a", **how)
        return Matched(np.array([[_edge(fb, *in_b, f"{quantity}b", **how)], [to]]))
    shift, correlation = best_shift(pairs, log=method == "log-correlation", **how)
    if np.isnan(shift):
        raise ProfileError(
            f"{quantity}no shift stands out: the correlation is flat, or highest at the end of the "
            "searched range; choose a marker with structure, or another max_shift",
            code="undetermined",
        )
    return Matched(np.array([[0.0], [shift]]), correlation)


#: Samples of a species that an alignment needs.
_FEWEST = 5


def _edge(
    frame: Frame, depth: Array, value: Array, name: str, *, level: Any, part: Any, falling: bool
) -> float:
    """Return the depth at which the marker crosses a level, or a part of its maximum."""
    level = part * float(value.max()) if level is None else level
    depth_of_edge = edge_depth(depth, value, level, falling=falling)
    if np.isnan(depth_of_edge):
        does = "fall below" if falling else "rise above"
        raise ProfileError(
            f"{name} does not {does} the level, {level:.4g} {frame.units}: its values run from "
            f"{value.min():.4g} to {value.max():.4g}",
            code="never_reached",
        )
    return depth_of_edge


def _by_markers(fa: Frame, fb: Frame, _: str, *, markers: Sequence[Marker]) -> Matched:
    """Match markers, in order of depth in b."""
    pairs: list[tuple[float, float]] = []
    for i, marker in enumerate(markers):
        if isinstance(marker, str):
            of_a, of_b = _species_of(fa), _species_of(fb)
            if marker not in of_a or marker not in of_b:
                common = ", ".join(name for name in of_a if name in of_b) or "none"
                raise SpeciesError(
                    f"markers[{i}]={marker!r} is not in both; common are {common}",
                    argument="markers",
                )
            in_a = vertex(*_samples(fa, of_a.index(marker)))
            pairs.append((vertex(*_samples(fb, of_b.index(marker))), in_a))
            continue
        in_a, in_b = (
            units.read_number(depth, (fa.axis,), f"markers[{i}] in {whose}")
            for depth, whose in zip(marker, "ab", strict=True)
        )
        pairs.append((in_b, in_a))
    at, to = np.array(sorted(pairs)).T
    if not ((np.diff(at) > 0).all() and (np.diff(to) > 0).all()):
        raise ProfileError(
            f"the markers are in different orders: at {np.round(to, 4).tolist()} {fa.axis_units} "
            f"in a and at {np.round(at, 4).tolist()} {fa.axis_units} in b",
            argument="markers",
        )
    return Matched(np.stack([at, to]))


def _species_of(frame: Frame) -> list[str]:
    """Return the names of the species in the order of the rows; none without such a coordinate."""
    names = frame.coords.get("species")
    return [] if names is None else [str(name) for name in np.atleast_1d(names.values)]


def _samples(frame: Frame, row: int) -> tuple[Array, Array]:
    """Return the samples of one species of several, or of the only one."""
    z, c = (a[row] if a.ndim > 1 else a for a in (frame.depth.values, frame.value.values))
    measured = ~(np.isnan(z) | np.isnan(c))
    return z[measured], c[measured]


def _moved(b: Any, axis: str, pairs: Array, *, method: str, how: str) -> Any:
    """Return data moved between (and beyond) `pairs` of depths, (m, 2, k); one pair is a shift."""
    b = units.with_plain_axes(b)
    names = [axis, *edge_names(b, axis)]
    batch = {MEASUREMENT: len(pairs)} if MEASUREMENT in b.dims else {}
    # Each measurement of a batch is moved by a different amount, and needs its own axis.
    renamed = {axis: POINT} if batch and axis in b.dims else {}
    new, shifts = {}, []
    for name in names:
        # By the CF conventions, bounds are in the unit of their axis and have no attrs.
        variable = units.dequantify(b[name]).variable
        stated = b[axis].variable if name.endswith("_bounds") else variable
        unit = units.magnitude_and_unit(stated, (axis,), name)[1]
        start = xr.Variable(variable.dims, unit.to_canonical(variable.data))
        start = start.set_dims({**batch, **start.sizes}).transpose(*batch, ...)
        rows = start.values.reshape(len(pairs), *start.shape[len(batch) :])
        ends = [between_markers(z, *pair) for z, pair in zip(rows, pairs, strict=True)]
        shifts.append(xr.Variable(start.dims, np.reshape(ends, start.shape)) - start)
        # Depths that were converted there and back would move even where the shift is 0.
        moved = variable + xr.Variable(start.dims, unit.from_canonical(shifts[-1].data))
        dims = [renamed.get(str(d), d) for d in start.dims]
        new[name] = xr.Variable(dims, moved.transpose(*start.dims).data, variable.attrs)
    if renamed:
        b = b.drop_vars(names).rename(renamed)
    b = without_samples(b).assign_coords(new)
    name, verb = _SHIFTS[axis]
    line = f"{verb} {how}"
    shift = xr.Variable(b[axis].dims, shifts[0].data)
    if pairs.shape[-1] == 1:
        by = pairs[:, 1, 0] - pairs[:, 0, 0]
        shift = xr.Variable(tuple(batch), by.reshape(tuple(batch.values())))
    shift.attrs = vocabulary.attrs(name) | {"method": method, "description": line}
    return with_history(b.assign_coords({name: shift}), line)
