"""The error of a subtracted background is common to all samples, and reaches every answer."""

import numpy as np
import pytest
import xarray as xr
from counted_trials import AMBIGUOUS, TOP, covered, edge, trials
from error_parts import raises, warns
from questions import AXIS, PER_PROFILE, QUESTIONS, TOGETHER, WITHOUT_ERROR, ask, measurement
from scipy.special import ndtr

import sims_analysis as sims
from sims_analysis.errors import FitWarning, ProfileError, ProfileWarning

pytestmark = [
    pytest.mark.filterwarnings("ignore:.*a slope within its noise"),
    pytest.mark.filterwarnings("ignore:.*the straggle is known to"),
    pytest.mark.filterwarnings("ignore:.*changing matrix"),
    pytest.mark.filterwarnings("ignore:.*in the background window"),
]

Z = np.arange(0, 200, 2.0)
TAIL = ("140 nm", "198 nm")
SHAPE, DECAY = edge(10.0)


def counted(counts=100, tail=0.1, seed=0):
    return trials(lambda z: SHAPE(z) + tail, Z, counts, seed)


def one():
    return counted(10_000, 0.01).isel(measurement=slice(0, 3))


def common_of(ds, name="concentration"):
    return ds[f"{name}_background_stderr"]


# --- closed forms -------------------------------------------------------------------------------


@pytest.mark.parametrize("limits", [{"stop": "120 nm"}, {"start": "31 nm", "stop": "97.5 nm"}, {}])
def test_a_dose_has_the_error_that_background_gives_it(limits):
    ds = one()
    found = sims.integrated_dose(sims.subtract_background(ds, window=TAIL), **limits)
    expected = sims.integrated_dose(ds, background=TAIL, **limits)
    np.testing.assert_allclose(found, expected, rtol=1e-12)
    np.testing.assert_allclose(found["stderr"], expected["stderr"], rtol=1e-12)


def test_by_hand():
    ds = sims.subtract_background(one(), window=TAIL).isel(measurement=0, species=0)
    sigma, s = ds["concentration_stderr"].values, ds["subtracted_background_stderr"].item()
    assert common_of(ds).item() == s
    kept, weights = Z <= 100, np.full(Z.size, 2.0)
    weights[[0, 50]] = 1.0
    own = ((weights * sigma)[kept] ** 2).sum()
    budget = sims.dose_budget(ds, stop="100 nm")
    assert budget["random_stderr"].item() == pytest.approx(np.sqrt(own + (100 * s) ** 2) * 1e-7)
    assert budget["background_stderr"].item() == pytest.approx(100 * s * 1e-7)
    # The held surface is as wide as the gap above it.
    deeper = ds.isel(depth=slice(5, None))
    held = sims.dose_budget(deeper, stop="100 nm", surface="hold", rule_tolerance=2)
    assert held["background_stderr"].item() == pytest.approx(100 * s * 1e-7)
    w = weights[5:51].copy()
    w[0] = 1.0 + 10.0
    own = ((w * sigma[5:51]) ** 2).sum()
    assert held["random_stderr"].item() == pytest.approx(np.sqrt(own + (100 * s) ** 2) * 1e-7)


NONE = -np.log((1 - 0.6826894921370859) / 2)  # 1.84 counts


def few(tail=0.0):
    """Ten counts at the maximum, and none at all in the window."""
    ds = trials(lambda z: np.where(z < 120, SHAPE(z), tail), Z, 10, seed=4)
    return ds if tail else ds.isel(measurement=slice(0, 3))


