"""From signals to a result: what the user states is applied, what is doubtful is warned of."""

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
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import ENCODINGS, Options, Source
from sims_analysis.readers.tables.header_cells import names_species, same_unit, unit_kind
from sims_analysis.readers.tables.numbers import is_number
from sims_analysis.units import read_unit, unit_of_kind


def make_results(content: Content, source: Source) -> list[SIMSResult]:
    """Make the result of what a format's reader gave, or one of each sample."""
    name = content.data_id = content.data_id or source.name.rpartition(".")[0] or source.name
    for part in content.parts:
        part.data_id = f"{name} {part.metadata.sample}"
    origin = {
        "source": f"file:{source.name}",
        "sha256": source.sha256,
        "format": source.trace.format or "",
        "reader": f"{source.trace.version}, sims_analysis {__version__}",
    }
    return [_result(part, source, origin) for part in content.parts or [content]]


def _result(content: Content, source: Source, origin: dict[str, str]) -> SIMSResult:
    """Make the result of one sample."""
    options, signals = source.options, content.signals
    if content.ready is not None:
        stated = [n for n in ("depth_units", "units", "species") if getattr(options, n) is not None]
        if stated:
            warn(
                f"{', '.join(f'{name}=' for name in stated)} is not used: the file states "
                "everything of its profiles",
                ProfileWarning,
                code="unused_argument",
            )
        return replace(content.ready, provenance=content.ready.provenance | origin)
    if not signals:
        text = "the file contains no profile: no signal has a number"
        raise ReadError(text, code="no_profile")
    _rename(signals, source)
    _state_units(signals, options)
    if options.number_repeats:
        _number_repeats(signals)
    metadata = replace(
        content.metadata,
        file=source.name,
        sha256=source.sha256,
        format=origin["format"],
        reader=origin["reader"],
    )
    axes: dict[tuple[int, ...], tuple[Array, Array]] = {}
    data_id, fields = content.data_id or "", metadata.to_dict()
    profiles = [_profile(signal, _axis(signal, axes), data_id, fields) for signal in signals]
    warn_of_implausible(profiles)
    return SIMSResult(data_id=data_id, depth_profiles=profiles, provenance=origin)


def _rename(signals: list[Signal], source: Source) -> None:
    """Name the signals as the user states, and require the other names."""
    stated = source.options.species
    if stated is not None:
        names = [stated] if isinstance(stated, str) else list(stated)
        if len(names) != len(signals):
            texts = ", ".join(repr(s.name) if s.name else s.where for s in signals)
            raise SpeciesError(
                f"expected a name for each of {len(signals)} signals ({texts}), found {len(names)}",
                argument="species",
            )
        for signal, name in zip(signals, names, strict=True):
            signal.name = name
    nameless = [signal.where for signal in signals if not signal.name]
    if nameless:
        expected = f"a name for each of the {len(signals)} signals in order"
        raise SpeciesError(
            f"the file does not name the species of {', '.join(nameless)}",
            code="missing_species",
            argument="species",
            remedy=f"pass species=, {expected if len(signals) > 1 else 'its name'}",
        )
    for signal in signals:
        # No letters of Western languages make it, and the encoding is not stated.
        if source.is_garbled(signal.name):
            raise SpeciesError(
                f"the name {signal.name!r} is not in the encoding that the file was read in",
                code="unknown_encoding",
                argument="encoding",
                remedy=f"pass encoding=, such as {ENCODINGS}",
            )


def _state_units(signals: list[Signal], options: Options) -> None:
    """Fill in the units that the user states, and require the others."""
    units = options.units
    if isinstance(units, Mapping):
        names = {signal.name for signal in signals}
        unknown = [name for name in units if name not in names]
        if unknown:
            raise SpeciesError(
                f"units are stated for {', '.join(map(repr, unknown))}; the file has "
                f"{', '.join(map(repr, sorted(names)))}",
                argument="units",
            )
    some = any(signal.units for signal in signals)
    for signal in signals:
        in_file = signal.depth_units
        signal.depth_units = _unit(signal.name, "depth_units", in_file, options.depth_units)
        by_user = units.get(signal.name) if isinstance(units, Mapping) else units
        signal.units = _unit(signal.name, "units", signal.units, by_user, some=some)
        limit = signal.metadata.get("detection_limit", "")
        if limit and is_number(limit):
            signal.metadata["detection_limit"] = f"{limit} {signal.units}"
        # Edges of cells have the unit of the depths, also where the user states another.
        for name, of_file, unit in (
            ("detection_limit", None, signal.units),
            ("cell_start", in_file, signal.depth_units),
            ("cell_stop", in_file, signal.depth_units),
        ):
            column = signal.ancillary.get(name)
            if column is not None and column.units in (None, of_file) and of_file != unit:
                signal.ancillary = {**signal.ancillary, name: replace(column, units=unit)}


