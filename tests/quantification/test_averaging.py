"""Means of replicates against Monte Carlo: counting and scatter, apart."""

import numpy as np
import pytest
import xarray as xr
from error_parts import warns

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning

Z = np.arange(0.0, 200.0, 2.0)
SHAPE = np.exp(-(((Z - 80) / 30) ** 2)) + 1e-3


def replicates(n=4, top=400.0, drift=0.0, seed=1, species=("B",)):
    rng = np.random.default_rng(seed)
    scale = 1 + drift * rng.standard_normal((n, 1, 1))
    counts = rng.poisson(top * SHAPE * scale * np.ones((n, len(species), 1))).astype(float)
    ds = xr.Dataset(
        {
            "concentration": (
                ("measurement", "species", "depth"), counts * 1e16, {"units": "atom/cm^3"}
            )
        },
        coords={
            "measurement": [f"r{i}" for i in range(n)],
            "species": list(species),
            "depth": ("depth", Z, {"units": "nm"}),
        },
    )  # fmt: skip
    return sims.with_counting_statistics(ds, value_per_count="1e16 atoms/cm^3")


def test_by_hand():
    ds = replicates()
    found = sims.average(ds)
    c, s = ds["concentration"].values, ds["concentration_stderr"].values
    np.testing.assert_allclose(found["concentration"], c.mean(0), rtol=1e-14)
    np.testing.assert_allclose(found["concentration_scatter"], c.std(0, ddof=1) / 2, rtol=1e-12)
    seen = ds["concentration_counts"].sum("measurement").values > 0
    by_counts = np.sqrt((s**2).sum(0, where=c > 0)) / 4
    np.testing.assert_allclose(found["concentration_stderr"].values[seen], by_counts[seen])
    # No count in all of them: 1.84 counts are the upper end, half of it the error.
    np.testing.assert_allclose(
        found["concentration_stderr"].values[~seen], 1.841 / 2 * 1e16 / 4, rtol=1e-3
    )
    np.testing.assert_array_equal(
        found["concentration_counts"], ds["concentration_counts"].sum("measurement")
    )
    assert found["n_replicates"].sel(species="B").item() == 4
    assert found["concentration"].dims == ("species", "depth")
    assert "measurement" not in found.dims
    for end, words in (
        ("stderr", "Standard error of concentration"),
        ("scatter", "Standard error of the mean by scatter"),
    ):
        attrs = found[f"concentration_{end}"].attrs
        assert (attrs["units"], attrs["long_name"]) == ("atom/cm^3", words)
    counts = found["concentration_counts"].attrs
    assert (counts["units"], counts["long_name"]) == ("count", "Counts")
    assert "long_name" not in found["concentration"].attrs, "as before"
    line = found.attrs["history"].splitlines()[-1]
    assert line.startswith("mean of 4 measurements: r0, r1, r2, r3, by ")


@pytest.mark.slow
def test_doses_of_means_cover_the_truth():
    truth = np.trapezoid(400 * SHAPE * 1e16, Z * 1e-7)
    trials = sims.average(replicates(3, species=[f"s{i}" for i in range(1000)]))
    dose = sims.integrated_dose(trials)
    assert 0.64 <= float((abs(dose - truth) <= dose["stderr"]).mean()) <= 0.72


def test_zero_counts_add_nothing_to_the_error_of_others():
    one = xr.Dataset(
        {"intensity": (("measurement", "depth"), [[0.0, 0.0], [9.0, 0.0]], {"units": "count"})},
        {"depth": ("depth", [1.0, 2.0], {"units": "nm"})},
    )
    mean = sims.average(sims.with_counting_statistics(one))
    # Of nine counts in two exposures; and half of 1.84 counts, of none.
    np.testing.assert_allclose(mean["intensity_stderr"], [1.5, 0.46], rtol=1e-2)


