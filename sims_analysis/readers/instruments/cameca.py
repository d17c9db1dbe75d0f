"""CAMECA: texts, ``.dp_rpc_asc``, ``.dp_ascii`` and ``.is_txt``, and binary ``.dp`` and ``.is``.

The layout of binary files (types 21 and 26) is that of the reader ``sims`` by Z. Peeters (github
zanpeeters/sims), checked against the text export of one: counts there, counts per second here.
"""

from __future__ import annotations

import math
import re
import struct
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import numpy as np

from sims_analysis.errors import ProfileWarning, ReadError, warn
from sims_analysis.kernels.rows import Array
from sims_analysis.profiles.metadata import Layer, Metadata
from sims_analysis.readers.signals import Column, Content, Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.body import read_two_columns
from sims_analysis.readers.tables.grid import TextGrid

_FIRST = "*** DATA FILES ***"
#: Written where nothing was counted; one count a second would be 1.
_FILL = 0.001
#: The current of the primary beam, which is recorded longer than the species, and is not one.
_BEAM = "Ipr"
#: First columns of other scans in the same frame: an energy is scanned by the sample's offset.
_OTHER_KINDS = {"mass": "mass spectrum", "energy": "energy scan", "offset": "energy scan"}
#: Relative width of what six printed digits and the dead time leave open, at these few counts.
_TOLERANCE = 1e-5
_FEW_PER_SECOND = 100.0
#: Half a unit of the last of the two digits of a yield.
_ROUNDED = 0.005
#: Section -> what the program calls a thing -> its name here.
_NAMES = tomllib.loads(Path(__file__).with_name("cameca.toml").read_text(encoding="utf-8"))
_SECTION = re.compile(r"\*\*\* (.+?) \*\*\*:?")
_UNIT = re.compile(r"(.*?)\s*\(([^()]*)\)")


def recognises_cameca_rpc(source: Source) -> bool:
    """Whether the first line is that of the format, and no spreadsheet has put cells in quotes."""
    start = source.start.lstrip()
    return start.startswith(_FIRST) and not re.search(r'(?m)(?:^|[;,])"', start)


def read_cameca_rpc(source: Source) -> Content:
    """Read a profile with its calibration; mass spectra and energy scans are refused."""
    lines = source.lines
    start, names, headers = _headers(lines)
    # Spreadsheets save the tabs as commas or semicolons.
    delimiter = max("\t;,", key=lines[headers].count)
    species, groups = _signals_of(lines, names, headers, delimiter)
    beam = species[-1] == _BEAM and len(species) > 1
    stop = headers + 1
    while stop < len(lines) and not lines[stop].startswith("***"):
        stop += 1
    filled = [i for i in range(headers + 1, stop) if lines[i].strip(" \t;,")]
    if not filled:
        raise ReadError("a CAMECA file with a header but without data", code="truncated_file")
    width = _cells_each(groups, [lines[i] for i in filled], delimiter) * len(species)
    about = _FileHeader([*lines[:start], *lines[stop:]], delimiter)
    _check_whole(source, stop, len(filled), species, about)
    rows = _in_columns(lines, filled, delimiter, width) if beam else lines
    values = TextGrid(rows, source.options, delimiter=delimiter).read(filled, width).values
    columns = np.split(values, len(species), axis=1)
    signals = list(map(_signal, species, groups, columns))
    if beam:
        current = signals.pop()
        ends = f"{current.values[0]:g} to {current.values[-1]:g} {current.units or ''}".strip()
        about.sections[""]["primary current during the profile"] = ends
    for signal in signals:
        signal.metadata.update(about.of_species(signal.name))
    _add_counting(signals)
    return Content(signals=signals, metadata=about.metadata())


def _signals_of(
    lines: Sequence[str], names: int, headers: int, delimiter: str
) -> tuple[list[str], list[dict[str, str | None]]]:
    """Return the species of two lines, and the units of each."""
    species = [cell.strip() for cell in lines[names].split(delimiter) if cell.strip()]
    groups = list(_groups(lines[headers], delimiter))
    if species[1:] and species[-1] == _BEAM and len(groups) == len(species) + 1:
        # The program writes headers for one signal too many before those of the beam.
        del groups[-2]
    if len(groups) != len(species):
        raise ReadError(
            f"line {headers + 1}: {len(groups)} signals in the headers, but {len(species)} species "
            f"in line {names + 1}"
        )
    return species, groups


