"""Curves: what they are called, their units and limits, looks, and many of them as one."""

from dataclasses import replace
from pathlib import Path

import drawn
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.figures import curves
from sims_analysis.figures.arguments import PlotOptions
from sims_analysis.figures.colours import COLOURS, DASHES, colour_of
from sims_analysis.figures.curves import Curve, check_limits, curves_of, measurements_of
from sims_analysis.figures.quality import placeholder, quality_of

B = drawn.profiles(B=drawn.gaussian())
BOTH = drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian(1e18))
COUNTS = (np.full(50, 2e5), "counts/s")


def of(y, **known):
    """Curve of samples, one nanometre apart."""
    x, y = np.arange(float(len(y))), np.array(y, float)
    known = {"species": "B", "variable": "concentration", "source": "", "axis": "depth"} | known
    return Curve(long_name="Concentration", units="atom/cm^3", axis_units="nm", x=x, y=y,
                 stderr=None, **known)  # fmt: skip


# --- one curve ----------------------------------------------------------------------------------


def test_a_curve_knows_what_it_is_of():
    one, other = curves_of({"W1": sims.stack([BOTH, BOTH], names=["a", "b"])}, species="P")
    assert [one.measurement, other.measurement] == ["W1, a", "W1, b"]
    assert one.subject == ("P", "concentration")
    assert one.key == ("depth", "Concentration (atoms/cm³)")
    assert one.profile == ("W1", "P", "concentration", ("measurement", "a"))
    assert one.profile != other.profile
    assert (of([1.0]).measurement, of([1.0], source="x").measurement) == ("", "x")


def test_quantities_have_their_order_of_preference():
    data = drawn.profiles(B=drawn.gaussian(), Ga=COUNTS)
    first, second = curves_of({"": data})
    assert first.rank == 0 < second.rank < of([1.0], variable="areal_density").rank
    assert first.kinds == ("concentration",)
    assert of([1.0], variable="mine").kinds == ()
    assert second.kinds == ("count_rate",)


def test_values_errors_and_limits_are_converted_together():
    one = of([1.0, 2.0], detection_limit=1.5).mapped(lambda v: 3 * v, units="1/m^3")
    assert (one.y.tolist(), one.stderr, one.detection_limit, one.units) == (
        [3, 6],
        None,
        4.5,
        "1/m^3",
    )
    data = sims.with_counting_statistics(B, value_per_count="1e14 atoms/cm^3")
    (plain,), (other,) = curves_of({"": data}), curves_of({"": data}, value_units="1/m^3")
    np.testing.assert_allclose(other.stderr, 1e6 * plain.stderr)
    assert other.units == "1/m^3"
    assert other.in_units(2.0) == 2e6
    assert plain.in_units(2.0) == 2.0
    assert other.kinds == ("concentration",)


def test_samples_that_are_no_data():
    one = of([3.0, 0.0, -1.0, 1.0, 2.0], detection_limit=1.0)
    assert one.below_limit().tolist() == [False, True, True, False, False]
    assert not one.not_positive().any()  # marked at the limit
    free = of([3.0, 0.0, -1.0, 1.0, 2.0])
    assert not free.below_limit().any()
    assert free.not_positive().tolist() == [False, True, True, False, False]
    filled = of([900.0, 30, 4, 1, 0.001, 2, 0.001, 1, 1, 0.001])
    filled = replace(filled, quality=quality_of(filled))
    assert np.flatnonzero(filled.placeholders()).tolist() == [4, 6, 9]
    assert np.flatnonzero(filled.not_positive()).tolist() == [4, 6, 9]


def test_gaps_are_after_the_sample_before_them():
    holed = profile(np.r_[0.0:10.0, 30.0:40.0])
    assert curves_of({"": holed})[0].gaps.tolist() == [9]
    assert curves_of({"": profile(np.arange(9.0))})[0].gaps.tolist() == []


