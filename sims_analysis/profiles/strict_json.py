"""Strict JSON by RFC 8259, with a limit of memory.

``orjson`` refuses the literals ``NaN`` and ``Infinity``, numbers beyond float64, text that is
not UTF-8, a byte order mark and excessive nesting. Of a repeated key it keeps the last value.
"""

from __future__ import annotations

import operator
from typing import Any

import orjson

from sims_analysis.errors import PayloadError
from sims_analysis.files import Budget

#: Memory in bytes that an array or object, a text, and any value take while a payload is read.
_WEIGHTS = {"arrays and objects": 1000, "strings": 100, "values": 56}


def decode(payload: bytes | bytearray | memoryview | str, budget: Budget | None = None) -> Any:
    """Decode JSON text; raise a `PayloadError` if it is not valid.

    Text that would need more memory than the budget allows is refused before it is decoded.
    """
    text = payload.encode(errors="replace") if isinstance(payload, str) else bytes(payload)
    budget = budget or Budget(error=PayloadError, advice="")
    # No two bytes need more than those of an empty array.
    if len(text) * _WEIGHTS["arrays and objects"] > budget.left:
        counts = (text.count(b"[") + text.count(b"{"), text.count(b'"') // 2, text.count(b",") + 1)
        listed = ", ".join(f"{n:,} {what}" for what, n in zip(_WEIGHTS, counts, strict=True))
        needed = sum(map(operator.mul, counts, _WEIGHTS.values()))
        budget.take(needed, f"JSON of {listed} in {len(text):,} bytes")
    try:
        return orjson.loads(payload)
    except orjson.JSONDecodeError as error:
        raise PayloadError(f"not valid JSON ({error})", code="invalid_json") from None
