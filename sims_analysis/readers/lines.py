"""Lines of numbers to columns: all at once where they are regular."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Sequence
from itertools import repeat
from typing import Any

import numpy as np

from sims_analysis.readers.numbers import NOTHING, split_line
from sims_analysis.readers.signals import Array

__all__ = ["columns_of_lines"]

#: As most write them.
_EMPTY = ["", "nan", "NaN"]
#: About so many characters of a table are handed on at once.
_PIECE = 1 << 16

Odd = dict[int, Sequence[object]]


def columns_of_lines(
    lines: Sequence[str],
    delimiter: str | None,
    decimal: str,
    width: int,
    *,
    quoted: bool,
    labels: Collection[int],
    plain: bool,
) -> tuple[Array, Odd, tuple[int, str] | None]:
    """Take lines apart.

    Parameters
    ----------
    lines : sequence of str
        Without blank ones; one may end early.
    delimiter : str or None
        ``None`` for blanks.
    decimal : {".", ","}
    width : int
    quoted : bool
        Whether cells may stand in quotes.
    labels : collection of int
        Columns that hold words.
    plain : bool
        Whether every number is one: some may say that nothing was measured.

    Returns
    -------
    values : ndarray, shape (rows, width)
        Columns are contiguous: they are what is asked for.
    odd : dict
        The cells of columns that are no plain numbers, which are NaN in `values`.
    beyond : tuple or None
        The first line with a cell beyond the columns, and what is wrong with it; lines from there
        on are left out.
    """
    as_text: Any = dict.fromkeys(labels, str) if plain else str

    def fast() -> tuple[Array, Odd] | None:
        # pandas takes what is too long in the first line for an index.
        if lines and len(split_line(lines[0], delimiter, quoted=quoted)) > width:
            return None
        return _fast(lines, delimiter, decimal, width, quoted=quoted, as_text=as_text)

    columns, beyond = fast(), None
    if columns is None:
        if delimiter is None:
            longest = max((len(line.split()) for line in lines), default=0)
        else:
            longest = max(map(str.count, lines, repeat(delimiter)), default=0) + 1
        if longest > width:
            lines, beyond = _up_to_beyond(lines, delimiter, width, quoted=quoted)
            columns = fast()
    if columns is None:
        rows = [
            [*split_line(line, delimiter, quoted=quoted), *[""] * width][:width] for line in lines
        ]
        odd: Odd = dict(enumerate(zip(*rows, strict=True)))
        columns = np.full((len(lines), width), np.nan, order="F"), odd
    return *columns, beyond


def _up_to_beyond(
    lines: Sequence[str], delimiter: str | None, width: int, *, quoted: bool
) -> tuple[Sequence[str], tuple[int, str] | None]:
    """Take off the empty cells beyond the columns, up to the first line in which one is not."""
    lines = [line.rstrip(delimiter) for line in lines]
    for i, line in enumerate(lines):
        if delimiter is not None and line.count(delimiter) < width:
            continue
        cells = split_line(line, delimiter, quoted=quoted)
        cell = next((c for c in cells[width:] if c.strip().casefold() not in NOTHING), None)
        if cell is not None:
            fault = f"{len(cells)} cells in a table of {width} columns; {cell!r} belongs to none"
            return lines[:i], (i, fault)
    return lines, None


def _fast(
    lines: Sequence[str],
    delimiter: str | None,
    decimal: str,
    width: int,
    *,
    quoted: bool,
    as_text: Any,
) -> tuple[Array, Odd] | None:
    """Give columns of numbers where all cells are plain ones or empty, of texts elsewhere.

    ``None`` where lines are not what the delimiter makes of them.
    """
    import pandas as pd

    # Until then, it was not exact unless asked.
    exact = tuple(map(int, pd.__version__.split(".")[:2])) >= (3, 1)
    options: dict[str, Any] = {} if exact else {"float_precision": "round_trip"}
    options["dtype"] = as_text or None
    numbers = [j for j in range(width) if as_text is str or j not in as_text]
    # pandas looks at each column's own texts by itself, which takes longer.
    options["na_values"] = _EMPTY if len(numbers) == width else dict.fromkeys(numbers, _EMPTY)
    try:
        frame = pd.read_csv(
            _File(lines),
            sep=r"\s+" if delimiter is None else delimiter,
            decimal=decimal,
            header=None,
            names=range(width),
            index_col=False,
            keep_default_na=False,
            quoting=csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE,
            skip_blank_lines=False,
            low_memory=False,
            engine="c",
            **options,
        )
    except (ValueError, OverflowError):
        return None
    kinds = [dtype.kind for dtype in frame.dtypes]
    # True and false would pass for numbers.
    if len(frame) != len(lines) or "b" in kinds:
        return None
    odd: Odd = {j: frame[j].tolist() for j, kind in enumerate(kinds) if kind not in "fiu"}
    if odd:
        frame[[*odd]] = np.nan
    return np.asfortranarray(frame.to_numpy(), dtype=np.float64), odd


class _File(io.RawIOBase):
    """Lines as a file, some at a time: a copy of the whole would take as long as reading it."""

    def __init__(self, lines: Sequence[str]) -> None:
        count = max(1, _PIECE // (len(lines[0]) + 1)) if lines else 1
        self._parts = ("\n".join(lines[i : i + count]) + "\n" for i in range(0, len(lines), count))
        super().__init__()

    def read(self, size: int = -1) -> bytes:  # noqa: ARG002 - pandas takes what it is given
        return next(self._parts, "").encode()
