"""From samples to what can be minimized: which take part, by which objective, from where."""

from dataclasses import replace

import numpy as np
import pytest

from sims_analysis.fitting.objectives import LogSquares, Poisson, Squares
from sims_analysis.fitting.preparation import (
    NoFitError,
    _one_count,
    _value_per_count,
    formula_of,
    objective_of,
    poisson_of,
    prepare,
)
from sims_analysis.fitting.request import FitRequest
from sims_analysis.kernels.samples import Samples
from sims_analysis.shapes import find_model
from sims_analysis.shapes.layered_model import layered
from sims_analysis.shapes.model import Model, Parameter

NAN = np.nan
GAUSSIAN = find_model("gaussian")
TASK = FitRequest(GAUSSIAN, "concentration")
SETTINGS = dict.fromkeys(("start", "stop", "background", "detection_limit"), NAN)
SETTINGS["fraction"] = 1.0
Z = np.arange(9.0)
PEAK = np.array([1.0, 2, 5, 9, 10, 8, 6, 3, 1])


@pytest.fixture(autouse=True)
def _quiet():
    """Divide by zero in silence, as profiles are run."""
    with np.errstate(all="ignore"):
        yield


def samples(c, *, z=None, s=NAN, k=NAN, common=0.0, overlap=0.0):
    c = np.array(c, dtype=float)
    others = (np.array(np.broadcast_to(one, c.shape), dtype=float) for one in (s, k))
    beside = (np.broadcast_to(one, c.shape) for one in (common, overlap))
    return Samples(np.arange(float(c.size)) if z is None else z, c, *others, *beside)


def why(one, task=TASK, **settings):
    with pytest.raises(NoFitError) as end:
        prepare(one, SETTINGS | settings, task)
    return end.value.status, end.value.known


NOTHING = {"objective": 0, "residuals": 0, "n_samples": 0, "n_left_out": 0}


# --- which samples ----------------------------------------------------------------------------


def test_without_samples_or_their_background_there_are_no_data():
    assert why(samples([NAN] * 9)) == ("no_data", NOTHING)
    assert why(samples(PEAK), start=9.0) == ("no_data", NOTHING)
    assert why(samples(PEAK), replace(TASK, background="stated")) == ("no_data", NOTHING)
    assert why(samples(PEAK), replace(TASK, weights="counts")) == ("no_data", NOTHING | {
        "n_left_out": 9})  # fmt: skip


@pytest.mark.parametrize("level", [0.0, -1.0])
def test_where_nothing_is_above_0_there_is_no_feature(level):
    assert why(samples([level] * 9)) == ("featureless", NOTHING | {"n_samples": 9})


@pytest.mark.parametrize(
    ("n", "fraction", "background", "enough"),
    [
        (5, 1.0, "none", True), (4, 1.0, "none", False), (5, 1.0, "fit", False),
        (6, 1.0, "fit", True), (5, 0.99, "none", False), (8, 0.625, "none", True),
    ],
)  # fmt: skip
def test_two_samples_more_than_free_parameters_are_enough(n, fraction, background, enough):
    task, one = replace(TASK, background=background), samples(PEAK[2 : 2 + n] if n < 8 else PEAK)
    one = one if n < 8 else samples(PEAK[:8])
    if enough:
        assert prepare(one, SETTINGS | {"fraction": fraction}, task).known["n_samples"] == n
    else:
        assert why(one, task, fraction=fraction) == (
            "too_few_samples", NOTHING | {"n_samples": n})  # fmt: skip


def test_samples_of_the_window_are_in_units_of_the_largest():
    c = np.append(PEAK, 20.0) * 1e18
    common = np.linspace(1e16, 2e16, 10)
    found = prepare(
        samples(c, s=1e17, common=common, overlap=0.25), SETTINGS | {"start": 1.0, "stop": 8.0},
        TASK,
    )  # fmt: skip
    assert found.top == 1e19
    np.testing.assert_allclose(found.c, PEAK[1:] / 10)
    np.testing.assert_array_equal(found.z, np.arange(1.0, 9.0))
    np.testing.assert_allclose(found.objective.stderr, 0.01)
    np.testing.assert_allclose(found.subtracted[0], common[1:9] / 1e19)
    np.testing.assert_allclose(found.subtracted[1], 0.25 * common[1:9] / 1e19)
    known = {"n_samples": 8, "n_left_out": 0, "window_start": 1.0, "window_stop": 8.0}
    assert found.known == NOTHING | known | {"objective": 2}
    # Of a dose, 1 is the largest times nm, in atom/cm^2.
    np.testing.assert_allclose(found.scale, [1e19 * 1e-7, 1.0, 1.0])
    assert found.down == (False, False)


