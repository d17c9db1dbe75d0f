"""Figures for papers, and plots for the screen.

The only importer of matplotlib and Bokeh, and only when a figure is made.

================  ==========================================================================
``profiles``      :func:`plot_profiles`: profiles on a log axis, with their results
``panels``        :func:`plot_panels`: the same side by side
``budgets``       :func:`plot_budget`: the error of a dose as bars
``saving``        :func:`save_figure`: the same bytes every time, with their origin
``interactive``   :func:`explore`: zoom, hover, species, doses, in a notebook or a browser
``canvas``        what is passed along while a figure is drawn, and read from an earlier call
``drawing``       from curves to artists, in stages, for one axes or all panels
``curves``        the curves: one for each species and measurement, or the median of many
``lines``         a curve, its band, and marks for samples that are not data
``axes``          units, limits, decades, right axes
``colours``       distinct within a figure, the same across figures
``style``         the house style, where the user's settings leave room for it
``results``       junctions, doses, peaks, decay lengths, layers, interfaces on the curves
``questions``     what a result is an answer to, from its record
``fits``          models over their data, and the residuals
``restored``      restored profiles over the measured ones
``labels``        names beside the curves, or in a legend above
``curve_names``   a name that stays with its curve
``legend``        the list that explains marks and results
``free_space``    places where a text covers nothing
================  ==========================================================================
"""

from sims_analysis.figures.budgets import plot_budget
from sims_analysis.figures.interactive import explore
from sims_analysis.figures.panels import plot_panels
from sims_analysis.figures.profiles import plot_profiles
from sims_analysis.figures.saving import save_figure

__all__ = ["explore", "plot_budget", "plot_panels", "plot_profiles", "save_figure"]
