"""The commands ``fetch``, ``search`` and ``serve``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from sims_analysis.cli.options import (
    ending,
    finish,
    format_option,
    get,
    open_client,
    print_columns,
    print_json,
    source_options,
    species_of,
)

__all__ = ["fetch", "search", "serve"]


@click.command(
    epilog=ending(
        "python -m sims_analysis fetch d290f1ee-6c54-4b01-90e6-d701748f0851 --archive paper"
    )
)
@click.argument("ids", nargs=-1, required=True)
@source_options
@click.option("--refresh", is_flag=True, help="Fetch also what is archived already.")
@format_option
def fetch(ids: tuple[str, ...], refresh: bool, style: str, **source: Any) -> None:
    """Fetch entries by id and keep them in an archive."""
    if source["archive"] is None:
        raise click.UsageError("say with --archive where to keep what is fetched")
    with open_client(**source) as client:
        results, failures = get(client, ids, refresh=refresh)
    if style == "json":
        fetched = [{"data_id": r.data_id, "species": r.species, **r.provenance} for r in results]
        print_json({"fetched": fetched, "failures": failures})
    elif results:
        print_columns(["data id", "species"], [[r.data_id, species_of(r)] for r in results])
    finish(len(results), failures)


@click.command(epilog=ending("python -m sims_analysis search boron --status success"))
@click.argument("keywords", nargs=-1)
@source_options
@click.option("--status", default="all", show_default=True, help="Of the processing.")
@format_option
def search(keywords: tuple[str, ...], status: str, style: str, **source: Any) -> None:
    """Search the catalogue for SIMS entries.

    With --offline, search what the archive knows of it.
    """
    with open_client(**source) as client:
        found = client.search(keywords=keywords, status=status)
    if style == "json":
        print_json([entry.to_dict() for entry in found])
    elif not found:
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
                for entry in found
            ],
        )


@click.command(
    epilog=ending("SIMS_SERVER_KEY=... python -m sims_analysis serve paper-data --port 8000")
)
@click.argument("archive", type=click.Path(file_okay=False, path_type=Path))
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(0, 65535))
@click.option("--no-key", is_flag=True, help="Answer everybody; on this machine only.")
def serve(archive: Path, host: str, port: int, no_key: bool) -> None:
    """Serve an archive, with the API's contract and pages for a browser, until interrupted.

    Who asks must send the key that is in SIMS_SERVER_KEY. This needs the extra "server"; the
    pages, at / and /entries/ID, need the extra "pages".
    """
    import importlib.util

    from sims_analysis.api.server import serve as run
    from sims_analysis.output.pages import add_pages

    pages = None if importlib.util.find_spec("bokeh") is None else add_pages
    run(archive, host, port, no_key=no_key, extend=pages)
