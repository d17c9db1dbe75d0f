"""From signals to a result: what the user states is applied, what is doubtful is told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from sims_analysis import vocabulary
from sims_analysis._version import __version__
from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import ProfileWarning, ReadError, SpeciesError, UnitsError, warn
from sims_analysis.kernels.rows import Array
from sims_analysis.profiles.metadata import FIELD
from sims_analysis.profiles.plausibility import warn_of_implausible
from sims_analysis.profiles.profile import DepthProfile
from sims_analysis.readers.heads import same_unit, unit_kind
from sims_analysis.readers.numbers import is_number
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import ENCODINGS, Options, Source
from sims_analysis.units import read_unit, unit_of_kind

__all__ = ["finish"]


def finish(content: Content, source: Source) -> list[SIMSResult]:
    """Make the result of what a format's reader gave, or one of each sample.

    Raises
    ------
    UnitsError
        If a unit is stated nowhere, or is none of a depth, a time or a value.
    SpeciesError
        If the user states something of a species that the file does not hold.
    """
    name = content.data_id or source.name.rpartition(".")[0] or source.name
    for part in content.parts:
        part.data_id = f"{name} {part.metadata.sample}"
    return [_result(part, source) for part in content.parts or [content]]


def _result(content: Content, source: Source) -> SIMSResult:
    """Make the result of one sample; errors as of :func:`finish`."""
    options, signals, origin = source.options, content.signals, _provenance(source)
    if content.ready is not None:
        stated = [n for n in ("depth_units", "units", "species") if getattr(options, n) is not None]
        if stated:
            warn(
                f"{', '.join(f'{name}=' for name in stated)} is not used: the file says all of its "
                "profiles itself",
                ProfileWarning,
            )
        return replace(content.ready, provenance=content.ready.provenance | origin)
    if not signals:
        raise ReadError("the file holds no profile: no signal has a number in it")
    _rename(signals, options)
    _refuse_garbled(signals, source)
    _state_units(signals, options)
    if options.number_repeats:
        _number_repeats(signals)
    _warn_of_zeros(signals)
    infinite = _infinities(signals)
    metadata = replace(
        content.metadata,
        file=source.name,
        sha256=source.sha256,
        format=origin["format"],
        reader=origin["reader"],
    )
    about = metadata.to_dict()
    data_id = content.data_id or source.name.rpartition(".")[0] or source.name
    axes = _Axes()
    profiles = [
        _profile(signal, count, axes, data_id, about)
        for signal, count in zip(signals, infinite, strict=True)
    ]
    warn_of_implausible(profiles)
    return SIMSResult(data_id=data_id, depth_profiles=profiles, provenance=origin)


def _provenance(source: Source) -> dict[str, str]:
    return {
        "source": f"file:{source.name}",
        "sha256": source.sha256,
        "format": source.trace.format or "",
        "reader": f"{source.trace.version}, sims_analysis {__version__}",
    }


def _rename(signals: list[Signal], options: Options) -> None:
    if options.species is not None:
        names = [options.species] if isinstance(options.species, str) else list(options.species)
        if len(names) != len(signals):
            found = ", ".join(repr(s.name) if s.name else s.where for s in signals)
            raise SpeciesError(
                f"species= names {len(names)}, the file holds {len(signals)} signals: {found}"
            )
        for signal, name in zip(signals, names, strict=True):
            signal.name = name
    nameless = [signal.where for signal in signals if not signal.name]
    if nameless:
        raise SpeciesError(
            f"the file does not name the species of {', '.join(nameless)}; pass species=, "
            f"a name for each of the {len(signals)} signals in order"
        )


def _refuse_garbled(signals: list[Signal], source: Source) -> None:
    """Refuse names that no letters of Western languages make, in an encoding that nobody states."""
    for signal in signals:
        if source.is_garbled(signal.name):
            raise SpeciesError(
                f"the name {signal.name!r} is not in the encoding that the file was read in; pass "
                f"encoding=, such as {ENCODINGS}"
            )


def _state_units(signals: list[Signal], options: Options) -> None:
    """Fill in the units that the user states, and demand those that nobody does."""
    units = options.units
    if isinstance(units, Mapping):
        names = {signal.name for signal in signals}
        unknown = [name for name in units if name not in names]
        if unknown:
            raise SpeciesError(
                f"units= names {', '.join(map(repr, unknown))}; the file holds "
                f"{', '.join(map(repr, sorted(names)))}"
            )
    known: dict[tuple[str | None, str | None, tuple[str, ...]], str] = {}

    def state(
        in_file: str | None, by_user: str | None, who: str, kinds: tuple[str, ...], advice: str
    ) -> str:
        if not isinstance(by_user, str | None):
            raise UnitsError(
                f"{who}: a unit is a text, found {by_user!r}; different ones for species are a "
                'mapping, units={"B": "atoms/cm^3", "Si": "counts/s"}'
            )
        key = in_file, by_user, kinds
        if key in known:
            return known[key]
        text = _unit_text(in_file, by_user, who, kinds, advice)
        # What the user states otherwise than the file is told of each species.
        if in_file is None or by_user is None or _same(in_file, by_user):
            known[key] = text
        return text

    for signal in signals:
        who, in_file = f"species {signal.name!r}", signal.depth_units
        signal.depth_units = state(
            in_file,
            options.depth_units,
            f"{who}: depth_units",
            vocabulary.AXES,
            "no line of the file states the unit of its depths; pass depth_units=, such as "
            '"nm", "um" or "s"',
        )
        own = units.get(signal.name) if isinstance(units, Mapping) else units
        signal.units = state(
            signal.units,
            own,
            f"{who}: units",
            vocabulary.VALUE_KINDS,
            "no line of the file states the unit of its values; pass units=, such as "
            f'"atoms/cm^3", or {{{signal.name!r}: "counts/s"}} by species',
        )
        _unit_of_limits(signal)
        # Edges of cells have the unit of the depths, also where the user states another.
        for name in signal.beside.keys() & {"cell_start", "cell_stop"}:
            column = signal.beside[name]
            if in_file != signal.depth_units and column.units in (None, in_file):
                signal.beside = {**signal.beside, name: replace(column, units=signal.depth_units)}


def _unit_of_limits(signal: Signal) -> None:
    """Give limits the unit of the values, which the user may have stated."""
    limit = signal.metadata.get("detection_limit", "")
    if limit and is_number(limit):
        signal.metadata["detection_limit"] = f"{limit} {signal.units}"
    column = signal.beside.get("detection_limit")
    if column is not None and column.units is None:
        signal.beside = {**signal.beside, "detection_limit": replace(column, units=signal.units)}


def _unit_text(
    in_file: str | None, by_user: str | None, who: str, kinds: tuple[str, ...], advice: str
) -> str:
    if by_user is not None:
        unit = unit_of_kind(by_user, kinds, who)
        if in_file is not None and not _same(in_file, by_user):
            warn(
                f"{who}: the file says {in_file!r}; taken as {by_user!r}, as stated",
                ProfileWarning,
            )
        return unit.text
    if in_file is None:
        raise UnitsError(f"{who.rpartition(': ')[0]}: {advice}")
    try:
        return unit_of_kind(in_file, kinds, who).text
    except UnitsError as error:
        argument = who.rpartition(" ")[2]
        other = unit_kind(in_file) in vocabulary.AXES and kinds != vocabulary.AXES
        axis = ', or columns={"B": (axis, values)} if these are depths or times' if other else ""
        raise UnitsError(f"{error}. So the file says; pass {argument}= to state it{axis}") from None


def _same(in_file: str, by_user: str) -> bool:
    # "Intensity" leaves the unit open.
    return unit_kind(in_file) == "arbitrary" or same_unit(in_file, by_user)


def _number_repeats(signals: list[Signal]) -> None:
    """Tell signals of one name and kind apart by a number."""
    keys = [(signal.name, read_unit(signal.units or "").kind) for signal in signals]
    counts, seen = Counter(keys), Counter[tuple[str, str]]()
    taken = {signal.name for signal in signals}
    for signal, key in zip(signals, keys, strict=True):
        if counts[key] > 1:
            seen[key] += 1
            numbered = f"{signal.name} ({seen[key]})"
            if numbered in taken:
                raise SpeciesError(
                    f"number_repeats=True would name a second signal {numbered!r}; name them "
                    "with species="
                )
            signal.name = numbered


def _warn_of_zeros(signals: list[Signal]) -> None:
    """Tell of a last row of zeros: a cycle that was not finished, or an end mark."""
    longest = max(signal.values.size for signal in signals)
    ends = [signal for signal in signals if signal.values.size == longest]
    if longest < 3 or any(np.isfinite(s.values[-1]) and s.values[-1] > 0 for s in ends):
        return
    ends = [s for s in ends if (s.values > 0).any()]
    lasts = [s.values[-1] for s in ends if np.isfinite(s.values[-1])]
    if not lasts or any(lasts):
        return
    if sum(s.values[-2] > 0 for s in ends) <= len(ends) / 2:
        return
    if len(ends) > 1 or ends[0].depths[-1] < ends[0].depths[-2]:
        where = f"{ends[0].depths[-1]:g} {ends[0].depth_units}"
        warn(
            f"the last row, at {where}, is zero in every signal: kept as delivered; "
            "an unfinished cycle or an end mark is no measurement, cut it off with .isel or .sel",
            ProfileWarning,
        )


def _infinities(signals: list[Signal]) -> list[int]:
    """Count the infinite values of each signal, and tell of them."""
    counts = [int(np.count_nonzero(np.isinf(signal.values))) for signal in signals]
    listed = [f"{s.name!r} {count}" for s, count in zip(signals, counts, strict=True) if count]
    if listed:
        more = f" and {len(listed) - 6} more" if len(listed) > 6 else ""
        warn(
            f"infinite values are taken as not measured: {', '.join(listed[:6])}{more}",
            ProfileWarning,
        )
    return counts


class _Axes:
    """The axes of a file: signals that share one share an array, looked at once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int], tuple[Array, Array]] = {}

    def of(self, signal: Signal) -> Array:
        """Give the depths of a signal, read-only.

        Raises
        ------
        ReadError
            If one of them is missing or infinite.
        """
        given = signal.depths
        # Views of one column begin at one address; `given` is kept, so that it stays theirs.
        key = (given.__array_interface__["data"][0], given.size, *given.strides)
        if key not in self._known:
            bad = ~np.isfinite(given)
            if bad.any():
                row = int(bad.argmax())
                raise ReadError(
                    f"species {signal.name!r}, sample {row + 1}: it has a value, "
                    f"{signal.values[row]:g}, but no depth"
                )
            self._known[key] = given, _read_only(given)
        return self._known[key][1]


