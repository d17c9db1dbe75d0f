"""An archive in a browser: the list of its entries, and a page for each."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import quote

from sims_analysis.errors import warnings_listed
from sims_analysis.output.pages.report import back_link, report_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sims_analysis.api.archive import Archive
    from sims_analysis.dataset.result import SIMSResult

__all__ = ["HOME", "entry_page", "failure_page", "index_page", "pages"]

#: Address of the list, seen from the page of an entry that is served.
HOME = "../"


def pages(archive: Archive, data_id: str | None = None, *, search: str = "") -> str:
    """Return a page of an archive: the list of its entries, or one of them.

    Parameters
    ----------
    archive : Archive
    data_id : str, optional
        The entry; by default the list.
    search : str
        The list shows the entries that contain every word of it, ignoring case.

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
        return entry_page(archive.get(data_id), home=HOME)
    words = search.lower().split()
    found = [name for name in archive.ids() if all(word in name.lower() for word in words)]
    links = {name: f"entries/{quote(name, safe='')}" for name in found}
    return index_page(links, search=search, form=True)


def failure_page(title: str, reason: str, *, home: str) -> str:
    """Return a page that says why there is none, with a link back to the list."""
    from sims_analysis.figures.interactive import document

    body = f"{back_link(home)}<h1>{html.escape(title)}</h1><p>{html.escape(reason)}</p>"
    return document(title, body)


def entry_page(result: SIMSResult, *, home: str = "") -> str:
    """Return a page with the usual questions about one entry answered."""
    from sims_analysis.output.report.answers import analyse

    with warnings_listed() as notes:
        ds = result.to_dataset()
    return report_page(analyse(ds, notes=notes), home=home)


#: Shows the entries with every word of the box, as it is typed.
_FILTER = """
"use strict";
const box = document.querySelector("input[type=search]");
const entries = [...document.querySelectorAll("li")];
box.addEventListener("input", () => {
  const words = box.value.toLowerCase().split(/\\s+/);
  let count = 0;
  for (const entry of entries) {
    entry.hidden = !words.every((word) => entry.textContent.toLowerCase().includes(word));
    count += !entry.hidden;
  }
  document.getElementById("count").textContent = `${count} of ${entries.length} entries`;
});
document.body.dataset.ready = "yes";
"""


def index_page(
    links: dict[str, str],
    *,
    about: Mapping[str, str] | None = None,
    search: str = "",
    form: bool = False,
) -> str:
    """List entries with their pages.

    Parameters
    ----------
    links : dict
        Id of an entry -> address of its page.
    about : mapping, optional
        Id of an entry -> what it is, in a few words.
    search : str
        What the list was searched for.
    form : bool
        Whether there is a server to search; otherwise the page does it, as words are typed.
    """
    from sims_analysis.figures.interactive import document

    about = about or {}
    value = html.escape(search, quote=True)
    box = f'<label>Search <input type="search" name="search" value="{value}"></label>'
    if form:
        box = f'<form role="search">{box} <button>Search</button></form>'
    count = f'<p id="count" class="note" role="status">{_counted(links, search)}</p>'
    items = [
        f'<li><a href="{html.escape(link, quote=True)}">{html.escape(name)}</a>'
        f'<span class="note"> {html.escape(about.get(name, ""))}</span></li>'
        for name, link in links.items()
    ]
    kind = "described" if about else "entries"
    entries = f'<ul class="{kind}">{"".join(items)}</ul>' if items else ""
    body = f"<h1>Depth profiles</h1>\n{box}\n{count}\n{entries}"
    return document("Depth profiles", body, scripts=[] if form else [_FILTER])


def _counted(links: Iterable[str], search: str) -> str:
    count = len(list(links))
    text = "1 entry" if count == 1 else f"{count or 'no'} entries"
    return html.escape(f"{text} found for “{search}”" if search else text)
