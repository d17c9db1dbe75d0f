"""Batches of profiles for property tests: gaps, zeros, ties, negatives, samples on the level."""

import numpy as np
from hypothesis import strategies as st

from sims_analysis.kernels import blocks

LEVEL = 1e18


def columns(depth, value, **more):
    """Return samples as kernels take them, by name."""
    return {"depth": depth, "value": value} | {k: v for k, v in more.items() if v is not None}


def run(kernel, depth, value, *parameters, stderr=None, counts=None, fraction=None, **options):
    """Run a kernel over profiles, and return its answer."""
    samples = columns(depth, value, stderr=stderr, counts=counts, fraction=fraction)
    return blocks.run(kernel, samples, *parameters, **options)[0]


#: Values that meet the corners of the kernels, and ordinary ones.
_CORNERS = st.sampled_from([np.nan, 0.0, -1e17, LEVEL, LEVEL, 2e18, 2e18, 5e17, 1e15, 1e20])
_VALUES = st.one_of(_CORNERS, st.floats(1e14, 1e21))


@st.composite
def batches(draw, *, own=None, min_n=1, max_n=9, max_rows=4, values=_VALUES):
    """Draw (depth, value): a shared axis ``(n,)``, or own axes ``(rows, n)`` padded with NaN."""
    rows = draw(st.integers(1, max_rows))
    n = draw(st.integers(min_n, max_n))
    value = np.array(draw(st.lists(values, min_size=rows * n, max_size=rows * n)))
    value = value.reshape(rows, n)
    if draw(st.booleans()) if own is None else own:
        depth = np.array([_axis(draw, n) for _ in range(rows)])
        for row in range(rows):
            depth[row, n - draw(st.integers(0, n)) :] = np.nan
    else:
        depth = _axis(draw, n)
    return depth, value


def _axis(draw, n):
    steps = draw(st.lists(st.sampled_from([0.25, 1.0, 3.0, 7.0]), min_size=n, max_size=n))
    return draw(st.sampled_from([-2.0, 0.0, 0.3])) + np.cumsum(steps)


#: Limits and depths: on samples, between them, beyond them.
depths = st.sampled_from([-5.0, -1.75, 0.0, 0.3, 1.0, 2.5, 4.0, 7.3, 11.0, 100.0])


def samples(depth, value, row):
    """Give the measured samples of a row."""
    z = depth if depth.ndim == 1 else depth[row]
    measured = ~(np.isnan(z) | np.isnan(value[row]))
    return z[measured], value[row, measured]


def realistic(rows, n, seed=0, *, gaps=0.01):
    """Make implants on ``n`` depths, with noise, zeros at depth, ties and gaps."""
    rng = np.random.default_rng(seed)
    depth = np.linspace(0.0, 600.0, n)
    rp = rng.uniform(80, 160, (rows, 1))
    width = rng.uniform(25, 40, (rows, 1))
    clean = 1e20 * np.exp(-(((depth - rp) / width) ** 2) / 2)
    counts = rng.poisson(np.minimum(clean / 1e15, 1e6)).astype(float)
    value = counts * 1e15
    value[rng.random(value.shape) < gaps] = np.nan
    return depth, value
