"""Dose: closed forms, limits, zeros, backgrounds, the surface; and what is refused."""

import math
import warnings

import numpy as np
import pytest
import xarray as xr
from error_parts import raises, warns
from hypothesis import given
from hypothesis import strategies as st
from measurement_layouts import measurement, number, one, word

import sims_analysis as sims
from sims_analysis.errors import DoseWarning, FitWarning, ProfileError

RULES = ["trapezoid", "loglinear"]


def gaussian(z, dose, rp, straggle):
    """Concentration in atom/cm^3 of a Gaussian; lengths in nm, dose in atom/cm^2."""
    return (
        dose
        / (math.sqrt(2 * math.pi) * straggle * 1e-7)
        * np.exp(-((z - rp) ** 2) / (2 * straggle**2))
    )


# --- closed forms -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dose", "rp", "straggle", "exact"),
    [
        (1e14, 162.9, 51.5, 9.9921952e13),
        (1e15, 133.9, 50.6, 9.9593046e14),
        (3.3e15, 80.0, 22.0, 3.3e15 * 0.5 * (1 + math.erf(80 / 22 / math.sqrt(2)))),
    ],
)
def test_dose_of_a_gaussian(dose, rp, straggle, exact):
    z = np.arange(0, rp + 9 * straggle, straggle / 60)
    found = sims.integrated_dose(one(z, gaussian(z, dose, rp, straggle)))
    assert number(found) == pytest.approx(exact, rel=1e-6)
    assert found.attrs["units"] == "atom/cm^2"


@pytest.mark.parametrize("step", [0.5, 5.0, 20.0])
@pytest.mark.parametrize(("start", "stop"), [(0, 100), (3.3, 77.1), (41, 43)])
def test_loglinear_is_exact_for_an_exponential_on_any_grid(step, start, stop):
    z = np.arange(0, 100 + step / 2, step)
    ds = one(z, 1e20 * np.exp(-z / 5))
    found = sims.integrated_dose(ds, start=f"{start} nm", stop=f"{stop} nm", rule="loglinear")
    exact = 1e20 * 5e-7 * (math.exp(-start / 5) - math.exp(-stop / 5))
    assert number(found) == pytest.approx(exact, rel=1e-12)


def test_a_nanometre_of_an_atom_per_cubic_centimetre_is_1e_7_exactly():
    assert number(sims.integrated_dose(one([0, 1], [1, 1]))) == 1e-7


# --- limits -------------------------------------------------------------------------------------


def test_limits_are_interpolated_not_masked():
    z = np.arange(0, 151, 3.0)
    found = sims.integrated_dose(one(z, np.full(z.size, 1e18)), start="11 nm", stop="98 nm")
    assert number(found) == pytest.approx(8.7e12, rel=1e-14)


@pytest.mark.parametrize("rule", RULES)
def test_both_limits_within_one_segment(rule):
    ds = one([0, 10, 20], [1e18, 1e18, 1e16])
    found = sims.integrated_dose(ds, start="12 nm", stop="13 nm", rule=rule)
    if rule == "trapezoid":
        exact = 1e18 - 2.5 / 10 * (1e18 - 1e16)
    else:
        exact = 1e18 * 10 / math.log(100) * (math.exp(-0.2 * math.log(100)) - 100**-0.3)
    assert number(found) == pytest.approx(exact * 1e-7, rel=1e-12)


def test_a_limit_beyond_the_samples_warns_and_integrates_what_was_measured(approved):
    ds = one([10, 20, 30], [1e18, 1e18, 1e18])
    with warns(DoseWarning, "truncated", species="B") as caught:
        found = sims.integrated_dose(ds, stop="50 nm")
    assert caught[0].filename == __file__
    assert number(found) == pytest.approx(2e12)
    assert word(found["status"]) == "truncated"
    with raises(ProfileError, "truncated", species="B", text=approved):
        sims.integrated_dose(ds, stop="50 nm", strict=True)


def test_limits_entirely_outside_have_no_dose_and_not_zero(approved):
    with warns(DoseWarning, "no_sample_in_window", species="B", text=approved):
        found = sims.integrated_dose(one([10, 20], [1e18, 1e18]), start="50 nm", stop="60 nm")
    assert math.isnan(number(found))
    assert word(found["status"]) == "no_data"