def test_samples_that_logarithms_cannot_use_are_left_out_and_remembered_at_the_ends():
    c = np.array([0.0, 0, 2, 5, 9, 10, 8, 6, -1])
    found = prepare(samples(c), SETTINGS, replace(TASK, weights="log"))
    assert (found.known["n_samples"], found.known["n_left_out"]) == (6, 3)
    assert (found.known["window_start"], found.known["window_stop"]) == (2.0, 7.0)
    assert found.down == (True, True)
    for low, down in ((0, (True, False)), (8, (False, True)), (1, (False, False))):
        one = np.where(low == Z, 0.0, PEAK)
        assert prepare(samples(one), SETTINGS, TASK).down == down
    inside = prepare(samples(np.where(c > 0, c, 3.0)), SETTINGS, TASK)
    assert inside.down == (False, False)
    # One that takes part is none of those that are left out.
    assert prepare(samples(PEAK * (Z < 8), s=1.0), SETTINGS, TASK).down == (False, False)
    # A sample without an error is left out, and not below the profile for it.
    errors = np.where(Z == 0, NAN, 1.0)
    unknown = prepare(samples(PEAK, s=errors), SETTINGS, TASK)
    assert (unknown.known["n_left_out"], unknown.down) == (1, (False, False))


# --- which objective --------------------------------------------------------------------------


def objective(one, weights="auto", kind="concentration", limit=NAN, top=1.0, fraction=1.0):
    return objective_of(one, FitRequest(GAUSSIAN, kind, weights=weights), limit, top, fraction)


def test_the_first_of_counts_errors_and_logarithms_is_taken_that_a_profile_has():
    c = PEAK / 10
    counts = np.array([NAN, 2, 5, 9, 10, 8, 6, 3, -1])
    found, keep = objective(samples(c, s=0.1 * np.sqrt(PEAK), k=counts))
    assert isinstance(found, Poisson)
    np.testing.assert_array_equal(keep, counts >= 0)
    np.testing.assert_array_equal(found.counts, counts[1:8])
    errors = np.array([0.1, 0.0, NAN, 0.1, 0.2, 0.1, 0.1, 0.1, 0.1])
    found, keep = objective(samples(c, s=errors))
    assert (type(found), found.known_errors, found.code) == (Squares, True, 2)
    np.testing.assert_array_equal(keep, errors > 0)
    np.testing.assert_array_equal(found.value, c[keep])
    np.testing.assert_array_equal(found.stderr, errors[keep])
    found, keep = objective(samples(c))
    assert (type(found), found.scatter) == (LogSquares, 0.3)
    assert keep.all()
    assert not found.censored.any()


@pytest.mark.parametrize(
    ("lowest", "limit", "kind"),
    [
        (-0.1, NAN, Squares), (-0.1, 0.0, Squares), (-0.1, 0.05, LogSquares),
        (0.0, NAN, LogSquares), (0.1, 0.05, LogSquares),
    ],
)  # fmt: skip
def test_values_that_scatter_about_0_have_no_logarithm_unless_a_limit_is_stated(
    lowest, limit, kind
):
    c = np.append(PEAK / 10, lowest)
    found, keep = objective(samples(c), limit=limit)
    assert type(found) is kind
    if kind is Squares:
        assert (found.stderr, found.code, found.known_errors) == (None, 4, False)
    assert keep.tolist() == [True] * 9 + [lowest != 0]