def test_samples_below_a_limit_and_of_a_saturated_detector_are_known():
    z = np.arange(50.0)
    counts = np.minimum(np.random.default_rng(0).poisson(4e4 * np.exp(-z / 9)), 2.5e4)
    below = (z > 40) & (z < 45)
    data = profile(z).assign(concentration=("depth", np.where(below, np.nan, counts) * 1e15, UNITS))
    limit = np.where(below, 3e15, np.nan)
    data = data.assign_coords(concentration_detection_limit=("depth", limit, UNITS))
    (found,) = curves_of({"": data})
    np.testing.assert_array_equal(found.saturated(), found.y == 2.5e19)
    assert [(run.start, run.stop, run.height) for run in found.limited] == [(41.0, 44.0, 3e15)]
    assert found.gaps.tolist() == [40]  # no line across them
    (other,) = curves_of({"": data}, value_units="1/m^3")
    assert [run.height for run in other.limited] == [3e21]


UNITS = {"units": "atoms/cm^3"}


def profile(z):
    value = ("depth", np.ones(z.size), UNITS)
    return xr.Dataset({"concentration": value}, {"depth": ("depth", z, {"units": "nm"})})


@pytest.mark.parametrize(
    ("y", "fill"),
    [
        ([9.0, 8, 7, 6, 5, 5, 6, 7, 8, 0.04], None),  # the end of a profile
        ([0.01, 8, 7, 6, 5, 5, 6, 7, 8, 9], None),
        ([9.0, 8, 7, 6, 0.02, 5, 6, 7, 8, 9], None),  # 250 times below, once
        ([9.0, 8, 7, 6, 5 / 300, 5, 6, 7, 8, 9], 5 / 300),
        ([9.0, 8, 7, 6, 0.05, 5, 6, 0.05, 8, 9], 0.05),  # a hundred times below, twice
        ([9.0, 8, 7, 6, 0.051, 5, 6, 0.051, 8, 9], None),
        ([9.0, 8, 7, 6, 5, 5, 6, 7, 0.001, 0.001], 0.001),
        ([9.0, 8, 7, 6, 5, 5, 6, 0.001, 0.001], None),  # too few to tell
        ([0.0] * 10, None),
        ([5.0] * 10, None),
    ],
)
def test_what_an_instrument_writes_for_nothing(y, fill):
    found = placeholder(np.array(y))
    assert found == fill if fill else np.isnan(found)


# --- several ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("item", "told"),
    [("w7.txt", r"found str; for a file, sims\.read\('w7\.txt'\)\.to_dataset\(\)$"),
     (3, "found int$"), (None, "found NoneType$"), ([B, 3], "found int$"),
     ({"a": b"x"}, "found bytes$"),
     (Path("w7.txt"), r"found PosixPath; for a file, sims\.read\('w7\.txt'\)")],
)  # fmt: skip
def test_what_is_no_measurement_is_told(item, told):
    with pytest.raises(
        TypeError, match=rf"expected a Dataset, a DataArray, a SIMSResult.*; {told}"
    ):
        curves.measurements_of(item)


def test_what_the_api_gives_is_a_measurement():
    profile = sims.to_profiles(B)[0]
    for given in (
        profile,
        [profile, profile][:1],
        sims.SIMSResult(data_id="a", depth_profiles=[profile]),
    ):
        (found,) = curves.measurements_of(given).values()
        assert found["species"].values.tolist() == ["B"]
    assert curves.measurements_of([profile]).keys() == {""}
    for nothing in ([], {}, ()):
        with pytest.raises(ProfileError, match="there is nothing to draw: no measurement"):
            curves.measurements_of(nothing)


def test_a_waterfall_raises_each_measurement_over_the_one_before():
    found = curves.offset_curves(
        [*curves_of({"a": BOTH, "b": B, "c": B}, detection_limit="5 1/cm^3")], 10
    )
    assert [(c.species, c.source, c.factor) for c in found] == [
        ("B", "a", 1), ("B", "b", 10), ("B", "c", 100), ("P", "a", 1)
    ]  # fmt: skip
    assert {c.long_name for c in found} == {"Concentration × 10$^n$"}
    np.testing.assert_allclose(found[2].y, 100 * drawn.gaussian())
    assert found[2].detection_limit == 500


def test_curves_come_by_species_in_the_order_of_the_first_or_of_the_user():
    data = {"a": BOTH, "b": BOTH.sel(species=["P"])}
    assert [(c.species, c.source) for c in curves_of(data)] == [("B", "a"), ("P", "a"), ("P", "b")]
    assert [c.species for c in curves_of(data, ["P", "B"])] == ["P", "P", "B"]
    with pytest.raises(SpeciesError, match=r"no species 'As', 'Sb'; they have 'B', 'P'"):
        curves_of(data, ["As", "B", "Sb"])
    ratio = sims.ratio(BOTH, numerator="B", denominator="P")
    assert [c.species for c in curves_of({"": ratio})] == ["B / P"]