def test_a_transient_that_ends_below_the_stop_leaves_no_dose():
    ds = one([10, 20, 30], [1e18, 1e18, 1e18])
    options = {"surface": "exclude", "surface_depth": "25 nm", "stop": "20 nm"}
    with warns(DoseWarning, "no_sample_in_window", species="B"):
        found = sims.integrated_dose(ds, **options)
    assert word(found["status"]) == "no_data"
    with raises(ProfileError, "no_sample_in_window", species="B"):
        sims.integrated_dose(ds, strict=True, **options)


def test_limits_in_the_wrong_order_name_the_profile(approved):
    ds = measurement([0, 10, 20], {"B": [1e18] * 3, "P": [1e18] * 3})
    start = xr.DataArray([5.0, 12.0], {"species": ["B", "P"]}, "species", attrs={"units": "nm"})
    with raises(ProfileError, argument="start", text=approved):
        sims.integrated_dose(ds, start=start, stop="10 nm")
    with raises(ProfileError, argument="start", text=approved):
        sims.moments(ds, start="50 nm", stop="20 nm")


def test_a_junction_depth_is_a_limit():
    z = np.arange(0, 200, 1.0)
    ds = measurement(z, {"B": 1e20 * np.exp(-z / 10), "P": 1e19 * np.exp(-z / 10)})
    found = sims.integrated_dose(
        ds, stop=sims.junction_depth(ds, level="1e17 atoms/cm^3"), rule="loglinear"
    )
    np.testing.assert_allclose(found, [1e14 - 1e11, 1e13 - 1e11], rtol=1e-9)


@pytest.mark.parametrize("argument", ["start", "stop"])
@pytest.mark.parametrize("select", [{"species": ["B", "P"]}, {"species": "P"}])
def test_a_limit_that_is_not_known_gives_no_dose_and_not_the_whole(argument, select):
    ds = measurement([0, 10, 20], {"B": [1e19, 1e18, 1e16], "P": [1e16] * 3}).sel(select)
    limit = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    found = sims.integrated_dose(ds, **{argument: limit})
    budget = sims.dose_budget(ds, rule_tolerance=1, **{argument: limit})
    for dose in (found, budget["dose"]):
        assert np.isnan(np.ravel(dose)[-1])
        assert np.isfinite(np.ravel(dose)[:-1]).all()
    assert np.ravel(found["status"])[-1] == np.ravel(budget["status"])[-1] == "no_data"
    assert np.ravel(budget["coverage"])[-1] == 0


# --- what samples may be ------------------------------------------------------------------------


def test_nan_is_not_measured_and_the_neighbours_make_the_segment():
    found = sims.integrated_dose(one([0, 10, 20, 30], [1e18, np.nan, 3e18, 1e18]))
    assert number(found) == pytest.approx((4e19 + 2e19) * 1e-7)


@pytest.mark.parametrize("rule", RULES)
def test_zeros_and_negatives_are_data(rule):
    found = sims.integrated_dose(one([0, 1, 2, 3], [2, 0, -2, 0]), rule=rule)
    assert number(found) == pytest.approx((1 - 1 - 1) * 1e-7)


def test_no_species_gives_no_doses():
    ds = measurement([0, 1, 2], {"B": [1, 2, 3]}).isel(species=slice(0, 0))
    assert sims.integrated_dose(ds).shape == (0,)


@pytest.mark.filterwarnings("ignore:.*in the background window")
def test_inputs_are_neither_changed_nor_need_to_be_writable():
    z = np.arange(0, 50, 1.0)
    ds = one(z, 1e18 * np.exp(-z / 5))
    ds["concentration"].data.flags.writeable = False
    before = ds.copy(deep=True)
    sims.integrated_dose(ds, start="3.3 nm", rule="loglinear", background=("40 nm", "49 nm"))
    xr.testing.assert_identical(ds, before)


# --- background ---------------------------------------------------------------------------------


def test_a_background_value_is_subtracted_over_the_width():
    ds = one([0, 10, 20], [3e18, 5e18, 3e18])
    found = sims.integrated_dose(ds, background="1e24 atoms/m^3", start="5 nm")
    assert number(found) == pytest.approx((22.5 + 40 - 15) * 1e11)


