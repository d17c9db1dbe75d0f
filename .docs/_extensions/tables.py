"""Tables of what the library says of itself: its vocabulary, models, sources."""

import inspect
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from docutils import nodes
from formulas import mathml
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

import sims_analysis
from sims_analysis import errors, outcomes, vocabulary
from sims_analysis.shapes import find_model
from sims_analysis.units import CANONICAL

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
MEASURED = (*vocabulary.AXES, *vocabulary.QUANTITIES)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = (head, ["---"] * len(head), *rows)
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _units(name: str, term: vocabulary.Term) -> str:
    kinds = vocabulary.kinds(name) if name in vocabulary.QUANTITIES else (term.kind,)
    return ", ".join(f"`{CANONICAL[kind]}`" for kind in kinds if kind in CANONICAL)


def _meaning(term: vocabulary.Term) -> str:
    source = f" ({term.reference})" if term.reference else ""
    # Formulas among the words are marked as code, which `formulas` typesets.
    parts = [f"`{part}`" if mathml(part) else part for part in term.definition.split(", ")]
    return f"{term.long_name}: {', '.join(parts)}{source}"


def table_of_models() -> str:
    """Return the table of models: parameters as code, and the shape as its function states it."""
    rows = [
        (f"`{name}`", row.summary, _shape(name), re.sub(r"\w+", r"`\g<0>`", row.parameters),
         row.reference)
        for name, row in sims_analysis.list_models().iterrows()
    ]  # fmt: skip
    return _table(("Name", "What it is", "Shape", "Parameters", "Reference"), rows)


def _shape(model: str) -> str:
    """Return what the docstring of a shape says; its formulas are code, and will be typeset."""
    words = " ".join(inspect.getdoc(find_model(model).formula).split("\n\n")[:2])
    return " ".join(words.split()).removeprefix("Return ").rstrip(".").replace("``", "`")


class Vocabulary(SphinxDirective):
    """``{vocabulary} measured`` or ``answers``: the terms, each with its unit and meaning."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        measured = self.arguments[0] == "measured"
        rows = [
            (f"`{name}`", _units(name, term), _meaning(term))
            for name, term in vocabulary.TERMS.items()
            if (name in MEASURED) == measured
        ]
        return self.parse_text_to_nodes(_table(("Name", "Unit", "Meaning"), rows))


def table_of_statuses() -> str:
    """Return the table of statuses: each word, what it means, and what may be done."""
    rows = [(f"`{one.word}`", one.meaning, one.advice) for one in outcomes.Status if one.word]
    return _table(("Word", "Meaning", "What may be done"), rows)


class Statuses(SphinxDirective):
    """``{statuses}``: the words of a status."""

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(table_of_statuses())


def table_of_codes() -> str:
    """Return the table of codes of errors and warnings."""
    return _table(("Code", "When"), [(f"`{code}`", when) for code, when in errors.CODES.items()])


class Codes(SphinxDirective):
    """``{codes}``: the codes of errors and warnings."""

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(table_of_codes())


class Models(SphinxDirective):
    """``{models}``: the models that can be fitted."""

    def run(self) -> list[nodes.Node]:
        return self.parse_text_to_nodes(table_of_models())


class Sources(SphinxDirective):
    """``{sources}``: the section References of every function that has one."""

    def run(self) -> list[nodes.Node]:
        rows = []
        for name in sims_analysis.__all__:
            doc = inspect.getdoc(getattr(sims_analysis, name)) or ""
            if found := re.search(r"References\n-+\n(.*?)(\n\n|\Z)", doc, re.DOTALL):
                text = re.sub(r":func:`(\w+)`", r"`sims.\1`", " ".join(found[1].split()))
                rows.append((f"`sims.{name}`", text.replace("``", "`")))
        return self.parse_text_to_nodes(_table(("Function", "Source"), rows))


class Extras(SphinxDirective):
    """``{extras}``: what can be installed with the library, as `pyproject.toml` explains it."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(ROOT / "pyproject.toml"))
        return self.parse_text_to_nodes(table_of_extras())


def table_of_extras() -> str:
    """Return the table of extras for users, each with the packages that it brings."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    section = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    named = re.findall(r"^(\w+) = \[(\".*)\] *# (.*)$", section, re.MULTILINE)
    rows = [
        (f"`{name}`", what, ", ".join(re.findall(r'"([\w-]+)', packages)))
        for name, packages, what in named
    ]
    return _table(("Extra", "For", "Brings"), rows)


class Citation(SphinxDirective):
    """``{citation}``: how to cite this version, in words (as the README does) and as BibTeX."""

    def run(self) -> list[nodes.Node]:
        self.env.note_dependency(str(README))
        return self.parse_text_to_nodes(citation())


def citation() -> str:
    """Return the citation."""
    section = README.read_text(encoding="utf-8").partition("## Citing")[2]
    text = re.search(r"as: (.*?\(\d{4}\))", " ".join(section.split()))[1]
    author, title, version, year = re.fullmatch(
        r"(.*?), \*(.*?)\*, version (.*?) \((\d+)\)", text
    ).groups()
    if version != sims_analysis.__version__:
        raise ValueError(f"the README says how to cite {version}, not {sims_analysis.__version__}")
    safe = title.replace("_", r"\_")
    bibtex = (
        "@software{sims_analysis,\n"
        f"  author  = {{{{{author}}}}},\n"
        f"  title   = {{{safe}}},\n"
        f"  version = {{{version}}},\n"
        f"  year    = {{{year}}},\n"
        "}"
    )
    return f"> {text}\n\n```bibtex\n{bibtex}\n```"


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("vocabulary", Vocabulary)
    app.add_directive("models", Models)
    app.add_directive("statuses", Statuses)
    app.add_directive("codes", Codes)
    app.add_directive("sources", Sources)
    app.add_directive("extras", Extras)
    app.add_directive("citation", Citation)
    return {"parallel_read_safe": True}
