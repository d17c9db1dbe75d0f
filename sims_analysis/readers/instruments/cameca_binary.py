"""CAMECA IMS and NanoSIMS, binary ``.dp`` (type 21) and ``.is`` (type 26).

The layout is that of the reader ``sims`` by Z. Peeters (github zanpeeters/sims), checked against
the text export of one file: counts there, counts per second here.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from sims_analysis.errors import ReadError
from sims_analysis.kernels.rows import Array
from sims_analysis.profiles.metadata import Metadata
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Source

_PROFILES = (21, 26)
_OTHERS = {
    22: "a line scan",
    25: "an energy scan",
    27: "an image",
    29: "an image in grain mode",
    31: "a record of the ion beam",
    35: "a record of the beam's stability",
    39: "a line scan",
    40: "a line scan",
    41: "a stage scan",
}
#: Offsets of the header, in bytes.
_INCLUDED, _DATE, _TIME, _MASSES = 16, 92, 108, 548
#: A record of the mass table; the name of the species stands after the fixed part.
_RECORD, _NAME, _NAME_SIZE = 192, 65, 64


def _header(content: bytes) -> tuple[str, int, int, int] | None:
    """Return byte order, version, type and size of the header; ``None`` if it is none."""
    if len(content) < _MASSES + 4:
        return None
    for order in "<>":
        version, kind, size = struct.unpack_from(f"{order}3i", content)
        if kind in (*_PROFILES, *_OTHERS) and 0 < version < 100_000 and size > _MASSES:
            return order, version, kind, size
    return None


def recognises(source: Source) -> bool:
    """Whether the first numbers are a version, a type that is known, and the header's size."""
    return not source.is_text and _header(source.content) is not None


def read(source: Source) -> Content:
    """Read the profiles."""
    content = source.content
    found = _header(content)
    if found is None:
        raise ReadError("the file is no binary CAMECA file")
    order, version, kind, size = found
    if kind in _OTHERS:
        raise ReadError(f"the file is {_OTHERS[kind]} (CAMECA type {kind}), not a depth profile")
    if content[_INCLUDED : _INCLUDED + 4] == bytes(4):
        raise ReadError("a CAMECA file with a header but without data", code="truncated_file")
    encoding = source.options.encoding or "latin-1"
    species = list(_species(content, order, version, size, encoding))
    columns = list(_columns(source, order, size, len(species)))
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
    date, clock = (_text(content[place : place + 16], "latin-1") for place in (_DATE, _TIME))
    return Content(
        signals=signals,
        metadata=Metadata(instrument="CAMECA IMS", measured=f"{date} {clock}".strip() or None),
    )


def _species(
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
        name = _text(content[place + _NAME : place + _NAME + _NAME_SIZE], encoding)
        metadata = {
            "mass": f"{mass:.6g} amu",
            "waiting_time": f"{wait:.15g} s",
            "counting_time": f"{counting:.15g} s",
            "detector": {0: "EM", 1: "FC"}.get(detector, str(detector)),
        }
        if not counting > 0:
            del metadata["counting_time"]
        yield name, metadata


def _text(raw: bytes, encoding: str) -> str:
    try:
        return raw.partition(b"\0")[0].decode(encoding).strip()
    except (UnicodeDecodeError, LookupError) as error:
        raise ReadError(f"encoding={encoding!r}: {error}", argument="encoding") from None


def _columns(source: Source, order: str, size: int, expected: int) -> Iterator[tuple[Array, Array]]:
    """Return times and rates of each species."""
    content, place = source.content, size
    if place + 4 > len(content):
        raise ReadError("the file breaks off before its data", code="truncated_file")
    (count,) = struct.unpack_from(f"{order}i", content, place)
    if count != expected:
        raise ReadError(f"the header names {expected} species, the data hold {count}")
    place += 4
    for i in range(count):
        points = (
            struct.unpack_from(f"{order}i", content, place)[0] if place + 4 <= len(content) else -1
        )
        place += 4
        end = place + 16 * points
        if points < 0 or end > len(content):
            message = f"the file breaks off in species {i + 1} of {count}"
            if i == 0:
                raise ReadError(message)
            source.options.truncated(message)
            return
        both = np.frombuffer(content, f"{order}f8", 2 * points, place).astype(np.float64)
        yield both[:points], both[points:]
        place = end