def test_samples_below_a_limit_are_censored_at_it_and_one_at_it_is_not():
    c = np.array([0.0, 0.1, 0.2, 0.3, 1.0])
    found, keep = objective(samples(c), "log", limit=0.2)
    np.testing.assert_array_equal(found.value, [0.2, 0.2, 0.2, 0.3, 1.0])
    np.testing.assert_array_equal(found.censored, [True, True, False, False, False])
    assert keep.all()
    assert found.scatter == 0.3
    left = objective(samples(c), "log", limit=0.0)[1]
    assert left.tolist() == [False, True, True, True, True]


def test_what_is_asked_for_is_taken_whatever_there_is():
    one = samples(PEAK / 10, s=0.1 * np.sqrt(PEAK), k=PEAK)
    kinds = {"counts": Poisson, "stderr": Squares, "log": LogSquares, "none": Squares}
    for weights, kind in kinds.items():
        found, keep = objective(one, weights)
        assert type(found) is kind
        assert keep.all()
    assert objective(one, "none")[0].stderr is None


@pytest.mark.parametrize(
    ("off", "kind", "counted"),
    [
        (0.0, "count", True), (0.9e-6, "count", True), (1e-5, "count", False),
        (0.0, "count_rate", False),
    ],
)  # fmt: skip
def test_whole_numbers_of_data_in_counts_are_counts(off, kind, counted):
    found, keep = objective(samples((PEAK + off) / 10), kind=kind, top=10.0)
    assert isinstance(found, Poisson) == counted
    if counted:
        np.testing.assert_array_equal(found.counts, PEAK)
        np.testing.assert_allclose(found.one, 0.1)
        np.testing.assert_array_equal(found.offset, 0)
    assert keep.all()


def test_stated_counts_are_those_even_of_data_in_counts():
    counts = np.where(Z < 4, PEAK, NAN)
    found, keep = objective(samples(PEAK / 10, k=counts), kind="count", top=10.0)
    np.testing.assert_array_equal(keep, Z < 4)
    np.testing.assert_array_equal(found.counts, PEAK[:4])
    np.testing.assert_allclose(found.one, 0.1)


def test_of_samples_that_are_not_independent_each_counts_as_a_part():
    for weights, kind in (("stderr", Squares), ("none", Squares), ("log", LogSquares)):
        found, _ = objective(samples(PEAK / 10, s=0.1), weights, fraction=0.25)
        assert (type(found), found.share) == (kind, 0.25)
    censored, _ = objective(samples(PEAK / 10), "log", limit=0.15, fraction=0.25)
    assert censored.censored.any()
    assert censored.share == 0.25
    counted, _ = objective(samples(PEAK / 10, k=PEAK), fraction=4.0)
    assert counted.share == 4.0


@pytest.mark.parametrize(
    ("share", "apart"),
    [(0.25, 6), (0.5, 3), (0.7, 3), (0.75, 2), (0.9, 2), (0.02, 75), (1.2, 1), (1.5, 1), (6.0, 1)],
)
def test_values_between_samples_have_nothing_in_common_two_spacings_apart(share, apart):
    one = Squares(PEAK, np.ones(PEAK.size), share=share)
    of = one.statistics(PEAK, 1.0, 1).of
    np.testing.assert_array_equal(of, np.arange(0, PEAK.size, apart))


# --- counts -----------------------------------------------------------------------------------


def test_one_count_is_worth_what_errors_or_values_say():
    one = samples([2.0, 4, 6, 8, 10], k=[1, 2, 3, 4, 5])
    np.testing.assert_allclose(_one_count(one, one.k, NAN), 2.0)
    np.testing.assert_array_equal(_one_count(one, one.k, 0.5), np.full(5, 0.5))
    # A background was subtracted since: the standard error of k counts is their root.
    less = samples(np.array([2.0, 4, 6, 8, 10]) - 1, s=2 * np.sqrt([1, 2, 3, 4, 5]), k=one.k)
    np.testing.assert_allclose(_one_count(less, less.k, NAN), 2.0)
    partly = replace(less, s=np.where(np.arange(5) == 2, [NAN, NAN, 0, NAN, NAN], less.s))
    np.testing.assert_allclose(_one_count(partly, less.k, NAN), [2, 2, 5 / 3, 2, 2])


