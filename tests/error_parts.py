"""Assert errors and warnings by their parts (see ``SimsError``): code, argument, and where.

All parts of a message must be named, so that a test sees an argument or a species too many; but
without a code it is that of the class, or of its arguments, and the file and the version of an
entry, which what reads them adds to every message, and where evidence starts and stops are compared
where they are named. Where the text says what no part does (a number, names to choose from), or an
error has no parts, ``text=approved_text`` compares it with the approved one (``approved.py``).
"""

import warnings
from contextlib import contextmanager

import pytest

from sims_analysis.errors import CODES, SimsError


@contextmanager
def raises(kind, code="", argument="", text=None, **where):
    """Require an error with these parts, as `pytest.raises` does with a pattern."""
    with pytest.raises(kind) as caught:
        yield caught
    if not isinstance(caught.value, SimsError):
        assert text, "the class alone says too little"
    else:
        expected = _expected(kind, code, argument, text, where)
        found = _parts(caught.value, where)
        assert found == expected, f"expected {expected}, found {found}: {caught.value}"
    if text:
        text(str(caught.value))


@contextmanager
def warns(kind, code="", argument="", text=None, **where):
    """Require a warning with these parts; others are issued anew, as `pytest.warns` does."""
    expected = _expected(kind, code, argument, text, where)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield caught
    fitting, others = [], []
    for one in caught:
        fits = isinstance(one.message, kind) and _parts(one.message, where) == expected
        (fitting if fits else others).append(one)
    found = [(vars(one.message), str(one.message)) for one in others]
    assert fitting, f"expected {expected}, found {found}"
    if text:
        for one in fitting:
            text(str(one.message))
    for one in others:
        warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def _expected(kind, code, argument, text, where):
    assert code or argument or where or text, "the class alone says too little"
    code = code or (kind(argument=argument) if argument else kind).code
    assert code in CODES
    return {"code": code, "argument": argument} | where


def _parts(message, named):
    unnamed = {"file", "version", "start", "stop"} - {*named}
    where = {key: value for key, value in message.where.items() if key not in unnamed}
    return {"code": message.code, "argument": message.argument} | where
