"""Figures for papers, and plots for the screen: the only importer of matplotlib.

A call reads its ``arguments`` and ``curves``, draws them in stages (``drawing``), and leaves what
is known of its axes in a ``layout``, which places names and lists whenever the figure is drawn.
"""

from sims_analysis.figures.budgets import plot_budget
from sims_analysis.figures.panels import plot_panels
from sims_analysis.figures.profiles import plot_profiles
from sims_analysis.figures.saving import save_figure

__all__ = ["plot_budget", "plot_panels", "plot_profiles", "save_figure"]
