"""Whether an interval holds a gap or saturated samples."""

import numpy as np

from sims_analysis.kernels import blocks
from sims_analysis.kernels.doubts import doubts, saturated_samples
from sims_analysis.outcomes import Status

Z = np.arange(0.0, 200.0, 2.0)
NAN = np.array(np.nan)


def ask(value, start=np.nan, stop=np.nan, fraction=1.0, **options):
    limits = np.array(float(start)), np.array(float(stop)), np.array(float(fraction))
    return blocks.run(doubts, Z, value, *limits, **options)


def profiles():
    """Smooth; with a hole from 80 to 100; cut off by a detector at 3,000 counts; and both."""
    smooth = 5000 * np.exp(-(((Z - 60) / 20) ** 2) / 2) + 5
    noisy = np.random.default_rng(1).poisson(smooth).astype(float)
    hole = np.where((Z > 80) & (Z < 100), np.nan, smooth)
    full = np.minimum(noisy, 3000.0)
    return np.stack([smooth, hole, full, np.where(np.isnan(hole), np.nan, full)])


def test_each_kind():
    found = ask(profiles())
    assert found.status.tolist() == [Status.OK, Status.GAP, Status.SATURATED, Status.SATURATED]
    np.testing.assert_array_equal(found.gap, [0, 20, 0, 20])
    bridged = ask(profiles(), bridge=True)
    assert bridged.status.tolist() == [Status.OK, Status.OK, Status.SATURATED, Status.SATURATED]
    np.testing.assert_array_equal(bridged.gap, [0, 20, 0, 20])


def test_only_what_lies_between_the_limits_counts():
    assert ask(profiles(), start=110).status.tolist() == [Status.OK] * 4
    assert ask(profiles(), start=90).status.tolist() == [
        Status.OK,
        Status.GAP,
        Status.OK,
        Status.GAP,
    ]


def test_equal_values_of_a_fine_grid_are_not_many_samples():
    value = profiles()[2:3]
    assert ask(value).status.tolist() == [Status.SATURATED]
    assert ask(value, fraction=0.1).status.tolist() == [Status.OK]
    wide = np.minimum(value, 100.0)  # a third of the record: more than neighbours on a grid make
    assert ask(wide, fraction=0.9).status.tolist() == [Status.SATURATED]


def test_how_many_and_which():
    found = blocks.run(saturated_samples, Z, profiles())
    assert found.n[0] == 0
    assert np.isnan(found.value[0])
    assert found.n[2] == (profiles()[2] == 3000).sum() > 5
    assert found.value[2] == 3000


def test_on_a_grid_as_many_samples_as_twenty_are_needed():
    value = np.minimum(profiles()[2:3], 1000.0)
    n = int((value == 1000).sum())
    for fraction, status in ((20.1 / n, Status.SATURATED), (19.9 / n, Status.OK)):
        assert 0.5 < fraction < 1
        assert ask(value, fraction=fraction).status.tolist() == [status]


def test_a_sample_at_a_limit_lies_within_it():
    value = profiles()[2:3]
    full = Z[value[0] == 3000]
    for limits, status in (
        ({"start": full[-1]}, Status.SATURATED),
        ({"start": full[-1] + 0.1}, Status.OK),
        ({"stop": full[0]}, Status.SATURATED),
        ({"stop": full[0] - 0.1}, Status.OK),
    ):
        assert ask(value, **limits).status.tolist() == [status]
