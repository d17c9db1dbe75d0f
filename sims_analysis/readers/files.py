"""``sims.read``: a file to a result, and many files to many."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import (
    ArgumentError,
    PartialResultsError,
    ReadError,
    SimsError,
    SimsWarning,
    collected,
    warn,
)
from sims_analysis.files import MAX_BYTES, checked_limit
from sims_analysis.readers.registry import Reader, find_reader, reader_for, readers
from sims_analysis.readers.results import make_results
from sims_analysis.readers.source import (
    ENCODINGS,
    InputFile,
    Options,
    Readable,
    Source,
    is_several,
    list_inputs,
)
from sims_analysis.readers.tables.grid import Grid
from sims_analysis.readers.tables.header_cells import try_header
from sims_analysis.readers.tables.layout_preview import explanation, layout_preview
from sims_analysis.readers.tables.table import read_grid
from sims_analysis.text.arguments import argument_error, check_choice, checks_arguments, type_error
from sims_analysis.text.progress import progress as bar

if TYPE_CHECKING:
    import pandas as pd

#: Arguments of a call that say nothing about the content of a file.
_OF_CALL = ("path", "format", "errors", "progress")
_PLACE = re.compile(
    r"(?:the file is truncated(?: within| after|:) )?(?:species '(?P<species>[^']+)'(?:, |: )?)?"
    r"(?:sheet '(?P<sheet>[^']+)', )?(?:line (?P<line>\d+)|row (?P<row>\d+))?"
    r"(?:, column (?P<column>[A-Z]+))?"
)
#: So many warnings are repeated in an error.
_MOST_WARNINGS = 3
#: A bar for fewer files would be gone before it is read.
_BAR_FROM = 20


@overload
def read(
    path: Readable | Iterable[Readable],
    *,
    samples: str | Literal[True],
    errors: Literal["raise"] = "raise",
    **options: Any,
) -> list[SIMSResult]: ...


@overload
def read(
    path: Readable | Iterable[Readable], *, errors: Literal["collect"], **options: Any
) -> list[SIMSResult | SimsError]: ...


@overload
def read(path: Readable, *, errors: Literal["raise"] = "raise", **options: Any) -> SIMSResult: ...


@overload
def read(
    path: Iterable[Readable], *, errors: Literal["raise"] = "raise", **options: Any
) -> list[SIMSResult]: ...


def read(  # type: ignore[misc]  # the options of the overloads are those named here
    path: Readable | Iterable[Readable],
    *,
    depth_units: str | None = None,
    units: str | Mapping[str, str] | None = None,
    species: str | Sequence[str] | None = None,
    sheet: str | int | None = None,
    columns: Mapping[str, tuple[int | str, int | str]] | None = None,
    header_rows: int | Sequence[int] | None = None,
    samples: str | bool | None = None,
    decimal: Literal[".", ","] | None = None,
    encoding: str | None = None,
    not_measured: Collection[str] = (),
    mz_windows: Mapping[str, tuple[float, float]] | None = None,
    number_repeats: bool = False,
    allow_truncated: bool = False,
    max_bytes: int = MAX_BYTES,
    format: str | Reader | None = None,  # noqa: A002 - the word people look for
    errors: Literal["raise", "collect"] = "raise",
    progress: bool | None = None,
) -> SIMSResult | list[SIMSResult] | list[SIMSResult | SimsError]:
    r"""Read depth profiles from files of instruments, laboratories and simulators.

    The format is recognised by the content of a file; :func:`read_formats` lists what is known.
    What a file does not say is never guessed: an error says what to pass.

    Parameters
    ----------
    path : path-like, bytes, open file, or iterable of these
        A file, or several. A folder stands for the files in it; an address (``"https://..."``,
        ``"s3://..."``, ``"zip://w7.txt::archive.zip"``) is opened by fsspec, if it is installed.
    depth_units : str, optional
        Unit of the depths (or times), where the file states none.
    units : str or mapping, optional
        Unit of the values, for all or by species: ``{"Mg": "atoms/cm^3", "Ga->": "counts/s"}``.
    species : str or sequence of str, optional
        Names of the signals in their order, in place of those in the file.
    sheet : str or int, optional
        Of a workbook; by default ``"Processed data"``, or the first that holds profiles, hidden
        ones last.
    columns : mapping, optional
        Of a table: ``{"B": (0, 2)}``, the columns of depths and of values, by number from 0, by
        letter, or by header. Cells elsewhere do not matter then.
    header_rows : int or sequence of int, optional
        Of a table: the rows that are headers, from 0; ``[]`` if there are none.
    samples : str or True, optional
        Of a table with several samples: the header of the column that distinguishes them, or True
        for whatever does, such as labels of blocks. Each becomes a result of its own.
    decimal : {".", ","}, optional
        Where the numbers leave it open.
    encoding : str, optional
        Of a text; by default that of its byte order mark, UTF-8, or Windows-1252.
    not_measured : collection of str, optional
        Cells, such as ``"n.d."`` or ``"-9999"``, which say that there is no value.
    mz_windows : mapping, optional
        Of a TOF archive: ``{"30Si": (29.95, 29.99)}``.
    number_repeats : bool
        Number signals of one name and one kind, ``"SnO+ (1)"`` and ``"SnO+ (2)"``; a Dataset
        does so otherwise, with a warning.
    allow_truncated : bool
        Read what there is of a truncated file, with a warning.
    max_bytes : int
        Memory that reading one file may take, unpacked; by default 1 GiB.
    format : str or Reader, optional
        One of :func:`read_formats`, or a reader of one's own.
    errors : {"raise", "collect"}
        Whether the errors of several files are raised when all are read, or stand in the list.
    progress : bool, optional
        Show a bar on stderr; by default for many files on a terminal.

    Returns
    -------
    SIMSResult, or list of SIMSResult
        A list for several files, for a folder, and with `samples`. Depths and values as in the
        file, in its units; NaN below a stated limit (``<2E15``) and for infinite values. What the
        file says of a signal is in its ``species_metadata``, with units; other numbers, such as
        times, in ``extra["columns"]``; what it says of the measurement in ``.metadata``.

    Raises
    ------
    ReadError
        If a file has no depth profile, is truncated, has a cell that is not a number, or would take
        more than `max_bytes`; :func:`explain_read` shows how it is understood.
    UnitsError, SpeciesError
        If a unit or a species is stated nowhere, or is ambiguous.
    PartialResultsError
        If some of several files failed; ``.results`` holds the others.
    ConnectionFailed, ModuleNotFoundError
        If an address cannot be read, or a package that the file needs is not installed.

    Warns
    -----
    ProfileWarning
        Where values are implausible, and where cells were read in a way that may not be meant.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> from pathlib import Path
    >>> text = "Depth (nm);11B (at/cm3)\n0;1,2E18\n5;3,5E18\n10;<1E15"
    >>> _ = Path("boron.csv").write_text(text)
    >>> result = sims.read("boron.csv")
    >>> result["11B"].concentrations, result["11B"].species_metadata["detection_limit"]
    (array([1.2e+18, 3.5e+18, nan]), '1e+15 at/cm3')
    """
    # Each argument but these is an option of the same name.
    options = _options(**{name: value for name, value in locals().items() if name not in _OF_CALL})
    check_choice("errors", errors, ("raise", "collect"))
    forced = None if format is None else reader_for(format)
    files = list_inputs(path)
    if errors == "raise" and not is_several(path):
        found = _read_one(files[0], options, forced)
        return found if options.samples is not None else found[0]
    outcomes = _read_each(files, options, forced, progress)
    failures = [outcome for outcome in outcomes if isinstance(outcome, SimsError)]
    if errors == "raise" and failures:
        raise PartialResultsError(
            f"{len(failures)} of {len(outcomes)} files failed; the others are in .results of this "
            f"error, or read with errors='collect'. The first: {failures[0]}",
            outcomes,
        )
    return outcomes


def explain_read(path: Readable, **options: Any) -> str:
    r"""Show how a file is understood, whether it can be read or not.

    Parameters
    ----------
    path : path-like, bytes, or open file
        One file.
    **options
        As for :func:`read`.

    Returns
    -------
    str
        Its format; of a table, which rows and columns were taken for what; the profiles, or the
        error with the argument that settles it; the warnings.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> from pathlib import Path
    >>> _ = Path("boron.csv").write_text("Wafer 7\nDepth (nm);Conc (at/cm3)\n0;1.2E18\n5;3.5E18")
    >>> print(sims.explain_read("boron.csv"))
    boron.csv, read as 'table': any table: csv, txt, xlsx, xls
    a text with semicolons between the cells
                 A           B
      1  note     Wafer 7
      2  headers    Depth (nm)  Conc (at/cm3)
      3  numbers  0           1.2E18
      4  numbers  5           3.5E18
    rows
      1  note     adds nothing to the headers
      2  headers  names the axis and 2 of 2 columns
    columns
      A  depths                                 in nm
      B  values of a species that is not named  in at/cm3
    not read: the file does not name the species of the second column; pass species=, its name
    """
    return explained(path, str, options)


def explained(
    path: Readable, describe: Callable[[SimsError | SimsWarning], str], options: Mapping[str, Any]
) -> str:
    """Show how a file is understood, as :func:`explain_read`, with errors in the words wanted."""
    forced = None if options.get("format") is None else reader_for(options["format"])
    stated = _options(**{k: v for k, v in options.items() if k not in _OF_CALL})
    if is_several(path):
        raise ArgumentError(f"path={path!r}; expected one file", argument="path")
    source = list_inputs(path)[0].read(stated)
    outcome: list[SIMSResult] | SimsError | str
    with collected() as warned:
        try:
            outcome = _read_source(source, forced, warned)
        except SimsError as error:
            outcome = error
    if isinstance(outcome, SimsError):
        outcome = describe(outcome)
    return explanation(source, outcome, [*map(describe, warned)], read_formats())


def read_formats() -> dict[str, str]:
    """List the formats that :func:`read` knows.

    Returns
    -------
    dict
        What ``format=`` takes, and what the files are, in the order in which they are tried.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> sims.read_formats()["srim"]
    'SRIM and TRIM, RANGE.txt'
    """
    return {reader.name: reader.description for reader in readers()}


def _options(**stated: Any) -> Options:
    """Check what the user states."""
    for name, kinds, expected in (
        ("species", (str, Sequence), "a name, or a list of names"),
        ("columns", (Mapping,), '{"B": (axis, values), ...}'),
        ("header_rows", (int, Sequence), "numbers of rows, from 0"),
        ("samples", (str, bool), "the header of a column, or True"),
        ("not_measured", (str, Collection), "a string, or a list of strings"),
    ):
        value = stated.get(name)
        if value is not None and not isinstance(value, kinds):
            raise ArgumentError(f"{name}={value!r}; expected {expected}", argument=name)
    texts, rows = stated.get("not_measured", ()), stated.get("header_rows")
    stated["not_measured"] = [texts] if isinstance(texts, str) else tuple(texts)
    if rows is not None:
        rows = [rows] if isinstance(rows, int) else list(rows)
        if not all(isinstance(row, int) and row >= 0 for row in rows):
            text = f"header_rows={rows!r}; expected numbers of rows, from 0"
            raise ArgumentError(text, argument="header_rows")
        stated["header_rows"] = rows
    if stated.get("samples") is False:
        stated["samples"] = None
    if stated.get("decimal") not in (None, ".", ","):
        raise argument_error("decimal", stated["decimal"], "expected '.' or ','")
    checked_limit(stated.get("max_bytes", MAX_BYTES))
    return Options(**stated)


def _read_each(
    files: Sequence[InputFile], options: Options, forced: Reader | None, progress: bool | None
) -> list[SIMSResult | SimsError]:
    """Read files, and keep the error of each that cannot be read."""
    outcomes: list[SIMSResult | SimsError] = []
    with collected() as warned, bar(len(files), progress, "reading", "file", _BAR_FROM) as step:
        for file in files:
            try:
                outcomes += _read_one(file, options, forced)
            except SimsError as error:
                outcomes.append(error)
            except (OSError, ImportError) as error:
                reason = getattr(error, "strerror", None) or error
                failed = ReadError(f"{file.where}: {reason}", where={"file": file.name})
                failed.__cause__ = error
                outcomes.append(failed)
            step()
    # When all are read: with warnings as errors nothing else is lost.
    for warning in warned:
        warn(warning)
    return outcomes


def _read_one(file: InputFile, options: Options, forced: Reader | None) -> list[SIMSResult]:
    """Read one file; whatever is said of it begins with its name."""
    source = file.read(options)
    with collected() as warned:
        results = _read_source(source, forced, warned)
    for warning in warned:
        place = _place_in(warning.message)
        warn(warning.within(source.name, file=source.name, **place))
    return results


def _place_in(message: str) -> dict[str, object]:
    """Return the species, sheet, row and column with which a message begins, as its parts."""
    match = _PLACE.match(message)
    parts = match.groupdict().items() if match else ()
    return {key: int(v) if key in ("line", "row") else v for key, v in parts if v}


def _read_source(
    source: Source, forced: Reader | None, warned: Sequence[SimsWarning]
) -> list[SIMSResult]:
    """Read a source; an error says how far that came, and the warnings before it."""
    reader = forced
    try:
        reader = forced or find_reader(source)
        source.trace.format, source.trace.version = reader.name, getattr(reader, "version", 1)
        return make_results(reader.read(source), source)
    except ImportError:
        raise
    except Exception as error:
        failed = error
        if not isinstance(failed, SimsError):
            # One file that a reader does not understand must not cost the others of a folder, and
            # readers and their packages may raise anything on a damaged one.
            subject = f"the reader {reader.name!r}" if reader else "every reader"
            failed = ReadError(
                f"it is damaged, or laid out in a way that {subject} does not know "
                f"({type(error).__name__}: {error})",
                code="damaged_file",
            )
        # What was found odd before may be why.
        others = [warning.message for warning in warned[:_MOST_WARNINGS]]
        others += [f"and {len(warned) - _MOST_WARNINGS} more"] * (len(warned) > _MOST_WARNINGS)
        remedies = [failed.remedy, *(warning.remedy for warning in warned[:_MOST_WARNINGS])]
        if failed.argument != "encoding" and _is_garbled(source):
            others.append(f"its letters look like those of another encoding: {ENCODINGS}?")
            remedies.append("encoding= states it")
        if forced is not None:
            remedies.append(f"without format={forced.name!r}, it is recognised by its content")
        failed.remedy = "; ".join(dict.fromkeys(filter(None, remedies)))
        text = f"{source.name}: {'; '.join([failed.message, *others])}"
        place = {"file": source.name, **_place_in(failed.message)}
        # What is said of no kind is that of what was read.
        kind = "damaged_file" if source.trace.grid is None else "ambiguous_table"
        failed.add(where=place, code=kind if isinstance(failed, ReadError) else "")
        failed.args = (text, *failed.args[1:])
        failed.layout_preview = layout_preview(source)
        if failed is error:
            raise
        raise failed from error


def _is_garbled(source: Source) -> bool:
    """Whether letters of a text that cannot be read look like those of another encoding."""
    try:
        return source.is_text and source.is_garbled(source.start)
    except ReadError:
        return False


@checks_arguments
def from_dataframe(
    df: pd.DataFrame,
    *,
    depth_units: str | None = None,
    units: str | Mapping[str, str] | None = None,
    species: str | Sequence[str] | None = None,
    columns: Mapping[str, tuple[int | str, int | str]] | None = None,
    not_measured: Collection[str] = (),
    number_repeats: bool = False,
    data_id: str = "dataframe",
) -> SIMSResult:
    """Make a result of a table in memory.

    Parameters
    ----------
    df : pandas.DataFrame
        A column of depths or times and columns of values, or pairs of these. An index that has a
        name, or is of fractions where no column is a depth, is the first column. Headers say what
        columns hold: ``"depth (nm)"``, ``"B (at/cm3)"``.
    depth_units, units, species, columns, not_measured, number_repeats : optional
        What the headers do not say, as for :func:`read`.
    data_id : str
        Identifier of the result.

    Returns
    -------
    SIMSResult

    Raises
    ------
    ReadError, UnitsError, SpeciesError
        As :func:`read` does.

    Examples
    --------
    >>> import pandas as pd
    >>> import sims_analysis as sims
    >>> df = pd.DataFrame({"depth (nm)": [0, 10, 20], "B": [1e18, 3e18, 5e17]})
    >>> sims.from_dataframe(df, units="atoms/cm^3")["B"]
    <DepthProfile 'B': 3 samples, 0 to 20 nm, 5e+17 to 3e+18 atoms/cm^3>
    """
    frame = _with_index(df)
    options = Options(
        depth_units=depth_units,
        units=units,
        species=species,
        columns=columns,
        not_measured=tuple(not_measured),
        number_repeats=number_repeats,
        header_rows=[0],
    )
    headers = _headers(frame)
    if len(headers) < 2:
        raise ReadError(
            "the DataFrame has fewer than two columns; its index is one if it has a name: "
            'df.rename_axis("depth (nm)")',
            code="no_profile",
            argument="df",
        )
    cells = frame.astype(object).where(frame.notna(), None).to_numpy().tolist()
    grid = Grid([headers, *cells], options)
    # There are no bytes whose hash would mean anything: those of the table as text stand for it.
    source = Source("dataframe", df.to_csv().encode(), options)
    source.trace.format = "dataframe"
    try:
        content = read_grid(grid, source)
        content.data_id = data_id
        return make_results(content, source)[0]
    except SimsError as error:
        error.layout_preview = layout_preview(source)
        raise


def _with_index(df: Any) -> Any:
    """Make the index a column if it is more than row numbers."""
    import pandas as pd

    if isinstance(df, pd.Series):
        df = df.to_frame()
    if not isinstance(df, pd.DataFrame):
        raise type_error("df", df, "expected a pandas.DataFrame")
    named = [n for n, name in enumerate(df.index.names) if name is not None and name not in df]
    if named:
        return df.reset_index(level=named)
    roles = {try_header(header).role for header in _headers(df)}
    if df.index.dtype.kind == "f" and not roles & {"axis", "time"}:
        # Depths, perhaps: rows are not counted in fractions.
        return df.rename_axis("").reset_index()
    return df


def _headers(frame: Any) -> list[str]:
    """Return the labels of the columns; those that pandas made up are none."""
    import pandas as pd

    if isinstance(frame.columns, pd.RangeIndex):
        return [""] * frame.shape[1]
    names = frame.columns.tolist()
    return [" ".join(map(str, n)) if isinstance(n, tuple) else str(n) for n in names]
