"""The subcommands of ``archive``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sims_analysis.cli.files import explain_files, explain_option, file_arguments, file_options
from sims_analysis.cli.options import (
    FOLDER,
    Group,
    archive_option,
    collect_failure,
    epilog,
    finish,
    format_option,
    list_species,
    one_line,
    print_columns,
    print_json,
    print_lines,
    refuse_addresses,
    takes_archive,
)
from sims_analysis.errors import SimsError

if TYPE_CHECKING:
    from sims_analysis.api.archive import Archive
    from sims_analysis.api.versions import Record


@click.group(
    cls=Group, epilog=epilog("python -m sims_analysis archive verify --archive paper-data")
)
def archive() -> None:
    """Maintain an archive."""


@archive.command(epilog=epilog("python -m sims_analysis archive verify --archive paper-data"))
@takes_archive
@format_option
def verify(store: Archive, style: str) -> None:
    """Check every version of every entry; exit code 1 if any is damaged."""
    damage = store.verify()
    entries = sum(1 for _ in store.folders()) if damage else len(store)
    if style == "json":
        print_json({"entries": entries, "damage": damage})
    elif not damage:
        click.echo(f"{entries} entries, all sound")
    finish(0, damage)


@archive.command("list", epilog=epilog("python -m sims_analysis archive list --archive paper-data"))
@takes_archive
@format_option
def list_entries(store: Archive, style: str) -> None:
    """List the entries and where they came from."""
    records: list[Record] = []
    failures: dict[str, str] = {}
    for data_id in store.ids():
        with collect_failure(failures, data_id):
            records.append(store.record(data_id))
    if style == "json":
        print_json([record.to_dict() for record in records])
    else:
        print_columns(
            ["data id", "retrieved", "source"],
            [[record.data_id, record.retrieved[:19], record.url] for record in records],
        )
    finish(len(records), failures)


@archive.command(
    epilog=epilog(
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
    folder: str,
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
        explain_files(files, file_arguments(options))
        return
    refuse_addresses(files)
    store = Archive(folder)
    if data_id is not None and len(files) > 1:
        raise click.UsageError("--id names one entry, but there are several files")
    arguments = file_arguments(options)
    failures: dict[str, str] = {}
    for file in files:
        try:
            result = store.add(file, data_id=data_id, replace=replace, **arguments)
        except (SimsError, ImportError) as error:
            failures[str(file)] = one_line(error)
        else:
            print_lines(f"{result.data_id}: {list_species(result)}")
    finish(len(files) - len(failures), failures)


@archive.command(
    epilog=epilog("python -m sims_analysis archive export boron-implant --archive lab --to paper")
)
@click.argument("ids", nargs=-1)
@archive_option
@click.option("--to", "target", type=FOLDER, required=True, help="Folder of the other archive.")
def export(ids: tuple[str, ...], folder: str, target: str) -> None:
    """Copy entries, with their superseded versions, into another archive; without IDS, all."""
    from sims_analysis.api.archive import Archive

    store = Archive(folder)
    names = ids or tuple(store.ids())
    failures: dict[str, str] = {}
    for data_id in names:
        with collect_failure(failures, data_id):
            store.export(data_id, target)
            print_lines(data_id)
    finish(len(names) - len(failures), failures)
