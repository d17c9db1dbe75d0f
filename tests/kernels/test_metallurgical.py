"""Junctions where donors and acceptors balance, against closed forms and a plain loop."""

import math

import numpy as np
import pytest
from plain_profiles import run

from sims_analysis.kernels.metallurgical import metallurgical
from sims_analysis.outcomes import Status

SIDES = np.array([1.0, -1.0])  # acceptors, donors


def ask(depth, value, *, background=0.0, fractions=SIDES, width=4, stderr=None):
    net = np.broadcast_to(background, value.shape[:-2])
    return run(
        metallurgical, depth, value, net, group=value.shape[-2], fractions=fractions, width=width,
        stderr=stderr,
    )  # fmt: skip


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
        value = found.value[measurement, : before.size]  # that of both sides
        np.testing.assert_allclose(value, np.exp(np.interp(at, z, np.log(donors))), rtol=1e-9)
        polarity = np.where(s[before] > 0, -1, 1)
        np.testing.assert_array_equal(found.direction[measurement, : before.size], polarity)


@pytest.mark.parametrize("own", [False, True])
def test_the_direction_is_that_of_the_acceptors(own):
    c = np.array([[2.0, 2, 1], [1, 3, 3]])
    value = np.stack([c, c[::-1], np.ones((2, 3)), np.full((2, 3), np.nan)])
    z = np.arange(3.0)
    found = ask(np.broadcast_to(z, value.shape).copy() if own else z, value)
    assert found.direction[:, 0].tolist() == [-1, 1, 0, 0]
    assert found.number.tolist() == [1, 1, 0, 0]
    assert found.status[:, 0].tolist() == [
        Status.OK, Status.OK, Status.NEVER_REACHED, Status.NO_DATA,
    ]  # fmt: skip


def test_junctions_beyond_the_width_are_counted():
    c = np.stack([np.array([2.0, 0.5, 2, 0.5, 2]), np.ones(5)])
    found = ask(np.arange(5.0), c, width=2)
    assert (found.number, found.depth.tolist()) == (4, [0.5, 1.5])
    assert found.direction.tolist() == [-1, 1]


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
