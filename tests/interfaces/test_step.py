"""The step of one profile: plateaus, crossings, and errors, against sums that are written out."""

import numpy as np
import pytest
from scipy.special import ndtr

from sims_analysis.interfaces import step as _step
from sims_analysis.interfaces.step import ROW, _Plateau, _Window, measure_step
from sims_analysis.kernels.grid import samples_of_grid
from sims_analysis.outcomes import Status

NAN = np.nan
NOWHERE = ((NAN, NAN),) * 3
PARTS = (0.16, 0.84)


def window(z, c, s=NAN, *, fraction=1.0, grid=False, places=None):
    z, c = np.asarray(z, dtype=float), np.asarray(c, dtype=float)
    places = (np.arange(3), np.arange(z.size - 3, z.size)) if places is None else places
    errors = np.array(np.broadcast_to(s, z.shape), dtype=float)
    return _Window(z, c, errors, fraction, grid, places)


def named(row):
    return dict(zip(ROW, row.tolist(), strict=True)) | {"status": Status(int(row[-1])).word}


# --- plateaus ---------------------------------------------------------------------------------

Z = np.array([0.0, 1.0, 3.0, 4.0, 7.0, 9.0, 10.0])
C = np.array([1.0, 1.2, 1.1, 1.6, 1.4, 5.0, 6.0])
PLACE = np.arange(5)


@pytest.mark.parametrize("fraction", [1.0, 0.25])
@pytest.mark.parametrize("stated", [True, False])
@pytest.mark.parametrize("sloping", [True, False])
def test_a_plateau_is_a_mean_or_a_line_with_the_errors_of_one(sloping, stated, fraction):
    s = np.array([0.1, 0.2, 0.1, 0.3, 0.2, 0.1, 0.1])
    found = _step._plateau(
        window(Z, C, s if stated else NAN, fraction=fraction), PLACE, sloping=sloping
    )
    z, c = Z[:5], C[:5]
    slope, _ = np.polyfit(z, c, 1) if sloping else (0.0, 0.0)
    assert (found.centre, found.level) == (3.0, pytest.approx(c.mean()))
    assert found.slope == pytest.approx(slope, abs=1e-15)
    left = c - c.mean() - slope * (z - 3)
    noise = np.sqrt(np.mean(s[:5] ** 2) if stated else np.sum(left**2) / (3 if sloping else 4))
    noise /= np.sqrt(fraction)
    assert found.error == pytest.approx(noise / np.sqrt(5))
    expected = noise / np.sqrt(np.sum((z - 3) ** 2)) if sloping else 0.0
    assert found.slope_error == pytest.approx(expected)


def test_one_sample_is_a_level_without_slope_or_scatter():
    found = _step._plateau(window(Z, C), np.array([2]), sloping=True)
    assert vars(found) == vars(_Plateau(3.0, 1.1, 0.0, 0.0, 0.0))
    two = _step._plateau(window(Z, C), np.array([0, 1]), sloping=True)
    assert (two.slope, two.error, two.slope_error) == (pytest.approx(0.2), 0.0, 0.0)
    # An error that is missing anywhere in the window leaves the scatter to tell.
    partly = np.where(Z == 9, NAN, 0.5)
    found = _step._plateau(window(Z, C, partly), PLACE, sloping=False)
    assert found.error == pytest.approx(np.std(C[:5], ddof=1) / np.sqrt(5))


def test_a_line_and_its_error_at_a_depth():
    line = _Plateau(10.0, 3.0, 0.5, 0.3, 0.1)
    assert line.at(14.0) == 5.0
    np.testing.assert_array_equal(line.along(np.array([10.0, 8.0])), [3.0, 2.0])
    assert line.error_at(14.0) == pytest.approx(np.hypot(0.3, 0.4))
    assert line.error_at(6.0) == pytest.approx(np.hypot(0.3, 0.4))


