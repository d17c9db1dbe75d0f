"""A depth scale from layers at known depths, against generalised least squares by hand."""

import models_truth
import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import FitWarning, ProfileError, SpeciesError, UnitsError

DEPTHS = np.array([10.0, 20.0, 30.0, 40.0, 50.0])
STATED = [f"{depth:g} nm" for depth in DEPTHS]


def run_of(rate=0.25, offset=1.5, *, seed=0, depths=DEPTHS, peak=1000, bend=0.0):
    """Give counts over sputter time: ``depth = rate t + offset``."""
    t = np.arange(0.0, 240.0)
    where = (depths - offset) / rate + bend * (depths - depths.mean()) ** 2
    c = sum(models_truth.values("gaussian", (1.0, x, 5.0), t) for x in where)
    counts = np.random.default_rng(seed).poisson(c / c.max() * peak).astype(float)
    time = ("sputter_time", t, {"units": "s"})
    return xr.DataArray(
        counts, dims="sputter_time", coords={"sputter_time": time}, attrs={"units": "count"},
        name="counts",
    )  # fmt: skip


def by_hand(fit, depths, name="projected_range"):
    """Return slope, intercept, their covariance and chi-square, in plain numpy."""
    labels = [f"{name}[{i}]" for i in fit["layer"].values]
    square = fit["covariance"].sel(parameter=labels, parameter_=labels).values
    a, inverse = np.stack([depths, np.ones_like(depths)], axis=1), np.linalg.inv(square)
    errors = np.linalg.inv(a.T @ inverse @ a)
    line = errors @ a.T @ inverse @ fit["position"].values
    left = fit["position"].values - a @ line
    return line, errors, left @ inverse @ left


def test_rate_and_offset_are_those_of_the_line_by_hand():
    run = run_of()
    fit = sims.fit(run, model="gaussian", repeat=5)
    ds = sims.calibrate_depth(run, markers=fit, depths=STATED)
    (b, a), errors, chi_square = by_hand(fit, DEPTHS)
    assert ds["sputter_rate"].item() == pytest.approx(1 / b, rel=1e-9)
    assert ds["sputter_rate_stderr"].item() == pytest.approx(errors[0, 0] ** 0.5 / b**2, rel=1e-9)
    assert ds["depth_offset"].item() == pytest.approx(-a / b, rel=1e-9)
    slopes = np.array([a / b**2, -1 / b])
    assert ds["depth_offset_stderr"].item() == pytest.approx((slopes @ errors @ slopes) ** 0.5)
    assert ds["marker_misfit"].item() == pytest.approx(chi_square / 3, rel=1e-9)
    assert ds["marker_status"] == "ok"
    assert abs(ds["sputter_rate"] - 0.25) < 4 * ds["sputter_rate_stderr"]
    assert abs(ds["depth_offset"] - 1.5) < 4 * ds["depth_offset_stderr"]
    # The offset is reported, and applied only where it is requested.
    np.testing.assert_allclose(ds["depth"], ds["sputter_time"] / b, rtol=1e-12)
    moved = sims.calibrate_depth(run, markers=fit, depths=STATED, apply_offset=True)
    np.testing.assert_allclose(moved["depth"], (moved["sputter_time"] - a) / b, rtol=1e-12)
    relative = ds["sputter_rate_stderr"] / ds["sputter_rate"]
    np.testing.assert_allclose(ds["depth_scale_uncertainty"], relative)
    wider = sims.calibrate_depth(run, markers=fit, depths=STATED, depth_uncertainty="1 %")
    np.testing.assert_allclose(wider["depth_scale_uncertainty"], np.hypot(relative, 0.01))
    expected = f"z = {1 / b:.6g} nm/s * t", "(line through layers at known depths)"
    assert ds["depth"].attrs["calibration"] == " ".join(expected)
    assert moved["depth"].attrs["calibration"] == f" + {-a / b:.6g} nm ".join(expected)
    steps = [sims.provenance(one)["steps"][-1]["parameters"] for one in (ds, moved)]
    assert steps[0]["depths"] == STATED
    assert [one["apply_offset"] for one in steps] == [False, True]


@pytest.mark.study
def test_errors_of_the_rate_are_those_of_repeated_runs():
    found = []
    for seed in range(40):
        run = run_of(seed=seed, peak=300)
        fit = sims.fit(run, model="gaussian", repeat=5)
        ds = sims.calibrate_depth(run, markers=fit, depths=STATED)
        found.append([(ds[n] - truth) / ds[f"{n}_stderr"] for n, truth in
                      (("sputter_rate", 0.25), ("depth_offset", 1.5))])  # fmt: skip
    assert (np.std(found, axis=0) > 0.75).all()
    assert (np.std(found, axis=0) < 1.3).all()


