"""The stages of a fit one by one: what goes in, what comes out, and where it stands in a row."""

from dataclasses import replace

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from sims_analysis.fitting import groups as _fitted
from sims_analysis.fitting.assessment import Judged, derived, numbers, said, stderr_of
from sims_analysis.fitting.groups import _row
from sims_analysis.fitting.links import Links, by_name, grows
from sims_analysis.fitting.minima import Minima, Minimum, minima
from sims_analysis.fitting.objectives import Squares
from sims_analysis.fitting.optimization import Curve, covariance, solve
from sims_analysis.fitting.preparation import prepared
from sims_analysis.fitting.task import STATUS, Layout, NoFitError, Task
from sims_analysis.kernels.residuals import ChiSquare
from sims_analysis.kernels.samples import Samples
from sims_analysis.shapes import find_model
from sims_analysis.shapes.layered_model import layered
from sims_analysis.shapes.model import Parameter

GAUSSIAN = find_model("gaussian")
TASK = Task(GAUSSIAN, "concentration")
NAN = np.nan
SETTINGS = {
    **dict.fromkeys(("start", "stop", "background", "detection_limit", "time"), NAN),
    **dict.fromkeys(("initial_straggle", "initial_straggle_stderr"), NAN),
    "fraction": 1.0,
}


def samples_of(c, z=None, s=None, k=None):
    n = len(c)
    absent, none = np.full(n, NAN), np.zeros(n)
    z = np.arange(float(n)) if z is None else z
    return Samples(z, np.asarray(c), *(absent if x is None else x for x in (s, k)), none, none)


def gaussian(seed=0):
    """Return 61 samples of a Gaussian of 1e15 atoms/cm^2 with errors of 1 % of its peak."""
    z = np.linspace(0, 200, 61)
    clean = GAUSSIAN.formula(z, 1e22, 90.0, 22.0)
    s = np.full(61, 0.01 * clean.max())
    return samples_of(clean + s * np.random.default_rng(seed).normal(size=61), z, s)


def line():
    """Return the exact minimum of a line through the origin: its slope, without bounds."""
    x, y, s = np.array([1.0, 2.0, 3.0]), np.array([1.1, 1.9, 3.2]), np.full(3, 0.1)
    one = Parameter("slope", "dimensionless", "")
    curve = Curve([one], lambda a: a * x, lambda _: x[None], {})
    objective = Squares(y, s, known_errors=True, code=2)
    solution = solve(curve, objective, [0.5])
    only = Minimum(solution, covariance(curve, objective, solution), 1.0)
    return Minima(curve, objective, [only], [solution], exact=False, edged=False)


# --- rows -------------------------------------------------------------------------------------


def test_a_row_holds_numbers_and_then_columns():
    layout = Layout(("status", "aic"), {"value": 2, "covariance": 4})
    row = layout.row({"covariance": [[1.0, 2.0], [3.0, 4.0]], "aic": 7.0})
    np.testing.assert_array_equal(row, [NAN, 7, NAN, NAN, 1, 2, 3, 4])
    assert layout.size == row.size == 8
    assert layout.places["value"] == slice(2, 4)


def test_the_curve_has_the_status_of_the_fit_unless_it_has_its_own():
    places = TASK.layout.places
    for parts, curve in (({}, "at_bound"), ({"curve_status": "ok"}, "ok")):
        row = TASK.row("at_bound", parts)
        assert STATUS[int(row[places["status"]].item())] == "at_bound"
        assert STATUS[int(row[places["curve_status"]].item())] == curve


def test_fewer_layers_stand_where_those_of_the_same_names_are():
    three, two = (replace(TASK, model=layered(GAUSSIAN, n, ["straggle"])) for n in (3, 2))
    names = [one.name for one in two.parameters]
    parts = {
        "value": np.arange(5.0),
        "derived": np.arange(4.0),
        "covariance": np.diag(np.arange(5.0)),
        "aic": 3.0,
    }
    spread = three.spread(two, parts)
    every = [one.name for one in three.parameters]
    assert spread["aic"] == 3.0
    for i, name in enumerate(every):
        known = name in names
        expected = parts["value"][names.index(name)] if known else NAN
        np.testing.assert_equal(spread["value"][i], expected)
        np.testing.assert_equal(spread["covariance"][i, i], expected)
    assert every[2:6] == ["dose[2]", "projected_range[2]", "dose[3]", "projected_range[3]"]
    off = spread["covariance"][:2, :4]
    np.testing.assert_array_equal(off, np.diag(np.arange(4.0))[:2])
    np.testing.assert_array_equal(spread["derived"], [0, 1, 2, 3, NAN, NAN])


