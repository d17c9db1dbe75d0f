"""The API key: shown to nobody, and recognised in what comes back."""

from __future__ import annotations

import base64
import os
import re
import unicodedata
from typing import TYPE_CHECKING

from sims_analysis.errors import ApiError
from sims_analysis.text.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable

KEY_VARIABLES = ("AS_API_KEY", "ATOMSCALE_API_KEY")

#: Ways to write a character that servers use, and the base of the number in them.
_ESCAPES = (
    (re.compile(rb"%(?:25)*([0-9a-fA-F]{2})"), 16),
    (re.compile(rb"\\(?:\\*)[uU]00([0-9a-fA-F]{2})"), 16),
    (re.compile(rb"\\(?:\\*)[xX]([0-9a-fA-F]{2})"), 16),
    (re.compile(rb"&#[xX]0*([0-9a-fA-F]{2});"), 16),
    (re.compile(rb"&#0*([0-9]{2,3});"), 10),
    (re.compile(rb"\\(?:\\*)(/)"), 0),
)
#: So many characters of a key in a row are a part of it that nobody may see.
_TELLING = 8


class Secret:
    """A key that shows itself to nobody who does not ask for it.

    It is in no repr, and cannot be pickled or copied. An empty one stands for no key.

    Examples
    --------
    >>> Secret("s3cr3t-k3y")
    <Secret>
    >>> Secret("s3cr3t-k3y").shown("the key S3CR3T%2Dk3y was refused")
    '(not shown: it holds the API key)'
    >>> Secret("s3cr3t-k3y").shown("no such entry")
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

    def is_in(self, payload: bytes) -> bool:
        """Whether a payload holds the key, in large or small letters, plain or escaped."""
        return bool(self) and self.reveal().lower().encode() in _unescaped(payload).lower()

    def tells(self, text: str) -> bool:
        """Whether a text gives the key away, or a part of it, in whatever spelling."""
        if not self:
            return False
        key = self.reveal().encode()
        said = _unescaped(unicodedata.normalize("NFKC", text).encode(errors="replace"))
        # Without what is put between or around: quotes, blanks, hyphens...
        said, bare = _bare(said), _bare(key)
        if not bare:
            return self.reveal() in text
        parts = {bare[i : i + _TELLING] for i in range(max(1, len(bare) - _TELLING + 1))}
        parts.add(_bare(key.hex().encode()))
        for shift in range(3):
            # In base64 by what stands before it; its first and last group depend on neighbours.
            parts.add(_bare(base64.b64encode(bytes(shift) + key)[4 if shift else 0 : -4]))
        cut_off = any(said.endswith(bare[:n]) for n in range(4, len(bare)))
        return cut_off or any(part in said for part in parts if part)

    def shown(self, text: str) -> str:
        """Give a text from elsewhere as it may be shown: nothing of one that holds the key."""
        return "(not shown: it holds the API key)" if self.tells(text) else visible(text)

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __repr__(self) -> str:
        return "<Secret>" if self else "<no key>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("an API key is not pickled; make a new client where one is needed")


def _bare(text: bytes) -> bytes:
    return re.sub(rb"[^a-z0-9]", b"", text.lower())


def _unescaped(text: bytes) -> bytes:
    """Undo escapes, and escapes of escapes."""
    for _ in range(3):
        before = text
        for pattern, base in _ESCAPES:
            if pattern.pattern[:1] not in text:
                continue  # found in a fraction of the time that the pattern takes
            text = pattern.sub(lambda found, base=base: _character(found, base), text)  # type: ignore[misc]
        if text == before:
            break
    return text


def _character(found: re.Match[bytes], base: int) -> bytes:
    code = int(found[1], base) if base else ord(found[1])
    return bytes([code]) if code < 128 else found[0]
