"""Which samples are drawn as data, and where the marks of the others stand."""

import artists
import numpy as np
import pytest

import sims_analysis as sims


def curve(ax):
    return ax.lines[0].get_ydata()


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_data_are_positive_on_a_log_axis_and_not_below_the_limit(scale):
    y = np.array([1e17, 0.0, -1e17, 5e15, 1e16, 2e16])
    ax = artists.sketched(artists.profiles(B=y), scale=scale, detection_limit="1e16 atoms/cm^3")
    # Zero and less are below the limit, too.
    assert np.isfinite(curve(ax)).tolist() == [True, False, False, False, True, True]
    free = artists.sketched(artists.profiles(B=y), scale=scale)
    log = scale == "log"
    assert np.isfinite(curve(free)).tolist() == [True, not log, not log, True, True, True]


def test_samples_below_a_limit_are_marked_at_it_and_explained():
    data = artists.profiles(B=np.r_[np.full(25, 1e17), np.full(25, 1e15)])
    options = {"detection_limit": "1e16 atoms/cm^3"}
    ax = artists.sketched(data, **options)
    (mark,) = artists.marks(ax)
    assert set(mark.get_ydata()) == {1e16}
    assert mark.get_xdata()[0] == 50.0
    assert artists.notes(ax) == ["below the limit", "detection limit"]
    assert ax.get_ylim()[0] < 5e15
    assert not artists.marks(artists.sketched(data, xlim=(0, 40), **options))


def test_a_limit_is_one_grey_line_and_several_have_the_colours_of_their_curves():
    data = artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e18))
    for limits, count in (("1e16 atoms/cm^3", 1), ({"B": "1e16 1/cm^3", "P": "2e16 1/cm^3"}, 2)):
        ax = artists.sketched(data, detection_limit=limits)
        found = [line for line in ax.lines if len(line.get_xdata()) == 2 and line.get_zorder() == 1]
        assert len(found) == count
        if count == 2:
            assert [one.get_color() for one in found] == [
                one.get_color() for one in artists.lines(ax)
            ]


@pytest.mark.parametrize(
    ("data", "points"),
    [([1] * 18, 0), ([1, 0] * 8, 8), ([1, 0] * 9, 9), ([1] * 4 + [0, 1, 1, 1, 0] + [1] * 20, 0),
     ([1] * 10 + [0, 0, 0] + [1] * 17, 4), ([0] + [1] * 20, 0), ([0, 0] + [1] * 20, 2)],
)  # fmt: skip
def test_samples_among_mostly_others_are_points(data, points):
    # Of nine neighbours three, or at an end two of five, are more than a quarter.
    ax = artists.sketched(artists.profiles(B=(np.array(data) * 5.0, "counts")))
    found = artists.marks(ax, ".")
    assert sum(len(one.get_xdata()) for one in found) == points


def test_the_limits_hold_what_is_drawn_as_points():
    values = np.where(np.arange(50) % 2, 0.0, artists.gaussian(1e4, floor=1.0))
    low, high = artists.sketched(artists.profiles(B=(values, "counts"))).get_ylim()
    assert low < 1.0
    assert high >= values.max()


@pytest.mark.parametrize(("marker", "points"), [("", 1), ("None", 1), (" ", 1), ("o", 0)])
def test_a_lone_sample_is_a_point_unless_all_have_marks(marker, points):
    data = artists.profiles(B=[1e17, 0.0, 1e17, 1e17])
    ax = artists.sketched(data, marker=marker, alpha=0.5, zorder=2.5)
    found = artists.marks(ax, ".")
    assert len(found) == points
    for one in found:
        assert one.get_xdata().tolist() == [0.0]
        assert (one.get_alpha(), one.get_zorder()) == (0.5, 2.5)
        assert one.get_color() == ax.lines[0].get_color()
    (alone,) = artists.marks(artists.sketched(artists.profiles(B=[1e17])), ".")
    assert alone.get_markersize() > 2


def banded(stderr, coverage=2.0, **options):
    y = np.full(50, 1e17)
    y[10] = 0.0
    data = artists.profiles(B=y)
    if stderr is not None:
        errors = np.full((1, 50), stderr * 1e17)
        data["concentration_stderr"] = data["concentration"].copy(data=errors)
    return artists.sketched(data, coverage=coverage, **options)


@pytest.mark.slow
def test_a_band_is_the_wanted_number_of_errors_and_stays_away_from_what_is_no_data():
    (area,) = banded(0.1).collections
    y = area.get_paths()[0].vertices[:, 1]
    assert (y.min(), y.max()) == (pytest.approx(0.8e17), pytest.approx(1.2e17))
    assert len(area.get_paths()) == 2
    assert artists.notes(banded(0.1))[-1] == "± 2 standard errors"
    for none in (banded(None), banded(0.1, coverage=0), banded(np.nan)):
        assert not [one for one in none.collections if one.get_paths()]
    # There is none on a log axis where an interval reaches zero.
    assert not [one for one in banded(0.5).collections if one.get_paths()]
    assert [one for one in banded(0.49).collections if one.get_paths()]
    (area,) = banded(1.0, scale="linear").collections
    assert area.get_paths()[0].vertices[:, 1].min() == pytest.approx(-2e17)


def test_a_gap_is_dotted_and_has_no_band():
    ds = sims.with_counting_statistics(
        artists.profiles(B=artists.gaussian()), value_per_count="1e14 atoms/cm^3"
    )
    ax = artists.sketched(ds.isel(depth=np.r_[0:20, 35:50]))
    (dotted,) = [line for line in ax.lines if len(line.get_xdata()) == 2]
    assert dotted.get_xdata().tolist() == [38.0, 70.0]
    at = ax.lines[0].get_xdata()[np.isnan(curve(ax))]
    assert at.tolist() == [54.0]
    (area,) = ax.collections
    assert len(area.get_paths()) == 2
