"""Layers from the data alone: between the depths at which a species rises and falls."""

import warnings

import measurement_layouts
import models_truth
import numpy as np
import pytest
import xarray as xr
from error_parts import warns
from scipy.special import ndtr, ndtri

import sims_analysis as sims
from sims_analysis.errors import ProfileWarning
from sims_analysis.outcomes import Flag, Status


def test_layers_lie_between_rise_and_fall():
    z = np.arange(0, 300, 0.25)
    c = 1e15 + 1e20 * (ndtr((z - 50) / 2) - ndtr((z - 90) / 2))
    c += 6e19 * (ndtr((z - 150) / 2) - ndtr((z - 230) / 2))
    one = models_truth.profile(c, z)
    found = sims.layers(one, level="3e19 atoms/cm^3")
    # Half of the second layer's plateau, 0.3 of the first one's: 0.5244 standard deviations.
    assert found["thickness"].values == pytest.approx([40 + 4 * 0.5244, 80], abs=0.02)
    assert found["status"].values.tolist() == ["ok", "ok"]
    half = sims.layers(one)
    assert half["thickness"].values[0] == pytest.approx(40, abs=0.01)
    short = sims.layers(one.sel(depth=slice(0, 200)), level="3e19 atoms/cm^3")
    assert short["status"].values.tolist() == ["ok", "truncated"]
    assert np.isnan(short["thickness"].values[1])
    assert short["top"].values[1] == pytest.approx(150, abs=0.01)
    never = sims.layers(one, level="1e21 atoms/cm^3")
    assert never["status"].values.tolist() == ["never_reached"]


def test_layers_have_the_errors_of_their_crossings():
    ds = sims.open_example("boron-implant")
    ds = sims.with_counting_statistics(ds, value_per_count={"B": "1e14 atoms/cm^3"})
    found = sims.layers(ds, species="B", level="1e19 atoms/cm^3")
    crossed = sims.crossings(ds.sel(species="B"), level="1e19 atoms/cm^3")
    assert found["thickness_stderr"].values[-1] == pytest.approx(
        np.hypot(*crossed["stderr"].values[-2:])
    )


def box(z, top, bottom, sigma=1.24):
    return ndtr((z - top) / sigma) - ndtr((z - bottom) / sigma)


@pytest.mark.parametrize("tops", [(30, 80, 130), (30, 50, 70)])
def test_each_layer_of_a_stack_begins_and_ends_at_half_of_its_own_plateau(tops):
    """Of 10, 20 and 30 %, 20 nm each, apart or on each other: half of the step on either side."""
    z = np.arange(0.0, 200.0)
    c = sum(part * box(z, at, at + 20) for part, at in zip((0.1, 0.2, 0.3), tops, strict=True))
    found = sims.layers(models_truth.profile(1e22 * (c + 1e-4), z))
    assert found["status"].values.tolist() == ["ok"] * 3
    np.testing.assert_allclose(found["top"], tops, atol=0.02)
    np.testing.assert_allclose(found["thickness"], 20, atol=0.03)
    for name in ("top_width", "bottom_width"):
        # Straight lines between samples 1 nm apart widen it by 1 nm^2 over 2.2 widths.
        np.testing.assert_allclose(found[name], 1.98892 * 1.24, rtol=0.08)


def test_a_short_plateau_before_a_long_one_is_a_layer():
    z = np.arange(0.0, 300.0)
    c = 0.5 * (box(z, 30, 250, 1.5) + box(z, 60, 250, 1.5))
    found = sims.layers(models_truth.profile(1e22 * (c + 1e-4), z))
    np.testing.assert_allclose([found["top"], found["bottom"]], [[30, 60], [60, 250]], atol=0.02)


