"""The table of what is known of samples in addition to their values."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis import vocabulary
from sims_analysis.frame.call import recorded
from sims_analysis.frame.evidence import runs_of, with_flags
from sims_analysis.frame.frame import Frame
from sims_analysis.frame.opening import open_frame
from sims_analysis.outcomes import GAP, KINDS


@recorded
def quality(data: xr.Dataset | xr.DataArray, *, variable: str | None = None) -> xr.Dataset:
    """List what is known of samples besides values and errors: gaps, saturation, limits.

    What the data carry in their coordinate ``<variable>_quality``, and what their values show.
    Answers that rest on such samples say so by their status.

    Parameters
    ----------
    data : Dataset or DataArray
        Over depth or sputter time; those of a Dask array are computed.
    variable : str, optional
        The variable of a Dataset; by default all that were measured.

    Returns
    -------
    Dataset
        Over ``run``, one for each run of neighbouring samples; as a table by ``.to_dataframe()``:

        - ``kind``: ``gap`` (nothing was measured between two samples), ``saturated``,
          ``below_limit``, ``placeholder``, ``transient``, ``truncated`` (the record ends inside the
          profile), ``restored`` or ``scale_in_doubt``
        - ``start``, ``stop`` (``nm``, or ``s``): the first and the last sample; of a gap those
          before and after it
        - ``samples``: their number; 0 in a gap
        - ``height``: the highest limit of detection of samples below one, the highest value of
          others; NaN of a gap
        - ``variable``, and ``species``, ``measurement``...: coordinates that name the profile

    Raises
    ------
    UnitsError
        If no variable has a known unit.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant").sel(species=["B"])
    >>> holed = ds.where((ds.depth < 60) | (ds.depth > 80), drop=True)
    >>> runs = sims.quality(holed)
    >>> [(str(kind), float(a), float(b)) for kind, a, b in
    ...  zip(runs["kind"].values, runs["start"].values, runs["stop"].values)]
    [('gap', 59.0, 81.0)]
    """
    names: list[Any] = [variable]
    if isinstance(data, xr.Dataset) and variable is None:
        names = [name for name in vocabulary.MEASURED if name in data.data_vars] or [None]
    frames = [
        open_frame(data, question="evidence", variable=name, axes=vocabulary.AXES, as_they_are=True)
        for name in names
    ]
    rows = [row for frame in frames for row in _rows(with_flags(frame))]
    axis = {"units": frames[0].axis_units}
    variables = {
        name: ("run", np.array([row[name] for row in rows], dtype), {"long_name": label, **attrs})
        for name, dtype, label, attrs in (
            ("kind", str, "What is known", {}),
            ("start", np.float64, "First sample", axis),
            ("stop", np.float64, "Last sample", axis),
            ("samples", np.int64, "Number of samples", {}),
            ("height", np.float64, "Limit of detection, or highest value", {}),
        )
    }
    coords = {}
    lead = dict.fromkeys(d for frame in frames for d in (*frame.lead, "species"))
    for d in ("variable", *lead):
        labels = [str(row.get(d, "")) for row in rows]
        if any(labels) or d in ("variable", "species"):
            coords[d] = ("run", np.array(labels, dtype=str))
    return xr.Dataset(variables, coords)


def _rows(frame: Frame) -> list[dict[str, Any]]:
    """Return one row for each run of samples of a frame."""
    value = np.asarray(frame.value.data)
    depth = np.broadcast_to(np.asarray(frame.depth.data), value.shape)
    measured = ~np.isnan(depth) & ~np.isnan(value)
    if frame.limit is not None:
        measured |= ~np.isnan(np.asarray(frame.limit.data))
    rows = []
    for run in runs_of(frame):
        index = np.unravel_index(run.profile, value.shape[:-1])
        z = depth[index][measured[index]]
        inside = int(((z >= run.first) & (z <= run.last)).sum())
        rows += [
            {
                **frame.where(dict(zip(frame.lead, map(int, index), strict=True))),
                "kind": kind.name,
                "start": run.first,
                "stop": run.last,
                "samples": 0 if kind.flags & GAP else inside,
                "height": run.height,
                "variable": frame.name,
            }
            for kind in KINDS
            if run.flag & kind.flags
        ]
    return rows
