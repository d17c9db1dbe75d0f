"""Names in code lead to the reference, no link leads nowhere, and tables are read aloud.

After a build, every link is looked for with its anchor. Sphinx's own ``linkcheck`` asks the
internet, which a build does not need; links to the outside are for it, and for people.
"""

import re
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)


class PublicNames(SphinxTransform):
    """Link ``sims.read`` and ``sims.Client.iter(...)``, where Markdown shows them as code."""

    default_priority = 500

    def apply(self) -> None:
        for literal in list(self.document.findall(nodes.literal)):
            found = re.fullmatch(r"sims\.(\w+(?:\.\w+)?)(\(.*\))?", literal.astext(), re.DOTALL)
            if found is None or isinstance(literal.parent, addnodes.pending_xref):
                continue
            link = addnodes.pending_xref(
                "",
                refdomain="py",
                reftype="obj",
                reftarget=f"sims_analysis.{found[1]}",
                refdoc=self.env.docname,
                refexplicit=True,
                refwarn=True,
            )
            literal.replace_self(link)
            link += literal


class _Page(HTMLParser):
    """What a page offers and what it asks for."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors, self.links, self.loaded = {"", "top"}, set(), set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = dict(attrs)
        # What the browser fetches by itself, unlike a link that a reader follows.
        loads = "src" if tag != "link" else "href"
        if of.get(loads) and (tag != "link" or "stylesheet" in (of.get("rel") or "")):
            self.loaded.add(of[loads])
        self.anchors |= {of[key] for key in ("id", "name") if of.get(key)}
        self.links |= {of[key] for key in ("href", "src") if of.get(key)}


def broken(site: Path) -> list[str]:
    """Return the links that lead nowhere, and what is loaded from elsewhere: ``page: link``."""
    files = (path for path in site.resolve().rglob("*.html") if "_static" not in path.parts)
    pages = {path: _Page(path.read_text(encoding="utf-8")) for path in files}
    found = []
    for path, page in pages.items():
        for link in sorted(page.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if link in page.loaded and parts.scheme != "data":
                    found.append(f"{path.relative_to(site.resolve())}: {link}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target in pages:
                there = unquote(parts.fragment) in pages[target].anchors
            else:
                there = target.is_file()
            if not there:
                found.append(f"{path.relative_to(site.resolve())}: {link}")
    return found


#: What screen readers come to without a name: heads above the index of a table, and toggles.
_UNNAMED = {
    r"<th\b([^>]*)>(\s|</?p>)*</th>": r"<td\1></td>",
    r'<summary>(?=<span class="toctree-toggle")': '<summary aria-label="Pages below">',
}


def _check(app: Sphinx, exception: Exception | None) -> None:
    if exception is None and app.builder.format == "html":
        for path in Path(app.outdir).rglob("*.html"):
            text = path.read_text(encoding="utf-8")
            for unnamed, named in _UNNAMED.items():
                text = re.sub(unnamed, named, text)
            path.write_text(text, encoding="utf-8")
        for link in broken(Path(app.outdir)):
            LOGGER.warning(
                "a link that leads nowhere, or to another site for a part of the page: %s", link
            )


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_transform(PublicNames)
    app.connect("build-finished", _check)
    return {"parallel_read_safe": True}
