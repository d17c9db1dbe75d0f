"""What a fit says of a curve: its window, its dose, and slopes that are not known."""

from types import SimpleNamespace

import numpy as np
import pytest
import xarray as xr

from sims_analysis.fitting import assessment as _judged
from sims_analysis.fitting.minima import Minima, Minimum, half_widths
from sims_analysis.fitting.objectives import Squares
from sims_analysis.fitting.optimization import Curve, Solution
from sims_analysis.fitting.request import is_profile
from sims_analysis.fitting.task import NoFitError
from sims_analysis.interfaces import step as _step
from sims_analysis.shapes import find_model
from sims_analysis.shapes.layered_model import layered
from sims_analysis.shapes.model import Model, Parameter

Z = np.arange(0.0, 50.0, 10.0)


def found(p, m):
    """State a minimum: its parameters and its curve."""
    solution = SimpleNamespace(free=np.array(p), m=np.array(m))
    return SimpleNamespace(
        among=[SimpleNamespace(solution=solution)], curve=SimpleNamespace(whole=lambda free: free)
    )


def outside(model, p, m):
    profile, task = SimpleNamespace(z=Z), SimpleNamespace(model=find_model(model))
    return _judged._outside(profile, found(p, m), task)


@pytest.mark.parametrize(
    ("position", "expected"), [(-1, True), (0, False), (20, False), (40, False), (41, True)]
)
def test_a_step_may_lie_outside_its_window(position, expected):
    names = find_model("edge_logistic").names
    p = [float(position) if one == "position" else 1.0 for one in names]
    assert outside("edge_logistic", p, [1, 1, 2, 3, 3]) == expected


@pytest.mark.parametrize(
    ("model", "highest"),
    [("gaussian", {0, 4}), ("annealed_implant", {4}), ("erfc", set())],
)
def test_a_maximum_may_lie_outside_its_window(model, highest):
    for at in range(5):
        assert outside(model, [20.0] * 5, np.eye(5)[at]) == (at in highest)


def test_several_layers_lie_outside_if_one_of_them_does():
    layers = layered(find_model("gaussian"), 2, ["straggle"])
    profile, task = SimpleNamespace(z=Z), SimpleNamespace(model=layers)
    for places, expected in (((5, 30), False), ((-1, 30), True), ((5, 41), True), ((0, 40), False)):
        p = [1.0, float(places[0]), 1.0, float(places[1]), 2.0]
        assert _judged._outside(profile, found(p, np.eye(5)[2]), task) == expected


@pytest.mark.parametrize(("dose", "error"), [(2.0, 0.2), (-2.0, 0.2), (0.01, 0.001)])
@pytest.mark.parametrize("status", ["undetermined", "at_bound"])
def test_a_curve_is_ok_whose_dose_is_known_to_a_tenth(monkeypatch, status, dose, error):
    monkeypatch.setattr(_judged, "_status", lambda *_: status)

    def curve_status(error):
        described = {"window_dose": dose, "window_dose_stderr": error}, False
        monkeypatch.setattr(_judged, "_described", lambda *_: described)
        said = _judged.said(SimpleNamespace(known={}), None, np.zeros(1), None)
        assert said[0] == status
        return said[1]["curve_status"]

    assert curve_status(0.99 * error) == "ok"
    assert curve_status(1.01 * error) == status


def test_slopes_that_noise_may_have_made_widen_the_errors():
    row = np.arange(10.0)
    sloping = np.array([3.0, 5.0, 0, 0, 0, 0, 0, 0, 0, 4.0])
    line = _step._Plateau(0.0, 1.0, 0.3, 0.1, 0.1)  # three errors from level
    level = _step._Plateau(0.0, 1.0, 0.1, 0.1, 0.1)
    flat = _step._Plateau(0.0, 1.0, 0.1, 0.1, 0.0)  # without an error
    changed = np.array([3.0, 4.0]) * np.sqrt(1 - 2 / 9)
    expected = [*row[:4], *np.hypot(row[4:6], changed), *row[6:]]
    np.testing.assert_allclose(_step._in_doubt(row, sloping, [level, flat, line]), expected)
    for lines in ([], [level], [flat]):
        np.testing.assert_array_equal(_step._in_doubt(row, sloping, lines), row)
    sloping[1] = np.nan  # no change is known
    expected[5] = row[5]
    np.testing.assert_allclose(_step._in_doubt(row, sloping, [line]), expected)
    sloping[-1] = 1.0  # there is no such step
    np.testing.assert_array_equal(_step._in_doubt(row, sloping, [line]), row)


def test_a_profile_is_over_depth_and_a_fit_is_none():
    over = xr.DataArray(np.ones(5), dims="depth")
    assert is_profile(over)
    assert is_profile(xr.Dataset({"concentration": over}))
    assert not is_profile(xr.Dataset({"straggle": over}))
    assert not is_profile(xr.DataArray(np.ones(2), dims="species"))
    assert not is_profile("20 nm")


