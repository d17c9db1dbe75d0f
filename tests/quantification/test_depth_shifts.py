"""Shifts of curves that are known to be shifted."""

import numpy as np
import pytest

from sims_analysis.quantification.depth_shifts import best_shift, vertex

Z = np.arange(0.0, 300.0, 2.0)


def curve(z, centre=120.0):
    return 1e19 * np.exp(-(((z - centre) / 30) ** 2) / 2) + 1e15


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("shift", [-23.7, 0.0, 0.3, 41.0])
def test_a_curve_is_moved_back_whatever_its_factor(shift, log):
    own = np.arange(1.0, 290.0, 1.7)
    found, correlation = best_shift([(Z, curve(Z), own, 0.2 * curve(own, 120 - shift))], log=log)
    assert found == pytest.approx(shift, abs=0.05)
    assert correlation == pytest.approx(1.0, abs=1e-3)


def test_vertices_of_parabolas_of_the_logarithm():
    # Of Gaussians exact, wherever the samples lie.
    own = np.cumsum(np.random.default_rng(1).uniform(0.5, 3, 150))
    assert vertex(Z, curve(Z) - 1e15) == pytest.approx(120.0, rel=1e-9)
    assert vertex(own, curve(own, 97.3) - 1e15) == pytest.approx(97.3, rel=1e-9)


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
    assert np.isnan(best_shift([(Z, 0 * c, Z, own)], log=True)).all()


def test_pairs_count_alike_and_shifts_go_half_way_of_the_shorter_record():
    pair, far = (Z, curve(Z), Z, curve(Z, 110)), (Z, curve(Z), Z, curve(Z, 90))
    both, _ = best_shift([pair, far])
    assert both == pytest.approx(20.0, abs=0.5)
    short = Z[:80]  # 158 nm
    for shift, found in ((70.0, True), (90.0, False)):
        by, _ = best_shift([(Z, curve(Z), short, curve(short, 120 - shift))])
        assert np.isfinite(by) == found


@pytest.mark.few(3)
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
    assert found[0] == pytest.approx(-90.0, abs=0.02)
    flat = np.full(z.size, floor)
    for one in (layer(z, 60), flat):
        assert np.isnan(best_shift([(z, one, z, flat)], log=log)).all()


@pytest.mark.parametrize(("overlap", "found"), [(32.0, True), (22.0, False)])
def test_less_than_a_quarter_of_the_record_is_no_overlap(overlap, found):
    # What both have of the layer is at the end of one and at the begin of the other.
    z = np.arange(0.0, 101.0)
    layer, other = (
        np.maximum(1 - ((z - at) / 5) ** 2, 0) for at in (overlap / 2, 100 - overlap / 2)
    )
    shift, correlation = best_shift([(z, layer, z, other)], 99.0)
    assert (abs(shift - (overlap - 100)) < 1e-3) == found
    assert (correlation > 0.999) == found
