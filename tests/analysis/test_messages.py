"""What analyses refuse and warn of, word by word, about the data below."""

import numpy as np
import pytest
import xarray as xr
from approved import difference, messages
from comparison_pairs import DEPTH, dataset, gaussian
from measurement_layouts import measurement, one, profile

import sims_analysis as sims

Z = [0.0, 10.0, 20.0, 30.0]
TWO = measurement(Z, {"P": [1e18, 1e18, 1e17, 1e16], "B": [1e16, 1e17, 1e18, 1e18]})
ONE = one(Z, [1e18, 2e18, 1e17, 1e16])
LEVEL = "1e17 cm^-3"
NEVER = measurement(Z, {"P": [1e18] * 4, "B": [1e16] * 4})
TWICE = xr.concat([TWO, TWO.isel(species=[0])], "species")
BATCH = sims.stack([ONE, ONE])
FEW = ONE.isel(depth=[1])
CURRIE = {"window": ("1 nm", "20 nm"), "rule": "currie"}
NAMELESS = ONE.rename(concentration="c")
NEGATIVE = ONE.assign(concentration=(-ONE["concentration"]).assign_attrs(units="cm^-3"))
TIMES = ONE.rename(depth="sputter_time").assign_coords(
    sputter_time=("sputter_time", Z, {"units": "s"})
)
OWN = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=("species", "x"), attrs={"units": "nm"})
RATE = one(Z, [3.0, 4.4, 5.5, 7.0], units="count/s").rename(concentration="intensity")
MOVED = [("1 nm", "5 nm"), ("2 nm", "4 nm")]
#: Nothing was measured from 9 to 30 nm.
HOLE = np.r_[0.0:10.0, 30.0:40.0]
PEAK = one(HOLE, 1e18 * np.exp(-0.5 * ((HOLE - 12) / 5) ** 2) + 1e10)
EDGE = one(HOLE, 1e19 * np.exp(-HOLE / 3))
BOTH = measurement(HOLE, {"B": EDGE["concentration"].values[0], "P": np.full(HOLE.size, 1e16)})
#: It crosses 1e16 at 34.5 nm, in the second of two gaps.
HOLES = np.concatenate([np.arange(0.0, 6), np.arange(20.0, 26), np.arange(45.0, 61)])
LATER = one(HOLES, 1e19 * np.exp(-HOLES / 5))
#: Of twenty samples the third, the ninth and the tenth are given as <5E16.
LESS = np.exp(-np.arange(20.0) / 3)
LESS[[2, 8, 9]] = np.nan
FILE = one(range(20), 1e18 * LESS).assign_coords(
    concentration_detection_limit=(
        ("species", "depth"), [np.where(np.isnan(LESS), 5e16, np.nan)], {"units": "atom/cm^3"},
    )
)  # fmt: skip
#: For alignments: a layer, none, and two layers of which another measurement has one.
LAYER = dataset(DEPTH, B=gaussian(DEPTH))
FLAT = dataset(DEPTH, B=np.ones(DEPTH.size))
LAYERS = dataset(DEPTH, B=gaussian(DEPTH), As=gaussian(DEPTH, centre=100.0))
OTHERS = LAYERS.assign_coords(species=["B", "P"])
#: 0.99016 s of counting each, as an instrument prints it; 0.001 where nothing was counted.
PRINTED = [0.001, 1.00994, 2.01988, 33.328, 71.7059, 776.666, 308.035]


def values_of_type(kind):
    values = np.array([["1", "2", "3", "4"]] if kind == "U4" else [Z]).astype(kind)
    return ONE.assign(concentration=(("species", "depth"), values, {"units": "cm^-3"}))


def depths_of_type(kind):
    return ONE.assign_coords(depth=("depth", np.arange(4).astype(kind), {"units": "nm"}))


def counts(values, units="counts", **about):
    return sims.to_dataset(
        profile("B", range(len(values)), values, units=units, species_metadata=about)
    )


APPROVED = "analysis"


def outcome(call):
    return messages(call, globals())


def test_errors_and_warnings_have_the_approved_words():
    assert not (changed := difference(APPROVED, outcome)), changed


def test_a_warning_points_at_the_line_of_the_user():
    with pytest.warns(sims.SimsWarning) as caught:
        sims.junction_depth(EDGE, level="1e16 cm^-3")
    assert [one.filename for one in caught] == [__file__]


def test_a_fit_to_samples_goes_across_a_gap_without_a_warning():
    length = sims.decay_length(EDGE)
    assert length["status"].item() == "ok"
    assert length["decay_length"].item() == pytest.approx(3.0)
