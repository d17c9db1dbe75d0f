"""Metallurgical junctions: two exponentials, three layers, backgrounds, and what is refused."""

import math
import warnings

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from measurement_layouts import measurement, number, padded, union

import sims_analysis as sims
from sims_analysis.errors import (
    JunctionError,
    ProfileWarning,
    SimsWarning,
)


def found(ds, **options):
    options.setdefault("donors", ["P"])
    options.setdefault("acceptors", ["B"])
    return sims.metallurgical_junctions(ds, **options)


def exponentials(z, b=(1e20, 5.0), p=(1e18, 20.0)):
    z = np.asarray(z, float)
    return {"B": b[0] * np.exp(-z / b[1]), "P": p[0] * np.exp(-z / p[1])}


#: 1e20 exp(-z / 5) = 1e18 exp(-z / 20).
BALANCE = math.log(100) / (1 / 5 - 1 / 20)


@pytest.mark.parametrize("step", [0.5, 3.0, 7.0])
def test_two_exponentials_balance_exactly_on_any_grid(step):
    z = np.arange(0, 100, step)
    junction = found(measurement(z, exponentials(z)))
    assert number(junction["depth"]) == pytest.approx(BALANCE, rel=1e-12)
    assert junction["polarity"].values.tolist() == ["p->n"]
    assert number(junction["concentration"]) == pytest.approx(1e18 * math.exp(-BALANCE / 20))
    assert junction["depth"].attrs["units"] == "nm"


def test_a_junction_that_is_there_is_the_same_if_one_is_needed():
    ds = measurement(np.arange(0, 100, 3.0), exponentials(np.arange(0, 100, 3.0)))
    xr.testing.assert_equal(found(ds, strict=True), found(ds))


@pytest.mark.parametrize("layout", [union, padded])
def test_species_on_their_own_axes_are_merged(layout):
    z = np.arange(0, 100, 3.0)
    b, p = exponentials(z)["B"], exponentials(z + 1.3)["P"]
    junction = found(layout({"B": (z, b), "P": (z + 1.3, p)}))
    assert number(junction["depth"]) == pytest.approx(BALANCE, rel=1e-12)


def test_all_junctions_of_an_npn_in_order_with_their_polarity():
    z = np.arange(0, 300, 1.0)
    emitter = 1e21 * np.exp(-z / 10)
    base = 1e18 * np.exp(-((z - 80) ** 2) / (2 * 20**2))
    collector = np.full(z.size, 1e16)
    ds = measurement(z, {"As": emitter, "B": base, "P": collector})
    junction = found(ds, donors=["As", "P"])
    assert junction["polarity"].values.tolist() == ["n->p", "p->n"]
    assert number(junction["count"]) == 2
    first, last = junction["depth"].values
    for at in (first, last):
        n = 1e21 * math.exp(-at / 10) + 1e16
        assert n == pytest.approx(1e18 * math.exp(-((at - 80) ** 2) / 800), rel=2e-3)


@pytest.mark.parametrize(
    ("background", "donors", "acceptors"),
    [
        ("1e15 atoms/cm^3", [], ["B"]),
        ("-1e15 atoms/cm^3", ["B"], []),
    ],
)
def test_a_constant_background_of_either_type(background, donors, acceptors):
    z = np.arange(0, 100, 2.0)
    ds = measurement(z, {"B": 1e20 * np.exp(-z / 5)})
    junction = found(ds, donors=donors, acceptors=acceptors, background=background)
    assert number(junction["depth"]) == pytest.approx(5 * math.log(1e5), rel=1e-12)
    assert junction["polarity"].values.tolist() == ["p->n" if acceptors else "n->p"]


def test_active_fractions():
    z = np.arange(0, 100, 2.0)
    junction = found(measurement(z, exponentials(z)), donors={"P": 0.5}, acceptors={"B": 0.9})
    exact = math.log(100 * 0.9 / 0.5) / (1 / 5 - 1 / 20)
    assert number(junction["depth"]) == pytest.approx(exact, rel=1e-12)


def test_where_a_sum_is_zero_net_doping_is_linear():
    ds = measurement([0, 10], {"B": [3e18, 0], "P": [0, 1e18]})
    assert number(found(ds)["depth"]) == pytest.approx(7.5)


def test_a_balance_at_a_sample_is_one_junction_and_a_touch_is_not():
    through = measurement([0, 10, 20], {"B": [3, 2, 1], "P": [2, 2, 2]})
    assert found(through)["depth"].values.tolist() == [10.0]
    touching = measurement([0, 10, 20], {"B": [3, 2, 3], "P": [2, 2, 2]})
    assert found(touching)["status"].values.tolist() == ["never_reached"]


