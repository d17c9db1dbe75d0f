"""Mobilities as published, and the sheet resistance of profiles whose integral is known."""

import json
import warnings

import numpy as np
import pytest
import shared_profiles
import xarray as xr
from error_parts import raises, warns
from questions import AXIS, measurement

import sims_analysis as sims
from sims_analysis.electrical.mobility import CHARGE, MOBILITIES, arora, astm_f723, masetti
from sims_analysis.errors import FitWarning, ProfileError, UnitsError


def doped(z, **profiles):
    depth = ("depth", np.asarray(z, dtype=float), {"units": "nm"})
    return xr.DataArray(
        np.stack(list(profiles.values())), dims=("species", "depth"),
        coords={"species": list(profiles), "depth": depth},
        attrs={"units": "atom/cm^3"}, name="concentration",
    )  # fmt: skip


def gaussian(z, dose=1e15, mean=40.0, width=20.0):
    return dose / (np.sqrt(2 * np.pi) * width * 1e-7) * np.exp(-((z - mean) ** 2) / 2 / width**2)


@pytest.mark.parametrize(
    ("element", "expected", "few", "many"),
    [
        ("As", (1176.8, 283.8, 60.9), 1417.0, 52.2 - 43.4),
        ("P", (1183.8, 277.0, 73.2), 1414.0, 68.5 - 56.1),
        ("B", (424.9, 160.3, 49.9), 470.5, 44.9 - 29.0),
    ],
)
def test_masettis_mobilities(element, expected, few, many):
    # Few dopants leave the lattice; many, the two minima less what clusters take.
    found = masetti(np.array([0.0, 1.0, 1e16, 1e18, 1e20, 1e25]), element)
    np.testing.assert_allclose(found, [few, few, *expected, many], atol=0.05)


def test_f723_gives_back_its_own_resistivities():
    # The standard is a resistivity: 1e16 of boron have 1.46 ohm cm, of phosphorus 0.53.
    for element, ohm_cm in (("B", 1.45), ("P", 0.525)):
        resistivity = 1 / (CHARGE * 1e16 * astm_f723(np.array([1e16]), element)[0])
        assert resistivity == pytest.approx(ohm_cm, rel=0.02)


def test_f723_agrees_with_the_standards_own_formulas_the_other_way_round():
    """Its densities from resistivities were fitted apart, and come back to some per cent."""

    def resistivity(n, element):
        return 1 / (CHARGE * n * astm_f723(n, element))

    n = np.logspace(12, 21, 46)
    rho = resistivity(n, "B")
    boron = 1.330e16 / rho + 1.082e17 / (rho * (1 + (54.5 * rho) ** 1.105))
    np.testing.assert_allclose(boron, n, rtol=0.045)
    n = np.logspace(12, 20.6, 44)
    rho = resistivity(n, "P")
    y = np.log10(rho)
    above = -3.1083 - y * (3.2626 + y * (1.2196 + y * 0.13923))
    below = 1 + y * (1.0265 + y * (0.38755 + y * 0.041833))
    np.testing.assert_allclose(6.242e18 / rho * 10 ** (above / below), n, rtol=0.07)


def test_a_quantified_profile_has_a_resistance_in_ohm():
    z = np.arange(0, 300.1, 0.5)
    plain = doped(z, B=gaussian(z))
    found = sims.sheet_resistance(sims.quantify(plain), acceptors=["B"])
    assert str(found["sheet_resistance"].data.units) == "ohm"
    expected = sims.sheet_resistance(plain, acceptors=["B"])
    xr.testing.assert_allclose(sims.dequantify(found), expected)


def test_the_boron_gaussian_of_the_definitions():
    z = np.arange(0, 300.1, 0.5)
    found = sims.sheet_resistance(doped(z, B=gaussian(z)), acceptors=["B"])
    assert found["sheet_resistance"].item() == pytest.approx(131.1, rel=0.005)
    assert found["polarity"].item() == "p"
    others = [found[f"sheet_resistance_{name}"].item() for name in MOBILITIES]
    spread = (max(others) - min(others)) / 2 / others[0]
    assert found["model_spread"].item() == pytest.approx(spread)


