"""JSON that is refused although a lenient reader would take it."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sims_analysis.errors import PayloadError
from sims_analysis.files import Budget
from sims_analysis.profiles import strict_json
from sims_analysis.profiles.strict_json import decode, refuse_duplicate_keys

KEYS = st.sampled_from(["a", "b", "a:b", ":", "", "µ", "\\", '"'])
SCALARS = st.none() | st.booleans() | st.integers(-9, 9) | st.text(':ab\\"\u1234', max_size=3)


class Pairs(list):
    """An object whose keys may occur twice."""


DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.lists(st.tuples(KEYS, inner), max_size=3).map(Pairs)
    ),
    max_leaves=12,
)


def written(value, colon):
    """Write JSON, with each colon inside a string written in the given way."""
    if isinstance(value, Pairs):
        pairs = (f"{written(key, colon)}:{written(item, colon)}" for key, item in value)
        return "{" + ",".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(written(item, colon) for item in value) + "]"
    return json.dumps(value).replace(":", colon)


def has_twice(value):
    if isinstance(value, Pairs):
        keys = [key for key, _ in value]
        return len(set(keys)) < len(keys) or any(has_twice(item) for _, item in value)
    return isinstance(value, list) and any(map(has_twice, value))


@given(DOCUMENTS, st.sampled_from([":", "\\u003a", "\\u003A"]))
def test_a_key_twice_is_found_wherever_it_is(document, colon):
    text = written(document, colon)
    for payload in (text, text.encode(), bytearray(text.encode()), memoryview(text.encode())):
        if has_twice(document):
            with pytest.raises(PayloadError, match="occurs twice"):
                refuse_duplicate_keys(payload, decode(payload))
        else:
            refuse_duplicate_keys(payload, decode(payload))


@pytest.mark.few(1)
@pytest.mark.parametrize(
    ("what", "unit", "most"),
    [("values", b"1,", 19_173_000), ("texts", b'"",', 6_882_000), ("arrays", b"[],", 1_016_000)],
)
def test_what_would_not_fit_into_the_memory_is_refused_before_it_is_decoded(
    monkeypatch, what, unit, most
):
    decoded = []
    monkeypatch.setattr(strict_json.orjson, "loads", decoded.append)
    decode(b"[" + unit * most + b"1]")
    assert len(decoded) == 1
    with pytest.raises(PayloadError, match=rf"\d {what}.*needs more memory than the limit"):
        decode(b"[" + unit * (most + most // 1000) + b"1]")
    assert len(decoded) == 1


def test_several_kinds_together_are_refused_where_each_alone_would_fit():
    halves = b"[" + b"1," * 9_500_000 + b'"",' * 3_500_000 + b"1]"
    with pytest.raises(PayloadError, match="needs more memory"):
        decode(halves)


def test_a_key_twice_in_a_long_text_is_refused_without_its_name(monkeypatch):
    """To find its name takes ten times the memory of the text."""
    monkeypatch.setattr(strict_json, "SEARCHED", 20)
    monkeypatch.setattr(strict_json.json, "loads", lambda *_, **__: pytest.fail("searched"))
    for text in (b'{"a": 1, "bb": 2, "a": 3}', rb'{"\u003a": 1, "bb": 2, ":": 3}'):
        with pytest.raises(PayloadError, match="a key occurs twice"):
            refuse_duplicate_keys(text, decode(text))
    whole = rb'{"\u003a": "\\u003a", "b": "\\\u003A\u003a"}'
    refuse_duplicate_keys(whole, decode(whole))


def test_an_escaped_colon_does_not_make_up_for_a_lost_value():
    payload = rb'{"a": "\u003a", "b": 1, "b": 2}'
    with pytest.raises(PayloadError, match="'b' occurs twice"):
        refuse_duplicate_keys(payload, decode(payload))


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
    ],
)
def test_what_is_no_json(payload):
    with pytest.raises(PayloadError, match="not valid JSON"):
        decode(payload)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a": ', b"}")])
@pytest.mark.parametrize("levels", [300, 900])
def test_what_is_deeper_than_can_be_written_again_is_refused(opening, closing, levels):
    payload = b'[{"a": ' + opening * levels + b"1" + closing * levels + b"}]"
    with pytest.raises(PayloadError, match="nested too deeply"):
        refuse_duplicate_keys(payload, decode(payload))


def test_half_of_a_surrogate_pair_is_no_json():
    with pytest.raises(PayloadError, match=r"^\$: not valid JSON \("):
        decode('"' + chr(0xD800) + '"')


def test_damaged_json_is_refused_with_the_reason():
    with pytest.raises(PayloadError, match=r"^\$: not valid JSON \(.*column 3.*\)$"):
        decode(b"[1x]")


def test_the_most_memory_that_json_may_take():
    text = b'[[], {}, {}, {}, {}, {}, {}, {}, {"a": []}, "b"]'
    needed = 1000 * 11 + 100 * 2 + 56 * 10
    assert len(decode(text, Budget(needed))) == 10
    said = (
        f"JSON of 11 arrays and objects, 2 texts, 10 values in {len(text)} bytes needs more memory"
    )
    with pytest.raises(PayloadError) as refused:
        decode(text, Budget(needed - 1, PayloadError))
    assert refused.value.args[0].startswith(said)
