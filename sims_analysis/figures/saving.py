"""A figure in a file: the same bytes every time, with its origin inside."""

from __future__ import annotations

import os
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sims_analysis import provenance
from sims_analysis._version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

__all__ = ["save_figure"]

#: Rendering is repeated until it repeats itself; a layout has come to rest after two or three.
_ATTEMPTS = 6


def save_figure(
    figure: Figure,
    path: str | os.PathLike[str],
    *,
    calls: Sequence[str] = (),
    dpi: float = 300.0,
    **options: Any,
) -> Path:
    """Write a figure: the same input gives the same bytes, and the file tells its origin.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        Made by :func:`plot_profiles`, or by any other code.
    path : path
        ``.svg``, ``.pdf`` or ``.png``; written whole or not at all.
    calls : sequence of str, optional
        Calls that made the numbers, to be recorded beside those that the data tell.
    dpi : float
        Resolution of a PNG.
    **options : Any
        Of ``Figure.savefig``: ``transparent``, ``bbox_inches``...

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    ValueError
        If the format is another: it could not keep the promise.

    See Also
    --------
    provenance : Reads the origin back.

    Notes
    -----
    The bytes are the same for the same versions of matplotlib, its FreeType and the fonts: keep
    these, with the file, to make it again.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ax = sims.plot_profiles(sims.open_example("boron-implant"))
    >>> path = sims.save_figure(ax.figure, tmp_path / "boron.svg")
    >>> sims.provenance(path)["data_id"]
    'boron-implant'
    """
    import matplotlib as mpl

    path = Path(path)
    kind = path.suffix.lower().lstrip(".")
    if kind not in _METADATA:
        raise ValueError(
            f"cannot write {path.name!r}: only .svg, .pdf and .png keep their origin and come out "
            "the same every time"
        )
    record = provenance.of_figure(figure, calls)
    metadata = _METADATA[kind](provenance.to_text(record))
    # Ids in an SVG are hashes with a random salt unless it is given.
    with mpl.rc_context({"svg.hashsalt": "sims_analysis"}):
        content = b""
        for _ in range(_ATTEMPTS):
            before, stream = content, BytesIO()
            figure.savefig(stream, format=kind, dpi=dpi, metadata=metadata, **options)
            content = stream.getvalue()
            if content == before:
                break
    _write(path, content)
    return path


def _svg(text: str) -> dict[str, Any]:
    return {"Creator": f"sims_analysis {__version__}", "Date": None, "Description": text}


def _pdf(text: str) -> dict[str, Any]:
    return {"Creator": f"sims_analysis {__version__}", "CreationDate": None, "Subject": text}


def _png(text: str) -> dict[str, Any]:
    return {"Software": f"sims_analysis {__version__}", "Description": text}


_METADATA = {"svg": _svg, "pdf": _pdf, "png": _png}


def _write(path: Path, content: bytes) -> None:
    """Write beside the target and move into place: no reader ever sees half a file."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        Path(name).chmod(0o666 & ~_umask())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _umask() -> int:
    """Give the user's file mode mask; there is no way to read it but to set it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