@pytest.mark.parametrize(
    ("slope", "error", "may", "matters"),
    [
        # 10 nm from the middle of the plateau to a step of 5: 2 % of it are 0.01 per nm.
        (0.0101, 0.0, False, True), (0.0099, 0.0, False, False), (-0.0101, 0.0, False, True),
        (0.0301, 0.0100, False, True), (0.0300, 0.0101, False, False),  # three errors
        (0.0051, 0.0050, True, True), (0.0049, 0.0050, True, False),  # with its error
        (0.0, 0.0101, True, True), (-0.0051, 0.0050, True, True),
    ],
)  # fmt: skip
def test_a_slope_matters_by_what_it_changes_of_the_step(slope, error, may, matters):
    line = _Plateau(20.0, 3.0, slope, 0.1, error)
    assert _step._matters(line, 30.0, 5.0, may=may) == matters
    assert _step._matters(line, 10.0, 5.0, may=may) == matters


def test_plateaus_reach_up_to_where_the_step_begins():
    z = np.arange(0.0, 100.0)
    one = window(z, z, places=(np.arange(10), np.arange(90, 100)))
    about = (50.0, 10.0)  # 1.5 widths to both sides
    left, right = _step._up_to_the_step(one, about, (True, True))
    assert (left.tolist(), right.tolist()) == (list(range(35)), list(range(66, 100)))
    left, right = _step._up_to_the_step(one, about, (False, True))
    assert (left.size, right.size) == (10, 34)
    # Not where they would be smaller.
    wide = _step._up_to_the_step(one, (50.0, 30.0), (True, True))
    assert [a.size for a in wide] == [10, 10]


def test_noise_is_stated_or_that_of_the_nearer_plateau():
    z = np.arange(10.0)
    places = np.arange(3), np.arange(6, 10)
    stated = np.linspace(0.1, 0.2, 10)
    plateaus = [_Plateau(0, 1, 0, 0.3, 0), _Plateau(0, 1, 0, 0.5, 0)]
    np.testing.assert_array_equal(
        _step._noise(window(z, z, stated, places=places), plateaus), stated
    )
    found = _step._noise(window(z, z, fraction=0.25, places=places), plateaus)
    # Of three samples and of four, each counting as a quarter; half way between 2 and 6 is 4.
    scatter = [0.3 * np.sqrt(3 * 0.25)] * 4 + [0.5 * np.sqrt(4 * 0.25)] * 6
    np.testing.assert_allclose(found, scatter)


# --- errors -----------------------------------------------------------------------------------


def by_words(z, rising, noise, above, fraction, steep):
    """Write out what the docstring of `_error` says."""
    spacing, variance = (float(one) for one in samples_of_grid(np.array(fraction)))
    for reach in range(1, z.size):
        low, high = max(above - reach, 0), min(above + reach, z.size)
        mean = sum(z[low:high]) / (high - low)
        size = sum((one - mean) ** 2 for one in z[low:high])
        slope = sum((z[i] - mean) * rising[i] for i in range(low, high)) / size
        sigma = np.sqrt(sum(noise[low:high] ** 2) / (high - low))
        if slope > 5 * sigma / np.sqrt(size * fraction) or high - low == z.size:
            break
    slope = max(slope, steep)
    cell = spacing * (z[high - 1] - z[low]) / (high - low - 1)
    ratio = sigma / np.sqrt(variance) / (slope * cell)
    return np.sqrt(2 / 3) * cell * ratio / (1 + ratio**3) ** (1 / 9), slope


@pytest.mark.parametrize("fraction", [1.0, 0.3])
@pytest.mark.parametrize("noise", [1e-3, 0.1, 0.4, 5.0])
@pytest.mark.parametrize("above", [1, 8, 19])
@pytest.mark.parametrize("steep", [0.0, 0.2])
def test_the_error_of_a_crossing_is_pooled_over_as_few_neighbours_as_tell_the_slope(
    fraction, noise, above, steep
):
    z = np.cumsum(np.linspace(0.5, 1.5, 20))
    rising = ndtr((z - z[8]) / 3)
    errors = noise * np.linspace(0.8, 1.2, 20)
    found = _step._error(z, rising, errors, above, fraction, steep)
    expected = by_words(z, rising, errors, above, fraction, steep)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_small_noise_moves_two_samples_and_large_noise_is_pooled():
    """By two thirds in variance; asymptotically the error grows as the power 2/3 of the noise."""
    z, line = np.arange(9.0), np.arange(9.0) / 8
    small, slope = _step._error(z, line, np.full(9, 1e-4), 4, 1.0, 0.0)
    assert slope == pytest.approx(1 / 8)
    assert small == pytest.approx(np.sqrt(2 / 3) * 1e-4 * 8, rel=1e-3)
    large = [_step._error(z, line, np.full(9, n), 4, 1.0, 1 / 8)[0] for n in (1e4, 8e4)]
    assert large[1] / large[0] == pytest.approx(8 ** (2 / 3), rel=1e-3)