def _check_whole(
    source: Source, stop: int, points: int, species: Sequence[str], about: _FileHeader
) -> None:
    """Refuse a file that ends within its data, and warn of one that may end below them."""
    if not any(line.startswith("*** DATA END") for line in source.lines[stop:]):
        source.options.truncated(
            f"the file is truncated after line {stop}: the line '*** DATA END ***' is missing"
        )
    acquired = about.sections.get("acquisition parameters", {})
    stated = _number(acquired.get("# of data point/species", ""))
    if stated is not None and points < stated:
        source.options.truncated(f"the file states {stated:g} points a species, but has {points}")
    if about.layers and (lost := {*species} - {_BEAM} - {*about.layers[-1]}):
        text = "the file may be truncated below its data, without the calibration of"
        warn(f"{text} {', '.join(sorted(lost))}", ProfileWarning, code="truncated_file")


def _headers(lines: Sequence[str]) -> tuple[int, int, int]:
    """Find the line where the data start, and those of the species and of the headers."""
    start = next((i for i, line in enumerate(lines) if line.startswith("*** DATA START")), None)
    if start is not None:
        following = range(start + 1, min(start + 12, len(lines)))
        filled = [i for i in following if lines[i].strip(" \t;,")]
        if len(filled) > 2 and not any(lines[i].startswith("***") for i in filled[:3]):
            return start, filled[1], filled[2]
    raise ReadError("a CAMECA file with a header but without data", code="truncated_file")


def _cells_each(
    groups: Sequence[dict[str, str | None]], rows: Sequence[str], delimiter: str
) -> int:
    """Return how many cells the data of a species have: two where headers are of one axis alone."""
    most = max(len(row.rstrip(f"{delimiter} ").split(delimiter)) for row in rows)
    single = all(len(group) == 2 for group in groups)
    return 2 if single and most <= 2 * len(groups) else 3


def _in_columns(lines: Sequence[str], rows: Sequence[int], delimiter: str, width: int) -> list[str]:
    """Put the current of the beam into its columns: below the species, more cells are before it."""
    columns = list(lines)
    for i in rows:
        cells = columns[i].rstrip(f"{delimiter} ").split(delimiter)
        if len(cells) > width and not any(map(str.strip, cells[: len(cells) - width])):
            columns[i] = delimiter.join(cells[-width:])
    return columns


def _groups(line: str, delimiter: str) -> Iterator[dict[str, str | None]]:
    """Return the units of each signal: of its time, its depth and its value."""
    units: dict[str, str | None] = {}
    for cell in filter(None, (cell.strip() for cell in line.split(delimiter))):
        word, _, unit = cell.partition("[")
        word = word.strip().casefold()
        stated = unit.rstrip("] ").strip() or None
        if word in _OTHER_KINDS:
            kind = _OTHER_KINDS[word]
            raise ReadError(
                f"the file is a CAMECA {kind} (its columns begin with {cell!r}), not a profile",
                code="no_profile",
            )
        if word in ("time", "depth"):
            units[word] = stated
        else:
            yield units | {"value": stated}
            units = {}


def _signal(name: str, units: dict[str, str | None], columns: Array) -> Signal:
    value = columns[:, -1]
    measured = ~np.isnan(columns).all(axis=1)
    axes = {"depth" if "depth" in units else "time": columns[:, 0]}
    if columns.shape[1] > 2:
        axes = {"depth": columns[:, 1], "time": columns[:, 0]}
    filled = [axis for axis in axes if not np.isnan(axes[axis]).all()]
    if not filled:
        raise ReadError(
            f"species {name!r}: neither a time nor a depth in its columns", where={"species": name}
        )
    axis = next((a for a in filled if units.get(a)), filled[0])
    signal = Signal(
        name=name,
        depths=axes[axis][measured],
        depth_units=units.get(axis),
        values=value[measured],
        units=units["value"],
    )
    if axis == "depth" and "time" in filled:
        signal.ancillary["sputter_time"] = Column(axes["time"][measured], units.get("time"))
    return signal