@pytest.mark.parametrize(
    ("name", "mobility"), [("masetti", masetti), ("arora", arora), ("f723", astm_f723)]
)
@pytest.mark.parametrize(("element", "side"), [("P", "donors"), ("B", "acceptors")])
def test_a_box_has_its_resistance_by_each_mobility(name, mobility, element, side):
    z = np.linspace(0, 200, 5)
    ds = doped(z, **{element: np.full(5, 1e18)})
    found = sims.sheet_resistance(ds, **{side: [element]}, mobility=name)
    by_hand = 1 / (CHARGE * mobility(np.array([1e18]), element)[0] * 1e18 * 200e-7)
    assert found["sheet_resistance"].item() == pytest.approx(by_hand, rel=1e-12)
    assert found[f"sheet_resistance_{name}"].item() == pytest.approx(by_hand, rel=1e-12)


def test_the_layer_ends_at_the_junction():
    z = np.arange(0, 300.1, 1.0)
    boron, phosphorus = gaussian(z), np.full(z.size, 1e17)
    ds = doped(z, B=boron, P=phosphorus)
    found = sims.sheet_resistance(ds, acceptors=["B"], donors=["P"])
    junction = sims.metallurgical_junctions(ds, acceptors=["B"], donors=["P"])["depth"].values[0]
    assert found["layer_depth"].item() == pytest.approx(junction, abs=1e-9)
    same = sims.sheet_resistance(ds.sel(species=["B"]), acceptors=["B"],
                                 background="1e17 atoms/cm^3")  # fmt: skip
    assert same["sheet_resistance"].item() == pytest.approx(found["sheet_resistance"].item())


def test_species_may_have_axes_of_their_own():
    z, other = np.arange(0, 300.1, 1.0), np.arange(0.3, 299, 1.7)
    profiles = [
        sims.DepthProfile(species_name=name, depths=x, depth_units="nm",
                          concentrations=c, concentration_units="atoms/cm^3")
        for name, x, c in (("B", z, gaussian(z)), ("P", other, np.full(other.size, 1e17)))
    ]  # fmt: skip
    found = sims.sheet_resistance(sims.to_dataset(profiles), acceptors=["B"], donors=["P"])
    shared = sims.sheet_resistance(
        doped(z, B=gaussian(z), P=np.full(z.size, 1e17)), acceptors=["B"], donors=["P"],
        start="0.3 nm",
    )  # fmt: skip
    assert found["sheet_resistance"].item() == pytest.approx(
        shared["sheet_resistance"].item(), rel=1e-3
    )


def test_errors_between_the_samples_of_another_species_follow_lines_of_logarithms():
    """As each sample moves the resistance, one at a time; half of the depths are the other's."""
    z = np.stack([np.arange(0.0, 80, 10), np.arange(5.0, 80, 10)])
    c = np.stack([1e20 * np.exp(-z[0] / 30), np.full(8, 1e14)])
    c[0, -1] = 0.0  # to which a straight line leads
    ds = xr.Dataset(
        {"concentration": (("species", "point"), c, {"units": "atom/cm^3"})},
        {"species": ["B", "P"], "depth": (("species", "point"), z, {"units": "nm"})},
    )
    s = np.stack([0.1 * c[0], np.full(8, np.nan)])
    ds["concentration_stderr"] = ds["concentration"].copy(data=s)

    def found(name, moved=0.0):
        one = ds.assign(concentration=ds["concentration"] + moved)
        answer = sims.sheet_resistance(one, acceptors=["B"], donors=["P"], stop="68 nm")
        return answer[name].item()

    each = 1e-3 * np.diag(s[0])
    steps = [found("sheet_resistance", np.stack([row, 0 * row])) for row in each]
    expected = np.linalg.norm(np.array(steps) - found("sheet_resistance")) / 1e-3
    assert found("sheet_resistance_stderr") == pytest.approx(expected, rel=1e-3)


