"""The commands ``fetch``, ``search`` and ``serve``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from sims_analysis.cli.options import (
    Command,
    all_ids,
    combined,
    epilog,
    finish,
    format_option,
    get,
    ids_argument,
    list_species,
    open_client,
    print_columns,
    print_json,
    source_options,
    takes_archive,
)
from sims_analysis.errors import require

if TYPE_CHECKING:
    from sims_analysis.api.archive import Archive

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(
    cls=Command,
    epilog=epilog(
        "python -m sims_analysis fetch d290f1ee-6c54-4b01-90e6-d701748f0851 --archive paper",
        "python -m sims_analysis fetch --ids-from wafers.txt --archive paper",
    ),
)
@ids_argument
@source_options
@click.option("--refresh", is_flag=True, help="Fetch again what is already archived.")
@format_option
def fetch(
    ids: tuple[str, ...], lists: tuple[TextIO, ...], refresh: bool, style: str, **source: Any
) -> None:
    """Fetch entries by id and keep them in an archive.

    Repeat an interrupted command to continue where it stopped.
    """
    ids = all_ids(ids, lists)
    if not ids:
        raise click.UsageError("name the ids, or a file of them with --ids-from")
    if source["archive"] is None:
        raise click.UsageError("give the folder to keep the entries in with --archive")
    with open_client(**source) as client:
        results, failures = get(client, ids, refresh=refresh)
    if style == "json":
        fetched = [{"data_id": r.data_id, "species": r.species, **r.provenance} for r in results]
        print_json({"fetched": fetched, "failures": failures})
    elif results:
        print_columns(["data id", "species"], [[r.data_id, list_species(r)] for r in results])
    finish(len(results), failures)


#: Parameter of a search -> its option, and what that says.
TIMES = {
    "upload_datetime_min": ("--uploaded-after", "Uploaded at this time or later."),
    "upload_datetime_max": ("--uploaded-before", "Uploaded at this time or earlier."),
    "last_updated_min": ("--updated-after", "Changed at this time or later."),
    "last_updated_max": ("--updated-before", "Changed at this time or earlier."),
}
_time_options = combined(
    *(
        click.option(option, name, metavar="TIME", help=explanation)
        for name, (option, explanation) in TIMES.items()
    )
)


@click.command(cls=Command, epilog=epilog("python -m sims_analysis search boron --status success"))
@click.argument("keywords", nargs=-1)
@source_options
@click.option("--status", default="all", show_default=True, help="Status of the processing.")
@_time_options
@format_option
def search(keywords: tuple[str, ...], status: str, style: str, **options: Any) -> None:
    """Search the catalogue for SIMS entries.

    With --offline, search the catalogue entries in the archive.
    """
    times = {name: options.pop(name) for name in TIMES}
    with open_client(**options) as client:
        entries = client.search(keywords=keywords, status=status, **times)
    if style == "json":
        print_json([entry.to_dict() for entry in entries])
    elif not entries:
        click.echo("nothing found", err=True)
    else:
        print_columns(
            ["data id", "status", "updated", "sample"],
            [
                [
                    entry.data_id,
                    entry.pipeline_status or "",
                    (entry.last_updated or "")[:10],
                    entry.sample_name or entry.physical_sample_name or entry.raw_name or "",
                ]
                for entry in entries
            ],
        )


@click.command(
    cls=Command,
    epilog=epilog(
        "SIMS_SERVER_KEY=... python -m sims_analysis serve --archive paper-data --port 8000"
    ),
)
@takes_archive
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--no-key", is_flag=True, help="Require no key; on this machine only.")
@click.option("--certfile", type=_FILE, help="Certificate, for https.")
@click.option("--keyfile", type=_FILE, help="Key of the certificate.")
@click.option(
    "--allow-origin",
    "allow_origins",
    multiple=True,
    metavar="ORIGIN",
    help="Web pages that may send requests, such as https://dashboard.example.",
)
def serve(archive: Archive, host: str, port: int, **options: Any) -> None:
    """Serve an archive, by the API's contract and as web pages, until interrupted.

    Requests must send the key in SIMS_SERVER_KEY; in a browser it is the password. This needs the
    extra "server"; the pages, at / and /entries/ID, need the extra "pages".
    """
    import importlib.util

    require("serve needs", "starlette", "uvicorn", extra="server")
    from sims_analysis.api.server import serve as run
    from sims_analysis.output.pages import add_pages

    pages = None if importlib.util.find_spec("bokeh") is None else add_pages
    run(archive, host, port, extend=pages, **options)
