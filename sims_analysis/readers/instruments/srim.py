"""SRIM and TRIM ``RANGE.txt``: the distribution of the ions, and of the recoils.

The depth of a row is the far edge of its bin, over which the values are means: profiles have the
centres of the bins, and their edges next to them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from sims_analysis.errors import ReadError
from sims_analysis.profiles.metadata import Metadata
from sims_analysis.readers.signals import Column, Content, Signal
from sims_analysis.readers.source import Source
from sims_analysis.readers.tables.numbers import read_cell
from sims_analysis.readers.tables.truncation import read_lines

_UNITS = re.compile(r"Distribution Units are\s*>*\s*(.+?)\s*<*\s*$")
_BINS = 100
_MOMENTS = (
    ("projected_range", r"Ion Average Range\s*=\s*(\S+)\s*A"),
    ("straggle", r"Ion Average Range.*Straggling\s*=\s*(\S+)\s*A"),
    ("skewness", r"Range Skewne-?s*\s*=\s*(\S+)"),
    ("kurtosis", r"Range Kurtosis\s*=\s*(\S+)"),
)


def recognises(source: Source) -> bool:
    """Whether it is the table of ion and recoil ranges."""
    return "ION and final RECOIL" in source.start or (
        "Ion Average Range" in source.start and "Distribution Units" in source.start
    )


def read(source: Source) -> Content:
    """Read ions and recoils."""
    lines = source.lines
    unit = next((m[1] for m in map(_UNITS.search, lines) if m), None)
    header = next((i for i, line in enumerate(lines) if line.split()[:1] == ["DEPTH"]), len(lines))
    below = [i for i in range(header + 1, len(lines)) if lines[i].strip()]
    if len(below) < 2:
        raise ReadError("a SRIM file with a header but without its table", code="truncated_file")
    names = lines[header].split()[1:]
    depth_unit, *kinds = re.split(r"\s{2,}", lines[below[0]].strip())  # (Ang.)  Ions  Tgt. Atoms
    rows = [i for i in below[1:] if lines[i][0].isdigit()]
    if len(rows) < _BINS:
        source.options.truncated(f"the table has {len(rows)} rows of the {_BINS} that SRIM writes")
    if not rows:
        raise ReadError("a SRIM file with a header but without its table", code="truncated_file")
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
        found = next((m for m in (re.search(pattern, line) for line in lines) if m), None)
        if found:
            number = read_cell(found[1].replace(",", "."), where=name)
            unit = " angstrom" if name in ("projected_range", "straggle") else ""
            moments[name] = f"{number:.15g}{unit}"
    return moments
