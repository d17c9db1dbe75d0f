"""Counting statistics: from counts to standard errors, and whether these cover the truth."""

import math

import numpy as np
import pytest
import xarray as xr
from measured import measurement, number, one

import sims_analysis as sims
from sims_analysis.errors import AmbiguousJunctionWarning, ProfileError, SpeciesError, UnitsError

# --- intervals ----------------------------------------------------------------------------------


def test_garwood_intervals_of_few_counts():
    lower, upper = sims.poisson_interval([0, 1, 5])
    np.testing.assert_allclose(lower, [0, 0.17, 2.84], atol=0.005)
    np.testing.assert_allclose(upper, [1.84, 3.30, 8.38], atol=0.005)
    assert sims.poisson_interval(0, confidence=0.95)[1] == pytest.approx(3.689, abs=1e-3)


def test_zero_counts_have_an_upper_limit_of_three_at_95_percent_one_sided():
    assert sims.poisson_interval(0, confidence=0.9)[1] == pytest.approx(-math.log(0.05))


@pytest.mark.parametrize("mean", [0.7, 3.0, 12.5, 400.0])
def test_intervals_cover_at_least_what_they_state(mean):
    from scipy.stats import poisson

    k = np.arange(int(mean + 12 * math.sqrt(mean) + 12))
    lower, upper = sims.poisson_interval(k)
    covered = poisson.pmf(k, mean)[(lower <= mean) & (mean <= upper)].sum()
    assert covered >= 0.6826


@pytest.mark.parametrize("bad", [{"counts": -1}, {"counts": 1, "confidence": 1.0}])
def test_intervals_of_nonsense_are_refused(bad):
    with pytest.raises(ProfileError):
        sims.poisson_interval(bad.pop("counts"), **bad)


@pytest.mark.parametrize("bad", ["3", None, [1, "a"], True, [[1], [2, 3]]])
def test_what_is_no_number_of_counts_is_said(bad):
    with pytest.raises(ProfileError, match="counts="):
        sims.poisson_interval(bad)
    with pytest.raises(ProfileError, match="confidence="):
        sims.poisson_interval(3, confidence=str(bad))


# --- counts and standard errors -----------------------------------------------------------------


def test_counts_from_a_known_value_of_one_count():
    ds = sims.with_counting_statistics(one([0, 1, 2], [0, 4e16, 1e18]), one_count="1e22 at/m^3")
    np.testing.assert_allclose(ds["concentration_counts"][0], [0, 4, 100])
    np.testing.assert_allclose(
        ds["concentration_stderr"][0], [1e16 * -math.log(0.15865525393145707) / 2, 2e16, 1e17]
    )
    assert ds["concentration_stderr"].attrs["units"] == "atom/cm^3"
    assert ds["concentration_counts"].attrs["units"] == "count"


def test_counts_from_a_rate_and_the_dwell_time():
    ds = one([0, 1], [10, 1000], units="counts/s").rename(concentration="intensity")
    found = sims.with_counting_statistics(ds, dwell_time="0.5 s")
    np.testing.assert_allclose(found["intensity_counts"][0], [5, 500])
    np.testing.assert_allclose(
        found["intensity_stderr"][0], [10 / math.sqrt(5), 1000 / math.sqrt(500)]
    )


def test_intensities_in_counts_need_nothing_more():
    ds = one([0, 1], [9, 16], units="counts").rename(concentration="intensity")
    found = sims.with_counting_statistics(ds)
    np.testing.assert_allclose(found["intensity_stderr"][0], [3, 4])


def test_a_mapping_gives_each_species_its_own_and_leaves_others_out():
    ds = measurement([0, 1], {"B": [1e16, 4e16], "P": [1e16, 4e16]})
    found = sims.with_counting_statistics(ds, one_count={"B": "1e16 atoms/cm^3"})
    assert found["concentration_stderr"].sel(species="B").notnull().all()
    assert found["concentration_stderr"].sel(species="P").isnull().all()
    with pytest.raises(SpeciesError, match=r"'As'.*'B', 'P'"):
        sims.with_counting_statistics(ds, one_count={"As": "1e16 atoms/cm^3"})


@pytest.mark.parametrize("bad", [{"one_count": 1e16}, {"one_count": "1 nm"}, {}])
def test_what_is_not_known_is_said(bad):
    with pytest.raises(UnitsError, match="one_count"):
        sims.with_counting_statistics(one([0, 1], [1e16, 1e16]), **bad)


