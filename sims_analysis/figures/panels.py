"""Small multiples: profiles side by side on common axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sims_analysis.errors import ProfileError, require
from sims_analysis.figures.arguments import OPTIONS, RESULTS, PlotOptions, check_title, read_options
from sims_analysis.figures.artists import draw, finish, read_curves
from sims_analysis.figures.curves import Measurements, curves_of, measurements_of, with_styles
from sims_analysis.figures.plot import Plot
from sims_analysis.figures.profiles import record, title_text
from sims_analysis.figures.style import (
    abbreviate,
    closed_on_error,
    figure_size,
    in_style,
    set_title,
)
from sims_analysis.text import typeset as _typeset
from sims_analysis.text.arguments import check_bool, check_choice, check_count
from sims_analysis.units import QuantityLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray


@dataclass(frozen=True)
class _Rules:
    """Sizes of panels, in inches."""

    line: int = 34  # characters that fit above one
    row: float = 1.75  # height of a row,
    high: float = 3.5  # less if it has more panels than this,
    rest: float = 0.5  # and of what is above and below them all
    label: float = 1.6  # height of a row beside which the label of a value axis stands
    columns: int = 3  # panels in a row, at most,
    crowd: int = 12  # and of more panels than these,
    crowd_columns: int = 5  # so many


_RULES = _Rules()


def plot_panels(
    data: Measurements,
    *,
    by: Literal["measurement", "species"] = "measurement",
    columns: int | None = None,
    width: Literal["single", "double"] | QuantityLike | float | None = None,
    letters: bool = False,
    title: str | None = None,
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
    width : {"single", "double"}, str, Quantity or float, optional
        As of :func:`plot_profiles`; by default two columns of a journal, one for a single panel.
    letters : bool
        Write (a), (b), (c)... at the left above the panels.
    title : str, optional
        Of the figure; ``""`` for none, where synthetic data are labelled so by default.
    **options : Any
        Further options of :func:`plot_profiles`.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        One for each panel, in order.

    Raises
    ------
    ProfileError
        As for :func:`plot_profiles`.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> panels = sims.plot_panels(sims.open_example("boron-implant"), by="species")
    >>> len(panels)
    2
    """
    require("figures need", "matplotlib", extra="plot")
    import matplotlib.pyplot as plt

    check_bool("letters", letters)
    check_choice("by", by, ("measurement", "species"))
    datasets = measurements_of(data)
    check_title(title)
    line = {n: value for n, value in options.items() if n not in OPTIONS | RESULTS.keys()}
    settings = read_options(options, line, data, datasets, "plot_panels")
    if settings.residuals or settings.comparison is not None:
        text = "residuals and ratios are drawn by plot_profiles, below its axes"
        raise ProfileError(text, argument="residuals" if settings.residuals else "comparison")
    parts = _panels_of(datasets, by, settings, named_beside="labels" in options)
    if columns is not None:
        check_count("columns", columns)
    curves = [read_curves(item, replace(settings, **extra)) for _, item, extra in parts]
    n_columns, n_rows, size, row = _arrangement(len(parts), columns, width)
    with in_style():
        inches = size, _RULES.rest + row * n_rows
        figure, grid = plt.subplots(
            n_rows, n_columns, squeeze=False, figsize=inches, layout="constrained"
        )
        axes = list(grid.ravel())
        for ax in axes[len(parts) :]:
            ax.remove()
        plots = [Plot(ax, *args, resizable=True) for ax, args in zip(axes, curves, strict=False)]
        with closed_on_error(figure, is_new=True):
            if text := title_text(title, datasets):
                set_title(None, figure, text)
            _write_headings(axes, [name for name, _, _ in parts], by, letters=letters)
            used: dict[str, str] = {}
            if settings.colour_by != "measurement":  # a species has the same colour in each panel
                every = [curve for plot in plots for curve in plot.curves]
                with_styles(every, plots[0].options.colours, "species", used, plots[0].ax)
            draw(plots, used)
            _share_labels(plots, n_columns)
            labels = {label for plot in plots if (label := plot.ax.get_ylabel())}
            if len(labels) == 1 and (n_rows > 2 or (n_rows > 1 and row < _RULES.label)):
                figure.supylabel(labels.pop(), fontsize="medium")
                for plot in plots:
                    plot.ax.set_ylabel("")
            finish(plots, across=n_columns)
    record(plots, datasets)
    return np.array([plot.ax for plot in plots], dtype=object)


