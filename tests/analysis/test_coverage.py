"""Monte Carlo: intervals of 68 % contain the truth in 60-76 % of a thousand trials."""

import math

import numpy as np
import pytest
import xarray as xr
from counted import AMBIGUOUS, TOP, covered, edge, trials
from measured import number, one

import sims_analysis as sims
from sims_analysis.errors import collected

pytestmark = [
    pytest.mark.slow,
    pytest.mark.few(1),
    # Of a thousand edges, up to a hundredth.
    pytest.mark.filterwarnings("ignore:.*the edge is not exponential"),
]


@pytest.mark.parametrize("counts", [10, 100, 1000])
@pytest.mark.parametrize("step", [1.0, 3.0])
@pytest.mark.parametrize("per_decade", [3.0, 30.0])
def test_intervals_of_the_dose_cover_68_percent(counts, step, per_decade):
    shape, _ = edge(per_decade)
    z = np.arange(0, 200, step)
    found = sims.integrated_dose(trials(shape, z, counts))
    assert 0.60 <= covered(found, np.trapezoid(shape(z), z) * TOP * 1e-7) <= 0.76


@pytest.mark.parametrize("counts", [10, 100, 1000])
def test_intervals_of_a_dose_above_a_background_window_cover_68_percent(counts):
    shape, _ = edge(10.0)
    z = np.arange(0, 200, 2.0)
    found = sims.integrated_dose(
        trials(lambda z: shape(z) + 0.1, z, counts),
        stop="120 nm",
        background=("140 nm", "198 nm"),
    )
    inside = z <= 120
    truth = np.trapezoid(shape(z[inside]), z[inside]) * TOP * 1e-7
    assert 0.60 <= covered(found, truth) <= 0.76


@pytest.mark.parametrize("expected", [0.2, 0.5, 1.0, 1.5])
def test_intervals_of_a_dose_of_hardly_a_count_cover_at_least_68_percent(expected):
    # Of one interval for no count and others for one count and more, none covers exactly.
    z = np.arange(0, 40, 2.0)
    found = sims.integrated_dose(trials(np.ones_like, z, expected / z.size))
    assert covered(found, TOP * 38e-7) >= 0.68


