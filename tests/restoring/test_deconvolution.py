"""Restored profiles: against the truth, the data, and computations by other means."""

import numpy as np
import pytest
import restored_truth as rt
import xarray as xr
from error_parts import raises, warns
from scipy import special

import sims_analysis as sims
from sims_analysis.errors import FitWarning, ProfileError, ProfileWarning, UnitsError
from sims_analysis.restoring.resolution_function import ResolutionFunction

Z = np.arange(30, 90, 0.5)
RES = rt.RESOLUTION

# Ripples on plateaus: not what these tests are about.
pytestmark = pytest.mark.filterwarnings("ignore:.*may be no layer")


def measured(truth=rt.box, top=3000.0, seed=0, z=Z, **options):
    clean = rt.blurred(truth, z)
    return rt.counted(top * clean / clean.max(), z, seed, **options), top / clean.max()


@pytest.fixture(scope="module")
def layer():
    ds, scale = measured()
    return ds, scale, sims.deconvolve(ds, resolution=RES)


# --- the function -----------------------------------------------------------------------------


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("name", "widths"),
    [
        ("delta_drf", (0.8, 1.7, 1.1)),
        ("delta_drf", (0.0, 0.0, 2.0)),
        ("delta_drf", (0.0, 3.0, 0.5)),
        ("delta_drf", (2.0, 0.0, 0.5)),
        ("delta_mri", (2.0, 0.8, 0.5)),
        ("delta_mri", (2.0, 0.8, 0.0)),
    ],
)
def test_the_cumulative_function_is_the_integral(name, widths):
    one = ResolutionFunction(name, widths)
    u = np.linspace(-one.reach, one.reach, 400_001)
    density = one.density(u)
    sums = np.concatenate([[0], np.cumsum(0.5 * (density[1:] + density[:-1]))]) * (u[1] - u[0])
    np.testing.assert_allclose(one.cumulative(u), sums, atol=2e-7)
    low, high = one.within(1e-3)
    assert one.cumulative(np.array([low, high])) == pytest.approx([1e-3, 1 - 1e-3], rel=0.1)
    above = u[density > density.max() / 2]
    assert one.fwhm == pytest.approx(np.ptp(above), rel=5e-3)
    ends = np.array([-one.reach, one.reach])
    np.testing.assert_allclose(one.cumulative(ends), [0, 1], rtol=0, atol=1e-15)


# --- the profile ------------------------------------------------------------------------------


def test_the_resolution_at_both_ends_is_that_of_the_first_whole_kernel():
    """Of samples that are the same from both sides; a kernel that is cut is no narrower."""
    ds = rt.counted(np.full(60, 400.0), np.arange(60.0), seed=None)
    achieved = sims.deconvolve(ds, resolution="2 nm")["achieved_resolution"].values
    np.testing.assert_allclose(achieved, achieved[::-1], rtol=0.01)
    whole = int(np.argmax(np.arange(60) >= 0.5 * achieved))
    assert (achieved[:whole] >= achieved[whole]).all()


def test_a_layer_is_as_thick_as_it_is(layer):
    ds, scale, found = layer
    assert found["status"] == "ok"
    middle = found.sel(depth=slice(57, 63))
    np.testing.assert_allclose(middle["concentration"] / rt.PER_COUNT / scale, 1, rtol=0.15)
    edges = sims.layers(found, level=f"{0.5 * scale * rt.PER_COUNT} atoms/cm^3")
    assert float(edges["thickness"].values.ravel()[0]) == pytest.approx(10, abs=0.5)
    before = sims.layers(ds, level=f"{0.5 * scale * rt.PER_COUNT} atoms/cm^3")
    assert abs(float(before["top"].values.ravel()[0]) - 55) > 0.4  # the function shifts it


@pytest.mark.parametrize("sign", [1, -1])
def test_the_edge_of_a_smooth_step_is_where_it_is(sign):
    z = np.arange(20.0, 80.0)
    # An error function blurred by a Gaussian, in closed form.
    clean = special.ndtr(sign * (z - 50.3) / np.hypot(3.0, 4.0)) + 1e-3
    found = sims.interface(sims.deconvolve(rt.counted(1e4 * clean, z, None), resolution="4 nm"))
    assert found["position"].item() == pytest.approx(50.3, abs=0.25)
    assert found["width"].item() == pytest.approx(1.989 * 3, abs=0.5)
    # Known to the achieved resolution, and not as badly as what is interpolated between samples.
    assert 0.2 < found["position_stderr"].item() < 0.7
    assert 0.3 < found["width_stderr"].item() < 2.5


