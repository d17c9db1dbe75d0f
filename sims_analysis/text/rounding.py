"""Numbers with uncertainties, rounded by the usual rule.

The uncertainty keeps one significant digit, or two where its leading digit is 1; the value is
rounded to the same place, halves to even. This is the common laboratory rule: the uncertainty is
changed by less than 25 % (JCGM 100:2008 (GUM), 7.2.6 asks for at most two digits).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

from sims_analysis.text.typeset import power_of_ten, raised

#: Significant digits of a value without an uncertainty.
DIGITS = 4


@dataclass(frozen=True)
class Rounded:
    """A value as printed: ``(value ± stderr) x 10^exponent``.

    `stderr` is empty without an uncertainty, `exponent` 0 without a power of ten.
    """

    value: str
    stderr: str
    exponent: int

    def text(self, *, style: str = "unicode") -> str:
        """Format the number in a style: "unicode", "plain", "latex" or "mathtext"."""
        if style == "unicode":
            power = "×10" + raised(str(self.exponent))
        elif style == "plain":
            power = f"e{self.exponent}"
        elif style == "latex":
            power = rf" \times 10^{{{self.exponent}}}"
        else:
            power = "×" + power_of_ten(self.exponent)
        plus_minus = r" \pm " if style == "latex" else " ± "
        number = self.value if style in ("latex", "plain") else self.value.replace("-", "−")
        if self.stderr:
            number += plus_minus + self.stderr
        if self.exponent:
            number = (f"({number})" if self.stderr else number) + power
        return f"${number}$" if style == "latex" else number


def rounded(value: float, stderr: float = math.nan) -> Rounded:
    """Round a finite value by its standard error: NaN, or next to nothing, if it is not known.

    >>> rounded(217.8934, 0.107).text(), rounded(61.3, 20.0).text()
    ('217.89 ± 0.11', '60 ± 20')
    >>> rounded(9.5812e14, 1.6e13).text(), rounded(9.5812e14).text()
    ('(9.58 ± 0.16)×10¹⁴', '9.581×10¹⁴')
    """
    # An error of a billionth is rounding of the arithmetic, not an uncertainty.
    has_error = math.isfinite(stderr) and stderr > 1e-9 * abs(value)
    place = _place(stderr) if has_error else _leading(value) - DIGITS + 1
    shown = _at(value, place)
    if not has_error and shown and shown.adjusted() > _leading(value):
        # 9.9996 rounds up to 10.00: one digit too many.
        place += 1
        shown = _at(value, place)
    error = _at(stderr, place) if has_error else Decimal(0)
    exponent = max(abs(shown), error).adjusted() if shown or error else 0
    if -3 <= exponent < 5:
        exponent = 0
    return Rounded(
        value=_scaled(shown, exponent, place),
        stderr=_scaled(error, exponent, place) if has_error else "",
        exponent=exponent,
    )


def rounded_error(stderr: float) -> Rounded:
    """Round a standard error printed by itself."""
    if not (math.isfinite(stderr) and stderr > 0):
        return rounded(stderr)
    number = rounded(stderr, stderr)
    return Rounded(value=number.stderr, stderr="", exponent=number.exponent)


def _leading(value: float) -> int:
    """Power of ten of the leading digit."""
    return Decimal(repr(abs(float(value)))).adjusted() if value else DIGITS - 1


def _place(stderr: float) -> int:
    """Power of ten of the last digit that is kept."""
    exact = Decimal(repr(float(stderr)))
    # 0.096 rounds to 0.10, whose leading digit is 1; 1.96 to 2.0, which keeps both digits.
    return exact.adjusted() - (exact.normalize().as_tuple().digits[0] == 1)


def _at(value: float, place: int) -> Decimal:
    return Decimal(repr(float(value))).quantize(Decimal(1).scaleb(place), rounding=ROUND_HALF_EVEN)


def _scaled(value: Decimal, exponent: int, place: int) -> str:
    # A value that rounds to zero is 0, not -0.
    shown = value.scaleb(-exponent) if value else Decimal(0)
    return f"{shown:.{max(0, exponent - place)}f}"
