"""JSON that is refused although a lenient reader would take it."""

from __future__ import annotations

import pytest
from error_parts import raises

from sims_analysis.errors import PayloadError
from sims_analysis.files import Budget
from sims_analysis.profiles import strict_json
from sims_analysis.profiles.strict_json import decode


@pytest.mark.few(0, 2)
@pytest.mark.parametrize(
    ("unit", "most"), [(b"1,", 19_173_000), (b'"",', 6_882_000), (b"[],", 1_016_000)]
)
def test_what_would_not_fit_into_the_memory_is_refused_before_it_is_decoded(
    monkeypatch, unit, most, approved
):
    decoded = []
    monkeypatch.setattr(strict_json.orjson, "loads", decoded.append)
    decode(b"[" + unit * most + b"1]")
    assert len(decoded) == 1
    with raises(PayloadError, "too_large", argument="max_bytes", path="$", text=approved):
        decode(b"[" + unit * (most + most // 1000) + b"1]")
    assert len(decoded) == 1


def test_several_kinds_together_are_refused_where_each_alone_would_fit():
    halves = b"[" + b"1," * 9_500_000 + b'"",' * 3_500_000 + b"1]"
    with raises(PayloadError, "too_large", argument="max_bytes", path="$"):
        decode(halves)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"NaN",
        b"[Infinity]",
        b"[1e999]",
        b"[1,]",
        b"[1]x",
        b"\xef\xbb\xbf[]",
        b'"\xff"',
        b"[" * 5000,
        b"[1x]",
        '"' + chr(0xD800) + '"',  # half of a surrogate pair
    ],
)
def test_what_is_no_json(payload):
    with raises(PayloadError, "invalid_json", path="$"):
        decode(payload)


def test_the_most_memory_that_json_may_take(approved):
    text = b'[[], {}, {}, {}, {}, {}, {}, {}, {"a": []}, "b"]'
    needed = 1000 * 11 + 100 * 2 + 56 * 10
    assert len(decode(text, Budget(needed))) == 10
    with raises(PayloadError, "too_large", argument="max_bytes", path="$", text=approved):
        decode(text, Budget(needed - 1, PayloadError))