def _add_counting(signals: Sequence[Signal]) -> None:
    """Record how zero counts are written, and which yield the rates were divided by."""
    rates = [s for s in signals if s.units and "cnt" in s.units]
    for signal in rates:
        if (signal.values == _FILL).any():
            signal.metadata["fill_value"] = f"{_FILL} {signal.units}"
    counted = [s for s in signals if {"counting_time", "detector_yield"} <= set(s.metadata)]
    for detector in {s.metadata["detector"] for s in counted}:
        members = [s for s in counted if s.metadata["detector"] == detector]
        stated = float(members[0].metadata["detector_yield"].split()[0]) / 100
        share = find_yield([s for s in members if any(s is rate for rate in rates)], _FILL, stated)
        if share is not None:
            for signal in members:
                signal.metadata["detector_yield_stated"] = signal.metadata["detector_yield"]
                signal.metadata["detector_yield"] = f"{100 * share:.6g} %"


def find_yield(signals: Sequence[Signal], fill: float, stated: float) -> float | None:
    """Find the yield that makes whole counts of the rates of one detector, such as 0.95207.

    A rate is counts over counting time and yield; of the latter two digits are printed, `stated`.
    Few counts betray the rest. `fill` is written for none. None if the rates leave it open.
    """
    low, high = stated - _ROUNDED, stated + _ROUNDED
    narrowed = False
    for signal in signals:
        time = float(signal.metadata["counting_time"].split()[0])
        rates = signal.values[signal.values > fill]
        # Few counts narrow most.
        for rate in np.unique(rates[rates < _FEW_PER_SECOND]).tolist():
            fewest = math.ceil(rate * time * low * (1 - _TOLERANCE))
            most = math.floor(rate * time * high * (1 + _TOLERANCE))
            if fewest > most:
                return None
            if fewest == most:
                part = fewest / (rate * time)
                low, high = max(low, part * (1 - _TOLERANCE)), min(high, part * (1 + _TOLERANCE))
                narrowed = True
    return (low + high) / 2 if narrowed else None


class _FileHeader:
    """The sections of the file: keys as written, in small letters, with their values."""

    def __init__(self, lines: Sequence[str], delimiter: str) -> None:
        self.sections: dict[str, dict[str, str]] = {"": {}}
        self.conditions: dict[str, dict[str, str]] = {}
        #: Of each layer, what the file says of it, at "", and of each species in it.
        self.layers: list[dict[str, dict[str, str]]] = []
        section, columns, group = "", [], ""
        for line in lines:
            header = _SECTION.match(line)
            if header:
                section = header[1].partition(",")[0].strip().casefold()
                section = re.sub(r"\s*\(.*\)", "", section)
                section = "" if section in ("data files", "data start", "data end") else section
                self.sections.setdefault(section, {})
            elif section == "measurement conditions":
                cells = [cell.strip() for cell in line.split("|" if "|" in line else delimiter)]
                if cells[0] == "Species":
                    columns = cells
                elif columns and len(cells) > 1:
                    self.conditions[cells[0]] = dict(zip(columns[1:], cells[1:], strict=False))
            elif section.startswith("calibration"):
                self._calibration(*_key_and_value(line, delimiter))
            else:
                key, value = _key_and_value(line, delimiter)
                if section == "analysis position" and key and not value:
                    group = f"{key} "
                elif key and value not in ("", "-"):
                    key = f"{group}{key}" if section == "analysis position" else key
                    self.sections[section][key] = value

    def _calibration(self, key: str, value: str) -> None:
        if key.startswith("Layer #"):
            self.layers.append({"": {"matrix": value}})
        elif not self.layers or not key:
            return
        elif key == "Species":
            self.layers[-1][value] = {}
        else:
            [*self.layers[-1].values()][-1][key] = value

    def of_species(self, name: str) -> dict[str, str]:
        """Collect the metadata of one species."""
        fields = _named(self.conditions.get(name, {}), _NAMES["conditions"])
        if detector := fields.get("detector"):
            names = {form.format(detector): label for form, label in _NAMES["detector"].items()}
            fields |= _named(self.sections.get("ion detector parameters", {}), names)
        for number, calibration in enumerate(self.layers, 1):
            suffix = f"_layer_{number}" if len(self.layers) > 1 else ""
            calibrated = _named(calibration.get(name, {}), _NAMES["calibration"])
            fields |= {label + suffix: value for label, value in calibrated.items()}
        return fields

    def metadata(self) -> Metadata:
        """Collect the metadata of the measurement."""
        fields: dict[str, str] = {}
        other: dict[str, str] = {}
        for section, entries in self.sections.items():
            for key, value in entries.items():
                name = _NAMES["measurement"].get(_words(key))
                if name is not None and name not in fields:
                    fields[name] = _quantity(key, value)
                elif _words(key) != "Data file name":
                    other[f"{section}: {key}" if section else key] = value
        date, time = other.pop("Analysis date", ""), other.pop("Analysis time", "")
        if date:
            fields["measured"] = _iso(date, time)
        return Metadata(
            instrument="CAMECA IMS",
            **fields,
            layers=tuple(
                Layer(**{"matrix": None} | _named(row[""], _NAMES["layer"])) for row in self.layers
            ),
            other=other,
        )


