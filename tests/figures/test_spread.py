"""Wafers: distinguished by colour while there are few, summarised when there are many."""

import artists
import matplotlib as mpl
import numpy as np
import pytest
from error_parts import warns

import sims_analysis as sims

mpl.use("Agg")


@pytest.mark.few(1)
@pytest.mark.parametrize("count", [2, 8])
def test_few_wafers_have_a_colour_and_a_name_each(count):
    ax = artists.sketched(artists.wafers(count))
    curves = artists.lines(ax)
    assert len({line.get_color() for line in curves}) == len(curves) == count
    assert artists.names(ax) == list(artists.wafers(count))


def test_many_wafers_are_a_median_a_band_and_named_outliers():
    data = artists.wafers(25, outlier=7)
    ax = artists.sketched(data)
    median, outlier = artists.lines(ax)
    values = np.array([ds["concentration"].values[0] for ds in data.values()])
    np.testing.assert_allclose(median.get_ydata(), np.median(values, axis=0))
    np.testing.assert_allclose(outlier.get_ydata(), values[7])
    assert artists.names(ax) == ["B", "W08"]
    band = ax.collections[0].get_paths()[0].vertices[:, 1]
    low, high = np.quantile(values, [0.1, 0.9], axis=0)
    assert band.max() == pytest.approx(high.max())
    assert band.min() == pytest.approx(low.min(), rel=1e-6)
    assert artists.notes(ax) == ["median of 25", "the middle 80 %"]


def test_a_band_takes_what_is_written_for_no_counts_for_none():
    counts = np.where(artists.DEPTHS < 60, 900.0, 0.001)
    wafers = {
        name: artists.profiles(B=(counts * (1 + i), "counts/s")) for i, name in enumerate("abc")
    }
    ax = artists.sketched(wafers, spread=True)
    assert ax.get_ylim()[0] > 1


@pytest.mark.slow
def test_titles_of_panels_stand_clear_of_their_legends():
    data = artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e18))
    panels = sims.plot_panels({"W1": data, "W2": data}, labels="legend")
    panels[0].figure.canvas.draw()
    for ax in panels:
        legend = artists.named(ax).get_window_extent()
        assert not ax.title.get_window_extent().overlaps(legend)


@pytest.mark.slow
def test_panels_show_the_results_of_their_measurement():
    data = artists.wafers(2, outlier=1)
    xj = {name: sims.junction_depth(ds, level="1e17 atoms/cm^3") for name, ds in data.items()}
    for panel, found in zip(sims.plot_panels(data, junctions=xj), xj.values(), strict=True):
        (mark,) = [line for line in panel.lines if line.get_marker() == "o"]
        assert mark.get_xdata()[0] == pytest.approx(float(found.item()))


@pytest.mark.slow
def test_results_of_single_wafers_have_no_place_on_their_median():
    data = artists.wafers(12)
    found = {name: sims.peak(ds) for name, ds in data.items()}
    with warns(sims.ProfileWarning, "not_shown", argument="peak"):
        ax = artists.sketched(data, peak=found)
    assert not [text for text in artists.notes(ax) if "peak" in text]
    ax = artists.sketched(data, peak=found, spread=False)
    assert len([text for text in artists.notes(ax) if "peak" in text]) == 12


def test_a_fit_to_one_of_many_wafers_is_drawn():
    data = artists.wafers(12)
    fit = sims.fit(data["W03"], model="gaussian", background="fit")
    ax = artists.sketched(data, fits={"W03": fit})
    assert len([line for line in ax.lines if line.get_gid() == "fit"]) == 1
