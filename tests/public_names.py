"""The public names, and every list of them, from the functions themselves.

A function or class is public if the example in its docstring uses it as a user does, as
``sims.its_name``; so is every error. ``python tests/public_names.py`` writes the lists:

- ``sims_analysis/__init__.pyi``, which says where each name is from;
- the methods of ``SimsAccessor`` in ``sims_analysis/xarray.py``: the functions of data;
- the pages of ``.docs/api``: a comment ``.. of analysis.dose, analysis.cumulative`` says of which
  modules or rooms the list below it is. A name is in the list that says most of its module;
- ``.docs/api/functions.md``, the table of all functions.

A test compares the lists with what is written here.
"""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: A list on a page of the reference, and of which modules it is.
_LIST = re.compile(
    r"^\.\. of (?P<modules>.*)\n\n\.\. autosummary::\n(?:   :.*\n)*\n(?P<names>(?:   \w+\n)*)",
    re.MULTILINE,
)
#: How a first argument that is data is annotated.
_DATA = {"xr.Dataset", "xr.DataArray", "Data", "Measurements"}


@dataclass(frozen=True)
class Public:
    """A public function or class, as it stands in its module."""

    name: str
    module: str
    node: ast.FunctionDef | ast.ClassDef

    @property
    def summary(self) -> str:
        """Return the first paragraph of the docstring, as Markdown."""
        text = " ".join((ast.get_docstring(self.node) or "").partition("\n\n")[0].split())
        return re.sub(r":\w+:`(?:sims_analysis)?\.?(\w+)`", r"`sims.\1`", text).replace("``", "`")

    @property
    def of_data(self) -> bool:
        """Whether the first argument is data."""
        if isinstance(self.node, ast.ClassDef):
            return False
        given = self.node.args
        first = next(iter([*given.posonlyargs, *given.args, *filter(None, [given.vararg])]), None)
        kinds = ast.unparse(first.annotation).split(" | ") if first and first.annotation else []
        return not _DATA.isdisjoint(kinds)

    @property
    def method(self) -> str:
        """Return the line of the accessor."""
        more = self.node.args.kwarg if isinstance(self.node, ast.FunctionDef) else None
        if (
            more is not None
            and more.annotation is not None
            and ast.unparse(more.annotation) == "Any"
        ):
            # Any keyword might be the data again, to a checker.
            return f"        {self.name}: Callable[..., Any]\n"
        return f"        {self.name} = _forward(sims_analysis.{self.name})\n"


def _shown(node: ast.FunctionDef | ast.ClassDef) -> bool:
    """Whether the example in its docstring uses it as ``sims.its_name``."""
    example = (ast.get_docstring(node) or "").partition("Examples\n--------")[2]
    return re.search(rf"\bsims\.{node.name}\b", example) is not None