def _key_and_value(line: str, delimiter: str) -> tuple[str, str]:
    cells = [cell.strip() for cell in re.split(rf"[\t{delimiter}]", line) if cell.strip()]
    return (cells[0], " ".join(cells[1:])) if cells else ("", "")


def _words(key: str) -> str:
    """Return a key without its unit."""
    match = _UNIT.fullmatch(key.strip())
    return (match[1] if match else key).strip()


def _named(entries: Mapping[str, str], names: Mapping[str, str]) -> dict[str, str]:
    """Rename what is known and stated, and write it with the unit that its key has."""
    stated = {key: value for key, value in entries.items() if value}
    fields = {
        name: _quantity(key, value) for key, value in stated.items() for name in (_words(key), key)
    }
    return {label: fields[name] for name, label in names.items() if name in fields}


def _quantity(key: str, value: str) -> str:
    """Write a value with the unit that its key has."""
    match, number = _UNIT.fullmatch(key.strip()), _number(value)
    if number is None:
        return value
    return f"{number:.10g} {match[2] if match else ''}".strip()


def _number(text: str) -> float | None:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        return None


#: As the instrument writes it, with the month first; and German, with the day first.
_DATES = (
    re.compile(r"(?P<month>0?[1-9]|1[0-2])/(?P<day>\d\d?)/(?P<year>\d{4})"),
    re.compile(r"(?P<day>\d\d)\.(?P<month>\d\d)\.(?:20)?(?P<year>\d\d)"),
)


def _iso(date: str, time: str = "") -> str:
    """Write a date as ISO 8601."""
    match = next((m for m in (form.fullmatch(date) for form in _DATES) if m), None)
    if match is None:
        return f"{date} {time}".strip()
    clock = f"T{time}" if re.fullmatch(r"\d{2}:\d{2}(:\d{2})?", time) else ""
    year, month, day = (int(match[part]) for part in ("year", "month", "day"))
    return f"{year + 2000 * (year < 100)}-{month:02}-{day:02}{clock}"


_ELEMENT = re.compile(r"ELEMENT\s+(.+?)\s*")
_POINTS = re.compile(r"(\d+)\s+points?\s*")
_BLOCK_UNITS = re.compile(r"\s*\[([^\]]*)\]\s+\[([^\]]*)\]\s*")


def recognises_cameca_ascii(source: Source) -> bool:
    """Whether the file begins like a CAMECA export in plain text, without cells in quotes."""
    return source.start.lstrip().startswith("IMS CAMECA") and '\n"' not in source.start


def read_cameca_ascii(source: Source) -> Content:
    """Read the blocks of all elements."""
    lines = source.lines
    starts = [i for i, line in enumerate(lines) if _ELEMENT.fullmatch(line)]
    headers = [line for line in lines[: starts[0] if starts else 12] if line.strip()]
    title = next((line for line in headers[1:] if not line.startswith("*")), "")
    if "DEPTH PROFILE" not in title.upper():
        kind = title.partition(":")[0].strip().lower() or "of another kind"
        text = f"the file is a CAMECA export, but no depth profile: {kind}"
        raise ReadError(text, code="no_profile")
    if not starts:
        raise ReadError("a CAMECA file with a header but without data", code="truncated_file")
    about = {}
    for line in headers:
        key, mark, value = line.partition(":")
        if mark and value.strip():
            about[key.strip()] = value.strip()
    signals = [_of_element(source, start, stop) for start, stop in pairwise([*starts, len(lines)])]
    return Content(
        signals=signals,
        metadata=Metadata(
            instrument="CAMECA IMS",
            sample=about.pop("Sample name", None),
            measured=_iso(about.pop("Date", "")) or None,
            other=about,
        ),
    )


