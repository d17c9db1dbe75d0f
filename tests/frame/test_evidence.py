"""What is known of samples, in the hands of xarray and of answers: one precedence, none lost."""

import warnings

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from measurement_layouts import one

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning, SimsWarning
from sims_analysis.outcomes import KINDS, Flag, Status

QUIET = pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
Z = np.arange(0.0, 200.0)
VALUES = 1e20 * np.exp(-(((Z - 80) / 25) ** 2)) * np.random.default_rng(0).normal(1, 0.01, Z.size)
CLEAN = sims.to_grid(one(Z, VALUES), step="5 nm")
#: 19 nm are missing across the implant: after a grid no spacing tells it any more.
HOLED = sims.to_grid(
    one(Z, np.where((Z > 60) & (Z < 80), np.nan, VALUES)), step="5 nm", gaps="bridge"
)
NAME = "concentration_quality"


def kinds(data):
    return set(sims.quality(data)["kind"].values)


def status(data, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        return np.ravel(sims.integrated_dose(data, **options)["status"].values).tolist()


# --- one precedence for all questions -------------------------------------------------------------


def with_flags(*flags, at=slice(10, 14)):
    """Give flat data that carry flags on some of their samples."""
    ds = one(np.arange(30.0), np.random.default_rng(1).normal(1e18, 1e16, 30))
    carried = np.zeros((1, 30), dtype=np.int16)
    carried[0, at] = sum(flags)
    return ds.assign_coords({NAME: (("species", "depth"), carried)})


@QUIET
@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ((Flag.SATURATED, Flag.GAP_BEFORE, Flag.BELOW_LIMIT), "saturated"),
        ((Flag.GAP_BEFORE, Flag.BELOW_LIMIT), "gap"),
        ((Flag.BELOW_LIMIT,), "below_limit"),
        ((Flag.PLACEHOLDER, Flag.RESTORED), "ok"),
    ],
)
def test_of_several_that_are_true_the_highest_is_the_status(flags, wanted):
    ds = with_flags(*flags)
    assert sims.moments(ds)["status"].item() == wanted
    assert status(ds) == [wanted]
    # Beyond the samples the dose is truncated, too.
    assert status(ds, stop="50 nm") == [wanted if wanted != "ok" else "truncated"]
    # Without a value the reason stays.
    assert status(ds, start="60 nm", stop="70 nm") == ["no_data"]


@QUIET
def test_a_warning_names_the_longest_run_and_says_that_there_are_others():
    ds = with_flags(Flag.SATURATED)
    ds[NAME].values[..., 2] = Flag.SATURATED
    with warns(SimsWarning, "saturated", species="B", start="9 nm", stop="14 nm") as caught:
        sims.mean_value(ds)
    assert "from 10 to 13 nm and in 1 more place" in str(caught[0].message)


def test_an_option_accepts_gaps_and_limits_and_nothing_else():
    for flag, wanted in (
        (Flag.GAP_BEFORE, "ok"), (Flag.BELOW_LIMIT, "ok"), (Flag.SATURATED, "saturated"),
    ):  # fmt: skip
        assert status(with_flags(flag), gaps="bridge") == [wanted]


def test_away_from_what_is_flagged_values_are_those_of_clean_data():
    ds = with_flags(Flag.GAP_BEFORE, Flag.BELOW_LIMIT)
    found, clean = (sims.interpolate(d, depth="25 nm") for d in (ds, ds.drop_vars(NAME)))
    xr.testing.assert_equal(found, clean)


def test_every_status_has_one_word_one_meaning_and_evidence_a_rank_of_its_own():
    assert len({one.word for one in Status}) == len(Status)
    assert all(one.meaning for one in Status if one != Status.PADDING)
    assert {kind.status for kind in KINDS} >= {Status.BELOW_LIMIT, Status.GAP, Status.SATURATED}
    assert Status.BELOW_LIMIT.rank < Status.GAP.rank < Status.SATURATED.rank
    ranks = [one.rank for one in Status if one.rank]
    assert len(set(ranks)) == len(ranks)
    covered = Flag(0)
    for kind in KINDS:
        assert not covered & kind.flags
        covered |= kind.flags
    assert set(Flag) == set(covered), "every flag is of one kind"


