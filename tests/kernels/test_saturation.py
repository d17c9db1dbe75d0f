"""Saturated samples: found in counted profiles that are cut off, not in flat ones."""

import numpy as np
import pytest

from sims_analysis.kernels.rows import Dense, Packed
from sims_analysis.kernels.saturation import saturated

Z = np.arange(0.0, 200.0, 0.5)
SHAPE = np.exp(-(((Z - 75.0) / 28.0) ** 2))


def counted(top, *, seed=1, floor=3.0):
    return np.random.default_rng(seed).poisson(top * SHAPE + floor).astype(float)


def flags_of(value):
    found = saturated(Dense(Z[: value.size], value[None]))
    return None if found is None else found[0]


@pytest.mark.parametrize(("top", "limit"), [(300, 100), (1e4, 3e3), (1e6, 65535), (1e6, 9.5e5)])
@pytest.mark.parametrize("one", [1.0, 1.00994, 2.3e14])
def test_what_is_cut_off_is_found_to_the_sample(top, limit, one):
    counts = counted(top)
    assert (flags_of(np.minimum(counts, limit) * one) == (counts >= limit)).all()


@pytest.mark.parametrize("n", [30, 60, 100])
@pytest.mark.parametrize("seed", range(4))
def test_few_samples_that_bend_more_than_they_scatter(n, seed):
    depth = np.linspace(0, 300, n)
    counts = np.random.default_rng(seed).poisson(1e5 * np.exp(-(((depth - 150) / 70) ** 2)) + 2.0)
    top = np.sort(counts)[-n // 4]
    found = saturated(Dense(depth, np.minimum(counts, top)[None] * 1e14))
    assert (found[0] == (counts >= top)).all()
    assert saturated(Dense(depth, counts[None] * 1e14)) is None


@pytest.mark.parametrize("digits", [3, 4, 6])
def test_however_it_is_printed(digits):
    counts = counted(1e4)
    printed = [float(f"{c * 1.7e13:.{digits - 1}e}") for c in np.minimum(counts, 3000)]
    assert (flags_of(np.array(printed)) == (counts >= 3000)).all()


def test_the_ceiling_is_the_maximum():
    # A rule: below it, equal samples are floors, and numbers with few digits.
    value = counted(1e6)
    value[140:160] = 65535.0
    assert flags_of(value) is None


FLAT = {
    "a box": np.where(Z < 100, 1e20, 1e20 * np.exp(-(Z - 100) / 3) + 1e15),
    "cut off without noise": np.minimum(1e20 * SHAPE, 5e19) + 1e15,
    "whole numbers without noise": np.round(np.minimum(1000 * SHAPE + 3, 500)),
    "one number": np.full(Z.size, 1e6),
    "an error function": 1e20 / (1 + np.exp((Z - 100) / 0.5)),
}


@pytest.mark.parametrize("digits", [2, 3, 4, 17])
@pytest.mark.parametrize("name", FLAT)
def test_profiles_without_noise_may_be_flat(name, digits):
    assert flags_of(np.array([float(f"{v:.{digits - 1}e}") for v in FLAT[name]])) is None


@pytest.mark.parametrize("top", [0.3, 3, 30, 300, 3e4, 1e6])
@pytest.mark.parametrize("shape", [SHAPE, np.ones(Z.size), 1 / (1 + np.exp(Z - 100))])
def test_counting_alone_is_not_saturation(top, shape):
    rng = np.random.default_rng(3)
    for digits in (2, 3, 4, 17):  # two digits of a matrix signal are equal for hundreds of samples
        value = rng.poisson(top * shape) * 1.7e13
        assert flags_of(np.array([float(f"{v:.{digits - 1}e}") for v in value])) is None


def test_a_row_does_not_depend_on_its_neighbours_or_on_the_layout():
    cut = [np.minimum(counted(1e4, seed=seed), 3000.0) for seed in range(5)]
    rows = np.stack([counted(1e4), *cut, np.full(Z.size, 3000.0)])
    found = saturated(Dense(Z, rows))
    assert found.shape == rows.shape
    for row, flags in zip(rows, found, strict=True):
        alone = flags_of(row)
        assert (flags == (False if alone is None else alone)).all()
    sizes = [400, 399, 0, 397, 396]
    parts = [row[:n] for row, n in zip(rows, sizes, strict=False)]
    packed = Packed(
        np.concatenate([Z[:n] for n in sizes]), np.concatenate(parts),
        offsets=np.append(0, np.cumsum(sizes)),
    )  # fmt: skip
    each = [flags_of(part) if part.size else None for part in parts]
    expected = [
        np.zeros(p.size, bool) if f is None else f for p, f in zip(parts, each, strict=True)
    ]
    assert (saturated(packed) == np.concatenate(expected)).all()


@pytest.mark.parametrize(("n", "found"), [(4, 0), (5, 5), (6, 6)])
def test_five_equal_neighbours_are_enough_and_four_are_not(n, found):
    value = counted(1e6)
    value[148 : 148 + n] = 2e6
    flags = flags_of(value)
    assert (0 if flags is None else flags.sum()) == found


UNEVEN = {
    "jittered": np.arange(400) * 0.5 + np.random.default_rng(5).uniform(-0.2, 0.2, 400),
    "random": np.cumsum(np.random.default_rng(6).exponential(0.5, 400) + 1e-3),
    "two steps in turn": np.cumsum(np.where(np.arange(400) % 2, 0.3, 0.7)),
}
SMOOTH = {
    "a Gaussian": lambda z: 1e20 * np.exp(-(((z - 75) / 28) ** 2)) + 1e15,
    "an exponential": lambda z: 1e20 * np.exp(-z / 12),
    "an error function": lambda z: 1e20 / (1 + np.exp((z - 100) / 6)) + 1e14,
}


@pytest.mark.few(9)
@pytest.mark.parametrize("axis", UNEVEN)
@pytest.mark.parametrize("shape", SMOOTH)
@pytest.mark.parametrize("part", [0.02, 0.5, 0.99])
def test_an_uneven_axis_is_no_noise(axis, shape, part):
    z = UNEVEN[axis]
    value = SMOOTH[shape](z)
    value = np.minimum(value, part * value.max())
    for digits in (4, 6, 17):
        printed = np.array([float(f"{v:.{digits - 1}e}") for v in value])
        assert saturated(Dense(z, printed[None])) is None
        assert saturated(Packed(z, printed, offsets=np.array([0, z.size]))) is None
    counts = np.random.default_rng(7).poisson(1e4 * SMOOTH["a Gaussian"](z) / 1e20).astype(float)
    assert saturated(Dense(z, counts[None])) is None
    found = saturated(Dense(z, np.minimum(counts, 3000.0)[None]))
    assert (found[0] == (counts >= 3000)).all()


def test_next_to_a_row_with_missing_samples():
    # As rows are asked that only look complete.
    cut_off, lacking = np.minimum(counted(1e4), 3000), counted(1e4, seed=2)
    lacking[0] = np.nan
    found = saturated(Dense(Z, np.stack([cut_off, lacking])))
    assert (found[0] == (cut_off == 3000)).all()
