"""The budget of a dose as bars: what its error comes from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import numpy as np
import xarray as xr

from sims_analysis.conventions import provenance as origin
from sims_analysis.conventions.questions import function_of
from sims_analysis.errors import ProfileError
from sims_analysis.figures import style
from sims_analysis.figures.arguments import PlotOptions, check_axes
from sims_analysis.figures.colours import assign_colours, text_colour, user_cycle, visible_colour
from sims_analysis.figures.plot import Plot, axes_in_style
from sims_analysis.text.typeset import mathtext, plain
from sims_analysis.units import QuantityLike, dequantify

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: Variables of a budget, and what they are called in a figure.
_PARTS = {
    "random_stderr": "random",
    "background_stderr": "background",
    "rsf_stderr": "sensitivity factor",
    "day_to_day_stderr": "day to day",
    "depth_stderr": "depth scale",
    "systematic_stderr": "systematic",
}
#: More profiles than these cannot be distinguished.
_MOST = 12
#: Length of the axis, in longest bars, and the least part of it for bars beside their numbers.
_ROOM, _LEAST = 1.25, 0.2
#: Distance between a bar and its number, in points.
_GAP = 3.0


def plot_budget(
    budget: xr.Dataset,
    ax: Axes | None = None,
    *,
    width: Literal["single", "double"] | QuantityLike | float | None = None,
    title: str | None = None,
) -> Axes:
    """Draw the error budget of doses as bars: each part as a percentage of the dose.

    Parameters
    ----------
    budget : Dataset
        From :func:`dose_budget`, of one profile or of up to twelve.
    ax : matplotlib.axes.Axes, optional
        Where to draw; by default in a new figure.
    width : {"single", "double"}, str, Quantity or float, optional
        Width of a new figure, as of :func:`plot_profiles`.
    title : str, optional

    Returns
    -------
    matplotlib.axes.Axes

    Raises
    ------
    ProfileError
        If it is not a budget, or of more profiles than can be distinguished.

    Notes
    -----
    Parts are one standard error each. The random one holds that of the background; the systematic
    one is the quadratic sum of sensitivity factor (with day to day) and depth scale.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species=["B"])
    >>> ds = sims.with_counting_statistics(ds, value_per_count="1e14 atoms/cm^3")
    >>> ax = sims.plot_budget(sims.dose_budget(ds, rsf_uncertainty=0.1, depth_uncertainty=0.02))
    >>> [text.get_text() for text in ax.texts]
    ['0.0199 %', '0 %', '10 %', '2 %', '10.2 %']
    """
    from sims_analysis.figures.layout import arrange

    check_axes(ax, title)
    names, shares = _shares(budget)
    parts = [text for part, text in _PARTS.items() if part in budget]
    with axes_in_style(ax, width) as drawn:
        plot = Plot(drawn, PlotOptions(), resizable=ax is None)
        if plot.resizable:
            style.make_higher(plot.layout.figure, 0.2 * (len(names) - 1) * len(parts) / 2)
        colours = assign_colours(names, {}, user_cycle())
        bar_colours = [visible_colour(colours[name], drawn) for name in names]
        bars = _draw(drawn, shares, bar_colours)
        drawn.set_yticks(np.arange(len(parts)), parts)
        style.fix_ticks(drawn)
        drawn.tick_params(axis="y", which="both", length=0)
        if title:
            style.set_title(drawn, plot.layout.figure, plain(title))
        if len(names) > 1:
            plot.layout.above = dict(zip(map(mathtext, names), bars, strict=True))
        plot.layout.read_settings()
        style.lay_out(plot.layout.figure)
        width, gap = drawn.bbox.width, 2 * _GAP * plot.layout.figure.dpi / 72.0
        ends = [text.xy[0] / max(1.0 - (text.get_window_extent().width + gap) / width, _LEAST)
                for text in cast("list[Any]", drawn.texts)]  # fmt: skip
        drawn.set_xlim(0.0, max(*ends, drawn.get_xlim()[1]))  # every number is inside
        arrange([plot.layout])
    origin.attach(drawn.figure, [], [budget], "plot_budget(...)")
    return drawn


def _shares(budget: Any) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Return the names of the profiles, and each part of the error in per cent, profile by part."""
    if not isinstance(budget, xr.Dataset) or function_of(budget) != "dose_budget":
        function = function_of(budget) if isinstance(budget, xr.Dataset | xr.DataArray) else ""
        raise ProfileError(
            "expected the budget that sims.dose_budget(data, ...) gives; found "
            + (f"a result of {function}()" if function else type(budget).__name__),
            code="other_result",
            argument="budget",
        )
    plain_budget = dequantify(budget)
    dose = plain_budget["dose"]
    if dose.size > _MOST:
        raise ProfileError(
            f"{dose.size} profiles cannot be distinguished as bars: select up to {_MOST}, as in "
            'budget.sel(species=["B"])',
            code="wrong_dimensions",
            argument="budget",
        )
    names = []
    for index in np.ndindex(dose.shape):
        profile = dose[index]
        labels = [profile[dim].values if dim in profile.coords else i
                  for i, dim in zip(index, dose.dims, strict=True)]  # fmt: skip
        names.append(", ".join(map(str, labels)))
    if dose.ndim == 0 and "species" in dose.coords:
        names = [str(dose["species"].values)]
    with np.errstate(divide="ignore", invalid="ignore"):
        columns = [plain_budget[part] for part in _PARTS if part in plain_budget]
        parts = [100 * part / abs(dose).where(dose != 0) for part in columns]
    return names, np.array([np.ravel(part.values) for part in parts]).T


def _draw(ax: Axes, shares: np.ndarray[Any, Any], colours: list[str]) -> list[Any]:
    """Draw the bars of each part side by side, with their numbers; return one of each profile."""
    height, figure = 0.8 / len(shares), cast("Any", ax.figure)
    room = 72.0 * height * ax.bbox.height / figure.dpi / shares.shape[1]
    points = max(min(style.setting_points("legend.fontsize"), room), style.LEAST)
    first_bars: list[Any] = []
    for i, (profile, colour) in enumerate(zip(shares, colours, strict=True)):
        places = np.arange(shares.shape[1]) + (i - 0.5 * (len(shares) - 1)) * height
        bars = ax.barh(places, np.nan_to_num(profile), height=0.9 * height, color=colour)
        digits = [np.format_float_positional(float(f"{x:.3g}"), trim="-") for x in profile]
        labels = [f"{x} %" if x != "nan" else "not known" for x in digits]
        font: Any = {"color": text_colour(colour, ax), "fontsize": points}
        for text in ax.bar_label(bars, labels, padding=_GAP, **font):
            text.set_in_layout(False)  # inside the axes
        first_bars.append(bars[0])
    ax.invert_yaxis()
    ax.set_xlim(0.0, _ROOM * (np.nanmax(shares, initial=0.0) or 1.0))
    ax.xaxis.set_major_formatter("{x:g}")
    ax.set_xlabel("Standard error (%)")
    return first_bars