@pytest.mark.parametrize("sign", [1, -1])
def test_an_exponential_is_restored_to_one_that_is_lower_by_what_a_blur_adds(sign):
    """A Gaussian raises ``exp(-z / L)`` by ``exp(sigma^2 / 2 L^2)``."""
    z = np.arange(0.0, 60.0)
    clean = 3000 * np.exp(-z[::sign] / 15)
    found = sims.deconvolve(rt.counted(clean, z, None), resolution="2 nm", smoothness=3.0)
    expected = rt.PER_COUNT * clean * np.exp(-(2**2) / 2 / 15**2)
    np.testing.assert_allclose(found["concentration"], expected, rtol=5e-4)
    assert found["status"] == "ok"  # flatter than the function, if not within twice its width


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*restored profile is not ok")
def test_too_smooth_a_profile_resolves_nothing_within_the_record():
    z = np.arange(0.0, 20.0)
    ds = rt.counted(300 * np.exp(-z / 2) + 0.1, z, None)
    widths = {"lambda_growth": "1 nm", "lambda_decay": "3 nm", "sigma": "1 nm"}
    found = sims.deconvolve(ds, resolution=widths, smoothness=100)
    assert (found["achieved_resolution"][:15] > 15).all()


def test_refolded_is_what_is_measured_of_it(layer):
    found = layer[2]
    x = found["concentration"].values

    def restored(z):
        return x[np.clip(np.rint((z - Z[0]) / 0.5).astype(int), 0, Z.size - 1)]

    again = rt.blurred(restored, Z)
    inside = slice(20, -20)
    np.testing.assert_allclose(again[inside], found["refolded"].values[inside], rtol=2e-3)


def test_the_dose_is_that_of_the_data(layer):
    ds, _, found = layer
    before, after = (sims.integrated_dose(one).item() for one in (ds, found))
    assert after == pytest.approx(before, rel=2e-3)
    assert found["window_dose"].item() == pytest.approx(after, rel=1e-9)
    assert found["window_dose"].units == "atom/cm^2"
    assert abs(found["carried_dose"].item()) < 2e-3 * after
    error = found["window_dose_stderr"].item() / after
    assert error == pytest.approx(1 / np.sqrt(ds["concentration_counts"].sum().item()), rel=0.1)


@pytest.mark.study
def test_errors_hold_what_is_restored_without_noise():
    held = []
    for truth in (rt.implant, rt.edge, rt.box):
        clean = 1000 * rt.blurred(truth, Z)
        for seed in range(8):
            found = sims.deconvolve(rt.counted(clean, Z, seed), resolution=RES)
            again = {"resolution": RES, "smoothness": found["smoothness"].item()}
            free = sims.deconvolve(rt.counted(clean, Z, None), **again)
            apart = np.abs(found["concentration"] - free["concentration"])
            held.append((apart < found["concentration_stderr"])[1000 * truth(Z) > 10].mean())
    assert 0.63 < np.mean(held) < 0.78


@pytest.mark.slow
def test_averaging_kernels_are_what_a_change_of_the_truth_does():
    clean, strength = 3000 * rt.blurred(rt.implant, Z), 3.0
    options = {"resolution": RES, "smoothness": strength}
    found = sims.deconvolve(rt.counted(clean, Z, None), averaging_kernels=True, **options)
    kernel = found["averaging_kernel"]
    assert kernel.dims == ("depth", "depth_")
    at = 50  # in the middle of a cell 0.5 nm wide
    more = rt.blurred(lambda z: np.where(np.abs(z - Z[at]) < 0.25, 40.0, 0.0), Z)
    up, down = (
        sims.deconvolve(rt.counted(clean + sign * more, Z, None), **options)["concentration"]
        for sign in (1, -1)
    )
    slope = (up - down).values / (2 * 40 * rt.PER_COUNT)
    np.testing.assert_allclose(kernel[:, at], slope, atol=0.02 * slope.max())
    inside = kernel.isel(depth=slice(30, 60))
    np.testing.assert_allclose(inside.sum("depth_"), 1, atol=0.1)
    for i in (30, 45, 60):
        row = kernel[i].values
        rough = 0.5 * np.count_nonzero(row > row.max() / 2)
        assert found["achieved_resolution"][i] == pytest.approx(rough, abs=0.6)