@pytest.mark.parametrize("limit", [5e15, 2e17])
def test_samples_below_a_limit_between_two_layers_are_in_the_dose_that_bridges_them(
    limit, approved
):
    # However low the limit is: the straight line from one layer to the other is as high as these.
    z = np.arange(60.0)
    layers = ((z >= 10) & (z <= 20)) | ((z >= 40) & (z <= 50))
    ds = one(z, np.where(layers, 1e18, np.nan)).assign_coords(
        concentration_detection_limit=(
            ("species", "depth"), [np.where(layers, np.nan, limit)], {"units": "cm^-3"},
        )
    )  # fmt: skip
    with warns(sims.DoseWarning, "below_limit", species="B", start="20 nm", stop="40 nm"):
        assert sims.integrated_dose(ds)["status"].item() == "below_limit"
    assert status(ds, stop="20 nm") == ["ok"]


# --- what xarray does to a coordinate of flags ----------------------------------------------------


def test_flags_stay_through_what_leaves_samples_as_they_are():
    assert kinds(HOLED) == {"gap"}
    assert kinds(CLEAN) == set()
    array = HOLED["concentration"]
    for data in (
        HOLED.isel(depth=slice(1, None)), HOLED * 1, 2 * array, array.copy(), HOLED.copy(deep=True),
        array.fillna(1e18), HOLED.sel(species="B"), array.sel(species=["B"]), HOLED.chunk(),
        HOLED.transpose(), sims.quantify(HOLED), array.to_dataset(), array.astype("f4"),
    ):  # fmt: skip
        assert kinds(data) == {"gap"}


@pytest.mark.parametrize("lost", ["before", "after", "both", "every second"])
def test_a_gap_stays_flagged_whichever_neighbours_are_dropped(lost):
    filled = CLEAN.assign_coords({NAME: HOLED[NAME]})  # values that show nothing
    sides = np.flatnonzero(HOLED[NAME].values[0])
    drop = {
        "before": sides[:1], "after": sides[-1:], "both": sides[[0, -1]],
        "every second": np.arange(0, filled.sizes["depth"], 2),
    }[lost]  # fmt: skip
    assert kinds(filled.drop_isel(depth=drop)) == {"gap"}


def test_new_values_under_old_flags_are_a_false_alarm_and_no_silence():
    edited = HOLED.assign(concentration=CLEAN["concentration"])
    assert status(edited) == ["gap"]
    assert status(edited.drop_vars(NAME)) == ["ok"]


def test_a_renamed_array_has_the_flags_of_whatever_it_was():
    for name in ("boron", None):
        array = HOLED["concentration"].rename(name)
        assert status(array) == ["gap"]
    both = HOLED["concentration"].rename("boron")
    zeros = xr.zeros_like(both[NAME])
    assert status(both.assign_coords(intensity_quality=zeros)) == ["gap"], "of any, all"
    own = CLEAN["concentration"].assign_coords({NAME: zeros, "intensity_quality": HOLED[NAME]})
    assert status(own) == ["ok"], "its own alone"


@pytest.mark.parametrize(
    "change",
    [
        lambda ds: ds.interp(depth=np.arange(5.0, 190.0, 3.0)),
        lambda ds: ds.assign_coords({NAME: ds[NAME] * 0.33}),
    ],
)
def test_flags_that_are_no_sums_of_bits_are_ignored_with_a_warning(change):
    changed = change(HOLED)
    changed["concentration"].attrs = HOLED["concentration"].attrs
    with warns(ProfileWarning, "impossible_value"):
        sims.quality(changed)