def test_units_are_one_for_each_kind_of_value():
    data = drawn.profiles(B=drawn.gaussian(), Ga=COUNTS)
    both = curves_of({"": data}, value_units=["1/m^3", "kcounts/s"])
    assert [c.units for c in both] == ["1/m^3", "kcounts/s"]
    assert [c.units for c in curves_of({"": data}, value_units="1/m^3")] == ["1/m^3", "count/s"]
    assert curves_of({"": data}, value_units=("1/m^3", "1/m^3"))[0].units == "1/m^3"
    with pytest.raises(UnitsError, match=r"1/m\^3 and 1/cm\^3 are units of the same values"):
        curves_of({"": data}, value_units=["1/m^3", "1/cm^3"])


@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ("1e16 atoms/cm^3", [1e16, np.nan]),
        ("1e22 1/m^3", [1e16, np.nan]),
        ("5 counts/s", [np.nan, 5.0]),
        ({"B": "1e16 atoms/cm^3", "Ga": "5 counts/s"}, [1e16, 5.0]),
        ({"Ga": "5 counts/s"}, [np.nan, 5.0]),
        ({"B": "5 counts/s"}, [np.nan, np.nan]),
        (xr.DataArray([1e22], {"species": ["B"]}, attrs={"units": "1/m^3"}), [1e16, np.nan]),
    ],
)
def test_a_limit_is_of_the_curves_of_its_species_and_unit(given, limits):
    data = drawn.profiles(B=drawn.gaussian(), Ga=COUNTS)
    found = [c.detection_limit for c in curves_of({"": data}, detection_limit=given)]
    np.testing.assert_allclose(found, limits)


def test_limits_are_above_zero_and_of_some_curve():
    for wrong, told in (("0 atoms/cm^3", r"of B is 0 atom/cm\^3; expected a number above zero"),
                        ("-2 atoms/cm^3", "is -2 atom")):  # fmt: skip
        with pytest.raises(ProfileError, match=told):
            curves_of({"": B}, detection_limit=wrong)
    with pytest.raises(ProfileError, match=r"of the profile is 0 atom"):
        curves_of({"": B.isel(species=0, drop=True)}, detection_limit="0 atoms/cm^3")
    none = curves_of({"": BOTH}, detection_limit="5 counts/s")
    with pytest.raises(ProfileError, match=r"'5 counts/s' is for none .*B \(atom/cm\^3\), P"):
        curves.check_limits(none, "5 counts/s")
    # A result without numbers is not the user's mistake.
    empty = xr.DataArray([np.nan], {"species": ["B"]}, attrs={"units": "atom/cm^3"})
    curves.check_limits(none, empty)
    with pytest.raises(ProfileError, match="for none of the curves"):
        curves.check_limits(none, empty.fillna(1.0))
    curves.check_limits(none, None)
    curves.check_limits(curves_of({"": BOTH}, detection_limit="5 1/cm^3"), "5 1/cm^3")


def test_the_part_of_a_result_that_is_of_a_curve():
    result = xr.DataArray([[1.0, 2.0], [3.0, 4.0]], dims=("measurement", "species"))
    named = result.assign_coords(measurement=["a", "b"], species=["B", "P"])
    curve = of([1.0], species="P", place={"measurement": "a"})
    assert curves.of_curve(named, curve).item() == 2.0
    assert curves.of_curve(named, of([1.0], species="As", place={"measurement": "a"})) is None
    assert curves.of_curve(named.sel(species="P"), curve).item() == 2.0
    assert curves.of_curve(named.sel(species="B"), curve) is None
    numbered = named.drop_vars("measurement")
    assert (
        curves.of_curve(numbered, of([1.0], species="B", place={"measurement": "1"})).item() == 3.0
    )


@pytest.mark.parametrize(
    ("data", "told"),
    [(B, False), (B.assign_attrs(note="Synthetic"), True),
     (B.assign_coords(source=("species", ["SYNTHETIC data"])), True),
     (B.assign_coords(other=("species", ["synthetic"])), False)],
)  # fmt: skip
def test_synthetic_data_call_themselves_so(data, told):
    assert curves.is_synthetic(data) == told