@pytest.mark.slow
def test_the_achieved_resolution_is_never_below_a_cell():
    spike, _ = measured(lambda z: np.where(np.abs(z - 60) < 0.26, 1.0, 1e-4), top=1e6)
    found = sims.deconvolve(spike, resolution=RES)
    assert found["achieved_resolution"].min() >= 0.5
    assert Z[found["concentration"].values.argmax()] == pytest.approx(60, abs=0.5)


def test_steps_do_not_overshoot():
    ds, scale = measured(top=1e4)
    found = sims.deconvolve(ds, resolution=RES, smoothness="steps")
    assert found["concentration"].max() / rt.PER_COUNT / scale < 1.1
    assert found["status"] == "ok"


def test_a_stated_smoothness_is_that_of_an_answer(layer):
    ds, _, found = layer
    again = sims.deconvolve(ds, resolution=RES, smoothness=found["smoothness"].item())
    np.testing.assert_allclose(again["refolded"], found["refolded"], rtol=0.02)
    assert again["smoothness"] == found["smoothness"]


@pytest.mark.slow
def test_two_layers_are_two_and_noise_is_no_layer():
    def two(z):
        return (
            np.where(np.abs(z - 50) < 0.5, 1.0, 0) + np.where(np.abs(z - 62) < 0.5, 1.0, 0) + 0.01
        )

    ds, _ = measured(two, top=1e4)
    found = sims.deconvolve(ds, resolution=RES)
    c = found["concentration"].sel(depth=slice(45, 67))
    high = c["depth"].values[1:-1][
        (c[1:-1].values > c[:-2].values) & (c[1:-1].values > c[2:].values) & (c[1:-1] > c.max() / 3)
    ]
    np.testing.assert_allclose(high, [50, 62], atol=0.6)


@pytest.mark.slow
def test_a_plateau_is_carried_out_of_the_window():
    ds, _ = measured(lambda z: np.where(z < 60, 1.0, 1e-3))
    found = sims.deconvolve(ds, resolution=RES)
    assert found["status"] == "ok"
    # The centroid shifts by lambda_decay - lambda_growth, 0.9 nm of the plateau.
    shift = found["carried_dose"] / (found["concentration"][:20].mean() * 1e-7)
    assert shift == pytest.approx(-0.9, abs=0.1)


@pytest.mark.slow
def test_averages_over_cells_are_no_samples():
    """Cells nearly as wide as the function blur, too: both are taken out."""

    def layer(z):
        return np.exp(-0.5 * ((z - 60) / 2.5) ** 2) + 1e-3

    wide, fine = np.arange(31.5, 90, 3), np.arange(30.05, 90, 0.1)
    counts, truth = (
        one.reshape(-1, 30).mean(axis=1) for one in (rt.blurred(layer, fine), layer(fine))
    )
    samples = rt.counted(1e5 * counts, wide, None)
    edges = ("depth", "bounds"), np.stack([wide - 1.5, wide + 1.5], axis=1)
    off = []
    for ds in (samples.assign_coords(depth_bounds=edges), samples):
        found = sims.deconvolve(ds, resolution=rt.RESOLUTION)
        assert found["status"] == "ok"
        off.append(float(np.abs(found["concentration"] / rt.PER_COUNT / 1e5 - truth).max()))
    assert off[0] < 0.02 < 0.04 < off[1]


@pytest.mark.slow
@pytest.mark.parametrize("start", [pytest.param("12 nm", marks=pytest.mark.slow), "13 nm"])
def test_what_a_surface_transient_leaves_is_truncated(start):
    def both(z):
        return ((z > 0) & (z < 3)) + 0.05 * np.exp(-0.5 * ((z - 50) / 12) ** 2)

    ds, _ = measured(both, top=1e5, z=np.arange(0.0, 100, 0.4), seed=1)
    with warns(FitWarning, "truncated"):
        assert sims.deconvolve(ds, resolution=RES, start=start)["status"] == "truncated"
    assert sims.deconvolve(ds, resolution=RES, start="18 nm")["status"] == "ok"


