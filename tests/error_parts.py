"""Assert errors and warnings by their parts (see ``SimsError``): code, argument, and where.

All parts of a message must be named, so that a test sees an argument or a species too many; but
without a code it is that of the class, or of its arguments, and the file and the version of an
entry, which what reads them adds to every message, and where evidence starts and stops are compared
where they are named. Where the text says what no part does (a number, names to choose from), or an
error has no parts, ``text=approved`` compares it, and all parts, with what was approved
(``approved.py``); then parts may be named.
"""

import warnings
from contextlib import contextmanager

import pytest

from sims_analysis.errors import CODES, SimsError, SimsWarning


@contextmanager
def raises(kind, code="", argument="", text=None, **where):
    """Require an error with these parts, as `pytest.raises` does with a pattern."""
    expected = _expected(kind, code, argument, text, where)
    with pytest.raises(kind) as caught:
        yield caught
    found = _parts(caught.value, expected, named_alone=bool(text))
    assert found == expected, f"expected {expected}, found {found}: {caught.value}"
    if text:
        text(caught.value)


@contextmanager
def warns(kind, code="", argument="", text=None, **where):
    """Require a warning with these parts; others are issued anew, as `pytest.warns` does."""
    expected = _expected(kind, code, argument, text, where)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
    fitting, others = [], []
    for one in caught:
        fits = (
            isinstance(one.message, kind)
            and _parts(one.message, expected, named_alone=bool(text)) == expected
        )
        (fitting if fits else others).append(one)
    found = [(vars(one.message), str(one.message)) for one in others]
    assert fitting, f"expected {expected}, found {found}"
    for one in fitting if text else ():
        text(one.message)
    for one in others:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _expected(kind, code, argument, text, where):
    assert code or argument or where or text, "the class alone says too little"
    assert not code or code in CODES
    if text:
        return {key: part for key, part in (("code", code), ("argument", argument)) if part} | where
    code = code or (kind(argument=argument) if argument else kind).code
    return {"code": code, "argument": argument} | where


def _parts(message, expected, *, named_alone):
    """Return the parts that are compared with the expected ones."""
    if not isinstance(message, SimsError | SimsWarning):
        return {}
    every = {"code": message.code, "argument": message.argument, **message.where}
    if named_alone:
        return {key: every.get(key) for key in expected}
    unnamed = {"file", "version", "start", "stop"} - {*expected}
    return {key: part for key, part in every.items() if key not in unnamed}
