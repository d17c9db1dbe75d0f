"""Junctions where donors and acceptors balance, against closed forms and a plain loop."""

import math

import numpy as np
import pytest
from plain_profiles import run

from sims_analysis.kernels import blocks
from sims_analysis.kernels.metallurgical import metallurgical
from sims_analysis.outcomes import Status

Z = np.arange(0.0, 300.0, 3.0)
SIDES = np.array([1.0, -1.0])  # acceptors, donors


def ask(depth, value, *, background=0.0, fractions=SIDES, width=4, stderr=None):
    net = np.broadcast_to(background, value.shape[:-2])
    return run(
        metallurgical, depth, value, net, group=value.shape[-2], fractions=fractions, width=width,
        errors=None if stderr is None else blocks.Errors(stderr),
    )  # fmt: skip


@pytest.mark.parametrize("shift", [0.0, 0.7])
def test_two_exponentials(shift):
    # 1e20 exp(-z / 20) against 1e18 exp(-z / 60): ln(100) / (1/20 - 1/60), on any axes.
    axes = np.stack([Z, Z + shift])
    value = np.stack([1e20 * np.exp(-axes[0] / 20), 1e18 * np.exp(-axes[1] / 60)])
    wanted = math.log(100) / (1 / 20 - 1 / 60)
    found = ask(axes if shift else Z, value)
    np.testing.assert_allclose(found.depth[0], wanted, rtol=1e-12)
    np.testing.assert_allclose(found.concentration[0], 1e20 * math.exp(-wanted / 20), rtol=1e-11)
    assert found.polarity.tolist() == [-1, 0, 0, 0]
    assert found.status.tolist() == [Status.OK, *[Status.PADDING] * 3]
    assert found.number == 1
    # Seen from the other side, the same junction.
    turned = ask(axes if shift else Z, value, fractions=-SIDES)
    assert turned.polarity[0] == 1
    assert turned.depth[0] == found.depth[0]


def test_active_fractions_and_a_constant_background():
    c = 1e20 * np.exp(-Z / 20)
    found = ask(Z, c[None], background=1e17, fractions=np.array([0.5]))
    assert found.depth[0] == pytest.approx(20 * math.log(500), rel=1e-12)
    assert found.concentration[0] == pytest.approx(1e17, rel=1e-11)
    assert ask(Z, c[None], background=-1e17, fractions=np.array([0.5])).number == 0


def test_errors_are_those_of_both_sides():
    # 0.02 / slope of a sample, less where more of them share the noise; sqrt(2) of both sides.
    value = np.stack([1e20 * np.exp(-Z / 20), 1e18 * np.exp(-Z / 60)])
    one, both = np.stack([0.02 * value[0], 0 * value[1]]), 0.02 * value
    slope = 1 / 20 - 1 / 60
    errors = [ask(Z, value, stderr=s).stderr[0] for s in (one, both)]
    assert 0.02 / slope / math.sqrt(8) < errors[0] < 0.02 / slope
    assert errors[1] == pytest.approx(math.sqrt(2) * errors[0], rel=0.05)


@pytest.mark.parametrize("own", [False, True])
def test_random_measurements_against_a_plain_search(own):
    rng = np.random.default_rng(4)
    value = rng.lognormal(0, 1, (6, 3, 40))
    z = np.cumsum(rng.uniform(0.5, 2, 40))
    fractions = np.array([1.0, -0.7, -0.4])
    axes = np.broadcast_to(z, value.shape).copy() if own else z
    found = ask(axes, value, fractions=fractions, width=40)
    for measurement, c in enumerate(value):
        acceptors, donors = c[0], 0.7 * c[1] + 0.4 * c[2]
        s = np.log(acceptors / donors)
        before = np.flatnonzero(np.sign(s[1:]) != np.sign(s[:-1]))
        at = z[before] + s[before] / (s[before] - s[before + 1]) * np.diff(z)[before]
        assert found.number[measurement] == before.size
        np.testing.assert_allclose(found.depth[measurement, : before.size], at, rtol=1e-12)
        polarity = np.where(s[before] > 0, -1, 1)
        np.testing.assert_array_equal(found.polarity[measurement, : before.size], polarity)


def test_over_the_depths_at_which_every_species_was_measured():
    c = np.stack([np.full(10, 2.0), np.full(10, 1.0)])
    c[1, 5:] = 4.0
    assert ask(np.arange(10.0), c).depth[0] == pytest.approx(4.5)
    c[0, 5:] = np.nan  # the acceptors end before
    found = ask(np.arange(10.0), c)
    assert found.number == 0
    assert found.status[0] == Status.NEVER_REACHED
    c[0, :5] = np.nan
    assert ask(np.arange(10.0), c).status[0] == Status.NO_DATA


@pytest.mark.parametrize("own", [False, True])
def test_on_which_side_a_measurement_begins(own):
    c = np.array([[2.0, 2, 1], [1, 3, 3]])
    value = np.stack([c, c[::-1], np.ones((2, 3)), np.full((2, 3), np.nan)])
    z = np.arange(3.0)
    found = ask(np.broadcast_to(z, value.shape).copy() if own else z, value)
    assert found.side.tolist() == [1, -1, 0, 0]
    assert found.polarity[:, 0].tolist() == [-1, 1, 0, 0]
    assert found.number.tolist() == [1, 1, 0, 0]
    assert found.status[:, 0].tolist() == [
        Status.OK, Status.OK, Status.NEVER_REACHED, Status.NO_DATA,
    ]  # fmt: skip


def test_junctions_beyond_the_width_are_counted():
    c = np.stack([np.array([2.0, 0.5, 2, 0.5, 2]), np.ones(5)])
    found = ask(np.arange(5.0), c, width=2)
    assert (found.number, found.depth.tolist()) == (4, [0.5, 1.5])
    assert found.polarity.tolist() == [-1, 1]


def test_on_merged_axes_a_species_is_known_no_better_than_by_its_own_samples():
    # The donors beside are exact: the acceptors alone, interpolated to four times as many depths.
    fine = np.arange(0.0, 120.0, 0.75)
    coarse = fine[::4]
    axes = np.full((2, fine.size), np.nan)
    axes[0, : coarse.size], axes[1] = coarse, fine
    value = np.full((2, fine.size), np.nan)
    value[0, : coarse.size], value[1] = np.exp(-coarse / 40), math.exp(-60.3 / 40)
    stderr = np.stack([0.03 * value[0], np.zeros(fine.size)])
    merged = ask(axes, value, stderr=stderr)
    alone = ask(coarse, value[:1, : coarse.size], fractions=np.array([1.0]),
                background=value[1, 0], stderr=stderr[:1, : coarse.size])  # fmt: skip
    assert merged.depth[0] == pytest.approx(60.3, rel=1e-9)
    assert alone.depth[0] == pytest.approx(60.3, rel=1e-9)
    assert merged.stderr[0] == pytest.approx(alone.stderr[0], rel=0.25)