# --- errors -----------------------------------------------------------------------------------


def number(name="a", kind="dimensionless", lower=-np.inf, upper=np.inf):
    return Parameter(name, kind, "", lower, upper)


def of_minima(free, errors, parameters, *, near=(), shares=None, exact=False, edged=False,
              known_errors=True):  # fmt: skip
    """State minima: where, their covariance, and how they share the likelihood."""
    curve = Curve(parameters, lambda *p: np.array(p), None, {})
    points = [np.array(free), *map(np.array, near)]
    shares = shares or [1.0]
    among = [
        Minimum(Solution(p, p, np.ones(p.size), p, 0.0, converged=True), np.array(errors), share)
        for p, share in zip(points, shares, strict=True)
    ]
    objective = SimpleNamespace(known_errors=known_errors)
    near = [one.solution for one in among]
    return Minima(curve, objective, among, near, exact=exact, edged=edged)


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
    assert _judged.room([one], np.array([value])).tolist() == [expected]


def test_a_shape_whose_error_is_larger_than_its_room_has_none():
    shapes = [number(lower=0.0), number(), number(kind="value", lower=0.0)]
    errors = np.diag([1.01, 9.0, 9.0]) ** 2
    found = of_minima([1.0, 1.0, 1.0], errors, shapes)
    np.testing.assert_array_equal(_judged.stderr_of(found), [np.nan, 9.0, 9.0])
    errors[0, 0] = 0.99**2
    np.testing.assert_allclose(
        _judged.stderr_of(of_minima([1.0, 1.0, 1.0], errors, shapes)), [0.99, 9.0, 9.0]
    )


@pytest.mark.parametrize(("along", "known"), [(0.89, True), (0.91, False), (-0.91, False)])
def test_what_goes_along_with_a_parameter_without_an_error_has_none_either(along, known):
    errors = np.array([[4.0, 2 * 3 * along, 0.0], [2 * 3 * along, 9.0, 0.0], [0.0, 0.0, 1.0]])
    shapes = [number(lower=0.0), number(), number()]
    found = _judged.stderr_of(of_minima([1.0, 1.0, 1.0], errors, shapes))
    assert np.isfinite(found).tolist() == [False, known, True]


def test_where_edges_follow_the_noise_shapes_have_no_error():
    shapes, errors = [number(kind="area"), number(kind="depth")], np.diag([4.0, 9.0])
    found = of_minima([1.0, 1.0], errors, shapes, edged=True)
    np.testing.assert_array_equal(_judged.stderr_of(found), [2.0, np.nan])
    plain = of_minima([1.0, 1.0], errors, shapes)
    np.testing.assert_array_equal(_judged.stderr_of(plain), [2.0, 3.0])


def test_what_goes_through_all_samples_with_known_errors_has_them_whatever_the_room():
    shapes, errors = [number(lower=0.0)], [[4.0]]
    for exact, known_errors, expected in (
        (True, True, 2.0), (True, False, np.nan), (False, True, np.nan),
    ):  # fmt: skip
        found = of_minima([1.0], errors, shapes, exact=exact, known_errors=known_errors)
        np.testing.assert_array_equal(_judged.stderr_of(found), [expected])


def test_other_minima_widen_the_errors_of_parameters():
    found = of_minima([1.0], [[4.0]], [number()], near=[[3.0]], shares=[0.6, 0.4])
    expected = half_widths(np.array([[2.0], [2.0]]), np.array([[0.0], [2.0]]), [0.6, 0.4])
    np.testing.assert_array_equal(_judged.stderr_of(found), expected)
    assert expected[0] > 2.0


def test_an_error_twice_as_large_as_that_about_a_minimum_is_poor(monkeypatch):
    """In its square; others are asked of the likelihood."""
    asked = []

    def poor_errors(curve, objective, solution, errors, first):
        asked.append(first)
        return np.array([False, True])

    monkeypatch.setattr(_judged, "poor_errors", poor_errors)
    pair = [number("a"), number("b")]
    for more, exact, poor, calls in (
        (1.41, True, [False, False], 0), (1.42, True, [True, True], 1),
        (1.0, False, [False, True], 1), (np.nan, True, [True, True], 1),
    ):  # fmt: skip
        asked.clear()
        found = of_minima([1.0, 1.0], 9 * np.eye(2), pair, exact=exact)
        stderr = 3 * np.array([more, 1.0])
        parts = _judged.numbers(found, stderr, np.zeros((2, 2)), np.ones(2), interval=False)
        assert parts["poor"].tolist() == poor
        assert asked == [2] * calls
    _judged.numbers(found, stderr, np.zeros((2, 2)), np.ones(2), interval=False, least=1)
    assert asked[-1] == 1