@pytest.mark.slow
def test_what_is_below_detection_stays_there():
    z = np.arange(0, 120, 0.5)
    ds, _ = measured(lambda z: np.exp(-0.5 * ((z - 40) / 4) ** 2), top=500, z=z)
    found = sims.deconvolve(ds, resolution=RES)
    deep = found.sel(depth=slice(90, None))
    assert (deep["concentration"] == 0).all()
    assert (deep["concentration_stderr"] > 0).all()
    assert sims.junction_depth(found, level="1e12 atoms/cm^3").item() < 75


# --- statuses ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_function_too_wide_is_warned_of_where_an_edge_outruns_it():
    wide = {name: f"{1.3 * width} nm" for name, width in rt.WIDTHS.items()}
    ds, _ = measured(rt.edge, top=1e4)
    with warns(FitWarning, "resolution_too_wide"):
        found = sims.deconvolve(ds, resolution=wide)
    assert found["status"] == "resolution_too_wide"
    assert found["largest_deviance"] > 4
    assert sims.deconvolve(ds, resolution=RES)["status"] == "ok"


def test_a_stated_smoothness_may_be_what_does_not_fit(approved):
    wide = {name: f"{1.3 * width} nm" for name, width in rt.WIDTHS.items()}
    ds, _ = measured(rt.edge, top=1e4)
    with warns(FitWarning, "resolution_too_wide", text=approved):
        found = sims.deconvolve(ds, resolution=wide, smoothness="steps")
    assert found["largest_deviance"] > 12  # so far off, no maximum is examined
    assert found["doubtful_maxima"] == 0


@pytest.mark.parametrize(("resolution", "stop"), [("30 nm", "90 nm"), (RES, "33 nm")])
def test_a_function_wider_than_the_window_restores_nothing(resolution, stop):
    """It would be cells of the samples' spacing over all that the function reaches, too."""
    ds, _ = measured()
    with warns(FitWarning, "too_few_samples"):
        found = sims.deconvolve(ds, resolution=resolution, stop=stop)
    assert found["status"] == "too_few_samples"
    assert np.isnan(found["concentration"]).all()


@pytest.mark.slow
def test_a_thin_layer_between_two_samples_is_none_that_is_too_wide():
    """Two cells of 0.4 nm are wider than it is, which 100,000 counts show."""
    z = np.arange(55, 69, 0.4)
    at = z[17] + 0.2
    ds, _ = measured(lambda z: np.where(np.abs(z - at) < 0.15, 1.0, 0.0), top=1e5, z=z)
    found = sims.deconvolve(ds, resolution=RES)
    assert found["status"] == "ok"
    assert found["largest_deviance"] < 4


def test_too_few_counts_have_no_profile():
    ds, _ = measured(top=0.5)
    with warns(FitWarning, "too_few_counts"):
        found = sims.deconvolve(ds, resolution=RES)
    assert found["status"] == "too_few_counts"
    assert found["concentration"].isnull().all()
    assert np.isnan(found["window_dose"])


@pytest.mark.parametrize("limits", [{"start": "61 nm"}, {"stop": "60 nm"}])
def test_a_layer_that_is_cut_off_is_truncated(limits):
    ds, _ = measured(lambda z: np.where(np.abs(z - 60) < 0.5, 1.0, 1e-3))
    with warns(FitWarning, "truncated"):
        found = sims.deconvolve(ds, resolution=RES, **limits)
    assert found["status"] == "truncated"
    outside = found["concentration"].where(
        (ds["depth"] < 61) if "start" in limits else (ds["depth"] > 60), drop=True
    )
    assert outside.isnull().all()


@pytest.mark.slow
def test_a_gap_is_warned_of_and_bridged():
    ds, _ = measured(rt.implant)
    hole = ds.where((ds["depth"] < 48) | (ds["depth"] > 53), drop=True)
    with warns(FitWarning, "gap"):
        found = sims.deconvolve(hole, resolution=RES)
    assert found["status"] == "gap"
    bridged = sims.deconvolve(hole, resolution=RES, gaps="bridge")
    assert bridged["status"] == "ok"
    np.testing.assert_allclose(
        bridged["concentration"].sel(depth=[45, 56]),
        sims.deconvolve(ds, resolution=RES)["concentration"].sel(depth=[45, 56]),
        rtol=0.15,
    )


