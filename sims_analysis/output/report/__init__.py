"""Peak, dose and junction of every species of a measurement, or why there is no answer."""

from sims_analysis.output.report.answers import Report, analyse
from sims_analysis.output.report.layout import results_csv, to_text
from sims_analysis.output.report.rows import Junction, SpeciesReport

__all__ = ["Junction", "Report", "SpeciesReport", "analyse", "results_csv", "to_text"]
