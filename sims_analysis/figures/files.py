"""Figures in files: the same bytes every time, with their origin inside."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

from sims_analysis._version import __version__
from sims_analysis.conventions import provenance as origin
from sims_analysis.errors import ArgumentError, ProfileError
from sims_analysis.figures.style import is_default, lay_out, measured_alike
from sims_analysis.files import replace_file
from sims_analysis.text.arguments import format_argument

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from numpy.typing import NDArray

#: A layout converges after two or three drawings.
_ATTEMPTS = 6
#: Positions of axes are rounded to this many decimals of the figure: 30 nm on paper.
_DECIMALS = 6


def save_figure(
    figure: Figure | SubFigure | Axes | NDArray[np.object_],
    path: str | os.PathLike[str],
    *,
    calls: Sequence[str] = (),
    dpi: float = 300.0,
    **options: Any,
) -> Path:
    """Write a figure: the same input gives the same bytes, and the file states its origin.

    Parameters
    ----------
    figure : matplotlib.figure.Figure, Axes, or an array of these
        A figure, or axes in it, as from :func:`plot_profiles` and :func:`plot_panels`; the whole
        figure is written.
    path : path
        ``.svg``, ``.pdf``, ``.tiff`` or ``.png``; written whole or not at all.
    calls : sequence of str, optional
        Calls that produced the numbers, to be recorded along with those known from the data.
    dpi : float
        Resolution of a PNG or TIFF; journals require 600 or more for line art.
    **options : Any
        Of ``Figure.savefig``, such as ``transparent=True``.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    TypeError
        If there is no figure, or no path, or an option is unknown.
    ValueError
        If the format is another one.

    See Also
    --------
    provenance : Reads the origin from the file.

    Notes
    -----
    SVG and PDF keep text as text (PDF with embedded Type 42 fonts), unless a style sheet says
    otherwise. The bytes are those of the versions of matplotlib, its FreeType and the fonts.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ax = sims.plot_profiles(sims.open_example("boron-implant"))
    >>> path = sims.save_figure(ax, "boron.svg")
    >>> sims.provenance(path)["data_id"]
    'boron-implant'
    """
    import matplotlib as mpl

    figure, path = _figure_of(figure), checked_path(path, "figure.pdf")
    calls = [calls] if isinstance(calls, str) else calls
    if not (isinstance(calls, Sequence) and all(isinstance(call, str) for call in calls)):
        stated = format_argument(calls)
        text = f"calls={stated}; expected a list of strings, such as ['sims.peak(data)']"
        raise ArgumentError(text, argument="calls")
    suffix = path.suffix.lower().lstrip(".")
    kind = "tiff" if suffix == "tif" else suffix
    if kind not in _METADATA:
        raise ProfileError(
            f"cannot write {path.name!r}: only .svg, .pdf, .tiff and .png keep their origin "
            "and come out the same every time",
            argument="path",
        )
    record = origin.of_figure(figure, calls)
    text, description = origin.to_text(record), ""
    arguments = {"format": kind, "dpi": dpi, **_METADATA[kind](text)}
    if kind == "svg":
        arguments["metadata"]["Title"], description = _description_of(figure)
    # Ids in an SVG are hashes with a random salt unless one is set; text stays text.
    settings: Any = {"svg.hashsalt": "sims_analysis"}
    defaults = {"svg.fonttype": "none", "pdf.fonttype": 42}
    settings |= {key: value for key, value in defaults.items() if is_default(key)}
    # A figure without a layout engine gets none: see `_settled`.
    settings |= {"figure.autolayout": False, "figure.constrained_layout.use": False}
    with mpl.rc_context(settings), _settled(figure):
        stream = BytesIO()
        figure.savefig(stream, **arguments, **options)
    content = stream.getvalue()
    if kind == "svg":
        element = f"</title>\n <desc>{escape(description)}</desc>".encode()
        content = content.replace(b"</title>", element, 1)
    replace_file(path, content)
    return path


def _description_of(figure: Figure) -> tuple[str, str]:
    """Return a title and a description of a figure, for those who cannot see it."""
    from sims_analysis.figures.layout import layout_at

    layouts = dict.fromkeys(filter(None, map(layout_at, figure.axes)))
    names = dict.fromkeys(name for layout in layouts for name in layout.curves)
    values = dict.fromkeys(label for layout in layouts for label in layout.axes)
    depths = dict.fromkeys(layout.scale.label for layout in layouts if layout.scale is not None)
    titles = dict.fromkeys([figure.get_suptitle(), *(ax.get_title() for ax in figure.axes)])
    description = f"{', '.join(names)}: {', '.join(values)} against {', '.join(depths)}"
    return ", ".join(filter(None, titles)) or "Depth profiles", description


def _figure_of(value: Any) -> Figure:
    """Return the whole figure of axes, of several of them, or of a subfigure."""
    from matplotlib.figure import Figure

    figures = {getattr(getattr(item, "figure", None), "figure", None)
             for item in np.ravel(np.array(value, dtype=object))}  # fmt: skip
    if len(figures) == 1 and isinstance(figure := figures.pop(), Figure):
        return figure
    raise ArgumentError(
        f"expected a figure or its axes, found {type(value).__name__}",
        argument="figure",
        remedy='sims.save_figure(ax, "figure.pdf"), with ax from sims.plot_profiles(data)',
    )


def checked_path(path: Any, example: str) -> Path:
    """Refuse what is not the path of a file."""
    if isinstance(path, str | PathLike) and Path(path).name:
        return Path(path)
    text = f"path={path!r}; expected that of a file, such as {example!r}"
    raise ArgumentError(text, argument="path")


@contextmanager
def _settled(figure: Figure) -> Iterator[None]:
    """Lay out a figure until it does not change any more, and meanwhile keep it so.

    A layout depends on earlier drawings, and differs by 1e-14 from run to run: it is rounded.
    """
    from sims_analysis.figures.layout import Layer

    engine = figure.get_layout_engine()
    with measured_alike(figure):
        for _ in range(_ATTEMPTS if engine is not None else 0):
            places = _places(figure)
            lay_out(figure)
            if _places(figure) == places:
                break
        for layer in figure.findobj(Layer):
            layer.layout.arrange()
    if engine is None:
        yield
        return
    positions = [(ax, ax.get_position(original=True), ax.get_in_layout()) for ax in figure.axes]
    # Not "none", whose placeholder makes savefig draw the figure twice.
    figure.set_layout_engine(None)
    try:
        for ax, (left, bottom, width, height) in zip(figure.axes, _places(figure), strict=True):
            ax.set_position((left, bottom, width, height))
        yield
    finally:
        for ax, position, in_layout in positions:
            ax.set_position(position)
            ax.set_in_layout(in_layout)
        figure.set_layout_engine(engine)


def _places(figure: Figure) -> list[tuple[float, ...]]:
    bounds = [ax.get_position(original=True).bounds for ax in figure.axes]
    return [tuple(round(float(number), _DECIMALS) for number in box) for box in bounds]


_CREATOR = f"sims_analysis {__version__}"
#: Format -> what savefig takes for the origin; the time of writing would make the bytes differ.
_METADATA: dict[str, Callable[[str], dict[str, Any]]] = {
    "svg": lambda text: {"metadata": {"Creator": _CREATOR, "Date": None, "Description": text}},
    "pdf": lambda text: {"metadata": {"Creator": _CREATOR, "CreationDate": None, "Subject": text}},
    "png": lambda text: {"metadata": {"Software": _CREATOR, "Description": text}},
    # The tags Software and ImageDescription.
    "tiff": lambda text: {
        "pil_kwargs": {"compression": "tiff_lzw", "tiffinfo": {305: _CREATOR, 270: text}}
    },
}
