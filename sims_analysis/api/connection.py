"""A connection that is made when it is first needed, and never when offline."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any, TypeVar

from sims_analysis.api.endpoint import DEFAULT_ENDPOINT
from sims_analysis.api.parallel import Batch
from sims_analysis.errors import ApiError
from sims_analysis.forking import PerProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sims_analysis.api.endpoint import Endpoint
    from sims_analysis.api.http import Answer, Http
    from sims_analysis.api.secret import Secret

T = TypeVar("T")


class Connection:
    """Stands for an `Http`, which is opened at the first request."""

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
        if not offline:
            # Now, and not while requests are under way: a process that is forked while a thread
            # imports waits for that import for ever.
            importlib.import_module("sims_analysis.api.http")
        self._http: PerProcess[Http] = PerProcess(self._opened)
        self._closed = False

    def get(
        self,
        url: str,
        read: Callable[[Answer], T],
        what: str,
        batch: Batch | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Ask: see :meth:`Http.get`."""
        if self._offline:
            raise ApiError("the client is offline; make one without offline=True to ask the API")
        if self._closed:
            raise ApiError("the client is closed; make a new one")
        http = self._http.get()
        return http.get(url, read, what=what, batch=batch or Batch(), headers=headers or {})

    def renew(self) -> None:
        """Let requests that follow go over new connections; those under way keep theirs."""
        self._http.drop()

    def close(self) -> None:
        """Close what is open, for good."""
        self._closed = True
        http = self._http.drop()
        if http is not None:
            http.close()

    def _opened(self) -> Http:
        if not self._key and self._endpoint.root == DEFAULT_ENDPOINT:
            raise ApiError("no API key: pass api_key=, or set AS_API_KEY")
        from sims_analysis.api.http import Http

        return Http(self._endpoint, self._key, **self._options)


_LEAST = {"timeout": 0.001, "deadline": 0.001, "retries": 0, "max_connections": 1}
_LEAST["max_response_bytes"] = 1
