"""How much the chunks of a zarr array unpack to, found before anything is unpacked to memory.

A chunk of a few bytes may unpack to any size, whatever its array says. Codecs that state the size,
or bound it by their blocks, are taken at that; deflated bytes are counted piece by piece. All other
codecs that pack are refused.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sims_analysis.errors import ArchiveError
from sims_analysis.files import Budget

_PIECE = 2**20
#: Bytes of the largest block of zstd; the first bytes of its frames, and of skipped ones.
_BLOCK, _FRAME, _SKIPPED = 2**17, b"\x28\xb5\x2f\xfd", b"\x2a\x4d\x18"
#: Codecs that keep the number of bytes, or change the type of the numbers.
_SIZE_PRESERVING = {
    *("adler32", "astype", "bitround", "bytes", "crc32", "crc32c", "delta", "fixedscaleoffset"),
    *("fletcher32", "jenkins_lookup3", "packbits", "quantize", "shuffle", "transpose"),
}
#: Codecs of texts; the number of these comes first.
_TEXTS = {"vlen-utf8", "vlen-bytes"}


def check_chunks(store: Path, array: Any, budget: Budget, *, lazy: bool = False) -> None:
    """Refuse a `zarr.Array` of which a chunk may unpack to more than the budget.

    Measuring all chunks takes as long as reading them: those of an array that is opened lazily,
    and larger than the budget as it is stored, are not measured.
    """
    import numcodecs

    serializer = getattr(array, "serializer", None)
    codecs = [*array.filters, *([serializer] if serializer else []), *array.compressors]
    names = [*(["sharding_indexed"] if array.shards else []), *map(_name, codecs)]
    compressors = [name for name in names if name in _SIZES]
    if len(compressors) > 1 or not {*names} <= _SIZE_PRESERVING | _TEXTS | {*_SIZES}:
        raise ArchiveError(
            f"{store.name} is not read: what the chunks of {array.name!r} unpack to is not known "
            f"before ({', '.join(map(repr, names))}); open it with xarray if you trust whoever "
            "wrote it",
            code="unsafe_file",
        )
    paths = (store / array.path).rglob("*")
    files = [path for path in paths if path.name[:2] != ".z" and path.name != "zarr.json"]
    files = [path for path in files if path.is_file()]
    if lazy and sum(path.stat().st_size for path in files) > budget.limit:
        return
    for file in files:
        content = file.read_bytes()
        for name in compressors:
            size = _SIZES[name](content, budget.left)
            if size > budget.left:
                budget.take(size, f"a chunk of {array.name!r}")
            if name == "blosc" and int.from_bytes(content[12:16], "little") > len(content):
                # Blosc itself reads beyond the end.
                text = f"{store.name} is not read: a chunk of {array.name!r} is cut off"
                raise ArchiveError(text, code="damaged_file")
        if not _TEXTS.isdisjoint(names):
            for name in compressors:
                content = bytes(numcodecs.get_codec({"id": name}).decode(content))
            count = int.from_bytes(content[:4], "little")
            budget.take(8 * count, f"a chunk of {array.name!r} with {count:,} texts")


def _name(codec: Any) -> str:
    config = codec.get_config() if hasattr(codec, "get_config") else codec.to_dict()
    return str(config.get("id") or config.get("name")).removeprefix("numcodecs.")


def _size_at(start: int) -> Callable[[bytes, int], int]:
    """Read the size where the codec states it."""
    return lambda content, _most: int.from_bytes(content[start : start + 4], "little")


def _inflated_size(content: bytes, limit: int) -> int:
    """Count the unpacked bytes of all members of a gzip file, until there are more than `limit`."""
    size = 0
    while content and size <= limit:
        unpack = zlib.decompressobj(wbits=47)
        while content and size <= limit:
            size += len(unpack.decompress(content, _PIECE))
            content = unpack.unconsumed_tail
        content = unpack.unused_data
    return size


def zstd_size(content: bytes, _most: int) -> int:
    """Bound the size by the blocks of all frames, as RFC 8878 lays them out."""
    size = offset = 0
    while offset + 5 <= len(content):
        if content[offset + 1 : offset + 4] == _SKIPPED:
            offset += 8 + int.from_bytes(content[offset + 4 : offset + 8], "little")
            continue
        if content[offset : offset + 4] != _FRAME:
            break
        descriptor = content[offset + 4]
        single = descriptor >> 5 & 1
        offset += 6 - single + (0, 1, 2, 4)[descriptor & 3] + (single, 2, 4, 8)[descriptor >> 6]
        last = 0
        while not last and offset < len(content):
            block = int.from_bytes(content[offset : offset + 3], "little")
            last = block & 1
            is_repeated = block >> 1 & 3 == 1  # one byte stands for all
            offset += 3 + (1 if is_repeated else block >> 3)
            size += _BLOCK
        offset += 4 * (descriptor >> 2 & 1)
    return size


#: Codec -> a function of the packed bytes, and of the largest size that matters.
_SIZES: dict[str, Callable[[bytes, int], int]] = {
    "blosc": _size_at(4),
    "lz4": _size_at(0),
    "zstd": zstd_size,
    "zlib": _inflated_size,
    "gzip": _inflated_size,
}
