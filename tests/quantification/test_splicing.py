"""Two pieces of one profile: the whole comes back, scaled or not."""

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns

import sims_analysis as sims
from sims_analysis.errors import ProfileError, ProfileWarning, UnitsError

Z = np.arange(0.0, 300.0, 2.0)
TRUE = 1e4 * np.exp(-Z / 60)


def piece(z=Z, scale=1.0, noise=None, axis="depth", units="counts", **others):
    """Boron of an exponential profile at depths z, and other species."""
    rows = {"B": scale * 1e4 * np.exp(-z / 60), **others}
    values = np.array(list(rows.values()), dtype=float)
    if noise is not None:
        values = np.random.default_rng(noise).poisson(values).astype(float)
    ds = xr.Dataset(
        {"intensity": (("species", axis), values, {"units": units})},
        coords={
            "species": list(rows),
            axis: (axis, z, {"units": "nm" if axis == "depth" else "s"}),
        },
        attrs={"data_id": f"piece {z[0]:g}"},
    )
    return sims.with_counting_statistics(ds) if noise is not None else ds


def halves(**options):
    return piece(Z[Z <= 180], **options), piece(Z[Z >= 100], **options)


def test_the_whole_comes_back():
    whole = sims.splice(*halves())
    np.testing.assert_array_equal(whole["depth"], Z)
    np.testing.assert_array_equal(whole["intensity"].sel(species="B"), TRUE)
    assert whole["splice_depth"].item() == 140.0
    assert "two pieces spliced at 140 nm" in whole.attrs["history"]
    assert whole["splice_scale"].sel(species="B").item() == 1.0
    assert whole["intensity"].attrs["units"] == "count"
    assert whole["depth"].attrs["units"] == "nm"


def test_attrs_are_those_of_the_first_piece():
    a, b = halves()
    a["intensity"].attrs["detector"], b["intensity"].attrs["detector"] = "EM", "FC"
    b["other"] = b["intensity"].assign_attrs(detector="FC")
    whole = sims.splice(a, b)
    assert whole["intensity"].attrs["detector"] == "EM"
    assert whole["other"].attrs["detector"] == "FC"


@pytest.mark.parametrize(("end", "common"), [(100.0, False), (102.0, True)])
def test_species_overlap_over_more_than_one_depth(end, common):
    top, deep = Z[Z <= 180], Z[Z >= 100]
    a = piece(top, Si=np.where(top <= end, 7.0, np.nan))
    b = piece(Z[Z >= 50], Si=np.full((Z >= 50).sum(), 7.0)).sel(depth=slice(50, None))
    b["intensity"][0] = b["intensity"][0].where(b["depth"] >= deep[0])
    if common:
        assert sims.splice(a, b)["splice_depth"].item() == 101.0
    else:
        with raises(ProfileError, "no_sample_in_window"):
            sims.splice(a, b)


def test_small_numbers_are_scaled_as_large_ones():
    a, b = piece(Z[Z <= 180], scale=1e-9), piece(Z[Z >= 100], scale=4e-10)
    assert sims.splice(a, b, scale=True)["splice_scale"].item() == pytest.approx(2.5, rel=1e-12)