@pytest.mark.parametrize("part", [0.3, 0.5, 0.8])
def test_a_fraction_is_a_part_of_the_step(part):
    z = np.arange(0.0, 200.0)
    c = 0.2 + 0.8 * box(z, 60, 120, 4)
    found = sims.layers(models_truth.profile(1e20 * c, z), fraction=part)
    inwards = 4 * ndtri(part)
    assert found["top"].item() == pytest.approx(60 + inwards, abs=0.03)
    assert found["bottom"].item() == pytest.approx(120 - inwards, abs=0.03)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("part", "bottom", "sigma"), [(0.2, 80, 4), (0.5, 80, 4), (0.7, 80, 4), (0.8, 60, 3)]
)
def test_errors_of_a_layer_are_what_each_sample_moves_its_edges_by(part, bottom, sigma):
    """Of a thin layer, both edges move with one plateau."""
    z, s = np.arange(0.0, 120.0), 0.01
    c = 1 + 9 * box(z, 40, bottom, sigma)
    moved = np.vstack([c, c + 0.01 * s * np.eye(z.size)])
    ds = models_truth.profile(moved, z, dims=("trial", "depth")).to_dataset(name="concentration")
    found = sims.layers(
        ds.assign(concentration_stderr=xr.full_like(ds["concentration"], s)), fraction=part
    ).squeeze("layer")
    for name in ("top", "bottom", "thickness", "top_width", "bottom_width"):
        own = np.linalg.norm(found[name][1:] - found[name][0]) / 0.01
        lines = 1 / (2.2 * 1.98892 * sigma) if "width" in name else 0.0
        rel = 0.03 if (name, sigma) == ("thickness", 3) else 0.1
        assert found[f"{name}_stderr"][0] == pytest.approx(np.hypot(own, lines), rel=rel), name


@pytest.mark.parametrize(
    ("c", "half", "tolerance"),
    [
        (lambda z: np.exp(-0.5 * ((z - 90) / 15) ** 2), 15 * np.sqrt(2 * np.log(2)), 0.05),
        (lambda z: 1 / (1 + ((z - 90) / 10) ** 2), 10, 0.5),
    ],
)
def test_a_layer_without_a_plateau_has_its_full_width_at_half_maximum(c, half, tolerance):
    z = np.arange(0.0, 200.0)
    found = sims.layers(models_truth.profile(1e20 * c(z), z))
    assert found["top"].item() == pytest.approx(90 - half, abs=tolerance)
    assert found["bottom"].item() == pytest.approx(90 + half, abs=tolerance)


@pytest.mark.few(2, 5)
@pytest.mark.parametrize(("thickness", "gap"), [(5, 30), (6, 30), (20, 4), (20, 20), (12, 30)])
def test_the_thickness_between_interfaces_that_overlap_is_not_ok(thickness, gap):
    z, tops = np.arange(0, 120, 1.0), (30.3, 30.3 + thickness + gap)
    c = 0.02 + sum(box(z, top, top + thickness, 2.5) for top in tops)
    overlap = min(thickness, gap) < 7
    k = np.random.default_rng(0).poisson((300 if overlap else 3000) * c, (30, z.size))
    ds = models_truth.profile(k * 1e18, z, dims=("trial", "depth")).to_dataset()
    found = sims.layers(sims.with_counting_statistics(ds, value_per_count="1e18 atoms/cm^3"))
    status = found["status"].isel(layer=slice(2))
    # Noise may narrow what is seen of the interfaces, and hides no overlap.
    assert (status == ("undetermined" if overlap else "ok")).mean() > 0.94
    off = float(abs(found["thickness"] / thickness - 1).mean())
    assert off > 0.05 if overlap else off < 0.02


@pytest.mark.parametrize("way", [1, -1])
def test_an_edge_in_two_parts_and_a_thin_layer_have_their_statuses_and_leave_another_ok(way):
    z = np.arange(0.0, 200.0)
    parts = 0.02 + 0.5 * (box(z, 50, 110, 2) + box(z, 50, 118, 2))
    thin = 0.02 + box(z, 30, 60, 2.5) + box(z, 90, 95, 2.5)
    for c, statuses in ((parts, ["wrong_shape"]), (thin, ["ok", "undetermined"])):
        found = sims.layers(models_truth.profile(1e20 * c[::way], z))
        assert found["status"].values.tolist() == statuses[::way]


@pytest.mark.few(2, 3)
@pytest.mark.parametrize("noise", ["counts", 0.03, 0.1])
def test_noise_of_samples_without_errors_is_no_layer(noise):
    """Of 50 pairs, none were right at 5 %, and as many layers ok that do not exist."""
    z, rng = np.arange(0.0, 220.0), np.random.default_rng(1)
    c = np.broadcast_to(0.02 + 0.5 * box(z, 40, 70, 3) + box(z, 110, 150, 2), (20, z.size))
    if noise == "counts":
        values = rng.poisson(300 * c) / 300
    else:
        values = c * (1 + noise * rng.standard_normal(c.shape))
    found = sims.layers(models_truth.profile(1e20 * values, z, dims=("trial", "depth")))
    fine = found.where(found["status"] == "ok", drop=True)
    assert fine.sizes["layer"] == 2
    assert fine["top"].count() >= 36
    inside = abs(fine["thickness"] - [30, 40]) < 3 * fine["thickness_stderr"]
    assert inside.sum() >= fine["top"].count() - 2


