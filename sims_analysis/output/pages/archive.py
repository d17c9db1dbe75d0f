"""An archive in a browser: the list of its entries, and a page for each."""

from __future__ import annotations

import html
import warnings
from typing import TYPE_CHECKING
from urllib.parse import quote

from sims_analysis.output.pages.report import document, report_page, table

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sims_analysis.api.archive import Archive
    from sims_analysis.dataset.result import SIMSResult

__all__ = ["entry_page", "index_page", "pages"]


def pages(archive: Archive, data_id: str | None = None, *, search: str = "") -> str:
    """Give a page of an archive: the list of its entries, or one of them.

    Parameters
    ----------
    archive : Archive
    data_id : str, optional
        Of an entry; by default the list.
    search : str
        The list shows the entries that contain every word of it, in any case.

    Raises
    ------
    ArchiveError
        If the archive has no such entry.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> from sims_analysis.examples.opening import ARCHIVE
    >>> page = pages(sims.Archive(ARCHIVE), search="boron")
    >>> 'href="entries/boron-implant"' in page, "gan-mg-stack" in page
    (True, False)
    """
    if data_id is not None:
        return entry_page(archive.get(data_id), home="../")
    words = search.lower().split()
    found = [name for name in archive.ids() if all(word in name.lower() for word in words)]
    links = {name: f"entries/{quote(name, safe='')}" for name in found}
    return index_page(links, search=search, form=True)


def entry_page(result: SIMSResult, *, home: str = "") -> str:
    """Answer the usual questions of one entry, as a page."""
    from sims_analysis.output.report.answers import analyse

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ds = result.to_dataset()
    return report_page(ds, analyse(ds, notes=[str(one.message) for one in caught]), home=home)


def index_page(links: dict[str, str], *, search: str = "", form: bool = False) -> str:
    """List entries with their pages.

    Parameters
    ----------
    links : dict
        Id of an entry -> address of its page.
    search : str
        What the list was searched for.
    form : bool
        Whether there is a server to search.
    """
    from sims_analysis.figures.interactive import style

    body = ["<h1>Depth profiles</h1>"]
    if form:
        value = html.escape(search, quote=True)
        body.append(
            '<form role="search"><label>Search <input type="search" name="search" '
            f'value="{value}"></label> <button>Search</button></form>'
        )
    body.append(f'<p class="note">{_counted(links, search)}</p>')
    rows = [
        [f'<a href="{html.escape(link, quote=True)}">{html.escape(name)}</a>']
        for name, link in links.items()
    ]
    if rows:
        body.append(table(["entry"], rows))
    return document("Depth profiles", "\n".join(body), style=style())


def _counted(links: Iterable[str], search: str) -> str:
    count = len(list(links))
    text = "1 entry" if count == 1 else f"{count or 'no'} entries"
    return html.escape(f"{text} found for “{search}”" if search else text)