@pytest.mark.slow
def test_noise_between_maxima_is_named(approved):
    """A weak prior follows the noise of a plateau."""
    ds, _ = measured(np.ones_like, top=100)
    with warns(FitWarning, text=approved):
        found = sims.deconvolve(ds, resolution=RES, smoothness=0.01)
    assert found["doubtful_maxima"] > 2
    c = found["concentration"].values
    tops = 1 + np.flatnonzero((c[1:-1] > c[:-2]) & (c[1:-1] >= c[2:]))
    which = tops.tolist().index(Z.tolist().index(found["doubtful_maximum"].item()))
    # Of two maxima about a valley, the lower one.
    assert c[tops[which]] < c[tops[[which - 1, which + 1]]].max()
    # As many in each part of a longer record.
    ds, _ = measured(np.ones_like, top=100, z=np.arange(30, 230, 0.5))
    assert sims.deconvolve(ds, resolution=RES, smoothness=0.01)["doubtful_maxima"] > 25
    # Ripples of less than a tenth need no defence.
    ds, _ = measured(np.ones_like, top=1e4)
    assert sims.deconvolve(ds, resolution=RES, smoothness=0.3)["doubtful_maxima"] == 0


# --- data of all kinds ------------------------------------------------------------------------


@pytest.mark.slow
def test_profiles_of_a_batch_are_restored_as_they_are_alone():
    one, two = measured(rt.implant, top=300)[0], measured(rt.edge, top=2000, seed=3)[0]
    two = two.where(~two["depth"].isin([40.0, 70.0]))
    batch = xr.concat([one, two], "measurement")
    found = sims.deconvolve(batch, resolution=RES)
    for i, alone in enumerate([one, two]):
        xr.testing.assert_allclose(
            found.isel(measurement=i).drop_vars("status"),
            sims.deconvolve(alone, resolution=RES).drop_vars("status"),
            rtol=1e-12,
        )
    assert found["concentration"].isel(measurement=1).sel(depth=40).isnull()
    assert list(found["status"].values) == ["ok", "ok"]
    lazy = sims.deconvolve(batch.chunk({"measurement": 1}), resolution=RES)
    assert lazy.chunks
    xr.testing.assert_allclose(lazy.compute(), found, rtol=1e-12)


@pytest.mark.slow
def test_units_and_layouts_do_not_matter(layer):
    ds, _, found = layer
    in_um = ds.assign_coords(depth=("depth", Z / 1000, {"units": "um"}))
    again = sims.deconvolve(in_um, resolution={k: f"{v / 1000} um" for k, v in rt.WIDTHS.items()})
    np.testing.assert_allclose(again["concentration"], found["concentration"], rtol=1e-6)
    quantified = sims.deconvolve(sims.quantify(ds), resolution=RES)
    assert hasattr(quantified["concentration"].data, "magnitude")
    np.testing.assert_array_equal(
        sims.dequantify(quantified)["concentration"], found["concentration"]
    )


@pytest.mark.slow
def test_profiles_with_depths_of_their_own():
    own = Z + 0.2
    a, b = measured(rt.implant)[0], measured(rt.implant, z=own, seed=4)[0]
    ds = xr.concat([a.drop_vars("depth"), b.drop_vars("depth")], "species").rename(depth="point")
    ds = ds.assign_coords(
        depth=(("species", "point"), np.stack([Z, own]), {"units": "nm"}), species=["B", "P"]
    )
    found = sims.deconvolve(ds, resolution=RES)
    for i, alone in enumerate([a, b]):
        np.testing.assert_allclose(
            found["concentration"][i], sims.deconvolve(alone, resolution=RES)["concentration"]
        )
    assert sims.integrated_dose(found, stop="85 nm").dims == ("species",)


@pytest.mark.slow
def test_samples_at_irregular_depths():
    rng = np.random.default_rng(2)
    z = np.sort(np.concatenate([rng.uniform(30, 60, 60), rng.uniform(60, 90, 20)]))
    z = z[np.concatenate([[True], np.diff(z) > 0.05])]
    ds, scale = measured(rt.implant, z=z)
    found = sims.deconvolve(ds, resolution=RES, gaps="bridge")
    here = rt.implant(z) > 0.05
    np.testing.assert_allclose(
        found["concentration"][here] / rt.PER_COUNT / scale, rt.implant(z)[here], rtol=0.1
    )