@pytest.mark.parametrize("shared", [3, 9])
def test_noise_that_neighbours_share_is_no_layer(shared):
    """Of samples averaged over three, 15 of 75 had layers; of nine, 36."""
    k = np.random.default_rng(2).poisson(np.full((30, 220), 100.0))
    mean = np.lib.stride_tricks.sliding_window_view(k, shared, axis=1).mean(axis=-1)
    z = np.arange(mean.shape[1] * 1.0)
    found = sims.layers(models_truth.profile(1e18 * mean, z, dims=("trial", "depth")))
    assert (found["status"] == "ok").any("layer").sum() <= 3


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
def test_of_touching_layers_that_noise_hides_none_joins_two():
    z = np.arange(0.0, 180.0)
    c = 0.01 + sum(box(z, 40 * i - 20, 40 * i + 20, 2) * i / 3 for i in (1, 2, 3))
    counts = np.random.default_rng(0).poisson(100 * c, (40, z.size))
    ds = models_truth.profile(counts * 1e18, z, dims=("trial", "depth")).to_dataset()
    found = sims.layers(sims.with_counting_statistics(ds, value_per_count="1e18 cm^-3"))
    fine = found["thickness"].where(found["status"] == "ok")
    assert fine.count() >= 10
    assert float(fine.max()) < 50  # 70 in one of eight


def test_coarse_steps_in_noise_are_not_one_layer_beside_a_sharp_edge():
    z = np.arange(2.0, 260.0, 4.0)
    c = 0.02 + sum(ndtr((z - top) / 2) - ndtr((z - 120) / 2) for top in (60, 80, 100)) / 3
    counts = np.random.default_rng(0).poisson(100 * c, (40, z.size))
    ds = models_truth.profile(counts * 1e18, z, dims=("trial", "depth")).to_dataset()
    found = sims.layers(sims.with_counting_statistics(ds, value_per_count="1e18 cm^-3"))
    wide = found["thickness"].isel(layer=0) > 30
    assert wide.sum() > 20
    assert not (wide & (found["status"].isel(layer=0) == "ok")).any()  # half of them


@pytest.mark.parametrize("floor", [0.0, 0.02])
def test_a_layer_of_four_samples_has_the_maximum_of_their_parabola(floor):
    z = np.arange(0.0, 120.0)
    found = sims.layers(models_truth.profile(1e20 * (floor + box(z, 50.3, 54.3, 0.8)), z))
    assert found["thickness"].item() == pytest.approx(4, abs=0.05)  # 4.19


def test_the_outer_part_of_a_plateau_is_left_out_at_an_end_and_part_of_its_mean_within():
    z = np.arange(0.0, 201.0)
    film = 0.05 + (1 + 0.09 * np.exp(-z / 6)) * ndtr((50 - z) / 8)
    within = 0.05 + box(z, 60, 140, 6) * (1 + 0.08 * np.exp(-(140 - z).clip(0) / 10))
    (first, one), (last, other) = (
        [sims.layers(models_truth.profile(1e20 * c[::way], z)) for c in (film, within)]
        for way in (1, -1)
    )
    for edge in (first["bottom"].item(), 200 - last["top"].item()):
        assert edge == pytest.approx(50, abs=0.1)  # 49.74 with the transient
    assert one["top"].item() == pytest.approx(200 - other["bottom"].item(), abs=1e-6)


def test_where_a_record_begins_or_ends_in_a_layer_its_thickness_is_not_known():
    z = np.arange(0.0, 200.0)
    film = models_truth.profile(1e20 * (1.001 - ndtr((z - 90) / 4)), z)
    found = sims.layers(film)
    assert found["status"].values.tolist() == ["truncated"]
    assert found["bottom"].item() == pytest.approx(90, abs=0.01)
    assert np.isnan([found["top"].item(), found["thickness"].item()]).all()
    flat = sims.layers(film.copy(data=np.full(200, 1e20)))
    assert flat["status"].values.tolist() == ["featureless"]


