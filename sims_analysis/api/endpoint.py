"""Where the API is, how its addresses are made, and the key that goes with them."""

from __future__ import annotations

import ipaddress
import os
import re
import uuid
from collections.abc import Iterable
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import getproxies

from sims_analysis.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

DEFAULT_ENDPOINT = "https://api.atomscale.ai/"
KEY_VARIABLES = ("AS_API_KEY", "ATOMSCALE_API_KEY")
ENDPOINT_VARIABLE = "AS_API_ENDPOINT"

_PORTS = {"http": 80, "https": 443}


class Secret:
    """A key that shows itself to nobody who does not ask for it.

    It is in no repr, and cannot be pickled or copied. An empty one stands for no key.

    Examples
    --------
    >>> Secret("s3cr3t")
    <Secret>
    >>> Secret("s3cr3t").redact("the key s3cr3t was refused")
    'the key *** was refused'
    """

    __slots__ = ("reveal",)

    def __init__(self, text: object) -> None:
        if not isinstance(text, str):
            kind = type(text).__name__
            del text
            raise ApiError(f"the API key must be text, found {kind}")
        text = text.strip()
        if not re.fullmatch(r"[\x21-\x7e]*", text):
            text = ""  # it must not be seen in the frame of the error either
            raise ApiError("the API key holds characters that no HTTP header can carry")
        # In a closure: tools that walk over attributes find a function.
        self.reveal: Callable[[], str] = lambda: text

    @classmethod
    def from_environment(cls) -> Secret:
        """Take the key from the environment; an empty one if there is none."""
        return cls(next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), ""))

    def redact(self, text: str) -> str:
        """Remove the key from a text that a server sent."""
        return text.replace(self.reveal(), "***") if self else text

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __repr__(self) -> str:
        return "<Secret>" if self else "<no key>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("an API key is not pickled; make a new client where one is needed")


class Endpoint:
    """The root of the API, and the addresses below it.

    Parameters
    ----------
    url : str
        ``https://host/prefix``; the prefix is kept.
    allow_http : bool
        Accept plain ``http`` to another machine, where everybody on the way can read the key.

    Examples
    --------
    >>> Endpoint("https://lab.example/v1").address("sims", "a b", "species", "( Pb+ )")
    'https://lab.example/v1/sims/a%20b/species/%28%20Pb%2B%20%29'
    """

    def __init__(self, url: str, *, allow_http: bool = False) -> None:
        try:
            parts = urlsplit(url.strip())
            port = parts.port
        except (ValueError, AttributeError):
            raise ApiError(f"the endpoint {url!r} is not an address") from None
        if parts.scheme not in _PORTS or not parts.hostname or re.search(r"\s", parts.netloc):
            raise ApiError(f"the endpoint must be https://host/..., found {url!r}")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ApiError(
                "the endpoint must hold no user name, password, query or fragment; "
                "the key is passed as api_key= or in AS_API_KEY"
            )
        self.is_loopback = is_loopback(parts.hostname)
        self.is_plain = parts.scheme == "http"
        if self.is_plain and not (self.is_loopback or allow_http):
            raise ApiError(
                f"plain http to {parts.hostname} would send the API key readable for everybody on "
                "the way; use https, or say allow_http=True"
            )
        self.origin = (parts.scheme, parts.hostname, port or _PORTS[parts.scheme])
        self.root = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"

    def __repr__(self) -> str:
        return f"Endpoint({self.root!r})"

    def address(self, *segments: str, query: Iterable[tuple[str, str]] = ()) -> str:
        """Give the address below the root, every segment encoded so that it stays one segment.

        Raises
        ------
        ApiError
            If a segment would lead up the path once a server on the way has decoded it.
        """
        for segment in segments:
            if {".", ".."} & set(re.split(r"[/\\]", segment)):
                raise ApiError(f"{segment!r} leads up the path: no id or species is sent like that")
        try:
            path = "/".join(quote(segment, safe="") for segment in segments)
        except UnicodeEncodeError:
            raise ApiError(f"{segments!r} holds text that is not valid Unicode") from None
        parameters = urlencode(list(query), quote_via=quote)
        return self.root + path + (f"?{parameters}" if parameters else "")

    def is_home(self, url: str) -> bool:
        """Whether an address has the endpoint's scheme, host and port: only there goes the key."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            return False
        return (parts.scheme, parts.hostname, port) == self.origin and "@" not in parts.netloc

    def may_use_proxies(self) -> bool:
        """Whether proxies of the environment are used.

        Plain http was accepted because the endpoint is on this machine; a proxy on another one
        would read the key all the same.
        """
        if not (self.is_plain and self.is_loopback):
            return True
        proxies = getproxies()
        used = [proxies[scheme] for scheme in ("http", "all") if scheme in proxies]
        return all(is_loopback(urlsplit(proxy).hostname or "") for proxy in used)


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine.

    Examples
    --------
    >>> is_loopback("localhost"), is_loopback("127.0.0.2"), is_loopback("localhost.example")
    (True, True, False)
    """
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def as_ids(data_ids: object) -> list[str]:
    """List one data id, or several, as text."""
    if isinstance(data_ids, str | uuid.UUID):
        data_ids = [data_ids]
    if not isinstance(data_ids, Iterable) or isinstance(data_ids, bytes):
        raise ApiError(f"a data id is text or a UUID, found {data_ids!r}")
    ids = list(data_ids)
    for data_id in ids:
        if not isinstance(data_id, str | uuid.UUID) or not str(data_id).strip():
            raise ApiError(f"a data id is text that is not empty, or a UUID, found {data_id!r}")
    return [str(data_id) for data_id in ids]