@pytest.mark.slow
def test_a_window_without_a_count_is_not_known_exactly():
    ds, n, one_count = few(), 30, TOP / 10
    upper = NONE * one_count / n
    subtracted = sims.subtract_background(ds, window=TAIL)
    np.testing.assert_allclose(subtracted["subtracted_background_stderr"], upper)
    counts = ds["concentration_counts"].sel(depth=slice(0, 120)).values[:, 0]
    weights = np.full(61, 2.0)
    weights[[0, 60]] = 1.0
    by_hand = np.sqrt((weights**2 * counts).sum(axis=1) * one_count**2 + (120 * upper) ** 2) * 1e-7
    options = {"stop": "120 nm"}
    for data, background in ((subtracted, None), (ds, TAIL), (ds.chunk(measurement=2), TAIL)):
        dose = sims.integrated_dose(data, background=background, **options)
        np.testing.assert_allclose(dose["stderr"].values[:, 0], by_hand, rtol=1e-12)
        budget = sims.dose_budget(data, background=background, rule_tolerance=9, **options)
        np.testing.assert_allclose(budget["background_stderr"], 120 * upper * 1e-7, rtol=1e-12)
    shapes = [
        sims.moments(data, background=background, **options)
        for data, background in ((subtracted, None), (ds, TAIL))
    ]
    alone = sims.moments(ds, **options)
    for name in ("projected_range_stderr", "straggle_stderr", "dose_stderr"):
        np.testing.assert_allclose(shapes[1][name], shapes[0][name], rtol=1e-6)
        assert (shapes[1][name] > alone[name]).all()


def test_of_few_counts_only_those_in_the_window_count():
    """Samples without a count outside the window are none of its n."""
    ds = few().isel(measurement=0)
    ds["concentration_counts"][0, 80] = 1.0
    found = sims.subtract_background(ds, window=TAIL)["subtracted_background_stderr"]
    assert found.item() == pytest.approx(ds["concentration_stderr"][0, 80].item() / 30)


@pytest.mark.parametrize("conserve", [None, "dose"])
def test_a_finer_grid_does_not_know_a_window_without_a_count_better(conserve):
    ds = few()
    fine = sims.to_grid(ds, step="0.5 nm", method="linear", conserve=conserve)
    found, expected = (
        sims.subtract_background(data, window=TAIL)["subtracted_background_stderr"]
        for data in (fine, ds)
    )
    # The sample that stands for most has no average of errors.
    assert ((found / expected > 0.99) & (found / expected < 3)).all()


def test_a_background_is_counted_once():
    ds = one()
    once = sims.subtract_background(ds, window=TAIL)
    again = sims.integrated_dose(once, stop="120 nm", background=TAIL)
    expected = sims.integrated_dose(ds, stop="120 nm", background=TAIL)
    np.testing.assert_allclose(again, expected, rtol=1e-12)
    np.testing.assert_allclose(again["stderr"], expected["stderr"], rtol=1e-12)
    twice = sims.subtract_background(once, window=TAIL)
    for name in ("concentration_background_stderr", "concentration_background_overlap"):
        np.testing.assert_allclose(twice[name], once[name], rtol=1e-9)
    np.testing.assert_allclose(
        twice["subtracted_background"], once["subtracted_background"], rtol=1e-12
    )
    # A stated level is exact, and changes no error.
    stated = sims.subtract_background(once, value="1e17 atoms/cm^3")
    np.testing.assert_array_equal(common_of(stated), common_of(once))
    np.testing.assert_allclose(
        sims.integrated_dose(stated)["stderr"], sims.integrated_dose(once)["stderr"]
    )
    np.testing.assert_allclose(
        stated["subtracted_background"], once["subtracted_background"] + 1e17
    )


def test_the_line_of_a_window_in_the_budget():
    ds = one()
    options = {"stop": "120 nm"}
    here = sims.dose_budget(ds, background=TAIL, **options)["background_stderr"]
    before = sims.dose_budget(sims.subtract_background(ds, window=TAIL), **options)
    np.testing.assert_allclose(here, before["background_stderr"], rtol=1e-12)
    np.testing.assert_array_equal(sims.dose_budget(ds, **options)["background_stderr"], 0.0)
    assert (here < before["random_stderr"]).all()


# --- through the quantification -----------------------------------------------------------------


def rates(end=np.inf):
    """Give boron over a matrix that changes with depth, with a tail of 10 counts."""
    rng = np.random.default_rng(1)
    boron = rng.poisson(100 * SHAPE(Z) + 10.0)
    matrix = rng.poisson(np.where(end > Z, 1e3 * (1 + Z / 100), 5.0))
    return sims.with_counting_statistics(
        xr.Dataset(
            {"intensity": (("species", "depth"), np.array([boron, matrix]), {"units": "counts"})},
            coords={"species": ["11B", "Si"], "depth": ("depth", Z, {"units": "nm"})},
        )
    )