@pytest.mark.slow
def test_the_error_is_that_of_counting():
    z = np.arange(0, 200.1, 2.0)
    truth = gaussian(z, dose=1e14)
    rng = np.random.default_rng(0)
    counts = rng.poisson(truth / 1e18 * np.ones((400, 1)))
    ds = xr.Dataset(
        {"concentration": (("wafer", "species", "depth"), counts[:, None] * 1e18,
                           {"units": "atom/cm^3"})},
        coords={"species": ["B"], "depth": ("depth", z, {"units": "nm"})},
    )  # fmt: skip
    ds = sims.with_counting_statistics(ds, value_per_count="1e18 atoms/cm^3")
    found = sims.sheet_resistance(ds, acceptors=["B"], stop="100 nm")
    ratio = float(found["sheet_resistance"].std() / found["sheet_resistance_stderr"].mean())
    assert ratio == pytest.approx(1, abs=0.15)


def test_each_measurement_may_have_a_window_of_its_own():
    z = np.arange(0, 200.1, 2.0)
    batch = xr.concat([doped(z, B=gaussian(z, dose=q)) for q in (1e14, 3e14)], "wafer")
    stops = xr.DataArray([80.0, 120.0], dims="wafer", attrs={"units": "nm"})
    found = sims.sheet_resistance(batch, acceptors=["B"], stop=stops)
    for i, stop in enumerate(("80 nm", "120 nm")):
        alone = sims.sheet_resistance(batch.isel(wafer=i), acceptors=["B"], stop=stop)
        xr.testing.assert_equal(found.isel(wafer=i), alone)
    none = sims.sheet_resistance(batch, acceptors=["B"], stop=stops.copy(data=[0.0, 120.0]))
    assert none["status"].values.tolist() == ["no_data", "ok"]
    limits = stops.assign_attrs(units="atom/cm^3")
    with raises(ProfileError, argument="active_limit"):
        sims.sheet_resistance(batch, acceptors=["B"], active_limit=limits)


@pytest.mark.parametrize(("phosphorus", "polarity"), [(1e18, "n"), (1e16, "p")])
def test_a_layer_of_one_type_has_it_though_the_samples_end_too_early(phosphorus, polarity):
    z = np.linspace(0, 200, 5)
    ds = doped(z, P=np.full(5, phosphorus), B=np.full(5, 1e17))
    with warns(FitWarning, "truncated"):
        found = sims.sheet_resistance(ds, acceptors=["B"], donors=["P"], stop="300 nm")
    assert (found["status"].item(), found["polarity"].item()) == ("truncated", polarity)


def test_without_a_junction_there_is_no_number():
    z = np.arange(0, 100.1, 1.0)
    ds = doped(z, B=np.full(z.size, 1e19), P=np.full(z.size, 1e17))
    with warns(FitWarning, "never_reached"):
        found = sims.sheet_resistance(ds, acceptors=["B"], donors=["P"])
    assert found["status"].item() == "never_reached"
    assert np.isnan(found["sheet_resistance"])
    with warns(FitWarning, "truncated"):
        found = sims.sheet_resistance(ds, acceptors=["B"], stop="150 nm")
    assert (found["status"].item(), found["polarity"].item()) == ("truncated", "p")


def test_count_rates_have_no_sheet_resistance(approved):
    rates = doped(np.arange(3), B=np.ones(3)).rename("intensity").assign_attrs(units="count/s")
    with raises(UnitsError, text=approved):
        sims.sheet_resistance(rates, acceptors=["B"])


@shared_profiles.parametrize("tsuprem")
def test_sheet_resistances_of_a_process_simulator(name):
    """TSUPREM-4's own, stated with each profile: what another mobility model may differ by."""
    ds = sims.SIMSResult.from_json(shared_profiles.read(name)).to_dataset()
    for i, text in enumerate(np.atleast_1d(ds["species_metadata"].values)):
        stated = json.loads(text)
        one = ds.isel(species=[i])
        dopant = str(one["species"].values[0])
        side = {"acceptors": [dopant]} if dopant == "B" else {"donors": [dopant]}
        stop = f"{stated['published_Xj'] * 1e9} nm"
        found = sims.sheet_resistance(one, **side, stop=stop)
        published = stated["published_Rs_ohm_sq"]
        assert found["sheet_resistance"].item() == pytest.approx(published, rel=0.25), dopant


