"""The command ``report``."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from sims_analysis.cli.files import (
    explain_files,
    explain_option,
    file_arguments,
    file_options,
    read_files,
    refuse_for_entries,
)
from sims_analysis.cli.options import (
    FOLDER,
    Command,
    all_ids,
    collect_failure,
    describe,
    epilog,
    finish,
    format_option,
    get,
    ids_argument,
    open_client,
    print_json,
    print_lines,
    quantity_option,
    source_options,
)
from sims_analysis.errors import collected
from sims_analysis.text.escapes import visible

if TYPE_CHECKING:
    from sims_analysis.dataset.result import SIMSResult
    from sims_analysis.output.report import Report

#: File name endings, which no data id has.
_SUFFIXES = {".csv", ".tsv", ".txt", ".dat", ".asc", ".json", ".xls", ".xlsx", ".h5", ".nc"}

#: Options passed to `analyse` unchanged.
_ANALYSIS = ("level", "start", "stop", "background", "surface", "surface_dose", "doping")


def split_files(texts: Iterable[str]) -> list[str]:
    """Split ``--donors P,As --donors Sb`` into names."""
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


@click.command(
    cls=Command,
    epilog=epilog(
        "python -m sims_analysis report",
        'python -m sims_analysis report w7.dp_rpc_asc --start "20 nm" --stop "1 um"',
        'python -m sims_analysis report table.csv --depth-units nm --units "B=atoms/cm^3"',
        'python -m sims_analysis report --archive paper-data --level "5e17 atoms/cm^3"',
        "python -m sims_analysis report boron-implant --donors P --acceptors B --format json",
    ),
)
@ids_argument
@source_options
@quantity_option(
    "concentration",
    "--level",
    "Concentration of the junction.",
    default="1e18 atoms/cm^3",
    show_default=True,
)
@quantity_option("depth", "--start", 'Upper limit of the dose, such as "20 nm".')
@quantity_option("depth", "--stop", "Lower limit of the dose.")
@quantity_option("concentration", "--background", "Concentration subtracted in the dose.")
@quantity_option("depth", "--surface", "Where the surface transient ends.")
@click.option(
    "--surface-dose",
    type=click.Choice(["measured", "exclude", "hold"]),
    default="measured",
    show_default=True,
    help="The transient in the dose: as measured, left out, or its first sample held.",
)
@quantity_option(
    "sputter_rate", "--rate", 'Sputter rate, such as "0.5 nm/s", to convert sputter time to depth.'
)
@click.option("--donors", multiple=True, metavar="SPECIES", help="For metallurgical junctions.")
@click.option("--acceptors", multiple=True, metavar="SPECIES", help="For metallurgical junctions.")
@quantity_option(
    "concentration", "--doping", "Constant net doping: positive for donors, negative for acceptors."
)
@file_options
@click.option(
    "--out",
    type=FOLDER,
    default="report",
    show_default=True,
    help="Folder for figures, tables and data.",
)
@click.option("--no-files", is_flag=True, help="Print only.")
@explain_option
@format_option
def report(
    ids: tuple[str, ...],
    lists: tuple[TextIO, ...],
    out: str,
    no_files: bool,
    explain: bool,
    style: str,
    donors: tuple[str, ...],
    acceptors: tuple[str, ...],
    rate: str | None,
    **options: Any,
) -> None:
    """Print peak, dose and junctions; write figures, pages and data.

    IDS are data ids, or names of files of instruments and laboratories. For every species, the
    results have a unit and a status, or a reason why there are none. Without IDS, everything in the
    archive is reported; without --archive as well, the measurements that come with the package.
    """
    from sims_analysis.output.report import to_text
    from sims_analysis.output.report_files import INDEX, write_files, write_index

    analysis = {name: options.pop(name) for name in _ANALYSIS}
    analysis |= {"donors": split_files(donors), "acceptors": split_files(acceptors)}
    arguments = file_arguments(options)
    ids = all_ids(ids, lists)
    if explain:
        files = [Path(name) for name in ids if Path(name).is_file()]
        if len(files) < max(1, len(ids)):
            raise click.UsageError("--explain takes names of files that are there")
        explain_files(files, arguments)
        return
    results, failures = read_measurements(ids, arguments, options)
    reports, folder = [], Path(out)
    home = INDEX if len(results) > 1 else ""
    for result in results:
        with collect_failure(failures, result.data_id):
            answers = report_of(result, rate, analysis)
            if style == "table":
                print_lines(to_text(answers) + "\n")
            written = () if no_files else write_files(answers, folder, home=home)
            paths = [str(path) for path in written]
            if style == "table" and paths:
                print_lines("Written:\n" + "\n".join(f"  {path}" for path in paths) + "\n")
            reports.append(answers.to_dict() | {"files": paths})
    if len(results) > 1 and not no_files:
        index = write_index(reports, folder, failures)
        if style == "table" and index is not None:
            print_lines(f"List of all: {index}\n")
    if style == "json":
        print_json({"reports": reports, "failures": failures})
    finish(len(reports), failures)


def read_measurements(
    ids: Sequence[str], arguments: dict[str, Any], source: dict[str, Any]
) -> tuple[list[SIMSResult], dict[str, str]]:
    """Read files and fetch entries; also return why some cannot be fetched."""
    from sims_analysis.api.archive import Archive
    from sims_analysis.examples.opening import ARCHIVE

    files = [Path(name) for name in ids if Path(name).is_file()]
    results, failures = read_files(files, arguments) if files else ([], {})
    entries = tuple(name for name in ids if Path(name) not in files)
    refuse_missing_files(entries)
    if ids and not entries:
        return results, failures
    if source["archive"] is None and source["endpoint"] is None and means_examples(entries):
        source |= {"archive": ARCHIVE, "offline": True}
    if not ids:
        if source["archive"] is None:
            raise click.UsageError("name the ids; the command search finds them")
        entries = tuple(Archive(source["archive"]).ids())
    refuse_for_entries(entries, arguments)
    if entries:
        with open_client(**source) as client:
            fetched, failed = get(client, entries)
        results, failures = results + fetched, failures | failed
    return results, failures


def refuse_missing_files(ids: Sequence[str]) -> None:
    """Refuse names that can only be those of files, but do not exist."""
    for name in ids:
        if Path(name).suffix.lower() in _SUFFIXES and not Path(name).exists():
            raise click.UsageError(f"{visible(name)}: there is no such file")


def means_examples(ids: Sequence[str]) -> bool:
    """Whether ids without a source are examples; refuse others if they cannot be fetched."""
    from sims_analysis.api.archive import Archive
    from sims_analysis.api.endpoint import ENDPOINT_VARIABLE
    from sims_analysis.api.secret import KEY_VARIABLES
    from sims_analysis.examples.opening import ARCHIVE

    names = Archive(ARCHIVE).ids()
    if set(ids) <= set(names):
        return True
    if any(os.environ.get(variable) for variable in (ENDPOINT_VARIABLE, *KEY_VARIABLES)):
        return False
    raise click.UsageError(
        f"{visible(', '.join(i for i in ids if i not in names))}: no example (these are "
        f"{', '.join(names)}); for your own data give --archive or --endpoint, or set "
        f"{KEY_VARIABLES[0]}"
    )


def report_of(result: SIMSResult, rate: str | None, analysis: dict[str, Any]) -> Report:
    """Analyse a measurement; warnings are notes of the report."""
    from sims_analysis.dataset.from_profiles import dataset_of
    from sims_analysis.output.report import analyse

    with collected(describe) as notes:
        ds = dataset_of(result)
    if rate is not None and "sputter_time" in ds.dims:
        from sims_analysis.quantification.calibration import calibrate_depth

        ds = calibrate_depth(ds, rate=rate)
        notes.append(f"depth is sputter time times {rate}, as stated")
    return analyse(ds, notes=notes, describe=describe, **analysis)
