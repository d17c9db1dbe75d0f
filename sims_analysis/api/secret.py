"""The API key: never shown, and recognized in responses that repeat it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from sims_analysis.errors import ApiError
from sims_analysis.text.escapes import visible

KEY_VARIABLES = ("AS_API_KEY", "ATOMSCALE_API_KEY")
#: A key of the API has at least so many characters. Shorter ones are words that occur in responses.
SHORTEST = 16


class Secret:
    """A key that is shown only by its method `reveal`.

    It is in no repr, and cannot be pickled or copied. An empty one stands for no key. One of less
    than 16 characters is not looked for in what comes back: ``"Si"`` is in every response. It is
    recognized in any letter case, but not in another encoding.
    """

    __slots__ = ("reveal",)

    def __init__(self, text: object) -> None:
        if not isinstance(text, str):
            kind = type(text).__name__
            del text
            raise ApiError(f"the API key must be a string, found {kind}", argument="api_key")
        text = text.strip()
        if not re.fullmatch(r"[\x21-\x7e]*", text):
            text = ""  # it must not be seen in the frame of the error either
            message = "the API key contains characters that an HTTP header cannot"
            raise ApiError(message, argument="api_key")
        # In a closure: tools that walk over attributes find a function.
        self.reveal: Callable[[], str] = lambda: text

    @classmethod
    def from_environment(cls) -> Secret:
        """Take the key from the environment; an empty one if there is none."""
        return cls(next((os.environ[name] for name in KEY_VARIABLES if os.environ.get(name)), ""))

    @property
    def is_short(self) -> bool:
        """Whether it is too short to be a key of the API: it may be any word."""
        return 0 < len(self.reveal()) < SHORTEST

    def is_in(self, text: str | bytes) -> bool:
        """Whether a text holds the key, in capital or small letters."""
        key = self.reveal().lower()
        if len(key) < SHORTEST:
            return False
        return key in text.lower() if isinstance(text, str) else key.encode() in text.lower()

    def shown(self, text: str) -> str:
        """Return a text from elsewhere as it may be shown: a note in place of one with the key."""
        return "(not shown: it contains the API key)" if self.is_in(text) else visible(text)

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __repr__(self) -> str:
        return "<Secret>" if self else "<no key>"

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("an API key is not pickled; make a new client where one is needed")
