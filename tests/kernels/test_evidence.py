"""What answers rest on, and what is known of samples made from others, in small profiles."""

import math

import numpy as np
import pytest
from plain_profiles import columns

from sims_analysis.kernels.blocks import layouts
from sims_analysis.kernels.evidence import at_places, marks, support
from sims_analysis.kernels.rows import WITHOUT_VALUE
from sims_analysis.outcomes import GAP, Flag

NAN, INF = math.nan, math.inf
#: 0 to 9 and 20 to 29 nm.
HOLED = np.r_[0.0:10.0, 20.0:30.0]
Z = np.arange(10.0)


def rows_of(depth, value, flags=None, limit=None):
    """Build the rows of profiles on one axis that have one layout."""
    value = np.atleast_2d(np.asarray(value, float))
    carried = (None if x is None else np.broadcast_to(x, value.shape) for x in (flags, limit))
    known = dict(zip(("flags", "limit"), carried, strict=True))
    ((_, rows),) = layouts(columns(depth, value, **known))
    return rows


def flagged(n, **at):
    """Give flags of n samples: the names of flags, and the samples that have them."""
    flags = np.zeros(n, dtype=np.int16)
    for name, where in at.items():
        flags[where] |= Flag[name.upper()]
    return flags


def runs(rows):
    """Give what is known as (flag, first, last, low, high, height), 0 for no height."""
    found = marks(rows)
    if found is None:
        return None
    each = (flag.item() for flag in found.flag), *np.nan_to_num(found[2:-1]).tolist()
    return list(zip(*each, strict=True))


def test_samples_below_a_limit_have_no_value_and_the_highest_limit_of_their_run():
    value = np.where((Z > 3) & (Z < 7), NAN, 8.0 + Z)
    rows = rows_of(Z, value, limit=np.where(np.isnan(value), 1.0 + Z, NAN))
    assert runs(rows) == [(Flag.BELOW_LIMIT | WITHOUT_VALUE, 4.0, 6.0, 3.0, 7.0, 7.0)]
    # Between others, a hole of them is no gap: they were measured.
    z = np.r_[0.0:40.0, 60.0:70.0]
    value = np.where((z > 9) & (z < 30), NAN, 8.0 + z)
    assert runs(rows_of(z, value, limit=np.where(np.isnan(value), 2.0, NAN))) == [
        (Flag.BELOW_LIMIT | WITHOUT_VALUE, 10.0, 29.0, 9.0, 30.0, 2.0),
        (GAP, 39.0, 60.0, 39.0, 60.0, 0.0),
    ]


def test_a_sample_inside_of_a_gap_keeps_it_if_both_neighbours_are_dropped():
    value = 1.0 + Z
    value[4:6] = NAN
    flags = flagged(10, gap_after=np.s_[3:6], gap_before=np.s_[4:7])
    for kept in ([0, 1, 2, 4, 7, 8], [0, 1, 2, 5, 7, 8]):
        ((flag, _, _, low, high, _),) = runs(rows_of(Z[kept], value[kept], flags[kept]))
        assert (flag, low, high) == (GAP, 2.0, 7.0)


def test_a_side_without_a_neighbour_beyond_it_is_no_gap():
    assert runs(rows_of(Z, 1.0 + Z, flagged(10, gap_before=[0], gap_after=[9]))) is None
    # Nor is there one where nothing has a value.
    assert runs(rows_of(Z, np.full(10, NAN), flagged(10, gap_before=[4]))) is None


@pytest.mark.parametrize(
    ("use", "start", "stop", "wanted"),
    [
        ("curve", 0, 30, True),
        ("curve", 12, 15, True),
        ("curve", 9, 9.5, True),
        ("curve", 0, 9, False),
        ("curve", 20, 29, False),
        ("curve", NAN, NAN, False),
        ("samples", 0, 30, False),
        ("point", 12, 12, True),
        ("point", 9, 9, False),
    ],
)
def test_a_curve_rests_on_the_gaps_that_it_goes_across(use, start, stop, wanted):
    rows = rows_of(HOLED, 1.0 + np.arange(20.0))
    found = support(rows, np.array([float(start)]), np.array([float(stop)]), use)
    assert found.flags.tolist() == [GAP if wanted else 0]
    if use == "curve":
        assert found.gap.tolist() == [min(stop, 20) - max(start, 9) if wanted else 0.0]


