"""The provenance of numbers, read back from data, figures and files."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xarray as xr

from sims_analysis.conventions.provenance import of_data, of_figure
from sims_analysis.dataset.storage import open_stored, restored
from sims_analysis.errors import ArchiveError, ProfileError, require
from sims_analysis.files import Budget, shown_path
from sims_analysis.text.arguments import type_error

if TYPE_CHECKING:
    from matplotlib.figure import Figure


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
    raise type_error("source", source, "expected a path, a Dataset, a DataArray or a Figure")


def _of_file(path: Path) -> dict[str, Any]:
    if not path.exists():
        raise FileNotFoundError(f"no such file: {shown_path(path)!r}")
    if path.is_dir() or path.suffix in (".nc", ".zarr", ".h5", ".nc4"):
        budget = Budget(error=ArchiveError, advice="", name=path.name)
        with open_stored(path, budget) as ds:
            return of_data([restored(ds, budget, path.name)])
    content = path.read_bytes()
    if content.startswith((b"\x89PNG", b"II*\0", b"MM\0*")):
        text = _image_text(path)
    else:
        text = _pdf_text(content) if content.startswith(b"%PDF") else _svg_text(content)
    if text is None:
        raise ProfileError(
            f"{path.name!r} contains no provenance of sims_analysis; figures get it from "
            "save_figure, Datasets from save",
            code="no_provenance",
        )
    try:
        record: dict[str, Any] = json.loads(text)
    except ValueError as error:
        message = f"{path.name}: its provenance is damaged ({error})"
        raise ArchiveError(message, code="damaged_file") from None
    return record


def _as_provenance(text: str) -> str | None:
    return text if text.startswith("{") and '"sims_analysis_version"' in text else None


def _image_text(path: Path) -> str | None:
    """Read the text `Description` of a PNG, or the tag ImageDescription (270) of a TIFF."""
    require("the provenance of an image needs", "PIL", extra="plot")
    from PIL import Image

    try:
        with Image.open(path) as image:
            text = image.info.get("Description") or getattr(image, "tag_v2", {}).get(270)
    except (OSError, ValueError, SyntaxError):  # no image that can be read
        return None
    return _as_provenance(str(text))


def _svg_text(content: bytes) -> str | None:
    """Read `dc:description` in the metadata of an SVG."""
    import html

    match = re.search(rb"<dc:description>(.*?)</dc:description>", content, re.DOTALL)
    return None if match is None else _as_provenance(html.unescape(match[1].decode("utf-8")))


def _pdf_text(content: bytes) -> str | None:
    """Read the literal string after `/Subject` in the information dictionary of a PDF."""
    for match in re.finditer(rb"/Subject \(((?:[^\\()]|\\.)*)\)", content, re.DOTALL):
        text = _as_provenance(
            re.sub(rb"\\(.)", rb"\1", match[1], flags=re.DOTALL).decode("latin-1")
        )
        if text is not None:
            return text
    return None