@pytest.mark.slow
def test_errors_without_counts_are_those_of_counts(layer):
    ds, _, found = layer
    again = sims.deconvolve(ds.drop_vars("concentration_counts"), resolution=RES)
    assert again["source_of_errors"] == "standard errors"
    np.testing.assert_allclose(again["concentration"], found["concentration"], rtol=0.05)


@pytest.mark.slow
def test_samples_without_errors_have_those_of_their_scatter():
    ds, _ = measured(rt.implant)
    found = sims.deconvolve(ds[["concentration"]], resolution=RES)
    assert found["source_of_errors"] == "scatter"
    counted = sims.deconvolve(ds, resolution=RES)
    ratio = found["concentration_stderr"] / counted["concentration_stderr"]
    assert 0.7 < float(ratio.median()) < 1.4


@pytest.mark.filterwarnings("ignore:.*the background window is too short")
@pytest.mark.slow
def test_a_background_is_not_restored(layer):
    clean = rt.blurred(lambda z: rt.box(z, base=0.0), Z)
    ds = rt.counted(3000 * clean + 50, Z, 5)
    found = sims.deconvolve(ds, resolution=RES, background=f"{50 * rt.PER_COUNT} atoms/cm^3")
    assert found["concentration"].sel(depth=slice(None, 48)).max() < 30 * rt.PER_COUNT
    assert found["refolded"].sel(depth=40) == pytest.approx(50 * rt.PER_COUNT, rel=0.2)
    windowed = sims.deconvolve(ds, resolution=RES, background=("80 nm", "90 nm"))
    np.testing.assert_allclose(windowed["window_dose"], found["window_dose"], rtol=0.03)


@pytest.mark.slow
def test_intensities_and_counts_are_restored_too():
    ds, _ = measured(rt.implant)
    counts = xr.Dataset({"counts": ds["concentration_counts"]})
    found = sims.deconvolve(counts, resolution=RES)
    assert found["counts"].units == "count"
    assert found["source_of_errors"] == "counts"
    np.testing.assert_allclose(
        found["counts"] * rt.PER_COUNT,
        sims.deconvolve(ds, resolution=RES)["concentration"],
        rtol=1e-3,
    )


# --- arguments --------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("model", ["delta_drf", "gaussian"])
def test_a_fit_of_a_delta_layer_finds_the_resolution_function(model):
    widths = rt.WIDTHS if model == "delta_drf" else {"a": 0.0, "b": 0.0, "sigma": 1.6}
    z = np.arange(30, 90, 0.25)
    delta = rt.counted(
        rt.blurred(lambda q: np.where(np.abs(q - 60) < 0.02, 2e6, 0.0), z, widths), z
    )
    fit = sims.fit(delta, model=model)
    found = sims.deconvolve(measured()[0], resolution=fit)
    stated = {"delta_drf": RES, "gaussian": "1.6 nm"}[model]
    expected = sims.deconvolve(measured()[0], resolution=stated)
    assert np.abs(found["concentration"] / expected["concentration"] - 1).median() < 0.05


@pytest.mark.slow
def test_a_fit_of_several_layers_finds_it_too_and_must_be_ok():
    z = np.arange(0, 60, 0.4)

    def deltas(q):
        return sum(np.where(np.abs(q - at) < 0.02, 1e5, 0.0) for at in (15, 30, 45))

    standard = rt.counted(rt.blurred(deltas, z), z)
    fit = sims.fit(standard, model="delta_drf", repeat=3)
    ds = measured()[0]
    found = sims.deconvolve(ds, resolution=fit, smoothness="steps")
    assert found["status"] == "ok"
    own = sims.fit(standard, model="delta_drf", repeat=3, shared=())
    with raises(ProfileError, argument="resolution"):
        sims.deconvolve(ds, resolution=own)
    one = sims.deconvolve(ds, resolution=own.isel(layer=1), smoothness="steps")
    np.testing.assert_allclose(one["window_dose"], found["window_dose"], rtol=1e-3)
    doubtful = fit.assign(status=fit["status"].copy(data=np.array("wrong_shape")))
    with warns(FitWarning, "wrong_shape", argument="resolution"):
        sims.deconvolve(ds, resolution=doubtful, smoothness="steps")
    unknown = doubtful.assign({name: doubtful[name] * np.nan for name in rt.WIDTHS})
    with raises(ProfileError, "wrong_shape", argument="resolution"):
        sims.deconvolve(ds, resolution=unknown)


