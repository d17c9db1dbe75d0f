"""Untrusted HDF5 files and zarr stores, checked before anything in them is read.

Both can name other files, whose content would be read as data; claim sizes that no computer has;
and a zarr store can name code to run. What is found is refused, with the place in the file.
"""

from __future__ import annotations

import json
import math
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from sims_analysis.dataset.chunks import check_chunks
from sims_analysis.errors import ArchiveError, SimsError
from sims_analysis.files import Budget, check_file, check_folder

#: Memory in bytes of an object that a file names.
_OBJECT = 500
#: So many bytes of texts may be read to measure them.
_AT_ONCE = 2**27
#: An attribute of so few texts, or lists of axes, is read before it is known how long these are.
_FEW = 4
#: Deflated bytes unpack to so many times as many at most.
_INFLATED = 1032


# --- HDF5 -------------------------------------------------------------------------------------


def check_hdf5(
    path: Path, budget: Budget, *, lazy: bool = False, error: type[SimsError] = ArchiveError
) -> None:
    """Refuse an HDF5 file that leads to other files, or needs more than the budget.

    If it is read lazily, only arrays over one dimension, the axes, count in full; a chunk of the
    others is checked as well, unless the file is larger than the budget. The error names the link
    or the data set.
    """
    import h5py

    size = path.stat().st_size
    with h5py.File(path, "r") as file:
        _check_attributes(file, "/", budget, size)
        stack, visited = [file["/"]], set()
        while stack:
            group = stack.pop()
            budget.take(_OBJECT * len(group), f"group {group.name!r}")
            for name in group:
                place = f"{group.name.rstrip('/')}/{name}"
                link = group.get(name, getlink=True)
                if not isinstance(link, h5py.HardLink):
                    raise error(
                        f"{path.name} is not read: {place!r} is a link to "
                        f"{getattr(link, 'filename', None) or link.path!r}; external data "
                        "are not read; ask for a self-contained file",
                        code="unsafe_file",
                    )
                item = group[name]
                # An object may have several names.
                address = h5py.h5o.get_info(item.id).addr
                if address in visited:
                    continue
                visited.add(address)
                _check_attributes(item, place, budget, size)
                if isinstance(item, h5py.Group):
                    stack.append(item)
                elif isinstance(item, h5py.Dataset):
                    if item.external or item.is_virtual:
                        raise error(
                            f"{path.name} is not read: the values of {place!r} are kept in other "
                            "files; ask for a self-contained file",
                            code="unsafe_file",
                        )
                    is_read = not lazy or item.ndim < 2
                    if is_read:
                        _take_values(item, place, budget, size)
                    else:
                        chunk = item.dtype.itemsize * math.prod(item.chunks or (0,))
                        budget.take(chunk, f"a chunk of data set {place!r}")
                    if is_read or size <= budget.limit:
                        _check_chunks(item, place, budget)


def _check_attributes(item: Any, place: str, budget: Budget, size: int) -> None:
    for name in item.attrs:
        stored = item.attrs.get_id(name)
        label = f"attribute {name!r} of {place!r}"
        budget.take(max(stored.get_storage_size(), _OBJECT), label)
        if _varies(stored.dtype):
            # Texts are kept once, as long as the file at most, and named any number of times.
            count = math.prod(stored.shape or ())
            if count > _FEW and count * size > budget.left:
                budget.take(count * size, label)
            budget.take(_length(item.attrs[name]), label)


def _varies(dtype: np.dtype[Any]) -> bool:
    """Whether elements have no fixed length, as texts and lists have; references have one."""
    import h5py

    if dtype.names:
        return any(_varies(dtype[name]) for name in dtype.names)
    return dtype.hasobject and h5py.check_ref_dtype(dtype) is None


def _take_values(item: Any, place: str, budget: Budget, size: int) -> None:
    """Take the memory of the values of a data set, and of a chunk, which is unpacked at once."""
    label = f"data set {place!r} of shape {item.shape}"
    count = math.prod(item.shape or ())
    budget.take(item.dtype.itemsize * (count + math.prod(item.chunks or (0,))), label)
    if item.dtype.hasobject and item.shape:
        at_once = min(budget.left, _AT_ONCE) // (size * max(1, count // item.shape[0]))
        step = max(1, at_once)
        for start in range(0, item.shape[0], step):
            budget.take(_length(item[start : start + step]), label)


