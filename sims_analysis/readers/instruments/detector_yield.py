"""The yield that an instrument has divided by: from the steps in which printed rates stand.

A rate is printed as counts over counting time and detector yield, and of the yield two digits are
printed. Few counts betray the rest: their rates are whole multiples of one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sims_analysis.readers.signals import Signal

#: Relative width of what six printed digits and the dead time leave open, at these few counts.
_TOLERANCE = 1e-5
_FEW_PER_SECOND = 100.0
#: Half a unit of the last digit of a yield in percent.
_ROUNDED = 0.005


def find_yield(signals: Sequence[Signal], fill: float, stated: float) -> float | None:
    """Find the yield that makes whole counts of the rates of one detector, such as 0.95207.

    `fill` is written for no counts, `stated` is the yield as printed, to two digits. None if the
    rates leave more than one open, or allow none.
    """
    low, high = stated - _ROUNDED, stated + _ROUNDED
    narrowed = False
    for signal in signals:
        time = float(signal.metadata["counting_time"].split()[0])
        rates = signal.values[signal.values > fill]
        # Few counts narrow most.
        for rate in np.unique(rates[rates < _FEW_PER_SECOND]).tolist():
            fewest = math.ceil(rate * time * low * (1 - _TOLERANCE))
            most = math.floor(rate * time * high * (1 + _TOLERANCE))
            if fewest > most:
                return None
            if fewest == most:
                seen = fewest / (rate * time)
                low, high = max(low, seen * (1 - _TOLERANCE)), min(high, seen * (1 + _TOLERANCE))
                narrowed = True
    return (low + high) / 2 if narrowed else None
