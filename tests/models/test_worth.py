"""What a restored profile is worth: whether its window cuts a rise."""

from types import SimpleNamespace

import numpy as np
import pytest

from sims_analysis.models import _worth

#: Half the width of the resolution function is two samples, twice its width eight.
Z, FWHM = np.arange(41.0), 4.0


def cut(first, worth_of_one=1e-4):
    """Ask about a profile that begins with some values, from either end."""
    level = np.ones(Z.size)
    level[: len(first)] = first
    one = SimpleNamespace(
        z=Z, fwhm=FWHM, counted=SimpleNamespace(one=np.full(Z.size, worth_of_one))
    )
    begins, ends = _worth._cut(one, level), _worth._cut(one, level[::-1])
    assert begins == ends
    return begins


@pytest.mark.parametrize(
    ("first", "found"),
    [
        ([1, 1, 1], False),
        ([1, 0.8, 0.4, *np.linspace(0.4, 0.39, 38)], True),  # as steep as the function
        ([1, 0.8, 0.6, *np.linspace(0.6, 0.2, 38)], False),
        ([1, 0.95, 0.9, 0.85, 0.8, 0.85, 0.9], True),  # a minimum soon after
        ([1, 0.98, 0.96, 0.94, 0.9, 0.94, 0.96], False),  # too shallow
        ([*np.linspace(1, 0.8, 9), 0.7], False),  # too far off
        ([0.4, 0.7, 1], False),  # a rise towards the inside is whole
    ],
)
def test_a_window_cuts_what_is_as_steep_or_as_short_as_the_function(first, found):
    assert cut(first) == found


@pytest.mark.parametrize(("least", "found"), [(0.374, True), (0.375, False), (0.376, False)])
def test_noise_cuts_nothing(least, found):
    # 16 counts have a standard deviation of a quarter; 2.5 of these are not yet beyond noise.
    assert cut([1, 0.7, *np.full(39, least)], 1 / 16) == found
    assert cut([1, 0.7, *np.full(39, least)], 1 / 15.9) == (least < 0.374)
