"""The body of an answer, piece by piece: within its limits, and as long as anybody waits."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from sims_analysis.errors import PayloadError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

#: A body in more pieces than this must have so many bytes in each: taking one up takes longer
#: than a server needs to send it.
_MANY_PIECES, _FRAGMENT = 1 << 16, 16
#: Bytes that are decompressed at once, which takes less than a millisecond.
_AT_ONCE = 1 << 18


class DamagedBody(Exception):
    """A compressed body that is cut off or garbled."""


def limited(pieces: Iterable[bytes], limit: int) -> Iterator[bytes]:
    """Refuse a body that is too large, or comes in so many pieces that nobody can take them up.

    Raises
    ------
    PayloadError
        As soon as it is.
    """
    size = 0
    for count, piece in enumerate(pieces, 1):
        size += len(piece)
        if size > limit:
            raise PayloadError(f"the answer is larger than max_response_bytes={limit}")
        if count > _MANY_PIECES and size < _FRAGMENT * count:
            raise PayloadError(f"the answer comes in fragments, {count} pieces for {size} bytes")
        yield piece


def inflated(pieces: Iterable[bytes], check: Callable[[], None]) -> Iterator[bytes]:
    """Decompress gzip, not more at once than can be checked.

    httpx decompresses whatever has arrived before it can be measured.

    Parameters
    ----------
    pieces : iterable of bytes
        As sent.
    check : callable
        Called after each step; it raises an error if nobody waits any more.

    Raises
    ------
    DamagedBody
        If it is cut off or garbled, or if something follows it.

    Examples
    --------
    >>> import gzip
    >>> b"".join(inflated([gzip.compress(b"[]")], lambda: None))
    b'[]'
    """
    inflate = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    for compressed in pieces:
        rest = compressed
        while rest:
            try:
                piece = inflate.decompress(rest, _AT_ONCE)
            except zlib.error:
                raise DamagedBody from None
            check()
            yield piece
            # What is left at the end is the check sum, behind all that it is of.
            rest = inflate.unconsumed_tail
    if not inflate.eof or inflate.unused_data:
        raise DamagedBody


def beginning(pieces: Iterable[bytes], size: int) -> bytes:
    """Take the beginning of a body, and no more."""
    taken = b""
    for piece in pieces:
        taken += piece
        if len(taken) >= size:
            break
    return taken[:size]
