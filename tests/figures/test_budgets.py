"""Budgets as bars: each part in per cent of its dose, and what is not known has none."""

from itertools import pairwise

import artists
import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from error_parts import raises
from matplotlib.colors import to_rgba
from matplotlib.legend import Legend

import sims_analysis as sims
from sims_analysis.errors import ProfileError
from sims_analysis.figures.colours import colour_of
from sims_analysis.figures.plot import typeset_species


def budget(counted=True, **options):
    data = artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e18))
    if counted:
        data = sims.with_counting_statistics(data, value_per_count="1e15 atoms/cm^3")
    return sims.dose_budget(data, **options)


def test_what_is_not_known_says_so():
    ax = sims.plot_budget(budget(counted=False, rsf_uncertainty=0.1).sel(species=["B"]))
    texts = [text.get_text() for text in ax.texts]
    assert texts[0] == "not known"
    assert texts[2] == "10 %"
    assert max(bar.get_width() for bar in ax.patches) == pytest.approx(10)
    assert ax.get_xlabel() == "Standard error (%)"


def test_a_share_is_written_without_an_exponent():
    found = budget(rsf_uncertainty=0.1).sel(species=["B"])
    texts = [t.get_text() for t in sims.plot_budget(found.assign(dose=found.dose / 1e3)).texts]
    assert texts[2] == "10000 %"


def test_more_profiles_than_can_be_told_apart_are_refused():
    many = sims.dose_budget(sims.stack(list(artists.wafers(13).values()), names=range(13)))
    with raises(ProfileError, "wrong_dimensions", argument="budget"):
        sims.plot_budget(many)
    assert len(drawn(many.isel(measurement=slice(12)))[1]) == 12


@pytest.mark.slow
def test_names_take_no_width_and_numbers_do_not_overlap():
    data = artists.profiles(**dict.fromkeys(("B", "P", "As", "Sb"), artists.gaussian()))
    four = sims.dose_budget(data, rsf_uncertainty=0.1)
    _, axs = plt.subplots(1, 2, figsize=(7, 2.6))
    own, given = sims.plot_budget(four, title="four"), sims.plot_budget(four, axs[0])
    for ax, share in ((own, 0.5), (given, 0.3)):
        ax.figure.draw_without_rendering()
        assert ax.bbox.width > share * ax.figure.bbox.width
        boxes = [text.get_window_extent() for text in ax.texts[::5]]
        assert all(high.y0 > low.y0 + 0.8 * low.height for high, low in pairwise(boxes))


@pytest.mark.slow
@pytest.mark.parametrize("width", ["55 mm", "60 mm", "single"])
def test_numbers_and_label_are_inside(width):
    data = artists.profiles(B=artists.gaussian(), P=artists.gaussian(1e18))
    budget = sims.dose_budget(data, rsf_uncertainty=0.1, depth_uncertainty=0.02)
    ax = sims.plot_budget(budget, width=width)
    ax.figure.set_dpi(300)  # as it is saved; on a screen, letters stand on whole pixels
    ax.figure.draw_without_rendering()
    assert max(text.get_window_extent().x1 for text in ax.texts) < ax.bbox.x1
    assert ax.xaxis.label.get_window_extent().x1 < ax.figure.bbox.x1


def drawn(found):
    """Return the names in a figure, and what each part is in per cent, profile by part."""
    ax = sims.plot_budget(found, plt.figure(dpi=50).add_subplot())
    shares = np.array([[bar.get_width() for bar in bars] for bars in ax.containers])
    known = np.array([text.get_text() != "not known" for text in ax.texts])
    return drawn_names(ax), np.where(known.reshape(shares.shape), shares, np.nan)


def parts(**values):
    """Make a budget of two profiles."""
    names = ("random", "background", "rsf", "depth", "systematic")
    values = {f"{name}_stderr": [0.0, 0.0] for name in names} | values
    ds = xr.Dataset({name: ("species", np.array(one, float)) for name, one in values.items()})
    ds = ds.assign_coords(species=["B", "11P"])
    return ds.assign_attrs(question=budget().attrs["question"])


@pytest.mark.slow
def test_shares_are_per_cent_of_the_size_of_the_dose():
    found = parts(dose=[2e14, -4e14], random_stderr=[1e13, 1e13], rsf_stderr=[np.nan, 4e13])
    names, shares = drawn(found)
    assert names == ["B", typeset_species("11P")]
    np.testing.assert_allclose(shares, [[5, 0, np.nan, 0, 0], [2.5, 0, 10, 0, 0]])
    nothing = drawn(parts(dose=[0.0, 1.0], random_stderr=[1.0, 1.0]))[1]
    assert np.isnan(nothing[0]).all()


@pytest.mark.slow
def test_profiles_have_the_names_that_tell_them_apart():
    found = parts(dose=[1.0, 2.0])
    assert drawn(found.sel(species="B"))[0] == []
    isotope = typeset_species("11P")
    batch = found.expand_dims(measurement=["a", "b"])
    assert drawn(batch)[0] == ["a, B", f"a, {isotope}", "b, B", f"b, {isotope}"]
    assert drawn(found.drop_vars("species"))[0] == ["0", "1"]


@pytest.mark.parametrize(
    "given",
    [3, xr.Dataset(), xr.DataArray(), sims.peak(artists.profiles(B=artists.gaussian())),
     parts(dose=[1.0, 2.0])["dose"]],
)  # fmt: skip
def test_what_is_no_budget_is_refused_with_what_it_is(given, approved):
    with raises(ProfileError, "other_result", "budget", text=approved):
        sims.plot_budget(given)


@pytest.mark.slow
def test_the_axis_is_as_long_as_the_numbers_need():
    for width in ("60 mm", "double"):
        ax = sims.plot_budget(parts(dose=[1.0, 2.0]), width=width)
        ax.figure.draw_without_rendering()
        ends = [text.get_window_extent().x1 for text in ax.texts]
        assert max(ends) < ax.bbox.x1


@pytest.mark.slow
def test_a_figure_of_several_profiles_is_higher():
    both = parts(dose=[1.0, 2.0])
    made = sims.plot_budget(both.sel(species=["B"])), sims.plot_budget(both)
    heights = [ax.figure.get_size_inches()[1] for ax in made]
    legend = heights[1] - heights[0] - 0.5
    assert 0.1 < legend < 0.4
    ax = sims.plot_budget(parts(dose=[1.0, 2.0]), title="$title$")
    assert ax.get_title() == "\\$title\\$"
    assert {tick.tick1line.get_markersize() for tick in ax.yaxis.majorTicks} == {0}
    assert drawn_names(ax) == ["B", typeset_species("11P")]
    colours = [bars[0].get_facecolor() for bars in ax.containers]
    assert colours == [to_rgba(colour_of(name)) for name in ("B", "11P")]
    assert sims.provenance(ax.figure)["calls"][-1] == "plot_budget(...)"


def drawn_names(ax):
    return [text.get_text() for one in ax.figure.findobj(Legend) for text in one.get_texts()]