def test_quantified_sample_by_sample():
    ds = sims.subtract_background(rates(), window=TAIL, species="11B")
    s = common_of(ds, "intensity").sel(species="11B").item()
    found = sims.with_rsf(ds, rsf={"11B": "1e22 atoms/cm^3"}, matrix="Si")
    factor = 1e22 / (ds["intensity"].sel(species="Si").values + 1.0)  # counts: without bias
    np.testing.assert_allclose(common_of(found).sel(species="11B"), factor * s)
    assert found["concentration_background_stderr"].attrs["units"] == "atom/cm^3"
    dose = sims.dose_budget(found.sel(species="11B"), stop="120 nm")
    by_hand = np.trapezoid((factor * s)[:61], Z[:61]) * 1e-7
    assert dose["background_stderr"].item() == pytest.approx(by_hand)
    # The dose by the quotient first, and the background of it, is not the same; this one is.
    mean = sims.with_rsf(ds, rsf={"11B": "1e22 atoms/cm^3"}, matrix="Si", matrix_signal="mean")
    whole = float(ds["intensity"].sel(species="Si").mean())
    np.testing.assert_allclose(common_of(mean).sel(species="11B"), 1e22 / whole * s)
    alone = sims.with_rsf(ds, rsf={"11B": "1e15 atoms/cm^3/count"}, matrix=None)
    np.testing.assert_allclose(common_of(alone).sel(species="11B"), 1e15 * s)
    with raises(ProfileError, argument="window"):
        sims.subtract_background(found, window=TAIL, variable="concentration")


def test_the_background_of_the_matrix_too():
    ds = sims.subtract_background(rates(end=130), window=TAIL)
    s, of_matrix = common_of(ds, "intensity").values
    with warns(ProfileWarning, "not_measured", species="11B", depth="130 nm"):
        found = sims.with_rsf(ds, rsf={"11B": "1e22 atoms/cm^3"}, matrix="Si")
    boron, matrix = ds["intensity"].values
    counted = matrix + ds["intensity_counts"].sel(species="Si").values / matrix
    seen = Z < 130
    concentration = found["concentration"].sel(species="11B").values
    np.testing.assert_allclose(
        common_of(found).sel(species="11B").values[seen],
        np.hypot(1e22 * s / counted, concentration * of_matrix / counted)[seen],
    )
    over = sims.ratio(ds, numerator="11B", denominator="Si")
    bias = boron / matrix * (ds["intensity_stderr"].sel(species="Si").values / matrix) ** 2
    np.testing.assert_allclose(
        over["background_stderr"].values[seen],
        np.hypot(np.hypot(s / matrix, boron / matrix * of_matrix / matrix), bias)[seen],
    )


rates_by_the_standard = {"species": "11B", "dose": "1e15 atoms/cm^2", "matrix": "Si"}


def test_a_standard():
    ds = rates()
    limits = {"stop": "120 nm", **rates_by_the_standard}
    before = sims.subtract_background(ds, window=TAIL, species="11B")
    matrix = ds["intensity"].sel(species="Si").values
    factor = sims.rsf_from_standard(before, **limits)
    quotient = sims.with_rsf(before, rsf={"11B": "1 atom/cm^3"}, matrix="Si").sel(species="11B")
    dose = sims.integrated_dose(quotient, stop="120 nm")
    relative = factor["counting_stderr"].item() / factor.item()
    assert relative == pytest.approx(dose["stderr"].item() / dose.item())
    plain = quotient.drop_vars("concentration_background_stderr")
    own = sims.integrated_dose(plain, stop="120 nm")["stderr"].item()
    s = common_of(before, "intensity").sel(species="11B").item()
    common = np.trapezoid((s / (matrix + 1.0))[:61], Z[:61]) * 1e-7
    assert dose["stderr"].item() == pytest.approx(np.hypot(own, common))