def _read_only(array: Array) -> Array:
    """Give what was read as it is, or a column of it: nobody else writes into it."""
    view = np.ascontiguousarray(array, dtype=np.float64).view()
    view.setflags(write=False)
    return view


def _profile(
    signal: Signal,
    infinite: int,
    axes: _Axes,
    data_id: str,
    about: dict[str, Any],
) -> DepthProfile:
    values = signal.values
    metadata: dict[str, Any] = dict(signal.metadata)
    if infinite:
        metadata["infinite_values"] = str(infinite)
        values = np.where(np.isinf(values), np.nan, values)
    extra: dict[str, Any] = {FIELD: about}
    if signal.beside:
        extra["columns"] = {name: column.to_dict() for name, column in signal.beside.items()}
    fields: dict[str, Any] = {
        "data_id": data_id,
        "species_name": signal.name,
        "depths": axes.of(signal),
        "depth_units": signal.depth_units or "",
        "concentrations": values,
        "concentration_units": signal.units or "",
        "concentrations_stderr": signal.stderr,
        "species_metadata": metadata or None,
        "extra": extra,
    }
    if signal.stderr is not None or values.size != signal.depths.size or not values.size:
        return DepthProfile(**fields)
    return DepthProfile._of_checked(fields | {"concentrations": _read_only(values)})
