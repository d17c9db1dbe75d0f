"""The API key: shown to nobody, and recognised in what comes back."""

from __future__ import annotations

import base64
import os
import re
import unicodedata
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sims_analysis.errors import ApiError
from sims_analysis.text.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KEY_VARIABLES = ("AS_API_KEY", "ATOMSCALE_API_KEY")

#: Ways to write a character that servers use: how they begin, and the base of the number in them.
#: A run of backslashes is looked at from its start only, or long ones would take for ever.
_ESCAPES = tuple(
    (start, re.compile(pattern), base)
    for start, pattern, base in (
        (b"%", rb"%(?:25)*(?:[uU]00)?([0-9a-fA-F]{2})", 16),
        (b"\\", rb"(?<!\\)\\+[uU](?:00|\{0*)([0-9a-fA-F]{2})\}?", 16),
        (b"\\", rb"(?<!\\)\\+[xX]([0-9a-fA-F]{2})", 16),
        (b"\\", rb"(?<!\\)\\+([01][0-7]{2})", 8),
        (b"\\", rb"(?<!\\)\\+(/)", 0),
        (b"&", rb"&#[xX]0*([0-9a-fA-F]{2});", 16),
        (b"&", rb"&#0*([0-9]{2,3});", 10),
    )
)
#: With more escapes a payload is no measurement, and would take minutes to be looked through.
_MOST_ESCAPES = 1_000_000
_WINDOW = 1 << 20
#: So many characters of a key in a row are a part of it that nobody may see.
_TELLING = 8
#: A key of the API has at least so many characters. Shorter ones are words that occur in answers.
SHORTEST = 16


def _go_on() -> None:
    """Check nothing."""


class Secret:
    """A key that shows itself to nobody who does not ask for it.

    It is in no repr, and cannot be pickled or copied. An empty one stands for no key. One of less
    than 16 characters is not looked for in what comes back: ``"Si"`` is in every answer.

    Examples
    --------
    >>> secret = Secret("s3cr3t-k3y-of-somebody")
    >>> secret
    <Secret>
    >>> secret.shown("the key S3CR3T%2Dk3y-of-somebody was refused")
    '(not shown: it holds the API key)'
    >>> secret.shown("no such entry")
    'no such entry'
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

    @property
    def is_short(self) -> bool:
        """Whether it is too short to be a key of the API, and to be told from other words."""
        return 0 < len(self.reveal()) < SHORTEST

    def is_in(self, payload: bytes, check: Callable[[], None] = _go_on) -> bool:
        """Whether a payload holds the key: in large or small letters, escaped, or encoded.

        Also if so much is escaped that nobody can tell. `check` is called every now and then, and
        may raise an error.
        """
        if not self or self.is_short:
            return False
        # To see that there is none takes a fraction of the time of counting.
        starts = [start for start in (b"%", b"\\", b"&") if start in payload]
        if sum(map(payload.count, starts)) > _MOST_ESCAPES:
            return True
        held = _unescaped(payload, check)
        parts = [_in_one_case(part) for part in (self.reveal().encode(), *self._encoded())]
        overlap = max(map(len, parts))
        # Window by window, which stays in the processor's cache.
        for start in range(0, len(held), _WINDOW):
            check()
            window = _in_one_case(held[start : start + _WINDOW + overlap])
            if any(part in window for part in parts):
                return True
        return False

    def tells(self, text: str) -> bool:
        """Whether a text gives the key away, or a part of it, in whatever spelling."""
        if not self or self.is_short:
            return False
        said = _unescaped(unicodedata.normalize("NFKC", text).encode(errors="replace"))
        # Without what is put between or around: quotes, blanks, hyphens...
        said, bare = _bare(said), _bare(self.reveal().encode())
        if not bare:
            return self.reveal() in text
        parts = {bare[i : i + _TELLING] for i in range(max(1, len(bare) - _TELLING + 1))}
        parts.update(map(_bare, self._encoded()))
        cut_off = any(said.endswith(bare[:n]) for n in range(4, len(bare)))
        return cut_off or any(part in said for part in parts if part)

    def _encoded(self) -> Iterator[bytes]:
        key = self.reveal().encode()
        yield key.hex().encode()
        for shift in range(3):
            # In base64 by what stands before it; its first and last group depend on neighbours.
            yield base64.b64encode(bytes(shift) + key)[4 if shift else 0 : -4]

    def shown(self, text: str) -> str:
        """Give a text from elsewhere as it may be shown: nothing of one that holds the key."""
        return "(not shown: it holds the API key)" if self.tells(text) else visible(text)

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __repr__(self) -> str:
        return "<Secret>" if self else "<no key>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("an API key is not pickled; make a new client where one is needed")


def _in_one_case(text: bytes) -> bytes:
    # In a tenth of the time that lower() takes; what else becomes equal is no letter or digit.
    return (np.frombuffer(text, np.uint8) | 0x20).tobytes()


def _bare(text: bytes) -> bytes:
    return re.sub(rb"[^a-z0-9]", b"", text.lower())


def _unescaped(text: bytes, check: Callable[[], None] = _go_on) -> bytes:
    """Undo escapes, and escapes of escapes."""
    for _ in range(3):
        before = text
        for start, pattern, base in _ESCAPES:
            if start in text:  # seen in a fraction of the time that the pattern takes
                text = pattern.sub(partial(_character, base, check), text)
        if text == before:
            break
    return text


def _character(base: int, check: Callable[[], None], found: re.Match[bytes]) -> bytes:
    check()
    code = int(found[1], base) if base else ord(found[1])
    return bytes([code]) if code < 128 else found[0]
