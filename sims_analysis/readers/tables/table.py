"""Tables as laboratories write them: one depth column for all, or a pair of columns a species."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileWarning, ReadError, SimsError, UnitsError, warn
from sims_analysis.kernels.rows import Array, Flags
from sims_analysis.profiles.metadata import Layer, Metadata
from sims_analysis.readers.signals import Column, Content, Signal
from sims_analysis.readers.source import Source, once_per_source
from sims_analysis.readers.tables.body import (
    Body,
    check_short_lines,
    find_body,
    read_body,
    refuse_odd_rows,
    warn_of_uneven_rows,
)
from sims_analysis.readers.tables.columns import (
    Pair,
    find_pairs,
    stated_pairs,
    take_limits,
    warn_of_merged_cells,
)
from sims_analysis.readers.tables.grid import Block, Grid, TextGrid
from sims_analysis.readers.tables.header_cells import (
    PERCENT,
    are_labels,
    factor_in,
    has_factor,
    is_matrix_signal,
    is_only_species,
    named_role,
    names_species,
    pattern,
    refuse_factor,
    same_unit,
    try_header,
    unit_kind,
)
from sims_analysis.readers.tables.headers import Headers
from sims_analysis.readers.tables.regions import (
    chosen_sheet,
    tables_in,
    text_grid,
    transposed_rows,
    without_side_notes,
)
from sims_analysis.readers.tables.samples import (
    label_column,
    layers_of,
    split_samples,
    split_species,
)

#: ``All depths in um``.
_ALL_IN = re.compile(
    r"(?:all )?(?:the )?(.+?)s?(?: is| are)?(?: given)? (?:in|en) (\S+?)\.?$", re.IGNORECASE
)
#: Numbers that programs write for no value, and positive ones.
_SENTINELS = frozenset((-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, -999999.0, -999.25))
_POSITIVE_SENTINELS = (9999.0, 99999.0, 999999.0)
_HUGE = 1e20  # a negative number of this size is one, whichever it is
_APART = 100.0  # times the largest other value, or below their median: far from all
_GAP = 1e10  # times the least positive value, below the largest: no profile has such a range
#: No value is known better than to this part: a million million ions would have to be counted.
_EXACT = 1e-6


def recognises(source: Source) -> bool:
    """Take every text and workbook that no other format takes."""
    return source.is_workbook or source.is_text


def recognises_tidy(source: Source) -> bool:
    """Whether headers of the text, or of the sheet to read, name a column of species."""
    try:
        return recognises(source) and label_column(find_grid(source)) is not None
    except ReadError:
        return False


def read(source: Source) -> Content:
    """Read a table."""
    return read_grid(find_grid(source), source)


@once_per_source
def find_grid(source: Source) -> Grid:
    """Find the rows of a file: of a text, or of the sheet to read."""
    grid = chosen_sheet(source) if source.is_workbook else text_grid(source)
    source.trace.grid = grid
    if grid is not None:
        return grid
    likeliest = max("\t;,|", key=source.start.count)
    delimiter, quoted = likeliest if likeliest in source.start else None, '"' in source.start
    text = TextGrid(source.lines, source.options, delimiter=delimiter, quoted=quoted)
    if delimiter and source.options.states_columns:
        source.trace.grid = text
        return text
    source.trace.tables = [Table(text)]
    refuse_odd_rows(text)
    lines = [i for i, line in enumerate(source.lines) if re.match(r"[\s\"]*[-+.]?\d", line)]
    hint = f"; line {lines[0] + 1} is {source.lines[lines[0]][:60].strip()!r}" if lines else ""
    raise ReadError(
        f"the file has no row of two numbers or more: a header without data, or no table{hint}",
        code="no_profile",
    )


@dataclass
class Table:
    """How far a table was understood: what each row and column was taken for."""

    grid: Grid
    body: Body | None = None
    headers: Headers | None = None
    pairs: list[Pair] = field(default_factory=list)


def read_grid(grid: Grid, source: Source) -> Content:
    """Read the profiles of a grid."""
    sheets = ", ".join(map(repr, grid.other_sheets))
    note = f"there are rows of numbers in {sheets} too"
    choice = "sheet= names the one to read"
    try:
        content = _join_tables([_read_table(part, source) for part in tables_in(grid)], grid)
    except SimsError as error:
        if sheets:
            text = f"sheet {grid.name!r}: {error.message}; {note}"
            error.args = (text, *error.args[1:])
            error.remedy = f"{error.remedy}; {choice}" if error.remedy else choice
        raise
    if sheets:
        text = f"read from sheet {grid.name!r}; {note}"
        warn(text, ProfileWarning, code="several_tables", argument="sheet", remedy=choice)
    return content


def _join_tables(tables: Sequence[list[Content]], grid: Grid) -> Content:
    """Join the tables of a grid: of one sample, unless names of species repeat or labels differ."""
    samples = grid.options.samples
    if len(tables) == 1:
        return tables[0][0] if samples is None else Content(parts=tables[0])
    blocks, labels = [content for contents in tables for content in contents], list[str]()
    for n, block in enumerate(blocks, 1):
        notes = block.metadata.other.items()
        titles = (text for key, text in notes if key == "line 1" or named_role(key, "text"))
        labels.append(next(titles, f"block {n}"))
    signals = [signal for block in blocks for signal in block.signals]
    names = {(signal.name, unit_kind(signal.units or "")) for signal in signals}
    of_species = all(map(names_species, labels)) and not are_labels(labels)
    alike = of_species or len({*labels}) == 1 or any(map(re.compile(r"block \d").match, labels))
    if samples is not None:
        records = (replace(b.metadata, sample=s) for b, s in zip(blocks, labels, strict=True))
        return Content(parts=[replace(b, metadata=m) for b, m in zip(blocks, records, strict=True)])
    if len(names) < len(signals) or not alike:
        raise ReadError(
            f"{len(blocks)} tables of several samples stand below each other: "
            f"{', '.join(map(repr, labels))}",
            code="several_samples",
            argument="samples",
            remedy="samples=True reads each as a measurement",
        )
    merged: dict[str, str] = {}
    for n, block in enumerate(blocks, 1):
        for key, text in block.metadata.other.items():
            merged[key if merged.get(key, text) == text else f"{key} ({n})"] = text
    return Content(signals=signals, metadata=replace(blocks[0].metadata, other=merged))


def _read_table(grid: Grid, source: Source) -> list[Content]:
    grid = without_side_notes(grid)
    if not grid.options.states_columns and (columns := transposed_rows(grid)):
        if isinstance(grid, TextGrid):
            warn_of_uneven_rows(grid, columns)
        grid = grid.transposed(columns)
    stated: list[Pair] = []
    if grid.options.columns is not None:
        grid, stated = stated_pairs(grid)
    table = Table(grid)
    source.trace.tables.append(table)
    body = table.body = find_body(grid)
    label = None
    if not stated and (species_column := label_column(grid)) is not None:
        # Below headers for each column, a cell beyond them is one too many.
        label, body.width = species_column
    block = read_body(body, () if label is None else (label,))
    headers = table.headers = Headers(body, block)
    if isinstance(grid, TextGrid):
        check_short_lines(grid, block, headers.filled, headers.columns("axis", "time"))
    notes = _notes(grid, body, headers)
    pairs = table.pairs = stated or find_pairs(grid, headers, block)
    take_limits(grid, block, headers, pairs)
    layers: tuple[Layer, ...] = ()
    if label is not None:
        parts = split_species(body, block, headers, pairs, label)
    else:
        warn_of_merged_cells(grid, block, pairs)
        parts, constant = split_samples(body, block, headers, pairs, stated=bool(stated))
        notes |= constant
        _state_units_of_notes(headers, notes)
        _ask_name_of_sheet(grid, headers, pairs)
        layers = layers_of(block, headers, pairs[0].axis)
    samples: dict[str | None, list[Signal]] = {}
    for sample, rows, of_sample in parts:
        with_gaps = {column for _, column in rows.limits}
        with_gaps |= {j for j in {p.axis for p in of_sample} if np.isnan(rows.values[:, j]).any()}
        signals = [_signal(grid, rows, headers, pair, with_gaps) for pair in of_sample]
        samples.setdefault(sample, []).extend(s for s in signals if s is not None)
    return [
        Content(signals=signals, metadata=Metadata(sample=name, layers=layers, other=notes))
        for name, signals in samples.items()
    ]


def _state_units_of_notes(headers: Headers, notes: Mapping[str, str]) -> None:
    """Take the units that notes state: ``Depth unit: um``; two for values leave them open."""
    keys = {f"{key}: {unit}": (pattern("unit").sub("", key), unit) for key, unit in notes.items()}
    sentences = [match for text in notes.values() if (match := _ALL_IN.match(text))]
    keys |= {match[0]: (match[1], match[2]) for match in sentences}
    heads = {text: (header := try_header(text), header.unit or "") for text in notes.values()}
    heads |= {text: (try_header(key.lstrip("#%! ")), unit) for text, (key, unit) in keys.items()}
    for role, kinds in (("axis", vocabulary.AXES), ("value", vocabulary.VALUE_KINDS)):
        units = {
            unit: text
            for text, (header, unit) in heads.items()
            if (header.role, header.name, header.explicit) == (role, "", True)
            and unit_kind(unit) in kinds
        }
        columns = headers.columns(role) if len(units) == 1 else []
        header_units = {j: unit for j in columns if (unit := headers.units[j])}
        for unit, text in units.items() if header_units else ():
            if not any(same_unit(unit, of_column) for of_column in header_units.values()):
                j, of_column = next(iter(header_units.items()))
                raise UnitsError(
                    f"the note {text!r} states another unit than {of_column!r} of the header "
                    f"{headers.texts[j]!r}; correct one of them",
                    code="different_units",
                )
        for j in columns:
            if j not in header_units and not is_matrix_signal(headers.name(j)):
                [headers.units[j]] = units


def _ask_name_of_sheet(grid: Grid, headers: Headers, pairs: Sequence[Pair]) -> None:
    """Take the unit of the values, and their species, from the name of the sheet at last."""
    if grid.name is None:
        return
    if factor_in(grid.name) or has_factor(grid.name):
        refuse_factor(grid.name, "the name of the sheet ")
    # ``W7`` is a wafer.
    if len(pairs) == 1 and is_only_species(grid.name) and not grid.name[-1].isdigit():
        pairs[0].name = pairs[0].name or grid.name
    if any(headers.units[pair.value] for pair in pairs):
        return
    match = re.search(r"[(\[]([^()\[\]]+)[)\]]\s*$", grid.name)
    unit = match[1].strip() if match else grid.name.strip()
    if unit_kind(unit) in vocabulary.VALUE_KINDS and re.search(r"\W|\d", unit):
        for pair in pairs:
            # A matrix signal is measured in another unit.
            if not is_matrix_signal(pair.name):
                headers.units[pair.value] = unit


def _notes(grid: Grid, body: Body, headers: Headers) -> dict[str, str]:
    """Collect the rows that are not headers: `key : value`, `key | value`, or free text."""
    notes: dict[str, str] = {}
    rows = [*headers.notes, *body.below]
    for cells in (*grid.notes, *([text] for text in headers.side_notes), *map(grid.cells, rows)):
        filled = [cell for cell in cells if cell]
        text = " ".join(filled)
        key, _, value = map(str.strip, text.partition(":" if ":" in text else " = "))
        if len(filled) == 2 and ":" not in filled[0]:
            key, value = filled
        if key and value:
            notes[key] = value
        elif text:
            notes[f"line {len(notes) + 1}"] = text
    return notes


def _signal(grid: Grid, block: Block, headers: Headers, pair: Pair, odd: set[int]) -> Signal | None:
    """Take the samples of one profile out of the block; `odd` columns hold limits or gaps."""
    x, y = block.values[:, pair.axis], block.values[:, pair.value]
    title = grid.title(pair.value)
    rows: slice | Flags = slice(None)
    limits = None
    if pair.axis in odd or pair.value in odd or not headers.filled[pair.value]:
        limits, rows = _limits(grid, block, pair)
        if not (np.isfinite(limits[rows]) | ~np.isnan(y[rows])).any():
            text = f"{title} ({headers.texts[pair.value]!r}) holds no number"
            warn(text, ProfileWarning, code="empty_column")
            return None
    _refuse_sentinel(grid, block, pair)
    signal = Signal(
        name=pair.name,
        depths=x[rows],
        depth_units=headers.units[pair.axis] or pair.depth_units,
        values=y[rows],
        units=headers.units[pair.value] or pair.units,
        where=title,
        stderr=_errors(grid, block, headers, pair, rows),
        ancillary={
            name: Column(block.values[rows, j], headers.units[j])
            for name, j in pair.ancillary.items()
        },
    )
    of_depths = _errors_within(block, pair.axis, rows) if block.errors else None
    if of_depths is not None:
        signal.ancillary["depth_error"] = Column(of_depths, headers.units[pair.axis])
    if pair.sample:
        signal.metadata["sample"] = pair.sample
    signal.metadata |= headers.metadata.get(pair.value, {})
    if limits is not None:
        signal.mark_below_limit(limits[rows])
    return signal


def _refuse_sentinel(grid: Grid, block: Block, pair: Pair) -> None:
    """Refuse a number that stands for no value: ``-9999``, or one that is far from all others."""
    values = block.values[:, pair.value]
    if grid.options.not_measured:
        return
    lowest, highest = block.extent[:, pair.value].tolist()
    candidates = {lowest, highest}.intersection(_POSITIVE_SENTINELS)
    if lowest == 0 and highest >= min(_POSITIVE_SENTINELS):
        candidates.update(_POSITIVE_SENTINELS)
    if lowest < 0 or 0 < lowest * _GAP < highest < np.inf:
        candidates.add(lowest)
    for number in candidates:
        places = np.flatnonzero(values == number)
        if not places.size or (number < 0 and (values[values < 0] != number).any()):
            continue
        other_values = values[(values > 0) & (values != number)]
        tail = other_values.min(initial=np.inf) < _GAP * number or (
            places.size == 1 and number * _HUGE > 1
        )
        if number > 0 and number not in _POSITIVE_SENTINELS and tail:
            # One number may be cut, or go on as others do.
            continue
        size, is_usual, highest = abs(number), number in _SENTINELS, other_values.max(initial=0.0)
        is_far = number < 0
        if other_values.size:
            is_far = size > _APART * highest or _APART * size < np.median(other_values)
        is_above = is_usual and 0 < highest < size
        if is_above or (is_far and (is_usual or number > 0 or size > _HUGE)):
            row = block.rows[places[0]]
            cells = next(grid.cells(i) for i in range(len(grid)) if grid.number(i) == row)
            text = cells[pair.value]
            raise ReadError(
                f"{grid.where(row, pair.value)}: {text} is far from all other "
                f"values of its column, in {places.size} of {values.size} rows",
                code="not_a_number",
                argument="not_measured",
                remedy=f"if it says that nothing was measured, pass not_measured={text!r}; if it "
                "is a value, not_measured='-' keeps it",
            )


def _errors(
    grid: Grid, block: Block, headers: Headers, pair: Pair, rows: slice | Flags
) -> Array | None:
    """Return standard errors in the unit of the values: of a column, or of the cells of values."""
    if pair.error is None:
        return _errors_within(block, pair.value, rows)
    errors, values = block.values[rows, pair.error], np.abs(block.values[rows, pair.value])
    if headers.units[pair.error] in PERCENT:
        return errors / 100 * values
    if headers.units[pair.error] is None and np.nanmax(errors) < _EXACT * np.nanmedian(values):
        raise UnitsError(
            f"{grid.title(pair.error)} ({headers.texts[pair.error]!r}) states no unit, and its "
            f"numbers, up to {np.nanmax(errors):g}, are too small to be errors of the values; if "
            "they are in per cent, state '%' in the header, otherwise the unit of the values",
            code="missing_unit",
        )
    return errors


def _errors_within(block: Block, column: int, rows: slice | Flags) -> Array | None:
    """Return the errors in cells of a column: ``1E15 ± 1E14``."""
    by_row = {row: error for (row, j), error in block.errors.items() if j == column}
    if not by_row:
        return None
    errors = np.full(len(block.values), np.nan)
    errors[[*by_row]] = [*by_row.values()]
    return errors[rows]


def _limits(grid: Grid, block: Block, pair: Pair) -> tuple[Array, slice | Flags]:
    """Return the limits of samples below one, NaN at all others, and in which rows samples are."""
    limits = np.full(len(block.values), np.nan)
    for (row, column), limit in block.limits.items():
        if column == pair.axis:
            text = f"{grid.where(block.rows[row], column)}: a depth cannot be a limit"
            raise ReadError(text, code="missing_depth")
        if column == pair.value:
            limits[row] = limit
    x, y = block.values[:, pair.axis], block.values[:, pair.value]
    present = ~(np.isnan(x) & np.isnan(y) & np.isnan(limits))
    without_depth = present & np.isnan(x)
    if without_depth.any():
        row = int(without_depth.argmax())
        value = y[row] if np.isnan(limits[row]) else f"<{limits[row]:g}"
        text = f"{grid.where(block.rows[row], pair.axis)}: a value without a depth ({value})"
        raise ReadError(text, code="missing_depth")
    return limits, slice(None) if present.all() else present


_MARKS = re.compile(r"Evans Analytical|\bEAG\b|Drawn Curves|Num of Cycles", re.IGNORECASE)
#: The marks stand within so many rows.
_START = 10
_NUMBERS = re.compile(r"\s*[-+.\d]")


def recognises_eag(source: Source) -> bool:
    """Whether the lines above the numbers are those of the layout."""
    if source.is_workbook:
        grid = find_grid(source)
        rows = map(grid.cells, range(min(len(grid), _START)))
        return any(_MARKS.search(cell) for row in rows for cell in row)
    lines = source.start.split("\n")[:_START]
    return any(_MARKS.search(line) for line in lines if not _NUMBERS.match(line))


def read_eag(source: Source) -> Content:
    """Read a table, and what its first lines say."""
    content = read_grid(find_grid(source), source)
    if content.parts:
        return replace(content, parts=[_with_sample(part) for part in content.parts])
    return _with_sample(content)


def _with_sample(content: Content) -> Content:
    notes = dict(content.metadata.other)
    sample = next((notes.pop(key) for key in list(notes) if "sample" in key.lower()), None)
    laboratory = notes.pop("line 1", None)
    cycles = next((notes[key] for key in notes if key.casefold() == "num of cycles"), "")
    longest = max((signal.values.size for signal in content.signals), default=0)
    if cycles.isdecimal() and longest < int(cycles):
        warn(
            f"the file states {cycles} cycles, its longest profile has {longest} samples: it may "
            "be truncated",
            ProfileWarning,
            code="truncated_file",
        )
    metadata = replace(
        content.metadata,
        sample=content.metadata.sample or sample,
        laboratory=laboratory,
        other=notes,
    )
    return replace(content, metadata=metadata)
