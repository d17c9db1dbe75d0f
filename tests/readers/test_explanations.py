"""Small files, and all that is said of each: headers, columns, profiles, refusals, warnings.

``explanations.txt`` holds the lines of each file behind ``| ``, what the user states above them,
and below what `sims.explain_read` says, then what was read, number by number. Of tables, what rows
and columns were taken for stands in a line each, without the cells; below ``# whole``, in full.
``python tests/readers/test_explanations.py`` writes it anew: read the difference.
"""

import io
import re
import warnings
from pathlib import Path

import pytest

import sims_analysis as sims

FILE = Path(__file__).with_name("explanations.txt")


def cases():
    """Give what the user states, the text, and what must be said of it."""
    for case in FILE.read_text(encoding="utf-8").split("\n\n# ")[1:]:
        stated, *lines = case.rstrip("\n").split("\n")
        text = [line[2:] for line in lines if line.startswith("|")]
        said = [line for line in lines if not line.startswith("|")]
        yield stated, "\n".join(text).replace("\\t", "\t").replace("\\r", "\r"), said


def said_of(stated, text):
    """Say how a text is understood, and what is read of it."""
    options = eval(f"dict({stated.removeprefix('whole')})")  # noqa: S307 - our own file
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        lines = sims.explain_read(named(text), **options).split("\n")
        lines = lines if stated.startswith("whole") else shortened(lines)
        try:
            found = sims.read(named(text), **options)
        except sims.SimsError:
            return lines
    results = found if isinstance(found, list) else [found]
    return lines + [line for result in results for line in numbers(result)]


def named(text):
    file = io.BytesIO(text.encode())
    file.name = "w7.txt"
    return file


def shortened(lines):
    """Leave out the cells, and what is listed below, number by number."""
    first, *lines = lines
    said, rows, columns, part = [], [], [], ""
    for line in lines:
        words = re.split("  +", line.strip())
        if not line.startswith("  "):
            part = line
            if line != "columns" and not re.search(r": \d+ profiles?$", line):
                said.append(line)
        elif part == "columns":
            columns.append(" ".join(words))
        elif words[0] == "...":
            rows.append("...")
        elif words[0].isdigit() and re.match("a t|sheet", part):
            rows.append(" ".join(words[:2]))
    about = said.pop(0).removesuffix(" between the cells") + ": " if rows else ""
    read_as = re.sub(r".*, read as '(\w+)': .*", r"\1: ", first)
    columns = [", ".join(columns)] if columns else []
    return [f"{read_as}{about}{', '.join(rows)}".removesuffix(": "), *columns, *said]


def numbers(result):
    """List every number that was read, and what else is known of it."""
    about = result.metadata.to_dict()
    left_out = ("file", "sha256", "reader", "format")
    known = {name: about[name] for name in about if name not in left_out}
    if known:
        yield f"{result.data_id}: {known}"
    for profile in result.depth_profiles:
        said = [f"{profile.depths.tolist()} {profile.depth_units}"]
        said.append(f"{profile.concentrations.tolist()} {profile.concentration_units}")
        if profile.concentrations_stderr is not None:
            said.append(f"errors {profile.concentrations_stderr.tolist()}")
        said += map(str, filter(None, [profile.species_metadata, profile.extra.get("columns")]))
        yield f"{profile.species_name}: {', '.join(said)}"


@pytest.mark.parametrize(
    ("stated", "text", "said"),
    [pytest.param(*case, id=str(number)) for number, case in enumerate(cases(), 1)],
)
def test_explanations_of_small_files(stated, text, said):
    assert said_of(stated, text) == said


def main():
    """Write the file anew."""
    parts = [FILE.read_text(encoding="utf-8").split("\n\n# ")[0]]
    for stated, text, _ in cases():
        shown = re.sub("(?m)^", "| ", text.replace("\t", "\\t").replace("\r", "\\r"))
        parts.append("\n".join([stated, shown, *said_of(stated, text)]))
    FILE.write_text("\n\n# ".join(parts) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
