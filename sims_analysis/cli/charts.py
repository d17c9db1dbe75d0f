"""The command ``chart``."""

from __future__ import annotations

import math
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import click

from sims_analysis.cli.options import (
    FOLDER,
    Command,
    all_ids,
    collect_failure,
    epilog,
    finish,
    format_option,
    ids_argument,
    one_line,
    print_columns,
    print_json,
    print_lines,
    quantity_option,
    takes_archive,
)
from sims_analysis.errors import ProfileError, ProfileWarning, SimsError, UnitsError, warn

if TYPE_CHECKING:
    import xarray as xr

    from sims_analysis.api.archive import Archive

#: Question -> the function that answers it, and the options that it takes.
_QUESTIONS = {
    "dose": ("integrated_dose", ("start", "stop", "background")),
    "mean": ("mean_value", ("start", "stop")),
    "junction": ("junction_depth", ("level", "after")),
}
#: What measurements are chosen by.
_FIELDS = ("sample", "material", "primary_ion", "energy", "polarity", "instrument")
#: Exit code where the latest value is out of control.
_OUT_OF_CONTROL = 4
_COLUMNS = ["measurement", "date", "value", "stderr", "lower", "upper", "status", "rule"]


@click.command(
    cls=Command,
    epilog=epilog(
        "python -m sims_analysis chart --question dose --species B --archive lab",
        "python -m sims_analysis chart w1 w2 w3 --species B --kind ewma --archive lab",
        "python -m sims_analysis chart --species B --rules nelson --archive lab "
        "--baseline 2026-01-01 2026-02-28",
        'python -m sims_analysis chart --species B --archive lab --where sample "monitor Q3"',
        code=f"  {_OUT_OF_CONTROL}    the chart is made, and the latest value is out of control\n",
    ),
)
@ids_argument
@takes_archive
@click.option(
    "--question",
    type=click.Choice([*_QUESTIONS]),
    default="dose",
    show_default=True,
    help="What is asked of each measurement.",
)
@click.option("--species", metavar="NAME", required=True, help="The species that is charted.")
@click.option(
    "--where",
    type=(click.Choice(_FIELDS), str),
    metavar="FIELD TEXT",
    multiple=True,
    help=f"Only measurements of this {', '.join(_FIELDS)}.",
)
@quantity_option("depth", "--start", "Upper limit of dose or mean.")
@quantity_option("depth", "--stop", "Lower limit of dose or mean.")
@quantity_option("concentration", "--background", "Concentration subtracted in the dose.")
@quantity_option("concentration", "--level", "Concentration of the junction.")
@quantity_option("depth", "--after", "Depth below which the junction is looked for.")
@quantity_option("concentration", "--value-per-count", "Concentration of one count, for errors.")
@click.option(
    "--kind",
    type=click.Choice(["individuals", "ewma", "cusum"], case_sensitive=False),
    default="individuals",
    show_default=True,
    help="Kind of chart; ewma and cusum find small shifts that last.",
)
@click.option(
    "--rules",
    metavar="RULE",
    multiple=True,
    help="nelson, western_electric, or one of theirs; as often as needed.",
)
@click.option(
    "--baseline", nargs=2, metavar="FIRST LAST", help="Dates in control, or ids without --by-day."
)
@click.option("--by-day", is_flag=True, help="Average the values of each day first.")
@click.option("--target", metavar="VALUE", help='The centre, such as "5e14 atoms/cm^2".')
@click.option("--stddev", metavar="VALUE", help="The standard deviation, for the limits.")
@click.option("--limits", nargs=2, metavar="LOWER UPPER", help="Stated limits.")
@click.option(
    "--out",
    type=FOLDER,
    default="chart",
    show_default=True,
    help="Folder for chart, table and page.",
)
@click.option("--no-files", is_flag=True, help="Print only.")
@format_option
def chart(
    store: Archive,
    ids: tuple[str, ...],
    lists: tuple[TextIO, ...],
    question: str,
    species: str,
    where: tuple[tuple[str, str], ...],
    kind: Any,
    rules: tuple[str, ...],
    by_day: bool,
    out: str,
    no_files: bool,
    style: str,
    value_per_count: str | None,
    **options: Any,
) -> None:
    """Chart an answer of the measurements in an archive, and name those out of control.

    IDS are data ids; by default everything in the archive that has the species. They are charted by
    the date of measurement, or in the order given where a date is missing.
    """
    from sims_analysis.laboratory.charts import control_chart

    arguments = {name: options.pop(name) for name in ("baseline", "target", "stddev", "limits")}
    arguments["rules"] = [rule.replace("-", "_").lower() for rule in rules]
    present = {name: value for name, value in arguments.items() if value}
    data_ids = all_ids(ids, lists)
    failures: dict[str, str] = {}
    values = _answers(store, data_ids, species, where, question, value_per_count, options, failures)
    if by_day:
        values = _daily_means(values)
    try:
        result = control_chart(values, kind=kind, **present)
    except SimsError as error:
        if error.argument in present:
            raise click.UsageError(one_line(error)) from None
        finish(0, failures)  # entries that are missing come first
        raise
    rows = _rows(result)
    paths = [] if no_files else _write(result, rows, f"{question}-{species}", Path(out))
    flagged = [row for row in rows if row["status"] not in ("ok", "no_data")]
    unit = result["value"].attrs["units"]
    numbers = {name: float(result[name][-1]) for name in ("centre", "lower", "upper")}  # the latest
    numbers |= {str(name): float(v) for name, v in result.data_vars.items() if not v.ndim}
    known_numbers = {name: number for name, number in numbers.items() if not math.isnan(number)}
    if style == "json":
        head = {"question": question, "species": species, "kind": kind, "unit": unit}
        print_json(
            head | {"numbers": known_numbers, "values": rows, "files": paths, "failures": failures}
        )
    else:
        print_lines(f"{result['value'].attrs['long_name']} of {species}: {len(rows)} measurements, "
                    f"{len(flagged)} flagged, in {unit}")  # fmt: skip
        print_lines("".join(f"  {name.replace('_', ' '):22} {number:.4g}\n"
                            for name, number in known_numbers.items()))  # fmt: skip
        if flagged:
            print_columns(list(rows[0]), [[*map(_cell, row.values())] for row in flagged])
        if paths:
            print_lines("\nWritten:\n" + "\n".join(f"  {path}" for path in paths))
    known_rows = [row for row in rows if row["status"] != "no_data"]
    finish(len(rows), failures, _OUT_OF_CONTROL if flagged and known_rows[-1] is flagged[-1] else 0)


