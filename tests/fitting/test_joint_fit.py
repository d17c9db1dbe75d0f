"""Linked fits of straight lines, for which all is known in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

from sims_analysis.fitting.diffused_profile import DIFFUSED, Initial
from sims_analysis.fitting.groups import fit_group
from sims_analysis.fitting.joint_fit import fit_together
from sims_analysis.fitting.objectives import Squares
from sims_analysis.fitting.request import FitRequest
from sims_analysis.kernels.samples import Samples
from sims_analysis.shapes.model import Model, Parameter

NAN = np.nan
Z = np.array([0.0, 1.0, 2.0, 4.0, 6.0, 7.0, 9.0, 10.0])
SETTINGS = {
    **dict.fromkeys(("start", "stop", "background", "detection_limit"), NAN),
    "fraction": 1.0, "depth_uncertainty": 0.0, "rsf_uncertainty": 0.0,
}  # fmt: skip


def start(z, c):
    slope, level = np.polyfit(z, c, 1)
    return [(level, slope)]


LINE = Model(
    "line", "", (Parameter("level", "value", ""), Parameter("slope", "slope", "")),
    lambda z, a, b: a + b * z, start, "", shape="decay",
    derivatives=lambda z, *_: np.stack([np.ones_like(z), z]),
    derived=(Parameter("zero", "depth", ""),), derive=lambda p, _: [-p["level"] / p["slope"]],
)  # fmt: skip
RISE = Model(
    "rise", "", (Parameter("slope", "slope", ""),), lambda z, b: b * z,
    lambda z, c: [(np.ptp(c) / np.ptp(z),)], "", shape="decay",
    derivatives=lambda z, _: z[None],
)  # fmt: skip
REQUEST = FitRequest(LINE, "concentration")
TRUE = [(3.0, 1.0), (5.0, 1.0), (8.0, 1.0)]


def measured(m=2, noise=0.2, seed=0):
    rng = np.random.default_rng(seed)
    return np.array([a + b * Z + noise * rng.normal(size=Z.size) for a, b in TRUE[:m]])


def samples(c, s=0.2, *, common=0.0, overlap=0.0, k=NAN):
    columns = (np.array(np.broadcast_to(one, Z.shape), dtype=float)
               for one in (s, k, common, overlap))  # fmt: skip
    return Samples(Z, np.asarray(c, dtype=float), *columns)


def linked(request, m=2, shared=("slope",), **more):
    labels = tuple(f"W{i}" for i in range(m))
    return replace(request, over="wafer", labels=labels, shared=shared, **more)


def together(c, s=0.2, request=REQUEST, settings=SETTINGS, **more):
    each = settings if isinstance(settings, list) else [settings] * len(c)
    given = c if isinstance(c[0], Samples) else [samples(one, s) for one in c]
    return fit_together(given, each, linked(request, len(c), **more))


def design(m):
    """Give the derivatives of all samples by the levels of each, and the common slope."""
    rows = np.zeros((m + 1, m * Z.size))
    for i in range(m):
        rows[i, i * Z.size : (i + 1) * Z.size] = 1.0
    rows[m] = np.tile(Z, m)
    return rows


def by_hand(c, s, prior=None):
    """Solve the normal equations: the levels, the slope, and their covariance."""
    rows, y = design(len(c)), np.ravel(c)
    weight = np.broadcast_to(s, c.shape).ravel() ** -2.0
    information, right = rows * weight @ rows.T, rows * weight @ y
    if prior is not None:
        mean, width = prior
        information[-1, -1] += width**-2
        right[-1] += mean / width**2
    covariance = np.linalg.inv(information)
    return covariance @ right, covariance


@pytest.mark.parametrize("m", [1, 2, 3])
def test_parameters_that_profiles_share_are_those_of_all_samples(m):
    c = measured(m)
    answers, common = together(c)
    p, covariance = by_hand(c, 0.2)
    np.testing.assert_allclose(common["value"], p, rtol=1e-7)
    np.testing.assert_allclose(common["covariance"], covariance, rtol=1e-6)
    np.testing.assert_allclose(common["stderr"], np.sqrt(covariance.diagonal()), rtol=1e-6)
    assert np.isnan(common["pull"]).all()
    residuals = (p @ design(m) - c.ravel()).reshape(m, -1) / 0.2
    assert common["aic"] == pytest.approx(np.sum(residuals**2) + 2 * (m + 1))
    for i, one in enumerate(answers):
        assert one["status"] == "ok"
        mine = [i, m]
        np.testing.assert_allclose(one["value"], p[mine], rtol=1e-7)
        np.testing.assert_allclose(one["stderr"], np.sqrt(covariance.diagonal()[mine]))
        assert one["objective_value"] == pytest.approx(np.sum(residuals[i] ** 2))
        assert np.isnan(one["aic"])
        # Where the line is 0: -a / b.
        slopes = np.array([-1 / p[m], p[i] / p[m] ** 2])
        np.testing.assert_allclose(one["derived"], [-p[i] / p[m]])
        square = covariance[np.ix_(mine, mine)]
        error = np.sqrt(slopes @ square @ slopes)
        np.testing.assert_allclose(one["derived_stderr"], [error], rtol=1e-5)
        # The dose of the window: the integral of a + b z, 1e-7 cm for a nm.
        span, moment = np.ptp(Z), (Z[-1] ** 2 - Z[0] ** 2) / 2
        area = np.array([span, moment])
        assert one["window_dose"] == pytest.approx(area @ p[mine] * 1e-7)
        expected = np.sqrt(area @ square @ area) * 1e-7
        assert one["window_dose_stderr"] == pytest.approx(expected, rel=1e-6)


def test_a_prior_is_one_more_measurement_of_what_all_share():
    c, prior = measured(), (1.1, 0.01)
    _, common = together(c, prior={"slope": prior})
    p, covariance = by_hand(c, 0.2, prior)
    np.testing.assert_allclose(common["value"], p, rtol=1e-7)
    np.testing.assert_allclose(common["covariance"], covariance, rtol=1e-6)
    np.testing.assert_allclose(common["pull"], [NAN, NAN, (p[2] - 1.1) / 0.01], rtol=1e-5)
    chi = np.sum(((p @ design(2) - c.ravel()) / 0.2) ** 2) + ((p[2] - 1.1) / 0.01) ** 2
    assert common["aic"] == pytest.approx(chi + 2 * 3)


def test_a_prior_of_what_each_has_counts_for_each():
    c = measured()
    _, common = together(c, prior={"level": (4.0, 0.5)})
    rows, y = design(2), c.ravel()
    information = rows * 0.2**-2 @ rows.T + np.diag([4.0, 4.0, 0.0])
    right = rows * 0.2**-2 @ y + np.array([16.0, 16.0, 0.0])
    p = np.linalg.solve(information, right)
    np.testing.assert_allclose(common["value"], p, rtol=1e-7)
    np.testing.assert_allclose(common["pull"], [*(p[:2] - 4) / 0.5, NAN], rtol=1e-5)
    np.testing.assert_allclose(common["covariance"], np.linalg.inv(information), rtol=1e-6)


def test_where_errors_are_not_known_each_profile_counts_by_its_own_scatter():
    c = measured(noise=0.1)
    c[1] += 4 * (c[1] - np.polyval(np.polyfit(Z, c[1], 1), Z))  # five times the scatter
    answers, common = together(c, NAN, replace(REQUEST, weights="none"))
    # Each has a level of its own, and half of the common slope.
    variances = np.array([np.sum((one - np.polyval(np.polyfit(Z, one, 1), Z)) ** 2) for one in c])
    variances /= Z.size - 2
    for _ in range(50):
        p, covariance = by_hand(c, np.sqrt(variances)[:, None])
        r = (p @ design(2)).reshape(2, -1) - c
        variances = np.sum(r**2, axis=1) / (Z.size - 1.5)
    np.testing.assert_allclose(common["value"], p, rtol=1e-4)
    np.testing.assert_allclose(common["covariance"], covariance, rtol=1e-3)
    top = c.max(axis=1, keepdims=True)  # residuals are in units of the largest of each
    costs = np.sum((r / top) ** 2, axis=1)
    expected = np.sum(Z.size * np.log(costs / Z.size)) + 2 * 2 + 2 * 3
    assert common["aic"] == pytest.approx(expected, rel=1e-4)
    assert [one["status"] for one in answers] == ["ok", "ok"]


@pytest.mark.parametrize("background", ["fit", "stated"])
def test_profiles_have_backgrounds_of_their_own(background):
    c = measured()
    request = FitRequest(RISE, "concentration", background=background)
    settings = [SETTINGS | {"background": level} for level, _ in TRUE[:2]]
    answers, common = together(c, request=request, settings=settings)
    if background == "fit":
        p, covariance = by_hand(c, 0.2)
        np.testing.assert_allclose(common["value"], p[[2, 0, 1]], rtol=1e-7)
        np.testing.assert_allclose(
            common["stderr"], np.sqrt(covariance.diagonal())[[2, 0, 1]], rtol=1e-6
        )
        area = np.array([np.ptp(Z**2) / 2])
        error = np.sqrt(covariance[2, 2])
    else:
        left = c - np.array([[3.0], [5.0]])
        size = 2 * np.sum(Z**2)
        slope, error = np.sum(left * Z) / size, 0.2 / np.sqrt(size)
        np.testing.assert_allclose(common["value"], [slope, 3, 5], rtol=1e-7)
        np.testing.assert_allclose(common["stderr"], [error, NAN, NAN], rtol=1e-6)
        p, area = np.array([0, 0, slope]), np.array([np.ptp(Z**2) / 2])
    for i, one in enumerate(answers):
        assert one["status"] == "ok"
        level = p[i] if background == "fit" else TRUE[i][0]
        np.testing.assert_allclose(one["value"], [p[2], level], rtol=1e-7)
        # The dose is that of the curve without its background.
        assert one["window_dose"] == pytest.approx(area[0] * p[2] * 1e-7)
        expected = area[0] * error * 1e-7
        assert one["window_dose_stderr"] == pytest.approx(expected, rel=1e-6)


def test_a_parameter_that_is_held_has_no_error_and_others_that_of_what_is_left():
    c = measured()
    answers, common = together(c, request=replace(REQUEST, fixed={"slope": 1.0}))
    levels = (c - Z).mean(axis=1)
    np.testing.assert_allclose(common["value"], [*levels, 1.0], rtol=1e-9)
    error = 0.2 / np.sqrt(Z.size)
    np.testing.assert_allclose(common["stderr"], [error, error, NAN], rtol=1e-6)
    np.testing.assert_allclose(answers[1]["value"], [levels[1], 1.0])


def test_the_error_of_a_background_that_was_subtracted_is_added_for_each_profile():
    """S S' - S T' - T S' of each: they were subtracted one by one."""
    c = measured()
    shifts, overlaps = (0.1, 0.3), (0.0, 0.25)
    given = [
        samples(one, 0.2, common=by, overlap=part)
        for one, by, part in zip(c, shifts, overlaps, strict=True)
    ]
    answers, common = together(given)
    _, covariance = by_hand(c, 0.2)
    pull = covariance @ (design(2) * 0.2**-2)
    expected = covariance.copy()
    for i, (by, part) in enumerate(zip(shifts, overlaps, strict=True)):
        mine = slice(i * Z.size, (i + 1) * Z.size)
        s = pull[:, mine] @ np.full(Z.size, by)
        t = part * s
        expected += np.outer(s, s) - np.outer(s, t) - np.outer(t, s)
    np.testing.assert_allclose(common["covariance"], expected, rtol=1e-6)
    for i, one in enumerate(answers):
        error = np.sqrt(expected.diagonal()[[i, 2]])
        np.testing.assert_allclose(one["stderr"], error, rtol=1e-6)


