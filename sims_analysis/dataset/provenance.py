"""The provenance of numbers, read back from data, figures and files."""

from __future__ import annotations

import json
import re
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from sims_analysis.conventions.provenance import of_data, of_figure
from sims_analysis.dataset.storage import opened, restored
from sims_analysis.errors import ArchiveError, ProfileError
from sims_analysis.files import Budget, shown_path

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["provenance"]

#: No provenance in an image is longer, in bytes.
_MOST = 2**26


def provenance(
    source: str | Path | xr.Dataset | xr.DataArray | Figure,
) -> dict[str, Any]:
    """Return the provenance of the numbers in a figure, file or Dataset.

    Parameters
    ----------
    source : path, Dataset, DataArray or matplotlib Figure
        A figure written by :func:`save_figure` (``.svg``, ``.pdf``, ``.png``), a file written by
        :func:`save` (``.nc``, ``.zarr``), or an object in memory.

    Returns
    -------
    dict
        ``data_id``, ``sha256`` (of the payload, or of the file that was read), ``file_sha256``
        (of the instrument's file, if the data came from an archive of it), ``source`` and
        ``retrieved``, if they are known: a text if all numbers come from one measurement, otherwise
        a list. ``sims_analysis_version``, ``calls`` (the recorded calls that produced the numbers),
        ``steps`` (the processing of the data, each as
        ``{"function": ..., "parameters": {...}}``), for a result ``question`` (likewise), and for
        figures ``results``: the numbers shown, in full precision.

    Raises
    ------
    ProfileError
        If the file has no provenance written by this library.
    ArchiveError
        If a netCDF or zarr cannot be read, or is refused as :func:`load` does it; or if what a
        figure says is damaged.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> sims.provenance(sims.open_example("boron-implant"))["data_id"]
    'boron-implant'
    """
    if isinstance(source, xr.Dataset | xr.DataArray):
        return of_data([source])
    if isinstance(source, str | Path):
        return _of_file(Path(source))
    if hasattr(source, "savefig"):
        return of_figure(source)
    raise TypeError(
        f"expected a path, a Dataset, a DataArray or a Figure, found {type(source).__name__}"
    )


def _of_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise FileNotFoundError(f"no such file: {shown_path(path)}")
    if path.is_dir() or path.suffix in (".nc", ".zarr", ".h5", ".nc4"):
        return _of_dataset(path)
    content = path.read_bytes()
    readers = {
        b"\x89PNG": _png_text,
        b"%PDF": _pdf_text,
        b"II*\0": _tiff_text,
        b"MM\0*": _tiff_text,
    }
    text = readers.get(content[:4], _svg_text)(content)
    if text is None:
        raise ProfileError(
            f"{path.name} holds no provenance of sims_analysis; figures get it from save_figure, "
            "Datasets from save"
        )
    try:
        record: dict[str, Any] = json.loads(text)
    except ValueError as error:
        raise ArchiveError(f"{path.name}: its provenance is damaged ({error})") from None
    return record


def _of_dataset(path: Path) -> dict[str, Any]:
    budget = Budget(error=ArchiveError, advice="", name=path.name)
    with opened(path, budget) as ds:
        return of_data([restored(ds, budget, path.name)])


def _found(text: str) -> str | None:
    return text if text.startswith("{") and '"sims_analysis_version"' in text else None


def _png_text(content: bytes) -> str | None:
    """Read the text chunk `Description`: length, type, keyword, NUL, text, checksum."""
    position = 8
    while position + 8 <= len(content):
        size, kind = struct.unpack(">I4s", content[position : position + 8])
        chunk = content[position + 8 : position + 8 + size]
        keyword, _, text = chunk.partition(b"\0")
        if kind == b"tEXt" and keyword == b"Description":
            return _found(text.decode("latin-1"))
        if kind == b"zTXt" and keyword == b"Description":
            unpacked = zlib.decompressobj().decompress(text[1:], _MOST)
            return _found(unpacked.decode("latin-1"))
        position += size + 12
    return None


def _svg_text(content: bytes) -> str | None:
    """Read `dc:description` in the metadata of an SVG."""
    import html

    match = re.search(rb"<dc:description>(.*?)</dc:description>", content, re.DOTALL)
    return None if match is None else _found(html.unescape(match[1].decode("utf-8")))


def _pdf_text(content: bytes) -> str | None:
    """Read the literal string after `/Subject` in the information dictionary of a PDF."""
    for match in re.finditer(rb"/Subject \(((?:[^\\()]|\\.)*)\)", content, re.DOTALL):
        text = _found(re.sub(rb"\\(.)", rb"\1", match[1], flags=re.DOTALL).decode("latin-1"))
        if text is not None:
            return text
    return None


def _tiff_text(content: bytes) -> str | None:
    """Read the tag ImageDescription (270, ASCII) from the 12-byte entries of the directory."""
    order = "<" if content[:2] == b"II" else ">"
    (start,) = struct.unpack(order + "I", content[4:8])
    (count,) = struct.unpack(order + "H", content[start : start + 2])
    for i in range(count):
        entry = content[start + 2 + 12 * i : start + 14 + 12 * i]
        tag, kind, size, at = struct.unpack(order + "HHII", entry)
        if (tag, kind) == (270, 2):
            return _found(content[at : at + size].rstrip(b"\0").decode("latin-1"))
    return None
