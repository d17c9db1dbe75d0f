"""Which curves are drawn: their order, units and limits, looks, and many of them as one."""

import artists
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import ProfileError, SpeciesError, UnitsError
from sims_analysis.figures.colours import COLOURS, colour_of
from sims_analysis.figures.curves import placeholder

B = artists.profiles(B=artists.gaussian())
BOTH = artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e18))
COUNTS = (np.full(50, 2e5), "counts/s")
OTHER = artists.profiles(B=artists.gaussian(middle=50.0), P=artists.gaussian(1e18, 60.0))
WAFERS = {"W1": BOTH, "W2": OTHER}
BLUE, RED = colour_of("B"), colour_of("P")


def looks(data, **options):
    """Colours of the curves, and whether these are dashed."""
    found = artists.lines(artists.sketched(data, labels="none", **options))
    return [(line.get_color(), line.get_linestyle() != "-") for line in found]


# --- samples, order, units ----------------------------------------------------------------------


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
def test_what_an_instrument_writes_for_no_counts(y, fill):
    found = placeholder(np.array(y))
    assert found == fill if fill else np.isnan(found)


def test_samples_below_a_limit_and_of_a_saturated_detector_are_marked():
    z = np.arange(50.0)
    counts = np.minimum(np.random.default_rng(0).poisson(4e4 * np.exp(-z / 9)), 2.5e4)
    below = (z > 40) & (z < 45)
    units = {"units": "atoms/cm^3"}
    data = xr.Dataset(
        {"concentration": ("depth", np.where(below, np.nan, counts) * 1e15, units)},
        {"depth": ("depth", z, {"units": "nm"})},
    )
    limit = ("depth", np.where(below, 3e15, np.nan), units)
    data = data.assign_coords(concentration_detection_limit=limit)
    for options, unit in (({}, 1.0), ({"value_units": "1/m^3"}, 1e6)):
        ax = artists.sketched(data, **options)
        (saturated,) = [line for line in ax.lines if line.get_marker() == "^"]
        assert saturated.get_xdata().tolist() == z[counts == 2.5e4].tolist()
        run = next(line for line in ax.lines if line.get_xdata().tolist() == [41.0, 44.0])
        assert run.get_ydata() == pytest.approx([3e15 * unit] * 2)
        assert np.isnan(ax.lines[0].get_ydata()).sum() == 1  # no line across them


@pytest.mark.slow
def test_curves_come_by_species_in_the_order_of_the_first_or_of_the_user():
    def names(data, **options):
        return [line.get_label() for line in artists.lines(artists.sketched(data, **options))]

    data = {"a": BOTH, "b": BOTH.sel(species=["P"])}
    assert names(data) == ["B, a", "P, a", "P, b"]
    assert names(data, species=["P", "B"]) == ["P, a", "P, b", "B, a"]
    with raises(SpeciesError, argument="species", species="As"):
        names(data, species=["As", "B", "Sb"])
    assert names(sims.ratio(BOTH, numerator="B", denominator="P")) == ["B / P"]
    same = B.assign_attrs(data_id="W")
    numbered = names([same, B.drop_attrs(deep=False), same], spread=False)
    assert numbered == ["B, W (0)", "B, 1", "B, W (2)"]


@pytest.mark.slow
def test_units_are_one_for_each_kind_of_value(approved):
    data = sims.with_counting_statistics(
        artists.profiles(B=artists.gaussian(), Ga=COUNTS), value_per_count={"B": "1e14 atoms/cm^3"}
    )
    for units, labels in (
        (["1/m^3", "kcounts/s"], ["Concentration (1/m³)", "Intensity (kcounts/s)"]),
        ("1/m^3", ["Concentration (1/m³)", "Intensity (counts/s)"]),
        (("1/m^3", "1/m^3"), ["Concentration (1/m³)", "Intensity (counts/s)"]),
    ):
        ax = artists.sketched(data, value_units=units)
        assert list(artists.axes(ax)) == labels
        assert ax.lines[0].get_ydata().max() == pytest.approx(1e6 * artists.gaussian().max())
    with raises(UnitsError, argument="value_units", text=approved):
        artists.sketched(data, value_units=["1/m^3", "1/cm^3"])


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("given", "limits"),
    [
        ("1e16 atoms/cm^3", [1e16]),
        ("1e22 1/m^3", [1e16]),
        ("5 counts/s", [5.0]),
        ({"B": "1e16 atoms/cm^3", "Ga": "5 counts/s"}, [1e16, 5.0]),
        ({"Ga": "5 counts/s"}, [5.0]),
        ({"B": "5 counts/s"}, None),
        (xr.DataArray([1e22], {"species": ["B"]}, attrs={"units": "1/m^3"}), [1e16]),
        (xr.DataArray([np.nan], {"species": ["B"]}, attrs={"units": "1/cm^3"}), []),
    ],
)
def test_a_limit_is_of_the_curves_of_its_species_and_unit(given, limits):
    data = artists.profiles(B=artists.gaussian(), Ga=COUNTS)
    if limits is None:
        with raises(ProfileError, argument="detection_limit"):
            artists.sketched(data, detection_limit=given)
        return
    ax = artists.sketched(data, detection_limit=given)
    lines = [line for one in artists.axes(ax).values() for line in one.lines]
    found = [line.get_ydata()[0] for line in lines if list(line.get_xdata()) == [0, 1]]
    assert found == pytest.approx(limits)


