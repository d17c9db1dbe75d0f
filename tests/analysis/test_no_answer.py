"""Without a result: NaN always comes with a status that gives the reason."""

import warnings

import numpy as np
import pytest
import xarray as xr
from counted_trials import edge, trials
from error_parts import raises
from measurement_layouts import measurement, one, word

import sims_analysis as sims
from sims_analysis.errors import ProfileError

MOMENTS = ("projected_range", "straggle", "skewness", "kurtosis")


@pytest.mark.filterwarnings("ignore:.*(background window|ends inside)")
@pytest.mark.parametrize("counts", [1, 3])
def test_moments_in_noise_are_flagged_where_nothing_is_left(counts):
    shape, _ = edge(30.0)
    ds = trials(lambda z: shape(z) * 0.3 + 1.0, np.arange(0, 200, 4.0), counts)
    found = sims.moments(ds, background=("150 nm", "200 nm"))
    # By chance, one window in a hundred is not level, or ends of records; of so few counts, most
    # do not show it.
    ok = found["status"].isin(["ok", "undetermined", "wrong_shape", "truncated"])
    assert found["status"].isin(["ok", "undetermined"]).sum() > 0.97 * ok.sum()
    assert 0 < int(ok.sum()) < ok.size
    for name in (*MOMENTS, "dose"):
        assert bool((found[name].notnull() == ok).all()), name
    within = (found["projected_range"] >= found["start"]) & (
        found["projected_range"] <= found["stop"]
    )
    assert bool((within | ~ok).all())
    assert set(np.unique(found["status"].where(~ok, "ok"))) <= {
        *("ok", "below_detection", "never_reached"),
    }


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("values", "status"),
    [
        ([1e18, 2e18, 1e18], "ok"),
        ([np.nan, 2e18, np.nan], "no_data"),
        ([np.nan] * 3, "no_data"),
        ([0.0, 0.0, 0.0], "never_reached"),
        ([-1e18, 0.0, -1e18], "never_reached"),
    ],
)
def test_the_status_of_a_containing_depth(values, status):
    for ds in (one([0, 1, 2], values), one([0, 1, 2], values).chunk(species=1)):
        found = sims.depth_at_dose_fraction(ds, fraction=[0.5, 0.9])
        assert found["status"].dims == found.dims
        assert (found["status"] == status).all()
        assert bool((found.notnull() == (status == "ok")).all())
        assert word(sims.depth_at_dose_fraction(ds, fraction=0.5)["status"]) == status


@pytest.mark.slow
def test_no_dose_no_error():
    z = np.linspace(0, 600, 300)
    c = 1e20 * np.exp(-(((z - 100) / 30) ** 2) / 2) * np.ones((6, 1))
    c[0] = np.nan
    c[0, 150] = 1e18
    profiles = {f"S{i}": row for i, row in enumerate(c)}
    ds = measurement(z, profiles, stderr={name: 0.0 * row + 1e15 for name, row in profiles.items()})
    for options in ({"surface": "hold", "surface_depth": "20 nm"}, {}):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", sims.DoseWarning)
            whole, alone, chunks = (
                sims.integrated_dose(data, background=("250 nm", "350 nm"), **options)["stderr"]
                for data in (ds, ds.isel(species=[0]), ds.chunk(species=1))
            )
        assert np.isnan(whole[0])
        assert np.isnan(alone[0])
        np.testing.assert_array_equal(whole, chunks)


