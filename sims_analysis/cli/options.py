"""Shared parts of the commands: one-line errors, exit codes, options, columns."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from sims_analysis.errors import SimsError, SimsWarning, redirect_warnings
from sims_analysis.text.escapes import visible

if TYPE_CHECKING:
    from sims_analysis.api.client import Client
    from sims_analysis.dataset.result import SIMSResult

Decorated = TypeVar("Decorated", bound=Callable[..., Any] | click.Command)

#: Exit codes, apart from 0, 1 (error) and 2 (usage).
PARTIAL = 3
INTERRUPTED = 130


class Command(click.Command):
    """A command that prints errors as one line on stderr and sets exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            with redirect_warnings(_Warnings()):
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except (SimsError, ImportError) as error:
            raise click.ClickException(one_line(error)) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            where = f"{error.filename}: " if error.filename else ""
            reason = f"{where}{error.strerror or one_line(error)}"
            raise click.ClickException(visible(reason)) from None
        except (UnicodeError, RecursionError, MemoryError) as error:
            raise click.ClickException(f"{type(error).__name__}: {one_line(error)}") from None


class Group(click.Group):
    """A group of such commands."""

    command_class = Command

    def main(self, *args: Any, **options: Any) -> Any:
        """Run, on a terminal with any encoding."""
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")
        return super().main(*args, **options)


#: Code of an error or warning -> what to do, in place of the remedy in Python.
REMEDIES = {
    "damaged_entry": "restore it from a copy, or fetch it again with fetch --refresh",
    "missing_id": "give one with --id",
    "missing_key": "set AS_API_KEY",
    "missing_species": "name them in order with --species",
    "missing_unit": "state it with {option} UNIT",
    "not_archived": "fetch it once with the command fetch",
    "not_found": "look for what there is with the command search",
    "other_measurement": "give another --id, or --replace to make this its new version",
    "rate_limited": "ask less often, or with a smaller --max-connections",
    "repeated_species": "number them with --number-repeats",
    "several_a_day": "average them first with --by-day",
    "several_crossings": "a junction is looked for below --surface",
    "surface_transient": "state where it ends with --surface",
    "timeout": "try again, or raise {option}",
    "unauthorized": "set AS_API_KEY",
}


def describe(message: SimsError | SimsWarning) -> str:
    """Word an error or a warning by its parts, with options for arguments."""
    context = click.get_current_context(silent=True)
    parameters = [] if context is None else context.command.params
    options = {p.name: p.opts[0] for p in parameters if isinstance(p, click.Option)}
    option, text = options.get(message.argument, ""), message.message
    if option and text.startswith(message.argument):
        text = option + text.removeprefix(message.argument)
    # Others than that of which it is, too: "expected less than stop='20 nm'".
    text = re.sub(r"(?<![\w-])\w+(?==)", lambda name: options.get(name[0], name[0]), text)
    if message.remedy:
        remedy = REMEDIES.get(message.code, "see {option}" if option else "")
        if not {*re.findall(r"(?<!fetch )--[a-z-]+", remedy)} <= {*options.values()}:
            remedy = ""
        text += f"; {remedy.format(option=option) or f'in Python, {message.remedy}'}"
    return text


def one_line(error: BaseException) -> str:
    """Return the message of an error or a warning on one line."""
    text = describe(error) if isinstance(error, SimsError | SimsWarning) else str(error)
    return visible(" ".join(text.split())) or type(error).__name__


def print_lines(text: str) -> None:
    """Print a text of several lines."""
    click.echo(visible(text, keep="\n\t"))


class _Warnings:
    """Prints each warning once, on one line of stderr."""

    def __init__(self) -> None:
        self._shown: set[str] = set()

    def __call__(self, warning: SimsWarning) -> None:
        text = one_line(warning)
        if text not in self._shown:
            self._shown.add(text)
            click.echo(f"Warning: {text}", err=True)


_EXIT_CODES = """
Exit codes:
  0    done
  1    an error of the data, the archive or the server, stated on stderr
  2    the command was not understood
  3    some of the entries failed; the others are done
  130  interrupted
"""


def epilog(*examples: str, code: str = "") -> str:
    """End a help text with examples and exit codes, to which one may be added."""
    # A backspace makes click keep the following lines as they are.
    lines = "\n".join(f"  {example}" for example in examples)
    codes = _EXIT_CODES.replace("  130", f"{code}  130")
    return f"\b\nExamples:\n{lines}\n\n\b{codes}"


#: A folder that may still be made.
FOLDER = click.Path(file_okay=False)


