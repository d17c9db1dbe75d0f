"""Linked fits of straight lines, for which all is known in closed form."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import optimize

import sims_analysis as sims
from sims_analysis.fitting.joint_fit import fit_together
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
        place = [i, m]
        np.testing.assert_allclose(one["value"], p[place], rtol=1e-7)
        np.testing.assert_allclose(one["stderr"], np.sqrt(covariance.diagonal()[place]))
        assert one["objective_value"] == pytest.approx(np.sum(residuals[i] ** 2))
        assert np.isnan(one["aic"])
        # Where the line is 0: -a / b.
        slopes = np.array([-1 / p[m], p[i] / p[m] ** 2])
        np.testing.assert_allclose(one["derived"], [-p[i] / p[m]])
        square = covariance[np.ix_(place, place)]
        error = np.sqrt(slopes @ square @ slopes)
        np.testing.assert_allclose(one["derived_stderr"], [error], rtol=1e-5)
        # The dose of the window: the integral of a + b z, 1e-7 cm for a nm.
        span, moment = np.ptp(Z), (Z[-1] ** 2 - Z[0] ** 2) / 2
        area = np.array([span, moment])
        assert one["window_dose"] == pytest.approx(area @ p[place] * 1e-7)
        expected = np.sqrt(area @ square @ area) * 1e-7
        assert one["window_dose_stderr"] == pytest.approx(expected, rel=1e-6)


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
        place = slice(i * Z.size, (i + 1) * Z.size)
        s = pull[:, place] @ np.full(Z.size, by)
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


# --- scales -----------------------------------------------------------------------------------


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

    direct = optimize.least_squares(residual, [3.0, 5.0, 1.0], xtol=1e-14, ftol=1e-14)
    np.testing.assert_allclose(common["value"], [*direct.x[:2], 1.05, direct.x[2]], rtol=1e-6)
    covariance = np.linalg.inv(direct.jac.T @ direct.jac)
    np.testing.assert_allclose(
        common["stderr"], [*np.sqrt(covariance.diagonal())[:2], NAN, np.sqrt(covariance[2, 2])],
        rtol=1e-4,
    )  # fmt: skip
    np.testing.assert_allclose(common["pull"][3], (direct.x[2] - 1) / 0.05, rtol=1e-4)
    for i, one in enumerate(answers):
        level, scale = direct.x[i], direct.x[2]
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

        for formula, name in ((dose, "window_dose"), (zero, "derived")):
            steps = 1e-6 * np.diag(direct.x)
            slopes = [
                (formula(direct.x + e) - formula(direct.x - e)) / (2 * e.sum()) for e in steps
            ]
            error = np.sqrt(slopes @ covariance @ slopes)
            assert np.ravel(one[name])[0] == pytest.approx(formula(direct.x), rel=1e-6)
            assert np.ravel(one[f"{name}_stderr"])[0] == pytest.approx(error, rel=1e-3)
        assert scale == pytest.approx(common["value"][3], rel=1e-6)


@pytest.mark.parametrize(("kind", "power"), [("depth_scale", 1), ("rsf_scale", -1)])
def test_a_stated_background_is_as_it_was_measured_whatever_the_scale(kind, power):
    c, levels = measured(), np.array([[3.0], [5.0]])
    own, prior = {kind.replace("scale", "uncertainty"): 0.05}, {"slope": (1.05, 0.01)}
    request = FitRequest(RISE, "concentration", background="stated", prior=prior)
    settings = [SETTINGS | own | {"background": level} for level in levels.ravel()]
    common = together(c, request=request, settings=settings, scales=(kind,))[1]

    def residual(x):
        """The true slope and the scale."""
        known = (x[0] - 1.05) / 0.01, (x[1] - 1) / 0.05
        return np.append(np.ravel(levels + x[0] * x[1] ** power * Z - c) / 0.2, known)

    direct = optimize.least_squares(residual, [1.0, 1.0], xtol=1e-14, ftol=1e-14)
    np.testing.assert_allclose(common["value"][[0, -1]], direct.x, rtol=1e-6)


# --- an anneal --------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_a_fit_with_a_prior_that_a_constant_does_as_well_as_has_no_parameters():
    ds = sims.open_example("boron-implant").sel(species="B")
    found = sims.fit(ds, model="gaussian", prior={"straggle": ("23 nm", "1 nm")})
    assert found["status"].item() == "featureless"
    assert all(np.isnan(found[name]) for name in ("dose", "projected_range", "straggle_pull"))