def test_parameters_of_layers_by_their_names():
    found = {
        one.name: place for one, place in by_name(layered(GAUSSIAN, 2, ["straggle"]).parameters)
    }
    assert list(found) == ["dose", "projected_range", "straggle"]
    xr.testing.assert_identical(found["projected_range"], xr.Variable("layer", [1, 3]))
    xr.testing.assert_identical(found["straggle"], xr.Variable((), 4))


def test_entries_of_linked_profiles_and_their_places():
    links = Links(over="wafer", labels=("a", "b"), shared=("straggle",), scales=("depth_scale",))
    assert [one.label for one in links.entries(TASK)] == [
        *("dose[a]", "dose[b]", "projected_range[a]", "projected_range[b]"),
        *("straggle", "depth_scale"),
    ]
    places = {one.name: place for one, place in links.places(TASK)}
    xr.testing.assert_identical(places["projected_range"], xr.Variable("wafer", [2, 3]))
    xr.testing.assert_identical(places["depth_scale"], xr.Variable((), 5))
    assert links.layout(TASK).size == 1 + 6 * 6 + 36
    assert Links().layout(TASK).size == 0


@pytest.mark.parametrize(
    ("links", "joint", "active"),
    [
        ({}, False, False),
        ({"scales": ("rsf_scale",)}, False, True),
        ({"shared": ("straggle",)}, True, True),
        ({"prior": {"straggle": (20.0, 2.0)}}, True, True),
        ({"held": True}, True, True),
    ],
)
def test_what_takes_a_likelihood_of_several_things(links, joint, active):
    """Scales alone do not: the samples of a profile do not tell them."""
    assert (Links(**links).joint, Links(**links).active) == (joint, active)


def test_a_shared_diffusivity_stands_in_the_place_of_a_length():
    task = Task(find_model("annealed_implant"), "concentration")
    links = Links(over="wafer", labels=("a", "b"), shared=("diffusivity",), restated="diffusivity")
    assert [one.name for one in links.parameters(task)] == [
        "dose",
        "projected_range",
        "diffusivity",
    ]
    assert links.parameters(task)[2].lower == 0.0
    assert [one.label for one in links.entries(task)][-1] == "diffusivity"
    plain = [one.name for one in Links().parameters(task)]
    assert plain == ["dose", "projected_range", "straggle"]


def test_true_numbers_grow_with_powers_of_the_scales():
    kinds = (
        *("depth", "area", "value", "slope", "diffusivity", "dimensionless"),
        *("per_depth", "velocity"),
    )
    parameters = [Parameter(kind, kind, "") for kind in kinds]
    depth, value = grows(parameters, ["depth_scale", "rsf_scale"]).T
    np.testing.assert_array_equal(depth, [1, 1, 0, -1, 2, 0, -1, 1])
    np.testing.assert_array_equal(value, [0, 1, 1, 1, 0, 0, 0, 0])
    np.testing.assert_array_equal(grows(parameters, ["rsf_scale"])[:, 0], value)


def test_settings_of_a_group_are_one_for_all_or_one_for_each():
    columns = [np.full((2, 3), float(i)) for i in range(8)]
    seen = _row(
        lambda samples, settings: (samples, settings), ("start", "time"), *columns, 4.0, [1.0, 2.0]
    )
    samples, settings = seen
    assert settings == [{"start": 4.0, "time": 1.0}, {"start": 4.0, "time": 2.0}]
    assert [one.upper.tolist() for one in samples] == [[7.0] * 3] * 2


# --- stages -----------------------------------------------------------------------------------


