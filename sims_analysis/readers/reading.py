"""``sims.read``: a file to a result, and many files to many."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal, overload

from sims_analysis.dataset.result import SIMSResult
from sims_analysis.errors import (
    PartialResultsError,
    ProfileWarning,
    ReadError,
    SimsError,
    collected,
    warn,
)
from sims_analysis.readers.finishing import finish
from sims_analysis.readers.formats import Format, Reader, fault_of, formats
from sims_analysis.readers.given import Given, Readable, is_several, list_given
from sims_analysis.readers.refusals import refuse_other_kinds
from sims_analysis.readers.source import Options, Source

__all__ = ["read", "read_formats"]

#: A bar for fewer files would be gone before it is read.
_WORTH_A_BAR = 20


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
    decimal: Literal[".", ","] | None = None,
    encoding: str | None = None,
    not_measured: Collection[str] = (),
    mz_windows: Mapping[str, tuple[float, float]] | None = None,
    number_repeats: bool = False,
    allow_truncated: bool = False,
    format: str | Reader | None = None,  # noqa: A002 - the word people look for
    errors: Literal["raise", "collect"] = "raise",
    progress: bool | None = None,
) -> SIMSResult | list[SIMSResult] | list[SIMSResult | SimsError]:
    r"""Read depth profiles from files of instruments, laboratories and simulators.

    The format is recognised by the content of a file, not by its name; :func:`read_formats` lists
    them. What a file does not say is never guessed: an error says what to pass.

    Parameters
    ----------
    path : path-like, bytes, open file, or iterable of these
        A file, or several. A folder stands for the files in it, in the order of their names. An
        open file is anything with ``read()``. An address (``"https://..."``, ``"s3://..."``,
        ``"zip://w7.txt::archive.zip"``) is opened by fsspec, where that is installed. What has no
        name is named by its hash.
    depth_units : str, optional
        Unit of the depths (or times), where the file states none.
    units : str or mapping, optional
        Unit of the values, for all or by species: ``{"Mg": "atoms/cm^3", "Ga->": "counts/s"}``.
    species : str or sequence of str, optional
        Names of the signals in their order, in place of those in the file.
    sheet : str or int, optional
        Of a workbook; by default ``"Processed data"``, or the first with numbers in it, the
        hidden ones last.
    columns : mapping, optional
        Of a table: ``{"B": (0, 2)}``, the columns of depths and of values, by number from 0, by
        letter, or by head.
    decimal : {".", ","}, optional
        Where the numbers leave it open.
    encoding : str, optional
        Of a text; by default that of its byte order mark, UTF-8, or Windows-1252.
    not_measured : collection of str, optional
        Texts in cells, such as ``"n.d."``, which say that there is no value.
    mz_windows : mapping, optional
        Of a TOF archive: ``{"30Si": (29.95, 29.99)}``.
    number_repeats : bool
        Number signals of one name and one kind, ``"SnO+ (1)"`` and ``"SnO+ (2)"``, which a Dataset
        refuses otherwise.
    allow_truncated : bool
        Read what is there of a file that breaks off, with a warning.
    format : str or Reader, optional
        One of :func:`read_formats`, in place of recognising it; or a reader of one's own.
    errors : {"raise", "collect"}
        What becomes of a file that cannot be read: an error is raised when all others have been
        read, or is put in the place of the result in a list.
    progress : bool, optional
        Show a bar on stderr; by default for many files on a terminal.

    Returns
    -------
    SIMSResult, or list of SIMSResult
        A list for several files and for a folder. Depths and values as the file has them, in its
        units; samples below a stated limit (``<2E15``) and infinite values are not measured
        (``NaN``). Of each signal,
        ``species_metadata`` holds what the file says, with units: ``counting_time``,
        ``detector``, ``dead_time``, ``rsf``, ``dose``, ``reference_signal``, ``mass``,
        ``detection_limit``...; ``extra["columns"]`` numbers that stand beside it, such as times.
        ``.metadata`` is what it says of the measurement.

    Raises
    ------
    ReadError
        If a file holds no depth profile (it says what it is), breaks off, or has a cell that is
        no number.
    UnitsError
        If a unit is stated nowhere, or is ambiguous.
    SpeciesError
        If a species is named nowhere, or what is passed names one that is not there.
    PartialResultsError
        If some of several files failed; ``.results`` holds the others.
    ModuleNotFoundError
        If a workbook or an archive needs a package that is not installed.

    Warns
    -----
    ProfileWarning
        If something was kept that may not be meant, or is not what the file says.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> from pathlib import Path
    >>> text = "Depth (nm);11B (at/cm3)\n0;1,2E18\n5;3,5E18\n10;<1E15"
    >>> _ = Path("boron.csv").write_text(text)
    >>> result = sims.read("boron.csv")
    >>> result
    <SIMSResult 'boron': 11B>
    >>> result["11B"].concentrations, result["11B"].species_metadata["detection_limit"]
    (array([1.2e+18, 3.5e+18, nan]), '1e+15 at/cm3')
    """
    for name, given, kinds, expected in (
        ("species", species, (str, Sequence), "a name, or a list of names"),
        ("columns", columns, (Mapping,), '{"B": (axis, values), ...}'),
        ("not_measured", not_measured, (str, Collection), "a text, or a list of texts"),
    ):
        if given is not None and not isinstance(given, kinds):
            raise TypeError(f"{name}={given!r}; expected {expected}")
    options = Options(
        depth_units=depth_units,
        units=units,
        species=species,
        sheet=sheet,
        columns=columns,
        decimal=decimal,
        encoding=encoding,
        not_measured=[not_measured] if isinstance(not_measured, str) else tuple(not_measured),
        mz_windows=mz_windows,
        number_repeats=number_repeats,
        allow_truncated=allow_truncated,
    )
    if decimal not in (None, ".", ","):
        raise ValueError(f"decimal={decimal!r}; expected '.' or ','")
    if errors not in ("raise", "collect"):
        raise ValueError(f"errors={errors!r}; expected 'raise' or 'collect'")
    forced = None if format is None else _chosen(format)
    files = list_given(path)
    if errors == "raise" and not is_several(path):
        return _read_one(files[0], options, forced)
    outcomes: list[SIMSResult | SimsError] = []
    with collected() as told, _bar(len(files), show=progress) as step:
        for file in files:
            try:
                outcomes.append(_read_one(file, options, forced))
            except SimsError as error:
                outcomes.append(error)
            except OSError as error:
                outcomes.append(ReadError(f"{file.where}: {error.strerror or error}"))
            except ImportError as error:
                missing = ReadError(f"{file.name}: {error}")
                missing.__cause__ = error
                outcomes.append(missing)
            step()
    # When all are read: whoever turns warnings into errors loses no more than that.
    for warning in told:
        warn(str(warning), type(warning))
    failures = [outcome for outcome in outcomes if isinstance(outcome, SimsError)]
    if errors == "raise" and failures:
        raise PartialResultsError(
            f"{len(failures)} of {len(outcomes)} files failed; the others are in .results of this "
            f"error, or read with errors='collect'. The first: {failures[0]}",
            outcomes,
        )
    return outcomes


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
    return {known.name: known.description for known in formats()}


def _chosen(stated: str | Reader) -> Reader:
    if not isinstance(stated, str):
        fault = fault_of(stated)
        if fault is not None:
            raise TypeError(f"format={stated!r} is no reader: {fault}")
        return stated
    for known in formats():
        if known.name == stated:
            return known
    names = ", ".join(known.name for known in formats())
    raise ValueError(f"format={stated!r}; expected one of {names}")


def _read_one(given: Given, options: Options, forced: Reader | None) -> SIMSResult:
    """Read one file; whatever is said of it begins with its name."""
    source = _source(given, options)
    name = source.name
    chosen = forced
    with collected() as told:
        try:
            chosen = forced or _recognised(source)
            result = _read_by(chosen, source)
        except SimsError as error:
            # What was found odd before may be why.
            odd = "".join(f"; {warning}" for warning in told)
            error.args = (f"{name}: {error}{odd}{_not_in(forced, source)}", *error.args[1:])
            raise
        except ImportError:
            raise
        except Exception as error:
            # One file that a reader does not understand must not cost the others of a folder, and
            # what a damaged one makes readers and their packages raise, nobody knows.
            reader = f"the reader {chosen.name!r}" if chosen else "every reader"
            raise ReadError(
                f"{name}: it is damaged, or laid out in a way that {reader} does not know "
                f"({type(error).__name__}: {error}){_not_in(forced, source)}"
            ) from error
    for warning in told:
        warn(f"{name}: {warning}", type(warning))
    return result


def _source(given: Given, options: Options) -> Source:
    content = given.load()
    if isinstance(content, str):
        content, options = content.encode(), replace(options, encoding="utf-8")
    # Two files without a name are never one measurement.
    name = given.name or f"unnamed-{hashlib.sha256(content).hexdigest()[:12]}"
    return Source(name, content, options, given.path)


def _not_in(forced: Reader | None, source: Source) -> str:
    """Say, of a file that cannot be read, that it does not look like the format that was stated."""
    try:
        looks = forced is None or forced.recognises(source)
    except Exception:  # noqa: BLE001 - whatever it is, the file is none of these
        looks = False
    known = "" if forced is None else f"; it does not look like format={forced.name!r}"
    return "" if looks else f"{known}: without format=, it is recognised by its content"


#: Formats in which the user may say what the columns are.
_WITH_COLUMNS = ("table", "eag")


def _recognised(source: Source) -> Reader:
    refuse_other_kinds(source)
    chosen = next((known for known in formats() if known.recognises(source)), None)
    if chosen is None:
        raise ReadError("the file is binary, and in no format that is known")
    return chosen


def _read_by(chosen: Reader, source: Source) -> SIMSResult:
    ours = isinstance(chosen, Format) and chosen.name not in _WITH_COLUMNS
    if source.options.columns is not None and ours:
        warn(
            f"columns= is not used: the file is read as {chosen.name!r}, which says itself what "
            "its columns are; format='table' reads any table by its columns",
            ProfileWarning,
        )
    return finish(chosen.read(source), source, chosen.name, getattr(chosen, "version", 1))


@contextmanager
def _bar(total: int, *, show: bool | None) -> Iterator[Any]:
    """Show how many files have been read, by tqdm where it is installed."""
    watched = total >= _WORTH_A_BAR and sys.stderr is not None and sys.stderr.isatty()
    if not (watched if show is None else show):
        yield lambda: None
        return
    try:
        from tqdm.std import tqdm
    except ImportError:
        yield lambda: None
        return
    with tqdm(total=total, desc="reading", unit="file", file=sys.stderr) as bar:
        yield bar.update
