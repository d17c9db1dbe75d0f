"""What a fit says of its parameters: errors, the dose of the window, and what follows."""

import numpy as np
import pytest

from sims_analysis.fitting.assessment import _window_dose, derived_values, parameter_values
from sims_analysis.fitting.minima import FitResult, half_widths, room
from sims_analysis.fitting.objectives import Squares
from sims_analysis.fitting.optimization import Curve, Minimum
from sims_analysis.fitting.preparation import FitProblem
from sims_analysis.fitting.request import FitRequest
from sims_analysis.shapes.model import Model, Parameter

# --- errors -----------------------------------------------------------------------------------


def number(name="a", kind="dimensionless", lower=-np.inf, upper=np.inf):
    return Parameter(name, kind, "", lower, upper)


def of_minima(p, errors, parameters, *, near=(), shares=None, exact=False, edged=False,
              known_errors=True, held=None):  # fmt: skip
    """State minima: where, their covariance, and how they share the likelihood."""
    curve = Curve(parameters, lambda *p: np.array(p), None, held or {})
    minima = [
        Minimum(
            one, one, np.ones(one.size), one, 0.0, converged=True, covariance=np.array(errors),
            share=share,
        )
        for one, share in zip(map(np.array, [p, *near]), shares or [1.0], strict=True)
    ]  # fmt: skip
    objective = Squares(np.zeros(len(p)), np.ones(len(p)) if known_errors else None)
    none = np.zeros((len(p), len(p)))
    return FitResult(curve, objective, minima, minima, none, exact=exact, irregular=edged)


@pytest.mark.parametrize(
    ("one", "value", "expected"),
    [
        (number(lower=1.0, upper=9.0), 3.0, 2.0),
        (number(lower=1.0, upper=9.0), 8.0, 1.0),
        (number(lower=1.0), 3.0, 2.0),
        (number(), 3.0, np.inf),
        (number(kind="value", lower=0.0), 3.0, np.inf),  # a level may be known to more than itself
        (number(kind="depth", lower=0.0), 3.0, 3.0),
    ],
)
def test_the_room_of_a_shape_is_its_distance_from_the_nearer_bound(one, value, expected):
    assert room([one], np.array([value])).tolist() == [expected]


def test_a_shape_whose_error_is_larger_than_its_room_has_none():
    shapes = [number(lower=0.0), number(), number(kind="value", lower=0.0)]
    errors = np.diag([1.01, 9.0, 9.0]) ** 2
    found = of_minima([1.0, 1.0, 1.0], errors, shapes)
    np.testing.assert_array_equal(found.stderr, [np.nan, 9.0, 9.0])
    errors[0, 0] = 0.99**2
    np.testing.assert_allclose(of_minima([1.0, 1.0, 1.0], errors, shapes).stderr, [0.99, 9.0, 9.0])


@pytest.mark.parametrize(("along", "known"), [(0.89, True), (0.91, False), (-0.91, False)])
def test_what_goes_along_with_a_parameter_without_an_error_has_none_either(along, known):
    errors = np.array([[4.0, 2 * 3 * along, 0.0], [2 * 3 * along, 9.0, 0.0], [0.0, 0.0, 1.0]])
    shapes = [number(lower=0.0), number(), number()]
    found = of_minima([1.0, 1.0, 1.0], errors, shapes).stderr
    assert np.isfinite(found).tolist() == [False, known, True]


def test_where_edges_follow_the_noise_shapes_have_no_error():
    shapes, errors = [number(kind="area"), number(kind="depth")], np.diag([4.0, 9.0])
    found = of_minima([1.0, 1.0], errors, shapes, edged=True)
    np.testing.assert_array_equal(found.stderr, [2.0, np.nan])
    plain = of_minima([1.0, 1.0], errors, shapes)
    np.testing.assert_array_equal(plain.stderr, [2.0, 3.0])


def test_what_goes_through_all_samples_with_known_errors_has_them_whatever_the_room():
    shapes, errors = [number(lower=0.0)], [[4.0]]
    for exact, known_errors, expected in (
        (True, True, 2.0), (True, False, np.nan), (False, True, np.nan),
    ):  # fmt: skip
        found = of_minima([1.0], errors, shapes, exact=exact, known_errors=known_errors)
        np.testing.assert_array_equal(found.stderr, [expected])


