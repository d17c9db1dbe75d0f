"""Every error and warning of the library, in one tree.

``SimsError`` is the root of the errors, ``SimsWarning`` of the warnings. Each error is also
the built-in exception that a user would expect (``ValueError``, ``KeyError``, ``OSError``...),
so that code which does not know this library still catches the right thing.
"""

import importlib.util
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType

__all__ = [
    "AmbiguousJunctionWarning",
    "ApiError",
    "ArchiveError",
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


class SimsError(Exception):
    """Root of every error raised on purpose by ``sims_analysis``."""

    #: Of a file that holds a table, what was understood of it: see :func:`sims.explain_read`.
    layout_preview: str = ""


class UnitsError(SimsError, ValueError):
    """A unit is missing, unknown, ambiguous, or of the wrong kind."""


class ProfileError(SimsError, ValueError):
    """A depth profile that cannot be used as it is."""


class ReadError(SimsError, ValueError):
    """A file that holds no depth profile, is damaged, or does not say what its numbers are."""


class SpeciesError(SimsError, KeyError):
    """A species that is not in the data."""

    @classmethod
    def missing(cls, wanted: object, present: Iterable[object], whose: str = "") -> "SpeciesError":
        """Make the error for a missing species; it lists those that are present.

        Parameters
        ----------
        wanted : object
            The requested species.
        present : iterable
            The species in the data.
        whose : str, optional
            Subject of the message, by default the data: ``"data entry 'w1'"``.

        Examples
        --------
        >>> print(SpeciesError.missing("Li", ["7Li", "23Na"]))
        the data have no species 'Li'; they have '7Li', '23Na' (did you mean '7Li'?)
        """
        names = [str(name) for name in present]
        close = [repr(name) for name in names if _element(name) == _element(str(wanted))]
        meant = f" (did you mean {' or '.join(close)}?)" if close else ""
        subject, verb = (f"{whose} has", "it has") if whose else ("the data have", "they have")
        listed = ", ".join(map(repr, names)) or "none"
        return cls(f"{subject} no species {str(wanted)!r}; {verb} {listed}{meant}")

    def __str__(self) -> str:
        # KeyError shows the repr of its message, which hides line breaks and doubles quotes.
        return Exception.__str__(self)


def _element(name: str) -> str:
    """Return a name without isotope, charge and marks: ``li`` for ``7Li+``."""
    return re.sub(r"[^a-z]", "", name.casefold())


class JunctionError(SimsError, ValueError):
    """No junction or crossing where ``strict=True`` requires one."""


class PayloadError(SimsError, ValueError):
    """A response that violates the wire contract.

    Parameters
    ----------
    message : str
        What was found and what was expected.
    path : str
        JSON path of the offending value, such as ``$[3].depths[17]``.
    """

    def __init__(self, message: str, path: str = "$") -> None:
        super().__init__(message, path)
        self.path = path

    def __str__(self) -> str:
        return f"{self.path}: {self.args[0]}"


class ArchiveError(SimsError):
    """An archive that cannot be read, or whose content is damaged or missing."""


class ApiError(SimsError):
    """A request to the API that failed."""


class ConnectionFailed(ApiError, OSError):
    """No connection, or one that broke before the response was complete."""


class RequestTimeout(ApiError, TimeoutError):
    """The server did not answer within the timeout."""


class StatusError(ApiError):
    """The server responded with an HTTP error status.

    Parameters
    ----------
    message : str
        What happened and what to do.
    status_code : int
        HTTP status.
    url : str
        The requested address; it never contains a key.
    body : str
        The beginning of the response body.
    """

    def __init__(self, message: str, *, status_code: int, url: str, body: str = "") -> None:
        super().__init__(message)
        self.status_code = status_code
        self.url = url
        self.body = body

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_status_error, (type(self), self.args[0], self.__dict__))


def _rebuild_status_error(
    cls: type[StatusError], message: str, state: dict[str, object]
) -> StatusError:
    error = cls.__new__(cls)
    Exception.__init__(error, message)
    error.__dict__.update(state)
    return error


class Unauthorized(StatusError):
    """401 or 403: the key is missing, wrong, or not allowed to see this entry."""