def counted_layer(peak, trials, seed=1):
    """Give counts of boron in phosphorus, a twentieth of its peak."""
    z = np.arange(0.0, 250.0, 2.0)
    boron = np.exp(-(((z - 60) / 25) ** 2) / 2)
    expected = peak * np.stack([boron, 0.05 * np.exp(-z / 400)])
    k = np.random.default_rng(seed).poisson(np.broadcast_to(expected, (trials, *expected.shape)))
    per = 1e19 / peak
    dims = ("trial", "species", "depth")
    return xr.Dataset(
        {
            "concentration": (dims, k * per, {"units": "atom/cm^3"}),
            "concentration_counts": (dims, k.astype(float), {"units": "count"}),
            "concentration_stderr": (
                dims, np.sqrt(np.maximum(k, 1)) * per, {"units": "atom/cm^3"}
            ),
        },
        coords={"species": ["B", "P"], "depth": ("depth", z, {"units": "nm"})},
    )  # fmt: skip


def test_a_finer_grid_makes_an_error_no_smaller():
    ds = counted_layer(1000, 2)
    found, finer = (sims.sheet_resistance(one, donors=["P"], acceptors=["B"])
                    for one in (ds, sims.to_grid(ds, step="0.5 nm")))  # fmt: skip
    error = found["sheet_resistance_stderr"]
    np.testing.assert_allclose(finer["sheet_resistance_stderr"], error, rtol=0.01)


@pytest.mark.slow
@pytest.mark.parametrize("peak", [10, 100, 1000])
def test_noise_makes_no_junction_and_a_finer_grid_no_certainty(peak):
    """The truth is what ten million counts give: 1,354 ohm above a junction at 124 nm."""
    options = {"donors": ["P"], "acceptors": ["B"]}
    truth = sims.sheet_resistance(counted_layer(10_000_000, 1), **options).isel(trial=0)
    ds = counted_layer(peak, 150)
    for data in (ds, sims.to_grid(ds, step="0.5 nm")):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FitWarning)  # a few layers of ten counts are not sure
            found = sims.sheet_resistance(data, **options)
        ok = (found["status"] == "ok").values
        assert ok.mean() > 0.8
        depth = found["layer_depth"].values[ok]
        assert np.median(depth) == pytest.approx(truth["layer_depth"].item(), abs=6)
        apart = abs(found["sheet_resistance"] - truth["sheet_resistance"]).values[ok]
        share = np.mean(apart < found["sheet_resistance_stderr"].values[ok])
        assert 0.56 <= share <= 0.78


@pytest.mark.slow
# One window of a hundred slopes by more than 2.5 of its errors.
@pytest.mark.filterwarnings("ignore:.*background window:sims_analysis.errors.ProfileWarning")
def test_noise_about_zero_is_no_carrier():
    """A background of a tenth was subtracted, and half of what is below the layer is noise."""
    ds = counted_layer(100, 60).sel(species=["B"])
    rng = np.random.default_rng(2)
    k = ds["concentration_counts"] + rng.poisson(10, ds["concentration"].shape)
    ds = ds.assign(concentration=(k * 1e17).assign_attrs(units="atom/cm^3"))
    ds = sims.with_counting_statistics(ds, value_per_count="1e17 atoms/cm^3")
    ds = sims.subtract_background(ds, window=("170 nm", "250 nm"))
    found = sims.sheet_resistance(ds, acceptors=["B"])
    layer = counted_layer(10_000_000, 1).sel(species=["B"])
    truth = sims.sheet_resistance(layer, acceptors=["B"])["sheet_resistance"].item()
    value, error = found["sheet_resistance"], found["sheet_resistance_stderr"]
    assert value.mean().item() == pytest.approx(truth, abs=0.8 * error.mean().item())
    assert 0.56 <= float((abs(value - truth) < error).mean()) <= 0.80


