"""Profiles of simulators: Sentaurus, SUPREM and FLOOXS; SRIM and TRIM."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sims_analysis.errors import ReadError
from sims_analysis.profiles.metadata import Metadata
from sims_analysis.readers.signals import Column, Content, Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.body import read_lines, read_two_columns
from sims_analysis.readers.tables.numbers import read_cell

_NAME = re.compile(r'\s*"([^"]+)"\s*')
_NUMBER = re.compile(r"\s*[-+.\d]")
#: A depth with its unit in a comment.
_STATED = re.compile(r"\b(?:x|z|depth)\s*[\[(/,]\s*(?:nm|um|µm|A|Å|angstroms?|cm)\b", re.IGNORECASE)
#: What these programs write, which their files do not say.
_UNITS = ("um", "cm^-3")


def recognises_sentaurus(source: Source) -> bool:
    """Whether the first line is a name in quotes and the second two numbers."""
    lines = [line for line in source.start.split("\n")[:20] if line.strip()]
    return (
        len(lines) > 1
        and _NAME.fullmatch(lines[0]) is not None
        and re.fullmatch(r"\s*[-+.\deE]+\s+[-+.\deE]+\s*", lines[1]) is not None
    )


def read_sentaurus(source: Source) -> Content:
    """Read the data sets: micrometres and cm^-3."""
    starts = [i for i, line in enumerate(source.lines) if _NAME.fullmatch(line)]
    signals = []
    for start, stop in pairwise([*starts, len(source.lines)]):
        name = source.lines[start].strip().strip('"')
        rows = [i for i in range(start + 1, stop) if source.lines[i].strip()]
        signals.append(read_two_columns(source, rows, name, _UNITS, where=f"line {start + 1}"))
    return Content(signals=signals)


def recognises_suprem(source: Source) -> bool:
    """Whether a comment names the program, and none states units: columns may be anything."""
    comments = [line for line in source.start.split("\n")[:10] if not _NUMBER.match(line)]
    if any(_STATED.search(line) for line in comments):
        # A table, whose headers are in a comment.
        return False
    return any(re.search(r"suprem|floo[px]s|flooxs", line, re.IGNORECASE) for line in comments)


def read_suprem(source: Source) -> Content:
    """Read two columns, micrometres and cm^-3; every other line is a comment."""
    rows = [i for i, line in enumerate(source.lines) if _NUMBER.match(line)]
    return Content(signals=[read_two_columns(source, rows, "", _UNITS, where="column 2")])


_SRIM_UNITS = re.compile(r"Distribution Units are\s*>*\s*(.+?)\s*<*\s*$")
_BINS = 100
_MOMENTS = (
    ("projected_range", r"Ion Average Range\s*=\s*(\S+)\s*A"),
    ("straggle", r"Ion Average Range.*Straggling\s*=\s*(\S+)\s*A"),
    ("skewness", r"Range Skewne-?s*\s*=\s*(\S+)"),
    ("kurtosis", r"Range Kurtosis\s*=\s*(\S+)"),
)


def recognises_srim(source: Source) -> bool:
    """Whether it is the table of ion and recoil ranges."""
    return "ION and final RECOIL" in source.start or (
        "Ion Average Range" in source.start and "Distribution Units" in source.start
    )


def read_srim(source: Source) -> Content:
    """Read ions and recoils."""
    lines = source.lines
    unit = next((m[1] for m in map(_SRIM_UNITS.search, lines) if m), None)
    header = next((i for i, line in enumerate(lines) if line.split()[:1] == ["DEPTH"]), len(lines))
    below = [i for i in range(header + 1, len(lines)) if lines[i].strip()]
    if len(below) < 2:
        raise ReadError("a SRIM file with a header but without its table", code="truncated_file")
    names = lines[header].split()[1:]
    depth_unit, *kinds = re.split(r"\s{2,}", lines[below[0]].strip())  # (Ang.)  Ions  Tgt. Atoms
    rows = [i for i in below[1:] if lines[i][0].isdigit()]
    if len(rows) < _BINS:
        source.options.truncated(f"the table has {len(rows)} rows of the {_BINS} that SRIM writes")
    values = read_lines(source, rows, len(names) + 1)
    # The far edges are printed; the first bin begins at 0.
    far = values[:, 0]
    near = np.concatenate([[0.0], far[:-1]])
    depths, unit_of_depths = (near + far) / 2, depth_unit.strip("()")
    edges = {"cell_start": Column(near, unit_of_depths), "cell_stop": Column(far, unit_of_depths)}
    moments = _moments(lines)
    signals = []
    for j, name in enumerate(names):
        ions = j == 0
        kind = kinds[j] if j < len(kinds) else ""
        signals.append(
            Signal(
                name=name if ions else f"{name} ({kind or 'recoils'})",
                depths=depths,
                depth_units=unit_of_depths,
                values=values[:, j + 1],
                units=unit,
                metadata={"depth": "centre of the bin"} | (moments if ions else {}),
                ancillary=edges,
            )
        )
    ion = re.search(r"Ion\s*=\s*(\S+)\s+Energy\s*=\s*(\S+)\s*(\S+)", source.text)
    other = {"target": " ".join(x.strip() for x in lines if "Density" in x or "Percent" in x)}
    return Content(
        signals=signals,
        metadata=Metadata(
            instrument=next((x.strip() for x in lines[:5] if "SRIM-" in x), "SRIM"),
            primary_ion=ion[1] if ion else None,
            impact_energy=f"{ion[2]} {ion[3]}" if ion else None,
            other=other,
        ),
    )


def _moments(lines: Sequence[str]) -> dict[str, str]:
    """Read the moments that are printed above the table."""
    moments = {}
    for name, pattern in _MOMENTS:
        match = next((m for m in (re.search(pattern, line) for line in lines) if m), None)
        if match:
            number = read_cell(match[1].replace(",", "."), where=name)
            unit = " angstrom" if name in ("projected_range", "straggle") else ""
            moments[name] = f"{number:.15g}{unit}"
    return moments
