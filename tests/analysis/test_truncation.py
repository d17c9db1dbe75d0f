"""Doses of whole records that end inside of an implant are truncated, and no others are."""

import numpy as np
import pytest
import xarray as xr
from count_rates import timed
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import DoseWarning, ProfileError

DOSE = "1e15 atoms/cm^2"


def implant(end, *, peak=1e4, floor=0.0, seed=0, trials=1):
    """Count implants of a range of 100 nm and a straggle of 30 nm, over records that end."""
    z = np.arange(0.0, end, 2.0)
    rate = peak * np.exp(-0.5 * ((z - 100) / 30) ** 2) + floor
    k = np.random.default_rng(seed).poisson(rate, (trials, z.size))
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), k * 1e15, {"units": "cm^-3"})},
        {"species": [f"s{i}" for i in range(trials)], "depth": ("depth", z, {"units": "nm"})},
    )
    return sims.with_counting_statistics(ds, value_per_count="1e15 cm^-3")


def status(found):
    return set(np.ravel(found["status"].values).tolist())


@pytest.mark.few(2, 6)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.DoseWarning")
@pytest.mark.parametrize("floor", [0.0, 3.0])
@pytest.mark.parametrize("end", [60, 80, 100, 120, 140])
def test_records_that_end_inside_are_truncated(end, floor):
    ds = implant(end, floor=floor, trials=8)
    assert status(sims.integrated_dose(ds)) == {"truncated"}
    assert status(sims.dose_budget(ds)) == {"truncated"}
    assert status(sims.depth_at_dose_fraction(ds)) == {"truncated"}
    assert status(sims.integrated_dose(ds.chunk(species=4))) == {"truncated"}
    # Between limits, the dose is that between them.
    assert status(sims.integrated_dose(ds, stop=f"{end - 4} nm")) == {"ok"}


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.DoseWarning")
@pytest.mark.parametrize("end", [150, 160])
def test_a_background_in_the_tail_does_not_hide_it(end):
    found = sims.integrated_dose(implant(end), background=(f"{end - 10} nm", f"{end} nm"))
    assert status(found) == {"truncated"}


@pytest.mark.few(3)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.DoseWarning")
@pytest.mark.parametrize(("peak", "highest"), [(10, 0.05), (100, 1.0), (10000, 1.0)])
@pytest.mark.parametrize("floor", [0.0, 0.4, 1.0])
def test_whole_implants_are_not(peak, highest, floor):
    ds = implant(400, peak=peak, floor=floor * highest * peak, trials=50)
    for found in (sims.integrated_dose(ds), sims.depth_at_dose_fraction(ds, fraction=0.5)):
        assert (found["status"] == "truncated").mean() < 0.03  # one of 50 by chance


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.DoseWarning")
@pytest.mark.parametrize(("decay", "expected"), [(400.0, "truncated"), (np.inf, "ok")])
def test_a_slow_tail_without_noise_is_no_background(decay, expected):
    ds = implant(400).drop_vars(["concentration_counts", "concentration_stderr"])
    z = ds["depth"].values
    tail = 0.03 * np.exp(-(z - 100) / decay) * (z > 100)
    ds["concentration"][0] = 1e19 * (np.exp(-0.5 * ((z - 100) / 30) ** 2) + tail)
    assert status(sims.integrated_dose(ds)) == {expected}


def test_the_warning_tells_how_much_lies_below(approved):
    with warns(DoseWarning, "truncated", species="s0", text=approved):
        sims.integrated_dose(implant(140))
    with raises(ProfileError, "truncated", species="s0", text=approved):
        sims.integrated_dose(implant(140), strict=True)


@pytest.mark.few(1)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("options", [{}, {"background": ("140 nm", "150 nm")}])
def test_factors_and_scales_from_such_records_are_in_doubt(options):
    short, whole = (implant(end)["concentration"].values[0] / 1e15 for end in (150, 400))
    z = np.arange(0.0, 400.0, 2.0)
    standard = timed(z[: short.size], B=short, Si=np.full(short.size, 1e5))
    standard = sims.calibrate_depth(standard, rate="1 nm/s")
    unknown = sims.calibrate_depth(timed(z, B=whole, Si=np.full(z.size, 1e5)), rate="1 nm/s")
    factor = sims.rsf_from_standard(standard, species="B", dose=DOSE, matrix="Si", **options)
    assert factor["status"] == "truncated"
    found = sims.with_rsf(unknown, rsf=factor, matrix="Si")
    assert sims.integrated_dose(found.sel(species="B"))["status"] == "scale_in_doubt"
    scaled = sims.scale_to_dose(implant(150), dose={"s0": DOSE}, **options)
    assert sims.mean_value(scaled, stop="50 nm")["status"] == "scale_in_doubt"
    three = [standard] * 2 + ([] if options else [unknown])
    several = sims.rsf_from_standard(three, species="B", dose=DOSE, matrix="Si", **options)
    assert several["status"] == "truncated"
