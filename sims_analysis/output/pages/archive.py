"""An archive in a browser: the list of its entries, and a page for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from sims_analysis.errors import collected
from sims_analysis.output.pages.interactive import plot_html, plot_page
from sims_analysis.output.pages.report import report_page
from sims_analysis.output.pages.templates import render, resource
from sims_analysis.profiles.metadata import EntrySummary

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from sims_analysis.api.archive import Archive
    from sims_analysis.dataset.result import SIMSResult

#: Address of the list, seen from the page of an entry that is served.
HOME = "../"
#: So many entries of a list are shown by a server, which can be searched for others.
SHOWN = 1000


def pages(archive: Archive, *ids: str, search: str = "") -> str:
    """Return a page of an archive: the entries with every word of `search`, one, or several."""
    if len(ids) > 1:
        from sims_analysis.output.report.answers import with_counting

        data = {name: with_counting(archive.get(name).to_dataset()) for name in ids}
        return plot_page(plot_html(data), " and ".join(data), HOME)
    if ids:
        return entry_page(archive.get(*ids), home=HOME)
    with collected():  # of what is damaged, its own page says how
        contents, count = archive.contents(search.split(), SHOWN)
    entries = summaries_of(contents)
    pictures = {link: f"thumbnails/{link.removeprefix('entries/')}" for link in entries}
    context: dict[str, Any] = {"search": search, "count": count, "pictures": pictures}
    return index_page(entries, form=True, **context)


def summaries_of(entries: Iterable[EntrySummary]) -> dict[str, EntrySummary]:
    """Return the entries of a list: address -> what it is."""
    return {f"entries/{quote(entry.data_id, safe='')}": entry for entry in entries}


def entry_page(result: SIMSResult, *, home: str = "") -> str:
    """Return a page with the usual questions about one entry answered."""
    from sims_analysis.dataset.from_profiles import dataset_of
    from sims_analysis.output.report.answers import analyse

    with collected(str) as notes:
        ds = dataset_of(result)
    return report_page(analyse(ds, notes=notes), home=home)


def index_page(
    entries: Mapping[str, EntrySummary],
    *,
    search: str = "",
    form: bool = False,
    count: int | None = None,
    **context: Any,
) -> str:
    """List entries by the addresses of their pages; `context`: their ``pictures``, ``files``."""
    count = len(entries) if count is None else count
    values = {"entries": entries, "search": search, "form": form, "count": count, **context}
    return render("index", title="Depth profiles", scripts=[resource("index.js")], **values)
