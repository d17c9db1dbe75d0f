"""Pages for a browser: each contains its data, scripts and style, and opens no connection."""

from sims_analysis.output.pages.archive import entry_page, index_page, pages
from sims_analysis.output.pages.interactive import explore
from sims_analysis.output.pages.report import report_page
from sims_analysis.output.pages.routes import add_pages

__all__ = ["add_pages", "entry_page", "explore", "index_page", "pages", "report_page"]
