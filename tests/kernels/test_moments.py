"""Moments against a plain, row-by-row reference, in both layouts; errors by derivatives."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain_profiles import batches, depths, realistic, run, samples

from sims_analysis.kernels import moments
from sims_analysis.outcomes import Status

ROWS = 30
NAN = math.nan


def ask(depth, value, *limits, level=0.0, threshold=NAN, window=None, stderr=None, relative=True):
    """Ask with one value for all rows, or one for each."""
    parameters = [*(limits or (NAN, NAN)), level, threshold, *(window or (NAN, NAN)), 0.0]
    return run(
        moments.moments,
        depth,
        value,
        *(np.broadcast_to(p, len(value)) for p in parameters),
        stderr=stderr,
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
    a, b = z[0], z[-1]
    if not math.isnan(threshold):
        top, limit = int(np.argmax(c)), threshold * c.max()
        if not c[top] > limit:
            return Status.NEVER_REACHED, None
        a, b = (cut_from(z, c, top, limit, level, by) for by in (-1, 1))
        if b == end:
            status = Status.TRUNCATED
    number = np.count_nonzero((z >= a) & (z <= b))
    if number < 3:
        return Status.NEVER_REACHED, None
    if number < 5 and status == Status.OK and not math.isnan(threshold):
        status = Status.UNDETERMINED
    x = np.concatenate([[a], z[(z > a) & (z < b)], [b]])

    def integral(samples):
        return np.trapezoid(np.interp(x, z, samples), x)

    total = integral(c)
    if not total > 0:
        return Status.BELOW_DETECTION, None
    mean = integral(z * c) / total
    second, third, fourth = (integral((z - mean) ** k * c) / total for k in (2, 3, 4))
    if not (second > 0 and a <= mean <= b):
        return Status.BELOW_DETECTION, None
    width = math.sqrt(second)
    return status, (total, mean, width, third / width**3, fourth / width**4, a, b)


def cut_from(z, c, top, limit, level, by):
    """Go from the maximum to the depth at which ln C crosses the limit."""
    high = top
    for k in range(top + by, z.size if by > 0 else -1, by):
        if c[k] > limit:
            high = k
        elif c[k] < limit:
            if abs(k - high) > 1:  # samples at the limit: at the shallowest
                return z[min(k, high) + 1]
            y0, y1, at = c[high] + level, c[k] + level, limit + level
            logs = y1 > 0 and at > 0
            t = math.log(y0 / at) / math.log(y0 / y1) if logs else (y0 - at) / (y0 - y1)
            return z[high] + t * (z[k] - z[high])
    return z[0] if by < 0 else z[-1]


def agree(found, depth, value, *limits, level=0.0, threshold=NAN):
    for row in range(len(value)):
        z, c = samples(depth, value, row)
        status, wanted = reference(z, c, *limits, level, threshold)
        if status == Status.OK and math.isnan(threshold):
            gap = 5.0 * np.ptp(z) / (z.size - 1)
            beyond = limits[0] < z[0] - gap or limits[1] > z[-1] + gap
            status = Status.TRUNCATED if beyond else status
        doubtful = wanted is not None and abs(c - level).max() * np.ptp(z) > 1e9 * wanted[0]
        # Of all in one sample, the straggle is nothing, or its rounding.
        inside = ~(z < limits[0]) & ~(z > limits[1])
        if doubtful or np.count_nonzero(c[inside] - level) == 1:
            continue  # whether anything is left is a matter of rounding
        assert found.status[row] == status
        got = [*found.value[row], found.start[row], found.stop[row]]
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


@pytest.mark.few(4)
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
        scale = 1e-11 if name in ("value", "stderr") else 0.0  # of the skewness
        np.testing.assert_allclose(one, other, rtol=1e-11, atol=scale, err_msg=name)
    # With errors, the ends of a run above a threshold are fitted.
    bare = ask(depth, value, *limits, **(options | {"stderr": None}))
    agree(bare, depth, value, *limits, level=options["level"], threshold=threshold)
    if math.isnan(threshold):
        np.testing.assert_array_equal(bare.value[:, [1, 2, 4]], found.value[:, [1, 2, 4]])
        np.testing.assert_array_equal(bare.status, found.status)
