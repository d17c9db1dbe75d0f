"""VAMAS, ISO 14976: SIMS depth profiles, a block a species or a block a cycle.

The standard's list of units has no nanometre: where the depth has no unit, the user states it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sims_analysis import vocabulary
from sims_analysis.errors import ReadError
from sims_analysis.kernels.rows import Array
from sims_analysis.profiles.metadata import Metadata
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.header_cells import read_header, unit_kind

_FIRST = "VAMAS Surface Chemical Analysis Standard Data Transfer Format"
#: Codes of the standard -> units as this library reads them; others stay as they are.
_UNITS = {"micro m": "um", "m": "m", "s": "s", "c/s": "counts/s", "d": None, "n": None}


def recognises(source: Source) -> bool:
    """Whether the first line is that of the standard."""
    return source.start.lstrip().startswith(_FIRST)


class _EndOfFile(Exception):
    """There are no more lines."""


class _File:
    """What the header says; and the lines in their order, each asked for once."""

    def __init__(self, source: Source) -> None:
        self.lines = [line.strip() for line in source.lines]
        while self.lines and not self.lines[-1]:
            self.lines.pop()
        self.place = 0
        self.text()
        self.laboratory, self.instrument, _, _ = self.texts(4)
        self.texts(self.count())
        self.mode, self.scan = self.text().upper(), self.text().upper()
        if self.mode not in ("NORM", "SDP"):
            raise ReadError(
                f"the file is a map or a series (VAMAS mode {self.mode}), not a depth profile",
                code="no_profile",
            )
        self.count()
        self.variables = [(self.text(), self.text()) for _ in range(self.count())]
        if self.count():
            raise ReadError(
                "a VAMAS file that leaves parameters of its blocks out; such files are not read"
            )
        self.texts(self.count())
        future_experiment, self.future = self.count(), self.count()
        self.texts(future_experiment)
        self.blocks = self.count()

    def text(self) -> str:
        if self.place >= len(self.lines):
            raise _EndOfFile
        self.place += 1
        return self.lines[self.place - 1]

    def number(self) -> float:
        text = self.text()
        try:
            return float(text)
        except ValueError:
            raise ReadError(f"line {self.place}: expected a number, found {text!r}") from None

    def count(self) -> int:
        number = self.number()
        if not number.is_integer() or not 0 <= number < 1e8:
            raise ReadError(f"line {self.place}: expected a count, found {number:g}")
        return int(number)

    def texts(self, count: int) -> list[str]:
        return [self.text() for _ in range(count)]


@dataclass
class _Block:
    sample: str
    date: str
    variables: list[float]
    species: str
    transition: str
    abscissa: tuple[str, str, float, float] | None
    ordinates: list[tuple[str, str]]
    values: Array
    collection_time: float


def read(source: Source) -> Content:
    """Read the profiles."""
    blocks: list[_Block] = []
    place = "its header"
    try:
        file = _File(source)
        for number in range(1, file.blocks + 1):
            place = f"block {number} of {file.blocks}"
            blocks.append(_block(file))
            if file.mode == "SDP" and blocks[-1].values.size != len(blocks[-1].ordinates):
                raise ReadError(
                    f"each block has {blocks[-1].values.size} values: a series of mass spectra, "
                    "not a profile",
                    code="no_profile",
                )
    except _EndOfFile:
        message = f"the file is truncated in {place}"
        if not blocks:
            raise ReadError(message, code="truncated_file") from None
        source.options.truncated(message)
    by_cycle = file.mode == "SDP"
    signals = list(_by_cycle(blocks, file.variables)) if by_cycle else list(map(_whole, blocks))
    return Content(
        signals=signals,
        metadata=Metadata(
            instrument=_text_or_none(file.instrument),
            laboratory=_text_or_none(file.laboratory),
            sample=_text_or_none(blocks[0].sample),
            measured=blocks[0].date,
        ),
    )


def _text_or_none(text: str) -> str | None:
    return None if text.casefold() in ("", "not specified", "not known") else text


def _block(file: _File) -> _Block:
    _, sample = file.texts(2)
    date = [int(file.number()) for _ in range(6)]
    file.text()
    file.texts(file.count())
    technique = file.text()
    if technique not in ("SIMS", "SNMS"):
        kind = "a spectrum" if file.mode == "NORM" else f"in mode {file.mode}"
        text = f"the file is {kind} by {technique} (VAMAS), not a SIMS depth profile"
        raise ReadError(text, code="no_profile")
    variables = [file.number() for _ in file.variables]
    # The source and its geometry; the sputtering ion, which SIMS always has, is three lines of it.
    file.texts(19)
    species, transition = file.texts(2)
    file.text()
    abscissa = None
    if file.scan == "REGULAR":
        label, unit = file.texts(2)
        abscissa = label, unit, file.number(), file.number()
    ordinates = [(file.text(), file.text()) for _ in range(file.count())]
    file.text()
    collection_time = file.number()
    file.texts(5)
    file.texts(3 * file.count())
    file.texts(file.future)
    count = file.count()
    file.texts(2 * len(ordinates))
    if file.place + count > len(file.lines):
        raise _EndOfFile
    values = np.array([file.number() for _ in range(count)], dtype=np.float64)
    # A number of variables that is not stated is one.
    values = values.reshape(-1, len(ordinates) or 1)
    moment = "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}".format(*date)
    return _Block(
        sample, moment, variables, species, transition, abscissa, ordinates, values, collection_time
    )


def _whole(block: _Block) -> Signal:
    """Take the profile of a block that runs over depth or time."""
    table = block.values
    if block.abscissa is not None:
        label, unit, start, step = block.abscissa
        depths, column = start + step * np.arange(len(table), dtype=np.float64), 0
    else:
        if len(block.ordinates) < 2:
            text = f"species {block.species!r}: one variable; a profile needs two"
            raise ReadError(text, code="no_profile")
        label, unit = block.ordinates[0]
        depths, column = table[:, 0], 1
    if not _is_axis(label, unit):
        raise ReadError(
            f"species {block.species!r} runs over {label!r} ({unit}): a mass spectrum or a scan, "
            "not a depth profile",
            code="no_profile",
            where={"species": block.species},
        )
    return _signal(block, depths, unit, table[:, column], column)


def _is_axis(label: str, unit: str) -> bool:
    kind = unit_kind(_UNITS.get(unit, unit) or "")
    return read_header(label).role in ("axis", "time") or kind in vocabulary.AXES


def _signal(block: _Block, depths: Array, unit: str, values: Array, column: int) -> Signal:
    label, code = block.ordinates[column]
    units = _UNITS.get(code, code)
    if units is None and "count" in label.casefold():
        units = "counts"
    time = block.collection_time
    return Signal(
        name=_text_or_none(block.species) or _text_or_none(block.transition) or "",
        depths=depths,
        depth_units=_UNITS.get(unit, unit),
        values=values,
        units=units,
        where=f"block of {block.species!r}",
        metadata={"counting_time": f"{time:g} s"} if 0 < time < 1e30 else {},
    )


def _by_cycle(blocks: list[_Block], variables: list[tuple[str, str]]) -> Iterator[Signal]:
    """Put the blocks of all cycles together, species by species."""
    axis = next((i for i, variable in enumerate(variables) if _is_axis(*variable)), None)
    if axis is None:
        stated = ", ".join(label for label, _ in variables) or "none"
        text = f"no experimental variable is a depth or a sputter time; stated: {stated}"
        raise ReadError(text, code="missing_axis")
    for species in dict.fromkeys(block.species for block in blocks):
        members = [block for block in blocks if block.species == species]
        depths = np.array([block.variables[axis] for block in members])
        values = np.array([block.values[0, 0] for block in members])
        yield _signal(members[0], depths, variables[axis][1], values, 0)