# --- looks --------------------------------------------------------------------------------------


def looks(data, colours=None, by="species", taken=None, background="white"):
    ax = plt.figure().add_subplot()
    ax.set_facecolor(background)
    found = curves.with_looks(curves_of(data), colours, by, {} if taken is None else taken, ax)
    return [c.colour for c in found], [DASHES.index(c.dash) for c in found]


WAFERS = {"W1": BOTH, "W2": BOTH}
BLUE, RED = colour_of("B"), colour_of("P")


def test_colours_are_of_species_and_dashes_of_measurements():
    assert looks(WAFERS) == ([BLUE, BLUE, RED, RED], [0, 1, 0, 1])
    colours, dashes = looks(WAFERS, by="measurement")
    assert colours == [COLOURS[0], COLOURS[1]] * 2
    assert dashes == [0, 0, 1, 1]
    # Where one colour is of two curves of a measurement, dashes tell all apart.
    assert looks(WAFERS, {"B": RED, "P": RED}) == ([RED] * 4, [0, 1, 2, 3])


def test_colours_of_the_user_and_of_the_figure_go_first():
    assert looks(WAFERS, {"P": "pink"})[0] == [BLUE, BLUE, "pink", "pink"]
    assert looks(WAFERS, {"W2": "pink"})[0] == [BLUE, "pink", RED, "pink"]
    assert looks(WAFERS, {1: "pink"}, by="measurement")[0] == [COLOURS[0], COLOURS[1]] * 2
    assert looks({"1": B}, {1: "pink"}, by="measurement")[0] == ["pink"]
    taken = {"P": BLUE}
    colours, _ = looks({"": BOTH}, taken=taken)
    assert colours[1] == BLUE != colours[0]  # P has the colour that it had before
    assert taken == {"P": BLUE, "B": colours[0]}
    taken = {"W1": COLOURS[1], "else": COLOURS[0]}
    colours, _ = looks(WAFERS, by="measurement", taken=taken)
    assert colours[0] == COLOURS[1]
    assert colours[1] not in (COLOURS[0], COLOURS[1])


def test_what_is_dark_is_light_on_dark_paper_unless_the_user_says_so():
    carbon = {"": drawn.profiles(C=drawn.gaussian())}
    assert looks(carbon)[0] == ["#000000"]
    assert looks(carbon, background="black")[0] == ["#FFFFFF"]
    assert looks(carbon, {"C": "#000000"}, background="black")[0] == ["#000000"]
    with plt.rc_context({"axes.prop_cycle": plt.cycler(color=["#000000", "#123456"])}):
        assert looks(WAFERS, background="black")[0] == ["#000000"] * 2 + ["#123456"] * 2


@pytest.mark.parametrize(
    ("count", "options", "meaning"),
    [(1, {}, "species"), (2, {}, "species"), (2, {"colours": {"W1": "red"}}, "measurement"),
     (7, {"spread": False}, "measurement"), (6, {"spread": False}, "species"), (7, {}, "species"),
     (2, {"colour_by": "measurement"}, "measurement"), (2, {"colours": {"B": "red"}}, "species")],
)  # fmt: skip
def test_colours_stand_for_what_tells_more(count, options, meaning):
    found = curves_of({f"W{i}": BOTH for i in range(count)})
    assert curves.colour_meaning(PlotOptions(**options), found) == meaning
    alone = [c for c in found if c.species == "B"]
    if "colour_by" not in options:
        assert curves.colour_meaning(PlotOptions(), alone) == (
            "measurement" if count > 1 else "species"
        )


def test_a_crowd_is_more_than_can_be_told_apart():
    both = [curves_of({str(i): BOTH for i in range(n)}) for n in (6, 7, 8, 9)]
    assert [curves.needs_spread(c, "species") for c in both] == [False, True, True, True]
    assert [curves.needs_spread(c, "measurement") for c in both] == [False, False, False, True]
    alone = [[c for c in some if c.species == "B"] for some in both]
    assert [curves.needs_spread(c, "species") for c in alone] == [False, False, False, True]


# --- many as one --------------------------------------------------------------------------------