@pytest.mark.few(2)
@pytest.mark.slow
@pytest.mark.parametrize("peak", [100, 1000])
@pytest.mark.parametrize(("width", "slope"), [(3.0, 0.0), (8.0, 0.0), (3.0, 0.1), (3.0, -0.1)])
def test_errors_of_layers_cover_the_truth(peak, width, slope):
    z, n = np.arange(0.0, 200.0), 150
    c = 0.2 + 0.8 * box(z, 60, 130, width) * (1 + slope * (z - 95) / 70)
    counts = np.random.default_rng(peak).poisson(peak * c, (n, z.size))
    ds = models_truth.profile(counts * 1e18, z, dims=("trial", "depth")).to_dataset()
    found = sims.layers(sims.with_counting_statistics(ds, value_per_count="1e18 atoms/cm^3"))
    found = found.isel(trial=(found["status"].isel(layer=0) == "ok").values, layer=0)
    assert found.sizes["trial"] > (0.75 if slope else 0.85) * n  # noise may hide more of a slope
    for name, truth in (("top", 60), ("bottom", 130), ("thickness", 70)):
        inside = abs(found[name] - truth) < found[f"{name}_stderr"]
        assert 0.57 < float(inside.mean()) < 0.8


def test_samples_that_are_known_to_be_saturated_count_where_a_layer_rests_on_them():
    """By default on all of them, by whose plateau it is measured; at a level on those at edges."""
    z = np.arange(0.0, 200.0)
    film = models_truth.profile(models_truth.film(z), z)
    for at, default, stated in ((100, "saturated", "ok"), (60, "saturated", "saturated")):
        flags = np.where(np.abs(z - at) < 2, int(Flag.SATURATED), 0)
        known = film.to_dataset().assign_coords(concentration_quality=("depth", flags))
        with warns(ProfileWarning, "saturated", layer="0"):
            assert sims.layers(known)["status"].item() == default
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ProfileWarning)
            found = sims.layers(known, level="5e19 atoms/cm^3")
        assert found["status"].item() == stated


def test_a_gap_counts_where_a_plateau_rests_on_what_is_beside_it():
    z = np.r_[0.0:38.0, 58.0:120.0]
    implant = measurement_layouts.one(z, 1e20 * np.exp(-0.5 * ((z - 45) / 12) ** 2) + 1e15)
    with warns(ProfileWarning, "gap", species="B", layer="0"):
        assert sims.layers(implant)["status"].values.tolist() == [["gap"]]
    assert sims.layers(implant, level="1e19 atoms/cm^3")["status"].values.tolist() == [["ok"]]


def test_of_one_species_the_layers_need_no_name():
    z = np.arange(0.0, 200.0)
    one = models_truth.profile(models_truth.film(z), z)
    alone = sims.layers(one)
    for data in (one.assign_coords(species="B"), one.expand_dims(species=["B"])):
        for options in ({}, {"species": "B"}):
            found = sims.layers(data, **options)
            np.testing.assert_array_equal(np.ravel(found["top"]), np.ravel(alone["top"]))


def test_what_is_found_of_layers_has_names_and_units():
    z = np.arange(0.0, 200.0)
    found = sims.layers(models_truth.profile(models_truth.film(z), z))
    for name, text in (
        ("top", "where the layer begins"),
        ("bottom", "where the layer ends"),
        ("thickness", "from top to bottom"),
        ("top_width", "of the interface above, from 16 % to 84 %"),
        ("bottom_width", "of the interface below, from 16 % to 84 %"),
    ):
        words = name.replace("_", " ")
        long_names = words.capitalize(), f"Standard error of {words}, random part"
        for one, long_name in zip((name, f"{name}_stderr"), long_names, strict=True):
            attrs = found[one].attrs
            assert (attrs["units"], attrs["long_name"]) == ("nm", long_name)
            assert attrs["description"] == text


@pytest.mark.parametrize(("peak", "width"), [(30, 6.0), (100, 10.0)])
def test_noise_at_an_edge_makes_no_layers(peak, width):
    z = np.arange(0.0, 300.0, 1.0)
    edges = [ndtr((z - at) / width) for at in (80, 160, 200, 250)]
    c = 0.01 + edges[0] - edges[1] + edges[2] - edges[3]
    counts = np.random.default_rng(3).poisson(c * peak, (30, z.size))
    ds = models_truth.profile(counts * (1e20 / peak), z, dims=("trial", "depth")).to_dataset()
    ds = sims.with_counting_statistics(ds, value_per_count=f"{1e20 / peak} atoms/cm^3")
    found = sims.layers(ds, level="5e19 atoms/cm^3")
    assert found.sizes["layer"] == 2
    inside = abs(found["thickness"] - [80, 50]) < 2 * found["thickness_stderr"]
    assert inside.mean() > 0.8


