"""The command line: a thin skin over the public functions.

Only click is imported before a command runs, so that ``--help`` is immediate.
"""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from sims_analysis._version import __version__
from sims_analysis.errors import SimsError

if TYPE_CHECKING:
    from sims_analysis.api.catalogue import Catalogue
    from sims_analysis.api.client import Client
    from sims_analysis.profiles import SIMSResult

__all__ = ["cli", "main"]

_Command = TypeVar("_Command", bound=Callable[..., Any] | click.Command)

#: Package that a command may miss -> the extra that brings it.
_EXTRAS = {
    "matplotlib": "plot",
    "h5netcdf": "netcdf",
    "h5py": "netcdf",
    "starlette": "server",
    "uvicorn": "server",
}
PARTIAL = 3
INTERRUPTED = 130


class _Group(click.Group):
    """Errors as one line on stderr, and exit codes that mean something."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except SimsError as error:
            raise click.ClickException(_one_line(error)) from None
        except ModuleNotFoundError as error:
            extra = _EXTRAS.get(error.name or "")
            if extra is None:
                raise
            raise click.ClickException(
                f"this needs {error.name}: pip install 'sims-analysis[{extra}]'"
            ) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or _one_line(error)}") from None


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    click.echo(f"Warning: {' '.join(str(message).split())}", err=True)


_EXIT_CODES = """
\b
Exit codes:
  0    done
  1    the data, the archive or the server: one line on stderr says what
  2    the command was not understood
  3    some of the entries failed; the others are done
  130  interrupted