def test_scaled_with_the_values():
    ds = sims.subtract_background(one(), window=TAIL).assign_coords(species=["11B"])
    element = sims.to_element(ds, abundance={"11B": 0.8})
    np.testing.assert_allclose(common_of(element), common_of(ds) / 0.8)
    scaled = sims.scale_to_dose(ds, dose={"11B": "1e15 atoms/cm^2"}, stop="120 nm")
    relative = [
        dose["stderr"] / dose
        for dose in (sims.integrated_dose(data, stop="120 nm") for data in (ds, scaled))
    ]
    np.testing.assert_allclose(*relative)
    stretched = sims.rescale_depth(ds, factor=1.5)
    np.testing.assert_allclose(
        sims.integrated_dose(stretched)["stderr"], 1.5 * sims.integrated_dose(ds)["stderr"]
    )
    fractions = xr.Dataset(
        {
            f"atomic_fraction{end}": (ds[f"concentration{end}"] / 5e22).assign_attrs(units="1")
            for end in ("", "_stderr")
        }
    )
    fractions = sims.subtract_background(fractions, window=TAIL)
    host = sims.to_concentration(fractions, atomic_density="5e22 atoms/cm^3")
    np.testing.assert_allclose(common_of(host), 5e22 * common_of(fractions, "atomic_fraction"))


def test_overlap_of_a_quotient():
    """A background of the matrix adds to the error, not to its covariance with the species."""
    ds = rates().drop_vars("intensity_counts")
    faint = (ds["species"] == "Si") & (ds["depth"] < 20)
    ds["intensity"] = ds["intensity"].where(~faint, 10.0 + ds["depth"] % 4)
    ds = sims.subtract_background(ds, window=TAIL, species="11B")
    ds = sims.subtract_background(ds, window=("0 nm", "18 nm"), species="Si")
    found = sims.with_rsf(
        ds.sel(depth=slice(20, None)), rsf={"11B": "1e22 atoms/cm^3"}, matrix="Si"
    ).sel(species="11B")
    species, matrix = (ds.sel(species=one, depth=slice(20, None)) for one in ("11B", "Si"))
    divisor = matrix["intensity"] + matrix["intensity_stderr"] ** 2 / matrix["intensity"]
    own = 1e22 * common_of(species, "intensity") / divisor
    of_matrix = found["concentration"] / divisor * common_of(matrix, "intensity")
    np.testing.assert_allclose(common_of(found), np.hypot(own, of_matrix))
    assert (of_matrix > 0.01 * own).any()
    covariance = found["concentration_background_overlap"] * common_of(found) ** 2
    np.testing.assert_allclose(covariance, species["intensity_background_overlap"] * own**2)


# --- kept by whatever keeps the samples ---------------------------------------------------------