@pytest.mark.slow
def test_scales_that_differ_are_an_error_that_all_samples_share():
    ds = replicates(5, top=1e4, drift=0.1)
    with warns(ProfileWarning, "inconsistent", species="B"):
        found = sims.average(ds)
    totals = ds["concentration_counts"].sum("depth").values[:, 0]
    # Student's t of four degrees of freedom is 1.142 at one standard error.
    by_hand = 1.142 * totals.std(ddof=1) / totals.mean() / 5**0.5
    assert found["scale_repeatability"].item() == pytest.approx(by_hand, rel=0.01)
    budget = sims.dose_budget(found)
    np.testing.assert_allclose(
        budget["systematic_stderr"], found["scale_repeatability"] * budget["dose"], rtol=1e-12
    )
    relative = found["scale_repeatability"]
    for one in (
        sims.mean_value(found, start="70 nm", stop="90 nm"),
        sims.integrated_dose(found, stop="150 nm"),
    ):
        assert 1 < one["stderr"].item() / (relative * one).item() < 1.1
    place = sims.junction_depth(found, "1e19 atoms/cm^3")
    assert place["stderr"].item() > (relative * place["decay_length"]).item()
    certified = sims.scale_to_dose(found, dose="1e15 atoms/cm^2", dose_uncertainty=0.0)
    assert sims.integrated_dose(certified)["stderr"].item() < 0.1 * (relative * 1e15).item()
    dose = sims.fit(found, model="gaussian", start="40 nm", stop="120 nm")
    assert dose["dose_stderr"].item() > 0.9 * by_hand * dose["dose"].item()
    for top in (1.0, 30.0, 1e4):
        alike = sims.average(replicates(3, top=top, species=[f"s{i}" for i in range(60)]))
        different = float((alike["scale_repeatability"] > 0).mean())
        assert 0.05 * (top > 1) < different < 0.22  # one in eight


@pytest.mark.slow
@pytest.mark.few(2)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("n", [2, 3, 5])
def test_errors_of_replicates_that_differ_in_scale_cover_the_truth(n, counted):
    rng = np.random.default_rng(n)
    parts = [replicates(n, 1000.0, seed=i, species=[f"s{i}"]) for i in range(80)]
    for part in parts:
        scale = 1 + 0.02 * rng.standard_normal((n, 1, 1))
        counts = rng.poisson(1000 * scale * SHAPE) * 1e16
        part["concentration"] = part["concentration"].copy(data=counts)
    ds = xr.concat(parts, "species", join="exact").assign_coords(
        depth=("depth", Z, {"units": "nm"})
    )[["concentration"]]
    if counted:
        ds = sims.with_counting_statistics(ds, value_per_count="1e16 atoms/cm^3")
    budget = sims.dose_budget(sims.average(ds))
    total = np.hypot(budget["random_stderr"], budget["systematic_stderr"])
    truth = np.trapezoid(1000 * SHAPE * 1e16, Z * 1e-7)
    assert 0.55 <= float((abs(budget["dose"] - truth) <= total).mean()) <= 0.81


def test_depths_that_differ_add_to_the_uncertainty_of_the_depth_scale():
    rng = np.random.default_rng(2)
    stretches = np.array([0.98, 1.0, 1.01, 1.02])
    rows = [1e5 * np.exp(-(((Z * f - 80) / 30) ** 2)) for f in stretches]
    ds = replicates(4)[["concentration"]].assign_coords(
        depth_scale_uncertainty=("measurement", [0.01] * 4)
    )
    counts = rng.poisson(np.array(rows)[:, None]) * 1e16
    ds["concentration"] = ds["concentration"].copy(data=counts)
    ds = sims.with_counting_statistics(ds, value_per_count="1e16 atoms/cm^3")
    found = sims.average(ds)["depth_scale_uncertainty"]
    own = 1.197 * stretches.std(ddof=1) / 2  # Student's t of three degrees of freedom
    assert found.item() == pytest.approx(np.hypot(own, 0.01), rel=0.05)


def test_samples_that_scatter_beyond_counting_have_the_error_of_their_scatter():
    ds = replicates(4, top=1e4)
    noise = 1 + 0.1 * np.random.default_rng(0).standard_normal(ds["concentration"].shape)
    ds["concentration"] = (ds["concentration"] * noise).assign_attrs(units="atom/cm^3")
    with warns(ProfileWarning, "inconsistent", species="B"):
        found = sims.average(ds).sel(species="B", depth=slice(60, 100))
    relative = (found["concentration_stderr"] / found["concentration"]).mean().item()
    assert relative == pytest.approx(0.1 / 2, rel=0.25)


