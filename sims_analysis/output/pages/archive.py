"""An archive in a browser: the list of its entries, and a page for each."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING
from urllib.parse import quote

from sims_analysis.errors import SimsError, warnings_listed
from sims_analysis.output.about import About, about_result
from sims_analysis.output.pages.report import back_link, report_page

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sims_analysis.api.archive import Archive
    from sims_analysis.dataset.result import SIMSResult

__all__ = ["HOME", "Contents", "entry_page", "failure_page", "index_page", "list_page", "pages"]

#: Address of the list, seen from the page of an entry that is served.
HOME = "../"


class Contents:
    """What the entries of an archive are, by name, sample, species and date.

    An entry is read when it is first listed, and again when there is another version of it.

    Parameters
    ----------
    archive : Archive
    """

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        self._known: dict[str, tuple[str, About]] = {}

    def found(self, search: str = "") -> dict[str, About]:
        """Return the entries that contain every word, ignoring case: address -> what it is."""
        words = search.casefold().split()
        entries = {name: self._entry(name) for name in self._archive.ids()}
        return {
            f"entries/{quote(name, safe='')}": about
            for name, about in entries.items()
            if all(word in about.words.casefold() for word in words)
        }

    def _entry(self, data_id: str) -> About:
        try:
            sha256 = self._archive.record(data_id).sha256
            known = self._known.get(data_id)
            if known is None or known[0] != sha256:
                known = sha256, about_result(self._archive.get(data_id))
                self._known[data_id] = known
        except SimsError:
            # Its page says what is wrong with it.
            return About(data_id=data_id)
        return known[1]


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
    return list_page(Contents(archive), search)


def list_page(contents: Contents, search: str = "") -> str:
    """Return the list of an archive that is served, with a form to search it."""
    return index_page(contents.found(search), search=search, form=True)


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
    entry.hidden = !words.every((word) => entry.dataset.words.toLowerCase().includes(word));
    count += !entry.hidden;
  }
  document.getElementById("count").textContent = `${count} of ${entries.length} entries`;
});
document.body.dataset.ready = "yes";
"""


def index_page(entries: Mapping[str, About], *, search: str = "", form: bool = False) -> str:
    """List entries with their pages.

    Parameters
    ----------
    entries : mapping
        Address of a page -> what it is about.
    search : str
        What the list was searched for.
    form : bool
        Whether there is a server to search; otherwise the page does it, as words are typed.
    """
    from sims_analysis.figures.interactive import document

    value = html.escape(search, quote=True)
    box = f'<label>Search <input type="search" name="search" value="{value}"></label>'
    if form:
        box = f'<form role="search">{box} <button>Search</button></form>'
    hint = '<p class="hint">Every word is looked for in name, sample, species and date.</p>'
    count = f'<p id="count" class="note" role="status">{_counted(len(entries), search)}</p>'
    items = [
        f'<li data-words="{html.escape(about.words, quote=True)}">'
        f'<a href="{html.escape(link, quote=True)}">{html.escape(about.data_id)}</a>'
        f'<span class="note"> {html.escape(about.line)}</span></li>'
        for link, about in entries.items()
    ]
    listed = f'<ul class="described">{"".join(items)}</ul>' if items else ""
    body = f"<h1>Depth profiles</h1>\n{box}\n{hint}\n{count}\n{listed}"
    return document("Depth profiles", body, scripts=[] if form else [_FILTER])


def _counted(count: int, search: str) -> str:
    text = "1 entry" if count == 1 else f"{count or 'no'} entries"
    return html.escape(f"{text} found for “{search}”" if search else text)
