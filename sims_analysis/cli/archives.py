"""The subcommands of ``archive``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sims_analysis.cli.files import explain_files, explain_option, file_options, stated_of_files
from sims_analysis.cli.options import (
    Folder,
    Group,
    archive_option,
    ending,
    finish,
    format_option,
    measured,
    noted,
    of_archive,
    one_folder,
    one_line,
    print_columns,
    print_json,
    refuse_addresses,
    say,
)
from sims_analysis.errors import SimsError

if TYPE_CHECKING:
    from sims_analysis.api.archive import Archive, Record

__all__ = ["archive"]


@click.group(
    cls=Group, epilog=ending("python -m sims_analysis archive verify --archive paper-data")
)
def archive() -> None:
    """Maintain an archive."""


@archive.command(epilog=ending("python -m sims_analysis archive verify --archive paper-data"))
@of_archive
@format_option
def verify(kept: Archive, style: str) -> None:
    """Check every version of every entry; exit code 1 if any is damaged."""
    damage = kept.verify()
    entries = sum(1 for _ in kept.folders()) if damage else len(kept)
    if style == "json":
        print_json({"entries": entries, "damage": damage})
    elif not damage:
        click.echo(f"{entries} entries, all sound")
    finish(0, damage)


@archive.command(epilog=ending("python -m sims_analysis archive index --archive lab-data"))
@of_archive
def index(kept: Archive) -> None:
    """Make the index of a large archive anew.

    The index, in your cache folder, answers lists and searches. It keeps itself up to date.
    """
    click.echo(f"{kept.rebuild_index()} entries")


@archive.command("list", epilog=ending("python -m sims_analysis archive list --archive paper-data"))
@of_archive
@format_option
def list_entries(kept: Archive, style: str) -> None:
    """List the entries and where they came from."""
    records: list[Record] = []
    failures: dict[str, str] = {}
    for data_id in kept.ids():
        with noted(failures, data_id):
            records.append(kept.record(data_id))
    if style == "json":
        print_json([record.to_dict() for record in records])
    else:
        print_columns(
            ["data id", "retrieved", "source"],
            [[record.data_id, record.retrieved[:19], record.url] for record in records],
        )
    finish(len(records), failures)


@archive.command(
    epilog=ending(
        "python -m sims_analysis archive add wafer1.json w7.dp_rpc_asc --archive lab-data",
    )
)
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@archive_option
@click.option("--id", "data_id", help="Data id; by default the one in the file.")
@click.option("--replace", is_flag=True, help="Supersede an entry of the same id; it is kept.")
@file_options
@explain_option
def add(
    files: tuple[Path, ...],
    folder: Path | None,
    data_id: str | None,
    *,
    replace: bool,
    explain: bool,
    **options: Any,
) -> None:
    """Add measurements to an archive, from which they can be read and served.

    JSON as sent by the API is kept byte for byte. From files of instruments and laboratories, the
    profiles are kept, with their metadata and the hash of the file.
    """
    from sims_analysis.api.archive import Archive

    if explain:
        explain_files(files, stated_of_files(options))
        return
    refuse_addresses(files)
    kept = Archive(one_folder(folder))
    if data_id is not None and len(files) > 1:
        raise click.UsageError("--id names one entry, but there are several files")
    stated = stated_of_files(options)
    failures: dict[str, str] = {}
    for file in files:
        try:
            result = kept.add(file, data_id=data_id, replace=replace, **stated)
        except (SimsError, ImportError) as error:
            failures[str(file)] = one_line(error)
        else:
            say(f"{result.data_id}: {measured(result)}")
    finish(len(files) - len(failures), failures)


@archive.command(
    epilog=ending("python -m sims_analysis archive export boron-implant --archive lab --to paper")
)
@click.argument("ids", nargs=-1)
@archive_option
@click.option("--to", "target", type=Folder(), required=True, help="Folder of the other archive.")
def export(ids: tuple[str, ...], folder: Path | None, target: Path) -> None:
    """Copy entries, with their superseded versions, into another archive; without IDS, all."""
    from sims_analysis.api.archive import Archive

    kept = Archive(one_folder(folder))
    chosen = ids or tuple(kept.ids())
    failures: dict[str, str] = {}
    for data_id in chosen:
        with noted(failures, data_id):
            kept.export(data_id, target)
            say(data_id)
    finish(len(chosen) - len(failures), failures)
