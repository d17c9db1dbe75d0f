"""Whether a profile shows one whole peak."""

import numpy as np
import pytest

from sims_analysis.kernels.maxima import not_one_peak, second_peak, two_maxima

Z = np.linspace(0.0, 300.0, 151)
NOISE = np.full(Z.size, 1.0)
BOTH, NONE = (True, True), (False, False)


def peak(middle, width=20.0, top=1000.0):
    return top * np.exp(-0.5 * ((Z - middle) / width) ** 2)


def test_one_whole_peak_is_nothing_to_say():
    assert not_one_peak(peak(150), peak(150), NOISE, 0.0, NONE) is None
    assert not_one_peak(peak(150) + 50, peak(150) + 50, NOISE, 50.0, NONE) is None


def test_either_the_samples_or_the_curve_show_several_peaks():
    one, two = peak(150), peak(100) + peak(200)
    assert not_one_peak(two, one, NOISE, 0.0, NONE) == "several_peaks"
    assert not_one_peak(one, two, NOISE, 0.0, NONE) == "several_peaks"


@pytest.mark.parametrize(
    ("middle", "down", "status"),
    [
        (2.0, NONE, "truncated"),
        (2.0, (True, False), None),
        (2.0, (False, True), "truncated"),
        (12.0, NONE, None),  # 0.84 of the maximum at the surface
        (280.0, NONE, "truncated"),  # 0.61 of it at the end
        (280.0, (False, True), None),
        (280.0, (True, False), "truncated"),
        (275.0, NONE, None),  # 0.46
    ],
)
def test_a_peak_ends_at_the_first_and_the_last_sample(middle, down, status):
    assert not_one_peak(peak(middle), peak(middle), NOISE, 0.0, down) == status


def test_a_curve_that_is_cut_off_where_the_samples_are_not_has_the_wrong_shape():
    assert not_one_peak(peak(150), peak(2), NOISE, 0.0, NONE) == "wrong_shape"
    # Of both, the background does not count.
    above = peak(150) + 5000, peak(2) + 5000
    assert not_one_peak(*above, NOISE, 5000.0, NONE) == "wrong_shape"


@pytest.mark.parametrize("turned", [False, True])
def test_a_second_maximum_stands_out_by_a_tenth_and_five_errors(turned):
    def seen(second, noise, first=200.0, floor=100.0):
        c = np.full(120, floor)
        c[20:40] = first
        c[80:100] = second
        return second_peak(c[::-1] if turned else c, np.full(120, noise))

    assert seen(112.0, 0.1)
    assert not seen(109.9, 0.1)
    # It is a hundredth of the first at least.
    assert seen(1.05, 0.01, first=100.0, floor=0.1)
    assert not seen(0.95, 0.01, first=100.0, floor=0.1)
    # Means are over four samples; the two errors add as squares.
    rise, error = 20.0, 1 / np.sqrt(4)
    assert seen(120.0, 0.99 * rise / 5 / (error * np.sqrt(2)))
    assert not seen(120.0, 1.01 * rise / 5 / (error * np.sqrt(2)))


def test_a_valley_of_a_curve_counts_by_five_deviations_in_all_and_two_per_cent_somewhere():
    m = np.full(40, 100.0)
    for level, noise, seen in ((90, 3.9, True), (90, 4.1, False), (98.5, 0.1, False)):
        m[18:22] = level
        assert two_maxima(m, np.full(40, noise)) == seen
