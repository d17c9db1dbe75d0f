"""How much the chunks of a zarr array unpack to, found before anything is unpacked to memory.

A chunk of a few bytes may unpack to any size, whatever its array says. Codecs that state the size,
or bound it by their blocks, are taken at that; of the others, the bytes are counted piece by piece.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import zlib
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

from sims_analysis.errors import ArchiveError
from sims_analysis.files import Budget

__all__ = ["check_chunks"]

_PIECE = 2**20
#: Bytes of the largest block of zstd; what its frames begin with, and those that are skipped.
_BLOCK, _FRAME, _SKIPPED = 2**17, b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18"
#: Codecs that keep the number of bytes, or change the type of the numbers.
_KEEPING = {
    *("adler32", "astype", "bitround", "bytes", "crc32", "crc32c", "delta", "fixedscaleoffset"),
    *("fletcher32", "jenkins_lookup3", "packbits", "quantize", "shuffle", "transpose"),
}
#: Codecs of texts; the number of these comes first.
_TEXTS = {"vlen-utf8", "vlen-bytes"}


def check_chunks(store: Path, array: Any, budget: Budget, *, lazy: bool = False) -> None:
    """Refuse a `zarr.Array` of which a chunk unpacks to more than the budget.

    To measure all chunks takes as long as to read them: those of an array that is opened lazily,
    and larger than the budget as it is stored, are not measured.

    Raises
    ------
    ArchiveError
        That names the array; also if it cannot be known what its chunks unpack to.
    """
    serializer = getattr(array, "serializer", None)
    codecs = [*array.filters, *([serializer] if serializer else []), *array.compressors]
    names = [*(["sharding_indexed"] if array.shards else []), *map(_name, codecs)]
    packed = [(_name(codec), codec) for codec in codecs if _name(codec) in _SIZES]
    if len(packed) > 1 or not {*names} <= _KEEPING | _TEXTS | {*_SIZES}:
        raise ArchiveError(
            f"{store.name} is not read: what the chunks of {array.name!r} unpack to is not known "
            f"before ({', '.join(map(repr, names))}); open it with xarray if you trust whoever "
            "wrote it"
        )
    found = (store / array.path).rglob("*")
    files = [path for path in found if path.name[:2] != ".z" and path.name != "zarr.json"]
    files = [path for path in files if path.is_file()]
    if lazy and sum(path.stat().st_size for path in files) > budget.limit:
        return
    for file in files:
        content = file.read_bytes()
        for name, codec in packed:
            size = _SIZES[name](content, codec, budget.left)
            if size > budget.left:
                budget.take(size, f"a chunk of {array.name!r}")
            if not _TEXTS.isdisjoint(names):
                content = bytes(_decoder(name).decode(content))
        if not _TEXTS.isdisjoint(names):
            count = int.from_bytes(content[:4], "little")
            budget.take(8 * count, f"a chunk of {array.name!r} with {count:,} texts")


def _name(codec: Any) -> str:
    config = codec.get_config() if hasattr(codec, "get_config") else codec.to_dict()
    return str(config.get("id") or config.get("name")).removeprefix("numcodecs.")


def _decoder(name: str) -> Any:
    import numcodecs

    return numcodecs.get_codec({"id": name})


def _stated_at(start: int) -> Callable[[bytes, Any, int], int]:
    """Read the size where the codec states it."""
    return lambda content, _codec, _most: int.from_bytes(content[start : start + 4], "little")


def _counted(pieces: Callable[[bytes, Any], Iterator[bytes]]) -> Callable[[bytes, Any, int], int]:
    """Count what is unpacked, piece by piece, until it is too much."""

    def count(content: bytes, codec: Any, most: int) -> int:
        size = 0
        for piece in pieces(content, codec):
            size += len(piece)
            if size > most:
                break
        return size

    return count


def _inflated(content: bytes, _codec: Any) -> Iterator[bytes]:
    unpack = zlib.decompressobj()
    while content:
        yield unpack.decompress(content, _PIECE)
        content = unpack.unconsumed_tail


def _read(opened: Callable[[Any, Any], Any]) -> Callable[[bytes, Any], Iterator[bytes]]:
    def pieces(content: bytes, codec: Any) -> Iterator[bytes]:
        with opened(BytesIO(content), codec) as file:
            yield from iter(lambda: file.read(_PIECE), b"")

    return pieces


def _lzma_file(file: Any, codec: Any) -> Any:
    raw = codec.format == lzma.FORMAT_RAW
    return lzma.open(file, format=codec.format, filters=codec.filters if raw else None)


def _zstd_size(content: bytes, _codec: Any, _most: int) -> int:
    """Bound the size by the blocks of all frames, as RFC 8878 lays them out."""
    size = at = 0
    while at + 5 <= len(content):
        if content[at + 1 : at + 4] == _SKIPPED:
            at += 8 + int.from_bytes(content[at + 4 : at + 8], "little")
            continue
        if content[at : at + 4] != _FRAME:
            break
        descriptor = content[at + 4]
        single = descriptor >> 5 & 1
        at += 6 - single + (0, 1, 2, 4)[descriptor & 3] + (single, 2, 4, 8)[descriptor >> 6]
        last = 0
        while not last and at < len(content):
            block = int.from_bytes(content[at : at + 3], "little")
            last = block & 1
            is_repeated = block >> 1 & 3 == 1  # one byte stands for all
            at += 3 + (1 if is_repeated else block >> 3)
            size += _BLOCK
        at += 4 * (descriptor >> 2 & 1)
    return size


#: Codec -> a function of the packed bytes, the codec and the most that is of interest.
_SIZES: dict[str, Callable[[bytes, Any, int], int]] = {
    "blosc": _stated_at(4),
    "lz4": _stated_at(0),
    "zstd": _zstd_size,
    "zlib": _counted(_inflated),
    "gzip": _counted(_read(lambda file, _codec: gzip.GzipFile(fileobj=file))),
    "bz2": _counted(_read(lambda file, _codec: bz2.BZ2File(file))),
    "lzma": _counted(_read(_lzma_file)),
}