@pytest.mark.slow
def test_each_profile_may_have_a_function_of_its_own():
    a, b = measured(rt.implant)[0], measured(rt.box, seed=2)[0]
    ds = xr.concat([a, b], xr.Variable("species", ["B", "P"]))
    sigma = xr.DataArray([1.5, 2.0], {"species": ["P", "B"]}, attrs={"units": "nm"})
    found = sims.deconvolve(ds, resolution=sigma)
    for species, width, alone in (("B", "2 nm", a), ("P", "1.5 nm", b)):
        np.testing.assert_allclose(
            found["concentration"].sel(species=species),
            sims.deconvolve(alone, resolution=width)["concentration"],
        )
    sigma[0] = np.nan
    with warns(FitWarning, "resolution_unknown", species="P"):
        partly = sims.deconvolve(ds, resolution=sigma)
    assert list(partly["status"].values) == ["ok", "resolution_unknown"]


def few(peak=300.0, width=4.0):
    """Count a layer in thirty samples."""
    z = np.arange(0.0, 30.0)
    return rt.counted(peak * np.exp(-0.5 * ((z - 15) / width) ** 2) + 2, z)


def test_an_answer_has_names_and_units_and_says_how_it_was_made():
    ds = few().assign_attrs(history="measured")
    found = sims.deconvolve(
        ds, resolution="2 nm", smoothness=3.0, averaging_kernels=True, background="1e15 cm^-3"
    )
    attrs = {
        name: (one.attrs.get("units"), one.attrs.get("long_name"))
        for name, one in found.variables.items()
    }
    assert attrs == {
        "concentration": ("atom/cm^3", "Concentration"),
        "concentration_stderr": ("atom/cm^3", "Standard error of concentration"),
        "refolded": ("atom/cm^3", "Refolded profile"),
        "window_dose": ("atom/cm^2", "Dose of the window"),
        "window_dose_stderr": ("atom/cm^2", "Standard error of the dose of the window"),
        "carried_dose": ("atom/cm^2", "Dose carried out of the window"),
        "smoothness": ("1", "Smoothness"),
        "largest_deviance": ("1", "Largest deviance"),
        "n_samples": (None, "Number of samples"),
        "doubtful_maxima": (None, "Doubtful maxima"),
        "doubtful_maximum": ("nm", "Doubtful maximum"),
        "averaging_kernel": ("1", "Averaging kernel"),
        "status": (None, "Status"),
        "source_of_errors": (None, "Source of the errors"),
        "depth": ("nm", None),
        "effective_sample_fraction": (None, "Independent samples for each depth"),
        "achieved_resolution": ("nm", "Achieved resolution"),
        "concentration_quality": (None, "Quality"),
    }
    words = {name: found.attrs[name] for name in ("resolution", "smoothness", "background")}
    assert words == {
        "resolution": "delta_drf, lambda_growth 0 nm, lambda_decay 0 nm, sigma 2 nm, 4.71 nm wide "
        "at half maximum",
        "smoothness": "3.0",
        "background": "'1e15 cm^-3'",
    }
    line = f"deconvolve(resolution='2 nm'), by sims_analysis {sims.__version__}"
    assert found.attrs["history"].splitlines() == ["measured", line]
    assert found.attrs["errors"].startswith("68 %, of what samples without noise would be restored")
    assert found["n_samples"].dtype == found["doubtful_maxima"].dtype == np.int64
    # No straight lines between fewer samples, whatever the fraction of these.
    assert found["effective_sample_fraction"].attrs["interpolated"] == "no"
    # 2 sqrt(2 ln 2) standard deviations.
    assert f"{2 * np.sqrt(2 * np.log(2)) * 2:.3g}" == "4.71"