@pytest.mark.parametrize("value", ["0 atoms/cm^3", "-1e16 atoms/cm^3"])
def test_the_value_of_a_count_is_positive(value):
    with pytest.raises(ProfileError, match="one_count"):
        sims.with_counting_statistics(one([0, 1], [1e16, 1e16]), one_count=value)


def test_negative_values_are_no_counts():
    with pytest.raises(ProfileError, match=r"'B'.*negative"):
        sims.with_counting_statistics(one([0, 1], [1e16, -1e16]), one_count="1e16 at/cm3")


# --- Monte Carlo --------------------------------------------------------------------------------

TRIALS = 1000
TOP = 1e20


def trials(shape, depth, counts, seed=0):
    """Count a profile a thousand times; `counts` is the number expected at its maximum."""
    rng = np.random.default_rng(seed)
    one_count = TOP / counts
    k = rng.poisson(shape(depth) * counts, (TRIALS, 1, depth.size))
    ds = xr.Dataset(
        {"concentration": (("measurement", "species", "depth"), k * one_count, {"units": "1/cm3"})},
        coords={
            "measurement": np.arange(TRIALS),
            "species": ["B"],
            "depth": ("depth", depth, {"units": "nm"}),
        },
    )
    return sims.with_counting_statistics(ds, one_count=f"{one_count} atoms/cm^3")


def covered(found, truth):
    """Part of the trials whose stated interval holds the truth."""
    return float((abs(found - truth) <= found["stderr"]).mean())


def edge(per_decade):
    """Give a Gaussian leading edge joined at 60 nm to an exponential trailing edge."""
    decay = per_decade / math.log(10)

    def shape(z):
        return np.where(z < 60, np.exp(-((z - 60) ** 2) / 450), np.exp(-(z - 60) / decay))

    return shape, decay


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


AMBIGUOUS = "ignore::sims_analysis.errors.AmbiguousJunctionWarning"


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
@pytest.mark.filterwarnings(AMBIGUOUS)
def test_intervals_of_the_junction_of_a_gaussian_cover_68_percent(counts, straggle):
    z = np.arange(0, 12 * straggle, 2.0)
    ds = trials(lambda z: np.exp(-((z - 5 * straggle) ** 2) / (2 * straggle**2)), z, counts)
    for part in (0.5, 0.1):
        depth = straggle * math.sqrt(-2 * math.log(part))
        ask = {"level": f"{part * TOP} atoms/cm^3"}
        found = sims.junction_depth(ds, **ask)
        assert 0.60 <= covered(found, 5 * straggle + depth) <= 0.76, part
        rising = sims.junction_depth(ds, **ask, edge="leading", which="first")
        assert 0.60 <= covered(rising, 5 * straggle - depth) <= 0.76, part


@pytest.mark.parametrize("step", [5.0, 10.0])
def test_a_curved_profile_is_farther_from_its_chords_than_its_noise(step):
    # 30 nm of straggle, 10,000 counts: the error of the straight lines is part of the interval.
    def shape(z):
        return np.exp(-((z - 150) ** 2) / 1800)

    for phase in (0.2, 0.5, 0.8):
        z = np.arange(0, 300, step) + phase * step
        found = sims.junction_depth(trials(shape, z, 10_000), level=f"{0.4 * TOP} atoms/cm^3")
        assert 0.60 <= covered(found, 150 + 30 * math.sqrt(-2 * math.log(0.4))) <= 0.76


@pytest.mark.parametrize("counts", [10, 100, 1000])
def test_intervals_of_all_crossings_are_those_of_the_junction(counts):
    shape, _ = edge(10.0)
    ds = trials(shape, np.arange(0, 200, 2.0), counts)
    level = "2e19 atoms/cm^3"
    every = sims.crossings(ds, level=level)
    for which in (1, 2):
        chosen = sims.junction_depth(ds, level=level, edge="any", which=which)
        np.testing.assert_array_equal(every["stderr"][..., which - 1], chosen["stderr"])