def test_a_profile_that_has_no_fit_takes_no_part_and_keeps_its_place():
    c = measured(3)
    c[1] = NAN
    answers, common = together(c)
    assert [one["status"] for one in answers] == ["ok", "no_data", "ok"]
    p, covariance = by_hand(c[[0, 2]], 0.2)
    np.testing.assert_allclose(common["value"], [p[0], NAN, p[1], p[2]], rtol=1e-7)
    here = [0, 2, 3]
    np.testing.assert_allclose(common["covariance"][np.ix_(here, here)], covariance, rtol=1e-6)
    assert np.isnan(common["covariance"][1]).all()
    for name in ("stderr", "pull"):
        assert np.isnan(common[name][1])
    nothing = together(np.full((2, Z.size), NAN))
    assert [one["status"] for one in nothing[0]] == ["no_data", "no_data"]
    assert nothing[1] == {}


def test_a_profile_that_is_flat_beside_the_common_curve_is_featureless():
    c = measured()
    c[1] = 5.0 + 0.5 * np.cos(9 * Z)
    given = [samples(c[0], 0.2), samples(c[1], 3.0)]
    answers, _ = together(given)
    assert [one["status"] for one in answers] == ["ok", "featureless"]


BEND = Model(
    "bend", "", (Parameter("slope", "slope", ""), Parameter("hollow", "slope", "")),
    lambda z, b, d: b * z + d * z * z / 10, lambda z, c: [(np.ptp(c) / np.ptp(z), 0.0)], "",
    shape="decay", derivatives=lambda z, *_: np.stack([z, z * z / 10]),
)  # fmt: skip