@pytest.mark.parametrize("size", [0, 1, 2])
@pytest.mark.parametrize("errors", [False, True])
def test_profiles_with_very_few_samples(size, errors):
    z = np.linspace(0, 6, 2)[:size]
    values = {"B": np.ones(size) * 1e18, "P": np.ones(size) * 2e18}
    ds = measurement(z, values, stderr=values if errors else None)
    asked = {"depth": ["5 nm", "5.5 nm", "5.7 nm"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", sims.SimsWarning)
        doses = sims.cumulative_dose(ds), sims.integrated_dose(ds, surface="hold")
        values = (
            sims.to_grid(ds, conserve="dose", **asked)["concentration"],
            sims.interpolate(ds, **asked)["concentration"],
            sims.moments(ds, threshold=0.1)["straggle"],
            sims.depth_at_dose_fraction(ds, fraction=0.5),
            sims.compare(ds, ds)["dose_ratio"],
        )
    assert bool(doses[0].isnull().all()) == (size < 2) or size == 0
    assert bool(doses[1].isnull().all()) == (size < 2)
    for found in values:
        assert found.sizes["species"] == 2
        assert size == 2 or bool(found.isnull().all())


# --- an argument that is not known for one of several profiles ------------------------------------

UNKNOWN = {
    "junction": lambda d, of: sims.junction_depth(d, level=of(1e18, "atom/cm^3")),
    "crossings": lambda d, of: sims.crossings(d, level=of(1e18, "atom/cm^3"), max_count=2),
    "dose": lambda d, of: sims.integrated_dose(d, start=of(50, "nm")),
    "dose, surface": lambda d, of: sims.integrated_dose(
        d, surface="exclude", surface_depth=of(20, "nm")
    ),
    "dose, background": lambda d, of: sims.integrated_dose(d, background=of(1e15, "atom/cm^3")),
    "dose, window": lambda d, of: sims.integrated_dose(d, background=(of(170, "nm"), "190 nm")),
    "budget, surface": lambda d, of: sims.dose_budget(
        d, surface="exclude", surface_depth=of(20, "nm")
    ),
    "cumulative dose": lambda d, of: sims.cumulative_dose(d, background=of(1e15, "atom/cm^3")),
    "moments": lambda d, of: sims.moments(d, threshold=of(1e17, "atom/cm^3")),
    "decay, low": lambda d, of: sims.decay_length(
        d, low=of(1e17, "atom/cm^3"), high="5e18 atom/cm^3"
    ),
    "decay, high": lambda d, of: sims.decay_length(
        d, low="1e16 atom/cm^3", high=of(1e18, "atom/cm^3")
    ),
    "detection limit": lambda d, of: sims.detection_limit(d, window=(of(170, "nm"), "190 nm")),
    "fit": lambda d, of: sims.fit(d, model="gaussian", detection_limit=of(1e15, "atom/cm^3")),
}


@pytest.mark.few(2)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("layout", ["shared", "dask", "own axes", "alone"])
@pytest.mark.parametrize("question", UNKNOWN)
def test_an_unknown_argument_of_one_profile_has_no_answer(question, layout):
    z = np.arange(0.0, 200.0, 2.0)
    rng = np.random.default_rng(4)
    shape = [np.exp(-(((z - at) / 15) ** 2)) for at in (80, 60, 100)]
    counts = rng.poisson(1e5 * np.stack(shape) + 3.0).astype(float)
    ds = xr.Dataset(
        {"concentration": (("species", "depth"), 1e15 * counts, {"units": "atom/cm^3"})},
        {"species": ["B", "P", "As"], "depth": ("depth", z, {"units": "nm"})},
    )
    ds = sims.with_counting_statistics(ds, value_per_count="1e15 atom/cm^3")
    names = ["B", "P", "As"]
    if layout == "own axes":
        ds = sims.stack([ds, ds.isel(depth=slice(0, -1))]).isel(measurement=1)
    elif layout == "dask":
        ds = ds.chunk(species=1)
    elif layout == "alone":
        ds, names = ds.sel(species="P"), ["P"]

    def of(number, unit):
        values = [np.nan if name == "P" else number for name in names]
        made = xr.DataArray(values, {"species": names}, "species", attrs={"units": unit})
        return made.sel(species="P") if layout == "alone" else made

    answer = UNKNOWN[question]
    if question == "dose, window" and layout == "alone":
        with raises(ProfileError, "no_sample_in_window", argument="background", species="P"):
            answer(ds, of)
        return
    found = answer(ds, of).compute()
    status = found["status"]
    status = status.isel(crossing=0) if "crossing" in status.dims else status
    expected = ["no_data" if name == "P" else "ok" for name in names]
    assert np.atleast_1d(status.values).tolist() == expected
    main = found[next(iter(found.data_vars))] if isinstance(found, xr.Dataset) else found
    main = main.isel(species=names.index("P")) if "species" in main.dims else main
    assert main.isnull().all()


@pytest.mark.parametrize("lazy", [False, True])
def test_junctions_of_a_wafer_whose_doping_is_not_known(lazy):
    z = np.arange(0.0, 200.0, 2.0)
    ds = one(z, 1e19 * np.exp(-z / 15))
    batch = sims.stack([ds, ds])
    batch = batch.chunk() if lazy else batch
    net = xr.DataArray([1e15, np.nan], dims="measurement", attrs={"units": "atom/cm^3"})
    name = str(ds["species"].values[0])
    found = sims.metallurgical_junctions(batch, acceptors=[name], background=net, max_count=2)
    assert found["status"].values.tolist() == [["ok", ""], ["no_data", ""]]
    assert found["depth"].isnull().values.tolist() == [[False, True], [True, True]]