def _check_chunks(item: Any, place: str, budget: Budget) -> None:
    """Refuse chunks that unpack to more than they hold: HDF5 unpacks all of it, and then fails."""
    import h5py

    filters = item.id.get_create_plist()
    names = [filters.get_filter(i)[0] for i in range(filters.get_nfilters())]
    deflated = [i for i, name in enumerate(names) if name == h5py.h5z.FILTER_DEFLATE]
    full_size = item.dtype.itemsize * math.prod(item.chunks or ())

    def check(chunk: Any) -> None:
        rounds = [i for i in deflated if not chunk.filter_mask >> i & 1]
        bound = chunk.size * _INFLATED ** len(rounds)
        if bound <= budget.left or not rounds:
            return
        _, content = item.id.read_direct_chunk(chunk.chunk_offset)
        unpacked = zlib.decompressobj().decompress(content, full_size + _OBJECT)
        if len(unpacked) >= full_size + _OBJECT or len(rounds) > 1:
            budget.take(bound, f"a chunk of {place!r}, which unpacks to more than it holds,")

    if deflated:
        item.id.chunk_iter(check)


def _length(value: Any) -> int:
    """Measure texts and arrays of any length."""
    if isinstance(value, str | bytes):
        return len(value)
    if isinstance(value, np.ndarray) and value.dtype.hasobject:
        return sum(map(_length, value.flat))
    if isinstance(value, np.void):
        return sum(_length(value[name]) for name in value.dtype.names or ())
    return int(getattr(value, "nbytes", 8))


# --- zarr -------------------------------------------------------------------------------------

#: Files of a store with its metadata, and their keys for codecs, in both formats.
_METADATA = {".zarray", ".zattrs", ".zgroup", ".zmetadata", "zarr.json"}
_PACKING = {"filters", "compressor", "codecs"}
#: Memory in bytes that a byte of JSON may take once it is decoded.
_DECODED = 64


def check_zarr(store: Path, budget: Budget, *, lazy: bool = False) -> None:
    """Refuse a zarr store that runs code, leads to other files, or needs more than the budget.

    A pickle can do anything. Newer versions of zarr and numcodecs refuse these themselves; which,
    depends on both.
    """
    for path in _files(store, store):
        where = path.relative_to(store).as_posix()
        try:
            content = path.read_bytes()
            budget.take(_DECODED * len(content), f"its metadata {where}")
            # As zarr itself: a stricter decoder would refuse JSON that zarr reads.
            metadata = json.loads(content)
        except (OSError, ValueError, RecursionError) as error:
            text = f"{store.name} is not read: {where} cannot be read ({error})"
            raise ArchiveError(text, code="damaged_file") from None
        for codec in () if path.name == ".zattrs" else _codecs(metadata):
            if "pickle" in codec.lower():
                raise ArchiveError(
                    f"{store.name} is not read: {where} has the filter {codec!r}, which runs code "
                    "that is kept with the data; ask for a store without pickled objects, or open "
                    "it with xarray if you trust whoever wrote it",
                    code="unsafe_file",
                )
    _take_arrays(store, budget, lazy=lazy)


def _files(store: Path, folder: Path) -> Iterator[Path]:
    """Yield the files of metadata in a folder and those below; refuse links and pipes."""
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        path = Path(entry)
        where = path.relative_to(store).as_posix()
        is_folder = entry.is_dir(follow_symlinks=False)
        try:
            (check_folder if is_folder else check_file)(path)
        except OSError as error:
            raise ArchiveError(
                f"{store.name} is not read: {where!r} points outside ({error}); ask for a "
                "self-contained store",
                code="unsafe_file",
            ) from None
        if is_folder:
            yield from _files(store, path)
        elif entry.name in _METADATA:
            yield path


def _codecs(metadata: Any, *, packing: bool = False) -> Iterator[str]:
    """Yield the names of the codecs in the metadata of a store, nested ones too."""
    if isinstance(metadata, list):
        for item in metadata:
            yield from _codecs(item, packing=packing)
    elif isinstance(metadata, dict):
        if packing:
            yield from (str(metadata[key]) for key in ("id", "name") if key in metadata)
        for key, value in metadata.items():
            if key not in ("attributes", ".zattrs") and not key.endswith("/.zattrs"):
                yield from _codecs(value, packing=packing or key in _PACKING)
    elif packing and isinstance(metadata, str):
        yield metadata


def _take_arrays(store: Path, budget: Budget, *, lazy: bool) -> None:
    """Take the memory of the arrays of a store, and of a chunk of each, which may be larger."""
    import zarr

    group = zarr.open_group(store, mode="r")
    for _, array in group.arrays():
        size = array.dtype.itemsize
        label = f"array {array.name!r} of shape {array.shape}"
        if not lazy or array.ndim < 2:
            budget.take(array.size * size, label)
        budget.take(math.prod(array.shards or array.chunks) * size, label)
        check_chunks(store, array, budget, lazy=lazy and array.ndim > 1)
