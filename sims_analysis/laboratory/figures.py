"""Figures of a laboratory: control charts, and maps of wafers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

from sims_analysis.conventions import provenance as origin
from sims_analysis.conventions.questions import function_of
from sims_analysis.errors import ProfileError, ProfileWarning, warn
from sims_analysis.figures import style
from sims_analysis.figures.arguments import check_axes
from sims_analysis.figures.axes import date_ticks
from sims_analysis.figures.colours import COLOURS, background, grey_level, visible_colour
from sims_analysis.figures.plot import axes_in_style
from sims_analysis.laboratory.charts import read_series, uniformity
from sims_analysis.text.arguments import argument_error, check_bool
from sims_analysis.text.typeset import plain, power_of_ten, unit_label
from sims_analysis.units import NM_PER_MM, QuantityLike, read_number, to_canonical_variable

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Width = Literal["single", "double"] | QuantityLike | float | None
#: Statuses of a chart -> their markers; so many are explained in a line.
_MARKERS = {"beyond_limits": "o", "two_of_three": "^", "four_of_five": "v", "run": "s",
            "trend": "D", "alternating": "X", "within": "P", "without": "d"}  # fmt: skip


@dataclass(frozen=True)
class _Rules:
    """Sizes of what is drawn."""

    legend_columns: int = 3  # of statuses
    grey: float = 0.5  # what is not looked at first
    many: int = 99  # values of a chart; the points of more are smaller
    small: float = 0.6  # size of these, in marks
    single: float = 0.7  # size of values behind their averages, in marks
    flagged: float = 1.4  # size of a value with a status, in marks
    most_numbers: int = 60  # points of a wafer; more have no room for their numbers
    point: float = 22.0  # area of a point of a wafer, in square points
    notch: float = 0.05  # depth of a notch, in radii, and half its width, in radians
    ground: float = 0.6  # opacity of the ground of a number


_RULES = _Rules()


def plot_control_chart(
    chart: xr.Dataset, ax: Axes | None = None, *, width: Width = None, title: str | None = None
) -> Axes:
    """Draw a control chart: values in order of time, centre and limits, what is flagged.

    Parameters
    ----------
    chart : Dataset
        From :func:`control_chart`.
    ax, width, title
        As for :func:`plot_budget`.

    Returns
    -------
    matplotlib.axes.Axes
        Bars are one standard error of counting; the baseline is shaded, unless it is everything;
        flagged points have a marker for each status, which are explained above.

    Raises
    ------
    ProfileError
        If it is not a chart.

    Examples
    --------
    >>> import xarray as xr
    >>> import sims_analysis as sims
    >>> flow = xr.DataArray([50.0, 51.0, 49.0, 50.0, 60.0], dims="measurement",
    ...                     attrs={"units": "1"})
    >>> ax = sims.plot_control_chart(sims.control_chart(flow, baseline=(0, 3)))
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['beyond limits']
    """
    check_axes(ax, title)
    if not isinstance(chart, xr.Dataset) or function_of(chart) != "control_chart":
        kind = type(chart).__name__
        text = f"expected what sims.control_chart(values) gives, found {kind}"
        raise ProfileError(text, code="other_result", argument="chart")
    time = chart.attrs.get("time")
    x = chart[time].values if time else np.arange(1, chart["value"].size + 1)
    name = chart["value"].attrs["long_name"] if "upper_sum" not in chart else "Cumulative sum"
    scale, label = _scaled(chart["value"].values, name, chart["value"].attrs["units"])
    columns = {name: chart[name].values / scale
               for name in ("value", "average", "upper_sum", "lower_sum", "stderr", "lower",
                            "centre", "upper") if name in chart.variables}  # fmt: skip
    status, inside = chart["status"].values, chart["in_baseline"].values
    with axes_in_style(ax, width) as axes:
        if inside.any() and not (inside | (status == "no_data")).all():
            ends = x[np.flatnonzero(inside)[[0, -1]]]
            axes.axvspan(*ends, color=grey_level(0.5, axes), alpha=0.15, linewidth=0)
        _draw(axes, x, columns, status)
        axes.set_ylabel(label)
        if time:
            date_ticks(axes)
        else:
            axes.set_xlabel("Measurement")
        if count := len(axes.get_legend_handles_labels()[1]):
            axes.legend(
                loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=_RULES.legend_columns,
                frameon=False, fontsize=style.LEAST, borderpad=0.2, borderaxespad=0.0,
                handletextpad=0.1,
            )  # fmt: skip
            title = title and title + "\n " * -(-count // _RULES.legend_columns)
        _finish(axes, title)
    origin.attach(axes.figure, [], [chart], "plot_control_chart(...)")
    return axes


def _scaled(values: Any, name: str, units: str) -> tuple[float, str]:
    """Return a power of ten for an axis, and its label."""
    largest = float(np.nanmax(abs(values), initial=0.0))
    power = int(np.floor(np.log10(largest))) if largest > 0 else 0
    power = 0 if -3 <= power < 5 else power
    parts = [power_of_ten(power) if power else "", "" if units == "1" else unit_label(units)]
    unit = " ".join(filter(None, parts))
    return 10.0**power, plain(name) + (f" ({unit})" if unit else "")


def _draw(ax: Axes, x: Any, columns: dict[str, Any], status: Any) -> None:
    """Draw values or what is made of them, what is flagged, and limits."""
    blue, red = (visible_colour(colour, ax) for colour in COLOURS[:2])
    grey, size = grey_level(_RULES.grey, ax), style.setting("lines.markersize")
    size *= _RULES.small if x.size > _RULES.many else 1.0
    statistics = [name for name in columns if name in ("average", "upper_sum", "lower_sum")]
    names = statistics or ["value"]
    if "stderr" in columns and names == ["value"]:
        ax.errorbar(x, columns["value"], columns["stderr"], fmt="none", ecolor=blue, elinewidth=0.6)
    elif "average" in columns:
        ax.plot(x, columns["value"], "o", color=grey, markersize=_RULES.single * size)
    marked = np.full(x.size, np.nan)
    for name in names:
        y, distance = columns[name], abs(columns[name] - columns["centre"])
        ax.plot(x, y, color=grey, linewidth=0.5, zorder=1)
        ax.plot(x, y, "o", color=blue, markersize=size, zorder=3)
        is_farther = ~(distance < abs(marked - columns["centre"]))
        marked[is_farther] = y[is_farther]
    for word, marker in _MARKERS.items():
        flag, fill = status == word, "full" if marker == "o" else "none"
        if flag.any():
            ax.plot(x, np.where(flag, marked, np.nan), marker, color=red, fillstyle=fill, zorder=4,
                    markersize=_RULES.flagged * size, label=word.replace("_", " "))  # fmt: skip
    ax.plot(x, columns["centre"], color=grey, linewidth=0.7, zorder=0)
    for name, side in (("lower", "top"), ("upper", "bottom")):
        ax.plot(x, columns[name], "--", color=red, linewidth=0.7, zorder=0)
        ax.text(1.01, columns[name][-1], f"{name}\nlimit", transform=ax.get_yaxis_transform(),
                va=side, fontsize=style.LEAST)  # fmt: skip
    ax.margins(x=0.02, y=0.12)


def plot_wafer_map(
    values: xr.DataArray,
    *,
    x: xr.DataArray | None = None,
    y: xr.DataArray | None = None,
    diameter: QuantityLike = "300 mm",
    edge_exclusion: QuantityLike = "0 mm",
    notch: float | None = 270.0,
    interpolate: bool = False,
    ax: Axes | None = None,
    width: Width = None,
    title: str | None = None,
) -> Axes:
    """Draw values where they were measured on a wafer, and say how uniform they are.

    Parameters
    ----------
    values : DataArray
        As for :func:`control_chart`.
    x, y : DataArray, optional
        Places from the centre; by default the coordinates ``x`` and ``y`` of the values.
    diameter, edge_exclusion : str or Quantity
        Of the wafer; and the width of its edge that is left out of colours and :func:`uniformity`.
    notch : float, optional
        Its direction in degrees, counter-clockwise from x; None for none.
    interpolate : bool
        Colour what lies between the points, linearly, and nothing outside of their hull.
    ax, width, title
        As for :func:`plot_budget`.

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ProfileError, UnitsError
        If a place is not known, has no unit of length, or lies off the wafer.

    Examples
    --------
    >>> import xarray as xr
    >>> import sims_analysis as sims
    >>> mm = {"units": "mm"}
    >>> dose = xr.DataArray(
    ...     [5.0e14, 4.9e14, 5.1e14, 5.0e14], dims="measurement", attrs={"units": "atom/cm^2"},
    ...     coords={"x": ("measurement", [0.0, 100.0, -100.0, 0.0], mm),
    ...             "y": ("measurement", [0.0, 0.0, 0.0, 100.0], mm)},
    ... )
    >>> print(sims.plot_wafer_map(dose).get_xlabel())
    half range 2 %, 1σ 1.6 %
    """
    check_axes(ax, title)
    check_bool("interpolate", interpolate)
    radius = read_number(diameter, ("depth",), "diameter") / NM_PER_MM / 2.0
    inner = radius - read_number(edge_exclusion, ("depth",), "edge_exclusion") / NM_PER_MM
    if not 0 < inner <= radius:
        raise argument_error("edge_exclusion", edge_exclusion, "expected less than the radius")
    dim = read_series(values).dim
    for name, argument in (("x", x), ("y", y)):
        place: Any = values.coords.get(name) if argument is None else argument
        if getattr(place, "sizes", None) != values.sizes:
            raise ProfileError(
                f"the values have no coordinate {name!r} over {dim!r}: state "
                f'{name}=xr.DataArray([...], dims="{dim}", attrs={{"units": "mm"}})',
                argument=name,
            )
        position, _ = to_canonical_variable(place, ("depth",), name, float)
        values = values.assign_coords({name: position / NM_PER_MM})
    series = read_series(values)
    places = np.array([series.data[name].values for name in ("x", "y")])
    if np.unique(places, axis=1).shape != places.shape:
        text = "values at one place cover each other"
        warn(text, ProfileWarning, remedy="select one wafer", code="not_shown")
    distance = np.hypot(*places)
    if not (distance <= radius * (1 + 1e-9)).all():
        i = int(np.argmax(distance))
        text = f"({places[0][i]:g}, {places[1][i]:g}) mm lies outside a wafer of {2 * radius:g} mm"
        raise ProfileError(text, argument="diameter")
    counts = ~np.isnan(series.value) & (distance <= inner * (1 + 1e-9))
    with axes_in_style(ax, width, "compressed") as axes:
        _outline(axes, radius, inner, notch)
        scale, label = _scaled(series.value, series.name, series.unit.text)
        _colour(axes, places, series.value / scale, counts, label, interpolate=interpolate)
        axes.set(aspect="equal", xticks=[], yticks=[], frame_on=False)
        if counts.sum() > 1:
            uniform = uniformity(series.data.isel({series.dim: counts}))
            has_process = bool(uniform["process_stddev"].notnull())
            half, stddev = (f"{100 * float(uniform['process_' * has_process + name]):.2g}"
                         for name in ("half_range", "stddev"))  # fmt: skip
            note = "\nbeyond errors of counting" * has_process
            axes.set_xlabel(f"half range {half} %, 1σ {stddev} %{note}")
        _finish(axes, title)
        _leave_out_crowded(axes)
    origin.attach(axes.figure, [], [series.data], "plot_wafer_map(...)")
    return axes


def _outline(ax: Axes, radius: float, inner: float, notch: float | None) -> None:
    """Draw the edge of the wafer with its notch, and where its exclusion begins."""
    turn = np.linspace(0.0, 2.0 * np.pi, 1441)
    rim, grey = np.full(turn.size, radius), grey_level(_RULES.grey, ax)
    if notch is not None:
        distance = abs((turn - np.deg2rad(notch) + np.pi) % (2.0 * np.pi) - np.pi)
        rim -= radius * np.clip(_RULES.notch - distance, 0.0, None)
    ax.plot(rim * np.cos(turn), rim * np.sin(turn), color=grey, linewidth=1.0)
    if inner < radius:
        ax.plot(inner * np.cos(turn), inner * np.sin(turn), "--", color=grey, linewidth=0.5)


def _colour(
    ax: Axes, places: Any, value: Any, counts: Any, label: str, *, interpolate: bool
) -> None:
    """Draw the points with their numbers, or what is between them, and the scale of colours."""
    image: Any = None
    x, y = places
    if interpolate:
        xy = places[:, counts].T
        if len(xy) < 3 or np.linalg.matrix_rank(xy - xy[0], tol=1e-9) < 2:
            text = "interpolate=True needs three points inside the edge exclusion, not on a line"
            raise ProfileError(text, argument="interpolate")
        image = ax.tripcolor(xy[:, 0], xy[:, 1], value[counts], shading="gouraud", rasterized=True)
        ax.plot(x[counts], y[counts], "k.", markersize=2)
    elif counts.any():
        image = ax.scatter(x[counts], y[counts], _RULES.point, value[counts])
    ax.plot(x[~counts], y[~counts], "o", fillstyle="none", color=grey_level(_RULES.grey, ax))
    if image is not None:
        image.set_cmap("viridis")
        ax.figure.colorbar(image, ax=ax, shrink=0.85, pad=0.02, label=label)
    ground = {"facecolor": background(ax), "alpha": _RULES.ground, "linewidth": 0, "pad": 0.4}
    for i in np.flatnonzero(~np.isnan(value)) if value.size <= _RULES.most_numbers else ():
        ax.annotate(f"{value[i]:#.4g}", (x[i], y[i]), (0, 4), textcoords="offset points",
                    ha="center", fontsize=style.LEAST, bbox=ground)  # fmt: skip


def _leave_out_crowded(ax: Axes) -> None:
    """Hide numbers that would cover others: colours show these values."""
    boxes: list[Any] = []
    for text in ax.texts:
        box = text.get_window_extent()
        text.set_visible(not any(map(box.overlaps, boxes)))
        boxes += [box] if text.get_visible() else []


def _finish(ax: Axes, title: str | None) -> None:
    style.fix_ticks(ax)
    if title:
        style.set_title(ax, ax.figure, plain(title))
    style.lay_out(ax.figure)
    style.fold_label(ax)