@pytest.mark.parametrize("background", ["fit", "stated"])
def test_the_dose_above_a_background_is_that_of_all_other_parameters(background):
    c = measured() + np.array([[0.0], [0.02]]) * Z**2
    request = FitRequest(BEND, "concentration", background=background)
    settings = [SETTINGS | {"background": level} for level, _ in TRUE[:2]]
    answers, common = together(c, request=request, settings=settings)
    # Two hollows, one slope, and two levels, which are known where they are stated.
    rows = np.zeros((5, 2 * Z.size))
    for i in (0, 1):
        mine = slice(i * Z.size, (i + 1) * Z.size)
        rows[i, mine], rows[2, mine], rows[3 + i, mine] = Z * Z / 10, Z, 1.0
    n = 5 if background == "fit" else 3
    left = c.ravel() - (np.repeat([3.0, 5.0], Z.size) if n == 3 else 0.0)
    covariance = np.linalg.inv(rows[:n] @ rows[:n].T / 0.04)
    p = covariance @ rows[:n] @ left / 0.04
    weight = np.zeros(Z.size)
    weight[1:] += np.diff(Z) / 2
    weight[:-1] += np.diff(Z) / 2
    for i, one in enumerate(answers):
        area = np.zeros(n)
        area[[i, 2]] = weight @ (Z * Z / 10), weight @ Z
        assert one["window_dose"] == pytest.approx(area @ p * 1e-7, rel=1e-6)
        error = np.sqrt(area @ covariance @ area) * 1e-7
        assert one["window_dose_stderr"] == pytest.approx(error, rel=1e-5)
        assert one["value"][2] == pytest.approx(p[3 + i] if n == 5 else TRUE[i][0])
    assert common["value"][0] == pytest.approx(p[2])


