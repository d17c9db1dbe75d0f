"""One profile, one model: coordinates, derivatives, minima, and errors of parameters."""

import numpy as np
import pytest

from sims_analysis.fitting.objectives import Squares
from sims_analysis.fitting.optimization import (
    Curve,
    Minimum,
    background_covariance,
    covariance,
    profile_interval,
    solve,
)
from sims_analysis.shapes.model import Parameter

INF = np.inf
X = np.array([0.0, 1.0, 2.0, 3.0, 4.0])


def free(name="a", lower=-INF, upper=INF):
    return Parameter(name, "dimensionless", "", lower, upper)


# --- errors -----------------------------------------------------------------------------------


def at(curve, objective, point):
    """Call a point a minimum."""
    one = curve.at(curve.coordinates(point).tolist())
    return Minimum(**vars(one), cost=objective.cost(one.m), converged=True)


def test_a_parameter_without_influence_has_no_error_and_leaves_the_others_alone():
    s = np.full(5, 0.5)
    objective = Squares(2 * X, s)
    curve = Curve([free("a"), free("b"), free("c")], lambda a, b, c: a * X + c + 0 * b, None, {})
    square = covariance(curve, objective, at(curve, objective, [2.0, 1.0, 0.0]))
    assert np.isnan(square[1]).all()
    assert np.isnan(square[:, 1]).all()
    a = np.stack([X, np.ones(5)]) / 0.5
    np.testing.assert_allclose(square[::2, ::2], np.linalg.inv(a @ a.T), rtol=1e-6)


def test_a_background_that_was_subtracted_moves_all_samples_at_once():
    """S S' - S T' - T S', S what it moves a parameter by, T the part that samples have made."""
    s = np.array([0.1, 0.2, 0.1, 0.3, 0.2])
    objective = Squares(2 * X + 1, s)
    for one in (free("a"), free("a", 0.0)):
        curve = Curve([one, free("b")], lambda a, b: a * X + b, None, {})
        found = solve(curve, objective, [1.0, 0.0])
        found.covariance = covariance(curve, objective, found)
        a = np.stack([X, np.ones(5)])
        pull = np.linalg.inv(a / s**2 @ a.T) @ (a / s**2)
        common, own = np.array([0.1, 0.2, 0.3, 0.2, 0.1]), np.array([0.0, 0.1, 0.1, 0.0, 0.2])
        shift, made = pull @ common, pull @ own
        expected = np.outer(shift, shift) - np.outer(shift, made) - np.outer(made, shift)
        assert expected.min() < 0 < expected.max()
        got = background_covariance(curve, objective, found, (common, own))
        np.testing.assert_allclose(got, expected, rtol=1e-5)
        none = background_covariance(curve, objective, found, (0 * X, 0 * X))
        np.testing.assert_array_equal(none, 0)


def test_a_sample_at_which_a_slope_has_no_value_leaves_the_minimum_to_the_others():
    """A root is infinitely steep where it begins: at a sample, to begin with."""

    def slope(a):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(a > X, 0.0, -0.5 / np.sqrt(X - a))[None]

    curve = Curve([free("a")], lambda a: np.sqrt(np.maximum(X - a, 0.0)), slope, {})
    found = solve(curve, Squares(curve.values(np.array([0.6])), np.ones(5)), [1.0])
    assert found.p.item() == pytest.approx(0.6, abs=1e-6)


# --- intervals --------------------------------------------------------------------------------


def bent(form, lower=-INF, upper=INF, *, start=1.0):
    """Give a curve of one parameter, its minimum and the square of its error."""
    curve = Curve([free("a", lower, upper)], lambda a: np.array([form(a)]), None, {})
    objective = Squares(np.zeros(1), np.ones(1))
    found = solve(curve, objective, [start])
    return curve, objective, found, covariance(curve, objective, found)


def test_an_interval_ends_where_the_sum_of_squares_has_risen_by_its_unit():
    for form, ends in (
        (lambda a: 2 * (a - 1), (0.5, 1.5)),
        (lambda a: np.log(max(a, 1e-300)), (np.exp(-1), np.e)),
        (lambda a: a - 1 if a < 1 else 3 * (a - 1), (0.0, 4 / 3)),
    ):
        curve, objective, found, _ = bent(form, -1e-3)
        low, high = profile_interval(curve, objective, [found], 0)
        for end in (low, high):
            assert form(end) ** 2 == pytest.approx(1, abs=0.021)
        np.testing.assert_allclose((low, high), ends, atol=0.02)


def test_an_interval_ends_at_a_bound_where_the_sum_does_not_rise_as_far():
    curve, objective, found, _ = bent(lambda a: 0.5 * (a - 1), 0.0, 9.0)
    low, high = profile_interval(curve, objective, [found], 0)
    assert low == 0.0
    assert high == pytest.approx(3.0, rel=0.02)
    curve, objective, found, _ = bent(lambda a: 0.5 * (a - 8), 0.0, 9.0, start=8.0)
    low, high = profile_interval(curve, objective, [found], 0)
    assert high == 9.0
    assert low == pytest.approx(6.0, rel=0.02)


def test_the_other_parameters_follow_to_the_ends_of_an_interval():
    """Of two that are correlated, the interval of one is that with the other free."""
    square = np.array([[1.0, 0.8], [0.8, 1.0]])
    root = np.linalg.cholesky(np.linalg.inv(square))
    curve = Curve(
        [free("a"), free("b", -50.0)], lambda a, b: root.T @ np.array([a - 3, b - 4]), None, {}
    )
    objective = Squares(np.zeros(2), np.ones(2))
    found = solve(curve, objective, [3.1, 4.1])
    for which, middle in enumerate((3.0, 4.0)):
        ends = profile_interval(curve, objective, [found], which)
        np.testing.assert_allclose(ends, [middle - 1, middle + 1], rtol=0.01)
    scattered = Squares(np.zeros(2), None)  # with a scatter that is hardly any
    unit = scattered.variance(found.cost, 2)
    assert unit < 1e-9