def _arrangement(n: int, columns: int | None, width: Any) -> tuple[int, int, float, float]:
    """Return how many panels stand in a row, how many rows, and width and height of a row."""
    max_columns = _RULES.crowd_columns if n > _RULES.crowd else 2 if n == 4 else _RULES.columns
    n_columns = columns or min(max_columns, n)
    n_rows = -(-n // n_columns)
    default_width = "single" if n_columns == 1 else "double"
    size = figure_size(default_width if width is None else width)[0]
    row = _RULES.row * min(1.0, _RULES.high / n_columns) * size / figure_size(default_width)[0]
    return n_columns, n_rows, size, max(row, _RULES.label) if n_rows == 1 else row


def _write_headings(axes: Sequence[Axes], names: Sequence[str], by: str, *, letters: bool) -> None:
    """Write the name of each panel above it, and a letter at its left: a to z, then aa, bb..."""
    typeset = _typeset.mathtext if by == "species" else _typeset.plain
    for i, (ax, name) in enumerate(zip(axes, names, strict=False)):
        ax.set_title(typeset(abbreviate(name.removesuffix("->"), _RULES.line)), y=1.0)
        if letters:
            letter = ascii_lowercase[i % 26] * (1 + i // 26)
            ax.set_title(f"({letter})", loc="left", y=1.0, fontweight="bold")


def _share_labels(plots: Sequence[Plot], n_columns: int) -> None:
    """Remove the labels of an axis that the next panel has too: all have the same limits."""
    for i, plot in enumerate(plots):
        labels = list(plot.layout.axes)
        if i % n_columns and labels[0] == next(iter(plots[i - 1].layout.axes)):
            _hide(plot.ax, "y", "left")
        # An axis that the next panel has on its left, or beside others, is no help to this one.
        following = plots[i + 1] if (i + 1) % n_columns and i + 1 < len(plots) else None
        if following is not None and list(following.layout.axes) == labels:
            for label in labels[1:]:
                _hide(plot.layout.axes[label], "y", "right")
        if i + n_columns < len(plots) and plots[i + n_columns].scale.kind == plot.scale.kind:
            _hide(plot.ax, "x", "bottom")


def _hide(ax: Axes, axis: Literal["x", "y"], side: str) -> None:
    """Remove the label and the numbers of an axis."""
    ax.set(**{f"{axis}label": ""})
    ax.tick_params(axis=axis, **{f"label{side}": False})


def _panels_of(
    datasets: Mapping[str, Any], by: str, options: PlotOptions, *, named_beside: bool
) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """Return the name, the measurements and further options of each panel."""
    if by == "species":
        curves = curves_of(datasets, options.species)
        # The heading of the panel names the one curve in it.
        names_one = len({curve.measurement for curve in curves}) == 1 and not named_beside
        labels = {"labels": "none"} if names_one else {}
        names = dict.fromkeys(curve.species for curve in curves)
        return [(name, dict(datasets), {"species": name, **labels}) for name in names]
    parts: list[tuple[str, dict[str, Any], dict[str, Any]]] = []
    for label, item in datasets.items():
        if "measurement" not in item.dims:
            parts.append((label, {label: item}, {}))
            continue
        for i in range(item.sizes["measurement"]):
            # The dimension stays, so that results of the batch find the measurement.
            part = item.isel(measurement=[i])
            name = str(part["measurement"].values[0]) if "measurement" in part.coords else str(i)
            parts.append((", ".join(filter(None, [label, name])), {label: part}, {}))
    return parts