def test_a_background_window_is_its_mean():
    z = np.arange(0, 101, 1.0)
    c = np.where(z < 50, 1e18, np.where(z % 2, 1e16, 3e16))
    found = sims.integrated_dose(one(z, c), stop="40 nm", background=("60 nm", "99 nm"))
    assert number(found) == pytest.approx(40 * (1e18 - 2e16) * 1e-7)


def two_records(values=1e18):
    """Give two measurements, of which the first ends at 297 nm and the second at 498 nm."""
    z = np.arange(0, 501, 3.0)
    ds = measurement(z, {"B": np.full(z.size, values)}).expand_dims(measurement=["w1", "w2"])
    return ds.assign(
        concentration=ds["concentration"].where((ds.depth < 300) | (ds.measurement == "w2"))
    )


@pytest.mark.parametrize("stderr", [False, True])
def test_one_profile_without_a_background_does_not_stop_a_batch(stderr, approved):
    ds = two_records()
    if stderr:
        ds = sims.with_counting_statistics(ds, value_per_count="1e16 atoms/cm^3")
    options = {"background": ("400 nm", "450 nm"), "stop": "200 nm"}
    place = {"argument": "background", "measurement": "w1", "species": "B"}
    parts = {"code": "no_sample_in_window"} | place
    with warns(DoseWarning, **parts) as caught:
        found = sims.integrated_dose(ds, **options)
    assert len(caught) == 1
    assert found["status"].values.ravel().tolist() == ["no_data", "below_detection"]
    assert np.isnan(found.values).ravel().tolist() == [True, False]
    with warns(DoseWarning, **parts) as caught:
        budget = sims.dose_budget(ds, **options)
    assert len(caught) == 1
    xr.testing.assert_equal(budget["status"].variable, found["status"].variable)
    with warns(DoseWarning, **parts):
        steps = sims.cumulative_dose(ds, background=options["background"])
    assert steps.isel(measurement=0).isnull().all()
    with warns(DoseWarning, **parts):
        shape = sims.moments(ds, **options)
    assert shape["status"].values.ravel().tolist()[0] == "no_data"
    with raises(ProfileError, **parts):
        sims.integrated_dose(ds, strict=True, **options)
    with raises(ProfileError, **parts, text=approved):
        sims.integrated_dose(ds, background=("900 nm", "950 nm"))


# --- surface ------------------------------------------------------------------------------------


def test_the_surface_transient_can_be_excluded():
    z = np.arange(0, 101, 1.0)
    c = np.where(z < 5, 1e21, 1e18)
    found = sims.integrated_dose(one(z, c), surface="exclude", surface_depth="5 nm")
    assert number(found) == pytest.approx(95e11)
    later = sims.integrated_dose(one(z, c), surface="exclude", surface_depth="5 nm", start="20 nm")
    assert number(later) == pytest.approx(80e11)


def test_hold_extends_the_first_sample_to_the_surface_and_measured_does_not():
    ds = one([4, 10, 20], [2e18, 2e18, 2e18])
    assert number(sims.integrated_dose(ds)) == pytest.approx(32e11)
    assert number(sims.integrated_dose(ds, surface="hold")) == pytest.approx(40e11)


def test_hold_respects_a_start_and_a_background():
    ds = one([4, 10, 20], [2e18, 2e18, 2e18])
    held = sims.integrated_dose(ds, surface="hold", start="1 nm", background="1e18 cm^-3")
    assert number(held) == pytest.approx(19e11)


@pytest.mark.filterwarnings("ignore:.*beyond the record")
@pytest.mark.parametrize(
    ("limits", "first", "status"),
    [
        ({"start": "-1 nm", "stop": "3 nm"}, 2e18, "truncated"),
        ({"start": "-1 nm"}, 2e18, "below_detection"),
        ({"stop": "3 nm"}, -2e18, "below_detection"),
        # What is held outweighs the samples below it, on either side of zero.
        ({"stop": "6 nm"}, -2e18, "below_detection"),
        ({"stop": "6 nm"}, 2e18, "ok"),
    ],
)
def test_the_status_of_a_held_dose_is_that_of_all_of_it(limits, first, status):
    ds = one([4, 10, 20], [first, -4 * first, -4 * first])
    found = sims.integrated_dose(ds, surface="hold", **limits)
    assert word(found["status"]) == status


