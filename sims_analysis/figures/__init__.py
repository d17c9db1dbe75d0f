"""Figures for papers: profiles on a log axis, their results, saved to the same bytes every time.

The only importer of matplotlib, and only when a figure is made.
"""

from sims_analysis.figures.panels import plot_panels
from sims_analysis.figures.profiles import plot_profiles
from sims_analysis.figures.saving import save_figure

__all__ = ["plot_panels", "plot_profiles", "save_figure"]