class NotFound(StatusError):
    """404 or 422: the server has no entry with this id."""


class RateLimited(StatusError):
    """429: too many requests.

    Parameters
    ----------
    retry_after : float or None
        Seconds to wait, if the server gave them.
    """

    def __init__(
        self,
        message: str,
        *,
        status_code: int = 429,
        url: str,
        body: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message, status_code=status_code, url=url, body=body)
        self.retry_after = retry_after


class PartialResultsError(ApiError):
    """Some of the requested ids failed; the results that arrived are kept here.

    Parameters
    ----------
    message : str
        How many failed, and the first reason.
    results : sequence
        One item per id, in the order requested: a ``SIMSResult`` or the error of that id.
    """

    def __init__(self, message: str, results: Sequence[object]) -> None:
        super().__init__(message, results)
        self.results = list(results)

    def __str__(self) -> str:
        return str(self.args[0])


class SimsWarning(UserWarning):
    """Root of every warning of ``sims_analysis``."""


class ProfileWarning(SimsWarning):
    """A profile is unusual, or was usable only after a harmless change, which is stated."""


class DoseWarning(SimsWarning):
    """A dose was integrated over less than requested, or depends on the rule."""


class FitWarning(SimsWarning):
    """A fitted model does not describe the profile, or its parameters are not determined."""


class AmbiguousJunctionWarning(SimsWarning):
    """More than one crossing qualified as the junction; one was chosen by the stated policy."""


# With the separator: a package named `sims_analysis_tools` is the caller's code.
_PACKAGE = str(Path(__file__).parent / "_")[:-1]


#: Who hears the warnings of this context in place of the user. Python's own filters belong to the
#: whole process: to switch them would catch, or lose, what other threads warn of.
_listener: ContextVar[Callable[[SimsWarning], object] | None] = ContextVar("listener", default=None)


def warn(message: str, category: type[SimsWarning]) -> None:
    """Warn at the line of the caller outside this package, unless somebody listens.

    ``warnings.warn(skip_file_prefixes=...)`` does this from Python 3.12 on. xarray is skipped too:
    in ``ds.pipe(sims.integrated_dose)`` it is between the caller and the function.
    """
    listener = _listener.get()
    if listener is not None:
        listener(category(message))
        return
    import inspect  # takes longer to import than the rest of this module

    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_back is not None and _in_between(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


@contextmanager
def redirect_warnings(listener: Callable[[SimsWarning], object]) -> Iterator[None]:
    """Hand the library's warnings of this context to a function, in place of the user.

    A thread that is started within has a context of its own: what it warns of, whoever started it
    collects there and hands on (see :func:`collected`).

    Parameters
    ----------
    listener : callable
        Takes a warning.
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


@contextmanager
def collected() -> Iterator[list[SimsWarning]]:
    """Collect the library's warnings of this context; nobody else hears of them.

    Examples
    --------
    >>> with collected() as caught:
    ...     warn("the peak is the first sample", ProfileWarning)
    >>> caught
    [ProfileWarning('the peak is the first sample')]
    """
    caught: list[SimsWarning] = []
    with redirect_warnings(caught.append):
        yield caught


@contextmanager
def warnings_listed() -> Iterator[list[str]]:
    """Collect the texts of the library's warnings of this context: see :func:`collected`."""
    texts: list[str] = []
    with redirect_warnings(lambda warning: texts.append(str(warning))):
        yield texts


def require(what: str, *packages: str, extra: str) -> None:
    """Raise a `ModuleNotFoundError` that says what to install, if a package is missing.

    Parameters
    ----------
    what : str
        What needs them, with the verb: ``"figures need"``.
    *packages : str
        Names of the modules.
    extra : str
        The optional dependency of this library that brings them.
    """
    missing = [name for name in packages if importlib.util.find_spec(name) is None]
    if missing:
        raise ModuleNotFoundError(
            f'{what} {" and ".join(missing)}: pip install "sims-analysis[{extra}]"', name=missing[0]
        )


def _in_between(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return frame.f_code.co_filename.startswith(_PACKAGE) or module.startswith("xarray.")
