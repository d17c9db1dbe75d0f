"""Small multiples: profiles side by side on common axes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from sims_analysis.figures.curves import collect, measurements_of, with_limits
from sims_analysis.figures.naming import brief
from sims_analysis.figures.profiles import COLUMN, plot_profiles
from sims_analysis.figures.style import in_style, require_matplotlib
from sims_analysis.text import typeset as _typeset

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["plot_panels"]

#: Characters that fit above a panel.
_LINE = 34


def plot_panels(
    data: Any,
    *,
    by: Literal["measurement", "species"] = "measurement",
    columns: int | None = None,
    **options: Any,
) -> NDArray[np.object_]:
    """Draw small multiples: one panel a measurement, or one a species, on common axes.

    Parameters
    ----------
    data : Dataset, DataArray, or a list or mapping of them
        As for :func:`plot_profiles`; a batch gives a panel for each measurement.
    by : {"measurement", "species"}
        What a panel shows.
    columns : int, optional
        Panels in a row; by default at most 3.
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
    across = columns or min(3, len(parts))
    down = -(-len(parts) // across)
    width = COLUMN[0] if across == 1 else 2.3 * across
    with in_style(house=True):
        _, grid = plt.subplots(
            down,
            across,
            squeeze=False,
            figsize=(width, 0.5 + 1.8 * down),
            layout="constrained",
        )
        axes = list(grid.ravel())
        for ax in axes[len(parts) :]:
            ax.remove()
        shown = [item for _, item, _ in parts] if by == "measurement" else [data]
        everything = [
            curve
            for item in shown
            for curve in collect(measurements_of(item), options.get("species"))
        ]
        everything = with_limits(everything, options.get("detection_limit"))
        explained: set[str] = set()
        for i, (ax, (heading, item, extra)) in enumerate(zip(axes, parts, strict=False)):
            ax._sims_common, ax._sims_explained = everything, explained
            plot_profiles(item, ax, **{**options, **extra})
            ax.set_title(_title(heading, ax.get_title()))
            if i % across:
                ax.set_ylabel("")
                ax.tick_params(axis="y", labelleft=False)
            if i + across < len(parts):
                ax.set_xlabel("")
                ax.tick_params(axis="x", labelbottom=False)
    return np.array(list(axes[: len(parts)]), dtype=object)


def _title(heading: str, title: str) -> str:
    """Put the name of a panel before its title, or above it where one line would be too long."""
    # A heading in mathtext is short already, and longer to the eye of a program.
    name = heading if "$" in heading else brief(heading, _LINE)
    apart = ": " if len(name) + len(title) < _LINE else "\n"
    return apart.join(filter(None, [name, title]))


def _parts(data: Any, by: str, options: dict[str, Any]) -> list[tuple[str, Any, dict[str, Any]]]:
    """Give each panel its heading, its data and its own options."""
    named = measurements_of(data)
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
    if by != "measurement":
        raise ValueError(f'by={by!r}; expected "measurement" or "species"')
    parts: list[tuple[str, Any, dict[str, Any]]] = []
    for label, item in named.items():
        if "measurement" not in item.dims:
            parts.append((label, item, {}))
            continue
        for i in range(item.sizes["measurement"]):
            one = item.isel(measurement=i)
            name = str(one["measurement"].values) if "measurement" in one.coords else str(i)
            parts.append((", ".join(filter(None, [label, name])), one, {}))
    return parts