def test_held_values_carry_the_error_of_the_first_sample():
    ds = one([4, 10, 20], [2e18, 2e18, 2e18], stderr=[1e17, 2e17, 3e17])
    found = sims.integrated_dose(ds, surface="hold")
    # Weights 4 + 3, 8 and 5 nm.
    exact = math.hypot(7 * 1e17, 8 * 2e17, 5 * 3e17) * 1e-7
    assert number(found["stderr"]) == pytest.approx(exact)


@pytest.mark.parametrize("surface", ["measured", "exclude", "hold"])
def test_a_transient_that_ends_beyond_the_record_warns(surface):
    ds = one([4, 10, 20], [2e18, 2e18, 2e18])
    with warns(DoseWarning, "no_sample_in_window", argument="surface_depth", species="B"):
        found = sims.integrated_dose(ds, surface=surface, surface_depth="50 nm")
    assert math.isnan(number(found)) == (surface == "exclude")
    with warns(DoseWarning, "no_sample_in_window", argument="surface_depth", species="B"):
        sims.dose_budget(ds, surface=surface, surface_depth="50 nm")


# --- standard errors ----------------------------------------------------------------------------


def test_random_error_has_the_weights_of_the_trapezoid():
    ds = one([0, 1, 3, 6], [1e18] * 4, stderr=[1e17, 2e17, 3e17, 4e17])
    found = sims.integrated_dose(ds)
    weights = np.array([0.5, 1.5, 2.5, 1.5])
    exact = math.sqrt(((weights * [1, 2, 3, 4]) ** 2).sum()) * 1e10
    assert number(found["stderr"]) == pytest.approx(exact)
    assert found["stderr"].attrs["units"] == "atom/cm^2"


@pytest.mark.parametrize(
    ("error", "status"), [(0.99, "ok"), (1.0, "below_detection"), (2, "below_detection")]
)
def test_a_dose_that_does_not_exceed_its_standard_error_is_below_detection(error, status):
    # Of one sample of three: 1 nm times its error.
    ds = one([0, 1, 2], [1e18] * 3, stderr=[0, 2e18 * error, 0])
    found = sims.integrated_dose(ds)
    assert number(found["stderr"]) == pytest.approx(2e11 * error)
    assert word(found["status"]) == word(sims.dose_budget(ds)["status"]) == status
    # Above a background, of what is left.
    raised = one([0, 1, 2], [3e18] * 3, stderr=[0, 2e18 * error, 0])
    assert word(sims.integrated_dose(raised, background="2e18 cm^-3")["status"]) == status


def test_error_of_a_background_window_counts_once_over_the_whole_width():
    z = np.arange(0, 101, 1.0)
    c = np.where(z < 50, 1e18, np.where(z % 2, 1e15, 3e15))
    ds = one(z, c, stderr=np.zeros(z.size))
    found = sims.integrated_dose(ds, stop="40 nm", background=("60 nm", "99 nm"))
    sigma = np.std(c[60:100], ddof=1) / math.sqrt(40)
    student = 1.012990  # at one standard error, of 39 degrees of freedom
    assert number(found["stderr"]) == pytest.approx(40 * sigma * student * 1e-7, rel=1e-5)


def test_the_samples_of_a_background_window_within_the_limits_are_counted_once():
    z = np.arange(0, 60, 1.0)
    c = np.full(z.size, 5e16)
    ds = one(z, c, stderr=np.full(z.size, 2e15))
    found = sims.integrated_dose(ds, background=("49.5 nm", "59 nm"))
    weights = np.r_[0.5, np.ones(58), 0.5] - 59 / 10 * (z > 49.5)
    exact = np.sqrt((weights**2).sum()) * 2e15 * 1e-7
    assert number(found["stderr"]) == pytest.approx(exact)
    budget = sims.dose_budget(ds, background=("49.5 nm", "59 nm"))
    assert number(budget["random_stderr"]) == pytest.approx(exact)


