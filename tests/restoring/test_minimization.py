"""The minimum of a restored profile, against dense and direct computations."""

import numpy as np
import pytest
from scipy import optimize, special

from sims_analysis.fitting.objectives import Poisson
from sims_analysis.restoring import minimization

RNG = np.random.default_rng(7)


def problem(seed=0, n=24, m=30, top=300.0):
    rng = np.random.default_rng(seed)
    x = np.arange(m) * 0.7
    z = x[3 : 3 + n]
    matrix = np.exp(-0.5 * ((z[:, None] - x) / 1.5) ** 2)
    matrix /= matrix.sum(axis=1, keepdims=True)
    truth = top * np.exp(-0.5 * ((x - 10) / 2.5) ** 2) + 3
    counts = rng.poisson(matrix @ truth).astype(float)
    misfit = Poisson(counts, np.ones(n), np.zeros(n))
    return x, minimization.Response(matrix), misfit, np.log(truth)


def dense(prior, m):
    """Return the changes of u as a matrix."""
    return np.stack([prior.changes(row) for row in np.eye(m)], axis=1)


def likelihood(counts, mu):
    return np.sum(mu - counts + special.xlogy(counts, np.where(counts > 0, counts, 1) / mu))


@pytest.mark.slow
@pytest.mark.few(2)
@pytest.mark.parametrize("strength", [0.5, 3.0])
@pytest.mark.parametrize("kind", ["curvature", "steps"])
def test_the_minimum_is_that_of_a_direct_search(kind, strength):
    x, response, misfit, u0 = problem()
    prior = minimization.curvature(x, 3.5) if kind == "curvature" else minimization.steps(x)
    changes = dense(prior, x.size)

    def objective(u):
        k = changes @ u
        if kind == "curvature":
            cost = 0.6 * np.sum(np.log1p((strength * k) ** 2))
        else:
            cost = strength * np.sum(np.hypot(k, 1e-2) - 1e-2)
        return likelihood(misfit.counts, response.matrix @ np.exp(u)) + cost

    found = minimization.minimum(minimization.Unknowns(response, misfit, prior), strength, u0)
    assert found.converged
    assert found.value == pytest.approx(objective(found.u), rel=1e-12)
    direct = optimize.minimize(objective, found.u, method="L-BFGS-B", options={"maxfun": 200_000})
    assert found.value - direct.fun < 2e-3
    np.testing.assert_allclose(found.m, response.matrix @ np.exp(direct.x), rtol=3e-2)


def test_changes_of_slope_are_those_of_exponentials_and_kinks():
    x = np.cumsum(RNG.uniform(0.5, 1.5, 40))
    prior = minimization.curvature(x, 3.0)
    np.testing.assert_allclose(prior.changes(-2.5 * x + 4), 0.0, atol=1e-11)
    # A kink of slope 1 at a cell: over its width, times the square of the scale.
    kink = prior.changes(np.abs(x - x[20]) / 2)
    assert np.flatnonzero(np.abs(kink) > 1e-9).tolist() == [19]
    assert kink[19] == pytest.approx(9.0 / ((x[21] - x[19]) / 2))


@pytest.mark.parametrize("kind", ["curvature", "steps"])
def test_the_evidence_is_that_of_a_dense_determinant(kind):
    x, response, misfit, u0 = problem(1)
    prior = minimization.curvature(x, 3.5) if kind == "curvature" else minimization.steps(x)
    changes = dense(prior, x.size)
    strengths = [0.03, 0.3, 3.0]
    found_evidence, expected = [], []
    for strength in strengths:
        found = minimization.minimum(minimization.Unknowns(response, misfit, prior), strength, u0)
        values = np.exp(found.u)
        mu = response.matrix @ values
        gain = values * (response.matrix.T @ (1 - misfit.counts / mu))
        k = changes @ found.u
        if kind == "curvature":
            weight = 1.2 * strength**2 / (1 + (strength * k) ** 2)
            prior_cost = 0.6 * np.sum(np.log1p((strength * k) ** 2))
        else:
            weight = strength / np.hypot(k, 1e-2)
            prior_cost = strength * np.sum(np.hypot(k, 1e-2) - 1e-2)
        fisher = (response.matrix * values).T @ np.diag(1 / mu) @ (response.matrix * values)
        curvature = fisher + np.diag(np.maximum(gain, 0)) + changes.T @ np.diag(weight) @ changes
        cost = likelihood(misfit.counts, mu) + prior_cost
        half = 0.5 * np.linalg.slogdet(curvature)[1]
        expected.append(k.size * np.log(strength) - cost - half)
        found_evidence.append(found.evidence)
    np.testing.assert_allclose(np.diff(found_evidence), np.diff(expected), rtol=1e-3, atol=1e-3)