def test_where_nothing_was_counted_neighbours_say_what_one_would_be_worth():
    k = np.array([1.0, 0, 0, 4])
    one = samples(np.array([1.0, 0, 0, 8]), k=k)
    # Worth 1 and 2: between them by logarithms.
    np.testing.assert_allclose(_one_count(one, k, NAN), [1, 2 ** (1 / 3), 2 ** (2 / 3), 2])
    assert _one_count(samples(np.zeros(3), k=0.0), np.zeros(3), NAN) is None
    assert poisson_of(samples(np.zeros(3), k=0.0), NAN, 1.0) is None


@pytest.mark.parametrize(
    ("off", "kept"), [(-9e-4, True), (9e-10, True), (-1.1e-3, False), (1.1e-9, False)]
)
def test_what_rounding_makes_of_a_value_is_no_background(off, kept):
    """Values may have four digits, which makes them smaller than their counts, too."""
    k = np.array([1000.0, 2000, 3000])
    value = k.copy()
    value[1] -= off * 2000
    found = poisson_of(samples(value, s=np.sqrt(k), k=k), 1.0, 1.0)
    expected = 0.0 if kept else off * 2000
    if off < 0:  # a value above its counts is a mean of several
        assert (found.share == 1.0) == kept
    else:
        np.testing.assert_allclose(found.offset, [0, expected, 0], rtol=1e-6)


def test_a_background_that_was_subtracted_is_expected_on_top_of_the_curve():
    k = np.array([4.0, 9, 25, 16, 4])
    found = poisson_of(samples(2 * k - 3, s=2 * np.sqrt(k), k=k), NAN, 1.0)
    np.testing.assert_allclose(found.offset, 3.0)
    np.testing.assert_allclose(found.one, 2.0)
    np.testing.assert_allclose(found.expected(2 * k - 3), k)


def test_a_value_where_nothing_was_counted_stands_for_none():
    k = np.array([4.0, 0, 25, 0, 4])
    written = np.where(k > 0, 2 * k, 0.1)
    found = poisson_of(samples(written, s=2 * np.sqrt(np.maximum(k, 1)), k=k), NAN, 1.0)
    np.testing.assert_array_equal(found.offset, 0)
    np.testing.assert_array_equal(found.counts, k)
    # Of what was subtracted there, neighbours tell.
    less = np.where(k > 0, 2 * k - np.array([1.0, 0, 2, 0, 3]), 0.1)
    found = poisson_of(samples(less, s=2 * np.sqrt(np.maximum(k, 1)), k=k), NAN, 1.0)
    np.testing.assert_allclose(found.offset, [1, 1.5, 2, 2.5, 3])


def test_counts_below_the_smallest_number_are_none():
    k = np.array([5.0, 1e-200, 3.0])
    found = poisson_of(samples(np.array([5.0, 0, 3]), k=k), NAN, 1.0)
    np.testing.assert_array_equal(found.counts, [5, 0, 3])


def test_values_above_their_counts_are_means_with_smaller_errors():
    """Two samples with a count each of 4 and 6 have the mean 5, with the error of 10 counts."""
    k = np.full(5, 5.0)
    one = samples(
        5 * np.full(5, 1.2), s=np.sqrt(5.0), k=k
    )  # of each count: 1.2 by value, 1 by error
    found = poisson_of(one, NAN, 1.0)
    assert found.share == pytest.approx(1.2**2)
    np.testing.assert_allclose(found.one, 1.2)
    np.testing.assert_array_equal(found.offset, 0)


def test_on_a_grid_one_count_is_worth_the_same_as_of_samples_if_they_are_alike():
    z, k = np.arange(5.0), np.array([4.0, 4, 6, 8, 8])
    # Equal neighbours show that one count is 1; between unequal ones logarithms lie below that.
    one = np.array([1.0, 1, 0.99, 1, 1])
    np.testing.assert_allclose(_value_per_count(z, one, k), 1.0)
    # So much below (2.25 / 6 of it) is no matter of chance.
    one = np.array([1.0, 1, 1 - 2.3 / 6, 1, 1])
    np.testing.assert_allclose(_value_per_count(z, one, k), one)
    one[2] = 1 - 2.2 / 6
    np.testing.assert_allclose(_value_per_count(z, one, k), 1.0)
    # Where fewer than two in a hundred are worth as much, they differ.
    many, k = 1 - 1e-3 * np.arange(101.0), np.full(101, 4.0)
    np.testing.assert_allclose(_value_per_count(np.arange(101.0), many, k), many)
    found = _value_per_count(z, np.array([1.0, 1, NAN, 4, 4]), np.array([4.0, 4, 0, 100, 100]))
    np.testing.assert_allclose(found, [1, 1, 2, 4, 4])