def test_held_values_alone_above_a_background_window():
    ds = one([4, 10, 20], [2e18, 2e18, 1e17], stderr=[1e17, 2e17, 3e16])
    found = sims.integrated_dose(ds, stop="3 nm", surface="hold", background=("15 nm", "25 nm"))
    assert number(found["stderr"]) == pytest.approx(3 * math.hypot(1e17, 3e16) * 1e-7)


def test_an_unknown_background_leaves_no_dose_and_has_status_no_data():
    ds = measurement([0, 10], {"B": [1e18, 1e18], "P": [1e18, 1e18]})
    levels = xr.DataArray(
        [1e17, np.nan], coords={"species": ["P", "B"]}, dims="species", attrs={"units": "cm^-3"}
    )
    found = sims.integrated_dose(ds, background=levels)
    assert np.isnan(found.sel(species="B"))
    assert word(found["status"].sel(species="B")) == "no_data"
    assert word(found["status"].sel(species="P")) == "ok"


def test_a_dataarray_keeps_its_errors_in_the_coordinate_stderr():
    ds = one([0, 1, 2], [1e18] * 3, stderr=[1e17] * 3)
    array = ds["concentration"].assign_coords(stderr=ds["concentration_stderr"])
    a, b = sims.integrated_dose(ds), sims.integrated_dose(array)
    assert number(a["stderr"]) == number(b["stderr"])
    assert "stderr" not in sims.integrated_dose(ds["concentration"]).coords


# --- the depths that contain a part of it --------------------------------------------------------


@pytest.mark.parametrize("step", [1.0, 7.0])
def test_depth_that_contains_a_part_of_an_exponential(step):
    z = np.arange(0, 280 + step / 2, step)
    ds = one(z, 1e20 * np.exp(-z / 7))
    found = sims.depth_at_dose_fraction(ds, fraction=[0.5, 0.9, 0.99], rule="loglinear")
    exact = -7 * np.log(1 - np.array([0.5, 0.9, 0.99]))
    np.testing.assert_allclose(found.isel(species=0), exact, rtol=1e-9)
    assert found.attrs["units"] == "nm"


@given(st.floats(0.001, 0.999), st.sampled_from(RULES))
def test_containing_depth_inverts_the_cumulative_dose(fraction, rule):
    z = np.arange(0, 300, 3.0)
    ds = one(z, gaussian(z, 1e14, 100, 30))
    depth = number(sims.depth_at_dose_fraction(ds, fraction=fraction, rule=rule))
    total = number(sims.integrated_dose(ds, rule=rule))
    part = number(sims.integrated_dose(ds, stop=f"{depth} nm", rule=rule))
    # A limit is interpolated by the rule, so that the two agree to rounding.
    assert part / total == pytest.approx(fraction, rel=1e-9, abs=1e-12)


# --- properties ---------------------------------------------------------------------------------

#: Less than one atom in a cubic metre is no concentration, and refused.
values = st.floats(-1e18, 1e20).map(lambda value: value if abs(value) > 1.0 else 0.0)
profiles = st.lists(values, min_size=2, max_size=12)


@pytest.mark.filterwarnings("ignore:.*ends inside the profile")
@given(profiles, profiles, st.integers(-30, 30).map(lambda n: n / 10))
def test_dose_is_linear_in_the_concentration(first, second, factor):
    n = min(len(first), len(second))
    z = np.cumsum(np.arange(1.0, n + 1))
    a, b = np.array(first[:n]), np.array(second[:n])
    doses = [number(sims.integrated_dose(one(z, c))) for c in (a, b, a + factor * b)]
    assert doses[2] == pytest.approx(doses[0] + factor * doses[1], rel=1e-9, abs=1e3)


@pytest.mark.filterwarnings("ignore:.*ends inside the profile")
@given(profiles, st.sampled_from(["um", "Å", "cm"]), st.sampled_from(["atoms/m^3", "at/nm^3"]))
def test_the_choice_of_units_does_not_matter(values, length, density):
    z = np.cumsum(np.arange(1.0, len(values) + 1))
    per_nm = {"um": 1e-3, "Å": 10.0, "cm": 1e-7}[length]
    per_cc = {"atoms/m^3": 1e6, "at/nm^3": 1e-21}[density]
    other = one(z * per_nm, np.array(values) * per_cc, units=density, depth_units=length)
    wanted = number(sims.integrated_dose(one(z, values)))
    assert number(sims.integrated_dose(other)) == pytest.approx(wanted, rel=1e-9, abs=1e3)


