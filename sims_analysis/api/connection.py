"""A connection that is made when it is first needed, and never when offline."""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, Any, TypeVar

from sims_analysis.api.endpoint import DEFAULT_ENDPOINT
from sims_analysis.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sims_analysis.api.endpoint import Endpoint, Secret
    from sims_analysis.api.http import Http

T = TypeVar("T")


class Connection:
    """Stands for an `Http`, which is imported and opened at the first request.

    Parameters
    ----------
    endpoint, key
        Where to ask, and what to show there.
    offline : bool
        Refuse every request.
    options
        As `Http` takes them.
    """

    def __init__(self, endpoint: Endpoint, key: Secret, *, offline: bool, **options: Any) -> None:
        for name, least in _LEAST.items():
            value = options[name]
            kind, called = (int, "whole number") if isinstance(least, int) else (float, "number")
            fits = isinstance(value, int | kind) and not isinstance(value, bool)
            if not (fits and math.isfinite(value) and value >= least):
                raise ApiError(f"{name}={value!r}; expected a {called} of at least {least}")
        self._endpoint = endpoint
        self._key = key
        self._offline = offline
        self._options = options
        self._http: Http | None = None
        self._lock = threading.Lock()
        self._closed = False

    def get(
        self,
        url: str,
        read: Callable[[bytes], T],
        what: str,
        cancelled: threading.Event | None = None,
    ) -> T:
        """Ask: see :meth:`Http.get`."""
        return self._open().get(url, read, what=what, cancelled=cancelled)

    def close(self) -> None:
        """Close what is open, for good."""
        with self._lock:
            self._closed = True
            http, self._http = self._http, None
        if http is not None:
            http.close()

    def _open(self) -> Http:
        if self._offline:
            raise ApiError("the client is offline; make one without offline=True to ask the API")
        with self._lock:
            if self._closed:
                raise ApiError("the client is closed; make a new one")
            if self._http is None:
                if not self._key and self._endpoint.root == DEFAULT_ENDPOINT:
                    raise ApiError("no API key: pass api_key=, or set AS_API_KEY")
                from sims_analysis.api.http import Http

                self._http = Http(self._endpoint, self._key, **self._options)
            return self._http


_LEAST = {"timeout": 0.001, "retries": 0, "max_connections": 1, "max_response_bytes": 1}