def _of_element(source: Source, start: int, stop: int) -> Signal:
    lines = source.lines
    name = _ELEMENT.fullmatch(lines[start])
    assert name is not None  # noqa: S101 - it is how the block was found
    below = [i for i in range(start + 1, stop) if lines[i].strip()]
    texts = [lines[i].strip() for i in below[:2]]
    count = _POINTS.fullmatch(texts[0]) if texts else None
    units = _BLOCK_UNITS.fullmatch(texts[1]) if texts[1:] else None
    if count is None or units is None:
        raise ReadError(
            f"below line {start + 1}: expected the number of points and the units of element "
            f"{name[1]!r}, such as '50 points' and '[um] [c/s]'"
        )
    rows, stated = below[2:], int(count[1])
    if len(rows) < stated:
        source.options.truncated(
            f"element {name[1]!r}, line {start + 1}: {stated} points are stated, but "
            f"{len(rows)} found"
        )
    if len(rows) > stated or not rows:
        raise ReadError(
            f"element {name[1]!r}, line {start + 1}: {stated} points are stated, but "
            f"{len(rows)} lines follow"
        )
    return read_two_columns(source, rows, name[1], [unit.strip() for unit in units.groups()])


_ISOTOPE = re.compile(r"B\s*=.*: M=\s*([\d.,]+)\s*\((.*?)\s*\)\s*: Tc\s*=\s*([\d.,]+)\s*ms\s*")
_SAMPLE_LINE = re.compile(r"Sample\s*:\s*(.*?)\s*(\d\d\.\d\d\.\d\d(?: / \d\d:\d\d)?)?\s*")


def recognises_cameca_counts(source: Source) -> bool:
    """Whether a block begins with field, radius, mass and counting time."""
    start = source.start
    return "\t" in start and any(map(_ISOTOPE.fullmatch, start.split("\n")[:10]))


def read_cameca_counts(source: Source) -> Content:
    """Read the blocks."""
    lines = source.lines
    headers = {i: m for i, m in enumerate(map(_ISOTOPE.fullmatch, lines)) if m}
    signals: list[Signal] = []
    for start, stop in pairwise([*headers, len(lines)]):
        header = headers[start]
        rows = [i for i in range(start + 1, stop) if lines[i].split() not in ([], ["X", "Y"])]
        counting = float(header[3].replace(",", ".")) / 1000
        signal = read_two_columns(
            source,
            rows,
            header[2],
            ("s", "counts"),
            where=f"line {start + 1}",
            metadata={
                "mass": f"{header[1].replace(',', '.')} u",
                "counting_time": f"{counting:.15g} s",
            },
        )
        if signals and signal.values.size < signals[0].values.size:
            source.options.truncated(
                f"{header[2]!r} has {signal.values.size} samples, {signals[0].name!r} "
                f"{signals[0].values.size}"
            )
        signals.append(signal)
    about = _SAMPLE_LINE.fullmatch(lines[0])
    return Content(
        signals=signals,
        metadata=Metadata(
            instrument="CAMECA NanoSIMS",
            sample=(about[1] or None) if about else None,
            measured=about[2] if about else None,
        ),
    )


_PROFILES = (21, 26)
_OTHERS = (22, 25, 27, 29, 31, 35, 39, 40, 41)
#: Offsets of the header, in bytes.
_INCLUDED, _DATE, _TIME, _MASSES = 16, 92, 108, 548
#: A record of the mass table; the name of the species stands after the fixed part.
_RECORD, _NAME, _NAME_SIZE = 192, 65, 64


