"""A figure in a file: the same bytes every time, with its origin inside."""

from __future__ import annotations

import re
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from sims_analysis._version import __version__
from sims_analysis.dataset import provenance as origin
from sims_analysis.figures.colours import paper
from sims_analysis.figures.style import is_default, measured_alike
from sims_analysis.files import replace_file

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from matplotlib.figure import Figure

__all__ = ["close", "save_figure"]

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
        ``.svg``, ``.pdf``, ``.eps``, ``.tiff`` or ``.png``; written whole or not at all.
    calls : sequence of str, optional
        Calls that made the numbers, to be recorded beside those that the data tell.
    dpi : float
        Resolution of a PNG or TIFF; journals ask for 600 or more of line art.
    **options : Any
        Of ``Figure.savefig``: ``transparent``, ``bbox_inches``...

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    TypeError
        If it is no figure, but its axes for example.
    ValueError
        If the format is another: it could not keep the promise.

    See Also
    --------
    provenance : Reads the origin back.

    Notes
    -----
    SVG, PDF and EPS keep text as text (PDF and EPS with its outlines, as Type 42), unless a style
    sheet asks otherwise. An EPS cannot be transparent: its shades are the colours that they give
    on the paper of the axes.

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
    from matplotlib.figure import Figure

    if not isinstance(figure, Figure):
        raise TypeError(
            f"expected a Figure, found {type(figure).__name__}; the figure of axes is ax.figure"
        )
    path = Path(path)
    suffix = path.suffix.lower().lstrip(".")
    kind = "tiff" if suffix == "tif" else suffix
    if kind not in _METADATA:
        raise ValueError(
            f"cannot write {path.name!r}: only .svg, .pdf, .eps, .tiff and .png keep their origin "
            "and come out the same every time"
        )
    record = origin.of_figure(figure, calls)
    text = origin.to_text(record)
    arguments = {"format": kind, "dpi": dpi, **_METADATA[kind](text), **options}
    with mpl.rc_context(_settings()), _opaque(figure, flat=kind == "eps"):
        _settle(figure)
        with _held(figure):
            stream = BytesIO()
            figure.savefig(stream, **arguments)
    content = stream.getvalue()
    replace_file(path, _with_comment(content, text) if kind == "eps" else content)
    return path


def close(figure: Figure) -> None:
    """Forget a figure that has been saved: pyplot keeps each one until it is told not to."""
    import matplotlib.pyplot as plt

    plt.close(figure)


def _settings() -> Any:
    """Give the settings that keep text as text, where the user has none of his own."""
    # Ids in an SVG are hashes with a random salt unless it is given.
    settings: Any = {"svg.hashsalt": "sims_analysis"}
    # A figure without a layout engine gets none by itself: see `_held`.
    settings |= {"figure.autolayout": False, "figure.constrained_layout.use": False}
    wanted = {"svg.fonttype": "none", "pdf.fonttype": 42, "ps.fonttype": 42}
    return settings | {key: value for key, value in wanted.items() if is_default(key)}


@contextmanager
def _opaque(figure: Figure, *, flat: bool) -> Iterator[None]:
    """Paint what is transparent in the colour that it has on the paper, for as long as it takes."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba_array
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    kinds = (PolyCollection, Patch, Line2D)
    found: list[Any] = figure.findobj(lambda artist: isinstance(artist, kinds)) if flat else []
    before: list[tuple[Any, Any, Any, float]] = []
    for artist in found:
        alpha = artist.get_alpha()
        if alpha is None:
            continue
        line = isinstance(artist, Line2D)
        paint = artist.set_color if line else artist.set_facecolor
        colour = artist.get_color() if line else artist.get_facecolor()
        before.append((artist, paint, colour, alpha))
        page = paper(artist.axes or figure.axes[0])
        artist.set_alpha(None)
        paint(tuple(alpha * to_rgba_array(colour)[0, :3] + (1 - alpha) * np.array(page)))
    try:
        yield
    finally:
        for artist, paint, colour, alpha in before:
            paint(colour)
            artist.set_alpha(alpha)


def _with_comment(content: bytes, text: str) -> bytes:
    """Put the origin into the head of an EPS, where it is a comment; its lines have 255 letters."""
    lines = [text[i : i + 200] for i in range(0, len(text), 200)]
    comment = "".join(f"%sims_analysis: {line}\n" for line in lines)
    head, mark, body = content.partition(b"%%EndComments\n")
    # The time of writing would make the bytes differ.
    head = re.sub(rb"^%%CreationDate:.*\n", b"", head, flags=re.MULTILINE)
    return head + comment.encode("ascii") + mark + body


def _settle(figure: Figure) -> None:
    """Lay the figure out until it is at rest: it depends on what was drawn before.

    Measured at one resolution, a figure has the same layout in every format.
    """
    if figure.get_layout_engine() is None:
        return
    with measured_alike(figure):
        for _ in range(_ATTEMPTS):
            before = _places(figure)
            figure.draw_without_rendering()
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
            # Not "none", whose placeholder makes savefig draw the figure twice.
            figure.set_layout_engine(None)
            for (ax, _, _), place in zip(before, places, strict=True):
                ax.set_position((place[0], place[1], place[2], place[3]))
        yield
    finally:
        if engine is not None:
            for ax, position, in_layout in before:
                ax.set_position(position)
                ax.set_in_layout(in_layout)
            figure.set_layout_engine(engine)


_CREATOR = f"sims_analysis {__version__}"


def _svg(text: str) -> dict[str, Any]:
    return {"metadata": {"Creator": _CREATOR, "Date": None, "Description": text}}


def _pdf(text: str) -> dict[str, Any]:
    return {"metadata": {"Creator": _CREATOR, "CreationDate": None, "Subject": text}}


def _eps(text: str) -> dict[str, Any]:
    return {"metadata": {"Creator": _CREATOR}}


def _png(text: str) -> dict[str, Any]:
    return {"metadata": {"Software": _CREATOR, "Description": text}}


def _tiff(text: str) -> dict[str, Any]:
    # The tags Software and ImageDescription.
    tags = {305: _CREATOR, 270: text}
    return {"pil_kwargs": {"compression": "tiff_lzw", "tiffinfo": tags}}


_METADATA = {"svg": _svg, "pdf": _pdf, "eps": _eps, "png": _png, "tiff": _tiff}
