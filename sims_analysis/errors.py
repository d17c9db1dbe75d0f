"""Every error and warning of the library, in one tree.

``SimsError`` is the root of the errors, ``SimsWarning`` of the warnings. Each error is also
the built-in exception that a user would expect (``ValueError``, ``KeyError``, ``OSError``...),
so that code written without this library still catches them. Apart from its text,
each has parts for programs: ``code``, ``argument``, ``where`` and ``remedy`` (:class:`SimsError`).
"""

import copy
import importlib.util
import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType, MappingProxyType
from typing import Any, Self, TypedDict, Unpack

from sims_analysis.outcomes import Status

__all__ = [
    "AmbiguousJunctionWarning",
    "ApiError",
    "ArchiveError",
    "ArgumentError",
    "ConnectionFailed",
    "DoseWarning",
    "FitWarning",
    "JunctionError",
    "NotFound",
    "PartialResultsError",
    "PayloadError",
    "ProfileError",
    "ProfileWarning",
    "RateLimited",
    "ReadError",
    "RequestTimeout",
    "SimsError",
    "SimsWarning",
    "SpeciesError",
    "StatusError",
    "Unauthorized",
    "UnitsError",
]


#: Code of an error or a warning -> when it has this code. A warning about answers with a status has
#: the word of the status.
CODES: Mapping[str, str] = MappingProxyType(
    {
        "error": "any other error",
        "invalid_argument": "an argument has a value that it cannot have",
        "unknown_argument": "a function does not have an argument, or takes it by its name alone",
        "conflicting_arguments": "arguments exclude or need each other",
        "empty_input": "a list, a tree, a file or a folder has nothing in it",
        "other_result": "an argument is not the answer of the function that is needed",
        "warning": "any other warning",
        "missing_unit": "a number has no unit",
        "unknown_unit": "a text, or what is there for one, is not a unit of depth profiling",
        "ambiguous_unit": "a unit may be meant in several ways",
        "wrong_unit": "a unit is of another kind than needed",
        "different_units": "what belongs together is in different units",
        "scaled_values": "values, or errors, are stated as a function or a multiple",
        "not_a_quantity": "an argument is not a number with a unit",
        "unusable_profile": "a profile cannot be used as it is",
        "infinite_sample": "a sample is infinite",
        "unknown_species": "the data have no such species",
        "missing_species": "species have no names",
        "not_an_isotope": "a species is not a single isotope, or none with a natural abundance",
        "repeated_species": "a species occurs more than once",
        "several_measurements": "there are several measurements where one is needed",
        "different_profiles": "what belongs to one profile, or one measurement, is of several",
        "different_conditions": "measurements were made under different conditions",
        "missing_variable": "the data have no variable of the kind that is needed",
        "missing_axis": "the data have no axis of the kind that is needed",
        "missing_time": "a measurement does not say when it was made",
        "ambiguous_time": "there are several coordinates of times",
        "unordered_axis": "depths do not increase",
        "mixed_axes": "some profiles are over depth, others over sputter time",
        "wrong_dimensions": "the data, or an argument, have dimensions that they cannot have",
        "missing_value": "an argument has no value for a label of the data",
        "missing_factor": "no factor of a list fits the data",
        "no_sample_in_window": "a window, or a limit, lies outside the samples",
        "too_few_values": "there are fewer values than are needed",
        "invalid_bounds": "edges of cells are missing, overlap, or do not contain their samples",
        "dask_data": "data of Dask are divided, or not computed yet, where that cannot be",
        "no_dose": "a dose, or an integral, that others are compared with is not positive",
        "different_levels": "two records of one sample differ where they overlap",
        "no_junction": "there is no junction or crossing",
        "several_a_day": "several values are of one day",
        "several_crossings": "more than one crossing qualifies as the junction",
        "surface_transient": "the record, or the window, begins in a surface transient",
        "unusual_profile": "a profile is unusual, or was changed harmlessly",
        "impossible_value": "values cannot be of the unit, or the instrument, that is stated",
        "already_changed": "what is asked for comes before a change that was made of the data",
        "not_measured": "samples, or a signal that others need, were not measured",
        "few_counts": "an answer is biased by few counts",
        "inconsistent": "values scatter more than their standard errors say",
        "faraday_cup": "samples are currents of a Faraday cup",
        "other_unit": "a unit is stated otherwise than in the data",
        "uncertain_dose": "a dose depends on more than the samples",
        "doubtful_fit": "a fit does not describe the profile",
        "not_shown": "a figure does not show all of what it is drawn of",
        "crowded_figure": "a figure has no room for its labels, axes or curves",
        "unreadable_file": "a file cannot be read",
        "other_format": "a file is not in the format that was stated",
        "no_profile": "a file, or the data, hold no depth profile",
        "not_a_number": "a cell of a table is not a number",
        "invalid_cell": "a cell of a table has a value that it cannot have",
        "missing_depth": "a value has no depth",
        "missing_column": "a column of a table is missing, or is there twice",
        "unknown_column": "a table has a column that it cannot have",
        "ignored_column": "a column of a table is left out",
        "empty_column": "a column of a table has no number",
        "uneven_rows": "rows of a table have different numbers of cells",
        "merged_cells": "cells of a workbook are merged",
        "damaged_file": "a file is damaged, or laid out in an unknown way",
        "unsafe_file": "a file would run code, leads to other files, or may unpack to any size",
        "no_provenance": "a file does not say where it comes from",
        "invalid_metadata": "metadata have no JSON form",
        "truncated_file": "a file ends too early",
        "unknown_encoding": "the encoding of a text is not known",
        "ambiguous_table": "columns of a table may be meant in several ways",
        "several_tables": "there is more than one table to read",
        "several_samples": "a table distinguishes samples",
        "unused_argument": "an argument does not apply to a file",
        "too_large": "a file or a response is larger than accepted",
        "invalid_payload": "JSON is not what the API sends",
        "invalid_json": "a text is not JSON",
        "unreadable_archive": "an archive cannot be read",
        "no_archive": "a folder is not an archive",
        "newer_format": "a later version of the library wrote an archive",
        "failed_write": "a file or an archive cannot be written",
        "not_archived": "an entry is not in the archive",
        "damaged_entry": "an entry of the archive is damaged",
        "other_measurement": "another measurement has this id",
        "missing_id": "a measurement has no id",
        "failed_request": "a request failed",
        "missing_key": "there is no API key",
        "weak_key": "a key is so short that it can be guessed, or is not complete",
        "exposed_key": "a response contains the key",
        "offline": "the client is offline",
        "closed": "the client was closed",
        "interrupted": "a request was interrupted",
        "unencrypted": "a key would be sent without encryption",
        "untrusted_certificate": "the certificate of the server is not trusted",
        "redirected": "the server redirects to another origin, or too often",
        "no_connection": "there is no connection",
        "unusable_proxy": "a proxy of the environment cannot be used",
        "timeout": "the server did not answer in time",
        "http_status": "the server answered with an HTTP error",
        "unauthorized": "the key is missing, wrong or not allowed to see this",
        "not_found": "the server has no such entry",
        "rate_limited": "the server limits the rate of requests",
        "shared_parts": "two signals were made of a third, and their errors are not independent",
        "broken_plugin": "a plugin cannot be used, or fails",
        "partial_results": "some of several entries or files failed",
        **{one.word: one.meaning for one in Status if one not in (Status.OK, Status.PADDING)},
    }
)