def test_a_spread_is_at_the_depths_of_the_one_with_most_samples():
    short, long = of(np.full(5, 1.0)), of(np.full(8, 3.0), source="W", place={"n": "1"})
    whole = curves.spread_of([short, long, of(np.full(8, 2.0))])
    # Where all were measured.
    assert whole.median.x.tolist() == [0, 1, 2, 3, 4]
    assert whole.median.y.tolist() == [2.0] * 5
    np.testing.assert_allclose([whole.low[0], whole.high[0]], [1.2, 2.8])
    assert (whole.count, whole.median.source, whole.median.place) == (3, "", {})
    assert whole.median.dash == "solid"
    assert whole.median.stderr is None
    # Without such a depth, wherever any was.
    apart = Curve(**{**vars(of(np.ones(3))), "x": np.array([10.0, 11.0, 12.0])})
    assert curves.spread_of([of(np.ones(4)), apart]).median.x.tolist() == [0, 1, 2, 3]


def test_a_median_takes_what_is_written_for_nothing_for_nothing():
    y = np.array([900.0, 30, 4, 1, 0.001, 2, 0.001, 1, 1, 0.001])
    one = replace(of(y), quality=quality_of(of(y)))
    assert curves.spread_of([one, one, one]).median.y[4] == 0.0


def test_outliers_are_off_as_a_whole_the_farthest_first():
    def outliers(*factors):
        some = [of(np.full(9, 10.0**f), source=str(i)) for i, f in enumerate(factors)]
        return [c.source for c in curves.spread_of(some).outliers]

    assert outliers(0, 0, 0, 0, 0.09, -0.5) == ["5", "4"]
    assert outliers(0, 0, 0, 0, 0.079) == []  # less than the least
    assert outliers(0, 0, 0, 0, 0.081) == ["4"]
    assert outliers(*[0] * 12, 1, 2, 3, 4, 5) == ["16", "15", "14", "13"]  # four, and no more
    # From the median of 0.02, half are off by 0.04: five times 1.4826 of these are 0.297.
    same = [0.02, -0.02] * 4
    assert outliers(*same, 0.31) == []
    assert outliers(*same, 0.33) == ["8"]
    some = [of(np.full(9, 1.0)), of(np.full(9, 1.0)), of(np.full(9, 9.0)), of(np.zeros(9))]
    found = curves.spread_of(some).outliers
    assert [c.dash for c in found] == [DASHES[1]]
    # One without a positive sample is no outlier.
    assert found[0].y[0] == 9.0


def warned(call, *args, **options):
    with pytest.raises((TypeError, ValueError, KeyError)) as caught:
        call(*args, **options)
    return str(caught.value)


def test_what_cannot_be_drawn_is_told_in_full():
    kinds = "expected a Dataset, a DataArray, a SIMSResult, or a list or mapping of them; found"
    assert warned(measurements_of, 3) == f"{kinds} int"
    assert warned(measurements_of, "w7.txt") == (
        f"{kinds} str; for a file, sims.read('w7.txt').to_dataset()"
    )
    both = {"": drawn.profiles(B=drawn.gaussian(), P=drawn.gaussian())}
    assert warned(curves_of, both, ["As", "B", "Sb"]) == (
        "the data have no species 'As', 'Sb'; they have 'B', 'P'"
    )
    assert warned(curves_of, both, value_units=["1/m^3", "1/cm^3"]) == (
        "value_units=['1/m^3', '1/cm^3']: 1/m^3 and 1/cm^3 are units of the same values; give one "
        "for each kind of value"
    )
    zero = "0 atom/cm^3; expected a number above zero"
    limit = "0 1/cm^3"
    found = warned(curves_of, both, detection_limit={"P": limit})
    assert found == f"detection_limit= of P is {zero}"
    nameless = {"": both[""]["concentration"].isel(species=0, drop=True)}
    assert warned(curves_of, nameless, detection_limit=limit) == (
        f"detection_limit= of the profile is {zero}"
    )
    curves = curves_of(both, detection_limit="5 counts/s")
    assert warned(check_limits, curves, "5 counts/s") == (
        "detection_limit='5 counts/s' is for none of the curves: these are of B (atom/cm^3), P "
        "(atom/cm^3)"
    )


def test_measurements_without_an_id_or_with_the_same_are_numbered():
    one = drawn.profiles(B=drawn.gaussian())
    same = one.assign_attrs(data_id="W")
    found = measurements_of([same, one.drop_attrs(deep=False), same])
    assert list(found) == ["W (0)", "1", "W (2)"]