def test_without_standard_errors_the_scatter_is_pooled_over_depth():
    plain = replicates(2, top=1000.0)[["concentration"]]
    found = sims.average(plain)
    expected = np.sqrt(1000 * SHAPE / 2) * 1e16  # of counts
    off = found["concentration_stderr"].sel(species="B") / expected
    assert 0.8 < off.sel(depth=slice(30, 130)).min() < off.sel(depth=slice(30, 130)).max() < 1.25
    one = sims.average(plain.isel(measurement=[0]).assign_coords(wafer=("measurement", ["a"])))
    assert one["wafer"].item() == "a"
    assert one["concentration_stderr"].isnull().all()
    assert one["scale_repeatability"].isnull().all()
    np.testing.assert_array_equal(one["concentration"], plain["concentration"][0])


def test_a_depth_that_one_replicate_lacks_has_no_mean():
    ds = replicates(3, species=("B", "P"))
    hole = ds["depth"] > 150
    ds["concentration"] = ds["concentration"].where(~(hole & (ds["measurement"] == "r1")))
    ds["concentration"].loc[{"measurement": "r2", "species": "P"}] = np.nan
    ds["concentration"].attrs["units"] = "atom/cm^3"
    found = sims.average(ds)
    for species, n in (("B", 3), ("P", 2)):
        one = found["concentration"].sel(species=species)
        np.testing.assert_array_equal(one.isnull(), hole)
        assert found["n_replicates"].sel(species=species).item() == n


def test_systematic_uncertainties_do_not_become_smaller():
    ds = replicates(3).assign_coords(
        sensitivity_factor=(("measurement", "species"), [[1e21], [1e21], [1e21]]),
        sensitivity_factor_uncertainty=(("measurement", "species"), [[0.05], [0.1], [0.05]]),
        crater_depth=("measurement", [200.0, 201.0, 202.0], {"units": "nm"}),
        depth_scale_uncertainty=("measurement", [0.02, np.nan, 0.02]),
    )
    found = sims.average(ds)
    assert found["sensitivity_factor"].item() == 1e21
    assert found["sensitivity_factor_uncertainty"].item() == 0.1
    assert np.isnan(found["depth_scale_uncertainty"].item())  # that of one is not known
    assert "crater_depth" not in found.coords
    budget = sims.dose_budget(found).sel(species="B")
    assert budget["rsf_stderr"].item() == pytest.approx(0.1 * budget["dose"].item())


def test_the_same_in_every_layout():
    ds = replicates(3, species=("B", "P"))
    expected = sims.average(ds)
    for other in (
        sims.dequantify(sims.average(sims.quantify(ds))),
        sims.average(ds.chunk()).compute(),
        sims.average(ds.transpose("depth", "species", "measurement")).transpose("species", "depth"),
        sims.average(ds.isel(measurement=[2, 0, 1])),
    ):
        for name in expected.data_vars:
            np.testing.assert_allclose(
                other[name].transpose(*expected[name].dims), expected[name], rtol=1e-12
            )


def test_backgrounds_of_replicates_are_independent():
    ds = sims.subtract_background(replicates(4), window=("160 nm", "198 nm"))
    found = sims.average(ds)
    b = ds["concentration_background_stderr"].values
    np.testing.assert_allclose(
        found["concentration_background_stderr"], np.sqrt((b**2).sum(0)) / 4, rtol=1e-12
    )
    together = sims.subtract_background(sims.average(replicates(4)), window=("160 nm", "198 nm"))
    parts = [sims.integrated_dose(one, stop="150 nm")["stderr"].item() for one in (found, together)]
    assert parts[0] == pytest.approx(parts[1], rel=0.15)


def test_logarithms_of_few_counts_warn_where_they_make_sums_too_low(recwarn):
    few = replicates(5, top=10.0)
    with warns(ProfileWarning, "uncertain_dose", species="B"):
        sims.average(sims.to_grid(few, step="1.5 nm"))
    sims.average(sims.to_grid(few, step="1.5 nm", method="linear"))
    sims.average(sims.to_grid(replicates(5, top=1000.0), step="1.5 nm"))
    assert not recwarn


