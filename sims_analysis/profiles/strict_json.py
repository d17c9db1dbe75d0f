"""Strict JSON by RFC 8259: one value per key, no ``NaN``, no infinity.

``orjson`` refuses the literals ``NaN`` and ``Infinity``, numbers beyond float64, text that is
not UTF-8, a byte order mark and excessive nesting. It silently keeps the last value of a repeated
key; repeated keys are refused here.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import numpy as np
import orjson

from sims_analysis.errors import PayloadError

__all__ = ["decode", "refuse_duplicate_keys"]

_COLON = ord(":")
#: Beginning of the message about text that is not JSON.
NOT_JSON = "not valid JSON"
#: An array or object of two bytes takes a hundred bytes once decoded.
_MOST_CONTAINERS = 1_000_000
_MOST_TEXTS = 10_000_000
_MOST_VALUES = 20_000_000


def decode(payload: bytes | bytearray | memoryview | str) -> Any:
    """Decode JSON text; raise a `PayloadError` if it is not valid.

    Text that would need excessive memory is refused before it is decoded.
    """
    text = payload.encode(errors="replace") if isinstance(payload, str) else bytes(payload)
    if len(text) > _MOST_CONTAINERS and (
        text.count(b"[") + text.count(b"{") > _MOST_CONTAINERS
        or text.count(b'"') > 2 * _MOST_TEXTS
        or text.count(b",") > _MOST_VALUES
    ):
        raise PayloadError(
            f"more than {_MOST_CONTAINERS} arrays and objects, {_MOST_TEXTS} texts or "
            f"{_MOST_VALUES} values in {len(text)} bytes; no measurement has so many"
        )
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise PayloadError(f"{NOT_JSON} ({error})") from None


def refuse_duplicate_keys(payload: bytes | bytearray | memoryview | str, decoded: Any) -> None:
    """Raise a `PayloadError` if an object in `payload` has the same key twice.

    A colon in JSON text is either in a string or between a key and its value. A decoded document
    with fewer colons than the text has lost the value of a repeated key. Counting takes a tenth of
    the time of decoding; decoding with hooks takes ten times as long.

    Parameters
    ----------
    payload : bytes or str
        The JSON text.
    decoded
        The decoded document. Arrays known to contain only numbers may be left out, which saves
        time.

    Examples
    --------
    >>> refuse_duplicate_keys(b'{"a": 1, "b": {"a": 2}}', {"a": 1, "b": {"a": 2}})
    >>> refuse_duplicate_keys(b'{"a": 1, "a": 2}', {"a": 2})
    Traceback (most recent call last):
    ...
    sims_analysis.errors.PayloadError: $: the key 'a' occurs twice in one object
    """
    text = payload.encode() if isinstance(payload, str) else bytes(payload)
    # An escaped colon is counted in the decoded document only.
    escaped = b"\\" in text and b"\\u003" in text
    in_text = int(np.count_nonzero(np.frombuffer(text, np.uint8) == _COLON))
    if not escaped and in_text == _colons(decoded):
        return
    json.loads(text, object_pairs_hook=_unique)


def _colons(decoded: Any) -> int:
    """Count the colons of a decoded document: one per key, and those in its strings."""
    try:
        return orjson.dumps(decoded).count(b":")
    except TypeError:
        # orjson reads four times as many levels as it writes.
        raise PayloadError("the JSON is nested too deeply, more than 254 levels") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) < len(pairs):
        twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
        raise PayloadError(f"the key {twice!r} occurs twice in one object")
    return unique
