"""Letting go of figures: pyplot keeps each one that it made until it is told not to."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["close"]


def close(figure: Figure) -> None:
    """Forget a figure that has been saved, so that a long run does not fill the memory.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ax = sims.plot_profiles(sims.open_example("boron-implant"))
    >>> close(ax.figure)
    """
    import matplotlib.pyplot as plt

    plt.close(figure)
