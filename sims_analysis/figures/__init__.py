"""Figures, by the only importer of matplotlib: ``drawing`` has its stages, ``layout`` its texts."""

from sims_analysis.figures.budgets import plot_budget
from sims_analysis.figures.panels import plot_panels
from sims_analysis.figures.profiles import plot_profiles
from sims_analysis.figures.saving import save_figure

__all__ = ["plot_budget", "plot_panels", "plot_profiles", "save_figure"]