def _select(conditions: dict[str, dict[str, str]], where: tuple[tuple[str, str], ...]) -> list[str]:
    """Return the measurements that say what is wanted; warn if their conditions differ."""
    from difflib import get_close_matches

    from sims_analysis.quantification.conditions import contradict
    from sims_analysis.text.arguments import first_few

    for name, text in where:
        values = {fields[name] for fields in conditions.values() if fields[name]}
        fitting = {value for value in values if not contradict(name, value, text)}
        conditions = {i: fields for i, fields in conditions.items() if fields[name] in fitting}
        if not conditions:
            close = get_close_matches(text.lower(), values, 1, 0.5)
            names = first_few(list(dict.fromkeys([*close, *sorted(values)])), 8) or "nothing of it"
            raise ProfileError(
                f"no measurement says {name} {text!r}; they say {names}", argument="where"
            )
    for name in _FIELDS[1:]:
        every = list(dict.fromkeys(fields[name] for fields in conditions.values() if fields[name]))
        if any(contradict(name, every[0], value) for value in every):
            text = f"measurements of {name} {first_few(every, 3)} are in one chart"
            warn(
                f"{text}; --where {name} {every[0]!r} takes those of one",
                ProfileWarning,
                code="different_conditions",
                argument="where",
            )
    return list(conditions)


def _answers(
    store: Archive,
    data_ids: tuple[str, ...],
    species: str,
    where: tuple[tuple[str, str], ...],
    question: str,
    value_per_count: str | None,
    options: dict[str, Any],
    failures: dict[str, str],
) -> xr.DataArray:
    """Ask the question of each measurement; note why some have no answer."""
    import sims_analysis as sims
    from sims_analysis.conventions.species_metadata import metadata_of
    from sims_analysis.dataset.from_profiles import to_dataset
    from sims_analysis.dataset.result import SIMSResult
    from sims_analysis.output.entry_summary import summarise_dataset
    from sims_analysis.quantification.conditions import conditions_of
    from sims_analysis.text.arguments import first_few

    name, parameters = _QUESTIONS[question]
    arguments = {key: options[key] for key in options if options[key] is not None}
    unused = [key for key in arguments if key not in parameters]
    if unused or (question == "junction" and "level" not in arguments):
        fault = f"--{unused[0]} does not go" if unused else "--level is needed"
        raise click.UsageError(f"{fault} with --question {question}")
    datasets, conditions = {}, {}
    entries = store.search(species=species)
    samples = {entry.data_id: entry.sample_name or entry.physical_sample_name for entry in entries}
    for data_id in dict.fromkeys(data_ids or samples):
        with collect_failure(failures, data_id):
            result = store.get(data_id)
            single = SIMSResult(
                data_id=data_id, depth_profiles=[result[species]], provenance=result.provenance
            )
            ds = datasets[data_id] = to_dataset(single)
            sample = samples.get(data_id) or summarise_dataset(ds).title
            conditions[data_id] = {"sample": sample, **conditions_of(metadata_of(ds, species)[0])}
    if not datasets:
        finish(0, failures)
        available = sorted({name for entry in store.contents()[0] for name in entry.species})
        raise click.ClickException(
            f"no measurement in {str(store.path)!r} has the species {species!r}; there are "
            f"{first_few(available, 8) or 'none'}"
        )
    batch = sims.stack({data_id: datasets[data_id] for data_id in _select(conditions, where)})
    if value_per_count is not None:
        batch = sims.with_counting_statistics(batch, value_per_count=value_per_count)
    else:
        with suppress(UnitsError, ProfileError):  # counting is not known
            batch = sims.with_counting_statistics(batch)
    return _without_partial_dates(getattr(sims, name)(batch, **arguments).sel(species=species))


