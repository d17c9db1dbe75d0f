"""How many atoms lie above each depth: the integral of the concentration up to there."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.analysis._background import background_of
from sims_analysis.analysis._call import recorded
from sims_analysis.analysis._opening import DOSE_KINDS, open_frame
from sims_analysis.analysis.dose import NM_PER_CM, Rule, check_options, term
from sims_analysis.kernels.rows import blocks
from sims_analysis.kernels.running import cumulative
from sims_analysis.kernels.windows import ends

__all__ = ["cumulative_dose"]


@recorded
def cumulative_dose(
    data: xr.Dataset | xr.DataArray, *, rule: Rule = "trapezoid", background: Any = None
) -> xr.DataArray:
    """Integrate the concentration from the first sample of each profile to each of its samples.

    Parameters
    ----------
    data : Dataset or DataArray
        As for :func:`integrated_dose`.
    rule : {"trapezoid", "loglinear"}
    background : str, Quantity, DataArray, or (start, stop), optional
        Subtracted, as for :func:`integrated_dose`.

    Returns
    -------
    DataArray
        ``atom/cm^2``, of the shape of the data, without a standard error (a background is taken to
        be exact): 0 at the first sample, NaN where a profile was
        not measured, and throughout one of a single sample, which has no width to integrate over.

    Raises
    ------
    UnitsError
        If the data hold no concentration.

    Examples
    --------
    >>> import sims_analysis as sims
    >>> ds = sims.open_example("boron-implant")
    >>> float(sims.cumulative_dose(ds).sel(species="B")[0])
    0.0
    """
    check_options(rule, "measured")
    frame = open_frame(data, DOSE_KINDS, question="a dose")
    size = {frame.dim: frame.value.sizes[frame.dim]}
    outputs = [(size, frame.precision)]
    if background is None:
        (value,) = frame.map(_cumulative, outputs=outputs, rule=rule)
    else:
        level, _ = background_of(frame, background)
        (value,) = frame.map(_cumulative_above, level, outputs=outputs, rule=rule)
    return frame.along_axis(value, term(frame, "cumulative_dose"))


def _cumulative(depth: Any, value: Any, *, rule: str) -> tuple[Any]:
    return (cumulative(depth, value, rule=rule, divisor=NM_PER_CM),)


def _cumulative_above(depth: Any, value: Any, level: Any, *, rule: str) -> tuple[Any]:
    (found,) = _cumulative(depth, value, rule=rule)
    first, _ = ends(depth, value)
    below, width = np.broadcast_arrays(np.asarray(level)[..., None], first[..., None])
    rows, (below, top) = (
        found.reshape(-1, found.shape[-1]),
        (x.reshape(-1, 1) for x in (below, width)),
    )
    axes = depth if depth.ndim == 1 else depth.reshape(rows.shape)
    for block in blocks(*rows.shape):
        z = axes if axes.ndim == 1 else axes[block]
        rows[block] -= below[block] * (z - top[block]) / NM_PER_CM
    return (found,)