@pytest.mark.slow
def test_units_batches_and_files(tmp_path):
    ds = sims.subtract_background(one(), window=TAIL)
    expected = sims.integrated_dose(ds)["stderr"]
    same = {
        "Quantities": sims.dequantify(sims.integrated_dose(sims.quantify(ds))["stderr"]),
        "Dask": sims.integrated_dose(ds.chunk(measurement=1))["stderr"].compute(),
        "reversed": sims.integrated_dose(ds.isel(measurement=[2, 1, 0]))["stderr"][::-1],
        "listed": sims.integrated_dose(sims.stack(sims.unstack(ds)))["stderr"],
    }
    other = ds.copy()
    for end in ("", "_stderr", "_background_stderr"):
        array = other[f"concentration{end}"]
        other[f"concentration{end}"] = (array * 1e6).assign_attrs(units="atoms/m^3")
    same["atoms/m^3"] = sims.integrated_dose(other)["stderr"]
    parts = [(ds, other, ds)[i].isel(measurement=i, drop=True) for i in range(3)]
    same["some in atoms/m^3"] = sims.integrated_dose(sims.stack(parts))["stderr"]
    pair = [other, other.assign_coords(species=["P"])]
    pair = xr.concat(pair, "species", join="exact", coords="minimal", compat="override")
    pair = sims.subtract_background(pair, window=TAIL, species="P").sel(species=["B"])
    same["next to another"] = sims.integrated_dose(pair)["stderr"]
    sims.save(ds, tmp_path / "data.nc")
    same["netCDF"] = sims.integrated_dose(sims.load(tmp_path / "data.nc"))["stderr"]
    for name, found in same.items():
        np.testing.assert_allclose(found, expected, rtol=1e-9, err_msg=name)
    # A measurement from which nothing was subtracted has no such error.
    mixed = sims.stack([ds.isel(measurement=0, drop=True), one().isel(measurement=1, drop=True)])
    np.testing.assert_allclose(
        sims.integrated_dose(mixed)["stderr"],
        [expected[0], sims.integrated_dose(one())["stderr"][1]],
        rtol=1e-9,
    )
    apart = sims.stack(
        [ds.isel(measurement=0, drop=True), ds.isel(measurement=1, drop=True, depth=slice(1, None))]
    )
    assert apart["concentration"].dims[-1] == "point"
    np.testing.assert_allclose(sims.integrated_dose(apart)["stderr"][0], expected[0], rtol=1e-9)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    "name", ["tidy.csv", "paired.csv", "book.xlsx", "profiles", "infinite.csv"]
)
def test_profiles_and_tables(tmp_path, name):
    ds = one().isel(measurement=0, drop=True)
    window = ("190 nm", "190.5 nm") if name == "infinite.csv" else TAIL
    other = ds.assign_coords(species=["P"])
    if name == "infinite.csv":  # one sample without an error of its own
        ds["concentration_stderr"][0, 95] = np.nan
    found = sims.subtract_background(ds, window=window).reset_coords(drop=True)
    ds = xr.concat([found, other], "species", join="exact")
    if name == "profiles":
        back = sims.to_dataset(sims.to_profiles(ds))
    else:
        layout = name.removesuffix(".csv")
        path = tmp_path / name
        if name.endswith("xlsx"):
            sims.to_excel(ds, path)
        else:
            sims.to_csv(ds, path, layout="paired" if layout == "paired" else "tidy")
        back = sims.read(path).to_dataset()
    for end in ("stderr", "counts", "background_stderr", "background_overlap"):
        written, read = (
            data.get(f"concentration_{end}", xr.DataArray(np.nan))
            .broadcast_like(ds["concentration"])
            .fillna(0.0)
            for data in (ds, back)
        )
        np.testing.assert_array_equal(read, written)
    np.testing.assert_array_equal(*(sims.integrated_dose(one)["stderr"] for one in (ds, back)))


@pytest.mark.few(2)
@pytest.mark.parametrize("conserve", [None, "dose"])
@pytest.mark.parametrize("step", ["1 nm", "6 nm"])
def test_grids_keep_the_error_of_the_background(conserve, step):
    ds = sims.subtract_background(one(), window=TAIL)
    fine = sims.to_grid(ds, step=step, method="linear", conserve=conserve)
    np.testing.assert_allclose(common_of(fine) - common_of(ds), 0, atol=1e-9 * TOP)
    found, expected = (sims.integrated_dose(data, stop="120 nm") for data in (fine, ds))
    if step == "1 nm" or conserve:  # values at every third depth leave samples out
        np.testing.assert_allclose(found["stderr"], expected["stderr"], rtol=0.03)
        whole = [sims.integrated_dose(data)["stderr"] for data in (fine, ds)]
        np.testing.assert_allclose(*whole, rtol=0.05)
    array = sims.to_grid(
        ds["concentration"].assign_coords(
            stderr=ds["concentration_stderr"], background_stderr=common_of(ds)
        ),
        step=step,
        method="linear",
        conserve=conserve,
    )
    np.testing.assert_allclose(array["background_stderr"] - common_of(ds), 0, atol=1e-9 * TOP)
    there = sims.interpolate(ds, depth=["11 nm", "13 nm"], method="linear")
    np.testing.assert_allclose(common_of(there) / common_of(ds), 1, rtol=1e-9)


@pytest.mark.few(1)
@pytest.mark.slow
@pytest.mark.parametrize("conserve", [None, "dose"])
@pytest.mark.parametrize("step", ["1 nm", "0.5 nm"])
def test_a_finer_grid_does_not_know_the_background_better(conserve, step):
    ds = counted()
    fine = sims.to_grid(ds, step=step, method="linear", conserve=conserve)
    data = [sims.subtract_background(x, window=TAIL) for x in (ds, fine)]
    stated, coarse = (x["subtracted_background_stderr"].median().item() for x in data[::-1])
    assert stated == pytest.approx(coarse, rel=0.1)
    scatter = data[1]["subtracted_background"].std("measurement").item()
    assert stated == pytest.approx(scatter, rel=0.1)
    options = {"stop": "120 nm", "background": TAIL, "rule_tolerance": 9}
    parts = [sims.dose_budget(x, **options)["background_stderr"].median() for x in (fine, ds)]
    np.testing.assert_allclose(*parts, rtol=0.1)
    doses = [sims.integrated_dose(x, stop="120 nm")["stderr"].median() for x in data]
    np.testing.assert_allclose(*doses, rtol=0.05)


