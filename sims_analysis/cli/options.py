"""What the commands share: errors as one line, exit codes, options, columns."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO, TypeVar

import click

from sims_analysis.errors import SimsError

if TYPE_CHECKING:
    from sims_analysis.api.client import Client
    from sims_analysis.dataset.result import SIMSResult

Command = TypeVar("Command", bound=Callable[..., Any] | click.Command)

#: Package that a command may miss -> the extra that brings it.
_EXTRAS = {
    "matplotlib": "plot",
    "h5netcdf": "netcdf",
    "h5py": "netcdf",
    "starlette": "server",
    "uvicorn": "server",
}
#: Exit codes, beside 0, 1 (error) and 2 (usage).
PARTIAL = 3
INTERRUPTED = 130


class Group(click.Group):
    """Errors as one line on stderr, and exit codes that mean something."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(ctx)
        except KeyboardInterrupt:
            click.echo("interrupted", err=True)
            ctx.exit(INTERRUPTED)
        except SimsError as error:
            raise click.ClickException(one_line(error)) from None
        except ImportError as error:
            package = (error.name or "").partition(".")[0]
            reason = one_line(error)
            if package in _EXTRAS and "pip install" not in reason:
                reason = f"this needs {package}: pip install 'sims-analysis[{_EXTRAS[package]}]'"
            raise click.ClickException(reason) from None
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            where = f"{error.filename}: " if error.filename else ""
            raise click.ClickException(f"{where}{error.strerror or one_line(error)}") from None


def one_line(error: BaseException) -> str:
    """Say what an error says, on one line."""
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
Exit codes:
  0    done
  1    the data, the archive or the server: one line on stderr says what
  2    the command was not understood
  3    some of the entries failed; the others are done
  130  interrupted
"""


def ending(*examples: str) -> str:
    """End a help text with examples and exit codes."""
    # A backspace has click keep the lines that follow as they are.
    lines = "\n".join(f"  {example}" for example in examples)
    return f"\b\nExamples:\n{lines}\n\n\b{_EXIT_CODES}"


def source_options(command: Command) -> Command:
    """Add the options that say where entries come from."""
    for option in reversed(
        [
            click.option(
                "--archive",
                type=click.Path(file_okay=False, path_type=Path),
                help="Folder of archived entries; what is fetched is kept there.",
            ),
            click.option(
                "--endpoint", metavar="URL", help="Root of the API; by default AS_API_ENDPOINT."
            ),
            click.option("--allow-http", is_flag=True, help="Accept another machine without TLS."),
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
                raise click.BadParameter(one_line(error)) from None
        return value

    return check


def depth_option(name: str, explanation: str) -> Callable[[Command], Command]:
    """Add an option that takes a depth with its unit."""
    return click.option(name, metavar="DEPTH", callback=_checked("depth"), help=explanation)


def rate_option(name: str, explanation: str) -> Callable[[Command], Command]:
    """Add an option that takes a sputter rate with its unit."""
    return click.option(name, metavar="RATE", callback=_checked("sputter_rate"), help=explanation)


def concentration_option(name: str, explanation: str, **more: Any) -> Callable[[Command], Command]:
    """Add an option that takes a concentration with its unit."""
    check = _checked("concentration")
    return click.option(name, metavar="CONC", callback=check, help=explanation, **more)


format_option = click.option(
    "--format",
    "style",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="For people, or for programs.",
)


def open_client(
    *,
    archive: Path | None,
    endpoint: str | None,
    allow_http: bool,
    offline: bool,
    timeout: float,
) -> Client:
    """Make the client that :func:`source_options` describe."""
    from sims_analysis.api.client import Client

    if offline and archive is None:
        raise click.UsageError("--offline reads an archive; say which with --archive")
    return Client(
        endpoint=endpoint,
        archive=archive,
        offline=offline,
        timeout=timeout,
        allow_http=allow_http,
    )


def get(
    client: Client, ids: Sequence[str], *, refresh: bool = False
) -> tuple[list[SIMSResult], dict[str, str]]:
    """Get what can be had; say of the others, by id, why not."""
    asked = list(dict.fromkeys(ids))
    results, failures = [], {}
    outcomes = client.get(asked, errors="collect", refresh=refresh)
    for data_id, outcome in zip(asked, outcomes, strict=True):
        if isinstance(outcome, SimsError):
            failures[data_id] = one_line(outcome)
        else:
            results.append(outcome)
    return results, failures


def finish(done: int, failures: dict[str, str]) -> None:
    """Tell what failed, and leave with the code that says so."""
    for data_id, reason in failures.items():
        who = "" if data_id in reason else f"{data_id}: "
        click.echo(f"Error: {who}{reason}", err=True)
    if failures:
        sys.exit(PARTIAL if done else 1)


def print_json(value: Any) -> None:
    """Print for programs."""
    import orjson

    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


def species_of(result: SIMSResult) -> str:
    """Name the species of a result, or say that there are none."""
    return ", ".join(result.species) or "no SIMS data"


def print_columns(head: list[str], rows: list[list[str]]) -> None:
    """Print columns, aligned."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    for row in [head, ["-" * width for width in widths], *rows]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