@pytest.mark.parametrize(
    ("fraction", "grid"), [(1.0, False), (0.25, True), (0.25, False), (3.0, False)]
)
@pytest.mark.parametrize("apart", [True, False])
def test_what_is_not_known_of_a_step_between_its_samples(fraction, grid, apart):
    z = np.array([0.0, 2.0, 4.0, 5.0, 8.0, 10.0])
    row = np.full(len(ROW), NAN)
    row[1], row[2], row[3] = 3.0, 4.0, 2.0
    above = np.array([2, 3, 4]) if apart else np.array([3, 3, 3])
    one = window(z, z, fraction=fraction, grid=grid)
    lower, skewed, bent = _step._between_samples(one, row, above, 0.7, z)
    spacing = float(samples_of_grid(np.array(fraction))[0]) if grid else 1.0
    cell = spacing * 1.0  # of the samples about the middle, 4 and 5
    achieved = 0.0 if grid else (1 / fraction - 1) * 2.0
    # A twelfth of h times the change of ln C between two samples; R / 25.
    change = min(cell * 0.7 / 3.0, 1.0)
    assert lower == pytest.approx(max(change * cell / 12 if grid else 0.0, 0.04 * achieved))
    assert skewed == pytest.approx(cell**3 / (14.7 * 9) if apart else 0.0)
    assert bent == pytest.approx((cell**2 / 2.2 + achieved**2 / 15) / 3)


def test_a_change_of_a_logarithm_is_at_most_one_and_a_step_without_width_has_no_bend():
    z, row = np.arange(6.0), np.full(len(ROW), NAN)
    row[1], row[2], row[3] = 0.0, -1.0, -3.0
    grid = window(z, z, fraction=0.5, grid=True)
    lower, _, bent = _step._between_samples(grid, row, np.array([3, 3, 3]), 99.0, z)
    cell = float(samples_of_grid(np.array(0.5))[0])
    assert lower == pytest.approx(cell / 12)
    assert bent == 0.0


# --- a step between two lines -----------------------------------------------------------------

DEPTHS = np.arange(0.0, 21.0)


def ramp(left=10.0, right=30.0, begin=5.0, end=15.0):
    return left + (right - left) * np.clip((DEPTHS - begin) / (end - begin), 0, 1)


def between(one, left=None, right=None, parts=PARTS):
    lines = [
        _step._plateau(one, place, sloping=False) if given is None else given
        for place, given in zip(one.places, (left, right), strict=True)
    ]
    return named(_step._between(one, lines, parts))


def test_a_straight_rise_crosses_its_parts_where_it_does():
    for turned in (False, True):
        c = ramp(30, 10) if turned else ramp()
        found = between(window(DEPTHS, c, 1e-6), parts=(0.2, 0.9))
        assert found["position"] == pytest.approx(10.0)
        assert found["width"] == pytest.approx(7.0)
        assert (found["left_level"], found["right_level"]) == (c[0], c[-1])
        assert (found["left_slope"], found["right_slope"], found["unsure"]) == (0, 0, 0)
        assert found["status"] == "ok"


def test_the_errors_of_a_step_are_those_of_its_crossings_and_of_both_levels():
    s = 0.2
    one = window(DEPTHS, ramp(), s)
    found = between(one)
    own, slopes = [], []
    step = 20.0
    done = (ramp()[0:21] - 10) / step
    levels = np.array([0.16, 0.5, 0.84])
    places = [int(np.argmax(done >= level)) for level in levels]
    width = 6.8
    for place, steep in zip(places, (0.0, 0.793 / width, 0.0), strict=True):
        error, slope = by_words(DEPTHS, done, np.full(21, s / step), place, 1.0, steep)
        own.append(error)
        slopes.append(slope)
    level = s / np.sqrt(3)
    moved = [[(1 - p) * level / step / k, p * level / step / k]
             for p, k in zip(levels, slopes, strict=True)]  # fmt: skip
    skewed = 1 / (14.7 * width**2)
    position = np.sqrt(own[1] ** 2 + np.sum(np.square(moved[1])) + skewed**2)
    assert found["stderr"] == pytest.approx(position, rel=1e-9)
    apart = np.subtract(moved[2], moved[0])
    bent = 1 / 2.2 / width
    expected = np.sqrt(own[0] ** 2 + own[2] ** 2 + np.sum(apart**2) + bent**2)
    assert found["width_stderr"] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("apart", "status"), [(0.99, "featureless"), (1.01, "ok")])