def test_other_minima_widen_the_errors_of_parameters():
    found = of_minima([1.0], [[4.0]], [number()], near=[[3.0]], shares=[0.6, 0.4])
    expected = half_widths(np.array([[2.0], [2.0]]), np.array([[0.0], [2.0]]), [0.6, 0.4])
    np.testing.assert_array_equal(found.stderr, expected)
    assert expected[0] > 2.0


def test_held_parameters_have_a_value_and_nothing_else():
    found = of_minima([2.0], np.eye(1), [number("a"), number("b")], exact=True, held={0: 3.0})
    parts = parameter_values(found, np.array([10.0, 100.0]), intervals=True)
    np.testing.assert_array_equal(parts["value"], [30.0, 200.0])
    np.testing.assert_array_equal(parts["stderr"], [np.nan, 100.0])
    np.testing.assert_array_equal(parts["covariance"], [[np.nan] * 2, [np.nan, 1e4]])
    # What is known exactly is a point.
    np.testing.assert_array_equal(parts["lower"], [np.nan, 200.0])
    np.testing.assert_array_equal(parts["upper"], [np.nan, 200.0])


# --- the dose of the window -------------------------------------------------------------------


def dosed(background, subtracted=(0.0, 0.0), near=()):
    """Give the dose of a line ``a z`` above a background, its samples with errors of their own.

    It may bend, and does not.
    """
    z = np.array([0.0, 1.0, 3.0, 6.0])
    s = np.array([0.1, 0.2, 0.1, 0.3])
    level = [number("background")] if background != "none" else []
    parameters = [number("slope"), number("bend"), *level]
    slopes = np.stack([z, z * z, np.ones(4)])[: len(parameters)]
    held = {2: 0.5} if background == "stated" else {}
    curve = Curve(parameters, lambda *p: np.array(p) @ slopes, lambda *_: slopes, held)
    objective = Squares(2 * z + 0.5, s)
    free = [2.0, 0.0] if background != "fit" else [2.0, 0.0, 0.5]

    square = np.linalg.inv((slopes / s**2 @ slopes.T)[: len(free), : len(free)])

    def at(free):
        return Minimum(**vars(curve.at(free)), cost=1.0, converged=True, covariance=square)

    best = at(free)
    result = FitResult(curve, objective, [best], [best, *map(at, near)], 0 * square)
    common = np.full(4, subtracted[0]), np.full(4, subtracted[1])
    down, ones = (False, False), np.ones(len(parameters))
    problem = FitProblem(z, 2 * z, 1e19, common, down, objective, curve, ones, [], {})
    request = FitRequest(Model("", "", [], None, None, ""), "concentration", background=background)
    return _window_dose(problem, result, curve.jacobian(best) / s, request), square, s


@pytest.mark.parametrize("background", ["none", "fit", "stated"])
def test_the_dose_of_a_window_has_the_error_of_the_curve_without_its_background(background):
    """A dose in atom/cm^2 of values in units of 1e19 atom/cm^3 over nm: 36 of the slope."""
    (dose, error), square, _ = dosed(background)
    area = np.array([0.5 * 6.0**2, 0.5 * 1 + 1.0 * 10 + 1.5 * 45])  # by trapezoids
    assert dose == pytest.approx(2 * area[0] * 1e12, rel=1e-12)
    variance = area @ square[:2, :2] @ area
    assert error == pytest.approx(1e12 * np.sqrt(variance), rel=1e-9)


def test_other_minima_and_a_subtracted_background_widen_it():
    (dose, error), _, s = dosed("none")
    (same, wider), *_ = dosed("none", near=[[2.1, 0.0], [1.8, 0.0]])
    assert same == dose
    apart = np.array([0.1, 0.2]) * 18e12
    assert wider == pytest.approx(np.sqrt(error**2 + np.sum(apart**2) / 3), rel=1e-9)
    z = np.array([0.0, 1.0, 3.0, 6.0])
    both = np.stack([z, z * z])
    weights = np.linalg.inv(both / s**2 @ both.T) @ (both / s**2)  # of samples in slope and bend
    moved = np.array([18.0, 78.0]) @ weights.sum(axis=1) * 1e12
    shift, own = 0.2 * moved, 0.05 * moved
    (_, moved), *_ = dosed("none", (0.2, 0.05))
    assert moved == pytest.approx(np.sqrt(error**2 + shift * (shift - 2 * own)), rel=1e-9)
    # What the samples themselves have made of it may make the whole better known, not negative.
    (_, less), *_ = dosed("none", (0.2, 5.0))
    assert less == 0.0