# --- scales -----------------------------------------------------------------------------------


def test_a_background_that_is_stated_is_as_it_was_measured():
    """It is no value that a factor would change: 3 and 5, whatever the scale of values."""
    c = measured()
    request = FitRequest(BEND, "concentration", background="stated", fixed={"slope": 1.1})
    settings = [SETTINGS | {"background": level, "rsf_uncertainty": 0.2} for level, _ in TRUE[:2]]
    more = {"shared": (), "scales": ("rsf_scale",)}
    _, common = together(c, request=request, settings=settings, **more)
    left = (c - np.array([[3.0], [5.0]])).ravel()

    def residual(x):
        hollow = np.repeat(x[1:], Z.size) * np.tile(Z * Z / 10, 2)
        curve = (1.1 * np.tile(Z, 2) + hollow) / x[0]
        return np.append((curve - left) / 0.2, (x[0] - 1) / 0.2)

    theirs = optimize.least_squares(residual, [1.0, 0.0, 0.0], xtol=1e-14, ftol=1e-14)
    np.testing.assert_allclose(common["value"][-1], theirs.x[0], rtol=1e-5)
    np.testing.assert_allclose(common["value"][2:4], theirs.x[1:], rtol=1e-4)


@pytest.mark.parametrize(
    ("uncertain", "fixed", "kind"),
    [
        ({"depth_uncertainty": 0.05}, {"slope": 1.05}, "depth_scale"),
        ({"rsf_uncertainty": 0.05}, {"slope": 1.05}, "rsf_scale"),
    ],
)
def test_a_held_slope_tells_the_scale_by_which_it_is_off(uncertain, fixed, kind):
    """Apparent slopes are true ones times the depth scale, or over that of values."""
    c = measured()
    power = 1 if kind == "depth_scale" else -1
    request = replace(REQUEST, fixed=fixed)
    answers, common = together(c, request=request, settings=SETTINGS | uncertain, scales=(kind,))
    s = np.full(c.size, 0.2)

    def residual(x):
        """Two true levels and the scale; the true level grows with the scale of values alone."""
        grown = x[2] if kind == "rsf_scale" else 1.0
        curve = [x[i] / grown + 1.05 * x[2] ** power * Z for i in (0, 1)]
        return np.append((np.ravel(curve) - c.ravel()) / s, (x[2] - 1) / 0.05)

    theirs = optimize.least_squares(residual, [3.0, 5.0, 1.0], xtol=1e-14, ftol=1e-14)
    np.testing.assert_allclose(common["value"], [*theirs.x[:2], 1.05, theirs.x[2]], rtol=1e-6)
    covariance = np.linalg.inv(theirs.jac.T @ theirs.jac)
    np.testing.assert_allclose(
        common["stderr"], [*np.sqrt(covariance.diagonal())[:2], NAN, np.sqrt(covariance[2, 2])],
        rtol=1e-4,
    )  # fmt: skip
    np.testing.assert_allclose(common["pull"][3], (theirs.x[2] - 1) / 0.05, rtol=1e-4)
    for i, one in enumerate(answers):
        level, scale = theirs.x[i], theirs.x[2]
        np.testing.assert_allclose(one["value"], [level, 1.05], rtol=1e-6)

        def dose(x, i=i):
            """True: over true depths, of true values."""
            grown = x[2] if kind == "rsf_scale" else 1.0
            long = x[2] if kind == "depth_scale" else 1.0
            apparent = x[i] / grown * np.ptp(Z) + 1.05 * x[2] ** power * np.ptp(Z**2) / 2
            return apparent * grown * long * 1e-7

        def zero(x, i=i):
            grown = x[2] if kind == "rsf_scale" else 1.0
            long = x[2] if kind == "depth_scale" else 1.0
            return -(x[i] / grown) / (1.05 * x[2] ** power) * long

        for asked, name in ((dose, "window_dose"), (zero, "derived")):
            steps = 1e-6 * np.diag(theirs.x)
            slopes = [(asked(theirs.x + e) - asked(theirs.x - e)) / (2 * e.sum()) for e in steps]
            error = np.sqrt(np.array(slopes) @ covariance @ slopes)
            assert np.ravel(one[name])[0] == pytest.approx(asked(theirs.x), rel=1e-6)
            assert np.ravel(one[f"{name}_stderr"])[0] == pytest.approx(error, rel=1e-3)
        assert scale == pytest.approx(common["value"][3], rel=1e-6)