def test_a_sample_without_an_error_leaves_the_error_of_the_sum_unknown():
    ds = one([0, 10, 20, 30], [1e18] * 4, stderr=[1e17, np.nan, 1e17, 1e17])
    assert math.isnan(number(sims.integrated_dose(ds)["stderr"]))
    beyond = sims.integrated_dose(ds, start="20 nm")
    assert number(beyond["stderr"]) == pytest.approx(math.hypot(5e17, 5e17) * 1e-7)


# --- nothing, and next to nothing ---------------------------------------------------------------


def test_where_nothing_was_counted_the_error_is_what_may_have_been_there():
    z = np.array([0.0, 1, 2, 5, 6])
    counted = sims.with_counting_statistics(one(z, np.zeros(5)), value_per_count="1e16 atoms/cm^3")
    found = sims.integrated_dose(counted)
    # 1.84 counts, where the central 68 % interval of none ends, in a sample that weighs 2 nm.
    most = -math.log(0.15865525393145707)
    assert number(found) == 0
    assert number(found["stderr"]) == pytest.approx(most * 2e9)
    assert number(sims.dose_budget(counted)["random_stderr"]) == number(found["stderr"])
    within = sims.integrated_dose(counted, start="0.5 nm", stop="1.5 nm")
    assert number(within["stderr"]) == pytest.approx(most * 0.75e9)
    lower = counted.assign_coords(depth=("depth", z + 4, {"units": "nm"}))
    held = sims.integrated_dose(lower, surface="hold")
    assert number(held["stderr"]) == pytest.approx(most * 4.5e9)
    assert number(sims.integrated_dose(lower, surface="hold", stop="3 nm")) == 0
    # A statement of the user, and not of counts, stays.
    assert number(sims.integrated_dose(one(z, np.zeros(5), stderr=np.zeros(5)))["stderr"]) == 0


def test_a_background_window_without_a_count_is_known_to_what_may_have_been_there():
    values = np.array([4, 9, 9, 4, 0, 0, 0, 0, 0, 0.0])
    counted = sims.with_counting_statistics(
        one(np.arange(10.0), values * 1e16), value_per_count="1e16 atoms/cm^3"
    )
    options = {"stop": "3 nm", "background": ("5 nm", "8 nm")}
    found = sims.integrated_dose(counted, **options)
    # 1.84 counts over the four samples of the window, times the 3 nm of the interval.
    window = -math.log(0.15865525393145707) / 4 * 3
    exact = math.sqrt(4 / 4 + 9 + 9 + 4 / 4 + window**2) * 1e9
    assert number(found["stderr"]) == pytest.approx(exact, rel=1e-12)
    budget = sims.dose_budget(counted, **options)
    assert number(budget["background_stderr"]) == pytest.approx(window * 1e9, rel=1e-12)
    assert number(budget["random_stderr"]) == number(found["stderr"])


def test_a_single_count_among_zeros_has_the_error_of_one_count():
    values = np.array([0, 0, 1e16, 0, 0])
    ds = sims.with_counting_statistics(
        one(np.arange(5.0), values), value_per_count="1e16 atoms/cm^3"
    )
    assert number(sims.integrated_dose(ds)["stderr"]) == pytest.approx(1e9)
    assert number(sims.integrated_dose(ds, stop="1 nm")["stderr"]) > 0


# --- samples below their limit -------------------------------------------------------------------


def with_hidden(n, stderr=None):
    """Give n flat samples, of which a file gives the fifth and the sixth as <5E17."""
    z = np.arange(float(n))
    hidden = (z == 4) | (z == 5)
    value = np.where(hidden, np.nan, 1e18)
    ds = one(z, value, stderr=None if stderr is None else stderr * value)
    limit = ("species", "depth"), [np.where(hidden, 5e17, np.nan)], {"units": "atom/cm^3"}
    return ds.assign_coords(concentration_detection_limit=limit)


