"""Integrals against a plain, row-by-row reference, and against closed forms."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_profiles import batches, depths, realistic, run, samples
from scipy.optimize import brentq

from sims_analysis.kernels import dose
from sims_analysis.outcomes import Status

RULES = ("trapezoid", "loglinear")
NAN = math.nan


def integrate(depth, value, start=NAN, stop=NAN, *, rule="trapezoid"):
    """Ask the kernel of arrays."""
    limits = np.asarray(start, float), np.asarray(stop, float)
    return run(dose.integrate, depth, value, *limits, rule=rule)


def cumulative(depth, value, *, rule="trapezoid"):
    return run(dose.cumulative, depth, value, np.array(0.0), rule=rule).value


def mean(c0, c1, rule):
    """Mean over a segment, and whether the logarithm failed."""
    if rule == "trapezoid":
        return 0.5 * (c0 + c1), False
    if c0 > 0 and c1 > 0:
        low, d = min(c0, c1), abs(c1 - c0)
        return (low if d == 0 else d / math.log1p(d / low)), False
    return 0.5 * (c0 + c1), True


def at(c0, c1, t, rule):
    if t in (0, 1):
        return c1 if t else c0
    if rule == "loglinear" and c0 > 0 and c1 > 0:
        return math.exp((1 - t) * math.log(c0) + t * math.log(c1))
    return c0 + t * (c1 - c0)


def integral(z, c, start, stop, rule):
    """Integrate one profile: (value, start, stop, status, n_linear)."""
    nothing = (math.nan, math.nan, math.nan, Status.NO_DATA, 0)
    if z.size < 2:
        return nothing
    a = z[0] if math.isnan(start) else max(start, z[0])
    b = z[-1] if math.isnan(stop) else min(stop, z[-1])
    if not a < b:
        return nothing
    total, n_linear = 0.0, 0
    for z0, z1, c0, c1 in zip(z[:-1], z[1:], c[:-1], c[1:], strict=True):
        u, v = max(z0, a), min(z1, b)
        if u < v:
            # A segment that is a straight line stays one where a limit cuts it.
            straight = not (c0 > 0 and c1 > 0)
            cut = [at(c0, c1, (x - z0) / (z1 - z0), rule) for x in (u, v)]
            total += mean(*cut, "trapezoid" if straight else rule)[0] * (v - u)
            n_linear += mean(c0, c1, rule)[1]
    if start < z[0] or stop > z[-1]:
        return total, a, b, Status.TRUNCATED, n_linear
    return total, a, b, Status.OK, n_linear


def scale(depth, value):
    """Size against which rounding is judged: terms of both signs may cancel."""
    finite = value[np.isfinite(value)]
    span = np.nanmax(depth) - np.nanmin(depth) if np.isfinite(depth).any() else 0.0
    return float(np.abs(finite).max(initial=0.0)) * span


def agree(found, depth, value, start, stop, rule):
    lead = value.shape[0]
    start, stop = np.broadcast_to(start, lead), np.broadcast_to(stop, lead)
    for row in range(lead):
        z, c = samples(depth, value, row)
        total, a, b, status, n_linear = integral(z, c, start[row], stop[row], rule)
        if abs(total) > 1e-14 * scale(depth, value) or status in (Status.NO_DATA, Status.TRUNCATED):
            assert found.status[row] == status
        np.testing.assert_equal((found.start[row], found.stop[row]), (a, b))
        assert found.n_linear_segments[row] == n_linear
        np.testing.assert_allclose(
            found.value[row], total, rtol=1e-12, atol=1e-14 * scale(depth, value)
        )


@pytest.mark.parametrize("rule", RULES)
@given(batch=batches(), data=st.data())
def test_limits_of_each_row(rule, batch, data):
    limits = st.one_of(st.just(math.nan), depths)
    rows = batch[1].shape[0]
    start = np.array(data.draw(st.lists(limits, min_size=rows, max_size=rows)))
    stop = np.array(data.draw(st.lists(limits, min_size=rows, max_size=rows)))
    agree(integrate(*batch, start, stop, rule=rule), *batch, start, stop, rule)


@pytest.mark.few(3)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("gaps", [0.0, 0.003, 0.05, 0.6])
@pytest.mark.parametrize("limits", [(math.nan, math.nan), (10.1, 499.7), (-3.0, 250.0)])
def test_integrals_of_realistic_profiles(rule, gaps, limits):
    # Long rows: gaps inside, at the ends, and nothing but gaps.
    depth, value = realistic(40, 300, gaps=gaps)
    value[3] = np.nan
    value[4, 1:] = np.nan
    value[5, :50] = np.nan
    value[6, -50:] = np.nan
    value[7] = -1.0
    value[8] = 0.0
    agree(integrate(depth, value, *limits, rule=rule), depth, value, *limits, rule)


@pytest.mark.parametrize("rule", RULES)
@given(batch=batches())
def test_cumulative_ends_at_the_dose(rule, batch):
    depth, value = batch
    found = cumulative(depth, value, rule=rule)
    for row in range(value.shape[0]):
        z, c = samples(depth, value, row)
        axis = depth if depth.ndim == 1 else depth[row]
        measured = ~(np.isnan(axis) | np.isnan(value[row]))
        assert np.isnan(found[row, ~measured]).all()
        wanted = [
            integral(z[: i + 1], c[: i + 1], math.nan, math.nan, rule)[0] for i in range(z.size)
        ]
        if len(wanted) > 1:  # a single sample has no width
            wanted[0] = 0.0
        np.testing.assert_allclose(
            found[row, measured], wanted, rtol=1e-12, atol=1e-14 * scale(depth, value)
        )


def exactly(z, c, start, stop):
    """Integrate straight lines between limits in fractions, without any rounding."""
    z, c = ([Fraction(float(x)) for x in column] for column in (z, c))
    low, high = max(z[0], Fraction(start)), min(z[-1], Fraction(stop))
    if low >= high:
        return math.nan
    total = Fraction(0)
    for z0, z1, c0, c1 in zip(z, z[1:], c, c[1:], strict=False):
        u, v = max(z0, low), min(z1, high)
        if u < v:
            total += (v - u) * (c0 + (c1 - c0) * ((u + v) / 2 - z0) / (z1 - z0))
    return float(total)


@pytest.mark.parametrize("own", [False, True])
@pytest.mark.parametrize("seed", range(6))
def test_no_digits_are_lost_where_some_steps_are_short_and_others_long(seed, own):
    rng = np.random.default_rng(seed)
    n = 30
    z = rng.uniform(0, 1000) + np.cumsum(rng.choice([1e-6, 1e-3, 1.0, 30.0], n))
    c = 10.0 ** rng.uniform(0, 30, (4, n))
    c[1, rng.integers(2, n - 2)] = np.nan
    c[2, rng.random(n) < 0.4] = np.nan
    c[3, :3] = c[3, -4:] = np.nan
    axes = np.broadcast_to(z, c.shape).copy() if own else z
    for start, stop in ((z[0], z[-1]), np.sort(rng.uniform(z[2], z[-3], 2))):
        found = integrate(axes, c, start, stop).value
        for row, measured in enumerate(~np.isnan(c)):
            wanted = exactly(z[measured], c[row, measured], start, stop)
            assert found[row] == pytest.approx(wanted, rel=1e-13, nan_ok=True)


@pytest.mark.parametrize("rule", ["trapezoid", "loglinear"])
def test_the_highest_value_between_limits(rule):
    z, c = np.arange(4.0), np.array([[8.0, 2.0, 2.0, 2.0], [2.0, 2.0, NAN, 8.0]])

    def highest(start, stop):
        return run(dose.highest, z, c, np.full(2, start), np.full(2, stop), rule=rule).value

    assert highest(0.0, 3.0).tolist() == [8.0, 8.0]
    # The value at a limit between samples counts too.
    assert highest(0.5, 2.0)[0] == pytest.approx({"trapezoid": 5.0, "loglinear": 4.0}[rule])
    # Between two samples there are only the values at the limits.
    assert highest(1.2, 1.8)[0] == pytest.approx(2.0)


# --- the depths above which parts of it lie -------------------------------------------------------

PARTS = np.array([0.0, 0.1, 0.5, 0.9, 1.0])


def at_parts(depth, value, stderr=None, parts=PARTS, **options):
    asked = np.broadcast_to(parts, (len(value), len(parts)))
    options |= {"whole": [1], "stderr": stderr}
    return run(dose.depth_at_dose_fraction, depth, value, asked, **options)


def depth_of(z, c, target, rule):
    """Search for the depth above which so much lies; NaN for none."""
    if not 0 <= target <= integral(z, c, NAN, NAN, rule)[0] * (1 + 1e-12):
        return NAN
    most = integral(z, c, NAN, NAN, rule)[0]
    if target in (0.0, most):
        return z[-1 if target else 0]
    return brentq(
        lambda x: integral(z, c, NAN, x, rule)[0] - target, z[0] + 1e-9, z[-1], xtol=1e-12
    )


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("own", [False, True])
def test_depths_above_which_parts_of_a_dose_lie(rule, own):
    rng = np.random.default_rng(9)
    z = np.cumsum(rng.uniform(0.5, 3, 40))
    value = rng.poisson(400 * np.exp(-(((z - 30) / 12) ** 2)) + 5.0, (3, 40)).astype(float)
    value[1, 7] = value[2, 30] = 0.0
    stderr = np.sqrt(value)
    found = at_parts(np.tile(z, (3, 1)) if own else z, value, stderr, rule=rule)
    assert (found.status == Status.OK).all()
    hats = np.eye(z.size)
    whole = np.array([np.trapezoid(hat, z) for hat in hats])
    for row, c in enumerate(value):
        total = integral(z, c, NAN, NAN, rule)[0]
        wanted = [depth_of(z, c, part * total, rule) for part in PARTS]
        np.testing.assert_allclose(found.depth[row], wanted, rtol=1e-9)
        for i, part in enumerate(PARTS):
            if part in (0, 1):  # nothing lies on one side
                assert np.isnan(found.stderr[row, i])
                assert found.each[row, i] == Status.UNDETERMINED
                continue
            knots = np.append(z[z < wanted[i]], wanted[i])
            above = np.array([np.trapezoid(np.interp(knots, z, hat), knots) for hat in hats])
            u = math.sqrt(np.sum(((part * whole - above) * stderr[row]) ** 2))
            low, high = (depth_of(z, c, part * total + by, rule) for by in (-u, u))
            # Straight lines miss h^2 / 12 times the slope at the ends of an integral.
            missed, at = np.diff(c) * np.diff(z) / 12, np.searchsorted(z, wanted[i], "right") - 1
            off = missed[at] - (1 - part) * missed[0] - part * missed[-1]
            off *= (rule == "trapezoid") / (0.5 * (c[at] + c[at + 1]))
            error = math.hypot((high - low) / 2, off)
            assert found.stderr[row, i] == pytest.approx(error, rel=1e-8)


def test_the_first_depth_counts_where_noise_makes_the_integral_dip():
    found = at_parts(np.arange(5.0), np.array([[4.0, 4.0, -4.0, 4.0, 4.0]]), parts=[0.5, 1.0])
    # 8 in all: 4 above 1 nm, 4.5 where the line crosses 0, down to 4 again, and up.
    np.testing.assert_allclose(found.depth, [[1.0, 4.0]])