class Parts(TypedDict, total=False):
    """What an error or a warning has apart from its text: see :class:`SimsError`."""

    code: str
    argument: str
    where: Mapping[str, object]
    remedy: str


class _WithParts(Exception):
    """What errors and warnings have in common: their parts, and how these become a text."""

    code: str = ""
    argument: str = ""
    remedy: str = ""
    #: The code of those about an argument, where it differs.
    _code_of_arguments: str = ""
    _where: Mapping[str, object] = MappingProxyType({})

    def __init__(self, *args: object, **parts: Unpack[Parts]) -> None:
        super().__init__(*args)
        self.add(**parts)

    def add(
        self,
        *,
        code: str = "",
        argument: str = "",
        where: Mapping[str, object] = MappingProxyType({}),
        remedy: str = "",
    ) -> Self:
        """Add the parts that are not known yet; return the same object."""
        code = code or (argument and self._code_of_arguments)
        if code and self.code == type(self).code:
            self.code = code
        # Of ``fixed['dose']`` and ``window start``, the argument itself.
        self.argument = self.argument or re.split(r"[\[ :]", argument, maxsplit=1)[0]
        self.remedy = self.remedy or remedy
        self._where = {**where, **self._where}
        return self

    def about_another(self, text: str) -> Self:
        """Return a copy with another message, about something else."""
        other = copy.copy(self)
        other.args = (text, *self.args[1:])
        other.__dict__.pop("_where", None)
        return other

    def within(self, place: str, **where: object) -> Self:
        """Return a copy whose message begins with a place, such as the name of a file."""
        moved = copy.copy(self)
        moved.args = (f"{place}: {self.args[0]}", *self.args[1:])
        return moved.add(where=where)

    @property
    def where(self) -> Mapping[str, object]:
        """What it is about: a species, a measurement, a depth, a file..."""
        return MappingProxyType(self._where)

    @property
    def message(self) -> str:
        """The text without the remedy."""
        return str(self.args[0]) if self.args else ""

    def __str__(self) -> str:
        return "; ".join(filter(None, (self.message, self.remedy)))

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (type(self), self.args, self.__dict__)


