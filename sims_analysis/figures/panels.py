"""Small multiples: profiles side by side on common axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sims_analysis.figures.axes import memory, spread_right_axes
from sims_analysis.figures.curves import (
    Measurements,
    collect,
    curves_of,
    is_synthetic,
    measurements_of,
    parallel,
    styled,
)
from sims_analysis.figures.labels import brief
from sims_analysis.figures.legend import stands_below
from sims_analysis.figures.profiles import MM, SIZES, plot_profiles
from sims_analysis.figures.style import (
    grow,
    in_style,
    lay_out,
    measured_alike,
    require_matplotlib,
)
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.arguments import check_choice

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

__all__ = ["plot_panels"]

#: Characters that fit above a panel.
_LINE = 34
#: Height of a row of panels, and of what is above and below them all, in inches.
_ROW, _REST = 1.75, 0.5
#: Options of :func:`plot_profiles` that choose and convert the curves.
_OF_CURVES = ("species", "detection_limit", "value_units")


def plot_panels(
    data: Measurements,
    *,
    by: Literal["measurement", "species"] = "measurement",
    columns: int | None = None,
    **options: Any,
) -> NDArray[np.object_]:
    """Draw small multiples: one panel per measurement or per species, on common axes.

    Parameters
    ----------
    data : Dataset, DataArray, SIMSResult, or a list or mapping of them
        As for :func:`plot_profiles`; a batch gives a panel for each measurement.
    by : {"measurement", "species"}
        What each panel shows.
    columns : int, optional
        Panels in a row; by default at most 3, at most 5 for more than a dozen panels, 2 for four.
    **options : Any
        Of :func:`plot_profiles`.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        One for each panel, in order.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> panels = sims.plot_panels(sims.open_example("boron-implant"), by="species")
    >>> len(panels)
    2
    """
    require_matplotlib()
    import matplotlib.pyplot as plt

    parts = _parts(data, by, options)
    most = 5 if len(parts) > 12 else 2 if len(parts) == 4 else 3
    across = columns or min(most, len(parts))
    down = -(-len(parts) // across)
    width = SIZES["single" if across == 1 else "double"][0] * MM
    named = measurements_of(data)
    for result in ("junctions", "dose", "peak", "decay_length", "fits"):
        if result in options:
            options[result] = parallel(options[result], data, named)
    with in_style(house=True):
        figure, grid = plt.subplots(
            down,
            across,
            squeeze=False,
            figsize=(width, _REST + _ROW * down * min(1.0, 3.5 / across)),
            layout="constrained",
        )
        axes = list(grid.ravel())
        for ax in axes[len(parts) :]:
            ax.remove()
        if any(map(is_synthetic, named.values())):
            figure.suptitle("Synthetic data", fontsize="medium")
        shown = [item for _, item, _ in parts] if by == "measurement" else [data]
        known = {k: v for k, v in options.items() if k in _OF_CURVES}
        everything = [c for item in shown for c in curves_of(measurements_of(item), **known)]
        explained: set[str] = set()
        waiting: list[tuple[Callable[[], None], Callable[[], None]]] = []
        colours: dict[str, str] = {}
        if options.get("colour_by") != "measurement":
            styled(everything, options.get("colours"), "species", colours)
        for ax, (heading, item, extra) in zip(axes, parts, strict=False):
            state = memory(ax)
            state.common, state.explained, state.colours = everything, explained, colours
            state.house, state.entitled, state.waiting = True, True, waiting
            plot_profiles(item, ax, **{"title": heading, **options, **extra})
        axes = axes[: len(parts)]
        _share_labels(axes, across, len(parts))
        if down > 2:
            _label_once(figure, axes)
        with measured_alike(figure):
            lay_out(figure)
            if any(len(memory(ax).axes) > 2 for ax in axes):
                for ax in axes:
                    spread_right_axes(ax)
                lay_out(figure)
            for write, _ in waiting:
                write()
            outside = _outside(axes, across)
            if outside:
                # Lists around the panels get room of their own: the panels stay as high.
                grow(figure, outside)
                lay_out(figure)
                for _, adjust in waiting:
                    adjust()
        for ax in axes:
            memory(ax).waiting = None
    return np.array(axes, dtype=object)


def _outside(axes: Sequence[Axes], across: int) -> float:
    """Return the height of the lists above and below the panels, in all rows, in inches."""

    def height(ax: Axes) -> float:
        known = memory(ax)
        lists = [known.names_legend]
        if stands_below(known.notes_legend):
            lists.append(known.notes_legend)
        figure: Any = ax.figure
        heights = [each.get_window_extent().height for each in lists if each is not None]
        return float(sum(heights) / figure.dpi)

    rows = [axes[i : i + across] for i in range(0, len(axes), across)]
    return sum(max(map(height, row)) for row in rows)


def _share_labels(axes: Sequence[Axes], across: int, count: int) -> None:
    """Remove the labels of an axis that the next panel has too, with the same limits."""
    for i, ax in enumerate(axes):
        left = axes[i - 1] if i % across else None
        beside = axes[i + 1] if (i + 1) % across and i + 1 < count else None
        own = next(iter(memory(ax).axes))
        if left is not None and own == next(iter(memory(left).axes)) and _same(left, ax, own):
            ax.set_ylabel("")
            ax.tick_params(axis="y", labelleft=False)
        # An axis that the next panel has on its left, or beside others, is no help to this one.
        if beside is not None and list(memory(beside).axes) != list(memory(ax).axes):
            beside = None
        for label, right in list(memory(ax).axes.items())[1:]:
            if beside is not None and _same(beside, ax, label):
                right.set_ylabel("")
                right.tick_params(axis="y", labelright=False)
        if i + across < count:
            ax.set_xlabel("")
            ax.tick_params(axis="x", labelbottom=False)


def _label_once(figure: Figure, axes: Sequence[Axes]) -> None:
    """Write the label of the value axis once, where the rows are too low for one each."""
    labels = {label for ax in axes if (label := ax.get_ylabel())}
    if len(labels) == 1:
        figure.supylabel(labels.pop(), fontsize="medium")
        for ax in axes:
            ax.set_ylabel("")


def _same(one: Axes, other: Axes, label: str) -> bool:
    """Whether the axes of this label have the same limits in two panels."""
    a, b = (memory(ax).axes[label].get_ylim() for ax in (one, other))
    return bool(np.allclose(a, b))


def _heading(name: str) -> str:
    return _typeset.plain(brief(name, _LINE))


def _parts(data: Any, by: str, options: dict[str, Any]) -> list[tuple[str, Any, dict[str, Any]]]:
    """Return the heading, the data and the options of each panel."""
    named = measurements_of(data)
    check_choice("by", by, ("measurement", "species"))
    if by == "species":
        curves = collect(named, options.pop("species", None))
        names = dict.fromkeys(curve.series.species for curve in curves)
        # The heading of the panel names the one curve in it.
        alone = len({curve.measurement for curve in curves}) == 1 and "labels" not in options
        labels = {"labels": "none"} if alone else {}
        return [
            (_typeset.mathtext(brief(name, _LINE)), data, {"species": name, **labels})
            for name in names
        ]
    parts: list[tuple[str, Any, dict[str, Any]]] = []
    for label, item in named.items():
        if "measurement" not in item.dims:
            parts.append((_heading(label), {label: item}, {}))
            continue
        for i in range(item.sizes["measurement"]):
            # The dimension stays, so that results of the batch find the measurement.
            one = item.isel(measurement=[i])
            name = str(one["measurement"].values[0]) if "measurement" in one.coords else str(i)
            parts.append((_heading(", ".join(filter(None, [label, name]))), {label: one}, {}))
    return parts
