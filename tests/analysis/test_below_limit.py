"""Answers that samples below their limit, or cut off by the detector, may change."""

import warnings
from functools import partial

import numpy as np
import pytest
from error_parts import raises, warns
from measurement_layouts import one

import sims_analysis as sims
from sims_analysis.errors import DoseWarning, JunctionError, ProfileWarning

pytestmark = pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")


def test_strict_refuses_a_junction_below_the_limit_of_the_file_and_names_the_limit(approved):
    text = "Depth (nm)\tB (atoms/cm3)\n0\t1e18\n1\t8e17\n2\t<5E15\n3\t<5E15\n"
    ds = sims.read(text.encode()).to_dataset()
    with raises(JunctionError, "below_limit", species="B", text=approved):
        sims.junction_depth(ds, level="1e15 atoms/cm^3", strict=True)


#: Level -> status of the first entry, and whether there is another.
BELOW = {
    "1e15 atoms/cm^3": ["below_limit"],
    "5e15 atoms/cm^3": ["below_limit"],
    "9e15 atoms/cm^3": ["below_limit"],  # crossed beside the last value
    "5e16 atoms/cm^3": ["ok", "ok", "ok"],
    "1e19 atoms/cm^3": ["never_reached"],
}


@pytest.mark.parametrize("level", BELOW)
def test_a_level_below_the_last_value_may_be_crossed_below_the_limit(level):
    text = "Depth (nm)\tB (atoms/cm3)\n0\t1e18\n1\t1e16\n2\t8e17\n3\t1e16\n4\t<5E15\n5\t<5E15\n"
    ds = sims.read(text.encode()).to_dataset()
    found = sims.crossings(ds, level=level)
    assert found["status"].values[0].tolist() == BELOW[level]
    assert found["detection_limit"].item() == 5e15
    assert found["detection_limit"].attrs["units"] == "atom/cm^3"
    padded = sims.crossings(ds, level=level, max_count=4)["status"].values[0].tolist()
    assert padded == BELOW[level] + [""] * (4 - len(BELOW[level]))
    junction = sims.junction_depth(ds, level=level)
    assert junction["status"].item() == BELOW[level][0]
    assert junction["detection_limit"].item() == 5e15


@pytest.mark.few(0, 2)
@pytest.mark.parametrize(
    ("level", "status"),
    [("5e18 cm^-3", "saturated"), ("3e18 cm^-3", "saturated"), ("2e18 cm^-3", "ok")],
)
def test_a_level_where_the_detector_saturates_has_status_saturated(level, status):
    z = np.arange(0.0, 200.0, 2.0)
    counts = np.random.default_rng(1).poisson(5000 * np.exp(-(((z - 60) / 20) ** 2) / 2) + 5)
    ds = one(z, np.minimum(counts, 3000) * 1e15)
    cut = z[counts >= 3000]
    message = (
        f": samples from {cut[0]:g} to {cut[-1]:g} nm, 3e+18 atom/cm^3: equal to the last "
        "digit, as from a saturated detector, or made from such; the answer depends on "
        "samples that were cut off"
    )
    for of, ask in (
        ("species 'B'", lambda d: sims.junction_depth(d, level=level)),
        ("species 'B', crossing '0'", lambda d: sims.crossings(d, level=level, max_count=1)),
    ):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", ProfileWarning)
            found = ask(ds)
        assert np.ravel(found["status"]).tolist() == [status]
        expected = [of + message] if status == "saturated" else []
        assert [str(one.message) for one in caught if one.category is ProfileWarning] == expected
        np.testing.assert_array_equal(ask(ds.chunk())["status"], found["status"])
    smooth = one(z, np.full(z.size, 1e17))
    assert np.ravel(sims.crossings(smooth, level=level)["status"]).tolist() == ["never_reached"]


#: Of twenty samples the third, the ninth and the tenth are given as <5E16.
LESS = np.exp(-np.arange(20.0) / 3)
LESS[[2, 8, 9]] = np.nan
LIMIT = np.where(np.isnan(LESS), 5e16, np.nan)
FILE = one(range(20), 1e18 * LESS).assign_coords(
    concentration_detection_limit=(("species", "depth"), [LIMIT], {"units": "atom/cm^3"})
)


def test_an_edge_or_a_mean_over_samples_below_their_limit_has_status_below_limit():
    for data in (FILE, FILE.chunk()):
        shown = [
            sims.decay_length(data, start="3 nm")["status"],
            sims.decay_length(data, start="3 nm", stop="7 nm")["status"],
            sims.mean_value(data, start="5 nm", stop="9 nm")["status"],
            sims.mean_value(data, start="5 nm", stop="7 nm")["status"],
            sims.mean_value(data, start="8 nm", stop="9 nm")["status"],
        ]
        words = [one.values.item() for one in shown]
        assert words == ["below_limit", "ok", "below_limit", "ok", "no_data"]
    # They lie below a limit that is not below their own.
    for limit, more in (("5e16 cm^-3", 3), ("4.9e16 cm^-3", 0)):
        own = (FILE["concentration"] < float(limit.split()[0])).sum()
        assert sims.below_detection(FILE, limit=limit).sum() == own + more