@pytest.mark.few(1)
@pytest.mark.parametrize("chunks", [None, {"measurement": 1}])
def test_a_layer_with_a_gap_is_not_ok(chunks):
    z = np.arange(0.0, 300.0, 2.0)
    whole = 1e19 * np.exp(-(((z - 100) / 30) ** 2) / 2)
    holed = np.where((z > 90) & (z < 120), np.nan, whole)
    far = np.where((z > 250) & (z < 280), np.nan, whole)
    ds = xr.Dataset(
        {
            "concentration": (
                ("measurement", "species", "depth"),
                np.stack([whole, holed, far])[:, None],
                {"units": "atom/cm^3"},
            )
        },
        {"measurement": ["a", "b", "c"], "species": ["B"], "depth": ("depth", z, {"units": "nm"})},
    )
    options = {"acceptors": ["B"], "stop": "200 nm"}
    if chunks is None:
        with warns(FitWarning, "gap", measurement="b", start="90 nm", stop="120 nm"):
            found = sims.sheet_resistance(ds, **options)
    else:
        found = sims.sheet_resistance(ds.chunk(chunks), **options)
    assert found["status"].values.tolist() == ["ok", "gap", "ok"]
    bridged = sims.sheet_resistance(ds, gaps="bridge", **options)
    assert bridged["status"].values.tolist() == ["ok"] * 3
    np.testing.assert_array_equal(found["sheet_resistance"], bridged["sheet_resistance"])
    # The status of a single lazy answer is a whole word, too.
    alone = sims.sheet_resistance(ds.isel(measurement=0, depth=[0]).chunk(), **options)
    assert alone["status"].values == "no_data"


# --- samples that a file gives as "<5E15" ---------------------------------------------------------

Z = np.arange(0.0, 200.0, 5.0)
BELOW_LIMIT = {
    # Donors and acceptors with their limits -> status.
    "p, and boron falls below its limit": (
        {"P": (np.full(Z.size, 1e15), 1e13), "B": (1e19 * np.exp(-Z / 10), 5e15)},
        "below_limit",
    ),
    "the junction is where both are known": (
        {"P": (np.full(Z.size, 1e17), 1e13), "B": (1e19 * np.exp(-Z / 10), 5e15)},
        "ok",
    ),
    "there is boron nowhere above its limit": (
        {"P": (np.full(Z.size, 1e17), 1e13), "B": (np.full(Z.size, 1e15), 5e15)},
        "below_limit",
    ),
    "n everywhere, far above the limit of boron": (
        {"P": (np.full(Z.size, 1e18), 1e13), "B": (1e17 * np.exp(-Z / 20), 5e15)},
        "never_reached",
    ),
    "phosphorus falls below the limit of boron": (
        {"P": (1e20 * np.exp(-Z / 10), 1e10), "B": (1e17 * np.exp(-Z / 20), 5e15)},
        "below_limit",
    ),
}


def check_layout(case, layout):
    species, status = BELOW_LIMIT[case]
    lines = ["Depth (nm)," + ",".join(f"{name} (atoms/cm3)" for name in species)]
    for i, z in enumerate(Z):
        cells = (f"<{x:g}" if c[i] < x else f"{c[i]:.12g}" for c, x in species.values())
        lines.append(f"{z:g}," + ",".join(cells))
    ds = sims.read("\n".join(lines).encode()).to_dataset()
    data = {
        "batch": lambda: sims.stack([ds, ds]),
        "own axes": lambda: sims.stack([ds, ds.isel(depth=slice(0, -1))]),
        "dask": ds.chunk,
        "quantified": lambda: sims.quantify(ds),
    }.get(layout, lambda: ds)()
    found = sims.sheet_resistance(data, donors=["P"], acceptors=["B"]).compute()
    assert set(np.atleast_1d(found["status"].values)) == {status}
    numbers = np.atleast_1d(sims.dequantify(found)["sheet_resistance"].values)
    assert (np.isfinite(numbers) == (status == "ok")).all()
    if status != "ok":
        assert set(np.atleast_1d(found["polarity"].values)) == {""}
        stated = sims.sheet_resistance(data, donors=["P"], acceptors=["B"], stop="20 nm").compute()
        assert "below_limit" not in stated["status"].values


