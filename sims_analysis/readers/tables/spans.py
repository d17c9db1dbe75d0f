"""What two rows of headers say of each other: a lower one under the spans of an upper one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sims_analysis.readers.tables.header_cells import has_role, names_axis, try_header
from sims_analysis.readers.tables.words import is_species, names_species


def spanning(upper: Sequence[str], lower: Sequence[str]) -> dict[int, str]:
    """Return what stands above each filled cell of a row, or to the left of that."""
    filled = [j for j, cell in enumerate(lower) if cell]
    if not filled or not upper[filled[0]]:
        return {}
    return {j: upper[max(k for k in filled if k <= j and upper[k])] for j in filled}


def distinguishes_columns(upper: Sequence[str], lower: Sequence[str], raw: Sequence[str]) -> bool:
    """Whether the lower of two rows of headers distinguishes columns of a species.

    They are of several kinds, ``mean | SD``, or measured several times, ``run 1 | run 2``. Where
    the upper row repeats a header (`raw`, as written), the lower one distinguishes samples.
    """
    above = spanning(upper, lower)
    if not above or not names_axis(upper):
        return False
    if any(has_role(cell, "axis", "time", "index") for cell in above.values()):
        return False
    if are_kinds(lower):
        return True
    headers = [try_header(lower[j]) for j in above]
    spans = [try_header(cell) for cell in above.values()]
    if len({raw[j] for j in above}) < len({*above.values()}) or all(raw[j] for j in above):
        return False
    return len({*above.values()}) < len(above) and all(
        not (names_species(header.name) or header.unit or header.role in ("axis", "time", "unread"))
        and is_species(span.name)
        for header, span in zip(headers, spans, strict=True)
    )


def are_kinds(cells: Iterable[str]) -> bool:
    """Whether a row says of what kind values are, and nothing else: ``mean``, ``SD``, ``rate``."""
    headers = [try_header(cell) for cell in cells if cell]
    return bool(headers) and all(
        header.role in ("value", "error") and not (header.name or header.unit) for header in headers
    )
