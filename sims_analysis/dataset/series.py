"""The measured samples of each species, without NaN, for plots, tables and file writers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileError
from sims_analysis.frame.evidence import Run, runs_of
from sims_analysis.frame.opening import open_frames
from sims_analysis.units import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sims_analysis.frame.frame import Frame
    from sims_analysis.kernels.rows import Array


@dataclass(frozen=True)
class Series:
    """The samples of one species in one variable, in canonical units."""

    #: As delivered; empty if the data have no species.
    species: str
    #: ``"concentration"``, ``"intensity"``...; the name of the values, and their unit.
    variable: str
    long_name: str
    units: str
    #: ``"depth"`` or ``"sputter_time"``.
    axis: str
    axis_units: str
    #: Measured samples only, with standard errors or None; NaN where unknown.
    x: Array
    y: Array
    stderr: Array | None
    #: Coordinates that distinguish this profile from others: ``{"measurement": "W01"}``.
    place: dict[str, str] = field(default_factory=dict)
    #: Counts and errors of a subtracted background; edges of the cells of averages.
    ancillary: dict[str, Array] = field(default_factory=dict)
    cells: dict[str, Array] = field(default_factory=dict)
    #: Further evidence on samples (:func:`sims_analysis.quality`).
    runs: tuple[Run, ...] = ()


def series_of(data: xr.Dataset | xr.DataArray) -> list[Series]:
    """List the profiles in the data, species by species in their order."""
    frames = open_frames(data, question="a plot or a file", as_they_are=True)
    profiles = [series for frame in frames for series in _of_frame(frame)]
    if not profiles:
        raise ProfileError("nothing was measured: every value is NaN", code="no_data")
    if "species" in data.coords:
        # Species in the order of the data, each with its variables in order of preference.
        order = {str(name): i for i, name in enumerate(np.atleast_1d(data["species"].values))}
        profiles.sort(key=lambda series: order[series.species])
    return profiles


def _columns(frame: Frame) -> dict[str, Array]:
    """Return the numbers of all samples by their names, those that the data have."""
    samples = {
        "y": frame.value,
        "x": frame.depth,
        "stderr": frame.stderr,
        "counts": frame.counts,
        "background_stderr": frame.common,
        "background_overlap": frame.overlap,
        "background_scatter": frame.scatter,
        "cell_start": frame.lower,
        "cell_stop": frame.upper,
    }
    columns = {
        key: np.broadcast_to(np.asarray(column.data, dtype=np.float64), frame.value.shape)
        for key, column in samples.items()
        if column is not None
    }
    for key in columns.keys() & set(vocabulary.OF_BACKGROUND):
        # As in the data, where infinity means that an error is not known.
        columns[key] = np.nan_to_num(columns[key], nan=np.inf)
    return columns


def _of_frame(frame: Frame) -> Iterator[Series]:
    columns = _columns(frame)
    runs: dict[int, list[Run]] = {}
    for run in runs_of(frame):
        runs.setdefault(run.profile, []).append(run)
    term = vocabulary.TERMS.get(frame.name)
    for number, index in enumerate(np.ndindex(frame.value.shape[:-1])):
        measured = ~(np.isnan(columns["y"][index]) | np.isnan(columns["x"][index]))
        if not measured.any():
            continue
        row = {key: column[index][measured] for key, column in columns.items()}
        for key in row.keys() & _DEFAULTS.keys():
            if np.array_equal(row[key], np.full(row[key].shape, _DEFAULTS[key]), equal_nan=True):
                del row[key]
        where = frame.where(dict(zip(frame.lead, index, strict=True)))
        place = {d: str(x) for d, x in where.items()}
        yield Series(
            species=place.pop("species", ""),
            variable=frame.name,
            long_name=term.long_name if term else frame.name.replace("_", " ").capitalize(),
            units=frame.units,
            axis=frame.axis,
            axis_units=CANONICAL[frame.axis],
            x=row["x"],
            y=row["y"],
            stderr=row.get("stderr"),
            place=place,
            ancillary={key: row[key] for key in vocabulary.COLUMNS if key in row},
            cells={key: row[key] for key in vocabulary.CELLS if key in row},
            runs=tuple(runs.get(number, ())),
        )


#: Columns of samples without errors, without counts, and without a subtracted background.
_DEFAULTS = {
    "stderr": np.nan,
    "counts": np.nan,
    "background_stderr": 0.0,
    "background_overlap": 0.0,
    "background_scatter": 1.0,
}
