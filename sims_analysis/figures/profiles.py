"""Depth profiles as they are printed in papers: one axes, or small multiples."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.dataset import provenance as origin
from sims_analysis.figures import drawing
from sims_analysis.figures.annotations import Results
from sims_analysis.figures.axes import (
    decades,
    depth_scale,
    label_of,
    right_axes,
    set_decades,
    set_depth_limits,
    value_axis_ticks,
)
from sims_analysis.figures.curves import (
    Curve,
    collect,
    is_crowd,
    is_synthetic,
    measurements_of,
    parallel,
    styled,
    with_limits,
)
from sims_analysis.figures.naming import write_names
from sims_analysis.figures.notes import Notes
from sims_analysis.figures.style import in_style, is_default, legible, require_matplotlib, setting
from sims_analysis.text import typeset as _typeset

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

__all__ = ["plot_profiles"]


#: Width of a column of a journal, and a height that suits it, in inches.
COLUMN = (3.4, 2.6)
_DPI = 100.0


def plot_profiles(
    data: Any,
    ax: Axes | None = None,
    *,
    species: str | Sequence[str] | None = None,
    depth_units: str | None = None,
    scale: Literal["log", "linear"] = "log",
    detection_limit: Any = None,
    coverage: float = 1.0,
    junctions: Any = None,
    dose: Any = None,
    dose_window: tuple[Any, Any] | None = None,
    peak: Any = None,
    decay_length: Any = None,
    colours: Mapping[str, str] | None = None,
    labels: Literal["auto", "direct", "legend", "none"] = "auto",
    title: str | None = None,
    **line: Any,
) -> Axes:
    """Draw depth profiles on a log axis, concentrations left, signals right.

    Parameters
    ----------
    data : Dataset, DataArray, or a list or mapping of them
        One measurement, a batch, or several to overlay; the keys of a mapping name them. Plain or
        quantified. Each species is drawn on its own samples.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default a new figure as wide as a column of a journal (3.4 inches).
    species : str or sequence of str, optional
        Which species, in which order.
    depth_units : str, optional
        Unit of the depth (or sputter-time) axis, such as ``"um"``; by default ``nm`` (``s``).
    scale : {"log", "linear"}
        Of the value axes.
    detection_limit : str, Quantity, DataArray or Dataset, optional
        One for all species in its unit, or one for each: samples below it are marked by open
        triangles at the limit, and are not part of the line.
    coverage : float
        Half-width of the uncertainty bands in standard errors, where the data state these; 0
        draws none.
    junctions : DataArray or Dataset, optional
        From :func:`junction_depth`, :func:`crossings` or :func:`metallurgical_junctions`.
        Like every result, it may be a list where `data` is one, or a mapping with its keys.
    dose : DataArray or Dataset, optional
        From :func:`integrated_dose` or :func:`dose_budget`: the window is shaded, its value named.
    dose_window : (start, stop), optional
        The window, such as ``("20 nm", "500 nm")``; by default that of the call recorded in
        `dose`. Where it is not known, nothing is shaded.
    peak, decay_length : Dataset, optional
        From the functions of these names.
    colours : mapping, optional
        Species -> colour, in place of the library's own.
    labels : {"auto", "direct", "legend", "none"}
        Names beside the curves, in a legend above the axes, or nowhere. ``"auto"`` writes them
        beside the curves if all fit without covering anything.
    title : str, optional
        By default none; synthetic data are always named so.
    **line : Any
        Of every curve: ``linewidth``, ``marker``, ``alpha``...

    Returns
    -------
    matplotlib.axes.Axes
        The left axes. Right axes, where there are any, are in ``ax.figure.axes``.

    Raises
    ------
    ProfileError
        If there is nothing to draw.
    SpeciesError
        If a species is not there.
    UnitsError
        If a unit is missing, or some data are on a depth axis and others on a time axis.

    Notes
    -----
    A species has the same colour in every figure: that of its element, so that isotopes share it
    and differ by dashes (see ``sims_analysis.figures.style``). Zero and negative samples cannot
    stand on a log axis: they are marked by open triangles at its floor, and the line breaks there.
    Settings of matplotlib are left as they are; where a style sheet sets something, it wins.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ax = sims.plot_profiles(sims.open_example("boron-implant"))
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('Depth (nm)', 'Concentration (atoms/cm³)')
    """
    require_matplotlib()
    import matplotlib.pyplot as plt

    named = measurements_of(data)
    curves = styled(collect(named, species), colours)
    curves = with_limits(curves, detection_limit)
    results = Results(
        junctions=parallel(junctions, data, named),
        dose=parallel(dose, data, named),
        window=dose_window,
        peak=parallel(peak, data, named),
        decay_length=parallel(decay_length, data, named),
    )
    synthetic = any(map(is_synthetic, named.values()))
    own = ax is None
    with in_style(house=own):
        if ax is None:
            _, ax = plt.subplots(figsize=_size(COLUMN), layout="constrained")
        curves = [
            curve
            if curve.series.species in (colours or {})
            else replace(curve, colour=legible(curve.colour, ax))
            for curve in curves
        ]
        _entitle(ax, title, synthetic=synthetic)
        with _measured_alike(ax):
            _draw(ax, curves, results, depth_units, scale, coverage, labels, line, own=own)
    shown = list(dict.fromkeys(curve.series.species for curve in curves))
    origin.attach(
        ax.figure, list(named.values()), results.given(), f"plot_profiles(..., species={shown})"
    )
    return ax


def _size(default: tuple[float, float]) -> tuple[float, float]:
    width, height = setting("figure.figsize")
    return default if is_default("figure.figsize") else (width, height)


@contextmanager
def _measured_alike(ax: Axes) -> Iterator[None]:
    """Find the places of texts at one resolution, so that none depends on that of a screen."""
    figure: Any = ax.figure
    dpi = figure.dpi
    figure.dpi = _DPI
    try:
        yield
    finally:
        figure.dpi = dpi


def _entitle(ax: Axes, title: str | None, *, synthetic: bool) -> None:
    text = title or ""
    if synthetic and "synthetic" not in text.lower():
        text = f"{text} (synthetic data)" if text else "Synthetic data"
    if text:
        ax.set_title(text)


def _draw(
    ax: Axes,
    curves: list[Curve],
    results: Results,
    depth_units: str | None,
    scale: str,
    coverage: float,
    labels: str,
    line: Mapping[str, Any],
    *,
    own: bool,
) -> None:
    if scale not in ("log", "linear"):
        raise ValueError(f'scale={scale!r}; expected "log" or "linear"')
    if labels not in ("auto", "direct", "legend", "none"):
        raise ValueError(f'labels={labels!r}; expected "auto", "direct", "legend" or "none"')
    log = scale == "log"
    usetex = bool(setting("text.usetex"))
    x_scale = depth_scale([curve.series for curve in curves], depth_units)
    groups = _groups(curves)
    ax.set_xlabel(x_scale.label)
    ax.set_ylabel(next(iter(groups)))
    axes = [ax, *(right_axes(ax, label) for label in list(groups)[1:])]
    common = getattr(ax, "_sims_common", curves)
    set_depth_limits(ax, [x_scale(curve.series.x) for curve in common])
    for each in axes:
        if log and each.get_yscale() != "log":
            each.set_yscale("log")
    if log:
        everywhere = _groups(common)
        set_decades(axes, [_span(everywhere[label]) for label in groups])

    many = is_crowd(curves)
    options = {"linewidth": 0.5, "alpha": 0.5, **line} if many else line
    lines: list[tuple[Curve, Any]] = []
    notes = Notes(ax)
    for each, group in zip(axes, groups.values(), strict=True):
        if log:
            value_axis_ticks(each)
        row = 0
        for curve in group:
            if many:
                curve = _solid(curve)  # noqa: PLW2901
            drawn = drawing.draw_curve(each, curve, x_scale, log=log, options=options)
            drawing.draw_band(each, curve, x_scale, log=log, coverage=coverage)
            if log and drawing.mark_floor(each, curve, x_scale, row):
                row += not many  # a crowd shares a row: it would fill the axes
                notes.add_hidden(curve)
            drawing.mark_below_limit(each, curve, x_scale)
            lines.append((curve, drawn))
        notes.add_limits(each, group)
        for curve in group:
            if _is_primary(curve, curves):
                who = _who(curve, curves, usetex=usetex)
                results.draw(each, curve, x_scale, notes, who=who)
    for each in axes:
        _ticks(each)
    if len(axes) > 2:
        # One arrow cannot say which of several right axes is meant: their colour does.
        for each, group in zip(axes[1:], list(groups.values())[1:], strict=True):
            if len({curve.colour for curve in group}) == 1:
                each.yaxis.label.set_color(group[0].colour)
                each.tick_params(axis="y", which="both", colors=group[0].colour)
    write_names(ax, axes, lines, notes, labels, usetex=usetex, own=own)


def _groups(curves: Sequence[Curve]) -> dict[str, list[Curve]]:
    """Sort the curves by value axis; the most wanted quantity first, on the left."""
    groups: dict[str, list[Curve]] = {}
    rank = {name: i for i, name in enumerate(vocabulary.QUANTITIES)}
    for curve in sorted(curves, key=lambda c: rank.get(c.series.variable, len(rank))):
        label = label_of(curve.series.long_name, curve.series.units)
        groups.setdefault(label, []).append(curve)
    return groups


def _span(group: Sequence[Curve]) -> tuple[float, float]:
    """Give the decades that a group of curves needs."""
    shown = [c.series.y[(c.series.y > 0) & ~c.below_limit()] for c in group]
    # Half a limit: the marks stand on its line, not on the frame.
    limits = [0.5 * c.limit for c in group if c.limit > 0 and c.below_limit().any()]
    rows = sum(bool(c.not_positive().any()) for c in group)
    if is_crowd(group):
        rows = min(rows, 1)
    return decades(np.concatenate([*shown, np.array(limits)]), rows)


def _is_primary(curve: Curve, curves: Sequence[Curve]) -> bool:
    """Whether results of the species belong on this curve: on the most wanted quantity."""
    rank = {name: i for i, name in enumerate(vocabulary.QUANTITIES)}
    mine = (curve.series.species, curve.measurement)
    return all(
        rank.get(curve.series.variable, 0) <= rank.get(other.series.variable, 0)
        for other in curves
        if (other.series.species, other.measurement) == mine
    )


def _who(curve: Curve, curves: Sequence[Curve], *, usetex: bool) -> str:
    """Name a curve in the list of results, as briefly as the others allow."""
    species = {other.series.species for other in curves}
    measurements = {other.measurement for other in curves}
    name = _typeset.mathtext(curve.series.species, usetex=usetex) if len(species) > 1 else ""
    return ", ".join(filter(None, [name, curve.measurement if len(measurements) > 1 else ""]))


def _solid(curve: Curve) -> Curve:
    return replace(curve, dash="solid")


def _ticks(ax: Axes) -> None:
    """Fix the looks of ticks now: matplotlib would read its settings when it draws."""
    for which in ("x", "y"):
        for size in ("major", "minor"):
            ax.tick_params(
                axis=which,
                which=size,
                direction=setting(f"{which}tick.direction"),
                width=setting(f"{which}tick.{size}.width"),
                length=setting(f"{which}tick.{size}.size"),
            )
        ax.tick_params(axis=which, labelsize=setting(f"{which}tick.labelsize"))
