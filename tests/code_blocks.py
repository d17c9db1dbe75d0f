"""The code that the README and the pages of the site show: run, type-checked, and pictured.

``python tests/code_blocks.py pictures`` makes the pictures that stand beside the code by that code;
``python tests/code_blocks.py scripts FOLDER`` writes the code of each page as a script, each line
where it stands in the page, for type checkers.
"""

import doctest
import os
import re
import sys
from collections.abc import Iterator
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
SITE = ROOT / ".docs"
#: Where the pictures are; each is named like the page that it is made by.
PICTURES = SITE / "pictures"
#: Pages on the inside of the library, or on another package.
INSIDE = {"a_plugin", *(page.stem for page in (SITE / "howto").glob("adding_*.md"))}
#: Pages for users.
PAGES = [
    README,
    SITE / "index.md",
    SITE / "installation.md",
    *(page for page in sorted((SITE / "howto").glob("*.md")) if page.stem not in INSIDE),
]

_BLOCK = re.compile(r"^ *```(\w+)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)


def _found(page: Path) -> Iterator[tuple[str, int, str]]:
    """Yield the language of each block, the number of its first line, and the block."""
    text = page.read_text(encoding="utf-8")
    for block in _BLOCK.finditer(text):
        yield block[1], text.count("\n", 0, block.start(2)), block[2]


def blocks(page: Path, language: str) -> list[str]:
    """List the blocks of a page in a language."""
    return [block for kind, _, block in _found(page) if kind == language]


def session(page: Path) -> doctest.DocTest:
    """Return everything that a page shows of one interactive session."""
    text = "".join(blocks(page, "pycon"))
    return doctest.DocTestParser().get_doctest(text, {}, page.name, str(page), 0)


def run(page: Path, folder: Path) -> str:
    """Run the session of a page in a folder; return what differs from what is shown."""
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    with chdir(folder):
        runner.run(session(page), out=said.append)
    if pyplot := sys.modules.get("matplotlib.pyplot"):
        pyplot.close("all")
    return "".join(said)


def script(page: Path) -> str:
    """Write the code of a page as a script, each line where it stands in the page."""
    lines: list[str] = []
    for kind, at, block in _found(page):
        shown = block.splitlines()
        if kind == "pycon":
            code = [line[4:] if re.match(r"(>>>|\.\.\.)( |$)", line) else "" for line in shown]
        elif kind == "python":
            code = shown
        else:
            continue
        lines += [""] * (at - len(lines)) + code
    return "\n".join(lines) + "\n"


def write_scripts(folder: Path) -> list[Path]:
    """Write the code of every page for users into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for page in PAGES:
        text = script(page)
        if text.strip():
            path = folder / f"{page.stem.lower()}.py"
            path.write_text(text, encoding="utf-8")
            written.append(path)
    return written


def make_pictures(folder: Path) -> list[Path]:
    """Make the pictures: of pages whose sessions save one, and of the README's first command."""
    from click.testing import CliRunner
    from instrument_files import measured_file

    from sims_analysis.cli import cli

    folder.mkdir(parents=True, exist_ok=True)
    made = []
    with TemporaryDirectory() as scratch:
        here = Path(scratch)
        (here / "w7.dp_rpc_asc").write_bytes(measured_file())
        for page in PAGES:
            if "save_figure" in "".join(blocks(page, "pycon")):
                said = run(page, here)
                if said:
                    raise AssertionError(said)
        with chdir(here):
            CliRunner().invoke(cli, ["report", "boron-implant"], catch_exceptions=False)
        for picture in (*here.glob("*.png"), here / "report" / "boron-implant.png"):
            made.append(folder / picture.name)
            made[-1].write_bytes(picture.read_bytes())
    return sorted(made)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ["MATPLOTLIBRC"] = str(Path(__file__).with_name("matplotlibrc"))
    what, *rest = sys.argv[1:] or [""]
    if what == "pictures":
        print(*make_pictures(PICTURES), sep="\n")  # noqa: T201
    elif what == "scripts" and rest:
        print(*write_scripts(Path(rest[0])), sep="\n")  # noqa: T201
    else:
        sys.exit(__doc__)