def test_an_unknown_error_stays_unknown():
    plain = one().drop_vars(["concentration_stderr", "concentration_counts"])
    single = sims.subtract_background(plain, window=("190 nm", "190.5 nm"))
    assert np.isinf(common_of(single)).all()
    assert np.isnan(sims.dose_budget(single)["background_stderr"]).all()
    assert np.isfinite(sims.integrated_dose(single)).all()


# --- other answers ------------------------------------------------------------------------------


#: A window of its own takes the error out again; values at a depth carry it next to them.
WITH_ERROR = [
    question for question, options in QUESTIONS.items()
    if question in (*PER_PROFILE, *TOGETHER)
    and not isinstance(options.get("background"), tuple)
    and question.split()[0] not in WITHOUT_ERROR
]  # fmt: skip


@pytest.mark.few(5)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("question", WITH_ERROR)
def test_every_standard_error_contains_that_of_the_background(question):
    ds = measurement(AXIS)
    shared = xr.full_like(ds["concentration"], 1e16).assign_attrs(ds["concentration"].attrs)
    answers = [ask(question, x) for x in (ds, ds.assign(concentration_background_stderr=shared))]
    parts = [x if isinstance(x, xr.Dataset) else x.coords for x in answers]
    own = {"systematic_stderr", "rsf_stderr", "depth_stderr", "background_stderr"}
    names = [name for name in parts[0] if str(name).endswith("stderr") and name not in own]
    assert names, "no standard error is stated: add the question to WITHOUT_ERROR"
    for name in names:
        without, with_it = (part[name].values for part in parts)
        assert not np.array_equal(without, with_it, equal_nan=True), name


def test_a_comparison():
    ds = sims.subtract_background(one(), window=TAIL).isel(measurement=0)
    plain = ds.drop_vars("concentration_background_stderr")
    found, without = (sims.compare(data, plain) for data in (ds, plain))
    s, value = common_of(ds).item(), ds["concentration"]
    np.testing.assert_allclose(
        found["ratio_stderr"][0, 20:40], np.hypot(without["ratio_stderr"], s / value)[0, 20:40]
    )
    assert (found["dose_ratio_stderr"] > without["dose_ratio_stderr"]).all()


def test_a_metallurgical_junction():
    boron = sims.subtract_background(one(), window=TAIL).isel(measurement=0)
    flat = boron.assign_coords(species=["P"])
    flat["concentration"] = xr.full_like(flat["concentration"], 2e19)
    flat = flat.drop_vars(["concentration_background_stderr", "concentration_background_overlap"])
    both = xr.concat([boron, flat], "species", join="exact")
    plain = both.drop_vars("concentration_background_stderr")
    found, without = (
        sims.metallurgical_junctions(data, donors=["P"], acceptors=["B"]) for data in (both, plain)
    )
    s = common_of(boron).item()
    xj = sims.junction_depth(plain.sel(species="B"), level="2e19 atoms/cm^3")
    last = without["depth"].notnull().sum().item() - 1
    expected = np.hypot(without["stderr"][last].item(), s * xj["decay_length"].item() / 2e19)
    assert found["stderr"][last].item() == pytest.approx(expected, rel=0.01)


def test_a_detection_limit_by_the_gross_counts():
    ds = one()
    options = {"window": TAIL, "rule": "currie"}
    before, after = (
        sims.detection_limit(data, **options)
        for data in (ds, sims.subtract_background(ds, window=TAIL))
    )
    np.testing.assert_allclose(after, before - before["background"], rtol=1e-9)
    bare = sims.subtract_background(ds.drop_vars("concentration_counts"), window=TAIL)
    with raises(ProfileError, argument="rule"):
        sims.detection_limit(bare, value_per_count="1e18 atoms/cm^3", **options)


