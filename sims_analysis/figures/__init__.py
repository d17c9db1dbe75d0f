"""Figures for papers, and plots for the screen.

The only importer of matplotlib, and only when a figure is made.

================  ==========================================================================
``profiles``      :func:`plot_profiles`: profiles on a log axis, with their results
``panels``        :func:`plot_panels`: the same side by side
``budgets``       :func:`plot_budget`: the error of a dose as bars
``saving``        :func:`save_figure`: the same bytes every time, with their origin
``arguments``     what the user wants, read once, and refused by name
``plot``          one plot while it is drawn: its axes, curves, and what its list says
``drawing``       from curves to artists, in stages
``layout``        what is known of a plot, and the places of its names and lists when drawn
``curves``        the curves: one for each species and measurement, or the median of many
``lines``         a curve, its band, and marks for samples that are not data
``axes``          limits, decades, ticks
``colours``       distinct within a figure, the same across figures
``style``         the house style, where the user's settings leave room for it
``results``       junctions, doses, peaks, decay lengths, layers, interfaces on the curves
``fits``          models and restored profiles over their data, and residuals
``curve_labels``  names of the curves
``short_names``   long names, shortened
``free_space``    places where a text covers nothing
================  ==========================================================================
"""

from sims_analysis.figures.budgets import plot_budget
from sims_analysis.figures.panels import plot_panels
from sims_analysis.figures.profiles import plot_profiles
from sims_analysis.figures.saving import save_figure

__all__ = ["plot_budget", "plot_panels", "plot_profiles", "save_figure"]
