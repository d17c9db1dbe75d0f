"""CAMECA NanoSIMS ``.is_txt``: counts over cumulative seconds, a block for each isotope."""

from __future__ import annotations

import re
from itertools import pairwise

from sims_analysis.errors import ReadError
from sims_analysis.profiles.metadata import Metadata
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.truncation import read_two_columns

_BLOCK = re.compile(r"B\s*=.*: M=\s*([\d.,]+)\s*\((.*?)\s*\)\s*: Tc\s*=\s*([\d.,]+)\s*ms\s*")
_SAMPLE = re.compile(r"Sample\s*:\s*(.*?)\s*(\d\d\.\d\d\.\d\d(?: / \d\d:\d\d)?)?\s*")


def recognises(source: Source) -> bool:
    """Whether a block begins with field, radius, mass and counting time."""
    start = source.start
    return "\t" in start and any(map(_BLOCK.fullmatch, start.split("\n")[:10]))


def read(source: Source) -> Content:
    """Read the blocks."""
    lines = source.lines
    headers = {i: m for i, m in enumerate(map(_BLOCK.fullmatch, lines)) if m}
    signals: list[Signal] = []
    for start, stop in pairwise([*headers, len(lines)]):
        header = headers[start]
        rows = [i for i in range(start + 1, stop) if lines[i].split() not in ([], ["X", "Y"])]
        if not rows:
            raise ReadError(f"line {start + 1}: no samples of {header[2]!r}")
        counting = float(header[3].replace(",", ".")) / 1000
        signal = read_two_columns(
            source,
            rows,
            header[2],
            ("s", "counts"),
            where=f"line {start + 1}",
            metadata={
                "mass": f"{header[1].replace(',', '.')} u",
                "counting_time": f"{counting:.15g} s",
            },
        )
        if signals and signal.values.size < signals[0].values.size:
            source.options.truncated(
                f"{header[2]!r} has {signal.values.size} samples, {signals[0].name!r} "
                f"{signals[0].values.size}"
            )
        signals.append(signal)
    about = _SAMPLE.fullmatch(lines[0])
    return Content(
        signals=signals,
        metadata=Metadata(
            instrument="CAMECA NanoSIMS",
            sample=(about[1] or None) if about else None,
            measured=about[2] if about else None,
        ),
    )
