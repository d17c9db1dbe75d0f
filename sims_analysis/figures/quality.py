"""What is known of the samples of a profile besides their values, for plots and pages.

A row says of what kind some samples are, and between which depths. What data carry and what their
values show is of :mod:`sims_analysis.frame.evidence`; the number that an instrument writes for no
counts is looked for here, since it is only drawn.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from sims_analysis.analysis.series import Series
from sims_analysis.kernels.rows import Array, Flags
from sims_analysis.outcomes import GAP, KINDS

#: Fewer samples do not tell what the instrument writes for no counts.
_FEWEST = 10
#: Such a number is below all samples by these factors: if it occurs once, or repeatedly.
_ALONE, _REPEATED = 300.0, 100.0


class Quality(NamedTuple):
    """A row of the table: a kind of samples, the first and the last depth of a run, their number.

    A gap is between the last sample before it and the first one after it, and has none. Depths are
    in the canonical unit; ``height`` is the limit of samples below one, in that of the values.
    """

    species: str
    kind: str
    start: float
    stop: float
    samples: int
    height: float = np.nan

    @property
    def empty(self) -> bool:
        """Whether no curve is drawn there: in a gap, and where all is below a limit."""
        return not self.samples and self.kind in ("gap", "below_limit")


def quality_of(series: Series) -> tuple[Quality, ...]:
    """Tabulate what is known of the samples of a profile, and its placeholders."""
    x, y = series.x, series.y
    found = [
        Quality(
            series.species,
            kind.name,
            run.first,
            run.last,
            0 if kind.flags & GAP else int(((x >= run.first) & (x <= run.last)).sum()),
            run.height,
        )
        for run in series.known
        for kind in KINDS
        if run.flag & kind.flags
    ]
    found += [
        Quality(series.species, "placeholder", float(x[first]), float(x[last]), last - first + 1)
        for first, last in _runs(y == placeholder(y))
    ]
    return tuple(found)


def samples_of(kind: str, x: Array, table: tuple[Quality, ...]) -> Flags:
    """Find the samples that are of a kind."""
    flags = np.zeros(x.shape, dtype=bool)
    for row in table:
        if row.kind == kind:
            flags |= (x >= row.start) & (x <= row.stop)
    return flags


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """List the first and the last place of each run of flags."""
    steps = np.diff(np.concatenate([[0], np.ravel(flags).astype(int), [0]]))
    ends = np.flatnonzero(steps == 1), np.flatnonzero(steps == -1) - 1
    return list(zip(*(one.tolist() for one in ends), strict=True))


def placeholder(y: Array) -> float:
    """Find the number that an instrument writes for no counts; NaN if there is none.

    It is the smallest positive number, far below all others, and not the end of a steep profile: it
    occurs more than once, or alone between samples that are far above.

    Examples
    --------
    >>> import numpy as np
    >>> placeholder(np.array([900.0, 30, 4, 1, 0.001, 2, 0.001, 1, 1, 0.001]))
    0.001
    >>> placeholder(10.0 ** np.arange(20))
    nan
    """
    values, counts = np.unique(y[y > 0], return_counts=True)
    if y.size < _FEWEST or values.size < 2:
        return float("nan")
    ratio = values[1] / values[0]
    if counts[0] > 1:
        return float(values[0]) if ratio >= _REPEATED else float("nan")
    at = int(np.flatnonzero(y == values[0])[0])
    inside = 0 < at < y.size - 1
    return float(values[0]) if inside and ratio >= _ALONE else float("nan")
