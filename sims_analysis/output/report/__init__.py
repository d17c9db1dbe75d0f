"""Peak, dose and junction of every species of a measurement, or why there is no answer."""

from sims_analysis.output.report.answers import Junction, Report, SpeciesReport, analyse
from sims_analysis.output.report.layout import results_csv, to_text

__all__ = ["Junction", "Report", "SpeciesReport", "analyse", "results_csv", "to_text"]