def _restore(
    kind: type[_WithParts], args: tuple[object, ...], parts: dict[str, object]
) -> _WithParts:
    """Rebuild a copied or pickled error without calling its class."""
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(parts)
    return error


class SimsError(_WithParts):
    """Root of every error raised on purpose by ``sims_analysis``.

    Parameters
    ----------
    message : str
        What was found and what was expected.
    code : str, optional
        What kind of error this is, for programs: one of ``sims_analysis.errors.CODES``. By
        default that of its class.
    argument : str, optional
        The argument that is wrong or missing; where it is wrong, the message begins with it.
    where : mapping, optional
        What it is about: ``species``, ``measurement``, ``depth`` (``"10 nm"``), ``file``, ``path``
        (in JSON)... It can be read, not changed.
    remedy : str, optional
        What to do in Python. The text is the message and, after a semicolon, the remedy.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> try:
    ...     sims.integrated_dose(ds, start="20")
    ... except sims.SimsError as found:
    ...     error = found
    >>> error.code, error.argument
    ('missing_unit', 'start')
    >>> print(error)
    start='20' has no unit; expected a unit such as 'nm', 'um' or 'angstrom'
    """

    code = "error"
    #: Of a file that holds a table, what was understood of it: see :func:`sims.explain_read`.
    layout_preview: str = ""


class ArgumentError(SimsError, TypeError):
    """An argument of a type that it cannot have, or one that a function does not have."""

    code = "invalid_argument"


class UnitsError(SimsError, ValueError):
    """A unit is missing, unknown, ambiguous, or of the wrong kind."""

    code = "wrong_unit"


class ProfileError(SimsError, ValueError):
    """A depth profile that cannot be used as it is."""

    code = "unusable_profile"
    _code_of_arguments = "invalid_argument"


class ReadError(SimsError, ValueError):
    """A file that holds no depth profile, is damaged, or does not say what its numbers are."""

    code = "unreadable_file"
    _code_of_arguments = "invalid_argument"


class SpeciesError(SimsError, KeyError):
    """A species that is not in the data."""

    code = "unknown_species"

    @classmethod
    def missing(
        cls,
        wanted: object,
        present: Iterable[object],
        owner: str = "",
        *,
        argument: str = "species",
    ) -> "SpeciesError":
        """Make the error for a missing species; it lists those that the owner, or the data, have.

        >>> print(SpeciesError.missing("Li", ["7Li", "23Na"]))
        the data have no species 'Li'; they have '7Li', '23Na' (did you mean '7Li'?)
        """
        names = [str(name) for name in present]
        close = [repr(name) for name in names if _element(name) == _element(str(wanted))]
        meant = f" (did you mean {' or '.join(close)}?)" if close else ""
        subject, verb = (f"{owner} has", "it has") if owner else ("the data have", "they have")
        listed = ", ".join(map(repr, names)) or "none"
        text = f"{subject} no species {str(wanted)!r}; {verb} {listed}{meant}"
        return cls(text, argument=argument, where={"species": str(wanted)})


def _element(name: str) -> str:
    """Return a name without isotope, charge and marks: ``li`` for ``7Li+``."""
    return re.sub(r"[^a-z]", "", name.casefold())


class JunctionError(SimsError, ValueError):
    """No junction or crossing where ``strict=True`` requires one."""

    code = "no_junction"


class PayloadError(SimsError, ValueError):
    """A response that violates the wire contract; ``path`` says where: ``$[3].depths[17]``."""

    code = "invalid_payload"

    def __init__(self, message: str, path: str = "$", **parts: Unpack[Parts]) -> None:
        super().__init__(message, path, **parts)
        self.path = path
        self.add(where={"path": path})

    @property
    def message(self) -> str:
        """The path, and what was found there."""
        return f"{self.path}: {self.args[0]}"


class ArchiveError(SimsError):
    """An archive that cannot be read, or whose content is damaged or missing."""

    code = "unreadable_archive"
    _code_of_arguments = "invalid_argument"


class ApiError(SimsError):
    """A request to the API that failed."""

    code = "failed_request"
    _code_of_arguments = "invalid_argument"


class ConnectionFailed(ApiError, OSError):
    """No connection, or one that broke before the response was complete."""

    code = "no_connection"


class RequestTimeout(ApiError, TimeoutError):
    """The server did not answer within the timeout."""

    code = "timeout"


class StatusError(ApiError):
    """The server responded with an HTTP error status.

    ``status_code`` is that, ``url`` the requested address (it never contains a key), and ``body``
    the beginning of the response.
    """

    code = "http_status"

    def __init__(
        self, message: str, *, status_code: int, url: str, body: str = "", **parts: Unpack[Parts]
    ) -> None:
        super().__init__(message, **parts)
        self.status_code = status_code
        self.url = url
        self.body = body


