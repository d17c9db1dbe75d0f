"""Figures in files: the same bytes every time, with their origin inside."""

from __future__ import annotations

import os
import re
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
from sims_analysis.figures.arguments import refuse_value
from sims_analysis.figures.colours import background
from sims_analysis.figures.style import is_default, lay_out, measured_alike
from sims_analysis.files import replace_file
from sims_analysis.text.arguments import (
    check_bool,
    check_choice,
    format_argument,
    is_number,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure
    from numpy.typing import NDArray

__all__ = ["save_figure"]

#: Options of ``savefig`` that change neither the format nor what is written about the origin.
_OPTIONS = {"transparent", "bbox_inches", "pad_inches", "facecolor", "edgecolor"}
#: Least and greatest resolution.
_COARSEST, _FINEST = 20.0, 4800.0
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
        ``.svg``, ``.pdf``, ``.eps``, ``.tiff`` or ``.png``; written whole or not at all.
    calls : sequence of str, optional
        Calls that produced the numbers, to be recorded along with those known from the data.
    dpi : float
        Resolution of a PNG or TIFF; journals require 600 or more for line art.
    **options : Any
        Of ``Figure.savefig``: ``transparent``, ``bbox_inches``, ``pad_inches``, ``facecolor``,
        ``edgecolor``.

    Returns
    -------
    pathlib.Path
        Where it was written.

    Raises
    ------
    TypeError
        If there is no figure, or no path, or an option is unknown.
    ValueError
        If the format is another one, which would not keep the origin or the same bytes, or a value
        is none that the option can have.

    See Also
    --------
    provenance : Reads the origin from the file.

    Notes
    -----
    SVG, PDF and EPS keep text as text (PDF and EPS with embedded Type 42 fonts), unless a style
    sheet says otherwise. EPS has no transparency: shades are blended with the background colour of
    the axes.

    The bytes are the same for the same versions of matplotlib, its FreeType and the fonts: record
    these to reproduce the file.

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
        found = format_argument(calls)
        raise TypeError(f"calls={found}; expected a list of texts, such as ['sims.peak(data)']")
    _check_options(dpi, options)
    suffix = path.suffix.lower().lstrip(".")
    kind = "tiff" if suffix == "tif" else suffix
    if kind not in _METADATA:
        raise ValueError(
            f"cannot write {path.name!r}: only .svg, .pdf, .eps, .tiff and .png keep their origin "
            "and come out the same every time"
        )
    record = origin.of_figure(figure, calls)
    text, description = origin.to_text(record), ""
    arguments = {"format": kind, "dpi": dpi, **_METADATA[kind](text), **options}
    if kind == "svg":
        arguments["metadata"]["Title"], description = _description_of(figure)
    with mpl.rc_context(_settings()), _opaque(figure, flat=kind == "eps"):
        _settle(figure)
        with _held(figure):
            stream = BytesIO()
            figure.savefig(stream, **arguments)
    content = stream.getvalue()
    if kind == "eps":
        content = _with_comment(content, text)
    elif kind == "svg":
        described = f"</title>\n <desc>{escape(description)}</desc>".encode()
        content = content.replace(b"</title>", described, 1)
    replace_file(path, content)
    return path


def _description_of(figure: Figure) -> tuple[str, str]:
    """Return a title and a description of a figure, for those who cannot see it."""
    from sims_analysis.figures.layout import layout_at

    layouts = dict.fromkeys(filter(None, map(layout_at, figure.axes)))
    names = dict.fromkeys(name for one in layouts for name in one.curves)
    values = dict.fromkeys(key[1] for one in layouts for key in one.axes)
    depths = dict.fromkeys(scale.label for one in layouts for scale in one.scales.values())
    titles = dict.fromkeys([figure.get_suptitle(), *(ax.get_title() for ax in figure.axes)])
    shown = f"{', '.join(names)}: {', '.join(values)} against {', '.join(depths)}"
    return ", ".join(filter(None, titles)) or "Depth profiles", shown


def _figure_of(given: Any) -> Figure:
    """Return the whole figure of axes, of several of them, or of a subfigure."""
    from matplotlib.figure import Figure

    found = {getattr(getattr(each, "figure", None), "figure", None)
             for each in np.ravel(np.array(given, dtype=object))}  # fmt: skip
    if len(found) == 1 and isinstance(figure := found.pop(), Figure):
        return figure
    raise TypeError(
        f"expected a figure or its axes, found {type(given).__name__}: "
        'sims.save_figure(ax, "figure.pdf"), with ax from sims.plot_profiles(data)'
    )


def checked_path(path: Any, example: str) -> Path:
    """Refuse what is no path of a file."""
    if isinstance(path, str | PathLike) and Path(path).name:
        return Path(path)
    raise TypeError(f"path={path!r}; expected that of a file, such as {example!r}")


def _check_options(dpi: Any, options: dict[str, Any]) -> None:
    """Refuse options that are unknown or would take the origin away, and values that cannot be."""
    for name in options.keys() - _OPTIONS:
        raise TypeError(
            f"save_figure has no option {name!r}: it has {', '.join(sorted(_OPTIONS))}; the ending "
            "of the path says the format, and calls= adds to the origin that is written"
        )
    if not (is_number(dpi) and _COARSEST <= dpi <= _FINEST):
        refuse_value("dpi", dpi, f"dots an inch, {_COARSEST:g} to {_FINEST:g}")
    check_bool("transparent", options.get("transparent", False))
    box = options.get("bbox_inches")
    if isinstance(box, str) or not hasattr(box, "bounds"):
        check_choice("bbox_inches", box or "tight", ["tight"])


def _settings() -> Any:
    """Return the settings that keep text as text, unless the user has set them."""
    # Ids in an SVG are hashes with a random salt unless one is set.
    settings: Any = {"svg.hashsalt": "sims_analysis"}
    # So that a figure without a layout engine gets none: see `_held`.
    settings |= {"figure.autolayout": False, "figure.constrained_layout.use": False}
    wanted = {"svg.fonttype": "none", "pdf.fonttype": 42, "ps.fonttype": 42}
    return settings | {key: value for key, value in wanted.items() if is_default(key)}


@contextmanager
def _opaque(figure: Figure, *, flat: bool) -> Iterator[None]:
    """Meanwhile, replace transparent colours by those that they give on the background."""
    from matplotlib.collections import PolyCollection
    from matplotlib.colors import to_rgba_array
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    kinds = (PolyCollection, Patch, Line2D)
    found: list[Any] = figure.findobj(lambda artist: isinstance(artist, kinds)) if flat else []
    before: list[tuple[Any, str, Any, float]] = []
    for artist in [one for one in found if one.get_alpha() is not None]:
        paint = "color" if isinstance(artist, Line2D) else "facecolor"
        colour, alpha = getattr(artist, f"get_{paint}")(), artist.get_alpha()
        before.append((artist, paint, colour, alpha))
        page = np.array(background(artist.axes or figure.axes[0]))
        mixed = alpha * to_rgba_array(colour)[0, :3] + (1 - alpha) * page
        artist.set(**{"alpha": None, paint: tuple(mixed)})
    try:
        yield
    finally:
        for artist, paint, colour, alpha in before:
            artist.set(**{paint: colour, "alpha": alpha})


def _with_comment(content: bytes, text: str) -> bytes:
    """Put the origin into the header of an EPS, as comments of at most 255 characters a line."""
    lines = [text[i : i + 200] for i in range(0, len(text), 200)]
    comment = "".join(f"%sims_analysis: {line}\n" for line in lines)
    head, mark, body = content.partition(b"%%EndComments\n")
    # The time of writing would make the bytes differ.
    head = re.sub(rb"^%%CreationDate:.*\n", b"", head, flags=re.MULTILINE)
    return head + comment.encode("ascii") + mark + body


def _settle(figure: Figure) -> None:
    """Lay out the figure until it does not change any more, because it depends on earlier drawings.

    Measured at one resolution, a figure has the same layout in every format.
    """
    from sims_analysis.figures.layout import Layer

    with measured_alike(figure):
        for _ in range(_ATTEMPTS if figure.get_layout_engine() is not None else 0):
            before = _places(figure)
            lay_out(figure)
            if _places(figure) == before:
                break
        for layer in figure.findobj(Layer):
            layer.layout.arrange()


def _places(figure: Figure) -> list[tuple[float, ...]]:
    bounds = [ax.get_position(original=True).bounds for ax in figure.axes]
    return [tuple(round(float(number), _DECIMALS) for number in one) for one in bounds]


@contextmanager
def _held(figure: Figure) -> Iterator[None]:
    """Keep the axes at rounded positions, because layouts differ by 1e-14 from run to run."""
    engine = figure.get_layout_engine()
    if engine is None:
        yield
        return
    before = [(ax, ax.get_position(original=True), ax.get_in_layout()) for ax in figure.axes]
    # Not "none", whose placeholder makes savefig draw the figure twice.
    figure.set_layout_engine(None)
    try:
        for ax, place in zip(figure.axes, _places(figure), strict=True):
            ax.set_position((place[0], place[1], place[2], place[3]))
        yield
    finally:
        for ax, position, in_layout in before:
            ax.set_position(position)
            ax.set_in_layout(in_layout)
        figure.set_layout_engine(engine)


_CREATOR = f"sims_analysis {__version__}"
#: Format -> what savefig takes for the origin; the time of writing would make the bytes differ.
_METADATA: dict[str, Callable[[str], dict[str, Any]]] = {
    "svg": lambda text: {"metadata": {"Creator": _CREATOR, "Date": None, "Description": text}},
    "pdf": lambda text: {"metadata": {"Creator": _CREATOR, "CreationDate": None, "Subject": text}},
    "eps": lambda _: {"metadata": {"Creator": _CREATOR}},
    "png": lambda text: {"metadata": {"Software": _CREATOR, "Description": text}},
    # The tags Software and ImageDescription.
    "tiff": lambda text: {
        "pil_kwargs": {"compression": "tiff_lzw", "tiffinfo": {305: _CREATOR, 270: text}}
    },
}