def combined(*options: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    """Make one decorator of several, which adds their options in this order."""

    def add(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return add


#: The archive to maintain.
archive_option = click.option(
    "--archive", "folder", type=FOLDER, required=True, help="Folder of the archive."
)


def takes_archive(command: Callable[..., None]) -> Callable[..., None]:
    """Pass a command the archive that is named."""

    @archive_option
    @wraps(command)
    def with_archive(folder: str, **options: Any) -> None:
        from sims_analysis.api.archive import Archive

        command(Archive(folder), **options)

    return with_archive


#: The ids, and the option for a file with more of them.
ids_argument = combined(
    click.argument("ids", nargs=-1),
    click.option(
        "--ids-from",
        "lists",
        type=click.File(encoding="utf-8-sig"),
        multiple=True,
        metavar="FILE",
        help="File with an id on each line; - is standard input.",
    ),
)


def all_ids(ids: Sequence[str], lists: Sequence[TextIO]) -> tuple[str, ...]:
    """Return the given ids and those in files, one per line."""
    names = list(ids)
    for file in lists:
        try:
            lines = [line.strip() for line in file]
        except UnicodeError:
            raise click.UsageError(f"{visible(file.name)}: not text in UTF-8") from None
        names += [line for line in lines if line and not line.startswith("#")]
    refuse_addresses(names)
    if not names and (ids or lists):
        raise click.UsageError("the file has no id on any line")
    return tuple(names)


def refuse_addresses(names: Sequence[object]) -> None:
    """Refuse addresses in place of ids and files; they are not repeated, as they may have keys."""
    if any(re.match(r"[a-zA-Z][a-zA-Z0-9+.-]+:/", str(name)) for name in names):
        raise click.UsageError(
            "a URL is neither a data id nor a file; download what is there, or read it in Python "
            "with sims.read(address)"
        )


#: Where entries come from.
source_options = combined(
    click.option(
        "--archive",
        type=FOLDER,
        help="Folder of archived entries; fetched entries are kept there.",
    ),
    click.option("--endpoint", metavar="URL", help="Root of the API; by default AS_API_ENDPOINT."),
    click.option("--allow-http", is_flag=True, help="Accept another machine without TLS."),
    click.option("--offline", is_flag=True, help="Read the archive, contact no server."),
    click.option("--timeout", default=30.0, show_default=True, help="Seconds without any data."),
    click.option("--deadline", default=300.0, show_default=True, help="Total seconds per entry."),
    click.option(
        "--retries", default=3, show_default=True, help="Retries after temporary failures."
    ),
    click.option("--max-connections", default=8, show_default=True, help="Parallel downloads."),
    click.option(
        "--ca-bundle",
        type=click.Path(exists=True, path_type=Path),
        help="Certificates to trust instead of the default ones.",
    ),
)


def quantity_option(
    kind: str, name: str, explanation: str, **options: Any
) -> Callable[[Decorated], Decorated]:
    """Make an option that takes a number with a unit of a kind, checked before the command runs."""

    def check(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
        from sims_analysis.units import read_quantity

        if value is not None:
            try:
                read_quantity(value, (kind,), option.opts[0])
            except SimsError as error:
                raise click.UsageError(one_line(error)) from None
        return value

    return click.option(name, metavar=_METAVARS[kind], callback=check, help=explanation, **options)


_METAVARS = {"depth": "DEPTH", "sputter_rate": "RATE", "concentration": "CONC"}
format_option = click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="A table to read, or JSON for programs.",
)


def open_client(*, archive: str | None, offline: bool, **options: Any) -> Client:
    """Make a client from the options of :func:`source_options`."""
    from sims_analysis.api.client import Client

    if offline and archive is None:
        raise click.UsageError("--offline reads an archive; name it with --archive")
    return Client(archive=archive, offline=offline, **options)


def get(
    client: Client, ids: Sequence[str], *, refresh: bool = False
) -> tuple[list[SIMSResult], dict[str, str]]:
    """Get entries; also return the reasons for those that failed, by id."""
    unique = list(dict.fromkeys(ids))
    results, failures = [], {}
    outcomes = client.get(unique, errors="collect", refresh=refresh)
    for data_id, outcome in zip(unique, outcomes, strict=True):
        if isinstance(outcome, SimsError):
            failures[data_id] = one_line(outcome)
        else:
            results.append(outcome)
    return results, failures


@contextmanager
def collect_failure(failures: dict[str, str], name: str) -> Iterator[None]:
    """Note under a name why it failed, so that others go on."""
    try:
        yield
    except SimsError as error:
        failures[name] = one_line(error)


def finish(succeeded: int, failures: dict[str, str], code: int = 0) -> None:
    """Print the failures, and exit with the corresponding code, or that of a result."""
    for name, failure in failures.items():
        short = Path(name).name
        reason = failure.removeprefix(f"{short}: ")  # a path says it already
        prefix = "" if repr(name) in reason or reason.startswith(f"{short} ") else f"{name}: "
        click.echo(visible(f"Error: {prefix}{reason}"), err=True)
    if code or failures:
        sys.exit(code or (PARTIAL if succeeded else 1))


def print_json(value: Any) -> None:
    """Print JSON in ASCII, which every terminal prints as it is."""
    import orjson

    text = orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    click.echo(re.sub(r"[^\x20-\x7e\n]+", lambda character: json.dumps(character[0])[1:-1], text))


def list_species(result: SIMSResult) -> str:
    """List the species of a result for printing, only the first of very many."""
    from sims_analysis.text.arguments import first_few

    return first_few(result.species, 40) or "no SIMS data"


def print_columns(head: list[str], rows: list[list[str]]) -> None:
    """Print columns, aligned."""
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