@pytest.mark.slow
def test_profiles_of_a_batch_have_kernels_of_their_own():
    one, other = few(), few(100.0, 5.0)
    options = {"smoothness": 3.0, "averaging_kernels": True}
    sigma = xr.DataArray([2.0, 1.5], dims="wafer", attrs={"units": "nm"})
    both = sims.deconvolve(xr.concat([one, other], "wafer"), resolution=sigma, **options)
    assert both.attrs["resolution"] == "delta_drf, of each profile"
    assert both.attrs["background"] == "none"
    assert both["averaging_kernel"].dims == ("wafer", "depth", "depth_")
    for i, (ds, width) in enumerate(((one, "2 nm"), (other, "1.5 nm"))):
        alone = sims.deconvolve(ds, resolution=width, **options)
        for name in ("averaging_kernel", "achieved_resolution", "concentration", "status"):
            xr.testing.assert_equal(both[name][i], alone[name])
        # A profile that is everywhere larger by one part is restored as larger by about that: the
        # prior is about its logarithm, and what is left of it is that of kinks.
        x = alone["concentration"].values
        moved = alone["averaging_kernel"].values @ x
        np.testing.assert_allclose(moved[8:22], x[8:22], rtol=0.2)
    depths = [one["depth"].values, other["depth"].values + 0.5]
    own = xr.concat([one, other], "wafer").rename(depth="point").drop_vars("point")
    own = own.assign_coords(depth=(("wafer", "point"), depths, {"units": "nm"}))
    kernels = sims.deconvolve(own, resolution=sigma, **options)["averaging_kernel"]
    assert kernels.dims == ("wafer", "point", "point_")
    np.testing.assert_allclose(kernels, both["averaging_kernel"], rtol=1e-6, atol=1e-9)


@pytest.mark.few(1)
@pytest.mark.filterwarnings("ignore:.*the restored profile is not ok")
@pytest.mark.parametrize("where", ["below", "between"])
def test_samples_below_a_limit_are_warned_of_and_stay_so(where):
    ds, _ = measured(rt.implant, top=3000)
    low = Z > 80 if where == "below" else np.abs(Z - 60) < 1
    limit = np.where(low, 1e17, np.nan)
    ds = ds.where(xr.DataArray(~low, dims="depth"))
    ds = ds.assign_coords(concentration_detection_limit=("depth", limit, {"units": "atom/cm^3"}))
    with warns(FitWarning, "below_limit", start=f"{Z[low][0] - 0.5:g} nm"):
        found = sims.deconvolve(ds, resolution=RES)
    assert found["status"] == {"below": "ok", "between": "below_limit"}[where]
    assert found["concentration"][low].isnull().all()
    # What lies within the achieved resolution of such samples rests on them.
    stays = found["concentration_detection_limit"].notnull()
    assert stays[low].all()
    # Those with a value of their own have no limit below it.
    assert (found["concentration_detection_limit"][low] == 1e17).all()
    assert not (found["concentration"] > found["concentration_detection_limit"]).any()
    if where == "between":
        level = f"{3000 * rt.implant(60.0) * rt.PER_COUNT} atoms/cm^3"
        with warns(ProfileWarning, "below_limit", crossing="1"):
            crossed = sims.crossings(found, level=level)
        assert crossed["status"].values[-1] == "below_limit"


@pytest.mark.parametrize("n", [8, 40])
def test_a_mirrored_record_is_restored_mirrored(n):
    z = 2.0 * np.arange(n)
    counts = np.random.default_rng(1).poisson(1000 * np.exp(-(((z - n) / 6) ** 2) / 2) + 50)
    there, back = (
        sims.deconvolve(rt.counted(one, z, None), resolution="3 nm")["achieved_resolution"].values
        for one in (counts, counts[::-1])
    )
    np.testing.assert_allclose(there, back[::-1], rtol=1e-9)


def test_the_ends_of_the_window_resolve_no_better_than_the_inside(layer):
    achieved = layer[2]["achieved_resolution"].values
    for depth, resolution in ((Z, achieved), (-Z[::-1], achieved[::-1])):
        whole = np.argmax(depth - depth[0] >= 0.5 * resolution)
        assert whole > 3
        assert (resolution[:whole] >= resolution[whole]).all()


def test_what_is_restored_is_not_restored_again(layer):
    with raises(ProfileError, "already_changed"):
        sims.deconvolve(layer[2], resolution=RES)


def test_a_profile_over_time_is_refused(layer):
    ds = layer[0].rename(depth="sputter_time")
    ds["sputter_time"].attrs["units"] = "s"
    with raises(UnitsError, "missing_axis"):
        sims.deconvolve(ds, resolution=RES)
