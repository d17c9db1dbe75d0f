"""The arguments of a fit: how they are read, and what is refused, in full words."""

from dataclasses import replace

import models_truth
import numpy as np
import pytest
import xarray as xr
from approved import difference, messages

import sims_analysis as sims
from sims_analysis.fitting import fit as fitting
from sims_analysis.shapes import find_model

Z = np.arange(30.0)
GAUSSIAN = find_model("gaussian")


def profiles(*dims):
    """Give two profiles along each dimension."""
    return models_truth.profile(np.ones((2,) * len(dims) + (30,)), Z, dims=(*dims, "depth"))


ONE, TWO, FOUR = profiles(), profiles("wafer"), profiles("wafer", "run")
TIMED = xr.DataArray(
    np.ones(30), dims="sputter_time", attrs={"units": "count/s"}, name="intensity",
    coords={"sputter_time": ("sputter_time", Z, {"units": "s"})},
)  # fmt: skip


class ReadError(Exception):
    """Ends a fit once its arguments are read."""


@pytest.fixture
def read(monkeypatch):
    """Return a function that reads the arguments of a fit, which is not made."""

    def stopped(found, *_, **__):
        raise ReadError(found)

    def read_one(data=ONE, model="gaussian", **options):
        with monkeypatch.context() as patch:
            patch.setattr(fitting, "fit_each", stopped)
            with pytest.raises(ReadError) as end:
                sims.fit(data, model=model, **options)
        return end.value.args[0]

    return read_one


def wafers(*values, units="nm", dims="wafer"):
    return xr.DataArray(np.array(values), dims=dims, attrs={"units": units})


# --- what is refused --------------------------------------------------------------------------

LEVELLED = replace(GAUSSIAN, name="levelled", has_levels=True)
DOSE, *OTHERS = GAUSSIAN.parameters


def of_ones_own(**part):
    """Give a Gaussian of one's own, something of its dose being another."""
    return replace(GAUSSIAN, derived=(), parameters=(replace(DOSE, **part), *OTHERS))


FIXED_ALL = {"dose": "3 cm^-2", "projected_range": "3 nm", "straggle": "1 nm"}
TWICE = TWO.assign_coords(wafer=["a", "b"]).where((TWO["depth"] != 7), np.inf)
LAYER = models_truth.profile(models_truth.values("gaussian", (1e15, 15, 4), Z), Z)
FITTED = sims.fit(LAYER, model="gaussian")
APPROVED = "fitting"


def fit(data, **options):
    """Fit a Gaussian, if no other model is named."""
    return sims.fit(data, **{"model": "gaussian", **options})


def outcome(call):
    return messages(call, globals())


def test_errors_have_the_approved_words():
    assert not (changed := difference(APPROVED, outcome)), changed


# --- what is read -----------------------------------------------------------------------------


WITH_LIMIT = "Depth (nm),B (atoms/cm3)\n0,9E15\n1,9E16\n2,9E15\n3,<5E15"


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@pytest.mark.parametrize(
    ("weights", "limit", "expected"),
    [
        ("auto", None, 5e15), ("log", None, 5e15), ("none", None, np.nan),
        ("log", "7e15 cm^-3", 7e15), ("log", "3e15 cm^-3", 5e15), ("none", "3e15 cm^-3", 3e15),
    ],
)  # fmt: skip
def test_the_limits_of_a_file_are_those_of_logarithms(read, weights, limit, expected):
    ds = sims.read(WITH_LIMIT.encode()).to_dataset().isel(species=0)
    found = read(ds, weights=weights, detection_limit=limit)
    np.testing.assert_equal(found.settings["detection_limit"].item(), expected)
    assert np.isfinite(found.frame.value.values).all() == (weights != "none")


# --- layers -----------------------------------------------------------------------------------


def test_what_is_held_or_known_of_layers_is_one_for_all_or_a_list(read):
    found = read(
        ONE, "gaussian", repeat=2, fixed={"straggle": "1 nm", "dose": ["1 cm^-2", "2 cm^-2"]},
        prior={"projected_range": [("3 nm", "1 nm"), ("4 nm", "2 nm")]},
    )  # fmt: skip
    assert found.fixed == {"straggle": 1.0, "dose[1]": 1.0, "dose[2]": 2.0}
    assert found.prior == {"projected_range[1]": (3.0, 1.0), "projected_range[2]": (4.0, 2.0)}
    found = read(ONE, repeat=2, prior={"projected_range": ("3 nm", "1 nm")})
    assert found.prior == dict.fromkeys(("projected_range[1]", "projected_range[2]"), (3.0, 1.0))
    assert read(ONE, repeat=2, fixed={"dose": "1 cm^-2"}).fixed == {
        "dose[1]": 1.0, "dose[2]": 1.0}  # fmt: skip


# --- what profiles have in common -------------------------------------------------------------


def test_uncertainties_of_layers_count_as_the_largest_and_unknown_ones_as_none(read):
    along = ("depth", np.where(Z < 9, 0.1, 0.2), {"units": "1"})
    ds = ONE.to_dataset(name="concentration").assign_coords(sensitivity_factor_uncertainty=along)
    found = read(ds)
    assert found.settings["rsf_uncertainty"].values == pytest.approx(0.2)
    assert found.settings["depth_uncertainty"] == 0.0
    two = TWO.to_dataset(name="concentration").assign_coords(
        depth_scale_uncertainty=("wafer", [np.nan, 0.3], {"units": "1"})
    )
    assert read(two).settings["depth_uncertainty"].values.tolist() == [0.0, 0.3]
    # Over time there is no depth scale, whatever is stated; 0 says so.
    stated = TIMED.to_dataset().assign_coords(depth_scale_uncertainty=((), 0.3, {"units": "1"}))
    for options in ({}, {"depth_uncertainty": 0}):
        found = read(stated, **options)
        assert found.settings["depth_uncertainty"] == 0.0
        assert found.scales == ()


def test_a_prior_is_a_mean_and_a_width_in_the_units_of_the_answer(read):
    found = read(prior={"straggle": ["0.002 um", "1 nm"], "dose": ("0 cm^-2", "1e4 m^-2")})
    assert found.prior == {
        "straggle": (pytest.approx(2.0), 1.0), "dose": (0.0, pytest.approx(1.0))
    }  # fmt: skip
    assert found.joint
    # A prior of what takes the place of another is one of it.
    restated = read(
        TWO, "erfc", time="1 s", shared=["diffusivity"],
        prior={"diffusivity": ("1e-13 cm^2/s", "1e-14 cm^2/s")},
    )  # fmt: skip
    assert restated.prior == {"diffusivity": (1e-13, 1e-14)}


def test_of_the_profile_before_the_anneal_that_variable_counts_which_is_fitted(read):
    before = xr.Dataset({"concentration": 2 * ONE, "intensity": 3 * TIMED.data[0] * ONE})
    before["concentration"].attrs["units"] = "atom/cm^3"
    before["intensity"].attrs["units"] = "count/s"
    counted = ONE.rename("intensity").assign_attrs(units="count/s")
    for one, value in ((ONE, 2.0), (counted, 3.0)):
        (initial,) = read(one, "annealed_implant", as_implanted=before).initials
        assert initial.c[0] == value
    # If there is none of that name, the one that there is.
    (initial,) = read(ONE, "annealed_implant", as_implanted=before[["intensity"]]).initials
    assert initial.c[0] == 3.0