def test_what_lies_below_a_limit_is_the_sum_of_widths_times_limits():
    value = np.where((Z > 3) & (Z < 7), NAN, 1.0)
    rows = rows_of(Z, value, limit=np.where(np.isnan(value), 2.0, NAN))
    start, stop = np.array([[0.0, 5.0, 7.0, 3.5]]), np.array([[9.0, 6.0, 9.0, 3.8]])
    found = support(rows, start, stop)
    assert (found.flags == Flag.BELOW_LIMIT).tolist() == [[True, True, False, True]]
    # As far as the curve is a line between the samples with a value, at 3 and 7 nm.
    np.testing.assert_allclose(found.below, [[8.0, 2.0, 0.0, 0.6]])
    # The line from one of these to the other counts, if it lies above the limit.
    value = np.where((Z > 3) & (Z < 7), NAN, 8.0)
    higher = rows_of(Z, value, limit=np.where(np.isnan(value), 2.0, NAN))
    np.testing.assert_allclose(support(higher, start, stop).below, [[32.0, 8.0, 0.0, 2.4]])
    # A mean rests on samples, not on what lies between them.
    samples = support(rows, start, stop, "samples")
    assert (samples.flags == Flag.BELOW_LIMIT).tolist() == [[True, True, False, False]]
    unknown = rows_of(Z, value, flagged(10, below_limit=np.s_[4:7]))
    assert support(unknown, start[:, 0], stop[:, 0]).below.tolist() == [INF]


PLACES = np.arange(0.0, 30.0, 2.0)


def at(rows, lower, upper=None, **options):
    lower = np.atleast_2d(np.asarray(lower, float))
    return at_places(rows, lower, lower if upper is None else np.atleast_2d(upper), **options)


def test_a_gap_is_sampled_anew():
    rows = rows_of(HOLED, np.arange(20.0))
    flags, _, blank = at(rows, PLACES)
    inside = (PLACES > 9) & (PLACES < 20)
    assert blank[0].tolist() == inside.tolist()
    assert (flags[0] == GAP).tolist() == inside.tolist()
    assert PLACES[flags[0] == Flag.GAP_AFTER].tolist() == [8.0]
    assert PLACES[flags[0] == Flag.GAP_BEFORE].tolist() == [20.0]
    # Places in no order have no neighbours.
    assert set(at(rows, PLACES, axis=False).flags[0]) == {0, GAP}
    # A gap between two places widens to their step.
    assert at(rows, [8.0, 9.0, 20.0]).flags[0].tolist() == [0, Flag.GAP_AFTER, Flag.GAP_BEFORE]


@pytest.mark.parametrize(("reach", "wanted"), [(1, (2.5, 4.5)), (2, (1.5, 5.5)), (3, (0.5, 6.5))])
def test_values_rest_on_as_many_samples_as_their_rule_reaches(reach, wanted):
    rows = rows_of(Z, 1.0 + Z, flagged(10, saturated=[3, 4]))
    places = Z + 0.5
    found = at(rows, places, reach=reach)
    first, last = wanted
    assert (found.flags[0] == Flag.SATURATED).tolist() == (
        (places >= first) & (places <= last)
    ).tolist()
    # At a sample itself, only that.
    assert Z[at(rows, Z).flags[0] > 0].tolist() == [3.0, 4.0]


def test_cells_rest_on_all_samples_within_their_edges():
    rows = rows_of(Z, 1.0 + Z, flagged(10, saturated=[3]))
    found = at(rows, [0.0, 2.0, 3.5, 6.0], np.array([2.0, 3.5, 6.0, 9.0]))
    assert (found.flags[0] > 0).tolist() == [False, True, True, False]