@pytest.mark.parametrize("counts", [10, 100, 1000])
@pytest.mark.parametrize("step", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("per_decade", [3.0, 10.0, 30.0])
@pytest.mark.filterwarnings(AMBIGUOUS)
def test_intervals_of_the_junction_cover_68_percent(counts, step, per_decade):
    shape, decay = edge(per_decade)
    z = np.arange(0, 200, step)
    ds = trials(shape, z, counts)
    # Few counts where the samples are as far apart as the edge is long: rather too wide.
    starved = counts < 1000 and step > 1.5 * decay
    for part in (0.3, 0.1):
        found = sims.junction_depth(ds, level=f"{part * TOP} atoms/cm^3", after="peak")
        part_covered = covered(found, 60 - decay * math.log(part))
        assert 0.60 <= part_covered <= (0.90 if starved else 0.76), part
        assert float(found["stderr"].median()) < max(step, 3 * decay)


@pytest.mark.parametrize("counts", [10, 100, 1000])
@pytest.mark.parametrize("straggle", [10.0, 30.0])
@pytest.mark.filterwarnings("ignore:.*noise can make")
def test_intervals_of_the_junction_of_a_gaussian_cover_68_percent(counts, straggle):
    z = np.arange(0, 12 * straggle, 2.0)
    ds = trials(lambda z: np.exp(-((z - 5 * straggle) ** 2) / (2 * straggle**2)), z, counts)
    for part in (0.5, 0.1):
        depth = straggle * math.sqrt(-2 * math.log(part))
        ask = {"level": f"{part * TOP} atoms/cm^3"}
        found = sims.junction_depth(ds, **ask)
        known = found.notnull().values.reshape(-1)  # a peak of ten counts is hardly seen
        assert known.mean() > (0.8 if counts == 10 else 0.99)
        assert 0.60 <= covered(found[known], 5 * straggle + depth) <= 0.76, part
        if counts * part > 1:  # 14 samples without a count hardly differ from one count in each
            rising = sims.junction_depth(ds, **ask, edge="leading", which="first")
            assert 0.60 <= covered(rising[known], 5 * straggle - depth) <= 0.76, part


@pytest.mark.parametrize("step", [5.0, 10.0])
def test_curvature_is_included_where_it_exceeds_the_noise(step):
    # 30 nm of straggle, 10,000 counts: the error of the straight lines is part of the interval.
    def shape(z):
        return np.exp(-((z - 150) ** 2) / 1800)

    for phase in (0.2, 0.5, 0.8):
        z = np.arange(0, 300, step) + phase * step
        found = sims.junction_depth(trials(shape, z, 10_000), level=f"{0.4 * TOP} atoms/cm^3")
        assert 0.60 <= covered(found, 150 + 30 * math.sqrt(-2 * math.log(0.4))) <= 0.76


@pytest.mark.parametrize("counts", [30, 100, 1000])
def test_intervals_of_all_crossings_are_those_of_the_junction(counts):
    shape, _ = edge(10.0)
    ds = trials(shape, np.arange(0, 200, 2.0), counts)
    level = "2e19 atoms/cm^3"
    every = sims.crossings(ds, level=level).isel(crossing=0)
    chosen = sims.junction_depth(ds, level=level, edge="any", which=1)
    for name in ("stderr", "raw_crossing", "decay_length"):
        np.testing.assert_array_equal(every[name], chosen[name])


def dopants(z, own, counts, seed=3):
    """Give noisy boron of 30 nm about 40 nm and phosphorus of 50 nm about 130 nm."""
    rng = np.random.default_rng(seed)
    shapes = {
        "B": counts * np.exp(-((z - 40) ** 2) / 1800),
        "P": 0.5 * counts * np.exp(-((own - 130) ** 2) / 5000),
    }
    each = []
    for (species, mean), depth, value_per_count in zip(
        shapes.items(), (z, own), (1e18, 3e18), strict=True
    ):
        counted = rng.poisson(mean, (1000, 1, z.size)) * value_per_count
        ds = xr.Dataset(
            {"concentration": (("measurement", "species", "depth"), counted)},
            coords={"species": [species], "depth": ("depth", depth, {"units": "nm"})},
        )
        ds["concentration"].attrs["units"] = "atom/cm^3"
        each.append(
            sims.with_counting_statistics(ds, value_per_count=f"{value_per_count} atoms/cm^3")
        )
    # ln(N_A / N_D) is a parabola.
    a, b = 1 / 1800, 1 / 5000
    q = (b - a, 80 * a - 260 * b, 16900 * b - 1600 * a - math.log(1.5))
    truth = max(x for x in np.roots(q) if 40 < x < 130)
    return xr.concat(each, "species", join="outer"), truth


@pytest.mark.parametrize("counts", [30, 100, 1000])
@pytest.mark.parametrize("shift", [0.0, 0.9])
def test_intervals_of_a_metallurgical_junction_cover_68_percent(counts, shift):
    z = np.arange(0, 250, 2.0)
    ds, truth = dopants(z, z + shift, counts)
    found = sims.metallurgical_junctions(ds, acceptors=["B"], donors=["P"])
    last = found.where(found["polarity"] == "p->n")["depth"].argmax("junction")
    chosen = found.isel(junction=last)
    inside = abs(chosen["depth"] - truth) <= chosen["stderr"]
    assert 0.60 <= float(inside.mean()) <= 0.76


def test_the_error_of_a_clear_edge_is_that_of_the_notes():
    # 3 nm per decade, 100 counts at the level: 0.13 nm if both samples shared their noise.
    shape, _ = edge(3.0)
    z = np.arange(0, 200, 2.0)
    found = sims.junction_depth(trials(shape, z, 1000), level="1e19 atoms/cm^3", after="peak")
    assert float(found["stderr"].mean()) == pytest.approx(0.107, abs=0.02)
    assert float(found.std()) == pytest.approx(0.107, abs=0.02)


@pytest.mark.parametrize("counts", [30, 300])
def test_intervals_of_a_decay_length_cover_68_percent(counts):
    z = np.arange(0, 60, 2.0)
    ds = trials(lambda z: np.exp(-z / 20), z, counts)
    found = sims.decay_length(ds, stop="40 nm")
    length = found["decay_length"].assign_coords(stderr=found["stderr"])
    assert 0.60 <= covered(length, 20.0) <= 0.76


@pytest.mark.parametrize("counts", [10, 100, 1000])
@pytest.mark.parametrize("how", [{"window": ("140 nm", "200 nm")}, {"value": True}])
def test_counts_of_a_subtracted_background_scatter_still(counts, how):
    z = np.arange(0, 200, 2.0)
    ds = trials(lambda z: np.exp(-z / 15) + 0.1, z, counts)
    if "value" in how:
        how = {"value": f"{0.1 * TOP} atoms/cm^3"}
    ds = sims.subtract_background(ds, **how)
    with collected():  # noise of few counts may look like a surface transient
        found = sims.decay_length(ds, start="10 nm", stop="70 nm")
    length = found["decay_length"].assign_coords(stderr=found["stderr"])
    assert 0.60 <= covered(length, 15.0) <= 0.76
    assert float(found["reduced_chi_square"].median()) == pytest.approx(1, abs=0.1)
    near = sims.surface_concentration(ds, depth="30 nm", samples=9)
    assert 0.60 <= covered(near, TOP * math.exp(-2)) <= 0.76


@pytest.mark.parametrize("counts", [10, 30, 1000])
@pytest.mark.parametrize(("side", "length"), [("leading", 15.0), ("trailing", 7.5)])
def test_the_other_flank_is_not_part_of_an_edge(counts, side, length):
    def peak(z):
        return np.exp(-np.abs(z - 100) / np.where(z < 100, 15.0, 7.5))

    ds = trials(peak, np.arange(0, 200, 1.0), counts)
    levels = {"low": f"{0.05 * TOP} atoms/cm^3", "high": f"{0.6 * TOP} atoms/cm^3"}
    found = sims.decay_length(ds, **levels, edge=side)
    stated = found["decay_length"].assign_coords(stderr=found["stderr"])
    assert 0.60 <= covered(stated, length) <= 0.76


def half_gaussians(z):
    """Give half-Gaussians of 25 and 35 nm, joined at 100 nm."""
    return np.exp(-((z - 100) ** 2) / (2 * np.where(z < 100, 25.0, 35.0) ** 2))


def undisturbed(shape, z):
    """Give the profile without noise."""
    return one(z, shape(z) * TOP)


@pytest.mark.parametrize("counts", [10, 100, 1000])
def test_intervals_of_moments_cover_68_percent(counts):
    z = np.arange(0, 400, 2.0)
    found = sims.moments(trials(half_gaussians, z, counts))
    truth = sims.moments(undisturbed(half_gaussians, z))
    for name in ("dose", "projected_range", "straggle", "skewness", "kurtosis"):
        answer = found[name].assign_coords(stderr=found[f"{name}_stderr"])
        assert 0.60 <= covered(answer, number(truth[name])) <= 0.76, name


@pytest.mark.parametrize("threshold", [0.01, 0.05, 0.1])
def test_intervals_of_moments_above_a_threshold_cover_about_68_percent(threshold):
    z = np.arange(0, 400, 2.0)
    found = sims.moments(trials(half_gaussians, z, 1000), threshold=threshold)
    truth = sims.moments(undisturbed(half_gaussians, z), threshold=threshold)
    for name in ("dose", "projected_range", "straggle", "skewness", "kurtosis"):
        answer = found[name].assign_coords(stderr=found[f"{name}_stderr"])
        assert 0.58 <= covered(answer, number(truth[name])) <= 0.84, name


@pytest.mark.parametrize("counts", [100, 1000])
@pytest.mark.filterwarnings("ignore:.*the straggle is known to")
def test_intervals_of_moments_above_a_background_window_cover_68_percent(counts):
    z = np.arange(0, 400, 2.0)
    options = {"stop": "250 nm", "background": ("300 nm", "398 nm")}
    raised = [lambda z: half_gaussians(z) + 0.1, z]
    found = sims.moments(trials(*raised, counts), **options)
    truth = sims.moments(undisturbed(*raised), **options)
    for name in ("dose", "projected_range", "straggle", "skewness", "kurtosis"):
        answer = found[name].assign_coords(stderr=found[f"{name}_stderr"])
        assert 0.60 <= covered(answer, number(truth[name])) <= 0.76, name


@pytest.mark.parametrize("counts", [10, 100, 1000])
@pytest.mark.parametrize("rule", ["trapezoid", "loglinear"])
def test_intervals_of_a_containing_depth_cover_68_percent(counts, rule):
    z = np.arange(0, 400, 2.0)
    options = {"fraction": [0.1, 0.5, 0.9, 0.99], "rule": rule}
    found = sims.depth_at_dose_fraction(trials(half_gaussians, z, counts), **options)
    truth = sims.depth_at_dose_fraction(undisturbed(half_gaussians, z), **options)
    for i, depth in enumerate(truth.values.ravel()):
        assert 0.60 <= covered(found.isel(fraction=i), depth) <= 0.76, options["fraction"][i]


@pytest.mark.parametrize("method", ["linear", "log"])
@pytest.mark.parametrize("step", ["3 nm", "10 nm"])
def test_intervals_of_cells_cover_68_percent(method, step):
    z = np.arange(0, 400, 2.0)
    options = {"step": step, "conserve": "dose", "method": method}
    found = sims.to_grid(trials(half_gaussians, z, 10), **options)
    truth = sims.to_grid(undisturbed(half_gaussians, z), **options)["concentration"]
    expected = truth.values.ravel() / TOP * 10 * float(step.split()[0]) / 2
    off = abs(found["concentration"] - truth) <= found["concentration_stderr"]
    cover = off.mean(["measurement", "species"]).values.ravel()
    # Cell by cell, few counts make steps in it.
    few = (expected >= 2) & (expected < 5)
    assert 0.60 <= cover[few].mean() <= 0.76
    assert 0.60 <= cover[expected >= 5].mean() <= 0.76
    assert cover[expected < 2].mean() >= 0.60
    assert (found["concentration_stderr"] > 0).all()


def test_too_few_counts_on_one_side_of_a_depth_leave_no_interval():
    found = sims.depth_at_dose_fraction(
        trials(half_gaussians, np.arange(0, 400, 2.0), 1), fraction=[0.01, 0.5, 0.99, 1.0]
    )
    known = found["stderr"].notnull().mean(["measurement", "species"])
    assert known.values.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("counts", [10, 100, 1000])
@pytest.mark.parametrize("shift", [0.0, 0.7])
@pytest.mark.parametrize("method", ["log", "linear"])
@pytest.mark.filterwarnings(AMBIGUOUS)
def test_intervals_of_a_comparison_cover_68_percent(counts, shift, method):
    z = np.arange(20, 200, 2.0)

    def other(z):
        return 0.8 * half_gaussians(z - 3.0)

    a = trials(half_gaussians, z, counts, seed=1)
    b = trials(other, z + shift, counts, seed=2)
    options = {"method": method, "level": f"{0.3 * TOP} atoms/cm^3"}
    found = sims.compare(a, b, **options)
    truth = sims.compare(undisturbed(half_gaussians, z), undisturbed(other, z + shift), **options)
    enough = half_gaussians(z) * counts >= 5
    for name in ("ratio", "log_ratio", "dose_ratio", "junction_shift"):
        off = abs(found[name] - truth[name]) <= found[f"{name}_stderr"]
        if "depth" in off.dims:
            off = off.isel(depth=enough).where(found[name].isel(depth=enough).notnull())
        assert 0.60 <= float(off.mean()) <= 0.76, name
        assert found[f"{name}_stderr"].attrs.get("units") == found[name].attrs["units"]


def test_a_row_of_a_batch_has_the_same_error_alone():
    shape, _ = edge(10.0)
    ds = trials(shape, np.arange(0, 200, 2.0), 30)
    ask = {"level": "1e19 atoms/cm^3", "after": "peak", "which": 1}
    together = sims.junction_depth(ds, **ask)
    for row in (0, 7, 999):
        alone = sims.junction_depth(ds.isel(measurement=[row]), **ask)
        assert number(alone["stderr"]) == number(together["stderr"].isel(measurement=[row]))
    lazy = sims.junction_depth(ds.chunk({"measurement": 300}), **ask).compute()
    xr.testing.assert_identical(lazy, together)


@pytest.mark.parametrize("counts", [10, 100])
@pytest.mark.parametrize("ask", [{"edge": "leading"}, {"which": "first"}])
def test_the_other_flank_has_no_crossing_of_noise(counts, ask):
    def shape(z):
        return np.exp(-((z - 90) ** 2) / 1250)

    found = sims.junction_depth(
        trials(shape, np.arange(0, 200, 1.0), counts), level=f"{0.3 * TOP} atoms/cm^3", **ask
    )
    far = 25 * math.sqrt(-2 * math.log(0.3))
    truth = 90 - far if "edge" in ask else 90 + far
    assert found.notnull().all()
    assert (abs(found - truth) < far).all()
    assert 0.60 <= covered(found, truth) <= 0.76


def box(z):
    """A plateau with soft edges."""
    return 1 / (1 + np.exp(-(z - 60) / 3)) / (1 + np.exp((z - 140) / 3))


@pytest.mark.study
@pytest.mark.filterwarnings("ignore:.*samples beside the width")
@pytest.mark.parametrize("shape", [half_gaussians, box])
@pytest.mark.parametrize("counts", [10, 100, 1000])
@pytest.mark.parametrize("state", ["plain", "grid", "background"])
def test_intervals_of_maxima_hold_the_maximum(shape, counts, state):
    ds = trials(lambda z: shape(z) + 0.1 * (state == "background"), np.arange(0, 400, 2.0), counts)
    if state == "grid":
        ds = sims.to_grid(ds, step="0.5 nm")
    if state == "background":
        ds = sims.subtract_background(ds, window=("300 nm", "398 nm"))
    found = sims.peak(ds)
    within = abs(found["concentration"] - TOP) <= found["concentration_stderr"]
    assert 0.57 <= float(within.mean()) <= 0.78
    # Noise has chosen the sample: its own error holds the maximum in a quarter of the cases.
    assert float((found["concentration"] > TOP).mean()) > 0.9


def test_without_errors_of_its_samples_a_crossing_has_none():
    shape, _ = edge(10.0)
    both = xr.concat([trials(shape, np.arange(0, 200, 2.0), 100)] * 2, "species")
    both = both.assign_coords(species=["B", "P"]).isel(measurement=slice(3))
    known = both["concentration_stderr"]["species"] == "B"
    both["concentration_stderr"] = both["concentration_stderr"].where(known)
    level = "2e19 atoms/cm^3"
    for found in (
        sims.junction_depth(both, level=level, after="peak", which=1),
        sims.crossings(both, level=level, max_count=1).isel(crossing=0),
    ):
        stated = found["stderr"].notnull()
        assert stated.sel(species="B").all()
        assert not stated.sel(species="P").any()
    found = sims.metallurgical_junctions(both, donors=["P"], background="-1e19 atoms/cm^3")
    assert found["depth"].notnull().any()
    assert found["stderr"].isnull().all()


def test_a_junction_as_low_as_a_subtracted_background_is_that_of_its_edge():
    # The deepest crossing lies 40 nm and more too deep.
    counts, under = 100, 0.05
    rng = np.random.default_rng(1)
    z = np.arange(0, 320, 1.3) + rng.uniform(0, 1.3, (400, 1))
    shape = np.exp(-(np.log(np.maximum(z, 1e-9) / 90) ** 2) / (2 * 0.3**2))
    k = rng.poisson((shape + under) * counts) / counts
    ds = xr.Dataset(
        {"concentration": (("measurement", "point"), k * TOP, {"units": "atom/cm^3"})},
        coords={"depth": (("measurement", "point"), z, {"units": "nm"})},
    )
    ds = sims.with_counting_statistics(ds, value_per_count=f"{TOP / counts} atoms/cm^3")
    ds = sims.subtract_background(ds, window=("270 nm", "320 nm"))
    found = sims.junction_depth(ds, level=f"{under * TOP} atoms/cm^3", after="peak")
    edge = 90 * np.exp(0.3 * np.sqrt(-2 * np.log(under)))
    assert found["stderr"].notnull().all()
    assert 0.62 < (abs(found - edge) <= found["stderr"]).mean().item() < 0.80
