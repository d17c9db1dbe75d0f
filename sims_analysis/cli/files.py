"""Files of instruments and laboratories on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sims_analysis.cli.options import combined, describe, finish, one_line, print_lines
from sims_analysis.errors import SimsError
from sims_analysis.files import MAX_BYTES
from sims_analysis.text.escapes import visible

if TYPE_CHECKING:
    from sims_analysis.dataset.result import SIMSResult

#: What a file does not state.
file_options = combined(
    click.option(
        "--depth-units", metavar="UNIT", help="Unit of depths, for files that do not state it."
    ),
    click.option(
        "--units",
        multiple=True,
        metavar="[SPECIES=]UNIT",
        help="Unit of values, for files that do not state it.",
    ),
    click.option(
        "--species",
        multiple=True,
        metavar="NAME",
        help="Names of the signals in order, for files that do not name them.",
    ),
    click.option("--number-repeats", is_flag=True, help="Number signals with the same name."),
    click.option(
        "--max-bytes",
        type=click.IntRange(min=1),
        metavar="BYTES",
        default=MAX_BYTES,
        show_default=True,
        help="Memory in bytes that reading one file may take.",
    ),
)


def file_arguments(options: dict[str, Any]) -> dict[str, Any]:
    """Remove the `file_options` from those of a command, and return them."""
    names = ("depth_units", "units", "species", "number_repeats", "max_bytes")
    arguments = {name: options.pop(name) for name in names}
    species = list(arguments["species"]) or None
    return arguments | {"units": _units(arguments["units"]), "species": species}


def _units(texts: Sequence[str]) -> str | dict[str, str] | None:
    """Read ``--units nm`` or ``--units B=atoms/cm^3 --units Si=counts/s``."""
    pairs = [text.rpartition("=") for text in texts]
    if len(pairs) == 1 and not pairs[0][1]:
        return texts[0]
    if any(not mark for _, mark, _ in pairs):
        raise click.UsageError("--units takes one unit, or SPECIES=UNIT for each species")
    return {species: unit for species, _, unit in pairs} or None


def refuse_for_entries(entries: Sequence[str], arguments: dict[str, Any]) -> None:
    """Refuse what is stated of files where entries are read, which state it themselves."""
    defaults = {"number_repeats": False, "max_bytes": MAX_BYTES}
    names = [name for name, value in arguments.items() if value != defaults.get(name)]
    if entries and names:
        option = "--" + names[0].replace("_", "-")
        raise click.UsageError(
            f"{option} is for files; {visible(entries[0])} is an entry, which states its own"
        )


#: For commands that read files.
explain_option = click.option(
    "--explain", is_flag=True, help="Show how the files are read, and stop."
)


def explain_files(files: Sequence[Path], arguments: dict[str, Any]) -> None:
    """Print how files are understood, whether they can be read or not."""
    from sims_analysis.readers.files import explained

    failures = {}
    for number, file in enumerate(files):
        try:
            text = explained(file, describe, arguments)
        except OSError as error:
            failures[str(file)] = error.strerror or str(error)
        else:
            print_lines(f"\n{text}" if number else text)
    finish(len(files) - len(failures), failures)


def read_files(
    files: Sequence[Path], arguments: dict[str, Any]
) -> tuple[list[SIMSResult], dict[str, str]]:
    """Read files; also return the reasons for those that cannot be read."""
    from dataclasses import replace

    from sims_analysis.readers.files import read

    results: dict[str, SIMSResult] = {}
    failures = {}
    for file, outcome in zip(files, read(files, errors="collect", **arguments), strict=True):
        if isinstance(outcome, SimsError):
            failures[str(file)] = one_line(outcome)
            continue
        # Files that differ only in the ending must not overwrite each other's output.
        is_taken = not outcome.data_id or outcome.data_id in results
        name = file.name if is_taken else outcome.data_id
        results[name] = replace(outcome, data_id=name)
    return list(results.values()), failures