"""


@click.group(
    cls=_Group, epilog=_EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"]}
)
@click.version_option(__version__, prog_name="sims-analysis")
def cli() -> None:
    r"""SIMS depth profiles: peak, dose and junction depth, from the API or an archive.

    \b
    Example, on the synthetic measurements inside the package:
      python -m sims_analysis report

    The key of the API is read from AS_API_KEY (or ATOMSCALE_API_KEY).
    """


def _source(command: Any) -> Any:
    """Add the options that say where entries come from."""
    for option in reversed(
        [
            click.option(
                "--archive",
                type=click.Path(file_okay=False, path_type=Path),
                help="Folder of archived entries; what is fetched is kept there.",
            ),
            click.option("--endpoint", metavar="URL", help="Root of the API."),
            click.option("--offline", is_flag=True, help="Read the archive, ask no server."),
            click.option(
                "--timeout", default=30.0, show_default=True, help="Seconds without an answer."
            ),
        ]
    ):
        command = option(command)
    return command


def _checked(*kinds: str) -> Any:
    """Refuse a number without a unit, or with a unit of another kind, before anything is done."""

    def check(ctx: click.Context, option: click.Parameter, value: str | None) -> str | None:
        from sims_analysis.units import read_quantity

        if value is not None:
            try:
                read_quantity(value, kinds, option.name or "")
            except SimsError as error:
                raise click.BadParameter(_one_line(error)) from None
        return value

    return check


def _depth(name: str, explanation: str) -> Callable[[_Command], _Command]:
    return click.option(name, metavar="DEPTH", callback=_checked("depth"), help=explanation)


def _concentration(name: str, explanation: str, **more: Any) -> Callable[[_Command], _Command]:
    check = _checked("concentration")
    return click.option(name, metavar="CONC", callback=check, help=explanation, **more)


_format = click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)


def _client(archive: Path | None, endpoint: str | None, *, offline: bool, timeout: float) -> Client:
    from sims_analysis.api.client import Client

    if offline and archive is None:
        raise click.UsageError("--offline reads an archive; say which with --archive")
    return Client(endpoint=endpoint, archive=archive, offline=offline, timeout=timeout)


def _get(
    client: Client, ids: Sequence[str], *, refresh: bool = False
) -> tuple[list[SIMSResult], dict[str, str]]:
    """Get what can be had; say of the others, by id, why not."""
    outcomes = client.get(ids, errors="collect", refresh=refresh)
    results, failures = [], {}
    for data_id, outcome in zip(ids, outcomes, strict=True):
        if isinstance(outcome, SimsError):
            failures[data_id] = _one_line(outcome)
        else:
            results.append(outcome)
    return results, failures


def _finish(done: int, failures: dict[str, str]) -> None:
    """Tell what failed, and leave with the code that says so."""
    for data_id, reason in failures.items():
        who = "" if data_id in reason else f"{data_id}: "
        click.echo(f"Error: {who}{reason}", err=True)
    if failures:
        sys.exit(PARTIAL if done else 1)


def _json(value: Any) -> None:
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def _names(texts: Iterable[str]) -> list[str]:
    """Split ``--donors P,As --donors Sb`` into names."""
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


@cli.command(epilog=_EXIT_CODES)
@click.argument("ids", nargs=-1)
@_source
@_concentration(
    "--level", "Concentration of the junction.", default="1e18 atoms/cm^3", show_default=True
)
@_depth("--start", 'Upper limit of the dose, such as "20 nm".')
@_depth("--stop", "Lower limit of the dose.")
@_concentration("--background", "Concentration subtracted in the dose.")
@_depth("--surface", "Where the surface transient ends.")
@click.option("--donors", multiple=True, metavar="SPECIES", help="For metallurgical junctions.")
@click.option("--acceptors", multiple=True, metavar="SPECIES", help="For metallurgical junctions.")
@_concentration("--doping", "Constant net doping: positive for donors, negative for acceptors.")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("report"),
    show_default=True,
    help="Folder for figures, tables and data.",
)
@click.option("--no-files", is_flag=True, help="Print only.")
@_format
def report(
    ids: tuple[str, ...],
    archive: Path | None,
    endpoint: str | None,
    offline: bool,
    timeout: float,
    out: Path,
    no_files: bool,
    style: str,
    donors: tuple[str, ...],
    acceptors: tuple[str, ...],
    **question: Any,
) -> None:
    r"""Print peak, dose and junctions; write figures and data.

    Every species gets an answer with its unit and status, or the reason why there is none.
    Without IDS, everything in the archive; without --archive too, the synthetic measurements
    inside the package.

    \b
    Examples:
      python -m sims_analysis report
      python -m sims_analysis report --archive paper-data --level "5e17 atoms/cm^3"
      python -m sims_analysis report boron-implant --donors P --acceptors B --format json
    """
    from sims_analysis.api.archive import Archive
    from sims_analysis.examples import ARCHIVE
    from sims_analysis.report import analyse, to_text, write_files

    if archive is None and endpoint is None and _means_examples(ids):
        archive, offline = ARCHIVE, True
    if not ids:
        if archive is None:
            raise click.UsageError("name the ids; the command search finds them")
        ids = tuple(Archive(archive).ids())
    with _client(archive, endpoint, offline=offline, timeout=timeout) as client:
        results, failures = _get(client, ids)
    reports = []
    for result in results:
        try:
            ds, notes = _dataset(result)
            one = analyse(
                ds, donors=_names(donors), acceptors=_names(acceptors), notes=notes, **question
            )
            if style == "table":
                click.echo(to_text(one) + "\n")
            files = [] if no_files else [str(path) for path in write_files(ds, one, out)]
        except SimsError as error:
            failures[result.data_id] = _one_line(error)
            continue
        if style == "table" and files:
            click.echo("Written:\n" + "\n".join(f"  {path}" for path in files) + "\n")
        reports.append(one.to_dict() | {"files": files})
    if style == "json":
        _json({"reports": reports, "failures": failures})
    _finish(len(reports), failures)


def _means_examples(ids: Sequence[str]) -> bool:
    """Whether ids without a source are examples; refuse what is none and cannot be fetched."""
    from sims_analysis.api.archive import Archive
    from sims_analysis.api.endpoint import ENDPOINT_VARIABLE, KEY_VARIABLES
    from sims_analysis.examples import ARCHIVE

    names = Archive(ARCHIVE).ids()
    if set(ids) <= set(names):
        return True
    if any(os.environ.get(variable) for variable in (ENDPOINT_VARIABLE, *KEY_VARIABLES)):
        return False
    raise click.UsageError(
        f"{', '.join(i for i in ids if i not in names)}: no example (these are "
        f"{', '.join(names)}); for your own data give --archive or --endpoint, or set "
        f"{KEY_VARIABLES[0]}"
    )


def _dataset(result: SIMSResult) -> tuple[Any, list[str]]:
    """Make the Dataset; what was noticed on the way belongs under the table."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ds = result.to_dataset()
    return ds, [str(warning.message) for warning in caught]


@cli.command(epilog=_EXIT_CODES)
@click.argument("ids", nargs=-1, required=True)
@_source
@click.option("--refresh", is_flag=True, help="Fetch also what is archived already.")
@_format
def fetch(
    ids: tuple[str, ...],
    archive: Path | None,
    endpoint: str | None,
    offline: bool,
    timeout: float,
    refresh: bool,
    style: str,
) -> None:
    r"""Fetch entries by id and keep them in an archive.

    \b
    Example:
      python -m sims_analysis fetch d290f1ee-6c54-4b01-90e6-d701748f0851 --archive paper-data
    """
    if archive is None:
        raise click.UsageError("say with --archive where to keep what is fetched")
    with _client(archive, endpoint, offline=offline, timeout=timeout) as client:
        results, failures = _get(client, ids, refresh=refresh)
    if style == "json":
        fetched = [{"data_id": r.data_id, "species": r.species, **r.provenance} for r in results]
        _json({"fetched": fetched, "failures": failures})
    elif results:
        _lines(["data id", "species"], [[r.data_id, _species(r)] for r in results])
    _finish(len(results), failures)


