"""Monte Carlo: how often intervals of 68 % contain the truth.

Every question of `benchmarks/coverage.py`, which makes the page of measured coverages, and cases
that it does not ask: hardly a count, curved edges, other flanks, few counts on one side.
"""

import math
from itertools import takewhile

import numpy as np
import pytest
import xarray as xr
from counted_trials import TOP, covered, edge, trials
from measurement_layouts import one
from scipy.special import ndtr

import sims_analysis as sims
from benchmarks import coverage
from sims_analysis.errors import collected

pytestmark = [
    pytest.mark.slow,
    # Of a thousand edges, or windows, up to a hundredth.
    pytest.mark.filterwarnings("ignore:.*the edge is not exponential"),
    pytest.mark.filterwarnings("ignore:.*in the background window, more than its noise"),
]

#: Those of analyses; the others have tests of their errors in their own rooms.
ELSEWHERE = ("splice", "sheet", "interface", "average", "ratio", "layers")
BEFORE_FITS = takewhile(lambda q: not q.slow, coverage.questions())
QUESTIONS = [q.name for q in BEFORE_FITS if not q.name.startswith(ELSEWHERE)]


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("name", QUESTIONS)
def test_intervals_cover_about_68_percent_whatever_was_done_to_the_data(name):
    cells = [
        cell
        for cell in coverage.measure(200, only=name, counts=(100,))
        if cell.question == name and cell.part > 0.5
    ]
    assert cells
    for cell in cells:  # of 200 trials, three standard deviations are 10 %
        assert 0.50 < cell.share < 0.90, (cell.answer, cell.state)


@pytest.mark.few(1)
@pytest.mark.filterwarnings("ignore:.*ends inside the profile")  # which is constant: it does
@pytest.mark.parametrize("expected", [0.2, 0.5, 1.0, 1.5])
def test_intervals_of_a_dose_of_hardly_a_count_cover_at_least_68_percent(expected):
    # Of one interval for no count and others for one count and more, none covers exactly.
    z = np.arange(0, 40, 2.0)
    found = sims.integrated_dose(trials(np.ones_like, z, expected / z.size))
    assert covered(found, TOP * 38e-7) >= 0.68


@pytest.mark.few(1)
@pytest.mark.parametrize("step", [5.0, 10.0])
def test_curvature_is_included_where_it_exceeds_the_noise(step):
    # 30 nm of straggle, 10,000 counts: the error of the straight lines is part of the interval. It
    # is what a kink would hide, and of a smooth curve in steps of 10 nm 15 % too large: 76 to 79 %.
    def shape(z):
        return np.exp(-((z - 150) ** 2) / 1800)

    for phase in (0.2, 0.5, 0.8):
        z = np.arange(0, 300, step) + phase * step
        found = sims.junction_depth(trials(shape, z, 10_000), level=f"{0.4 * TOP} atoms/cm^3")
        assert 0.60 <= covered(found, 150 + 30 * math.sqrt(-2 * math.log(0.4))) <= 0.80


def test_the_error_of_a_clear_edge_is_that_of_the_notes():
    # 3 nm per decade, 100 counts at the level: 0.13 nm if both samples shared their noise.
    shape, _ = edge(3.0)
    z = np.arange(0, 200, 2.0)
    found = sims.junction_depth(trials(shape, z, 1000), level="1e19 atoms/cm^3", after="peak")
    assert 0.09 <= float(found["stderr"].mean()) <= 0.14  # and a kink that may lie between them
    assert float(found.std()) == pytest.approx(0.107, abs=0.02)


@pytest.mark.few(1)
def test_errors_hold_kinks_at_the_level_and_edges_within_a_step():
    def kink(z):
        return 0.1 * np.exp((60 - z) / np.where(z < 60, 40.0, 10.0))

    def step(z):
        return 0.2 * ndtr((60 - z) / 0.6)

    for shape, most in ((kink, 0.77), (step, 0.95)):
        shares = []
        for phase in np.arange(0, 2, 0.5):
            ds = trials(shape, np.arange(20 + phase, 120, 2.0), 10_000)
            found = sims.junction_depth(ds, level=f"{0.1 * TOP} atoms/cm^3")
            shares.append(covered(found, 60.0))
        assert 0.59 <= np.mean(shares) <= most


@pytest.mark.few(1)
@pytest.mark.filterwarnings("ignore:.*window is too short, or too far away")  # of 60 nm: it is
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


@pytest.mark.few(1)
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


@pytest.mark.few(1)
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


@pytest.mark.few(1)
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


@pytest.mark.filterwarnings("ignore:.*window is too short, or too far away")
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
