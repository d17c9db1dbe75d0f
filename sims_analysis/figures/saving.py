"""A figure in a file: the same bytes every time, with its origin inside."""

from __future__ import annotations

from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sims_analysis._version import __version__
from sims_analysis.dataset import provenance as origin
from sims_analysis.files import replace_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

__all__ = ["save_figure"]

#: A layout has come to rest after two or three drawings.
_ATTEMPTS = 6
#: Places of the axes are rounded to this many decimals of the figure: 30 nm on paper.
_DECIMALS = 6


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
    >>> path = sims.save_figure(ax.figure, "boron.svg")
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
    record = origin.of_figure(figure, calls)
    metadata = _METADATA[kind](origin.to_text(record))
    arguments = {"format": kind, "dpi": dpi, "metadata": metadata, **options}
    # Ids in an SVG are hashes with a random salt unless it is given.
    with mpl.rc_context({"svg.hashsalt": "sims_analysis"}):
        _settle(figure, arguments)
        with _held(figure):
            stream = BytesIO()
            figure.savefig(stream, **arguments)
    replace_file(path, stream.getvalue())
    return path


def _settle(figure: Figure, arguments: dict[str, Any]) -> None:
    """Draw until the layout is at rest: it depends on what was drawn before, and at which dpi."""
    for _ in range(_ATTEMPTS):
        before = _places(figure)
        figure.savefig(BytesIO(), **arguments)
        if _places(figure) == before:
            return


def _places(figure: Figure) -> list[tuple[float, ...]]:
    return [
        tuple(round(float(number), _DECIMALS) for number in ax.get_position(original=True).bounds)
        for ax in figure.axes
    ]


@contextmanager
def _held(figure: Figure) -> Iterator[None]:
    """Hold the axes at rounded places: a layout may end 1e-14 beside where it ended before."""
    engine = figure.get_layout_engine()
    before = [(ax, ax.get_position(original=True), ax.get_in_layout()) for ax in figure.axes]
    places = _places(figure)
    try:
        if engine is not None:
            figure.set_layout_engine("none")
            for (ax, _, _), place in zip(before, places, strict=True):
                ax.set_position((place[0], place[1], place[2], place[3]))
        yield
    finally:
        if engine is not None:
            for ax, position, in_layout in before:
                ax.set_position(position)
                ax.set_in_layout(in_layout)
            figure.set_layout_engine(engine)


def _svg(text: str) -> dict[str, Any]:
    return {"Creator": f"sims_analysis {__version__}", "Date": None, "Description": text}


def _pdf(text: str) -> dict[str, Any]:
    return {"Creator": f"sims_analysis {__version__}", "CreationDate": None, "Subject": text}


def _png(text: str) -> dict[str, Any]:
    return {"Software": f"sims_analysis {__version__}", "Description": text}


_METADATA = {"svg": _svg, "pdf": _pdf, "png": _png}
