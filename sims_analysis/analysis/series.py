"""The measured samples of each species, without NaN, for plots, tables and file writers."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.errors import ProfileError
from sims_analysis.frame.evidence import Run, runs_of
from sims_analysis.frame.opening import open_frame
from sims_analysis.units import CANONICAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sims_analysis.kernels.rows import Array

#: Kinds of results along the axis, which can be plotted and written like a measured variable.
_ALONG_AXIS = ("areal_density", "dimensionless")


@dataclass(frozen=True)
class Series:
    """The samples of one species in one variable, in canonical units."""

    #: As delivered; empty if the data have no species.
    species: str
    #: ``"concentration"``, ``"intensity"``...; what the values are, and their unit.
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
    #: What else is known of samples (:func:`sims_analysis.quality`).
    known: tuple[Run, ...] = ()


def series_of(data: xr.Dataset | xr.DataArray) -> list[Series]:
    """List the profiles in the data, species by species in their order."""
    if isinstance(data, xr.DataArray):
        found = list(_of_variable(data, None))
    elif isinstance(data, xr.Dataset):
        names = [name for name in vocabulary.MEASURED if name in data.data_vars]
        if not names:
            raise ProfileError(
                f"the Dataset holds no profile: it has none of {', '.join(vocabulary.MEASURED)}, "
                f"but {', '.join(map(str, data.data_vars)) or 'no variables'}. Results are printed "
                "by results_table() and go to pandas by .to_dataframe()"
            )
        found = [series for name in names for series in _of_variable(data, name)]
    else:
        raise TypeError(f"expected a Dataset or a DataArray, found {type(data).__name__}")
    if not found:
        raise ProfileError("nothing was measured: every value is NaN")
    if "species" in data.coords:
        # Species in the order of the data, each with its variables in order of preference.
        order = {str(name): i for i, name in enumerate(np.atleast_1d(data["species"].values))}
        found.sort(key=lambda series: order[series.species])
    return found


def _of_variable(data: xr.Dataset | xr.DataArray, name: str | None) -> Iterator[Series]:
    if name is None:
        kinds: tuple[str, ...] = (*vocabulary.VALUE_KINDS, *_ALONG_AXIS)
    else:
        kinds = vocabulary.kinds(name)
    frame = open_frame(
        data, kinds, question="a profile", variable=name, axes=vocabulary.AXES, as_they_are=True
    )
    value = np.asarray(frame.value.data, dtype=np.float64)
    stderr = None if frame.stderr is None else np.asarray(frame.stderr.data, dtype=np.float64)
    depth = np.broadcast_to(np.asarray(frame.depth.data, dtype=np.float64), value.shape)
    term = vocabulary.TERMS.get(frame.name)
    long_name = term.long_name if term else frame.name.replace("_", " ").capitalize()
    known: dict[int, list[Run]] = {}
    for run in runs_of(frame):
        known.setdefault(run.profile, []).append(run)
    # As in the data, where infinity means that an error is not known.
    columns = {
        name: np.asarray(column.data, dtype=np.float64)
        for name, column in zip(
            ("counts", *vocabulary.OF_BACKGROUND),
            (frame.counts, frame.common, frame.overlap, frame.scatter),
            strict=True,
        )
        if column is not None
    }
    edges = zip(vocabulary.CELLS, (frame.lower, frame.upper), strict=True)
    cells = {
        name: np.broadcast_to(np.asarray(one.data), value.shape)
        for name, one in edges
        if one is not None
    }
    for number, index in enumerate(np.ndindex(value.shape[:-1])):
        measured = ~(np.isnan(value[index]) | np.isnan(depth[index]))
        if not measured.any():
            continue
        place = {
            d: str(x) for d, x in frame.where(dict(zip(frame.lead, index, strict=True))).items()
        }
        sigma = None if stderr is None else stderr[index][measured]
        ancillary = {name: column[index][measured] for name, column in columns.items()}
        yield Series(
            species=place.pop("species", ""),
            variable=frame.name,
            long_name=long_name,
            units=frame.units,
            axis=frame.axis,
            axis_units=CANONICAL[frame.axis],
            x=depth[index][measured],
            y=value[index][measured],
            stderr=None if sigma is None or np.isnan(sigma).all() else sigma,
            place=place,
            ancillary={
                name: one if name == "counts" else np.nan_to_num(one, nan=np.inf)
                for name, one in ancillary.items()
                if not ((one == _NOTHING[name]) | (np.isnan(one) & (name == "counts"))).all()
            },
            cells={name: edge[index][measured] for name, edge in cells.items()},
            known=tuple(known.get(number, ())),
        )


#: Columns of the samples of a frame where nothing was counted, and no background subtracted.
_NOTHING = {
    "counts": np.nan,
    "background_stderr": 0.0,
    "background_overlap": 0.0,
    "background_scatter": 1.0,
}