def test_an_apparent_depth_is_stretched():
    run = (
        run_of()
        .rename(sputter_time="depth")
        .assign_coords(
            depth=("depth", np.arange(0.0, 240.0) / 4, {"units": "nm", "calibration": "first"})
        )
    )
    run = run.assign_coords(crater_depth=((), 60.0, {"units": "nm"}))
    fit = sims.fit(run, model="gaussian", repeat=5)
    ds = sims.calibrate_depth(run, markers=fit, depths=[f"{2 * z:g} nm" for z in DEPTHS])
    assert abs(ds["depth_factor"] - 2) < 4 * ds["depth_factor_stderr"]
    np.testing.assert_allclose(ds["depth"], run["depth"] * ds["depth_factor"])
    np.testing.assert_allclose(ds["crater_depth"], 60 * ds["depth_factor"])
    made = f"z = {ds['depth_factor'].item():.6g} * z (line through layers at known depths)"
    assert ds["depth"].attrs["calibration"] == f"first; then {made}"
    with raises(ProfileError, argument="markers"):
        sims.calibrate_depth(run_of(), markers=fit, depths=STATED)
    of_time = sims.fit(run_of(), model="gaussian", repeat=5)
    with raises(ProfileError, "already_changed"):
        sims.calibrate_depth(run, markers=of_time, depths=STATED)


def test_each_measurement_has_its_own_rate_and_all_species_share_it():
    runs = xr.concat([run_of(rate=r, seed=i) for i, r in enumerate((0.25, 0.27))], "measurement")
    runs = runs.assign_coords(measurement=["a", "b"])
    fit = sims.fit(runs, model="gaussian", repeat=5)
    both = xr.concat([runs, runs], "species").assign_coords(species=["B", "Si"])
    # The order of the fit does not matter: labels do.
    ds = sims.calibrate_depth(both, markers=fit.isel(measurement=[1, 0]), depths=STATED)
    assert ds["sputter_rate"].dims == ("measurement",)
    assert (abs(ds["sputter_rate"] - [0.25, 0.27]) < 4 * ds["sputter_rate_stderr"]).all()
    alone = sims.calibrate_depth(
        runs.isel(measurement=1), markers=fit.isel(measurement=1), depths=STATED
    )
    assert ds["sputter_rate"][1] == alone["sputter_rate"]
    of_species = sims.fit(both, model="gaussian", repeat=5)
    with raises(SpeciesError, "other_result", "markers"):
        sims.calibrate_depth(both, markers=of_species, depths=STATED)
    chosen = of_species.sel(species="Si")
    again = sims.calibrate_depth(both, markers=chosen, depths=STATED)
    np.testing.assert_array_equal(again["sputter_rate"], ds["sputter_rate"])


def test_two_markers_and_a_bent_line_warn():
    two = run_of(depths=DEPTHS[:2])
    fit = sims.fit(two, model="gaussian", repeat=2)
    with warns(FitWarning, argument="markers"):
        ds = sims.calibrate_depth(two, markers=fit, depths=STATED[:2])
    assert ds["marker_status"] == "two_markers"
    assert np.isnan(ds["marker_misfit"])
    bent = run_of(bend=0.01)
    fit = sims.fit(bent, model="gaussian", repeat=5)
    with warns(FitWarning, argument="markers"):
        ds = sims.calibrate_depth(bent, markers=fit, depths=STATED)
    assert ds["marker_status"] == "bent"
    assert ds["marker_misfit"] > 5


def test_wrong_fits():
    run = run_of()
    one = run_of(depths=DEPTHS[:1])
    with raises(ProfileError, "other_result", "markers"):
        sims.calibrate_depth(run, markers=sims.fit(one, model="gaussian"), depths=STATED)
    markers = sims.fit(one, model="gaussian", repeat=1)
    with raises(ProfileError, argument="markers"):
        sims.calibrate_depth(run, markers=markers, depths=STATED[:1])
    with pytest.warns(FitWarning):
        wrong = sims.fit(run, model="gaussian", repeat=4)
    with raises(ProfileError, "several_peaks", "markers"):
        sims.calibrate_depth(run, markers=wrong, depths=STATED[:4])
    fit = sims.fit(run, model="gaussian", repeat=5)
    with raises(ProfileError, argument="depths"):
        sims.calibrate_depth(run, markers=fit, depths=[*STATED[:3], STATED[4], STATED[3]])
    minutes = (fit["position"] / 60).assign_attrs(units="min")
    with raises(UnitsError, "other_result", "markers"):
        sims.calibrate_depth(run, markers=fit.assign(position=minutes), depths=STATED)


def test_what_runs_along_apparent_depths_is_stretched_with_them():
    z = np.arange(0.0, 240.0) / 4
    columns = {
        "depth": ("depth", z, {"units": "nm", "long_name": "Apparent depth"}),
        "achieved_resolution": ("depth", np.full(z.size, 3.0), {"units": "nm"}),
    }
    run = run_of().rename(sputter_time="depth").assign_coords(columns)
    fit = sims.fit(run.drop_vars("achieved_resolution"), model="gaussian", repeat=5)
    found = sims.calibrate_depth(run, markers=fit, depths=[f"{2 * d:g} nm" for d in DEPTHS])
    factor = found["depth_factor"].item()
    np.testing.assert_allclose(found["achieved_resolution"], 3.0 * factor, rtol=1e-14)
    assert found["achieved_resolution"].attrs["units"] == "nm"
    assert found["depth"].attrs["long_name"] == "Apparent depth"
    assert found["depth"].attrs["calibration"].startswith("z = ")


