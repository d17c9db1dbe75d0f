"""Where the API is, and how its addresses are made."""

from __future__ import annotations

import ipaddress
import re
import uuid
from collections.abc import Iterable
from urllib.parse import quote, urlencode, urlsplit

from sims_analysis.api.versions import canonical
from sims_analysis.errors import ApiError

DEFAULT_ENDPOINT = "https://api.atomscale.ai/"
ENDPOINT_VARIABLE = "AS_API_ENDPOINT"

_PORTS = {"http": 80, "https": 443}


class Endpoint:
    """The root of the API, whose path is kept, and the addresses under it.

    Examples
    --------
    >>> Endpoint("https://lab.example/v1").address("sims", "a b", "species", "( Pb+ )")
    'https://lab.example/v1/sims/a%20b/species/%28%20Pb%2B%20%29'
    """

    def __init__(self, url: str, *, allow_http: bool = False) -> None:
        try:
            parts = urlsplit(url.strip())
            port = parts.port or _PORTS[parts.scheme]
            host = parts.hostname if not re.search(r"\s", parts.netloc) else None
        except (ValueError, AttributeError, KeyError):
            host = None
        if not host or "@" in parts.netloc or parts.query or parts.fragment:
            raise ApiError(
                "the endpoint must be https://host/... without user name, password, query or "
                "fragment; what was given is not shown, as it may contain credentials",
                argument="endpoint",
            )
        self.is_loopback = is_loopback(host)
        if parts.scheme == "http" and not (self.is_loopback or allow_http):
            raise ApiError(
                f"plain http to {host!r} would send the API key unencrypted",
                code="unencrypted",
                argument="allow_http",
                remedy="use https, or pass allow_http=True",
            )
        self.origin = (parts.scheme, host, port)
        self.root = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}/"

    def __repr__(self) -> str:
        return f"Endpoint({self.root!r})"

    def address(self, *segments: str, query: Iterable[tuple[str, str]] = ()) -> str:
        """Return the address below the root, every segment encoded so that it stays one segment.

        A segment that would lead up the path, once a server in between has decoded it, is refused.
        """
        for segment in segments:
            if {".", ".."} & set(re.split(r"[/\\]", segment)):
                text = f"{segment!r} is not an id or a species: '.' and '..' would change the path"
                raise ApiError(text, code="invalid_argument")
        try:
            path = "/".join(quote(segment, safe="") for segment in segments)
        except UnicodeEncodeError:
            raise ApiError(f"{segments!r} is not valid Unicode", code="invalid_argument") from None
        parameters = urlencode(list(query), quote_via=quote)
        return self.root + path + (f"?{parameters}" if parameters else "")

    def is_own_server(self, url: str) -> bool:
        """Whether an address has the endpoint's scheme, host and port: only there goes the key."""
        try:
            parts = urlsplit(url)
            port = parts.port or _PORTS.get(parts.scheme)
        except ValueError:
            return False
        return (parts.scheme, parts.hostname, port) == self.origin and "@" not in parts.netloc


def is_loopback(host: str) -> bool:
    """Whether a host name is this machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def as_ids(data_ids: object) -> list[str]:
    """List one data id, or several, as strings."""
    if isinstance(data_ids, str | uuid.UUID):
        data_ids = [data_ids]
    if not isinstance(data_ids, Iterable) or isinstance(data_ids, bytes):
        text = f"expected a data id as a string or UUID, found {data_ids!r}"
        raise ApiError(text, argument="data_ids")
    ids = list(data_ids)
    for data_id in ids:
        if not isinstance(data_id, str | uuid.UUID) or not str(data_id).strip():
            text = f"expected a data id as a non-empty string or UUID, found {data_id!r}"
            raise ApiError(text, argument="data_ids")
    return [canonical(str(data_id).strip()) for data_id in ids]
