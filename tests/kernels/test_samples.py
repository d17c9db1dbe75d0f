"""Samples of one profile: their order, and their cells."""

from dataclasses import replace

import numpy as np

from sims_analysis.kernels.samples import Samples, cells, in_order


def samples(c, s=np.nan, k=np.nan):
    c = np.asarray(c, dtype=float)
    z, s, k = np.arange(c.size) * 2.0, *(np.broadcast_to(one, c.shape) for one in (s, k))
    return Samples(z, c, s, k, np.zeros(c.size), np.zeros(c.size))


def test_samples_are_in_order_within_their_window():
    z, c = np.array([3.0, 1.0, np.nan, 2.0, 4.0]), np.array([1.0, 1.0, 1.0, np.nan, 1.0])
    np.testing.assert_array_equal(in_order(z, c), [1, 0, 4])
    np.testing.assert_array_equal(in_order(z, c, 1.0, 3.0), [1, 0])
    np.testing.assert_array_equal(in_order(z, c, 1.01), [0, 4])
    np.testing.assert_array_equal(in_order(z, c, stop=2.99), [1])


def test_cells_reach_half_way_or_as_stated():
    below, above = cells(np.array([0.0, 1.0, 4.0]))
    np.testing.assert_array_equal(below, [0.5, 0.5, 1.5])
    np.testing.assert_array_equal(above, [0.5, 1.5, 1.5])
    assert [one.tolist() for one in cells(np.array([7.0]))] == [[0.0], [0.0]]
    three, here = samples([1.0, 1.0, 1.0]), np.array([1, 2])
    np.testing.assert_array_equal(three.cells(here), [[1, 1], [1, 1]])
    stated = replace(three, lower=three.z - 0.3, upper=three.z + 0.4)
    np.testing.assert_allclose(stated.cells(here), [[0.3, 0.3], [0.4, 0.4]])
    partly = replace(stated, lower=np.array([0.0, np.nan, 3.7]))
    np.testing.assert_array_equal(partly.cells(here), [[1, 1], [1, 1]])