def test_a_background_of_samples_some_of_which_are_below_their_limit_warns():
    with warns(DoseWarning, "below_limit", species="B", start="7 nm", stop="10 nm"):
        sims.integrated_dose(FILE, stop="7 nm", background=("7 nm", "14 nm"))


def with_limits(values, below, limit):
    """Give a profile of which a file gives some samples as below a limit."""
    lost = np.isin(np.arange(len(values)), below)
    limits = ("species", "depth"), [np.where(lost, limit, np.nan)], {"units": "atom/cm^3"}
    ds = one(range(len(values)), np.where(lost, np.nan, values))
    return ds.assign_coords(concentration_detection_limit=limits)


ROUND = 1e18 * np.exp(-0.5 * ((np.arange(41.0) - 20) / 5) ** 2) + 1e12


@pytest.mark.parametrize(
    ("below", "limit", "status"),
    [
        ([14], 4.8e17, "below_limit"),  # below half of the maximum: the width may be less
        # The maximum may be higher, and all parts of the dose.
        ([20], 2e18, "below_limit"),
        ([22], 2e18, "below_limit"),
        ([3], 1e15, "ok"),  # in the tail
    ],
)
def test_the_status_is_below_limit_only_where_the_answer_rests_on_it(below, limit, status):
    ds = with_limits(ROUND, below, limit)
    for ask in (sims.peak, sims.moments, sims.depth_at_dose_fraction):
        assert (ask(ds)["status"] == status).all()
        assert (ask(ds, gaps="bridge")["status"] == "ok").all()


def test_the_deepest_junction_is_below_the_limit_if_a_profile_rises_again_and_ends_there():
    text = "Depth (nm)\tB (atoms/cm3)\n0\t1e17\n1\t4e14\n2\t1e18\n3\t1e17\n4\t<1e16\n5\t<1e16\n"
    ds = sims.read(text.encode()).to_dataset()
    found = sims.junction_depth(ds, "1e15 atoms/cm^3")
    assert found["status"].item() == "below_limit"
    assert np.isnan(found.item())
    first = sims.junction_depth(ds, "1e15 atoms/cm^3", which="first")
    assert first["status"].item() == "ok"
    assert sims.junction_depth(ds, "1e15 atoms/cm^3", gaps="bridge").item() == first.item()
    assert sims.junction_depth(ds, "2e17 atoms/cm^3")["status"].item() == "ok"
    # What is below 1e16 is below 5e16 as well: it fell among the samples without a value.
    assert sims.junction_depth(ds, "5e16 atoms/cm^3")["status"].item() == "below_limit"
    turned = ds.isel(depth=slice(None, None, -1)).assign_coords(depth=ds["depth"].variable)
    for level in ("1e15 atoms/cm^3", "5e16 atoms/cm^3"):
        rise = partial(sims.junction_depth, turned, level, edge="leading", which="first")
        assert rise()["status"].item() == "below_limit"
        assert rise(after="3.5 nm")["status"].item() == "ok"
    every = sims.crossings(ds, "1e15 atoms/cm^3")
    assert every["direction"].values[0].tolist() == ["falling", "rising", "falling"]
    assert every["status"].values[0].tolist() == ["ok", "ok", "below_limit"]
    assert every["depth_before"].values[0, 2] == 3
    assert sims.crossings(ds, "1e15 atoms/cm^3", max_count=2)["count"].item() == 3
    assert sims.crossings(turned, "1e15 atoms/cm^3")["status"].values[0, 0] == "below_limit"
    assert sims.crossings(ds, "1e15 atoms/cm^3", gaps="bridge")["count"].item() == 2


@pytest.mark.parametrize("layout", ["shared axis", "own axis"])
def test_a_lone_sample_cut_off_like_a_run_elsewhere_makes_an_edge_beside_it_saturated(layout):
    z = np.arange(0.0, 400.0, 2.0)
    counts = np.random.default_rng(1).poisson(5000 * np.exp(-(((z - 60) / 20) ** 2) / 2) + 5)
    c = np.minimum(counts, 3000) * 1e15
    top = np.flatnonzero(counts >= 3000)
    c[top[-1] + 1 : top[-1] + 3] = 2.8e18, 3e18  # the last of those cut off stands alone
    ds = one(z, c)
    if layout == "own axis":
        ds = ds.assign_coords(depth=(("species", "depth"), z[None], ds["depth"].attrs))
    assert sims.junction_depth(ds, "2.9e18 cm^-3")["status"].item() == "saturated"
    assert sims.junction_depth(ds, "1e17 cm^-3")["status"].item() == "ok"


