"""The formulas against definitions: numerical convolutions, moments, diffusion by finite steps."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import integrate, stats

from sims_analysis.fitting.diffused_profile import DIFFUSED
from sims_analysis.shapes import delta_drf, delta_mri, fault_of, models, pearson
from sims_analysis.shapes.blurred_exponential import cdf, pdf, pdf_derivatives
from sims_analysis.shapes.model import Parameter


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


@pytest.mark.few(2)
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
    (centroid, deviation) = models()["delta_drf"].derive(
        {"position": 10.0, "lambda_growth": 2.0, "lambda_decay": 6.0, "sigma": 3.0}, {}
    )
    assert (centroid, deviation) == pytest.approx((14.0, 7.0))


def test_resolution_functions_do_not_overflow_far_away():
    z = np.linspace(-1e4, 1e4, 2001)
    for name in ("delta_drf", "delta_mri"):
        found = formula(name)(z, 1.0, 0.0, 0.1, 0.2, 3.0)
        assert np.isfinite(found).all()
        assert (found >= 0).all()


@pytest.mark.few(1, 4)
@pytest.mark.parametrize(
    ("skewness", "kurtosis"),
    [(0, 2), (0, 2.5), (0, 3), (0, 5), (0.5, 3), (0.5, 3.375), (0.5, 3.3751), (0.5, 3.37499),
     (-1, 4.6), (1, 6), (1, 5.3), (-0.3, 3.2), (1e-9, 3 + 1e-9)],
)  # fmt: skip
def test_pearson_distributions_have_the_requested_moments(skewness, kurtosis):
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
    for scale in (0.0, np.nan, np.inf):
        assert np.isnan(derive({"scale": scale, "asymmetry": 0.1}, {})[0])
    # Without asymmetry: between the arguments -ln(0.84 / 0.16) and ln(0.84 / 0.16).
    (width,) = derive({"scale": 3.0, "asymmetry": 0.0}, {})
    assert width == pytest.approx(6 * np.log(0.84 / 0.16), rel=1e-9)


def test_derived_doses_ranges_and_straggles_are_those_of_the_curve():
    z, both = np.linspace(0, 2000, 400_001), np.linspace(-400, 400, 80_001)
    cases = {
        "gaussian": (1.0, 40.0, 30.0),
        "joined_gaussian": (1.0, 20.0, 40.0, 30.0),
        "joined_gaussian above": (1.0, -20.0, 40.0, 30.0),
        "pearson": (1.0, 40.0, 30.0, -0.4, 3.4),
        "dual_pearson": (1.0, 0.8, 40.0, 30.0, -0.2, 3.2, 70.0, 50.0, 0.4, 3.6),
    }
    for name, p in cases.items():
        model = models()[name.partition(" ")[0]]
        below = np.trapezoid(model.formula(z, *p), z)
        names = [one.name for one in model.derived]
        found = model.derive(dict(zip(model.names, p, strict=True)), {})
        assert found[names.index("retained_dose")] == pytest.approx(below, abs=1e-6), name
        if "projected_range" in names:
            every = model.formula(both, *p)
            mean = np.trapezoid(both * every, both)
            spread = np.sqrt(np.trapezoid((both - mean) ** 2 * every, both))
            assert found[: len(names) - 1] == pytest.approx([mean, spread], rel=1e-6), name


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


def pearson_mode(skewness, kurtosis):
    """K. Pearson, Philos. Trans. R. Soc. A 216, 429 (1916), in straggles from the mean."""
    return -skewness * (kurtosis + 3) / (10 * kurtosis - 12 * skewness**2 - 18)


@pytest.mark.few(1, 4)
@pytest.mark.parametrize("kurtosis", [3.0, 8.0, 60.0, 900.0])
@pytest.mark.parametrize("skewness", [0.0, 1.5, -1.5])
def test_what_is_lost_of_a_narrow_distribution_follows_numerical_integration(skewness, kurtosis):
    """A large kurtosis is a narrow core, which must not fall between the nodes."""
    kurtosis += 1.6 * skewness**2
    core = np.geomspace(1e-5, 100, 60)
    for depth in (-1.3, -0.2, 0.4, 2.1):
        mode = pearson_mode(skewness, kurtosis)
        ends = np.unique(np.concatenate([mode - core, [mode], mode + core, [-depth]]))
        ends = ends[ends <= -depth]
        parts = [
            integrate.quad(lambda x: pearson.shape(np.array([x]), skewness, kurtosis)[0], *pair)[0]
            for pair in pairwise(ends)
        ]
        expected = pytest.approx(sum(parts), abs=1e-7)
        assert pearson.outside(depth, 1.0, skewness, kurtosis) == expected, depth


# --- what users see of each model -------------------------------------------------------------

LENGTH, FREE = ("nm", 0, np.inf), ("nm", -np.inf, np.inf)
DOSE, RETAINED = ("atom/cm^2", 0, np.inf), ("atom/cm^2", -np.inf, np.inf)
LEVEL, SLOPE = ("atom/cm^3", -np.inf, np.inf), ("atom/cm^3 / nm", -np.inf, np.inf)
POSITIVE = ("atom/cm^3", 0, np.inf)
SKEWNESS, KURTOSIS = ("1", -10, 10), ("1", 1, 1000)
DIFFUSIVITY = ("cm^2/s", -np.inf, np.inf)
MOMENTS = {"projected_range": FREE, "straggle": LENGTH, "skewness": SKEWNESS, "kurtosis": KURTOSIS}
PLATEAUS = {"left_level": LEVEL, "right_level": LEVEL, "left_slope": SLOPE, "right_slope": SLOPE}
#: Parameters, what follows from them, and what the model is, by the table of the definitions.
SEEN = {
    "gaussian": (
        {"dose": DOSE, "projected_range": FREE, "straggle": LENGTH}, {"retained_dose": RETAINED},
        {"location": "projected_range", "on_time": True},
    ),
    "joined_gaussian": (
        {"dose": DOSE, "mode": FREE, "straggle_shallow": LENGTH, "straggle_deep": LENGTH},
        {"projected_range": FREE, "straggle": LENGTH, "retained_dose": RETAINED},
        {"on_time": True},
    ),
    "pearson": ({"dose": DOSE, **MOMENTS}, {"retained_dose": RETAINED}, {}),
    "dual_pearson": (
        {
            "dose": DOSE, "head_fraction": ("1", 0, 1),
            **{f"{part}_{name}": of for part in ("head", "tail") for name, of in MOMENTS.items()},
        },
        {"retained_dose": RETAINED}, {},
    ),
    "erfc": (
        {"surface_concentration": POSITIVE, "diffusion_length": LENGTH},
        {"diffusivity": DIFFUSIVITY}, {"shape": "decay", "options": ("time",)},
    ),
    "limited_source": (
        {"dose": DOSE, "diffusion_length": LENGTH},
        {"diffusivity": DIFFUSIVITY}, {"shape": "decay", "options": ("time",)},
    ),
    "annealed_implant": (
        {"dose": DOSE, "projected_range": LENGTH, "straggle": LENGTH},
        {"diffusivity": DIFFUSIVITY},
        {"shape": "surface_peak", "options": ("time", "initial_straggle")},
    ),
    "tracer_exchange": (
        {
            "gas_level": LEVEL, "background_level": LEVEL, "diffusion_length": LENGTH,
            "exchange": ("1", 0, np.inf),
        },
        {"diffusivity": DIFFUSIVITY, "exchange_coefficient": ("cm/s", -np.inf, np.inf)},
        {"shape": "decay", "options": ("time",), "has_levels": True},
    ),
    "edge": (
        {"position": FREE, "width_16_84": LENGTH, **PLATEAUS}, {},
        {"shape": "step", "has_levels": True, "on_time": True},
    ),
    "edge_logistic": (
        {"position": FREE, "scale": LENGTH, "asymmetry": ("1/nm", -np.inf, np.inf), **PLATEAUS},
        {"width_16_84": LENGTH}, {"shape": "step", "has_levels": True, "on_time": True},
    ),
    "delta_drf": (
        {
            "dose": DOSE, "position": FREE, "lambda_growth": LENGTH, "lambda_decay": LENGTH,
            "sigma": LENGTH,
        },
        {"centroid": FREE, "standard_deviation": FREE}, {"location": "position", "on_time": True},
    ),
    "delta_mri": (
        {
            "dose": DOSE, "position": FREE, "mixing_length": LENGTH, "roughness": LENGTH,
            "information_depth": LENGTH,
        },
        {}, {"location": "position", "on_time": True},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", models())
def test_a_model_has_the_parameters_units_and_bounds_of_its_definition(name):
    model = models()[name]
    parameters, derived, kind = SEEN[name]
    for given, expected in ((model.parameters, parameters), (model.derived, derived)):
        seen = {one.name: (one.units("concentration"), one.lower, one.upper) for one in given}
        assert seen == expected
        assert list(seen) == list(expected)
    plain = {"shape": "peak", "options": (), "location": "", "has_levels": False, "on_time": False}
    assert {key: getattr(model, key) for key in plain} == plain | kind


@pytest.mark.parametrize(
    ("kind", "axis", "units", "factor"),
    [
        ("value", "depth", "atom/cm^3", 1.0),
        ("slope", "depth", "atom/cm^3 / nm", 1.0),
        ("area", "depth", "atom/cm^2", 1e-7),
        ("depth", "depth", "nm", 1.0),
        ("per_depth", "depth", "1/nm", 1.0),
        ("diffusivity", "depth", "cm^2/s", 1.0),
        ("velocity", "depth", "cm/s", 1.0),
        ("dimensionless", "depth", "1", 1.0),
        ("value", "sputter_time", "atom/cm^3", 1.0),
        ("slope", "sputter_time", "atom/cm^3 / s", 1.0),
        ("area", "sputter_time", "atom/cm^3 s", 1.0),
        ("depth", "sputter_time", "s", 1.0),
        ("per_depth", "sputter_time", "1/s", 1.0),
    ],
)
def test_the_unit_of_a_parameter_is_that_of_its_kind_over_the_axis(kind, axis, units, factor):
    one = Parameter("x", kind, "")
    found = one.units("concentration", axis)
    assert found == units
    assert one.factor("concentration", axis) == pytest.approx(factor)
    assert one.scales == (kind in ("value", "slope", "area"))


def test_the_integral_of_another_kind_of_data_is_in_their_unit_times_nm():
    area = Parameter("x", "area", "")
    for kind in ("count_rate", "dimensionless", "count"):
        assert area.factor(kind) == 1.0
        assert area.units(kind).endswith("nm")
    bounds = Parameter("x", "value", "")
    assert (bounds.lower, bounds.upper) == (-np.inf, np.inf)


# --- options, and what follows from parameters ------------------------------------------------


def test_diffusivities_and_lengths_belong_together():
    """``length = 2 sqrt(D t)``, ``s^2 = s0^2 + 2 D t``, k = exchange sqrt(D / t); 1 cm = 1e7 nm."""
    time = {"time": 900.0, "initial_straggle": 12.0}
    for name in ("erfc", "limited_source", "tracer_exchange"):
        model = models()[name]
        found = model.derive({"diffusion_length": 60.0, "exchange": 0.7}, time)
        assert found[0] == pytest.approx((60e-7) ** 2 / (4 * 900), abs=0)
        place, of = model.restated["diffusivity"]
        assert (place, of(found[0], time)) == ("diffusion_length", pytest.approx(60.0))
    assert found[1] == pytest.approx(0.7 * np.sqrt(found[0] / 900), abs=0)
    model = models()["annealed_implant"]
    (value,) = model.derive({"straggle": 20.0}, time)
    assert value == pytest.approx((20.0**2 - 12.0**2) * 1e-14 / 1800, abs=0)
    place, of = model.restated["diffusivity"]
    assert (place, of(value, time)) == ("straggle", pytest.approx(20.0))
    place, of = DIFFUSED.restated["diffusivity"]
    assert (place, of(value, time)) == ("broadening", pytest.approx(16.0))
    assert DIFFUSED.derive({"broadening": 16.0}, time) == [pytest.approx(value, rel=1e-12, abs=0)]


def test_a_dual_distribution_is_ordered_by_the_depth_of_its_parts():
    model = models()["dual_pearson"]
    head, tail = [50.0, 10.0, 0.1, 3.1], [90.0, 30.0, 0.6, 4.2]
    p = [1.0, 0.7, *head, *tail]
    assert list(model.ordered(p)) == p
    assert list(model.ordered([1.0, 0.3, *tail, *head])) == pytest.approx(p)
    level = [1.0, 0.7, *head, *head]
    assert list(model.ordered(level)) == level
    z = np.linspace(0, 200, 50)
    np.testing.assert_allclose(
        model.formula(z, *p), model.formula(z, 1.0, 0.3, *tail, *head), rtol=1e-12
    )


@pytest.mark.parametrize(("power", "edged"), [(2.9, True), (3.1, False)])
@pytest.mark.parametrize("part", ["head", "tail"])
def test_a_part_that_rises_as_the_third_power_or_steeper_is_irregular(power, edged, part):
    """A gamma distribution rises from its end with the power ``4 / skewness^2 - 1``."""
    skewness = np.sqrt(4 / (power + 1))
    sharp, smooth = [50.0, 10.0, skewness, 3 + 1.5 * skewness**2], [90.0, 30.0, 0.0, 3.2]
    parts = [*sharp, *smooth] if part == "head" else [*smooth, *sharp]
    assert models()["dual_pearson"].irregular([1.0, 0.5, *parts]) == edged


# --- Pearson's family -------------------------------------------------------------------------


def test_moments_that_no_distribution_has_have_no_density_edge_or_loss():
    z = np.linspace(-2, 2, 5)
    for moments in ((2.0, 4.5), (0.0, 1.5), (0.0, 1.8)):  # the last is a box, without a mode
        assert np.isnan(pearson.shape(z, *moments)).all()
        assert np.isnan(pearson.derivatives(z, 1.0, 0.0, 1.0, *moments)).all()
        assert pearson.derivatives(z, 1.0, 0.0, 1.0, *moments).shape == (5, 5)
        assert pearson.edge_power(*moments) == 0.0
        assert np.isnan(pearson.outside(1.0, 1.0, *moments))


def test_powers_at_the_ends_are_those_of_beta_and_gamma_distributions():
    for a, b in ((3.0, 5.0), (6.0, 4.0)):
        *_, skewness, excess = map(float, stats.beta(a, b).stats("mvsk"))
        assert pearson.edge_power(skewness, 3 + excess) == pytest.approx(min(a, b) - 1)
    assert pearson.edge_power(0.8, 3 + 1.5 * 0.64) == pytest.approx(4 / 0.64 - 1)
    assert pearson.edge_power(0.0, 3.0) == np.inf
    assert pearson.edge_power(0.5, 4.5) == np.inf


@pytest.mark.parametrize("depth", [-1.0, -0.2, 0.0, 0.3, 0.9, 2.0])
@pytest.mark.parametrize("shape", [3.0, 12.0])
def test_what_is_lost_of_a_gamma_distribution_is_its_cumulative_one(depth, shape):
    """Type III, from the mode on either side."""
    skewness = 2 / np.sqrt(shape)
    kurtosis = 3 + 6 / shape
    gamma = stats.gamma(shape, loc=-np.sqrt(shape), scale=1 / np.sqrt(shape))
    assert pearson.outside(depth * 5.0, 5.0, skewness, kurtosis) == pytest.approx(
        gamma.cdf(-depth), abs=1e-7
    )
    assert pearson.outside(depth * 5.0, 5.0, -skewness, kurtosis) == pytest.approx(
        1 - gamma.cdf(depth), abs=1e-7
    )


def test_the_mode_of_a_distribution_at_the_surface_loses_what_lies_above_it():
    mode = pearson_mode(0.8, 4.5)
    at, above = (pearson.outside(-mode + e, 1.0, 0.8, 4.5) for e in (0.0, 1e-9))
    assert at == pytest.approx(above, abs=1e-8)
    x = np.linspace(-30, mode, 200_001)
    assert at == pytest.approx(np.trapezoid(pearson.shape(x, 0.8, 4.5), x), abs=1e-6)


def test_next_to_the_border_derivatives_are_taken_to_the_side_that_exists():
    """Below ``kurtosis = 1 + skewness^2`` and some there is no shape with a mode."""
    z = np.linspace(-2.5, 2.5, 41)
    skewness = 0.5
    low, high = 1.8, 3.0
    for _ in range(60):
        middle = 0.5 * (low + high)
        exists = np.isfinite(pearson.shape(z, skewness, middle)).all()
        low, high = (low, middle) if exists else (middle, high)
    at = high + 1e-9
    rows = pearson.derivatives(z, 1.0, 0.0, 1.0, skewness, at)
    assert np.isfinite(rows).all()
    inside = pearson.derivatives(z, 1.0, 0.0, 1.0, skewness - 3e-6, at + 1e-5)
    np.testing.assert_allclose(rows[3:], inside[3:], rtol=0.05, atol=0.02 * np.abs(rows[3:]).max())


def test_beyond_the_ends_of_a_distribution_there_is_nothing():
    a, b = 3.0, 5.0
    mean, variance, skewness, excess = map(float, stats.beta(a, b).stats("mvsk"))
    ends = (np.array([0.0, 1.0]) - mean) / np.sqrt(variance)
    x = np.array([ends[0] - 1e-3, ends[0] + 1e-3, ends[1] - 1e-3, ends[1] + 1e-3])
    found = pearson.shape(x, skewness, 3 + excess)
    assert (found[[0, 3]] == 0).all()
    assert (found[[1, 2]] > 0).all()
    rows = pearson.derivatives(x, 1.0, 0.0, 1.0, skewness, 3 + excess)
    assert (rows[:3, [0, 3]] == 0).all()


@pytest.mark.parametrize("excess", [0.0, 1e-8, -1e-8, 1e-5, -1e-5])
def test_near_type_iii_a_distribution_is_nearly_a_gamma(excess):
    shape = 9.0
    skewness = 2 / np.sqrt(shape)
    gamma = stats.gamma(shape, loc=-np.sqrt(shape), scale=1 / np.sqrt(shape))
    x = np.linspace(-2.9, 9.0, 60)
    found = pearson.shape(x, skewness, 3 + 6 / shape + excess)
    np.testing.assert_allclose(found, gamma.pdf(x), atol=2 * abs(excess) + 1e-9)
    near = pearson.shape(np.zeros(1), 1e-6, 3.0 + excess)
    assert near[0] == pytest.approx(1 / np.sqrt(2 * np.pi), abs=abs(excess) + 1e-6)


# --- widths that are 0 ------------------------------------------------------------------------


def test_a_side_without_a_length_is_the_limit_of_a_short_one():
    z = np.linspace(-20, 20, 41)
    for held in ((0.0, 3.0, 2.0), (3.0, 0.0, 2.0)):
        short = [one or 1e-7 for one in held]
        for name in ("formula", "derivatives"):
            found, expected = (
                getattr(models()["delta_drf"], name)(z, 2.0, 1.0, *p) for p in (held, short)
            )
            # Of the length that is 0 no derivative is needed.
            keep = [i for i in range(len(found)) if i < 2 or held[i - 2]] if found.ndim > 1 else ...
            np.testing.assert_allclose(found[keep], expected[keep], atol=1e-6)
    for growth, decay in ((0.0, 3.0), (3.0, 0.0), (1.0, 2.0)):
        one = delta_drf.cumulative(z, growth, decay, 2.0)
        assert (np.diff(one) >= 0).all()
        fine = np.linspace(-60, 0, 60_001)
        area = np.trapezoid(delta_drf.formula(fine, 1.0, 0.0, growth, decay, 2.0), fine)
        assert one[20] == pytest.approx(area, abs=1e-6)


def test_without_an_information_depth_nothing_is_seen_ahead():
    z = np.linspace(-20, 20, 41)
    none, little = (delta_mri.formula(z, 2.0, 1.0, 3.0, 1.5, depth) for depth in (0.0, 1e-3))
    np.testing.assert_allclose(none, little, atol=1e-9)
    rows = [delta_mri.derivatives(z, 2.0, 1.0, 3.0, 1.5, depth) for depth in (0.0, 1e-12, 1e-3)]
    for one in rows[:2]:
        np.testing.assert_allclose(one[:4], rows[2][:4], atol=1e-9)
    assert np.isfinite(rows[0]).all()
    assert (rows[0][4] == 0).all()
    fine = np.linspace(-60, 0, 60_001)
    for depth in (0.0, 0.8):
        area = np.trapezoid(delta_mri.formula(fine, 1.0, 0.0, 3.0, 1.5, depth), fine)
        assert delta_mri.cumulative(np.zeros(1), 3.0, 1.5, depth)[0] == pytest.approx(
            area, abs=1e-6
        )


def test_an_exponential_blurred_hardly_or_much_is_smooth_in_its_widths():
    u = np.linspace(-8, 8, 33)
    for length, sigma in ((1.0, 1e-6), (1e-6, 1.0), (1e-3, 1.0), (1.998e-3, 2.0), (2.0, 1.0)):
        found = pdf_derivatives(u, length, sigma)
        np.testing.assert_allclose(found[0], pdf(u, length, sigma), rtol=1e-12)
        if min(length, sigma) < 1e-4:
            continue
        for i, step in ((1, (1e-5, 0, 0)), (2, (0, 1e-5 * length, 0)), (3, (0, 0, 1e-5))):
            ahead, back = (
                pdf(u + s * step[0], length + s * step[1], sigma + s * step[2]) for s in (1, -1)
            )
            slope = (ahead - back) / (2 * sum(step))
            np.testing.assert_allclose(found[i], slope, atol=2e-5 * max(1, np.abs(slope).max()))
    np.testing.assert_allclose(cdf(np.array([-50.0, 50.0]), 2.0, 1.0), [0, 1], atol=1e-10)
    np.testing.assert_allclose(cdf(np.array([-2.0, 0.0, 1.0]), 2.0, 0.0), [np.exp(-1), 1, 1])


def test_models_of_plugins_are_models():
    assert fault_of(models()["edge"]) is None
    assert fault_of(dict) == "it is a type, no sims.Model"


@pytest.mark.parametrize("skewness", [1e-4, -3e-4])
@pytest.mark.parametrize("excess", [0.0, 1e-5])
def test_a_small_lean_is_that_of_edgeworths_series(skewness, excess):
    """``phi (1 + g / 6 He3 + e / 24 He4)``, to the square of the skewness."""
    x = np.linspace(-5, 5, 101)
    series = 1 + skewness / 6 * (x**3 - 3 * x) + excess / 24 * (x**4 - 6 * x**2 + 3)
    found = pearson.shape(x, skewness, 3.0 + excess)
    np.testing.assert_allclose(found, stats.norm.pdf(x) * series, atol=2e-7)


def test_derivatives_of_a_gaussian_by_its_shape_are_hermites_polynomials():
    x = np.linspace(-5, 5, 41)
    hermite = np.stack([(x**3 - 3 * x) / 6, (x**4 - 6 * x**2 + 3) / 24])
    found = pearson.derivatives(x, 1.0, 0.0, 1.0, 0.0, 3.0)[3:]
    np.testing.assert_allclose(found, hermite * stats.norm.pdf(x), atol=1e-5)
