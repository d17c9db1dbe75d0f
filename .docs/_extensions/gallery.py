"""Notebooks as pages, and a gallery of them: a card each, with its first figure."""

import base64
import re
from pathlib import Path

import nbformat
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
#: Inside the sources, where Sphinx finds them; ignored by git.
PAGES = "notebooks"


def _first_figure(notebook: nbformat.NotebookNode) -> bytes:
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                return base64.b64decode(output["data"]["image/png"])
    raise ValueError("a notebook without a figure")


def _title(notebook: nbformat.NotebookNode) -> str:
    return re.match(r"# (.*)", notebook.cells[0].source)[1]


def _questions() -> dict[str, str]:
    """What each notebook answers, from their README."""
    text = (NOTEBOOKS / "README.md").read_text(encoding="utf-8")
    return dict(re.findall(r"^\| \[(\w+)\]\(.*?\) \| (.*) \|$", text, re.MULTILINE))


class Gallery(SphinxDirective):
    """``{gallery}``: all the notebooks, in the order of their names."""

    def run(self) -> list[nodes.Node]:
        lines, questions = ["::::{grid} 1 2 2 3", ":gutter: 3", ""], _questions()
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            self.env.note_dependency(str(path))
            title = _title(nbformat.read(path, as_version=4))
            lines += [
                f":::{{grid-item-card}} {title}",
                f":img-top: /{PAGES}/{path.stem}.png",
                f":img-alt: the first figure of {path.stem}",
                f":link: /{PAGES}/{path.stem}",
                ":link-type: doc",
                questions[path.stem],
                ":::",
            ]
        return self.parse_text_to_nodes("\n".join([*lines, "::::"]))


def _lay_out(app: Sphinx) -> None:
    folder = Path(app.srcdir) / PAGES
    folder.mkdir(exist_ok=True)
    for path in sorted(NOTEBOOKS.glob("*.ipynb")):
        _write(folder / path.name, path.read_bytes())
        figure = _first_figure(nbformat.read(path, as_version=4))
        _write(folder / f"{path.stem}.png", figure)


def _write(path: Path, content: bytes) -> None:
    if not path.is_file() or path.read_bytes() != content:
        path.write_bytes(content)


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("gallery", Gallery)
    app.connect("builder-inited", _lay_out, priority=100)
    return {"parallel_read_safe": True}
