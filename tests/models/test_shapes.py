"""The formulas against definitions: numerical convolutions, moments, diffusion by finite steps."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from sims_analysis.models.shapes import models, pearson


def formula(name):
    return models()[name].formula


def by_quadrature(density, sigma, z, width):
    """Blur a density of finite steepness by a Gaussian, a panel at a time."""
    x, weights = np.polynomial.legendre.leggauss(40)
    edges = np.concatenate([np.linspace(-width, 0, 120), np.linspace(0, width, 120)[1:]])
    half = np.diff(edges)[:, None] / 2
    nodes = (edges[:-1, None] + half * (1 + x)).ravel()
    mass = (half * weights).ravel() * density(nodes)
    kernel = np.exp(-((z[:, None] - nodes) ** 2) / (2 * sigma**2)) / np.sqrt(2 * np.pi) / sigma
    return kernel @ mass


@pytest.mark.parametrize("growth", [1e-7, 0.7, 2.0])
@pytest.mark.parametrize("decay", [1e-7, 5.0])
def test_dowsetts_function_is_the_convolution_that_it_stands_for(growth, decay):
    z, sigma = np.linspace(-30, 60, 181), 2.5

    def exponentials(u):
        return np.where(u < 0, np.exp(u / growth), np.exp(-u / decay)) / (growth + decay)

    if growth + decay < 1e-6:
        expected = stats.norm(0, sigma).pdf(z)
    elif min(growth, decay) < 1e-6:
        side = 1 if decay > growth else -1
        expected = stats.exponnorm(max(growth, decay) / sigma, 0, sigma).pdf(side * z)
    else:
        expected = by_quadrature(exponentials, sigma, z, 90.0)
    found = formula("delta_drf")(z, 1.0, 0.0, growth, decay, sigma)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize("mixing", [0.5, 4.0])
@pytest.mark.parametrize("information", [0.0, 0.4, 3.0])
def test_hofmanns_function_is_the_convolution_that_it_stands_for(mixing, information):
    z, sigma = np.linspace(-30, 60, 181), 1.5

    def sharp(v):  # distance from where the mixed zone reaches the layer
        seen = np.exp(-mixing / information) if information else 0.0
        with np.errstate(over="ignore", divide="ignore"):
            before = seen / information * np.exp(v / information) if information else 0.0
        return np.where(v < 0, before, (1 - seen) / mixing * np.exp(-v / mixing))

    expected = by_quadrature(sharp, sigma, z + mixing, 90.0)
    found = formula("delta_mri")(z, 1.0, 0.0, mixing, sigma, information)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-12)
    area, _ = integrate.quad(
        lambda u: formula("delta_mri")(np.array([u]), 1.0, 0.0, mixing, sigma, information).item(),
        -80,
        120,
        points=[-mixing, 0],
        limit=200,
    )
    assert area == pytest.approx(1, abs=1e-8)


def test_resolution_functions_have_their_centroid_and_variance():
    z = np.linspace(-200, 300, 200_001)
    c = formula("delta_drf")(z, 1.0, 10.0, 2.0, 6.0, 3.0)
    mean = np.trapezoid(c * z, z)
    assert mean == pytest.approx(10 + 6 - 2, abs=1e-6)
    assert np.trapezoid(c * (z - mean) ** 2, z) == pytest.approx(9 + 4 + 36, rel=1e-6)
    (centroid, spread) = models()["delta_drf"].derive(
        {"position": 10.0, "lambda_growth": 2.0, "lambda_decay": 6.0, "sigma": 3.0}, {}
    )
    assert (centroid, spread) == pytest.approx((14.0, 7.0))


def test_resolution_functions_do_not_overflow_far_away():
    z = np.linspace(-1e4, 1e4, 2001)
    for name in ("delta_drf", "delta_mri"):
        found = formula(name)(z, 1.0, 0.0, 0.1, 0.2, 3.0)
        assert np.isfinite(found).all()
        assert (found >= 0).all()


@pytest.mark.few(3)
@pytest.mark.parametrize(
    ("skewness", "kurtosis"),
    [(0, 2), (0, 2.5), (0, 3), (0, 5), (0.5, 3), (0.5, 3.375), (0.5, 3.3751), (0.5, 3.37499),
     (-1, 4.6), (1, 6), (1, 5.3), (-0.3, 3.2), (1e-9, 3 + 1e-9)],
)  # fmt: skip
def test_pearson_distributions_have_the_moments_asked_for(skewness, kurtosis):
    def moment(power):
        def integrand(x):
            return float(pearson.shape(np.array([x]), skewness, kurtosis)[0]) * x**power

        edges = [-3000, -100, -20, -6, -3, -1, 0, 1, 3, 6, 20, 100, 3000]
        return sum(
            integrate.quad(integrand, a, b, epsabs=1e-12, limit=400)[0] for a, b in pairwise(edges)
        )

    expected = [1, 0, 1, skewness, kurtosis]
    tolerance = 1e-6 if kurtosis < 5 else 1e-3  # of a tail that goes on beyond 3000
    assert [moment(k) for k in range(5)] == pytest.approx(expected, abs=tolerance)


def test_the_pearson_types_are_those_of_scipy():
    x = np.linspace(-1.8, 5, 200)
    gamma = pearson.shape(x, 1.0, 4.5)  # III
    np.testing.assert_allclose(gamma, stats.pearson3(1.0).pdf(x), rtol=1e-9, atol=1e-15)
    # VII with nu degrees of freedom has the kurtosis 3 + 6 / (nu - 4).
    nu = 8.0
    t = stats.t(nu, scale=np.sqrt((nu - 2) / nu)).pdf(x)
    np.testing.assert_allclose(pearson.shape(x, 0.0, 3 + 6 / (nu - 4)), t, rtol=1e-9)
    a, b = 3.0, 5.0
    mean, variance, skewness, excess = stats.beta(a, b).stats("mvsk")
    beta = stats.beta(a, b, loc=-mean / np.sqrt(variance), scale=1 / np.sqrt(variance)).pdf(x)
    np.testing.assert_allclose(
        pearson.shape(x, float(skewness), 3 + float(excess)), beta, rtol=1e-8, atol=1e-12
    )


@pytest.mark.parametrize("excess", [0.0, 1e-9, 1e-7, -1e-9])
@pytest.mark.parametrize("a", [12.0, 20.0, 60.0])
def test_pearson_distributions_go_on_across_the_border_of_type_v(a, excess):
    border = stats.invgamma(a)
    mean, variance, skewness, kurtosis = map(float, border.stats("mvsk"))
    x = np.linspace(-4, 12, 400)
    found = pearson.shape(x, skewness, (3 + kurtosis) * (1 + excess))
    expected = border.pdf(x * np.sqrt(variance) + mean) * np.sqrt(variance)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_no_pearson_distribution_is_made_of_moments_that_none_has():
    assert np.isnan(pearson.shape(np.zeros(1), 2.0, 4.5)).all()  # below 1 + skewness^2
    assert np.isnan(pearson.shape(np.zeros(1), 0.0, 1.5)).all()  # a U


@pytest.mark.parametrize("name", [n for n, m in models().items() if m.derivatives is not None])
def test_derivatives_are_those_of_the_formula(name):
    model = models()[name]
    example = {"depth": 40.0, "per_depth": 0.02, "value": 3.0, "area": 90.0, "slope": 0.01}
    special = {"skewness": 0.3, "kurtosis": 3.6, "head_fraction": 0.7, "exchange": 0.8}
    special |= {"head_skewness": 0.3, "head_kurtosis": 3.6, "tail_skewness": 0.4}
    special |= {"tail_kurtosis": 3.9, "right_level": 1.0, "tail_straggle": 55.0}
    p = [special.get(one.name, example.get(one.kind, 1.0)) for one in model.parameters]
    z = np.linspace(0, 150, 40)
    rows = model.derivatives(z, *p)
    for i in range(len(p)):
        step = 1e-4 * max(abs(p[i]), 0.01)
        up, down = ([*p[:i], p[i] + sign * step, *p[i + 1 :]] for sign in (1, -1))
        numeric = (model.formula(z, *up) - model.formula(z, *down)) / (2 * step)
        np.testing.assert_allclose(
            rows[i], numeric, rtol=1e-4, atol=1e-5 * np.abs(numeric).max(), err_msg=f"{name} {i}"
        )


def test_the_tracer_solves_its_diffusion_equation():
    # Crank-Nicolson in sixty steps a unit, with k (C_gas - C) at the surface.
    diffusion, exchange, time = 1.0, 0.8, 1.0
    n, steps = 1500, 1500
    z = np.linspace(0, 12, n)
    h, dt = z[1], time / steps
    ratio = diffusion * dt / (2 * h * h)
    from scipy.linalg import solve_banded

    diagonal = np.full(n, 1 + 2 * ratio)
    diagonal[0] += 2 * ratio * h * exchange
    above, below = np.full(n, -ratio), np.full(n, -ratio)
    above[1], below[n - 2] = -2 * ratio, -2 * ratio
    c = np.zeros(n)
    for _ in range(steps):
        right = c + ratio * np.concatenate(
            [[2 * (c[1] - c[0])], c[2:] - 2 * c[1:-1] + c[:-2], [2 * (c[-2] - c[-1])]]
        )
        right[0] += 2 * ratio * h * exchange * (2 - c[0])
        c = solve_banded((1, 1), np.stack([above, diagonal, below]), right)
    length = 2 * np.sqrt(diffusion * time)
    found = formula("tracer_exchange")(z, 1.0, 0.0, length, exchange * np.sqrt(time / diffusion))
    np.testing.assert_allclose(found, c, atol=2e-4)


def test_widths_of_edges():
    z = np.linspace(0, 100, 100_001)
    for name, p in (
        ("edge", (50, 9.0, 0, 1, 0, 0)),
        ("edge_logistic", (50, 3.0, 0.06, 0, 1, 0, 0)),
    ):
        model = models()[name]
        c = model.formula(z, *map(float, p))
        width = np.interp(0.84, c, z) - np.interp(0.16, c, z)
        named = dict(zip(model.names, p, strict=True))
        stated = named["width_16_84"] if name == "edge" else model.derive(named, {})[0]
        assert width == pytest.approx(stated, abs=1e-3)


def test_the_width_of_any_edge_is_a_number_or_none():
    derive = models()["edge_logistic"].derive
    for scale in (1e-12, 1e-3, 1.0, 1e4, 1e60, np.inf):
        for asymmetry in (-1e3, -1.0, 0.0, 1e-6, 50.0):
            (width,) = derive({"scale": scale, "asymmetry": asymmetry}, {})
            assert np.isnan(width) or 0 <= width <= 2.01 * 2.5 * 1.66 * scale


def test_retained_doses_are_what_lies_below_the_surface():
    z = np.linspace(0, 2000, 400_001)
    cases = {
        "gaussian": (1.0, 40.0, 30.0),
        "joined_gaussian": (1.0, 20.0, 40.0, 30.0),
        "pearson": (1.0, 40.0, 30.0, -0.4, 3.4),
        "dual_pearson": (1.0, 0.8, 40.0, 30.0, -0.2, 3.2, 70.0, 50.0, 0.4, 3.6),
    }
    for name, p in cases.items():
        model = models()[name]
        below = np.trapezoid(model.formula(z, *p), z)
        names = [one.name for one in model.derived]
        found = model.derive(dict(zip(model.names, p, strict=True)), {})
        assert found[names.index("retained_dose")] == pytest.approx(below, abs=1e-6), name


@pytest.mark.parametrize(
    ("model", "widths"),
    [
        ("delta_drf", (0.0, 2.0, 0.0)),
        ("delta_drf", (2.0, 0.0, 0.0)),
        ("delta_mri", (0.0, 0.0, 2.0)),
    ],
)
def test_a_resolution_function_of_one_exponential_alone(model, widths):
    u = np.linspace(-60.0, 60.0, 24002)  # no depth is that of the jump
    density = models()[model].formula(u, 1.0, 0.0, *widths)
    sign = 1 if model == "delta_drf" and widths[1] else -1
    expected = np.where(sign * u > 0, np.exp(-np.abs(u) / 2.0) / 2.0, 0.0)
    np.testing.assert_allclose(density, expected, atol=1e-12)


@pytest.mark.few(2)
@pytest.mark.parametrize("kurtosis", [3.0, 8.0, 60.0, 900.0])
@pytest.mark.parametrize("skewness", [0.0, 1.5, -1.5])
def test_what_is_lost_of_a_narrow_distribution_follows_numerical_integration(skewness, kurtosis):
    """A large kurtosis is a narrow core, which must not fall between the nodes."""
    kurtosis += 1.6 * skewness**2
    core = np.geomspace(1e-5, 100, 60)
    for depth in (-1.3, -0.2, 0.4, 2.1):
        mode = -pearson._coefficients(skewness, kurtosis)[0]
        ends = np.unique(np.concatenate([mode - core, [mode], mode + core, [-depth]]))
        ends = ends[ends <= -depth]
        parts = [
            integrate.quad(lambda x: pearson.shape(np.array([x]), skewness, kurtosis)[0], *pair)[0]
            for pair in pairwise(ends)
        ]
        expected = pytest.approx(sum(parts), abs=1e-7)
        assert pearson.lost(depth, 1.0, skewness, kurtosis) == expected, depth
