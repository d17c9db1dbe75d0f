"""Strict JSON by RFC 8259: one value per key, no ``NaN``, no infinity.

``orjson`` refuses the literals ``NaN`` and ``Infinity``, numbers beyond float64, text that is
not UTF-8, a byte order mark and excessive nesting. It silently keeps the last value of a repeated
key; repeated keys are refused here.
"""

from __future__ import annotations

import json
import operator
import re
from collections import Counter
from typing import Any

import numpy as np
import orjson

from sims_analysis.errors import PayloadError
from sims_analysis.files import Budget

_COLON = ord(":")
#: Beginning of the message about text that is not JSON.
NOT_JSON = "not valid JSON"
#: Memory in bytes that an array or object, a text, and any value take while a payload is read.
_WEIGHTS = {"arrays and objects": 1000, "texts": 100, "values": 56}
#: Above so many bytes, no one looks for the name of a key that occurs twice: it takes ten times as
#: much memory.
SEARCHED = 32_000_000
#: A colon that is written as an escape.
_ESCAPED_COLON = re.compile(rb"(?<!\\)(?:\\\\)*\\u003[aA]")


def decode(payload: bytes | bytearray | memoryview | str, budget: Budget | None = None) -> Any:
    """Decode JSON text; raise a `PayloadError` if it is not valid.

    Text that would need more memory than the budget allows is refused before it is decoded.
    """
    text = payload.encode(errors="replace") if isinstance(payload, str) else bytes(payload)
    budget = budget or Budget(error=PayloadError, advice="")
    # No two bytes need more than those of an empty array.
    if len(text) * _WEIGHTS["arrays and objects"] > budget.left:
        counts = (text.count(b"[") + text.count(b"{"), text.count(b'"') // 2, text.count(b",") + 1)
        found = ", ".join(f"{n:,} {what}" for what, n in zip(_WEIGHTS, counts, strict=True))
        needed = sum(map(operator.mul, counts, _WEIGHTS.values()))
        budget.take(needed, f"JSON of {found} in {len(text):,} bytes")
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise PayloadError(f"{NOT_JSON} ({error})") from None


def refuse_duplicate_keys(payload: bytes | bytearray | memoryview | str, decoded: Any) -> None:
    """Raise a `PayloadError` if an object in `payload` has the same key twice.

    A colon in JSON text is either in a string or between a key and its value. A decoded document
    with fewer colons than the text has lost the value of a repeated key. Counting takes a tenth of
    the time of decoding; decoding with hooks takes ten times as long. Of the decoded document,
    arrays known to contain only numbers may be left out, which saves time.
    """
    text = payload.encode() if isinstance(payload, str) else bytes(payload)
    in_text = int(np.count_nonzero(np.frombuffer(text, np.uint8) == _COLON))
    if b"\\" in text and b"\\u003" in text:
        in_text += len(_ESCAPED_COLON.findall(text))
    if in_text == _colons(decoded):
        return
    if len(text) <= SEARCHED:
        json.loads(text, object_pairs_hook=_unique)
    raise PayloadError("a key occurs twice in one object")


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