def dataset(*cells):
    rows = "".join(f"{2 * i}\t{cell}\n" for i, cell in enumerate(cells))
    return sims.read(f"Depth (nm)\tB (atoms/cm3)\n{rows}".encode()).to_dataset()


HIDDEN = dataset(*["1e17"] * 3, *["<5e15"] * 4, *["2e17"] * 5)


@pytest.mark.parametrize(
    ("correct", "at", "most"),
    [
        (lambda ds: sims.to_grid(ds, step="1 nm"), 5, (1e17 * 5e15) ** 0.5),  # halfway, in ln C
        (lambda ds: sims.to_grid(ds, every=3), 0, (4 * 1e17 + 0.5 * (1e17 + 5.25e16)) / 5),
        (lambda ds: sims.average(sims.stack([ds, dataset(*["1e17"] * 12)])), 4, 5.25e16),
    ],
)
def test_the_limit_of_a_value_to_which_measured_samples_contribute_is_above_theirs(
    correct, at, most
):
    made = correct(HIDDEN)
    assert np.isnan(made["concentration"].values.ravel()[at])
    limit = made["concentration_detection_limit"].values.ravel()[at]
    assert limit == pytest.approx(most, rel=1e-9)


def test_the_dose_of_a_record_counts_the_samples_below_their_limit_at_its_end():
    z = np.arange(0.0, 200.0, 2.0)
    c = 1e19 * np.exp(-(((z - 60) / 15) ** 2) / 2) + 1e13
    ds = dataset(*(f"{v:.6g}" if v > 5e15 else "<5e15" for v in c))
    assert sims.integrated_dose(ds)["status"].item() == "ok"  # 88 nm of 5e15 are 0.1 %
    coarse = sims.to_grid(sims.to_grid(ds, every=5), every=3)
    dose = sims.integrated_dose(coarse)
    lost = 1 - dose.item() / sims.integrated_dose(ds).item()
    assert lost > 0.04  # in the last cell, which has no value
    assert dose["status"].item() == "below_limit"
    assert sims.integrated_dose(coarse, stop="70 nm")["status"].item() == "ok"


def test_moments_and_depths_of_a_dose_count_the_tail_below_a_limit():
    z = np.arange(0.0, 320.0, 2.0)
    c = 4e19 * np.exp(-(((z - 62) / 17) ** 2) / 2) + 1.6e18 * np.exp(-z / 80)
    high, low = (
        dataset(*(f"{v:.6g}" if v > limit else f"<{limit:g}" for v in c)) for limit in (4e17, 1e15)
    )
    for question in (sims.moments, lambda ds: sims.depth_at_dose_fraction(ds, fraction=0.99)):
        assert question(high)["status"].item() == "below_limit"  # the straggle is 18.6 for 24.1
        assert question(low)["status"].item() == "ok"
    for data in (high, sims.to_grid(high, step="7 nm"), sims.to_grid(high, every=2)):
        assert sims.moments(data, stop="300 nm")["status"].item() == "below_limit"
        assert sims.moments(data, stop="120 nm")["status"].item() == "ok"


@pytest.mark.parametrize("conserve", [None, "dose"])
def test_a_gap_that_a_grid_bridges_stays_one(conserve):
    z = np.arange(0.0, 200.0, 2.0)
    c = 4e19 * np.exp(-(((z - 62) / 20) ** 2) / 2) + 3e15
    ds = one(z[(z < 48) | (z > 72)], c[(z < 48) | (z > 72)])
    grid = sims.to_grid(ds, step="5 nm", gaps="bridge", conserve=conserve)
    for question in (sims.integrated_dose, sims.moments):
        assert question(grid)["status"].item() == "gap"
    assert sims.integrated_dose(grid, start="80 nm", stop="190 nm")["status"].item() == "ok"


def test_a_record_begins_and_ends_below_a_limit():
    z = np.arange(0.0, 200.0, 2.0)
    c = 1e19 * np.exp(-0.5 * ((z - 100) / 15) ** 2)
    low, limit = (z < 60) | (z > 140), 2e16
    for hidden, status in ((z < 60, "below_limit"), (z > 140, "below_limit"), (z > 999, "ok")):
        ds = one(z, np.where(low, np.nan, c)).assign_coords(
            concentration_detection_limit=(
                ("species", "depth"),
                np.where(low, np.where(hidden, 1e18, limit), np.nan)[None],
                {"units": "atom/cm^3"},
            )
        )
        assert sims.integrated_dose(ds)["status"].item() == status
        assert sims.integrated_dose(ds, start="70 nm", stop="130 nm")["status"].item() == "ok"
