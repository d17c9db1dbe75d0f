"""How long was counted: from the steps in which printed intensities stand.

An instrument divides counts by a time that its export does not always print: by the counting time
and the yield of the detector, say, of which two digits are given. Few counts betray it: their rates
are whole multiples of one. Where that leaves one time only, it is the counting time.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sims_analysis.readers.signals import Array, Signal

__all__ = ["seen_counting_times"]

#: Relative width of what six printed digits and the dead time leave open, at these few counts.
_TOLERANCE = 1e-5
_FEW_PER_SECOND = 100.0


def seen_counting_times(
    signals: Sequence[Signal], fill: float, detector_yield: float | None
) -> dict[str, str]:
    """Find the times that make counts of the printed intensities, by species.

    Parameters
    ----------
    signals : sequence of Signal
        In counts per second, with ``counting_time`` in their metadata where it is stated.
    fill : float
        What is written for no counts.
    detector_yield : float or None
        As printed; to two digits.

    Returns
    -------
    dict
        ``{"7Li": "0.990158 s"}``; species of which it cannot be told are left out.
    """
    stated = {
        s.name: float(s.metadata["counting_time"].split()[0])
        for s in signals
        if s.metadata.get("counting_time", "").endswith(" s")
    }
    yields = [(0.995, 1.005)]
    if detector_yield:
        yields.append((detector_yield - 0.005, detector_yield + 0.005))
    for low, high in yields:
        found = {
            s.name: _time(s.values[s.values > fill], stated[s.name] * low, stated[s.name] * high)
            for s in signals
            if s.name in stated
        }
        ratios = [time / stated[name] for name, time in found.items() if time]
        if ratios and all(time is None or time for time in found.values()):
            ratio = float(np.median(ratios))
            return {name: f"{time * ratio:.6g} s" for name, time in stated.items()}
    return {}


def _time(rates: Array, low: float, high: float) -> float | None:
    """Narrow a range of times; 0 if no time of it makes whole counts, ``None`` if many do."""
    narrowed = False
    for rate in np.unique(rates[rates < _FEW_PER_SECOND]).tolist():
        fewest = math.ceil(rate * low * (1 - _TOLERANCE))
        most = math.floor(rate * high * (1 + _TOLERANCE))
        if fewest > most:
            return 0.0
        if fewest == most:
            low = max(low, fewest / rate * (1 - _TOLERANCE))
            high = min(high, fewest / rate * (1 + _TOLERANCE))
            narrowed = True
            if low > high:
                return 0.0
    return (low + high) / 2 if narrowed else None
