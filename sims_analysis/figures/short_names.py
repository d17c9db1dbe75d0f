"""Long names, shortened so that they still differ."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

#: Longest name in a figure, in characters.
_LONGEST = 36


def brief(name: str, longest: int = _LONGEST) -> str:
    """Shorten a long name; its beginning and its end say most."""
    if len(name) <= longest or "$" in name:
        return name
    return f"{name[: longest - 12]}…{name[-10:].strip()}" if longest > 13 else f"{name[:11]}…"


def briefs(names: Sequence[str], longest: int = _LONGEST) -> list[str]:
    """Shorten names so that they still differ, if need be by the words that all share."""
    short = [brief(name, longest) for name in names]
    if len(set(short)) == len(set(names)):
        return short
    words = [name.split() for name in names]
    # The last of the words before says what differs: wafer 12.
    start, end = max(_shared(words) - 1, 0), _shared([one[::-1] for one in words])
    own = [" ".join(one[start : len(one) - end]) for one in words]
    short = [brief(text, longest) for text in own]
    if len(set(short)) < len(set(own)):
        short = own
    return [f"{'… ' * (start > 0)}{text}{' …' * (end > 0)}" for text in short]


def _shared(names: Sequence[Sequence[str]]) -> int:
    """Count the words that all names begin with."""
    columns = zip(*names, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
