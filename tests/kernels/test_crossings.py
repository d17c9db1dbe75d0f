"""Crossings, tables of them and junctions, against plain references and closed forms."""

import itertools
import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from plain_profiles import LEVEL, batches, depths, run, samples

from sims_analysis.kernels import crossings as kernels
from sims_analysis.outcomes import Status

OK, PADDING = Status.OK, Status.PADDING
ALWAYS_ABOVE, NEVER_REACHED = Status.ALWAYS_ABOVE, Status.NEVER_REACHED
NO_DATA, TRUNCATED, UNDETERMINED = Status.NO_DATA, Status.TRUNCATED, Status.UNDETERMINED


def ask(kernel, depth, value, *parameters, **options):
    """Run a kernel over rows, with parameters of each row or for all."""
    of_rows = [np.broadcast_to(p, value.shape[:-1]) for p in parameters]
    return run(kernel, depth, value, *of_rows, **options)


def table(depth, value, level, width=None):
    """List crossings, all of them unless a width is given."""
    if width is None:
        found = ask(kernels.table, depth, value, level, width=1)
        width = int(found.number.max(initial=1))
    return ask(kernels.table, depth, value, level, width=width)


def junction(depth, value, level, *, after=None, **options):
    beyond = () if after is None else (0.0, np.nan, after)
    return ask(kernels.junction, depth, value, level, *beyond, **options)


def listed(z, c, level):
    """List the crossings of one profile: depth, direction, decay length, and their samples."""
    off = [i for i in range(z.size) if c[i] != level]
    found = []
    for p, q in itertools.pairwise(off):
        if (c[p] > level) == (c[q] > level):
            continue
        width, log = z[q] - z[p], c[p] > 0 and c[q] > 0 and level > 0
        if log:
            s0, s1 = math.log(c[p] / level), math.log(c[q] / level)
            t, decay = s0 / (s0 - s1), width / abs(s0 - s1)
        else:
            t, decay = (c[p] - level) / (c[p] - c[q]), math.nan
        depth = z[p] + t * width
        if q - p > 1:
            depth, t = z[p + 1], (z[p + 1] - z[p]) / width
        found.append((depth, 1 if c[q] > level else -1, decay, z[p], z[q], p, q))
    return found


def _why_none(c, level):
    if not c.size:
        return NO_DATA
    higher, lower = bool((c > level).any()), bool((c < level).any())
    return TRUNCATED if higher and lower else ALWAYS_ABOVE if higher else NEVER_REACHED


def chosen(z, c, level, edge, which, after, confirm):
    """Choose the junction of one profile: (depth, decay, candidates, status)."""
    counts = np.ones(c.size, dtype=bool)
    found = listed(z, c, level)
    if edge:
        found = [x for x in found if x[1] == edge]
    if after is not None and c.size:
        limit = z[np.argmax(c)] if math.isnan(after) else after
        at = [x[0] for x in listed(z, c, level) if not edge or x[1] == edge]
        found = [x for x, depth in zip(found, at, strict=True) if depth > limit]
        counts = z >= limit
    crossed, ends = bool(found), False
    if confirm > 1:
        side = np.sign(c - level)
        ends = any(x[5] + 1 < confirm or x[6] + confirm > c.size for x in found)
        found = [
            x
            for x in found
            if all(x[5] - k >= 0 and side[x[5] - k] == -x[1] for k in range(confirm))
            and all(x[6] + k < c.size and side[x[6] + k] == x[1] for k in range(confirm))
        ]
    number = len(found) - 1 if which < 0 else which - 1
    if found and number < len(found):
        depth, _, decay, *_ = found[number]
        return depth, decay, len(found), OK
    status = NEVER_REACHED if found else _why_none(c[counts], level)
    if crossed and not found:
        status = TRUNCATED if ends else NEVER_REACHED
    return math.nan, math.nan, len(found), status


def agree_table(answer, depth, value, level):
    level = np.broadcast_to(level, value.shape[:1])
    width = answer.depth.shape[-1]
    most = 1
    for row in range(value.shape[0]):
        z, c = samples(depth, value, row)
        found = listed(z, c, level[row])
        most = max(most, len(found))
        assert answer.number[row] == len(found)
        for place in range(width):
            got = [float(getattr(answer, name)[row, place]) for name in FIELDS]
            if place < len(found):
                np.testing.assert_allclose(got, found[place][:5], rtol=1e-11)
                assert answer.status[row, place] == OK
            else:
                np.testing.assert_equal(got, [math.nan, 0, *[math.nan] * 3])
                expected = _why_none(c, level[row]) if place == 0 else PADDING
                assert answer.status[row, place] == expected
    return most


FIELDS = ("depth", "direction", "decay_length", "depth_before", "depth_after")
CHOSEN = ("depth", "decay_length", "number", "status")
levels = st.sampled_from([LEVEL, 2e18, 1e16, 0.0, -5e16, 1e30])


@given(batch=batches(), data=st.data(), width=st.integers(1, 3))
def test_tables_with_a_level_of_each_row(batch, data, width):
    rows = batch[1].shape[0]
    level = np.array(data.draw(st.lists(levels, min_size=rows, max_size=rows)))
    answer = table(*batch, level, width=width)
    assert answer.depth.shape[-1] == width
    agree_table(answer, *batch, level)


@given(
    batch=batches(),
    level=levels,
    edge=st.sampled_from([-1, 1, 0]),
    which=st.sampled_from([-1, 1, 2]),
    after=st.one_of(st.none(), st.just(math.nan), depths),
    confirm=st.sampled_from([1, 1, 2, 3]),
)
def test_junctions_of_any_batch(batch, level, edge, which, after, confirm):
    depth, value = batch
    found = junction(depth, value, level, edge=edge, which=which, after=after, confirm=confirm)
    for row in range(value.shape[0]):
        z, c = samples(depth, value, row)
        wanted = chosen(z, c, level, edge, which, after, confirm)
        got = [float(getattr(found, name)[row]) for name in CHOSEN]
        np.testing.assert_allclose(got, wanted, rtol=1e-11)


def test_a_crossing_lies_no_deeper_than_the_sample_after_it():
    z = np.array([4.730019872565502, 13.117725022314927])  # where z0 + (z1 - z0) is more than z1
    c = np.array([[1e20, math.nextafter(1e18, 0.0)]])
    assert z[0] + (z[1] - z[0]) > z[1]
    assert junction(z, c, 1e18).depth[0] == z[1]
    assert table(z, c, 1e18).depth[0, 0] == z[1]
