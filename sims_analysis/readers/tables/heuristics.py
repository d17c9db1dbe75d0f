"""The numbers by which a table is judged where no rule decides: one record, a line each."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Heuristics:
    """Limits in rows, cells and ratios."""

    #: Numbers, and headers that a user names, begin within so many rows.
    first_rows: int = 1000
    #: Lines that show whether cells stand in quotes, and rows that a turned text has at most.
    quoted_rows: int = 200
    #: Rows in which headers of a table with species in a column are looked for.
    tidy_rows: int = 30
    #: Rows in which notes next to the numbers begin.
    note_rows: int = 60
    #: Rows and columns of a table that is turned are not more than these.
    turned: int = 2000
    #: More empty lines than these between the numbers are how the file ends its lines.
    few_gaps: int = 3
    #: A row of another width that is a note has fewer numbers.
    many_numbers: int = 2
    #: Rows that a block below another has at least.
    block_rows: int = 3
    #: Part of the rows of a block from whose depths on the next one begins below an empty row.
    block_back: float = 0.5
    #: Points may separate thousands in numbers below this, to this part of a thousandth.
    thousand: float = 1000.0
    thousandth: float = 1e-6
    #: First rows that show whether a column may hold thousands.
    thousand_rows: int = 50
    #: Negative numbers that programs write for no value, ...
    sentinels: frozenset[float] = frozenset(
        (-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, -999999.0, -999.25)
    )
    #: ... positive ones, ...
    positive_sentinels: tuple[float, ...] = (9999.0, 99999.0, 999999.0)
    #: ... how large any negative number is that is one, ...
    huge: float = 1e20
    #: ... and how many times others are larger or smaller.
    apart: float = 100.0
    #: So many rows before the last show how long rows are.
    rows_before_last: int = 100
    #: So many before the last are near it.
    near_last: int = 8


HEURISTICS = Heuristics()