def test_places_that_xarray_fills_have_no_flags():
    wider = HOLED.reindex(depth=np.arange(-10.0, 300.0, 5.0))
    assert wider[NAME].dtype.kind == "f"
    assert kinds(wider) == {"gap"}
    assert sims.quality(wider).equals(sims.quality(HOLED))
    assert kinds(HOLED.shift(depth=2)) == {"gap"}


def test_flags_of_coarse_cells_are_joined_bit_by_bit():
    coarse = HOLED.coarsen(
        depth=2, boundary="trim", coord_func={NAME: np.bitwise_or.reduce, "depth": "mean"}
    ).mean()
    coarse["concentration"].attrs = HOLED["concentration"].attrs
    assert coarse[NAME].dtype == np.int16
    assert status(coarse) == ["gap"]


def test_arithmetic_of_data_with_different_flags():
    # xarray drops coordinates that differ: sums of data are ours to make.
    a, b = HOLED["concentration"], CLEAN["concentration"].assign_coords(
        {NAME: xr.zeros_like(HOLED[NAME])}
    )  # fmt: skip
    assert NAME not in (a + b).coords
    assert kinds(sims.average(sims.stack([HOLED, CLEAN]))) == {"gap"}


def test_joined_by_stack_each_has_its_own_flags(approved):
    joined = sims.stack([CLEAN, HOLED], names=["a", "b"])
    assert joined[NAME].dtype == np.int16
    assert status(joined) == ["ok", "gap"]
    clean, holed = sims.unstack(joined)
    assert status(clean) == ["ok"]
    np.testing.assert_array_equal(holed[NAME], HOLED[NAME])
    # xarray alone refuses, or gives all of them the flags of the first.
    with raises(ValueError, text=approved):
        xr.concat([HOLED.isel(depth=slice(9)), CLEAN.isel(depth=slice(9, None))], "depth")


@pytest.mark.parametrize("end", ["nc", "zarr"])
def test_files_keep_flags_and_their_meanings(tmp_path, end):
    path = sims.save(sims.stack([CLEAN, HOLED]), tmp_path / f"data.{end}")
    found = sims.load(path)
    assert status(found) == ["ok", "gap"]
    assert found[NAME].attrs["flag_masks"].tolist() == [flag.value for flag in Flag]
    assert found[NAME].attrs["flag_meanings"].split() == [flag.name.lower() for flag in Flag]


def test_samples_with_a_value_that_are_below_a_limit_count_up_to_the_ends_of_the_record(
    approved,
):
    # As all that was divided by the mean of a matrix signal below its limit.
    ds = one(np.arange(60.0), np.full(60, 1e18))
    flags = np.full((1, 60), Flag.BELOW_LIMIT, dtype=np.int16)
    ds = ds.assign_coords(concentration_quality=(("species", "depth"), flags))
    with warns(sims.DoseWarning, "below_limit", species="B", start="0 nm", stop="59 nm"):
        assert sims.integrated_dose(ds)["status"].item() == "below_limit"
    with warns(ProfileWarning, "below_limit", species="B"):
        assert sims.peak(ds)["status"].item() == "below_limit"


def test_moments_of_values_that_were_made_of_samples_below_a_limit_are_below_it():
    z = np.arange(0.5, 200)
    c = np.where(z > 100, np.nan, 1e19 * np.exp(-0.5 * ((z - 60) / 20) ** 2))
    limit = ("depth", np.where(z > 100, 3e18, np.nan), {"units": "cm^-3"})
    ds = xr.Dataset(
        {"concentration": ("depth", c, {"units": "cm^-3"})},
        {"depth": ("depth", z, {"units": "nm"})},
    )
    made = sims.convolve(ds.assign_coords(concentration_detection_limit=limit), resolution="6 nm")
    with pytest.warns(sims.DoseWarning):
        found = sims.moments(made.dropna("depth"))
    assert found["status"].item() == "below_limit"
