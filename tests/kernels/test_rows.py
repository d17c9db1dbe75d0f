"""Rows in both layouts agree with a loop over plain profiles."""

import math

import numpy as np
import pytest
from hypothesis import given
from plain_profiles import batches, samples

from sims_analysis import vocabulary
from sims_analysis.kernels.blocks import Errors, layouts
from sims_analysis.kernels.rows import (
    Dense,
    Packed,
    dot_rows,
    ends,
    first_status,
    range_sums,
    same_for_all,
)
from sims_analysis.outcomes import Status


def laid_out(depth, value, stderr=None):
    """All rows of a batch, one after the other, as (which, rows)."""
    errors = None if stderr is None else Errors(stderr)
    return [(np.arange(len(value))[index], rows) for index, rows in layouts(depth, value, errors)]


@given(batch=batches())
def test_exactly_the_measured_samples_are_kept(batch):
    depth, value = batch
    seen = []
    for which, rows in laid_out(depth, value, stderr=np.abs(value)):
        packed = rows.packed()
        for place, row in enumerate(which):
            z, c = samples(depth, value, row)
            own = slice(packed.offsets[place], packed.offsets[place + 1])
            np.testing.assert_array_equal(packed.depth[own], z)
            np.testing.assert_array_equal(packed.value[own], c)
            np.testing.assert_array_equal(packed.stderr[own], np.abs(c))
        seen += which.tolist()
        assert isinstance(rows, Dense) == (depth.ndim == 1 and not np.isnan(value[which]).any())
    assert sorted(seen) == list(range(len(value)))


@given(batch=batches())
def test_quantities_per_row(batch):
    depth, value = batch
    for which, rows in laid_out(depth, value):
        each = [samples(depth, value, row) for row in which]
        nothing = np.nan
        ends = [(z[0], z[-1]) if z.size else (nothing, nothing) for z, _ in each]
        np.testing.assert_array_equal(rows.size, [z.size for z, _ in each])
        np.testing.assert_array_equal(rows.first, [a for a, _ in ends])
        np.testing.assert_array_equal(rows.last, [b for _, b in ends])
        np.testing.assert_allclose(rows.sum(rows.value), [c.sum() for _, c in each], rtol=1e-13)
        np.testing.assert_allclose(
            rows.sum(rows.value, rows.depth), [z @ c for z, c in each], rtol=1e-12
        )
        np.testing.assert_array_equal(
            rows.reduce(np.maximum, rows.value), [c.max(initial=-np.inf) if c.size else nothing
                                                   for _, c in each]
        )  # fmt: skip
        of_row = np.arange(float(rows.count))
        both = np.broadcast_to(rows.repeat(of_row), rows.value.shape)
        np.testing.assert_array_equal(both.reshape(-1), of_row[rows.packed().row])


@given(batch=batches())
def test_windows_and_masks(batch):
    depth, value = batch
    for which, rows in laid_out(depth, value):
        for low, high in ((np.nan, np.nan), (1.0, 4.0), (2.5, np.nan), (9.0, 3.0)):
            inside = rows.within(np.full(rows.count, low), np.full(rows.count, high)).packed()
            for place, row in enumerate(which):
                z, c = samples(depth, value, row)
                wanted = ~((z < low) | (z > high))
                own = slice(inside.offsets[place], inside.offsets[place + 1])
                np.testing.assert_array_equal(inside.value[own], c[wanted])
        kept = rows.keep(np.broadcast_to(rows.value > 1e17, rows.value.shape).reshape(
            rows.value.shape))  # fmt: skip
        np.testing.assert_array_equal(kept.size, [(samples(depth, value, r)[1] > 1e17).sum()
                                                  for r in which])  # fmt: skip


@given(batch=batches())
def test_values_per_sample_are_unpacked_to_their_original_positions(batch):
    depth, value = batch
    for which, rows in laid_out(depth, value):
        there = ~np.isnan(value[which])
        if depth.ndim > 1:
            there &= ~np.isnan(depth[which])
        np.testing.assert_array_equal(
            rows.unpacked(rows.value), np.where(there, value[which], np.nan)
        )


