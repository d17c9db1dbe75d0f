"""An archive in a browser: the list of its entries, and a page for each."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import quote

from sims_analysis.errors import warnings_listed
from sims_analysis.output.entry_summary import EntrySummary
from sims_analysis.output.pages.interactive import document
from sims_analysis.output.pages.report import back_link, isolated, report_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sims_analysis.api.archive import Archive
    from sims_analysis.api.index import Contents
    from sims_analysis.dataset.result import SIMSResult

__all__ = ["HOME", "entry_page", "failure_page", "index_page", "pages", "summaries_of"]

#: Address of the list, seen from the page of an entry that is served.
HOME = "../"
#: So many entries of a list are shown by a server, which can be asked for others.
_SHOWN = 1000


def pages(archive: Archive, data_id: str | None = None, *, search: str = "") -> str:
    """Return a page of an archive: the list of its entries, or one of them.

    Parameters
    ----------
    archive : Archive
    data_id : str, optional
        The entry; by default the list.
    search : str
        The list shows the entries with every word of it in their name, sample, species or date.

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
    with warnings_listed():  # of what is damaged, its own page says how
        shown, count = archive.contents(search.split(), _SHOWN)
    return index_page(summaries_of(shown), search=search, form=True, count=count)


def summaries_of(entries: Iterable[Contents]) -> dict[str, EntrySummary]:
    """Return the entries of a list: address -> what it is."""
    return {
        f"entries/{quote(one.data_id, safe='')}": EntrySummary(
            data_id=one.data_id, sample=one.title, species=tuple(one.species), date=one.date
        )
        for one in entries
    }


def failure_page(title: str, reason: str, *, home: str) -> str:
    """Return a page that says why there is none, with a link back to the list."""
    body = f"{back_link(home)}<h1>{html.escape(title)}</h1><p>{html.escape(reason)}</p>"
    return document(title, body)


def entry_page(result: SIMSResult, *, home: str = "") -> str:
    """Return a page with the usual questions about one entry answered."""
    from sims_analysis.dataset.from_profiles import dataset_of
    from sims_analysis.output.report.answers import analyse

    with warnings_listed() as notes:
        ds = dataset_of(result)
    return report_page(analyse(ds, notes=notes), home=home)


#: Shows the entries with every word of the box, as it is typed.
_FILTER = """
"use strict";
const box = document.querySelector("input[type=search]");
const entries = [...document.querySelectorAll("li[data-words]")];
const filter = () => {
  const words = box.value.toLowerCase().split(/\\s+/);
  let count = 0;
  for (const entry of entries) {
    entry.hidden = !words.every((word) => entry.dataset.words.toLowerCase().includes(word));
    count += !entry.hidden;
  }
  document.getElementById("count").textContent = `${count} of ${entries.length} entries`;
};
box.addEventListener("input", filter);
// A browser that comes back to the list may have kept the words.
addEventListener("pageshow", () => box.value && filter());
document.body.dataset.ready = "yes";
"""


def index_page(
    entries: Mapping[str, EntrySummary],
    *,
    search: str = "",
    form: bool = False,
    count: int | None = None,
    failures: Mapping[str, str] | None = None,
) -> str:
    """List entries with their pages.

    Parameters
    ----------
    entries : mapping
        Address of a page -> what it is about.
    search : str
        What the list was searched for.
    form : bool
        Whether there is a server to search; otherwise the page does it, as words are typed.
    count : int, optional
        How many there are, if not all of them are listed.
    failures : mapping, optional
        What has no page -> why.
    """
    value = html.escape(search, quote=True)
    box = f'<label>Search <input type="search" name="search" value="{value}"></label>'
    if form:
        box = f'<form role="search">{box} <button>Search</button></form>'
    hint = '<p class="hint">Every word is looked for in name, sample, species and date.</p>'
    shown = _counted(len(entries) if count is None else count, len(entries), search)
    status = f'<p id="count" class="note" role="status">{shown}</p>'
    items = [
        f'<li data-words="{html.escape(about.words, quote=True)}">'
        f'<a href="{html.escape(link, quote=True)}">{isolated([about.data_id])}</a>'
        f'<span class="note"> {isolated(about.parts, " · ")}</span></li>'
        for link, about in entries.items()
    ]
    listed = f'<ul class="described">{"".join(items)}</ul>' if items else ""
    body = f"<h1>Depth profiles</h1>\n{box}\n{hint}\n{status}\n{listed}"
    if failures:
        reasons = [f"<li>{isolated(one, ': ')}</li>" for one in failures.items()]
        body += f'\n<h2>Without a page</h2>\n<ul class="described">{"".join(reasons)}</ul>'
    return document("Depth profiles", body, scripts=[] if form else [_FILTER])


def _counted(count: int, shown: int, search: str) -> str:
    text = "1 entry" if count == 1 else f"{count or 'no'} entries"
    text += f" found for “{search}”" if search else ""
    text += (
        f", of which the first {shown} are shown: search for more words" if shown < count else ""
    )
    return html.escape(text)