def test_the_curvature_is_that_of_the_whole_matrix():
    _, response, _, u0 = problem(2, n=70, m=120)
    x, weight = np.exp(u0), RNG.uniform(0.1, 2, 70)
    seen = response.matrix * x
    whole = seen.T @ (weight[:, None] * seen)
    band = response.curvature(x, weight)
    for d, diagonal in enumerate(band):
        expected = np.diag(whole, d)
        scale = np.sqrt(np.diag(whole)[: whole.shape[0] - d] * np.diag(whole)[d:])
        # Of cells that some sample sees.
        seen_by = slice(0, 75 - d)
        off = np.abs(diagonal[: expected.size] - expected)
        assert (off <= 5e-3 * scale)[seen_by].all()
        assert (diagonal[expected.size :] == 0).all()


def test_cells_without_counts_are_emptied():
    """The expected curvature alone would take thousands of steps."""
    x, response, misfit, u0 = problem(3)
    counts = np.where(np.arange(24) > 12, 0.0, misfit.counts)
    none = Poisson(counts, np.ones(24), np.zeros(24))
    found = minimization.minimum(
        minimization.Unknowns(response, none, minimization.curvature(x, 3.5)), 0.1, u0
    )
    assert found.converged
    assert np.exp(found.u[22:]).max() < 1e-2


def test_of_several_minima_that_of_the_largest_evidence_is_taken():
    x, response, misfit, u0 = problem(4)
    prior, strengths = minimization.curvature(x, 3.5), 10.0 ** np.arange(-2, 2.1, 0.5)
    unknowns = minimization.Unknowns(response, misfit, prior)
    best = minimization.by_evidence(unknowns, strengths, u0, lambda _: False)
    for strength in strengths:
        one = minimization.of_strength(unknowns, strengths[strengths <= strength], u0)
        assert one.strength == strength
        assert best.evidence >= one.evidence - 1e-9
    weakest = minimization.by_evidence(unknowns, strengths, u0, lambda _: True)
    assert weakest.strength == strengths[0], "others could do no better"


@pytest.mark.parametrize("strength", [0.3, 2.0])
def test_slopes_and_curvatures_are_derivatives_of_the_costs(strength):
    x, h = np.arange(6.0), 1e-5
    curvature, steps = minimization.curvature(x, 2.0), minimization.steps(x)
    for prior in (curvature, steps, minimization.parabola(curvature)):
        for k in (-3.0, -0.4, 0.0, 0.02, 1.5):
            here, up, down = (prior.costs(np.array([k + d]), strength) for d in (0, h, -h))
            assert here.slope[0] == pytest.approx((up.value - down.value) / (2 * h), abs=1e-6)
            numeric = (up.slope[0] - down.slope[0]) / (2 * h)
            assert here.curvature[0] == pytest.approx(numeric, rel=1e-5, abs=1e-6)
            # The parabola with the same slope here lies above.
            for other in (-5.0, -1.0, 0.3, 4.0):
                there = prior.costs(np.array([other]), strength).value
                above = here.value + 0.5 * here.above[0] * (other**2 - k**2)
                assert there <= above + 1e-12
    # Small changes cost the same by the parabola.
    small = np.array([1e-4])
    assert minimization.parabola(curvature).costs(small, strength).value == pytest.approx(
        curvature.costs(small, strength).value, rel=1e-6
    )


def test_a_background_is_not_spread():
    x, response, misfit, u0 = problem(5)
    unknowns = minimization.Unknowns(response, misfit, minimization.steps(x), offset=7.0)
    there = unknowns.at(u0, 1.0)
    np.testing.assert_allclose(there.m, 7.0 + response.matrix @ np.exp(u0), rtol=1e-14)
    cost = np.sum(np.hypot(np.diff(u0), 1e-2) - 1e-2)
    assert there.value == pytest.approx(0.5 * misfit.cost(there.m) + cost, rel=1e-12)
    found = minimization.minimum(unknowns, 1.0, u0)
    assert found.misfit == pytest.approx(likelihood(misfit.counts, found.m), rel=1e-9)


def test_a_relaxed_prior_is_a_parabola_with_the_curvature_of_the_neighbours():
    def near(weight):
        return np.full_like(weight, weight.mean())

    x, response, misfit, u0 = problem(6, n=12, m=17)
    prior = minimization.curvature(x, 3.5)
    unknowns = minimization.Unknowns(response, misfit, prior)
    found = minimization.minimum(unknowns, 1.0, u0)
    changes = dense(prior, x.size)
    weight = 1 / near((1 + (changes @ found.u) ** 2) / 1.2)
    relaxed = minimization.relaxed(unknowns, found, near)
    assert (relaxed.converged, relaxed.strength) == (True, 1.0)

    def objective(u):
        k = changes @ u
        return likelihood(misfit.counts, response.matrix @ np.exp(u)) + 0.5 * weight @ (k * k)

    assert relaxed.value == pytest.approx(objective(relaxed.u), rel=1e-12)
    direct = optimize.minimize(objective, relaxed.u, method="L-BFGS-B", options={"maxfun": 200_000})
    assert relaxed.value - direct.fun < 2e-3