def test_each_piece_keeps_its_own_samples():
    # Axes that interleave: above the splice those of a, below it those of b.
    a, b = piece(Z[Z <= 180]), piece(np.arange(100.7, 300, 3.0))
    found = sims.splice(a, b, at="120 nm")
    z = found["depth"].values
    np.testing.assert_array_equal(z[z <= 120], Z[Z <= 120])
    np.testing.assert_array_equal(z[z > 120], np.arange(100.7, 300, 3.0)[7:])
    sims.junction_depth(
        found.rename(intensity="concentration").assign(
            concentration=lambda d: (d["concentration"] * 1e14).assign_attrs(units="cm^-3")
        ),
        level="1e17 atoms/cm^3",
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_scale_covers_the_truth(seed):
    a = piece(Z[Z <= 180], noise=seed)
    b = piece(Z[Z >= 100], scale=0.4, noise=seed + 50)
    found = sims.splice(a, b, scale=True)
    factor = found["splice_scale"].sel(species="B").item()
    error = found["splice_scale_uncertainty"].sel(species="B").item()
    counts = [one["intensity"].sel(species="B", depth=slice(100, 180)).values for one in (a, b)]
    areas = [np.trapezoid(one, dx=2.0) for one in counts]
    assert factor == pytest.approx(areas[0] / areas[1], rel=1e-12)
    # Weights of trapezoids: 2 nm within, 1 nm at the ends.
    weights = np.r_[1.0, np.full(counts[0].size - 2, 2.0), 1.0]
    relative = [
        np.sqrt((weights**2 * one).sum()) / area for one, area in zip(counts, areas, strict=True)
    ]
    assert error == pytest.approx(np.hypot(*relative), rel=1e-9)
    assert abs(factor - 2.5) < 4 * error * 2.5
    below = found.sel(species="B", depth=slice(142, None))
    source = b.sel(species="B", depth=slice(142, None))
    for name in ("intensity", "intensity_stderr"):
        np.testing.assert_allclose(below[name], factor * source[name], rtol=1e-12)
    np.testing.assert_array_equal(below["intensity_counts"], source["intensity_counts"])


@pytest.mark.slow
def test_scales_have_the_errors_that_they_state():
    trials = [f"s{i}" for i in range(300)]
    a, b = (
        piece(z, noise=seed, **{name: scale * 1e4 * np.exp(-z / 60) for name in trials})
        for z, seed, scale in ((Z[Z <= 180], 1, 1.0), (Z[Z >= 100], 2, 0.4))
    )
    found = sims.splice(a, b, scale=True).sel(species=trials)
    off = (found["splice_scale"] / 2.5 - 1) / found["splice_scale_uncertainty"]
    assert float(off.std()) == pytest.approx(1.0, abs=0.12)
    assert abs(float(off.mean())) < 0.2


def test_pieces_that_differ_warn(approved):
    with warns(ProfileWarning, "different_levels", species="B", text=approved):
        sims.splice(piece(Z[Z <= 180]), piece(Z[Z >= 100], scale=0.4))
    with warns(ProfileWarning, "different_levels", species="B", text=approved):
        sims.splice(piece(Z[Z <= 180], noise=1), piece(Z[Z >= 100], scale=0.4, noise=2))


def test_coordinates_of_species_are_those_of_the_piece_that_has_them():
    a = piece(Z[Z <= 180], Si=np.full(91, 7.0)).assign_coords(
        profile_id=("species", ["a1", "a2"], {"note": "a"}),
        wire_fields=("species", ["{}", "{}"]),
        factor=("species", [1.0, 2.0]),
        wafer="W1",
        cycle=("depth", np.arange(91.0)),
        sensitivity_factor_uncertainty=(("species", "depth"), np.full((2, 91), 0.1)),
        resolution=(("species", "depth"), np.ones((2, 91))),
        passes=("pass", [1, 2]),
    )
    b = piece(Z[Z >= 100], Ge=np.full(100, 9.0)).assign_coords(
        profile_id=("species", ["b1", "b2"], {"note": "b"}),
        note=("species", ["x", "y"]),
        wafer="W2",
        place="edge",
        cycle=5.0,
        sensitivity_factor_uncertainty=(("species", "depth"), np.full((2, 100), 0.2)),
    )
    found = sims.splice(a, b).sel(species=["B", "Si", "Ge"])
    assert found["profile_id"].values.tolist() == ["a1", "a2", "b2"]
    assert found["profile_id"].attrs == {"note": "a"}
    assert found["note"].values.tolist() == ["x", "", "y"]
    np.testing.assert_array_equal(found["factor"], [1.0, 2.0, np.nan])
    assert (found["wafer"].item(), found["place"].item()) == ("W1", "edge")
    of_factors = found["sensitivity_factor_uncertainty"].sel(depth=[140, 142])
    np.testing.assert_array_equal(of_factors, [[0.1, 0.2], [0.1, 0.1], [0.2, 0.2]])
    assert not {"wire_fields", "cycle", "resolution", "passes"} & {*found.coords}


@pytest.mark.parametrize(
    ("scale", "counted", "warns"),
    [(1.09, False, False), (1 / 1.09, False, False), (1.11, False, True), (1 / 1.11, False, True),
     (1.04, True, False), (1.06, True, True), (1 / 1.06, True, True)],
)  # fmt: skip
def test_pieces_differ_by_ten_per_cent_or_where_their_errors_are_known_by_five(
    scale, counted, warns, recwarn
):
    a, b = halves()
    b = b.assign(intensity=(scale * b["intensity"]).assign_attrs(units="count"))
    if counted:  # so well that three standard errors are less
        a, b = (one.assign(intensity_stderr=1e-3 * one["intensity"]) for one in (a, b))
        for one in (a, b):
            one["intensity_stderr"].attrs["units"] = "count"
    sims.splice(a, b)
    assert len(recwarn) == warns


def test_a_species_of_one_piece_is_kept_whole():
    a = piece(Z[Z <= 180], Si=np.full(91, 7.0))
    b = piece(Z[Z >= 100], Ge=np.full(100, 9.0))
    found = sims.splice(a, b)
    for species, row, z in (("Si", a, Z[Z <= 180]), ("Ge", b, Z[Z >= 100])):
        one = sims.samples(found, species)["intensity"]
        np.testing.assert_array_equal(one["depth"], z)
        np.testing.assert_array_equal(one, row["intensity"].sel(species=species))
        assert np.isnan(found["splice_scale"].sel(species=species))
    np.testing.assert_array_equal(sims.samples(found, "B")["intensity"], TRUE)


def test_real_layouts_and_times():
    a = sims.to_dataset([
        sims.DepthProfile(
            species_name=n, depths=z, depth_units="s", concentrations=1e4 * np.exp(-z / 60),
            concentration_units="counts/s", species_metadata={"detector": "EM"},
        )
        for n, z in (("B", Z[Z <= 180]), ("Si", Z[Z <= 180] + 0.5))
    ])  # fmt: skip
    b = a.assign_coords(sputter_time=a["sputter_time"] + 100.0)
    b["sputter_time"].attrs["units"] = "s"
    b["intensity"] = b["intensity"] * np.exp(-100 / 60)
    b["intensity"].attrs["units"] = "count/s"
    found = sims.splice(a, b)
    assert found["splice_time"].attrs["units"] == "s"
    one = sims.samples(found, "Si")["intensity"]
    np.testing.assert_allclose(one, 1e4 * np.exp(-one["sputter_time"] / 60), rtol=1e-12)
    assert "EM" in str(found["species_metadata"].values[0])
    quantified = sims.splice(sims.quantify(a), b)
    sims.testing.assert_allclose(sims.dequantify(quantified), found, rtol=1e-14)
    single = sims.splice(a.sel(species="B"), b.sel(species="B"))
    assert single["species"].values.tolist() == ["B"]


def test_without_scale_a_piece_may_be_zero():
    found = sims.splice(piece(Z[Z <= 180]), piece(Z[Z >= 100], scale=0.0))
    np.testing.assert_array_equal(
        found["intensity"].sel(species="B"), np.where(Z <= 140, TRUE, 0.0)
    )


def test_a_scale_from_a_gap_or_saturated_samples_warns():
    a, b = halves(noise=3)
    sims.splice(a, b, scale=True)
    hole = a.where((a["depth"] < 110) | (a["depth"] > 150))
    with warns(ProfileWarning, "gap", species="B", start="108 nm", stop="152 nm"):
        sims.splice(hole, b, scale=True)
    cut = a.assign(intensity=a["intensity"].clip(max=1500).assign_attrs(units="count"))
    with warns(ProfileWarning, "saturated", species="B"):
        sims.splice(cut, b, scale=True)


def test_a_matrix_without_a_concentration_is_not_scaled():
    factors = {"rsf": {"B": "1e20 cm^-3"}, "matrix": "Si"}
    a, b = (
        sims.with_rsf(piece(z, by, Si=np.full(z.size, 1e5)), **factors)
        for z, by in ((Z[Z <= 180], 1.0), (Z[Z >= 100], 0.5))
    )
    whole = sims.splice(a, b, scale=True)
    assert whole["splice_scale"].sel(species="B").item() == pytest.approx(2.0)
    np.testing.assert_array_equal(whole["intensity"].sel(species="Si"), 1e5)


def test_pieces_of_which_other_species_were_quantified_are_compared_by_what_both_have():
    both = {"P": np.full(Z.size, 5e3), "Si": np.full(Z.size, 1e5)}
    a, b = (
        sims.with_rsf(piece(Z, by, **both), rsf={name: "1e20 cm^-3"}, matrix="Si").isel(depth=own)
        for by, name, own in ((1.0, "B", slice(150)), (0.5, "P", slice(80, None)))
    )
    assert sims.splice(a, b, scale=True)["splice_scale"].sel(species="B").isnull()
    with raises(UnitsError, "missing_variable"):
        sims.splice(a.sel(species=["B"]), b.sel(species=["B"]))
