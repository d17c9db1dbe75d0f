"""The minima of a profile: which are found, which are ruled out, and what each is worth."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sims_analysis.errors import ProfileError
from sims_analysis.fitting.minima import (
    _in_order,
    _irregular,
    _observed_covariance,
    _refuse_undefined,
    _solved,
    by_likelihood,
    featureless,
    half_widths,
    minimize,
    not_ruled_out,
)
from sims_analysis.fitting.objectives import EXACT, LogSquares, Poisson, Squares
from sims_analysis.fitting.optimization import Curve, Minimum, covariance, solve
from sims_analysis.fitting.preparation import FitProblem, NoFitError
from sims_analysis.shapes.model import Model, Parameter

NAN = np.nan
Z = np.arange(10.0)


@pytest.fixture(autouse=True)
def _quiet():
    """Divide by zero in silence, as profiles are run."""
    with np.errstate(all="ignore"):
        yield


def free(name="a", lower=-np.inf):
    return Parameter(name, "dimensionless", "", lower)


def model(formula, parameters=None, **options):
    return Model("mine", "", parameters or [free()], formula, lambda *_: [], "", **options)


def profile(curve, objective, starts=((1.0,),), c=None, n=10):
    c = np.ones(n) if c is None else c
    none = np.zeros(n)
    return FitProblem(
        np.arange(float(n)), c, 1.0, (none, none), (False, False), objective, curve, np.ones(1),
        list(starts), {"n_samples": n},
    )  # fmt: skip


def known(y, s=1.0):
    return Squares(np.asarray(y, dtype=float), np.full(len(y), s))


def solution(cost, free=(1.0,), m=(0.0,), *, converged=True):
    x = np.array(free)
    return Minimum(x, x, np.ones(x.size), np.array(m), cost, converged)


LINE = Curve([free()], lambda a: a * Z, lambda _: Z[None], {})


# --- a constant does as well ------------------------------------------------------------------


@pytest.mark.parametrize("parameters", [1, 2, 4])
def test_known_errors_ask_a_curve_for_ten_more_than_two_for_each_parameter(parameters):
    y = np.array([0.0, 2.0])
    flat = 2.0  # of squares about the mean, with an error of 1
    objective = known(y)
    for gain, word in ((9.99, True), (10.01, False)):
        one = solution(flat - gain - 2 * (parameters - 1), (1.0,) * parameters)
        assert featureless(objective, one, y) == word
    none = solution(flat - 9.99, ())
    assert featureless(objective, none, y)


def test_where_errors_are_not_known_the_logarithm_of_the_squares_is_asked():
    y = np.array([0.0, 2.0, 0.0, 2.0])
    objective, flat = Squares(y, None), 4.0
    for gain, word in ((11.99, True), (12.01, False)):
        one = solution(flat / np.exp(gain / 4), (1.0, 2.0))
        assert featureless(objective, one, y) == word
    # Samples that are all alike are flat to rounding, whatever a curve makes of them.
    same = Squares(np.ones(4), None)
    assert featureless(same, solution(0.0), np.ones(4))
    assert not featureless(objective, solution(0.0), y)
    # Of samples that share what they are made of, fewer count.
    nearly = Squares(1 + 1e-9 * np.arange(4.0), None)
    assert not featureless(nearly, solution(0.0), nearly.value)


# --- what is found ----------------------------------------------------------------------------


def test_a_profile_has_its_minima_or_a_reason():
    y = 2 * Z + 0.1 * np.cos(9 * Z)
    found = minimize(profile(LINE, known(y, 0.1), c=y), model(LINE.formula))
    assert found.best.p[0] == pytest.approx(2.0, abs=0.01)
    assert (found.exact, found.irregular, len(found.candidates)) == (False, False, 1)
    with pytest.raises(NoFitError) as end:
        minimize(profile(LINE, known(np.ones(10)), c=np.ones(10)), model(LINE.formula))
    assert (end.value.status, end.value.known) == ("featureless", {"n_samples": 10})


def test_a_curve_through_all_samples_but_for_rounding_is_exact():
    y = 2 * Z
    assert minimize(profile(LINE, known(y), c=y), model(LINE.formula)).exact
    for off, exact in ((0.9, True), (1.1, False)):
        y = 2 * Z + off * np.sqrt(EXACT) * np.array([1, -1] * 5)
        objective = replace(known(y), value=y)
        found = minimize(profile(LINE, objective, c=y), model(LINE.formula))
        assert found.exact == exact


class Recorded(Squares):
    """Squares over errors that remember what was asked of them."""

    def another(self, c):
        asked.append(c)
        return super().another(c)


asked: list[np.ndarray] = []


@pytest.mark.parametrize(
    ("offset", "starts", "walked"),
    [
        (0.0, 2, False),  # exact
        (1.0, 2, False),  # as noisy as the errors say
        (0.7, 2, True),  # far below them: smooth data, which a better fit would follow
        (3.0, 2, True),  # far above them
        (3.0, 1, False),  # of a model with one set of starting values
    ],
)
def test_another_objective_leads_the_way_where_errors_do_not_explain_the_residuals(
    offset, starts, walked
):
    asked.clear()
    signs = np.array([1, -1] * 5)
    y = 2 * Z + offset * signs
    # Signs that cancel leave the slope about where it is, and about offset^2 a sample.
    objective = Recorded(y, np.ones(10))
    one = profile(LINE, objective, [(1.0,), (3.0,)][:starts], c=np.abs(y))
    found, same = _solved(one)
    assert (len(asked) > 0) == walked
    assert same is objective
    assert found[0].p[0] == pytest.approx(2.0, abs=0.3)


def test_squares_without_errors_are_explained_by_rounding_alone():
    class Plain(Recorded):
        pass

    for offset, walked in ((0.0, False), (1.0, True)):
        asked.clear()
        y = 2 * Z + offset * np.array([1, -1] * 5)
        _solved(profile(LINE, Plain(y, None), [(1.0,), (3.0,)], c=np.abs(y)))
        assert (len(asked) > 0) == walked


def test_limits_scatter_as_the_samples_about_the_curve_that_is_found():
    y = np.exp(0.2 * Z + 0.05 * np.array([1, -1] * 5))
    low = Z < 3
    objective = LogSquares(np.where(low, np.exp(0.7), y), low, 0.3)
    curve = Curve([free()], lambda a: np.exp(a * Z), None, {})
    found, refined = _solved(profile(curve, objective, [(0.1,)], c=y))
    point, scattered = [0.1], objective
    for _ in range(3):  # the last is with the scatter about the curve before
        best = solve(curve, scattered, point)
        point, last = best.p, scattered
        r = scattered.roots(best.m)[0][~low]
        scattered = replace(objective, scatter=float(np.sqrt(r @ r / 6)))
    assert refined.scatter == pytest.approx(last.scatter, rel=1e-6)
    assert found[0].p[0] == pytest.approx(best.p[0], rel=1e-6)
    assert found[0].p[0] == pytest.approx(0.2, abs=0.01)


def test_a_formula_with_a_hole_is_named_with_where_it_starts():
    curve = Curve(
        [free("dose"), free("held"), free("width")],
        lambda a, b, c: np.where(Z == 3, NAN, a * Z * b * c), None, {1: 2.0},
    )  # fmt: skip
    with pytest.raises(ProfileError) as refused:
        _refuse_undefined(curve, [1.0, 0.123456], Z)
    assert str(refused.value) == (
        "the model has no value at 3 nm, with the starting values dose=1, width=0.1235 (in units "
        "of the largest sample); its formula must give one at every depth, or the window (start=, "
        "stop=) leave out where it does not"
    )
    nowhere = replace(curve, formula=lambda *_: np.full(10, NAN))
    _refuse_undefined(nowhere, [1.0, 0.1], Z)
    _refuse_undefined(LINE, [1.0], Z)
    one = profile(nowhere, known(Z), [(1.0, 0.1)])
    assert _solved(one)[0] == []


# --- parts under each other's names -----------------------------------------------------------


def swapping(calls):
    """Give a model of two slopes, the smaller of which goes first."""
    pair = free("a", 0.0), free("b", 0.0)
    slopes = np.stack([np.append(Z, 0.0), np.append(Z, 0.1)])

    def formula(*p):
        calls.append(p[:2])
        return np.array(p[:2]) @ slopes + sum(p[2:])

    return model(formula, pair, ordered=sorted)


@pytest.mark.parametrize(
    ("held", "point", "named"),
    [
        ({}, (3.0, 1.0), (1.0, 3.0)), ({}, (1.0, 3.0), (1.0, 3.0)),
        ({2: 0.5}, (3.0, 1.0), (1.0, 3.0)), ({1: 1.0}, (3.0,), (3.0,)),
    ],
)  # fmt: skip
def test_parts_are_named_in_order_unless_one_is_held(held, point, named):
    """A background that is held is no part."""
    calls = []
    own = swapping(calls)
    parameters = [*own.parameters, *([free("background")] if 2 in held else [])]
    curve = Curve(parameters, own.formula, None, held)
    whole = curve.complete(np.array(sorted(point)))
    objective = known(own.formula(*whole))
    at = curve.at(curve.coordinates(point).tolist())
    one = Minimum(**vars(at), cost=1.0, converged=True)
    calls.clear()
    (found,) = _in_order(curve, objective, own, [one])
    np.testing.assert_allclose(found.p, named, atol=0.05 if point != named else 0)
    # What is in order is left as it was.
    assert (found is one) == (point == named)
    plain = replace(own, ordered=None)
    assert _in_order(curve, objective, plain, [one])[0] is one


def test_edges_are_looked_for_where_all_parameters_of_the_model_are_free():
    pair = free("a"), free("b")
    plain = model(lambda *_: Z, pair)
    edged = replace(plain, irregular=lambda p: p[0] > 1 and len(p) == 2)
    three = [*pair, free("background")]
    assert _irregular(Curve(pair, plain.formula, None, {}), plain) is None
    assert _irregular(Curve(pair, plain.formula, None, {1: 2.0}), edged) is None
    for curve in (
        Curve(pair, Z, None, {}),
        Curve(three, Z, None, {}),
        Curve(three, Z, None, {2: 1}),
    ):
        tells = _irregular(curve, edged)
        assert tells(solution(1.0, (2.0, 0.0, 5.0)))
        assert not tells(solution(1.0, (0.0, 2.0, 5.0)))


# --- what is ruled out, and what the rest is worth --------------------------------------------


def test_a_minimum_nine_higher_is_ruled_out():
    costs = [10.0, 18.99, 19.0, 19.01]
    found = [solution(c, (c,)) for c in costs]
    assert [one.cost for one in not_ruled_out(LINE, known(Z), found)] == [10.0, 18.99]
    # In units of the scatter, where errors are not known: of ten samples and a parameter.
    unknown = Squares(Z, None)
    unit = 10.0 / 9
    found = [solution(10.0 + x * unit) for x in (0.0, 8.99, 9.01)]
    assert len(not_ruled_out(LINE, unknown, found)) == 2
    found = [solution(10.0), solution(11.0, converged=False)]
    assert not_ruled_out(LINE, known(Z), found) == found[:1]
    lost = [solution(10.0, converged=False), solution(11.0, converged=False)]
    assert not_ruled_out(LINE, known(Z), lost) == lost[:1]


def valleys(widths, costs):
    """Give a curve of one parameter with minima of stated widths and heights at 0, 10, 20..."""
    middles = 10.0 * np.arange(len(widths))

    def formula(a):
        k = int(np.argmin(np.abs(middles - a)))
        return np.array([(a - middles[k]) / widths[k], np.sqrt(costs[k])])

    curve = Curve([free()], formula, None, {})
    objective = known(np.zeros(2))
    found = []
    for k, middle in enumerate(middles):
        one = curve.at([middle])
        found.append(Minimum(**vars(one), cost=costs[k], converged=True))
    return curve, objective, found


def test_a_minimum_is_worth_its_height_times_its_width():
    curve, objective, found = valleys([1.0, 3.0], [1.0, 2.0])
    mass = np.array([1.0 * np.exp(-0.5), 3.0 * np.exp(-1.0)])
    one, other = by_likelihood(curve, objective, found)
    assert (one.p[0], other.p[0]) == (10.0, 0.0)
    np.testing.assert_allclose([one.share, other.share], mass[::-1] / mass.sum(), rtol=1e-6)
    np.testing.assert_allclose(
        [one.covariance[0, 0], other.covariance[0, 0]], [9.0, 1.0], rtol=1e-6
    )
    (alone,) = by_likelihood(curve, objective, found[:1])
    assert (alone.share, alone.covariance[0, 0]) == (1.0, pytest.approx(1.0))


def test_the_width_of_a_minimum_is_that_of_its_coordinate():
    """About a length of e times the other one, a logarithm is as wide as about that."""
    middles = np.array([1.0, np.e])

    def formula(a):
        k = int(np.argmin(np.abs(middles - a)))
        return np.array([np.log(a / middles[k])])

    curve = Curve([free("a", 0.0)], formula, None, {})
    found = [
        Minimum(**vars(curve.at(curve.coordinates([m]).tolist())), cost=0.0, converged=True)
        for m in middles
    ]
    shares = [one.share for one in by_likelihood(curve, known(np.zeros(1)), found)]
    np.testing.assert_allclose(shares, [0.5, 0.5], rtol=1e-5)


def test_where_the_scatter_is_the_unit_so_are_heights():
    curve, _, found = valleys([1.0, 1.0], [4.0, 6.0])
    objective = Squares(np.zeros(2), None)
    unit = 4.0 / 1
    first, second = (one.share for one in by_likelihood(curve, objective, found))
    assert second / first == pytest.approx(np.exp(-0.5 * 2.0 / unit) * np.sqrt(6.0 / 4.0), rel=1e-5)


def test_a_minimum_without_errors_has_no_share_beside_others_and_all_of_it_if_it_is_the_lowest():
    flat = lambda a: np.array([a if abs(a) < 5 else 0.0, 1.0])  # noqa: E731
    curve = Curve([free()], flat, None, {})
    objective = known(np.zeros(2))
    sharp, lost = (Minimum(**vars(curve.at([at])), cost=1.0, converged=True) for at in (0.0, 10.0))
    (only,) = by_likelihood(curve, objective, [sharp, lost])
    assert (only.p[0], only.share) == (sharp.p[0], 1.0)
    (only,) = by_likelihood(curve, objective, [lost, sharp])
    assert (only.p[0], only.share) == (lost.p[0], 1.0)


def test_the_curvature_counts_where_there_is_one_and_what_is_expected_elsewhere():
    """Of ``(a^2 - 4)^2`` half the sum of squares bends by ``6 a^2 - 8``; expected is ``4 a^2``."""
    curve = Curve([free()], lambda a: np.array([a * a - 4.0]), None, {})
    objective = known(np.zeros(1))
    for at in (3.0, 0.5):
        one = Minimum(**vars(curve.at([at])), cost=1.0, converged=True)
        bends = 6 * at**2 - 8
        found = _observed_covariance(curve, objective, one)
        expected = 1 / bends if bends > 0 else 1 / (4 * at**2)
        assert found.item() == pytest.approx(expected, rel=1e-5)
        assert covariance(curve, objective, one).item() == pytest.approx(1 / (4 * at**2), rel=1e-6)
    # Of a parameter with a bound, in its own unit; of a scatter, in its own.
    bound = replace(curve, parameters=[free("a", 1.0)])
    one = Minimum(**vars(bound.at(bound.coordinates([2.0]).tolist())), cost=1.0, converged=True)
    assert _observed_covariance(bound, objective, one).item() == pytest.approx(1 / 16, rel=1e-4)
    unknown = Squares(np.zeros(1), None)
    scattered = Minimum(**vars(curve.at([3.0])), cost=7.0, converged=True)
    assert _observed_covariance(curve, unknown, scattered).item() == pytest.approx(7 / 46, rel=1e-5)


# --- intervals over several minima ------------------------------------------------------------


@pytest.mark.parametrize("apart", [0.5, 2.0, 3.0])
def test_an_interval_holds_68_percent_of_all_minima(apart):
    stderr, shares = np.array([[1.0], [2.0]]), [0.7, 0.3]
    half = half_widths(stderr, np.array([[0.0], [apart]]), shares)[0]
    inside = sum(
        w * (stats.norm(d, s).cdf(half) - stats.norm(d, s).cdf(-half))
        for w, d, s in zip(shares, (0.0, apart), (1.0, 2.0), strict=True)
    )
    assert inside == pytest.approx(stats.norm.cdf(1) - stats.norm.cdf(-1), abs=1e-6)


def test_an_error_three_times_as_wide_is_none():
    """Nearly all of the likelihood is far away: the interval reaches there."""
    stderr = np.array([[1.0], [1e-3]])
    for apart, known in ((2.99, True), (3.01, False)):
        half = half_widths(stderr, np.array([[0.0], [apart]]), [0.2, 0.8])
        assert np.isfinite(half[0]) == known


def test_what_is_known_exactly_and_alike_stays_so():
    nothing = np.zeros((2, 1))
    np.testing.assert_array_equal(half_widths(nothing, nothing, [0.5, 0.5]), [0.0])


def test_counts_that_a_constant_describes_are_featureless():
    k = np.array([4.0, 6.0, 5.0, 5.0])
    one = Poisson(k, np.ones(4), np.zeros(4))
    assert featureless(one, solution(0.0), k)