def test_three_stages_of_one_profile():
    profile = prepared(gaussian(), SETTINGS, TASK)
    assert profile.c.max() == 1.0
    found = minima(profile, GAUSSIAN)
    stderr = stderr_of(found)
    status, known = said(profile, found, stderr, TASK)
    assert (status, known["n_samples"], found.exact, found.edged) == ("ok", 61, False, False)
    parts = numbers(found, stderr, np.zeros((3, 3)), profile.scale, interval=False)
    np.testing.assert_allclose(parts["value"], [1e15, 90, 22], rtol=0.01)
    np.testing.assert_allclose(parts["stderr"] ** 2, parts["covariance"].diagonal(), rtol=1e-12)
    # Of samples h apart with the error s of a peak 1: s^2 h / (sqrt(pi) w) times 2 w^2 and 3 / 2.
    s2 = 0.01**2 * (200 / 60) / (np.sqrt(np.pi) * 22)
    expected = np.sqrt([1.5 * s2 * 1e30, 2 * s2 * 22**2, 2 * s2 * 22**2])
    np.testing.assert_allclose(parts["stderr"], expected, rtol=0.03)


def test_a_profile_that_a_constant_describes_ends_at_its_minima():
    flat = samples_of(1 + 0.01 * np.random.default_rng(2).normal(size=40), s=np.full(40, 0.01))
    profile = prepared(flat, SETTINGS, TASK)
    with pytest.raises(NoFitError) as end:
        minima(profile, GAUSSIAN)
    assert end.value.status == "featureless"
    assert end.value.known["n_samples"] == 40


def test_a_background_widens_errors_and_leaves_them_symmetric():
    """What was subtracted before is no matter of the likelihood of the samples."""
    found = line()
    plain, wide = (
        numbers(found, stderr_of(found), np.full((1, 1), common), np.ones(1), interval=False)
        for common in (0.0, 1.0)
    )
    variance = 0.01 / 14
    assert plain["stderr"].item() == pytest.approx(np.sqrt(variance), rel=1e-9)
    assert wide["stderr"].item() == pytest.approx(np.sqrt(variance + 1), rel=1e-9)
    assert wide["covariance"].item() == pytest.approx(variance + 1, rel=1e-9)
    assert not plain["poor"].any()
    assert not wide["poor"].any()


def test_the_ends_of_an_interval_are_where_chi_square_has_risen_by_one():
    found = line()
    parts = numbers(found, stderr_of(found), np.zeros((1, 1)), np.full(1, 5.0), interval=True)
    reach = 5 * np.sqrt(0.01 / 14)
    ends = np.array([parts["lower"], parts["upper"]]).ravel() - parts["value"]
    np.testing.assert_allclose(ends, [-reach, reach], rtol=0.01)


def test_parameters_that_only_take_part_have_no_interval():
    found = line()
    parts = numbers(found, stderr_of(found), np.zeros((1, 1)), np.ones(1), interval=True, least=0)
    assert np.isnan(parts["lower"]).all()
    assert np.isnan(parts["upper"]).all()


def test_the_dose_of_other_minima_widens_that_of_the_window():
    profile = prepared(gaussian(), SETTINGS, TASK)
    found = minima(profile, GAUSSIAN)
    alone = said(profile, found, stderr_of(found), TASK)[1]
    other = replace(found.among[0].solution, m=1.1 * found.among[0].solution.m)
    both = replace(found, near=[found.among[0].solution, other])
    widened = said(profile, both, stderr_of(both), TASK)[1]
    dose = alone["window_dose"]
    assert widened["window_dose"] == dose
    assert widened["window_dose_stderr"] == pytest.approx(
        np.sqrt(alone["window_dose_stderr"] ** 2 + (0.1 * dose) ** 2 / 2), rel=1e-9
    )


def test_what_follows_has_the_errors_of_parameters_and_options():
    """``s^2 = initial^2 + 2 D t``: the error of the straggle before the anneal counts, too."""
    task = Task(find_model("annealed_implant"), "concentration")
    names = task.model.names
    settings = {**SETTINGS, "time": 100.0, "initial_straggle": 10.0}
    value = np.array([1e15, 60.0, 30.0])
    square = np.diag([0.0, 0.0, 0.5**2])
    which = [one.name for one in task.model.derived].index("diffusivity")
    by_straggle = 2 * 30.0 * 0.5 * 1e-14 / 200
    by_initial = 2 * 10.0 * 0.2 * 1e-14 / 200
    assert names[2] == "straggle"
    for error, expected in ((NAN, by_straggle), (0.2, np.hypot(by_straggle, by_initial))):
        given = {**settings, "initial_straggle_stderr": error}
        found = derived(task, given, [value], square, [1.0])
        np.testing.assert_allclose(found["derived"][which], 800e-14 / 200, rtol=1e-9)
        np.testing.assert_allclose(found["derived_stderr"][which], expected, rtol=1e-4)