class PublicNames:
    """The public names of a checkout, and the files that list them."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.package = root / "sims_analysis"
        self.pages = sorted((root / ".docs" / "api").glob("*.rst"))

    @cached_property
    def all(self) -> list[Public]:
        """Every public function, class and error, by module and name."""
        found = []
        for path in self.package.rglob("*.py"):
            module = ".".join(path.relative_to(self.package).with_suffix("").parts)
            for node in ast.parse(path.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_":
                    error = module == "errors" and isinstance(node, ast.ClassDef)
                    error = error and node.name != "Parts"  # of their arguments
                    if error or (not module.startswith("testing") and _shown(node)):
                        found.append(Public(node.name, module, node))
        places = {one.name: one.module for one in reversed(found)}
        for one in found:
            if places[one.name] != one.module:
                raise LookupError(f"{one.module} and {places[one.name]} both have {one.name!r}")
        return sorted(found, key=lambda one: (one.module, one.name))

    def stub(self) -> str:
        """Return ``sims_analysis/__init__.pyi``."""
        head = (self.package / "__init__.pyi").read_text(encoding="utf-8").partition("\nfrom ")[0]
        lines = ["from . import errors as errors", "from . import testing as testing"]
        lines += ["from ._version import __version__ as __version__"]
        lines += [f"from .{one.module} import {one.name} as {one.name}" for one in self.all]
        return "\n".join([head, *lines, ""])

    def accessor(self) -> str:
        """Return ``sims_analysis/xarray.py``, with the methods of data."""
        of_data = sorted((one for one in self.all if one.of_data), key=lambda one: one.name)
        text = (self.package / "xarray.py").read_text(encoding="utf-8")
        begin, end = "tests/public_names.py writes them.\n", "\n    def __dir__"
        before, _, rest = text.partition(begin)
        methods = "".join(one.method for one in of_data)
        return before + begin + methods + end + rest.partition(end)[2]

    @cached_property
    def lists(self) -> dict[tuple[Path, str], list[Public]]:
        """The lists of the reference by page and modules, in their order, new names last."""
        found = {
            (page, one["modules"]): one["names"].split()
            for page in self.pages
            for one in _LIST.finditer(page.read_text(encoding="utf-8"))
        }
        places = {module: place for place in found for module in place[1].split(", ")}
        lists: dict[tuple[Path, str], list[Public]] = {place: [] for place in found}
        for one in self.all:
            if one.module != "errors":
                near = [module for module in places if f"{one.module}.".startswith(f"{module}.")]
                if not near:
                    raise LookupError(f"no list in .docs/api is of {one.module}: {one.name}")
                lists[places[max(near, key=len)]].append(one)
        for place, names in lists.items():
            if not names:
                raise LookupError(f"{place[0].name}: there is no public name of {place[1]}")
            old = found[place]
            names.sort(key=lambda one: old.index(one.name) if one.name in old else len(old))
        return lists

    def reference(self, page: Path) -> str:
        """Return a page of the reference, its lists filled."""

        def filled(found: re.Match[str]) -> str:
            names = "".join(f"   {one.name}\n" for one in self.lists[page, found["modules"]])
            return found[0].removesuffix(found["names"]) + names

        return _LIST.sub(filled, page.read_text(encoding="utf-8"))

    def table(self) -> str:
        """Return the page of all functions, each under the heading of its list."""
        lines = ["# All functions", "", "By what they are for; `help(sims.fit)` says more."]
        pages = self.root / ".docs" / "api"
        index = (pages / "index.md").read_text(encoding="utf-8")
        for name in re.findall(r"^(\w+)$", index, re.MULTILINE):  # in the order of the site
            page = pages / f"{name}.rst"
            text = page.read_text(encoding="utf-8") if page in self.pages else ""
            for found in _LIST.finditer(text):
                heading = re.findall(r"^(.+)\n[=-]{3,}$", text[: found.start()], re.MULTILINE)[-1]
                names = self.lists[page, found["modules"]]
                rows = [f"| `sims.{one.name}` | {one.summary} |" for one in names]
                lines += ["", f"## {heading}", "", "| function | |", "|---|---|", *rows]
        return "\n".join(lines) + "\n"

    def files(self) -> Iterator[tuple[Path, str]]:
        """Yield every file that lists public names, and what has to stand in it."""
        yield self.package / "__init__.pyi", self.stub()
        yield self.package / "xarray.py", self.accessor()
        for page in self.pages:
            yield page, self.reference(page)
        yield self.root / ".docs" / "api" / "functions.md", self.table()

    def outdated(self) -> dict[str, str]:
        """Return what has to stand in the files in which something else stands."""
        return {
            path.relative_to(self.root).as_posix(): text
            for path, text in self.files()
            if not path.is_file() or path.read_text(encoding="utf-8") != text
        }


if __name__ == "__main__":
    for name, text in PublicNames().outdated().items():
        (ROOT / name).write_text(text, encoding="utf-8")
        sys.stdout.write(f"{name}\n")