@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("case", BELOW_LIMIT)
def test_a_junction_among_samples_below_a_limit_is_not_ruled_out(case):
    check_layout(case, "one")


@pytest.mark.few(2)
@pytest.mark.filterwarnings("ignore::sims_analysis.errors.SimsWarning")
@pytest.mark.parametrize("case", BELOW_LIMIT)
@pytest.mark.parametrize("layout", ["batch", "dask", "quantified", "own axes"])
def test_a_junction_is_not_ruled_out_in_any_layout(case, layout):
    check_layout(case, layout)


def test_a_layer_that_ends_below_a_limit_says_how_to_go_on():
    lines = [
        f"{z:g},{c:.6g}" if c > 5e15 else f"{z:g},<5E15"
        for z, c in zip(Z, 1e19 * np.exp(-Z / 10), strict=True)
    ]
    ds = sims.read("\n".join(["Depth (nm),B (atoms/cm3)", *lines]).encode()).to_dataset()
    with warns(sims.errors.FitWarning, "below_limit"):
        found = sims.sheet_resistance(ds, acceptors=["B"], background="1e15 atoms/cm^3")
    assert found["status"].item() == "below_limit"


@pytest.mark.parametrize(
    ("limit", "status"), [(1e16, "ok"), (2e18, "below_limit"), (2e19, "below_limit")]
)
def test_a_layer_over_a_tail_below_its_limit(limit, status):
    z = np.arange(0.0, 200.0, 2.0)
    whole = doped(z, B=gaussian(z, mean=80.0))
    low = whole < limit
    limits = xr.full_like(whole, limit).where(low)
    given = whole.where(~low).rename("concentration")
    given = given.assign_coords(concentration_detection_limit=limits)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        found, true, most = (
            sims.sheet_resistance(one, acceptors=["B"])
            for one in (given, whole, whole.where(~low, limit))
        )
        ended = sims.sheet_resistance(given, acceptors=["B"], start="60 nm", stop="100 nm")
    assert found["status"].item() == status
    off = most["sheet_resistance"].item() / true["sheet_resistance"].item() - 1
    assert (abs(off) > 0.01) == (status != "ok")
    assert [str(one.message) for one in said if "no sheet resistance" in str(one.message)] == []
    assert ended["status"].item() == "ok"


def test_a_saturated_detector_is_warned_of_with_the_species_that_it_cut_off():
    data = measurement(AXIS)
    data["concentration"][1] = np.minimum(data["concentration"][1], 1e18)
    with warns(FitWarning, "saturated", start="57 nm", stop="123 nm"):
        found = sims.sheet_resistance(data, donors=["P"], acceptors=["B"])
    assert found["status"].item() == "saturated"


@pytest.mark.parametrize(
    ("one", "other", "of"),
    [
        ("P", "As", "As"), ("As", "P", "P"), ("31P", "75As", "As"), ("phosphorus", "As+", "As"),
        ("Sb", "P", "P"), ("As", "75As", "As"), ("AsH", "P", "P"),
    ],
)  # fmt: skip
def test_electrons_move_as_of_the_donor_with_the_larger_dose(one, other, of):
    z = np.linspace(0.0, 100.0, 21)
    profiles = {one: 1e19 + 0 * z, other: 3e19 + 0 * z}
    found = sims.sheet_resistance(doped(z, **profiles), donors=[one, other])
    assert found.attrs["mobility"] == f"masetti, electrons as of {of}, holes as of B"
    # By hand: charge, mobility at the sum, and atoms per area.
    sheet = CHARGE * masetti(np.array([4e19]), of)[0] * 4e19 * 100e-7
    assert found["sheet_resistance"].item() == pytest.approx(1 / sheet, rel=1e-12)
    assert found["sheet_resistance_masetti"].item() == found["sheet_resistance"].item()
    assert found["carrier_dose"].item() == pytest.approx(4e14, rel=1e-12)
    assert (found["polarity"].item(), found["layer_depth"].item()) == ("n", 100.0)
    lazy = sims.sheet_resistance(doped(z, **profiles).chunk(), donors=[one, other])
    some = "As" if "As" in one + other else "P"  # of data that are not known yet
    assert lazy.attrs["mobility"] == f"masetti, electrons as of {some}, holes as of B"
    each = [found[f"sheet_resistance_{name}"].item() for name in MOBILITIES]
    spread = (max(each) - min(each)) / 2 / found["sheet_resistance"].item()
    assert found["model_spread"].item() == pytest.approx(spread, rel=1e-12)


