"""``{vocabulary} measured``: the terms of the library's vocabulary as a table."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from sims_analysis import vocabulary
from sims_analysis.units import CANONICAL

MEASURED = (*vocabulary.AXES, *vocabulary.QUANTITIES)


def _terms(which: str) -> dict[str, vocabulary.Term]:
    if which == "measured":
        return {name: vocabulary.TERMS[name] for name in MEASURED}
    return {name: term for name, term in vocabulary.TERMS.items() if name not in MEASURED}


def _units(name: str, term: vocabulary.Term) -> str:
    kinds = vocabulary.kinds(name) if name in vocabulary.QUANTITIES else (term.kind,)
    return ", ".join(f"`{CANONICAL[kind]}`" for kind in kinds if kind in CANONICAL)


def _meaning(term: vocabulary.Term) -> str:
    return f"{term.long_name}. {term.definition[:1].upper()}{term.definition[1:]}"


class Vocabulary(SphinxDirective):
    """All terms that can be measured, or all answers."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        head = ("Name", "Unit", "Meaning", "Reference")
        rows = [
            (f"`{name}`", _units(name, term), _meaning(term), term.reference)
            for name, term in _terms(self.arguments[0]).items()
        ]
        widest = len(head) if any(row[3] for row in rows) else len(head) - 1
        lines = ["| " + " | ".join(row[:widest]) + " |" for row in (head, ("---",) * 4, *rows)]
        return self.parse_text_to_nodes("\n".join(lines))


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("vocabulary", Vocabulary)
    return {"parallel_read_safe": True}