def dopants(z, own, counts, seed=3):
    """Give noisy boron of 30 nm about 40 nm and phosphorus of 50 nm about 130 nm."""
    rng = np.random.default_rng(seed)
    shapes = {
        "B": counts * np.exp(-((z - 40) ** 2) / 1800),
        "P": 0.5 * counts * np.exp(-((own - 130) ** 2) / 5000),
    }
    each = []
    for (species, mean), depth, one_count in zip(
        shapes.items(), (z, own), (1e18, 3e18), strict=True
    ):
        counted = rng.poisson(mean, (1000, 1, z.size)) * one_count
        ds = xr.Dataset(
            {"concentration": (("measurement", "species", "depth"), counted)},
            coords={"species": [species], "depth": ("depth", depth, {"units": "nm"})},
        )
        ds["concentration"].attrs["units"] = "atom/cm^3"
        each.append(sims.with_counting_statistics(ds, one_count=f"{one_count} atoms/cm^3"))
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


@pytest.mark.parametrize("counts", [10, 30, 1000])
@pytest.mark.parametrize(("side", "length"), [("leading", 15.0), ("trailing", 7.5)])
def test_the_other_flank_is_no_part_of_an_edge(counts, side, length):
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


@pytest.mark.parametrize("counts", [100, 1000])
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
    found = sims.containing_depth(trials(half_gaussians, z, counts), **options)
    truth = sims.containing_depth(undisturbed(half_gaussians, z), **options)
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
    found = sims.containing_depth(
        trials(half_gaussians, np.arange(0, 400, 2.0), 1), fraction=[0.01, 0.5, 0.99, 1.0]
    )
    known = found["stderr"].notnull().mean(["measurement", "species"])
    assert known.values.tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("counts", [10, 100, 1000])
@pytest.mark.parametrize("shift", [0.0, 0.7])
@pytest.mark.parametrize("method", ["log", "linear"])
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.AmbiguousJunctionWarning")
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
        # At three counts noise pushes both crossings the same way: the shift feels less of it.
        most = 0.95 if name == "junction_shift" and counts == 10 else 0.76
        assert 0.60 <= float(off.mean()) <= most, name
        assert found[f"{name}_stderr"].attrs.get("units") == found[name].attrs["units"]


def test_a_row_of_a_batch_has_the_error_that_it_has_alone():
    shape, _ = edge(10.0)
    ds = trials(shape, np.arange(0, 200, 2.0), 30)
    ask = {"level": "1e19 atoms/cm^3", "after": "peak", "which": 1}
    together = sims.junction_depth(ds, **ask)
    for row in (0, 7, 999):
        alone = sims.junction_depth(ds.isel(measurement=[row]), **ask)
        assert number(alone["stderr"]) == number(together["stderr"].isel(measurement=[row]))
    lazy = sims.junction_depth(ds.chunk({"measurement": 300}), **ask).compute()
    xr.testing.assert_identical(lazy, together)


def test_an_edge_between_two_samples_is_known_to_about_their_distance():
    ds = one(10.0 * np.arange(8), [1e19] * 4 + [0.0] * 4)
    ds = sims.with_counting_statistics(ds, one_count="1e18 atoms/cm^3")
    found = sims.junction_depth(ds, level="5e18 atoms/cm^3")
    assert number(found) == pytest.approx(35)
    # Anywhere in the 10 nm between them: 68 % of these are 6.8 nm, or 3.4 to either side.
    assert 3.4 <= number(found["stderr"]) <= 5.0


def test_many_crossings_of_one_edge_warn():
    shape, _ = edge(30.0)
    with pytest.warns(AmbiguousJunctionWarning, match="more with several"):
        sims.junction_depth(trials(shape, np.arange(0, 200, 1.0), 10), level="3e19 atoms/cm^3")


def test_the_counts_beside_an_intensity_are_not_another_measurement():
    ds = sims.open_example("gan-mg-stack")
    counted = sims.with_counting_statistics(ds, dwell_time={"Ga->": "1 s"})
    assert "intensity_counts" in counted
    names = [profile.species_name for profile in sims.to_profiles(counted)]
    assert names == ds["species"].values.tolist()


def test_what_one_count_stands_for_is_on_record():
    ds = sims.with_counting_statistics(
        sims.open_example("boron-implant"), one_count={"B": "1e14 atoms/cm^3"}
    )
    assert ds.attrs["history"].endswith(
        "with_counting_statistics(one_count={'B': '1e14 atoms/cm^3'})"
    )