def test_layers_of_a_matrix_signal_among_concentrations():
    z = np.arange(0.0, 200.0)
    film = 1e5 * (ndtr((z - 60) / 4) - ndtr((z - 140) / 4)) + 10
    nothing = np.full(z.size, np.nan)
    ds = xr.Dataset(
        {
            "concentration": (("species", "depth"), [1e18 + z, nothing], {"units": "atom/cm^3"}),
            "intensity": (("species", "depth"), [nothing, film], {"units": "count/s"}),
        },
        coords={"species": ["O", "Ta->"], "depth": ("depth", z, {"units": "nm"})},
    )  # fmt: skip
    assert sims.layers(ds, species="Ta->")["thickness"].item() == pytest.approx(80, abs=0.01)
    rate = sims.layers(ds, species="Ta->", variable="intensity", level="5e4 counts/s")
    assert rate["thickness"].item() == pytest.approx(80, abs=0.01)
    both = ds.assign(intensity=ds["intensity"].copy(data=[film, film]))
    for one, stated in ((ds.sel(species="Ta->"), None), (both.sel(species="O"), "intensity")):
        edge = sims.interface(one, stop="100 nm", variable=stated)
        assert edge["position"].item() == pytest.approx(60, abs=0.01)


def test_half_of_a_maximum_that_was_cut_off_is_no_level():
    z = np.arange(0.0, 200.0)
    noise = np.random.default_rng(0).normal(size=z.size)
    c = np.minimum(models_truth.film(z) * np.exp(0.05 * noise), 6e19)
    with warns(sims.ProfileWarning, "saturated", layer="0"):
        layer = sims.layers(models_truth.profile(c, z))
    assert set(layer["status"].values.tolist()) == {"saturated"}
    # That there is a gap somewhere else does not hide it.
    apart = (z < 170) | (z > 185)
    with warns(sims.ProfileWarning, "saturated", layer="0"):
        layer = sims.layers(models_truth.profile(c[apart], z[apart]))
    assert set(layer["status"].values.tolist()) == {"saturated"}
    stated = sims.layers(models_truth.profile(c, z), level="3e19 atoms/cm^3")
    assert "saturated" not in stated["status"].values.tolist()


@pytest.mark.few(5)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
@pytest.mark.parametrize("layout", ["one", "batch", "own axes", "quantified"])
@pytest.mark.parametrize(
    ("level", "status"),
    [
        ("1e15 atoms/cm^3", "below_limit"),
        ("5e15 atoms/cm^3", "below_limit"),
        ("5.1e15 atoms/cm^3", "below_limit"),  # it falls below it next to the last value
        ("2e16 atoms/cm^3", "ok"),
        ("1e21 atoms/cm^3", "never_reached"),
    ],
)
def test_layers_that_go_on_below_the_limit_of_a_file(level, status, layout):
    z = np.arange(0.0, 300.0, 5.0)
    c = 1e20 * np.exp(-(((z - 120) / 35) ** 2)) + 1e14
    cells = [f"{v:.6g}" if v > 5e15 else "<5E15" for v in c]
    lines = [f"{a:g},{b}" for a, b in zip(z, cells, strict=True)]
    ds = sims.read("\n".join(["Depth (nm),B (atoms/cm3)", *lines]).encode()).to_dataset()
    data = {
        "batch": lambda: sims.stack([ds, ds]),
        "own axes": lambda: sims.stack([ds, ds.isel(depth=slice(0, -1))]),
        "quantified": lambda: sims.quantify(ds),
    }.get(layout, lambda: ds)()
    found = sims.dequantify(sims.layers(data, level=level))
    assert set(np.atleast_1d(found["status"].isel(layer=0).values).flat) == {status}
    np.testing.assert_array_equal(found["detection_limit"], 5e15)
    assert np.isfinite(found["thickness"].values).all() == (status == "ok")


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.ProfileWarning")
def test_a_layer_at_the_surface_is_truncated_whatever_the_tail():
    z = np.arange(0.0, 300.0, 5.0)
    cells = [f"{v:.6g}" if v > 5e15 else "<5E15" for v in 1e20 * np.exp(-z / 15)]
    lines = [f"{a:g},{b}" for a, b in zip(z, cells, strict=True)]
    ds = sims.read("\n".join(["Depth (nm),B (atoms/cm3)", *lines]).encode()).to_dataset()
    assert sims.layers(ds, level="1e18 atoms/cm^3")["status"].values.tolist() == [["truncated"]]