@pytest.mark.parametrize(("exact", "stderr", "asked"), [
    (True, 1.0, False), (True, np.nan, True), (False, 1.0, True), (False, np.nan, True),
])  # fmt: skip
def test_an_interval_is_a_point_where_a_value_is_known_exactly(monkeypatch, exact, stderr, asked):
    monkeypatch.setattr(_judged, "profile_interval", lambda *_: (0.5, 4.0))
    monkeypatch.setattr(_judged, "poor_errors", lambda *_: np.zeros(1, dtype=bool))
    found = of_minima([2.0], np.eye(1), [number()], exact=exact)
    parts = _judged.numbers(
        found, np.array([stderr]), np.zeros((1, 1)), np.array([10.0]), interval=True
    )
    expected = (5.0, 40.0) if asked else (20.0, 20.0)
    assert (parts["lower"][0], parts["upper"][0]) == expected


def test_held_parameters_have_a_value_and_nothing_else():
    curve = Curve([number("a"), number("b")], lambda *p: np.array(p), None, {0: 3.0})
    point = np.array([2.0])
    one = Minimum(Solution(point, point, np.ones(1), point, 0.0, converged=True), np.eye(1), 1.0)
    found = Minima(curve, SimpleNamespace(known_errors=True), [one], [one.solution],
                   exact=True, edged=False)  # fmt: skip
    parts = _judged.numbers(
        found, np.ones(1), np.zeros((1, 1)), np.array([10.0, 100.0]), interval=True
    )
    np.testing.assert_array_equal(parts["value"], [30.0, 200.0])
    np.testing.assert_array_equal(parts["stderr"], [np.nan, 100.0])
    np.testing.assert_array_equal(parts["poor"], [0, 0])
    np.testing.assert_array_equal(parts["covariance"], [[np.nan] * 2, [np.nan, 1e4]])
    # What is known exactly is a point.
    np.testing.assert_array_equal(parts["lower"], [np.nan, 200.0])
    np.testing.assert_array_equal(parts["upper"], [np.nan, 200.0])


# --- statuses ---------------------------------------------------------------------------------


def status_of(free, stderr, parameters, *, x=None, shape="decay"):
    x = free if x is None else x
    curve = Curve(parameters, lambda *p: np.array(p), None, {})
    solution = SimpleNamespace(free=np.array(free), x=np.array(x), m=np.array([3.0, 2.0, 1.0]))
    found = SimpleNamespace(
        curve=curve, among=[SimpleNamespace(solution=solution)],
        objective=SimpleNamespace(noise=lambda c: 0.01 * c),
    )  # fmt: skip
    profile = SimpleNamespace(c=np.array([3.0, 2.0, 1.0]), z=np.arange(3.0), down=(False, False))
    model = SimpleNamespace(shape=shape, names=[one.name for one in parameters])
    task = SimpleNamespace(background="none", model=model)
    return _judged._status(profile, found, np.array(stderr), task)


@pytest.mark.parametrize(
    ("value", "error", "status"),
    [
        (1.021, 1.0, "ok"), (1.019, 1.0, "at_bound"), (8.981, 1.0, "at_bound"), (8.979, 1.0, "ok"),
        (5.0, np.nan, "undetermined"), (1.01, 0.4, "ok"), (1.0, np.nan, "undetermined"),
    ],
)  # fmt: skip
def test_a_parameter_is_at_its_bound_within_a_fiftieth_of_its_error(value, error, status):
    assert status_of([value], [error], [number(lower=1.0, upper=9.0)]) == status


@pytest.mark.parametrize(
    ("x", "lower", "status"),
    [(40.1, 0.0, "at_bound"), (-40.1, 0.0, "at_bound"), (39.9, 0.0, "ok"), (-40.1, -np.inf, "ok")],
)
def test_a_coordinate_far_out_is_a_bound_where_there_is_one(x, lower, status):
    assert status_of([5.0], [1e-3], [number(lower=lower)], x=[x]) == status


def test_a_bound_comes_before_what_is_not_determined():
    pair = [number("a", lower=0.0), number("b")]
    assert status_of([0.01, 1.0], [1.0, np.nan], pair) == "at_bound"
    assert status_of([1.0, 1.0], [1.0, np.nan], pair) == "undetermined"