def _unit(
    species: str, argument: str, in_file: str | None, by_user: str | None, *, some: bool = False
) -> str:
    """Return the unit that the user states, or the file, which may have those of `some` values."""
    subject, depths = f"species {species!r}: {argument}", argument == "depth_units"
    kinds = vocabulary.AXES if depths else vocabulary.VALUE_KINDS
    try:
        if by_user is None:
            return unit_of_kind(in_file, kinds, subject).text
        unit = unit_of_kind(by_user, kinds, subject)
    except UnitsError as error:
        if by_user is None:
            remedy = f"if that is one of these in another spelling, {argument}= says which"
            if in_file is None:
                quantity = "depths" if depths else "values"
                text = f"species {species!r}: no line of the file states the unit of its {quantity}"
                by_species = f'"atoms/cm^3", or {{{species!r}: "counts/s"}} by species'
                examples = '"nm", "um" or "s"' if depths else by_species
                remedy = f"pass {argument}=, such as {examples}"
                if some and names_species(species) and not species.endswith((")", "]")):
                    remedy = f'pass units={{{species!r}: "atoms/cm^3"}}, or what its unit is'
                elif some:
                    text = f"{species!r} states no unit of values, as the others do"
                    remedy = 'columns={"B": (axis, values)} says which columns to read'
            else:
                text = f"{error.message}; the file states it so"
                if error.code == UnitsError.code:
                    # Another one would make depths of times, or values of depths.
                    remedy = 'columns={"B": (axis, values)} says which columns to read instead'
            error.args = (text,)
            error.add(remedy=remedy)
        raise error.add(argument=argument, where={"species": species}) from None
    # "Intensity" leaves the unit open.
    is_open = in_file is None or unit_kind(in_file) == "arbitrary"
    if not is_open and not same_unit(in_file or "", by_user):
        text = f"{subject}: the file says {in_file!r}; taken as {by_user!r}, as stated"
        place = {"species": species}
        warn(text, ProfileWarning, code="other_unit", argument=argument, where=place)
    return unit.text


def _number_repeats(signals: list[Signal]) -> None:
    """Distinguish signals of one name and kind by a number."""
    keys = [(signal.name, read_unit(signal.units or "").kind) for signal in signals]
    counts, counts_so_far = Counter(keys), Counter[tuple[str, str]]()
    for signal, key in zip(signals, keys, strict=True):
        if counts[key] > 1:
            counts_so_far[key] += 1
            signal.name = f"{signal.name} ({counts_so_far[key]})"


def _axis(signal: Signal, axes: dict[tuple[int, ...], tuple[Array, Array]]) -> Array:
    """Return the depths of a signal, read-only; those that share an axis share its array."""
    depths = signal.depths
    # Views of one column begin at one address; `given` is kept, so that it stays theirs.
    key = (depths.__array_interface__["data"][0], depths.size, *depths.strides)
    if key not in axes:
        bad = ~np.isfinite(depths)
        if bad.any():
            row = int(bad.argmax())
            raise ReadError(
                f"species {signal.name!r}, sample {row + 1}: it has a value, "
                f"{signal.values[row]:g}, but no depth",
                code="missing_depth",
                where={"species": signal.name},
            )
        axes[key] = depths, _read_only(depths)
    return axes[key][1]


def _read_only(array: Array) -> Array:
    """Return what was read as it is, or a column of it: no other code writes into it."""
    view = np.ascontiguousarray(array, dtype=np.float64).view()
    view.setflags(write=False)
    return view


def _profile(signal: Signal, depths: Array, data_id: str, about: dict[str, Any]) -> DepthProfile:
    values = signal.values
    metadata: dict[str, Any] = dict(signal.metadata)
    infinite = np.isinf(values)
    if infinite.any():
        metadata["infinite_values"] = str(np.count_nonzero(infinite))
        values = np.where(infinite, np.nan, values)
    extra: dict[str, Any] = {FIELD: about}
    if signal.ancillary:
        extra["columns"] = {name: column.to_dict() for name, column in signal.ancillary.items()}
    fields: dict[str, Any] = {
        "data_id": data_id,
        "species_name": signal.name,
        "depths": depths,
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
