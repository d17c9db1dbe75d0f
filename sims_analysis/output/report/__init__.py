"""One measurement at a glance: peak, dose and junction of every species, as a table and files.

A species for which there is no answer says why: counts are not atoms, and time is not a depth.
"""

from sims_analysis.output.report.answers import Report, analyse
from sims_analysis.output.report.layout import results_csv, to_text
from sims_analysis.output.report.rows import Junction, SpeciesReport

__all__ = ["Junction", "Report", "SpeciesReport", "analyse", "results_csv", "to_text"]