def test_levels_differ_by_five_of_their_errors(apart, status):
    error = 0.5 / np.sqrt(3) * np.sqrt(2)
    c = ramp(10.0, 10.0 + 5 * error * apart)
    assert between(window(DEPTHS, c, 0.5))["status"] == status
    assert between(window(DEPTHS, c[::-1], 0.5))["status"] == status
    # Of noise there is none; what is less than rounding is no step.
    small = ramp(10.0, 10.0 * (1 + 1e-9 * apart))
    assert between(window(DEPTHS, small))["status"] == status
    assert between(window(DEPTHS, -small))["status"] == status


@pytest.mark.parametrize(
    ("begin", "end", "status"),
    [
        (5.0, 15.0, "ok"), (0.0, 8.0, "truncated"), (12.0, 19.5, "truncated"),
        (2.0, 18.0, "ok"),
    ],
)  # fmt: skip
def test_a_step_is_complete_between_its_plateaus(begin, end, status):
    left, right = _Plateau(0, 10, 0, 0, 0), _Plateau(0, 30, 0, 0, 0)
    places = np.arange(3), np.arange(18, 21)
    one = window(DEPTHS, ramp(begin=begin, end=end), 1e-6, places=places)
    found = between(one, left, right)
    assert found["status"] == status
    assert np.isfinite(found["position"]) == (status == "ok")
    assert (found["left_level"], found["right_level"]) == (10, 30)


def test_a_step_that_the_samples_do_not_pass_is_truncated():
    for left, right in ((20.0, 40.0), (0.0, 31.0)):
        lines = _Plateau(0, left, 0, 0, 0), _Plateau(0, right, 0, 0, 0)
        assert between(window(DEPTHS, ramp(), 1e-6), *lines)["status"] == "truncated"


def test_between_two_samples_there_is_a_position_and_no_width():
    c = np.where(DEPTHS < 10, 10.0, 30.0)
    found = between(window(DEPTHS, c, 1e-6))
    assert found["status"] == "undetermined"
    assert found["position"] == pytest.approx(9.5)
    assert found["stderr"] == pytest.approx(1 / np.sqrt(12), rel=1e-6)
    assert np.isnan([found["width"], found["width_stderr"]]).all()


def test_levels_of_plateaus_that_slope_are_those_at_the_position():
    left, right = _Plateau(1.0, 10.0, 0.5, 0.1, 0.0), _Plateau(19.0, 30.0, -0.25, 0.1, 0.0)
    part = np.clip((DEPTHS - 5) / 10, 0, 1)
    c = left.along(DEPTHS) * (1 - part) + right.along(DEPTHS) * part
    found = between(window(DEPTHS, c, 1e-6), left, right)
    assert found["position"] == pytest.approx(10.0)
    assert found["width"] == pytest.approx(6.8)
    assert found["left_level"] == pytest.approx(10 + 0.5 * 9)
    assert found["right_level"] == pytest.approx(30 + 0.25 * 9)
    assert (found["left_slope"], found["right_slope"]) == (0.5, -0.25)


def test_samples_between_the_plateaus_are_made_monotone():
    c = ramp()
    c[9], c[10] = c[10], c[9]
    found = between(window(DEPTHS, c, 1e-6))
    # Of 20 and 18 at 9 and 10 nm both are 19, and half of the step is a third of the way to 22.
    assert found["position"] == pytest.approx(10 + 1 / 3)


# --- the whole --------------------------------------------------------------------------------