@pytest.mark.parametrize("background", ["none", "fit"])
@pytest.mark.parametrize("layers", [True, False])
def test_peaks_and_layers_are_judged_above_their_background(monkeypatch, layers, background):
    asked = []
    monkeypatch.setattr(_judged, "not_one_peak", lambda *given: asked.append(given))
    monkeypatch.setattr(_judged, "not_these_layers", lambda *given: asked.append(given))
    model = layered(find_model("gaussian"), 2, ["straggle"]) if layers else find_model("gaussian")
    task = SimpleNamespace(background=background, model=model)
    c, m = np.array([3.0, 9.0, 3.0]), np.array([2.5, 8.5, 2.5])
    parameters = [number(str(i)) for i in range(len(model.parameters) + (background == "fit"))]
    free = np.arange(1.0, len(parameters) + 1)
    curve = Curve(parameters, lambda *p: np.array(p), None, {})
    solution = SimpleNamespace(free=free, x=free, m=m)
    found = SimpleNamespace(
        curve=curve, among=[SimpleNamespace(solution=solution)],
        objective=SimpleNamespace(noise=lambda c: 0.1 * c),
    )  # fmt: skip
    profile = SimpleNamespace(c=c, z=np.arange(3.0), down=(False, True))
    assert _judged._status(profile, found, 0.1 * free, task) == "ok"
    level = free[-1] if background == "fit" else 0.0
    (given,) = asked
    if layers:
        of, above, curve_above, noise, values, errors = given
        assert of is model
        np.testing.assert_array_equal(above, c - level)
        np.testing.assert_array_equal(curve_above, m - level)
        np.testing.assert_array_equal(values, free)
        np.testing.assert_array_equal(errors, 0.1 * free)
    else:
        samples, whole, noise, below, down = given
        np.testing.assert_array_equal(samples, c)
        np.testing.assert_array_equal(whole, m)
        assert (below, down) == (level, (False, True))
    np.testing.assert_array_equal(noise, 0.1 * c)


def test_a_step_outside_is_truncated_and_of_a_peak_both_ends_are_asked():
    where = number("position")
    assert status_of([5.0], [0.1], [where], shape="step") == "truncated"
    assert status_of([1.0], [0.1], [where], shape="step") == "ok"
    # A fall from the first sample is a peak that is cut off, unless the surface may do that.
    assert status_of([1.0], [0.1], [where], shape="peak") == "truncated"


@pytest.mark.parametrize(
    ("status", "wrong", "outside", "expected"),
    [
        ("ok", False, False, "ok"),
        ("ok", True, False, "wrong_shape"),
        ("undetermined", True, False, "wrong_shape"),
        ("several_peaks", True, False, "several_peaks"),
        ("truncated", True, False, "truncated"),
        ("truncated", False, True, NoFitError),
        ("ok", True, True, NoFitError),
        ("several_peaks", True, True, "several_peaks"),
        ("ok", False, True, "ok"),
    ],
)
def test_what_the_profile_says_comes_before_the_residuals(
    monkeypatch, status, wrong, outside, expected
):
    known = {"window_dose": 1.0, "window_dose_stderr": 1.0}
    monkeypatch.setattr(_judged, "_status", lambda *_: status)
    monkeypatch.setattr(_judged, "_described", lambda *_: (known, wrong))
    monkeypatch.setattr(_judged, "_outside", lambda *_: outside)
    profile = SimpleNamespace(known={"n_samples": 3})
    if expected is NoFitError:
        with pytest.raises(NoFitError) as end:
            _judged.said(profile, None, np.zeros(1), None)
        assert end.value.status == ("truncated" if status == "truncated" else "wrong_shape")
        assert end.value.known == known | {"n_samples": 3}
    else:
        said = _judged.said(profile, None, np.zeros(1), None)
        assert said[0] == expected
        assert ("curve_status" in said[1]) == (expected in ("undetermined", "at_bound"))


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
    objective = Squares(2 * z + 0.5, s, known_errors=True, code=2)
    free = [2.0, 0.0] if background != "fit" else [2.0, 0.0, 0.5]

    def at(free):
        one = curve.at(free)
        return Solution(**vars(one), cost=1.0, converged=True)

    solution = at(free)
    square = np.linalg.inv((slopes / s**2 @ slopes.T)[: len(free), : len(free)])
    found = Minima(
        curve, objective, [Minimum(solution, square, 1.0)], [solution, *map(at, near)],
        exact=False, edged=False,
    )  # fmt: skip
    common = np.full(4, subtracted[0]), np.full(4, subtracted[1])
    profile = SimpleNamespace(z=z, top=1e19, subtracted=common)
    task = SimpleNamespace(kind="concentration", axis="depth", background=background)
    rows = curve.jacobian(solution) / s
    return _judged._window_dose(profile, found, rows, task), square, s


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
    task = SimpleNamespace(model=model, fixed=dict.fromkeys(fixed, 0.0))
    return _judged.derived(
        task, settings, [np.array(v) for v in values], np.array(square), list(shares)
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
    for room, known in ((1.01, True), (0.99, False)):
        bound = [number("c", lower=3.0 - room)]
        found = following(ask[0], bound, [(3.0, 0.0)], square)
        assert np.isfinite(found["derived_stderr"][0]) == known
