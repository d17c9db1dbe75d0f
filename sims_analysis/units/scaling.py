"""Scale numbers from one unit to another, rounding once.

A laboratory that writes 1.001 um means 1001 nm. But the double closest to 1.001 is slightly less,
and a thousand times that is 1000.9999999999999. Here a number with a decimal representation of up
to 15 digits is scaled as that decimal, so that the same depth is the same double in any unit.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

#: A double distinguishes all decimals of this many digits (C's ``DBL_DIG``).
_DIGITS = 15
#: Largest power of ten that a double represents exactly.
_EXACT = 22
_POWERS = np.array([float(f"1e{n}") for n in range(_EXACT + 1)])
#: Decades within which no conversion overflows or underflows.
_RANGE = 250
#: Numbers processed at a time, so that temporary arrays fit in the cache.
_BLOCK = 16_384


def scaled(values: Any, multiply: float, divide: float) -> Any:
    """Multiply numbers, numpy's or Dask's, by a ratio of whole numbers, ``multiply / divide``.

    For a number that is the double of a decimal of up to 15 digits, it gives the double closest to
    the scaled decimal; for any other, the double closest to the scaled double (to rounding, if the
    ratio is not a power of ten); the same object if the ratio is 1. An integer below 2^53, times or
    divided by a power of ten up to 10^22, is rounded once: W. D. Clinger, How to read floating
    point numbers accurately, PLDI 1990, section 3.

    >>> scaled(1.001, 1000.0, 1.0), 1.001 * 1000.0
    (1001.0, 1000.9999999999999)
    """
    if multiply == divide:
        return values
    if hasattr(values, "dask"):
        return values.map_blocks(scaled, multiply, divide)
    array = np.asarray(values)
    # Half precision would overflow: 70 um are 70,000 nm.
    if array.dtype.kind == "f" and array.dtype != np.float64 and array.dtype.itemsize > 2:
        return values * multiply / divide
    flat = array.reshape(-1).astype(np.float64, copy=False)
    result = np.empty_like(flat)
    for start in range(0, flat.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        result[block] = _as_decimals(flat[block], multiply, divide)
    shaped = result.reshape(array.shape)[()]
    return shaped if hasattr(values, "dtype") else float(shaped)


def _as_decimals(values: NDArray[Any], multiply: float, divide: float) -> NDArray[Any]:
    """Scale ``n / 10^places`` as ``n multiply / (10^places divide)``, with exact integers."""
    times, over, tens = _without_tens(multiply, divide)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        # Subtract a little, because the logarithm of 999.999999999999 rounds to 3.
        leading = np.floor(np.log10(np.abs(values)) - 1e-13)
        ideal = _DIGITS - len(f"{times:.0f}") - leading
        possible = np.clip(ideal, max(-_EXACT, tens - _EXACT), min(_EXACT, tens + _EXACT))
        places = np.nan_to_num(possible).astype(np.intp)
        integers = np.rint(_by_power(values, places))
        scaled = _by_power(integers * times, tens - places, over)
        as_decimal = _by_power(integers, -places) == values
        result = np.where(as_decimal, scaled, values * multiply / divide)
    # Very small or large numbers with many digits, such as a depth in metres.
    for i in np.flatnonzero(~as_decimal & (ideal != possible) & (np.abs(leading) < _RANGE)):
        ratio = Fraction(int(multiply), int(divide))
        result[i] = float(Fraction(repr(float(values[i]))) * ratio)
    return result


@lru_cache(maxsize=64)
def _without_tens(multiply: float, divide: float) -> tuple[float, float, int]:
    """Split powers of ten off a ratio: 60 is 6 times 10^1."""
    times, over, tens = int(multiply), int(divide), 0
    while times % 10 == 0:
        times, tens = times // 10, tens + 1
    while over % 10 == 0:
        over, tens = over // 10, tens - 1
    return float(times), float(over), tens


def _by_power(values: NDArray[Any], power: NDArray[np.intp], over: float = 1.0) -> NDArray[Any]:
    """Return ``values 10^power / over``, rounded once if the power is negative or `over` is 1."""
    factor = _POWERS[np.abs(power)]
    return np.where(power >= 0, values * factor / over, values / (factor * over))
