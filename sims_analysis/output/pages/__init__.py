"""Pages that people read in a browser: a report of each entry, and a list of them.

A page holds everything that it needs, its data, script and style, and opens no connection: it is
read from a disk as from a server. Its own policy says so to the browser.
"""

from sims_analysis.output.pages.archive import entry_page, index_page, pages
from sims_analysis.output.pages.report import report_page
from sims_analysis.output.pages.serving import add_pages

__all__ = ["add_pages", "entry_page", "index_page", "pages", "report_page"]
