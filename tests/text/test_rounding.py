"""Numbers with uncertainties as they are printed."""

import pytest

from sims_analysis.text.rounding import rounded, rounded_error

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "stderr", "text"),
    [
        (217.8934, 0.107, "217.89 ± 0.11"),
        (9.5812e14, 1.6e13, "(9.58 ± 0.16)×10¹⁴"),
        (1.23456, 0.096, "1.23 ± 0.10"),
        (1.23456, 0.0196, "1.235 ± 0.020"),
        (5.0, 0.951, "5.0 ± 1.0"),
        (217.0, 32.0, "220 ± 30"),
        (3.08, 950.0, "0 ± 1000"),
        (9.96, 0.3, "10.0 ± 0.3"),
        (9.96, 0.96, "10.0 ± 1.0"),
        (1e3, 96.0, "1000 ± 100"),
        (1e3, 196.0, "1000 ± 200"),
        (61.3, 20.0, "60 ± 20"),
        (123456.0, 2000.0, "(1.23 ± 0.02)×10⁵"),
        (-3.2e-9, 1e-10, "(−3.20 ± 0.10)×10⁻⁹"),
        (-0.001, 0.2, "0.0 ± 0.2"),
        (0.0, 1.0, "0.0 ± 1.0"),
        (1.0, 1.1e-9, "1.0000000000 ± 0.0000000011"),
        (1.0, 1e-9, "1.000"),  # rounding of the arithmetic
        (1.0, 0.0, "1.000"),
        (1.0, float("inf"), "1.000"),
        (9.9996e14, NAN, "1.000×10¹⁵"),
        (9.9996, NAN, "10.00"),
        (12345.0, NAN, "12340"),  # half to even
        (99999.0, NAN, "1.000×10⁵"),
        (0.001, NAN, "0.001000"),
        (0.00099, NAN, "9.900×10⁻⁴"),
        (0.0, NAN, "0"),
    ],
)
def test_rounding_by_the_uncertainty(value, stderr, text):
    assert rounded(value, stderr).text() == text


@pytest.mark.parametrize(
    ("style", "text"),
    [
        ("latex", r"$(-3.0 \pm 0.2) \times 10^{7}$"),
        ("mathtext", r"(−3.0 ± 0.2)×10$\mathregular{^{7}}$"),
    ],
)
def test_other_styles(style, text):
    assert rounded(-3e7, 2e6).text(style=style) == text


@pytest.mark.parametrize(
    ("stderr", "text"),
    [(0.1018, "0.10"), (0.25, "0.2"), (5.253e13, "5×10¹³"), (1.53e13, "1.5×10¹³"), (0.0, "0")],
)
def test_an_error_by_itself(stderr, text):
    assert rounded_error(stderr).text() == text
