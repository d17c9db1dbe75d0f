"""Layers, interfaces, crowds of crossings, panels by width, and looks on request."""

import artists
import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest

import sims_analysis as sims
from sims_analysis.figures.colours import COLOURS, background, text_colour

mpl.use("Agg")

Z = artists.DEPTHS


# --- results ------------------------------------------------------------------------------------


def test_of_many_layers_the_first_are_listed():
    ds = artists.profiles(Ge=1e20 * (1.1 + np.cos(Z * 2 * np.pi / 10)))
    found = sims.layers(ds, level="1e20 atoms/cm^3")
    ax = artists.sketched(ds, layers=found)
    assert len([line for line in ax.lines if line.get_marker() == "|"]) == found.sizes["layer"]
    *first, last = artists.notes(ax)
    assert [text.partition(":")[0] for text in first[:6]] == [f"layer {i}" for i in range(1, 7)]
    assert f"layers: {found.sizes['layer'] - 6} more" in (*first, last)


@pytest.mark.parametrize("banded", [True, False])
def test_the_plus_minus_has_a_handle(banded):
    plain = artists.profiles(B=artists.gaussian())
    ds = sims.with_counting_statistics(plain, value_per_count="1e14 atoms/cm^3")
    xj = sims.junction_depth(ds, level="1e17 atoms/cm^3")
    ax = artists.sketched(ds if banded else plain, junctions=xj)
    handle = artists.listed(ax).legend_handles[-1]
    assert artists.notes(ax)[-1] == "± one standard error"
    # A swatch of the band, or a bar with its ends where there is none.
    assert handle.get_alpha() == 0.22 if banded else len(handle.get_marker().vertices) == 6


def test_results_over_time_are_drawn_over_time():
    timed = sims.open_example("sputter-time").sel(species=["As"])
    found = sims.peak(timed)
    level = sims.crossings(timed, level="1e3 counts/s")
    ax = artists.sketched(timed, peak=found, junctions=level)
    (cross,) = [line for line in ax.lines if line.get_marker() == "+"]
    assert cross.get_xdata()[0] == found["sputter_time"].item()
    assert f"peak at {found['sputter_time'].item():g} s" in artists.notes(ax)
    # Over depth, the same result is about something else.
    deep = sims.calibrate_depth(timed, rate="1 nm/s")
    assert not any("peak" in text for text in artists.notes(artists.sketched(deep, peak=found)))


def test_a_fit_over_time_is_drawn_over_time():
    timed = sims.open_example("sputter-time").sel(species=["As"])
    fit = sims.fit(timed, model="gaussian", start="50 s", stop="300 s")
    ax = artists.sketched(timed, fits=fit)
    (line,) = [line for line in ax.lines if line.get_gid() == "fit"]
    shown = line.get_xdata()[np.isfinite(line.get_ydata())]
    assert 50 <= shown.min() < shown.max() <= 300


# --- curves -------------------------------------------------------------------------------------


@pytest.mark.parametrize("style", ["grayscale", "tableau-colorblind10"])
def test_the_colours_of_a_style_sheet_win(style):
    with plt.style.context(style):
        cycle = mpl.rcParams["axes.prop_cycle"].by_key()["color"]
        ax = artists.sketched(artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e18)))
        colours = [line.get_color() for line in artists.lines(ax)]
    assert colours == [mpl.colors.to_hex(colour) for colour in cycle[:2]]


@pytest.mark.few(3)
@pytest.mark.parametrize("colour", COLOURS)
@pytest.mark.parametrize("style", ["default", "dark_background", "grayscale"])
def test_letters_can_be_read_on_their_background(style, colour):
    with plt.style.context(style):
        _, ax = plt.subplots()
        seen, ground = artists.luminance(text_colour(colour, ax)), artists.luminance(background(ax))
    low, high = sorted((seen, ground))
    assert (high + 0.05) / (low + 0.05) >= 4.5


def test_names_beside_curves_have_letters_that_can_be_read():
    ax = sims.plot_profiles(artists.profiles(Al=artists.gaussian(), In=artists.gaussian(1e17)))
    for text in artists.direct_texts(ax):
        assert 1.05 / (artists.luminance(text.get_color()) + 0.05) >= 4.5


@pytest.mark.study
def test_what_is_said_of_data_and_marks_can_be_left_out():
    ds = sims.open_example("boron-implant")
    assert sims.plot_profiles(ds, title="").get_title() == ""
    long = "a title that is longer than the column is wide, " * 3
    ax, (panel, *_) = sims.plot_profiles(ds, title=long), sims.plot_panels(ds, title=long)
    for each in (ax, panel):
        each.figure.draw_without_rendering()
        title = each.title if each is ax else each.figure.texts[0]
        assert title.get_text().count("\n") >= 1
        inside = title.get_window_extent()
        assert 0 <= inside.x0 < inside.x1 <= each.figure.bbox.width
    assert artists.notes(sims.plot_profiles(ds)) == ["zero"]
    assert artists.notes(sims.plot_profiles(ds, notes=False)) == []
    panels = sims.plot_panels(ds, by="species", title="")
    assert panels[0].figure.get_suptitle() == ""


# --- sizes --------------------------------------------------------------------------------------


@pytest.mark.slow
def test_subfigures_are_drawn_in():
    figure = plt.figure(figsize=(6, 3), layout="constrained")
    left, right = figure.subfigures(1, 2)
    data = artists.profiles(B=artists.gaussian(), Ga=(np.full(50, 2e5), "counts/s"))
    for part in (left, right):
        ax = part.subplots()
        sims.plot_profiles(data, ax)
        assert len(artists.axes(ax)) == 2
    assert len(figure.axes) == 4


@pytest.mark.study
def test_letters_are_never_too_small_to_read():
    data = artists.wafers(10)
    results = {
        "dose": {name: sims.integrated_dose(ds) for name, ds in data.items()},
        "junctions": {n: sims.junction_depth(d, level="1e17 atoms/cm^3") for n, d in data.items()},
    }
    panels = sims.plot_panels(data, columns=5, **results)
    sizes = [t.get_fontsize() for ax in panels for t in artists.listed(ax).get_texts()]
    assert min(sizes) >= 5.5