def test_the_width_of_a_step_is_that_of_its_middle_where_slopes_widen_the_whole():
    z = np.arange(0.0, 200.0)
    done = ndtr((z - 100) / 5)
    for c, least in ((1 + 9 * done, "whole"), (1 + 9 * done + 0.01 * (z - 100), "middle")):
        one = window(z, c, 1e-6, places=(np.arange(20), np.arange(180, 200)))
        lines = [_step._plateau(one, place, sloping=False) for place in one.places]
        position, width = _step._about(one, lines)
        assert position == pytest.approx(100, abs=0.2)
        parts = {p: between(one, parts=p)["width"] for p in (PARTS, (0.3, 0.7))}
        assert width == pytest.approx(min(parts[PARTS], 1.896 * parts[0.3, 0.7]), rel=1e-12)
        assert abs(width - 1.989 * 5) <= abs(parts[PARTS] - 1.989 * 5)
        assert (parts[PARTS] < 1.896 * parts[0.3, 0.7]) == (least == "whole")


def asked(z, c, s=NAN, *, fraction=1.0, limits=NOWHERE, parts=PARTS, **options):
    s = np.array(np.broadcast_to(s, np.shape(z)), dtype=float)
    z, c = np.asarray(z, float), np.asarray(c, float)
    return named(measure_step(z, c, s, fraction, limits, parts, **options))


def test_fewer_than_five_samples_are_no_data():
    assert asked(DEPTHS[:4], ramp()[:4])["status"] == "no_data"
    five = asked([0, 1, 2, 3, 4], [0, 0, 5, 10, 10])
    assert (five["status"], five["position"]) == ("ok", pytest.approx(2.0))
    assert asked(DEPTHS, ramp(), limits=((6.0, 9.0), *NOWHERE[:2]))["status"] == "no_data"
    nothing = ((NAN, NAN), (30.0, 40.0), (NAN, NAN))
    assert asked(DEPTHS, ramp(), limits=nothing)["status"] == "no_data"
    assert asked(DEPTHS, ramp(), limits=(nothing[0], nothing[2], nothing[1]))["status"] == "no_data"


def test_plateaus_are_a_tenth_of_the_samples_and_at_least_two():
    """The level of each says which samples it is the mean of."""
    for n, part in ((5, 2), (24, 2), (25, 2), (26, 3), (34, 3), (36, 4)):
        z = np.arange(float(n))
        c = np.where(z < n / 2, 0.0, 100.0) + 1e-3 * np.arange(n) ** 2
        one = window(z, c, 1.0, places=(np.arange(part), np.arange(n - part, n)))
        found = asked(z, c, 1.0)
        assert found["left_level"] == pytest.approx(c[:part].mean()), n
        assert found["right_level"] == pytest.approx(c[-part:].mean())
        assert between(one)["status"] == "undetermined"


def test_samples_are_taken_in_order_and_within_their_window():
    z = np.arange(0.0, 60.0)
    c = 10 + 20 * ndtr((z - 30) / 3)
    expected = asked(z[10:50], c[10:50], 0.1)
    extra = np.where(np.abs(z - 30) > 20, NAN, 0.1)
    order = np.random.default_rng(0).permutation(60)
    found = asked(z[order], c[order], 0.1, limits=((10.0, 49.0), *NOWHERE[:2]))
    assert found == pytest.approx(expected)
    c = np.where(np.isnan(extra), NAN, c)
    lost = asked(z, c, np.nan_to_num(extra, nan=0.1))
    assert lost["position"] == pytest.approx(30.0, abs=0.05)


def test_a_stated_plateau_is_taken_as_it_is():
    z = np.arange(0.0, 100.0)
    c = 10 + 20 * ndtr((z - 50) / 3) + np.where(z < 15, 8.0, 0.0)
    stated = ((NAN, NAN), (20.0, 30.0), (NAN, NAN))
    found = asked(z, c, 1e-3, limits=stated)
    assert (found["left_level"], found["position"]) == (pytest.approx(10), pytest.approx(50))
    assert abs(asked(z, c, 1e-3)["left_level"] - 10) > 1
    half = asked(z, c, 1e-3, limits=((NAN, NAN), (20.0, NAN), (NAN, NAN)))
    assert half["left_level"] != pytest.approx(10, rel=0.01)