def test_segments_at_depths():
    z = np.array([0.0, 1.0, 2.0, 4.0, 8.0])
    value = np.ones((3, 5))
    value[1, [0, 2]] = np.nan
    value[2, 1:] = np.nan
    asked = np.array([[-1.0, 0.0, 1.5, 4.0, 8.0, 9.0]] * 3)
    # A depth at a sample lies in the segment that begins there; one outside, in the nearest.
    wanted = [[0, 0, 1, 3, 3, 3], [5, 5, 5, 6, 6, 6], [8] * 6]
    dense = Dense(z, np.ones((3, 5)))
    assert dense.segment_at(asked).tolist() == [[5 * r + i for i in wanted[0]] for r in range(3)]
    assert dense.packed().segment_at(asked).tolist() == dense.segment_at(asked).tolist()
    for axes in (z, np.tile(z, (3, 1))):
        ((_, rows),) = layouts(axes, value, group=3)
        assert rows.segment_at(asked).tolist() == wanted
        for depth, segment in zip(asked.T, np.transpose(wanted), strict=True):
            assert rows.segment_at(depth[:, None]).tolist() == segment[:, None].tolist()


@given(batch=batches())
def test_next_depths_and_widths(batch):
    depth, value = batch
    for which, rows in laid_out(depth, value):
        packed = rows.packed()
        for row, own in zip(which, packed.slices(), strict=True):
            z, _ = samples(depth, value, row)
            np.testing.assert_array_equal(packed.next_depth()[own], [*z[1:], *z[-1:]])
            np.testing.assert_array_equal(packed.width[own], [*np.diff(z), *([0.0] * (z.size > 0))])
            if isinstance(rows, Dense):
                np.testing.assert_array_equal(rows.next_depth(), packed.next_depth()[own])
                np.testing.assert_array_equal(rows.width, packed.width[own])


def test_each_status_has_a_word():
    words = [status.name.lower() if status != Status.PADDING else "" for status in Status]
    assert [vocabulary.STATUS[status] for status in Status] == words == list(vocabulary.STATUS)


def test_the_first_case_that_is_true_gives_the_status():
    flags = np.array([[True, True, False, False], [True, False, True, False]])
    found = first_status((flags[0], Status.NO_DATA), (flags[1], Status.TRUNCATED))
    assert found.dtype == np.uint8
    assert found.tolist() == [Status.NO_DATA, Status.NO_DATA, Status.TRUNCATED, Status.OK]


def test_rows_from_which_samples_were_left_out_do_not_know_their_places():
    rows = Dense(np.arange(3.0), np.ones((2, 3))).keep(np.arange(3) > 0)
    with pytest.raises(ValueError, match="left out"):
        rows.unpacked(rows.value)


def test_sums_over_ranges():
    found = range_sums(np.arange(6.0), np.array([0, 2, 3, 5]), np.array([2, 2, 6, 6]))
    assert found.tolist() == [1.0, 0.0, 12.0, 5.0]


def test_ends_of_rows():
    rows = Packed(
        np.array([1.0, 4.0, 2.0]), np.array([7.0, 8.0, 9.0]), offsets=np.array([0, 2, 3, 3])
    )
    found = ends(rows)
    np.testing.assert_array_equal(found.first, [1.0, 2.0, np.nan])
    np.testing.assert_array_equal(found.last, [4.0, 2.0, np.nan])
    np.testing.assert_array_equal(found.first_value, [7.0, 9.0, np.nan])


def test_rows_without_a_sample_have_no_segments():
    nothing = np.empty(0)
    rows = Packed(nothing, nothing, offsets=np.zeros(3, dtype=np.intp))
    assert rows.next_depth().shape == rows.width.shape == (0,)


def test_rows_are_the_same_for_all_broadcast_or_copied():
    row = np.arange(4.0)
    assert same_for_all(np.broadcast_to(row, (3, 4)))
    assert same_for_all(np.tile(row, (3, 1)))
    assert not same_for_all(np.stack([row, row, row + 1e-12]))


def test_limits_of_no_rows_are_not_alike():
    rows = Dense(np.arange(3.0), np.empty((0, 3)))
    assert not rows.alike(np.empty(0))
    assert rows.within(np.empty(0), np.empty(0)).count == 0


@pytest.mark.parametrize("n", [8191, 8192, 8193, 20_000])
def test_sums_of_long_rows_are_those_of_each_alone(n):
    value, weights = np.random.default_rng(n).normal(size=(2, 3, n))
    for by in (weights, weights[0]):
        found = dot_rows(value, by)
        for row, c in enumerate(value):
            w = np.broadcast_to(by, value.shape)[row]
            assert found[row] == pytest.approx(math.fsum(c * w), rel=1e-10, abs=1e-9)
            assert dot_rows(value[row : row + 1], w)[0] == found[row]
