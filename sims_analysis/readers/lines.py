"""Lines of numbers to columns: many at once where they are plain, by the exact parser of JSON."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import TypeAlias

import numpy as np
import orjson

from sims_analysis.readers.numbers import NOTHING, split_line
from sims_analysis.readers.signals import Array

__all__ = ["Lines"]

#: About so many characters of a table are taken at once.
_PIECE = 1 << 16
#: What JSON holds beside numbers begins with these; ``null`` is nothing in a table as well.
_NO_NUMBERS = ("t", "f", '"', "[", "{")
#: Of these alone, ``float`` takes numbers and nothing else.
_DIGITS = str.maketrans("", "", "0123456789+-.eE")
#: How nothing is written, and how JSON writes it.
_GAPS = (
    *(("[,", "[null,"), (",]", ",null]"), ("[]", "[null]")),
    *((",,", ",null,"), (",,", ",null,"), ("nan", "null"), ("NaN", "null")),
)

Odd: TypeAlias = dict[int, Sequence[object]]


@dataclass(frozen=True)
class Lines:
    """How lines are taken apart.

    Parameters
    ----------
    delimiter : str or None
        ``None`` for blanks.
    decimal : {".", ","}
    width : int
        Number of columns.
    quoted : bool
        Whether cells may stand in quotes.
    plain : bool
        Whether every number is one: some may say that nothing was measured.
    labels : collection of int
        Columns that hold words.
    words : collection of int
        Columns that may: all cells of one that is odd are texts.
    """

    delimiter: str | None
    decimal: str
    width: int
    quoted: bool
    plain: bool
    labels: Collection[int]
    words: Collection[int]

    def columns(self, lines: Sequence[str]) -> tuple[Array, Odd, tuple[int, str] | None]:
        """Take lines apart, which may end early, but are not blank.

        Returns
        -------
        values : ndarray, shape (rows, width)
            Columns are contiguous: they are what is asked for.
        odd : dict
            The cells of columns that are no plain numbers, which are NaN in `values`: texts, or
            numbers where a part of one is plain.
        beyond : tuple or None
            The first line with a cell beyond the columns, and what is wrong with it; lines from
            there on are left out.
        """
        values = np.empty((len(lines), self.width), order="F")
        odd: dict[int, dict[int, Sequence[str]]] = {}
        step = max(1, _PIECE // (len(lines[0]) + 1)) if lines else 1
        for start in range(0, len(lines), step):
            piece = lines[start : start + step]
            numbers = self._numbers(piece)
            if numbers is not None:
                values[start : start + step] = numbers
                continue
            rows = [self._split(line) for line in piece]
            beyond = self._beyond(rows)
            if beyond is not None:
                found = self.columns(lines[: start + beyond[0]])
                return *found[:2], (start + beyond[0], beyond[1])
            rows = [[*cells, *[""] * self.width][: self.width] for cells in rows]
            for j, cells in enumerate(zip(*rows, strict=True)):
                read = None if j in self.labels or not self.plain else _column(cells, self.decimal)
                values[start : start + step, j] = np.nan if read is None else read
                if read is None:
                    odd.setdefault(j, {})[start] = cells
        return values, {j: self._texts(lines, values[:, j], odd[j], j) for j in odd}, None

    def _split(self, line: str) -> list[str]:
        return split_line(line, self.delimiter, quoted=self.quoted)

    def _numbers(self, lines: Sequence[str]) -> Array | None:
        """Read lines of plain numbers; ``None`` if anything else is in them."""
        if self.labels or not self.plain:
            return None
        mark = self.delimiter or "\t"
        lines = lines if self.delimiter else ["\t".join(line.split()) for line in lines]
        counts = [*map(str.count, lines, repeat(mark))]
        most = max(counts)
        if min(counts) < most:
            lines = [line + mark * (most - n) for line, n in zip(lines, counts, strict=True)]
        numbers = _parsed("\n".join(lines), mark, self.decimal)
        if numbers is None:
            return None
        rows = numbers.reshape(-1, most + 1)
        if most + 1 < self.width:
            return np.pad(rows, ((0, 0), (0, self.width - most - 1)), constant_values=np.nan)
        return rows[:, : self.width] if np.isnan(rows[:, self.width :]).all() else None

    def _beyond(self, rows: Sequence[Sequence[str]]) -> tuple[int, str] | None:
        """Find the first row with a cell beyond the columns that is not empty."""
        for i, cells in enumerate(rows):
            for cell in cells[self.width :]:
                if cell.strip().casefold() not in NOTHING:
                    found = f"{len(cells)} cells in a table of {self.width} columns"
                    return i, f"{found}; {cell!r} belongs to none"
        return None

    def _texts(
        self, lines: Sequence[str], values: Array, odd: dict[int, Sequence[str]], j: int
    ) -> list[object]:
        """Put the cells of an odd column together, and leave none in its values."""
        column: list[object] = values.tolist()
        if j in self.words:
            column = [cells[j] if j < len(cells) else "" for cells in map(self._split, lines)]
        for start, cells in odd.items():
            column[start : start + len(cells)] = cells
        values[:] = np.nan
        return column


def _parsed(text: str, delimiter: str, decimal: str) -> Array | None:
    """Read cells that are numbers or nothing; ``None`` if there is anything else."""
    if any(mark in text for mark in _NO_NUMBERS) or delimiter == decimal:
        return None
    if delimiter != ",":
        if (decimal == "," and "." in text) or (decimal == "." and "," in text):
            return None
        text = text.replace(",", ".").replace(delimiter, ",")
    cells = f"[{text}]".replace("\n", ",")
    for found, written in _GAPS:
        cells = cells.replace(found, written)
    try:
        return np.array(orjson.loads(cells), dtype=np.float64)
    except orjson.JSONDecodeError:
        return None


def _column(cells: Sequence[str], decimal: str) -> Array | None:
    """Read the cells of a column, as well if they are ``+1.5``, ``.5`` or ``007``."""
    numbers = _parsed("\t".join(cells), "\t", decimal)
    if numbers is not None and numbers.size == len(cells):
        return numbers
    if decimal == "," or "".join(cells).translate(_DIGITS):
        return None
    try:
        return np.array([float(cell) if cell else np.nan for cell in cells])
    except ValueError:
        return None