def _binary_header(content: bytes) -> tuple[str, int, int, int] | None:
    """Return byte order, version, type and size of the header; ``None`` if it is not one."""
    if len(content) < _MASSES + 4:
        return None
    for order in "<>":
        version, kind, size = struct.unpack_from(f"{order}3i", content)
        if kind in (*_PROFILES, *_OTHERS) and 0 < version < 100_000 and size > _MASSES:
            return order, version, kind, size
    return None


def recognises_cameca_binary(source: Source) -> bool:
    """Whether the first numbers are a version, a type that is known, and the header's size."""
    return not source.is_text and _binary_header(source.content) is not None


def read_cameca_binary(source: Source) -> Content:
    """Read the profiles."""
    content = source.content
    header = _binary_header(content)
    if header is None:
        raise ReadError("the file is not a binary CAMECA file", code="other_format")
    order, version, kind, size = header
    if kind in _OTHERS:
        text = f"the file is a scan or an image (CAMECA type {kind}), not a depth profile"
        raise ReadError(text, code="no_profile")
    if content[_INCLUDED : _INCLUDED + 4] == bytes(4):
        raise ReadError("a CAMECA file with a header but without data", code="truncated_file")
    encoding = source.options.encoding or "latin-1"
    species = list(_mass_table(content, order, version, size, encoding))
    columns = list(_numbers_of(source, order, size, len(species)))
    signals = [
        Signal(
            name=name,
            depths=time,
            depth_units="s",
            values=rate,
            units="counts/s",
            where=f"signal {i + 1}",
            metadata=metadata,
        )
        for i, ((name, metadata), (time, rate)) in enumerate(zip(species, columns, strict=False))
    ]
    date, clock = (_decoded(content[place : place + 16], "latin-1") for place in (_DATE, _TIME))
    return Content(
        signals=signals,
        metadata=Metadata(instrument="CAMECA IMS", measured=f"{date} {clock}".strip() or None),
    )


def _mass_table(
    content: bytes, order: str, version: int, size: int, encoding: str
) -> Iterator[tuple[str, dict[str, str]]]:
    """Return the name of each species, and what the mass table says of it."""
    (count,) = struct.unpack_from(f"{order}i", content, _MASSES)
    start = _MASSES + 4 + 4 * (60 if version >= 4108 else 10) + 4
    if not 0 < count <= 60 or start + count * _RECORD > min(size, len(content)):
        raise ReadError(
            f"the mass table of the header is damaged: it states {count} masses",
            code="damaged_file",
        )
    for i in range(count):
        place = start + i * _RECORD
        _, _, mass, _, detector, wait, counting, _, _ = struct.unpack_from(
            f"{order}2id2i2d2i", content, place
        )
        name = _decoded(content[place + _NAME : place + _NAME + _NAME_SIZE], encoding)
        metadata = {
            "mass": f"{mass:.6g} amu",
            "waiting_time": f"{wait:.15g} s",
            "counting_time": f"{counting:.15g} s",
            "detector": {0: "EM", 1: "FC"}.get(detector, str(detector)),
        }
        if not counting > 0:
            del metadata["counting_time"]
        yield name, metadata


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.partition(b"\0")[0].decode(encoding).strip()
    except (UnicodeDecodeError, LookupError) as error:
        raise ReadError(f"encoding={encoding!r}: {error}", argument="encoding") from None


def _numbers_of(
    source: Source, order: str, size: int, expected: int
) -> Iterator[tuple[Array, Array]]:
    """Return times and rates of each species."""
    content, place = source.content, size
    if place + 4 > len(content):
        raise ReadError("the file is truncated before its data", code="truncated_file")
    (count,) = struct.unpack_from(f"{order}i", content, place)
    if count != expected:
        text = f"the header names {expected} species, but the data have {count}"
        raise ReadError(text, code="damaged_file")
    place += 4
    for i in range(count):
        points = (
            struct.unpack_from(f"{order}i", content, place)[0] if place + 4 <= len(content) else -1
        )
        place += 4
        end = place + 16 * points
        if points < 0 or end > len(content):
            message = f"the file is truncated in species {i + 1} of {count}"
            if i == 0:
                raise ReadError(message, code="truncated_file")
            source.options.truncated(message)
            return
        pairs = np.frombuffer(content, f"{order}f8", 2 * points, place).astype(np.float64)
        yield pairs[:points], pairs[points:]
        place = end