def test_an_active_limit_counts_where_it_is_named():
    z = np.linspace(0.0, 100.0, 21)
    data = doped(z, B=4e20 + 0 * z, P=1e19 + 0 * z)
    options = {"acceptors": ["B"], "donors": ["P"], "stop": "50 nm"}
    whole = sims.sheet_resistance(data, **options)["carrier_dose"].item()
    assert whole == pytest.approx((4e20 - 1e19) * 50e-7, rel=1e-12)
    for limit, of_boron, of_phosphorus in (
        ("1e20 atoms/cm^3", 1e20, 1e19), ({"B": "1e20 atoms/cm^3"}, 1e20, 1e19),
        ({"P": "1e18 atoms/cm^3"}, 4e20, 1e18), ("5e18 atoms/cm^3", 5e18, 5e18),
    ):  # fmt: skip
        found = sims.sheet_resistance(data, active_limit=limit, **options)
        dose = abs(found["carrier_dose"].item())
        assert dose == pytest.approx(abs(of_boron - of_phosphorus) * 50e-7, rel=1e-12, abs=1.0)


def test_a_constant_net_doping_is_part_of_both():
    z = np.linspace(0.0, 100.0, 21)
    for background, dose, polarity in (("2e18", 8e18, "p"), ("-2e18", 12e18, "p")):
        found = sims.sheet_resistance(
            doped(z, B=1e19 + 0 * z), acceptors=["B"], background=f"{background} atoms/cm^3",
            stop="100 nm",
        )  # fmt: skip
        assert abs(found["carrier_dose"].item()) == pytest.approx(dose * 100e-7, rel=1e-12)
        total = CHARGE * masetti(np.array([1.2e19]), "B")[0] * dose * 100e-7
        assert found["sheet_resistance"].item() == pytest.approx(1 / total, rel=1e-12)
        assert found["polarity"].item() == polarity


def test_what_is_found_of_a_layer_has_names_and_units():
    z = np.arange(0, 300.1, 2.0)
    found = sims.sheet_resistance(doped(z, B=gaussian(z)), acceptors=["B"])
    attrs = {n: (a.attrs.get("units"), a.attrs.get("long_name")) for n, a in found.items()}
    name = "Sheet resistance"
    assert attrs == {
        "sheet_resistance": ("ohm", name),
        "sheet_resistance_stderr": ("ohm", "Standard error of the sheet resistance, random part"),
        **{f"sheet_resistance_{one}": ("ohm", name) for one in MOBILITIES},
        "model_spread": ("1", "Spread of the mobility models"),
        "layer_depth": ("nm", "Depth"),
        "carrier_dose": ("atom/cm^2", "Dose"),
        "polarity": (None, "Type of the layer"),
        "status": (None, "Status"),
    }
    assert found["sheet_resistance"].attrs["mobility"] == "masetti"
    assert found["sheet_resistance_arora"].attrs["mobility"] == "arora"
    assert found["layer_depth"].attrs["description"] == "where the layer ends"
    assert found["carrier_dose"].attrs["description"] == "net active dopants of the layer"
    assert found["model_spread"].attrs["description"] == "half range / answer"


