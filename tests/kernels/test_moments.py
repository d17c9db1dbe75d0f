"""Moments against a plain, row-by-row reference, in both layouts; errors by derivatives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_profiles import batches, depths, realistic, run, samples
from scipy import stats

from sims_analysis.kernels import blocks, moments
from sims_analysis.kernels.rows import Packed
from sims_analysis.outcomes import Status

ROWS = 30
NAN = math.nan


def ask(depth, value, *limits, level=0.0, threshold=NAN, window=None, stderr=None, relative=True):
    """Ask with one value for all rows, or one for each."""
    parameters = [*(limits or (NAN, NAN)), level, threshold, *(window or (NAN, NAN)), 1.0, 0.0]
    errors = None if stderr is None else blocks.Errors(stderr)
    return run(
        moments.moments,
        depth,
        value,
        *(np.broadcast_to(p, len(value)) for p in parameters),
        errors=errors,
        relative=relative,
        window=window is not None,
    )


def reference(z, c, start, stop, level, threshold):
    """Give status, integral, mean, straggle, skewness, kurtosis and ends of one profile."""
    inside = ~(z < start) & ~(z > stop)
    status, end = Status.OK, z[-1] if z.size else NAN
    z, c = z[inside], c[inside] - level
    if z.size < 3:
        return Status.NO_DATA, None
    if not math.isnan(threshold):
        top = int(np.argmax(c))
        limit = threshold * c[top]
        if c[top] < limit:
            return Status.NEVER_REACHED, None
        first = last = top
        while first > 0 and c[first - 1] >= limit:
            first -= 1
        while last < z.size - 1 and c[last + 1] >= limit:
            last += 1
        z, c = z[first : last + 1], c[first : last + 1]
        if z[-1] == end:
            status = Status.TRUNCATED
    if z.size < 3:
        return Status.NEVER_REACHED, None
    total = np.trapezoid(c, z)
    if not total > 0:
        return Status.BELOW_DETECTION, None
    mean = np.trapezoid(z * c, z) / total
    second, third, fourth = (np.trapezoid((z - mean) ** k * c, z) / total for k in (2, 3, 4))
    if not (second > 0 and z[0] <= mean <= z[-1]):
        return Status.BELOW_DETECTION, None
    width = math.sqrt(second)
    shape = (total, mean, width, third / width**3, fourth / width**4, z[0], z[-1])
    return status, shape


def agree(found, depth, value, *limits, level=0.0, threshold=NAN):
    for row in range(len(value)):
        z, c = samples(depth, value, row)
        status, wanted = reference(z, c, *limits, level, threshold)
        doubtful = wanted is not None and abs(c - level).max() * np.ptp(z) > 1e9 * wanted[0]
        # Of all in one sample, the straggle is nothing, or its rounding.
        inside = ~(z < limits[0]) & ~(z > limits[1])
        if doubtful or np.count_nonzero(c[inside] - level) == 1:
            continue  # whether anything is left is a matter of rounding
        assert found.status[row] == status
        got = [field[row] for field in found[:7]]
        if wanted is None:
            assert np.isnan(got).all()
        else:
            # Of a sum that nearly cancels, rounding is a larger part.
            part = (abs(c).max() * np.ptp(z)) / wanted[0]
            np.testing.assert_allclose(got, wanted, rtol=1e-11 * max(part, 1.0) ** 3, atol=1e-9)


@given(
    batch=batches(max_n=12),
    start=st.one_of(st.just(NAN), depths),
    stop=st.one_of(st.just(NAN), depths),
    threshold=st.sampled_from([NAN, 0.01, 0.5, 1.0]),
)
def test_moments_of_any_batch(batch, start, stop, threshold):
    depth, value = batch
    value = np.abs(value)
    found = ask(depth, value, start, stop, threshold=threshold)
    agree(found, depth, value, start, stop, threshold=threshold)


def batch(seed=0):
    depth, value = realistic(ROWS, 240, gaps=0.0, seed=seed)
    value = np.abs(value)
    rng = np.random.default_rng(seed)
    value[3] = value[4] = 0.0
    value[4, 100] = 1e18
    value[5, 50:60] = value[5].max()  # a flat top
    value[6] = np.linspace(1.0, 2.0, 240) * 1e17
    value[7] = value[6][::-1]
    return depth, value, 0.1 * value + rng.uniform(1e12, 1e13, value.shape)


@pytest.mark.few(21)
@pytest.mark.parametrize("threshold", [NAN, 0.01, 0.5, 0.999, 1.5])
@pytest.mark.parametrize("window", [None, (400.0, 550.0), (120.0, 300.0)])
@pytest.mark.parametrize("limits", [(NAN, NAN), (60.3, 420.0), (700.0, 800.0), (100.0, 101.0)])
def test_both_layouts(threshold, window, limits):
    depth, value, stderr = batch()
    options = {"threshold": threshold, "window": window, "stderr": stderr}
    options["level"] = 0.0 if window is None else 1e14
    found = ask(depth, value, *limits, **options)
    own = ask(np.tile(depth, (ROWS, 1)), value, *limits, **options)
    for name, one, other in zip(found._fields, found, own, strict=True):
        scale = 1e-11 if name in ("skewness", "skewness_stderr") else 0.0
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=scale, err_msg=name)
    agree(found, depth, value, *limits, level=options["level"], threshold=threshold)
    bare = ask(depth, value, *limits, **(options | {"stderr": None}))
    for name in ("projected_range", "straggle", "kurtosis", "status"):
        np.testing.assert_array_equal(getattr(bare, name), getattr(found, name))


@pytest.mark.parametrize(("limits", "own"), [((NAN, NAN), False), ((60.3, 420.0), True)])
def test_errors_are_numerical_derivatives(limits, own):
    depth, value, _ = batch(1)
    # An even profile: what is left out of first order is then small.
    value = 1e20 * np.exp(-(((depth - 200) / 70) ** 2) / 2)[None] * np.linspace(1, 2, 3)[:, None]
    value *= 1 + 0.3 * np.sin(depth / 40)
    # Small ones: of few counts, the errors of higher moments are wider than first order.
    stderr = 1e-4 * value * (1 + np.cos(depth / 30) ** 2)
    axes = np.tile(depth, (3, 1)) if own else depth
    found = ask(axes, value, *limits, stderr=stderr)
    names = ("integral", "projected_range", "straggle", "skewness", "kurtosis")
    variance = dict.fromkeys(names, 0.0)
    for sample in range(depth.size):
        moved = [value.copy(), value.copy()]
        moved[0][:, sample] -= stderr[:, sample]
        moved[1][:, sample] += stderr[:, sample]
        low, high = (ask(axes, one, *limits) for one in moved)
        for name in names:
            variance[name] += ((getattr(high, name) - getattr(low, name)) / 2) ** 2
    for name in names:
        stated = getattr(found, f"{name}_stderr")
        np.testing.assert_allclose(stated, np.sqrt(variance[name]), rtol=1e-4, err_msg=name)


def test_few_counts_widen_the_errors_of_higher_moments_by_students_t():
    # By Satterthwaite, with the counts of a background that was subtracted before.
    z = np.arange(0.0, 40.0, 2.0)
    k = np.round(9 * np.exp(-(((z - 20) / 8) ** 2)))
    for floor in (0.0, 3.0):
        sigma = np.sqrt(np.maximum(k + floor, 0.92**2)) * (k > 0)
        rows = Packed(z, k, sigma, offsets=np.array([0, z.size]))
        free = np.full((4, 1), NAN)
        one, level = np.ones(1), np.zeros(1)
        found = moments.moments(
            rows, *free[:2], level, free[2], *free[2:], one, np.array([floor]), sure=False
        )
        w = 2.0 * np.r_[0.5, np.ones(z.size - 2), 0.5]
        total, r, s = (w * k).sum(), found.projected_range[0], found.straggle[0]
        t, g, b = (z - r) / s, found.skewness[0], found.kurtosis[0]
        slopes = {
            "projected_range": z - r,
            "straggle": s * (t**2 - 1) / 2,
            "skewness": t**3 - 3 * t - g - 1.5 * g * (t**2 - 1),
            "kurtosis": t**4 - 4 * g * t - b - 2 * b * (t**2 - 1),
        }
        for name, slope in slopes.items():
            parts = (w / total * slope * sigma) ** 2
            counts = np.maximum(((k + floor) / np.where(sigma > 0, sigma, 1)) ** 2, 1)
            freedom = 2 * parts.sum() ** 2 / (parts**2 / counts).sum()
            wider = 1.0 if name == "projected_range" else stats.t(freedom).ppf(stats.norm.cdf(1))
            stated = getattr(found, f"{name}_stderr")[0]
            assert stated == pytest.approx(math.sqrt(parts.sum()) * wider, rel=1e-6), name


def test_where_the_background_is_sure_the_kurtosis_has_its_second_order():
    z = np.arange(0.0, 60.0, 3.0)
    c = 20 * np.exp(-(((z - 22) / np.where(z < 22, 7, 14)) ** 2))
    sigma = np.sqrt(c)
    rows = Packed(z, c, sigma, offsets=np.array([0, z.size]))
    free, one, level = np.full((5, 1), NAN), np.ones(1), np.zeros(1)
    found = {
        sure: moments.moments(
            rows, *free[:2], level, free[2], *free[3:], one, np.zeros(1), sure=sure
        )
        for sure in (False, True)
    }
    own = found[True]
    w = 3.0 * np.r_[0.5, np.ones(z.size - 2), 0.5]
    t = (z - own.projected_range[0]) / own.straggle[0]
    at = np.array([0.0, 1.0, own.skewness[0], own.kurtosis[0]])
    basis = [w * sigma / (w @ c) * (t**k - m) for k, m in enumerate(at, 1)]
    v = np.array([[x @ y for y in basis] for x in basis])

    def kurtosis(m):
        second = m[1] - m[0] ** 2
        return (m[3] - 4 * m[0] * m[2] + 6 * m[0] ** 2 * m[1] - 3 * m[0] ** 4) / second**2

    h, units = 1e-3, np.eye(4)
    gradient = np.array([(kurtosis(at + h * e) - kurtosis(at - h * e)) / (2 * h) for e in units])
    hessian = np.array(
        [
            [
                sum(a * b * kurtosis(at + h * (a * e + b * f)) for a in (1, -1) for b in (1, -1))
                / (4 * h**2)
                for f in units
            ]
            for e in units
        ]
    )
    product = hessian @ v
    second = 0.5 * np.trace(product @ product) / (gradient @ v @ gradient)
    assert second > 0.05
    ratio = (found[True].kurtosis_stderr / found[False].kurtosis_stderr)[0]
    assert ratio == pytest.approx(math.sqrt(1 + second), rel=1e-4)
    for name in ("integral", "projected_range", "straggle", "skewness"):
        np.testing.assert_array_equal(*(getattr(x, f"{name}_stderr") for x in found.values()))
