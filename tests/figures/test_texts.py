"""Texts of a figure: what they say, where they stand, and that none covers another."""

import artists
import matplotlib as mpl
import numpy as np
import pytest
from error_parts import raises

import sims_analysis as sims
from sims_analysis.errors import ProfileError

mpl.use("Agg")


def box(artist):
    return artist.get_window_extent()


def rising():
    z = artists.DEPTHS
    return artists.profiles(
        Si=1e15 + 1e19 / (1 + np.exp((50.0 - z) / 2)), Ga=(np.full(z.shape, 2e5), "counts/s")
    )


# --- what is said ---


def test_a_result_about_atoms_says_nothing_of_a_species_in_counts():
    ds = rising()
    with_counts = artists.sketched(
        ds,
        peak=sims.peak(ds),
        junctions=[
            sims.junction_depth(ds, level="1e18 atoms/cm^3"),
            sims.crossings(ds, level="1e18 atoms/cm^3"),
        ],
    )
    assert artists.notes(with_counts)
    assert not any("Ga" in text or "no data" in text for text in artists.notes(with_counts))


@pytest.mark.slow
def test_the_depth_of_a_rising_edge_is_no_junction_depth():
    ds = rising()
    rise = sims.junction_depth(ds, level="1e18 atoms/cm^3", edge="leading")
    (text,) = artists.notes(artists.sketched(ds, species="Si", junctions=rise))
    assert "rises through" in text
    assert "x_" not in text
    fall = sims.junction_depth(ds, level="1e18 atoms/cm^3")
    (text,) = artists.notes(artists.sketched(ds, species="Si", junctions=fall))
    assert "x_" in text


def test_marks_outside_the_limits_are_not_explained():
    y = artists.gaussian(floor=0.0)
    y[40:] = 0.0
    ds = artists.profiles(B=y)
    assert artists.notes(artists.sketched(ds)) == ["zero"]
    assert artists.notes(artists.sketched(ds, xlim=("0 nm", "60 nm"))) == []
    limit = {"detection_limit": f"{y[39] * 2:g} atoms/cm^3"}
    assert "below the limit" in artists.notes(artists.sketched(ds, **limit))
    zoomed = artists.sketched(ds, xlim=("0 nm", "60 nm"), **limit)
    assert artists.notes(zoomed) == ["detection limit"]


def test_outliers_of_several_species_are_named_once():
    wafers = {}
    for i in range(12):
        factor = 3.0 if i == 4 else 1.0 + 0.001 * i
        wafers[f"W{i}"] = artists.profiles(
            B=factor * artists.gaussian(), P=factor * artists.gaussian(middle=60.0)
        )
    assert artists.names(artists.sketched(wafers)) == ["B", "P", "W4"]


def test_no_species_is_nothing_to_draw():
    with raises(ProfileError, argument="species"):
        artists.sketched(rising(), species=[])


# --- colours and limits ---


def test_marks_and_names_have_the_requested_colour():
    y = artists.gaussian()
    y[-5:] = 0.0
    ax = artists.sketched(artists.profiles(B=y), color="crimson")
    assert {line.get_color() for line in ax.lines} == {"crimson"}
    both = artists.lines(
        artists.sketched(artists.profiles(B=y, P=artists.gaussian()), c=(0.0, 0.0, 0.0))
    )
    assert len({line.get_linestyle() for line in both}) == 2


def test_the_value_axis_is_that_of_the_depths_that_are_shown():
    ds = artists.profiles(B=1e20 * np.exp(-artists.DEPTHS / 5))
    assert artists.sketched(ds).get_ylim()[0] < 1e12
    zoomed = artists.sketched(ds, xlim=("0 nm", "20 nm"))
    assert zoomed.get_ylim() == pytest.approx((1e18, 2e20), rel=0.003)


@pytest.mark.slow
def test_residuals_leave_the_data_their_height():
    ds = artists.profiles(B=artists.gaussian(floor=0.0))
    fit = sims.fit(ds, model="gaussian")
    alone, parted = (sims.plot_profiles(ds, fits=fit, residuals=r) for r in (False, True))
    for ax in (alone, parted):
        ax.figure.draw_without_rendering()
    height = [box(ax).height / ax.figure.dpi for ax in (alone, parted)]
    assert height[1] > 0.9 * height[0]
    labels = [each.yaxis.label.get_position()[0] for each in parted.figure.axes]
    assert labels[0] == pytest.approx(labels[1])


# --- where it stands ---


@pytest.mark.slow
def test_names_on_one_line_are_two_words():
    z = artists.DEPTHS
    flat = {
        name: np.full(z.shape, 1e17 * 1.5**k) for k, name in enumerate(["Al", "In", "Sb", "Te"])
    }
    ax = sims.plot_profiles(artists.profiles(**flat), ylim=(1e10, 1e20))
    ax.figure.draw_without_rendering()
    texts = artists.direct_texts(ax)
    for one in texts:
        for other in texts:
            if one is not other and abs(box(one).y0 - box(other).y0) < 0.5 * box(one).height:
                apart = max(box(one).x0 - box(other).x1, box(other).x0 - box(one).x1)
                assert apart > 3 * ax.figure.dpi / 72


@pytest.mark.slow
def test_a_name_does_not_cover_marks():
    ax = sims.plot_profiles(artists.profiles(B=artists.gaussian()), marker="o", markersize=9)
    ax.figure.draw_without_rendering()
    (line,) = artists.lines(ax)
    (name,) = [text for text in artists.direct_texts(ax) if text.get_text() == "B"]
    radius = 0.5 * line.get_markersize() * ax.figure.dpi / 72
    x, y = ax.transData.transform(np.column_stack(line.get_data())).T
    inside = (x > box(name).x0 - 0.9 * radius) & (x < box(name).x1 + 0.9 * radius)
    inside &= (y > box(name).y0 - 0.9 * radius) & (y < box(name).y1 + 0.9 * radius)
    assert not inside.any()


@pytest.mark.slow
def test_names_of_the_first_call_make_way_for_the_curves_of_the_second():
    first = artists.profiles(B=artists.gaussian())
    ax = sims.plot_profiles(first)
    (before,) = [text for text in artists.direct_texts(ax) if text.get_text()]
    x, y = ax.transData.inverted().transform(box(before).get_points()).mean(axis=0)
    sims.plot_profiles(artists.profiles(P=np.full(artists.DEPTHS.shape, y)), ax)
    ax.figure.draw_without_rendering()
    (name,) = [text for text in artists.direct_texts(ax) if text.get_text() == "B"]
    height = ax.transData.transform((x, y))[1]
    assert not box(name).y0 < height < box(name).y1
    assert artists.direct(ax) == ["B", "P"]