def test_only_depths_at_which_all_species_were_measured_count():
    profiles = {
        "B": (np.arange(0, 21.0), np.full(21, 1e18)),
        "P": (np.arange(50, 71.0), np.full(21, 1e17)),
    }
    junction = found(union(profiles))
    assert np.isnan(junction["depth"].values).all()
    assert junction["status"].values.tolist() == ["no_data"]


def test_without_a_junction_there_is_nan_and_strict_raises():
    ds = measurement([0, 10], {"B": [3, 3], "P": [1, 1]})
    junction = found(ds)
    assert math.isnan(number(junction["depth"]))
    assert junction["status"].values.tolist() == ["never_reached"]
    with raises(JunctionError, "never_reached"):
        found(ds, strict=True)


def test_standard_error_of_both_sides():
    z = np.array([0.0, 10.0, 20.0, 30.0])
    profiles = exponentials(z, p=(1e18, 1e9))
    errors = {"B": profiles["B"] * 0.1, "P": profiles["P"] * 0.05}
    junction = found(measurement(z, profiles, stderr=errors))
    at = number(junction["depth"])
    assert at == pytest.approx(5 * math.log(100), rel=1e-6)
    t = (at - 20) / 10
    share = math.hypot(t, 1 - t)
    exact = 5 * math.hypot(0.1 * share, 0.05 * share)
    assert number(junction["stderr"]) == pytest.approx(exact, rel=1e-6)


def test_the_junction_is_where_net_doping_changes_sign_whatever_the_order_of_species():
    z = np.arange(0, 100, 2.0)
    ds = measurement(z, exponentials(z))
    xr.testing.assert_equal(found(ds), found(ds.isel(species=[1, 0])))


def test_several_backgrounds_add_their_dimension():
    ds = measurement([0, 1, 2], {"As": [3e18, 2e18, 1e18], "B": [1e18, 2e18, 3e18]})
    levels = xr.DataArray([1e17, 0.0], dims="case", attrs={"units": "atom/cm^3"})
    found = sims.metallurgical_junctions(ds, donors=["As"], acceptors=["B"], background=levels)
    for case, level in enumerate(["1e17 atoms/cm^3", "0 atoms/cm^3"]):
        alone = sims.metallurgical_junctions(ds, donors=["As"], acceptors=["B"], background=level)
        assert found["depth"].isel(case=case).item() == alone["depth"].item()


def noisy_pair(kind, *, gap, unknown):
    """Give a pair of 5 % errors, with a sample missing far from the junction, and some errors."""
    z = np.arange(0, 200, 4.0)
    shapes = {
        "B": 1e19 * np.exp(-(((z - 40) / 35) ** 2)),
        "P": 1e18 * np.exp(-(((z - 100) / 57) ** 2)),
    }
    noise = np.random.default_rng(0)
    values = {
        s: ((c + 1e14) * noise.normal(1, 0.05, z.size)).astype(kind) for s, c in shapes.items()
    }
    errors = {s: (0.05 * c).astype(kind) for s, c in values.items()}
    if gap:
        values["B"][10] = errors["B"][10] = np.nan
    errors["P"][unknown] = np.nan
    ds = measurement(z, values, stderr=errors)
    return sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"])["stderr"].item()


@pytest.mark.parametrize("kind", ["f8", "f4"])
@pytest.mark.parametrize("unknown", [[], [22], [23], [24], slice(0, None, 3)])
def test_an_unknown_error_is_ignored_with_a_gap_elsewhere_too(kind, unknown):
    whole, gapped = (noisy_pair(kind, gap=gap, unknown=unknown) for gap in (False, True))
    assert gapped == pytest.approx(whole, rel=0.01)


@pytest.mark.parametrize("gap", [True, False])
def test_without_known_errors_beside_the_junction_those_around_it_locate_it(gap):
    assert 0 < noisy_pair("f8", gap=gap, unknown=[22, 23, 24]) < 2
    assert math.isnan(noisy_pair("f8", gap=gap, unknown=slice(None)))


# --- samples that a file gives as "<5E15" ---------------------------------------------------------


HIDDEN = "<5e15"


def of_text(b, p):
    rows = (f"{2 * i}\t{x}\t{y}" for i, (x, y) in enumerate(zip(b, p, strict=True)))
    table = "\n".join(["Depth (nm)\tB (atoms/cm3)\tP (atoms/cm3)", *rows])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SimsWarning)
        return sims.read(table.encode()).to_dataset()