# --- looks --------------------------------------------------------------------------------------


def test_colours_are_of_species_and_dashes_of_measurements():
    assert looks(WAFERS) == [(BLUE, False), (BLUE, True), (RED, False), (RED, True)]
    assert looks(WAFERS, colour_by="measurement") == [
        (COLOURS[0], False), (COLOURS[1], False), (COLOURS[0], True), (COLOURS[1], True)
    ]  # fmt: skip
    # Where one colour is of two curves of a measurement, dashes tell all apart.
    ax = artists.sketched(WAFERS, color=RED)
    assert len({*artists.dashes(ax)}) == 4


def test_colours_of_the_user_go_first():
    colours = [colour for colour, _ in looks(WAFERS, colours={"P": "pink"})]
    assert colours == [BLUE, BLUE, "pink", "pink"]
    colours = [colour for colour, _ in looks(WAFERS, colours={"W2": "pink"})]
    assert colours == [COLOURS[0], "pink", COLOURS[0], "pink"]
    assert looks({"1": B}, colours={1: "pink"}, colour_by="measurement") == [("pink", False)]


def test_what_is_dark_is_light_on_dark_paper_unless_the_user_says_so():
    carbon = artists.profiles(C=artists.gaussian())
    with plt.rc_context({"axes.facecolor": "black"}):
        assert looks(carbon)[0][0] == "#FFFFFF"
        assert looks(carbon, colours={"C": "#000000"})[0][0] == "#000000"
        with plt.rc_context({"axes.prop_cycle": plt.cycler(color=["#000000", "#123456"])}):
            assert [colour for colour, _ in looks(BOTH)] == ["#000000", "#123456"]
    assert looks(carbon)[0][0] == "#000000"


@pytest.mark.parametrize(
    ("count", "options", "meaning"),
    [(2, {}, "species"), (2, {"colours": {"W1": "red"}}, "measurement"),
     (7, {"spread": False}, "measurement"), (6, {"spread": False}, "species"),
     (2, {"colour_by": "measurement"}, "measurement"), (2, {"colours": {"B": "red"}}, "species")],
)  # fmt: skip
def test_colours_stand_for_what_tells_more(count, options, meaning):
    some = {f"W{i}": BOTH for i in range(count)}
    colours = {colour for colour, _ in looks(some, **options)}
    assert len(colours) == (count if meaning == "measurement" else 2)


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("species", "by", "most"), [(2, "species", 6), (2, "measurement", 8), (1, "species", 8)]
)
def test_a_crowd_is_more_than_can_be_told_apart(species, by, most):
    for count in (most, most + 1):
        some = {str(i): BOTH.isel(species=slice(species)) for i in range(count)}
        ax = artists.sketched(some, colour_by=by)
        assert any("median" in text for text in artists.notes(ax)) == (count > most)


# --- many as one --------------------------------------------------------------------------------


def median_of(*values):
    """Median, band and outliers of flat profiles of these values, one nanometre apart."""
    data = {str(i): artists.profiles(B=np.broadcast_to(v, 50)) for i, v in enumerate(values)}
    return artists.sketched(data, spread=True, notes=False, labels="none")


def test_a_median_is_drawn_where_all_were_measured():
    short, long = artists.profiles(B=np.full(5, 1e17)), artists.profiles(B=np.full(8, 3e17))
    ax = artists.sketched({"a": short, "b": long, "c": artists.profiles(B=np.full(8, 2e17))},
                        spread=True, labels="none")  # fmt: skip
    line = next(one for one in ax.lines if one.get_label() == "B")
    assert line.get_xdata().tolist() == artists.DEPTHS[:5].tolist()
    assert line.get_ydata().tolist() == [2e17] * 5
    y = ax.collections[0].get_paths()[0].vertices[:, 1]
    np.testing.assert_allclose([y.min(), y.max()], [1.2e17, 2.8e17])


@pytest.mark.few(2)
@pytest.mark.parametrize(
    ("decades", "found"),
    [
        ([0, 0, 0, 0, 0.09, -0.5], ["5", "4"]),
        ([0, 0, 0, 0, 0.079], []),  # less than the least
        ([0, 0, 0, 0, 0.081], ["4"]),
        ([*[0] * 12, 1, 2, 3, 4, 5], ["16", "15", "14", "13"]),  # four, and no more
        # From the median of 0.02, half are off by 0.04: five times 1.4826 of these are 0.297.
        ([*[0.02, -0.02] * 4, 0.31], []),
        ([*[0.02, -0.02] * 4, 0.33], ["8"]),
    ],
)
def test_outliers_are_off_as_a_whole_the_farthest_first(decades, found):
    ax = median_of(*(1e17 * 10.0 ** np.array(decades)))
    thin = [line for line in ax.lines if line.get_linewidth() == 0.7]
    assert [line.get_label() for line in thin] == [f"B, {name}" for name in found]
