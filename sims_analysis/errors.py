"""Every error and warning of the library, in one tree.

``SimsError`` is the root of the errors, ``SimsWarning`` of the warnings. Each error is also
the built-in exception that a user would expect (``ValueError``, ``KeyError``, ``OSError``...),
so that code which does not know this library still catches the right thing.
"""

import re
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import FrameType

__all__ = [
    "AmbiguousJunctionWarning",
    "ApiError",
    "ArchiveError",
    "ConnectionFailed",
    "DoseWarning",
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


class UnitsError(SimsError, ValueError):
    """A unit is missing, unknown, ambiguous, or of the wrong kind."""


class ProfileError(SimsError, ValueError):
    """A depth profile that cannot be used as it is."""


class ReadError(SimsError, ValueError):
    """A file that holds no depth profile, is damaged, or leaves open what its numbers are."""


class SpeciesError(SimsError, KeyError):
    """A species that the data do not hold."""

    @classmethod
    def missing(cls, wanted: object, there: Iterable[object], whose: str = "") -> "SpeciesError":
        """Make the error for a species that is not there: it lists those that are.

        Parameters
        ----------
        wanted : object
            What was asked for.
        there : iterable
            The species that there are.
        whose : str, optional
            What they belong to, if not simply the data: ``"data entry 'w1'"``.

        Examples
        --------
        >>> print(SpeciesError.missing("Li", ["7Li", "23Na"]))
        the data have no species 'Li'; they have '7Li', '23Na' (did you mean '7Li'?)
        """
        names = [str(name) for name in there]
        close = [repr(name) for name in names if _element(name) == _element(str(wanted))]
        meant = f" (did you mean {' or '.join(close)}?)" if close else ""
        subject, verb = (f"{whose} has", "it has") if whose else ("the data have", "they have")
        listed = ", ".join(map(repr, names)) or "none"
        return cls(f"{subject} no species {str(wanted)!r}; {verb} {listed}{meant}")

    def __str__(self) -> str:
        # KeyError shows the repr of its message, which hides line breaks and doubles quotes.
        return Exception.__str__(self)


def _element(name: str) -> str:
    """Give a name without isotope, charge and marks: that of ``7Li+`` is ``li``."""
    return re.sub(r"[^a-z]", "", name.casefold())


class JunctionError(SimsError, ValueError):
    """No junction or crossing where ``strict=True`` demanded one."""


class PayloadError(SimsError, ValueError):
    """A response that is not what the wire contract promises.

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
    """An archive that cannot be read, or whose content is damaged or absent."""


class ApiError(SimsError):
    """A request to the API that did not succeed."""


class ConnectionFailed(ApiError, OSError):
    """No connection, or one that broke before the answer was whole."""


class RequestTimeout(ApiError, TimeoutError):
    """The server did not answer within the timeout."""


class StatusError(ApiError):
    """The server answered with an HTTP status that means failure.

    Parameters
    ----------
    message : str
        What happened and what to do.
    status_code : int
        HTTP status.
    url : str
        The requested address; it never holds a key.
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
    """404 or 422: the server knows no entry under this id."""


class RateLimited(StatusError):
    """429: too many requests.

    Parameters
    ----------
    retry_after : float or None
        Seconds to wait, where the server named them.
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
    """Some of the asked ids failed; what did arrive is kept here.

    Parameters
    ----------
    message : str
        How many failed, and the first reason.
    results : sequence
        One item per asked id, in the order asked: a ``SIMSResult`` or the error of that id.
    """

    def __init__(self, message: str, results: Sequence[object]) -> None:
        super().__init__(message, results)
        self.results = list(results)

    def __str__(self) -> str:
        return str(self.args[0])


class SimsWarning(UserWarning):
    """Root of every warning of ``sims_analysis``."""


class ProfileWarning(SimsWarning):
    """A profile was usable only after a harmless, stated step."""


class DoseWarning(SimsWarning):
    """A dose was integrated over less than was asked, or depends on the rule."""


class AmbiguousJunctionWarning(SimsWarning):
    """More than one crossing qualified as the junction; one was chosen by the stated policy."""


# With the separator: a neighbour called `sims_analysis_tools` is the caller's code.
_PACKAGE = str(Path(__file__).parent / "_")[:-1]


def warn(message: str, category: type[SimsWarning]) -> None:
    """Warn at the line of the caller outside this package, however deep the call came from.

    ``warnings.warn(skip_file_prefixes=...)`` does this from Python 3.12 on. xarray is passed over
    too: in ``ds.pipe(sims.integrated_dose)`` it stands between the caller and the function.
    """
    import inspect  # takes longer to import than all the rest of this module

    level, frame = 1, inspect.currentframe()
    while frame is not None and frame.f_back is not None and _in_between(frame):
        level, frame = level + 1, frame.f_back
    warnings.warn(message, category, stacklevel=level)


def _in_between(frame: FrameType) -> bool:
    module = str(frame.f_globals.get("__name__", ""))
    return frame.f_code.co_filename.startswith(_PACKAGE) or module.startswith("xarray.")