class Unauthorized(StatusError):
    """401 or 403: the key is missing, wrong, or not allowed to see this entry."""

    code = "unauthorized"


class NotFound(StatusError):
    """404 or 422: the server has no entry with this id."""

    code = "not_found"


class RateLimited(StatusError):
    """429: too many requests; ``retry_after`` are the seconds to wait, if the server gave them."""

    code = "rate_limited"

    def __init__(
        self,
        message: str,
        *,
        status_code: int = 429,
        url: str,
        body: str = "",
        retry_after: float | None = None,
        **parts: Unpack[Parts],
    ) -> None:
        super().__init__(message, status_code=status_code, url=url, body=body, **parts)
        self.retry_after = retry_after


class PartialResultsError(ApiError):
    """Some of the requested ids failed.

    ``results`` has one item per id, in the order requested: a ``SIMSResult`` or the error of that
    id.
    """

    code = "partial_results"

    def __init__(self, message: str, results: Sequence[object], **parts: Unpack[Parts]) -> None:
        super().__init__(message, results, **parts)
        self.results = list(results)


class SimsWarning(_WithParts, UserWarning):
    """Root of every warning of ``sims_analysis``; its parts are those of :class:`SimsError`."""

    code = "warning"


class ProfileWarning(SimsWarning):
    """A profile is unusual, or was usable only after a harmless change, which is stated."""

    code = "unusual_profile"


class DoseWarning(SimsWarning):
    """A dose was integrated over less than requested, or depends on the rule."""

    code = "uncertain_dose"


class FitWarning(SimsWarning):
    """A fitted model does not describe the profile, or its parameters are not determined."""

    code = "doubtful_fit"


class AmbiguousJunctionWarning(SimsWarning):
    """More than one crossing qualified as the junction; one was chosen by the stated policy."""

    code = "several_crossings"


# With the separator: a package named `sims_analysis_tools` is the caller's code.
_PACKAGE = str(Path(__file__).parent / "_")[:-1]


#: Receives the warnings of this context in place of the user. Python's own filters belong to the
#: whole process: to switch them would catch, or lose, warnings of other threads.
_listener: ContextVar[Callable[[SimsWarning], object] | None] = ContextVar("listener", default=None)


@contextmanager
def about(**parts: Unpack[Parts]) -> Iterator[None]:
    """Add parts to the errors that are raised within: see :class:`SimsError`."""
    try:
        yield
    except SimsError as error:
        error.add(**parts)
        raise


def warn(
    message: str | SimsWarning,
    category: type[SimsWarning] = SimsWarning,
    **parts: Unpack[Parts],
) -> None:
    """Warn at the line of the caller outside this package, or pass the warning to a listener.

    A warning in place of the message is issued as it is.

    ``warnings.warn(skip_file_prefixes=...)`` does this from Python 3.12 on. xarray is skipped too:
    in ``ds.pipe(sims.integrated_dose)`` it is between the caller and the function.
    """
    warning = category(message, **parts) if isinstance(message, str) else message
    listener = _listener.get()
    if listener is not None:
        listener(warning)
        return
    import inspect  # takes longer to import than the rest of this module

    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_back is not None and is_internal(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(warning, stacklevel=level)


@contextmanager
def redirect_warnings(listener: Callable[[SimsWarning], object] | None) -> Iterator[None]:
    """Pass the library's warnings of this context to a function, in place of the user.

    A thread that is started within has a context of its own: its warnings, whoever started it
    collects there and passes on (see :func:`collected`).
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def collected(describe: Callable[[SimsWarning], Any] | None = None) -> Iterator[list[Any]]:
    """Collect the library's warnings of this context in place of the user, or what they say."""
    caught: list[Any] = []
    with redirect_warnings(lambda w: caught.append(describe(w) if describe else w)):
        yield caught


@contextmanager
def warnings_as_errors(kind: type[SimsError], codes: Collection[str]) -> Iterator[None]:
    """Raise the warnings of some codes as errors, as ``strict=True`` requires."""
    if not codes:
        yield
        return
    outer = _listener.get()

    def refuse(w: SimsWarning) -> None:
        if w.code in codes:
            parts: Parts = {"code": w.code, "argument": w.argument, "remedy": w.remedy}
            raise kind(w.message, **parts).add(where=w.where)
        with redirect_warnings(outer):
            warn(w)

    with redirect_warnings(refuse):
        yield


def require(what: str, *packages: str, extra: str) -> None:
    """Raise a `ModuleNotFoundError` that says which extra to install, if a package is missing.

    `what` needs them, with the verb: ``"figures need"``.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(
            f'{what} {" and ".join(missing)}: pip install "sims-analysis[{extra}]"', name=missing[0]
        )


def is_internal(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    between = module.startswith("xarray.") or module == "contextlib"  # decorators with a context
    return between or frame.f_code.co_filename.startswith(_PACKAGE)