@pytest.mark.few(3)
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize(
    ("n", "stderr", "status"),
    [
        (10, None, "below_limit"),  # two of nine nanometres may hold nothing
        (10, 0.1, "below_limit"),
        (10, 1.0, "ok"),  # less than the standard error
        (190, None, "below_limit"),  # more than 1 %
        (310, None, "ok"),
    ],
)
def test_samples_below_their_limit_warn_where_the_dose_rests_on_them(rule, n, stderr, status):
    ds = with_hidden(n, stderr)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = sims.integrated_dose(ds, rule=rule)
    assert word(found["status"]) == status
    assert number(found) == pytest.approx((n - 1) * 1e11)
    said = (
        "species 'B': the samples from 4 to 5 nm are below their limit of detection, 5e+17 "
        f'atom/cm^3; the dose is interpolated across it ({rule}); gaps="bridge" accepts that'
    )
    assert [str(one.message) for one in caught] == ([said] if status != "ok" else [])
    assert word(sims.integrated_dose(ds, rule=rule, gaps="bridge")["status"]) == "ok"
    if stderr is None:  # what has no standard error, by the same rule
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            assert word(sims.cumulative_dose(ds, rule=rule)["status"]) == status


# --- a surface transient --------------------------------------------------------------------------


def with_transient(height=3.0, at=120.0):
    z = np.arange(0.0, 300.0, 1.5)
    c = 1e20 * (height * np.exp(-z / 4) + np.exp(-0.5 * ((z - at) / 30) ** 2) + 1e-5)
    return measurement(z, {"B": c[::-1], "Al": c})


ENDS_INSIDE = "ignore:.*ends inside the profile"


@pytest.mark.filterwarnings(ENDS_INSIDE)
def test_the_dose_of_a_whole_record_warns_of_a_surface_transient(approved):
    ds = with_transient()
    parts = {"code": "surface_transient", "species": "Al"}
    for data in (ds, sims.quantify(ds), ds["concentration"], ds.sel(species="Al")):
        with warns(DoseWarning, text=approved, **parts):
            sims.integrated_dose(data)
    for question in (sims.dose_budget, sims.cumulative_dose, sims.depth_at_dose_fraction):
        with warns(DoseWarning, text=approved, **parts):
            question(ds)
    with warns(DoseWarning, text=approved, **parts):
        sims.integrated_dose(with_transient(0.7))
    # The surface is where it is said to be, or left out.
    for options in (
        {"start": "25 nm"},
        {"stop": "10 nm"},
        {"surface_depth": "25 nm"},
        {"surface": "exclude", "surface_depth": "25 nm"},
        {"surface": "hold"},
    ):
        sims.integrated_dose(ds, **options)


@pytest.mark.filterwarnings(ENDS_INSIDE)
def test_a_transient_of_a_species_that_begins_later_warns():
    ds = with_transient().reindex(depth=np.arange(-3.0, 300.0, 1.5))
    ds["depth"] = ds["depth"].assign_attrs(units="nm")
    with warns(DoseWarning, "surface_transient", species="Al"):
        sims.integrated_dose(ds)


