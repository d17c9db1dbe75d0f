"""Depth profiles on one axes, as they are printed in papers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import xarray as xr

from sims_analysis.conventions import provenance as origin
from sims_analysis.figures.arguments import check_axes, read_options
from sims_analysis.figures.artists import draw, finish, read_curves
from sims_analysis.figures.curves import Answers, Measurements, is_synthetic, measurements_of
from sims_analysis.figures.fits import draw_ratio, draw_residuals, panel_below
from sims_analysis.figures.plot import Plot, axes_in_style
from sims_analysis.figures.style import set_title
from sims_analysis.text.typeset import plain
from sims_analysis.units import ParameterLike, QuantityLike

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: A layer: where it starts and stops, or a result of layers().
Region = tuple[QuantityLike, QuantityLike] | xr.Dataset
#: Limits of an axis, with a unit or in that of the axis; None leaves a limit to the data.
Limits = tuple["QuantityLike | float | None", "QuantityLike | float | None"]


def plot_profiles(
    data: Measurements,
    ax: Axes | None = None,
    *,
    species: str | Sequence[str] | None = None,
    width: Literal["single", "double"] | QuantityLike | float | None = None,
    xlim: Limits | None = None,
    ylim: Limits | None = None,
    depth_units: str | None = None,
    value_units: str | Sequence[str] | None = None,
    scale: Literal["log", "linear"] | Mapping[str, Literal["log", "linear"]] = "log",
    detection_limit: ParameterLike | xr.Dataset | None = None,
    coverage: float = 1.0,
    smooth: int | None = None,
    regions: Mapping[str, Region] | None = None,
    junctions: Answers | None = None,
    dose: Answers | None = None,
    peak: Answers | None = None,
    decay_length: Answers | None = None,
    layers: Answers | None = None,
    interfaces: Answers | None = None,
    fits: Answers | None = None,
    restored: Answers | None = None,
    residuals: bool = False,
    comparison: xr.Dataset | None = None,
    colour_by: Literal["auto", "species", "measurement"] = "auto",
    colours: Mapping[str, str] | None = None,
    spread: bool | None = None,
    labels: Literal["auto", "direct", "legend", "none"] = "auto",
    notes: bool = True,
    title: str | None = None,
    **line: Any,
) -> Axes:
    """Draw depth profiles: concentrations on a log axis on the left, signals on the right.

    Parameters
    ----------
    data : Dataset, DataArray, SIMSResult, or a list or mapping of them
        One measurement, a batch, or several, named by the keys of a mapping; all over depth, or all
        over sputter time.
    ax : matplotlib.axes.Axes, optional
        Where to draw, also in an inset; by default in a new figure. Beside other axes labels have
        room in ``plt.subplots(2, 2, layout="constrained")``, and overlap without a layout engine.
    species : str or sequence of str, optional
        To draw, in this order. By default all; of more than 24 the twelve with the largest share of
        their axis and those with results, and the number of the others is stated.
    width : str, Quantity or float, optional
        Of a new figure: ``"single"`` or ``"double"`` (columns of 86 and 178 mm), ``"nature"``,
        ``"aps 1.5"``, ``"elsevier double"``..., or a length such as ``"85 mm"``.
    xlim, ylim : (low, high), optional
        Limits of the depth and left value axes, as ``"50 nm"`` or in the unit of the axis, or None.
    depth_units, value_units : str, or for values a sequence of str, optional
        Units of the axes, such as ``"um"`` and ``"1/m^3"``; each applies to values of its kind.
    scale : {"log", "linear"} or mapping
        Of all value axes, or of each quantity: ``{"atomic_fraction": "linear"}``.
    detection_limit : str, Quantity, DataArray or Dataset, optional
        One for all species, or one for each: samples below it are open triangles at the limit.
    coverage : float
        Half-width of bands, bars and printed uncertainties in standard errors; 0: no bands.
    smooth : int, optional
        Draw running means of so many samples, named so, without bands. Answers do not change.
    regions : mapping, optional
        Name -> (start, stop) or a result of :func:`layers`, to be shaded and named; a name without
        room there is in the list, with its depths.
    junctions, dose, peak, decay_length, layers, interfaces : DataArray or Dataset, optional
        Results of :func:`junction_depth`, :func:`crossings` or :func:`metallurgical_junctions`, of
        :func:`integrated_dose` or :func:`dose_budget`, of :func:`interface`, and of the functions
        of these names, or lists of them; for several `data`, lists in the same order, or mappings
        with the same keys. A few numbers stand at their marks, others in a list.
    fits, restored : Dataset, or a list or mapping of them, optional
        Fitted models inside their windows; from :func:`deconvolve`, with the achieved resolution.
    residuals : bool
        Draw a panel of (data - fit) / sigma; without errors of log10(data / fit) or, on a linear
        axis, (data - fit) / largest sample.
    comparison : Dataset, optional
        From :func:`compare`, of two of these data: their ratio in a panel below, and how much
        deeper or shallower the junction is.
    colour_by : {"auto", "species", "measurement"}
        What colours stand for; ``"auto"``: the measurement, of one species in several of them.
    colours : mapping, optional
        Species or measurement -> colour, instead of those of the library or of a style sheet.
    spread : bool, optional
        Draw each species as median, band of the middle 80 % and outliers of its measurements: by
        default of more than 8 (6 for several species). Results of single ones are left out then.
    labels : {"auto", "direct", "legend", "none"}
        Names beside the curves where there is room, else above the axes; all there; or nowhere.
        With ``"auto"``, names of measurements are above.
    notes : bool
        Explain marks and bands in the list of results.
    title : str, optional
        By default only that data are synthetic; ``""`` leaves out that as well.
    **line : Any
        Style of curves, of all or by species: ``marker="o"``, ``linestyle={"P": "--"}``...

    Returns
    -------
    matplotlib.axes.Axes
        The left axes. Right axes, if there are any, are in ``ax.figure.axes``.

    Raises
    ------
    ProfileError, SpeciesError, UnitsError, ArgumentError
        If there is nothing to draw, a species is absent, a unit is missing or of the wrong kind, or
        an argument is unknown or has results of another function.

    Notes
    -----
    Samples that a log axis cannot show (zero, negative, below 1e-12 of the maximum, what an
    instrument writes for no counts) are open triangles at its floor. Texts find their places
    whenever the figure is drawn; a list without room is warned of. A second call on the same axes
    adds to what is there.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ax = sims.plot_profiles(sims.open_example("boron-implant"), value_units="1/m^3")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('Depth (nm)', 'Concentration (1/m³)')
    """
    check_axes(ax, title)
    datasets = measurements_of(data)
    options = read_options(locals(), line, data, datasets)
    options, curves, models = read_curves(datasets, options)
    with axes_in_style(ax, width) as axes:
        plot = Plot(axes, options, curves, models, resizable=ax is None)
        left, panel = plot.ax, None
        if (options.residuals and models) or options.comparison is not None:
            panel = plot.layout.foot = panel_below(left, resizable=plot.resizable)
        outer: Any = left.axes  # of an inset, the axes that it stands on
        texts = plot.layout.figure.get_suptitle() + (outer.get_title() if outer is not left else "")
        text = title_text(title, datasets, left.get_title(), texts)
        if text or title is not None:
            set_title(left, plot.layout.figure, text)
        draw([plot], plot.layout.colours)
        if panel is not None:
            (draw_residuals if options.residuals else draw_ratio)(plot, panel)
        finish([plot])
    record([plot], datasets)
    return left


def title_text(
    title: str | None, datasets: Mapping[str, Any], previous: str = "", above: str = ""
) -> str:
    """Return the requested title, or the `previous` one, saying once that data are synthetic."""
    text = previous if title is None else plain(title)
    is_labelled = title == "" or "synthetic" in f"{text} {above}".lower()
    if is_labelled or not any(map(is_synthetic, datasets.values())):
        return text
    return f"{text} (synthetic data)" if text else "Synthetic data"


def record(plots: Sequence[Plot], datasets: Mapping[str, Any]) -> None:
    """Record the origin of data and results in a figure."""
    species = dict.fromkeys(c.species for plot in plots for c in plot.curves)
    options = plots[0].options
    results = [item for answers in options.results.values() for _, item in answers]
    results += [item for item in [options.comparison] if item is not None]
    call = f"plot_profiles(..., species={list(species)})"
    origin.attach(plots[0].layout.figure, list(datasets.values()), results, call)
