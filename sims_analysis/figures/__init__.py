"""Figures, by the only importer of matplotlib: ``drawing`` has its stages, ``layout`` its texts."""

from sims_analysis.figures.budgets import plot_budget
from sims_analysis.figures.files import save_figure
from sims_analysis.figures.panels import plot_panels
from sims_analysis.figures.profiles import plot_profiles

__all__ = ["plot_budget", "plot_panels", "plot_profiles", "save_figure"]