def test_a_grid_from_which_nothing_was_subtracted_is_told_by_its_values():
    z = np.arange(9.0)
    k = np.array([4.0, 4, 6, 8, 8, 8, 6, 4, 4])
    c = np.where((k == 6), 5.9, k)
    found = poisson_of(samples(c, s=np.sqrt(k), k=k, z=z), NAN, 0.5)
    np.testing.assert_array_equal(found.offset, 0)
    np.testing.assert_allclose(found.one, 1.0)
    # With something subtracted, the values are less than their counts by that.
    less = poisson_of(samples(c - 1, s=np.sqrt(k), k=k, z=z, common=0.1), NAN, 0.5)
    np.testing.assert_allclose(less.offset, k - (c - 1))
    assert less.share == 0.5


# --- curve and starting values ----------------------------------------------------------------


def test_a_curve_is_at_depths_or_the_mean_over_cells():
    z = np.array([0.0, 10.0])
    plain, slopes = formula_of(z, GAUSSIAN)
    np.testing.assert_array_equal(plain(1.0, 5.0, 4.0), GAUSSIAN.formula(z, 1.0, 5.0, 4.0))
    np.testing.assert_array_equal(slopes(1.0, 5.0, 4.0), GAUSSIAN.derivatives(z, 1.0, 5.0, 4.0))
    below, above = np.array([1.0, 2.0]), np.array([3.0, 1.0])
    mean, slopes = formula_of(z, GAUSSIAN, (below, above))
    for i, p in enumerate([(1.0, 5.0, 4.0), (2.0, 1.0, 3.0)]):
        for row, (start, stop) in enumerate(zip(z - below, z + above, strict=True)):
            fine = np.linspace(start, stop, 20001)
            expected = np.trapezoid(GAUSSIAN.formula(fine, *p), fine) / (stop - start)
            assert mean(*p)[row] == pytest.approx(expected, rel=1e-6), i
            by = np.trapezoid(GAUSSIAN.derivatives(fine, *p), fine, axis=1) / (stop - start)
            np.testing.assert_allclose(slopes(*p)[:, row], by, rtol=1e-5, atol=1e-9)
    logistic = find_model("edge_logistic")
    assert formula_of(z, logistic)[1] is None
    assert formula_of(z, logistic, (below, above))[1] is None


@pytest.mark.parametrize(
    ("weights", "lower"), [("none", -np.inf), ("stderr", -np.inf), ("log", 0.0), ("counts", 0.0)]
)
def test_a_background_may_be_negative_where_values_may(weights, lower):
    task = replace(TASK, background="fit", weights=weights)
    found = prepare(samples(PEAK, s=1.0, k=PEAK), SETTINGS, task)
    assert [one.lower for one in found.curve.parameters] == [0, -np.inf, 0, lower]


def test_a_background_is_added_to_the_curve():
    z = np.arange(9.0)
    p = (3.0, 4.0, 2.0)
    one = GAUSSIAN.formula(z, *p)
    task = replace(TASK, background="stated")
    found = prepare(samples(PEAK), SETTINGS | {"background": 2.0}, task).curve
    assert found.held == {3: 0.2}  # in units of the largest
    np.testing.assert_allclose(found.formula(*p, 0.2), one + 0.2)
    fitted = prepare(samples(PEAK), SETTINGS, replace(task, background="fit")).curve
    assert not fitted.held
    rows = fitted.derivatives(*p, 0.2)
    np.testing.assert_allclose(rows[:3], GAUSSIAN.derivatives(z, *p))
    np.testing.assert_array_equal(rows[3], 1.0)
    alone = prepare(samples(PEAK), SETTINGS, TASK).curve
    assert len(alone.parameters) == 3
    without = replace(task, model=replace(GAUSSIAN, derivatives=None), background="fit")
    assert prepare(samples(PEAK), SETTINGS, without).curve.derivatives is None