def warned(data, **options):
    """Ask for a dose, and return what warns of a transient."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        sims.integrated_dose(data, **options)
    return [str(one.message) for one in caught if "transient" in str(one.message)]


def below_a_deep_implant(height, *, stretch=1.0):
    z = np.arange(0.0, 1500.0, 1.5)
    return one(
        z * stretch, 1e19 * (height * np.exp(-z / 4) + np.exp(-0.5 * ((z - 700) / 350) ** 2))
    )


def test_the_warning_of_a_transient_has_its_end_and_its_fraction_of_the_dose():
    (said,) = warned(below_a_deep_implant(4.0))
    assert said == (
        "species 'B': the record begins in a surface transient, and 2% of the dose lies above 27 "
        "nm, where the profile is lowest before its maximum at 700.5 nm; "
        'surface="exclude" with surface_depth="27 nm" leaves it out, surface_depth= alone accepts '
        "it"
    )
    # Below 50 nm it may be a layer.
    assert len(warned(below_a_deep_implant(4.0, stretch=1.8))) == 1
    assert warned(below_a_deep_implant(4.0, stretch=1.9)) == []
    assert warned(below_a_deep_implant(4.0), stop="20 nm") == []


@pytest.mark.parametrize(
    "grid",
    [
        {"step": "0.5 nm"},
        {"step": "5 nm"},
        {"step": "0.5 nm", "conserve": "dose"},
        {"step": "20 nm", "conserve": "dose"},
        {"every": 2},
    ],
)
def test_a_transient_is_told_after_a_grid_was_made_of_it(grid):
    ds = below_a_deep_implant(4.0)
    made = sims.to_grid(ds, **grid)
    with warns(DoseWarning, "surface_transient", species="B"):
        sims.depth_at_dose_fraction(made, fraction=0.5)
    with warns(FitWarning, "surface_transient"):
        sims.sheet_resistance(made, acceptors=["B"])
    assert len(warned(made)) == 1
    # A clean one has none, on a fine grid and a coarse one.
    assert warned(sims.to_grid(below_a_deep_implant(0.0), **grid)) == []


@pytest.mark.parametrize(("height", "part", "said"), [(1.16, 0.0097, 0), (1.34, 0.0103, 1)])
def test_a_transient_of_less_than_1_percent_of_the_dose_does_not_warn(height, part, said):
    ds = below_a_deep_implant(height)
    c, z = ds["concentration"].values[0], ds["depth"].values
    lowest = np.argmin(c[:100])
    assert np.trapezoid(c[: lowest + 1], z[: lowest + 1]) / np.trapezoid(c, z) == pytest.approx(
        part, rel=0.02
    )
    assert len(warned(ds)) == said


@pytest.mark.parametrize(("others", "said"), [(19, 1), (20, 0)])
def test_of_many_profiles_twenty_that_begin_at_their_maximum_are_looked_at(others, said):
    ds = below_a_deep_implant(4.0)
    z = ds["depth"].values
    rows = {f"{i}": 1e19 * np.exp(-z / (90.0 + i)) for i in range(others)}
    rows |= {"rising": ds["concentration"].values[0, ::-1], "B": ds["concentration"].values[0]}
    assert len(warned(measurement(z, rows))) == said


@pytest.mark.parametrize(
    "shape",
    [
        lambda z: np.exp(-z / 20),
        lambda z: np.exp(-0.5 * (z / 30) ** 2),
        lambda z: np.exp(-0.5 * ((z - 3) / 10) ** 2) + 0.1 * np.exp(-z / 40),
        np.ones_like,
    ],
)
def test_no_transient_is_seen_where_there_is_none(shape):
    z = np.arange(0.0, 300.0, 1.5)
    rng = np.random.default_rng(1)
    rows = {f"{i}": rng.poisson(1000 * shape(z) + 2) * 1e16 for i in range(30)}
    sims.integrated_dose(measurement(z, rows))


def test_a_transient_is_looked_for_from_the_first_sample_that_was_measured():
    z = np.arange(0.0, 200.0, 2.0)
    spike = 5e20 * np.exp(-z / 3) + 1e19 * np.exp(-(((z - 90) / 25) ** 2))
    missing = np.where(z < 3, np.nan, spike)
    for values in (spike, missing):
        with warns(DoseWarning, "surface_transient", species="B"):
            sims.integrated_dose(one(z, values))
    sims.integrated_dose(one(z, spike), surface_depth="20 nm")
    sims.integrated_dose(one(z, spike), start="0 nm")
    sims.integrated_dose(one(z[:16], spike[:16]))  # not of so few samples


def test_what_is_held_reaches_to_the_first_sample_and_not_beyond_it():
    z = np.arange(4.0, 30.0, 2.0)
    ds = one(z, 1e17 * z)  # 4e17 is held above 4 nm
    held = [
        ("6 nm", "10 nm", 0.5 * (10**2 - 6**2)),  # a start among the samples
        ("0 nm", "4 nm", 4.0 * 4.0),  # to the first sample, which has no width
        ("1 nm", "3 nm", 4.0 * 2.0),
        ("2 nm", "6 nm", 4.0 * 2.0 + 0.5 * (6**2 - 4**2)),
        ("4 nm", "6 nm", 0.5 * (6**2 - 4**2)),
    ]
    for start, stop, area in held:
        found = sims.integrated_dose(ds, start=start, stop=stop, surface="hold")
        assert found["status"].item() == "ok"
        assert found.item() == pytest.approx(area * 1e10, rel=1e-12)