def test_plateaus_that_slope_are_lines_and_level_ones_levels():
    z = np.arange(0.0, 200.0)
    done = ndtr((z - 100) / 6)
    tilted = 10 + 20 * done + 0.05 * (z - 100) * done
    found = asked(z, tilted, 1e-3)
    assert found["right_slope"] == pytest.approx(0.05, rel=5e-3)
    assert found["left_slope"] == 0.0
    assert (found["position"], found["width"]) == (
        pytest.approx(100, abs=0.02), pytest.approx(1.98892 * 6, rel=3e-3)
    )  # fmt: skip
    assert (found["right_level"], found["unsure"]) == (pytest.approx(30, rel=1e-3), 0)
    # One that is stated is not widened: its slope counts if it is sure.
    stated = ((NAN, NAN), (NAN, NAN), (150.0, 199.0))
    sure = asked(z, tilted, 1e-3, limits=stated)
    assert sure["right_slope"] == pytest.approx(0.05, rel=1e-3)
    noisy = asked(z, tilted, 2.0, limits=stated)
    assert noisy["right_slope"] == 0.0


@pytest.mark.parametrize(
    ("s", "fraction", "stated", "unsure"),
    [
        (1e-3, 1.0, False, 0), (14.0, 1.0, False, 1), (14.0, 1.0, True, 0), (14.0, 0.9, False, 0),
        (1e-3, 0.9, False, 0),
    ],
)  # fmt: skip
def test_noise_leaves_open_whether_plateaus_slope(s, fraction, stated, unsure):
    """Where a position is not known to a fifth of the width; of what is restored it is not said."""
    z = np.arange(0.0, 200.0)
    c = 10 + 30 * ndtr((z - 100) / 6)
    limits = ((NAN, NAN), (10.0, 60.0), (140.0, 190.0)) if stated else NOWHERE
    found = asked(z, c, s, fraction=fraction, limits=limits, between=False)
    assert found["status"] == "ok"
    assert found["unsure"] == unsure
    assert (found["stderr"] < 0.2 * found["width"]) == (s < 1)


def test_an_interval_between_samples_is_not_that_of_a_restored_profile():
    """The same fraction says how far samples are apart, or what was restored."""
    z = np.arange(0.0, 100.0)
    c = 10 + 30 * ndtr((z - 50) / 6)
    grid, restored = (asked(z, c, 0.01, fraction=0.25, between=one) for one in (True, False))
    width = grid["width"]
    cell = float(samples_of_grid(np.array(0.25))[0])
    assert grid["width_stderr"] == pytest.approx(cell**2 / 2.2 / width, rel=0.02)
    assert restored["stderr"] == pytest.approx(0.04 * 3, rel=0.02)
    assert restored["width_stderr"] == pytest.approx((1 / 2.2 + 9 / 15) / width, rel=0.02)
    whole = [asked(z, c, 0.01, between=one) for one in (True, False)]
    assert whole[0] == whole[1]


def test_windows_with_other_plateaus_are_the_same_otherwise():
    one = window(Z, C)
    other = one.between((PLACE, PLACE[1:]))
    assert [place.size for place in other.places] == [5, 4]
    assert other.z is one.z


def test_slopes_that_noise_may_have_made_widen_the_errors():
    row = np.arange(10.0)
    sloping = np.array([3.0, 5.0, 0, 0, 0, 0, 0, 0, 0, Status.UNDETERMINED])
    line = _step._Plateau(0.0, 1.0, 0.3, 0.1, 0.1)  # three errors from level
    level = _step._Plateau(0.0, 1.0, 0.1, 0.1, 0.1)
    flat = _step._Plateau(0.0, 1.0, 0.1, 0.1, 0.0)  # without an error
    changed = np.array([3.0, 4.0]) * np.sqrt(1 - 2 / 9)
    expected = [*row[:4], *np.hypot(row[4:6], changed), *row[6:]]
    np.testing.assert_allclose(_step._in_doubt(row, sloping, [level, flat, line]), expected)
    for lines in ([], [level], [flat]):
        np.testing.assert_array_equal(_step._in_doubt(row, sloping, lines), row)
    sloping[1] = np.nan  # no change is known
    expected[5] = row[5]
    np.testing.assert_allclose(_step._in_doubt(row, sloping, [line]), expected)
    sloping[-1] = Status.NO_DATA  # there is no such step
    np.testing.assert_array_equal(_step._in_doubt(row, sloping, [line]), row)