def test_a_grid_finer_than_the_samples_stays_one():
    part = ("measurement", [0.5, np.nan, 0.25], {"interpolated": "log"})
    found = sims.average(replicates(3).assign_coords(effective_sample_fraction=part))
    # NaN: a measurement as it was. Variances of sums, over those of samples, are averaged.
    assert found["effective_sample_fraction"].item() == pytest.approx(3 / (2 + 1 + 4))
    assert found["effective_sample_fraction"].attrs == {"interpolated": "log"}


@pytest.mark.slow
@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("step", [2.0, 0.5])
def test_errors_of_means_between_samples_are_those_of_samples_and_of_sums(step, counted):
    """On one axis, of replicates that were measured at depths of their own."""
    names = [f"s{i}" for i in range(200)]
    parts = [replicates(1, seed=i, species=names).isel(measurement=0, drop=True) for i in range(3)]
    for i, one in enumerate(parts):
        counts = np.random.default_rng(i).poisson(2000, (200, Z.size)) * 1.0
        one["depth"] = ("depth", Z + 0.7 * i, {"units": "nm"})
        one["concentration"] = one["concentration"].copy(data=1e16 * counts)
    ds = sims.stack([one[["concentration"]] for one in parts])
    if counted:
        ds = sims.with_counting_statistics(ds, value_per_count="1e16 atoms/cm^3")
    found = sims.average(sims.to_grid(ds, step=f"{step} nm")).drop_vars("scale_repeatability")
    mean, samples = sims.mean_value(found), found.sel(depth=slice(50, 150))
    assert mean["stderr"].mean().item() == pytest.approx(mean.std().item(), rel=0.12)
    scatter = samples["concentration"].std("species").mean().item()
    assert samples["concentration_stderr"].mean().item() == pytest.approx(scatter, rel=0.05)


def test_coordinates_equal_in_all_measurements_are_kept():
    ds = replicates(2).assign_coords(
        wafer=("measurement", ["a", "a"]),
        place=("measurement", ["x", "y"]),
        bias=("measurement", [np.nan, np.nan]),
        by="N. N.",
    )
    found = sims.average(ds)
    assert found["wafer"].item() == "a"
    assert found["by"].item() == "N. N."
    assert np.isnan(found["bias"].item())
    assert "place" not in found.coords
    # The errors of single samples are not those of means.
    ancillary = ("stderr", "background_stderr", "background_overlap", "background_scatter")
    made = sims.average(ds.assign_coords(dict.fromkeys(ancillary, ("depth", 0.0 * Z))))
    assert not {*ancillary} & {*made.coords}
    assert found.attrs["history"].splitlines()[-1].startswith("mean of 2 measurements: ")


@pytest.mark.parametrize(("ratio", "warns"), [(5.3, False), (5.4, True)])
def test_scales_of_two_replicates_warn_from_the_limit_of_chi_square(ratio, warns, recwarn):
    # Of one degree of freedom, chi-square is above 28.4 = 5.33^2 with a probability of 1e-7.
    off = ratio / 2**0.5
    dims, unit = ("measurement", "depth"), {"units": "count"}
    ds = xr.Dataset(
        {
            "intensity": (dims, [[100.0 - off], [100.0 + off]], unit),
            "intensity_stderr": (dims, [[1.0], [1.0]], unit),
        },
        {"depth": ("depth", [1.0], {"units": "nm"}), "measurement": ["a", "b"]},
    )
    found = sims.average(ds)
    np.testing.assert_allclose(found["intensity_scatter"] / found["intensity_stderr"], ratio)
    assert len(recwarn) == warns


def test_an_error_of_backgrounds_alone_is_averaged_too():
    ds = sims.subtract_background(replicates(4), window=("160 nm", "198 nm"))
    ancillary = ["concentration_background_overlap", "concentration_background_scatter"]
    found = sims.average(ds.drop_vars(ancillary))
    stderr = "concentration_background_stderr"
    np.testing.assert_array_equal(found[stderr], sims.average(ds)[stderr])
    assert not {*ancillary} & {*found.data_vars}


def test_a_lazy_coordinate_is_not_computed_to_be_compared():
    ds = replicates(2)
    lazy = xr.DataArray([1.0, 1.0], dims="measurement").chunk()
    assert "wafer" not in sims.average(ds.assign_coords(wafer=lazy)).coords
    assert sims.average(ds.assign_coords(wafer=lazy.compute()))["wafer"].item() == 1.0