def _species(result: SIMSResult) -> str:
    return ", ".join(result.species) or "no SIMS data"


def _lines(head: list[str], rows: list[list[str]]) -> None:
    """Print columns, aligned."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())


@cli.command(epilog=_EXIT_CODES)
@click.argument("keywords", nargs=-1)
@_source
@click.option("--status", default="all", show_default=True, help="Of the processing.")
@_format
def search(
    keywords: tuple[str, ...],
    archive: Path | None,
    endpoint: str | None,
    offline: bool,
    timeout: float,
    status: str,
    style: str,
) -> None:
    r"""Search the catalogue for SIMS entries.

    With --offline, search what the archive knows of it.

    \b
    Example:
      python -m sims_analysis search boron --status success
    """
    with _client(archive, endpoint, offline=offline, timeout=timeout) as client:
        found: Catalogue = client.search(keywords=keywords, status=status)
    if style == "json":
        _json([entry.to_dict() for entry in found])
    elif not found:
        click.echo("nothing found", err=True)
    else:
        _lines(
            ["data id", "status", "updated", "sample"],
            [
                [
                    entry.data_id,
                    entry.pipeline_status or "",
                    (entry.last_updated or "")[:10],
                    entry.sample_name or entry.physical_sample_name or entry.raw_name or "",
                ]
                for entry in found
            ],
        )


@cli.command(epilog=_EXIT_CODES)
@click.argument("archive", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--no-key", is_flag=True, help="Answer everybody; on this machine only.")
def serve(archive: Path, host: str, port: int, no_key: bool) -> None:
    r"""Serve an archive, with the API's contract, until interrupted.

    Who asks must send the key that is in SIMS_SERVER_KEY. This needs the extra "server".

    \b
    Example:
      SIMS_SERVER_KEY=... python -m sims_analysis serve paper-data --port 8000
    """
    from sims_analysis.api.server import serve as run

    run(archive, host, port, no_key=no_key)


@cli.group(cls=_Group, epilog=_EXIT_CODES)
def archive() -> None:
    """Look after an archive."""


_folder = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))


@archive.command(epilog=_EXIT_CODES)
@_folder
@_format
def verify(folder: Path, style: str) -> None:
    r"""Check every version of every entry; exit code 1 if any is damaged.

    \b
    Example:
      python -m sims_analysis archive verify paper-data
    """
    from sims_analysis.api.archive import Archive

    kept = Archive(folder)
    damage = kept.verify()
    if style == "json":
        _json({"entries": len(kept), "damage": damage})
    elif not damage:
        click.echo(f"{len(kept)} entries, all sound")
    for reason in damage.values():
        click.echo(f"Error: {reason}", err=True)
    if damage:
        sys.exit(1)


@archive.command("list", epilog=_EXIT_CODES)
@_folder
@_format
def list_entries(folder: Path, style: str) -> None:
    r"""List the entries and where they came from.

    \b
    Example:
      python -m sims_analysis archive list paper-data
    """
    from sims_analysis.api.archive import Archive

    kept = Archive(folder)
    records = [kept.record(data_id) for data_id in kept.ids()]
    if style == "json":
        from dataclasses import asdict

        _json([asdict(record) for record in records])
    else:
        _lines(
            ["data id", "retrieved", "source"],
            [[record.data_id, record.retrieved[:19], record.url] for record in records],
        )


@archive.command(epilog=_EXIT_CODES)
@_folder
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--id", "data_id", help="Data id; by default the one in the file.")
def add(folder: Path, files: tuple[Path, ...], data_id: str | None) -> None:
    r"""Add JSON files, as the API sends them, to an archive.

    \b
    Example:
      python -m sims_analysis archive add paper-data wafer1.json wafer2.json
    """
    from sims_analysis.api.archive import Archive

    if data_id is not None and len(files) > 1:
        raise click.UsageError("--id names one entry, and there are several files")
    failures = {}
    for file in files:
        try:
            result = Archive(folder).add(file, data_id=data_id)
        except SimsError as error:
            failures[str(file)] = _one_line(error)
        else:
            click.echo(f"{result.data_id}: {_species(result)}")
    _finish(len(files) - len(failures), failures)


def main() -> None:
    """Run the command line."""
    cli(prog_name="sims-analysis")


if __name__ == "__main__":
    cli(prog_name="python -m sims_analysis")
