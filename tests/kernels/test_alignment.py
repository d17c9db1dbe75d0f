"""Shifts of curves that are known to be shifted."""

import numpy as np
import pytest
from scipy.interpolate import PchipInterpolator

from sims_analysis.kernels.alignment import (
    best_shift,
    between_markers,
    peak_shift,
    vertex,
)

Z = np.arange(0.0, 300.0, 2.0)


def curve(z, centre=120.0):
    return 1e19 * np.exp(-(((z - centre) / 30) ** 2) / 2) + 1e15


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("shift", [-23.7, 0.0, 0.3, 41.0])
def test_a_curve_is_moved_back_whatever_its_factor(shift, log):
    own = np.arange(1.0, 290.0, 1.7)
    found = best_shift([(Z, curve(Z), own, 0.2 * curve(own, 120 - shift))], log=log)
    assert found.found
    assert found.shift == pytest.approx(shift, abs=0.05)
    assert found.correlation == pytest.approx(1.0, abs=1e-3)


def test_vertices_of_parabolas_of_the_logarithm():
    # Of Gaussians exact, wherever the samples lie.
    own = np.cumsum(np.random.default_rng(1).uniform(0.5, 3, 150))
    found = peak_shift(Z, curve(Z) - 1e15, own, curve(own, 97.3) - 1e15)
    assert found.shift == pytest.approx(120 - 97.3, rel=1e-9)
    flat = np.arange(3.0), np.ones(3)
    assert peak_shift(*flat, *flat).shift == 0.0


@pytest.mark.parametrize(
    ("c", "at"),
    [
        ([1.0, 2.0, 3.0], 2.0),
        ([3.0, 2.0, 1.0], 0.0),
        ([1.0, 4.0, 1.0], 1.0),
        # Of values, if one is not above 0: slopes of 4 and -2 about the middle.
        ([0.0, 4.0, 2.0], 1.0 + 1 / 6),
        # Two numbers with the same logarithm: no parabola has a vertex there.
        ([1e20, np.nextafter(1e20, np.inf), 1e20], 1.0),
    ],
)
def test_the_vertex_of_three_samples(c, at):
    assert vertex(np.arange(3.0), np.array(c)) == pytest.approx(at, rel=1e-12)


def test_values_that_are_not_positive_are_the_smallest_that_is():
    c, own = curve(Z) - 1e15, curve(Z, 130) - 1e15
    least = c[c > 0].min()
    cut = np.where(c > least, c, np.linspace(-1, 0, Z.size) * least)
    expected = best_shift([(Z, np.maximum(c, cut[cut > 0].min()), Z, own)], log=True)
    assert best_shift([(Z, cut, Z, own)], log=True) == expected
    assert not best_shift([(Z, 0 * c, Z, own)], log=True).found


def test_pairs_count_alike_and_shifts_go_half_way_of_the_shorter_record():
    pair, far = (Z, curve(Z), Z, curve(Z, 110)), (Z, curve(Z), Z, curve(Z, 90))
    both = best_shift([pair, far]).shift
    assert both == pytest.approx(20.0, abs=0.5)
    short = Z[:80]  # 158 nm
    for shift, found in ((70.0, True), (90.0, False)):
        assert best_shift([(Z, curve(Z), short, curve(short, 120 - shift))]).found is found


def test_between_markers_there_are_straight_lines_which_go_on_beyond():
    at, to = np.array([10.0, 20.0, 40.0]), np.array([11.0, 19.0, 49.0])
    depth = np.array([0.0, 10.0, 15.0, 20.0, 30.0, 40.0, 50.0])
    moved = [3.0, 11.0, 15.0, 19.0, 34.0, 49.0, 64.0]
    np.testing.assert_allclose(between_markers(depth, at, to), moved, rtol=1e-15)
    np.testing.assert_allclose(between_markers(depth, at, at), depth, rtol=1e-15)


@pytest.mark.parametrize("log", [False, True])
def test_a_correlation_is_that_over_the_depths_at_which_both_were_measured(log):
    own = np.arange(31.0, 260.0, 1.3)
    other = 0.3 * curve(own, 105) + 0.1 * curve(own, 180)
    pairs = [(Z, curve(Z), own, other), (Z, curve(Z, 140) + 1e17, own, curve(own, 128) + 1e17)]
    found = best_shift(pairs, log=log)
    assert found.found
    each = []
    for za, ca, zb, cb in pairs:
        z = np.arange(max(za[0], zb[0] + found.shift), min(za[-1], zb[-1] + found.shift), 0.5)
        a, b = (PchipInterpolator(x, np.log(c) if log else c) for x, c in ((za, ca), (zb, cb)))
        each.append(np.corrcoef(a(z), b(z - found.shift))[0, 1])
    assert min(each) < 0.9999
    assert found.correlation == pytest.approx(np.mean(each), abs=3e-3)


@pytest.mark.parametrize("floor", [0.0, 1e-3, 0.1, 1.0, 1e15])
@pytest.mark.parametrize("log", [False, True])
def test_where_nothing_varies_nothing_correlates(floor, log):
    # Two thin layers far apart above one number for no counts: other shifts leave only that.
    z = np.arange(0.0, 200.0)

    def layer(z, at):
        return floor + 1e3 * max(floor, 1e-3) * np.exp(-(((z - at) / 4) ** 2)) * (
            np.abs(z - at) < 25
        )

    found = best_shift([(z, layer(z, 60), z + 0.37, layer(z + 0.37, 150))], log=log)
    assert found.found
    assert found.shift == pytest.approx(-90.0, abs=0.02)
    flat = np.full(z.size, floor)
    assert not best_shift([(z, layer(z, 60), z, flat)], log=log).found
    assert not best_shift([(z, flat, z, flat)], log=log).found


@pytest.mark.parametrize(("overlap", "found"), [(32.0, True), (22.0, False)])
def test_less_than_a_quarter_of_the_record_is_no_overlap(overlap, found):
    # What both have of the layer is at the end of one and at the begin of the other.
    z = np.arange(0.0, 101.0)
    layer, other = (
        np.maximum(1 - ((z - at) / 5) ** 2, 0) for at in (overlap / 2, 100 - overlap / 2)
    )
    result = best_shift([(z, layer, z, other)], 99.0)
    assert (abs(result.shift - (overlap - 100)) < 1e-3) == found
    assert (result.correlation > 0.999) == found