def test_fits_have_the_error_of_the_background():
    ds = sims.subtract_background(one(), window=TAIL).isel(measurement=0, species=0)
    fit = {"model": "gaussian", "stop": "76 nm", "weights": "stderr"}
    with pytest.warns(FitWarning):
        found = sims.fit(ds, **fit)
    with pytest.warns(FitWarning):
        alone = sims.fit(ds.drop_vars("concentration_background_stderr"), **fit)
    assert found["dose"] == alone["dose"]
    assert found["dose_stderr"] > alone["dose_stderr"]


def dopants(trials=1):
    """Boron in phosphorus, of few counts and each above a background of its own."""
    rng = np.random.default_rng(3)
    boron, phosphorus = 200 * np.exp(-((Z - 40) ** 2) / 800), np.where(Z < 130, 5.0, 0.0)
    of_true = np.stack([boron, phosphorus])
    k = rng.poisson(of_true + 3.0, (trials, 2, Z.size))
    data, true = (
        xr.Dataset(
            {"concentration": (("measurement", "species", "depth"), n * 1e17, {"units": "cm^-3"})},
            {"species": ["B", "P"], "depth": ("depth", Z, {"units": "nm"})},
        )
        for n in (k, of_true[None])
    )
    data = sims.with_counting_statistics(data, value_per_count="1e17 atoms/cm^3")
    return sims.subtract_background(data, window=("180 nm", "198 nm")), true


SHEETS = [
    {"acceptors": ["B"], "stop": "110 nm"},
    {"acceptors": ["B"], "donors": ["P"], "stop": "90 nm"},
]


@pytest.mark.few(2)
@pytest.mark.parametrize("question", SHEETS)
@pytest.mark.parametrize("kind", ["plain", "dask", "quantified"])
def test_a_sheet_resistance_has_the_error_of_each_background(question, kind):
    ds, _ = dopants()
    chosen = [*question["acceptors"], *question.get("donors", [])]
    own = sims.sheet_resistance(ds.drop_vars("concentration_background_stderr"), **question)
    variance = own["sheet_resistance_stderr"].item() ** 2
    for name in chosen:
        s = common_of(ds).sel(species=name).item() * (ds["species"] == name)
        both = [ds[["concentration"]] + sign * s for sign in (1, -1)]
        up, down = (sims.sheet_resistance(x, **question)["sheet_resistance"] for x in both)
        variance += ((up - down).item() / 2) ** 2
    given = {"plain": ds, "dask": ds.chunk(), "quantified": sims.quantify(ds)}[kind]
    found = sims.dequantify(sims.sheet_resistance(given, **question)).compute()
    found = found["sheet_resistance_stderr"]
    assert found.item() == pytest.approx(np.sqrt(variance), rel=1e-3)
    assert found.item() > 1.02 * own["sheet_resistance_stderr"].item()


def test_an_interface_moves_with_a_background_only_where_this_varies():
    """A level less shifts both plateaus: position and width of the step between them stay."""
    z = np.arange(0.0, 200.0, 2.0)
    ds = trials(lambda z: 0.1 + 0.9 * ndtr((100 - z) / 6), z, 200).isel(measurement=0, species=0)
    less = sims.subtract_background(ds, window=("150 nm", "198 nm"))
    found, before = (sims.interface(data) for data in (less, ds))
    for name in ("position", "position_stderr", "width", "width_stderr"):
        np.testing.assert_allclose(found[name], before[name], rtol=1e-6)
    varies = less.assign(concentration_background_stderr=less["depth"] * 1e15)
    varies["concentration_background_stderr"].attrs["units"] = "atom/cm^3"
    s = varies["concentration_background_stderr"]
    up, down = (sims.interface(ds.assign(concentration=ds["concentration"] + d)) for d in (s, -s))
    for name in ("position", "width"):
        whole = (up[name] - down[name]).item() / 2
        own = sims.interface(varies)[f"{name}_stderr"].item()
        assert own == pytest.approx(np.hypot(before[f"{name}_stderr"].item(), whole), rel=0.1)


# --- Monte Carlo --------------------------------------------------------------------------------