def test_held_values_are_in_the_units_of_the_curve():
    task = replace(TASK, fixed={"dose": 3e-6, "straggle": 2.0})
    curve = prepare(samples(PEAK), SETTINGS, task).curve
    assert curve.held == {0: pytest.approx(3.0), 2: 2.0}
    assert curve.free.tolist() == [1]


def recording(shape="peak", sets=((1.0, 5.0),)):
    """Give a model of a level and a depth that remembers the samples it starts from."""
    seen = []

    def start(z, c):
        seen.append((z, c))
        return sets

    parameters = Parameter("level", "value", "", lower=0), Parameter("at", "depth", "")
    model = Model("mine", "", parameters, lambda z, a, b: a + 0 * z * b, start, "", shape=shape)
    return model, seen


@pytest.mark.parametrize(
    ("shape", "background", "level"),
    [
        ("peak", "none", 0.0), ("peak", "fit", 0.9 * 0.15), ("decay", "fit", 0.9 * 0.3),
        ("peak", "stated", 0.05),
    ],
)  # fmt: skip
def test_starting_values_are_asked_of_what_stands_above_the_background(shape, background, level):
    """That of the ends, two samples each: of a peak of the lower one, of a decay of the last."""
    c = np.array([1.0, 2, 5, 9, 10, 8, 6, 4, 2])
    model, seen = recording(shape, [(1.0, 5.0), (0.5, 6.0)])
    found = prepare(
        samples(c), SETTINGS | {"background": 0.5},
        FitRequest(model, "concentration", background=background),
    )  # fmt: skip
    ((z, rest),) = seen
    np.testing.assert_array_equal(z, Z)
    np.testing.assert_allclose(rest, (c / 10 - level) / (1 - level))
    free = [] if background != "fit" else [level]
    expected = [((1 - level) * value, at, *free) for value, at in ((1.0, 5.0), (0.5, 6.0))]
    np.testing.assert_allclose(found.starts, expected)


def test_a_tenth_of_many_samples_is_an_end_and_no_background_starts_below_0():
    c = np.concatenate([np.full(4, 2.0), np.full(32, 10.0), np.full(4, 4.0)])
    model, seen = recording()
    prepare(samples(c), SETTINGS, FitRequest(model, "concentration", background="fit"))
    np.testing.assert_allclose(seen[0][1].max(), 1.0)
    np.testing.assert_allclose(seen[0][1][0], (0.2 - 0.18) / (1 - 0.18))
    low = np.where(c == 10, 10.0, -1.0)
    model, seen = recording()
    found = prepare(
        samples(low, s=1.0), SETTINGS, FitRequest(model, "concentration", background="fit")
    )
    assert found.starts[0][-1] == 1e-9


def test_sets_that_differ_in_what_is_held_are_the_same():
    model, _ = recording(sets=[(1.0, 5.0), (2.0, 5.0), (1.0, 6.0)])
    one = samples(PEAK)
    held = prepare(one, SETTINGS, FitRequest(model, "concentration", fixed={"level": 3.0}))
    assert held.starts == [(5.0,), (6.0,)]
    assert len(prepare(one, SETTINGS, FitRequest(model, "concentration")).starts) == 3


def test_fewer_maxima_than_layers_are_too_few():
    task = replace(TASK, model=layered(GAUSSIAN, 2, ["straggle"]))
    z = np.arange(30.0)
    one = np.exp(-0.5 * ((z - 8) / 2) ** 2)
    status, known = why(samples(one, s=0.01), task)
    assert (status, known["objective"], known["n_samples"]) == ("too_few_maxima", 2, 30)
    two = one + np.exp(-0.5 * ((z - 20) / 2) ** 2)
    found = prepare(samples(two, s=0.01), SETTINGS, task)
    places = np.array(found.starts)[:, [1, 3]]
    np.testing.assert_allclose(places, [[8, 20]] * len(places), atol=1.0)
    # Noise is in units of what stands above the background.
    status, _ = why(samples(two, s=0.5), task)
    assert status == "too_few_maxima"