def scaled(c, settings, request, *scales):
    """Fit one profile, and name its numbers, and those that it has in common with the scales."""
    request = replace(request, scales=scales)
    row = fit_group([samples(c)], [settings], request)
    n, both = request.fields.size, (request.fields, request.common_fields)
    return [
        {name: one.of(part, name) for name in one.shapes}
        for one, part in zip(both, (row[:n], row[n:]), strict=True)
    ]


def test_scales_alone_widen_the_errors_of_a_fit_by_what_is_known():
    """And the ends of an interval: the scale is one more error, as large on both sides."""
    c = measured(1)
    request = replace(REQUEST, intervals=True)
    settings = SETTINGS | {"depth_uncertainty": 0.03, "rsf_uncertainty": 0.1}
    parts, found = scaled(c[0], settings, request, "depth_scale", "rsf_scale")
    plain, _ = scaled(c[0], settings, request)
    value = plain["value"]
    # A level grows with values, a slope with these and the inverse of depths, a depth with depths.
    grown = value[:, None] * np.array([[0.0, 0.1], [-0.03, 0.1]])
    expected = np.sqrt(plain["stderr"] ** 2 + np.sum(grown**2, axis=1))
    np.testing.assert_allclose(parts["stderr"], expected, rtol=1e-12)
    for end, sign in (("lower", -1), ("upper", 1)):
        reach = np.sqrt((plain[end] - value) ** 2 + np.sum(grown**2, axis=1))
        np.testing.assert_allclose(parts[end], value + sign * reach, rtol=1e-12)
    np.testing.assert_array_equal(parts["value"], value)
    np.testing.assert_array_equal(parts["covariance"], plain["covariance"])
    zero = plain["derived"]
    np.testing.assert_allclose(
        parts["derived_stderr"], np.hypot(plain["derived_stderr"], 0.03 * zero), rtol=1e-12
    )
    dose = plain["window_dose"]
    np.testing.assert_allclose(
        parts["window_dose_stderr"],
        np.sqrt(plain["window_dose_stderr"] ** 2 + (0.03 * dose) ** 2 + (0.1 * dose) ** 2),
        rtol=1e-12,
    )
    np.testing.assert_array_equal(found["value"], [*value, 1, 1])
    np.testing.assert_allclose(found["stderr"], [*expected, 0.03, 0.1])
    np.testing.assert_allclose(found["lower"], [*parts["lower"], 0.97, 0.9])
    np.testing.assert_allclose(found["upper"], [*parts["upper"], 1.03, 1.1])
    np.testing.assert_array_equal(found["pull"], [NAN, NAN, 0, 0])
    assert found["aic"] == plain["aic"]
    square = found["covariance"]
    rows = np.vstack([grown, np.diag([0.03, 0.1])])
    first = np.zeros((4, 4))
    first[:2, :2] = plain["covariance"]
    np.testing.assert_allclose(square, first + rows @ rows.T, rtol=1e-12, atol=1e-30)


