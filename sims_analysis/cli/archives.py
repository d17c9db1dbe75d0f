"""The commands below ``archive``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sims_analysis.cli.files import file_options, read_files, stated_of_files
from sims_analysis.cli.options import (
    Group,
    ending,
    finish,
    format_option,
    one_line,
    print_columns,
    print_json,
    species_of,
)
from sims_analysis.errors import SimsError

if TYPE_CHECKING:
    from sims_analysis.dataset.result import SIMSResult

__all__ = ["archive"]


@click.group(cls=Group, epilog=ending("python -m sims_analysis archive verify paper-data"))
def archive() -> None:
    """Look after an archive."""


_folder = click.argument("folder", type=click.Path(file_okay=False, path_type=Path))


@archive.command(epilog=ending("python -m sims_analysis archive verify paper-data"))
@_folder
@format_option
def verify(folder: Path, style: str) -> None:
    """Check every version of every entry; exit code 1 if any is damaged."""
    from sims_analysis.api.archive import Archive

    kept = Archive(folder)
    damage = kept.verify()
    if style == "json":
        print_json({"entries": len(kept), "damage": damage})
    elif not damage:
        click.echo(f"{len(kept)} entries, all sound")
    for reason in damage.values():
        click.echo(f"Error: {reason}", err=True)
    if damage:
        sys.exit(1)


@archive.command("list", epilog=ending("python -m sims_analysis archive list paper-data"))
@_folder
@format_option
def list_entries(folder: Path, style: str) -> None:
    """List the entries and where they came from."""
    from sims_analysis.api.archive import Archive

    kept = Archive(folder)
    records = [kept.record(data_id) for data_id in kept.ids()]
    if style == "json":
        from dataclasses import asdict

        print_json([asdict(record) for record in records])
    else:
        print_columns(
            ["data id", "retrieved", "source"],
            [[record.data_id, record.retrieved[:19], record.url] for record in records],
        )


@archive.command(
    epilog=ending(
        "python -m sims_analysis archive add paper-data wafer1.json wafer2.json",
        "python -m sims_analysis archive add paper-data w7.dp_rpc_asc",
    )
)
@_folder
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--id", "data_id", help="Data id; by default the one in the file.")
@click.option("--replace", is_flag=True, help="Supersede an entry of the same id; it is kept.")
@file_options
def add(
    folder: Path, files: tuple[Path, ...], data_id: str | None, *, replace: bool, **options: Any
) -> None:
    """Add files to an archive: JSON as the API sends it, or those of instruments and laboratories.

    JSON is kept byte for byte. Of other files the profiles are kept, with all that the file says
    and its hash.
    """
    from sims_analysis.api.archive import Archive

    if data_id is not None and len(files) > 1:
        raise click.UsageError("--id names one entry, and there are several files")
    stated = stated_of_files(options)
    failures: dict[str, str] = {}
    for file in files:
        source: Path | SIMSResult = file
        if not _is_json(file):
            results, unread = read_files([file], stated)
            failures |= unread
            if unread:
                continue
            source = results[0]
        try:
            result = Archive(folder).add(source, data_id=data_id, replace=replace)
        except SimsError as error:
            failures[str(file)] = one_line(error)
        else:
            click.echo(f"{result.data_id}: {species_of(result)}")
    finish(len(files) - len(failures), failures)


def _is_json(file: Path) -> bool:
    """Whether a file begins like JSON; one that is not there is left to the archive to refuse."""
    try:
        with file.open("rb") as stream:
            return stream.read(64).lstrip()[:1] in (b"[", b"{")
    except OSError:
        return True