def fit_of(where, variance=1e-6, **more):
    """Give what a fit of layers says of their positions, known to a thousandth of a second."""
    names = [f"position[{i}]" for i in range(len(where))]
    square = (("parameter", "parameter_"), variance * np.eye(len(where)))
    return xr.Dataset(
        {"position": ("layer", where, {"units": "s"}), "covariance": square, "status": "ok"},
        {"layer": range(len(where)), "parameter": names, "parameter_": names},
        {"axis": "sputter_time"} | more,
    )


def test_a_fit_of_one_species_is_one_of_all():
    run, depths = run_of(), ["10 nm", "20 nm", "30 nm"]
    fit = fit_of([20.0, 40.0, 60.0])
    found = [
        sims.calibrate_depth(run, markers=one, depths=depths)["sputter_rate"]
        for one in (fit, fit.expand_dims(species=["B"]), fit.assign_coords(species="B"))
    ]
    assert [rate.item() for rate in found] == [pytest.approx(0.5)] * 3
    assert [rate.dims for rate in found] == [()] * 3


def test_layers_that_were_not_found_and_errors_of_the_scale_itself(approved):
    depths = ["10 nm", "20 nm", "30 nm"]
    fit = fit_of([20.0, 40.0, np.nan, 60.0])
    found = sims.calibrate_depth(run_of(), markers=fit, depths=depths)
    assert found["sputter_rate"].item() == pytest.approx(0.5)
    known = fit_of([20.0, 40.0, 60.0], depth_uncertainty="0.05")
    with raises(ProfileError, argument="markers", text=approved):
        sims.calibrate_depth(run_of(), markers=known, depths=depths)
    without = fit_of([20.0, 40.0, 60.0], depth_uncertainty="0")
    assert sims.calibrate_depth(run_of(), markers=without, depths=depths)["marker_status"] == "ok"
    nameless = without.assign_coords(parameter=["a", "b", "c"], parameter_=["a", "b", "c"])
    with raises(ProfileError, "other_result", "markers"):
        sims.calibrate_depth(run_of(), markers=nameless, depths=depths)


def test_markers_belong_to_the_measurements_of_the_data(approved):
    runs = xr.concat([run_of(), run_of()], "measurement").assign_coords(measurement=["a", "b"])
    fits = xr.concat([fit_of([20.0, 40.0]), fit_of([20.0, 40.0])], "measurement")
    fits = fits.assign_coords(measurement=["a", "c"])
    with raises(ProfileError, "missing_value", argument="markers", text=approved):
        sims.calibrate_depth(runs, markers=fits, depths=["10 nm", "20 nm"])


def test_apparent_depths_in_another_unit_become_depths_in_nm():
    z = np.arange(0.0, 0.08, 0.001)
    run = xr.DataArray(
        np.ones(z.size), {"depth": ("depth", z, {"units": "um", "note": "kept"})}, ["depth"],
        name="counts", attrs={"units": "count"},
    )  # fmt: skip
    fit = fit_of([20.0, 40.0, 60.0], axis="depth")
    fit["position"].attrs["units"] = "nm"
    found = sims.calibrate_depth(run, markers=fit, depths=["10 nm", "20 nm", "30 nm"])
    np.testing.assert_allclose(found["depth"], 500 * z, rtol=1e-9)
    assert (found["depth"].attrs["units"], found["depth"].attrs["note"]) == ("nm", "kept")


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
@pytest.mark.parametrize(("off", "status"), [(3.43, "ok"), (3.45, "bent")])
def test_a_line_is_bent_where_chance_is_below_half_a_per_cent(off, status):
    # Of three points, the middle one off by d: chi-square is 2/3 d^2, and 7.879 in 0.5 % of cases.
    assert (2 / 3 * off**2 > 7.879) == (status == "bent")
    fit = fit_of([50.0, 150.0 + off, 250.0], variance=1.0)
    ds = sims.calibrate_depth(run_of(), markers=fit, depths=["50 nm", "150 nm", "250 nm"])
    assert ds["marker_status"] == status
    assert ds["marker_misfit"].item() == pytest.approx(2 / 3 * off**2)
    assert ds["sputter_rate"].item() == pytest.approx(1.0)
    assert ds["sputter_rate_stderr"].item() == pytest.approx(np.sqrt(0.5) / 100)


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.FitWarning")
def test_a_rate_is_known_from_five_standard_errors_of_the_slope(approved):
    # Of two points with the error s each at a distance d, the slope has the error sqrt(2) s / d.
    known = {"depths": ["10 nm", "20 nm"]}
    found = sims.calibrate_depth(run_of(), markers=fit_of([10.0, 20.0], 50.0 / 5.01**2), **known)
    assert found["sputter_rate"].item() == pytest.approx(1.0)
    with raises(ProfileError, argument="markers", text=approved):
        sims.calibrate_depth(run_of(), markers=fit_of([10.0, 20.0], 50.0 / 4.99**2), **known)