def test_aroras_mobilities_are_those_of_his_formula():
    """At 300 K: 88 + 1252 and 54.3 + 406.9 without dopants, half of the second with some."""
    lattice = {"P": 7.4e8 * 300**-2.33, "B": 1.36e8 * 300**-2.23}
    for element, least, some in (("P", 88.0, 1.26e17), ("B", 54.3, 2.35e17)):
        n = np.array([0.0, some, 10 * some, 1e30])
        expected = least + lattice[element] / np.array([1, 2, 1 + 10**0.88, np.inf])
        np.testing.assert_allclose(arora(n, element), expected, rtol=1e-6)
    assert lattice["P"] == pytest.approx(1252, rel=2e-3)
    assert lattice["B"] == pytest.approx(406.9, rel=2e-3)


def test_a_surface_transient_that_carries_a_part_of_the_layer_is_warned_of(approved):
    z = np.arange(0.0, 300.0, 1.5)
    implant = 1e20 * np.exp(-0.5 * ((z - 60) / 25) ** 2) + 1e15
    data = doped(z, B=implant + 3e20 * np.exp(-z / 4), P=np.full(z.size, 1e17))
    dopants = {"donors": ["P"], "acceptors": ["B"]}
    with warns(FitWarning, "surface_transient", text=approved):
        whole = sims.sheet_resistance(data, **dopants)
    clean = sims.sheet_resistance(doped(z, B=implant, P=data[1].values), **dopants)
    assert whole["sheet_resistance"] < 0.87 * clean["sheet_resistance"]
    for start in ("0 nm", "15 nm"):  # stated, and so no warning
        sims.sheet_resistance(data, start=start, **dopants)


def test_a_layer_that_is_all_surface_transient_is_warned_of(approved):
    z = np.arange(0.0, 300.0, 1.5)
    implant = 1e20 * np.exp(-0.5 * ((z - 110) / 20) ** 2) + 1e15
    data = doped(z, B=implant + 3e20 * np.exp(-z / 4), P=np.full(z.size, 1e18))
    with warns(FitWarning, "surface_transient", text=approved):
        found = sims.sheet_resistance(data, donors=["P"], acceptors=["B"])
    assert found["polarity"].item() == "p"  # without the transient, the layer is of the donor


@pytest.mark.parametrize("stderr", [None, 3e15])
def test_a_layer_of_noise_has_no_sheet_resistance(stderr):
    z = np.arange(0.0, 200.0, 1.0)
    acceptor, donor = (1e18 * np.exp(-0.5 * ((z - at) / 10) ** 2) for at in (100, 180))
    acceptor += np.where(z % 2 == 0, -2e15, 1e15)  # what is left after a background is subtracted
    data = doped(z, P=donor, B=acceptor)
    if stderr is not None:
        data = data.assign_coords(stderr=xr.full_like(data, stderr))
    with warns(FitWarning, "below_detection"):
        found = sims.sheet_resistance(data, donors=["P"], acceptors=["B"], stop="40 nm")
    assert found["status"].item() == "below_detection"
    assert np.isnan(found["sheet_resistance"])


def test_a_layer_that_the_record_cuts_off_is_truncated():
    z = np.arange(0.5, 180)
    ds = doped(z, B=gaussian(z, width=12.0) + 1e15)
    assert sims.sheet_resistance(ds, acceptors=["B"])["status"] == "ok"
    part = ds.isel(depth=slice(50))
    with warns(FitWarning, "truncated"):
        found = sims.sheet_resistance(part, acceptors=["B"])
    assert found["status"] == "truncated"
    assert found["sheet_resistance"] > 0
    assert sims.sheet_resistance(part, acceptors=["B"], stop="49 nm")["status"] == "ok"
    deeper = ds.isel(depth=slice(15, None))
    assert sims.sheet_resistance(deeper, acceptors=["B"], start="15 nm")["status"] == "ok"
    with warns(FitWarning, "truncated"):
        assert sims.sheet_resistance(deeper, acceptors=["B"])["status"] == "truncated"
    with warns(FitWarning, "truncated"):
        cells = sims.to_grid(part, step="2 nm", conserve="dose")
        assert sims.sheet_resistance(cells, acceptors=["B"])["status"] == "truncated"