def _without_partial_dates(answer: xr.DataArray) -> xr.DataArray:
    """Leave out the dates of measurements if some have none."""
    from sims_analysis.text.arguments import first_few

    if "measured" in answer.coords and bool(answer["measured"].isnull().any()):
        undated = answer["measurement"].values[answer["measured"].isnull().values]
        text = f"{first_few(undated, 3)}: without a date; all are in the order given"
        warn(text, ProfileWarning, code="missing_time")
        answer = answer.drop_vars("measured")
    return answer


def _daily_means(values: xr.DataArray) -> xr.DataArray:
    """Average the values of each day, which have independent errors."""
    if "measured" not in values.coords:
        raise click.UsageError("--by-day needs the date of each measurement")
    days = values["measured"].dt.floor("D").rename("measurement")
    means = values.drop_vars("measurement").groupby(days).mean(keep_attrs=True)
    day = means["measurement"]
    means = means.assign_coords(
        measured=day, measurement=day.dt.strftime("%Y-%m-%d").values, species=values["species"]
    )
    if "stderr" in values.coords:
        scatter = values["scatter"] if "scatter" in values.coords else 1.0
        parts = [(error.drop_vars("measurement") ** 2).groupby(days)
                 for error in (values["stderr"], values["stderr"] / scatter)]  # fmt: skip
        error, counting = (squares.sum(min_count=1).values ** 0.5 for squares in parts)
        stderr = ("measurement", error / parts[0].count().values, values["stderr"].attrs)
        means = means.assign_coords(stderr=stderr, scatter=("measurement", error / counting))
    return means


def _rows(result: xr.Dataset) -> list[dict[str, Any]]:
    """List what is charted, a row for each measurement."""
    dim = str(result["value"].dims[0])
    frame = result.drop_vars([n for n, v in result.variables.items() if not v.ndim]).to_dataframe()
    frame = frame.reset_index().rename(columns={dim: "measurement"})
    date = result.attrs["time"]
    frame["date"] = frame[date].dt.strftime("%Y-%m-%dT%H:%M") if date else ""
    extra = [name for name in ("average", "upper_sum", "lower_sum") if name in frame]
    frame = frame.reindex(columns=[*_COLUMNS, *extra]).astype(object)
    rows: Any = frame.where(frame.notna(), None).to_dict("records")
    return list(rows)


def _cell(value: Any) -> str:
    return "-" if value is None else f"{value:.5g}" if isinstance(value, float) else str(value)


def _write(result: xr.Dataset, rows: list[dict[str, Any]], name: str, folder: Path) -> list[str]:
    """Write the chart as a figure, a table and a page."""
    import base64

    import pandas as pd

    from sims_analysis.figures.files import save_figure
    from sims_analysis.figures.style import close
    from sims_analysis.files import replace_file
    from sims_analysis.laboratory.figures import plot_control_chart
    from sims_analysis.output.pages.templates import render
    from sims_analysis.output.report_files import file_stem

    folder.mkdir(parents=True, exist_ok=True)
    stem = folder / file_stem(name, folder)
    title = f"{result['value'].attrs['long_name']} of {result['species'].item()}"
    ax = plot_control_chart(result, width="double", title=title)
    paths = [save_figure(ax, stem.with_suffix(end)) for end in (".png", ".svg")]
    close(ax.figure)
    unit = result["value"].attrs["units"]
    table = pd.DataFrame(rows).assign(unit=unit).to_csv(index=False, lineterminator="\n")
    replace_file(stem.with_suffix(".csv"), table.encode())
    page = render(
        "chart",
        title=title,
        unit=unit,
        kind=result.attrs["kind"],
        picture=base64.b64encode(paths[0].read_bytes()).decode(),
        heads=[key.replace("_", " ") for key in rows[0]],
        rows=[[_cell(value) for value in row.values()] for row in rows],
    )
    replace_file(stem.with_suffix(".html"), page.encode())
    return [str(path) for path in (*paths, stem.with_suffix(".csv"), stem.with_suffix(".html"))]