def test_what_is_held_has_no_covariance_with_scales_either():
    settings = SETTINGS | {"depth_uncertainty": 0.03}
    parameters = (*LINE.parameters, Parameter("times", "dimensionless", ""))
    model = Model("", "", parameters, lambda z, a, b, n: a + n * b * z, lambda *_: [(1, 1, 1)], "",
                  shape="decay")  # fmt: skip
    request = replace(REQUEST, model=model, fixed={"times": 1.0})
    found = scaled(measured(1)[0], settings, request, "depth_scale")[1]["covariance"]
    assert np.isnan(found[2]).all()
    assert np.isnan(found[:, 2]).all()
    free = np.array([0, 1, 3])
    assert np.isfinite(found[np.ix_(free, free)]).all()


def test_without_a_fit_scales_have_no_numbers():
    settings = SETTINGS | {"depth_uncertainty": 0.03}
    _, found = scaled(np.full(Z.size, NAN), settings, REQUEST, "depth_scale")
    assert all(np.isnan(one).all() for one in found.values())


# --- an anneal --------------------------------------------------------------------------------

NODES = np.arange(0.0, 40.0, 2.5)


def implant(width):
    return np.exp(-0.5 * ((NODES - 15) / width) ** 2) / width


def annealed(same, error=0.02, *, level=0.0, background="none"):
    """Fit two anneals of one profile, or of two that are alike."""
    before = implant(4.0)
    scaled = before / before.max()
    objective = Squares(scaled, np.full(NODES.size, error))
    one, other = (Initial(NODES, before, objective) for _ in range(2))
    request = FitRequest(DIFFUSED, "concentration", initials=(one, one if same else other),
                background=background)  # fmt: skip
    absent, none = np.full(NODES.size, NAN), np.zeros(NODES.size)
    after = [
        Samples(NODES, implant(w) + level, none + 0.001, absent, none, none) for w in (5.0, 6.0)
    ]
    settings = [SETTINGS | {"initial": float(i), "time": NAN} for i in (0, 1)]
    return fit_together(after, settings, linked(request, 2, ()))


@pytest.mark.filterwarnings("ignore")
def test_one_profile_before_two_anneals_is_known_once():
    """Of two that are alike each has noise of its own."""
    (once, twice), (common, apart) = zip(*(annealed(same) for same in (True, False)), strict=True)
    assert [one["status"] for one in once + twice] == ["ok"] * 4
    np.testing.assert_allclose(common["value"], apart["value"], rtol=0.01)
    np.testing.assert_allclose(common["value"][2:], np.sqrt([9.0, 20.0]), rtol=0.03)
    assert common["value"].size == 4
    # Widths that one profile makes larger or smaller go together.
    assert common["covariance"][2, 3] > 0.1 * np.sqrt(np.prod(common["covariance"].diagonal()[2:]))
    assert abs(apart["covariance"][2, 3]) < 1e-3 * common["covariance"][2, 3]


@pytest.mark.filterwarnings("ignore")
def test_an_anneal_may_lie_on_a_background_of_its_own():
    answers, common = annealed(same=True, level=0.01, background="fit")
    plain, alone = annealed(same=True)
    assert [one["status"] for one in answers] == ["ok", "ok"]
    np.testing.assert_allclose(common["value"][4:], 0.01, atol=4e-3)
    np.testing.assert_allclose(common["value"][:4], alone["value"], rtol=0.1)
    dose = [one["window_dose"] for one in (answers[0], plain[0])]
    assert dose[0] == pytest.approx(dose[1], rel=0.1)


def test_without_a_profile_before_its_anneal_a_profile_has_no_data():
    request = FitRequest(DIFFUSED, "concentration", initials=(None,))
    one = Samples(NODES, implant(5.0), *(np.full(NODES.size, NAN) for _ in range(2)),
                  *np.zeros((2, NODES.size)))  # fmt: skip
    answers, common = fit_together([one], [SETTINGS | {"initial": 0.0}], linked(request, 1, ()))
    assert (answers[0], common) == ({"status": "no_data"}, {})