@pytest.mark.few(6)
@pytest.mark.parametrize(
    ("deep", "hidden", "options", "status"),
    [
        ("4e15", HIDDEN, {}, "below_limit"),
        ("5e15", HIDDEN, {}, "below_limit"),
        ("6e15", HIDDEN, {}, "never_reached"),
        (HIDDEN, "1e15", {}, "below_limit"),
        (HIDDEN, HIDDEN, {}, "below_limit"),
        # The active part of what is hidden, and a constant doping on either side.
        ("4e15", HIDDEN, {"fraction": 0.5}, "never_reached"),
        ("2.5e15", HIDDEN, {"fraction": 0.5}, "below_limit"),
        ("4e15", HIDDEN, {"same side": 2e15}, "never_reached"),
        ("4e15", HIDDEN, {"same side": 1e15}, "below_limit"),
        (HIDDEN, "1e15", {"same side": 2e15}, "never_reached"),
        ("8e15", HIDDEN, {"other side": 4e15}, "below_limit"),
        ("9e15", HIDDEN, {"other side": 4e15}, "below_limit"),
        ("9.1e15", HIDDEN, {"other side": 4e15}, "never_reached"),
    ],
)
@pytest.mark.parametrize("upper", ["acceptors", "donors"])
def test_a_junction_that_samples_below_their_limit_may_hide(upper, deep, hidden, options, status):
    """One side outweighs the other wherever both are known."""
    names = {"acceptors": ("B", "P"), "donors": ("P", "B")}[upper]
    lower = "donors" if upper == "acceptors" else "acceptors"
    one = ["1e18", "1e17", "3e16", deep, deep]
    other = ["1e15", "1e15", "1e15", hidden, hidden]
    ds = of_text(*((one, other) if upper == "acceptors" else (other, one)))
    background = options.get("other side", 0.0) - options.get("same side", 0.0)
    sign = 1 if upper == "acceptors" else -1  # as donors count a positive background
    found = sims.metallurgical_junctions(
        ds,
        **{upper: [names[0]], lower: {names[1]: options.get("fraction", 1.0)}},
        background=f"{sign * background!r} atoms/cm^3",
    )
    assert found["status"].values.tolist() == [status]
    assert found["depth"].isnull().all()


def test_a_junction_among_known_samples_is_one_whatever_is_hidden_below():
    ds = of_text(["1e18", "1e17", "1e15", HIDDEN, HIDDEN], ["5e15"] * 5)
    found = sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"])
    assert found["status"].values.tolist() == ["ok"]
    assert 2 < found["depth"].item() < 4


def test_a_junction_in_a_gap_has_no_depth_and_warns():
    z = np.arange(0.0, 200.0, 2.0)
    down, up = 1e19 * np.exp(-z / 20), 1e16 * np.exp(z / 30)
    hole = (z > 60) & (z < 100)
    ds = measurement(z, {"P": np.where(hole, np.nan, down), "B": up})
    with warns(ProfileWarning, "gap", junction="0", start="60 nm", stop="100 nm"):
        found = sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"])
    assert found["status"].values.tolist() == ["gap"]
    assert np.isnan(found["depth"]).all()
    assert np.isnan(found["stderr"]).all()
    bridged = sims.metallurgical_junctions(ds, donors=["P"], acceptors=["B"], gaps="bridge")
    np.testing.assert_allclose(bridged["depth"], 12 * np.log(1000), rtol=1e-12)


def test_averages_over_cells_on_dask():
    z = np.arange(0.5, 180.0)
    profiles = {"B": 1e20 * np.exp(-z / 20), "P": np.full(z.size, 1e17)}
    data = sims.to_grid(measurement(z, profiles), every=4)
    dopants = {"donors": ["P"], "acceptors": ["B"], "max_count": 8}
    lazily = sims.metallurgical_junctions(data.chunk({"species": 1}), **dopants)
    expected = sims.metallurgical_junctions(data, **dopants)
    assert expected["count"] == 1
    np.testing.assert_array_equal(lazily["depth"], expected["depth"])


def test_the_error_of_a_subtracted_background_moves_a_junction_as_it_does_a_crossing():
    z = np.arange(0.0, 200.0, 2.0)
    counts = np.random.default_rng(2).poisson(2000 * np.exp(-z / 15) + 20.0)
    ds = measurement(z, {"B": counts * 1e16})
    ds = sims.with_counting_statistics(ds, value_per_count="1e16 atoms/cm^3")
    with warns(ProfileWarning, "undetermined", species="B"):
        ds = sims.subtract_background(ds, window=("194 nm", "200 nm"))
    level = "4e17 atoms/cm^3"
    junction = sims.metallurgical_junctions(ds, acceptors=["B"], background=level)
    crossing = sims.crossings(ds, level=level)
    for name in ("depth", "stderr"):
        wanted = number(crossing[name].isel(crossing=0))
        assert number(junction[name].isel(junction=0)) == pytest.approx(wanted, rel=0.1)