def test_layers_that_noise_may_have_made_are_warned_of_where_errors_are_not_known(approved):
    z = np.arange(0.0, 200.0)
    counts = np.random.default_rng(4).poisson(30 * np.exp(-(((z - 100) / 40) ** 2)))
    values = xr.DataArray(
        counts * 1e16, {"depth": ("depth", z, {"units": "nm"})}, attrs={"units": "atom/cm^3"}
    )
    with warns(ProfileWarning, text=approved):
        assert sims.layers(values, level="1.5e17 atoms/cm^3")["layer"].size > 2
    known = values.to_dataset(name="concentration")
    known = sims.with_counting_statistics(known, value_per_count="1e16 atoms/cm^3")
    sims.layers(known, level="1.5e17 atoms/cm^3")
    # Thin layers are none that noise makes.
    sims.layers(values.copy(data=1e19 * (z % 5 < 2) + 1e16))


def test_two_runs_are_warned_of_and_one_is_not(approved):
    z = np.arange(0.0, 40.0)
    one = np.where((z > 10) & (z < 30), 9e18, 1e17)
    one[20] = 4.5e18
    two = one.copy()
    two[15] = 4.4e18
    level = {"level": "5e18 atoms/cm^3"}
    assert sims.layers(models_truth.profile(one, z), **level).sizes["layer"] == 2
    with warns(sims.ProfileWarning, text=approved):
        assert sims.layers(models_truth.profile(two, z), **level).sizes["layer"] == 3


@pytest.mark.few(3)
@pytest.mark.parametrize("kind", ["gap", "below_limit", "both"])
@pytest.mark.parametrize("end", ["top", "bottom"])
def test_an_edge_where_nothing_is_known_has_no_depth_and_no_error(kind, end):
    z = np.arange(0.0, 200.0)
    value = np.where((z > 60) & (z < 140), 1e20, 1e16)
    lost = (z > 52) & (z < 66) if end == "top" else (z > 132) & (z < 148)
    limit = np.where(lost, np.nan if kind == "gap" else 5e15, np.nan)
    if kind == "both":  # the other edge is in a gap
        lost |= (z > 132) & (z < 148) if end == "top" else (z > 52) & (z < 66)
    ds = measurement_layouts.one(z, np.where(lost, np.nan, value)).assign_coords(
        concentration_detection_limit=(("species", "depth"), [limit], {"units": "cm^-3"})
    )
    status = "below_limit" if kind == "below_limit" else "gap"
    with warns(sims.ProfileWarning, status, species="B", layer="0"):
        found = sims.layers(ds).squeeze("species")
    assert found["status"].values.tolist() == [status]
    gone = ["top", "bottom"] if kind == "both" else [end]
    for name in ("top", "bottom"):
        assert np.isnan(found[name].item()) == (name in gone)
    assert np.isnan(found["thickness"].item())
    for options in ({}, {"level": "1e18 atoms/cm^3"}):
        bridged = sims.layers(ds, gaps="bridge", **options)
        assert bridged["status"].values.tolist() == [["ok"]]


def test_of_profiles_with_layers_in_a_gap_the_first_is_named():
    z = np.r_[0.0:110.0, 125.0:152.0, 166.0:300.0]  # the first hole is in no layer
    c = 1e20 * (0.001 + box(z, 50, 90, 4) + box(z, 160, 230, 4))
    two = models_truth.profile(np.array([c, c]), z, dims=("wafer", "depth"))
    with warns(ProfileWarning, "gap", wafer="0", layer="1", start="151 nm", stop="166 nm"):
        assert sims.layers(two)["status"].values.tolist() == [["ok", "gap"]] * 2


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
def test_whatever_a_record_looks_like_it_has_a_status():
    rng, z = np.random.default_rng(0), np.arange(40.0)
    shapes = [np.where(z < 20, 1.0, 0), 1.0 + 0 * z, np.repeat([1.0, 0, 2, 0], 10), np.exp(-z / 4)]
    shapes += [rng.normal(size=40) for _ in range(15)] + [rng.poisson(0.3, 40) for _ in range(15)]
    batch = models_truth.profile(np.array(shapes), z, dims=("wafer", "depth"))
    for measure in (sims.layers, sims.interface):
        words = np.unique(measure(batch)["status"].values)
        assert set(words) <= {status.word for status in Status}
