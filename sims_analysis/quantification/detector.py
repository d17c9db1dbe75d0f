"""What metadata say of the detector: which samples were counted, and which are a current."""

from __future__ import annotations

from typing import Any

import numpy as np
import xarray as xr

from sims_analysis.conventions.species_metadata import stated_in_metadata
from sims_analysis.frame.frame import Frame

#: How names of Faraday cups begin.
_CUPS = ("FC", "FARADAY")


def on_faraday_cup(frame: Frame) -> xr.Variable | None:
    """Flag the samples that a Faraday cup measured, as a current; None if there are none.

    Of a species whose ``detector`` is one (``"FC"``), all; of others, those after the rate exceeded
    the ``faraday_cup_threshold``, until it fell below the ``electron_multiplier_threshold``, if
    stated.
    """
    data: Any = frame.origin
    cup = stated_in_metadata(
        data, "detector", lambda text, _: float(str(text).strip().upper().startswith(_CUPS))
    )
    high = low = None
    if frame.kind == "count_rate":
        high = stated_in_metadata(data, "faraday_cup_threshold", "count_rate")
        low = stated_in_metadata(data, "electron_multiplier_threshold", "count_rate")
    on_cup = xr.zeros_like(frame.value, dtype=bool)
    if cup is not None:
        on_cup = on_cup | (cup == 1.0)
    if high is not None:
        back = high if low is None else low.fillna(high)
        size = frame.value.sizes[frame.dim]
        on_cup = on_cup | (frame.each(_hysteresis, high, back, size=size, dim=frame.dim) > 0)
    return None if cup is None and high is None else on_cup.transpose(*frame.value.dims)


def _hysteresis(_: Any, value: Any, __: Any, ___: Any, high: float, low: float) -> Any:
    """Flag the samples from the first above one threshold to the last before one below another."""
    at = np.arange(value.size)
    # Where the last sample was at which the instrument switched to the cup, and back.
    over, under = (
        np.maximum.accumulate(np.where(switch, at, -1)) for switch in (value > high, value < low)
    )
    return over > under
