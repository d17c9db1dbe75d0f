"""After a build: every link inside the site leads to a page and an anchor that are there.

Sphinx's own ``linkcheck`` asks the internet, which a build does not need; links to the outside are
for it, and for people.
"""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.application import Sphinx
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


class _Page(HTMLParser):
    """What a page offers and what it asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors, self.links = {"", "top"}, set()
        self.feed(text)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        self.anchors |= {of[key] for key in ("id", "name") if of.get(key)}
        self.links |= {of[key] for key in ("href", "src") if of.get(key)}


def broken(site: Path) -> list[str]:
    """Return the links that lead nowhere: ``page: link``."""
    files = (path for path in site.resolve().rglob("*.html") if "_static" not in path.parts)
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in files}
    found = []
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target in pages:
                there = unquote(parts.fragment) in pages[target].anchors
            else:
                there = target.is_file()
            if not there:
                found.append(f"{path.relative_to(site.resolve())}: {link}")
    return found


def _check(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        for link in broken(Path(app.outdir)):
            LOGGER.warning("a link that leads nowhere: %s", link)


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True}