def test_chi_square_of_terms_that_scatter_more_counts_as_fewer():
    assert ChiSquare(30.0, 20).chance == pytest.approx(stats.chi2(20).sf(30), rel=1e-12)
    assert ChiSquare(30.0, 20, 2.0).chance == pytest.approx(stats.chi2(10).sf(15), rel=1e-12)
    assert ChiSquare(30.0, 20).reduced == 1.5
    assert np.isnan(ChiSquare(30.0, 0).reduced)
    assert np.isnan(ChiSquare(NAN, 0).chance)
    assert ChiSquare(1.0, 0).chance == 1.0


# --- as many layers as are borne out ----------------------------------------------------------


@pytest.mark.parametrize(
    ("most", "criteria", "layers"),
    [
        (3, {3: 10.0, 2: 9.0, 1: 20.0}, 2),
        (3, {3: 10.0, 2: 10.0, 1: 5.0}, 3),  # as good is not better, and fewer are not asked
        (3, {3: 10.0, 2: 9.0, 1: 8.0}, 1),
        (1, {1: 3.0}, 1),
        (0, {1: 3.0}, 1),
        (2, {2: None, 1: 3.0}, 1),  # without a fit
        (2, {2: 3.0, 1: None}, 2),
        (2, {2: None, 1: None}, 2),
    ],
)
def test_layers_are_left_out_as_long_as_akaikes_criterion_falls(
    monkeypatch, most, criteria, layers
):
    asked = []

    def fitted(samples, settings, task):
        n = len(task.model.places)
        asked.append(n)
        aic = criteria[n]
        return Judged("ok", {} if aic is None else {"aic": aic, "value": np.zeros(2 * n + 1)})

    task = replace(TASK, model=layered(GAUSSIAN, 4, ["straggle"]), fewer=True)
    monkeypatch.setattr(_fitted, "_fitted", fitted)
    monkeypatch.setattr(_fitted, "_count_maxima", lambda *_: np.array([float(most)]))
    whose, answer = _fitted._borne_out(None, None, task)
    assert len(whose.model.places) == layers
    assert not whose.fewer
    assert asked == list(range(max(most, 1), min(asked) - 1, -1))
    assert answer.parts.get("aic") == criteria[layers]
    number = _fitted._count_borne_out([None], [None], task)
    assert number.tolist() == [layers if criteria[layers] is not None else 0]


def test_maxima_are_counted_in_what_can_be_fitted():
    z = np.arange(0.0, 60.0)
    c = sum(np.exp(-0.5 * ((z - at) / 2) ** 2) for at in (12, 30, 48))
    task = replace(TASK, model=layered(GAUSSIAN, 1, ["straggle"]))
    for one, n in ((samples_of(c, z, np.full(60, 0.01)), 3), (samples_of(np.zeros(60), z), 0)):
        assert _fitted._count_maxima([one], [SETTINGS], task).tolist() == [n]


def test_a_profile_of_fewer_layers_stands_in_the_row_of_all():
    z = np.arange(0.0, 40.0)
    rng = np.random.default_rng(0)
    c = 5 * np.exp(-0.5 * ((z - 12) / 2) ** 2) + 4 * np.exp(-0.5 * ((z - 28) / 2) ** 2)
    one = samples_of(c + 0.02 * rng.normal(size=40), z, np.full(40, 0.02))
    task = replace(TASK, model=layered(GAUSSIAN, 3, ["straggle"]), fewer=True)
    found = _fitted._fitted(one, SETTINGS, task)
    assert found.status == "ok"
    value = found.parts["value"]
    assert np.isnan(value).tolist() == [False] * 4 + [True] * 2 + [False]
    np.testing.assert_allclose(value[[1, 3, 6]], [12, 28, 2], atol=0.05)
    alone = _fitted._fitted(one, SETTINGS, task.of_layers(2))
    assert found.parts["aic"] == alone.parts["aic"]
    nothing = _fitted._fitted(samples_of(np.zeros(40), z), SETTINGS, TASK)
    assert (nothing.status, nothing.parts["n_samples"]) == ("featureless", 40)