@pytest.mark.study
@pytest.mark.parametrize("stop", ["120 nm", "198 nm"])
@pytest.mark.parametrize("counts", [10, 100, 1000])
def test_intervals_of_the_dose_cover_68_percent(counts, stop):
    ds = sims.subtract_background(counted(counts), window=TAIL)
    inside = float(stop.split()[0]) >= Z
    truth = np.trapezoid(SHAPE(Z[inside]), Z[inside]) * TOP * 1e-7
    assert 0.64 <= covered(sims.integrated_dose(ds, stop=stop), truth) <= 0.72
    # Without the common part they cover far less.
    alone = ds.drop_vars("concentration_background_stderr")
    assert covered(sims.integrated_dose(alone, stop=stop), truth) < 0.6


@pytest.mark.study
@pytest.mark.parametrize("tail", [0.001, 0.003, 0.006, 0.01])
def test_intervals_cover_where_a_window_may_be_empty(tail):
    ds = few(tail)
    inside = Z <= 100
    truth = np.trapezoid(SHAPE(Z[inside]) - tail, Z[inside]) * TOP * 1e-7
    data = sims.subtract_background(ds, window=TAIL)
    assert 0.64 <= covered(sims.integrated_dose(data, stop="100 nm"), truth) <= 0.76


@pytest.mark.study
@pytest.mark.filterwarnings("ignore:.*by the mobility at each sample")
@pytest.mark.parametrize("question", SHEETS)
def test_intervals_of_sheet_resistances_cover_68_percent(question):
    ds, true = dopants(600)
    truth = sims.sheet_resistance(true, **question)["sheet_resistance"].item()
    found = sims.sheet_resistance(ds, **question)
    off, stated = found["sheet_resistance"] - truth, found["sheet_resistance_stderr"]
    assert 0.63 <= float((abs(off) <= stated).mean()) <= 0.74
    assert float(off.std()) == pytest.approx(float(stated.mean()), rel=0.08)


@pytest.mark.study
@pytest.mark.filterwarnings(AMBIGUOUS, "ignore:.*ends inside the profile")  # which is cut: it does
def test_intervals_of_depths_and_moments_cover_68_percent():
    # Two thirds of the variance are those of a background of four samples.
    shape, decay = edge(60.0)
    ds = trials(lambda z: np.where(z <= 170, shape(z), 0.0) + 0.2, Z, 1000)
    ds = sims.subtract_background(ds, window=("172 nm", "178 nm")).isel(depth=slice(0, 85))
    alone = ds.drop_vars("concentration_background_stderr")
    z = Z[30:81]
    profile = shape(z)
    weights = np.full(z.size, 2.0)
    weights[[0, -1]] = 1.0
    mean = (weights * z * profile).sum() / (weights * profile).sum()
    above = np.append(0.0, np.cumsum(profile[1:] + profile[:-1]))
    half = np.interp(above[-1] / 2, above, z)

    def parts(data):
        level = {"level": f"{0.3 * TOP} atoms/cm^3", "after": "peak"}
        found = sims.moments(data, start="60 nm", stop="160 nm")
        inside = abs(found["projected_range"] - mean) <= found["projected_range_stderr"]
        within = data.isel(depth=slice(30, 81))
        return [
            covered(sims.junction_depth(data, **level), 60 - decay * np.log(0.3)),
            covered(sims.depth_at_dose_fraction(within, fraction=0.5), half),
            float(inside.mean()),
        ]

    assert all(0.62 <= part <= 0.76 for part in parts(ds))
    junction, *others = parts(alone)
    assert junction < 0.66  # its error holds what a kink would hide, too
    assert max(others) < 0.6


@pytest.mark.study
@pytest.mark.filterwarnings(AMBIGUOUS)
def test_intervals_of_a_crossing_at_the_level_of_the_background_cover_68_percent():
    shape, decay = edge(35.0)
    ds = trials(lambda z: shape(z) + 0.1, np.arange(0, 300, 2.0), 100)
    ds = sims.subtract_background(ds, window=("220 nm", "298 nm"))
    found = sims.junction_depth(ds, level=f"{0.1 * TOP} atoms/cm^3", after="peak")
    stated = found.where(found["stderr"].notnull(), drop=True)  # a crossing by noise has none
    assert stated.size > 900
    assert 0.64 <= covered(stated, 60 - decay * np.log(0.1)) <= 0.72
