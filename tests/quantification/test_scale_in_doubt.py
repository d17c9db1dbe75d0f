"""What was multiplied by a factor that is not ok is not ok either, wherever it goes."""

from itertools import product

import numpy as np
import pytest
from count_rates import timed
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SimsWarning

Z = np.arange(0.0, 300.0, 2.0)
SHAPE = np.random.default_rng(1).poisson(1e4 * np.exp(-(((Z - 100) / 25) ** 2)) + 20) * 1.0
DOSE = "1e15 atoms/cm^2"
RSF = {"species": "B", "dose": DOSE, "matrix": "Si"}


def run(boron=SHAPE, kind="clean"):
    """Give rates of B over a matrix, and of P, of which B has what is doubtful about 90 nm."""
    if kind == "gap":
        boron = np.where((Z > 80) & (Z < 120), np.nan, boron)
    if kind == "saturated":
        boron = np.minimum(boron, 8e3)
    if kind == "transient":
        boron = boron + 1e6 * np.exp(-Z / 2)
    if kind == "too short":
        boron = np.where(Z > 110, np.nan, boron)
    return sims.calibrate_depth(timed(Z, B=boron, P=SHAPE, Si=np.full(Z.size, 1e5)), rate="1 nm/s")


def by_dose(kind):
    ds = sims.with_rsf(run(kind=kind), rsf=dict.fromkeys("BP", "1e22 cm^-3"), matrix="Si")
    return sims.scale_to_dose(ds, dose={"B": DOSE})


def by_standard(kind):
    factor = sims.rsf_from_standard(run(kind=kind), **RSF)
    return sims.with_rsf(run(), rsf={"B": factor, "P": "1e22 cm^-3"}, matrix="Si")


def by_splice(kind):
    top, deep = run(kind=kind).sel(depth=slice(0, 150)), run().sel(depth=slice(70, None))
    return sims.splice(top, deep, scale=True)


def below(ds):
    """Ask of the tail, of which no sample is doubtful itself, on all ways."""
    tail = {"start": "250 nm", "stop": "290 nm"}
    again = sims.average(sims.stack([ds, ds]))
    for data in (ds, sims.to_grid(ds, step="3 nm"), again, ds.chunk()):
        yield sims.mean_value(data, **tail)["status"].compute()


@pytest.mark.few(1, 4)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize(
    ("made", "kind"),
    [*product([by_dose, by_standard, by_splice], ["gap", "saturated"]),
     (by_dose, "transient"), (by_standard, "transient")],
)  # fmt: skip
def test_the_doubt_is_carried_with_what_was_scaled(made, kind):
    for status in below(made(kind)):
        assert status.sel(species="B").item() == "scale_in_doubt"
        assert status.sel(species="P").item() == "ok"
    assert "scale_in_doubt" in sims.quality(made(kind))["kind"].values


@pytest.mark.few(1)
@pytest.mark.parametrize("made", [by_dose, by_standard, by_splice])
def test_nothing_is_in_doubt_of_what_is_clean(made):
    for status in below(made("clean")):
        assert (status.sel(species=["B", "P"]) == "ok").all()
    assert not sims.quality(made("clean")).sizes["run"]


def test_a_factor_states_its_status():
    assert sims.rsf_from_standard(run(), **RSF)["status"] == "ok"
    with warns(SimsWarning, "gap", species="B", start="80 nm", stop="120 nm"):
        both = sims.rsf_from_standard([run(), run(kind="gap")], **RSF)
    assert both["status"] == "gap"


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_messages_of_standards_are_in_the_unit_of_the_quotients(approved):
    with warns(SimsWarning, "saturated", species="B"):
        sims.rsf_from_standard(run(kind="saturated"), **RSF)
    with warns(SimsWarning, "saturated", species="B", text=approved):
        sims.rsf_from_standard(run(kind="saturated"), **(RSF | {"matrix": None}))


def test_an_alignment_across_a_gap_warns():
    ds = run(kind="gap")
    moved = run().assign_coords(depth=(run()["depth"] + 3).assign_attrs(units="nm"))
    for method in ({}, {"method": "peak"}, {"method": "edge", "fraction": 0.5}):
        with warns(SimsWarning, "gap", species="B"):
            sims.align(ds, moved, marker="B", **method)
        sims.align(ds, moved, marker="P", **method)  # without a gap


def test_a_background_of_samples_below_their_limit_is_refused_by_that_reason():
    ds = run()
    low, dims = ds["intensity"].values < 99, ds["intensity"].dims
    ds["intensity"] = ds["intensity"].where(~low).assign_attrs(units="count/s")
    limit = (dims, np.where(low, 99.0, np.nan), {"units": "count/s"})
    ds = ds.assign_coords(intensity_detection_limit=limit)
    with (
        warns(SimsWarning, "below_limit", species="B"),
        raises(ProfileError, "no_sample_in_window", argument="window"),
    ):
        sims.subtract_background(ds, window=("200 nm", "290 nm"), species="B")