# --- what follows from parameters -------------------------------------------------------------


def following(derive, derived, values, square, *, options=(), fixed=(), shares=(1.0,), **settings):
    model = Model("mine", "", [number("a"), number("b")], None, None, "", derived=derived,
                  derive=derive, options=options)  # fmt: skip
    request = FitRequest(model, "concentration", fixed=dict.fromkeys(fixed, 0.0))
    return derived_values(
        request, settings, [np.array(v) for v in values], np.array(square), list(shares)
    )


def test_what_follows_has_the_error_of_what_it_is_made_of():
    square = [[0.04, 0.01], [0.01, 0.09]]
    found = following(
        lambda p, _: [p["a"] * p["b"], p["a"]], [number("c"), number("d")], [(3.0, 2.0)], square
    )
    slopes = np.array([[2.0, 3.0], [1.0, 0.0]])
    np.testing.assert_allclose(found["derived"], [6.0, 3.0])
    expected = np.sqrt(np.diag(slopes @ np.array(square) @ slopes.T))
    np.testing.assert_allclose(found["derived_stderr"], expected, rtol=1e-5)
    assert following(None, [], [(3.0, 2.0)], square) == {}


def test_what_does_not_count_may_be_unknown():
    nan = np.nan
    ask = [lambda p, _: [p["a"]], [number("c")], [(3.0, 2.0)]]
    found = following(*ask, [[0.04, nan], [nan, nan]])
    np.testing.assert_allclose(found["derived_stderr"], [0.2], rtol=1e-5)
    both = following(lambda p, _: [p["a"] + p["b"]], *ask[1:], [[0.04, nan], [nan, nan]])
    assert np.isnan(both["derived_stderr"]).all()
    held = following(
        lambda p, _: [p["a"] + p["b"]], *ask[1:], [[0.04, nan], [nan, nan]], fixed=["b"]
    )
    np.testing.assert_allclose(held["derived_stderr"], [0.2], rtol=1e-5)


@pytest.mark.parametrize("error", [None, 0.5, np.nan])
def test_the_errors_of_options_count_where_they_are_known(error):
    settings = {"time": 4.0} | ({} if error is None else {"time_stderr": error})
    found = following(
        lambda p, o: [p["a"] / o["time"]], [number("c")], [(8.0, 0.0)], [[0.0, 0.0], [0.0, 0.0]],
        options=("time",), **settings,
    )  # fmt: skip
    np.testing.assert_allclose(found["derived"], [2.0])
    expected = 8.0 / 16 * 0.5 if error == 0.5 else 0.0
    np.testing.assert_allclose(found["derived_stderr"], [expected], rtol=1e-5)


def test_of_a_large_parameter_the_slope_is_taken_over_a_part_of_it():
    found = following(
        lambda p, _: [2 * p["a"]], [number("c")], [(1e15, 0.0)], [[1e20, 0.0], [0.0, 0.0]]
    )
    np.testing.assert_allclose(found["derived_stderr"], [2e10], rtol=1e-5)


def test_of_a_parameter_that_is_0_the_slope_is_taken_over_its_error():
    found = following(
        lambda p, _: [np.sin(p["a"])], [number("c")], [(0.0, 0.0)], [[0.01, 0.0], [0.0, 0.0]]
    )
    np.testing.assert_allclose(found["derived_stderr"], [0.1], rtol=1e-6)


def test_other_minima_widen_what_follows_and_none_is_larger_than_its_room():
    ask = [lambda p, _: [p["a"]], [number("c")]]
    square = [[1.0, 0.0], [0.0, 0.0]]
    found = following(*ask, [(3.0, 0.0), (4.5, 0.0)], square, shares=[0.6, 0.4])
    half = half_widths(np.ones((2, 1)), np.array([[0.0], [1.5]]), [0.6, 0.4])
    np.testing.assert_allclose(found["derived_stderr"], half, rtol=1e-5)
    for reach, known in ((1.01, True), (0.99, False)):
        bound = [number("c", lower=3.0 - reach)]
        found = following(ask[0], bound, [(3.0, 0.0)], square)
        assert np.isfinite(found["derived_stderr"][0]) == known
