"""CAMECA IMS ``.dp_ascii``: a block of two columns for each element."""

from __future__ import annotations

import re
from itertools import pairwise

from sims_analysis.errors import ReadError
from sims_analysis.profiles.metadata import Metadata
from sims_analysis.readers.signals import Content, Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.body import read_two_columns

_ELEMENT = re.compile(r"ELEMENT\s+(.+?)\s*")
_POINTS = re.compile(r"(\d+)\s+points?\s*")
_UNITS = re.compile(r"\s*\[([^\]]*)\]\s+\[([^\]]*)\]\s*")


def recognises(source: Source) -> bool:
    """Whether the file begins like a CAMECA export in plain text, without cells in quotes."""
    return source.start.lstrip().startswith("IMS CAMECA") and '\n"' not in source.start


def read(source: Source) -> Content:
    """Read the blocks of all elements."""
    lines = source.lines
    starts = [i for i, line in enumerate(lines) if _ELEMENT.fullmatch(line)]
    headers = [line for line in lines[: starts[0] if starts else 12] if line.strip()]
    title = next((line for line in headers[1:] if not line.startswith("*")), "")
    if "DEPTH PROFILE" not in title.upper():
        kind = title.partition(":")[0].strip().lower() or "of another kind"
        raise ReadError(f"the file is a CAMECA export, but no depth profile: {kind}")
    if not starts:
        raise ReadError("a CAMECA file with a header but without data", code="truncated_file")
    about = {}
    for line in headers:
        key, mark, value = line.partition(":")
        if mark and value.strip():
            about[key.strip()] = value.strip()
    signals = [_signal(source, start, stop) for start, stop in pairwise([*starts, len(lines)])]
    return Content(
        signals=signals,
        metadata=Metadata(
            instrument="CAMECA IMS",
            sample=about.pop("Sample name", None),
            measured=_iso(about.pop("Date", "")) or None,
            other=about,
        ),
    )


def _signal(source: Source, start: int, stop: int) -> Signal:
    lines = source.lines
    name = _ELEMENT.fullmatch(lines[start])
    assert name is not None  # noqa: S101 - it is how the block was found
    below = [i for i in range(start + 1, stop) if lines[i].strip()]
    texts = [lines[i].strip() for i in below[:2]]
    count = _POINTS.fullmatch(texts[0]) if texts else None
    units = _UNITS.fullmatch(texts[1]) if texts[1:] else None
    if count is None or units is None:
        raise ReadError(
            f"below line {start + 1}: expected the number of points and the units of element "
            f"{name[1]!r}, such as '50 points' and '[um] [c/s]'"
        )
    rows, stated = below[2:], int(count[1])
    if len(rows) < stated:
        source.options.truncated(
            f"element {name[1]!r}, line {start + 1}: {stated} points are stated, {len(rows)} are "
            "there"
        )
    if len(rows) > stated:
        raise ReadError(
            f"element {name[1]!r}, line {start + 1}: {stated} points are stated, {len(rows)} lines "
            "follow"
        )
    if not rows:
        raise ReadError(f"element {name[1]!r}: there are no points")
    return read_two_columns(source, rows, name[1], [unit.strip() for unit in units.groups()])


def _iso(date: str) -> str:
    """Write a German date, DD.MM.YY, as ISO 8601."""
    match = re.fullmatch(r"(\d{2})\.(\d{2})\.(\d{2}|\d{4})", date)
    if match is None:
        return date
    year = match[3] if len(match[3]) == 4 else f"20{match[3]}"
    return f"{year}-{match[2]}-{match[1]}"


_ISOTOPE = re.compile(r"B\s*=.*: M=\s*([\d.,]+)\s*\((.*?)\s*\)\s*: Tc\s*=\s*([\d.,]+)\s*ms\s*")
_SAMPLE_LINE = re.compile(r"Sample\s*:\s*(.*?)\s*(\d\d\.\d\d\.\d\d(?: / \d\d:\d\d)?)?\s*")


def recognises_cameca_counts(source: Source) -> bool:
    """Whether a block begins with field, radius, mass and counting time."""
    start = source.start
    return "\t" in start and any(map(_ISOTOPE.fullmatch, start.split("\n")[:10]))


def read_cameca_counts(source: Source) -> Content:
    """Read the blocks."""
    lines = source.lines
    headers = {i: m for i, m in enumerate(map(_ISOTOPE.fullmatch, lines)) if m}
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
    about = _SAMPLE_LINE.fullmatch(lines[0])
    return Content(
        signals=signals,
        metadata=Metadata(
            instrument="CAMECA NanoSIMS",
            sample=(about[1] or None) if about else None,
            measured=about[2] if about else None,
        ),
    )
